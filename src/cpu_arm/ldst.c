/*
 * Loads and stores of one register: inline handlers for the common address modes, and bodies that take any form from its encoding. An abort leaves
 * the base register as it was (DDI0198 1.1: base restored). DDI0100 A5.2, A5.3, A4.1.20-A4.1.32, A4.1.99-A4.1.105.
 */
#include "cpu_arm/dp.h"

static ALWAYS_INLINE unsigned size_of(enum arm_access a)
{
	return a == LS_LDRB || a == LS_STRB || a == LS_LDRSB ? 1 : a == LS_LDRH || a == LS_STRH || a == LS_LDRSH ? 2 : 4;
}
static ALWAYS_INLINE bool is_store(enum arm_access a) { return a == LS_STR || a == LS_STRB || a == LS_STRH; }
static ALWAYS_INLINE u32 extend(enum arm_access a, u32 v) { return a == LS_LDRSB ? (u32)(s8)v : a == LS_LDRSH ? (u32)(s16)v : v; }

/* slow: with out-of-line accesses. */
static ALWAYS_INLINE INSN ldst(struct arm_cpu *c, const struct arm_op *o, enum arm_access a, enum arm_address m, arm_fn *slow)
{
	const unsigned size = size_of(a);
	u32 base = REG(c, op_rn(o)), other = m == AM_REG ? REG(c, op_rm(o)) << op_rs(o) : op_imm(o);
	u32 va = m == AM_POST ? base : base + other, v = 0;

	if (!slow) {
		c->op = op_self(o);
		if (is_store(a))
			arm_store(c, va, size, REG(c, op_rd(o)));
		else
			v = arm_load(c, va, size);
	} else {
		void *p = arm_host(c, va, size, is_store(a) ? TLB_W : TLB_R);

		if (unlikely(!p))
			return slow(c, o);
		if (is_store(a))
			store_le(p, size, REG(c, op_rd(o)));
		else
			v = size == 1 ? *(const u8 *)p : size == 2 ? *(const u16 *)p : *(const u32 *)p;
	}
	if (m >= AM_PRE)
		REG(c, op_rn(o)) = base + other;
	if (a == LS_LDR_PC)
		return jump_exchange(c, v);
	if (!is_store(a))
		REG(c, op_rd(o)) = extend(a, v);
	return op_next(c, o);
}

#define MODES(X, a) X(a, IMM) X(a, REG) X(a, PRE) X(a, POST)
#define ACCESSES(Y) Y(LDR) Y(STR) Y(LDRB) Y(STRB) Y(LDRH) Y(STRH) Y(LDRSB) Y(LDRSH) Y(LDR_PC)
#define HANDLER(a, m)                                                                                                            \
	static NOINLINE INSN slow_##a##_##m(struct arm_cpu *c, const struct arm_op *o) { return ldst(c, o, LS_##a, AM_##m, NULL); }  \
	static INSN ldst_##a##_##m(struct arm_cpu *c, const struct arm_op *o) { return ldst(c, o, LS_##a, AM_##m, slow_##a##_##m); }
#define HANDLERS(a) MODES(HANDLER, a)
ACCESSES(HANDLERS)
#define ENTRY(a, m) ldst_##a##_##m,
#define ENTRIES(a) [LS_##a] = {MODES(ENTRY, a)},
arm_fn *const arm_ldst[LS_COUNT][AM_COUNT] = {ACCESSES(ENTRIES)};

/* ---- any form, from the encoding ---- */

/* r15 reads as the instruction's address + 8; as what is stored, + 12. DDI0100 A2.4.3; DDI0198: as ARM9 */
static u32 reg(const struct arm_cpu *c, unsigned n) { return n == 15 ? arm_pc(c) + 8 : c->s.r[n]; }

/* What the base moves by: bits 25 (register), 23 (up), the extra loads' split immediate. */
static u32 offset_of(struct arm_cpu *c, u32 w, bool extra)
{
	u32 v, carry = c->fc, n;
	enum arm_kind k;

	if (extra) {
		v = w >> 22 & 1 ? (w >> 4 & 0xf0) | (w & 15) : reg(c, w & 15);
	} else if (w >> 25 & 1) {
		n = arm_shifter(w & ~BIT(25), &k);
		v = shift_value(k, reg(c, w & 15), n, &carry);
	} else {
		v = w & 0xfff;
	}
	return w >> 23 & 1 ? v : -v;
}

struct place {
	u32 va, base;
	bool write_back;
};

static struct place place_of(struct arm_cpu *c, u32 w, bool extra)
{
	u32 rn = reg(c, w >> 16 & 15), moved = rn + offset_of(c, w, extra);
	bool pre = w >> 24 & 1;

	return (struct place){pre ? moved : rn, moved, !pre || w >> 21 & 1};
}

static void write_back(struct arm_cpu *c, u32 w, const struct place *p)
{
	if (p->write_back && (w >> 16 & 15) != 15) /* a base of r15 is unpredictable with it: not written */
		c->s.r[w >> 16 & 15] = p->base;
}

static bool is_extra(u32 w) { return !(w & 0x04000000); }

static enum arm_access access_of(u32 w)
{
	if (!is_extra(w))
		return w >> 20 & 1 ? (w >> 22 & 1 ? LS_LDRB : LS_LDR) : w >> 22 & 1 ? LS_STRB : LS_STR;
	if (!(w >> 20 & 1))
		return LS_STRH;
	return (w >> 5 & 3) == 1 ? LS_LDRH : (w >> 5 & 3) == 2 ? LS_LDRSB : LS_LDRSH;
}

void arm_i_ldst(struct arm_cpu *c, const struct arm_op *o)
{
	u32 w = op_aux(o), rd = w >> 12 & 15, v;
	struct place p = place_of(c, w, is_extra(w));
	enum arm_access a = access_of(w);
	bool user = !is_extra(w) && (w & 0x01200000) == 0x00200000; /* the T forms */

	if (is_store(a)) {
		v = rd == 15 ? arm_pc(c) + 12 : c->s.r[rd];
		if (user)
			arm_store_user(c, p.va, size_of(a), v);
		else
			arm_store(c, p.va, size_of(a), v);
		write_back(c, w, &p);
		return;
	}
	v = user ? arm_load_user(c, p.va, size_of(a)) : arm_load(c, p.va, size_of(a));
	write_back(c, w, &p);
	c->s.r[rd] = extend(a, v);
}

/* Continue at what was loaded into r15: bit 0 is the T bit, unless CP15's L4 asks for ARMv4's way. DDI0198 2.3.2 */
void arm_load_pc(struct arm_cpu *c, u32 v)
{
	bool thumb = c->s.cp15.control & CTL_L4 ? c->mode & ARM_MODE_THUMB : v & 1;

	c->new_pc = v & (thumb ? ~1u : ~3u);
	if (thumb != !!(c->mode & ARM_MODE_THUMB)) {
		c->s.cpsr ^= PSR_T;
		c->mode ^= ARM_MODE_THUMB;
	}
}

void arm_i_ldst_pc(struct arm_cpu *c, const struct arm_op *o)
{
	u32 w = op_aux(o), v;
	struct place p = place_of(c, w, is_extra(w));
	enum arm_access a = access_of(w);
	bool user = !is_extra(w) && (w & 0x01200000) == 0x00200000;

	v = extend(a, user ? arm_load_user(c, p.va, size_of(a)) : arm_load(c, p.va, size_of(a)));
	write_back(c, w, &p);
	arm_load_pc(c, v);
}

/* LDRD, STRD: two words, even register first; with the A bit the address must be a multiple of 8. DDI0100 A4.1.26, A4.1.102 */
void arm_i_ldst_double(struct arm_cpu *c, const struct arm_op *o)
{
	u32 w = op_aux(o), rd = w >> 12 & 15, lo, hi;
	struct place p = place_of(c, w, true);
	bool store = w >> 5 & 1;

	arm_check_aligned(c, p.va, 7);
	p.va &= ~3u;
	if (store) {
		arm_store(c, p.va, 4, c->s.r[rd]);
		arm_store(c, p.va + 4, 4, c->s.r[rd + 1]);
		write_back(c, w, &p);
		return;
	}
	lo = arm_load(c, p.va, 4);
	hi = arm_load(c, p.va + 4, 4);
	write_back(c, w, &p);
	c->s.r[rd] = lo;
	c->s.r[rd + 1] = hi;
}

/* Write permission is asked for before the load, so that an abort leaves all as it was. DDI0100 A4.1.108 */
void arm_i_swp(struct arm_cpu *c, const struct arm_op *o)
{
	u32 w = op_aux(o), va = reg(c, w >> 16 & 15), v;
	unsigned size = w >> 22 & 1 ? 1 : 4;

	arm_probe_write(c, va & (size == 4 ? ~3u : ~0u), size);
	v = arm_load(c, va, size);
	arm_store(c, va, size, c->s.r[w & 15]);
	c->s.r[w >> 12 & 15] = v;
}
