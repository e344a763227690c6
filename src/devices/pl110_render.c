/*
 * The picture of a PL110: registers and memory in, pixels out; nothing changes. Manual: DDI0161, 2.3 (pixel formats), 3.3 (timing registers).
 * Passive panels show the same picture as active ones.
 */
#include "devices/pl110.h"

#include <xxhash.h>

enum { CTL_ENABLE = 1, CTL_BGR = 0x100, CTL_BEBO = 0x200, CTL_BEPO = 0x400, CTL_POWER = 0x800 };

static bool on(const struct pl110_state *s) { return s->control & CTL_ENABLE && s->control & CTL_POWER && s->upbase; }

/* LCDTiming0 bits 7:2: pixels in units of 16; LCDTiming1 bits 9:0: lines. Before they are set: 640 x 480. */
static struct picture_size pl110_size(const void *dev)
{
	const struct pl110_state *s = &((const struct pl110 *)dev)->s;

	if (!s->timing[0] && !s->timing[1])
		return (struct picture_size){640, 480};
	return (struct picture_size){((s->timing[0] >> 2 & 0x3f) + 1) * 16, (s->timing[1] & 0x3ff) + 1};
}

/* 1, 2, 4, 8, 16, 32, 16 bits a pixel; the last is not the PL110's and taken as 16, too. */
static unsigned depth(const struct pl110_state *s)
{
	static const u8 bits[8] = {1, 2, 4, 8, 16, 32, 16, 16};

	return bits[s->control >> 1 & 7];
}

/* Memory as the controller sees it: what is not RAM is black. */
static void fetch(const struct pl110 *l, u64 pa, u8 *to, size_t n)
{
	while (n) {
		size_t part = PAGE_SIZE - (pa & ~PAGE_MASK);
		const u8 *host = space_host(l->mem, pa & 0xffffffff, false);

		part = part < n ? part : n;
		if (host)
			memcpy(to, host, part);
		else
			memset(to, 0, part);
		pa += part;
		to += part;
		n -= part;
	}
}

static u32 wide(u32 v, unsigned bits_n) { return (v << (8 - bits_n) | v >> (2 * bits_n - 8)) & 0xff; }

/* First colour in the low bits: red, unless the guest exchanges it with blue. */
static u32 rgb(const struct pl110_state *s, u32 low, u32 middle, u32 high)
{
	return s->control & CTL_BGR ? high << 16 | middle << 8 | low : low << 16 | middle << 8 | high;
}

static u32 from_555(const struct pl110_state *s, u32 v)
{
	return rgb(s, wide(v & 31, 5), wide(v >> 5 & 31, 5), wide(v >> 10 & 31, 5));
}

static u32 from_565(const struct pl110_state *s, u32 v)
{
	return rgb(s, wide(v & 31, 5), wide(v >> 5 & 63, 6), wide(v >> 11 & 31, 5));
}

/* Red is in the low bits, whatever BGR says: as on QEMU. */
static u32 from_palette(const struct pl110_state *s, u32 n)
{
	u32 v = s->palette[n / 2] >> (n & 1 ? 16 : 0);

	return wide(v & 31, 5) << 16 | wide(v >> 5 & 31, 5) << 8 | wide(v >> 10 & 31, 5);
}

/* Pixel x of a row of words. DDI0161 tables 2-2 to 2-4: BEBO turns the bytes of a word around, BEPO the pixels of a byte. */
static u32 pixel_bits(const struct pl110_state *s, const u8 *row, unsigned x, unsigned bpp)
{
	unsigned bit = x * bpp, word = bit / 32 * 4, in = bit % 32;
	u32 v = (u32)load_le(row + word, 4);

	if (bpp == 32)
		return v;
	if (s->control & CTL_BEBO)
		v = bpp == 16 ? v << 16 | v >> 16 : __builtin_bswap32(v);
	if (s->control & CTL_BEPO && bpp < 8)
		in = (in & ~7u) | (8 - bpp - (in & 7));
	return v >> in & (u32)mask_low(bpp);
}

static u32 colour(const struct pl110_state *s, u32 v, unsigned bpp)
{
	if (bpp == 32)
		return rgb(s, v & 0xff, v >> 8 & 0xff, v >> 16 & 0xff);
	if (bpp == 16)
		return s->pixel_555 ? from_555(s, v) : from_565(s, v);
	return from_palette(s, v);
}

static size_t row_bytes(const struct pl110_state *s, unsigned width) { return (width * depth(s) + 31) / 32 * 4; }

static void pl110_render(const void *dev, u32 *pixels, size_t pitch)
{
	const struct pl110 *l = dev;
	const struct pl110_state *s = &l->s;
	struct picture_size size = pl110_size(dev);
	unsigned bpp = depth(s);
	u8 row[PL110_WIDTH_MAX * 4];

	for (unsigned y = 0; y < size.height; y++, pixels += pitch) {
		if (!on(s)) {
			memset(pixels, 0, size.width * sizeof *pixels);
			continue;
		}
		fetch(l, s->upbase + (u64)y * row_bytes(s, size.width), row, row_bytes(s, size.width));
		for (unsigned x = 0; x < size.width; x++)
			pixels[x] = colour(s, pixel_bits(s, row, x, bpp), bpp);
	}
}

static u64 pl110_hash(const void *dev)
{
	const struct pl110 *l = dev;
	struct picture_size size = pl110_size(dev);
	u64 h = field_hash(pl110_fields + 2, PL110_FIELDS - 2, &l->s, 0); /* without the frame counter */
	u8 row[PL110_WIDTH_MAX * 4];

	for (unsigned y = 0; on(&l->s) && y < size.height; y++) {
		size_t n = row_bytes(&l->s, size.width);

		fetch(l, l->s.upbase + y * n, row, n);
		h = XXH64(row, n, h);
	}
	return h;
}

struct picture pl110_picture(const struct pl110 *l) { return (struct picture){l, pl110_size, pl110_render, pl110_hash}; }
