/*
 * The TLB's architectural sets: looking a page up. Internal to mmu/: shared by tlb.c, which fills and flushes, and by
 * the walker, which asks for nested translations at every guest level.
 */
#ifndef MMU_TLB_WAYS_H
#define MMU_TLB_WAYS_H

#include "mmu/tlb.h"

/* Sizes of pages are codes in keys and masks. */
static ALWAYS_INLINE unsigned size_code(unsigned shift)
{
	return shift == 12 ? 0 : shift == 21 ? 1 : shift == 22 ? 2 : 3;
}
static ALWAYS_INLINE unsigned size_shift(unsigned code) { return 0x1e16150cu >> code * 8 & 0xff; }

static ALWAYS_INLINE struct tlb_set *array_sets(struct tlb_arch *a, enum tlb_array n)
{
	return n == TLB_DATA ? a->data : n == TLB_FETCH ? a->fetch : a->nested;
}
static ALWAYS_INLINE u32 array_mask(enum tlb_array n)
{
	return n == TLB_DATA ? TLB_DATA_SETS - 1 : n == TLB_FETCH ? TLB_FETCH_SETS - 1 : TLB_NESTED_SETS - 1;
}

/* A place in a set. */
struct way {
	struct tlb_set *set;
	unsigned n;
};

static ALWAYS_INLINE struct tlb_set *set_of(struct tlb *t, enum tlb_array arr, u64 va, unsigned shift, u32 gen)
{
	u32 i = (u32)(va >> shift) + (gen * 0x9e3779b1u >> 16);

	return array_sets(&t->arch, arr) + (i & array_mask(arr));
}

static ALWAYS_INLINE u64 key_of(u64 va, unsigned shift, unsigned code) { return (va & ~mask_low(shift)) | code; }

/* The way that holds va in the generation, among the page sizes that it has. */
static ALWAYS_INLINE bool way_find(struct tlb *t, enum tlb_array arr, u64 va, u32 gen, unsigned sizes, struct way *w)
{
	for (; sizes; sizes &= sizes - 1) {
		unsigned code = (unsigned)__builtin_ctz(sizes), shift = size_shift(code), found = 0;
		u64 key = key_of(va, shift, code);
		struct tlb_set *s = set_of(t, arr, va, shift, gen);

		for (unsigned i = 0; i < TLB_WAYS; i++)
			found |= (unsigned)(s->key[i] == key & s->gen[i] == gen) << i;
		if (found) {
			*w = (struct way){s, (unsigned)__builtin_ctz(found)};
			return true;
		}
	}
	return false;
}

static ALWAYS_INLINE u64 way_value(const struct way *w) { return w->set->pa[w->n]; }
static ALWAYS_INLINE unsigned way_shift(const struct way *w) { return size_shift(w->set->key[w->n] & 3); }
#define WAY_PERM 63 /* the bits of a way's value that are enum perm */

/* Nested translations (guest-physical to system-physical) of the current ASID. A cached translation that refuses the
 * access is dropped, and answers false: walk again before a fault is reported, or to set D. APM2 5.5.3. */
static ALWAYS_INLINE bool tlb_nested_find(struct tlb *t, u64 gpa, unsigned access, struct tlb_hit *hit)
{
	const struct tlb_asid *a = t->cur_asid;
	unsigned need = (access & ACC_WRITE ? PERM_W | PERM_D : 0) | (access & ACC_EXEC ? PERM_X : 0);
	struct way w;
	u64 v;

	if (!way_find(t, TLB_NESTED, gpa, a->nested, a->nested_sizes, &w))
		return false;
	v = way_value(&w);
	if (unlikely(need & ~v)) {
		w.set->gen[w.n] = 0;
		return false;
	}
	hit->shift = (u8)way_shift(&w);
	hit->perm = v & WAY_PERM;
	hit->pa = (v & PAGE_MASK) | (gpa & mask_low(hit->shift));
	return true;
}

#endif
