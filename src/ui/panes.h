/*
 * The debugger's panes beside the guest's screen: the live walk of an address, registers, the VMCB (ARM: the TLB), events, and the
 * memory behind a cell of the walk that was clicked. Pure: they look at the machine, draw on a canvas and tell what a
 * click means; they change nothing of the machine, and stop it only. The window shows them with -display sdl,panes=on.
 */
#ifndef UI_PANES_H
#define UI_PANES_H

#include "debug/hub.h"
#include "debug/walk_draw.h"
#include "debug/walk_look.h"
#include "ui/canvas.h"

#define PANES_MEMORY_NONE (~0ull)

enum panes_target { TARGET_RIP, TARGET_RSP, TARGET_CR2, TARGETS }; /* ARM: pc, sp, FAR */
enum panes_button {
	BUTTON_NONE,
	BUTTON_PAUSE,
	BUTTON_STEP,
	BUTTON_SWITCH,
	BUTTON_RIP,
	BUTTON_RSP,
	BUTTON_CR2,
	BUTTON_WORLD,
	BUTTONS
};

struct panes {
	const struct target *t;
	bool paused;
	bool until_switch;    /* runs to the next VMRUN or #VMEXIT; ARM: to another mode */
	u8 target;            /* enum panes_target */
	u8 world;             /* WORLD_NOW, _HOST or _GUEST; ARM: of the present mode, privileged or User */
	u64 memory;           /* system-physical address that the memory pane shows, or PANES_MEMORY_NONE */
	unsigned row, column; /* the cell that was clicked */
	struct walk_shot shot;
	struct walk_view view;
	struct walk_drawing drawing;
	bool has_walk;
	char text[16384];
};

/* Hears events through hub, so that there are some to show. */
void panes_init(struct panes *p, struct hub *hub);
/* The size of everything with a screen of that size. */
void panes_size(int screen_w, int screen_h, int *w, int *h);
/* Looks at the machine and draws all but the screen, which is the caller's upper left corner. */
void panes_draw(struct panes *p, struct canvas *c, int screen_w, int screen_h);
/* A click at x, y. Targets, the world and cells are dealt with; pause and step are told to the caller. */
enum panes_button panes_click(struct panes *p, int x, int y, int screen_w, int screen_h);

#endif
