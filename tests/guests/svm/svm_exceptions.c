/*
 * Exception intercepts, task switch and shutdown; EXITINTINFO when the delivery of an event does not come to its end.
 * APM2 15.7.2, 15.8, 15.12, 15.14.
 */
#include "vm.h"

static u8 fx[512] __attribute__((aligned(16)));
static u8 tss_new[104];

static void only(unsigned vector) { vm->exceptions = 1u << vector; }

static void flat32(const u8 *code)
{
	vm_new32(code, false);
	vm->exceptions = 0;
}

static void at_cpl3(void)
{
	vm->rip += USER_BASE;
	vm->cpl = 3;
	vm->cs = (struct vmcb_seg){UCODE, 0xafb, ~0u, 0};
	vm->ss = (struct vmcb_seg){UDATA, 0xcf3, ~0u, 0};
	vm->rsp = user(run_stack + 8192);
}

/* EXITINFO1: the error code, EXITINFO2: #PF's address. rIP as the exception would push it, #BP excepted. APM2 15.12 */
static void each(void)
{
	const struct {
		const char *name;
		const u8 *code;
		unsigned vector;
		u64 info1, info2;
		int at, nrip;
	} rows[] = {
		{"#DE", CODE("xor %%ecx, %%ecx\n div %%ecx"), DE, 0, 0, 2, -1},
		{"#DB, trap", CODE("pushq $0x102\n popfq\n nop"), DB, 0, 0, 7, -1},
		{"#BP", CODE("nop\n int3"), DONE, 0, 0, 1, 2},
		{"#UD", CODE("nop\n ud2"), UD, 0, 0, 1, -1},
		{"#NM", CODE("fwait"), NM, 0, 0, 0, -1},
		{"#NP", CODE("mov $0x68, %%eax\n mov %%eax, %%ds"), NP, 0x68, 0, 5, -1},
		{"#SS", CODE("mov $0x70, %%eax\n mov %%eax, %%ss"), SS, 0x70, 0, 5, -1},
		{"#SS, not canonical", CODE("push %%rax"), SS, 0, 0, 0, -1},
		{"#GP with selector", CODE("mov $0xfff8, %%eax\n mov %%eax, %%ds"), GP, 0xfff8, 0, 5, -1},
		{"#GP", CODE("mov $1, %%eax\n shl $63, %%rax\n mov (%%rax), %%al"), GP, 0, 0, 9, -1},
		{"#PF, read", CODE("mov $1, %%eax\n shl $40, %%rax\n mov (%%rax), %%al"), PF, 0, 1ull << 40, 9, -1},
		{"#PF, write", CODE("mov $1, %%eax\n shl $40, %%rax\n mov %%al, 5(%%rax)"), PF, 2, (1ull << 40) + 5, 9, -1},
		{"#PF, reserved", CODE("mov $3, %%eax\n shl $39, %%rax\n mov (%%rax), %%al"), PF, 9, 3ull << 39, 9, -1},
	};
	const u8 *mf = CODE("fxrstor (%%rax)\n fwait"), *ac = CODE("mov 1(%%rsp), %%eax"), *jmp = CODE("jmp *%%rax");

	gdt[0x68 / 8] = segment(0, 0xfffff, 0x13, 12);
	gdt[0x70 / 8] = segment(0, 0xfffff, 0x13, 12);
	boot_pml4[3] = 1ull << 51 | 1; /* above the physical addresses that there are */
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		vm_new(rows[i].code);
		only(rows[i].vector);
		vm->cr2 = 0x1111;
		if (rows[i].vector == NM)
			vm->cr0 |= CR0_TS | CR0_MP;
		if (i == 7)
			vm->rsp = 1ull << 62;
		vm_run();
		exit_at(EXIT_EXC + rows[i].vector, rows[i].info1, rows[i].info2, rows[i].code, rows[i].at, rows[i].nrip, rows[i].name);
		is(vm->cr2, 0x1111, text("%s: CR2 is not written", rows[i].name));
	}
	boot_pml4[3] = 0;
	vm_new(jmp);
	vm->rax = 1ull << 40;
	vm_run();
	exit_info(EXIT_PF, vm->efer & EFER_NXE ? 0x10 : 0, 1ull << 40, "#PF, fetch");
	is(vm->fetched, 0, "#PF, fetch: no bytes");
	vm_new(mf);
	fx[0] = 0x7b, fx[1] = 3, fx[2] = 0x84, fx[3] = 0x80; /* zero divide unmasked and there */
	*(u32 *)(fx + 24) = 0x1f80;
	vm->rax = addr(fx);
	vm->cr4 |= CR4_OSFXSR;
	only(MF);
	vm_run();
	exit_at(EXIT_EXC + MF, 0, 0, mf, 3, -1, "#MF");
	__asm__ volatile("fninit");
	if (cpuid(1, 0).d >> 25 & 1) { /* invalid operation, unmasked; without OSXMMEXCPT it is #UD. APM2 8.2.19, 15.12.19 */
		const u8 *xf = CODE("ldmxcsr (%%rax)\n xorps %%xmm0, %%xmm0\n divss %%xmm0, %%xmm0");
		static u32 mxcsr = 0x1f00;

		for (unsigned on = 0; on < 2; on++) {
			vm_new(xf);
			vm->rax = addr(&mxcsr);
			vm->cr4 |= CR4_OSFXSR | (on ? 0x400 : 0);
			only(on ? XF : UD);
			vm_run();
			exit_at(EXIT_EXC + (on ? XF : UD), 0, 0, xf, 6, -1, on ? "#XF" : "#XF without CR4.OSXMMEXCPT");
		}
		mxcsr = 0x1f80;
		__asm__ volatile("mov %%cr4, %%rax; mov %%rax, %%rcx; or $0x200, %%eax; mov %%rax, %%cr4; ldmxcsr %0; mov %%rcx, %%cr4"
				 : : "m"(mxcsr) : "rax", "rcx");
	} else {
		skip("#XF", "no SSE");
	}
	vm_new(ac);
	at_cpl3();
	vm->cr0 |= CR0_AM;
	vm->rflags |= FL_AC;
	only(AC);
	vm_run();
	exit_at(EXIT_EXC + AC, 0, 0, ac + USER_BASE, 0, -1, "#AC");
}

/* Decode assists: the bytes at a data access that faulted, fewer at the end of what is mapped. APM2 15.8.4 */
static void bytes(void)
{
	const u8 *code = CODE("mov %%al, (%%rbx)\n .byte 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13");

	if (!(svm_features & F_DECODE)) {
		skip("instruction bytes", "not reported");
		return;
	}
	vm_new(code);
	vr.rbx = 1ull << 40;
	vm_run();
	exit_is(EXIT_PF, "instruction bytes: #PF");
	is(vm->fetched, 15, "instruction bytes: count");
	bool same = true;
	for (unsigned i = 0; i < 15; i++)
		same = same && vm->bytes[i] == code[i];
	ok(same, "instruction bytes", "%x %x", vm->bytes[0], vm->bytes[1]);
	vm_new(CODE("ud2"));
	vm_run();
	is(vm->fetched, 0, "instruction bytes: none for #UD");
}

/* The exceptions that 64-bit mode does not have. */
static void legacy(void)
{
	const u8 *into = CODE32("mov $0x7fffffff, %%eax\n inc %%eax\n into"), *bound = CODE32("mov $9, %%eax\n bound %%eax, (%%ebx)");
	const u8 *ts = CODE32("ljmp $0x78, $0"), *icebp = CODE("int1");
	static u32 limits[2] = {1, 3};

	flat32(into);
	only(OF);
	vm_run();
	exit_at(EXIT_EXC + OF, 0, 0, into, 6, 7, "#OF");
	flat32(bound);
	only(BR);
	vr.rbx = addr(limits);
	vm_run();
	exit_at(EXIT_EXC + BR, 0, 0, bound, 5, -1, "#BR");
	gdt[0x78 / 8] = segment((u32)addr(tss_new), 30, 0x89, 0); /* too short */
	flat32(ts);
	only(TS);
	vm_run();
	exit_info(EXIT_EXC + TS, 0x78, 0, "#TS");
	vm_new(icebp);
	only(DB); /* its intercept is not for INT1: APM2 15.12.2 */
	vm_run();
	vector_is(DB, addr(icebp) + 1, "INT1 goes to vector 1");
}

/* EXITINTINFO: what was being delivered. APM2 15.7.2, 15.8 */
static void delivery(void)
{
	const u8 *ud = CODE("ud2"), *soft = CODE("int $0x30"), *pf = CODE("mov (%%rbx), %%al"), *bp = CODE("int3");
	u64 hole = 1ull << 40;
	const struct {
		const char *name;
		const u8 *code;
		u64 exit, info1, info2, intinfo;
		u64 idt; /* the IDT's limit in vectors */
		u64 rsp; /* 0: fine */
		u32 intercepts;
	} rows[] = {
		{"#UD, no gate: #GP", ud, EXIT_GP, UD * 8 + 3, 0, EV(EV_EXC, UD), 5, 0, 1u << GP},
		{"#UD, stack not there: #PF", ud, EXIT_PF, 2, hole - 8, EV(EV_EXC, UD), 256, hole, 1u << PF},
		{"#UD, stack not canonical: #SS", ud, EXIT_EXC + SS, 1, 0, EV(EV_EXC, UD), 256, 1ull << 62, 1u << SS},
		{"INT 30h, no gate: #GP", soft, EXIT_GP, 0x30 * 8 + 2, 0, EV(EV_SOFT, 0x30), 5, 0, 1u << GP},
		{"INT 30h, stack not there: #PF", soft, EXIT_PF, 2, hole - 8, EV(EV_SOFT, 0x30), 256, hole, 1u << PF},
		{"INT3, stack not there: #PF", bp, EXIT_PF, 2, hole - 8, EV(EV_EXC, 3), 256, hole, 1u << PF},
		{"#GP inside #PF: #DF", pf, EXIT_EXC + DF, 0, 0, EV_ERROR(EV_EXC, PF, 0), 9, 0, 1u << DF},
		{"no #DF either: shutdown", pf, EXIT_SHUTDOWN, 0, 0, EV_ERROR(EV_EXC, DF, 0), 0, 0, 0},
	};

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		vm_new(rows[i].code);
		vm->exceptions = rows[i].intercepts;
		vm->idtr.limit = rows[i].idt ? (u32)(rows[i].idt * 16 - 1) : 0;
		if (rows[i].rsp)
			vm->rsp = rows[i].rsp;
		vr.rbx = hole;
		vm_run();
		exit_info(rows[i].exit, rows[i].info1, rows[i].info2, rows[i].name);
		if (rows[i].exit == EXIT_SHUTDOWN || rows[i].exit == EXIT_EXC + DF)
			continue; /* the manual does not say which of the events */
		is(vm->intinfo, rows[i].intinfo, text("%s: EXITINTINFO", rows[i].name));
		is(vm->rip, addr(rows[i].code), text("%s: rip", rows[i].name));
	}
	/* NPF while pushing the frame */
	vm_new(ud);
	vm->exceptions = 0;
	vm->rsp = 0x0c000100;
	*pte(npt, 0x0c000000, 21) &= ~1ull;
	vm_run();
	exit_info(EXIT_NPF, 1ull << 32 | PF_W | PF_U, 0x0c0000f8, "NPF in delivery");
	is(vm->intinfo, EV(EV_EXC, UD), "NPF in delivery: EXITINTINFO");
	is(vm->rsp, 0x0c000100, "NPF in delivery: RSP");
	npt_new();
}

/* EXITINFO1: the TSS selector, EXITINFO2: error code, 36 IRET, 38 JMP, 44 error code there, 48 RF. APM2 15.14.1 */
static void task_switch(void)
{
	const u8 *jmp = CODE32("ljmp $0x80, $0"), *call = CODE32("lcall $0x80, $0"), *iret = CODE32("iretl"), *soft = CODE32("int $0x30");
	const u8 *gp = CODE32("mov $0xfff8, %%eax\n mov %%eax, %%ds");
	static u64 idt32[256];
	static u8 old[104];

	*(u16 *)old = 0x88;
	for (unsigned i = 0; i < 5; i++) {
		const u8 *code[] = {jmp, call, iret, soft, gp};
		const char *name[] = {"task switch by JMP", "task switch by CALL", "task switch by IRET", "task switch by INT",
			"task switch by #GP"};
		const u64 info2[] = {1ull << 38, 0, 1ull << 36, 0, 1ull << 44 | 0xfff8};

		gdt[0x80 / 8] = segment((u32)addr(tss_new), 103, 0x89, 0);
		gdt[0x88 / 8] = segment((u32)addr(tss_new), 103, 0x8b, 0);
		gdt[0x90 / 8] = segment((u32)addr(old), 103, 0x8b, 0);
		idt32[0x30] = idt32[GP] = (u64)0x8500 << 32 | 0x80 << 16;
		flat32(code[i]);
		vm->cs = (struct vmcb_seg){KCODE32, 0xc9b, ~0u, 0};
		vm->tr = (struct vmcb_seg){0x90, 0x8b, 103, addr(old)};
		vm->idtr = (struct vmcb_seg){0, 0, sizeof idt32 - 1, addr(idt32)};
		vm_set(I_TASK, true);
		if (i == 2)
			vm->rflags |= FL_NT;
		vm_run();
		u64 got = vm->info2 & ~(1ull << 48);
		ok(vm->exitcode == EXIT_TASK && vm->info1 == (i == 2 ? 0x88 : 0x80) && got == info2[i], name[i], "exit %llx info1 %llx info2 %llx",
		   vm->exitcode, vm->info1, vm->info2);
		is(vm->tr.sel, 0x90, text("%s: TR", name[i]));
		if (i >= 3)
			is(vm->intinfo, i == 3 ? EV(EV_SOFT, 0x30) : EV_ERROR(EV_EXC, GP, 0xfff8), text("%s: EXITINTINFO", name[i]));
		else
			is(vm->intinfo, 0, text("%s: EXITINTINFO", name[i]));
	}
}

/* Without the exception intercept the guest's handler runs. */
static void handled(void)
{
	const u8 *ud = CODE("ud2"), *gp = CODE("mov $0xfff8, %%eax\n mov %%eax, %%ds"), *pf = CODE("mov (%%rbx), %%al");

	vm_new(ud);
	vm->exceptions = ~(1u << UD);
	vm_run();
	vector_is(UD, addr(ud), "#UD goes to the guest");
	vm_new(gp);
	vm->exceptions = ~(1u << GP);
	vm_run();
	vector_is(GP, 0xfff8, "#GP goes to the guest");
	vm_new(pf);
	vm->exceptions = ~(1u << PF);
	vr.rbx = 1ull << 40;
	vm_run();
	vector_is(PF, 0, "#PF goes to the guest");
	is(vm->cr2, 1ull << 40, "#PF goes to the guest: CR2");
	is(vm_frame(1), addr(pf), "#PF goes to the guest: rip");
}

void guest_main(void)
{
	svm_on();
	each();
	bytes();
	legacy();
	delivery();
	task_switch();
	handled();
}
