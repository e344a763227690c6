/*
 * Native code against ops: random loops of the instructions that native code knows, and of some that it does not, in
 * 64-bit and 32-bit mode, run as ops and as host code, in slices of random length. Registers, flags, memory and
 * exceptions must be the same. That ops are right is the oracle's business.
 */
#define _GNU_SOURCE 1
#include "cpu_fixture.h"

static u64 seed;

static u32 any(u32 below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (u32)(seed >> 20) % below;
}

/* ---- random code ---- */
static u8 text[512];
static unsigned length;
static bool wide;    /* 64-bit code */
static bool vectors; /* SSE, too */

static void b1(unsigned v) { text[length++] = (u8)v; }
static void bytes(unsigned n)
{
	while (n--)
		b1(any(3) ? any(256) : any(2) * 0xff);
}

/* A register that a loop may change: not rSP, rSI, rDI, and rCX, which counts. */
static unsigned target(void)
{
	static const u8 of[] = {0, 2, 3, 5, 8, 9, 10, 11, 12, 13, 14, 15};

	return of[any(wide ? 12 : 4)];
}

/* The same as a byte register with or without REX: CH and what holds addresses are out. */
static unsigned byte_register(void)
{
	static const u8 of[] = {0, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15};

	return of[any(wide ? 11 : 3)];
}

/* opcode with ModRM: an operand G, E a register or memory near rSI, rDI or rSP, now and then with an index. */
static void modrm_of(unsigned op, unsigned g, bool must_be_reg, int w_only, bool narrow)
{
	static const u8 bases[] = {6, 7, 4};
	unsigned rm = narrow ? byte_register() : target(), mode = must_be_reg ? 0 : any(4), rex;
	bool w = w_only == 1 || (w_only < 0 && any(2));

	if (any(8) == 0 && w_only < 0 && !w)
		b1(0x66);
	if (mode)
		rm = bases[any(3)];
	rex = 0x40u | w << 3 | (g >> 3) << 2 | (rm >> 3);
	if (wide && (rex != 0x40 || any(2)))
		b1(rex);
	if (op > 0xff)
		b1(op >> 8);
	b1(op);
	if (!mode) {
		b1(0xc0 | (g & 7) << 3 | (rm & 7));
	} else if (rm == 4 || mode == 3) { /* SIB; the index is rCX, which stays small */
		b1(0x44 | (g & 7) << 3);
		b1(any(4) << 6 | (any(2) ? 1u : 4u) << 3 | rm);
		b1(any(256));
	} else if (any(8) == 0) {
		b1(0x80 | (g & 7) << 3 | rm);
		b1(any(256)), b1(0xf), b1(0), b1(0);
	} else {
		b1(0x40 | (g & 7) << 3 | rm);
		b1(any(256));
	}
}

static void modrm(unsigned op, unsigned g, bool must_be_reg, int w_only)
{
	modrm_of(op, g, must_be_reg, w_only, false);
}

/* A byte of AX, DX or BX, the upper ones included: without REX. */
static void high_bytes(unsigned op)
{
	static const u8 of[] = {0, 2, 3, 4, 6, 7};

	b1(op);
	b1(0xc0 | of[any(6)] << 3 | of[any(6)]);
}

/* SSE and SSE2 between registers, or with memory where that needs no alignment. */
static void vector(void)
{
	static const struct {
		u8 prefix, op, imm, memory;
	} of[] = {{0, 0x58, 0, 0},    {0x66, 0x58, 0, 0}, {0xf2, 0x59, 0, 1}, {0xf3, 0x5c, 0, 1}, {0xf2, 0x5e, 0, 1},
		  {0x66, 0xfe, 0, 0}, {0x66, 0xef, 0, 0}, {0, 0x28, 0, 0},    {0, 0x10, 0, 1},    {0, 0x11, 0, 1},
		  {0xf2, 0x10, 0, 1}, {0xf3, 0x10, 0, 1}, {0xf2, 0x11, 0, 1}, {0xf3, 0x11, 0, 1}, {0xf3, 0x6f, 0, 1},
		  {0xf3, 0x7f, 0, 1}, {0xf3, 0x7e, 0, 1}, {0x66, 0xd6, 0, 1}, {0x66, 0x2e, 0, 1}, {0, 0x2f, 0, 1},
		  {0x66, 0x70, 1, 0}, {0, 0xc6, 1, 0},    {0xf2, 0xc2, 1, 1}, {0, 0x16, 0, 0},    {0x66, 0x6e, 0, 1},
		  {0x66, 0x7e, 0, 1}, {0, 0x57, 0, 0},    {0xf3, 0x5a, 0, 1}};
	unsigned i = any(ARRAY_SIZE(of));

	if (of[i].prefix)
		b1(of[i].prefix);
	modrm_of(0x0f00u | of[i].op, of[i].op == 0x7e && of[i].prefix == 0x66 ? target() : any(wide ? 16 : 8),
		 !of[i].memory, 0, false);
	if (of[i].imm)
		b1(any(of[i].op == 0xc2 ? 8 : 256));
}

static void instruction(void)
{
	static const u8 digits[] = {0, 1, 4, 5, 7};
	unsigned op = any(8) << 3, size;
	u8 *at = text + length;

	if (vectors && any(3)) {
		vector();
		return;
	}
	switch (any(22)) {
	case 0:
	case 1:
	case 2: modrm(op | 1, target(), false, -1); break;
	case 3:
	case 4: modrm(op | 3, target(), false, -1); break;
	case 5:
		if (any(3))
			modrm_of(op, byte_register(), false, 0, true);
		else
			high_bytes(op);
		break;
	case 6: modrm(0x83, any(8), false, -1), bytes(1); break;
	case 7: modrm_of(0x80, any(8), false, 0, true), bytes(1); break;
	case 8: modrm(0x89, target(), false, -1); break;
	case 9: modrm(0x8b, target(), false, -1); break;
	case 10:
		modrm(0x8d, target(), false, -1);
		if (at[0] == 0x66 || (text[length - 1] & 0xc0) == 0xc0)
			length = (unsigned)(at - text);
		break;
	case 11: modrm_of(0x0fb6 | any(2) << 3 | any(2), target(), false, wide ? (int)any(2) : 0, true); break;
	case 12: modrm(0xc1, digits[any(5)], true, -1), b1(any(70)); break;
	case 13: modrm(0xd3, digits[any(5)], true, -1); break;
	case 14: modrm(0x0faf, target(), false, -1); break;
	case 15: modrm(0x0f40 | any(16), target(), false, -1); break;
	case 16: modrm_of(0x0f90 | any(16), 0, false, 0, true); break;
	case 17: modrm(0xff, any(2), false, -1); break;
	case 18: modrm(0xf7, 2 + any(2), false, -1); break;
	case 19: modrm(0x87, target(), true, -1); break;
	case 20:
		size = target();
		if (wide && size > 7)
			b1(0x41);
		b1(0x50 | (size & 7));
		if (wide && size > 7)
			b1(0x41);
		b1(0x58 | (size & 7));
		break;
	default:
		switch (any(5)) {
		case 0: b1(0x99); break;
		case 1: b1(0x98); break;
		case 2: b1(0xf5 + any(1)); break;                 /* CMC: no native code */
		case 3: modrm(0x0fbd, target(), true, -1); break; /* BSR: a body */
		default: b1(0x90); break;
		}
	}
}

/* A block that jumps to its start: DEC rCX; JNZ, or ADD and CMP and Jcc; sometimes with another branch in the middle.
 */
static void make_loop(void)
{
	unsigned n = 1 + any(12), middle = any(3) ? n : any(n), end, way = any(3);

	length = 0;
	for (unsigned i = 0; i < n; i++) {
		if (i == middle) { /* over the next instruction */
			unsigned from;

			b1(0x70 | any(16));
			b1(0);
			from = length;
			instruction();
			text[from - 1] = (u8)(length - from);
		}
		instruction();
	}
	if (way == 0) {
		if (wide)
			b1(0x48);
		b1(0xff), b1(0xc9);
	} else {
		b1(0x83), b1(0xe9), b1(1); /* SUB ECX,1 */
		if (way == 2)
			b1(0x83), b1(0xf9), b1(0); /* CMP ECX,0 */
	}
	end = length + 6;
	b1(0x0f), b1(0x85);
	store_le(text + length, 4, 0u - end);
	length += 4;
	b1(0xeb), b1(0xfe);
}

/* ---- two runs ---- */
struct outcome {
	u64 r[16], rip, flags;
	u8 xmm[sizeof((struct x86_cpu *)NULL)->fpu.ymm];
	u32 mxcsr;
	unsigned exceptions;
	u8 data[0x4000];
};

static void start(u64 how)
{
	seed = how;
	for (unsigned i = 0; i < sizeof((struct outcome *)NULL)->data; i += 4)
		poke(DATA + i, 4, any(0x10000) * 77777u);
	for (unsigned i = 0; i < 16; i++)
		c->r[i] = any(4) ? (u64)any(1 << 12) << any(52) | any(256) : any(100);
	if (!wide)
		for (unsigned i = 0; i < 16; i++)
			c->r[i] = (u32)c->r[i];
	c->r[R_CX] = 1 + any(60);
	c->r[R_SP] = DATA + 0x1000;
	c->r[R_SI] = DATA + 0x2000;
	c->r[R_DI] = DATA + 0x3000;
	c->flags = FLAG_1;
	c->flow = FLAG_1 | (u8)(any(256) & 0xd5);
	c->fof = (u8)any(2);
	for (unsigned i = 0; i < sizeof c->fpu.ymm; i += 8) {
		double v = (double)any(1000) / 7;

		memcpy((u8 *)&c->fpu.ymm + i, &v, 8);
	}
	c->fpu.mxcsr = 0x1f80;
	c->rip = CODE;
	exceptions = 0;
}

static void run(unsigned hot, u64 how, struct outcome *out)
{
	if (wide)
		long_mode(0, true);
	else
		protected32(0);
	c->cr4 |= CR4_OSFXSR;
	x86_state_changed(c);
	x86_code_flush(code);
	code->hot = hot;
	for (unsigned i = 0; i < length; i++)
		poke(CODE + i, 1, text[i]);
	start(how);
	seed = how * 3;
	for (unsigned i = 0; i < 6; i++)
		x86_run(c, 1 + any(150)); /* the same slices in both runs */
	memcpy(out->r, c->r, sizeof out->r);
	memcpy(out->xmm, &c->fpu.ymm, sizeof out->xmm);
	out->mxcsr = c->fpu.mxcsr;
	out->rip = c->rip;
	out->flags = c->flags << 16 | (c->flow & 0xd5) | c->fof << 8;
	out->exceptions = exceptions;
	for (unsigned i = 0; i < sizeof out->data; i++)
		out->data[i] = (u8)peek(DATA + i, 1);
}

static void differ(const struct outcome *a, const struct outcome *b)
{
	char hex[3 * sizeof text + 1] = "";

	for (unsigned i = 0; i < length; i++)
		snprintf(hex + 3 * i, 4, "%02x ", text[i]);
	for (unsigned i = 0; i < 16; i++)
		if (a->r[i] != b->r[i])
			printf("r%u: %llx as ops, %llx native\n", i, (unsigned long long)a->r[i],
			       (unsigned long long)b->r[i]);
	ck_abort_msg("rip %llx %llx flags %llx %llx exceptions %u %u: %s", (unsigned long long)a->rip,
		     (unsigned long long)b->rip, (unsigned long long)a->flags, (unsigned long long)b->flags,
		     a->exceptions, b->exceptions, hex);
}

START_TEST(loops)
{
	static struct outcome ops, native; /* no padding that differs: static */

	wide = _i & 1;
	vectors = _i & 2;
	cpu_setup();
	for (unsigned i = 0; i < 1000; i++) {
		u64 how = i * 0x9e3779b97f4a7c15ull + 1;

		seed = how * (unsigned)(_i + 1) | 1;
		memset(text, 0, sizeof text);
		make_loop();
		run(1u << 30, how, &ops);
		run(1, how, &native);
		if (memcmp(&ops, &native, sizeof ops))
			differ(&ops, &native);
	}
	cpu_teardown();
}
END_TEST

/* ---- what only a loop can do ---- */

/* A store of the loop into itself ends the present code at once. */
START_TEST(patched_loop)
{
	/* INC EAX; CMP ECX,5; JNE +7; MOV BYTE [CODE+1],C3h -> INC EBX ... ; DEC ECX; JNZ CODE */
	static const u8 loop[] = {0xff, 0xc0, 0x83, 0xf9, 0x05, 0x75, 0x07, 0xc6, 0x05, IMM32(CODE + 1),
				  0xc3, 0xff, 0xc9, 0x75, 0xee, 0xeb, 0xfe};

	cpu_setup();
	protected32(0);
	code->hot = _i ? 1 : 1u << 30;
	for (unsigned i = 0; i < sizeof loop; i++)
		poke(CODE + i, 1, loop[i]);
	c->r[R_AX] = c->r[R_BX] = 0;
	c->r[R_CX] = 50;
	c->rip = CODE;
	x86_run(c, 1000);
	ck_assert_uint_eq(c->r[R_AX], 46);
	ck_assert_uint_eq(c->r[R_BX], 4);
	cpu_teardown();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("native code");
	TCase *t = tcase_create("against ops");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, loops, 0, 8);
	tcase_add_loop_test(t, patched_loop, 0, 2);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
