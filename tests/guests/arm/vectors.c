/* Exceptions: vectors, link registers, saved status, masks, high vectors. DDI0100 A2.6 */
#include "arm.h"

static u32 psr(void)
{
	u32 v;

	__asm__ volatile("mrs %0, cpsr" : "=r"(v));
	return v;
}

static void undefined(void)
{
	u32 at;

	seen.count = 0;
	__asm__ volatile("adr %0, 1f\n1:\t.word 0xe7f000f0" : "=r"(at) : : "memory");
	check("undefined: vector", seen.vector, 1);
	check("undefined: lr", seen.lr, at + 4);
	check("undefined: spsr", seen.spsr & 0xff, psr() & 0xff);
	check("undefined: mode and masks", seen.cpsr & 0xbf, 0x9b);
	check("undefined: count", seen.count, 1);
}

static void svc(void)
{
	u32 at;

	seen.count = 0;
	__asm__ volatile("push {lr}\n\tadr %0, 1f\n1:\tsvc 1\n\tpop {lr}" : "=r"(at) : : "memory");
	check("svc: vector", seen.vector, 2);
	check("svc: lr", seen.lr, at + 4);
	check("svc: mode and masks", seen.cpsr & 0xbf, 0x93);
}

static void prefetch(void)
{
	seen.count = 0;
	__asm__ volatile("ldr r0, =1f\n\tldr r1, =resume\n\tstr r0, [r1]\n\tbkpt 5\n1:" : : : "r0", "r1", "memory");
	check("bkpt: vector", seen.vector, 3);
	check("bkpt: lr", seen.lr - (u32)prefetch < 200, 1);
	check("bkpt: mode", seen.cpsr & 0xbf, 0x97);
}

static u32 user_psr(u32 arg)
{
	(void)arg;
	return psr();
}

/* In User mode MSR changes the flags only. DDI0100 A4.1.39 */
static u32 user_msr(u32 arg)
{
	__asm__ volatile("msr cpsr_fsxc, %0" : : "r"(arg) : "cc");
	return psr();
}

static u32 user_undefined(u32 arg)
{
	__asm__ volatile("mrc p15, 0, %0, c1, c0, 0" : "+r"(arg));
	return arg;
}

static void user(void)
{
	check("user: mode", as_user(user_psr, 0) & 0xff, 0xd0);
	check("user: msr", as_user(user_msr, 0xf000001f) & 0xf00000ff, 0xf00000d0);
	seen.count = 0;
	as_user(user_undefined, 7);
	check("user: mrc p15 is undefined", seen.vector, 1);
	check("user: from User mode", seen.spsr & 0x1f, 0x10);
}

static void banks(void)
{
	u32 sp, lr, r8;

	__asm__ volatile("mrs r2, cpsr\n\t"
			 "msr cpsr_c, #0xd1\n\t" /* FIQ */
			 "mov r8, #0x55\n\tmov lr, #0x77\n\t"
			 "msr cpsr_c, #0xdf\n\t" /* System */
			 "mov r8, #0x11\n\tmov r3, sp\n\t"
			 "msr cpsr_c, #0xd1\n\t"
			 "mov %2, r8\n\tmov %1, lr\n\t"
			 "sub sp, sp, #12\n\tstmia sp, {r8, sp, lr}^\n\tnop\n\t" /* User's */
			 "ldr r3, [sp, #0]\n\tadd sp, sp, #12\n\t"
			 "msr cpsr_c, r2\n\tmov %0, r3"
			 : "=r"(sp), "=r"(lr), "=r"(r8)
			 :
			 : "r2", "r3", "r8", "memory");
	check("banks: r8_fiq", r8, 0x55);
	check("banks: r14_fiq", lr, 0x77);
	check("banks: STM of User's r8", sp, 0x11);
}

static u32 table[4096] __attribute__((aligned(16384)));

/* With V set the vectors are at FFFF0000h: a page there shows ours. */
static void high_vectors(void)
{
	static u32 coarse[256] __attribute__((aligned(1024)));

	for (u32 i = 0; i < 4096; i++)
		table[i] = i << 20 | 0xc12;
	table[0xfff] = (u32)coarse | 0x11;
	coarse[0xf0] = 0xff2; /* FFFF0000h -> 0 */
	cp15_set_ttbr((u32)table);
	cp15_set_dacr(0xffffffff);
	cp15_flush_tlb(0);
	cp15_set_control(cp15_control() | 1 << 13 | 1);
	put(0x0c, 0xeafffffe); /* the low one would hang */
	svc();
	cp15_set_control(cp15_control() & ~(1u << 13 | 1));
}

void test(void)
{
	check("id", cp15_id() & 0xfffffff0, 0x41069260);
	undefined();
	svc();
	prefetch();
	user();
	banks();
	high_vectors();
}
