/*
 * The VFP9-S: when it may be used, its system registers, short vectors where QEMU errs, loads and stores. Arithmetic with its flags is compared with
 * another emulator: tests/oracle_arm. DDI0100 part C, DDI0274.
 */
#include "arm_fixture.h"

#define FMXR(reg) (0xeee00a10 | (reg) << 16) /* from r0 */
#define FMRX(reg) (0xeef00a10 | (reg) << 16)
enum { FPSID = 0, FPSCR = 1, FPEXC = 8, FPINST = 9 };

static void setup(void)
{
	arm_setup();
	cpu.has_vfp = true;
	arm_reset(&cpu);
	at_code(MODE_SVC);
	cpu.s.r[0] = (u32)FPEXC_EN;
	one(FMXR(FPEXC));
}

static void fpscr(u32 v)
{
	cpu.s.r[0] = v;
	one(FMXR(FPSCR));
}

START_TEST(absent)
{
	cpu.has_vfp = false;
	arm_reset(&cpu);
	at_code(MODE_SVC);
	one(FMRX(FPSID));
	expect_exception(MODE_UND, 4, CODE + 4, MODE_SVC);
}
END_TEST

START_TEST(enabling)
{
	one(FMRX(FPSID));
	ck_assert_uint_eq(cpu.s.r[0], 0x41011090);
	one(FMRX(FPEXC));
	ck_assert_uint_eq(cpu.s.r[0], FPEXC_EN);
	cpu.s.r[0] = 0;
	one(FMXR(FPEXC));
	one(0xee300a81); /* fadds s0, s1, s2 */
	expect_exception(MODE_UND, 4, CODE + 4, MODE_SVC);
	at_code(MODE_SVC);
	one(FMRX(FPSCR));
	ck_assert_uint_eq(cpu.s.r[15], 4);
	at_code(MODE_SVC);
	one(FMRX(FPSID)); /* readable all the same */
	ck_assert_uint_eq(cpu.s.r[15], CODE + 4);
	arm_set_cpsr(&cpu, MODE_USR);
	one(FMRX(FPEXC));
	expect_exception(MODE_UND, 4, CODE + 4, MODE_USR);
}
END_TEST

START_TEST(status)
{
	fpscr(0xffffffff);
	one(FMRX(FPSCR));
	ck_assert_uint_eq(cpu.s.r[0], 0xf3f79f9f);
	one(0xeef1fa10); /* fmstat */
	ck_assert_uint_eq(cpu.s.cpsr & PSR_NZCV, PSR_NZCV);
	fpscr(0x60000000);
	one(0xeef1fa10);
	ck_assert_uint_eq(cpu.s.cpsr & PSR_NZCV, PSR_Z | PSR_C);
}
END_TEST

static float get_single(unsigned n)
{
	float f;

	memcpy(&f, &cpu.s.vfp.s[n], 4);
	return f;
}
static void put_single(unsigned n, float f) { memcpy(&cpu.s.vfp.s[n], &f, 4); }
static double get_double(unsigned n)
{
	double d;

	memcpy(&d, &cpu.s.vfp.s[2 * n], 8);
	return d;
}
static void put_double(unsigned n, double d) { memcpy(&cpu.s.vfp.s[2 * n], &d, 8); }

/* Three elements, stride 2: s14, s8 (the bank wraps), s10. DDI0100 C5.2 */
START_TEST(vector_of_singles)
{
	for (unsigned i = 0; i < 32; i++)
		put_single(i, (float)i);
	fpscr(2 << 16 | 3 << 20);
	one(0xee387a8c); /* fadds s14, s17, s24 */
	ck_assert(get_single(14) == 17 + 24);
	ck_assert(get_single(8) == 19 + 26);
	ck_assert(get_single(10) == 21 + 28);
	ck_assert(get_single(12) == 12);
	one(0xee287a83); /* fmuls s14, s17, s6: a scalar */
	ck_assert(get_single(14) == 17 * 6);
	ck_assert(get_single(10) == 21 * 6);
	one(0xee383a8c); /* fadds s6, s17, s24: the first bank is scalar */
	ck_assert(get_single(6) == 17 + 24);
	ck_assert(get_single(0) == 0);
}
END_TEST

START_TEST(vector_of_doubles)
{
	for (unsigned i = 0; i < 16; i++)
		put_double(i, -(double)i);
	fpscr(2 << 16);
	one(0xeeb17b4a); /* fnegd d7, d10: d7, d4, d5 from d10, d11, d8 */
	ck_assert(get_double(7) == 10);
	ck_assert(get_double(4) == 11);
	ck_assert(get_double(5) == 8);
	ck_assert(get_double(6) == -6);
	ck_assert(get_double(11) == -11);
	put_double(2, 9);
	one(0xeeb1bbc2); /* fsqrtd d11, d2: all the same */
	ck_assert(get_double(11) == 3);
	ck_assert(get_double(8) == 3);
	ck_assert(get_double(9) == 3);
	ck_assert(get_double(10) == -10);
}
END_TEST

/* An enabled exception: nothing happens but that the next VFP instruction bounces to the support code. */
static void expect_bounce(u32 insn, u32 fpexc, u32 fpinst)
{
	u32 before[32], was = cpu.s.vfp.fpscr;

	memcpy(before, cpu.s.vfp.s, sizeof before);
	put(CODE, insn);
	put(CODE + 4, 0xe1a01001); /* mov r1, r1 */
	put(CODE + 8, 0xeef10a10); /* fmrx r0, fpscr */
	cpu.s.r[15] = CODE;
	run(3);
	expect_exception(MODE_UND, 4, CODE + 12, MODE_SVC);
	ck_assert(!memcmp(before, cpu.s.vfp.s, sizeof before));
	one(FMRX(FPINST));
	ck_assert_uint_eq(cpu.s.r[0], fpinst);
	one(FMRX(FPEXC));
	ck_assert_uint_eq(cpu.s.r[0], fpexc);
	cpu.s.r[0] = (u32)FPEXC_EN;
	one(FMXR(FPEXC));
	one(FMRX(FPSCR));
	ck_assert_uint_eq(cpu.s.r[0], was);
	at_code(MODE_SVC);
}

enum { OFE = 1 << 10, DZE = 1 << 9, IOE = 1 << 8, UFE = 1 << 11, IXE = 1 << 12 };

START_TEST(traps)
{
	put_single(1, 1);
	put_single(2, 0);
	put_single(3, -1);
	fpscr(DZE | OFE);
	expect_bounce(0xee800a81, 0xc0000700, 0xee800a81); /* fdivs s0, s1, s2 */
	one(0xeeb10ae1); /* fsqrts s0, s3: not enabled */
	ck_assert_uint_eq(cpu.s.vfp.fpscr, DZE | OFE | 1);
	fpscr(IOE);
	expect_bounce(0x1eb10ae1, 0xc0000701, 0xeeb10ae1);
	put_single(1, 3e38f);
	expect_bounce(0xeebd0ae0, 0xc0000701, 0xeebd0ae0); /* ftosizs s0, s1 */
}
END_TEST

/* The third of four elements overflows: two are done, one is left. */
START_TEST(vector_traps)
{
	for (unsigned i = 0; i < 32; i++)
		put_single(i, 2);
	put_single(18, 3e38f);
	fpscr(OFE | 3 << 16);
	put(CODE, 0xee288a0c);     /* fmuls s16, s16, s24 */
	put(CODE + 4, 0xeef10a10); /* fmrx r0, fpscr */
	cpu.s.r[15] = CODE;
	run(2);
	expect_exception(MODE_UND, 4, CODE + 8, MODE_SVC);
	ck_assert(get_single(16) == 4 && get_single(17) == 4 && get_single(18) == 3e38f && get_single(19) == 2);
	ck_assert_uint_eq(cpu.s.vfp.fpexc, 0xc0000004); /* OFC; VECITR 0: one more */
	ck_assert_uint_eq(cpu.s.vfp.fpinst, 0xee299a0d); /* fmuls s18, s18, s26 */
}
END_TEST

START_TEST(inexact_trap)
{
	fpscr(IXE);
	put_single(1, 2);
	one(0xee300aa0); /* fadds s0, s1, s1: exact, but the hardware does not try */
	expect_exception(MODE_UND, 4, CODE + 4, MODE_SVC);
	ck_assert_uint_eq(cpu.s.vfp.fpexc, FPEXC_EN);
	at_code(MODE_SVC);
	one(0xeeb00a60); /* fcpys s0, s1: no arithmetic */
	ck_assert(get_single(0) == 2);
}
END_TEST

START_TEST(underflow_trap)
{
	cpu.s.vfp.s[1] = 0x00800000;
	put_single(2, 0.5f);
	one(0xee200a81); /* fmuls s0, s1, s2: tiny and exact */
	ck_assert_uint_eq(cpu.s.vfp.s[0], 0x00400000);
	ck_assert_uint_eq(cpu.s.vfp.fpscr, 0);
	fpscr(UFE);
	expect_bounce(0xee200a81, 0xc0000708, 0xee200a81);
}
END_TEST

/* A fault in the middle changes no register. */
START_TEST(load_faults)
{
	for (unsigned i = 0; i < 32; i++)
		cpu.s.vfp.s[i] = i;
	cpu.s.r[1] = ARM_RAM - 8;
	one(0xecb10a04); /* fldmias r1!, {s0-s3} */
	ck_assert_uint_eq(cpu.s.r[15], 0x10);
	ck_assert_uint_eq(cpu.s.r[1], ARM_RAM - 8);
	ck_assert_uint_eq(cpu.s.vfp.s[0], 0);
	ck_assert_uint_eq(cpu.s.vfp.s[1], 1);
	ck_assert_uint_eq(cpu.s.cp15.far, ARM_RAM);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("arm_vfp");
	TCase *t = tcase_create("vfp");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, arm_teardown);
	tcase_add_test(t, absent);
	tcase_add_test(t, enabling);
	tcase_add_test(t, status);
	tcase_add_test(t, vector_of_singles);
	tcase_add_test(t, vector_of_doubles);
	tcase_add_test(t, traps);
	tcase_add_test(t, vector_traps);
	tcase_add_test(t, inexact_trap);
	tcase_add_test(t, underflow_trap);
	tcase_add_test(t, load_faults);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
