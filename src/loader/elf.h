/*
 * A reader of ELF executables (little-endian, 32 and 64 bits) over a buffer in memory. Every offset is checked against
 * the buffer; nothing is written. Manual: System V ABI 4.1 chapters 4 and 5, "ELF-64 Object File Format" 1.5.
 */
#ifndef LOADER_ELF_H
#define LOADER_ELF_H

#include "base/error.h"
#include "base/types.h"

enum { ELF_EM_386 = 3, ELF_EM_ARM = 40, ELF_EM_X86_64 = 62 };
enum { ELF_PT_LOAD = 1 };
enum { ELF_SHT_NULL = 0, ELF_SHT_NOBITS = 8, ELF_SHF_ALLOC = 2 };

struct elf {
	const char *name; /* of the file, for messages */
	const u8 *data;
	size_t size;
	bool is64;
	u16 type, machine; /* 2 executable, 3 position-independent executable */
	u64 entry, phoff, shoff;
	u32 phnum, phentsize;
	u32 shnum, shentsize, shstrndx; /* shnum is 0 if the section table is not entirely in the file */
};

struct elf_segment {
	u32 type, flags;
	u64 offset, vaddr, paddr, filesz, memsz, align;
};

struct elf_section {
	u32 name, type, link;
	u64 flags, addr, offset, size, entsize;
};

bool elf_is(const void *data, size_t size);
/* Reads the header; data must stay. False: not an executable ELF file that this reader understands. */
bool elf_open(struct elf *e, const char *name, const void *data, size_t size, struct error *err);
/* Program header i < phnum. For PT_LOAD, offset and filesz are within the file, filesz <= memsz, and addresses do not
 * wrap. */
bool elf_segment(const struct elf *e, unsigned i, struct elf_segment *s, struct error *err);
/* Section header i < shnum. Unless its type is NULL or NOBITS, offset and size are within the file. */
bool elf_section(const struct elf *e, unsigned i, struct elf_section *s, struct error *err);
/* The physical address of the entry point: translated by the loadable segment that holds it as a virtual address, else
 * as it is. */
u64 elf_entry_pa(const struct elf *e);

#endif
