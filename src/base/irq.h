/* An interrupt line: a level, and the one sink that hears its changes. Devices own lines; the board connects them. */
#ifndef BASE_IRQ_H
#define BASE_IRQ_H

#include "base/types.h"

struct irq {
	void (*set)(void *sink, unsigned n, bool level);
	void *sink;
	unsigned n; /* the sink's name for this line (pin number) */
	bool level;
};

/* Unconnected lines (set == NULL) keep their level and tell nobody. */
static inline void irq_set(struct irq *q, bool level)
{
	if (q->level == level)
		return;
	q->level = level;
	if (q->set)
		q->set(q->sink, q->n, level);
}
static inline void irq_pulse(struct irq *q)
{
	irq_set(q, true);
	irq_set(q, false);
}
static inline void irq_connect(struct irq *q, void (*set)(void *, unsigned, bool), void *sink, unsigned n)
{
	q->set = set;
	q->sink = sink;
	q->n = n;
}

#endif
