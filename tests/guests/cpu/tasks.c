/* Hardware task switches: JMP, CALL, IRET, task gates, interrupts; 32- and 16-bit TSS; faults on the way. APM2 12.3. */
#include "guest32.h"

enum { T32 = FREE, T16 = FREE + 8, TG = FREE + 16, X = FREE + 24, LDT = FREE + 32 };
static struct tss32 t32 __attribute__((aligned(16)));
static struct tss16 t16 __attribute__((aligned(16)));
static u8 stack[4096] __attribute__((aligned(16)));
static struct __attribute__((packed)) { u32 off; u16 sel; } fp;

static u8 type_of(u32 sel) { return gdt[sel / 8] >> 40 & 0x1f; }

/* A new task at code, at CPL 0. */
static void task32(const u8 *code)
{
	memset(&t32, 0, TSS32_MIN);
	t32.cs = KCODE;
	t32.ss = t32.ds = t32.es = t32.fs = t32.gs = KDATA;
	t32.eip = addr(code);
	t32.esp = addr(stack + sizeof stack);
	t32.eflags = 2;
	t32.eax = 0xaaaaaaaa;
	t32.edi = 0xdddddddd;
	t32.esp0 = tss.esp0;
	t32.ss0 = KDATA;
	t32.io_base = TSS32_MIN;
	gdt[T32 / 8] = segment(addr(&t32), TSS32_MIN - 1, 0x89, 0);
}

/* After a run that ended in another task: make TSS the current one again. */
static void restore_tr(void)
{
	gdt[TSS / 8] = segment(addr(&tss), TSS32_MIN - 1, 0x89, 0);
	__asm__ volatile("lldt %w0\n ltr %w1" : : "r"(0), "r"(TSS));
	__asm__ volatile("clts");
	__asm__ volatile("pushf\n andl $~0x4000, (%%esp)\n popf" : : : "cc", "memory");
}

static void switches(void)
{
	const u8 *code = CODE("str %%ecx\n pushf\n pop %%edx");
	struct regs in = kernel_regs(CODE("ljmp *(%%ebx)")), r;

	fp.sel = T32;
	in.bx = addr(&fp);
	in.ax = 0x12345678;
	in.flags |= FL_CF;
	task32(code);
	r = run(in);
	is(type_of(TSS), 9, "JMP: the old TSS is available");
	is(type_of(T32), 0xb, "JMP: the new TSS is busy");
	is(cr0_read() & CR0_TS, CR0_TS, "CR0.TS is set");
	restore_tr();
	trap_is(&r, DONE, 0, "JMP to a TSS");
	is(r.ax, 0xaaaaaaaa, "EAX from the TSS");
	is(r.di, 0xdddddddd, "EDI from the TSS");
	is(r.cx & 0xffff, T32, "TR");
	is(r.dx & FL_NT, 0, "JMP sets no NT");
	is(tss.eax, 0x12345678, "EAX is saved");
	is(tss.eip, in.ip + 2, "EIP is saved: the next instruction");
	is(tss.eflags & FL_CF, FL_CF, "EFLAGS are saved");
	is(tss.cs, KCODE, "CS is saved");
	is(tss.esp, in.sp, "ESP is saved");
	is(t32.link, 0, "JMP writes no link");

	/* CALL nests: link, NT, the old one stays busy; IRET returns. APM2 12.3.3? */
	task32(CODE("str %%ecx\n mov %%ecx, 0f\n pushf\n pop %%edx\n mov %%edx, 1f\n iret\n0: .long 0\n1: .long 0"));
	in = kernel_regs(CODE("lcall *(%%ebx)\n str %%esi\n pushf\n pop %%edi"));
	in.bx = addr(&fp);
	r = run(in);
	trap_is(&r, DONE, 0, "CALL to a TSS and IRET");
	is(r.si, TSS, "TR is the old task's");
	is(r.di & FL_NT, 0, "NT is clear again");
	is(type_of(TSS), 0xb, "the old TSS is busy");
	is(type_of(T32), 9, "the new one is available");
	is(t32.link & 0xffff, TSS, "the link");
	is(t32.eflags & FL_NT, 0, "IRET saves EFLAGS with NT clear");
	is(t32.ecx & 0xffff, T32, "STR inside");
	is(t32.edx & FL_NT, FL_NT, "NT inside");
	restore_tr();
}

static void gates(void)
{
	struct regs in, r;

	/* Through a task gate in the GDT, and by an interrupt through one in the IDT. APM2 12.2.6 */
	task32(CODE("mov $0x5a, %%ebp"));
	gdt[TG / 8] = gate(T32, 0, 0xe5, 0);
	fp.sel = TG | 3;
	in = user_regs(CODE("lcall *(%%ebx)"));
	in.bx = addr(&fp);
	r = run(in);
	restore_tr();
	trap_is(&r, DONE, 0, "CALL through a task gate from CPL 3");
	is(r.bp, 0x5a, "runs the task");
	is(tss.cs, UCODE, "the caller's CS is saved");
	is(t32.link & 0xffff, TSS, "the link");

	task32(CODE("mov (%%esp), %%esi\n mov %%esp, %%ebp"));
	idt[0x40] = gate(T32, 0, 0xe5, 0);
	r = run_user(CODE("int $0x40"));
	restore_tr();
	trap_is(&r, DONE, 0, "INT through a task gate");
	is(r.bp, addr(stack + sizeof stack), "pushes nothing");
	gate_default(0x40);
	/* An exception with an error code pushes it on the new task's stack. */
	task32(CODE("mov (%%esp), %%esi\n mov %%esp, %%ebp"));
	idt[GP] = gate(T32, 0, 0x85, 0);
	const u8 *bad = CODE("mov $0x1230, %%eax\n mov %%eax, %%ds");
	r = run_user(bad);
	restore_tr();
	gate_default(GP);
	trap_is(&r, DONE, 0, "#GP through a task gate");
	is(r.bp, addr(stack + sizeof stack) - 4, "pushes the error code");
	is(r.si, 0x1230, "the error code");
	is(tss.eip, addr(bad) + 5, "saved EIP is that of the fault");
	/* #DF by a task gate: the classic use. The stack of the kernel is bad. */
	task32(CODE("mov (%%esp), %%esi"));
	idt[DF] = gate(T32, 0, 0x85, 0);
	idt[GP] = gate(KCODE, 0, 0x0e, 0);
	r = run_user(bad);
	restore_tr();
	gate_default(GP);
	gate_default(DF);
	trap_is(&r, DONE, 0, "#DF through a task gate");
	is(r.si, 0, "error code 0");
	/* A busy task: #GP through JMP and CALL. */
	task32(CODE("nop"));
	gdt[T32 / 8] |= 2ull << 40;
	fp.sel = T32;
	in = kernel_regs(CODE("ljmp *(%%ebx)"));
	in.bx = addr(&fp);
	r = run(in);
	trap_is(&r, GP, T32, "JMP to a busy TSS");
	gdt[T32 / 8] = segment(addr(&t32), TSS32_MIN - 1, 0x09, 0);
	r = run(in);
	trap_is(&r, NP, T32, "JMP to an absent TSS");
	gdt[T32 / 8] = segment(addr(&t32), TSS32_MIN - 2, 0x89, 0);
	r = run(in);
	trap_is(&r, TS, T32, "JMP to a TSS that is too small");
	is(type_of(TSS), 0xb, "we are still in the old task");
	in = user_regs(CODE("ljmp *(%%ebx)"));
	in.bx = addr(&fp);
	gdt[T32 / 8] = segment(addr(&t32), TSS32_MIN - 1, 0x89, 0);
	r = run(in);
	trap_is(&r, GP, T32, "JMP to a DPL 0 TSS at CPL 3");
	/* IRET with NT and a bad link. */
	in = kernel_regs(CODE("iret"));
	in.flags |= FL_NT;
	tss.link = T32; /* available, not busy */
	r = run(in);
	trap_is(&r, TS, T32, "IRET to a task that is not busy");
	tss.link = 0;
	r = run(in);
	trap_is(&r, TS, 0, "IRET to a null link");
}

/* Faults in the new task's context: the saved CS:EIP is the new task's first instruction. */
static void new_context(void)
{
	static const struct {
		const char *name;
		u32 cs, ss, ds, ldt;
		u8 vector;
		u32 error;
	} t[] = {
		{"new CS null", 0, KDATA, KDATA, 0, TS, 0},
		{"new CS data", KDATA, KDATA, KDATA, 0, TS, KDATA},
		{"new SS null", KCODE, 0, KDATA, 0, TS, 0},
		{"new SS code", KCODE, KCODE, KDATA, 0, TS, KCODE},
		{"new DS system", KCODE, KDATA, TSS, 0, TS, TSS},
		{"new DS beyond the GDT", KCODE, KDATA, 0x1000, 0, TS, 0x1000},
		{"new LDT is data", KCODE, KDATA, KDATA, KDATA, TS, KDATA},
		{"new DS absent", KCODE, KDATA, X, 0, NP, X},
		{"new SS absent", KCODE, X, KDATA, 0, SS, X},
	};
	struct regs in = kernel_regs(CODE("ljmp *(%%ebx)")), r;

	/* #TS by a task of its own would be right for a system; here ring 0's stack of the new task is good enough as
	 * ESP is loaded before the checks. Those with a bad SS go through a second task. */
	static struct tss32 handler;
	gdt[X / 8] = segment(0, 0xfffff, 0x13, 0xc);
	fp.sel = T32;
	in.bx = addr(&fp);
	for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
		task32(CODE("nop"));
		handler = t32;
		handler.eip = addr(CODE("mov (%%esp), %%esi\n str %%ecx"));
		handler.esp = addr(stack) + 2048;
		gdt[T16 / 8] = segment(addr(&handler), TSS32_MIN - 1, 0x89, 0);
		idt[t[i].vector] = gate(T16, 0, 0x85, 0);
		t32.cs = t[i].cs;
		t32.ss = t[i].ss;
		t32.ds = t[i].ds;
		t32.ldt = t[i].ldt;
		r = run(in);
		restore_tr();
		gate_default(t[i].vector);
		trap_is(&r, DONE, 0, t[i].name);
		is(r.si, t[i].error, text("%s: error code", t[i].name));
		is(handler.link & 0xffff, T32, "the fault is the new task's");
	}
}

static void sixteen(void)
{
	struct regs in = kernel_regs(CODE("lcall *(%%ebx)\n nop")), r;
	const u8 *code = CODE("mov %%esp, %%esi\n iret");

	memset(&t16, 0, sizeof t16);
	gdt[X / 8] = segment(addr(code), 0xffff, 0x9b, 4);
	gdt[LDT / 8] = segment(addr(stack), 0xffff, 0x93, 0);
	t16.cs = X;
	t16.ss = LDT;
	t16.ds = t16.es = KDATA;
	t16.sp = 0x800;
	t16.flags = 2;
	t16.ax = 0x4321;
	gdt[T16 / 8] = segment(addr(&t16), sizeof t16 - 1, 0x81, 0);
	fp.sel = T16;
	in.bx = addr(&fp);
	in.flags |= FL_ZF;
	r = run(in);
	trap_is(&r, DONE, 0, "CALL to a 16-bit TSS and IRET");
	is(t16.link, TSS, "its link");
	is(t16.si & 0xffff, 0x800, "its SP");
	is(t16.ax, 0x4321, "its AX");
	is(type_of(T16), 1, "available again");
	is(r.flags & FL_ZF, FL_ZF, "the flags come back");
	__asm__ volatile("clts");
	gdt[T16 / 8] = segment(addr(&t16), sizeof t16 - 2, 0x81, 0);
	r = run(in);
	trap_is(&r, TS, T16, "a 16-bit TSS that is too small");
	/* LTR of a 16-bit TSS is fine; of a busy one #GP. */
	gdt[T16 / 8] = segment(addr(&t16), sizeof t16 - 1, 0x83, 0);
	in = kernel_regs(CODE("ltr %%ax"));
	in.ax = T16;
	r = run(in);
	trap_is(&r, GP, T16, "LTR of a busy 16-bit TSS");
	gdt[T16 / 8] = segment(addr(&t16), sizeof t16 - 1, 0x81, 0);
	r = run(in);
	trap_is(&r, DONE, 0, "LTR of a 16-bit TSS");
	is(type_of(T16), 3, "makes it busy");
	restore_tr();
}

static void debug_trap(void)
{
	/* The T bit of the new TSS: #DB behind the switch, DR6.BT. APM2 12.2.5, 13.1.3 */
	struct regs in = kernel_regs(CODE("ljmp *(%%ebx)")), r;
	const u8 *code = CODE("nop");

	task32(code);
	t32.trap = 1;
	fp.sel = T32;
	in.bx = addr(&fp);
	dr6_write(0xffff0ff0);
	r = run(in);
	restore_tr();
	trap_at(&r, DB, 0, code, 0, "T bit of the TSS");
	is(r.dr6, 0xffff8ff0, "DR6.BT");
	dr6_write(0xffff0ff0);
}

static void io_map(void)
{
	/* The I/O permission map: APM2 12.2.4: at CPL 3 above IOPL. */
	struct regs in = user_regs(CODE("out %%al, %%dx")), r;

	gdt[TSS / 8] = segment(addr(&tss), sizeof tss - 1, 0x89, 0);
	__asm__ volatile("ltr %w0" : : "r"(TSS));
	tss.io_base = offsetof(struct tss32, io);
	memset(tss.io, 0xff, sizeof tss.io);
	tss.io[0x80 / 8] = 0xfe;
	in.dx = 0x80;
	r = run(in);
	trap_is(&r, DONE, 0, "port allowed by the map");
	in.dx = 0x81;
	r = run(in);
	trap_is(&r, GP, 0, "port refused by the map");
	in.dx = 0x80;
	in.ip = addr(CODE("out %%ax, %%dx"));
	r = run(in);
	trap_is(&r, GP, 0, "a word needs two bits");
	tss.io[0x80 / 8] = 0xfc;
	r = run(in);
	trap_is(&r, DONE, 0, "a word with two bits");
	/* A map that ends before the port. */
	gdt[TSS / 8] = segment(addr(&tss), offsetof(struct tss32, io) + 0x80 / 8, 0x89, 0);
	__asm__ volatile("ltr %w0" : : "r"(TSS));
	r = run(in);
	trap_is(&r, GP, 0, "the map's second byte lies beyond the limit"); /* always two bytes are read */
	tss.io_base = TSS32_MIN;
	restore_tr();
}

void guest_main(void)
{
	switches();
	gates();
	new_context();
	sixteen();
	debug_trap();
	io_map();
}
