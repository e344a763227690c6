/*
 * SYSCALL from ring 3 and SYSRET back, with what a kernel does in between: SWAPGS, its own stack, a call through a table.
 * Op: one round trip.
 */
#include "rt/rt64.h"

enum { SYS_MIX, SYS_LEAVE };

struct percpu {
	u64 kernel_rsp, user_rsp; /* read by the assembly below through GS */
};

static struct percpu percpu;
static u8 user_stack[16384] __attribute__((aligned(16)));
static u64 sum;

u64 user_enter(u64 n, void (*main)(u64), void *stack, struct percpu *pc);
void syscall_entry(void);
u64 sys_mix(u64 v);

__asm__(
	".text\n"
	/* Calls main(n) in ring 3; SYS_LEAVE comes back from here. */
	"user_enter:\n"
	"	push	%rbx\n"
	"	push	%rbp\n"
	"	push	%r12\n"
	"	push	%r13\n"
	"	push	%r14\n"
	"	push	%r15\n"
	"	mov	%rsp, (%rcx)\n"
	"	mov	%rsi, %rcx\n"
	"	mov	$2, %r11d\n"
	"	lea	-8(%rdx), %rsp\n"
	"	sysretq\n"
	"syscall_entry:\n"
	"	swapgs\n"
	"	mov	%rsp, %gs:8\n"
	"	mov	%gs:0, %rsp\n"
	"	cmp	$1, %eax\n"
	"	ja	1f\n"
	"	push	%rcx\n"
	"	push	%r11\n"
	"	call	*syscall_table(,%rax,8)\n"
	"	pop	%r11\n"
	"	pop	%rcx\n"
	"1:	mov	%gs:8, %rsp\n"
	"	swapgs\n"
	"	sysretq\n"
	"sys_leave:\n"
	"	mov	%gs:0, %rsp\n"
	"	swapgs\n"
	"	pop	%r15\n"
	"	pop	%r14\n"
	"	pop	%r13\n"
	"	pop	%r12\n"
	"	pop	%rbp\n"
	"	pop	%rbx\n"
	"	ret\n"
	".section .rodata\n"
	".balign 8\n"
	"syscall_table: .quad sys_mix, sys_leave\n"
	".text\n");

u64 sys_mix(u64 v)
{
	return sum = sum_mix(sum, v);
}

static u64 syscall(u64 nr, u64 arg)
{
	u64 ret;

	__asm__ volatile("syscall" : "=a"(ret), "+D"(arg) : "a"(nr)
		: "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory");
	return ret;
}

static void user_main(u64 n)
{
	for (u64 v = 1; n--;)
		v = syscall(SYS_MIX, 3 * v + n);
	syscall(SYS_LEAVE, 0);
}

static struct result run(u64 n)
{
	msr_write(MSR_STAR, (u64)(SEL_SYSRET | 3) << 48 | (u64)SEL_KCODE << 32);
	msr_write(MSR_LSTAR, (u64)syscall_entry);
	msr_write(MSR_SFMASK, 0x47700); /* AC NT IOPL DF IF TF */
	msr_write(MSR_KERNEL_GS_BASE, (u64)&percpu);
	user_enter(n, user_main, user_stack + sizeof user_stack, &percpu);
	return (struct result){ n, sum };
}

const struct bench bench = { "syscall", 10000000, run };
