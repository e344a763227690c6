/* --trap CONDITION=ACTION[;ACTION...]: breakpoints that act by themselves: dump, trace, stop, exit. */
#ifndef DEBUG_TRAP_H
#define DEBUG_TRAP_H

#include "debug/debugger.h"

struct trace;

struct traps {
	struct debugger *d;
	struct trace *trace; /* NULL: none */
	bool wants_trace_on; /* some trap turns the trace on: it begins turned off */
};

void traps_init(struct traps *t, struct debugger *d, struct trace *trace);
/* ACTION: dump FILE [RANGE...], trace on, trace off, stop, exit CODE, continue. %n in FILE is the number of the hit. */
bool traps_add(struct traps *t, const char *text, struct error *err);

#endif
