/*
 * Packed integers of SSE and SSE2, in XMM and YMM: arithmetic, logic, comparisons, shifts, packing, shuffles. What came later is in
 * vec_int4.c. APM4: each instruction's page.
 */
#include "cpu_x86/vec.h"

/* ---- arithmetic and comparisons, lane by lane ---- */
#define INT(name, expr) V_EXPR(name, expr) VEC(name, true, 0)
INT(paddb, _mm_add_epi8(a, b))
INT(paddw, _mm_add_epi16(a, b))
INT(paddd, _mm_add_epi32(a, b))
INT(paddq, _mm_add_epi64(a, b))
INT(paddsb, _mm_adds_epi8(a, b))
INT(paddsw, _mm_adds_epi16(a, b))
INT(paddusb, _mm_adds_epu8(a, b))
INT(paddusw, _mm_adds_epu16(a, b))
INT(psubb, _mm_sub_epi8(a, b))
INT(psubw, _mm_sub_epi16(a, b))
INT(psubd, _mm_sub_epi32(a, b))
INT(psubq, _mm_sub_epi64(a, b))
INT(psubsb, _mm_subs_epi8(a, b))
INT(psubsw, _mm_subs_epi16(a, b))
INT(psubusb, _mm_subs_epu8(a, b))
INT(psubusw, _mm_subs_epu16(a, b))
INT(pmullw, _mm_mullo_epi16(a, b))
INT(pmulhw, _mm_mulhi_epi16(a, b))
INT(pmulhuw, _mm_mulhi_epu16(a, b))
INT(pmuludq, _mm_mul_epu32(a, b))
INT(pmaddwd, _mm_madd_epi16(a, b))
INT(psadbw, _mm_sad_epu8(a, b))
INT(pavgb, _mm_avg_epu8(a, b))
INT(pavgw, _mm_avg_epu16(a, b))
INT(pminub, _mm_min_epu8(a, b))
INT(pmaxub, _mm_max_epu8(a, b))
INT(pminsw, _mm_min_epi16(a, b))
INT(pmaxsw, _mm_max_epi16(a, b))
INT(pcmpeqb, _mm_cmpeq_epi8(a, b))
INT(pcmpeqw, _mm_cmpeq_epi16(a, b))
INT(pcmpeqd, _mm_cmpeq_epi32(a, b))
INT(pcmpgtb, _mm_cmpgt_epi8(a, b))
INT(pcmpgtw, _mm_cmpgt_epi16(a, b))
INT(pcmpgtd, _mm_cmpgt_epi32(a, b))

/* ---- logic: PAND, ANDPS, ANDPD are the same ---- */
INT(pand, _mm_and_si128(a, b))
INT(pandn, _mm_andnot_si128(a, b))
INT(por, _mm_or_si128(a, b))
INT(pxor, _mm_xor_si128(a, b))

/* ---- packing and interleaving ---- */
INT(packsswb, _mm_packs_epi16(a, b))
INT(packssdw, _mm_packs_epi32(a, b))
INT(packuswb, _mm_packus_epi16(a, b))
INT(punpcklbw, _mm_unpacklo_epi8(a, b))
INT(punpcklwd, _mm_unpacklo_epi16(a, b))
INT(punpckldq, _mm_unpacklo_epi32(a, b)) /* UNPCKLPS too */
INT(punpcklqdq, _mm_unpacklo_epi64(a, b))
INT(punpckhbw, _mm_unpackhi_epi8(a, b))
INT(punpckhwd, _mm_unpackhi_epi16(a, b))
INT(punpckhdq, _mm_unpackhi_epi32(a, b))
INT(punpckhqdq, _mm_unpackhi_epi64(a, b))

/* ---- shuffles by imm8 ---- */
static ALWAYS_INLINE __m128i four(u32 a, u32 b, u32 c, u32 d)
{
	return _mm_set_epi64x((s64)(c | (u64)d << 32), (s64)(a | (u64)b << 32));
}

static ALWAYS_INLINE __m128i v_pshufd(__m128i a, __m128i b, unsigned imm)
{
	union lane s = {.v = b};

	(void)a;
	return four(s.d[imm & 3], s.d[imm >> 2 & 3], s.d[imm >> 4 & 3], s.d[imm >> 6 & 3]);
}
VEC(pshufd, true, 0)

static ALWAYS_INLINE u64 words(const u16 *w, unsigned imm)
{
	return w[imm & 3] | (u64)w[imm >> 2 & 3] << 16 | (u64)w[imm >> 4 & 3] << 32 | (u64)w[imm >> 6 & 3] << 48;
}
static ALWAYS_INLINE __m128i v_pshuflw(__m128i a, __m128i b, unsigned imm)
{
	union lane s = {.v = b};

	(void)a;
	return _mm_set_epi64x(s.sq[1], (s64)words(s.w, imm));
}
VEC(pshuflw, true, 0)
static ALWAYS_INLINE __m128i v_pshufhw(__m128i a, __m128i b, unsigned imm)
{
	union lane s = {.v = b};

	(void)a;
	return _mm_set_epi64x((s64)words(s.w + 4, imm), s.sq[0]);
}
VEC(pshufhw, true, 0)

static ALWAYS_INLINE __m128i v_shufps(__m128i a, __m128i b, unsigned imm)
{
	union lane x = {.v = a}, y = {.v = b};

	return four(x.d[imm & 3], x.d[imm >> 2 & 3], y.d[imm >> 4 & 3], y.d[imm >> 6 & 3]);
}
VEC(shufps, true, 0)
static ALWAYS_INLINE __m128i v_shufpd(__m128i a, __m128i b, unsigned imm)
{
	a = imm & 1 ? _mm_unpackhi_epi64(a, a) : a;
	b = imm & 2 ? _mm_unpackhi_epi64(b, b) : b;
	return _mm_unpacklo_epi64(a, b);
}
VEC(shufpd, true, 2)

/* ---- shifts. The count is the low quadword of an operand that has 16 bytes whatever the vector has, or imm8. ---- */
#define SHIFT(name, intrinsic)                                                                                                   \
	V_EXPR(name, intrinsic(a, b))                                                                                            \
	VEC_REGS_SCALAR(name)                                                                                                    \
	static INSN name##_r2(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		__m128i *d = vec_d(c, o), n = *vec_s(c, o), a1 = vec_v(c, o)[1];                                                  \
		d[0] = intrinsic(*vec_v(c, o), n);                                                                               \
		d[1] = intrinsic(a1, n);                                                                                         \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	const struct x86_vec x86_vec_##name = {.reg = VEC_TABLE_REGS(name)};                                                     \
	V_EXPR(name##_i, intrinsic(b, _mm_cvtsi32_si128((int)imm)))                                                              \
	VEC_RARE(name##_i, 0)
SHIFT(psrlw, _mm_srl_epi16)
SHIFT(psrld, _mm_srl_epi32)
SHIFT(psrlq, _mm_srl_epi64)
SHIFT(psraw, _mm_sra_epi16)
SHIFT(psrad, _mm_sra_epi32)
SHIFT(psllw, _mm_sll_epi16)
SHIFT(pslld, _mm_sll_epi32)
SHIFT(psllq, _mm_sll_epi64)

/* By bytes: a window of 16 bytes over the lane and zeros. */
static ALWAYS_INLINE __m128i v_psrldq(__m128i a, __m128i b, unsigned imm)
{
	u8 w[32] = {0};

	(void)a;
	memcpy(w, &b, 16);
	return _mm_loadu_si128((const __m128i *)(w + (imm > 16 ? 16 : imm)));
}
VEC_RARE(psrldq, 0)
static ALWAYS_INLINE __m128i v_pslldq(__m128i a, __m128i b, unsigned imm)
{
	u8 w[32] = {0};

	(void)a;
	memcpy(w + 16, &b, 16);
	return _mm_loadu_si128((const __m128i *)(w + 16 - (imm > 16 ? 16 : imm)));
}
VEC_RARE(pslldq, 0)
