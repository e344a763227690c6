/*
 * Segment loads, far transfers, interrupts, IRET, tasks, virtual-8086 mode and system calls: one instruction at a time,
 * with the rule and the error code of each fault. APM2 ch. 4, 8, 12; APM3.
 */
#include "cpu_fixture.h"

#define MOV_DS_AX 0x8e, 0xd8
#define MOV_SS_AX 0x8e, 0xd0

static void setup(void) { cpu_setup(); }
static void teardown(void) { cpu_teardown(); }

/* ---- loading segment registers ---- */

static void load_raises(unsigned reg_ss, unsigned sel, unsigned vector, u32 err, enum x86_rule rule)
{
	c->r[R_AX] = sel;
	if (reg_ss)
		RUN(MOV_SS_AX);
	else
		RUN(MOV_DS_AX);
	raised(vector, err, rule);
	ck_assert(in_handler(vector));
	protected32(c->seg[SEG_CS].sel & 3); /* whatever the handler's CPL is, begin again at 0 */
}

START_TEST(data_segments)
{
	protected32(0);
	gdt_set(X, 0x1234, 0xfff, 0x092); /* accessed bit clear */
	c->r[R_AX] = X;
	RUN(MOV_DS_AX);
	quiet();
	ck_assert_uint_eq(c->seg[SEG_DS].base, 0x1234);
	ck_assert_uint_eq(c->seg[SEG_DS].limit, 0xfff);
	ck_assert_uint_eq(c->seg[SEG_DS].attr, 0x093);
	ck_assert_uint_eq(peek(GDT + X + 5, 1), 0x93);
	ck_assert_uint_eq(c->srlim[SEG_DS], 0x1000);
	ck_assert_uint_eq(c->swlim[SEG_DS], 0x1000);
	c->r[R_AX] = 3; /* null */
	RUN(MOV_DS_AX);
	quiet();
	ck_assert_uint_eq(c->seg[SEG_DS].attr, 0);
	ck_assert_uint_eq(c->srlim[SEG_DS], 0);
	load_raises(0, GDT_LIMIT + 1, VEC_GP, GDT_LIMIT + 1, RULE_SEL_LIMIT);
	load_raises(0, X | 4, VEC_GP, X | 4, RULE_SEL_LIMIT);
	gdt_set(X, 0, 0xfff, 0x099); /* execute-only */
	load_raises(0, X, VEC_GP, X, RULE_DATA_TYPE);
	load_raises(0, SEL_TSS, VEC_GP, SEL_TSS, RULE_DATA_TYPE);
	load_raises(0, D32 | 3, VEC_GP, D32, RULE_DATA_DPL);
	gdt_set(X, 0, 0xfff, 0x013);
	load_raises(0, X, VEC_NP, X, RULE_DATA_NOT_PRESENT);
	gdt_set(X, 0, 0xfff, 0x09e); /* conforming, readable: any privilege */
	c->r[R_AX] = X | 3;
	RUN(MOV_DS_AX);
	quiet();
	ck_assert_uint_eq(c->swlim[SEG_DS], 0);
	ck_assert_uint_eq(c->srlim[SEG_DS], 0x1000);
}
END_TEST

START_TEST(stack_segments)
{
	protected32(0);
	load_raises(1, 0, VEC_GP, 0, RULE_SS_NULL);
	load_raises(1, GDT_LIMIT + 1, VEC_GP, GDT_LIMIT + 1, RULE_SEL_LIMIT);
	load_raises(1, D32U, VEC_GP, D32U & ~3, RULE_SS_RPL);
	load_raises(1, D32U & ~3, VEC_GP, D32U & ~3, RULE_SS_DPL);
	load_raises(1, C32, VEC_GP, C32, RULE_SS_TYPE);
	gdt_set(X, 0, 0xfff, 0x091);
	load_raises(1, X, VEC_GP, X, RULE_SS_TYPE);
	gdt_set(X, 0, 0xfff, 0x013);
	load_raises(1, X, VEC_SS, X, RULE_SS_NOT_PRESENT);
	gdt_set(X, 0, 0xfff, 0x097); /* expand-down, 16-bit */
	c->r[R_AX] = X;
	RUN(MOV_SS_AX);
	quiet();
	ck_assert_uint_eq(c->swlim[SEG_SS], 0);
	ck_assert(!(c->mode & MODE_STACK32));
}
END_TEST

START_TEST(null_ss_in_64_bit_mode)
{
	long_mode(0, true);
	c->r[R_AX] = 0;
	RUN(MOV_SS_AX);
	quiet();
	c->r[R_AX] = 3;
	RUN(MOV_SS_AX);
	raised(VEC_GP, 0, RULE_SS_NULL);
	long_mode(3, true);
	c->r[R_AX] = 3;
	RUN(MOV_SS_AX);
	raised(VEC_GP, 0, RULE_SS_NULL);
}
END_TEST

START_TEST(null_keeps_the_base)
{
	long_mode(0, true);
	c->seg[SEG_FS].base = 0x123456789000;
	x86_seg_changed(c, SEG_FS);
	c->r[R_AX] = 0;
	RUN(0x8e, 0xe0);
	quiet();
	ck_assert_uint_eq(c->seg[SEG_FS].base, 0x123456789000);
	ck_assert_uint_eq(c->sbase[SEG_FS], 0x123456789000);
	ck_assert_uint_eq(c->seg[SEG_FS].sel, 0);
}
END_TEST

START_TEST(real_mode_keeps_limits)
{
	real_mode();
	c->seg[SEG_DS].limit = 0xffffffff; /* big real mode */
	x86_state_changed(c);
	c->r[R_AX] = 0x5000;
	RUN(MOV_DS_AX);
	quiet();
	ck_assert_uint_eq(c->seg[SEG_DS].base, 0x50000);
	ck_assert_uint_eq(c->srlim[SEG_DS], 0x100000000);
}
END_TEST

START_TEST(push_and_pop)
{
	protected32(0);
	c->r[R_SP] = STACK0;
	RUN(0x1e); /* push ds */
	ck_assert_uint_eq(c->r[R_SP], STACK0 - 4);
	ck_assert_uint_eq(peek(STACK0 - 4, 4), D32);
	poke(STACK0 - 4, 4, 0xffff0000 | D32);
	RUN(0x07); /* pop es */
	quiet();
	ck_assert_uint_eq(c->r[R_SP], STACK0);
	poke(STACK0, 4, D16);
	RUN(0x17); /* pop ss: the old stack's width moves ESP */
	quiet();
	ck_assert_uint_eq(c->r[R_SP], STACK0 + 4);
	ck_assert(!(c->mode & MODE_STACK32));
	ck_assert_uint_eq(c->shadow, 1);
}
END_TEST

START_TEST(load_far_pointers)
{
	protected32(0);
	poke(DATA, 4, 0x11223344);
	poke(DATA + 4, 2, D32);
	RUN(0x0f, 0xb5, 0x1d, IMM32(DATA)); /* lgs ebx, [DATA] */
	quiet();
	ck_assert_uint_eq(c->r[R_BX], 0x11223344);
	ck_assert_uint_eq(c->seg[SEG_GS].sel, D32);
	poke(DATA + 4, 2, D32 | 3);
	c->r[R_BX] = 7;
	RUN(0x0f, 0xb5, 0x1d, IMM32(DATA));
	raised(VEC_GP, D32, RULE_DATA_DPL);
	ck_assert_uint_eq(c->r[R_BX], 7);
}
END_TEST

/* ---- far transfers ---- */

#define JMP(sel, off)  0xea, IMM32(off), IMM16(sel)
#define CALL(sel, off) 0x9a, IMM32(off), IMM16(sel)

START_TEST(far_jumps)
{
	protected32(0);
	gdt_set(X, 0x1000, 0xffff, A_CODE16 & ~1);
	RUN(JMP(X, 0xffff));
	quiet();
	ck_assert_uint_eq(c->seg[SEG_CS].sel, X);
	ck_assert_uint_eq(c->rip, 0xffff);
	ck_assert_uint_eq(c->mode & MODE_SIZE, MODE_16);
	ck_assert_uint_eq(peek(GDT + X + 5, 1), 0x9b);
	protected32(0);
	gdt_set(X, 0x1000, 0xffff, A_CODE16);
	RUN(JMP(X, 0x10000));
	raised(VEC_GP, 0, RULE_TARGET_LIMIT);
	protected32(0);
	RUN(JMP(3, 0));
	raised(VEC_GP, 0, RULE_CS_NULL);
	RUN(JMP(D32, 0));
	raised(VEC_GP, D32, RULE_CS_TYPE);
	RUN(JMP(C32U, 0));
	raised(VEC_GP, C32U & ~3, RULE_CS_PRIVILEGE);
	gdt_set(X, 0, 0xfffff, A_CODE32 & ~0x80);
	RUN(JMP(X, 0));
	raised(VEC_NP, X, RULE_CS_NOT_PRESENT);
	RUN(JMP(SEL_TSS, 0)); /* busy */
	raised(VEC_GP, SEL_TSS, RULE_FAR_TYPE);
	protected32(3);
	gdt_set(X, 0, 0xfffff, A_CODE32 | 4); /* conforming, DPL 0 */
	RUN(JMP(X, CODE + 64));
	quiet();
	ck_assert_uint_eq(c->seg[SEG_CS].sel, X | 3);
	ck_assert_uint_eq(c->cpl, 3);
	protected32(3);
	RUN(JMP(C32, 0));
	raised(VEC_GP, C32, RULE_CS_PRIVILEGE);
}
END_TEST

START_TEST(far_calls_and_returns)
{
	protected32(0);
	RUN(CALL(C32, CODE + 0x100));
	quiet();
	ck_assert_uint_eq(c->rip, CODE + 0x100);
	ck_assert_uint_eq(c->r[R_SP], STACK0 - 8);
	ck_assert_uint_eq(peek(STACK0 - 4, 4), C32);
	ck_assert_uint_eq(peek(STACK0 - 8, 4), CODE + 7);
	RUN(0xca, IMM16(12));
	quiet();
	ck_assert_uint_eq(c->rip, CODE + 7);
	ck_assert_uint_eq(c->r[R_SP], STACK0 + 12);
	protected32(3);
	poke(STACK3, 4, CODE);
	poke(STACK3 + 4, 4, C32);
	RUN(0xcb);
	raised(VEC_GP, C32, RULE_RETURN_INWARD);
	protected32(0);
	poke(STACK0, 4, CODE + 9);
	poke(STACK0 + 4, 4, C32U);
	poke(STACK0 + 8 + 4, 4, STACK3); /* after 4 bytes of parameters */
	poke(STACK0 + 12 + 4, 4, D32U);
	RUN(0xca, IMM16(4));
	quiet();
	ck_assert_uint_eq(c->cpl, 3);
	ck_assert_uint_eq(c->r[R_SP], STACK3 + 4);
	ck_assert_uint_eq(c->seg[SEG_SS].sel, D32U);
	ck_assert_uint_eq(c->seg[SEG_DS].sel, 0); /* was DPL 0 */
	ck_assert_uint_eq(c->seg[SEG_DS].attr, 0);
	protected32(0);
	poke(STACK0, 4, CODE);
	poke(STACK0 + 4, 4, C32U);
	poke(STACK0 + 12, 4, D32);
	RUN(0xcb);
	raised(VEC_GP, D32, RULE_SS_RPL);
	ck_assert_uint_eq(c->cpl, 0);
}
END_TEST

static void call_gate(unsigned sel, unsigned type, unsigned dpl, unsigned params)
{
	poke(GDT + X2, 8, gate(sel, CODE + 0x200, type, dpl, params));
}

START_TEST(call_gates)
{
	protected32(3);
	call_gate(C32, TYPE_CALL, 3, 2);
	poke(STACK3, 4, 0x1111);
	poke(STACK3 + 4, 4, 0x2222);
	RUN(CALL(X2 | 3, 0xdead));
	quiet();
	ck_assert_uint_eq(c->rip, CODE + 0x200);
	ck_assert_uint_eq(c->cpl, 0);
	ck_assert_uint_eq(c->seg[SEG_SS].sel, D32);
	ck_assert_uint_eq(c->r[R_SP], STACK0 - 24);
	ck_assert_uint_eq(peek(STACK0 - 4, 4), D32U);
	ck_assert_uint_eq(peek(STACK0 - 8, 4), STACK3);
	ck_assert_uint_eq(peek(STACK0 - 12, 4), 0x2222);
	ck_assert_uint_eq(peek(STACK0 - 16, 4), 0x1111);
	ck_assert_uint_eq(peek(STACK0 - 20, 4), C32U);
	ck_assert_uint_eq(peek(STACK0 - 24, 4), CODE + 7);
	RUN(0xca, IMM16(8)); /* and back */
	quiet();
	ck_assert_uint_eq(c->cpl, 3);
	ck_assert_uint_eq(c->rip, CODE + 7);
	ck_assert_uint_eq(c->r[R_SP], STACK3 + 8);
	protected32(3);
	call_gate(C32R1, TYPE_CALL16, 3, 1);
	RUN(CALL(X2 | 3, 0));
	quiet();
	ck_assert_uint_eq(c->cpl, 1);
	ck_assert_uint_eq(c->r[R_SP], STACK1 - 10);
	ck_assert_uint_eq(peek(STACK1 - 10, 2), (u16)(CODE + 7));
}
END_TEST

START_TEST(call_gate_faults)
{
	protected32(3);
	call_gate(C32, TYPE_CALL, 2, 0);
	RUN(CALL(X2 | 3, 0));
	raised(VEC_GP, X2, RULE_GATE_DPL);
	protected32(3);
	call_gate(C32, TYPE_CALL, 3, 0);
	poke(GDT + X2 + 5, 1, 0x6c);
	RUN(CALL(X2 | 3, 0));
	raised(VEC_NP, X2, RULE_GATE_NOT_PRESENT);
	protected32(3);
	call_gate(C32, TYPE_CALL, 3, 0);
	RUN(JMP(X2 | 3, 0)); /* inner level by JMP */
	raised(VEC_GP, C32, RULE_CS_PRIVILEGE);
	protected32(3);
	call_gate(2, TYPE_CALL, 3, 0);
	RUN(CALL(X2 | 3, 0));
	raised(VEC_GP, 0, RULE_CS_NULL);
	protected32(3);
	call_gate(C32, TYPE_CALL, 3, 0);
	poke(TSS1 + 8, 2, D32U);
	RUN(CALL(X2 | 3, 0));
	ck_assert_uint_eq(exceptions, 4); /* #TS; its delivery needs that stack too: #TS, #DF, #TS; shutdown */
	ck_assert_str_eq(x86_rules[c->first_fault[0].rule].id, "SS_RPL");
	ck_assert_uint_eq(c->first_fault[0].vector, VEC_TS);
	ck_assert_uint_eq(c->first_fault[0].error, D32U & ~3);
	ck_assert_uint_eq(c->activity, ACT_SHUTDOWN);
}
END_TEST

START_TEST(call_gate_stack_limit)
{
	protected32(3);
	c->activity = ACT_RUN;
	call_gate(C32, TYPE_CALL, 3, 0);
	gdt_set(X, 0, 0x10, 0x493);
	poke(TSS1 + 4, 4, 0x11 + 8); /* two pushes fit, but start beyond the limit */
	poke(TSS1 + 8, 2, X);
	idt32(VEC_SS, C32R1, TYPE_INT, 3);
	RUN(CALL(X2 | 3, 0));
	raised(VEC_SS, X, RULE_SS_LIMIT);
	ck_assert_uint_eq(c->cpl, 1);
	ck_assert_uint_eq(peek(STACK1 - 20 - 4, 4), X); /* error code below SS ESP EFLAGS CS EIP */
}
END_TEST

START_TEST(long_mode_transfers)
{
	long_mode(0, true);
	poke(DATA, 4, CODE + 0x300);
	poke(DATA + 4, 2, C32);
	RUN(0xff, 0x2c, 0x25, IMM32(DATA)); /* jmp far [DATA]: compatibility mode */
	quiet();
	ck_assert_uint_eq(c->mode & MODE_SIZE, MODE_32);
	ck_assert_uint_eq(c->rip, CODE + 0x300);
	long_mode(0, true);
	gdt_set(X, 0, 0xfffff, A_CODE64 | ATTR_DB);
	poke(DATA + 4, 2, X);
	RUN(0xff, 0x2c, 0x25, IMM32(DATA));
	raised(VEC_GP, X, RULE_CS_L_AND_D);
	long_mode(0, true);
	poke(DATA + 4, 2, SEL_TSS2); /* no task switches */
	RUN(0xff, 0x2c, 0x25, IMM32(DATA));
	raised(VEC_GP, SEL_TSS2, RULE_FAR_TYPE);
	/* a 64-bit call gate from compatibility mode, inner level */
	long_mode(3, false);
	call_gate(C64, TYPE_CALL, 3, 0);
	poke(GDT + X2 + 8, 8, 0);
	RUN(CALL(X2 | 3, 0));
	quiet();
	ck_assert_uint_eq(c->mode & MODE_SIZE, MODE_64);
	ck_assert_uint_eq(c->cpl, 0);
	ck_assert_uint_eq(c->seg[SEG_SS].sel, 0);
	ck_assert_uint_eq(c->r[R_SP], STACK0 - 32);
	ck_assert_uint_eq(peek(STACK0 - 32, 8), CODE + 7);
	RUN(0x48, 0xcb); /* retfq */
	quiet();
	ck_assert_uint_eq(c->cpl, 3);
	ck_assert_uint_eq(c->mode & MODE_SIZE, MODE_32);
	ck_assert_uint_eq(c->r[R_SP], STACK3);
	long_mode(3, false);
	poke(GDT + X2 + 8, 8, BIT(40));
	RUN(CALL(X2 | 3, 0));
	raised(VEC_GP, X2, RULE_GATE_UPPER);
	long_mode(3, false);
	call_gate(C32, TYPE_CALL, 3, 0);
	poke(GDT + X2 + 8, 8, 0);
	RUN(CALL(X2 | 3, 0));
	raised(VEC_GP, C32, RULE_GATE_CS_64);
}
END_TEST

/* ---- interrupts and IRET ---- */

START_TEST(real_mode_interrupts)
{
	real_mode();
	c->flags |= FLAG_IF | FLAG_TF;
	c->flags &= ~FLAG_TF;
	RUN(0xcd, 0x21);
	quiet();
	ck_assert_uint_eq(c->seg[SEG_CS].sel, HANDLER >> 4);
	ck_assert_uint_eq(c->rip, 0x210);
	ck_assert_uint_eq(c->r[R_SP], 0xffa);
	ck_assert_uint_eq(peek(STACK0 + 0xffa, 2), 2);
	ck_assert_uint_eq(peek(STACK0 + 0xffc, 2), CODE >> 4);
	ck_assert_uint_eq(peek(STACK0 + 0xffe, 2), FLAG_IF | 2);
	ck_assert(!(c->flags & FLAG_IF));
	real_mode();
	poke(STACK0 + 0x1000, 2, 0x123);
	poke(STACK0 + 0x1002, 2, 0x700);
	poke(STACK0 + 0x1004, 2, FLAG_IF | FLAG_CF | FLAG_IOPL);
	RUN(0xcf);
	quiet();
	ck_assert_uint_eq(c->rip, 0x123);
	ck_assert_uint_eq(c->seg[SEG_CS].base, 0x7000);
	ck_assert_uint_eq(x86_get_flags(c), FLAG_IF | FLAG_CF | FLAG_IOPL | FLAG_1);
	real_mode();
	c->idt.limit = 0x21 * 4 + 2; /* one byte short; the #GP vector is there */
	RUN(0xcd, 0x21);
	raised(VEC_GP, 0x21 * 8 + 2, RULE_IDT_LIMIT);
	ck_assert_uint_eq(c->r[R_SP], 0xffa); /* no error code on the stack */
}
END_TEST

START_TEST(gates)
{
	protected32(0);
	c->flags |= FLAG_IF | FLAG_NT;
	RUN(0xcd, 0x80);
	quiet();
	ck_assert(in_handler(0x80));
	ck_assert_uint_eq(c->r[R_SP], STACK0 - 12);
	ck_assert_uint_eq(peek(STACK0 - 4, 4), FLAG_IF | FLAG_NT | 2);
	ck_assert_uint_eq(peek(STACK0 - 8, 4), C32);
	ck_assert_uint_eq(peek(STACK0 - 12, 4), CODE + 2);
	ck_assert(!(c->flags & (FLAG_IF | FLAG_NT)));
	protected32(3);
	c->flags |= FLAG_IF;
	idt32(0x80, C32, TYPE_TRAP, 3);
	RUN(0xcd, 0x80);
	quiet();
	ck_assert_uint_eq(c->cpl, 0);
	ck_assert_uint_eq(c->r[R_SP], STACK0 - 20);
	ck_assert_uint_eq(peek(STACK0 - 4, 4), D32U);
	ck_assert_uint_eq(peek(STACK0 - 8, 4), STACK3);
	ck_assert(c->flags & FLAG_IF);
	RUN(0xcf);
	quiet();
	ck_assert_uint_eq(c->cpl, 3);
	ck_assert_uint_eq(c->rip, CODE + 2);
	ck_assert_uint_eq(c->r[R_SP], STACK3);
	ck_assert_uint_eq(c->seg[SEG_CS].sel, C32U);
	idt32(0x80, C32, TYPE_INT16, 3);
	RUN(0xcd, 0x80);
	quiet();
	ck_assert_uint_eq(c->r[R_SP], STACK0 - 10);
}
END_TEST

START_TEST(gate_faults)
{
	static const struct {
		unsigned sel, type, dpl, vector;
		s64 err;
		enum x86_rule rule;
	} t[] = {
		{C32, TYPE_CALL, 3, VEC_GP, 0x80 * 8 + 2, RULE_IDT_TYPE},
		{C32, TYPE_INT, 2, VEC_GP, 0x80 * 8 + 2, RULE_IDT_DPL},
		{0, TYPE_INT, 3, VEC_GP, 0, RULE_CS_NULL},
		{D32, TYPE_INT, 3, VEC_GP, D32, RULE_CS_TYPE},
		{GDT_LIMIT + 1, TYPE_INT, 3, VEC_GP, GDT_LIMIT + 1, RULE_SEL_LIMIT},
		{SEL_TSS, TYPE_TASK, 3, VEC_GP, SEL_TSS, RULE_TSS_TYPE},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		protected32(3);
		idt32(0x80, t[i].sel, t[i].type, t[i].dpl);
		RUN(0xcd, 0x80);
		raised(t[i].vector, t[i].err, t[i].rule);
		ck_assert_uint_eq(peek(STACK0 - 20, 4), CODE); /* the INT itself */
		ck_assert_uint_eq(peek(STACK0 - 12, 4) & FLAG_RF, FLAG_RF);
	}
	protected32(3);
	poke(IDT + 8 * 0x80 + 5, 1, 0x6e);
	RUN(0xcd, 0x80);
	raised(VEC_NP, 0x80 * 8 + 2, RULE_IDT_NOT_PRESENT);
	protected32(3);
	c->idt.limit = 0x80 * 8 + 6;
	RUN(0xcd, 0x80);
	raised(VEC_GP, 0x80 * 8 + 2, RULE_IDT_LIMIT);
}
END_TEST

/* A fault while a fault is delivered: EXT is set, and the table of double faults holds. APM2 8.2.9 */
START_TEST(double_faults)
{
	protected32(3);
	idt32(VEC_UD, D32, TYPE_INT, 0); /* benign, then #GP: #GP with EXT */
	RUN(0x0f, 0x0b);
	ck_assert_uint_eq(exceptions, 2);
	ck_assert_uint_eq(last.a & 0xff, VEC_GP);
	ck_assert_uint_eq(last.b, D32 | 1);
	ck_assert(in_handler(VEC_GP));
	protected32(3);
	idt32(VEC_GP, D32, TYPE_INT, 0); /* contributory twice: #DF */
	RUN(0xf4);
	ck_assert_uint_eq(exceptions, 3);
	ck_assert_uint_eq(last.a & 0xff, VEC_DF);
	ck_assert(in_handler(VEC_DF));
	ck_assert_uint_eq(peek(STACK0 - 24, 4), 0); /* its error code */
	protected32(3);
	idt32(VEC_GP, D32, TYPE_INT, 0);
	idt32(VEC_DF, D32, TYPE_INT, 0);
	RUN(0xf4);
	ck_assert_uint_eq(exceptions, 4);
	ck_assert_uint_eq(c->activity, ACT_SHUTDOWN);
	ck_assert_uint_eq(c->faults, 3);
	ck_assert_uint_eq(c->first_fault[0].vector, VEC_GP);
	ck_assert_str_eq(x86_rules[c->first_fault[1].rule].id, "CS_TYPE");
	ck_assert_uint_eq(c->first_rip[0], CODE);
}
END_TEST

START_TEST(ext_of_interrupts)
{
	protected32(3);
	idt32(0x90, D32, TYPE_INT, 0);
	c->rip = CODE;
	if (!setjmp(c->unwind))
		x86_interrupt(c, 0x90, false);
	ck_assert_uint_eq(c->exc.vector, VEC_GP);
	ck_assert_uint_eq(c->exc.error, D32 | 1);
}
END_TEST

START_TEST(long_mode_interrupts)
{
	long_mode(3, true);
	c->r[R_SP] = STACK3 - 3;
	c->flags |= FLAG_IF;
	RUN(0xcd, 0x80);
	quiet();
	ck_assert_uint_eq(c->cpl, 0);
	ck_assert_uint_eq(c->seg[SEG_SS].sel, 0);
	ck_assert_uint_eq(c->r[R_SP], STACK0 - 40);
	ck_assert_uint_eq(peek(STACK0 - 40, 8), CODE + 2);
	ck_assert_uint_eq(peek(STACK0 - 32, 8), C64U);
	ck_assert_uint_eq(peek(STACK0 - 24, 8), FLAG_IF | 2);
	ck_assert_uint_eq(peek(STACK0 - 16, 8), STACK3 - 3);
	ck_assert_uint_eq(peek(STACK0 - 8, 8), D32U);
	RUN(0x48, 0xcf);
	quiet();
	ck_assert_uint_eq(c->cpl, 3);
	ck_assert_uint_eq(c->r[R_SP], STACK3 - 3);
	ck_assert_uint_eq(c->seg[SEG_SS].sel, D32U);
	/* the same level: the stack is aligned all the same; with an error code */
	long_mode(0, true);
	c->r[R_SP] = STACK0 - 5;
	RUN(0x8e, 0xd8);
	quiet();
	c->r[R_AX] = GDT_LIMIT + 1;
	RUN(0x8e, 0xd8);
	raised(VEC_GP, GDT_LIMIT + 1, RULE_SEL_LIMIT);
	ck_assert_uint_eq(c->r[R_SP], STACK0 - 16 - 48);
	ck_assert_uint_eq(peek(STACK0 - 64, 8), GDT_LIMIT + 1);
	ck_assert_uint_eq(c->seg[SEG_SS].sel, D32); /* no change of level, no change of SS */
	/* IST */
	long_mode(0, true);
	idt64(0x80, C64, TYPE_INT, 0, 1);
	RUN(0xcd, 0x80);
	quiet();
	ck_assert_uint_eq(c->r[R_SP], IST1 - 40);
}
END_TEST

START_TEST(long_mode_gate_faults)
{
	long_mode(3, true);
	idt64(0x80, C32, TYPE_INT, 3, 0);
	RUN(0xcd, 0x80);
	raised(VEC_GP, C32, RULE_GATE_CS_64);
	long_mode(3, true);
	idt64(0x80, C64, TYPE_TASK, 3, 0);
	RUN(0xcd, 0x80);
	raised(VEC_GP, 0x80 * 8 + 2, RULE_IDT_TYPE);
	long_mode(3, true);
	poke(IDT + 16 * 0x80 + 8, 4, 0x800000);
	RUN(0xcd, 0x80);
	raised(VEC_GP, 0, RULE_TARGET_NONCANONICAL);
	long_mode(3, true);
	idt64(0x80, C64, TYPE_INT, 3, 7);
	c->seg[SEG_TR].limit = 0x5a;
	RUN(0xcd, 0x80);
	raised(VEC_TS, SEL_TSS, RULE_TSS_STACK);
	long_mode(3, true);
	idt64(0x80, C64, TYPE_INT, 3, 1);
	poke(TSS1 + 0x24, 8, 0x900000000000);
	RUN(0xcd, 0x80);
	ck_assert_uint_eq(exceptions, 1);
	raised(VEC_SS, 0, RULE_SS_NONCANONICAL);
	long_mode(0, true);
	c->flags |= FLAG_NT;
	RUN(0x48, 0xcf);
	raised(VEC_GP, 0, RULE_IRET_NT);
}
END_TEST

static void iret_frame(u64 sp, u64 rip, u64 cs, u64 flags, u64 rsp, u64 ss)
{
	const u64 v[] = {rip, cs, flags, rsp, ss};

	c->r[R_SP] = sp;
	for (unsigned i = 0; i < 5; i++)
		poke(sp + 8 * i, 8, v[i]);
}

START_TEST(iretq)
{
	long_mode(0, true);
	iret_frame(STACK0, CODE, C64, FLAG_IOPL, STACK1, 0); /* a null SS is fine above user level */
	RUN(0x48, 0xcf);
	quiet();
	ck_assert_uint_eq(c->r[R_SP], STACK1);
	ck_assert_uint_eq(c->flags & FLAG_IOPL, FLAG_IOPL);
	iret_frame(STACK0, CODE, C64U, 0, STACK1, 0);
	RUN(0x48, 0xcf);
	raised(VEC_GP, 0, RULE_SS_NULL);
	long_mode(0, true);
	iret_frame(STACK0, 1ull << 47, C64U, 0, STACK1, D32U);
	RUN(0x48, 0xcf);
	raised(VEC_GP, 0, RULE_TARGET_NONCANONICAL);
	long_mode(0, true);
	c->nmi_masked = 1;
	c->seg[SEG_FS].base = 0x1234500000;
	c->seg[SEG_FS].attr = 0;                               /* null selector, base by MSR: not touched */
	iret_frame(STACK0, CODE, C32U, FLAG_IF, STACK3, D32U); /* compatibility mode */
	RUN(0x48, 0xcf);
	quiet();
	ck_assert_uint_eq(c->mode & MODE_SIZE, MODE_32);
	ck_assert_uint_eq(c->seg[SEG_DS].sel, 0);
	ck_assert_uint_eq(c->seg[SEG_FS].base, 0x1234500000);
	ck_assert_uint_eq(c->nmi_masked, 0);
	ck_assert(c->flags & FLAG_IF);
	/* user level may not touch IF and IOPL */
	long_mode(3, true);
	iret_frame(STACK3, CODE, C64U, FLAG_IF | FLAG_IOPL | FLAG_CF, STACK3, D32U);
	RUN(0x48, 0xcf);
	quiet();
	ck_assert_uint_eq(x86_get_flags(c), FLAG_CF | FLAG_1);
}
END_TEST

/* ---- virtual-8086 mode ---- */

START_TEST(v86_entry_and_exit)
{
	static const u32 frame[] = {0x123, CODE >> 4, FLAG_VM | FLAG_IF | FLAG_1, 0x800, 0x3000, 0x1, 0x2, 0x3, 0x4};

	protected32(0);
	for (unsigned i = 0; i < 9; i++)
		poke(STACK0 + 4 * i, 4, frame[i]);
	RUN(0xcf);
	quiet();
	ck_assert_uint_eq(c->cpl, 3);
	ck_assert(c->mode & MODE_VM);
	ck_assert_uint_eq(c->rip, 0x123);
	ck_assert_uint_eq(c->r[R_SP], 0x800);
	ck_assert_uint_eq(c->seg[SEG_SS].base, 0x30000);
	ck_assert_uint_eq(c->seg[SEG_GS].base, 0x40);
	ck_assert_uint_eq(c->srlim[SEG_GS], 0x10000);
	virtual86(3);
	RUN(0xcd, 0x80);
	quiet();
	ck_assert_uint_eq(c->cpl, 0);
	ck_assert(!(c->mode & MODE_VM));
	ck_assert_uint_eq(c->r[R_SP], STACK0 - 36);
	ck_assert_uint_eq(peek(STACK0 - 36, 4), 2);
	ck_assert_uint_eq(peek(STACK0 - 28, 4), FLAG_VM | FLAG_IOPL | FLAG_1);
	ck_assert_uint_eq(peek(STACK0 - 24, 4), 0x1000);
	ck_assert_uint_eq(peek(STACK0 - 4, 4), DATA >> 4);
	ck_assert_uint_eq(c->seg[SEG_DS].attr, 0);
	virtual86(0);
	RUN(0xcd, 0x80);
	raised(VEC_GP, 0, RULE_V86_IOPL);
	virtual86(3);
	idt32(0x80, C32R1, TYPE_INT, 3);
	RUN(0xcd, 0x80);
	raised(VEC_GP, C32R1 & ~3, RULE_V86_HANDLER);
	virtual86(0); /* INT3 asks nobody's IOPL */
	RUN(0xcc);
	ck_assert(in_handler(VEC_BP));
}
END_TEST

START_TEST(v86_flags)
{
	static const u8 insn[][2] = {{0x9c}, {0x9d}, {0xcf}, {0xfa}, {0xfb}, {0x66, 0x9c}, {0x66, 0x9d}, {0x66, 0xcf}};

	for (unsigned i = 0; i < ARRAY_SIZE(insn); i++) {
		virtual86(2);
		run_bytes(insn[i], 2);
		raised(VEC_GP, 0, insn[i][0] >= 0xfa ? RULE_CLI_IOPL : RULE_V86_IOPL);
	}
	virtual86(0);
	c->cr4 = CR4_VME;
	RUN(0xfb);
	quiet();
	ck_assert_uint_eq(c->flags & (FLAG_VIF | FLAG_IF), FLAG_VIF);
	RUN(0x9c);
	ck_assert_uint_eq(peek(STACK3 - 2, 2), FLAG_IOPL | FLAG_IF | 2);
	RUN(0x9d);
	quiet();
	RUN(0xfa);
	ck_assert_uint_eq(c->flags & (FLAG_VIF | FLAG_IF), 0);
	c->flags |= FLAG_VIP;
	RUN(0xfb);
	raised(VEC_GP, 0, RULE_VIF_VIP);
	virtual86(0);
	c->cr4 = CR4_VME;
	poke(STACK3, 2, FLAG_TF);
	RUN(0x9d);
	raised(VEC_GP, 0, RULE_VME_TF);
	virtual86(0);
	c->cr4 = CR4_VME;
	poke(STACK3, 2, 0x10);
	poke(STACK3 + 2, 2, CODE >> 4);
	poke(STACK3 + 4, 2, FLAG_IF | FLAG_CF);
	RUN(0xcf);
	quiet();
	ck_assert_uint_eq(x86_get_flags(c), FLAG_VM | FLAG_VIF | FLAG_CF | FLAG_1);
}
END_TEST

START_TEST(v86_redirection)
{
	virtual86(0);
	c->cr4 = CR4_VME;
	c->seg[SEG_TR].limit = 0x67 + 32 + 8;
	poke(TSS1 + 102, 2, 0x68 + 32);
	poke(TSS1 + 0x68 + 4, 1, 0xfd); /* only vector 21h goes to the 8086 program */
	poke(4 * 0x21, 4, 0x4000 << 16 | 0x77);
	c->flags |= FLAG_VIF;
	RUN(0xcd, 0x21);
	quiet();
	ck_assert_uint_eq(c->seg[SEG_CS].base, 0x40000);
	ck_assert_uint_eq(c->rip, 0x77);
	ck_assert_uint_eq(c->r[R_SP], 0xffa);
	ck_assert_uint_eq(peek(STACK3 - 2, 2), FLAG_IOPL | FLAG_IF | 2);
	ck_assert(!(c->flags & FLAG_VIF));
	ck_assert(c->mode & MODE_VM);
	virtual86(0);
	c->cr4 = CR4_VME;
	c->seg[SEG_TR].limit = 0x67 + 32 + 8;
	RUN(0xcd, 0x20);
	raised(VEC_GP, 0, RULE_V86_IOPL);
}
END_TEST

START_TEST(pvi)
{
	protected32(3);
	RUN(0xfb);
	raised(VEC_GP, 0, RULE_CLI_IOPL);
	protected32(3);
	c->cr4 = CR4_PVI;
	RUN(0xfb);
	quiet();
	ck_assert_uint_eq(c->flags & (FLAG_VIF | FLAG_IF), FLAG_VIF);
	ck_assert_uint_eq(c->shadow, 0);
	protected32(0);
	RUN(0xfb);
	ck_assert_uint_eq(c->shadow, 1);
	ck_assert(c->pending & PEND_SHADOW);
}
END_TEST

/* ---- tasks ---- */

static void task2(u32 eip)
{
	poke(TSS2 + 32, 4, eip);
	poke(TSS2 + 36, 4, FLAG_1 | FLAG_IF);
	for (unsigned i = 0; i < 8; i++)
		poke(TSS2 + 40 + 4 * i, 4, i == 4 ? STACK1 : 0x100 + i);
	for (unsigned i = 0; i < 6; i++)
		poke(TSS2 + 72 + 4 * i, 4, i == SEG_CS ? C32 : D32);
	poke(TSS2 + 96, 4, 0);
	poke(TSS2 + 100, 2, 0);
}

START_TEST(task_switches)
{
	protected32(0);
	task2(CODE + 0x400);
	poke(CODE + 0x400, 1, 0x90);
	c->r[R_BX] = 0xb;
	RUN(CALL(SEL_TSS2, 0));
	quiet();
	ck_assert_uint_ge(c->rip, CODE + 0x400);
	ck_assert_uint_eq(c->seg[SEG_TR].sel, SEL_TSS2);
	ck_assert_uint_eq(c->seg[SEG_TR].attr, A_TSS_BUSY);
	ck_assert_uint_eq(peek(GDT + SEL_TSS2 + 5, 1), 0x8b);
	ck_assert_uint_eq(peek(GDT + SEL_TSS + 5, 1), 0x8b); /* nested: both busy */
	ck_assert_uint_eq(peek(TSS2, 2), SEL_TSS);
	ck_assert_uint_eq(peek(TSS1 + 32, 4), CODE + 7);
	ck_assert_uint_eq(peek(TSS1 + 52, 4), 0xb);
	ck_assert_uint_eq(peek(TSS1 + 76, 2), C32);
	ck_assert_uint_eq(c->flags & (FLAG_NT | FLAG_IF), FLAG_NT | FLAG_IF);
	ck_assert_uint_eq(c->r[R_BX], 0x103);
	ck_assert_uint_eq(c->r[R_SP], STACK1);
	ck_assert(c->cr0 & CR0_TS);
	RUN(0xcf); /* back through the link */
	quiet();
	ck_assert_uint_eq(c->seg[SEG_TR].sel, SEL_TSS);
	ck_assert_uint_eq(c->r[R_BX], 0xb);
	ck_assert_uint_ge(c->rip, CODE + 7);
	ck_assert_uint_eq(peek(GDT + SEL_TSS2 + 5, 1), 0x89);
	ck_assert_uint_eq(peek(TSS2 + 36, 4) & FLAG_NT, 0);
	ck_assert_uint_eq(c->flags & FLAG_NT, 0);
	RUN(JMP(SEL_TSS2, 0));
	quiet();
	ck_assert_uint_eq(peek(GDT + SEL_TSS + 5, 1), 0x89);
	ck_assert_uint_eq(c->flags & FLAG_NT, 0);
}
END_TEST

START_TEST(task_gates_take_error_codes)
{
	protected32(3);
	task2(HANDLER + 16 * VEC_GP);
	poke(IDT + 8 * VEC_GP, 8, gate(SEL_TSS2, 0, TYPE_TASK, 0, 0));
	c->r[R_AX] = GDT_LIMIT + 1;
	RUN(MOV_DS_AX);
	raised(VEC_GP, GDT_LIMIT + 1, RULE_SEL_LIMIT);
	ck_assert(in_handler(VEC_GP));
	ck_assert_uint_eq(c->cpl, 0);
	ck_assert_uint_eq(c->r[R_SP], STACK1 - 4);
	ck_assert_uint_eq(peek(STACK1 - 4, 4), GDT_LIMIT + 1);
	ck_assert_uint_eq(peek(TSS1 + 32, 4), CODE);
	ck_assert(peek(TSS1 + 36, 4) & FLAG_RF);
	ck_assert(c->flags & FLAG_NT);
}
END_TEST

START_TEST(task_faults)
{
	protected32(0);
	task2(CODE + 0x400);
	gdt_set(SEL_TSS2, TSS2, 0x66, A_TSS);
	RUN(JMP(SEL_TSS2, 0));
	raised(VEC_TS, SEL_TSS2, RULE_TSS_LIMIT);
	ck_assert_uint_eq(c->seg[SEG_TR].sel, SEL_TSS); /* still the old task */
	protected32(0);
	task2(CODE + 0x400);
	gdt_set(SEL_TSS2, TSS2, 0x67, A_TSS & ~0x80);
	RUN(JMP(SEL_TSS2, 0));
	raised(VEC_NP, SEL_TSS2, RULE_GATE_NOT_PRESENT);
	protected32(0);
	task2(CODE + 0x400);
	poke(TSS2 + 72 + 4 * SEG_DS, 4, C64 | 4);
	RUN(JMP(SEL_TSS2, 0));
	raised(VEC_TS, C64 | 4, RULE_SEL_LIMIT);
	ck_assert_uint_eq(c->seg[SEG_TR].sel, SEL_TSS2); /* the new task faults */
	ck_assert_uint_eq(peek(STACK1 - 12, 4), CODE + 0x400);
	protected32(0);
	task2(CODE + 0x400);
	poke(TSS2 + 96, 2, SEL_TSS);
	RUN(JMP(SEL_TSS2, 0));
	ck_assert_str_eq(x86_rules[c->first_fault[0].rule].id, "TASK_LDT");
	ck_assert_uint_eq(c->first_fault[0].error, SEL_TSS);
	protected32(0);
	c->activity = ACT_RUN;
	c->flags |= FLAG_NT;
	poke(TSS1, 2, SEL_TSS2);
	RUN(0xcf);
	raised(VEC_TS, SEL_TSS2, RULE_TSS_NOT_BUSY);
}
END_TEST

START_TEST(task_trap)
{
	protected32(0);
	task2(CODE + 0x400);
	poke(TSS2 + 100, 2, 1);
	RUN(JMP(SEL_TSS2, 0));
	x86_run(c, 1);
	ck_assert_uint_eq(exceptions, 1);
	ck_assert_uint_eq(last.a & 0xff, VEC_DB);
	ck_assert(c->dr[6] & BIT(15));
	ck_assert_uint_eq(peek(STACK1 - 12, 4), CODE + 0x400);
}
END_TEST

START_TEST(tasks_16)
{
	protected32(0);
	gdt_set(SEL_TSS2, TSS2, 0x2b, 0x081);
	poke(TSS2 + 14, 2, 0x77);
	poke(TSS2 + 16, 2, FLAG_1);
	poke(TSS2 + 26, 2, 0x1000);
	poke(TSS2 + 34, 2, D16);
	poke(TSS2 + 36, 2, C16);
	poke(TSS2 + 38, 2, D16);
	poke(TSS2 + 40, 2, D16);
	poke(TSS2 + 42, 2, 0);
	RUN(JMP(SEL_TSS2, 0));
	quiet();
	ck_assert_uint_eq(c->mode & MODE_SIZE, MODE_16);
	ck_assert_uint_eq((u16)c->r[R_SP], 0x1000);
	ck_assert_uint_eq(c->seg[SEG_DS].sel, D16);
	ck_assert_uint_eq(c->seg[SEG_FS].sel, 0);
}
END_TEST

/* ---- descriptor instructions ---- */

START_TEST(table_registers)
{
	protected32(0);
	poke(DATA, 2, 0x17f);
	poke(DATA + 2, 4, 0x89123456);
	RUN(0x0f, 0x01, 0x15, IMM32(DATA));
	ck_assert_uint_eq(c->gdt.limit, 0x17f);
	ck_assert_uint_eq(c->gdt.base, 0x89123456);
	RUN(0x66, 0x0f, 0x01, 0x15, IMM32(DATA));
	ck_assert_uint_eq(c->gdt.base, 0x123456);
	RUN(0x0f, 0x01, 0x05, IMM32(DATA + 16));
	ck_assert_uint_eq(peek(DATA + 16, 2), 0x17f);
	ck_assert_uint_eq(peek(DATA + 18, 4), 0x123456);
	RUN(0x0f, 0x01, 0x0d, IMM32(DATA + 16)); /* SIDT */
	ck_assert_uint_eq(peek(DATA + 16, 2), 0xfff);
	ck_assert_uint_eq(peek(DATA + 18, 4), IDT);
	c->seg[SEG_LDTR].sel = SEL_LDT;
	c->r[R_AX] = 0x11112222;
	RUN(0x66, 0x0f, 0x00, 0xc0); /* SLDT ax */
	ck_assert_uint_eq((u32)c->r[R_AX], 0x11110000 | SEL_LDT);
	RUN(0x0f, 0x00, 0xc0);
	ck_assert_uint_eq((u32)c->r[R_AX], SEL_LDT);
	protected32(3);
	RUN(0x0f, 0x01, 0x15, IMM32(DATA));
	raised(VEC_GP, 0, RULE_GP_CPL);
	protected32(3);
	c->cr4 = CR4_UMIP;
	RUN(0x0f, 0x01, 0x05, IMM32(DATA));
	raised(VEC_GP, 0, RULE_GP_UMIP);
	long_mode(0, true);
	poke(DATA + 2, 8, BIT(47));
	RUN(0x0f, 0x01, 0x1c, 0x25, IMM32(DATA));
	raised(VEC_GP, 0, RULE_TABLE_NONCANONICAL);
}
END_TEST

START_TEST(ldtr_and_tr)
{
	protected32(0);
	gdt_set(SEL_LDT, LDT, 0xf, A_LDT);
	poke(LDT + 8, 8, descriptor(0x7000, 0xff, A_DATA32));
	c->r[R_AX] = SEL_LDT;
	RUN(0x0f, 0x00, 0xd0);
	quiet();
	ck_assert_uint_eq(c->seg[SEG_LDTR].base, LDT);
	c->r[R_AX] = 0x0c;
	RUN(MOV_DS_AX);
	quiet();
	ck_assert_uint_eq(c->seg[SEG_DS].base, 0x7000);
	c->r[R_AX] = 0x14;
	RUN(MOV_DS_AX);
	raised(VEC_GP, 0x14, RULE_SEL_LIMIT);
	protected32(0);
	c->r[R_AX] = D32;
	RUN(0x0f, 0x00, 0xd0);
	raised(VEC_GP, D32, RULE_SYSTEM_TYPE);
	protected32(0);
	c->r[R_AX] = 0;
	RUN(0x0f, 0x00, 0xd8);
	raised(VEC_GP, 0, RULE_TR_NULL);
	protected32(0);
	c->r[R_AX] = SEL_TSS;
	RUN(0x0f, 0x00, 0xd8); /* busy */
	raised(VEC_GP, SEL_TSS, RULE_SYSTEM_TYPE);
	protected32(0);
	c->r[R_AX] = SEL_TSS2;
	RUN(0x0f, 0x00, 0xd8);
	quiet();
	ck_assert_uint_eq(peek(GDT + SEL_TSS2 + 5, 1), 0x8b);
	RUN(0x0f, 0x00, 0xc9); /* str ecx */
	ck_assert_uint_eq(c->r[R_CX], SEL_TSS2);
	long_mode(0, true);
	poke(GDT + SEL_TSS2 + 8, 8, 0xffff8000);
	c->r[R_AX] = SEL_TSS2;
	RUN(0x0f, 0x00, 0xd8);
	quiet();
	ck_assert_uint_eq(c->seg[SEG_TR].base, 0xffff800000000000 | TSS2);
	real_mode();
	RUN(0x0f, 0x00, 0xd8);
	raised(VEC_UD, NO_ERROR, RULE_UD_MODE);
}
END_TEST

static bool zf(void) { return x86_get_flags(c) & FLAG_ZF; }

START_TEST(asking)
{
	protected32(3);
	gdt_set(X, 0, 0xfffff, A_CODE32 | 4 | A_DPL3);
	c->r[R_CX] = C32U;
	RUN(0x0f, 0x02, 0xc1); /* lar eax, ecx */
	ck_assert(zf());
	ck_assert_uint_eq(c->r[R_AX], 0xcffb00);
	RUN(0x0f, 0x03, 0xc1); /* lsl */
	ck_assert(zf());
	ck_assert_uint_eq(c->r[R_AX], 0xffffffff);
	c->r[R_CX] = C32; /* more privileged */
	RUN(0x0f, 0x02, 0xc1);
	ck_assert(!zf());
	ck_assert_uint_eq(c->r[R_AX], 0xffffffff);
	c->r[R_CX] = D32U;
	RUN(0x0f, 0x00, 0xe1); /* verr */
	ck_assert(zf());
	RUN(0x0f, 0x00, 0xe9); /* verw */
	ck_assert(zf());
	c->r[R_CX] = C32U;
	RUN(0x0f, 0x00, 0xe9);
	ck_assert(!zf());
	c->r[R_AX] = 0x1230;
	c->r[R_CX] = 2;
	RUN(0x63, 0xc8); /* arpl ax, cx */
	ck_assert(zf());
	ck_assert_uint_eq(c->r[R_AX], 0x1232);
	RUN(0x63, 0xc8);
	ck_assert(!zf());
	protected32(0);
	c->r[R_CX] = SEL_TSS;
	RUN(0x0f, 0x02, 0xc1);
	ck_assert(zf());
	ck_assert_uint_eq(c->r[R_AX], 0x8b00);
	gdt_set(X, 0, 0x67, 0x081);
	long_mode(0, true);
	c->r[R_CX] = X; /* a 16-bit TSS does not exist here */
	RUN(0x0f, 0x02, 0xc1);
	ck_assert(!zf());
}
END_TEST

START_TEST(bound)
{
	protected32(0);
	poke(DATA, 4, (u32)-5);
	poke(DATA + 4, 4, 5);
	c->r[R_AX] = (u32)-5;
	RUN(0x62, 0x05, IMM32(DATA));
	quiet();
	c->r[R_AX] = 6;
	RUN(0x62, 0x05, IMM32(DATA));
	raised(VEC_BR, NO_ERROR, RULE_BR_BOUND);
	ck_assert_uint_eq(peek(STACK0 - 12, 4), CODE);
}
END_TEST

/* ---- system calls ---- */

START_TEST(syscalls)
{
	long_mode(3, true);
	c->msr.star = (u64)(C32U & ~3) << 48 | (u64)C64 << 32;
	c->msr.lstar = CODE + 0x500;
	c->msr.sfmask = FLAG_IF | FLAG_TF;
	c->flags |= FLAG_IF;
	RUN(0x0f, 0x05);
	quiet();
	ck_assert_uint_eq(c->rip, CODE + 0x500);
	ck_assert_uint_eq(c->r[R_CX], CODE + 2);
	ck_assert_uint_eq(c->r[11], FLAG_IF | FLAG_1);
	ck_assert_uint_eq(c->cpl, 0);
	ck_assert_uint_eq(c->seg[SEG_CS].sel, C64);
	ck_assert_uint_eq(c->seg[SEG_CS].attr, A_CODE64);
	ck_assert_uint_eq(c->seg[SEG_SS].sel, C64 + 8);
	ck_assert_uint_eq(c->flags & FLAG_IF, 0);
	ck_assert_uint_eq(c->r[R_SP], STACK3);
	RUN(0x48, 0x0f, 0x07);
	quiet();
	ck_assert_uint_eq(c->rip, CODE + 2);
	ck_assert_uint_eq(c->cpl, 3);
	ck_assert_uint_eq(c->seg[SEG_CS].sel, (C32U & ~3) + 16 + 3);
	ck_assert_uint_eq(c->seg[SEG_SS].sel, (C32U & ~3) + 8); /* no RPL: AMD */
	ck_assert(c->flags & FLAG_IF);
	long_mode(0, true);
	c->r[R_CX] = CODE + 0x600;
	RUN(0x0f, 0x07); /* to compatibility mode */
	quiet();
	ck_assert_uint_eq(c->mode & MODE_SIZE, MODE_32);
	long_mode(3, true);
	RUN(0x48, 0x0f, 0x07);
	raised(VEC_GP, 0, RULE_GP_CPL);
	long_mode(3, true);
	c->efer &= ~EFER_SCE;
	RUN(0x0f, 0x05);
	raised(VEC_UD, NO_ERROR, RULE_UD_SCE);
	long_mode(3, true);
	RUN(0x0f, 0x34);
	raised(VEC_UD, NO_ERROR, RULE_UD_SYSENTER_LONG);
}
END_TEST

START_TEST(sysenter)
{
	protected32(3);
	RUN(0x0f, 0x34);
	raised(VEC_GP, 0, RULE_SYSENTER_CS);
	protected32(3);
	c->msr.sysenter_cs = C32;
	c->msr.sysenter_eip = CODE + 0x500;
	c->msr.sysenter_esp = STACK1;
	RUN(0x0f, 0x34);
	quiet();
	ck_assert_uint_eq(c->cpl, 0);
	ck_assert_uint_eq(c->rip, CODE + 0x500);
	ck_assert_uint_eq(c->r[R_SP], STACK1);
	ck_assert_uint_eq(c->seg[SEG_SS].sel, D32);
	c->r[R_DX] = CODE + 0x600;
	c->r[R_CX] = STACK3;
	RUN(0x0f, 0x35);
	quiet();
	ck_assert_uint_eq(c->cpl, 3);
	ck_assert_uint_eq(c->seg[SEG_CS].sel, C32U);
	ck_assert_uint_eq(c->rip, CODE + 0x600);
}
END_TEST

START_TEST(swapgs)
{
	long_mode(0, true);
	c->msr.kernel_gs_base = 0x7777;
	RUN(0x0f, 0x01, 0xf8);
	quiet();
	ck_assert_uint_eq(c->sbase[SEG_GS], 0x7777);
	ck_assert_uint_eq(c->msr.kernel_gs_base, 0);
	long_mode(3, true);
	RUN(0x0f, 0x01, 0xf8);
	raised(VEC_GP, 0, RULE_GP_CPL);
}
END_TEST

static TCase *add(Suite *s, const char *name)
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, setup, teardown);
	suite_add_tcase(s, t);
	return t;
}

int main(void)
{
	Suite *s = suite_create("segmentation");
	TCase *seg = add(s, "segments"), *far = add(s, "far"), *intr = add(s, "interrupts"), *v86 = add(s, "v86"),
	      *task = add(s, "tasks"), *other = add(s, "others");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(seg, data_segments);
	tcase_add_test(seg, stack_segments);
	tcase_add_test(seg, null_ss_in_64_bit_mode);
	tcase_add_test(seg, null_keeps_the_base);
	tcase_add_test(seg, real_mode_keeps_limits);
	tcase_add_test(seg, push_and_pop);
	tcase_add_test(seg, load_far_pointers);
	tcase_add_test(far, far_jumps);
	tcase_add_test(far, far_calls_and_returns);
	tcase_add_test(far, call_gates);
	tcase_add_test(far, call_gate_faults);
	tcase_add_test(far, call_gate_stack_limit);
	tcase_add_test(far, long_mode_transfers);
	tcase_add_test(intr, real_mode_interrupts);
	tcase_add_test(intr, gates);
	tcase_add_test(intr, gate_faults);
	tcase_add_test(intr, double_faults);
	tcase_add_test(intr, ext_of_interrupts);
	tcase_add_test(intr, long_mode_interrupts);
	tcase_add_test(intr, long_mode_gate_faults);
	tcase_add_test(intr, iretq);
	tcase_add_test(v86, v86_entry_and_exit);
	tcase_add_test(v86, v86_flags);
	tcase_add_test(v86, v86_redirection);
	tcase_add_test(v86, pvi);
	tcase_add_test(task, task_switches);
	tcase_add_test(task, task_gates_take_error_codes);
	tcase_add_test(task, task_faults);
	tcase_add_test(task, task_trap);
	tcase_add_test(task, tasks_16);
	tcase_add_test(other, table_registers);
	tcase_add_test(other, ldtr_and_tr);
	tcase_add_test(other, asking);
	tcase_add_test(other, bound);
	tcase_add_test(other, syscalls);
	tcase_add_test(other, sysenter);
	tcase_add_test(other, swapgs);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
