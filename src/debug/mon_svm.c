/* Monitor commands for SVM: VMCBs, guests, permission maps. APM2 15.10, 15.11, app. B. */
#include <stdio.h>

#include "debug/monitor.h"
#include "svm/vmcb.h"

/* The VMCB that is meant: an address, or that of the present or last guest. */
static bool which(struct monitor *m, char *args, u64 *pa)
{
	struct view v;

	if (*args)
		return mon_value(m, &args, pa) && mon_end(m, args);
	debugger_view(m->d, &v);
	*pa = v.vmcb;
	if (v.vmcb == ~0ull)
		mon_fail(m, "no VMRUN was seen yet");
	return v.vmcb != ~0ull;
}

static void page_of(struct debugger *d, u64 pa, u8 page[VMCB_SIZE])
{
	for (unsigned i = 0; i < VMCB_SIZE; i += 8)
		store_le(page + i, 8, space_peek(d->t->mem, (pa & PAGE_MASK) + i, 8));
}

static void diff(struct monitor *m, char *args)
{
	struct debugger *d = m->d;
	char *since = mon_word(&args);
	struct guest *g;
	u8 now[VMCB_SIZE];
	const struct svm_snapshot *s;
	u64 pa;

	if (!which(m, args, &pa))
		return;
	g = worlds_guest(&d->worlds, pa, false);
	s = !g ? NULL : since && !strcmp(since, "exit") ? &g->at_exit : &g->at_vmrun;
	if (!s || !s->valid) {
		mon_fail(m, "nothing was seen of VMCB %llx to compare with", (unsigned long long)pa);
		return;
	}
	page_of(d, pa, now);
	text_printf(m->out, "VMCB %llx, changed since its last %s:\n", (unsigned long long)pa, s == &g->at_exit ? "#VMEXIT" : "VMRUN");
	svm_print_vmcb_diff(m->out, s->page, now);
}

static void vmcb(struct monitor *m, char *args)
{
	struct x86_cpu *c = &m->d->t->pc->cpu[m->d->cpu].x86;
	bool all = false;
	u64 pa;

	if (!strncmp(args, "diff", 4) && (!args[4] || args[4] == ' ')) {
		args += 4;
		diff(m, args);
		return;
	}
	if (!strncmp(args, "all", 3) && (!args[3] || args[3] == ' ')) {
		all = true;
		args += 3;
		while (*args == ' ')
			args++;
	}
	if (!which(m, args, &pa))
		return;
	text_printf(m->out, "VMCB at %llx%s\n", (unsigned long long)pa,
		    c->svm.guest && c->svm.vmcb_pa == pa ? " (its guest runs: registers are in the CPU, see registers)" : "");
	svm_print_vmcb(m->out, c, pa, all);
}

static void guests(struct monitor *m, char *args)
{
	struct debugger *d = m->d;
	char name[32];

	(void)args;
	for (unsigned i = 0; i < d->worlds.guests; i++) {
		const struct guest *g = &d->worlds.guest[i];
		const struct x86_cpu *c = &d->t->pc->cpu[g->cpu].x86;

		svm_exit_name(g->last_code, name, sizeof name);
		text_printf(m->out, "%u  VMCB %llx ASID %u cpu%u %s, %llu VMRUNs, last #VMEXIT %s\n", i + 1, (unsigned long long)g->vmcb, g->asid,
			    g->cpu, c->svm.guest && c->svm.vmcb_pa == g->vmcb ? "runs" : "does not run", (unsigned long long)g->runs,
			    g->exits ? name : "none");
	}
	if (!d->worlds.guests)
		text_puts(m->out, "no VMRUN was seen yet\n");
}

/* ---- permission maps as ranges ---- */

struct map_range {
	struct text *out;
	u32 first, last;
	unsigned kind; /* 0: none under way */
	const char *const *names;
	unsigned printed;
};

static void close_range(struct map_range *r)
{
	if (!r->kind)
		return;
	r->printed++;
	if (r->first == r->last)
		text_printf(r->out, "%08x           %s\n", r->first, r->names[r->kind]);
	else
		text_printf(r->out, "%08x-%08x  %s\n", r->first, r->last, r->names[r->kind]);
	r->kind = 0;
}

static void add(struct map_range *r, u32 n, unsigned kind)
{
	if (kind && r->kind == kind && r->last + 1 == n) {
		r->last = n;
		return;
	}
	close_range(r);
	if (kind) {
		r->kind = kind;
		r->first = r->last = n;
	}
}

static u64 map_base(struct monitor *m, char *args, unsigned off, bool *good)
{
	u64 pa = 0;

	*good = which(m, args, &pa);
	return *good ? space_peek(m->d->t->mem, pa + off, 8) & PAGE_MASK : 0;
}

/* APM2 15.10.1: a bit for each port. */
static void iopm(struct monitor *m, char *args)
{
	static const char *const names[] = {"", "intercepted"};
	struct map_range r = {.out = m->out, .names = names};
	bool good;
	u64 base = map_base(m, args, 0x40, &good);

	if (!good)
		return;
	text_printf(m->out, "I/O permissions map at %llx:\n", (unsigned long long)base);
	for (u32 port = 0; port < 0x10000; port++)
		add(&r, port, space_peek(m->d->t->mem, base + port / 8, 1) >> (port & 7) & 1);
	close_range(&r);
	if (!r.printed)
		text_puts(m->out, "no port is intercepted\n");
}

/* APM2 15.11: two bits for each MSR of three ranges. */
static void msrpm(struct monitor *m, char *args)
{
	static const char *const names[] = {"", "read intercepted", "write intercepted", "both intercepted"};
	static const u32 first[3] = {0, 0xc0000000, 0xc0010000};
	struct map_range r = {.out = m->out, .names = names};
	bool good;
	u64 base = map_base(m, args, 0x48, &good);

	if (!good)
		return;
	text_printf(m->out, "MSR permissions map at %llx:\n", (unsigned long long)base);
	for (unsigned part = 0; part < 3; part++) {
		for (u32 i = 0; i < 0x2000; i++)
			add(&r, first[part] + i, space_peek(m->d->t->mem, base + part * 0x800 + i / 4, 1) >> (i & 3) * 2 & 3);
		close_range(&r);
	}
	if (!r.printed)
		text_puts(m->out, "no MSR of the map is intercepted\n");
	text_puts(m->out, "MSRs outside the map are always intercepted\n");
}

const struct command mon_svm[] = {
	{"vmcb", NULL, "[all] [ADDR] | diff [entry|exit] [ADDR]",
	 "the VMCB by field, bits decoded; diff: what changed since its last VMRUN or #VMEXIT", vmcb, false},
	{"guests", NULL, "", "every VMCB that was run", guests, false},
	{"iopm", NULL, "[VMCB]", "intercepted ports as ranges", iopm, false},
	{"msrpm", NULL, "[VMCB]", "intercepted MSRs as ranges", msrpm, false},
	{0},
};
