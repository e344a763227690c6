/*
 * See lapic.h. Here: acceptance and priority, local interrupts, timer, interprocessor interrupts, life cycle. How
 * software sees it, as a page and as MSRs, is in lapic_regs.c.
 */
#include "devices/lapic_int.h"

/* --------------------------------------------------------------------------- acceptance and priority (APM2 16.6) */

static inline bool vec_test(const u64 *v, unsigned n) { return v[n >> 6 & 3] >> (n & 63) & 1; }
static inline void vec_set(u64 *v, unsigned n) { v[n >> 6 & 3] |= BIT(n & 63); }
static inline void vec_clear(u64 *v, unsigned n) { v[n >> 6 & 3] &= ~BIT(n & 63); }

/* The highest bit set in a (and in b, if given), or -1. */
static inline int vec_highest(const u64 *a, const u64 *b)
{
	for (int i = 3; i >= 0; i--) {
		u64 v = b ? a[i] & b[i] : a[i];

		if (v)
			return i * 64 + 63 - __builtin_clzll(v);
	}
	return -1;
}

static void set_pending(struct lapic *l, int vector)
{
	if (l->pending == vector)
		return;
	l->pending = (s16)vector;
	if (l->wire.intr_changed)
		l->wire.intr_changed(l->wire.cpu);
}

/* PPR is the task priority or the class in service, whichever is higher; only a higher class is delivered
 * (APM2 16.6.4). IRR and ISR are held while software has disabled the APIC (APM2 16.4.7). irrv and isrv are right. */
static void prioritize(struct lapic *l)
{
	u8 class = l->isrv < 0 ? 0 : l->isrv & 0xf0;

	l->ppr = (l->s.tpr & 0xf0) >= class ? (u8)l->s.tpr : class;
	set_pending(l, l->irrv >= 0 && (l->irrv & 0xf0) > (l->ppr & 0xf0) && lapic_accepts_fixed(l) ? l->irrv : -1);
}

void lapic_update(struct lapic *l)
{
	l->irrv = (s16)vec_highest(l->s.irr, l->s.ier);
	l->isrv = (s16)vec_highest(l->s.isr, NULL);
	prioritize(l);
}

void lapic_raise_error(struct lapic *l, u32 bit)
{
	if (l->s.esr_next & bit)
		return;
	l->s.esr_next |= bit; /* first, since the error vector itself may be illegal */
	lapic_local(l, LVT_ERROR);
}

/* A fixed interrupt enters IRR; TMR remembers how its EOI is to be treated (APM2 16.6.3). */
static bool accept_fixed(struct lapic *l, u8 vector, bool level)
{
	if (!lapic_accepts_fixed(l))
		return false;
	if (vector < FIRST_LEGAL_VECTOR) {
		lapic_raise_error(l, ESR_RECV_ILLEGAL);
		return true;
	}
	vec_set(l->s.irr, vector);
	if (level)
		vec_set(l->s.tmr, vector);
	else
		vec_clear(l->s.tmr, vector);
	if (vector > l->irrv && vec_test(l->s.ier, vector)) {
		l->irrv = vector;
		if ((vector & 0xf0) > (l->ppr & 0xf0))
			set_pending(l, vector);
	}
	return true;
}

u8 lapic_accept(struct lapic *l)
{
	int vector = l->pending;

	if (vector < 0)
		return (u8)l->s.svr; /* spurious: no ISR bit, no EOI (APM2 16.4.7) */
	vec_clear(l->s.irr, (unsigned)vector);
	vec_set(l->s.isr, (unsigned)vector);
	l->isrv = (s16)vector; /* pending means above all in service */
	l->irrv = (s16)vec_highest(l->s.irr, l->s.ier);
	prioritize(l);
	return (u8)vector;
}

void lapic_eoi(struct lapic *l, int vector)
{
	if (vector < 0 || !vec_test(l->s.isr, (unsigned)vector))
		return;
	vec_clear(l->s.isr, (unsigned)vector);
	l->isrv = (s16)vec_highest(l->s.isr, NULL);
	prioritize(l);
	if (!vec_test(l->s.tmr, (unsigned)vector))
		return;
	if (l->wire.eoi && !(l->s.svr & SVR_EOI_SUPPRESS))
		l->wire.eoi(l->wire.bus, (u8)vector);
	for (unsigned n = 0; n < 2; n++)
		if (l->s.lint_fired[n] && (u8)l->s.lvt[LVT_LINT0 + n] == vector) {
			l->s.lint_fired[n] = 0;
			lapic_lint_level(l, n);
		}
}

/* APM2 16.6.2: what this APIC bids for a lowest-priority message. */
u8 lapic_apr(const struct lapic *l)
{
	int irrv = vec_highest(l->s.irr, NULL);
	u32 tpr = l->s.tpr & 0xf0, isr = l->isrv < 0 ? 0 : l->isrv & 0xf0, irr = irrv < 0 ? 0 : irrv & 0xf0;

	if (tpr >= irr && tpr > isr)
		return (u8)l->s.tpr;
	return (u8)(isr > irr ? isr : irr);
}

bool lapic_is_focus(const struct lapic *l, u8 vector)
{
	return vec_test(l->s.irr, vector) || vec_test(l->s.isr, vector);
}

void lapic_set_tpr(struct lapic *l, u8 cr8)
{
	l->s.tpr = (u32)(cr8 & 15) << 4;
	lapic_update(l);
}

/* ---------------------------------------------------------------------------------- local interrupts (APM2 16.4) */

static bool lint_passes_extint(const struct lapic *l, unsigned n)
{
	u32 lvt = l->s.lvt[LVT_LINT0 + n];

	return l->s.lint[n] && !(lvt & LVT_MASKED) && LVT_MODE(lvt) == APIC_EXTINT;
}

/* While the APIC is off, its pins are the CPU's INTR and NMI (APM2 16.3.1). */
void lapic_extint_update(struct lapic *l)
{
	bool on = l->s.lint[0];

	if (lapic_enabled(l))
		on = l->s.extint_latch || lint_passes_extint(l, 0) || lint_passes_extint(l, 1);
	if (on == l->extint_out)
		return;
	l->extint_out = on;
	if (l->wire.extint)
		l->wire.extint(l->wire.cpu, on);
}

void lapic_extint_ack(struct lapic *l)
{
	l->s.extint_latch = 0;
	lapic_extint_update(l);
}

static void call(struct lapic *l, void (*f)(void *))
{
	if (f)
		f(l->wire.cpu);
}

bool lapic_receive(struct lapic *l, enum apic_mode mode, u8 vector, bool level)
{
	if (!lapic_enabled(l))
		return false;
	switch (mode) {
	case APIC_FIXED:
	case APIC_LOWEST: return accept_fixed(l, vector, level);
	case APIC_SMI: call(l, l->wire.smi); return true;
	case APIC_NMI: call(l, l->wire.nmi); return true;
	case APIC_INIT: call(l, l->wire.init); return true;
	case APIC_STARTUP:
		if (l->wire.sipi)
			l->wire.sipi(l->wire.cpu, vector);
		return true;
	case APIC_EXTINT:
		if (!lapic_accepts_fixed(l))
			return false;
		l->s.extint_latch = 1;
		lapic_extint_update(l);
		return true;
	case APIC_REMOTE_READ: break; /* answered by the bus */
	}
	return false;
}

void lapic_local(struct lapic *l, enum lapic_lvt n)
{
	u32 lvt = l->s.lvt[(unsigned)n % LVT_COUNT];

	if (lvt & LVT_MASKED)
		return;
	lapic_receive(l, n == LVT_TIMER ? APIC_FIXED : LVT_MODE(lvt), (u8)lvt, false);
}

/* A level-triggered fixed interrupt is sent once per EOI while the pin is high (APM2 16.4.2). */
void lapic_lint_level(struct lapic *l, unsigned n)
{
	u32 lvt = l->s.lvt[LVT_LINT0 + n];

	if (!l->s.lint[n] || l->s.lint_fired[n] || (lvt & LVT_MASKED) || !(lvt & LVT_LEVEL) ||
	    LVT_MODE(lvt) != APIC_FIXED)
		return;
	l->s.lint_fired[n] = lapic_receive(l, APIC_FIXED, (u8)lvt, true);
}

void lapic_lint(struct lapic *l, unsigned n, bool level)
{
	u32 lvt;
	bool rising;

	n &= 1;
	lvt = l->s.lvt[LVT_LINT0 + n];
	rising = level && !l->s.lint[n];
	l->s.lint[n] = level;
	lapic_extint_update(l);
	if (!lapic_enabled(l)) {
		if (n == 1 && rising)
			call(l, l->wire.nmi);
		return;
	}
	if (LVT_MODE(lvt) == APIC_FIXED && lvt & LVT_LEVEL)
		lapic_lint_level(l, n);
	else if (LVT_MODE(lvt) != APIC_EXTINT && rising)
		lapic_local(l, LVT_LINT0 + n);
}

void lapic_lint_irq(void *lapic, unsigned n, bool level) { lapic_lint(lapic, n, level); }

/* ------------------------------------------------------------------------------------------- timer (APM2 16.4.1) */

/* Divide configuration bits 3, 1, 0: 000 = by 2, 001 = by 4, ... 110 = by 128, 111 = by 1. */
static unsigned timer_shift(const struct lapic *l)
{
	u32 d = l->s.timer_divide;

	return ((d >> 1 & 4) + (d & 3) + 1) & 7;
}

u32 lapic_timer_current(const struct lapic *l)
{
	u64 elapsed = (l->sched->now - l->s.timer_start) >> timer_shift(l);
	u32 mode = TIMER_MODE(l->s.lvt[LVT_TIMER]);

	if (mode == TIMER_DEADLINE)
		return 0;
	if (elapsed < l->s.timer_count)
		return l->s.timer_count - (u32)elapsed;
	if (mode != TIMER_PERIODIC || !l->s.timer_count || !l->s.timer_initial)
		return 0;
	return l->s.timer_initial - (u32)((elapsed - l->s.timer_count) % l->s.timer_initial);
}

static void timer_program(struct lapic *l)
{
	u64 when = TIME_NEVER;

	if (TIMER_MODE(l->s.lvt[LVT_TIMER]) == TIMER_DEADLINE) {
		if (l->s.timer_deadline && l->wire.tsc_to_ns)
			when = l->wire.tsc_to_ns(l->wire.cpu, l->s.timer_deadline);
	} else if (l->s.timer_count) {
		when = l->s.timer_start + ((u64)l->s.timer_count << timer_shift(l));
	}
	if (when == TIME_NEVER)
		timer_cancel(&l->timer);
	else
		timer_arm(&l->timer, when > l->sched->now ? when : l->sched->now);
}

/* Starts a new span from the present count, before the divider or the mode changes. */
static void timer_rebase(struct lapic *l)
{
	l->s.timer_count = lapic_timer_current(l);
	l->s.timer_start = l->sched->now;
}

static void timer_fire(void *arg, u64 now)
{
	struct lapic *l = arg;
	u64 period = (u64)l->s.timer_initial << timer_shift(l);

	switch (TIMER_MODE(l->s.lvt[LVT_TIMER])) {
	case TIMER_DEADLINE: l->s.timer_deadline = 0; break;
	case TIMER_PERIODIC:
		/* Periods missed while the machine was busy are one interrupt, as IRR has one bit. */
		l->s.timer_start += (u64)l->s.timer_count << timer_shift(l);
		l->s.timer_count = l->s.timer_initial;
		if (period)
			l->s.timer_start += (now - l->s.timer_start) / period * period;
		break;
	default: l->s.timer_count = 0; break;
	}
	timer_program(l);
	lapic_local(l, LVT_TIMER);
}

void lapic_timer_set_initial(struct lapic *l, u32 val)
{
	if (TIMER_MODE(l->s.lvt[LVT_TIMER]) == TIMER_DEADLINE)
		return;
	l->s.timer_initial = l->s.timer_count = val;
	l->s.timer_start = l->sched->now;
	timer_program(l);
}

/* Entering or leaving deadline mode disarms the timer. */
void lapic_timer_set_lvt(struct lapic *l, u32 val)
{
	bool was = TIMER_MODE(l->s.lvt[LVT_TIMER]) == TIMER_DEADLINE, is = TIMER_MODE(val) == TIMER_DEADLINE;

	timer_rebase(l);
	l->s.lvt[LVT_TIMER] = val;
	if (was != is) {
		l->s.timer_deadline = 0;
		l->s.timer_count = l->s.timer_initial = 0;
	}
	timer_program(l);
}

void lapic_timer_set_divide(struct lapic *l, u32 val)
{
	timer_rebase(l);
	l->s.timer_divide = val & 0xb;
	timer_program(l);
}

/* The deadline is writable in deadline mode only; in the other modes writes are ignored. */
void lapic_timer_set_deadline(struct lapic *l, u64 tsc)
{
	if (TIMER_MODE(l->s.lvt[LVT_TIMER]) != TIMER_DEADLINE)
		return;
	l->s.timer_deadline = tsc;
	timer_program(l);
}

void lapic_tsc_changed(struct lapic *l) { timer_program(l); }

/* ------------------------------------------------------------------------- interprocessor interrupts (APM2 16.5) */

/* Whether a message to a 32-bit or 8-bit destination means this APIC. An 8-bit broadcast (FFh) from a device reaches an
 * APIC in x2APIC mode too. */
bool lapic_matches(const struct lapic *l, const struct apic_msg *m)
{
	u32 ldr = l->s.ldr >> 24, dest = m->dest;

	if (!lapic_enabled(l))
		return false;
	if (dest == (m->wide ? 0xffffffff : 0xff))
		return true;
	if (lapic_x2apic(l)) {
		if (!m->logical)
			return dest == l->s.hw_id;
		return dest >> 16 == l->s.ldr >> 16 && dest & l->s.ldr & 0xffff; /* APM2 16.14 */
	}
	if (dest > 0xff)
		return false;
	if (!m->logical)
		return dest == l->s.id;
	if (l->s.dfr >> 28 == 0xf) /* flat */
		return dest & ldr;
	return (dest >> 4 == 0xf || dest >> 4 == ldr >> 4) && dest & ldr & 15; /* cluster */
}

static bool ipi_deliver(struct lapic *l, const struct apic_msg *m)
{
	if (m->shorthand == APIC_SELF)
		return lapic_receive(l, m->mode, m->vector, m->level);
	return l->wire.send_ipi && l->wire.send_ipi(l->wire.bus, l, m);
}

/* The message types that the manual lists with "destination or all excluding self" only are sent to any shorthand, as
 * others do it. A level-triggered de-assert is no message; for INIT it once synchronized arbitration IDs, which do not
 * exist here. */
static void ipi_send(struct lapic *l)
{
	u64 icr = l->s.icr;
	struct apic_msg m = {
		.dest = (u32)(icr >> (lapic_x2apic(l) ? 32 : 56)),
		.vector = (u8)icr,
		.mode = icr >> 8 & 7,
		.shorthand = icr >> 18 & 3,
		.logical = icr >> 11 & 1,
		.level = icr >> 15 & 1,
		.wide = lapic_x2apic(l),
	};

	if (m.mode <= APIC_LOWEST && m.vector < FIRST_LEGAL_VECTOR) {
		lapic_raise_error(l, ESR_SEND_ILLEGAL);
		return;
	}
	if (m.level && !(icr & ICR_LEVEL_ASSERT) && m.mode != APIC_STARTUP)
		return;
	if (!ipi_deliver(l, &m) && m.shorthand == APIC_DEST && m.mode != APIC_REMOTE_READ)
		lapic_raise_error(l, ESR_SEND_ACCEPT);
}

void lapic_self_ipi(struct lapic *l, u8 vector)
{
	if (vector < FIRST_LEGAL_VECTOR)
		lapic_raise_error(l, ESR_SEND_ILLEGAL);
	else
		accept_fixed(l, vector, false);
}

void lapic_icr_write(struct lapic *l, u32 val)
{
	l->s.icr = (l->s.icr & ~0xffffffffull) | (val & ICR_WRITABLE);
	if ((val & 0xc8700) == (APIC_SELF << 18 | APIC_FIXED << 8)) /* edge-triggered, fixed, to self: the short path */
		lapic_self_ipi(l, (u8)val);
	else
		ipi_send(l);
}

/* ---------------------------------------------------------------------------------------------------- life cycle */

static void reset_registers(struct lapic *l)
{
	struct lapic_state *s = &l->s;
	struct lapic_state kept = *s;

	*s = (struct lapic_state){
		.base = kept.base,
		.hw_id = kept.hw_id,
		.id = kept.id,
		.bsp = kept.bsp,
		.lint = {kept.lint[0], kept.lint[1]},
		.svr = 0xff,
		.dfr = 0xffffffff,
		.timer_start = l->sched->now,
	};
	if (lapic_x2apic(l))
		s->ldr = s->hw_id >> 4 << 16 | 1u << (s->hw_id & 15);
	for (unsigned i = 0; i < 4; i++)
		s->ier[i] = ~0ull;
	for (unsigned i = 0; i < LVT_COUNT; i++)
		s->lvt[i] = LVT_MASKED;
	timer_cancel(&l->timer);
	lapic_update(l);
	lapic_extint_update(l);
}

void lapic_init(struct lapic *l, struct sched *sched, u32 timer_id, unsigned id, bool bsp)
{
	*l = (struct lapic){.sched = sched, .pending = -1, .irrv = -1, .isrv = -1};
	l->s.hw_id = id;
	l->s.bsp = bsp;
	l->features = (struct lapic_features){.x2apic = true, .tsc_deadline = true, .phys_bits = 48};
	timer_init(&l->timer, sched, timer_id, timer_fire, l);
	lapic_reset(l);
}

void lapic_reset(struct lapic *l)
{
	l->s.base = LAPIC_BASE | APIC_BASE_AE | (l->s.bsp ? APIC_BASE_BSC : 0);
	l->s.id = l->s.hw_id & 0xff;
	reset_registers(l);
}

void lapic_init_reset(struct lapic *l) { reset_registers(l); }

void lapic_post_load(struct lapic *l)
{
	timer_program(l);
	lapic_update(l);
	lapic_extint_update(l);
}

void lapic_virtual_wire(struct lapic *l)
{
	lapic_reg_write(l, R_SVR, 0x1ff);
	if (l->s.bsp)
		lapic_reg_write(l, R_LVT + LVT_LINT0, APIC_EXTINT << 8);
	lapic_reg_write(l, R_LVT + LVT_LINT1, APIC_NMI << 8);
}

/* AE and EXTD: 00 off, 10 xAPIC, 11 x2APIC, 01 invalid. x2APIC is entered from xAPIC only, and left to off only
 * (APM2 16.9.1). BSC is read-only. An APIC that was off wakes up as after a reset; AMD allows to enable it again
 * (APM2 16.3.1). */
bool lapic_base_write(struct lapic *l, u64 val)
{
	const u64 mode = APIC_BASE_AE | APIC_BASE_EXTD, x2apic = mode, xapic = APIC_BASE_AE;
	u64 new = val &mode, old = l->s.base &mode;
	u64 allowed = (mask_low(l->features.phys_bits < 52 ? l->features.phys_bits : 52) & PAGE_MASK) | APIC_BASE_BSC |
		      APIC_BASE_AE | (l->features.x2apic ? APIC_BASE_EXTD : 0);

	if (val & ~allowed || new == APIC_BASE_EXTD || (old == x2apic && new == xapic) || (old == 0 && new == x2apic))
		return false;
	l->s.base = (val & ~APIC_BASE_BSC) | (l->s.base & APIC_BASE_BSC);
	if (old == new)
		return true;
	if (new == x2apic) {
		l->s.ldr = l->s.hw_id >> 4 << 16 | 1u << (l->s.hw_id & 15);
		l->s.icr = (u32)l->s.icr;
	} else {
		l->s.id = l->s.hw_id & 0xff;
		reset_registers(l);
	}
	return true;
}

#define ROW(m)     FIELD_HEX(struct lapic_state, m)
#define ARRAY(m)   FIELD_ARRAY(struct lapic_state, m)
#define NAMED(m)   FIELD_BITS(struct lapic_state, m, m##_bits)
#define PAD_ROW(m) FIELD_(struct lapic_state, m, FMT_PAD, 0)

static const char *const base_bits[] = {0, 0, 0, 0, 0, 0, 0, 0, "BSC", 0, "EXTD", "AE", FIELD_END};
static const char *const svr_bits[] = {0, 0, 0, 0, 0, 0, 0, 0, "ASE", "FCC", 0, 0, "ESUP", FIELD_END};
static const char *const esr_bits[] = {0, 0, "SAE", "RAE", 0, "SIV", "RIV", "IRA", FIELD_END};
#define esr_next_bits esr_bits

const struct field lapic_fields[LAPIC_FIELDS] = {
	NAMED(base),       ARRAY(irr),        ARRAY(isr),       ARRAY(tmr),
	ARRAY(ier),        ROW(icr),          ROW(timer_start), ROW(timer_deadline),
	ROW(hw_id),        ROW(id),           ROW(tpr),         ROW(ldr),
	ROW(dfr),          NAMED(svr),        NAMED(esr),       NAMED(esr_next),
	ROW(remote_read),  ROW(ext_control),  ARRAY(lvt),       ROW(timer_initial),
	ROW(timer_count),  ROW(timer_divide), ARRAY(lint),      ARRAY(lint_fired),
	ROW(extint_latch), ROW(bsp),          PAD_ROW(pad),
};
