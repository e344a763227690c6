/* MRS and MSR. User mode may write the flags only, and has no SPSR. DDI0100 A4.1.38, A4.1.39 */
#include "cpu_arm/dp.h"

#define USER_MASK  (PSR_NZCV | PSR_Q)
#define PRIV_MASK  0xdfu          /* I, F and the mode: T and J change by branches and returns only */
#define STATE_MASK (PSR_T | PSR_J)

void arm_i_mrs(struct arm_cpu *c, const struct arm_op *o)
{
	u32 w = op_aux(o), rd = w >> 12 & 15, v = arm_cpsr(c);

	if (w >> 22 & 1)
		v = c->s.spsr[arm_bank_of(c->s.cpsr)];
	if (rd != 15)
		c->s.r[rd] = v;
	(void)o;
}

void arm_i_msr(struct arm_cpu *c, const struct arm_op *o)
{
	/* By the field mask, bits 19:16. */
	static const u32 bytes[16] = {0, 0xff, 0xff00, 0xffff, 0xff0000, 0xff00ff, 0xffff00, 0xffffff, 0xff000000, 0xff0000ff, 0xff00ff00, 0xff00ffff,
	                              0xffff0000, 0xffff00ff, 0xffffff00, 0xffffffff};
	u32 w = op_aux(o), mask = bytes[w >> 16 & 15], val, old;
	enum arm_kind k;

	val = w >> 25 & 1 ? arm_shifter(w, &k) : c->s.r[w & 15];
	if (w >> 22 & 1) {
		u32 *spsr = &c->s.spsr[arm_bank_of(c->s.cpsr)];

		mask &= USER_MASK | PRIV_MASK | STATE_MASK;
		*spsr = (*spsr & ~mask) | (val & mask);
		return;
	}
	mask &= arm_privileged(c) ? USER_MASK | PRIV_MASK : USER_MASK;
	old = arm_cpsr(c);
	val = (old & ~mask) | (val & mask);
	if (arm_bank_of(val) == BANKS) /* unpredictable: the mode stays */
		val = (val & ~(u32)PSR_MODE) | (old & PSR_MODE);
	if ((val ^ old) & ~USER_MASK) {
		arm_write_cpsr(c, val);
	} else {
		flags_set(c, val);
		c->s.cpsr = val;
	}
	(void)o;
}
