/* Echoes COM1 until a q comes, which becomes the status of isa-debug-exit. Polls. */
#include "boot.inc"
main:
	mov $0x3fd, %edx
1:	in %dx, %al
	test $1, %al
	jz 1b
	mov $0x3f8, %edx
	in %dx, %al
	out %al, %dx
	cmp $'q', %al
	jne main
	mov $10, %al
	out %al, %dx
	mov $'q', %eax
	out %eax, $0xf4
	hlt
