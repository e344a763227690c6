/*
 * The event ring: what happened last (exceptions, interrupts, VMRUN, #VMEXIT, NPF, device accesses), stamped with the
 * instruction count. A sink, when set, hears every event at once (-d, traps, statistics); the mask says which kinds are
 * recorded at all, so that what is off costs one test outside the hot path.
 */
#ifndef BASE_EVENT_H
#define BASE_EVENT_H

#include "base/types.h"

enum event_kind {
	EV_NONE,
	EV_EXCEPTION, /* a = vector | (has_error << 8) | (rule << 16), b = error code, c = CR2 or DR6 payload */
	EV_INTERRUPT, /* a = vector | (source << 8): source 0 external, 1 software, 2 NMI, 3 injected (EVENTINJ), 4 virtual */
	EV_VMRUN,     /* a = ASID, b = VMCB pa, c = guest rip */
	EV_VMEXIT,    /* a = 1 if the VMRUN itself failed, b = VMCB pa, c = EXITCODE; details stand in the VMCB */
	EV_MMIO,      /* a = size | (write << 8), b = pa, c = value */
	EV_PIO,       /* a = size | (write << 8), b = port, c = value */
	EV_WALK,      /* a = access, b = va, c = pa: a TLB fill */
	EV_FLUSH,     /* a = what, b = ASID or va */
	EV_EXEC,      /* one instruction begins: b = linear rip, c = pa */
	EV_RESET,     /* a = 0 reset, 1 INIT, 2 SIPI (b = vector), 3 shutdown */
	EV_MSR,       /* a = MSR, b = value, c = 1 for a write; after it was allowed */
	EV_CR,        /* a = control register, b = value written */
	EV_MODE,      /* a = new mode, b = old one (the CPU's own numbers) */
	EV_KINDS
};

struct event {
	u64 icount, ip; /* machine instruction count, rip of the instruction */
	u16 kind, cpu;
	u8 guest, pad[3]; /* 1 when the CPU ran a guest (between VMRUN and #VMEXIT) */
	u32 a, pad2;
	u64 b, c;
};

#define EVENT_RING 4096 /* a power of two */

struct event_log {
	u32 mask; /* BIT(kind) of what is recorded */
	u64 count; /* events recorded since the start; the newest is ring[(count - 1) % EVENT_RING] */
	void (*sink)(void *arg, const struct event *e);
	void *sink_arg;
	struct event ring[EVENT_RING];
};

static inline bool event_on(const struct event_log *l, enum event_kind k) { return l->mask >> k & 1; }
void event_add(struct event_log *l, const struct event *e);

#endif
