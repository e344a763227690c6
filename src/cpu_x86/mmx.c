/*
 * MMX instructions and those of SSE, SSE2 and SSSE3 on MMX registers, less the conversions. The host's SSE2 computes in the lower half of an
 * XMM register: its MMX registers would be its x87's, which may hold the guest's. APM5; APM4 for the SSSE3 ones.
 */
#include <emmintrin.h>

#include "cpu_x86/mmx.h"

static ALWAYS_INLINE __m128i x(u64 v) { return _mm_cvtsi64_si128((long long)v); }
static ALWAYS_INLINE u64 low(__m128i v) { return (u64)_mm_cvtsi128_si64(v); }
static ALWAYS_INLINE u64 high(__m128i v) { return low(_mm_srli_si128(v, 8)); }
static ALWAYS_INLINE __m128i pair(u64 lo, u64 hi) { return _mm_unpacklo_epi64(x(lo), x(hi)); }

/* ---- mm, mm/m64: dst = f(dst, src); the low unpacks read 32 bits of memory ---- */
#define BINARY(name, bits, w, expr)                                                                                              \
	static ALWAYS_INLINE u64 name##_f(u64 a, u64 b) { return expr; }                                                         \
	static INSN name##_r(struct x86_cpu *c, const struct x86_op *o)                                                           \
	{                                                                                                                        \
		MMX_ENTER                                                                                                        \
		mm_set(c, op_dst(o), name##_f(mm_get(c, op_dst(o)), mm_get(c, op_src(o))));                                       \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN name##_m##bits(struct x86_cpu *c, const struct x86_op *o, enum am m)                            \
	{                                                                                                                        \
		u64 v;                                                                                                           \
		MMX_ENTER                                                                                                        \
		if (!x86_rd(c, o, m, bits / 8, &v))                                                                              \
			return o->slow(c, o);                                                                                    \
		mm_set(c, op_dst(o), name##_f(mm_get(c, op_dst(o)), v));                                                          \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	MMX_FAMILY(name, bits, w)
#define BINARY64(name, expr) BINARY(name, 64, 3, expr)
#define BY_SSE2(name, fn)    BINARY64(name, low(fn(x(a), x(b))))

BY_SSE2(mm_paddb, _mm_add_epi8)
BY_SSE2(mm_paddw, _mm_add_epi16)
BY_SSE2(mm_paddd, _mm_add_epi32)
BINARY64(mm_paddq, a + b)
BY_SSE2(mm_paddsb, _mm_adds_epi8)
BY_SSE2(mm_paddsw, _mm_adds_epi16)
BY_SSE2(mm_paddusb, _mm_adds_epu8)
BY_SSE2(mm_paddusw, _mm_adds_epu16)
BY_SSE2(mm_psubb, _mm_sub_epi8)
BY_SSE2(mm_psubw, _mm_sub_epi16)
BY_SSE2(mm_psubd, _mm_sub_epi32)
BINARY64(mm_psubq, a - b)
BY_SSE2(mm_psubsb, _mm_subs_epi8)
BY_SSE2(mm_psubsw, _mm_subs_epi16)
BY_SSE2(mm_psubusb, _mm_subs_epu8)
BY_SSE2(mm_psubusw, _mm_subs_epu16)
BY_SSE2(mm_pcmpeqb, _mm_cmpeq_epi8)
BY_SSE2(mm_pcmpeqw, _mm_cmpeq_epi16)
BY_SSE2(mm_pcmpeqd, _mm_cmpeq_epi32)
BY_SSE2(mm_pcmpgtb, _mm_cmpgt_epi8)
BY_SSE2(mm_pcmpgtw, _mm_cmpgt_epi16)
BY_SSE2(mm_pcmpgtd, _mm_cmpgt_epi32)
BINARY64(mm_pand, a & b)
BINARY64(mm_pandn, ~a & b)
BINARY64(mm_por, a | b)
BINARY64(mm_pxor, a ^ b)
BY_SSE2(mm_pmullw, _mm_mullo_epi16)
BY_SSE2(mm_pmulhw, _mm_mulhi_epi16)
BY_SSE2(mm_pmulhuw, _mm_mulhi_epu16)
BY_SSE2(mm_pmuludq, _mm_mul_epu32)
BY_SSE2(mm_pmaddwd, _mm_madd_epi16)
BY_SSE2(mm_pavgb, _mm_avg_epu8)
BY_SSE2(mm_pavgw, _mm_avg_epu16)
BY_SSE2(mm_pminub, _mm_min_epu8)
BY_SSE2(mm_pmaxub, _mm_max_epu8)
BY_SSE2(mm_pminsw, _mm_min_epi16)
BY_SSE2(mm_pmaxsw, _mm_max_epi16)
BY_SSE2(mm_psadbw, _mm_sad_epu8)
BY_SSE2(mm_psllw, _mm_sll_epi16)
BY_SSE2(mm_pslld, _mm_sll_epi32)
BY_SSE2(mm_psllq, _mm_sll_epi64)
BY_SSE2(mm_psrlw, _mm_srl_epi16)
BY_SSE2(mm_psrld, _mm_srl_epi32)
BY_SSE2(mm_psrlq, _mm_srl_epi64)
BY_SSE2(mm_psraw, _mm_sra_epi16)
BY_SSE2(mm_psrad, _mm_sra_epi32)
BINARY64(mm_packsswb, low(_mm_packs_epi16(pair(a, b), pair(a, b))))
BINARY64(mm_packssdw, low(_mm_packs_epi32(pair(a, b), pair(a, b))))
BINARY64(mm_packuswb, low(_mm_packus_epi16(pair(a, b), pair(a, b))))
BINARY(mm_punpcklbw, 32, 2, low(_mm_unpacklo_epi8(x(a), x(b))))
BINARY(mm_punpcklwd, 32, 2, low(_mm_unpacklo_epi16(x(a), x(b))))
BINARY(mm_punpckldq, 32, 2, (u32)a | b << 32)
BINARY64(mm_punpckhbw, high(_mm_unpacklo_epi8(x(a), x(b))))
BINARY64(mm_punpckhwd, high(_mm_unpacklo_epi16(x(a), x(b))))
BINARY64(mm_punpckhdq, a >> 32 | (b & 0xffffffff00000000))
BINARY64(mm_movq_load, ((void)a, b))

/* ---- SSSE3: element by element. APM4 ---- */
static inline s64 lane(u64 v, unsigned i, unsigned bits) { return sign_extend(v >> (i * bits), bits); }
static inline u64 place(s64 v, unsigned i, unsigned bits) { return ((u64)v & mask_low(bits)) << (i * bits); }
static inline s64 saturate16(s64 v) { return v > 32767 ? 32767 : v < -32768 ? -32768 : v; }

#define EACH(bits, expr)                                                                                                         \
	u64 r = 0;                                                                                                               \
	for (unsigned i = 0; i < 64 / bits; i++)                                                                                 \
		r |= place(expr, i, bits);                                                                                       \
	return r;
static u64 shuffle_bytes(u64 a, u64 b) { EACH(8, lane(b, i, 8) < 0 ? 0 : lane(a, lane(b, i, 8) & 7, 8)) }
/* Neighbours of dst, then of src: operation on elements 2i and 2i + 1. */
#define NEIGHBOUR(i, bits, k) ((i) < 32 / bits ? lane(a, 2 * (i) + k, bits) : lane(b, 2 * ((i) - 32 / bits) + k, bits))
static u64 hadd16(u64 a, u64 b) { EACH(16, NEIGHBOUR(i, 16, 0) + NEIGHBOUR(i, 16, 1)) }
static u64 hadd32(u64 a, u64 b) { EACH(32, NEIGHBOUR(i, 32, 0) + NEIGHBOUR(i, 32, 1)) }
static u64 haddsat(u64 a, u64 b) { EACH(16, saturate16(NEIGHBOUR(i, 16, 0) + NEIGHBOUR(i, 16, 1))) }
static u64 hsub16(u64 a, u64 b) { EACH(16, NEIGHBOUR(i, 16, 0) - NEIGHBOUR(i, 16, 1)) }
static u64 hsub32(u64 a, u64 b) { EACH(32, NEIGHBOUR(i, 32, 0) - NEIGHBOUR(i, 32, 1)) }
static u64 hsubsat(u64 a, u64 b) { EACH(16, saturate16(NEIGHBOUR(i, 16, 0) - NEIGHBOUR(i, 16, 1))) }
/* Unsigned bytes of dst times signed ones of src. */
#define PRODUCT(k) ((s64)(u8)lane(a, 2 * i + k, 8) * lane(b, 2 * i + k, 8))
static u64 maddubs(u64 a, u64 b) { EACH(16, saturate16(PRODUCT(0) + PRODUCT(1))) }
static u64 mulhrs(u64 a, u64 b) { EACH(16, ((lane(a, i, 16) * lane(b, i, 16) >> 14) + 1) >> 1) }
static inline s64 signed_by(s64 v, s64 s) { return s < 0 ? -v : s ? v : 0; }
static u64 sign8(u64 a, u64 b) { EACH(8, signed_by(lane(a, i, 8), lane(b, i, 8))) }
static u64 sign16(u64 a, u64 b) { EACH(16, signed_by(lane(a, i, 16), lane(b, i, 16))) }
static u64 sign32(u64 a, u64 b) { EACH(32, signed_by(lane(a, i, 32), lane(b, i, 32))) }
static u64 abs8(u64 b) { EACH(8, lane(b, i, 8) < 0 ? -lane(b, i, 8) : lane(b, i, 8)) }
static u64 abs16(u64 b) { EACH(16, lane(b, i, 16) < 0 ? -lane(b, i, 16) : lane(b, i, 16)) }
static u64 abs32(u64 b) { EACH(32, lane(b, i, 32) < 0 ? -lane(b, i, 32) : lane(b, i, 32)) }
BINARY64(mm_pshufb, shuffle_bytes(a, b))
BINARY64(mm_phaddw, hadd16(a, b))
BINARY64(mm_phaddd, hadd32(a, b))
BINARY64(mm_phaddsw, haddsat(a, b))
BINARY64(mm_phsubw, hsub16(a, b))
BINARY64(mm_phsubd, hsub32(a, b))
BINARY64(mm_phsubsw, hsubsat(a, b))
BINARY64(mm_pmaddubsw, maddubs(a, b))
BINARY64(mm_pmulhrsw, mulhrs(a, b))
BINARY64(mm_psignb, sign8(a, b))
BINARY64(mm_psignw, sign16(a, b))
BINARY64(mm_psignd, sign32(a, b))
BINARY64(mm_pabsb, ((void)a, abs8(b)))
BINARY64(mm_pabsw, ((void)a, abs16(b)))
BINARY64(mm_pabsd, ((void)a, abs32(b)))

/* ---- with an immediate byte ---- */
static inline u64 shuffle_words(u64 v, unsigned order)
{
	u64 r = 0;

	for (unsigned i = 0; i < 4; i++)
		r |= place(lane(v, order >> (2 * i) & 3, 16), i, 16);
	return r;
}
/* Sixteen bytes, a above b, shifted right by n bytes. */
static inline u64 align_right(u64 a, u64 b, unsigned n)
{
	if (n >= 16)
		return 0;
	if (n >= 8)
		return a >> (8 * (n - 8));
	return n ? b >> (8 * n) | a << (64 - 8 * n) : b;
}
#define WITH_IMM(name, expr)                                                                                                     \
	static ALWAYS_INLINE u64 name##_f(u64 a, u64 b, unsigned n) { return expr; }                                              \
	static INSN name##_r(struct x86_cpu *c, const struct x86_op *o)                                                           \
	{                                                                                                                        \
		MMX_ENTER                                                                                                        \
		mm_set(c, op_dst(o), name##_f(mm_get(c, op_dst(o)), mm_get(c, op_src(o)), (u8)op_imm(o)));                        \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN name##_m64(struct x86_cpu *c, const struct x86_op *o, enum am m)                                \
	{                                                                                                                        \
		u64 v;                                                                                                           \
		MMX_ENTER                                                                                                        \
		if (!x86_rd(c, o, m, 8, &v))                                                                                     \
			return o->slow(c, o);                                                                                    \
		mm_set(c, op_dst(o), name##_f(mm_get(c, op_dst(o)), v, (u8)op_imm(o)));                                           \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	MMX_FAMILY(name, 64, 3)
WITH_IMM(mm_pshufw, ((void)a, shuffle_words(b, n)))
WITH_IMM(mm_palignr, align_right(a, b, n))

#define SHIFT_IMM(name, fn)                                                                                                      \
	static INSN name##_r(struct x86_cpu *c, const struct x86_op *o)                                                           \
	{                                                                                                                        \
		MMX_ENTER                                                                                                        \
		mm_set(c, op_dst(o), low(fn(x(mm_get(c, op_dst(o))), x((u8)op_imm(o)))));                                         \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	MMX_FAMILY_REG(name, 3)
SHIFT_IMM(mm_psllw_imm, _mm_sll_epi16)
SHIFT_IMM(mm_pslld_imm, _mm_sll_epi32)
SHIFT_IMM(mm_psllq_imm, _mm_sll_epi64)
SHIFT_IMM(mm_psrlw_imm, _mm_srl_epi16)
SHIFT_IMM(mm_psrld_imm, _mm_srl_epi32)
SHIFT_IMM(mm_psrlq_imm, _mm_srl_epi64)
SHIFT_IMM(mm_psraw_imm, _mm_sra_epi16)
SHIFT_IMM(mm_psrad_imm, _mm_sra_epi32)

/* ---- stores ---- */
static INSN mm_movq_store_r(struct x86_cpu *c, const struct x86_op *o)
{
	MMX_ENTER
	mm_set(c, op_dst(o), mm_get(c, op_src(o)));
	return x86_next(c, o);
}
static ALWAYS_INLINE INSN mm_movq_store_m64(struct x86_cpu *c, const struct x86_op *o, enum am m)
{
	MMX_ENTER
	if (!x86_wr(c, o, m, 8, mm_get(c, op_src(o))))
		return o->slow(c, o);
	return x86_next(c, o);
}
MMX_FAMILY(mm_movq_store, 64, 3)

/* ---- to and from general registers ---- */
#define MOVD(bits)                                                                                                               \
	static INSN mm_movd_load_r##bits(struct x86_cpu *c, const struct x86_op *o)                                               \
	{                                                                                                                        \
		MMX_ENTER                                                                                                        \
		mm_set(c, op_dst(o), REG_GET##bits(c, op_src(o)));                                                                \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN mm_movd_load_m##bits(struct x86_cpu *c, const struct x86_op *o, enum am m)                      \
	{                                                                                                                        \
		u64 v;                                                                                                           \
		MMX_ENTER                                                                                                        \
		if (!x86_rd(c, o, m, bits / 8, &v))                                                                              \
			return o->slow(c, o);                                                                                    \
		mm_set(c, op_dst(o), v);                                                                                         \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN mm_movd_store_r##bits(struct x86_cpu *c, const struct x86_op *o)                                              \
	{                                                                                                                        \
		MMX_ENTER                                                                                                        \
		REG_SET##bits(c, op_dst(o), mm_get(c, op_src(o)));                                                                \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN mm_movd_store_m##bits(struct x86_cpu *c, const struct x86_op *o, enum am m)                     \
	{                                                                                                                        \
		MMX_ENTER                                                                                                        \
		if (!x86_wr(c, o, m, bits / 8, mm_get(c, op_src(o))))                                                             \
			return o->slow(c, o);                                                                                    \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	FAMILY_MEM(mm_movd_load_m, bits)                                                                                         \
	FAMILY_MEM(mm_movd_store_m, bits)
MOVD(32)
MOVD(64)
#define MOVD_FAMILY(name)                                                                                                        \
	const struct x86_family x86_fam_##name = {.reg = {0, 0, name##_r32, name##_r64},                                         \
	                                          .mem = {{0}, {0}, FAMILY_MODES(name##_m, 32), FAMILY_MODES(name##_m, 64)}};
MOVD_FAMILY(mm_movd_load)
MOVD_FAMILY(mm_movd_store)

static ALWAYS_INLINE void insert_word(struct x86_cpu *c, const struct x86_op *o, u64 v)
{
	unsigned at = op_imm(o) & 3;

	mm_set(c, op_dst(o), (mm_get(c, op_dst(o)) & ~(0xffffull << (at * 16))) | (v & 0xffff) << (at * 16));
}
static INSN mm_pinsrw_r(struct x86_cpu *c, const struct x86_op *o)
{
	MMX_ENTER
	insert_word(c, o, REG_GET32(c, op_src(o)));
	return x86_next(c, o);
}
static ALWAYS_INLINE INSN mm_pinsrw_m16(struct x86_cpu *c, const struct x86_op *o, enum am m)
{
	u64 v;

	MMX_ENTER
	if (!x86_rd(c, o, m, 2, &v))
		return o->slow(c, o);
	insert_word(c, o, v);
	return x86_next(c, o);
}
MMX_FAMILY(mm_pinsrw, 16, 1)

static INSN mm_pextrw_r(struct x86_cpu *c, const struct x86_op *o)
{
	MMX_ENTER
	REG_SET32(c, op_dst(o), (u16)(mm_get(c, op_src(o)) >> ((op_imm(o) & 3) * 16)));
	return x86_next(c, o);
}
MMX_FAMILY_REG(mm_pextrw, 2)

static INSN mm_pmovmskb_r(struct x86_cpu *c, const struct x86_op *o)
{
	MMX_ENTER
	REG_SET32(c, op_dst(o), (u8)_mm_movemask_epi8(x(mm_get(c, op_src(o)))));
	return x86_next(c, o);
}
MMX_FAMILY_REG(mm_pmovmskb, 2)
