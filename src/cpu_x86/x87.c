/*
 * x87 instructions that compute, compare, load and store: each handler is the host's own instruction on the host's x87, which holds the
 * guest's registers (fpu.h). Whatever needs more than that leaves: x86_x87_enter and x86_x87_slow in x87_enter.c. Control instructions and
 * environments are in x87_control.c. APM5.
 */
#include "cpu_x86/fpu.h"

/* Lists of ModRM bytes: h0..h7, h8..hf. */
#define LOW(F, op, h)  F(op, h##0) F(op, h##1) F(op, h##2) F(op, h##3) F(op, h##4) F(op, h##5) F(op, h##6) F(op, h##7)
#define HIGH(F, op, h) F(op, h##8) F(op, h##9) F(op, h##a) F(op, h##b) F(op, h##c) F(op, h##d) F(op, h##e) F(op, h##f)
#define BOTH(F, op, h) LOW(F, op, h) HIGH(F, op, h)

#define HANDLER(op, m) static INSN r_##op##_##m(struct x86_cpu *c, const struct x86_op *o)
#define ENTER                                                                                                                    \
	if (unlikely(c->fp != FP_X87))                                                                                           \
		return x86_x87_enter(c, o);                                                                                      \
	x87_pointers(c, o);

/* ---- register forms ---- */
#define PLAIN(op, m)                                                                                                             \
	HANDLER(op, m)                                                                                                           \
	{                                                                                                                        \
		ENTER                                                                                                            \
		FPU_HOST_REG(op, m);                                                                                             \
		return x86_next(c, o);                                                                                           \
	}
#define PLAIN_LIST(F)                                                                                                            \
	BOTH(F, d8, c) BOTH(F, d8, d) BOTH(F, d8, e) BOTH(F, d8, f)                                                              \
	BOTH(F, d9, c) F(d9, d0) HIGH(F, d9, d) F(d9, e0) F(d9, e1) F(d9, e4) F(d9, e5) F(d9, e8) F(d9, e9) F(d9, ea) F(d9, eb)     \
	F(d9, ec) F(d9, ed) F(d9, ee) BOTH(F, d9, f) F(da, e9)                                                                    \
	BOTH(F, dc, c) BOTH(F, dc, d) BOTH(F, dc, e) BOTH(F, dc, f)                                                              \
	BOTH(F, dd, c) BOTH(F, dd, d) BOTH(F, dd, e)                                                                             \
	BOTH(F, de, c) LOW(F, de, d) F(de, d9) BOTH(F, de, e) BOTH(F, de, f)                                                     \
	BOTH(F, df, c) BOTH(F, df, d)
PLAIN_LIST(PLAIN)

/* FCOMI, FUCOMI and with pop: OF, SF and AF are cleared. APM5 FCOMI */
#define COMPARE(op, m)                                                                                                           \
	HANDLER(op, m)                                                                                                           \
	{                                                                                                                        \
		bool zf, pf, cf;                                                                                                 \
		ENTER                                                                                                            \
		FPU_HOST_COMPARE(op, m, zf, pf, cf);                                                                             \
		flags_arith_set(c, (zf ? FLAG_ZF : 0) | (pf ? FLAG_PF : 0) | (cf ? FLAG_CF : 0));                                \
		return x86_next(c, o);                                                                                           \
	}
#define COMPARE_LIST(F) HIGH(F, db, e) LOW(F, db, f) HIGH(F, df, e) LOW(F, df, f)
COMPARE_LIST(COMPARE)

/* FCMOVcc: the host's FCMOVE on a ZF made of our flags, so that an empty register counts as on the host. APM5 FCMOVcc */
#define MOVE(op, m, host, cond)                                                                                                  \
	HANDLER(op, m)                                                                                                           \
	{                                                                                                                        \
		bool move = flags_cond(c, cond);                                                                                 \
		ENTER                                                                                                            \
		FPU_HOST_MOVE_IF(host, move);                                                                                    \
		return x86_next(c, o);                                                                                           \
	}
#define MOVES_LOW(F, op, h, cond)                                                                                                \
	F(op, h##0, c8, cond) F(op, h##1, c9, cond) F(op, h##2, ca, cond) F(op, h##3, cb, cond)                                  \
	F(op, h##4, cc, cond) F(op, h##5, cd, cond) F(op, h##6, ce, cond) F(op, h##7, cf, cond)
#define MOVES_HIGH(F, op, h, cond)                                                                                               \
	F(op, h##8, c8, cond) F(op, h##9, c9, cond) F(op, h##a, ca, cond) F(op, h##b, cb, cond)                                  \
	F(op, h##c, cc, cond) F(op, h##d, cd, cond) F(op, h##e, ce, cond) F(op, h##f, cf, cond)
/* B, E, BE, U and their opposites, by the numbers of Jcc. */
#define MOVE_LIST(F)                                                                                                             \
	MOVES_LOW(F, da, c, 2) MOVES_HIGH(F, da, c, 4) MOVES_LOW(F, da, d, 6) MOVES_HIGH(F, da, d, 10)                           \
	MOVES_LOW(F, db, c, 3) MOVES_HIGH(F, db, c, 5) MOVES_LOW(F, db, d, 7) MOVES_HIGH(F, db, d, 11)
MOVE_LIST(MOVE)

#define ENTRY(op, m)               [0x##op - 0xd8][0x##m - 0xc0] = r_##op##_##m,
#define ENTRY_MOVE(op, m, host, cond) ENTRY(op, m)
x86_fn *const x86_x87_reg[8][64] = {PLAIN_LIST(ENTRY) COMPARE_LIST(ENTRY) MOVE_LIST(ENTRY_MOVE)};

/* ---- memory forms ---- */

/* As x86_mem, with the data pointer. 64-bit code without a segment base: no selector is kept. */
static ALWAYS_INLINE void *x87_mem(struct x86_cpu *c, const struct x86_op *o, enum am m, unsigned size, unsigned rw, u64 *ea)
{
	u64 a = m == AM_B ? REG_GET64(c, op_base(o)) + (u64)op_disp(o) : x86_ea_sum(c, o);

	if (m == AM_S)
		a &= x86_amask[op_asize(o)];
	*ea = a;
	if (m == AM_S) {
		unsigned seg = op_seg(o);

		if (unlikely(a + size > (rw == TLB_W ? c->swlim : c->srlim)[seg]))
			return NULL;
		a += c->sbase[seg];
		if (!x86_long64(c))
			a = (u32)a;
	}
	return x86_host(c, a, size, rw);
}

static ALWAYS_INLINE void x87_data_pointer(struct x86_cpu *c, const struct x86_op *o, enum am m, u64 ea)
{
	c->x87_fdp = ea;
	if (m == AM_S || m == AM_SLOW)
		c->x87_fds = c->seg[op_seg(o)].sel;
}

static NOINLINE const void *fetch(struct x86_cpu *c, const struct x86_op *o, unsigned size, u8 buf[16])
{
	u64 va;

	c->op = o;
	va = x87_linear(c, o, size, false);
	store_le(buf, 8, x86_load(c, va, size > 8 ? 8 : size));
	if (size > 8)
		store_le(buf + 8, 2, x86_load(c, va + 8, 2));
	return buf;
}

#define LOAD(op, m, n)                                                                                                           \
	static ALWAYS_INLINE INSN m_##op##_##m(struct x86_cpu *c, const struct x86_op *o, enum am mode)                           \
	{                                                                                                                        \
		u8 buf[16];                                                                                                      \
		const void *p;                                                                                                   \
		u64 ea;                                                                                                          \
		if (unlikely(c->fp != FP_X87))                                                                                   \
			return x86_x87_enter(c, o);                                                                              \
		if (mode == AM_SLOW) {                                                                                           \
			ea = x86_ea(c, o);                                                                                       \
			p = fetch(c, o, n, buf);                                                                                 \
		} else {                                                                                                         \
			p = x87_mem(c, o, mode, n, TLB_R, &ea);                                                                  \
			if (unlikely(!p))                                                                                        \
				return o->slow(c, o);                                                                            \
		}                                                                                                                \
		x87_pointers(c, o);                                                                                              \
		x87_data_pointer(c, o, mode, ea);                                                                                \
		FPU_HOST_LOAD(op, m, p, n);                                                                                      \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN m_##op##_##m##_b(struct x86_cpu *c, const struct x86_op *o) { return m_##op##_##m(c, o, AM_B); }              \
	static INSN m_##op##_##m##_l(struct x86_cpu *c, const struct x86_op *o) { return m_##op##_##m(c, o, AM_L); }              \
	static INSN m_##op##_##m##_s(struct x86_cpu *c, const struct x86_op *o) { return m_##op##_##m(c, o, AM_S); }              \
	static INSN m_##op##_##m##_slow(struct x86_cpu *c, const struct x86_op *o) { return m_##op##_##m(c, o, AM_SLOW); }
#define LOADS_OF(F, op, n) F(op, 00, n) F(op, 08, n) F(op, 10, n) F(op, 18, n) F(op, 20, n) F(op, 28, n) F(op, 30, n) F(op, 38, n)
#define LOAD_LIST(F)                                                                                                             \
	LOADS_OF(F, d8, 4) LOADS_OF(F, da, 4) LOADS_OF(F, dc, 8) LOADS_OF(F, de, 2) F(d9, 00, 4) F(db, 00, 4) F(db, 28, 10)         \
	F(dd, 00, 8) F(df, 00, 2) F(df, 20, 10) F(df, 28, 8)
LOAD_LIST(LOAD)

/* The store comes first: an operand that the inline access does not reach goes by x86_x87_slow. */
#define STORE(op, m, n)                                                                                                          \
	static ALWAYS_INLINE INSN m_##op##_##m(struct x86_cpu *c, const struct x86_op *o, enum am mode)                           \
	{                                                                                                                        \
		void *p;                                                                                                         \
		u64 ea;                                                                                                          \
		if (unlikely(c->fp != FP_X87))                                                                                   \
			return x86_x87_enter(c, o);                                                                              \
		p = x87_mem(c, o, mode, n, TLB_W, &ea);                                                                          \
		if (unlikely(!p))                                                                                                \
			return o->slow(c, o);                                                                                    \
		x87_pointers(c, o);                                                                                              \
		x87_data_pointer(c, o, mode, ea);                                                                                \
		FPU_HOST_STORE(op, m, p, n);                                                                                     \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static INSN m_##op##_##m##_b(struct x86_cpu *c, const struct x86_op *o) { return m_##op##_##m(c, o, AM_B); }              \
	static INSN m_##op##_##m##_l(struct x86_cpu *c, const struct x86_op *o) { return m_##op##_##m(c, o, AM_L); }              \
	static INSN m_##op##_##m##_s(struct x86_cpu *c, const struct x86_op *o) { return m_##op##_##m(c, o, AM_S); }
#define STORE_LIST(F)                                                                                                            \
	F(d9, 10, 4) F(d9, 18, 4) F(db, 08, 4) F(db, 10, 4) F(db, 18, 4) F(db, 38, 10) F(dd, 08, 8) F(dd, 10, 8) F(dd, 18, 8)       \
	F(df, 08, 2) F(df, 10, 2) F(df, 18, 2) F(df, 30, 10) F(df, 38, 8)
STORE_LIST(STORE)

#define ENTRY_LOAD(op, m, n)                                                                                                     \
	[0x##op - 0xd8][0x##m >> 3] = {m_##op##_##m##_l, m_##op##_##m##_s, m_##op##_##m##_slow, m_##op##_##m##_b},
#define ENTRY_STORE(op, m, n) [0x##op - 0xd8][0x##m >> 3] = {m_##op##_##m##_l, m_##op##_##m##_s, x86_x87_slow, m_##op##_##m##_b},
x86_fn *const x86_x87_mem[8][8][AM_COUNT] = {LOAD_LIST(ENTRY_LOAD) STORE_LIST(ENTRY_STORE)};
