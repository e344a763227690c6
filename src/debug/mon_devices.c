/* Monitor commands for devices: every one shows the fields of its state struct. */
#include <stdlib.h>

#include "debug/dump.h"
#include "debug/monitor.h"

/* Part n; of all CPUs if each has one. */
static void show(struct monitor *m, size_t n)
{
	const struct target *t = m->d->t;
	struct target_part p;

	for (unsigned cpu = 0; cpu < t->cpus; cpu++) {
		t->ops->part(t, cpu, n, &p);
		text_puts(m->out, p.name);
		if (p.per_cpu)
			text_printf(m->out, "%u", cpu);
		text_puts(m->out, "\n");
		dump_fields(m->out, p.fields, p.n, p.state, false);
		if (!p.per_cpu)
			return;
	}
}

static void info(struct monitor *m, char *args)
{
	const struct target *t = m->d->t;
	char *name = mon_word(&args);
	struct target_part p;

	if (!name) {
		for (size_t i = 0; t->ops->part(t, m->d->cpu, i, &p); i++)
			text_printf(m->out, "%s ", p.name);
		text_puts(m->out, "machine\n");
		return;
	}
	if (!strcmp(name, "machine")) {
		dump_fields(m->out, machine_fields, machine_fields_n, &t->machine->s, false);
		text_printf(m->out, "  virtual time %llu ns\n", (unsigned long long)t->machine->sched.now);
		return;
	}
	for (size_t i = 0; t->ops->part(t, m->d->cpu, i, &p); i++)
		if (!strcmp(name, p.name)) {
			show(m, i);
			return;
		}
	mon_fail(m, "no device is called '%s' (info lists them)", name);
}

static void print_space(struct text *out, const struct space *s)
{
	static const char *const kind[] = {"RAM", "ROM", "device"};

	text_printf(out, "%s\n", s->name);
	for (unsigned i = 0; i < s->regions; i++) {
		const struct region *r = &s->region[i];

		text_printf(out, "  %012llx-%012llx %-6s %s%s\n", (unsigned long long)r->base, (unsigned long long)(r->base + r->size - 1),
			    kind[r->kind], r->ops ? r->ops->name : r->name, r->off ? " (hidden)" : "");
	}
}

static void map(struct monitor *m, char *args)
{
	(void)args;
	print_space(m->out, m->d->t->mem);
	if (m->d->t->pc)
		print_space(m->out, &m->d->t->pc->io);
}

const struct command mon_devices[] = {
	{"info", "device", "[NAME]", "the state of a device, field by field; without NAME: their names", info, false},
	{"map", NULL, "", "physical memory, and a PC's ports: who answers where", map, false},
	{0},
};
