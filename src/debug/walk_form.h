/*
 * What a walk's tables look like to a reader: levels, the address bits that each uses, and the bits of its entries by
 * name and meaning. The views draw from these tables only, so that another architecture brings its own.
 */
#ifndef DEBUG_WALK_FORM_H
#define DEBUG_WALK_FORM_H

#include "base/text.h"
#include "base/types.h"
#include "mmu/walk.h"

enum walk_bit_kind { BIT_FLAG, BIT_ADDRESS, BIT_FREE /* the walker does not look at it */ };

/* A bit, or a field, of an entry. Tables end with name NULL. */
struct walk_bit {
	u8 hi, lo, kind;
	const char *name;
	const char *one, *zero; /* what the values mean */
};

#define WALK_LEVELS 5

struct walk_level {
	const char *entry, *table; /* "PML4E"; "page map, level 4" */
	u8 hi, lo;                 /* the address bits that choose the entry */
	u64 leaf_mask, leaf_value; /* an entry with (val & mask) == value maps a page; value 1 with mask 0: none does */
	const struct walk_bit *link, *page;
	u64 write, user,
		no_exec; /* its bits that grant writing and user access, and forbid execution; 0: it has no say */
};

struct walk_form {
	char name[40];                            /* "long mode, 4 levels" */
	const char *root;                         /* "CR3" */
	u8 levels, size;                          /* bytes of an entry */
	u8 bits;                                  /* of an address that take part */
	struct walk_level level[WALK_LEVELS + 1]; /* by number; 0 is not used */
};

/* nested: the tables at nCR3. */
void walk_form_x86(struct walk_form *f, const struct paging *p, bool nested);

/* Bits of the entry, as table or page. */
const struct walk_bit *walk_form_bits(const struct walk_level *l, u64 val);
static inline bool walk_form_leaf(const struct walk_level *l, u64 val) { return (val & l->leaf_mask) == l->leaf_value; }
/* The named flags that are set: "P W U A". */
void walk_form_flags(const struct walk_level *l, u64 val, struct text *out);
/* The address bits of the entry alone. */
u64 walk_form_address(const struct walk_level *l, u64 val);

#endif
