/* See pci_setup.h. PCI Local Bus Specification 3.0, 6.2.5.1: a base address register tells its size when ones were
 * written to it. */
#include "loader/pci_setup.h"

enum { BAR_IO = 1, BAR_64 = 4 };

/* The bytes that a BAR decodes, 0: there is none. */
static u32 bar_size(struct pci_device *d, unsigned off)
{
	u32 old = pci_config_read(d, off, 4), mask;

	pci_config_write(d, off, 4, 0xffffffff);
	mask = pci_config_read(d, off, 4);
	pci_config_write(d, off, 4, old);
	mask &= mask & BAR_IO ? ~3u : ~15u;
	return mask & (0 - mask);
}

static bool place(u32 *next, u32 end, u32 size, u32 *at)
{
	u64 base = ((u64)*next + size - 1) & ~((u64)size - 1);

	if (base + size > end)
		return false;
	*at = (u32)base;
	*next = (u32)(base + size);
	return true;
}

static bool setup_bars(struct pci_device *d, struct pci_windows *w, struct error *err)
{
	for (unsigned n = 0; n < 6; n++) {
		unsigned off = PCI_BAR0 + 4 * n;
		u32 bar = pci_config_read(d, off, 4), size = bar_size(d, off), at = 0;
		bool ok = !size || (bar & BAR_IO ? place(&w->io, w->io_end, size, &at)
						 : place(&w->memory, w->memory_end, size, &at));

		if (!ok)
			return error_set(err, "%s: BAR %u: no room for 0x%x bytes on the PCI bus", d->name, n, size);
		if (size)
			pci_config_write(d, off, 4, at);
		if (!(bar & BAR_IO) && bar & BAR_64)
			n++; /* the upper half stays 0 */
	}
	return true;
}

static void setup_rest(struct pci_device *d, const struct pci_windows *w)
{
	u32 pin = pci_config_read(d, PCI_INTERRUPT_PIN, 1), command = pci_config_read(d, PCI_COMMAND, 2);

	if (pin && !pci_config_read(d, PCI_INTERRUPT_LINE, 1))
		pci_config_write(d, PCI_INTERRUPT_LINE, 1, w->link_irq[((d->devfn >> 3) + pin - 2) % 4]);
	pci_config_write(d, PCI_COMMAND, 2, command | PCI_CMD_IO | PCI_CMD_MEMORY | PCI_CMD_MASTER);
}

bool pci_setup(struct pci_bus *b, const struct pci_windows *w, struct error *err)
{
	struct pci_windows left = *w;

	for (unsigned i = 0; i < b->functions; i++) {
		if (!setup_bars(b->function[i], &left, err))
			return false;
		setup_rest(b->function[i], w);
	}
	return true;
}
