/* Control registers, EFER, MSRs: reserved bits, combinations, unknown numbers, canonical checks, PAT and MTRR types. APM2 3.1, 3.2, 7.7. */
#include "guest64.h"

static const u8 *wr, *rd;

static struct regs set(const u8 *code, u64 v)
{
	struct regs in = kernel_regs(code);

	in.bx = v;
	return run(in);
}

static struct regs wrmsr(u32 msr, u64 v)
{
	struct regs in = kernel_regs(wr);

	in.cx = msr;
	in.ax = (u32)v;
	in.dx = v >> 32;
	return run(in);
}

static struct regs rdmsr(u32 msr)
{
	struct regs in = kernel_regs(rd);

	in.cx = msr;
	return run(in);
}

static void registers(void)
{
	const u8 *cr0 = CODE("mov %%rbx, %%cr0"), *cr4 = CODE("mov %%rbx, %%cr4"), *cr8 = CODE("mov %%rbx, %%cr8");
	const u64 c0 = cr0_read(), c4 = cr4_read();
	struct regs r;

	/* APM2 3.1.1, APM3 MOV CRn */
	r = set(cr0, c0 | 1ull << 32);
	trap_at(&r, GP, 0, cr0, 0, "CR0 bit 32");
	r = set(cr0, c0 | CR0_NW);
	trap_at(&r, GP, 0, cr0, 0, "CR0.NW without CD");
	if (on_qemu()) {
		skip("CR0.PG without PE", "QEMU hangs");
	} else {
		r = set(cr0, c0 & ~1ull);
		trap_at(&r, GP, 0, cr0, 0, "CR0.PG without PE");
	}
	r = set(cr0, c0 | CR0_CD);
	trap_is(&r, DONE, 0, "CR0.CD");
	cr0_write(c0);
	r = set(cr0, c0 | 0x4000);
	trap_is(&r, DONE, 0, "reserved low bits of CR0 are ignored");
	is(cr0_read(), c0, "and read as zero");
	r = set(cr0, c0 & ~0x10ull);
	is(cr0_read() & 0x10, 0x10, "CR0.ET is always one");
	cr0_write(c0);
	r = set(cr4, c4 | 1ull << 31);
	trap_at(&r, GP, 0, cr4, 0, "CR4 bit 31");
	r = set(cr4, c4 | 1ull << 32);
	trap_at(&r, GP, 0, cr4, 0, "CR4 bit 32");
	r = set(cr4, c4 | 1ull << 13); /* VMXE: not on AMD */
	trap_at(&r, GP, 0, cr4, 0, "CR4.VMXE");
	/* A bit of CR4 can be set exactly when CPUID reports its feature. */
	static const struct {
		const char *name;
		u8 bit, reg, pos;
		u32 leaf;
	} f[] = {{"VME", 0, 3, 1, 1}, {"TSD", 2, 3, 4, 1}, {"DE", 3, 3, 2, 1}, {"PSE", 4, 3, 3, 1}, {"MCE", 6, 3, 7, 1}, {"PGE", 7, 3, 13, 1},
		{"OSFXSR", 9, 3, 24, 1}, {"UMIP", 11, 2, 2, 7}, {"FSGSBASE", 16, 1, 0, 7}, {"PCIDE", 17, 2, 17, 1}, {"OSXSAVE", 18, 2, 26, 1},
		{"SMEP", 20, 1, 7, 7}, {"SMAP", 21, 1, 20, 7}, {"PKE", 22, 2, 3, 7}};
	for (unsigned i = 0; i < sizeof f / sizeof *f; i++) {
		struct cpuid id = cpuid(f[i].leaf, 0);
		u32 word = f[i].reg == 1 ? id.b : f[i].reg == 2 ? id.c : id.d;

		r = set(cr4, c4 | 1u << f[i].bit);
		trap_is(&r, word >> f[i].pos & 1 ? DONE : GP, 0, text("CR4.%s follows CPUID", f[i].name));
		cr4_write(c4);
	}
	r = set(cr8, 15);
	trap_is(&r, DONE, 0, "MOV CR8");
	r = run_kernel(CODE("mov %%cr8, %%rax"));
	is(r.ax, 15, "CR8");
	is(*(volatile u32 *)0xfee00080, 0xf0, "CR8 is TPR 7:4");
	r = set(cr8, 16);
	trap_at(&r, GP, 0, cr8, 0, "CR8 bit 4");
	set(cr8, 0);
	static const u8 bad[] = {1, 5, 6, 7, 9, 15};
	for (unsigned i = 0; i < sizeof bad; i++) {
		static u8 code[8];
		u8 *p = code;

		if (bad[i] & 8)
			*p++ = 0x44;
		p[0] = 0x0f, p[1] = 0x20, p[2] = 0xc0 | (bad[i] & 7) << 3, p[3] = 0xcc;
		r = run_kernel(code);
		trap_at(&r, UD, 0, code, 0, text("MOV from CR%u", bad[i]));
	}
	/* LMSW sets PE..TS, cannot clear PE. APM3 LMSW */
	r = run_kernel(CODE("smsw %%ax\n and $0xfff0, %%ax\n or $8, %%ax\n lmsw %%ax"));
	trap_is(&r, DONE, 0, "LMSW");
	is(cr0_read() & 15, 9, "LMSW sets TS and leaves PE");
	cr0_write(c0);
}

static void efer(void)
{
	const u64 e = msr_read(MSR_EFER);
	struct regs r;

	r = wrmsr(MSR_EFER, e | 1ull << 63);
	trap_at(&r, GP, 0, wr, 0, "EFER bit 63");
	r = wrmsr(MSR_EFER, e | 2);
	trap_is(&r, DONE, 0, "EFER bits 7:1 are ignored"); /* "reserved, RAZ": APM2 figure 3-9 */
	is(msr_read(MSR_EFER), e, "and read as zero");
	r = wrmsr(MSR_EFER, e | 1 << 9);
	trap_at(&r, GP, 0, wr, 0, "EFER bit 9");
	r = wrmsr(MSR_EFER, e | 1 << 12);
	trap_is(&r, cpuid(0x80000001, 0).c >> 2 & 1 ? DONE : GP, 0, "EFER.SVME follows CPUID");
	r = wrmsr(MSR_EFER, e | 1 << 14);
	trap_is(&r, cpuid(0x80000001, 0).d >> 25 & 1 ? DONE : GP, 0, "EFER.FFXSR follows CPUID");
	msr_write(MSR_EFER, e);
}

static void msrs(void)
{
	struct regs r;
	static const u32 unknown[] = {0x12345678, 0x40000000, 0xc0001234, 0xc0019999, 0xffffffff, 2, 0x3a};

	for (unsigned i = 0; i < sizeof unknown / sizeof *unknown; i++) {
		r = rdmsr(unknown[i]);
		trap_at(&r, GP, 0, rd, 0, text("RDMSR %x", unknown[i]));
		r = wrmsr(unknown[i], 0);
		trap_at(&r, GP, 0, wr, 0, text("WRMSR %x", unknown[i]));
	}
	/* RDMSR zero-extends. */
	struct regs in = kernel_regs(rd);
	in.cx = 0xdeadbeef00000000 | MSR_EFER;
	in.ax = in.dx = ~0ull;
	r = run(in);
	is(r.ax >> 32 | r.dx, 0, "RDMSR clears bits 63:32 of rAX and rDX, ECX counts");
	static const u32 canon[] = {MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE, MSR_LSTAR, MSR_CSTAR};
	for (unsigned i = 0; i < 5; i++) {
		r = wrmsr(canon[i], 0x800000000000);
		trap_at(&r, GP, 0, wr, 0, text("WRMSR %x of a non-canonical address", canon[i]));
		r = wrmsr(canon[i], 0xffff800000000000);
		trap_is(&r, DONE, 0, text("WRMSR %x of a canonical address", canon[i]));
		is(msr_read(canon[i]), 0xffff800000000000, "reads back");
		msr_write(canon[i], 0);
	}
	/* PAT: types 0, 1, 4, 5, 6, 7. APM2 7.8.1 */
	const u64 pat = msr_read(MSR_PAT);
	is(pat, 0x0007040600070406, "PAT after reset");
	for (unsigned t = 0; t < 10; t++) {
		r = wrmsr(MSR_PAT, (pat & ~0xff00ull) | t << 8);
		trap_is(&r, t == 2 || t == 3 || t > 7 ? GP : DONE, 0, text("PAT type %u", t));
	}
	msr_write(MSR_PAT, pat);
	/* MTRRs. APM2 7.7 */
	if (!(cpuid(1, 0).d >> 12 & 1)) {
		skip("MTRR", "not reported");
		return;
	}
	r = wrmsr(0xfe, 0);
	trap_at(&r, GP, 0, wr, 0, "MTRRcap is read-only");
	for (unsigned t = 0; t < 8; t++) {
		r = wrmsr(0x200, 0x10000000 | t);
		trap_is(&r, t == 2 || t == 3 || t == 7 ? GP : DONE, 0, text("MTRRphysBase type %u", t));
	}
	r = wrmsr(0x200, 0x10000000 | 1 << 8);
	trap_at(&r, GP, 0, wr, 0, "MTRRphysBase bit 8");
	r = wrmsr(0x201, 0xfffff0000800);
	trap_is(&r, DONE, 0, "MTRRphysMask");
	msr_write(0x201, 0);
	msr_write(0x200, 0);
	r = wrmsr(0x2ff, 0xc02);
	trap_at(&r, GP, 0, wr, 0, "MTRRdefType type 2");
	r = wrmsr(0x250, 0x0202020202020202);
	trap_at(&r, GP, 0, wr, 0, "fixed MTRR type 2");
	r = wrmsr(0x250, 0x0606060606060606);
	trap_is(&r, DONE, 0, "fixed MTRR");
	is(msr_read(0x250), 0x0606060606060606, "reads back");
	/* APIC_BASE: reserved bits. */
	const u64 base = msr_read(MSR_APIC_BASE);
	r = wrmsr(MSR_APIC_BASE, base | 1);
	trap_at(&r, GP, 0, wr, 0, "APIC_BASE bit 0");
	r = wrmsr(MSR_APIC_BASE, base | 1ull << 60);
	trap_at(&r, GP, 0, wr, 0, "APIC_BASE bit 60");
	is(base & 0x900, 0x900, "APIC_BASE: enabled, bootstrap processor");
	/* SVM: VM_HSAVE_PA must be aligned, VM_CR. APM2 15.30 */
	if (cpuid(0x80000001, 0).c >> 2 & 1) {
		r = wrmsr(0xc0010117, 0x1001);
		trap_at(&r, GP, 0, wr, 0, "VM_HSAVE_PA not aligned");
		r = wrmsr(0xc0010117, 0x1000);
		trap_is(&r, DONE, 0, "VM_HSAVE_PA");
		msr_write(0xc0010117, 0);
	}
}

void guest_main(void)
{
	wr = CODE("wrmsr");
	rd = CODE("rdmsr");
	registers();
	efer();
	msrs();
}
