/* The 256 stubs, which make a struct regs (guest.h), and the way into and out of a run. APM2 8.2, 8.9.3 */
	.text
	.balign 16
	.globl trap_stubs
trap_stubs:
	.set	vec, 0
	.rept	256
	.balign 16
	.if !(vec == 8 || (vec >= 10 && vec <= 14) || vec == 17 || vec == 21 || vec == 29 || vec == 30)
	push	$0
	.endif
	.byte	0x68 /* push imm32 */
	.long	vec
	jmp	trap_common
	.set	vec, vec + 1
	.endr

trap_common:
	push	%rax
	push	%rcx
	push	%rdx
	push	%rbx
	push	%rbp
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%ds, %eax
	push	%rax
	mov	%es, %eax
	push	%rax
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	cld
	mov	%rsp, %rdi
	mov	%rsp, %rbx
	and	$-16, %rsp
	call	trap_dispatch
	mov	%rbx, %rsp

	.globl	frame_leave
frame_leave: /* rsp: a struct regs */
	mov	(%rsp), %es
	mov	8(%rsp), %ds
	add	$16, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rbp
	pop	%rbx
	pop	%rdx
	pop	%rcx
	pop	%rax
	add	$16, %rsp
	.globl	run_iret
run_iret:
	iretq

	.globl	run_enter
run_enter:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	pushfq
	mov	%rsp, run_sp
	mov	%rdi, %rsp
	jmp	frame_leave

	.globl	run_return
run_return:
	mov	$0x10, %eax
	mov	%eax, %ss
	mov	run_sp, %rsp
	popfq
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	.bss
	.balign 8
run_sp:
	.skip 8
	.section .note.GNU-stack, "", @progbits
