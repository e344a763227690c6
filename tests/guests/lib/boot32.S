/* Multiboot entry of a 32-bit guest: protected mode, flat segments, no paging. */
	.section .multiboot, "a"
	.balign 4
	.long 0x1badb002, 2, -(0x1badb002 + 2)

	.text
	.globl boot
boot:
	cli
	cld
	mov	$stack_end, %esp
	push	%eax
	mov	%cr0, %eax
	and	$0x9fffffff, %eax /* caches on */
	or	$0x20, %eax       /* NE */
	mov	%eax, %cr0
	pop	%eax
	lgdt	boot_gdt_ptr
	ljmp	$0x08, $1f
1:	mov	$0x10, %edx
	mov	%edx, %ds
	mov	%edx, %es
	mov	%edx, %fs
	mov	%edx, %gs
	mov	%edx, %ss
	call	start_c /* eax: the loader's magic number */

	.data
	.balign 8
boot_gdt:
	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
boot_gdt_ptr:
	.word . - boot_gdt - 1
	.long boot_gdt

	.bss
	.balign 4096
	.skip 65536
stack_end:
	.section .note.GNU-stack, "", @progbits
