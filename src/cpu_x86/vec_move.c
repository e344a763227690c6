/*
 * Vector moves: whole registers, halves, elements, between general and vector registers, sign masks, non-temporal and masked stores.
 * Stores are complete or not done at all. APM4: each instruction's page.
 */
#include "cpu_x86/vec.h"

/* ---- whole registers: loads are a family, stores have their own memory halves ---- */
V_EXPR(mov, b)
VEC(mov, false, 0)   /* MOVUPS, MOVDQU, LDDQU */
V_EXPR(mova, b)
VEC_REGS(mova, 0)    /* MOVAPS, MOVDQA, MOVNTDQA: VEX wants alignment too */
#define MOVA_LOAD(n, size)                                                                                                       \
	static INSN mova_m##n(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		const u8 *p = vec_mem(c, o, size, TLB_R, true);                                                                  \
		__m128i *d = vec_d(c, o);                                                                                        \
		if (unlikely(!p))                                                                                                \
			return o->slow(c, o);                                                                                    \
		d[0] = vec_get(p, 16);                                                                                           \
		if (n)                                                                                                           \
			d[1] = n == 2 ? vec_get(p + 16, 16) : _mm_setzero_si128();                                                \
		return x86_next(c, o);                                                                                           \
	}
MOVA_LOAD(0, 16)
MOVA_LOAD(1, 16)
MOVA_LOAD(2, 32)
const struct x86_vec x86_vec_mova = {.reg = VEC_TABLE_REGS(mova), .mem = VEC_TABLE_MEMS(mova)};

/* A store of size bytes from the source register at byte at of it. */
#define STORE(name, n, size, at, align)                                                                                          \
	static INSN name##_m##n(struct x86_cpu *c, const struct x86_op *o)                                                        \
	{                                                                                                                        \
		void *p = vec_mem(c, o, size, TLB_W, align);                                                                     \
		if (unlikely(!p))                                                                                                \
			return o->slow(c, o);                                                                                    \
		memcpy(p, (u8 *)vec_s(c, o) + (at), size);                                                                       \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN name##_any##n(struct x86_cpu *c, const struct x86_op *o)                                                      \
	{                                                                                                                        \
		vec_store(c, o, (u8 *)vec_s(c, o) + (at), size);                                                                 \
		return x86_next(c, o);                                                                                           \
	}
STORE(movst, 0, 16, 0, false)
STORE(movst, 1, 32, 0, false)
STORE(movsta, 0, 16, 0, true)
STORE(movsta, 1, 32, 0, true)
const struct x86_vec x86_vec_mov_store = {.reg = VEC_TABLE_REGS(mov),
                                          .mem = {movst_m0, movst_m0, movst_m1},
                                          .any = {movst_any0, movst_any0, movst_any1}};
const struct x86_vec x86_vec_mova_store = {.reg = VEC_TABLE_REGS(mova),
                                           .mem = {movsta_m0, movsta_m0, movsta_m1},
                                           .any = {movsta_any0, movsta_any0, movsta_any1}};

/* ---- parts of registers in memory ---- */
STORE(st4, 0, 4, 0, false)
STORE(st8, 0, 8, 0, false)
STORE(st8h, 0, 8, 8, false)
#define STORE_ONLY(name, m, a) const struct x86_vec x86_vec_##name = {.mem = {m, m, m}, .any = {a, a, a}};
STORE_ONLY(movlp_store, st8_m0, st8_any0)
STORE_ONLY(movhp_store, st8h_m0, st8h_any0)

#define KEEP_LOW(a, b, t) _mm_castp##t##_si128(_mm_move_s##t(_mm_castsi128_p##t(a), _mm_castsi128_p##t(b)))
V_EXPR(movss, KEEP_LOW(a, b, s))
VEC_REGS_SCALAR(movss)
V_EXPR(movsd, KEEP_LOW(a, b, d))
VEC_REGS_SCALAR(movsd)
const struct x86_vec x86_vec_movss = {.reg = {movss_r0, movss_r1, movss_r1}};
const struct x86_vec x86_vec_movsd = {.reg = {movsd_r0, movsd_r1, movsd_r1}};
const struct x86_vec x86_vec_movss_store = {.reg = {movss_r0, movss_r1, movss_r1},
                                            .mem = {st4_m0, st4_m0, st4_m0},
                                            .any = {st4_any0, st4_any0, st4_any0}};
const struct x86_vec x86_vec_movsd_store = {.reg = {movsd_r0, movsd_r1, movsd_r1},
                                            .mem = {st8_m0, st8_m0, st8_m0},
                                            .any = {st8_any0, st8_any0, st8_any0}};
V_EXPR(movss_load, b)
VEC_SCALAR(movss_load, 4)
V_EXPR(movsd_load, b)
VEC_SCALAR(movsd_load, 8)
V_EXPR(movlp, KEEP_LOW(a, b, d)) /* MOVLPS, MOVLPD */
VEC_SCALAR(movlp, 8)
V_EXPR(movhp, _mm_unpacklo_epi64(a, b)) /* MOVHPS, MOVHPD, MOVLHPS */
VEC_SCALAR(movhp, 8)
V_EXPR(movhlps, _mm_unpackhi_epi64(b, a))
VEC_RARE128(movhlps)
V_EXPR(movq, _mm_move_epi64(b))
VEC_SCALAR(movq, 8)
const struct x86_vec x86_vec_movq_store = {.reg = {movq_r0, movq_r1, movq_r1},
                                           .mem = {st8_m0, st8_m0, st8_m0},
                                           .any = {st8_any0, st8_any0, st8_any0}};

/* ---- general registers ---- */
#define FROM_GPR(name, make, load, size)                                                                                         \
	static INSN name##_r0(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		*vec_d(c, o) = make(REG_GET64(c, op_src(o)));                                                                            \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN name##_r1(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		vec_d(c, o)[0] = make(REG_GET64(c, op_src(o)));                                                                          \
		vec_d(c, o)[1] = _mm_setzero_si128();                                                                            \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	const struct x86_vec x86_vec_##name = {.reg = {name##_r0, name##_r1, name##_r1},                                         \
	                                       .mem = {load##_m0, load##_m1, load##_m1},                                         \
	                                       .tmp = {load##_r0, load##_r1, load##_r1}};
#define MAKE_D(v) _mm_cvtsi32_si128((int)(v))
#define MAKE_Q(v) _mm_cvtsi64_si128((s64)(v))
FROM_GPR(movd, MAKE_D, movss_load, 4)
FROM_GPR(movq_gpr, MAKE_Q, movsd_load, 8)

static INSN movd_to_gpr(struct x86_cpu *c, const struct x86_op *o)
{
	REG_AT(u64, c, op_dst(o)) = (u32)_mm_cvtsi128_si32(*vec_s(c, o));
	return x86_next(c, o);
}
static INSN movq_to_gpr(struct x86_cpu *c, const struct x86_op *o)
{
	REG_AT(u64, c, op_dst(o)) = (u64)_mm_cvtsi128_si64(*vec_s(c, o));
	return x86_next(c, o);
}
const struct x86_vec x86_vec_movd_store = {.reg = {movd_to_gpr, movd_to_gpr, movd_to_gpr},
                                           .mem = {st4_m0, st4_m0, st4_m0},
                                           .any = {st4_any0, st4_any0, st4_any0}};
const struct x86_vec x86_vec_movq_gpr_store = {.reg = {movq_to_gpr, movq_to_gpr, movq_to_gpr},
                                               .mem = {st8_m0, st8_m0, st8_m0},
                                               .any = {st8_any0, st8_any0, st8_any0}};

/* MOVNTI. APM3 */
static INSN movnti_any(struct x86_cpu *c, const struct x86_op *o)
{
	c->op = o;
	x86_store_seg_off(c, op_seg(o), x86_ea(c, o), 4, REG_GET64(c, op_src(o)));
	return x86_next(c, o);
}
static INSN movnti_q_any(struct x86_cpu *c, const struct x86_op *o)
{
	c->op = o;
	x86_store_seg_off(c, op_seg(o), x86_ea(c, o), 8, REG_GET64(c, op_src(o)));
	return x86_next(c, o);
}
const struct x86_vec x86_vec_movnti = {.any = {movnti_any}};
const struct x86_vec x86_vec_movnti_q = {.any = {movnti_q_any}};

/* Sign bits of all elements. */
#define MASK(name, expr)                                                                                                         \
	static ALWAYS_INLINE unsigned name##_of(__m128i v) { return (unsigned)(expr); }                                           \
	static INSN name##_r0(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		REG_AT(u64, c, op_dst(o)) = name##_of(*vec_s(c, o));                                                                       \
		return x86_next(c, o);                                                                                           \
	}
#define MASK_TABLE(name, n)                                                                                                      \
	static INSN name##_r2(struct x86_cpu *c, const struct x86_op *o)                                                          \
	{                                                                                                                        \
		REG_AT(u64, c, op_dst(o)) = name##_of(vec_s(c, o)[0]) | name##_of(vec_s(c, o)[1]) << n;                                     \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	const struct x86_vec x86_vec_##name = {.reg = {name##_r0, name##_r0, name##_r2}};
MASK(movmskps, _mm_movemask_ps(_mm_castsi128_ps(v)))
MASK_TABLE(movmskps, 4)
MASK(movmskpd, _mm_movemask_pd(_mm_castsi128_pd(v)))
MASK_TABLE(movmskpd, 2)
MASK(pmovmskb, _mm_movemask_epi8(v))
MASK_TABLE(pmovmskb, 16)

/* ---- elements by number ---- */
/* PINSRx: the element comes from a general register or from memory, which lies in the scratch register then. */
#define PINSR(name, field, count)                                                                                                \
	static ALWAYS_INLINE void name##_put(struct x86_cpu *c, const struct x86_op *o, u64 v)                                    \
	{                                                                                                                        \
		union lane a = {.v = *vec_v(c, o)};                                                                              \
		a.field[vec_imm(o) % (count)] = (__typeof__(a.field[0]))v;                                                       \
		*vec_d(c, o) = a.v;                                                                                              \
		if (op_vl(o))                                                                                                    \
			vec_d(c, o)[1] = _mm_setzero_si128();                                                                    \
	}                                                                                                                        \
	static INSN name##_reg(struct x86_cpu *c, const struct x86_op *o)                                                         \
	{                                                                                                                        \
		name##_put(c, o, REG_GET64(c, op_src(o)));                                                                               \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN name##_tmp(struct x86_cpu *c, const struct x86_op *o)                                                         \
	{                                                                                                                        \
		name##_put(c, o, (u64)_mm_cvtsi128_si64(*vec_s(c, o)));                                                          \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	const struct x86_vec x86_vec_##name = {.reg = {name##_reg, name##_reg}, .tmp = {name##_tmp, name##_tmp}};
PINSR(pinsrb, b, 16)
PINSR(pinsrw, w, 8)
PINSR(pinsrd, d, 4)
PINSR(pinsrq, q, 2)

/* PEXTRx, EXTRACTPS: to a general register, zero-extended, or to memory. */
#define PEXTR(name, field, count)                                                                                                \
	static ALWAYS_INLINE u64 name##_value(struct x86_cpu *c, const struct x86_op *o)                                          \
	{                                                                                                                        \
		union lane a = {.v = *vec_s(c, o)};                                                                              \
		return a.field[vec_imm(o) % (count)];                                                                            \
	}                                                                                                                        \
	static INSN name##_reg(struct x86_cpu *c, const struct x86_op *o)                                                         \
	{                                                                                                                        \
		REG_AT(u64, c, op_dst(o)) = name##_value(c, o);                                                                            \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN name##_any(struct x86_cpu *c, const struct x86_op *o)                                                         \
	{                                                                                                                        \
		u64 v = name##_value(c, o);                                                                                      \
		vec_store(c, o, &v, 16 / (count));                                                                               \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	const struct x86_vec x86_vec_##name = {.reg = {name##_reg, name##_reg}, .any = {name##_any, name##_any}};
PEXTR(pextrb, b, 16)
PEXTR(pextrw, w, 8)
PEXTR(pextrd, d, 4)
PEXTR(pextrq, q, 2)

/* ---- MASKMOVDQU: bytes whose mask has bit 7 go to DS:rDI; no alignment. APM4 ---- */
static INSN maskmovdqu_reg(struct x86_cpu *c, const struct x86_op *o)
{
	union lane v = {.v = *vec_d(c, o)}, m = {.v = *vec_s(c, o)};
	u64 off = c->r[R_DI] & x86_amask[op_asize(o)], va;

	c->op = o;
	x86_linear(c, op_seg(o), off + 15, 1, true);
	va = x86_linear(c, op_seg(o), off, 1, true); /* no #AC, as for the other masked moves */
	for (unsigned i = 0; i < 16; i++)
		if (m.b[i] & 0x80)
			x86_probe_write(c, va + i, 1, c->cpl);
	for (unsigned i = 0; i < 16; i++)
		if (m.b[i] & 0x80)
			x86_store(c, va + i, 1, v.b[i]);
	return x86_next(c, o);
}
const struct x86_vec x86_vec_maskmovdqu = {.reg = {maskmovdqu_reg, maskmovdqu_reg}};
