/* See port92.h. Reset is asked for by the change of bit 0 from 0 to 1. */
#include "devices/port92.h"

enum { P92_RESET = 1, P92_A20 = 2 };

static const char *const bit_names[] = {"RESET", "A20", FIELD_END};

const struct field port92_fields[PORT92_FIELDS] = {
	FIELD_BITS(struct port92_state, val, bit_names),
	FIELD_(struct port92_state, pad, FMT_PAD, 0),
};

static u64 p92_peek(const void *dev, u64 off, unsigned size)
{
	(void)off, (void)size;
	return ((const struct port92 *)dev)->s.val;
}

static u64 p92_read(void *dev, u64 off, unsigned size) { return p92_peek(dev, off, size); }

static void p92_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct port92 *p = dev;
	bool reset = val & ~p->s.val & P92_RESET;

	(void)off, (void)size;
	p->s.val = (u8)val;
	irq_set(&p->a20, val & P92_A20);
	if (reset)
		irq_pulse(&p->reset);
}

const struct region_ops port92_ops = {"port92", p92_read, p92_write, p92_peek, 1, 1};

void port92_reset(struct port92 *p)
{
	p->s = (struct port92_state){0};
	irq_set(&p->a20, false);
}

void port92_init(struct port92 *p) { *p = (struct port92){0}; }

void port92_post_load(struct port92 *p) { irq_set(&p->a20, p->s.val & P92_A20); }
