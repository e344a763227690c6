/*
 * Segment registers and descriptors seen from long mode: loading rules and their error codes, LDT and TSS descriptors of 16
 * bytes, LAR/LSL/VERR/VERW, far jumps, call gates, FS and GS bases, compatibility-mode limits. APM2 chapter 4.
 */
#include "guest64.h"

enum { A = FREE, B = FREE + 8, C = FREE + 16 }; /* scratch descriptors */
#define NOT_PRESENT (~(1ull << 47))

static void descriptor(unsigned sel, u8 access, u8 flags) { gdt[sel / 8] = segment(0, 0xfffff, access, flags); }

static void loads(void)
{
	const u8 *ds = CODE("mov %%eax, %%ds"), *ss = CODE("mov %%eax, %%ss"), *fs = CODE("mov %%eax, %%fs");
	struct regs in = kernel_regs(ds), r;
	static const struct {
		const char *name;
		u32 sel;
		u8 access;
		bool user;
		u8 vector;
		u32 error;
	} data[] = { /* APM2 4.8.2, 4.10; APM3 MOV */
		{"DS: writable data", A, 0x93, false, DONE, 0},
		{"DS: read-only data", A, 0x91, false, DONE, 0},
		{"DS: readable code", A, 0x9b, false, DONE, 0},
		{"DS: execute-only code", A, 0x99, false, GP, A},
		{"DS: TSS", A, 0x89, false, GP, A},
		{"DS: not present", A, 0x13, false, NP, A},
		{"DS: wrong type goes before not present", A, 0x19, false, GP, A},
		{"DS: DPL 0 with RPL 3", A | 3, 0x93, false, GP, A},
		{"DS: DPL 3 with RPL 3", A | 3, 0xf3, false, DONE, 0},
		{"DS: DPL 0 at CPL 3", A, 0x93, true, GP, A},
		{"DS: conforming code of DPL 0 at CPL 3", A | 3, 0x9f, true, DONE, 0},
		{"DS: null", 0, 0, false, DONE, 0},
		{"DS: null with RPL 3", 3, 0, true, DONE, 0},
		{"DS: beyond the GDT", 0x208, 0, false, GP, 0x208},
		{"DS: an LDT that is null", 0xc, 0, false, GP, 0xc},
	}, stack[] = {
		{"SS: writable data", A, 0x93, false, DONE, 0},
		{"SS: read-only data", A, 0x91, false, GP, A},
		{"SS: code", A, 0x9b, false, GP, A},
		{"SS: not present", A, 0x13, false, SS, A},
		{"SS: DPL 3 at CPL 0", A, 0xf3, false, GP, A},
		{"SS: RPL 3 at CPL 0", A | 3, 0x93, false, GP, A},
		{"SS: null at CPL 0", 0, 0, false, DONE, 0},
		{"SS: null with RPL 3 at CPL 3", 3, 0, true, GP, 0},
		{"SS: beyond the GDT", 0x208, 0, false, GP, 0x208},
	};
	__asm__ volatile("lldt %w0" : : "r"(0)); /* after reset it is 64 KB at 0: APM2 table 14-1 */
	for (unsigned i = 0; i < sizeof data / sizeof *data; i++) {
		in = data[i].user ? user_regs(ds) : kernel_regs(ds);
		in.ax = data[i].sel;
		descriptor(A, data[i].access, 0xc);
		r = run(in);
		trap_is(&r, data[i].vector, data[i].error, data[i].name);
	}
	for (unsigned i = 0; i < sizeof stack / sizeof *stack; i++) {
		in = stack[i].user ? user_regs(ss) : kernel_regs(ss);
		in.ax = stack[i].sel;
		descriptor(A, stack[i].access, 0xc);
		r = run(in);
		trap_is(&r, stack[i].vector, stack[i].error, stack[i].name);
	}
	/* The accessed bit is set by a load. APM2 4.7.1 */
	descriptor(A, 0x92, 0xc);
	in = kernel_regs(ds);
	in.ax = A;
	run(in);
	is(gdt[A / 8] >> 40 & 1, 1, "a load sets the accessed bit");
	const u8 *cs = CODE("mov %%eax, %%cs");
	r = run_kernel(cs);
	trap_at(&r, UD, 0, cs, 0, "MOV to CS");
	const u8 *six = CODE(".byte 0x8e, 0xf0");
	r = run_kernel(six);
	trap_at(&r, UD, 0, six, 0, "MOV to segment register 6");
	/* FS: the descriptor's 32-bit base goes to FS.base with zeros above; null clears it on AMD. APM2 4.5.3 */
	gdt[A / 8] = segment(0x12345678, 0xfffff, 0x93, 0xc);
	in = kernel_regs(fs);
	in.ax = A;
	msr_write(MSR_FS_BASE, 0x123456789abc);
	run(in);
	is(msr_read(MSR_FS_BASE), 0x12345678, "MOV FS loads a 32-bit base");
	/* A large base by MSR works, ES/DS/SS/CS bases are ignored in 64-bit mode. */
	static u64 word = 0x1122334455667788;
	in = kernel_regs(CODE("mov %%fs:8, %%rax\n mov %%ds:(%%rbx), %%rcx"));
	msr_write(MSR_FS_BASE, addr(&word) - 8);
	in.bx = addr(&word);
	in.ds = A; /* base 12345678h */
	r = run(in);
	is(r.ax, word, "FS base by MSR");
	is(r.cx, word, "the base of DS does not count in 64-bit mode");
	msr_write(MSR_FS_BASE, 0);
	/* Effective address wraps in 64 bits with an FS base. */
	msr_write(MSR_GS_BASE, addr(&word) + 16);
	in = kernel_regs(CODE("mov %%gs:-16, %%rax"));
	r = run(in);
	is(r.ax, word, "GS base with a negative offset");
}

static void system_segments(void)
{
	static u64 ldt[4] = {0, 0x00cf93000000ffff, 0x00cff3000000ffff};
	const u8 *lldt = CODE("lldt %%ax"), *ltr = CODE("ltr %%ax");
	struct regs in = kernel_regs(lldt), r;

	/* LDT descriptors have 16 bytes. APM2 4.8.3 */
	gdt[A / 8] = segment((u32)addr(ldt), sizeof ldt - 1, 0x82, 0);
	gdt[B / 8] = 0;
	in.ax = A;
	r = run(in);
	trap_is(&r, DONE, 0, "LLDT");
	in.ip = addr(CODE("mov $0xc, %%eax\n mov %%eax, %%ds\n mov %%ds, %%ebx"));
	r = run(in);
	trap_is(&r, DONE, 0, "DS from the LDT");
	is(r.bx, 0xc, "DS holds the LDT selector");
	in.ip = addr(CODE("mov $0x24, %%eax\n mov %%eax, %%ds"));
	r = run(in);
	trap_is(&r, GP, 0x24, "DS beyond the LDT");
	in.ip = addr(lldt);
	in.ax = A | 4;
	r = run(in);
	trap_is(&r, GP, A | 4, "LLDT of an LDT selector");
	in.ax = KDATA;
	r = run(in);
	trap_is(&r, GP, KDATA, "LLDT of a data segment");
	gdt[A / 8] &= NOT_PRESENT;
	in.ax = A;
	r = run(in);
	trap_is(&r, NP, A, "LLDT of an absent LDT");
	gdt[A / 8] |= ~NOT_PRESENT;
	gdt[B / 8] = 0x8000; /* base 8000_........h: not canonical */
	r = run(in);
	trap_is(&r, GP, A, "LLDT with a non-canonical base");
	gdt[B / 8] = 1ull << 40; /* type bits of the upper half: APM2 figure 4-22: must be zero */
	r = run(in);
	trap_is(&r, GP, A, "LLDT with a type in the upper half");
	gdt[B / 8] = 0;
	in.ax = 0;
	r = run(in);
	trap_is(&r, DONE, 0, "LLDT of null");
	in.ip = addr(CODE("sldt %%eax"));
	in.ax = ~0ull;
	r = run(in);
	is(r.ax, 0, "SLDT is null then");

	in.ip = addr(ltr);
	in.ax = TSS;
	r = run(in);
	trap_is(&r, GP, TSS, "LTR of a busy TSS");
	in.ax = 0;
	if (on_qemu()) /* QEMU 7.2 loads it, and aborts at the next interrupt */
		skip("LTR of null", "QEMU aborts");
	else {
		r = run(in);
		trap_is(&r, GP, 0, "LTR of null");
	}
	gdt[A / 8] = (gdt[TSS / 8] & ~(2ull << 40)) & NOT_PRESENT;
	gdt[B / 8] = gdt[TSS / 8 + 1];
	in.ax = A;
	r = run(in);
	trap_is(&r, NP, A, "LTR of an absent TSS");
	gdt[A / 8] = segment((u32)addr(tss), 103, 0x81, 0);
	r = run(in);
	trap_is(&r, GP, A, "LTR of a 16-bit TSS in long mode");
	gdt[A / 8] = segment((u32)addr(tss), 103, 0x89, 0);
	r = run(in);
	trap_is(&r, DONE, 0, "LTR");
	is(gdt[A / 8] >> 40 & 0xf, 0xb, "LTR makes the TSS busy");
	in.ip = addr(CODE("str %%eax"));
	r = run(in);
	is(r.ax, A, "STR");
	gdt[TSS / 8] &= ~(2ull << 40);
	__asm__ volatile("ltr %w0" : : "r"(TSS));
}

static void lar_lsl(void)
{
	const u8 *lar = CODE("xor %%ecx, %%ecx\n mov $0x77, %%ecx\n lar %%eax, %%ecx\n setz %%dl");
	const u8 *lsl = CODE("mov $0x77, %%ecx\n lsl %%eax, %%ecx\n setz %%dl");
	const u8 *verr = CODE("verr %%ax\n setz %%dl"), *verw = CODE("verw %%ax\n setz %%dl");
	struct regs in = kernel_regs(lar), r;

	gdt[A / 8] = segment(0x1000, 0x12345, 0x93, 0xd);
	in.ax = A;
	r = run(in);
	is(r.dx & 1, 1, "LAR of data: ZF");
	is(r.cx, 0xd19300, "LAR gives access bytes"); /* APM3 LAR: mask 00FFFF00h; limit bits 19:16 undefined on Intel */
	in.ip = addr(lsl);
	r = run(in);
	is(r.cx, 0x12345fff, "LSL scales by G");
	gdt[A / 8] = segment(0x1000, 0x12345, 0x93, 0x4);
	r = run(in);
	is(r.cx, 0x12345, "LSL without G");
	in.ax = 0;
	r = run(in);
	is(r.dx & 1, 0, "LSL of null: no ZF");
	is(r.cx, 0x77, "LSL of null keeps the register");
	static const struct {
		u8 access;
		bool lar, lsl, verr, verw;
	} types[] = { /* long mode: APM3 tables of LAR and LSL */
		{0x80, 0, 0, 0, 0}, {0x81, 0, 0, 0, 0}, {0x82, 1, 1, 0, 0}, {0x83, 0, 0, 0, 0}, {0x84, 0, 0, 0, 0}, {0x85, 0, 0, 0, 0},
		{0x86, 0, 0, 0, 0}, {0x87, 0, 0, 0, 0}, {0x89, 1, 1, 0, 0}, {0x8b, 1, 1, 0, 0}, {0x8c, 1, 0, 0, 0}, {0x8e, 0, 0, 0, 0},
		{0x8f, 0, 0, 0, 0}, {0x91, 1, 1, 1, 0}, {0x93, 1, 1, 1, 1}, {0x99, 1, 1, 0, 0}, {0x9b, 1, 1, 1, 0}, {0x9f, 1, 1, 1, 0},
		{0x13, 1, 1, 0, 0}, /* not present: LAR and LSL do not ask; VERR and VERW neither */
	};
	in.ax = A;
	for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
		gdt[A / 8] = segment(0, 0xfffff, types[i].access, 8);
		gdt[B / 8] = 0;
		in.ip = addr(lar);
		r = run(in);
		is(r.dx & 1, types[i].lar, text("LAR of type %02x", types[i].access));
		in.ip = addr(lsl);
		r = run(in);
		is(r.dx & 1, types[i].lsl, text("LSL of type %02x", types[i].access));
		if (types[i].access == 0x13)
			continue;
		in.ip = addr(verr);
		r = run(in);
		is(r.dx & 1, types[i].verr, text("VERR of type %02x", types[i].access));
		in.ip = addr(verw);
		r = run(in);
		is(r.dx & 1, types[i].verw, text("VERW of type %02x", types[i].access));
	}
	/* Privilege: DPL 0 data is hidden from CPL 3 and from RPL 3, conforming code is not. */
	struct regs u = user_regs(lar);
	u.ax = KDATA;
	r = run(u);
	is(r.dx & 1, 0, "LAR of DPL 0 data at CPL 3");
	gdt[A / 8] = segment(0, 0xfffff, 0x9f, 0xa);
	u.ax = A | 3;
	r = run(u);
	is(r.dx & 1, 1, "LAR of conforming DPL 0 code at CPL 3");
	u.ip = user(verr);
	r = run(u);
	is(r.dx & 1, 1, "VERR of conforming DPL 0 code at CPL 3");
}

static void far(void)
{
	struct regs r, in;
	static struct __attribute__((packed)) far_pointer { u32 off; u16 sel; } fp;
	const u8 *jump = CODE("ljmpl *(%%rbx)"), *call = CODE("lcall *(%%rbx)"); /* m16:32 */
	const u8 *here = CODE("mov %%cs, %%edx\n mov %%rsp, %%rsi\n mov (%%rsp), %%r8d\n mov 4(%%rsp), %%r9d");

	in = kernel_regs(jump);
	in.bx = addr(&fp);
	fp = (struct far_pointer){(u32)addr(here), KCODE};
	r = run(in);
	trap_is(&r, DONE, 0, "far JMP to 64-bit code");
	fp.sel = 0;
	r = run(in);
	trap_at(&r, GP, 0, jump, 0, "far JMP to null");
	fp.sel = KDATA;
	r = run(in);
	trap_at(&r, GP, KDATA, jump, 0, "far JMP to data");
	fp.sel = UCODE;
	r = run(in);
	trap_at(&r, GP, UCODE & ~3, jump, 0, "far JMP to DPL 3 code at CPL 0");
	fp.sel = A;
	gdt[A / 8] = gdt[KCODE / 8] & NOT_PRESENT;
	r = run(in);
	trap_at(&r, NP, A, jump, 0, "far JMP to absent code");
	gdt[A / 8] = gdt[KCODE / 8] | 1ull << 54;
	r = run(in);
	trap_at(&r, GP, A, jump, 0, "far JMP to code with L and D");
	fp.sel = TSS;
	r = run(in);
	trap_at(&r, GP, TSS, jump, 0, "far JMP to a TSS in long mode"); /* APM2 12.2: no task switches */
	/* Far CALL to 64-bit code by m16:32 pushes 4-byte slots. APM3 CALL far */
	in = kernel_regs(call);
	in.bx = addr(&fp);
	fp.sel = KCODE;
	r = run(in);
	trap_is(&r, DONE, 0, "far CALL");
	is(r.si, in.sp - 8, "pushes two doublewords");
	is(r.r8, addr(call) + 2, "return offset");
	is(r.r9 & 0xffff, KCODE, "return CS");

	/* Call gates: 16 bytes, 64-bit target, stack switch without parameters: APM2 4.8.4, 4.9.. */
	u64 t;
	gdt[B / 8] = 0;
	fp = (struct far_pointer){0x12345, A | 3};
	struct regs u = user_regs(CODE("lcall *(%%rbx)\n nop"));
	u.bx = user(&fp);
	const u8 *gate_end = CODE("mov %%cs, %%edx\n mov %%ss, %%ecx\n mov %%rsp, %%rsi\n mov (%%rsp), %%r8\n mov 8(%%rsp), %%r9\n"
				  "mov 16(%%rsp), %%r10\n mov 24(%%rsp), %%r11\n mov $1, %%edi\n lretq");
	t = addr(gate_end);
	gdt[A / 8] = (t & 0xffff) | (u64)KCODE << 16 | 0xecull << 40 | (t >> 16 & 0xffff) << 48;
	r = run(u);
	trap_is(&r, DONE, 0, "CALL through a call gate from CPL 3, and RETQ");
	is(r.dx, KCODE, "CS inside");
	is(r.cx, 0, "SS inside is null");
	is(r.si, ((u64)tss[2] << 32 | tss[1]) - 32, "RSP inside: TSS.RSP0 less 32");
	is(r.r8, u.ip + 2, "pushed rIP");
	is(r.r9, UCODE, "pushed CS");
	is(r.r10, u.sp, "pushed RSP");
	is(r.r11, UDATA, "pushed SS");
	is(r.cs, UCODE, "CS after the return");
	is(r.sp, u.sp, "RSP after the return");
	gdt[A / 8] &= ~(0x60ull << 40);
	r = run(u);
	trap_is(&r, GP, A, "CALL through a DPL 0 gate at CPL 3");
	gdt[A / 8] |= 0x60ull << 40;
	gdt[A / 8] &= NOT_PRESENT;
	r = run(u);
	trap_is(&r, NP, A, "CALL through an absent gate");
	gdt[A / 8] |= ~NOT_PRESENT;
	gdt[A / 8] = (gdt[A / 8] & ~0xffff0000ull) | (u64)KCODE32 << 16;
	r = run(u);
	trap_is(&r, GP, KCODE32, "a 64-bit call gate to 32-bit code");
	gdt[A / 8] = (gdt[A / 8] & ~0xffff0000ull) | (u64)KCODE << 16;
	gdt[B / 8] |= 1ull << 40;
	r = run(u);
	trap_is(&r, GP, A, "a 64-bit call gate with a type in its upper half");
	gdt[B / 8] &= 0xffffffff;
	gdt[B / 8] = 0x8000;
	r = run(u);
	trap_is(&r, GP, 0, "a call gate to a non-canonical offset");
	/* RETQ to a null selector, to outer privilege with bad SS. */
	const u8 *lret = CODE("lretq");
	in = kernel_regs(lret);
	in.sp -= 32;
	u64 *f = (u64 *)in.sp;
	f[0] = user(here), f[1] = UCODE, f[2] = user(run_stack + 4096), f[3] = KDATA;
	r = run(in);
	trap_at(&r, GP, KDATA, lret, 0, "far RET to CPL 3 with a DPL 0 SS");
	f[3] = UDATA;
	r = run(in);
	trap_is(&r, DONE, 0, "far RET to CPL 3");
	f[1] = 0;
	r = run(in);
	trap_at(&r, GP, 0, lret, 0, "far RET to null");
	f[1] = KCODE;
	f[0] = 0x800000000000;
	r = run(in);
	trap_at(&r, GP, 0, lret, 0, "far RET to a non-canonical address");
}

static void compat(void)
{
	/* Limits and bases count in compatibility mode. APM2 4.5.3, 14.. */
	gdt[A / 8] = segment((u32)USER_BASE + 0x100000, 0xfff, 0xf3, 4);
	struct regs in = compat_regs(CODE32("mov %%ds:0, %%eax\n mov %%ds:0xffc, %%ecx\n nop")), r;
	in.ds = A | 3;
	r = run(in);
	trap_is(&r, DONE, 0, "compatibility mode: inside the limit");
	is(r.ax, 0x1badb002, "the base counts");
	const u8 *c = CODE32("mov %%ds:0xffd, %%eax");
	in.ip = user(c);
	r = run(in);
	trap_is(&r, GP, 0, "beyond the limit");
	in.ip = user(CODE32("mov %%ds:0x0, %%eax"));
	in.ds = 0;
	r = run(in);
	trap_is(&r, GP, 0, "through a null segment");
	in = compat_regs(CODE32("inc %%eax\n dec %%ecx\n .byte 0x40"));
	in.ax = 0xffffffff;
	r = run(in);
	trap_is(&r, DONE, 0, "40h is INC in compatibility mode");
	is(r.ax, 1, "and EAX wraps in 32 bits");
	/* A far jump to 64-bit code from compatibility mode, target from EBX. */
	static struct { u32 off; u16 sel; } fp;
	const u8 *in64 = CODE("mov $0x123456789abcdef0, %%rax");
	fp.off = (u32)user(in64);
	fp.sel = UCODE;
	in = compat_regs(CODE32("ljmp *(%%ebx)"));
	in.bx = user(&fp);
	r = run(in);
	is(r.ax, 0x123456789abcdef0, "far JMP from compatibility mode to 64-bit mode");
	is(r.cs, UCODE, "CS");
	/* Addresses wrap at 32 bits. */
	in = compat_regs(CODE32("mov 0x10(%%ebx), %%eax"));
	in.bx = 0x80100000u - 0x10;
	r = run(in);
	is(r.ax, 0x1badb002, "effective address of 32 bits");
	/* 16-bit compatibility code. */
	gdt[A / 8] = segment((u32)user(CODE16("mov $0x1234, %%ax\n push %%ax\n mov %%sp, %%bx")), 0xffff, 0xfb, 0);
	in.ip = 0;
	in.cs = A | 3;
	in.ax = ~0ull;
	r = run(in);
	trap_is(&r, DONE, 0, "16-bit compatibility mode");
	is(r.ax & 0xffff, 0x1234, "16-bit operands");
	is(r.sp, in.sp - 2, "a word is pushed");
}

void guest_main(void)
{
	loads();
	system_segments();
	lar_lsl();
	far();
	compat();
}
