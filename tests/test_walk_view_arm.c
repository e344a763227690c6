/*
 * ARM walks laid out for readers: sections, coarse and fine tables, pages of every size with their subpages, the FCSE, domains, AP with S and R,
 * every fault; what is said, drawn and written. DDI0100 B4, B8.
 */
#include "arm_fixture.h"

#include <stdlib.h>

#include "debug/walk_draw.h"
#include "debug/walk_html.h"
#include "debug/walk_json.h"
#include "debug/walk_stat.h"
#include "debug/walk_svg.h"
#include "debug/walk_term.h"

enum { SECTION_VA = 0x12345678, PAGE_VA = 0x00421a34 /* subpage 2 of a small page */ };

static struct walk_shot shot;
static struct walk_view v;
static struct walk_drawing drawing;

static void setup(void)
{
	arm_setup();
	memset(&shot, 0, sizeof shot);
	shot.arch = WALK_ARM;
	shot.arm = (struct walk_arm_regs){.ttbr = TABLE, .dacr = 0x55555555, .control = CTL_M};
}

static void see(u32 va, unsigned access)
{
	struct walk_arm_env env = walk_arm_env_of(&shot.arm);

	env.mem = &mem;
	shot.arm.va = va;
	shot.access = (u8)access;
	shot.arm_page.shift = 0;
	walk_arm(&env, va >> 25 ? va : va | shot.arm.fcse, access, true, &shot.walk, &shot.arm_page);
	shot.cold = shot.walk;
	walk_view_build(&v, &shot);
	walk_draw(&drawing, &v);
	ck_assert_uint_lt(drawing.n, WALK_SHAPES - 1);
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

/* The cell of a row, by name. */
static struct walk_cell *cell(const char *name)
{
	char buf[32];
	struct text out;

	for (unsigned i = 0; i < v.rows; i++) {
		text_init_buffer(&out, buf, sizeof buf);
		walk_say_row(&out, &v, &v.row[i]);
		if (!strcmp(buf, name))
			return &v.row[i].cell[0];
	}
	return NULL;
}

static void row_says(const char *name, const char *what)
{
	char buf[512];
	struct text out;

	text_init_buffer(&out, buf, sizeof buf);
	walk_say_step(&out, &v, &v.row[0], cell(name));
	if (!strstr(buf, what))
		ck_abort_msg("%s: no '%s' in '%s'", name, what, buf);
}

static void flags_are(const char *name, const char *what)
{
	char buf[128];
	struct text out;

	text_init_buffer(&out, buf, sizeof buf);
	walk_say_flags(&out, &v, cell(name));
	ck_assert_str_eq(buf, what);
}

/* The walk's references stand in their cells, in order, and nothing else counts as one. */
static void all_placed(void)
{
	ck_assert_uint_eq(v.refs, shot.walk.refs);
	ck_assert_uint_eq(shot.walk.n, shot.walk.refs);
	for (unsigned i = 0; i < shot.walk.n; i++) {
		ck_assert_uint_eq(v.order[i]->pa, shot.walk.step[i].pa);
		ck_assert_uint_eq(v.order[i]->val, shot.walk.step[i].val);
		ck_assert_uint_eq(v.order[i]->ref, i + 1);
		ck_assert_uint_eq(v.order[i]->index * 4, shot.walk.step[i].pa & 0x3fff & mask_low(v.order[i]->hi - v.order[i]->lo + 3u));
	}
}

static void page_tables(u32 l1, u32 l2)
{
	put(TABLE + 4 * 4, l1);
	for (u32 i = 0; i < 16; i++) /* a large page stands 16 times */
		put(COARSE + (0x20 + i) * 4, l2);
	for (u32 i = 0; i < 64; i++)
		put(FINE + (0x80 + i) * 4, l2);
}

/* ---- shapes ---- */

START_TEST(a_section)
{
	put(TABLE + 0x123 * 4, section(0x00700000, AP_USER_READ, 5) | 12);
	see(SECTION_VA, ACC_READ | ACC_USER);
	all_placed();
	ck_assert_uint_eq(v.columns, 1);
	ck_assert_uint_eq(v.rows, 5);
	ck_assert_uint_eq(cell("L1")->state, CELL_READ);
	ck_assert_uint_eq(cell("L1")->index, 0x123);
	ck_assert_uint_eq(cell("L2")->state, CELL_ABSENT);
	ck_assert_str_eq(cell("L2")->note, "section");
	ck_assert_uint_eq(cell("domain")->state, CELL_REGISTER);
	ck_assert_uint_eq(cell("domain")->index, 5);
	ck_assert_uint_eq(cell("AP")->state, CELL_REGISTER);
	ck_assert_uint_eq(cell("AP")->perm, ARM_READ | ARM_WRITE | ARM_USER_READ);
	ck_assert_uint_eq(cell("final")->pa, 0x00745678);
	ck_assert_uint_eq(v.form[0].offset, 20);
	ck_assert_uint_eq(v.form[0].sub_hi, 0);
	flags_are("L1", "section B C domain=5 AP=2");
	flags_are("domain", "D5=01 client");
	flags_are("AP", "AP=10 S=0 R=0");
	row_says("L1", "entry 123 (hexadecimal; bits 31:20 of virtual address 12345678) of the first-level table");
	row_says("L2", "a section ends the walk");
	row_says("domain", "domain 5; its field in DACR (bits 11:10) is 01, client");
	row_says("AP", "AP (bits 11:10 of the descriptor) is 10: priv RW User R-");
	says(walk_say_forms, "TTBR 100000");
	says(walk_say_title, "User read of 12345678");
	says(walk_say_count, "1 reference");
	says(walk_say_result, "physical address 745678");
	says(walk_say_merge, "domain 5: client; AP 10; together priv RW User R-");
	says(walk_say_tlb, "an access would fill: 12300000 -> 700000, 1 MB, domain 5, AP 10, C, B");
	ck_assert_str_eq(said(walk_say_fault_to), "");
	ck_assert_str_eq(said(walk_say_error), "");
}
END_TEST

/* Every kind of page in both kinds of tables: the size, the bits that choose, the subpage. */
START_TEST(pages)
{
	static const struct {
		bool fine;
		u32 l2;
		u8 shift, sub;
		const char *flags;
	} rows[] = {
		{false, 0x00560000 | 0x1b1, 16, 0, "large AP0=3 AP1=2 AP2=1 AP3=0"},
		{false, 0x00561000 | 0x1ba, 12, 2, "small C AP0=3 AP1=2 AP2=1 AP3=0"},
		{true, 0x00560000 | 0x1b5, 16, 0, "large B AP0=3 AP1=2 AP2=1 AP3=0"},
		{true, 0x00561000 | 0x1b2, 12, 2, "small AP0=3 AP1=2 AP2=1 AP3=0"},
		{true, 0x00561800 | 0x23, 10, 0, "tiny AP=2"},
	};
	const u8 ap_of[] = {3, 2, 1, 0};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned ap = rows[i].shift == 10 ? 2 : ap_of[rows[i].sub];

		page_tables(rows[i].fine ? fine(FINE, 3) : coarse(COARSE, 3), rows[i].l2);
		see(PAGE_VA, ACC_READ);
		ck_assert_int_eq(shot.walk.why, WALK_OK);
		all_placed();
		ck_assert_uint_eq(v.refs, 2);
		ck_assert_uint_eq(cell("L2")->lo, rows[i].fine ? 10 : 12);
		ck_assert_uint_eq(cell("L2")->index, rows[i].fine ? PAGE_VA >> 10 & 0x3ff : PAGE_VA >> 12 & 0xff);
		ck_assert_uint_eq(v.form[0].offset, rows[i].shift);
		ck_assert_uint_eq(v.form[0].sub_hi, rows[i].shift == 10 ? 0 : rows[i].shift - 1);
		ck_assert(cell("AP")->has_index == (rows[i].shift != 10));
		ck_assert_uint_eq(cell("AP")->index, rows[i].sub);
		ck_assert_uint_eq(shot.walk.ap, ap);
		ck_assert_uint_eq(cell("AP")->perm, walk_arm_rights(&shot.arm, 3, ap));
		flags_are("L1", rows[i].fine ? "fine domain=3" : "coarse domain=3");
		flags_are("L2", rows[i].flags);
		row_says("L2", rows[i].fine ? "of the fine second-level table" : "of the coarse second-level table");
	}
	row_says("AP", "AP (bits 5:4 of the descriptor) is 10: ");
	page_tables(coarse(COARSE, 3), 0x00561000 | 0x1b2);
	see(PAGE_VA, ACC_READ);
	row_says("AP", "AP (bits 9:8 of the descriptor, of subpage 2: bits 11:10 of the address) is 01: priv RW User --");
	says(walk_say_tlb, "421000 -> 561000, 4 KB, domain 3, AP 11 10 01 00 (subpages 0 to 3)");
}
END_TEST

START_TEST(mmu_off)
{
	shot.arm.control = 0;
	see(SECTION_VA, ACC_WRITE | ACC_USER);
	ck_assert_uint_eq(v.rows, 1);
	ck_assert_uint_eq(cell("final")->pa, SECTION_VA);
	says(walk_say_tlb, "none: the MMU is off");
	says(walk_say_merge, "MMU is off");
	shot.arm.fcse = 3u << 25;
	see(0x1234, ACC_READ);
	ck_assert_uint_eq(v.rows, 2);
	ck_assert_uint_eq(cell("final")->pa, 0x06001234);
}
END_TEST

/* Two registers instead of a table make the same process's address a step of its own. */
START_TEST(processes)
{
	shot.arm.fcse = 3u << 25;
	put(TABLE + 0x60 * 4, section(0x00700000, AP_ALL, 0));
	see(0x1234, ACC_READ);
	all_placed();
	ck_assert_uint_eq(v.rows, 6);
	ck_assert_uint_eq(cell("FCSE")->val, 3u << 25);
	ck_assert_uint_eq(cell("L1")->index, 0x60);
	flags_are("FCSE", "process 3: 1234 -> 6001234");
	row_says("FCSE", "process 3 comes into bits 31:25, and the modified virtual address is 6001234");
	row_says("L1", "of the modified virtual address 6001234");
	says(walk_say_title, "privileged read of 1234 by process 3");
	ck_assert_str_eq(v.form[0].address, "MVA");
	put(TABLE + 0x60 * 4, 0);
	see(0x1234, ACC_WRITE);
	says(walk_say_error, "FAR 6001234: the modified virtual address");
	put(TABLE + 0x123 * 4, section(0x00700000, AP_ALL, 0));
	see(SECTION_VA, ACC_READ);
	row_says("FCSE", "not below 32 MB");
	ck_assert_uint_eq(cell("final")->pa, 0x00745678);
}
END_TEST

/* ---- decisions ---- */

/* Every value of the domain's field, every AP, S and R: the rights are those of DDI0100 table B4-1, the refusal stands where it belongs. */
START_TEST(decisions)
{
	static const u8 rights_of_ap[] = {0, ARM_READ | ARM_WRITE, ARM_READ | ARM_WRITE | ARM_USER_READ, ARM_RIGHTS};

	for (unsigned i = 0; i < 4 * 4 * 4; i++) {
		unsigned field = i & 3, ap = i >> 2 & 3, sr = i >> 4, want = rights_of_ap[ap];

		if (ap == 0)
			want = sr == 1 ? ARM_READ : sr == 2 ? ARM_READ | ARM_USER_READ : 0;
		shot.arm.dacr = field << 2 * 7;
		shot.arm.control = CTL_M | sr << 8;
		put(TABLE + 0x123 * 4, section(0x00700000, ap, 7));
		for (unsigned k = 0; k < 4; k++) {
			see(SECTION_VA, (k & 1 ? ACC_WRITE : 0u) | (k & 2 ? ACC_USER : 0u));
			if (field == 1) {
				ck_assert_uint_eq(cell("AP")->perm, want);
				ck_assert_uint_eq(cell("AP")->fails, !(want >> k & 1));
				ck_assert_uint_eq(cell("L1")->lacks, !(want >> k & 1));
				ck_assert(!cell("domain")->judges && !cell("domain")->fails);
				ck_assert_uint_eq(shot.walk.why, want >> k & 1 ? WALK_OK : WALK_PERMISSION);
			} else {
				ck_assert_uint_eq(cell("domain")->perm, field == 3 ? ARM_RIGHTS : 0);
				ck_assert_uint_eq(cell("domain")->fails, field != 3);
				ck_assert_uint_ne(cell("AP")->state, CELL_REGISTER);
				ck_assert_uint_eq(shot.walk.why, field == 3 ? WALK_OK : WALK_DOMAIN);
			}
		}
		if (field == 3)
			row_says("AP", "manager");
	}
}
END_TEST

START_TEST(refusals)
{
	/* nothing there */
	see(SECTION_VA, ACC_READ);
	ck_assert(cell("L1")->fails && cell("L1")->known);
	flags_are("L1", "fault");
	ck_assert_uint_eq(cell("L2")->state, CELL_UNREACHED);
	ck_assert_uint_eq(cell("domain")->state, CELL_UNREACHED);
	says(walk_say_result, "refused: invalid descriptor, level 1");
	says(walk_say_error, "FSR 05: status 5 (translation, section), domain 0; FAR 12345678");
	says(walk_say_fault_to, "data abort -> Abort mode, vector 10");
	says(walk_say_tlb, "none: there is no translation to keep");
	see(SECTION_VA, ACC_EXEC);
	says(walk_say_error, "IFSR 05");
	says(walk_say_error, "FAR stays as it was");
	shot.arm.control |= CTL_V;
	see(SECTION_VA, ACC_EXEC);
	says(walk_say_fault_to, "prefetch abort -> Abort mode, vector ffff000c");
	/* a hole in the second table */
	page_tables(coarse(COARSE, 9), 0);
	see(PAGE_VA, ACC_WRITE);
	ck_assert(cell("L2")->fails && !cell("L1")->fails);
	says(walk_say_error, "FSR 97: status 7 (translation, page), domain 9");
	/* the domain; the translation is kept all the same */
	page_tables(coarse(COARSE, 9), small(0x00561000, same_aps(AP_ALL)));
	shot.arm.dacr = 0;
	shot.live = true;
	see(PAGE_VA, ACC_WRITE);
	says(walk_say_result, "refused: no access to the domain: domain 9 is 00 in DACR");
	says(walk_say_error, "FSR 9b: status b (domain, page)");
	says(walk_say_tlb, "filled: 421000 -> 561000");
	says(walk_say_tlb, "kept although the access is refused");
	ck_assert_uint_eq(cell("final")->state, CELL_UNREACHED);
	/* permissions */
	shot.arm.dacr = 0x55555555;
	page_tables(coarse(COARSE, 9), small(0x00561000, aps(3, 3, 2, 3)));
	see(PAGE_VA, ACC_WRITE | ACC_USER);
	ck_assert(cell("AP")->fails && cell("L2")->lacks);
	says(walk_say_result, "not allowed by AP, S and R: AP is 10");
	says(walk_say_error, "FSR 9f: status f (permission, page)");
	/* nobody answers */
	page_tables(coarse(0x80000000, 2), 0);
	see(PAGE_VA, ACC_READ);
	ck_assert(cell("L2")->fails && !cell("L2")->known);
	ck_assert_uint_eq(cell("L2")->state, CELL_READ);
	ck_assert_str_eq(cell("L2")->note, "nobody answers");
	says(walk_say_error, "FSR 2e: status e (external abort on translation, level 2), domain 2");
	shot.arm.ttbr = 0x80000000;
	see(PAGE_VA, ACC_READ);
	ck_assert(cell("L1")->fails && !cell("L1")->known);
	says(walk_say_error, "status c");
}
END_TEST

/* ---- the TLB ---- */

static unsigned flushes(bool wanted, const char *what)
{
	char buf[256];
	struct text out;
	unsigned found = 0;
	bool does;

	for (unsigned n = 0;; n++) {
		text_init_buffer(&out, buf, sizeof buf);
		if (!walk_say_flush(&out, &v, n, &does))
			return found;
		found += does == wanted && strstr(buf, what) != NULL;
	}
}

START_TEST(translation)
{
	put(TABLE + 0x123 * 4, section(0x00700000, AP_ALL, 5));
	shot.live = true;
	see(SECTION_VA, ACC_READ);
	ck_assert_uint_eq(flushes(true, "everything"), 1);
	ck_assert_uint_eq(flushes(true, "one entry"), 1);
	ck_assert_uint_eq(flushes(false, "DACR"), 1);
	ck_assert_uint_eq(flushes(false, "TTBR"), 1);
	shot.arm.locking = true;
	see(SECTION_VA, ACC_READ);
	says(walk_say_tlb, "filled, locked");
	ck_assert_uint_eq(flushes(true, "everything"), 0);
	ck_assert_uint_eq(flushes(false, "everything: the entry is locked"), 1);
	shot.arm_held = shot.arm_page;
	says(walk_say_held, "the TLB holds: 12300000 -> 700000");
	ck_assert_ptr_null(strstr(said(walk_say_held), "STALE"));
	put(TABLE + 0x123 * 4, section(0x00600000, AP_ALL, 5));
	see(SECTION_VA, ACC_READ);
	says(walk_say_held, "STALE");
	put(TABLE + 0x123 * 4, 0);
	see(SECTION_VA, ACC_READ);
	says(walk_say_held, "STALE");
	ck_assert_uint_eq(flushes(true, ""), 0);
}
END_TEST

START_TEST(counts)
{
	struct walk_stat stat = {.arch = WALK_ARM};
	char buf[1024];
	struct text out;

	put(TABLE + 0x123 * 4, section(0x00700000, AP_ALL, 5));
	see(SECTION_VA, ACC_READ);
	walk_stat_add(&stat, &shot);
	page_tables(coarse(COARSE, 9), small(0x00561000, same_aps(AP_PRIVILEGED)));
	see(PAGE_VA, ACC_READ);
	walk_stat_add(&stat, &shot);
	see(PAGE_VA, ACC_READ | ACC_USER);
	walk_stat_add(&stat, &shot);
	see(0x00500000, ACC_READ);
	walk_stat_add(&stat, &shot);
	ck_assert_uint_eq(stat.walks[KIND_SECTION], 1);
	ck_assert_uint_eq(stat.refs[KIND_SMALL], 4);
	ck_assert_uint_eq(stat.refused[KIND_SMALL], 1);
	ck_assert_uint_eq(stat.refused[KIND_INVALID], 1);
	ck_assert_uint_eq(stat.compared, 0);
	text_init_buffer(&out, buf, sizeof buf);
	walk_stat_print(&out, &stat);
	ck_assert_ptr_nonnull(strstr(buf, "small page, 4 KB              2 walks,      1 refused,         4 references,  2.00 a walk"));
}
END_TEST

/* ---- entries, forms ---- */

/* Each bit of a descriptor belongs to one name at most; fields have a word for each value where they have words. */
START_TEST(entry_bits)
{
	page_tables(coarse(COARSE, 9), small(0x00561000, same_aps(AP_ALL)));
	see(PAGE_VA, ACC_READ);
	for (unsigned l = ARM_L1; l <= ARM_AP; l++)
		for (unsigned type = 0; type < 4; type++) {
			u64 seen = 0;

			for (const struct walk_bit *b = walk_form_bits(&v.form[0].level[l], type); b->name; b++) {
				u64 m = bits(~0ull, b->hi, b->lo) << b->lo;

				ck_assert_uint_eq(seen & m, 0);
				ck_assert_uint_le(b->hi, 31);
				seen |= m;
				for (u64 n = 0; b->kind >= BIT_FIELD && n <= bits(~0ull, b->hi, b->lo) && b->value; n++)
					ck_assert_ptr_nonnull(walk_bit_says(b, n));
			}
		}
	ck_assert_uint_eq(walk_form_address(cell("L1")->form, 0xfffffdf1), 0xfffffc00);
	ck_assert_uint_eq(walk_form_address(cell("L2")->form, 0xfffffff3), 0xfffffc00);
}
END_TEST

static char *written(void (*write)(struct text *))
{
	size_t size = 1 << 20;
	char *buf = malloc(size);
	struct text out;

	ck_assert_ptr_nonnull(buf);
	text_init_buffer(&out, buf, size);
	write(&out);
	ck_assert_uint_lt(out.used, size - 1);
	return buf;
}
static void write_json(struct text *out) { walk_json(out, &shot, 1, NULL); }
static void write_html(struct text *out) { walk_html(out, &shot, 1, NULL); }
static void write_svg(struct text *out) { walk_svg(out, &v, true); }
static void write_term(struct text *out) { walk_term(out, &v, &(struct walk_paper){.width = 80}); }
static void write_narrow(struct text *out) { walk_term(out, &v, &(struct walk_paper){.width = 10}); }

static void has(void (*write)(struct text *), const char *what)
{
	char *s = written(write);

	if (!strstr(s, what))
		ck_abort_msg("no '%s' in %s", what, s);
	free(s);
}

START_TEST(forms)
{
	shot.arm.fcse = 2u << 25;
	put(TABLE + 0x44 * 4, coarse(COARSE, 9));
	put(COARSE + 0x21 * 4, small(0x00561000, same_aps(AP_ALL)));
	see(PAGE_VA, ACC_READ);
	has(write_term, "MVA       4421a34 = L1 44 | L2 21 | subpage 2 | offset a34");
	has(write_term, "|- domain [9]");
	has(write_term, "|D9=01 client");
	has(write_narrow, " 2  L2 [00104084] 00561ff2 small page");
	has(write_json, "\"arch\":\"arm\"");
	has(write_json, "\"pc\":\"0\"");
	has(write_json, "\"subpage\":[11,10],\"levels\":[{\"entry\":\"first-level descriptor\"");
	has(write_json, "\"name\":\"D9\",\"v\":\"1\",\"kind\":\"field\",\"says\":\"client\"");
	has(write_svg, ">process 2: 421a34 -&gt; 4421a34</text>");
	has(write_svg, ">TTBR</text>");
	has(write_html, "<th scope=\"row\">domain</th>");
	for (unsigned i = 0; i < drawing.n; i++) {
		const struct walk_shape *s = &drawing.shape[i];

		ck_assert(s->x >= 0 && s->y >= 0 && s->x + s->w <= drawing.w && s->y + s->h <= drawing.h);
	}
}
END_TEST

static u32 random_state = 12345;
static u32 random_word(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	return random_state ^= random_state << 5;
}

/* Tables and registers of random bits: what fails is one cell, what is allowed is what the machine says, every form comes to its end. */
START_TEST(anything)
{
	for (unsigned i = 0; i < 4096; i++) /* tables mostly in RAM */
		put(TABLE + 4 * i, random_word() & (i & 3 ? 0x00fffdef : ~0u));
	for (unsigned i = 0; i < 3000; i++) {
		unsigned access = random_word() & (ACC_WRITE | ACC_USER), fails = 0, want;
		char buf[8192];
		struct text out;

		shot.arm = (struct walk_arm_regs){.ttbr = random_word() & 15 ? TABLE : random_word() & ~0x3fffu, .dacr = random_word(),
		                                  .control = random_word() | (random_word() & 15 ? CTL_M : 0),
		                                  .fcse = random_word() & 1 ? random_word() & 0xfe000000 : 0};
		see(random_word() >> (random_word() & 15), random_word() & 7 ? access : (access & ACC_USER) | ACC_EXEC);
		for (unsigned r = 0; r < v.rows; r++)
			fails += v.row[r].cell[0].fails;
		ck_assert_uint_eq(fails, shot.walk.why != WALK_OK);
		ck_assert_uint_eq(cell("final")->state == CELL_DATA, shot.walk.why == WALK_OK);
		want = 1u << ((shot.access & ACC_WRITE ? 1 : 0) + (shot.access & ACC_USER ? 2 : 0));
		if (shot.arm_page.shift)
			ck_assert_uint_eq((v.perm & want) != 0, shot.walk.why == WALK_OK);
		text_init_buffer(&out, buf, sizeof buf);
		walk_term(&out, &v, &(struct walk_paper){.width = random_word() % 200, .colour = i & 1});
		if (i % 50 == 0) {
			has(write_json, "\"arch\":\"arm\"");
			has(write_svg, "</svg>");
		}
	}
}
END_TEST

START_TEST(plain_list)
{
	char buf[512];
	struct text out;

	page_tables(coarse(0x80000000, 2), 0);
	see(PAGE_VA, ACC_READ);
	text_init_buffer(&out, buf, sizeof buf);
	walk_arm_print(&out, &shot.walk);
	ck_assert_str_eq(buf, " 1  L1 [00100010] 80000051 coarse table\n 2  L2 [80000084] nobody answers\nmva 00421a34 refused: nobody answers at the "
			      "descriptor's address; status 2e (external abort on translation, level 2); 2 references\n");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("walk_view_arm");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, arm_teardown);
	tcase_add_test(t, a_section);
	tcase_add_test(t, pages);
	tcase_add_test(t, mmu_off);
	tcase_add_test(t, processes);
	tcase_add_test(t, decisions);
	tcase_add_test(t, refusals);
	tcase_add_test(t, translation);
	tcase_add_test(t, counts);
	tcase_add_test(t, entry_bits);
	tcase_add_test(t, forms);
	tcase_add_test(t, plain_list);
	tcase_add_test(t, anything);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
