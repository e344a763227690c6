/* touch.S: single memory accesses at fixed addresses, for 32-bit and 64-bit guests (the encodings are the same). */
#include "hypercall.h"

#ifdef __x86_64__
#define ADDRESS (%rdi)
#define TARGET *%rdi
#else
#define ADDRESS (%eax)
#define TARGET *%eax
#endif

    .section .touch, "ax"
    .globl touch_read, touch_write, touch_execute, touch_end
touch_read:
    mov     ADDRESS, %eax
    ret
    .balign 16
touch_write:
    movl    $0x676e6970, ADDRESS        /* "ping" */
    ret
    .balign 16
touch_execute:
    call    TARGET
    ret
    .balign 16
touch_end:
    mov     $-1, %eax
    ret

#ifdef __x86_64__
    /* RDI: a stack, RSI: the page that it lies in, EDX: an event. Takes the page away, then asks for the event; no push comes
     * between. Returns on the old stack. */
    .balign 16
    .globl touch_deliver
touch_deliver:
    push    %rbx
    mov     %rsp, %r8
    mov     %rdi, %rsp
    mov     %edx, %r9d
    mov     $HC_PROTECT, %eax
    mov     %rsi, %rbx
    xor     %ecx, %ecx
    vmmcall
    mov     $HC_INJECT, %eax
    mov     %r9d, %ebx
    xor     %ecx, %ecx
    xor     %edx, %edx
    vmmcall
    mov     %r8, %rsp
    pop     %rbx
    ret
#endif

    .section .note.GNU-stack, "", @progbits
