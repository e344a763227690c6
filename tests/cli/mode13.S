/* Sets mode 13h (320x200, 256 colours) by its registers and a palette, and draws x + y into each pixel. With a command line that ends in
 * an x it stays so. */
#include "boot.inc"
main:
	cld
	push %ebx
	outb 0x3c2, 0x63
	mov $sequencer, %esi
	mov $0x3c4, %edx
	mov $5, %ecx
	call file
	mov $0x3d4, %edx
	mov $0x0e11, %eax /* unprotect */
	out %ax, %dx
	mov $25, %ecx
	call file
	mov $0x3ce, %edx
	mov $9, %ecx
	call file
	mov $0x3da, %edx
	in %dx, %al
	mov $0x3c0, %edx
	xor %ebx, %ebx
1:	mov %bl, %al
	out %al, %dx
	lodsb
	out %al, %dx
	inc %ebx
	cmp $21, %ebx
	jb 1b
	mov $0x20, %al
	out %al, %dx
	outb 0x3c8, 0
	mov $0x3c9, %edx
	xor %ebx, %ebx
2:	xor %eax, %eax
	out %al, %dx
	mov $1, %al
	out %al, %dx
	mov %bl, %al
	out %al, %dx
	inc %bl
	jnz 2b
	mov $0xa0000, %edi
	xor %ebx, %ebx
3:	mov %bl, %al
	mov $320, %ecx
4:	stosb
	inc %al
	loop 4b
	inc %ebx
	cmp $200, %ebx
	jb 3b
	pop %ebx
	mov 16(%ebx), %esi /* Multiboot: the command line */
	xor %ebx, %ebx
5:	lodsb
	test %al, %al
	jz 6f
	mov %al, %bl
	jmp 5b
6:	cmp $'x', %bl
	je 6b
	xor %eax, %eax
	out %eax, $0xf4
7:	jmp 7b
/* ecx registers from esi to the file whose index port is edx */
file:
	xor %ebx, %ebx
1:	mov %bl, %al
	mov (%esi), %ah
	inc %esi
	out %ax, %dx
	inc %ebx
	loop 1b
	ret
sequencer:
	.byte 3, 1, 15, 0, 14
	.byte 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0, 0x41, 0, 0, 0, 0, 0, 0, 0x9c, 0x0e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff
	.byte 0, 0, 0, 0, 0, 0x40, 5, 15, 0xff
	.byte 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0x41, 0, 15, 0, 0
