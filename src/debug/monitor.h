/*
 * The monitor: commands by name on a debugger, with output into a text sink. Who types (a terminal, a socket, a script, GDB's qRcmd) is
 * somebody else's. Each group of commands is a table in a file of its own; help comes from the tables.
 */
#ifndef DEBUG_MONITOR_H
#define DEBUG_MONITOR_H

#include "debug/debugger.h"

struct stat;

struct monitor {
	struct debugger *d;
	struct text *out;
	struct stat *stat; /* NULL: not counted */
	bool resumed;      /* the last command made the machine run: what stopped it is to be told */
	bool failed;       /* the last command was refused */
	bool remote;       /* GDB's: the machine must not be run from here */
	unsigned depth;    /* commands of breakpoints inside commands */
	u64 next_x;        /* x without an address goes on here */
	enum level next_level;
	bool print_only;
};

struct command {
	const char *name, *alias; /* alias may be NULL */
	const char *args, *help;
	void (*run)(struct monitor *m, char *args); /* args without spaces at the ends; may be cut up */
	bool runs; /* makes the machine run */
};

void monitor_init(struct monitor *m, struct debugger *d, struct text *out);
/* One line; several commands separated by ; outside quotes. */
void monitor_execute(struct monitor *m, const char *line);
/* After the machine stopped: why, and the breakpoint's commands. */
void monitor_tell_stop(struct monitor *m);
/* The n-th command name that begins so, for completion; NULL: no more. */
const char *monitor_complete(const char *beginning, size_t len, unsigned n);

/* ---- for the groups ---- */
void mon_fail(struct monitor *m, const char *fmt, ...) PRINTF(2, 3);
/* Cuts the next word off; NULL: none. */
char *mon_word(char **args);
/* An expression in the world that is looked at; the rest of the text stays in *args. */
bool mon_value(struct monitor *m, char **args, u64 *val);
/* The same with v:, g: or p: before it. */
bool mon_address(struct monitor *m, char **args, enum level *l, u64 *addr);
bool mon_end(struct monitor *m, const char *args); /* nothing may follow */

extern const struct command mon_run[], mon_break[], mon_regs[], mon_memory[], mon_svm[], mon_system[], mon_devices[], mon_symbols[], mon_history[],
	mon_tables[], mon_walks[];

#endif
