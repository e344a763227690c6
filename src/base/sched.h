/*
 * Virtual time and timers. The unit is the nanosecond of virtual time: one retired instruction (of any CPU) is one nanosecond
 * (PAUSE of a CPU that runs alone: 64),
 * and an idle machine jumps to its next timer. Timers fire in order of (when, id), between two instructions.
 */
#ifndef BASE_SCHED_H
#define BASE_SCHED_H

#include "base/types.h"

#define NS_PER_SEC 1000000000ull
#define TIME_NEVER (~0ull)

struct sched;

struct timer {
	u64 when; /* absolute virtual ns */
	bool armed;
	u32 id; /* unique in a machine; decides ties */
	void (*fire)(void *arg, u64 now);
	void *arg;
	struct sched *sched;
	struct timer *next;
};

struct sched {
	u64 now;            /* ns; exact whenever a device or a timer runs */
	struct timer *first; /* armed timers in firing order */
	/* Set whenever a timer is armed earlier than the previous first deadline, or an interrupt line to a CPU changes:
	 * the CPU that is running leaves its loop after the present instruction. Cleared by the machine's run loop. */
	bool kick;
	bool alone; /* one CPU runs, the others sleep or there are none: its PAUSE takes longer than a nanosecond */
};

void sched_init(struct sched *s);
void timer_init(struct timer *t, struct sched *s, u32 id, void (*fire)(void *, u64), void *arg);
void timer_arm(struct timer *t, u64 when);
void timer_cancel(struct timer *t);
/* When the next timer fires, or TIME_NEVER. */
static inline u64 sched_next(const struct sched *s) { return s->first ? s->first->when : TIME_NEVER; }
/* Fires, in order, all timers with when <= s->now. */
void sched_fire(struct sched *s);

/* a * b / c without overflow in between (for clock conversions). */
static inline u64 muldiv(u64 a, u64 b, u64 c) { return (u64)((unsigned __int128)a * b / c); }

/* Ticks of a clock of hz since the beginning; hz is a constant, so that the divisions are by constants only. Seconds and rest apart:
 * exact, because a second has a whole number of ticks. */
static inline u64 ticks_at(u64 ns, u64 hz) { return ns / NS_PER_SEC * hz + ns % NS_PER_SEC * hz / NS_PER_SEC; }
/* The first nanosecond of a tick: ticks_at() of it is the tick, of the one before it is not. */
static inline u64 tick_start(u64 tick, u64 hz)
{
	u64 ns = muldiv(tick, NS_PER_SEC, hz);

	return ticks_at(ns, hz) < tick ? ns + 1 : ns;
}

#endif
