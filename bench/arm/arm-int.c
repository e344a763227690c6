/* The three integer kernels as ARM code, and in arm-thumb as Thumb code; MMU and caches on. Op: one round of them. */
#include "kernels.h"
#include "rt_arm.h"

static struct kernels k;

static struct result run(u64 n)
{
	mmu_on();
	return (struct result){ n, kernels_round(&k, n) };
}

#ifdef __thumb__
const struct bench bench = { "arm-thumb", 200, run };
#else
const struct bench bench = { "arm-int", 200, run };
#endif
