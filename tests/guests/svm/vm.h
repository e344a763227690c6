/*
 * The VMM of the SVM test guests: one VMCB, filled with a 64-bit guest that runs a piece of this image under identity nested
 * tables, and one call that runs it to its next #VMEXIT. Every exception is intercepted to begin with, so code that comes to
 * its end (INT3) leaves with EXIT_DONE. Layout: APM2 appendix B.
 *
 * QEMU 7.2's TCG fails nearly a third of these tests and does not come to the end of three guests, so `run --qemu` leaves them
 * out unless named. Seen there, against the manual: INT3 does not heed the #BP intercept, so EXIT_DONE never comes and much
 * fails for that alone; EXITCODE -1 has 32 bits; EXITINFO1 of MOV CRn does not name the register; IOIO lacks the address size;
 * EXITINTINFO is 403h, without V, after INT3; the host's PAT and DR7 do not come back, G_PAT is not saved; RDMSR of the TSC in a
 * guest gives no TSC; TF over VMRUN traps before VMRUN's end; an INTR test ends it in an assertion.
 */
#ifndef TEST_GUEST_VM_H
#define TEST_GUEST_VM_H

#include "guest64.h"

struct vmcb_seg {
	u16 sel, attr;
	u32 limit;
	u64 base;
};

struct vmcb {
	u16 cr_read, cr_write, dr_read, dr_write; /* 000 */
	u32 exceptions, icpt3, icpt4, icpt5;      /* 008 */
	u8 pad018[0x3c - 0x18];
	u16 pause_threshold, pause_count;
	u64 iopm, msrpm, tsc_offset;                               /* 040 */
	u32 asid, tlb_control;                                     /* 058 */
	u64 v_intr, shadow, exitcode, info1, info2, intinfo;       /* 060 */
	u64 np, avic_bar, ghcb, eventinj, ncr3, virt_ext, clean;   /* 090 */
	u64 nrip;                                                  /* 0c8 */
	u8 fetched, bytes[15];                                     /* 0d0 */
	u8 pad0e0[0x400 - 0xe0];
	struct vmcb_seg es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr; /* 400 */
	u8 pad4a0[0x4cb - 0x4a0], cpl, pad4cc[4];
	u64 efer; /* 4d0 */
	u8 pad4d8[0x548 - 0x4d8];
	u64 cr4, cr3, cr0, dr7, dr6, rflags, rip; /* 548 */
	u8 pad580[0x5d8 - 0x580];
	u64 rsp, s_cet, ssp, isst, rax;                                                               /* 5d8 */
	u64 star, lstar, cstar, sfmask, kernel_gs_base, sysenter_cs, sysenter_esp, sysenter_eip, cr2; /* 600 */
	u8 pad648[0x668 - 0x648];
	u64 g_pat, dbgctl, br_from, br_to, exc_from, exc_to; /* 668 */
	u8 pad698[0x1000 - 0x698];
};

/* Intercepts as one number: word * 32 + bit. */
enum { I_CR_READ = 0, I_CR_WRITE = 16, I_DR_READ = 32, I_DR_WRITE = 48, I_EXC = 64, I_INTR = 96, I_NMI, I_SMI, I_INIT,
       I_VINTR, I_CR0_SEL, I_IDTR_READ, I_GDTR_READ, I_LDTR_READ, I_TR_READ, I_IDTR_WRITE, I_GDTR_WRITE, I_LDTR_WRITE,
       I_TR_WRITE, I_RDTSC, I_RDPMC, I_PUSHF, I_POPF, I_CPUID, I_RSM, I_IRET, I_INTN, I_INVD, I_PAUSE, I_HLT, I_INVLPG,
       I_INVLPGA, I_IOIO, I_MSR, I_TASK, I_FERR, I_SHUTDOWN, I_VMRUN = 128, I_VMMCALL, I_VMLOAD, I_VMSAVE, I_STGI, I_CLGI,
       I_SKINIT, I_RDTSCP, I_ICEBP, I_WBINVD, I_MONITOR, I_MWAIT, I_MWAIT_ARMED, I_XSETBV, I_RDPRU, I_EFER_TRAP,
       I_CR_TRAP, I_INVLPGB = 160, I_INVLPGB_ILLEGAL, I_INVPCID, I_MCOMMIT, I_TLBSYNC };

/* EXITCODE. APM2 appendix C */
enum { EXIT_EXC = 0x40, EXIT_DB = 0x41, EXIT_DONE = 0x43, EXIT_UD = 0x46, EXIT_GP = 0x4d, EXIT_PF = 0x4e, EXIT_INTR = 0x60,
       EXIT_NMI, EXIT_SMI, EXIT_INIT, EXIT_VINTR, EXIT_CR0_SEL, EXIT_CPUID = 0x72, EXIT_IRET = 0x74, EXIT_SWINT,
       EXIT_PAUSE = 0x77, EXIT_HLT, EXIT_IOIO = 0x7b, EXIT_MSR, EXIT_TASK, EXIT_SHUTDOWN = 0x7f, EXIT_VMRUN, EXIT_VMMCALL,
       EXIT_NPF = 0x400 };
#define EXIT_INVALID (~0ull)

#define V_IRQ          0x100ull
#define V_GIF          0x200ull
#define V_NMI          0x800ull
#define V_NMI_MASK     0x1000ull
#define V_PRIO(n)      ((u64)(n) << 16)
#define V_IGN_TPR      (1ull << 20)
#define V_INTR_MASKING (1ull << 24)
#define V_GIF_ENABLE   (1ull << 25)
#define V_NMI_ENABLE   (1ull << 26)
#define V_VECTOR(n)    ((u64)(n) << 32)

#define EV_VALID (1u << 31)
#define EV_ERR   (1u << 11)
#define EV(type, vector)           ((u64)EV_VALID | (type) << 8 | (vector))
#define EV_ERROR(type, vector, e)  (EV(type, vector) | EV_ERR | (u64)(e) << 32)
enum { EV_INTR = 0, EV_NMI = 2, EV_EXC = 3, EV_SOFT = 4 };

#define EFER_NXE 0x800u
#define EFER_SVME 0x1000u
#define MSR_TSC_RATIO   0xc0000104u
#define MSR_VM_CR       0xc0010114u
#define MSR_VM_HSAVE_PA 0xc0010117u

struct vm_regs {
	u64 rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
};

extern struct vmcb *vm;      /* the one that vm_run runs */
extern struct vm_regs vr;    /* the guest's other registers */
extern u64 *npt;             /* root of the nested tables: 4 GB, 2 MB pages, P W U; rebuilt by npt_new */
extern u8 *iopm, *msrpm;     /* all clear in a new guest */
extern u64 vm_host_flags;    /* RFLAGS at VMRUN: 2 in a new guest */
extern const u8 vm_stubs[];  /* the guest's IDT: 16 bytes a vector, VMMCALL first */
extern u8 *vm_stack;         /* top of the guest's stack */
extern u32 svm_features;     /* CPUID Fn8000_000A EDX */
enum { F_NP = 1, F_LBRV = 2, F_SVML = 4, F_NRIPS = 8, F_TSC_RATE = 0x10, F_CLEAN = 0x20, F_FLUSH = 0x40, F_DECODE = 0x80,
       F_PAUSE = 0x400, F_THRESHOLD = 0x1000, F_VVMLOAD = 0x8000, F_VGIF = 0x10000, F_VNMI = 1 << 25 };

void svm_on(void);
void vm_new(const void *code);
void vm_new32(const void *code, bool paging); /* flat 32-bit protected mode, PAE under boot tables' low GB or none */
void vm_new16(const void *code);              /* real mode, the code copied to 1000:0000 */
enum { LOW_CODE = 0x10000 };
void npt_new(void);
void vm_set(unsigned intercept, bool on);
u64 vm_run(void); /* CLGI, VMLOAD, VMRUN, VMSAVE, VMLOAD, STGI. Returns EXITCODE, TLB_CONTROL and EVENTINJ are 0 afterwards */
u64 vm_run_gif0(void);          /* the same, GIF is still 0 */
u64 vm_start(const void *code); /* vm_new and vm_run */
int vm_vector(void);            /* the vector whose stub the guest is in, or -1 */
u64 vm_frame(unsigned word);    /* words on its stack */

void exit_is(u64 code, const char *name);
void exit_info(u64 code, u64 info1, u64 info2, const char *name);
/* ... at code + off; nrip: where nRIP points, as an offset too, or -1: not written by this exit. */
void exit_at(u64 code, u64 info1, u64 info2, const void *at, int off, int nrip, const char *name);
void vector_is(int vector, u64 error, const char *name); /* a stub was entered with this error code on its stack; ~0: none */

static inline void stgi(void) { __asm__ volatile("stgi" : : : "memory"); }
static inline void clgi(void) { __asm__ volatile("clgi" : : : "memory"); }
static inline void vmsave(void *p) { __asm__ volatile("vmsave %0" : : "a"(p) : "memory"); }
static inline void vmload(void *p) { __asm__ volatile("vmload %0" : : "a"(p) : "memory"); }

#endif
