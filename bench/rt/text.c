/* What the payloads of all machines share: numbers as text, n= in the command line, the lines about result and failure. */
#include "rt.h"

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

/* Finds the word `key` (as in "n=") and returns what follows it, or NULL. */
const char *rt_option(const char *line, const char *key)
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

u64 rt_wanted(const char *line)
{
	const char *arg = rt_option(line, "n=");

	return arg ? decimal(arg) : bench.n;
}

void rt_result(u64 n, struct result r)
{
	rt_puts("bench ");
	rt_puts(bench.name);
	rt_puts(" n=");
	rt_dec(n);
	rt_puts(" ops=");
	rt_dec(r.ops);
	rt_puts(" sum=");
	rt_hex(r.sum);
}
