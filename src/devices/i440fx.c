/* See i440fx.h. SMRAM: once D_LCK is set, D_OPEN is 0 and neither can change until a reset. */
#include "devices/i440fx.h"

#include "devices/report.h"

enum { REG_DRB = 0x60, REG_PAM = 0x59, REG_SMRAM = 0x72 };
enum { D_OPEN = 0x40, D_CLS = 0x20, D_LCK = 0x10, G_SMRAME = 0x08, C_BASE_SEG = 0x02 };

const struct i440fx_segment i440fx_segment[I440FX_SEGMENTS] = {
	{0xf0000, 0x10000}, {0xc0000, 0x4000}, {0xc4000, 0x4000}, {0xc8000, 0x4000}, {0xcc000, 0x4000},
	{0xd0000, 0x4000},  {0xd4000, 0x4000}, {0xd8000, 0x4000}, {0xdc000, 0x4000}, {0xe0000, 0x4000},
	{0xe4000, 0x4000},  {0xe8000, 0x4000}, {0xec000, 0x4000},
};

/* PAM0's high half is the first segment; then two segments in each register, low half first. */
static unsigned pam_rights(const struct i440fx *h, unsigned segment)
{
	unsigned nibble = segment + 1;

	return h->pci.s.config[REG_PAM + nibble / 2] >> (nibble & 1 ? 4 : 0) & (PAM_READ | PAM_WRITE);
}

static void pam_follow(struct i440fx *h)
{
	for (unsigned i = 0; i < I440FX_SEGMENTS; i++) {
		unsigned rights = pam_rights(h, i);

		if (!h->pam || h->told[i] == rights + 1)
			continue;
		h->told[i] = (u8)(rights + 1);
		h->pam(h->arg, i, rights);
	}
}

static void smram_follow(struct i440fx *h)
{
	u8 *r = &h->pci.s.config[REG_SMRAM];

	*r = (u8)((*r & (D_OPEN | D_CLS | D_LCK | G_SMRAME)) | C_BASE_SEG);
	if (*r & D_LCK) {
		*r &= (u8)~D_OPEN;
		h->pci.writable[REG_SMRAM] = D_CLS;
	}
	if (*r & D_CLS)
		device_unimplemented("i440fx: SMRAM.D_CLS (data accesses in SMM that go to the bus)");
	if (h->smram)
		h->smram(h->arg);
}

static void changed(void *dev, unsigned off, unsigned size)
{
	struct i440fx *h = dev;

	if (off < REG_PAM + 7 && REG_PAM < off + size)
		pam_follow(h);
	if (off <= REG_SMRAM && REG_SMRAM < off + size)
		smram_follow(h);
}

bool i440fx_smram_open(const struct i440fx *h, bool smm)
{
	u8 r = h->pci.s.config[REG_SMRAM];

	return r & D_OPEN || (smm && r & G_SMRAME);
}

void i440fx_init(struct i440fx *h, u64 ram_low)
{
	static const struct pci_id id = {.vendor = 0x8086, .device = 0x1237, .class_code = 0x060000, .revision = 2};
	u64 rows = ram_low >> 23;

	memset(h, 0, sizeof *h);
	pci_init(&h->pci, "i440fx", &id, h);
	pci_specific(&h->pci);
	for (unsigned i = 0; i < 8; i++) /* in units of 8 MB: all RAM is in the first row, as far as it can say */
		pci_set(&h->pci, REG_DRB + i, 1, rows > 0xff ? 0xff : (u32)rows, 0xff);
	pci_set(&h->pci, REG_SMRAM, 1, C_BASE_SEG, 0xff);
	h->pci.changed = changed;
}

void i440fx_reset(struct i440fx *h)
{
	h->pci.writable[REG_SMRAM] = 0xff;
	memset(h->told, 0, sizeof h->told);
	pci_reset(&h->pci);
}

void i440fx_post_load(struct i440fx *h)
{
	h->pci.writable[REG_SMRAM] = 0xff;
	memset(h->told, 0, sizeof h->told);
	pci_post_load(&h->pci);
}
