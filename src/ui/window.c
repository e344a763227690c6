/* See window.h. Host clock and host input live here; the guest gets bytes of scan codes and mouse messages, nothing
 * else. */
#include "ui/window.h"

#include "devices/vga_render.h"

static unsigned pc_key_room(const void *kbd) { return i8042_key_room(kbd); }
static void pc_key_receive(void *kbd, u8 byte) { i8042_key(kbd, byte); }
static void pc_mouse_receive(void *kbd, u8 byte) { i8042_mouse_byte(kbd, byte); }

struct window_board window_of_pc(struct pc *pc)
{
	return (struct window_board){&pc->machine, vga_screen(&pc->vga), &pc->kbd, &pc->kbd, pc_key_room, pc_key_receive, pc_mouse_receive};
}

#ifndef HAVE_SDL2

const char *window_library(void) { return NULL; }

struct window *window_open(const struct window_board *board, const char *name, struct panes *panes, struct error *err)
{
	(void)board, (void)name, (void)panes;
	error_set(err, "-display sdl: this program was built without SDL2 (package libsdl2-dev)");
	return NULL;
}

void window_look(void *window) { (void)window; }
void window_close(struct window *w) { (void)w; }

#else

#include "ui/keymap.h"

#include <SDL.h>
#include <stdlib.h>

#define FRAME_MS 16
#define TITLE_MS 1000
#define PANES_MS 100
#define KEYS     256
#define MESSAGE  4 /* bytes of a mouse message: see ps2_mouse_receive */
#define MOTION   127

struct window {
	struct window_board board;
	struct panes *panes; /* or NULL */
	const char *name;
	SDL_Window *window;
	SDL_Renderer *renderer;
	SDL_Texture *texture;
	struct picture_size screen; /* the guest's */
	struct picture_size size;   /* of texture: the screen, or all panes */
	u32 *pixels;
	u64 shown; /* hash of what is shown */
	bool grabbed, stale;
	bool stepping, was_stepwise;
	u8 down[KEYS]; /* keys that the guest has been told are down */
	u8 buttons;
	struct input_feed keys, mouse;
	u32 frame_at, title_at; /* SDL ticks */
	u64 title_icount;
};

const char *window_library(void)
{
	static char text[32];
	SDL_version v;

	SDL_GetVersion(&v);
	snprintf(text, sizeof text, "SDL %u.%u.%u", v.major, v.minor, v.patch);
	return text;
}

/* ---- input ---- */

static unsigned mouse_room(const void *mouse)
{
	(void)mouse;
	return MESSAGE; /* movement adds up in the mouse */
}

static void send_key(struct window *w, unsigned usage, bool down)
{
	u8 code[KEYMAP_MAX];
	unsigned n = keymap_set1(usage, down, code);

	if (usage >= KEYS || !n || (!down && !w->down[usage]))
		return;
	if (input_feed_put(&w->keys, code, n))
		w->down[usage] = down;
}

/* The window loses the keyboard: no key stays down for ever. */
static void release_keys(struct window *w)
{
	for (unsigned i = 0; i < KEYS; i++)
		if (w->down[i])
			send_key(w, i, false);
}

static s8 part(int *v)
{
	int p = *v > MOTION ? MOTION : *v < -MOTION ? -MOTION : *v;

	*v -= p;
	return (s8)p;
}

/* dy and dz as PS/2 has them: up, and wheel down, are positive. */
static void send_mouse(struct window *w, int dx, int dy, int dz)
{
	do {
		u8 message[MESSAGE] = {w->buttons, (u8)part(&dx), (u8)part(&dy), (u8)part(&dz)};

		if (!input_feed_put(&w->mouse, message, sizeof message))
			return;
	} while (dx || dy || dz);
}

static void retitle(struct window *w);

static void grab(struct window *w, bool on)
{
	if (w->grabbed == on)
		return;
	w->grabbed = on;
	SDL_SetRelativeMouseMode(on ? SDL_TRUE : SDL_FALSE);
	SDL_SetWindowGrab(w->window, on ? SDL_TRUE : SDL_FALSE);
	if (!on && w->buttons) {
		w->buttons = 0;
		send_mouse(w, 0, 0, 0);
	}
	retitle(w);
}

/* The machine stands between two instructions while the window has the word: see rest(). */
static void step(struct window *w)
{
	struct machine *m = w->board.machine;

	w->stepping = true;
	w->was_stepwise = m->stepwise;
	m->stepwise = true;
	machine_look_soon(m);
}

static void panes_button(struct window *w, enum panes_button b)
{
	if (b == BUTTON_PAUSE)
		w->panes->paused = !w->panes->paused;
	if (b == BUTTON_SWITCH) {
		w->panes->until_switch = true;
		w->panes->paused = false;
	}
	if (b == BUTTON_STEP && w->panes->paused && !w->stepping)
		step(w);
	else if (b == BUTTON_STEP)
		w->panes->paused = true;
	w->stale = true;
	retitle(w);
}

/* Ctrl+Alt and a letter are the window's. */
static bool own_key(struct window *w, SDL_Scancode code)
{
	if (code == SDL_SCANCODE_G)
		grab(w, !w->grabbed);
	else if (code == SDL_SCANCODE_P && w->panes)
		panes_button(w, BUTTON_PAUSE);
	else if (code == SDL_SCANCODE_S && w->panes)
		panes_button(w, BUTTON_STEP);
	else if (code == SDL_SCANCODE_W && w->panes)
		panes_button(w, BUTTON_SWITCH);
	else
		return false;
	return true;
}

static void on_key(struct window *w, const SDL_KeyboardEvent *e)
{
	if (e->keysym.mod & KMOD_CTRL && e->keysym.mod & KMOD_ALT && e->type == SDL_KEYDOWN &&
	    own_key(w, e->keysym.scancode))
		return;
	send_key(w, (unsigned)e->keysym.scancode, e->type == SDL_KEYDOWN);
}

static void on_click(struct window *w, int x, int y)
{
	int sw = (int)w->screen.width, sh = (int)w->screen.height;

	if (!w->panes || (x < sw && y < sh))
		grab(w, true);
	else
		panes_button(w, panes_click(w->panes, x, y, sw, sh));
}

static void on_button(struct window *w, const SDL_MouseButtonEvent *e)
{
	u8 bit = e->button == SDL_BUTTON_LEFT     ? 1
		 : e->button == SDL_BUTTON_RIGHT  ? 2
		 : e->button == SDL_BUTTON_MIDDLE ? 4
						  : 0;

	if (!w->grabbed) {
		if (e->type == SDL_MOUSEBUTTONUP && bit == 1)
			on_click(w, e->x, e->y);
		return;
	}
	w->buttons = e->type == SDL_MOUSEBUTTONDOWN ? w->buttons | bit : w->buttons & (u8)~bit;
	send_mouse(w, 0, 0, 0);
}

static void on_window(struct window *w, const SDL_WindowEvent *e)
{
	if (e->event == SDL_WINDOWEVENT_FOCUS_LOST) {
		release_keys(w);
		grab(w, false);
	}
	w->stale = true; /* exposed, resized */
}

static void on_event(struct window *w, const SDL_Event *e)
{
	switch (e->type) {
	case SDL_QUIT:
		w->board.machine->window_closed = true;
		machine_stop(w->board.machine, STOP_CLOSED);
		break;
	case SDL_KEYDOWN:
	case SDL_KEYUP: on_key(w, &e->key); break;
	case SDL_MOUSEBUTTONDOWN:
	case SDL_MOUSEBUTTONUP: on_button(w, &e->button); break;
	case SDL_MOUSEMOTION:
		if (w->grabbed)
			send_mouse(w, e->motion.xrel, -e->motion.yrel, 0);
		break;
	case SDL_MOUSEWHEEL:
		if (w->grabbed)
			send_mouse(w, 0, 0, -e->wheel.y);
		break;
	case SDL_WINDOWEVENT: on_window(w, &e->window); break;
	default: break;
	}
}

/* ---- the picture ---- */

static void retitle(struct window *w)
{
	u64 icount = w->board.machine->s.icount;
	u32 now = SDL_GetTicks(), ms = now - w->title_at;
	char text[160], speed[32];

	snprintf(speed, sizeof speed, "%llu MIPS",
		 (unsigned long long)((icount - w->title_icount) / 1000 / (ms ? ms : 1)));
	if (w->board.machine->stop)
		strcpy(speed, "stopped"); /* a debugger has the word */
	else if (w->panes && w->panes->paused)
		strcpy(speed, "paused");
	snprintf(text, sizeof text, "Undervisor%s%s: %s%s", w->name ? " " : "", w->name ? w->name : "", speed,
		 w->grabbed ? " (Ctrl+Alt+G releases the mouse)" : "");
	SDL_SetWindowTitle(w->window, text);
	w->title_at = now;
	w->title_icount = icount;
}

/* A small picture is shown at twice its size. */
static bool resize(struct window *w, struct picture_size size)
{
	unsigned scale = !w->panes && size.width < 512 && size.height < 400 ? 2 : 1;
	SDL_Texture *t = SDL_CreateTexture(w->renderer, SDL_PIXELFORMAT_RGB888, SDL_TEXTUREACCESS_STREAMING,
					   (int)size.width, (int)size.height);
	u32 *pixels = t ? malloc((size_t)size.width * size.height * sizeof *pixels) : NULL;

	if (!pixels) {
		if (t)
			SDL_DestroyTexture(t);
		return false;
	}
	free(w->pixels);
	w->pixels = pixels;
	if (w->texture)
		SDL_DestroyTexture(w->texture);
	w->texture = t;
	w->size = size;
	if (!(SDL_GetWindowFlags(w->window) & (SDL_WINDOW_FULLSCREEN | SDL_WINDOW_MAXIMIZED)))
		SDL_SetWindowSize(w->window, (int)(size.width * scale), (int)(size.height * scale));
	return true;
}

static struct picture_size whole_size(const struct window *w, struct picture_size screen)
{
	int width, height;

	if (!w->panes)
		return screen;
	panes_size((int)screen.width, (int)screen.height, &width, &height);
	return (struct picture_size){(unsigned)width, (unsigned)height};
}

static void paint(struct window *w)
{
	struct canvas c = {w->pixels, (int)w->size.width, (int)w->size.height};

	if (w->panes)
		panes_draw(w->panes, &c, (int)w->screen.width, (int)w->screen.height);
	w->board.picture.render(w->board.picture.dev, w->pixels, w->size.width);
	SDL_RenderSetLogicalSize(w->renderer, (int)w->size.width,
				 (int)w->size.height); /* the window may have changed */
	SDL_RenderSetIntegerScale(w->renderer, SDL_TRUE);
	SDL_UpdateTexture(w->texture, NULL, w->pixels, (int)(w->size.width * sizeof *w->pixels));
	SDL_SetRenderDrawColor(w->renderer, 0, 0, 0, 255);
	SDL_RenderClear(w->renderer);
	SDL_RenderCopy(w->renderer, w->texture, NULL, NULL);
	SDL_RenderPresent(w->renderer);
}

/* What has changed is found by a hash: clearing the pages' dirty bits would cost the guest its translations. */
static void show(struct window *w)
{
	const struct picture *p = &w->board.picture;
	struct picture_size size = whole_size(w, p->size(p->dev));
	u64 hash = p->hash(p->dev) + (w->panes ? w->board.machine->s.icount : 0);

	w->screen = p->size(p->dev);
	if (size.width != w->size.width || size.height != w->size.height) {
		if (!resize(w, size))
			return;
		w->stale = true;
	}
	if (hash == w->shown && !w->stale)
		return;
	paint(w);
	w->shown = hash;
	w->stale = false;
}

static void look(struct window *w)
{
	SDL_Event e;
	u32 now;

	while (SDL_PollEvent(&e))
		on_event(w, &e);
	now = SDL_GetTicks();
	if (now - w->frame_at >= (w->panes && !w->stale ? PANES_MS : FRAME_MS)) {
		w->frame_at = now;
		show(w);
	}
	if (now - w->title_at >= TITLE_MS)
		retitle(w);
}

/* Paused: the machine waits in here, until it is to go on, to end, or to execute one instruction and come back. */
static void rest(struct window *w)
{
	struct machine *m = w->board.machine;

	if (w->stepping) {
		w->stepping = false;
		m->stepwise = w->was_stepwise;
		w->stale = true;
	}
	while (w->panes->paused && !w->stepping && !m->stop && !m->interrupted) {
		SDL_WaitEventTimeout(NULL, FRAME_MS);
		look(w);
		if (m->host_poll)
			m->host_poll(m->host_arg);
	}
	if (m->interrupted)
		machine_stop(m, STOP_SIGNAL);
}

void window_look(void *window)
{
	struct window *w = window;

	look(w);
	if (w->panes && (w->panes->paused || w->stepping))
		rest(w);
}

/* ---- life ---- */

/* SDL falls back to drivers that show nothing. */
static bool invisible(const char *driver)
{
	return !driver || !strcmp(driver, "dummy") || !strcmp(driver, "offscreen") || !strcmp(driver, "evdev");
}

static bool open_sdl(struct window *w, struct error *err)
{
	struct picture_size size;

	SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1"); /* signals are main.c's */
	SDL_SetHintWithPriority(SDL_HINT_RENDER_DRIVER, "software", SDL_HINT_DEFAULT);
	SDL_SetHint(SDL_HINT_RENDER_SCALE_QUALITY, "nearest");
	SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
	if (SDL_Init(SDL_INIT_VIDEO) < 0)
		return error_set(err, "-display sdl: %s", SDL_GetError());
	if (!SDL_getenv("SDL_VIDEODRIVER") && invisible(SDL_GetCurrentVideoDriver()))
		return error_set(err, "-display sdl: there is no display (DISPLAY and WAYLAND_DISPLAY are not set)");
	SDL_EnableScreenSaver();
	w->screen = w->board.picture.size(w->board.picture.dev);
	size = whole_size(w, w->screen);
	w->window = SDL_CreateWindow("Undervisor", SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED, (int)size.width,
				     (int)size.height, SDL_WINDOW_RESIZABLE);
	w->renderer = w->window ? SDL_CreateRenderer(w->window, -1, 0) : NULL;
	if (!w->renderer || !resize(w, size))
		return error_set(err, "-display sdl: %s", SDL_GetError());
	return true;
}

struct window *window_open(const struct window_board *board, const char *name, struct panes *panes, struct error *err)
{
	struct window *w = calloc(1, sizeof *w);
	struct machine *m = board->machine;

	if (!w) {
		error_set(err, "-display sdl: no memory");
		return NULL;
	}
	w->board = *board;
	w->name = name;
	w->panes = panes;
	w->stale = true;
	if (!open_sdl(w, err) || !input_add_feed(&m->input, &w->keys, board->keyboard, board->key_room, board->key_receive) ||
	    !input_add_feed(&m->input, &w->mouse, board->mouse, mouse_room, board->mouse_receive)) {
		window_close(w);
		return NULL;
	}
	m->window = window_look;
	m->window_arg = w;
	retitle(w);
	show(w);
	return w;
}

void window_close(struct window *w)
{
	if (!w)
		return;
	w->board.machine->window = NULL;
	grab(w, false);
	if (w->texture)
		SDL_DestroyTexture(w->texture);
	if (w->renderer)
		SDL_DestroyRenderer(w->renderer);
	if (w->window)
		SDL_DestroyWindow(w->window);
	SDL_Quit();
	free(w->pixels);
	free(w);
}

#endif
