/* See boot.h. */
#include "loader/boot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define FOUR_GB BIT(32)

/* ---------------------------------------------------------------------------------------------------- memory map */

bool mem_map_add(struct mem_map *m, u64 base, u64 size, enum mem_type type)
{
	if (!size)
		return true;
	if (m->count == MEM_MAP_MAX)
		return false;
	m->range[m->count++] = (struct mem_range){base, size, type};
	return true;
}

void mem_map_pc(struct mem_map *m, u64 low_end, u64 high_size, u32 top_reserved)
{
	const u64 mb = 1 << 20;

	m->count = 0;
	mem_map_add(m, 0, 0x9fc00, MEM_RAM);
	mem_map_add(m, 0x9fc00, 0x400, MEM_RESERVED);
	mem_map_add(m, 0xf0000, 0x10000, MEM_RESERVED);
	if (low_end > mb + top_reserved) {
		mem_map_add(m, mb, low_end - mb - top_reserved, MEM_RAM);
		mem_map_add(m, low_end - top_reserved, top_reserved, MEM_RESERVED);
	}
	mem_map_add(m, 0xfec00000, 0x1000, MEM_RESERVED);
	mem_map_add(m, 0xfee00000, 0x1000, MEM_RESERVED);
	mem_map_add(m, 0xfffc0000, 0x40000, MEM_RESERVED);
	mem_map_add(m, FOUR_GB, high_size, MEM_RAM);
}

const struct mem_range *mem_map_ram(const struct mem_map *m, u64 pa)
{
	for (unsigned i = 0; i < m->count; i++)
		if (m->range[i].type == MEM_RAM && pa >= m->range[i].base && pa - m->range[i].base < m->range[i].size)
			return &m->range[i];
	return NULL;
}

/* ------------------------------------------------------------------------------------------------------- placing */

static bool read_all(FILE *f, const char *name, u8 **data, size_t *size, struct error *err)
{
	size_t room = 1 << 16, n;
	u8 *p = NULL, *grown;

	*size = 0;
	do {
		room *= 2;
		grown = realloc(p, room);
		if (!grown) {
			free(p);
			return error_set(err, "%s: no memory for %zu bytes", name, room);
		}
		p = grown;
		n = fread(p + *size, 1, room - *size, f);
		*size += n;
	} while (*size == room);
	if (ferror(f)) {
		error_set(err, "%s: %s", name, strerror(errno));
		free(p);
		return false;
	}
	*data = p;
	return true;
}

bool boot_read_file(const char *name, u8 **data, size_t *size, struct error *err)
{
	FILE *f = fopen(name, "rb");
	bool ok;

	if (!f)
		return error_set(err, "%s: %s", name, strerror(errno));
	ok = read_all(f, name, data, size, err);
	fclose(f);
	return ok;
}

/* When the list is full, the last entry grows to cover both: too much is claimed, never too little. */
static void remember(struct boot *b, u64 base, u64 size)
{
	struct mem_range *last;
	u64 end = base + size;

	if (b->claims < BOOT_CLAIMS) {
		b->claim[b->claims++] = (struct mem_range){base, size, MEM_RAM};
		return;
	}
	last = &b->claim[BOOT_CLAIMS - 1];
	if (end < last->base + last->size)
		end = last->base + last->size;
	if (base < last->base)
		last->base = base;
	last->size = end - last->base;
}

bool boot_claim(struct boot *b, u64 base, u64 size, const char *what, struct error *err)
{
	const struct mem_range *r = mem_map_ram(b->opt->map, base);

	if (!size)
		return true;
	if (!r || size > r->size - (base - r->base) || base >= FOUR_GB || size > FOUR_GB - base)
		return error_set(err, "%s: %s at 0x%llx-0x%llx, expected RAM below 4 GB", b->name, what,
				 (unsigned long long)base, (unsigned long long)(base + size - 1));
	remember(b, base, size);
	return true;
}

/* The first claim that [base, base + size) meets, or NULL. */
static const struct mem_range *claimed(const struct boot *b, u64 base, u64 size)
{
	for (unsigned i = 0; i < b->claims; i++)
		if (base < b->claim[i].base + b->claim[i].size && b->claim[i].base < base + size)
			return &b->claim[i];
	return NULL;
}

/* Start of the lowest RAM range above pa; all ones if there is none. */
static u64 next_ram(const struct mem_map *m, u64 pa)
{
	u64 best = ~0ull;

	for (unsigned i = 0; i < m->count; i++)
		if (m->range[i].type == MEM_RAM && m->range[i].base > pa && m->range[i].base < best)
			best = m->range[i].base;
	return best;
}

bool boot_place(struct boot *b, u64 from, u64 size, u64 align, const char *what, u64 *base, struct error *err)
{
	u64 pa = from;

	while (pa < FOUR_GB && size <= FOUR_GB) {
		const struct mem_range *r, *c;

		pa = (pa + align - 1) & ~(align - 1);
		r = mem_map_ram(b->opt->map, pa);
		if (!r || size > r->size - (pa - r->base)) {
			pa = next_ram(b->opt->map, pa);
			continue;
		}
		c = claimed(b, pa, size ? size : 1);
		if (!c) {
			*base = pa;
			return boot_claim(b, pa, size, what, err);
		}
		pa = c->base + c->size;
	}
	return error_set(err, "%s: no room for %s: 0x%llx bytes of RAM at or above 0x%llx and below 4 GB", b->name,
			 what, (unsigned long long)size, (unsigned long long)from);
}

bool boot_load(struct boot *b, u64 pa, const u8 *data, u64 filesz, u64 memsz, struct error *err)
{
	static const u8 zeros[4096];
	u64 n;

	if (memsz < filesz)
		memsz = filesz;
	if (!memsz)
		return true;
	if (!boot_claim(b, pa, memsz, "kernel segment", err))
		return false;
	space_write_bytes(b->mem, pa, data, filesz);
	for (u64 at = filesz; at < memsz; at += n) {
		n = memsz - at < sizeof zeros ? memsz - at : sizeof zeros;
		space_write_bytes(b->mem, pa + at, zeros, n);
	}
	if (pa < b->kernel_base)
		b->kernel_base = pa;
	if (pa + memsz > b->kernel_end)
		b->kernel_end = pa + memsz;
	return true;
}

/* --------------------------------------------------------------------------------------------------------- entry */

/* Identity for the first 4 GB by 2 MB pages: PML4, PDPT, four page directories (APM2 5.3). */
static bool page_tables(struct boot *b, u32 *cr3, struct error *err)
{
	const u64 present_write = 3, large = 0x80;
	u64 base;

	if (!boot_place(b, 0x1000, 6 * PAGE_SIZE, PAGE_SIZE, "page tables", &base, err))
		return false;
	for (unsigned i = 0; i < 6 * 512; i++)
		space_write(b->mem, base + i * 8, 8, 0);
	space_write(b->mem, base, 8, (base + PAGE_SIZE) | present_write);
	for (unsigned i = 0; i < 4; i++)
		space_write(b->mem, base + PAGE_SIZE + i * 8, 8, (base + (2 + i) * PAGE_SIZE) | present_write);
	for (u64 i = 0; i < 4 * 512; i++)
		space_write(b->mem, base + 2 * PAGE_SIZE + i * 8, 8, i << 21 | large | present_write);
	*cr3 = (u32)base;
	return true;
}

bool boot_gdt(struct boot *b, const u64 *gdt, unsigned n, struct boot_state *st, struct error *err)
{
	u64 base;

	if (!boot_place(b, 0x800, n * 8, 8, "GDT", &base, err))
		return false;
	for (unsigned i = 0; i < n; i++)
		space_write(b->mem, base + i * 8, 8, gdt[i]);
	st->gdt = (u32)base;
	st->gdt_limit = (u16)(n * 8 - 1);
	return true;
}

bool boot_enter(struct boot *b, bool long_mode, u64 ip, struct boot_state *st, struct error *err)
{
	static const u64 gdt[] = {0, BOOT_GDT_CODE32, BOOT_GDT_DATA, BOOT_GDT_CODE64};
	u64 stack;

	*st = (struct boot_state){.ip = ip, .long_mode = long_mode, .cs = long_mode ? 0x18 : 0x08, .ds = 0x10};
	if (!boot_gdt(b, gdt, ARRAY_SIZE(gdt), st, err) || !boot_place(b, 0x7000, 0x1000, 16, "stack", &stack, err))
		return false;
	st->sp = stack + 0x1000;
	return !long_mode || page_tables(b, &st->cr3, err);
}
