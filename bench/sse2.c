/*
 * SSE2 floating point: a Mandelbrot set in scalar doubles, as compilers for AMD64 use them. Op: one iteration of one point.
 */
#include "rt/rt.h"
#include "rt/vector.h"

enum { WIDTH = 160, HEIGHT = 120, ITERATIONS = 100 };

static NOINLINE u64 mandelbrot(u64 *ops, int shift)
{
	u64 hash = 0;

	for (int j = 0; j < HEIGHT; j++)
		for (int i = 0; i < WIDTH; i++) {
			double cr = (3.0 * i) / WIDTH - 2.25 + shift / 4096.0, ci = (2.0 * j) / HEIGHT - 1.0, r = 0, s = 0;
			int n = 0;

			for (; n < ITERATIONS; n++) {
				double r2 = r * r, s2 = s * s;

				if (r2 + s2 > 4)
					break;
				s = 2 * r * s + ci;
				r = r2 - s2 + cr;
			}
			*ops += (u64)n;
			hash = (hash ^ (u64)n) * 0x100000001b3;
		}
	return hash;
}

static struct result run(u64 n)
{
	u64 ops = 0, sum = 0;

	enable_sse();
	for (u64 i = 0; i < n; i++)
		sum = sum * 31 + mandelbrot(&ops, (int)(i & 15));
	return (struct result){ ops, sum };
}

const struct bench bench = { "sse2", 40, run };
