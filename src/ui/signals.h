/* The program's signals: SIGINT, SIGTERM and SIGHUP end the machine's run soon, unless a monitor takes a Ctrl-C for itself. */
#ifndef UI_SIGNALS_H
#define UI_SIGNALS_H

#include "ui/console.h"

/* The machine that runs; NULL: none, or all is being closed. */
void signals_catch(struct machine *m);
/* Its monitor may take Ctrl-C; NULL: nobody. */
void signals_console(struct console *c);
/* -S without a monitor or GDB: a signal can start the machine. */
void signals_wait_for_start(void);

#endif
