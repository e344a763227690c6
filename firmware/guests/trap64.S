/* trap64.S: a 16-byte stub per vector; all go to trap_dispatch(struct trap *). APM2 8.9.3 */
    .text
    .balign 16
    .globl trap_stubs
trap_stubs:
    .set    vector, 0
    .rept   128
    .balign 16
    .if !((vector == 8) || ((vector >= 10) && (vector <= 14)) || (vector == 17))
    push    $0
    .endif
    push    $vector
    jmp     trap_common
    .set    vector, vector + 1
    .endr

trap_common:
    push    %rax
    push    %rcx
    push    %rdx
    push    %rsi
    push    %rdi
    push    %r8
    push    %r9
    push    %r10
    push    %r11
    cld
    lea     9 * 8(%rsp), %rdi
    call    trap_dispatch
    pop     %r11
    pop     %r10
    pop     %r9
    pop     %r8
    pop     %rdi
    pop     %rsi
    pop     %rdx
    pop     %rcx
    pop     %rax
    add     $16, %rsp
    iretq

    .section .note.GNU-stack, "", @progbits
