/*
 * The native runner's way into a case and out of it. The part between stub_begin and stub_end is copied to STUB_BASE; it names memory
 * by absolute addresses only, so that no register is needed. The signal entry stays where it is.
 */
#include "layout.h"

	.macro load_all
	movq	IO_IN + 0x00, %rax
	movq	IO_IN + 0x08, %rcx
	movq	IO_IN + 0x10, %rdx
	movq	IO_IN + 0x18, %rbx
	movq	IO_IN + 0x28, %rbp
	movq	IO_IN + 0x30, %rsi
	movq	IO_IN + 0x38, %rdi
	movq	IO_IN + 0x40, %r8
	movq	IO_IN + 0x48, %r9
	movq	IO_IN + 0x50, %r10
	movq	IO_IN + 0x58, %r11
	movq	IO_IN + 0x60, %r12
	movq	IO_IN + 0x68, %r13
	movq	IO_IN + 0x70, %r14
	movq	IO_IN + 0x78, %r15
	movq	IO_IN + 0x20, %rsp
	.endm

	/* Segment registers, bases and FPU state of the case; clobbers rax, rdx and the stack pointer. */
	.macro enter_common
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, IO_HOST_RSP
	movzwl	IO_IN + OS_ES, %eax
	movl	%eax, %es
	movzwl	IO_IN + OS_DS, %eax
	movl	%eax, %ds
	movzwl	IO_IN + OS_FS, %eax
	movl	%eax, %fs
	movzwl	IO_IN + OS_GS, %eax
	movl	%eax, %gs
	movq	IO_IN + OS_FSBASE, %rax
	wrfsbase %rax
	movq	IO_IN + OS_GSBASE, %rax
	wrgsbase %rax
	movl	$7, %eax
	xorl	%edx, %edx
	xrstor64 IO_IN + OS_FX
	movl	$IO_STACK_TOP, %esp
	.endm

	/* ds es fs gs of the case are written out; ours, and ss, are put back. Clobbers rax and flags. */
	.macro leave_segments
	movl	%ds, %eax
	movw	%ax, IO_OUT + OS_DS
	movl	%es, %eax
	movw	%ax, IO_OUT + OS_ES
	movl	%fs, %eax
	movw	%ax, IO_OUT + OS_FS
	movl	%gs, %eax
	movw	%ax, IO_OUT + OS_GS
	rdfsbase %rax
	movq	%rax, IO_OUT + OS_FSBASE
	rdgsbase %rax
	movq	%rax, IO_OUT + OS_GSBASE
	movl	$SEL_DATA, %eax
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %fs
	movl	%eax, %gs
	movq	IO_HOST_FS, %rax
	wrfsbase %rax
	.endm

	.macro leave_to_c
	movq	IO_HOST_RSP, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret
	.endm

	.text
	.globl	stub_begin, stub_end, stub_enter64, stub_enter_far
stub_begin:
	/* EXIT_ADDR: all instructions of the case are done. */
	movq	%rax, IO_OUT + 0x00
	movq	%rcx, IO_OUT + 0x08
	movq	%rdx, IO_OUT + 0x10
	movq	%rbx, IO_OUT + 0x18
	movq	%rsp, IO_OUT + 0x20
	movq	%rbp, IO_OUT + 0x28
	movq	%rsi, IO_OUT + 0x30
	movq	%rdi, IO_OUT + 0x38
	movq	%r8, IO_OUT + 0x40
	movq	%r9, IO_OUT + 0x48
	movq	%r10, IO_OUT + 0x50
	movq	%r11, IO_OUT + 0x58
	movq	%r12, IO_OUT + 0x60
	movq	%r13, IO_OUT + 0x68
	movq	%r14, IO_OUT + 0x70
	movq	%r15, IO_OUT + 0x78
	movl	$IO_STACK_TOP, %esp
	pushfq
	popq	IO_OUT + OS_FLAGS
	pushq	$2
	popfq
	movl	%ss, %eax
	movw	%ax, IO_OUT + OS_SS
	movl	$7, %eax
	xorl	%edx, %edx
	xsave64	IO_OUT + OS_FX
	leave_segments
	xorl	%eax, %eax
	leave_to_c

stub_enter64:
	enter_common
	movzwl	IO_IN + OS_SS, %eax
	movl	%eax, %ss
	pushq	IO_IN + OS_FLAGS
	popfq
	load_all
	jmp	*IO_TARGET

stub_enter_far:
	enter_common
	movzwl	IO_IN + OS_SS, %eax
	movl	%eax, %ss
	pushq	IO_IN + OS_FLAGS
	popfq
	load_all
	ljmpl	*IO_TARGET
stub_end:

	/* Every signal: whatever the case did to segments and flags, C code needs its own. */
	.globl	signal_entry, signal_leave, signal_in_c
signal_entry:
	leave_segments
	pushq	$2
	popfq
	jmp	signal_in_c

	/* Out of the handler and the case, back to whoever called stub_enter. */
signal_leave:
	movl	$1, %eax
	leave_to_c

	.section .note.GNU-stack, "", @progbits
