/* Sleeps for a second: 100 interrupts of the 8254 at 100 Hz (IRQ 0, 8259A vector 08h). Ends with status 1. */
#include "boot.inc"
main:
	movl $handler, %eax
	movw %ax, idt + 8 * 8
	movw %cs, idt + 8 * 8 + 2
	movw $0x8e00, idt + 8 * 8 + 4
	shr $16, %eax
	movw %ax, idt + 8 * 8 + 6
	lidt idtr
	outb 0x43, 0x34
	outb 0x40, 0x9c /* 11932 */
	outb 0x40, 0x2e
	outb 0x21, 0xfe
	mov $100, %ecx
1:	sti
	hlt
	jmp 1b
handler:
	outb 0x20, 0x20
	dec %ecx
	jz 2f
	iret
2:	xor %eax, %eax
	out %eax, $0xf4
	hlt
idtr:
	.word 8 * 16 - 1
	.long idt
	.bss
	.align 8
idt:	.skip 8 * 16
