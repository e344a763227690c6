/*
 * --realtime: virtual time runs no faster than the wall clock. The guest sees nothing of it: a machine that is ahead
 * sleeps, and one that falls behind (it executes less than an instruction in a nanosecond) catches up at most
 * PACE_LAG_NS when it is idle; what is more is forgotten.
 */
#ifndef MACHINE_PACE_H
#define MACHINE_PACE_H

#include "base/sched.h"

#define PACE_LAG_NS 500000000ull

struct pace {
	bool on;
	u64 base; /* wall clock - virtual time, ns, modulo 2^64 */
};

/* Virtual time is `now` at this moment. */
void pace_start(struct pace *p, u64 now);
/* The virtual time at which the wall clock is, given that it was `now` at last. */
u64 pace_now(struct pace *p, u64 now);

#endif
