/*
 * The ARM926 without its MMU: banks, status registers, exceptions, the ^ forms, unaligned accesses, big-endian data, code that changes, blocks
 * against steps. What computes is compared with another emulator: tests/oracle_arm. DDI0100 A2, A4; DDI0198.
 */
#include "arm_fixture.h"

static const u32 modes[] = {MODE_USR, MODE_FIQ, MODE_IRQ, MODE_SVC, MODE_ABT, MODE_UND, MODE_SYS};

/* ---- registers and state ---- */

START_TEST(fields_cover_the_state)
{
	ck_assert_int_eq(field_gap(arm_fields, arm_fields_n, sizeof(struct arm_state)), -1);
	ck_assert_int_eq(field_gap(tlb_arm_fields, tlb_arm_fields_n, sizeof(struct tlb_arm_arch)), -1);
}
END_TEST

START_TEST(reset)
{
	ck_assert_uint_eq(cpu.s.cpsr, MODE_SVC | PSR_I | PSR_F);
	ck_assert_uint_eq(cpu.s.r[15], 0);
	ck_assert_uint_eq(mrc(0, 0, 0), 0x41069265);
	ck_assert_uint_eq(mrc(0, 0, 1), 0x1dd20d2);
	ck_assert_uint_eq(mrc(0, 0, 2), 0);
	ck_assert_uint_eq(mrc(1, 0, 0), 0x50078);
	ck_assert_uint_eq(mrc(13, 0, 0), 0);
}
END_TEST

/* Every mode has its own r13 and r14, FIQ r8-r12, too; MSR goes from each to each. */
START_TEST(banks)
{
	at_code(MODE_SYS | PSR_I | PSR_F);
	for (unsigned m = 1; m < ARRAY_SIZE(modes); m++) {
		cpu.s.r[0] = modes[m] | PSR_I | PSR_F;
		one(0xe121f000); /* msr cpsr_c, r0 */
		for (unsigned n = modes[m] == MODE_FIQ ? 8 : 13; n < 15; n++)
			cpu.s.r[n] = modes[m] << 8 | n;
	}
	for (unsigned n = 8; n < 13; n++) /* the last one is System mode: the common r8-r12 */
		cpu.s.r[n] = n;
	for (unsigned m = 1; m < ARRAY_SIZE(modes); m++) {
		cpu.s.r[0] = modes[m] | PSR_I | PSR_F;
		one(0xe121f000);
		ck_assert_uint_eq(cpu.s.r[13], modes[m] << 8 | 13);
		ck_assert_uint_eq(cpu.s.r[14], modes[m] << 8 | 14);
		ck_assert_uint_eq(cpu.s.r[8], modes[m] == MODE_FIQ ? MODE_FIQ << 8 | 8 : 8);
		ck_assert_uint_eq(cpu.s.r[12], modes[m] == MODE_FIQ ? MODE_FIQ << 8 | 12 : 12);
		ck_assert_uint_eq(arm_reg_of(&cpu, MODE_FIQ, 10), MODE_FIQ << 8 | 10);
		ck_assert_uint_eq(arm_reg_of(&cpu, MODE_USR, 10), 10);
		ck_assert_uint_eq(arm_reg_of(&cpu, MODE_IRQ, 13), MODE_IRQ << 8 | 13);
		ck_assert_uint_eq(arm_reg_of(&cpu, MODE_USR, 14), MODE_SYS << 8 | 14);
	}
}
END_TEST

/* User mode changes the flags only, and goes on. DDI0100 A4.1.39 */
START_TEST(msr_in_user_mode)
{
	at_code(MODE_USR);
	cpu.s.r[0] = 0xf80000df;
	one(0xe12ff000); /* msr cpsr_fsxc, r0 */
	ck_assert_uint_eq(cpu.s.cpsr, 0xf8000010);
	one(0xe10f1000); /* mrs r1, cpsr */
	ck_assert_uint_eq(cpu.s.r[1], 0xf8000010);
	cpu.s.r[0] = 0;
	one(0xe127f000); /* msr cpsr_sxc: nothing of it */
	ck_assert_uint_eq(cpu.s.cpsr, 0xf8000010);
	one(0xe14f1000); /* mrs r1, spsr: Undefined */
	expect_exception(MODE_UND, 4, CODE + 4, 0xf8000010);
	at_code(MODE_USR);
	one(0xe168f000); /* msr spsr_f, r0 */
	expect_exception(MODE_UND, 4, CODE + 4, MODE_USR);
}
END_TEST

START_TEST(msr_privileged)
{
	at_code(MODE_SVC | PSR_I);
	cpu.s.r[0] = 0xff0000ff; /* T, J and the reserved bits stay */
	one(0xe12ff000);
	ck_assert_uint_eq(cpu.s.cpsr, 0xf80000df);
	cpu.s.r[0] = MODE_SVC;
	one(0xe121f000);
	ck_assert_uint_eq(cpu.s.cpsr, 0xf8000013);
	cpu.s.r[0] = 0x05; /* no such mode: it stays */
	one(0xe121f000);
	ck_assert_uint_eq(cpu.s.cpsr & PSR_MODE, MODE_SVC);
	cpu.s.r[0] = 0xffffffff;
	one(0xe16ff000); /* msr spsr_fsxc, r0 */
	ck_assert_uint_eq(cpu.s.spsr[BANK_SVC], 0xf90000ff);
	one(0xe14f1000);
	ck_assert_uint_eq(cpu.s.r[1], 0xf90000ff);
	one(0xe321f0d2); /* msr cpsr_c, #IRQ */
	one(0xe14f1000);
	ck_assert_uint_eq(cpu.s.r[1], 0);
}
END_TEST

/* ---- exceptions ---- */

START_TEST(swi)
{
	at_code(MODE_USR | PSR_Z | PSR_Q);
	one(0xef000011);
	expect_exception(MODE_SVC, 8, CODE + 4, MODE_USR | PSR_Z | PSR_Q);
	ck_assert_uint_eq(cpu.s.cpsr, MODE_SVC | PSR_I | PSR_Z | PSR_Q);
	at_code(MODE_USR | PSR_Z);
	one(0x1f000011); /* swine */
	ck_assert_uint_eq(cpu.s.r[15], CODE + 4);
	at_code(MODE_USR | PSR_T);
	one_thumb(0xdf11);
	expect_exception(MODE_SVC, 8, CODE + 2, MODE_USR | PSR_T);
}
END_TEST

START_TEST(undefined)
{
	static const u32 words[] = {
		0xe7f000f0, /* media */
		0xee522f52, /* mrc p15, 2, r2, c2, c2, 2: what the VMM puts for MRS */
		0xee100f10, /* mrc p15, 0, r0, c0, c0 in User mode */
		0xee070f90, 0xec410f00, 0xed910f00, 0xee000000, 0xe8fd8000 /* ldm sp!, {pc}^ */, 0xe8d00010 /* ldm r0, {r4}^ */, 0xe8c00010 /* stm */, 0xee100e10 /* cp14 */,
		0xe1b0f00e /* movs pc, lr */, 0xf4ff0000,
	};

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		at_code(MODE_USR);
		reg_of_mode(MODE_UND, 14, 0);
		one(words[i]);
		expect_exception(MODE_UND, 4, CODE + 4, MODE_USR);
	}
	at_code(MODE_SVC | PSR_T);
	one_thumb(0xde00);
	expect_exception(MODE_UND, 4, CODE + 2, MODE_SVC | PSR_T);
}
END_TEST

START_TEST(bkpt)
{
	cpu.s.cp15.ifsr = 0x77;
	at_code(MODE_SYS);
	one(0xe1200070);
	expect_exception(MODE_ABT, 0xc, CODE + 4, MODE_SYS);
	ck_assert_uint_eq(cpu.s.cp15.ifsr, 0x77);
	at_code(MODE_SYS | PSR_T);
	one_thumb(0xbe00);
	expect_exception(MODE_ABT, 0xc, CODE + 4, MODE_SYS | PSR_T);
}
END_TEST

/* Nobody answers: external aborts; the base is as it was. */
START_TEST(aborts)
{
	at_code(MODE_SVC);
	cpu.s.r[1] = 0x80000000;
	cpu.s.r[0] = 5;
	one(0xe4910004); /* ldr r0, [r1], #4 */
	expect_exception(MODE_ABT, 0x10, CODE + 8, MODE_SVC);
	ck_assert_uint_eq(cpu.s.r[1], 0x80000000);
	ck_assert_uint_eq(cpu.s.r[0], 5);
	ck_assert_uint_eq(cpu.s.cp15.dfsr, FSR_EXTERNAL_SECTION);
	ck_assert_uint_eq(cpu.s.cp15.far, 0x80000000);
	at_code(MODE_SVC);
	cpu.s.r[1] = ARM_RAM - 8;
	for (unsigned i = 2; i < 8; i++)
		cpu.s.r[i] = i;
	one(0xe8b100fc); /* ldmia r1!, {r2-r7}: over the end */
	expect_exception(MODE_ABT, 0x10, CODE + 8, MODE_SVC);
	ck_assert_uint_eq(cpu.s.r[1], ARM_RAM - 8);
	ck_assert_uint_eq(cpu.s.r[2], 2);
	ck_assert_uint_eq(cpu.s.cp15.far, ARM_RAM);
	at_code(MODE_SVC | PSR_T);
	cpu.s.r[15] = 0x80000000;
	run(1);
	expect_exception(MODE_ABT, 0xc, 0x80000004, MODE_SVC | PSR_T);
	ck_assert_uint_eq(cpu.s.cp15.ifsr, FSR_EXTERNAL_SECTION);
}
END_TEST

START_TEST(high_vectors)
{
	at_code(MODE_SVC);
	mcr(1, 0, 0, CTL_V);
	one(0xef000000);
	ck_assert_uint_eq(cpu.s.r[15], 0xffff0008);
}
END_TEST

START_TEST(interrupts)
{
	put(CODE, 0xe3a00001); /* mov r0, #1 */
	put(0x18, 0xe25ef004); /* subs pc, lr, #4 */
	put(0x1c, 0xe25ef004);
	at_code(MODE_USR | PSR_I);
	arm_set_irq(&cpu, true);
	run(1);
	ck_assert_uint_eq(cpu.s.r[0], 1); /* masked */
	at_code(MODE_USR | PSR_C);
	run(1);
	expect_exception(MODE_IRQ, 0x18, CODE + 4, MODE_USR | PSR_C);
	ck_assert_uint_eq(cpu.s.cpsr, MODE_IRQ | PSR_I | PSR_C);
	arm_set_fiq(&cpu, true);
	run(1);
	expect_exception(MODE_FIQ, 0x1c, 0x18 + 4, MODE_IRQ | PSR_I | PSR_C);
	ck_assert_uint_eq(cpu.s.cpsr & PSR_F, PSR_F);
	arm_set_fiq(&cpu, false);
	arm_set_irq(&cpu, false);
	run(2);
	ck_assert_uint_eq(cpu.s.cpsr, MODE_USR | PSR_C);
	ck_assert_uint_eq(cpu.s.r[15], CODE);
	arm_set_irq(&cpu, true);
	arm_set_fiq(&cpu, true);
	run(1); /* FIQ first */
	ck_assert_uint_eq(cpu.s.cpsr & PSR_MODE, MODE_FIQ);
}
END_TEST

/* CP15 c7,c0,4 sleeps until an interrupt line is raised, masked or not. DDI0198 2.3.7 */
START_TEST(wait_for_interrupt)
{
	u64 before;

	at_code(MODE_SVC | PSR_I);
	put(CODE, 0xee070f90);
	put(CODE + 4, 0xe3a00007);
	before = icount;
	ck_assert_int_eq(arm_run(&cpu, 100), ARM_STOP_IDLE);
	ck_assert_uint_eq(icount - before, 1);
	ck_assert(!arm_awake(&cpu));
	ck_assert(!arm_deaf(&cpu));
	sched.kick = false;
	ck_assert_int_eq(arm_run(&cpu, 100), ARM_STOP_IDLE);
	arm_set_irq(&cpu, true);
	ck_assert(arm_awake(&cpu));
	run(1);
	ck_assert_uint_eq(cpu.s.r[0], 7);
}
END_TEST

START_TEST(returns)
{
	at_code(MODE_SVC);
	cpu.s.spsr[BANK_SVC] = MODE_USR | PSR_T | PSR_N;
	cpu.s.r[14] = DATA + 3;
	reg_of_mode(MODE_USR, 14, 0x1234);
	one(0xe1b0f00e); /* movs pc, lr */
	ck_assert_uint_eq(cpu.s.cpsr, MODE_USR | PSR_T | PSR_N);
	ck_assert_uint_eq(cpu.s.r[15], DATA + 2);
	ck_assert_uint_eq(cpu.s.r[14], 0x1234);
	at_code(MODE_ABT);
	cpu.s.spsr[BANK_ABT] = MODE_SVC;
	cpu.s.r[13] = DATA;
	for (unsigned i = 0; i < 4; i++)
		put(DATA + i * 4, 0x1000 + i * 4);
	one(0xe8fd9003); /* ldmia sp!, {r0, r1, r12, pc}^ */
	ck_assert_uint_eq(cpu.s.cpsr, MODE_SVC);
	ck_assert_uint_eq(cpu.s.r[15], 0x100c);
	ck_assert_uint_eq(cpu.s.r[12], 0x1008);
	ck_assert_uint_eq(arm_reg_of(&cpu, MODE_ABT, 13), DATA + 16);
}
END_TEST

/* ---- the ^ forms ---- */

START_TEST(user_bank)
{
	at_code(MODE_FIQ);
	for (unsigned n = 8; n < 15; n++) {
		reg_of_mode(MODE_USR, n, 0x100 + n);
		cpu.s.r[n] = 0x200 + n;
	}
	cpu.s.r[0] = DATA;
	one(0xe8c07f00); /* stmia r0, {r8-r14}^ */
	for (unsigned i = 0; i < 7; i++)
		ck_assert_uint_eq(get(DATA + i * 4), 0x108 + i);
	for (unsigned i = 0; i < 7; i++)
		put(DATA + i * 4, 0x300 + i);
	one(0xe8d07f00); /* ldmia r0, {r8-r14}^ */
	for (unsigned n = 8; n < 15; n++) {
		ck_assert_uint_eq(cpu.s.r[n], 0x200 + n);
		ck_assert_uint_eq(arm_reg_of(&cpu, MODE_USR, n), 0x300 + n - 8);
	}
	at_code(MODE_SVC); /* r8-r12 are everybody's but FIQ's */
	cpu.s.r[0] = DATA;
	one(0xe8d06100); /* ldmia r0, {r8, r13, r14}^ */
	ck_assert_uint_eq(cpu.s.r[8], 0x300);
	ck_assert_uint_eq(arm_reg_of(&cpu, MODE_USR, 13), 0x301);
}
END_TEST

/* ---- r15 ---- */

START_TEST(pc_reads_ahead)
{
	at_code(MODE_SVC);
	one(0xe1a0000f); /* mov r0, pc */
	ck_assert_uint_eq(cpu.s.r[0], CODE + 8);
	cpu.s.r[1] = DATA;
	one(0xe581f000); /* str pc, [r1]: + 12 */
	ck_assert_uint_eq(get(DATA), CODE + 12);
	one(0xe8818001); /* stm r1, {r0, pc} */
	ck_assert_uint_eq(get(DATA + 4), CODE + 12);
	at_code(MODE_SVC | PSR_T);
	one_thumb(0x4678); /* mov r0, pc */
	ck_assert_uint_eq(cpu.s.r[0], CODE + 4);
}
END_TEST

START_TEST(interworking)
{
	put(DATA, 0x3001);
	at_code(MODE_SVC);
	cpu.s.r[1] = DATA;
	one(0xe591f000); /* ldr pc, [r1] */
	ck_assert_uint_eq(cpu.s.r[15], 0x3000);
	ck_assert_uint_eq(cpu.s.cpsr & PSR_T, PSR_T);
	at_code(MODE_SVC);
	mcr(1, 0, 0, CTL_L4); /* as on ARMv4: bit 0 does not count. DDI0198 2.3.2 */
	cpu.s.r[1] = DATA;
	one(0xe591f000);
	ck_assert_uint_eq(cpu.s.r[15], 0x3000);
	ck_assert_uint_eq(cpu.s.cpsr & PSR_T, 0);
	one(0xe8918000); /* ldm r1, {pc} */
	ck_assert_uint_eq(cpu.s.cpsr & PSR_T, 0);
	cpu.s.r[2] = 0x4001;
	one(0xe12fff22); /* bxj r2: Jazelle in its trivial form */
	ck_assert_uint_eq(cpu.s.r[15], 0x4000);
	ck_assert_uint_eq(cpu.s.cpsr & (PSR_T | PSR_J), PSR_T);
}
END_TEST

/* ---- memory ---- */

/* DDI0100 A2.7.4: words rotate, stores align. */
START_TEST(unaligned)
{
	put(DATA, 0x44332211);
	at_code(MODE_SVC);
	cpu.s.r[1] = DATA + 1;
	one(0xe5910000); /* ldr r0, [r1] */
	ck_assert_uint_eq(cpu.s.r[0], 0x11443322);
	cpu.s.r[1] = DATA + 3;
	one(0xe5910000);
	ck_assert_uint_eq(cpu.s.r[0], 0x33221144);
	cpu.s.r[0] = 0xaabbccdd;
	one(0xe5810000); /* str */
	ck_assert_uint_eq(get(DATA), 0xaabbccdd);
	one(0xe1d100b0); /* ldrh: bit 0 is ignored */
	ck_assert_uint_eq(cpu.s.r[0], 0xaabb);
	one(0xe8910004); /* ldm r1, {r2} */
	ck_assert_uint_eq(cpu.s.r[2], 0xaabbccdd);
	cpu.s.r[4] = 0x12345678;
	one(0xe1010094); /* swp r0, r4, [r1]: loads with rotation */
	ck_assert_uint_eq(cpu.s.r[0], 0xbbccddaa);
	ck_assert_uint_eq(get(DATA), 0x12345678);
}
END_TEST

START_TEST(alignment_faults)
{
	static const struct {
		u32 insn, off;
	} bad[] = {{0xe5910000, 1}, {0xe5810000, 2}, {0xe1d100b0, 1}, {0xe1c100b0, 3}, {0xe1d100f0, 1}, {0xe8910006, 2}, {0xe8810005, 1},
	           {0xe1c120d0, 4}, {0xe1c120f0, 4}, {0xe1010090, 2}};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		at_code(MODE_SVC);
		mcr(1, 0, 0, CTL_A);
		cpu.s.r[1] = DATA + bad[i].off;
		one(bad[i].insn);
		expect_exception(MODE_ABT, 0x10, CODE + 8, MODE_SVC);
		ck_assert_uint_eq(cpu.s.cp15.dfsr & 15, FSR_ALIGNMENT);
		ck_assert_uint_eq(cpu.s.cp15.far, DATA + bad[i].off);
		ck_assert_uint_eq(cpu.s.r[1], DATA + bad[i].off);
	}
	at_code(MODE_SVC);
	cpu.s.r[1] = DATA + 1;
	one(0xe5d10000); /* ldrb */
	ck_assert_uint_eq(cpu.s.r[15], CODE + 4);
}
END_TEST

/* Word-invariant: words as they are, bytes and halfwords change places. DDI0100 A2.7.3 */
START_TEST(big_endian)
{
	put(DATA, 0x11223344);
	at_code(MODE_SVC);
	mcr(1, 0, 0, CTL_B);
	cpu.s.r[1] = DATA;
	one(0xe5910000);
	ck_assert_uint_eq(cpu.s.r[0], 0x11223344);
	one(0xe5d10000); /* ldrb r0, [r1] */
	ck_assert_uint_eq(cpu.s.r[0], 0x11);
	one(0xe5d10003);
	ck_assert_uint_eq(cpu.s.r[0], 0x44);
	one(0xe1d100b2); /* ldrh r0, [r1, #2] */
	ck_assert_uint_eq(cpu.s.r[0], 0x3344);
	one(0xe1d100d0); /* ldrsb */
	ck_assert_uint_eq(cpu.s.r[0], 0x11);
	cpu.s.r[0] = 0xaa;
	one(0xe5c10001); /* strb r0, [r1, #1] */
	ck_assert_uint_eq(get(DATA), 0x11aa3344);
	cpu.s.r[0] = 0xbbcc;
	one(0xe1c100b0); /* strh */
	ck_assert_uint_eq(get(DATA), 0xbbcc3344);
	cpu.s.cpsr |= PSR_T; /* Thumb code: the first halfword is the upper one */
	arm_state_changed(&cpu);
	put(CODE, 0x20052006); /* movs r0, #5; movs r0, #6 */
	cpu.s.r[15] = CODE;
	run(1);
	ck_assert_uint_eq(cpu.s.r[0], 5);
	run(1);
	ck_assert_uint_eq(cpu.s.r[0], 6);
}
END_TEST

START_TEST(semihosting_memory)
{
	char buf[8] = "";

	ck_assert(arm_write_virtual(&cpu, DATA + 0xffe, "hello", 6));
	ck_assert(arm_read_virtual(&cpu, DATA + 0xffe, buf, 6));
	ck_assert_str_eq(buf, "hello");
	ck_assert(!arm_read_virtual(&cpu, ARM_RAM - 2, buf, 6));
}
END_TEST

static u32 asked;
static bool semihost(void *arg, struct arm_cpu *c)
{
	(void)arg;
	asked++;
	if (c->s.r[0] != 4)
		return false;
	c->s.r[0] = 99;
	return true;
}
START_TEST(semihosting)
{
	cpu.semihost = semihost;
	at_code(MODE_SVC);
	cpu.s.r[0] = 4;
	one(0xef123456);
	ck_assert_uint_eq(cpu.s.r[0], 99);
	ck_assert_uint_eq(cpu.s.r[15], CODE + 4);
	one(0xef123456); /* not taken: a SWI */
	ck_assert_uint_eq(cpu.s.r[15], 8);
	ck_assert_uint_eq(asked, 2);
	at_code(MODE_USR | PSR_T);
	cpu.s.r[0] = 4;
	one_thumb(0xdfab);
	ck_assert_uint_eq(cpu.s.r[0], 99);
	at_code(MODE_USR);
	one(0xef123455);
	ck_assert_uint_eq(cpu.s.r[15], 8);
	ck_assert_uint_eq(asked, 3);
}
END_TEST

/* ---- blocks ---- */

/* Code that writes the next instruction but one, in a loop: stores reach the running block. */
START_TEST(code_that_changes)
{
	static const u32 words[] = {
		0xe3a00000, /* mov r0, #0 */
		0xe59f1018, /* loop: ldr r1, [pc, #24]: the word below */
		0xe0811000, /* add r1, r1, r0 */
		0xe58f1000, /* str r1, [pc, #0]: the next but one */
		0xe1a00000, /* nop */
		0xe1a00000, /* becomes mov r2, #r0 */
		0xe2800001, /* add r0, r0, #1 */
		0xe3500064, /* cmp r0, #100 */
		0x1afffff7, /* bne loop */
		0xe3a02000, /* the word: mov r2, #0; reached at the end */
	};

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		put(CODE + i * 4, words[i]);
	at_code(MODE_SVC);
	for (unsigned i = 1; i <= 100; i++) {
		run(i == 1 ? 9 : 8);
		ck_assert_uint_eq(cpu.s.r[2], i - 1);
	}
}
END_TEST

/* A program in one go, in pieces, and by single instructions: the same state. */
static const u32 program[] = {
	0xe3a00000, 0xe3a01a20, 0xe3a02001, /* mov r0, #0; mov r1, #0x20000; mov r2, #1 */
	0xe0820102, /* loop: add r0, r2, r2, lsl #2 */
	0xe0222460, /* eor r2, r2, r0, ror #8 */
	0xe4812004, /* str r2, [r1], #4 */
	0xe5113008, /* ldr r3, [r1, #-8] */
	0xe0922003, /* adds r2, r2, r3 */
	0x32822001, /* addcc r2, r2, #1 */
	0xe8a1000c, /* stm r1!, {r2, r3} */
	0xe3c110ff, /* bic r1, r1, #0xff */
	0x4282200d, /* addmi r2, r2, #13 */
	0xe2844001, /* add r4, r4, #1 */
	0xe3140007, /* tst r4, #7 */
	0x1afffff3, /* bne loop */
	0xef000000, /* swi */
	0xeafffff1, /* b loop */
};
static u64 hash_after(unsigned total, unsigned slice, unsigned hot)
{
	u64 h;

	arm_setup();
	arm_set_hot(&cpu, hot);
	for (unsigned i = 0; i < ARRAY_SIZE(program); i++)
		put(CODE + i * 4, program[i]);
	put(8, 0xe1b0f00e);
	at_code(MODE_USR);
	for (unsigned done = 0; done < total; done += slice)
		run(slice < total - done ? slice : total - done);
	h = arm_hash(&cpu, get(DATA));
	arm_teardown();
	return h;
}
START_TEST(blocks_are_steps)
{
	u64 h = hash_after(10007, 1, 0);

	ck_assert_uint_eq(hash_after(10007, 7, 0), h);
	ck_assert_uint_eq(hash_after(10007, 500, 0), h);
	ck_assert_uint_eq(hash_after(10007, 10007, 0), h);
	ck_assert_uint_eq(hash_after(10007, 10007, 24), h);
	ck_assert_uint_eq(hash_after(10007, 500, 2), h);
	ck_assert_uint_ne(hash_after(10006, 10006, 24), h);
}
END_TEST

/* ---- a debugger's ears ---- */

static u32 heard_va, heard_val, heard_n;
static bool stopping;
static bool stop_at(void *arg, struct arm_cpu *c, u32 va)
{
	(void)arg, (void)c;
	if (va != CODE + 8 || !stopping)
		return false;
	stopping = false;
	sched.kick = true;
	return true;
}
static bool wants(void *arg, struct arm_cpu *c, u32 va, u64 pa, unsigned size, bool write)
{
	(void)arg, (void)c, (void)pa, (void)size;
	return write && va == DATA + 4;
}
static void hear_access(void *arg, struct arm_cpu *c, u32 va, u64 pa, unsigned size, bool write, u64 val)
{
	(void)arg, (void)pa, (void)size, (void)write;
	heard_va = va;
	heard_val = (u32)val;
	heard_n++;
	ck_assert_uint_eq(arm_pc(c), CODE + 8);
}
static bool watched_page(void *arg, u32 va, u64 pa)
{
	(void)arg, (void)pa;
	return va >> 12 == DATA >> 12;
}
static const struct arm_spy spy = {NULL, stop_at, wants, hear_access};

/* mov r0, #1; str r0, [r1]; str r0, [r1, #4]; b back: stops before the third instruction, in the middle of a hot block. */
static void spy_program(void)
{
	put(CODE, 0xe2800001);
	put(CODE + 4, 0xe5810000);
	put(CODE + 8, 0xe5810004);
	put(CODE + 12, 0xeafffffb);
	at_code(MODE_SVC);
	cpu.s.r[1] = DATA;
	run(400);
	ck_assert_uint_eq(cpu.s.r[0], 100);
	cpu.spy = &spy;
	heard_va = heard_n = 0;
}

START_TEST(execution_spy)
{
	static u64 offsets[64];

	spy_program();
	offsets[((CODE + 8) & 0xfff) >> 6] = BIT((CODE + 8) & 63);
	arm_code_spy(&cpu, offsets, false);
	stopping = true;
	ck_assert_int_eq(arm_run(&cpu, 1000), ARM_STOP_KICK);
	ck_assert_uint_eq(cpu.s.r[15], CODE + 8);
	ck_assert_uint_eq(icount, 402);
	run(1); /* and goes on */
	ck_assert_uint_eq(cpu.s.r[15], CODE + 12);
	arm_code_spy(&cpu, NULL, false);
	run(1000);
}
END_TEST

START_TEST(data_spy)
{
	spy_program();
	tlb_arm_spy(&cpu.tlb, watched_page, NULL);
	run(399);
	ck_assert_uint_eq(heard_n, 100);
	ck_assert_uint_eq(heard_va, DATA + 4);
	ck_assert_uint_eq(heard_val, 200);
	ck_assert_uint_eq(get(DATA + 4), 200);
	tlb_arm_spy(&cpu.tlb, NULL, NULL);
	run(401);
	ck_assert_uint_eq(heard_n, 100);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("arm_cpu");
	TCase *t = tcase_create("cpu"), *own = tcase_create("own");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, arm_setup, arm_teardown);
	tcase_add_test(t, fields_cover_the_state);
	tcase_add_test(t, reset);
	tcase_add_test(t, banks);
	tcase_add_test(t, msr_in_user_mode);
	tcase_add_test(t, msr_privileged);
	tcase_add_test(t, swi);
	tcase_add_test(t, undefined);
	tcase_add_test(t, bkpt);
	tcase_add_test(t, aborts);
	tcase_add_test(t, high_vectors);
	tcase_add_test(t, interrupts);
	tcase_add_test(t, wait_for_interrupt);
	tcase_add_test(t, returns);
	tcase_add_test(t, user_bank);
	tcase_add_test(t, pc_reads_ahead);
	tcase_add_test(t, interworking);
	tcase_add_test(t, unaligned);
	tcase_add_test(t, alignment_faults);
	tcase_add_test(t, big_endian);
	tcase_add_test(t, semihosting_memory);
	tcase_add_test(t, semihosting);
	tcase_add_test(t, code_that_changes);
	tcase_add_test(t, execution_spy);
	tcase_add_test(t, data_spy);
	tcase_add_test(own, blocks_are_steps);
	suite_add_tcase(s, t);
	suite_add_tcase(s, own);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
