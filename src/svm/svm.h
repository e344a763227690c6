/*
 * What the CPU core knows of SVM: the state that the CPU carries, and the few questions it asks: does this exit, enter a
 * guest, leave it. Everything else stays in src/svm. APM2 ch. 15.
 */
#ifndef SVM_SVM_H
#define SVM_SVM_H

#include "base/types.h"

struct x86_cpu;
struct x86_op;

/* Intercept bits as one flat number: word * 32 + bit, in the order of the VMCB's intercept words (offset 0, 4, ...). APM2 app. B. */
enum svm_intercept {
	ICPT_CR_READ = 0, ICPT_CR_WRITE = 16, /* + register */
	ICPT_DR_READ = 32, ICPT_DR_WRITE = 48,
	ICPT_EXC = 64, /* + vector */
	ICPT_INTR = 96, ICPT_NMI, ICPT_SMI, ICPT_INIT, ICPT_VINTR, ICPT_CR0_SEL, ICPT_IDTR_READ, ICPT_GDTR_READ, ICPT_LDTR_READ,
	ICPT_TR_READ, ICPT_IDTR_WRITE, ICPT_GDTR_WRITE, ICPT_LDTR_WRITE, ICPT_TR_WRITE, ICPT_RDTSC, ICPT_RDPMC, ICPT_PUSHF, ICPT_POPF,
	ICPT_CPUID, ICPT_RSM, ICPT_IRET, ICPT_INTN, ICPT_INVD, ICPT_PAUSE, ICPT_HLT, ICPT_INVLPG, ICPT_INVLPGA, ICPT_IOIO, ICPT_MSR,
	ICPT_TASK_SWITCH, ICPT_FERR_FREEZE, ICPT_SHUTDOWN,
	ICPT_VMRUN = 128, ICPT_VMMCALL, ICPT_VMLOAD, ICPT_VMSAVE, ICPT_STGI, ICPT_CLGI, ICPT_SKINIT, ICPT_RDTSCP, ICPT_ICEBP, ICPT_WBINVD,
	ICPT_MONITOR, ICPT_MWAIT, ICPT_MWAIT_ARMED, ICPT_XSETBV, ICPT_RDPRU, ICPT_EFER_WRITE_TRAP, ICPT_CR_WRITE_TRAP /* + register */,
	ICPT_INVLPGB = 160, ICPT_INVLPGB_ILLEGAL, ICPT_INVPCID, ICPT_MCOMMIT, ICPT_TLBSYNC,
};
#define ICPT_WORDS 6

#define SVM_ASIDS 32768u /* CPUID Fn8000_000A EBX */

/* EXITCODE of an instruction intercept: the codes follow the bit order. APM2 app. C. */
static inline u64 svm_code(enum svm_intercept i)
{
	return i < 128 ? (u64)i : i < 160 ? 0x80u + (i - 128) : 0xa0u + (i - 160);
}

/* SVM state of one CPU. Saved. */
struct svm_state {
	u8 guest;  /* between VMRUN and #VMEXIT */
	u8 gif;    /* global interrupt flag; 1 after reset */
	u8 smm_suspends; /* an SMI was taken in the guest: intercepts are off until RSM */
	u8 np;     /* nested paging on for the running guest */
	u32 asid;  /* of the running guest */
	u64 vmcb_pa;
	u32 icpt[ICPT_WORDS]; /* the running guest's intercepts */
	u64 vm_cr, hsave_pa, svm_key, tsc_ratio; /* MSRs */
	u64 iopm_pa, msrpm_pa, tsc_offset, int_ctl; /* of the running guest; int_ctl is the live V_TPR/V_IRQ/V_GIF/... word, VMCB 60h */
	u64 priv[64]; /* src/svm's own: clean-bit cache tags and values, pause filter, event under delivery, ... described by svm_fields */
};

/* True when the running guest intercepts i. */
static inline bool svm_wants(const struct svm_state *s, unsigned i)
{
	return unlikely(s->guest) && (s->icpt[i >> 5] >> (i & 31) & 1) && !s->smm_suspends;
}

/* #VMEXIT out of the present instruction (c->op) or, between instructions, at c->rip: saves the guest, restores the host, unwinds to
 * the run loop. */
void svm_exit(struct x86_cpu *c, u64 code, u64 info1, u64 info2) __attribute__((noreturn));

/* Instruction intercept without info: the most common call. */
static inline void svm_check(struct x86_cpu *c, const struct svm_state *s, enum svm_intercept i)
{
	if (svm_wants(s, i))
		svm_exit(c, svm_code(i), 0, 0);
}

/* Each of these exits when the guest intercepts the thing, else returns. APM2 15.9-15.12. */
void svm_check_msr(struct x86_cpu *c, u32 msr, bool write);
/* seg: SEG_ES..SEG_GS for string instructions; asize: address size in bytes. next_rip is taken from c. */
void svm_check_io(struct x86_cpu *c, u16 port, unsigned size, bool in, bool string, bool rep, unsigned seg, unsigned asize);
/* MOV CRn: gpr < 0 when the instruction is CLTS, LMSW or SMSW. new_val: for selective CR0 writes by MOV (CLTS is none; LMSW
 * always is one and asks for ICPT_CR0_SEL itself, after this). */
void svm_check_cr_read(struct x86_cpu *c, unsigned cr, int gpr);
void svm_check_cr_write(struct x86_cpu *c, unsigned cr, int gpr, u64 new_val);
void svm_check_dr(struct x86_cpu *c, unsigned dr, int gpr, bool write);
/* Called when an exception is about to be delivered (before CR2/DR6 are written): exits when intercepted. error is EXITINFO1, cr2
 * EXITINFO2 for #PF. */
void svm_check_exception(struct x86_cpu *c, unsigned vector, u32 error, u64 cr2);
/* INTn: vector in EXITINFO1 with decode assists. */
void svm_check_intn(struct x86_cpu *c, u8 vector);
void svm_check_task_switch(struct x86_cpu *c, u16 sel, u64 info2);
/* PAUSE, with filter count and threshold. */
void svm_check_pause(struct x86_cpu *c);
/* #VMEXIT after the present instruction, whose effects are complete (CR and EFER write traps): nRIP and rIP are those of the next one. */
void svm_trap(struct x86_cpu *c, u64 code, u64 info1) __attribute__((noreturn));
/* A nested page fault met by the guest's access: always exits. w is the refused walk. */
struct walk;
struct paging;
void svm_npf(struct x86_cpu *c, const struct walk *w) __attribute__((noreturn));

/* The event being delivered through the IDT (for EXITINTINFO): set by exception delivery before it touches memory, cleared after.
 * type: 0 external interrupt, 2 NMI, 3 exception, 4 software interrupt. APM2 15.7.2. */
void svm_begin_event(struct x86_cpu *c, unsigned vector, unsigned type, bool has_error, u32 error);
void svm_end_event(struct x86_cpu *c);

/* Between instructions, first thing whenever PEND_VIRQ is set and before any other event: delivers what VMRUN was told to inject. True:
 * something was delivered (or unwinds if that fails). Clears PEND_VIRQ when nothing more is pending. */
bool svm_take_injection(struct x86_cpu *c);

/* Physical interrupt/NMI/SMI/INIT about to be taken in a guest: exits if intercepted, else returns. */
void svm_check_event(struct x86_cpu *c, enum svm_intercept i);
/* Between instructions: takes #VMEXIT(VINTR) or returns the virtual interrupt's vector to deliver now, or -1. */
int svm_virtual_interrupt(struct x86_cpu *c);
/* True if a virtual interrupt or virtual NMI may become deliverable (cheap; asked when events are polled). */
bool svm_virtual_pending(const struct x86_cpu *c);
int svm_virtual_nmi(struct x86_cpu *c); /* 1: deliver a virtual NMI now (vector 2); 0 none. It masks itself: leave nmi_masked alone */
/* V_TPR, V_GIF or V_NMI_MASK changed: something may have become deliverable. */
void svm_virtual_changed(struct x86_cpu *c);
/* Whether physical INTR looks at EFLAGS.IF of the host (V_INTR_MASKING) while a guest runs: the IF value to use. */
bool svm_physical_if(const struct x86_cpu *c);

/* CR8/TPR access while a guest with V_INTR_MASKING runs goes to V_TPR. Returns false when the physical TPR is meant. */
bool svm_cr8_read(struct x86_cpu *c, u64 *val);
bool svm_cr8_write(struct x86_cpu *c, u64 val);

/* The guest's view of the TSC: (tsc * ratio) + offset. */
u64 svm_guest_tsc(const struct x86_cpu *c, u64 tsc);
/* The guest's view of MPERF: ticks * ratio. */
u64 svm_guest_scaled(const struct x86_cpu *c, u64 ticks);

/* MSRs C001_0114h-C001_0118h and C000_0104h. False: #GP. */
bool svm_msr_read(struct x86_cpu *c, u32 msr, u64 *val);
bool svm_msr_write(struct x86_cpu *c, u32 msr, u64 val);

void svm_reset(struct svm_state *s); /* RESET */
void svm_init(struct svm_state *s);  /* INIT: keeps the MSRs */
void svm_sipi(struct x86_cpu *c);    /* a start-up message is taken */
/* After state was loaded as a whole (snapshot, RSM): fills the nested dimension of c->tlb.env, before x86_paging_changed. */
void svm_state_changed(struct x86_cpu *c);
/* The nested dimension for the running guest. */
void svm_nested_paging(struct x86_cpu *c, struct paging *np);

/* VM_CR. APM2 15.30.1 */
enum { VM_CR_DPD = 1, VM_CR_R_INIT = 2, VM_CR_DIS_A20M = 4, VM_CR_LOCK = 8, VM_CR_SVMDIS = 16 };
/* An INIT that is neither held nor intercepted becomes #SX with error code 1. APM2 15.21.8, 15.28 */
static inline bool svm_init_redirected(const struct svm_state *s) { return s->vm_cr & VM_CR_R_INIT; }

/* Rows of struct svm_state, priv included. */
struct field;
extern const struct field svm_fields[];
extern const size_t svm_fields_n;

/* Instruction bodies, called by the handlers of cpu_x86 after c->op is set. They raise their own #UD/#GP, check their own
 * intercepts, and either return (rIP moves on) or unwind (VMRUN, exits). */
/* Somebody else than the VMM wrote the VMCB: the next VMRUN loads all of it, whatever its clean bits say, as hardware may. APM2 15.15.2 */
void svm_forget(struct x86_cpu *c, u64 vmcb_pa);
void svm_vmrun(struct x86_cpu *c, u64 rax) __attribute__((noreturn));
void svm_vmload(struct x86_cpu *c, u64 rax);
void svm_vmsave(struct x86_cpu *c, u64 rax);
void svm_vmmcall(struct x86_cpu *c);
void svm_stgi(struct x86_cpu *c);
void svm_clgi(struct x86_cpu *c);
void svm_skinit(struct x86_cpu *c, u32 eax) __attribute__((noreturn));
void svm_invlpga(struct x86_cpu *c, u64 va, u32 asid);

#endif
