/* See sched.h. A sorted list: a PC has about twenty timers. */
#include "base/sched.h"

void sched_init(struct sched *s) { *s = (struct sched){0}; }

void timer_init(struct timer *t, struct sched *s, u32 id, void (*fire)(void *, u64), void *arg)
{
	*t = (struct timer){.id = id, .fire = fire, .arg = arg, .sched = s};
}

void timer_cancel(struct timer *t)
{
	struct timer **p;

	if (!t->armed)
		return;
	for (p = &t->sched->first; *p != t; p = &(*p)->next)
		;
	*p = t->next;
	t->armed = false;
}

void timer_arm(struct timer *t, u64 when)
{
	struct timer **p;

	timer_cancel(t);
	t->when = when;
	for (p = &t->sched->first; *p; p = &(*p)->next)
		if (when < (*p)->when || (when == (*p)->when && t->id < (*p)->id))
			break;
	t->next = *p;
	*p = t;
	t->armed = true;
	if (t->sched->first == t)
		t->sched->kick = true;
}

void sched_fire(struct sched *s)
{
	struct timer *t;

	while ((t = s->first) && t->when <= s->now) {
		s->first = t->next;
		t->armed = false;
		t->fire(t->arg, s->now);
	}
}
