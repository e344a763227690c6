/* See dump_file.h. */
#include "debug/dump_file.h"

#include <errno.h>

#include "debug/backtrace.h"
#include "debug/dump.h"
#include "debug/event_text.h"
#include "debug/regs.h"
#include "debug/why.h"

#define EVENTS 50
#define RANGE_MAX (1u << 30)

static void dump_cpu_worlds(struct debugger *d, unsigned n, struct text *out)
{
	struct view v;
	unsigned frame = 0;

	for (enum world w = VIEW_HOST; w <= VIEW_GUEST; w++)
		if (view_get(&d->worlds, n, w, 0, &v)) {
			regs_print(out, &v);
			debugger_print_here(d, &v, out);
			backtrace_print(d, &v, out, &frame);
			text_puts(out, "\n");
		}
}

static void dump_guests(struct debugger *d, struct text *out)
{
	for (unsigned i = 0; i < d->worlds.guests; i++) {
		const struct guest *g = &d->worlds.guest[i];

		text_printf(out, "VMCB %llx (ASID %u, cpu%u, %llu VMRUNs):\n", (unsigned long long)g->vmcb, g->asid, g->cpu,
			    (unsigned long long)g->runs);
		svm_print_vmcb(out, &d->t->pc->cpu[g->cpu].x86, g->vmcb, false);
		text_puts(out, "\n");
	}
}

static void dump_events(struct debugger *d, struct text *out)
{
	const struct event_log *log = &d->t->machine->log;
	u64 n = log->count < EVENTS ? log->count : EVENTS;

	text_printf(out, "the last %llu events:\n", (unsigned long long)n);
	for (u64 i = log->count - n; i < log->count; i++)
		event_print(out, d->t, &log->ring[i % EVENT_RING]);
	text_puts(out, "\n");
}

static void dump_parts(struct debugger *d, struct text *out)
{
	struct target_part p;

	for (size_t i = 0; d->t->ops->part(d->t, d->cpu, i, &p); i++) {
		text_printf(out, "%s:\n", p.name);
		dump_fields(out, p.fields, p.n, p.state, false);
		text_puts(out, "\n");
	}
}

static void hex_line(struct text *out, u64 addr, const u8 *b, size_t n)
{
	text_printf(out, "%016llx:", (unsigned long long)addr);
	for (size_t i = 0; i < n; i++)
		text_printf(out, " %02x", b[i]);
	text_puts(out, "\n");
}

static bool dump_range(const struct view *v, const char *path, unsigned n, enum level l, u64 addr, u64 size, struct text *out, struct error *err)
{
	char name[512];
	u8 buf[16];
	FILE *f;

	snprintf(name, sizeof name, "%s.%u", path, n);
	f = fopen(name, "wb");
	if (!f)
		return error_set(err, "%.300s: %s", name, strerror(errno));
	text_printf(out, "memory %c:%llx, %llu bytes, in %s:\n", "vgp"[l], (unsigned long long)addr, (unsigned long long)size, name);
	while (size) {
		size_t part = size < sizeof buf ? (size_t)size : sizeof buf, got = view_read(v, l, addr, buf, part);

		hex_line(out, addr, buf, got);
		fwrite(buf, 1, got, f);
		if (got < part) {
			text_printf(out, "%016llx: unreadable\n", (unsigned long long)(addr + got));
			break;
		}
		addr += part;
		size -= part;
	}
	return fclose(f) == 0 || error_set(err, "%.300s: %s", name, strerror(errno));
}

static bool dump_ranges(struct debugger *d, const char *path, const char *p, struct text *out, struct error *err)
{
	struct view v;
	struct expr_env env;

	debugger_view(d, &v);
	env = debugger_env(d, &v);
	for (unsigned n = 0;; n++) {
		enum level l = LEVEL_V;
		u64 addr, size;

		while (*p == ' ')
			p++;
		if (!*p)
			return true;
		if (p[0] && p[1] == ':' && strchr("vgp", p[0])) {
			l = *p == 'g' ? LEVEL_G : *p == 'p' ? LEVEL_P : LEVEL_V;
			p += 2;
		}
		if (!expr_eval(&env, p, &p, &addr, err))
			return false;
		if (*p != ',')
			return error_set(err, "dump: expected ADDR,BYTES");
		if (!expr_eval(&env, p + 1, &p, &size, err))
			return false;
		if (size > RANGE_MAX)
			return error_set(err, "dump: at most 1 GB");
		if (!dump_range(&v, path, n, l, addr, size, out, err))
			return false;
	}
}

bool dump_file(struct debugger *d, const char *path, const char *ranges, const char *why, struct error *err)
{
	FILE *f = fopen(path, "w");
	struct text out;
	bool good;

	if (!f)
		return error_set(err, "%s: %s", path, strerror(errno));
	text_init_file(&out, f);
	text_printf(&out, "undervisor dump: %s\nafter %llu instructions, %llu ns of virtual time\n\n", why,
		    (unsigned long long)d->t->machine->s.icount, (unsigned long long)d->t->machine->sched.now);
	why_print(d, &out);
	text_puts(&out, "\n");
	for (unsigned i = 0; i < d->t->cpus; i++)
		dump_cpu_worlds(d, i, &out);
	dump_guests(d, &out);
	dump_events(d, &out);
	dump_parts(d, &out);
	good = dump_ranges(d, path, ranges, &out, err);
	if (fclose(f) && good)
		return error_set(err, "%s: %s", path, strerror(errno));
	return good;
}
