/* See pl050.h. Manual: ARM PrimeCell PS2 Keyboard/Mouse Interface (PL050) TRM, DDI0143, chapter 3. Bytes take no virtual time. */
#include "devices/pl050.h"

#include "devices/primecell.h"

enum { REG_CR = 0x00, REG_STAT = 0x04, REG_DATA = 0x08, REG_CLKDIV = 0x0c, REG_IR = 0x10 };
enum { CR_ENABLE = 4, CR_TXINT = 8, CR_RXINT = 16 };
enum { STAT_KMID = 1, STAT_KMIC = 2, STAT_PARITY = 4, STAT_RXFULL = 16, STAT_TXEMPTY = 64 };
enum { IR_RX = 1, IR_TX = 2 };

const struct field pl050_fields[PL050_FIELDS] = {
	FIELD_HEX(struct pl050_state, cr),
	FIELD_HEX(struct pl050_state, clkdiv),
	FIELD_HEX(struct pl050_state, data),
	FIELD_DEC(struct pl050_state, full),
};

static struct ps2_queue *queue(struct pl050 *k) { return k->is_mouse ? &k->mouse.s.out : &k->kbd.s.out; }

/* The transmitter is always empty. */
static u32 pending(const struct pl050_state *s)
{
	return (s->full && s->cr & CR_RXINT ? IR_RX : 0) | (s->cr & CR_TXINT ? IR_TX : 0);
}

/* Takes the device's next byte when the last one was read, and shows the line. */
static void advance(struct pl050 *k)
{
	struct pl050_state *s = &k->s;

	if (!s->full && s->cr & CR_ENABLE && queue(k)->count) {
		s->data = ps2_get(queue(k));
		s->full = 1;
	}
	irq_set(&k->irq, pending(s) != 0);
}

/* Bit 2: the (odd) parity of the byte received. */
static u32 status(const struct pl050_state *s)
{
	return STAT_KMID | STAT_KMIC | STAT_TXEMPTY | (s->full ? STAT_RXFULL : 0) | (__builtin_parity(s->data) ? 0 : STAT_PARITY);
}

static u32 look(const struct pl050_state *s, u32 reg, bool *known)
{
	*known = true;
	switch (reg) {
	case REG_CR: return s->cr;
	case REG_STAT: return status(s);
	case REG_DATA: return s->data;
	case REG_CLKDIV: return s->clkdiv;
	case REG_IR: return pending(s);
	case PRIMECELL_ID ... PRIMECELL_SIZE - 4: return primecell_id(reg, 0x50, 0x10, 0x04, 0x00);
	default: *known = false; return 0;
	}
}

static u64 pl050_read(void *dev, u64 off, unsigned size)
{
	struct pl050 *k = dev;
	u32 reg = primecell_reg(off), val;
	bool known;

	(void)size;
	val = look(&k->s, reg, &known);
	if (reg == REG_DATA) {
		k->s.full = 0;
		if (k->is_mouse)
			ps2_mouse_report(&k->mouse);
		advance(k);
	}
	return primecell_lane(off, known ? val : primecell_no_read("pl050", reg));
}

static u64 pl050_peek(const void *dev, u64 off, unsigned size)
{
	bool known;

	(void)size;
	return primecell_lane(off, look(&((const struct pl050 *)dev)->s, primecell_reg(off), &known));
}

static void send(struct pl050 *k, u8 val)
{
	if (k->is_mouse) {
		ps2_mouse_write(&k->mouse, val);
		ps2_mouse_report(&k->mouse);
	} else {
		ps2_kbd_write(&k->kbd, val);
	}
}

static void pl050_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct pl050 *k = dev;
	u32 reg = primecell_reg(off);

	(void)size;
	switch (reg) {
	case REG_CR: k->s.cr = val & 0x3f; break;
	case REG_STAT: break; /* read only */
	case REG_DATA: send(k, (u8)val); break;
	case REG_CLKDIV: k->s.clkdiv = val & 0x0f; break;
	default: primecell_no_write("pl050", reg); break;
	}
	advance(k);
}

const struct region_ops pl050_ops = {"pl050", pl050_read, pl050_write, pl050_peek, 1, 4};

bool pl050_key(struct pl050 *k, u8 set1)
{
	bool ok = ps2_kbd_key(&k->kbd, set1);

	advance(k);
	return ok;
}

unsigned pl050_key_room(const struct pl050 *k) { return ps2_kbd_room(&k->kbd); }

void pl050_mouse_byte(struct pl050 *k, u8 byte)
{
	ps2_mouse_receive(&k->mouse, byte);
	advance(k);
}

void pl050_reset(struct pl050 *k)
{
	k->s = (struct pl050_state){0};
	ps2_kbd_init(&k->kbd);
	ps2_mouse_init(&k->mouse);
	advance(k);
}

void pl050_init(struct pl050 *k, bool is_mouse)
{
	*k = (struct pl050){.is_mouse = is_mouse};
	pl050_reset(k);
}

void pl050_post_load(struct pl050 *k)
{
	ps2_queue_load(queue(k));
	advance(k);
}
