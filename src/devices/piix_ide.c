/*
 * See piix_ide.h. A bus master walks its table of physical regions (address, 16-bit byte count, bit 31 of the second
 * word ends it) when its drive has data and its start bit is set; all data of a command moves at once.
 */
#include "devices/piix_ide.h"

enum { BM_START = 1, BM_TO_MEMORY = 8 };
enum { BM_ACTIVE = 1, BM_ERROR = 2, BM_INTERRUPT = 4, BM_CAPABLE = 0x60 };
#define TABLE_MAX 8192 /* entries: a table that never ends must not hold the machine */

static void stop(struct ata_channel *c, u8 status) { c->s.bm_status = (u8)((c->s.bm_status & ~BM_ACTIVE) | status); }

/* One region of memory. False: the command is over. */
static bool move(struct pci_device *pci, struct ata_channel *c, u64 pa, u32 size)
{
	while (size) {
		const u8 *from;
		u8 *to;
		u32 n;

		if (ata_dma_writes(c)) {
			n = ata_dma_want(c, size, &to);
			if (n && !pci_dma_read(pci, pa, to, n))
				return false;
			if (n)
				ata_dma_given(c, n);
		} else {
			n = ata_dma_take(c, size, &from);
			if (n && !pci_dma_write(pci, pa, from, n))
				return false;
		}
		if (!n)
			return false;
		pa += n;
		size -= n;
	}
	return true;
}

/* SFF-8038i 3.1: when the table is longer than the data the master stays active; when it is shorter it stops and the
 * drive still waits. */
static void run(void *arg)
{
	struct piix_ide_end *e = arg;
	struct pci_device *pci = &e->ide->pci;
	struct ata_channel *c = &e->ide->channel[e->n];
	u32 at = c->s.bm_table;

	if (!(c->s.bm_status & BM_ACTIVE) || ata_dma_writes(c) == !!(c->s.bm_command & BM_TO_MEMORY))
		return;
	for (unsigned i = 0; i < TABLE_MAX; i++, at += 8) {
		u8 entry[8];
		u32 address, count;
		bool last;

		if (!pci_dma_read(pci, at, entry, sizeof entry))
			break;
		address = (u32)load_le(entry, 4) & ~1u;
		count = (u32)load_le(entry + 4, 2) & 0xfffe;
		last = entry[7] & 0x80;
		if (!move(pci, c, address, count ? count : 0x10000))
			break;
		if (!ata_dma_waits(c) || ata_dma_complete(c) || last) {
			if (last)
				stop(c, 0);
			break;
		}
	}
	if (!ata_dma_waits(c))
		stop(c, BM_ERROR); /* the drive ended it with an error */
	else if (ata_dma_complete(c))
		ata_dma_done(c);
}

static void raised(void *arg)
{
	struct piix_ide_end *e = arg;

	e->ide->channel[e->n].s.bm_status |= BM_INTERRUPT;
}

/* ---- registers: 0 command, 2 status, 4-7 table, for each channel ---- */

static u64 bm_peek(const void *dev, u64 off, unsigned size)
{
	const struct ata_channel_state *s = &((const struct piix_ide *)dev)->channel[off >> 3 & 1].s;
	u8 reg[16] = {0};

	reg[0] = s->bm_command;
	reg[1] = reg[3] = 0xff;
	reg[2] = s->bm_status;
	store_le(reg + 4, 4, s->bm_table);
	return load_le(reg + (off & 7), size);
}

static u64 bm_read(void *dev, u64 off, unsigned size) { return bm_peek(dev, off, size); }

/* The start bit going up begins, going down ends what was under way. */
static void bm_command(struct ata_channel *c, u8 val)
{
	bool start = val & BM_START && !(c->s.bm_command & BM_START);

	c->s.bm_command = val & (BM_START | BM_TO_MEMORY);
	if (!(val & BM_START))
		stop(c, 0);
	if (!start)
		return;
	c->s.bm_status |= BM_ACTIVE;
	if (ata_dma_waits(c))
		ata_dma_ready(c);
}

static void bm_byte(struct ata_channel *c, unsigned reg, u8 val)
{
	switch (reg) {
	case 0: bm_command(c, val); break;
	case 2:
		c->s.bm_status = (u8)((val & BM_CAPABLE) | (c->s.bm_status & BM_ACTIVE) |
				      (c->s.bm_status & ~val & (BM_ERROR | BM_INTERRUPT)));
		break;
	case 4:
	case 5:
	case 6:
	case 7:
		store_le((u8 *)&c->s.bm_table + (reg - 4), 1, val);
		c->s.bm_table &= ~3u;
		break;
	default: break;
	}
}

static void bm_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct piix_ide *p = dev;

	for (unsigned i = 0; i < size; i++)
		bm_byte(&p->channel[(off + i) >> 3 & 1], (unsigned)(off + i) & 7, (u8)(val >> i * 8));
}

static const struct region_ops bm_ops = {"ide-bus-master", bm_read, bm_write, bm_peek, 1, 4};

/* ---- life ---- */

void piix_ide_init(struct piix_ide *p, struct sched *sched, u32 timer_id)
{
	static const struct pci_id id = {.vendor = 0x8086, .device = 0x7010, .class_code = 0x010180};

	memset(p, 0, sizeof *p);
	pci_init(&p->pci, "piix3-ide", &id, p);
	pci_specific(&p->pci);
	pci_set(&p->pci, PCI_STATUS, 2, 0x0280, 0);
	pci_bar_device(&p->pci, 4, PCI_IO, 16, &bm_ops);
	for (unsigned i = 0; i < 2; i++) {
		struct ata_channel *c = &p->channel[i];

		ata_init(c, sched, timer_id + i);
		p->end[i] = (struct piix_ide_end){p, i};
		c->dma = run;
		c->raised = raised;
		c->arg = &p->end[i];
	}
}

void piix_ide_reset(struct piix_ide *p)
{
	pci_reset(&p->pci);
	for (unsigned i = 0; i < 2; i++)
		ata_reset(&p->channel[i]);
}

void piix_ide_post_load(struct piix_ide *p)
{
	pci_post_load(&p->pci);
	for (unsigned i = 0; i < 2; i++)
		ata_post_load(&p->channel[i]);
}
