/*
 * Unit tests of the debugger's panes without a window: what is drawn where, what a click means, and the walk of a guest
 * under nested paging, whose tables the test builds by hand; the same for an ARM.
 */
#include "ui/panes.h"

#include <check.h>
#include <stdlib.h>

enum { SCREEN_W = 720, SCREEN_H = 400, BUTTON_Y = SCREEN_H + 12 };

static struct pc *pc;
static struct target target;
static struct hub hub;
static struct panes p;
static struct canvas c;

static void setup(void)
{
	struct error err = {""};
	struct pc_config cfg = {.ram_size = 16 << 20, .cpus = 1, .uarts = 2, .vga = true};

	pc = calloc(1, sizeof *pc);
	ck_assert(x86_model_parse(&cfg.model, "zen", &err));
	ck_assert(pc_init(pc, &cfg, &err));
	target_pc(&target, pc);
	hub_init(&hub, &target);
	panes_init(&p, &hub);
	panes_size(SCREEN_W, SCREEN_H, &c.width, &c.height);
	c.pixels = malloc((size_t)c.width * (size_t)c.height * sizeof *c.pixels);
}

static void teardown(void)
{
	free(c.pixels);
	pc_free(pc);
	free(pc);
}

static void draw(void)
{
	for (int i = 0; i < c.width * c.height; i++)
		c.pixels[i] = 0x123456;
	panes_draw(&p, &c, SCREEN_W, SCREEN_H);
}

static u32 at(int x, int y) { return c.pixels[y * c.width + x]; }
static enum panes_button click(int x, int y) { return panes_click(&p, x, y, SCREEN_W, SCREEN_H); }
static int button_x(unsigned b) { return 4 + (int)(b - 1) * 80 + 10; }

/* 2 MB mapped to themselves by pages of 4 KB: four tables from pa on. */
static u64 tables(u64 pa)
{
	space_write(&pc->mem, pa, 8, (pa + 0x1000) | 7);
	space_write(&pc->mem, pa + 0x1000, 8, (pa + 0x2000) | 7);
	for (u64 i = 0; i < 4; i++)
		space_write(&pc->mem, pa + 0x2000 + i * 8, 8, (pa + 0x3000) | 7);
	for (u64 i = 0; i < 512; i++)
		space_write(&pc->mem, pa + 0x3000 + i * 8, 8, i << 12 | 7);
	return pa;
}

static void all_is_drawn_body(void)
{
	draw();
	for (int y = 0; y < c.height; y++)
		for (int x = 0; x < c.width; x++)
			if (x >= SCREEN_W || y >= SCREEN_H)
				ck_assert_msg(at(x, y) != 0x123456, "%d, %d", x, y);
			else
				ck_assert_msg(at(x, y) == 0x123456, "%d, %d", x, y); /* the screen's place */
}
START_TEST(all_is_drawn) { all_is_drawn_body(); }
END_TEST

START_TEST(buttons)
{
	for (unsigned b = BUTTON_PAUSE; b < BUTTONS; b++)
		ck_assert_int_eq(click(button_x(b), BUTTON_Y), b);
	ck_assert_int_eq(p.target, TARGET_CR2);
	ck_assert_int_eq(p.world, WORLD_HOST);
	click(button_x(BUTTON_WORLD), BUTTON_Y);
	click(button_x(BUTTON_WORLD), BUTTON_Y);
	ck_assert_int_eq(p.world, WORLD_NOW);
	ck_assert_int_eq(click(button_x(BUTTONS), BUTTON_Y), BUTTON_NONE);
	ck_assert_int_eq(click(0, SCREEN_H + 1), BUTTON_NONE);
	ck_assert_int_eq(click(-5, -5), BUTTON_NONE);
	ck_assert_int_eq(click(100000, 100000), BUTTON_NONE);
}
END_TEST

START_TEST(a_cell_shows_its_memory)
{
	struct x86_cpu *cpu = pc_current(pc);
	bool hit = false;

	cpu->cr3 = tables(0x100000);
	cpu->cr4 = 0x20;
	cpu->efer = 0x500;
	cpu->cr0 = 0x80000011;
	cpu->seg[SEG_CS].base = 0;
	cpu->rip = 0x5123;
	x86_state_changed(cpu);
	draw();
	ck_assert(p.has_walk);
	ck_assert_uint_eq(p.view.refs, 4);
	ck_assert_uint_eq(p.shot.walk.pa, 0x5123);
	for (int y = 0; y < 790 && !hit; y += 10)
		for (int x = 724; x < c.width && !hit; x += 10) {
			click(x, y);
			hit = p.memory == 0x103000 + 5 * 8; /* the level 1 entry */
		}
	ck_assert(hit);
	draw();
	click(button_x(BUTTON_RSP), BUTTON_Y); /* another walk, no cell */
	ck_assert_uint_eq(p.memory, PANES_MEMORY_NONE);
}
END_TEST

START_TEST(no_guest_no_walk)
{
	p.world = WORLD_GUEST;
	draw();
	ck_assert(!p.has_walk);
	ck_assert_int_eq(click(800, 200), BUTTON_NONE);
	ck_assert_uint_eq(p.memory, PANES_MEMORY_NONE);
}
END_TEST

START_TEST(stops_at_a_switch)
{
	struct event e = {.kind = EV_INTERRUPT};

	p.until_switch = true;
	event_add(&pc->machine.log, &e);
	ck_assert(!p.paused);
	e.kind = EV_VMEXIT;
	event_add(&pc->machine.log, &e);
	ck_assert(p.paused && !p.until_switch && pc->machine.sched.kick);
	draw();
}
END_TEST

/* Whatever the screen's size, nothing is drawn outside (sanitizer build). */
START_TEST(any_size)
{
	static const int sizes[][2] = {{8, 1}, {2304, 1024}, {800, 600}, {16000, 10}};

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		free(c.pixels);
		panes_size(sizes[i][0], sizes[i][1], &c.width, &c.height);
		c.pixels = malloc((size_t)c.width * (size_t)c.height * sizeof *c.pixels);
		panes_draw(&p, &c, sizes[i][0], sizes[i][1]);
		ck_assert_uint_ne(at(c.width - 1, c.height - 1), 0);
	}
}
END_TEST

START_TEST(text_and_lines_are_cut)
{
	u32 px[20 * 10] = {0};
	struct canvas small = {px, 20, 10};

	ck_assert_int_eq(canvas_text(&small, 2, 1, "A→B\nC", 10, false, 1), 2 + 3 * 6);
	ck_assert_uint_eq(px[1 * 20 + 2 + 2], 1); /* the tip of the A */
	canvas_text(&small, -30, -30, "far away", 20, true, 2);
	canvas_text(&small, 15, 5, "off", 20, true, 2);
	canvas_line(&small, -5, -5, 50, 50, 3);
	ck_assert_uint_eq(px[4 * 20 + 4], 3);
	canvas_frame(&small, -1, -1, 22, 12, 4);
	canvas_fill(&small, -100, -100, 300, 300, 5);
	for (unsigned i = 0; i < ARRAY_SIZE(px); i++)
		ck_assert_uint_eq(px[i], 5);
}
END_TEST

/* ---- an ARM ---- */

static struct icp *icp;

static void arm_setup(void)
{
	struct error err = {""};
	struct icp_config cfg = {.ram_size = 16 << 20};

	icp = aligned_alloc(64, (sizeof *icp + 63) & ~(size_t)63);
	memset(icp, 0, sizeof *icp);
	icp->semihost.folder = -1;
	ck_assert_msg(icp_init(icp, &cfg, &err), "%s", err.msg);
	target_icp(&target, icp);
	hub_init(&hub, &target);
	panes_init(&p, &hub);
	panes_size(SCREEN_W, SCREEN_H, &c.width, &c.height);
	c.pixels = malloc((size_t)c.width * (size_t)c.height * sizeof *c.pixels);
}

static void arm_teardown(void)
{
	free(c.pixels);
	icp_free(icp);
	free(icp);
}

/* User may read the page of FAR, and not the one of sp. */
START_TEST(arm_page_walk)
{
	bool hit = false;

	for (u32 i = 0; i < 16; i++)
		space_write(&icp->mem, 0x4000 + 4 * i, 4, i << 20 | 1 << 10 | 0x12);
	space_write(&icp->mem, 0x4000, 4, 0x8000 | 0x11);
	space_write(&icp->mem, 0x8000 + 4 * 5, 4, 0x9000 | 0xaa2);
	icp->cpu.s.cp15.ttbr = 0x4000;
	icp->cpu.s.cp15.dacr = 1;
	icp->cpu.s.cp15.control |= CTL_M;
	icp->cpu.s.cp15.far = 0x5123;
	icp->cpu.s.r[13] = 0x200000;
	arm_state_changed(&icp->cpu);
	all_is_drawn_body();
	click(button_x(BUTTON_CR2), BUTTON_Y);
	draw();
	ck_assert(p.has_walk);
	ck_assert_uint_eq(p.shot.walk.pa, 0x9123);
	ck_assert_uint_eq(p.view.refs, 2);
	for (int y = 0; y < 790 && !hit; y += 10)
		for (int x = 724; x < c.width && !hit; x += 10) {
			click(x, y);
			ck_assert_uint_ne(p.memory, 0); /* a register has no memory behind it */
			hit = p.memory == 0x8000 + 4 * 5;
		}
	ck_assert(hit);
	draw();
	click(button_x(BUTTON_WORLD), BUTTON_Y);
	click(button_x(BUTTON_WORLD), BUTTON_Y);
	draw();
	ck_assert_uint_eq(p.shot.walk.why, WALK_OK);
	click(button_x(BUTTON_RSP), BUTTON_Y);
	draw();
	ck_assert_uint_eq(p.shot.walk.why, WALK_PERMISSION);
	ck_assert_uint_eq(p.shot.access, ACC_USER);
	click(button_x(BUTTON_WORLD), BUTTON_Y); /* back to the present mode, Supervisor */
	draw();
	ck_assert_uint_eq(p.shot.walk.why, WALK_OK);
}
END_TEST

START_TEST(arm_stops_at_a_mode)
{
	struct event e = {.kind = EV_VMEXIT};

	p.until_switch = true;
	event_add(&icp->machine.log, &e);
	ck_assert(!p.paused);
	e.kind = EV_MODE;
	e.a = MODE_IRQ;
	e.b = MODE_SVC;
	event_add(&icp->machine.log, &e);
	ck_assert(p.paused && !p.until_switch);
	draw();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("panes");
	TCase *tc = tcase_create("panes");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, all_is_drawn);
	tcase_add_test(tc, buttons);
	tcase_add_test(tc, a_cell_shows_its_memory);
	tcase_add_test(tc, no_guest_no_walk);
	tcase_add_test(tc, stops_at_a_switch);
	tcase_add_test(tc, any_size);
	tcase_add_test(tc, text_and_lines_are_cut);
	suite_add_tcase(s, tc);
	tc = tcase_create("panes of an ARM");
	tcase_add_checked_fixture(tc, arm_setup, arm_teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, arm_page_walk);
	tcase_add_test(tc, arm_stops_at_a_mode);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
