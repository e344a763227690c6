/* Shrinking a case that fails: drop instructions and prefixes, zero registers and flags, drop pokes, as long as it goes
 * on failing. */
#include "fpstate.h"
#include "oracle.h"

static bool fails(struct oracle *o, const struct ocase *c)
{
	char buf[512];
	struct text t;

	text_init_buffer(&t, buf, sizeof buf);
	return oracle_case(o, c, &t) == FAILED;
}

/* Keep the change if the changed case still fails. */
static bool keep(struct oracle *o, struct ocase *c, const struct ocase *changed)
{
	if (!fails(o, changed))
		return false;
	*c = *changed;
	return true;
}

/* Remove bytes [from, from + n) of instruction i. */
static void remove_bytes(struct ocase *c, unsigned i, unsigned from, unsigned n)
{
	memmove(c->code + from, c->code + from + n, (size_t)(c->ncode - from - n));
	c->ncode = (u16)(c->ncode - n);
	c->limit = c->limit > n ? (u16)(c->limit - n) : 1;
	for (unsigned k = i + 1; k <= c->ninsn; k++)
		c->start[k] = (u8)(c->start[k] - n);
	if (!c->trailer) {
		c->at += n;
		c->in.rip += n;
	}
}

static bool is_prefix(const struct ocase *c, u8 b)
{
	static const u8 legacy[] = {0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};

	return memchr(legacy, b, sizeof legacy) || (c->bits == 64 && b >> 4 == 4);
}

static void drop_prefixes(struct oracle *o, struct ocase *c, unsigned i)
{
	for (unsigned at = c->start[i]; at + 1u < c->start[i + 1] && is_prefix(c, c->code[at]);) {
		struct ocase t = *c;

		remove_bytes(&t, i, at, 1);
		if (!keep(o, c, &t))
			at++;
	}
}

static void drop_insns(struct oracle *o, struct ocase *c)
{
	for (unsigned i = c->ninsn; i-- > 0 && c->ninsn > 1;) {
		struct ocase t = *c;

		remove_bytes(&t, i, t.start[i], (unsigned)(t.start[i + 1] - t.start[i]));
		memmove(t.start + i, t.start + i + 1, (size_t)(t.ninsn - i));
		memmove(t.row + i, t.row + i + 1, (t.ninsn - i - 1u) * sizeof t.row[0]);
		t.ninsn--;
		keep(o, c, &t);
	}
}

static void drop_state(struct oracle *o, struct ocase *c)
{
	struct ostate plain;

	fp_default(plain.fx);
	for (unsigned i = 0; i < 16; i++) {
		struct ocase t = *c;

		if (!t.in.r[i])
			continue;
		t.in.r[i] = 0;
		if (keep(o, c, &t))
			continue;
		t.in.r[i] = (u32)c->in.r[i];
		keep(o, c, &t);
	}
	for (unsigned i = 0; i < c->npoke;) {
		struct ocase t = *c;

		memmove(t.poke + i, t.poke + i + 1, (t.npoke - i - 1u) * sizeof t.poke[0]);
		t.npoke--;
		if (!keep(o, c, &t))
			i++;
	}
	for (unsigned i = 0; i < FX_SIZE; i += 8) {
		struct ocase t = *c;

		memcpy(t.in.fx + i, plain.fx + i, 8);
		if (memcmp(t.in.fx + i, c->in.fx + i, 8))
			keep(o, c, &t);
	}
	for (unsigned f = 0; f < 22; f++) {
		struct ocase t = *c;

		t.in.flags &= ~BIT(f) | 0x202;
		if (t.in.flags != c->in.flags)
			keep(o, c, &t);
	}
}

static void drop_segments(struct oracle *o, struct ocase *c)
{
	u16 *const seg[] = {&c->in.es, &c->in.ds, &c->in.fs, &c->in.gs, &c->in.ss};

	for (unsigned i = 0; i < ARRAY_SIZE(seg); i++) {
		struct ocase t = *c;
		u16 *s = (u16 *)(void *)((u8 *)&t + ((u8 *)seg[i] - (u8 *)c));
		u16 plain = c->bits == 64 && i < 4 ? 0 : SEL_DATA;

		if (*s == plain)
			continue;
		*s = plain;
		if (i == 2)
			t.in.fsbase = 0;
		if (i == 3)
			t.in.gsbase = 0;
		keep(o, c, &t);
	}
}

void shrink(struct oracle *o, struct ocase *c)
{
	if (!fails(o, c))
		return; /* it does not fail on its own: say it as it is */
	drop_insns(o, c);
	for (unsigned i = 0; i < c->ninsn; i++)
		drop_prefixes(o, c, i);
	drop_segments(o, c);
	drop_state(o, c);
	drop_insns(o, c);
}
