/* A walk in words: see walk_view.h. What flushes a translation: APM2 5.5.2, 5.5.3, 15.16. */
#include "debug/walk_view.h"

#include "mmu/tlb.h"
#include "svm/explain.h"

typedef unsigned long long ull;

const char *walk_say_access(const struct walk_view *v)
{
	static const char *const names[] = {"read", "write", "fetch", "fetch"};
	static const char *const user[] = {"user read", "user write", "user fetch", "user fetch"};
	unsigned a = v->shot->access;

	return (a & ACC_USER ? user : names)[a & 3];
}

void walk_say_title(struct text *out, const struct walk_view *v)
{
	const struct walk_shot *s = v->shot;

	text_printf(out, "%s%s of %s%llx", s->guest ? "guest " : "", walk_say_access(v),
		    s->physical ? "guest-physical " : "", (ull)s->walk.va);
	text_printf(out, " on cpu%u", s->cpu);
	if (s->guest)
		text_printf(out, ", ASID %u", s->asid);
	if (s->uncached)
		text_puts(out, " (as it would be with nothing cached)");
	else if (!s->live)
		text_puts(out, " (a look: nothing was changed)");
}

void walk_say_when(struct text *out, const struct walk_view *v)
{
	text_printf(out, "after %llu instructions, rip %llx", (ull)v->shot->icount, (ull)v->shot->rip);
}

static bool two(const struct walk_view *v) { return v->columns > 1; }

void walk_say_forms(struct text *out, const struct walk_view *v)
{
	text_puts(out, v->form[0].name);
	if (two(v))
		text_printf(out, ", nested: %s", v->form[1].name);
}

void walk_say_row(struct text *out, const struct walk_view *v, const struct walk_row *r)
{
	if (r->level)
		text_printf(out, "%sL%u", two(v) ? "g" : "", r->level);
	else
		text_puts(out, "final");
}

void walk_say_level(struct text *out, const struct walk_view *v, const struct walk_cell *c)
{
	if (!c->level)
		text_puts(out, "data");
	else
		text_printf(out, "%sL%u", c->dim ? "n" : two(v) ? "g" : "", c->level);
}

void walk_say_perm(struct text *out, unsigned perm)
{
	text_printf(out, "R %s %s %s", perm & PERM_W ? "W" : "-", perm & PERM_X ? "X" : "-", perm & PERM_U ? "U" : "-");
}

void walk_say_size(struct text *out, unsigned shift)
{
	if (!shift)
		text_puts(out, "no paging");
	else if (shift >= 30)
		text_printf(out, "%u GB", 1u << (shift - 30));
	else if (shift >= 20)
		text_printf(out, "%u MB", 1u << (shift - 20));
	else
		text_printf(out, "%u KB", 1u << (shift - 10));
}

/* ---- one step ---- */

static void say_purpose(struct text *out, const struct walk_row *r)
{
	if (r->level)
		text_printf(out, "the guest's level-%u entry at guest-physical %llx", r->level, (ull)r->gpa);
	else
		text_printf(out, "the final address, guest-physical %llx", (ull)r->gpa);
}

static void say_index(struct text *out, const struct walk_view *v, const struct walk_cell *c)
{
	text_printf(out, "entry %x (hexadecimal; bits %u:%u of %s address %llx)", c->index, c->hi, c->lo,
		    c->dim           ? "guest-physical"
		    : v->shot->guest ? "the guest's linear"
				     : "linear",
		    (ull)c->addr);
}

void walk_say_step(struct text *out, const struct walk_view *v, const struct walk_row *r, const struct walk_cell *c)
{
	switch ((enum walk_cell_state)c->state) {
	case CELL_READ: text_printf(out, "Reference %u reads ", c->ref); break;
	case CELL_CACHED:
		text_puts(out, "Not read: the TLB holds a translation of guest-physical ");
		text_printf(out, "%llx. It would be ", (ull)r->gpa);
		break;
	case CELL_REGISTER: text_puts(out, "Not read: MOV CR3 loaded this entry into the processor: "); break;
	case CELL_DATA: text_printf(out, "The access goes to %llx", (ull)c->pa); return;
	case CELL_ABSENT: text_puts(out, "There is no such entry: a larger page ends the walk"); return;
	case CELL_UNREACHED:
		text_puts(out, c->fails ? "The address lies beyond what these tables translate"
					: "Never read: the walk was refused before");
		return;
	}
	say_index(out, v, c);
	text_printf(out, " of the %s%s", c->dim ? "nested " : "", c->form->table);
	if (c->dim) {
		text_puts(out, ", to find ");
		say_purpose(out, r);
	}
	if (c->again)
		text_printf(out, "; reference %u reads it again, for a write", c->again);
}

/* ---- the result ---- */

/* How many entries the walk reads in each row, if it is the same number in all. */
static int nested_depth(const struct walk_view *v)
{
	int depth = -1;

	for (unsigned i = 0; i < v->rows; i++) {
		int n = 0;

		if (!v->row[i].reached)
			continue;
		for (unsigned k = 1; k < v->columns; k++)
			n += v->row[i].cell[k].state == CELL_READ || v->row[i].cell[k].state == CELL_CACHED;
		if (depth >= 0 && n != depth)
			return -1;
		depth = n;
	}
	return depth;
}

void walk_say_count(struct text *out, const struct walk_view *v)
{
	unsigned g = 0;
	int n = nested_depth(v);

	for (unsigned i = 0; i < v->rows; i++)
		g += v->row[i].level && v->row[i].cell[0].state == CELL_READ;
	text_printf(out, "%u reference%s", v->refs, v->refs == 1 ? "" : "s");
	if (v->refs != v->cold_refs)
		text_printf(out, " instead of %u: cached translations served the rest", v->cold_refs);
	if (v->shot->cold.why == WALK_OK && two(v) && n > 0 && (g + 1) * (unsigned)(n + 1) - 1 == v->cold_refs)
		text_printf(out, "%s (%u + 1) x (%d + 1) - 1 = %u", v->refs != v->cold_refs ? ";" : ":", g, n,
			    v->cold_refs);
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

void walk_say_merge(struct text *out, const struct walk_view *v)
{
	const struct walk *w = &v->shot->walk;

	if (w->why != WALK_OK)
		return;
	if (v->shot->p.levels && !v->shot->physical) {
		text_puts(out, two(v) ? "guest " : "tables ");
		walk_say_perm(out, dim_perm(v, 0));
	} else {
		text_puts(out, "no paging in the first dimension");
	}
	if (two(v)) {
		text_puts(out, "; nested ");
		walk_say_perm(out, dim_perm(v, 1));
		text_puts(out, " (U is needed there, every nested access is a user access)");
	}
	text_puts(out, "; together ");
	walk_say_perm(out, w->perm);
}

void walk_say_result(struct text *out, const struct walk_view *v)
{
	const struct walk *w = &v->shot->walk;

	if (w->why == WALK_OK) {
		text_printf(out, "physical address %llx", (ull)w->pa);
		if (two(v))
			text_printf(out, ", guest-physical %llx", (ull)w->gpa);
		if (v->shot->device[0][0])
			text_printf(out, " (%s)", v->shot->device[0][0]);
		return;
	}
	text_printf(out, "refused: %s", walk_why_text((enum walk_why)w->why));
	if (w->why == WALK_NON_CANONICAL)
		return;
	if (w->nested_fault && w->fail_serves)
		text_printf(out, ", nested level %u, while the guest's level %u was looked up", w->fail_level,
			    w->fail_serves);
	else if (w->nested_fault)
		text_printf(out, ", nested level %u, for the final address", w->fail_level);
	else
		text_printf(out, ", level %u", w->fail_level);
	if (w->nested_fault && w->fail_serves && w->why == WALK_READ_ONLY)
		text_puts(out, " (the guest's tables are read for writing, since A and D may have to be set)");
}

void walk_say_fault_to(struct text *out, const struct walk_view *v)
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

void walk_say_error(struct text *out, const struct walk_view *v)
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

void walk_say_tlb(struct text *out, const struct walk_view *v)
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
	walk_say_perm(out, w->perm);
	text_printf(out, "%s%s", w->perm & PERM_D ? " dirty" : "", w->perm & PERM_G ? " global" : "");
}

void walk_say_held(struct text *out, const struct walk_view *v)
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
	walk_say_perm(out, s->held_perm);
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

bool walk_say_flush(struct text *out, const struct walk_view *v, unsigned n, bool *does)
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

void walk_say_event(struct text *out, const struct event *e)
{
	static const char *const flush[] = {[FLUSH_EVERYTHING] = "TLB flush: everything",
					    [FLUSH_ASID] = "TLB flush: ASID",
					    [FLUSH_PCID] = "TLB flush: one PCID of ASID",
					    [FLUSH_PCIDS] = "TLB flush: all PCIDs of ASID",
					    [FLUSH_PAGE] = "TLB flush: page"};
	char name[32];

	text_printf(out, "%llu %s: ", (ull)e->icount, e->guest ? "guest" : "host");
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
