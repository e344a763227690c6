/*
 * What vector handlers are made of: XMM and YMM registers as pairs of 16-byte lanes, memory operands, and the families that expand a
 * function of one lane, v_NAME(a, b, imm), into the handlers of legacy SSE, VEX.128 and VEX.256. a is VEX.vvvv or, in legacy SSE,
 * the destination; b is the r/m operand. Floating point is the host's own, by inline assembly: so that the first operand's NaN wins, and
 * under the guest's MXCSR, which the host has while x86_run runs (rounding, DAZ, FTZ, status flags; exceptions stay masked there).
 * Another host brings another vec.h and its FP files. APM1 ch. 4, APM4.
 */
#ifndef CPU_X86_VEC_H
#define CPU_X86_VEC_H

#include <emmintrin.h>

#include "cpu_x86/family.h"

#define MXCSR_FLAGS   0x3fu
#define MXCSR_DAZ     0x40u
#define MXCSR_MASKS   0x1f80u
#define MXCSR_RC      0x6000u
#define MXCSR_FTZ     0x8000u
#define MXCSR_MM      0x20000u /* misaligned-SSE mode. APM1 4.2.2 */
#define MXCSR_DEFAULT 0x1f80u
enum { MXCSR_IE = 1, MXCSR_DE = 2, MXCSR_ZE = 4, MXCSR_OE = 8, MXCSR_UE = 16, MXCSR_PE = 32 };

/* ---- MXCSR ---- */
static inline u32 vec_mxcsr(const struct x86_cpu *c) { return c->fpu.mxcsr | (c->vec_live ? _mm_getcsr() & MXCSR_FLAGS : 0); }
void vec_set_mxcsr(struct x86_cpu *c, u32 v); /* between blocks, or by an instruction that ends its block */
void vec_enter(struct x86_cpu *c);            /* the host's MXCSR becomes the guest's */
void vec_leave(struct x86_cpu *c);
u32 vec_mxcsr_mask(const struct x86_model *m);
/* MXCSR's exceptions that are not masked, as flags. */
static inline u32 vec_unmasked(const struct x86_cpu *c) { return ~c->fpu.mxcsr >> 7 & MXCSR_FLAGS; }
/* #XM (or #UD) for the exceptions found, of which one is not masked. */
void vec_xm(struct x86_cpu *c, u32 found) NORETURN COLD;
/* Set status flags, from handlers that compute in software. */
static inline void vec_raise_flags(u32 flags) { _mm_setcsr(_mm_getcsr() | flags); }
/* Has the host FMA? 0: not asked yet, 1: no, 2: yes. A test says 1 to see the other way. */
extern int vec_host_fma;

/* ---- registers: named by offset, as the general ones, a quarter of the offset in fpu.ymm ---- */
#define VEC_TMP ((offsetof(struct x86_cpu, vec_tmp) - offsetof(struct x86_cpu, fpu.ymm)) / 4)
_Static_assert(offsetof(struct x86_cpu, fpu.ymm) % 32 == 0, "pad2 aligns ymm");
_Static_assert(VEC_TMP >= REG_OFFSET(16) && VEC_TMP < OP_REG, "a register that is free");

static ALWAYS_INLINE __m128i *x86_xmm(struct x86_cpu *c, unsigned at)
{
	return (__m128i *)(void *)((u8 *)c + offsetof(struct x86_cpu, fpu.ymm) + at * 4);
}
static ALWAYS_INLINE __m128i *vec_d(struct x86_cpu *c, const struct x86_op *o) { return x86_xmm(c, op_dst(o)); }
static ALWAYS_INLINE __m128i *vec_s(struct x86_cpu *c, const struct x86_op *o) { return x86_xmm(c, op_src(o)); }
static ALWAYS_INLINE __m128i *vec_v(struct x86_cpu *c, const struct x86_op *o) { return x86_xmm(c, op_vvvv(o)); }
static ALWAYS_INLINE unsigned vec_imm(const struct x86_op *o) { return o->imm & 0xff; }

/* ---- memory ---- */
/* 64-bit flat. NULL: by o->slow. */
static ALWAYS_INLINE void *vec_mem(struct x86_cpu *c, const struct x86_op *o, unsigned size, unsigned rw, bool align)
{
	u64 a = x86_ea_sum(c, o);

	if (align && unlikely(a & (size - 1)))
		return NULL;
	return x86_host(c, a, size, rw);
}
/* Out of line, any mode: the operand's linear address with all checks, alignment included. */
u64 vec_linear(struct x86_cpu *c, const struct x86_op *o, unsigned size, bool write);
void vec_store(struct x86_cpu *c, const struct x86_op *o, const void *from, unsigned size);

static ALWAYS_INLINE __m128i vec_get(const void *p, unsigned size)
{
	return size == 16  ? _mm_loadu_si128(p)
	       : size == 8 ? _mm_loadl_epi64(p)
	       : size == 4 ? _mm_cvtsi32_si128((int)load_le(p, 4))
			   : _mm_cvtsi32_si128((int)load_le(p, size));
}

/* ---- families ----
 * VEC(name, align, k): both lanes alike, memory operands of 16 or 32 bytes inline; align: legacy SSE wants them aligned; the upper lane takes
 * imm >> k. VEC_RARE: the same without inline memory. VEC_SCALAR(name, size): one element of size bytes, the rest of a is kept. */
#define VEC_REGS(name, k)                                                                                                        \
	static INSN name##_r0(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		*vec_d(c, o) = v_##name(*vec_d(c, o), *vec_s(c, o), vec_imm(o));                                                  \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN name##_r1(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		__m128i *d = vec_d(c, o);                                                                                        \
		d[0] = v_##name(*vec_v(c, o), *vec_s(c, o), vec_imm(o));                                                          \
		d[1] = _mm_setzero_si128();                                                                                      \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN name##_r2(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		__m128i *d = vec_d(c, o), a1 = vec_v(c, o)[1], b1 = vec_s(c, o)[1];                                               \
		d[0] = v_##name(*vec_v(c, o), *vec_s(c, o), vec_imm(o));                                                          \
		d[1] = v_##name(a1, b1, vec_imm(o) >> k);                                                                         \
		return x86_next(c, o);                                                                                           \
	}
#define VEC_MEMS(name, align, k)                                                                                                 \
	static INSN name##_m0(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		const void *p = vec_mem(c, o, 16, TLB_R, align);                                                                 \
		if (unlikely(!p))                                                                                                \
			return o->slow(c, o);                                                                                    \
		*vec_d(c, o) = v_##name(*vec_d(c, o), vec_get(p, 16), vec_imm(o));                                                \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN name##_m1(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		const void *p = vec_mem(c, o, 16, TLB_R, false);                                                                 \
		__m128i *d = vec_d(c, o);                                                                                        \
		if (unlikely(!p))                                                                                                \
			return o->slow(c, o);                                                                                    \
		d[0] = v_##name(*vec_v(c, o), vec_get(p, 16), vec_imm(o));                                                        \
		d[1] = _mm_setzero_si128();                                                                                      \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN name##_m2(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		const u8 *p = vec_mem(c, o, 32, TLB_R, false);                                                                   \
		__m128i *d = vec_d(c, o), a1;                                                                                    \
		if (unlikely(!p))                                                                                                \
			return o->slow(c, o);                                                                                    \
		a1 = vec_v(c, o)[1];                                                                                             \
		d[0] = v_##name(*vec_v(c, o), vec_get(p, 16), vec_imm(o));                                                        \
		d[1] = v_##name(a1, vec_get(p + 16, 16), vec_imm(o) >> k);                                                        \
		return x86_next(c, o);                                                                                           \
	}
#define VEC_TABLE_REGS(name) {name##_r0, name##_r1, name##_r2}
#define VEC_TABLE_MEMS(name) {name##_m0, name##_m1, name##_m2}
#define VEC(name, align, k)                                                                                                      \
	VEC_REGS(name, k)                                                                                                        \
	VEC_MEMS(name, align, k)                                                                                                 \
	const struct x86_vec x86_vec_##name = {.reg = VEC_TABLE_REGS(name), .mem = VEC_TABLE_MEMS(name)};
#define VEC_RARE(name, k)                                                                                                        \
	VEC_REGS(name, k)                                                                                                        \
	const struct x86_vec x86_vec_##name = {.reg = VEC_TABLE_REGS(name)};

#define VEC_REGS_SCALAR(name)                                                                                                    \
	static INSN name##_r0(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		*vec_d(c, o) = v_##name(*vec_d(c, o), *vec_s(c, o), vec_imm(o));                                                  \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN name##_r1(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		__m128i *d = vec_d(c, o);                                                                                        \
		d[0] = v_##name(*vec_v(c, o), *vec_s(c, o), vec_imm(o));                                                          \
		d[1] = _mm_setzero_si128();                                                                                      \
		return x86_next(c, o);                                                                                           \
	}
#define VEC_SCALAR(name, size)                                                                                                   \
	VEC_REGS_SCALAR(name)                                                                                                    \
	static INSN name##_m0(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		const void *p = vec_mem(c, o, size, TLB_R, false);                                                               \
		if (unlikely(!p))                                                                                                \
			return o->slow(c, o);                                                                                    \
		*vec_d(c, o) = v_##name(*vec_d(c, o), vec_get(p, size), vec_imm(o));                                              \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN name##_m1(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		const void *p = vec_mem(c, o, size, TLB_R, false);                                                               \
		__m128i *d = vec_d(c, o);                                                                                        \
		if (unlikely(!p))                                                                                                \
			return o->slow(c, o);                                                                                    \
		d[0] = v_##name(*vec_v(c, o), vec_get(p, size), vec_imm(o));                                                      \
		d[1] = _mm_setzero_si128();                                                                                      \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	const struct x86_vec x86_vec_##name = {.reg = {name##_r0, name##_r1, name##_r1}, .mem = {name##_m0, name##_m1, name##_m1}};
/* One result from a narrower or scalar operand, 128 bits only; memory out of line. */
#define VEC_RARE128(name)                                                                                                        \
	VEC_REGS_SCALAR(name)                                                                                                    \
	const struct x86_vec x86_vec_##name = {.reg = {name##_r0, name##_r1, name##_r1}};

/* Instructions of the host as lane functions. V_ASM: a = a op b. V_ASM1: op b. V_ASM1S: op b into the low element of a. */
#define V_ASM(name, insn)                                                                                                        \
	static ALWAYS_INLINE __m128i v_##name(__m128i a, __m128i b, unsigned imm)                                                 \
	{                                                                                                                        \
		(void)imm;                                                                                                       \
		__asm__ volatile(insn " %1, %0" : "+x"(a) : "x"(b));                                                              \
		return a;                                                                                                        \
	}
#define V_ASM1(name, insn)                                                                                                       \
	static ALWAYS_INLINE __m128i v_##name(__m128i a, __m128i b, unsigned imm)                                                 \
	{                                                                                                                        \
		(void)a, (void)imm;                                                                                              \
		__asm__ volatile(insn " %1, %0" : "=x"(a) : "x"(b));                                                              \
		return a;                                                                                                        \
	}
/* From intrinsics or C: the expression may use a, b, imm. */
#define V_EXPR(name, expr)                                                                                                       \
	static ALWAYS_INLINE __m128i v_##name(__m128i a, __m128i b, unsigned imm)                                                 \
	{                                                                                                                        \
		(void)a, (void)b, (void)imm;                                                                                     \
		return expr;                                                                                                     \
	}

/* A lane in pieces, for what has no instruction on every host. */
union lane {
	__m128i v;
	u8 b[16];
	u16 w[8];
	u32 d[4];
	u64 q[2];
	s8 sb[16];
	s16 sw[8];
	s32 sd[4];
	s64 sq[2];
};

#endif
