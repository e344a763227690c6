/*
 * Multiboot entry of a 32-bit payload: protected mode, flat segments, paging with 4 MB pages mapped one to one.
 * There is no IDT: a fault ends as a triple fault, which -no-reboot turns into the end of the emulator.
 */
	.section .multiboot, "a"
	.balign 4
	.long 0x1badb002, 2, -(0x1badb002 + 2) /* flags: memory size wanted */

	.text
	.globl boot
boot:
	cli
	cld
	mov	$stack_end, %esp
	mov	%eax, %esi
	lgdt	gdt_ptr
	ljmp	$0x08, $1f
1:	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%eax, %ss

	mov	$0x83, %eax /* present, writable, 4 MB */
	mov	$page_dir, %edi
2:	stosl
	add	$0x400000, %eax
	jnc	2b
	mov	%cr4, %eax
	or	$0x10, %eax /* PSE */
	mov	%eax, %cr4
	mov	$page_dir, %eax
	mov	%eax, %cr3
	mov	%cr0, %eax
	or	$0x80010000, %eax /* PG, WP */
	mov	%eax, %cr0

	sub	$8, %esp
	push	%ebx
	push	%esi
	call	rt_main

	.globl rt_cpu_init
rt_cpu_init:
	ret

	.data
	.balign 8
gdt:	.quad 0
	.quad 0x00cf9b000000ffff
	.quad 0x00cf93000000ffff
gdt_ptr:
	.word . - gdt - 1
	.long gdt

	.bss
	.balign 4096
page_dir:
	.skip 4096
	.skip 65536
stack_end:
	.section .note.GNU-stack, "", @progbits
