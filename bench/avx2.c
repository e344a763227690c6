/*
 * AVX2 and FMA as gcc -O3 -march=x86-64-v3 makes them of plain loops: a product of matrices of doubles, sums of floats with
 * comparisons, integers of 8, 16 and 32 bits. Op: one element.
 */
#include "rt/rt.h"
#include "rt/vector.h"

enum { ORDER = 48, LENGTH = 4096 };

static double a[ORDER][ORDER], b[ORDER][ORDER], c[ORDER][ORDER];
static float f[LENGTH], g[LENGTH];
static unsigned short w[LENGTH];
static unsigned char bytes[LENGTH];
static unsigned d[LENGTH];

static NOINLINE u64 product(int seed)
{
	u64 hash = 0;

	for (int i = 0; i < ORDER; i++)
		for (int j = 0; j < ORDER; j++) {
			a[i][j] = (i * seed - j) / 7.0;
			b[i][j] = (i + j * 3) / (seed + 1.0);
			c[i][j] = 0;
		}
	for (int i = 0; i < ORDER; i++)
		for (int k = 0; k < ORDER; k++)
			for (int j = 0; j < ORDER; j++)
				c[i][j] += a[i][k] * b[k][j];
	for (int i = 0; i < ORDER; i++)
		for (int j = 0; j < ORDER; j++)
			hash = hash * 31 + (u64)(long long)c[i][j];
	return hash;
}

static NOINLINE u64 floats(int seed)
{
	float low = 1e9f, high = -1e9f;
	u64 hash = 0;

	for (int i = 0; i < LENGTH; i++) {
		f[i] = (float)(i * seed % 1009) * 0.37f;
		g[i] = (float)(i % 13) - 6;
	}
	for (int i = 0; i < LENGTH; i++) {
		f[i] = g[i] > 0 ? f[i] * g[i] + 1 : f[i] / (g[i] - 2);
		low = f[i] < low ? f[i] : low;
		high = f[i] > high ? f[i] : high;
	}
	for (int i = 0; i < LENGTH; i++)
		hash += (u64)(long long)(f[i] * 16);
	return hash * 31 + (u64)(long long)(high - low);
}

static NOINLINE u64 integers(int seed)
{
	u64 hash = 0;

	for (int i = 0; i < LENGTH; i++) {
		d[i] = (unsigned)(i * 2654435761u) >> (seed & 7);
		w[i] = (unsigned short)(d[i] * 3 + (unsigned)i);
		bytes[i] = (unsigned char)(w[i] >> 3 ^ (unsigned)i);
	}
	for (int i = 0; i < LENGTH; i++) {
		d[i] = (d[i] << (i & 15)) + w[i] * bytes[i];
		w[i] = (unsigned short)(w[i] > 30000 ? w[i] - bytes[i] : (w[i] + 77) >> 1);
	}
	for (int i = 0; i < LENGTH; i++)
		hash += d[i] ^ (u64)w[i] << 20;
	return hash;
}

static struct result run(u64 n)
{
	u64 sum = 0;

	enable_avx();
	for (u64 i = 0; i < n; i++) {
		sum = sum * 31 + product((int)(i & 15) + 1);
		sum = sum * 31 + floats((int)(i & 15) + 3);
		sum = sum * 31 + integers((int)i);
	}
	return (struct result){ n * (ORDER * ORDER * ORDER + 5 * LENGTH), sum };
}

const struct bench bench = { "avx2", 200, run };
