/* Integer names, bit helpers and host hints. Everything includes this; it includes nothing of ours. */
#ifndef BASE_TYPES_H
#define BASE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n) (1ull << (n))
#define container_of(p, type, member) ((type *)((char *)(p) - offsetof(type, member)))

#define ALWAYS_INLINE inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))
#define NORETURN __attribute__((noreturn))
#define COLD __attribute__((cold))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Bits hi..lo of v, right-aligned. */
static inline u64 bits(u64 v, unsigned hi, unsigned lo) { return (v >> lo) & (~0ull >> (63 - (hi - lo))); }

/* The low n bits set; n is 0..64. */
static inline u64 mask_low(unsigned n) { return n >= 64 ? ~0ull : BIT(n) - 1; }

/* v's low n bits as a signed number; n is 1..64. */
static inline s64 sign_extend(u64 v, unsigned n) { return (s64)(v << (64 - n)) >> (64 - n); }

static inline bool is_pow2(u64 v) { return v && !(v & (v - 1)); }

/* Unaligned little-endian host accesses of 1, 2, 4 or 8 bytes (the host is little-endian: see Makefile). */
static inline u64 load_le(const void *p, unsigned size)
{
	u64 v = 0;
	memcpy(&v, p, size);
	return v;
}
static inline void store_le(void *p, unsigned size, u64 v) { memcpy(p, &v, size); }

#endif
