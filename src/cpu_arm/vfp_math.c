/*
 * VFP arithmetic on the host's SSE under the guest's rounding mode. What differs from SSE is mended here: which NaN comes out, the default NaN's
 * sign, flush-to-zero of inputs and results, tininess, which ARM looks at before rounding. DDI0100 C2; DDI0274 (VFP9-S).
 */
#include "cpu_arm/vfp.h"

enum { MX_IE = 1, MX_DE = 2, MX_ZE = 4, MX_OE = 8, MX_UE = 16, MX_PE = 32, MX_MASKS = 0x1f80 };
enum { ROUND_NEAREST, ROUND_DOWN = 1, ROUND_UP = 2, ROUND_ZERO = 3 }; /* as MXCSR has them */

struct format {
	u64 sign, infinity, quiet, mantissa, smallest; /* smallest: of the normal numbers */
};
static const struct format formats[2] = {
        {0x80000000u, 0x7f800000u, 0x00400000u, 0x007fffffu, 0x00800000u},
        {1ull << 63, 0x7ffull << 52, 1ull << 51, (1ull << 52) - 1, 1ull << 52},
};

static bool is_nan(const struct format *f, u64 v) { return (v & ~f->sign) > f->infinity; }
static bool is_signaling(const struct format *f, u64 v) { return is_nan(f, v) && !(v & f->quiet); }
static bool is_denormal(const struct format *f, u64 v) { return !(v & f->infinity) && v & f->mantissa; }
bool vfp_is_denormal(u64 v, bool dbl) { return is_denormal(&formats[dbl], v); }
static u64 default_nan(const struct format *f) { return f->infinity | f->quiet; }

static void raise(struct arm_cpu *c, u32 flags) { c->s.vfp.fpscr |= flags; }

/* FPSCR's rounding modes are nearest, up, down, zero. */
static u32 rounding(const struct arm_cpu *c)
{
	static const u8 mode[4] = {ROUND_NEAREST, ROUND_UP, ROUND_DOWN, ROUND_ZERO};

	return mode[c->s.vfp.fpscr >> 22 & 3];
}

/* ---- the host ---- */

static u32 host_begin(u32 mode)
{
	u32 old, new = MX_MASKS | mode << 13;

	__asm__ volatile("stmxcsr %0" : "=m"(old) : : "memory");
	__asm__ volatile("ldmxcsr %0" : : "m"(new) : "memory");
	return old;
}
static u32 host_end(u32 old)
{
	u32 now;

	__asm__ volatile("stmxcsr %0" : "=m"(now) : : "memory");
	__asm__ volatile("ldmxcsr %0" : : "m"(old) : "memory");
	return now & 63;
}

#define HOST(insn, a, b) __asm__ volatile(insn " %1, %0" : "+x"(a) : "x"(b))
static u64 host_single(enum vfp_op op, u64 a, u64 b)
{
	u32 r = (u32)a, other = (u32)b;
	float x, y;

	memcpy(&x, &r, 4);
	memcpy(&y, &other, 4);
	switch (op) {
	case VFP_ADD: HOST("addss", x, y); break;
	case VFP_SUB: HOST("subss", x, y); break;
	case VFP_MUL: HOST("mulss", x, y); break;
	case VFP_DIV: HOST("divss", x, y); break;
	case VFP_SQRT: HOST("sqrtss", x, y); break;
	}
	memcpy(&r, &x, 4);
	return r;
}
static u64 host_double(enum vfp_op op, u64 a, u64 b)
{
	double x, y;

	memcpy(&x, &a, 8);
	memcpy(&y, &b, 8);
	switch (op) {
	case VFP_ADD: HOST("addsd", x, y); break;
	case VFP_SUB: HOST("subsd", x, y); break;
	case VFP_MUL: HOST("mulsd", x, y); break;
	case VFP_DIV: HOST("divsd", x, y); break;
	case VFP_SQRT: HOST("sqrtsd", x, y); break;
	}
	memcpy(&a, &x, 8);
	return a;
}
static u64 host_op(enum vfp_op op, u64 a, u64 b, bool dbl, u32 mode, u32 *flags)
{
	u32 old = host_begin(mode);
	u64 r = dbl ? host_double(op, a, b) : host_single(op, a, b);

	*flags = host_end(old);
	return r;
}

static u32 flags_of(u32 mx)
{
	return (mx & MX_IE ? FPSCR_IOC : 0) | (mx & MX_ZE ? FPSCR_DZC : 0) | (mx & MX_OE ? FPSCR_OFC : 0) | (mx & MX_UE ? FPSCR_UFC : 0) |
	       (mx & MX_PE ? FPSCR_IXC : 0);
}

/* ---- what is ARM's ---- */

/* With FZ, denormal inputs count as zero. DDI0100 C2.4.3 */
static u64 input(struct arm_cpu *c, const struct format *f, u64 v)
{
	if (!(c->s.vfp.fpscr & FPSCR_FZ) || !is_denormal(f, v))
		return v;
	raise(c, FPSCR_IDC);
	return v & f->sign;
}

/* The first signaling NaN, else the first NaN, made quiet; or the default NaN. DDI0100 C2.5 */
static u64 propagate(struct arm_cpu *c, const struct format *f, u64 a, u64 b)
{
	u64 v = is_signaling(f, a) ? a : is_signaling(f, b) ? b : is_nan(f, a) ? a : b;

	if (is_signaling(f, a) || is_signaling(f, b))
		raise(c, FPSCR_IOC);
	return c->s.vfp.fpscr & FPSCR_DN ? default_nan(f) : v | f->quiet;
}

/* A result whose size before rounding was below the normal numbers: zero with FZ, else an underflow if it is inexact. tiny_chopped: the result
 * rounded towards zero, for one that rounding has made normal. */
static u64 finish(struct arm_cpu *c, const struct format *f, u64 r, u32 mx, u64 chopped)
{
	u64 size = r & ~f->sign;
	bool tiny = is_denormal(f, r) || (!size && mx & MX_UE) || (size == f->smallest && mx & MX_PE && (chopped & ~f->sign) < f->smallest);

	if (tiny && c->s.vfp.fpscr & FPSCR_FZ) {
		raise(c, FPSCR_UFC);
		return r & f->sign;
	}
	raise(c, flags_of(mx) | (tiny && mx & MX_PE ? FPSCR_UFC : 0));
	return r;
}

u64 vfp_arith(struct arm_cpu *c, enum vfp_op op, u64 a, u64 b, bool dbl)
{
	const struct format *f = &formats[dbl];
	u64 r, chopped;
	u32 mx, ignored;

	b = input(c, f, b);
	a = op == VFP_SQRT ? b : input(c, f, a);
	if (is_nan(f, a) || is_nan(f, b))
		return propagate(c, f, a, b);
	chopped = r = host_op(op, a, b, dbl, rounding(c), &mx);
	if (is_nan(f, r)) {
		raise(c, FPSCR_IOC);
		return default_nan(f);
	}
	if ((r & ~f->sign) == f->smallest && mx & MX_PE)
		chopped = host_op(op, a, b, dbl, ROUND_ZERO, &ignored);
	return finish(c, f, r, mx, chopped);
}

u32 vfp_compare(struct arm_cpu *c, u64 a, u64 b, bool dbl, bool loud)
{
	const struct format *f = &formats[dbl];
	s64 x, y;

	a = input(c, f, a);
	b = input(c, f, b);
	if (is_nan(f, a) || is_nan(f, b)) {
		if (loud || is_signaling(f, a) || is_signaling(f, b))
			raise(c, FPSCR_IOC);
		return PSR_C | PSR_V;
	}
	x = a & f->sign ? -(s64)(a & ~f->sign) : (s64)a; /* zeros are equal */
	y = b & f->sign ? -(s64)(b & ~f->sign) : (s64)b;
	return x == y ? PSR_Z | PSR_C : x < y ? PSR_N : PSR_C;
}

u64 vfp_convert(struct arm_cpu *c, u64 v, bool from_dbl)
{
	const struct format *f = &formats[from_dbl], *to = &formats[!from_dbl];
	u32 old, mx, single;
	u64 r, chopped;
	double d;
	float s;

	v = input(c, f, v);
	if (is_nan(f, v)) {
		u64 sign = v & f->sign ? to->sign : 0, m = v & f->mantissa;

		if (is_signaling(f, v))
			raise(c, FPSCR_IOC);
		if (c->s.vfp.fpscr & FPSCR_DN)
			return default_nan(to);
		return sign | to->infinity | to->quiet | (from_dbl ? m >> 29 : m << 29);
	}
	if (!from_dbl) { /* exact */
		single = (u32)v;
		memcpy(&s, &single, 4);
		d = s;
		memcpy(&r, &d, 8);
		return r;
	}
	memcpy(&d, &v, 8);
	old = host_begin(rounding(c));
	__asm__ volatile("cvtsd2ss %1, %0" : "=x"(s) : "x"(d));
	mx = host_end(old);
	memcpy(&single, &s, 4);
	r = single;
	old = host_begin(ROUND_ZERO);
	__asm__ volatile("cvtsd2ss %1, %0" : "=x"(s) : "x"(d));
	host_end(old);
	memcpy(&single, &s, 4);
	chopped = single;
	return finish(c, to, r, mx, chopped);
}

u64 vfp_from_int(struct arm_cpu *c, u32 v, bool dbl, bool is_signed)
{
	double d = is_signed ? (double)(s32)v : (double)v; /* exact */
	u32 old, single;
	float s;
	u64 r;

	if (dbl) {
		memcpy(&r, &d, 8);
		return r;
	}
	old = host_begin(rounding(c));
	__asm__ volatile("cvtsd2ss %1, %0" : "=x"(s) : "x"(d));
	raise(c, flags_of(host_end(old)));
	memcpy(&single, &s, 4);
	return single;
}

/* Rounded to an integer under the mode. */
static double to_integer(double v, u32 mode)
{
	u32 old;
	s64 r;

	if (!(v > -0x1p52 && v < 0x1p52))
		return v; /* it is one */
	old = host_begin(mode);
	__asm__ volatile("cvtsd2si %1, %0" : "=r"(r) : "x"(v));
	host_end(old);
	return (double)r;
}

u32 vfp_to_int(struct arm_cpu *c, u64 v, bool dbl, bool is_signed, bool chop)
{
	const struct format *f = &formats[dbl];
	double d, r, least = is_signed ? -2147483648.0 : 0.0, most = is_signed ? 2147483647.0 : 4294967295.0;

	v = input(c, f, v);
	if (is_nan(f, v)) {
		raise(c, FPSCR_IOC);
		return 0;
	}
	if (!dbl) {
		u32 single = (u32)v;
		float s;

		memcpy(&s, &single, 4);
		d = s;
	} else {
		memcpy(&d, &v, 8);
	}
	r = to_integer(d, chop ? (u32)ROUND_ZERO : rounding(c));
	if (r < least || r > most) {
		raise(c, FPSCR_IOC);
		return r < least ? (u32)(s64)least : (u32)(s64)most;
	}
	if (r != d)
		raise(c, FPSCR_IXC);
	return (u32)(s64)r;
}
