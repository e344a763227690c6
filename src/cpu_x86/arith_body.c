/*
 * Rarer integer arithmetic as bodies: MUL, one-operand IMUL, DIV, IDIV, XADD, CMPXCHG, CMPXCHG8B/16B, the decimal adjusts, XLAT, and the stack
 * instructions that are not worth an inline handler (PUSH/POP memory, PUSHA, POPA, ENTER, LEAVE). APM3: each instruction's page.
 */
#include "cpu_x86/exec.h"

/* rDX:rAX (AX for bytes) = product; CF = OF = the upper half is significant. SF ZF PF AF are undefined: they follow the low half. */
static void product(struct x86_cpu *c, unsigned size, u64 lo, u64 hi, bool wide)
{
	if (size == 1) {
		x86_reg_write(c, R_AX, 2, (lo & 0xff) | (hi & 0xff) << 8);
	} else {
		x86_reg_write(c, R_AX, size, lo);
		x86_reg_write(c, R_DX, size, hi);
	}
	flags_result(c, lo, size, wide, wide);
}

void x86i_mul(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned size = op_size(o);
	unsigned __int128 p = (unsigned __int128)x86_reg_read(c, R_AX, size) * x86_e_read(c, o, size);
	u64 hi = (u64)(p >> (size * 8));

	product(c, size, (u64)p, hi, hi != 0);
}

void x86i_imul1(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned nbits = op_size(o) * 8;
	__int128 p = (__int128)sign_extend(x86_reg_read(c, R_AX, op_size(o)), nbits) * sign_extend(x86_e_read(c, o, op_size(o)), nbits);

	product(c, op_size(o), (u64)p, (u64)(p >> nbits), p != (__int128)sign_extend((u64)p, nbits));
}

static void quotient(struct x86_cpu *c, unsigned size, u64 q, u64 r)
{
	if (size == 1) {
		x86_reg_write(c, R_AX, 2, (q & 0xff) | (r & 0xff) << 8);
	} else {
		x86_reg_write(c, R_AX, size, q);
		x86_reg_write(c, R_DX, size, r);
	}
}

void x86i_div(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned size = op_size(o), nbits = size * 8;
	u64 d = x86_e_read(c, o, size);
	unsigned __int128 n, q;

	if (!d)
		x86_raise(c, VEC_DE, -1, RULE_DE_ZERO);
	if (size == 8 && !c->r[R_DX]) { /* the common case: no 128-bit division */
		u64 a = c->r[R_AX];
		c->r[R_AX] = a / d;
		c->r[R_DX] = a % d;
		return;
	}
	n = size == 1 ? x86_reg_read(c, R_AX, 2)
	              : (unsigned __int128)x86_reg_read(c, R_DX, size) << nbits | x86_reg_read(c, R_AX, size);
	q = size <= 4 ? (u64)n / d : n / d;
	if (q >> nbits)
		x86_raise(c, VEC_DE, -1, RULE_DE_OVERFLOW);
	quotient(c, size, (u64)q, (u64)(n - q * d));
}

void x86i_idiv(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned size = op_size(o), nbits = size * 8;
	s64 d = sign_extend(x86_e_read(c, o, size), nbits);
	__int128 n, q;

	if (!d)
		x86_raise(c, VEC_DE, -1, RULE_DE_ZERO);
	if (size == 1)
		n = (s16)c->r[R_AX];
	else
		n = (__int128)((unsigned __int128)(__int128)sign_extend(x86_reg_read(c, R_DX, size), nbits) << nbits) |
		    x86_reg_read(c, R_AX, size);
	if (d == -1) /* the host would trap on the most negative dividend */
		q = (__int128)(0 - (unsigned __int128)n);
	else
		q = size <= 4 ? (s64)n / d : n / d;
	if (q != (__int128)sign_extend((u64)q, nbits))
		x86_raise(c, VEC_DE, -1, RULE_DE_OVERFLOW);
	quotient(c, size, (u64)q, (u64)(n - q * d));
}

void x86i_xadd(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned size = op_size(o);
	u64 b = x86_reg_read(c, op_dst(o), size), a, va = 0;

	if (op_is_reg(o)) {
		a = x86_reg_read(c, op_src(o), size);
		x86_reg_write(c, op_dst(o), size, a);
		x86_reg_write(c, op_src(o), size, a + b);
	} else {
		va = x86_linear(c, op_seg(o), x86_ea(c, o), size, true);
		a = x86_load_rmw(c, va, size);
		x86_store(c, va, size, a + b);
		x86_reg_write(c, op_dst(o), size, a);
	}
	flags_add(c, a, b, size);
}

/* The memory form always writes: the old value when unequal. APM3 CMPXCHG */
void x86i_cmpxchg(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned size = op_size(o);
	u64 a = x86_reg_read(c, R_AX, size), v, nv = x86_reg_read(c, op_dst(o), size), va;

	if (op_is_reg(o)) {
		v = x86_reg_read(c, op_src(o), size);
		if (v == a)
			x86_reg_write(c, op_src(o), size, nv);
	} else {
		va = x86_linear(c, op_seg(o), x86_ea(c, o), size, true);
		v = x86_load_rmw(c, va, size);
		x86_store(c, va, size, v == a ? nv : v);
	}
	flags_sub(c, a, v, size);
	if (v != a)
		x86_reg_write(c, R_AX, size, v);
}

/* operand size 4: CMPXCHG8B; 8: CMPXCHG16B, which must be aligned to 16 bytes. */
void x86i_cmpxchg8b(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned h = op_size(o) == 8 ? 8 : 4;
	u64 ea = x86_ea(c, o), va, lo, hi;
	bool eq;

	if (h == 8 && (ea + c->sbase[op_seg(o)]) & 15) /* also when EFLAGS.AC would make it #AC */
		x86_gp(c, 0, RULE_GP_ALIGN16);
	va = x86_linear(c, op_seg(o), ea, 2 * h, true);
	x86_probe_write(c, va, 2 * h, c->cpl);
	lo = x86_load(c, va, h);
	hi = x86_load(c, va + h, h);
	eq = lo == x86_reg_read(c, R_AX, h) && hi == x86_reg_read(c, R_DX, h);
	x86_store(c, va, h, eq ? x86_reg_read(c, R_BX, h) : lo);
	x86_store(c, va + h, h, eq ? x86_reg_read(c, R_CX, h) : hi);
	if (!eq) {
		x86_reg_write(c, R_AX, h, lo);
		x86_reg_write(c, R_DX, h, hi);
	}
	flags_arith_set(c, (flags_arith_get(c) & ~(u32)FLAG_ZF) | (eq ? FLAG_ZF : 0));
}

/* ---- decimal adjusts; undefined flags follow the result ---- */
static void decimal(struct x86_cpu *c, bool sub)
{
	u8 al = (u8)c->r[R_AX], old = al;
	bool cf = flag_cf(c), af = flag_af(c), oc = cf, nc = false;

	if ((al & 15) > 9 || af) {
		nc = oc || (sub ? old < 6 : old > 0xf9);
		al = (u8)(sub ? al - 6 : al + 6);
		af = true;
	} else {
		af = false;
	}
	if (old > 0x99 || oc) {
		al = (u8)(sub ? al - 0x60 : al + 0x60);
		nc = true;
	}
	x86_reg_write(c, R_AX, 1, al);
	flags_result8(c, al, nc, false);
	c->flow |= af ? FLAG_AF : 0;
}
void x86i_daa(struct x86_cpu *c, const struct x86_op *o) { (void)o, decimal(c, false); }
void x86i_das(struct x86_cpu *c, const struct x86_op *o) { (void)o, decimal(c, true); }

static void ascii(struct x86_cpu *c, bool sub)
{
	u16 ax = (u16)c->r[R_AX];
	bool adjust = (ax & 15) > 9 || flag_af(c);

	if (adjust)
		ax = (u16)(sub ? ax - 0x106 : ax + 0x106);
	ax &= 0xff0f;
	x86_reg_write(c, R_AX, 2, ax);
	flags_result8(c, (u8)ax, adjust, false);
	c->flow |= adjust ? FLAG_AF : 0;
}
void x86i_aaa(struct x86_cpu *c, const struct x86_op *o) { (void)o, ascii(c, false); }
void x86i_aas(struct x86_cpu *c, const struct x86_op *o) { (void)o, ascii(c, true); }

void x86i_aam(struct x86_cpu *c, const struct x86_op *o)
{
	u8 al = (u8)c->r[R_AX], d = (u8)op_imm(o);

	if (!d)
		x86_raise(c, VEC_DE, -1, RULE_DE_ZERO);
	x86_reg_write(c, R_AX, 2, (u64)(al % d) | (u64)(al / d) << 8);
	flags_result8(c, al % d, false, false);
}

void x86i_aad(struct x86_cpu *c, const struct x86_op *o)
{
	u8 al = (u8)(c->r[R_AX] + (c->r[R_AX] >> 8 & 0xff) * (u8)op_imm(o));

	x86_reg_write(c, R_AX, 2, al);
	flags_result8(c, al, false, false);
}

void x86i_salc(struct x86_cpu *c, const struct x86_op *o) { (void)o, x86_reg_write(c, R_AX, 1, flag_cf(c) ? 0xff : 0); }

void x86i_xlat(struct x86_cpu *c, const struct x86_op *o)
{
	u64 off = (c->r[R_BX] + (u8)c->r[R_AX]) & mask_low(16u << op_asize(o));

	x86_reg_write(c, R_AX, 1, x86_load_seg_off(c, op_seg(o), off, 1));
}

/* MOV rAX,moffs and back when the 64-bit offset does not fit a displacement. */
void x86i_moffs_load(struct x86_cpu *c, const struct x86_op *o)
{
	x86_reg_write(c, R_AX, op_size(o), x86_load_seg_off(c, op_seg(o), op_imm64(o), op_size(o)));
}
void x86i_moffs_store(struct x86_cpu *c, const struct x86_op *o)
{
	x86_store_seg_off(c, op_seg(o), op_imm64(o), op_size(o), x86_reg_read(c, R_AX, op_size(o)));
}

/* ---- stack ---- */
void x86i_push_mem(struct x86_cpu *c, const struct x86_op *o)
{
	u64 sp = c->r[R_SP], v = x86_e_read(c, o, op_size(o));

	x86_push_at(c, &sp, op_size(o), v);
	x86_commit_sp(c, sp);
}

/* An address that uses rSP sees it after the pop. APM3 POP */
void x86i_pop_mem(struct x86_cpu *c, const struct x86_op *o)
{
	u64 sp = c->r[R_SP], old = sp, v = x86_pop_at(c, &sp, op_size(o)), va;

	if (op_is_reg(o)) {
		x86_commit_sp(c, sp);
		x86_reg_write(c, op_src(o), op_size(o), v);
		return;
	}
	x86_commit_sp(c, sp);
	sp = c->r[R_SP];
	va = x86_ea(c, o);
	c->r[R_SP] = old; /* the store may fault */
	x86_store_seg_off(c, op_seg(o), va, op_size(o), v);
	c->r[R_SP] = sp;
}

void x86i_pusha(struct x86_cpu *c, const struct x86_op *o)
{
	u64 sp = c->r[R_SP];

	for (unsigned i = 0; i < 8; i++)
		x86_push_at(c, &sp, op_size(o), c->r[i]);
	x86_commit_sp(c, sp);
}

void x86i_popa(struct x86_cpu *c, const struct x86_op *o)
{
	u64 sp = c->r[R_SP], v[8];

	for (int i = 7; i >= 0; i--)
		v[i] = x86_pop_at(c, &sp, op_size(o));
	for (unsigned i = 0; i < 8; i++)
		if (i != R_SP)
			x86_reg_write(c, i, op_size(o), v[i]);
	x86_commit_sp(c, sp);
}

static u64 stack_bits(const struct x86_cpu *c)
{
	return c->mode & MODE_STACK64 ? ~0ull : c->mode & MODE_STACK32 ? 0xffffffff : 0xffff;
}

/* imm = bytes to allocate | level << 16 */
void x86i_enter(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned size = op_size(o), level = (unsigned)(op_imm64(o) >> 48) & 31;
	u64 sp = c->r[R_SP], bp = c->r[R_BP], frame, mask = stack_bits(c);

	x86_push_at(c, &sp, size, bp);
	frame = (c->r[R_SP] & ~mask) | (sp & mask); /* whole rSP, also with a 16-bit stack */
	for (unsigned i = 1; i < level; i++) {
		bp -= size;
		x86_push_at(c, &sp, size, x86_load_seg_off(c, SEG_SS, bp & mask, size));
	}
	if (level)
		x86_push_at(c, &sp, size, frame);
	sp -= (u16)(op_imm64(o) >> 32);
	/* The final stack pointer is touched as by a write. APM3 ENTER */
	x86_probe_write(c, x86_linear(c, SEG_SS, sp & mask, size, true), size, c->cpl);
	x86_reg_write(c, R_BP, size, frame);
	x86_commit_sp(c, sp);
}

void x86i_leave(struct x86_cpu *c, const struct x86_op *o)
{
	u64 sp = c->r[R_BP] & stack_bits(c), bp = x86_pop_at(c, &sp, op_size(o));

	x86_commit_sp(c, sp);
	x86_reg_write(c, R_BP, op_size(o), bp);
}
