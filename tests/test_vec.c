/*
 * Vector instructions as the manual has them where no host of ours can be asked: SSE4A, SHA (by hashing a message with them), misaligned mode;
 * and what a user process cannot arrange: SSE and AVX turned off, #XM without OSXMMEXCPT, features that the model lacks.
 */
#include "cpu_fixture.h"

#include <check.h>
#include <stdlib.h>

enum { MXCSR_ZE = 4, MXCSR_MM = 0x20000 };

static void on(void)
{
	long_mode(0, true);
	c->cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE;
	c->xcr0 = 7;
	c->fpu.mxcsr = 0x1f80;
	x86_state_changed(c);
}
static void xmm(unsigned n, u64 hi, u64 lo)
{
	store_le(c->fpu.ymm[n], 8, lo);
	store_le(c->fpu.ymm[n] + 8, 8, hi);
}
static u64 low(unsigned n) { return load_le(c->fpu.ymm[n], 8); }
static void xmm4(unsigned n, const u32 v[4])
{
	for (unsigned i = 0; i < 4; i++)
		store_le(c->fpu.ymm[n] + 4 * i, 4, v[i]);
}
static u32 word(unsigned n, unsigned i) { return (u32)load_le(c->fpu.ymm[n] + 4 * i, 4); }

/* APM1 3.1.1, APM2 11.3: #UD before #NM. */
START_TEST(turned_off)
{
	on();
	c->cr4 &= ~CR4_OSFXSR;
	x86_state_changed(c);
	RUN(0x0f, 0x58, 0xc1);
	raised(VEC_UD, NO_ERROR, RULE_UD_SSE_OFF);
	on();
	c->cr0 |= CR0_EM | CR0_TS;
	x86_state_changed(c);
	RUN(0x66, 0x0f, 0xfc, 0xc1);
	raised(VEC_UD, NO_ERROR, RULE_UD_SSE_OFF);
	on();
	c->cr0 |= CR0_TS;
	x86_state_changed(c);
	RUN(0x0f, 0x58, 0xc1);
	raised(VEC_NM, NO_ERROR, RULE_NM_TS);
	RUN(0xc5, 0xf0, 0x58, 0xc2);
	raised(VEC_NM, NO_ERROR, RULE_NM_TS);
	on();
	c->xcr0 = 3;
	x86_state_changed(c);
	RUN(0xc5, 0xf0, 0x58, 0xc2);
	raised(VEC_UD, NO_ERROR, RULE_UD_AVX_OFF);
	RUN(0x0f, 0x58, 0xc1);
	ck_assert_uint_eq(exceptions, 0);
}
END_TEST

START_TEST(features_of_the_model)
{
	on();
	model.has[X86_F_AVX2] = model.has[X86_F_SSE41] = 0;
	RUN(0xc5, 0xf5, 0xfc, 0xc2); /* VPADDB ymm */
	raised(VEC_UD, NO_ERROR, RULE_UD_FEATURE);
	RUN(0xc5, 0xf1, 0xfc, 0xc2); /* VPADDB xmm is AVX */
	ck_assert_uint_eq(exceptions, 0);
	RUN(0x66, 0x0f, 0x38, 0x17, 0xc1); /* PTEST */
	raised(VEC_UD, NO_ERROR, RULE_UD_FEATURE);
}
END_TEST

/* APM2 8.2.20: without OSXMMEXCPT the exception is #UD; the destination stays either way. */
START_TEST(simd_exception)
{
	on();
	c->fpu.mxcsr = 0x1f80 & ~0x200u; /* divide by zero unmasked */
	x86_state_changed(c);
	xmm(0, 5, 0x3ff0000000000000);
	xmm(1, 0, 0);
	RUN(0xf2, 0x0f, 0x5e, 0xc1); /* DIVSD */
	raised(VEC_XM, NO_ERROR, RULE_XM);
	ck_assert_uint_eq(low(0), 0x3ff0000000000000);
	ck_assert_uint_eq(c->fpu.mxcsr & 0x3f, MXCSR_ZE);
	on();
	c->cr4 &= ~CR4_OSXMMEXCPT;
	c->fpu.mxcsr = 0x1f80 & ~0x200u;
	x86_state_changed(c);
	RUN(0xf2, 0x0f, 0x5e, 0xc1);
	raised(VEC_UD, NO_ERROR, RULE_UD_XM);
}
END_TEST

/* MXCSR.MM lets load-execute instructions go unaligned, not MOVAPS. APM1 4.2.2 */
START_TEST(misaligned_mode)
{
	on();
	c->r[R_BX] = DATA + 1;
	poke(DATA + 1, 8, 7);
	RUN(0x66, 0x0f, 0xd4, 0x03); /* PADDQ xmm0, [rbx] */
	raised(VEC_GP, 0, RULE_GP_ALIGN16);
	on();
	c->r[R_BX] = DATA + 1;
	c->fpu.mxcsr |= MXCSR_MM;
	xmm(0, 0, 1);
	RUN(0x66, 0x0f, 0xd4, 0x03);
	ck_assert_uint_eq(exceptions, 0);
	ck_assert_uint_eq(low(0), 8);
	RUN(0x0f, 0x28, 0x03);
	raised(VEC_GP, 0, RULE_GP_ALIGN16);
}
END_TEST

/* MXCSR alone does not make SSE state used, except where a compacted area has to keep it. APM4 XSAVE, XSAVEC, XRSTOR */
START_TEST(xsave_mxcsr)
{
	on();
	c->r[R_BX] = DATA;
	c->r[R_AX] = 6;
	c->r[R_DX] = 0;
	c->fpu.mxcsr = 0x3f80;
	x86_state_changed(c);
	RUN(0x0f, 0xae, 0x23); /* XSAVE [rbx] */
	quiet();
	ck_assert_uint_eq(peek(DATA + 24, 4), 0x3f80);
	ck_assert_uint_eq(peek(DATA + 512, 8), 0);
	RUN(0x0f, 0xc7, 0x63, 0x00); /* XSAVEC [rbx] */
	quiet();
	ck_assert_uint_eq(peek(DATA + 512, 8), 2);
	c->fpu.mxcsr = 0x1f80;
	x86_state_changed(c);
	RUN(0x0f, 0xae, 0x2b); /* XRSTOR */
	quiet();
	ck_assert_uint_eq(c->fpu.mxcsr, 0x3f80);
	poke(DATA + 520, 8, BIT(63) | 3); /* a compacted area without AVX may end after its header */
	poke(DATA + 512, 8, 0);
	protected32(0);
	c->cr4 |= CR4_OSFXSR | CR4_OSXSAVE;
	c->xcr0 = 7;
	c->seg[SEG_DS].limit = DATA + 575;
	c->r[R_BX] = DATA;
	c->r[R_AX] = 7;
	x86_state_changed(c);
	RUN(0x0f, 0xae, 0x2b);
	quiet();
	poke(DATA + 520, 8, BIT(63) | 7);
	RUN(0x0f, 0xae, 0x2b);
	ck_assert_uint_eq(last.a & 0xff, VEC_GP);
}
END_TEST

/* APM4 EXTRQ, INSERTQ */
START_TEST(sse4a)
{
	on();
	xmm(1, 0, 0x123456789abcdef0);
	RUN(0x66, 0x0f, 0x78, 0xc1, 12, 8); /* 12 bits from bit 8 */
	ck_assert_uint_eq(low(1), 0xcde);
	xmm(1, 0, 0x123456789abcdef0);
	xmm(2, 0, 0x0408); /* 8 bits from bit 4 */
	RUN(0x66, 0x0f, 0x79, 0xca);
	ck_assert_uint_eq(low(1), 0xef);
	xmm(1, 0, 0x123456789abcdef0);
	xmm(2, 0, 0xffff);
	RUN(0xf2, 0x0f, 0x78, 0xca, 8, 16);
	ck_assert_uint_eq(low(1), 0x123456789affdef0);
	xmm(1, 0, 0);
	xmm(2, 0x2004, 0xabc); /* 4 bits to bit 32 */
	RUN(0xf2, 0x0f, 0x79, 0xca);
	ck_assert_uint_eq(low(1), 0xc00000000);
	xmm(2, 0, 0x1122334455667788);
	c->r[R_BX] = DATA + 3;
	RUN(0xf2, 0x0f, 0x2b, 0x13); /* MOVNTSD */
	ck_assert_uint_eq(peek(DATA + 3, 8), 0x1122334455667788);
	RUN(0xf3, 0x0f, 0x2b, 0x53, 0x10); /* MOVNTSS */
	ck_assert_uint_eq(peek(DATA + 19, 8), 0x55667788);
}
END_TEST

static const u32 k256[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* "abc", padded: FIPS 180-4. Four more words of the schedule from the last sixteen. */
static void message(u32 w[80])
{
	memset(w, 0, 80 * sizeof *w);
	w[0] = 0x61626380;
	w[15] = 24;
}

START_TEST(sha256)
{
	static const u32 init[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
	static const u32 digest[8] = {0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223, 0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad};
	u32 w[80], s[8];

	on();
	message(w);
	for (unsigned i = 16; i < 64; i += 4) {
		xmm4(1, w + i - 16);
		xmm4(2, w + i - 12);
		RUN(0x0f, 0x38, 0xcc, 0xca); /* SHA256MSG1 xmm1, xmm2 */
		for (unsigned k = 0; k < 4; k++)
			store_le(c->fpu.ymm[1] + 4 * k, 4, word(1, k) + w[i - 7 + k]);
		xmm4(2, w + i - 4);
		RUN(0x0f, 0x38, 0xcd, 0xca); /* SHA256MSG2 */
		for (unsigned k = 0; k < 4; k++)
			w[i + k] = word(1, k);
	}
	xmm4(1, (const u32[4]){init[7], init[6], init[3], init[2]}); /* HGDC */
	xmm4(2, (const u32[4]){init[5], init[4], init[1], init[0]}); /* FEBA */
	for (unsigned i = 0; i < 64; i += 4) {
		xmm4(0, (const u32[4]){w[i] + k256[i], w[i + 1] + k256[i + 1], 0, 0});
		RUN(0x0f, 0x38, 0xcb, 0xca); /* SHA256RNDS2 xmm1, xmm2: then the two change places */
		xmm4(0, (const u32[4]){w[i + 2] + k256[i + 2], w[i + 3] + k256[i + 3], 0, 0});
		RUN(0x0f, 0x38, 0xcb, 0xd1);
	}
	s[0] = word(2, 3), s[1] = word(2, 2), s[2] = word(1, 3), s[3] = word(1, 2);
	s[4] = word(2, 1), s[5] = word(2, 0), s[6] = word(1, 1), s[7] = word(1, 0);
	for (unsigned i = 0; i < 8; i++)
		ck_assert_uint_eq((u32)(s[i] + init[i]), digest[i]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vectors");
	TCase *t = tcase_create("one at a time");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, cpu_setup, cpu_teardown);
	tcase_add_test(t, turned_off);
	tcase_add_test(t, features_of_the_model);
	tcase_add_test(t, simd_exception);
	tcase_add_test(t, misaligned_mode);
	tcase_add_test(t, xsave_mxcsr);
	tcase_add_test(t, sse4a);
	tcase_add_test(t, sha256);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
