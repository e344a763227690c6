/* What both widths share: COM1, what Multiboot says, the end. The CPU's set-up is in boot*.S and rt64.c, the texts are text.c's. */
#include "rt.h"

void rt_main(u32 magic, const u32 *info);
void rt_cpu_init(void);
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int v, size_t n);

enum {
	COM1 = 0x3f8,
	DEBUG_EXIT = 0xf4,
	MULTIBOOT_LOADED = 0x2badb002,
	INFO_FLAGS = 0, /* words of the Multiboot information structure */
	INFO_MEM_UPPER = 2,
	INFO_CMDLINE = 4,
	INFO_HAS_MEM = 1 << 0,
	INFO_HAS_CMDLINE = 1 << 2,
};

static u64 ram_end;

/* gcc may call these for struct copies even in a freestanding program. */
void *memcpy(void *to, const void *from, size_t n)
{
	void *d = to;

	__asm__ volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(n) : : "memory");
	return to;
}

void *memset(void *to, int v, size_t n)
{
	void *d = to;

	__asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(v) : "memory");
	return to;
}

static void serial_init(void)
{
	port_out8(COM1 + 1, 0);
	port_out8(COM1 + 3, 0x80);
	port_out8(COM1 + 0, 1);
	port_out8(COM1 + 1, 0);
	port_out8(COM1 + 3, 3);
	port_out8(COM1 + 2, 7);
	port_out8(COM1 + 4, 3);
}

void rt_puts(const char *s)
{
	for (; *s; s++) {
		while (!(port_in8(COM1 + 5) & 0x20))
			;
		port_out8(COM1, (u8)*s);
	}
}

_Noreturn void rt_exit(u32 value)
{
	port_out32(DEBUG_EXIT, value);
	for (;;)
		__asm__ volatile("cli; hlt");
}

void rt_need_ram(u64 end)
{
	if (ram_end < end)
		rt_unsupported("not enough memory, run with -m 1024");
}

static u64 tsc_read(void)
{
	u32 lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

void rt_main(u32 magic, const u32 *info)
{
	const char *line = "";
	struct result r;
	u64 n, tsc;

	port_out8(0x21, 0xff); /* both PICs masked: firmware may have left the PIT running */
	port_out8(0xa1, 0xff);
	serial_init();
	if (magic != MULTIBOOT_LOADED)
		rt_fail("not started by a Multiboot 1 loader");
	if (info[INFO_FLAGS] & INFO_HAS_MEM)
		ram_end = ((u64)info[INFO_MEM_UPPER] << 10) + (1 << 20);
	if (info[INFO_FLAGS] & INFO_HAS_CMDLINE)
		line = (const char *)(uintptr_t)info[INFO_CMDLINE];
	n = rt_wanted(line);
	rt_cpu_init();

	tsc = tsc_read();
	r = bench.run(n);
	tsc = tsc_read() - tsc;

	rt_result(n, r);
	if (rt_option(line, "tsc")) {
		rt_puts(" tsc=");
		rt_dec(tsc);
	}
	rt_puts("\n");
	rt_exit(RT_OK);
}
