/* The ARM payloads' run-time: UART 0, the command line and the end by semihosting, the MMU. See rt/rt.h. */
#include "rt_arm.h"

_Noreturn void rt_main(void);
u32 semihost(u32 call, const void *block);
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int v, size_t n);

enum { UART = 0x16000000, SYS_GET_CMDLINE = 0x15, SYS_EXIT_EXTENDED = 0x20, APPLICATION_EXIT = 0x20026 };

void *memcpy(void *to, const void *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((u8 *)to)[i] = ((const u8 *)from)[i];
	return to;
}

void *memset(void *to, int v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((u8 *)to)[i] = (u8)v;
	return to;
}

void rt_puts(const char *s)
{
	for (; *s; s++)
		*(volatile u32 *)UART = (u8)*s;
}

/* 0 is 0, the others are what isa-debug-exit makes of them. */
_Noreturn void rt_exit(u32 value)
{
	const u32 block[2] = {APPLICATION_EXIT, value ? value << 1 | 1 : 0};

	for (;;)
		semihost(SYS_EXIT_EXTENDED, block);
}

u32 *mmu_on(void)
{
	static u32 table[4096] __attribute__((aligned(16384)));
	u32 control;

	for (u32 i = 0; i < 4096; i++)
		table[i] = i << 20 | 0xc1e;
	dacr_write(0x55555555); /* all client */
	__asm__ volatile("mcr p15, 0, %0, c2, c0, 0" : : "r"(table));
	tlb_flush();
	__asm__ volatile("mrc p15, 0, %0, c1, c0, 0\n\torr %0, %0, #5\n\torr %0, %0, #0x1000\n\tmcr p15, 0, %0, c1, c0, 0\n\tnop\n\tnop" : "=r"(control) : : "memory");
	return table;
}

_Noreturn void rt_main(void)
{
	static char line[256];
	u32 block[2] = {(u32)line, sizeof line};
	u64 n;

	semihost(SYS_GET_CMDLINE, block);
	n = rt_wanted(line);
	rt_result(n, bench.run(n));
	rt_puts("\n");
	rt_exit(RT_OK);
}
