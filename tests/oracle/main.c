/*
 * The native oracle: random instructions on the host CPU and on ours, compared. Our side and the generator run here,
 * the host's side in oracle-native next to this program; while one batch runs there, the next is made here.
 *
 *   oracle [--cases N] [--seconds S] [--seed N] [--seeds HOW-MANY] [--jobs N] [--soft-fma] [--real N] [--only ROW] [--bits 64|32|16] [--kind single|sequence|bytes]
 *          [--enumerate FIRST] [--rows] [--brief] [--undefined] [--show N] [--no-shrink] [--verbose] [--repro 'LINE']
 *   --real N: and N cases in real mode, beside Unicorn
 *   oracle --markdown[=PAGE]     docs/instructions.md for this host, or for the features that PAGE names
 *   oracle --check-others DIR    the coverage maps in DIR against others.def
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cover.h"
#include "cpu_x86/vec.h"
#include "gen.h"
#include "markdown.h"
#include "oracle.h"
#include "real.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- one case ---- */
enum verdict oracle_judge(struct oracle *o, const struct ocase *c, const struct outcome *host,
			  const struct outcome *ours, struct text *why)
{
	if (host->end >= END_SYSCALL) {
		o->t.lost[host->end - END_SYSCALL]++;
		if (o->opt.verbose)
			printf("lost: %s\n", end_name(host, (char[32]){0}));
		return SKIPPED;
	}
	if (c->kind == CASE_BYTES)
		return compare_bytes(c, host, ours, o->has, why);
	return compare(c, host, ours, o->has, o->opt.undefined, why);
}

static enum verdict both_modes(struct oracle *o, const struct ocase *c, struct outcome *step, struct text *why)
{
	struct outcome block;
	char buf[512];
	struct text t;

	emu_run(o->emu, c, EMU_STEP, step);
	if (step->end == END_DIED && c->kind == CASE_BYTES)
		return SKIPPED; /* not there yet */
	if (step->end == END_DIED) {
		text_printf(why, " ours: %s", emu_text(o->emu));
		return FAILED;
	}
	if (c->kind == CASE_BYTES || (c->kind == CASE_SINGLE && c->seed & 3 && !o->opt.repro))
		return PASSED; /* for single instructions, now and then is enough */
	emu_run(o->emu, c, EMU_BLOCK, &block);
	text_init_buffer(&t, buf, sizeof buf);
	if (compare_ours(step, &block, &t) == PASSED)
		return PASSED;
	text_printf(why, " step (host) against block (ours):%s", buf);
	return FAILED;
}

enum verdict oracle_ours(struct oracle *o, const struct ocase *c, struct outcome *step, struct text *why)
{
	enum verdict v;

	emu_load(o->emu, c);
	v = both_modes(o, c, step, why);
	emu_unload(o->emu, c);
	return v;
}

enum verdict oracle_case(struct oracle *o, const struct ocase *c, struct text *why)
{
	struct outcome host, ours;
	struct error err;

	if (oracle_ours(o, c, &ours, why) == FAILED)
		return FAILED;
	if (!host_run(&o->host, c, &host, &err)) {
		fprintf(stderr, "oracle: %s\n", err.msg);
		exit(2);
	}
	return oracle_judge(o, c, &host, &ours, why);
}

/* ---- counting and reporting ---- */
static struct row_count *count_of(struct oracle *o, const struct ocase *c)
{
	return c->kind == CASE_SEQUENCE ? &o->t.sequences : c->kind == CASE_BYTES ? &o->t.bytes : &o->t.row[c->row[0]];
}

static void report(struct oracle *o, const struct ocase *c, const char *why)
{
	char again[512], line[1024];
	struct ocase s = *c;
	struct text t, l;

	text_init_buffer(&t, again, sizeof again);
	text_init_buffer(&l, line, sizeof line);
	if (!o->opt.no_shrink)
		shrink(o, &s);
	if (oracle_case(o, &s, &t) != FAILED) {
		s = *c;
		text_init_buffer(&t, again, sizeof again);
		text_printf(&t, " (not when alone)%s", why);
	}
	repro_print(&s, &l);
	printf("FAIL %s:%s\n  --repro '%s'\n",
	       c->kind == CASE_SINGLE  ? rows[c->row[0]].insn->name
	       : c->kind == CASE_BYTES ? "bytes"
				       : "sequence",
	       again, line);
	fflush(stdout);
}

/* One report for each opcode of the decoder's cases. */
static bool reported(const struct oracle *o, const struct ocase *c)
{
	static u8 seen[MAPS + 1][256];
	struct parsed p;

	if (c->kind != CASE_BYTES || !row_parse(c->code, c->ncode, c->bits, o->has, &p))
		return false;
	return seen[p.map][p.opcode]++ >= o->opt.show;
}

static void count(struct oracle *o, const struct ocase *c, enum verdict v, const char *why)
{
	struct row_count *n = count_of(o, c);

	if (v == PASSED) {
		o->t.passed++;
		n->passed++;
	} else if (v == SKIPPED) {
		o->t.skipped++;
		n->skipped++;
	} else {
		o->t.failed++;
		if ((n->failed++ < o->opt.show || c->kind == CASE_BYTES) && !reported(o, c))
			report(o, c, why);
	}
}

/* ---- making cases ---- */
static bool row_wanted(const struct oracle *o, unsigned id)
{
	return rows[id].policy != SKIP && (!o->opt.only || strcasestr(rows[id].insn->name, o->opt.only));
}

static unsigned pick_bits(const struct oracle *o, struct rng *g, unsigned mode)
{
	unsigned b = mode == O64 ? 64 : chance(g, 55) && mode != NO64 ? 64 : chance(g, 70) ? 32 : 16;

	if (o->opt.bits && mode == ALL)
		return o->opt.bits;
	return b;
}

static bool make_single(struct oracle *o, struct rng *g, u64 seed, bool trap, struct ocase *c)
{
	for (unsigned tries = 0; tries < 100000; tries++) {
		unsigned id = rnd_n(g, X86_IDS), b = pick_bits(o, g, rows[id].insn->mode);

		if (!row_wanted(o, id) || (b != 64 && !o->t.legacy) || (o->opt.bits && b != o->opt.bits))
			continue;
		if (rows[id].policy == PRIV && !o->opt.only && !chance(g, 20))
			continue;
		if (trap)
			gen_trap(c, id, b, seed, o->has);
		else
			gen_single(c, id, b, seed, o->has);
		return true;
	}
	return false;
}

static bool make_case(struct oracle *o, u64 n, struct ocase *c)
{
	struct rng g = {(o->opt.seed + n / o->opt.cases) * 0x9e3779b97f4a7c15ull + n % o->opt.cases};
	u64 seed = rnd(&g);
	unsigned what = rnd_n(&g, 100), bits = pick_bits(o, &g, ALL), length;

	if (bits != 64 && !o->t.legacy)
		bits = 64;
	if (o->opt.kinds == BIT(CASE_SEQUENCE))
		what = 75 + rnd_n(&g, 25);
	else if (o->opt.kinds == BIT(CASE_BYTES))
		what = 60;
	else if (o->opt.kinds == BIT(CASE_SINGLE) || o->opt.only)
		what = 0;
	if (what < 60)
		return make_single(o, &g, seed, false, c);
	if (what < 75) {
		gen_bytes(c, bits, o->opt.first + n / 2, !o->opt.enumerate, seed, o->has);
		length = emu_length(o->emu, c);
		gen_cut(c, n & 1 ? length : 1 + rnd_n(&g, length));
		return true;
	}
	if (what < 78)
		return make_single(o, &g, seed, true, c);
	if (what < 80) {
		gen_smc(c, bits, seed, o->has);
		return true;
	}
	gen_sequence(c, bits, seed, o->has);
	return true;
}

static void print_case(const struct ocase *c)
{
	struct text t;

	text_init_file(&t, stdout);
	repro_print(c, &t);
	putchar('\n');
	fflush(stdout);
}

/* ---- the main loop: slot k is made and run here while slot 1 - k runs there ---- */
struct pending {
	enum verdict v[BATCH];
	char why[BATCH][512];
	struct outcome ours[BATCH];
};

static u32 make_batch(struct oracle *o, unsigned slot, struct pending *p, u64 first, u64 end)
{
	struct batch *b = &o->host.shm->slot[slot];

	for (b->n = 0; b->n < BATCH && first + b->n < end; b->n++) {
		struct text why;

		text_init_buffer(&why, p->why[b->n], sizeof p->why[0]);
		if (!make_case(o, first + b->n, &b->in[b->n]))
			break;
		if (o->opt.verbose)
			print_case(&b->in[b->n]);
		p->v[b->n] = oracle_ours(o, &b->in[b->n], &p->ours[b->n], &why);
	}
	return b->n;
}

static void judge_batch(struct oracle *o, unsigned slot, struct pending *p)
{
	static struct batch b; /* reports use slot 0 */

	b.n = o->host.shm->slot[slot].n;
	memcpy(b.in, o->host.shm->slot[slot].in, b.n * sizeof b.in[0]);
	memcpy(b.out, o->host.shm->slot[slot].out, b.n * sizeof b.out[0]);
	for (u32 i = 0; i < b.n; i++) {
		struct text why;

		if (p->v[i] == PASSED) {
			text_init_buffer(&why, p->why[i], sizeof p->why[0]);
			p->v[i] = oracle_judge(o, &b.in[i], &b.out[i], &p->ours[i], &why);
		}
		count(o, &b.in[i], p->v[i], p->why[i]);
	}
}

static bool run_all(struct oracle *o, struct error *err)
{
	static struct pending pend[SLOTS];
	double end = o->opt.seconds ? now() + o->opt.seconds : 1e300;
	u64 next = (u64)o->worker * BATCH, all = o->opt.cases * o->opt.seeds;
	u32 n = make_batch(o, 0, &pend[0], next, all);

	for (unsigned slot = 0; n; slot ^= 1) {
		o->t.cases += n;
		next += (u64)BATCH * o->opt.jobs;
		if (!host_submit(&o->host, slot, err))
			return false;
		n = now() < end ? make_batch(o, slot ^ 1, &pend[slot ^ 1], next, all) : 0;
		if (!host_wait(&o->host, slot, err))
			return false;
		/* Reports use slot 0 of the shared memory: keep what waits there. */
		static struct batch kept;
		kept = o->host.shm->slot[slot ^ 1];
		judge_batch(o, slot, &pend[slot]);
		o->host.shm->slot[slot ^ 1] = kept;
	}
	for (unsigned i = 0; i < EXC_COUNT; i++)
		o->t.exceptions[i] = exceptions[i].count;
	return true;
}

/* ---- start ---- */

/* Memory before every case: random, edges, zeros, and a stretch of one byte for REP SCAS and CMPS. */
static void fill(struct shared *s)
{
	struct rng g = {12345};

	for (unsigned a = 0; a <= AREAS; a++)
		for (unsigned i = 0; i < 512; i++)
			s->initial[a][i] = a == AREA_SMC    ? 0xcccccccccccccccc
					   : i % 64 >= 48   ? (i & 256 ? 0 : ~0ull)
					   : chance(&g, 50) ? rnd_value(&g)
							    : rnd(&g);
}

/* Can this host run code in compatibility mode, with our LDT? */
static bool try_legacy(struct oracle *o)
{
	static const char *const lines[] = {"32 code=90", "16 code=90"};

	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
		struct ocase c;
		struct outcome out;
		struct error err;

		if (!repro_parse(lines[i], &c, o->has, &err) || !host_run(&o->host, &c, &out, &err) ||
		    out.end != END_OK)
			return false;
	}
	return !o->host.shm->no_ldt;
}

static void usage(void)
{
	puts("oracle [--cases N] [--seconds S] [--seed N] [--seeds HOW-MANY] [--jobs N] [--soft-fma] [--only ROW] [--bits 64|32|16] [--kind "
	     "single|sequence|bytes]\n"
	     "       [--enumerate FIRST] [--rows] [--brief] [--undefined] [--show N] [--no-shrink] [--verbose] "
	     "[--repro 'LINE']");
	exit(2);
}

static unsigned kind_of(const char *s)
{
	if (!strcmp(s, "single"))
		return BIT(CASE_SINGLE);
	if (!strcmp(s, "sequence"))
		return BIT(CASE_SEQUENCE);
	if (!strcmp(s, "bytes"))
		return BIT(CASE_BYTES);
	usage();
	return 0;
}

static void parse_options(struct options *p, int argc, char **argv)
{
	static const struct option opts[] = {
		{"cases", 1, 0, 'c'},     {"seconds", 1, 0, 't'},   {"seed", 1, 0, 's'},
		{"only", 1, 0, 'o'},      {"bits", 1, 0, 'b'},      {"kind", 1, 0, 'k'},
		{"rows", 0, 0, 'r'},      {"undefined", 0, 0, 'u'}, {"show", 1, 0, 'n'},
		{"no-shrink", 0, 0, 'N'}, {"repro", 1, 0, 'R'},     {"enumerate", 1, 0, 'e'},
		{"verbose", 0, 0, 'v'},   {"brief", 0, 0, 'B'},     {"seeds", 1, 0, 'S'},
		{"jobs", 1, 0, 'j'},      {"soft-fma", 0, 0, 'f'},  {"markdown", 2, 0, 'M'},
		{"check-others", 1, 0, 'C'}, {"real", 1, 0, 'Z'},      {0}};
	int k;

	*p = (struct options){.cases = 1000000, .seed = 1, .seeds = 1, .jobs = 1, .show = 3};
	while ((k = getopt_long(argc, argv, "", opts, NULL)) >= 0)
		switch (k) {
		case 'c': p->cases = strtoull(optarg, NULL, 0); break;
		case 't':
			p->seconds = atof(optarg);
			p->cases = ~0ull >> 8;
			break;
		case 's': p->seed = strtoull(optarg, NULL, 0); break;
		case 'S': p->seeds = strtoull(optarg, NULL, 0); break;
		case 'f': vec_host_fma = 1; break;
		case 'M':
			p->markdown = true;
			p->page = optarg;
			break;
		case 'Z': p->real = strtoull(optarg, NULL, 0); break;
		case 'C': p->others = optarg; break;
		case 'j': p->jobs = (unsigned)atoi(optarg); break;
		case 'o': p->only = optarg; break;
		case 'b': p->bits = (unsigned)atoi(optarg); break;
		case 'k': p->kinds = kind_of(optarg); break;
		case 'r': p->list_rows = true; break;
		case 'u': p->undefined = true; break;
		case 'n': p->show = (unsigned)atoi(optarg); break;
		case 'N': p->no_shrink = true; break;
		case 'v': p->verbose = true; break;
		case 'B': p->brief = true; break;
		case 'R': p->repro = optarg; break;
		case 'e':
			p->enumerate = true;
			p->kinds = BIT(CASE_BYTES);
			p->first = strtoull(optarg, NULL, 0);
			break;
		default: usage();
		}
}

static int run_repro(struct oracle *o, struct error *err)
{
	char why[512];
	struct text t;
	struct ocase c;
	enum verdict v;

	text_init_buffer(&t, why, sizeof why);
	if (!repro_parse(o->opt.repro, &c, o->has, err)) {
		fprintf(stderr, "oracle: %s\n", err->msg);
		return 2;
	}
	v = oracle_case(o, &c, &t);
	printf("%s%s\n", v == PASSED ? "passed" : v == SKIPPED ? "skipped" : "FAIL", why);
	return v == FAILED;
}

/* ---- workers: each has its own host and its own emulator ---- */
static bool start(struct oracle *o, const char *path, struct error *err)
{
	if (!host_start(&o->host, path, fill, err) || !(o->emu = emu_new(o->host.shm, o->has, err)))
		return false;
	o->t.legacy = try_legacy(o);
	return true;
}

static void stop(struct oracle *o)
{
	host_stop(&o->host);
	emu_free(o->emu);
}

static int NORETURN work(struct oracle *o, const char *path, struct tally *result)
{
	struct error err;

	if (!start(o, path, &err) || !run_all(o, &err)) {
		fprintf(stderr, "oracle: %s\n", err.msg);
		exit(2);
	}
	if (o->opt.real && !real_run(&o->t, o->worker, o->opt.jobs, o->opt.real, o->opt.seed, o->opt.only, o->opt.show))
		printf("real mode: skipped, this build has no Unicorn\n");
	*result = o->t;
	stop(o);
	exit(0);
}

static bool run_workers(struct oracle *o, const char *path, struct error *err)
{
	size_t size = o->opt.jobs * sizeof(struct tally);
	struct tally *results = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool ok = true;

	if (results == MAP_FAILED)
		return error_set(err, "no memory for %u workers", o->opt.jobs);
	fflush(stdout);
	for (o->worker = 0; o->worker < o->opt.jobs; o->worker++)
		if (!fork())
			work(o, path, &results[o->worker]);
	for (int status; wait(&status) > 0;)
		ok &= status == 0;
	for (unsigned i = 0; i < o->opt.jobs; i++)
		tally_add(&o->t, &results[i]);
	munmap(results, size);
	return ok || error_set(err, "a worker did not come to its end");
}

static void tell(const struct oracle *o, double seconds)
{
	if (o->opt.list_rows)
		tally_print_rows(&o->t);
	if (o->opt.brief) {
		tally_print_brief(&o->t, !o->opt.only);
		return;
	}
	printf("%llu cases, seeds %llu to %llu, in %.0f s: %.0f a second\n", (unsigned long long)o->t.cases, (unsigned long long)o->opt.seed,
	       (unsigned long long)(o->opt.seed + o->opt.seeds - 1), seconds, (double)o->t.cases / seconds);
	tally_print_summary(&o->t);
}

/* docs/instructions.md, for this host or, to compare, for the one that the page names. */
static int page(struct oracle *o)
{
	if (!o->opt.page) {
		host_features(o->has);
	} else if (!markdown_features(o->opt.page, o->has)) {
		fprintf(stderr, "oracle: %s: does not say what features the host had\n", o->opt.page);
		return 2;
	}
	rows_init(o->has);
	markdown_print(stdout, o->has);
	return 0;
}

int main(int argc, char **argv)
{
	static struct oracle o;
	struct error err = {""};
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 16);
	double begin = now();
	int status;

	parse_options(&o.opt, argc, argv);
	if (o.opt.others)
		return other_check(o.opt.others);
	if (o.opt.markdown)
		return page(&o);
	if (!host_able()) {
		puts("the kernel does not let user code set FS.base (FSGSBASE): the oracle cannot run here");
		printf("0 passed, 0 failed, %u skipped\n", (unsigned)X86_IDS + 2);
		return 0;
	}
	path[n < 0 ? 0 : n] = 0;
	strcat(path, "-native");
	host_features(o.has);
	rows_init(o.has);
	if (!cover_from_environment(&err) || (o.opt.repro && !start(&o, path, &err)) || (!o.opt.repro && !run_workers(&o, path, &err))) {
		fprintf(stderr, "oracle: %s\n", err.msg);
		return 2;
	}
	if (o.opt.repro) {
		status = run_repro(&o, &err);
		stop(&o);
		return status;
	}
	tell(&o, now() - begin);
	return o.t.failed != 0;
}
