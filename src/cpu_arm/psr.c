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
	u32 w = op_aux(o), mask = 0, val, old;
	enum arm_kind k;

	for (unsigned i = 0; i < 4; i++)
		mask |= w >> (16 + i) & 1 ? 0xffu << 8 * i : 0;
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
