/* The TLB's architectural content as a list, for debuggers. Nothing is changed. See tlb.h. */
#include "mmu/tlb_ways.h"

/* Whose generation it is. False: a dead one. */
static bool owner_of(const struct tlb *t, u32 gen, enum tlb_array arr, struct tlb_row *row)
{
	for (unsigned i = 0; i < TLB_ASIDS; i++) {
		const struct tlb_asid *a = &t->arch.asid[i];

		if (a->world != t->arch.world || !gen)
			continue;
		row->asid = a->asid;
		row->global = arr != TLB_NESTED && a->global == gen;
		if (arr == TLB_NESTED ? a->nested == gen : row->global)
			return true;
		for (unsigned k = 0; arr != TLB_NESTED && k < TLB_PCIDS; k++) {
			const struct tlb_pcid *p = &t->arch.pcid[k];

			if (p->epoch == a->epoch && p->gen == gen) {
				row->pcid = p->pcid;
				return true;
			}
		}
	}
	return false;
}

void tlb_list(const struct tlb *t, void (*each)(void *arg, const struct tlb_row *row), void *arg)
{
	for (enum tlb_array arr = TLB_DATA; arr < TLB_ARRAYS; arr++) {
		const struct tlb_set *sets = array_sets((struct tlb_arch *)&t->arch, arr); /* only looked at */

		for (u32 i = 0; i <= array_mask(arr); i++)
			for (unsigned n = 0; n < TLB_WAYS; n++) {
				const struct tlb_set *s = &sets[i];
				struct tlb_row row = {.kind = (u8)arr, .va = s->key[n] & PAGE_MASK, .pa = s->pa[n] & PAGE_MASK,
						      .shift = (u8)size_shift(s->key[n] & 3), .perm = s->pa[n] & WAY_PERM};

				if (s->gen[n] && owner_of(t, s->gen[n], arr, &row))
					each(arg, &row);
			}
	}
}
