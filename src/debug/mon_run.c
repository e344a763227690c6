/* Monitor commands that run the machine. */
#include <stdlib.h>

#include "debug/monitor.h"

/* An optional number of times. */
static bool times(struct monitor *m, char *args, u64 *n)
{
	*n = 1;
	return !*args || (mon_value(m, &args, n) && mon_end(m, args));
}

static bool may_run(struct monitor *m)
{
	if (m->d->over) {
		mon_fail(m, "the machine has ended (%s); reset starts it again", machine_stop_text(m->d->why));
		m->resumed = false;
	}
	return !m->d->over;
}

static void run(struct monitor *m, char *args)
{
	u64 until;

	if (!may_run(m))
		return;
	if (!*args) {
		debugger_go(m->d);
		return;
	}
	if (mon_value(m, &args, &until) && mon_end(m, args))
		debugger_go_until(m->d, until);
	else
		m->resumed = false;
}

static void stop(struct monitor *m, char *args)
{
	(void)args;
	text_puts(m->out, "the machine stands\n");
}

static void step(struct monitor *m, char *args)
{
	u64 n;

	if (may_run(m) && times(m, args, &n))
		debugger_step(m->d, m->d->cpu, n);
	else
		m->resumed = false;
}

static void next(struct monitor *m, char *args)
{
	u64 n;

	if (!may_run(m) || !times(m, args, &n)) {
		m->resumed = false;
		return;
	}
	for (u64 i = 0; i < n && !m->d->over && !(i && m->d->stopped_at); i++)
		debugger_next(m->d, m->d->cpu);
}

static void finish(struct monitor *m, char *args)
{
	struct error err = {0};

	if (!may_run(m) || !mon_end(m, args))
		return;
	if (debugger_finish(m->d, m->d->cpu, &err) == STOP_NONE) {
		mon_fail(m, "%s", err.msg);
		m->resumed = false;
	}
}

static void stepworld(struct monitor *m, char *args)
{
	if (!m->d->t->pc) {
		mon_fail(m, "this board has one world (break mode stops where the mode changes)");
		m->resumed = false;
		return;
	}
	if (may_run(m) && mon_end(m, args))
		debugger_step_world(m->d);
	else
		m->resumed = false;
}

static void until(struct monitor *m, char *args)
{
	struct view v;
	u64 va;

	debugger_view(m->d, &v);
	if (may_run(m) && mon_value(m, &args, &va) && mon_end(m, args))
		debugger_go_to(m->d, m->d->cpu, v.guest ? VIEW_GUEST : VIEW_HOST, va, 0);
	else
		m->resumed = false;
}

static void reset(struct monitor *m, char *args)
{
	struct debugger *d = m->d;
	struct error err = {{0}};

	(void)args;
	machine_reset(d->t->machine);
	if (d->reboot && !d->reboot(d->reboot_arg, &err)) {
		mon_fail(m, "%s", err.msg);
		return;
	}
	d->over = false;
	d->why = STOP_NONE;
	d->stopped_at = NULL;
	d->world = VIEW_NOW;
	d->cpu = 0;
	debugger_print_stop(d, m->out);
}

static void quit(struct monitor *m, char *args)
{
	u64 status;

	if (*args) {
		if (!mon_value(m, &args, &status) || !mon_end(m, args))
			return;
		m->d->status = (int)(status & 0xff);
	}
	m->d->quit = true;
}

static void echo(struct monitor *m, char *args) { text_printf(m->out, "%s\n", args); }

const struct command mon_run[] = {
	{"run", "c", "[COUNT]", "go on, at most until the instruction count COUNT", run, true},
	{"stop", NULL, "", "stop (while the machine runs)", stop, false},
	{"step", "s", "[N]", "execute N instructions of this CPU, in whichever world", step, true},
	{"next", "n", "[N]", "the same, over calls, repeated instructions and VMRUN", next, true},
	{"finish", "fin", "", "run until this function returns", finish, true},
	{"stepworld", "sw", "", "run until the world changes: VMRUN or #VMEXIT", stepworld, true},
	{"until", "u", "ADDR", "run until ADDR in the world that is looked at", until, true},
	{"reset", NULL, "", "reset the machine and load its kernel again", reset, false},
	{"quit", "q", "[CODE]", "end Undervisor, with exit status CODE", quit, false},
	{"echo", NULL, "TEXT", "print TEXT", echo, false},
	{0},
};
