/* Calls as compiled C++ or a kernel makes them: through tables of functions, tail calls, several arguments, deep chains. Op: one call. */
#include "rt/rt.h"

typedef u64 fn(u64 a, u64 b, u64 c, u64 d);

static fn plus, times, chain, tail;
static fn *const volatile table[4] = {plus, times, chain, tail};

static NOINLINE u64 plus(u64 a, u64 b, u64 c, u64 d) { return a + b * 3 + (c ^ d); }
static NOINLINE u64 times(u64 a, u64 b, u64 c, u64 d) { return (a | 1) * (b | 1) + c - d; }
static NOINLINE u64 chain(u64 a, u64 b, u64 c, u64 d)
{
	u64 r = table[a & 1](b, c, d, a);

	__asm__("" : "+r"(r));
	return r + plus(d, r, b, c);
}
static NOINLINE u64 tail(u64 a, u64 b, u64 c, u64 d) { return table[b & 1](c, d, a, b); }

static struct result run(u64 n)
{
	u64 sum = 1;

	for (u64 i = 0; i < n; i++)
		sum = sum_mix(sum, table[i & 3](sum, i, sum >> 7, i * 5) + table[3 - (i & 3)](i, sum, 1, sum >> 3));
	return (struct result){ n * 2, sum };
}

const struct bench bench = { "calls", 6000000, run };
