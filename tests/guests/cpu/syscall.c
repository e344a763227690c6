/* SYSCALL, SYSRET, SYSENTER, SYSEXIT, SWAPGS, FSGSBASE, RDTSCP and their faults. APM2 6.1, APM3. */
#include "guest64.h"

static struct regs u;

static void syscalls(void)
{
	struct regs r;
	const u8 *call = CODE("syscall"), *entry = CODE("mov %%cs, %%eax\n mov %%ss, %%ebx\n pushfq\n pop %%rdx");
	const u8 *centry = CODE("mov $0xc0, %%esi\n mov %%cs, %%eax");

	/* STAR 47:32 SYSCALL CS, SS = +8; 63:48 SYSRET CS: +16 for 64 bits, SS = +8. APM2 6.1.1 */
	msr_write(MSR_STAR, (u64)KCODE << 32 | (u64)(UCODE32 & ~3) << 48);
	msr_write(MSR_LSTAR, addr(entry));
	msr_write(MSR_CSTAR, addr(centry));
	msr_write(MSR_SFMASK, FL_IF | FL_DF | FL_TF);
	u = user_regs(call);
	u.flags |= FL_CF | FL_DF | FL_IF;
	u.sp = user(run_stack + 4096);
	/* SYSCALL leaves RSP: the user's. The stub's INT3 runs on IST1. */
	r = run(u);
	trap_is(&r, DONE, 0, "SYSCALL");
	is(r.ax, KCODE, "SYSCALL's CS");
	is(r.bx, KDATA, "SYSCALL's SS");
	is(r.cx, user(call) + 2, "SYSCALL's rCX is the return address");
	is(r.r11 & (FL_CF | FL_DF | FL_IF), FL_CF | FL_DF | FL_IF, "SYSCALL's r11 is rFLAGS");
	is(r.dx & (FL_CF | FL_DF | FL_IF | FL_RF), FL_CF, "SYSCALL clears what SFMASK says, and RF");
	is(r.sp, u.sp, "SYSCALL leaves RSP");
	struct regs c = compat_regs(CODE32("syscall"));
	r = run(c);
	trap_is(&r, DONE, 0, "SYSCALL from compatibility mode");
	is(r.si, 0xc0, "goes to CSTAR");
	is(r.ax, KCODE, "in 64-bit mode");

	msr_write(MSR_EFER, msr_read(MSR_EFER) & ~1ull);
	r = run(u);
	trap_is(&r, UD, 0, "SYSCALL without EFER.SCE");
	r = run_kernel(CODE("sysretq"));
	trap_is(&r, UD, 0, "SYSRET without EFER.SCE");
	msr_write(MSR_EFER, msr_read(MSR_EFER) | 1);
	/* SYSCALL is allowed at CPL 0 too. */
	const u8 *k = CODE("syscall");
	r = run_kernel(k);
	trap_is(&r, DONE, 0, "SYSCALL at CPL 0");
	is(r.cx, addr(k) + 2, "returns behind itself");

	const u8 *ret = CODE("sysretq"), *ret32 = CODE("sysretl"), *end = CODE("mov %%cs, %%eax\n mov %%ss, %%ebx\n pushfq\n pop %%rdx");
	struct regs in = kernel_regs(ret);
	in.cx = user(end);
	in.r11 = 2 | FL_CF | FL_IF | FL_RF | FL_ID;
	in.sp = user(run_stack + 4096);
	r = run(in);
	trap_is(&r, DONE, 0, "SYSRETQ");
	is(r.ax, UCODE, "SYSRETQ's CS");
	is(r.bx & ~3ull, UDATA & ~3, "SYSRETQ's SS");
	is(r.dx & (FL_CF | FL_IF | FL_RF | FL_ID), FL_CF | FL_IF | FL_ID, "SYSRETQ's rFLAGS, RF clear");
	in.ip = addr(ret32);
	in.cx = user(CODE32("mov %%cs, %%eax\n nop")) | 0xdead00000000;
	r = run(in);
	trap_is(&r, DONE, 0, "SYSRETL ignores rCX 63:32");
	is(r.ax, UCODE32, "SYSRETL's CS");
	/* APM3 SYSRET: at CPL above 0 #GP. */
	r = run_user(ret);
	trap_is(&r, GP, 0, "SYSRET at CPL 3");
	/* The single step behind SYSRET. Its TF comes from r11. */
	in = kernel_regs(ret);
	const u8 *nops = CODE("nop\n nop");
	in.cx = user(nops);
	in.r11 = 2 | FL_TF;
	in.sp = user(run_stack + 4096);
	r = run(in);
	trap_is(&r, DB, 0, "SYSRET that sets TF traps");
	ok(r.ip == user(nops) || r.ip == user(nops) + 1, "at the target or behind its first instruction", "%llx", r.ip);
	/* A non-canonical target: AMD raises #GP at CPL 3, at the target. APM3 SYSRET loads rIP without a check. */
	in.r11 = 2;
	in.cx = 0x800000000000;
	r = run(in);
	trap_is(&r, GP, 0, "SYSRETQ to a non-canonical address");
	is(r.cs & 3, 3, "the fault is the user's");
	/* SYSCALL's RIP+len in rCX with LSTAR non-canonical cannot be: WRMSR checks. APM3 WRMSR */
	const u8 *wr = CODE("wrmsr");
	in = kernel_regs(wr);
	in.cx = MSR_LSTAR;
	in.dx = 0x8000;
	r = run(in);
	trap_at(&r, GP, 0, wr, 0, "WRMSR of a non-canonical LSTAR");
	in.cx = MSR_CSTAR;
	r = run(in);
	trap_at(&r, GP, 0, wr, 0, "WRMSR of a non-canonical CSTAR");
	/* SYSENTER and SYSEXIT are #UD in long mode on AMD. APM3 */
	const u8 *se = CODE("sysenter"), *sx = CODE("sysexitl");
	msr_write(0x174, KCODE);
	msr_write(0x176, addr(entry));
	r = run_user(se);
	trap_is(&r, UD, 0, "SYSENTER in 64-bit mode");
	r = run(compat_regs(CODE32("sysenter")));
	trap_is(&r, UD, 0, "SYSENTER in compatibility mode");
	r = run_kernel(sx);
	trap_is(&r, UD, 0, "SYSEXIT in long mode");
	msr_write(0x174, 0);
}

static void gs(void)
{
	struct regs r;

	msr_write(MSR_GS_BASE, 0x111000);
	msr_write(MSR_KERNEL_GS_BASE, 0xffff888000000000);
	r = run_kernel(CODE("swapgs"));
	trap_is(&r, DONE, 0, "SWAPGS");
	is(msr_read(MSR_GS_BASE), 0xffff888000000000, "GS.base");
	is(msr_read(MSR_KERNEL_GS_BASE), 0x111000, "KernelGSbase");
	r = run_kernel(CODE("swapgs"));
	/* SWAPGS in compatibility mode at CPL 0 is #UD. APM3 */
	struct regs in = kernel_regs(CODE32(".byte 0x0f, 0x01, 0xf8"));
	in.cs = KCODE32;
	r = run(in);
	trap_is(&r, UD, 0, "SWAPGS in compatibility mode");

	if (!(cpuid(7, 0).b & 1)) {
		skip("FSGSBASE", "not reported");
		return;
	}
	const u8 *rd = CODE("rdgsbase %%rax"), *wr = CODE("wrfsbase %%rbx"), *wr32 = CODE("wrfsbase %%ebx");
	r = run_kernel(rd);
	trap_at(&r, UD, 0, rd, 0, "RDGSBASE without CR4.FSGSBASE");
	cr4_write(cr4_read() | CR4_FSGSBASE);
	r = run_user(rd);
	trap_is(&r, DONE, 0, "RDGSBASE at CPL 3");
	is(r.ax, 0x111000, "RDGSBASE");
	in = user_regs(wr);
	in.bx = 0x123456789000;
	r = run(in);
	is(msr_read(MSR_FS_BASE), 0x123456789000 & 0x7fffffffffff, "WRFSBASE");
	in.bx = 0x800000000000;
	r = run(in);
	trap_is(&r, GP, 0, "WRFSBASE of a non-canonical address");
	in.ip = user(wr32);
	in.bx = 0xffffffff12345678;
	r = run(in);
	is(msr_read(MSR_FS_BASE), 0x12345678, "WRFSBASE of 32 bits zero-extends");
	in = compat_regs(CODE32(".byte 0xf3, 0x0f, 0xae, 0xc0"));
	r = run(in);
	trap_is(&r, UD, 0, "RDFSBASE in compatibility mode");
	cr4_write(cr4_read() & ~(uword)CR4_FSGSBASE);
	msr_write(MSR_FS_BASE, 0);
}

static void tsc(void)
{
	const u8 *rdtsc = CODE("rdtsc"), *rdtscp = CODE("rdtscp");
	struct regs r;

	u64 a = tsc_read(), b = tsc_read();
	ok(b > a, "RDTSC goes up", "%llx then %llx", a, b);
	r = run_user(rdtsc);
	trap_is(&r, DONE, 0, "RDTSC at CPL 3");
	cr4_write(cr4_read() | CR4_TSD);
	r = run_user(rdtsc);
	trap_is(&r, GP, 0, "RDTSC at CPL 3 with CR4.TSD");
	r = run_kernel(rdtsc);
	trap_is(&r, DONE, 0, "RDTSC at CPL 0 with CR4.TSD");
	if (cpuid(0x80000001, 0).d >> 27 & 1) {
		r = run_user(rdtscp);
		trap_is(&r, GP, 0, "RDTSCP at CPL 3 with CR4.TSD");
		cr4_write(cr4_read() & ~(uword)CR4_TSD);
		msr_write(0xc0000103, 0x1234567);
		r = run_user(rdtscp);
		is(r.cx, 0x1234567, "RDTSCP gives TSC_AUX");
	}
	cr4_write(cr4_read() & ~(uword)CR4_TSD);
	u64 before = tsc_read();
	msr_write(0x10, before + 0x100000000);
	ok(tsc_read() - before >= 0x100000000, "WRMSR of the TSC", "%llx after %llx", tsc_read(), before);
}

static void umip(void)
{
	static const char *const name[] = {"SGDT", "SIDT", "SLDT", "STR", "SMSW"};
	const u8 *c[] = {CODE("sgdt -64(%%rsp)"), CODE("sidt -64(%%rsp)"), CODE("sldt %%eax"), CODE("str %%eax"), CODE("smsw %%eax")};
	struct regs r;

	for (unsigned i = 0; i < 5; i++) {
		r = run_user(c[i]);
		trap_is(&r, DONE, 0, text("%s at CPL 3", name[i]));
	}
	is(r.ax, (u32)cr0_read(), "SMSW gives the low half of CR0"); /* APM3 SMSW: 32-bit destination, bits 31:16 undefined */
	if (!(cpuid(7, 0).c & 4)) {
		skip("UMIP", "not reported");
		return;
	}
	cr4_write(cr4_read() | CR4_UMIP);
	for (unsigned i = 0; i < 5; i++) { /* APM2 6.. CR4.UMIP */
		r = run_user(c[i]);
		trap_is(&r, GP, 0, text("%s at CPL 3 with CR4.UMIP", name[i]));
		r = run_kernel(c[i]);
		trap_is(&r, DONE, 0, text("%s at CPL 0 with CR4.UMIP", name[i]));
	}
	cr4_write(cr4_read() & ~(uword)CR4_UMIP);
}

void guest_main(void)
{
	syscalls();
	gs();
	tsc();
	umip();
}
