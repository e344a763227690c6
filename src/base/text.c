/* See text.h. */
#include "base/text.h"

#include <stdarg.h>

static void put_file(struct text *t, const char *s, size_t n) { fwrite(s, 1, n, t->arg); }

static void put_buffer(struct text *t, const char *s, size_t n)
{
	char *buf = t->arg;

	if (n > t->size - 1 - t->used)
		n = t->size - 1 - t->used;
	memcpy(buf + t->used, s, n);
	t->used += n;
	buf[t->used] = 0;
}

void text_init_file(struct text *t, FILE *f) { *t = (struct text){.put = put_file, .arg = f}; }

void text_init_buffer(struct text *t, char *buf, size_t size)
{
	*t = (struct text){.put = put_buffer, .arg = buf, .size = size};
	buf[0] = 0;
}

void text_printf(struct text *t, const char *fmt, ...)
{
	char buf[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof buf, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->put(t, buf, (size_t)n < sizeof buf ? (size_t)n : sizeof buf - 1);
}

void text_puts(struct text *t, const char *s) { t->put(t, s, strlen(s)); }
