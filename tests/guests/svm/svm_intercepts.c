/*
 * Every intercept of an instruction: EXITCODE, EXITINFO1, EXITINFO2, rIP and nRIP; without its bit the instruction runs.
 * What the intercept goes before and after. IOIO and MSR are in svm_io.c, exceptions in svm_exceptions.c. APM2 15.9-15.14.
 */
#include "vm.h"

enum { RUNS = 1 };
struct row {
	const char *name;
	const u8 *code;
	unsigned icpt;
	u64 info1;
	int len;
	unsigned flags; /* RUNS: without the intercept it comes to its end */
	u64 in[3];      /* RAX, RCX, RDX */
};

static u8 page[4096] __attribute__((aligned(4096)));

static u64 code_of(unsigned icpt) { return icpt < 128 ? icpt : icpt < 160 ? 0x80 + icpt - 128 : 0xa0 + icpt - 160; }

static void set_up(const struct row *r)
{
	vm_new(r->code);
	vm->rax = r->in[0];
	vr.rcx = r->in[1];
	vr.rdx = r->in[2];
	vm->cr4 |= CR4_OSXSAVE & (cpuid(1, 0).c >> 26 & 1 ? ~0u : 0);
}

/* The text of the instruction, without the doubled percent signs. */
static const char *name_of(const struct row *r)
{
	static char buf[64];
	char *d = buf;

	for (const char *p = r->name; *p && d < buf + sizeof buf - 1; p++)
		if (*p != '%' || p[1] != '%')
			*d++ = *p;
	*d = 0;
	return buf;
}

static void instruction(const struct row *r)
{
	if (r->flags & RUNS) {
		set_up(r);
		vm_run();
		exit_is(EXIT_DONE, text("%s without its intercept", name_of(r)));
	}
	set_up(r);
	vm_set(r->icpt, true);
	vm_run();
	exit_at(code_of(r->icpt), r->info1, r->icpt == I_INVPCID ? 2 : 0, r->code, 0, r->len, name_of(r));
}

#define ROW(text, icpt, info1, len, flags, ...) {text, CODE(text), icpt, info1, len, flags, {__VA_ARGS__}}

/* APM2 15.9, table 15-7; decode assists: 15.8.2 (INTn), 15.8.3 (INVLPG) */
static void plain(void)
{
	u64 p = addr(page), desc = addr(page) + 64;
	const struct row rows[] = {
		ROW("sidt (%%rax)", I_IDTR_READ, 0, 3, RUNS, p),
		ROW("sgdt (%%rax)", I_GDTR_READ, 0, 3, RUNS, p),
		ROW("sldt %%eax", I_LDTR_READ, 0, 3, RUNS, p),
		ROW("str %%eax", I_TR_READ, 0, 3, RUNS, p),
		ROW("lidt (%%rax)", I_IDTR_WRITE, 0, 3, RUNS, desc),
		ROW("lgdt (%%rax)", I_GDTR_WRITE, 0, 3, RUNS, desc),
		ROW("lldt %%ax", I_LDTR_WRITE, 0, 3, RUNS, 0),
		ROW("ltr %%ax", I_TR_WRITE, 0, 3, 0, TSS),
		ROW("rdtsc", I_RDTSC, 0, 2, RUNS),
		ROW("pushfq", I_PUSHF, 0, 1, RUNS),
		ROW("popfq", I_POPF, 0, 1, RUNS),
		ROW("cpuid", I_CPUID, 0, 2, RUNS),
		ROW("iretq", I_IRET, 0, 2, 0),
		ROW("int $0x30", I_INTN, 0x30, 2, 0),
		ROW("int $0x80", I_INTN, 0x80, 2, 0),
		ROW("invd", I_INVD, 0, 2, RUNS),
		ROW("pause", I_PAUSE, 0, 2, RUNS),
		ROW("hlt", I_HLT, 0, 1, 0),
		ROW("invlpg (%%rax)", I_INVLPG, 0x123456789a, 3, RUNS, 0x123456789a),
		ROW("invlpg 16(%%rax)", I_INVLPG, 0x5010, 4, RUNS, 0x5000),
		ROW("invlpga %%rax, %%ecx", I_INVLPGA, 0, 3, RUNS, p, 1),
		ROW("vmrun %%rax", I_VMRUN, 0, 3, 0, p),
		ROW("vmmcall", I_VMMCALL, 0, 3, 0),
		ROW("vmload %%rax", I_VMLOAD, 0, 3, 0, p),
		ROW("vmsave %%rax", I_VMSAVE, 0, 3, RUNS, p),
		ROW("stgi", I_STGI, 0, 3, RUNS),
		ROW("clgi", I_CLGI, 0, 3, RUNS),
		ROW("int1", I_ICEBP, 0, 1, 0),
		ROW("wbinvd", I_WBINVD, 0, 2, RUNS),
	};
	memset(page, 0, sizeof page);
	*(u16 *)(page + 64) = 0xffff;
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
		instruction(&rows[i]);
}

/* Those that the processor may not have. */
static void reported(void)
{
	u64 p = addr(page);
	struct cpuid c1 = cpuid(1, 0), x1 = cpuid(0x80000001, 0), x8 = cpuid(0x80000008, 0);
	const struct {
		bool has;
		struct row row;
	} rows[] = {
		{x1.d >> 27 & 1, ROW("rdtscp", I_RDTSCP, 0, 3, RUNS)},
		{x1.c >> 12 & 1, ROW("skinit", I_SKINIT, 0, 3, 0, 0x10000)},
		{c1.c >> 3 & 1, ROW("monitor", I_MONITOR, 0, 3, RUNS, p)},
		{c1.c >> 3 & 1, ROW("mwait", I_MWAIT, 0, 3, 0)},
		{c1.c >> 26 & 1, ROW("xsetbv", I_XSETBV, 0, 3, RUNS, 1)},
		{x8.b >> 4 & 1, ROW("rdpru", I_RDPRU, 0, 3, RUNS)},
		{x8.b >> 9 & 1, ROW("wbnoinvd", I_WBINVD, 0, 3, RUNS)},
		{cpuid(7, 0).b >> 10 & 1, ROW("invpcid (%%rax), %%rdx", I_INVPCID, p, 5, RUNS, p, 0, 2)},
		{true, ROW("rdpmc", I_RDPMC, 0, 2, 0)},
	};

	memset(page, 0, sizeof page);
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].has)
			instruction(&rows[i].row);
		else
			skip(name_of(&rows[i].row), "not reported");
}

/* MOV CRn and MOV DRn: EXITINFO1 names the general register, bit 63 says that it does. APM2 15.8.1 */
static void control(void)
{
	u64 mov = 1ull << 63;
	const struct row rows[] = {
		ROW("mov %%cr0, %%rax", I_CR_READ + 0, mov | 0, 3, RUNS),
		ROW("mov %%cr2, %%rbx", I_CR_READ + 2, mov | 3, 3, RUNS),
		ROW("mov %%cr3, %%rdi", I_CR_READ + 3, mov | 7, 3, RUNS),
		ROW("mov %%cr4, %%r15", I_CR_READ + 4, mov | 15, 4, RUNS),
		ROW("mov %%cr8, %%r9", I_CR_READ + 8, mov | 9, 4, RUNS),
		ROW("smsw %%eax", I_CR_READ + 0, 0, 3, RUNS),
		ROW("mov %%rax, %%cr0", I_CR_WRITE + 0, mov | 0, 3, RUNS, 0x80010031),
		ROW("mov %%rcx, %%cr2", I_CR_WRITE + 2, mov | 1, 3, RUNS),
		ROW("mov %%rdx, %%cr3", I_CR_WRITE + 3, mov | 2, 3, RUNS, 0, 0, addr(boot_pml4)),
		ROW("mov %%rax, %%cr4", I_CR_WRITE + 4, mov | 0, 3, RUNS, 0xa0),
		ROW("mov %%r8, %%cr8", I_CR_WRITE + 8, mov | 8, 4, RUNS),
		ROW("clts", I_CR_WRITE + 0, 0, 2, RUNS),
		ROW("lmsw %%ax", I_CR_WRITE + 0, 0, 3, RUNS, 0x31),
		ROW("mov %%dr0, %%rax", I_DR_READ + 0, 0, 3, RUNS),
		ROW("mov %%dr1, %%rcx", I_DR_READ + 1, 1, 3, RUNS),
		ROW("mov %%dr2, %%rdx", I_DR_READ + 2, 2, 3, RUNS),
		ROW("mov %%dr3, %%rbx", I_DR_READ + 3, 3, 3, RUNS),
		ROW("mov %%dr4, %%rbp", I_DR_READ + 4, 5, 3, RUNS),
		ROW("mov %%dr5, %%r10", I_DR_READ + 5, 10, 4, RUNS),
		ROW("mov %%dr6, %%r14", I_DR_READ + 6, 14, 4, RUNS),
		ROW("mov %%dr7, %%rsi", I_DR_READ + 7, 6, 3, RUNS),
		ROW("mov %%rax, %%dr0", I_DR_WRITE + 0, 0, 3, RUNS),
		ROW("mov %%rcx, %%dr1", I_DR_WRITE + 1, 1, 3, RUNS),
		ROW("mov %%rdx, %%dr2", I_DR_WRITE + 2, 2, 3, RUNS),
		ROW("mov %%rbx, %%dr3", I_DR_WRITE + 3, 3, 3, RUNS),
		ROW("mov %%rbp, %%dr4", I_DR_WRITE + 4, 5, 3, RUNS),
		ROW("mov %%r10, %%dr5", I_DR_WRITE + 5, 10, 4, RUNS),
		ROW("mov %%r14, %%dr6", I_DR_WRITE + 6, 14, 4, RUNS),
		ROW("mov %%rsi, %%dr7", I_DR_WRITE + 7, 6, 3, RUNS),
	};
	/* No such register: #UD, intercepted or not. APM2 15.9: exceptions of the encoding come first */
	const u8 *none[] = {CODE(".byte 0x0f, 0x20, 0xc8"), CODE(".byte 0x0f, 0x22, 0xe8"), CODE(".byte 0x44, 0x0f, 0x20, 0xf8"),
		CODE(".byte 0x44, 0x0f, 0x22, 0xc8"), CODE(".byte 0x44, 0x0f, 0x21, 0xc0"), CODE(".byte 0x44, 0x0f, 0x23, 0xf8")};

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
		instruction(&rows[i]);
	for (unsigned i = 0; i < 6; i++) {
		vm_new(none[i]);
		*(u64 *)vm = ~0ull; /* all of CR and DR */
		vm_run();
		exit_at(EXIT_UD, 0, 0, none[i], 0, -1, text("no such register %u", i));
	}
}

/* CR0_SEL_WRITE: MOV that changes other bits than TS and MP, LMSW always, CLTS never; CR0_WRITE goes first. APM2 15.9 */
static void selective(void)
{
	const u8 *mov = CODE("mov %%rbx, %%cr0"), *lmsw = CODE("lmsw %%bx"), *clts = CODE("clts");
	const struct {
		const char *name;
		const u8 *code;
		u64 value, exit;
	} rows[] = {
		{"the same value", mov, 0x80010031, EXIT_DONE},
		{"TS", mov, 0x80010039, EXIT_DONE},
		{"MP", mov, 0x80010033, EXIT_DONE},
		{"EM", mov, 0x80010035, EXIT_CR0_SEL},
		{"WP", mov, 0x80000031, EXIT_CR0_SEL},
		{"CD", mov, 0xc0010031, EXIT_CR0_SEL},
		{"TS and AM", mov, 0x80050039, EXIT_CR0_SEL},
		{"LMSW of TS", lmsw, 0x39, EXIT_CR0_SEL},
		{"LMSW of the same value", lmsw, 0x31, EXIT_CR0_SEL},
		{"CLTS", clts, 0, EXIT_DONE},
	};

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		for (unsigned both = 0; both < 2; both++) {
			vm_new(rows[i].code);
			vr.rbx = rows[i].value;
			vm_set(I_CR0_SEL, true);
			vm_set(I_CR_WRITE, both);
			vm_run();
			exit_is(both ? 0x10 : rows[i].exit, text("selective CR0 write: %s%s", rows[i].name, both ? ", both intercepts" : ""));
			if (vm->exitcode != EXIT_DONE)
				is(vm->cr0, 0x80010031, text("selective CR0 write: %s: not written", rows[i].name));
		}
	}
}

/* After the write: rIP is the next instruction's, EXITINFO1 the value. APM2 15.9, 15.35.5 */
static void write_traps(void)
{
	const struct row rows[] = {
		ROW("mov %%rax, %%cr0", I_CR_TRAP + 0, 0x80050031, 3, 0, 0x80050031),
		ROW("mov %%rax, %%cr3", I_CR_TRAP + 3, 0, 3, 0, 0),
		ROW("mov %%rax, %%cr4", I_CR_TRAP + 4, 0xa8, 3, 0, 0xa8),
		ROW("mov %%rax, %%cr2", I_CR_TRAP + 2, 0x1234, 3, 0, 0x1234),
		ROW("mov %%rax, %%cr8", I_CR_TRAP + 8, 5, 4, 0, 5),
	};
	const u8 *efer = CODE("wrmsr");
	u64 e = msr_read(MSR_EFER) & ~1ull;

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		u64 v = i == 1 ? addr(boot_pml4) : rows[i].info1;

		set_up(&rows[i]);
		vm->rax = v;
		vm_set(rows[i].icpt, true);
		vm_run();
		exit_at(code_of(rows[i].icpt), v, 0, rows[i].code, rows[i].len, -1, text("trap after %s", name_of(&rows[i])));
	}
	is(vm->v_intr & 15, 5, "CR8 is written before its trap");
	vm_new(efer);
	vm->rax = e;
	vr.rcx = MSR_EFER;
	vm_set(I_EFER_TRAP, true);
	vm_run();
	exit_at(0x8f, e, 0, efer, 2, -1, "trap after EFER is written");
	is(vm->efer, e, "EFER is written before its trap");
}

/* What goes first: checks of CPL before the intercept (mostly), some instructions' intercepts before everything. APM2 15.9 */
static void priority(void)
{
	const struct {
		const char *name;
		const u8 *code;
		unsigned icpt;
		u64 exit;
	} rows[] = {
		{"CPL 3 HLT", CODE("hlt"), I_HLT, EXIT_GP},
		{"CPL 3 CLTS", CODE("clts"), I_CR_WRITE, EXIT_GP},
		{"CPL 3 MOV CR0", CODE("mov %%cr0, %%rax"), I_CR_READ, EXIT_GP},
		{"CPL 3 MOV DR0", CODE("mov %%dr0, %%rax"), I_DR_READ, EXIT_GP},
		{"CPL 3 INVD", CODE("invd"), I_INVD, EXIT_GP},
		{"CPL 3 WBINVD", CODE("wbinvd"), I_WBINVD, EXIT_GP},
		{"CPL 3 INVLPG", CODE("invlpg (%%rax)"), I_INVLPG, EXIT_GP},
		{"CPL 3 LGDT", CODE("lgdt (%%rax)"), I_GDTR_WRITE, EXIT_GP},
		{"CPL 3 LTR", CODE("ltr %%ax"), I_TR_WRITE, EXIT_GP},
		{"CPL 3 RDMSR", CODE("rdmsr"), I_MSR, EXIT_GP},
		{"CPL 3 VMRUN", CODE("vmrun"), I_VMRUN, EXIT_GP},
		{"CPL 3 VMLOAD", CODE("vmload"), I_VMLOAD, EXIT_GP},
		{"CPL 3 STGI", CODE("stgi"), I_STGI, EXIT_GP},
		{"CPL 3 CLGI", CODE("clgi"), I_CLGI, EXIT_GP},
		{"CPL 3 INVLPGA", CODE("invlpga"), I_INVLPGA, EXIT_GP},
		{"CPL 3 RDTSC with TSD", CODE("rdtsc"), I_RDTSC, EXIT_GP},
		{"CPL 3 VMMCALL", CODE("vmmcall"), I_VMMCALL, EXIT_VMMCALL},
		{"CPL 3 CPUID", CODE("cpuid"), I_CPUID, EXIT_CPUID},
		{"CPL 3 INTn, gate DPL 0", CODE("int $0x30"), I_INTN, EXIT_SWINT},
		{"CPL 3 IRET", CODE("iretq"), I_IRET, EXIT_IRET},
		{"CPL 3 PAUSE", CODE("pause"), I_PAUSE, EXIT_PAUSE},
		{"CPL 3 PUSHF", CODE("pushfq"), I_PUSHF, 0x70},
		{"CPL 3 SIDT", CODE("sidt (%%rsp)"), I_IDTR_READ, 0x66},
		{"CPL 3 INT1", CODE("int1"), I_ICEBP, 0x88},
	};
	const u8 *rsm = CODE("rsm"), *load = CODE("vmload %%rax"), *un = CODE("vmmcall");

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		vm_new(rows[i].code);
		vm->rip += USER_BASE;
		vm->cpl = 3;
		vm->cs = (struct vmcb_seg){UCODE, 0xafb, ~0u, 0};
		vm->ss = (struct vmcb_seg){UDATA, 0xcf3, ~0u, 0};
		vm->rsp = user(run_stack + 8192);
		vm->cr4 |= CR4_TSD;
		vm_set(rows[i].icpt, true);
		vm_run();
		exit_is(rows[i].exit, rows[i].name);
		is(vm->rip, user(rows[i].code), text("%s: rip", rows[i].name));
		is(vm->cpl, 3, text("%s: CPL", rows[i].name));
	}
	vm_new(rsm);
	vm_set(I_RSM, true);
	vm_run();
	exit_at(0x73, 0, 0, rsm, 0, 2, "RSM outside of SMM exits before #UD");
	vm_start(rsm);
	exit_is(EXIT_UD, "RSM without its intercept");
	vm_new(load);
	vm->rax = 0x1001;
	vm_set(I_VMLOAD, true);
	vm_run();
	exit_is(EXIT_GP, "VMLOAD of an unaligned address: #GP first");
	vm_new(un);
	vm_set(I_VMMCALL, false);
	vm_run();
	exit_is(EXIT_UD, "VMMCALL without its intercept");
}

/* The filter counts PAUSEs down, at zero it exits; with a threshold a late PAUSE starts anew. APM2 15.14.4 */
static void pause_filter(void)
{
	const u8 *burst = CODE("1: inc %%ebx\n pause\n jmp 1b");
	const u8 *slow = CODE("mov $20, %%ebx\n 1: mov $20000, %%ecx\n 2: loop 2b\n pause\n dec %%ebx\n jnz 1b");

	if (!(svm_features & F_PAUSE)) {
		skip("PAUSE filter", "not reported");
		return;
	}
	vm_new(burst);
	vm_set(I_PAUSE, true);
	vm->pause_count = 10;
	vm_run();
	exit_is(EXIT_PAUSE, "PAUSE filter");
	ok(vr.rbx >= 10 && vr.rbx <= 11, "PAUSE filter: count", "%llx", vr.rbx);
	if (!(svm_features & F_THRESHOLD)) {
		skip("PAUSE threshold", "not reported");
		return;
	}
	for (unsigned with = 0; with < 2; with++) {
		vm_new(slow);
		vm_set(I_PAUSE, true);
		vm->pause_count = 10;
		vm->pause_threshold = with ? 5000 : 0;
		vm_run();
		exit_is(with ? EXIT_DONE : EXIT_PAUSE, with ? "PAUSE threshold: seldom PAUSEs do not count" : "no PAUSE threshold");
	}
}

/* MWAIT_CONDITIONAL: only with the monitor armed. APM2 15.9 */
static void mwait_armed(void)
{
	const u8 *armed = CODE("monitor\n mwait"), *not = CODE("mwait");

	if (!(cpuid(1, 0).c >> 3 & 1)) {
		skip("MWAIT armed", "not reported");
		return;
	}
	vm_new(armed);
	vm->rax = addr(page);
	vm_set(I_MWAIT_ARMED, true);
	vm_run();
	exit_at(0x8c, 0, 0, armed, 3, 6, "MWAIT armed");
	vm_new(not);
	vm_set(I_MWAIT_ARMED, true);
	vm_run();
	exit_is(EXIT_DONE, "MWAIT not armed");
}

void guest_main(void)
{
	svm_on();
	plain();
	reported();
	control();
	selective();
	write_traps();
	priority();
	pause_filter();
	mwait_armed();
}
