/* A picture to draw on: rectangles, lines and text in the program's own fonts. Whatever lies outside is cut off. */
#ifndef UI_CANVAS_H
#define UI_CANVAS_H

#include "base/types.h"

struct canvas {
	u32 *pixels; /* 00RRGGBBh, rows of width */
	int width, height;
};

#define CANVAS_SMALL   10 /* height of a line of small text */
#define CANVAS_SMALL_W 6
#define CANVAS_LARGE   16

void canvas_fill(struct canvas *c, int x, int y, int w, int h, u32 rgb);
void canvas_frame(struct canvas *c, int x, int y, int w, int h, u32 rgb);
void canvas_line(struct canvas *c, int x0, int y0, int x1, int y1, u32 rgb);
/* Up to n characters of UTF-8 text (cut at a newline), its upper left corner at x, y; returns where it ends. */
int canvas_text(struct canvas *c, int x, int y, const char *s, unsigned n, bool large, u32 rgb);

#endif
