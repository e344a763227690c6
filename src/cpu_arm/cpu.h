/*
 * One ARM926EJ-S (ARMv5TEJ): its state and the calls between the files of this room. struct arm_state is saved state (plain, covered by
 * arm_fields; the TLB's architectural part has a table of its own, tlb_arm_fields); the rest of struct arm_cpu is derived or wiring.
 * DDI0100 ch. A2 (programmer's model), DDI0198 (ARM926EJ-S).
 */
#ifndef CPU_ARM_CPU_H
#define CPU_ARM_CPU_H

#include <setjmp.h>

#include "base/event.h"
#include "base/field.h"
#include "base/sched.h"
#include "base/types.h"
#include "mmu/tlb_arm.h"

struct arm_cpu;
struct arm_op;
struct arm_block;
struct arm_code;

/* The program status registers. DDI0100 A2.5 */
enum {
	PSR_MODE = 0x1f, PSR_T = 1 << 5, PSR_F = 1 << 6, PSR_I = 1 << 7, PSR_J = 1 << 24, PSR_Q = 1 << 27, PSR_V = 1 << 28, PSR_C = 1 << 29,
	PSR_Z = 1 << 30,
};
#define PSR_N     0x80000000u
#define PSR_NZCV  0xf0000000u
#define PSR_VALID (PSR_NZCV | PSR_Q | PSR_J | 0xffu) /* the bits that exist */

enum { MODE_USR = 0x10, MODE_FIQ, MODE_IRQ, MODE_SVC, MODE_ABT = 0x17, MODE_UND = 0x1b, MODE_SYS = 0x1f };
/* Register banks; User and System mode share one. */
enum arm_bank { BANK_USR, BANK_FIQ, BANK_IRQ, BANK_SVC, BANK_ABT, BANK_UND, BANKS };

/* CP15 register 1. DDI0198 2.3.2 */
enum {
	CTL_M = 1 << 0, CTL_A = 1 << 1, CTL_C = 1 << 2, CTL_B = 1 << 7, CTL_S = 1 << 8, CTL_R = 1 << 9, CTL_I = 1 << 12, CTL_V = 1 << 13,
	CTL_RR = 1 << 14, CTL_L4 = 1 << 15,
};

/* Exceptions, in the order of their vectors. DDI0100 A2.6 */
enum arm_vector { ARM_RESET, ARM_UNDEFINED, ARM_SVC, ARM_PREFETCH_ABORT, ARM_DATA_ABORT, ARM_ADDRESS, ARM_IRQ, ARM_FIQ };

struct arm_cp15 {
	u32 control, ttbr, dacr, dfsr, ifsr, far;
	u32 dlock, ilock;    /* c9,c0: cache lockdown */
	u32 fcse, context;   /* c13 */
	/* c15, test and debug */
	u32 debug_override, test_address, region_remap, trace_control, cache_debug;
};

/* VFP9-S. DDI0274 */
#define FPEXC_EN    BIT(30)
#define FPEXC_EX    BIT(31)
#define FPSCR_TRAPS 0x9f00u /* enable bits of the trapped exceptions */
struct arm_vfp {
	u32 s[32]; /* d0 is s[0] (low) and s[1] */
	u32 fpscr, fpexc, fpinst, fpinst2;
};

struct arm_state {
	u32 r[16];         /* of the present mode; between runs r[15] is the address of the next instruction */
	u32 cpsr;          /* while arm_run runs, N Z C V are elsewhere: arm_cpsr() */
	u32 spsr[BANKS];   /* [BANK_USR] is not used */
	u32 r13[BANKS], r14[BANKS]; /* of the modes that are not present */
	u32 r8_usr[5], r8_fiq[5];   /* r8-r12: of FIQ mode and of the others, while not present */
	u8 irq, fiq;       /* the interrupt lines */
	u8 waiting;        /* CP15 wait for interrupt */
	u8 pad;
	struct arm_cp15 cp15;
	struct arm_vfp vfp;
	u32 pad1;
	u64 retired;       /* instructions of this CPU */
};

/* Why the CPU stopped running. */
enum arm_stop {
	ARM_STOP_BUDGET,        /* instruction budget used up */
	ARM_STOP_KICK,          /* sched->kick: the machine must look */
	ARM_STOP_IDLE,          /* waits for an interrupt, and none is there */
	ARM_STOP_UNIMPLEMENTED, /* c->stop_text names it */
	ARM_STOP_REQUEST,       /* somebody set c->stop */
};

enum arm_unwind { ARM_UNWIND_FAULT = 1, ARM_UNWIND_ALONE, ARM_UNWIND_STOP };

/* A debugger's ears; NULL when nobody listens. va as accessed; nothing may be changed. */
struct arm_spy {
	void *arg;
	/* The instruction at va is marked (arm_code_spy) or stepped over; true: the run loop leaves before it. */
	bool (*insn)(void *arg, struct arm_cpu *c, u32 va);
	/* Does the access concern somebody? Then the instruction runs alone, and access() is called right before its effect. */
	bool (*wants)(void *arg, struct arm_cpu *c, u32 va, u64 pa, unsigned size, bool write);
	void (*access)(void *arg, struct arm_cpu *c, u32 va, u64 pa, unsigned size, bool write, u64 val);
};

/* Where indirect branches went: valid while key (context, mode, fetch translations) is the present one. */
#define ARM_JUMP_BITS 10
struct arm_jump_entry {
	u64 va, key;
	struct arm_block *block;
	u64 pad;
};

struct arm_cpu {
	/* ---- what handlers touch most; registers of ops are byte offsets from here ---- */
	u32 pc;      /* address of the running block's first instruction */
	u32 zero;    /* always 0 */
	u64 nz;      /* the flags while arm_run runs (flags.h): N is bit 31 or 63 of nz; Z is (u32)nz == 0 */
	u8 fc, fv;   /* 0 or 1 */
	u8 pad[2];
	u32 mode;    /* block key: enum arm_mode_bits */
	s64 budget;  /* instructions left until the machine must look; goes down at block entry */
	/* ---- saved state ---- */
	struct arm_state s;

	/* ---- derived, never saved ---- */
	s64 held;      /* budget set aside while one instruction is stepped */
	u64 time_end;  /* virtual time when budget reaches 0 */
	u64 run_start; /* virtual time when arm_run was entered */
	u32 new_pc;    /* where an instruction that ends its block continues */
	u8 raised;     /* enum arm_vector of the exception to be taken; ARM_RESET: none */
	bool running;  /* inside arm_run */
	bool step;     /* one instruction at a time */
	bool trace_exec; /* EV_EXEC wanted */
	bool look;     /* an interrupt may be due */
	bool stop;     /* ARM_STOP_REQUEST after this instruction */
	const struct arm_op *op; /* the instruction under way, for faults; NULL between instructions */
	u64 jump_key;
	struct arm_jump_entry jump[1 << ARM_JUMP_BITS];
	struct tlb_arm tlb;
	jmp_buf unwind;
	char stop_text[128];

	/* ---- wiring ---- */
	struct arm_code *code;
	struct space *mem;
	struct sched *sched;
	struct event_log *log;
	u64 *icount;   /* the machine's instruction count, exact when the CPU does not run */
	bool bus_errors; /* accesses that nobody answers are external aborts: true after arm_init. Else reads are all ones, writes vanish */
	bool has_vfp;  /* VFP9-S is there; set before arm_reset */
	const struct arm_spy *spy;
	/* Asked at SVC 0x123456 (ARM) and SVC 0xAB (Thumb) in any mode before the exception; true: done, r0 holds the answer. It may stop the
	 * machine. NULL: nobody. DUI0203 (semihosting) */
	bool (*semihost)(void *arg, struct arm_cpu *c);
	void *semihost_arg;
} __attribute__((aligned(16)));

/* Mode bits of the block key. */
enum arm_mode_bits {
	ARM_MODE_THUMB = 1, ARM_MODE_USER = 2, ARM_MODE_BE = 4 /* data are big-endian */,
	ARM_MODE_VFP = 8,    /* FPEXC.EN and not EX: VFP instructions may execute */
	ARM_MODE_L4 = 16,    /* loads of r15 do not change the instruction set */
	ARM_MODE_TRAPS = 32, /* some exception of the VFP is trapped */
};

/* ---- cpu.c: life, run loop ---- */
/* False: out of memory. Sets mem's code_hit, code_owner and map_changed. The CPU is reset. */
bool arm_init(struct arm_cpu *c, struct space *mem, struct sched *sched, struct event_log *log, u64 *icount);
void arm_free(struct arm_cpu *c);
void arm_reset(struct arm_cpu *c); /* as the reset line does; the interrupt lines keep their levels */
/* Executes up to budget instructions; adds them to *icount and sched->now. One instruction is one ns. */
enum arm_stop arm_run(struct arm_cpu *c, u64 budget);
void arm_set_irq(struct arm_cpu *c, bool level);
void arm_set_fiq(struct arm_cpu *c, bool level);
bool arm_awake(const struct arm_cpu *c); /* does not wait for an interrupt, or there is one */
bool arm_deaf(const struct arm_cpu *c);  /* no interrupt can wake it: never, for masks do not hold wake-up (DDI0198 2.3.7) */
u64 arm_hash(const struct arm_cpu *c, u64 seed);
/* Recompute everything derived after s was loaded or written from outside. */
void arm_state_changed(struct arm_cpu *c);
/* Instructions whose page offset has its bit set in offsets (4096 bits; kept by the caller; NULL: none), and magic ones if wanted, are taken one by
 * one from now on, and c->spy->insn is asked before them. Between runs only. */
void arm_code_spy(struct arm_cpu *c, const u64 *offsets, bool magic);
/* ORR Rn, Rn, Rn, which does nothing, in ARM state: a guest's own breakpoint. */
static inline bool arm_is_magic(u32 w) { return (w & 0xfff00ff0) == 0xe1800000 && (w >> 16 & 15) == (w & 15) && (w >> 12 & 15) == (w & 15); }

/* Blocks become host code (host.h) after that many runs, 0: never. Before the first run. */
void arm_set_hot(struct arm_cpu *c, unsigned runs);

/* The address of the instruction under way, or between instructions of the next one; and the whole CPSR, at any time. */
u32 arm_pc(const struct arm_cpu *c);
u32 arm_cpsr(const struct arm_cpu *c);
/* Sets the whole CPSR with banks, mode, interrupts. Between instructions only (a loader's, a debugger's). */
void arm_set_cpsr(struct arm_cpu *c, u32 val);
enum arm_bank arm_bank_of(u32 mode); /* BANKS: no such mode */
/* Register n as mode (MODE_USR ...) sees it. */
u32 arm_reg_of(const struct arm_cpu *c, u32 mode, unsigned n);
u64 arm_icount(const struct arm_cpu *c);
u64 arm_now(const struct arm_cpu *c); /* virtual time, ns, exact while it runs, too */
void arm_log(struct arm_cpu *c, enum event_kind kind, u32 a, u64 b, u64 cc);

/* ---- for debuggers and semihosting: nothing changes, no device is touched ---- */
/* What the tables say now; access: enum access, ACC_USER for User mode's rights. */
void arm_walk(const struct arm_cpu *c, u32 va, unsigned access, struct walk *w);
/* As the CPU would translate: what is cached counts. False: refused. */
bool arm_translate(const struct arm_cpu *c, u32 va, unsigned access, u64 *pa);
/* RAM and ROM of the guest at va with the rights of the present mode, bytes as they lie in memory; writes kill decoded code. False: something of
 * it is not mapped to memory, or refused; bytes before it are done. */
bool arm_read_virtual(struct arm_cpu *c, u32 va, void *buf, size_t n);
bool arm_write_virtual(struct arm_cpu *c, u32 va, const void *buf, size_t n);

extern const struct field arm_fields[]; /* of struct arm_state */
extern const size_t arm_fields_n;

#endif
