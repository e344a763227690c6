/*
 * The ACPI tables of the PC board: RSDP, RSDT, XSDT, FADT, FACS, DSDT (firmware/acpi/dsdt.asl), SSDT, MADT, HPET. The
 * same tables are written into guest memory when no firmware runs, and handed to firmware with a script of how to place
 * them. Manual: ACPI specification 6.4, 5.2 (tables), 5.3 and 20 (AML).
 */
#ifndef LOADER_ACPI_TABLES_H
#define LOADER_ACPI_TABLES_H

#include "base/error.h"
#include "mmu/space.h"

#define ACPI_TABLES_SIZE 0x10000u /* enough for 255 CPUs */

struct acpi_config {
	u32 tables; /* where: ACPI_TABLES_SIZE bytes that the memory map reserves; 64-byte aligned */
	u32 rsdp;   /* in E0000h..FFFFFh, a multiple of 16; RAM or ROM */
	unsigned cpus;
	const u32 *apic_ids;     /* of each CPU; NULL: 0, 1, 2, ... */
	u32 lapic, ioapic, hpet; /* addresses; hpet 0: none */
	u8 ioapic_id;
	u8 sci_irq;
	u16 level_irqs;                   /* ISA interrupts that are level-triggered, active high */
	u16 pm1a_evt, pm1a_cnt, pm_timer; /* ports: 4, 2 and 4 bytes */
	u16 gpe0;                         /* port, 0: none */
	u8 gpe0_len;
	u16 smi_cmd; /* port; 0: no SMI, always in ACPI mode */
	u8 acpi_enable, acpi_disable;
	u16 reset_port; /* 0: none */
	u8 reset_value;
	u32 pci_memory, pci_memory_end; /* window of PCI memory, inclusive */
};

#define ACPI_RSDP_SIZE 36

/* All tables as one block. Pointers between them are offsets in it, which whoever places it makes addresses; then all
 * checksums are due. */
struct acpi_tables {
	u8 block[ACPI_TABLES_SIZE], rsdp[ACPI_RSDP_SIZE];
	u32 size;
	struct {
		u32 at;
		u8 size;
	} pointer[32];
	struct {
		u32 start, size; /* the checksum is at start + 9 */
	} table[16];
	unsigned pointers, tables;
};
/* Where RSDP has its two pointers (4 and 8 bytes) and checksums (over 20 and 36 bytes). */
enum { ACPI_RSDP_RSDT = 16, ACPI_RSDP_XSDT = 24, ACPI_RSDP_SUM = 8, ACPI_RSDP_SUM_LONG = 32 };

/* The values of a PIIX4 at QEMU's ports with one CPU; tables and pci_memory (the end of low RAM) stay for the board to
 * choose. */
void acpi_config_pc(struct acpi_config *c);
/* False: too many CPUs. c->tables and c->rsdp are not used. */
bool acpi_tables_build(struct acpi_tables *t, const struct acpi_config *c, struct error *err);
/* Builds, places and writes them. False: bad addresses, no memory there, too many CPUs. */
bool acpi_tables_write(struct space *mem, const struct acpi_config *c, struct error *err);

/* The files for firmware: "etc/acpi/tables" is block, "etc/acpi/rsdp" is rsdp, and the script, 128 bytes a command, is
 * "etc/table-loader". Returns its size. */
#define ACPI_SCRIPT_SIZE (64u * 128)
u32 acpi_tables_script(const struct acpi_tables *t, u8 *script);

#endif
