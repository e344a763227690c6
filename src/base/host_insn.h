/*
 * The few host (x86-64) instructions that both CPUs' host code is made of, byte by byte. APM3 1: encoding. Widths are log2 of bytes, 0 to
 * 3; a 32-bit destination clears the upper half and narrower ones keep the rest. There is room: whoever emits a block has seen to it.
 */
#ifndef BASE_HOST_INSN_H
#define BASE_HOST_INSN_H

#include <string.h>

#include "base/types.h"

enum host_reg { H_AX, H_CX, H_DX, H_BX, H_SP, H_BP, H_SI, H_DI, H_8, H_9, H_10, H_11, H_12, H_13, H_14, H_15, H_NONE };

struct host_code {
	u8 *p;
};

/* [base + index << scale + disp]; base and index may be H_NONE. */
struct host_mem {
	u8 base, index, scale;
	s32 disp;
};
static inline struct host_mem h_at(unsigned base, s64 disp)
{
	return (struct host_mem){(u8)base, H_NONE, 0, (s32)disp};
}

static inline void h_8(struct host_code *h, unsigned v) { *h->p++ = (u8)v; }
static inline void h_32(struct host_code *h, u32 v)
{
	memcpy(h->p, &v, 4);
	h->p += 4;
}
static inline void h_64(struct host_code *h, u64 v)
{
	memcpy(h->p, &v, 8);
	h->p += 8;
}

/* Prefixes and opcode (0Fxxh: two bytes). Byte registers 4 to 7 are never meant as AH to BH here. */
static inline void h_opcode(struct host_code *h, unsigned w, unsigned op, unsigned reg, unsigned index, unsigned base)
{
	unsigned rex = 0x40u | (w == 3) << 3 | (reg >> 3 & 1) << 2 | (index < H_NONE && index & 8 ? 2 : 0) |
		       (base < H_NONE && base & 8 ? 1 : 0);

	if (w == 1)
		h_8(h, 0x66);
	if (rex != 0x40 || w == 0)
		h_8(h, rex);
	if (op > 0xff)
		h_8(h, op >> 8);
	h_8(h, op);
}
static inline void h_rr(struct host_code *h, unsigned w, unsigned op, unsigned reg, unsigned rm)
{
	h_opcode(h, w, op, reg, H_NONE, rm);
	h_8(h, 0xc0 | (reg & 7) << 3 | (rm & 7));
}
static inline void h_rm(struct host_code *h, unsigned w, unsigned op, unsigned reg, struct host_mem m)
{
	unsigned mod = m.base == H_NONE ? 0 : m.disp == (s8)m.disp ? 1 : 2;
	bool sib = m.index != H_NONE || m.base == H_NONE || (m.base & 7) == H_SP;

	h_opcode(h, w, op, reg, m.index, m.base);
	h_8(h, mod << 6 | (reg & 7) << 3 | (sib ? 4 : m.base & 7u));
	if (sib)
		h_8(h, (unsigned)m.scale << 6 | (m.index == H_NONE ? 4 : m.index & 7u) << 3 |
			       (m.base == H_NONE ? 5 : m.base & 7u));
	if (mod == 1)
		h_8(h, (u8)m.disp);
	else
		h_32(h, (u32)m.disp);
}

/* [rip + ...], which is at; width 2 or 3 */
static inline void h_rip(struct host_code *h, unsigned w, unsigned op, unsigned reg, const void *at)
{
	h_opcode(h, w, op, reg, H_NONE, H_NONE);
	h_8(h, 5 | (reg & 7) << 3);
	h_32(h, (u32)(uintptr_t)at - (u32)(uintptr_t)(h->p + 4));
}

/* Opcodes that have a byte form one below. */
static inline unsigned h_sized(unsigned w, unsigned op) { return w ? op : op - 1; }
static inline void h_imm(struct host_code *h, unsigned w, u64 v)
{
	if (w == 0) {
		h_8(h, (u8)v);
	} else if (w == 1) {
		h_8(h, (u8)v);
		h_8(h, (u8)(v >> 8));
	} else {
		h_32(h, (u32)v);
	}
}

enum host_alu { H_ADD, H_OR, H_ADC, H_SBB, H_AND, H_SUB, H_XOR, H_CMP, H_TEST };
enum { H_MOV_STORE = 0x89, H_MOV_LOAD = 0x8b, H_LEA = 0x8d };

static inline unsigned h_alu_store(enum host_alu op) { return op == H_TEST ? 0x85u : (unsigned)op << 3 | 1; } /* E, G */
static inline unsigned h_alu_load(enum host_alu op) { return op == H_TEST ? 0x85u : (unsigned)op << 3 | 3; }  /* G, E */
/* op rm, immediate; imm is sign-extended from 32 bits. */
static inline void h_alu_ri(struct host_code *h, unsigned w, enum host_alu op, unsigned rm, s64 imm)
{
	if (op == H_TEST) {
		h_rr(h, w, h_sized(w, 0xf7), 0, rm);
		h_imm(h, w, (u64)imm);
	} else if (w && imm == (s8)imm) {
		h_rr(h, w, 0x83, op, rm);
		h_8(h, (u8)imm);
	} else {
		h_rr(h, w, h_sized(w, 0x81), op, rm);
		h_imm(h, w, (u64)imm);
	}
}
static inline void h_alu_mi(struct host_code *h, unsigned w, enum host_alu op, struct host_mem m, s64 imm)
{
	h_rm(h, w, op == H_TEST ? h_sized(w, 0xf7) : h_sized(w, 0x81), op == H_TEST ? 0 : op, m);
	h_imm(h, w, (u64)imm);
}
static inline void h_load(struct host_code *h, unsigned w, unsigned reg, struct host_mem m)
{
	h_rm(h, w, h_sized(w, H_MOV_LOAD), reg, m);
}
static inline void h_store(struct host_code *h, unsigned w, unsigned reg, struct host_mem m)
{
	h_rm(h, w, h_sized(w, H_MOV_STORE), reg, m);
}
/* A number into a register, the upper half cleared or filled as v says. */
static inline void h_number(struct host_code *h, unsigned reg, u64 v)
{
	if (v >> 32 == 0) {
		h_opcode(h, 2, 0xb8 | (reg & 7), 0, H_NONE, reg);
		h_32(h, (u32)v);
	} else if ((s64)v == (s32)v) {
		h_rr(h, 3, 0xc7, 0, reg);
		h_32(h, (u32)v);
	} else {
		h_opcode(h, 3, 0xb8 | (reg & 7), 0, H_NONE, reg);
		h_64(h, v);
	}
}

/* Shifts by a number, and by CL. */
enum host_shift { H_ROL, H_ROR, H_RCL, H_RCR, H_SHL, H_SHR, H_SAR = 7 };
static inline void h_shift(struct host_code *h, unsigned w, enum host_shift sh, unsigned reg, unsigned n)
{
	h_rr(h, w, h_sized(w, 0xc1), sh, reg);
	h_8(h, n);
}
static inline void h_shift_cl(struct host_code *h, unsigned w, enum host_shift sh, unsigned reg) { h_rr(h, w, h_sized(w, 0xd3), sh, reg); }

/* Conditions of jumps and SETcc. */
enum host_cc { H_O, H_NO, H_B, H_AE, H_E, H_NE, H_BE, H_A, H_S, H_NS, H_L = 12, H_GE, H_LE, H_G };
static inline void h_set(struct host_code *h, enum host_cc cc, struct host_mem m) { h_rm(h, 2, 0x0f90u | cc, 0, m); }

/* ---- SSE: prefix (66h, F3h, F2h or 0) 0F op; w = 3 for REX.W ---- */
static inline void h_sse_rr(struct host_code *h, unsigned prefix, unsigned w, unsigned op, unsigned reg, unsigned rm)
{
	if (prefix)
		h_8(h, prefix);
	h_rr(h, w == 3 ? 3 : 2, 0x0f00 | op, reg, rm);
}
static inline void h_sse_rm(struct host_code *h, unsigned prefix, unsigned op, unsigned reg, struct host_mem m)
{
	if (prefix)
		h_8(h, prefix);
	h_rm(h, 2, 0x0f00 | op, reg, m);
}

/* ---- jumps: 32-bit displacements, filled in by h_land ---- */
static inline u8 *h_jump(struct host_code *h)
{
	h_8(h, 0xe9);
	h_32(h, 0);
	return h->p;
}
static inline u8 *h_jump_if(struct host_code *h, unsigned cc)
{
	h_8(h, 0x0f);
	h_8(h, 0x80 | cc);
	h_32(h, 0);
	return h->p;
}
/* The jump that ends at after goes to target. */
static inline void h_land(u8 *after, const u8 *target)
{
	u32 v = (u32)(uintptr_t)target - (u32)(uintptr_t)after;

	memcpy(after - 4, &v, 4);
}

static inline void h_jump_to(struct host_code *h, const void *to) { h_land(h_jump(h), to); }

/* ---- flags: AH as LAHF gives it, AL = OF ---- */
static inline void h_flags_save(struct host_code *h)
{
	h_8(h, 0x9f);                             /* LAHF */
	h_8(h, 0x0f), h_8(h, 0x90), h_8(h, 0xc0); /* SETO AL */
}
static inline void h_flags_restore(struct host_code *h)
{
	h_8(h, 0x3c), h_8(h, 0x81); /* CMP AL,81h: overflows for 1 */
	h_8(h, 0x9e);               /* SAHF */
}
static inline void h_carry_restore(struct host_code *h)
{
	h_8(h, 0x0f), h_8(h, 0xba), h_8(h, 0xe0), h_8(h, 8);
} /* BT EAX,8 */
/* AH to or from [rdi + disp]: op = 88h stores, 8Ah loads. */
static inline void h_ah(struct host_code *h, unsigned op, s64 disp)
{
	h_8(h, op);
	h_8(h, 0x80 | 4 << 3 | H_DI);
	h_32(h, (u32)disp);
}

#endif
