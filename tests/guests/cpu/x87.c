/*
 * x87 and MMX exceptions: #MF at the next waiting instruction and the state that it finds, the instructions that do not wait, #NM and #UD by
 * CR0, FERR and IGNNE (IRQ 13, port F0h), stack faults, and what MMX does to the x87 state. Values are the oracle's. APM1 6.8, 6.9, 5.4.5.
 */
#include "guest64.h"

static u8 area[512] __attribute__((aligned(16)));
static struct {
	u16 cw, sw;
	double d;
	u64 q;
} v;

static struct regs with(const u8 *code, const void *p)
{
	struct regs in = kernel_regs(code);

	in.si = addr(p);
	return run(in);
}

/* ---- #MF ---- */
enum { IE = 1, ZE = 4, SF = 0x40, ES = 0x80, C1 = 0x200, B = 0x8000 };

/* 1 / 0 with the divide exception unmasked leaves ES; ST(0) and ST(1) stay: a result is not stored. APM1 6.8.3 */
#define DIVIDE "fninit\n\tmovw $0x37b, (%%rsi)\n\tfldcw (%%rsi)\n\tfld1\n\tfldz\n\tfdivrp\n\t"

static void pending(void)
{
	static const struct {
		const char *name;
		bool waits;
	} t[] = {{"FNSTSW", false}, {"FNSTCW", false}, {"FNSTENV", false}, {"FNSAVE", false}, {"FNCLEX", false}, {"FNINIT", false},
		{"FXSAVE", false}, {"FWAIT", true}, {"FLD1", true}, {"FNOP", true}, {"FLDCW", true}, {"FLDENV", true}, {"FRSTOR", true}, {"FILD", true},
		{"FFREE", true}, {"FINCSTP", true}};
	const u8 *code[] = {CODE(DIVIDE "fnstsw 8(%%rsi)"), CODE(DIVIDE "fnstcw 8(%%rsi)"), CODE(DIVIDE "fnstenv 8(%%rsi)"),
		CODE(DIVIDE "fnsave 8(%%rsi)"), CODE(DIVIDE "fnclex"), CODE(DIVIDE "fninit"), CODE(DIVIDE "fxsave (%%rsi)"), CODE(DIVIDE "fwait"),
		CODE(DIVIDE "fld1"), CODE(DIVIDE "fnop"), CODE(DIVIDE "fldcw (%%rsi)"), CODE(DIVIDE "fldenv (%%rsi)"), CODE(DIVIDE "frstor (%%rsi)"),
		CODE(DIVIDE "fildl (%%rsi)"), CODE(DIVIDE "ffree %%st(1)"), CODE(DIVIDE "fincstp")};
	struct regs r;

	cr0_write(cr0_read() | CR0_NE);
	for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
		r = with(code[i], area);
		trap_is(&r, t[i].waits ? MF : DONE, 0, text("%s after an unmasked exception", t[i].name));
	}
	const u8 *plain = CODE(DIVIDE "nop\n\tnop\n\tfwait\n\tnop");
	r = with(plain, area);
	trap_at(&r, MF, 0, plain, CODE_SIZE(plain) - 3, "#MF is a fault of the waiting instruction");
	with(CODE("fnstsw (%%rsi)\n\tfxsave 32(%%rsi)"), area + 0);
	is(*(u16 *)area & (IE | ZE | ES | B | 0x3800), ZE | ES | B | 0x3000, "ZE, ES, B; nothing was popped");
	is(*(u64 *)(area + 64), 0, "ST(0) is 0 still");
	is(*(u64 *)(area + 80), 1ull << 63, "ST(1) is 1 still");
	r = with(CODE("fnclex\n\tfwait\n\tfnstsw (%%rsi)"), area);
	trap_is(&r, DONE, 0, "FNCLEX ends it");
	is(*(u16 *)area, 0x3000, "and clears ES and B");
	/* Setting a mask ends it too, clearing it brings it back. APM1 6.2.2 */
	r = with(CODE(DIVIDE "fnstenv 8(%%rsi)\n\tfwait\n\tfnstcw (%%rsi)"), area);
	trap_is(&r, DONE, 0, "FNSTENV masks all exceptions");
	is(*(u16 *)area & 0x3f, 0x3f, "the control word after it");
	is(*(u16 *)(area + 8) & 0x3f, 0x3b, "the control word in its image");
	r = with(CODE(DIVIDE "fnstenv 8(%%rsi)\n\tfldenv 8(%%rsi)\n\tfwait"), area);
	trap_is(&r, MF, 0, "FLDENV brings the exception back");
	with(CODE("fninit"), area);
}

static void not_available(void)
{
	const uword c0 = cr0_read() & ~(uword)(CR0_EM | CR0_TS | CR0_MP);
	const u8 *fld = CODE("fldz"), *store = CODE("fnstcw (%%rsi)"), *mmx = CODE("pxor %%mm0, %%mm0"), *emms = CODE("emms");
	static const struct {
		u32 bits;
		u8 x87, mmx;
	} t[] = {{0, DONE, DONE}, {CR0_TS, NM, NM}, {CR0_EM, NM, UD}, {CR0_EM | CR0_TS, NM, UD}, {CR0_MP, DONE, DONE}};
	struct regs r;

	for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
		with(CODE("fninit"), area);
		cr0_write(c0 | t[i].bits);
		r = run_kernel(fld);
		trap_is(&r, t[i].x87, 0, text("FLDZ with CR0 bits %x", t[i].bits));
		r = with(store, area);
		trap_is(&r, t[i].x87, 0, text("FNSTCW with CR0 bits %x", t[i].bits));
		r = run_kernel(mmx);
		trap_is(&r, t[i].mmx, 0, text("PXOR with CR0 bits %x", t[i].bits));
		r = run_kernel(emms);
		trap_is(&r, t[i].mmx, 0, text("EMMS with CR0 bits %x", t[i].bits));
		cr0_write(c0 | CR0_MP);
	}
	/* TS set between two x87 instructions. */
	r = run_kernel(CODE("fninit\n\tfld1\n\tmov %%cr0, %%rax\n\tor $8, %%rax\n\tmov %%rax, %%cr0\n\tfld1"));
	trap_is(&r, NM, 0, "CR0.TS set between x87 instructions");
	cr0_write(c0 | CR0_MP);
	r = with(CODE("fnstsw (%%rsi)"), area);
	is(*(u16 *)area & 0x3800, 0x3800, "the first of them is done, the second is not");
}

/* ---- IRQ 13 ---- */
static void pic_init(void)
{
	out8(0x20, 0x11), out8(0x21, 0x70), out8(0x21, 4), out8(0x21, 1);
	out8(0xa0, 0x11), out8(0xa1, 0x78), out8(0xa1, 2), out8(0xa1, 1);
	out8(0x21, 0xfb), out8(0xa1, 0xdf); /* the cascade, IRQ 13 */
	lapic_enable();
	lapic_write(LAPIC_LINT0, 0x700);
}
enum { IRQ13 = 0x7d };
static void eoi(void) { out8(0xa0, 0x20), out8(0x20, 0x20); }

static void ferr(void)
{
	const u8 *code = CODE(DIVIDE "fwait\n\tnop\n\tnop"), *again = CODE("fwait\n\tfld1\n\tfnstsw (%%rsi)"),
	   *once_more = CODE("fnclex\n\tfldz\n\tfdivr %%st(1), %%st\n\tfwait\n\tnop");
	struct regs in = kernel_regs(code), r;

	pic_init();
	cr0_write(cr0_read() & ~(uword)CR0_NE);
	in.si = addr(area);
	in.flags |= FL_IF;
	r = run(in);
	trap_is(&r, IRQ13, 0, "without CR0.NE an exception is IRQ 13");
	/* IGNNE: the exception is ignored as long as it is pending. APM1 6.9.2 */
	out8(0xf0, 0);
	eoi();
	in = kernel_regs(again);
	in.si = addr(area);
	in.flags |= FL_IF;
	r = run(in);
	trap_is(&r, DONE, 0, "IGNNE by port F0h: WAIT and FLD1 go on");
	is(*(u16 *)area & (ZE | ES), ZE | ES, "the exception is pending still");
	in = kernel_regs(once_more);
	in.si = addr(area);
	in.flags |= FL_IF;
	r = run(in);
	trap_is(&r, IRQ13, 0, "FNCLEX ends IGNNE: the next exception is an interrupt again");
	out8(0xf0, 0);
	eoi();
	with(CODE("fninit"), area);
	out8(0x21, 0xff), out8(0xa1, 0xff);
	cr0_write(cr0_read() | CR0_NE);
}

/* ---- the stack, masked and not. APM1 6.8.1 ---- */
static void stack_faults(void)
{
	struct regs r;

	r = with(CODE("fninit\n\tfadd %%st(1), %%st\n\tfnstsw (%%rsi)\n\tfxsave 32(%%rsi)"), area + 0);
	trap_is(&r, DONE, 0, "underflow of the register stack, masked");
	is(*(u16 *)area, IE | SF, "IE and SF, C1 clear");
	is(*(u64 *)(area + 64), 0xc000000000000000, "the result is the default NaN");
	is(*(u16 *)(area + 72), 0xffff, "with its sign");
	r = with(CODE("fninit\n\tfld1\n\tfld1\n\tfld1\n\tfld1\n\tfld1\n\tfld1\n\tfld1\n\tfld1\n\tfldz\n\tfnstsw (%%rsi)\n\tfxsave 32(%%rsi)"), area + 0);
	trap_is(&r, DONE, 0, "overflow of the register stack, masked");
	is(*(u16 *)area, IE | SF | C1 | 0x3800, "IE, SF and C1; TOP has moved");
	is(*(u64 *)(area + 64), 0xc000000000000000, "ST(0) is the default NaN");
	r = with(CODE("fninit\n\tmovw $0x37e, (%%rsi)\n\tfldcw (%%rsi)\n\tfstps 4(%%rsi)\n\tfnstsw (%%rsi)\n\tfnclex"), area);
	trap_is(&r, DONE, 0, "underflow of the register stack, unmasked");
	is(*(u16 *)area, IE | SF | ES | B, "TOP has not moved");
}

/* ---- MMX ---- */
static void mmx(void)
{
	struct regs r;

	v.q = 0x1122334455667788;
	r = with(CODE("fninit\n\tfld1\n\tfld1\n\tmovq (%%rsi), %%mm3\n\tnop"), &v.q);
	trap_is(&r, DONE, 0, "MOVQ after x87 instructions");
	with(CODE("fxsave (%%rsi)"), area);
	is(*(u16 *)(area + 2) & 0x3800, 0, "TOP is 0");
	is(area[4], 0xff, "all tags are valid");
	is(*(u64 *)(area + 32 + 3 * 16), v.q, "MM3 is the mantissa of register 3");
	is(*(u16 *)(area + 32 + 3 * 16 + 8), 0xffff, "whose upper bits are ones");
	is(*(u64 *)(area + 32 + 6 * 16), 1ull << 63, "the others keep their places");
	with(CODE("emms\n\tfxsave (%%rsi)"), area);
	is(area[4], 0, "EMMS: all empty");
	is(*(u64 *)(area + 32 + 3 * 16), v.q, "and nothing else");
	cr0_write(cr0_read() | CR0_NE);
	r = with(CODE(DIVIDE "movq %%mm0, %%mm1"), area);
	trap_is(&r, MF, 0, "MMX instructions wait for x87 exceptions");
	r = with(CODE(DIVIDE "emms"), area);
	trap_is(&r, MF, 0, "EMMS too");
	with(CODE("fninit"), area);
	/* A fault of its operand leaves the x87 state as it was. */
	r = with(CODE("fninit\n\tfld1\n\tmovabs $0x7fff00000000, %%rax\n\tmovq (%%rax), %%mm0"), area);
	is(r.vector, PF, "MOVQ from a page that is not there");
	with(CODE("fxsave (%%rsi)"), area);
	is(*(u16 *)(area + 2) & 0x3800, 0x3800, "TOP has not changed");
	is(area[4], 0x80, "nor have the tags");
}

void guest_main(void)
{
	cr4_write(cr4_read() | CR4_OSFXSR);
	not_available();
	pending();
	stack_faults();
	mmx();
	ferr();
}
