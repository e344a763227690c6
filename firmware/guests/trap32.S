/* trap32.S: a 16-byte stub per vector; all go to trap_dispatch(struct trap *). APM2 8.7 */
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
    pusha
    cld
    lea     8 * 4(%esp), %eax
    call    trap_dispatch               /* first argument in EAX: the guests are built with -mregparm=3 */
    popa
    add     $8, %esp
    iret

    .section .note.GNU-stack, "", @progbits
