/* Going on, stepping, and what is done at a stop. See debugger.h. */
#include <stdio.h>

#include "debug/backtrace.h"
#include "debug/debugger.h"

static struct machine *machine_of(struct debugger *d) { return d->t->machine; }

/* Breakpoints where the CPUs stand now are passed. */
static void leave_here(struct debugger *d)
{
	d->skip_icount = d->untold ? ~0ull : machine_of(d)->s.icount;
	d->untold = false;
	for (unsigned i = 0; i < d->t->cpus; i++)
		d->skip_va[i] = d->t->ops->here(d->t, i);
}

/* A breakpoint that counts instructions is a limit. */
static u64 limit_of(struct debugger *d, u64 until)
{
	u64 now = machine_of(d)->s.icount;

	for (struct breakpoint *b = d->breaks; b; b = b->next)
		if (b->on && b->kind == BREAK_COUNT && b->lo > now && b->lo < until)
			until = b->lo;
	if (d->walks && walk_record_due(d->walks) < until)
		until = walk_record_due(d->walks);
	return d->limit && d->limit < until ? d->limit : until;
}

static void count_reached(struct debugger *d)
{
	struct machine *m = machine_of(d);

	for (struct breakpoint *b = d->breaks; b; b = b->next)
		if (b->on && b->kind == BREAK_COUNT && b->lo == m->s.icount && d->hits < DEBUGGER_HITS) {
			b->hits++;
			d->hit[d->hits++] = (struct hit){.id = b->id, .cpu = m->s.turn_cpu, .va = d->t->ops->here(d->t, m->s.turn_cpu)};
		}
}

static bool reset(struct debugger *d)
{
	struct error err;

	if (!d->reboot)
		return false;
	machine_reset(machine_of(d));
	if (d->reboot(d->reboot_arg, &err))
		return true;
	fprintf(stderr, "undervisor: %s\n", err.msg);
	return false;
}

/* The hits in their order: a trap acts, anything else stops. */
static bool hits_stop(struct debugger *d)
{
	bool stop = false;

	for (unsigned i = 0; i < d->hits && !d->quit; i++) {
		struct breakpoint *b = debugger_find(d, d->hit[i].id);

		if (!b)
			continue;
		if (b->action[0] && !(d->act && d->act(d->act_arg, b, &d->hit[i])))
			continue;
		if (stop)
			continue; /* the first one is what is told */
		stop = true;
		d->stopped_at = b;
		d->stop_hit = d->hit[i];
		d->cpu = d->hit[i].cpu;
	}
	d->hits = 0;
	return stop || d->quit;
}

/* One run of the machine. True: it stands for a reason that counts. */
static bool run_once(struct debugger *d, u64 until)
{
	struct machine *m = machine_of(d);
	u64 limit = limit_of(d, until);

	d->why = machine_run(m, limit);
	m->interrupted = 0;
	if (d->walks)
		walk_record_look(d->walks, false);
	if (d->why == STOP_RESET && reset(d))
		return false;
	if (d->why == STOP_UNTIL)
		count_reached(d);
	if (d->hits) {
		enum stop was = d->why;

		if (hits_stop(d)) {
			d->why = STOP_DEBUG;
			return true;
		}
		if (was == STOP_DEBUG)
			return d->asked || d->world_changed;
	}
	if (d->why == STOP_DEBUG)
		return d->asked || d->world_changed;
	if (d->why == STOP_UNTIL && m->s.icount < until && !(d->limit && m->s.icount >= d->limit))
		return false;
	if (d->why == STOP_SIGNAL && d->asked) { /* Ctrl-C at an interactive monitor */
		d->why = STOP_DEBUG;
		return true;
	}
	d->over = d->why != STOP_UNTIL || (d->limit && m->s.icount >= d->limit);
	return true;
}

static void begin(struct debugger *d)
{
	leave_here(d);
	d->hits = 0;
	d->asked = d->world_changed = false;
	d->stopped_at = NULL;
	d->world = VIEW_NOW;
}

static enum stop stand(struct debugger *d)
{
	struct breakpoint *at = d->stopped_at;

	if (!d->stopped_at)
		d->cpu = d->why == STOP_DEBUG || d->why == STOP_UNTIL ? machine_of(d)->s.turn_cpu : machine_of(d)->culprit;
	if (at && at->temporary && !at->hidden) {
		d->gone = *at; /* what it was is still to be told */
		debugger_delete(d, at);
		d->stopped_at = &d->gone;
	}
	return d->why;
}

enum stop debugger_go_until(struct debugger *d, u64 icount)
{
	begin(d);
	while (!d->over && !d->quit && !run_once(d, icount))
		leave_here(d);
	return stand(d);
}

enum stop debugger_go(struct debugger *d) { return debugger_go_until(d, TIME_NEVER); }

/* The machine goes on one instruction at a time until it was the CPU's turn. */
enum stop debugger_step(struct debugger *d, unsigned cpu, u64 n)
{
	struct machine *m = machine_of(d);
	const struct target *t = d->t;

	begin(d);
	for (u64 i = 0; i < n && !d->over && !d->quit; i++) {
		u64 before = t->ops->retired(t, cpu);

		if (i)
			leave_here(d);
		while (t->ops->retired(t, cpu) == before && !d->over) {
			u64 next = m->s.icount + 1;

			if (!run_once(d, next))
				continue;
			if (d->why != STOP_UNTIL || d->stopped_at)
				return stand(d);
		}
	}
	stand(d);
	d->cpu = cpu;
	return d->why;
}

enum stop debugger_step_world(struct debugger *d)
{
	enum stop why;

	d->want_world = true;
	why = debugger_go(d);
	d->want_world = false;
	return why;
}

enum stop debugger_go_to(struct debugger *d, unsigned cpu, enum world world, u64 va, u64 stack)
{
	struct breakpoint b = {.kind = BREAK_EXEC, .level = LEVEL_V, .world = world, .lo = va, .hi = va, .on = true,
			       .hidden = true, .temporary = true, .stack = stack, .text = "here"}, *n;
	enum stop why;
	unsigned id;

	if (world == VIEW_GUEST)
		b.vmcb = d->t->ops->vmcb(d->t, cpu);
	snprintf(b.condition, sizeof b.condition, "cpu == %u", cpu);
	n = debugger_add(d, &b);
	if (!n)
		return STOP_NONE;
	id = n->id;
	why = debugger_go(d);
	n = debugger_find(d, id);
	if (n && d->stopped_at == n) {
		d->stopped_at = NULL;
		d->why = why = STOP_UNTIL;
	}
	if (n)
		debugger_delete(d, n);
	return why;
}

enum stop debugger_next(struct debugger *d, unsigned cpu)
{
	struct view v;
	char text[128] = "";
	unsigned len;

	view_get(&d->worlds, cpu, VIEW_NOW, 0, &v);
	len = view_disasm(&v, view_pc(&v), text, sizeof text);
	if (!len || !v.ops->comes_back(text))
		return debugger_step(d, cpu, 1);
	return debugger_go_to(d, cpu, v.guest ? VIEW_GUEST : VIEW_HOST, view_linear(&v, v.rip + len), view_sp(&v) - 1);
}

enum stop debugger_finish(struct debugger *d, unsigned cpu, struct error *err)
{
	struct view v;
	u64 r[16], pc;

	view_get(&d->worlds, cpu, VIEW_NOW, 0, &v);
	memcpy(r, v.r, sizeof r);
	pc = view_pc(&v);
	if (!backtrace_up(&d->symbols, &v, r, &pc)) {
		error_set(err, "the caller cannot be found");
		return STOP_NONE;
	}
	return debugger_go_to(d, cpu, v.guest ? VIEW_GUEST : VIEW_HOST, pc, view_sp(&v));
}

void debugger_ask(struct debugger *d)
{
	d->asked = true;
	machine_stop(machine_of(d), STOP_DEBUG);
}
