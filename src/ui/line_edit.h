/* A line from the user: libedit with history and completion on a terminal, plain lines elsewhere and without libedit. */
#ifndef UI_LINE_EDIT_H
#define UI_LINE_EDIT_H

#include "base/types.h"

struct line_edit {
	void *el, *history;
	bool tty;
	/* Called while nothing is typed, every few ms; true: give up waiting. May be NULL. */
	bool (*idle)(void *arg);
	void *idle_arg;
	bool gave_up, eof, back; /* back: Ctrl-A C was typed */
	char prompt[16];
	char line[1024];
};

void line_edit_init(struct line_edit *l, const char *prompt);
/* The next line without its end; NULL: the input has ended, or idle gave up. */
const char *line_edit_get(struct line_edit *l);
void line_edit_free(struct line_edit *l);
/* "libedit", or NULL. */
const char *line_edit_library(void);

#endif
