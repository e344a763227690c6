/* The three integer kernels in 32-bit protected mode with 32-bit paging. Op: one round of them. */
#include "kernels.h"

static struct kernels k;

static struct result run(u64 n)
{
	return (struct result){ n, kernels_round(&k, n) };
}

const struct bench bench = { "int32", 200, run };
