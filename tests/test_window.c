/*
 * Unit tests of the window without a screen: SDL's dummy driver, events pushed into its queue, and what the machine's
 * 8042 gets of them. What a real window shows: tests/ui/run. Also the table of keys.
 */
#include "ui/keymap.h"
#include "ui/window.h"

#include <check.h>
#include <stdlib.h>

START_TEST(keymap)
{
	static const u8 pause[6] = {0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5};
	u8 code[KEYMAP_MAX];
	bool seen[0x200] = {false};
	unsigned keys = 0;

	ck_assert_uint_eq(keymap_set1(4, true, code), 1); /* A */
	ck_assert_uint_eq(code[0], 0x1e);
	ck_assert_uint_eq(keymap_set1(4, false, code), 1);
	ck_assert_uint_eq(code[0], 0x9e);
	ck_assert_uint_eq(keymap_set1(228, false, code), 2); /* right Ctrl */
	ck_assert_uint_eq(code[0], 0xe0);
	ck_assert_uint_eq(code[1], 0x9d);
	ck_assert_uint_eq(keymap_set1(72, true, code), 6);
	ck_assert_mem_eq(code, pause, 6);
	ck_assert_uint_eq(keymap_set1(72, false, code), 0);
	for (unsigned usage = 0; usage < 1000; usage++) {
		unsigned n = usage == 72 ? 0 : keymap_set1(usage, true, code);

		if (!n || usage == 49) /* 49 and 50 are one key with two places */
			continue;
		ck_assert(!seen[(n - 1) << 8 | code[n - 1]]);
		seen[(n - 1) << 8 | code[n - 1]] = true;
		keys++;
	}
	ck_assert_uint_ge(keys, 102);
}
END_TEST

START_TEST(feed)
{
	static struct input_feed f;
	u8 much[INPUT_FEED] = {1};

	ck_assert(input_feed_put(&f, much, 1000));
	ck_assert(!input_feed_put(&f, much, 25)); /* all or nothing */
	ck_assert(input_feed_put(&f, much, 24));
	ck_assert_uint_eq(f.count, INPUT_FEED);
}
END_TEST

#ifdef HAVE_SDL2
#include <SDL.h>

static struct pc *pc;
static struct window *w;

static void setup(void)
{
	struct error err = {""};
	struct window_board board;
	struct pc_config cfg = {.ram_size = 2 << 20, .cpus = 1, .uarts = 2, .vga = true};

	setenv("SDL_VIDEODRIVER", "dummy", 1);
	pc = calloc(1, sizeof *pc);
	ck_assert(x86_model_parse(&cfg.model, "zen", &err));
	ck_assert(pc_init(pc, &cfg, &err));
	board = window_of_pc(pc);
	w = window_open(&board, "test", NULL, &err);
	ck_assert_msg(w, "%s", err.msg);
}

static void teardown(void)
{
	window_close(w);
	pc_free(pc);
	free(pc);
}

static void key(SDL_Scancode code, bool down, u16 mod)
{
	SDL_Event e = {.key = {.type = down ? SDL_KEYDOWN : SDL_KEYUP, .keysym = {.scancode = code, .mod = mod}}};

	SDL_PushEvent(&e);
}

static void window_event(u8 what)
{
	SDL_Event e = {.window = {.type = SDL_WINDOWEVENT, .event = what}};

	SDL_PushEvent(&e);
}

/* What the guest has got of it, from the keyboard and, | 100h, from the mouse; -1: nothing more. */
static int guest(void)
{
	struct machine *m = &pc->machine;
	u8 status;

	window_look(w);
	input_poll(&m->input, m->sched.now, m->s.icount);
	m->sched.now += 1000000;
	sched_fire(&m->sched);
	status = (u8)space_read(&pc->io, 0x64, 1);
	if (!(status & 1))
		return -1;
	return (int)space_read(&pc->io, 0x60, 1) | (status & 0x20 ? 0x100 : 0);
}

START_TEST(keys_reach_the_guest)
{
	key(SDL_SCANCODE_DELETE, true, 0);
	key(SDL_SCANCODE_DELETE, false, 0);
	key(SDL_SCANCODE_AUDIOPLAY, true, 0); /* not on a PC's keyboard */
	key(SDL_SCANCODE_Z, false, 0);        /* was never down */
	ck_assert_int_eq(guest(), 0xe0);
	ck_assert_int_eq(guest(), 0x53);
	ck_assert_int_eq(guest(), 0xe0);
	ck_assert_int_eq(guest(), 0xd3);
	ck_assert_int_eq(guest(), -1);
	key(SDL_SCANCODE_LSHIFT, true, 0);
	window_event(SDL_WINDOWEVENT_FOCUS_LOST); /* nothing stays down */
	ck_assert_int_eq(guest(), 0x2a);
	ck_assert_int_eq(guest(), 0xaa);
	ck_assert_int_eq(guest(), -1);
	key(SDL_SCANCODE_G, true, KMOD_LCTRL | KMOD_LALT); /* the window's own */
	key(SDL_SCANCODE_G, false, KMOD_LCTRL | KMOD_LALT);
	ck_assert_int_eq(guest(), -1);
}
END_TEST

START_TEST(many_keys_wait)
{
	for (unsigned i = 0; i < 100; i++) {
		key(SDL_SCANCODE_A, true, 0);
		key(SDL_SCANCODE_A, false, 0);
	}
	for (unsigned i = 0; i < 100; i++) {
		ck_assert_int_eq(guest(), 0x1e);
		ck_assert_int_eq(guest(), 0x9e);
	}
	ck_assert_int_eq(guest(), -1);
}
END_TEST

START_TEST(mouse_reaches_the_guest)
{
	SDL_Event move = {.motion = {.type = SDL_MOUSEMOTION, .xrel = 200, .yrel = 3}};

	space_write(&pc->io, 0x64, 1, 0xd4);
	space_write(&pc->io, 0x60, 1, 0xf4);
	ck_assert_int_eq(guest(), 0x1fa);
	SDL_PushEvent(&move); /* the mouse is not the guest's yet */
	ck_assert_int_eq(guest(), -1);
	key(SDL_SCANCODE_G, true, KMOD_LCTRL | KMOD_LALT);
	ck_assert_int_eq(guest(), -1);
	SDL_FlushEvents(SDL_FIRSTEVENT, SDL_LASTEVENT); /* what taking the mouse has moved */
	SDL_PushEvent(&move);
	ck_assert_int_eq(guest(), 0x128);
	ck_assert_int_eq(guest(), 0x100 | 127); /* as far as a message goes */
	ck_assert_int_eq(guest(), 0x100 | 0xfd);
	ck_assert_int_eq(guest(), 0x108);
	ck_assert_int_eq(guest(), 0x100 | 73);
	ck_assert_int_eq(guest(), 0x100);
	ck_assert_int_eq(guest(), -1);
}
END_TEST

START_TEST(closing_stops_the_machine)
{
	SDL_Event quit = {.type = SDL_QUIT};

	window_look(w);
	ck_assert_int_eq(pc->machine.stop, STOP_NONE);
	SDL_PushEvent(&quit);
	window_look(w);
	ck_assert_int_eq(pc->machine.stop, STOP_CLOSED);
}
END_TEST

static void add_window(Suite *s)
{
	TCase *tc = tcase_create("window");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, keys_reach_the_guest);
	tcase_add_test(tc, many_keys_wait);
	tcase_add_test(tc, mouse_reaches_the_guest);
	tcase_add_test(tc, closing_stops_the_machine);
	suite_add_tcase(s, tc);
}
#else
static void add_window(Suite *s) { (void)s; }
#endif

int main(void)
{
	Suite *s = suite_create("window");
	TCase *tc = tcase_create("keys");
	SRunner *r;
	int failed;

	tcase_add_test(tc, keymap);
	tcase_add_test(tc, feed);
	suite_add_tcase(s, tc);
	add_window(s);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
