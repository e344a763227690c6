/*
 * The ACPI tables of the PC board, written into guest memory when no firmware runs that would build them: RSDP, RSDT,
 * XSDT, FADT, FACS, DSDT, MADT, HPET. Manual: ACPI specification 6.4, 5.2 (tables), 5.3 and 20 (AML), 7.4 (sleep
 * states).
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
	bool s3;
	u8 s3_type, s5_type;            /* SLP_TYP in PM1a_CNT */
	u32 pci_memory, pci_memory_end; /* window of PCI memory, inclusive; end 0: no PCI bus */
	u8 pci_irq[4];                  /* interrupts (GSI) of PIRQ A..D, as the PIIX3 was programmed */
};

/* The values of a PIIX4 at QEMU's ports with one CPU; tables and pci_memory (the end of low RAM) stay for the board to
 * choose. */
void acpi_config_pc(struct acpi_config *c);
/* Writes all tables. False: bad addresses, no memory there, too many CPUs. */
bool acpi_tables_write(struct space *mem, const struct acpi_config *c, struct error *err);
/* Only the DSDT, without touching memory: its size, or 0 if it does not fit (tests, and iasl by hand). */
size_t acpi_dsdt(const struct acpi_config *c, u8 *buf, size_t size);

#endif
