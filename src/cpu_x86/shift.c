/*
 * Shifts and rotates by 1, CL or an immediate, and SHLD/SHRD. A masked count of zero changes nothing. Where the manual leaves OF
 * undefined (counts above 1) it follows the last one-bit step, as processors do. APM3 SAL/SHR/SAR/ROL/ROR/RCL/RCR/SHLD/SHRD.
 */
#include "cpu_x86/family.h"

#define SHIFTS(w)                                                                                                                \
	static ALWAYS_INLINE u##w shl_k##w(struct x86_cpu *c, u##w a, unsigned n)                                                 \
	{                                                                                                                        \
		u##w r;                                                                                                          \
		bool cf;                                                                                                         \
		if (!n)                                                                                                          \
			return a;                                                                                                \
		r = (u##w)((u64)a << n);                                                                                         \
		cf = n <= w && (a >> (w - n) & 1);                                                                               \
		flags_result##w(c, r, cf, (r >> (w - 1)) ^ cf);                                                                   \
		return r;                                                                                                        \
	}                                                                                                                        \
	static ALWAYS_INLINE u##w shr_k##w(struct x86_cpu *c, u##w a, unsigned n)                                                 \
	{                                                                                                                        \
		u##w r;                                                                                                          \
		if (!n)                                                                                                          \
			return a;                                                                                                \
		r = (u##w)((u64)a >> n);                                                                                         \
		flags_result##w(c, r, (u64)a >> (n - 1) & 1, (r ^ (u##w)(r << 1)) >> (w - 1) & 1);                                  \
		return r;                                                                                                        \
	}                                                                                                                        \
	static ALWAYS_INLINE u##w sar_k##w(struct x86_cpu *c, u##w a, unsigned n)                                                 \
	{                                                                                                                        \
		u##w r;                                                                                                          \
		if (!n)                                                                                                          \
			return a;                                                                                                \
		r = (u##w)((s64)(s##w)a >> n);                                                                                   \
		flags_result##w(c, r, (s64)(s##w)a >> (n - 1) & 1, 0);                                                             \
		return r;                                                                                                        \
	}                                                                                                                        \
	static ALWAYS_INLINE u##w rol_k##w(struct x86_cpu *c, u##w a, unsigned n)                                                 \
	{                                                                                                                        \
		unsigned k = n & (w - 1);                                                                                        \
		u##w r = k ? (u##w)(a << k | a >> (w - k)) : a;                                                                  \
		if (n)                                                                                                           \
			flags_set_cf_of(c, r & 1, (r >> (w - 1) ^ r) & 1);                                                        \
		return r;                                                                                                        \
	}                                                                                                                        \
	static ALWAYS_INLINE u##w ror_k##w(struct x86_cpu *c, u##w a, unsigned n)                                                 \
	{                                                                                                                        \
		unsigned k = n & (w - 1);                                                                                        \
		u##w r = k ? (u##w)(a >> k | a << (w - k)) : a;                                                                  \
		if (n)                                                                                                           \
			flags_set_cf_of(c, r >> (w - 1), (r >> (w - 1) ^ r >> (w - 2)) & 1);                                      \
		return r;                                                                                                        \
	}                                                                                                                        \
	static ALWAYS_INLINE u##w rcl_k##w(struct x86_cpu *c, u##w a, unsigned n)                                                 \
	{                                                                                                                        \
		bool cf = flag_cf(c);                                                                                            \
		unsigned k = w < 32 ? n % (w + 1) : n;                                                                           \
		for (unsigned i = 0; i < k; i++) {                                                                               \
			bool out = a >> (w - 1);                                                                                 \
			a = (u##w)(a << 1 | cf);                                                                                 \
			cf = out;                                                                                                \
		}                                                                                                                \
		if (n)                                                                                                           \
			flags_set_cf_of(c, cf, (a >> (w - 1)) ^ cf);                                                              \
		return a;                                                                                                        \
	}                                                                                                                        \
	static ALWAYS_INLINE u##w rcr_k##w(struct x86_cpu *c, u##w a, unsigned n)                                                 \
	{                                                                                                                        \
		bool cf = flag_cf(c);                                                                                            \
		unsigned k = w < 32 ? n % (w + 1) : n;                                                                           \
		for (unsigned i = 0; i < k; i++) {                                                                               \
			bool out = a & 1;                                                                                        \
			a = (u##w)(a >> 1 | (u##w)cf << (w - 1));                                                                 \
			cf = out;                                                                                                \
		}                                                                                                                \
		if (n)                                                                                                           \
			flags_set_cf_of(c, cf, (a >> (w - 1) ^ a >> (w - 2)) & 1);                                                \
		return a;                                                                                                        \
	}
SHIFTS(8)
SHIFTS(16)
SHIFTS(32)
SHIFTS(64)

#define COUNT_MASK(w) (w == 64 ? 63u : 31u)

/* Handlers: count from the immediate (also for the by-1 form) or from CL. */
#define SHIFT(name, w)                                                                                                           \
	static INSN name##_ri##w(struct x86_cpu *c, const struct x86_op *o)                                                       \
	{                                                                                                                        \
		REG_SET##w(c, op_dst(o), name##_k##w(c, REG_GET##w(c, op_dst(o)), (unsigned)op_imm(o) & COUNT_MASK(w)));           \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN name##_rc##w(struct x86_cpu *c, const struct x86_op *o)                                                       \
	{                                                                                                                        \
		REG_SET##w(c, op_dst(o), name##_k##w(c, REG_GET##w(c, op_dst(o)), (unsigned)c->r[R_CX] & COUNT_MASK(w)));          \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN name##_mx##w(struct x86_cpu *c, const struct x86_op *o, enum am m, unsigned n)                  \
	{                                                                                                                        \
		struct rmw t;                                                                                                    \
		u64 v;                                                                                                           \
		if (!x86_rmw(c, o, m, w / 8, &v, &t))                                                                            \
			return op_miss(c, o, o->slow);                                                                                    \
		x86_rmw_put(c, m, w / 8, name##_k##w(c, (u##w)v, n & COUNT_MASK(w)), &t);                                         \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN name##_mi##w(struct x86_cpu *c, const struct x86_op *o, enum am m)                              \
	{                                                                                                                        \
		return name##_mx##w(c, o, m, (unsigned)op_imm(o));                                                                \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN name##_mc##w(struct x86_cpu *c, const struct x86_op *o, enum am m)                              \
	{                                                                                                                        \
		return name##_mx##w(c, o, m, (unsigned)c->r[R_CX]);                                                               \
	}
#define SHIFT_FAMILY(name)                                                                                                       \
	SHIFT(name, 8)                                                                                                           \
	SHIFT(name, 16)                                                                                                          \
	SHIFT(name, 32)                                                                                                          \
	SHIFT(name, 64)                                                                                                          \
	FAMILY_MEMS(name##_mi) FAMILY_MEMS(name##_mc) FAMILY_TABLE(name##_EI, name##_ri, name##_mi, 0)                            \
	        FAMILY_TABLE(name##_EC, name##_rc, name##_mc, 0)
SHIFT_FAMILY(shl)
SHIFT_FAMILY(shr)
SHIFT_FAMILY(sar)
SHIFT_FAMILY(rol)
SHIFT_FAMILY(ror)
SHIFT_FAMILY(rcl)
SHIFT_FAMILY(rcr)

/* ---- SHLD, SHRD: dst = E, src = G. 16-bit counts above 16 are undefined: the concatenation dst:src:dst is shifted, as processors do. ---- */
#define DOUBLE_SHIFT(w)                                                                                                          \
	static ALWAYS_INLINE u##w shld_k##w(struct x86_cpu *c, u##w a, u##w b, unsigned n)                                        \
	{                                                                                                                        \
		unsigned __int128 v = (unsigned __int128)a << (w) | b;                                                           \
		u##w r;                                                                                                          \
		bool cf;                                                                                                         \
		if (!n)                                                                                                          \
			return a;                                                                                                \
		if (w == 16)                                                                                                     \
			v = v << 16 | a, r = (u##w)(v << n >> 32), cf = v << (n - 1) >> 47 & 1;                                  \
		else                                                                                                             \
			r = (u##w)(v << n >> (w)), cf = a >> ((w) - n) & 1;                                                       \
		flags_result##w(c, r, cf, (((r ^ a) >> ((w) - 1)) & 1));                                                 \
		return r;                                                                                                        \
	}                                                                                                                        \
	static ALWAYS_INLINE u##w shrd_k##w(struct x86_cpu *c, u##w a, u##w b, unsigned n)                                        \
	{                                                                                                                        \
		unsigned __int128 v = (unsigned __int128)b << (w) | a;                                                           \
		u##w r;                                                                                                          \
		bool cf;                                                                                                         \
		if (!n)                                                                                                          \
			return a;                                                                                                \
		if (w == 16)                                                                                                     \
			v |= (unsigned __int128)a << 32;                                                                         \
		r = (u##w)(v >> n);                                                                                              \
		cf = v >> (n - 1) & 1;                                                                                           \
		flags_result##w(c, r, cf, (((r ^ (r << 1)) >> ((w) - 1)) & 1));                                          \
		return r;                                                                                                        \
	}
DOUBLE_SHIFT(16)
DOUBLE_SHIFT(32)
DOUBLE_SHIFT(64)

#define DOUBLE_FORM(name, suffix, w, count)                                                                                      \
	static INSN name##_##suffix##r##w(struct x86_cpu *c, const struct x86_op *o)                                              \
	{                                                                                                                        \
		REG_SET##w(c, op_dst(o),                                                                                         \
		           name##_k##w(c, REG_GET##w(c, op_dst(o)), REG_GET##w(c, op_src(o)), (unsigned)(count)&COUNT_MASK(w)));  \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN name##_##suffix##m##w(struct x86_cpu *c, const struct x86_op *o, enum am m)                     \
	{                                                                                                                        \
		struct rmw t;                                                                                                    \
		u64 v;                                                                                                           \
		if (!x86_rmw(c, o, m, w / 8, &v, &t))                                                                            \
			return op_miss(c, o, o->slow);                                                                                    \
		v = name##_k##w(c, (u##w)v, REG_GET##w(c, op_src(o)), (unsigned)(count)&COUNT_MASK(w));                           \
		x86_rmw_put(c, m, w / 8, v, &t);                                                                                 \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	FAMILY_MEM(name##_##suffix##m, w)
#define DOUBLE_FAMILY(name, suffix, count)                                                                                       \
	DOUBLE_FORM(name, suffix, 16, count)                                                                                     \
	DOUBLE_FORM(name, suffix, 32, count)                                                                                     \
	DOUBLE_FORM(name, suffix, 64, count)                                                                                     \
	const struct x86_family x86_fam_##name##_##suffix = {                                                                    \
	        {0, name##_##suffix##r16, name##_##suffix##r32, name##_##suffix##r64},                                           \
	        {{0},                                                                                                            \
	         FAMILY_MODES(name##_##suffix##m, 16),                                                                           \
	         FAMILY_MODES(name##_##suffix##m, 32),                                                                           \
	         FAMILY_MODES(name##_##suffix##m, 64)},                                                                          \
	        0};
DOUBLE_FAMILY(shld, I, op_imm(o))
DOUBLE_FAMILY(shld, C, c->r[R_CX])
DOUBLE_FAMILY(shrd, I, op_imm(o))
DOUBLE_FAMILY(shrd, C, c->r[R_CX])
