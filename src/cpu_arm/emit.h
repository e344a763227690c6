/*
 * Emitting host (x86-64) instructions: the few forms that host.c needs. Registers are numbers as in ModRM; operations are 32 bits wide unless w. Code
 * that does not fit is dropped and noticed at the end.
 */
#ifndef CPU_ARM_EMIT_H
#define CPU_ARM_EMIT_H

#include "base/types.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11 };
/* "reg, reg/mem" opcodes; their immediate forms have OP_IMM(op). */
enum { X_ADD = 0x03, X_OR = 0x0b, X_ADC = 0x13, X_SBB = 0x1b, X_AND = 0x23, X_SUB = 0x2b, X_XOR = 0x33, X_CMP = 0x3b, X_MOV = 0x8b, X_STORE = 0x89 };
/* Conditions of Jcc and SETcc. */
enum { CC_O, CC_NO, CC_B, CC_AE, CC_E, CC_NE, CC_BE, CC_A, CC_S, CC_NS, CC_L = 12, CC_GE, CC_LE, CC_G };
/* Shifts: the ModRM extension. */
enum { SH_ROL, SH_ROR, SH_RCL, SH_RCR, SH_SHL, SH_SHR, SH_SAR = 7 };

struct emit {
	u8 *p, *end;
};

static inline void e8(struct emit *e, unsigned v)
{
	if (e->p < e->end)
		*e->p++ = (u8)v;
}
static inline void e32(struct emit *e, u32 v)
{
	for (unsigned i = 0; i < 4; i++)
		e8(e, v >> 8 * i & 0xff);
}

static inline void e_rex(struct emit *e, bool w, unsigned reg, unsigned index, unsigned base, bool byte)
{
	unsigned rex = 0x40 | (unsigned)w << 3 | (reg >> 3) << 2 | (index >> 3) << 1 | base >> 3;

	if (rex != 0x40 || byte)
		e8(e, rex);
}

/* An opcode: one byte, or 0x0f00 and the second. */
static inline void e_opcode(struct emit *e, unsigned op)
{
	if (op >> 8)
		e8(e, op >> 8);
	e8(e, op & 0xff);
}

/* op reg, rm */
static inline void e_rr(struct emit *e, bool w, unsigned op, unsigned reg, unsigned rm)
{
	e_rex(e, w, reg, 0, rm, false);
	e_opcode(e, op);
	e8(e, 0xc0 | (reg & 7) << 3 | (rm & 7));
}
/* op reg, [base + disp]; byte: reg is a byte register */
static inline void e_rm(struct emit *e, bool w, unsigned op, unsigned reg, unsigned base, s32 disp, bool byte)
{
	e_rex(e, w, reg, 0, base, byte);
	e_opcode(e, op);
	if (disp == (s8)disp) {
		e8(e, 0x40 | (reg & 7) << 3 | (base & 7));
		e8(e, (u8)disp);
	} else {
		e8(e, 0x80 | (reg & 7) << 3 | (base & 7));
		e32(e, (u32)disp);
	}
}
/* op reg, [base + index + disp] */
static inline void e_rmx(struct emit *e, bool w, unsigned op, unsigned reg, unsigned base, unsigned index, s32 disp)
{
	e_rex(e, w, reg, index, base, false);
	e_opcode(e, op);
	e8(e, 0x84 | (reg & 7) << 3);
	e8(e, (index & 7) << 3 | (base & 7));
	e32(e, (u32)disp);
}
/* op reg, [rip + ...] */
static inline void e_rip(struct emit *e, bool w, unsigned op, unsigned reg, const void *at)
{
	e_rex(e, w, reg, 0, 0, false);
	e_opcode(e, op);
	e8(e, 5 | (reg & 7) << 3);
	e32(e, (u32)((const u8 *)at - (e->p + 4)));
}
static inline void e_ri(struct emit *e, unsigned op, unsigned reg, u32 imm)
{
	e_rex(e, false, 0, 0, reg, false);
	if ((s32)imm == (s8)imm) {
		e8(e, 0x83);
		e8(e, 0xc0 | (op & 0x38) | (reg & 7));
		e8(e, imm & 0xff);
		return;
	}
	e8(e, 0x81);
	e8(e, 0xc0 | (op & 0x38) | (reg & 7));
	e32(e, imm);
}
/* op dword [base + disp], imm */
static inline void e_mi(struct emit *e, unsigned op, unsigned base, s32 disp, u32 imm)
{
	e_rm(e, false, 0x81, op >> 3 & 7, base, disp, false);
	e32(e, imm);
}
static inline void e_mov_ri(struct emit *e, unsigned reg, u32 imm)
{
	if (!imm) {
		e_rr(e, false, X_XOR, reg, reg);
		return;
	}
	e_rex(e, false, 0, 0, reg, false);
	e8(e, 0xb8 | (reg & 7));
	e32(e, imm);
}
/* As above, but leaves the flags alone. */
static inline void e_mov_ri_quiet(struct emit *e, unsigned reg, u32 imm)
{
	e_rex(e, false, 0, 0, reg, false);
	e8(e, 0xb8 | (reg & 7));
	e32(e, imm);
}
static inline void e_shift(struct emit *e, bool w, unsigned sh, unsigned reg, unsigned n)
{
	e_rex(e, w, 0, 0, reg, false);
	e8(e, 0xc1);
	e8(e, 0xc0 | sh << 3 | (reg & 7));
	e8(e, n);
}
static inline void e_shift_cl(struct emit *e, unsigned sh, unsigned reg)
{
	e_rex(e, false, 0, 0, reg, false);
	e8(e, 0xd3);
	e8(e, 0xc0 | sh << 3 | (reg & 7));
}
/* SETcc [base + disp] */
static inline void e_set(struct emit *e, unsigned cc, unsigned base, s32 disp) { e_rm(e, false, 0x0f90 | cc, 0, base, disp, false); }
/* CMP byte [base + disp], imm */
static inline void e_cmp_byte(struct emit *e, unsigned base, s32 disp, unsigned imm)
{
	e_rm(e, false, 0x80, 7, base, disp, false);
	e8(e, imm);
}

/* A forward jump: returns the place to be patched by e_here. */
static inline u8 *e_jcc(struct emit *e, unsigned cc)
{
	e8(e, 0x0f);
	e8(e, 0x80 | cc);
	e32(e, 0);
	return e->p;
}
static inline void e_land(u8 *after, const u8 *target)
{
	u32 d = (u32)(target - after);

	memcpy(after - 4, &d, 4);
}
static inline void e_jmp(struct emit *e, const void *to)
{
	e8(e, 0xe9);
	e32(e, (u32)((const u8 *)to - (e->p + 4)));
}

#endif
