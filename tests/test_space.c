/* Physical address spaces: regions, overlap, splitting, dirty and code pages. */
#include <check.h>
#include <stdlib.h>

#include "mmu/space.h"

static struct space s;
static struct error err;

/* A device that remembers its last access and answers with its offset bytes. */
struct probe {
	u8 mem[64];
	unsigned reads, writes, last_size;
	u64 last_off;
};

static u64 probe_read(void *dev, u64 off, unsigned size)
{
	struct probe *p = dev;

	p->reads++;
	p->last_off = off;
	p->last_size = size;
	return load_le(p->mem + off, size);
}

static void probe_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct probe *p = dev;

	p->writes++;
	p->last_off = off;
	p->last_size = size;
	store_le(p->mem + off, size, val);
}

static u64 probe_peek(const void *dev, u64 off, unsigned size)
{
	return load_le(((const struct probe *)dev)->mem + off, size);
}

static const struct region_ops byte_ops = {"byte", probe_read, probe_write, probe_peek, 1, 1};
static const struct region_ops dword_ops = {"dword", probe_read, probe_write, probe_peek, 4, 4};
static const struct region_ops any_ops = {"any", probe_read, probe_write, probe_peek, 1, 8};
static const struct region_ops blind_ops = {"blind", probe_read, probe_write, NULL, 1, 8};

static struct probe probe_new(void)
{
	struct probe p = {0};

	for (unsigned i = 0; i < sizeof p.mem; i++)
		p.mem[i] = (u8)(i + 1);
	return p;
}

static unsigned hits, changes;
static u64 hit_pa;
static unsigned hit_size;

static void code_hit(void *owner, u64 pa, unsigned size)
{
	struct page_info *pi = space_page(owner, pa);

	hits++;
	hit_pa = pa;
	hit_size = size;
	pi->code = 0;
}
static void map_changed(void *owner)
{
	(void)owner;
	changes++;
}

static void memory(void)
{
	ck_assert(space_init(&s, "memory", 48, &err));
	hits = changes = 0;
	s.code_hit = code_hit;
	s.map_changed = map_changed;
	s.code_owner = &s;
}
static void ports(void) { ck_assert(space_init(&s, "ports", 16, &err)); }
static void done(void) { space_free(&s); }

START_TEST(ram_reads_back)
{
	ck_assert(space_add_ram(&s, "ram", 0, 16 << 20, false, &err));
	space_write(&s, 0x1000, 8, 0x8877665544332211);
	for (unsigned size = 1; size <= 8; size++)
		ck_assert_uint_eq(space_read(&s, 0x1000, size), 0x8877665544332211 & mask_low(size * 8));
	space_write(&s, 0x1001, 2, 0xaaaabbbb);
	ck_assert_uint_eq(space_read(&s, 0x1000, 8), 0x8877665544bbbb11);
	ck_assert_uint_eq(space_read(&s, 0, 8), 0);
}
END_TEST

START_TEST(accesses_cross_pages)
{
	struct region *a = space_add_ram(&s, "a", 0, 0x2000, false, &err),
		      *b = space_add_ram(&s, "b", 0x2000, 0x1000, false, &err);

	ck_assert(a && b && a->host + 0x2000 != b->host);
	for (u64 pa = 0xff9; pa < 0x1000; pa++) {
		space_write(&s, pa, 8, 0x0807060504030201);
		ck_assert_uint_eq(space_read(&s, pa, 8), 0x0807060504030201);
	}
	space_write(&s, 0x1ffd, 8, 0x1122334455667788);
	ck_assert_uint_eq(space_read(&s, 0x1ffd, 8), 0x1122334455667788);
	ck_assert_uint_eq(b->host[0], 0x55);
	/* the end of memory: the rest is nobody's */
	space_write(&s, 0x2ffc, 8, 0x1122334455667788);
	ck_assert_uint_eq(space_read(&s, 0x2ffc, 8), 0xffffffff55667788);
}
END_TEST

START_TEST(nobody_reads_all_ones)
{
	for (unsigned size = 1; size <= 8; size++)
		ck_assert_uint_eq(space_read(&s, 0x12345678, size), mask_low(size * 8));
	space_write(&s, 0x12345678, 4, 1);
	ck_assert_uint_eq(space_read(&s, BIT(41), 4), 0xffffffff);
	ck_assert_uint_eq(space_read(&s, BIT(60), 4), 0xffffffff);
	ck_assert_uint_eq(space_read(&s, ~0ull, 8), ~0ull);
	ck_assert_ptr_null(space_find(&s, 0));
	ck_assert_ptr_null(space_host(&s, 0, false));
	ck_assert_ptr_null(space_page(&s, 0));
}
END_TEST

START_TEST(rom_swallows_writes)
{
	struct region *r = space_add_ram(&s, "rom", 0xfffc0000, 0x40000, true, &err);

	r->host[0x10] = 0x5a;
	space_write(&s, 0xfffc0010, 1, 0);
	ck_assert_uint_eq(space_read(&s, 0xfffc0010, 1), 0x5a);
	ck_assert_ptr_null(space_host(&s, 0xfffc0010, true));
	ck_assert_ptr_eq(space_host(&s, 0xfffc0010, false), r->host + 0x10);
	ck_assert(space_poke(&s, 0xfffc0010, 2, 0x1234));
	ck_assert_uint_eq(space_read(&s, 0xfffc0010, 2), 0x1234);
	space_write_bytes(&s, 0xfffc0010, "xy", 2);
	ck_assert_uint_eq(space_read(&s, 0xfffc0010, 2), 0x1234);
}
END_TEST

START_TEST(later_regions_win)
{
	struct probe p = probe_new();
	struct region *ram = space_add_ram(&s, "ram", 0, 1 << 20, false, &err), *d;

	space_write(&s, 0xa0000, 1, 7);
	d = space_add_device(&s, 0xa0000, 0x20000, &any_ops, &p);
	ck_assert_ptr_eq(space_find(&s, 0xa0000), d);
	ck_assert_uint_eq(space_read(&s, 0xa0000, 1), 1);
	ck_assert_ptr_null(space_host(&s, 0xa0000, false));
	ck_assert_ptr_eq(space_find(&s, 0x9ffff), ram);
	ck_assert_ptr_eq(space_find(&s, 0xc0000), ram);
	changes = 0;
	region_enable(&s, d, false);
	ck_assert_uint_eq(changes, 1);
	ck_assert_uint_eq(space_read(&s, 0xa0000, 1), 7);
	region_enable(&s, d, true);
	region_move(&s, d, 0xb0000);
	ck_assert_uint_eq(changes, 3);
	ck_assert_uint_eq(space_read(&s, 0xa0000, 1), 7);
	ck_assert_ptr_eq(space_find(&s, 0xb0000), d);
	ck_assert_ptr_eq(space_find(&s, 0xcffff), d);
	ck_assert_ptr_eq(space_find(&s, 0xd0000), ram);
}
END_TEST

START_TEST(pages_are_shared)
{
	struct probe p = probe_new(), q = probe_new();
	struct region *ram = space_add_ram(&s, "ram", 0xfed00000, 0x2000, false, &err), *a, *b;

	a = space_add_device(&s, 0xfed00000, 0x400, &any_ops, &p);
	b = space_add_device(&s, 0xfed00800, 0x10, &any_ops, &q);
	ck_assert_ptr_eq(space_find(&s, 0xfed00000), a);
	ck_assert_ptr_eq(space_find(&s, 0xfed003ff), a);
	ck_assert_ptr_eq(space_find(&s, 0xfed00400), ram);
	ck_assert_ptr_eq(space_find(&s, 0xfed00808), b);
	ck_assert_ptr_eq(space_find(&s, 0xfed00810), ram);
	/* no host pointer into a page that is not all RAM */
	ck_assert_ptr_null(space_host(&s, 0xfed00900, false));
	ck_assert_ptr_nonnull(space_host(&s, 0xfed01000, false));
	space_write(&s, 0xfed00900, 4, 0x12345678);
	ck_assert_uint_eq(space_read(&s, 0xfed00900, 4), 0x12345678);
	/* an access beyond the device's end is split there */
	ck_assert_uint_eq(space_read(&s, 0xfed0080c, 8), 0x100f0e0d);
	ck_assert_uint_eq(q.last_size, 4);
}
END_TEST

START_TEST(high_memory)
{
	struct region *lo = space_add_ram(&s, "lo", 0, 3ull << 30, false, &err);
	struct region *hi = space_add_ram(&s, "hi", 4ull << 30, 61ull << 30, false, &err);
	struct probe p = probe_new();
	struct region *d = space_add_device(&s, (70ull << 30) + 0x1000, 0x1000, &any_ops, &p);

	ck_assert(lo && hi && d);
	space_write(&s, (3ull << 30) - 4, 8, 0x1122334455667788);
	ck_assert_uint_eq(space_read(&s, (3ull << 30) - 4, 4), 0x55667788);
	space_write(&s, (65ull << 30) - 8, 8, 42);
	ck_assert_uint_eq(space_read(&s, (65ull << 30) - 8, 8), 42);
	ck_assert_uint_eq(load_le(hi->host + hi->size - 8, 8), 42);
	ck_assert_ptr_null(space_find(&s, 65ull << 30));
	ck_assert_ptr_eq(space_find(&s, (70ull << 30) + 0x1000), d);
	ck_assert_ptr_null(space_find(&s, (70ull << 30) + 0x2000));
	region_move(&s, d, BIT(45));
	ck_assert_ptr_eq(space_find(&s, BIT(45) + 8), d);
	ck_assert_ptr_null(space_find(&s, BIT(45) + 0x1000));
}
END_TEST

START_TEST(bad_ram_is_refused)
{
	ck_assert_ptr_null(space_add_ram(&s, "odd", 0x800, 0x1000, false, &err));
	ck_assert_ptr_nonnull(strstr(err.msg, "odd"));
	ck_assert_ptr_null(space_add_ram(&s, "huge", 0, 1ull << 40, false, &err));
	ck_assert_ptr_nonnull(strstr(err.msg, "64 GB"));
}
END_TEST

START_TEST(a20_gate)
{
	space_add_ram(&s, "ram", 0, 4 << 20, false, &err);
	space_write(&s, 0x10, 1, 1);
	space_write(&s, 0x100010, 1, 2);
	changes = 0;
	space_set_a20(&s, false);
	ck_assert_uint_eq(changes, 1);
	ck_assert_uint_eq(space_read(&s, 0x100010, 1), 1);
	ck_assert_uint_eq(space_read(&s, 0xfffff, 2), (space_read(&s, 0, 1) << 8) | space_read(&s, 0xfffff, 1));
	ck_assert_ptr_eq(space_host(&s, 0x300000, false), space_host(&s, 0x200000, false));
	space_set_a20(&s, true);
	space_set_a20(&s, true);
	ck_assert_uint_eq(changes, 2);
	ck_assert_uint_eq(space_read(&s, 0x100010, 1), 2);
}
END_TEST

START_TEST(stores_make_dirty)
{
	space_add_ram(&s, "ram", 0, 0x4000, false, &err);
	ck_assert_uint_eq(space_page(&s, 0x1000)->dirty, 0);
	space_read(&s, 0x1000, 4);
	ck_assert_uint_eq(space_page(&s, 0x1000)->dirty, 0);
	space_write(&s, 0x1fff, 2, 0);
	ck_assert_uint_eq(space_page(&s, 0x1000)->dirty, 1);
	ck_assert_uint_eq(space_page(&s, 0x2000)->dirty, 1);
	ck_assert_uint_eq(space_page(&s, 0x3000)->dirty, 0);
	space_write_bytes(&s, 0x3ffe, "abc", 3);
	ck_assert_uint_eq(space_page(&s, 0x3000)->dirty, 1);
}
END_TEST

START_TEST(code_lines_are_exact)
{
	space_add_ram(&s, "ram", 0, 0x4000, false, &err);
	for (unsigned line = 0; line < 64; line++)
		for (unsigned at = 0; at < 4096; at += 7)
			for (unsigned size = 1; size <= 8; size <<= 1) {
				bool meets = at / 64 <= line && (at + size - 1) / 64 >= line;

				if (at + size > 4096)
					continue;
				space_page(&s, 0x1000)->code = BIT(line);
				hits = 0;
				space_write(&s, 0x1000 + at, size, 0);
				ck_assert_uint_eq(hits, meets);
				if (meets) {
					ck_assert_uint_eq(hit_pa, 0x1000 + at);
					ck_assert_uint_eq(hit_size, size);
				}
			}
	space_page(&s, 0x1000)->code = BIT(63);
	hits = 0;
	space_write_bytes(&s, 0x0fff, (u8[4096]){0}, 0xfc1);
	ck_assert_uint_eq(hits, 0);
	space_write_bytes(&s, 0x0fff, (u8[4096]){0}, 0xfc2);
	ck_assert_uint_eq(hits, 1);
	space_page(&s, 0x1000)->code = 1;
	ck_assert(space_poke(&s, 0x1000, 1, 0xcc));
	ck_assert_uint_eq(hits, 2);
}
END_TEST

START_TEST(code_leaves_with_its_region)
{
	struct region *ram = space_add_ram(&s, "ram", 0, 0x4000, false, &err);
	struct probe p = probe_new();
	struct region *d = space_add_device(&s, 0x2000, 0x1000, &any_ops, &p);

	region_enable(&s, d, false);
	space_page(&s, 0x2000)->code = 1;
	hits = 0;
	region_enable(&s, d, true); /* the device hides the page that held code */
	ck_assert_uint_eq(hits, 1);
	ck_assert_uint_eq(hit_pa, 0x2000);
	space_page(&s, 0x1000)->code = 1;
	region_move(&s, ram, 0x100000);
	ck_assert_uint_eq(hits, 2);
}
END_TEST

/* The same memory at two addresses: code is known by the first one's, and dirty pages are dirty in both. */
START_TEST(mirrors)
{
	struct region *ram = space_add_ram(&s, "mirrored", 0x80000000, 0x4000, false, &err), *low;

	ck_assert_ptr_nonnull(ram);
	low = space_add_mirror(&s, "low", 0x40000000, 0x2000, ram);
	ck_assert_ptr_nonnull(low);
	space_write(&s, 0x40001004, 4, 0x12345678);
	ck_assert_uint_eq(space_read(&s, 0x80001004, 4), 0x12345678);
	ck_assert_ptr_eq(space_host(&s, 0x40001000, true), space_host(&s, 0x80001000, true));
	ck_assert(space_page(&s, 0x80001000)->dirty);
	ck_assert_uint_eq(space_origin(&s, 0x40001004), 0x80001004);
	ck_assert_uint_eq(space_origin(&s, 0x80001004), 0x80001004);
	space_page(&s, 0x80001000)->code = 1;
	hits = 0;
	space_write(&s, 0x40001008, 2, 1);
	ck_assert_uint_eq(hits, 1);
	ck_assert_uint_eq(hit_pa, 0x80001008);
	changes = 0;
	space_page(&s, 0x80001000)->code = 1;
	region_enable(&s, low, false);
	ck_assert_uint_eq(changes, 1);
	ck_assert_uint_eq(hits, 2);
	ck_assert_uint_eq(hit_pa, 0x80001000);
	ck_assert_uint_eq(space_read(&s, 0x40001004, 4), 0xffffffff);
}
END_TEST

/* Loads find memory or the device, stores always the device; a mirror goes with it. */
START_TEST(rom_devices)
{
	struct probe p = probe_new();
	struct region *r = space_add_rom_device(&s, 0x80000000, 0x1000, &any_ops, &p, &err);

	ck_assert_ptr_nonnull(r);
	ck_assert_ptr_nonnull(space_add_mirror(&s, "again", 0x40000000, 0x1000, r));
	r->host[4] = 0x77;
	ck_assert_uint_eq(space_read(&s, 0x40000004, 1), 0x77);
	ck_assert_uint_eq(p.reads, 0);
	space_write(&s, 0x40000008, 4, 0xabcd);
	ck_assert_uint_eq(p.writes, 1);
	ck_assert_uint_eq(p.last_off, 8);
	ck_assert_uint_eq(r->host[8], 0);
	changes = 0;
	region_readable(&s, r, false);
	ck_assert_uint_eq(changes, 1);
	ck_assert_ptr_null(space_host(&s, 0x80000000, false));
	ck_assert_ptr_null(space_page(&s, 0x40000000));
	ck_assert_uint_eq(space_read(&s, 0x40000008, 4), 0xabcd);
	ck_assert_uint_eq(p.reads, 1);
	region_readable(&s, r, true);
	ck_assert_uint_eq(space_read(&s, 0x80000004, 1), 0x77);
}
END_TEST

START_TEST(bulk_copies)
{
	struct probe p = probe_new();
	u8 buf[0x3000], back[0x3000];

	space_add_ram(&s, "a", 0, 0x1000, false, &err);
	space_add_ram(&s, "b", 0x1000, 0x3000, false, &err);
	for (unsigned i = 0; i < sizeof buf; i++)
		buf[i] = (u8)(i * 37);
	space_write_bytes(&s, 0x123, buf, sizeof buf);
	space_read_bytes(&s, 0x123, back, sizeof back);
	ck_assert_mem_eq(buf, back, sizeof buf);
	space_add_device(&s, 0x4000, 64, &byte_ops, &p);
	space_read_bytes(&s, 0x3ffe, back, 6);
	ck_assert_mem_eq(back + 2, "\1\2\3\4", 4);
	space_write_bytes(&s, 0x3fff, "abc", 3);
	ck_assert_mem_eq(p.mem, "bc\3", 3);
}
END_TEST

START_TEST(narrow_devices_get_pieces)
{
	struct probe p = probe_new();

	space_add_device(&s, 0x70, 16, &byte_ops, &p);
	ck_assert_uint_eq(space_read(&s, 0x70, 4), 0x04030201);
	ck_assert_uint_eq(p.reads, 4);
	space_write(&s, 0x72, 2, 0xbbaa);
	ck_assert_uint_eq(p.writes, 2);
	ck_assert_uint_eq(p.last_off, 3);
	ck_assert_mem_eq(p.mem, "\1\2\xaa\xbb\5", 5);
}
END_TEST

START_TEST(wide_devices_get_whole_words)
{
	struct probe p = probe_new();

	space_add_device(&s, 0xcf8, 8, &dword_ops, &p);
	ck_assert_uint_eq(space_read(&s, 0xcf9, 1), 2);
	ck_assert_uint_eq(p.last_off, 0);
	ck_assert_uint_eq(p.last_size, 4);
	ck_assert_uint_eq(space_read(&s, 0xcfa, 2), 0x0403);
	space_write(&s, 0xcfd, 1, 0xee); /* keeps the neighbours that peek shows */
	ck_assert_uint_eq(p.last_off, 4);
	ck_assert_mem_eq(p.mem + 4, "\5\xee\7\x8", 4);
	ck_assert_uint_eq(space_read(&s, 0xcf8, 8), 0x0807ee0504030201);
}
END_TEST

START_TEST(unaligned_accesses_are_split)
{
	struct probe p = probe_new();

	space_add_device(&s, 0x100, 32, &any_ops, &p);
	ck_assert_uint_eq(space_read(&s, 0x101, 4), 0x05040302);
	ck_assert_uint_eq(p.reads, 3); /* 1 + 2 + 1 */
	ck_assert_uint_eq(space_read(&s, 0x108, 8), 0x100f0e0d0c0b0a09);
	ck_assert_uint_eq(p.reads, 4);
}
END_TEST

START_TEST(ports_overlap)
{
	struct probe p = probe_new(), q = probe_new();

	space_add_device(&s, 0xcf8, 8, &any_ops, &p);
	space_add_device(&s, 0xcf9, 1, &byte_ops, &q);
	ck_assert_uint_eq(space_read(&s, 0xcf8, 4), 0x04030201); /* the first byte's region takes it whole */
	ck_assert_uint_eq(p.reads, 1);
	ck_assert_uint_eq(q.reads, 0);
	space_write(&s, 0xcf9, 1, 6);
	ck_assert_uint_eq(q.writes, 1);
	ck_assert_uint_eq(space_read(&s, 0xffff, 4), 0xffffffff);
	space_add_device(&s, 0xffff, 1, &byte_ops, &q);
	ck_assert_uint_eq(space_read(&s, 0xffff, 4), 0xffffff06);
	space_add_device(&s, 0, 65536, &any_ops, &p);
	ck_assert_ptr_eq(space_find(&s, 0xcf9)->dev, &p);
}
END_TEST

START_TEST(peeks_disturb_nothing)
{
	struct probe p = probe_new(), q = probe_new();

	space_add_device(&s, 0x100, 32, &any_ops, &p);
	space_add_device(&s, 0x200, 32, &blind_ops, &q);
	ck_assert_uint_eq(space_peek(&s, 0x104, 4), 0x08070605);
	ck_assert_uint_eq(space_peek(&s, 0x204, 4), 0xffffffff);
	ck_assert_uint_eq(p.reads + q.reads, 0);
	ck_assert(!space_poke(&s, 0x104, 4, 0));
	ck_assert_uint_eq(p.writes, 0);
}
END_TEST

static u64 spied[4];
static void spy(void *arg, u64 pa, unsigned size, bool write, u64 val)
{
	(void)arg;
	spied[0] = pa;
	spied[1] = size;
	spied[2] = write;
	spied[3] = val;
}

START_TEST(the_spy_sees_accesses)
{
	struct probe p = probe_new();

	space_add_device(&s, 0x100, 32, &any_ops, &p);
	s.spy = spy;
	space_write(&s, 0x104, 2, 0xbeef);
	ck_assert(spied[0] == 0x104 && spied[1] == 2 && spied[2] && spied[3] == 0xbeef);
	space_read(&s, 0x104, 2);
	ck_assert(!spied[2] && spied[3] == 0xbeef);
	space_read(&s, 0x300, 1);
	ck_assert(spied[0] == 0x300 && spied[3] == 0xff);
}
END_TEST

START_TEST(regions_run_out)
{
	struct probe p = probe_new();

	for (unsigned i = 0; i < SPACE_REGIONS; i++)
		ck_assert_ptr_nonnull(space_add_device(&s, i * 8, 8, &any_ops, &p));
	ck_assert_ptr_null(space_add_device(&s, 0x4000, 8, &any_ops, &p));
	ck_assert_ptr_eq(space_find(&s, 127 * 8), &s.region[127]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("space");
	TCase *m = tcase_create("memory"), *io = tcase_create("ports");
	SRunner *r = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(m, memory, done);
	tcase_add_test(m, ram_reads_back);
	tcase_add_test(m, accesses_cross_pages);
	tcase_add_test(m, nobody_reads_all_ones);
	tcase_add_test(m, rom_swallows_writes);
	tcase_add_test(m, later_regions_win);
	tcase_add_test(m, pages_are_shared);
	tcase_add_test(m, high_memory);
	tcase_add_test(m, bad_ram_is_refused);
	tcase_add_test(m, a20_gate);
	tcase_add_test(m, stores_make_dirty);
	tcase_add_test(m, code_lines_are_exact);
	tcase_add_test(m, code_leaves_with_its_region);
	tcase_add_test(m, bulk_copies);
	tcase_add_test(m, mirrors);
	tcase_add_test(m, rom_devices);
	tcase_add_checked_fixture(io, ports, done);
	tcase_add_test(io, narrow_devices_get_pieces);
	tcase_add_test(io, wide_devices_get_whole_words);
	tcase_add_test(io, unaligned_accesses_are_split);
	tcase_add_test(io, ports_overlap);
	tcase_add_test(io, peeks_disturb_nothing);
	tcase_add_test(io, the_spy_sees_accesses);
	tcase_add_test(io, regions_run_out);
	suite_add_tcase(suite, m);
	suite_add_tcase(suite, io);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
