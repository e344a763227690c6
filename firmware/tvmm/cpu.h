/* cpu.h: control-register and MSR numbers and bits, and the instructions that C has no words for.
 * The chapters are APM2 3 (system resources) and 15 (SVM). Also read by the assembler. */
#ifndef TVMM_CPU_H
#define TVMM_CPU_H

/* APM2 3.1.1, 3.1.3 */
#define CR0_PE       0x00000001
#define CR0_ET       0x00000010
#define CR0_NE       0x00000020
#define CR0_WP       0x00010000
#define CR0_PG       0x80000000
#define CR4_PSE      0x10
#define CR4_PAE      0x20
#define RFLAGS_FIXED 0x2
#define RFLAGS_IF    0x200

/* APM2 3.1.7 */
#define MSR_EFER  0xc0000080
#define EFER_SCE  0x0001
#define EFER_LME  0x0100
#define EFER_LMA  0x0400
#define EFER_NXE  0x0800
#define EFER_SVME 0x1000

#define MSR_TSC            0x10
#define MSR_SYSENTER_CS    0x174
#define MSR_SYSENTER_EIP   0x176
#define MSR_PAT            0x277
#define MSR_STAR           0xc0000081
#define MSR_SFMASK         0xc0000084
#define MSR_FS_BASE        0xc0000100
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_VM_CR          0xc0010114 /* APM2 15.30.1 */
#define VM_CR_SVMDIS       0x10
#define MSR_VM_HSAVE_PA    0xc0010117 /* APM2 15.30.4 */

/* The VMM's GDT (segment.c) */
#define SEL_CODE 0x08
#define SEL_DATA 0x10
#define SEL_TSS  0x18

#ifndef __ASSEMBLER__
#include "types.h"

struct cpuid {
	u32 eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(u32 leaf, u32 subleaf)
{
	struct cpuid r;
	__asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
	return r;
}

static inline u64 rdmsr(u32 msr)
{
	u32 low, high;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (u64)high << 32 | low;
}

static inline void wrmsr(u32 msr, u64 value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static inline u64 read_cr2(void)
{
	u64 value;
	__asm__ volatile("mov %%cr2, %0" : "=r"(value));
	return value;
}

static inline void interrupts_on(void) { __asm__ volatile("sti" : : : "memory"); }

static inline void interrupts_off(void) { __asm__ volatile("cli" : : : "memory"); }

/* STI holds interrupts off for one more instruction: none can slip in between and be slept through. APM3 STI */
static inline void wait_for_interrupt(void) { __asm__ volatile("sti; hlt; cli" : : : "memory"); }

/* APM2 15.17: while GIF is 0, interrupts, NMI, SMI and INIT wait. */
static inline void clgi(void) { __asm__ volatile("clgi" : : : "memory"); }

static inline void stgi(void)
{
	__asm__ volatile("stgi; nop" : : : "memory"); /* what waited is taken here, if IF is 1 */
}
#endif

#endif
