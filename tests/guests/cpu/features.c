/*
 * CPUID against behaviour: a reported instruction works, one that is not reported raises #UD. LOCK, prefixes, instruction
 * length, CMPXCHG16B. APM3 appendix E, 1.2.
 */
#include "guest64.h"

extern u64 memory[64];
u64 memory[64] __attribute__((aligned(64)));

static void cpuid_sanity(void)
{
	struct cpuid v = cpuid(0, 0), w = cpuid(0x80000000, 0), x;

	ok(v.a >= 7 && v.a < 0x40, "highest standard leaf", "%x", v.a);
	ok(w.a >= 0x80000008, "highest extended leaf", "%x", w.a);
	is(v.b == w.b && v.c == w.c && v.d == w.d, 1, "vendor in both");
	x = cpuid(0x80000008, 0);
	ok((x.a & 0xff) >= 36 && (x.a & 0xff) <= 52, "physical address width", "%u", x.a & 0xff);
	ok((x.a >> 8 & 0xff) == 48 || (x.a >> 8 & 0xff) == 57, "linear address width", "%u", x.a >> 8 & 0xff);
	/* OSXSAVE shows CR4. */
	if (cpuid(1, 0).c >> 26 & 1) {
		is(cpuid(1, 0).c >> 27 & 1, 0, "OSXSAVE is clear");
		cr4_write(cr4_read() | CR4_OSXSAVE);
		is(cpuid(1, 0).c >> 27 & 1, 1, "OSXSAVE follows CR4");
		cr4_write(cr4_read() & ~(uword)CR4_OSXSAVE);
	}
	struct regs in = kernel_regs(CODE("cpuid")), r;
	in.ax = 0xffffffff00000001;
	in.bx = in.dx = ~0ull;
	in.cx = ~0ull << 32;
	r = run(in);
	is((r.ax | r.bx | r.cx | r.dx) >> 32, 0, "CPUID clears the upper halves");
	is(cpuid(1, 0).b >> 24, *(volatile u32 *)0xfee00020 >> 24, "the APIC ID in leaf 1");
}

struct feature {
	const char *name;
	u32 leaf;
	u8 sub, reg, bit; /* reg: 0 EAX .. 3 EDX */
	const u8 *code;
	u32 cr4;
};

static void each(void)
{
	const struct feature f[] = {
		{"CMOV", 1, 0, 3, 15, CODE("cmovz %%ecx, %%eax"), 0},
		{"CMPXCHG8B", 1, 0, 3, 8, CODE("cmpxchg8b (%%rsi)"), 0},
		{"CMPXCHG16B", 1, 0, 2, 13, CODE("cmpxchg16b (%%rsi)"), 0},
		{"MOVBE", 1, 0, 2, 22, CODE("movbe (%%rsi), %%eax"), 0},
		{"POPCNT", 1, 0, 2, 23, CODE("popcnt %%ecx, %%eax"), 0},
		{"CRC32", 1, 0, 2, 20, CODE("crc32l %%ecx, %%eax"), 0},
		{"RDRAND", 1, 0, 2, 30, CODE("rdrand %%eax"), 0},
		{"RDSEED", 7, 0, 1, 18, CODE("rdseed %%eax"), 0},
		{"CLFLUSH", 1, 0, 3, 19, CODE("clflush (%%rsi)"), 0},
		{"CLFLUSHOPT", 7, 0, 1, 23, CODE("clflushopt (%%rsi)"), 0},
		{"CLWB", 7, 0, 1, 24, CODE("clwb (%%rsi)"), 0},
		{"ANDN", 7, 0, 1, 3, CODE("andn %%ecx, %%edx, %%eax"), 0},
		{"BEXTR", 7, 0, 1, 3, CODE("bextr %%ecx, %%edx, %%eax"), 0},
		{"BLSR", 7, 0, 1, 3, CODE("blsr %%ecx, %%eax"), 0},
		{"BZHI", 7, 0, 1, 8, CODE("bzhi %%ecx, %%edx, %%eax"), 0},
		{"MULX", 7, 0, 1, 8, CODE("mulx %%ecx, %%eax, %%edx"), 0},
		{"PDEP", 7, 0, 1, 8, CODE("pdep %%ecx, %%edx, %%eax"), 0},
		{"RORX", 7, 0, 1, 8, CODE("rorx $3, %%ecx, %%eax"), 0},
		{"ADCX", 7, 0, 1, 19, CODE("adcx %%ecx, %%eax"), 0},
		{"ADOX", 7, 0, 1, 19, CODE("adox %%ecx, %%eax"), 0},
		{"STAC", 7, 0, 1, 20, CODE("stac\n clac"), 0},
		{"RDPID", 7, 0, 2, 22, CODE("rdpid %%rax"), 0},
		{"RDTSCP", 0x80000001, 0, 3, 27, CODE("rdtscp"), 0},
		{"CLZERO", 0x80000008, 0, 1, 0, CODE("lea memory(%%rip), %%rax\n .byte 0x0f, 0x01, 0xfc"), 0},
		{"RDPRU", 0x80000008, 0, 1, 4, CODE("mov $0, %%ecx\n .byte 0x0f, 0x01, 0xfd"), 0},
		{"WBNOINVD", 0x80000008, 0, 1, 9, CODE(".byte 0xf3, 0x0f, 0x09"), 0},
		{"PREFETCHW", 0x80000001, 0, 2, 8, CODE("prefetchw (%%rsi)"), 0},
		{"LAHF", 0x80000001, 0, 2, 0, CODE("lahf\n sahf"), 0},
		{"FXSAVE", 1, 0, 3, 24, CODE("fxsave (%%rsi)"), 0},
		{"XGETBV", 1, 0, 2, 26, CODE("xor %%ecx, %%ecx\n xgetbv"), CR4_OSXSAVE},
		{"XSAVEOPT", 0xd, 1, 0, 0, CODE("xsaveopt (%%rsi)"), CR4_OSXSAVE},
		{"XSAVEC", 0xd, 1, 0, 1, CODE("xsavec (%%rsi)"), CR4_OSXSAVE},
		{"XSAVES", 0xd, 1, 0, 3, CODE("xsaves (%%rsi)"), CR4_OSXSAVE},
		{"RDFSBASE", 7, 0, 1, 0, CODE("rdfsbase %%rax"), CR4_FSGSBASE},
		{"INVPCID", 7, 0, 1, 10, CODE("mov $2, %%eax\n invpcid (%%rdi), %%rax"), 0},
		{"MONITOR", 1, 0, 2, 3, CODE("mov %%rsi, %%rax\n xor %%ecx, %%ecx\n xor %%edx, %%edx\n monitor"), 0},
		{"VMMCALL or its like", 0, 0, 0, 0, 0, 0},
	};
	static u8 area[4096] __attribute__((aligned(64)));

	for (unsigned i = 0; f[i].code; i++) {
		struct cpuid id = cpuid(f[i].leaf, f[i].sub);
		u32 word = f[i].reg == 0 ? id.a : f[i].reg == 1 ? id.b : f[i].reg == 2 ? id.c : id.d;
		bool has = (f[i].leaf & 0x7fffffff) <= (cpuid(f[i].leaf & 0x80000000, 0).a & 0x7fffffff) && word >> f[i].bit & 1;
		struct regs in = kernel_regs(f[i].code), r;

		if (f[i].cr4 && !has && f[i].cr4 == CR4_FSGSBASE)
			continue; /* CR4 refuses */
		if (f[i].cr4)
			cr4_write(cr4_read() | f[i].cr4);
		in.si = addr(area);
		in.di = addr(memory);
		memset(memory, 0, sizeof memory);
		r = run(in);
		if (f[i].cr4)
			cr4_write(cr4_read() & ~(uword)f[i].cr4);
		trap_is(&r, has ? DONE : UD, 0, text("%s is%s reported", f[i].name, has ? "" : " not"));
	}
	/* These fall back to an older instruction when they are not reported. */
	struct regs in = kernel_regs(CODE("lzcnt %%ecx, %%eax")), r;
	in.cx = 0x00010000;
	r = run(in);
	is(r.ax, cpuid(0x80000001, 0).c >> 5 & 1 ? 15 : 16, "LZCNT or BSR");
	in.ip = addr(CODE("tzcnt %%ecx, %%eax"));
	in.cx = 0;
	in.ax = 99;
	r = run(in);
	is(r.ax, cpuid(7, 0).b >> 3 & 1 ? 32 : 99, "TZCNT or BSF");
}

static void lock(void)
{
	static const char *const good[] = {"ADD", "ADC", "AND", "BTC", "BTR", "BTS", "CMPXCHG", "DEC", "INC", "NEG", "NOT", "OR", "SBB", "SUB",
		"XADD", "XCHG", "XOR"};
	const u8 *g[] = {CODE("lock addl %%eax, (%%rsi)"), CODE("lock adcl $1, (%%rsi)"), CODE("lock andl %%eax, (%%rsi)"),
		CODE("lock btcl $1, (%%rsi)"), CODE("lock btrl $1, (%%rsi)"), CODE("lock btsl %%eax, (%%rsi)"),
		CODE("lock cmpxchgl %%ecx, (%%rsi)"), CODE("lock decl (%%rsi)"), CODE("lock incb (%%rsi)"), CODE("lock negl (%%rsi)"),
		CODE("lock notl (%%rsi)"), CODE("lock orl $1, (%%rsi)"), CODE("lock sbbl %%eax, (%%rsi)"), CODE("lock subl %%eax, (%%rsi)"),
		CODE("lock xaddl %%eax, (%%rsi)"), CODE("lock xchgl %%eax, (%%rsi)"), CODE("lock xorl %%eax, (%%rsi)")};
	static const char *const bad[] = {"ADD reg", "MOV", "CMP", "TEST", "BT", "ADD reg, mem", "NOP", "SHL", "PUSH", "INC reg", "MUL", "CPUID"};
	const u8 *b[] = {CODE(".byte 0xf0, 0x01, 0xc8"), CODE(".byte 0xf0, 0x89, 0x06"), CODE(".byte 0xf0, 0x39, 0x06"),
		CODE(".byte 0xf0, 0x85, 0x06"), CODE(".byte 0xf0, 0x0f, 0xa3, 0x06"), CODE(".byte 0xf0, 0x03, 0x06"), CODE(".byte 0xf0, 0x90"),
		CODE(".byte 0xf0, 0xd1, 0x26"), CODE(".byte 0xf0, 0xff, 0x36"), CODE(".byte 0xf0, 0xff, 0xc0"), CODE(".byte 0xf0, 0xf7, 0x26"),
		CODE(".byte 0xf0, 0x0f, 0xa2")};
	struct regs in = kernel_regs(0), r;

	/* APM3 1.2.5 */
	in.si = addr(memory);
	for (unsigned i = 0; i < sizeof g / sizeof *g; i++) {
		in.ip = addr(g[i]);
		r = run(in);
		trap_is(&r, DONE, 0, text("LOCK %s", good[i]));
	}
	for (unsigned i = 0; i < sizeof b / sizeof *b; i++) {
		in.ip = addr(b[i]);
		r = run(in);
		trap_at(&r, UD, 0, b[i], 0, text("LOCK %s", bad[i]));
	}
	/* LOCK MOV CR0 is MOV CR8 where reported. APM3 MOV CRn */
	const u8 *cr8 = CODE(".byte 0xf0, 0x0f, 0x20, 0xc0");
	r = run_kernel(cr8);
	trap_is(&r, cpuid(0x80000001, 0).c >> 4 & 1 ? DONE : UD, 0, "LOCK MOV CR0 follows AltMovCr8");
	/* CMPXCHG16B */
	if (cpuid(1, 0).c >> 13 & 1) {
		const u8 *c = CODE("lock cmpxchg16b (%%rsi)\n setz %%dil");
		in.ip = addr(c);
		memory[0] = 1, memory[1] = 2;
		in.ax = 1, in.dx = 2, in.bx = 3, in.cx = 4;
		r = run(in);
		is(r.di & 1, 1, "CMPXCHG16B: equal");
		is(memory[0] == 3 && memory[1] == 4, 1, "stores");
		r = run(in);
		is(r.di & 1, 0, "CMPXCHG16B: not equal");
		is(r.ax == 3 && r.dx == 4, 1, "loads");
		in.si = addr(memory) + 8;
		r = run(in);
		trap_at(&r, GP, 0, c, 0, "CMPXCHG16B not aligned to 16");
	}
	/* Register forms that do not exist. */
	const u8 *c8 = CODE(".byte 0x0f, 0xc7, 0xc8"), *lea = CODE(".byte 0x8d, 0xc0");
	r = run_kernel(c8);
	trap_at(&r, UD, 0, c8, 0, "CMPXCHG8B of a register");
	r = run_kernel(lea);
	trap_at(&r, UD, 0, lea, 0, "LEA of a register");
}

static void length(void)
{
	static u8 *code;
	struct regs r;

	/* 15 bytes are the limit: #GP. APM3 1.2. */
	code = (u8 *)page_alloc();
	memset(code, 0x66, 32);
	code[14] = 0x90;
	code[15] = 0xcc;
	r = run_kernel(code);
	trap_at(&r, DONE, 0, code, 16, "an instruction of 15 bytes");
	code[14] = 0x66;
	code[15] = 0x90;
	code[16] = 0xcc;
	r = run_kernel(code);
	trap_at(&r, GP, 0, code, 0, "an instruction of 16 bytes");
	/* Across pages: the second page absent: #PF at its start, with the rIP of the instruction; but 15 prefixes on the first page
	 * need not the second. */
	u64 va = 0x6000000000;
	*pte(boot_pml4, va, 12) = addr(code) | PTE_RW;
	*pte(boot_pml4, va + 4096, 12) = 0;
	invlpg((void *)va);
	invlpg((void *)(va + 4096));
	memset(code, 0x90, 4096);
	code[4094] = 0xb8, code[4095] = 1; /* MOV EAX, imm32 */
	r = run_kernel((void *)(va + 4080));
	trap_at(&r, PF, PF_I, (void *)va, 4094, "an instruction that crosses into an absent page");
	is(r.cr2, va + 4096, "CR2 is the second page");
	code[4095] = 0x90;
	code[4094] = 0x90;
	r = run_kernel((void *)(va + 4080));
	trap_at(&r, PF, PF_I, (void *)va, 4096, "running into an absent page");
	is(r.cr2, va + 4096, "CR2");
	code[4094] = 0x0f, code[4095] = 0x0b;
	r = run_kernel((void *)(va + 4080));
	trap_at(&r, UD, 0, (void *)va, 4094, "UD2 at the end of a page needs no second page");
	memset(code + 4096 - 15, 0x66, 15);
	r = run_kernel((void *)(va + 4096 - 15));
	ok(r.vector == GP || r.vector == PF, "15 prefixes at the end of a page", "vector %u", (u32)r.vector);
	/* A branch at the end whose target is here does not touch the next page. */
	code[4094] = 0xeb, code[4095] = 0xf0;
	memset(code + 4070, 0xcc, 20);
	r = run_kernel((void *)(va + 4094));
	trap_is(&r, DONE, 0, "JMP at the end of a page");
}

void guest_main(void)
{
	cpuid_sanity();
	each();
	lock();
	length();
}
