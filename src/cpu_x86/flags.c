/* rFLAGS as a whole: reading, writing with the consequences of each bit, and PUSHF, POPF, CLI, STI. APM1 3.1.4,
 * APM2 3.1.6, 8.10. */
#include "cpu_x86/flags.h"
#include "cpu_x86/seg.h"

u64 x86_get_flags(const struct x86_cpu *c) { return (c->flags & ~(u32)FLAGS_ARITH) | flags_arith_get(c) | FLAG_1; }

static NOINLINE void flags_consequences(struct x86_cpu *c, u32 changed)
{
	if (changed & FLAG_VM)
		x86_mode_changed(c);
	else if (changed & FLAG_AC)
		x86_set_cpl(c, c->cpl); /* SMAP */
	if (changed & FLAG_TF)
		x86_debug_changed(c);
}

void x86_set_flags(struct x86_cpu *c, u64 val, u64 mask)
{
	u32 m = (u32)mask & ~(u32)FLAGS_ARITH, old = c->flags, changed;

	if ((mask & FLAGS_ARITH) == FLAGS_ARITH)
		flags_arith_set(c, (u32)val);
	else if (mask & FLAGS_ARITH)
		flags_arith_set(c, (flags_arith_get(c) & ~(u32)mask) | ((u32)val & (u32)mask));
	c->flags = (old & ~m) | ((u32)val & m);
	changed = old ^ c->flags;
	if (unlikely(changed & (FLAG_VM | FLAG_AC | FLAG_TF)))
		flags_consequences(c, changed);
	if (changed & c->flags & FLAG_IF && c->pending & (PEND_INTR | PEND_VIRQ))
		x86_pend(c, c->pending & (PEND_INTR | PEND_VIRQ));
}

static bool v86_below_iopl3(const struct x86_cpu *c)
{
	return c->mode & MODE_VM && (c->flags & FLAG_IOPL) != FLAG_IOPL;
}

/* The 16-bit forms work on VIF with VME; everything else at IOPL < 3 belongs to the monitor. APM3 PUSHF */
static void check_v86(struct x86_cpu *c, unsigned size)
{
	if (!(c->cr4 & CR4_VME) || size != 2)
		x86_gp(c, 0, RULE_V86_IOPL);
}

void x86i_pushf(struct x86_cpu *c, const struct x86_op *o)
{
	u64 sp = c->r[R_SP], f;

	svm_check(c, &c->svm, ICPT_PUSHF); /* before any exception; APM2 15.9 */
	if (v86_below_iopl3(c)) {
		check_v86(c, op_size(o));
		f = vme_flags(c);
	} else {
		f = x86_get_flags(c) & ~(u64)(FLAG_VM | FLAG_RF);
	}
	x86_push_at(c, &sp, op_size(o), f);
	x86_commit_sp(c, sp);
}

void x86i_popf(struct x86_cpu *c, const struct x86_op *o)
{
	u64 sp = c->r[R_SP], f, m = FLAGS_ARITH | FLAG_TF | FLAG_DF | FLAG_NT | FLAG_AC | FLAG_ID;

	svm_check(c, &c->svm, ICPT_POPF); /* before any exception; APM2 15.9 */
	if (v86_below_iopl3(c)) {
		check_v86(c, op_size(o));
		f = x86_pop_at(c, &sp, 2);
		vme_check_flags(c, (u32)f);
		x86_commit_sp(c, sp);
		vme_set_flags(c, (u32)f);
		return;
	}
	f = x86_pop_at(c, &sp, op_size(o));
	x86_commit_sp(c, sp);
	if (c->cpl == 0)
		m |= FLAG_IOPL;
	if (c->cpl <= (c->flags & FLAG_IOPL) >> 12)
		m |= FLAG_IF;
	x86_set_flags(c, f & ~(u64)FLAG_RF, (m & mask_low(8 * op_size(o))) | FLAG_RF);
}

/* Which flag CLI and STI act on: IF, or VIF with VME or PVI, or neither. APM3 CLI, STI */
static u32 interrupt_flag(struct x86_cpu *c)
{
	if (c->cpl <= (c->flags & FLAG_IOPL) >> 12)
		return FLAG_IF;
	if (c->mode & MODE_VM ? !(c->cr4 & CR4_VME) : !(c->cr4 & CR4_PVI) || c->cpl != 3)
		x86_gp(c, 0, RULE_CLI_IOPL);
	return FLAG_VIF;
}

void x86i_cli(struct x86_cpu *c, const struct x86_op *o)
{
	(void)o;
	c->flags &= ~interrupt_flag(c);
}

void x86i_sti(struct x86_cpu *c, const struct x86_op *o)
{
	u32 f = interrupt_flag(c);

	(void)o;
	if (f == FLAG_VIF && c->flags & FLAG_VIP)
		x86_gp(c, 0, RULE_VIF_VIP);
	if (f == FLAG_IF && !(c->flags & FLAG_IF)) { /* interrupts wait for one more instruction; APM3 STI */
		c->shadow = 1;
		c->pending |= PEND_SHADOW;
	}
	x86_set_flags(c, f, f);
}
