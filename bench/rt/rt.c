/* What both widths share: COM1, the command line, the result line, the end. The CPU's set-up is in boot*.S and rt64.c. */
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

void rt_hex(u64 v)
{
	char s[19] = "0x";

	for (int i = 0; i < 16; i++)
		s[2 + i] = "0123456789abcdef"[v >> (60 - 4 * i) & 15];
	s[18] = 0;
	rt_puts(s);
}

/* Divides 16 bits at a time: the 32-bit build has no libgcc. */
static u32 div10(u64 *v)
{
	u64 q = 0;
	u32 rem = 0;

	for (int i = 48; i >= 0; i -= 16) {
		u32 part = rem << 16 | (u32)(*v >> i & 0xffff);

		q = q << 16 | part / 10;
		rem = part % 10;
	}
	*v = q;
	return rem;
}

void rt_dec(u64 v)
{
	char s[21], *p = s + 20;

	*p = 0;
	do
		*--p = (char)('0' + div10(&v));
	while (v);
	rt_puts(p);
}

_Noreturn void rt_exit(u32 value)
{
	port_out32(DEBUG_EXIT, value);
	for (;;)
		__asm__ volatile("cli; hlt");
}

_Noreturn static void end_with(const char *what, const char *why, u32 value)
{
	rt_puts("bench ");
	rt_puts(bench.name);
	rt_puts(what);
	rt_puts(why);
	rt_puts("\n");
	rt_exit(value);
}

_Noreturn void rt_fail(const char *why)
{
	end_with(" failed: ", why, RT_FAILED);
}

_Noreturn void rt_unsupported(const char *why)
{
	end_with(" unsupported: ", why, RT_UNSUPPORTED);
}

void rt_need_ram(u64 end)
{
	if (ram_end < end)
		rt_unsupported("not enough memory, run with -m 1024");
}

/* Finds the word `key` (as in "n=") and returns what follows it, or NULL. */
static const char *option_find(const char *line, const char *key)
{
	bool start = true;

	for (; *line; start = *line++ == ' ') {
		const char *a = line, *b = key;

		while (*b && *a == *b)
			a++, b++;
		if (start && !*b)
			return a;
	}
	return NULL;
}

static u64 decimal(const char *s)
{
	u64 v = 0;

	for (; *s >= '0' && *s <= '9'; s++)
		v = v * 10 + (u64)(*s - '0');
	return v;
}

static u64 tsc_read(void)
{
	u32 lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

void rt_main(u32 magic, const u32 *info)
{
	const char *line = "", *arg;
	u64 n = bench.n, tsc;
	struct result r;
	bool show_tsc;

	port_out8(0x21, 0xff); /* both PICs masked: firmware may have left the PIT running */
	port_out8(0xa1, 0xff);
	serial_init();
	if (magic != MULTIBOOT_LOADED)
		rt_fail("not started by a Multiboot 1 loader");
	if (info[INFO_FLAGS] & INFO_HAS_MEM)
		ram_end = ((u64)info[INFO_MEM_UPPER] << 10) + (1 << 20);
	if (info[INFO_FLAGS] & INFO_HAS_CMDLINE)
		line = (const char *)(uintptr_t)info[INFO_CMDLINE];
	if ((arg = option_find(line, "n=")))
		n = decimal(arg);
	show_tsc = option_find(line, "tsc") != NULL;
	rt_cpu_init();

	tsc = tsc_read();
	r = bench.run(n);
	tsc = tsc_read() - tsc;

	rt_puts("bench ");
	rt_puts(bench.name);
	rt_puts(" n=");
	rt_dec(n);
	rt_puts(" ops=");
	rt_dec(r.ops);
	rt_puts(" sum=");
	rt_hex(r.sum);
	if (show_tsc) {
		rt_puts(" tsc=");
		rt_dec(tsc);
	}
	rt_puts("\n");
	rt_exit(RT_OK);
}
