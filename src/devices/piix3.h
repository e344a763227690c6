/*
 * The Intel 82371SB (PIIX3) ISA bridge: function 0 of slot 1. It routes the four PCI interrupt links to ISA interrupts
 * and holds the reset control port CF9h. Manual: Intel 82371SB, 2.2.7 (PIRQRC), 2.5.x (RC). IDE and power management
 * are other functions of the chip: piix_ide.h, piix4_pm.h.
 */
#ifndef DEVICES_PIIX3_H
#define DEVICES_PIIX3_H

#include "base/irq.h"
#include "devices/pci.h"

#define PIIX3_LINKS 4

/* Saved. */
struct piix3_state {
	u8 reset_control; /* CF9h */
	u8 pad[7];
};

struct piix3 {
	struct piix3_state s;
	struct pci_device pci;
	struct irq line[16];                 /* what the links drive of the ISA interrupts */
	void (*reset)(void *arg, bool hard); /* CF9h: of the whole machine, or of the CPUs */
	void *arg;
};

extern const struct region_ops piix3_reset_ops; /* CF9h */
#define PIIX3_FIELDS 2
extern const struct field piix3_fields[PIIX3_FIELDS];

void piix3_init(struct piix3 *p);
void piix3_reset(struct piix3 *p);
void piix3_post_load(struct piix3 *p);
/* The lines follow the links: call when a PCI interrupt pin has changed. */
void piix3_route(struct piix3 *p);

#endif
