/*
 * -d on an Integrator/CP: its events as readable lines, each with the instruction count, the CPU's mode and the address of the instruction. What is
 * not asked for costs nothing. The end of a run, too: registers and the last events, for people (--dump-on-exit).
 */
#ifndef DEBUG_LOG_ARM_H
#define DEBUG_LOG_ARM_H

#include <stdio.h>

#include "base/text.h"
#include "machine/integratorcp.h"

struct log_arm {
	struct icp *b;
	struct text out;
	u32 mask; /* BIT(enum event_kind): a line each */
};

/* The kinds of events that this machine has. */
extern const u32 log_arm_kinds;
/* Connects to the machine; lines go to f. *l must stay. With mask 0 nothing is heard. */
void log_arm_start(struct log_arm *l, u32 mask, struct icp *b, FILE *f);
void log_arm_event(struct text *out, struct icp *b, const struct event *e);

/* All registers: of the present mode, of the other modes, CP15. */
void dump_arm_cpu(struct text *out, const struct arm_cpu *c);
/* Registers, the instruction, devices, and the last events, into a file. */
bool dump_arm_file(struct icp *b, const char *path, const char *why, struct error *err);

#endif
