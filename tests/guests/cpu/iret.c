/* IRETQ in all its forms: to the same and to outer privilege, to compatibility mode, with bad frames;
 * NMI blocking and its end; RF, NT, VM. APM2 8.9.4, APM3 IRET. */
#include "guest64.h"

/* Runs IRETQ at CPL 0 on this frame. */
static const u8 *iretq_at;

static struct regs iretq(u64 ip, u64 cs, u64 flags, u64 sp, u64 ss)
{
	struct regs in = kernel_regs(iretq_at);
	u64 *frame = (u64 *)(in.sp - 40);

	frame[0] = ip;
	frame[1] = cs;
	frame[2] = flags;
	frame[3] = sp;
	frame[4] = ss;
	in.sp = addr(frame);
	return run(in);
}

static unsigned nmis, nmi_stop;
static u64 nmi_ip[4];

static void on_nmi(struct regs *r)
{
	if (nmis < 4)
		nmi_ip[nmis] = r->ip;
	nmis++;
	if (nmi_stop) { /* a second NMI while the first is served is held: APM2 8.2.3 */
		nmi_stop--;
		lapic_write(LAPIC_ICR2, lapic_read(LAPIC_ID) & 0xff000000);
		lapic_write(LAPIC_ICR, 0x4400);
		for (unsigned i = 0; i < 1000; i++)
			__asm__ volatile("pause");
		is(nmis, 1, "NMI is held while an NMI handler runs");
	}
}

static void nmi(void)
{
	lapic_enable();
	handler_set(NMI, on_nmi);
	nmi_stop = 1;
	struct regs in = kernel_regs(CODE("movl $0, 0x310(%%rbx)\n movl $0x4400, 0x300(%%rbx)\n mov $1000, %%ecx\n"
					  "1: pause\n loop 1b"));
	in.bx = 0xfee00000;
	run(in);
	is(nmis, 2, "the held NMI comes after IRET");
	handler_set(NMI, 0);
	/* An NMI with no IRET after it blocks the next; a run begins with IRET. Send one inside the handler's tail. */
	struct regs r = run(in);
	trap_is(&r, NMI, 0, "NMI from the local APIC");
	r = run(in);
	trap_is(&r, NMI, 0, "and again: IRET of the next run ended the blocking");
	/* A fault inside the NMI handler and its IRET unmask too. */
	gate_set(NMI, CODE("inc %%esi\n cmp $2, %%esi\n je 3f\n movl $0x4400, 0x300(%%rbx)\n 1: pause\n dec %%edx\n jnz 1b\n"
			   "mov %%rsp, %%rax\n push $0x10\n push %%rax\n pushfq\n push $8\n lea 2f(%%rip), %%rax\n push %%rax\n"
			   "iretq\n2: pause\n pause\n mov $77, %%edi\n3: nop"), 1, 0x8e);
	in.dx = 1000;
	static u8 other[4096];
	tss_word(9 + 2, addr(other + 4096));
	idt[NMI].ist = 2;
	r = run(in);
	gate_default(NMI);
	is(r.si, 2, "any IRET inside an NMI handler unmasks NMI");
	is(r.di, 0, "at once");
}

void guest_main(void)
{
	const u8 *end = CODE("mov %%ss, %%eax\n mov %%rsp, %%rbx\n pushfq\n pop %%rcx");
	const u8 *plain = CODE("nop");
	u64 sp = addr(run_stack + 8192);
	struct regs r;

	iretq_at = CODE("iretq");
	r = iretq(addr(end), KCODE, 2 | FL_CF | FL_IF, sp, KDATA);
	trap_is(&r, DONE, 0, "IRETQ to the same privilege");
	is(r.bx, sp, "RSP is popped although the privilege stays");
	is(r.cx & (FL_CF | FL_IF), FL_CF | FL_IF, "rFLAGS are popped");
	r = iretq(addr(end), KCODE, 2, sp, 0);
	trap_is(&r, DONE, 0, "IRETQ to 64-bit CPL 0 with a null SS");
	is(r.ax, 0, "SS is null");
	r = iretq(user(plain), UCODE, 2, sp, UDATA);
	trap_is(&r, DONE, 0, "IRETQ to CPL 3");
	is(r.cs, UCODE, "CS");
	is(r.ss, UDATA, "SS");
	r = iretq(user(plain), UCODE32, 2, 0x80300000, UDATA);
	trap_is(&r, DONE, 0, "IRETQ to compatibility mode");
	is(r.sp, 0x80300000, "RSP in compatibility mode");
	r = iretq(addr(end), KCODE, 2 | FL_VM, sp, KDATA);
	is(r.flags & FL_VM, 0, "IRETQ does not set VM in long mode");

	/* Bad frames: the saved rIP is that of the IRETQ. */
	r = iretq(0x800000000000, KCODE, 2, sp, KDATA);
	trap_at(&r, GP, 0, iretq_at, 0, "IRETQ to a non-canonical rIP");
	r = iretq(addr(plain), 0, 2, sp, KDATA);
	trap_at(&r, GP, 0, iretq_at, 0, "IRETQ with a null CS");
	r = iretq(addr(plain), 3, 2, sp, KDATA);
	trap_at(&r, GP, 0, iretq_at, 0, "IRETQ with a null CS, RPL 3");
	r = iretq(addr(plain), KDATA, 2, sp, KDATA);
	trap_at(&r, GP, KDATA, iretq_at, 0, "IRETQ with a data segment in CS");
	r = iretq(addr(plain), 0x2000, 2, sp, KDATA);
	trap_at(&r, GP, 0x2000, iretq_at, 0, "IRETQ with CS beyond the GDT");
	r = iretq(user(plain), UCODE & ~3, 2, sp, KDATA);
	trap_at(&r, GP, UCODE & ~3, iretq_at, 0, "IRETQ: DPL 3 code with RPL 0");
	r = iretq(addr(plain), KCODE | 3, 2, sp, UDATA);
	trap_at(&r, GP, KCODE, iretq_at, 0, "IRETQ: DPL 0 code with RPL 3");
	gdt[FREE / 8] = gdt[KCODE / 8] & ~(1ull << 47);
	r = iretq(addr(plain), FREE, 2, sp, KDATA);
	trap_at(&r, NP, FREE, iretq_at, 0, "IRETQ with a code segment that is not present");
	gdt[FREE / 8] = gdt[KCODE / 8] | 1ull << 54;
	r = iretq(addr(plain), FREE, 2, sp, KDATA);
	trap_at(&r, GP, FREE, iretq_at, 0, "IRETQ with a code segment with L and D");
	r = iretq(user(plain), UCODE, 2, sp, 0);
	trap_at(&r, GP, 0, iretq_at, 0, "IRETQ to CPL 3 with a null SS");
	r = iretq(user(plain), UCODE32, 2, sp, 3);
	trap_at(&r, GP, 0, iretq_at, 0, "IRETQ to compatibility mode with a null SS");
	r = iretq(user(plain), UCODE, 2, sp, KDATA);
	trap_at(&r, GP, KDATA, iretq_at, 0, "IRETQ to CPL 3 with a DPL 0 SS");
	r = iretq(user(plain), UCODE, 2, sp, UCODE);
	trap_at(&r, GP, UCODE & ~3, iretq_at, 0, "IRETQ with a code segment in SS");
	gdt[FREE / 8] = gdt[UDATA / 8] & ~(1ull << 47);
	r = iretq(user(plain), UCODE, 2, sp, FREE | 3);
	trap_at(&r, SS, FREE, iretq_at, 0, "IRETQ with a stack segment that is not present");
	gdt[FREE / 8] = gdt[UDATA / 8] & ~(1ull << 41);
	r = iretq(user(plain), UCODE, 2, sp, FREE | 3);
	trap_at(&r, GP, FREE, iretq_at, 0, "IRETQ with a read-only stack segment");
	/* APM3 IRET: NT set in long mode is #GP(0). */
	struct regs in = kernel_regs(iretq_at);
	in.flags |= FL_NT;
	r = run(in);
	trap_at(&r, GP, 0, iretq_at, 0, "IRETQ with NT set");
	in = kernel_regs(iretq_at);
	in.sp = 0x7000000000;
	r = run(in);
	trap_at(&r, PF, 0, iretq_at, 0, "IRETQ from an absent stack");
	is(r.sp, in.sp, "RSP stays");

	/* From CPL 3: same privilege only, IF and IOPL kept. */
	struct regs u = user_regs(CODE("mov %%rsp, %%rax\n push $0x23\n push %%rax\n push $0x3202\n push $0x2b\n"
				       "lea 1f(%%rip), %%rax\n push %%rax\n iretq\n1: pushfq\n pop %%rcx"));
	r = run(u);
	trap_is(&r, DONE, 0, "IRETQ at CPL 3");
	is(r.cx & (FL_IF | FL_IOPL), 0, "IRETQ at CPL 3 keeps IF and IOPL");
	const u8 *up = CODE("mov %%rsp, %%rax\n push $0x10\n push %%rax\n push $2\n push $8\n push %%rbx\n iretq");
	u = user_regs(up);
	u.bx = addr(end);
	r = run(u);
	trap_is(&r, GP, 8, "IRETQ from CPL 3 to CPL 0");
	/* Outer privilege nulls data segment registers that CPL 3 must not have. APM2 8.7.4; they hold KDATA here. */
	in = kernel_regs(iretq_at);
	u64 *frame = (u64 *)(in.sp - 40);
	const u8 *segs = CODE("mov %%ds, %%eax\n mov %%es, %%ebx");
	frame[0] = user(segs), frame[1] = UCODE, frame[2] = 2, frame[3] = user(run_stack + 4096), frame[4] = UDATA;
	in.sp = addr(frame);
	in.es = UDATA;
	r = run(in);
	is(r.ax, 0, "IRETQ to CPL 3 nulls a DPL 0 DS");
	is(r.bx, UDATA, "and leaves a DPL 3 ES");
	/* 32-bit and 16-bit operand size. */
	in = kernel_regs(CODE("iretl"));
	u32 *f32 = (u32 *)(in.sp - 20);
	f32[0] = (u32)addr(end), f32[1] = KCODE, f32[2] = 2, f32[3] = (u32)sp, f32[4] = KDATA;
	in.sp = addr(f32);
	r = run(in);
	trap_is(&r, DONE, 0, "IRETD in 64-bit mode");
	is(r.bx, sp, "pops ESP and SS too");
	/* CPL 3, 32-bit compatibility mode: IRETD to itself pops three doublewords. */
	in = compat_regs(CODE32("pushfl\n push %%cs\n call 1f\n jmp 2f\n1: iretl\n2: nop"));
	r = run(in);
	trap_is(&r, DONE, 0, "IRETD in compatibility mode");
	is(r.sp, in.sp, "stack is balanced");
	nmi();
}
