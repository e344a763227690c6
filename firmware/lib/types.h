/* types.h: integer names for freestanding code, 64-bit and 32-bit alike. */
#ifndef FW_TYPES_H
#define FW_TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64; /* the same type in both word sizes, so that %llx always fits */
typedef unsigned long uword;    /* as wide as a general register */

_Static_assert(sizeof(u64) == 8 && sizeof(u32) == 4 && sizeof(uword) == sizeof(void *), "integer widths");

/* string.c: gcc calls the first three by itself, even in freestanding code. */
void *memset(void *to, int byte, size_t n);
void *memcpy(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
bool str_equal(const char *a, const char *b);

/* format.c: printf's %c %s %u %x %llx, a leading 0, a width; put() gets every character. */
void format(void (*put)(char c), const char *fmt, va_list ap);

#endif
