/*
 * The GDB remote stub of the Integrator/CP: one inferior, one thread. Socket and packets are gdb.h's; registers, memory, breakpoints, watchpoints
 * and running are here. GDB manual, app. E, G.5.3 (ARM features).
 */
#ifndef DEBUG_GDB_ARM_H
#define DEBUG_GDB_ARM_H

#include "debug/gdb.h"
#include "machine/integratorcp.h"

#define GDB_ARM_BREAKS 64

struct gdb_arm {
	struct gdb g; /* first: packets come to it */
	struct icp *b;
	struct gdb_arm_break {
		u8 type; /* of a Z packet, and 1 more; 0: free */
		u32 lo, hi;
	} breaks[GDB_ARM_BREAKS];
	u64 offsets[64]; /* of execution breakpoints: see arm_code_spy */
	struct arm_spy spy;
	u64 limit;       /* --limit-insns */
	u64 from;        /* instruction count at which it went on: no breakpoint stops it there */
	u32 hit;         /* where a watchpoint was hit ... */
	u8 hit_type;     /* ... and its type, and 1 more; 0: none */
	bool over;       /* the machine came to its end */
	enum stop why;
	bool (*reset)(void *arg, struct error *err); /* the guest reset the machine: starts it again; NULL: that is the end */
	void *reset_arg;
	struct error *err; /* of reset */
	bool failed;
};

/* spec as for gdb_open. The struct must stay. */
bool gdb_arm_open(struct gdb_arm *a, struct icp *b, const char *spec, struct error *err);
void gdb_arm_close(struct gdb_arm *a);
/* Runs the session: the machine runs while nobody is connected, unless it is to wait for the first client. Why the machine stood at its end. */
enum stop gdb_arm_run(struct gdb_arm *a, bool wait, struct error *err);

#endif
