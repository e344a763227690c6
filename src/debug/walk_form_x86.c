/* The tables of x86 paging for a reader: see walk_form.h. APM2 5.2 (32-bit), 5.2.3 (PAE), 5.3 (long mode), 5.4 (bits). */
#include "debug/walk_form.h"

#include <stdio.h>

#define PRESENT    WALK_FLAG(0, "P", "present", "not present: the other bits mean nothing to the processor")
#define RIGHTS     WALK_FLAG(1, "W", "writable", "read-only"), WALK_FLAG(2, "U", "user and supervisor", "supervisor only")
#define CACHE      WALK_FLAG(3, "PWT", "writethrough", "writeback"), WALK_FLAG(4, "PCD", "not cached", "cacheable")
#define ACCESSED   WALK_FLAG(5, "A", "has been used", "has not been used")
#define DIRTY      WALK_FLAG(6, "D", "has been written", "has not been written")
#define LARGE      WALK_FLAG(7, "PS", "maps a large page", "points to a table")
#define GLOBAL     WALK_FLAG(8, "G", "global: survives MOV CR3 (with CR4.PGE)", "not global")
#define PAT(n)     WALK_FLAG(n, "PAT", "memory type: upper half of PAT", "memory type: lower half of PAT")
#define NO_EXECUTE WALK_FREE(62, 52), WALK_FLAG(63, "NX", "no instructions may be fetched", "instructions may be fetched")

/* The low half: of an entry that points to a table, that maps 4 KB, that maps more. */
#define TABLE_LOW PRESENT, RIGHTS, CACHE, ACCESSED, WALK_FREE(6, 6), LARGE, WALK_FREE(11, 8)
#define PAGE_LOW  PRESENT, RIGHTS, CACHE, ACCESSED, DIRTY, PAT(7), GLOBAL, WALK_FREE(11, 9)
#define LARGE_LOW PRESENT, RIGHTS, CACHE, ACCESSED, DIRTY, LARGE, GLOBAL, WALK_FREE(11, 9), PAT(12)

/* Eight bytes. APM2 figures 5-19 to 5-23 */
static const struct walk_bit link8[] = {TABLE_LOW, WALK_ADDRESS(51, 12, "table"), NO_EXECUTE, WALK_END};
static const struct walk_bit page8_4k[] = {PAGE_LOW, WALK_ADDRESS(51, 12, "page"), NO_EXECUTE, WALK_END};
static const struct walk_bit page8_2m[] = {LARGE_LOW, WALK_ADDRESS(51, 21, "page"), NO_EXECUTE, WALK_END};
static const struct walk_bit page8_1g[] = {LARGE_LOW, WALK_ADDRESS(51, 30, "page"), NO_EXECUTE, WALK_END};
/* Legacy PAE: a PDPE has no rights. APM2 figure 5-10 */
static const struct walk_bit pdpe_pae[] = {PRESENT, CACHE, WALK_FREE(11, 9), WALK_ADDRESS(51, 12, "table"), WALK_END};
/* Four bytes. APM2 figures 5-4 to 5-8 */
static const struct walk_bit link4[] = {TABLE_LOW, WALK_ADDRESS(31, 12, "table"), WALK_END};
static const struct walk_bit page4_4k[] = {PAGE_LOW, WALK_ADDRESS(31, 12, "page"), WALK_END};
static const struct walk_bit page4_4m[] = {LARGE_LOW, WALK_ADDRESS(20, 13, "page 39:32"), WALK_ADDRESS(31, 22, "page 31:22"), WALK_END};

static const struct {
	const char *entry, *table;
	const struct walk_bit *page;
} names[WALK_LEVELS + 1] = {
	[5] = {"PML5E", "level-5 page map", page8_1g},
	[4] = {"PML4E", "level-4 page map", page8_1g},
	[3] = {"PDPE", "page-directory-pointer table", page8_1g},
	[2] = {"PDE", "page directory", page8_2m},
	[1] = {"PTE", "page table", page8_4k},
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

static void entries(struct walk_level *l, const struct walk_form *f, unsigned level)
{
	if (f->levels == 2) {
		l->link = link4;
		l->page = level == 1 ? page4_4k : page4_4m;
		return;
	}
	l->link = f->levels == 3 && level == 3 ? pdpe_pae : link8;
	l->page = names[level].page;
}

static void name(struct walk_form *f, const struct paging *p)
{
	if (p->levels > 3)
		snprintf(f->name, sizeof f->name, "long mode, %u levels", p->levels);
	else
		snprintf(f->name, sizeof f->name, "%s",
			 p->levels == 3   ? "PAE, 3 levels"
			 : p->levels == 2 ? (p->pse ? "32-bit, with 4 MB pages (PSE)" : "32-bit, 2 levels")
					  : "paging off");
}

void walk_form_x86(struct walk_form *f, const struct paging *p, bool nested)
{
	const unsigned ibits = p->levels > 2 ? 9 : 10;

	memset(f, 0, sizeof *f);
	name(f, p);
	f->root = nested ? "nCR3" : "CR3";
	f->address = "address";
	f->large = "large page";
	f->levels = p->levels;
	f->size = p->levels > 2 ? 8 : 4;
	f->bits = p->levels > 3 ? (u8)(12 + 9 * p->levels) : 32;
	f->offset = p->levels ? 12 : 32;
	for (unsigned n = 1; n <= p->levels && n <= WALK_LEVELS; n++) {
		struct walk_level *l = &f->level[n];

		f->order[p->levels - n] = (u8)n;
		l->entry = names[n].entry;
		l->table = names[n].table;
		l->lo = (u8)(12 + ibits * (n - 1));
		l->hi = p->levels == 3 && n == 3 ? 31 : (u8)(l->lo + ibits - 1);
		entries(l, f, n);
		rights(l, f, p, n);
		leaves(l, f, p, n);
	}
}
