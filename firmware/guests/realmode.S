/* realmode.S: a guest in real mode, CR0.PE = 0, as SVM allows under nested paging. Loaded at 0000:7C00 like a boot sector;
 * started with mode=real, or with mode=paged-real (CR0.PG = 1 too: APM2 15.19), which it cannot tell apart.
 * Segments, a string instruction, the interrupt vector table, and an interrupt from the VMM. */
#include "hypercall.h"

#define COM1 0x3f8
#define COM1_LSR 0x3fd
#define LSR_THRE 0x20
#define VECTOR_OWN 0x60
#define VECTOR_VMM 0x61
#define BUFFER_SEGMENT 0x2000

    .section .text
    .code16
    .globl guest_start
guest_start:
    cli
    cld
    xor     %ax, %ax
    mov     %ax, %ds
    mov     %ax, %ss
    mov     $0x7c00, %sp

    mov     $text_hello, %si
    call    say
    smsw    %ax                         /* PE is bit 0 */
    and     $1, %ax
    mov     $text_pe, %si
    call    say_number

    mov     %cs, %ax
    mov     $text_cs, %si
    call    say_number

    /* The same byte through two segment:offset pairs: 07C0:x and 0000:7C00+x. */
    mov     $0x07c0, %ax
    mov     %ax, %fs
    mov     %fs:(word_here - 0x7c00), %ax
    mov     $text_alias, %si
    call    say_number

    /* MOVSB to another segment and back: linear 20000h. */
    mov     $BUFFER_SEGMENT, %ax
    mov     %ax, %es
    xor     %di, %di
    mov     $text_copied, %si
    mov     $(text_copied_end - text_copied), %cx
    rep movsb
    push    %ds
    push    %es
    pop     %ds
    xor     %si, %si
    call    say
    pop     %ds

    /* Two vectors of the table at 0: one for INT, one for the VMM's EVENTINJ. */
    movw    $on_own, VECTOR_OWN * 4
    movw    $0, VECTOR_OWN * 4 + 2
    movw    $on_vmm, VECTOR_VMM * 4
    movw    $0, VECTOR_VMM * 4 + 2
    mov     $0x1234, %ax
    int     $VECTOR_OWN
    mov     $text_int, %si
    call    say_number

    sti
    mov     $HC_INJECT, %eax
    mov     $(EVENT_INTR + VECTOR_VMM), %ebx
    xor     %ecx, %ecx
    xor     %edx, %edx
    vmmcall
    cli
    mov     seen_vmm, %ax
    mov     $text_vmm, %si
    call    say_number

    /* A 32-bit address below 64 KB is fine in real mode, the segment limit says where it ends. */
    mov     $word_here, %ebx
    mov     (%ebx), %ax
    mov     $text_wide, %si
    call    say_number

    mov     $text_ok, %si
    call    say
    mov     $HC_EXIT, %eax
    xor     %ebx, %ebx
    vmmcall
1:  hlt
    jmp     1b

on_own:                                 /* returns the bytes of AX swapped */
    xchg    %al, %ah
    iret

on_vmm:
    movw    $VECTOR_VMM, %cs:seen_vmm
    iret

/* DS:SI: text that ends in 0. */
say:
    lodsb
    test    %al, %al
    jz      1f
    call    put
    jmp     say
1:  ret

/* DS:SI: text, then AX in hexadecimal and a new line. */
say_number:
    push    %ax
    call    say
    pop     %bx
    mov     $4, %cx
1:  rol     $4, %bx
    mov     %bl, %al
    and     $15, %al
    add     $'0', %al
    cmp     $'9', %al
    jbe     2f
    add     $('a' - '9' - 1), %al
2:  call    put
    loop    1b
    mov     $'\n', %al

put:                                    /* AL; the rest is kept */
    push    %dx
    push    %ax
    mov     $COM1_LSR, %dx
1:  in      %dx, %al
    test    $LSR_THRE, %al
    jz      1b
    mov     $COM1, %dx
    pop     %ax
    out     %al, %dx
    pop     %dx
    ret

word_here:
    .word   0x55aa
seen_vmm:
    .word   0
text_hello:
    .asciz  "real mode speaks\n"
text_pe:
    .asciz  "CR0.PE "
text_cs:
    .asciz  "CS "
text_alias:
    .asciz  "through 07c0 "
text_copied:
    .asciz  "copied by MOVSB to segment 2000\n"
text_copied_end:
text_int:
    .asciz  "INT 60 returned "
text_vmm:
    .asciz  "interrupt from the VMM "
text_wide:
    .asciz  "by a 32-bit address "
text_ok:
    .asciz  "guest realmode: ok\n"

    .section .note.GNU-stack, "", @progbits
