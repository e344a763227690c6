/* The 256 stubs of protected mode, which make a struct regs (guest.h), and the way into and out of a run. APM2 8.7 */
	.text
	.balign 16
	.globl trap_stubs
trap_stubs:
	.set	vec, 0
	.rept	256
	.balign 16
	.if !(vec == 8 || (vec >= 10 && vec <= 14) || vec == 17)
	push	$0
	.endif
	.byte	0x68 /* push imm32 */
	.long	vec
	jmp	trap_common
	.set	vec, vec + 1
	.endr

trap_common: /* the interrupted stack, if it is still in use, must be 32-bit with base 0 */
	pusha
	push	%ds
	push	%es
	push	%fs
	push	%gs
	mov	%ss, %edx
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%eax, %ss
	cld
	mov	%esp, %eax
	call	trap_dispatch /* eax: frame, edx: SS */

	.globl	frame_leave
frame_leave: /* esp: a struct regs */
	pop	%gs
	pop	%fs
	pop	%es
	pop	%ds
	popa
	add	$8, %esp
	.globl	run_iret
run_iret:
	iret

	.globl	run_enter
run_enter: /* eax: a struct regs */
	push	%ebx
	push	%ebp
	push	%esi
	push	%edi
	pushf
	mov	%esp, run_sp
	mov	%eax, %esp
	jmp	frame_leave

	.globl	run_return
run_return:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%eax, %ss
	mov	run_sp, %esp
	popf
	pop	%edi
	pop	%esi
	pop	%ebp
	pop	%ebx
	ret

/*
 * Real mode. real_blob is copied to 7000h, real_regs_at (6000h) holds a struct regs, 6080h the GDT's pseudo-descriptor.
 * The IRET frame is on the target's stack already.
 */
	.globl	real_enter
real_enter:
	push	%ebx
	push	%ebp
	push	%esi
	push	%edi
	pushf
	mov	%esp, run_sp
	ljmp	$0x28, $0x7000 + real_down - real_blob

	.code16
	.globl	real_blob, real_blob_end, real_stubs
real_blob:
real_stubs:
	.set	vec, 0
	.rept	32
	.balign 8
	push	$vec
	jmp	real_trap
	.set	vec, vec + 1
	.endr
real_trap: /* CS is 0: the vectors say so */
	movl	%eax, %cs:0x6000 + 44
	movl	%ecx, %cs:0x6000 + 40
	movl	%edx, %cs:0x6000 + 36
	movl	%ebx, %cs:0x6000 + 32
	movl	%esp, %cs:0x6000 + 28
	movl	%ebp, %cs:0x6000 + 24
	movl	%esi, %cs:0x6000 + 20
	movl	%edi, %cs:0x6000 + 16
	movw	%ds, %cs:0x6000 + 12
	movw	%es, %cs:0x6000 + 8
	movw	%fs, %cs:0x6000 + 4
	movw	%gs, %cs:0x6000 + 0
	movw	%ss, %cs:0x6000 + 72
	lgdtl	%cs:0x6080
	mov	%cr0, %eax
	or	$1, %eax
	mov	%eax, %cr0
	ljmpl	$0x08, $real_up
real_down: /* protected mode, 16-bit code */
	mov	$0x30, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %fs
	mov	%ax, %gs
	mov	%ax, %ss
	mov	%cr0, %eax
	and	$~1, %eax
	mov	%eax, %cr0
	ljmp	$0, $0x7000 + 1f - real_blob
1:	xor	%ax, %ax
	mov	%ax, %ss
	mov	$0x6000, %esp
	lidtl	%cs:0x6090
	pop	%gs
	add	$2, %sp
	pop	%fs
	add	$2, %sp
	pop	%es
	add	$2, %sp
	pop	%ds
	add	$2, %sp
	popal
	movw	%cs:0x6000 + 72, %ss
	movl	%cs:0x6000 + 68, %esp
	iretl
real_blob_end:

	.code32
real_up:
	mov	$0x10, %eax
	mov	%eax, %ss
	mov	%eax, %ds
	lidt	idt_ptr
	jmp	run_return

	.bss
	.balign 8
run_sp:
	.skip 8
	.section .note.GNU-stack, "", @progbits
