/*
 * 32-bit and 16-bit protected mode without paging: limits, expand-down, access rights, conforming code, ARPL, call gates with
 * stack switch and parameters, far returns, interrupt gates of both sizes. APM2 chapter 4, 8.7.
 */
#include "guest32.h"

enum { A = FREE, B = FREE + 8, C = FREE + 16, D = FREE + 24 };
static u8 data[8192] __attribute__((aligned(4096)));
static struct __attribute__((packed)) { u32 off; u16 sel; } fp;

static struct regs through(u32 ds, u32 off, const u8 *code)
{
	struct regs in = kernel_regs(code);

	in.ds = ds;
	in.bx = off;
	return run(in);
}

static void limits(void)
{
	const u8 *rb = CODE("mov (%%ebx), %%al"), *rd = CODE("mov (%%ebx), %%eax"), *wd = CODE("mov %%eax, (%%ebx)");
	static const struct {
		const char *name;
		u32 limit;
		u8 access, flags;
		u32 off;
		u8 kind; /* 0 read byte, 1 read dword, 2 write dword */
		u8 vector;
	} t[] = { /* APM2 4.7.1, 4.12 */
		{"last byte", 0xfff, 0x93, 4, 0xfff, 0, DONE},
		{"byte beyond", 0xfff, 0x93, 4, 0x1000, 0, GP},
		{"last doubleword", 0xfff, 0x93, 4, 0xffc, 1, DONE},
		{"doubleword across the limit", 0xfff, 0x93, 4, 0xffd, 1, GP},
		{"G: limit of pages", 1, 0x93, 0xc, 0x1ffc, 1, DONE},
		{"G: beyond", 1, 0x93, 0xc, 0x1ffd, 1, GP},
		{"expand-down: at the limit", 0xfff, 0x97, 4, 0xfff, 0, GP},
		{"expand-down: above the limit", 0xfff, 0x97, 4, 0x1000, 0, DONE},
		{"expand-down: across the limit", 0xfff, 0x97, 4, 0xffd, 1, GP},
		{"expand-down, 16-bit: below 64 KB", 0xfff, 0x97, 0, 0x1ffc, 1, DONE},
		{"expand-down, 16-bit: across 64 KB", 0xfff, 0x97, 0, 0xfffe, 1, GP},
		{"expand-down, 16-bit: beyond 64 KB", 0xfff, 0x97, 0, 0x10000, 0, GP},
		{"write to read-only data", 0xfff, 0x91, 4, 0, 2, GP},
		{"write to code", 0xfff, 0x9b, 4, 0, 2, GP},
		{"read of readable code", 0xfff, 0x9b, 4, 0, 1, DONE},
		{"write to data", 0xfff, 0x93, 4, 0, 2, DONE},
		{"wrap of the offset", 0xffff, 0x93, 4, 0xfffffffe, 1, GP},
		{"flat: the last doubleword wraps", 0xfffff, 0x93, 0xc, 0xfffffffd, 1, GP},
	};

	for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
		gdt[A / 8] = segment(addr(data), t[i].limit, t[i].access, t[i].flags);
		struct regs r = through(A, t[i].off, t[i].kind == 2 ? wd : t[i].kind ? rd : rb);

		trap_is(&r, t[i].vector, 0, t[i].name);
	}
	struct regs r = through(0, 0, rb);
	trap_is(&r, GP, 0, "through a null segment");
	/* SS: #SS(0), with the user's stack so that delivery works. Also EBP and ESP bases. */
	gdt[A / 8] = segment(addr(data), 0xfff, 0xf3, 4);
	struct regs in = user_regs(CODE("push %%eax"));
	in.ss = A | 3;
	in.sp = 0x1004;
	r = run(in);
	trap_is(&r, SS, 0, "PUSH across the stack limit");
	is(r.sp, 0x1004, "ESP stays");
	in.sp = 0x1000;
	r = run(in);
	trap_is(&r, DONE, 0, "PUSH below the stack limit");
	in = user_regs(CODE("mov (%%ebp), %%eax"));
	in.ss = A | 3;
	in.bp = 0xffd;
	r = run(in);
	trap_is(&r, SS, 0, "EBP reads through SS");
	in = user_regs(CODE("pop %%eax"));
	in.ss = A | 3;
	in.sp = 0xffe;
	r = run(in);
	trap_is(&r, SS, 0, "POP across the stack limit");
	/* A 16-bit stack wraps in SP and keeps ESP 31:16. APM2 4.7.3 */
	gdt[A / 8] = segment(addr(data) - 0xe000, 0xffff, 0xf3, 0);
	in = user_regs(CODE("mov $0x1234f000, %%esp\n push %%eax")); /* IRET would load SP alone */
	in.ss = A | 3;
	in.sp = 0xf000;
	in.ax = 0xdeadbeef;
	r = run(in);
	trap_is(&r, DONE, 0, "PUSH on a 16-bit stack");
	is(r.sp, 0x1234effc, "only SP moves");
	is(*(u32 *)(data + 0xffc), 0xdeadbeef, "the word is there");
	/* CS limit: fetch beyond it is #GP(0). */
	const u8 *nops = CODE("nop\n nop\n nop\n nop");
	gdt[A / 8] = segment(addr(nops), 1, 0x9b, 4);
	in = kernel_regs(0);
	in.cs = A;
	r = run(in);
	trap_is(&r, GP, 0, "fetch beyond the CS limit");
	is(r.ip, 2, "at the first byte beyond");
	const u8 *jmp = CODE("jmp 1f\n nop\n nop\n1: nop");
	gdt[A / 8] = segment(addr(jmp), 2, 0x9b, 4);
	r = run(in);
	trap_is(&r, GP, 0, "near JMP beyond the CS limit");
	is(r.ip, 0, "at the JMP"); /* APM3 JMP: #GP(0), the target offset exceeds the limit */
}

static void rights(void)
{
	const u8 *arpl = CODE("arpl %%cx, %%ax\n setz %%dl"), *lar = CODE("lar %%eax, %%ecx\n setz %%dl");
	struct regs in = kernel_regs(arpl), r;

	in.ax = 0x10;
	in.cx = 0x23;
	r = run(in);
	is(r.ax, 0x13, "ARPL raises RPL");
	is(r.dx & 1, 1, "ARPL: ZF");
	in.ax = 0x13;
	in.cx = 0x20;
	r = run(in);
	is(r.ax, 0x13, "ARPL leaves a higher RPL");
	is(r.dx & 1, 0, "ARPL: no ZF");
	/* Legacy mode: LAR knows 16-bit system types, LSL TSS and LDT. APM3 */
	static const struct {
		u8 type;
		bool lar, lsl;
	} t[] = {{0x80, 0, 0}, {0x81, 1, 1}, {0x82, 1, 1}, {0x83, 1, 1}, {0x84, 1, 0}, {0x85, 1, 0}, {0x86, 0, 0}, {0x87, 0, 0},
		{0x88, 0, 0}, {0x89, 1, 1}, {0x8a, 0, 0}, {0x8b, 1, 1}, {0x8c, 1, 0}, {0x8d, 0, 0}, {0x8e, 0, 0}, {0x8f, 0, 0}};
	const u8 *lsl = CODE("lsl %%eax, %%ecx\n setz %%dl");
	for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
		gdt[A / 8] = segment(0, 0xff, t[i].type, 0);
		in.ax = A;
		in.ip = addr(lar);
		r = run(in);
		is(r.dx & 1, t[i].lar, text("LAR of type %02x", t[i].type));
		in.ip = addr(lsl);
		r = run(in);
		is(r.dx & 1, t[i].lsl, text("LSL of type %02x", t[i].type));
	}
	/* Conforming code: a jump from CPL 3 keeps CPL 3. Nonconforming: DPL must equal CPL. APM2 4.11.1 */
	const u8 *cs = CODE("mov %%cs, %%eax");
	gdt[A / 8] = segment(0, 0xfffff, 0x9f, 0xc);
	fp.off = addr(cs);
	fp.sel = A;
	in = user_regs(CODE("ljmp *(%%ebx)"));
	in.bx = addr(&fp);
	r = run(in);
	trap_is(&r, DONE, 0, "far JMP from CPL 3 to conforming code");
	is(r.ax, A | 3, "CPL stays 3");
	gdt[A / 8] = segment(0, 0xfffff, 0x9b, 0xc);
	r = run(in);
	trap_is(&r, GP, A, "far JMP from CPL 3 to DPL 0 code");
	gdt[A / 8] = segment(0, 0xfffff, 0xff, 0xc);
	in = kernel_regs(CODE("ljmp *(%%ebx)"));
	in.bx = addr(&fp);
	r = run(in);
	trap_is(&r, GP, A, "far JMP from CPL 0 to conforming DPL 3 code");
	gdt[A / 8] = segment(0, 0xfff, 0x9b, 4);
	r = run(in);
	trap_is(&r, GP, 0, "far JMP beyond the target's limit");
	fp.sel = 0;
	r = run(in);
	trap_is(&r, GP, 0, "far JMP to null");
	/* A far jump into 16-bit code. */
	const u8 *c16 = CODE16("mov $0x1234, %%ax\n nop");
	gdt[A / 8] = segment(addr(c16), 0xff, 0x9b, 0);
	fp.sel = A;
	fp.off = 0;
	r = run(in);
	trap_is(&r, DONE, 0, "far JMP into 16-bit code");
	is(r.ax, 0x1234, "16-bit operand size");
}

static void gates(void)
{
	/* 32-bit call gate CPL 3 -> 0 with two parameters. APM2 4.11.2 */
	const u8 *target = CODE("mov %%esp, %%esi\n mov (%%esp), %%eax\n mov 4(%%esp), %%ecx\n mov 8(%%esp), %%edx\n mov 12(%%esp), %%edi\n"
				"mov 16(%%esp), %%ebp\n lret $8");
	const u8 *call = CODE("push $0x11111111\n push $0x22222222\n lcall *(%%ebx)\n nop");
	struct regs in = user_regs(call), r;
	u32 top = tss.esp0;

	gdt[A / 8] = gate(KCODE, addr(target), 0xec, 2);
	fp.off = 0x99999999;
	fp.sel = A | 3;
	in.bx = addr(&fp);
	r = run(in);
	trap_is(&r, DONE, 0, "32-bit call gate to CPL 0 and back");
	is(r.si, top - 24, "six doublewords on the new stack");
	is(r.ax, in.ip + 12, "return EIP");
	is(r.cx, UCODE, "return CS");
	is(r.dx, 0x22222222, "last parameter");
	is(r.di, 0x11111111, "first parameter");
	is(r.bp, in.sp - 8, "the caller's ESP");
	is(r.sp, in.sp, "RET n releases the parameters on both stacks");
	is(r.cs, UCODE, "CPL 3 again");
	/* 16-bit call gate: words. */
	const u8 *t16 = CODE("mov %%esp, %%esi\n mov (%%esp), %%eax\n mov 4(%%esp), %%ecx\n .byte 0x66\n lret $2");
	gdt[B / 8] = segment(addr(t16), 0xffff, 0x9b, 4);
	gdt[A / 8] = gate(B, 0, 0xe4, 1);
	gdt[C / 8] = segment(addr(CODE("pushw $0x5555\n lcall *(%%ebx)\n nop")), 0xffff, 0xfb, 4);
	in = user_regs(0);
	in.cs = C | 3;
	in.bx = addr(&fp);
	/* a 16-bit gate saves SP only: the user's stack must be a 16-bit one */
	gdt[D / 8] = segment(addr(run_stack), 0x3fff, 0xf3, 0);
	in.ss = D | 3;
	in.sp = 0x2000;
	r = run(in);
	trap_is(&r, DONE, 0, "16-bit call gate to CPL 0 and back");
	is(r.si, top - 10, "five words on the new stack");
	is(r.ax & 0xffff, 6, "return IP");
	is(r.ax >> 16, C | 3, "return CS");
	is(r.cx & 0xffff, 0x5555, "parameter");
	is(r.cx >> 16, 0x1ffe, "the caller's SP");
	is(r.sp & 0xffff, 0x2000, "stack is balanced");
	/* Privilege of the gate, presence, and of the target. */
	in = user_regs(call);
	in.bx = addr(&fp);
	gdt[A / 8] = gate(KCODE, addr(target), 0x8c, 0);
	r = run(in);
	trap_is(&r, GP, A, "call gate of DPL 0 at CPL 3");
	gdt[A / 8] = gate(KCODE, addr(target), 0x6c, 0);
	r = run(in);
	trap_is(&r, NP, A, "absent call gate");
	gdt[A / 8] = gate(0, addr(target), 0xec, 0);
	r = run(in);
	trap_is(&r, GP, 0, "call gate with a null selector");
	gdt[A / 8] = gate(KDATA, addr(target), 0xec, 0);
	r = run(in);
	trap_is(&r, GP, KDATA, "call gate to data");
	in.ip = addr(CODE("ljmp *(%%ebx)"));
	gdt[A / 8] = gate(KCODE, addr(target), 0xec, 0);
	r = run(in);
	trap_is(&r, GP, KCODE, "JMP through a gate to more privilege");
	gdt[B / 8] = segment(0, 0xfffff, 0x9f, 0xc);
	gdt[A / 8] = gate(B, addr(CODE("mov %%cs, %%eax")), 0xec, 0);
	r = run(in);
	trap_is(&r, DONE, 0, "JMP through a gate to conforming code");
	is(r.ax, B | 3, "keeps CPL 3");
	/* The stack of the TSS: bad SS0 is #TS. APM2 8.2.10 */
	in.ip = addr(call);
	gdt[A / 8] = gate(KCODE, addr(target), 0xec, 2);
	/* ring 1 is the target, so that the fault's own delivery to ring 0 works */
	gdt[B / 8] = segment(0, 0xfffff, 0xbb, 0xc);
	gdt[C / 8] = segment(0, 0xfffff, 0xb3, 0xc);
	gdt[A / 8] = gate(B | 1, addr(CODE("mov %%cs, %%eax\n mov %%ss, %%ecx\n lret $8")), 0xec, 2);
	tss.esp1 = addr(data) + 4096;
	tss.ss1 = C | 1;
	r = run(in);
	trap_is(&r, DONE, 0, "call gate to CPL 1");
	is(r.ax, B | 1, "CS of ring 1");
	is(r.cx, C | 1, "SS of ring 1");
	static const struct {
		const char *name;
		u32 ss1;
		u8 access, vector;
		u32 error;
	} t[] = {
		{"SS1 null", 0, 0xb3, TS, 0},
		{"SS1 with RPL 0", C, 0xb3, TS, C},
		{"SS1 with DPL 0", C | 1, 0x93, TS, C},
		{"SS1 read-only", C | 1, 0xb1, TS, C},
		{"SS1 not present", C | 1, 0x33, SS, C},
		{"SS1 beyond the GDT", 0x1001, 0xb3, TS, 0x1000},
	};
	for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
		gdt[C / 8] = segment(0, 0xfffff, t[i].access, 0xc);
		tss.ss1 = t[i].ss1;
		r = run(in);
		trap_is(&r, t[i].vector, t[i].error, text("call gate: %s", t[i].name));
		is(r.cs, UCODE, "the caller faults");
	}
	gdt[C / 8] = segment(addr(data), 7, 0xb3, 4);
	tss.ss1 = C | 1;
	tss.esp1 = 8;
	r = run(in);
	trap_is(&r, SS, C, "call gate: no room on the new stack");
}

static void returns(void)
{
	/* RET far to outer privilege checks SS; data registers are nulled. APM2 4.11.2 */
	struct regs in = kernel_regs(CODE("lret")), r;
	u32 *f = (u32 *)(in.sp - 16);

	in.sp = addr(f);
	f[0] = addr(CODE("mov %%ds, %%eax\n mov %%es, %%ecx"));
	f[1] = UCODE;
	f[2] = addr(run_stack + 4096);
	f[3] = UDATA;
	in.es = UDATA;
	r = run(in);
	trap_is(&r, DONE, 0, "RET far to CPL 3");
	is(r.ax, 0, "DPL 0 DS is nulled");
	is(r.cx, UDATA, "DPL 3 ES stays");
	f[0] = addr(CODE("nop")), f[1] = UCODE, f[2] = addr(run_stack + 4096), f[3] = KDATA;
	r = run(in);
	trap_is(&r, GP, KDATA, "RET far to CPL 3 with a DPL 0 SS");
	f[3] = 0;
	r = run(in);
	trap_is(&r, GP, 0, "RET far to CPL 3 with a null SS");
	f[1] = KDATA;
	r = run(in);
	trap_is(&r, GP, KDATA, "RET far to data");
	in = user_regs(CODE("push $8\n push %%ebx\n lret"));
	in.bx = in.ip;
	r = run(in);
	trap_is(&r, GP, KCODE, "RET far to more privilege");
	/* IRET with a 16-bit operand pops words; EIP 31:16 becomes 0. */
	gdt[A / 8] = segment(addr(CODE("mov $0x77, %%esi\n")), 0xffff, 0x9b, 4);
	in = kernel_regs(CODE("pushfw\n pushw $0x40\n pushw $0\n .byte 0x66\n iret"));
	r = run(in);
	trap_is(&r, DONE, 0, "IRETW");
	is(r.si, 0x77, "goes to IP");
	is(r.sp, in.sp, "pops three words");
}

static void idt_gates(void)
{
	const u8 *int40 = CODE("int $0x40\n nop");
	struct regs in = user_regs(int40), r;

	/* 16-bit interrupt gate from CPL 3: five words. APM2 8.7.3 */
	const u8 *h = CODE("mov %%esp, %%esi\n mov (%%esp), %%eax\n mov 4(%%esp), %%ecx\n");
	gdt[B / 8] = segment(addr(h), 0xffff, 0x9b, 4);
	idt[0x40] = gate(B, 0, 0xe6, 0);
	r = run(in);
	trap_is(&r, DONE, 0, "16-bit interrupt gate");
	is(r.si, tss.esp0 - 10, "five words");
	is(r.ax, ((in.ip + 2) & 0xffff) | UCODE << 16, "IP and CS");
	gate_default(0x40);
	r = run(in);
	trap_is(&r, GP, 0x40 * 8 + 2, "INT to a DPL 0 gate at CPL 3");
	idt[0x40] = gate(KCODE, addr(h), 0x6e, 0);
	r = run(in);
	trap_is(&r, NP, 0x40 * 8 + 2, "INT to an absent gate");
	idt[0x40] = gate(KDATA, addr(h), 0xee, 0);
	r = run(in);
	trap_is(&r, GP, KDATA, "INT to data");
	/* A conforming handler runs at CPL 3 on the same stack. */
	gdt[B / 8] = segment(0, 0xfffff, 0x9f, 0xc);
	idt[0x40] = gate(B, addr(CODE("mov %%cs, %%eax\n mov %%esp, %%esi")), 0xee, 0);
	r = run(in);
	trap_is(&r, DONE, 0, "conforming handler");
	is(r.ax, B | 3, "at CPL 3");
	is(r.si, in.sp - 12, "on the same stack");
	gate_default(0x40);
	load_idt(0x40 * 8 + 6);
	r = run(in);
	load_idt(2047);
	trap_is(&r, GP, 0x40 * 8 + 2, "INT beyond the IDT limit");
}

static void sysenter(void)
{
	/* Legacy mode has SYSENTER on AMD. APM2 6.1.2: CS, SS = +8; SYSEXIT: +16, +24. */
	struct regs in = user_regs(CODE("sysenter")), r;
	const u8 *entry = CODE("mov %%cs, %%eax\n mov %%ss, %%esi\n mov %%esp, %%edi\n sysexit");

	if (!(cpuid(1, 0).d >> 11 & 1)) {
		skip("SYSENTER", "not reported");
		return;
	}
	msr_write(0x174, 0);
	r = run(in);
	trap_is(&r, GP, 0, "SYSENTER with a null CS");
	msr_write(0x174, KCODE);
	msr_write(0x175, addr(data) + 4096);
	msr_write(0x176, addr(entry));
	in.dx = addr(CODE("mov %%cs, %%ebp\n mov %%ss, %%ebx"));
	in.cx = addr(run_stack) + 4096;
	r = run(in);
	trap_is(&r, DONE, 0, "SYSENTER and SYSEXIT");
	is(r.ax, KCODE, "SYSENTER's CS");
	is(r.si, KDATA, "SYSENTER's SS");
	is(r.di, addr(data) + 4096, "SYSENTER's ESP");
	is(r.bp, UCODE, "SYSEXIT's CS");
	is(r.bx, UDATA, "SYSEXIT's SS");
	is(r.sp, addr(run_stack) + 4096, "SYSEXIT's ESP");
	r = run_user(CODE("sysexit"));
	trap_is(&r, GP, 0, "SYSEXIT at CPL 3");
}

void guest_main(void)
{
	limits();
	rights();
	gates();
	returns();
	idt_gates();
	sysenter();
}
