/* See pc_acpi.h. */
#include "loader/pc_acpi.h"

#include "cpu_x86/system.h"

void pc_acpi_config(const struct pc *pc, struct acpi_config *c)
{
	acpi_config_pc(c);
	c->tables = (u32)pc->ram_low - ACPI_TABLES_SIZE;
	c->cpus = pc->cfg.cpus;
	c->pm1a_evt = PC_ACPI_PM + ACPI_PM1A_EVT;
	c->pm1a_cnt = PC_ACPI_PM + ACPI_PM1A_CNT;
	c->pm_timer = PC_ACPI_PM + ACPI_PM_TMR;
	c->gpe0 = PC_ACPI_GPE;
	c->gpe0_len = ACPI_GPE_PORTS;
	c->pci_memory = (u32)pc->ram_low;
}

void pc_smbios_config(const struct pc *pc, struct smbios_config *c)
{
	u32 leaf[4];

	x86_cpuid(&pc->cpu[0].x86, 1, 0, leaf);
	*c = (struct smbios_config){.cpus = pc->cfg.cpus,
				    .ram_low = pc->ram_low,
				    .ram_high = pc->ram_high,
				    .processor_id = {leaf[CPUID_EAX], leaf[CPUID_EDX]}};
}
