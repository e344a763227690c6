/* #NM by CR0.EM, TS, MP; FXSAVE, XSAVE family, XGETBV and XSETBV; WAIT. The arithmetic of x87 and SSE is tested elsewhere. APM2 11. */
#include "guest64.h"

static u8 area[4096] __attribute__((aligned(64)));

static struct regs at(const u8 *code, u64 si, u64 mask)
{
	struct regs in = kernel_regs(code);

	in.si = si;
	in.ax = (u32)mask;
	in.dx = mask >> 32;
	return run(in);
}

static void not_available(void)
{
	const uword c0 = cr0_read() & ~(uword)(CR0_EM | CR0_TS | CR0_MP);
	const u8 *fninit = CODE("fninit"), *wait = CODE("fwait"), *fx = CODE("fxsave (%%rsi)");
	struct regs r;

	/* APM2 3.1.1, CR0: EM, TS: x87 #NM; MP and TS: WAIT #NM. */
	static const struct {
		u32 bits;
		u8 fninit, wait, fx;
	} t[] = {{0, DONE, DONE, DONE}, {CR0_EM, NM, DONE, NM}, {CR0_TS, NM, DONE, NM}, {CR0_TS | CR0_MP, NM, NM, NM}, {CR0_MP, DONE, DONE, DONE},
		{CR0_EM | CR0_MP | CR0_TS, NM, NM, NM}};
	for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
		cr0_write(c0 | t[i].bits);
		r = run_kernel(fninit);
		trap_is(&r, t[i].fninit, 0, text("FNINIT with CR0 bits %x", t[i].bits));
		r = run_kernel(wait);
		trap_is(&r, t[i].wait, 0, text("WAIT with CR0 bits %x", t[i].bits));
		r = at(fx, addr(area), 0);
		trap_is(&r, t[i].fx, 0, text("FXSAVE with CR0 bits %x", t[i].bits));
	}
	cr0_write(c0 | CR0_TS);
	__asm__ volatile("clts");
	is(cr0_read() & CR0_TS, 0, "CLTS");
	cr0_write(c0 | CR0_MP);
}

static void fxsave(void)
{
	const u8 *save = CODE("fxsave64 (%%rsi)"), *restore = CODE("fxrstor64 (%%rsi)");
	struct regs r;

	cr4_write(cr4_read() | CR4_OSFXSR | 0x400);
	r = run_kernel(CODE("fninit"));
	memset(area, 0xee, 512);
	r = at(save, addr(area), 0);
	trap_is(&r, DONE, 0, "FXSAVE");
	is(*(u16 *)area, 0x37f, "FCW after FNINIT");
	is(*(u16 *)(area + 2), 0, "FSW");
	is(area[4], 0, "abridged tag word: all empty");
	is(*(u32 *)(area + 24), 0x1f80, "MXCSR after reset");
	ok((*(u32 *)(area + 28) & 0xffbf) == 0xffbf, "MXCSR_MASK", "%x", *(u32 *)(area + 28));
	/* Round trip: all fields that are defined. XMM registers and ST as bytes. */
	*(u16 *)area = 0x27f;
	*(u32 *)(area + 24) = 0x1fa0 & ~0x20u;
	for (unsigned i = 0; i < 8; i++) /* ten bytes of each ST; the tag says in use */
		for (unsigned j = 0; j < 10; j++)
			area[32 + 16 * i + j] = (u8)(i * 16 + j + 1);
	area[4] = 0xff;
	for (unsigned i = 0; i < 256; i++)
		area[160 + i] = (u8)(i * 7 + 3);
	r = at(restore, addr(area), 0);
	trap_is(&r, DONE, 0, "FXRSTOR");
	u8 *copy = area + 1024;
	memset(copy, 0, 512);
	at(save, addr(copy), 0);
	is(*(u16 *)copy, 0x27f, "FCW goes through");
	is(copy[4], 0xff, "the tags go through");
	bool same = true;
	for (unsigned i = 0; i < 8; i++)
		same = same && !memcmp(area + 32 + 16 * i, copy + 32 + 16 * i, 10);
	ok(same, "the x87 registers go through", "differ");
	ok(!memcmp(area + 160, copy + 160, 256), "the XMM registers go through", "differ");
	*(u32 *)(area + 24) = 0x10000;
	r = at(restore, addr(area), 0);
	trap_is(&r, GP, 0, "FXRSTOR with reserved bits of MXCSR");
	r = at(save, addr(area) + 8, 0);
	trap_is(&r, GP, 0, "FXSAVE not aligned to 16");
}

static void xsave(void)
{
	const u8 *save = CODE("xsave64 (%%rsi)"), *restore = CODE("xrstor64 (%%rsi)"), *get = CODE("xgetbv"), *set = CODE("xsetbv");
	struct regs in, r;

	if (!(cpuid(1, 0).c >> 26 & 1)) {
		skip("XSAVE", "not reported");
		return;
	}
	/* #UD without CR4.OSXSAVE. APM3 */
	r = at(save, addr(area), 3);
	trap_is(&r, UD, 0, "XSAVE without CR4.OSXSAVE");
	r = run_kernel(get);
	trap_is(&r, UD, 0, "XGETBV without CR4.OSXSAVE");
	r = run_kernel(set);
	trap_is(&r, UD, 0, "XSETBV without CR4.OSXSAVE");
	cr4_write(cr4_read() | CR4_OSXSAVE);
	in = user_regs(get);
	in.cx = 0;
	r = run(in);
	trap_is(&r, DONE, 0, "XGETBV at CPL 3");
	is(r.ax, 1, "XCR0 after reset: x87");
	in.cx = 7;
	r = run(in);
	trap_is(&r, GP, 0, "XGETBV of XCR7");
	in = user_regs(set);
	in.ax = 3;
	r = run(in);
	trap_is(&r, GP, 0, "XSETBV at CPL 3");
	u32 valid = cpuid(0xd, 0).a;
	static const struct {
		const char *name;
		u64 v;
		bool good;
	} t[] = {{"x87 clear", 2, false}, {"bit 63", 1ull << 63 | 1, false}, {"YMM without XMM", 5, false}, {"x87 and XMM", 3, true}, {"x87", 1, true}};
	for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
		in = kernel_regs(set);
		in.ax = (u32)t[i].v;
		in.dx = t[i].v >> 32;
		r = run(in);
		trap_is(&r, t[i].good ? DONE : GP, 0, text("XSETBV: %s", t[i].name));
	}
	in.cx = 1;
	r = run(in);
	trap_is(&r, GP, 0, "XSETBV of XCR1");
	in.cx = 0;
	in.ax = 3;
	in.dx = 0;
	r = run(in);
	is(cpuid(0xd, 0).b, 576, "CPUID Dh: size for x87 and XMM");
	ok((valid & 3) == 3, "CPUID Dh: valid bits", "%x", valid);
	/* A round trip with XSTATE_BV. */
	memset(area, 0, 1024);
	r = at(restore, addr(area), 3); /* XSTATE_BV = 0: initial state */
	trap_is(&r, DONE, 0, "XRSTOR of the initial state");
	memset(area + 1024, 0xee, 1024);
	memset(area + 1024 + 512, 0, 64);
	r = at(save, addr(area) + 1024, 3);
	trap_is(&r, DONE, 0, "XSAVE");
	is(*(u64 *)(area + 1024 + 512) & ~3ull, 0, "XSTATE_BV has only what was asked");
	u8 *x = area;
	memset(x, 0, 576);
	for (unsigned i = 0; i < 256; i++)
		x[160 + i] = (u8)(i + 1);
	*(u32 *)(x + 24) = 0x1f80;
	*(u64 *)(x + 512) = 2;
	r = at(restore, addr(x), 3);
	trap_is(&r, DONE, 0, "XRSTOR of XMM");
	memset(area + 1024, 0, 1024);
	at(save, addr(area) + 1024, 2);
	ok(!memcmp(x + 160, area + 1024 + 160, 256), "the XMM registers go through", "differ");
	is(*(u64 *)(area + 1024 + 512) & 2, 2, "XSTATE_BV.XMM");
	/* Bad headers. APM3 XRSTOR */
	*(u64 *)(x + 512) = 4;
	r = at(restore, addr(x), 3);
	trap_is(&r, GP, 0, "XSTATE_BV with a bit that XCR0 has not");
	*(u64 *)(x + 512) = 3;
	*(u64 *)(x + 520) = 1;
	r = at(restore, addr(x), 3);
	trap_is(&r, GP, 0, "XCOMP_BV without its bit 63");
	*(u64 *)(x + 520) = 0;
	r = at(save, addr(area) + 16, 3);
	trap_is(&r, GP, 0, "XSAVE not aligned to 64");
	cr0_write(cr0_read() | CR0_TS);
	r = at(save, addr(area), 3);
	trap_is(&r, NM, 0, "XSAVE with CR0.TS");
	cr0_write(cr0_read() & ~(uword)CR0_TS);
	if (cpuid(0xd, 1).a & 2) {
		r = at(CODE("xsavec64 (%%rsi)"), addr(area), 3);
		trap_is(&r, DONE, 0, "XSAVEC");
		is(*(u64 *)(area + 520), 1ull << 63 | 3, "XCOMP_BV");
		r = at(restore, addr(area), 3);
		trap_is(&r, DONE, 0, "XRSTOR of the compact form");
	}
	cr4_write(cr4_read() & ~(uword)CR4_OSXSAVE);
}

void guest_main(void)
{
	not_available();
	fxsave();
	xsave();
}
