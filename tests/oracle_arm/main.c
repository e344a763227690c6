/*
 * The ARM oracle: random instructions on Unicorn (QEMU's ARM926 translator as a library) and on ours; registers, flags and memory must be the same.
 * Memory is flat, the mode User or SVC. Each row of arm_insn.def has its cases; then come sequences, as one block and step by step.
 *
 *   oracle-arm [--seconds N] [--cases N] [--seed N] [--rows]
 *
 * The last line counts rows: passed, failed, skipped. --rows lists what was compared of each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unicorn/unicorn.h>

#include "cpu_arm/system.h"
#include "gen.h"

#define RAM_SIZE 0x80000

static struct arm_cpu cpu;
static struct space mem;
static struct sched sched;
static struct event_log events;
static u64 icount;
static u8 *ours;

static uc_engine *uc;
static uc_context *start_of[2]; /* SVC, User */
static struct arm_state state_of[2];
static u8 theirs[RAM_SIZE] __attribute__((aligned(4096)));

static unsigned shown, row_cases[ARM_IDS + 1], row_bad[ARM_IDS + 1];

struct outcome {
	u32 r[16], cpsr, s[32], fpscr;
	enum { RAN, UNDEFINED, DATA_ABORT, ELSE } end;
};

static const int uc_regs[16] = {UC_ARM_REG_R0, UC_ARM_REG_R1, UC_ARM_REG_R2,  UC_ARM_REG_R3,  UC_ARM_REG_R4,  UC_ARM_REG_R5, UC_ARM_REG_R6, UC_ARM_REG_R7,
                                UC_ARM_REG_R8, UC_ARM_REG_R9, UC_ARM_REG_R10, UC_ARM_REG_R11, UC_ARM_REG_R12, UC_ARM_REG_SP, UC_ARM_REG_LR, UC_ARM_REG_PC};

static void die(const char *what)
{
	fprintf(stderr, "oracle-arm: %s\n", what);
	exit(2);
}

/* ---- both machines ---- */

/* All banks get values of their own: MSR CPSR_c, MOV sp, MOV lr for each mode; then SVC, and after one more MSR User mode. */
static unsigned bank_program(u32 *w)
{
	static const u8 modes[] = {MODE_FIQ, MODE_IRQ, MODE_ABT, MODE_UND, MODE_SYS, MODE_SVC};
	unsigned n = 0;

	w[n++] = 0xe3a00101; /* mov r0, #FPEXC.EN */
	w[n++] = 0xeee80a10; /* fmxr fpexc, r0 */
	for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
		w[n++] = 0xe321f0c0 | modes[i];
		w[n++] = 0xe3a0d010 + i;
		w[n++] = 0xe3a0e020 + i;
	}
	w[n] = 0xe321f0d0;
	return n;
}

static void make_ours(const u32 *w, unsigned n)
{
	struct error e;

	sched_init(&sched);
	if (!space_init(&mem, "memory", 32, &e) || !space_add_ram(&mem, "ram", 0, RAM_SIZE, false, &e) || !arm_init(&cpu, &mem, &sched, &events, &icount))
		die("out of memory");
	cpu.has_vfp = true;
	arm_set_hot(&cpu, 2);
	arm_reset(&cpu);
	ours = space_host(&mem, 0, true);
	space_write_bytes(&mem, CODE, w, (n + 1) * 4);
	cpu.s.r[15] = CODE;
	arm_run(&cpu, n);
	state_of[0] = cpu.s;
	arm_run(&cpu, 1);
	state_of[1] = cpu.s;
}

static void make_theirs(const u32 *w, unsigned n)
{
	if (uc_open(UC_ARCH_ARM, UC_MODE_ARM | UC_MODE_ARM926, &uc) || uc_mem_map_ptr(uc, 0, RAM_SIZE, UC_PROT_ALL, theirs))
		die("Unicorn does not start");
	memcpy(theirs + CODE, w, (n + 1) * 4);
	if (uc_emu_start(uc, CODE, CODE + n * 4, 0, 0) || uc_context_alloc(uc, &start_of[0]) || uc_context_save(uc, start_of[0]))
		die("Unicorn: banks");
	if (uc_emu_start(uc, CODE + n * 4, CODE + n * 4 + 4, 0, 0) || uc_context_alloc(uc, &start_of[1]) || uc_context_save(uc, start_of[1]))
		die("Unicorn: User mode");
}

/* ---- one case ---- */

static unsigned code_bytes(const struct arm_case *k) { return k->n * (k->thumb ? 2 : 4); }

/* The code and a branch to itself behind it. */
static void code_image(const struct arm_case *k, u8 *to)
{
	for (unsigned i = 0; i < k->n; i++)
		store_le(to + i * (k->thumb ? 2 : 4), k->thumb ? 2 : 4, k->code[i]);
	store_le(to + code_bytes(k), 4, k->thumb ? 0xe7fee7fe : 0xeafffffe);
}

/* budget: n, or one more for the branch behind the code, which changes nothing; step: one at a time. */
static void run_ours(const struct arm_case *k, u64 budget, bool step, struct outcome *out)
{
	u8 image[CASE_INSNS * 4 + 4];

	cpu.s = state_of[k->user];
	memcpy(cpu.s.r, k->r, sizeof k->r);
	cpu.s.r[15] = CODE;
	memcpy(cpu.s.vfp.s, k->s, sizeof k->s);
	cpu.s.vfp.fpscr = k->fpscr;
	cpu.s.cpsr = (cpu.s.cpsr & ~(PSR_NZCV | PSR_Q)) | k->flags | (k->thumb ? PSR_T : 0);
	arm_mode_changed(&cpu);
	code_image(k, image);
	if (memcmp(ours + CODE, image, code_bytes(k) + 4)) /* blocks stay, and become hot */
		space_write_bytes(&mem, CODE, image, code_bytes(k) + 4);
	memcpy(ours + DATA, k->memory, SPAN);
	for (u64 i = 0; i < (step ? budget : 1); i++)
		if (arm_run(&cpu, step ? 1 : budget) == ARM_STOP_UNIMPLEMENTED)
			die(cpu.stop_text);
	memcpy(out->r, cpu.s.r, sizeof out->r);
	memcpy(out->s, cpu.s.vfp.s, sizeof out->s);
	out->fpscr = cpu.s.vfp.fpscr;
	out->cpsr = cpu.s.cpsr;
	out->end = (cpu.s.cpsr & PSR_MODE) == MODE_UND && cpu.s.r[15] <= 8 ? UNDEFINED : (cpu.s.cpsr & PSR_MODE) == MODE_ABT && cpu.s.r[15] <= 0x14 ? DATA_ABORT : RAN;
}

static bool is_call(const struct arm_case *k) { return k->id >= ARM_ID_T_BLX_SUFFIX && k->id <= ARM_ID_T_BL_SUFFIX; }

static void run_theirs(const struct arm_case *k, struct outcome *out)
{
	u32 cpsr;
	uc_err e;

	uc_context_restore(uc, start_of[k->user]);
	for (unsigned i = 0; i < 15; i++)
		uc_reg_write(uc, uc_regs[i], &k->r[i]);
	for (unsigned i = 0; i < 32; i++)
		uc_reg_write(uc, UC_ARM_REG_S0 + (int)i, &k->s[i]);
	uc_reg_write(uc, UC_ARM_REG_FPSCR, &k->fpscr);
	uc_reg_read(uc, UC_ARM_REG_CPSR, &cpsr);
	cpsr = (cpsr & ~(PSR_NZCV | PSR_Q | 0x100)) | /* bit 8: later architectures */
	        k->flags | (k->thumb ? PSR_T : 0);
	uc_reg_write(uc, UC_ARM_REG_CPSR, &cpsr);
	code_image(k, theirs + CODE);
	uc_ctl_remove_cache(uc, CODE, CODE + 128);
	memcpy(theirs + DATA, k->memory, SPAN);
	e = uc_emu_start(uc, CODE | k->thumb, CODE + code_bytes(k), 0, is_call(k) ? 1 : k->n); /* a call of two halves counts once there */
	for (unsigned i = 0; i < 16; i++)
		uc_reg_read(uc, uc_regs[i], &out->r[i]);
	for (unsigned i = 0; i < 32; i++)
		uc_reg_read(uc, UC_ARM_REG_S0 + (int)i, &out->s[i]);
	uc_reg_read(uc, UC_ARM_REG_FPSCR, &out->fpscr);
	uc_reg_read(uc, UC_ARM_REG_CPSR, &out->cpsr);
	switch (e) {
	case UC_ERR_OK:
	case UC_ERR_FETCH_UNMAPPED:
	case UC_ERR_FETCH_PROT: out->end = RAN; break;
	case UC_ERR_INSN_INVALID: out->end = UNDEFINED; break;
	case UC_ERR_READ_UNMAPPED:
	case UC_ERR_WRITE_UNMAPPED: out->end = DATA_ABORT; break;
	default: out->end = ELSE;
	}
}

/* An exception's registers are ours alone: Unicorn stops before it. */
static bool same(const struct outcome *a, const struct outcome *b)
{
	if (a->end != b->end)
		return false;
	if (a->end != RAN)
		return true;
	return !memcmp(a->r, b->r, sizeof a->r) && !memcmp(a->s, b->s, sizeof a->s) && a->fpscr == b->fpscr && !((a->cpsr ^ b->cpsr) & PSR_VALID & ~PSR_J) && !memcmp(ours + DATA, theirs + DATA, SPAN);
}

static void show(const struct arm_case *k, const char *how, const struct outcome *a, const struct outcome *b)
{
	printf("differs (%s, %s%s):", k->id < ARM_IDS ? arm_insns[k->id].name : "sequence", k->user ? "user, " : "", how);
	for (unsigned i = 0; i < k->n; i++)
		printf(k->thumb ? " %04x" : " %08x", k->code[i]);
	printf("\n   end: ours %d, theirs %d; cpsr %08x %08x, before %08x; fpscr before %08x\n", a->end, b->end, a->cpsr, b->cpsr, k->flags,
	       k->fpscr);
	for (unsigned i = 0; i < 16; i++)
		if (a->r[i] != b->r[i])
			printf("   r%u: %08x %08x, before %08x\n", i, a->r[i], b->r[i], i < 15 ? k->r[i] : CODE);
	for (unsigned i = 0; i < 32; i++)
		if (a->s[i] != b->s[i])
			printf("   s%u: %08x %08x, before %08x\n", i, a->s[i], b->s[i], k->s[i]);
	if (a->fpscr != b->fpscr)
		printf("   fpscr: %08x %08x, before %08x\n", a->fpscr, b->fpscr, k->fpscr);
	for (unsigned i = 0; i < SPAN; i += 4)
		if (load_le(ours + DATA + i, 4) != load_le(theirs + DATA + i, 4))
			printf("   %05x: %08x %08x\n", DATA + i, (u32)load_le(ours + DATA + i, 4), (u32)load_le(theirs + DATA + i, 4));
}

static bool compare(const struct arm_case *k, const char *how, const struct outcome *a, const struct outcome *b)
{
	if (same(a, b))
		return true;
	if (shown++ < 12)
		show(k, how, a, b);
	return false;
}

static bool ends_with_branch(const struct arm_case *k)
{
	u32 w = k->code[k->n - 1];

	return k->thumb ? w >> 12 == 0xd : (w & 0x0f000000) == 0x0a000000;
}

static void try_case(const struct arm_case *k)
{
	struct outcome a, b;
	bool good;

	run_theirs(k, &b);
	run_ours(k, k->n, true, &a);
	good = compare(k, "by steps", &a, &b);
	if (good && k->n > 1 && a.end == RAN) {
		u64 budget = k->n + (k->id == ARM_IDS && !ends_with_branch(k));

		run_ours(k, budget, false, &a);
		good = compare(k, "as a block", &a, &b);
		for (unsigned i = 0; good && i < 2; i++) { /* the second one is host code */
			run_ours(k, budget, false, &a);
			good = compare(k, "as host code", &a, &b);
		}
	}
	row_cases[k->id]++;
	row_bad[k->id] += !good;
}

/* ---- all of them ---- */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static u64 run_all(struct rng *g, double seconds, u64 cases)
{
	double end = now() + seconds;
	struct arm_case k;
	u64 n = 0;

	for (u64 round = 0; cases ? n < cases : now() < end; round++) {
		for (enum arm_id id = 0; id < ARM_IDS; id++) {
			unsigned tries = gen_excuse(id) ? 0 : 64;

			while (tries && !gen_row(g, id, &k))
				tries--;
			if (!tries)
				continue;
			try_case(&k);
			n++;
		}
		for (unsigned i = 0; i < 64; i++, n++) {
			gen_mix(g, i & 1, &k);
			try_case(&k);
		}
	}
	return n;
}

static int report(u64 n, double took, bool rows)
{
	unsigned passed = 0, failed = 0, skipped = 0;

	for (enum arm_id id = 0; id <= ARM_IDS; id++) {
		const char *name = id < ARM_IDS ? arm_insns[id].name : "sequences", *why = id < ARM_IDS ? gen_excuse(id) : NULL;

		if (rows)
			printf("%-16s %8u cases%s%s\n", name, row_cases[id], why ? "; see " : "", why ? why : "");
		if (why)
			continue;
		if (!row_cases[id])
			printf("no case: %s\n", name);
		passed += row_cases[id] && !row_bad[id];
		skipped += !row_cases[id];
		failed += row_bad[id] != 0;
	}
	printf("%llu cases, %.0f cases/s\n", (unsigned long long)n, (double)n / took);
	printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	return failed != 0;
}

int main(int argc, char **argv)
{
	struct rng g = {0x9e3779b97f4a7c15ull};
	double seconds = 5, begin = now();
	u64 cases = 0, n;
	bool rows = false;
	u32 w[32];

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--rows"))
			rows = true;
		else if (i + 1 < argc && !strcmp(argv[i], "--seconds"))
			seconds = atof(argv[++i]);
		else if (i + 1 < argc && !strcmp(argv[i], "--cases"))
			cases = strtoull(argv[++i], NULL, 0);
		else if (i + 1 < argc && !strcmp(argv[i], "--seed"))
			g.s ^= strtoull(argv[++i], NULL, 0) * 0xbf58476d1ce4e5b9ull;
		else
			die("usage: oracle-arm [--seconds N] [--cases N] [--seed N] [--rows]");
	}
	n = bank_program(w);
	make_ours(w, (unsigned)n);
	make_theirs(w, (unsigned)n);
	n = run_all(&g, seconds, cases);
	return report(n, now() - begin, rows);
}
