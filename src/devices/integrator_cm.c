/*
 * See integrator_cm.h. Manuals: Integrator/CP user guide, DUI0159, 4.1 (core module registers); the core module's user guides (DUI0138,
 * chapter 4).
 */
#include "devices/integrator_cm.h"

#include "devices/primecell.h"

enum {
	CM_ID = 0x00, CM_PROC = 0x04, CM_OSC = 0x08, CM_CTRL = 0x0c, CM_STAT = 0x10, CM_LOCK = 0x14, CM_AUXOSC = 0x1c, CM_SDRAM = 0x20,
	CM_INIT = 0x24, CM_REFCNT = 0x28, CM_FLAGS = 0x30, CM_FLAGSC = 0x34, CM_NVFLAGS = 0x38, CM_NVFLAGSC = 0x3c, CM_IRQ = 0x40,
	CM_FIQ_END = 0x6c, CM_VOLTAGE = 0x80, CM_VOLTAGE_END = 0x8c, CM_SPD = 0x100, CM_SPD_END = 0x17c,
};
#define CM_HZ     24000000u
#define CM_KEY    0xa05fu
#define CM_OPEN   0x10000u
#define CTRL_KEPT 0x000fff01u /* LED and LCD; REMAP goes its own way */

static const char *const ctrl_bits[] = {"LED", "MBDET", "REMAP", "RESET", FIELD_END};

const struct field integrator_cm_fields[INTEGRATOR_CM_FIELDS] = {
	FIELD_DEC(struct integrator_cm_state, counted_from),
	FIELD_HEX(struct integrator_cm_state, osc),
	FIELD_BITS(struct integrator_cm_state, ctrl, ctrl_bits),
	FIELD_HEX(struct integrator_cm_state, lock),
	FIELD_HEX(struct integrator_cm_state, auxosc),
	FIELD_HEX(struct integrator_cm_state, sdram),
	FIELD_HEX(struct integrator_cm_state, init),
	FIELD_HEX(struct integrator_cm_state, flags),
	FIELD_HEX(struct integrator_cm_state, nvflags),
	FIELD_ARRAY(struct integrator_cm_state, voltage),
};

static bool unlocked(const struct integrator_cm_state *s) { return s->lock == CM_KEY; }

/* JEDEC standard 21-C 4.1.2.4: bytes 0 to 30 that matter to software, and 31, the size of a bank in units of 4 MB. */
static u8 spd(const struct integrator_cm *c, unsigned n)
{
	static const u8 byte[31] = {128, 8, 4, 11, 9, 1, 64, 0, 2, 0xa0, 0xa0, 0, 0, 8, 0, 1, 0xe, 4, 0x1c, 1, 2, 0x20, 0xc0,
				    0,   0, 0, 0,  0x30, 0x28, 0x30, 0x28};

	if (n == 31)
		return c->ram_mb >= 256 ? 64 : c->ram_mb >= 128 ? 32 : c->ram_mb >= 64 ? 16 : c->ram_mb >= 32 ? 4 : 2;
	return byte[n];
}

/* CM_SDRAM bits 4 to 2: 16, 32, 64, 128, 256 MB. */
static u32 sdram_size(u32 mb) { return mb >= 256 ? 0x10 : mb >= 128 ? 0x0c : mb >= 64 ? 0x08 : mb >= 32 ? 0x04 : 0; }

static u32 look(const struct integrator_cm *c, u32 reg, bool *known)
{
	const struct integrator_cm_state *s = &c->s;
	u32 val;

	*known = true;
	switch (reg) {
	case CM_ID: return 0x411a3001;
	case CM_PROC: return 0;
	case CM_OSC: return s->osc;
	case CM_CTRL: return s->ctrl;
	case CM_STAT: return 0x00100000;
	case CM_LOCK: return s->lock | (unlocked(s) ? CM_OPEN : 0);
	case CM_AUXOSC: return s->auxosc;
	case CM_SDRAM: return s->sdram;
	case CM_INIT: return s->init;
	case CM_REFCNT: return (u32)ticks_at(c->sched->now - s->counted_from, CM_HZ);
	case CM_FLAGS: return s->flags;
	case CM_NVFLAGS: return s->nvflags;
	case CM_IRQ ... CM_FIQ_END: *known = integrator_pic_get(&c->pic, reg - CM_IRQ, &val); return *known ? val : 0;
	case CM_VOLTAGE ... CM_VOLTAGE_END: return s->voltage[(reg - CM_VOLTAGE) / 4];
	case CM_SPD ... CM_SPD_END: return spd(c, (reg - CM_SPD) / 4);
	case CM_SPD_END + 4 ... 0x1fc: return 0; /* the rest of the SPD memory */
	default: *known = false; return 0;
	}
}

static u64 cm_read(void *dev, u64 off, unsigned size)
{
	u32 reg = primecell_reg(off), val;
	bool known;

	(void)size;
	val = look(dev, reg, &known);
	return primecell_lane(off, known ? val : primecell_no_read("core module", reg));
}

static u64 cm_peek(const void *dev, u64 off, unsigned size)
{
	bool known;

	(void)size;
	return primecell_lane(off, look(dev, primecell_reg(off), &known));
}

static void show_lcd(struct integrator_cm *c)
{
	if (c->lcd_mux)
		c->lcd_mux(c->arg, c->s.ctrl >> CM_CTRL_LCDMUX_SHIFT & 7);
}

static void write_ctrl(struct integrator_cm *c, u32 val)
{
	u32 changed = c->s.ctrl ^ val;

	c->s.ctrl = val & (CTRL_KEPT | CM_CTRL_REMAP);
	show_lcd(c);
	if (changed & CM_CTRL_REMAP && c->remap)
		c->remap(c->arg, val & CM_CTRL_REMAP);
	if (val & CM_CTRL_RESET && c->reset)
		c->reset(c->arg);
}

static void write_locked(const struct integrator_cm_state *s, u32 *reg, u32 val)
{
	if (unlocked(s))
		*reg = val;
}

static void cm_write(void *dev, u64 off, unsigned size, u64 val64)
{
	struct integrator_cm *c = dev;
	struct integrator_cm_state *s = &c->s;
	u32 reg = primecell_reg(off), val = (u32)val64;

	(void)size;
	switch (reg) {
	case CM_OSC: write_locked(s, &s->osc, val); break;
	case CM_CTRL: write_ctrl(c, val); break;
	case CM_LOCK: s->lock = val & 0xffff; break;
	case CM_AUXOSC: write_locked(s, &s->auxosc, val); break;
	case CM_SDRAM: s->sdram = val; break;
	case CM_INIT: write_locked(s, &s->init, val); break;
	case CM_FLAGS: s->flags |= val; break;
	case CM_FLAGSC: s->flags &= ~val; break;
	case CM_NVFLAGS: s->nvflags |= val; break;
	case CM_NVFLAGSC: s->nvflags &= ~val; break;
	case CM_IRQ ... CM_FIQ_END:
		if (!integrator_pic_set(&c->pic, reg - CM_IRQ, val))
			primecell_no_write("core module", reg);
		break;
	case CM_VOLTAGE ... CM_VOLTAGE_END: s->voltage[(reg - CM_VOLTAGE) / 4] = val; break;
	default: primecell_no_write("core module", reg); break;
	}
}

const struct region_ops integrator_cm_ops = {"core-module", cm_read, cm_write, cm_peek, 1, 4};

void integrator_cm_reset(struct integrator_cm *c)
{
	u32 nvflags = c->s.nvflags;

	c->s = (struct integrator_cm_state){
		.counted_from = c->sched->now,
		.osc = 0x01000048,
		.ctrl = c->flash_boot ? 0 : CM_CTRL_REMAP,
		.auxosc = 0x0007feff,
		.sdram = 0x00011122 | sdram_size(c->ram_mb),
		.init = 0x00000112,
		.nvflags = nvflags,
	};
	integrator_pic_reset(&c->pic);
	show_lcd(c);
	if (c->remap)
		c->remap(c->arg, c->s.ctrl & CM_CTRL_REMAP);
}

void integrator_cm_init(struct integrator_cm *c, struct sched *sched, u64 ram_size)
{
	*c = (struct integrator_cm){.sched = sched, .ram_mb = (u32)(ram_size >> 20)};
	integrator_pic_init(&c->pic);
	integrator_cm_reset(c);
}

void integrator_cm_post_load(struct integrator_cm *c)
{
	if (c->s.counted_from > c->sched->now)
		c->s.counted_from = c->sched->now;
	integrator_pic_post_load(&c->pic);
	show_lcd(c);
	if (c->remap)
		c->remap(c->arg, c->s.ctrl & CM_CTRL_REMAP);
}
