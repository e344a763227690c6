/*
 * See report.h. The one place of src/devices with memory of its own: the hashes of the messages that were printed. It
 * is no machine state: what is printed never decides what a guest sees.
 */
#include "devices/report.h"

#include <stdarg.h>
#include <stdio.h>

#define REPORTS 256

/* FNV-1a, 64 bits. */
static u64 message_hash(const char *s)
{
	u64 h = 0xcbf29ce484222325ull;

	while (*s)
		h = (h ^ (u8)*s++) * 0x100000001b3ull;
	return h;
}

/* Whether the message is new; remembers it. */
static bool message_new(const char *s)
{
	static u64 seen[REPORTS];
	static unsigned n;
	u64 h = message_hash(s);

	for (unsigned i = 0; i < n; i++)
		if (seen[i] == h)
			return false;
	if (n == REPORTS)
		return false;
	seen[n++] = h;
	return true;
}

void device_unimplemented(const char *fmt, ...)
{
	char buf[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof buf, fmt, ap);
	va_end(ap);
	if (message_new(buf))
		fprintf(stderr, "unimplemented: %s\n", buf);
}
