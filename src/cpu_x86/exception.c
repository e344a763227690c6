/*
 * Exceptions and interrupts on their way to the IDT: status registers, intercepts, what a second fault during delivery
 * becomes
 * (#DF, shutdown), and what else happens when an event is taken (NMI mask, DR7.GD, branch records). The way through the
 * IDT itself is deliver.c's. APM2 ch. 8, 13.1, 15.7.3, 15.12.
 */
#include "base/cover.h"
#include "cpu_x86/seg.h"
#include "cpu_x86/system.h"

/* ---- the branch record. APM2 13.1.1.6 ---- */

static NOINLINE void record_event(struct x86_cpu *c, unsigned vector, u64 from, u64 to, bool icebp)
{
	if (vector == VEC_DB && !icebp) { /* recording stops, the records stay */
		c->msr.debugctl &= ~3ull;
		x86_debug_changed(c);
		return;
	}
	if (!(c->msr.debugctl & 1))
		return;
	if (vector != VEC_MC && !icebp) {
		c->msr.exc_from = c->msr.br_from;
		c->msr.exc_to = c->msr.br_to;
	}
	c->msr.br_from = from;
	c->msr.br_to = to;
}

/* ---- two faults in a row. APM2 8.2.9, table 8-3 ---- */

enum {
	CONTRIBUTORY =
		1 << VEC_DE | 1 << VEC_TS | 1 << VEC_NP | 1 << VEC_SS | 1 << VEC_GP | 1 << 30 /* #SX; APM2 15.28 */
};

static bool is_contributory(unsigned vector) { return vector < 32 && (u32)CONTRIBUTORY >> vector & 1; }
static bool makes_double_fault(unsigned first, unsigned second)
{
	if (first == VEC_PF)
		return second == VEC_PF || is_contributory(second);
	return is_contributory(first) && is_contributory(second);
}

static void remember_fault(struct x86_cpu *c, unsigned i, const struct x86_exception *x)
{
	c->first_fault[i] = *x;
	c->first_rip[i] = c->rip;
	c->faults = i + 1;
}

enum combined { AS_IT_IS, DOUBLE_FAULT, SHUTDOWN };

/* c->faults counts the chain: 0 nothing is being delivered, 1 the event in first_fault[0], 2 the #DF that
 * first_fault[1] made of it. */
static enum combined combine(struct x86_cpu *c, const struct x86_exception *x)
{
	if (c->faults >= 2) {
		remember_fault(c, 2, x);
		return SHUTDOWN;
	}
	if (c->faults == 1 && makes_double_fault(c->first_fault[0].vector, x->vector)) {
		remember_fault(c, 1, x);
		return DOUBLE_FAULT;
	}
	remember_fault(c, 0, x);
	if (x->vector == VEC_DF) /* injected: what follows is a shutdown */
		c->faults = 2;
	return AS_IT_IS;
}

/* APM2 8.2.9, 15.14.3 */
static void shut_down(struct x86_cpu *c)
{
	svm_check(c, &c->svm, ICPT_SHUTDOWN);
	c->activity = ACT_SHUTDOWN;
	if (event_on(c->log, EV_RESET))
		x86_log(c, EV_RESET, 3, 0, 0);
}

/* ---- taking an event ---- */

/* Between instructions, c->rip being the return address. */
static void take(struct x86_cpu *c, const struct delivery *d)
{
	u64 from = c->rip;

	if (unlikely(c->svm.guest))
		svm_begin_event(c, d->vector, d->type, d->has_error, d->error);
	c->rip = deliver_idt(c, d);
	c->faults = 0;
	if (unlikely(c->svm.guest))
		svm_end_event(c);
	if (unlikely(c->msr.debugctl & 3))
		record_event(c, d->type == 3 || d->type == 2 ? d->vector : 0, from, c->rip, false);
}

/* Faults push RF = 1, so that an instruction breakpoint does not fire twice; #DB's own handler sets it. APM2 13.1.3.1
 */
static bool is_fault(unsigned vector)
{
	return vector != VEC_DB && vector != VEC_NMI && vector != VEC_BP && vector != VEC_OF && vector != VEC_DF &&
	       vector != VEC_MC;
}

/* #DB shows in DR6 and clears DR7.GD, both before the intercept. APM2 13.1.1.4, 15.12.2 */
static void debug_status(struct x86_cpu *c, u64 dr6)
{
	c->dr[6] |= dr6;
	if (c->dr[7] & DR7_GD) {
		c->dr[7] &= ~DR7_GD;
		x86_debug_changed(c);
	}
}

static void log_exception(struct x86_cpu *c, const struct x86_exception *x)
{
	cover(COVER_RULE, x->rule);
	if (event_on(c->log, EV_EXCEPTION))
		x86_log(c, EV_EXCEPTION, x->vector | (u32)x->has_error << 8 | (u32)x->rule << 16, x->error, x->cr2);
}

/* INTn, INT3 and INTO injected by VMRUN: the gate's DPL counts, nothing else of an exception does. APM2 15.20 */
static void deliver_injected_soft(struct x86_cpu *c, const struct x86_exception *x)
{
	struct delivery d = {
		.vector = x->vector, .type = 4, .soft = true, .has_error = x->has_error, .error = x->error};

	d.rip = c->rip;
	c->faults = 0;
	take(c, &d);
}

void x86_deliver(struct x86_cpu *c, const struct x86_exception *e)
{
	struct x86_exception x = *e;
	struct delivery d;
	enum combined k;

	log_exception(c, &x);
	if (x.soft) {
		deliver_injected_soft(c, &x);
		return;
	}
	if (x.vector == VEC_DB)
		debug_status(c, x.cr2);
	if (unlikely(c->svm.guest))
		svm_check_exception(c, x.vector, x.error, x.cr2);
	if (x.vector == VEC_PF)
		c->cr2 = x.cr2;
	k = combine(c, &x);
	if (k == SHUTDOWN) {
		shut_down(c);
		return;
	}
	if (k == DOUBLE_FAULT) {
		x = (struct x86_exception){.vector = VEC_DF, .has_error = 1, .rule = RULE_DOUBLE_FAULT};
		log_exception(c, &x);
		if (unlikely(c->svm.guest))
			svm_check_exception(c, VEC_DF, 0, 0);
	}
	d = (struct delivery){.vector = x.vector, .type = 3, .has_error = x.has_error, .error = x.error, .rip = c->rip};
	d.rf = is_fault(x.vector);
	take(c, &d);
}

/* NMIs stay masked until IRET; a guest with virtual NMIs has its own mask. APM2 8.2.2, 15.21.10 */
static void mask_nmi(struct x86_cpu *c)
{
	enum { V_NMI_MASK = 1 << 12, V_NMI_ENABLE = 1 << 26 };

	if (c->svm.guest && c->svm.int_ctl & V_NMI_ENABLE)
		c->svm.int_ctl |= V_NMI_MASK;
	else
		c->nmi_masked = 1;
}

void x86_interrupt(struct x86_cpu *c, u8 vector, bool nmi)
{
	struct delivery d = {.vector = nmi ? VEC_NMI : vector, .type = nmi ? 2 : 0, .rip = c->rip};

	if (event_on(c->log, EV_INTERRUPT))
		x86_log(c, EV_INTERRUPT, d.vector | (nmi ? 2u << 8 : 0), 0, 0);
	if (nmi)
		mask_nmi(c);
	c->faults = 1;
	c->first_fault[0].vector = VEC_NMI; /* benign: a fault during delivery is delivered as itself; APM2 table 8-3 */
	take(c, &d);
}

/* ---- by instructions ---- */

static void deliver_soft(struct x86_cpu *c, unsigned vector, unsigned type, bool soft)
{
	struct delivery d = {.vector = (u8)vector, .type = (u8)type, .soft = soft, .rip = x86_next_rip(c)};
	u64 from = x86_rip(c), to;

	cover(COVER_RULE, RULE_SOFT_INT);
	c->tf_after = true; /* it clears TF before the trap would come. APM2 8.7.3, 13.1.4 */
	if (type == 4 && event_on(c->log, EV_INTERRUPT))
		x86_log(c, EV_INTERRUPT, vector | 1u << 8, 0, 0);
	else if (type == 3 && event_on(c->log, EV_EXCEPTION))
		x86_log(c, EV_EXCEPTION, vector | (u32)RULE_SOFT_INT << 16, 0, 0);
	if (unlikely(c->svm.guest))
		svm_begin_event(c, vector, type, false, 0);
	to = deliver_idt(c, &d);
	if (unlikely(c->svm.guest))
		svm_end_event(c);
	if (unlikely(c->msr.debugctl & 3))
		record_event(c, vector, from, to, type == 3 && !soft);
	x86_jump(c, to);
}

/* APM3 INT, APM2 15.8.2 */
void x86i_int_n(struct x86_cpu *c, const struct x86_op *o)
{
	u8 vector = (u8)op_imm(o);

	if (unlikely(c->svm.guest))
		svm_check_intn(c, vector);
	if (c->mode & MODE_VM && v86_redirect(c, vector)) {
		c->tf_after = true;
		return;
	}
	deliver_soft(c, vector, 4, true);
}

/* Virtual-8086 mode's IOPL does not matter to INT3, INTO and INT1. APM3 INT 3, INTO */
void x86i_int3(struct x86_cpu *c, const struct x86_op *o)
{
	(void)o;
	if (unlikely(c->svm.guest))
		svm_check_exception(c, VEC_BP, 0, 0);
	deliver_soft(c, VEC_BP, 3, true);
}

void x86i_into(struct x86_cpu *c, const struct x86_op *o)
{
	(void)o;
	if (!(x86_get_flags(c) & FLAG_OF))
		return;
	if (unlikely(c->svm.guest))
		svm_check_exception(c, VEC_OF, 0, 0);
	deliver_soft(c, VEC_OF, 3, true);
}

/* ICEBP: vector 1 without DR6 and without the #DB intercept. APM2 15.9, 15.12.2 */
void x86i_int1(struct x86_cpu *c, const struct x86_op *o)
{
	(void)o;
	svm_check(c, &c->svm, ICPT_ICEBP);
	deliver_soft(c, VEC_DB, 3, false);
}

/* APM3 BOUND */
void x86i_bound(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned size = op_size(o);
	u64 ea;
	s64 val, low, high;

	if (op_is_reg(o))
		x86_ud(c, RULE_UD_OPERAND);
	ea = x86_ea(c, o);
	low = sign_extend(x86_load_seg_off(c, op_seg(o), ea, size), 8 * size);
	high = sign_extend(x86_load_seg_off(c, op_seg(o), (ea + size) & mask_low(16u << op_asize(o)), size), 8 * size);
	val = sign_extend(x86_reg_read(c, op_dst(o), size), 8 * size);
	if (val >= low && val <= high)
		return;
	if (unlikely(c->svm.guest))
		svm_check_exception(c, VEC_BR, 0, 0); /* while nRIP is known */
	x86_raise(c, VEC_BR, -1, RULE_BR_BOUND);
}
