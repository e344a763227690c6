/* mixed.c: the intercepts that any VMM needs: port I/O, MSRs, CPUID, SVM's own instructions, VMMCALL, HLT. */
#include "guest.h"

enum {
	VECTOR_UD = 6,
	VECTOR_GP = 13,
	ALARM = 0x40,
	EXIT_CPUID = 0x72,
	EXIT_HLT = 0x78,
	MSR_EFER = (int)0xc0000080,
	MSR_FS_BASE = (int)0xc0000100,
	MSR_PAT = 0x277,
	MSR_NONE = (int)0xc0001fff
};

static struct {
	unsigned ud, gp, alarm;
} seen;

/* Where to go on after #UD and #GP: the culprit writes it down beforehand. */
static uword resume;

static void on_trap(struct trap *t)
{
	seen.ud += t->vector == VECTOR_UD;
	seen.gp += t->vector == VECTOR_GP;
	seen.alarm += t->vector == ALARM;
	if (t->vector < 32)
		t->ip = resume;
}

static void test_ports(void)
{
	u64 rax = 0x1122334455667788;
	say("ports\n");
	out32(PORT_SCRATCH, 0xdeadbeef);
	say("  32 bits: %08x\n", in32(PORT_SCRATCH));
	out16(PORT_SCRATCH, 0x1234);
	out8(PORT_SCRATCH + 3, 0x5a);
	say("  16 and 8 bits: %04x %02x, all of it: %08x\n", in16(PORT_SCRATCH), in8(PORT_SCRATCH + 3),
	    in32(PORT_SCRATCH));
	__asm__ volatile("inb %%dx, %%al" : "+a"(rax) : "d"(PORT_SCRATCH));
	say("  IN AL keeps the rest:  %016llx\n", rax);
	__asm__ volatile("inl %%dx, %%eax" : "+a"(rax) : "d"(PORT_SCRATCH));
	say("  IN EAX clears the top: %016llx\n", rax);
	say("  nobody there: %02x %04x %08x\n", in8(0x2e0), in16(0x2e0), in32(0x2e0));
	out8(PORT_DEBUG_EXIT, 0x55);
	say("  the VMM keeps port f4 for itself\n");
}

/* COM1 is passed through, so that a string instruction needs no emulation. */
static void test_string_output(void)
{
	const char *text = "  written by REP OUTSB\n";
	uword n = strlen(text);
	while (!(in8(COM1_LSR) & LSR_THRE))
		;
	for (; n; n--) { /* one at a time: the FIFO may be as short as a byte */
		uword one = 1;
		while (!(in8(COM1_LSR) & LSR_THRE))
			;
		__asm__ volatile("rep outsb" : "+S"(text), "+c"(one) : "d"(COM1) : "memory");
	}
}

static void test_msrs(void)
{
	u64 fs_base = 0;
	say("MSRs\n");
	say("  EFER %08llx, SVME hidden\n", guest_rdmsr(MSR_EFER));
	say("  PAT  %016llx\n", guest_rdmsr(MSR_PAT));
	guest_wrmsr(MSR_SCRATCH, 0x0102030405060708);
	say("  40000000 %016llx\n", guest_rdmsr(MSR_SCRATCH));
	u64 value = 0xabcdef;
	guest_wrmsr(MSR_FS_BASE, (uword)&value);
	__asm__ volatile("mov %%fs:0, %0" : "=r"(fs_base) : : "memory");
	say("  FS.base, passed through: %s\n",
	    guest_rdmsr(MSR_FS_BASE) == (uword)&value && fs_base == value ? "works" : "lost");
	__asm__ volatile("lea 1f(%%rip), %%rax; mov %%rax, %0; rdmsr; 1:"
			 : "=m"(resume)
			 : "c"(MSR_NONE)
			 : "rax", "rdx", "memory");
	__asm__ volatile("lea 1f(%%rip), %%rbx; mov %%rbx, %0; wrmsr; 1:"
			 : "=m"(resume)
			 : "a"(~0u), "d"(~0u), "c"(MSR_EFER)
			 : "rbx", "memory");
	say("  an MSR that does not exist, EFER with reserved bits: #GP %u times\n", seen.gp);
	expect(seen.gp == 2, "two #GP");
}

static void guest_cpuid(u32 leaf, u32 r[4])
{
	__asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(0));
}

static void test_cpuid(void)
{
	u32 r[4];
	uword before = vmmcall(HC_COUNT, EXIT_CPUID, 0, 0);
	say("CPUID\n");
	guest_cpuid(0x40000000, r);
	say("  40000000 ");
	for (unsigned i = 0; i < 12; i++)
		serial_put((char)(r[1 + i / 4] >> i % 4 * 8));
	guest_cpuid(1, r);
	say(", hypervisor bit %u", r[2] >> 31);
	guest_cpuid(0x80000001, r);
	say(", SVM bit %u\n", r[2] >> 2 & 1);
	say("  %u #VMEXITs\n", (u32)(vmmcall(HC_COUNT, EXIT_CPUID, 0, 0) - before));
}

/* Intercepted, and answered as by a processor without SVM. */
static void test_svm_instructions(void)
{
	say("VMRUN VMLOAD VMSAVE STGI CLGI INVLPGA: ");
	__asm__ volatile("lea 1f(%%rip), %%rbx; mov %%rbx, %0; vmrun; 1:" : "=m"(resume) : "a"(0) : "rbx", "memory");
	__asm__ volatile("lea 1f(%%rip), %%rbx; mov %%rbx, %0; vmload; 1:" : "=m"(resume) : "a"(0) : "rbx", "memory");
	__asm__ volatile("lea 1f(%%rip), %%rbx; mov %%rbx, %0; vmsave; 1:" : "=m"(resume) : "a"(0) : "rbx", "memory");
	__asm__ volatile("lea 1f(%%rip), %%rbx; mov %%rbx, %0; stgi; 1:" : "=m"(resume) : : "rbx", "memory");
	__asm__ volatile("lea 1f(%%rip), %%rbx; mov %%rbx, %0; clgi; 1:" : "=m"(resume) : : "rbx", "memory");
	__asm__ volatile("lea 1f(%%rip), %%rbx; mov %%rbx, %0; invlpga; 1:"
			 : "=m"(resume)
			 : "a"(0), "c"(0)
			 : "rbx", "memory");
	say("#UD %u times\n", seen.ud);
	expect(seen.ud == 6, "six #UD");
}

static void test_hypercalls(void)
{
	say("VMMCALL\n");
	say("  unknown function: %016llx\n", (u64)vmmcall(1000, 0, 0, 0));
	expect(vmmcall(HC_INJECT, EVENT_EXCEPTION | 2, 0, 0) == ~0ul, "an impossible event is refused");
	for (const char *s = "  printed by the VMM\n"; *s; s++)
		vmmcall(HC_PUTC, (uword)*s, 0, 0);
}

/* STI holds the alarm back until HLT has begun to wait for it. */
static void test_halt(void)
{
	uword ticks = vmmcall(HC_TICKS, 0, 0, 0);
	say("HLT\n");
	for (unsigned i = 0; i < 3; i++) {
		vmmcall(HC_ALARM, ALARM, 0, 0);
		__asm__ volatile("sti; hlt; cli" : : : "memory");
	}
	say("  woken %u times, ticks went on: %s\n", seen.alarm,
	    vmmcall(HC_TICKS, 0, 0, 0) >= ticks + 3 ? "yes" : "no");
	expect(seen.alarm == 3, "three alarms");
	expect(vmmcall(HC_COUNT, EXIT_HLT, 0, 0) == 3, "three #VMEXIT HLT");
}

void guest_main(void)
{
	trap_init(on_trap);
	test_ports();
	test_string_output();
	test_msrs();
	test_cpuid();
	test_svm_instructions();
	test_hypercalls();
	test_halt();
	guest_end("mixed");
}
