/* See target.h: the Integrator/CP, which has one CPU, an ARM926EJ-S. */
#include "debug/debugger.h"
#include "debug/dump.h"
#include "debug/event_text.h"
#include "debug/regs.h"
#include "debug/why.h"

static struct arm_cpu *cpu_of(const struct target *t) { return &t->icp->cpu; }

/* ---- the CPU ---- */

static u64 here(const struct target *t, unsigned cpu)
{
	(void)cpu;
	return cpu_of(t)->s.r[15];
}

static u64 icount(const struct target *t, unsigned cpu)
{
	(void)cpu;
	return arm_icount(cpu_of(t));
}

static u64 now(const struct target *t, unsigned cpu)
{
	(void)cpu;
	return arm_now(cpu_of(t));
}

static u64 retired(const struct target *t, unsigned cpu)
{
	(void)cpu;
	return cpu_of(t)->s.retired;
}

static u64 stack(const struct target *t, unsigned cpu)
{
	(void)cpu;
	return cpu_of(t)->s.r[13];
}

static bool guest(const struct target *t, unsigned cpu)
{
	(void)t, (void)cpu;
	return false;
}

static u64 vmcb(const struct target *t, unsigned cpu)
{
	(void)t, (void)cpu;
	return 0;
}

static const char *stop_text(const struct target *t, unsigned cpu)
{
	(void)cpu;
	return cpu_of(t)->stop_text;
}

static const char *waits(const struct target *t, unsigned cpu)
{
	(void)cpu;
	return cpu_of(t)->s.waiting ? "waits for an interrupt" : NULL;
}

static bool resolve(const struct target *t, unsigned cpu, u64 va, unsigned access, u64 *gpa, u64 *pa)
{
	bool user = (arm_cpsr(cpu_of(t)) & PSR_MODE) == MODE_USR, ok;

	(void)cpu;
	ok = arm_translate(cpu_of(t), (u32)va, access | (user ? ACC_USER : 0), pa);
	*gpa = *pa;
	return ok;
}

static bool guest_page(const struct target *t, unsigned cpu, u64 lo, u64 hi, u64 pa, u64 *page)
{
	(void)t, (void)cpu, (void)lo, (void)hi;
	*page = pa & PAGE_MASK;
	return true;
}

/* ORR Rn, Rn, Rn in ARM state, as Simics has it. */
static bool magic(const struct view *v, u64 va)
{
	u64 w;

	return !(v->rflags & PSR_T) && view_load(v, LEVEL_V, va, 4, &w) && arm_is_magic((u32)w);
}

/* ---- listening ---- */

static void spy_mem(void *arg, u64 pa, unsigned size, bool write, u64 val)
{
	struct hub *h = arg;

	arm_log(cpu_of(h->t), EV_MMIO, size | (u32)write << 8, pa, val);
}

static void listen_to(struct hub *h, u32 mask)
{
	struct icp *b = h->t->icp;

	b->mem.spy = mask & BIT(EV_MMIO) ? spy_mem : NULL;
	b->mem.spy_arg = h;
	b->cpu.trace_exec = mask & BIT(EV_EXEC);
	arm_state_changed(&b->cpu);
}

static bool spy_insn(void *d, struct arm_cpu *c, u32 va)
{
	(void)c;
	return debugger_insn(d, 0, va, va);
}

static bool spy_wants(void *d, struct arm_cpu *c, u32 va, u64 pa, unsigned size, bool write)
{
	(void)c;
	return debugger_wants(d, 0, va, pa, size, write);
}

static void spy_access(void *d, struct arm_cpu *c, u32 va, u64 pa, unsigned size, bool write, u64 val)
{
	debugger_access(d, 0, va, pa, size, write, val, arm_pc(c));
}

static bool wants_page(void *d, u32 va, u64 pa) { return debugger_wants(d, 0, va, pa, 0, false); }

static void spy(struct debugger *d, bool code, const u64 *offsets, bool with_magic, bool watching)
{
	struct arm_cpu *c = cpu_of(d->t);

	d->spy.arm = (struct arm_spy){.arg = d, .insn = spy_insn, .wants = spy_wants, .access = spy_access};
	if (code)
		arm_code_spy(c, offsets, with_magic);
	c->spy = watching || offsets || with_magic ? &d->spy.arm : NULL;
	if (watching || d->watching) {
		tlb_arm_spy(&c->tlb, watching ? wants_page : NULL, d);
		tlb_arm_forget_hot(&c->tlb);
	}
}

/* ---- words ---- */

static void print_cpu(struct text *out, const struct target *t, unsigned cpu)
{
	(void)cpu;
	dump_fields(out, arm_fields, arm_fields_n, &cpu_of(t)->s, false);
}

static bool part(const struct target *t, unsigned cpu, size_t n, struct target_part *p)
{
	const struct icp_part *q = &icp_parts[n];

	(void)cpu;
	if (n < icp_parts_n)
		*p = (struct target_part){q->name, q->fields, q->n, (const char *)t->icp + q->off, false};
	return n < icp_parts_n;
}

static const struct target_ops ops = {
	here, icount, now, retired, stack, guest, vmcb, stop_text, waits, resolve, guest_page, magic, view_arm, listen_to, spy, event_print_arm,
	why_print_arm, print_cpu, part,
};

void target_icp(struct target *t, struct icp *b) { *t = (struct target){&ops, &b->machine, &b->mem, 1, NULL, b}; }
