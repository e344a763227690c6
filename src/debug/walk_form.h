/*
 * What a walk's tables look like to a reader: levels, the address bits that each uses, and the bits of its entries by
 * name and meaning. The views draw from these tables only, so that each architecture brings its own. Registers that have a say in
 * a walk without being tables (ARM's DACR) are levels, too, which no address bits choose.
 */
#ifndef DEBUG_WALK_FORM_H
#define DEBUG_WALK_FORM_H

#include "base/text.h"
#include "base/types.h"
#include "mmu/walk.h"
#include "mmu/walk_arm.h"

enum walk_bit_kind {
	BIT_FLAG,
	BIT_ADDRESS,
	BIT_FREE,  /* the walker does not look at it */
	BIT_FIELD, /* a number of several bits */
	BIT_TYPE   /* a field that says what the entry is */
};

/* A bit, or a field, of an entry. Tables end with name NULL. */
struct walk_bit {
	u8 hi, lo, kind;
	const char *name;
	const char *one, *zero;   /* what the values mean */
	const char *const *value; /* of a field: the same for each value; may be NULL */
};

/* Rows of the tables walk_bit. */
#define WALK_FLAG(n, name, one, zero) {n, n, BIT_FLAG, name, one, zero, NULL}
#define WALK_ADDRESS(hi, lo, name)    {hi, lo, BIT_ADDRESS, name, NULL, NULL, NULL}
#define WALK_FREE(hi, lo)             {hi, lo, BIT_FREE, "-", "available to software", "available to software", NULL}
#define WALK_FIELD(hi, lo, name, val) {hi, lo, BIT_FIELD, name, NULL, NULL, val}
#define WALK_TYPE(hi, lo, val)        {hi, lo, BIT_TYPE, "type", NULL, NULL, val}
#define WALK_END                      {0, 0, 0, NULL, NULL, NULL, NULL}

#define WALK_LEVELS 5

struct walk_level {
	const char *name;          /* "domain"; NULL: L and its number */
	const char *entry, *table; /* "PML4E"; "page map, level 4" */
	u8 hi, lo;                 /* the address bits that choose the entry; hi 0: none do */
	u64 leaf_mask, leaf_value; /* an entry with (val & mask) == value maps a page; value 1 with mask 0: none does */
	const struct walk_bit *link, *page;
	const struct walk_bit *const *type; /* instead of link and page: by the entry's bits 1:0 */
	u64 write, user,
		no_exec; /* its bits that grant writing and user access, and forbid execution; 0: it has no say */
};

struct walk_form {
	char name[40];                            /* "long mode, 4 levels" */
	const char *root;                         /* "CR3" */
	const char *address, *large;              /* "address"; "large page": what ends a walk early */
	u8 levels, size;                          /* bytes of an entry */
	u8 bits;                                  /* of an address that take part */
	u8 offset;                                /* bits of the offset */
	u8 sub_hi, sub_lo;                        /* those of them that choose a subpage; sub_hi 0: none */
	u8 order[WALK_LEVELS];                    /* the levels by number, from the first to the last */
	struct walk_level level[WALK_LEVELS + 1]; /* by number; 0 is not used */
};

/* nested: the tables at nCR3. */
void walk_form_x86(struct walk_form *f, const struct paging *p, bool nested);

/* ---- ARM; walk_form_arm.c ---- */

/* Numbers of its levels: the tables', and the registers that have a say. */
enum { ARM_L1 = 1, ARM_L2, ARM_FCSE, ARM_DOMAIN, ARM_AP };
/* Types of descriptors: bits 1:0. DDI0100 B4.7 */
enum { ARM_L1_COARSE = 1, ARM_L1_SECTION, ARM_L1_FINE };
/* What a page, or DACR, lets do. */
enum { ARM_READ = 1, ARM_WRITE = 2, ARM_USER_READ = 4, ARM_USER_WRITE = 8, ARM_RIGHTS = 15 };

/* The registers that an ARM walk depends on, as they were, and the address before the FCSE. */
struct walk_arm_regs {
	u32 va, ttbr, dacr, control, fcse;
	bool locking; /* TLB lockdown: what is filled goes there */
};

/* w says which kinds of tables there are. */
void walk_form_arm(struct walk_form *f, const struct walk_arm_regs *r, const struct walk *w);
/* For the machine's own checks. */
struct walk_arm_env walk_arm_env_of(const struct walk_arm_regs *r);
/* All that the domain and the permission field allow, as the machine decides. */
unsigned walk_arm_rights(const struct walk_arm_regs *r, unsigned domain, unsigned ap);
/* The domain's field in DACR. */
static inline unsigned walk_arm_domain(const struct walk_arm_regs *r, unsigned domain) { return r->dacr >> 2 * (domain & 15) & 3; }

/* Bits of the entry, as table or page. */
const struct walk_bit *walk_form_bits(const struct walk_level *l, u64 val);
static inline bool walk_form_leaf(const struct walk_level *l, u64 val) { return (val & l->leaf_mask) == l->leaf_value; }
/* The named flags that are set, and fields: "P W U A". */
void walk_form_flags(const struct walk_level *l, u64 val, struct text *out);
/* What the value of a flag or field means; "": nothing more than its number. */
const char *walk_bit_says(const struct walk_bit *b, u64 v);
/* The address bits of the entry alone. */
u64 walk_form_address(const struct walk_level *l, u64 val);

#endif
