/* The integer kernels of sieve, crc32, sort, int32 and nested-int, so that they run the same code in each mode. */
#ifndef KERNELS_H
#define KERNELS_H

#include "rt/rt.h"

enum { SIEVE_SIZE = 1 << 17, CRC_SIZE = 1 << 16, SORT_SIZE = 1 << 14 };

/* How many primes are below SIEVE_SIZE. Sieve of Eratosthenes, one byte a number. */
static NOINLINE u32 sieve_pass(u8 *composite)
{
	u32 primes = 0;

	for (u32 i = 0; i < SIEVE_SIZE; i++)
		composite[i] = 0;
	for (u32 i = 2; i < SIEVE_SIZE; i++) {
		if (composite[i])
			continue;
		primes++;
		for (u32 j = 2 * i; j < SIEVE_SIZE; j += i)
			composite[j] = 1;
	}
	return primes;
}

static inline void crc32_table(u32 table[256])
{
	for (u32 i = 0; i < 256; i++) {
		u32 c = i;

		for (int k = 0; k < 8; k++)
			c = c >> 1 ^ (c & 1 ? 0xedb88320 : 0);
		table[i] = c;
	}
}

/* One table look-up a byte. */
static NOINLINE u32 crc32_pass(const u32 table[256], u32 crc, const u8 *p, u32 len)
{
	crc = ~crc;
	for (u32 i = 0; i < len; i++)
		crc = crc >> 8 ^ table[(crc ^ p[i]) & 0xff];
	return ~crc;
}

static inline void heap_sink(u32 *a, u32 root, u32 len)
{
	u32 v = a[root];

	for (u32 child; (child = 2 * root + 1) < len; root = child) {
		if (child + 1 < len && a[child + 1] > a[child])
			child++;
		if (a[child] <= v)
			break;
		a[root] = a[child];
	}
	a[root] = v;
}

/* Fills a[SORT_SIZE] with numbers made from `seed`, heap-sorts them, returns a hash of the sorted array. */
static NOINLINE u32 sort_pass(u32 *a, u32 seed)
{
	u32 hash = 0;

	for (u32 i = 0; i < SORT_SIZE; i++)
		a[i] = seed = seed * 1664525 + 1013904223;
	for (u32 i = SORT_SIZE / 2; i-- > 0;)
		heap_sink(a, i, SORT_SIZE);
	for (u32 end = SORT_SIZE - 1; end > 0; end--) {
		u32 top = a[0];

		a[0] = a[end];
		a[end] = top;
		heap_sink(a, 0, end);
	}
	for (u32 i = 0; i < SORT_SIZE; i++)
		hash = (hash ^ a[i]) * 16777619;
	return hash;
}

struct kernels {
	u32 table[256];
	u32 numbers[SORT_SIZE];
	u8 bytes[SIEVE_SIZE];
};

/* n rounds of all three; op = one round. */
static inline u64 kernels_round(struct kernels *k, u64 n)
{
	u64 sum = 0;

	crc32_table(k->table);
	for (u64 i = 0; i < n; i++) {
		sum = sum_mix(sum, sieve_pass(k->bytes));
		sum = sum_mix(sum, crc32_pass(k->table, (u32)sum, k->bytes, CRC_SIZE));
		sum = sum_mix(sum, sort_pass(k->numbers, (u32)sum));
	}
	return sum;
}

#endif
