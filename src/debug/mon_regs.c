/* Monitor commands for registers and for choosing what is looked at. */
#include <stdio.h>
#include <stdlib.h>

#include "debug/dump.h"
#include "debug/monitor.h"
#include "debug/regs.h"
#include "debug/waiting.h"

static void registers(struct monitor *m, char *args)
{
	struct debugger *d = m->d;
	char *w = mon_word(&args);
	struct view v;

	if (w && !strcmp(w, "all")) {
		d->t->ops->print_cpu(m->out, d->t, d->cpu);
		return;
	}
	if (w && strcmp(w, "host") && strcmp(w, "guest")) {
		mon_fail(m, "expected host, guest or all");
		return;
	}
	if (!w) {
		debugger_view(d, &v);
	} else if (!view_get(&d->worlds, d->cpu, *w == 'g' ? VIEW_GUEST : VIEW_HOST, 0, &v)) {
		mon_fail(m, "no guest has run on cpu%u yet", d->cpu);
		return;
	}
	regs_print(m->out, &v);
}

static void cpus(struct monitor *m, char *args)
{
	struct debugger *d = m->d;
	u64 n;
	struct view v;

	if (*args) {
		if (!mon_value(m, &args, &n) || !mon_end(m, args))
			return;
		if (n >= d->t->cpus) {
			mon_fail(m, "there are %u CPUs", d->t->cpus);
			return;
		}
		d->cpu = (unsigned)n;
		d->world = VIEW_NOW;
	}
	for (unsigned i = 0; i < d->t->cpus; i++) {
		const char *waits = d->t->ops->waits(d->t, i);

		view_get(&d->worlds, i, VIEW_NOW, 0, &v);
		text_printf(m->out, "%c ", i == d->cpu ? '*' : ' ');
		if (waits)
			text_printf(m->out, "(%s) ", waits);
		debugger_print_here(d, &v, m->out);
	}
}

static void world(struct monitor *m, char *args)
{
	struct debugger *d = m->d;
	struct view v;
	char *w = mon_word(&args);
	enum world was = d->world;

	if (w && !strcmp(w, "guest")) {
		u64 vmcb = 0;

		if (*args && (!mon_value(m, &args, &vmcb) || !mon_end(m, args)))
			return;
		d->world = VIEW_GUEST;
		d->vmcb = vmcb;
		if (!view_get(&d->worlds, d->cpu, d->world, vmcb, &v)) {
			d->world = was;
			mon_fail(m, "no guest has run on cpu%u yet", d->cpu);
			return;
		}
	} else if (w && !strcmp(w, "host")) {
		d->world = VIEW_HOST;
	} else if (w && !strcmp(w, "now")) {
		d->world = VIEW_NOW;
	} else if (w) {
		mon_fail(m, "expected host, guest [VMCB] or now");
		return;
	}
	debugger_view(d, &v);
	debugger_print_here(d, &v, m->out);
}

static void set(struct monitor *m, char *args)
{
	struct view v;
	struct error err;
	char *name, *eq = strchr(args, '=');
	u64 val;

	debugger_view(m->d, &v);
	if (!eq) {
		mon_fail(m, "expected REGISTER = EXPRESSION");
		return;
	}
	*eq++ = 0;
	name = mon_word(&args);
	if (!name || !mon_value(m, &eq, &val) || !mon_end(m, eq))
		return;
	if (!v.live && !waiting_set(&m->d->worlds, &v, name, val, &err))
		mon_fail(m, "%s", err.msg);
	else if (v.live && !regs_set(&v, name, val))
		mon_fail(m, "%s cannot be set (general registers, rip and rflags, or pc and cpsr can)", name);
}

static void print(struct monitor *m, char *args)
{
	u64 val;
	char name[128];
	struct view v;

	if (!mon_value(m, &args, &val) || !mon_end(m, args))
		return;
	debugger_view(m->d, &v);
	text_printf(m->out, "%llx = %lld", (unsigned long long)val, (long long)val);
	if (symbols_name(&m->d->symbols, &v, val, name, sizeof name))
		text_printf(m->out, " <%s>", name);
	text_puts(m->out, "\n");
}

const struct command mon_regs[] = {
	{"registers", "r", "[host|guest|all]", "registers of this CPU, decoded; of the world that does not run too; all: its whole state", registers, false},
	{"cpu", NULL, "[N]", "list the CPUs, and look at CPU N", cpus, false},
	{"world", "w", "[host|guest [VMCB]|now]", "whose registers, memory and symbols are looked at", world, false},
	{"set", NULL, "REGISTER = EXPRESSION", "set a register; of a world that waits, what its VMCB or save area holds", set, false},
	{"print", "p", "EXPRESSION", "a value: registers, vmcb.FIELD, [v:ADDR] [g:ADDR] [p:ADDR] with .b .w .d .q, symbols", print, false},
	{0},
};
