/*
 * The page walker, rule by rule: each mode's levels, sizes, reserved bits, permissions, A/D bits, error codes; then the
 * nested dimension: counts and order of references, EXITINFO1, merging. APM2 ch. 5, 15.25.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "page_tables.h"

static struct space mem;
static struct error err;
static struct walk_env env;
static struct tables t, nt;
static struct walk w;

#define VA    0x123456789123ull /* not all indexes equal */
#define VA32  0x89abc123ull
#define GUEST 0x10000000ull /* system-physical address of the guest's address 0 */

static void setup(void)
{
	ck_assert(space_init(&mem, "memory", 52, &err));
	ck_assert_ptr_nonnull(space_add_ram(&mem, "ram", 0, 1ull << 30, false, &err));
	env = (struct walk_env){.mem = &mem};
}
static void teardown(void) { space_free(&mem); }

static void native(unsigned levels)
{
	tables_init(&t, &mem, levels, 0, 0x100000);
	env.p = tables_paging(&t);
}

/* Nested tables of nlevels map the guest's first 256 MB to GUEST with pages of the level; guest tables of levels. */
static void nested(unsigned nlevels, unsigned npage, unsigned levels)
{
	tables_init(&nt, &mem, nlevels, 0, 0x100000);
	for (u64 gpa = 0; gpa < 16 << 20;) {
		unsigned shift = 12 + (npage - 1) * tables_ibits(&nt);

		tables_map(&nt, gpa, npage, GUEST + gpa, P | W | U | A | D);
		gpa += 1ull << shift;
	}
	env.np = tables_paging(&nt);
	env.nested = true;
	tables_init(&t, &mem, levels, GUEST, 0x100000);
	env.p = tables_paging(&t);
	if (!levels)
		env.p = (struct paging){0};
}

static void walk(u64 va, unsigned access) { walk_x86(&env, va, access, true, &w); }
static void look(u64 va, unsigned access) { walk_x86(&env, va, access, false, &w); }

static void refused(enum walk_why why, unsigned level, u32 error)
{
	ck_assert_str_eq(walk_why_text(w.why), walk_why_text(why));
	ck_assert_uint_eq(w.fail_level, level);
	ck_assert_uint_eq(w.error, error);
	ck_assert(!w.nested_fault);
}

static void npf(enum walk_why why, unsigned level, unsigned serves, u64 info1, u64 gpa)
{
	ck_assert_str_eq(walk_why_text(w.why), walk_why_text(why));
	ck_assert(w.nested_fault);
	ck_assert_uint_eq(w.fail_level, level);
	ck_assert_uint_eq(w.fail_serves, serves);
	ck_assert_uint_eq(w.exitinfo1, info1);
	ck_assert_uint_eq(w.error, (u32)info1);
	ck_assert_uint_eq(w.gpa, gpa);
}

static void allowed(u64 pa, unsigned shift, unsigned refs)
{
	ck_assert_str_eq(walk_why_text(w.why), walk_why_text(WALK_OK));
	ck_assert_uint_eq(w.pa, pa);
	ck_assert_uint_eq(w.shift, shift);
	ck_assert_uint_eq(w.refs, refs);
	ck_assert_uint_eq(w.error, 0);
}

/* ---- modes ---- */

START_TEST(long_mode_sizes)
{
	for (unsigned levels = 4; levels <= 5; levels++) {
		native(levels);
		tables_map(&t, VA, 1, 0xabc000, P | W | U);
		walk(VA, ACC_READ);
		allowed(0xabc123, 12, levels);
		ck_assert_uint_eq(w.n, levels);
		ck_assert_uint_eq(w.gpa, w.pa);
		for (unsigned i = 0; i < levels; i++) {
			ck_assert_uint_eq(w.step[i].level, levels - i);
			ck_assert_uint_eq(w.step[i].pa, tables_entry(&t, VA, levels - i));
			ck_assert_uint_eq(w.step[i].gpa, w.step[i].pa);
			ck_assert_uint_eq(w.step[i].dim, 0);
		}
		ck_assert_uint_eq(w.perm, PERM_W | PERM_U | PERM_X | PERM_NW);
		native(levels);
		tables_map(&t, VA, 2, 0x40000000, P | W | U);
		walk(VA, ACC_READ);
		allowed(0x40000000 | (VA & 0x1fffff), 21, levels - 1);
		native(levels);
		tables_map(&t, VA, 3, 0x80000000, P | W | U);
		walk(VA, ACC_READ);
		allowed(0x80000000 | (VA & 0x3fffffff), 30, levels - 2);
	}
}
END_TEST

START_TEST(pae_sizes)
{
	native(3);
	tables_map(&t, VA32, 1, 0x1234567000, P | W | U);
	walk(VA32, ACC_READ);
	allowed(0x1234567123, 12, 3);
	walk(VA32 | 0xffff00000000, ACC_READ); /* linear addresses have 32 bits */
	allowed(0x1234567123, 12, 3);
	/* PDPE has no A, W, U: APM2 figure 5-10 */
	ck_assert_uint_eq(tables_get(&t, VA32, 3) & (A | W | U), 0);
	native(3);
	tables_map(&t, VA32, 2, 0x40000000, P | W | U);
	walk(VA32, ACC_READ);
	allowed(0x40000000 | (VA32 & 0x1fffff), 21, 2);
}
END_TEST

START_TEST(pae_registers)
{
	native(3);
	tables_map(&t, VA32, 1, 0xabc000, P | W | U);
	env.p.use_pdpte = true;
	walk(VA32, ACC_READ);
	refused(WALK_NOT_PRESENT, 3, 0);
	ck_assert_uint_eq(w.refs, 0);
	env.p.pdpte[2] = tables_get(&t, VA32, 3);
	tables_put(&t, VA32, 3, 0); /* memory does not matter */
	walk(VA32, ACC_READ);
	allowed(0xabc123, 12, 2);
	ck_assert_uint_eq(w.n, 3);
	ck_assert(w.step[0].cached && w.step[0].val == env.p.pdpte[2]);
}
END_TEST

START_TEST(legacy_sizes)
{
	native(2);
	tables_map(&t, VA32, 1, 0xabc000, P | W | U);
	walk(VA32, ACC_READ);
	allowed(0xabc123, 12, 2);
	ck_assert_uint_eq(w.step[1].pa, tables_entry(&t, VA32, 1));
	native(2);
	tables_map(&t, VA32, 2, 0x40000000, P | W | U);
	walk(VA32, ACC_READ);
	allowed(0x40000000 | (VA32 & 0x3fffff), 22, 1);
	/* PSE-36: bits 20:13 are address bits 39:32. APM2 5.2.2 */
	tables_map(&t, VA32, 2, 0x40000000 | 0xa5 << 13, P | W | U);
	walk(VA32, ACC_READ);
	allowed(0xa540000000 | (VA32 & 0x3fffff), 22, 1);
	env.p.pa_bits = 36;
	walk(VA32, ACC_READ);
	refused(WALK_RESERVED, 2, 9);
	tables_map(&t, VA32, 2, 0x40000000 | 0x0f << 13, P | W | U);
	walk(VA32, ACC_READ);
	allowed(0xf40000000 | (VA32 & 0x3fffff), 22, 1);
	/* PAT is no address bit */
	tables_map(&t, VA32, 2, 0x40000000 | BIT(12), P | W | U);
	walk(VA32, ACC_READ);
	allowed(0x40000000 | (VA32 & 0x3fffff), 22, 1);
}
END_TEST

START_TEST(legacy_without_pse)
{
	native(2);
	env.p.pse = false;
	tables_map(&t, VA32, 1, 0xabc000, P | W | U);
	tables_put(&t, VA32, 2, tables_get(&t, VA32, 2) | PS);
	walk(VA32, ACC_READ);
	allowed(0xabc123, 12, 2);
}
END_TEST

START_TEST(entries_are_four_bytes)
{
	native(2);
	tables_map(&t, VA32, 1, 0xabc000, P | W | U);
	/* the neighbour must not be read as an upper half */
	space_write(&mem, tables_entry(&t, VA32, 1) + 4, 4, ~0u);
	walk(VA32, ACC_WRITE);
	allowed(0xabc123, 12, 2);
	ck_assert_uint_eq(space_read(&mem, tables_entry(&t, VA32, 1) + 4, 4), ~0u);
	ck_assert_uint_eq(tables_get(&t, VA32, 1), 0xabc000 | P | W | U | A | D);
}
END_TEST

START_TEST(paging_off)
{
	env.p.levels = 0;
	env.p.smep = env.p.smap = env.p.wp = true;
	walk(0xfffff123, ACC_WRITE | ACC_USER);
	allowed(0xfffff123, 30, 0);
	ck_assert_uint_eq(w.perm, PERM_W | PERM_X | PERM_U | PERM_D | PERM_NW);
	walk(0x1234, ACC_EXEC);
	allowed(0x1234, 30, 0);
}
END_TEST

START_TEST(canonical_form)
{
	static const struct {
		unsigned levels;
		u64 va;
		bool good;
	} c[] = {
		{4, 0x00007fffffffffff, true},  {4, 0x0000800000000000, false}, {4, 0xffff7fffffffffff, false},
		{4, 0xffff800000000000, true},  {4, 0x0100000000000000, false}, {5, 0x00ffffffffffffff, true},
		{5, 0x0100000000000000, false}, {5, 0xfeffffffffffffff, false}, {5, 0xff00000000000000, true},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(c); i++) {
		native(c[i].levels);
		walk(c[i].va, ACC_READ);
		ck_assert_uint_eq(w.why, c[i].good ? WALK_NOT_PRESENT : WALK_NON_CANONICAL);
		ck_assert_uint_eq(w.refs, c[i].good);
	}
}
END_TEST

START_TEST(not_present_at_each_level)
{
	for (unsigned levels = 2; levels <= 5; levels++)
		for (unsigned level = levels; level >= 1; level--) {
			u64 va = levels > 3 ? VA : VA32;

			native(levels);
			tables_map(&t, va, 1, 0xabc000, P | W | U);
			tables_put(&t, va, level,
				   0xfffffffe & (levels == 2 ? ~0u : ~0ull)); /* other bits do not matter */
			walk(va, ACC_WRITE | ACC_USER);
			refused(WALK_NOT_PRESENT, level, 6);
			ck_assert_uint_eq(w.refs, levels - level + 1);
			walk(va, ACC_READ);
			refused(WALK_NOT_PRESENT, level, 0);
		}
}
END_TEST

/* ---- reserved bits: each bit of each kind of entry, against the manual's figures ---- */

static u64 range(unsigned hi, unsigned lo) { return bits(~0ull, hi, lo) << lo; }

static void each_bit(unsigned levels, unsigned level, unsigned page, u64 reserved, u64 ignore)
{
	u64 va = levels > 3 ? VA : VA32, good;
	unsigned size = levels == 2 ? 32 : 64;

	native(levels);
	env.p.pa_bits = 40;
	tables_map(&t, va, page, 0, P | W | U);
	good = tables_get(&t, va, level);
	for (unsigned i = 1; i < size; i++) {
		if (ignore >> i & 1)
			continue;
		tables_put(&t, va, level, good ^ BIT(i));
		for (unsigned nx = 0; nx <= 1; nx++) {
			u64 r = reserved | (nx || levels == 2 ? 0 : NX);

			env.p.nx = nx;
			look(va, ACC_READ);
			ck_assert_msg((w.why == WALK_RESERVED) == (r >> i & 1),
				      "%u levels, level %u, page level %u, bit %u, nx %u: %s", levels, level, page, i,
				      nx, walk_why_text(w.why));
			if (w.why == WALK_RESERVED)
				refused(WALK_RESERVED, level, 9);
		}
	}
}

START_TEST(reserved_bits)
{
	u64 high = range(51, 40), addr = range(39, 12);

	for (unsigned levels = 4; levels <= 5; levels++) {
		if (levels == 5)
			each_bit(5, 5, 1, high | range(8, 7), addr); /* figure 5-19 */
		each_bit(levels, 4, 1, high | range(8, 7), addr);    /* 5-20 */
		each_bit(levels, 3, 1, high, addr | PS);             /* 5-21 */
		each_bit(levels, 2, 1, high, addr | PS);             /* 5-22 */
		each_bit(levels, 1, 1, high, 0);                     /* 5-23 */
		each_bit(levels, 2, 2, high | range(20, 13), PS);    /* 5-29 */
		each_bit(levels, 3, 3, high | range(29, 13), PS);    /* 5-34 */
	}
	/* legacy PAE: 62:52 are reserved as well */
	high = range(62, 40);
	each_bit(3, 3, 1, high | NX | range(8, 5) | range(2, 1), addr);
	each_bit(3, 2, 1, high, addr | PS);
	each_bit(3, 1, 1, high, 0);
	each_bit(3, 2, 2, high | range(20, 13), PS);
	/* legacy: only bit 21 of a 4 MB entry */
	each_bit(2, 2, 1, 0, range(31, 12) | PS);
	each_bit(2, 1, 1, 0, 0);
	each_bit(2, 2, 2, BIT(21), PS);
}
END_TEST

START_TEST(gigabyte_pages_unimplemented)
{
	native(4);
	env.p.page1gb = false;
	tables_map(&t, VA, 3, 0x40000000, P | W | U);
	walk(VA, ACC_READ);
	refused(WALK_RESERVED, 3, 9);
}
END_TEST

START_TEST(reserved_goes_before_rights)
{
	native(4);
	tables_map(&t, VA, 1, 0xabc000 | BIT(50), P); /* read-only supervisor, and a reserved bit */
	walk(VA, ACC_WRITE | ACC_USER);
	refused(WALK_RESERVED, 1, 15);
	tables_map(&t, VA, 1, 0xabc000, P);
	tables_put(&t, VA, 3, tables_get(&t, VA, 3) & ~(u64)U);
	tables_put(&t, VA, 1, 0);
	walk(VA, ACC_WRITE | ACC_USER); /* a missing leaf goes before a supervisor PDPE */
	refused(WALK_NOT_PRESENT, 1, 6);
}
END_TEST

/* ---- rights: every combination against the manual's sentences, written down independently ---- */

static bool may(const struct paging *p, bool pw, bool pu, bool px, unsigned acc)
{
	bool user = acc & ACC_USER;

	if (user && !pu)
		return false; /* 5.6.1 */
	if (acc & ACC_WRITE && !pw && (user || p->wp))
		return false; /* 5.6.2, 5.6.4 */
	if (acc & ACC_EXEC && !px && p->nx)
		return false; /* 5.6.3 */
	if (acc & ACC_EXEC && !user && pu && p->smep)
		return false; /* 5.6.5 */
	if (!(acc & ACC_EXEC) && !user && pu && p->smap && !(acc & ACC_AC))
		return false; /* 5.6.6 */
	return true;
}

static const unsigned accesses[] = {
	ACC_READ,
	ACC_WRITE,
	ACC_EXEC,
	ACC_READ | ACC_AC,
	ACC_WRITE | ACC_AC,
	ACC_EXEC | ACC_AC,
	ACC_READ | ACC_USER,
	ACC_WRITE | ACC_USER,
	ACC_EXEC | ACC_USER,
};

START_TEST(rights)
{
	for (unsigned levels = 2; levels <= 5; levels++) {
		u64 va = levels > 3 ? VA : VA32;
		unsigned top = levels == 3 ? 2 : levels;

		native(levels);
		tables_map(&t, va, 1, 0xabc000, P | W | U);
		for (unsigned m = 0; m < 64; m++) {
			u64 up = tables_get(&t, va, top) & ~(W | U | NX);
			bool w1 = m & 1, u1 = m & 2, x1 = m & 4 || levels == 2, w2 = m & 8, u2 = m & 16,
			     x2 = m & 32 || levels == 2;

			if (levels == 2 && (m & 36) != 36)
				continue;
			tables_put(&t, va, 1, 0xabc000 | P | (w1 ? W : 0) | (u1 ? U : 0) | (x1 ? 0 : NX));
			tables_put(&t, va, top, up | P | (w2 ? W : 0) | (u2 ? U : 0) | (x2 ? 0 : NX));
			for (unsigned mode = 0; mode < 16; mode++) {
				env.p.wp = mode & 1;
				env.p.smep = mode & 2;
				env.p.smap = mode & 4;
				env.p.nx = mode & 8;
				if (!env.p.nx && !(x1 && x2))
					continue; /* reserved */
				for (unsigned i = 0; i < ARRAY_SIZE(accesses); i++) {
					unsigned acc = accesses[i];
					bool id = acc & ACC_EXEC && ((env.p.nx && levels > 2) || env.p.smep);

					look(va, acc);
					ck_assert_msg((w.why == WALK_OK) ==
							      may(&env.p, w1 && w2, u1 && u2, x1 && x2, acc),
						      "levels %u rights %#x mode %#x access %#x: %s", levels, m, mode,
						      acc, walk_why_text(w.why));
					if (w.why)
						refused(w.why, 1,
							1 | (acc & ACC_WRITE ? 2 : 0) | (acc & ACC_USER ? 4 : 0) |
								(id ? 16 : 0));
				}
			}
		}
	}
}
END_TEST

START_TEST(nxe_means_nothing_without_pae)
{
	native(2);
	env.p.smep = false;
	walk(VA32, ACC_EXEC);
	refused(WALK_NOT_PRESENT, 2, 0);
	env.p.smep = true;
	walk(VA32, ACC_EXEC);
	refused(WALK_NOT_PRESENT, 2, 16);
}
END_TEST

START_TEST(global_pages)
{
	native(4);
	tables_map(&t, VA, 1, 0xabc000, P | W | G);
	walk(VA, ACC_READ);
	ck_assert(w.perm & PERM_G);
	env.p.pge = false;
	walk(VA, ACC_READ);
	ck_assert(!(w.perm & PERM_G));
	env.p.pge = true;
	tables_map(&t, VA, 1, 0xabc000, P | W);
	tables_put(&t, VA, 2, tables_get(&t, VA, 2) | G); /* ignored above the leaf */
	walk(VA, ACC_READ);
	ck_assert(w.why == WALK_OK && !(w.perm & PERM_G));
}
END_TEST

/* ---- A and D ---- */

START_TEST(accessed_and_dirty)
{
	for (unsigned levels = 2; levels <= 5; levels++) {
		u64 va = levels > 3 ? VA : VA32;

		native(levels);
		t.link = P | W | U;
		tables_map(&t, va, 1, 0xabc000, P | W | U);
		look(va, ACC_WRITE);
		for (unsigned l = 1; l <= levels; l++)
			ck_assert_uint_eq(tables_get(&t, va, l) & (A | D), 0);
		ck_assert_uint_eq(w.step[levels - 1].set, A | D); /* what it would have done */
		ck_assert_uint_eq(w.step[levels - 1].val & (A | D), 0);
		walk(va, ACC_READ);
		for (unsigned l = 1; l <= levels; l++) {
			bool pdpe = levels == 3 && l == 3;

			ck_assert_uint_eq(tables_get(&t, va, l) & (A | D), pdpe ? 0 : A);
			ck_assert_uint_eq(w.step[levels - l].set, pdpe ? 0 : A);
		}
		ck_assert(!(w.perm & PERM_D));
		walk(va, ACC_WRITE);
		ck_assert(w.perm & PERM_D);
		for (unsigned l = 1; l <= levels; l++)
			ck_assert_uint_eq(tables_get(&t, va, l) & D, l == 1 ? D : 0);
		ck_assert_uint_eq(w.step[levels - 1].set, D);
		walk(va, ACC_WRITE);
		ck_assert_uint_eq(w.step[levels - 1].set, 0);
	}
}
END_TEST

START_TEST(refused_walks_touch_what_they_used)
{
	native(4);
	t.link = P | W | U;
	tables_map(&t, VA, 1, 0xabc000, P | U);
	tables_put(&t, VA, 2, tables_get(&t, VA, 2) & ~(u64)P);
	walk(VA, ACC_WRITE);
	refused(WALK_NOT_PRESENT, 2, 2);
	/* the tables of levels 3 and 2 were read, the one of level 1 was not. APM2 5.4.1: A */
	ck_assert(tables_get(&t, VA, 4) & A && tables_get(&t, VA, 3) & A);
	ck_assert(!(space_read(&mem, tables_entry(&t, VA, 2), 8) & A));
	tables_put(&t, VA, 2, tables_get(&t, VA, 2) | P);
	walk(VA, ACC_WRITE);
	refused(WALK_READ_ONLY, 1, 3);
	ck_assert(tables_get(&t, VA, 2) & A);
	ck_assert(!(tables_get(&t, VA, 1) & (A | D)));
}
END_TEST

START_TEST(large_pages_get_dirty)
{
	native(4);
	tables_map(&t, VA, 2, 0x40000000, P | W | U);
	walk(VA, ACC_WRITE);
	ck_assert_uint_eq(tables_get(&t, VA, 2), 0x40000000 | P | W | U | PS | A | D);
	native(2);
	tables_map(&t, VA32, 2, 0x40000000, P | W | U);
	walk(VA32, ACC_WRITE);
	ck_assert_uint_eq(tables_get(&t, VA32, 2), 0x40000000 | P | W | U | PS | A | D);
}
END_TEST

static unsigned code_hits;
static void code_hit(void *owner, u64 pa, unsigned size)
{
	(void)owner;
	(void)pa;
	(void)size;
	code_hits++;
}

START_TEST(table_writes_are_stores)
{
	u64 at;

	native(4);
	tables_map(&t, VA, 1, 0xabc000, P | W | U);
	at = tables_entry(&t, VA, 1);
	space_page(&mem, at)->dirty = 0;
	space_page(&mem, at)->code = ~0ull;
	mem.code_hit = code_hit;
	walk(VA, ACC_READ);
	ck_assert_uint_eq(space_page(&mem, at)->dirty, 1);
	ck_assert_uint_eq(code_hits, 1);
}
END_TEST

static u64 table_dev[512];
static unsigned table_reads;
static u64 dev_read(void *dev, u64 off, unsigned size)
{
	(void)dev;
	table_reads++;
	return load_le((u8 *)table_dev + off, size);
}
static void dev_write(void *dev, u64 off, unsigned size, u64 val)
{
	(void)dev;
	store_le((u8 *)table_dev + off, size, val);
}
static u64 dev_peek(const void *dev, u64 off, unsigned size)
{
	(void)dev;
	return load_le((u8 *)table_dev + off, size);
}

START_TEST(tables_in_devices)
{
	static const struct region_ops ops = {"tables", dev_read, dev_write, dev_peek, 1, 8};

	native(4);
	tables_map(&t, VA, 1, 0xabc000, P | W | U);
	space_add_device(&mem, 0xd0000000, PAGE_SIZE, &ops, NULL);
	tables_put(&t, VA, 2, 0xd0000000 | P | W | U);
	table_dev[VA >> 12 & 511] = 0xdef000 | P | W | U;
	ck_assert(!walk_quick(&env, VA, ACC_READ, &w));
	look(VA, ACC_READ);
	allowed(0xdef123, 12, 4);
	ck_assert_uint_eq(table_reads, 0);
	walk(VA, ACC_WRITE);
	allowed(0xdef123, 12, 4);
	ck_assert_uint_eq(table_reads, 1);
	ck_assert_uint_eq(table_dev[VA >> 12 & 511], 0xdef000 | P | W | U | A | D);
	tables_put(&t, VA, 2, 0xe0000000 | P | W | U); /* nobody there: all ones */
	walk(VA, ACC_READ);
	refused(WALK_RESERVED, 1, 9);
}
END_TEST

/* ---- nested paging ---- */

/* A 4 KB guest page (levels 0: guest paging off) under nested pages of level npage. */
static void counted(unsigned nlevels, unsigned npage, unsigned levels, unsigned shift, unsigned refs)
{
	u64 va = levels > 3 ? VA : levels ? VA32 : 0x800123;

	nested(nlevels, npage, levels);
	if (levels)
		tables_map(&t, va, 1, 0x800000, P | W | U);
	walk(va, ACC_READ);
	allowed(GUEST + 0x800123, shift, refs);
	ck_assert_uint_eq(w.n, refs);
	ck_assert_uint_eq(w.gpa, 0x800123);
}

START_TEST(reference_counts)
{
	counted(4, 1, 4, 12, 24);
	counted(5, 1, 5, 12, 35);
	counted(4, 2, 4, 12, 19);
	counted(4, 1, 0, 12, 4);
	counted(4, 2, 0, 21, 3);
	counted(5, 1, 4, 12, 29);
	counted(4, 1, 3, 12, 19);
	counted(4, 1, 2, 12, 14);
	counted(2, 1, 2, 12, 8);
	counted(3, 1, 3, 12, 15);
}
END_TEST

START_TEST(reference_counts_of_large_pages)
{
	/* 2 MB under 2 MB: 15, 1 GB under 1 GB: 8 */
	nested(4, 2, 4);
	tables_map(&t, VA, 2, 0x800000, P | W | U);
	walk(VA, ACC_READ);
	allowed(GUEST + 0x800000 + (VA & 0x1fffff), 21, 15);
	tables_init(&nt, &mem, 4, 0, 0x100000);
	tables_map(&nt, 0, 3, 0, P | W | U);
	env.np = tables_paging(&nt);
	tables_init(&t, &mem, 4, 0, 0x1000000);
	tables_map(&t, VA, 3, 0, P | W | U);
	env.p = tables_paging(&t);
	walk(VA, ACC_READ);
	allowed(VA & 0x3fffffff, 30, 8);
	ck_assert_uint_eq(w.gshift, 30);
	ck_assert_uint_eq(w.nshift, 30);
}
END_TEST

START_TEST(references_come_in_order)
{
	unsigned n = 0;

	nested(4, 1, 4);
	tables_map(&t, VA, 1, 0x800000, P | W | U);
	walk(VA, ACC_READ);
	for (unsigned level = 4;; level--) {
		for (unsigned nl = 4; nl >= 1; nl--, n++) {
			u64 gpa = level ? tables_entry(&t, VA, level) : 0x800123;

			ck_assert_uint_eq(w.step[n].dim, 1);
			ck_assert_uint_eq(w.step[n].level, nl);
			ck_assert_uint_eq(w.step[n].serves, level);
			ck_assert_uint_eq(w.step[n].pa, tables_entry(&nt, gpa, nl));
		}
		if (!level)
			break;
		ck_assert_uint_eq(w.step[n].dim, 0);
		ck_assert_uint_eq(w.step[n].level, level);
		ck_assert_uint_eq(w.step[n].gpa, tables_entry(&t, VA, level));
		ck_assert_uint_eq(w.step[n].pa, GUEST + w.step[n].gpa);
		n++;
	}
	ck_assert_uint_eq(n, 24);
}
END_TEST

START_TEST(smaller_page_counts)
{
	nested(4, 1, 4);
	tables_map(&t, VA, 2, 0x800000, P | W | U);
	walk(VA, ACC_READ);
	ck_assert_uint_eq(w.shift, 12); /* APM2 15.25.9 */
	ck_assert_uint_eq(w.gshift, 21);
	ck_assert_uint_eq(w.nshift, 12);
	nested(2, 2, 3);
	tables_map(&t, VA32, 2, 0x800000, P | W | U);
	walk(VA32, ACC_READ);
	ck_assert_uint_eq(w.shift, 21);
	ck_assert_uint_eq(w.nshift, 22);
}
END_TEST

START_TEST(npf_of_the_final_address)
{
	u64 gpa = 0x800123;

	nested(4, 1, 4);
	tables_map(&t, VA, 1, 0x800000, P | W | U);
	for (unsigned level = 4; level >= 1; level--) {
		u64 good;

		nested(4, 1, 4);
		tables_map(&t, VA, 1, 0x800000, P | W | U);
		if (level > 2) {
			/* a gPA of its own upper entries, so that the tables stay mapped */
			gpa = 0x8000000123 + ((u64)level << 30);
			tables_map(&nt, gpa, 1, GUEST, P | W | U);
			tables_map(&t, VA, 1, gpa & PAGE_MASK, P | W | U);
		} else {
			gpa = 0x800123;
		}
		good = tables_get(&nt, gpa, level);
		tables_put(&nt, gpa, level, good & ~(u64)P);
		walk(VA, ACC_READ);
		npf(WALK_NOT_PRESENT, level, 0, BIT(32) | 4, gpa);
		walk(VA, ACC_WRITE);
		npf(WALK_NOT_PRESENT, level, 0, BIT(32) | 6, gpa);
		walk(VA, ACC_EXEC | ACC_USER);
		npf(WALK_NOT_PRESENT, level, 0, BIT(32) | 20, gpa);
		tables_put(&nt, gpa, level, good | BIT(51));
		walk(VA, ACC_READ);
		npf(WALK_RESERVED, level, 0, BIT(32) | 13, gpa);
		tables_put(&nt, gpa, level, good & ~(u64)W);
		walk(VA, ACC_WRITE);
		npf(WALK_READ_ONLY, 1, 0, BIT(32) | 7, gpa);
		tables_put(&nt, gpa, level, good & ~(u64)U);
		walk(VA, ACC_READ); /* nested accesses are user accesses */
		npf(WALK_SUPERVISOR, 1, 0, BIT(32) | 5, gpa);
		tables_put(&nt, gpa, level, good | NX);
		walk(VA, ACC_EXEC);
		npf(WALK_NX, 1, 0, BIT(32) | 21, gpa);
		walk(VA, ACC_READ);
		ck_assert_uint_eq(w.why, WALK_OK);
	}
}
END_TEST

START_TEST(npf_of_guest_tables)
{
	for (unsigned level = 4; level >= 1; level--) {
		u64 at, good;

		nested(4, 1, 4);
		tables_map(&t, VA, 1, 0x800000, P | W | U);
		at = tables_entry(&t, VA, level);
		good = tables_get(&nt, at, 1);
		tables_put(&nt, at, 1, 0);
		walk(VA, ACC_EXEC); /* always a user write: APM2 15.25.5, 15.25.6 */
		npf(WALK_NOT_PRESENT, 1, level, BIT(33) | 6, at);
		ck_assert_uint_eq(w.refs, 5 * (4 - level) + 4);
		tables_put(&nt, at, 1, good & ~(u64)W);
		walk(VA, ACC_READ);
		npf(WALK_READ_ONLY, 1, level, BIT(33) | 7, at);
		tables_put(&nt, at, 1, good | NX); /* no fetch: NX does not matter */
		walk(VA, ACC_EXEC);
		ck_assert_uint_eq(w.why, WALK_OK);
		tables_put(&nt, at, 1, good | BIT(50));
		walk(VA, ACC_READ);
		npf(WALK_RESERVED, 1, level, BIT(33) | 15, at);
	}
}
END_TEST

START_TEST(guest_faults_go_first)
{
	nested(4, 1, 4);
	tables_map(&t, VA, 1, 0x800000, P | W);
	tables_put(&nt, 0x800000, 1, 0);
	walk(VA, ACC_READ | ACC_USER);
	refused(WALK_SUPERVISOR, 1, 5);
	ck_assert_uint_eq(w.refs, 20);
	walk(VA, ACC_READ);
	npf(WALK_NOT_PRESENT, 1, 0, BIT(32) | 4, 0x800123);
	/* a guest entry that is not present: #PF, whatever lies below */
	tables_put(&t, VA, 3, 0);
	walk(VA, ACC_READ);
	refused(WALK_NOT_PRESENT, 3, 0);
	/* but the nested fault of its table goes before: APM2 15.25.6 steps 1, 2 */
	tables_put(&nt, tables_entry(&t, VA, 3), 1, 0);
	walk(VA, ACC_READ);
	npf(WALK_NOT_PRESENT, 1, 3, BIT(33) | 6, tables_entry(&t, VA, 3));
}
END_TEST

START_TEST(rights_merge)
{
	/* guest W U X, nested W X; WP in the guest */
	for (unsigned m = 0; m < 64; m++) {
		bool gw = m & 1, gu = m & 2, gx = m & 4, nw = m & 8, nx = m & 16, wp = m & 32;

		nested(4, 1, 4);
		env.p.wp = wp;
		tables_map(&t, VA, 1, 0x800000, P | (gw ? W : 0) | (gu ? U : 0) | (gx ? 0 : NX));
		tables_map(&nt, 0x800000, 1, GUEST + 0x800000, P | U | (nw ? W : 0) | (nx ? 0 : NX));
		for (unsigned i = 0; i < ARRAY_SIZE(accesses); i++) {
			unsigned acc = accesses[i];
			bool guest_ok = may(&env.p, gw, gu, gx, acc);
			bool nested_ok = !(acc & ACC_WRITE && !nw) && !(acc & ACC_EXEC && !nx);

			look(VA, acc);
			ck_assert_uint_eq(w.why == WALK_OK, guest_ok && nested_ok);
			if (w.why)
				ck_assert_uint_eq(w.nested_fault, guest_ok); /* the guest's refusal goes first */
			else
				ck_assert_uint_eq(w.perm & ~PERM_D, (gw && nw ? PERM_W : 0) | (gx && nx ? PERM_X : 0) |
									    (gu ? PERM_U : 0) | (nw ? PERM_NW : 0));
			if (!w.why)
				for (unsigned j = 0; j < ARRAY_SIZE(accesses); j++) {
					struct walk v;

					walk_x86(&env, VA, accesses[j], false, &v);
					ck_assert_uint_eq(walk_check(&env.p, w.perm, accesses[j]) == WALK_OK,
							  v.why == WALK_OK);
				}
		}
	}
}
END_TEST

START_TEST(host_modes_do_not_matter)
{
	nested(4, 1, 4);
	tables_map(&t, VA, 1, 0x800000, P | W);
	env.np.smep = env.np.smap = true;
	env.np.wp = false;
	walk(VA, ACC_READ);
	allowed(GUEST + 0x800123, 12, 24);
	tables_map(&nt, 0x800000, 1, GUEST + 0x800000, P | U | G);
	walk(VA, ACC_WRITE); /* hCR0.WP is ignored */
	npf(WALK_READ_ONLY, 1, 0, BIT(32) | 7, 0x800123);
	walk(VA, ACC_READ);
	ck_assert(!(w.perm & PERM_G)); /* nor does the nested G count */
}
END_TEST

START_TEST(nested_accessed_and_dirty)
{
	u64 at;

	nested(4, 1, 4);
	tables_map(&t, VA, 1, 0x800000, P | W | U);
	at = tables_entry(&t, VA, 1);
	tables_map(&nt, at, 1, GUEST + (at & PAGE_MASK), P | W | U);
	tables_map(&nt, 0x800000, 1, GUEST + 0x800000, P | W | U);
	walk(VA, ACC_READ);
	/* table walks are writes: D of the nested entry is always set. APM2 15.25.5 */
	ck_assert_uint_eq(tables_get(&nt, at, 1) & (A | D), A | D);
	ck_assert_uint_eq(tables_get(&nt, 0x800000, 1) & (A | D), A);
	ck_assert_uint_eq(tables_get(&t, VA, 1) & (A | D), A);
	walk(VA, ACC_WRITE);
	ck_assert_uint_eq(tables_get(&nt, 0x800000, 1) & D, D);
	ck_assert_uint_eq(tables_get(&t, VA, 1) & D, D);
	ck_assert(w.perm & PERM_D);
}
END_TEST

START_TEST(read_only_guest_tables)
{
	u64 at;

	nested(4, 1, 4);
	tables_map(&t, VA, 1, 0x800000, P | W | U | A);
	env.ro_tables = true;
	for (unsigned level = 4; level >= 1; level--) {
		at = tables_entry(&t, VA, level);
		tables_map(&nt, at, 1, GUEST + (at & PAGE_MASK), P | U);
	}
	walk(VA, ACC_READ);
	allowed(GUEST + 0x800123, 12, 24);
	walk(VA, ACC_WRITE); /* D must be set in the leaf */
	npf(WALK_READ_ONLY, 1, 1, BIT(33) | 7, at);
	tables_put(&t, VA, 1, tables_get(&t, VA, 1) | D);
	walk(VA, ACC_WRITE);
	allowed(GUEST + 0x800123, 12, 24);
	tables_put(&t, VA, 1, tables_get(&t, VA, 1) & ~(u64)A);
	walk(VA, ACC_READ);
	npf(WALK_READ_ONLY, 1, 1, BIT(33) | 7, at);
}
END_TEST

START_TEST(gpa_beyond_the_nested_mode)
{
	nested(3, 1, 4);
	tables_map(&t, VA, 1, 0x100800000, P | W | U);
	walk(VA, ACC_WRITE);
	npf(WALK_NOT_PRESENT, 3, 0, BIT(32) | 6, 0x100800123);
	nested(4, 1, 5);
	env.p.pa_bits = 52;
	tables_map(&t, VA, 1, BIT(48), P | W | U);
	walk(VA, ACC_READ);
	npf(WALK_NOT_PRESENT, 4, 0, BIT(32) | 4, BIT(48) | 0x123);
	tables_map(&t, VA, 1, BIT(47), P | W | U); /* not sign-extended: bit 47 is an index bit */
	tables_map(&nt, BIT(47), 1, GUEST, P | W | U);
	walk(VA, ACC_READ);
	allowed(GUEST + 0x123, 12, 29);
}
END_TEST

START_TEST(guest_without_paging)
{
	nested(4, 1, 0);
	walk(0x800123, ACC_WRITE | ACC_USER);
	allowed(GUEST + 0x800123, 12, 4);
	tables_map(&nt, 0x800000, 1, GUEST + 0x800000, P | U | NX);
	walk(0x800123, ACC_WRITE);
	npf(WALK_READ_ONLY, 1, 0, BIT(32) | 7, 0x800123);
	walk(0x800123, ACC_EXEC);
	npf(WALK_NX, 1, 0, BIT(32) | 21, 0x800123);
}
END_TEST

START_TEST(pae_guest_reads_pdpe_from_memory)
{
	nested(4, 1, 3);
	tables_map(&t, VA32, 1, 0x800000, P | W | U);
	tables_put(&t, VA32, 3, tables_get(&t, VA32, 3) | 2); /* reserved: found at the point of use. APM2 15.25.10 */
	walk(VA32, ACC_READ);
	refused(WALK_RESERVED, 3, 9);
	ck_assert_uint_eq(w.refs, 5);
}
END_TEST

START_TEST(nested_dimension_alone)
{
	nested(4, 2, 4);
	walk_nested(&env, 0x812345, ACC_WRITE, true, &w);
	allowed(GUEST + 0x812345, 21, 3);
	ck_assert_uint_eq(w.gpa, 0x812345);
	walk_nested(&env, 0x40000000, ACC_READ, true, &w);
	npf(WALK_NOT_PRESENT, 3, 0, BIT(32) | 4, 0x40000000);
}
END_TEST

/* ---- the quick walk is the same walk ---- */

START_TEST(quick_agrees)
{
	u64 seed = 1;

	for (unsigned round = 0; round < 20000; round++) {
		struct walk q;
		unsigned acc, level;
		u64 flip;

		if (round % 500 == 0) {
			env.nested = false;
			native(2 + round / 500 % 4);
			for (unsigned i = 0; i < 16; i++)
				tables_map(&t, VA32 + i * PAGE_SIZE, 1, 0xabc000 + i * PAGE_SIZE, P | W | U | A);
		}
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		level = 1 + (seed >> 60) % t.levels;
		flip = tables_get(&t, VA32, level) ^
		       BIT((seed >> 40) % (t.levels == 2 ? 32 : 64) & (seed >> 33 & 1 ? 7 : 63));
		if (level > 1)
			flip = (flip & 0xfff) | (tables_get(&t, VA32, level) & ~0xfffull);
		tables_put(&t, VA32, level, flip);
		acc = accesses[(seed >> 20) % ARRAY_SIZE(accesses)];
		look(VA32, acc);
		if (walk_quick(&env, VA32, acc, &q)) {
			ck_assert_uint_eq(w.why, WALK_OK);
			ck_assert(q.pa == w.pa && q.perm == w.perm && q.shift == w.shift && q.refs == w.refs &&
				  q.gpa == w.gpa);
		} else {
			u64 set = 0;

			for (unsigned i = 0; i < w.n; i++)
				set |= w.step[i].set;
			ck_assert(w.why != WALK_OK || set);
		}
		tables_put(&t, VA32, level, flip ^ (round & 1 ? 0 : A));
	}
}
END_TEST

START_TEST(print)
{
	char buf[4096];
	struct text out;

	nested(4, 2, 4);
	tables_map(&t, VA, 1, 0x800000, P | U);
	look(VA, ACC_READ);
	text_init_buffer(&out, buf, sizeof buf);
	walk_print(&out, &w);
	ck_assert_ptr_nonnull(strstr(buf, " 1  nL4 for gL4    [000000100000]"));
	ck_assert_ptr_nonnull(strstr(buf, "nL2 for final"));
	ck_assert_ptr_nonnull(strstr(buf, "19  "));
	ck_assert_ptr_nonnull(strstr(buf, "; sets A; gpa"));
	ck_assert_ptr_nonnull(
		strstr(buf, "va 0000123456789123 -> gpa 000000800123 -> pa 000010800123; page 4 KB (guest 4 KB, nested "
			    "2 MB); R X U; 19 references\n"));
	look(VA, ACC_WRITE);
	text_init_buffer(&out, buf, sizeof buf);
	walk_print(&out, &w);
	ck_assert_ptr_nonnull(strstr(
		buf, "refused: #PF at level 1: write to a read-only page; error code 0x3 present write supervisor; 16 "
		     "references\n"));
	tables_put(&nt, 0x800000, 2, 0);
	look(VA, ACC_READ);
	text_init_buffer(&out, buf, sizeof buf);
	walk_print(&out, &w);
	ck_assert_ptr_nonnull(strstr(
		buf, "refused: NPF at nL2 for the final address: not present; EXITINFO1 0x100000004 not-present read "
		     "user final-address; EXITINFO2 0x800123; 19 references\n"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("walk");
	TCase *one = tcase_create("one dimension"), *two = tcase_create("nested");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(one, setup, teardown);
	tcase_add_test(one, long_mode_sizes);
	tcase_add_test(one, pae_sizes);
	tcase_add_test(one, pae_registers);
	tcase_add_test(one, legacy_sizes);
	tcase_add_test(one, legacy_without_pse);
	tcase_add_test(one, entries_are_four_bytes);
	tcase_add_test(one, paging_off);
	tcase_add_test(one, canonical_form);
	tcase_add_test(one, not_present_at_each_level);
	tcase_add_test(one, reserved_bits);
	tcase_add_test(one, gigabyte_pages_unimplemented);
	tcase_add_test(one, reserved_goes_before_rights);
	tcase_add_test(one, rights);
	tcase_add_test(one, nxe_means_nothing_without_pae);
	tcase_add_test(one, global_pages);
	tcase_add_test(one, accessed_and_dirty);
	tcase_add_test(one, refused_walks_touch_what_they_used);
	tcase_add_test(one, large_pages_get_dirty);
	tcase_add_test(one, table_writes_are_stores);
	tcase_add_test(one, tables_in_devices);
	tcase_add_test(one, quick_agrees);
	tcase_add_checked_fixture(two, setup, teardown);
	tcase_add_test(two, reference_counts);
	tcase_add_test(two, reference_counts_of_large_pages);
	tcase_add_test(two, references_come_in_order);
	tcase_add_test(two, smaller_page_counts);
	tcase_add_test(two, npf_of_the_final_address);
	tcase_add_test(two, npf_of_guest_tables);
	tcase_add_test(two, guest_faults_go_first);
	tcase_add_test(two, rights_merge);
	tcase_add_test(two, host_modes_do_not_matter);
	tcase_add_test(two, nested_accessed_and_dirty);
	tcase_add_test(two, read_only_guest_tables);
	tcase_add_test(two, gpa_beyond_the_nested_mode);
	tcase_add_test(two, guest_without_paging);
	tcase_add_test(two, pae_guest_reads_pdpe_from_memory);
	tcase_add_test(two, nested_dimension_alone);
	tcase_add_test(two, print);
	suite_add_tcase(s, one);
	suite_add_tcase(s, two);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
