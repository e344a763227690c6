/* Sieve of Eratosthenes: strided byte stores. Op: one number sieved. */
#include "kernels.h"

static u8 composite[SIEVE_SIZE];

static struct result run(u64 n)
{
	u64 sum = 0;

	for (u64 i = 0; i < n; i++)
		sum = sum_mix(sum, sieve_pass(composite));
	return (struct result){ n * SIEVE_SIZE, sum };
}

const struct bench bench = { "sieve", 1000, run };
