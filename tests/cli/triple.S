/* A #GP in a machine without an IDT. */
#include "boot.inc"
main:
	lidt empty
	xor %eax, %eax
	mov $0x33, %ax
	mov %ax, %ds
	hlt
empty:
	.word 0
	.long 0
