/* What is said of an ARM walk: see struct walk_words. DDI0100 B4.5 (domains, permissions), B4.6 (faults), B8 (FCSE); DDI0198 2.3.8, 2.3.10 (TLB). */
#include "debug/walk_view.h"

#include "debug/event_text.h"

typedef unsigned long long ull;

static const char *const access[] = {"privileged read", "privileged write", "privileged fetch", "privileged fetch",
				     "User read",       "User write",       "User fetch",       "User fetch"};

static bool processes(const struct walk_shot *s) { return s->arm.fcse; }

static void title(struct text *out, const struct walk_view *v)
{
	const struct walk_shot *s = v->shot;

	text_printf(out, "%s of %x", walk_say_access(v), s->arm.va);
	if (processes(s))
		text_printf(out, " by process %u", s->arm.fcse >> 25);
}

static void perm(struct text *out, unsigned p)
{
	text_printf(out, "priv %s%s User %s%s", p & ARM_READ ? "R" : "-", p & ARM_WRITE ? "W" : "-", p & ARM_USER_READ ? "R" : "-",
		    p & ARM_USER_WRITE ? "W" : "-");
}

/* ---- registers ---- */

static const char *binary(unsigned field)
{
	static const char *const text[] = {"00", "01", "10", "11"};

	return text[field & 3];
}

static void say_fcse(struct text *out, const struct walk_shot *s)
{
	unsigned pid = s->arm.fcse >> 25;

	if (s->arm.va >> 25)
		text_printf(out, "Virtual address %x is not below 32 MB: no process, the modified virtual address is the same", s->arm.va);
	else
		text_printf(out, "Virtual address %x lies below 32 MB: process %u comes into bits 31:25, and the modified virtual address is %llx",
			    s->arm.va, pid, (ull)s->walk.va);
}

static void say_domain(struct text *out, const struct walk_shot *s)
{
	static const char *const means[] = {"no access: a domain fault, whatever the permissions are", "client: the permissions decide",
					    "reserved: a domain fault", "manager: everything is allowed, permissions are not asked"};
	unsigned field = walk_arm_domain(&s->arm, s->walk.domain);

	text_printf(out, "Bits 8:5 of the first-level descriptor say domain %u; its field in DACR (bits %u:%u) is %s, %s", s->walk.domain,
		    2u * s->walk.domain + 1, 2u * s->walk.domain, binary(field), means[field]);
}

static void say_ap(struct text *out, const struct walk_view *v, const struct walk_cell *c)
{
	const struct walk_shot *s = v->shot;
	unsigned ap = s->walk.ap, at = s->walk.shift == 20 ? 10 : 4 + 2 * c->index;

	text_printf(out, "AP (bits %u:%u of the descriptor", at + 1, at);
	if (v->form[0].sub_hi)
		text_printf(out, ", of subpage %u: bits %u:%u of the address", c->index, v->form[0].sub_hi, v->form[0].sub_lo);
	text_printf(out, ") is %s", binary(ap));
	if (!ap)
		text_printf(out, ", so S = %u and R = %u decide", (unsigned)bits(c->val, 8, 8), (unsigned)bits(c->val, 9, 9));
	text_puts(out, ": ");
	perm(out, c->perm);
}

static void reg(struct text *out, const struct walk_view *v, const struct walk_cell *c)
{
	switch (c->level) {
	case ARM_FCSE: say_fcse(out, v->shot); break;
	case ARM_DOMAIN: say_domain(out, v->shot); break;
	default: say_ap(out, v, c); break;
	}
}

static void reg_flags(struct text *out, const struct walk_view *v, const struct walk_cell *c)
{
	const struct walk_shot *s = v->shot;
	unsigned field = walk_arm_domain(&s->arm, s->walk.domain);

	switch (c->level) {
	case ARM_FCSE: text_printf(out, "process %u: %x -> %llx", s->arm.fcse >> 25, s->arm.va, (ull)s->walk.va); break;
	case ARM_DOMAIN: text_printf(out, "D%u=%s %s", s->walk.domain, binary(field), arm_domain_names[field]); break;
	default: text_printf(out, "AP=%s S=%u R=%u", binary(s->walk.ap), (unsigned)bits(c->val, 8, 8), (unsigned)bits(c->val, 9, 9)); break;
	}
}

/* ---- the result ---- */

static void merge(struct text *out, const struct walk_view *v)
{
	const struct walk_shot *s = v->shot;
	const char *domain = arm_domain_names[walk_arm_domain(&s->arm, s->walk.domain)];

	if (!(s->arm.control & CTL_M)) {
		text_puts(out, "the MMU is off: everything is allowed");
		return;
	}
	if (!s->arm_page.shift)
		return;
	text_printf(out, "domain %u: %s; AP %s; together ", s->walk.domain, domain, binary(s->walk.ap));
	perm(out, v->perm);
}

static void refused(struct text *out, const struct walk_view *v)
{
	const struct walk_shot *s = v->shot;
	const struct walk *w = &s->walk;

	switch (w->why) {
	case WALK_DOMAIN: text_printf(out, ": domain %u is %s in DACR", w->domain, binary(walk_arm_domain(&s->arm, w->domain))); break;
	case WALK_PERMISSION: text_printf(out, ": AP is %s", binary(w->ap)); break;
	default: text_printf(out, ", level %u", w->fail_level); break;
	}
}

static bool fetch(const struct walk_shot *s) { return s->access & ACC_EXEC; }

/* DDI0100 A2.6 */
static void fault_to(struct text *out, const struct walk_view *v)
{
	const struct walk_shot *s = v->shot;
	u32 base = s->arm.control & CTL_V ? 0xffff0000 : 0;

	if (s->walk.why != WALK_OK)
		text_printf(out, "%s abort -> Abort mode, vector %x", fetch(s) ? "prefetch" : "data", base + (fetch(s) ? 0xcu : 0x10u));
}

static void error(struct text *out, const struct walk_view *v)
{
	const struct walk_shot *s = v->shot;
	const struct walk *w = &s->walk;

	if (w->why == WALK_OK)
		return;
	text_printf(out, "%s %02x: status %x (%s)", fetch(s) ? "IFSR" : "FSR", w->error, w->error & 15, arm_fault_text(w->error));
	if (w->why != WALK_EXTERNAL_TABLE || w->fail_level > 1)
		text_printf(out, ", domain %u", w->error >> 4 & 15);
	if (fetch(s))
		text_puts(out, "; FAR stays as it was");
	else
		text_printf(out, "; FAR %llx%s", (ull)w->va, processes(s) ? ": the modified virtual address" : "");
}

/* ---- the TLB ---- */

static void say_page(struct text *out, const struct arm_page *p)
{
	text_printf(out, "%x -> %x, ", p->mva, p->pa);
	walk_say_size(out, p->shift);
	text_printf(out, ", domain %u, AP ", p->domain);
	if (p->ap == (p->ap & 3) * 0x55)
		text_puts(out, binary(p->ap));
	else
		text_printf(out, "%s %s %s %s (subpages 0 to 3)", binary(p->ap), binary(p->ap >> 2), binary(p->ap >> 4), binary(p->ap >> 6));
	text_printf(out, "%s%s", p->cb & 2 ? ", C" : "", p->cb & 1 ? ", B" : "");
}

static void tlb(struct text *out, const struct walk_view *v)
{
	const struct walk_shot *s = v->shot;

	if (!(s->arm.control & CTL_M)) {
		text_puts(out, "none: the MMU is off");
		return;
	}
	if (!s->arm_page.shift) {
		text_puts(out, "none: there is no translation to keep");
		return;
	}
	text_printf(out, "%s: ", !s->live ? "an access would fill" : s->arm.locking ? "filled, locked" : "filled");
	say_page(out, &s->arm_page);
	if (s->walk.why != WALK_OK)
		text_puts(out, "; kept although the access is refused, for domain and AP are checked at each access");
}

static void held(struct text *out, const struct walk_view *v)
{
	const struct walk_shot *s = v->shot;
	const struct arm_page *h = &s->arm_held, *p = &s->arm_page;

	if (!h->shift)
		return;
	text_puts(out, "the TLB holds: ");
	say_page(out, h);
	if (h->shift != p->shift || h->pa != p->pa || h->domain != p->domain || h->ap != p->ap || h->cb != p->cb)
		text_puts(out, ": STALE, the tables say otherwise now");
}

enum { YES = 1, LOCKED = 2, FREE = 4 };

static const struct {
	unsigned when;
	const char *what;
} flushes[] = {
	{LOCKED | FREE | YES, "CP15 register 8, one entry (c7,1; c5,1 and c6,1 do the same), with a modified virtual address in the page"},
	{FREE | YES, "CP15 register 8, everything (c7,0; c5,0 and c6,0 do the same)"},
	{LOCKED, "CP15 register 8, everything: the entry is locked (CP15 register 10)"},
	{LOCKED | FREE, "a write of DACR, S or R, a change of mode: they are looked at in each access, with the domain and AP that are kept"},
	{LOCKED | FREE, "a write of TTBR, or of the FCSE process: entries know modified virtual addresses and no table"},
	{LOCKED | FREE, "the MMU being switched off and on again"},
	{LOCKED | FREE, "a store to a table: it stays until it is invalidated or evicted"},
};

static bool flush(struct text *out, const struct walk_view *v, unsigned n, bool *does)
{
	const struct walk_shot *s = v->shot;

	if (!s->arm_page.shift || s->arm_page.shift == 32)
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(flushes); i++) {
		if (!(flushes[i].when & (s->arm.locking ? LOCKED : FREE)) || n--)
			continue;
		*does = flushes[i].when & YES;
		text_puts(out, flushes[i].what);
		return true;
	}
	return false;
}

/* ---- events ---- */

static void event(struct text *out, const struct event *e)
{
	switch (e->kind) {
	case EV_EXCEPTION: event_arm_exception(out, e); break;
	case EV_CR: event_arm_cp15(out, e); break;
	case EV_FLUSH:
		if (e->a)
			text_printf(out, "TLB: the entry of %llx invalidated", (ull)e->b);
		else
			text_puts(out, "TLB: everything invalidated");
		break;
	default: text_printf(out, "event %u", e->kind); break;
	}
}

const struct walk_words walk_words_arm = {
	.ip = "pc",
	.access = access,
	.title = title,
	.perm = perm,
	.reg = reg,
	.reg_flags = reg_flags,
	.merge = merge,
	.refused = refused,
	.fault_to = fault_to,
	.error = error,
	.tlb = tlb,
	.held = held,
	.flush = flush,
	.event = event,
};
