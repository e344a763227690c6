/* Sleeps with interrupts enabled and nothing that could interrupt. */
#include "boot.inc"
main:
	sti
	hlt
	jmp main
