/*
 * How a kernel starts on the Integrator/CP without firmware: an ELF program, a Linux zImage or Image with ATAGS or a device tree, or anything
 * else as raw bytes. Places are QEMU's, so that what starts there starts here.
 */
#ifndef LOADER_ARM_BOOT_H
#define LOADER_ARM_BOOT_H

#include "base/error.h"
#include "machine/integratorcp.h"

struct arm_boot {
	const char *kernel, *append, *initrd, *dtb; /* files and a command line; all but the kernel may be NULL */
	u64 seed; /* of the random numbers that the device tree gives to the kernel */
};

/* The library that edits device trees and its version, or NULL: then there is no -dtb. */
const char *arm_boot_library(void);
/* Loads everything into a machine that was reset, and sets the CPU to start it. */
bool arm_boot_load(const struct arm_boot *boot, struct icp *b, struct error *err);

/* ---- arm_fdt.c ---- */

/* What a device tree is told about this boot. */
struct arm_fdt_facts {
	u64 ram_size;
	const char *bootargs;         /* or NULL: those of the file stay */
	u32 initrd_start, initrd_end; /* or both 0 */
	u64 seed;
};

/* Reads the file and edits it; *data is the caller's to free. */
bool arm_fdt_load(const char *name, const struct arm_fdt_facts *facts, u8 **data, size_t *size, struct error *err);

#endif
