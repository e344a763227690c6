/*
 * What VMRUN loads, #VMEXIT saves and restores, and what neither touches; the lists of VMLOAD and VMSAVE; traps over VMRUN;
 * the guest's TSC; LBR virtualization; VMLOAD and VMSAVE virtualization. APM2 15.5, 15.6, 15.23, 15.30.5, 15.33
 */
#include "vm.h"

/* MSRs that VMSAVE and VMLOAD move, with their places. APM3 VMSAVE */
static const struct {
	const char *name;
	u32 msr;
	u16 off;
	u64 value;
} moved[] = {
	{"FS.base", MSR_FS_BASE, 0x448, 0x11111000},
	{"GS.base", MSR_GS_BASE, 0x458, 0xffff888800001000},
	{"KernelGSBase", MSR_KERNEL_GS_BASE, 0x620, 0x33333000},
	{"STAR", MSR_STAR, 0x600, 0x0023001000000000},
	{"LSTAR", MSR_LSTAR, 0x608, 0xffffffff80001000},
	{"CSTAR", MSR_CSTAR, 0x610, 0x55555000},
	{"SFMASK", MSR_SFMASK, 0x618, 0x47700},
	{"SYSENTER_CS", 0x174, 0x628, 0x10},
	{"SYSENTER_ESP", 0x175, 0x630, 0x66666000},
	{"SYSENTER_EIP", 0x176, 0x638, 0x77777000},
};
enum { MOVED = sizeof moved / sizeof *moved };

static u64 *at(struct vmcb *v, unsigned off) { return (u64 *)((u8 *)v + off); }

static void vmload_vmsave(void)
{
	static struct vmcb page __attribute__((aligned(4096))), keep __attribute__((aligned(4096)));
	static const u16 offs[] = {0x440, 0x450, 0x470, 0x490};
	u64 other = 0;

	vmsave(&page);
	keep = page;
	for (unsigned i = 0; i < MOVED; i++)
		msr_write(moved[i].msr, moved[i].value);
	memset(&page, 0xa5, sizeof page);
	vmsave(&page);
	for (unsigned i = 0; i < MOVED; i++)
		is(*at(&page, moved[i].off), moved[i].value, text("VMSAVE: %s", moved[i].name));
	is(page.tr.sel, TSS, "VMSAVE: TR.sel");
	is(page.tr.base, addr(tss), "VMSAVE: TR.base");
	is(page.tr.limit, 103, "VMSAVE: TR.limit");
	is(page.tr.attr, 0x8b, "VMSAVE: TR.attr");
	for (unsigned i = 0; i < 4096; i += 8) {
		bool mine = i >= 0x600 && i < 0x640;

		for (unsigned k = 0; k < 4; k++)
			mine = mine || (i & ~15u) == offs[k];
		if (!mine && *at(&page, i) != 0xa5a5a5a5a5a5a5a5)
			other = i;
	}
	is(other, 0, "VMSAVE: nothing else is written");
	page = keep;
	for (unsigned i = 0; i < MOVED; i++)
		*at(&page, moved[i].off) = moved[i].value ^ 0x8000;
	page.fs.sel = 0x123;
	page.gs.limit = 0x777;
	page.ldtr = (struct vmcb_seg){0x68, 0x82, 0xff, 0x5000};
	vmload(&page);
	for (unsigned i = 0; i < MOVED; i++)
		is(msr_read(moved[i].msr), moved[i].value ^ 0x8000, text("VMLOAD: %s", moved[i].name));
	u16 fs, ldt;
	__asm__ volatile("mov %%fs, %0; sldt %1" : "=r"(fs), "=r"(ldt));
	is(fs, 0x123, "VMLOAD: FS");
	is(ldt, 0x68, "VMLOAD: LDTR");
	vmload(&keep);
	__asm__ volatile("sldt %0" : "=r"(ldt));
	is(ldt, 0, "VMLOAD: LDTR again");
}

struct dt {
	u16 limit;
	u64 base;
} __attribute__((packed));

/* The guest changes all that #VMEXIT brings back. APM2 15.6 */
static void host_state(void)
{
	const u8 *code = CODE("mov $0x80050039, %%eax\n mov %%rax, %%cr0\n mov %%cr4, %%rax\n or $0xc, %%al\n mov %%rax, %%cr4\n"
			      "mov %%rbx, %%cr3\n mov $0xc0000080, %%ecx\n rdmsr\n and $~1, %%eax\n wrmsr\n mov $0x403, %%eax\n"
			      "mov %%rax, %%dr7\n mov $0x1234, %%eax\n mov %%rax, %%dr0\n mov %%rax, %%cr2\n lgdt (%%rsi)\n lidt (%%rsi)\n"
			      "xor %%eax, %%eax\n mov %%eax, %%ds\n mov %%eax, %%es\n mov $0x277, %%ecx\n mov $0x06060606, %%eax\n"
			      "mov %%eax, %%edx\n wrmsr\n std\n stc");
	static struct dt none = {77, 0x88}, gdt1, idt1, gdt2, idt2;
	uword cr0 = cr0_read(), cr3 = cr3_read(), cr4 = cr4_read();
	u64 efer = msr_read(MSR_EFER), pat = msr_read(MSR_PAT);
	u64 *copy = page_alloc();
	u16 ds, es, ss;
	uword flags;

	memcpy(copy, boot_pml4, 4096);
	__asm__ volatile("sgdt %0; sidt %1" : "=m"(gdt1), "=m"(idt1));
	dr7_write(0x402);
	dr0_write(0x9999);
	cr2_write(0x8888);
	vm_new(code);
	vr.rbx = addr(copy);
	vr.rsi = addr(&none);
	vm->dr7 = 0x400;
	vm_run();
	__asm__ volatile("pushfq; pop %0" : "=r"(flags));
	__asm__ volatile("sgdt %0; sidt %1; mov %%ds, %2; mov %%es, %3; mov %%ss, %4"
			 : "=m"(gdt2), "=m"(idt2), "=r"(ds), "=r"(es), "=r"(ss));
	exit_is(EXIT_DONE, "the guest has changed everything");
	is(cr0_read(), cr0, "host CR0");
	is(cr3_read(), cr3, "host CR3");
	is(cr4_read(), cr4, "host CR4");
	is(msr_read(MSR_EFER), efer, "host EFER");
	is(msr_read(MSR_PAT), pat, "host PAT");
	is(dr7_read(), 0x400, "host DR7: all breakpoints off");
	is(flags & (FL_DF | FL_IF), 0, "host RFLAGS");
	ok(gdt1.limit == gdt2.limit && gdt1.base == gdt2.base, "host GDTR", "%x %llx", gdt2.limit, gdt2.base);
	ok(idt1.limit == idt2.limit && idt1.base == idt2.base, "host IDTR", "%x %llx", idt2.limit, idt2.base);
	ok(ds == KDATA && es == KDATA && ss == KDATA, "host segments", "%x %x %x", ds, es, ss);
	is(dr0_read(), 0x1234, "DR0 is the guest's still");
	is(cr2_read(), 0x1234, "CR2 is the guest's still");
	dr0_write(0);
	is(vm->cr0, 0x80050039, "saved CR0");
	is(vm->cr4, cr4 | 0xc, "saved CR4");
	is(vm->cr3, addr(copy), "saved CR3");
	is(vm->efer, efer & ~1ull, "saved EFER");
	is(vm->dr7, 0x403, "saved DR7");
	is(vm->cr2, 0x1234, "saved CR2");
	is(vm->g_pat, 0x0606060606060606, "saved G_PAT");
	is(vm->gdtr.limit, 77, "saved GDTR.limit");
	is(vm->idtr.base, 0x88, "saved IDTR.base");
	is(vm->ds.sel | vm->es.sel, 0, "saved DS and ES");
	is(vm->rflags, 0x447, "saved RFLAGS");
	is(vm->cs.sel, KCODE, "saved CS");
	is(vm->cs.attr & 0xefe, 0xa9a, "saved CS.attr");
	is(vm->rsp, addr(vm_stack), "saved RSP");
	is(vm->cpl, 0, "saved CPL");
	is(vr.rcx, 0x277, "RCX passes");
}

/* VMRUN is one instruction of the host: its trap comes after #VMEXIT. The guest's own trap. APM2 15.5.1, 15.21 */
static void traps(void)
{
	const u8 *run_vm = CODE("vmrun %%rax\n nop\n nop"), *code = CODE("nop\n nop\n nop");
	struct regs r;

	vm_new(code);
	r = kernel_regs(run_vm);
	r.ax = addr(vm);
	r.flags = 2 | FL_TF;
	r = run(r);
	stgi();
	trap_at(&r, DB, 0, run_vm, 3, "TF over VMRUN");
	is(r.dr6 & 0x4000, 0x4000, "TF over VMRUN: DR6.BS");
	dr6_write(0xffff0ff0);
	exit_is(EXIT_DONE, "TF over VMRUN: the guest ran");
	is(vm->rflags & FL_TF, 0, "TF over VMRUN: not in the guest");
	vm_new(code);
	vm->rflags = 2 | FL_TF;
	vm_run();
	exit_at(EXIT_DB, 0, 0, code, 1, -1, "the guest's TF: after its first instruction");
	vm_new(code);
	vm->rflags = 2 | FL_TF;
	vm->exceptions = 1 << 3;
	vm_run();
	vector_is(DB, addr(code) + 1, "the guest's TF, not intercepted");
	is(vm->dr6 & 0x4000, 0x4000, "the guest's TF: DR6.BS");
	vm_new(code); /* a breakpoint of the guest's */
	__asm__ volatile("mov %0, %%dr1" : : "r"(addr(code) + 2));
	vm->dr7 = 0x404;
	vm->exceptions = 1 << 3;
	vm_run();
	vector_is(DB, addr(code) + 2, "the guest's breakpoint");
	is(vm->dr6 & 15, 2, "the guest's breakpoint: DR6");
}

/* APM2 15.30.5 */
static void tsc(void)
{
	const u8 *code = CODE("rdtsc\n shl $32, %%rdx\n or %%rdx, %%rax"), *msr = CODE("mov $0x10, %%ecx\n rdmsr\n shl $32, %%rdx\n or %%rdx, %%rax");
	const u8 *codes[2] = {code, msr};

	for (unsigned i = 0; i < 2; i++) {
		const char *name = i ? "RDMSR of the TSC" : "RDTSC";
		u64 before = tsc_read();

		vm_new(codes[i]);
		vm->tsc_offset = 1ull << 44;
		vm_run();
		u64 after = tsc_read(), got = vm->rax - (1ull << 44);
		ok(got > before && got < after, text("TSC_OFFSET, %s", name), "%llx, host %llx to %llx", vm->rax, before, after);
		vm_new(codes[i]);
		vm->tsc_offset = ~0ull << 20;
		before = tsc_read();
		vm_run();
		after = tsc_read();
		got = vm->rax + (1ull << 20);
		ok(got > before && got < after, text("negative TSC_OFFSET, %s", name), "%llx", vm->rax);
		if (!(svm_features & F_TSC_RATE))
			continue;
		msr_write(MSR_TSC_RATIO, 0x280000000); /* 2.5 */
		before = tsc_read();
		vm_new(codes[i]);
		vm->tsc_offset = 1000;
		vm_run();
		after = tsc_read();
		got = vm->rax - 1000;
		ok(got > before * 5 / 2 && got < after * 5 / 2, text("TSC ratio, %s", name), "%llx, host %llx to %llx", vm->rax, before, after);
		msr_write(MSR_TSC_RATIO, 1ull << 32);
	}
	struct regs r = kernel_regs(CODE("wrmsr"));
	r.cx = MSR_TSC_RATIO;
	r.ax = 0;
	r.dx = 1 << 8;
	r = run(r);
	if (svm_features & F_TSC_RATE)
		trap_is(&r, GP, 0, "TSC ratio: reserved bits");
}

/* DBGCTL and the branch records are the guest's own. APM2 15.23 */
static void lbr(void)
{
	const u8 *code = CODE("nop\n jmp 1f\n nop\n nop\n 1: nop\n mov $0x1d9, %%ecx\n rdmsr");

	if (!(svm_features & F_LBRV)) {
		skip("LBR virtualization", "not reported");
		return;
	}
	vm_new(code);
	vm->virt_ext = 1;
	vm->dbgctl = 1;
	vm->br_from = 0x1111;
	msr_write(0x1d9, 0);
	vm_run();
	is(vm->br_from, addr(code) + 1, "LBR: BR_FROM");
	is(vm->br_to, addr(code) + 5, "LBR: BR_TO");
	is((u32)vm->rax, 1, "LBR: the guest's DBGCTL");
	const u8 *jcc = CODE("xor %%eax, %%eax\n jz 1f\n nop\n 1: jnz 1b"), *ud = CODE("jmp 1f\n nop\n 1: ud2");
	const u8 *btf = CODE("nop\n nop\n jmp 1f\n nop\n 1: nop\n nop");
	vm_new(jcc);
	vm->virt_ext = vm->dbgctl = 1;
	vm_run();
	ok(vm->br_from == addr(jcc) + 2 && vm->br_to == addr(jcc) + 5, "LBR: Jcc, the one that is taken", "%llx %llx", vm->br_from, vm->br_to);
	vm_new(ud);
	vm->virt_ext = vm->dbgctl = 1;
	vm->exceptions = 1 << 3;
	vm_run();
	vector_is(UD, addr(ud) + 3, "LBR: exception");
	ok(vm->exc_from == addr(ud) && vm->exc_to == addr(ud) + 3, "LBR: LASTEXCP has the branch before", "%llx %llx", vm->exc_from, vm->exc_to);
	ok(vm->br_from == addr(ud) + 3 && vm->br_to == addr(vm_stubs + 16 * UD), "LBR: the exception is a branch", "%llx %llx", vm->br_from,
	   vm->br_to);
	vm_new(btf);
	vm->virt_ext = 1;
	vm->dbgctl = 2;
	vm->rflags |= FL_TF;
	vm_run();
	exit_at(EXIT_DB, 0, 0, btf, 5, -1, "BTF: the trap comes after the branch");
	is(msr_read(0x1d9), 0, "LBR: the host's DBGCTL");
	vm_new(code);
	vm->dbgctl = 1;
	vm->br_from = 0x1111;
	vm->br_to = 0x2222;
	vm_run();
	ok(vm->br_from == 0x1111 && vm->br_to == 0x2222, "no LBR virtualization: VMCB as it was", "%llx %llx", vm->br_from, vm->br_to);
	is((u32)vm->rax, 0, "no LBR virtualization: the host's DBGCTL");
}

/* With it a guest's VMLOAD and VMSAVE go through the nested tables. APM2 15.33.1 */
static void virtual_vmload(void)
{
	u64 gpa = 0x0c000000;
	u8 *real = (u8 *)0x0d000000;

	if (!(svm_features & F_VVMLOAD)) {
		skip("virtual VMSAVE and VMLOAD", "not reported");
		return;
	}
	u64 *e = pte(npt, gpa, 21), *t = page_alloc(), was = *e;
	t[0] = addr(real) | PTE_ALL;
	*e = addr(t) | PTE_ALL;
	for (unsigned on = 0; on < 2; on++) {
		memset(real, 0, 4096);
		memset((void *)gpa, 0, 4096);
		vm_new(CODE("vmsave %%rax"));
		vm->rax = gpa;
		vm->virt_ext = on ? 2 : 0;
		vm->star = 0x1234567800000000;
		vm_run();
		exit_is(EXIT_DONE, on ? "virtual VMSAVE" : "VMSAVE in a guest");
		is(((struct vmcb *)(on ? real : (u8 *)gpa))->star, 0x1234567800000000, on ? "virtual VMSAVE: guest-physical" : "VMSAVE in a guest: physical");
	}
	t[0] = 0;
	vm_new(CODE("vmload %%rax"));
	vm->rax = gpa;
	vm->virt_ext = 2;
	vm_run();
	exit_is(EXIT_NPF, "virtual VMLOAD: NPF");
	is(vm->info2, gpa, "virtual VMLOAD: EXITINFO2");
	vm_new(CODE("vmload %%rax"));
	vm->rax = gpa;
	vm->virt_ext = 2;
	vm_set(I_VMLOAD, true);
	vm_run();
	exit_is(0x82, "virtual VMLOAD: its intercept goes first");
	*e = was;
}

void guest_main(void)
{
	svm_on();
	vmload_vmsave();
	host_state();
	traps();
	tsc();
	lbr();
	virtual_vmload();
}
