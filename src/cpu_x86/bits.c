/*
 * Bit instructions as bodies: BT BTS BTR BTC, BSF BSR TZCNT LZCNT POPCNT, BMI1, BMI2, ADCX ADOX, MOVBE, CRC32. APM3: each
 * instruction's page. VEX operands: dst = ModRM.reg, imm = VEX.vvvv.
 */
#include "cpu_x86/body.h"
#include "cpu_x86/flags.h"

/* CF = bit, the other flags untouched. */
static void set_cf(struct x86_cpu *c, bool cf) { flags_set_cf_of(c, cf, flag_of(c)); }

enum bt { BT_TEST, BT_SET, BT_RESET, BT_COMPLEMENT };

static u64 bt_apply(u64 v, unsigned bit, enum bt op)
{
	switch (op) {
	case BT_SET: return v | BIT(bit);
	case BT_RESET: return v & ~BIT(bit);
	case BT_COMPLEMENT: return v ^ BIT(bit);
	default: return v;
	}
}

/* A register bit offset reaches beyond the operand in memory: signed, in units of the operand. APM3 BT */
static void bt(struct x86_cpu *c, const struct x86_op *o, s64 offset, bool reach, enum bt op)
{
	unsigned size = op_size(o), nbits = size * 8, bit = (unsigned)offset & (nbits - 1);
	u64 v, va, off;

	if (op_is_reg(o)) {
		v = x86_reg_read(c, op_src(o), size);
		if (op != BT_TEST)
			x86_reg_write(c, op_src(o), size, bt_apply(v, bit, op));
	} else {
		off = x86_ea(c, o) + (reach ? (u64)((offset >> (size == 8 ? 6 : size == 4 ? 5 : 4)) * (s64)size) : 0);
		off &= mask_low(16u << op_asize(o));
		va = x86_linear(c, op_seg(o), off, size, op != BT_TEST);
		v = op == BT_TEST ? x86_load(c, va, size) : x86_load_rmw(c, va, size);
		if (op != BT_TEST)
			x86_store(c, va, size, bt_apply(v, bit, op));
	}
	set_cf(c, v >> bit & 1);
}

static s64 bt_reg(struct x86_cpu *c, const struct x86_op *o)
{
	return sign_extend(x86_reg_read(c, op_dst(o), op_size(o)), op_size(o) * 8);
}

#define BT(name, op)                                                                                                             \
	void x86i_##name(struct x86_cpu *c, const struct x86_op *o) { bt(c, o, bt_reg(c, o), true, op); }                         \
	void x86i_##name##_imm(struct x86_cpu *c, const struct x86_op *o) { bt(c, o, op_imm(o), false, op); }
BT(bt, BT_TEST)
BT(bts, BT_SET)
BT(btr, BT_RESET)
BT(btc, BT_COMPLEMENT)

static void set_zf_only(struct x86_cpu *c, bool zf)
{
	flags_arith_set(c, (flags_arith_get(c) & ~(u32)FLAG_ZF) | (zf ? FLAG_ZF : 0));
}

/* A zero source leaves the destination as it is (as AMD documents for BSF/BSR). APM3 BSF. */
void x86i_bsf(struct x86_cpu *c, const struct x86_op *o)
{
	u64 v = x86_e_read(c, o, op_size(o));

	if (v)
		x86_reg_write(c, op_dst(o), op_size(o), (u64)__builtin_ctzll(v));
	set_zf_only(c, !v);
}

void x86i_bsr(struct x86_cpu *c, const struct x86_op *o)
{
	u64 v = x86_e_read(c, o, op_size(o));

	if (v)
		x86_reg_write(c, op_dst(o), op_size(o), 63u - (unsigned)__builtin_clzll(v));
	set_zf_only(c, !v);
}

/* TZCNT, LZCNT: CF = source zero, ZF = result zero. */
static void count_result(struct x86_cpu *c, const struct x86_op *o, u64 n, bool zero)
{
	x86_reg_write(c, op_dst(o), op_size(o), n);
	flags_arith_set(c, (flags_arith_get(c) & ~(u32)(FLAG_ZF | FLAG_CF)) | (n ? 0 : FLAG_ZF) | (zero ? FLAG_CF : 0));
}

void x86i_tzcnt(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned nbits = op_size(o) * 8;
	u64 v = x86_e_read(c, o, op_size(o));

	count_result(c, o, v ? (u64)__builtin_ctzll(v) : nbits, !v);
}

void x86i_lzcnt(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned nbits = op_size(o) * 8;
	u64 v = x86_e_read(c, o, op_size(o));

	count_result(c, o, v ? (u64)__builtin_clzll(v) - (64 - nbits) : nbits, !v);
}

void x86i_popcnt(struct x86_cpu *c, const struct x86_op *o)
{
	u64 v = x86_e_read(c, o, op_size(o));

	x86_reg_write(c, op_dst(o), op_size(o), (u64)__builtin_popcountll(v));
	flags_arith_set(c, v ? 0 : FLAG_ZF);
}

/* ---- BMI1, BMI2 (operand size 4 or 8) ---- */
static void bmi_flags(struct x86_cpu *c, u64 r, unsigned size, bool cf)
{
	flags_result(c, r, size, cf, false);
}
static u64 vex_v(struct x86_cpu *c, const struct x86_op *o) { return x86_reg_read(c, (unsigned)op_imm(o), op_size(o)); }

void x86i_andn(struct x86_cpu *c, const struct x86_op *o)
{
	u64 r = ~vex_v(c, o) & x86_e_read(c, o, op_size(o));

	x86_reg_write(c, op_dst(o), op_size(o), r);
	bmi_flags(c, r & mask_low(op_size(o) * 8), op_size(o), false);
}

void x86i_bextr(struct x86_cpu *c, const struct x86_op *o)
{
	u64 ctl = vex_v(c, o), v = x86_e_read(c, o, op_size(o));
	unsigned start = ctl & 0xff, len = ctl >> 8 & 0xff;
	u64 r = start >= 64 ? 0 : v >> start & mask_low(len);

	x86_reg_write(c, op_dst(o), op_size(o), r);
	bmi_flags(c, r, op_size(o), false);
}

#define BLS(name, expr, carry)                                                                                                   \
	void x86i_##name(struct x86_cpu *c, const struct x86_op *o)                                                               \
	{                                                                                                                        \
		u64 v = x86_e_read(c, o, op_size(o)), r = (expr)&mask_low(op_size(o) * 8);                                        \
		x86_reg_write(c, (unsigned)op_imm(o), op_size(o), r);                                                             \
		bmi_flags(c, r, op_size(o), carry);                                                                              \
	}
BLS(blsr, v & (v - 1), v == 0)
BLS(blsmsk, v ^ (v - 1), v == 0)
BLS(blsi, v & -v, v != 0)

void x86i_bzhi(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned n = vex_v(c, o) & 0xff, nbits = op_size(o) * 8;
	u64 r = x86_e_read(c, o, op_size(o)) & mask_low(n);

	x86_reg_write(c, op_dst(o), op_size(o), r);
	bmi_flags(c, r, op_size(o), n >= nbits);
}

#define SHIFTX(name, expr)                                                                                                       \
	void x86i_##name(struct x86_cpu *c, const struct x86_op *o)                                                               \
	{                                                                                                                        \
		unsigned size = op_size(o), n = vex_v(c, o) & (size * 8 - 1);                                                     \
		u64 v = x86_e_read(c, o, size);                                                                                  \
		x86_reg_write(c, op_dst(o), size, expr);                                                                          \
	}
SHIFTX(shlx, v << n)
SHIFTX(shrx, v >> n)
SHIFTX(sarx, (u64)(sign_extend(v, size * 8) >> n))

void x86i_rorx(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned nbits = op_size(o) * 8, n = (unsigned)op_imm(o) & (nbits - 1);
	u64 v = x86_e_read(c, o, op_size(o));

	x86_reg_write(c, op_dst(o), op_size(o), n ? v >> n | v << (nbits - n) : v);
}

void x86i_mulx(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned size = op_size(o);
	unsigned __int128 p = (unsigned __int128)x86_reg_read(c, R_DX, size) * x86_e_read(c, o, size);

	x86_reg_write(c, (unsigned)op_imm(o), size, (u64)p);
	x86_reg_write(c, op_dst(o), size, (u64)(p >> (size * 8)));
}

void x86i_pdep(struct x86_cpu *c, const struct x86_op *o)
{
	u64 mask = x86_e_read(c, o, op_size(o)), v = vex_v(c, o), r = 0;

	for (; mask; mask &= mask - 1, v >>= 1)
		r |= v & 1 ? mask & -mask : 0;
	x86_reg_write(c, op_dst(o), op_size(o), r);
}

void x86i_pext(struct x86_cpu *c, const struct x86_op *o)
{
	u64 mask = x86_e_read(c, o, op_size(o)), v = vex_v(c, o), r = 0;

	for (unsigned k = 0; mask; mask &= mask - 1, k++)
		r |= (u64)(v >> __builtin_ctzll(mask) & 1) << k;
	x86_reg_write(c, op_dst(o), op_size(o), r);
}

/* ADCX adds with CF and changes only CF; ADOX the same with OF. */
void x86i_adcx(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned size = op_size(o);
	unsigned __int128 s = (unsigned __int128)x86_e_read(c, o, size) + x86_reg_read(c, op_dst(o), size) + flag_cf(c);

	x86_reg_write(c, op_dst(o), size, (u64)s);
	set_cf(c, s >> (size * 8) & 1);
}

void x86i_adox(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned size = op_size(o);
	unsigned __int128 s = (unsigned __int128)x86_e_read(c, o, size) + x86_reg_read(c, op_dst(o), size) + flag_of(c);

	x86_reg_write(c, op_dst(o), size, (u64)s);
	flags_set_cf_of(c, flag_cf(c), s >> (size * 8) & 1);
}

static u64 swap(u64 v, unsigned size) { return __builtin_bswap64(v) >> (64 - size * 8); }

void x86i_movbe_load(struct x86_cpu *c, const struct x86_op *o)
{
	x86_reg_write(c, op_dst(o), op_size(o), swap(x86_e_read(c, o, op_size(o)), op_size(o)));
}

void x86i_movbe_store(struct x86_cpu *c, const struct x86_op *o)
{
	x86_e_write(c, o, op_size(o), swap(x86_reg_read(c, op_dst(o), op_size(o)), op_size(o)));
}

/* CRC-32C, reflected polynomial 82F63B78h. */
static u32 crc32c(u32 crc, u64 v, unsigned size)
{
	for (unsigned i = 0; i < size * 8; i++, v >>= 1)
		crc = crc >> 1 ^ (((crc ^ (u32)v) & 1) ? 0x82f63b78u : 0);
	return crc;
}

void x86i_crc32_b(struct x86_cpu *c, const struct x86_op *o)
{
	c->r[op_dst(o)] = crc32c((u32)c->r[op_dst(o)], x86_e_read(c, o, 1), 1);
}

void x86i_crc32(struct x86_cpu *c, const struct x86_op *o)
{
	c->r[op_dst(o)] = crc32c((u32)c->r[op_dst(o)], x86_e_read(c, o, op_size(o)), op_size(o));
}
