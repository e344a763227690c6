/* Sleeps for ever, though a timer ticks. */
#include "boot.inc"
main:
	outb 0x43, 0x34
	outb 0x40, 0
	outb 0x40, 0
	cli
	hlt
