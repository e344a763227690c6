/* x87, SSE and AVX state. See fpstate.h. */
#include "fpstate.h"

#include "cpu_x86/cpu.h"
#include "gen.h"

void fp_default(u8 fx[FX_SIZE])
{
	memset(fx, 0, FX_SIZE);
	store_le(fx + AT_FCW, 2, 0x37f);
	store_le(fx + AT_MXCSR, 4, 0x1f80);
	fx[AT_BV] = 7;
}

/* ---- random values ---- */
static u64 mantissa(struct rng *g)
{
	switch (rnd_n(g, 6)) {
	case 0: return BIT(63);
	case 1: return ~0ull;
	case 2: return BIT(63) | BIT(rnd_n(g, 63));
	case 3: return ~0ull << rnd_n(g, 63);
	default: return rnd(g) | BIT(63);
	}
}

/* An 80-bit number of every kind that there is, the supported ones mostly. APM1 6.3.2 */
static void value80(struct rng *g, u8 v[10])
{
	unsigned what = rnd_n(g, 100), exp = 0x3fff - 70 + rnd_n(g, 140);
	u64 m = mantissa(g);

	if (what < 5)
		m = 0, exp = 0; /* zero */
	else if (what < 9)
		m = rnd_n(g, 2) ? 1 + rnd_n(g, 100) : rnd(g) & ~BIT(63), exp = 0; /* denormal */
	else if (what < 11)
		exp = 0; /* pseudo-denormal */
	else if (what < 15)
		m = BIT(63), exp = 0x7fff; /* infinity */
	else if (what < 19)
		m |= 3ull << 62, exp = 0x7fff; /* quiet NaN */
	else if (what < 23)
		m = (m & ~BIT(62)) | BIT(63) | 1, exp = 0x7fff; /* signaling NaN */
	else if (what < 26)
		m &= ~BIT(63), exp = rnd_n(g, 2) ? 0x7fff : 1 + rnd_n(g, 0x7ffe); /* unsupported: pseudo-NaN, unnormal */
	else if (what < 36)
		exp = 1 + rnd_n(g, 0x7ffe);
	else if (what < 41)
		exp = 1 + rnd_n(g, 70); /* tiny */
	else if (what < 46)
		exp = 0x7ffe - rnd_n(g, 70); /* huge */
	else if (what < 56)
		exp = 0x3fff + rnd_n(g, 64), m &= ~0ull << (63 - (exp - 0x3fff)); /* integer */
	else if (what < 60)
		exp = rnd_n(g, 2) ? 0x3fff - 1023 - rnd_n(g, 60) : 0x3fff - 127 - rnd_n(g, 30); /* denormal in memory */
	else if (what < 64)
		m = 0xc90fdaa22168c235, exp = 0x4000 - 3 + rnd_n(g, 6); /* pi */
	store_le(v, 8, m);
	store_le(v + 8, 2, exp | (rnd(g) & 0x8000));
}

static u64 value64(struct rng *g)
{
	static const u64 edges[] = {0,          1,          BIT(52) - 1,          BIT(52),           0x7fefffffffffffff,
				    0x7ffull << 52, 0x7ffull << 52 | 1, 0x7ff8000000000000, 0x7fffffffffffffff, 0x3ff0000000000000};

	return chance(g, 50) ? edges[rnd_n(g, ARRAY_SIZE(edges))] | (rnd(g) & BIT(63))
			     : (rnd(g) & 0x800fffffffffffff) | (u64)(1023 - 40 + rnd_n(g, 80)) << 52;
}

static u64 value32(struct rng *g)
{
	static const u32 edges[] = {0,          1,          0x7fffff,   0x800000,   0x7f7fffff,
				    0x7f800000, 0x7f800001, 0x7fc00000, 0x7fffffff, 0x3f800000};

	return chance(g, 50) ? edges[rnd_n(g, ARRAY_SIZE(edges))] | (rnd(g) & BIT(31))
			     : (rnd(g) & 0x807fffff) | (u64)(127 - 30 + rnd_n(g, 60)) << 23;
}

static void bcd(struct rng *g, u8 v[10])
{
	for (unsigned i = 0; i < 9; i++)
		v[i] = (u8)(rnd_n(g, 10) << 4 | rnd_n(g, 10));
	v[9] = chance(g, 50) ? 0x80 : 0;
	if (chance(g, 20))
		memset(v + rnd_n(g, 9), 0, 1);
}

void fp_memory_value(struct rng *g, unsigned size, u8 v[16])
{
	u64 r = rnd_value(g);

	memset(v, 0, 16);
	if (size == 10 && chance(g, 30))
		bcd(g, v);
	else if (size == 10)
		value80(g, v);
	else
		store_le(v, 8, chance(g, 35) ? r : size == 8 ? value64(g) : size == 4 ? value32(g) | r << 32 : r);
}

/* ---- random states ---- */

/* Canonical, and of 32 bits where the code has no more: the host keeps no others. */
static u64 pointer(struct rng *g, unsigned bits) { return bits == 64 ? (u64)sign_extend(rnd(g), 48) : (u32)rnd(g); }

/* Vector registers: of floats, doubles, integers, halves, bytes with edges; some equal. MXCSR: any rounding, DAZ, FTZ, flags; masks mostly set. */
void vec_value(struct rng *g, u8 v[16])
{
	unsigned kind = rnd_n(g, 5);

	for (unsigned i = 0; i < 16; i += 4)
		store_le(v + i, 4, kind == 0 ? value32(g) : kind == 1 ? rnd_value(g) : rnd(g));
	for (unsigned i = 0; kind > 2 && i < 16; i += 8)
		store_le(v + i, 8, kind == 3 ? value64(g) : rnd_value(g));
	for (unsigned i = 0; kind == 2 && i < 16; i++)
		if (chance(g, 40))
			v[i] = (u8)rnd_value(g);
}

static void vec_random(struct rng *g, u8 fx[FX_SIZE])
{
	u32 mxcsr = 0x1f80 | (rnd(g) & 0x6000);

	if (chance(g, 30))
		mxcsr |= rnd(g) & 0x8040;
	if (chance(g, 20))
		mxcsr |= rnd(g) & 0x3f;
	if (chance(g, 20))
		mxcsr &= ~(rnd(g) & 0x1f80);
	store_le(fx + AT_MXCSR, 4, chance(g, 25) ? 0x1f80 : mxcsr);
	for (unsigned i = 0; i < 16; i++) {
		vec_value(g, fx + AT_XMM + i * 16);
		vec_value(g, fx + AT_YMM + i * 16);
		if (i && chance(g, 20)) {
			memcpy(fx + AT_XMM + i * 16, fx + AT_XMM + rnd_n(g, i) * 16, 16);
			memcpy(fx + AT_YMM + i * 16, fx + AT_YMM + rnd_n(g, i) * 16, 16);
		}
	}
}

void fp_random(struct rng *g, u8 fx[FX_SIZE], unsigned bits)
{
	unsigned fcw = (rnd(g) & 0xf00) | 0x7f, fsw = (rnd(g) & 0x7f00) | (chance(g, 30) ? rnd(g) & 0x7f : 0);

	fp_default(fx);
	if (chance(g, 60))
		fcw |= 0x300;
	if (chance(g, 20))
		fcw &= ~(rnd(g) & 0x3f);
	if (chance(g, 95)) /* nothing pending */
		fsw &= ~(~fcw & 0x3fu);
	if (fsw & ~fcw & 0x3f)
		fsw |= 0x8080;
	store_le(fx + AT_FCW, 2, fcw);
	store_le(fx + AT_FSW, 2, fsw);
	store_le(fx + AT_FIP, 8, pointer(g, bits));
	store_le(fx + AT_FDP, 8, pointer(g, bits));
	store_le(fx + AT_FOP, 2, rnd(g) & 0x7ff);
	fx[AT_FTW] = chance(g, 60) ? 0xff : (u8)rnd(g);
	if (chance(g, 15)) { /* as a program without errors has it: k registers in use */
		unsigned n = rnd_n(g, 9), top = 8 - n;

		fx[AT_FTW] = (u8)(0xff00 >> n & 0xff);
		store_le(fx + AT_FSW, 2, (fsw & ~0x3800u) | (top & 7) << 11);
	}
	for (unsigned i = 0; i < 8; i++)
		value80(g, fx + AT_ST + i * 16);
	for (unsigned i = 0; chance(g, 30) && i < 8; i++) { /* MMX registers */
		store_le(fx + AT_ST + i * 16, 8, rnd_value(g));
		store_le(fx + AT_ST + i * 16 + 8, 2, 0xffff);
	}
	vec_random(g, fx);
	if (chance(g, 25)) /* equal operands */
		memcpy(fx + AT_ST + rnd_n(g, 8) * 16, fx + AT_ST, 10);
}

void fp_some_init(struct rng *g, u8 fx[FX_SIZE])
{
	if (chance(g, 30)) {
		memset(fx, 0, AT_MXCSR);
		store_le(fx, 2, 0x37f);
		memset(fx + AT_ST, 0, AT_XMM - AT_ST);
	}
	if (chance(g, 30))
		memset(fx + AT_XMM, 0, 256);
	if (chance(g, 30))
		memset(fx + AT_YMM, 0, 256);
}

/* ---- the emulated CPU ---- */
void fp_to_cpu(const u8 fx[FX_SIZE], struct x86_cpu *c)
{
	struct x86_fpu *f = &c->fpu;

	f->fcw = (u16)load_le(fx + AT_FCW, 2);
	f->fsw = (u16)load_le(fx + AT_FSW, 2);
	f->ftw = fx[AT_FTW];
	f->ignne = 0;
	f->fop = (u16)load_le(fx + AT_FOP, 2);
	f->fip = load_le(fx + AT_FIP, 8);
	f->fdp = load_le(fx + AT_FDP, 8);
	f->fcs = f->fds = 0;
	f->mxcsr = (u32)load_le(fx + AT_MXCSR, 4);
	memcpy(f->st, fx + AT_ST, sizeof f->st);
	for (unsigned i = 0; i < 16; i++) {
		memcpy(f->ymm[i], fx + AT_XMM + i * 16, 16);
		memcpy(f->ymm[i] + 16, fx + AT_YMM + i * 16, 16);
	}
	c->xcr0 = x86_has(c->model, X86_F_AVX) ? 7 : 3;
}

void fp_from_cpu(u8 fx[FX_SIZE], const struct x86_cpu *c)
{
	const struct x86_fpu *f = &c->fpu;

	memset(fx, 0, FX_SIZE);
	store_le(fx + AT_FCW, 2, f->fcw);
	store_le(fx + AT_FSW, 2, f->fsw);
	store_le(fx + AT_FTW, 2, f->ftw);
	store_le(fx + AT_FOP, 2, f->fop);
	store_le(fx + AT_FIP, 8, f->fip);
	store_le(fx + AT_FDP, 8, f->fdp);
	store_le(fx + AT_MXCSR, 4, f->mxcsr);
	memcpy(fx + AT_ST, f->st, sizeof f->st);
	for (unsigned i = 0; i < 16; i++) {
		memcpy(fx + AT_XMM + i * 16, f->ymm[i], 16);
		memcpy(fx + AT_YMM + i * 16, f->ymm[i] + 16, 16);
	}
}

/* ---- comparing ---- */
static bool same_words(const u8 *a, const u8 *b, const char *name, unsigned n, unsigned size, unsigned bytes, struct text *t)
{
	bool same = true;

	for (unsigned i = 0; i < n; i++, a += size, b += size) {
		if (!memcmp(a, b, bytes))
			continue;
		text_printf(t, " %s", name);
		if (n > 1)
			text_printf(t, "%u", i);
		text_printf(t, " host=");
		for (unsigned j = bytes; j-- > 0;)
			text_printf(t, "%02x", a[j]);
		text_printf(t, " ours=");
		for (unsigned j = bytes; j-- > 0;)
			text_printf(t, "%02x", b[j]);
		same = false;
	}
	return same;
}

bool fp_same(const u8 a[FX_SIZE], const u8 b[FX_SIZE], struct text *t)
{
	bool same = same_words(a + AT_FCW, b + AT_FCW, "fcw", 1, 2, 2, t);

	if (!memcmp(a, b, AT_BV) && !memcmp(a + AT_YMM, b + AT_YMM, 256))
		return true;
	same &= same_words(a + AT_FSW, b + AT_FSW, "fsw", 1, 2, 2, t);
	same &= same_words(a + AT_FTW, b + AT_FTW, "ftw", 1, 1, 1, t);
	same &= same_words(a + AT_FIP, b + AT_FIP, "fip", 1, 8, 8, t);
	same &= same_words(a + AT_FOP, b + AT_FOP, "fop", 1, 2, 2, t);
	same &= same_words(a + AT_FDP, b + AT_FDP, "fdp", 1, 8, 8, t);
	same &= same_words(a + AT_ST, b + AT_ST, "st", 8, 16, 10, t);
	same &= same_words(a + AT_MXCSR, b + AT_MXCSR, "mxcsr", 1, 4, 4, t);
	same &= same_words(a + AT_XMM, b + AT_XMM, "xmm", 16, 16, 16, t);
	return same_words(a + AT_YMM, b + AT_YMM, "ymm_upper", 16, 16, 16, t) && same;
}
