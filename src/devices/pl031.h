/*
 * The PL031 real-time clock: seconds since 1970 as a 32-bit counter with a match interrupt. It shows a start date plus virtual
 * time, so that each run sees the same dates.
 */
#ifndef DEVICES_PL031_H
#define DEVICES_PL031_H

#include "base/field.h"
#include "base/irq.h"
#include "base/sched.h"
#include "mmu/space.h"

struct pl031_state {
	u64 base_ns; /* virtual ns when the counter became base; it counts once a second from there */
	u64 seen_ns; /* up to which ris is complete */
	u32 base, mr, lr, cr, imsc, ris;
};

struct pl031 {
	struct pl031_state s;
	struct irq irq;
	struct timer timer;
	struct sched *sched;
};

extern const struct region_ops pl031_ops;
#define PL031_FIELDS 8
extern const struct field pl031_fields[PL031_FIELDS];

/* unix_time: what the counter shows at power-on. */
void pl031_init(struct pl031 *r, struct sched *sched, u32 timer_id, s64 unix_time);
/* The date goes on. */
void pl031_reset(struct pl031 *r);
void pl031_post_load(struct pl031 *r);

#endif
