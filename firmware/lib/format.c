/* format.c: text from numbers, for the VMM's console and the guests' serial line.
 * Decimal numbers are 32-bit: a 64-bit division would need a helper from libgcc in 32-bit code. */
#include "types.h"

static void put_padded(void (*put)(char c), const char *digits, unsigned n, unsigned width, char pad)
{
	for (; width > n; width--)
		put(pad);
	while (n--)
		put(digits[n]); /* the digits were made from the right */
}

static void put_hex(void (*put)(char c), u64 value, unsigned width, char pad)
{
	char digits[16];
	unsigned n = 0;
	do {
		digits[n++] = "0123456789abcdef"[value & 15];
		value >>= 4;
	} while (value);
	put_padded(put, digits, n, width, pad);
}

static void put_decimal(void (*put)(char c), u32 value, unsigned width, char pad)
{
	char digits[10];
	unsigned n = 0;
	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	put_padded(put, digits, n, width, pad);
}

static void put_string(void (*put)(char c), const char *s, unsigned width)
{
	unsigned n = 0;
	for (; s[n]; n++)
		put(s[n]);
	for (; n < width; n++)
		put(' ');
}

void format(void (*put)(char c), const char *fmt, va_list ap)
{
	for (; *fmt; fmt++) {
		if (*fmt != '%') {
			put(*fmt);
			continue;
		}
		char pad = *++fmt == '0' ? '0' : ' ';
		unsigned width = 0;
		for (; *fmt >= '0' && *fmt <= '9'; fmt++)
			width = width * 10 + (unsigned)(*fmt - '0');
		bool wide = fmt[0] == 'l' && fmt[1] == 'l';
		if (wide)
			fmt += 2;
		switch (*fmt) {
		case 'c': put((char)va_arg(ap, int)); break;
		case 's': put_string(put, va_arg(ap, const char *), width); break;
		case 'u': put_decimal(put, va_arg(ap, u32), width, pad); break;
		case 'x': put_hex(put, wide ? va_arg(ap, u64) : va_arg(ap, u32), width, pad); break;
		case '\0': return;
		default: put(*fmt); break; /* %% */
		}
	}
}
