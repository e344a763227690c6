/* Copies by loops: words by LDM and STM of four, single words, single bytes. Op: one load and one store. */
#include "copy.h"
#include "rt_arm.h"

static NOINLINE void copy_four(void *to, const void *from, u32 words)
{
	__asm__ volatile("1:\tldmia %1!, {r3-r6}\n\tstmia %0!, {r3-r6}\n\tsubs %2, %2, #4\n\tbne 1b"
			 : "+r"(to), "+r"(from), "+r"(words)
			 :
			 : "r3", "r4", "r5", "r6", "cc", "memory");
}

static NOINLINE void copy_words(u32 *to, const u32 *from, u32 words)
{
	for (u32 i = 0; i < words; i++)
		to[i] = from[i];
}

static NOINLINE void copy_bytes(u8 *to, const u8 *from, u32 bytes)
{
	for (u32 i = 0; i < bytes; i++)
		to[i] = from[i];
}

static struct result run(u64 n)
{
	mmu_on();
	copy_init();
	for (u64 i = 0; i < n; i++) {
		u32 at = (u32)(i * 4096) & (COPY_SIZE - 1);

		copy_four(copy_to + at, copy_from + at + 1004, 512);
		copy_words((u32 *)(copy_to + (at ^ 0x10000)), (const u32 *)(copy_from + at), 512);
		copy_bytes(copy_to + (at ^ 0x20000), copy_from + at, 1024);
	}
	return (struct result){ n * 2048, copy_sum() };
}

const struct bench bench = { "arm-copy", 100000, run };
