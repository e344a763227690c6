/* The ACPI and SMBIOS tables of this board: what acpi_tables.h and smbios.h want to know of it. */
#ifndef LOADER_PC_ACPI_H
#define LOADER_PC_ACPI_H

#include "loader/acpi_tables.h"
#include "loader/smbios.h"
#include "machine/pc.h"

void pc_acpi_config(const struct pc *pc, struct acpi_config *c);
void pc_smbios_config(const struct pc *pc, struct smbios_config *c);

#endif
