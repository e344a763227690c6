/* trap.S: one 16-byte stub per vector makes every stack frame look the same, then goes to trap_handle().
 * APM2 8.9.3: in long mode the processor aligns RSP and pushes SS, RSP, RFLAGS, CS, RIP and, for some, an error code. */

    .text
    .balign 16
    .globl trap_stubs
trap_stubs:
    .set    vector, 0
    .rept   48
    .balign 16
    /* #DF, #TS, #NP, #SS, #GP, #PF, #AC, #CP, #VC, #SX: APM2 8.2 */
    .if !((vector == 8) || ((vector >= 10) && (vector <= 14)) || (vector == 17) || (vector == 21) || \
          (vector == 29) || (vector == 30))
    push    $0
    .endif
    push    $vector
    jmp     trap_common
    .set    vector, vector + 1
    .endr

trap_common:                            /* the order of struct trap_frame, from its end */
    push    %rax
    push    %rbx
    push    %rcx
    push    %rdx
    push    %rsi
    push    %rdi
    push    %rbp
    push    %r8
    push    %r9
    push    %r10
    push    %r11
    push    %r12
    push    %r13
    push    %r14
    push    %r15
    cld
    mov     %rsp, %rdi
    call    trap_handle
    pop     %r15
    pop     %r14
    pop     %r13
    pop     %r12
    pop     %r11
    pop     %r10
    pop     %r9
    pop     %r8
    pop     %rbp
    pop     %rdi
    pop     %rsi
    pop     %rdx
    pop     %rcx
    pop     %rbx
    pop     %rax
    add     $16, %rsp                   /* vector and error code */
    iretq

    .section .note.GNU-stack, "", @progbits
