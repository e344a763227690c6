/* Start, exception vectors and small things that C cannot say. DDI0100 A2.6 */
#include "start.inc"

	.syntax unified
	.arm
	.section .text.start
	.globl start
start:
	ldr	sp, =stack_svc
	msr	cpsr_c, #0xd2		@ IRQ
	ldr	sp, =stack_irq
	msr	cpsr_c, #0xd1		@ FIQ
	ldr	sp, =stack_fiq
	msr	cpsr_c, #0xd7		@ Abort
	ldr	sp, =stack_abt
	msr	cpsr_c, #0xdb		@ Undefined
	ldr	sp, =stack_und
	msr	cpsr_c, #0xdf		@ System
	ldr	sp, =stack_usr
	msr	cpsr_c, #0xd3
	begin
	bl	test
	bl	finish
	mov	r0, #0
	b	leave

	.globl vectors
vectors:
	.rept	8
	ldr	pc, [pc, #24]
	.endr
	.word	start, on_und, on_svc, on_pabt, on_dabt, start, on_irq, on_fiq

/* Each stores where it came from in struct seen, and goes on where the test wants (resume), or behind the instruction. */
	.macro	handler name, number
\name:	push	{r0-r3}
	ldr	r0, =seen
	mov	r1, #\number
	str	r1, [r0]
	str	lr, [r0, #4]
	mrs	r1, spsr
	str	r1, [r0, #8]
	mrs	r1, cpsr
	str	r1, [r0, #12]
	ldr	r1, [r0, #16]		@ seen.count
	add	r1, r1, #1
	str	r1, [r0, #16]
	ldr	r1, =resume
	ldr	r2, [r1]
	cmp	r2, #0
	movne	lr, r2
	mov	r2, #0
	str	r2, [r1]
	pop	{r0-r3}
	movs	pc, lr
	.ltorg
	.endm

	.text
on_svc:	push	{r0-r3}
	mrs	r1, spsr
	tst	r1, #0x20		@ Thumb: not ours
	ldreq	r1, [lr, #-4]
	biceq	r1, r1, #0xff000000
	cmpeq	r1, #7
	bne	on_svc_other
	ldr	r0, [sp]
	ldr	r1, =user_sp
	ldr	sp, [r1]
	pop	{r4-r11, pc}
on_svc_other:
	pop	{r0-r3}
	handler	on_svc_any, 2
	handler	on_und, 1
	handler	on_pabt, 3
	handler	on_dabt, 4

/* Interrupts call C. */
	.macro	interrupt name, number
\name:	sub	lr, lr, #4
	push	{r0-r3, ip, lr}
	ldr	r0, =seen
	mov	r1, #\number
	str	r1, [r0]
	str	lr, [r0, #4]
	mrs	r1, spsr
	str	r1, [r0, #8]
	mrs	r1, cpsr
	str	r1, [r0, #12]
	ldr	r1, [r0, #16]
	add	r1, r1, #1
	str	r1, [r0, #16]
	mov	r0, #\number
	bl	on_interrupt
	ldm	sp!, {r0-r3, ip, pc}^
	.ltorg
	.endm

	interrupt on_irq, 6
	interrupt on_fiq, 7

/* The end: semihosting's SYS_EXIT_EXTENDED with the status in r0; where nobody answers, a software reset of the board. */
	.globl leave
leave:	ldr	r1, =exit_block
	str	r0, [r1, #4]
	mov	r0, #0x20
	svc	0x123456
	mov	r0, #0x10000000
	mov	r1, #8
	str	r1, [r0, #12]
3:	b	3b
	.ltorg

/* u32 as_user(u32 (*f)(u32), u32 arg): in User mode, interrupts masked; the way back is SVC 7. */
	.globl as_user
as_user:
	push	{r4-r11, lr}
	ldr	r3, =user_sp
	str	sp, [r3]
	mov	r2, r0
	mov	r0, r1
	adr	r1, user_go
	mov	r3, #0xd0
	msr	spsr_cxsf, r3
	movs	pc, r1
user_go:
	blx	r2
	svc	7
	.ltorg

	.globl irq_enable
irq_enable:
	mrs	r0, cpsr
	bic	r0, r0, #0xc0
	msr	cpsr_c, r0
	bx	lr
	.globl irq_disable
irq_disable:
	mrs	r0, cpsr
	orr	r0, r0, #0xc0
	msr	cpsr_c, r0
	bx	lr

	.data
	.balign	4
	.globl	exit_block
exit_block:
	.word	0x20026, 0
	.bss
	.balign	8
user_sp: .space	4
	.space	4096
stack_svc: .space 1024
stack_irq: .space 1024
stack_fiq: .space 1024
stack_abt: .space 1024
stack_und: .space 1024
stack_usr:
