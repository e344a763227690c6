/* See mon_arm.h: an ARM's tables and TLB. DDI0100 B4.7, DDI0198 3.2, 3.7 */
#include "debug/mon_arm.h"

#define RANGES_MAX 2000

struct range {
	u64 va, size, pa;
	struct arm_page page; /* of its beginning */
};

static const char *size_name(unsigned shift)
{
	switch (shift) {
	case 10: return "1 KB";
	case 12: return "4 KB";
	case 16: return "64 KB";
	case 20: return "1 MB";
	default: return "4 GB";
	}
}

static void print_rights(struct text *out, const struct arm_page *p)
{
	text_printf(out, "domain %2u AP %u", p->domain, p->ap & 3);
	if (p->ap != (p->ap & 3) * 0x55)
		text_printf(out, "%u%u%u", p->ap >> 2 & 3, p->ap >> 4 & 3, p->ap >> 6 & 3);
	text_printf(out, " %c%c", p->cb & 2 ? 'C' : '-', p->cb & 1 ? 'B' : '-');
}

static void print_range(struct text *out, const struct range *r)
{
	text_printf(out, "%08llx-%08llx -> %08llx  ", (unsigned long long)r->va, (unsigned long long)(r->va + r->size - 1), (unsigned long long)r->pa);
	print_rights(out, &r->page);
	text_printf(out, "  %s pages\n", size_name(r->page.shift));
}

static bool goes_on(const struct range *r, const struct arm_page *p)
{
	return r->size && r->va + r->size == p->mva && r->pa + r->size == p->pa && r->page.shift == p->shift && r->page.domain == p->domain &&
	       r->page.ap == p->ap && r->page.cb == p->cb;
}

/* What the first-level table maps: every address is looked up, invalid first-level entries at once. */
void mon_tables_arm(struct monitor *m, char *args)
{
	const struct tlb_arm *t = &m->d->t->icp->cpu.tlb;
	struct range r = {0};
	unsigned printed = 0;
	u64 pages = 0;

	if (!mon_end(m, args))
		return;
	if (!t->env.on) {
		text_puts(m->out, "the MMU is off\n");
		return;
	}
	for (u64 at = 0; at < BIT(32) && printed < RANGES_MAX;) {
		struct arm_page p = {0};
		struct walk w;

		walk_arm(&t->env, (u32)at, ACC_READ, true, &w, &p);
		if (!p.shift) {
			at = (at | (w.n > 1 ? 0x3ff : 0xfffff)) + 1;
			continue;
		}
		pages++;
		if (goes_on(&r, &p)) {
			r.size += BIT(p.shift);
		} else {
			if (r.size)
				print_range(m->out, &r);
			printed += r.size != 0;
			r = (struct range){p.mva, BIT(p.shift), p.pa, p};
		}
		at = (u64)p.mva + BIT(p.shift);
	}
	if (r.size && printed < RANGES_MAX)
		print_range(m->out, &r);
	text_printf(m->out, "%llu pages%s\n", (unsigned long long)pages, printed >= RANGES_MAX ? " so far; the list is cut here" : "");
}

/* ---- tlb ---- */

struct lister {
	struct text *out;
	const struct walk_arm_env *env;
	u64 n;
};

/* With the descriptor that gives it, as the tables stand now. */
static void print_entry(void *arg, const char *kind, const struct arm_page *p)
{
	struct lister *l = arg;
	struct arm_page now = {0};
	struct walk w;

	l->n++;
	text_printf(l->out, "%-6s %08x -> %08x  ", kind, p->mva, p->pa);
	print_rights(l->out, p);
	text_printf(l->out, "  %-5s", size_name(p->shift));
	walk_arm(l->env, p->mva, ACC_READ, true, &w, &now);
	if (!now.shift)
		text_printf(l->out, "  STALE: the tables say %s\n", walk_why_text(w.why));
	else if (now.pa != p->pa || now.shift != p->shift || now.domain != p->domain || now.ap != p->ap)
		text_printf(l->out, "  STALE: the tables say %08x, domain %u, %s\n", now.pa, now.domain, size_name(now.shift));
	else if (w.n)
		text_printf(l->out, "  from the entry at %llx = %08llx\n", (unsigned long long)w.step[w.n - 1].pa, (unsigned long long)w.step[w.n - 1].val);
	else
		text_puts(l->out, "  (the MMU is off)\n");
}

u64 mon_tlb_arm_print(struct text *out, const struct tlb_arm *t)
{
	struct lister l = {out, &t->env, 0};

	tlb_arm_list(t, print_entry, &l);
	return l.n;
}

void mon_tlb_arm(struct monitor *m, char *args)
{
	if (mon_end(m, args))
		text_printf(m->out, "%llu translations\n", (unsigned long long)mon_tlb_arm_print(m->out, &m->d->t->icp->cpu.tlb));
}

/* ---- walk ---- */

void mon_walk_arm(struct text *out, const struct arm_cpu *c, u32 va, unsigned access)
{
	const struct walk_arm_env *env = &c->tlb.env;
	u32 mva = tlb_arm_mva(&c->tlb, va);
	struct walk w;

	walk_arm(env, mva, access, true, &w, NULL);
	if (mva != va)
		text_printf(out, "process %u: va %08x is MVA %08x\n", c->tlb.fcse >> 25, va, mva);
	walk_arm_print(out, &w);
	if (!env->on)
		text_puts(out, "the MMU is off\n");
	else if (w.shift)
		text_printf(out, "domain %u in DACR %08x: %s; S %u, R %u\n", w.domain, env->dacr, arm_domain_names[env->dacr >> 2 * w.domain & 3], env->s, env->r);
}
