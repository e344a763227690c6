/*
 * Between MMX and XMM registers: MOVQ2DQ, MOVDQ2Q, and the conversions of two doublewords from and to floating point. They look at what MMX
 * and at what SSE instructions look at. APM4, APM5: each instruction's page.
 */
#include "cpu_x86/mmx.h"
#include "cpu_x86/vec.h"

typedef __m128i convert(__m128i v);

/* The host's instruction, under the guest's rounding control. */
#define CONVERT(name, insn)                                                                                                      \
	static __m128i name(__m128i v)                                                                                           \
	{                                                                                                                        \
		__asm__ volatile(insn " %1, %0" : "=x"(v) : "x"(v));                                                              \
		return v;                                                                                                        \
	}
CONVERT(ps_to_int, "cvtps2dq")
CONVERT(ps_to_int_truncated, "cvttps2dq")
CONVERT(pd_to_int, "cvtpd2dq")
CONVERT(pd_to_int_truncated, "cvttpd2dq")
CONVERT(int_to_ps, "cvtdq2ps")
CONVERT(int_to_pd, "cvtdq2pd")

/* #XM if an exception is not masked; the status flags otherwise. */
static __m128i checked(struct x86_cpu *c, convert *f, __m128i v)
{
	u32 csr = _mm_getcsr(), found;

	_mm_setcsr(csr & ~MXCSR_FLAGS);
	v = f(v);
	found = _mm_getcsr() & MXCSR_FLAGS;
	_mm_setcsr(csr);
	if (found & vec_unmasked(c))
		vec_xm(c, found);
	vec_raise_flags(found);
	return v;
}

/* The r/m operand of 8 or 16 bytes, with zeros above it; reg: the register if it is one. */
static __m128i source(struct x86_cpu *c, const struct x86_op *o, unsigned size, const u8 *reg)
{
	u8 v[16] = {0};
	u64 va;

	if (op_is_reg(o)) {
		memcpy(v, reg, size);
		return vec_get(v, 16);
	}
	va = x86_ea(c, o) + c->sbase[op_seg(o)];
	if (size == 16 && va & 15 && !(c->fpu.mxcsr & MXCSR_MM))
		x86_gp(c, 0, RULE_GP_ALIGN16);
	va = x86_linear(c, op_seg(o), x86_ea(c, o), size, false);
	x86_load_bytes(c, va, v, size);
	return vec_get(v, 16);
}

static void to_mm(struct x86_cpu *c, const struct x86_op *o, unsigned size, convert *f)
{
	__m128i v;

	x86_mmx_check(c);
	v = source(c, o, size, c->fpu.ymm[op_src(o) & 15]);
	x86_mmx_begin(c); /* before #XM, as the host does; the manual leaves it open */
	v = checked(c, f, v);
	mm_set(c, REG_OFFSET(op_dst(o)), (u64)_mm_cvtsi128_si64(v));
}
void x86i_cvtps2pi(struct x86_cpu *c, const struct x86_op *o) { to_mm(c, o, 8, ps_to_int); }
void x86i_cvttps2pi(struct x86_cpu *c, const struct x86_op *o) { to_mm(c, o, 8, ps_to_int_truncated); }
void x86i_cvtpd2pi(struct x86_cpu *c, const struct x86_op *o) { to_mm(c, o, 16, pd_to_int); }
void x86i_cvttpd2pi(struct x86_cpu *c, const struct x86_op *o) { to_mm(c, o, 16, pd_to_int_truncated); }

/* Two doublewords. Those of memory leave the x87 alone. */
static __m128i mm_source(struct x86_cpu *c, const struct x86_op *o)
{
	if (op_is_reg(o))
		x86_mmx_begin(c);
	return source(c, o, 8, mm_reg(c, REG_OFFSET(op_src(o))));
}

void x86i_cvtpi2ps(struct x86_cpu *c, const struct x86_op *o)
{
	__m128i v = checked(c, int_to_ps, mm_source(c, o));

	memcpy(c->fpu.ymm[op_dst(o) & 15], &v, 8); /* the upper half stays */
}

void x86i_cvtpi2pd(struct x86_cpu *c, const struct x86_op *o)
{
	__m128i v = int_to_pd(mm_source(c, o));

	memcpy(c->fpu.ymm[op_dst(o) & 15], &v, 16);
}

void x86i_movq2dq(struct x86_cpu *c, const struct x86_op *o)
{
	__m128i v = mm_source(c, o);

	memcpy(c->fpu.ymm[op_dst(o) & 15], &v, 16);
}

void x86i_movdq2q(struct x86_cpu *c, const struct x86_op *o)
{
	x86_mmx_begin(c);
	mm_set(c, REG_OFFSET(op_dst(o)), load_le(c->fpu.ymm[op_src(o) & 15], 8));
}
