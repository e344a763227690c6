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

void rt_hex(u64 v)
{
	char s[19] = "0x";

	for (int i = 0; i < 16; i++)
		s[2 + i] = "0123456789abcdef"[v >> (60 - 4 * i) & 15];
	s[18] = 0;
	rt_puts(s);
}

void rt_dec(u64 v)
{
	char s[21], *p = s + 20;

	*p = 0;
	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	rt_puts(p);
}

_Noreturn void rt_exit(u32 value)
{
	const u32 block[2] = {APPLICATION_EXIT, value};

	for (;;)
		semihost(SYS_EXIT_EXTENDED, block);
}

_Noreturn void rt_fail(const char *why)
{
	rt_puts("bench ");
	rt_puts(bench.name);
	rt_puts(" failed: ");
	rt_puts(why);
	rt_puts("\n");
	rt_exit(2);
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

/* n= in the command line; QEMU's begins with the program's name. */
static u64 wanted(void)
{
	static char text[256];
	u32 block[2] = {(u32)text, sizeof text};
	u64 n = 0;

	semihost(SYS_GET_CMDLINE, block);
	for (const char *p = text; *p; p++) {
		if (p[0] != 'n' || p[1] != '=' || (p > text && p[-1] != ' '))
			continue;
		for (p += 2; *p >= '0' && *p <= '9'; p++)
			n = n * 10 + (u32)(*p - '0');
		return n;
	}
	return bench.n;
}

_Noreturn void rt_main(void)
{
	u64 n = wanted();
	struct result r = bench.run(n);

	rt_puts("bench ");
	rt_puts(bench.name);
	rt_puts(" n=");
	rt_dec(n);
	rt_puts(" ops=");
	rt_dec(r.ops);
	rt_puts(" sum=");
	rt_hex(r.sum);
	rt_puts("\n");
	rt_exit(0);
}
