/*
 * See integrator_cp.h. Manual: Integrator/CP user guide, DUI0159, 4.4 (CP control registers) and 4.5 (debug registers). The card
 * interrupt stays as long as a card is in: drivers read it at the secondary controller to learn whether there is one.
 */
#include "devices/integrator_cp.h"

#include "devices/primecell.h"

enum { CP_IDFIELD = 0x00, CP_FLASHPROG = 0x04, CP_INTREG = 0x08, CP_DECODE = 0x0c };
enum { FLASHPROG_WREN = 2, FLASHPROG_VPPEN = 1, INTREG_WPROT = 1, INTREG_CARDIN = 8 };
enum { LED_ALPHA = 0x00, LED_LEDS = 0x04, LED_SWITCHES = 0x08 };

const struct field integrator_cp_fields[INTEGRATOR_CP_FIELDS] = {
	FIELD_HEX(struct integrator_cp_state, flashprog),
	FIELD_DEC(struct integrator_cp_state, card_in),
	FIELD_DEC(struct integrator_cp_state, card_locked),
	FIELD_DEC(struct integrator_cp_state, card_latch),
	FIELD_(struct integrator_cp_state, pad, FMT_PAD, 0),
	FIELD_HEX(struct integrator_cp_state, alpha),
	FIELD_HEX(struct integrator_cp_state, leds),
};

static void update(struct integrator_cp *c)
{
	irq_set(&c->card, c->s.card_in);
	/* Linux's driver sets both bits to program and clears both to read, and gives commands then, too: so they only matter for programming. */
	if (c->flash_vpp)
		c->flash_vpp(c->arg, c->s.flashprog == (FLASHPROG_WREN | FLASHPROG_VPPEN));
}

static u32 look(const struct integrator_cp_state *s, u32 reg, bool *known)
{
	*known = true;
	switch (reg) {
	case CP_IDFIELD: return 0x41034003;
	case CP_FLASHPROG: return s->flashprog;
	case CP_INTREG: return (s->card_locked ? INTREG_WPROT : 0) | (s->card_latch ? INTREG_CARDIN : 0);
	case CP_DECODE: return 0x11; /* one core module; the expansion is not there */
	default: *known = false; return 0;
	}
}

static u64 cp_read(void *dev, u64 off, unsigned size)
{
	u32 reg = primecell_reg(off), val;
	bool known;

	(void)size;
	val = look(&((struct integrator_cp *)dev)->s, reg, &known);
	return primecell_lane(off, known ? val : primecell_no_read("CP registers", reg));
}

static u64 cp_peek(const void *dev, u64 off, unsigned size)
{
	bool known;

	(void)size;
	return primecell_lane(off, look(&((const struct integrator_cp *)dev)->s, primecell_reg(off), &known));
}

static void cp_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct integrator_cp *c = dev;
	u32 reg = primecell_reg(off);

	(void)size;
	switch (reg) {
	case CP_FLASHPROG:
		c->s.flashprog = val & (FLASHPROG_WREN | FLASHPROG_VPPEN);
		update(c);
		break;
	case CP_INTREG:
		if (val & INTREG_CARDIN)
			c->s.card_latch = 0;
		break;
	default: primecell_no_write("CP registers", reg); break;
	}
}

const struct region_ops integrator_cp_ops = {"cp-registers", cp_read, cp_write, cp_peek, 1, 4};

/* The display is never busy. */
static u32 leds_look(const struct integrator_cp *c, u32 reg, bool *known)
{
	*known = true;
	switch (reg) {
	case LED_ALPHA: return 0;
	case LED_LEDS: return c->s.leds;
	case LED_SWITCHES: return c->switches;
	default: *known = false; return 0;
	}
}

static u64 leds_read(void *dev, u64 off, unsigned size)
{
	u32 reg = primecell_reg(off), val;
	bool known;

	(void)size;
	val = leds_look(dev, reg, &known);
	return primecell_lane(off, known ? val : primecell_no_read("debug registers", reg));
}

static u64 leds_peek(const void *dev, u64 off, unsigned size)
{
	bool known;

	(void)size;
	return primecell_lane(off, leds_look(dev, primecell_reg(off), &known));
}

static void leds_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct integrator_cp *c = dev;
	u32 reg = primecell_reg(off);

	(void)size;
	switch (reg) {
	case LED_ALPHA: c->s.alpha = (u32)val; break;
	case LED_LEDS: c->s.leds = val & 0xf; break;
	default: primecell_no_write("debug registers", reg); break;
	}
}

const struct region_ops integrator_leds_ops = {"leds", leds_read, leds_write, leds_peek, 1, 4};

void integrator_cp_card(struct integrator_cp *c, bool in, bool locked)
{
	c->s.card_latch |= in != c->s.card_in;
	c->s.card_in = in;
	c->s.card_locked = locked;
	update(c);
}

void integrator_cp_reset(struct integrator_cp *c)
{
	u8 in = c->s.card_in, locked = c->s.card_locked;

	c->s = (struct integrator_cp_state){.card_in = in, .card_locked = locked, .card_latch = in};
	update(c);
}

void integrator_cp_init(struct integrator_cp *c)
{
	*c = (struct integrator_cp){0};
	integrator_cp_reset(c);
}

void integrator_cp_post_load(struct integrator_cp *c) { update(c); }
