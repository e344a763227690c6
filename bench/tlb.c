/* Random read-modify-writes in 512 MB mapped with 4 KB pages: nearly each one misses the TLB. Op: one touch. */
#include "rt/rt64.h"

enum { ORDER = 40507 };

static struct result run(u64 n)
{
	u64 *root;

	arena_init(ORDER);
	root = page_identity(ARENA_BASE, 21);
	for (u32 i = 0; i < ARENA_PAGES; i++)
		page_map(root, ARENA_VA + i * 4096ull, ARENA_BASE + arena_shuffle(i, ORDER) * 4096ull, 12, PTE_ALL);
	cr3_write((u64)root);
	return (struct result){ n, arena_touch(n) };
}

const struct bench bench = { "tlb", 4000000, run };
