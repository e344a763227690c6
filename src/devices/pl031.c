/* See pl031.h. Manual: ARM PrimeCell Real Time Clock (PL031) TRM, DDI0224, chapter 3. The clock cannot be stopped. */
#include "devices/pl031.h"

#include "devices/primecell.h"

enum { REG_DR = 0x00, REG_MR = 0x04, REG_LR = 0x08, REG_CR = 0x0c, REG_IMSC = 0x10, REG_RIS = 0x14, REG_MIS = 0x18, REG_ICR = 0x1c };

const struct field pl031_fields[PL031_FIELDS] = {
	FIELD_DEC(struct pl031_state, base_ns), FIELD_DEC(struct pl031_state, seen_ns), FIELD_DEC(struct pl031_state, base), FIELD_DEC(struct pl031_state, mr),
	FIELD_DEC(struct pl031_state, lr),      FIELD_HEX(struct pl031_state, cr),   FIELD_HEX(struct pl031_state, imsc),
	FIELD_HEX(struct pl031_state, ris),
};

static u32 now_count(const struct pl031 *r)
{
	return r->s.base + (u32)((r->sched->now - r->s.base_ns) / NS_PER_SEC);
}

/* Whether the counter has become equal to the match register since it was last settled. */
static bool matched(const struct pl031 *r)
{
	u32 seen = (u32)(r->s.base + (r->s.seen_ns - r->s.base_ns) / NS_PER_SEC);

	return r->s.mr - seen - 1 < now_count(r) - seen;
}

static u32 raw(const struct pl031 *r) { return r->s.ris || matched(r); }

static void settle(struct pl031 *r)
{
	r->s.ris = raw(r);
	r->s.seen_ns = r->sched->now;
}

/* A timer runs only for those who want the interrupt. */
static void update(struct pl031 *r)
{
	u64 second = (r->sched->now - r->s.base_ns) / NS_PER_SEC;
	u32 ahead = r->s.mr - now_count(r);

	irq_set(&r->irq, r->s.ris & r->s.imsc);
	timer_cancel(&r->timer);
	if (r->s.imsc && !r->s.ris)
		timer_arm(&r->timer, r->s.base_ns + (second + (ahead ? ahead : BIT(32))) * NS_PER_SEC);
}

static void match(void *arg, u64 now)
{
	(void)now;
	settle(arg);
	update(arg);
}

static u32 look(const struct pl031 *r, u32 reg, bool *known)
{
	const struct pl031_state *s = &r->s;

	*known = true;
	switch (reg) {
	case REG_DR: return now_count(r);
	case REG_MR: return s->mr;
	case REG_LR: return s->lr;
	case REG_CR: return s->cr;
	case REG_IMSC: return s->imsc;
	case REG_RIS: return raw(r);
	case REG_MIS: return raw(r) & s->imsc;
	case PRIMECELL_ID ... PRIMECELL_SIZE - 4: return primecell_id(reg, 0x31, 0x10, 0x14, 0x00);
	default: *known = false; return 0;
	}
}

static u64 pl031_read(void *dev, u64 off, unsigned size)
{
	u32 reg = primecell_reg(off), val;
	bool known;

	(void)size;
	val = look(dev, reg, &known);
	return primecell_lane(off, known ? val : primecell_no_read("pl031", reg));
}

static u64 pl031_peek(const void *dev, u64 off, unsigned size)
{
	bool known;

	(void)size;
	return primecell_lane(off, look(dev, primecell_reg(off), &known));
}

static void pl031_write(void *dev, u64 off, unsigned size, u64 val64)
{
	struct pl031 *r = dev;
	u32 reg = primecell_reg(off), val = (u32)val64;

	(void)size;
	settle(r);
	switch (reg) {
	case REG_MR: r->s.mr = val; break;
	case REG_LR:
		r->s.lr = r->s.base = val;
		r->s.base_ns = r->sched->now;
		break;
	case REG_CR: break; /* once the clock runs, only a reset would stop it: DDI0224 3.3.4 */
	case REG_IMSC: r->s.imsc = val & 1; break;
	case REG_ICR: r->s.ris &= ~val; break;
	default: primecell_no_write("pl031", reg); break;
	}
	update(r);
}

const struct region_ops pl031_ops = {"pl031", pl031_read, pl031_write, pl031_peek, 1, 4};

void pl031_reset(struct pl031 *r)
{
	r->s.mr = r->s.lr = r->s.imsc = r->s.ris = 0;
	r->s.cr = 1;
	r->s.seen_ns = r->sched->now;
	update(r);
}

void pl031_init(struct pl031 *r, struct sched *sched, u32 timer_id, s64 unix_time)
{
	*r = (struct pl031){.sched = sched, .s.base = (u32)unix_time};
	timer_init(&r->timer, sched, timer_id, match, r);
	pl031_reset(r);
}

void pl031_post_load(struct pl031 *r)
{
	if (r->s.base_ns > r->sched->now)
		r->s.base_ns = r->sched->now;
	if (r->s.seen_ns < r->s.base_ns || r->s.seen_ns > r->sched->now)
		r->s.seen_ns = r->sched->now;
	update(r);
}
