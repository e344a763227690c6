/* Between pci.c and pci_config.c: what follows from a write to configuration space. */
#ifndef DEVICES_PCI_CONFIG_H
#define DEVICES_PCI_CONFIG_H

#include "devices/pci.h"

/* The regions of all BARs follow the registers. */
void pci_bars_map(struct pci_device *d);
void pci_msi_unmask(struct pci_device *d);

#endif
