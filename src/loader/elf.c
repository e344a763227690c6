/* See elf.h. */
#include "loader/elf.h"

#define PN_XNUM 0xffff

static bool inside(const struct elf *e, u64 off, u64 len) { return off <= e->size && len <= e->size - off; }

/* A number of the file; callers have checked that it is inside. */
static u64 num(const struct elf *e, u64 off, unsigned size) { return load_le(e->data + off, size); }

/* The field at one offset in 32-bit files (4 bytes) and at another in 64-bit files (8 bytes). */
static u64 word(const struct elf *e, u64 base, unsigned off32, unsigned off64)
{
	return e->is64 ? num(e, base + off64, 8) : num(e, base + off32, 4);
}

bool elf_is(const void *data, size_t size) { return size >= 4 && !memcmp(data, "\177ELF", 4); }

static bool check_ident(const struct elf *e, struct error *err)
{
	if (!elf_is(e->data, e->size))
		return error_set(err, "%s: offset 0: expected the ELF magic 7f 45 4c 46", e->name);
	if (e->size < 52)
		return error_set(err, "%s: %zu bytes, expected an ELF header of at least 52", e->name, e->size);
	if (e->data[4] != 1 && e->data[4] != 2)
		return error_set(err, "%s: offset 4: ELF class %u, expected 1 (32-bit) or 2 (64-bit)", e->name,
				 e->data[4]);
	if (e->data[4] == 2 && e->size < 64)
		return error_set(err, "%s: %zu bytes, expected an ELF64 header of 64", e->name, e->size);
	if (e->data[5] != 1)
		return error_set(err, "%s: offset 5: ELF data encoding %u, expected 1 (little-endian)", e->name,
				 e->data[5]);
	return true;
}

static bool check_tables(struct elf *e, struct error *err)
{
	unsigned phent = e->is64 ? 56 : 32, shent = e->is64 ? 64 : 40;

	if (e->type != 2 && e->type != 3)
		return error_set(err, "%s: offset 16: ELF type %u, expected 2 (executable) or 3 (position-independent)",
				 e->name, e->type);
	if (e->phnum == PN_XNUM || (e->phnum && e->phentsize < phent))
		return error_set(err,
				 "%s: offset %u: %u program headers of %u bytes, expected fewer than %u of at least %u",
				 e->name, e->is64 ? 54 : 42, e->phnum, e->phentsize, PN_XNUM, phent);
	if (!inside(e, e->phoff, (u64)e->phnum * e->phentsize))
		return error_set(err, "%s: offset 0x%llx: expected %u program headers, but the file ends at 0x%zx",
				 e->name, (unsigned long long)e->phoff, e->phnum, e->size);
	if (!e->shoff || e->shentsize < shent || !inside(e, e->shoff, (u64)e->shnum * e->shentsize))
		e->shnum = 0;
	if (e->shstrndx >= e->shnum)
		e->shstrndx = 0;
	return true;
}

bool elf_open(struct elf *e, const char *name, const void *data, size_t size, struct error *err)
{
	unsigned half;

	*e = (struct elf){.name = name, .data = data, .size = size};
	if (!check_ident(e, err))
		return false;
	e->is64 = e->data[4] == 2;
	e->type = (u16)num(e, 16, 2);
	e->machine = (u16)num(e, 18, 2);
	e->entry = word(e, 0, 24, 24);
	e->phoff = word(e, 0, 28, 32);
	e->shoff = word(e, 0, 32, 40);
	half = e->is64 ? 54 : 42;
	e->phentsize = (u32)num(e, half, 2);
	e->phnum = (u32)num(e, half + 2, 2);
	e->shentsize = (u32)num(e, half + 4, 2);
	e->shnum = (u32)num(e, half + 6, 2);
	e->shstrndx = (u32)num(e, half + 8, 2);
	return check_tables(e, err);
}

static bool check_segment(const struct elf *e, u64 at, const struct elf_segment *s, struct error *err)
{
	unsigned long long off = at;

	if (!inside(e, s->offset, s->filesz))
		return error_set(
			err,
			"%s: offset 0x%llx: segment 0x%llx+0x%llx, expected it to end within the file's 0x%zx bytes",
			e->name, off, (unsigned long long)s->offset, (unsigned long long)s->filesz, e->size);
	if (s->filesz > s->memsz)
		return error_set(
			err, "%s: offset 0x%llx: segment of 0x%llx bytes in 0x%llx bytes of memory, expected no more",
			e->name, off, (unsigned long long)s->filesz, (unsigned long long)s->memsz);
	if (s->paddr + s->memsz < s->paddr || s->vaddr + s->memsz < s->vaddr)
		return error_set(err, "%s: offset 0x%llx: segment wraps around the end of the address space", e->name,
				 off);
	return true;
}

bool elf_segment(const struct elf *e, unsigned i, struct elf_segment *s, struct error *err)
{
	u64 at = e->phoff + (u64)i * e->phentsize;

	if (i >= e->phnum)
		return error_set(err, "%s: no program header %u", e->name, i);
	s->type = (u32)num(e, at, 4);
	s->flags = (u32)num(e, at + (e->is64 ? 4 : 24), 4);
	s->offset = word(e, at, 4, 8);
	s->vaddr = word(e, at, 8, 16);
	s->paddr = word(e, at, 12, 24);
	s->filesz = word(e, at, 16, 32);
	s->memsz = word(e, at, 20, 40);
	s->align = word(e, at, 28, 48);
	return s->type != ELF_PT_LOAD || check_segment(e, at, s, err);
}

bool elf_section(const struct elf *e, unsigned i, struct elf_section *s, struct error *err)
{
	u64 at = e->shoff + (u64)i * e->shentsize;

	if (i >= e->shnum)
		return error_set(err, "%s: no section header %u", e->name, i);
	s->name = (u32)num(e, at, 4);
	s->type = (u32)num(e, at + 4, 4);
	s->flags = word(e, at, 8, 8);
	s->addr = word(e, at, 12, 16);
	s->offset = word(e, at, 16, 24);
	s->size = word(e, at, 20, 32);
	s->link = (u32)num(e, at + (e->is64 ? 40 : 24), 4);
	s->entsize = word(e, at, 36, 56);
	if (s->type != ELF_SHT_NULL && s->type != ELF_SHT_NOBITS && !inside(e, s->offset, s->size))
		return error_set(
			err,
			"%s: offset 0x%llx: section 0x%llx+0x%llx, expected it to end within the file's 0x%zx bytes",
			e->name, (unsigned long long)at, (unsigned long long)s->offset, (unsigned long long)s->size,
			e->size);
	return true;
}

u64 elf_entry_pa(const struct elf *e)
{
	struct elf_segment s;
	struct error ignored;

	for (unsigned i = 0; i < e->phnum; i++)
		if (elf_segment(e, i, &s, &ignored) && s.type == ELF_PT_LOAD && e->entry >= s.vaddr &&
		    e->entry - s.vaddr < s.memsz)
			return e->entry - s.vaddr + s.paddr;
	return e->entry;
}
