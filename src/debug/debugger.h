/*
 * Run control: the machine under a debugger. It goes on, steps, and stops at breakpoints, at the guest's ends and when somebody outside asks;
 * what stopped it is told in words. The monitor, --trap and the GDB stub are its users.
 */
#ifndef DEBUG_DEBUGGER_H
#define DEBUG_DEBUGGER_H

#include "debug/breaks.h"
#include "debug/hub.h"
#include "debug/walk_record.h"

#define DEBUGGER_HITS 16

struct debugger {
	const struct target *t;
	struct hub *hub;
	unsigned ear;
	struct worlds worlds;
	struct symbols symbols;
	struct breakpoint *breaks;
	unsigned last_id, last_hidden;
	u64 offsets[64]; /* page offsets of exec breakpoints: see x86_code_spy */
	bool offsets_used, magic, watching;
	union {
		struct x86_spy x86;
		struct arm_spy arm;
	} spy; /* the target's */

	/* What happened since it was told to go on. */
	struct hit hit[DEBUGGER_HITS];
	unsigned hits;
	bool asked;      /* somebody outside wants it to stop */
	bool want_world; /* stop when the world changes */
	bool world_changed;
	u64 skip_icount, skip_va[PC_CPUS]; /* do not stop where it stands */
	bool untold; /* nobody has seen that it stands here: breakpoints here count once more */

	/* Why it stands. */
	enum stop why;
	struct breakpoint *stopped_at; /* or NULL */
	struct breakpoint gone; /* a temporary one that it stopped at */
	struct hit stop_hit;
	struct event last_exception[PC_CPUS], last_exit[PC_CPUS];
	struct event last_entry; /* ARM: interrupts, too */

	/* What the user looks at. */
	unsigned cpu;
	enum world world; /* VIEW_NOW: whichever the CPU is in */
	u64 vmcb;         /* of VIEW_GUEST; 0: the last one */

	bool over;   /* the machine has ended, or was told to: it does not go on */
	bool quit;
	int status;  /* of quit, when not -1 */
	bool (*reboot)(void *arg, struct error *err); /* loads the kernel again after a reset; NULL: a reset is an end */
	void *reboot_arg;
	/* A trap's actions. True: stop. */
	bool (*act)(void *arg, struct breakpoint *b, const struct hit *h);
	void *act_arg;
	struct walk_record *walks; /* NULL: none are recorded */
	u64 limit;  /* --limit-insns */
	u32 record; /* further events to be kept in the ring */
};

void debugger_init(struct debugger *d, struct hub *hub, u64 limit);
void debugger_free(struct debugger *d);

/* ---- breakpoints ---- */
struct breakpoint *debugger_break(struct debugger *d, const char *text, struct error *err);
/* Takes over one that is filled in. NULL: no memory. */
struct breakpoint *debugger_add(struct debugger *d, const struct breakpoint *b);
struct breakpoint *debugger_find(struct debugger *d, unsigned id);
void debugger_delete(struct debugger *d, struct breakpoint *b);
/* A breakpoint's place or event was reached: its condition and counts decide whether the machine stops. */
void debugger_met(struct debugger *d, struct breakpoint *b, struct hit *h);
/* After changes of b->on and the like. */
void debugger_changed(struct debugger *d);

/* ---- running ---- */
enum stop debugger_go(struct debugger *d);
enum stop debugger_go_until(struct debugger *d, u64 icount);
/* n instructions of the CPU, in whichever world. */
enum stop debugger_step(struct debugger *d, unsigned cpu, u64 n);
/* Until the CPU runs the instruction behind the present one: over calls, VMRUN and repeated instructions. */
enum stop debugger_next(struct debugger *d, unsigned cpu);
enum stop debugger_finish(struct debugger *d, unsigned cpu, struct error *err);
/* Until an instruction of the CPU's world, above rsp stack if that is not 0. */
enum stop debugger_go_to(struct debugger *d, unsigned cpu, enum world world, u64 va, u64 stack);
/* Until VMRUN or #VMEXIT. */
enum stop debugger_step_world(struct debugger *d);
/* From outside, while it runs: stop soon. */
void debugger_ask(struct debugger *d);

/* ---- for the target: what its CPUs meet ---- */
/* Before the instruction at va (offset rip): true if it is not to be executed now. */
bool debugger_insn(struct debugger *d, unsigned cpu, u64 va, u64 rip);
/* Is an access, or with size 0 any access to the page, watched? */
bool debugger_wants(struct debugger *d, unsigned cpu, u64 va, u64 pa, unsigned size, bool write);
/* One that is happens now, by the instruction at rip. */
void debugger_access(struct debugger *d, unsigned cpu, u64 va, u64 pa, unsigned size, bool write, u64 val, u64 rip);

/* ---- looking ---- */
/* What the user looks at; falls back to the present world when that one is gone. */
void debugger_view(struct debugger *d, struct view *v);
struct expr_env debugger_env(struct debugger *d, const struct view *v);
/* Why it stands: some lines, the last one the instruction that comes next. */
void debugger_print_stop(struct debugger *d, struct text *out);
void debugger_print_here(struct debugger *d, const struct view *v, struct text *out);
/* "1000db main+1b (hello.c:12)  mov ..." without a newline; the instruction's length. */
unsigned debugger_print_insn(struct debugger *d, const struct view *v, u64 va, struct text *out);

#endif
