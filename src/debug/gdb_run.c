/* The stub's running: breakpoints, resuming, stop replies. GDB manual, E.2 (vCont, Z), E.3 (stop replies). */
#include <stdio.h>
#include <stdlib.h>

#include "debug/gdb.h"
#include "debug/gdb_agent.h"

/* ---- Z and z ---- */

enum { Z_SOFTWARE, Z_HARDWARE, Z_WRITE, Z_READ, Z_ACCESS };

static struct breakpoint *same(struct gdb *g, const struct breakpoint *b)
{
	for (struct breakpoint *o = g->d->breaks; o; o = o->next)
		if (o->hidden && !o->temporary && o->kind == b->kind && o->lo == b->lo && o->hi == b->hi && o->world == b->world &&
		    o->vmcb == b->vmcb && o->read == b->read && o->write == b->write && !strcmp(o->text, b->text))
			return o;
	return NULL;
}

/* As the client numbers them in conditions. */
static enum gdb_agent_regs registers_of(const struct gdb *g, unsigned pid)
{
	if (g->d->t->icp)
		return GDB_AGENT_ARM;
	return g->bits[pid < sizeof g->bits ? pid : 1] == 64 ? GDB_AGENT_AMD64 : GDB_AGENT_NONE;
}

void gdb_breakpoint(struct gdb *g, char *s, bool insert)
{
	struct breakpoint b = {.on = true, .hidden = true, .level = LEVEL_V}, *have;
	unsigned type = (unsigned)strtoul(s, &s, 16);
	unsigned pid = gdb_pid(g);
	u64 kind = 0;

	if (type > Z_ACCESS || *s != ',')
		return; /* not supported */
	b.lo = strtoull(s + 1, &s, 16);
	if (*s == ',')
		kind = strtoull(s + 1, &s, 16);
	b.kind = type < Z_WRITE ? BREAK_EXEC : BREAK_WATCH;
	b.hi = b.kind == BREAK_EXEC || !kind ? b.lo : b.lo + kind - 1;
	b.write = type == Z_WRITE || type == Z_ACCESS;
	b.read = type == Z_READ || type == Z_ACCESS;
	b.world = pid == 1 ? VIEW_HOST : VIEW_GUEST;
	if (kind > 1u << 20 || b.hi < b.lo || pid - 1 > g->d->worlds.guests) {
		gdb_puts(g, "E01");
		return;
	}
	b.vmcb = pid > 1 ? g->d->worlds.guest[pid - 2].vmcb : 0;
	snprintf(b.text, sizeof b.text, "gdb %u", type);
	have = same(g, &b);
	if (have && !insert)
		debugger_delete(g->d, have);
	if (insert) {
		struct breakpoint *n = have ? have : debugger_add(g->d, &b);

		if (!n || !gdb_agent_conditions(s, n, registers_of(g, pid))) {
			gdb_puts(g, "E01");
			return;
		}
	}
	gdb_puts(g, "OK");
}

/* ---- stop replies ---- */

unsigned gdb_live_pid(struct gdb *g, unsigned cpu)
{
	const struct target *t = g->d->t;
	struct guest *guest = g->multiprocess && t->ops->guest(t, cpu) ? worlds_guest(&g->d->worlds, t->ops->vmcb(t, cpu), false) : NULL;

	return guest ? 2 + (unsigned)(guest - g->d->worlds.guest) : 1;
}

static void stop_signal(struct gdb *g, unsigned *signal)
{
	switch (g->d->why) {
	case STOP_TRIPLE_FAULT: *signal = 11; break;
	case STOP_UNIMPLEMENTED: *signal = 4; break;
	default: *signal = g->d->asked && !g->d->stopped_at ? 2 : 5; break;
	}
}

void gdb_stop_reply(struct gdb *g)
{
	struct debugger *d = g->d;
	const struct breakpoint *b = d->stopped_at;
	unsigned signal, cpu = d->cpu, pid = gdb_live_pid(g, cpu);

	if (d->over && d->why != STOP_TRIPLE_FAULT && d->why != STOP_UNIMPLEMENTED && d->why != STOP_HALTED && d->why != STOP_NONE) {
		gdb_printf(g, g->multiprocess ? "W%02x;process:1" : "W%02x", (unsigned)machine_exit_status(d->t->machine, d->why));
		return;
	}
	stop_signal(g, &signal);
	gdb_printf(g, "T%02x", signal);
	if (g->multiprocess)
		gdb_printf(g, "thread:p%x.%x;", pid, cpu + 1);
	else
		gdb_printf(g, "thread:%x;", cpu + 1);
	gdb_printf(g, "core:%x;", cpu);
	if (b && b->hidden && b->kind == BREAK_EXEC)
		gdb_puts(g, !strcmp(b->text, "gdb 1") ? "hwbreak:;" : "swbreak:;");
	else if (b && b->hidden && b->kind == BREAK_WATCH)
		gdb_printf(g, "%s:%llx;", b->read && b->write ? "awatch" : b->read ? "rwatch" : "watch", (unsigned long long)d->stop_hit.va);
	/* Where the client looks next. */
	g->g_pid = g->stop_pid = pid;
	g->g_tid = cpu + 1;
	g->told |= 1u << pid;
}

/* ---- vCont ---- */

struct action {
	char what; /* c, s, r */
	bool alone; /* no other thread is to move */
	unsigned pid, tid;
	u64 start, end;
};

/* Takes the first action that steps a thread, or else continues. */
static bool choose(struct gdb *g, char *s, struct action *a)
{
	bool alone = true;

	*a = (struct action){.what = 'c'};
	while (*s) {
		struct action n = {.what = *s++, .pid = gdb_pid(g), .tid = g->g_tid};

		if (!strchr("cCsSr", n.what))
			return false;
		if (n.what == 'C' || n.what == 'S') { /* with a signal, which nobody could receive */
			strtoul(s, &s, 16);
			n.what |= 0x20;
		}
		if (n.what == 'r') {
			n.start = strtoull(s, &s, 16);
			if (*s != ',')
				return false;
			n.end = strtoull(s + 1, &s, 16);
		}
		if (*s == ':') {
			s++;
			n.pid = 1;
			if (*s == 'p')
				n.pid = (unsigned)strtoul(s + 1, &s, 16);
			if (*s == '.')
				s++;
			if (s[0] == '-')
				s += 2;
			else
				n.tid = (unsigned)strtoul(s, &s, 16);
		}
		if (*s && *s != ';')
			return false;
		s += *s == ';';
		if (n.what != 'c' && a->what == 'c')
			*a = n;
		else if (n.what == 'c')
			alone = false;
	}
	a->alone = alone && a->what == 's';
	return true;
}

/* A world that waits is stepped by running until it is back. */
static void until_live(struct gdb *g, unsigned pid, unsigned cpu)
{
	do
		debugger_step_world(g->d);
	while (!g->d->over && !g->d->quit && !g->d->asked && !g->d->stopped_at && gdb_live_pid(g, cpu) != pid);
	if (gdb_live_pid(g, cpu) == pid)
		g->d->cpu = cpu;
}

static unsigned cpu_of(struct gdb *g, const struct action *a)
{
	if (a->pid > 1 && a->pid - 2 < g->d->worlds.guests)
		return g->d->worlds.guest[a->pid - 2].cpu;
	return a->tid && a->tid <= g->d->t->cpus ? a->tid - 1 : g->d->cpu;
}

static void step(struct gdb *g, const struct action *a, unsigned cpu)
{
	struct debugger *d = g->d;

	if (g->multiprocess && gdb_live_pid(g, cpu) != a->pid) {
		until_live(g, a->pid, cpu);
		return;
	}
	do {
		struct view v;

		if (debugger_step(d, cpu, 1) != STOP_UNTIL || d->stopped_at || d->asked || a->what != 'r' || gdb_live_pid(g, cpu) != a->pid)
			return;
		view_get(&d->worlds, cpu, VIEW_NOW, 0, &v);
		if (view_pc(&v) < a->start || view_pc(&v) >= a->end)
			return;
	} while (!d->over);
}

/*
 * GDB steps a thread over a breakpoint alone, and fails (GDB 13: an assertion) when another thread or process stops then: a VMRUN or #VMEXIT
 * under that breakpoint. So the thread that it named is told, at an address that is not the breakpoint's, and the other one when it
 * goes on. True: that was done.
 */
static bool stepped_elsewhere(struct gdb *g, const struct action *a, unsigned cpu)
{
	struct view v;
	char text[128];

	if (!a->alone || g->d->over || g->d->quit || !g->multiprocess || (g->d->cpu == cpu && gdb_live_pid(g, cpu) == a->pid) ||
	    !gdb_view(g, a->pid, cpu + 1, &v))
		return false;
	g->owed = true;
	g->g_pid = g->stop_pid = a->pid;
	g->g_tid = cpu + 1;
	gdb_puts(g, "T05");
	gdb_put_pc(g, view_pc(&v) + view_disasm(&v, view_pc(&v), text, sizeof text));
	gdb_printf(g, "thread:p%x.%x;core:%x;", a->pid, cpu + 1, cpu);
	return true;
}

/* What stopped when something else was told. True: that is told now, and nothing moves. */
static bool owed(struct gdb *g, const struct action *a, unsigned cpu)
{
	if (!g->owed)
		return false;
	g->owed = false;
	if (g->d->stopped_at || (a->what != 'c' && !a->alone && gdb_live_pid(g, cpu) != a->pid))
		return true;
	g->d->untold = true;
	return false;
}

void gdb_resume(struct gdb *g, char *s)
{
	struct action a;
	unsigned cpu;

	if (!choose(g, s, &a)) {
		gdb_puts(g, "E01");
		return;
	}
	cpu = cpu_of(g, &a);
	if (!g->d->over && !owed(g, &a, cpu)) {
		if (a.what == 'c')
			debugger_go(g->d);
		else
			step(g, &a, cpu);
		if (stepped_elsewhere(g, &a, cpu))
			return;
	}
	if (!g->d->quit)
		gdb_stop_reply(g);
}
