/* See signals.h. */
#include "ui/signals.h"

#include <stdio.h>
#include <unistd.h>

static struct machine *volatile interrupt_me; /* NULL: nothing runs, or all is being closed */
static struct console *volatile interrupt_console; /* it may take a Ctrl-C for itself */

/* timeout(1) sends its signal twice; a user who insists means it. */
static void on_signal(int sig)
{
	static volatile sig_atomic_t times;

	if (++times > 3)
		_exit(128 + sig);
	if (!interrupt_me)
		return;
	if (sig == SIGINT && interrupt_console && console_interrupt(interrupt_console)) {
		times = 0;
		return;
	}
	if (interrupt_console)
		interrupt_console->d->quit = true;
	machine_interrupt(interrupt_me);
}

void signals_console(struct console *c) { interrupt_console = c; }

void signals_catch(struct machine *m)
{
	struct sigaction a = {.sa_handler = on_signal};

	interrupt_me = m;
	if (!m)
		return;
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	sigaction(SIGHUP, &a, NULL);
	signal(SIGPIPE, SIG_IGN);
}

void signals_wait_for_start(void)
{
	sigset_t start;
	int sig;

	sigemptyset(&start);
	sigaddset(&start, SIGCONT);
	sigaddset(&start, SIGUSR1);
	sigprocmask(SIG_BLOCK, &start, NULL);
	fprintf(stderr, "undervisor: stopped (-S); kill -CONT %ld starts the machine\n", (long)getpid());
	sigwait(&start, &sig);
	sigprocmask(SIG_UNBLOCK, &start, NULL);
}
