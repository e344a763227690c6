/*
 * 8254 programmable interval timer. Data sheet: Intel 8254 (231164). Nothing counts here: a counter remembers the tick
 * of its 1.193182 MHz clock at which its count was loaded, and count and output are computed from the ticks since then.
 * A count written at tick w is loaded by the next clock pulse, at w + 1; who reads it before that sees it loaded, because on an
 * ISA bus an access takes longer than a tick and here a few nanoseconds. Port 61h: IBM PC/AT technical reference; bit 4 toggles with
 * each refresh, every 18 ticks (15.09 us).
 */
#include "devices/i8254.h"

#define REFRESH_TICKS 18

enum { ACCESS_LATCH, ACCESS_LOW, ACCESS_HIGH, ACCESS_BOTH };
enum { STATUS_OUT = 0x80, STATUS_NULL = 0x40 };
enum { P61_GATE2 = 1, P61_WRITABLE = 15, P61_REFRESH = 16, P61_OUT2 = 32 };

#define COUNTER_FIELDS(c)                                                                                              \
	FIELD_DEC(struct i8254_state, c.base), FIELD_DEC(struct i8254_state, c.swap_at),                               \
		FIELD_DEC(struct i8254_state, c.elapsed), FIELD_DEC(struct i8254_state, c.n),                          \
		FIELD_DEC(struct i8254_state, c.next_n), FIELD_HEX(struct i8254_state, c.held),                        \
		FIELD_HEX(struct i8254_state, c.latch), FIELD_DEC(struct i8254_state, c.mode),                         \
		FIELD_DEC(struct i8254_state, c.access), FIELD_DEC(struct i8254_state, c.bcd),                         \
		FIELD_DEC(struct i8254_state, c.gate), FIELD_DEC(struct i8254_state, c.running),                       \
		FIELD_DEC(struct i8254_state, c.frozen), FIELD_DEC(struct i8254_state, c.fresh),                       \
		FIELD_DEC(struct i8254_state, c.pre_out), FIELD_DEC(struct i8254_state, c.written),                    \
		FIELD_HEX(struct i8254_state, c.low), FIELD_DEC(struct i8254_state, c.read_high),                      \
		FIELD_DEC(struct i8254_state, c.latched), FIELD_DEC(struct i8254_state, c.status_latched),             \
		FIELD_HEX(struct i8254_state, c.status), FIELD_(struct i8254_state, c.pad, FMT_PAD, 0)

const struct field i8254_fields[I8254_FIELDS] = {
	COUNTER_FIELDS(c0),
	COUNTER_FIELDS(c1),
	COUNTER_FIELDS(c2),
	FIELD_HEX(struct i8254_state, port61),
	FIELD_(struct i8254_state, pad, FMT_PAD, 0),
};

static s64 tick_now(const struct i8254 *p) { return (s64)ticks_at(p->sched->now, I8254_HZ); }

static struct i8254_counter *counter(struct i8254_state *s, unsigned n)
{
	return n == 0 ? &s->c0 : n == 1 ? &s->c1 : &s->c2;
}

/* Modes that run for ever, and modes that the gate's rising edge starts. */
static bool periodic(const struct i8254_counter *c) { return c->mode == 2 || c->mode == 3; }
static bool triggered(const struct i8254_counter *c) { return c->mode == 1 || c->mode == 5; }

/* The counter with a waiting count taken over, if its time has come: what the other functions look at. */
static struct i8254_counter at(const struct i8254_counter *c, s64 t)
{
	struct i8254_counter now = *c;

	if (t < now.swap_at)
		return now;
	/* In mode 3 the new count may begin with the low half: put base where its high half would have begun. */
	now.base = now.swap_at;
	if (now.mode == 3 && (now.swap_at - c->base) % c->n != 0)
		now.base -= (now.next_n + 1) / 2;
	now.n = now.next_n;
	now.swap_at = I8254_NEVER;
	now.fresh = 0;
	return now;
}

static void sync(struct i8254_counter *c, s64 t)
{
	if (t >= c->swap_at)
		*c = at(c, t);
}

/* Ticks counted since the count was loaded; -1 before that. A count is loaded even while the gate holds it. */
static s64 elapsed(const struct i8254_counter *c, s64 t)
{
	if (t < c->base)
		return -1;
	if (!c->frozen)
		return t - c->base;
	return c->elapsed < 0 ? 0 : c->elapsed;
}

static bool periodic_out(const struct i8254_counter *c, s64 e)
{
	s64 pos = e % c->n;

	if (c->frozen || c->n < 2)
		return true;
	return c->mode == 2 ? pos != c->n - 1 : pos < (c->n + 1) / 2;
}

/* The output of a synchronized counter. */
static bool out(const struct i8254_counter *c, s64 t)
{
	s64 e = elapsed(c, t);

	if (!c->running)
		return c->mode != 0;
	if (e < 0)
		return c->pre_out;
	switch (c->mode) {
	case 0: return e >= c->n;
	case 1: return e >= c->n;
	case 2:
	case 3: return periodic_out(c, e);
	default: return e != c->n || c->frozen; /* the strobe lasts one tick whatever the gate does */
	}
}

static u16 to_bcd(u32 v) { return (u16)(v % 10 | v / 10 % 10 << 4 | v / 100 % 10 << 8 | v / 1000 % 10 << 12); }

static u32 from_bcd(u16 v) { return (v >> 12) * 1000u + (v >> 8 & 15) * 100u + (v >> 4 & 15) * 10u + (v & 15u); }

static u16 as_read(const struct i8254_counter *c, u32 count) { return c->bcd ? to_bcd(count % 10000) : (u16)count; }

/* Mode 3 counts down by two in each half; odd counts are loaded less one (8254, "Mode 3"). */
static u32 square_count(const struct i8254_counter *c, s64 e)
{
	u32 pos = (u32)(e % c->n), high = (c->n + 1) / 2;

	return (c->n & ~1u) - 2 * (pos < high ? pos : pos - high);
}

/* The counting element as it is read. A waiting count reads as loaded: see above. */
static u16 count(const struct i8254_counter *c, s64 t)
{
	s64 e = elapsed(c, t < c->base ? c->base : t);
	u32 modulus = c->bcd ? 10000 : 65536;

	if (!c->running)
		return c->held;
	if (c->mode == 3)
		return as_read(c, square_count(c, e));
	if (c->mode == 2)
		return as_read(c, c->n - (u32)(e % c->n));
	return as_read(c, (c->n + modulus - (u32)(e % modulus)) % modulus);
}

/* The tick after t at which the output may change, or I8254_NEVER. */
static s64 next_edge(const struct i8254_counter *c, s64 t)
{
	s64 e = elapsed(c, t), pos, next = I8254_NEVER;

	if (!c->running)
		return I8254_NEVER;
	if (e < 0)
		return c->base;
	if (c->frozen)
		return I8254_NEVER;
	if (periodic(c)) {
		s64 half = c->mode == 2 ? c->n - 1 : (c->n + 1) / 2;

		pos = e % c->n;
		if (c->n >= 2)
			next = t + (pos < half ? half - pos : c->n - pos);
		return next < c->swap_at ? next : c->swap_at;
	}
	if (e < c->n)
		return c->base + c->n;
	return c->mode >= 4 && e == c->n ? t + 1 : I8254_NEVER;
}

void i8254_rearm(struct i8254 *p)
{
	struct i8254_counter *c = &p->s.c0;
	s64 t = tick_now(p), next;

	sync(c, t);
	irq_set(&p->out0, out(c, t));
	next = next_edge(c, t);
	if (next != I8254_NEVER && p->out0.set)
		timer_arm(&p->timer, tick_start((u64)next, I8254_HZ));
	else
		timer_cancel(&p->timer);
}

static void edge(void *arg, u64 now)
{
	(void)now;
	i8254_rearm(arg);
}

/* The counting element gets next_n with the next clock pulse. */
static void load(struct i8254_counter *c, s64 t, bool pre_out)
{
	c->held = count(c, t);
	c->pre_out = pre_out;
	c->n = c->next_n;
	c->base = t + 1;
	c->swap_at = I8254_NEVER;
	c->elapsed = -1;
	c->running = 1;
	c->fresh = 0;
}

/* A new count in mode 2 waits for the end of the period, in mode 3 for the end of the half. */
static void load_later(struct i8254_counter *c, s64 t)
{
	s64 e = elapsed(c, t), pos = e % c->n, left = c->n - pos;

	if (e < 0) {
		c->n = c->next_n;
		return;
	}
	c->fresh = 1;
	if (c->frozen)
		return;
	if (c->mode == 3 && pos < (c->n + 1) / 2)
		left = (c->n + 1) / 2 - pos;
	c->swap_at = t + left;
}

static void count_written(struct i8254_counter *c, s64 t, u16 val)
{
	c->next_n = c->bcd ? from_bcd(val) : val;
	if (!c->next_n)
		c->next_n = c->bcd ? 10000 : 65536;
	if (triggered(c))
		c->fresh = 1;
	else if (periodic(c) && c->running)
		load_later(c, t);
	else
		load(c, t, c->mode != 0);
	if (!triggered(c))
		c->frozen = !c->gate;
}

static void write_count(struct i8254_counter *c, s64 t, u8 val)
{
	if (c->access == ACCESS_LOW) {
		count_written(c, t, val);
	} else if (c->access == ACCESS_HIGH) {
		count_written(c, t, (u16)(val << 8));
	} else if (!c->written) {
		c->low = val;
		c->written = 1;
		if (c->mode == 0) { /* the first byte stops the count, the output goes low */
			c->held = count(c, t);
			c->running = 0;
		}
	} else {
		c->written = 0;
		count_written(c, t, (u16)(val << 8 | c->low));
	}
}

static void gate_rises(struct i8254_counter *c, s64 t)
{
	if (triggered(c)) {
		if (c->fresh || c->running)
			load(c, t, out(c, t));
		return;
	}
	if (periodic(c)) {
		if (c->running)
			load(c, t, true);
	} else if (t >= c->base) {
		c->base = t - (c->elapsed < 0 ? 0 : c->elapsed);
	}
	c->frozen = 0;
}

static void gate_falls(struct i8254_counter *c, s64 t)
{
	if (triggered(c))
		return;
	c->elapsed = elapsed(c, t);
	c->frozen = 1;
	if (c->swap_at != I8254_NEVER)
		c->swap_at = I8254_NEVER; /* the rising gate loads the count register anyway */
}

static void set_gate(struct i8254_counter *c, s64 t, bool level)
{
	if (c->gate == level)
		return;
	sync(c, t);
	c->gate = level;
	if (level)
		gate_rises(c, t);
	else
		gate_falls(c, t);
}

/* A latched count stays until it is read; later latch commands do not replace it. */
static void latch_count(struct i8254_counter *c, s64 t)
{
	if (c->latched)
		return;
	c->latch = count(c, t);
	c->latched = c->access == ACCESS_BOTH ? 2 : 1;
}

static void latch_status(struct i8254_counter *c, s64 t)
{
	if (c->status_latched)
		return;
	c->status = (u8)(c->access << 4 | c->mode << 1 | c->bcd);
	if (out(c, t))
		c->status |= STATUS_OUT;
	if (c->fresh || !c->running || t < c->base)
		c->status |= STATUS_NULL;
	c->status_latched = 1;
}

/* Read-back: bits 5 and 4 low ask for count and status, bits 3:1 name the counters. */
static void read_back(struct i8254 *p, s64 t, u8 val)
{
	for (unsigned n = 0; n < 3; n++) {
		struct i8254_counter *c = counter(&p->s, n);

		if (!(val >> (n + 1) & 1))
			continue;
		sync(c, t);
		if (!(val & 0x20))
			latch_count(c, t);
		if (!(val & 0x10))
			latch_status(c, t);
	}
}

static void write_control(struct i8254 *p, s64 t, u8 val)
{
	struct i8254_counter *c = counter(&p->s, val >> 6);
	u8 mode = val >> 1 & 7;

	if (val >> 6 == 3) {
		read_back(p, t, val);
		return;
	}
	sync(c, t);
	if ((val >> 4 & 3) == ACCESS_LATCH) {
		latch_count(c, t);
		return;
	}
	c->held = count(c, t);
	c->mode = mode > 5 ? mode - 4 : mode;
	c->access = val >> 4 & 3;
	c->bcd = val & 1;
	c->running = c->fresh = c->written = c->read_high = c->latched = c->status_latched = 0;
	c->frozen = !triggered(c) && !c->gate;
	c->swap_at = I8254_NEVER;
}

static void pit_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct i8254 *p = dev;
	s64 t = tick_now(p);

	(void)size;
	if ((off & 3) == 3) {
		write_control(p, t, (u8)val);
	} else {
		struct i8254_counter *c = counter(&p->s, off & 3);

		sync(c, t);
		write_count(c, t, (u8)val);
	}
	i8254_rearm(p);
}

/* The byte that a read returns now. */
static u8 look(const struct i8254_counter *c, s64 t)
{
	u16 val = c->latched ? c->latch : count(c, t);

	if (c->status_latched)
		return c->status;
	if (c->access == ACCESS_HIGH || (c->access == ACCESS_BOTH && c->read_high))
		return (u8)(val >> 8);
	return (u8)val;
}

static u64 pit_read(void *dev, u64 off, unsigned size)
{
	struct i8254 *p = dev;
	struct i8254_counter *c = counter(&p->s, off & 3);
	s64 t = tick_now(p);
	u8 val;

	(void)size;
	if ((off & 3) == 3)
		return 0xff; /* the control word register cannot be read */
	sync(c, t);
	val = look(c, t);
	if (c->status_latched) {
		c->status_latched = 0;
		return val;
	}
	if (c->access == ACCESS_BOTH)
		c->read_high ^= 1;
	if (c->latched)
		c->latched--;
	return val;
}

static u64 pit_peek(const void *dev, u64 off, unsigned size)
{
	const struct i8254 *p = dev;
	s64 t = tick_now(p);
	struct i8254_counter c = at((off & 3) == 0 ? &p->s.c0 : (off & 3) == 1 ? &p->s.c1 : &p->s.c2, t);

	(void)size;
	return (off & 3) == 3 ? 0xff : look(&c, t);
}

bool i8254_out(const struct i8254 *p, unsigned n)
{
	s64 t = tick_now(p);
	struct i8254_counter c = at(n == 0 ? &p->s.c0 : n == 1 ? &p->s.c1 : &p->s.c2, t);

	return out(&c, t);
}

static u64 port61_peek(const void *dev, u64 off, unsigned size)
{
	const struct i8254 *p = dev;
	u8 val = p->s.port61;

	(void)off, (void)size;
	if (tick_now(p) / REFRESH_TICKS & 1)
		val |= P61_REFRESH;
	if (i8254_out(p, 2))
		val |= P61_OUT2;
	return val;
}

static u64 port61_read(void *dev, u64 off, unsigned size) { return port61_peek(dev, off, size); }

static void port61_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct i8254 *p = dev;

	(void)off, (void)size;
	p->s.port61 = val & P61_WRITABLE;
	set_gate(&p->s.c2, tick_now(p), val & P61_GATE2);
}

const struct region_ops i8254_ops = {"i8254", pit_read, pit_write, pit_peek, 1, 1};
const struct region_ops i8254_port61_ops = {"port61", port61_read, port61_write, port61_peek, 1, 1};

void i8254_reset(struct i8254 *p)
{
	p->s = (struct i8254_state){0};
	for (unsigned n = 0; n < 3; n++)
		*counter(&p->s, n) = (struct i8254_counter){.swap_at = I8254_NEVER,
							    .n = 65536,
							    .next_n = 65536,
							    .access = ACCESS_BOTH,
							    .mode = 3,
							    .gate = n != 2,
							    .frozen = n == 2};
	i8254_rearm(p);
}

void i8254_init(struct i8254 *p, struct sched *sched, u32 timer_id)
{
	*p = (struct i8254){.sched = sched};
	timer_init(&p->timer, sched, timer_id, edge, p);
	i8254_reset(p);
}

/* Guards what the rest relies on; n = 0 would divide by zero. */
static void check_loaded(struct i8254_counter *c)
{
	if (c->n - 1 > 65535)
		c->n = 65536;
	if (c->next_n - 1 > 65535)
		c->next_n = 65536;
	c->mode %= 6;
}

void i8254_post_load(struct i8254 *p)
{
	for (unsigned n = 0; n < 3; n++)
		check_loaded(counter(&p->s, n));
	i8254_rearm(p);
}
