/* See field.h. */
#include "base/field.h"

#include <xxhash.h>

#define SHOWN 64 /* elements or bytes of a long field that are printed */

const char FIELD_END[] = "";

const struct field *field_find(const struct field *t, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(t[i].name, name) == 0)
			return &t[i];
	return NULL;
}

/* Bytes of one element that fit a number. */
static unsigned field_width(const struct field *f) { return f->size < 8 ? f->size : 8; }

u64 field_get(const struct field *f, const void *base, unsigned i)
{
	if (i >= f->count)
		return 0;
	return load_le((const u8 *)base + f->off + (size_t)i * f->size, field_width(f));
}

void field_set(const struct field *f, void *base, unsigned i, u64 val)
{
	if (i < f->count)
		store_le((u8 *)base + f->off + (size_t)i * f->size, field_width(f), val);
}

static void print_bits(const struct field *f, u64 val, struct text *out)
{
	for (unsigned i = 0; i < 64 && f->bits[i] != FIELD_END; i++)
		if (f->bits[i] && val >> i & 1)
			text_printf(out, " %s", f->bits[i]);
}

static void print_bytes(const struct field *f, const void *base, struct text *out)
{
	const u8 *p = (const u8 *)base + f->off;
	size_t n = (size_t)f->size * f->count;

	for (size_t i = 0; i < n && i < SHOWN; i++)
		text_printf(out, "%02x", p[i]);
	if (n > SHOWN)
		text_printf(out, "...(%zu bytes)", n);
}

static void print_numbers(const struct field *f, const void *base, struct text *out)
{
	for (unsigned i = 0; i < f->count && i < SHOWN; i++) {
		unsigned long long val = field_get(f, base, i);

		text_puts(out, i ? "," : "");
		if (f->fmt == FMT_DEC)
			text_printf(out, "%llu", val);
		else
			text_printf(out, "%0*llx", (int)field_width(f) * 2, val);
	}
	if (f->count > SHOWN)
		text_printf(out, "...(%u)", f->count);
}

void field_print(const struct field *f, const void *base, struct text *out)
{
	if (f->fmt == FMT_PAD)
		return;
	text_printf(out, "%s=", f->name);
	if (f->fmt == FMT_BYTES) {
		print_bytes(f, base, out);
		return;
	}
	print_numbers(f, base, out);
	if (f->fmt == FMT_BITS && f->bits)
		print_bits(f, field_get(f, base, 0), out);
}

void field_print_all(const struct field *t, size_t n, const void *base, struct text *out)
{
	for (size_t i = 0; i < n; i++) {
		if (t[i].fmt == FMT_PAD)
			continue;
		field_print(&t[i], base, out);
		text_puts(out, "\n");
	}
}

/* One past the last byte that a row starting at or before pos covers, or pos itself when none covers it. */
static size_t covered_to(const struct field *t, size_t n, size_t pos)
{
	for (size_t i = 0; i < n; i++) {
		size_t end = t[i].off + (size_t)t[i].size * t[i].count;

		if (t[i].off <= pos && pos < end)
			return end;
	}
	return pos;
}

long field_gap(const struct field *t, size_t n, size_t size)
{
	size_t pos = 0;

	while (pos < size) {
		size_t next = covered_to(t, n, pos);

		if (next == pos)
			return (long)pos;
		pos = next;
	}
	return -1;
}

u64 field_hash(const struct field *t, size_t n, const void *base, u64 seed)
{
	for (size_t i = 0; i < n; i++)
		if (t[i].fmt != FMT_PAD)
			seed = XXH64((const u8 *)base + t[i].off, (size_t)t[i].size * t[i].count, seed);
	return seed;
}
