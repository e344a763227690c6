/* DACR switches with accesses in between, as between a guest's kernel and its user: eight pages of three domains each time. Op: one switch. */
#include "rt_arm.h"

enum { PAGES = 8 };
static u8 data[PAGES << 20] __attribute__((aligned(1 << 20)));

static struct result run(u64 n)
{
	u32 *table = mmu_on();
	u64 sum = 0;

	for (u32 i = 0; i < PAGES; i++)
		table[((u32)data >> 20) + i] |= (i % 3) << 5;
	tlb_flush();
	for (u64 i = 0; i < n; i++) {
		u32 part = 0;

		dacr_write(i & 1 ? 0x5555555d : 0x5555557f);
		for (u32 j = 0; j < PAGES; j++) {
			volatile u32 *p = (volatile u32 *)(data + (j << 20) + j * 64);

			part += *p += j;
		}
		sum = sum_mix(sum, part);
	}
	return (struct result){ n, sum };
}

const struct bench bench = { "arm-dacr", 500000, run };
