/* What comes on COM1 goes out on COM2, and back. Ends with status 1 when a q went to COM1. */
#include "boot.inc"
main:
	mov $0x3fd, %edx
	in %dx, %al
	test $1, %al
	jz 1f
	mov $0x3f8, %edx
	in %dx, %al
	mov $0x2f8, %edx
	out %al, %dx
1:	mov $0x2fd, %edx
	in %dx, %al
	test $1, %al
	jz main
	mov $0x2f8, %edx
	in %dx, %al
	mov $0x3f8, %edx
	out %al, %dx
	cmp $'q', %al
	jne main
	xor %eax, %eax
	out %eax, $0xf4
	hlt
