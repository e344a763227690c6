/*
 * What all ways to start a kernel without firmware share: the memory map, the state in which the CPU begins, and
 * placing things in guest memory. The rooms above see boot_state and mem_map; the placing functions are for the
 * loaders.
 */
#ifndef LOADER_BOOT_H
#define LOADER_BOOT_H

#include "base/error.h"
#include "mmu/space.h"

/* Types as INT 15h E820 and both Multiboot versions number them. */
enum mem_type { MEM_RAM = 1, MEM_RESERVED, MEM_ACPI, MEM_NVS };

struct mem_range {
	u64 base, size;
	u32 type; /* enum mem_type */
};

#define MEM_MAP_MAX 32

struct mem_map {
	struct mem_range range[MEM_MAP_MAX]; /* ascending, not overlapping */
	unsigned count;
};

/* False when the map is full. */
bool mem_map_add(struct mem_map *m, u64 base, u64 size, enum mem_type type);
/* A PC's map: 639 KB, EBDA, BIOS area, RAM to low_end (below 4 GB), whose last top_reserved bytes are reserved (ACPI
 * tables), the APIC pages and the flash below 4 GB, and high_size bytes above 4 GB. */
void mem_map_pc(struct mem_map *m, u64 low_end, u64 high_size, u32 top_reserved);
/* The RAM range that holds pa, or NULL. */
const struct mem_range *mem_map_ram(const struct mem_map *m, u64 pa);

/*
 * How the CPU starts. In both modes: segments flat (base 0, limit 4 GB), interrupts off, A20 on, DF clear.
 * 32-bit: protected mode, paging off, CS 08h, all data segments 10h.
 * 64-bit: long mode, PAE paging at cr3, CS 18h, data segments 10h.
 * The GDT at gdt holds these descriptors: 08h 32-bit code, 10h data, 18h 64-bit code (Linux: see linux.c). Other
 * registers are 0. No firmware ran: the board enables the local APIC's virtual wire mode.
 */
struct boot_state {
	u64 ip, sp;
	u32 eax, ebx, esi;
	bool long_mode;
	u16 cs, ds;
	u32 cr3; /* long mode only; CR4.PAE, EFER.LME and LMA, CR0.PG and WP go with it */
	u32 gdt;
	u16 gdt_limit;
};

struct boot_options {
	const char *kernel; /* file */
	const char *append; /* -append, or NULL */
	const char *initrd; /* -initrd: "FILE ARGS,FILE ARGS", ",," is a comma in a name; Linux: one file; or NULL */
	const struct mem_map *map;
	u32 rsdp;       /* where ACPI's root pointer is (36 bytes), or 0 */
	bool long_mode; /* the CPU has it */
	bool vga;       /* there is a VGA, in text mode 3 */
};

/* ----------------------------------------------------------------------------------------------- for the loaders */

#define BOOT_CLAIMS 128

struct boot {
	struct space *mem;
	const struct boot_options *opt;
	const char *name; /* of the kernel file */
	u8 *file;
	size_t size;
	struct mem_range claim[BOOT_CLAIMS]; /* guest memory in use */
	unsigned claims;
	u64 kernel_base, kernel_end; /* lowest address of the kernel, end of its highest segment */
};

/* The whole file; the caller frees it. */
bool boot_read_file(const char *name, u8 **data, size_t *size, struct error *err);
/* Marks memory as used by what; false if some of it is not RAM below 4 GB. */
bool boot_claim(struct boot *b, u64 base, u64 size, const char *what, struct error *err);
/* Claims the lowest free RAM at or above from, below 4 GB. */
bool boot_place(struct boot *b, u64 from, u64 size, u64 align, const char *what, u64 *base, struct error *err);
/* Claims and loads a piece of the kernel: filesz bytes, then zeros up to memsz. */
bool boot_load(struct boot *b, u64 pa, const u8 *data, u64 filesz, u64 memsz, struct error *err);
/* Flat descriptors, APM2 4.8: base 0, limit 4 GB, ring 0, accessed. */
#define BOOT_GDT_CODE32 0x00cf9b000000ffffull
#define BOOT_GDT_DATA   0x00cf93000000ffffull
#define BOOT_GDT_CODE64 0x00af9b000000ffffull
/* Places a GDT of n descriptors. */
bool boot_gdt(struct boot *b, const u64 *gdt, unsigned n, struct boot_state *st, struct error *err);
/* Places the GDT and a stack and presets the state for 32-bit or 64-bit entry; in long mode builds page tables, too. */
bool boot_enter(struct boot *b, bool long_mode, u64 ip, struct boot_state *st, struct error *err);

#endif
