/* REP MOVSB of 1 to 64 bytes, as a C library or a kernel does for small structures. Op: one REP MOVSB. */
#include "copy.h"

static struct result run(u64 n)
{
	copy_init();
	for (u64 i = 0; i < n; i++) {
		u32 r = (u32)i * 2654435761u;

		movs(copy_to + (r >> 12), copy_from + (r >> 8 & 0xfffff), 1 + (r >> 3 & 63));
	}
	return (struct result){ n, copy_sum() };
}

const struct bench bench = { "movs-short", 2000000, run };
