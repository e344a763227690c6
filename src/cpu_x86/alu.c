/*
 * Two-operand arithmetic and logic (ADD OR ADC SBB AND SUB XOR CMP TEST), one-operand (INC DEC NEG NOT), IMUL of two and three
 * operands. Flags: flags.h. APM3: each instruction's page.
 */
#include "cpu_x86/family.h"

/* ---- what each operation computes: f = whether flags are wanted ---- */
#define KERNELS(w)                                                                                                       \
	static ALWAYS_INLINE u##w add_k##w(struct x86_cpu *c, u##w a, u##w b, bool f)                                    \
	{                                                                                                                \
		return f ? flags_add##w(c, a, b) : (u##w)(a + b);                                                        \
	}                                                                                                                \
	static ALWAYS_INLINE u##w sub_k##w(struct x86_cpu *c, u##w a, u##w b, bool f)                                    \
	{                                                                                                                \
		return f ? flags_sub##w(c, a, b) : (u##w)(a - b);                                                        \
	}                                                                                                                \
	static ALWAYS_INLINE u##w adc_k##w(struct x86_cpu *c, u##w a, u##w b, bool f)                                    \
	{                                                                                                                \
		(void)f;                                                                                                 \
		return flags_adc##w(c, a, b);                                                                            \
	}                                                                                                                \
	static ALWAYS_INLINE u##w sbb_k##w(struct x86_cpu *c, u##w a, u##w b, bool f)                                    \
	{                                                                                                                \
		(void)f;                                                                                                 \
		return flags_sbb##w(c, a, b);                                                                            \
	}                                                                                                                \
	static ALWAYS_INLINE u##w and_k##w(struct x86_cpu *c, u##w a, u##w b, bool f)                                    \
	{                                                                                                                \
		u##w r = a & b;                                                                                          \
		if (f)                                                                                                   \
			flags_result##w(c, r, false, false);                                                             \
		return r;                                                                                                \
	}                                                                                                                \
	static ALWAYS_INLINE u##w or_k##w(struct x86_cpu *c, u##w a, u##w b, bool f)                                     \
	{                                                                                                                \
		u##w r = a | b;                                                                                          \
		if (f)                                                                                                   \
			flags_result##w(c, r, false, false);                                                             \
		return r;                                                                                                \
	}                                                                                                                \
	static ALWAYS_INLINE u##w xor_k##w(struct x86_cpu *c, u##w a, u##w b, bool f)                                    \
	{                                                                                                                \
		u##w r = a ^ b;                                                                                          \
		if (f)                                                                                                   \
			flags_result##w(c, r, false, false);                                                             \
		return r;                                                                                                \
	}                                                                                                                \
	static ALWAYS_INLINE u##w inc_k##w(struct x86_cpu *c, u##w a, bool f)                                            \
	{                                                                                                                \
		return f ? flags_inc##w(c, a) : (u##w)(a + 1);                                                           \
	}                                                                                                                \
	static ALWAYS_INLINE u##w dec_k##w(struct x86_cpu *c, u##w a, bool f)                                            \
	{                                                                                                                \
		return f ? flags_dec##w(c, a) : (u##w)(a - 1);                                                           \
	}                                                                                                                \
	static ALWAYS_INLINE u##w neg_k##w(struct x86_cpu *c, u##w a, bool f) { return sub_k##w(c, 0, a, f); }           \
	static ALWAYS_INLINE u##w not_k##w(struct x86_cpu *c, u##w a, bool f)                                            \
	{                                                                                                                \
		(void)c, (void)f;                                                                                        \
		return (u##w)~a;                                                                                         \
	}
KERNELS(8)
KERNELS(16)
KERNELS(32)
KERNELS(64)

/* ---- handlers: name, width, flags wanted, and (st) whether the result is stored ---- */
#define BINARY(name, k, w, f, st)                                                                                                \
	static INSN name##_rr##w(struct x86_cpu *c, const struct x86_op *o)                                                       \
	{                                                                                                                        \
		u##w r = k##w(c, REG_GET##w(c, op_dst(o)), REG_GET##w(c, op_src(o)), f);                                          \
		if (st)                                                                                                          \
			REG_SET##w(c, op_dst(o), r);                                                                             \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN name##_ri##w(struct x86_cpu *c, const struct x86_op *o)                                                       \
	{                                                                                                                        \
		u##w r = k##w(c, REG_GET##w(c, op_dst(o)), (u##w)op_imm(o), f);                                                   \
		if (st)                                                                                                          \
			REG_SET##w(c, op_dst(o), r);                                                                             \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN name##_rm##w(struct x86_cpu *c, const struct x86_op *o, enum am m)                              \
	{                                                                                                                        \
		u64 v;                                                                                                           \
		u##w r;                                                                                                          \
		if (!x86_rd(c, o, m, w / 8, &v))                                                                                 \
			return op_miss(c, o, o->slow);                                                                                    \
		r = k##w(c, REG_GET##w(c, op_dst(o)), (u##w)v, f);                                                                \
		if (st)                                                                                                          \
			REG_SET##w(c, op_dst(o), r);                                                                             \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN name##_mx##w(struct x86_cpu *c, const struct x86_op *o, enum am m, u##w b)                      \
	{                                                                                                                        \
		struct rmw t;                                                                                                    \
		u64 v;                                                                                                           \
		if (!(st ? x86_rmw(c, o, m, w / 8, &v, &t) : x86_rd(c, o, m, w / 8, &v)))                                         \
			return op_miss(c, o, o->slow);                                                                                    \
		v = k##w(c, (u##w)v, b, f);                                                                                      \
		if (st)                                                                                                          \
			x86_rmw_put(c, m, w / 8, v, &t);                                                                         \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN name##_mr##w(struct x86_cpu *c, const struct x86_op *o, enum am m)                              \
	{                                                                                                                        \
		return name##_mx##w(c, o, m, REG_GET##w(c, op_src(o)));                                                           \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN name##_mi##w(struct x86_cpu *c, const struct x86_op *o, enum am m)                              \
	{                                                                                                                        \
		return name##_mx##w(c, o, m, (u##w)op_imm(o));                                                                    \
	}
#define BINARIES(name, k, f, st)                                                                                                 \
	BINARY(name, k, 8, f, st)                                                                                                \
	BINARY(name, k, 16, f, st)                                                                                               \
	BINARY(name, k, 32, f, st)                                                                                               \
	BINARY(name, k, 64, f, st)                                                                                               \
	FAMILY_MEMS(name##_rm) FAMILY_MEMS(name##_mr) FAMILY_MEMS(name##_mi)
#define BINARY_TABLES(name, stem, q_eg, q_ge, q_ei)                                                                              \
	FAMILY_TABLE(name##_EG, stem##_rr, stem##_mr, q_eg)                                                                      \
	FAMILY_TABLE(name##_GE, stem##_rr, stem##_rm, q_ge)                                                                      \
	FAMILY_TABLE(name##_EI, stem##_ri, stem##_mi, q_ei)
BINARIES(addq, add_k, false, true)
BINARIES(subq, sub_k, false, true)
BINARIES(andq, and_k, false, true)
BINARIES(orq, or_k, false, true)
BINARIES(xorq, xor_k, false, true)
BINARY_TABLES(add_quiet, addq, 0, 0, 0)
BINARY_TABLES(sub_quiet, subq, 0, 0, 0)
BINARY_TABLES(and_quiet, andq, 0, 0, 0)
BINARY_TABLES(or_quiet, orq, 0, 0, 0)
BINARY_TABLES(xor_quiet, xorq, 0, 0, 0)

#define LOUD(name)                                                                                                               \
	BINARIES(name, name##_k, true, true)                                                                                     \
	BINARY_TABLES(name, name, &x86_fam_##name##_quiet_EG, &x86_fam_##name##_quiet_GE, &x86_fam_##name##_quiet_EI)
LOUD(add)
LOUD(sub)
LOUD(and)
LOUD(or)
LOUD(xor)
BINARIES(adc, adc_k, true, true)
BINARIES(sbb, sbb_k, true, true)
BINARIES(cmp, sub_k, true, false)
BINARIES(test, and_k, true, false)
BINARY_TABLES(adc, adc, 0, 0, 0)
BINARY_TABLES(sbb, sbb, 0, 0, 0)
BINARY_TABLES(cmp, cmp, 0, 0, 0)
BINARY_TABLES(test, test, 0, 0, 0)

/* ---- one operand ---- */
#define UNARY(name, k, w, f)                                                                                                     \
	static INSN name##_r##w(struct x86_cpu *c, const struct x86_op *o)                                                        \
	{                                                                                                                        \
		REG_SET##w(c, op_dst(o), k##w(c, REG_GET##w(c, op_dst(o)), f));                                                   \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN name##_m##w(struct x86_cpu *c, const struct x86_op *o, enum am m)                               \
	{                                                                                                                        \
		struct rmw t;                                                                                                    \
		u64 v;                                                                                                           \
		if (!x86_rmw(c, o, m, w / 8, &v, &t))                                                                            \
			return op_miss(c, o, o->slow);                                                                                    \
		x86_rmw_put(c, m, w / 8, k##w(c, (u##w)v, f), &t);                                                                \
		return x86_next(c, o);                                                                                           \
	}
#define UNARIES(name, k, f) UNARY(name, k, 8, f) UNARY(name, k, 16, f) UNARY(name, k, 32, f) UNARY(name, k, 64, f) FAMILY_MEMS(name##_m)
UNARIES(incq, inc_k, false)
UNARIES(decq, dec_k, false)
UNARIES(inc, inc_k, true)
UNARIES(dec, dec_k, true)
UNARIES(neg, neg_k, true)
UNARIES(not, not_k, true)
FAMILY_TABLE(inc_quiet, incq_r, incq_m, 0)
FAMILY_TABLE(dec_quiet, decq_r, decq_m, 0)
FAMILY_TABLE(inc, inc_r, inc_m, &x86_fam_inc_quiet)
FAMILY_TABLE(dec, dec_r, dec_m, &x86_fam_dec_quiet)
FAMILY_TABLE(neg, neg_r, neg_m, 0)
FAMILY_TABLE(not, not_r, not_m, 0)

/* ---- IMUL: CF = OF = the product does not fit; the other flags are undefined and follow the truncated result here ---- */
#define IMUL(w, wide)                                                                                                            \
	static ALWAYS_INLINE u##w imul_k##w(struct x86_cpu *c, u##w a, u##w b)                                                    \
	{                                                                                                                        \
		wide p = (wide)(s##w)a * (s##w)b;                                                                                \
		u##w r = (u##w)p;                                                                                                \
		flags_result##w(c, r, (s##w)r != p, (s##w)r != p);                                                       \
		return r;                                                                                                        \
	}                                                                                                                        \
	static INSN imul2_r##w(struct x86_cpu *c, const struct x86_op *o)                                                         \
	{                                                                                                                        \
		REG_SET##w(c, op_dst(o), imul_k##w(c, REG_GET##w(c, op_dst(o)), REG_GET##w(c, op_src(o))));                        \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN imul3_r##w(struct x86_cpu *c, const struct x86_op *o)                                                         \
	{                                                                                                                        \
		REG_SET##w(c, op_dst(o), imul_k##w(c, REG_GET##w(c, op_src(o)), (u##w)op_imm(o)));                                 \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN imul2_m##w(struct x86_cpu *c, const struct x86_op *o, enum am m)                                \
	{                                                                                                                        \
		u64 v;                                                                                                           \
		if (!x86_rd(c, o, m, w / 8, &v))                                                                                 \
			return op_miss(c, o, o->slow);                                                                                    \
		REG_SET##w(c, op_dst(o), imul_k##w(c, REG_GET##w(c, op_dst(o)), (u##w)v));                                         \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN imul3_m##w(struct x86_cpu *c, const struct x86_op *o, enum am m)                                \
	{                                                                                                                        \
		u64 v;                                                                                                           \
		if (!x86_rd(c, o, m, w / 8, &v))                                                                                 \
			return op_miss(c, o, o->slow);                                                                                    \
		REG_SET##w(c, op_dst(o), imul_k##w(c, (u##w)v, (u##w)op_imm(o)));                                                  \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	FAMILY_MEM(imul2_m, w)                                                                                                   \
	FAMILY_MEM(imul3_m, w)
IMUL(16, s32)
IMUL(32, s64)
IMUL(64, __int128)
const struct x86_family x86_fam_imul2 = {{0, imul2_r16, imul2_r32, imul2_r64},
                                         {{0}, FAMILY_MODES(imul2_m, 16), FAMILY_MODES(imul2_m, 32), FAMILY_MODES(imul2_m, 64)},
                                         0};
const struct x86_family x86_fam_imul3 = {{0, imul3_r16, imul3_r32, imul3_r64},
                                         {{0}, FAMILY_MODES(imul3_m, 16), FAMILY_MODES(imul3_m, 32), FAMILY_MODES(imul3_m, 64)},
                                         0};
