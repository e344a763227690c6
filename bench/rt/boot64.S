/*
 * Multiboot entry of a 64-bit payload: long mode, the low 4 GB mapped one to one with 2 MB pages that ring 3 may use too,
 * and the stubs of the 32 exceptions. GDT, TSS and IDT are filled in by rt64.c.
 */
#define PAGE_BITS 0x87 /* present, writable, user, 2 MB */
#define PCD       0x10

	.section .multiboot, "a"
	.balign 4
	.long 0x1badb002, 2, -(0x1badb002 + 2) /* flags: memory size wanted */

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
	mov	$PAGE_BITS, %eax
2:	mov	%eax, (%edi)
	add	$8, %edi
	add	$0x200000, %eax
	jnc	2b
	orl	$PCD, boot_pd + (0xfee00000 >> 21) * 8 /* the local APIC */

	mov	%cr4, %eax
	or	$0xa0, %eax /* PAE, PGE */
	mov	%eax, %cr4
	mov	$boot_pml4, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx
	rdmsr
	or	$0x101, %eax /* EFER.LME, SCE */
	wrmsr
	mov	%cr0, %eax
	or	$0x80010020, %eax /* PG, WP, NE */
	mov	%eax, %cr0
	lgdt	gdt_ptr
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
	mov	%ebx, %esi
	call	rt_main

/* Exception stubs, 16 bytes each: make one frame shape, then fault_show(frame). APM2 8.2 says which push an error code. */
	.balign 16
	.globl fault_stubs
fault_stubs:
	.set vec, 0
	.rept 32
	.balign 16
	.if !((1 << vec) & 0x60227d00)
	push	$0
	.endif
	push	$vec
	jmp	fault_common
	.set vec, vec + 1
	.endr
fault_common:
	mov	%rsp, %rdi
	and	$-16, %rsp
	call	fault_show

	.data
	.balign 16
	.globl gdt
gdt:	.quad 0
	.quad 0x00af9b000000ffff /* 08 kernel code, 64-bit */
	.quad 0x00cf93000000ffff /* 10 kernel data */
	.quad 0x00cffb000000ffff /* 18 user code, 32-bit: SYSRET's base */
	.quad 0x00cff3000000ffff /* 20 user data */
	.quad 0x00affb000000ffff /* 28 user code, 64-bit */
	.quad 0, 0               /* 30 TSS */
	.globl gdt_ptr
gdt_ptr:
	.word . - gdt - 1
	.quad gdt

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
