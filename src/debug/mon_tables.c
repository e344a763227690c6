/* Monitor commands for address translation: one walk, what tables map, what the TLB holds. */
#include <stdio.h>

#include "debug/mon_arm.h"
#include "debug/monitor.h"
#include "debug/walk_out.h"

#define RANGES_MAX 2000

/* ---- walk ---- */

static void walk(struct monitor *m, char *args)
{
	enum level l;
	struct view v;
	struct walk w;
	unsigned access = ACC_READ | ACC_AC;
	u64 addr, pa;

	debugger_view(m->d, &v);
	if (!mon_address(m, &args, &l, &addr))
		return;
	for (const char *p = args; *p; p++) {
		access |= *p == 'w' ? ACC_WRITE : *p == 'x' ? ACC_EXEC : *p == 'u' ? ACC_USER : 0;
		if (*p == 'u')
			access &= ~(unsigned)ACC_AC;
		if (!strchr("rwxu ", *p)) {
			mon_fail(m, "expected r, w or x, and u for a user's access");
			return;
		}
	}
	if (l == LEVEL_P || (l == LEVEL_G && !v.env.nested)) {
		text_puts(m->out, "that is a system-physical address\n");
		return;
	}
	if (v.arm) {
		mon_walk_arm(m->out, v.arm, (u32)addr, access & ~(unsigned)ACC_AC);
		return;
	}
	view_translate(&v, l, addr, access, &pa, &w);
	walk_print(m->out, &w);
}

/* walk_out.c draws; addresses are our expressions, and the world is the one that is looked at. */
static void grid(struct monitor *m, char *args)
{
	struct debugger *d = m->d;
	char whole[600], *last = strrchr(args, ' '), *at, *comma;
	struct error err;
	struct view v;
	u64 addr;

	debugger_view(d, &v);
	last = last ? last + 1 : args;
	at = last;
	if (!mon_value(m, &at, &addr))
		return;
	comma = *at == ',' ? at : "";
	if (*at && *at != ',') {
		mon_fail(m, "unexpected '%s'", at);
		return;
	}
	snprintf(whole, sizeof whole, "%.*s0x%llx%s%s", (int)(last - args), args, (unsigned long long)addr, comma,
		 d->world == VIEW_NOW || v.arm ? "" : v.guest ? ",guest" : ",host");
	if (!walk_command(d->t, d->cpu, whole, m->out, 100, false, &err))
		mon_fail(m, "%s", err.msg);
}

/* ---- tables ---- */

struct range {
	u64 va, size, pa;
	u8 perm, shift;
	bool any;
};

static void print_range(struct text *out, const struct range *r)
{
	text_printf(out, "%016llx-%016llx -> %012llx %c%c%c%c%c  %s pages\n", (unsigned long long)r->va,
		    (unsigned long long)(r->va + r->size - 1), (unsigned long long)r->pa, r->perm & PERM_W ? 'w' : 'r',
		    r->perm & PERM_X ? 'x' : '-', r->perm & PERM_U ? 'u' : 's', r->perm & PERM_G ? 'g' : '-', r->perm & PERM_D ? 'd' : '-',
		    r->shift == 12 ? "4 KB" : r->shift == 21 ? "2 MB" : r->shift == 22 ? "4 MB" : "1 GB");
}

/* What an entry of a level covers. */
static unsigned level_shift(const struct paging *p, unsigned level) { return p->levels == 2 ? (level > 1 ? 22 : 12) : 12 + 9 * (level - 1); }

/* How far to go on behind a refused walk. */
static unsigned refused_shift(const struct walk_env *env, const struct walk *w, bool nested)
{
	if (nested)
		return level_shift(&env->np, w->fail_level);
	if (!w->nested_fault)
		return level_shift(&env->p, w->fail_level);
	return w->fail_serves ? level_shift(&env->p, w->fail_serves + 1u) : 12;
}

static void tables(struct monitor *m, char *args)
{
	struct view v;
	struct range r = {0};
	const char *what = mon_word(&args);
	bool nested = what && !strcmp(what, "nested");
	unsigned printed = 0, bits;
	u64 va = 0, pages = 0;

	debugger_view(m->d, &v);
	if (v.arm) {
		if (what)
			mon_fail(m, "unexpected '%s'", what);
		else
			mon_tables_arm(m, args);
		return;
	}
	if (what && !nested) {
		mon_fail(m, "expected nothing or nested");
		return;
	}
	if (nested ? !v.env.nested : !v.env.p.levels) {
		text_puts(m->out, nested ? "no nested paging in this world\n" : "paging is off\n");
		return;
	}
	bits = nested ? (v.env.np.levels > 3 ? v.env.np.pa_bits : 32) : v.env.p.levels > 4 ? 57 : v.env.p.levels == 4 ? 48 : 32;
	while (va < BIT(bits) && printed < RANGES_MAX) {
		u64 lin = nested || bits == 32 ? va : (u64)sign_extend(va, bits), at;
		struct walk w;
		unsigned shift;

		if (nested)
			walk_nested(&v.env, lin, ACC_READ | ACC_USER, false, &w);
		else
			walk_x86(&v.env, lin, ACC_READ | ACC_AC, false, &w);
		shift = w.why == WALK_OK ? w.shift : refused_shift(&v.env, &w, nested);
		at = BIT(shift) - 1;
		if (w.why == WALK_OK) {
			u64 pa = w.pa & ~at;

			pages++;
			if (r.any && r.va + r.size == (lin & ~at) && r.pa + r.size == pa && r.perm == w.perm && r.shift == shift) {
				r.size += at + 1;
			} else {
				if (r.any)
					print_range(m->out, &r);
				printed += r.any;
				r = (struct range){lin & ~at, at + 1, pa, w.perm, (u8)shift, true};
			}
		}
		va = (va | at) + 1;
	}
	if (r.any && printed < RANGES_MAX)
		print_range(m->out, &r);
	text_printf(m->out, "%llu pages%s\n", (unsigned long long)pages, printed >= RANGES_MAX ? " so far; the list is cut here" : "");
}

/* ---- tlb ---- */

struct tlb_lister {
	struct monitor *m;
	u64 asid, rows;
	bool only;
	struct view now, host;
};

/* Where the entry comes from is not kept: what is told is the table entry that gives the same translation now, or that none does. */
static void origin(struct tlb_lister *l, const struct tlb_row *row)
{
	struct text *out = l->m->out;
	const struct view *v = &l->now;
	struct view other;
	struct walk w;
	const struct walk_step *last;

	if (v->asid != row->asid || v->guest != (row->asid != 0)) {
		if (!row->asid)
			v = &l->host;
		else if (view_get(&l->m->d->worlds, l->m->d->cpu, VIEW_GUEST, 0, &other) && other.asid == row->asid)
			v = &other;
		else {
			text_puts(out, "  (whose tables is not known)\n");
			return;
		}
	}
	if (row->kind == TLB_NESTED && !v->env.nested) {
		text_puts(out, "\n");
		return;
	}
	if (row->kind == TLB_NESTED)
		walk_nested(&v->env, row->va, ACC_READ | ACC_USER, false, &w);
	else
		walk_x86(&v->env, row->va, ACC_READ | ACC_AC, false, &w);
	if (w.why != WALK_OK) {
		text_printf(out, "  STALE: the tables say %s\n", walk_why_text(w.why));
		return;
	}
	if ((w.pa & PAGE_MASK & ~(BIT(row->shift) - 1)) != (row->pa & ~(BIT(row->shift) - 1))) {
		text_printf(out, "  STALE: the tables say %llx\n", (unsigned long long)w.pa);
		return;
	}
	/* A right that the tables do not give any more. Global and dirty say nothing of that. */
	if (row->perm & ~w.perm & (PERM_W | PERM_X | PERM_U)) {
		text_printf(out, "  STALE: it gives more than the tables, which say%s%s%s\n", w.perm & PERM_U ? " U" : " supervisor", w.perm & PERM_W ? " W" : "",
			    w.perm & PERM_X ? " X" : "");
		return;
	}
	last = w.n ? &w.step[w.n - 1] : NULL;
	for (unsigned i = w.n; row->kind != TLB_NESTED && i-- > 0;)
		if (w.step[i].dim == 0) {
			last = &w.step[i];
			break;
		}
	if (last)
		text_printf(out, "  as the entry at %llx says now: %llx\n", (unsigned long long)last->pa, (unsigned long long)last->val);
	else
		text_puts(out, "  (paging is off)\n");
}

static void print_row(void *arg, const struct tlb_row *row)
{
	static const char *const kind[] = {"data", "fetch", "nested"};
	struct tlb_lister *l = arg;
	char owner[32];

	if (l->only && row->asid != l->asid)
		return;
	l->rows++;
	if (row->kind == TLB_NESTED || row->global)
		snprintf(owner, sizeof owner, "%s", row->global ? "global" : "");
	else
		snprintf(owner, sizeof owner, "PCID %u", row->pcid);
	text_printf(l->m->out, "ASID %-5u %-8s %-6s %016llx -> %012llx %c%c%c%c %4s", row->asid, owner, kind[row->kind % 3],
		    (unsigned long long)row->va, (unsigned long long)row->pa, row->perm & PERM_W ? 'w' : 'r', row->perm & PERM_X ? 'x' : '-',
		    row->perm & PERM_U ? 'u' : 's', row->perm & PERM_D ? 'd' : '-',
		    row->shift == 12 ? "4K" : row->shift == 21 ? "2M" : row->shift == 22 ? "4M" : "1G");
	origin(l, row);
}

static void tlb(struct monitor *m, char *args)
{
	struct tlb_lister l = {.m = m};
	struct debugger *d = m->d;

	if (d->t->icp) {
		mon_tlb_arm(m, args);
		return;
	}
	if (*args) {
		l.only = true;
		if (!mon_value(m, &args, &l.asid) || !mon_end(m, args))
			return;
	}
	view_get(&d->worlds, d->cpu, VIEW_NOW, 0, &l.now);
	view_get(&d->worlds, d->cpu, VIEW_HOST, 0, &l.host);
	tlb_list(&d->t->pc->cpu[d->cpu].x86.tlb, print_row, &l);
	text_printf(m->out, "%llu translations\n", (unsigned long long)l.rows);
}

const struct command mon_tables[] = {
	{"walk", NULL, "[v:|g:]ADDR [r|w|x][u]", "every table entry read to translate an address, in both dimensions", walk, false},
	{"grid", NULL, "[--html|--svg|--json FILE] ADDR[,read|write|exec][,user]", "the same walk as a picture", grid, false},
	{"tables", NULL, "[nested]", "what the page tables of this world map, as ranges; nested: guest-physical memory", tables, false},
	{"tlb", NULL, "[ASID]", "what this CPU's TLB holds, and the table entry behind each translation", tlb, false},
	{0},
};
