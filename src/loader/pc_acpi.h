/* The ACPI tables of this board: what acpi_tables.h wants to know of it. */
#ifndef LOADER_PC_ACPI_H
#define LOADER_PC_ACPI_H

#include "loader/acpi_tables.h"
#include "machine/pc.h"

void pc_acpi_config(const struct pc *pc, struct acpi_config *c);

#endif
