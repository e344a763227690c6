/* vmcb.h: the virtual machine control block: one 4 KB page that says what a guest is. APM2 appendix B.
 * The control area (000h-3FFh) is the VMM's word to the processor, and the processor's word about the #VMEXIT back;
 * the save area (from 400h) is the guest's processor state. Reserved bytes stay zero. */
#ifndef TVMM_VMCB_H
#define TVMM_VMCB_H

#include "types.h"

struct vmcb_segment { /* APM2 15.5.1: attributes are the descriptor's bits 55:52 and 47:40, packed to 12 bits */
	u16 selector, attributes;
	u32 limit;
	u64 base;
};

struct vmcb {
	u16 intercept_cr_read, intercept_cr_write; /* 000 */
	u16 intercept_dr_read, intercept_dr_write;
	u32 intercept_exceptions;               /* 008 */
	u32 intercept1, intercept2, intercept3; /* 00c: INTERCEPT1_*, INTERCEPT2_* below */
	u8 reserved018[0x03c - 0x018];
	u16 pause_threshold, pause_count;
	u64 iopm_base_pa, msrpm_base_pa;    /* 040 */
	u64 tsc_offset;                     /* 050 */
	u32 asid;                           /* 058 */
	u32 tlb_control;                    /* 05c: TLB_* below */
	u64 v_intr;                         /* 060: V_* below */
	u64 interrupt_shadow;               /* 068 */
	u64 exitcode, exitinfo1, exitinfo2; /* 070 */
	u64 exitintinfo;                    /* 088 */
	u64 np_enable;                      /* 090 */
	u64 avic_apic_bar, ghcb_pa;
	u64 eventinj; /* 0a8 */
	u64 ncr3;     /* 0b0 */
	u64 lbr_enable;
	u64 clean;                               /* 0c0: CLEAN_* below */
	u64 nrip;                                /* 0c8 */
	u8 bytes_fetched, instruction_bytes[15]; /* 0d0 */
	u8 reserved0e0[0x400 - 0x0e0];

	struct vmcb_segment es, cs, ss, ds, fs, gs; /* 400 */
	struct vmcb_segment gdtr, ldtr, idtr, tr;   /* 460 */
	u8 reserved4a0[0x4cb - 0x4a0];
	u8 cpl; /* 4cb */
	u32 reserved4cc;
	u64 efer; /* 4d0 */
	u8 reserved4d8[0x548 - 0x4d8];
	u64 cr4, cr3, cr0, dr7, dr6, rflags, rip; /* 548 */
	u8 reserved580[0x5d8 - 0x580];
	u64 rsp; /* 5d8 */
	u64 s_cet, ssp, isst_addr;
	u64 rax;                                        /* 5f8 */
	u64 star, lstar, cstar, sfmask, kernel_gs_base; /* 600 */
	u64 sysenter_cs, sysenter_esp, sysenter_eip;
	u64 cr2; /* 640 */
	u8 reserved648[0x668 - 0x648];
	u64 g_pat; /* 668 */
	u64 dbgctl, br_from, br_to, last_exception_from, last_exception_to;
	u8 reserved698[0x1000 - 0x698];
};

_Static_assert(offsetof(struct vmcb, iopm_base_pa) == 0x040, "VMCB 040h");
_Static_assert(offsetof(struct vmcb, exitcode) == 0x070, "VMCB 070h");
_Static_assert(offsetof(struct vmcb, eventinj) == 0x0a8, "VMCB 0A8h");
_Static_assert(offsetof(struct vmcb, nrip) == 0x0c8, "VMCB 0C8h");
_Static_assert(offsetof(struct vmcb, cpl) == 0x4cb, "VMCB 4CBh");
_Static_assert(offsetof(struct vmcb, efer) == 0x4d0, "VMCB 4D0h");
_Static_assert(offsetof(struct vmcb, cr4) == 0x548, "VMCB 548h");
_Static_assert(offsetof(struct vmcb, rsp) == 0x5d8, "VMCB 5D8h");
_Static_assert(offsetof(struct vmcb, rax) == 0x5f8, "VMCB 5F8h");
_Static_assert(offsetof(struct vmcb, cr2) == 0x640, "VMCB 640h");
_Static_assert(offsetof(struct vmcb, g_pat) == 0x668, "VMCB 668h");
_Static_assert(sizeof(struct vmcb) == 0x1000, "a VMCB is one page");

enum { /* VMCB 00Ch */
       INTERCEPT1_INTR = 1u << 0,
       INTERCEPT1_NMI = 1u << 1,
       INTERCEPT1_INIT = 1u << 3,
       INTERCEPT1_CPUID = 1u << 18,
       INTERCEPT1_INVD = 1u << 22,
       INTERCEPT1_HLT = 1u << 24,
       INTERCEPT1_INVLPGA = 1u << 26,
       INTERCEPT1_IOIO = 1u << 27,
       INTERCEPT1_MSR = 1u << 28,
       INTERCEPT1_TASK_SWITCH = 1u << 29,
       INTERCEPT1_SHUTDOWN = 1u << 31
};

enum { /* VMCB 010h */
       INTERCEPT2_VMRUN = 1u << 0,
       INTERCEPT2_VMMCALL = 1u << 1,
       INTERCEPT2_VMLOAD = 1u << 2,
       INTERCEPT2_VMSAVE = 1u << 3,
       INTERCEPT2_STGI = 1u << 4,
       INTERCEPT2_CLGI = 1u << 5,
       INTERCEPT2_SKINIT = 1u << 6,
       INTERCEPT2_MONITOR = 1u << 10,
       INTERCEPT2_MWAIT = 3u << 11, /* unconditional, and if armed */
       INTERCEPT2_XSETBV = 1u << 13
};

enum { TLB_KEEP = 0, TLB_FLUSH_ALL = 1, TLB_FLUSH_GUEST = 3 }; /* VMCB 05Ch: APM2 15.16.1 */

/* VMCB 060h: APM2 15.21 */
#define V_IRQ          (1ull << 8)
#define V_PRIORITY     16
#define V_INTR_MASKING (1ull << 24)
#define V_VECTOR       32
#define V_REQUEST      (V_IRQ | 0xfull << V_PRIORITY | 0xffull << V_VECTOR)

enum { /* VMCB 0C0h, the groups of fields that the processor may keep cached: APM2 15.15.3 */
       CLEAN_INTERCEPTS = 1 << 0,
       CLEAN_PERMISSION_MAPS = 1 << 1,
       CLEAN_ASID = 1 << 2,
       CLEAN_VIRQ = 1 << 3,
       CLEAN_NESTED_PAGING = 1 << 4,     /* nCR3, G_PAT */
       CLEAN_CONTROL_REGISTERS = 1 << 5, /* CR0, CR3, CR4, EFER */
       CLEAN_CR2 = 1 << 9,
       CLEAN_ALL = 0x3ff
};

enum {                        /* VMCB 070h: APM2 appendix C */
       EXIT_EXCEPTION = 0x40, /* + vector */
       EXIT_INTR = 0x60,
       EXIT_NMI = 0x61,
       EXIT_INIT = 0x63,
       EXIT_CPUID = 0x72,
       EXIT_INVD = 0x76,
       EXIT_HLT = 0x78,
       EXIT_INVLPGA = 0x7a,
       EXIT_IOIO = 0x7b,
       EXIT_MSR = 0x7c,
       EXIT_TASK_SWITCH = 0x7d,
       EXIT_SHUTDOWN = 0x7f,
       EXIT_VMRUN = 0x80,
       EXIT_VMMCALL = 0x81,
       EXIT_VMLOAD = 0x82,
       EXIT_VMSAVE = 0x83,
       EXIT_STGI = 0x84,
       EXIT_CLGI = 0x85,
       EXIT_SKINIT = 0x86,
       EXIT_MONITOR = 0x8a,
       EXIT_MWAIT = 0x8b,
       EXIT_MWAIT_ARMED = 0x8c,
       EXIT_XSETBV = 0x8d,
       EXIT_NPF = 0x400
};

#endif
