/*
 * One AMD64 processor: its state and the calls between the files of this room. The upper part of struct x86_cpu is saved
 * state (plain, covered by x86_fields); the lower part is derived or wiring. APM2 ch. 3 (system resources).
 */
#ifndef CPU_X86_CPU_H
#define CPU_X86_CPU_H

#include <setjmp.h>

#include "base/event.h"
#include "base/field.h"
#include "base/sched.h"
#include "base/types.h"
#include "cpu_x86/model.h"
#include "cpu_x86/op.h"
#include "cpu_x86/rules.h"
#include "mmu/tlb.h"
#include "svm/svm.h"

enum {
	FLAG_CF = 1 << 0, FLAG_1 = 1 << 1, FLAG_PF = 1 << 2, FLAG_AF = 1 << 4, FLAG_ZF = 1 << 6, FLAG_SF = 1 << 7, FLAG_TF = 1 << 8,
	FLAG_IF = 1 << 9, FLAG_DF = 1 << 10, FLAG_OF = 1 << 11, FLAG_IOPL = 3 << 12, FLAG_NT = 1 << 14, FLAG_RF = 1 << 16,
	FLAG_VM = 1 << 17, FLAG_AC = 1 << 18, FLAG_VIF = 1 << 19, FLAG_VIP = 1 << 20, FLAG_ID = 1 << 21,
	FLAGS_ARITH = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF,
};
#define CR0_PE BIT(0)
#define CR0_MP BIT(1)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_ET BIT(4)
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)
#define CR0_AM BIT(18)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR0_PG BIT(31)
#define CR4_VME BIT(0)
#define CR4_PVI BIT(1)
#define CR4_TSD BIT(2)
#define CR4_DE BIT(3)
#define CR4_PSE BIT(4)
#define CR4_PAE BIT(5)
#define CR4_MCE BIT(6)
#define CR4_PGE BIT(7)
#define CR4_PCE BIT(8)
#define CR4_OSFXSR BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_UMIP BIT(11)
#define CR4_LA57 BIT(12)
#define CR4_FSGSBASE BIT(16)
#define CR4_PCIDE BIT(17)
#define CR4_OSXSAVE BIT(18)
#define CR4_SMEP BIT(20)
#define CR4_SMAP BIT(21)
#define EFER_SCE BIT(0)
#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)
#define EFER_NXE BIT(11)
#define EFER_SVME BIT(12)
#define EFER_LMSLE BIT(13)
#define EFER_FFXSR BIT(14)
#define EFER_TCE BIT(15)

enum { VEC_DE, VEC_DB, VEC_NMI, VEC_BP, VEC_OF, VEC_BR, VEC_UD, VEC_NM, VEC_DF, VEC_TS = 10, VEC_NP, VEC_SS, VEC_GP, VEC_PF, VEC_MF = 16, VEC_AC,
       VEC_MC, VEC_XM };

/* A segment register. attr is the VMCB's 12-bit form: type (3:0), S (4), DPL (6:5), P (7), AVL (8), L (9), D/B (10), G (11).
 * limit is in bytes (G already applied). APM2 15.5, app. B. */
struct x86_seg {
	u16 sel, attr;
	u32 limit;
	u64 base;
};
enum { ATTR_TYPE = 0xf, ATTR_S = 0x10, ATTR_DPL = 0x60, ATTR_P = 0x80, ATTR_AVL = 0x100, ATTR_L = 0x200, ATTR_DB = 0x400, ATTR_G = 0x800 };
static inline unsigned seg_dpl(const struct x86_seg *s) { return s->attr >> 5 & 3; }

struct x86_dt {
	u64 base;
	u16 limit, pad[3];
};

enum x86_activity { ACT_RUN, ACT_HALT, ACT_MWAIT, ACT_WAIT_SIPI, ACT_SHUTDOWN };

/* x87, SSE and AVX registers as FXSAVE/XSAVE see them. */
struct x86_fpu {
	u16 fcw, fsw;
	u8 ftw;   /* abridged: 1 = valid */
	u8 ignne; /* the PC asserts IGNNE: without CR0.NE, pending exceptions are ignored */
	u16 fop;
	u64 fip, fdp;
	u32 mxcsr;     /* while x86_run runs, the status flags are in the host's MXCSR: vec_mxcsr() */
	u16 fcs, fds;  /* selectors that go with fip and fdp */
	u8 st[8][16];  /* 80-bit ST(i), in FXSAVE order */
	u8 ymm[16][32];
};

/* MSRs without a home elsewhere. */
struct x86_msrs {
	u64 star, lstar, cstar, sfmask, kernel_gs_base, sysenter_cs, sysenter_esp, sysenter_eip;
	u64 tsc_aux, pat, apic_base, mcg_status, debugctl, br_from, br_to, exc_from, exc_to, misc_enable;
	u64 tsc_adjust; /* added to virtual time to give the TSC */
	u64 mtrr_def, mtrr_fix[11], mtrr_base[8], mtrr_mask[8];
	u64 syscfg, hwcr, smbase, smm_addr, smm_mask, iorr[4], top_mem, top_mem2, patch_level, spec_ctrl, tsc_deadline;
	u64 mc[4 * 8];
	u64 xss;
	u64 extra[16]; /* further read/write MSRs listed in msr.def */
};

/* Reasons to look up from the loop between instructions; c->pending holds them. */
enum {
	PEND_INTR = 1,    /* the local APIC or the PIC may have an interrupt (level; recomputed by the board's callback) */
	PEND_NMI = 2,
	PEND_SMI = 4,
	PEND_INIT = 8,
	PEND_SIPI = 16,
	PEND_DB = 32,     /* c->db_pending: a debug trap is due after the instruction that just ended */
	PEND_SHADOW = 64, /* interrupts are held for one more instruction */
	PEND_VIRQ = 128,  /* a virtual interrupt or virtual NMI of the running guest may be due */
	PEND_VNMI = 256,
};

/* What the board gives the CPU. */
struct x86_board {
	void *arg;
	int (*intack)(void *arg, unsigned cpu);            /* take the highest interrupt: vector, or -1 if it went away */
	bool (*intr)(void *arg, unsigned cpu);             /* is one waiting? */
	u64 (*tpr_read)(void *arg, unsigned cpu);          /* CR8 */
	void (*tpr_write)(void *arg, unsigned cpu, u64 val);
	bool (*apic_base_write)(void *arg, unsigned cpu, u64 val); /* false: #GP */
	bool (*x2apic_read)(void *arg, unsigned cpu, u32 msr, u64 *val);
	bool (*x2apic_write)(void *arg, unsigned cpu, u32 msr, u64 val);
	void (*tsc_deadline)(void *arg, unsigned cpu, u64 when); /* arm at that TSC value; 0 disarms */
	void (*smm_changed)(void *arg, unsigned cpu, bool smm);  /* SMRAM opens and closes */
	void (*a20m_changed)(void *arg);                         /* VM_CR.DIS_A20M was written */
	void (*ferr)(void *arg, bool level);
};

enum x86_unwind { UNWIND_FAULT = 1, UNWIND_WORLD, UNWIND_ALONE };

/* Why the CPU stopped running. */
enum x86_stop {
	X86_STOP_BUDGET,   /* instruction budget used up */
	X86_STOP_KICK,     /* sched->kick or another CPU's business: the machine must look */
	X86_STOP_IDLE,     /* halted (or waiting for SIPI) with nothing pending */
	X86_STOP_SHUTDOWN, /* triple fault; c->first_fault tells the chain */
	X86_STOP_UNIMPLEMENTED, /* c->stop_text names it */
	X86_STOP_REQUEST,  /* someone called x86_stop() */
};

struct x86_exception {
	u8 vector, has_error, soft; /* soft: INTn, INT3, INTO: rip moves on, DPL is checked */
	u8 pad;
	u16 rule;
	u16 pad2;
	u32 error;
	u32 pad3;
	u64 cr2; /* #PF address; #DB: DR6 bits to set */
};

/* Where indirect branches of 64-bit code went: valid while key (TLB context, mode, fetch translations) is the present one. */
#define JUMP_BITS 10
struct x86_jump_entry {
	u64 rip, key;
	struct x86_block *block;
	u64 pad;
};

/* A debugger's ears; every CPU has NULL when nobody listens. va and pa as accessed; nothing may be changed. */
struct x86_spy {
	void *arg;
	/* The instruction at va is marked (x86_code_spy) or stepped over; true: the run loop leaves before it. */
	bool (*insn)(void *arg, struct x86_cpu *c, u64 va);
	/* Does the access concern somebody? Then the instruction runs alone, and access() is called right before its effect. */
	bool (*wants)(void *arg, struct x86_cpu *c, u64 va, u64 pa, unsigned size, bool write);
	void (*access)(void *arg, struct x86_cpu *c, u64 va, u64 pa, unsigned size, bool write, u64 val);
	/* NULL, or: up to 8 bytes that the processor itself reads, or is about to write, at pa; who says what did ("#VMEXIT"). */
	void (*own)(void *arg, struct x86_cpu *c, const char *who, u64 pa, unsigned size, bool write, u64 val);
	bool (*stopping)(void *arg); /* with own: something was met, and the machine is to stop */
};

struct x86_cpu {
	/* ---- saved state ---- */
	u64 r[R_COUNT]; /* GPRs; r[R_ZERO] is always 0; r[R_RIP] is the rip of the running block's start */
	u8 flow, fof;   /* arithmetic flags: see flags.h */
	u8 pad0[6];
	u64 rip;   /* between blocks */
	u32 flags; /* rFLAGS without the arithmetic bits */
	u8 cpl, shadow /* interrupt shadow: STI or MOV SS just ended */, nmi_masked, activity;
	struct x86_seg seg[SEG_COUNT];
	struct x86_dt gdt, idt;
	u64 cr0, cr2, cr3, cr4, efer, xcr0;
	u64 pdpte[4];
	u64 dr[8]; /* 0-3, 6, 7 used */
	u64 db_pending; /* DR6 bits of debug traps due */
	u32 pending, sipi_vector;
	u64 monitor_pa; /* armed MONITOR line, ~0 none */
	struct x86_msrs msr;
	u8 pad2[32]; /* so that fpu.ymm is aligned */
	struct x86_fpu fpu;
	u8 vec_tmp[32]; /* no state: register VEC_TMP, a memory operand */
	struct svm_state svm;
	u8 smm, shadow_nmi /* MOV SS also holds NMI/#DB */, pad1[6];
	u64 retired; /* instructions of this CPU */

	/* ---- derived from the above, never saved ---- */
	char derived[0];
	struct x86_op vec_op[2]; /* the op that works on vec_tmp, and one that stops */
	bool vec_live;           /* the host's MXCSR is the guest's; and what it was before */
	u32 vec_host_csr;
	s64 budget;    /* instructions left until the machine must look; goes down at block entry */
	s64 held;      /* budget set aside while one instruction is stepped */
	u64 time_end;  /* virtual time when budget reaches 0 */
	u64 run_start; /* virtual time when x86_run was entered */
	u64 waited;    /* of the time since then: what PAUSE took beyond its nanosecond */
	u64 sbase[8], srlim[8], swlim[8]; /* segment bases and (limit + 1) for reads, writes: see x86_seg_changed */
	u64 rip_mask;  /* of the code size */
	u64 cs_lim;    /* last valid rip */
	u32 mode;      /* block key: enum x86_mode bits */
	const struct x86_op *op; /* the instruction under way, for faults; NULL between instructions */
	u64 new_rip;   /* where an instruction body that ends its block continues */
	jmp_buf unwind;
	struct x86_exception exc; /* raised, to be delivered by the loop */
	bool exc_raised;          /* exc is valid */
	bool step;                /* run one instruction at a time: TF, RF, shadow, execution breakpoints, trace */
	bool break_exec;          /* some DR0-3 is an enabled execution breakpoint */
	bool trace_exec;          /* EV_EXEC wanted */
	bool device;              /* the instruction touched a device */
	u8 fp;                    /* enum x86_fp: where the x87 registers are (fpu.h); FP_MEMORY outside x86_run */
	u16 x87_fop, x87_fds;     /* of the last x87 instruction while fp is FP_X87: fpu.fop, fds, fdp */
	u64 x87_fdp;
	bool tf_after;            /* the instruction single-steps by the TF that it leaves: SYSCALL, SYSRET, INTn */
	struct x86_exception first_fault[3]; /* the chain to a triple fault */
	u64 first_rip[3];
	unsigned faults;
	bool stop;
	char stop_text[128];
	u64 jump_key;
	struct x86_jump_entry jump[1 << JUMP_BITS];
	struct tlb tlb;

	/* ---- wiring ---- */
	unsigned id;
	const struct x86_model *model;
	struct x86_code *code; /* decoded blocks, shared by all CPUs of the machine */
	struct space *mem, *io;
	struct sched *sched;
	struct event_log *log;
	const struct x86_spy *spy; /* data pages that it wants are told to the TLB: tlb_spy */
	struct x86_board board;
	u64 *icount; /* the machine's instruction count, exact when a CPU does not run */
} __attribute__((aligned(16))); /* vector registers are */

/* Mode bits of the block key. */
enum x86_mode {
	MODE_16 = 0, MODE_32 = 1, MODE_64 = 2, MODE_SIZE = 3, /* code size */
	MODE_STACK32 = 4, MODE_STACK64 = 8,
	MODE_PE = 16, MODE_VM = 32, MODE_LONG = 64 /* EFER.LMA */,
	MODE_NO_SSE = 512,  /* CR0.EM, CR0.TS or CR4.OSFXSR: legacy SSE instructions raise #UD or #NM */
	MODE_NO_AVX = 1024, /* CR0.TS, CR4.OSXSAVE or XCR0: so do VEX ones */
	MODE_XM = 2048,     /* MXCSR unmasks an exception */
	MODE_TIGHT = 256, /* the CS limit or wrap may fall inside a page: blocks are looked up each time */
};
/* Canonical for 48-bit or (LA57) 57-bit linear addresses. APM2 5.3.1 */
static inline bool x86_canonical(const struct x86_cpu *c, u64 va)
{
	unsigned sh = c->cr4 & CR4_LA57 ? 7 : 16;

	return (s64)(va << sh) >> sh == (s64)va;
}
static inline bool x86_long64(const struct x86_cpu *c) { return (c->mode & MODE_SIZE) == MODE_64; }
static inline bool x86_protected(const struct x86_cpu *c) { return (c->mode & (MODE_PE | MODE_VM)) == MODE_PE; } /* not real, not v86 */

/* ---- cpu.c: life, run loop ---- */
void x86_init(struct x86_cpu *c, unsigned id, const struct x86_model *m, struct space *mem, struct space *io, struct sched *s,
              struct x86_code *code, struct event_log *log, const struct x86_board *board, u64 *icount);
void x86_reset(struct x86_cpu *c, bool init /* INIT keeps caches, FPU, most MSRs; APM2 14.1.3 */);
enum x86_stop x86_run(struct x86_cpu *c, u64 budget);
void x86_ignne(struct x86_cpu *c); /* from the board: IGNNE is asserted, until no x87 exception is pending */
void x86_pend(struct x86_cpu *c, u32 bits); /* from the board: something is pending; leaves the running block soon */
/* Recompute everything derived after state was loaded or replaced as a whole (reset, VMRUN, #VMEXIT, RSM, snapshot). */
void x86_state_changed(struct x86_cpu *c);

/* ---- seg.c: derived segment data ---- */
void x86_seg_changed(struct x86_cpu *c, unsigned seg); /* seg[], limits, bases; CS and SS also change c->mode */
void x86_mode_changed(struct x86_cpu *c);              /* CR0/CR4/EFER/CS/flags.VM: mode, masks, TLB context (no flush) */
void x86_vec_mode_changed(struct x86_cpu *c);          /* CR0.TS, CR0.EM, XCR0, MXCSR's masks: mode alone */
void x86_set_cpl(struct x86_cpu *c, unsigned cpl);     /* CPL and with it the TLB class */
/* Load a data/stack segment register as MOV/POP/LxS do, with all checks. APM2 4.8. */
void x86_load_seg(struct x86_cpu *c, unsigned seg, u16 sel);
/* Fetch the 8- or 16-byte descriptor of sel (GDT or LDT), raising #GP/#TS/#NP... with vector vec and error sel on limit violation. */
struct x86_desc {
	u64 lo, hi; /* hi: upper half of 16-byte system descriptors in long mode */
};
void x86_read_desc(struct x86_cpu *c, u16 sel, unsigned vec, struct x86_desc *d);
void x86_desc_to_seg(const struct x86_desc *d, u16 sel, struct x86_seg *s);

/* ---- flags ---- */
u64 x86_get_flags(const struct x86_cpu *c); /* whole rFLAGS */
/* Writes the bits in mask; handles TF/AC/VM/IF consequences (pending, TLB class). */
void x86_set_flags(struct x86_cpu *c, u64 val, u64 mask);

/* ---- exceptions ---- */
/* Raise a fault of the instruction under way and unwind. The rule says why (rules.def). error < 0: no error code. */
void x86_raise(struct x86_cpu *c, unsigned vec, s64 error, enum x86_rule rule) NORETURN COLD;
void x86_raise_pf(struct x86_cpu *c, u64 va, u32 error, enum x86_rule rule) NORETURN COLD;
static inline void x86_ud(struct x86_cpu *c, enum x86_rule rule) { x86_raise(c, VEC_UD, -1, rule); }
static inline void x86_gp(struct x86_cpu *c, u32 error, enum x86_rule rule) { x86_raise(c, VEC_GP, error, rule); }
/* Stops the machine with "unimplemented: ... at rip". */
void x86_unimplemented(struct x86_cpu *c, const char *fmt, ...) NORETURN COLD PRINTF(2, 3);
/* Between instructions (c->rip is the return address): deliver an interrupt or exception through the IDT; intercepts, double faults and
 * shutdown included. Unwinds on nested trouble or world switch. */
void x86_deliver(struct x86_cpu *c, const struct x86_exception *e);
void x86_interrupt(struct x86_cpu *c, u8 vector, bool nmi);

/* ---- mem.c: out-of-line accesses by the instruction under way; fault by unwinding; all handle page crossing, devices, watchpoints ---- */
u64 x86_load(struct x86_cpu *c, u64 va, unsigned size);               /* explicit, at CPL */
void x86_store(struct x86_cpu *c, u64 va, unsigned size, u64 val);
u64 x86_load_rmw(struct x86_cpu *c, u64 va, unsigned size);           /* checks write permission, then loads */
/* Operands of any size; a store changes nothing if it faults. */
void x86_load_bytes(struct x86_cpu *c, u64 va, void *to, unsigned size);
void x86_store_bytes(struct x86_cpu *c, u64 va, const void *from, unsigned size);
u64 x86_load_sys(struct x86_cpu *c, u64 va, unsigned size);           /* implicit supervisor (GDT, IDT, TSS) */
void x86_store_sys(struct x86_cpu *c, u64 va, unsigned size, u64 val);
/* As above with an explicit privilege: cpl 3 is user, else supervisor (stack pushes of a privilege change). */
u64 x86_load_as(struct x86_cpu *c, u64 va, unsigned size, unsigned cpl);
void x86_store_as(struct x86_cpu *c, u64 va, unsigned size, u64 val, unsigned cpl);
void x86_probe_write(struct x86_cpu *c, u64 va, unsigned size, unsigned cpl); /* faults now or never: page walk, no store */
void x86_probe(struct x86_cpu *c, u64 va, unsigned size, bool write);         /* the same at CPL, also for loads */
/* Segmented: checks type, limit, canonical form (raising #GP or #SS), alignment (#AC), and gives the linear address. */
u64 x86_linear(struct x86_cpu *c, unsigned seg, u64 off, unsigned size, bool write);
static inline u64 x86_load_seg_off(struct x86_cpu *c, unsigned seg, u64 off, unsigned size)
{
	return x86_load(c, x86_linear(c, seg, off, size, false), size);
}
static inline void x86_store_seg_off(struct x86_cpu *c, unsigned seg, u64 off, unsigned size, u64 val)
{
	x86_store(c, x86_linear(c, seg, off, size, true), size, val);
}
/* The effective address (offset in its segment, masked to the address size) of the op's memory operand. */
u64 x86_ea(const struct x86_cpu *c, const struct x86_op *o);
/* Stack with the current stack size; sp is not committed by these: pass it along. */
void x86_push_at(struct x86_cpu *c, u64 *sp, unsigned size, u64 val);
u64 x86_pop_at(struct x86_cpu *c, u64 *sp, unsigned size);
void x86_commit_sp(struct x86_cpu *c, u64 sp); /* writes SP, ESP or RSP by stack size */

/* ---- time and identity of the instruction under way ---- */
u64 x86_rip(const struct x86_cpu *c);      /* rip of the instruction under way (or c->rip between instructions) */
u64 x86_next_rip(const struct x86_cpu *c); /* rip after it */
void x86_sync(struct x86_cpu *c);          /* leaves the block: c->rip = x86_rip(c), budget refunded, c->op = NULL */
/* The instruction under way runs by itself, so that a debugger can stop right after it: begins anew, unless it does so already. */
void x86_spy_alone(struct x86_cpu *c);
/* sched->now becomes the virtual time of the instruction under way, for the device that it meets. */
static inline void x86_set_time(struct x86_cpu *c) { c->sched->now = c->time_end - (u64)c->budget - (c->op ? 1 : 0); }
u64 x86_tsc(struct x86_cpu *c);            /* physical TSC of this CPU, now (block-end instructions only) */

/* ---- control registers (control.c): the effects of a new value, already checked by the caller or checked here (raise) ---- */
void x86_write_cr0(struct x86_cpu *c, u64 val);
void x86_write_cr3(struct x86_cpu *c, u64 val);
void x86_write_cr4(struct x86_cpu *c, u64 val);
void x86_write_efer(struct x86_cpu *c, u64 val);
/* Rebuild c->tlb.env from CR0/CR3/CR4/EFER and the SVM state (nested dimension), then tlb_switch. No flush. */
void x86_paging_changed(struct x86_cpu *c);
void x86_debug_changed(struct x86_cpu *c); /* DR7/DR0-3: watch pages, stepping */

/* The machine's instruction count at the instruction under way (or between two). */
u64 x86_icount(const struct x86_cpu *c);
/* Virtual time, ns, while the CPU runs; sched->now may be behind it. */
u64 x86_now(const struct x86_cpu *c);
void x86_log(struct x86_cpu *c, enum event_kind kind, u32 a, u64 b, u64 cc);

extern const struct field x86_fields[];
extern const size_t x86_fields_n;

#endif
