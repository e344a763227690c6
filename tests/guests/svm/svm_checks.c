/* VMRUN: its own exceptions, and every consistency check of the VMCB: EXITCODE -1 in 64 bits. APM2 15.5.1 */
#include "vm.h"

static const u8 *code;
static u64 mbz; /* physical address bits that there are not */

enum { O_CR0 = 0x558, O_CR3 = 0x550, O_CR4 = 0x548, O_DR6 = 0x568, O_DR7 = 0x560, O_EFER = 0x4d0, O_ASID = 0x58, O_ICPT4 = 0x10,
       O_IOPM = 0x40, O_MSRPM = 0x48, O_INJ = 0xa8, O_NCR3 = 0xb0, O_PAT = 0x668, O_VINTR = 0x60 };

/* One field is given a value; what was refused has changed nothing. */
static void one(const char *name, unsigned off, u64 value, bool bad)
{
	u64 rip = addr(code), *p = (u64 *)((u8 *)vm + off);
	u64 was;

	vm_new(code);
	if (off == O_ASID || off == O_ICPT4)
		*(u32 *)p = (u32)value;
	else
		*p = value;
	was = *p;
	vm->exitcode = vm->info1 = 0x1234;
	vm_run();
	if (!bad) {
		ok(vm->exitcode != EXIT_INVALID, name, "exit -1");
		return;
	}
	exit_is(EXIT_INVALID, name);
	if (vm->exitcode == EXIT_INVALID && off != O_INJ && off != O_ASID)
		ok(vm->rip == rip && *p == was, text("%s: unchanged", name), "rip %llx, value %llx", vm->rip, *p);
}

#define ENTER 0x80010031ull
static void fields(void)
{
	const u64 efer = msr_read(MSR_EFER), pat = 0x0007040600070406;
	const struct {
		const char *name;
		unsigned off;
		u64 value;
		bool bad;
	} rows[] = {
		{"EFER.SVME clear", O_EFER, efer & ~0x1000ull, true},
		{"CD clear, NW set", O_CR0, ENTER | CR0_NW, true},
		{"CD set, NW set", O_CR0, ENTER | CR0_NW | CR0_CD, false},
		{"CD set, NW clear", O_CR0, ENTER | CR0_CD, false},
		{"CR0 bit 32", O_CR0, ENTER | 1ull << 32, true},
		{"CR0 bit 63", O_CR0, ENTER | 1ull << 63, true},
		{"CR3 bit 63", O_CR3, addr(boot_pml4) | 1ull << 63, true},
		{"CR3 bit 52", O_CR3, addr(boot_pml4) | 1ull << 52, true},
		{"CR3 first missing address bit", O_CR3, addr(boot_pml4) | (mbz & -mbz), true},
		{"CR3 low bits", O_CR3, addr(boot_pml4) | 0xfe7, false},
		{"CR4 bit 63", O_CR4, 0xa0 | 1ull << 63, true},
		{"CR4 bit 32", O_CR4, 0xa0 | 1ull << 32, true},
		{"CR4 bit 31", O_CR4, 0xa0 | 1ull << 31, true},
		{"CR4 bit 15", O_CR4, 0xa0 | 1ull << 15, true},
		{"CR4 bit 13 (VMXE)", O_CR4, 0xa0 | 1ull << 13, true},
		{"DR6 bit 32", O_DR6, 0xffff0ff0 | 1ull << 32, true},
		{"DR6 bit 63", O_DR6, 0xffff0ff0 | 1ull << 63, true},
		{"DR7 bit 32", O_DR7, 0x400 | 1ull << 32, true},
		{"DR7 bit 63", O_DR7, 0x400 | 1ull << 63, true},
		{"EFER bit 9", O_EFER, efer | 1 << 9, true},
		{"EFER bit 63", O_EFER, efer | 1ull << 63, true},
		{"EFER bit 32", O_EFER, efer | 1ull << 32, true},
		{"LME and PG without PAE", O_CR4, 0x80, true},
		{"LME and PG without PE", O_CR0, ENTER & ~1ull, true},
		{"VMRUN intercept clear", O_ICPT4, 2, true},
		{"ASID 0", O_ASID, 0, true},
		{"ASID 1", O_ASID, 1, false},
		{"IOPM beyond physical memory", O_IOPM, 1ull << 63, true},
		{"IOPM that ends beyond it", O_IOPM, (mbz & -mbz) - 0x2000, true},
		{"MSRPM beyond physical memory", O_MSRPM, 1ull << 63, true},
		{"MSRPM that ends beyond it", O_MSRPM, (mbz & -mbz) - 0x1000, true},
		{"EVENTINJ type 1", O_INJ, EV(1, 6), true},
		{"EVENTINJ type 5", O_INJ, EV(5, 6), true},
		{"EVENTINJ type 6", O_INJ, EV(6, 6), true},
		{"EVENTINJ type 7", O_INJ, EV(7, 6), true},
		{"EVENTINJ type 1, not valid", O_INJ, EV(1, 6) & ~(u64)EV_VALID, false},
		{"EVENTINJ exception 2", O_INJ, EV(EV_EXC, 2), true},
		{"EVENTINJ exception 32", O_INJ, EV(EV_EXC, 32), true},
		{"EVENTINJ exception 255", O_INJ, EV(EV_EXC, 255), true},
		{"EVENTINJ #OF in 64-bit mode", O_INJ, EV(EV_EXC, 4), true},
		{"EVENTINJ #BR in 64-bit mode", O_INJ, EV(EV_EXC, 5), true},
		{"EVENTINJ #UD", O_INJ, EV(EV_EXC, 6), false},
		{"nCR3 bit 63", O_NCR3, addr(npt) | 1ull << 63, true},
		{"nCR3 first missing address bit", O_NCR3, addr(npt) | (mbz & -mbz), true},
		{"G_PAT type 2", O_PAT, (pat & ~0xffull) | 2, true},
		{"G_PAT type 3", O_PAT, (pat & ~0xffull << 56) | 3ull << 56, true},
		{"G_PAT bit 3", O_PAT, pat | 8, true},
		{"G_PAT bit 63", O_PAT, pat | 1ull << 63, true},
		{"G_PAT type 5", O_PAT, (pat & ~0xffull << 16) | 5ull << 16, false},
	};

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
		one(rows[i].name, rows[i].off, rows[i].value, rows[i].bad);
	vm_new(code);
	vm->cs.attr = 0xe9b;
	vm_run();
	exit_is(EXIT_INVALID, "LME, PG, PAE, CS.L and CS.D");
	vm_new(code);
	vm->asid = cpuid(0x8000000a, 0).b - 1;
	vm_run();
	exit_is(EXIT_DONE, "the highest ASID");
	if (svm_features & F_VNMI) {
		vm_new(code);
		vm->v_intr = V_NMI_ENABLE;
		vm_run();
		exit_is(EXIT_INVALID, "V_NMI_ENABLE without the NMI intercept");
	}
	vm_new(code);
	vm->np = 0;
	vm->g_pat = ~0ull;
	vm->ncr3 = ~0ull;
	vm_run();
	exit_is(EXIT_DONE, "without nested paging nCR3 and G_PAT do not count");
}

/* All that is legal though a MOV could not make it. APM2 15.5.1 */
static void legal(void)
{
	vm_new(code);
	vm->cr0 &= ~(u64)0x10; /* ET */
	vm_run();
	exit_is(EXIT_DONE, "CR0.ET clear");
	vm_new(code);
	vm->rflags = 0;
	vm_run();
	exit_is(EXIT_DONE, "RFLAGS bit 1 clear");
	is(vm->rflags & 2, 2, "RFLAGS bit 1 reads as one");
	vm_new(code);
	vm->dr7 = 0;
	vm->dr6 = 0;
	vm_run();
	is(vm->dr7, 0x400, "DR7 bit 10");
	is(vm->dr6, 0xffff0ff0, "DR6's fixed bits");
	vm_new(code);
	vm->idtr.limit = ~0u;
	vm->cs.sel = 0;
	vm->ss.sel = 0;
	vm->ds.attr = 0;
	vm_run();
	exit_is(EXIT_DONE, "selectors that name nothing");
	vm_new(code);
	vm->gdtr.base = 0x0000800000000000;
	vm->idtr.base = 0x1234567812345678;
	vm_run();
	is(vm->gdtr.base, 0xffff800000000000, "bases become canonical: GDTR");
	is(vm->idtr.base, 0x0000567812345678, "bases become canonical: IDTR");
	vm_new32(CODE32("nop"), true); /* without nested paging the PDPEs are looked at */
	vm->np = 0;
	*(u64 *)(uword)vm->cr3 |= 0x40;
	vm_run();
	exit_is(EXIT_INVALID, "reserved bit in a PDPE");
	vm_new32(CODE32("nop"), true);
	vm->np = 0;
	vm_run();
	exit_is(EXIT_DONE, "PDPEs that are good");
}

/* #UD, #GP of the SVM instructions. APM2 15.5, APM3 */
static void instructions(void)
{
	const struct {
		const char *name;
		const u8 *code;
		bool address;
	} rows[] = {
		{"VMRUN", CODE("vmrun"), true},  {"VMLOAD", CODE("vmload"), true}, {"VMSAVE", CODE("vmsave"), true},
		{"CLGI", CODE("clgi"), false},   {"STGI", CODE("stgi"), false},    {"INVLPGA", CODE("invlpga"), false},
	};
	struct regs r;

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		r = user_regs(rows[i].code);
		r = run(r);
		trap_at(&r, GP, 0, rows[i].code + USER_BASE, 0, text("%s at CPL 3", rows[i].name));
		if (rows[i].address) {
			r = kernel_regs(rows[i].code);
			r.ax = addr(vm) + 8;
			r = run(r);
			trap_at(&r, GP, 0, rows[i].code, 0, text("%s of an unaligned address", rows[i].name));
			r = kernel_regs(rows[i].code);
			r.ax = addr(vm) | (mbz & -mbz);
			r = run(r);
			trap_at(&r, GP, 0, rows[i].code, 0, text("%s of an address that is too wide", rows[i].name));
		}
		msr_write(MSR_EFER, msr_read(MSR_EFER) & ~(u64)EFER_SVME);
		if (i != 4 || !(svm_features & F_SVML)) {
			r = run_kernel(rows[i].code);
			trap_at(&r, UD, 0, rows[i].code, 0, text("%s without EFER.SVME", rows[i].name));
		}
		r = run_user(rows[i].code);
		if (i != 4 || !(svm_features & F_SVML))
			trap_at(&r, UD, 0, rows[i].code + USER_BASE, 0, text("%s without EFER.SVME at CPL 3", rows[i].name));
		msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SVME);
	}
	r = run_kernel(CODE("vmmcall"));
	trap_is(&r, UD, 0, "VMMCALL outside of a guest");
	/* VM_CR.SVMDIS: EFER.SVME cannot be set. VM_HSAVE_PA: aligned. APM2 15.30 */
	r = kernel_regs(CODE("wrmsr"));
	r.cx = MSR_VM_HSAVE_PA;
	r.ax = 0x1008;
	r.dx = 0;
	r = run(r);
	trap_is(&r, GP, 0, "VM_HSAVE_PA unaligned");
	is(msr_read(MSR_VM_CR) & 0x10, 0, "VM_CR.SVMDIS is clear");
	u64 was = msr_read(MSR_VM_CR);
	msr_write(MSR_EFER, msr_read(MSR_EFER) & ~(u64)EFER_SVME);
	msr_write(MSR_VM_CR, was | 0x10);
	if (msr_read(MSR_VM_CR) & 0x10) {
		r = kernel_regs(CODE("wrmsr"));
		r.cx = MSR_EFER;
		r.ax = (u32)msr_read(MSR_EFER) | EFER_SVME;
		r.dx = 0;
		r = run(r);
		trap_is(&r, GP, 0, "EFER.SVME with VM_CR.SVMDIS");
	} else {
		skip("EFER.SVME with VM_CR.SVMDIS", "VM_CR.LOCK");
	}
	msr_write(MSR_VM_CR, was);
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SVME);
}

void guest_main(void)
{
	svm_on();
	mbz = ~0ull << (cpuid(0x80000008, 0).a & 0xff);
	code = CODE("nop");
	fields();
	legal();
	instructions();
}
