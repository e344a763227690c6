/*
 * For the tests of walker and TLB: physical memory, and page tables of every mode built in it. The tables of a
 * "world" (host or guest) live at physical addresses of that world; off says where its address 0 lies in the memory.
 */
#ifndef TESTS_PAGE_TABLES_H
#define TESTS_PAGE_TABLES_H

#include "mmu/space.h"
#include "mmu/walk.h"

enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, PS = 0x80, G = 0x100 };
#define NX BIT(63)

struct tables {
	struct space *mem;
	u64 off;  /* system-physical address of this world's address 0 */
	u64 root; /* of the topmost table */
	u64 next; /* next free page for a table */
	unsigned levels;
	u64 link; /* flags of the entries that point to tables */
};

static inline unsigned tables_ibits(const struct tables *t) { return t->levels == 2 ? 10 : 9; }
static inline unsigned tables_size(const struct tables *t) { return t->levels == 2 ? 4 : 8; }

static inline u64 tables_page(struct tables *t)
{
	u64 pa = t->next;

	for (u64 i = 0; i < PAGE_SIZE; i += 8)
		space_write(t->mem, t->off + pa + i, 8, 0);
	t->next += PAGE_SIZE;
	return pa;
}

static inline void tables_init(struct tables *t, struct space *mem, unsigned levels, u64 off, u64 first)
{
	*t = (struct tables){.mem = mem, .off = off, .next = first, .levels = levels, .link = P | W | U | A};
	t->root = tables_page(t);
}

/* The address (in the world) of the entry of va at a level; tables on the way are made. */
static inline u64 tables_entry(struct tables *t, u64 va, unsigned level)
{
	u64 table = t->root;

	for (unsigned l = t->levels;; l--) {
		unsigned shift = 12 + (l - 1) * tables_ibits(t);
		u64 at = table + (va >> shift & mask_low(tables_ibits(t))) * tables_size(t), val;

		if (t->levels == 3 && l == 3)
			at = table + (va >> 30 & 3) * 8;
		if (l == level)
			return at;
		val = space_read(t->mem, t->off + at, tables_size(t));
		if (!(val & P)) {
			val = tables_page(t) | (t->levels == 3 && l == 3 ? P : t->link);
			space_write(t->mem, t->off + at, tables_size(t), val);
		}
		table = val & 0x000ffffffffff000ull;
	}
}

static inline u64 tables_get(struct tables *t, u64 va, unsigned level)
{
	return space_read(t->mem, t->off + tables_entry(t, va, level), tables_size(t));
}

static inline void tables_put(struct tables *t, u64 va, unsigned level, u64 val)
{
	space_write(t->mem, t->off + tables_entry(t, va, level), tables_size(t), val);
}

/* Map the page of va at level (1: 4 KB, 2: 2 or 4 MB, 3: 1 GB) to pa. */
static inline void tables_map(struct tables *t, u64 va, unsigned level, u64 pa, u64 flags)
{
	tables_put(t, va, level, pa | flags | (level > 1 ? PS : 0));
}

static inline struct paging tables_paging(const struct tables *t)
{
	return (struct paging){.root = t->root,
			       .levels = (u8)t->levels,
			       .pse = true,
			       .nx = true,
			       .wp = true,
			       .pge = true,
			       .page1gb = true,
			       .pa_bits = 48};
}

#endif
