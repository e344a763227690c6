/*
 * A VGA's registers, as far as text modes go: CRT controller, sequencer, graphics, attribute and DAC register files at
 * ports 3B0h-3DFh, retrace by virtual time. The video memory is the board's: 128 KB of RAM at A0000h; the functions
 * below read the text from it. After reset the registers are those of mode 3 (80x25, colour), so that no BIOS is
 * needed.
 */
#ifndef DEVICES_VGA_TEXT_H
#define DEVICES_VGA_TEXT_H

#include "base/field.h"
#include "base/sched.h"
#include "mmu/space.h"

#define VGA_PORT      0x3b0
#define VGA_PORTS     0x30
#define VGA_VRAM      0xa0000
#define VGA_VRAM_SIZE 0x20000
#define VGA_TEXT_COLS 132 /* at most */
#define VGA_TEXT_LINE (VGA_TEXT_COLS * 3 + 1)

struct vga_text_state {
	u8 crtc[32], seq[8], gr[16], attr[32], dac[768];
	u8 crtc_index, seq_index, gr_index, attr_index;
	u8 attr_data; /* the next write of 3C0h is data */
	u8 misc, feature, enable;
	u8 dac_mask, dac_read, dac_write, dac_step;
	u8 dac_reading; /* 3C7h was written last */
	u8 pad[3];
};

struct vga_text {
	struct vga_text_state s;
	struct sched *sched;
};

/* Character as code page 437, attribute: foreground 3:0, background 6:4, blink or bright background 7. */
struct vga_cell {
	u8 ch, attr;
};

extern const struct region_ops vga_text_ops; /* VGA_PORT, VGA_PORTS */
#define VGA_TEXT_FIELDS 19
extern const struct field vga_text_fields[VGA_TEXT_FIELDS];

void vga_text_init(struct vga_text *v, struct sched *sched);
void vga_text_reset(struct vga_text *v);

/* All below: vram is the host address of A0000h. */
/* Whether a text mode is set (else there is nothing to read), and its size: 80 and 25 in mode 3. */
bool vga_text_mode(const struct vga_text *v);
unsigned vga_text_cols(const struct vga_text *v);
unsigned vga_text_rows(const struct vga_text *v);
struct vga_cell vga_text_cell(const struct vga_text *v, const u8 *vram, unsigned row, unsigned col);
/* Row as UTF-8, all columns, NUL-terminated; buf has VGA_TEXT_LINE bytes. Returns its length. */
unsigned vga_text_line(const struct vga_text *v, const u8 *vram, unsigned row, char *buf);
/* Where the cursor is; false when it is off or outside of the screen. */
bool vga_text_cursor(const struct vga_text *v, unsigned *row, unsigned *col);
/* Colour 0..15 of an attribute as 0xRRGGBB, through palette and DAC. */
u32 vga_text_rgb(const struct vga_text *v, unsigned colour);
/* The UTF-8 sequence (NUL-terminated) of a character of code page 437. */
const char *vga_text_utf8(u8 ch);

#endif
