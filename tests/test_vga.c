/*
 * Unit tests of the VGA: registers, memory window and DISPI driven through the spaces as a guest drives them, pictures
 * looked at pixel by pixel. Random accesses with rendering in between must do no harm (sanitizer build).
 */
#include "devices/pixels.h"
#include "devices/vga_font.h"
#include "devices/vga_render.h"
#include "devices/vga_text.h"
#include "vga_modes.h"

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

static struct sched sched;
static struct space mem, io;
static struct vga vga;
static struct pci_bus bus;
static u32 *pixels;
static struct picture_size size;

#define LFB  0xe0000000ull
#define MMIO 0xfeb00000ull

/* As after power-on and a BIOS that places the BARs. */
static void start(void)
{
	vga_reset(&vga);
	pci_config_write(&vga.pci, PCI_BAR0, 4, LFB);
	pci_config_write(&vga.pci, PCI_BAR0 + 8, 4, MMIO);
	pci_config_write(&vga.pci, PCI_COMMAND, 2, PCI_CMD_IO | PCI_CMD_MEMORY);
}

static void setup(void)
{
	struct error err;

	sched_init(&sched);
	ck_assert(space_init(&mem, "memory", 36, &err) && space_init(&io, "ports", 16, &err));
	ck_assert_ptr_nonnull(space_add_ram(&mem, "ram", 0, 1 << 20, false, &err));
	ck_assert(vga_init(&vga, &mem, &sched, &err));
	ck_assert_ptr_nonnull(space_add_device(&io, VGA_PORT, VGA_PORTS, &vga_ops, &vga));
	ck_assert_ptr_nonnull(space_add_device(&io, VGA_DISPI_PORT, VGA_DISPI_PORTS, &vga_dispi_ops, &vga));
	pci_bus_init(&bus, &mem, &io);
	ck_assert(vga_add(&vga, &bus, PCI_DEVFN(2, 0), &err));
	start();
	pixels = NULL;
}

static void teardown(void)
{
	free(pixels);
	space_free(&mem);
	space_free(&io);
}

static u8 in(u16 port) { return (u8)space_read(&io, port, 1); }
static void out(u16 port, u8 val) { space_write(&io, port, 1, val); }
static void out2(u16 port, u8 index, u8 val) { space_write(&io, port, 2, index | val << 8); }
static void put(u32 pa, u8 val) { space_write(&mem, pa, 1, val); }
static u8 get(u32 pa) { return (u8)space_read(&mem, pa, 1); }
static void crtc(u8 index, u8 val) { out2(0x3d4, index, val); }
static void seq(u8 index, u8 val) { out2(0x3c4, index, val); }
static void gr(u8 index, u8 val) { out2(0x3ce, index, val); }

static void attr(u8 index, u8 val)
{
	in(0x3da);
	out(0x3c0, index);
	out(0x3c0, val);
}

static void dispi(u16 index, u16 val)
{
	space_write(&io, 0x1ce, 2, index);
	space_write(&io, 0x1cf, 2, val);
}

static u16 dispi_get(u16 index)
{
	space_write(&io, 0x1ce, 2, index);
	return (u16)space_read(&io, 0x1cf, 2);
}

static void dac(u8 index, u8 r, u8 g, u8 b)
{
	out(0x3c8, index);
	out(0x3c9, r);
	out(0x3c9, g);
	out(0x3c9, b);
}

static void set_mode(const struct vga_mode *m)
{
	out(0x3c2, m->misc);
	for (u8 i = 0; i < SEQ_COUNT; i++)
		seq(i, m->seq[i]);
	crtc(17, 0);
	for (u8 i = 0; i < CRTC_COUNT; i++)
		crtc(i, m->crtc[i]);
	for (u8 i = 0; i < GR_COUNT; i++)
		gr(i, m->gr[i]);
	for (u8 i = 0; i < ATTR_COUNT; i++)
		attr(i, m->attr[i]);
	out(0x3c0, 0x20);
	for (unsigned i = 0; i < 256; i++)
		dac((u8)i, (u8)(i & 63), (u8)(i >> 2), (u8)(i ^ 63) & 63);
}

/* Looks; rows lie close together, so that the sanitizer sees what is written behind. */
static void shot(unsigned width, unsigned height)
{
	size = vga_render_size(&vga);
	ck_assert_uint_eq(size.width, width);
	ck_assert_uint_eq(size.height, height);
	free(pixels);
	pixels = malloc((size_t)width * height * sizeof *pixels);
	vga_render(&vga, pixels, width);
}

static u32 at(unsigned x, unsigned y) { return pixels[(size_t)y * size.width + x]; }
static u32 colour(unsigned i)
{
	const u8 *d = vga.s.dac + (i & 255) * 3;

	return (u32)(d[0] << 2 | d[0] >> 4) << 16 | (u32)(d[1] << 2 | d[1] >> 4) << 8 | (u32)(d[2] << 2 | d[2] >> 4);
}

START_TEST(fields_cover_the_state)
{
	ck_assert_int_eq(field_gap(vga_fields, VGA_FIELDS, sizeof(struct vga_state)), -1);
}
END_TEST

/* --- registers --- */

START_TEST(registers)
{
	crtc(17, 0x0e); /* unprotect */
	crtc(1, 39);
	ck_assert_uint_eq(vga_text_cols(&vga), 40);
	crtc(17, 0x8e);
	crtc(1, 79);
	ck_assert_uint_eq(in(0x3d5), 39);
	crtc(7, 0xff); /* only bit 4 can be written */
	ck_assert_uint_eq(in(0x3d5), 0x1f | 0x10);
	crtc(7, 0);
	ck_assert_uint_eq(in(0x3d5), 0x0f);
	crtc(0xff, 1); /* beyond the file */
	ck_assert_uint_eq(in(0x3d5), 0);
	attr(1, 0x3f);
	in(0x3da);
	out(0x3c0, 1);
	ck_assert_uint_eq(in(0x3c1), 0x3f);
	in(0x3da);
	out(0x3c0, 0x22); /* the palette is locked while the screen is on */
	out(0x3c0, 0x11);
	ck_assert_uint_eq(in(0x3c1), 2);
	in(0x3da);
	out(0x3c0, 0x02); /* an index, and no data behind it */
	in(0x3da);
	out(0x3c0, 0x03);
	ck_assert_uint_eq(in(0x3c0), 0x03);
	dac(255, 0, 1, 2);
	out(0x3c9, 3); /* goes on with entry 0 */
	out(0x3c9, 4);
	ck_assert_uint_ne(vga.s.dac[0], 3); /* not before blue is there */
	out(0x3c9, 5);
	out(0x3c7, 0xff);
	ck_assert_uint_eq(in(0x3c7), 3);
	for (u8 i = 0; i < 6; i++)
		ck_assert_uint_eq(in(0x3c9), i);
	ck_assert_uint_eq(in(0x3cc), 0x67);
	out(0x3c2, 0x66); /* monochrome addresses */
	ck_assert_uint_eq(in(0x3d4), 0xff);
	out2(0x3b4, 15, 0x12);
	ck_assert_uint_eq(in(0x3b5), 0x12);
}
END_TEST

static unsigned retraces_a_second(void)
{
	unsigned retraces = 0, before = 0;
	u64 start = sched.now;

	for (; sched.now < start + NS_PER_SEC; sched.now += 10000) {
		unsigned now = in(0x3da) & 8;

		retraces += now && !before;
		ck_assert(!now || in(0x3da) & 1);
		before = now;
	}
	return retraces;
}

START_TEST(retrace)
{
	ck_assert_uint_eq(retraces_a_second(), 70);
	set_mode(&mode_12);
	ck_assert_uint_eq(retraces_a_second(), 59); /* 59.94 */
	set_mode(&mode_13);
	ck_assert_uint_eq(retraces_a_second(), 70);
	for (u8 i = 0; i < 25; i++) /* nonsense still has a retrace */
		crtc(i, 0);
	ck_assert_uint_gt(retraces_a_second(), 0);
}
END_TEST

/* --- text --- */

START_TEST(text_lines)
{
	char line[VGA_TEXT_LINE];
	unsigned row, col;

	ck_assert(vga_text_mode(&vga));
	ck_assert_uint_eq(vga_text_cols(&vga), 80);
	ck_assert_uint_eq(vga_text_rows(&vga), 25);
	space_write_bytes(&mem, 0xb8000, "H\7i\7\xdb\7", 6);
	ck_assert_uint_eq(vga_text_line(&vga, 0, line), 82);
	ck_assert_int_eq(memcmp(line, "Hi█ ", 6), 0);
	put(0xb8000 + 160, 'n');
	crtc(13, 80); /* start address: one line down */
	vga_text_line(&vga, 0, line);
	ck_assert_int_eq(line[0], 'n');
	crtc(12, 0xff); /* wraps */
	crtc(13, 0xff);
	vga_text_line(&vga, 0, line);
	ck_assert_int_eq(line[1], 'H');
	crtc(12, 0);
	crtc(13, 0);
	crtc(15, 80 * 3 + 4);
	ck_assert(vga_text_cursor(&vga, &row, &col));
	ck_assert_uint_eq(row, 3);
	ck_assert_uint_eq(col, 4);
	crtc(10, 0x20);
	ck_assert(!vga_text_cursor(&vga, &row, &col));
}
END_TEST

/* Row y of the cell at (col, row) in 9-dot text: set pixels as bits, the leftmost in bit 8. */
static unsigned cell_bits(unsigned col, unsigned y, u32 fg)
{
	unsigned bits = 0;

	for (unsigned x = 0; x < 9; x++)
		bits = bits << 1 | (at(col * 9 + x, y) == fg);
	return bits;
}

START_TEST(text_pixels)
{
	u8 glyph[VGA_FONT_HEIGHT];

	crtc(10, 0x20);
	space_write_bytes(&mem, 0xb8000, "H\x1e\xcd\x17 \x40", 6);
	shot(720, 400);
	vga_font_glyph('H', glyph);
	for (unsigned y = 0; y < 16; y++)
		ck_assert_uint_eq(cell_bits(0, y, 0xffff55), glyph[y] << 1);
	ck_assert_uint_eq(at(8, 0), 0x0000aa);  /* background, ninth dot */
	ck_assert_uint_eq(at(17, 6), 0xaaaaaa); /* line graphics go on */
	ck_assert_uint_eq(at(18, 0), 0xaa0000);
	ck_assert_uint_eq(at(300, 300), 0);
	attr(16, 0x08);
	out(0x3c0, 0x20);
	shot(720, 400);
	ck_assert_uint_eq(at(17, 6), 0x0000aa); /* no longer */
	seq(1, 1);
	shot(640, 400); /* 8 dots */
	ck_assert_uint_eq(at(15, 6), 0xaaaaaa);
	ck_assert_uint_eq(at(16, 6), 0xaa0000);
	seq(1, 0x21);
	shot(640, 400);
	ck_assert_uint_eq(at(16, 6), 0); /* screen off */
}
END_TEST

START_TEST(text_blinks)
{
	put(0xb8000, 0xdb);
	put(0xb8001, 0x97);
	crtc(10, 0x20);
	shot(720, 400);
	ck_assert_uint_eq(at(0, 0), 0xaaaaaa);
	sched.now = NS_PER_SEC / 70 * 17;
	shot(720, 400);
	ck_assert_uint_eq(at(0, 0), 0x0000aa);
	attr(16, 0x04); /* intensity instead */
	out(0x3c0, 0x20);
	put(0xb8000, ' ');
	shot(720, 400);
	ck_assert_uint_eq(at(0, 0), 0x5555ff);
}
END_TEST

START_TEST(cursor_shape)
{
	space_write_bytes(&mem, 0xb8000 + 2 * 81, " \x17", 2);
	crtc(15, 81);
	crtc(10, 3);
	crtc(11, 5);
	shot(720, 400);
	for (unsigned y = 0; y < 16; y++)
		ck_assert_uint_eq(cell_bits(1, 16 + y, 0xaaaaaa), y >= 3 && y <= 5 ? 0x1ff : 0);
	crtc(11, 0x25); /* skew: one to the right */
	shot(720, 400);
	ck_assert_uint_eq(cell_bits(1, 16 + 3, 0xaaaaaa), 0);
	crtc(11, 5);
	sched.now = NS_PER_SEC / 70 * 9; /* twice as fast as text */
	shot(720, 400);
	ck_assert_uint_eq(cell_bits(1, 16 + 3, 0xaaaaaa), 0);
}
END_TEST

START_TEST(split_and_panning)
{
	crtc(10, 0x20);
	space_write_bytes(&mem, 0xb8000, "\xdb\x04", 2);           /* the split shows address 0 */
	space_write_bytes(&mem, 0xb8000 + 160 * 5, "\xdb\x02", 2); /* the start is row 5 */
	crtc(12, 400 >> 8);
	crtc(13, 400 & 255);
	crtc(7, 0x0f);
	crtc(9, 0x0f);
	crtc(24, 99);
	shot(720, 400);
	ck_assert_uint_eq(at(0, 0), 0x00aa00);
	ck_assert_uint_eq(at(0, 16), 0);
	ck_assert_uint_eq(at(0, 99), 0);
	ck_assert_uint_eq(at(0, 100), 0xaa0000);
	attr(19, 2); /* three pixels to the left; 8 is none in 9-dot text */
	out(0x3c0, 0x20);
	shot(720, 400);
	ck_assert_uint_eq(at(5, 0), 0x00aa00);
	ck_assert_uint_eq(at(6, 0), 0);
	ck_assert_uint_eq(at(6, 100), 0);
	attr(16, 0x2c); /* the split is not panned */
	out(0x3c0, 0x20);
	shot(720, 400);
	ck_assert_uint_eq(at(6, 0), 0);
	ck_assert_uint_eq(at(8, 100), 0xaa0000);
	crtc(8, 3); /* three scan lines up */
	shot(720, 400);
	ck_assert_uint_eq(at(0, 12), 0x00aa00);
	ck_assert_uint_eq(at(0, 13), 0);
}
END_TEST

/* As BIOSes do it: planes one by one at A0000h, then back. */
static void font_access(bool on)
{
	seq(2, on ? 4 : 3);
	seq(4, on ? 6 : 2);
	gr(4, on ? 2 : 0);
	gr(5, on ? 0 : 0x10);
	gr(6, on ? 4 : 0x0e);
}

START_TEST(fonts_are_loaded)
{
	crtc(10, 0x20);
	space_write_bytes(&mem, 0xb8000,
			  "A\x0f"
			  "B\x07",
			  4);
	ck_assert(!vga.text_region->off);
	font_access(true);
	ck_assert(vga.text_region->off);
	ck_assert_uint_eq(get(0xb8000), 0xff); /* nobody there */
	for (u32 y = 0; y < 16; y++) {
		put(0xa0000 + 'B' * 32 + y, (u8)(0x81 + y));
		put(0xa4000 + 'A' * 32 + y, 0x3c);
	}
	ck_assert_uint_eq(get(0xa0000 + 'B' * 32 + 3), 0x84);
	font_access(false);
	ck_assert(!vga.text_region->off);
	ck_assert_uint_eq(get(0xb8000), 'A');
	ck_assert_uint_eq(get(0xb8003), 7);
	seq(3, 4); /* map A, for attribute bit 3: the second 16 KB */
	shot(720, 400);
	ck_assert_uint_eq(cell_bits(0, 5, 0xffffff), 0x78);
	ck_assert_uint_eq(cell_bits(1, 2, 0xaaaaaa), 0x83 << 1);
}
END_TEST

START_TEST(text_memory_follows_the_window)
{
	put(0xb8000, 'x');
	gr(6, 0x0a); /* B0000h */
	ck_assert_uint_eq(get(0xb0000), 'x');
	ck_assert_uint_eq(get(0xb8000), 0xff);
	gr(6, 0x0e);
	ck_assert_uint_eq(get(0xb8000), 'x');
	gr(5, 0x12); /* write mode 2: the device writes */
	put(0xb8002, 5);
	ck_assert_uint_eq(get(0xb8002), 0xff); /* plane 0 of colour 5 */
	gr(5, 0x10);
	ck_assert_uint_eq(get(0xb8002), 0xff);
	ck_assert_uint_eq(get(0xb8000), 'x');
	ck_assert_uint_eq(vga_text_cell(&vga, 0, 1).ch, 0xff);
}
END_TEST

/* --- planes --- */

START_TEST(write_modes)
{
	set_mode(&mode_12);
	put(0xa0000, 0x81); /* all planes */
	for (u8 p = 0; p < 4; p++) {
		gr(4, p);
		ck_assert_uint_eq(get(0xa0000), 0x81);
	}
	shot(640, 480);
	ck_assert_uint_eq(at(0, 0), colour(0x3f));
	ck_assert_uint_eq(at(1, 0), colour(0));
	ck_assert_uint_eq(at(7, 0), colour(0x3f));
	gr(0, 5); /* set/reset in planes 0 and 1, data in 2 and 3; only the left half */
	gr(1, 3);
	gr(8, 0xf0);
	get(0xa0000);
	put(0xa0000, 0x0f);
	shot(640, 480);
	ck_assert_uint_eq(at(0, 0), colour(1));
	ck_assert_uint_eq(at(4, 0), colour(0));
	ck_assert_uint_eq(at(7, 0), colour(0x3f));
	gr(1, 0);
	gr(8, 0xff);
	gr(5, 1); /* latches to the next byte */
	get(0xa0000);
	put(0xa0001, 0);
	gr(5, 2);
	gr(8, 0x18);
	get(0xa0001);
	put(0xa0001, 6);
	shot(640, 480);
	ck_assert_uint_eq(at(8, 0), colour(1));
	ck_assert_uint_eq(at(11, 0), colour(0x14));
	ck_assert_uint_eq(at(12, 0), colour(0x14));
	ck_assert_uint_eq(at(15, 0), colour(0x3f));
	gr(5, 3);
	gr(0, 2);
	gr(8, 0xff);
	gr(3, 1); /* rotated by one: 3 -> 81h */
	get(0xa0001);
	put(0xa0001, 3);
	shot(640, 480);
	ck_assert_uint_eq(at(8, 0), colour(2));
	ck_assert_uint_eq(at(9, 0), colour(1));
	ck_assert_uint_eq(at(15, 0), colour(2));
	gr(3, 0x18); /* exclusive or */
	gr(5, 0);
	seq(2, 4);
	get(0xa0002);
	put(0xa0002, 0xff);
	get(0xa0002);
	put(0xa0002, 0x0f);
	shot(640, 480);
	ck_assert_uint_eq(at(16, 0), colour(4));
	ck_assert_uint_eq(at(20, 0), colour(0));
}
END_TEST

START_TEST(logic_and_compare)
{
	set_mode(&mode_12);
	put(0xa0010, 0xcc);
	gr(3, 8);
	get(0xa0010);
	put(0xa0010, 0xaa);
	ck_assert_uint_eq(get(0xa0010), 0x88);
	gr(3, 0x10);
	put(0xa0010, 0x03);
	ck_assert_uint_eq(get(0xa0010), 0x8b);
	gr(3, 0);
	seq(2, 1);
	put(0xa0010, 0xf0);
	seq(2, 2);
	put(0xa0010, 0xcc);
	gr(5, 8); /* read mode 1 */
	gr(7, 3);
	gr(2, 3);
	ck_assert_uint_eq(get(0xa0010), 0xc0);
	gr(2, 1);
	ck_assert_uint_eq(get(0xa0010), 0x30);
	gr(7, 0);
	ck_assert_uint_eq(get(0xa0010), 0xff);
}
END_TEST

START_TEST(chain4_and_mode_x)
{
	set_mode(&mode_13);
	for (u32 i = 0; i < 320; i++)
		put(0xa0000 + 320 * 7 + i, (u8)i);
	shot(320, 200);
	for (unsigned i = 0; i < 320; i++)
		ck_assert_uint_eq(at(i, 7), colour(i));
	ck_assert_uint_eq(get(0xa0000 + 320 * 7 + 200), 200);
	seq(4, 6); /* unchained: a byte is four pixels apart */
	crtc(20, 0);
	crtc(23, 0xe3);
	seq(2, 4);
	put(0xa0000 + 80 * 7 + 1, 99);
	shot(320, 200);
	ck_assert_uint_eq(at(5, 7), colour(5));
	ck_assert_uint_eq(at(6, 7), colour(99));
	ck_assert_uint_eq(at(7, 7), colour(7));
	gr(4, 2);
	ck_assert_uint_eq(get(0xa0000 + 80 * 7 + 1), 99);
	out(0x3c6, 0x0f); /* pel mask */
	shot(320, 200);
	ck_assert_uint_eq(at(6, 7), colour(99 & 15));
	attr(19, 2); /* one pixel */
	out(0x3c0, 0x20);
	crtc(13, 80);
	shot(320, 200);
	ck_assert_uint_eq(at(5, 6), colour(99 & 15));
}
END_TEST

START_TEST(cga_graphics)
{
	set_mode(&mode_04);
	put(0xb8000, 0x1b);
	put(0xb8001, 0xe4);
	put(0xb8000 + 0x2000, 0xff); /* the odd lines */
	put(0xb8000 + 80, 0x40);     /* line 2 */
	shot(320, 200);
	for (unsigned x = 0; x < 4; x++) {
		ck_assert_uint_eq(at(x, 0), colour(mode_04.attr[x]));
		ck_assert_uint_eq(at(4 + x, 0), colour(mode_04.attr[3 - x]));
		ck_assert_uint_eq(at(x, 1), colour(mode_04.attr[3]));
	}
	ck_assert_uint_eq(at(0, 2), colour(mode_04.attr[1]));
	ck_assert_uint_eq(at(1, 2), colour(0));
}
END_TEST

/* --- DISPI --- */

static void dispi_mode(u16 x, u16 y, u16 bpp, u16 flags)
{
	dispi(4, 0);
	dispi(1, x);
	dispi(2, y);
	dispi(3, bpp);
	dispi(4, 1 | flags);
}

START_TEST(dispi_registers)
{
	ck_assert_uint_eq(dispi_get(0), 0xb0c5);
	dispi(0, 0xb0c2);
	ck_assert_uint_eq(dispi_get(0), 0xb0c2);
	dispi(0, 0x1234);
	ck_assert_uint_eq(dispi_get(0), 0xb0c2);
	ck_assert_uint_eq(dispi_get(10), 256);
	dispi(4, 2);
	ck_assert_uint_eq(dispi_get(1), 16000);
	ck_assert_uint_eq(dispi_get(3), 32);
	dispi_mode(800, 600, 32, 0x40);
	ck_assert_uint_eq(dispi_get(1), 800);
	ck_assert_uint_eq(dispi_get(6), 800);
	ck_assert_uint_eq(dispi_get(7), (16 << 20) / 3200);
	dispi(6, 1024);
	ck_assert_uint_eq(dispi_get(7), 4096);
	dispi(9, 4000); /* does not fit */
	ck_assert_uint_eq(dispi_get(9), 4096 - 600);
	space_write(&io, 0x1d0, 2, 17); /* the other data port */
	ck_assert_uint_eq(dispi_get(9), 17);
	dispi(99, 1);
	ck_assert_uint_eq(dispi_get(99), 0);
	dispi_mode(0xffff, 0xffff, 7, 0); /* what does not exist becomes something that does */
	ck_assert_uint_eq(dispi_get(3), 8);
	ck_assert_uint_eq(dispi_get(1), 16000);
	ck_assert_uint_eq(dispi_get(2), (16 << 20) / 16000);
	ck_assert_uint_eq(space_read(&mem, MMIO + 0x500 + 2, 2), 16000);
	space_write(&mem, MMIO + 0x500 + 8, 2, 0);
	ck_assert_uint_eq(dispi_get(4), 0);
	space_write(&mem, MMIO + 0x400 + 8, 1, 0x12); /* 3C8h */
	ck_assert_uint_eq(in(0x3c8), 0x12);
	ck_assert_uint_eq(space_read(&mem, MMIO + 0x604, 4), 0x1e1e1e1e);
}
END_TEST

START_TEST(dispi_pixels)
{
	static const struct {
		u16 bpp;
		u32 val, rgb;
	} depth[] = {{15, 0x7c1f, 0xff00ff}, {15, 0x0210, 0x008484},   {16, 0xffe0, 0xffff00},
		     {16, 0x8410, 0x848284}, {24, 0x123456, 0x123456}, {32, 0xff654321, 0x654321}};

	put(0xb8000, 'x'); /* text does not shine through */
	put(0xb8001, 7);
	for (unsigned i = 0; i < ARRAY_SIZE(depth); i++) {
		unsigned bytes = (depth[i].bpp + 7u) / 8;

		dispi_mode(640, 480, depth[i].bpp, 0x40);
		space_write(&mem, LFB + (479 * 640 + 639) * bytes, bytes == 3 ? 2 : bytes, depth[i].val);
		if (bytes == 3)
			put((u32)(LFB + (479 * 640 + 639) * 3 + 2), (u8)(depth[i].val >> 16));
		shot(640, 480);
		ck_assert_uint_eq(at(639, 479), depth[i].rgb);
		ck_assert_uint_eq(at(0, 0), 0);
	}
}
END_TEST

START_TEST(dispi_bank_and_offset)
{
	dispi_mode(640, 480, 8, 0);
	dac(9, 63, 0, 32);
	dispi(5, 2);
	put(0xa0005, 9);
	ck_assert_uint_eq(get(0xa0005), 9);
	ck_assert_uint_eq(get((u32)LFB + 0x20005), 9);
	shot(640, 480);
	ck_assert_uint_eq(at(0x20005 % 640, 0x20005 / 640), 0xff0082);
	dispi(6, 1024);
	dispi(8, 8);
	dispi(9, 100);
	shot(640, 480);
	ck_assert_uint_eq(at((0x20005 & 1023), (0x20005 >> 10) - 100), 0); /* x 5 is left of the picture */
	put((u32)LFB + 1024 * 101 + 9, 9);
	shot(640, 480);
	ck_assert_uint_eq(at(1, 1), 0xff0082);
	dispi(4, 0x81); /* again, not cleared */
	ck_assert_uint_eq(get((u32)LFB + 0x20005), 9);
	dispi_mode(640, 480, 8, 0);
	ck_assert_uint_eq(get((u32)LFB + 0x20005), 0);
	dispi_mode(640, 480, 8, 0x20); /* 8 bits a colour: nothing changes to the eye */
	put((u32)LFB, 9);
	shot(640, 480);
	ck_assert_uint_eq(at(0, 0), 0xff0082);
	dac(9, 0x81, 0x42, 0x24);
	shot(640, 480);
	ck_assert_uint_eq(at(0, 0), 0x814224);
}
END_TEST

START_TEST(dispi_planar)
{
	set_mode(&mode_12);
	dispi_mode(800, 600, 4, 0);
	seq(2, 8);
	put(0xa0000 + 100 * 599 + 99, 1);
	shot(800, 600);
	ck_assert_uint_eq(at(799, 599), colour(0x38));
	ck_assert_uint_eq(at(798, 599), colour(0));
}
END_TEST

START_TEST(on_the_bus)
{
	static const u8 image[4] = {0x55, 0xaa, 1, 2};

	ck_assert_uint_eq(pci_config_read(&vga.pci, 0, 4), 0x11111234);
	ck_assert_uint_eq(pci_config_read(&vga.pci, 8, 4), 0x03000002);
	vga_rom(&vga, image, sizeof image);
	pci_config_write(&vga.pci, PCI_ROM_BAR, 4, 0xffffffff);
	ck_assert_uint_eq(pci_config_read(&vga.pci, PCI_ROM_BAR, 4), 0xffff0001);
	pci_config_write(&vga.pci, PCI_ROM_BAR, 4, 0xd0000001);
	ck_assert_uint_eq(space_read(&mem, 0xd0000000, 4), 0x0201aa55);
	put((u32)LFB + 5, 0x77);
	ck_assert_uint_eq(get((u32)LFB + 5), 0x77);
	pci_config_write(&vga.pci, PCI_COMMAND, 2, 0);
	ck_assert_uint_eq(get((u32)LFB + 5), 0xff);
	pci_config_write(&vga.pci, PCI_COMMAND, 2, PCI_CMD_MEMORY);
	ck_assert_uint_eq(get((u32)LFB + 5), 0x77);
	start();
	ck_assert_uint_eq(get((u32)LFB + 5), 0);
}
END_TEST

START_TEST(edid_adds_up)
{
	u8 sum = 0;

	for (u32 i = 0; i < 128; i++)
		sum += get((u32)MMIO + i);
	ck_assert_uint_eq(sum, 0);
	ck_assert_uint_eq(space_read(&mem, MMIO, 8), 0x00ffffffffffff00);
	ck_assert_uint_eq(get((u32)MMIO + 128), 0);
}
END_TEST

START_TEST(text_comes_back_after_graphics)
{
	char line[VGA_TEXT_LINE];

	space_write_bytes(&mem, 0xb8000, "o\7k\7", 4);
	dispi_mode(320, 200, 32, 0xc0);
	ck_assert(!vga_text_mode(&vga));
	dispi(4, 0);
	ck_assert(vga_text_mode(&vga));
	vga_text_line(&vga, 0, line);
	ck_assert_int_eq(memcmp(line, "ok ", 3), 0);
	set_mode(&mode_13);
	vga_reset(&vga);
	vga_text_line(&vga, 0, line);
	ck_assert_int_eq(memcmp(line, "   ", 3), 0);
	shot(720, 400);
	set_mode(&mode_03);
	ck_assert(!vga.text_region->off);
	put(0xb8000, 0xdb);
	put(0xb8001, 1);
	shot(720, 400);
	ck_assert_uint_eq(at(0, 0), colour(1));
}
END_TEST

/* --- pictures as files --- */

static size_t file_read(const char *path, u8 *buf, size_t n)
{
	FILE *f = fopen(path, "rb");

	ck_assert_ptr_nonnull(f);
	n = fread(buf, 1, n, f);
	fclose(f);
	unlink(path);
	return n;
}

static const u32 picture[6] = {0xff0000, 0x00ff00, 0x0000ff, 0x123456, 0, 0xffffff};
static const u8 picture_rgb[18] = {0xff, 0, 0, 0, 0xff, 0, 0, 0, 0xff, 0x12, 0x34, 0x56, 0, 0, 0, 0xff, 0xff, 0xff};

START_TEST(ppm)
{
	char path[64];
	struct error err;
	u8 buf[64];

	snprintf(path, sizeof path, "/tmp/test_vga.%d.ppm", getpid());
	ck_assert(pixels_write(path, picture, 3, 2, &err));
	ck_assert_uint_eq(file_read(path, buf, sizeof buf), 11 + 18);
	ck_assert_mem_eq(buf, "P6\n3 2\n255\n", 11);
	ck_assert_mem_eq(buf + 11, picture_rgb, 18);
	ck_assert(!pixels_write("/no/such/place.ppm", picture, 3, 2, &err));
}
END_TEST

#ifdef HAVE_ZLIB
#include <zlib.h>

static u32 big_endian(const u8 *p) { return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3]; }

START_TEST(png)
{
	char path[64];
	struct error err;
	u8 buf[512], raw[64];
	uLongf n = sizeof raw;
	size_t file;

	snprintf(path, sizeof path, "/tmp/test_vga.%d.png", getpid());
	ck_assert(pixels_write(path, picture, 3, 2, &err));
	file = file_read(path, buf, sizeof buf);
	ck_assert_mem_eq(buf, "\x89PNG\r\n\x1a\n\0\0\0\15IHDR\0\0\0\3\0\0\0\2\10\2\0\0\0", 29);
	ck_assert_uint_eq(big_endian(buf + 29), crc32(0, buf + 12, 17));
	ck_assert_mem_eq(buf + 37, "IDAT", 4);
	ck_assert_int_eq(uncompress(raw, &n, buf + 41, big_endian(buf + 33)), Z_OK);
	ck_assert_uint_eq(n, 20);
	ck_assert_mem_eq(raw + 1, picture_rgb, 9);
	ck_assert_mem_eq(raw + 11, picture_rgb + 9, 9);
	ck_assert_mem_eq(buf + file - 12, "\0\0\0\0IEND\xae\x42\x60\x82", 12);
}
END_TEST
#endif

/* --- hostile guests --- */

static u64 seed;

static u32 pick(u32 n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (u32)(seed >> 33) % n;
}

/* Large pictures are slow under the sanitizer: they come now and then. */
static void look_around(void)
{
	struct picture_size s = vga_render_size(&vga);
	char line[VGA_TEXT_LINE];
	unsigned row, col;

	ck_assert(s.width && s.height && s.width <= VGA_WIDTH_MAX && s.height <= VGA_HEIGHT_MAX);
	vga_text_line(&vga, pick(300), line);
	vga_text_cursor(&vga, &row, &col);
	vga_render_hash(&vga);
	if ((u64)s.width * s.height > 1000000 && pick(20))
		return;
	free(pixels);
	pixels = malloc((size_t)s.width * s.height * sizeof *pixels);
	vga_render(&vga, pixels, s.width);
}

START_TEST(random_accesses_do_no_harm)
{
	seed = (u64)_i + 1;
	for (unsigned i = 0; i < 6000; i++) {
		unsigned bytes = 1u << pick(4);

		switch (pick(8)) {
		case 0: space_write(&io, VGA_PORT + pick(VGA_PORTS), 1 + pick(2), pick(65536)); break;
		case 1: out2((u16)(pick(2) ? 0x3c4 : 0x3ce), (u8)pick(10), (u8)pick(256)); break;
		case 2: out2((u16)(pick(8) ? 0x3d4 : 0x3b4), (u8)pick(26), (u8)pick(256)); break;
		case 3: dispi((u16)pick(12), (u16)(pick(2) ? pick(65536) : pick(1200))); break;
		case 4: space_write(&mem, VGA_WINDOW + pick(VGA_WINDOW_SIZE), bytes, (u64)pick(~0u) << 20); break;
		case 5: space_read(&mem, VGA_WINDOW + pick(VGA_WINDOW_SIZE), bytes); break;
		case 6: space_write(&mem, LFB + pick(VGA_RAM_SIZE), bytes, pick(~0u)); break;
		case 7:
			space_write(&mem, MMIO + pick(VGA_MMIO_SIZE), bytes, pick(~0u));
			space_read(&mem, MMIO + pick(VGA_MMIO_SIZE), bytes);
			break;
		}
		space_peek(&io, VGA_PORT + pick(VGA_PORTS), 1);
		space_read(&io, VGA_DISPI_PORT + pick(4), 1 + pick(2));
		sched.now += pick(100000000);
		if (pick(40) == 0)
			look_around();
	}
	for (unsigned i = 0; i < sizeof vga.s; i++) /* a saved state from nobody knows where */
		((u8 *)&vga.s)[i] = (u8)pick(256);
	vga_post_load(&vga);
	look_around();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vga");
	TCase *tc = tcase_create("vga");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, fields_cover_the_state);
	tcase_add_test(tc, registers);
	tcase_add_test(tc, retrace);
	tcase_add_test(tc, text_lines);
	tcase_add_test(tc, text_pixels);
	tcase_add_test(tc, text_blinks);
	tcase_add_test(tc, cursor_shape);
	tcase_add_test(tc, split_and_panning);
	tcase_add_test(tc, fonts_are_loaded);
	tcase_add_test(tc, text_memory_follows_the_window);
	tcase_add_test(tc, write_modes);
	tcase_add_test(tc, logic_and_compare);
	tcase_add_test(tc, chain4_and_mode_x);
	tcase_add_test(tc, cga_graphics);
	tcase_add_test(tc, dispi_registers);
	tcase_add_test(tc, dispi_pixels);
	tcase_add_test(tc, dispi_bank_and_offset);
	tcase_add_test(tc, dispi_planar);
	tcase_add_test(tc, on_the_bus);
	tcase_add_test(tc, edid_adds_up);
	tcase_add_test(tc, text_comes_back_after_graphics);
	tcase_add_test(tc, ppm);
#ifdef HAVE_ZLIB
	tcase_add_test(tc, png);
#endif
	tcase_add_loop_test(tc, random_accesses_do_no_harm, 0, 8);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
