/* REP MOVSQ and REP MOVSB of 4 KB, source and target across page ends. Op: 4 KB copied. */
#include "copy.h"

static struct result run(u64 n)
{
	copy_init();
	for (u64 i = 0; i < n; i++) {
		u32 at = (u32)(i * 4096) & (COPY_SIZE - 1);

		movs8(copy_to + at + 8, copy_from + (at ^ 0x10000) + 1000, 512);
		movs(copy_to + (at ^ 0x20000) + 13, copy_from + at + 501, 4096 - 512);
		movs(copy_to + at, copy_from + at + 7, 512);
	}
	return (struct result){ 2 * n, copy_sum() };
}

const struct bench bench = { "movs", 50000, run };
