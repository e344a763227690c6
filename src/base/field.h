/*
 * Field tables: every saved state struct describes itself as rows of name, offset, size and bit names. Monitor, GDB, snapshot,
 * diff and state hash read the table; there is no hand-written save list. field_gap() proves that a table covers its struct.
 */
#ifndef BASE_FIELD_H
#define BASE_FIELD_H

#include "base/text.h"
#include "base/types.h"

enum field_fmt { FMT_HEX, FMT_DEC, FMT_BITS, FMT_BYTES, FMT_PAD };

struct field {
	const char *name;
	u32 off;                 /* byte offset in the struct */
	u16 size, count;         /* bytes of one element (1, 2, 4, 8; any for FMT_BYTES and FMT_PAD), number of elements */
	u8 fmt;                  /* enum field_fmt */
	const char *const *bits; /* FMT_BITS: names of bits 0, 1, ... (NULL entries have no name), ended by FIELD_END */
};
extern const char FIELD_END[];

#define FIELD_(type, m, f, b)                                                                                                    \
	{#m, offsetof(type, m), sizeof(((type *)0)->m), 1, f, b}
#define FIELD_HEX(type, m) FIELD_(type, m, FMT_HEX, 0)
#define FIELD_DEC(type, m) FIELD_(type, m, FMT_DEC, 0)
#define FIELD_BITS(type, m, names) FIELD_(type, m, FMT_BITS, names)
#define FIELD_BYTES(type, m) FIELD_(type, m, FMT_BYTES, 0)
#define FIELD_ARRAY(type, m)                                                                                                     \
	{#m, offsetof(type, m), sizeof(((type *)0)->m[0]), ARRAY_SIZE(((type *)0)->m), FMT_HEX, 0}

/* The field called name, or NULL. Tables have n rows. */
const struct field *field_find(const struct field *t, size_t n, const char *name);
/* Element i of a field of the struct at base. */
u64 field_get(const struct field *f, const void *base, unsigned i);
void field_set(const struct field *f, void *base, unsigned i, u64 val);
/* Prints "name=value BIT BIT". */
void field_print(const struct field *f, const void *base, struct text *out);
void field_print_all(const struct field *t, size_t n, const void *base, struct text *out);
/* First byte of a struct of that size which no row covers, or -1 when all are covered. */
long field_gap(const struct field *t, size_t n, size_t size);
/* A 64-bit hash (XXH64) of all fields, chained through seed. */
u64 field_hash(const struct field *t, size_t n, const void *base, u64 seed);

#endif
