/*
 * Who tells the debugger what to do: a script, a monitor on the terminal, a socket or a pty, shared with a serial port by Ctrl-A C if wanted,
 * and GDB. Here is the loop of a session with a debugger: the machine runs, stands, and runs again.
 */
#ifndef UI_CONSOLE_H
#define UI_CONSOLE_H

#include <signal.h>

#include "debug/monitor.h"
#include "devices/bytes.h"
#include "ui/line_edit.h"

#define CONSOLE_QUEUE 2048

struct gdb;

struct console {
	struct debugger *d;
	struct monitor monitor;
	struct text out;
	struct bytes_stdio *std;
	enum { CONSOLE_NONE, CONSOLE_STDIO, CONSOLE_STREAM } kind;
	bool mux;
	bool stopped; /* -S */
	struct line_edit edit;
	struct bytes stream;
	char queue[CONSOLE_QUEUE]; /* typed while the machine ran */
	size_t queued;
	const char *script;
	struct gdb *gdb; /* NULL: none */
};

/* spec: "none", "stdio", "pty", "unix:PATH..."; mux: the monitor shares the terminal with a serial port. */
bool console_open(struct console *c, struct debugger *d, struct bytes_stdio *std, const char *spec, bool mux, struct error *err);
/* Runs until the end of the machine or of the session. False: the script failed. */
bool console_main(struct console *c);
void console_close(struct console *c);
/* From a signal handler: Ctrl-C. True: the monitor takes it. */
bool console_interrupt(struct console *c);

#endif
