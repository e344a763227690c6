/*
 * The FPU of the host, which computes for the guest: this header and fpu_host.c are all that knows it. While x86_cpu.fp is FP_X87 the
 * host's x87 holds the guest's registers, tags, control and status word, and a guest's instruction is the host's own; nothing else in the
 * program uses the x87 then. It holds only guests that mask all x87 exceptions, so that the host never traps; the others run one
 * instruction at a time (fpu_host_one). APM1 ch. 6, APM5.
 */
#ifndef CPU_X86_FPU_H
#define CPU_X86_FPU_H

#include "cpu_x86/exec.h"

enum x86_fp {
	FP_MEMORY, /* the registers are in x86_cpu.fpu; an instruction must look at CR0 and FSW first */
	FP_X87,    /* the host's x87 has them: CR0.EM and TS are clear, all exceptions are masked */
	FP_MMX,    /* in x86_cpu.fpu: TOP is 0, all tags are valid, CR0.EM and TS are clear, no exception is pending */
};

enum {
	FSW_IE = 1, FSW_DE = 2, FSW_ZE = 4, FSW_OE = 8, FSW_UE = 16, FSW_PE = 32, FSW_SF = 64, FSW_ES = 0x80, FSW_C1 = 0x200, FSW_TOP = 0x3800,
	FSW_B = 0x8000, FSW_FLAGS = 0x7f, /* what FNCLEX clears, with ES and B */
	X87_EXCEPTIONS = 0x3f,            /* in FSW and FCW */
};

/* The image of FNSAVE and FRSTOR with 32-bit operands in protected mode, ST(0) first. APM2 11.4.2 */
struct fpu_image {
	u16 fcw, pad0, fsw, pad1, ftw, pad2;
	u32 fip, fcs_fop, fdp, fds;
	u8 st[8][10];
};
_Static_assert(sizeof(struct fpu_image) == 108, "FNSAVE's image has 108 bytes");

/* ---- fpu_host.c ---- */
/* The guest's x87 state into the host's x87 and back. After the store the host's is as after FNINIT. */
void fpu_host_load(const struct x86_fpu *f);
void fpu_host_store(struct x86_fpu *f);
/* One instruction D8h..DFh with this ModRM byte on the image's state, exceptions unmasked or not; a memory operand is at mem. flags: the
 * arithmetic flags before; returns those after. */
u64 fpu_host_one(struct fpu_image *img, unsigned opcode, unsigned modrm, void *mem, u64 flags);
/* Control and status word while fp is FP_X87. cw masks all exceptions. */
static inline void fpu_host_fldcw(u16 cw) { __asm__ volatile("fldcw %0" : : "m"(cw)); }
static inline u16 fpu_host_fnstcw(void)
{
	u16 v;

	__asm__ volatile("fnstcw %0" : "=m"(v));
	return v;
}
static inline u16 fpu_host_fnstsw(void)
{
	u16 v;

	__asm__ volatile("fnstsw %0" : "=a"(v));
	return v;
}
static inline void fpu_host_fnclex(void) { __asm__ volatile("fnclex"); }

/* The instruction op (d8..df) with register operands: ModRM byte m. */
#define FPU_HOST_REG(op, m) __asm__ volatile(".byte 0x" #op ", 0x" #m)
/* With a memory operand of n bytes at p: m has mod = 0 and rm = 0 (rAX). */
#define FPU_HOST_LOAD(op, m, p, n)                                                                                               \
	__asm__ volatile(".byte 0x" #op ", 0x" #m : : "a"(p), "m"(*(const struct { u8 b[n]; } *)(p)))
#define FPU_HOST_STORE(op, m, p, n) __asm__ volatile(".byte 0x" #op ", 0x" #m : "=m"(*(struct { u8 b[n]; } *)(p)) : "a"(p))
/* FCOMI and its kin: ZF, PF, CF. */
#define FPU_HOST_COMPARE(op, m, zf, pf, cf) __asm__ volatile(".byte 0x" #op ", 0x" #m : "=@ccz"(zf), "=@ccp"(pf), "=@ccc"(cf))
/* FCMOVE with ZF = move; m is c8 + i. */
#define FPU_HOST_MOVE_IF(m, move) __asm__ volatile("testb %0, %0\n\t.byte 0xda, 0x" #m : : "q"((u8) !(move)) : "cc")

/* ---- tags: a bit per register here (FXSAVE's form), two in FNSTENV's. APM2 11.4.4 ---- */
/* Two bits per register: 0 valid, 3 empty. The host looks for no more. */
static inline u16 fpu_tags_wide(u8 ftw)
{
	u32 t = (u8)~ftw;

	t = (t | t << 4) & 0x0f0f;
	t = (t | t << 2) & 0x3333;
	t = (t | t << 1) & 0x5555;
	return (u16)(t * 3);
}
static inline u8 fpu_tags_abridged(u16 wide)
{
	u32 t = wide & wide >> 1 & 0x5555;

	t = (t | t >> 1) & 0x3333;
	t = (t | t >> 2) & 0x0f0f;
	return (u8)~(t | t >> 4);
}

/* As FNSTENV stores them: 0 valid, 1 zero, 2 special, 3 empty. x87_control.c */
u16 x86_x87_tags(const struct x86_fpu *f);

/* ES and B follow the unmasked exceptions. APM1 6.2.2 */
static inline u16 fpu_summarize(u16 fsw, u16 fcw)
{
	return (u16)((fsw & ~(FSW_ES | FSW_B)) | (fsw & ~fcw & X87_EXCEPTIONS ? FSW_ES | FSW_B : 0));
}
static inline unsigned fpu_top(const struct x86_fpu *f) { return f->fsw >> 11 & 7; }

/* ---- x87.c: the handlers by opcode (less D8h) and ModRM byte (less C0h), or ModRM.reg; NULL: by a body ---- */
extern x86_fn *const x86_x87_reg[8][64], *const x86_x87_mem[8][8][AM_COUNT];

/* ---- x87_enter.c ---- */
/* Everything is in x86_cpu.fpu afterwards. */
void x86_fpu_away(struct x86_cpu *c);
static ALWAYS_INLINE void x86_fpu_flush(struct x86_cpu *c)
{
	if (c->fp != FP_MEMORY)
		x86_fpu_away(c);
}
/* #NM, and #MF or FERR for a pending exception: what every waiting x87 instruction looks at first. */
void x86_x87_check(struct x86_cpu *c);
void x86_x87_pending(struct x86_cpu *c); /* the second half of it, for WAIT */
/* The handler found fp other than FP_X87: do what is needed and execute the op. */
x86_fn x86_x87_enter;
/* A store that the inline TLB access cannot do. */
x86_fn x86_x87_slow;
/* FSW has changed by other means than an instruction that computes: IGNNE ends with the last unmasked exception. */
void x86_x87_status(struct x86_cpu *c);
void x86_x87_set_top(struct x86_fpu *f, unsigned top); /* of the state in memory; moves no register */

/* The decoder leaves imm = place in the block | the 11 bits of FOP << 16. */
static ALWAYS_INLINE void x87_pointers(struct x86_cpu *c, const struct x86_op *o)
{
	u32 imm = (u32)op_imm(o);

	c->fpu.fip = c->r[R_RIP] + (u16)imm;
	c->x87_fop = (u16)(imm >> 16);
	c->fpu.fcs = c->seg[SEG_CS].sel;
}
static inline unsigned x87_fop(const struct x86_op *o) { return (u32)op_imm(o) >> 16; }
/* Linear address of a memory operand, all checks done. */
u64 x87_linear(struct x86_cpu *c, const struct x86_op *o, unsigned size, bool write);

#endif
