/* The guests of kvm.c, each copied to address 1000h of its machine; results go to 4000h. */
	.section .rodata
#define GUEST(name) .globl name##_begin; .globl name##_end; name##_begin:
#define RESULT 0x4000

	.code16
GUEST(real)
	mov	$0x3f8, %dx
	mov	$'R', %al
	outb	%al, %dx
	inc	%dx
	inb	%dx, %al
	mov	%al, %ah
	inc	%al
	movw	%ax, RESULT
	hlt
real_end:

GUEST(mmio)
	mov	$0xd000, %ax
	mov	%ax, %es
	movl	$0x12345678, %es:0x10
	movl	%es:0x20, %eax
	movl	%eax, RESULT
	hlt
mmio_end:

	.code32
GUEST(prot)
	xor	%eax, %eax
	mov	$100, %ecx
1:	add	%ecx, %eax
	loop	1b
	movl	%eax, RESULT
	mov	$'P', %al
	outb	%al, $0x80
	hlt
prot_end:

GUEST(paged)
	ud2
	hlt
	.org	paged_begin + 0x80
	movl	$0x6006, RESULT
	addl	$2, (%esp)	/* go on behind UD2 */
	iret
paged_end:

	.code64
GUEST(long)
	mov	$'L', %al
	outb	%al, $0x80
	movabs	$0x1122334455667788, %rax
	mov	$0xc0000008, %edx
	mov	%rax, (%rdx)
	movabs	$0x123456789abcdef0, %rax
	mov	%rax, RESULT
	mov	$0xc0000080, %ecx	/* EFER.LMA */
	rdmsr
	shr	$10, %eax
	and	$1, %eax
	mov	%rax, RESULT + 8
	hlt
long_end:

GUEST(irq)
	sti
	hlt
	cli
	hlt
	.org	irq_begin + 0x80
	movq	$0x20, RESULT
	iretq
irq_end:

	.code32
GUEST(triple)
	lidt	none - triple_begin + 0x1000
	ud2
none:	.word	0
	.long	0
triple_end:
	.section .note.GNU-stack, "", @progbits
