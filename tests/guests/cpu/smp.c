/* A second CPU by INIT and SIPI; IPIs of all kinds between the two; MONITOR and MWAIT; locked operations; TLB of one's own. APM2 16, 7.4. */
#include "guest64.h"

enum { TRAMPOLINE = 0x8000 };
extern const u8 ap_trampoline[], ap_trampoline_end[];
extern u8 ap_stack_top[];
void ap_main(void);

static volatile u32 ap_alive, ap_order, ap_done, ap_ticks, ap_nmis, stop;
static volatile u64 line[8] __attribute__((aligned(64))), counter, shared;
static volatile u64 *ap_va;
static volatile u32 bsp_ticks;

enum order { NOTHING, ADD, WAIT_LINE, WAIT_INT, HALT, PEEK, IPI_BSP, MWAIT_MASKED };

static void wait_for(volatile u32 *what, u32 value, const char *name)
{
	for (u64 end = tsc_read() + 500000000ull; *what != value && tsc_read() < end;)
		__asm__ volatile("pause");
	is(*what, value, name);
}

static void delay(void)
{
	for (u64 end = tsc_read() + 2000000; tsc_read() < end;)
		__asm__ volatile("pause");
}

/* ... and gives the second CPU time to be where it waits. */
static void order(enum order o)
{
	ap_done = 0;
	ap_order = o;
	for (u64 end = tsc_read() + 500000000; ap_order != NOTHING && tsc_read() < end;)
		__asm__ volatile("pause");
	delay();
}

static void icr(u32 dest, u32 v)
{
	lapic_write(LAPIC_ICR2, dest << 24);
	lapic_write(LAPIC_ICR, v);
	while (lapic_read(LAPIC_ICR) & 0x1000)
		;
}

static void on_ipi(struct regs *r)
{
	(void)r;
	if (lapic_read(LAPIC_ID) >> 24)
		ap_ticks++;
	else
		bsp_ticks++;
	lapic_write(LAPIC_EOI, 0);
}

static void on_nmi(struct regs *r)
{
	(void)r;
	ap_nmis++;
}

static void mwait(volatile void *p, u32 ext)
{
	__asm__ volatile("monitor" : : "a"(p), "c"(0), "d"(0));
	if (line[0] == 0)
		__asm__ volatile("mwait" : : "a"(0), "c"(ext) : "memory");
}

/* The second CPU: in long mode, on the IST of its own TSS. */
static u32 ap_tss[26] __attribute__((aligned(16)));
static u8 ap_trap_stack[8192] __attribute__((aligned(16)));

void ap_main(void)
{
	u64 top = addr(ap_trap_stack + sizeof ap_trap_stack);
	struct __attribute__((packed)) {
		u16 limit;
		u64 base;
	} ptr = {sizeof idt - 1, addr(idt)};

	load_gdt();
	__asm__ volatile("lidt %0" : : "m"(ptr));
	ap_tss[1] = ap_tss[9] = (u32)top;
	ap_tss[25] = sizeof ap_tss << 16;
	gdt[FREE / 8] = segment((u32)addr(ap_tss), sizeof ap_tss - 1, 0x89, 0);
	gdt[FREE / 8 + 1] = 0;
	__asm__ volatile("ltr %w0" : : "r"(FREE));
	lapic_write(LAPIC_SVR, 0x1ff);
	ap_alive++;
	while (!stop) {
		u32 o = ap_order;

		if (o == NOTHING) {
			__asm__ volatile("pause");
			continue;
		}
		ap_order = NOTHING;
		switch (o) {
		case ADD:
			for (unsigned i = 0; i < 20000; i++)
				__asm__ volatile("lock incq %0" : "+m"(counter));
			break;
		case WAIT_LINE: mwait(line, 0); break;
		case WAIT_INT: __asm__ volatile("sti"); mwait(line, 0); __asm__ volatile("cli"); break;
		case MWAIT_MASKED: mwait(line, 1); break; /* ECX bit 0: a masked interrupt wakes too */
		case HALT: __asm__ volatile("sti\n hlt\n cli"); break;
		case PEEK: shared = *ap_va; break;
		case IPI_BSP: icr(0, 0x4052); break;
		}
		ap_done = 1;
	}
	ap_alive++;
	for (;;)
		__asm__ volatile("cli\n hlt");
}

static void start(void)
{
	memcpy((void *)TRAMPOLINE, ap_trampoline, (uword)(ap_trampoline_end - ap_trampoline));
	lapic_enable();
	icr(1, 0x4500); /* INIT */
	delay();
	is(ap_alive, 0, "INIT alone starts nothing");
	icr(1, 0x4600 | TRAMPOLINE >> 12);
	wait_for(&ap_alive, 1, "SIPI starts the second CPU");
	/* A SIPI to a running CPU is ignored. APM2 15.27.8, 16.5 */
	icr(1, 0x4600 | TRAMPOLINE >> 12);
	delay();
	is(ap_alive, 1, "a second SIPI is ignored");
}

static void ipis(void)
{
	struct regs in = kernel_regs(CODE("sti\n mov $100000, %%ecx\n1: pause\n loop 1b\n cli"));

	handler_set(0x50, on_ipi);
	handler_set(0x52, on_ipi);
	handler_set(NMI, on_nmi);
	order(HALT);
	is(ap_done, 0, "HLT waits");
	icr(1, 0x4050);
	wait_for(&ap_done, 1, "a fixed IPI wakes HLT");
	is(ap_ticks, 1, "and is served");
	order(HALT);
	icr(0, 0xc4050); /* all but self */
	wait_for(&ap_done, 1, "IPI to all but self");
	order(HALT);
	bsp_ticks = 0;
	icr(0, 0x84050); /* all with self */
	wait_for(&ap_done, 1, "IPI to all");
	run(in);
	is(bsp_ticks, 1, "self too");
	/* Logical destinations, flat: APM2 16.6.2 */
	lapic_write(LAPIC_DFR, 0xffffffff);
	lapic_write(LAPIC_LDR, 1 << 24);
	order(HALT);
	icr(1, 0x4400);
	wait_for(&ap_nmis, 1, "NMI IPI");
	wait_for(&ap_done, 1, "NMI wakes HLT");
	order(IPI_BSP);
	bsp_ticks = 0;
	run(in);
	wait_for(&ap_done, 1, "the second CPU sends");
	is(bsp_ticks, 1, "the first one gets it");
	/* Lowest priority to one candidate. */
	order(HALT);
	icr(1, 0x4150);
	wait_for(&ap_done, 1, "lowest-priority IPI");
}

static void memory(void)
{
	counter = 0;
	order(ADD);
	for (unsigned i = 0; i < 20000; i++)
		__asm__ volatile("lock incq %0" : "+m"(counter));
	wait_for(&ap_done, 1, "both count");
	is(counter, 40000, "locked increments are atomic");
	/* Each CPU has a TLB of its own: INVLPG here does not reach there. APM2 5.5 / 7.3 */
	u64 va = 0x7a00000000, *e = pte(boot_pml4, va, 12), *a = page_alloc(), *b = page_alloc();
	a[0] = 1, b[0] = 2;
	*(volatile u64 *)e = addr(a) | PTE_ALL;
	ap_va = (u64 *)va;
	order(PEEK);
	wait_for(&ap_done, 1, "the second CPU reads");
	is(shared, 1, "the first page");
	*(volatile u64 *)e = addr(b) | PTE_ALL;
	invlpg((void *)va);
	is(*(volatile u64 *)va, 2, "here it is flushed");
	order(PEEK);
	wait_for(&ap_done, 1, "the second CPU reads again");
	is(shared, 1, "there it is stale");
}

static void monitor(void)
{
	if (!(cpuid(1, 0).c >> 3 & 1)) {
		skip("MONITOR", "not reported");
		return;
	}
	line[0] = 0;
	order(WAIT_LINE);
	if (!on_qemu()) /* where MWAIT is a NOP */
		is(ap_done, 0, "MWAIT waits");
	line[0] = 1;
	wait_for(&ap_done, 1, "a store from another CPU wakes MWAIT");
	line[0] = 0;
	order(WAIT_LINE);
	line[7] = 1;
	wait_for(&ap_done, 1, "any store into the line does");
	order(WAIT_INT);
	icr(1, 0x4050);
	wait_for(&ap_done, 1, "an interrupt wakes MWAIT");
	if (cpuid(5, 0).c & 2 && !on_qemu()) { /* QEMU reports it, and raises #GP */
		order(MWAIT_MASKED);
		icr(1, 0x4050);
		wait_for(&ap_done, 1, "with ECX bit 0 a masked interrupt wakes MWAIT");
	}
	/* Without an armed monitor MWAIT goes on at once. */
	struct regs r = run_kernel(CODE("xor %%eax, %%eax\n xor %%ecx, %%ecx\n mwait"));
	trap_is(&r, DONE, 0, "MWAIT without MONITOR");
	r = run_user(CODE("xor %%eax, %%eax\n xor %%ecx, %%ecx\n mwait"));
	trap_is(&r, UD, 0, "MWAIT at CPL 3"); /* APM3 MWAIT: HWCR.MonMwaitUserEn is 0 */
	struct regs in = kernel_regs(CODE("monitor"));
	in.ax = addr(line);
	in.cx = 1;
	r = run(in);
	trap_is(&r, GP, 0, "MONITOR with ECX not 0");
}

void guest_main(void)
{
	ok(cpuid(1, 0).b >> 16 & 0xff, "CPUID counts logical processors", "%x", cpuid(1, 0).b);
	start();
	if (ap_alive != 1)
		return;
	ipis();
	memory();
	monitor();
	stop = 1;
	wait_for(&ap_alive, 2, "the second CPU ends");
	/* INIT of a halted CPU and a new start. */
	stop = 0;
	ap_alive = 0;
	icr(1, 0x4500);
	icr(1, 0x4600 | TRAMPOLINE >> 12);
	wait_for(&ap_alive, 1, "INIT and SIPI start it again");
}

__asm__(".globl ap_trampoline, ap_trampoline_end, ap_stack_top\n"
	".code16\n"
	"ap_trampoline: cli\n xor %ax, %ax\n mov %ax, %ds\n"
	"lgdtl 0x8000 + 8f - ap_trampoline\n"
	"mov %cr0, %eax\n or $1, %al\n mov %eax, %cr0\n"
	"ljmpl $0x40, $0x8000 + 1f - ap_trampoline\n"
	".code32\n"
	"1: mov $0x10, %eax\n mov %eax, %ds\n mov %eax, %es\n mov %eax, %ss\n"
	"mov %cr4, %eax\n or $0xa0, %eax\n mov %eax, %cr4\n"
	"mov $boot_pml4, %eax\n mov %eax, %cr3\n"
	"mov $0xc0000080, %ecx\n rdmsr\n or $0x901, %eax\n wrmsr\n"
	"mov %cr0, %eax\n and $0x9fffffff, %eax\n or $0x80010020, %eax\n mov %eax, %cr0\n"
	"ljmp $8, $2f\n"
	".code64\n"
	"8: .word 511\n .long gdt\n"
	"ap_trampoline_end:\n"
	"2: mov $ap_stack_top, %rsp\n call ap_main\n"
	".bss\n .skip 8192\n ap_stack_top: .skip 16\n .text\n");
