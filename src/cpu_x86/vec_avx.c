/*
 * What AVX and AVX2 added beyond three operands: broadcasts, permutations across lanes, masked loads and stores, gathers, clearing of upper
 * halves; and the moves of SSE3. APM4: each instruction's page.
 */
#include "cpu_x86/vec.h"

static void set_pair(struct x86_cpu *c, const struct x86_op *o, __m128i lo, __m128i hi)
{
	__m128i *d = vec_d(c, o);

	d[0] = lo;
	d[1] = op_vl(o) == 2 ? hi : _mm_setzero_si128();
}

/* ---- SSE3: elements doubled ---- */
V_EXPR(movsldup, _mm_shuffle_epi32(b, 0xa0))
VEC_RARE(movsldup, 0)
V_EXPR(movshdup, _mm_shuffle_epi32(b, 0xf5))
VEC_RARE(movshdup, 0)
V_EXPR(movddup, _mm_unpacklo_epi64(b, b))
VEC_RARE(movddup, 0)

/* ---- broadcasts ---- */
#define BROADCAST(name, expr)                                                                                                    \
	static INSN name##_r(struct x86_cpu *c, const struct x86_op *o)                                                           \
	{                                                                                                                        \
		__m128i b = *vec_s(c, o), r = expr;                                                                              \
		set_pair(c, o, r, r);                                                                                            \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	const struct x86_vec x86_vec_##name = {.reg = {NULL, name##_r, name##_r}};
BROADCAST(broadcastd, _mm_shuffle_epi32(b, 0))
BROADCAST(broadcastq, _mm_unpacklo_epi64(b, b))
BROADCAST(broadcast128, b)
BROADCAST(broadcastw, _mm_shuffle_epi32(_mm_unpacklo_epi16(b, b), 0))
BROADCAST(broadcastb, _mm_shuffle_epi32(_mm_unpacklo_epi16(_mm_unpacklo_epi8(b, b), _mm_unpacklo_epi8(b, b)), 0))

/* ---- across lanes ---- */
static __m128i half(const __m128i *v, const __m128i *s, unsigned sel)
{
	return sel & 8 ? _mm_setzero_si128() : (sel & 2 ? s : v)[sel & 1];
}
static INSN perm2_r(struct x86_cpu *c, const struct x86_op *o)
{
	__m128i *v = vec_v(c, o), *s = vec_s(c, o);

	set_pair(c, o, half(v, s, vec_imm(o)), half(v, s, vec_imm(o) >> 4));
	return x86_next(c, o);
}
const struct x86_vec x86_vec_perm2 = {.reg = {NULL, NULL, perm2_r}};

static INSN insert128_r(struct x86_cpu *c, const struct x86_op *o)
{
	__m128i *v = vec_v(c, o), s = *vec_s(c, o);

	set_pair(c, o, vec_imm(o) & 1 ? v[0] : s, vec_imm(o) & 1 ? s : v[1]);
	return x86_next(c, o);
}
const struct x86_vec x86_vec_insert128 = {.reg = {NULL, NULL, insert128_r}};

static INSN extract128_r(struct x86_cpu *c, const struct x86_op *o)
{
	vec_d(c, o)[0] = vec_s(c, o)[vec_imm(o) & 1];
	vec_d(c, o)[1] = _mm_setzero_si128();
	return x86_next(c, o);
}
static INSN extract128_any(struct x86_cpu *c, const struct x86_op *o)
{
	vec_store(c, o, vec_s(c, o) + (vec_imm(o) & 1), 16);
	return x86_next(c, o);
}
const struct x86_vec x86_vec_extract128 = {.reg = {NULL, NULL, extract128_r}, .any = {NULL, NULL, extract128_any}};

/* The eight dwords, or four quadwords, of s picked by number. */
static INSN permd_r(struct x86_cpu *c, const struct x86_op *o)
{
	u32 r[8], s[8], n[8];

	memcpy(s, vec_s(c, o), 32);
	memcpy(n, vec_v(c, o), 32);
	for (unsigned i = 0; i < 8; i++)
		r[i] = s[n[i] & 7];
	memcpy(vec_d(c, o), r, 32);
	return x86_next(c, o);
}
const struct x86_vec x86_vec_permd = {.reg = {NULL, NULL, permd_r}};
static INSN permq_r(struct x86_cpu *c, const struct x86_op *o)
{
	u64 r[4], s[4];

	memcpy(s, vec_s(c, o), 32);
	for (unsigned i = 0; i < 4; i++)
		r[i] = s[vec_imm(o) >> 2 * i & 3];
	memcpy(vec_d(c, o), r, 32);
	return x86_next(c, o);
}
const struct x86_vec x86_vec_permq = {.reg = {NULL, NULL, permq_r}};

/* ---- VZEROUPPER, VZEROALL: the registers that the mode has ---- */
static INSN vzero_r(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned n = x86_long64(c) ? 16 : 8;

	for (unsigned i = 0; i < n; i++) {
		x86_xmm(c, REG_OFFSET(i))[1] = _mm_setzero_si128();
		if (op_vl(o) == 2)
			x86_xmm(c, REG_OFFSET(i))[0] = _mm_setzero_si128();
	}
	return x86_next(c, o);
}
const struct x86_vec x86_vec_vzero = {.reg = {NULL, vzero_r, vzero_r}};

/* ---- masked moves: elements whose mask has its sign set; the others are not accessed. APM4 VMASKMOVPS ---- */
static ALWAYS_INLINE bool masked(const u8 *mask, unsigned i, unsigned size) { return mask[i * size + size - 1] & 0x80; }

/* The linear address of an element, or its fault: masked moves and gathers make no #AC. Elements behind the first do not wrap at the
 * address size. */
static u64 element_va(struct x86_cpu *c, const struct x86_op *o, u64 off, unsigned size, bool write)
{
	x86_linear(c, op_seg(o), off + size - 1, 1, write);
	return x86_linear(c, op_seg(o), off, 1, write);
}

/* Those of the selected elements: the segment refuses before any page does. */
static unsigned selected(struct x86_cpu *c, const struct x86_op *o, const u8 *mask, unsigned size, bool write, u64 va[8])
{
	unsigned n = (op_vl(o) == 2 ? 32 : 16) / size;

	for (unsigned i = 0; i < n; i++)
		if (masked(mask, i, size))
			va[i] = element_va(c, o, x86_ea(c, o) + i * size, size, write);
	return n;
}

static INSN masked_load(struct x86_cpu *c, const struct x86_op *o, unsigned size)
{
	u8 mask[32], r[32] = {0};
	u64 va[8];
	unsigned n;

	c->op = o;
	memcpy(mask, vec_v(c, o), 32);
	n = selected(c, o, mask, size, false, va);
	for (unsigned i = 0; i < n; i++)
		if (masked(mask, i, size))
			store_le(r + i * size, size, x86_load(c, va[i], size));
	memcpy(vec_d(c, o), r, 32);
	return x86_next(c, o);
}
static INSN masked_store(struct x86_cpu *c, const struct x86_op *o, unsigned size)
{
	u8 mask[32], v[32];
	u64 va[8];
	unsigned n;

	c->op = o;
	memcpy(mask, vec_v(c, o), 32);
	memcpy(v, vec_s(c, o), 32);
	n = selected(c, o, mask, size, true, va);
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < n; i++) {
			if (!masked(mask, i, size))
				continue;
			if (pass)
				x86_store(c, va[i], size, load_le(v + i * size, size));
			else
				x86_probe_write(c, va[i], size, c->cpl);
		}
	return x86_next(c, o);
}
static INSN maskload4(struct x86_cpu *c, const struct x86_op *o) { return masked_load(c, o, 4); }
static INSN maskload8(struct x86_cpu *c, const struct x86_op *o) { return masked_load(c, o, 8); }
static INSN maskstore4(struct x86_cpu *c, const struct x86_op *o) { return masked_store(c, o, 4); }
static INSN maskstore8(struct x86_cpu *c, const struct x86_op *o) { return masked_store(c, o, 8); }
const struct x86_vec x86_vec_maskload4 = {.any = {NULL, maskload4, maskload4}};
const struct x86_vec x86_vec_maskload8 = {.any = {NULL, maskload8, maskload8}};
const struct x86_vec x86_vec_maskstore4 = {.any = {NULL, maskstore4, maskstore4}};
const struct x86_vec x86_vec_maskstore8 = {.any = {NULL, maskstore8, maskstore8}};

/* ---- gathers: what was loaded before a fault stays, with its mask cleared. APM4 VGATHERDPS ---- */
static void clear_above(u8 *d, u8 *m, unsigned from)
{
	memset(d + from, 0, 32 - from);
	memset(m + from, 0, 32 - from);
}

static INSN gather(struct x86_cpu *c, const struct x86_op *o, unsigned isize, unsigned size)
{
	u8 *d = (u8 *)vec_d(c, o), *m = (u8 *)vec_v(c, o), index[32];
	unsigned bytes = op_vl(o) == 2 ? 32 : 16, n = bytes / (isize > size ? isize : size);

	c->op = o;
	memcpy(index, x86_xmm(c, op_index(o)), 32);
	for (unsigned i = 0; i < bytes / size; i++) /* the mask becomes all ones or zeros first */
		memset(m + i * size, masked(m, i, size) ? 0xff : 0, size);
	for (unsigned i = 0; i < n; i++) {
		s64 k = sign_extend(load_le(index + i * isize, isize), isize * 8);
		u64 off = REG_GET64(c, op_base(o)) + ((u64)k << op_scale(o)) + (u64)op_disp(o);

		if (masked(m, i, size)) {
			u64 va = element_va(c, o, off & x86_amask[op_asize(o)], size, false);

			store_le(d + i * size, size, x86_load(c, va, size));
			clear_above(d, m, n * size); /* the upper parts go with the first element */
		}
		memset(m + i * size, 0, size);
	}
	clear_above(d, m, n * size);
	return x86_next(c, o);
}
#define GATHER(name, isize, size)                                                                                                \
	static INSN name##_m(struct x86_cpu *c, const struct x86_op *o) { return gather(c, o, isize, size); }                      \
	const struct x86_vec x86_vec_##name = {.any = {NULL, name##_m, name##_m}};
GATHER(gather_dd, 4, 4)
GATHER(gather_dq, 4, 8)
GATHER(gather_qd, 8, 4)
GATHER(gather_qq, 8, 8)
