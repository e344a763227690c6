/* See smbios.h. */
#include "loader/smbios.h"

#include <stdio.h>

#define STRUCTURE_MAX 128u /* bytes before the strings */

struct builder {
	struct smbios *s;
	const struct smbios_config *c;
	u16 count, longest;
	bool full;
};

/* 6.1: a structure of size bytes, whose first four are set here, then its strings, then an empty one. */
static void add(struct builder *b, u8 type, u16 handle, u8 *m, u8 size, const char *const *strings)
{
	struct smbios *s = b->s;
	u32 start = s->size;

	m[0] = type;
	m[1] = size;
	store_le(m + 2, 2, handle);
	if (s->size + size + 256 > SMBIOS_TABLES_SIZE) {
		b->full = true;
		return;
	}
	memcpy(s->table + s->size, m, size);
	s->size += size;
	for (unsigned i = 0; strings && strings[i]; i++) {
		strcpy((char *)s->table + s->size, strings[i]);
		s->size += (u32)strlen(strings[i]) + 1;
	}
	if (!strings || !strings[0])
		s->table[s->size++] = 0;
	s->table[s->size++] = 0;
	b->count++;
	if (s->size - start > b->longest)
		b->longest = (u16)(s->size - start);
}

enum {
	H_BIOS = 0,
	H_SYSTEM = 0x100,
	H_CHASSIS = 0x300,
	H_CPU = 0x400,
	H_ARRAY = 0x1000,
	H_MEMORY = 0x1100,
	H_MAPPED = 0x1300,
	H_BOOT = 0x2000,
	H_END = 0x7f00
};
enum { UNKNOWN = 2 };

/* 7.1: BIOS information */
static void bios(struct builder *b)
{
	static const char *const strings[] = {"Undervisor", UNDERVISOR_VERSION, "11/21/2026", NULL};
	u8 m[24] = {[4] = 1, [5] = 2, [8] = 3};

	store_le(m + 6, 2, 0xf000);
	m[10] = 0x08;         /* characteristics are not supported */
	m[22] = m[23] = 0xff; /* no embedded controller */
	add(b, 0, H_BIOS, m, sizeof m, strings);
}

/* 7.2: system. No UUID: zeros say so (7.2.1). */
static void computer(struct builder *b)
{
	static const char *const strings[] = {"Undervisor", "PC (i440FX + PIIX)", "pc", NULL};
	u8 m[27] = {[4] = 1, [5] = 2, [6] = 3};

	m[24] = 6; /* woken by the power switch */
	add(b, 1, H_SYSTEM, m, sizeof m, strings);
}

/* 7.4: enclosure */
static void chassis(struct builder *b)
{
	static const char *const strings[] = {"Undervisor", NULL};
	u8 m[22] = {[4] = 1};

	m[5] = 1;                 /* other */
	m[9] = m[10] = m[11] = 3; /* boot-up, power, temperature: safe */
	m[12] = UNKNOWN;
	add(b, 3, H_CHASSIS, m, sizeof m, strings);
}

/* 7.5: a processor */
static void processor(struct builder *b, unsigned n)
{
	char socket[16];
	const char *const strings[] = {socket, "Undervisor", NULL};
	u8 m[48] = {[4] = 1, [7] = 2};

	snprintf(socket, sizeof socket, "CPU %u", n);
	m[5] = 3; /* central processor */
	m[6] = 1; /* family: other */
	store_le(m + 8, 4, b->c->processor_id[0]);
	store_le(m + 12, 4, b->c->processor_id[1]);
	store_le(m + 20, 2, 1000); /* MHz, as the TSC */
	store_le(m + 22, 2, 1000);
	m[24] = 0x41; /* socket populated, enabled */
	m[25] = 1;    /* upgrade: other */
	store_le(m + 26, 2, 0xffff);
	store_le(m + 28, 2, 0xffff);
	store_le(m + 30, 2, 0xffff); /* no cache structures */
	m[35] = m[36] = m[37] = 1;   /* cores, enabled ones, threads */
	store_le(m + 38, 2, 0x04);   /* 64-bit */
	store_le(m + 40, 2, 1);
	store_le(m + 42, 2, 1);
	store_le(m + 44, 2, 1);
	store_le(m + 46, 2, 1);
	add(b, 4, (u16)(H_CPU + n), m, sizeof m, strings);
}

/* 7.17, 7.18: one array with one module that is all RAM */
static void memory(struct builder *b)
{
	static const char *const strings[] = {"DIMM 0", NULL};
	u64 bytes = b->c->ram_low + b->c->ram_high;
	u8 array[23] = {0}, m[40] = {0};

	array[4] = 1; /* other location */
	array[5] = 3; /* system memory */
	array[6] = 3; /* no error correction */
	store_le(array + 7, 4, bytes < (u64)2 << 40 ? bytes >> 10 : 0x80000000u);
	if (bytes >= (u64)2 << 40)
		store_le(array + 15, 8, bytes);
	store_le(array + 11, 2, 0xfffe);
	store_le(array + 13, 2, 1);
	add(b, 16, H_ARRAY, array, sizeof array, NULL);
	store_le(m + 4, 2, H_ARRAY);
	store_le(m + 6, 2, 0xfffe);
	store_le(m + 8, 2, 0xffff);
	store_le(m + 10, 2, 0xffff);
	store_le(m + 12, 2, bytes >> 20 < 0x7fff ? bytes >> 20 : 0x7fff); /* MB; more follows in the extended size */
	if (bytes >> 20 >= 0x7fff)
		store_le(m + 28, 4, bytes >> 20);
	m[14] = 9;              /* DIMM */
	m[16] = 1;              /* locator: string 1 */
	m[18] = 7;              /* RAM */
	store_le(m + 19, 2, 2); /* other */
	add(b, 17, H_MEMORY, m, sizeof m, strings);
}

/* 7.20: a range of addresses that the array is at */
static void mapped(struct builder *b, u16 handle, u64 start, u64 size)
{
	u8 m[31] = {0};

	if (!size)
		return;
	store_le(m + 4, 4, start >> 10);
	store_le(m + 8, 4, ((start + size) >> 10) - 1);
	store_le(m + 12, 2, H_ARRAY);
	m[14] = 1;
	add(b, 19, handle, m, sizeof m, NULL);
}

static u8 checksum(const u8 *p, unsigned n)
{
	u8 sum = 0;

	while (n--)
		sum += *p++;
	return (u8)-sum;
}

/* 5.2.1: the 32-bit entry point, version 2.8 */
static void entry_point(struct builder *b, u32 address)
{
	u8 *e = b->s->entry;

	memset(e, 0, SMBIOS_ENTRY_SIZE);
	memcpy(e, "_SM_", 4);
	e[5] = SMBIOS_ENTRY_SIZE;
	e[6] = 2;
	e[7] = 8;
	store_le(e + 8, 2, b->longest);
	memcpy(e + 16, "_DMI_", 5);
	store_le(e + 22, 2, b->s->size);
	store_le(e + 24, 4, address);
	store_le(e + 28, 2, b->count);
	e[30] = 0x28;
	e[21] = checksum(e + 16, 15);
	e[4] = checksum(e, SMBIOS_ENTRY_SIZE);
}

bool smbios_build(struct smbios *s, const struct smbios_config *c, u32 address, struct error *err)
{
	struct builder b = {.s = s, .c = c};
	u8 m[STRUCTURE_MAX] = {0};

	s->size = 0;
	if (c->own_bios)
		bios(&b);
	computer(&b);
	chassis(&b);
	for (unsigned i = 0; i < c->cpus; i++)
		processor(&b, i);
	memory(&b);
	mapped(&b, H_MAPPED, 0, c->ram_low);
	mapped(&b, H_MAPPED + 1, (u64)1 << 32, c->ram_high);
	add(&b, 32, H_BOOT, m, 11, NULL); /* 7.33: no errors */
	add(&b, 127, H_END, m, 4, NULL);
	entry_point(&b, address);
	return !b.full || error_set(err, "SMBIOS tables: no room for %u CPUs", c->cpus);
}

static bool poke(struct space *mem, u32 pa, const u8 *p, u32 n, struct error *err)
{
	for (u32 i = 0; i < n; i++)
		if (!space_poke(mem, pa + i, 1, p[i]))
			return error_set(err, "SMBIOS tables: expected RAM or ROM at 0x%x", pa + i);
	return true;
}

bool smbios_write(struct space *mem, const struct smbios_config *c, u32 at, struct error *err)
{
	struct smbios s;

	return smbios_build(&s, c, at + 32, err) && poke(mem, at, s.entry, SMBIOS_ENTRY_SIZE, err) &&
	       poke(mem, at + 32, s.table, s.size, err);
}
