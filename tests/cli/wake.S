/* Sleeps until COM1 interrupts (IRQ 4, 8259A vector 0Ch), then exits with the byte that came. */
#include "boot.inc"
main:
	movl $handler, %eax
	movw %ax, idt + 8 * 12
	movw %cs, idt + 8 * 12 + 2
	movw $0x8e00, idt + 8 * 12 + 4
	shr $16, %eax
	movw %ax, idt + 8 * 12 + 6
	lidt idtr
	outb 0x3fc, 0x08
	outb 0x3f9, 0x01
	outb 0x21, 0xef
1:	sti
	hlt
	jmp 1b
handler:
	mov $0x3f8, %edx
	xor %eax, %eax
	in %dx, %al
	out %eax, $0xf4
	hlt
idtr:
	.word 8 * 16 - 1
	.long idt
	.bss
	.align 8
idt:	.skip 8 * 16
