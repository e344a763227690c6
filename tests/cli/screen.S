/* Writes three lines to the text screen, then scrolls it up by one and writes a fourth on the last line. */
#include "boot.inc"
	.macro line row, text
	mov $0xb8000 + 160 * \row, %edi
	mov $\text, %esi
	call print
	.endm
print:
	lodsb
	test %al, %al
	jz 1f
	mov $7, %ah
	stosw
	jmp print
1:	ret
main:
	cld
	line 0, first
	line 1, second
	line 24, third
	mov $10000000, %ecx
2:	loop 2b
	mov $0xb8000 + 160, %esi
	mov $0xb8000, %edi
	mov $80 * 24 / 2, %ecx
	rep movsl
	mov $0x07200720, %eax
	mov $80 / 2, %ecx
	rep stosl
	line 24, fourth
	xor %eax, %eax
	out %eax, $0xf4
	hlt
first:	.asciz "first"
second:	.asciz "second"
third:	.asciz "third"
fourth:	.asciz "fourth"
