/*
 * Fault rules that the other tests do not reach, one after the other, and what a fault leaves as it was: near calls over the
 * canonical edge. APM2 4.7, 5.2.3, 12.2, 12.3, 8.10; APM3 as each rule says.
 */
#include "cpu_fixture.h"

static void setup(void) { cpu_setup(); }
static void teardown(void) { cpu_teardown(); }

START_TEST(execute_only)
{
	protected32(0);
	gdt_set(X, 0, 0xfffff, 0xc99);
	load(SEG_FS, X);
	load(SEG_CS, X);
	x86_state_changed(c);
	RUN(0x2e, 0xa1, IMM32(DATA)); /* mov eax, cs:[DATA] */
	raised(VEC_GP, 0, RULE_GP_SEG_READ);
	RUN(0x64, 0x0f, 0xb6, 0x05, IMM32(DATA)); /* movzx eax, byte fs:[DATA] */
	raised(VEC_GP, 0, RULE_GP_SEG_READ);
}
END_TEST

/* Processors before Zen look at the PDPTEs when they are loaded. */
START_TEST(pdptes)
{
	model.family = 0x10;
	protected32(0);
	c->cr4 = CR4_PAE;
	poke(TABLES, 8, TABLES + 0x1000 + 3); /* bit 1 is reserved */
	c->cr3 = TABLES;
	c->r[R_AX] = CR0_PE | CR0_ET | CR0_PG;
	x86_state_changed(c);
	RUN(0x0f, 0x22, 0xc0);
	raised(VEC_GP, 0, RULE_GP_PDPTE_RESERVED);
	ck_assert_uint_eq(c->cr0 & CR0_PG, 0);
}
END_TEST

START_TEST(mcommit)
{
	protected32(0);
	model.has[X86_F_MCOMMIT] = 1;
	RUN(0xf3, 0x0f, 0x01, 0xfa);
	raised(VEC_UD, NO_ERROR, RULE_UD_MCOMMIT);
	c->efer |= BIT(17);
	RUN(0xf3, 0x0f, 0x01, 0xfa);
	quiet();
}
END_TEST

START_TEST(rdpru)
{
	protected32(3);
	c->cr4 = CR4_TSD;
	c->r[R_CX] = 0;
	RUN(0x0f, 0x01, 0xfd);
	raised(VEC_UD, NO_ERROR, RULE_UD_TSD);
	protected32(3);
	c->r[R_CX] = 2; /* no such register: zero */
	c->r[R_AX] = c->r[R_DX] = 7;
	RUN(0x0f, 0x01, 0xfd);
	quiet();
	ck_assert_uint_eq(c->r[R_AX] | c->r[R_DX], 0);
}
END_TEST

START_TEST(real_mode_does_not_know)
{
	static const u8 slot[][4] = {{0x0f, 0x00, 0xc0}, {0x0f, 0x00, 0xc8}, {0x0f, 0x00, 0xd0}, {0x0f, 0x00, 0xd8},
				     {0x0f, 0x00, 0xe0}, {0x0f, 0x00, 0xe8}, {0x0f, 0x02, 0xc0}, {0x0f, 0x03, 0xc0}};

	for (unsigned i = 0; i < ARRAY_SIZE(slot); i++) {
		real_mode();
		run_bytes(slot[i], 3);
		ck_assert_uint_eq(last.a & 0xff, VEC_UD);
		raised(VEC_UD, NO_ERROR, last.a >> 16);
	}
}
END_TEST

START_TEST(absent_tss)
{
	protected32(0);
	gdt_set(SEL_TSS2, TSS2, 0x67, 0x009);
	RUN(0xea, IMM32(0), IMM16(SEL_TSS2));
	raised(VEC_NP, SEL_TSS2, RULE_GATE_NOT_PRESENT);
	protected32(0);
	gdt_set(SEL_TSS2, TSS2, 0x67, 0x009);
	poke(IDT + 8 * 0x30, 8, gate(SEL_TSS2, 0, TYPE_TASK, 3, 0));
	RUN(0xcd, 0x30);
	raised(VEC_NP, SEL_TSS2, RULE_TSS_NOT_PRESENT);
}
END_TEST

/* INT n with VME: the redirection map lies before the I/O map, whose base may be anywhere. */
START_TEST(redirection_map)
{
	virtual86(0);
	c->cr4 = CR4_VME;
	x86_state_changed(c);
	poke(TSS1 + 102, 2, 0x3000);
	RUN(0xcd, 0x21);
	raised(VEC_GP, 0, RULE_V86_REDIRECT_MAP);
}
END_TEST

/* The target is looked at before anything is committed: RSP stays. APM3 CALL (Near), RET (Near), JMP (Near) */
START_TEST(canonical_edge)
{
	struct tables t;
	const u64 edge = 0x7fffffffe000, stack = STACK0;
	static const u8 rel[] = {0xe8, 0x00, 0x10, 0x00, 0x00}, jmp[] = {0xe9, 0x00, 0x10, 0x00, 0x00}, ind[] = {0xff, 0xd0},
			ret[] = {0xc3};
	const struct {
		const u8 *code;
		unsigned n;
	} rows[] = {{rel, sizeof rel}, {jmp, sizeof jmp}, {ind, sizeof ind}, {ret, sizeof ret}};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		long_mode(0, true);
		tables_init(&t, &mem, 4, 0, TABLES);
		for (u64 va = 0; va < 16 << 20; va += 2 << 20)
			tables_map(&t, va, 2, va, P | W | U | A | D);
		tables_map(&t, edge, 1, CODE, P | W | U | A | D);
		tables_map(&t, edge + 0x1000, 1, CODE + 0x1000, P | W | U | A | D);
		c->cr3 = t.root;
		x86_state_changed(c);
		tlb_flush_everything(&c->tlb);
		for (unsigned k = 0; k < rows[i].n; k++)
			poke(CODE + 0x1f00 + k, 1, rows[i].code[k]);
		c->rip = edge + 0x1f00;
		c->r[R_AX] = 0x800000000000;
		c->r[R_SP] = stack;
		poke(stack, 8, 0x800000000000);
		poke(stack - 8, 8, 0x1234);
		exceptions = 0;
		x86_run(c, 1);
		ck_assert_uint_eq(exceptions, 1);
		ck_assert_uint_eq(last.a & 0xff, VEC_GP);
		/* the frame of the #GP: the instruction's own rIP, RSP as it was */
		x86_run(c, 1);
		ck_assert_uint_eq(peek(c->r[R_SP] + 8, 8), edge + 0x1f00);
		ck_assert_uint_eq(peek(c->r[R_SP] + 32, 8), stack);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rules");
	TCase *t = tcase_create("rules");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, execute_only);
	tcase_add_test(t, pdptes);
	tcase_add_test(t, mcommit);
	tcase_add_test(t, rdpru);
	tcase_add_test(t, real_mode_does_not_know);
	tcase_add_test(t, absent_tss);
	tcase_add_test(t, redirection_map);
	tcase_add_test(t, canonical_edge);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
