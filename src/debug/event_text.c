/* See event_text.h. One function per kind of event prints the end of its line. */
#include "debug/event_text.h"

#include "debug/dump.h"
#include "svm/explain.h"

static void print_exception(struct text *out, const struct event *e)
{
	dump_exception(out, e->a & 0xff, e->a >> 8 & 1, (u32)e->b, e->c, e->a >> 16);
	text_puts(out, "\n");
}

static void print_interrupt(struct text *out, const struct event *e)
{
	static const char *const source[] = {"external", "software", "NMI", "injected", "virtual"};
	unsigned from = e->a >> 8 & 0xff;

	text_printf(out, "vector %02xh %s\n", e->a & 0xff, from < ARRAY_SIZE(source) ? source[from] : "?");
}

static void print_vmrun(struct text *out, const struct event *e)
{
	text_printf(out, "ASID %u VMCB %llx guest rip %016llx\n", e->a, (unsigned long long)e->b,
		    (unsigned long long)e->c);
}

void event_print_access(struct text *out, const struct event *e, struct space *s)
{
	const struct region *r = space_find(s, e->b);
	const char *name = !r ? "nobody" : r->ops ? r->ops->name : r->name;
	unsigned size = e->a & 0xff;

	text_printf(out, "%s %u at %llx (%s) %0*llx\n", e->a >> 8 & 1 ? "write" : "read ", size,
		    (unsigned long long)e->b, name, (int)size * 2, (unsigned long long)(e->c & mask_low(size * 8)));
}

static void print_walk(struct text *out, const struct event *e)
{
	static const char *const access[] = {"read", "write", "fetch", "fetch"};

	text_printf(out, "%s%s %016llx -> %016llx\n", e->a & ACC_USER ? "user " : "", access[e->a & 3],
		    (unsigned long long)e->b, (unsigned long long)e->c);
}

static void print_flush(struct text *out, const struct event *e)
{
	static const char *const what[] = {[FLUSH_EVERYTHING] = "everything",
					   [FLUSH_ASID] = "ASID",
					   [FLUSH_PCID] = "one PCID of ASID",
					   [FLUSH_PCIDS] = "all PCIDs of ASID",
					   [FLUSH_PAGE] = "page"};

	text_puts(out, e->a < ARRAY_SIZE(what) ? what[e->a] : "?");
	if (e->a == FLUSH_EVERYTHING)
		text_puts(out, "\n");
	else
		text_printf(out, " %llx\n", (unsigned long long)e->b);
}

static void print_reset(struct text *out, const struct event *e)
{
	static const char *const what[] = {"reset", "INIT", "start-up", "shutdown"};

	text_puts(out, e->a < ARRAY_SIZE(what) ? what[e->a] : "?");
	if (e->a == 2)
		text_printf(out, " at %llx000h", (unsigned long long)e->b);
	text_puts(out, "\n");
}

const char *event_mode_text(u32 mode)
{
	static const char *const size[] = {"16-bit", "32-bit", "64-bit", "?"};

	if (!(mode & MODE_PE))
		return "real";
	if (mode & MODE_VM)
		return "virtual-8086";
	return mode & MODE_LONG && (mode & MODE_SIZE) != MODE_64 ? "compatibility" : size[mode & MODE_SIZE];
}

static void print_msr(struct text *out, const struct event *e)
{
	text_printf(out, "%s %08x %016llx\n", e->c ? "write" : "read ", e->a, (unsigned long long)e->b);
}

static void print_cr(struct text *out, const struct event *e)
{
	text_printf(out, "CR%u = %016llx\n", e->a, (unsigned long long)e->b);
}

static void print_mode(struct text *out, const struct event *e)
{
	text_printf(out, "%s, was %s\n", event_mode_text(e->a), event_mode_text((u32)e->b));
}

static void print_vmexit(struct text *out, const struct event *e)
{
	char name[32];

	svm_exit_name(e->c, name, sizeof name);
	text_printf(out, "%s VMCB %llx\n", name, (unsigned long long)e->b);
}

/* ---- the line ---- */

static const char *const names[EV_KINDS] = {
	[EV_EXCEPTION] = "exc", [EV_INTERRUPT] = "int", [EV_VMRUN] = "vmrun", [EV_VMEXIT] = "vmexit",
	[EV_MMIO] = "mmio",     [EV_PIO] = "pio",       [EV_WALK] = "walk",   [EV_FLUSH] = "flush",
	[EV_EXEC] = "exec",     [EV_RESET] = "reset",   [EV_MSR] = "msr",     [EV_CR] = "cr",
	[EV_MODE] = "mode",
};

const char *event_name(enum event_kind kind) { return kind < EV_KINDS && names[kind] ? names[kind] : "?"; }

void event_print_head(struct text *out, const struct event *e, const char *what)
{
	text_printf(out, "%12llu cpu%u %-5s %016llx %-*s", (unsigned long long)e->icount, e->cpu,
		    e->guest ? "guest" : "host", (unsigned long long)e->ip, *what ? 7 : 0, what);
}

void event_print_x86(struct text *out, const struct target *t, const struct event *e)
{
	event_print_head(out, e, event_name(e->kind));
	switch ((enum event_kind)e->kind) {
	case EV_EXCEPTION: print_exception(out, e); break;
	case EV_INTERRUPT: print_interrupt(out, e); break;
	case EV_VMRUN: print_vmrun(out, e); break;
	case EV_VMEXIT: print_vmexit(out, e); break;
	case EV_MMIO: event_print_access(out, e, t->mem); break;
	case EV_PIO: event_print_access(out, e, &t->pc->io); break;
	case EV_WALK: print_walk(out, e); break;
	case EV_FLUSH: print_flush(out, e); break;
	case EV_MSR: print_msr(out, e); break;
	case EV_CR: print_cr(out, e); break;
	case EV_MODE: print_mode(out, e); break;
	case EV_RESET: print_reset(out, e); break;
	default: text_puts(out, "\n"); break;
	}
}
