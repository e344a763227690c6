/* elf.c: loads an ELF32 or ELF64 file into guest memory, by physical addresses (System V ABI, chapter 5).
 * Nothing in the file is trusted: every offset and address is checked against the module and the guest's memory. */
#include "elf.h"
#include "memory.h"

enum { ELF_CLASS32 = 1, ELF_CLASS64 = 2, ELF_LITTLE = 1, PT_LOAD = 1 };

struct elf32 {
	u8 ident[16];
	u16 type, machine;
	u32 version, entry, phoff, shoff, flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf64 {
	u8 ident[16];
	u16 type, machine;
	u32 version;
	u64 entry, phoff, shoff;
	u32 flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct segment32 {
	u32 type, offset, vaddr, paddr, filesz, memsz, flags, align;
};

struct segment64 {
	u32 type, flags;
	u64 offset, vaddr, paddr, filesz, memsz, align;
};

/* Bytes of the module; NULL when it is shorter. */
static const void *module_bytes(const struct module *m, u64 offset, u64 size)
{
	u64 length = m->memory.end - m->memory.start;
	if (m->memory.end < m->memory.start || offset > length || size > length - offset)
		return NULL;
	return phys_to_virt(m->memory.start + offset);
}

static const char *load_segment(struct vm *vm, const struct module *m, const struct segment64 *s)
{
	if (s->type != PT_LOAD)
		return NULL;
	const void *from = module_bytes(m, s->offset, s->filesz);
	u8 *to = vm_memory(vm, s->paddr, s->memsz);
	if (!from || s->filesz > s->memsz)
		return "a segment is larger than the file";
	if (!to || s->paddr + s->memsz > GUEST_TABLES)
		return "a segment lies outside of guest memory";
	memcpy(to, from, s->filesz);
	memset(to + s->filesz, 0, s->memsz - s->filesz);
	return NULL;
}

static const char *load64(struct vm *vm, const struct module *m, u64 *entry)
{
	const struct elf64 *e = module_bytes(m, 0, sizeof *e);
	const char *why_not = e ? NULL : "the file is too short";
	for (u32 i = 0; !why_not && i < e->phnum; i++) {
		const struct segment64 *s = module_bytes(m, e->phoff + i * sizeof *s, sizeof *s);
		why_not = s ? load_segment(vm, m, s) : "the file is too short";
	}
	if (!why_not)
		*entry = e->entry;
	return why_not;
}

static const char *load32(struct vm *vm, const struct module *m, u64 *entry)
{
	const struct elf32 *e = module_bytes(m, 0, sizeof *e);
	const char *why_not = e ? NULL : "the file is too short";
	for (u32 i = 0; !why_not && i < e->phnum; i++) {
		const struct segment32 *s = module_bytes(m, e->phoff + i * sizeof *s, sizeof *s);
		if (!s)
			return "the file is too short";
		struct segment64 wide = {s->type,  s->flags,  s->offset, s->vaddr,
					 s->paddr, s->filesz, s->memsz,  s->align};
		why_not = load_segment(vm, m, &wide);
	}
	if (!why_not)
		*entry = e->entry;
	return why_not;
}

const char *elf_load(struct vm *vm, const struct module *module, u64 *entry, const char **mode)
{
	const u8 *ident = module_bytes(module, 0, 16);
	if (!ident || memcmp(ident, "\177ELF", 4) != 0 || ident[5] != ELF_LITTLE)
		return "not a little-endian ELF file";
	if (ident[4] == ELF_CLASS64) {
		*mode = "long";
		return load64(vm, module, entry);
	}
	if (ident[4] == ELF_CLASS32) {
		*mode = "prot";
		return load32(vm, module, entry);
	}
	return "neither ELF32 nor ELF64";
}
