/*
 * The string instructions beside MOVS: REP STOS, LODS without a prefix, REPNE SCASB as strlen uses it, REPE CMPSB as memcmp does. Lengths of 1 to
 * 256 bytes. Op: a round of the four.
 */
#include "copy.h"

static inline u64 rep_stos(u8 *p, u8 v, u64 n)
{
	__asm__ volatile("rep stosb" : "+D"(p), "+c"(n) : "a"(v) : "memory");
	return (u64)p;
}

static inline u64 length(const u8 *p)
{
	u64 n = ~0ull;

	__asm__ volatile("repne scasb" : "+D"(p), "+c"(n) : "a"((u8)0) : "memory", "cc");
	return ~n - 1;
}

static inline u64 common(const u8 *a, const u8 *b, u64 n)
{
	u64 left = n;

	__asm__ volatile("repe cmpsb" : "+S"(a), "+D"(b), "+c"(left) : : "memory", "cc");
	return n - left;
}

static inline u64 sum_words(const u8 *p, u64 n)
{
	u64 sum = 0;

	for (; n >= 8; n -= 8) {
		u64 v;

		__asm__ volatile("lodsq" : "=a"(v), "+S"(p) : : "memory");
		sum += v;
	}
	return sum;
}

static struct result run(u64 n)
{
	u64 sum = 0;

	copy_init();
	for (u64 i = 0; i < n; i++) {
		u32 r = (u32)i * 2654435761u;
		u8 *p = copy_to + (r >> 13);
		u64 len = 1 + (r >> 4 & 255);

		rep_stos(p, (u8)(r | 1), len);
		p[len] = 0;
		sum = sum_mix(sum, length(p));
		sum = sum_mix(sum, common(p, p + 1, len));
		sum = sum_mix(sum, sum_words(copy_from + (r >> 13), len));
	}
	return (struct result){ n, sum };
}

const struct bench bench = { "strings", 400000, run };
