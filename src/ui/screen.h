/*
 * The text screen on a terminal without a window: -display text prints lines when they have changed and settled, or
 * scroll away;
 * --dump-screen writes all of it. The VGA is only looked at.
 */
#ifndef UI_SCREEN_H
#define UI_SCREEN_H

#include <stdio.h>

#include "base/error.h"
#include "devices/vga_text.h"

#define SCREEN_ROWS      60
#define SCREEN_PERIOD_NS 100000 /* of virtual time between two looks */
#define SCREEN_SETTLED   20     /* looks without change after which a line is printed */

struct screen_line {
	char text[VGA_TEXT_LINE]; /* as last seen, without trailing blanks */
	unsigned settled;         /* looks since it changed */
	bool printed;
};

struct screen {
	const struct vga *vga;
	FILE *out;
	unsigned rows;
	struct screen_line line[SCREEN_ROWS];
};

void screen_init(struct screen *s, const struct vga *vga, FILE *out);
/* To be called each SCREEN_PERIOD_NS; the form of machine_tick.look. */
void screen_look(void *screen);
/* Prints what has not been printed. */
void screen_end(struct screen *s);
bool screen_dump(const struct vga *vga, const char *path, struct error *err);

#endif
