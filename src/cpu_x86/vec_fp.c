/*
 * Floating-point arithmetic, comparisons and conversions of SSE and SSE2, in XMM and YMM, on the host's own unit. NaN rules, denormals,
 * rounding and status flags are thereby the host's; RCP and RSQRT give the host's approximations. APM1 4.7-4.10, APM4.
 */
#include "cpu_x86/flags.h"
#include "cpu_x86/vec.h"

/* ---- arithmetic: ps, pd, ss, sd ---- */
#define FP4(name)                                                                                                                \
	V_ASM(name##ps, #name "ps") VEC(name##ps, true, 0)                                                                        \
	V_ASM(name##pd, #name "pd") VEC(name##pd, true, 0)                                                                        \
	V_ASM(name##ss, #name "ss") VEC_SCALAR(name##ss, 4)                                                                       \
	V_ASM(name##sd, #name "sd") VEC_SCALAR(name##sd, 8)
FP4(add)
FP4(sub)
FP4(mul)
FP4(div)
FP4(min)
FP4(max)
V_ASM1(sqrtps, "sqrtps") VEC(sqrtps, true, 0)
V_ASM1(sqrtpd, "sqrtpd") VEC(sqrtpd, true, 0)
V_ASM(sqrtss, "sqrtss") VEC_SCALAR(sqrtss, 4)
V_ASM(sqrtsd, "sqrtsd") VEC_SCALAR(sqrtsd, 8)
V_ASM1(rcpps, "rcpps") VEC_RARE(rcpps, 0)
V_ASM(rcpss, "rcpss") VEC_RARE128(rcpss)
V_ASM1(rsqrtps, "rsqrtps") VEC_RARE(rsqrtps, 0)
V_ASM(rsqrtss, "rsqrtss") VEC_RARE128(rsqrtss)

/* ---- CMPccPS and its kin. APM4 CMPPS, VCMPPS ---- */
#define CMP8(t, a, b, imm)                                                                                                       \
	switch (imm & 7) {                                                                                                       \
	case 0: __asm__ volatile("cmp" #t " $0, %1, %0" : "+x"(a) : "x"(b)); break;                                              \
	case 1: __asm__ volatile("cmp" #t " $1, %1, %0" : "+x"(a) : "x"(b)); break;                                              \
	case 2: __asm__ volatile("cmp" #t " $2, %1, %0" : "+x"(a) : "x"(b)); break;                                              \
	case 3: __asm__ volatile("cmp" #t " $3, %1, %0" : "+x"(a) : "x"(b)); break;                                              \
	case 4: __asm__ volatile("cmp" #t " $4, %1, %0" : "+x"(a) : "x"(b)); break;                                              \
	case 5: __asm__ volatile("cmp" #t " $5, %1, %0" : "+x"(a) : "x"(b)); break;                                              \
	case 6: __asm__ volatile("cmp" #t " $6, %1, %0" : "+x"(a) : "x"(b)); break;                                              \
	default: __asm__ volatile("cmp" #t " $7, %1, %0" : "+x"(a) : "x"(b)); break;                                             \
	}

/* VEX has 32 predicates: 16 sets of relations, and bit 4 says whether a quiet NaN signals or, for the others, does not. */
enum { REL_LT = 1, REL_EQ = 2, REL_GT = 4, REL_UN = 8 };
static const u8 relations[16] = {
	REL_EQ, REL_LT, REL_LT | REL_EQ, REL_UN, REL_LT | REL_GT | REL_UN, REL_EQ | REL_GT | REL_UN, REL_GT | REL_UN,
	REL_LT | REL_EQ | REL_GT, REL_EQ | REL_UN, REL_LT | REL_UN, REL_LT | REL_EQ | REL_UN, 0, REL_LT | REL_GT, REL_EQ | REL_GT,
	REL_GT, REL_LT | REL_EQ | REL_GT | REL_UN,
};
static bool signals(unsigned imm) { return (0x6666 >> (imm & 15) & 1) != (imm >> 4 & 1); }

/* The flags come from one comparison that signals as the predicate does; the others leave none. */
#define COMPARE(t)                                                                                                               \
	static NOINLINE __m128i compare_##t(__m128i a, __m128i b, unsigned imm)                                                   \
	{                                                                                                                        \
		unsigned rel = relations[imm & 15];                                                                              \
		__m128i r = _mm_setzero_si128(), x = a;                                                                          \
		u32 csr;                                                                                                         \
		if (signals(imm))                                                                                                \
			CMP8(t, x, b, 1)                                                                                         \
		else                                                                                                             \
			CMP8(t, x, b, 0)                                                                                         \
		csr = _mm_getcsr();                                                                                              \
		for (unsigned k = 0; k < 4; k++) {                                                                               \
			static const u8 pred[4] = {1, 0, 6, 3}; /* LT, EQ; NLE without unordered is GT; UNORD */                  \
			__m128i m = a, ord = a;                                                                                  \
			if (!(rel >> k & 1))                                                                                     \
				continue;                                                                                        \
			CMP8(t, m, b, pred[k])                                                                                   \
			CMP8(t, ord, b, 7)                                                                                       \
			r = _mm_or_si128(r, k == 2 ? _mm_and_si128(m, ord) : m);                                                 \
		}                                                                                                                \
		_mm_setcsr(csr);                                                                                                 \
		return r;                                                                                                        \
	}                                                                                                                        \
	static ALWAYS_INLINE __m128i v_cmp##t(__m128i a, __m128i b, unsigned imm)                                                 \
	{                                                                                                                        \
		CMP8(t, a, b, imm)                                                                                               \
		return a;                                                                                                        \
	}                                                                                                                        \
	static ALWAYS_INLINE __m128i v_vcmp##t(__m128i a, __m128i b, unsigned imm)                                                \
	{                                                                                                                        \
		__m128i r = a;                                                                                                   \
		if (likely(!(imm & 0x18))) {                                                                                     \
			CMP8(t, r, b, imm)                                                                                       \
			return r;                                                                                                \
		}                                                                                                                \
		r = compare_##t(a, b, imm);                                                                                      \
		return VCMP_MERGE_##t(a, r);                                                                                     \
	}
#define VCMP_MERGE_ps(a, r) r
#define VCMP_MERGE_pd(a, r) r
#define VCMP_MERGE_ss(a, r) _mm_castps_si128(_mm_move_ss(_mm_castsi128_ps(a), _mm_castsi128_ps(r)))
#define VCMP_MERGE_sd(a, r) _mm_castpd_si128(_mm_move_sd(_mm_castsi128_pd(a), _mm_castsi128_pd(r)))
COMPARE(ps)
COMPARE(pd)
COMPARE(ss)
COMPARE(sd)
VEC(cmpps, true, 0)
VEC(cmppd, true, 0)
VEC_SCALAR(cmpss, 4)
VEC_SCALAR(cmpsd, 8)
VEC(vcmpps, true, 0)
VEC(vcmppd, true, 0)
VEC_SCALAR(vcmpss, 4)
VEC_SCALAR(vcmpsd, 8)

/* ---- COMISS, UCOMISS, COMISD, UCOMISD: ZF PF CF; OF SF AF are cleared ---- */
#define COMI(name, size)                                                                                                         \
	static ALWAYS_INLINE void name##_set(struct x86_cpu *c, __m128i a, __m128i b)                                             \
	{                                                                                                                        \
		u32 ax;                                                                                                          \
		__asm__ volatile(#name " %2, %1\n\tlahf" : "=a"(ax) : "x"(a), "x"(b) : "cc");                                     \
		c->flow = (u8)(ax >> 8);                                                                                         \
		c->fof = 0;                                                                                                      \
	}                                                                                                                        \
	static INSN name##_r(struct x86_cpu *c, const struct x86_op *o)                                                           \
	{                                                                                                                        \
		name##_set(c, *vec_d(c, o), *vec_s(c, o));                                                                       \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN name##_m(struct x86_cpu *c, const struct x86_op *o)                                                           \
	{                                                                                                                        \
		const void *p = vec_mem(c, o, size, TLB_R, false);                                                               \
		if (unlikely(!p))                                                                                                \
			return o->slow(c, o);                                                                                    \
		name##_set(c, *vec_d(c, o), vec_get(p, size));                                                                   \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	const struct x86_vec x86_vec_##name = {.reg = {name##_r, name##_r, name##_r}, .mem = {name##_m, name##_m, name##_m}};
COMI(comiss, 4)
COMI(ucomiss, 4)
COMI(comisd, 8)
COMI(ucomisd, 8)

/* ---- conversions between vectors ---- */
V_ASM1(cvtdq2ps, "cvtdq2ps") VEC(cvtdq2ps, true, 0)
V_ASM1(cvtps2dq, "cvtps2dq") VEC(cvtps2dq, true, 0)
V_ASM1(cvttps2dq, "cvttps2dq") VEC(cvttps2dq, true, 0)
V_ASM(cvtss2sd, "cvtss2sd") VEC_SCALAR(cvtss2sd, 4)
V_ASM(cvtsd2ss, "cvtsd2ss") VEC_SCALAR(cvtsd2ss, 8)

/* To wider elements: the upper lane comes from the source's upper half. */
#define WIDEN(name, size)                                                                                                        \
	V_ASM1(name, #name)                                                                                                      \
	VEC_REGS_SCALAR(name)                                                                                                    \
	static INSN name##_r2(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		__m128i *d = vec_d(c, o), b = *vec_s(c, o);                                                                      \
		d[0] = v_##name(b, b, 0);                                                                                        \
		d[1] = v_##name(b, _mm_unpackhi_epi64(b, b), 0);                                                                 \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	const struct x86_vec x86_vec_##name = {.reg = VEC_TABLE_REGS(name)};
WIDEN(cvtdq2pd, 8)
WIDEN(cvtps2pd, 8)

/* To narrower ones: both lanes into the lower one. */
#define NARROW(name)                                                                                                             \
	V_ASM1(name, #name)                                                                                                      \
	VEC_REGS_SCALAR(name)                                                                                                    \
	static INSN name##_r2(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		__m128i *d = vec_d(c, o), *s = vec_s(c, o), lo = v_##name(*s, s[0], 0), hi = v_##name(*s, s[1], 0);               \
		d[0] = _mm_unpacklo_epi64(lo, hi);                                                                               \
		d[1] = _mm_setzero_si128();                                                                                      \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	const struct x86_vec x86_vec_##name = {.reg = VEC_TABLE_REGS(name)};
NARROW(cvtpd2ps)
NARROW(cvtpd2dq)
NARROW(cvttpd2dq)

/* ---- conversions with general registers ---- */
/* The first operand keeps its upper part. */
#define FROM_INT(name, insn, type, load, size)                                                                                   \
	static ALWAYS_INLINE INSN name##_do(struct x86_cpu *c, const struct x86_op *o, type v, bool vex)                          \
	{                                                                                                                        \
		__m128i a = *vec_v(c, o);                                                                                        \
		__asm__ volatile(insn " %1, %0" : "+x"(a) : "r"(v));                                                              \
		vec_d(c, o)[0] = a;                                                                                              \
		if (vex)                                                                                                         \
			vec_d(c, o)[1] = _mm_setzero_si128();                                                                    \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN name##_r0(struct x86_cpu *c, const struct x86_op *o) { return name##_do(c, o, (type)REG_GET64(c, op_src(o)), false); }  \
	static INSN name##_r1(struct x86_cpu *c, const struct x86_op *o) { return name##_do(c, o, (type)REG_GET64(c, op_src(o)), true); }   \
	static ALWAYS_INLINE INSN name##_mem(struct x86_cpu *c, const struct x86_op *o, bool vex)                                 \
	{                                                                                                                        \
		const void *p = vec_mem(c, o, size, TLB_R, false);                                                               \
		if (unlikely(!p))                                                                                                \
			return o->slow(c, o);                                                                                    \
		return name##_do(c, o, (type)load_le(p, size), vex);                                                              \
	}                                                                                                                        \
	static INSN name##_m0(struct x86_cpu *c, const struct x86_op *o) { return name##_mem(c, o, false); }                       \
	static INSN name##_m1(struct x86_cpu *c, const struct x86_op *o) { return name##_mem(c, o, true); }                        \
	static INSN name##_t0(struct x86_cpu *c, const struct x86_op *o) { return name##_do(c, o, (type)load_le(vec_s(c, o), size), false); } \
	static INSN name##_t1(struct x86_cpu *c, const struct x86_op *o) { return name##_do(c, o, (type)load_le(vec_s(c, o), size), true); }  \
	const struct x86_vec x86_vec_##name = {.reg = {name##_r0, name##_r1, name##_r1},                                         \
	                                       .mem = {name##_m0, name##_m1, name##_m1},                                         \
	                                       .tmp = {name##_t0, name##_t1, name##_t1}};
FROM_INT(cvtsi2ss, "cvtsi2ssl", u32, 4, 4)
FROM_INT(cvtsi2sd, "cvtsi2sdl", u32, 4, 4)
FROM_INT(cvtsi2ss_q, "cvtsi2ssq", u64, 8, 8)
FROM_INT(cvtsi2sd_q, "cvtsi2sdq", u64, 8, 8)

#define TO_INT(name, insn, type, size)                                                                                           \
	static ALWAYS_INLINE INSN name##_do(struct x86_cpu *c, const struct x86_op *o, __m128i b)                                 \
	{                                                                                                                        \
		type v;                                                                                                          \
		__asm__ volatile(insn " %1, %0" : "=r"(v) : "x"(b));                                                              \
		REG_AT(u64, c, op_dst(o)) = v;                                                                                             \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN name##_r(struct x86_cpu *c, const struct x86_op *o) { return name##_do(c, o, *vec_s(c, o)); }                  \
	static INSN name##_m(struct x86_cpu *c, const struct x86_op *o)                                                           \
	{                                                                                                                        \
		const void *p = vec_mem(c, o, size, TLB_R, false);                                                               \
		if (unlikely(!p))                                                                                                \
			return o->slow(c, o);                                                                                    \
		return name##_do(c, o, vec_get(p, size));                                                                        \
	}                                                                                                                        \
	const struct x86_vec x86_vec_##name = {.reg = {name##_r, name##_r, name##_r}, .mem = {name##_m, name##_m, name##_m}};
TO_INT(cvtss2si, "cvtss2si", u32, 4)
TO_INT(cvtsd2si, "cvtsd2si", u32, 8)
TO_INT(cvtss2si_q, "cvtss2si", u64, 4)
TO_INT(cvtsd2si_q, "cvtsd2si", u64, 8)
TO_INT(cvttss2si, "cvttss2si", u32, 4)
TO_INT(cvttsd2si, "cvttsd2si", u32, 8)
TO_INT(cvttss2si_q, "cvttss2si", u64, 4)
TO_INT(cvttsd2si_q, "cvttsd2si", u64, 8)
