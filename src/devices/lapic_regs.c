/*
 * See lapic.h. Here: the registers, by one pure read function and one write function for the page (xAPIC) and the MSRs
 * (x2APIC), and the rules that WRMSR checks.
 */
#include "devices/lapic_int.h"

/* --------------------------------------------------------------------------------------- registers (APM2 16.3.2) */

static u32 version(const struct lapic *l)
{
	return 0x10 | (LVT_EXT0 - 1) << 16 | (u32)l->features.eoi_suppress << 24 | (u32)l->features.ext_space << 31;
}

static u32 lvt_value(const struct lapic *l, unsigned n)
{
	bool fired = (n == LVT_LINT0 || n == LVT_LINT1) && l->s.lint_fired[n - LVT_LINT0];

	return l->s.lvt[n] | (fired ? LVT_REMOTE_IRR : 0);
}

static u32 vec_word(const u64 *v, unsigned i) { return (u32)(v[i >> 1 & 3] >> (i & 1 ? 32 : 0)); }

/* The extended space: extended APIC feature and control registers (APM2 16.3.5, 16.3.6), IER (16.7.2), extended LVTs.
 */
static bool ext_read(const struct lapic *l, unsigned reg, u32 *val)
{
	if (!l->features.ext_space)
		return false;
	if (reg >= R_IER && reg < R_IER + 8)
		*val = vec_word(l->s.ier, reg - R_IER);
	else if (reg >= R_LVT_EXT && reg < R_LVT_EXT + LAPIC_LVT_EXT)
		*val = l->s.lvt[LVT_EXT0 + reg - R_LVT_EXT];
	else if (reg == R_EXT_FEATURE)
		*val = LAPIC_LVT_EXT << 16 | EXT_SN | EXT_IERN;
	else if (reg == R_EXT_CONTROL)
		*val = l->s.ext_control;
	else
		return reg == R_SPECIFIC_EOI;
	return true;
}

/* Without side effects; false if there is no such register. Write-only registers read as 0. */
static bool reg_read(const struct lapic *l, unsigned reg, u32 *val)
{
	*val = 0;
	if (reg >= R_ISR && reg < R_TMR)
		*val = vec_word(l->s.isr, reg - R_ISR);
	else if (reg >= R_TMR && reg < R_IRR)
		*val = vec_word(l->s.tmr, reg - R_TMR);
	else if (reg >= R_IRR && reg < R_ESR)
		*val = vec_word(l->s.irr, reg - R_IRR);
	else if (reg >= R_LVT && reg < R_LVT + LVT_EXT0)
		*val = lvt_value(l, reg - R_LVT);
	else
		switch (reg) {
		case R_ID: *val = lapic_x2apic(l) ? l->s.hw_id : l->s.id << 24; break;
		case R_VERSION: *val = version(l); break;
		case R_TPR: *val = l->s.tpr; break;
		case R_APR: *val = lapic_apr(l); break;
		case R_PPR: *val = l->ppr; break;
		case R_EOI: break;
		case R_REMOTE_READ: *val = l->s.remote_read; break;
		case R_LDR: *val = l->s.ldr; break;
		case R_DFR: *val = l->s.dfr; break;
		case R_SVR: *val = l->s.svr; break;
		case R_ESR: *val = l->s.esr; break;
		case R_ICR: *val = (u32)l->s.icr; break;
		case R_ICR_HIGH: *val = (u32)(l->s.icr >> 32); break;
		case R_TIMER_INITIAL: *val = l->s.timer_initial; break;
		case R_TIMER_CURRENT: *val = lapic_timer_current(l); break;
		case R_TIMER_DIVIDE: *val = l->s.timer_divide; break;
		default: return ext_read(l, reg, val);
		}
	return true;
}

/* Writable bits of an LVT register: vector and mask, then what the source has. */
static u32 lvt_writable(const struct lapic *l, unsigned n)
{
	switch (n) {
	case LVT_TIMER: return l->features.tsc_deadline ? 0x700ff : 0x300ff;
	case LVT_LINT0:
	case LVT_LINT1: return 0x187ff;
	default: return 0x107ff;
	}
}

/* Masks cannot be cleared while software has the APIC disabled (APM2 16.4.7). */
static void lvt_write(struct lapic *l, unsigned n, u32 val)
{
	val &= lvt_writable(l, n);
	if (!(l->s.svr & SVR_ENABLE))
		val |= LVT_MASKED;
	if (n == LVT_TIMER) {
		lapic_timer_set_lvt(l, val);
		return;
	}
	l->s.lvt[n] = val;
	if (n == LVT_LINT0 || n == LVT_LINT1) {
		if (!(val & LVT_LEVEL))
			l->s.lint_fired[n - LVT_LINT0] = 0;
		lapic_lint_level(l, n - LVT_LINT0);
		lapic_extint_update(l);
	}
}

static u32 svr_writable(const struct lapic *l) { return 0x3ff | (l->features.eoi_suppress ? SVR_EOI_SUPPRESS : 0); }

static void svr_write(struct lapic *l, u32 val)
{
	l->s.svr = val & svr_writable(l);
	if (!(val & SVR_ENABLE)) {
		for (unsigned i = 0; i < LVT_COUNT; i++)
			l->s.lvt[i] |= LVT_MASKED;
		lapic_extint_update(l);
	}
	lapic_update(l);
}

static bool ext_write(struct lapic *l, unsigned reg, u32 val)
{
	unsigned i = reg - R_IER;

	if (!l->features.ext_space)
		return false;
	if (i < 8) {
		if (l->s.ext_control & EXT_IERN) {
			u64 *w = &l->s.ier[i >> 1];

			*w = i & 1 ? (*w & 0xffffffff) | (u64)val << 32 : (*w & ~0xffffffffull) | val;
			lapic_update(l);
		}
	} else if (reg >= R_LVT_EXT && reg < R_LVT_EXT + LAPIC_LVT_EXT) {
		lvt_write(l, LVT_EXT0 + reg - R_LVT_EXT, val);
	} else if (reg == R_EXT_CONTROL) {
		l->s.ext_control = val & (EXT_SN | EXT_IERN);
	} else if (reg == R_SPECIFIC_EOI) { /* APM2 16.7.1 */
		if (l->s.ext_control & EXT_SN)
			lapic_eoi(l, val & 0xff);
	} else {
		return reg == R_EXT_FEATURE;
	}
	return true;
}

/* False if there is no such register. Writes to read-only registers do nothing. */
bool lapic_reg_write(struct lapic *l, unsigned reg, u32 val)
{
	u32 ignored;

	if (reg == R_EOI) { /* the two that every interrupt writes come first */
		lapic_eoi(l, l->isrv);
		return true;
	}
	if (reg == R_ICR) {
		lapic_icr_write(l, val);
		return true;
	}
	if (reg >= R_LVT && reg < R_LVT + LVT_EXT0) {
		lvt_write(l, reg - R_LVT, val);
		return true;
	}
	switch (reg) {
	case R_TPR:
		l->s.tpr = val & 0xff;
		lapic_update(l);
		return true;
	case R_ID: l->s.id = val >> 24; return true;
	case R_LDR: l->s.ldr = val & 0xff000000; return true;
	case R_DFR: l->s.dfr = val | 0x0fffffff; return true;
	case R_SVR: svr_write(l, val); return true;
	case R_ESR: /* shows what happened since the last write (APM2 16.4.6) */
		l->s.esr = l->s.esr_next;
		l->s.esr_next = 0;
		return true;
	case R_ICR_HIGH: l->s.icr = (u32)l->s.icr | (u64)(val & 0xff000000) << 32; return true;
	case R_TIMER_INITIAL: lapic_timer_set_initial(l, val); return true;
	case R_TIMER_DIVIDE: lapic_timer_set_divide(l, val); return true;
	default: return ext_write(l, reg, val) || reg_read(l, reg, &ignored);
	}
}

u32 lapic_peek_reg(const struct lapic *l, unsigned off)
{
	u32 val;

	return reg_read(l, off >> 4 & 0xff, &val) ? val : 0xffffffff;
}

/* Only aligned 4-byte accesses are defined (APM2 16.3.2). We let smaller reads see their bytes of the register, read 0
 * between registers, and drop other writes. */
static u64 mmio_read_pure(const struct lapic *l, u64 off, bool *missing)
{
	u32 val;

	*missing = false;
	if (!lapic_enabled(l) || lapic_x2apic(l))
		return ~0ull;
	if (off & 12)
		return 0;
	*missing = !reg_read(l, off >> 4 & 0xff, &val);
	return val >> (off & 3) * 8;
}

static u64 lapic_mmio_peek(const void *dev, u64 off, unsigned size)
{
	bool missing;

	return mmio_read_pure(dev, off, &missing) & mask_low(size * 8);
}

static u64 lapic_mmio_read(void *dev, u64 off, unsigned size)
{
	bool missing;
	u64 val = mmio_read_pure(dev, off, &missing);

	if (missing)
		lapic_raise_error(dev, ESR_ILLEGAL_REG);
	return val & mask_low(size * 8);
}

static void lapic_mmio_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct lapic *l = dev;

	if (size != 4 || off & 15 || !lapic_enabled(l) || lapic_x2apic(l))
		return;
	if (!lapic_reg_write(l, off >> 4 & 0xff, (u32)val))
		lapic_raise_error(l, ESR_ILLEGAL_REG);
}

const struct region_ops lapic_ops = {
	.name = "lapic",
	.read = lapic_mmio_read,
	.write = lapic_mmio_write,
	.peek = lapic_mmio_peek,
	.min = 1,
	.max = 4,
};

/* ------------------------------------------------------------------------------------------- MSRs (APM2 16.11.1) */

/* Which registers exist as MSRs, and the bits that may be 1 in a write (APM2 16.11.3: anything else is #GP). */
struct msr_rule {
	u8 first, last;
	bool read, write;
	u32 writable;
};
static const struct msr_rule msr_rules[] = {
	{R_ID, R_VERSION, true, false, 0},
	{R_TPR, R_TPR, true, true, 0xff},
	{R_APR, R_PPR, true, false, 0},
	{R_EOI, R_EOI, false, true, 0},
	{R_LDR, R_LDR, true, false, 0},
	{R_SVR, R_SVR, true, true, 0x3ff},
	{R_ISR, R_ESR - 1, true, false, 0},
	{R_ESR, R_ESR, true, true, 0},
	{R_LVT, R_LVT + LVT_EXT0 - 1, true, true, 0},
	{R_TIMER_INITIAL, R_TIMER_INITIAL, true, true, 0xffffffff},
	{R_TIMER_CURRENT, R_TIMER_CURRENT, true, false, 0},
	{R_TIMER_DIVIDE, R_TIMER_DIVIDE, true, true, 0xb},
	{R_SELF_IPI, R_SELF_IPI, false, true, 0xff},
	{R_EXT_FEATURE, R_EXT_FEATURE, true, false, 0},
	{R_EXT_CONTROL, R_EXT_CONTROL, true, true, EXT_SN | EXT_IERN},
	{R_SPECIFIC_EOI, R_SPECIFIC_EOI, false, true, 0xff},
	{R_IER, R_IER + 7, true, true, 0xffffffff},
	{R_LVT_EXT, R_LVT_EXT + LAPIC_LVT_EXT - 1, true, true, 0},
};

static const struct msr_rule *msr_rule(const struct lapic *l, u32 reg)
{
	if (reg >= R_EXT_FEATURE && !l->features.ext_space)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(msr_rules); i++)
		if (reg >= msr_rules[i].first && reg <= msr_rules[i].last)
			return &msr_rules[i];
	return NULL;
}

static u32 msr_writable(const struct lapic *l, const struct msr_rule *r, u32 reg)
{
	if (r->first == R_LVT)
		return lvt_writable(l, reg - R_LVT) | 0x1000; /* delivery status, read-only */
	if (r->first == R_LVT_EXT)
		return lvt_writable(l, LVT_EXT0) | 0x1000;
	return r->first == R_SVR ? svr_writable(l) : r->writable;
}

bool lapic_msr_read(const struct lapic *l, u32 msr, u64 *val)
{
	u32 reg = msr - 0x800, low = 0;
	const struct msr_rule *r;

	if (msr == MSR_TSC_DEADLINE) {
		*val = l->s.timer_deadline;
		return l->features.tsc_deadline;
	}
	if (reg > 0xff || !lapic_x2apic(l))
		return false;
	if (reg == R_ICR) {
		*val = l->s.icr;
		return true;
	}
	r = msr_rule(l, reg);
	if (!r || !r->read || !reg_read(l, reg, &low))
		return false;
	*val = low;
	return true;
}

/* The ICR is one 64-bit register, written at once (APM2 16.13). Bit 12, the old delivery status, is ignored. */
static bool icr_write(struct lapic *l, u64 val)
{
	if ((u32)val & ~(ICR_WRITABLE | BIT(12)))
		return false;
	l->s.icr = val & ~0xffffffffull;
	lapic_icr_write(l, (u32)val);
	return true;
}

bool lapic_msr_write(struct lapic *l, u32 msr, u64 val)
{
	u32 reg = msr - 0x800;
	const struct msr_rule *r;

	if (msr == MSR_TSC_DEADLINE) {
		if (l->features.tsc_deadline)
			lapic_timer_set_deadline(l, val);
		return l->features.tsc_deadline;
	}
	if (reg > 0xff || !lapic_x2apic(l))
		return false;
	if (reg == R_ICR)
		return icr_write(l, val);
	r = msr_rule(l, reg);
	if (!r || !r->write || val & ~(u64)msr_writable(l, r, reg))
		return false;
	if (reg == R_SELF_IPI)
		lapic_self_ipi(l, (u8)val);
	else
		lapic_reg_write(l, reg, (u32)val);
	return true;
}
