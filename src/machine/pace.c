/* See pace.h. */
#include "machine/pace.h"

#include <time.h>

static u64 wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * NS_PER_SEC + (u64)t.tv_nsec;
}

void pace_start(struct pace *p, u64 now) { p->base = wall() - now; }

u64 pace_now(struct pace *p, u64 now)
{
	u64 at = wall() - p->base;

	if ((s64)(at - now) > (s64)PACE_LAG_NS) {
		p->base += at - now - PACE_LAG_NS;
		at = now + PACE_LAG_NS;
	}
	return at;
}
