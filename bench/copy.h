/* What the copying payloads share: two buffers, and a sum over the target. */
#ifndef COPY_H
#define COPY_H

#include "rt/rt.h"

enum { COPY_SIZE = 1 << 20 };

static u8 copy_from[COPY_SIZE + 4096] __attribute__((aligned(4096)));
static u8 copy_to[COPY_SIZE + 4096] __attribute__((aligned(4096)));

static inline void copy_init(void)
{
	for (u32 i = 0; i < sizeof copy_from; i++)
		copy_from[i] = (u8)(i * 2654435761u >> 24);
}

static inline u64 copy_sum(void)
{
	u64 sum = 0;

	for (u32 i = 0; i < sizeof copy_to; i += 8)
		sum = sum_mix(sum, *(const u64 *)(copy_to + i));
	return sum;
}

static inline void movs(void *to, const void *from, u64 bytes)
{
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}

static inline void movs8(void *to, const void *from, u64 words)
{
	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}

#endif
