/*
 * AES, carry-less multiplication, SHA-1 and SHA-256 steps, Galois-field ones not; in plain C, the same on every host. APM4: each instruction's
 * page; FIPS 197, FIPS 180-4.
 */
#include "cpu_x86/vec.h"

/* ---- AES. The state is the lane's bytes, column by column ---- */
static u8 sbox[256], inv_sbox[256];

static u8 times2(u8 v) { return (u8)(v << 1 ^ (v & 0x80 ? 0x1b : 0)); }
static u8 times(u8 v, unsigned n)
{
	u8 r = 0;

	for (; n; n >>= 1, v = times2(v))
		r ^= n & 1 ? v : 0;
	return r;
}

/* The S-box: the inverse in GF(256), then an affine map. FIPS 197 5.1.1 */
static void make_boxes(void)
{
	u8 p = 1, q = 1;

	do {
		p = (u8)(p ^ times2(p)); /* times 3, a generator */
		q ^= (u8)(q << 1);       /* divided by 3 */
		q ^= (u8)(q << 2);
		q ^= (u8)(q << 4);
		if (q & 0x80)
			q ^= 0x09;
		sbox[p] = (u8)(q ^ (u8)(q << 1 | q >> 7) ^ (u8)(q << 2 | q >> 6) ^ (u8)(q << 3 | q >> 5) ^ (u8)(q << 4 | q >> 4) ^ 0x63);
	} while (p != 1);
	sbox[0] = 0x63;
	for (unsigned i = 0; i < 256; i++)
		inv_sbox[sbox[i]] = (u8)i;
}
static const u8 *box(bool inverse)
{
	if (unlikely(!sbox[0]))
		make_boxes();
	return inverse ? inv_sbox : sbox;
}

/* ShiftRows and SubBytes, or their inverses. */
static union lane shift_sub(__m128i v, bool inverse)
{
	union lane s = {.v = v}, r;
	const u8 *t = box(inverse);

	for (unsigned col = 0; col < 4; col++)
		for (unsigned row = 0; row < 4; row++)
			r.b[col * 4 + row] = t[s.b[((inverse ? col - row : col + row) & 3) * 4 + row]];
	return r;
}

static __m128i mix_columns(union lane s, unsigned a, unsigned b, unsigned c, unsigned d)
{
	union lane r;

	for (unsigned i = 0; i < 16; i += 4)
		for (unsigned k = 0; k < 4; k++)
			r.b[i + k] = times(s.b[i + k], a) ^ times(s.b[i + (k + 1) % 4], b) ^ times(s.b[i + (k + 2) % 4], c) ^
			             times(s.b[i + (k + 3) % 4], d);
	return r.v;
}

V_EXPR(aesenc, _mm_xor_si128(mix_columns(shift_sub(a, false), 2, 3, 1, 1), b))
VEC_RARE(aesenc, 0)
V_EXPR(aesenclast, _mm_xor_si128(shift_sub(a, false).v, b))
VEC_RARE(aesenclast, 0)
V_EXPR(aesdec, _mm_xor_si128(mix_columns(shift_sub(a, true), 14, 11, 13, 9), b))
VEC_RARE(aesdec, 0)
V_EXPR(aesdeclast, _mm_xor_si128(shift_sub(a, true).v, b))
VEC_RARE(aesdeclast, 0)
static __m128i inverse_mix(__m128i v)
{
	union lane s = {.v = v};

	return mix_columns(s, 14, 11, 13, 9);
}
V_EXPR(aesimc, inverse_mix(b))
VEC_RARE128(aesimc)

static u32 sub_word(u32 v)
{
	const u8 *t = box(false);

	return t[v & 0xff] | (u32)t[v >> 8 & 0xff] << 8 | (u32)t[v >> 16 & 0xff] << 16 | (u32)t[v >> 24] << 24;
}
static u32 ror(u32 v, unsigned n) { return v >> n | v << (32 - n); }
static __m128i v_aeskeygen(__m128i a, __m128i b, unsigned imm)
{
	union lane y = {.v = b}, r;

	(void)a;
	for (unsigned i = 0; i < 2; i++) {
		r.d[2 * i] = sub_word(y.d[2 * i + 1]);
		r.d[2 * i + 1] = ror(r.d[2 * i], 8) ^ imm;
	}
	return r.v;
}
VEC_RARE128(aeskeygen)

/* ---- PCLMULQDQ ---- */
static __m128i v_pclmul(__m128i a, __m128i b, unsigned imm)
{
	union lane x = {.v = a}, y = {.v = b};
	u64 p = x.q[imm & 1], q = y.q[imm >> 4 & 1], lo = 0, hi = 0;

	for (unsigned i = 0; i < 64; i++)
		if (q >> i & 1) {
			lo ^= p << i;
			hi ^= i ? p >> (64 - i) : 0;
		}
	return _mm_set_epi64x((s64)hi, (s64)lo);
}
VEC_RARE(pclmul, 0)

/* ---- SHA ---- */
static u32 rol(u32 v, unsigned n) { return v << n | v >> (32 - n); }
static u32 choose(u32 x, u32 y, u32 z) { return (x & y) ^ (~x & z); }
static u32 majority(u32 x, u32 y, u32 z) { return (x & y) ^ (x & z) ^ (y & z); }

static __m128i v_sha1rnds4(__m128i a, __m128i b, unsigned imm)
{
	static const u32 k[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
	union lane x = {.v = a}, y = {.v = b};
	u32 s[5] = {x.d[3], x.d[2], x.d[1], x.d[0], 0};

	for (unsigned i = 0; i < 4; i++) {
		u32 f = (imm & 3) == 0   ? choose(s[1], s[2], s[3])
		        : (imm & 3) == 2 ? majority(s[1], s[2], s[3])
					 : s[1] ^ s[2] ^ s[3];
		u32 t = f + rol(s[0], 5) + y.d[3 - i] + s[4] + k[imm & 3];

		s[4] = s[3];
		s[3] = s[2];
		s[2] = rol(s[1], 30);
		s[1] = s[0];
		s[0] = t;
	}
	return _mm_set_epi32((int)s[0], (int)s[1], (int)s[2], (int)s[3]);
}
VEC_RARE128(sha1rnds4)
static __m128i v_sha1nexte(__m128i a, __m128i b, unsigned imm)
{
	union lane x = {.v = a}, y = {.v = b};

	(void)imm;
	y.d[3] += rol(x.d[3], 30);
	return y.v;
}
VEC_RARE128(sha1nexte)
static __m128i v_sha1msg1(__m128i a, __m128i b, unsigned imm)
{
	union lane x = {.v = a}, y = {.v = b};

	(void)imm;
	return _mm_set_epi32((int)(x.d[3] ^ x.d[1]), (int)(x.d[2] ^ x.d[0]), (int)(x.d[1] ^ y.d[3]), (int)(x.d[0] ^ y.d[2]));
}
VEC_RARE128(sha1msg1)
static __m128i v_sha1msg2(__m128i a, __m128i b, unsigned imm)
{
	union lane x = {.v = a}, y = {.v = b};
	u32 w16 = rol(x.d[3] ^ y.d[2], 1);

	(void)imm;
	return _mm_set_epi32((int)w16, (int)rol(x.d[2] ^ y.d[1], 1), (int)rol(x.d[1] ^ y.d[0], 1), (int)rol(x.d[0] ^ w16, 1));
}
VEC_RARE128(sha1msg2)

/* Two rounds; the two words of the schedule with their constants are in XMM0. */
static INSN sha256rnds2_r(struct x86_cpu *c, const struct x86_op *o)
{
	union lane x = {.v = *vec_d(c, o)}, y = {.v = *vec_s(c, o)}, wk = {.v = *x86_xmm(c, 0)};
	u32 s[8] = {y.d[3], y.d[2], x.d[3], x.d[2], y.d[1], y.d[0], x.d[1], x.d[0]}; /* A..H */

	for (unsigned i = 0; i < 2; i++) {
		u32 t = choose(s[4], s[5], s[6]) + (ror(s[4], 6) ^ ror(s[4], 11) ^ ror(s[4], 25)) + wk.d[i] + s[7];
		u32 u = t + majority(s[0], s[1], s[2]) + (ror(s[0], 2) ^ ror(s[0], 13) ^ ror(s[0], 22)), e = s[3] + t;

		memmove(s + 1, s, 7 * sizeof s[0]);
		s[4] = e;
		s[0] = u;
	}
	*vec_d(c, o) = _mm_set_epi32((int)s[0], (int)s[1], (int)s[4], (int)s[5]);
	return x86_next(c, o);
}
const struct x86_vec x86_vec_sha256rnds2 = {.reg = {sha256rnds2_r}};
static u32 sigma0(u32 v) { return ror(v, 7) ^ ror(v, 18) ^ v >> 3; }
static u32 sigma1(u32 v) { return ror(v, 17) ^ ror(v, 19) ^ v >> 10; }
static __m128i v_sha256msg1(__m128i a, __m128i b, unsigned imm)
{
	union lane x = {.v = a}, y = {.v = b};

	(void)imm;
	return _mm_set_epi32((int)(x.d[3] + sigma0(y.d[0])), (int)(x.d[2] + sigma0(x.d[3])), (int)(x.d[1] + sigma0(x.d[2])),
	                     (int)(x.d[0] + sigma0(x.d[1])));
}
VEC_RARE128(sha256msg1)
static __m128i v_sha256msg2(__m128i a, __m128i b, unsigned imm)
{
	union lane x = {.v = a}, y = {.v = b};
	u32 w16 = x.d[0] + sigma1(y.d[2]), w17 = x.d[1] + sigma1(y.d[3]), w18 = x.d[2] + sigma1(w16), w19 = x.d[3] + sigma1(w17);

	(void)imm;
	return _mm_set_epi32((int)w19, (int)w18, (int)w17, (int)w16);
}
VEC_RARE128(sha256msg2)
