/* What is said of an x86 walk: see struct walk_words. What flushes a translation: APM2 5.5.2, 5.5.3, 15.16. */
#include "debug/walk_view.h"

#include "mmu/tlb.h"
#include "svm/explain.h"

typedef unsigned long long ull;

static const char *const access[] = {"read", "write", "fetch", "fetch", "user read", "user write", "user fetch", "user fetch"};

static bool two(const struct walk_view *v) { return v->columns > 1; }

static void title(struct text *out, const struct walk_view *v)
{
	const struct walk_shot *s = v->shot;

	text_printf(out, "%s%s of %s%llx", s->guest ? "guest " : "", walk_say_access(v),
		    s->physical ? "guest-physical " : "", (ull)s->walk.va);
	text_printf(out, " on cpu%u", s->cpu);
	if (s->guest)
		text_printf(out, ", ASID %u", s->asid);
}

static void perm(struct text *out, unsigned p)
{
	text_printf(out, "R %s %s %s", p & PERM_W ? "W" : "-", p & PERM_X ? "X" : "-", p & PERM_U ? "U" : "-");
}

static unsigned dim_perm(const struct walk_view *v, unsigned dim)
{
	unsigned p = PERM_W | PERM_X | PERM_U;

	for (unsigned i = 0; i < v->rows; i++) {
		const struct walk_row *r = &v->row[i];

		if (!dim && r->cell[0].judges)
			p = r->cell[0].perm;
		for (unsigned n = v->columns - 1; dim && !r->level && n; n--)
			if (r->cell[n].judges)
				p = r->cell[n].perm;
	}
	return p;
}

static void merge(struct text *out, const struct walk_view *v)
{
	const struct walk *w = &v->shot->walk;

	if (w->why != WALK_OK)
		return;
	if (v->shot->p.levels && !v->shot->physical) {
		text_puts(out, two(v) ? "guest " : "tables ");
		perm(out, dim_perm(v, 0));
	} else {
		text_puts(out, "no paging in the first dimension");
	}
	if (two(v)) {
		text_puts(out, "; nested ");
		perm(out, dim_perm(v, 1));
		text_puts(out, " (U is needed there, every nested access is a user access)");
	}
	text_puts(out, "; together ");
	perm(out, w->perm);
}

static void refused(struct text *out, const struct walk_view *v)
{
	const struct walk *w = &v->shot->walk;

	if (w->why == WALK_NON_CANONICAL)
		return;
	if (w->nested_fault && w->fail_serves)
		text_printf(out, ", nested level %u, while the guest's level %u was looked up", w->fail_level, w->fail_serves);
	else if (w->nested_fault)
		text_printf(out, ", nested level %u, for the final address", w->fail_level);
	else
		text_printf(out, ", level %u", w->fail_level);
	if (w->nested_fault && w->fail_serves && w->why == WALK_READ_ONLY)
		text_puts(out, " (the guest's tables are read for writing, since A and D may have to be set)");
}

static void fault_to(struct text *out, const struct walk_view *v)
{
	const struct walk_shot *s = v->shot;
	const char *world = s->guest ? "guest's IDT" : "IDT";

	if (s->walk.why == WALK_OK)
		return;
	if (s->walk.why == WALK_NON_CANONICAL)
		text_printf(out, "#GP (#SS for the stack) -> %s, vector 13 (12)", world);
	else if (s->walk.nested_fault)
		text_puts(out, "NPF -> #VMEXIT 400h to the VMM");
	else if (s->pf_exits)
		text_puts(out, "#PF, intercepted -> #VMEXIT 4Eh to the VMM");
	else
		text_printf(out, "#PF -> %s, vector 14", world);
}

static void error(struct text *out, const struct walk_view *v)
{
	const struct walk *w = &v->shot->walk;

	if (w->why == WALK_OK || w->why == WALK_NON_CANONICAL)
		return;
	if (w->nested_fault) {
		text_printf(out, "EXITINFO1 %llx: ", (ull)w->exitinfo1);
		walk_print_error(out, w->exitinfo1, true);
		text_printf(out, "; EXITINFO2 %llx: the guest-physical address", (ull)w->gpa);
	} else {
		text_printf(out, "error code %x: ", w->error);
		walk_print_error(out, w->error, false);
		text_printf(out, "; %s %llx", v->shot->pf_exits ? "EXITINFO2" : "CR2", (ull)w->va);
	}
}

static void say_space(struct text *out, const struct walk_shot *s)
{
	text_printf(out, "ASID %u%s", s->asid, s->asid ? "" : " (the host)");
	if (s->pcid)
		text_printf(out, " PCID %u", s->pcid);
}

static void tlb(struct text *out, const struct walk_view *v)
{
	const struct walk_shot *s = v->shot;
	const struct walk *w = &s->walk;

	if (w->why != WALK_OK) {
		text_puts(out, "none: a refused walk leaves no translation");
		return;
	}
	text_printf(out, "%s: ", s->physical ? "nested translation" : s->live ? "filled" : "an access would fill");
	say_space(out, s);
	text_printf(out, ", %llx -> %llx, ", (ull)(w->va & ~mask_low(w->shift)), (ull)(w->pa & ~mask_low(w->shift)));
	walk_say_size(out, w->shift);
	if (w->gshift && w->nshift && w->gshift != w->nshift) {
		text_puts(out, " (the smaller of guest ");
		walk_say_size(out, w->gshift);
		text_puts(out, " and nested ");
		walk_say_size(out, w->nshift);
		text_puts(out, ")");
	}
	text_puts(out, ", ");
	perm(out, w->perm);
	text_printf(out, "%s%s", w->perm & PERM_D ? " dirty" : "", w->perm & PERM_G ? " global" : "");
}

static void held(struct text *out, const struct walk_view *v)
{
	const struct walk_shot *s = v->shot;

	if (v->stale && s->live)
		text_puts(out, "STALE: the cached translation that was used leads elsewhere than the tables do now");
	if (!s->held)
		return;
	text_puts(out, "the TLB holds: ");
	say_space(out, s);
	text_printf(out, " -> %llx, ", (ull)s->held_pa);
	walk_say_size(out, s->held_shift);
	text_puts(out, ", ");
	perm(out, s->held_perm);
	if (s->walk.why != WALK_OK || s->walk.pa != s->held_pa)
		text_puts(out, ": STALE, the tables say otherwise now");
}

/* ---- flushes ---- */

enum { HOST = 1, GUEST = 2, NOT_GLOBAL = 4, GLOBAL = 8, PCID = 16, YES = 32 };

/* APM2 5.5.2 (INVLPG, MOV CR3), 5.5.3 (CR0, CR4), 5.5.1 (PCID), 15.16 (ASIDs, TLB_CONTROL, INVLPGA) */
static const struct {
	unsigned when;
	const char *what;
} flushes[] = {
	{HOST | GUEST | YES, "INVLPG of an address in the page (by the guest itself, for a guest; if the VMM "
			     "intercepts it, the VMM has to do it)"},
	{HOST | GUEST | NOT_GLOBAL | YES, "MOV CR3 (with PCIDs: to the same PCID, bit 63 clear)"},
	{HOST | GUEST | GLOBAL, "MOV CR3: the translation is global"},
	{HOST | GUEST | YES, "a change of CR0.PG, or of CR4.PAE, PSE or PGE"},
	{HOST | GUEST | PCID | YES, "INVPCID for this PCID and address, for the PCID, or for all"},
	{GUEST | YES, "INVLPGA by the VMM with the address and this ASID"},
	{GUEST | YES, "VMRUN of this ASID with TLB_CONTROL 3"},
	{GUEST | NOT_GLOBAL | YES, "VMRUN of this ASID with TLB_CONTROL 7"},
	{GUEST | GLOBAL, "VMRUN of this ASID with TLB_CONTROL 7: the translation is global"},
	{HOST | GUEST | YES, "VMRUN with TLB_CONTROL 1: everything, of all ASIDs"},
	{HOST | GUEST, "VMRUN with TLB_CONTROL 0, #VMEXIT: the ASID keeps the worlds apart"},
	{GUEST, "a store to a guest or nested page table: it stays until it is flushed or evicted"},
	{HOST, "a store to a page table: it stays until it is flushed or evicted"},
};

static bool flush(struct text *out, const struct walk_view *v, unsigned n, bool *does)
{
	const struct walk_shot *s = v->shot;
	unsigned is = (s->guest ? GUEST : HOST) | (s->walk.perm & PERM_G ? GLOBAL : NOT_GLOBAL) | (s->pcid ? PCID : 0);

	if (s->walk.why != WALK_OK || s->physical)
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(flushes); i++) {
		unsigned when = flushes[i].when & (GLOBAL | NOT_GLOBAL | PCID);

		if (!(flushes[i].when & is & (HOST | GUEST)) || (when & is) != when)
			continue;
		if (n--)
			continue;
		*does = flushes[i].when & YES;
		text_puts(out, flushes[i].what);
		return true;
	}
	return false;
}

static void event(struct text *out, const struct event *e)
{
	static const char *const flush[] = {[FLUSH_EVERYTHING] = "TLB flush: everything",
					    [FLUSH_ASID] = "TLB flush: ASID",
					    [FLUSH_PCID] = "TLB flush: one PCID of ASID",
					    [FLUSH_PCIDS] = "TLB flush: all PCIDs of ASID",
					    [FLUSH_PAGE] = "TLB flush: page"};
	char name[32];

	text_printf(out, "%s: ", e->guest ? "guest" : "host");
	switch (e->kind) {
	case EV_VMEXIT:
		svm_exit_name(e->c, name, sizeof name);
		text_printf(out, "#VMEXIT %s", name);
		break;
	case EV_VMRUN: text_printf(out, "VMRUN, ASID %u", e->a); break;
	case EV_FLUSH:
		text_puts(out, e->a < ARRAY_SIZE(flush) ? flush[e->a] : "TLB flush");
		if (e->a != FLUSH_EVERYTHING)
			text_printf(out, " %llx", (ull)e->b);
		break;
	default: text_printf(out, "event %u", e->kind); break;
	}
}

const struct walk_words walk_words_x86 = {
	.ip = "rip",
	.access = access,
	.title = title,
	.perm = perm,
	.merge = merge,
	.refused = refused,
	.fault_to = fault_to,
	.error = error,
	.tlb = tlb,
	.held = held,
	.flush = flush,
	.event = event,
};
