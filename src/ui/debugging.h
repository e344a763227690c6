/* The debugger's part of a session: built from the command line only if something of it was asked for. */
#ifndef UI_DEBUGGING_H
#define UI_DEBUGGING_H

#include "debug/coverage.h"
#include "debug/gdb.h"
#include "debug/stat.h"
#include "debug/trace.h"
#include "debug/trap.h"
#include "ui/console.h"
#include "ui/options.h"

struct debugging {
	const struct debug_options *o;
	struct debugger d;
	struct console console;
	struct traps traps;
	struct gdb gdb;
	struct trace trace;
	struct stat stat;
	struct coverage coverage;
	bool tracing, counting, covering, listening;
	bool failed; /* the script did */
};

bool debugging_wanted(const struct options *o);
bool debugging_open(struct debugging *g, const struct options *o, struct hub *hub, struct bytes_stdio *std,
		    bool (*reboot)(void *arg, struct error *err), void *arg, struct error *err);
/* Runs the session; why the machine stood at its end. */
enum stop debugging_run(struct debugging *g);
/* -S: somebody is there who can start the machine. */
bool debugging_waits(const struct debugging *g);
/* The exit status. */
int debugging_status(const struct debugging *g, enum stop why);
/* What is written at the end. */
bool debugging_finish(struct debugging *g, enum stop why, struct error *err);
/* For -d exec: the name of a place in the CPU's present world. */
void debugging_where(void *debugging, unsigned cpu, u64 va, char *buf, size_t size);
void debugging_close(struct debugging *g);

#endif
