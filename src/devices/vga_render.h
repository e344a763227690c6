/*
 * The picture that a VGA shows, as RGB. Pure: registers, video memory and virtual time in, pixels out; nothing of the
 * device changes. Pixels that the hardware doubles (320 columns, 200 lines) come once; a window scales. The border is
 * left out.
 */
#ifndef DEVICES_VGA_RENDER_H
#define DEVICES_VGA_RENDER_H

#include "devices/picture.h"
#include "devices/vga.h"

/* Up to VGA_WIDTH_MAX x VGA_HEIGHT_MAX, and never more than 32 million pixels. */
struct picture_size vga_render_size(const struct vga *v);
/* Fills width x height pixels 00RRGGBBh of the present size, rows of pitch pixels. */
void vga_render(const struct vga *v, u32 *pixels, size_t pitch);
/* A number that changes when the picture does (except by an accident of hashing). */
u64 vga_render_hash(const struct vga *v);
struct picture vga_screen(const struct vga *v);

#endif
