/*
 * A run from the command line, whichever the board: log, walks, debugger, window, the run itself, and what its end was. The boards' own parts are
 * session_pc.c and session_arm.c.
 */
#ifndef UI_SESSION_H
#define UI_SESSION_H

#include "debug/log.h"
#include "debug/walk_out.h"
#include "ui/debugging.h"
#include "ui/panes.h"
#include "ui/window.h"

enum { EXIT_USAGE = 2, EXIT_FILE = 4 }; /* the others: machine.c, docs/undervisor.1 */

struct session {
	struct options *o;
	struct bytes_stdio std;
	struct target target;
	struct hub hub;
	struct log log;
	struct walk_record walks;
	struct debugging debug;
	bool debugged;
	FILE *log_file;
	struct window *window;
	struct panes panes;
	u64 started; /* host ns */
	/* The board's part, and what is called with it: */
	void *arg;
	bool (*boot)(void *arg, struct error *err); /* loads what runs on it, again after a reset that the guest asked for */
	void (*tell)(void *arg, enum stop why, struct text *out); /* what the end was */
	void (*close_streams)(void *arg);
	bool (*pictures)(void *arg, struct error *err); /* --screenshot and the like */
};

/* First of all. */
void session_begin(struct session *s);
/* After the target is known: log, walks. */
bool session_open_log(struct session *s, struct error *err);
bool session_open_window(struct session *s, const struct window_board *board, struct error *err);
/* The machine's switches from the command line. */
void session_set_machine(const struct session *s);
/* One line about what is wrong; streams are closed. Returns status. */
int session_fail(struct session *s, const struct error *err, int status);
/* From the first instruction to the last word. The exit status. */
int session_run(struct session *s);
void session_free(struct session *s);

/* ---- the boards ---- */
int session_pc(struct options *o);
int session_arm(struct options *o);

#endif
