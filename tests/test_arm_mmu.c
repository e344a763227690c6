/*
 * The ARM926 with its MMU: CP15, faults as the CPU reports them, the TLB: what stays without a flush, what a DACR write changes at once, lockdown,
 * FCSE, tiny pages, code under changing tables. DDI0100 B3-B8, DDI0198 ch. 2, 3.
 */
#include "arm_fixture.h"

#define VA 0x00400000u /* mapped by tests */

static void data_abort(u32 insn, unsigned fsr, u32 far)
{
	one(insn);
	ck_assert_uint_eq(cpu.s.r[15], 0x10);
	ck_assert_uint_eq(cpu.s.cpsr & PSR_MODE, MODE_ABT);
	ck_assert_uint_eq(cpu.s.r[14], CODE + 8);
	ck_assert_uint_eq(cpu.s.cp15.dfsr, fsr);
	ck_assert_uint_eq(cpu.s.cp15.far, far);
	ck_assert_uint_eq(mrc(5, 0, 0), fsr);
	ck_assert_uint_eq(mrc(6, 0, 0), far);
}

#define LDR 0xe5910000 /* ldr r0, [r1] */
#define STR 0xe5810000

static void read_ok(u32 va, u32 expect)
{
	cpu.s.r[1] = va;
	one(LDR);
	ck_assert_msg(cpu.s.r[15] == CODE + 4, "%x: pc %x, dfsr %x, ifsr %x, far %x", va, cpu.s.r[15], cpu.s.cp15.dfsr, cpu.s.cp15.ifsr, cpu.s.cp15.far);
	ck_assert_uint_eq(cpu.s.r[0], expect);
}

/* ---- CP15 ---- */

START_TEST(registers)
{
	at_code(MODE_SVC);
	mcr(2, 0, 0, 0xffffffff);
	ck_assert_uint_eq(mrc(2, 0, 0), 0xffffc000);
	mcr(3, 0, 0, 0x12345678);
	ck_assert_uint_eq(mrc(3, 0, 0), 0x12345678);
	mcr(5, 0, 0, 0xfff);
	ck_assert_uint_eq(mrc(5, 0, 0), 0xff);
	mcr(5, 0, 1, 0x5a);
	ck_assert_uint_eq(mrc(5, 0, 1), 0x5a);
	mcr(6, 0, 0, 0xdeadbeef);
	ck_assert_uint_eq(mrc(6, 0, 0), 0xdeadbeef);
	mcr(9, 0, 0, 5);
	ck_assert_uint_eq(mrc(9, 0, 0), 0xfff5);
	mcr(9, 0, 1, 2);
	ck_assert_uint_eq(mrc(9, 0, 1), 0xfff2);
	ck_assert_uint_eq(mrc(9, 1, 0), 0);
	mcr(10, 0, 0, 0xffffffff);
	ck_assert_uint_eq(mrc(10, 0, 0), 7u << 26 | 1);
	mcr(10, 0, 0, 0);
	mcr(13, 0, 1, 0x77);
	ck_assert_uint_eq(mrc(13, 0, 1), 0x77);
	mcr(1, 0, 0, 0xfffffff8 & ~(u32)(CTL_B | CTL_V));
	ck_assert_uint_eq(mrc(1, 0, 0), 0x50078 | CTL_S | CTL_R | CTL_I | CTL_RR | CTL_L4);
}
END_TEST

/* Test-and-clean loops end: mrc p15, 0, r15, c7, c10, 3 sets Z. DDI0198 2.3.7 */
START_TEST(cache_operations)
{
	static const u8 ops[][2] = {{5, 0}, {5, 1}, {5, 2}, {6, 0}, {6, 1}, {6, 2}, {7, 0}, {10, 1}, {10, 2}, {10, 4}, {13, 1}, {14, 1}, {14, 2}};

	at_code(MODE_SVC | PSR_N);
	one(0xee17ff7a);
	ck_assert_uint_eq(cpu.s.cpsr & PSR_NZCV, PSR_Z);
	cpu.s.cpsr &= ~(u32)PSR_Z;
	one(0xee17ff7e);
	ck_assert_uint_eq(cpu.s.cpsr & PSR_NZCV, PSR_Z);
	for (unsigned i = 0; i < ARRAY_SIZE(ops); i++) {
		mcr(7, ops[i][0], ops[i][1], 0x1000);
		ck_assert_uint_eq(cpu.s.r[15], CODE + 4);
	}
	mcr(7, 3, 3, 0); /* no such operation */
	ck_assert_uint_eq(cpu.s.cpsr & PSR_MODE, MODE_UND);
}
END_TEST

/* Linux forces write-through by the cache debug control register: c15,c0,0 with opcode 1 = 7. */
START_TEST(test_registers)
{
	static const struct {
		u32 op1, m, mask, reset;
	} reg[] = {{0, 0, ~0u, 0}, {0, 1, ~0u, 0}, {0, 2, 0xffff, 0xe4e4}, {1, 1, 6, 0}, {7, 0, 7, 0}};

	for (unsigned i = 0; i < ARRAY_SIZE(reg); i++) {
		u32 mrc = 0xee1f0f10 | reg[i].op1 << 21 | reg[i].m;

		at_code(MODE_SVC);
		one(mrc);
		ck_assert_uint_eq(cpu.s.r[0], reg[i].reset);
		at_code(MODE_SVC);
		cpu.s.r[0] = 0xffffffff;
		one(mrc & ~(1u << 20));
		at_code(MODE_SVC);
		one(mrc | 1 << 12);
		ck_assert_uint_eq(cpu.s.r[1], reg[i].mask);
	}
	at_code(MODE_SVC);
	cpu.s.r[0] = 0;
	one(0xeeef0f11); /* MMU debug control: off is what it is */
	at_code(MODE_SVC);
	cpu.s.r[0] = 1;
	put(CODE, 0xeeef0f11);
	ck_assert_int_eq(arm_run(&cpu, 10), ARM_STOP_UNIMPLEMENTED);
	at_code(MODE_SVC);
	put(CODE, 0xee9f0f12); /* a tag of the main TLB */
	ck_assert_int_eq(arm_run(&cpu, 10), ARM_STOP_UNIMPLEMENTED);
	ck_assert_msg(strstr(cpu.stop_text, "c15: access to the TLB's entries (opcode 1 4, c2, 0)") != NULL, "%s", cpu.stop_text);
	at_code(MODE_USR);
	one(0xee1f0f10);
	expect_exception(MODE_UND, 4, CODE + 4, MODE_USR);
}
END_TEST

START_TEST(unknown_registers)
{
	at_code(MODE_SVC);
	one(0xee140f10); /* c4 */
	expect_exception(MODE_UND, 4, CODE + 4, MODE_SVC);
	at_code(MODE_SVC);
	put(CODE, 0xee1f0f50); /* c15,c0,2 */
	ck_assert_int_eq(arm_run(&cpu, 10), ARM_STOP_UNIMPLEMENTED);
	ck_assert_msg(strstr(cpu.stop_text, "unimplemented: CP15") != NULL, "%s", cpu.stop_text);
}
END_TEST

/* ---- faults ---- */

START_TEST(data_faults)
{
	mmu_on(0);
	put(TABLE + 4 * 4, coarse(COARSE, 2));
	put(COARSE, small(0x00300000, same_aps(AP_PRIVILEGED)));
	mcr(3, 0, 0, 1 | 1 << 4);
	cpu.s.r[1] = VA + 0x1234;
	data_abort(LDR, 2 << 4 | FSR_TRANSLATION_PAGE, VA + 0x1234);
	cpu.s.r[1] = 0x12345678;
	data_abort(STR, FSR_TRANSLATION_SECTION, 0x12345678);
	put(0x00300010, 0xabcd);
	read_ok(VA + 0x10, 0xabcd);
	arm_set_cpsr(&cpu, MODE_USR);
	cpu.s.r[1] = VA + 0x10;
	data_abort(LDR, 2 << 4 | FSR_PERMISSION_PAGE, VA + 0x10);
	arm_set_cpsr(&cpu, MODE_SVC);
	cpu.s.r[1] = VA + 0x10;
	data_abort(0xe4b10000, 2 << 4 | FSR_PERMISSION_PAGE, VA + 0x10); /* ldrt */
	cpu.s.r[1] = VA + 0x10;
	data_abort(0xe4e10000, 2 << 4 | FSR_PERMISSION_PAGE, VA + 0x10); /* strbt */
	mcr(3, 0, 0, 1);
	cpu.s.r[1] = VA + 0x10;
	data_abort(LDR, 2 << 4 | FSR_DOMAIN_PAGE, VA + 0x10);
}
END_TEST

START_TEST(prefetch_faults)
{
	mmu_on(0);
	cpu.s.cp15.far = 0x99;
	cpu.s.cp15.dfsr = 0x33;
	cpu.s.r[15] = 0x00500000;
	run(1);
	expect_exception(MODE_ABT, 0xc, 0x00500004, MODE_SVC | PSR_I | PSR_F);
	ck_assert_uint_eq(cpu.s.cp15.ifsr, FSR_TRANSLATION_SECTION);
	ck_assert_uint_eq(cpu.s.cp15.far, 0x99);
	ck_assert_uint_eq(cpu.s.cp15.dfsr, 0x33);
	put(TABLE + 4 * 4, section(0x00300000, AP_PRIVILEGED, 0));
	arm_set_cpsr(&cpu, MODE_USR);
	cpu.s.r[15] = VA;
	run(1);
	ck_assert_uint_eq(cpu.s.cp15.ifsr, FSR_PERMISSION_SECTION);
	ck_assert_uint_eq(cpu.s.r[14], VA + 4);
}
END_TEST

/* An LDM over two pages, the second one forbidden: nothing has changed. STM has written the first page. */
START_TEST(multiple_over_a_fault)
{
	mmu_on(0);
	put(TABLE + 4 * 4, coarse(COARSE, 0));
	put(COARSE, small(0x00300000, same_aps(AP_ALL)));
	for (unsigned i = 2; i < 8; i++)
		cpu.s.r[i] = 0x100 + i;
	cpu.s.r[1] = VA + 0xff8;
	data_abort(0xe8b100fc, FSR_TRANSLATION_PAGE, VA + 0x1000); /* ldmia r1!, {r2-r7} */
	ck_assert_uint_eq(cpu.s.r[1], VA + 0xff8);
	ck_assert_uint_eq(cpu.s.r[2], 0x102);
	data_abort(0xe8a100fc, FSR_TRANSLATION_PAGE, VA + 0x1000);
	ck_assert_uint_eq(cpu.s.r[1], VA + 0xff8);
	put(COARSE + 4, small(0x00200000, same_aps(AP_ALL)));
	one(0xe8a100fc);
	ck_assert_uint_eq(cpu.s.r[1], VA + 0x1010);
	ck_assert_uint_eq(get(0x00300ffc), 0x103);
	ck_assert_uint_eq(get(0x00200000), 0x104);
}
END_TEST

/* SWP to a page that may be read only: neither half happens. */
START_TEST(swap_needs_both)
{
	mmu_on(0);
	put(TABLE + 4 * 4, section(0x00300000, AP_USER_READ, 0));
	arm_set_cpsr(&cpu, MODE_USR);
	cpu.s.r[1] = VA;
	cpu.s.r[0] = 7;
	data_abort(0xe1010092, FSR_PERMISSION_SECTION, VA);
}
END_TEST

START_TEST(alignment_comes_first)
{
	mmu_on(CTL_A);
	cpu.s.r[1] = 0x12345679;
	data_abort(LDR, FSR_ALIGNMENT, 0x12345679);
}
END_TEST

/* Subpages of a small page, each with its own rights, by the CPU. */
START_TEST(subpages)
{
	mmu_on(0);
	put(TABLE + 4 * 4, coarse(COARSE, 0));
	put(COARSE, small(0x00300000, aps(3, 2, 1, 0)));
	arm_set_cpsr(&cpu, MODE_USR);
	for (unsigned i = 0; i < 4; i++) {
		cpu.s.r[1] = VA + i * 1024 + 1020;
		if (i == 0) {
			one(STR);
			ck_assert_uint_eq(cpu.s.r[15], CODE + 4);
		} else {
			data_abort(STR, FSR_PERMISSION_PAGE, VA + i * 1024 + 1020);
		}
		arm_set_cpsr(&cpu, MODE_USR);
		cpu.s.r[1] = VA + i * 1024;
		if (i < 2)
			read_ok(VA + i * 1024, 0);
		else
			data_abort(LDR, FSR_PERMISSION_PAGE, VA + i * 1024);
		arm_set_cpsr(&cpu, MODE_USR);
	}
}
END_TEST

/* Four tiny pages from four places, data and code. */
START_TEST(tiny_pages)
{
	mmu_on(0);
	put(TABLE + 4 * 4, fine(FINE, 0));
	for (u32 i = 0; i < 4; i++) {
		put(FINE + i * 4, tiny(0x00300000 + i * 0x1400, AP_ALL));
		put(0x00300000 + i * 0x1400 + 8, 0x500 + i);
		put(0x00300000 + i * 0x1400 + 1020, i == 3 ? 0xeafffffe : 0xe2800001 + i); /* add r0, r0, #... */
		put(0x00300000 + i * 0x1400, 0xe2800010 + i);
	}
	for (u32 i = 0; i < 4; i++)
		read_ok(VA + i * 1024 + 8, 0x500 + i);
	cpu.s.r[0] = 0;
	cpu.s.r[15] = VA + 1020;
	run(2); /* from one to the next */
	ck_assert_uint_eq(cpu.s.r[0], 1 + 0x11);
	ck_assert_uint_eq(cpu.s.r[15], VA + 1028);
}
END_TEST

/* ---- the TLB ---- */

START_TEST(stale_until_flushed)
{
	mmu_on(0);
	put(TABLE + 4 * 4, coarse(COARSE, 0));
	put(COARSE, small(0x00300000, same_aps(AP_ALL)));
	put(COARSE + 4, small(0x00301000, same_aps(AP_ALL)));
	put(0x00300000, 1);
	put(0x00301000, 2);
	put(0x00200000, 3);
	put(0x00201000, 4);
	read_ok(VA, 1);
	read_ok(VA + 0x1000, 2);
	put(COARSE, small(0x00200000, same_aps(AP_ALL)));
	put(COARSE + 4, small(0x00201000, same_aps(AP_ALL)));
	read_ok(VA, 1);
	mcr(2, 0, 0, TABLE); /* TTBR flushes nothing */
	mcr(3, 0, 0, 3);
	mcr(3, 0, 0, 1);
	mcr(7, 7, 0, 0);
	read_ok(VA, 1);
	mcr(8, 6, 1, VA + 0x123); /* one entry */
	read_ok(VA, 3);
	read_ok(VA + 0x1000, 2);
	mcr(8, 7, 0, 0);
	read_ok(VA + 0x1000, 4);
	read_ok(VA, 3);
	put(COARSE, 0); /* a translation that was taken away stays, too */
	read_ok(VA, 3);
	mcr(8, 5, 0, 0);
	cpu.s.r[1] = VA;
	data_abort(LDR, FSR_TRANSLATION_PAGE, VA);
}
END_TEST

/* DACR counts at once, and what was cached is still there afterwards. */
START_TEST(dacr_flushes_nothing)
{
	u64 walks;

	mmu_on(0);
	put(TABLE + 4 * 4, section(0x00300000, AP_PRIVILEGED, 1));
	put(0x00300000, 55);
	mcr(3, 0, 0, 1 | 1 << 2);
	read_ok(VA, 55);
	put(TABLE + 4 * 4, 0); /* so that a walk would fail */
	for (unsigned i = 0; i < 3; i++) {
		mcr(3, 0, 0, 1);
		cpu.s.r[1] = VA;
		data_abort(LDR, 1 << 4 | FSR_DOMAIN_SECTION, VA);
		arm_set_cpsr(&cpu, MODE_SVC);
		mcr(3, 0, 0, 1 | 3 << 2); /* manager */
		arm_set_cpsr(&cpu, MODE_USR);
		read_ok(VA, 55);
		arm_set_cpsr(&cpu, MODE_SVC);
		mcr(3, 0, 0, 1 | 1 << 2);
		read_ok(VA, 55);
		arm_set_cpsr(&cpu, MODE_USR);
		cpu.s.r[1] = VA;
		data_abort(LDR, 1 << 4 | FSR_PERMISSION_SECTION, VA);
		arm_set_cpsr(&cpu, MODE_SVC);
	}
	walks = cpu.tlb.fetch_epoch;
	for (unsigned i = 0; i < 4; i++)
		mcr(3, 0, 0, i & 1 ? 1 | 3 << 2 : 1 | 1 << 2);
	ck_assert_uint_eq(cpu.tlb.fetch_epoch, walks);
}
END_TEST

/* S and R count at once. DDI0100 B4.3.1 */
START_TEST(s_and_r)
{
	mmu_on(0);
	put(TABLE + 4 * 4, section(0x00300000, AP_SR, 0));
	put(0x00300000, 9);
	cpu.s.r[1] = VA;
	data_abort(LDR, FSR_PERMISSION_SECTION, VA);
	mcr(1, 0, 0, CTL_M | CTL_S);
	read_ok(VA, 9);
	cpu.s.r[1] = VA;
	data_abort(STR, FSR_PERMISSION_SECTION, VA);
	arm_set_cpsr(&cpu, MODE_USR);
	cpu.s.r[1] = VA;
	data_abort(LDR, FSR_PERMISSION_SECTION, VA);
	mcr(1, 0, 0, CTL_M | CTL_R);
	arm_set_cpsr(&cpu, MODE_USR);
	read_ok(VA, 9);
}
END_TEST

/* Addresses below 32 MB move by the process; the others do not. Neither register flushes. DDI0100 B8 */
START_TEST(fcse)
{
	mmu_on(0);
	put(TABLE + 0x400 * 4, section(0x00300000, AP_ALL, 0)); /* process 32: 0x40000000 */
	for (u32 i = 1; i < 4; i++)
		put(TABLE + (0x400 + i) * 4, section(i << 20, AP_ALL, 0));
	put(TABLE + 0x404 * 4, section(0x00200000, AP_ALL, 0));
	put(TABLE + 4 * 4, section(0x00100000, AP_ALL, 0));
	put(0x00180010, 1);
	put(0x00280010, 2);
	space_write(&mem, 0x00300000 + CODE, 4, LDR);
	read_ok(VA + 0x80010, 1);
	put(CODE, 0xee0d0f10); /* mcr p15, 0, r0, c13, c0, 0: then the next instruction is the new process's */
	put(0x00300000 + CODE + 4, LDR);
	put(0x00300000 + CODE + 8, 0xee0d2f10); /* back, from r2 */
	cpu.s.r[0] = 0x40000000;
	cpu.s.r[1] = VA + 0x80010;
	cpu.s.r[2] = 0;
	cpu.s.r[15] = CODE;
	run(2);
	ck_assert_uint_eq(cpu.s.r[0], 2);
	cpu.s.r[1] = 0x40480010; /* the same by its modified address */
	put(0x00300000 + CODE, LDR);
	cpu.s.r[15] = CODE;
	run(1);
	ck_assert_uint_eq(cpu.s.r[0], 2);
	cpu.s.r[1] = 0x01f00000;
	cpu.s.r[15] = CODE;
	run(1);
	ck_assert_uint_eq(cpu.s.cp15.far, 0x41f00000); /* FAR holds the modified address. DDI0198 2.3.6 */
	arm_set_cpsr(&cpu, MODE_SVC);
	cpu.s.r[15] = CODE + 8;
	run(1);
	read_ok(VA + 0x80010, 1);
}
END_TEST

/* With P set, walks fill the lockdown region; those survive invalidation of everything, not that of their entry. DDI0198 2.3.10 */
START_TEST(lockdown)
{
	mmu_on(0);
	put(TABLE + 4 * 4, section(0x00300000, AP_ALL, 0));
	put(0x00300000, 1);
	put(0x00200000, 2);
	mcr(10, 0, 0, 6u << 26 | 1);
	read_ok(VA, 1);
	mcr(10, 0, 0, 0);
	put(TABLE + 4 * 4, section(0x00200000, AP_ALL, 0));
	mcr(8, 7, 0, 0);
	read_ok(VA, 1);
	mcr(8, 7, 1, VA + 0x5000);
	read_ok(VA, 2);
}
END_TEST

/* Code at one address, two mappings one after the other, with and without the flush. */
START_TEST(code_under_changing_tables)
{
	mmu_on(0);
	put(TABLE + 4 * 4, coarse(COARSE, 0));
	put(COARSE, small(0x00300000, same_aps(AP_ALL)));
	put(0x00300000, 0xe3a00001);
	put(0x00300004, 0xeafffffd); /* back */
	put(0x00200000, 0xe3a00002);
	put(0x00200004, 0xeafffffd);
	cpu.s.r[15] = VA;
	run(101);
	ck_assert_uint_eq(cpu.s.r[0], 1);
	put(COARSE, small(0x00200000, same_aps(AP_ALL)));
	cpu.s.r[15] = VA;
	cpu.s.r[0] = 0;
	run(101);
	ck_assert_uint_eq(cpu.s.r[0], 1);
	mcr(8, 7, 1, VA);
	cpu.s.r[15] = VA;
	run(101);
	ck_assert_uint_eq(cpu.s.r[0], 2);
}
END_TEST

/* ---- what debuggers ask ---- */

START_TEST(translate_disturbs_nothing)
{
	struct walk w;
	u64 pa, h;

	mmu_on(0);
	put(TABLE + 4 * 4, section(0x00300000, AP_PRIVILEGED, 1));
	mcr(3, 0, 0, 1 | 1 << 2);
	h = arm_hash(&cpu, 0);
	ck_assert(arm_translate(&cpu, VA + 0x42, ACC_READ, &pa));
	ck_assert_uint_eq(pa, 0x00300042);
	ck_assert(!arm_translate(&cpu, VA, ACC_USER, &pa));
	arm_walk(&cpu, VA, ACC_USER | ACC_WRITE, &w);
	ck_assert_int_eq(w.why, WALK_PERMISSION);
	ck_assert_uint_eq(w.n, 1);
	ck_assert_uint_eq(arm_hash(&cpu, 0), h);
	read_ok(VA, get(0x00300000));
	put(TABLE + 4 * 4, 0);
	ck_assert(arm_translate(&cpu, VA, ACC_READ, &pa)); /* as the CPU would: it is cached */
	arm_walk(&cpu, VA, ACC_READ, &w);
	ck_assert_int_eq(w.why, WALK_TRANSLATION);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("arm_mmu");
	TCase *t = tcase_create("mmu");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, arm_setup, arm_teardown);
	tcase_add_test(t, registers);
	tcase_add_test(t, cache_operations);
	tcase_add_test(t, test_registers);
	tcase_add_test(t, unknown_registers);
	tcase_add_test(t, data_faults);
	tcase_add_test(t, prefetch_faults);
	tcase_add_test(t, multiple_over_a_fault);
	tcase_add_test(t, swap_needs_both);
	tcase_add_test(t, alignment_comes_first);
	tcase_add_test(t, subpages);
	tcase_add_test(t, tiny_pages);
	tcase_add_test(t, stale_until_flushed);
	tcase_add_test(t, dacr_flushes_nothing);
	tcase_add_test(t, s_and_r);
	tcase_add_test(t, fcse);
	tcase_add_test(t, lockdown);
	tcase_add_test(t, code_under_changing_tables);
	tcase_add_test(t, translate_disturbs_nothing);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
