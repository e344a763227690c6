/*
 * Model-specific registers: RDMSR and WRMSR by the table msr.def. What is not in the table is #GP. The time stamp
 * counter and the performance counters are here too. APM2 3.2, 7.7-7.9, 9.3, 13.2, 15.30; APM3 RDMSR, WRMSR.
 */
#include "base/cover.h"
#include "cpu_x86/system.h"

enum { EVT_EN = 1 << 22 };
#define PMC_MASK mask_low(48)
_Static_assert(EXTRA_COUNT <= ARRAY_SIZE(((struct x86_msrs *)0)->extra), "msr.extra is large enough");

/* ---- time stamp counter: the guest's view when a guest runs. APM2 15.30.5 ---- */

static u64 tsc_read(struct x86_cpu *c)
{
	u64 t = x86_tsc(c);

	return unlikely(c->svm.guest) ? svm_guest_tsc(c, t) : t;
}

static enum x86_rule get_tsc(struct x86_cpu *c, u32 n, u64 *v)
{
	(void)n;
	*v = tsc_read(c);
	return RULE_NONE;
}
/* Another value from now on; a TSC deadline that is set means another time. */
static enum x86_rule adjust_tsc(struct x86_cpu *c, u64 adjust)
{
	u64 deadline;

	c->msr.tsc_adjust = adjust;
	if (x86_has(c->model, X86_F_TSC_DEADLINE) && c->board.x2apic_read &&
	    c->board.x2apic_read(c->board.arg, c->id, 0x6e0, &deadline) && deadline)
		c->board.x2apic_write(c->board.arg, c->id, 0x6e0, deadline);
	return RULE_NONE;
}
static enum x86_rule set_tsc(struct x86_cpu *c, u32 n, u64 v)
{
	(void)n;
	return adjust_tsc(c, c->msr.tsc_adjust + v - x86_tsc(c));
}
static enum x86_rule get_tsc_adjust(struct x86_cpu *c, u32 n, u64 *v)
{
	(void)n;
	*v = c->msr.tsc_adjust;
	return RULE_NONE;
}
static enum x86_rule set_tsc_adjust(struct x86_cpu *c, u32 n, u64 v)
{
	(void)n;
	return adjust_tsc(c, v);
}

/* MPERF and APERF both count virtual time: the CPU always runs at its nominal speed. */
static u64 perf_count(struct x86_cpu *c, u32 n)
{
	return c->msr.extra[EXTRA_MPERF + (n - 0xe7)] + x86_tsc(c) - c->msr.tsc_adjust;
}
/* A guest's RDMSR of MPERF is scaled by the TSC ratio, of APERF it is not; writes are not. APM2 15.30.5 */
static enum x86_rule get_mperf(struct x86_cpu *c, u32 n, u64 *v)
{
	*v = perf_count(c, n);
	if (n == 0xe7)
		*v = svm_guest_scaled(c, *v);
	return RULE_NONE;
}
static enum x86_rule set_mperf(struct x86_cpu *c, u32 n, u64 v)
{
	c->msr.extra[EXTRA_MPERF + (n - 0xe7)] = v - (x86_tsc(c) - c->msr.tsc_adjust);
	return RULE_NONE;
}

/* ---- performance counters ---- */

/* Retired instructions (0C0h) and cycles not halted (076h, one per instruction here) count, whatever the unit mask and
 * the OS/USR bits; other events stay at rest. No overflow interrupt. */
static bool pmc_counts(u64 sel)
{
	u64 event = (sel & 0xff) | (sel >> 24 & 0xf00);

	return (sel & EVT_EN) && (event == 0xc0 || event == 0x76);
}

/* Instructions retired before the one under way; c->retired itself is brought up to date when the CPU leaves its loop.
 */
static u64 retired(struct x86_cpu *c)
{
	return c->op ? c->retired + x86_tsc(c) - c->msr.tsc_adjust - c->run_start - c->waited : c->retired;
}

/* A running counter is kept as the difference to the instruction count. */
u64 x86_pmc_read(struct x86_cpu *c, unsigned n)
{
	u64 v = c->msr.extra[EXTRA_PMC + n];

	return (pmc_counts(c->msr.extra[EXTRA_EVT_SEL + n]) ? v + retired(c) : v) & PMC_MASK;
}
static void pmc_write(struct x86_cpu *c, unsigned n, u64 v)
{
	c->msr.extra[EXTRA_PMC + n] = pmc_counts(c->msr.extra[EXTRA_EVT_SEL + n]) ? v - retired(c) : v & PMC_MASK;
}
static enum x86_rule get_evt_sel(struct x86_cpu *c, u32 n, u64 *v)
{
	*v = c->msr.extra[EXTRA_EVT_SEL + (n & 3)];
	return RULE_NONE;
}
static enum x86_rule set_evt_sel(struct x86_cpu *c, u32 n, u64 v)
{
	u64 count = x86_pmc_read(c, n & 3);

	c->msr.extra[EXTRA_EVT_SEL + (n & 3)] = v;
	pmc_write(c, n & 3, count);
	return RULE_NONE;
}
static enum x86_rule get_perf_ctr(struct x86_cpu *c, u32 n, u64 *v)
{
	*v = x86_pmc_read(c, n & 3);
	return RULE_NONE;
}
static enum x86_rule set_perf_ctr(struct x86_cpu *c, u32 n, u64 v)
{
	pmc_write(c, n & 3, v);
	return RULE_NONE;
}

/* ---- local APIC ---- */

static enum x86_rule get_apic_base(struct x86_cpu *c, u32 n, u64 *v)
{
	(void)n;
	*v = c->msr.apic_base;
	return RULE_NONE;
}
static enum x86_rule set_apic_base(struct x86_cpu *c, u32 n, u64 v)
{
	(void)n;
	if (!c->board.apic_base_write || !c->board.apic_base_write(c->board.arg, c->id, v))
		return RULE_GP_MSR_APIC_BASE;
	c->msr.apic_base = v;
	return RULE_NONE;
}
static enum x86_rule get_x2apic(struct x86_cpu *c, u32 n, u64 *v)
{
	return c->board.x2apic_read && c->board.x2apic_read(c->board.arg, c->id, n, v) ? RULE_NONE : RULE_GP_MSR_APIC;
}
static enum x86_rule set_x2apic(struct x86_cpu *c, u32 n, u64 v)
{
	return c->board.x2apic_write && c->board.x2apic_write(c->board.arg, c->id, n, v) ? RULE_NONE : RULE_GP_MSR_APIC;
}

/* ---- memory types ---- */

/* UC, WC, WT, WP, WB; PAT also UC-. APM2 7.7.1, 7.8.1 */
static bool memory_type(u8 t, bool pat) { return t == 0 || t == 1 || (t >= 4 && t <= (pat ? 7 : 6)); }

static enum x86_rule get_pat(struct x86_cpu *c, u32 n, u64 *v)
{
	(void)n;
	*v = c->msr.pat;
	return RULE_NONE;
}
static enum x86_rule set_pat(struct x86_cpu *c, u32 n, u64 v)
{
	(void)n;
	for (unsigned i = 0; i < 8; i++)
		if (!memory_type((u8)(v >> 8 * i), true))
			return RULE_GP_MSR_PAT;
	c->msr.pat = v;
	return RULE_NONE;
}

static enum x86_rule mtrr_changed(struct x86_cpu *c)
{
	tlb_flush_everything(&c->tlb); /* APM2 5.5.3 */
	return RULE_NONE;
}

static u64 *mtrr_var(struct x86_cpu *c, u32 n)
{
	return (n & 1 ? c->msr.mtrr_mask : c->msr.mtrr_base) + (n - 0x200) / 2;
}
static enum x86_rule get_mtrr_var(struct x86_cpu *c, u32 n, u64 *v)
{
	*v = *mtrr_var(c, n);
	return RULE_NONE;
}
static enum x86_rule set_mtrr_var(struct x86_cpu *c, u32 n, u64 v)
{
	u64 allowed = (mask_low(c->model->pa_bits) & PAGE_MASK) | (n & 1 ? 0x800 : 0xff);

	if (v & ~allowed)
		return RULE_GP_MSR_RESERVED;
	if (!(n & 1) && !memory_type((u8)v, false))
		return RULE_GP_MSR_MTRR;
	*mtrr_var(c, n) = v;
	return mtrr_changed(c);
}

#define SYSCFG_MFDM  BIT(19) /* software sees the RdMem and WrMem bits of the fixed MTRRs. APM2 7.9.1 */
#define MTRR_RDWRMEM 0x1818181818181818ull

static u64 *mtrr_fix(struct x86_cpu *c, u32 n)
{
	return &c->msr.mtrr_fix[n == 0x250 ? 0 : n < 0x268 ? n - 0x258 + 1 : n - 0x268 + 3];
}
static enum x86_rule get_mtrr_fix(struct x86_cpu *c, u32 n, u64 *v)
{
	*v = *mtrr_fix(c, n) & (c->msr.syscfg & SYSCFG_MFDM ? ~0ull : ~MTRR_RDWRMEM);
	return RULE_NONE;
}
static enum x86_rule set_mtrr_fix(struct x86_cpu *c, u32 n, u64 v)
{
	u64 kept = c->msr.syscfg & SYSCFG_MFDM ? 0 : *mtrr_fix(c, n) & MTRR_RDWRMEM;

	for (unsigned i = 0; i < 8; i++)
		if (!memory_type((u8)(v >> 8 * i) & (c->msr.syscfg & SYSCFG_MFDM ? 0xe7 : 0xff), false))
			return RULE_GP_MSR_MTRR;
	*mtrr_fix(c, n) = v | kept;
	return mtrr_changed(c);
}

static enum x86_rule get_mtrr_def(struct x86_cpu *c, u32 n, u64 *v)
{
	(void)n;
	*v = c->msr.mtrr_def;
	return RULE_NONE;
}
static enum x86_rule set_mtrr_def(struct x86_cpu *c, u32 n, u64 v)
{
	(void)n;
	if (v & ~0xcffull)
		return RULE_GP_MSR_RESERVED;
	if (!memory_type((u8)v, false))
		return RULE_GP_MSR_MTRR;
	c->msr.mtrr_def = v;
	return mtrr_changed(c);
}

/* ---- machine check: banks keep what is written; nothing ever fails here ---- */

static enum x86_rule get_mc(struct x86_cpu *c, u32 n, u64 *v)
{
	*v = c->msr.mc[n - 0x400];
	return RULE_NONE;
}
static enum x86_rule set_mc(struct x86_cpu *c, u32 n, u64 v)
{
	if ((n & 3) && v && !(c->msr.hwcr & HWCR_MCSTATUS_WR)) /* STATUS, ADDR, MISC. APM2 9.3.2 */
		return RULE_GP_MSR_MC_STATUS;
	c->msr.mc[n - 0x400] = v;
	return RULE_NONE;
}

/* ---- system ---- */

static enum x86_rule get_debugctl(struct x86_cpu *c, u32 n, u64 *v)
{
	(void)n;
	*v = c->msr.debugctl;
	return RULE_NONE;
}
static enum x86_rule set_debugctl(struct x86_cpu *c, u32 n, u64 v)
{
	(void)n;
	if (v & ~0x3full) /* LBR, BTF, PB0-3. APM2 13.1.6 */
		return RULE_GP_MSR_RESERVED;
	c->msr.debugctl = v;
	x86_debug_changed(c);
	return RULE_NONE;
}

static enum x86_rule get_efer(struct x86_cpu *c, u32 n, u64 *v)
{
	(void)n;
	*v = c->efer;
	return RULE_NONE;
}
static enum x86_rule set_efer(struct x86_cpu *c, u32 n, u64 v)
{
	enum x86_rule why = x86_check_efer(c, v);

	(void)n;
	if (why == RULE_NONE)
		x86_write_efer(c, v);
	return why;
}

static enum x86_rule get_seg_base(struct x86_cpu *c, u32 n, u64 *v)
{
	*v = c->seg[n & 1 ? SEG_GS : SEG_FS].base;
	return RULE_NONE;
}
static enum x86_rule set_seg_base(struct x86_cpu *c, u32 n, u64 v)
{
	unsigned seg = n & 1 ? SEG_GS : SEG_FS;

	if (!x86_canonical(c, v))
		return RULE_GP_MSR_CANON;
	c->seg[seg].base = v;
	x86_seg_changed(c, seg);
	return RULE_NONE;
}

static enum x86_rule get_svm(struct x86_cpu *c, u32 n, u64 *v)
{
	return svm_msr_read(c, n, v) ? RULE_NONE : RULE_GP_MSR_SVM;
}
static enum x86_rule set_svm(struct x86_cpu *c, u32 n, u64 v)
{
	return svm_msr_write(c, n, v) ? RULE_NONE : RULE_GP_MSR_SVM;
}

/* SmmLock stays until reset; TscFreqSel is read-only. */
static enum x86_rule get_hwcr(struct x86_cpu *c, u32 n, u64 *v)
{
	(void)n;
	*v = c->msr.hwcr;
	return RULE_NONE;
}
static enum x86_rule set_hwcr(struct x86_cpu *c, u32 n, u64 v)
{
	(void)n;
	if (v >> 31) /* SmmPgCfgLock, CpuidFltEn and others that CPUID does not report */
		return RULE_GP_MSR_RESERVED;
	c->msr.hwcr = v | (c->msr.hwcr & HWCR_SMMLOCK) | HWCR_TSCFREQ;
	return RULE_NONE;
}

static u64 *smm_msr(struct x86_cpu *c, u32 n)
{
	return n == 0xc0010111 ? &c->msr.smbase : n == 0xc0010112 ? &c->msr.smm_addr : &c->msr.smm_mask;
}
static enum x86_rule get_smm(struct x86_cpu *c, u32 n, u64 *v)
{
	*v = *smm_msr(c, n);
	return RULE_NONE;
}
static enum x86_rule set_smm(struct x86_cpu *c, u32 n, u64 v)
{
	static const u64 allowed[3] = {0xffffffff, 0x000ffffffffe0000ull, 0x000ffffffffe7703ull};

	if (c->msr.hwcr & HWCR_SMMLOCK)
		return RULE_GP_MSR_SMM_LOCK;
	if (v & ~allowed[n - 0xc0010111])
		return RULE_GP_MSR_RESERVED;
	*smm_msr(c, n) = v;
	return RULE_NONE;
}

static enum x86_rule get_cpu_name(struct x86_cpu *c, u32 n, u64 *v)
{
	*v = load_le(c->model->brand + (n - 0xc0010030) * 8, 8);
	return RULE_NONE;
}
static enum x86_rule set_cpu_name(struct x86_cpu *c, u32 n, u64 v)
{
	(void)c, (void)n, (void)v; /* firmware writes it; the model's name stays */
	return RULE_NONE;
}

/* ---- the table ---- */

enum kind { KEPT, MASKED, CANON, RO, CONST, DROP, DROP_MEMBER, WRITE_ONLY, FUNC };
typedef enum x86_rule getter(struct x86_cpu *, u32, u64 *);
typedef enum x86_rule setter(struct x86_cpu *, u32, u64);

struct row {
	const char *name, *section;
	getter *get;
	setter *set;
	u64 mask;
	u32 first, off;
	u8 kind;
	u16 feature;
};

#define none              rip /* rows without a member */
#define AT(m)             offsetof(struct x86_cpu, m), NULL, NULL
#define KEPT_AT(m)        AT(m)
#define MASKED_AT(m)      AT(m)
#define CANON_AT(m)       AT(m)
#define RO_AT(m)          AT(m)
#define CONST_AT(m)       AT(m)
#define DROP_AT(m)        AT(m)
#define DROP_MEMBER_AT(m) AT(m)
#define WRITE_ONLY_AT(m)  AT(m)
#define FUNC_AT(m)        0, get_##m, set_##m
#define ROW_INIT(first, name, kind, off, get, set, mask, feature, section)                                             \
	{name, section, get, set, mask, first, off, kind, feature},
#define ROW_(...) ROW_INIT(__VA_ARGS__)
#define MSR(first, n, name, kind, m, mask, feature, section)                                                           \
	ROW_(first, #name, kind, kind##_AT(m), mask, X86_F_##feature, section)
static const struct row rows[] = {
#include "cpu_x86/msr.def"
};
#undef MSR
#undef none

enum row_number {
#define MSR(first, n, name, kind, m, mask, feature, section) ROW_##name,
#include "cpu_x86/msr.def"
#undef MSR
};

/* The compiler makes a search tree of this, and refuses overlapping rows. */
static const struct row *row_of(u32 n)
{
	switch (n) {
#define MSR(first, count, name, kind, m, mask, feature, section)                                                       \
	case (first)...(first) + (count)-1:                                                                            \
		return &rows[ROW_##name];
#include "cpu_x86/msr.def"
#undef MSR
	default: return NULL;
	}
}

const char *x86_msr_name(u32 msr)
{
	const struct row *r = row_of(msr);

	return r ? r->name : NULL;
}

static u64 *member(struct x86_cpu *c, const struct row *r, u32 n)
{
	return (u64 *)((char *)c + r->off) + (n - r->first);
}

static const struct row *implemented(const struct x86_cpu *c, u32 n)
{
	const struct row *r = row_of(n);

	if (!r || (r->feature != X86_F_NONE && !x86_has(c->model, (enum x86_feature)r->feature)))
		return NULL;
	cover(COVER_MSR, (u64)(r - rows));
	return r;
}

enum x86_rule x86_msr_read(struct x86_cpu *c, u32 msr, u64 *val)
{
	const struct row *r = implemented(c, msr);

	if (!r)
		return RULE_GP_MSR_UNKNOWN;
	switch ((enum kind)r->kind) {
	case FUNC: return r->get(c, msr, val);
	case WRITE_ONLY: return RULE_GP_MSR_WRITE_ONLY;
	case CONST:
	case DROP: *val = r->mask; break;
	default: *val = *member(c, r, msr); break;
	}
	return RULE_NONE;
}

enum x86_rule x86_msr_write(struct x86_cpu *c, u32 msr, u64 val)
{
	const struct row *r = implemented(c, msr);

	if (!r)
		return RULE_GP_MSR_UNKNOWN;
	switch ((enum kind)r->kind) {
	case FUNC: return r->set(c, msr, val);
	case RO:
	case CONST: return RULE_GP_MSR_READ_ONLY;
	case DROP:
	case DROP_MEMBER:
	case WRITE_ONLY: return RULE_NONE;
	case MASKED: val &= r->mask; break;
	case CANON:
		if (!x86_canonical(c, val))
			return RULE_GP_MSR_CANON;
		break;
	case KEPT:
		if (val & ~r->mask)
			return RULE_GP_MSR_RESERVED;
		break;
	}
	*member(c, r, msr) = val;
	return RULE_NONE;
}

void x86_msr_reset(struct x86_cpu *c, bool init)
{
	struct x86_msrs *m = &c->msr;

	if (init) { /* INIT keeps MSRs but for these. APM2 14.1.3 */
		m->debugctl = m->br_from = m->br_to = m->exc_from = m->exc_to = 0;
		return;
	}
	memset(m, 0, sizeof *m);
	m->pat = 0x0007040600070406ull;
	m->apic_base = 0xfee00000 | APIC_BASE_ON | (c->id == 0 ? APIC_BASE_BSP : 0);
	m->smbase = 0x30000;
	m->hwcr = HWCR_TSCFREQ;
	m->patch_level = 0x0a0011d1;
	m->extra[EXTRA_DE_CFG] = 2;
	m->extra[EXTRA_MCG_CTL] = 0;
	m->extra[EXTRA_RANDOM] = 0x756e646572766973ull + c->id;
}

/* ---- instructions ---- */

static inline void set_edx_eax(struct x86_cpu *c, u64 v)
{
	c->r[R_AX] = (u32)v;
	c->r[R_DX] = v >> 32;
}
static inline u64 edx_eax(const struct x86_cpu *c) { return (u32)c->r[R_AX] | (c->r[R_DX] & 0xffffffff) << 32; }

/* CPL, then the intercept, then what is special to the MSR. APM2 15.11 */
void x86i_rdmsr(struct x86_cpu *c, const struct x86_op *o)
{
	u32 n = (u32)c->r[R_CX];
	u64 v = 0;
	enum x86_rule why;

	(void)o;
	if (c->cpl)
		x86_gp(c, 0, RULE_GP_CPL);
	svm_check_msr(c, n, false);
	x86_set_time(c); /* exact for the local APIC */
	why = x86_msr_read(c, n, &v);
	if (why != RULE_NONE)
		x86_gp(c, 0, why);
	set_edx_eax(c, v);
	if (unlikely(event_on(c->log, EV_MSR)))
		x86_log(c, EV_MSR, n, v, 0);
}

void x86i_wrmsr(struct x86_cpu *c, const struct x86_op *o)
{
	u32 n = (u32)c->r[R_CX];
	u64 v = edx_eax(c);
	enum x86_rule why;

	(void)o;
	if (c->cpl)
		x86_gp(c, 0, RULE_GP_CPL);
	svm_check_msr(c, n, true);
	x86_set_time(c); /* exact for the local APIC */
	why = x86_msr_write(c, n, v);
	if (why != RULE_NONE)
		x86_gp(c, 0, why);
	if (unlikely(event_on(c->log, EV_MSR)))
		x86_log(c, EV_MSR, n, v, 1);
	if (n == 0xc0000080 && svm_wants(&c->svm, ICPT_EFER_WRITE_TRAP)) /* after the instruction. APM2 app. B */
		svm_trap(c, svm_code(ICPT_EFER_WRITE_TRAP), v);
}

void x86i_rdtsc(struct x86_cpu *c, const struct x86_op *o)
{
	(void)o;
	if ((c->cr4 & CR4_TSD) && c->cpl)
		x86_gp(c, 0, RULE_GP_TSD);
	svm_check(c, &c->svm, ICPT_RDTSC);
	set_edx_eax(c, tsc_read(c));
}

void x86i_rdtscp(struct x86_cpu *c, const struct x86_op *o)
{
	(void)o;
	if ((c->cr4 & CR4_TSD) && c->cpl)
		x86_gp(c, 0, RULE_GP_TSD);
	svm_check(c, &c->svm, ICPT_RDTSCP);
	set_edx_eax(c, tsc_read(c));
	c->r[R_CX] = (u32)c->msr.tsc_aux;
}

void x86i_rdpid(struct x86_cpu *c, const struct x86_op *o)
{
	x86_reg_write(c, op_src(o), x86_long64(c) ? 8 : 4, (u32)c->msr.tsc_aux);
}

void x86i_rdpmc(struct x86_cpu *c, const struct x86_op *o)
{
	u32 n = (u32)c->r[R_CX];

	(void)o;
	if (c->cpl && !(c->cr4 & CR4_PCE))
		x86_gp(c, 0, RULE_GP_PCE);
	if (n > 3)
		x86_gp(c, 0, RULE_GP_PMC_NUMBER);
	svm_check(c, &c->svm, ICPT_RDPMC);
	set_edx_eax(c, x86_pmc_read(c, n));
}

/* ECX 0: MPERF, 1: APERF; others read as zero. APM3 RDPRU */
void x86i_rdpru(struct x86_cpu *c, const struct x86_op *o)
{
	u32 n = (u32)c->r[R_CX];
	u64 v = 0;

	(void)o;
	if ((c->cr4 & CR4_TSD) && c->cpl)
		x86_ud(c, RULE_UD_TSD);
	svm_check(c, &c->svm, ICPT_RDPRU);
	if (n < 2) /* the TSC ratio is for RDMSR: APM2 15.30.5 names no RDPRU */
		v = perf_count(c, 0xe7 + n);
	set_edx_eax(c, v);
}
