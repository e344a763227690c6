/* Monitor commands for devices: every one shows the fields of its state struct. */
#include <stdlib.h>

#include "debug/dump.h"
#include "debug/monitor.h"

static void show_lapic(struct monitor *m, unsigned n)
{
	text_printf(m->out, "lapic%u\n", n);
	dump_fields(m->out, lapic_fields, LAPIC_FIELDS, &m->d->pc->cpu[n].lapic.s, false);
}

static void info(struct monitor *m, char *args)
{
	struct pc *pc = m->d->pc;
	char *name = mon_word(&args);

	if (!name) {
		for (size_t i = 0; i < pc_parts_n; i++)
			text_printf(m->out, "%s%s", i ? " " : "", pc_parts[i].name);
		text_puts(m->out, " lapic machine svm\n");
		return;
	}
	if (!strcmp(name, "lapic")) {
		for (unsigned i = 0; i < pc->cfg.cpus; i++)
			show_lapic(m, i);
		return;
	}
	if (!strcmp(name, "machine")) {
		dump_fields(m->out, machine_fields, machine_fields_n, &pc->machine.s, false);
		text_printf(m->out, "  virtual time %llu ns\n", (unsigned long long)pc->machine.sched.now);
		return;
	}
	if (!strcmp(name, "svm")) {
		dump_fields(m->out, svm_fields, svm_fields_n, &pc->cpu[m->d->cpu].x86.svm, false);
		return;
	}
	for (size_t i = 0; i < pc_parts_n; i++)
		if (!strcmp(name, pc_parts[i].name)) {
			text_printf(m->out, "%s\n", name);
			dump_fields(m->out, pc_parts[i].fields, pc_parts[i].n, (const char *)pc + pc_parts[i].off, false);
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
	print_space(m->out, &m->d->pc->mem);
	print_space(m->out, &m->d->pc->io);
}

const struct command mon_devices[] = {
	{"info", "device", "[NAME]", "the state of a device, field by field; without NAME: their names", info, false},
	{"map", NULL, "", "physical memory and ports: who answers where", map, false},
	{0},
};
