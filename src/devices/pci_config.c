/*
 * Configuration space accesses, and mechanism 1: the address port CF8h takes 4-byte writes, the data port CFCh is a
 * window of four bytes. Like QEMU's, bits 1:0 of the address are ORed to the port's offset in the window, so that both
 * ways to name a byte that are in use work. PCI Local Bus Specification 3.0, 3.2.2.3.2, 6.2.
 */
#include "devices/pci_config.h"

#define ENABLE BIT(31)

const struct field pci_ports_fields[PCI_PORTS_FIELDS] = {
	FIELD_HEX(struct pci_ports_state, address),
	FIELD_(struct pci_ports_state, pad, FMT_PAD, 0),
};

u32 pci_config_read(const struct pci_device *d, unsigned off, unsigned size)
{
	u32 val = 0;

	for (unsigned i = 0; i < size && off + i < PCI_CONFIG_SIZE; i++)
		val |= (u32)d->s.config[off + i] << i * 8;
	return val;
}

u32 pci_config_fetch(struct pci_device *d, unsigned off, unsigned size)
{
	if (d->reading)
		d->reading(d->dev, off, size);
	return pci_config_read(d, off, size);
}

static bool meets(unsigned off, unsigned size, unsigned at, unsigned n) { return off < at + n && at < off + size; }

static void follow(struct pci_device *d, unsigned off, unsigned size)
{
	if (meets(off, size, PCI_COMMAND, 2) || meets(off, size, PCI_BAR0, 24) || meets(off, size, PCI_ROM_BAR, 4))
		pci_bars_map(d);
	if (d->msi && meets(off, size, d->msi, 24))
		pci_msi_unmask(d);
	if (d->bus && d->bus->intx)
		d->bus->intx(d->bus->arg); /* the pin may be masked now, or MSI is on */
	if (d->changed)
		d->changed(d->dev, off, size);
}

void pci_config_write(struct pci_device *d, unsigned off, unsigned size, u32 val)
{
	unsigned n = 0;

	for (; n < size && off + n < PCI_CONFIG_SIZE; n++) {
		u8 *p = &d->s.config[off + n], mask = d->writable[off + n], b = (u8)(val >> n * 8);

		*p = (u8)((*p & ~mask) | (b & mask));
		*p &= (u8) ~(b & d->clearable[off + n]);
	}
	follow(d, off, n);
}

/* ---- ports ---- */

/* The function and the register that the data port's byte off names, or NULL. There is only bus 0. */
static struct pci_device *target(const struct pci_ports *p, u64 off, unsigned *reg)
{
	u32 a = p->s.address;

	*reg = (a & 0xff) | (unsigned)(off & 3);
	if (!(a & ENABLE) || a >> 16 & 0xff)
		return NULL;
	return pci_at(p->bus, (u8)(a >> 8));
}

static u64 address_peek(const void *dev, u64 off, unsigned size)
{
	(void)off;
	return ((const struct pci_ports *)dev)->s.address & mask_low(size * 8);
}

static u64 address_read(void *dev, u64 off, unsigned size) { return address_peek(dev, off, size); }

static void address_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct pci_ports *p = dev;

	if (off == 0 && size == 4)
		p->s.address = (u32)val;
}

static u64 data_peek(const void *dev, u64 off, unsigned size)
{
	unsigned reg;
	const struct pci_device *d = target(dev, off, &reg);

	return d ? pci_config_read(d, reg, size) : mask_low(size * 8);
}

static u64 data_read(void *dev, u64 off, unsigned size)
{
	unsigned reg;
	struct pci_device *d = target(dev, off, &reg);

	return d ? pci_config_fetch(d, reg, size) : mask_low(size * 8);
}

static void data_write(void *dev, u64 off, unsigned size, u64 val)
{
	unsigned reg;
	struct pci_device *d = target(dev, off, &reg);

	if (d)
		pci_config_write(d, reg, size, (u32)val);
}

const struct region_ops pci_address_ops = {"pci-address", address_read, address_write, address_peek, 1, 4};
const struct region_ops pci_data_ops = {"pci-data", data_read, data_write, data_peek, 1, 4};

void pci_ports_init(struct pci_ports *p, struct pci_bus *bus) { *p = (struct pci_ports){.bus = bus}; }
void pci_ports_reset(struct pci_ports *p) { p->s = (struct pci_ports_state){0}; }
