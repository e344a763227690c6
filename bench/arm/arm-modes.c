/* What a monitor of User-mode guests does all day: seven mode switches and an undefined instruction. Op: one round. */
#include "rt_arm.h"

static struct result run(u64 n)
{
	mmu_on();
	return (struct result){ n, mode_round((u32)n) };
}

const struct bench bench = { "arm-modes", 4000000, run };
