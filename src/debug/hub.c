/* See hub.h. */
#include "debug/hub.h"

/* While a CPU runs, the host's x87 and MXCSR are the guest's: listeners compute and print with their own. */
static void sink(void *arg, const struct event *e)
{
	_Alignas(16) u8 guest_fpu[512];
	struct hub *h = arg;
	const u32 mxcsr = 0x1f80;

	__asm__ volatile("fxsave64 %0\n\tfninit\n\tldmxcsr %1" : "=m"(guest_fpu) : "m"(mxcsr));
	for (unsigned i = 0; i < h->ears; i++)
		if (h->ear[i].mask >> e->kind & 1)
			h->ear[i].hear(h->ear[i].arg, e);
	__asm__ volatile("fxrstor64 %0" : : "m"(guest_fpu));
}

void hub_init(struct hub *h, const struct target *t) { *h = (struct hub){.t = t}; }

unsigned hub_add(struct hub *h, void (*hear)(void *arg, const struct event *e), void *arg)
{
	unsigned n = h->ears < HUB_EARS ? h->ears++ : HUB_EARS - 1;

	h->ear[n].hear = hear;
	h->ear[n].arg = arg;
	h->ear[n].mask = 0;
	return n;
}

void hub_listen(struct hub *h, unsigned n, u32 mask)
{
	struct event_log *log = &h->t->machine->log;
	u32 all = 0;

	h->ear[n].mask = mask;
	for (unsigned i = 0; i < h->ears; i++)
		all |= h->ear[i].mask;
	log->mask = all;
	log->sink = all ? sink : NULL;
	log->sink_arg = h;
	h->t->ops->listen(h, all);
}
