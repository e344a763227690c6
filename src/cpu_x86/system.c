/*
 * System instructions that belong to no larger family: caches, halting and MONITOR/MWAIT, random numbers, FS and GS
 * bases, EFLAGS.AC, fences. Caches are not modelled: their instructions check and intercept, and have nothing more to
 * do. APM3, APM2 7.6 (caches), 15.9 (intercepts).
 */
#include "cpu_x86/block.h"
#include "cpu_x86/system.h"
#include "cpu_x86/flags.h"

static void need_cpl0(struct x86_cpu *c)
{
	if (c->cpl)
		x86_gp(c, 0, RULE_GP_CPL);
}

/* Translate va for a read without reading: devices stay undisturbed. Raises what a read would raise. */
static u64 touch(struct x86_cpu *c, u64 va)
{
	unsigned acc = ACC_READ | (c->cpl == 3 ? ACC_USER : 0) | (c->flags & FLAG_AC ? ACC_AC : 0);
	struct tlb_hit hit;
	struct walk w;

	if (likely(tlb_translate(&c->tlb, va, acc, &hit, &w)))
		return hit.pa;
	x86_load(c, va, 1); /* raises the fault */
	return 0;
}

/* ---- halting ---- */

void x86i_hlt(struct x86_cpu *c, const struct x86_op *o)
{
	(void)o;
	need_cpl0(c);
	svm_check(c, &c->svm, ICPT_HLT);
	c->activity = ACT_HALT;
}

/* As long as on a Zen core, but no timer is late by it. With other CPUs at work it takes no longer than other instructions: what they
 * get done in the time would be less. */
#define PAUSE_NS 64

void x86i_pause(struct x86_cpu *c, const struct x86_op *o)
{
	u64 after, wait;

	(void)o;
	svm_check_pause(c); /* filter and threshold. APM2 15.14.4 */
	if (!c->sched->alone)
		return;
	x86_set_time(c); /* when this instruction began */
	after = c->sched->now + 1;
	wait = sched_next(c->sched) > after ? sched_next(c->sched) - after : 0;
	wait = wait < PAUSE_NS - 1 ? wait : PAUSE_NS - 1;
	c->budget -= (s64)wait;
	c->waited += wait;
}

/* The rAX operand of MONITOR and CLZERO: address size, segment override. */
static u64 rax_linear(struct x86_cpu *c, const struct x86_op *o, u64 align, unsigned size, bool write)
{
	static const u64 mask[4] = {0xffff, 0xffffffff, ~0ull, ~0ull};

	return x86_linear(c, op_seg(o), c->r[R_AX] & mask[op_asize(o)] & ~(align - 1), size, write);
}

static void monitor_allowed(struct x86_cpu *c)
{
	if (c->msr.hwcr & HWCR_MONDIS)
		x86_ud(c, RULE_UD_MONITOR_OFF);
	if (c->cpl && !(c->msr.hwcr & HWCR_MONUSER))
		x86_ud(c, RULE_UD_MONITOR_CPL);
}

void x86i_monitor(struct x86_cpu *c, const struct x86_op *o)
{
	u64 pa;

	monitor_allowed(c);
	if ((u32)c->r[R_CX]) /* no extensions. APM3 MONITOR */
		x86_gp(c, 0, RULE_GP_MONITOR_EXT);
	pa = touch(c, rax_linear(c, o, 1, 1, false));
	svm_check(c, &c->svm, ICPT_MONITOR); /* after all exceptions. APM2 15.9 */
	c->monitor_pa = pa & ~(u64)(MONITOR_LINE - 1);
	x86_code_mark(c->code, pa & PAGE_MASK, BIT((pa & ~PAGE_MASK) / MONITOR_LINE));
}

/* Waits until an interrupt, or a store to the line by somebody else; at once when nothing is armed. ECX[0]: interrupts
 * that EFLAGS.IF masks end the wait too. APM3 MWAIT */
void x86i_mwait(struct x86_cpu *c, const struct x86_op *o)
{
	u32 ext = (u32)c->r[R_CX];

	(void)o;
	monitor_allowed(c);
	if (ext & ~1u)
		x86_gp(c, 0, RULE_GP_MONITOR_EXT);
	if (c->monitor_pa != MONITOR_NONE)
		svm_check(c, &c->svm, ICPT_MWAIT_ARMED); /* before the unconditional one. APM2 15.9 */
	svm_check(c, &c->svm, ICPT_MWAIT);
	if (c->monitor_pa == MONITOR_NONE)
		return;
	c->monitor_pa |= ext;
	c->activity = ACT_MWAIT;
}

void x86_monitor_hit(struct x86_cpu *c, u64 pa, unsigned size)
{
	u64 line = c->monitor_pa & ~(u64)(MONITOR_LINE - 1);

	if (c->monitor_pa == MONITOR_NONE || pa + size <= line || pa >= line + MONITOR_LINE)
		return;
	c->monitor_pa = MONITOR_NONE;
	if (c->activity == ACT_MWAIT) {
		c->activity = ACT_RUN;
		c->sched->kick = true;
	}
}

/* ---- caches ---- */

void x86i_invd(struct x86_cpu *c, const struct x86_op *o)
{
	(void)o;
	need_cpl0(c);
	svm_check(c, &c->svm, ICPT_INVD);
}

void x86i_wbinvd(struct x86_cpu *c, const struct x86_op *o) /* WBNOINVD too */
{
	(void)o;
	need_cpl0(c);
	svm_check(c, &c->svm, ICPT_WBINVD);
}

/* Checked as a read of one byte. APM3 CLFLUSH */
void x86i_clflush(struct x86_cpu *c, const struct x86_op *o)
{
	touch(c, x86_linear(c, op_seg(o), x86_ea(c, o), 1, false));
}
void x86i_clflushopt(struct x86_cpu *c, const struct x86_op *o) { x86i_clflush(c, o); }
void x86i_clwb(struct x86_cpu *c, const struct x86_op *o) { x86i_clflush(c, o); }

void x86i_clzero(struct x86_cpu *c, const struct x86_op *o)
{
	u64 va = rax_linear(c, o, 64, 64, true);

	for (unsigned i = 0; i < 64; i += 8) /* one line, one page: the first store faults or none */
		x86_store(c, va + i, 8, 0);
}

void x86i_mcommit(struct x86_cpu *c, const struct x86_op *o)
{
	(void)o;
	if (!(c->efer & EFER_MCOMMIT))
		x86_ud(c, RULE_UD_MCOMMIT);
	svm_check(c, &c->svm, ICPT_MCOMMIT);
	flags_arith_set(c, flags_arith_get(c) & ~(u32)FLAG_CF); /* CF = 0: all stores are done. APM3 MCOMMIT */
}

/* One store after the other, as the program says: nothing to wait for. */
void x86i_mfence(struct x86_cpu *c, const struct x86_op *o) { (void)c, (void)o; }
void x86i_lfence(struct x86_cpu *c, const struct x86_op *o) { (void)c, (void)o; }
void x86i_sfence(struct x86_cpu *c, const struct x86_op *o) { (void)c, (void)o; }

/* ---- random numbers: the same in every run with the same inputs ---- */

/* SplitMix64; its state is saved with the MSRs. */
u64 x86_random(struct x86_cpu *c)
{
	u64 z = c->msr.extra[EXTRA_RANDOM] += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

void x86i_rdrand(struct x86_cpu *c, const struct x86_op *o)
{
	x86_reg_write(c, op_src(o), op_size(o), x86_random(c));
	flags_arith_set(c, FLAG_CF); /* always a number; the other flags are 0. APM3 RDRAND */
}
void x86i_rdseed(struct x86_cpu *c, const struct x86_op *o) { x86i_rdrand(c, o); }

/* ---- FS and GS bases; the rows are for 64-bit mode only. APM2 4.5.3 ---- */

static void fsgsbase_allowed(struct x86_cpu *c)
{
	if (!(c->cr4 & CR4_FSGSBASE))
		x86_ud(c, RULE_UD_FSGSBASE);
}
static void base_read(struct x86_cpu *c, const struct x86_op *o, unsigned seg)
{
	fsgsbase_allowed(c);
	x86_reg_write(c, op_src(o), op_size(o), c->seg[seg].base);
}
static void base_write(struct x86_cpu *c, const struct x86_op *o, unsigned seg)
{
	u64 v = x86_reg_read(c, op_src(o), op_size(o));

	fsgsbase_allowed(c);
	if (!x86_canonical(c, v))
		x86_gp(c, 0, RULE_GP_BASE_CANON);
	c->seg[seg].base = v;
	x86_seg_changed(c, seg);
}
void x86i_rdfsbase(struct x86_cpu *c, const struct x86_op *o) { base_read(c, o, SEG_FS); }
void x86i_rdgsbase(struct x86_cpu *c, const struct x86_op *o) { base_read(c, o, SEG_GS); }
void x86i_wrfsbase(struct x86_cpu *c, const struct x86_op *o) { base_write(c, o, SEG_FS); }
void x86i_wrgsbase(struct x86_cpu *c, const struct x86_op *o) { base_write(c, o, SEG_GS); }

/* ---- EFLAGS.AC ---- */

static void write_ac(struct x86_cpu *c, u64 val)
{
	if (c->cpl) /* APM3 CLAC */
		x86_ud(c, RULE_UD_SMAP_CPL);
	x86_set_flags(c, val, FLAG_AC);
}
void x86i_clac(struct x86_cpu *c, const struct x86_op *o)
{
	(void)o;
	write_ac(c, 0);
}
void x86i_stac(struct x86_cpu *c, const struct x86_op *o)
{
	(void)o;
	write_ac(c, FLAG_AC);
}
