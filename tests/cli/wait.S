/* Sleeps with interrupts enabled, all of them masked and no timer running. */
#include "boot.inc"
main:
	outb 0x43, 0x30
	outb 0x21, 0xff
1:	sti
	hlt
	jmp 1b
