/* switch.S: the world switch. Who moves which state (APM2 15.5.1, 15.5.2, 15.6):
 *
 *   VMRUN and #VMEXIT   ES CS SS DS GDTR IDTR EFER CR0 CR3 CR4 (CR2, DR6, DR7, PAT: guest's) RFLAGS RIP RSP RAX CPL
 *   VMLOAD and VMSAVE   FS GS TR LDTR KernelGSBase STAR LSTAR CSTAR SFMASK SYSENTER_CS/ESP/EIP
 *   this file           the other general registers
 *   nobody              x87, SSE, CR2 of the host, DR0-DR3, XCR0: the VMM uses none of them, they are the guest's
 *
 * Offsets are those of struct gprs, in its order. */

    .text
    .cfi_sections .debug_frame              /* for debuggers: where the caller's frame is */
    .globl switch_to_guest
switch_to_guest:                        /* RDI: gprs, RSI: pa of the guest's VMCB, RDX: pa of the host's */
    .cfi_startproc
    push    %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbx, 0
    push    %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbp, 0
    push    %r12
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r12, 0
    push    %r13
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r13, 0
    push    %r14
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r14, 0
    push    %r15
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r15, 0
    push    %rdx
    .cfi_adjust_cfa_offset 8
    push    %rdi
    .cfi_adjust_cfa_offset 8

    mov     %rdx, %rax
    vmsave                              /* host: FS, GS, TR, ... */
    mov     %rsi, %rax
    vmload                              /* guest: the same */
    mov     0x00(%rdi), %rbx
    mov     0x08(%rdi), %rcx
    mov     0x10(%rdi), %rdx
    mov     0x18(%rdi), %rsi
    mov     0x28(%rdi), %rbp
    mov     0x30(%rdi), %r8
    mov     0x38(%rdi), %r9
    mov     0x40(%rdi), %r10
    mov     0x48(%rdi), %r11
    mov     0x50(%rdi), %r12
    mov     0x58(%rdi), %r13
    mov     0x60(%rdi), %r14
    mov     0x68(%rdi), %r15
    mov     0x20(%rdi), %rdi

    vmrun                               /* RAX: the VMCB. The next line runs after the #VMEXIT, RAX and RSP as here. */

    vmsave
    xchg    %rdi, (%rsp)                /* RDI: gprs; the guest's RDI waits on the stack */
    mov     %rbx, 0x00(%rdi)
    mov     %rcx, 0x08(%rdi)
    mov     %rdx, 0x10(%rdi)
    mov     %rsi, 0x18(%rdi)
    mov     %rbp, 0x28(%rdi)
    mov     %r8, 0x30(%rdi)
    mov     %r9, 0x38(%rdi)
    mov     %r10, 0x40(%rdi)
    mov     %r11, 0x48(%rdi)
    mov     %r12, 0x50(%rdi)
    mov     %r13, 0x58(%rdi)
    mov     %r14, 0x60(%rdi)
    mov     %r15, 0x68(%rdi)
    pop     %rax
    .cfi_adjust_cfa_offset -8
    mov     %rax, 0x20(%rdi)
    pop     %rax
    .cfi_adjust_cfa_offset -8
    vmload                              /* host again */

    pop     %r15
    .cfi_adjust_cfa_offset -8
    .cfi_restore r15
    pop     %r14
    .cfi_adjust_cfa_offset -8
    .cfi_restore r14
    pop     %r13
    .cfi_adjust_cfa_offset -8
    .cfi_restore r13
    pop     %r12
    .cfi_adjust_cfa_offset -8
    .cfi_restore r12
    pop     %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbp
    pop     %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbx
    ret
    .cfi_endproc

    .section .note.GNU-stack, "", @progbits
