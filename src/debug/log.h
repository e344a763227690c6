/*
 * -d: events as readable lines, each with the instruction count, the CPU, its world (host or guest) and rip. What is
 * not asked for costs nothing.
 */
#ifndef DEBUG_LOG_H
#define DEBUG_LOG_H

#include <stdio.h>

#include "base/error.h"
#include "debug/hub.h"
#include "svm/explain.h"

#define LOG_EXITS 16

/* What -d LIST asks for. */
struct log_config {
	u32 mask;                 /* BIT(enum event_kind): a line each */
	bool explain;             /* #VMEXITs in full: VMCB changes, walks, failed checks */
	char only[LOG_EXITS][24]; /* names of the exits to be explained; none: all */
	unsigned onlys;
	bool walk_grid; /* -d walk=grid, which walk_record.h draws */
};

struct log {
	struct log_config cfg;
	const struct target *t;
	struct text out;
	struct svm_snapshot at_vmrun[PC_CPUS];
	/* Where an instruction is, as "name+1a"; empty: not known. NULL: no symbols. */
	void (*where)(void *arg, unsigned cpu, u64 va, char *buf, size_t size);
	void *where_arg;
};

/* "vmexit,int,explain=NPF+INVALID", added to *cfg. */
bool log_parse(struct log_config *cfg, const char *list, struct error *err);
/* The items and what they show, for -d help. */
void log_help(struct text *out);
/* The events that a PC, or an Integrator/CP, has: bits of enum event_kind. */
u32 log_kinds(bool arm);
/* Connects to the machine; lines go to f. *l must stay. */
void log_start(struct log *l, const struct log_config *cfg, struct hub *hub, FILE *f);

#endif
