/*
 * 8259A interrupt controllers. Data sheet: Intel 8259A (231468), register and command names are its own; ELCR as in the
 * Intel 82371 (PIIX) data sheet. 8080 mode, which no PC uses, is reported. An edge stays latched when its line drops
 * before the acknowledge, as in chipsets and as QEMU and KVM have it; what was requested by a level and is gone by the
 * time of the acknowledge is answered with input 7, no in-service bit set: the spurious interrupt.
 */
#include "devices/i8259.h"

#include "devices/report.h"

enum { ICW1_IC4 = 1, ICW1_SINGLE = 2, ICW1_LEVEL = 8, ICW1 = 16 };
enum { ICW4_86 = 1, ICW4_AEOI = 2, ICW4_NESTED = 16 };
enum { OCW3 = 8, OCW3_POLL = 4 };

#define CHIP_FIELDS(c)                                                                                                 \
	FIELD_HEX(struct i8259_state, c.irr), FIELD_HEX(struct i8259_state, c.imr),                                    \
		FIELD_HEX(struct i8259_state, c.isr), FIELD_HEX(struct i8259_state, c.line),                           \
		FIELD_HEX(struct i8259_state, c.elcr), FIELD_HEX(struct i8259_state, c.base),                          \
		FIELD_HEX(struct i8259_state, c.cascade), FIELD_HEX(struct i8259_state, c.icw1),                       \
		FIELD_HEX(struct i8259_state, c.icw4), FIELD_DEC(struct i8259_state, c.expect),                        \
		FIELD_DEC(struct i8259_state, c.lowest), FIELD_DEC(struct i8259_state, c.read_isr),                    \
		FIELD_DEC(struct i8259_state, c.poll), FIELD_DEC(struct i8259_state, c.special_mask),                  \
		FIELD_DEC(struct i8259_state, c.rotate_aeoi), FIELD_DEC(struct i8259_state, c.out)

const struct field i8259_fields[I8259_FIELDS] = {CHIP_FIELDS(master), CHIP_FIELDS(slave)};

static u8 level_inputs(const struct i8259_chip *c) { return c->icw1 & ICW1_LEVEL ? 0xff : c->elcr; }

/* Distance of the set bit with the highest priority from the top: 0..7, or 8 when no bit is set. */
static unsigned rank(const struct i8259_chip *c, u8 set)
{
	unsigned first = (c->lowest + 1) & 7;
	unsigned turned = (set >> first | set << (8 - first)) & 0xff;

	return turned ? (unsigned)__builtin_ctz(turned) : 8;
}

static unsigned input_of_rank(const struct i8259_chip *c, unsigned r) { return (c->lowest + 1 + r) & 7; }

/* The input to be served now, or -1. Requests at or below the priority of the one in service wait; in special fully
 * nested mode the master lets a further request of the slave through; in special mask mode only unmasked inputs hold
 * others back. */
static int wanted(const struct i8259_chip *c, bool is_master)
{
	u8 serving = c->special_mask ? c->isr & (u8)~c->imr : c->isr;
	unsigned r = rank(c, c->irr & (u8)~c->imr), limit = rank(c, serving);
	int n = (int)input_of_rank(c, r);

	if (r > limit || r == 8)
		return -1;
	if (r == limit && !(is_master && c->icw4 & ICW4_NESTED && c->cascade >> n & 1))
		return -1;
	return n;
}

static void chip_line(struct i8259_chip *c, unsigned n, bool level)
{
	u8 bit = (u8)(1u << n);

	if (level) {
		if (!(c->line & bit) || level_inputs(c) & bit)
			c->irr |= bit;
		c->line |= bit;
	} else {
		c->irr &= (u8) ~(level_inputs(c) & bit);
		c->line &= (u8)~bit;
	}
}

/* Both outputs follow the requests. */
static void update(struct i8259 *p)
{
	bool out = wanted(&p->s.slave, false) >= 0;

	if (out != p->s.slave.out) {
		p->s.slave.out = out;
		chip_line(&p->s.master, 2, out);
	}
	p->s.master.out = wanted(&p->s.master, true) >= 0;
	irq_set(&p->intr, p->s.master.out);
}

void i8259_set(void *i8259, unsigned n, bool level)
{
	struct i8259 *p = i8259;

	if (n > 15 || n == 2)
		return;
	chip_line(n < 8 ? &p->s.master : &p->s.slave, n & 7, level);
	update(p);
}

/* One chip's acknowledge: the input that is now in service; 7 when the request has gone. */
static unsigned chip_ack(struct i8259_chip *c, bool is_master)
{
	int n = wanted(c, is_master);
	u8 bit;

	if (n < 0)
		return 7;
	bit = (u8)(1u << n);
	if (!(level_inputs(c) & bit))
		c->irr &= (u8)~bit;
	if (!(c->icw4 & ICW4_AEOI))
		c->isr |= bit;
	else if (c->rotate_aeoi)
		c->lowest = (u8)n;
	return (unsigned)n;
}

/* The slave's INT drops while it is acknowledged, so that its next request is an edge again. */
static unsigned slave_ack(struct i8259 *p)
{
	unsigned n = chip_ack(&p->s.slave, false);

	p->s.slave.out = 0;
	chip_line(&p->s.master, 2, false);
	return n;
}

u8 i8259_ack(struct i8259 *p)
{
	bool requested = wanted(&p->s.master, true) >= 0;
	unsigned n = chip_ack(&p->s.master, true);
	u8 vector = p->s.master.base | (u8)n;

	if (requested && n == 2)
		vector = p->s.slave.base | (u8)slave_ack(p);
	update(p);
	return vector;
}

/* The answer to a poll command: bit 7 and the input, which is acknowledged by it (8259A, "Poll command"). */
static u8 poll_read(struct i8259 *p, struct i8259_chip *c)
{
	bool is_master = c == &p->s.master;
	bool requested = wanted(c, is_master) >= 0;
	unsigned n;

	c->poll = 0;
	if (!requested)
		return 0;
	n = is_master ? chip_ack(c, true) : slave_ack(p);
	update(p);
	return (u8)(0x80 | n);
}

static void end_of_interrupt(struct i8259_chip *c, u8 val)
{
	u8 served = c->special_mask ? c->isr & (u8)~c->imr : c->isr;
	unsigned n = val & 0x40 ? val & 7u : rank(c, served);

	if (!(val & 0x40)) {
		if (n == 8)
			return;
		n = input_of_rank(c, n);
	}
	c->isr &= (u8) ~(1u << n);
	if (val & 0x80)
		c->lowest = (u8)n;
}

/* OCW2: R, SL, EOI in bits 7:5. */
static void write_ocw2(struct i8259_chip *c, u8 val)
{
	switch (val >> 5) {
	case 0: c->rotate_aeoi = 0; break;
	case 4: c->rotate_aeoi = 1; break;
	case 6: c->lowest = val & 7; break;
	case 1:
	case 3:
	case 5:
	case 7: end_of_interrupt(c, val); break;
	default: break; /* 2: no operation */
	}
}

static void write_ocw3(struct i8259_chip *c, u8 val)
{
	if (val & OCW3_POLL)
		c->poll = 1;
	if (val & 2)
		c->read_isr = val & 1;
	if (val & 0x40)
		c->special_mask = val >> 5 & 1;
}

/* ICW1 starts the initialization: latched edges, mask, in-service bits and modes are cleared. */
static void write_icw1(struct i8259_chip *c, u8 val)
{
	c->icw1 = val;
	c->icw4 = 0;
	c->imr = c->isr = 0;
	c->irr = c->line & level_inputs(c);
	c->lowest = 7;
	c->read_isr = c->poll = c->special_mask = c->rotate_aeoi = 0;
	c->expect = 2;
}

static void write_even(struct i8259_chip *c, u8 val)
{
	if (val & ICW1)
		write_icw1(c, val);
	else if (val & OCW3)
		write_ocw3(c, val);
	else
		write_ocw2(c, val);
}

static u8 after_icw3(const struct i8259_chip *c) { return c->icw1 & ICW1_IC4 ? 4 : 0; }

static void write_odd(struct i8259_chip *c, u8 val)
{
	switch (c->expect) {
	case 2:
		c->base = val & 0xf8;
		c->expect = c->icw1 & ICW1_SINGLE ? after_icw3(c) : 3;
		break;
	case 3:
		c->cascade = val;
		c->expect = after_icw3(c);
		break;
	case 4:
		c->icw4 = val;
		c->expect = 0;
		if (!(val & ICW4_86))
			device_unimplemented("8259: 8080 mode (ICW4 bit 0 clear)");
		break;
	default: c->imr = val; break;
	}
}

static u8 look(const struct i8259_chip *c, u64 off)
{
	if (off & 1)
		return c->imr;
	return c->read_isr ? c->isr : c->irr;
}

static u64 chip_read(struct i8259 *p, struct i8259_chip *c, u64 off)
{
	return c->poll ? poll_read(p, c) : look(c, off);
}

static void chip_write(struct i8259 *p, struct i8259_chip *c, u64 off, u8 val)
{
	if (off & 1)
		write_odd(c, val);
	else
		write_even(c, val);
	update(p);
}

static u64 master_read(void *dev, u64 off, unsigned size)
{
	struct i8259 *p = dev;

	(void)size;
	return chip_read(p, &p->s.master, off);
}

static u64 slave_read(void *dev, u64 off, unsigned size)
{
	struct i8259 *p = dev;

	(void)size;
	return chip_read(p, &p->s.slave, off);
}

static void master_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct i8259 *p = dev;

	(void)size;
	chip_write(p, &p->s.master, off, (u8)val);
}

static void slave_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct i8259 *p = dev;

	(void)size;
	chip_write(p, &p->s.slave, off, (u8)val);
}

static u64 master_peek(const void *dev, u64 off, unsigned size)
{
	(void)size;
	return look(&((const struct i8259 *)dev)->s.master, off);
}

static u64 slave_peek(const void *dev, u64 off, unsigned size)
{
	(void)size;
	return look(&((const struct i8259 *)dev)->s.slave, off);
}

static u64 elcr_peek(const void *dev, u64 off, unsigned size)
{
	const struct i8259 *p = dev;

	(void)size;
	return off & 1 ? p->s.slave.elcr : p->s.master.elcr;
}

static u64 elcr_read(void *dev, u64 off, unsigned size) { return elcr_peek(dev, off, size); }

/* Inputs 0, 1, 2, 8 and 13 are edges for ever (82371, ELCR1 and ELCR2). An input that is high and becomes a level
 * requests. */
static void elcr_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct i8259 *p = dev;
	struct i8259_chip *c = off & 1 ? &p->s.slave : &p->s.master;

	(void)size;
	c->elcr = (u8)val & (off & 1 ? 0xde : 0xf8);
	c->irr = (c->irr & (u8)~level_inputs(c)) | (c->line & level_inputs(c));
	update(p);
}

const struct region_ops i8259_master_ops = {"i8259-master", master_read, master_write, master_peek, 1, 1};
const struct region_ops i8259_slave_ops = {"i8259-slave", slave_read, slave_write, slave_peek, 1, 1};
const struct region_ops i8259_elcr_ops = {"elcr", elcr_read, elcr_write, elcr_peek, 1, 1};

static void chip_reset(struct i8259_chip *c) { *c = (struct i8259_chip){.line = c->line, .lowest = 7}; }

void i8259_reset(struct i8259 *p)
{
	p->s.master.line &= (u8)~4;
	chip_reset(&p->s.master);
	chip_reset(&p->s.slave);
	update(p);
}

void i8259_init(struct i8259 *p)
{
	*p = (struct i8259){0};
	i8259_reset(p);
}

void i8259_post_load(struct i8259 *p) { irq_set(&p->intr, p->s.master.out); }
