/*
 * System instructions, one at a time: control and debug registers, MSRs, counters, bases, MONITOR, caches. For each
 * refusal the rule that names it. APM2 ch. 3, 5, 13; APM3.
 */
#include "cpu_x86/system.h"

#include "cpu_fixture.h"

#define MOV_CR0_RAX   0x0f, 0x22, 0xc0
#define MOV_CR3_RAX   0x0f, 0x22, 0xd8
#define MOV_CR4_RAX   0x0f, 0x22, 0xe0
#define MOV_CR8_RAX   0x44, 0x0f, 0x22, 0xc0
#define MOV_RAX_CR(n) 0x0f, 0x20, 0xc0 | (n) << 3
#define MOV_DR_RAX(n) 0x0f, 0x23, 0xc0 | (n) << 3
#define MOV_RAX_DR(n) 0x0f, 0x21, 0xc0 | (n) << 3
#define RDMSR         0x0f, 0x32
#define WRMSR         0x0f, 0x30

static u64 tpr;
static u64 tpr_get(void *arg, unsigned cpu)
{
	(void)arg, (void)cpu;
	return tpr;
}
static void tpr_set(void *arg, unsigned cpu, u64 val)
{
	(void)arg, (void)cpu;
	tpr = val;
}

static void setup(void)
{
	cpu_setup();
	c->board.tpr_read = tpr_get;
	c->board.tpr_write = tpr_set;
	tpr = 0;
}
static void teardown(void) { cpu_teardown(); }

/* ---- control registers ---- */

START_TEST(control_read_write)
{
	long_mode(0, true);
	RUN(MOV_RAX_CR(0));
	quiet();
	ck_assert_uint_eq(c->r[R_AX], c->cr0);
	RUN(MOV_RAX_CR(3));
	ck_assert_uint_eq(c->r[R_AX], TABLES);
	c->r[R_AX] = 0x123456789abcdef0;
	RUN(0x0f, 0x22, 0xd0); /* CR2 */
	quiet();
	ck_assert_uint_eq(c->cr2, 0x123456789abcdef0);
	c->r[R_AX] = 5;
	RUN(MOV_CR8_RAX);
	quiet();
	ck_assert_uint_eq(tpr, 5);
	RUN(0x44, 0x0f, 0x20, 0xc3); /* mov rbx, cr8 */
	ck_assert_uint_eq(c->r[R_BX], 5);
	c->r[R_AX] = 16;
	RUN(MOV_CR8_RAX);
	raised(VEC_GP, 0, RULE_GP_CR8_RESERVED);
}
END_TEST

START_TEST(control_refusals)
{
	long_mode(0, true);
	RUN(MOV_RAX_CR(1));
	raised(VEC_UD, NO_ERROR, RULE_UD_CR_NUMBER);
	long_mode(0, true);
	c->r[R_AX] = CR0_PE | CR0_ET;
	RUN(MOV_CR0_RAX);
	raised(VEC_GP, 0, RULE_GP_CR0_PG_64);
	long_mode(0, true);
	c->r[R_AX] = c->cr4 | BIT(13);
	RUN(MOV_CR4_RAX);
	raised(VEC_GP, 0, RULE_GP_CR4_RESERVED);
	long_mode(0, true);
	c->r[R_AX] = 0;
	RUN(MOV_CR4_RAX);
	raised(VEC_GP, 0, RULE_GP_CR4_PAE_LMA);
	long_mode(0, true);
	c->r[R_AX] = BIT(51);
	RUN(MOV_CR3_RAX);
	raised(VEC_GP, 0, RULE_GP_CR3_RESERVED);
	long_mode(3, true);
	RUN(MOV_RAX_CR(0));
	raised(VEC_GP, 0, RULE_GP_CPL);
}
END_TEST

/* The way into long mode: PAE, CR3, LME, PG; and out again. */
START_TEST(long_mode_on_and_off)
{
	struct tables t;

	protected32(0);
	tables_init(&t, &mem, 4, 0, TABLES);
	tables_map(&t, 0, 2, 0, P | W | U | A | D);
	c->r[R_AX] = CR4_PAE;
	RUN(MOV_CR4_RAX);
	c->r[R_AX] = t.root;
	RUN(MOV_CR3_RAX);
	c->r[R_CX] = 0xc0000080;
	c->r[R_AX] = EFER_LME;
	c->r[R_DX] = 0;
	RUN(WRMSR);
	quiet();
	ck_assert_uint_eq(c->efer, EFER_LME);
	c->r[R_AX] = CR0_PE | CR0_PG;
	RUN(MOV_CR0_RAX);
	quiet();
	ck_assert_uint_eq(c->efer, EFER_LME | EFER_LMA);
	ck_assert(c->mode & MODE_LONG);
	ck_assert(!x86_long64(c)); /* compatibility mode until a far jump */
	ck_assert_uint_eq(c->tlb.env.p.levels, 4);
	c->r[R_AX] = CR0_PE;
	RUN(MOV_CR0_RAX);
	quiet();
	ck_assert_uint_eq(c->efer, EFER_LME);
	ck_assert(!(c->mode & MODE_LONG));
}
END_TEST

START_TEST(lmsw_smsw_clts)
{
	protected32(0);
	c->cr0 |= CR0_TS;
	RUN(0x0f, 0x06);
	ck_assert(!(c->cr0 & CR0_TS));
	c->r[R_AX] = 0xfff0 | 8; /* clears PE: ignored */
	RUN(0x0f, 0x01, 0xf0);
	quiet();
	ck_assert_uint_eq(c->cr0, CR0_PE | CR0_ET | CR0_TS);
	poke(DATA, 8, ~0ull);
	c->r[R_BX] = DATA;
	RUN(0x0f, 0x01, 0x23); /* smsw [ebx]: 16 bits */
	ck_assert_uint_eq(peek(DATA, 8), 0xffffffffffff0019);
	RUN(0x0f, 0x01, 0xe0);
	ck_assert_uint_eq(c->r[R_AX], c->cr0);
	protected32(3);
	RUN(0x0f, 0x01, 0xe0); /* allowed without UMIP */
	quiet();
	c->cr4 = CR4_UMIP;
	RUN(0x0f, 0x01, 0xe0);
	raised(VEC_GP, 0, RULE_GP_UMIP);
}
END_TEST

static u64 entry_of(u64 va) { return TABLES + 0x2000 + (va >> 21) * 8; }

/* Stale translations stay until what the manual names. The 2 MB page of DATA moves to 2 MB + DATA. */
START_TEST(tlb_flushes)
{
	long_mode(0, true);
	poke(0x400000, 8, 1);
	poke(0x600000, 8, 2);
	c->r[R_BX] = 0x400000;
	RUN(0x48, 0x8b, 0x03);
	ck_assert_uint_eq(c->r[R_AX], 1);
	poke(entry_of(0x400000), 8, 0x6000e7);
	RUN(0x48, 0x8b, 0x03);
	ck_assert_msg(c->r[R_AX] == 1, "the stale translation is gone");
	RUN(0x0f, 0x01, 0x3b); /* invlpg [rbx] */
	quiet();
	RUN(0x48, 0x8b, 0x03);
	ck_assert_uint_eq(c->r[R_AX], 2);
	poke(entry_of(0x400000), 8, 0x4001e7); /* back, global */
	c->r[R_AX] = c->cr4 | CR4_PGE;
	RUN(MOV_CR4_RAX);
	RUN(0x48, 0x8b, 0x03);
	ck_assert_uint_eq(c->r[R_AX], 1);
	poke(entry_of(0x400000), 8, 0x6001e7);
	c->r[R_AX] = c->cr3;
	RUN(MOV_CR3_RAX);
	RUN(0x48, 0x8b, 0x03);
	ck_assert_msg(c->r[R_AX] == 1, "MOV CR3 keeps global pages");
	c->r[R_AX] = c->cr4 & ~CR4_PGE;
	RUN(MOV_CR4_RAX);
	RUN(0x48, 0x8b, 0x03);
	ck_assert_uint_eq(c->r[R_AX], 2);
}
END_TEST

START_TEST(invpcid)
{
	long_mode(0, true);
	c->r[R_BX] = DATA;
	poke(DATA, 8, 0);
	poke(DATA + 8, 8, 0x400000);
	for (u64 type = 0; type < 4; type++) {
		c->r[R_AX] = type;
		RUN(0x66, 0x0f, 0x38, 0x82, 0x03);
		quiet();
	}
	c->r[R_AX] = 4;
	RUN(0x66, 0x0f, 0x38, 0x82, 0x03);
	raised(VEC_GP, 0, RULE_GP_INVPCID_TYPE);
	long_mode(0, true);
	c->r[R_AX] = 0;
	poke(DATA, 8, 1);
	RUN(0x66, 0x0f, 0x38, 0x82, 0x03);
	raised(VEC_GP, 0, RULE_GP_INVPCID_PCID);
	long_mode(0, true);
	poke(DATA, 8, 0x1000);
	RUN(0x66, 0x0f, 0x38, 0x82, 0x03);
	raised(VEC_GP, 0, RULE_GP_INVPCID_RESERVED);
	long_mode(0, true);
	poke(DATA, 8, 0);
	poke(DATA + 8, 8, BIT(60));
	RUN(0x66, 0x0f, 0x38, 0x82, 0x03);
	raised(VEC_GP, 0, RULE_GP_INVPCID_CANON);
}
END_TEST

/* ---- debug registers ---- */

START_TEST(debug_registers)
{
	long_mode(0, true);
	c->r[R_AX] = 0x123456789a;
	RUN(MOV_DR_RAX(0));
	quiet();
	RUN(0x0f, 0x21, 0xc3); /* mov rbx, dr0 */
	ck_assert_uint_eq(c->r[R_BX], 0x123456789a);
	c->r[R_AX] = 0;
	RUN(MOV_DR_RAX(6));
	RUN(MOV_RAX_DR(4)); /* an alias of DR6 */
	quiet();
	ck_assert_uint_eq(c->r[R_AX], DR6_FIXED);
	c->cr4 |= CR4_DE;
	RUN(MOV_RAX_DR(4));
	raised(VEC_UD, NO_ERROR, RULE_UD_DR45_DE);
	long_mode(0, true);
	c->r[R_AX] = BIT(32);
	RUN(MOV_DR_RAX(7));
	raised(VEC_GP, 0, RULE_GP_DR_HIGH);
	long_mode(0, true);
	c->r[R_AX] = DR7_GD;
	RUN(MOV_DR_RAX(7));
	RUN(MOV_RAX_DR(0));
	raised(VEC_DB, NO_ERROR, RULE_DB_GENERAL_DETECT);
	ck_assert(c->dr[6] & DR6_BD);
	ck_assert(!(c->dr[7] & DR7_GD));
}
END_TEST

/* ---- MSRs ---- */

START_TEST(msr_instructions)
{
	long_mode(0, true);
	c->r[R_CX] = 0xc0000100;
	c->r[R_AX] = 0xffffffff00001000;
	c->r[R_DX] = 0xdead00000001;
	RUN(WRMSR);
	quiet();
	ck_assert_uint_eq(c->seg[SEG_FS].base, 0x100001000);
	ck_assert_uint_eq(c->sbase[SEG_FS], 0x100001000);
	RUN(RDMSR);
	ck_assert_uint_eq(c->r[R_AX], 0x1000);
	ck_assert_uint_eq(c->r[R_DX], 1);
	c->r[R_CX] = 0x4242;
	RUN(RDMSR);
	raised(VEC_GP, 0, RULE_GP_MSR_UNKNOWN);
	long_mode(3, true);
	RUN(RDMSR);
	raised(VEC_GP, 0, RULE_GP_CPL);
}
END_TEST

START_TEST(time_stamps)
{
	u64 first;

	long_mode(3, true);
	RUN(0x0f, 0x31);
	quiet();
	first = c->r[R_AX];
	RUN(0x0f, 0x31);
	ck_assert_uint_eq(c->r[R_AX], first + 1); /* one instruction is one tick */
	c->msr.tsc_aux = 42;
	RUN(0x0f, 0x01, 0xf9);
	quiet();
	ck_assert_uint_eq(c->r[R_CX], 42);
	RUN(0xf3, 0x0f, 0xc7, 0xfb); /* rdpid rbx */
	quiet();
	ck_assert_uint_eq(c->r[R_BX], 42);
	c->cr4 |= CR4_TSD;
	RUN(0x0f, 0x31);
	raised(VEC_GP, 0, RULE_GP_TSD);
	long_mode(3, true);
	RUN(0x0f, 0x33);
	raised(VEC_GP, 0, RULE_GP_PCE);
	long_mode(0, true);
	c->r[R_CX] = 0x10;
	c->r[R_AX] = 1000000;
	c->r[R_DX] = 0;
	RUN(WRMSR);
	RUN(0x0f, 0x31);
	ck_assert_uint_eq(c->r[R_AX], 1000001);
}
END_TEST

START_TEST(counter_counts_instructions)
{
	u64 first;

	long_mode(0, true);
	c->r[R_CX] = 0xc0010000;
	c->r[R_AX] = 0xc0 | 3 << 16 | BIT(22);
	c->r[R_DX] = 0;
	RUN(WRMSR);
	c->r[R_CX] = 0;
	RUN(0x0f, 0x33);
	quiet();
	first = c->r[R_AX];
	RUN(0x90);
	RUN(0x90);
	RUN(0x0f, 0x33);
	ck_assert_uint_eq(c->r[R_AX], first + 3);
	c->r[R_CX] = 4;
	RUN(0x0f, 0x33);
	raised(VEC_GP, 0, RULE_GP_PMC_NUMBER);
}
END_TEST

/* ---- bases, AC, random, MONITOR ---- */

START_TEST(fs_gs_bases)
{
	long_mode(3, true);
	RUN(0xf3, 0x48, 0x0f, 0xae, 0xc0);
	raised(VEC_UD, NO_ERROR, RULE_UD_FSGSBASE);
	long_mode(3, true);
	c->cr4 |= CR4_FSGSBASE;
	c->r[R_AX] = 0x7f0000001000;
	RUN(0xf3, 0x48, 0x0f, 0xae, 0xd8); /* wrgsbase rax */
	quiet();
	ck_assert_uint_eq(c->seg[SEG_GS].base, 0x7f0000001000);
	RUN(0xf3, 0x0f, 0xae, 0xcb); /* rdgsbase ebx */
	ck_assert_uint_eq(c->r[R_BX], 0x1000);
	c->r[R_AX] = BIT(60);
	RUN(0xf3, 0x48, 0x0f, 0xae, 0xd0);
	raised(VEC_GP, 0, RULE_GP_BASE_CANON);
}
END_TEST

START_TEST(smap_flag)
{
	long_mode(0, true);
	RUN(0x0f, 0x01, 0xcb);
	quiet();
	ck_assert(c->flags & FLAG_AC);
	RUN(0x0f, 0x01, 0xca);
	ck_assert(!(c->flags & FLAG_AC));
	long_mode(3, true);
	RUN(0x0f, 0x01, 0xca);
	raised(VEC_UD, NO_ERROR, RULE_UD_SMAP_CPL);
}
END_TEST

START_TEST(random_numbers)
{
	u64 first;

	long_mode(3, true);
	c->r[R_BX] = ~0ull;
	RUN(0x48, 0x0f, 0xc7, 0xf0);
	quiet();
	first = c->r[R_AX];
	ck_assert(x86_get_flags(c) & FLAG_CF);
	ck_assert(!(x86_get_flags(c) & (FLAG_ZF | FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF)));
	RUN(0x48, 0x0f, 0xc7, 0xf8); /* rdseed */
	ck_assert_uint_ne(c->r[R_AX], first);
	RUN(0x66, 0x0f, 0xc7, 0xf3); /* rdrand bx */
	ck_assert_uint_eq(c->r[R_BX] >> 16, 0xffffffffffff);
}
END_TEST

START_TEST(monitor_and_mwait)
{
	long_mode(0, true);
	c->r[R_AX] = DATA + 0x48;
	c->r[R_CX] = c->r[R_DX] = 0;
	RUN(0x0f, 0x01, 0xc8);
	quiet();
	ck_assert_uint_eq(c->monitor_pa, DATA + 0x40);
	c->r[R_CX] = 1;
	RUN(0x0f, 0x01, 0xc9);
	quiet();
	ck_assert_uint_eq(c->activity, ACT_MWAIT);
	ck_assert(x86_mwait_masked(c));
	x86_monitor_hit(c, DATA + 0x7f, 1);
	ck_assert_uint_eq(c->activity, ACT_RUN);
	sched.kick = false;
	RUN(0x0f, 0x01, 0xc9); /* nothing armed: goes on */
	ck_assert_uint_eq(c->activity, ACT_RUN);
	c->r[R_CX] = 2;
	RUN(0x0f, 0x01, 0xc9);
	raised(VEC_GP, 0, RULE_GP_MONITOR_EXT);
	long_mode(3, true);
	RUN(0x0f, 0x01, 0xc8);
	raised(VEC_UD, NO_ERROR, RULE_UD_MONITOR_CPL);
	long_mode(0, true);
	c->msr.hwcr |= HWCR_MONDIS;
	RUN(0x0f, 0x01, 0xc8);
	raised(VEC_UD, NO_ERROR, RULE_UD_MONITOR_OFF);
}
END_TEST

/* A fault ends REPE CMPSB: counters and flags are those of the last comparison, the translations being cached or not. APM3 1.2.6 */
START_TEST(compare_until_a_fault)
{
	const u64 end = 16 << 20; /* nothing is mapped there */

	long_mode(3, true);
	for (unsigned round = 0; round < 3; round++) {
		c->cpl = 3;
		load(SEG_CS, C64U);
		load(SEG_SS, D32U);
		x86_state_changed(c);
		for (unsigned i = 0; i < 16; i++) {
			poke(DATA + i, 1, i);
			poke(end - 8 + (i & 7), 1, i & 7);
		}
		c->r[R_SI] = DATA;
		c->r[R_DI] = end - 8;
		c->r[R_CX] = 100;
		c->r[R_SP] = STACK3;
		x86_set_flags(c, FLAG_CF | FLAG_SF, FLAGS_ARITH);
		RUN(0xf3, 0xa6);
		ck_assert_uint_eq(last.a & 0xff, VEC_PF);
		ck_assert_uint_eq(c->r[R_DI], end);
		ck_assert_uint_eq(c->r[R_CX], 92);
		ck_assert_uint_eq(x86_get_flags(c) & FLAGS_ARITH, FLAG_ZF | FLAG_PF);
	}
}
END_TEST

START_TEST(caches)
{
	long_mode(3, true);
	c->r[R_BX] = DATA;
	RUN(0x0f, 0xae, 0x3b); /* clflush */
	quiet();
	c->r[R_BX] = 0x40000000;
	RUN(0x0f, 0xae, 0x3b);
	ck_assert_uint_eq(exceptions, 1);
	ck_assert_uint_eq(last.a & 0xff, VEC_PF);
	ck_assert_uint_eq(last.b, 4); /* a user read */
	long_mode(3, true);
	poke(DATA + 0x40, 8, ~0ull);
	poke(DATA + 0x78, 8, ~0ull);
	poke(DATA + 0x80, 8, 7);
	c->r[R_AX] = DATA + 0x55;
	RUN(0x0f, 0x01, 0xfc); /* clzero */
	quiet();
	ck_assert_uint_eq(peek(DATA + 0x40, 8) | peek(DATA + 0x78, 8), 0);
	ck_assert_uint_eq(peek(DATA + 0x80, 8), 7);
	RUN(0x0f, 0x09);
	raised(VEC_GP, 0, RULE_GP_CPL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("system instructions");
	TCase *t = tcase_create("one at a time");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, control_read_write);
	tcase_add_test(t, control_refusals);
	tcase_add_test(t, long_mode_on_and_off);
	tcase_add_test(t, lmsw_smsw_clts);
	tcase_add_test(t, tlb_flushes);
	tcase_add_test(t, invpcid);
	tcase_add_test(t, debug_registers);
	tcase_add_test(t, msr_instructions);
	tcase_add_test(t, time_stamps);
	tcase_add_test(t, counter_counts_instructions);
	tcase_add_test(t, fs_gs_bases);
	tcase_add_test(t, smap_flag);
	tcase_add_test(t, random_numbers);
	tcase_add_test(t, monitor_and_mwait);
	tcase_add_test(t, compare_until_a_fault);
	tcase_add_test(t, caches);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
