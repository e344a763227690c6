/* PAUSE beside a timer: counter 0 of the PIT ends a period every 100 ticks. */
#include "boot.inc"
main:
	mov	$0x34, %al
	out	%al, $0x43
	mov	$100, %al
	out	%al, $0x40
	xor	%eax, %eax
	out	%al, $0x40
	mov	$100000, %ecx
1:	pause
	nop
	loop	1b
	mov	$0xf4, %dx
	out	%al, %dx
