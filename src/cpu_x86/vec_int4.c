/*
 * Packed integers of SSSE3, SSE4.1, SSE4.2, SSE4A and AVX2, lane by lane, in plain C: the host need not have them. Element rearrangement
 * across lanes is in vec_avx.c. APM4: each instruction's page.
 */
#include "cpu_x86/flags.h"
#include "cpu_x86/vec.h"

/* A loop over the n elements of a lane: x and y are the operands, r the result, which starts as a. */
#define V_LOOP(name, n, body)                                                                                                    \
	static ALWAYS_INLINE __m128i v_##name(__m128i a, __m128i b, unsigned imm)                                                 \
	{                                                                                                                        \
		union lane x = {.v = a}, y = {.v = b}, r = {.v = a};                                                             \
		(void)imm, (void)x, (void)y;                                                                                     \
		for (unsigned i = 0; i < (n); i++)                                                                               \
			body;                                                                                                    \
		return r.v;                                                                                                      \
	}
#define LOOP(name, n, body) V_LOOP(name, n, body) VEC_RARE(name, 0)

static inline s16 sat16(s32 v) { return v > 32767 ? 32767 : v < -32768 ? -32768 : (s16)v; }
static inline u16 satu16(s32 v) { return v > 65535 ? 65535 : v < 0 ? 0 : (u16)v; }

/* ---- SSSE3 ---- */
V_LOOP(pshufb, 16, r.b[i] = y.b[i] & 0x80 ? 0 : x.b[y.b[i] & 15])
VEC(pshufb, true, 0)
LOOP(phaddw, 8, r.w[i] = i < 4 ? (u16)(x.w[2 * i] + x.w[2 * i + 1]) : (u16)(y.w[2 * i - 8] + y.w[2 * i - 7]))
LOOP(phaddd, 4, r.d[i] = i < 2 ? x.d[2 * i] + x.d[2 * i + 1] : y.d[2 * i - 4] + y.d[2 * i - 3])
LOOP(phaddsw, 8, r.sw[i] = i < 4 ? sat16(x.sw[2 * i] + x.sw[2 * i + 1]) : sat16(y.sw[2 * i - 8] + y.sw[2 * i - 7]))
LOOP(phsubw, 8, r.w[i] = i < 4 ? (u16)(x.w[2 * i] - x.w[2 * i + 1]) : (u16)(y.w[2 * i - 8] - y.w[2 * i - 7]))
LOOP(phsubd, 4, r.d[i] = i < 2 ? x.d[2 * i] - x.d[2 * i + 1] : y.d[2 * i - 4] - y.d[2 * i - 3])
LOOP(phsubsw, 8, r.sw[i] = i < 4 ? sat16(x.sw[2 * i] - x.sw[2 * i + 1]) : sat16(y.sw[2 * i - 8] - y.sw[2 * i - 7]))
LOOP(pmaddubsw, 8, r.sw[i] = sat16(x.b[2 * i] * y.sb[2 * i] + x.b[2 * i + 1] * y.sb[2 * i + 1]))
LOOP(psignb, 16, r.b[i] = y.sb[i] < 0 ? (u8)-x.b[i] : y.sb[i] ? x.b[i] : 0)
LOOP(psignw, 8, r.w[i] = y.sw[i] < 0 ? (u16)-x.w[i] : y.sw[i] ? x.w[i] : 0)
LOOP(psignd, 4, r.d[i] = y.sd[i] < 0 ? -x.d[i] : y.sd[i] ? x.d[i] : 0)
LOOP(pmulhrsw, 8, r.w[i] = (u16)(((x.sw[i] * y.sw[i] >> 14) + 1) >> 1))
LOOP(pabsb, 16, r.b[i] = y.sb[i] < 0 ? (u8)-y.b[i] : y.b[i])
LOOP(pabsw, 8, r.w[i] = y.sw[i] < 0 ? (u16)-y.w[i] : y.w[i])
LOOP(pabsd, 4, r.d[i] = y.sd[i] < 0 ? -y.d[i] : y.d[i])

/* A window of 16 bytes over b, a and zeros. */
static ALWAYS_INLINE __m128i v_palignr(__m128i a, __m128i b, unsigned imm)
{
	u8 w[48] = {0};

	imm &= 0xff;
	memcpy(w, &b, 16);
	memcpy(w + 16, &a, 16);
	return _mm_loadu_si128((const __m128i *)(w + (imm > 32 ? 32 : imm)));
}
VEC_RARE(palignr, 0)

/* ---- SSE4.1 ---- */
LOOP(pmuldq, 2, r.sq[i] = (s64)x.sd[2 * i] * y.sd[2 * i])
V_EXPR(pmulld, _mm_unpacklo_epi32(_mm_shuffle_epi32(_mm_mul_epu32(a, b), 8),
                                  _mm_shuffle_epi32(_mm_mul_epu32(_mm_srli_epi64(a, 32), _mm_srli_epi64(b, 32)), 8)))
VEC(pmulld, true, 0)
LOOP(pcmpeqq, 2, r.q[i] = x.q[i] == y.q[i] ? ~0ull : 0)
LOOP(packusdw, 8, r.w[i] = i < 4 ? satu16(x.sd[i]) : satu16(y.sd[i - 4]))
LOOP(pminsb, 16, r.sb[i] = x.sb[i] < y.sb[i] ? x.sb[i] : y.sb[i])
LOOP(pminsd, 4, r.sd[i] = x.sd[i] < y.sd[i] ? x.sd[i] : y.sd[i])
LOOP(pminuw, 8, r.w[i] = x.w[i] < y.w[i] ? x.w[i] : y.w[i])
LOOP(pminud, 4, r.d[i] = x.d[i] < y.d[i] ? x.d[i] : y.d[i])
LOOP(pmaxsb, 16, r.sb[i] = x.sb[i] > y.sb[i] ? x.sb[i] : y.sb[i])
LOOP(pmaxsd, 4, r.sd[i] = x.sd[i] > y.sd[i] ? x.sd[i] : y.sd[i])
LOOP(pmaxuw, 8, r.w[i] = x.w[i] > y.w[i] ? x.w[i] : y.w[i])
LOOP(pmaxud, 4, r.d[i] = x.d[i] > y.d[i] ? x.d[i] : y.d[i])
V_LOOP(blendps, 4, r.d[i] = imm >> i & 1 ? y.d[i] : x.d[i])
VEC_RARE(blendps, 4) /* VPBLENDD too */
V_LOOP(blendpd, 2, r.q[i] = imm >> i & 1 ? y.q[i] : x.q[i])
VEC_RARE(blendpd, 2)
LOOP(pblendw, 8, r.w[i] = imm >> i & 1 ? y.w[i] : x.w[i])

static ALWAYS_INLINE __m128i v_phminposuw(__m128i a, __m128i b, unsigned imm)
{
	union lane y = {.v = b};
	unsigned k = 0;

	(void)a, (void)imm;
	for (unsigned i = 1; i < 8; i++)
		k = y.w[i] < y.w[k] ? i : k;
	return _mm_set_epi64x(0, (s64)(y.w[k] | k << 16));
}
VEC_RARE128(phminposuw)

/* Sums of four absolute differences at eight places. The upper lane has imm8[5:3]. */
static ALWAYS_INLINE __m128i v_mpsadbw(__m128i a, __m128i b, unsigned imm)
{
	union lane x = {.v = a}, y = {.v = b}, r;
	const u8 *p = x.b + (imm >> 2 & 1) * 4, *q = y.b + (imm & 3) * 4;

	for (unsigned i = 0; i < 8; i++) {
		r.w[i] = 0;
		for (unsigned k = 0; k < 4; k++)
			r.w[i] = (u16)(r.w[i] + (p[i + k] > q[k] ? p[i + k] - q[k] : q[k] - p[i + k]));
	}
	return r.v;
}
VEC_RARE(mpsadbw, 3)

/* Blends by the sign of a mask: XMM0 in legacy SSE, a fourth operand (imm) in VEX. */
#define BLENDV(name, field, n, bits)                                                                                             \
	static ALWAYS_INLINE __m128i name##_mask(__m128i a, __m128i b, __m128i m)                                                 \
	{                                                                                                                        \
		union lane x = {.v = a}, y = {.v = b}, k = {.v = m};                                                              \
		for (unsigned i = 0; i < (n); i++)                                                                               \
			x.field[i] = k.field[i] >> (bits - 1) ? y.field[i] : x.field[i];                                          \
		return x.v;                                                                                                      \
	}                                                                                                                        \
	static INSN name##_r0(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		*vec_d(c, o) = name##_mask(*vec_d(c, o), *vec_s(c, o), *x86_xmm(c, 0));                                           \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN name##_rv(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		__m128i *d = vec_d(c, o), *v = vec_v(c, o), *s = vec_s(c, o), *m = x86_xmm(c, vec_imm(o));                        \
		__m128i hi = name##_mask(v[1], s[1], m[1]);                                                                      \
		d[0] = name##_mask(v[0], s[0], m[0]);                                                                            \
		d[1] = op_vl(o) == 2 ? hi : _mm_setzero_si128();                                                                 \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	const struct x86_vec x86_vec_##name = {.reg = {name##_r0, name##_rv, name##_rv}};
BLENDV(pblendvb, b, 16, 8)
BLENDV(blendvps, d, 4, 32)
BLENDV(blendvpd, q, 2, 64)

/* PMOVSX, PMOVZX: the operand's low part, element by element; the upper lane takes what follows. */
#define PMOVX(name, to, from, n)                                                                                                 \
	static ALWAYS_INLINE __m128i name##_at(__m128i b, unsigned at)                                                            \
	{                                                                                                                        \
		union lane y = {.v = b}, r;                                                                                      \
		for (unsigned i = 0; i < (n); i++)                                                                               \
			r.to[i] = (__typeof__(r.to[0]))y.from[at + i];                                                           \
		return r.v;                                                                                                      \
	}                                                                                                                        \
	static INSN name##_r(struct x86_cpu *c, const struct x86_op *o)                                                           \
	{                                                                                                                        \
		__m128i *d = vec_d(c, o), b = *vec_s(c, o);                                                                      \
		d[0] = name##_at(b, 0);                                                                                          \
		if (op_vl(o))                                                                                                    \
			d[1] = op_vl(o) == 2 ? name##_at(b, n) : _mm_setzero_si128();                                             \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	const struct x86_vec x86_vec_##name = {.reg = {name##_r, name##_r, name##_r}};
PMOVX(pmovsxbw, sw, sb, 8)
PMOVX(pmovsxbd, sd, sb, 4)
PMOVX(pmovsxbq, sq, sb, 2)
PMOVX(pmovsxwd, sd, sw, 4)
PMOVX(pmovsxwq, sq, sw, 2)
PMOVX(pmovsxdq, sq, sd, 2)
PMOVX(pmovzxbw, w, b, 8)
PMOVX(pmovzxbd, d, b, 4)
PMOVX(pmovzxbq, q, b, 2)
PMOVX(pmovzxwd, d, w, 4)
PMOVX(pmovzxwq, q, w, 2)
PMOVX(pmovzxdq, q, d, 2)

/* PTEST: ZF if src and dst have no bit in common, CF if src has none that dst lacks. VTESTPS, VTESTPD look at signs only. */
#define PTEST(name, mask)                                                                                                        \
	static INSN name##_r(struct x86_cpu *c, const struct x86_op *o)                                                           \
	{                                                                                                                        \
		union lane a0 = {.v = vec_d(c, o)[0]}, a1 = {.v = vec_d(c, o)[1]}, b0 = {.v = vec_s(c, o)[0]}, b1 = {.v = vec_s(c, o)[1]}; \
		u64 both = (a0.q[0] & b0.q[0]) | (a0.q[1] & b0.q[1]), only = (~a0.q[0] & b0.q[0]) | (~a0.q[1] & b0.q[1]);          \
		if (op_vl(o) == 2) {                                                                                             \
			both |= (a1.q[0] & b1.q[0]) | (a1.q[1] & b1.q[1]);                                                        \
			only |= (~a1.q[0] & b1.q[0]) | (~a1.q[1] & b1.q[1]);                                                      \
		}                                                                                                                \
		flags_arith_set(c, (both & (mask) ? 0 : FLAG_ZF) | (only & (mask) ? 0 : FLAG_CF));                               \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	const struct x86_vec x86_vec_##name = {.reg = {name##_r, name##_r, name##_r}};
PTEST(ptest, ~0ull)
PTEST(testps, 0x8000000080000000)
PTEST(testpd, 0x8000000000000000)

/* INSERTPS: the source element is imm8[7:6] of a register, or a dword of memory. */
static ALWAYS_INLINE __m128i v_insertps(__m128i a, __m128i b, unsigned imm)
{
	union lane x = {.v = a}, y = {.v = b};

	x.d[imm >> 4 & 3] = y.d[imm >> 6 & 3];
	for (unsigned i = 0; i < 4; i++)
		if (imm >> i & 1)
			x.d[i] = 0;
	return x.v;
}
VEC_REGS_SCALAR(insertps)
static INSN insertps_t(struct x86_cpu *c, const struct x86_op *o)
{
	__m128i *d = vec_d(c, o);

	d[0] = v_insertps(*vec_v(c, o), *vec_s(c, o), vec_imm(o) & 0x3f);
	if (op_vl(o))
		d[1] = _mm_setzero_si128();
	return x86_next(c, o);
}
const struct x86_vec x86_vec_insertps = {.reg = {insertps_r0, insertps_r1}, .tmp = {insertps_t, insertps_t}};

/* ---- SSE4.2 and AVX2 ---- */
LOOP(pcmpgtq, 2, r.q[i] = x.sq[i] > y.sq[i] ? ~0ull : 0)
LOOP(psllvd, 4, r.d[i] = y.d[i] > 31 ? 0 : x.d[i] << y.d[i])
LOOP(psllvq, 2, r.q[i] = y.q[i] > 63 ? 0 : x.q[i] << y.q[i])
LOOP(psrlvd, 4, r.d[i] = y.d[i] > 31 ? 0 : x.d[i] >> y.d[i])
LOOP(psrlvq, 2, r.q[i] = y.q[i] > 63 ? 0 : x.q[i] >> y.q[i])
LOOP(psravd, 4, r.sd[i] = x.sd[i] >> (y.d[i] > 31 ? 31 : y.d[i]))
LOOP(permilps, 4, r.d[i] = x.d[y.d[i] & 3])
LOOP(permilpd, 2, r.q[i] = x.q[y.q[i] >> 1 & 1])
V_EXPR(permilpd_i, imm & 1 ? imm & 2 ? _mm_unpackhi_epi64(b, b) : _mm_shuffle_epi32(b, 0x4e)
                         : imm & 2 ? b : _mm_unpacklo_epi64(b, b))
VEC_RARE(permilpd_i, 2)

/* ---- SSE4A: bit fields of the low quadword. Length 0 means 64. APM4 EXTRQ, INSERTQ ---- */
static u64 extract_bits(u64 v, unsigned len, unsigned at) { return v >> (at & 63) & mask_low(len & 63 ? len & 63 : 64); }
static u64 insert_bits(u64 d, u64 s, unsigned len, unsigned at)
{
	u64 m = mask_low(len & 63 ? len & 63 : 64) << (at & 63);

	return (d & ~m) | (s << (at & 63) & m);
}
static void set_low(struct x86_cpu *c, const struct x86_op *o, u64 v) { *vec_d(c, o) = _mm_set_epi64x(0, (s64)v); }
static u64 low_of(const __m128i *p) { return (u64)_mm_cvtsi128_si64(*p); }
static unsigned imm2(const struct x86_op *o) { return (unsigned)o->imm >> 16 & 0xff; }

static INSN extrq_i_r(struct x86_cpu *c, const struct x86_op *o)
{
	*vec_s(c, o) = _mm_set_epi64x(0, (s64)extract_bits(low_of(vec_s(c, o)), vec_imm(o), imm2(o)));
	return x86_next(c, o);
}
static INSN extrq_r(struct x86_cpu *c, const struct x86_op *o)
{
	u64 ctl = low_of(vec_s(c, o));

	set_low(c, o, extract_bits(low_of(vec_d(c, o)), ctl & 0xff, ctl >> 8 & 0xff));
	return x86_next(c, o);
}
static INSN insertq_i_r(struct x86_cpu *c, const struct x86_op *o)
{
	set_low(c, o, insert_bits(low_of(vec_d(c, o)), low_of(vec_s(c, o)), vec_imm(o), imm2(o)));
	return x86_next(c, o);
}
static INSN insertq_r(struct x86_cpu *c, const struct x86_op *o)
{
	union lane s = {.v = *vec_s(c, o)};

	set_low(c, o, insert_bits(low_of(vec_d(c, o)), s.q[0], s.q[1] & 0xff, s.q[1] >> 8 & 0xff));
	return x86_next(c, o);
}
const struct x86_vec x86_vec_extrq_i = {.reg = {extrq_i_r}};
const struct x86_vec x86_vec_extrq = {.reg = {extrq_r}};
const struct x86_vec x86_vec_insertq_i = {.reg = {insertq_i_r}};
const struct x86_vec x86_vec_insertq = {.reg = {insertq_r}};
