/*
 * The native oracle: random instructions on the host CPU and on ours, compared. Our side and the generator run here,
 * the host's side in oracle-native next to this program; while one batch runs there, the next is made here.
 *
 *   oracle [--cases N] [--seconds S] [--seed N] [--only ROW] [--bits 64|32|16] [--kind single|sequence|bytes]
 *          [--enumerate FIRST] [--rows] [--brief] [--undefined] [--show N] [--no-shrink] [--verbose] [--repro 'LINE']
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/cover.h"
#include "gen.h"
#include "oracle.h"

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
		o->lost[host->end - END_SYSCALL]++;
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
	return c->kind == CASE_SEQUENCE ? &o->sequences : c->kind == CASE_BYTES ? &o->bytes : &o->row[c->row[0]];
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
		o->passed++;
		n->passed++;
	} else if (v == SKIPPED) {
		o->skipped++;
		n->skipped++;
	} else {
		o->failed++;
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

		if (!row_wanted(o, id) || (b != 64 && !o->legacy) || (o->opt.bits && b != o->opt.bits))
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
	struct rng g = {o->opt.seed * 0x9e3779b97f4a7c15ull + n};
	u64 seed = rnd(&g);
	unsigned what = rnd_n(&g, 100), bits = pick_bits(o, &g, ALL), length;

	if (bits != 64 && !o->legacy)
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
	double start = now(), end = o->opt.seconds ? start + o->opt.seconds : 1e300;
	u64 next = 0;
	u32 n = make_batch(o, 0, &pend[0], next, o->opt.cases);

	for (unsigned slot = 0; n; slot ^= 1) {
		next += n;
		if (!host_submit(&o->host, slot, err))
			return false;
		n = now() < end ? make_batch(o, slot ^ 1, &pend[slot ^ 1], next, o->opt.cases) : 0;
		if (!host_wait(&o->host, slot, err))
			return false;
		/* Reports use slot 0 of the shared memory: keep what waits there. */
		static struct batch kept;
		kept = o->host.shm->slot[slot ^ 1];
		judge_batch(o, slot, &pend[slot]);
		o->host.shm->slot[slot ^ 1] = kept;
	}
	if (!o->opt.brief)
		printf("%.0f cases/s\n", (double)next / (now() - start));
	return true;
}

/* ---- what was covered ---- */
static void print_rows(const struct oracle *o)
{
	for (unsigned i = 0; i < X86_IDS; i++) {
		const struct row_count *n = &o->row[i];

		if (rows[i].policy == SKIP)
			printf("%-16s unverified: %s\n", rows[i].insn->name, rows[i].why);
		else
			printf("%-16s %s%llu passed, %llu failed, %llu skipped\n", rows[i].insn->name,
			       rows[i].policy == PRIV ? "(its fault at CPL 3) " : "", (unsigned long long)n->passed,
			       (unsigned long long)n->failed, (unsigned long long)n->skipped);
	}
}

/* For a test run: a row is a test, sequences and the decoder are one each. A row that had no passing case is not
 * counted as passed. */
static void print_brief(const struct oracle *o)
{
	unsigned passed = 0, failed = 0, skipped = 0;
	const struct row_count *n;

	for (unsigned i = 0; i < X86_IDS + 2; i++) {
		n = i < X86_IDS ? &o->row[i] : i == X86_IDS ? &o->sequences : &o->bytes;
		if (n->failed)
			failed++;
		else if (n->passed)
			passed++;
		else
			skipped++;
	}
	printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
}

static void print_summary(const struct oracle *o)
{
	unsigned verified = 0, unverified = 0;

	for (unsigned i = 0; i < X86_IDS; i++) {
		unverified += rows[i].policy == SKIP;
		verified += rows[i].policy != SKIP && o->row[i].passed && !o->row[i].failed;
	}
	if (o->opt.brief) {
		print_brief(o);
		return;
	}
	for (unsigned i = 0; i < EXC_COUNT; i++)
		if (exceptions[i].count)
			printf("documented: %llu x %s (%s)\n", (unsigned long long)exceptions[i].count,
			       exceptions[i].text, exceptions[i].section);
	if (!o->legacy)
		printf("16- and 32-bit code does not run on this host: not verified\n");
	if (o->lost[0] + o->lost[1] + o->lost[2])
		printf("lost on the host: %llu system calls, %llu that did not end, %llu that killed the runner\n",
		       (unsigned long long)o->lost[0], (unsigned long long)o->lost[1], (unsigned long long)o->lost[2]);
	printf("sequences: %llu passed, %llu failed; bytes: %llu passed, %llu failed\n",
	       (unsigned long long)o->sequences.passed, (unsigned long long)o->sequences.failed,
	       (unsigned long long)o->bytes.passed, (unsigned long long)o->bytes.failed);
	printf("rows: %u verified by the host, %u unverified (--rows lists them), of %u\n", verified, unverified,
	       (unsigned)X86_IDS);
	printf("%llu passed, %llu failed, %llu skipped\n", (unsigned long long)o->passed, (unsigned long long)o->failed,
	       (unsigned long long)o->skipped);
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
	puts("oracle [--cases N] [--seconds S] [--seed N] [--only ROW] [--bits 64|32|16] [--kind "
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
		{"verbose", 0, 0, 'v'},   {"brief", 0, 0, 'B'},     {0}};
	int k;

	*p = (struct options){.cases = 1000000, .seed = 1, .show = 3};
	while ((k = getopt_long(argc, argv, "", opts, NULL)) >= 0)
		switch (k) {
		case 'c': p->cases = strtoull(optarg, NULL, 0); break;
		case 't':
			p->seconds = atof(optarg);
			p->cases = ~0ull;
			break;
		case 's': p->seed = strtoull(optarg, NULL, 0); break;
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

int main(int argc, char **argv)
{
	static struct oracle o;
	struct error err = {""};
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 16);
	int status = 0;

	parse_options(&o.opt, argc, argv);
	if (!host_able()) {
		puts("the kernel does not let user code set FS.base (FSGSBASE): the oracle cannot run here");
		printf("0 passed, 0 failed, %u skipped\n", (unsigned)X86_IDS + 2);
		return 0;
	}
	path[n < 0 ? 0 : n] = 0;
	strcat(path, "-native");
	host_features(o.has);
	rows_init(o.has);
	if (!cover_from_environment(&err) || !host_start(&o.host, path, fill, &err) || !(o.emu = emu_new(o.host.shm, o.has, &err))) {
		fprintf(stderr, "oracle: %s\n", err.msg);
		return 2;
	}
	o.legacy = try_legacy(&o);
	if (o.opt.repro) {
		status = run_repro(&o, &err);
	} else if (!run_all(&o, &err)) {
		fprintf(stderr, "oracle: %s\n", err.msg);
		status = 2;
	} else {
		if (o.opt.list_rows)
			print_rows(&o);
		print_summary(&o);
		status = o.failed != 0;
	}
	host_stop(&o.host);
	emu_free(o.emu);
	return status;
}
