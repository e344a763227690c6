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

/* ACPI 20.2.3: the shortest constant. */
void aml_int(struct aml *a, u64 val)
{
	unsigned n = val < 0x100 ? 1 : val < 0x10000 ? 2 : val < BIT(32) ? 4 : 8;

	if (val < 2) {
		op(a, (u8)val);
		return;
	}
	op(a, n == 1 ? 0x0a : n == 2 ? 0x0b : n == 4 ? 0x0c : 0x0e);
	aml_le(a, val, n);
}

void aml_name(struct aml *a, const char *name)
{
	op(a, 0x08);
	aml_path(a, name);
}

void aml_name_int(struct aml *a, const char *name, u64 val)
{
	aml_name(a, name);
	aml_int(a, val);
}

static unsigned hex_digit(char c) { return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'A') + 10; }

/* ACPI 19.3.4: three 5-bit letters and four hexadecimal digits, big-endian. */
void aml_name_eisa(struct aml *a, const char *name, const char *id)
{
	u32 v = (u32)(id[0] - '@') << 26 | (u32)(id[1] - '@') << 21 | (u32)(id[2] - '@') << 16;

	for (unsigned i = 0; i < 4; i++)
		v |= hex_digit(id[3 + i]) << (12 - 4 * i);
	aml_name(a, name);
	op(a, 0x0c);
	aml_le(a, __builtin_bswap32(v), 4);
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

void aml_device(struct aml *a, const char *name)
{
	aml_bytes(a, "\x5b\x82", 2);
	begin(a);
	aml_path(a, name);
}

void aml_processor(struct aml *a, const char *name, u8 id)
{
	aml_bytes(a, "\x5b\x83", 2);
	begin(a);
	aml_path(a, name);
	op(a, id);
	aml_le(a, 0, 5); /* no processor register block */
}

void aml_package(struct aml *a, u8 elements)
{
	op(a, 0x12);
	begin(a);
	op(a, elements);
}

/* The buffer's size is a 16-bit constant, so that it can be filled in at the end. */
void aml_crs(struct aml *a)
{
	aml_name(a, "_CRS");
	op(a, 0x11);
	begin(a);
	op(a, 0x0b);
	aml_le(a, 0, 2);
	a->resources = a->len;
}

void aml_crs_end(struct aml *a)
{
	aml_bytes(a, "\x79\x00", 2); /* end tag; checksum 0 = not computed */
	if (!a->full)
		store_le(a->buf + a->resources - 2, 2, a->len - a->resources);
	aml_end(a);
}

void aml_res_io(struct aml *a, u16 base, u8 len)
{
	op(a, 0x47);
	op(a, 1); /* decodes 16 bits */
	aml_le(a, base, 2);
	aml_le(a, base, 2);
	op(a, 1);
	op(a, len);
}

void aml_res_irq(struct aml *a, unsigned irq)
{
	op(a, 0x22);
	aml_le(a, 1u << (irq & 15), 2);
}

void aml_res_mem32(struct aml *a, u32 base, u32 len)
{
	op(a, 0x86);
	aml_le(a, 9, 2);
	op(a, 1); /* writable */
	aml_le(a, base, 4);
	aml_le(a, len, 4);
}

/* ACPI 6.4.3.5: address space descriptors; 0Ch = fixed minimum and maximum, the bridge produces the range. */
static void window(struct aml *a, u8 tag, u8 kind, u8 type_flags, u32 min, u32 max, unsigned n)
{
	op(a, tag);
	aml_le(a, 3 + 5 * n, 2);
	op(a, kind);
	op(a, 0x0c);
	op(a, type_flags);
	aml_le(a, 0, n); /* granularity */
	aml_le(a, min, n);
	aml_le(a, max, n);
	aml_le(a, 0, n); /* translation */
	aml_le(a, (u64)max - min + 1, n);
}

void aml_res_bus(struct aml *a, u16 min, u16 max) { window(a, 0x88, 2, 0, min, max, 2); }
void aml_res_ports(struct aml *a, u16 min, u16 max) { window(a, 0x88, 1, 3, min, max, 2); }
void aml_res_memory(struct aml *a, u32 min, u32 max) { window(a, 0x87, 0, 1, min, max, 4); }
