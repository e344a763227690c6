/* See event.h. */
#include "base/event.h"

void event_add(struct event_log *l, const struct event *e)
{
	l->ring[l->count++ % EVENT_RING] = *e;
	if (l->sink)
		l->sink(l->sink_arg, e);
}
