/* What data processing computes: the shifter and the sixteen operations, with their flags. DDI0100 A5.1 (shifter operand), A3.4. */
#ifndef CPU_ARM_DP_H
#define CPU_ARM_DP_H

#include "cpu_arm/decode.h"
#include "cpu_arm/exec.h"

static ALWAYS_INLINE u32 flags_sub(struct arm_cpu *c, u32 a, u32 b)
{
	bool carry, over;

	__asm__("subl %[b], %[a]" : [a] "+r"(a), "=@ccae"(carry), "=@cco"(over) : [b] "g"(b));
	c->fc = carry;
	c->fv = over;
	c->nz = a;
	return a;
}
static ALWAYS_INLINE u32 flags_add(struct arm_cpu *c, u32 a, u32 b)
{
	bool carry, over;

	__asm__("addl %[b], %[a]" : [a] "+r"(a), "=@ccc"(carry), "=@cco"(over) : [b] "g"(b));
	c->fc = carry;
	c->fv = over;
	c->nz = a;
	return a;
}
static ALWAYS_INLINE u32 flags_adc(struct arm_cpu *c, u32 a, u32 b)
{
	bool carry, over;
	u8 in = c->fc;

	__asm__("addb $0xff, %[in]\n\tadcl %[b], %[a]" : [a] "+r"(a), [in] "+q"(in), "=@ccc"(carry), "=@cco"(over) : [b] "g"(b));
	c->fc = carry;
	c->fv = over;
	c->nz = a;
	return a;
}

static ALWAYS_INLINE u32 ror32(u32 v, unsigned n) { return v >> (n & 31) | v << (-n & 31); }

/* v shifted by n as the kind says; *carry comes in as C and goes out as the shifter's. */
static ALWAYS_INLINE u32 shift_value(enum arm_kind k, u32 v, u32 n, u32 *carry)
{
	u64 wide;

	switch (k) {
	case K_LSL:
		wide = (u64)v << n;
		*carry = wide >> 32 & 1;
		return (u32)wide;
	case K_LSR:
		*carry = (u64)v >> (n - 1) & 1;
		return (u32)((u64)v >> n);
	case K_ASR:
		*carry = (u32)((s64)(s32)v >> (n - 1)) & 1;
		return (u32)((s64)(s32)v >> n);
	case K_ROR:
		v = ror32(v, n);
		*carry = v >> 31;
		return v;
	case K_RRX:
		wide = *carry;
		*carry = v & 1;
		return v >> 1 | (u32)wide << 31;
	default: return v;
	}
}

/* The second operand; *carry as above. */
static ALWAYS_INLINE u32 dp_operand(struct arm_cpu *c, const struct arm_op *o, enum arm_kind k, u32 imm, u32 *carry)
{
	u32 v, n;

	switch (k) {
	case K_IMM: return imm;
	case K_IMM_C: *carry = imm >> 31; return imm;
	case K_LSL_R:
	case K_LSR_R:
	case K_ASR_R:
	case K_ROR_R:
		v = REG(c, op_rm(o));
		n = REG(c, op_rs(o)) & 0xff;
		if (!n)
			return v;
		if (k != K_ROR_R)
			n = n > 33 ? 33 : n;
		return shift_value(k - K_LSL_R + K_LSL, v, n, carry); /* the same order */
	default: return shift_value(k, REG(c, op_rm(o)), imm, carry);
	}
}

static ALWAYS_INLINE u32 dp_logic(struct arm_cpu *c, bool s, u32 r, u32 carry)
{
	if (s) {
		c->nz = r;
		c->fc = (u8)carry;
	}
	return r;
}

/* The operation on (a, b), flags if s; carry: the shifter's. */
static ALWAYS_INLINE u32 dp_compute(struct arm_cpu *c, enum arm_dp op, bool s, u32 a, u32 b, u32 carry)
{
	switch (op) {
	case DP_AND:
	case DP_TST: return dp_logic(c, s, a & b, carry);
	case DP_EOR:
	case DP_TEQ: return dp_logic(c, s, a ^ b, carry);
	case DP_ORR: return dp_logic(c, s, a | b, carry);
	case DP_MOV: return dp_logic(c, s, b, carry);
	case DP_BIC: return dp_logic(c, s, a & ~b, carry);
	case DP_MVN: return dp_logic(c, s, ~b, carry);
	case DP_SUB:
	case DP_CMP: return s ? flags_sub(c, a, b) : a - b;
	case DP_RSB: return s ? flags_sub(c, b, a) : b - a;
	case DP_ADD:
	case DP_CMN: return s ? flags_add(c, a, b) : a + b;
	case DP_ADC: return s ? flags_adc(c, a, b) : a + b + c->fc;
	case DP_SBC: return s ? flags_adc(c, a, ~b) : a + ~b + c->fc;
	default: return s ? flags_adc(c, b, ~a) : b + ~a + c->fc; /* RSC */
	}
}

#endif
