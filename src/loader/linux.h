/*
 * The Linux/x86 boot protocol: reading a bzImage, and starting it directly, without its real-mode part, at its 64-bit
 * or its 32-bit entry point. A firmware boot uses the first half only: linux_image_open() checks and prepares the
 * pieces, setup part included, which an option ROM then copies to where they say. Manual: the kernel's
 * Documentation/x86/boot.rst and zero-page.rst; protocol versions 2.06 (Linux 2.6.22) to 2.15.
 */
#ifndef LOADER_LINUX_H
#define LOADER_LINUX_H

#include "loader/boot.h"

/* Where the pieces go in a firmware boot, as every boot loader has it. */
#define LINUX_SETUP_ADDR   0x10000u
#define LINUX_CMDLINE_ADDR 0x20000u
#define LINUX_KERNEL_ADDR  0x100000u

struct linux_image {
	const char *name;
	u8 *file;          /* of the kernel; setup and kernel lie in it */
	u8 *setup;         /* the real-mode part, its header filled in for LINUX_SETUP_ADDR */
	size_t setup_size; /* a multiple of 512 */
	const u8 *kernel;  /* the protected-mode part, for LINUX_KERNEL_ADDR */
	size_t kernel_size;
	const char *cmdline;
	size_t cmdline_size; /* with its NUL */
	u8 *initrd;          /* NULL: none */
	size_t initrd_size;
	u32 initrd_addr;
	bool entry64;  /* has a 64-bit entry point */
	u32 init_size; /* bytes that the kernel takes for itself while it unpacks, from init_base on */
	u64 init_base;
};

/* Whether this is a Linux kernel image ("HdrS"). */
bool linux_is(const u8 *data, size_t size);
/* Takes over file (malloced; freed at linux_image_close, also when this fails), reads opt->initrd, checks that all fits
 * and that the kernel takes such a command line and initrd. The initrd goes to the highest place that kernel and memory
 * allow. */
bool linux_image_open(struct linux_image *img, const struct boot_options *opt, u8 *file, size_t size,
		      struct error *err);
void linux_image_close(struct linux_image *img);

/* A direct boot: loads the pieces and the boot parameters (zero page) into mem, and says how to start. opt->long_mode
 * tells whether the CPU can enter at the 64-bit entry point. */
bool linux_load(struct space *mem, const struct boot_options *opt, u8 *file, size_t size, struct boot_state *st,
		struct error *err);

#endif
