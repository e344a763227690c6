/* Asks the BIOS to go on at 0040:0067 after a reset (shutdown status 0Ah), and pulls INIT# by the 8042; in real mode the word at
 * 7000h, which memory kept, becomes the status of isa-debug-exit. */
#include "boot.inc"
main:
	mov $resumed, %esi
	mov $0x8000, %edi
	mov $resumed_end - resumed, %ecx
	cld
	rep movsb
	movl $0x08000000, 0x467
	movl $21, 0x7000
	outb 0x70, 0x0f
	outb 0x71, 0x0a
	outb 0x64, 0xfe
1:	jmp 1b
	.code16
resumed:
	xor %ax, %ax
	mov %ax, %ds
	mov 0x7000, %eax
	out %eax, $0xf4
	hlt
resumed_end:
	.code32
