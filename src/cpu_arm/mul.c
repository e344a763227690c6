/* Multiplies, the DSP extension, CLZ. DDI0100 A4.1.34-A4.1.51, A4.1.74-A4.1.88, A4.1.128, A4.1.129. */
#include "cpu_arm/decode.h"
#include "cpu_arm/exec.h"

/* ---- MUL and the long ones. C and V: C is meaningless in ARMv4 and unaffected from ARMv5 on ---- */

static ALWAYS_INLINE INSN mul(struct arm_cpu *c, const struct arm_op *o, unsigned op, bool s)
{
	u32 m = REG(c, op_rm(o)), t = REG(c, op_rs(o));
	u64 r;

	if (op == OP_MUL || op == OP_MLA) {
		u32 v = m * t + (op == OP_MLA ? REG(c, op_rn(o)) : 0);

		REG(c, op_rd(o)) = v;
		if (s)
			c->nz = v;
		return op_next(c, o);
	}
	r = op == OP_UMULL || op == OP_UMLAL ? (u64)m * t : (u64)((s64)(s32)m * (s32)t);
	if (op == OP_UMLAL || op == OP_SMLAL)
		r += (u64)REG(c, op_rd(o)) << 32 | REG(c, op_rn(o));
	REG(c, op_rn(o)) = (u32)r;
	REG(c, op_rd(o)) = (u32)(r >> 32);
	if (s) {
		flags_set_nz(c, r >> 63, !r);
	}
	return op_next(c, o);
}

#define MUL_OPS(X) X(MUL) X(MLA) X(UMULL) X(UMLAL) X(SMULL) X(SMLAL)
#define HANDLER(op)                                                                                                              \
	static INSN mul_##op##_0(struct arm_cpu *c, const struct arm_op *o) { return mul(c, o, OP_##op, false); }                  \
	static INSN mul_##op##_1(struct arm_cpu *c, const struct arm_op *o) { return mul(c, o, OP_##op, true); }
MUL_OPS(HANDLER)
#define ENTRY(op) {mul_##op##_0, mul_##op##_1},
arm_fn *const arm_mul[6][2] = {MUL_OPS(ENTRY)};

static INSN clz(struct arm_cpu *c, const struct arm_op *o)
{
	u32 m = REG(c, op_rm(o));

	REG(c, op_rd(o)) = m ? (u32)__builtin_clz(m) : 32;
	return op_next(c, o);
}
arm_fn *const arm_clz = clz;

/* ---- saturating: Q stays set. DDI0100 A2.5.2 ---- */

static ALWAYS_INLINE u32 saturate(struct arm_cpu *c, s64 v)
{
	if (likely(v == (s32)v))
		return (u32)v;
	c->s.cpsr |= PSR_Q;
	return v < 0 ? 0x80000000u : 0x7fffffffu;
}

/* dbl: the second operand is doubled first. */
static ALWAYS_INLINE INSN qop(struct arm_cpu *c, const struct arm_op *o, bool sub, bool dbl)
{
	s64 a = (s32)REG(c, op_rm(o)), b = (s32)REG(c, op_rn(o));

	if (dbl)
		b = (s32)saturate(c, 2 * b);
	REG(c, op_rd(o)) = saturate(c, sub ? a - b : a + b);
	return op_next(c, o);
}
static INSN qadd(struct arm_cpu *c, const struct arm_op *o) { return qop(c, o, false, false); }
static INSN qsub(struct arm_cpu *c, const struct arm_op *o) { return qop(c, o, true, false); }
static INSN qdadd(struct arm_cpu *c, const struct arm_op *o) { return qop(c, o, false, true); }
static INSN qdsub(struct arm_cpu *c, const struct arm_op *o) { return qop(c, o, true, true); }
arm_fn *const arm_q[4] = {qadd, qsub, qdadd, qdsub};

/* ---- 16 bits by 16 or 32. x: upper half of rm; y: upper half of rs ---- */

static ALWAYS_INLINE s32 half(u32 v, bool upper) { return upper ? (s32)v >> 16 : (s16)v; }

/* Accumulation wraps and sets Q when it does. */
static ALWAYS_INLINE u32 accumulate(struct arm_cpu *c, u32 a, u32 b)
{
	s32 r;

	if (unlikely(__builtin_add_overflow((s32)a, (s32)b, &r)))
		c->s.cpsr |= PSR_Q;
	return (u32)r;
}

static ALWAYS_INLINE u32 product(const struct arm_cpu *c, const struct arm_op *o, bool x, bool y)
{
	return (u32)(half(REG(c, op_rm(o)), x) * half(REG(c, op_rs(o)), y));
}
static ALWAYS_INLINE u32 product_wide(const struct arm_cpu *c, const struct arm_op *o, bool y)
{
	return (u32)((s64)(s32)REG(c, op_rm(o)) * half(REG(c, op_rs(o)), y) >> 16);
}

#define BY_HALVES(n, x, y)                                                                                                       \
	static INSN smla##n(struct arm_cpu *c, const struct arm_op *o)                                                            \
	{                                                                                                                        \
		REG(c, op_rd(o)) = accumulate(c, product(c, o, x, y), REG(c, op_rn(o)));                                         \
		return op_next(c, o);                                                                                            \
	}                                                                                                                        \
	static INSN smul##n(struct arm_cpu *c, const struct arm_op *o)                                                            \
	{                                                                                                                        \
		REG(c, op_rd(o)) = product(c, o, x, y);                                                                          \
		return op_next(c, o);                                                                                            \
	}                                                                                                                        \
	static INSN smlal##n(struct arm_cpu *c, const struct arm_op *o)                                                           \
	{                                                                                                                        \
		u64 r = ((u64)REG(c, op_rd(o)) << 32 | REG(c, op_rn(o))) + (u64)(s64)(s32)product(c, o, x, y);                    \
                                                                                                                                 \
		REG(c, op_rn(o)) = (u32)r;                                                                                       \
		REG(c, op_rd(o)) = (u32)(r >> 32);                                                                               \
		return op_next(c, o);                                                                                            \
	}
BY_HALVES(0, false, false)
BY_HALVES(1, true, false)
BY_HALVES(2, false, true)
BY_HALVES(3, true, true)
/* By bits 6:5 of the encoding: y, x. */
arm_fn *const arm_smla[4] = {smla0, smla1, smla2, smla3};
arm_fn *const arm_smul[4] = {smul0, smul1, smul2, smul3};
arm_fn *const arm_smlal[4] = {smlal0, smlal1, smlal2, smlal3};

#define BY_WORD(y)                                                                                                               \
	static INSN smlaw##y(struct arm_cpu *c, const struct arm_op *o)                                                           \
	{                                                                                                                        \
		REG(c, op_rd(o)) = accumulate(c, product_wide(c, o, y), REG(c, op_rn(o)));                                       \
		return op_next(c, o);                                                                                            \
	}                                                                                                                        \
	static INSN smulw##y(struct arm_cpu *c, const struct arm_op *o)                                                           \
	{                                                                                                                        \
		REG(c, op_rd(o)) = product_wide(c, o, y);                                                                        \
		return op_next(c, o);                                                                                            \
	}
BY_WORD(0)
BY_WORD(1)
arm_fn *const arm_smlaw[2] = {smlaw0, smlaw1};
arm_fn *const arm_smulw[2] = {smulw0, smulw1};
