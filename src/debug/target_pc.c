/* See target.h: the PC. */
#include "debug/debugger.h"
#include "debug/dump.h"
#include "debug/event_text.h"
#include "debug/own.h"
#include "debug/why.h"

static struct x86_cpu *cpu_of(const struct target *t, unsigned n) { return &t->pc->cpu[n].x86; }

/* ---- a CPU ---- */

static u64 here(const struct target *t, unsigned cpu) { return x86_code_va(cpu_of(t, cpu), cpu_of(t, cpu)->rip); }
static u64 icount(const struct target *t, unsigned cpu) { return x86_icount(cpu_of(t, cpu)); }
static u64 now(const struct target *t, unsigned cpu) { return x86_now(cpu_of(t, cpu)); }
static u64 retired(const struct target *t, unsigned cpu) { return cpu_of(t, cpu)->retired; }
static u64 stack(const struct target *t, unsigned cpu) { return cpu_of(t, cpu)->r[R_SP]; }
static bool guest(const struct target *t, unsigned cpu) { return cpu_of(t, cpu)->svm.guest; }
static u64 vmcb(const struct target *t, unsigned cpu) { return cpu_of(t, cpu)->svm.vmcb_pa; }
static const char *stop_text(const struct target *t, unsigned cpu) { return cpu_of(t, cpu)->stop_text; }

static const char *waits(const struct target *t, unsigned cpu)
{
	static const char *const activity[] = {NULL, "halted", "waits (MWAIT)", "waits for a start-up message", "shut down"};

	return activity[cpu_of(t, cpu)->activity % ARRAY_SIZE(activity)];
}

static bool resolve(const struct target *t, unsigned cpu, u64 va, unsigned access, u64 *gpa, u64 *pa)
{
	struct x86_cpu *c = cpu_of(t, cpu);
	struct walk_env env = c->tlb.env;
	struct walk w;

	env.ntlb = NULL;
	walk_x86(&env, va, access | (c->cpl == 3 ? ACC_USER : 0), false, &w);
	*gpa = w.gpa;
	*pa = w.pa;
	return w.why == WALK_OK;
}

/* The pages of the range are translated as they are mapped now. */
static bool guest_page(const struct target *t, unsigned cpu, u64 lo, u64 hi, u64 pa, u64 *page)
{
	struct walk_env env = cpu_of(t, cpu)->tlb.env;
	struct walk w;

	*page = pa & PAGE_MASK;
	if (!env.nested)
		return true;
	env.ntlb = NULL;
	for (*page = lo & PAGE_MASK; *page <= hi; *page += PAGE_SIZE) {
		walk_nested(&env, *page, ACC_READ | ACC_USER, false, &w);
		if (w.why == WALK_OK && (w.pa & PAGE_MASK) == (pa & PAGE_MASK))
			return true;
	}
	return false;
}

/* XCHG BX, BX: 87h DBh, as Bochs has it. */
static bool magic(const struct view *v, u64 va)
{
	bool wide = view_bits(v) != 16;
	u8 b[3] = {0};

	view_read(v, LEVEL_V, va, b, sizeof b);
	return wide ? b[0] == 0x66 && b[1] == 0x87 && b[2] == 0xdb : b[0] == 0x87 && b[1] == 0xdb;
}

/* ---- listening ---- */

static void log_access(struct hub *h, enum event_kind kind, u64 at, unsigned size, bool write, u64 val)
{
	x86_log(pc_current(h->t->pc), kind, size | (u32)write << 8, at, val);
}

static void spy_mem(void *arg, u64 pa, unsigned size, bool write, u64 val) { log_access(arg, EV_MMIO, pa, size, write, val); }
static void spy_io(void *arg, u64 port, unsigned size, bool write, u64 val) { log_access(arg, EV_PIO, port, size, write, val); }

static void listen_to(struct hub *h, u32 mask)
{
	struct pc *pc = h->t->pc;

	pc->mem.spy = mask & BIT(EV_MMIO) ? spy_mem : NULL;
	pc->io.spy = mask & BIT(EV_PIO) ? spy_io : NULL;
	pc->mem.spy_arg = pc->io.spy_arg = h;
	for (unsigned i = 0; i < pc->cfg.cpus; i++) {
		struct x86_cpu *c = &pc->cpu[i].x86;

		c->trace_exec = mask & BIT(EV_EXEC);
		x86_debug_changed(c);
	}
}

static bool spy_insn(void *d, struct x86_cpu *c, u64 va) { return debugger_insn(d, c->id, va, c->rip); }

static bool spy_wants(void *d, struct x86_cpu *c, u64 va, u64 pa, unsigned size, bool write) { return debugger_wants(d, c->id, va, pa, size, write); }

static void spy_access(void *d, struct x86_cpu *c, u64 va, u64 pa, unsigned size, bool write, u64 val)
{
	debugger_access(d, c->id, va, pa, size, write, val, x86_rip(c));
}

static bool wants_page(void *d, struct tlb *t, u64 va, u64 pa)
{
	return debugger_wants(d, container_of(t, struct x86_cpu, tlb)->id, va, pa, 0, false);
}

static void spy(struct debugger *d, bool code, const u64 *offsets, bool with_magic, bool watching)
{
	struct pc *pc = d->t->pc;

	d->spy.x86 = (struct x86_spy){.arg = d, .insn = spy_insn, .wants = spy_wants, .access = spy_access};
	if (code)
		x86_code_spy(pc->code, offsets, with_magic);
	for (unsigned i = 0; i < pc->cfg.cpus; i++) {
		struct x86_cpu *c = &pc->cpu[i].x86;

		c->spy = watching || offsets || with_magic ? &d->spy.x86 : NULL;
		if (watching || d->watching)
			tlb_spy(&c->tlb, watching ? wants_page : NULL, d);
	}
	own_listen(d);
}

/* ---- words ---- */

static void print_cpu(struct text *out, const struct target *t, unsigned cpu) { dump_cpu(out, cpu_of(t, cpu)); }

static bool part(const struct target *t, unsigned cpu, size_t n, struct target_part *p)
{
	if (n < pc_parts_n) {
		const struct pc_part *q = &pc_parts[n];

		*p = (struct target_part){q->name, q->fields, q->n, (const char *)t->pc + q->off, false};
		return true;
	}
	switch (n - pc_parts_n) {
	case 0: *p = (struct target_part){"lapic", lapic_fields, LAPIC_FIELDS, &t->pc->cpu[cpu].lapic.s, true}; return true;
	case 1: *p = (struct target_part){"svm", svm_fields, svm_fields_n, &cpu_of(t, cpu)->svm, true}; return true;
	default: return false;
	}
}

static const struct target_ops ops = {
	here, icount, now, retired, stack, guest, vmcb, stop_text, waits, resolve, guest_page, magic, view_x86, listen_to, spy, event_print_x86,
	why_print_x86, print_cpu, part,
};

void target_pc(struct target *t, struct pc *pc) { *t = (struct target){&ops, &pc->machine, &pc->mem, pc->cfg.cpus, pc, NULL}; }
