/*
 * See integrator_timer.h. Manuals: Integrator/CP user guide, DUI0159, 4.3 (counter/timers); ARM Dual-Timer (SP804) TRM, DDI0271, 2.2
 * and 3.3, whose counter this is. A period is LOAD ticks; a counter that runs freely has all its bits.
 */
#include "devices/integrator_timer.h"

#include "devices/primecell.h"

enum { REG_LOAD = 0x00, REG_VALUE = 0x04, REG_CONTROL = 0x08, REG_INTCLR = 0x0c, REG_RIS = 0x10, REG_MIS = 0x14, REG_BGLOAD = 0x18 };
enum { CTL_ONESHOT = 1, CTL_32BIT = 2, CTL_INT = 32, CTL_PERIODIC = 64, CTL_ENABLE = 128 };

static const char *const control_bits[] = {"ONESHOT", "32BIT", "PRE0", "PRE1", NULL, "INT", "PERIODIC", "ENABLE", FIELD_END};

const struct field integrator_timer_fields[INTEGRATOR_TIMER_FIELDS] = {
	FIELD_DEC(struct integrator_timer_state, since),
	FIELD_HEX(struct integrator_timer_state, count),
	FIELD_HEX(struct integrator_timer_state, load),
	FIELD_BITS(struct integrator_timer_state, control, control_bits),
	FIELD_DEC(struct integrator_timer_state, ris),
};

static void update(struct integrator_timer *t) { irq_set(&t->irq, t->s.ris && t->s.control & CTL_INT); }

static u32 mask(const struct integrator_timer_state *s) { return s->control & CTL_32BIT ? 0xffffffffu : 0xffffu; }

/* DDI0271 3.3.3: 1, 16 or 256; 3 is undefined and taken as 256. */
static u64 tick_ns(const struct integrator_timer *t)
{
	unsigned pre = t->s.control >> 2 & 3;

	return (u64)t->tick << (pre == 0 ? 0 : pre == 1 ? 4 : 8);
}

/* What the counter goes on with when it has reached zero. */
static u64 period(const struct integrator_timer_state *s)
{
	if (s->control & CTL_PERIODIC)
		return s->load & mask(s);
	return (u64)mask(s) + 1;
}

static u32 value(const struct integrator_timer *t)
{
	const struct integrator_timer_state *s = &t->s;
	u64 ticks, p = period(s);
	u32 count = s->count & mask(s);

	if (!(s->control & CTL_ENABLE))
		return s->count;
	ticks = (t->sched->now - s->since) / tick_ns(t);
	if (ticks < count)
		return count - (u32)ticks;
	if (s->control & CTL_ONESHOT || !p)
		return 0;
	ticks = (ticks - count) % p; /* since it was last zero */
	return ticks ? (u32)(p - ticks) : 0;
}

/* The next moment after now at which the counter is zero. */
static void arm(struct integrator_timer *t)
{
	const struct integrator_timer_state *s = &t->s;
	u64 tick = tick_ns(t), p = period(s), zero = s->since + (s->count & mask(s)) * tick;

	timer_cancel(&t->timer);
	if (!(s->control & CTL_ENABLE))
		return;
	if (zero <= t->sched->now) {
		if (s->control & CTL_ONESHOT || !p)
			return;
		zero += ((t->sched->now - zero) / (p * tick) + 1) * p * tick;
	}
	timer_arm(&t->timer, zero);
}

static void fire(void *arg, u64 now)
{
	struct integrator_timer *t = arg;

	(void)now;
	t->s.ris = 1;
	arm(t);
	update(t);
}

/* The counter is val from now on. A zero is an interrupt at once, when it counts at all. */
static void restart(struct integrator_timer *t, u32 val)
{
	t->s.count = val;
	t->s.since = t->sched->now;
	if (!(val & mask(&t->s)) && t->s.control & CTL_ENABLE && period(&t->s))
		t->s.ris = 1;
	arm(t);
}

/* DDI0271 3.3.3: a change of the clock or the mode meets the counter where it is. While it stands it has all 32 bits. */
static void set_control(struct integrator_timer *t, u32 val)
{
	if (t->s.control & CTL_ENABLE)
		t->s.count = value(t);
	t->s.control = val & 0xef;
	t->s.since = t->sched->now;
	arm(t);
}

static u32 look(const struct integrator_timer *t, u32 reg, bool *known)
{
	const struct integrator_timer_state *s = &t->s;

	*known = true;
	switch (reg) {
	case REG_LOAD:
	case REG_BGLOAD: return s->load;
	case REG_VALUE: return value(t);
	case REG_CONTROL: return s->control;
	case REG_RIS: return s->ris;
	case REG_MIS: return s->control & CTL_INT ? s->ris : 0;
	default: *known = false; return 0;
	}
}

static u64 timers_read(void *dev, u64 off, unsigned size)
{
	struct integrator_timers *t = dev;
	u32 reg = primecell_reg(off), n = reg >> 8, val = 0;
	bool known = false;

	(void)size;
	if (n < INTEGRATOR_TIMERS)
		val = look(&t->timer[n], reg & 0xff, &known);
	return primecell_lane(off, known ? val : primecell_no_read("timers", reg));
}

static u64 timers_peek(const void *dev, u64 off, unsigned size)
{
	const struct integrator_timers *t = dev;
	u32 reg = primecell_reg(off), n = reg >> 8;
	bool known;

	(void)size;
	return n < INTEGRATOR_TIMERS ? primecell_lane(off, look(&t->timer[n], reg & 0xff, &known)) : 0;
}

static void timers_write(void *dev, u64 off, unsigned size, u64 val64)
{
	struct integrator_timers *all = dev;
	u32 reg = primecell_reg(off), n = reg >> 8, val = (u32)val64;
	struct integrator_timer *t = &all->timer[n % INTEGRATOR_TIMERS];

	(void)size;
	switch (n < INTEGRATOR_TIMERS ? reg & 0xff : ~0u) {
	case REG_LOAD:
		t->s.load = val;
		restart(t, val);
		break;
	case REG_VALUE: break; /* read only */
	case REG_CONTROL: set_control(t, val); break;
	case REG_INTCLR: t->s.ris = 0; break;
	case REG_BGLOAD: /* counts after the next zero: so the present count goes on */
		set_control(t, t->s.control);
		t->s.load = val;
		arm(t);
		break;
	default: primecell_no_write("timers", reg); break;
	}
	update(t);
}

const struct region_ops integrator_timers_ops = {"integrator-timers", timers_read, timers_write, timers_peek, 1, 4};

void integrator_timers_reset(struct integrator_timers *all)
{
	for (unsigned i = 0; i < INTEGRATOR_TIMERS; i++) {
		struct integrator_timer *t = &all->timer[i];

		t->s = (struct integrator_timer_state){.since = t->sched->now, .count = 0xffffffffu, .control = CTL_INT};
		arm(t);
		update(t);
	}
}

void integrator_timers_init(struct integrator_timers *all, struct sched *sched, u32 timer_id, u32 tick0, u32 tick12)
{
	*all = (struct integrator_timers){0};
	for (unsigned i = 0; i < INTEGRATOR_TIMERS; i++) {
		struct integrator_timer *t = &all->timer[i];

		t->sched = sched;
		t->tick = i ? tick12 : tick0;
		timer_init(&t->timer, sched, timer_id + i, fire, t);
	}
	integrator_timers_reset(all);
}

void integrator_timers_post_load(struct integrator_timers *all)
{
	for (unsigned i = 0; i < INTEGRATOR_TIMERS; i++) {
		struct integrator_timer *t = &all->timer[i];

		if (t->s.since > t->sched->now)
			t->s.since = t->sched->now;
		arm(t);
		update(t);
	}
}
