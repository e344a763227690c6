/* start32.S: a 32-bit guest's first instructions: its own GDT and stack, then C. APM2 4.7 */
    .text
    .globl guest_start
guest_start:
    lgdt    gdtr
    mov     $stack_top, %esp
    ljmp    $0x08, $1f
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
    .quad   0x00cf9b000000ffff          /* 08: 32-bit code */
    .quad   0x00cf93000000ffff          /* 10: data */
gdtr:
    .word   . - gdt - 1
    .long   gdt

    .bss
    .balign 4096
    .skip   0x4000
stack_top:

    .section .note.GNU-stack, "", @progbits
