/* Turns SSE, or AVX, on. In a hosted build (to learn what the checksum is natively) the system has done that. */
#ifndef BENCH_RT_VECTOR_H
#define BENCH_RT_VECTOR_H

static inline void enable_sse(void)
{
#if !__STDC_HOSTED__
	unsigned long r;

	__asm__ volatile("mov %%cr4, %0; or $0x600, %0; mov %0, %%cr4" : "=r"(r));
#endif
}

static inline void enable_avx(void)
{
	enable_sse();
#if !__STDC_HOSTED__
	unsigned long r;

	__asm__ volatile("mov %%cr4, %0; or $0x40000, %0; mov %0, %%cr4" : "=r"(r));
	__asm__ volatile("xsetbv" : : "c"(0), "a"(7), "d"(0));
#endif
}

#endif
