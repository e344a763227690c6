/*
 * A font of our own for code page 437, for machines that start without a BIOS and for the text that the user interface
 * draws. Letters are 5x7 patterns, lines and blocks are drawn by rule; accented letters are plain ones, and what has no
 * pattern is a hollow box.
 */
#ifndef DEVICES_VGA_FONT_H
#define DEVICES_VGA_FONT_H

#include "base/types.h"

#define VGA_FONT_HEIGHT 16
#define VGA_FONT_SMALL  8

/* 8 pixels in a row, the leftmost in bit 7. */
void vga_font_glyph(u8 ch, u8 glyph[VGA_FONT_HEIGHT]);
/* The same in cells of 6x8: the leftmost pixel in bit 7, bits 1:0 are 0. ASCII only. */
void vga_font_small(u8 ch, u8 glyph[VGA_FONT_SMALL]);

#endif
