/*
 * The power management function of the PIIX4 (function 3 of slot 1, as on QEMU's pc): where the ACPI registers are
 * (PMBA), whether a write to B2h raises an SMI, and the SMBus host, to which no device is attached. The ACPI registers
 * themselves are in acpi_pm.h. Manual: Intel 82371AB (PIIX4) 7.1 (configuration), 7.3 (SMBus).
 */
#ifndef DEVICES_PIIX4_PM_H
#define DEVICES_PIIX4_PM_H

#include "devices/pci.h"

#define PIIX4_SMBUS_PORTS 16

/* Saved. */
struct piix4_pm_state {
	u8 status, control, command, address, data0, data1; /* of the SMBus host */
	u8 block_index;
	u8 pad;
	u8 block[32];
};

struct piix4_pm {
	struct piix4_pm_state s;
	struct pci_device pci;
	void (*place)(void *arg); /* what the functions below return may have changed */
	void *arg;
};

extern const struct region_ops piix4_smbus_ops;
#define PIIX4_PM_FIELDS 9
extern const struct field piix4_pm_fields[PIIX4_PM_FIELDS];

void piix4_pm_init(struct piix4_pm *p);
void piix4_pm_reset(struct piix4_pm *p);
void piix4_pm_post_load(struct piix4_pm *p);
/* The port where the ACPI registers, and the SMBus host, are; 0: nowhere. */
u16 piix4_pm_base(const struct piix4_pm *p);
u16 piix4_smbus_base(const struct piix4_pm *p);
/* Does a write to B2h raise an SMI? */
bool piix4_pm_smi_enabled(const struct piix4_pm *p);

#endif
