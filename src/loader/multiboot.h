/*
 * Kernels for -kernel that a boot loader would start: Multiboot 1, Multiboot 2 and plain ELF executables, with modules
 * from -initrd. Manuals: Multiboot Specification 0.6.96, Multiboot2 Specification 2.0.
 *
 * A file with both headers is started by version 1, as QEMU does. Multiboot kernels, 64-bit ones too, begin in 32-bit
 * protected mode; their entry point is physical, or virtual inside of a segment, as GRUB takes it. An ELF file without
 * a header begins at its entry: 32-bit ones in protected mode, 64-bit ones in long mode with the first 4 GB mapped to
 * themselves.
 *
 * Guest memory: kernel at its own addresses; then, page-aligned, the modules; then the kernel's symbol sections. Below
 * 640 KB, at the lowest free addresses from there on: GDT 800h, page tables 1000h (long mode only), stack 7000h-8000h,
 * boot information 9000h.
 */
#ifndef LOADER_MULTIBOOT_H
#define LOADER_MULTIBOOT_H

#include "loader/boot.h"
#include "loader/elf.h"

/* Whether the file has a Multiboot header: its version, 1 or 2, and offset; 0 if none. */
unsigned multiboot_find(const u8 *data, size_t size, size_t *offset);
/* Loads opt->kernel into mem and says how to start it. False: nothing may be assumed about the memory. */
bool kernel_load(struct space *mem, const struct boot_options *opt, struct boot_state *st, struct error *err);

/* --------------------------------------------------------------------- between multiboot.c and multiboot2.c only */

#define MULTIBOOT_MODULES 64
#define MULTIBOOT_LOADER  "Undervisor"
#define MULTIBOOT_INFO    0x9000

struct multiboot {
	struct boot b;
	size_t header; /* file offset */
	struct elf elf;
	bool is_elf;
	struct multiboot_module {
		u32 start, end;
		const char *args; /* "FILE ARGS" */
	} module[MULTIBOOT_MODULES];
	unsigned modules;
	char *module_text;
	u8 *sections; /* the section headers with the addresses where we put the sections; NULL: none */
	size_t sections_size;
	char *command_line;
	/* The boot information as it is built. */
	u8 *info;
	size_t info_len, info_size;
	u64 info_base;
};

/* Loads all segments. */
bool multiboot_load_elf(struct multiboot *m, struct error *err);
/* The a.out address fields of both versions; at is the file offset of the field load_addr, for messages. */
struct multiboot_addresses {
	u32 header, load, load_end, bss_end;
	size_t at;
};
bool multiboot_load_flat(struct multiboot *m, const struct multiboot_addresses *a, struct error *err);
/* Reserves the information's place: extra bytes, and what modules, memory map, strings and sections need at most. */
bool multiboot_info_begin(struct multiboot *m, size_t extra, struct error *err);
/* Appends bytes (zeros if p is NULL) and returns their guest address. */
u32 multiboot_info_add(struct multiboot *m, const void *p, size_t n);
void multiboot_info_end(struct multiboot *m);
/* KB of RAM from 0 and from 1 MB on. */
u32 multiboot_mem_kb(const struct multiboot *m, u64 from);

bool multiboot1_parse(struct multiboot *m, u64 *entry, struct error *err);
bool multiboot1_info(struct multiboot *m, struct boot_state *st, struct error *err);
bool multiboot2_parse(struct multiboot *m, u64 *entry, struct error *err);
bool multiboot2_info(struct multiboot *m, struct boot_state *st, struct error *err);

#endif
