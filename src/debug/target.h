/*
 * The board that is debugged: a PC (target_pc.c) or an Integrator/CP (target_icp.c). What the debugger asks of a CPU without knowing its kind goes
 * through these few functions; registers, memory and words of one world go through view.h.
 */
#ifndef DEBUG_TARGET_H
#define DEBUG_TARGET_H

#include "machine/integratorcp.h"
#include "machine/pc.h"

struct debugger;
struct hub;
struct view;
struct worlds;
enum world { VIEW_NOW, VIEW_HOST, VIEW_GUEST };

struct target {
	const struct target_ops *ops;
	struct machine *machine;
	struct space *mem; /* physical memory */
	unsigned cpus;
	struct pc *pc;   /* NULL: not a PC */
	struct icp *icp; /* NULL: not an Integrator/CP */
};

/* A device or another part of the board whose state can be shown. */
struct target_part {
	const char *name;
	const struct field *fields;
	size_t n;
	const void *state;
	bool per_cpu;
};

struct target_ops {
	/* ---- a CPU ---- */
	u64 (*here)(const struct target *t, unsigned cpu);    /* linear address of its next instruction, as spies name it */
	u64 (*icount)(const struct target *t, unsigned cpu);  /* the machine's count, exact while the CPU runs, too */
	u64 (*now)(const struct target *t, unsigned cpu);     /* virtual time, ns, while the CPU runs */
	u64 (*retired)(const struct target *t, unsigned cpu); /* this CPU's own */
	u64 (*stack)(const struct target *t, unsigned cpu);   /* the stack pointer */
	bool (*guest)(const struct target *t, unsigned cpu);  /* it runs a guest */
	u64 (*vmcb)(const struct target *t, unsigned cpu);    /* of the guest that runs or ran last; 0: there is none */
	const char *(*stop_text)(const struct target *t, unsigned cpu);   /* of STOP_UNIMPLEMENTED */
	const char *(*waits)(const struct target *t, unsigned cpu); /* "halted" and the like; NULL: it runs */
	/* The tables' word on a linear address in its present world; false: refused. */
	bool (*resolve)(const struct target *t, unsigned cpu, u64 va, unsigned access, u64 *gpa, u64 *pa);
	/* The guest-physical page whose system-physical one is pa's, among those from lo to hi; false: none. */
	bool (*guest_page)(const struct target *t, unsigned cpu, u64 lo, u64 hi, u64 pa, u64 *page);
	bool (*magic)(const struct view *v, u64 va); /* a magic instruction is there */
	/* ---- a world of a CPU: see view_get ---- */
	bool (*view)(struct worlds *w, unsigned cpu, enum world world, u64 vmcb, struct view *v);
	/* ---- listening ---- */
	void (*listen)(struct hub *h, u32 mask);
	/* Breakpoints of d were changed: offsets of instructions (NULL: none), magic ones, whether memory is watched. code: either of the first changed. */
	void (*spy)(struct debugger *d, bool code, const u64 *offsets, bool magic, bool watching);
	/* ---- words ---- */
	void (*print_event)(struct text *out, const struct target *t, const struct event *e);
	void (*print_why)(struct debugger *d, struct text *out); /* why.h */
	void (*print_cpu)(struct text *out, const struct target *t, unsigned cpu); /* its whole state */
	bool (*part)(const struct target *t, unsigned cpu, size_t n, struct target_part *p); /* false: there are less */
};

void target_pc(struct target *t, struct pc *pc);
void target_icp(struct target *t, struct icp *icp);

#endif
