/*
 * Exceptions: entering and leaving, aborts with their status registers, interrupts. DDI0100 A2.6, B4.6 (aborts); DDI0198 3.5.
 */
#include "cpu_arm/flags.h"

/* Mode, what is masked. DDI0100 table A2-4 */
static const struct {
	u8 mode, mask;
} entry[] = {
        [ARM_RESET] = {MODE_SVC, PSR_I | PSR_F}, [ARM_UNDEFINED] = {MODE_UND, PSR_I},      [ARM_SVC] = {MODE_SVC, PSR_I},
        [ARM_PREFETCH_ABORT] = {MODE_ABT, PSR_I}, [ARM_DATA_ABORT] = {MODE_ABT, PSR_I}, [ARM_ADDRESS] = {MODE_ABT, PSR_I},
        [ARM_IRQ] = {MODE_IRQ, PSR_I},           [ARM_FIQ] = {MODE_FIQ, PSR_I | PSR_F},
};

void arm_enter(struct arm_cpu *c, enum arm_vector v, u32 lr)
{
	u32 old = arm_cpsr(c);

	if (unlikely(event_on(c->log, EV_EXCEPTION)) && v != ARM_IRQ && v != ARM_FIQ)
		arm_log(c, EV_EXCEPTION, v, v == ARM_PREFETCH_ABORT ? c->s.cp15.ifsr : c->s.cp15.dfsr, c->s.cp15.far);
	else if (unlikely(event_on(c->log, EV_INTERRUPT)) && (v == ARM_IRQ || v == ARM_FIQ))
		arm_log(c, EV_INTERRUPT, v, 0, 0);
	arm_switch_bank(c, entry[v].mode);
	c->s.spsr[arm_bank_of(entry[v].mode)] = old;
	c->s.r[14] = lr;
	c->s.cpsr = (c->s.cpsr & ~(u32)(PSR_MODE | PSR_T | PSR_J)) | entry[v].mode | entry[v].mask;
	c->new_pc = (c->s.cp15.control & CTL_V ? 0xffff0000u : 0) + 4u * v;
	arm_log_mode(c, old);
	arm_mode_changed(c);
}

void arm_i_undefined(struct arm_cpu *c, const struct arm_op *o) { arm_undefined(c, o); }

void arm_undefined(struct arm_cpu *c, const struct arm_op *o) { arm_enter(c, ARM_UNDEFINED, arm_pc(c) + op_len(o)); }

void arm_i_swi(struct arm_cpu *c, const struct arm_op *o)
{
	u32 number = o->flags & OP_THUMB ? op_aux(o) & 0xff : op_aux(o) & 0xffffff;

	if (unlikely(c->semihost != NULL) && number == (o->flags & OP_THUMB ? 0xab : 0x123456) && c->semihost(c->semihost_arg, c))
		return;
	arm_enter(c, ARM_SVC, arm_pc(c) + op_len(o));
}

/* Without a debugger: a prefetch abort; IFSR and FAR are not written. DDI0100 A4.1.7 */
void arm_i_bkpt(struct arm_cpu *c, const struct arm_op *o)
{
	(void)o;
	arm_enter(c, ARM_PREFETCH_ABORT, arm_pc(c) + 4);
}

/* ---- aborts ---- */

void arm_abort(struct arm_cpu *c, enum arm_vector v, const struct walk *w)
{
	if (v == ARM_PREFETCH_ABORT) {
		c->s.cp15.ifsr = w->error;
	} else {
		c->s.cp15.dfsr = w->error;
		c->s.cp15.far = (u32)w->va;
	}
	c->raised = (u8)v;
	arm_sync(c);
	longjmp(c->unwind, ARM_UNWIND_FAULT);
}

void arm_alignment_abort(struct arm_cpu *c, u32 va)
{
	struct walk w = {.va = tlb_arm_mva(&c->tlb, va), .why = WALK_ALIGNMENT, .error = FSR_ALIGNMENT};

	arm_abort(c, ARM_DATA_ABORT, &w);
}

/* In the run loop: r[15] is the instruction's address. */
void arm_take_abort(struct arm_cpu *c)
{
	u32 at = c->s.r[15];

	arm_enter(c, c->raised, at + (c->raised == ARM_PREFETCH_ABORT ? 4 : 8));
	c->raised = ARM_RESET;
	c->s.r[15] = c->new_pc;
}

/* ---- interrupts ---- */

void arm_take_interrupt(struct arm_cpu *c)
{
	bool fiq = c->s.fiq && !(c->s.cpsr & PSR_F);

	if (!fiq && !(c->s.irq && !(c->s.cpsr & PSR_I)))
		return;
	arm_enter(c, fiq ? ARM_FIQ : ARM_IRQ, c->s.r[15] + 4);
	c->s.r[15] = c->new_pc;
	c->budget--;
}

void arm_look(struct arm_cpu *c)
{
	c->look = c->s.waiting || (c->s.irq && !(c->s.cpsr & PSR_I)) || (c->s.fiq && !(c->s.cpsr & PSR_F));
}

/* ---- leaving ---- */

/* In User and System mode there is no SPSR: unpredictable, Undefined here. With a saved mode that does not exist the present one stays. DDI0100 A2.4.3 */
void arm_return(struct arm_cpu *c, const struct arm_op *o, u32 pc)
{
	enum arm_bank b = arm_bank_of(c->s.cpsr);
	u32 spsr = b < BANKS ? c->s.spsr[b] : 0;

	if (b == BANK_USR) {
		arm_undefined(c, o);
		return;
	}
	if (arm_bank_of(spsr) == BANKS)
		spsr = (spsr & ~(u32)PSR_MODE) | (c->s.cpsr & PSR_MODE);
	c->new_pc = pc & (spsr & PSR_T ? ~1u : ~3u);
	arm_write_cpsr(c, spsr);
}
