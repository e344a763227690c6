/* The string comparisons of SSE4.2: PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM. APM4: each instruction's page and its imm8 tables. */
#include "cpu_x86/flags.h"
#include "cpu_x86/vec.h"

struct strings {
	s32 e[2][16];    /* elements of both operands */
	unsigned len[2]; /* valid ones */
	unsigned n;      /* elements in an operand */
};

static void take_elements(struct strings *t, unsigned k, __m128i v, unsigned imm)
{
	union lane x = {.v = v};

	for (unsigned i = 0; i < t->n; i++)
		t->e[k][i] = imm & 1 ? (imm & 2 ? x.sw[i] : x.w[i]) : imm & 2 ? x.sb[i] : x.b[i];
}
static unsigned implicit_length(const struct strings *t, unsigned k)
{
	unsigned i = 0;

	while (i < t->n && t->e[k][i])
		i++;
	return i;
}
static unsigned explicit_length(const struct strings *t, s64 v)
{
	u64 m = v < 0 ? -(u64)v : (u64)v;

	return m > t->n ? t->n : (unsigned)m;
}

/* One bit for each element j of the second operand: imm8[3:2]. */
static bool equal_any(const struct strings *t, unsigned j)
{
	for (unsigned i = 0; i < t->len[0]; i++)
		if (j < t->len[1] && t->e[0][i] == t->e[1][j])
			return true;
	return false;
}
static bool in_ranges(const struct strings *t, unsigned j)
{
	for (unsigned i = 0; i + 1 < t->len[0]; i += 2)
		if (j < t->len[1] && t->e[0][i] <= t->e[1][j] && t->e[1][j] <= t->e[0][i + 1])
			return true;
	return false;
}
static bool equal_each(const struct strings *t, unsigned j)
{
	bool a = j < t->len[0], b = j < t->len[1];

	return a && b ? t->e[0][j] == t->e[1][j] : a == b;
}
static bool equal_ordered(const struct strings *t, unsigned j)
{
	for (unsigned i = 0; i < t->len[0] && i + j < t->n; i++)
		if (i + j >= t->len[1] || t->e[0][i] != t->e[1][i + j])
			return false;
	return true;
}

static u32 compare_strings(const struct strings *t, unsigned imm)
{
	static bool (*const test[4])(const struct strings *t, unsigned j) = {equal_any, in_ranges, equal_each, equal_ordered};
	u32 r = 0;

	for (unsigned j = 0; j < t->n; j++) {
		bool bit = test[imm >> 2 & 3](t, j);

		if (imm & 0x10 && (!(imm & 0x20) || j < t->len[1])) /* negative polarity, masked: valid ones only */
			bit = !bit;
		r |= (u32)bit << j;
	}
	return r;
}

static u32 start(struct x86_cpu *c, const struct x86_op *o, struct strings *t, bool explicit)
{
	unsigned imm = vec_imm(o);
	bool wide = o->imm >> 24; /* REX.W: lengths in rAX and rDX */
	u32 r;

	t->n = imm & 1 ? 8 : 16;
	take_elements(t, 0, *vec_d(c, o), imm);
	take_elements(t, 1, *vec_s(c, o), imm);
	t->len[0] = explicit ? explicit_length(t, wide ? (s64)c->r[R_AX] : (s32)c->r[R_AX]) : implicit_length(t, 0);
	t->len[1] = explicit ? explicit_length(t, wide ? (s64)c->r[R_DX] : (s32)c->r[R_DX]) : implicit_length(t, 1);
	r = compare_strings(t, imm);
	flags_arith_set(c, (r ? FLAG_CF : 0) | (t->len[1] < t->n ? FLAG_ZF : 0) | (t->len[0] < t->n ? FLAG_SF : 0) | (r & 1 ? FLAG_OF : 0));
	return r;
}

static void put_index(struct x86_cpu *c, const struct x86_op *o, const struct strings *t, u32 r)
{
	unsigned last = r ? 31u - (unsigned)__builtin_clz(r) : t->n, first = r ? (unsigned)__builtin_ctz(r) : t->n;

	c->r[R_CX] = vec_imm(o) & 0x40 ? last : first;
}
static void put_mask(struct x86_cpu *c, const struct x86_op *o, const struct strings *t, u32 r)
{
	union lane m = {0};

	if (!(vec_imm(o) & 0x40))
		m.d[0] = r;
	for (unsigned i = 0; vec_imm(o) & 0x40 && i < t->n; i++)
		if (r >> i & 1) {
			if (t->n == 8)
				m.w[i] = 0xffff;
			else
				m.b[i] = 0xff;
		}
	x86_xmm(c, 0)[0] = m.v;
	if (op_vl(o))
		x86_xmm(c, 0)[1] = _mm_setzero_si128();
}

#define PCMPSTR(name, explicit, put)                                                                                             \
	static INSN name##_r(struct x86_cpu *c, const struct x86_op *o)                                                           \
	{                                                                                                                        \
		struct strings t;                                                                                                \
		u32 r = start(c, o, &t, explicit);                                                                               \
		put(c, o, &t, r);                                                                                                \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	const struct x86_vec x86_vec_##name = {.reg = {name##_r, name##_r}};
PCMPSTR(pcmpestrm, true, put_mask)
PCMPSTR(pcmpestri, true, put_index)
PCMPSTR(pcmpistrm, false, put_mask)
PCMPSTR(pcmpistri, false, put_index)
