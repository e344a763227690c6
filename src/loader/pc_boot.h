/*
 * Starting the PC without firmware: what a BIOS would have left in memory, in the devices and in the MSRs, then the
 * kernel, then CPU 0 at its entry point. MP specification 1.4 3.6; IBM PC/AT BIOS data area; ACPI specification 5.2.5.1
 * (RSDP).
 */
#ifndef LOADER_PC_BOOT_H
#define LOADER_PC_BOOT_H

#include "loader/boot.h"
#include "loader/firmware.h"
#include "loader/kernel_rom.h"
#include "machine/pc.h"

#define E820_ENTRY 20

struct pc_boot {
	struct boot_options opt;
	struct mem_map map;
	struct firmware *fw; /* without data: none */
	struct kernel_rom rom;
	u8 e820[MEM_MAP_MAX * E820_ENTRY]; /* fw_cfg file etc/e820 */
};

/* Once: the memory map, and what firmware wants to know. The strings must stay, and *b and *fw where they are. */
bool pc_boot_init(struct pc_boot *b, struct pc *pc, struct firmware *fw, const struct firmware_options *fo,
		  const char *kernel, const char *append, const char *initrd, struct error *err);
void pc_boot_free(struct pc_boot *b);
/* After power-on and after each reset. If the kernel has asked for it (see pc_bios.h), CPU 0 stays at its reset vector,
 * and memory and devices as they are. */
bool pc_boot_load(struct pc_boot *b, struct pc *pc, struct error *err);

#endif
