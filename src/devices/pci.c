/* See pci.h. Building and life of a function, its base addresses, its interrupts, DMA. Configuration accesses:
 * pci_config.c. */
#include "devices/pci.h"

#include "devices/msi.h"
#include "devices/pci_config.h"

enum { QEMU_VENDOR = 0x1af4, QEMU_SUBSYSTEM = 0x1100, CAP_MSI = 5 };
enum { BAR_IO = 1, BAR_64 = 4, BAR_PREFETCH = 8, ROM_ENABLE = 1 };

const struct field pci_fields[PCI_FIELDS] = {
	{"config", offsetof(struct pci_state, config), PCI_CONFIG_SIZE, 1, FMT_BYTES, 0},
	FIELD_DEC(struct pci_state, intx),
	FIELD_(struct pci_state, pad, FMT_PAD, 0),
};

/* ---- building ---- */

void pci_set(struct pci_device *d, unsigned off, unsigned size, u32 val, u32 writable)
{
	store_le(d->initial + off, size, val);
	store_le(d->writable + off, size, writable);
}

void pci_init(struct pci_device *d, const char *name, const struct pci_id *id, void *dev)
{
	memset(d, 0, sizeof *d);
	d->name = name;
	d->dev = dev;
	d->next_cap_link = PCI_CAPABILITIES;
	pci_set(d, PCI_VENDOR, 2, id->vendor, 0);
	pci_set(d, PCI_DEVICE_ID, 2, id->device, 0);
	pci_set(d, PCI_COMMAND, 2, 0, PCI_CMD_IO | PCI_CMD_MEMORY | PCI_CMD_MASTER | PCI_CMD_SERR | PCI_CMD_NO_INTX);
	pci_set(d, PCI_REVISION, 4, id->revision | id->class_code << 8, 0);
	pci_set(d, 0x0c, 1, 0, 0xff); /* cache line size */
	pci_set(d, PCI_HEADER_TYPE, 1, id->multifunction ? 0x80 : 0, 0);
	pci_set(d, PCI_SUBSYSTEM_VENDOR, 2, id->subsystem_vendor ? id->subsystem_vendor : QEMU_VENDOR, 0);
	pci_set(d, PCI_SUBSYSTEM, 2, id->subsystem_vendor ? id->subsystem : QEMU_SUBSYSTEM, 0);
	pci_set(d, PCI_INTERRUPT_LINE, 1, 0, 0xff);
	pci_set(d, PCI_INTERRUPT_PIN, 1, id->pin, 0);
	store_le(d->clearable + PCI_STATUS, 2, 0xf900);
	memcpy(d->s.config, d->initial, sizeof d->initial);
}

static unsigned bar_offset(unsigned n) { return n == PCI_ROM ? PCI_ROM_BAR : PCI_BAR0 + 4 * n; }

void pci_specific(struct pci_device *d) { memset(d->writable + 0x40, 0xff, PCI_CONFIG_SIZE - 0x40); }

/* 6.2.5.1: the bits below the size read as 0, so that software finds it by writing ones. */
static void bar_registers(struct pci_device *d, unsigned n, unsigned kind, u64 size)
{
	unsigned off = bar_offset(n), space = kind & 0xf;
	u32 type = space == PCI_IO ? BAR_IO
				   : (space == PCI_MEMORY64 ? BAR_64 : 0) | (kind & PCI_PREFETCH ? BAR_PREFETCH : 0);
	u64 mask = ~(size - 1);

	if (n == PCI_ROM)
		pci_set(d, off, 4, 0, (u32)mask | ROM_ENABLE);
	else
		pci_set(d, off, 4, type, (u32)mask & (space == PCI_IO ? ~3u : ~0xfu));
	if (space == PCI_MEMORY64)
		pci_set(d, off + 4, 4, 0, (u32)(mask >> 32));
	d->bar[n].kind = (u8)space;
	d->bar[n].size = size;
	memcpy(d->s.config + off, d->initial + off, 4);
}

void pci_bar_device(struct pci_device *d, unsigned n, unsigned kind, u64 size, const struct region_ops *ops)
{
	bar_registers(d, n, kind, size);
	d->bar[n].ops = ops;
}

void pci_bar_ram(struct pci_device *d, unsigned n, unsigned kind, u64 size)
{
	bar_registers(d, n, kind, size);
	d->bar[n].ram = true;
}

/* 6.7 */
void pci_capability(struct pci_device *d, unsigned off, u8 id)
{
	pci_set(d, d->next_cap_link, 1, off, 0);
	pci_set(d, off, 2, id, 0);
	d->next_cap_link = (u8)(off + 1);
	d->initial[PCI_STATUS] |= PCI_STS_CAPABILITIES;
	memcpy(d->s.config, d->initial, sizeof d->initial);
}

/* ---- base addresses ---- */

static bool is_io(const struct pci_bar *b) { return b->kind == PCI_IO; }

/* Where BAR n answers, or all ones: nowhere. Address 0 and what was written to size the BAR are nowhere, as on QEMU. */
static u64 bar_address(const struct pci_device *d, unsigned n)
{
	const struct pci_bar *b = &d->bar[n];
	u32 low = pci_get(d, bar_offset(n), 4);
	u64 base = low & ~(is_io(b) ? 3ull : 0xfull), limit = is_io(b) ? 0xffff : 0xffffffff;

	if (!(d->s.config[PCI_COMMAND] & (is_io(b) ? PCI_CMD_IO : PCI_CMD_MEMORY)))
		return ~0ull;
	if (n == PCI_ROM) {
		base = low & ~(b->size - 1);
		if (!(low & ROM_ENABLE))
			return ~0ull;
	}
	if (b->kind == PCI_MEMORY64) {
		base |= (u64)pci_get(d, bar_offset(n) + 4, 4) << 32;
		limit = mask_low(d->bus->mem->bits);
	}
	if (!base || base > limit || b->size - 1 >= limit - base)
		return ~0ull;
	return base;
}

static void bar_map(struct pci_device *d, unsigned n)
{
	struct pci_bar *b = &d->bar[n];
	struct space *s = is_io(b) ? d->bus->io : d->bus->mem;
	u64 base = bar_address(d, n);

	if (base == ~0ull) {
		region_enable(s, b->region, false);
	} else {
		region_move(s, b->region, base);
		region_enable(s, b->region, true);
	}
}

void pci_bars_map(struct pci_device *d)
{
	for (unsigned n = 0; d->bus && n < PCI_BARS; n++)
		if (d->bar[n].region)
			bar_map(d, n);
}

/* ---- the bus ---- */

void pci_bus_init(struct pci_bus *b, struct space *mem, struct space *io)
{
	*b = (struct pci_bus){.mem = mem, .io = io};
}

struct pci_device *pci_at(const struct pci_bus *b, u8 devfn)
{
	for (unsigned i = 0; i < b->functions; i++)
		if (b->function[i]->devfn == devfn)
			return b->function[i];
	return NULL;
}

static bool bar_region(struct pci_bus *b, struct pci_device *d, unsigned n, struct error *err)
{
	struct pci_bar *bar = &d->bar[n];
	struct space *s = is_io(bar) ? b->io : b->mem;

	if (!bar->size)
		return true;
	/* made where nothing is: it moves when software places it */
	if (bar->ram)
		bar->region =
			space_add_ram(s, d->name, BIT(51), (bar->size + PAGE_SIZE - 1) & PAGE_MASK, n == PCI_ROM, err);
	else
		bar->region = space_add_device(s, is_io(bar) ? 0xfff0 : BIT(51), bar->size, bar->ops, d->dev);
	if (region_under(s, bar->region))
		return true;
	return error_set(err, "%s: no room for the region of BAR %u", d->name, n);
}

bool pci_add(struct pci_bus *b, struct pci_device *d, u8 devfn, struct error *err)
{
	if (b->functions == PCI_FUNCTIONS || pci_at(b, devfn))
		return error_set(err, "%s: no place on the PCI bus at %02x.%u", d->name, devfn >> 3, devfn & 7);
	for (unsigned n = 0; n < PCI_BARS; n++)
		if (!bar_region(b, d, n, err))
			return false;
	d->bus = b;
	d->devfn = devfn;
	b->function[b->functions++] = d;
	return true;
}

/* ---- life ---- */

void pci_reset(struct pci_device *d)
{
	memcpy(d->s.config, d->initial, sizeof d->initial);
	pci_intx(d, false);
	pci_bars_map(d);
	if (d->changed)
		d->changed(d->dev, 0, PCI_CONFIG_SIZE);
}

void pci_post_load(struct pci_device *d)
{
	pci_bars_map(d);
	if (d->changed)
		d->changed(d->dev, 0, PCI_CONFIG_SIZE);
	if (d->bus && d->bus->intx)
		d->bus->intx(d->bus->arg);
}

/* ---- interrupts ---- */

void pci_intx(struct pci_device *d, bool level)
{
	d->s.intx = level;
	d->s.config[PCI_STATUS] = (u8)((d->s.config[PCI_STATUS] & ~PCI_STS_INTX) | (level ? PCI_STS_INTX : 0));
	if (d->bus && d->bus->intx)
		d->bus->intx(d->bus->arg);
}

static bool pin_up(const struct pci_device *d)
{
	return d->s.intx && !(pci_get(d, PCI_COMMAND, 2) & PCI_CMD_NO_INTX) && !pci_msi_on(d);
}

bool pci_link_level(const struct pci_bus *b, unsigned link)
{
	for (unsigned i = 0; i < b->functions; i++) {
		const struct pci_device *d = b->function[i];
		unsigned pin = d->initial[PCI_INTERRUPT_PIN];

		if (pin && pin_up(d) && ((d->devfn >> 3) + pin - 2u) % 4 == link)
			return true;
	}
	return false;
}

/* 6.8.1: control at 2, address at 4 and 8, data at 0Ch, mask bits at 10h, pending bits at 14h. */
enum { MSI_ENABLE = 1, MSI_64 = 0x80, MSI_MASKS = 0x100 };

void pci_msi(struct pci_device *d, unsigned off, unsigned messages, bool masks)
{
	unsigned log2 = (unsigned)__builtin_ctz(messages);

	pci_capability(d, off, CAP_MSI);
	pci_set(d, off + 2, 2, MSI_64 | (masks ? MSI_MASKS : 0) | log2 << 1, 0x70 | MSI_ENABLE);
	pci_set(d, off + 4, 4, 0, ~3u);
	pci_set(d, off + 8, 4, 0, ~0u);
	pci_set(d, off + 12, 2, 0, 0xffff);
	if (masks) {
		pci_set(d, off + 16, 4, 0, (u32)mask_low(messages));
		pci_set(d, off + 20, 4, 0, 0);
	}
	d->msi = (u8)off;
	memcpy(d->s.config, d->initial, sizeof d->initial);
}

bool pci_msi_on(const struct pci_device *d) { return d->msi && d->s.config[d->msi + 2] & MSI_ENABLE; }

static bool msi_masked(const struct pci_device *d, unsigned n)
{
	return pci_get(d, d->msi + 2u, 2) & MSI_MASKS && pci_get(d, d->msi + 16u, 4) >> n & 1;
}

static void msi_pending(struct pci_device *d, unsigned n, bool on)
{
	u32 p = pci_get(d, d->msi + 20u, 4);

	store_le(d->s.config + d->msi + 20, 4, on ? p | 1u << n : p & ~(1u << n));
}

/* 6.8.3.4: with several messages enabled the low bits of the data are the message's number. */
void pci_msi_send(struct pci_device *d, unsigned n)
{
	unsigned control, enabled;
	u64 addr;

	if (!pci_msi_on(d) || !(d->s.config[PCI_COMMAND] & PCI_CMD_MASTER))
		return;
	control = pci_get(d, d->msi + 2u, 2);
	enabled = control >> 4 & 7;
	enabled = 1u << (enabled < (control >> 1 & 7) ? enabled : control >> 1 & 7);
	n &= enabled - 1;
	if (msi_masked(d, n)) {
		msi_pending(d, n, true);
		return;
	}
	addr = pci_get(d, d->msi + 4u, 4) | (u64)pci_get(d, d->msi + 8u, 4) << 32;
	d->bus->message(d->bus->arg, addr, (pci_get(d, d->msi + 12u, 2) & ~(enabled - 1)) | n);
}

/* Messages that became pending while masked go out when they are unmasked. */
void pci_msi_unmask(struct pci_device *d)
{
	u32 pending;

	if (!pci_msi_on(d) || !(pci_get(d, d->msi + 2u, 2) & MSI_MASKS))
		return;
	pending = pci_get(d, d->msi + 20u, 4);
	for (unsigned n = 0; n < 32; n++) {
		if (!(pending >> n & 1) || msi_masked(d, n))
			continue;
		msi_pending(d, n, false);
		pci_msi_send(d, n);
	}
}

/* ---- DMA ---- */

bool pci_dma_read(struct pci_device *d, u64 pa, void *buf, size_t n)
{
	if (!(d->s.config[PCI_COMMAND] & PCI_CMD_MASTER)) {
		memset(buf, 0xff, n);
		return false;
	}
	space_dma_read(d->bus->mem, d->name, pa, buf, n);
	return true;
}

bool pci_dma_write(struct pci_device *d, u64 pa, const void *buf, size_t n)
{
	if (!(d->s.config[PCI_COMMAND] & PCI_CMD_MASTER))
		return false;
	if (n == 4 && msi_address(pa))
		d->bus->message(d->bus->arg, pa, (u32)load_le(buf, 4));
	else
		space_dma_write(d->bus->mem, d->name, pa, buf, n);
	return true;
}
