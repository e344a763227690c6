/* Counts its starts in CMOS memory, which survives; the third one powers off, the others reset by the 8042. */
#include "boot.inc"
main:
	outb 0x70, 0x50
	mov $0x71, %edx
	in %dx, %al
	inc %al
	out %al, %dx
	cmp $3, %al
	je off
	outb 0x64, 0xfe
	hlt
off:
	outw 0x604, 0x2000
	hlt
