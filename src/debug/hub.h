/*
 * Who hears the machine's events: the log, breakpoints, traces and statistics, each with a mask of its own. The machine has one sink; it is
 * set when somebody listens, and only what somebody wants is recorded.
 */
#ifndef DEBUG_HUB_H
#define DEBUG_HUB_H

#include "debug/target.h"

#define HUB_EARS 8

struct hub {
	const struct target *t;
	struct {
		void (*hear)(void *arg, const struct event *e);
		void *arg;
		u32 mask; /* BIT(enum event_kind) */
	} ear[HUB_EARS];
	unsigned ears;
};

void hub_init(struct hub *h, const struct target *t); /* which must stay */
/* A new listener that hears nothing yet; its number. */
unsigned hub_add(struct hub *h, void (*hear)(void *arg, const struct event *e), void *arg);
/* What listener n wants to hear. Between runs only. */
void hub_listen(struct hub *h, unsigned n, u32 mask);

#endif
