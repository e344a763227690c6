/* Copies by loops of loads and stores: 8 bytes at a time, then single bytes. Op: one load and one store. */
#include "copy.h"

static NOINLINE void copy_words(u64 *to, const u64 *from, u64 words)
{
	for (u64 i = 0; i < words; i++)
		to[i] = from[i];
}

static NOINLINE void copy_bytes(u8 *to, const u8 *from, u64 bytes)
{
	for (u64 i = 0; i < bytes; i++)
		to[i] = from[i];
}

static struct result run(u64 n)
{
	copy_init();
	for (u64 i = 0; i < n; i++) {
		u32 at = (u32)(i * 4096) & (COPY_SIZE - 1);

		copy_words((u64 *)(copy_to + at), (const u64 *)(copy_from + at + 1003), 512); /* unaligned source */
		copy_bytes(copy_to + (at ^ 0x20000), copy_from + at, 1024);
	}
	return (struct result){ n * 1536, copy_sum() };
}

const struct bench bench = { "copy", 200000, run };
