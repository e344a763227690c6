/*
 * The window (-display sdl): the guest's screen scaled by whole numbers, keys by their place, the mouse while it is
 * grabbed (a click or Ctrl+Alt+G grabs, Ctrl+Alt+G releases). Everything typed goes to the machine's input queue. Built
 * with SDL2 only.
 */
#ifndef UI_WINDOW_H
#define UI_WINDOW_H

#include "base/error.h"
#include "devices/picture.h"
#include "machine/pc.h"
#include "ui/panes.h"

struct window;

/* What a window needs of a board. */
struct window_board {
	struct machine *machine;
	struct picture picture;
	void *keyboard, *mouse;
	unsigned (*key_room)(const void *keyboard); /* bytes of scan codes of set 1 */
	void (*key_receive)(void *keyboard, u8 byte);
	void (*mouse_receive)(void *mouse, u8 byte); /* of messages for ps2_mouse_receive */
};

/* The name and version of the library, or NULL: built without. */
const char *window_library(void);
/* Opens the window; from then on the machine asks for it while it runs. name: for the title, or NULL; panes: to show
 * beside the screen, or NULL. NULL: error. */
struct window *window_open(const struct window_board *board, const char *name, struct panes *panes, struct error *err);
/* Handles events and shows the screen; returns at once. For whoever stops the machine: machine.window has this form. */
void window_look(void *window);
void window_close(struct window *w);
struct window_board window_of_pc(struct pc *pc);

#endif
