/* When a breakpoint holds. See breaks.h. */
#include "debug/breaks.h"

#include <stdio.h>

#include "debug/event_text.h"
#include "svm/vmcb.h"

#define EXIT_NPF 0x400

/* Of the CPU's present guest. */
static u64 vmcb_field_of(const struct target *t, unsigned cpu, unsigned off) { return space_peek(t->mem, t->ops->vmcb(t, cpu) + off, 8); }

/* ---- events ---- */

u32 breaks_mask(const struct breakpoint *b)
{
	static const u32 mask[] = {
		[BREAK_PORT] = BIT(EV_PIO),           [BREAK_MSR] = BIT(EV_MSR),
		[BREAK_CR] = BIT(EV_CR),              [BREAK_EXCEPTION] = BIT(EV_EXCEPTION) | BIT(EV_VMEXIT),
		[BREAK_INTERRUPT] = BIT(EV_INTERRUPT), [BREAK_MODE] = BIT(EV_MODE),
		[BREAK_VMRUN] = BIT(EV_VMRUN),        [BREAK_VMEXIT] = BIT(EV_VMEXIT),
		[BREAK_NPF] = BIT(EV_VMEXIT),         [BREAK_INJECT] = BIT(EV_VMRUN),
		[BREAK_ASID] = BIT(EV_VMRUN),         [BREAK_FLUSH] = BIT(EV_FLUSH),
		[BREAK_TRIPLE] = BIT(EV_RESET),       [BREAK_RESET] = BIT(EV_RESET),
	};

	return b->on && b->kind < ARRAY_SIZE(mask) ? mask[b->kind] : 0;
}

static bool in_range(const struct breakpoint *b, u64 lo, u64 hi) { return lo <= b->hi && hi >= b->lo; }

static bool direction(const struct breakpoint *b, bool write) { return write ? b->write : b->read; }

static bool world_is(const struct breakpoint *b, const struct target *t, unsigned cpu)
{
	bool guest = t->ops->guest(t, cpu);

	if (b->world == VIEW_HOST)
		return !guest;
	if (b->world == VIEW_GUEST)
		return guest && (!b->vmcb || b->vmcb == t->ops->vmcb(t, cpu));
	return true;
}

bool breaks_event(const struct breakpoint *b, const struct target *t, const struct event *e)
{
	unsigned low = e->a & 0xff;

	if (!b->on || !(breaks_mask(b) >> e->kind & 1))
		return false;
	switch (b->kind) {
	case BREAK_PORT: return in_range(b, e->b, e->b + low - 1) && direction(b, e->a >> 8 & 1);
	case BREAK_MSR: return in_range(b, e->a, e->a) && direction(b, e->c);
	case BREAK_CR: return t->icp ? in_range(b, e->a >> 8, e->a >> 8) : in_range(b, e->a, e->a);
	case BREAK_EXCEPTION: /* those that are intercepted are #VMEXITs, and never delivered */
		return e->kind == EV_VMEXIT ? e->c - 0x40 < 32 && in_range(b, e->c - 0x40, e->c - 0x40) : in_range(b, low, low);
	case BREAK_INTERRUPT: return in_range(b, low, low);
	case BREAK_VMEXIT: return in_range(b, e->c, e->c);
	case BREAK_NPF: return e->c == EXIT_NPF && in_range(b, vmcb_field_of(t, e->cpu, 0x80), vmcb_field_of(t, e->cpu, 0x80));
	case BREAK_INJECT: return vmcb_field_of(t, e->cpu, 0xa8) & EVENT_V;
	case BREAK_ASID: return in_range(b, e->a, e->a);
	case BREAK_TRIPLE: return e->a == 3;
	case BREAK_RESET: return e->a != 3;
	default: return true; /* VMRUN, MODE, FLUSH */
	}
}

/* ---- instructions ---- */

bool breaks_insn(const struct breakpoint *b, const struct target *t, unsigned cpu, u64 va)
{
	u64 gpa, pa;

	if (!b->on || b->kind != BREAK_EXEC || ((va ^ b->lo) & ~PAGE_MASK) || !world_is(b, t, cpu))
		return false;
	if (b->stack && t->ops->stack(t, cpu) <= b->stack)
		return false;
	if (b->level == LEVEL_V)
		return va == b->lo;
	return t->ops->resolve(t, cpu, va, ACC_EXEC, &gpa, &pa) && (b->level == LEVEL_G ? gpa : pa) == b->lo;
}

/* ---- data ---- */

static bool overlaps(const struct breakpoint *b, u64 at, unsigned size)
{
	return size ? in_range(b, at, at + size - 1) : in_range(b, at & PAGE_MASK, at | ~PAGE_MASK);
}

bool breaks_access(const struct breakpoint *b, const struct target *t, unsigned cpu, u64 va, u64 pa, unsigned size, bool write)
{
	u64 page;

	if (!b->on || b->kind != BREAK_WATCH || !world_is(b, t, cpu) || (size && !direction(b, write)))
		return false;
	switch (b->level) {
	case LEVEL_V: return overlaps(b, va, size);
	case LEVEL_G: return t->ops->guest_page(t, cpu, b->lo, b->hi, pa, &page) && overlaps(b, page | (pa & ~PAGE_MASK), size);
	default: return overlaps(b, pa, size);
	}
}

/* ---- what a hit says ---- */

unsigned hit_vars(const struct hit *h, const struct target *t, u64 hits, struct expr_var var[HIT_VARS])
{
	const struct event *e = &h->e;
	bool exit = e->kind == EV_VMEXIT, npf = exit && e->c == EXIT_NPF, exc = e->kind == EV_EXCEPTION;
	const struct expr_var all[HIT_VARS] = {
		{"count", hits},
		{"cpu", h->cpu},
		{"reason", exit ? e->c : ~0ull - 1},
		{"info1", exit ? vmcb_field_of(t, h->cpu, 0x78) : 0},
		{"info2", exit ? vmcb_field_of(t, h->cpu, 0x80) : 0},
		{"gpa", npf ? vmcb_field_of(t, h->cpu, 0x80) : 0},
		{"port", e->kind == EV_PIO ? e->b : 0},
		{"msr", e->kind == EV_MSR ? e->a : 0},
		{"cr", e->kind != EV_CR ? 0 : t->icp ? e->a >> 8 : e->a},
		{"vector", exc || e->kind == EV_INTERRUPT ? e->a & 0xff : 0},
		{"error", exc ? e->b : 0},
		{"address", exc ? e->c : 0},
		{"value", e->kind == EV_PIO ? e->c : e->kind == EV_MSR || e->kind == EV_CR ? e->b : h->val},
		{"old", h->old},
		{"size", e->kind == EV_PIO ? e->a & 0xff : h->size},
		{"write", e->kind == EV_PIO ? e->a >> 8 & 1 : e->kind == EV_MSR ? e->c : h->write},
		{"va", h->va},
		{"pa", h->pa},
		{"by", h->by},
	};

	memcpy(var, all, sizeof all);
	return HIT_VARS;
}

void hit_print(struct text *out, const struct hit *h, const struct breakpoint *b, const struct target *t)
{
	const char *world;

	if (h->e.kind != EV_NONE) {
		event_print(out, t, &h->e);
		return;
	}
	world = t->icp ? "" : h->guest ? " guest" : " host";
	if (*h->who && h->write)
		text_printf(out, "%s wrote %u byte(s) at physical %llx: %0*llx -> %0*llx; cpu%u%s at %llx\n", h->who, h->size,
			    (unsigned long long)h->pa, (int)h->size * 2, (unsigned long long)h->old, (int)h->size * 2,
			    (unsigned long long)h->val, h->cpu, world, (unsigned long long)h->rip);
	else if (*h->who)
		text_printf(out, "%s read %u byte(s) at physical %llx: %0*llx; cpu%u%s at %llx\n", h->who, h->size, (unsigned long long)h->pa,
			    (int)h->size * 2, (unsigned long long)h->val, h->cpu, world, (unsigned long long)h->rip);
	else if (b->kind == BREAK_WATCH && h->write)
		text_printf(out, "cpu%u%s wrote %u byte(s) at %llx (physical %llx): %0*llx -> %0*llx, by the instruction at %llx\n",
			    h->cpu, world, h->size, (unsigned long long)h->va, (unsigned long long)h->pa,
			    (int)h->size * 2, (unsigned long long)h->old, (int)h->size * 2, (unsigned long long)h->val,
			    (unsigned long long)h->rip);
	else if (b->kind == BREAK_WATCH)
		text_printf(out, "cpu%u%s read %u byte(s) at %llx (physical %llx): %0*llx, by the instruction at %llx\n", h->cpu,
			    world, h->size, (unsigned long long)h->va, (unsigned long long)h->pa,
			    (int)h->size * 2, (unsigned long long)h->val, (unsigned long long)h->rip);
	else
		text_printf(out, "cpu%u%s at %llx\n", h->cpu, world, (unsigned long long)h->va);
}
