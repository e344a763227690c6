/*
 * -kernel on a machine with firmware: the option ROM of firmware/optrom/kernel.S, which SeaBIOS boots first, and its
 * two conversations through fw_cfg. A Linux kernel: the pieces, as QEMU names them. All others: the ROM writes the
 * BIOS's memory map, the kernel is put into memory then, and the ROM reads the state to start it in.
 */
#ifndef LOADER_KERNEL_ROM_H
#define LOADER_KERNEL_ROM_H

#include "loader/boot.h"
#include "loader/linux.h"
#include "machine/pc.h"

/* fw_cfg items of our own: 8000h marks keys of the architecture. */
enum { KERNEL_ROM_MAP = 0x8100, KERNEL_ROM_STATE = 0x8101 };

#define KERNEL_ROM_FILE    "genroms/undervisor-kernel.bin"
#define KERNEL_ROM_ENTRIES 32
#define KERNEL_ROM_NUMBERS 8

struct kernel_rom {
	struct pc *pc;
	struct boot_options opt;
	struct mem_map map;   /* what the BIOS says */
	struct error problem; /* why the kernel could not be loaded: the machine has stopped (STOP_IMAGE) */
	struct linux_image pieces;
	u8 rom[8192];
	u8 entries[KERNEL_ROM_ENTRIES * 20];
	u8 state[32]; /* GDT limit and base (2 + 4 bytes), flags (2; bit 0: long mode), ip, sp, eax, ebx, esi, cr3 */
	u8 number[KERNEL_ROM_NUMBERS][4];
};

/* Adds the ROM and its items. opt is copied, its strings must stay; *k must not move. */
bool kernel_rom_init(struct kernel_rom *k, struct pc *pc, const struct boot_options *opt, struct error *err);
void kernel_rom_free(struct kernel_rom *k);

#endif
