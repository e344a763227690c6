/*
 * x87 floating point as compilers for i386 use it: a Mandelbrot set in long double, a matrix product of doubles, square roots and
 * conversions to integers with changes of the control word. Op: one iteration of the Mandelbrot set's points; the rest goes with it.
 */
#include "rt/rt.h"

enum { WIDTH = 80, HEIGHT = 60, ITERATIONS = 60, ORDER = 24 };

/* Escape times of all points, hashed; *ops counts iterations. */
static NOINLINE u64 mandelbrot(u64 *ops)
{
	u64 hash = 0;

	for (int j = 0; j < HEIGHT; j++)
		for (int i = 0; i < WIDTH; i++) {
			long double cr = (long double)(3 * i) / WIDTH - 2.25L, ci = (long double)(2 * j) / HEIGHT - 1.0L;
			long double r = 0, s = 0;
			int n = 0;

			for (; n < ITERATIONS; n++) {
				long double r2 = r * r, s2 = s * s;

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

static double a[ORDER][ORDER], b[ORDER][ORDER], c[ORDER][ORDER];

/* Sums in long double, rounded to double in memory. */
static NOINLINE u64 product(int seed)
{
	u64 hash = 0;

	for (int i = 0; i < ORDER; i++)
		for (int j = 0; j < ORDER; j++) {
			a[i][j] = (double)(i * seed - j) / 7;
			b[i][j] = (double)(i + j * 3) / (seed + 1);
		}
	for (int i = 0; i < ORDER; i++)
		for (int j = 0; j < ORDER; j++) {
			long double sum = 0;

			for (int k = 0; k < ORDER; k++)
				sum += (long double)a[i][k] * b[k][j];
			c[i][j] = (double)sum;
		}
	for (int i = 0; i < ORDER; i++)
		for (int j = 0; j < ORDER; j++)
			hash = hash * 31 + (u64)(long long)c[i][j]; /* FNSTCW, FLDCW, FISTP, FLDCW */
	return hash;
}

static NOINLINE u64 roots(int n)
{
	u64 sum = 0;

	for (int i = 0; i < n; i++) {
		long double x = i * 1.5L;

		__asm__("fsqrt" : "+t"(x));
		sum += (u64)(long long)(x * 65536);
	}
	return sum;
}

static struct result run(u64 n)
{
	u64 ops = 0, sum = 0;

	__asm__ volatile("fninit");
	for (u64 i = 0; i < n; i++) {
		sum = sum * 31 + mandelbrot(&ops);
		sum = sum * 31 + product((int)(i & 15) + 1);
		sum = sum * 31 + roots(500);
	}
	return (struct result){ ops, sum };
}

const struct bench bench = { "x87", 20, run };
