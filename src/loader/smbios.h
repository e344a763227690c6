/*
 * The SMBIOS tables of the PC board, for firmware (fw_cfg files etc/smbios/...) and, without firmware, in the BIOS
 * segment. All of it is made of the machine's configuration. Manual: DMTF DSP0134 (SMBIOS reference), 5.2.1 (entry
 * point), 7 (structures).
 */
#ifndef LOADER_SMBIOS_H
#define LOADER_SMBIOS_H

#include "base/error.h"
#include "mmu/space.h"

#define SMBIOS_ENTRY_SIZE  31u
#define SMBIOS_TABLES_SIZE 0x1000u

struct smbios_config {
	unsigned cpus;
	u64 ram_low, ram_high; /* bytes below 4 GB and from 4 GB on */
	u32 processor_id[2];   /* CPUID Fn0000_0001 EAX and EDX */
	bool own_bios;         /* a structure of the BIOS, too: firmware brings its own */
};

struct smbios {
	u8 entry[SMBIOS_ENTRY_SIZE], table[SMBIOS_TABLES_SIZE];
	u32 size;
};

/* address: of the tables; 0: the firmware will set it. False: too many CPUs for the room. */
bool smbios_build(struct smbios *s, const struct smbios_config *c, u32 address, struct error *err);
/* Builds, and writes entry point and tables there, in F0000h..FFFFFh and a multiple of 16. */
bool smbios_write(struct space *mem, const struct smbios_config *c, u32 at, struct error *err);

#endif
