/*
 * The text in a VGA's text mode: characters and attributes by row and column, as UTF-8, and the cursor. For a screen on
 * a terminal; pictures are vga_render.h.
 */
#ifndef DEVICES_VGA_TEXT_H
#define DEVICES_VGA_TEXT_H

#include "devices/vga.h"

#define VGA_TEXT_COLS 132 /* at most */
#define VGA_TEXT_LINE (VGA_TEXT_COLS * 3 + 1)

/* Character as code page 437, attribute: foreground 3:0, background 6:4, blink or bright background 7. */
struct vga_cell {
	u8 ch, attr;
};

/* Whether a text mode is set (else there is nothing to read), and its size: 80 and 25 in mode 3. */
bool vga_text_mode(const struct vga *v);
unsigned vga_text_cols(const struct vga *v);
unsigned vga_text_rows(const struct vga *v);
struct vga_cell vga_text_cell(const struct vga *v, unsigned row, unsigned col);
/* Row as UTF-8, all columns, NUL-terminated; buf has VGA_TEXT_LINE bytes. Returns its length. */
unsigned vga_text_line(const struct vga *v, unsigned row, char *buf);
/* Where the cursor is; false when it is off or outside of the screen. */
bool vga_text_cursor(const struct vga *v, unsigned *row, unsigned *col);
/* The UTF-8 sequence (NUL-terminated) of a character of code page 437. */
const char *vga_text_utf8(u8 ch);

#endif
