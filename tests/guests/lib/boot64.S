/* Multiboot entry of a 64-bit guest: long mode, 4 GB mapped one to one for ring 0, the low 256 MB for ring 3 at 2 GB. */
	.section .multiboot, "a"
	.balign 4
	.long 0x1badb002, 2, -(0x1badb002 + 2)

	.text
	.code32
	.globl boot
boot:
	cli
	cld
	mov	$stack_end, %esp
	mov	%eax, %esi
	mov	$boot_pdpt + 7, %eax
	mov	%eax, boot_pml4
	mov	$boot_pdpt, %edi
	mov	$boot_pd + 7, %eax
	mov	$4, %ecx
1:	mov	%eax, (%edi)
	add	$8, %edi
	add	$4096, %eax
	loop	1b
	mov	$boot_pd, %edi
	mov	$0x83, %eax /* present, writable, 2 MB */
2:	mov	%eax, (%edi)
	add	$8, %edi
	add	$0x200000, %eax
	jnc	2b
	mov	$boot_pd + 2 * 4096, %edi
	mov	$0x87, %eax /* and user */
	mov	$128, %ecx
4:	mov	%eax, (%edi)
	add	$8, %edi
	add	$0x200000, %eax
	loop	4b
	orl	$0x10, boot_pd + (0xfee00000 >> 21) * 8 /* PCD */
	orl	$0x10, boot_pd + (0xfec00000 >> 21) * 8

	mov	%cr4, %eax
	or	$0xa0, %eax /* PAE, PGE */
	mov	%eax, %cr4
	mov	$boot_pml4, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx
	rdmsr
	or	$0x901, %eax /* EFER.NXE, LME, SCE */
	wrmsr
	mov	%cr0, %eax
	and	$0x9fffffff, %eax /* caches on */
	or	$0x80010020, %eax /* PG, WP, NE */
	mov	%eax, %cr0
	lgdt	boot_gdt_ptr
	ljmp	$0x08, $3f
	.code64
3:	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%eax, %ss
	mov	$stack_end, %rsp
	mov	%esi, %edi
	call	start_c

	.data
	.balign 8
boot_gdt:
	.quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
boot_gdt_ptr:
	.word . - boot_gdt - 1
	.quad boot_gdt

	.bss
	.balign 4096
	.globl boot_pml4
boot_pml4:
	.skip 4096
boot_pdpt:
	.skip 4096
boot_pd:
	.skip 4 * 4096
	.skip 65536
stack_end:
	.section .note.GNU-stack, "", @progbits
