/*
 * Between the modes: long mode to 32-bit protected mode and real mode and back, with the rules of EFER.LME, CR0.PG, CR4.PAE;
 * 16- and 32-bit code at CPL 0 under long mode. APM2 1.3, 14.6 to 14.8.
 */
#include "guest64.h"

/* Leaves long mode for 32-bit code `body` at CPL 0 without paging, and comes back. Interrupts are off, no fault is allowed. */
#define OUTSIDE(body) \
	CODE("lea 1f(%%rip), %%rax\n push $0x40\n push %%rax\n lretq\n" /* KCODE32 */ \
	     ".code32\n1: mov %%cr0, %%eax\n btr $31, %%eax\n mov %%eax, %%cr0\n" \
	     "mov $0xc0000080, %%ecx\n rdmsr\n mov %%eax, %%edi\n" body \
	     "mov $boot_pml4, %%eax\n mov %%eax, %%cr3\n mov %%cr4, %%eax\n or $0x20, %%eax\n mov %%eax, %%cr4\n" \
	     "mov $0xc0000080, %%ecx\n mov $0x901, %%eax\n xor %%edx, %%edx\n wrmsr\n" \
	     "mov %%cr0, %%eax\n bts $31, %%eax\n mov %%eax, %%cr0\n" \
	     "pushl $8\n pushl $2f\n lret\n.code64\n2: mov $0x1234567890, %%r15\n rdmsr\n")

void guest_main(void)
{
	struct regs in, r;
	const u8 *c;

	is(msr_read(MSR_EFER) & 0x500, 0x500, "EFER.LME and LMA");
	/* APM2 14.6.1: leaving: LMA goes to 0 with PG, LME stays. */
	c = OUTSIDE("");
	r = run_kernel(c);
	trap_is(&r, DONE, 0, "out of long mode and in again");
	is(r.di & 0x500, 0x100, "LMA is clear without paging, LME stays");
	is(r.ax & 0x500, 0x500, "LMA is set again by CR0.PG");
	is(r.r15, 0x1234567890, "64-bit code after it");
	/* Upper halves of registers: undefined after mode switches by the manual; the low halves stay. APM1 3.1.2 */
	in = kernel_regs(c);
	in.bx = 0x33334444;
	r = run(in);
	is((u32)r.bx, 0x33334444, "EBX goes through");
	/* Legacy 32-bit mode: 40h is INC, a legacy TSS-free life, PAE paging there with the same tables' lower levels. */
	c = OUTSIDE("btr $8, %%eax\n wrmsr\n rdmsr\n mov %%eax, %%esi\n mov $5, %%ebx\n .byte 0x43\n");
	r = run_kernel(c);
	is(r.si & 0x500, 0, "LME cleared outside");
	is((u32)r.bx, 6, "43h is INC EBX in 32-bit mode");
	/* Legacy PAE paging and back: the PDPT of long mode serves, its entries without reserved bits. */
	static u64 pdpt[4] __attribute__((aligned(32)));
	u64 *table = (u64 *)(uword)(boot_pml4[0] & ~0xfffull);
	for (unsigned i = 0; i < 4; i++)
		pdpt[i] = (table[i] & ~0xfffull) | 1;
	c = OUTSIDE("btr $8, %%eax\n wrmsr\n mov %%ebx, %%cr3\n mov %%cr0, %%eax\n bts $31, %%eax\n mov %%eax, %%cr0\n"
		    "mov 0x100000, %%esi\n mov %%cr0, %%eax\n btr $31, %%eax\n mov %%eax, %%cr0\n");
	in = kernel_regs(c);
	in.bx = addr(pdpt);
	r = run(in);
	trap_is(&r, DONE, 0, "legacy PAE paging between two long modes");
	is(r.si, 0x1badb002, "reads through it");
	/* To real mode and back, all in low memory: copied to 8000h. */
	extern const u8 real_trip[], real_trip_end[];
	memcpy((void *)0x8000, real_trip, (uword)(real_trip_end - real_trip));
	c = OUTSIDE("mov $0x8000, %%eax\n call *%%eax\n");
	r = run_kernel(c);
	trap_is(&r, DONE, 0, "long, protected, real, protected, long");
	is(r.si & 0xffff, 0x900, "real mode's segment");
	is(r.bp, 0x4242, "what real mode read");

	/* The rules on the way. */
	const u8 *cr0 = CODE("mov %%rbx, %%cr0"), *cr4 = CODE("mov %%rbx, %%cr4"), *wrmsr = CODE("wrmsr");
	in = kernel_regs(cr0);
	if (on_qemu()) {
		skip("leaving by CR0", "QEMU hangs");
	} else {
		in.bx = cr0_read() & ~CR0_PG & 0xffffffff;
		r = run(in);
		trap_at(&r, GP, 0, cr0, 0, "CR0.PG cannot be cleared in 64-bit mode");
		in.bx = cr0_read() & ~1ull;
		r = run(in);
		trap_at(&r, GP, 0, cr0, 0, "CR0.PE cannot be cleared under paging");
	}
	in = kernel_regs(cr4);
	in.bx = cr4_read() & ~(uword)CR4_PAE;
	r = run(in);
	trap_at(&r, GP, 0, cr4, 0, "CR4.PAE cannot be cleared in long mode");
	in = kernel_regs(wrmsr);
	in.cx = MSR_EFER;
	in.ax = msr_read(MSR_EFER) & ~0x100ull;
	r = run(in);
	trap_at(&r, GP, 0, wrmsr, 0, "EFER.LME cannot be cleared under paging");
	/* Compatibility mode at CPL 0. */
	in = kernel_regs(CODE32("mov %%cr0, %%eax\n push %%eax\n pop %%ecx\n .byte 0x40"));
	in.cs = KCODE32;
	r = run(in);
	trap_is(&r, DONE, 0, "32-bit code at CPL 0 under long mode");
	is(r.ax, (u32)cr0_read() + 1, "MOV from CR0 there, and INC");
	in = kernel_regs(CODE32("lgdt (%%ebx)"));
	static struct __attribute__((packed)) {
		u16 limit;
		u64 base;
	} p;
	p.limit = sizeof gdt - 1;
	p.base = addr(gdt);
	in.cs = KCODE32;
	in.bx = addr(&p);
	r = run(in);
	trap_is(&r, DONE, 0, "LGDT in compatibility mode takes 32 bits of base");
	load_gdt();
	/* Interrupts from compatibility mode go to 64-bit code with a 64-bit frame. */
	in = compat_regs(CODE32("int3"));
	r = run(in);
	trap_is(&r, DONE, 0, "INT3 from compatibility mode");
	is(r.cs, UCODE32, "its CS in the frame");
}

/* 32-bit code at 8000h, called from OUTSIDE: to real mode and back. */
__asm__(".globl real_trip, real_trip_end\n"
	".code32\n"
	"real_trip: mov %esp, 0x7f00\n sidt 0x7f10\n"
	"ljmp $0x48, $0x8000 + 1f - real_trip\n" /* KCODE16 */
	".code16\n"
	"1: mov $0x50, %ax\n mov %ax, %ds\n mov %ax, %es\n mov %ax, %ss\n"
	"mov %cr0, %eax\n and $0xfe, %al\n mov %eax, %cr0\n"
	"ljmp $0, $0x8000 + 2f - real_trip\n"
	"2: mov $0x900, %si\n mov %si, %ds\n movl $0x4242, %ds:0x10\n xor %bp, %bp\n mov %bp, %es\n mov %es:0x9010, %ebp\n"
	"mov %cr0, %eax\n or $1, %al\n mov %eax, %cr0\n"
	"ljmpl $0x40, $0x8000 + 3f - real_trip\n"
	".code32\n"
	"3: mov $0x10, %eax\n mov %eax, %ds\n mov %eax, %es\n mov %eax, %ss\n mov 0x7f00, %esp\n ret\n"
	"real_trip_end:\n.code64\n");
