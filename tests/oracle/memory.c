/* Memory of the cases as both sides see it: what is written before, what has changed afterwards; and the local
 * descriptor table. */
#include "layout.h"

const u64 oracle_area[AREAS] = {LOW_BASE, DATA_BASE, DATA_BASE + 0x1000, HIGH_BASE, SMC_BASE};

const struct oseg oracle_ldt[LDT_COUNT] = {
	[LDT_CODE16] = {"code16", CODE_BASE, 0xffff, .contents = 2},
	[LDT_CODE32] = {"code32", CODE_BASE - 0x10000, 0x10000 + CODE_SIZE - 0x100 - 1, .contents = 2, .big = 1},
	[LDT_STACK16] = {"stack16", DATA_BASE, 0x1fff, .contents = 0},
	[LDT_DATA] = {"data", DATA_BASE - 0x1000, 0x1000 + DATA_SIZE - 0x80 - 1, .big = 1},
	[LDT_DOWN] = {"down", DATA_BASE - 0x10000, 0x107ff, .contents = 1, .big = 1},
	[LDT_DOWN16] = {"down16", DATA_BASE, 0x7ff, .contents = 1},
	[LDT_RO] = {"ro", 0, 0xfffff, .big = 1, .pages = 1, .readonly = 1},
	[LDT_XO] = {"xo", CODE_BASE, 0xffff, .contents = 2, .big = 1, .readonly = 1},
	[LDT_ABSENT] = {"absent", 0, 0xfffff, .big = 1, .pages = 1, .absent = 1},
};

void area_poke(u8 *const host[AREAS], const struct ocase *c)
{
	for (unsigned i = 0; i < c->npoke; i++)
		for (unsigned k = 0; k < 8; k++)
			for (unsigned a = 0; a < AREAS; a++)
				if (c->poke[i].addr + k - oracle_area[a] < 4096)
					host[a][c->poke[i].addr + k - oracle_area[a]] = (u8)(c->poke[i].val >> (8 * k));
}

/* Do the 256 bytes at a and b differ? The compiler makes vectors of it. */
static bool differ(const u64 *a, const u64 *b)
{
	typedef u64 v4 __attribute__((vector_size(32), aligned(8), may_alias));
	const v4 *x = (const v4 *)(const void *)a, *y = (const v4 *)(const void *)b;
	v4 d = x[0] ^ y[0];

	for (unsigned i = 1; i < 8; i++)
		d |= x[i] ^ y[i];
	return d[0] | d[1] | d[2] | d[3];
}

static void collect_one(u64 *now, const u64 *was, u64 base, struct outcome *o)
{
	for (unsigned k = 0; k < 512; k += 32) {
		if (!differ(now + k, was + k))
			continue;
		for (unsigned i = k; i < k + 32; i++) {
			if (now[i] == was[i])
				continue;
			if (o->count < OUTCOME_CHANGES) {
				o->change[o->count].addr = base + i * 8;
				o->change[o->count].val = now[i];
			}
			o->count++;
			o->hash = (o->hash ^ now[i] ^ (base + i)) * 0x9e3779b97f4a7c15ull;
			o->hash ^= o->hash >> 29;
			now[i] = was[i];
		}
	}
}

void area_collect(u8 *const host[AREAS], const struct shared *s, struct outcome *o)
{
	o->count = 0;
	o->hash = 0;
	for (unsigned a = 0; a < AREAS; a++)
		collect_one((u64 *)(void *)host[a], s->initial[a], oracle_area[a], o);
}

void area_reset(u8 *const host[AREAS], const struct shared *s)
{
	for (unsigned a = 0; a < AREAS; a++)
		memcpy(host[a], s->initial[a], 4096);
}

unsigned case_bytes(const struct ocase *c, u8 buf[CASE_CODE + 16])
{
	unsigned n = c->limit;
	u32 rel;

	memcpy(buf, c->code, n);
	if (!c->trailer)
		return n;
	if (c->bits == 64) { /* JMP EXIT_ADDR */
		rel = (u32)(EXIT_ADDR - (c->at + n + 5));
		buf[n++] = 0xe9;
		memcpy(buf + n, &rel, 4);
		return n + 4;
	}
	rel = EXIT_ADDR; /* JMP SEL_CODE64:EXIT_ADDR */
	if (c->bits == 16)
		buf[n++] = 0x66;
	buf[n++] = 0xea;
	memcpy(buf + n, &rel, 4);
	buf[n + 4] = SEL_CODE64;
	buf[n + 5] = 0;
	return n + 6;
}
