/* See kernel_rom.h. */
#include "loader/kernel_rom.h"

#include "loader/multiboot.h"

#include <stdlib.h>

static const u8 image[] = {
#include <kernel_rom.inc>
};
_Static_assert(sizeof image <= sizeof((struct kernel_rom *)0)->rom && sizeof image % 512 == 0,
	       "whole blocks, and room");

/* ---- the ROM's checksums ---- */

static u8 sum(const u8 *p, size_t n)
{
	u8 s = 0;

	while (n--)
		s = (u8)(s + *p++);
	return s;
}

/* Plug and Play BIOS 1.0A 3.2: the expansion header's 32 bytes, and the whole ROM, add up to 0. */
static void copy_rom(u8 *rom)
{
	u8 *pnp = rom + load_le(image + 0x1a, 2);

	memcpy(rom, image, sizeof image);
	pnp[9] = 0;
	pnp[9] = (u8)-sum(pnp, 32);
	rom[sizeof image - 1] = 0; /* padding */
	rom[sizeof image - 1] = (u8)-sum(rom, sizeof image);
}

/* ---- Linux: pieces ---- */

static bool number(struct kernel_rom *k, unsigned n, u16 key, u64 val, struct error *err)
{
	store_le(k->number[n], 4, val);
	return fw_cfg_add_item(&k->pc->fw_cfg, key, k->number[n], 4, err);
}

static bool linux_items(struct kernel_rom *k, struct error *err)
{
	struct fw_cfg *f = &k->pc->fw_cfg;
	const struct linux_image *l = &k->pieces;

	return number(k, 0, FW_CFG_SETUP_ADDR, LINUX_SETUP_ADDR, err) &&
	       number(k, 1, FW_CFG_SETUP_SIZE, l->setup_size, err) &&
	       fw_cfg_add_item(f, FW_CFG_SETUP_DATA, l->setup, (u32)l->setup_size, err) &&
	       number(k, 2, FW_CFG_CMDLINE_ADDR, LINUX_CMDLINE_ADDR, err) &&
	       number(k, 3, FW_CFG_CMDLINE_SIZE, l->cmdline_size, err) &&
	       fw_cfg_add_item(f, FW_CFG_CMDLINE_DATA, l->cmdline, (u32)l->cmdline_size, err) &&
	       number(k, 4, FW_CFG_KERNEL_ADDR, LINUX_KERNEL_ADDR, err) &&
	       number(k, 5, FW_CFG_KERNEL_SIZE, l->kernel_size, err) &&
	       fw_cfg_add_item(f, FW_CFG_KERNEL_DATA, l->kernel, (u32)l->kernel_size, err) &&
	       number(k, 6, FW_CFG_INITRD_ADDR, l->initrd_addr, err) &&
	       number(k, 7, FW_CFG_INITRD_SIZE, l->initrd_size, err) &&
	       fw_cfg_add_item(f, FW_CFG_INITRD_DATA, l->initrd, (u32)l->initrd_size, err);
}

/* ---- all others: when the ROM says what memory there is ---- */

static void take_map(struct kernel_rom *k, u32 size)
{
	k->map.count = 0;
	for (const u8 *e = k->entries; e + 20 <= k->entries + size; e += 20)
		mem_map_add(&k->map, load_le(e, 8), load_le(e + 8, 8), (enum mem_type)load_le(e + 16, 4));
}

/* ACPI 5.2.5.1: on 16-byte boundaries in E0000h-FFFFFh. */
static u32 find_rsdp(struct space *mem)
{
	for (u32 pa = 0xe0000; pa < 0x100000; pa += 16)
		if (space_peek(mem, pa, 8) == load_le("RSD PTR ", 8))
			return pa;
	return 0;
}

static void tell_state(struct kernel_rom *k, const struct boot_state *st)
{
	const u32 rest[] = {(u32)st->ip, (u32)st->sp, st->eax, st->ebx, st->esi, st->cr3};

	store_le(k->state, 2, st->gdt_limit);
	store_le(k->state + 2, 4, st->gdt);
	store_le(k->state + 6, 2, st->long_mode);
	memcpy(k->state + 8, rest, sizeof rest);
}

static void map_written(void *arg, u32 size)
{
	struct kernel_rom *k = arg;
	struct boot_state st;

	take_map(k, size);
	k->opt.rsdp = find_rsdp(&k->pc->mem);
	if (kernel_load(&k->pc->mem, &k->opt, &st, &k->problem))
		tell_state(k, &st);
	else
		machine_stop(&k->pc->machine, STOP_IMAGE);
}

/* ---- all ---- */

static bool items(struct kernel_rom *k, bool is_linux, struct error *err)
{
	struct fw_cfg *f = &k->pc->fw_cfg;

	if (is_linux)
		return linux_items(k, err);
	return number(k, 0, FW_CFG_SETUP_SIZE, 0, err) &&
	       fw_cfg_add_writable(f, KERNEL_ROM_MAP, k->entries, sizeof k->entries, map_written, k, err) &&
	       fw_cfg_add_item(f, KERNEL_ROM_STATE, k->state, sizeof k->state, err);
}

bool kernel_rom_init(struct kernel_rom *k, struct pc *pc, const struct boot_options *opt, struct error *err)
{
	u8 *file;
	size_t size;
	bool is_linux;

	memset(k, 0, sizeof *k);
	k->pc = pc;
	k->opt = *opt;
	copy_rom(k->rom);
	if (!boot_read_file(opt->kernel, &file, &size, err))
		return false;
	is_linux = linux_is(file, size);
	if (!is_linux)
		free(file); /* read again when it is loaded */
	else if (!linux_image_open(&k->pieces, opt, file, size, err))
		return false;
	k->opt.map = &k->map;
	return items(k, is_linux, err) && fw_cfg_add_file(&pc->fw_cfg, KERNEL_ROM_FILE, k->rom, sizeof image, err);
}

void kernel_rom_free(struct kernel_rom *k) { linux_image_close(&k->pieces); }
