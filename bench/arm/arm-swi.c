/* SVC from User mode, a handler that looks at the number, and back. Op: one round trip. */
#include "rt_arm.h"

static struct result run(u64 n)
{
	mmu_on();
	return (struct result){ n, user_svc((u32)n) };
}

const struct bench bench = { "arm-swi", 8000000, run };
