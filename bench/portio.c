/* OUT and IN of COM1's scratch register, a device that does nothing else. Op: one port access. */
#include "rt/rt.h"

enum { SCRATCH = 0x3ff };

static struct result run(u64 n)
{
	u64 sum = 0;

	for (u64 i = 0; i < n; i++) {
		port_out8(SCRATCH, (u8)(i ^ sum));
		sum = sum_mix(sum, port_in8(SCRATCH));
	}
	return (struct result){ 2 * n, sum };
}

const struct bench bench = { "portio", 8000000, run };
