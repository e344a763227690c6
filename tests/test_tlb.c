/*
 * The TLB: what stays visible, what each flush removes, whose translations they are; that the hot layer never knows
 * more than the architectural one; and, with a flush before every access, that it is nothing but the walker.
 * APM2 5.5, 15.16.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "mmu/tlb.h"
#include "page_tables.h"

static struct space mem;
static struct error err;
static struct tlb *t;
static struct tables ht, gt, nt;
static struct tlb_hit h;
static struct walk w;
static struct region *ram;

#define VA    0x123456789000ull
#define GUEST 0x10000000ull
#define PA1   0x2000000ull
#define PA2   0x3000000ull

static void map_changed(void *owner)
{
	(void)owner;
	tlb_forget_hot(t);
}

static void setup(void)
{
	ck_assert(space_init(&mem, "memory", 48, &err));
	ram = space_add_ram(&mem, "ram", 0, 1ull << 30, false, &err);
	mem.map_changed = map_changed;
	t = calloc(1, sizeof *t);
	tlb_init(t, &mem);
	tables_init(&ht, &mem, 4, 0, 0x100000);
	t->env.p = tables_paging(&ht);
	tlb_switch(t);
}
static void teardown(void)
{
	tlb_free(t);
	free(t);
	space_free(&mem);
}

static bool get(u64 va, unsigned access) { return tlb_translate(t, va, access, &h, &w); }
static u64 pa_of(u64 va, unsigned access)
{
	ck_assert(get(va, access));
	return h.pa;
}
static bool cached(u32 asid, u32 pcid, u64 va)
{
	struct tlb_hit p;

	return tlb_probe(t, asid, pcid, va, &p);
}

/* The CPU's fast paths. */
static void *hot(u64 va, unsigned size, unsigned rw)
{
	const struct tlb_entry *e = tlb_slot_of(t, va);

	return e->tag[rw] == (((va + size - 1) & PAGE_MASK) | t->ctx) ? (void *)(va + e->add) : NULL;
}
static bool hot_fetch(u64 va, u64 *pa) { return itlb_lookup(t, va, pa); }

/* A guest of ASID asid under nested tables, in place of the host's world. */
static void guest(u32 asid)
{
	if (!nt.mem) {
		tables_init(&nt, &mem, 4, 0, 0x800000);
		for (u64 gpa = 0; gpa < 4 << 20; gpa += PAGE_SIZE)
			tables_map(&nt, gpa, 1, GUEST + gpa, P | W | U | A | D);
		tables_init(&gt, &mem, 4, GUEST, 0x100000);
	}
	t->env.p = tables_paging(&gt);
	t->env.np = tables_paging(&nt);
	t->env.nested = true;
	t->asid = asid;
	t->pcid = 0;
	tlb_switch(t);
}
static void host(void)
{
	t->env.p = tables_paging(&ht);
	t->env.nested = false;
	t->asid = t->pcid = 0;
	tlb_switch(t);
}

/* ---- the answer, and the hot layer ---- */

START_TEST(answers)
{
	u64 pa;

	tables_map(&ht, VA, 1, PA1, P | W | U);
	tlb_set_class(t, TLB_USER);
	ck_assert_ptr_null(hot(VA, 8, TLB_R));
	ck_assert_uint_eq(pa_of(VA + 0x123, ACC_READ | ACC_USER), PA1 + 0x123);
	ck_assert_ptr_eq(h.host, ram->host + PA1 + 0x123);
	ck_assert(h.plain);
	ck_assert_uint_eq(h.shift, 12);
	ck_assert_ptr_eq(hot(VA + 0x45, 8, TLB_R), ram->host + PA1 + 0x45);
	ck_assert_ptr_eq(hot(VA + 0xff8, 8, TLB_R), ram->host + PA1 + 0xff8);
	ck_assert_ptr_null(hot(VA + 0xff9, 8, TLB_R)); /* crosses the page */
	ck_assert_ptr_null(hot(VA, 8, TLB_W));
	ck_assert(get(VA, ACC_WRITE | ACC_USER) && h.plain);
	ck_assert_ptr_eq(hot(VA, 8, TLB_W), ram->host + PA1);
	ck_assert(!hot_fetch(VA, &pa));
	ck_assert(get(VA + 2, ACC_EXEC | ACC_USER) && h.plain && h.host == ram->host + PA1 + 2);
	ck_assert(hot_fetch(VA + 5, &pa));
	ck_assert_uint_eq(pa, PA1 + 5);
}
END_TEST

START_TEST(refusals_are_recorded)
{
	tables_map(&ht, VA, 1, PA1, P | U);
	ck_assert(!get(VA, ACC_WRITE | ACC_USER));
	ck_assert_uint_eq(w.why, WALK_READ_ONLY);
	ck_assert_uint_eq(w.error, 7);
	ck_assert_uint_eq(w.n, 4);
	ck_assert(!cached(0, 0, VA));
	ck_assert(!get(0x8000000000000000, ACC_READ));
	ck_assert_uint_eq(w.why, WALK_NON_CANONICAL);
}
END_TEST

START_TEST(classes_do_not_mix)
{
	tables_map(&ht, VA, 1, PA1, P | W);              /* supervisor */
	tables_map(&ht, VA + 0x1000, 1, PA2, P | W | U); /* user */
	t->env.p.smap = true;
	tlb_switch(t);
	tlb_set_class(t, TLB_SUPER);
	ck_assert(get(VA, ACC_READ));
	ck_assert_ptr_nonnull(hot(VA, 1, TLB_R));
	tlb_set_class(t, TLB_USER);
	ck_assert_ptr_null(hot(VA, 1, TLB_R));
	ck_assert(!get(VA, ACC_READ | ACC_USER));
	tlb_set_class(t, TLB_SUPER_AC);
	ck_assert(get(VA + 0x1000, ACC_READ | ACC_AC));
	ck_assert_ptr_nonnull(hot(VA + 0x1000, 1, TLB_R));
	tlb_set_class(t, TLB_SUPER);
	ck_assert_ptr_null(hot(VA + 0x1000, 1, TLB_R));
	ck_assert(!get(VA + 0x1000, ACC_READ));
	ck_assert_uint_eq(w.why, WALK_SMAP);
}
END_TEST

START_TEST(modes_do_not_mix)
{
	tables_map(&ht, VA, 1, PA1, P | U | D);
	t->env.p.wp = false;
	tlb_switch(t);
	ck_assert(get(VA, ACC_WRITE));
	ck_assert_ptr_nonnull(hot(VA, 1, TLB_W));
	t->env.p.wp = true;
	tlb_switch(t);
	ck_assert_ptr_null(hot(VA, 1, TLB_W));
	ck_assert(!get(VA, ACC_WRITE));
	t->env.p.wp = false;
	tlb_switch(t);
	ck_assert(get(VA, ACC_READ));
	t->env.p.smap = t->env.p.smep = true;
	tlb_switch(t);
	ck_assert_ptr_null(hot(VA, 1, TLB_R));
	ck_assert(!get(VA, ACC_READ));
	ck_assert(!get(VA, ACC_EXEC));
}
END_TEST

START_TEST(supervisor_fetch_takes_the_class_in_use)
{
	u64 pa;

	tables_map(&ht, VA, 1, PA1, P | W);
	tlb_set_class(t, TLB_SUPER_AC);
	ck_assert(get(VA, ACC_EXEC));
	ck_assert(hot_fetch(VA, &pa));
	tlb_set_class(t, TLB_SUPER);
	ck_assert(!hot_fetch(VA, &pa));
	ck_assert(get(VA, ACC_EXEC));
	ck_assert(hot_fetch(VA, &pa));
}
END_TEST

START_TEST(dirty_tracking)
{
	struct page_info *pi = space_page(&mem, PA1);

	tables_map(&ht, VA, 1, PA1, P | W | D);
	ck_assert(get(VA, ACC_READ));
	ck_assert_ptr_null(hot(VA, 1, TLB_W)); /* the page is clean */
	ck_assert_uint_eq(pi->dirty, 0);
	ck_assert(get(VA, ACC_WRITE));
	ck_assert_uint_eq(pi->dirty, 1);
	ck_assert_ptr_nonnull(hot(VA, 1, TLB_W));
	pi->dirty = 0;
	tlb_forget_hot(t);
	ck_assert_ptr_null(hot(VA, 1, TLB_R));
	ck_assert(cached(0, 0, VA));
	pi->dirty = 1;
	ck_assert(get(VA, ACC_READ));
	ck_assert_ptr_nonnull(hot(VA, 1, TLB_W)); /* already dirty: a read gives both */
}
END_TEST

START_TEST(guest_dirty_bit)
{
	tables_map(&ht, VA, 1, PA1, P | W);
	space_page(&mem, PA1)->dirty = 1;
	ck_assert(get(VA, ACC_READ));
	ck_assert_ptr_null(hot(VA, 1, TLB_W));
	ck_assert_uint_eq(tables_get(&ht, VA, 1), PA1 | P | W | A);
	/* the write walks again to set D, and sees a table that has changed meanwhile: APM2 5.5.3, D-bit updates */
	tables_map(&ht, VA, 1, PA2, P | W);
	ck_assert_uint_eq(pa_of(VA, ACC_READ), PA1);
	ck_assert_uint_eq(pa_of(VA, ACC_WRITE), PA2);
	ck_assert_uint_eq(tables_get(&ht, VA, 1), PA2 | P | W | A | D);
	ck_assert_uint_eq(pa_of(VA, ACC_READ), PA2);
	ck_assert_ptr_eq(hot(VA, 1, TLB_R), ram->host + PA2);
}
END_TEST

START_TEST(code_pages)
{
	struct page_info *pi = space_page(&mem, PA1);

	tables_map(&ht, VA, 1, PA1, P | W | D);
	tables_map(&ht, VA + 0x5000, 1, PA1, P | W | D);
	ck_assert(get(VA, ACC_WRITE) && get(VA + 0x5000, ACC_WRITE));
	pi->code = 1;
	tlb_protect_code(t, PA1 + 0x77);
	ck_assert(!hot(VA, 1, TLB_W) && !hot(VA + 0x5000, 1, TLB_W));
	ck_assert(hot(VA, 1, TLB_R) && hot(VA + 0x5000, 1, TLB_R));
	ck_assert(get(VA, ACC_WRITE) && !h.plain && h.host);
	ck_assert_ptr_null(hot(VA, 1, TLB_W));
	pi->code = 0;
	ck_assert(get(VA, ACC_WRITE) && h.plain);
}
END_TEST

static u64 dev_read(void *dev, u64 off, unsigned size)
{
	(void)dev;
	(void)off;
	(void)size;
	return 0;
}
static void dev_write(void *dev, u64 off, unsigned size, u64 val)
{
	(void)dev;
	(void)off;
	(void)size;
	(void)val;
}

START_TEST(devices_and_rom)
{
	static const struct region_ops ops = {"dev", dev_read, dev_write, NULL, 1, 8};
	struct region *rom = space_add_ram(&mem, "rom", 0xfffff000, 0x1000, true, &err), *dev;
	u64 pa;

	space_add_device(&mem, 0xfee00000, 0x400, &ops, NULL);
	tables_map(&ht, VA, 1, 0xfee00000, P | W | D);
	tables_map(&ht, VA + 0x1000, 1, 0xfffff000, P | W | D);
	tables_map(&ht, VA + 0x2000, 1, PA1, P | W | D);
	ck_assert_uint_eq(pa_of(VA + 8, ACC_READ), 0xfee00008);
	ck_assert(!h.host && !h.plain && !hot(VA, 1, TLB_R));
	ck_assert(get(VA, ACC_EXEC) && !h.host && !h.plain && !hot_fetch(VA, &pa));
	ck_assert(get(VA + 0x1000, ACC_READ) && h.plain && h.host == rom->host);
	ck_assert(get(VA + 0x1000, ACC_WRITE) && !h.plain && !h.host);
	ck_assert_ptr_null(hot(VA + 0x1000, 1, TLB_W));
	ck_assert(get(VA + 0x1000, ACC_EXEC) && h.plain);
	/* the map changes under a cached translation */
	ck_assert(get(VA + 0x2000, ACC_READ) && h.plain);
	dev = space_add_device(&mem, PA1 + 0x100, 16, &ops, NULL);
	tlb_forget_hot(t);
	ck_assert(get(VA + 0x2000, ACC_READ) && !h.plain && !h.host);
	region_enable(&mem, dev, false);
	ck_assert(get(VA + 0x2000, ACC_READ) && h.plain);
	ck_assert_ptr_nonnull(hot(VA + 0x2000, 1, TLB_R));
	region_enable(&mem, dev, true);
	ck_assert_ptr_null(hot(VA + 0x2000, 1, TLB_R));
}
END_TEST

START_TEST(watched_pages)
{
	u64 va = VA + 0x10;

	tables_map(&ht, VA, 1, PA1, P | W | D);
	tables_map(&ht, VA + 0x1000, 1, PA2, P | W | D);
	ck_assert(get(VA, ACC_READ) && h.plain);
	tlb_watch(t, &va, 1);
	ck_assert_ptr_null(hot(VA, 1, TLB_R));
	ck_assert(get(VA + 0x800, ACC_READ) && !h.plain && h.host);
	ck_assert(get(VA + 0x800, ACC_WRITE) && !h.plain);
	ck_assert(get(VA + 0x1000, ACC_WRITE) && h.plain);
	tlb_watch(t, NULL, 0);
	ck_assert(get(VA, ACC_WRITE) && h.plain);
}
END_TEST

START_TEST(a20)
{
	u64 pa;

	tables_map(&ht, VA, 1, 0x2100000, P | W);
	ck_assert_uint_eq(pa_of(VA, ACC_EXEC), 0x2100000);
	ck_assert(hot_fetch(VA, &pa));
	space_set_a20(&mem, false);
	ck_assert(!hot_fetch(VA, &pa));
	ck_assert_uint_eq(pa_of(VA, ACC_EXEC), 0x2000000);
	ck_assert(hot_fetch(VA, &pa) && pa == 0x2000000);
	space_set_a20(&mem, true);
	ck_assert_uint_eq(pa_of(VA, ACC_EXEC), 0x2100000);
}
END_TEST

START_TEST(paging_off)
{
	t->env.p = (struct paging){0};
	tlb_flush_asid(t, 0, false);
	tlb_switch(t);
	ck_assert_uint_eq(pa_of(0x12345678, ACC_WRITE), 0x12345678);
	ck_assert(h.plain && hot(0x12345678, 4, TLB_W));
	ck_assert_uint_eq(pa_of(0xfffffff0, ACC_EXEC), 0xfffffff0);
	ck_assert(!h.host);
	guest(3);
	t->env.p = (struct paging){0};
	tlb_flush_asid(t, 3, false);
	tlb_switch(t);
	ck_assert_uint_eq(pa_of(0x12345, ACC_WRITE), GUEST + 0x12345);
	ck_assert(!get(0x40000000, ACC_READ));
	ck_assert(w.nested_fault);
}
END_TEST

/* ---- stale translations and flushes ---- */

START_TEST(stale_until_flushed)
{
	tables_map(&ht, VA, 1, PA1, P | W | D);
	ck_assert_uint_eq(pa_of(VA, ACC_READ), PA1);
	ck_assert_uint_eq(pa_of(VA, ACC_EXEC), PA1);
	tables_map(&ht, VA, 1, PA2, P | W | D);
	tlb_forget_hot(t);
	ck_assert_uint_eq(pa_of(VA, ACC_READ), PA1);
	tables_put(&ht, VA, 1, 0);
	ck_assert_uint_eq(pa_of(VA, ACC_WRITE), PA1);
	ck_assert_uint_eq(pa_of(VA, ACC_EXEC), PA1);
	tlb_flush_page(t, 0, 0, VA + 5, true);
	ck_assert_ptr_null(hot(VA, 1, TLB_R));
	ck_assert(!get(VA, ACC_READ) && !get(VA, ACC_EXEC));
}
END_TEST

START_TEST(upgrades_are_seen)
{
	/* "Any cached entries are flushed and the walk is repeated": an upgrade needs no flush. APM2 5.5.3 */
	u64 flags[] = {P | U, P | W, P | W | U | NX};
	unsigned access[] = {ACC_WRITE | ACC_USER, ACC_READ | ACC_USER, ACC_EXEC | ACC_USER};

	for (unsigned i = 0; i < 3; i++) {
		tables_map(&ht, VA + i * PAGE_SIZE, 1, PA1, flags[i]);
		ck_assert(get(VA + i * PAGE_SIZE, ACC_READ));
		ck_assert(!get(VA + i * PAGE_SIZE, access[i]));
		ck_assert(get(VA + i * PAGE_SIZE, ACC_READ));
		tables_map(&ht, VA + i * PAGE_SIZE, 1, PA2, P | W | U);
		ck_assert_uint_eq(pa_of(VA + i * PAGE_SIZE, access[i]), PA2);
	}
	/* downgrades stay unseen */
	tables_map(&ht, VA, 1, PA2, P);
	ck_assert(get(VA, ACC_WRITE | ACC_USER));
}
END_TEST

START_TEST(a_refused_entry_is_dropped)
{
	tables_map(&ht, VA, 1, PA1, P | W | D);
	ck_assert(get(VA, ACC_READ));
	tables_put(&ht, VA, 1, 0);
	ck_assert(get(VA, ACC_READ)); /* stale */
	ck_assert(!get(VA, ACC_READ | ACC_USER));
	ck_assert_uint_eq(w.why, WALK_NOT_PRESENT);
	ck_assert_ptr_null(hot(VA, 1, TLB_R)); /* gone for the supervisor too */
	ck_assert(!get(VA, ACC_READ));
}
END_TEST

static void fill_four(void)
{
	/* local and global, 4 KB and 2 MB */
	for (u64 i = 0; i < 2; i++) {
		tables_map(&ht, VA + i * PAGE_SIZE, 1, PA1, P | W | D | (i ? G : 0));
		ck_assert(get(VA + i * PAGE_SIZE, ACC_READ) && get(VA + i * PAGE_SIZE, ACC_EXEC));
		tables_map(&ht, VA + (i + 1) * 0x200000, 2, 0x4000000, P | W | D | (i ? G : 0));
		ck_assert(get(VA + (i + 1) * 0x200000 + 0x54321, ACC_READ));
	}
}
static unsigned still(u32 asid, u32 pcid)
{
	return (unsigned)cached(asid, pcid, VA) | (unsigned)cached(asid, pcid, VA + PAGE_SIZE) << 1 |
	       (unsigned)cached(asid, pcid, VA + 0x200000) << 2 | (unsigned)cached(asid, pcid, VA + 0x400000) << 3;
}
enum { LOCAL = 1, GLOBAL = 2, LOCAL_2M = 4, GLOBAL_2M = 8, ALL = 15 };

START_TEST(flush_kinds)
{
	fill_four();
	ck_assert_uint_eq(still(0, 0), ALL);
	tlb_flush_pcid(t, 0, 0); /* MOV CR3 */
	ck_assert_uint_eq(still(0, 0), GLOBAL | GLOBAL_2M);
	ck_assert_ptr_null(hot(VA, 1, TLB_R));
	ck_assert_ptr_null(hot(VA + 0x200000 + 0x54000, 1, TLB_R));
	fill_four();
	tlb_flush_pcids(t, 0, true);
	ck_assert_uint_eq(still(0, 0), GLOBAL | GLOBAL_2M);
	fill_four();
	tlb_flush_pcids(t, 0, false);
	ck_assert_uint_eq(still(0, 0), 0);
	fill_four();
	tlb_flush_asid(t, 0, true);
	ck_assert_uint_eq(still(0, 0), GLOBAL | GLOBAL_2M);
	fill_four();
	tlb_flush_asid(t, 0, false);
	ck_assert_uint_eq(still(0, 0), 0);
	ck_assert_ptr_null(hot(VA + PAGE_SIZE, 1, TLB_R));
	fill_four();
	tlb_flush_everything(t);
	ck_assert_uint_eq(still(0, 0), 0);
	fill_four();
	tlb_flush_page(t, 0, 0, VA, true);
	ck_assert_uint_eq(still(0, 0), ALL & ~LOCAL);
	tlb_flush_page(t, 0, 0, VA + PAGE_SIZE, false); /* INVPCID type 0 spares globals */
	ck_assert_uint_eq(still(0, 0), ALL & ~LOCAL);
	tlb_flush_page(t, 0, 0, VA + PAGE_SIZE, true);
	ck_assert_uint_eq(still(0, 0), LOCAL_2M | GLOBAL_2M);
	ck_assert_ptr_nonnull(hot(VA + 0x200000 + 0x54000, 1, TLB_R));
	tlb_flush_page(t, 0, 0, VA + 0x200000, true); /* any address in the page */
	ck_assert_uint_eq(still(0, 0), GLOBAL_2M);
	ck_assert_ptr_null(hot(VA + 0x200000 + 0x54000, 1, TLB_R));
	tlb_flush_asid(t, 5, false); /* somebody else's */
	tlb_flush_pcid(t, 0, 7);
	ck_assert_uint_eq(still(0, 0), GLOBAL_2M);
}
END_TEST

START_TEST(asids_are_apart)
{
	guest(1);
	tables_map(&gt, VA, 1, 0x300000, P | W | D);
	ck_assert_uint_eq(pa_of(VA, ACC_READ), GUEST + 0x300000);
	guest(2);
	ck_assert(!cached(2, 0, VA));
	tables_map(&gt, VA, 1, 0x301000, P | W | D | G);
	ck_assert_uint_eq(pa_of(VA, ACC_READ), GUEST + 0x301000);
	host();
	tables_map(&ht, VA, 1, PA1, P | W | D);
	ck_assert_uint_eq(pa_of(VA, ACC_READ), PA1);
	ck_assert_ptr_eq(hot(VA, 1, TLB_R), ram->host + PA1);
	guest(1); /* no flush: its old translation is there, stale */
	ck_assert_ptr_null(hot(VA, 1, TLB_R));
	ck_assert_uint_eq(pa_of(VA, ACC_READ), GUEST + 0x300000);
	guest(2); /* globals are global in their ASID: APM2 15.25.7 */
	tlb_flush_pcid(t, 2, 0);
	ck_assert_uint_eq(pa_of(VA, ACC_READ), GUEST + 0x301000);
	tlb_flush_asid(t, 2, false);
	ck_assert(cached(1, 0, VA) && cached(0, 0, VA) && !cached(2, 0, VA));
	tlb_flush_page(t, 1, 0, VA, true); /* INVLPGA */
	ck_assert(!cached(1, 0, VA) && cached(0, 0, VA));
	tlb_flush_everything(t);
	ck_assert(!cached(0, 0, VA));
}
END_TEST

START_TEST(world_switch_keeps_the_hot_layer)
{
	guest(1);
	tables_map(&gt, VA, 1, 0x300000, P | W | D);
	tables_map(&ht, VA + 0x1000, 1, PA1, P | W | D);
	ck_assert(get(VA, ACC_READ));
	host();
	ck_assert(get(VA + 0x1000, ACC_READ));
	for (unsigned i = 0; i < 5000; i++) {
		guest(1);
		ck_assert_ptr_eq(hot(VA, 1, TLB_R), ram->host + GUEST + 0x300000);
		ck_assert_ptr_null(hot(VA + 0x1000, 1, TLB_R));
		host();
		ck_assert_ptr_eq(hot(VA + 0x1000, 1, TLB_R), ram->host + PA1);
		ck_assert_ptr_null(hot(VA, 1, TLB_R));
	}
}
END_TEST

START_TEST(pcids_are_apart)
{
	fill_four();
	t->pcid = 7;
	tlb_switch(t);
	ck_assert_uint_eq(still(0, 7), GLOBAL | GLOBAL_2M);
	ck_assert_ptr_null(hot(VA, 1, TLB_R));
	fill_four();
	ck_assert_uint_eq(still(0, 7), ALL);
	tlb_flush_pcid(t, 0, 7);
	ck_assert_uint_eq(still(0, 7), GLOBAL | GLOBAL_2M);
	ck_assert_uint_eq(still(0, 0), ALL);
	fill_four();
	tlb_flush_page(t, 0, 0, VA, true);
	ck_assert_uint_eq(still(0, 7), ALL);
	ck_assert_uint_eq(still(0, 0), ALL & ~LOCAL);
	tlb_flush_pcids(t, 0, true);
	ck_assert_uint_eq(still(0, 7), GLOBAL | GLOBAL_2M);
	ck_assert_uint_eq(still(0, 0), GLOBAL | GLOBAL_2M);
}
END_TEST

START_TEST(nested_translations_are_cached)
{
	guest(1);
	tables_map(&gt, VA, 1, 0x300000, P | W | D);
	ck_assert_uint_eq(pa_of(VA, ACC_READ), GUEST + 0x300000);
	/* the nested tables change, the guest flushes its own: the old nested translation stays. */
	tables_map(&nt, 0x300000, 1, GUEST + 0x380000, P | W | U);
	tlb_flush_pcid(t, 1, 0);
	ck_assert_uint_eq(pa_of(VA, ACC_READ), GUEST + 0x300000);
	tlb_flush_page(t, 1, 0, VA, true);
	ck_assert_uint_eq(pa_of(VA, ACC_READ), GUEST + 0x300000);
	tlb_flush_pcids(t, 1, false);
	tlb_flush_asid(t, 1, true);
	tlb_flush_asid(t, 2, false);
	ck_assert_uint_eq(pa_of(VA, ACC_READ), GUEST + 0x300000);
	tlb_flush_asid(t, 1, false);
	ck_assert_uint_eq(pa_of(VA, ACC_READ), GUEST + 0x380000);
	tables_map(&nt, 0x300000, 1, GUEST + 0x300000, P | W | U);
	tlb_flush_everything(t);
	ck_assert_uint_eq(pa_of(VA, ACC_READ), GUEST + 0x300000);
}
END_TEST

START_TEST(nested_upgrades_are_seen)
{
	guest(1);
	tables_map(&nt, 0x300000, 1, GUEST + 0x300000, P | U);
	tables_map(&gt, VA, 1, 0x300000, P | W | D);
	ck_assert(get(VA, ACC_READ));
	ck_assert(!get(VA, ACC_WRITE));
	ck_assert(w.nested_fault && w.exitinfo1 == (BIT(32) | 7));
	tables_map(&nt, 0x300000, 1, GUEST + 0x380000, P | U | W);
	ck_assert_uint_eq(pa_of(VA, ACC_WRITE), GUEST + 0x380000);
	ck_assert_uint_eq(tables_get(&nt, 0x300000, 1) & (A | D), A | D);
}
END_TEST

START_TEST(cached_nested_steps_are_marked)
{
	unsigned cached_steps = 0;

	guest(1);
	tables_map(&gt, VA, 1, 0x300000, P | W | D);
	ck_assert(get(VA, ACC_READ));
	ck_assert(!get(VA + 0x1000, ACC_READ)); /* same table page, no entry */
	ck_assert_uint_eq(w.why, WALK_NOT_PRESENT);
	for (unsigned i = 0; i < w.n; i++)
		cached_steps += w.step[i].cached;
	ck_assert_uint_eq(cached_steps, 4);
	ck_assert_uint_eq(w.refs, 4);
	/* the debugger's walk reads all and changes nothing */
	walk_x86(&t->env, VA, ACC_READ, false, &w);
	ck_assert_uint_eq(w.refs, 24);
}
END_TEST

START_TEST(eviction_is_inclusive)
{
	/* More pages than the sets hold, in every size: what is hot must be cached. */
	unsigned n = 4 * TLB_DATA_SETS * TLB_WAYS;

	for (unsigned i = 0; i < n; i++) {
		u64 va = VA + (u64)i * PAGE_SIZE * 3;

		tables_map(&ht, va, 1, PA1 + (u64)(i & 63) * PAGE_SIZE, P | W | D);
		ck_assert(get(va, ACC_READ));
		ck_assert(i % 3 || get(va, ACC_EXEC));
	}
	for (unsigned i = 0; i < TLB_SIZE; i++)
		if (t->d[i].tag[TLB_R] != TLB_NO_TAG)
			ck_assert(cached(0, 0, t->d[i].tag[TLB_R] & PAGE_MASK));
	for (unsigned i = 0; i < ITLB_SIZE; i++)
		if (t->i[i].tag[TLB_X] != TLB_NO_TAG)
			ck_assert(cached(0, 0, t->i[i].tag[TLB_X] & PAGE_MASK));
}
END_TEST

START_TEST(data_does_not_evict_fetches)
{
	u64 pa;

	tables_map(&ht, VA, 1, PA1, P | W | D);
	ck_assert(get(VA, ACC_EXEC));
	for (unsigned i = 1; i < 16384; i++) {
		tables_map(&ht, VA + (u64)i * PAGE_SIZE, 1, PA2, P | W | D);
		ck_assert(get(VA + (u64)i * PAGE_SIZE, ACC_READ));
	}
	ck_assert(hot_fetch(VA, &pa));
	tables_put(&ht, VA, 1, 0);
	ck_assert(get(VA, ACC_EXEC));
}
END_TEST

START_TEST(contexts_run_out)
{
	/* many address spaces: context numbers are used up and the hot layer starts anew */
	for (unsigned i = 0; i < 5000; i++) {
		u64 va = VA + (u64)(i & 3) * PAGE_SIZE;

		t->pcid = i % 3000;
		tlb_switch(t);
		tables_map(&ht, va, 1, PA1 + (u64)(i & 255) * PAGE_SIZE, P | W | D);
		tlb_flush_page(t, 0, t->pcid, va, false);
		ck_assert_ptr_null(hot(va, 1, TLB_R));
		ck_assert_uint_eq(pa_of(va, ACC_READ), PA1 + (u64)(i & 255) * PAGE_SIZE);
		ck_assert_ptr_nonnull(hot(va, 1, TLB_R));
	}
	for (unsigned i = 0; i < 5000; i++) {
		tlb_flush_pcid(t, 0, t->pcid);
		ck_assert_ptr_null(hot(VA, 1, TLB_R));
		ck_assert(get(VA, ACC_READ) && hot(VA, 1, TLB_R));
	}
}
END_TEST

START_TEST(generations_run_out)
{
	tables_map(&ht, VA, 1, PA1, P | W | D);
	t->arch.gen = 0xfffeffff;
	for (unsigned i = 0; i < 10; i++) {
		ck_assert_uint_eq(pa_of(VA, ACC_READ), PA1);
		tlb_flush_pcid(t, 0, 0);
		ck_assert(!cached(0, 0, VA));
	}
	ck_assert_uint_lt(t->arch.gen, 100);
}
END_TEST

/* ---- against the walker ---- */

static u64 seed = 12345;
static u64 rnd(u64 n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 33) % n;
}

/* Random tables of a random mode, random accesses, a flush before each: exactly the walker's answers, bits set
 * included. */
START_TEST(flushed_is_the_walker)
{
	static const unsigned accesses[] = {ACC_READ,
					    ACC_WRITE,
					    ACC_EXEC,
					    ACC_READ | ACC_AC,
					    ACC_READ | ACC_USER,
					    ACC_WRITE | ACC_USER,
					    ACC_EXEC | ACC_USER,
					    ACC_WRITE | ACC_AC};

	for (unsigned round = 0; round < 200; round++) {
		unsigned levels = 2 + (unsigned)rnd(4), nlevels = 2 + (unsigned)rnd(4);
		bool nested = rnd(2);
		u64 base = levels > 3 ? VA : VA & 0xffffffff;

		tables_init(&ht, &mem, levels, nested ? GUEST : 0, 0x100000);
		t->env.p = tables_paging(&ht);
		t->env.nested = nested;
		t->asid = nested;
		t->env.p.wp = rnd(2);
		t->env.p.smep = rnd(2);
		t->env.p.smap = rnd(2);
		if (nested) {
			tables_init(&nt, &mem, nlevels, 0, 0x800000);
			for (u64 gpa = 0x100000; gpa < 0x140000; gpa += PAGE_SIZE)
				tables_map(&nt, gpa, 1, GUEST + gpa, P | W | U | (rnd(8) ? A | D : 0));
			for (u64 gpa = 0x200000; gpa < 0x240000; gpa += PAGE_SIZE)
				tables_map(&nt, gpa, 1, PA1 + gpa,
					   (rnd(16) ? P : 0) | (rnd(8) ? W : 0) | (rnd(16) ? U : 0) | (rnd(2) ? D : 0));
			t->env.np = tables_paging(&nt);
		}
		for (u64 i = 0; i < 64; i++)
			tables_map(&ht, base + i * PAGE_SIZE, 1, 0x200000 + rnd(64) * PAGE_SIZE,
				   (rnd(16) ? P : 0) | (rnd(4) ? W : 0) | (rnd(4) ? U : 0) | (rnd(2) ? A : 0) |
					   (rnd(2) ? D : 0) | (rnd(4) ? 0 : G) | (levels > 2 && !rnd(4) ? NX : 0));
		tlb_switch(t);
		for (unsigned i = 0; i < 300; i++) {
			u64 va = base + rnd(64 * PAGE_SIZE);
			unsigned acc = accesses[rnd(8)];
			struct walk expect;
			struct walk_env env = t->env;

			env.ntlb = NULL;
			walk_x86(&env, va, acc, false, &expect);
			tlb_flush_asid(t, t->asid, false);
			if (tlb_translate(t, va, acc, &h, &w)) {
				ck_assert_uint_eq(expect.why, WALK_OK);
				ck_assert(h.pa == expect.pa && h.perm == expect.perm && h.shift == expect.shift);
			} else {
				ck_assert(w.why == expect.why && w.error == expect.error &&
					  w.exitinfo1 == expect.exitinfo1);
				ck_assert(w.gpa == expect.gpa && w.fail_level == expect.fail_level &&
					  w.fail_serves == expect.fail_serves);
			}
			walk_x86(&env, va, acc, false, &expect); /* all that had to be set is set */
			for (unsigned k = 0; k < expect.n; k++)
				ck_assert(!expect.step[k].set);
		}
	}
}
END_TEST

/* Does an array of the architectural layer hold the 4 KB page in a generation? */
static bool holds(const struct tlb_set *set, unsigned sets, u64 va, u32 gen)
{
	for (unsigned i = 0; i < sets; i++)
		for (unsigned k = 0; k < TLB_WAYS; k++)
			if (set[i].key[k] == va && set[i].gen[k] == gen)
				return true;
	return false;
}

/* A model of the rules: a list of what was filled tells exactly what is stale. Evictions are the TLB's right, but rare.
 */
START_TEST(stale_like_the_model)
{
	enum { PAGES = 48 };
	struct {
		u64 pa;
		bool valid, global;
	} model[2][3][PAGES]; /* data, fetch; PCID */
	u64 now[PAGES];
	unsigned evictions = 0, stale = 0;

	memset(model, 0, sizeof model);
	for (u64 i = 0; i < PAGES; i++)
		tables_map(&ht, VA + i * PAGE_SIZE, 1, now[i] = PA1 + i * PAGE_SIZE, P | W | D | A | (i & 1 ? G : 0));
	for (unsigned n = 0; n < 60000; n++) {
		u64 i = rnd(PAGES);
		u64 va = VA + i * PAGE_SIZE;
		bool global = i & 1;
		u32 pcid = (u32)rnd(3);

		switch (rnd(12)) {
		case 0:
			now[i] = PA1 + rnd(1024) * PAGE_SIZE;
			tables_map(&ht, va, 1, now[i], P | W | D | A | (global ? G : 0));
			break;
		case 1:
			t->pcid = pcid;
			tlb_switch(t);
			break;
		case 2: {
			bool with_global = rnd(2);

			tlb_flush_page(t, 0, pcid, va + rnd(4096), with_global);
			for (unsigned a = 0; a < 2; a++)
				for (unsigned c = 0; c < 3; c++)
					if (global ? with_global : c == pcid)
						model[a][c][i].valid = false;
			break;
		}
		case 3:
			if (rnd(20))
				break;
			tlb_flush_pcid(t, 0, pcid);
			for (unsigned k = 0; k < PAGES; k += 2)
				model[0][pcid][k].valid = model[1][pcid][k].valid = false;
			break;
		case 4: {
			bool keep = rnd(2);

			if (rnd(50))
				break;
			tlb_flush_asid(t, 0, keep);
			for (unsigned a = 0; a < 2; a++)
				for (unsigned c = 0; c < 3; c++)
					for (unsigned k = 0; k < PAGES; k++)
						model[a][c][k].valid &= keep && k & 1;
			break;
		}
		case 5:
			if (!rnd(20))
				tlb_forget_hot(t);
			break;
		default: {
			bool fetch = rnd(3) == 0;
			unsigned owner = global ? 0 : t->pcid;
			u32 gen = global ? t->cur_asid->global : t->cur_pcid->gen;
			bool held = fetch ? holds(t->arch.fetch, TLB_FETCH_SETS, va, gen)
					  : holds(t->arch.data, TLB_DATA_SETS, va, gen);

			ck_assert(!held || model[fetch][owner][i].valid);
			evictions += model[fetch][owner][i].valid && !held;
			model[fetch][owner][i].valid = held;
			stale += held && model[fetch][owner][i].pa != now[i];
			u64 expect = model[fetch][owner][i].valid ? model[fetch][owner][i].pa : now[i], pa = 0;
			void *host = hot(va, 8, TLB_R);

			if (!fetch && host) { /* a hot hit: the architectural layer must have it */
				ck_assert(model[0][owner][i].valid);
				ck_assert_ptr_eq(host, ram->host + expect);
			}
			if (fetch && hot_fetch(va, &pa)) {
				ck_assert(model[1][owner][i].valid);
				ck_assert_uint_eq(pa, expect);
			}
			ck_assert_uint_eq(pa_of(va, fetch ? ACC_EXEC : ACC_READ), expect);
			model[fetch][owner][i].valid = true;
			model[fetch][owner][i].pa = expect;
		}
		}
	}
	ck_assert_uint_lt(evictions, 600);
	ck_assert_uint_gt(stale, 6000);
}
END_TEST

/* The architectural content does not depend on what the hot layer answered. */
START_TEST(hot_hits_leave_no_trace)
{
	static u64 hash[2];

	for (unsigned pass = 0; pass < 2; pass++) {
		teardown();
		setup();
		seed = 99;
		for (u64 i = 0; i < 20000; i++)
			tables_map(&ht, VA + i * PAGE_SIZE, 1, PA1 + (i & 1023) * PAGE_SIZE, P | W);
		for (unsigned n = 0; n < 100000; n++) {
			u64 va = VA + rnd(n & 1 ? 20000 : 200) * PAGE_SIZE;
			bool write = rnd(2);

			if (pass && rnd(100) == 0)
				tlb_forget_hot(t);
			else if (!pass)
				rnd(100);
			if (pass || !hot(va, 8, write ? TLB_W : TLB_R))
				ck_assert(get(va, write ? ACC_WRITE : ACC_READ));
		}
		hash[pass] = field_hash(tlb_fields, tlb_fields_n, &t->arch, 0);
	}
	ck_assert_uint_eq(hash[0], hash[1]);
}
END_TEST

START_TEST(state_is_covered)
{
	struct tlb_arch saved;

	ck_assert_int_eq(field_gap(tlb_fields, tlb_fields_n, sizeof(struct tlb_arch)), -1);
	/* saved, wiped, loaded: the stale translation is still there */
	tables_map(&ht, VA, 1, PA1, P | W | D);
	ck_assert(get(VA, ACC_READ));
	tables_put(&ht, VA, 1, 0);
	saved = t->arch;
	tlb_flush_everything(t);
	ck_assert(!get(VA, ACC_READ));
	t->arch = saved;
	tlb_forget_hot(t);
	ck_assert_uint_eq(pa_of(VA, ACC_READ), PA1);
}
END_TEST

static void stamp(void *arg, struct event *e) { e->icount = *(u64 *)arg; }

START_TEST(events)
{
	static struct event_log log;
	u64 icount = 77;

	memset(&log, 0, sizeof log);
	t->log = &log;
	t->cpu_id = 3;
	t->stamp = stamp;
	t->stamp_arg = &icount;
	tables_map(&ht, VA, 1, PA1, P | W | D);
	ck_assert(get(VA, ACC_READ));
	tlb_flush_page(t, 0, 0, VA, true);
	ck_assert_uint_eq(log.count, 0);
	log.mask = BIT(EV_WALK) | BIT(EV_FLUSH);
	ck_assert(get(VA, ACC_WRITE));
	ck_assert_uint_eq(log.count, 1);
	ck_assert(log.ring[0].kind == EV_WALK && log.ring[0].a == ACC_WRITE && log.ring[0].b == VA &&
		  log.ring[0].c == PA1);
	ck_assert(log.ring[0].cpu == 3 && log.ring[0].icount == 77);
	ck_assert(get(VA, ACC_READ));
	ck_assert_uint_eq(log.count, 1);
	tlb_flush_page(t, 0, 0, VA, true);
	ck_assert(log.ring[1].kind == EV_FLUSH && log.ring[1].a == FLUSH_PAGE && log.ring[1].b == VA);
	tlb_flush_asid(t, 0, false);
	ck_assert(log.ring[2].kind == EV_FLUSH && log.ring[2].a == FLUSH_ASID && log.ring[2].b == 0);
	t->log = NULL;
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tlb");
	TCase *tc = tcase_create("tlb");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, answers);
	tcase_add_test(tc, refusals_are_recorded);
	tcase_add_test(tc, classes_do_not_mix);
	tcase_add_test(tc, modes_do_not_mix);
	tcase_add_test(tc, supervisor_fetch_takes_the_class_in_use);
	tcase_add_test(tc, dirty_tracking);
	tcase_add_test(tc, guest_dirty_bit);
	tcase_add_test(tc, code_pages);
	tcase_add_test(tc, devices_and_rom);
	tcase_add_test(tc, watched_pages);
	tcase_add_test(tc, a20);
	tcase_add_test(tc, paging_off);
	tcase_add_test(tc, stale_until_flushed);
	tcase_add_test(tc, upgrades_are_seen);
	tcase_add_test(tc, a_refused_entry_is_dropped);
	tcase_add_test(tc, flush_kinds);
	tcase_add_test(tc, asids_are_apart);
	tcase_add_test(tc, world_switch_keeps_the_hot_layer);
	tcase_add_test(tc, pcids_are_apart);
	tcase_add_test(tc, nested_translations_are_cached);
	tcase_add_test(tc, nested_upgrades_are_seen);
	tcase_add_test(tc, cached_nested_steps_are_marked);
	tcase_add_test(tc, eviction_is_inclusive);
	tcase_add_test(tc, data_does_not_evict_fetches);
	tcase_add_test(tc, contexts_run_out);
	tcase_add_test(tc, generations_run_out);
	tcase_add_test(tc, flushed_is_the_walker);
	tcase_add_test(tc, stale_like_the_model);
	tcase_add_test(tc, hot_hits_leave_no_trace);
	tcase_add_test(tc, state_is_covered);
	tcase_add_test(tc, events);
	suite_add_tcase(s, tc);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
