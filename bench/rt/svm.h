/*
 * A small virtual machine monitor's tool box: the VMCB (APM2 Appendix B), and entering a guest the way a real one does.
 * The guest is a C function of this image in long mode at CPL 0, with nested paging.
 */
#ifndef SVM_H
#define SVM_H

#include "rt64.h"

struct vmcb_seg {
	u16 sel, attr;
	u32 limit;
	u64 base;
};

struct vmcb {
	u16 cr_read, cr_write, dr_read, dr_write; /* 000 */
	u32 exceptions, intercept1, intercept2;   /* 008 */
	u8 pad014[0x40 - 0x14];
	u64 iopm_pa, msrpm_pa, tsc_offset; /* 040 */
	u32 asid;                          /* 058 */
	u8 tlb_control, pad05d[3];
	u64 vintr, int_shadow;                                /* 060 */
	u64 exitcode, exitinfo1, exitinfo2, exitintinfo;      /* 070 */
	u64 np_enable, avic_bar, ghcb, eventinj, ncr3, lbr;   /* 090 */
	u64 clean, nrip;                                      /* 0c0 */
	u8 fetched, bytes[15];                                /* 0d0 */
	u8 pad0e0[0x400 - 0xe0];
	struct vmcb_seg es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr; /* 400 */
	u8 pad4a0[0x4cb - 0x4a0];
	u8 cpl; /* 4cb */
	u32 pad4cc;
	u64 efer; /* 4d0 */
	u8 pad4d8[0x548 - 0x4d8];
	u64 cr4, cr3, cr0, dr7, dr6, rflags, rip; /* 548 */
	u8 pad580[0x5d8 - 0x580];
	u64 rsp, s_cet, ssp, isst, rax; /* 5d8 */
	u64 star, lstar, cstar, sfmask, kernel_gs_base, sysenter_cs, sysenter_esp, sysenter_eip, cr2; /* 600 */
	u8 pad648[0x668 - 0x648];
	u64 g_pat, dbgctl; /* 668 */
	u8 pad678[0x1000 - 0x678];
};

enum {
	INT1_INTR = 1 << 0,
	INT1_NMI = 1 << 1,
	INT1_CPUID = 1 << 18,
	INT1_INVD = 1 << 22,
	INT1_HLT = 1 << 24,
	INT1_INVLPGA = 1 << 26,
	INT1_IOIO = 1 << 27,
	INT1_MSR = 1 << 28,
	INT1_SHUTDOWN = (int)(1u << 31),
	INT2_VMRUN_TO_SKINIT = 0x7f, /* VMRUN VMMCALL VMLOAD VMSAVE STGI CLGI SKINIT */
};

enum { EXIT_CPUID = 0x72, EXIT_IOIO = 0x7b, EXIT_VMMCALL = 0x81, EXIT_NPF = 0x400 };
enum { TLB_NOTHING = 0, TLB_FLUSH_ALL = 1, TLB_FLUSH_GUEST = 3 };
enum { IOIO_IN = 1 }; /* EXITINFO1: APM2 15.10.2 */

/* The guest's registers that the VMCB does not hold; the order is known to svm_switch. */
struct vm_regs {
	u64 rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
};

struct vm {
	struct vmcb *vmcb;
	u64 host_pa; /* a VMCB that holds the host's half of VMSAVE */
	struct vm_regs r;
};

/*
 * Turns SVM on and makes a guest that will run entry(n) on its own stack under the guest tables cr3 and the nested tables
 * ncr3. Ends the payload if the machine has no SVM or no nested paging.
 */
void vm_init(struct vm *vm, void (*entry)(u64 n), u64 n, u64 cr3, u64 ncr3);
/* Runs the guest until its next #VMEXIT. */
void vm_run(struct vm *vm);
/* The next entry flushes the guest's translations. */
void vm_flush(struct vm *vm);
_Noreturn void vm_unexpected(const struct vm *vm);

#endif
