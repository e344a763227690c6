/*
 * What the native oracle cannot see of the x87: FNSTENV, FLDENV, FNSAVE and FRSTOR in real and virtual-8086 mode, selectors, AMD's rules for the
 * pointers, FERR and IGNNE, and that the host's FPU is left as it was. APM2 11.4; APM1 6.9.
 */
#include "cpu_x86/fpu.h"
#include "cpu_x86/system.h"

#include "cpu_fixture.h"

static void setup(void) { cpu_setup(); }
static void teardown(void) { cpu_teardown(); }

/* Run n instructions, given as bytes, at CODE. */
static void run_n(unsigned n, const u8 *b, size_t size)
{
	for (size_t i = 0; i < size; i++)
		poke(CODE + i, 1, b[i]);
	c->rip = x86_long64(c) ? CODE : CODE - c->seg[SEG_CS].base;
	exceptions = 0;
	x86_run(c, n);
}
#define RUN_N(n, ...) run_n(n, (const u8[]){__VA_ARGS__}, sizeof((const u8[]){__VA_ARGS__}))

/* DS:BX in any mode is DATA. */
static void data_at_bx(void)
{
	c->r[R_BX] = DATA;
	if (!x86_protected(c)) {
		c->seg[SEG_DS].sel = DATA >> 4;
		c->seg[SEG_DS].base = DATA;
		c->r[R_BX] = 0;
		x86_state_changed(c);
	}
}

static void some_state(void)
{
	c->fpu.fcw = 0x37f;
	c->fpu.fsw = 0x3041; /* TOP = 6 */
	c->fpu.ftw = 0xc0;   /* registers 6 and 7: ST(0) = 1.0, ST(1) = 0 */
	for (unsigned i = 0; i < 8; i++)
		memset(c->fpu.st[i], 0, 16);
	store_le(c->fpu.st[0], 8, BIT(63));
	store_le(c->fpu.st[0] + 8, 2, 0x3fff);
	c->fpu.fip = 0x12345;
	c->fpu.fcs = 0x1000;
	c->fpu.fdp = 0x54321;
	c->fpu.fds = 0x2000;
	c->fpu.fop = 0x3aa;
}

enum { TAGS = 0x4fff }; /* register 7 is zero, 6 valid, the others empty */

/* The seven fields as 32- or 16-bit words at DATA. APM2 figures 11-7 to 11-10 */
static void check_fields(unsigned size, const u32 want[7])
{
	for (unsigned i = 0; i < 7; i++)
		ck_assert_uint_eq(peek(DATA + i * size, size), want[i]);
}

static const u32 protected_32[7] = {0xffff037f, 0xffff3041, 0xffff0000 | TAGS, 0x12345, 0x03aa1000, 0x54321, 0xffff2000};
static const u32 protected_16[7] = {0x37f, 0x3041, TAGS, 0x2345, 0x1000, 0x4321, 0x2000};
/* Linear: 1000h * 16 + 12345h = 22345h, 2000h * 16 + 54321h = 74321h. */
static const u32 real_32[7] = {0xffff037f, 0xffff3041, 0xffff0000 | TAGS, 0xffff2345, 0x23aa, 0xffff4321, 0x7000};
static const u32 real_16[7] = {0x37f, 0x3041, TAGS, 0x2345, 0x23aa, 0x4321, 0x7000};

#define FNSTENV_BX 0xd9, 0x33
#define FLDENV_BX  0xd9, 0x23
#define FNSAVE_BX  0xdd, 0x33
#define FRSTOR_BX  0xdd, 0x23

static void mode(unsigned i)
{
	if (i == 0)
		protected32(0);
	else if (i == 1)
		real_mode();
	else
		virtual86(3);
	data_at_bx();
}

START_TEST(environments)
{
	/* FNSTENV with its operand size, by mode; 67h makes rBX the address in 16-bit code too. */
	mode((unsigned)_i);
	some_state();
	if (_i == 0) {
		RUN(FNSTENV_BX);
		check_fields(4, protected_32);
		some_state();
		RUN(0x66, FNSTENV_BX);
		check_fields(2, protected_16);
		ck_assert_uint_eq(peek(DATA + 14, 2), 1); /* of the longer image: FIP's upper half */
	} else {
		RUN(0x66, 0x67, FNSTENV_BX);
		check_fields(4, real_32);
		some_state();
		RUN(0x67, FNSTENV_BX);
		check_fields(2, real_16);
	}
	quiet();
	ck_assert_uint_eq(c->fpu.fcw & 0x3f, 0x3f);
}
END_TEST

START_TEST(environments_come_back)
{
	struct x86_fpu before;

	mode((unsigned)_i);
	some_state();
	before = c->fpu;
	if (_i == 0)
		RUN(FNSAVE_BX);
	else
		RUN(0x66, 0x67, FNSAVE_BX);
	quiet();
	ck_assert_uint_eq(c->fpu.fcw, 0x37f);
	ck_assert_uint_eq(c->fpu.fsw, 0);
	ck_assert_uint_eq(c->fpu.ftw, 0);
	ck_assert_uint_eq(peek(DATA + 28, 8), BIT(63));
	ck_assert_uint_eq(peek(DATA + 36, 2), 0x3fff);
	if (_i == 0)
		RUN(FRSTOR_BX);
	else
		RUN(0x66, 0x67, FRSTOR_BX);
	quiet();
	ck_assert_uint_eq(c->fpu.fsw, before.fsw);
	ck_assert_uint_eq(c->fpu.ftw, before.ftw);
	ck_assert_mem_eq(c->fpu.st, before.st, sizeof before.st);
	ck_assert_uint_eq(c->fpu.fop, 0x3aa);
	ck_assert_uint_eq(c->fpu.fip, _i == 0 ? 0x12345 : 0x22345);
	ck_assert_uint_eq(c->fpu.fcs, _i == 0 ? 0x1000 : 0);
	ck_assert_uint_eq(c->fpu.fdp, _i == 0 ? 0x54321 : 0x74321);
	ck_assert_uint_eq(c->fpu.fds, _i == 0 ? 0x2000 : 0);
}
END_TEST

/* FLDENV turns no register: what was ST(0) is ST(i) by the new TOP. */
START_TEST(fldenv_keeps_the_registers)
{
	protected32(0);
	data_at_bx();
	some_state();
	RUN(FNSTENV_BX);
	poke(DATA + 4, 2, 0x2000); /* TOP = 4 */
	RUN(FLDENV_BX);
	quiet();
	ck_assert_uint_eq(load_le(c->fpu.st[2], 8), BIT(63));
	ck_assert_uint_eq(load_le(c->fpu.st[0], 8), 0);
}
END_TEST

START_TEST(pointers_of_the_last_instruction)
{
	protected32(0);
	x86_fpu_init(c, false);
	poke(DATA, 4, 0x3f800000);
	RUN_N(2, 0x90, 0xd9, 0x05, IMM32(DATA)); /* NOP; FLD m32 */
	ck_assert_uint_eq(c->fpu.fip, CODE + 1);
	ck_assert_uint_eq(c->fpu.fcs, C32);
	ck_assert_uint_eq(c->fpu.fdp, DATA);
	ck_assert_uint_eq(c->fpu.fds, D32);
	ck_assert_uint_eq(c->fpu.fop, 0x105);
	RUN_N(3, 0xd9, 0xe0, 0x36, 0xd9, 0xe8, 0xd9, 0x3b); /* FCHS; SS: FLD1; FNSTCW, which is not counted */
	ck_assert_uint_eq(c->fpu.fip, CODE + 2);
	ck_assert_uint_eq(c->fpu.fop, 0x1e8);
	ck_assert_uint_eq(c->fpu.fdp, DATA);
	/* Out of line, with unmasked exceptions, too. */
	c->fpu.fcw = 0x300;
	RUN_N(1, 0xd9, 0x1d, IMM32(DATA + 4)); /* FSTP m32 */
	ck_assert_uint_eq(c->fpu.fop, 0x11d);
	ck_assert_uint_eq(c->fpu.fdp, DATA + 4);
	ck_assert_uint_eq(peek(DATA + 4, 4), 0x3f800000);
}
END_TEST

/* Without RstrFpErrPtrs, FXSAVE and FXRSTOR move the pointers only while an unmasked exception is pending. */
START_TEST(pointers_without_rstrfperrptrs)
{
	protected32(0);
	data_at_bx();
	c->cr4 |= CR4_OSFXSR;
	some_state();
	poke(DATA + 8, 8, 0x1111111111111111);
	RUN(0x0f, 0xae, 0x03);
	ck_assert_uint_eq(peek(DATA + 8, 8), 0x100000012345);
	model.has[X86_F_XSAVEERPTR] = 0;
	poke(DATA + 6, 2, 0x2222);
	poke(DATA + 8, 8, 0x1111111111111111);
	RUN(0x0f, 0xae, 0x03);
	ck_assert_uint_eq(peek(DATA + 6, 2), 0x2222);
	ck_assert_uint_eq(peek(DATA + 8, 8), 0x1111111111111111);
	RUN(0x0f, 0xae, 0x0b);
	ck_assert_uint_eq(c->fpu.fip, 0x12345);
	c->fpu.fcw = 0x37e; /* IE is set and unmasked now */
	c->fpu.fsw |= 0x8080;
	RUN(0x0f, 0xae, 0x03);
	ck_assert_uint_eq(peek(DATA + 8, 8), 0x100000012345);
	poke(DATA + 8, 4, 0x777);
	RUN(0x0f, 0xae, 0x0b);
	ck_assert_uint_eq(c->fpu.fip, 0x777);
}
END_TEST

static unsigned ferr_raised;
static void hear_ferr(void *arg, bool level)
{
	(void)arg;
	ferr_raised += level;
}

START_TEST(ferr_and_ignne)
{
	protected32(0);
	c->board.ferr = hear_ferr;
	ferr_raised = 0;
	some_state();
	c->fpu.fcw = 0x37e;
	c->fpu.fsw |= 0x8080;
	RUN(0x9b); /* WAIT stays where it is until an interrupt comes. */
	quiet();
	ck_assert_uint_eq(ferr_raised, 1);
	ck_assert_uint_eq(c->activity, ACT_HALT);
	ck_assert_uint_eq(c->rip, CODE);
	c->activity = ACT_RUN;
	x86_ignne(c);
	RUN_N(2, 0x9b, 0xd9, 0xe8); /* WAIT; FLD1 */
	quiet();
	ck_assert_uint_eq(ferr_raised, 1);
	ck_assert_uint_eq(c->activity, ACT_RUN);
	ck_assert_uint_eq(c->rip, CODE + 3);
	ck_assert_uint_eq(fpu_top(&c->fpu), 5);
	ck_assert_uint_eq(c->fpu.fsw & 0x8081, 0x8081);
	RUN(0xdb, 0xe2); /* FNCLEX */
	ck_assert_uint_eq(c->fpu.ignne, 0);
	c->cr0 |= CR0_NE;
	c->fpu.fsw |= 0x8081;
	RUN(0x9b);
	raised(VEC_MF, NO_ERROR, RULE_MF_PENDING);
}
END_TEST

/* Cut into slices, x87 code ends in the same state; the host's FPU is empty and has its usual control word between them. */
START_TEST(slices)
{
	static const u8 bytes[] = {0xd9, 0xeb, 0xd9, 0xed, 0xd8, 0xc9, 0xd9, 0xfe, 0xd9, 0xe8, 0xde, 0xc1, 0xd9, 0xfa, 0xdf, 0xe0};
	struct x86_fpu whole;
	struct fpu_image host;
	u64 ax;

	protected32(0);
	x86_fpu_init(c, false);
	run_n(8, bytes, sizeof bytes);
	whole = c->fpu;
	ax = c->r[R_AX];
	ck_assert_uint_eq(c->rip, CODE + sizeof bytes);
	ck_assert_uint_eq(fpu_top(&whole), 6);
	c->r[R_AX] = 0;
	x86_fpu_init(c, false);
	for (unsigned i = 0; i < 8; i++) {
		if (i == 0)
			run_n(1, bytes, sizeof bytes);
		else
			x86_run(c, 1);
		__asm__ volatile("fnsave %0" : "=m"(host));
		ck_assert_uint_eq(host.fcw, 0x37f);
		ck_assert_uint_eq(host.ftw, 0xffff);
	}
	ck_assert_mem_eq(&c->fpu, &whole, sizeof whole);
	ck_assert_uint_eq(c->r[R_AX], ax);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("x87");
	TCase *t = tcase_create("one at a time");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, environments, 0, 3);
	tcase_add_loop_test(t, environments_come_back, 0, 3);
	tcase_add_test(t, fldenv_keeps_the_registers);
	tcase_add_test(t, pointers_of_the_last_instruction);
	tcase_add_test(t, pointers_without_rstrfperrptrs);
	tcase_add_test(t, ferr_and_ignne);
	tcase_add_test(t, slices);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
