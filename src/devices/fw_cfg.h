/*
 * QEMU's firmware configuration device: named and numbered items that firmware reads through ports 510h-511h or by DMA
 * through ports 514h-51Bh. The data of all items belongs to the caller and must stay; the device only links it.
 * Items are read-only but for those that say otherwise.
 */
#ifndef DEVICES_FW_CFG_H
#define DEVICES_FW_CFG_H

#include "base/error.h"
#include "base/field.h"
#include "mmu/space.h"

/* Item keys. Files get keys from FW_CFG_FILE_FIRST on, in the order in which they are added. */
enum {
	FW_CFG_SIGNATURE = 0x00,
	FW_CFG_ID = 0x01,
	FW_CFG_UUID = 0x02,
	FW_CFG_RAM_SIZE = 0x03,
	FW_CFG_NOGRAPHIC = 0x04,
	FW_CFG_NB_CPUS = 0x05,
	FW_CFG_KERNEL_ADDR = 0x07,
	FW_CFG_KERNEL_SIZE = 0x08,
	FW_CFG_INITRD_ADDR = 0x0a,
	FW_CFG_INITRD_SIZE = 0x0b,
	FW_CFG_NUMA = 0x0d,
	FW_CFG_BOOT_MENU = 0x0e,
	FW_CFG_MAX_CPUS = 0x0f,
	FW_CFG_KERNEL_ENTRY = 0x10,
	FW_CFG_KERNEL_DATA = 0x11,
	FW_CFG_INITRD_DATA = 0x12,
	FW_CFG_CMDLINE_ADDR = 0x13,
	FW_CFG_CMDLINE_SIZE = 0x14,
	FW_CFG_CMDLINE_DATA = 0x15,
	FW_CFG_SETUP_ADDR = 0x16,
	FW_CFG_SETUP_SIZE = 0x17,
	FW_CFG_SETUP_DATA = 0x18,
	FW_CFG_FILE_DIR = 0x19,
	FW_CFG_FILE_FIRST = 0x20,
	FW_CFG_ACPI_TABLES = 0x8000,
	FW_CFG_SMBIOS_ENTRIES = 0x8001,
	FW_CFG_IRQ0_OVERRIDE = 0x8002,
	FW_CFG_INVALID = 0xffff
};

#define FW_CFG_FILES 64
#define FW_CFG_ITEMS (32 + FW_CFG_FILES)
#define FW_CFG_NAME  56 /* bytes of a file's name, its NUL included */

struct fw_cfg_state {
	u64 dma_addr; /* high half of the DMA address register, as it is being written */
	u32 offset;   /* of the next byte in the selected item */
	u16 key;
	u8 pad[2];
};

struct fw_cfg_item {
	u16 key;
	u32 size;
	const void *data;
	void *room;                           /* data, if the guest may write it by DMA; else NULL */
	void (*written)(void *arg, u32 size); /* the first size bytes are what it wrote */
	void *arg;
};

struct fw_cfg {
	struct fw_cfg_state s;
	struct space *mem;             /* for DMA; NULL: no DMA interface */
	const struct fw_cfg_item *cur; /* what s.key selects, or NULL */
	struct fw_cfg_item item[FW_CFG_ITEMS];
	unsigned items, files;
	u8 dir[4 + FW_CFG_FILES * 64]; /* the file directory as the guest reads it */
	struct {
		u8 id[4], ram_size[8], cpus[2], max_cpus[2], zero[4];
	} fixed;
};

extern const struct region_ops fw_cfg_ops;     /* ports 510h-511h */
extern const struct region_ops fw_cfg_dma_ops; /* ports 514h-51Bh */
#define FW_CFG_FIELDS 4
extern const struct field fw_cfg_fields[FW_CFG_FIELDS];

/* Adds signature, ID, RAM size, CPU counts and the file directory. The struct must not move afterwards. */
void fw_cfg_init(struct fw_cfg *f, struct space *mem, u64 ram_size, unsigned cpus, unsigned max_cpus);
void fw_cfg_reset(struct fw_cfg *f);
void fw_cfg_post_load(struct fw_cfg *f);
/* False when the name is too long or taken, or there is no room. */
bool fw_cfg_add_file(struct fw_cfg *f, const char *name, const void *data, u32 size, struct error *err);
/* An item without a name; replaces one of the same key. */
bool fw_cfg_add_item(struct fw_cfg *f, u16 key, const void *data, u32 size, struct error *err);
/* An item that the guest writes, from its beginning and at once: written hears of it. */
bool fw_cfg_add_writable(struct fw_cfg *f, u16 key, void *room, u32 size, void (*written)(void *arg, u32 size),
			 void *arg, struct error *err);

#endif
