/*
 * MSI-X of a PCI function: its capability, its table of messages and the pending bits, which lie in one 4 KB memory
 * BAR: table at 0, pending bits at 800h. The device gives that BAR its own region_ops and calls pci_msix_read and
 * pci_msix_write. Manual: PCI Local Bus Specification 3.0, 6.8.2 (structures), 6.8.3 (operation).
 */
#ifndef DEVICES_PCI_MSIX_H
#define DEVICES_PCI_MSIX_H

#include "devices/pci.h"

#define PCI_MSIX_MAX      8
#define PCI_MSIX_BAR_SIZE 4096u

/* Saved. */
struct pci_msix_state {
	u32 entry[PCI_MSIX_MAX * 4]; /* address, upper address, data, vector control */
	u32 pending;
	u8 pad[4];
};

struct pci_msix {
	struct pci_msix_state s;
	struct pci_device *pci;
	unsigned cap, vectors;
};

#define PCI_MSIX_FIELDS 3
extern const struct field pci_msix_fields[PCI_MSIX_FIELDS];

/* Adds the capability (12 bytes) at off in configuration space; n messages, in BAR bar, which the caller makes. */
void pci_msix_init(struct pci_msix *m, struct pci_device *d, unsigned off, unsigned bar, unsigned n);
void pci_msix_reset(struct pci_msix *m);
bool pci_msix_on(const struct pci_msix *m);
/* Sends message n, or makes it pending while masked. Nothing while MSI-X is off, or for an n that does not exist. */
void pci_msix_send(struct pci_msix *m, unsigned n);
/* Configuration space was written: what is no longer masked goes out. */
void pci_msix_changed(struct pci_msix *m);
/* Accesses of the BAR: 4 bytes, aligned. */
u32 pci_msix_read(const struct pci_msix *m, u64 off);
void pci_msix_write(struct pci_msix *m, u64 off, u32 val);

#endif
