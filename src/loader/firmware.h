/*
 * A BIOS image (SeaBIOS) as the PC's firmware: its file, its place in the ROMs, and what it reads through fw_cfg: the
 * memory map, boot order and menu, CPU counts. Manual: QEMU's docs/specs/fw_cfg; SeaBIOS's docs/Runtime_config.md names
 * the files that it reads.
 */
#ifndef LOADER_FIRMWARE_H
#define LOADER_FIRMWARE_H

#include "loader/acpi_tables.h"
#include "loader/boot.h"
#include "loader/smbios.h"
#include "machine/pc.h"

#define FIRMWARE_DEFAULT  "/usr/share/seabios/bios-256k.bin"
#define FIRMWARE_VGA      "/usr/share/seabios/vgabios-stdvga.bin"
#define FIRMWARE_VARIABLE "UNDERVISOR_BIOS" /* environment: another default */
#define FIRMWARE_ORDER    512               /* bytes of the boot order */

/* What the user says about booting. */
struct firmware_options {
	const char *file;  /* -bios: path, a name in /usr/share/seabios; NULL: what FIRMWARE_VARIABLE says, or
			      FIRMWARE_DEFAULT if it is there */
	const char *order; /* -boot order=: letters a, c, d, n; NULL: as the firmware thinks */
	const char *once;  /* -boot once=: the same, until the first reset */
	bool menu;
	u16 menu_wait; /* ms */
	bool has_menu_wait;
	bool nographic; /* the firmware's console is the first serial port */
};

struct firmware {
	const char *name;
	u8 *data; /* NULL: none */
	size_t size;
	u8 *vga_data; /* the video BIOS, NULL: none */
	size_t vga_size;
	char path[256];
	const char *order_then; /* -boot order=, if once= holds before it */
	bool once, started;
	u8 e820[2 * 20];
	u8 irq0_override, states[6];
	u8 menu[2], menu_wait[2];
	struct acpi_tables acpi;
	u8 acpi_script[ACPI_SCRIPT_SIZE];
	struct smbios smbios;
	u8 nographic[2], serial_console[8];
	char order[FIRMWARE_ORDER];
};

/* Reads the image, and FIRMWARE_VGA if it is there; true without an image when there is none by default. */
bool firmware_open(struct firmware *f, const struct firmware_options *o, struct error *err);
void firmware_close(struct firmware *f);
/* Once: the fw_cfg files. first is the boot order's first entry, in SeaBIOS's words, or NULL. *f must stay where it is.
 */
bool firmware_describe(struct firmware *f, struct pc *pc, const struct firmware_options *o, const char *first,
		       struct error *err);
/* The image into the ROMs, at every power-on and reset. */
void firmware_install(struct firmware *f, struct pc *pc);

#endif
