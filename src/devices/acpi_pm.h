/*
 * ACPI fixed hardware: the PM1a event and control blocks, the power management timer, and the SMI command port.
 * Outputs: the SCI line (active high here), sleep and SMI callbacks.
 */
#ifndef DEVICES_ACPI_PM_H
#define DEVICES_ACPI_PM_H

#include "base/field.h"
#include "base/irq.h"
#include "base/sched.h"
#include "mmu/space.h"

#define ACPI_PM_HZ     3579545u
#define ACPI_PM_PORTS  12
#define ACPI_GPE_PORTS 4
#define ACPI_GPES      16

/* Offsets from the base port, for the FADT. */
enum { ACPI_PM1A_EVT = 0, ACPI_PM1A_CNT = 4, ACPI_PM_TMR = 8 };
/* What the FADT's ACPI_ENABLE and ACPI_DISABLE are to be; written to the SMI command port. */
enum { ACPI_ENABLE = 0xf1, ACPI_DISABLE = 0xf0 };
/* SLP_TYP values, for the DSDT's _Sx packages: as QEMU's PIIX4. */
enum { ACPI_SLP_S5 = 0, ACPI_SLP_S3 = 1, ACPI_SLP_S4 = 2 };
/* PM1 status bits. */
enum {
	ACPI_STS_TMR = 1,
	ACPI_STS_BM = 0x10,
	ACPI_STS_GBL = 0x20,
	ACPI_STS_PWRBTN = 0x100,
	ACPI_STS_SLPBTN = 0x200,
	ACPI_STS_RTC = 0x400,
	ACPI_STS_WAK = 0x8000
};

struct acpi_pm_state {
	u64 seen; /* virtual ns up to which the timer status is complete */
	u16 status, enable, control;
	u16 gpe_status, gpe_enable; /* general-purpose events 0-15 */
	u8 smi_cmd, smi_status;
	u8 pad[4];
};

struct acpi_pm {
	struct acpi_pm_state s;
	unsigned timer_bits; /* 24 or 32 */
	struct irq sci;
	void (*sleep)(void *arg, unsigned slp_typ); /* SLP_EN was written; called last in the access */
	void (*smi)(void *arg, u8 cmd);             /* the SMI command port was written */
	void *arg;                                  /* of both */
	struct timer timer;
	struct sched *sched;
};

extern const struct region_ops acpi_pm_ops;     /* base, 12 ports */
extern const struct region_ops acpi_pm_smi_ops; /* B2h, B3h */
extern const struct region_ops acpi_pm_gpe_ops; /* GPE0: 2 ports of status, 2 of enable bits */
#define ACPI_PM_FIELDS 9
extern const struct field acpi_pm_fields[ACPI_PM_FIELDS];

void acpi_pm_init(struct acpi_pm *p, struct sched *sched, u32 timer_id, unsigned timer_bits);
void acpi_pm_reset(struct acpi_pm *p);
void acpi_pm_post_load(struct acpi_pm *p);
/* The user presses the power button. */
void acpi_pm_power_button(struct acpi_pm *p);
/* Something sets status bits: ACPI_STS_WAK at the end of a sleep, ACPI_STS_RTC, ... */
void acpi_pm_set_status(struct acpi_pm *p, u16 sts);
/* General-purpose event n happens. */
void acpi_pm_gpe(struct acpi_pm *p, unsigned n);
/* The power management timer now. */
u32 acpi_pm_timer(const struct acpi_pm *p);

#endif
