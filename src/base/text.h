/* A text sink: where printed text goes (a FILE, a buffer, a GDB packet). */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdio.h>

#include "base/types.h"

struct text {
	void (*put)(struct text *t, const char *s, size_t n);
	void *arg;
	size_t used, size; /* for text_buffer: bytes used and capacity */
};

void text_init_file(struct text *t, FILE *f);
/* Collects into buf, always NUL-terminated; what does not fit is dropped. */
void text_init_buffer(struct text *t, char *buf, size_t size);
void text_printf(struct text *t, const char *fmt, ...) PRINTF(2, 3);
void text_puts(struct text *t, const char *s);

#endif
