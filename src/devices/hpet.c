/* See hpet.h. */
#include "devices/hpet.h"

enum { REG_CAPS = 0x00, REG_CONFIG = 0x10, REG_STATUS = 0x20, REG_COUNTER = 0xf0, REG_TIMERS = 0x100 };
enum { TIMER_CONFIG = 0x00, TIMER_COMPARATOR = 0x08, TIMER_STRIDE = 0x20 };

#define CONFIG_ENABLE BIT(0)
#define CONFIG_LEGACY BIT(1)
#define TN_LEVEL      BIT(1)
#define TN_ENABLE     BIT(2)
#define TN_PERIODIC   BIT(3)
#define TN_PERIOD_CAP BIT(4)
#define TN_SIZE_CAP   BIT(5)
#define TN_SETVAL     BIT(6)
#define TN_32BIT      BIT(8)
#define TN_WRITABLE   0x3f4eull /* level, enable, periodic, set value, 32-bit, route */
#define FS_PER_NS     1000000ull

static bool enabled(const struct hpet *h) { return h->s.config & CONFIG_ENABLE; }

static u64 counter(const struct hpet *h)
{
	return h->s.counter + (enabled(h) ? (h->sched->now - h->s.since) / HPET_TICK_NS : 0);
}

static u64 timer_mask(const struct hpet *h, unsigned n) { return h->s.timer_config[n] & TN_32BIT ? 0xffffffff : ~0ull; }

/* ---------------------------------------------------------------------------------------------- interrupts (2.4) */

/* The line of timer n: in legacy mode timer 0 is IRQ 0 and timer 1 is IRQ 8, the others follow their route
 * (2.3.4, 2.3.8). */
static struct irq *timer_line(struct hpet *h, unsigned n)
{
	unsigned route = (unsigned)bits(h->s.timer_config[n], 13, 9);

	if (h->s.config & CONFIG_LEGACY && n < 2)
		return &h->legacy_irq[n];
	return route < HPET_PINS && h->routes >> route & 1 ? &h->pin[route] : NULL;
}

/* Status bits exist for level-triggered timers; several of them may share a line. */
static void update_lines(struct hpet *h)
{
	for (unsigned i = 0; i < HPET_PINS + 2; i++) {
		struct irq *q = i < HPET_PINS ? &h->pin[i] : &h->legacy_irq[i - HPET_PINS];
		bool level = false;

		for (unsigned n = 0; n < HPET_TIMERS; n++)
			level |= h->s.status >> n & 1 && h->s.timer_config[n] & TN_ENABLE && timer_line(h, n) == q;
		irq_set(q, level);
	}
}

static void interrupt(struct hpet *h, unsigned n)
{
	struct irq *q = timer_line(h, n);

	if (h->s.timer_config[n] & TN_LEVEL) {
		h->s.status |= BIT(n); /* set even if the timer's interrupt is disabled (2.3.8) */
		update_lines(h);
	} else if (h->s.timer_config[n] & TN_ENABLE && q && !q->level) {
		irq_pulse(q);
	}
}

/* ------------------------------------------------------------------------------------------------ timers (2.3.9) */

static void timer_set(struct hpet *h, unsigned n)
{
	if (h->s.match[n] == TIME_NEVER)
		timer_cancel(&h->timer[n]);
	else
		timer_arm(&h->timer[n], h->s.match[n]);
}

/* The next match is ticks away. */
static void timer_schedule(struct hpet *h, unsigned n, u64 ticks)
{
	u64 phase = (h->sched->now - h->s.since) % HPET_TICK_NS;

	if (ticks > (TIME_NEVER - h->sched->now) / HPET_TICK_NS - 1)
		h->s.match[n] = TIME_NEVER;
	else
		h->s.match[n] = h->sched->now + (ticks ? ticks * HPET_TICK_NS - phase : 0);
	timer_set(h, n);
}

/* A timer matches on equality only, so a comparator that was passed waits for the wrap. */
static void timer_program(struct hpet *h, unsigned n)
{
	if (enabled(h)) {
		timer_schedule(h, n, (h->s.comparator[n] - counter(h)) & timer_mask(h, n));
		return;
	}
	h->s.match[n] = TIME_NEVER;
	timer_set(h, n);
}

static void program_all(struct hpet *h)
{
	for (unsigned n = 0; n < HPET_TIMERS; n++)
		timer_program(h, n);
}

/* A periodic timer moves its comparator past the counter; a one-shot timer in 32-bit mode matches again after the wrap.
 */
static void timer_fire(void *arg, u64 now)
{
	struct hpet_slot *slot = arg;
	struct hpet *h = slot->hpet;
	unsigned n = slot->n;
	u64 mask = timer_mask(h, n), period = h->s.period[n] & mask, late;

	(void)now;
	h->s.match[n] = TIME_NEVER;
	late = (counter(h) - h->s.comparator[n]) & mask;
	if (h->s.timer_config[n] & TN_PERIODIC && period) {
		h->s.comparator[n] = (h->s.comparator[n] + (late / period + 1) * period) & mask;
		timer_program(h, n);
	} else if (mask == 0xffffffff) {
		timer_schedule(h, n, BIT(32) - late);
	}
	interrupt(h, n);
}

/* Periodic mode: with "value set" a write goes to the comparator and the period, without it to the period only
 * (2.3.9.2.2). The bit clears itself. */
static void comparator_write(struct hpet *h, unsigned n, u64 val, u64 which)
{
	bool periodic = h->s.timer_config[n] & TN_PERIODIC;

	which &= timer_mask(h, n);
	if (periodic)
		h->s.period[n] = (h->s.period[n] & ~which) | (val & which);
	if (!periodic || h->s.timer_config[n] & TN_SETVAL)
		h->s.comparator[n] = (h->s.comparator[n] & ~which) | (val & which);
	h->s.timer_config[n] &= ~TN_SETVAL;
	timer_program(h, n);
}

static void timer_config_write(struct hpet *h, unsigned n, u64 val)
{
	h->s.timer_config[n] = val & TN_WRITABLE;
	h->s.comparator[n] &= timer_mask(h, n);
	h->s.period[n] &= timer_mask(h, n);
	if (!(val & TN_LEVEL))
		h->s.status &= ~BIT(n);
	timer_program(h, n);
	update_lines(h);
}

/* ----------------------------------------------------------------------------------------------- registers (2.3) */

static void config_write(struct hpet *h, u64 val)
{
	u64 changed = h->s.config ^ val;

	if (changed & CONFIG_ENABLE) {
		h->s.counter = counter(h);
		h->s.since = h->sched->now;
	}
	h->s.config = val & (CONFIG_ENABLE | CONFIG_LEGACY);
	if (changed & CONFIG_LEGACY && h->legacy)
		h->legacy(h->legacy_arg, val & CONFIG_LEGACY);
	program_all(h);
	update_lines(h);
}

static void counter_write(struct hpet *h, u64 val)
{
	h->s.counter = val;
	h->s.since = h->sched->now;
	program_all(h);
}

static u64 timer_read(const struct hpet *h, unsigned n, unsigned reg)
{
	switch (reg) {
	case TIMER_CONFIG: return h->s.timer_config[n] | TN_PERIOD_CAP | TN_SIZE_CAP | (u64)h->routes << 32;
	case TIMER_COMPARATOR: return h->s.comparator[n];
	default: return 0;
	}
}

/* The 64-bit register at off & ~7. */
static u64 reg_read(const struct hpet *h, unsigned off)
{
	unsigned n = (off - REG_TIMERS) / TIMER_STRIDE;

	if (off >= REG_TIMERS)
		return n < HPET_TIMERS ? timer_read(h, n, off % TIMER_STRIDE) : 0;
	switch (off) {
	case REG_CAPS: return HPET_TICK_NS * FS_PER_NS << 32 | HPET_BLOCK_ID;
	case REG_CONFIG: return h->s.config;
	case REG_STATUS: return h->s.status;
	case REG_COUNTER: return counter(h);
	default: return 0;
	}
}

static u64 hpet_peek(const void *dev, u64 off, unsigned size)
{
	return reg_read(dev, (unsigned)off & (HPET_SIZE - 8)) >> (off & 7) * 8 & mask_low(size * 8);
}

static u64 hpet_read(void *dev, u64 off, unsigned size) { return hpet_peek(dev, off, size); }

/* Whole registers or their halves (2.3.3); which has ones in the bits that are written. */
static void hpet_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct hpet *h = dev;
	unsigned shift = (unsigned)(off & 4) * 8, reg = (unsigned)off & (HPET_SIZE - 8);
	unsigned n = (reg - REG_TIMERS) / TIMER_STRIDE;
	u64 which = mask_low(size * 8) << shift, merged = (reg_read(h, reg) & ~which) | (val << shift & which);

	if (size < 4)
		return;
	if (reg >= REG_TIMERS && n < HPET_TIMERS && reg % TIMER_STRIDE == TIMER_CONFIG) {
		timer_config_write(h, n, merged);
	} else if (reg >= REG_TIMERS && n < HPET_TIMERS && reg % TIMER_STRIDE == TIMER_COMPARATOR) {
		comparator_write(h, n, val << shift, which);
	} else if (reg == REG_CONFIG) {
		config_write(h, merged);
	} else if (reg == REG_STATUS) { /* write 1 to clear (2.3.6) */
		h->s.status &= ~(val << shift & which);
		update_lines(h);
	} else if (reg == REG_COUNTER) {
		counter_write(h, merged);
	}
}

const struct region_ops hpet_ops = {
	.name = "hpet",
	.read = hpet_read,
	.write = hpet_write,
	.peek = hpet_peek,
	.min = 1,
	.max = 8,
};

void hpet_init(struct hpet *h, struct sched *sched, u32 timer_id, u32 routes)
{
	*h = (struct hpet){.sched = sched, .routes = routes & (u32)mask_low(HPET_PINS)};
	for (unsigned n = 0; n < HPET_TIMERS; n++) {
		h->slot[n] = (struct hpet_slot){h, n};
		timer_init(&h->timer[n], sched, timer_id + n, timer_fire, &h->slot[n]);
	}
	hpet_reset(h);
}

/* The comparators reset to all ones (2.3.9.1). */
void hpet_reset(struct hpet *h)
{
	bool legacy = h->s.config & CONFIG_LEGACY;

	h->s = (struct hpet_state){0};
	for (unsigned n = 0; n < HPET_TIMERS; n++)
		h->s.comparator[n] = ~0ull;
	if (legacy && h->legacy)
		h->legacy(h->legacy_arg, false);
	program_all(h);
	update_lines(h);
}

void hpet_post_load(struct hpet *h)
{
	if (h->legacy)
		h->legacy(h->legacy_arg, h->s.config & CONFIG_LEGACY);
	for (unsigned n = 0; n < HPET_TIMERS; n++)
		timer_set(h, n);
	update_lines(h);
}

const struct field hpet_fields[HPET_FIELDS] = {
	FIELD_HEX(struct hpet_state, config),         FIELD_HEX(struct hpet_state, status),
	FIELD_HEX(struct hpet_state, counter),        FIELD_HEX(struct hpet_state, since),
	FIELD_ARRAY(struct hpet_state, timer_config), FIELD_ARRAY(struct hpet_state, comparator),
	FIELD_ARRAY(struct hpet_state, period),       FIELD_ARRAY(struct hpet_state, match),
};
