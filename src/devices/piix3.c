/* See piix3.h. Reset values of the registers that nothing here acts on are those of QEMU's PIIX3. */
#include "devices/piix3.h"

enum { REG_PIRQ = 0x60, PIRQ_OFF = 0x80 };
enum { RC_RESET = 4, RC_HARD = 2 };
#define ROUTABLE 0xdef8u /* ISA interrupts that a link may go to: 3-7, 9-12, 14, 15 (2.2.7) */

const struct field piix3_fields[PIIX3_FIELDS] = {
	FIELD_HEX(struct piix3_state, reset_control),
	FIELD_(struct piix3_state, pad, FMT_PAD, 0),
};

/* The ISA interrupt of a link, or -1. */
static int route(const struct piix3 *p, unsigned link)
{
	u8 r = p->pci.s.config[REG_PIRQ + link];

	return r & PIRQ_OFF || !(ROUTABLE >> (r & 15) & 1) ? -1 : r & 15;
}

void piix3_route(struct piix3 *p)
{
	unsigned up = 0;

	for (unsigned link = 0; link < PIIX3_LINKS; link++) {
		int n = route(p, link);

		if (n >= 0 && pci_link_level(p->pci.bus, link))
			up |= 1u << n;
	}
	for (unsigned n = 0; n < 16; n++)
		irq_set(&p->line[n], up >> n & 1);
}

static void changed(void *dev, unsigned off, unsigned size)
{
	if (off < REG_PIRQ + PIIX3_LINKS && REG_PIRQ < off + size)
		piix3_route(dev);
}

static u64 reset_peek(const void *dev, u64 off, unsigned size)
{
	(void)off, (void)size;
	return ((const struct piix3 *)dev)->s.reset_control;
}

static u64 reset_read(void *dev, u64 off, unsigned size) { return reset_peek(dev, off, size); }

/* Bit 2 going up resets: the whole machine with bit 1, else the CPUs. */
static void reset_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct piix3 *p = dev;

	(void)off, (void)size;
	p->s.reset_control = val & RC_HARD;
	if (val & RC_RESET)
		p->reset(p->arg, val & RC_HARD);
}

const struct region_ops piix3_reset_ops = {"reset-control", reset_read, reset_write, reset_peek, 1, 1};

void piix3_init(struct piix3 *p)
{
	static const struct pci_id id = {
		.vendor = 0x8086, .device = 0x7000, .class_code = 0x060100, .multifunction = true};
	static const struct {
		u8 off, val;
	} values[] = {
		{0x07, 0x02}, {0x4c, 0x4d}, {0x4e, 0x03}, {0x60, 0x80}, {0x61, 0x80}, {0x62, 0x80}, {0x63, 0x80},
		{0x69, 0x02}, {0x70, 0x80}, {0x76, 0x0c}, {0x77, 0x0c}, {0x78, 0x02}, {0xa0, 0x08}, {0xa8, 0x0f},
	};

	memset(p, 0, sizeof *p);
	pci_init(&p->pci, "piix3", &id, p);
	pci_specific(&p->pci);
	for (unsigned i = 0; i < ARRAY_SIZE(values); i++)
		p->pci.initial[values[i].off] = values[i].val;
	p->pci.changed = changed;
}

void piix3_reset(struct piix3 *p)
{
	p->s = (struct piix3_state){0};
	pci_reset(&p->pci);
}

void piix3_post_load(struct piix3 *p)
{
	pci_post_load(&p->pci);
	piix3_route(p);
}
