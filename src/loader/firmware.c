/* See firmware.h. */
#include "loader/firmware.h"

#include "loader/pc_acpi.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DIRECTORY "/usr/share/seabios/"

enum { E820_SIZE = 20, S3 = 3, S4 = 4, S5 = 5, STATE_ON = 0x80 };

/* ---- the image ---- */

static bool readable(const char *path) { return access(path, R_OK) == 0; }

/* A name without a slash that is no file here is one of the package's. */
static const char *find(struct firmware *f, const char *file)
{
	if (strchr(file, '/') || readable(file))
		return file;
	snprintf(f->path, sizeof f->path, DIRECTORY "%s", file);
	return readable(f->path) ? f->path : file;
}

static bool size_ok(size_t size) { return size && size % PC_BIOS_SIZE == 0 && size <= PC_BIOS_MAX; }

bool firmware_open(struct firmware *f, const struct firmware_options *o, struct error *err)
{
	const char *file = o->file ? o->file : getenv(FIRMWARE_VARIABLE);

	memset(f, 0, sizeof *f);
	if (file && !strcmp(file, "none"))
		return true;
	f->name = file ? find(f, file) : FIRMWARE_DEFAULT;
	if (!file && !readable(f->name))
		return true;
	if (!boot_read_file(f->name, &f->data, &f->size, err))
		return false;
	if (size_ok(f->size))
		return !readable(FIRMWARE_VGA) || boot_read_file(FIRMWARE_VGA, &f->vga_data, &f->vga_size, err);
	error_set(err, "%s: %zu bytes: expected a BIOS image, a multiple of 64 KB up to 16 MB", f->name, f->size);
	firmware_close(f);
	return false;
}

void firmware_close(struct firmware *f)
{
	free(f->data);
	free(f->vga_data);
	f->data = f->vga_data = NULL;
	f->size = f->vga_size = 0;
}

/* ---- what it reads ---- */

static void e820_entry(u8 *e, u64 base, u64 size)
{
	store_le(e, 8, base);
	store_le(e + 8, 8, size);
	store_le(e + 16, 4, MEM_RAM);
}

/* The RAM as it is built in: what is in the way of it the firmware knows itself. */
static bool memory_files(struct firmware *f, struct pc *pc, struct error *err)
{
	e820_entry(f->e820, 0, pc->ram_low);
	e820_entry(f->e820 + E820_SIZE, PC_RAM_HIGH, pc->ram_high);
	return fw_cfg_add_file(&pc->fw_cfg, "etc/e820", f->e820, pc->ram_high ? 2 * E820_SIZE : E820_SIZE, err);
}

static bool board_files(struct firmware *f, struct pc *pc, struct error *err)
{
	f->irq0_override = 1; /* the PIT is on pin 2 of the I/O APIC */
	f->states[S5] = STATE_ON | ACPI_SLP_S5;
	f->states[S3] = ACPI_SLP_S3; /* not there */
	f->states[S4] = ACPI_SLP_S4;
	return fw_cfg_add_item(&pc->fw_cfg, FW_CFG_IRQ0_OVERRIDE, &f->irq0_override, 1, err) &&
	       fw_cfg_add_file(&pc->fw_cfg, "etc/system-states", f->states, sizeof f->states, err);
}

static bool acpi_files(struct firmware *f, struct pc *pc, struct error *err)
{
	struct fw_cfg *cfg = &pc->fw_cfg;
	struct acpi_config c;

	pc_acpi_config(pc, &c);
	return acpi_tables_build(&f->acpi, &c, err) &&
	       fw_cfg_add_file(cfg, "etc/acpi/rsdp", f->acpi.rsdp, sizeof f->acpi.rsdp, err) &&
	       fw_cfg_add_file(cfg, "etc/acpi/tables", f->acpi.block, f->acpi.size, err) &&
	       fw_cfg_add_file(cfg, "etc/table-loader", f->acpi_script, acpi_tables_script(&f->acpi, f->acpi_script),
			       err);
}

static bool smbios_files(struct firmware *f, struct pc *pc, struct error *err)
{
	struct smbios_config c;

	pc_smbios_config(pc, &c);
	return smbios_build(&f->smbios, &c, 0, err) &&
	       fw_cfg_add_file(&pc->fw_cfg, "etc/smbios/smbios-anchor", f->smbios.entry, SMBIOS_ENTRY_SIZE, err) &&
	       fw_cfg_add_file(&pc->fw_cfg, "etc/smbios/smbios-tables", f->smbios.table, f->smbios.size, err);
}

static bool menu_files(struct firmware *f, struct pc *pc, const struct firmware_options *o, struct error *err)
{
	store_le(f->menu, 2, o->menu);
	store_le(f->menu_wait, 2, o->menu_wait);
	return fw_cfg_add_item(&pc->fw_cfg, FW_CFG_BOOT_MENU, f->menu, 2, err) &&
	       (!o->has_menu_wait || fw_cfg_add_file(&pc->fw_cfg, "etc/boot-menu-wait", f->menu_wait, 2, err));
}

/* CMOS bytes 3Dh and 38h hold three devices to boot from: 1 floppy, 2 hard disk, 3 CD-ROM, 4 network. */
static void cmos_order(struct pc *pc, const char *letters)
{
	static const char known[] = "acdn";
	unsigned code[3] = {2, 3, 4};

	for (unsigned i = 0; letters && i < 3; i++)
		code[i] = *letters ? (unsigned)(strchr(known, *letters++) - known) + 1 : 0;
	rtc_set_cmos(&pc->rtc, 0x3d, (u8)(code[0] | code[1] << 4));
	rtc_set_cmos(&pc->rtc, 0x38, (u8)(code[2] << 4 | 1)); /* bit 0: no floppy signature check */
}

static bool console_files(struct firmware *f, struct pc *pc, const struct firmware_options *o, struct error *err)
{
	if (!o->nographic)
		return true;
	store_le(f->nographic, 2, 1);
	store_le(f->serial_console, 8, 0x3f8);
	return fw_cfg_add_item(&pc->fw_cfg, FW_CFG_NOGRAPHIC, f->nographic, 2, err) &&
	       fw_cfg_add_file(&pc->fw_cfg, "etc/sercon-port", f->serial_console, 8, err);
}

static bool order_file(struct firmware *f, struct pc *pc, const char *first, struct error *err)
{
	if (!first)
		return true;
	snprintf(f->order, sizeof f->order, "%s\n", first);
	return fw_cfg_add_file(&pc->fw_cfg, "bootorder", f->order, (u32)strlen(f->order) + 1, err);
}

void firmware_install(struct firmware *f, struct pc *pc)
{
	size_t low = f->size < 2 * PC_BIOS_SIZE ? f->size : 2 * PC_BIOS_SIZE;

	memcpy(pc->rom->host, f->data, f->size);
	memcpy(pc->isa_rom->host + PC_ROM_SIZE - low, f->data + f->size - low, low);
	if (pc->cfg.vga && f->vga_data)
		vga_rom(&pc->vga, f->vga_data, f->vga_size);
	if (f->started && f->once)
		cmos_order(pc, f->order_then);
	f->started = true;
}

bool firmware_describe(struct firmware *f, struct pc *pc, const struct firmware_options *o, const char *first,
		       struct error *err)
{
	f->order_then = o->order;
	f->once = o->once != NULL;
	cmos_order(pc, o->once ? o->once : o->order);
	return memory_files(f, pc, err) && board_files(f, pc, err) && acpi_files(f, pc, err) && smbios_files(f, pc, err) &&
	       menu_files(f, pc, o, err) && console_files(f, pc, o, err) && order_file(f, pc, first, err);
}
