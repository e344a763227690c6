/*
 * --trace: what happened as a Chrome trace (the JSON array form), which Perfetto and chrome://tracing show: a process for each CPU, a track
 * for each of its worlds, a slice from VMRUN to #VMEXIT named by the reason, and interrupts, exceptions and nested page faults as instants.
 * The time is virtual. An ARM has a track for each processor mode, with slices from entering to leaving it.
 */
#ifndef DEBUG_TRACE_H
#define DEBUG_TRACE_H

#include <stdio.h>

#include "base/error.h"
#include "debug/hub.h"

struct trace {
	struct hub *hub;
	unsigned ear;
	FILE *f;
	const char *path;
	bool on, any;
	struct {
		bool running;
		double since;
		u64 vmcb, rip;
		u32 asid;
	} guest[PC_CPUS];
	u32 mode;          /* an ARM's present mode ... */
	double mode_since; /* ... and since when */
};

bool trace_open(struct trace *t, struct hub *hub, const char *path, struct error *err);
void trace_enable(struct trace *t, bool on);
bool trace_close(struct trace *t, struct error *err);
/* "jansson", or NULL: no traces. */
const char *trace_library(void);

#endif
