/* See canvas.h. The fonts are those of devices/vga_font.h: 6x8 for small text, 8x16 for large. */
#include "ui/canvas.h"

#include "devices/vga_font.h"

#include <stdlib.h>

static void dot(struct canvas *c, int x, int y, u32 rgb)
{
	if (x >= 0 && y >= 0 && x < c->width && y < c->height)
		c->pixels[(size_t)y * (size_t)c->width + (size_t)x] = rgb;
}

static int cut(int v, int limit) { return v < 0 ? 0 : v > limit ? limit : v; }

void canvas_fill(struct canvas *c, int x, int y, int w, int h, u32 rgb)
{
	int right = cut(x + w, c->width), bottom = cut(y + h, c->height);

	for (int j = cut(y, c->height); j < bottom; j++)
		for (int i = cut(x, c->width); i < right; i++)
			c->pixels[(size_t)j * (size_t)c->width + (size_t)i] = rgb;
}

void canvas_frame(struct canvas *c, int x, int y, int w, int h, u32 rgb)
{
	canvas_fill(c, x, y, w, 1, rgb);
	canvas_fill(c, x, y + h - 1, w, 1, rgb);
	canvas_fill(c, x, y, 1, h, rgb);
	canvas_fill(c, x + w - 1, y, 1, h, rgb);
}

void canvas_line(struct canvas *c, int x0, int y0, int x1, int y1, u32 rgb)
{
	int dx = x1 - x0, dy = y1 - y0, steps = abs(dx) > abs(dy) ? abs(dx) : abs(dy);

	for (int i = 0; i <= steps; i++)
		dot(c, steps ? x0 + dx * i / steps : x0, steps ? y0 + dy * i / steps : y0, rgb);
}

/* What the texts of walks use beyond ASCII, in code page 437 or something like it. */
static const struct {
	const char *utf8;
	u8 ch;
} others[] = {{"×", 'x'}, {"→", '>'}, {"←", '<'}, {"–", '-'}, {"—", '-'},
	      {"…", '.'}, {"·", '.'}, {"─", '-'}, {"│", '|'}, {"’", '\''}};

/* The next character; *s goes behind it. */
static u8 next_char(const char **s)
{
	for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
		size_t n = strlen(others[i].utf8);

		if (!strncmp(*s, others[i].utf8, n)) {
			*s += n;
			return others[i].ch;
		}
	}
	return (u8) * (*s)++;
}

static void glyph(struct canvas *c, int x, int y, u8 ch, bool large, u32 rgb)
{
	u8 rows[VGA_FONT_HEIGHT] = {0};
	int height = large ? VGA_FONT_HEIGHT : VGA_FONT_SMALL;

	if (large)
		vga_font_glyph(ch, rows);
	else
		vga_font_small(ch, rows);
	for (int j = 0; j < height; j++)
		for (int i = 0; i < 8; i++)
			if (rows[j] >> (7 - i) & 1)
				dot(c, x + i, y + j, rgb);
}

int canvas_text(struct canvas *c, int x, int y, const char *s, unsigned n, bool large, u32 rgb)
{
	for (; n && *s && *s != '\n'; n--, x += large ? 8 : CANVAS_SMALL_W)
		glyph(c, x, y, next_char(&s), large, rgb);
	return x;
}
