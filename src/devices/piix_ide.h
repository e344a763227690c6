/*
 * The IDE function of the PIIX3: two ATA channels at the compatibility ports and interrupts 14 and 15, and their bus
 * masters behind BAR 4. Manuals: Intel 82371SB 2.3, SFF-8038i 1.0 (bus master programming).
 */
#ifndef DEVICES_PIIX_IDE_H
#define DEVICES_PIIX_IDE_H

#include "devices/ata.h"
#include "devices/pci.h"

struct piix_ide {
	struct pci_device pci;
	struct ata_channel channel[2];
	struct piix_ide_end {
		struct piix_ide *ide;
		unsigned n;
	} end[2]; /* arguments of the channels' calls */
};

void piix_ide_init(struct piix_ide *p, struct sched *sched, u32 timer_id); /* and the next id */
void piix_ide_reset(struct piix_ide *p);
void piix_ide_post_load(struct piix_ide *p);

#endif
