/* See walk_stat.h. APM2 15.25.1 (g + 1) x (n + 1) - 1. */
#include "debug/walk_stat.h"

typedef unsigned long long ull;

const char *walk_way_text(enum walk_way w)
{
	static const char *const text[WAYS] = {
		[WAY_ACTUAL] = "as made",        [WAY_COLD] = "nothing cached",
		[WAY_NATIVE] = "native",         [WAY_SHADOW] = "shadow",
		[WAY_NESTED_4K] = "nested 4 KB", [WAY_NESTED_2M] = "nested 2 MB",
		[WAY_NESTED_1G] = "nested 1 GB", [WAY_BOTH_2M] = "guest and nested 2 MB",
	};

	return text[w];
}

/* Entries read from the top of tables with that many levels down to a page of that size. */
static unsigned depth(const struct paging *p, unsigned shift)
{
	unsigned ibits = p->levels > 2 ? 9 : 10, leaf = shift > 12 ? (shift - 12) / ibits + 1 : 1;

	return leaf > p->levels ? 1 : p->levels - leaf + 1;
}

static unsigned nested(unsigned g, unsigned n) { return (g + 1) * (n + 1) - 1; }

/* A page of 1 << shift bytes, or the largest that the mode has. */
static unsigned depth_large(const struct paging *p, unsigned shift)
{
	unsigned large = p->levels == 2 ? 22 : 21;

	if (shift <= 12)
		return p->levels;
	if (shift == 30 && p->levels > 3 && p->page1gb)
		return depth(p, 30);
	return depth(p, large);
}

bool walk_ways(const struct walk_shot *s, unsigned way[WAYS])
{
	const struct walk *c = &s->cold;
	unsigned g = 0;

	if (!s->nested || s->physical || s->walk.why != WALK_OK || c->why != WALK_OK)
		return false;
	for (unsigned i = 0; i < c->n; i++)
		g += !c->step[i].dim && !c->step[i].cached;
	way[WAY_ACTUAL] = s->walk.refs;
	way[WAY_COLD] = c->refs;
	way[WAY_NATIVE] = g;
	way[WAY_SHADOW] = depth(&s->np, c->shift);
	way[WAY_NESTED_4K] = nested(g, depth_large(&s->np, 12));
	way[WAY_NESTED_2M] = nested(g, depth_large(&s->np, 21));
	way[WAY_NESTED_1G] = nested(g, depth_large(&s->np, 30));
	way[WAY_BOTH_2M] = nested(s->p.levels ? depth_large(&s->p, 21) : 0, depth_large(&s->np, 21));
	return true;
}

static unsigned kind_of(const struct walk_shot *s)
{
	if (s->arch == WALK_X86)
		return !s->guest ? KIND_HOST : s->nested ? KIND_NESTED : KIND_GUEST;
	switch (s->arm_page.shift) {
	case 20: return KIND_SECTION;
	case 16: return KIND_LARGE;
	case 12: return KIND_SMALL;
	case 10: return KIND_TINY;
	default: return KIND_INVALID;
	}
}

unsigned walk_kinds(const struct walk_stat *t) { return t->arch == WALK_ARM ? ARM_KINDS : KINDS; }

const char *walk_kind_text(const struct walk_stat *t, unsigned kind)
{
	static const char *const x86[KINDS] = {"host", "guest, one dimension", "guest, nested"};
	static const char *const arm[ARM_KINDS] = {"section, 1 MB", "large page, 64 KB", "small page, 4 KB", "tiny page, 1 KB", "no valid descriptor"};

	return t->arch == WALK_ARM ? arm[kind] : x86[kind];
}

void walk_stat_add(struct walk_stat *t, const struct walk_shot *s)
{
	unsigned way[WAYS], k = kind_of(s);

	t->walks[k]++;
	t->refs[k] += s->walk.refs;
	t->refused[k] += s->walk.why != WALK_OK;
	if (s->arch == WALK_X86 && k == KIND_NESTED)
		t->histogram[s->walk.refs < WALK_REFS ? s->walk.refs : WALK_REFS - 1]++;
	if (!walk_ways(s, way))
		return;
	t->compared++;
	for (unsigned i = 0; i < WAYS; i++)
		t->way[i] += way[i];
}

static void bar(struct text *out, double share)
{
	unsigned n = (unsigned)(share * 40 + 0.5);

	for (unsigned i = 0; i < n && i < 60; i++)
		text_puts(out, "#");
	text_puts(out, "\n");
}

void walk_stat_print(struct text *out, const struct walk_stat *t)
{
	u64 most = 1;

	text_puts(out, "page walks of the run (an access that the TLB serves makes none):\n");
	for (unsigned k = 0; k < walk_kinds(t); k++)
		text_printf(out, "  %-22s %8llu walks, %6llu refused, %9llu references, %5.2f a walk\n", walk_kind_text(t, k),
			    (ull)t->walks[k], (ull)t->refused[k], (ull)t->refs[k],
			    t->walks[k] ? (double)t->refs[k] / (double)t->walks[k] : 0.0);
	if (!t->compared)
		return;
	text_printf(out, "the %llu nested walks that were allowed, references each, by way of translation:\n",
		    (ull)t->compared);
	for (unsigned i = 0; i < WAYS; i++)
		most = t->way[i] > most ? t->way[i] : most;
	for (unsigned i = 0; i < WAYS; i++) {
		text_printf(out, "  %-22s %9llu %6.2f  ", walk_way_text((enum walk_way)i), (ull)t->way[i],
			    (double)t->way[i] / (double)t->compared);
		bar(out, (double)t->way[i] / (double)most);
	}
	text_puts(out, "nested walks by references made:\n");
	for (unsigned i = 0; i < WALK_REFS; i++)
		if (t->histogram[i])
			text_printf(out, "  %2u %9llu\n", i, (ull)t->histogram[i]);
}
