/* The tables of x86 paging for a reader: see walk_form.h. APM2 5.2 (32-bit), 5.2.3 (PAE), 5.3 (long mode), 5.4 (bits).
 */
#include "debug/walk_form.h"

#include <stdio.h>

#define FLAG(n, name, one, zero)                                                                                       \
	{                                                                                                              \
		n, n, BIT_FLAG, name, one, zero                                                                        \
	}
#define ADDRESS(hi, lo, name)                                                                                          \
	{                                                                                                              \
		hi, lo, BIT_ADDRESS, name, NULL, NULL                                                                  \
	}
#define FREE(hi, lo)                                                                                                   \
	{                                                                                                              \
		hi, lo, BIT_FREE, "-", "available to software", "available to software"                                \
	}
#define END                                                                                                            \
	{                                                                                                              \
		0, 0, 0, NULL, NULL, NULL                                                                              \
	}

#define PRESENT    FLAG(0, "P", "present", "not present: the other bits mean nothing to the processor")
#define CACHE      FLAG(3, "PWT", "writethrough", "writeback"), FLAG(4, "PCD", "not cached", "cacheable")
#define RIGHTS     FLAG(1, "W", "writable", "read-only"), FLAG(2, "U", "user and supervisor", "supervisor only")
#define ACCESSED   FLAG(5, "A", "has been used", "has not been used")
#define DIRTY      FLAG(6, "D", "has been written", "has not been written")
#define GLOBAL     FLAG(8, "G", "global: survives MOV CR3 (with CR4.PGE)", "not global")
#define LARGE      FLAG(7, "PS", "maps a large page", "points to a table")
#define NO_EXECUTE FLAG(63, "NX", "no instructions may be fetched", "instructions may be fetched")

/* APM2 figures 5-19 to 5-23 */
static const struct walk_bit link8_top[] = {PRESENT,      RIGHTS,     CACHE,       ACCESSED,
					    FREE(6, 6),   LARGE,      FREE(11, 8), ADDRESS(51, 12, "table"),
					    FREE(62, 52), NO_EXECUTE, END};
static const struct walk_bit page8_4k[] = {
	PRESENT,      RIGHTS,      CACHE,
	ACCESSED,     DIRTY,       FLAG(7, "PAT", "memory type: upper half of PAT", "memory type: lower half of PAT"),
	GLOBAL,       FREE(11, 9), ADDRESS(51, 12, "page"),
	FREE(62, 52), NO_EXECUTE,  END};
static const struct walk_bit page8_2m[] = {
	PRESENT,
	RIGHTS,
	CACHE,
	ACCESSED,
	DIRTY,
	LARGE,
	GLOBAL,
	FREE(11, 9),
	FLAG(12, "PAT", "memory type: upper half of PAT", "memory type: lower half of PAT"),
	ADDRESS(51, 21, "page"),
	FREE(62, 52),
	NO_EXECUTE,
	END};
static const struct walk_bit page8_1g[] = {
	PRESENT,
	RIGHTS,
	CACHE,
	ACCESSED,
	DIRTY,
	LARGE,
	GLOBAL,
	FREE(11, 9),
	FLAG(12, "PAT", "memory type: upper half of PAT", "memory type: lower half of PAT"),
	ADDRESS(51, 30, "page"),
	FREE(62, 52),
	NO_EXECUTE,
	END};
/* Legacy PAE: a PDPE has no rights. APM2 figure 5-10 */
static const struct walk_bit pdpe_pae[] = {PRESENT, CACHE, FREE(11, 9), ADDRESS(51, 12, "table"), END};
/* Four-byte entries. APM2 figures 5-4 to 5-8 */
static const struct walk_bit link4[] = {
	PRESENT, RIGHTS, CACHE, ACCESSED, FREE(6, 6), LARGE, FREE(11, 8), ADDRESS(31, 12, "table"), END};
static const struct walk_bit page4_4k[] = {
	PRESENT,  RIGHTS,      CACHE,
	ACCESSED, DIRTY,       FLAG(7, "PAT", "memory type: upper half of PAT", "memory type: lower half of PAT"),
	GLOBAL,   FREE(11, 9), ADDRESS(31, 12, "page"),
	END};
static const struct walk_bit page4_4m[] = {
	PRESENT,
	RIGHTS,
	CACHE,
	ACCESSED,
	DIRTY,
	LARGE,
	GLOBAL,
	FREE(11, 9),
	FLAG(12, "PAT", "memory type: upper half of PAT", "memory type: lower half of PAT"),
	ADDRESS(20, 13, "page 39:32"),
	ADDRESS(31, 22, "page 31:22"),
	END};

static const struct {
	const char *entry, *table;
} names[WALK_LEVELS + 1] = {
	[5] = {"PML5E", "level-5 page map"},
	[4] = {"PML4E", "level-4 page map"},
	[3] = {"PDPE", "page-directory-pointer table"},
	[2] = {"PDE", "page directory"},
	[1] = {"PTE", "page table"},
};

/* APM2 5.6: which bits of an entry have a say. */
static void rights(struct walk_level *l, const struct walk_form *f, const struct paging *p, unsigned level)
{
	bool none = f->levels == 3 && level == 3;

	l->write = none ? 0 : 2;
	l->user = none ? 0 : 4;
	l->no_exec = p->nx && f->levels > 2 && !none ? BIT(63) : 0;
}

static void leaves(struct walk_level *l, const struct walk_form *f, const struct paging *p, unsigned level)
{
	const u64 ps = 0x80;

	l->leaf_mask = 0;
	l->leaf_value = 1; /* none */
	if (level == 1)
		l->leaf_value = 0; /* all */
	else if ((level == 2 && (f->levels > 2 || p->pse)) || (level == 3 && f->levels > 3))
		l->leaf_mask = l->leaf_value = ps;
}

void walk_form_x86(struct walk_form *f, const struct paging *p, bool nested)
{
	const unsigned ibits = p->levels > 2 ? 9 : 10;

	memset(f, 0, sizeof *f);
	f->root = nested ? "nCR3" : "CR3";
	f->levels = p->levels;
	f->size = p->levels > 2 ? 8 : 4;
	f->bits = p->levels > 3 ? (u8)(12 + 9 * p->levels) : 32;
	if (p->levels > 3)
		snprintf(f->name, sizeof f->name, "long mode, %u levels", p->levels);
	else
		snprintf(f->name, sizeof f->name, "%s",
			 p->levels == 3   ? "PAE, 3 levels"
			 : p->levels == 2 ? (p->pse ? "32-bit, with 4 MB pages (PSE)" : "32-bit, 2 levels")
					  : "paging off");
	for (unsigned n = 1; n <= p->levels && n <= WALK_LEVELS; n++) {
		struct walk_level *l = &f->level[n];

		l->entry = names[n].entry;
		l->table = names[n].table;
		l->lo = (u8)(12 + ibits * (n - 1));
		l->hi = (u8)(l->lo + ibits - 1);
		if (p->levels == 3 && n == 3)
			l->hi = 31;
		l->link = p->levels == 2 ? link4 : p->levels == 3 && n == 3 ? pdpe_pae : link8_top;
		l->page = p->levels == 2 ? (n == 1 ? page4_4k : page4_4m)
			  : n == 1       ? page8_4k
			  : n == 2       ? page8_2m
					 : page8_1g;
		rights(l, f, p, n);
		leaves(l, f, p, n);
	}
}
