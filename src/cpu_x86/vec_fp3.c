/*
 * Floating point of SSE3, SSE4.1, FMA and F16C on hosts that may lack them: horizontal and alternating sums and dot products out of the
 * host's plain additions and multiplications, rounding and half precision in integers, fused operations by the host's FMA or in
 * libm's, which rounds once in the present rounding mode. APM4, APM6 (FMA, F16C).
 */
#include <math.h>

#include "cpu_x86/vec.h"

#define PS(v) _mm_castsi128_ps(v)
#define PD(v) _mm_castsi128_pd(v)
#define IS(v) _mm_castps_si128(v)
#define ID(v) _mm_castpd_si128(v)

/* One host instruction, with a's NaN first. */
#define HOST(name)                                                                                                               \
	static ALWAYS_INLINE __m128i h_##name(__m128i a, __m128i b)                                                               \
	{                                                                                                                        \
		__asm__ volatile(#name " %1, %0" : "+x"(a) : "x"(b));                                                             \
		return a;                                                                                                        \
	}
HOST(addps)
HOST(subps)
HOST(mulps)
HOST(addpd)
HOST(subpd)
HOST(mulpd)

/* ---- horizontal: even elements with odd ones ---- */
#define EVEN_PS(a, b) IS(_mm_shuffle_ps(PS(a), PS(b), 0x88))
#define ODD_PS(a, b)  IS(_mm_shuffle_ps(PS(a), PS(b), 0xdd))
V_EXPR(haddps, h_addps(EVEN_PS(a, b), ODD_PS(a, b)))
VEC_RARE(haddps, 0)
V_EXPR(hsubps, h_subps(EVEN_PS(a, b), ODD_PS(a, b)))
VEC_RARE(hsubps, 0)
V_EXPR(haddpd, h_addpd(_mm_unpacklo_epi64(a, b), _mm_unpackhi_epi64(a, b)))
VEC_RARE(haddpd, 0)
V_EXPR(hsubpd, h_subpd(_mm_unpacklo_epi64(a, b), _mm_unpackhi_epi64(a, b)))
VEC_RARE(hsubpd, 0)

/* ---- ADDSUB: both, each on zeros where the other one counts; 0 + 0 and 0 - 0 leave no flags ---- */
static ALWAYS_INLINE __m128i v_addsubps(__m128i a, __m128i b, unsigned imm)
{
	__m128i odd = _mm_set_epi32(-1, 0, -1, 0);

	(void)imm;
	return _mm_or_si128(_mm_and_si128(odd, h_addps(_mm_and_si128(odd, a), _mm_and_si128(odd, b))),
	                    _mm_andnot_si128(odd, h_subps(_mm_andnot_si128(odd, a), _mm_andnot_si128(odd, b))));
}
VEC_RARE(addsubps, 0)
static ALWAYS_INLINE __m128i v_addsubpd(__m128i a, __m128i b, unsigned imm)
{
	__m128i odd = _mm_set_epi32(-1, -1, 0, 0);

	(void)imm;
	return _mm_or_si128(_mm_and_si128(odd, h_addpd(_mm_and_si128(odd, a), _mm_and_si128(odd, b))),
	                    _mm_andnot_si128(odd, h_subpd(_mm_andnot_si128(odd, a), _mm_andnot_si128(odd, b))));
}
VEC_RARE(addsubpd, 0)

/* ---- dot products: products where imm8[7:4] says, their sum where imm8[3:0] says ---- */
static ALWAYS_INLINE __m128i bits32(unsigned m) { return _mm_set_epi32(-(int)(m >> 3 & 1), -(int)(m >> 2 & 1), -(int)(m >> 1 & 1), -(int)(m & 1)); }
static ALWAYS_INLINE __m128i v_dpps(__m128i a, __m128i b, unsigned imm)
{
	__m128i m = bits32(imm >> 4), p = h_mulps(_mm_and_si128(m, a), _mm_and_si128(m, b)), s, t;

	p = _mm_and_si128(p, m);
	s = h_addps(_mm_shuffle_epi32(p, 0xb1), p); /* 1+0 0+1 3+2 2+3: which NaN wins depends on it */
	t = h_addps(s, _mm_shuffle_epi32(s, 0x4e));
	return _mm_and_si128(t, bits32(imm));
}
VEC_RARE(dpps, 0)
static ALWAYS_INLINE __m128i v_dppd(__m128i a, __m128i b, unsigned imm)
{
	__m128i m = _mm_set_epi64x(-(s64)(imm >> 5 & 1), -(s64)(imm >> 4 & 1)), p = h_mulpd(_mm_and_si128(m, a), _mm_and_si128(m, b));

	p = _mm_and_si128(p, m);
	p = h_addpd(p, _mm_shuffle_epi32(p, 0x4e));
	return _mm_and_si128(p, _mm_set_epi64x(-(s64)(imm >> 1 & 1), -(s64)(imm & 1)));
}
VEC_RARE(dppd, 0)

/* ---- ROUND: to an integral value. imm8[1:0] rounding, [2] MXCSR's instead, [3] no precision exception ---- */
static u64 round_bits(u64 v, unsigned exp_bits, unsigned frac_bits, unsigned imm)
{
	u64 sign = v & BIT(exp_bits + frac_bits), mag = v ^ sign, one = (BIT(exp_bits - 1) - 1) << frac_bits;
	unsigned rc = imm & 4 ? _mm_getcsr() >> 13 & 3 : imm & 3;
	s64 e = (s64)(mag >> frac_bits) - (s64)(BIT(exp_bits - 1) - 1);
	u64 inf = (BIT(exp_bits) - 1) << frac_bits, unit, rest, r;
	bool up;

	if (mag > inf) {
		if (!(mag & BIT(frac_bits - 1)))
			vec_raise_flags(MXCSR_IE);
		return v | BIT(frac_bits - 1);
	}
	if (!(mag >> frac_bits) && _mm_getcsr() & MXCSR_DAZ)
		mag = 0;
	if (!mag || e >= (s64)frac_bits)
		return sign | mag;
	if (!(imm & 8) && (e < 0 || mag & mask_low(frac_bits - (unsigned)e)))
		vec_raise_flags(MXCSR_PE);
	if (e < 0) { /* between 0 and 1 */
		up = rc == 0 ? mag > one - BIT(frac_bits) : rc == 1 ? sign != 0 : rc == 2 && !sign;
		return sign | (up ? one : 0);
	}
	unit = BIT(frac_bits - (unsigned)e);
	rest = mag & (unit - 1);
	r = mag - rest;
	up = rc == 0 ? rest > unit / 2 || (rest == unit / 2 && (e == 0 || r & unit)) : rc == 1 ? sign && rest : rc == 2 && !sign && rest;
	return sign | (up ? r + unit : r);
}

static __m128i v_roundps(__m128i a, __m128i b, unsigned imm)
{
	union lane y = {.v = b};

	(void)a;
	for (unsigned i = 0; i < 4; i++)
		y.d[i] = (u32)round_bits(y.d[i], 8, 23, imm);
	return y.v;
}
VEC_RARE(roundps, 0)
static __m128i v_roundpd(__m128i a, __m128i b, unsigned imm)
{
	union lane y = {.v = b};

	(void)a;
	for (unsigned i = 0; i < 2; i++)
		y.q[i] = round_bits(y.q[i], 11, 52, imm);
	return y.v;
}
VEC_RARE(roundpd, 0)
static __m128i v_roundss(__m128i a, __m128i b, unsigned imm)
{
	union lane x = {.v = a}, y = {.v = b};

	x.d[0] = (u32)round_bits(y.d[0], 8, 23, imm);
	return x.v;
}
VEC_RARE128(roundss)
static __m128i v_roundsd(__m128i a, __m128i b, unsigned imm)
{
	union lane x = {.v = a}, y = {.v = b};

	x.q[0] = round_bits(y.q[0], 11, 52, imm);
	return x.v;
}
VEC_RARE128(roundsd)

/* ---- FMA: x * y + z, or with signs changed; the operands' order decides whose NaN it is ---- */
enum { NEG_PRODUCT = 1, NEG_ADDEND = 2 };

/* Elements of either width as doubles' or floats' bits. */
struct format {
	unsigned exp, frac;
};
static const struct format single = {8, 23}, dbl = {11, 52};
static bool is_nan(u64 v, struct format f) { return (v & mask_low(f.exp + f.frac)) > (BIT(f.exp) - 1) << f.frac; }
static bool is_snan(u64 v, struct format f) { return is_nan(v, f) && !(v & BIT(f.frac - 1)); }
static bool is_denormal(u64 v, struct format f) { return !(v >> f.frac & (BIT(f.exp) - 1)) && v & mask_low(f.frac); }
static bool is_inf(u64 v, struct format f) { return (v & mask_low(f.exp + f.frac)) == (BIT(f.exp) - 1) << f.frac; }
static bool is_zero(u64 v, struct format f) { return !(v & mask_low(f.exp + f.frac)); }

/* Without the host's FMA. a, b, c in the order of the instruction's operands (whose first NaN is the result), x, y the factors, z. */
static u64 fma_soft(const u64 in[3], u64 x, u64 y, u64 z, unsigned neg, struct format f)
{
	u64 sign = BIT(f.exp + f.frac), r;
	u32 csr = _mm_getcsr(), raised;

	for (unsigned i = 0; i < 3; i++)
		if (is_snan(in[i], f))
			vec_raise_flags(MXCSR_IE);
	for (unsigned i = 0; i < 3; i++)
		if (is_nan(in[i], f))
			return in[i] | BIT(f.frac - 1);
	if (csr & MXCSR_DAZ) {
		x = is_denormal(x, f) ? x & sign : x;
		y = is_denormal(y, f) ? y & sign : y;
		z = is_denormal(z, f) ? z & sign : z;
	}
	x ^= neg & NEG_PRODUCT ? sign : 0;
	z ^= neg & NEG_ADDEND ? sign : 0;
	if ((is_inf(x, f) && is_zero(y, f)) || (is_zero(x, f) && is_inf(y, f)) ||
	    ((is_inf(x, f) || is_inf(y, f)) && is_inf(z, f) && (x ^ y ^ z) & sign)) {
		vec_raise_flags(MXCSR_IE);
		return sign | (BIT(f.exp + 1) - 1) << (f.frac - 1);
	}
	_mm_setcsr(csr & ~(MXCSR_FTZ | MXCSR_DAZ | MXCSR_FLAGS));
	if (f.frac == 52) {
		union {
			u64 u;
			double d;
		} p = {x}, q = {y}, s = {z};

		p.d = fma(p.d, q.d, s.d);
		r = p.u;
	} else {
		union {
			u32 u;
			float d;
		} p = {(u32)x}, q = {(u32)y}, s = {(u32)z};

		p.d = fmaf(p.d, q.d, s.d);
		r = p.u;
	}
	raised = _mm_getcsr() & MXCSR_FLAGS & ~MXCSR_DE;
	csr |= raised;
	if (!(csr & MXCSR_DAZ) && (is_denormal(x, f) || is_denormal(y, f) || is_denormal(z, f)))
		csr |= MXCSR_DE;
	/* With UE even the smallest normal number was tiny before it was rounded to fit. APM1 4.10.1 */
	if (csr & MXCSR_FTZ && (is_denormal(r, f) || raised & MXCSR_UE)) {
		r &= sign;
		csr |= MXCSR_UE | MXCSR_PE;
	}
	_mm_setcsr(csr);
	return r;
}

int vec_host_fma;

static bool host_fma(void)
{
	if (!vec_host_fma)
		vec_host_fma = __builtin_cpu_supports("fma") ? 2 : 1;
	return vec_host_fma == 2;
}

/* One lane: d (ModRM.reg), v (vvvv), m (r/m). order: 132, 213, 231. n elements from the bottom; the others stay d's. */
#define FMA_SOFT(name, field, f)                                                                                                 \
	static NOINLINE __m128i name(__m128i d, __m128i v, __m128i m, unsigned order, const u8 neg[2], unsigned n)                 \
	{                                                                                                                        \
		union lane x = {.v = d}, y = {.v = v}, z = {.v = m};                                                              \
		for (unsigned i = 0; i < n; i++) {                                                                               \
			u64 in[3] = {x.field[i], y.field[i], z.field[i]};                                                         \
			u64 p = order == 231 ? in[1] : order == 213 ? in[1] : in[0];                                              \
			u64 q = order == 231 ? in[2] : order == 213 ? in[0] : in[2];                                              \
			u64 s = order == 231 ? in[0] : order == 213 ? in[2] : in[1];                                              \
			u64 nan[3] = {p, q, s};                                                                                  \
			x.field[i] = (__typeof__(x.field[0]))fma_soft(nan, p, q, s, neg[i & 1], f);                               \
		}                                                                                                                \
		return x.v;                                                                                                      \
	}
FMA_SOFT(soft_ps, d, single)
FMA_SOFT(soft_pd, q, dbl)
#define soft_ss soft_ps
#define soft_sd soft_pd

#define FMA_LANE(name, order, t, insn, neg_even, neg_odd, n)                                                                     \
	static ALWAYS_INLINE __m128i name##_lane(__m128i d, __m128i v, __m128i m)                                                 \
	{                                                                                                                        \
		static const u8 neg[2] = {neg_even, neg_odd};                                                                    \
		if (likely(host_fma())) {                                                                                        \
			__asm__ volatile(insn #order #t " %2, %1, %0" : "+x"(d) : "x"(v), "x"(m));                                \
			return d;                                                                                                \
		}                                                                                                                \
		return soft_##t(d, v, m, order, neg, n);                                                                         \
	}
#define FMA_PACKED(name, order, t, insn, ne, no, n)                                                                              \
	FMA_LANE(name, order, t, insn, ne, no, n)                                                                                \
	static INSN name##_r(struct x86_cpu *c, const struct x86_op *o)                                                           \
	{                                                                                                                        \
		__m128i *d = vec_d(c, o), *v = vec_v(c, o), *s = vec_s(c, o), lo = name##_lane(d[0], v[0], s[0]);                  \
		d[1] = op_vl(o) == 2 ? name##_lane(d[1], v[1], s[1]) : _mm_setzero_si128();                                       \
		d[0] = lo;                                                                                                       \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN name##_m(struct x86_cpu *c, const struct x86_op *o)                                                           \
	{                                                                                                                        \
		const u8 *p = vec_mem(c, o, op_vl(o) == 2 ? 32 : 16, TLB_R, false);                                              \
		__m128i *d = vec_d(c, o), *v = vec_v(c, o), lo;                                                                  \
		if (unlikely(!p))                                                                                                \
			return o->slow(c, o);                                                                                    \
		lo = name##_lane(d[0], v[0], vec_get(p, 16));                                                                    \
		d[1] = op_vl(o) == 2 ? name##_lane(d[1], v[1], vec_get(p + 16, 16)) : _mm_setzero_si128();                        \
		d[0] = lo;                                                                                                       \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	const struct x86_vec x86_vec_##name = {.reg = {NULL, name##_r, name##_r}, .mem = {NULL, name##_m, name##_m}};
#define FMA_SCALAR(name, order, t, insn, ne, size)                                                                               \
	FMA_LANE(name, order, t, insn, ne, ne, 1)                                                                                \
	static INSN name##_r(struct x86_cpu *c, const struct x86_op *o)                                                           \
	{                                                                                                                        \
		__m128i *d = vec_d(c, o);                                                                                        \
		d[0] = name##_lane(d[0], *vec_v(c, o), *vec_s(c, o));                                                            \
		d[1] = _mm_setzero_si128();                                                                                      \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN name##_m(struct x86_cpu *c, const struct x86_op *o)                                                           \
	{                                                                                                                        \
		const void *p = vec_mem(c, o, size, TLB_R, false);                                                               \
		__m128i *d = vec_d(c, o);                                                                                        \
		if (unlikely(!p))                                                                                                \
			return o->slow(c, o);                                                                                    \
		d[0] = name##_lane(d[0], *vec_v(c, o), vec_get(p, size));                                                        \
		d[1] = _mm_setzero_si128();                                                                                      \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	const struct x86_vec x86_vec_##name = {.reg = {NULL, name##_r, name##_r}, .mem = {NULL, name##_m, name##_m}};
#define FMA_ORDER(order, stem, insn, ne, no)                                                                                     \
	FMA_PACKED(stem##order##ps, order, ps, insn, ne, no, 4)                                                                  \
	FMA_PACKED(stem##order##pd, order, pd, insn, ne, no, 2)
#define FMA_ORDER4(order, stem, insn, ne)                                                                                        \
	FMA_ORDER(order, stem, insn, ne, ne)                                                                                     \
	FMA_SCALAR(stem##order##ss, order, ss, insn, ne, 4)                                                                      \
	FMA_SCALAR(stem##order##sd, order, sd, insn, ne, 8)
#define FMA_ALL(order)                                                                                                           \
	FMA_ORDER4(order, fmadd, "vfmadd", 0)                                                                                    \
	FMA_ORDER4(order, fmsub, "vfmsub", NEG_ADDEND)                                                                           \
	FMA_ORDER4(order, fnmadd, "vfnmadd", NEG_PRODUCT)                                                                        \
	FMA_ORDER4(order, fnmsub, "vfnmsub", NEG_PRODUCT | NEG_ADDEND)                                                           \
	FMA_ORDER(order, fmaddsub, "vfmaddsub", NEG_ADDEND, 0)                                                                   \
	FMA_ORDER(order, fmsubadd, "vfmsubadd", 0, NEG_ADDEND)
FMA_ALL(132)
FMA_ALL(213)
FMA_ALL(231)

/* ---- F16C ---- */
/* Half denormals count as they are: neither DAZ nor DE. */
static u32 half_to_single(u16 h)
{
	u32 sign = (u32)(h & 0x8000) << 16, mag = h & 0x7fff;
	unsigned shift = 0;

	if (mag >= 0x7c00) {
		if (mag > 0x7c00 && !(mag & 0x200))
			vec_raise_flags(MXCSR_IE);
		return sign | 0x7f800000 | (mag & 0x3ff) << 13 | (mag > 0x7c00 ? 0x400000 : 0);
	}
	if (mag >= 0x400)
		return sign | ((mag << 13) + (112u << 23));
	if (!mag)
		return sign;
	while (!(mag << shift & 0x400))
		shift++;
	return sign | (113 - shift) << 23 | (mag << shift & 0x3ff) << 13;
}

static bool round_up(u32 sign, u32 kept, u32 rest, u32 halfway, unsigned rc)
{
	return rc == 0   ? rest > halfway || (rest == halfway && kept & 1)
	       : rc == 1 ? sign && rest
	       : rc == 2 ? !sign && rest
			 : false;
}

/* FTZ has no say here: a tiny result is a half denormal. DAZ and DE concern the source. */
static u16 single_to_half(u32 v, unsigned imm)
{
	unsigned rc = imm & 4 ? _mm_getcsr() >> 13 & 3 : imm & 3, drop;
	u32 sign = v >> 31, mag = v & 0x7fffffff, r, rest, flags = 0, s_half = sign << 15;
	s32 e = (s32)(mag >> 23) - 127;

	if (mag > 0x7f800000) {
		if (!(mag & 0x400000))
			vec_raise_flags(MXCSR_IE);
		return (u16)(s_half | 0x7e00 | (mag >> 13 & 0x3ff));
	}
	if (mag == 0x7f800000)
		return (u16)(s_half | 0x7c00);
	if (mag && mag < 0x800000) {
		if (_mm_getcsr() & MXCSR_DAZ)
			mag = 0;
		else
			flags |= MXCSR_DE;
	}
	if (!mag)
		return (u16)s_half;
	drop = e >= -14 ? 13 : (unsigned)(-1 - e) > 31 ? 31 : (unsigned)(-1 - e); /* bits below the result's last one */
	r = mag < 0x800000 ? mag : (mag & 0x7fffff) | 0x800000;
	if (drop > 25) { /* far below: sticky */
		rest = 1;
		r = 0;
		drop = 25;
	} else {
		rest = r & (u32)mask_low(drop);
		r >>= drop;
	}
	if (e < -14 && rest && !(e == -15 && round_up(sign, 0x7ff & ((mag & 0x7fffff) | 0x800000) >> 13, ((mag & 0x7fffff) | 0x800000) & 0x1fff, 0x1000, rc) &&
				  (((mag & 0x7fffff) | 0x800000) >> 13) == 0x7ff))
		flags |= MXCSR_UE; /* tiny after rounding, and inexact */
	if (round_up(sign, r, rest, 1u << (drop - 1), rc))
		r++;
	if (e >= -14)
		r += (u32)(e + 14) << 10; /* r has the hidden bit: exponent field e + 15 */
	if (rest)
		flags |= MXCSR_PE;
	if (r >= 0x7c00) {
		flags |= MXCSR_OE | MXCSR_PE;
		r = rc == 0 || (rc == 1 && sign) || (rc == 2 && !sign) ? 0x7c00 : 0x7bff;
	}
	vec_raise_flags(flags);
	return (u16)(s_half | r);
}

static INSN cvtph2ps_r(struct x86_cpu *c, const struct x86_op *o)
{
	union lane s = {.v = *vec_s(c, o)}, r[2] = {0};

	for (unsigned i = 0; i < (op_vl(o) == 2 ? 8 : 4); i++)
		r[i / 4].d[i % 4] = half_to_single(s.w[i]);
	vec_d(c, o)[0] = r[0].v;
	vec_d(c, o)[1] = r[1].v;
	return x86_next(c, o);
}
const struct x86_vec x86_vec_cvtph2ps = {.reg = {NULL, cvtph2ps_r, cvtph2ps_r}};

static __m128i to_half(struct x86_cpu *c, const struct x86_op *o)
{
	union lane r = {0};
	u32 s[8];

	memcpy(s, vec_s(c, o), 32);
	for (unsigned i = 0; i < (op_vl(o) == 2 ? 8 : 4); i++)
		r.w[i] = single_to_half(s[i], vec_imm(o));
	return r.v;
}
static INSN cvtps2ph_r(struct x86_cpu *c, const struct x86_op *o)
{
	vec_d(c, o)[0] = to_half(c, o);
	vec_d(c, o)[1] = _mm_setzero_si128();
	return x86_next(c, o);
}
/* The only store that raises SIMD exceptions: before anything is written, and its flags stand even if the store faults. */
static INSN cvtps2ph_any(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned size = op_vl(o) == 2 ? 16 : 8;
	u32 csr = _mm_getcsr(), found;
	__m128i r;

	c->op = o;
	_mm_setcsr(csr & ~MXCSR_FLAGS);
	r = to_half(c, o);
	found = _mm_getcsr() & MXCSR_FLAGS;
	_mm_setcsr(csr);
	if (found & vec_unmasked(c))
		vec_xm(c, found);
	vec_raise_flags(found);
	vec_store(c, o, &r, size);
	return x86_next(c, o);
}
const struct x86_vec x86_vec_cvtps2ph = {.reg = {NULL, cvtps2ph_r, cvtps2ph_r}, .any = {NULL, cvtps2ph_any, cvtps2ph_any}};
