/* What a BIOS does to the functions on the PCI bus, for boots without one: base addresses, decoding, interrupt lines.
 */
#ifndef LOADER_PCI_SETUP_H
#define LOADER_PCI_SETUP_H

#include "base/error.h"
#include "devices/pci.h"

struct pci_windows {
	u32 memory, memory_end; /* end: the byte behind */
	u32 io, io_end;
	u8 link_irq[4]; /* the interrupts of links A-D */
};

/* Registers only, as software sees them. Expansion ROMs stay off. False: a window is too small. */
bool pci_setup(struct pci_bus *b, const struct pci_windows *w, struct error *err);

#endif
