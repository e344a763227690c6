/* See piix4_pm.h. */
#include "devices/piix4_pm.h"

enum { REG_PMBA = 0x40, REG_DEVACTB = 0x58, REG_PMREGMISC = 0x80, REG_SMBBA = 0x90, REG_SMBHSTCFG = 0xd2 };
enum { APMC_EN = 1 << 25, PMIOSE = 1, SMB_HST_EN = 1 };

/* SMBus host registers (7.3) */
enum {
	HST_STATUS = 0,
	HST_CONTROL = 2,
	HST_COMMAND = 3,
	HST_ADDRESS = 4,
	HST_DATA0 = 5,
	HST_DATA1 = 6,
	BLOCK_DATA = 7
};
enum { STS_DEV_ERR = 4, STS_CLEARABLE = 0x1e };
enum { CNT_START = 0x40 };

const struct field piix4_pm_fields[PIIX4_PM_FIELDS] = {
	FIELD_HEX(struct piix4_pm_state, status),      FIELD_HEX(struct piix4_pm_state, control),
	FIELD_HEX(struct piix4_pm_state, command),     FIELD_HEX(struct piix4_pm_state, address),
	FIELD_HEX(struct piix4_pm_state, data0),       FIELD_HEX(struct piix4_pm_state, data1),
	FIELD_DEC(struct piix4_pm_state, block_index), FIELD_(struct piix4_pm_state, pad, FMT_PAD, 0),
	FIELD_BYTES(struct piix4_pm_state, block),
};

/* ---- SMBus: every address is answered by nobody ---- */

static u64 smbus_peek(const void *dev, u64 off, unsigned size)
{
	const struct piix4_pm_state *s = &((const struct piix4_pm *)dev)->s;

	(void)size;
	switch (off) {
	case HST_STATUS: return s->status;
	case HST_CONTROL: return s->control;
	case HST_COMMAND: return s->command;
	case HST_ADDRESS: return s->address;
	case HST_DATA0: return s->data0;
	case HST_DATA1: return s->data1;
	case BLOCK_DATA: return s->block[s->block_index % sizeof s->block];
	default: return 0;
	}
}

static void block_next(struct piix4_pm_state *s) { s->block_index = (u8)((s->block_index + 1) % sizeof s->block); }

/* Reading the control register begins the block anew (7.3.3). */
static u64 smbus_read(void *dev, u64 off, unsigned size)
{
	struct piix4_pm_state *s = &((struct piix4_pm *)dev)->s;
	u64 val = smbus_peek(dev, off, size);

	if (off == HST_CONTROL)
		s->block_index = 0;
	else if (off == BLOCK_DATA)
		block_next(s);
	return val;
}

static void smbus_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct piix4_pm_state *s = &((struct piix4_pm *)dev)->s;
	u8 b = (u8)val;

	(void)size;
	switch (off) {
	case HST_STATUS: s->status &= (u8) ~(b & STS_CLEARABLE); break;
	case HST_CONTROL:
		s->control = b & (u8)~CNT_START;
		if (b & CNT_START)
			s->status |= STS_DEV_ERR;
		break;
	case HST_COMMAND: s->command = b; break;
	case HST_ADDRESS: s->address = b; break;
	case HST_DATA0: s->data0 = b; break;
	case HST_DATA1: s->data1 = b; break;
	case BLOCK_DATA:
		s->block[s->block_index % sizeof s->block] = b;
		block_next(s);
		break;
	default: break;
	}
}

const struct region_ops piix4_smbus_ops = {"smbus", smbus_read, smbus_write, smbus_peek, 1, 1};

/* ---- configuration space ---- */

u16 piix4_pm_base(const struct piix4_pm *p)
{
	return p->pci.s.config[REG_PMREGMISC] & PMIOSE ? (u16)(pci_get(&p->pci, REG_PMBA, 2) & 0xffc0) : 0;
}

u16 piix4_smbus_base(const struct piix4_pm *p)
{
	return p->pci.s.config[REG_SMBHSTCFG] & SMB_HST_EN ? (u16)(pci_get(&p->pci, REG_SMBBA, 2) & 0xfff0) : 0;
}

bool piix4_pm_smi_enabled(const struct piix4_pm *p) { return pci_get(&p->pci, REG_DEVACTB, 4) & APMC_EN; }

static void changed(void *dev, unsigned off, unsigned size)
{
	struct piix4_pm *p = dev;

	if (off + size > REG_PMBA && p->place)
		p->place(p->arg);
}

void piix4_pm_init(struct piix4_pm *p)
{
	static const struct pci_id id = {
		.vendor = 0x8086, .device = 0x7113, .class_code = 0x068000, .revision = 3, .pin = 1};

	memset(p, 0, sizeof *p);
	pci_init(&p->pci, "piix4-pm", &id, p);
	pci_specific(&p->pci);
	pci_set(&p->pci, PCI_STATUS, 2, 0x0280, 0);
	pci_set(&p->pci, REG_PMBA, 4, 1, 0xffc0);
	pci_set(&p->pci, REG_SMBBA, 4, 0xb101, 0xfff0);
	pci_set(&p->pci, REG_SMBHSTCFG, 1, 0x09, 0xff);
	/* what the board's serial ports and so on look like in DEVRESx: as QEMU's */
	p->pci.initial[0x5f] = 0x90;
	p->pci.initial[0x63] = 0x60;
	p->pci.initial[0x67] = 0x98;
	p->pci.changed = changed;
}

void piix4_pm_reset(struct piix4_pm *p)
{
	p->s = (struct piix4_pm_state){0};
	pci_reset(&p->pci);
}

void piix4_pm_post_load(struct piix4_pm *p) { pci_post_load(&p->pci); }
