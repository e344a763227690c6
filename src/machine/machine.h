/*
 * A machine: CPUs that take turns on one host thread, virtual time, and the reason why it stopped. It knows a CPU as
 * struct cpu_ops and a board as struct board_ops; which devices there are stands in the board's file (pc.c).
 *
 * Everything that a guest can notice depends on struct machine_state, on the CPUs' and devices' states and on the
 * input, never on how the work was cut into slices: machine_run(m, 1000) twice is machine_run(m, 2000).
 */
#ifndef MACHINE_MACHINE_H
#define MACHINE_MACHINE_H

#include <signal.h>

#include "base/error.h"
#include "base/event.h"
#include "base/field.h"
#include "base/sched.h"
#include "base/text.h"
#include "machine/input.h"
#include "machine/pace.h"

#define MACHINE_CPUS  16
#define MACHINE_TURN  997        /* instructions of one CPU before the next one's turn: a prime, so that no loop is in step with it */
#define MACHINE_SLICE (1u << 21) /* instructions at most between two looks at the host */

/* Why a machine stopped. The exit status of each is in machine.c; even numbers from 2 on are ours, odd ones belong to
 * isa-debug-exit. */
enum stop {
	STOP_NONE,          /* it runs */
	STOP_UNTIL,         /* the instruction count that machine_run was given */
	STOP_POWER_OFF,     /* the guest switched the machine off (ACPI S5) */
	STOP_DEBUG_EXIT,    /* isa-debug-exit; m->status is the exit status */
	STOP_RESET,         /* the guest asked for a reset */
	STOP_TRIPLE_FAULT,  /* of m->cpu[m->culprit] */
	STOP_TIME,          /* the host time allowed is over */
	STOP_HALTED,        /* all CPUs halted and nothing can wake one */
	STOP_UNIMPLEMENTED, /* m->cpu[m->culprit] met something that is not built */
	STOP_SIGNAL,        /* machine_interrupt() */
	STOP_IMAGE,         /* the kernel that firmware was to start cannot be loaded */
	STOP_CLOSED,        /* the user closed the window */
	STOP_SEMIHOST,      /* an ARM guest's SYS_EXIT; m->status is the exit status */
	STOP_DEBUG,         /* a debugger's: a breakpoint, a request from outside */
	STOP_COUNT
};

/* What a CPU answers when it has run. */
enum cpu_stop { CPU_BUDGET, CPU_KICK, CPU_IDLE, CPU_SHUTDOWN, CPU_UNIMPLEMENTED };

/* One kind of CPU. */
struct cpu_ops {
	const char *name;
	/* Up to budget instructions; adds them to m->s.icount and m->sched.now. step: one at a time. */
	enum cpu_stop (*run)(void *cpu, u64 budget);
	bool (*awake)(const void *cpu); /* executes instructions: not halted, not waiting for a start-up message */
	bool (*deaf)(const void *cpu);  /* no maskable interrupt can wake it */
	u64 (*hash)(const void *cpu, u64 seed);
};

struct machine_cpu {
	const struct cpu_ops *ops;
	void *cpu;
	bool idle; /* it said so when it last ran, and nobody has called machine_wake since */
};

struct board_ops {
	const char *name;
	void (*reset)(void *board);
	bool (*may_nmi)(const void *board); /* could a timer raise an NMI, SMI or INIT? */
	u64 (*hash)(const void *board, u64 seed);
};

/* Saved. sched.now is saved with it. */
struct machine_state {
	u64 icount; /* instructions retired by all CPUs */
	u32 turn_cpu, turn_left;
};

/* Called each period of virtual time, between two instructions; may look, must not touch. */
struct machine_tick {
	u64 period, next; /* ns; period 0: none */
	void (*look)(void *arg);
	void *arg;
};

struct machine {
	struct machine_state s;
	struct sched sched;
	struct event_log log;
	struct machine_cpu cpu[MACHINE_CPUS];
	unsigned cpus;
	const struct board_ops *board;
	void *board_arg;
	struct input input;
	struct machine_tick tick;
	void (*host_poll)(void *arg); /* a debugger's: asked some times a second of host time, may call machine_stop; NULL: none */
	void *host_arg;
	void (*window)(void *arg); /* the same for a window: shows the screen, brings keys */
	void *window_arg;
	bool window_closed; /* by the user: nobody shall wait for more */
	struct pace pace; /* --realtime */
	bool stepwise; /* every slice is one instruction */

	enum stop stop;
	u32 status;
	unsigned culprit;
	volatile sig_atomic_t interrupted;
	u64 time_limit; /* host ns that machine_run may take in all; 0: no limit */
	u64 time_used, time_start, host_seen, unseen_since;
	unsigned unseen_slices;
	/* An idle machine that waits for input does not run away from the host: see idle() */
	u64 idle_free; /* virtual ns that it has skipped since the last input */
	u64 idle_debt; /* host ns that it has to sleep before time may go on to ... */
	u64 idle_next; /* ... here */
	u64 idle_events;
};

extern const struct field machine_fields[];
extern const size_t machine_fields_n;

void machine_init(struct machine *m, const struct board_ops *board, void *board_arg);
void machine_add_cpu(struct machine *m, const struct cpu_ops *ops, void *cpu);
/* Board and CPUs as after power-on. Time goes on. */
void machine_reset(struct machine *m);
/* Runs until something in enum stop happens, at the latest when m->s.icount is until. */
enum stop machine_run(struct machine *m, u64 until);
/* A device or a CPU ends the run after the present instruction. The first reason counts. */
void machine_stop(struct machine *m, enum stop why);
/* From a signal handler or another thread: machine_run returns STOP_SIGNAL soon. */
void machine_interrupt(struct machine *m);
/* The host is asked again right after the next slice. */
void machine_look_soon(struct machine *m);
/* Something happened to CPU n that may end its idleness. */
void machine_wake(struct machine *m, unsigned n);
/* Of everything that the guest can notice: memory, CPUs, devices, time. */
u64 machine_hash(const struct machine *m);

/* The program's exit status for a stop, and its sentence. */
int machine_exit_status(const struct machine *m, enum stop why);
const char *machine_stop_text(enum stop why);

#endif
