/*
 * Long mode: every exception a program can raise by itself, with vector, error code and saved rIP; interrupt gates and
 * their checks; IST; double fault. APM2 chapter 8.
 */
#include "guest64.h"

static void faults(void)
{
	const u8 *c;
	struct regs r;

	/* APM2 8.2.1: #DE is a fault: the saved rIP points at the DIV. */
	c = CODE("xor %%ecx, %%ecx\n div %%ecx");
	r = run_kernel(c);
	trap_at(&r, DE, 0, c, 2, "#DE by division by zero");
	c = CODE("mov $0x80000000, %%eax\n cdq\n mov $-1, %%ecx\n idiv %%ecx");
	r = run_kernel(c);
	trap_at(&r, DE, 0, c, 11, "#DE by IDIV overflow");
	is(r.ax, 0x80000000, "IDIV that faults leaves EAX");
	/* APM2 8.2.4: #BP is a trap: behind the INT3. */
	c = CODE("nop");
	r = run_kernel(c);
	trap_at(&r, DONE, 0, c, 2, "#BP behind INT3");
	/* APM3 INTO: #OF, but #UD in 64-bit mode. */
	c = CODE(".byte 0xce");
	r = run_kernel(c);
	trap_at(&r, UD, 0, c, 0, "INTO is #UD in 64-bit mode");
	c = CODE32("add $0x7f, %%al\n into");
	struct regs in = compat_regs(c);
	in.ax = 1;
	r = run(in);
	trap_is(&r, OF, 0, "INTO with OF in compatibility mode");
	is(r.ip, user(c) + 3, "#OF behind INTO");
	c = CODE32("bound %%eax, (%%ebx)");
	static const u32 bounds[2] = {10, 20};
	in = compat_regs(c);
	in.ax = 9;
	in.bx = user(bounds);
	r = run(in);
	trap_is(&r, BR, 0, "BOUND below");
	is(r.ip, user(c), "#BR at BOUND");
	in.ax = 20;
	r = run(in);
	trap_is(&r, DONE, 0, "BOUND inside");
	in.ax = 21;
	r = run(in);
	trap_is(&r, BR, 0, "BOUND above");
	c = CODE(".byte 0x62, 0x03"); /* BOUND's opcode; EVEX when the model has it */
	r = run_kernel(c);
	trap_at(&r, UD, 0, c, 0, "BOUND is #UD in 64-bit mode");
	c = CODE("ud2");
	r = run_kernel(c);
	trap_at(&r, UD, 0, c, 0, "UD2");
	c = CODE(".byte 0x0f, 0xff, 0xc0");
	r = run_kernel(c);
	trap_at(&r, UD, 0, c, 0, "UD0");
	c = CODE(".byte 0x0f, 0xb9, 0xc0");
	r = run_kernel(c);
	trap_at(&r, UD, 0, c, 0, "UD1");
	static const u8 gone[] = {0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0x82, 0x9a, 0xc4,
		0xc5, 0xd4, 0xd5, 0xea};
	static u8 buf[16];
	for (unsigned i = 0; i < sizeof gone; i++) { /* APM3 B.3: invalid in 64-bit mode (C4, C5: register form is VEX) */
		memset(buf, 0, sizeof buf);
		buf[0] = gone[i];
		r = run_kernel(buf);
		trap_at(&r, UD, 0, buf, 0, text("opcode %02x is #UD in 64-bit mode", gone[i]));
	}
	c = CODE(".byte 0xf1"); /* APM3 INT1: #DB without a debug register, trap */
	dr6_write(0xffff0ff0);
	r = run_kernel(c);
	trap_at(&r, DB, 0, c, 1, "ICEBP raises #DB behind it");
	is(r.dr6, 0xffff0ff0, "ICEBP sets nothing in DR6");
}

static void privilege(void)
{
	static const char *const name[] = {"HLT", "CLI", "STI", "CLTS", "INVD", "WBINVD", "RDMSR", "WRMSR", "MOV from CR0",
		"MOV to CR3", "MOV from DR0", "MOV to DR7", "LGDT", "LIDT", "LLDT", "LTR", "LMSW", "INVLPG", "SWAPGS", "SYSRET",
		"IN", "OUT", "INSB", "OUTSB", "MOV CR8"};
	const u8 *c[] = {CODE("hlt"), CODE("cli"), CODE("sti"), CODE("clts"), CODE("invd"), CODE("wbinvd"), CODE("rdmsr"),
		CODE("wrmsr"), CODE("mov %%cr0, %%rax"), CODE("mov %%rax, %%cr3"), CODE("mov %%db0, %%rax"),
		CODE("mov %%rax, %%db7"), CODE("lgdt (%%rsp)"), CODE("lidt (%%rsp)"), CODE("lldt %%ax"), CODE("ltr %%ax"),
		CODE("lmsw %%ax"), CODE("invlpg (%%rax)"), CODE("swapgs"), CODE("sysretq"), CODE("in $0x80, %%al"),
		CODE("out %%al, $0x80"), CODE("insb"), CODE("outsb"), CODE("mov %%cr8, %%rax")};

	for (unsigned i = 0; i < sizeof name / sizeof *name; i++) { /* APM2 8.2.14 */
		struct regs r = run_user(c[i]);

		trap_is(&r, GP, 0, text("%s at CPL 3", name[i]));
	}
	/* IOPL 3 permits I/O and CLI. APM2 3.1.6 */
	struct regs in = user_regs(CODE("cli\n out %%al, $0x80\n in $0x80, %%al"));
	in.flags |= FL_IOPL;
	struct regs r = run(in);
	trap_is(&r, DONE, 0, "CLI, IN, OUT at CPL 3 with IOPL 3");
	/* POPF at CPL 3 changes neither IOPL nor IF, and raises nothing. APM3 POPF */
	in = user_regs(CODE("push $0x3202\n popfq\n pushfq\n pop %%rax"));
	r = run(in);
	is(r.ax & (FL_IF | FL_IOPL), 0, "POPF at CPL 3 keeps IF and IOPL");
}

static void int_n(void)
{
	struct regs r;
	const u8 *c = CODE("int $0x40");

	/* APM2 8.4.1, 8.9.1: error code = vector * 8 + IDT; a software interrupt does not set EXT. */
	r = run_kernel(c);
	trap_at(&r, 0x40, 0, c, 2, "INT 40h at CPL 0");
	r = run_user(c);
	trap_is(&r, GP, 0x40 * 8 + 2, "INT to a DPL 0 gate at CPL 3");
	is(r.ip, user(c), "the fault is at the INT");
	idt[0x40].type = 0x0e;
	r = run_kernel(c);
	trap_at(&r, NP, 0x40 * 8 + 2, c, 0, "INT to a gate that is not present");
	r = run_user(c);
	trap_is(&r, GP, 0x40 * 8 + 2, "DPL is checked before P");
	idt[0x40].type = 0x85;
	r = run_kernel(c);
	trap_at(&r, GP, 0x40 * 8 + 2, c, 0, "INT to a task gate in long mode");
	idt[0x40].type = 0x86;
	r = run_kernel(c);
	trap_at(&r, GP, 0x40 * 8 + 2, c, 0, "INT to a 16-bit gate in long mode");
	gate_default(0x40);
	idt[0x40].sel = 0;
	r = run_kernel(c);
	trap_at(&r, GP, 0, c, 0, "INT to a gate with a null selector");
	idt[0x40].sel = KDATA;
	r = run_kernel(c);
	trap_at(&r, GP, KDATA, c, 0, "INT to a gate with a data segment");
	idt[0x40].sel = KCODE32;
	r = run_kernel(c);
	trap_at(&r, GP, KCODE32, c, 0, "INT to a gate with a 32-bit code segment");
	idt[0x40].sel = UCODE & ~3;
	r = run_kernel(c);
	trap_at(&r, GP, UCODE & ~3, c, 0, "INT to a gate with less privilege");
	idt[0x40].sel = 0x1000;
	r = run_kernel(c);
	trap_at(&r, GP, 0x1000, c, 0, "INT to a gate with a selector beyond the GDT");
	idt[0x40].sel = FREE;
	gdt[FREE / 8] = gdt[KCODE / 8] & ~(1ull << 47);
	r = run_kernel(c);
	trap_at(&r, NP, FREE, c, 0, "INT to a gate with a segment that is not present");
	gate_default(0x40);
	idt[0x40].off2 = 0x8000;
	r = run_kernel(c);
	trap_at(&r, GP, 0, c, 0, "INT to a gate with a non-canonical offset");
	gate_default(0x40);
	/* Interrupt gates clear IF, trap gates do not; TF, NT, RF are cleared by both. APM2 8.7.3 */
	u8 *mark = (u8 *)addr(CODE("pushfq\n pop %%rax"));
	gate_set(0x40, mark, 0, 0x8f);
	struct regs in = kernel_regs(c);
	in.flags = 2 | FL_IF | FL_NT;
	r = run(in);
	is(r.ax & (FL_IF | FL_NT | FL_TF), FL_IF, "a trap gate keeps IF and clears NT");
	gate_set(0x40, mark, 0, 0x8e);
	r = run(in);
	is(r.ax & (FL_IF | FL_NT), 0, "an interrupt gate clears IF and NT");
	/* The frame is aligned to 16 bytes and has five quadwords, SS:RSP always. APM2 8.9.3 */
	gate_set(0x40, CODE("mov %%rsp, %%rax\n mov (%%rsp), %%rbx\n mov 8(%%rsp), %%rcx\n mov 24(%%rsp), %%rdx\n"
			    "mov 32(%%rsp), %%rsi"), 0, 0x8e);
	in = kernel_regs(c);
	in.sp -= 5;
	r = run(in);
	is(r.ax, ((in.sp & ~15ull) - 40), "the frame is aligned to 16 bytes");
	is(r.bx, addr(c) + 2, "the frame's rIP");
	is(r.cx, KCODE, "the frame's CS");
	is(r.dx, in.sp, "the frame's RSP");
	is(r.si, KDATA, "the frame's SS");
	/* From CPL 3: stack from TSS.RSP0, SS = null with the new CPL. APM2 8.9.3, 12.2.5 */
	gate_set(0x40, CODE("mov %%rsp, %%rax\n mov %%ss, %%ebx\n mov 32(%%rsp), %%rcx"), 0, 0xee);
	r = run_user(c);
	is(r.ax, (((u64)tss[2] << 32 | tss[1]) & ~15ull) - 40, "stack of RSP0");
	is(r.bx, 0, "SS is null after a change of privilege");
	is(r.cx, UDATA, "the frame's SS is the interrupted one");
	/* IST. */
	tss_word(9 + 2 * 4, addr(run_stack + 4096));
	idt[0x40].ist = 5;
	r = run_user(c);
	is(r.ax, addr(run_stack + 4096) - 40, "stack of IST5, from CPL 3");
	r = run_kernel(c);
	is(r.ax, addr(run_stack + 4096) - 40, "stack of IST5, from CPL 0");
	gate_default(0x40);
	/* IDT limit: APM2 8.9.1: beyond it #GP(vector * 8 + 2) */
	static struct __attribute__((packed)) { u16 limit; u64 base; } small, full;
	__asm__ volatile("sidt %0" : "=m"(full));
	small = full;
	small.limit = 0x40 * 16 + 14;
	__asm__ volatile("lidt %0" : : "m"(small));
	r = run_kernel(c);
	__asm__ volatile("lidt %0" : : "m"(full));
	trap_at(&r, GP, 0x40 * 8 + 2, c, 0, "INT beyond the IDT limit");
}

static void double_fault(void)
{
	struct regs r;

	/* APM2 8.2.9: contributory after contributory, and after #PF. */
	const u8 *c = CODE("ud2");
	idt[UD].type = 0x0e;
	r = run_kernel(c);
	r.error &= ~1ull; /* EXT "external to the processor", APM2 8.4.1: says little about an exception as the source */
	trap_is(&r, NP, UD * 8 + 2, "#UD (benign) then #NP");
	gate_default(UD);
	c = CODE("xor %%ecx, %%ecx\n div %%ecx");
	idt[DE].type = 0x0e;
	r = run_kernel(c);
	trap_is(&r, DF, 0, "#DE then #NP");
	is(r.ip, addr(c) + 2, "#DF saves the rIP of the first fault");
	gate_default(DE);
	c = CODE("mov 0x7000000000, %%al");
	idt[PF].type = 0x0e;
	r = run_kernel(c);
	trap_is(&r, DF, 0, "#PF then #NP");
	is(r.cr2, 0x7000000000, "CR2 of the first fault");
	gate_default(PF);
	/* #PF while delivering a benign interrupt is a plain #PF with the error code of the push. */
	idt[0x40].ist = 6;
	tss_word(9 + 2 * 5, 0x7000001000);
	r = run_kernel(CODE("int $0x40"));
	trap_is(&r, PF, PF_W, "stack of an INT not present");
	is(r.cr2, 0x7000001000 - 8, "CR2 is that of the first push");
	/* APM2 table 8-3: a #PF after a contributory exception other than #PF is served. */
	idt[GP].ist = 6;
	r = run_kernel(CODE("mov $0x800000000000, %%rax\n mov (%%rax), %%al"));
	trap_is(&r, PF, PF_W, "#GP then #PF: the #PF is served");
	gate_default(GP);
	idt[PF].ist = 6;
	r = run_kernel(CODE("mov 0x7000000000, %%al"));
	trap_is(&r, DF, 0, "#PF then #PF");
	gate_default(PF);
	gate_default(0x40);
	/* A stack that is not canonical: #SS(0), which is contributory. APM2 8.2.13 */
	idt[0x40].ist = 6;
	tss_word(9 + 2 * 5, 0x800000000000);
	tss_word(9 + 2 * 5, 0x900000000000);
	r = run_kernel(CODE("int $0x40"));
	trap_is(&r, SS, 0, "stack of an INT not canonical");
	gate_default(0x40);
}

static void alignment(void)
{
	static u64 data[4];
	const u8 *read8 = CODE("mov (%%rbx), %%rax"), *read2 = CODE("mov (%%rbx), %%ax");
	struct regs in = user_regs(read8), r;

	cr0_write(cr0_read() | CR0_AM);
	in.bx = user(data) + 4;
	in.flags |= FL_AC;
	r = run(in);
	trap_is(&r, AC, 0, "#AC: quadword at 4 mod 8"); /* APM2 8.2.17: CR0.AM, rFLAGS.AC, CPL 3 */
	in.bx = user(data) + 8;
	r = run(in);
	trap_is(&r, DONE, 0, "no #AC when aligned");
	in.bx = user(data) + 1;
	in.ip = user(read2);
	r = run(in);
	trap_is(&r, AC, 0, "#AC: word at an odd address");
	in.flags &= ~(u64)FL_AC;
	r = run(in);
	trap_is(&r, DONE, 0, "no #AC without rFLAGS.AC");
	struct regs k = kernel_regs(read8);
	k.bx = addr(data) + 1;
	k.flags |= FL_AC;
	r = run(k);
	trap_is(&r, DONE, 0, "no #AC at CPL 0");
	in.flags |= FL_AC;
	cr0_write(cr0_read() & ~(uword)CR0_AM);
	r = run(in);
	trap_is(&r, DONE, 0, "no #AC without CR0.AM");
	cr0_write(cr0_read() | CR0_AM);
	in.ip = user(CODE("push %%rax"));
	in.sp -= 4;
	r = run(in);
	trap_is(&r, AC, 0, "#AC: PUSH on a stack at 4 mod 8");
	in.bx = 0x7000000001;
	in.ip = user(read2);
	r = run(in);
	ok(r.vector == AC || r.vector == PF, "misaligned and absent", "vector %u", (u32)r.vector);
	cr0_write(cr0_read() & ~(uword)CR0_AM);
}

static void canonical(void)
{
	struct regs in, r;
	const u8 *c;

	/* APM2 5.3.1, 8.2.13, 8.2.14: #GP(0), or #SS(0) through the stack segment */
	r = try_read(false, 0x800000000000);
	trap_is(&r, GP, 0, "read of a non-canonical address");
	r = try_write(true, 0xffff7fffffffffff);
	trap_is(&r, GP, 0, "write of a non-canonical address at CPL 3");
	in = kernel_regs(CODE("mov (%%rbp), %%al"));
	in.bp = 0x800000000000;
	r = run(in);
	trap_is(&r, SS, 0, "non-canonical through RBP is #SS");
	in = kernel_regs(CODE("push %%rax"));
	in.sp = 0x800000000010;
	r = run(in);
	trap_is(&r, SS, 0, "PUSH to a non-canonical stack");
	is(r.sp, 0x800000000010, "RSP stays");
	in = kernel_regs(CODE("mov %%gs:(%%rbp), %%al"));
	in.bp = 0x800000000000;
	r = run(in);
	trap_is(&r, GP, 0, "non-canonical through GS:RBP is #GP");
	/* A branch to a non-canonical target faults at the branch. APM3 JMP: #GP "target offset non-canonical". */
	c = CODE("jmp *%%rbx");
	in = kernel_regs(c);
	in.bx = 0x800000000000;
	r = run(in);
	trap_at(&r, GP, 0, c, 0, "JMP to a non-canonical target");
	c = CODE("ret");
	in = kernel_regs(c);
	in.sp -= 8;
	*(u64 *)in.sp = 0x800000000000;
	r = run(in);
	trap_at(&r, GP, 0, c, 0, "RET to a non-canonical target");
	is(r.sp, in.sp, "RSP before the RET");
	c = CODE("call *%%rbx");
	in = kernel_regs(c);
	in.bx = 0x800000000000;
	r = run(in);
	trap_at(&r, GP, 0, c, 0, "CALL to a non-canonical target");
	is(r.sp, in.sp, "RSP before the CALL");
	/* An access that begins canonical and ends beyond. */
	in = kernel_regs(CODE("mov (%%rbx), %%rax"));
	in.bx = 0x7ffffffffffc;
	r = run(in);
	ok(r.vector == GP || r.vector == PF, "read over the edge", "vector %u", (u32)r.vector);
}

void guest_main(void)
{
	faults();
	privilege();
	int_n();
	double_fault();
	alignment();
	canonical();
}
