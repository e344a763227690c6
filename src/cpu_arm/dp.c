/* Data processing: a handler for each operation, with and without flags, and kind of second operand; comparisons fused with the branch behind
 * them; uses of r15. DDI0100 A4.1. */
#include "cpu_arm/dp.h"

static ALWAYS_INLINE INSN dp(struct arm_cpu *c, const struct arm_op *o, enum arm_dp op, bool s, enum arm_kind k)
{
	u32 carry = c->fc, b = dp_operand(c, o, k, op_imm(o), &carry);
	u32 r = dp_compute(c, op, s, op == DP_MOV || op == DP_MVN ? 0 : REG(c, op_rn(o)), b, carry);

	if (!dp_is_test(op))
		REG(c, op_rd(o)) = r;
	return op_next(c, o);
}

#define DP_KINDS(X, op, s)                                                                                                        \
	X(op, s, K_IMM) X(op, s, K_IMM_C) X(op, s, K_REG) X(op, s, K_LSL) X(op, s, K_LSR) X(op, s, K_ASR) X(op, s, K_ROR) X(op, s, K_RRX)   \
	X(op, s, K_LSL_R) X(op, s, K_LSR_R) X(op, s, K_ASR_R) X(op, s, K_ROR_R)
#define DP_OPS(Y)                                                                                                                \
	Y(AND) Y(EOR) Y(SUB) Y(RSB) Y(ADD) Y(ADC) Y(SBC) Y(RSC) Y(TST) Y(TEQ) Y(CMP) Y(CMN) Y(ORR) Y(MOV) Y(BIC) Y(MVN)
#define HANDLER(op, s, k)                                                                                                        \
	static INSN dp_##op##_##s##_##k(struct arm_cpu *c, const struct arm_op *o) { return dp(c, o, DP_##op, s, k); }
#define HANDLERS(op) DP_KINDS(HANDLER, op, 0) DP_KINDS(HANDLER, op, 1)
DP_OPS(HANDLERS)

#define ENTRY(op, s, k) dp_##op##_##s##_##k,
#define ENTRIES(op) {{DP_KINDS(ENTRY, op, 0)}, {DP_KINDS(ENTRY, op, 1)}},
arm_fn *const arm_dp[16][2][K_COUNT] = {DP_OPS(ENTRIES)};

/* ---- a comparison with the branch behind it ---- */

static ALWAYS_INLINE INSN fused(struct arm_cpu *c, const struct arm_op *o, enum arm_dp op, enum arm_kind k, unsigned cc)
{
	u32 carry = c->fc, b = k == K_IMM ? op_aux(o) : REG(c, op_rm(o));
	u32 r = dp_compute(c, op, true, op == DP_MOV ? 0 : REG(c, op_rn(o)), b, carry);

	if (!dp_is_test(op))
		REG(c, op_rd(o)) = r;
	if (flags_cond(c, cc))
		return follow(c, o, 0, c->pc + op_imm(o));
	return follow(c, o, 1, c->pc + op_end(o));
}

#define CONDITIONS(X, a, b)                                                                                                      \
	X(a, b, 0) X(a, b, 1) X(a, b, 2) X(a, b, 3) X(a, b, 4) X(a, b, 5) X(a, b, 6) X(a, b, 7) X(a, b, 8) X(a, b, 9) X(a, b, 10)           \
	X(a, b, 11) X(a, b, 12) X(a, b, 13)
#define FUSED_OPS(Y) Y(CMP) Y(CMN) Y(TST) Y(TEQ) Y(SUB) Y(ADD) Y(AND) Y(MOV)
#define FUSED(op, k, cc)                                                                                                         \
	static INSN fused_##op##_##k##_##cc(struct arm_cpu *c, const struct arm_op *o) { return fused(c, o, DP_##op, k, cc); }
#define FUSED_BOTH(op) CONDITIONS(FUSED, op, K_IMM) CONDITIONS(FUSED, op, K_REG)
FUSED_OPS(FUSED_BOTH)
#define FUSED_ENTRY(op, k, cc) fused_##op##_##k##_##cc,
#define FUSED_ROW(op) [DP_##op] = {{CONDITIONS(FUSED_ENTRY, op, K_IMM)}, {CONDITIONS(FUSED_ENTRY, op, K_REG)}},
arm_fn *const arm_fused[16][2][15] = {FUSED_OPS(FUSED_ROW)};

/* ---- conditions, r15 as an operand ---- */

#define COND(a, b, cc)                                                                                                           \
	static INSN cond_##cc(struct arm_cpu *c, const struct arm_op *o)                                                          \
	{                                                                                                                        \
		if (flags_cond(c, cc))                                                                                           \
			return op_second(o)(c, o);                                                                               \
		return op_next(c, o);                                                                                            \
	}                                                                                                                        \
	static INSN cond_pc_##cc(struct arm_cpu *c, const struct arm_op *o)                                                       \
	{                                                                                                                        \
		if (!flags_cond(c, cc))                                                                                          \
			return op_next(c, o);                                                                                    \
		c->s.r[15] = c->pc + op_aux(o);                                                                                  \
		return op_second(o)(c, o);                                                                                       \
	}
CONDITIONS(COND, 0, 0)
#define COND_ENTRY(a, b, cc) cond_##cc,
#define COND_PC_ENTRY(a, b, cc) cond_pc_##cc,
arm_fn *const arm_cond[15] = {CONDITIONS(COND_ENTRY, 0, 0)};
arm_fn *const arm_cond_pc[15] = {CONDITIONS(COND_PC_ENTRY, 0, 0)};

static INSN use_pc(struct arm_cpu *c, const struct arm_op *o)
{
	c->s.r[15] = c->pc + op_aux(o);
	return op_second(o)(c, o);
}
arm_fn *const arm_use_pc = use_pc;

static INSN nop(struct arm_cpu *c, const struct arm_op *o) { return op_next(c, o); }
arm_fn *const arm_nop = nop;

/* ---- r15 as the destination ---- */

static INSN mov_pc(struct arm_cpu *c, const struct arm_op *o)
{
	return jump_to(c, REG(c, op_rm(o)) & (c->mode & ARM_MODE_THUMB ? ~1u : ~3u));
}
arm_fn *const arm_mov_pc = mov_pc;

/* Any operation into r15, from the encoding: a branch in the same state, or with S the return from an exception. DDI0100 A4.1.3 (and the other
 * pages' "if S == 1 and Rd == R15"), A2.4.3 */
void arm_i_dp_pc(struct arm_cpu *c, const struct arm_op *o)
{
	u32 w = op_aux(o), carry = c->fc, b, r, n, ahead = o->flags & OP_THUMB ? 4 : 8;
	enum arm_dp op = w >> 21 & 15;
	enum arm_kind k;
	struct arm_op x = {.rm = (u8)REG_OFFSET(w & 15), .rs = (u8)REG_OFFSET(w >> 8 & 15)};
	bool s = w >> 20 & 1;

	n = arm_shifter(w, &k);
	c->s.r[15] = arm_pc(c) + (k >= K_LSL_R ? ahead + 4 : ahead);
	b = dp_operand(c, &x, k, n, &carry);
	r = dp_compute(c, op, false, c->s.r[w >> 16 & 15], b, carry);
	if (s)
		arm_return(c, o, r);
	else
		c->new_pc = r & (o->flags & OP_THUMB ? ~1u : ~3u);
}
