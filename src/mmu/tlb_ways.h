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

/* The offset bits of a page of 1 << shift bytes (shift < 64, unlike mask_low). */
static ALWAYS_INLINE u64 offset_mask(unsigned shift) { return BIT(shift) - 1; }

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

static ALWAYS_INLINE u64 key_of(u64 va, unsigned shift, unsigned code) { return (va & ~offset_mask(shift)) | code; }

static ALWAYS_INLINE unsigned way_is(const struct tlb_set *s, unsigned n, u64 key, u32 gen)
{
	return (unsigned)((s->key[n] == key) & (s->gen[n] == gen)) << n;
}

/* The way that holds va in the generation, among the page sizes that it has. */
static ALWAYS_INLINE bool way_find(struct tlb *t, enum tlb_array arr, u64 va, u32 gen, unsigned sizes, struct way *w)
{
	for (; sizes; sizes &= sizes - 1) {
		unsigned code = (unsigned)__builtin_ctz(sizes), shift = size_shift(code), found;
		u64 key = key_of(va, shift, code);
		struct tlb_set *s = set_of(t, arr, va, shift, gen);

		found = way_is(s, 0, key, gen) | way_is(s, 1, key, gen) | way_is(s, 2, key, gen) |
			way_is(s, 3, key, gen);
		if (found) {
			*w = (struct way){s, (unsigned)__builtin_ctz(found)};
			return true;
		}
	}
	return false;
}

/* Where a new translation goes: an empty way (true), or that of the oldest, which must be dropped first (false). */
static ALWAYS_INLINE bool way_choose(struct tlb *t, enum tlb_array arr, u64 va, unsigned shift, u32 gen, struct way *w)
{
	struct tlb_set *s = set_of(t, arr, va, shift, gen);
	unsigned empty = (unsigned)!s->gen[0] | (unsigned)!s->gen[1] << 1 | (unsigned)!s->gen[2] << 2 |
			 (unsigned)!s->gen[3] << 3;

	w->set = s;
	if (empty) {
		w->n = (unsigned)__builtin_ctz(empty);
		return true;
	}
	w->n = s->next;
	s->next = (w->n + 1) % TLB_WAYS;
	return false;
}

static ALWAYS_INLINE void way_put(const struct way *w, u64 va, u64 pa, unsigned shift, unsigned perm, u32 gen)
{
	w->set->key[w->n] = key_of(va, shift, size_code(shift));
	w->set->pa[w->n] = (pa & ~offset_mask(shift)) | perm;
	w->set->gen[w->n] = gen;
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
	hit->pa = (v & PAGE_MASK) | (gpa & offset_mask(hit->shift));
	return true;
}

static ALWAYS_INLINE void tlb_nested_fill(struct tlb *t, u64 gpa, u64 pa, unsigned shift, unsigned perm)
{
	struct tlb_asid *a = t->cur_asid;
	struct way w;

	a->nested_sizes |= (u8)(1u << size_code(shift));
	way_choose(t, TLB_NESTED, gpa, shift, a->nested, &w);
	way_put(&w, gpa, pa, shift, perm, a->nested);
}

#endif
