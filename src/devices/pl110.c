/*
 * See pl110.h. Manual: ARM PrimeCell Color LCD Controller (PL110) TRM, DDI0161, chapter 3. Frames come 60 times a second of virtual time,
 * whatever the timing registers say; they matter only to those who ask for interrupts or look at the status.
 */
#include "devices/pl110.h"

#include "devices/primecell.h"

enum {
	REG_TIMING = 0x00, REG_TIMING_END = 0x0c, REG_UPBASE = 0x10, REG_LPBASE = 0x14, REG_IMSC = 0x18, REG_CONTROL = 0x1c, REG_STATUS = 0x20,
	REG_INTERRUPT = 0x24, REG_UPCURR = 0x28, REG_LPCURR = 0x2c, REG_PALETTE = 0x200, REG_PALETTE_END = 0x3fc,
};
enum { CTL_ENABLE = 1, CTL_DUAL = 128 };
enum { INT_FRAME = 4 | 8 }; /* next base update; vertical compare */

static const char *const control_bits[] = {"EN",  "BPP0", "BPP1", "BPP2", "BW",  "TFT", "MONO8",
					   "DUAL", "BGR", "BEBO", "BEPO", "PWR", FIELD_END};

const struct field pl110_fields[PL110_FIELDS] = {
	FIELD_DEC(struct pl110_state, frame_from), FIELD_DEC(struct pl110_state, seen),
	FIELD_ARRAY(struct pl110_state, timing),   FIELD_HEX(struct pl110_state, upbase),
	FIELD_HEX(struct pl110_state, lpbase),     FIELD_HEX(struct pl110_state, imsc),
	FIELD_BITS(struct pl110_state, control, control_bits),
	FIELD_ARRAY(struct pl110_state, palette),  FIELD_DEC(struct pl110_state, pixel_555),
	FIELD_(struct pl110_state, pad, FMT_PAD, 0),
};

static u64 frames(const struct pl110 *l)
{
	return l->s.frame_from == TIME_NEVER ? l->s.seen : (l->sched->now - l->s.frame_from) / PL110_FRAME_NS;
}

static u32 status(const struct pl110 *l) { return frames(l) > l->s.seen ? INT_FRAME : 0; }

static void update(struct pl110 *l)
{
	const struct pl110_state *s = &l->s;

	irq_set(&l->irq, status(l) & s->imsc);
	timer_cancel(&l->timer);
	if (s->imsc & INT_FRAME && s->frame_from != TIME_NEVER && !status(l))
		timer_arm(&l->timer, s->frame_from + (s->seen + 1) * PL110_FRAME_NS);
}

static void frame(void *arg, u64 now)
{
	(void)now;
	update(arg);
}

static u32 look(const struct pl110 *l, u32 reg, bool *known)
{
	const struct pl110_state *s = &l->s;

	*known = true;
	switch (reg) {
	case REG_TIMING ... REG_TIMING_END: return s->timing[reg / 4];
	case REG_UPBASE:
	case REG_UPCURR: return s->upbase;
	case REG_LPBASE:
	case REG_LPCURR: return s->lpbase;
	case REG_IMSC: return s->imsc;
	case REG_CONTROL: return s->control;
	case REG_STATUS: return status(l);
	case REG_INTERRUPT: return status(l) & s->imsc;
	case REG_PALETTE ... REG_PALETTE_END: return s->palette[(reg - REG_PALETTE) / 4];
	case PRIMECELL_ID ... PRIMECELL_SIZE - 4: return primecell_id(reg, 0x10, 0x11, 0x04, 0x00);
	default: *known = false; return 0;
	}
}

static u64 pl110_read(void *dev, u64 off, unsigned size)
{
	u32 reg = primecell_reg(off), val;
	bool known;

	(void)size;
	val = look(dev, reg, &known);
	return primecell_lane(off, known ? val : primecell_no_read("pl110", reg));
}

static u64 pl110_peek(const void *dev, u64 off, unsigned size)
{
	bool known;

	(void)size;
	return primecell_lane(off, look(dev, primecell_reg(off), &known));
}

/* The next frame is the first whose interrupt is due. */
static void clear(struct pl110 *l, u32 val)
{
	if (val & INT_FRAME)
		l->s.seen = frames(l);
}

static void write_control(struct pl110 *l, u32 val)
{
	struct pl110_state *s = &l->s;

	if (val & CTL_DUAL)
		device_unimplemented("pl110: dual panels");
	if ((val ^ s->control) & CTL_ENABLE) {
		s->frame_from = val & CTL_ENABLE ? l->sched->now : TIME_NEVER;
		s->seen = 0;
	}
	s->control = val & 0x1ffff;
}

static void pl110_write(void *dev, u64 off, unsigned size, u64 val64)
{
	struct pl110 *l = dev;
	struct pl110_state *s = &l->s;
	u32 reg = primecell_reg(off), val = (u32)val64;

	(void)size;
	switch (reg) {
	case REG_TIMING ... REG_TIMING_END: s->timing[reg / 4] = val; break;
	case REG_UPBASE: s->upbase = val & ~3u; break;
	case REG_LPBASE: s->lpbase = val & ~3u; break;
	case REG_IMSC: s->imsc = val & 0x1e; break;
	case REG_CONTROL: write_control(l, val); break;
	case REG_STATUS: clear(l, val); break;
	case REG_PALETTE ... REG_PALETTE_END: s->palette[(reg - REG_PALETTE) / 4] = val; break;
	default: primecell_no_write("pl110", reg); break;
	}
	update(l);
}

const struct region_ops pl110_ops = {"pl110", pl110_read, pl110_write, pl110_peek, 1, 4};

void pl110_mux(struct pl110 *l, bool pixel_555) { l->s.pixel_555 = pixel_555; }

void pl110_reset(struct pl110 *l)
{
	l->s = (struct pl110_state){.frame_from = TIME_NEVER, .pixel_555 = l->s.pixel_555};
	update(l);
}

void pl110_init(struct pl110 *l, struct sched *sched, u32 timer_id, struct space *mem)
{
	*l = (struct pl110){.sched = sched, .mem = mem};
	timer_init(&l->timer, sched, timer_id, frame, l);
	pl110_reset(l);
}

void pl110_post_load(struct pl110 *l)
{
	if (l->s.frame_from != TIME_NEVER && l->s.frame_from > l->sched->now)
		l->s.frame_from = l->sched->now;
	update(l);
}
