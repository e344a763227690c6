/* page.c: the page allocator: one bit per 4 KB page of the first GB, 1 = taken.
 * Free is what the loader's memory map calls usable, without the first MB, the VMM's image and the modules. */
#include "page.h"
#include "memory.h"
#include "trap.h"

enum { PAGES = MEMORY_TOP / PAGE_SIZE };

static u8 taken[PAGES / 8];
static u32 free_pages;
extern char image_start[], image_end[]; /* tvmm.ld */

static bool is_taken(u64 page) { return taken[page / 8] >> page % 8 & 1; }

static void set_taken(u64 page, bool value)
{
	if (is_taken(page) == value)
		return;
	taken[page / 8] ^= (u8)(1 << page % 8);
	free_pages += value ? -1u : 1u;
}

/* A usable range shrinks to whole pages, ... */
static void give_range(u64 start, u64 end)
{
	end = end < MEMORY_TOP ? end : MEMORY_TOP;
	start = start > LOW_MEMORY ? start : LOW_MEMORY;
	for (u64 page = (start + PAGE_SIZE - 1) / PAGE_SIZE; page < end / PAGE_SIZE; page++)
		set_taken(page, false);
}

/* ... a taken one grows to them. */
static void take_range(u64 start, u64 end)
{
	end = end < MEMORY_TOP ? end : MEMORY_TOP;
	for (u64 page = start / PAGE_SIZE; page < (end + PAGE_SIZE - 1) / PAGE_SIZE; page++)
		set_taken(page, true);
}

void page_init(const struct boot_info *info)
{
	memset(taken, 0xff, sizeof taken);
	for (unsigned i = 0; i < info->usable_count; i++)
		give_range(info->usable[i].start, info->usable[i].end);
	take_range(virt_to_phys(image_start), virt_to_phys(image_end));
	for (unsigned i = 0; i < info->module_count; i++)
		take_range(info->module[i].memory.start, info->module[i].memory.end);
}

u32 page_free_count(void) { return free_pages; }

static unsigned free_run(u64 page, unsigned count)
{
	unsigned n = 0;
	while (n < count && page + n < PAGES && !is_taken(page + n))
		n++;
	return n;
}

u64 page_alloc(unsigned count, unsigned align)
{
	for (u64 page = 0; page < PAGES; page += align) {
		if (free_run(page, count) < count)
			continue;
		for (unsigned i = 0; i < count; i++)
			set_taken(page + i, true);
		memset(phys_to_virt(page * PAGE_SIZE), 0, (size_t)count * PAGE_SIZE);
		return page * PAGE_SIZE;
	}
	panic("no %u free pages in a row", count);
}

void page_free(u64 pa, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		set_taken(pa / PAGE_SIZE + i, false);
}
