/* See pci_msix.h. */
#include "devices/pci_msix.h"

enum { CAP_MSIX = 0x11, PENDING = 0x800 };
enum { ENABLE = 0x8000, MASK_ALL = 0x4000, ENTRY_MASKED = 1 };

const struct field pci_msix_fields[PCI_MSIX_FIELDS] = {
	FIELD_ARRAY(struct pci_msix_state, entry),
	FIELD_HEX(struct pci_msix_state, pending),
	FIELD_(struct pci_msix_state, pad, FMT_PAD, 0),
};

void pci_msix_init(struct pci_msix *m, struct pci_device *d, unsigned off, unsigned bar, unsigned n)
{
	*m = (struct pci_msix){.pci = d, .cap = off, .vectors = n};
	pci_set(d, off + 2, 2, n - 1, ENABLE | MASK_ALL);
	pci_set(d, off + 4, 4, bar, 0);
	pci_set(d, off + 8, 4, PENDING | bar, 0);
	pci_capability(d, off, CAP_MSIX);
	pci_msix_reset(m);
}

/* 6.8.2.9: all vectors are masked after reset. */
void pci_msix_reset(struct pci_msix *m)
{
	memset(&m->s, 0, sizeof m->s);
	for (unsigned i = 0; i < PCI_MSIX_MAX; i++)
		m->s.entry[4 * i + 3] = ENTRY_MASKED;
}

static u32 control(const struct pci_msix *m) { return pci_get(m->pci, m->cap + 2, 2); }

bool pci_msix_on(const struct pci_msix *m) { return control(m) & ENABLE; }

void pci_msix_send(struct pci_msix *m, unsigned n)
{
	const u32 *e = &m->s.entry[4 * (n % PCI_MSIX_MAX)];
	struct pci_bus *bus = m->pci->bus;

	if (n >= m->vectors || !pci_msix_on(m))
		return;
	if (control(m) & MASK_ALL || e[3] & ENTRY_MASKED)
		m->s.pending |= 1u << n;
	else if (pci_get(m->pci, PCI_COMMAND, 2) & PCI_CMD_MASTER)
		bus->message(bus->arg, e[0] | (u64)e[1] << 32, e[2]);
}

void pci_msix_changed(struct pci_msix *m)
{
	u32 pending = m->s.pending;

	if (!pci_msix_on(m))
		return;
	m->s.pending = 0;
	for (unsigned n = 0; n < m->vectors; n++)
		if (pending >> n & 1)
			pci_msix_send(m, n);
}

u32 pci_msix_read(const struct pci_msix *m, u64 off)
{
	if (off < m->vectors * 16u)
		return m->s.entry[off / 4];
	return off == PENDING ? m->s.pending : 0;
}

void pci_msix_write(struct pci_msix *m, u64 off, u32 val)
{
	static const u32 writable[4] = {~3u, ~0u, ~0u, ENTRY_MASKED};

	if (off >= m->vectors * 16u)
		return;
	m->s.entry[off / 4] = val & writable[off / 4 % 4];
	if (off % 16 == 12)
		pci_msix_changed(m);
}
