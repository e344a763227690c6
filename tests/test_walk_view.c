/*
 * Walks laid out for readers: which cells there are, what stands in them, what is said, in every mode and with pages of
 * every size; the drawing, escaping, counts by way of translation. APM2 ch. 5, 15.25.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "debug/walk_draw.h"
#include "debug/walk_html.h"
#include "debug/walk_json.h"
#include "debug/walk_look.h"
#include "debug/walk_svg.h"
#include "debug/walk_term.h"
#include "page_tables.h"

static struct space mem;
static struct error err;
static struct walk_env env;
static struct tables t, nt;
static struct walk_shot shot;
static struct walk_view v;
static struct walk_drawing drawing;

#define VA    0x123456789123ull
#define VA32  0x89abc123ull
#define GUEST 0x10000000ull

static void setup(void)
{
	ck_assert(space_init(&mem, "memory", 52, &err));
	ck_assert_ptr_nonnull(space_add_ram(&mem, "ram", 0, 1ull << 30, false, &err));
	env = (struct walk_env){.mem = &mem};
	memset(&shot, 0, sizeof shot);
}
static void teardown(void) { space_free(&mem); }

static void native(unsigned levels)
{
	env.nested = false;
	tables_init(&t, &mem, levels, 0, 0x100000);
	env.p = tables_paging(&t);
}

static void nested(unsigned nlevels, unsigned npage, unsigned levels)
{
	tables_init(&nt, &mem, nlevels, 0, 0x100000);
	for (u64 gpa = 0; gpa < 16 << 20;) {
		unsigned shift = 12 + (npage - 1) * tables_ibits(&nt);

		tables_map(&nt, gpa, npage, (npage > 2 ? 0 : GUEST) + gpa, P | W | U | A | D);
		gpa += 1ull << shift;
	}
	env.np = tables_paging(&nt);
	env.nested = true;
	tables_init(&t, &mem, levels, npage > 2 ? 0 : GUEST, 0x800000);
	env.p = tables_paging(&t);
	if (!levels)
		env.p = (struct paging){0};
}

static void see(u64 va, unsigned access)
{
	shot.p = env.p;
	shot.np = env.np;
	shot.nested = env.nested;
	shot.guest = env.nested;
	shot.access = (u8)access;
	walk_x86(&env, va, access, false, &shot.walk);
	shot.cold = shot.walk;
	walk_view_build(&v, &shot);
}

static unsigned cells(enum walk_cell_state s)
{
	unsigned n = 0;

	for (unsigned r = 0; r < v.rows; r++)
		for (unsigned c = 0; c < v.columns; c++)
			n += v.row[r].cell[c].state == s;
	return n;
}

static const char *said(void (*say)(struct text *, const struct walk_view *))
{
	static char buf[1024];
	struct text out;

	text_init_buffer(&out, buf, sizeof buf);
	say(&out, &v);
	return buf;
}

static void says(void (*say)(struct text *, const struct walk_view *), const char *what)
{
	if (!strstr(said(say), what))
		ck_abort_msg("no '%s' in '%s'", what, said(say));
}

/* Each step of the walk stands in its cell, numbered in order. */
static void all_placed(void)
{
	unsigned ref = 0;

	ck_assert_uint_eq(v.refs, shot.walk.refs);
	for (unsigned i = 0; i < shot.walk.n; i++) {
		const struct walk_step *s = &shot.walk.step[i];
		const struct walk_cell *c;

		if (s->cached)
			continue;
		c = v.order[ref++];
		ck_assert_uint_eq(c->ref, ref);
		ck_assert_uint_eq(c->pa, s->pa);
		ck_assert_uint_eq(c->val, s->val);
		ck_assert_uint_eq(c->level, s->level);
		ck_assert_uint_eq(c->dim, s->dim);
		/* the index bits are those of the address */
		ck_assert_uint_eq(c->index, (s->pa & 0xfff) / v.form[s->dim].size & mask_low(c->hi - c->lo + 1u));
	}
	ck_assert_uint_eq(cells(CELL_READ), ref);
}

/* ---- shapes ---- */

START_TEST(two_dimensions)
{
	static const struct {
		unsigned nlevels, npage, levels, page, refs;
	} cases[] = {
		{4, 1, 4, 1, 24}, {5, 1, 5, 1, 35}, {4, 2, 4, 1, 19}, {4, 2, 4, 2, 15},
		{4, 3, 4, 3, 8},  {4, 1, 0, 1, 4},  {4, 1, 4, 2, 19}, {5, 1, 4, 1, 29},
		{4, 1, 5, 1, 29}, {4, 1, 3, 1, 19}, {4, 1, 2, 1, 14}, {4, 1, 2, 2, 9},
		{3, 1, 4, 1, 19}, {2, 1, 2, 1, 8},  {2, 2, 4, 1, 9},  {3, 2, 3, 1, 11},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned levels = cases[i].levels;
		u64 va = levels > 3 ? VA : levels ? VA32 : 0x5000;
		char want[40];

		nested(cases[i].nlevels, cases[i].npage, levels);
		if (levels)
			tables_map(&t, va, cases[i].page, 0, P | W | U);
		see(va, ACC_READ);
		ck_assert_uint_eq(shot.walk.why, WALK_OK);
		all_placed();
		ck_assert_uint_eq(v.refs, cases[i].refs);
		ck_assert_uint_eq(v.rows, levels + 1);
		ck_assert_uint_eq(v.columns, cases[i].nlevels + 1);
		ck_assert_uint_eq(cells(CELL_DATA), 1);
		ck_assert_uint_eq(cells(CELL_UNREACHED), 0);
		ck_assert_uint_eq(cells(CELL_ABSENT) + cells(CELL_READ) + 1, v.rows * v.columns);
		snprintf(want, sizeof want, "- 1 = %u", cases[i].refs);
		says(walk_say_count, want);
		walk_draw(&drawing, &v);
		ck_assert_uint_lt(drawing.n, WALK_SHAPES - 1);
	}
}
END_TEST

START_TEST(one_dimension)
{
	for (unsigned levels = 2; levels <= 5; levels++)
		for (unsigned page = 1; page <= (levels > 3 ? 3u : 2u); page++) {
			u64 va = levels > 3 ? VA : VA32;

			native(levels);
			tables_map(&t, va, page, 0, P | W | U);
			see(va, ACC_READ);
			ck_assert_uint_eq(shot.walk.why, WALK_OK);
			all_placed();
			ck_assert_uint_eq(v.rows, levels + 1);
			ck_assert_uint_eq(v.columns, 1);
			ck_assert_uint_eq(cells(CELL_ABSENT), page - 1);
			ck_assert_uint_eq(v.refs, levels + 1 - page);
			ck_assert_str_eq(v.form[0].root, "CR3");
		}
}
END_TEST

START_TEST(no_paging)
{
	env.p = (struct paging){0};
	see(0x7c00, ACC_EXEC);
	ck_assert_uint_eq(v.rows, 1);
	ck_assert_uint_eq(v.columns, 1);
	ck_assert_uint_eq(v.row[0].cell[0].state, CELL_DATA);
	ck_assert_uint_eq(v.row[0].cell[0].pa, 0x7c00);
	ck_assert_str_eq(said(walk_say_count), "0 references");
	says(walk_say_merge, "no paging in the first dimension");
}
END_TEST

START_TEST(pdpe_registers)
{
	native(3);
	tables_map(&t, VA32, 1, 0xabc000, P | W | U);
	env.p.use_pdpte = true;
	env.p.pdpte[2] = tables_get(&t, VA32, 3);
	see(VA32, ACC_READ);
	ck_assert_uint_eq(cells(CELL_REGISTER), 1);
	ck_assert_uint_eq(v.row[0].cell[0].state, CELL_REGISTER);
	ck_assert_uint_eq(v.row[0].cell[0].index, 2);
	ck_assert_uint_eq(v.refs, 2);
}
END_TEST

START_TEST(physical)
{
	nested(4, 1, 4);
	shot.p = env.p;
	shot.np = env.np;
	shot.nested = shot.guest = shot.physical = true;
	walk_nested(&env, 0x5123, ACC_USER, false, &shot.walk);
	shot.cold = shot.walk;
	walk_view_build(&v, &shot);
	ck_assert_uint_eq(v.rows, 1);
	ck_assert_uint_eq(v.columns, 5);
	all_placed();
	ck_assert_uint_eq(v.row[0].gpa, 0x5123);
	ck_assert_uint_eq(v.row[0].cell[0].pa, GUEST + 0x5123);
	walk_nested(&env, 1ull << 50, ACC_USER, false, &shot.walk); /* beyond four levels */
	walk_view_build(&v, &shot);
	ck_assert(v.row[0].cell[4].fails);
	ck_assert_uint_eq(v.row[0].cell[4].state, CELL_UNREACHED);
}
END_TEST

/* ---- cached translations ---- */

START_TEST(skipped)
{
	static struct tlb tlb;
	struct walk_env cold;

	tlb_init(&tlb, &mem);
	nested(4, 1, 4);
	tables_map(&t, VA, 1, 0x3000, P | W | U);
	tlb.asid = 1;
	tlb.env = env;
	tlb_switch(&tlb);
	walk_x86(&tlb.env, VA, ACC_READ, true, &shot.walk);
	ck_assert_uint_eq(shot.walk.refs, 24);
	walk_x86(&tlb.env, VA, ACC_READ, true, &shot.walk);
	cold = tlb.env;
	cold.ntlb = NULL;
	walk_x86(&cold, VA, ACC_READ, false, &shot.cold);
	shot.p = env.p;
	shot.np = env.np;
	shot.nested = shot.guest = shot.live = true;
	walk_view_build(&v, &shot);
	ck_assert_uint_eq(v.refs, 4);
	ck_assert_uint_eq(v.cold_refs, 24);
	ck_assert_uint_eq(cells(CELL_CACHED), 20);
	ck_assert(!v.stale);
	for (unsigned r = 0; r < v.rows; r++) {
		ck_assert(v.row[r].cached);
		for (unsigned n = 1; n <= 4; n++) {
			ck_assert(v.row[r].cell[n].known);
			ck_assert_uint_eq(v.row[r].cell[n].ref, 0);
		}
	}
	says(walk_say_count, "4 references instead of 24");
	/* the tables change, nobody flushes */
	tables_map(&nt, 0x3000, 1, GUEST + 0x7000, P | W | U | A | D);
	walk_x86(&tlb.env, VA, ACC_READ, true, &shot.walk);
	walk_x86(&cold, VA, ACC_READ, false, &shot.cold);
	walk_view_build(&v, &shot);
	ck_assert(v.stale);
	says(walk_say_held, "STALE");
}
END_TEST

/* ---- refusals ---- */

START_TEST(guest_fault)
{
	nested(4, 1, 4);
	tables_map(&t, VA, 1, 0x3000, P | U);
	tables_put(&t, VA, 3, tables_get(&t, VA, 3) & ~(u64)U);
	see(VA, ACC_WRITE | ACC_USER);
	ck_assert_uint_eq(shot.walk.why, WALK_SUPERVISOR);
	ck_assert(v.row[3].cell[0].fails);
	ck_assert(v.row[1].cell[0].lacks);
	ck_assert(!v.row[0].cell[0].lacks && !v.row[3].cell[0].lacks);
	ck_assert_uint_eq(cells(CELL_UNREACHED), 5); /* the final row */
	ck_assert_uint_eq(v.row[0].cell[0].perm & PERM_U, PERM_U);
	ck_assert_uint_eq(v.row[1].cell[0].perm & PERM_U, 0);
	ck_assert_str_eq(said(walk_say_fault_to), "#PF -> guest's IDT, vector 14");
	says(walk_say_error, "error code 7: present write user");
	shot.pf_exits = true;
	ck_assert_str_eq(said(walk_say_fault_to), "#PF, intercepted -> #VMEXIT 4Eh to the VMM");
	see(VA | 1ull << 60, ACC_READ);
	says(walk_say_fault_to, "#GP");
	ck_assert_uint_eq(v.refs, 0);
}
END_TEST

START_TEST(nested_fault)
{
	u64 at;

	nested(4, 1, 4);
	tables_map(&t, VA, 1, 0x3000, P | W | U);
	tables_put(&nt, 0x3000, 1, 0);
	see(VA, ACC_READ);
	ck_assert(v.row[4].cell[1].fails && !v.row[4].cell[1].judges);
	ck_assert_uint_eq(v.row[4].gpa, 0x3123);
	ck_assert_uint_eq(v.refs, 24);
	ck_assert_uint_eq(cells(CELL_DATA), 0);
	ck_assert_str_eq(said(walk_say_fault_to), "NPF -> #VMEXIT 400h to the VMM");
	says(walk_say_error, "EXITINFO1 100000004");
	/* a read-only page that holds page tables */
	at = tables_entry(&t, VA, 2);
	tables_put(&nt, at, 1, (tables_get(&nt, at, 1) & ~(u64)W));
	see(VA, ACC_READ);
	ck_assert_uint_eq(shot.walk.why, WALK_READ_ONLY);
	ck_assert(v.row[2].cell[1].fails && v.row[2].cell[1].lacks);
	ck_assert_uint_eq(v.row[2].gpa, at);
	says(walk_say_result, "read for writing");
	says(walk_say_tlb, "none");
	walk_draw(&drawing, &v);
}
END_TEST

/* ---- what is said ---- */

START_TEST(translation)
{
	bool does, global = false;
	char buf[256];
	struct text out;

	nested(4, 2, 4);
	tables_map(&t, VA, 1, 0x3000, P | W | U | G);
	shot.asid = 7;
	see(VA, ACC_WRITE);
	says(walk_say_tlb, "ASID 7, 123456789000 -> 10003000, 4 KB (the smaller of guest 4 KB and nested 2 MB), R W X "
			   "U dirty global");
	ck_assert_uint_eq(v.row[3].cell[0].set, A | D);
	for (unsigned i = 0;; i++) {
		text_init_buffer(&out, buf, sizeof buf);
		if (!walk_say_flush(&out, &v, i, &does))
			break;
		if (strstr(buf, "MOV CR3")) {
			ck_assert(!does);
			global = true;
		}
		if (strstr(buf, "TLB_CONTROL 3"))
			ck_assert(does);
	}
	ck_assert(global);
	tables_map(&t, VA, 1, 0x3000, P | W | U);
	see(VA, ACC_WRITE);
	for (unsigned i = 0;; i++) {
		text_init_buffer(&out, buf, sizeof buf);
		if (!walk_say_flush(&out, &v, i, &does))
			break;
		if (strstr(buf, "MOV CR3"))
			ck_assert(does);
	}
}
END_TEST

START_TEST(entry_bits)
{
	char buf[128];
	struct text out;

	native(2);
	tables_map(&t, VA32, 2, 0x400000, P | W | U | G | NX);
	see(VA32, ACC_READ);
	text_init_buffer(&out, buf, sizeof buf);
	walk_form_flags(v.row[0].cell[0].form, v.row[0].cell[0].val, &out);
	ck_assert_str_eq(buf, "P W U PS G");
	ck_assert_uint_eq(walk_form_address(v.row[0].cell[0].form, 0xffc000e7), 0xffc00000);
	/* every bit of an entry belongs to one name at most; addresses are those of the mode */
	for (unsigned levels = 2; levels <= 5; levels++) {
		native(levels);
		see(0, ACC_READ);
		for (unsigned l = 1; l <= levels; l++) {
			const struct walk_level *f = &v.form[0].level[l];
			const struct walk_bit *table[] = {f->link, f->page};

			for (unsigned k = 0; k < 2; k++) {
				u64 seen = 0;

				for (const struct walk_bit *b = table[k]; b->name; b++) {
					u64 m = bits(~0ull, b->hi, b->lo) << b->lo;

					ck_assert_uint_eq(seen & m, 0);
					ck_assert(b->hi < 8u * v.form[0].size);
					ck_assert(b->kind != BIT_FLAG || (b->one && b->zero));
					seen |= m;
				}
				ck_assert_uint_eq(seen & (P), P);
			}
		}
	}
}
END_TEST

/* ---- counts ---- */

START_TEST(ways)
{
	unsigned way[WAYS];
	struct walk_stat stat = {0};

	nested(4, 1, 4);
	tables_map(&t, VA, 1, 0x3000, P | W | U);
	see(VA, ACC_READ);
	ck_assert(walk_ways(&shot, way));
	ck_assert_uint_eq(way[WAY_COLD], 24);
	ck_assert_uint_eq(way[WAY_NATIVE], 4);
	ck_assert_uint_eq(way[WAY_SHADOW], 4);
	ck_assert_uint_eq(way[WAY_NESTED_4K], 24);
	ck_assert_uint_eq(way[WAY_NESTED_2M], 19);
	ck_assert_uint_eq(way[WAY_NESTED_1G], 14);
	ck_assert_uint_eq(way[WAY_BOTH_2M], 15);
	walk_stat_add(&stat, &shot);
	nested(4, 2, 4);
	tables_map(&t, VA, 2, 0, P | W | U);
	see(VA, ACC_READ);
	ck_assert(walk_ways(&shot, way));
	ck_assert_uint_eq(way[WAY_COLD], 15);
	ck_assert_uint_eq(way[WAY_NATIVE], 3);
	ck_assert_uint_eq(way[WAY_SHADOW], 3);
	walk_stat_add(&stat, &shot);
	ck_assert_uint_eq(stat.walks[KIND_NESTED], 2);
	ck_assert_uint_eq(stat.way[WAY_COLD], 39);
	ck_assert_uint_eq(stat.histogram[24] + stat.histogram[15], 2);
	see(VA ^ BIT(46), ACC_READ);
	ck_assert(!walk_ways(&shot, way));
	walk_stat_add(&stat, &shot);
	ck_assert_uint_eq(stat.refused[KIND_NESTED], 1);
	ck_assert_uint_eq(stat.compared, 2);
}
END_TEST

/* ---- forms ---- */

START_TEST(escaping)
{
	char buf[256];
	struct text out;

	text_init_buffer(&out, buf, sizeof buf);
	walk_svg_text(&out, "<a href=\"x\">&'\n");
	ck_assert_str_eq(buf, "&lt;a href=&quot;x&quot;&gt;&amp;&#39; ");
	text_init_buffer(&out, buf, sizeof buf);
	walk_json_string(&out, "</script>\"\\\n");
	ck_assert_str_eq(buf, "\"\\u003c/script\\u003e\\u0022\\u005c\\u000a\"");
}
END_TEST

static char *page(void (*write)(struct text *))
{
	size_t size = 4 << 20;
	char *buf = malloc(size);
	struct text out;

	ck_assert_ptr_nonnull(buf);
	text_init_buffer(&out, buf, size);
	write(&out);
	ck_assert_uint_lt(out.used, size - 1);
	return buf;
}
static void write_html(struct text *out) { walk_html(out, &shot, 1, NULL); }

/* A device's name goes into all forms: nothing of it may become markup. */
START_TEST(hostile_name)
{
	char *html;

	nested(4, 1, 4);
	tables_map(&t, VA, 1, 0x3000, P | W | U);
	shot.device[0][0] = shot.device[2][1] = "<script>evil()</script>";
	see(VA, ACC_READ);
	html = page(write_html);
	ck_assert_ptr_null(strstr(html, "<script>evil"));
	ck_assert_ptr_nonnull(strstr(html, "&lt;script&gt;evil"));
	ck_assert_ptr_nonnull(strstr(html, "\\u003cscript"));
	free(html);
}
END_TEST

START_TEST(widths)
{
	for (unsigned width = 0; width <= 200; width += 5) {
		struct walk_paper p = {.width = width, .colour = width % 2};
		char buf[16384], *line, *save = NULL;
		struct text out;

		nested(4, 1, 4);
		tables_map(&t, VA, 1, 0x3000, P | W | U);
		see(VA, ACC_READ);
		text_init_buffer(&out, buf, sizeof buf);
		walk_term(&out, &v, &p);
		for (line = strtok_r(buf, "\n", &save); line && !p.colour; line = strtok_r(NULL, "\n", &save))
			if (line[0] == '|' || line[0] == '+') {
				ck_assert_uint_le(strlen(line), width);
				ck_assert_uint_ge(width, 5 * 13);
			}
	}
}
END_TEST

START_TEST(places)
{
	unsigned row, column;

	nested(5, 1, 5);
	tables_map(&t, VA, 1, 0x3000, P | W | U);
	see(VA, ACC_READ);
	walk_draw(&drawing, &v);
	ck_assert_uint_lt(drawing.n, WALK_SHAPES - 1);
	for (unsigned i = 0; i < drawing.n; i++) {
		const struct walk_shape *s = &drawing.shape[i];

		ck_assert(s->x >= 0 && s->y >= 0 && s->x + s->w <= drawing.w && s->y + s->h <= drawing.h);
		if (s->kind != SHAPE_RECT || s->row < 0)
			continue;
		ck_assert(walk_draw_hit(&drawing, s->x + 5, s->y + 5, &row, &column));
		ck_assert_int_eq((int)row, s->row);
		ck_assert_int_eq((int)column, s->column);
	}
	ck_assert(!walk_draw_hit(&drawing, 1, 1, &row, &column));
}
END_TEST

static u64 random_bits(void)
{
	static u64 x = 88172645463325252ull;

	x ^= x << 13;
	x ^= x >> 7;
	return x ^= x << 17;
}

static void flip(struct tables *in, u64 va, unsigned level, unsigned bit) { tables_put(in, va, level, tables_get(in, va, level) ^ BIT(bit)); }

/* Entries of random bits in both dimensions: at most one cell fails, and every form comes to its end. */
START_TEST(anything)
{
	for (unsigned i = 0; i < 2000; i++) {
		unsigned levels = i % 5 + (i % 5 != 0), fails = 0;
		char buf[16384];
		struct text out;
		u64 va;

		nested(2 + i % 4, 1 + i % 2, levels);
		va = levels > 3 ? VA : levels ? VA32 : 0x5000;
		if (levels)
			tables_map(&t, va, 1 + i % 2, 0x3000, P | W | U);
		for (unsigned k = 0; k < 2; k++) {
			u64 x = random_bits();

			if (levels && k)
				flip(&t, va, 1 + (unsigned)(x % levels), x >> 32 & 31);
			else
				flip(&nt, 0x800000, 1 + i % 2 + (unsigned)(x & 1), x >> 32 & 63);
		}
		see(va, (unsigned)random_bits() & (ACC_WRITE | ACC_USER));
		for (unsigned r = 0; r < v.rows; r++)
			for (unsigned n = 0; n < v.columns; n++)
				fails += v.row[r].cell[n].fails;
		ck_assert_uint_eq(fails, shot.walk.why != WALK_OK);
		walk_draw(&drawing, &v);
		text_init_buffer(&out, buf, sizeof buf);
		walk_term(&out, &v, &(struct walk_paper){.width = (unsigned)(random_bits() % 200), .colour = i & 1});
	}
}
END_TEST

/* ---- what is asked for ---- */

START_TEST(specs)
{
	static const char *const bad[] = {"",
					  ",",
					  "x",
					  "-1",
					  "0x1@",
					  "0x1,cold",
					  "0x1@5,from=2",
					  "0x1@-1",
					  "0x1@12x",
					  "0x1@fills=0",
					  "0x1@exit=",
					  "any",
					  "0x1,cpu=16",
					  "0x1,cpu=x",
					  "0x1,cr3=",
					  "0x1,write,exec",
					  "0x1@fills,cr3=0",
					  "0x10000000000000000",
					  "0x1@99999999999999999999",
					  "0x1@exit=abcdefghijklmnopqrstuvwxyz"};
	struct walk_spec s;

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		err.msg[0] = 0;
		if (walk_spec_parse(&s, bad[i], &err))
			ck_abort_msg("'%s' is taken", bad[i]);
	}
	ck_assert(walk_spec_parse(&s, "0xffff800000001000@12M,user,write,cpu=3,guest,cr3=0x1000", &err));
	ck_assert_uint_eq(s.va, 0xffff800000001000);
	ck_assert_uint_eq(s.when, WALK_AT_COUNT);
	ck_assert_uint_eq(s.count, 12000000);
	ck_assert_uint_eq(s.access, ACC_USER | ACC_WRITE);
	ck_assert_uint_eq(s.world, WORLD_GUEST);
	ck_assert_uint_eq(s.cpu, 3);
	ck_assert_uint_eq(s.cr3, 0x1000);
	ck_assert(walk_spec_parse(&s, "any@fills=3,from=5k,host", &err) && s.any && s.count == 3 && s.from == 5000);
	ck_assert(walk_spec_parse(&s, "4096@exit=npf,gpa", &err) && s.when == WALK_AT_EXIT && !strcmp(s.exit, "npf"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("walk_view");
	TCase *c = tcase_create("all");
	SRunner *r;
	int bad;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, two_dimensions);
	tcase_add_test(c, one_dimension);
	tcase_add_test(c, no_paging);
	tcase_add_test(c, pdpe_registers);
	tcase_add_test(c, physical);
	tcase_add_test(c, skipped);
	tcase_add_test(c, guest_fault);
	tcase_add_test(c, nested_fault);
	tcase_add_test(c, translation);
	tcase_add_test(c, entry_bits);
	tcase_add_test(c, ways);
	tcase_add_test(c, escaping);
	tcase_add_test(c, hostile_name);
	tcase_add_test(c, widths);
	tcase_add_test(c, places);
	tcase_add_test(c, anything);
	tcase_add_test(c, specs);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad != 0;
}
