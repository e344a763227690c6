/* Recursive Fibonacci: CALL, RET, PUSH, POP. Op: one call. */
#include "rt/rt.h"

enum { DEPTH = 27, CALLS = 832039 }; /* CALLS = 2 * fib(DEPTH + 1) - 1, with fib(1) = fib(2) = 1 */

static NOINLINE u32 fib(u32 i)
{
	u32 a, b;

	if (i < 2)
		return i;
	a = fib(i - 1);
	b = fib(i - 2);
	__asm__("" : "+r"(a), "+r"(b)); /* or gcc makes a loop of the second call */
	return a + b;
}

static struct result run(u64 n)
{
	u64 sum = 0;

	for (u64 i = 0; i < n; i++)
		sum = sum_mix(sum, fib(DEPTH));
	return (struct result){ n * CALLS, sum };
}

const struct bench bench = { "fib", 80, run };
