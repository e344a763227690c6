/* boot.S: from a Multiboot 1 loader's 32-bit protected mode to C in long mode.
 * Multiboot 0.6.96, sections 3.1 (header) and 3.2 (machine state); APM2 14.6 (entering long mode). */
#include "cpu.h"
#include "memory.h"

#define MB_MAGIC 0x1badb002
#define MB_FLAGS 3                      /* modules on page boundaries; a memory map, please */
#define MB_LOADED 0x2badb002

    .section .multiboot, "a"
    .balign 4
    .long MB_MAGIC, MB_FLAGS, -(MB_MAGIC + MB_FLAGS)

    .text
    .code32
    .globl boot_entry
boot_entry:
    cli
    cld
    mov     $boot_stack_top, %esp
    mov     %ebx, %edi                  /* the Multiboot information: first argument of tvmm_main */
    cmp     $MB_LOADED, %eax
    jne     boot_stop
    mov     $0x80000000, %eax           /* is there long mode? APM3 appendix E.4.2: 8000_0001h EDX.LM */
    cpuid
    cmp     $0x80000001, %eax
    jb      boot_stop
    mov     $0x80000001, %eax
    cpuid
    bt      $29, %edx
    jnc     boot_stop

    /* One PD of 512 2 MB pages, one PDPT, seen from two PML4 entries. */
    mov     $boot_pd, %ebx
    mov     $(PTE_P | PTE_W | PTE_PS), %eax
1:  mov     %eax, (%ebx)
    add     $8, %ebx
    add     $LARGE_SIZE, %eax
    cmp     $(boot_pd + PAGE_SIZE), %ebx
    jne     1b
    movl    $(boot_pd + PTE_P + PTE_W), boot_pdpt
    movl    $(boot_pdpt + PTE_P + PTE_W), boot_pml4
    movl    $(boot_pdpt + PTE_P + PTE_W), boot_pml4 + 8 * ((DIRECT_MAP >> 39) & 511)

    /* PAE, CR3, LME, PG, in the order of APM2 14.6.1. NXE lets nested tables deny execution. */
    mov     $CR4_PAE, %eax
    mov     %eax, %cr4
    mov     $boot_pml4, %eax
    mov     %eax, %cr3
    mov     $MSR_EFER, %ecx
    rdmsr
    or      $(EFER_LME | EFER_NXE), %eax
    wrmsr
    mov     $(CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_PE), %eax
    mov     %eax, %cr0
    lgdt    boot_gdtr
    ljmp    $SEL_CODE, $boot_long

boot_stop:                              /* no console yet: the reason is in EAX and EDX */
    hlt
    jmp     boot_stop

    .code64
boot_long:
    mov     $SEL_DATA, %eax
    mov     %eax, %ds
    mov     %eax, %es
    mov     %eax, %ss
    xor     %eax, %eax
    mov     %eax, %fs
    mov     %eax, %gs
    mov     $boot_stack_top, %rsp
    xor     %ebp, %ebp
    mov     %edi, %edi                  /* upper half is undefined after the mode switch: clear it */
    call    tvmm_main                   /* does not return */

    .section .rodata
    .balign 8
boot_gdt:                               /* APM2 4.8.1: in 64-bit code only L, P, DPL and the type count */
    .quad   0
    .quad   0x00af9b000000ffff          /* SEL_CODE */
    .quad   0x00cf93000000ffff          /* SEL_DATA */
boot_gdtr:
    .word   . - boot_gdt - 1
    .long   boot_gdt

    .bss
    .balign PAGE_SIZE
boot_pml4:
    .skip   PAGE_SIZE
boot_pdpt:
    .skip   PAGE_SIZE
boot_pd:
    .skip   PAGE_SIZE
    .skip   4 * PAGE_SIZE
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
