/* See memory_hash.h. */
#include "machine/memory_hash.h"

#include <xxhash.h>

static bool all_zero(const u8 *page) { return !*page && !memcmp(page, page + 1, PAGE_SIZE - 1); }

/* Pages that were never written are zero or as they were made; a zero page counts as none, so that having been written
 * does not matter. */
static u64 hash_region(const struct space *s, const struct region *r, u64 h)
{
	for (u64 i = 0; i < r->size / PAGE_SIZE; i++) {
		const u8 *page = r->host + i * PAGE_SIZE;

		if ((s->page[r->page0 + i].dirty || r->kind != REGION_RAM) && !all_zero(page))
			h = XXH64(page, PAGE_SIZE, h ^ (r->base + i * PAGE_SIZE));
	}
	return h;
}

u64 memory_hash(const struct space *s, u64 h)
{
	for (unsigned i = 0; i < s->regions; i++)
		if (s->region[i].host && !s->region[i].alias)
			h = hash_region(s, &s->region[i], h);
	return XXH64(&s->a20_mask, sizeof s->a20_mask, h);
}
