/*
 * See vga_render.h. Manual: IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem": CRT controller (start
 * address, offset, row scan, line compare, preset row scan, cursor), attribute controller (palette, panning, blink),
 * and the shift registers of the graphics controller.
 */
#include "devices/vga_render.h"

#include <xxhash.h>

#define CHARS_MAX    257 /* of a row, one more than is shown: panning */
#define CELL_DOTS    9
#define BLINK_FRAMES 16 /* what blinks is on for so many frames, and off; the cursor is twice as fast */

/* What a picture is made with: registers in ready form. */
struct beam {
	const struct vga *v;
	u32 colour[256]; /* 00RRGGBBh */
	u8 palette[16];  /* of the attribute controller, as index of colour */
	unsigned columns, dots;
	unsigned repeat;     /* scan lines that a row of the picture stands for */
	unsigned row_height; /* rows of the picture that share an address */
	u32 pitch;           /* between two of those, in offsets of a plane */
	unsigned panning;    /* pixels to the left */
	bool blink_off;
};

/* ---- colours ---- */

static u32 dac_colour(const struct vga_state *s, unsigned i)
{
	const u8 *d = s->dac + (i & s->dac_mask & 0xff) * 3;
	u32 rgb = 0;

	for (unsigned c = 0; c < 3; c++)
		rgb = rgb << 8 |
		      (s->dispi[DISPI_ENABLE] & DISPI_8BIT_DAC ? d[c] : (d[c] & 63u) << 2 | (d[c] & 63u) >> 4);
	return rgb;
}

/* The colour select register gives bits 7:6, and with bit 7 of the mode register also 5:4. */
static u8 palette_entry(const struct vga_state *s, unsigned i)
{
	unsigned select = s->attr[ATTR_COLOUR_SELECT], e = s->attr[i & s->attr[ATTR_PLANES] & 15] & 0x3f;

	if (s->attr[ATTR_MODE] & 0x80)
		e = (e & 15) | (select & 3) << 4;
	return (u8)(e | (select & 12) << 4);
}

/* ---- geometry ---- */

static bool text_mode(const struct vga_state *s) { return !(s->gr[GR_MISC] & 1) && !vga_dispi_on(s); }
static bool colours_256(const struct vga_state *s) { return s->gr[GR_MODE] & 0x40; }
/* The row scan counter takes the place of address bit 13 or 14: CGA and Hercules modes. */
static bool interleaved(const struct vga_state *s) { return (s->crtc[CRTC_MODE] & 3) != 3; }

static unsigned char_dots(const struct vga_state *s)
{
	if (text_mode(s))
		return s->seq[SEQ_CLOCKING] & 1 ? 8 : 9;
	return colours_256(s) ? 4 : 8;
}

/* Scan lines that look alike: doubled ones, and in graphics those that fetch from the same address. */
static unsigned line_repeat(const struct vga_state *s)
{
	unsigned twice = s->crtc[CRTC_MAXSCAN] & 0x80 ? 2 : 1, height = (s->crtc[CRTC_MAXSCAN] & 31u) + 1;

	return text_mode(s) || interleaved(s) ? twice : twice * height;
}

static unsigned or_one(unsigned n) { return n ? n : 1; }

struct picture_size vga_render_size(const struct vga *v)
{
	const struct vga_state *s = &v->s;

	if (vga_dispi_on(s))
		return (struct picture_size){s->dispi[DISPI_XRES], s->dispi[DISPI_YRES]};
	return (struct picture_size){(s->crtc[CRTC_HDE] + 1u) * char_dots(s), or_one(vga_lines(s) / line_repeat(s))};
}

static unsigned panning(const struct vga_state *s)
{
	unsigned p = s->attr[ATTR_PANNING] & 15;

	if (text_mode(s) && char_dots(s) == 9)
		return p >= 8 ? 0 : p + 1;
	return colours_256(s) ? p >> 1 & 3 : p & 7;
}

static void beam_init(struct beam *b, const struct vga *v)
{
	const struct vga_state *s = &v->s;

	b->v = v;
	for (unsigned i = 0; i < 256; i++)
		b->colour[i] = dac_colour(s, i);
	for (unsigned i = 0; i < 16; i++)
		b->palette[i] = palette_entry(s, i);
	b->columns = s->crtc[CRTC_HDE] + 1u;
	b->dots = char_dots(s);
	b->repeat = line_repeat(s);
	b->row_height = text_mode(s) || interleaved(s) ? (s->crtc[CRTC_MAXSCAN] & 31u) + 1 : 1;
	b->pitch = s->crtc[CRTC_OFFSET] * 2u;
	b->panning = panning(s);
	b->blink_off = vga_frames(v) / BLINK_FRAMES & 1;
}

/* ---- one row of pixels ---- */

/* Where the fonts lie in plane 2: the character map select register's two numbers. */
static u32 font_start(const struct vga_state *s, bool second)
{
	unsigned r = s->seq[SEQ_FONT], n = second ? (r >> 2 & 3) | (r >> 3 & 4) : (r & 3) | (r >> 2 & 4);

	return (n & 3) * 0x4000 + (n & 4 ? 0x2000 : 0);
}

/* Row `row` of the cursor's cell is filled. */
static bool cursor_in_row(const struct beam *b, unsigned row)
{
	const u8 *c = b->v->s.crtc;

	return !(c[CRTC_CURSOR_START] & 0x20) && row >= (c[CRTC_CURSOR_START] & 31u) &&
	       row <= (c[CRTC_CURSOR_END] & 31u) && !(vga_frames(b->v) / (BLINK_FRAMES / 2) & 1);
}

static u32 cursor_address(const struct vga_state *s)
{
	u32 at = (u32)s->crtc[CRTC_CURSOR] << 8 | s->crtc[CRTC_CURSOR + 1];

	return at + (s->crtc[CRTC_CURSOR_END] >> 5 & 3); /* skew */
}

/* A row of a character's pixels, the leftmost in bit 8: the ninth is the background, or goes on in line graphics. */
static unsigned glyph_row(const struct beam *b, u32 cell, unsigned row)
{
	const struct vga_state *s = &b->v->s;
	u8 ch = (u8)cell, attr = (u8)(cell >> 8);
	u8 bits8 = (u8)(vga_planes(b->v, font_start(s, attr & 8) + ch * 32u + row) >> 16);
	bool line = s->attr[ATTR_MODE] & 4 && ch >= 0xc0 && ch <= 0xdf;

	if ((attr & 7) == 1 && row == (s->crtc[CRTC_UNDERLINE] & 31u))
		return 0x1ff;
	if (attr & 0x80 && s->attr[ATTR_MODE] & 8 && b->blink_off)
		return 0;
	return (unsigned)bits8 << 1 | (line && bits8 & 1);
}

static void text_row(const struct beam *b, u32 addr, unsigned row, u32 *out)
{
	const struct vga_state *s = &b->v->s;
	u32 cursor = cursor_in_row(b, row) ? cursor_address(s) : ~0u;

	for (unsigned i = 0; i <= b->columns; i++) {
		u32 at = (addr + i) & 0xffff, cell = vga_planes(b->v, at);
		unsigned glyph = at == cursor ? 0x1ff : glyph_row(b, cell, row);
		unsigned back = cell >> 12 & (s->attr[ATTR_MODE] & 8 ? 7 : 15);
		u32 fg = b->colour[b->palette[cell >> 8 & 15]], bg = b->colour[b->palette[back]];

		for (unsigned x = 0; x < b->dots; x++)
			*out++ = glyph >> (8 - x) & 1 ? fg : bg;
	}
}

/* Four planes, a bit of each is a pixel. */
static void planar_row(const struct beam *b, u32 addr, u32 *out, unsigned columns)
{
	for (unsigned i = 0; i < columns; i++) {
		u32 p = vga_planes(b->v, addr + i);

		for (unsigned x = 8; x--;)
			*out++ = b->colour[b->palette[(p >> x & 1) | (p >> (x + 7) & 2) | (p >> (x + 14) & 4) |
						      (p >> (x + 21) & 8)]];
	}
}

/* CGA: planes 0 and 1 in turns hold two bits a pixel, planes 2 and 3 the upper two. */
static void cga_row(const struct beam *b, u32 addr, u32 *out)
{
	for (unsigned i = 0; i <= b->columns; i++) {
		u32 p = vga_planes(b->v, addr + i);

		for (unsigned x = 0; x < 8; x++) {
			unsigned shift = (x & 4 ? 8 : 0) + 6 - (x & 3) * 2;

			*out++ = b->colour[b->palette[(p >> shift & 3) | (p >> (shift + 16) & 3) << 2]];
		}
	}
}

/* A byte of each plane in turn. */
static void byte_row(const struct beam *b, u32 addr, u32 *out)
{
	for (unsigned i = 0; i <= b->columns; i++) {
		u32 p = vga_planes(b->v, addr + i);

		for (unsigned x = 0; x < 4; x++)
			*out++ = b->colour[p >> x * 8 & 0xff];
	}
}

static u32 interleave(const struct vga_state *s, u32 addr, unsigned row)
{
	unsigned bit = s->crtc[CRTC_MODE] & 0x40 ? 13 : 12; /* word mode: an offset is two addresses */

	if (!(s->crtc[CRTC_MODE] & 1))
		addr = (addr & ~(1u << bit)) | (row & 1) << bit;
	if (!(s->crtc[CRTC_MODE] & 2))
		addr = (addr & ~(2u << bit)) | (row >> 1 & 1) << (bit + 1);
	return addr;
}

static void graphics_row(const struct beam *b, u32 addr, unsigned row, u32 *out)
{
	const struct vga_state *s = &b->v->s;

	if (interleaved(s))
		addr = interleave(s, addr, row);
	if (colours_256(s))
		byte_row(b, addr, out);
	else if (s->gr[GR_MODE] & 0x20)
		cga_row(b, addr, out);
	else
		planar_row(b, addr, out, b->columns + 1);
}

/* ---- the picture ---- */

static void vga_picture(const struct vga *v, u32 *pixels, size_t pitch, struct picture_size size)
{
	const struct vga_state *s = &v->s;
	u32 buf[CHARS_MAX * CELL_DOTS], addr = vga_start(s) + (s->crtc[CRTC_PRESET_ROW] >> 5 & 3);
	unsigned row = s->crtc[CRTC_PRESET_ROW] & 31, split = vga_line_compare(s);
	struct beam b;

	beam_init(&b, v);
	row = row < b.row_height ? row : 0;
	for (unsigned y = 0; y < size.height; y++) {
		if (text_mode(s))
			text_row(&b, addr, row, buf);
		else
			graphics_row(&b, addr, row, buf);
		memcpy(pixels + y * pitch, buf + b.panning, size.width * sizeof *pixels);
		if (++row == b.row_height) {
			row = 0;
			addr += b.pitch;
		}
		/* The address counter starts again behind the line that line compare names. */
		if (split - y * b.repeat < b.repeat) {
			addr = row = 0;
			b.panning = s->attr[ATTR_MODE] & 0x20 ? 0 : b.panning;
		}
	}
}

static u32 rgb555(u32 p)
{
	return (p & 0x7c00) << 9 | (p & 0x7000) << 4 | (p & 0x3e0) << 6 | (p & 0x380) << 1 | (p & 31) << 3 |
	       (p & 31) >> 2;
}
static u32 rgb565(u32 p)
{
	return (p & 0xf800) << 8 | (p & 0xe000) << 3 | (p & 0x7e0) << 5 | (p & 0x600) >> 1 | (p & 31) << 3 |
	       (p & 31) >> 2;
}

static void linear_row(const struct beam *b, const u8 *p, u32 *out, unsigned width)
{
	unsigned bpp = b->v->s.dispi[DISPI_BPP], size = (bpp + 7) / 8;

	for (unsigned x = 0; x < width; x++, p += size) {
		u32 val = (u32)load_le(p, size);

		out[x] = bpp == 8 ? b->colour[val] : bpp == 15 ? rgb555(val) : bpp == 16 ? rgb565(val) : val & 0xffffff;
	}
}

static void dispi_picture(const struct vga *v, u32 *pixels, size_t pitch, struct picture_size size)
{
	const u16 *r = v->s.dispi;
	u64 bytes = vga_dispi_pitch(&v->s), x = r[DISPI_X_OFFSET], bpp = r[DISPI_BPP];
	struct beam b;

	beam_init(&b, v);
	for (unsigned y = 0; y < size.height; y++) {
		u64 at = (r[DISPI_Y_OFFSET] + y) * bytes + (bpp == 4 ? x / 8 * 4 : x * ((bpp + 7) / 8));

		if (bpp == 4)
			planar_row(&b, (u32)at / 4, pixels + y * pitch, size.width / 8);
		else
			linear_row(&b, v->vram + at, pixels + y * pitch, size.width);
	}
}

/* The attribute controller's or the sequencer's screen is off. */
static bool dark(const struct vga_state *s)
{
	return !vga_dispi_on(s) && (!(s->attr_index & 0x20) || s->seq[SEQ_CLOCKING] & 0x20);
}

void vga_render(const struct vga *v, u32 *pixels, size_t pitch)
{
	struct picture_size size = vga_render_size(v);

	if (dark(&v->s))
		for (unsigned y = 0; y < size.height; y++)
			memset(pixels + y * pitch, 0, size.width * sizeof *pixels);
	else if (vga_dispi_on(&v->s))
		dispi_picture(v, pixels, pitch, size);
	else
		vga_picture(v, pixels, pitch, size);
}

/* Of registers, of what blinks, and of the memory that can be seen. */
u64 vga_render_hash(const struct vga *v)
{
	const struct vga_state *s = &v->s;
	u64 h = field_hash(vga_fields, VGA_FIELDS, s, vga_dispi_on(s) ? 0 : vga_frames(v) / (BLINK_FRAMES / 2));
	u32 pitch = vga_dispi_pitch(s);

	if (vga_dispi_on(s))
		return XXH64(v->vram + (u64)s->dispi[DISPI_Y_OFFSET] * pitch, (size_t)s->dispi[DISPI_YRES] * pitch, h);
	if (!v->text_region->off)
		h = XXH64(v->text, VGA_TEXT_BYTES, h);
	return XXH64(v->vram, 0x40000, h);
}

static struct picture_size picture_size(const void *v) { return vga_render_size(v); }
static void picture_render(const void *v, u32 *pixels, size_t pitch) { vga_render(v, pixels, pitch); }
static u64 picture_hash(const void *v) { return vga_render_hash(v); }

struct picture vga_screen(const struct vga *v) { return (struct picture){v, picture_size, picture_render, picture_hash}; }
