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

static void spy_mem(void *arg, u64 pa, unsigned size, bool write, u64 val)
{
	x86_log(pc_current(((struct hub *)arg)->pc), EV_MMIO, size | (u32)write << 8, pa, val);
}

static void spy_io(void *arg, u64 port, unsigned size, bool write, u64 val)
{
	x86_log(pc_current(((struct hub *)arg)->pc), EV_PIO, size | (u32)write << 8, port, val);
}

void hub_init(struct hub *h, struct pc *pc) { *h = (struct hub){.pc = pc}; }

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
	struct event_log *log = &h->pc->machine.log;
	u32 all = 0;

	h->ear[n].mask = mask;
	for (unsigned i = 0; i < h->ears; i++)
		all |= h->ear[i].mask;
	log->mask = all;
	log->sink = all ? sink : NULL;
	log->sink_arg = h;
	h->pc->mem.spy = all & BIT(EV_MMIO) ? spy_mem : NULL;
	h->pc->io.spy = all & BIT(EV_PIO) ? spy_io : NULL;
	h->pc->mem.spy_arg = h->pc->io.spy_arg = h;
	for (unsigned i = 0; i < h->pc->cfg.cpus; i++) {
		struct x86_cpu *c = &h->pc->cpu[i].x86;

		c->trace_exec = all & BIT(EV_EXEC);
		x86_debug_changed(c);
	}
}
