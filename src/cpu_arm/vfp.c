/*
 * VFP9-S instructions: which are defined, register transfers, loads and stores, data processing on scalars and short vectors. Arithmetic is
 * vfp_math.c's. DDI0100 part C; DDI0274; exceptions: DDI0238 ch. 5.
 */
#include "cpu_arm/vfp.h"

#include "cpu_arm/flags.h"

#define FPSID       0x41011090u /* VFP9-S r0 */
#define FPSCR_MASK  0xf3f79f9fu /* flags, DN, FZ, rounding, stride, length, trap enable bits, sticky bits */
#define FPEXC_MASK  0xd000078du /* EX, EN, FP2V, VECITR, INV, UFC, OFC, IOC */
#define FPEXC_CAUSE 0x8du       /* these stand where FPSCR has IDC, UFC, OFC, IOC */
#define FPEXC_VECITR_SHIFT 8
enum { SYS_FPSID = 0, SYS_FPSCR = 1, SYS_FPEXC = 8, SYS_FPINST = 9, SYS_FPINST2 = 10 };

static bool is_double(u32 w) { return w >> 8 & 1; }

/* Double-precision registers are 16: their fields' low bits must be 0, but for operands that are single all the same. */
static bool registers_exist(enum arm_id id, u32 w)
{
	bool d = w >> 22 & 1, n = w >> 7 & 1, m = w >> 5 & 1;

	if (!is_double(w))
		return id != ARM_ID_FCVT || !d; /* to double */
	switch (id) {
	case ARM_ID_FCVT: return !m; /* to single */
	case ARM_ID_FTOUI:
	case ARM_ID_FTOUIZ:
	case ARM_ID_FTOSI:
	case ARM_ID_FTOSIZ: return !m;
	case ARM_ID_FUITO:
	case ARM_ID_FSITO: return !d;
	case ARM_ID_FMDLR:
	case ARM_ID_FMRDL:
	case ARM_ID_FMDHR:
	case ARM_ID_FMRDH: return !n;
	case ARM_ID_FMDRR:
	case ARM_ID_FMRRD: return !m;
	default: return id >= ARM_ID_FMSR ? !d : !d && !m && (id >= ARM_ID_FCPY || !n);
	}
}

/* Loads and stores of several: the count is in words; with an odd one for doubles (FLDMX, FSTMX) one more is skipped. */
static bool list_exists(u32 w)
{
	u32 words = w & 0xff, fd = vfp_fd(w, is_double(w));

	return is_double(w) ? words / 2 && fd + words / 2 <= 16 : words && fd + words <= 32;
}

static bool system_exists(u32 w, u32 mode)
{
	u32 reg = w >> 16 & 15;

	if (reg == SYS_FPSCR)
		return mode & ARM_MODE_VFP;
	if (mode & ARM_MODE_USER)
		return false;
	return reg == SYS_FPSID || reg == SYS_FPEXC || reg == SYS_FPINST || reg == SYS_FPINST2;
}

bool arm_vfp_valid(enum arm_id id, u32 w, u32 mode)
{
	u32 rd = w >> 12 & 15;

	if (id == ARM_ID_FMXR || id == ARM_ID_FMRX)
		return system_exists(w, mode) && (rd != 15 || (id == ARM_ID_FMRX && (w >> 16 & 15) == SYS_FPSCR));
	if (!(mode & ARM_MODE_VFP) || !registers_exist(id, w))
		return false;
	if (id >= ARM_ID_FSTM_IA)
		return list_exists(w) && !((w >> 16 & 15) == 15 && w >> 21 & 1);
	if (id >= ARM_ID_FST)
		return true;
	if (id >= ARM_ID_FMSRR)
		return rd != 15 && (w >> 16 & 15) != 15 && ((id != ARM_ID_FMSRR && id != ARM_ID_FMRRS) || vfp_fm(w, false) < 31);
	return id < ARM_ID_FMSR || rd != 15;
}

/* ---- system registers ---- */

static u32 *system_register(struct arm_cpu *c, unsigned n)
{
	struct arm_vfp *v = &c->s.vfp;

	return n == SYS_FPSCR ? &v->fpscr : n == SYS_FPEXC ? &v->fpexc : n == SYS_FPINST ? &v->fpinst : &v->fpinst2;
}

void arm_i_vfp_system(struct arm_cpu *c, const struct arm_op *o)
{
	u32 w = op_aux(o), n = w >> 16 & 15, rd = w >> 12 & 15, v, traps = c->s.vfp.fpscr & FPSCR_TRAPS;

	if ((n == SYS_FPINST || n == SYS_FPINST2) && !(c->s.vfp.fpexc & FPEXC_EN)) {
		arm_undefined(c, o);
		return;
	}
	if (w >> 20 & 1) {
		v = n == SYS_FPSID ? FPSID : *system_register(c, n);
		if (rd == 15) /* FMSTAT */
			flags_set(c, v);
		else
			c->s.r[rd] = v;
		return;
	}
	if (n == SYS_FPSID)
		return; /* read only: DDI0274 2.4.1 */
	v = c->s.r[rd];
	*system_register(c, n) = n == SYS_FPSCR ? v & FPSCR_MASK : n == SYS_FPEXC ? v & FPEXC_MASK : v;
	if (n == SYS_FPEXC || traps != (c->s.vfp.fpscr & FPSCR_TRAPS))
		arm_cp15_changed(c);
}

/* ---- to and from ARM registers and memory ---- */

static void load_words(struct arm_cpu *c, u32 va, u32 *to, unsigned n)
{
	u32 buf[32];

	for (unsigned i = 0; i < n; i++)
		buf[i] = arm_load_word(c, va + 4 * i);
	memcpy(to, buf, 4 * n); /* nothing changes when one of them faults */
}
static void store_words(struct arm_cpu *c, u32 va, const u32 *from, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		arm_store_word(c, va + 4 * i, from[i]);
}

static void load_store(struct arm_cpu *c, enum arm_id id, u32 w)
{
	u32 *reg = &c->s.vfp.s[vfp_fd(w, is_double(w)) << is_double(w)];
	u32 rn = w >> 16 & 15, base = rn == 15 ? arm_pc(c) + 8 : c->s.r[rn], off = (w & 0xff) * 4, va = base;
	unsigned words = is_double(w) ? w & 0xfe : w & 0xff;

	if (id == ARM_ID_FLD || id == ARM_ID_FST) {
		va = w >> 23 & 1 ? base + off : base - off;
		words = is_double(w) ? 2 : 1;
	} else if (id == ARM_ID_FLDM_DB || id == ARM_ID_FSTM_DB) {
		va = base - off;
	}
	if (w >> 20 & 1)
		load_words(c, va, reg, words);
	else
		store_words(c, va, reg, words);
	if (id >= ARM_ID_FSTM_IA && w >> 21 & 1)
		c->s.r[rn] = w >> 23 & 1 ? base + off : base - off;
}

void arm_i_vfp_move(struct arm_cpu *c, const struct arm_op *o)
{
	u32 w = op_aux(o), *r = c->s.r, *s = c->s.vfp.s, rd = w >> 12 & 15, rn = w >> 16 & 15, n = vfp_fn(w, false), d = 2 * rn, m = vfp_fm(w, false);

	switch (o->id) {
	case ARM_ID_FMSR: s[n] = r[rd]; break;
	case ARM_ID_FMRS: r[rd] = s[n]; break;
	case ARM_ID_FMDLR: s[d] = r[rd]; break;
	case ARM_ID_FMRDL: r[rd] = s[d]; break;
	case ARM_ID_FMDHR: s[d + 1] = r[rd]; break;
	case ARM_ID_FMRDH: r[rd] = s[d + 1]; break;
	case ARM_ID_FMSRR:
	case ARM_ID_FMDRR:
		m = o->id == ARM_ID_FMDRR ? (w & 15) * 2 : m;
		s[m] = r[rd];
		s[m + 1] = r[rn];
		break;
	case ARM_ID_FMRRS:
	case ARM_ID_FMRRD:
		m = o->id == ARM_ID_FMRRD ? (w & 15) * 2 : m;
		r[rd] = s[m];
		r[rn] = s[m + 1];
		break;
	default: load_store(c, o->id, w);
	}
}

/* ---- data processing ---- */

static u64 negate(u64 v, bool dbl) { return v ^ (dbl ? 1ull << 63 : 0x80000000u); }

/* One element. The multiply-accumulates round twice. DDI0100 C4.1 */
static u64 compute(struct arm_cpu *c, enum arm_id id, u64 d, u64 n, u64 m, bool dbl)
{
	u64 p;

	switch (id) {
	case ARM_ID_FADD: return vfp_arith(c, VFP_ADD, n, m, dbl);
	case ARM_ID_FSUB: return vfp_arith(c, VFP_SUB, n, m, dbl);
	case ARM_ID_FDIV: return vfp_arith(c, VFP_DIV, n, m, dbl);
	case ARM_ID_FMUL: return vfp_arith(c, VFP_MUL, n, m, dbl);
	case ARM_ID_FNMUL: return negate(vfp_arith(c, VFP_MUL, n, m, dbl), dbl);
	case ARM_ID_FSQRT: return vfp_arith(c, VFP_SQRT, m, m, dbl);
	case ARM_ID_FCPY: return m;
	case ARM_ID_FNEG: return negate(m, dbl);
	case ARM_ID_FABS: return m & ~(dbl ? 1ull << 63 : 0x80000000ull);
	default: break;
	}
	p = vfp_arith(c, VFP_MUL, n, m, dbl);
	if (id == ARM_ID_FNMAC || id == ARM_ID_FNMSC)
		p = negate(p, dbl);
	return vfp_arith(c, VFP_ADD, id == ARM_ID_FMSC || id == ARM_ID_FNMSC ? negate(d, dbl) : d, p, dbl);
}

/* The next element's register: banks of 8 singles or 4 doubles wrap. DDI0100 C5.2 */
static unsigned next_register(unsigned n, unsigned stride, bool dbl)
{
	unsigned bank = dbl ? 3 : 7;

	return (n & ~bank) | ((n + stride) & bank);
}

/* Elements; scalar when the destination is in the first bank. The last operand is one scalar for all when it is there. */
static bool in_first_bank(unsigned n, bool dbl) { return n < (dbl ? 4 : 8); }
static unsigned length(const struct arm_cpu *c, u32 w, bool dbl) { return in_first_bank(vfp_fd(w, dbl), dbl) ? 1 : (c->s.vfp.fpscr >> 16 & 7) + 1; }
static unsigned stride_of(const struct arm_cpu *c) { return (c->s.vfp.fpscr & FPSCR_STRIDE) == FPSCR_STRIDE ? 2 : 1; }

static void compute_vector(struct arm_cpu *c, enum arm_id id, u32 w, bool dbl)
{
	unsigned d = vfp_fd(w, dbl), n = vfp_fn(w, dbl), m = vfp_fm(w, dbl), len = length(c, w, dbl), stride = stride_of(c);
	bool same = in_first_bank(m, dbl);

	for (unsigned i = 0; i < len; i++) {
		vfp_put(c, d, dbl, compute(c, id, vfp_get(c, d, dbl), vfp_get(c, n, dbl), vfp_get(c, m, dbl), dbl));
		d = next_register(d, stride, dbl);
		n = next_register(n, stride, dbl);
		m = same ? m : next_register(m, stride, dbl);
	}
}

static void execute(struct arm_cpu *c, enum arm_id id, u32 w)
{
	bool dbl = is_double(w), e = w >> 7 & 1;
	u64 m = vfp_get(c, vfp_fm(w, dbl), dbl);
	u32 flags;

	switch (id) {
	case ARM_ID_FCMP:
	case ARM_ID_FCMPE:
	case ARM_ID_FCMPZ:
	case ARM_ID_FCMPEZ:
		flags = vfp_compare(c, vfp_get(c, vfp_fd(w, dbl), dbl), w >> 16 & 1 ? 0 : m, dbl, e);
		c->s.vfp.fpscr = (c->s.vfp.fpscr & ~PSR_NZCV) | flags;
		break;
	case ARM_ID_FCVT: vfp_put(c, vfp_fd(w, !dbl), !dbl, vfp_convert(c, m, dbl)); break;
	case ARM_ID_FUITO:
	case ARM_ID_FSITO: vfp_put(c, vfp_fd(w, dbl), dbl, vfp_from_int(c, c->s.vfp.s[vfp_fm(w, false)], dbl, e)); break;
	case ARM_ID_FTOUI:
	case ARM_ID_FTOUIZ: c->s.vfp.s[vfp_fd(w, false)] = vfp_to_int(c, m, dbl, false, e); break;
	case ARM_ID_FTOSI:
	case ARM_ID_FTOSIZ: c->s.vfp.s[vfp_fd(w, false)] = vfp_to_int(c, m, dbl, true, e); break;
	default: compute_vector(c, id, w, dbl);
	}
}

/* ---- trapped exceptions. What the VFP9-S cannot do by itself, such as denormal operands, is done here at once, as if its support code had ---- */

static bool is_arithmetic(enum arm_id id) { return id != ARM_ID_FCPY && id != ARM_ID_FNEG && id != ARM_ID_FABS; }
static bool is_vector(enum arm_id id) { return id < ARM_ID_FCMP; }

/* The register field of four bits at shift and one at low in w, moved on to the next element's. */
static u32 step_field(u32 w, unsigned shift, unsigned low, unsigned stride, bool dbl)
{
	unsigned n = w >> shift & 15;

	n = dbl ? next_register(n, stride, true) : next_register(n << 1 | (w >> low & 1), stride, false);
	w &= ~(15u << shift | (dbl ? 0 : 1u << low));
	return w | (dbl ? n << shift : n >> 1 << shift | (n & 1) << low);
}

static u32 next_element(const struct arm_cpu *c, enum arm_id id, u32 w)
{
	bool dbl = is_double(w);
	unsigned stride = stride_of(c);

	if (!in_first_bank(vfp_fm(w, dbl), dbl))
		w = step_field(w, 0, 5, stride, dbl);
	if (id != ARM_ID_FSQRT)
		w = step_field(w, 16, 7, stride, dbl);
	return step_field(w, 12, 22, stride, dbl);
}

/* A result that is tiny and exact is an underflow only when that is trapped. DDI0100 C2.3 */
static bool is_tiny(const struct arm_cpu *c, enum arm_id id, u32 w)
{
	bool dbl = id == ARM_ID_FCVT ? !is_double(w) : is_double(w);

	return (is_vector(id) || id == ARM_ID_FCVT) && vfp_is_denormal(vfp_get(c, vfp_fd(w, dbl), dbl), dbl);
}

/* One element, or nothing and the exceptional state: the next VFP instruction bounces. left: elements behind it. DDI0238 5.1, 5.2 */
static bool try_element(struct arm_cpu *c, enum arm_id id, u32 w, unsigned left)
{
	struct arm_vfp *v = &c->s.vfp, before = *v;
	u32 raised;

	v->fpscr &= ~(u32)(FPSCR_LEN | FPSCR_FLAGS);
	execute(c, id, w);
	raised = v->fpscr & FPSCR_FLAGS;
	if (before.fpscr & FPSCR_UFE && is_tiny(c, id, w))
		raised |= FPSCR_UFC;
	if (!(raised & before.fpscr >> 8)) {
		v->fpscr |= before.fpscr & (FPSCR_LEN | FPSCR_FLAGS);
		return true;
	}
	*v = before;
	v->fpexc = (u32)(FPEXC_EX | FPEXC_EN) | (left + 7) % 8 << FPEXC_VECITR_SHIFT | (raised & FPEXC_CAUSE);
	v->fpinst = (w & 0x0fffffff) | 0xe0000000;
	arm_cp15_changed(c);
	return false;
}

/* With the inexact exception trapped, every arithmetic instruction bounces at once: Linux, arch/arm/vfp, "synchronous exception"; DDI0238 5.9 */
static void trapping(struct arm_cpu *c, const struct arm_op *o)
{
	u32 w = op_aux(o);

	if (c->s.vfp.fpscr & FPSCR_IXE) {
		arm_undefined(c, o);
		return;
	}
	for (unsigned n = is_vector(o->id) ? length(c, w, is_double(w)) : 1; n && try_element(c, o->id, w, n - 1); n--)
		w = next_element(c, o->id, w);
}

void arm_i_vfp_data(struct arm_cpu *c, const struct arm_op *o)
{
	if (c->mode & ARM_MODE_TRAPS && is_arithmetic(o->id))
		trapping(c, o);
	else
		execute(c, o->id, op_aux(o));
}
