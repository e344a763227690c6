/* See aml.h. */
#include "loader/aml.h"

void aml_init(struct aml *a, u8 *buf, size_t size) { *a = (struct aml){.buf = buf, .size = size}; }

void aml_bytes(struct aml *a, const void *p, size_t n)
{
	if (a->full || n > a->size - a->len) {
		a->full = true;
		return;
	}
	memcpy(a->buf + a->len, p, n);
	a->len += n;
}

void aml_le(struct aml *a, u64 val, unsigned n) { aml_bytes(a, &val, n); }

static void op(struct aml *a, u8 byte) { aml_le(a, byte, 1); }

/* ACPI 20.2.2: root prefix; one name as it is, two with 2Eh, more with 2Fh and their number. */
void aml_path(struct aml *a, const char *path)
{
	size_t names;

	if (*path == '\\') {
		op(a, '\\');
		path++;
	}
	names = (strlen(path) + 1) / 5;
	if (names == 2) {
		op(a, 0x2e);
	} else if (names > 2) {
		op(a, 0x2f);
		op(a, (u8)names);
	}
	for (size_t i = 0; i < names; i++)
		aml_bytes(a, path + i * 5, 4);
}

/* The package length goes in front of the body when the body is known. */
static void begin(struct aml *a)
{
	if (a->depth == ARRAY_SIZE(a->open))
		a->full = true;
	else
		a->open[a->depth++] = a->len;
}

/* ACPI 20.2.4: the length counts itself; 63 in one byte, else 4 bits and up to 3 more bytes. */
void aml_end(struct aml *a)
{
	size_t start, body, n, total;
	u8 head[4];

	if (a->full || !a->depth)
		return;
	start = a->open[--a->depth];
	body = a->len - start;
	n = body + 1 < 0x40 ? 1 : body + 2 < 0x1000 ? 2 : body + 3 < 0x100000 ? 3 : 4;
	total = body + n;
	head[0] = (u8)(n == 1 ? total : (n - 1) << 6 | (total & 15));
	for (size_t i = 1; i < n; i++)
		head[i] = (u8)(total >> (8 * i - 4));
	if (n > a->size - a->len) {
		a->full = true;
		return;
	}
	memmove(a->buf + start + n, a->buf + start, body);
	memcpy(a->buf + start, head, n);
	a->len += n;
}

void aml_scope(struct aml *a, const char *path)
{
	op(a, 0x10);
	begin(a);
	aml_path(a, path);
}

void aml_processor(struct aml *a, const char *name, u8 id)
{
	aml_bytes(a, "\x5b\x83", 2);
	begin(a);
	aml_path(a, name);
	op(a, id);
	aml_le(a, 0, 5); /* no processor register block */
}
