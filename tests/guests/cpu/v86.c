/* Virtual-8086 mode: IOPL-sensitive instructions, interrupts to the monitor, VME redirection, VIF and VIP, PVI. APM2 8.10. */
#include "guest32.h"

static void plain(void)
{
	static const struct {
		const char *name;
		u8 code[4];
		u8 at3; /* with IOPL 3: 0 completes, else the vector */
	} t[] = { /* APM2 8.10: with IOPL < 3 #GP(0) */
		{"CLI", {0xfa, 0xcc}, DONE}, {"STI", {0xfb, 0xcc}, DONE}, {"PUSHF", {0x9c, 0xcc}, DONE}, {"POPF", {0x9d, 0xcc}, DONE},
		{"INT n", {0xcd, 0x40, 0xcc}, 0x40}, {"IRET", {0xcf, 0xcc}, DONE}, {"PUSHFD", {0x66, 0x9c, 0xcc}, DONE},
		{"POPFD", {0x66, 0x9d, 0xcc}, DONE},
	};
	struct regs in, r;
	const u8 *room = CODE16(".skip 60, 0xcc");

	idt[0x40] = gate(KCODE, addr(trap_stubs + 16 * 0x40), 0xee, 0);
	for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
		in = v86_regs(room);
		memcpy((void *)REAL_LINEAR, t[i].code, 4);
		u16 *st = (u16 *)(uword)(REAL_STACK);
		st[0] = 8, st[1] = REAL_CODE, st[2] = 2; /* for POPF a value, for IRET a frame */
		r = run(in);
		trap_is(&r, GP, 0, text("%s with IOPL 0", t[i].name));
		in.flags |= FL_IOPL;
		r = run(in);
		trap_is(&r, t[i].at3, 0, text("%s with IOPL 3", t[i].name));
	}
	gate_default(0x40);
	/* INT3 and INTO do not ask IOPL, but the gate's DPL counts. */
	in = v86_regs(CODE16("nop"));
	in.ax = 0x11223344;
	r = run(in);
	trap_is(&r, DONE, 0, "INT3 with IOPL 0");
	is(r.flags & FL_VM, FL_VM, "VM in the frame");
	is(r.cs, REAL_CODE, "CS in the frame");
	is(r.ip, 2, "EIP in the frame");
	is(r.ds, REAL_DATA, "DS in the frame");
	is(r.gs, REAL_DATA, "GS in the frame");
	is(r.ss, 0, "SS in the frame");
	is(r.sp, REAL_STACK, "ESP in the frame");
	/* In the handler DS, ES, FS, GS are null. Look with a gate of our own. */
	idt[DONE] = gate(KCODE, addr(CODE("mov %%ds, %%eax\n mov %%gs, %%ecx\n mov %%esp, %%edx\n int $0x41")), 0xee, 0);
	r = run(in);
	gate_default(DONE);
	is(r.ax, 0, "DS is null in the handler");
	is(r.cx, 0, "GS too");
	is(r.dx, tss.esp0 - 36, "nine doublewords on the stack");
	/* A handler must be nonconforming with DPL 0. APM2 8.10.1 */
	gdt[FREE / 8] = segment(0, 0xfffff, 0x9f, 0xc);
	idt[0x40] = gate(FREE, addr(trap_stubs), 0xee, 0);
	in = v86_regs(CODE16("int $0x40"));
	in.flags |= FL_IOPL;
	r = run(in);
	trap_is(&r, GP, FREE, "an interrupt from virtual-8086 mode to conforming code");
	gate_default(0x40);
	/* 8086 addressing: limit 64 KB, wrap above 1 MB. */
	in = v86_regs(CODE16("mov %%ds:0x10, %%ax\n mov $0xffff, %%bx\n mov %%bx, %%es\n mov %%es:0x4010, %%dx"));
	in.ds = 0x900;
	*(u16 *)0x9010 = 0xabcd;
	*(u16 *)0x104000 = 0x5678;
	r = run(in);
	is(r.ax & 0xffff, 0xabcd, "segment * 16 + offset");
	is(r.dx & 0xffff, *(u16 *)0x104000, "FFFF:4010 lies above 1 MB with A20");
	in = v86_regs(CODE16("mov %%ds:(%%bx), %%ax"));
	in.bx = 0xffff;
	r = run(in);
	trap_is(&r, GP, 0, "a word at offset FFFFh");
	in = v86_regs(CODE16("mov %%ds:(%%ebx), %%ax"));
	in.bx = 0x10000;
	r = run(in);
	trap_is(&r, GP, 0, "a 32-bit offset above 64 KB");
	/* Not recognized in virtual-8086 mode. */
	r = run(v86_regs(CODE16("lldt %%ax")));
	trap_is(&r, UD, 0, "LLDT");
	r = run(v86_regs(CODE16("arpl %%ax, %%ax")));
	trap_is(&r, UD, 0, "ARPL");
	r = run(v86_regs(CODE16("lar %%ax, %%ax")));
	trap_is(&r, UD, 0, "LAR");
	r = run(v86_regs(CODE16("mov %%cr0, %%eax")));
	trap_is(&r, GP, 0, "MOV from CR0");
	r = run(v86_regs(CODE16("hlt")));
	trap_is(&r, GP, 0, "HLT");
	r = run(v86_regs(CODE16("clts")));
	trap_is(&r, GP, 0, "CLTS");
	/* I/O goes by the map whatever IOPL says. APM2 8.10, 12.2.4 */
	in = v86_regs(CODE16("out %%al, $0x80"));
	in.flags |= FL_IOPL;
	r = run(in);
	trap_is(&r, GP, 0, "OUT with IOPL 3 and no map");
}

static void vme(void)
{
	struct regs in, r;

	if (!(cpuid(1, 0).d & 2)) {
		skip("VME", "not reported");
		return;
	}
	/* A TSS with the redirection bitmap (32 bytes below the I/O map) and an I/O map. */
	tss.io_base = offsetof(struct tss32, io);
	memset(tss.io, 0xff, sizeof tss.io);
	gdt[TSS / 8] = segment(addr(&tss), sizeof tss - 1, 0x89, 0);
	__asm__ volatile("ltr %w0" : : "r"(TSS));
	cr4_write(cr4_read() | CR4_VME);
	/* CLI and STI work on VIF; PUSHF shows VIF as IF and IOPL as 3. APM2 table 8-10 */
	in = v86_regs(CODE16("sti\n pushf\n pop %%ax\n cli\n pushf\n pop %%dx"));
	r = run(in);
	trap_is(&r, DONE, 0, "VME: STI, PUSHF, CLI with IOPL 0");
	is(r.ax & (FL_IF | FL_IOPL), FL_IF | FL_IOPL, "PUSHF shows VIF as IF, IOPL 3");
	is(r.dx & (FL_IF | FL_IOPL), FL_IOPL, "CLI cleared VIF");
	is(r.flags & (FL_VIF | FL_IF), 0, "IF itself never changed");
	in = v86_regs(CODE16("sti"));
	in.flags |= FL_VIP;
	r = run(in);
	trap_is(&r, GP, 0, "STI with VIP");
	in = v86_regs(CODE16("pushf\n pop %%ax\n or $0x200, %%ax\n push %%ax\n popf"));
	r = run(in);
	trap_is(&r, DONE, 0, "POPF sets VIF");
	is(r.flags & FL_VIF, FL_VIF, "VIF");
	in.flags |= FL_VIP;
	r = run(in);
	trap_is(&r, GP, 0, "POPF that sets VIF with VIP");
	in = v86_regs(CODE16("pushw $0x102\n popf"));
	r = run(in);
	trap_is(&r, GP, 0, "POPF with TF");
	in = v86_regs(CODE16("pushfl"));
	r = run(in);
	trap_is(&r, GP, 0, "PUSHFD is not virtualized");
	/* INT n: the redirection bit is 0: through the table at 0; 1: #GP with IOPL 0. */
	memset(tss.redirect, 0xff, sizeof tss.redirect);
	in = v86_regs(CODE16("int $0x40\n nop"));
	r = run(in);
	trap_is(&r, GP, 0, "INT n, not redirected, IOPL 0");
	tss.redirect[0x40 / 8] &= ~1;
	u16 *ivt = (u16 *)(0x40 * 4 + (addr(run_stack) & 0));
	__asm__("" : "+r"(ivt));
	static const u8 handler[] = {0x9c, 0x58, 0x89, 0xe6, 0x8c, 0xca, 0xcf}; /* pushf, pop ax, mov si,sp, mov dx,cs, iret */
	memcpy((void *)0xa000, handler, sizeof handler);
	ivt[0] = 0;
	ivt[1] = 0xa00;
	in.flags |= FL_VIF;
	r = run(in);
	trap_is(&r, DONE, 0, "INT n, redirected");
	is(r.dx & 0xffff, 0xa00, "goes through the 8086 table");
	is(r.si & 0xffff, REAL_STACK - 6, "pushes three words");
	is(r.ax & FL_IF, 0, "VIF is clear inside");
	is(r.flags & FL_VIF, FL_VIF, "IRET restores VIF");
	is(r.sp, REAL_STACK, "the stack is balanced");
	in.flags = 2 | FL_VM | FL_IOPL | FL_IF;
	r = run(in);
	trap_is(&r, DONE, 0, "INT n, redirected, IOPL 3");
	is(r.flags & FL_IF, FL_IF, "IRET restores IF");
	/* Reading the map beyond the TSS limit. */
	cr4_write(cr4_read() & ~(uword)CR4_VME);
	in = v86_regs(CODE16("sti"));
	r = run(in);
	trap_is(&r, GP, 0, "without CR4.VME: STI");
	/* I/O map. */
	tss.io[0x80 / 8] = 0xfe;
	r = run(v86_regs(CODE16("out %%al, $0x80")));
	trap_is(&r, DONE, 0, "OUT allowed by the map, IOPL 0");
	r = run(v86_regs(CODE16("in $0x81, %%al")));
	trap_is(&r, GP, 0, "IN refused by the map");
	/* PVI: CPL 3, IOPL 0: CLI and STI on VIF. APM2 8.10.3? */
	cr4_write(cr4_read() | CR4_PVI);
	in = user_regs(CODE("sti\n pushf\n pop %%eax\n cli\n nop"));
	r = run(in);
	trap_is(&r, DONE, 0, "PVI: STI and CLI at CPL 3");
	is(r.ax & (FL_VIF | FL_IF), FL_VIF, "PVI: STI sets VIF; PUSHF shows it as it is");
	is(r.flags & FL_VIF, 0, "PVI: CLI clears VIF");
	in = user_regs(CODE("sti"));
	in.flags |= FL_VIP;
	r = run(in);
	trap_is(&r, GP, 0, "PVI: STI with VIP");
	cr4_write(cr4_read() & ~(uword)CR4_PVI);
}

void guest_main(void)
{
	plain();
	vme();
}
