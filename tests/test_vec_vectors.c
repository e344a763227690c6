/*
 * Instructions that few hosts have, by published vectors and by a plain C reference of what the manual says: SHA-1 (FIPS 180-4), AES on two
 * lanes (FIPS 197, appendix B), carry-less multiplication on two lanes. Variable shifts, too: they must leave MXCSR alone, whatever the
 * compiler makes of them. SHA-256 and SSE4A: test_vec.c.
 */
#include "cpu_fixture.h"

static void on(void)
{
	long_mode(0, true);
	c->cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE;
	c->xcr0 = 7;
	c->fpu.mxcsr = 0x1f80;
	x86_state_changed(c);
}

static u64 next_random(void)
{
	static u64 s = 1;

	s ^= s << 13;
	s ^= s >> 7;
	return s ^= s << 17;
}
static void put4(unsigned n, const u32 v[4])
{
	for (unsigned i = 0; i < 4; i++)
		store_le(c->fpu.ymm[n] + 4 * i, 4, v[i]);
}
static u32 word(unsigned n, unsigned i) { return (u32)load_le(c->fpu.ymm[n] + 4 * i, 4); }
static u32 rotl(u32 v, unsigned n) { return v << n | v >> (32 - n); }

/* ---- SHA-1 ---- */

static const u32 sha1_k[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};

static u32 sha1_f(unsigned i, u32 b, u32 d, u32 e)
{
	return i == 0 ? (b & d) ^ (~b & e) : i == 2 ? (b & d) ^ (b & e) ^ (d & e) : b ^ d ^ e;
}

/* FIPS 180-4 6.1.2, one block. */
static void sha1_block(u32 h[5], const u32 m[16])
{
	u32 w[80], s[5];

	memcpy(w, m, 16 * sizeof *w);
	for (unsigned t = 16; t < 80; t++)
		w[t] = rotl(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
	memcpy(s, h, sizeof s);
	for (unsigned t = 0; t < 80; t++) {
		u32 x = rotl(s[0], 5) + sha1_f(t / 20, s[1], s[2], s[3]) + s[4] + sha1_k[t / 20] + w[t];

		s[4] = s[3], s[3] = s[2], s[2] = rotl(s[1], 30), s[1] = s[0], s[0] = x;
	}
	for (unsigned i = 0; i < 5; i++)
		h[i] += s[i];
}

/* Word 0 is the highest of a vector. */
static void put4_high_first(unsigned n, const u32 v[4]) { put4(n, (const u32[4]){v[3], v[2], v[1], v[0]}); }

static void sha1_rounds(unsigned k)
{
	switch (k) {
	case 0: RUN(0x0f, 0x3a, 0xcc, 0xc1, 0); break; /* SHA1RNDS4 xmm0, xmm1, k */
	case 1: RUN(0x0f, 0x3a, 0xcc, 0xc1, 1); break;
	case 2: RUN(0x0f, 0x3a, 0xcc, 0xc1, 2); break;
	default: RUN(0x0f, 0x3a, 0xcc, 0xc1, 3); break;
	}
}

/* The same block by the instructions. xmm0: A B C D; xmm1: E in its highest word, then four words of the schedule. */
static void sha1_insns(u32 h[5], const u32 m[16])
{
	u32 w[80], e[4] = {h[4], 0, 0, 0}, before[4] = {h[0], h[1], h[2], h[3]};

	memcpy(w, m, 16 * sizeof *w);
	for (unsigned t = 16; t < 80; t += 4) {
		put4_high_first(2, w + t - 16);
		put4_high_first(3, w + t - 12);
		RUN(0x0f, 0x38, 0xc9, 0xd3); /* SHA1MSG1 xmm2, xmm3 */
		for (unsigned i = 0; i < 4; i++)
			store_le(c->fpu.ymm[2] + 4 * i, 4, word(2, i) ^ w[t - 8 + 3 - i]);
		put4_high_first(3, w + t - 4);
		RUN(0x0f, 0x38, 0xca, 0xd3); /* SHA1MSG2 xmm2, xmm3 */
		for (unsigned i = 0; i < 4; i++)
			w[t + i] = word(2, 3 - i);
	}
	put4_high_first(0, before);
	for (unsigned t = 0; t < 80; t += 4) {
		u32 abcd[4];

		for (unsigned i = 0; i < 4; i++)
			abcd[i] = word(0, i);
		put4_high_first(1, e);
		put4_high_first(2, w + t);
		if (t) {
			RUN(0x0f, 0x38, 0xc8, 0xca); /* SHA1NEXTE xmm1, xmm2: E = A rotated, 30 */
		} else {
			put4_high_first(1, (const u32[4]){w[0] + e[0], w[1], w[2], w[3]});
		}
		sha1_rounds(t / 20);
		e[0] = abcd[3]; /* A before these rounds */
	}
	h[4] += rotl(e[0], 30);
	for (unsigned i = 0; i < 4; i++)
		h[i] += word(0, 3 - i);
}

START_TEST(sha1)
{
	static const u32 init[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
	static const u32 digest[5] = {0xa9993e36, 0x4706816a, 0xba3e2571, 0x7850c26c, 0x9cd0d89d};
	u32 m[16] = {0x61626380, [15] = 24}, a[5], b[5]; /* "abc" */

	on();
	memcpy(a, init, sizeof a);
	memcpy(b, init, sizeof b);
	sha1_block(a, m);
	sha1_insns(b, m);
	for (unsigned i = 0; i < 5; i++) {
		ck_assert_uint_eq(a[i], digest[i]);
		ck_assert_uint_eq(b[i], digest[i]);
	}
	for (unsigned n = 0; n < 20; n++) {
		for (unsigned i = 0; i < 16; i++)
			m[i] = (u32)next_random();
		sha1_block(a, m);
		sha1_insns(b, m);
		for (unsigned i = 0; i < 5; i++)
			ck_assert_uint_eq(a[i], b[i]);
	}
}
END_TEST

/* ---- AES: FIPS 197, bytes in the order of the standard ---- */
static u8 sbox[256], inverse[256];

static u8 times(u8 a, u8 b)
{
	u8 r = 0;

	for (; b; b >>= 1, a = (u8)(a << 1 ^ (a & 0x80 ? 0x1b : 0)))
		r ^= b & 1 ? a : 0;
	return r;
}

/* The S-box out of its definition: the inverse in the field, then the affine map. FIPS 197 5.1.1 */
static void make_sbox(void)
{
	for (unsigned x = 0; x < 256; x++) {
		u8 inv = 0, s;

		for (unsigned y = 1; y < 256 && x; y++)
			if (times((u8)x, (u8)y) == 1)
				inv = (u8)y;
		s = 0x63;
		for (unsigned i = 0; i < 5; i++)
			s ^= (u8)(inv << i | inv >> (8 - i));
		sbox[x] = s;
		inverse[s] = (u8)x;
	}
}

static void mix(u8 s[16], const u8 by[4])
{
	for (unsigned col = 0; col < 16; col += 4) {
		u8 in[4];

		memcpy(in, s + col, 4);
		for (unsigned i = 0; i < 4; i++)
			s[col + i] = times(in[0], by[(4 - i) % 4]) ^ times(in[1], by[(5 - i) % 4]) ^ times(in[2], by[(6 - i) % 4]) ^
				     times(in[3], by[(7 - i) % 4]);
	}
}

static void round_of(u8 s[16], const u8 key[16], bool decrypt, bool final)
{
	static const u8 forward[4] = {2, 3, 1, 1}, back[4] = {14, 11, 13, 9};
	u8 t[16];

	for (unsigned i = 0; i < 16; i++)
		t[i] = decrypt ? inverse[s[(i + 16 - 4 * (i % 4)) % 16]] : sbox[s[(i + 4 * (i % 4)) % 16]];
	if (!final)
		mix(t, decrypt ? back : forward);
	for (unsigned i = 0; i < 16; i++)
		s[i] = t[i] ^ key[i];
}

static void expand_key(u8 w[176])
{
	u8 rcon = 1;

	for (unsigned i = 16; i < 176; i += 4) {
		u8 t[4];

		memcpy(t, w + i - 4, 4);
		if (i % 16 == 0) {
			u8 first = t[0];

			t[0] = sbox[t[1]] ^ rcon, t[1] = sbox[t[2]], t[2] = sbox[t[3]], t[3] = sbox[first];
			rcon = times(rcon, 2);
		}
		for (unsigned k = 0; k < 4; k++)
			w[i + k] = w[i + k - 16] ^ t[k];
	}
}

/* ymm1 = one round of ymm1 under the key in ymm2. */
static void vaes(bool decrypt, bool final)
{
	if (decrypt && final)
		RUN(0xc4, 0xe2, 0x75, 0xdf, 0xca);
	else if (decrypt)
		RUN(0xc4, 0xe2, 0x75, 0xde, 0xca);
	else if (final)
		RUN(0xc4, 0xe2, 0x75, 0xdd, 0xca);
	else
		RUN(0xc4, 0xe2, 0x75, 0xdc, 0xca);
}

START_TEST(vaes_256)
{
	static const u8 plain[16] = {0x32, 0x43, 0xf6, 0xa8, 0x88, 0x5a, 0x30, 0x8d, 0x31, 0x31, 0x98, 0xa2, 0xe0, 0x37, 0x07, 0x34};
	static const u8 cipher[16] = {0x39, 0x25, 0x84, 0x1d, 0x02, 0xdc, 0x09, 0xfb, 0xdc, 0x11, 0x85, 0x97, 0x19, 0x6a, 0x0b, 0x32};
	u8 w[176] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c}, other[16], zero[16] = {0};

	on();
	make_sbox();
	expand_key(w);
	for (unsigned i = 0; i < 16; i++)
		c->fpu.ymm[1][i] = plain[i] ^ w[i];
	memset(c->fpu.ymm[1] + 16, 0x55, 16);
	memset(other, 0x55, 16);
	for (unsigned r = 1; r <= 10; r++) { /* the vector below, another block with another key above */
		memcpy(c->fpu.ymm[2], w + 16 * r, 16);
		memset(c->fpu.ymm[2] + 16, (int)r, 16);
		vaes(false, r == 10);
		round_of(other, c->fpu.ymm[2] + 16, false, r == 10);
	}
	ck_assert_mem_eq(c->fpu.ymm[1], cipher, 16);
	ck_assert_mem_eq(c->fpu.ymm[1] + 16, other, 16);
	memcpy(c->fpu.ymm[1] + 16, cipher, 16); /* and back, the vector above: the equivalent inverse cipher, FIPS 197 5.3.5 */
	for (unsigned i = 0; i < 16; i++)
		c->fpu.ymm[1][16 + i] ^= w[160 + i];
	memcpy(other, c->fpu.ymm[1], 16);
	for (unsigned r = 9; r <= 9; r--) {
		memcpy(c->fpu.ymm[2] + 16, w + 16 * r, 16);
		if (r) {
			static const u8 back[4] = {14, 11, 13, 9};

			mix(c->fpu.ymm[2] + 16, back);
		}
		memset(c->fpu.ymm[2], (int)r + 7, 16);
		vaes(true, r == 0);
		round_of(other, c->fpu.ymm[2], true, r == 0);
	}
	ck_assert_mem_eq(c->fpu.ymm[1] + 16, plain, 16);
	ck_assert_mem_eq(c->fpu.ymm[1], other, 16);
	memcpy(c->fpu.ymm[1], zero, 16);
	vaes(false, true);
	ck_assert_uint_eq(c->fpu.ymm[1][0], 0x63 ^ c->fpu.ymm[2][0]);
}
END_TEST

/* ---- carry-less multiplication ---- */
static void multiply(u64 a, u64 b, u8 r[16])
{
	u64 lo = 0, hi = 0;

	for (unsigned i = 0; i < 64; i++)
		if (b >> i & 1) {
			lo ^= a << i;
			hi ^= i ? a >> (64 - i) : 0;
		}
	store_le(r, 8, lo);
	store_le(r + 8, 8, hi);
}

static void check_pclmul(unsigned imm)
{
	u8 want[32], rest = 0;

	for (unsigned i = 0; i < 32; i += 8) {
		store_le(c->fpu.ymm[1] + i, 8, next_random());
		store_le(c->fpu.ymm[2] + i, 8, next_random());
	}
	for (unsigned lane = 0; lane < 32; lane += 16)
		multiply(load_le(c->fpu.ymm[1] + lane + (imm & 1 ? 8 : 0), 8), load_le(c->fpu.ymm[2] + lane + (imm & 16 ? 8 : 0), 8), want + lane);
	rest = imm ? 0xee : 0;
	RUN(0xc4, 0xe3, 0x75, 0x44, 0xda, (u8)(imm | rest)); /* VPCLMULQDQ ymm3, ymm1, ymm2: bits 4 and 0 count */
	quiet();
	ck_assert_mem_eq(c->fpu.ymm[3], want, 32);
}

START_TEST(vpclmul_256)
{
	on();
	for (unsigned n = 0; n < 40; n++)
		for (unsigned i = 0; i < 4; i++)
			check_pclmul((i & 1) | (i & 2) << 3);
}
END_TEST

/* Integer instructions leave MXCSR as it is. APM1 4.2.2 */
START_TEST(shifts_are_no_floating_point)
{
	static const u8 insn[][3] = {{0x47, 0, 0}, {0x47, 0x80, 0}, {0x45, 0, 0}, {0x45, 0x80, 0}, {0x46, 0, 0}}; /* opcode, W */
	static const u32 counts[4] = {0, 40, 31, 0x80000000}, values[4] = {1, 0xffffffff, 0x80000001, 7};

	for (unsigned i = 0; i < ARRAY_SIZE(insn); i++) {
		on();
		c->fpu.mxcsr = 0;
		x86_state_changed(c);
		put4(1, values);
		put4(2, counts);
		RUN(0xc4, 0xe2, (u8)(0x71 | insn[i][1]), insn[i][0], 0xda); /* xmm3 = xmm1 shifted by xmm2 */
		quiet();
		ck_assert_uint_eq(c->fpu.mxcsr, 0);
		if (i == 0)
			ck_assert_uint_eq(load_le(c->fpu.ymm[3], 8), 1);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vector instructions by published vectors");
	TCase *t = tcase_create("vectors");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, cpu_setup, cpu_teardown);
	tcase_add_test(t, sha1);
	tcase_add_test(t, vaes_256);
	tcase_add_test(t, vpclmul_256);
	tcase_add_test(t, shifts_are_no_floating_point);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
