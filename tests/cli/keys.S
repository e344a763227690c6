/* Prints what comes from the keyboard and, after an m, from the mouse: bytes in hexadecimal, on the serial port and the screen. It
 * ends with status 3 when Escape is released. */
#include "boot.inc"
/* Waits until the 8042 takes a byte. */
	.macro ready
9:	in $0x64, %al
	test $2, %al
	jnz 9b
	.endm
	.macro command value
	ready
	outb 0x64, \value
	.endm
	.macro data value
	ready
	outb 0x60, \value
	.endm
main:
	cld
	mov $0xb8000, %edi
	mov $0x3d4, %edx
	mov $0x200a, %eax /* cursor off */
	out %ax, %dx
	command 0xa8 /* mouse on */
	command 0xd4
	data 0xf4 /* reporting */
	command 0x60
	data 0x44 /* no interrupts, translation, both on */
	mov $'>', %al
	call put
next:
	in $0x64, %al
	test $1, %al
	jz next
	mov %al, %bl
	in $0x60, %al
	mov %al, %bh
	test $0x20, %bl
	jz 1f
	mov $'m', %al
	call put
1:	mov %bh, %al
	shr $4, %al
	call digit
	mov %bh, %al
	call digit
	mov $' ', %al
	call put
	cmp $0x81, %bh
	jne next
	mov $'\n', %al
	call put
	mov $1, %eax
	out %eax, $0xf4
	hlt
digit:
	and $15, %al
	cmp $10, %al
	sbb $0x69, %al
	das
put:
	mov $0x3f8, %edx
	out %al, %dx
	mov $0x1f, %ah
	cmp $0xb8000 + 4000, %edi
	jae 1f
	stosw
1:	ret
