/* Heap sort: compares and branches that no predictor knows. Op: one element sorted. */
#include "kernels.h"

static u32 numbers[SORT_SIZE];

static struct result run(u64 n)
{
	u64 sum = 0;

	for (u64 i = 0; i < n; i++)
		sum = sum_mix(sum, sort_pass(numbers, (u32)sum));
	return (struct result){ n * SORT_SIZE, sum };
}

const struct bench bench = { "sort", 400, run };
