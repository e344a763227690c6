/* The ARM payloads' entry, vectors and the few loops that are about single instructions. ELF, loaded at 10000h; MMU off. DDI0100 A2.6 */
#include "../../tests/guests/arm/start.inc"

	.syntax unified
	.arm
	.section .text.start
	.globl start
start:
	ldr	sp, =stack_end
	msr	cpsr_c, #0xdb		@ Undefined
	ldr	sp, =stack_und
	msr	cpsr_c, #0xd3
	begin
	bl	rt_main

vectors:
	.rept	8
	ldr	pc, [pc, #24]
	.endr
	.word	start, on_und, on_svc, bad, bad, start, bad, bad

bad:	ldr	r0, =bad_text
	ldr	sp, =stack_end
	bl	rt_fail
bad_text:
	.asciz	"an exception"
	.balign	4

on_und:	movs	pc, lr			@ goes on behind the undefined instruction

on_svc:	ldr	r12, [lr, #-4]		@ a handler looks at the number
	bics	r12, r12, #0xff000000
	addeq	r0, r0, #1
	movseq	pc, lr
	mov	r1, sp			@ SVC 1: the end of User mode; r0 is the result
	pop	{r4-r11, pc}

/* u32 user_svc(u32 n): n SVCs from User mode. */
	.globl user_svc
user_svc:
	push	{r4-r11, lr}
	mov	r4, r0
	mov	r0, #0
	mov	r1, #0xd0
	msr	spsr_cxsf, r1
	adr	r1, 1f
	movs	pc, r1
1:	cmp	r4, #0
	beq	3f
2:	svc	0
	subs	r4, r4, #1
	bne	2b
3:	svc	1

/* u32 mode_round(u32 n): n times through seven modes and an undefined instruction. */
	.globl mode_round
mode_round:
	push	{r4, lr}
	mov	r4, r0
	mov	r0, #0
	cmp	r4, #0
	beq	2f
1:	msr	cpsr_c, #0xd1
	msr	cpsr_c, #0xd2
	msr	cpsr_c, #0xd7
	msr	cpsr_c, #0xdb
	msr	cpsr_c, #0xdf
	msr	cpsr_c, #0xd1
	msr	cpsr_c, #0xd3
	.word	0xe7f000f0		@ undefined
	add	r0, r0, #1
	subs	r4, r4, #1
	bne	1b
2:	pop	{r4, pc}

	.globl semihost
semihost:
	push	{lr}
	svc	0x123456
	pop	{pc}

	.bss
	.balign	8
	.space	16384
stack_end:
	.space	1024
stack_und:
