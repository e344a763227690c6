/*
 * The processor's life: creation, reset, the run loop. DDI0100 A2.6 (exceptions), DDI0198 ch. 2.
 */
#include "cpu_arm/flags.h"

#include <stdio.h>

#define CONTROL_RESET 0x50078u /* bits 18, 16, 6:3 read as one. DDI0198 2.3.2 */

void arm_mode_changed(struct arm_cpu *c) { c->look = true; }

void arm_state_changed(struct arm_cpu *c)
{
	flags_set(c, c->s.cpsr);
	arm_mode_changed(c);
}

bool arm_init(struct arm_cpu *c, struct space *mem, struct sched *sched, struct event_log *log, u64 *icount)
{
	memset(c, 0, sizeof *c);
	c->mem = mem;
	c->sched = sched;
	c->log = log;
	c->icount = icount;
	arm_reset(c);
	return true;
}

void arm_free(struct arm_cpu *c) { c->code = NULL; }

void arm_reset(struct arm_cpu *c)
{
	u8 irq = c->s.irq, fiq = c->s.fiq;

	memset(&c->s, 0, sizeof c->s);
	c->s.irq = irq;
	c->s.fiq = fiq;
	c->s.cpsr = MODE_SVC | PSR_I | PSR_F;
	c->s.cp15.control = CONTROL_RESET;
	arm_state_changed(c);
}

enum arm_stop arm_run(struct arm_cpu *c, u64 budget)
{
	(void)budget;
	snprintf(c->stop_text, sizeof c->stop_text, "unimplemented: ARM instructions");
	return ARM_STOP_UNIMPLEMENTED;
}

void arm_set_irq(struct arm_cpu *c, bool level)
{
	c->s.irq = level;
	c->look = true;
}
void arm_set_fiq(struct arm_cpu *c, bool level)
{
	c->s.fiq = level;
	c->look = true;
}
bool arm_awake(const struct arm_cpu *c) { return !c->s.waiting || c->s.irq || c->s.fiq; }
bool arm_deaf(const struct arm_cpu *c)
{
	(void)c;
	return false;
}
u64 arm_hash(const struct arm_cpu *c, u64 seed) { return field_hash(arm_fields, arm_fields_n, &c->s, seed); }
