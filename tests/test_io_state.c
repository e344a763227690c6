/*
 * Port I/O with its permissions, strings and breakpoints; saving and restoring extended state; system management mode.
 * For each refusal the rule that names it. APM2 ch. 10, 11, 12.2.5; APM3 IN, INS; APM4 FXSAVE, XSAVE.
 */
#include "cpu_x86/system.h"

#include "cpu_fixture.h"

#define FXSAVE_RBX  0x0f, 0xae, 0x03
#define FXRSTOR_RBX 0x0f, 0xae, 0x0b
#define XSAVE_RBX   0x0f, 0xae, 0x23
#define XRSTOR_RBX  0x0f, 0xae, 0x2b
#define XSAVEC_RBX  0x0f, 0xc7, 0x23

/* ---- a device at ports 100h-107h ---- */

static u8 port[8];
static unsigned port_reads, port_writes;

static u64 port_read(void *dev, u64 off, unsigned size)
{
	(void)dev;
	port_reads++;
	return load_le(port + off, size);
}
static void port_write(void *dev, u64 off, unsigned size, u64 val)
{
	(void)dev;
	port_writes++;
	store_le(port + off, size, val);
}
static const struct region_ops port_ops = {.name = "port", .read = port_read, .write = port_write, .min = 1, .max = 4};

static void setup(void)
{
	cpu_setup();
	ck_assert_ptr_nonnull(space_add_device(&io, 0x100, 8, &port_ops, NULL));
	memcpy(port, "\x11\x22\x33\x44\x55\x66\x77\x88", 8);
	port_reads = port_writes = 0;
}
static void teardown(void) { cpu_teardown(); }

/* ---- ports ---- */

START_TEST(in_out)
{
	long_mode(0, true);
	c->r[R_DX] = 0x101;
	c->r[R_AX] = ~0ull;
	RUN(0xec);
	ck_assert_uint_eq(c->r[R_AX], 0xffffffffffffff22);
	RUN(0x66, 0xed);
	ck_assert_uint_eq(c->r[R_AX], 0xffffffffffff3322);
	RUN(0xed);
	quiet();
	ck_assert_uint_eq(c->r[R_AX], 0x55443322);
	c->r[R_AX] = 0xaabbccdd;
	RUN(0xef);
	ck_assert_mem_eq(port, "\x11\xdd\xcc\xbb\xaa\x66\x77\x88", 8);
	RUN(0xe4, 0xf0); /* nobody there */
	ck_assert_uint_eq(c->r[R_AX] & 0xff, 0xff);
}
END_TEST

static void bitmap(u16 at, u16 n, bool deny)
{
	u64 b = TSS1 + at + n / 8;

	poke(TSS1 + 0x66, 2, at);
	poke(b, 1, (peek(b, 1) & ~BIT(n & 7)) | (u64)deny << (n & 7));
}

START_TEST(io_permissions)
{
	protected32(3);
	bitmap(0x68, 0, false);
	c->r[R_DX] = 0x101;
	RUN(0xec); /* the TSS ends before the bitmap */
	raised(VEC_GP, 0, RULE_GP_IO_TSS);
	protected32(3);
	c->seg[SEG_TR].limit = 0x2fff;
	bitmap(0x80, 0x101, false);
	RUN(0xec);
	quiet();
	bitmap(0x80, 0x102, true);
	RUN(0xec);
	quiet();
	RUN(0x66, 0xed); /* two ports, the second denied */
	raised(VEC_GP, 0, RULE_GP_IO_BITMAP);
	protected32(3);
	c->flags |= FLAG_IOPL;
	c->seg[SEG_TR].limit = 0x67;
	RUN(0xec);
	quiet();
	virtual86(3); /* the bitmap counts whatever IOPL is */
	c->r[R_DX] = 0x101;
	RUN(0xec);
	raised(VEC_GP, 0, RULE_GP_IO_TSS);
	long_mode(3, true);
	c->r[R_DX] = 0x101;
	c->seg[SEG_TR].limit = 0x80 + 0x101 / 8; /* the second byte of the bitmap lies outside */
	bitmap(0x80, 0x101, false);
	RUN(0xec);
	raised(VEC_GP, 0, RULE_GP_IO_TSS);
}
END_TEST

START_TEST(io_breakpoint)
{
	protected32(0);
	c->cr4 = CR4_DE;
	c->dr[0] = 0x103;
	c->dr[7] = DR7_FIXED | 1 | 2 << 16;
	x86_state_changed(c);
	c->r[R_DX] = 0x102;
	RUN(0xec);
	quiet();
	RUN(0x66, 0xed);
	x86_run(c, 1);
	raised(VEC_DB, NO_ERROR, RULE_DB_TRAP);
	ck_assert(c->dr[6] & 1);
}
END_TEST

/* Runs until rIP has left the instruction: REP comes back to it. */
static void finish(unsigned len)
{
	for (unsigned i = 0; i < 100 && c->rip == CODE && !exceptions; i++)
		x86_run(c, 1);
	if (!exceptions)
		ck_assert_uint_eq(c->rip, CODE + len);
}

START_TEST(string_io_rep)
{
	protected32(0);
	c->r[R_DX] = 0x100;
	c->r[R_DI] = DATA;
	c->r[R_CX] = 5;
	RUN(0xf3, 0x6c);
	ck_assert_uint_eq(c->r[R_CX], 4); /* a budget of one instruction is one element */
	ck_assert_uint_eq(c->rip, CODE);
	finish(2);
	quiet();
	ck_assert_uint_eq(peek(DATA, 8), 0x1111111111);
	ck_assert_uint_eq(c->r[R_DI], DATA + 5);
	ck_assert_uint_eq(port_reads, 5);
	poke(DATA, 4, 0x04030201);
	c->r[R_SI] = DATA + 2;
	c->r[R_CX] = 2;
	c->flags |= FLAG_DF;
	RUN(0xf3, 0x66, 0x6f); /* rep outsw, downwards */
	finish(3);
	ck_assert_uint_eq(c->r[R_SI], DATA - 2);
	ck_assert_uint_eq(port_writes, 2);
	ck_assert_mem_eq(port, "\x01\x02", 2);
	port_reads = 0;
	c->r[R_CX] = 0;
	RUN(0xf3, 0x6c);
	ck_assert_uint_eq(port_reads, 0);
	ck_assert_uint_eq(c->rip, CODE + 2);
}
END_TEST

/* In one go or stepped: the same time passes. */
START_TEST(string_io_takes_the_same_time)
{
	u64 start = sched.now;

	protected32(0);
	c->r[R_DX] = 0x100;
	c->r[R_DI] = DATA;
	c->r[R_CX] = 1000;
	poke(CODE, 2, 0x6cf3);
	poke(CODE + 2, 1, 0xf4);
	c->rip = CODE;
	x86_run(c, 100000);
	ck_assert_uint_eq(c->activity, ACT_HALT);
	ck_assert_uint_eq(sched.now - start, 1001);
	ck_assert_uint_eq(c->retired, sched.now - start);
}
END_TEST

START_TEST(string_io_faults)
{
	long_mode(0, true);
	c->r[R_DX] = 0x100;
	c->r[R_DI] = 0x40000000;
	RUN(0x6c);
	ck_assert_uint_eq(last.a & 0xff, VEC_PF);
	ck_assert_uint_eq(last.b, 2);
	ck_assert_uint_eq(port_reads, 0); /* memory first */
}
END_TEST

/* ---- x87, SSE, XSAVE ---- */

static void fill_fpu(void)
{
	c->fpu.fcw = 0x27f;
	c->fpu.fsw = 0x3800;
	c->fpu.ftw = 0x80;
	c->fpu.fop = 0x123;
	c->fpu.fip = 0x123456789a;
	c->fpu.fdp = 0xabcdef0123;
	c->fpu.mxcsr = 0x1fa0;
	for (unsigned i = 0; i < 8; i++)
		memset(c->fpu.st[i], (int)(0x10 + i), 10);
	for (unsigned i = 0; i < 16; i++)
		memset(c->fpu.ymm[i], (int)(0x40 + i), 16);
}

START_TEST(fxsave_fxrstor)
{
	struct x86_fpu before;

	long_mode(3, true);
	c->cr4 |= CR4_OSFXSR;
	fill_fpu();
	before = c->fpu;
	c->r[R_BX] = DATA;
	RUN(0x48, FXSAVE_RBX);
	quiet();
	ck_assert_uint_eq(peek(DATA, 8), 0x012300803800027f);
	ck_assert_uint_eq(peek(DATA + 8, 8), 0x123456789a);
	ck_assert_uint_eq(peek(DATA + 24, 8), 0x2ffff00001fa0);
	ck_assert_uint_eq(peek(DATA + 32 + 16, 8), 0x1111111111111111);
	ck_assert_uint_eq(peek(DATA + 32 + 24, 8), 0x1111);
	ck_assert_uint_eq(peek(DATA + 160 + 15 * 16, 8), 0x4f4f4f4f4f4f4f4f);
	x86_fpu_init(c, true);
	RUN(0x48, FXRSTOR_RBX);
	quiet();
	ck_assert_mem_eq(&c->fpu, &before, sizeof before);
	RUN(FXSAVE_RBX);
	ck_assert_uint_eq(peek(DATA + 8, 8), 0x3456789a); /* 32-bit pointers */
	poke(DATA + 24, 4, 0x10000);
	RUN(FXRSTOR_RBX);
	raised(VEC_GP, 0, RULE_GP_MXCSR);
	long_mode(3, true);
	c->r[R_BX] = DATA + 8;
	RUN(FXSAVE_RBX);
	raised(VEC_GP, 0, RULE_GP_FX_ALIGN);
	long_mode(3, true);
	c->cr0 |= CR0_EM;
	RUN(FXSAVE_RBX);
	raised(VEC_NM, NO_ERROR, RULE_NM_EM_TS);
}
END_TEST

START_TEST(ffxsr_leaves_xmm_out)
{
	long_mode(0, true);
	c->cr4 |= CR4_OSFXSR;
	c->efer |= EFER_FFXSR;
	fill_fpu();
	c->r[R_BX] = DATA;
	RUN(FXSAVE_RBX);
	quiet();
	ck_assert_uint_eq(peek(DATA + 160, 8), 0);
	ck_assert_uint_eq(peek(DATA + 24, 4), 0x1fa0);
}
END_TEST

START_TEST(xsave_xrstor)
{
	struct x86_fpu before;

	long_mode(0, true);
	RUN(XSAVE_RBX);
	raised(VEC_UD, NO_ERROR, RULE_UD_OSXSAVE);
	long_mode(0, true);
	c->cr4 |= CR4_OSFXSR | CR4_OSXSAVE;
	c->r[R_AX] = 3;
	c->r[R_CX] = c->r[R_DX] = 0;
	RUN(0x0f, 0x01, 0xd1); /* xsetbv */
	quiet();
	ck_assert_uint_eq(c->xcr0, 3);
	fill_fpu();
	before = c->fpu;
	c->r[R_BX] = DATA;
	RUN(0x48, XSAVE_RBX);
	quiet();
	ck_assert_uint_eq(peek(DATA + 512, 8), 3);
	ck_assert_uint_eq(peek(DATA + 520, 8), 0);
	x86_fpu_init(c, true);
	c->xcr0 = 3;
	RUN(0x48, XRSTOR_RBX);
	quiet();
	ck_assert_mem_eq(&c->fpu, &before, sizeof before);
	poke(DATA + 512, 8, 1); /* SSE in its initial state; MXCSR comes from memory */
	RUN(0x48, XRSTOR_RBX);
	ck_assert_uint_eq(c->fpu.ymm[0][0], 0);
	ck_assert_uint_eq(c->fpu.mxcsr, 0x1fa0);
	ck_assert_uint_eq(c->fpu.fcw, 0x27f);
	RUN(0x48, XSAVEC_RBX);
	quiet();
	ck_assert_uint_eq(peek(DATA + 512, 8), 3); /* MXCSR is not 1F80h */
	ck_assert_uint_eq(peek(DATA + 520, 8), BIT(63) | 3);
	poke(DATA + 512, 8, 4);
	RUN(XRSTOR_RBX);
	raised(VEC_GP, 0, RULE_GP_XRSTOR_HEADER);
	poke(DATA + 512, 8, 3);
	before = c->fpu;
	RUN(0x48, 0x0f, 0xc7, 0x2b); /* XSAVES64 [rbx] */
	x86_fpu_init(c, true);
	c->xcr0 = 3;
	RUN(0x48, 0x0f, 0xc7, 0x1b); /* XRSTORS64 [rbx] */
	quiet();
	ck_assert_mem_eq(&c->fpu, &before, sizeof before);
	poke(DATA + 520, 8, 0); /* it takes the compacted form only */
	RUN(0x48, 0x0f, 0xc7, 0x1b);
	raised(VEC_GP, 0, RULE_GP_XRSTOR_HEADER);
}
END_TEST

START_TEST(xsave_refusals)
{
	long_mode(0, true);
	c->cr4 |= CR4_OSXSAVE;
	c->r[R_AX] = 2;
	c->r[R_CX] = c->r[R_DX] = 0;
	RUN(0x0f, 0x01, 0xd1);
	raised(VEC_GP, 0, RULE_GP_XCR0_VALUE);
	long_mode(0, true);
	c->cr4 |= CR4_OSXSAVE;
	c->r[R_CX] = 2;
	RUN(0x0f, 0x01, 0xd0); /* xgetbv */
	raised(VEC_GP, 0, RULE_GP_XCR_NUMBER);
	long_mode(3, true);
	c->cr4 |= CR4_OSXSAVE;
	c->r[R_CX] = 0;
	RUN(0x0f, 0x01, 0xd1);
	raised(VEC_GP, 0, RULE_GP_CPL);
	long_mode(3, true);
	c->cr4 |= CR4_OSXSAVE;
	c->r[R_BX] = DATA + 16;
	RUN(XSAVE_RBX);
	raised(VEC_GP, 0, RULE_GP_XSAVE_ALIGN);
	long_mode(3, true);
	c->cr4 |= CR4_OSXSAVE;
	c->cr0 |= CR0_TS;
	RUN(XSAVE_RBX);
	raised(VEC_NM, NO_ERROR, RULE_NM_TS);
	long_mode(3, true);
	c->cr4 |= CR4_OSXSAVE;
	c->cr0 &= ~CR0_TS;
	c->r[R_BX] = DATA;
	RUN(0x0f, 0xc7, 0x2b); /* xsaves */
	raised(VEC_GP, 0, RULE_GP_CPL);
}
END_TEST

START_TEST(fninit_and_wait)
{
	long_mode(0, true);
	fill_fpu();
	RUN(0xdb, 0xe3);
	quiet();
	ck_assert_uint_eq(c->fpu.fcw, 0x37f);
	ck_assert_uint_eq(c->fpu.ftw, 0);
	c->cr0 |= CR0_TS;
	RUN(0x9b);
	quiet();
	c->cr0 |= CR0_MP;
	RUN(0x9b);
	raised(VEC_NM, NO_ERROR, RULE_NM_WAIT);
	long_mode(0, true);
	c->cr0 |= CR0_NE;
	c->fpu.fsw = 0x81;
	RUN(0x9b);
	raised(VEC_MF, NO_ERROR, RULE_MF_PENDING);
}
END_TEST

/* ---- SMM ---- */

static u64 smm_state(unsigned off, unsigned size) { return peek(0x30000 + off, size); }

START_TEST(smi_and_rsm)
{
	struct x86_seg cs;
	u64 regs[16], cr3;

	long_mode(0, true);
	for (unsigned r = 0; r < 16; r++)
		c->r[r] = 0x1111111111111111ull * (r & 15) + r;
	memcpy(regs, c->r, sizeof regs);
	cs = c->seg[SEG_CS];
	cr3 = c->cr3;
	x86_set_flags(c, FLAG_IF | FLAG_CF, FLAG_IF | FLAG_CF);
	c->rip = CODE;
	poke(0x38000, 2, 0xaa0f); /* rsm */
	x86_smi(c);
	ck_assert(c->smm);
	ck_assert_uint_eq(c->seg[SEG_CS].base + c->rip, 0x38000);
	ck_assert_uint_eq(c->mode & (MODE_SIZE | MODE_PE | MODE_LONG), MODE_16);
	ck_assert_uint_eq(x86_get_flags(c), FLAG_1);
	ck_assert_uint_eq(c->efer | c->cr4, 0);
	ck_assert(c->nmi_masked);
	ck_assert_uint_eq(smm_state(0xfefc, 4), 0x30064);
	ck_assert_uint_eq(smm_state(0xff78, 8), CODE);
	ck_assert_uint_eq(smm_state(0xfff8, 8), regs[R_AX]);
	ck_assert_uint_eq(smm_state(0xfff0, 8), regs[R_CX]);
	ck_assert_uint_eq(smm_state(0xff80, 8), regs[15]);
	ck_assert_uint_eq(smm_state(0xff50, 8), cr3);
	ck_assert_uint_eq(smm_state(0xfe12, 2), cs.attr);
	ck_assert_uint_eq(smm_state(0xfed0, 8) & 0xffff, EFER_LME | EFER_LMA | EFER_SCE);
	poke(0x3ff00, 4, 0xa0000); /* move SMBASE */
	exceptions = 0;
	x86_run(c, 1);
	quiet();
	ck_assert(!c->smm && !c->nmi_masked);
	ck_assert_uint_eq(c->rip, CODE);
	ck_assert_mem_eq(c->r, regs, sizeof regs);
	ck_assert_mem_eq(&c->seg[SEG_CS], &cs, sizeof cs);
	ck_assert(x86_long64(c));
	ck_assert_uint_eq(x86_get_flags(c), FLAG_IF | FLAG_CF | FLAG_1);
	ck_assert_uint_eq(c->msr.smbase, 0xa0000);
	ck_assert_uint_eq(c->tlb.env.p.levels, 4);
}
END_TEST

START_TEST(rsm_refusals)
{
	long_mode(0, true);
	RUN(0x0f, 0xaa);
	raised(VEC_UD, NO_ERROR, RULE_UD_RSM);
	long_mode(0, true);
	c->rip = CODE;
	poke(0x38000, 2, 0xaa0f);
	x86_smi(c);
	poke(0x3ff48, 8, BIT(40)); /* CR4 */
	ck_assert_int_eq(x86_run(c, 1), X86_STOP_SHUTDOWN);
	ck_assert_ptr_nonnull(strstr(c->stop_text, "CR4"));
}
END_TEST

START_TEST(smi_out_of_halt)
{
	long_mode(0, true);
	c->activity = ACT_HALT;
	c->rip = CODE;
	x86_smi(c);
	ck_assert_uint_eq(c->activity, ACT_RUN);
	ck_assert_uint_eq(smm_state(0xfec9, 1), 1);
	poke(0x38000, 2, 0xaa0f);
	x86_run(c, 1);
	ck_assert_uint_eq(c->activity, ACT_HALT);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("port I/O, extended state, SMM");
	TCase *t = tcase_create("one at a time");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, in_out);
	tcase_add_test(t, io_permissions);
	tcase_add_test(t, io_breakpoint);
	tcase_add_test(t, string_io_rep);
	tcase_add_test(t, string_io_takes_the_same_time);
	tcase_add_test(t, string_io_faults);
	tcase_add_test(t, fxsave_fxrstor);
	tcase_add_test(t, ffxsr_leaves_xmm_out);
	tcase_add_test(t, xsave_xrstor);
	tcase_add_test(t, xsave_refusals);
	tcase_add_test(t, fninit_and_wait);
	tcase_add_test(t, smi_and_rsm);
	tcase_add_test(t, rsm_refusals);
	tcase_add_test(t, smi_out_of_halt);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
