/*
 * Breakpoints: what a condition is made of, how it is written, and when it holds. The same text serves the monitor's "break", --trap and GDB.
 * Nothing in guest memory is patched; see cpu.h (struct x86_spy) for how instructions and data are met.
 *
 *   [exec] [host:|guest:|g:|p:]ADDR      write|read|access [v:|g:|p:]ADDR[,BYTES]      magic (XCHG BX,BX; on ARM ORR Rn,Rn,Rn)
 *   port LO[-HI] [in|out]   msr [LO[-HI]] [read|write]   cr [N]   exception [#PF|14]   interrupt [VECTOR]   mode
 *   cp15 [N] (ARM)   vmrun   vmexit [REASON]   npf [LO[-HI]]   inject   asid N   flush   triple   reset   count N
 *   ... [if EXPRESSION]
 */
#ifndef DEBUG_BREAKS_H
#define DEBUG_BREAKS_H

#include "debug/expr.h"

enum break_kind {
	BREAK_EXEC, BREAK_WATCH, BREAK_MAGIC, BREAK_PORT, BREAK_MSR, BREAK_CR, BREAK_EXCEPTION, BREAK_INTERRUPT, BREAK_MODE, BREAK_VMRUN,
	BREAK_VMEXIT, BREAK_NPF, BREAK_INJECT, BREAK_ASID, BREAK_FLUSH, BREAK_TRIPLE, BREAK_RESET, BREAK_COUNT,
};

struct breakpoint {
	struct breakpoint *next;
	unsigned id;
	enum break_kind kind;
	enum level level; /* EXEC, WATCH */
	enum world world; /* VIEW_NOW: any */
	u64 vmcb;         /* only this guest; 0: any */
	u64 lo, hi;       /* addresses, ports, MSRs, vectors, codes: both ends belong to it */
	bool read, write; /* WATCH; PORT: in, out; MSR */
	bool on, temporary;
	bool hidden;      /* not the user's: of "next", "finish", GDB */
	u64 stack;        /* temporary: only when rsp is above; 0: always */
	u64 met; /* times it was reached; hits: with its condition true */
	u64 hits, ignore;
	char text[192];      /* as it was written */
	char condition[160]; /* after "if", or empty */
	char commands[256];  /* monitor commands to run when it stops, separated by ; */
	char action[256];    /* --trap's; empty: stop */
};

/* Parses into *b (id, hits and the like are left 0). The view says whose addresses are meant when nothing is said. */
bool breaks_parse(struct breakpoint *b, const char *text, const struct expr_env *env, struct error *err);
/* Events that it listens to: bits of enum event_kind. */
u32 breaks_mask(const struct breakpoint *b);
/* Does the event concern it? Of EXEC, WATCH, MAGIC and COUNT: never. */
bool breaks_event(const struct breakpoint *b, const struct target *t, const struct event *e);
/* Is the instruction at va, in this CPU's present world, the one? */
bool breaks_insn(const struct breakpoint *b, const struct target *t, unsigned cpu, u64 va);
/* Does an access, or with size 0 any access to the page, concern it? */
bool breaks_access(const struct breakpoint *b, const struct target *t, unsigned cpu, u64 va, u64 pa, unsigned size, bool write);

/* A hit, and what conditions may ask of it. */
enum hit_by { BY_INSTRUCTION, BY_PROCESSOR, BY_DEVICE };
struct hit {
	unsigned id;
	struct event e; /* kind EV_NONE: an instruction or an access */
	u64 va, pa, val, old, rip;
	char who[72]; /* of an access that is no instruction's operand: what made it; va is void. Else empty */
	enum hit_by by;
	unsigned size;
	bool write, guest;
	unsigned cpu;
};
#define HIT_VARS 19
unsigned hit_vars(const struct hit *h, const struct target *t, u64 count, struct expr_var var[HIT_VARS]);
void hit_print(struct text *out, const struct hit *h, const struct breakpoint *b, const struct target *t);

#endif
