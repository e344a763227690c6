/* Random read-modify-writes in 64 MB of small pages: nearly each one misses the TLB. Op: one touch. */
#include "rt_arm.h"

enum { VA = 0x40000000, PA = 0x04000000, PAGES = 16384 };

static u32 coarse[PAGES] __attribute__((aligned(1024)));

static struct result run(u64 n)
{
	u32 *table = mmu_on();
	u64 rng = 0x1234567, sum = 0;

	for (u32 i = 0; i < PAGES; i++)
		coarse[i] = (PA + (i * 7919 % PAGES) * 4096) | 0xffe;
	for (u32 i = 0; i < PAGES / 256; i++)
		table[(VA >> 20) + i] = (u32)(coarse + 256 * i) | 0x11;
	tlb_flush();
	for (u64 i = 0; i < n; i++) {
		u64 r = rng_next(&rng);
		volatile u32 *p = (volatile u32 *)(VA + (u32)(r >> 20) % PAGES * 4096 + ((u32)r & 0xffc));

		*p += (u32)i;
		sum = sum_mix(sum, *p);
	}
	return (struct result){ n, sum };
}

const struct bench bench = { "arm-tlb", 4000000, run };
