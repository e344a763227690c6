/*
 * The option ROM that starts -kernel after the BIOS: SeaBIOS finds it in fw_cfg as genroms/kernel.bin and boots it first. A Linux kernel's
 * pieces are copied to where fw_cfg says and its real-mode part runs. For all others the ROM sends the BIOS's memory map (INT 15h E820)
 * through fw_cfg; the loader outside puts the kernel into memory and answers with the state to start it in. Plug and Play BIOS
 * specification 1.0A 3 (header); QEMU's docs/specs/fw_cfg. The checksums are filled in by src/loader/kernel_rom.c.
 */
	.code16
	.text
	.globl _start

/* fw_cfg keys and DMA commands */
	SELECT = 8
	READ = 2
	WRITE = 16
	DMA_ADDRESS = 0x514
	KERNEL_ADDR = 0x07
	KERNEL_SIZE = 0x08
	INITRD_ADDR = 0x0a
	INITRD_SIZE = 0x0b
	KERNEL_DATA = 0x11
	INITRD_DATA = 0x12
	CMDLINE_ADDR = 0x13
	CMDLINE_SIZE = 0x14
	CMDLINE_DATA = 0x15
	SETUP_ADDR = 0x16
	SETUP_SIZE = 0x17
	SETUP_DATA = 0x18
	MAP = 0xc100	/* ours, see kernel_rom.h; 8000h: keys of the architecture, 4000h: to be written */
	STATE = 0x8101

	MAP_AT = 0x7c00	/* where the memory map is gathered: as a boot sector would be */
	MAP_MAX = 32
	ENTRY = 20

_start:
	.byte 0x55, 0xaa
	.byte (end - _start) / 512
	jmp init
	.org 0x18
	.word 0			/* no PCI header */
	.word pnp
pnp:	.ascii "$PnP"
	.byte 1, 2
	.word 0
	.byte 0
	.byte 0			/* checksum */
	.long 0
	.word maker, product
	.byte 0, 0, 0
	.byte 0
	.word 0, 0
	.word boot		/* bootstrap entry vector */
	.word 0, 0
maker:	.asciz "Undervisor"
product:
	.asciz "-kernel"

init:	mov $0x20, %ax		/* a boot device is attached */
	lretw

/* The stack frame: a DMA descriptor (16 bytes), then what was read. */
	FRAME = 64
	D = 0
	V = 16

boot:	cli
	cld
	sub $FRAME, %sp
	movzwl %sp, %ebp
	xor %eax, %eax
	mov %ss, %ax
	shl $4, %eax
	lea (%ebp, %eax), %ebx	/* EBX: the frame's physical address; BP: its offset */
	mov $SETUP_SIZE, %ax
	call number
	test %eax, %eax
	jnz start_linux

/* ---- all others ---- */

	xor %ax, %ax
	mov %ax, %es
	mov $MAP_AT, %di
	push %ebx
	push %bp
	xor %ebx, %ebx
1:	mov $0xe820, %eax
	mov $ENTRY, %ecx
	mov $0x534d4150, %edx
	int $0x15
	jc 2f
	cmp $0x534d4150, %eax
	jne 2f
	add $ENTRY, %di
	cmp $(MAP_AT + MAP_MAX * ENTRY), %di
	jae 2f
	test %ebx, %ebx
	jnz 1b
2:	pop %bp
	pop %ebx
	cli
	cld
	movzwl %di, %ecx
	sub $MAP_AT, %ecx
	mov $MAP_AT, %edx
	mov $(MAP << 16 | SELECT | WRITE), %eax
	call dma		/* when it returns the kernel is in memory */
	mov $(STATE << 16 | SELECT | READ), %eax
	mov $32, %ecx
	lea V(%ebx), %edx
	call dma
	in $0x92, %al		/* A20 */
	or $2, %al
	out %al, $0x92
	lgdtl %ss:V+0(%bp)
	mov %ebx, %esi
	add $V, %esi
	xor %eax, %eax		/* the far jump below needs our linear address */
	mov %cs, %ax
	shl $4, %eax
	add $protected, %eax
	pushl $8
	push %eax
	mov %cr0, %edx
	or $1, %dl
	mov %edx, %cr0
	lretl

	.code32
protected:
	mov $0x10, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %fs
	mov %ax, %gs
	mov %ax, %ss
	/* ESI: the state: GDT limit and base (6 bytes), flags (2), eip, esp, eax, ebx, esi, cr3 */
	mov 12(%esi), %esp
	testb $1, 6(%esi)
	jnz long_mode
	mov 16(%esi), %eax
	mov 20(%esi), %ebx
	push 8(%esi)
	mov 24(%esi), %esi
	xor %ecx, %ecx
	xor %edx, %edx
	xor %edi, %edi
	xor %ebp, %ebp
	ret

long_mode:
	mov %cr4, %eax
	or $0x20, %eax		/* PAE */
	mov %eax, %cr4
	mov 28(%esi), %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx	/* EFER.LME */
	rdmsr
	or $0x100, %eax
	wrmsr
	mov %cr0, %eax
	or $0x80010000, %eax	/* PG, WP */
	mov %eax, %cr0
	mov 20(%esi), %ebx
	mov 16(%esi), %edx
	pushl $0x18
	push 8(%esi)
	mov 24(%esi), %esi
	mov %edx, %eax
	xor %ecx, %ecx
	xor %edx, %edx
	xor %edi, %edi
	xor %ebp, %ebp
	lret

/* ---- Linux (its Documentation/x86/boot.rst): the pieces, then the real-mode part ---- */

	.code16
start_linux:	mov $pieces, %si
1:	mov %cs:(%si), %ax	/* key of the size, of the address, of the data */
	test %ax, %ax
	jz 2f
	call number
	mov %eax, %ecx
	jecxz 3f
	push %ecx
	mov %cs:2(%si), %ax
	call number
	pop %ecx
	mov %eax, %edx
	movzwl %cs:4(%si), %eax
	shl $16, %eax
	mov $(SELECT | READ), %al
	call dma
3:	add $6, %si
	jmp 1b
2:	mov $SETUP_ADDR, %ax
	call number
	shr $4, %eax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %fs
	mov %ax, %gs
	mov %ax, %ss
	mov $0xfff0, %sp	/* the kernel's heap ends below (heap_end_ptr) */
	add $0x20, %ax
	push %ax
	pushw $0
	lretw

pieces:	.word SETUP_SIZE, SETUP_ADDR, SETUP_DATA
	.word CMDLINE_SIZE, CMDLINE_ADDR, CMDLINE_DATA
	.word KERNEL_SIZE, KERNEL_ADDR, KERNEL_DATA
	.word INITRD_SIZE, INITRD_ADDR, INITRD_DATA
	.word 0

/* ---- fw_cfg ---- */

/* EAX := the number in item AX. Changes ECX, EDX. */
number:	shl $16, %eax
	mov $(SELECT | READ), %al
	mov $4, %ecx
	lea V(%ebx), %edx
	movl $0, %ss:V(%bp)
	call dma
	mov %ss:V(%bp), %eax
	ret

/* Control EAX, ECX bytes, memory at EDX. The descriptor is big-endian; so is the port, whose low half starts it. */
dma:	bswap %eax
	mov %eax, %ss:D(%bp)
	bswap %ecx
	mov %ecx, %ss:D+4(%bp)
	movl $0, %ss:D+8(%bp)
	bswap %edx
	mov %edx, %ss:D+12(%bp)
	mov %ebx, %eax
	bswap %eax
	mov $(DMA_ADDRESS + 4), %dx
	out %eax, %dx
1:	mov %ss:D(%bp), %eax	/* all bits but that of an error are 0 when it is done */
	bswap %eax
	test $~1, %eax
	jnz 1b
	ret

	.balign 512
end:
