/*
 * How many memory references translation costs: of one walk and of a run, as it was and as it would be with other pages
 * or without nested paging. Only walks count: an access that the TLB serves makes none.
 */
#ifndef DEBUG_WALK_STAT_H
#define DEBUG_WALK_STAT_H

#include "debug/walk_view.h"

/* What the walks of guests under nested paging would have cost, each without cached nested translations. */
enum walk_way {
	WAY_ACTUAL,    /* as made, cached nested translations used */
	WAY_COLD,      /* the same tables, nothing cached */
	WAY_NATIVE,    /* the guest's tables alone: no virtualization */
	WAY_SHADOW,    /* shadow tables of the VMM: one dimension, pages as small as the smaller of both */
	WAY_NESTED_4K, /* nested pages of 4 KB throughout */
	WAY_NESTED_2M,
	WAY_NESTED_1G,
	WAY_BOTH_2M, /* guest pages of 2 MB too */
	WAYS
};

enum walk_kind { KIND_HOST, KIND_GUEST /* one dimension: shadow paging */, KIND_NESTED, KINDS };

/* ARM's walks by what they found. */
enum walk_kind_arm { KIND_SECTION, KIND_LARGE, KIND_SMALL, KIND_TINY, KIND_INVALID, ARM_KINDS };

#define WALK_REFS 36

struct walk_stat {
	enum walk_arch arch;
	u64 walks[ARM_KINDS], refused[ARM_KINDS], refs[ARM_KINDS];
	u64 compared; /* nested walks that were allowed: what way[] sums up */
	u64 way[WAYS];
	u64 histogram[WALK_REFS]; /* nested walks by references made */
};

const char *walk_way_text(enum walk_way w);
unsigned walk_kinds(const struct walk_stat *t); /* how many */
const char *walk_kind_text(const struct walk_stat *t, unsigned kind);
/* References of one walk, each way. False: not a nested walk that was allowed. */
bool walk_ways(const struct walk_shot *s, unsigned way[WAYS]);
void walk_stat_add(struct walk_stat *t, const struct walk_shot *s);
void walk_stat_print(struct text *out, const struct walk_stat *t);

#endif
