/* The two machines in real mode, and what is compared: registers, defined flags, segments, memory, the vector of an exception. See real.h. */
#define _GNU_SOURCE
#include "real.h"

#ifdef HAVE_UNICORN
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unicorn/unicorn.h>
#include <unistd.h>

#include "cpu_x86/block.h"
#include "emu.h"
#include "gen.h"

enum { RAM = 0x120000, SEEN = REAL_CODE + 0x20000 /* memory below is compared */ };
enum { NO_VECTOR = 0x100, LOST = 0x101 };

struct end {
	u32 r[8], ip, flags, vector;
	u16 seg[6];
};

static struct real {
	uc_engine *uc;
	uc_context *fresh; /* TCG remembers the last exception, for double faults */
	struct space mem, io;
	struct sched sched;
	struct event_log log;
	struct x86_model model;
	struct x86_code *code;
	struct x86_cpu cpu;
	u64 icount;
	u32 cr0, vector;
	u8 *ram; /* ours */
	u8 theirs[RAM] __attribute__((aligned(4096)));
	u8 initial[SEEN];
} x;

/* ---- start ---- */
static void hear_theirs(uc_engine *uc, uint32_t vector, void *arg)
{
	(void)arg;
	x.vector = vector;
	uc_emu_stop(uc);
}

static void hear_ours(void *arg, const struct event *e)
{
	(void)arg;
	if (x.vector == NO_VECTOR)
		x.vector = e->a & 0xff;
}

static bool start_theirs(void)
{
	uc_hook hook;

	if (uc_open(UC_ARCH_X86, UC_MODE_16, &x.uc) != UC_ERR_OK)
		return false;
	return uc_ctl_set_cpu_model(x.uc, UC_CPU_X86_HASWELL) == UC_ERR_OK && uc_mem_map_ptr(x.uc, 0, RAM, UC_PROT_ALL, x.theirs) == UC_ERR_OK &&
	       uc_hook_add(x.uc, &hook, UC_HOOK_INTR, (void *)hear_theirs, NULL, 1, 0) == UC_ERR_OK && uc_reg_read(x.uc, UC_X86_REG_CR0, &x.cr0) == UC_ERR_OK &&
	       uc_context_alloc(x.uc, &x.fresh) == UC_ERR_OK && uc_context_save(x.uc, x.fresh) == UC_ERR_OK;
}

static bool start_ours(void)
{
	static struct x86_board board;
	struct error err;

	if (!space_init(&x.mem, "memory", 52, &err) || !space_init(&x.io, "ports", 16, &err) || !space_add_ram(&x.mem, "ram", 0, RAM, false, &err) ||
	    !x86_model_parse(&x.model, "max", &err))
		return false;
	sched_init(&x.sched);
	x.log = (struct event_log){.mask = BIT(EV_EXCEPTION) | BIT(EV_INTERRUPT), .sink = hear_ours};
	x.code = x86_code_new(&x.mem);
	x86_init(&x.cpu, 0, &x.model, &x.mem, &x.io, &x.sched, x.code, &x.log, &board, &x.icount);
	x86_reset(&x.cpu, false);
	x.ram = space_host(&x.mem, 0, true);
	return true;
}

/* HLT everywhere, random data where operands are; the interrupt vectors lead to a HLT. */
static void fill(void)
{
	struct rng g = {777};

	memset(x.theirs, 0xf4, RAM);
	for (unsigned i = 0; i < REAL_DATA_SIZE; i += 8)
		store_le(x.theirs + REAL_DATA + i, 8, i / 8 % 64 >= 48 ? 0 : rnd_value(&g));
	for (unsigned v = 0; v < 256; v++)
		store_le(x.theirs + v * 4, 4, 0x50000000);
	memcpy(x.initial, x.theirs, SEEN);
	memcpy(x.ram, x.theirs, RAM);
}

static bool start(void)
{
	static int state;

	if (!state) {
		state = start_theirs() && start_ours() ? 1 : -1;
		if (state > 0)
			fill();
	}
	return state > 0;
}

/* ---- theirs ---- */
static const int uc_regs[8] = {UC_X86_REG_EAX, UC_X86_REG_ECX, UC_X86_REG_EDX, UC_X86_REG_EBX, UC_X86_REG_ESP, UC_X86_REG_EBP, UC_X86_REG_ESI, UC_X86_REG_EDI};
static const int uc_segs[6] = {UC_X86_REG_ES, UC_X86_REG_CS, UC_X86_REG_SS, UC_X86_REG_DS, UC_X86_REG_FS, UC_X86_REG_GS};

static const u16 *segments(const struct ocase *c, u16 s[6])
{
	s[0] = c->in.es, s[1] = c->in.cs, s[2] = c->in.ss, s[3] = c->in.ds, s[4] = c->in.fs, s[5] = c->in.gs;
	return s;
}

static void run_theirs(const struct ocase *c, struct end *e)
{
	uc_x86_mmr table = {.base = 0x1234, .limit = 0x3ff};
	u16 s[6];
	u32 flags = (u32)c->in.flags;
	uc_err err;

	segments(c, s);
	uc_context_restore(x.uc, x.fresh);
	for (unsigned i = 0; i < 8; i++) {
		u32 v = (u32)c->in.r[i];

		uc_reg_write(x.uc, uc_regs[i], &v);
	}
	for (unsigned i = 0; i < 6; i++)
		uc_reg_write(x.uc, uc_segs[i], &s[i]);
	uc_reg_write(x.uc, UC_X86_REG_EFLAGS, &flags);
	uc_reg_write(x.uc, UC_X86_REG_GDTR, &table);
	table.base = 0;
	uc_reg_write(x.uc, UC_X86_REG_IDTR, &table);
	uc_reg_write(x.uc, UC_X86_REG_CR0, &x.cr0);
	x.vector = NO_VECTOR;
	err = uc_emu_start(x.uc, c->at, ~0ull, 0, 4000);
	for (unsigned i = 0; i < 8; i++)
		uc_reg_read(x.uc, uc_regs[i], &e->r[i]);
	for (unsigned i = 0; i < 6; i++)
		uc_reg_read(x.uc, uc_segs[i], &e->seg[i]);
	uc_reg_read(x.uc, UC_X86_REG_EIP, &e->ip);
	uc_reg_read(x.uc, UC_X86_REG_EFLAGS, &e->flags);
	e->vector = err == UC_ERR_INSN_INVALID ? VEC_UD : x.vector != NO_VECTOR ? x.vector : err == UC_ERR_OK ? NO_VECTOR : LOST;
}

/* ---- ours ---- */
static void run_ours(const struct ocase *c, struct end *e)
{
	struct x86_cpu *p = &x.cpu;
	u16 s[6];

	segments(c, s);
	p->cr0 = x.cr0;
	p->cr4 = p->efer = 0;
	p->cpl = 0;
	for (unsigned i = 0; i < 6; i++)
		p->seg[i] = (struct x86_seg){s[i], i == SEG_CS ? 0x9b : 0x93, 0xffff, s[i] * 16u};
	for (unsigned i = 0; i < 8; i++)
		p->r[i] = (u32)c->in.r[i];
	p->gdt = (struct x86_dt){.base = 0x1234, .limit = 0x3ff};
	p->idt = (struct x86_dt){.base = 0, .limit = 0x3ff};
	p->rip = c->in.rip;
	p->flags = FLAG_1;
	p->pending = p->shadow = p->shadow_nmi = 0;
	p->activity = ACT_RUN;
	p->exc_raised = p->stop = false;
	p->faults = 0;
	x86_state_changed(p);
	x86_set_flags(p, c->in.flags, ~0ull);
	x.vector = NO_VECTOR;
	for (unsigned i = 0; i < 4000 && x.vector == NO_VECTOR; i++)
		if (x86_run(p, 1) != X86_STOP_BUDGET)
			break;
	for (unsigned i = 0; i < 8; i++)
		e->r[i] = (u32)p->r[i];
	for (unsigned i = 0; i < 6; i++)
		e->seg[i] = p->seg[i].sel;
	e->ip = (u32)p->rip;
	e->flags = (u32)x86_get_flags(p);
	e->vector = x.vector;
	if (e->vector == NO_VECTOR && p->activity != ACT_HALT)
		e->vector = LOST;
}

/* ---- one case ---- */
static void load(const struct ocase *c)
{
	for (unsigned i = 0; i < c->npoke; i++)
		for (unsigned k = 0; k < 8; k++)
			if (c->poke[i].addr + k - REAL_DATA < REAL_DATA_SIZE)
				x.ram[c->poke[i].addr + k] = x.theirs[c->poke[i].addr + k] = (u8)(c->poke[i].val >> (8 * k));
	space_write_bytes(&x.mem, c->at, c->code, c->ncode);
	uc_mem_write(x.uc, c->at, c->code, c->ncode);
	uc_ctl_remove_cache(x.uc, (u64)REAL_CODE, (u64)REAL_CODE + REAL_CODE_SIZE);
}

static void unload(const struct ocase *c)
{
	u8 hlt[CASE_CODE];

	memset(hlt, 0xf4, sizeof hlt);
	space_write_bytes(&x.mem, c->at, hlt, c->ncode);
	uc_mem_write(x.uc, c->at, hlt, c->ncode);
	if (memcmp(x.ram, x.initial, SEEN))
		space_write_bytes(&x.mem, 0, x.initial, SEEN);
	if (memcmp(x.theirs, x.initial, SEEN))
		memcpy(x.theirs, x.initial, SEEN);
}

struct difference {
	const struct ocase *c;
	const struct end *theirs, *ours;
	const char *fn;
	struct parsed p;
};

static bool is(const struct difference *d, const char *fn) { return !strcmp(d->fn, fn); }
static bool limit(const struct difference *d) { return d->ours->vector == VEC_GP || d->ours->vector == VEC_SS; }
static bool lock(const struct difference *d) { return d->p.lock && d->ours->vector == VEC_UD; }
static bool lock_neg(const struct difference *d) { return d->p.lock && is(d, "neg"); }
static bool int1(const struct difference *d) { return is(d, "int1") && d->ours->vector == VEC_DB && d->theirs->vector == VEC_UD; }
static bool smsw(const struct difference *d) { return is(d, "smsw") && !d->p.mem && d->p.osize == 4; }
static bool test1(const struct difference *d)
{
	return d->p.map == M1 && (d->p.opcode & 0xfe) == 0xf6 && (d->p.modrm >> 3 & 7) == 1 && d->theirs->vector == VEC_UD;
}
static bool hint(const struct difference *d) { return d->p.map == M0F && d->p.opcode == 0x18 && d->theirs->vector == VEC_UD; }
static bool enter(const struct difference *d) { return is(d, "enter") && d->p.osize == 4; }
static bool trace(const struct difference *d) { return (is(d, "popf") || is(d, "iret")) && d->ours->vector == VEC_DB; }
static bool table(const struct difference *d)
{
	const u16 seg[] = {d->c->in.es, d->c->in.cs, d->c->in.ss, d->c->in.ds, d->c->in.fs, d->c->in.gs};
	bool end = false;

	for (unsigned i = 0; i < ARRAY_SIZE(seg); i++)
		end |= d->c->ea - seg[i] * 16u - 0xfffbu < 5;
	return end && (is(d, "sgdt") || is(d, "sidt") || is(d, "lgdt") || is(d, "lidt"));
}

static bool (*const predicates[])(const struct difference *) = {
#define REAL(id, pred, text, section) pred,
#include "real.def"
#undef REAL
};

static bool tell(struct text *t, const char *name, u32 theirs, u32 ours, u32 mask)
{
	if (!((theirs ^ ours) & mask))
		return true;
	text_printf(t, " %s Unicorn=%x ours=%x", name, theirs & mask, ours & mask);
	return false;
}

static bool same(const struct ocase *c, const struct end *a, const struct end *b, const u8 *has, struct text *t)
{
	static const char *const names[] = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"}, *const segs[] = {"es", "cs", "ss", "ds", "fs", "gs"};
	const struct row *r = &rows[c->row[0]];
	struct parsed p;
	u32 flags = FLAGS_ARITH | FLAG_DF | FLAG_IF | FLAG_TF | FLAG_NT | 0x3000;
	bool ok = tell(t, "vector", a->vector, b->vector, ~0u), result = true;

	if (a->vector != NO_VECTOR || !ok)
		return ok; /* TCG's frame is not pushed: Unicorn stops before */
	if (row_parse(c->code, c->ncode, 16, has, &p)) {
		flags &= ~row_undefined(r, &p, &c->in, c->code[c->ncode - 1]);
		result = !row_undefined_result(r, &p, &c->in, c->code[c->ncode - 1]);
	}
	for (unsigned i = 0; i < 8 && result; i++)
		ok &= tell(t, names[i], a->r[i], b->r[i], ~0u);
	for (unsigned i = 0; i < 6; i++)
		ok &= tell(t, segs[i], a->seg[i], b->seg[i], 0xffff);
	ok &= tell(t, "ip", a->ip, b->ip, 0xffff);
	ok &= tell(t, "flags", a->flags, b->flags, flags);
	for (unsigned i = 0; i < SEEN && result; i++)
		if (x.ram[i] != x.theirs[i]) {
			text_printf(t, " [%x] Unicorn=%02x ours=%02x", i, x.theirs[i], x.ram[i]);
			return false;
		}
	return ok;
}

static void report(const struct ocase *c, const char *why)
{
	printf("FAIL %s in real mode:%s\n  at=%llx code=", rows[c->row[0]].insn->name, why, (unsigned long long)c->at);
	for (unsigned i = 0; i < c->ncode; i++)
		printf("%02x", c->code[i]);
	for (unsigned i = 0; i < 8; i++)
		printf(" %llx", (unsigned long long)c->in.r[i]);
	printf(" es %x cs %x ss %x ds %x flags %llx\n", c->in.es, c->in.cs, c->in.ss, c->in.ds, (unsigned long long)c->in.flags);
	fflush(stdout); /* Unicorn may end the process */
}

static void one(struct tally *t, const struct ocase *c, const u8 *has, unsigned show)
{
	struct row_count *n = &t->unicorn[c->row[0]];
	struct end theirs, ours;
	struct difference d = {.c = c, .theirs = &theirs, .ours = &ours, .fn = rows[c->row[0]].fn};
	char why[512];
	struct text text;
	bool good;

	text_init_buffer(&text, why, sizeof why);
	load(c);
	run_theirs(c, &theirs);
	run_ours(c, &ours);
	good = same(c, &theirs, &ours, has, &text);
	row_parse(c->code, c->ncode, 16, has, &d.p);
	unload(c);
	if (good) {
		n->passed++;
		return;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(predicates); i++)
		if (predicates[i](&d)) {
			t->known[i]++;
			n->skipped++;
			return;
		}
	if (theirs.vector == LOST || ours.vector == LOST) {
		n->skipped++;
		return;
	}
	t->failed++;
	if (n->failed++ < show)
		report(c, why);
}

/* From case first on, in this process. */
static void run_from(struct tally *t, u64 first, u64 step, u64 n, u64 seed, const char *only, unsigned show)
{
	static u8 has[X86_F_COUNT];
	static struct ocase c;

	memcpy(has, x.model.has, sizeof has);
	for (u64 i = first; i < n; i += step) {
		struct rng g = {seed * 0x9e3779b97f4a7c15ull + i};
		unsigned id;

		do
			id = rnd_n(&g, X86_IDS);
		while (!real_wants(id) || (only && !strcasestr(rows[id].insn->name, only)));
		t->real_next = i + step;
		gen_real(&c, id, rnd(&g), has);
		one(t, &c, has, show);
	}
}

/* In a process of its own: Unicorn ends it when TCG is at its wits' end. */
bool real_run(struct tally *t, u64 first, u64 step, u64 n, u64 seed, const char *only, unsigned show)
{
	struct tally *shared = mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 1;

	if (shared == MAP_FAILED)
		return false;
	*shared = (struct tally){.real_next = first};
	while (shared->real_next < n && status) {
		pid_t pid;

		fflush(stdout);
		pid = fork();
		if (!pid) {
			if (!freopen("/dev/null", "w", stderr) || !start()) /* TCG's last words */
				_exit(100);
			run_from(shared, shared->real_next, step, n, seed, only, show);
			fflush(stdout);
			_exit(0);
		}
		if (pid < 0 || waitpid(pid, &status, 0) < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 100))
			break;
		shared->real_died += status != 0;
	}
	first = shared->real_next;
	tally_add(t, shared);
	munmap(shared, sizeof *t);
	return first >= n;
}
#else
bool real_run(struct tally *t, u64 first, u64 step, u64 n, u64 seed, const char *only, unsigned show)
{
	(void)t, (void)first, (void)step, (void)n, (void)seed, (void)only, (void)show;
	return false;
}
#endif
