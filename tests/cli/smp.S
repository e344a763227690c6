/* Starts all other CPUs by INIT and two start-up messages, and waits until as many as fw_cfg counts have said so. */
#include "boot.inc"
	.macro ipi value
	movl $\value, 0xfee00300
	.endm
main:
	mov $trampoline, %esi
	mov $0x8000, %edi
	mov $trampoline_end - trampoline, %ecx
	cld
	rep movsb
	outw 0x510, 5
	mov $0x511, %edx
	xor %ebx, %ebx
	in %dx, %al
	mov %al, %bl
	movl $1, 0x7000
	ipi 0xc4500
	ipi 0xc4608
	ipi 0xc4608
1:	pause
	cmp %ebx, 0x7000
	jb 1b
	mov %ebx, %eax
	out %eax, $0xf4
	hlt

	.code16
trampoline:
	xor %ax, %ax
	mov %ax, %ds
	lock incl 0x7000
	cli
1:	hlt
	jmp 1b
trampoline_end:
	.code32
