/* Processor modes, their register banks, the status registers as wholes. DDI0100 A2.2-A2.5 */
#include "cpu_arm/flags.h"

enum arm_bank arm_bank_of(u32 mode)
{
	switch (mode & PSR_MODE) {
	case MODE_USR:
	case MODE_SYS: return BANK_USR;
	case MODE_FIQ: return BANK_FIQ;
	case MODE_IRQ: return BANK_IRQ;
	case MODE_SVC: return BANK_SVC;
	case MODE_ABT: return BANK_ABT;
	case MODE_UND: return BANK_UND;
	default: return BANKS;
	}
}

/* The banks of mode become the present ones. Both modes exist. */
void arm_switch_bank(struct arm_cpu *c, u32 mode)
{
	enum arm_bank from = arm_bank_of(c->s.cpsr), to = arm_bank_of(mode);
	u32 *r = c->s.r;

	if (from == to)
		return;
	c->s.r13[from] = r[13];
	c->s.r14[from] = r[14];
	r[13] = c->s.r13[to];
	r[14] = c->s.r14[to];
	if (from == BANK_FIQ) {
		memcpy(c->s.r8_fiq, r + 8, sizeof c->s.r8_fiq);
		memcpy(r + 8, c->s.r8_usr, sizeof c->s.r8_usr);
	} else if (to == BANK_FIQ) {
		memcpy(c->s.r8_usr, r + 8, sizeof c->s.r8_usr);
		memcpy(r + 8, c->s.r8_fiq, sizeof c->s.r8_fiq);
	}
}

u32 *arm_reg_place(struct arm_cpu *c, u32 mode, unsigned n)
{
	enum arm_bank now = arm_bank_of(c->s.cpsr), want = arm_bank_of(mode);

	if (n < 8 || n == 15 || now == want)
		return &c->s.r[n];
	if (n >= 13)
		return n == 13 ? &c->s.r13[want] : &c->s.r14[want];
	if (now == BANK_FIQ)
		return &c->s.r8_usr[n - 8];
	return want == BANK_FIQ ? &c->s.r8_fiq[n - 8] : &c->s.r[n];
}

u32 arm_reg_of(const struct arm_cpu *c, u32 mode, unsigned n)
{
	return *arm_reg_place((struct arm_cpu *)c, mode, n & 15); /* only looked at */
}

u32 arm_cpsr(const struct arm_cpu *c) { return c->running ? (c->s.cpsr & ~PSR_NZCV) | flags_get(c) : c->s.cpsr; }

void arm_write_cpsr(struct arm_cpu *c, u32 val)
{
	u32 old = c->s.cpsr;

	arm_switch_bank(c, val);
	flags_set(c, val);
	c->s.cpsr = val & PSR_VALID;
	arm_log_mode(c, old);
	arm_mode_changed(c);
}

void arm_set_cpsr(struct arm_cpu *c, u32 val)
{
	if (arm_bank_of(val) < BANKS)
		arm_write_cpsr(c, val);
}

void arm_mode_changed(struct arm_cpu *c)
{
	u32 cpsr = c->s.cpsr, mode = c->mode & ~(u32)(ARM_MODE_THUMB | ARM_MODE_USER);

	if (cpsr & PSR_T)
		mode |= ARM_MODE_THUMB;
	if ((cpsr & PSR_MODE) == MODE_USR)
		mode |= ARM_MODE_USER;
	c->mode = mode;
	tlb_arm_user(&c->tlb, mode & ARM_MODE_USER);
	arm_look(c);
}
