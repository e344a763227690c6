/*
 * Data movement: MOV, MOVZX, MOVSX, MOVSXD, LEA, XCHG with registers, BSWAP, CMOVcc, SETcc, sign extensions of rAX, LAHF/SAHF, XLAT as a
 * body, NOP. APM3: each instruction's page.
 */
#include "cpu_x86/family.h"

#define MOV(w)                                                                                                                   \
	static INSN mov_rr##w(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		REG_SET##w(c, op_dst(o), REG_GET##w(c, op_src(o)));                                                               \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN mov_ri##w(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		REG_SET##w(c, op_dst(o), (u##w)op_imm(o));                                                                        \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN mov_rq##w(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		REG_SET##w(c, op_dst(o), (u##w)op_imm64(o));                                                                      \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN mov_rm##w(struct x86_cpu *c, const struct x86_op *o, enum am m)                                 \
	{                                                                                                                        \
		u64 v;                                                                                                           \
		if (!x86_rd(c, o, m, w / 8, &v))                                                                                 \
			return op_miss(c, o, o->slow);                                                                                    \
		REG_SET##w(c, op_dst(o), (u##w)v);                                                                                \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN mov_mr##w(struct x86_cpu *c, const struct x86_op *o, enum am m)                                 \
	{                                                                                                                        \
		if (!x86_wr(c, o, m, w / 8, REG_GET##w(c, op_src(o))))                                                            \
			return op_miss(c, o, o->slow);                                                                                    \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN mov_mi##w(struct x86_cpu *c, const struct x86_op *o, enum am m)                                 \
	{                                                                                                                        \
		if (!x86_wr(c, o, m, w / 8, (u##w)op_imm(o)))                                                                     \
			return op_miss(c, o, o->slow);                                                                                    \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN xchg_r##w(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		u##w a = REG_GET##w(c, op_dst(o)), b = REG_GET##w(c, op_src(o));                                                  \
		REG_SET##w(c, op_dst(o), b);                                                                                      \
		REG_SET##w(c, op_src(o), a);                                                                                      \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN xchg_m##w(struct x86_cpu *c, const struct x86_op *o, enum am m)                                 \
	{                                                                                                                        \
		struct rmw t;                                                                                                    \
		u64 v;                                                                                                           \
		if (!x86_rmw(c, o, m, w / 8, &v, &t))                                                                            \
			return op_miss(c, o, o->slow);                                                                                    \
		x86_rmw_put(c, m, w / 8, REG_GET##w(c, op_src(o)), &t);                                                           \
		REG_SET##w(c, op_src(o), (u##w)v);                                                                                \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN lea_r##w(struct x86_cpu *c, const struct x86_op *o)                                                           \
	{                                                                                                                        \
		REG_SET##w(c, op_dst(o), (u##w)(x86_ea_sum(c, o) & op_address_mask(o)));                                      \
		return x86_next(c, o);                                                                                           \
	}
MOV(8)
MOV(16)
MOV(32)
MOV(64)
FAMILY_MEMS(mov_rm)
FAMILY_MEMS(mov_mr)
FAMILY_MEMS(mov_mi)
FAMILY_MEMS(xchg_m)
FAMILY_TABLE(mov_EG, mov_rr, mov_mr, 0)
FAMILY_TABLE(mov_GE, mov_rr, mov_rm, 0)
FAMILY_TABLE(mov_EI, mov_ri, mov_mi, 0)
FAMILY_TABLE(mov_OI, mov_rq, mov_rm, 0)
FAMILY_TABLE(xchg, xchg_r, xchg_m, 0)
#define ALL_MODES(fn) {fn, fn, fn, fn}
const struct x86_family x86_fam_lea = {{0}, {ALL_MODES(lea_r8), ALL_MODES(lea_r16), ALL_MODES(lea_r32), ALL_MODES(lea_r64)}, 0};

/* Widening moves: from width s to width w. */
#define WIDEN(name, stype, s, w, conv)                                                                                           \
	static INSN name##_r##w(struct x86_cpu *c, const struct x86_op *o)                                                        \
	{                                                                                                                        \
		REG_SET##w(c, op_dst(o), (u##w)conv(stype)REG_GET##s(c, op_src(o)));                                              \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN name##_m##w(struct x86_cpu *c, const struct x86_op *o, enum am m)                               \
	{                                                                                                                        \
		u64 v;                                                                                                           \
		if (!x86_rd(c, o, m, s / 8, &v))                                                                                 \
			return op_miss(c, o, o->slow);                                                                                    \
		REG_SET##w(c, op_dst(o), (u##w)conv(stype)v);                                                                     \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	FAMILY_MEM(name##_m, w)
#define WIDEN_FAMILY(name, stype, s, conv)                                                                                       \
	WIDEN(name, stype, s, 16, conv)                                                                                          \
	WIDEN(name, stype, s, 32, conv)                                                                                          \
	WIDEN(name, stype, s, 64, conv)                                                                                          \
	const struct x86_family x86_fam_##name = {{0, name##_r16, name##_r32, name##_r64},                                       \
	                                          {{0}, FAMILY_MODES(name##_m, 16), FAMILY_MODES(name##_m, 32), FAMILY_MODES(name##_m, 64)}, \
	                                          0};
WIDEN_FAMILY(movzx8, u8, 8, (u64))
WIDEN_FAMILY(movzx16, u16, 16, (u64))
WIDEN_FAMILY(movsx8, s8, 8, (s64))
WIDEN_FAMILY(movsx16, s16, 16, (s64))
WIDEN_FAMILY(movsxd, s32, 32, (s64))

/* CMOVcc: the load happens whatever the condition; a 32-bit destination is zero-extended either way. APM3 CMOVcc. */
#define CMOV(w, cc)                                                                                                              \
	static INSN cmov##cc##_r##w(struct x86_cpu *c, const struct x86_op *o)                                                    \
	{                                                                                                                        \
		u##w v = flags_cond(c, cc) ? REG_GET##w(c, op_src(o)) : REG_GET##w(c, op_dst(o));                                 \
		REG_SET##w(c, op_dst(o), v);                                                                                      \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN cmov##cc##_m##w(struct x86_cpu *c, const struct x86_op *o, enum am m)                           \
	{                                                                                                                        \
		u64 v;                                                                                                           \
		if (!x86_rd(c, o, m, w / 8, &v))                                                                                 \
			return op_miss(c, o, o->slow);                                                                                    \
		REG_SET##w(c, op_dst(o), flags_cond(c, cc) ? (u##w)v : REG_GET##w(c, op_dst(o)));                                 \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	FAMILY_MEM(cmov##cc##_m, w)
#define CONDITIONAL(cc)                                                                                                          \
	CMOV(16, cc)                                                                                                             \
	CMOV(32, cc)                                                                                                             \
	CMOV(64, cc)                                                                                                             \
	static INSN set##cc##_r8(struct x86_cpu *c, const struct x86_op *o)                                                       \
	{                                                                                                                        \
		REG_SET8(c, op_dst(o), flags_cond(c, cc));                                                                       \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN set##cc##_m8(struct x86_cpu *c, const struct x86_op *o, enum am m)                              \
	{                                                                                                                        \
		if (!x86_wr(c, o, m, 1, flags_cond(c, cc)))                                                                      \
			return op_miss(c, o, o->slow);                                                                                    \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	FAMILY_MEM(set##cc##_m, 8)                                                                                               \
	const struct x86_family x86_fam_cmov##cc = {                                                                             \
	        {0, cmov##cc##_r16, cmov##cc##_r32, cmov##cc##_r64},                                                             \
	        {{0}, FAMILY_MODES(cmov##cc##_m, 16), FAMILY_MODES(cmov##cc##_m, 32), FAMILY_MODES(cmov##cc##_m, 64)},           \
	        0};                                                                                                              \
	const struct x86_family x86_fam_set##cc = {{set##cc##_r8}, {FAMILY_MODES(set##cc##_m, 8)}, 0};
CONDITIONAL(0)
CONDITIONAL(1)
CONDITIONAL(2)
CONDITIONAL(3)
CONDITIONAL(4)
CONDITIONAL(5)
CONDITIONAL(6)
CONDITIONAL(7)
CONDITIONAL(8)
CONDITIONAL(9)
CONDITIONAL(10)
CONDITIONAL(11)
CONDITIONAL(12)
CONDITIONAL(13)
CONDITIONAL(14)
CONDITIONAL(15)

/* ---- registers only ---- */
#define REG_ONLY(name, body16, body32, body64)                                                                                   \
	static INSN name##_16(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		body16;                                                                                                          \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN name##_32(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		body32;                                                                                                          \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN name##_64(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		body64;                                                                                                          \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	const struct x86_family x86_fam_##name = {{name##_16, name##_16, name##_32, name##_64}, {{0}}, 0};

/* BSWAP of a 16-bit register is undefined; processors clear it. */
REG_ONLY(bswap, REG_SET16(c, op_dst(o), 0), REG_SET32(c, op_dst(o), __builtin_bswap32(REG_GET32(c, op_dst(o)))),
         REG_SET64(c, op_dst(o), __builtin_bswap64(REG_GET64(c, op_dst(o)))))
/* CBW/CWDE/CDQE and CWD/CDQ/CQO */
REG_ONLY(cbw, REG_SET16(c, REG_OFFSET(R_AX), (s8)c->r[R_AX]), REG_SET32(c, REG_OFFSET(R_AX), (s16)c->r[R_AX]), REG_SET64(c, REG_OFFSET(R_AX), (u64)(s64)(s32)c->r[R_AX]))
REG_ONLY(cwd, REG_SET16(c, REG_OFFSET(R_DX), (s16)c->r[R_AX] >> 15), REG_SET32(c, REG_OFFSET(R_DX), (s32)c->r[R_AX] >> 31),
         REG_SET64(c, REG_OFFSET(R_DX), (u64)((s64)c->r[R_AX] >> 63)))
REG_ONLY(nop, (void)c, (void)c, (void)c)
/* Multi-byte NOP, PREFETCH and hints with a ModRM byte do not touch memory. */
const struct x86_family x86_fam_hint = {{nop_16, nop_16, nop_32, nop_64},
                                        {ALL_MODES(nop_16), ALL_MODES(nop_16), ALL_MODES(nop_32), ALL_MODES(nop_64)},
                                        0};
REG_ONLY(clc, flags_set_cf_of(c, false, flag_of(c)), flags_set_cf_of(c, false, flag_of(c)), flags_set_cf_of(c, false, flag_of(c)))
REG_ONLY(stc, flags_set_cf_of(c, true, flag_of(c)), flags_set_cf_of(c, true, flag_of(c)), flags_set_cf_of(c, true, flag_of(c)))
REG_ONLY(cmc, flags_set_cf_of(c, !flag_cf(c), flag_of(c)), flags_set_cf_of(c, !flag_cf(c), flag_of(c)),
         flags_set_cf_of(c, !flag_cf(c), flag_of(c)))
REG_ONLY(cld, c->flags &= ~(u32)FLAG_DF, c->flags &= ~(u32)FLAG_DF, c->flags &= ~(u32)FLAG_DF)
REG_ONLY(std, c->flags |= FLAG_DF, c->flags |= FLAG_DF, c->flags |= FLAG_DF)
#define LAHF REG_SET8(c, REG_OFFSET(R_AX) + 1, (flags_arith_get(c) & 0xd5) | FLAG_1)
REG_ONLY(lahf, LAHF, LAHF, LAHF)
#define SAHF flags_arith_set(c, (u32)(c->r[R_AX] >> 8 & 0xd5) | (flag_of(c) ? FLAG_OF : 0))
REG_ONLY(sahf, SAHF, SAHF, SAHF)
