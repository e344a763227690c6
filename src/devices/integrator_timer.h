/*
 * The three counter/timers of the Integrator/CP: 32-bit down counters with prescaler, at 000h, 100h and 200h of their page.
 */
#ifndef DEVICES_INTEGRATOR_TIMER_H
#define DEVICES_INTEGRATOR_TIMER_H

#include "base/field.h"
#include "base/irq.h"
#include "base/sched.h"
#include "mmu/space.h"

#define INTEGRATOR_TIMERS      3
#define INTEGRATOR_TIMERS_SIZE 0x1000u

struct integrator_timer_state {
	u64 since; /* virtual ns at which the counter was count; it runs from there */
	u32 count, load, control, ris;
};

struct integrator_timer {
	struct integrator_timer_state s;
	struct irq irq;
	struct timer timer;
	struct sched *sched;
	u32 tick; /* ns of the clock before the prescaler */
};

struct integrator_timers {
	struct integrator_timer timer[INTEGRATOR_TIMERS];
};

extern const struct region_ops integrator_timers_ops;
#define INTEGRATOR_TIMER_FIELDS 5
extern const struct field integrator_timer_fields[INTEGRATOR_TIMER_FIELDS]; /* of one */

/* Timer ids from timer_id on; the first timer has a clock of its own, in ns each. */
void integrator_timers_init(struct integrator_timers *t, struct sched *sched, u32 timer_id, u32 tick0, u32 tick12);
void integrator_timers_reset(struct integrator_timers *t);
void integrator_timers_post_load(struct integrator_timers *t);

#endif
