/* start64.S: a 64-bit guest's first instructions: its own GDT and stack, then C. APM2 4.8 */
    .text
    .globl guest_start
guest_start:
    lgdt    gdtr
    mov     $stack_top, %esp
    push    $0x08
    push    $1f
    lretq
1:  mov     $0x10, %eax
    mov     %eax, %ds
    mov     %eax, %es
    mov     %eax, %ss
    mov     %eax, %fs
    mov     %eax, %gs
    call    guest_main
    ud2

    .section .rodata
    .balign 8
gdt:
    .quad   0
    .quad   0x00af9b000000ffff          /* 08: 64-bit code */
    .quad   0x00cf93000000ffff          /* 10: data */
gdtr:
    .word   . - gdt - 1
    .quad   gdt

    .bss
    .balign 4096
    .skip   0x4000
stack_top:

    .section .note.GNU-stack, "", @progbits
