/*
 * NOR flash as on ARM's boards: two 16-bit chips of Intel's command set side by side, which software drives with 32-bit commands (the
 * same in both halves), or by itself with 16-bit ones. The contents are memory of the board; erased: all ones.
 */
#ifndef DEVICES_CFI_FLASH_H
#define DEVICES_CFI_FLASH_H

#include "base/field.h"
#include "mmu/space.h"

#define CFI_FLASH_BLOCK 0x20000u /* of one chip: so 256 KB of the pair */
#define CFI_FLASH_CHIPS 2
#define CFI_FLASH_BUFFER 32u /* bytes of one chip's write buffer */
#define CFI_FLASH_BLOCKS 128u /* of one chip at most: 16 MB */

struct cfi_chip_state {
	u8 mode;    /* enum in cfi_flash.c */
	u8 status;
	u8 count;   /* words of a buffered write that are still to come */
	u8 filled;  /* words that came */
	u16 word[CFI_FLASH_BUFFER / 2];
	u32 at[CFI_FLASH_BUFFER / 2]; /* word offsets in the chip */
	u8 locked[CFI_FLASH_BLOCKS / 8]; /* lock bits of the blocks; they survive a reset */
};

struct cfi_flash_state {
	struct cfi_chip_state chip[CFI_FLASH_CHIPS];
};

struct cfi_flash {
	struct cfi_flash_state s;
	u8 *data; /* size bytes */
	u32 size; /* of both chips; a power of two */
	bool read_only; /* all blocks are locked for good */
	bool vpp;       /* the voltage for programming and erasing is there; the board may take it away */
	bool shown;  /* derived: both chips show their contents */
	/* May be NULL: data[off, off + n) changed; whether loads find data or have to ask. */
	void (*touched)(void *arg, u32 off, u32 n);
	void (*show)(void *arg, bool on);
	void *arg;
};

extern const struct region_ops cfi_flash_ops;
#define CFI_CHIP_FIELDS 7
extern const struct field cfi_chip_fields[CFI_CHIP_FIELDS];

void cfi_flash_init(struct cfi_flash *f, u8 *data, u32 size);
/* Both chips show their contents. */
void cfi_flash_reset(struct cfi_flash *f);
void cfi_flash_post_load(struct cfi_flash *f);

#endif
