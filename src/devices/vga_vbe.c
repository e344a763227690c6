/*
 * See vga.h: the Bochs display interface (DISPI), at ports 1CEh-1D0h and in the memory region of BAR 2, which also
 * shows the VGA's ports and an EDID block. Facts: QEMU, docs/specs/standard-vga; VESA E-EDID 1.4.
 */
#include "devices/vga.h"

#define ID_OLDEST 0xb0c0
#define ID_NEWEST 0xb0c5

enum { MMIO_PORTS = 0x400, MMIO_DISPI = 0x500, MMIO_EXTENSION = 0x600, EDID_SIZE = 128 };

/* Bytes of a line of pixels; of a row of four-plane offsets in the packed memory with 4 bits a pixel. */
static u32 pitch(unsigned bpp, u32 width) { return bpp == 4 ? width / 2 : width * ((bpp + 7) / 8); }

u32 vga_dispi_pitch(const struct vga_state *s) { return pitch(s->dispi[DISPI_BPP], s->dispi[DISPI_VIRT_WIDTH]); }

static bool depth_known(unsigned bpp)
{
	return bpp == 4 || bpp == 8 || bpp == 15 || bpp == 16 || bpp == 24 || bpp == 32;
}

static u16 at_least(u16 v, u16 min) { return v < min ? min : v; }
static u16 at_most(u32 v, u32 max) { return (u16)(v > max ? max : v); }

/* Nothing that is shown lies outside of the memory. */
void vga_dispi_fit(struct vga_state *s)
{
	u16 *r = s->dispi;
	u32 lines;

	if (!depth_known(r[DISPI_BPP]))
		r[DISPI_BPP] = 8;
	r[DISPI_XRES] = at_most(at_least(r[DISPI_XRES] & (u16)~7, 8), VGA_WIDTH_MAX);
	r[DISPI_YRES] = at_most(at_least(r[DISPI_YRES], 1), VGA_HEIGHT_MAX);
	r[DISPI_VIRT_WIDTH] = at_most(at_least(r[DISPI_VIRT_WIDTH] & (u16)~7, r[DISPI_XRES]), 0xfff8);
	lines = VGA_RAM_SIZE / vga_dispi_pitch(s);
	r[DISPI_YRES] = at_most(r[DISPI_YRES], lines);
	r[DISPI_VIRT_HEIGHT] = at_most(lines, 0xffff);
	r[DISPI_X_OFFSET] = at_most(r[DISPI_X_OFFSET], r[DISPI_VIRT_WIDTH] - r[DISPI_XRES]);
	r[DISPI_Y_OFFSET] = at_most(r[DISPI_Y_OFFSET], r[DISPI_VIRT_HEIGHT] - r[DISPI_YRES]);
}

/* What changes with the mode switch: window, virtual size, and the picture unless it is to be kept. */
static void enable(struct vga *v, u16 val)
{
	struct vga_state *s = &v->s;
	bool was = vga_dispi_on(s);

	if ((val ^ s->dispi[DISPI_ENABLE]) & DISPI_8BIT_DAC) /* the colours stay as they look */
		for (unsigned i = 0; i < sizeof s->dac; i++)
			s->dac[i] = val & DISPI_8BIT_DAC ? (u8)(s->dac[i] << 2 | s->dac[i] >> 4) : s->dac[i] >> 2;
	s->dispi[DISPI_ENABLE] = val;
	s->dispi[DISPI_BANK] = 0;
	if (val & DISPI_ENABLED && !was) {
		s->dispi[DISPI_VIRT_WIDTH] = s->dispi[DISPI_X_OFFSET] = s->dispi[DISPI_Y_OFFSET] = 0;
		vga_dispi_fit(s);
	}
	vga_mem_update(v); /* text goes to the planes before they are cleared */
	if (val & DISPI_ENABLED && !was && !(val & DISPI_NOCLEAR))
		vga_mem_clear(v, vga_dispi_pitch(s) * s->dispi[DISPI_YRES]);
}

static void dispi_write(struct vga *v, unsigned i, u16 val)
{
	struct vga_state *s = &v->s;

	switch (i) {
	case DISPI_ID:
		if (val >= ID_OLDEST && val <= ID_NEWEST)
			s->dispi[i] = val;
		break;
	case DISPI_ENABLE: enable(v, val); break;
	case DISPI_BANK: s->dispi[i] = val & ((VGA_RAM_SIZE >> 16) - 1); break;
	case DISPI_XRES:
	case DISPI_YRES:
	case DISPI_BPP:
	case DISPI_VIRT_WIDTH:
	case DISPI_X_OFFSET:
	case DISPI_Y_OFFSET:
		s->dispi[i] = val;
		if (vga_dispi_on(s))
			vga_dispi_fit(s);
		vga_mem_update(v);
		break;
	default: break; /* virtual height and memory size are told; there are no others */
	}
}

/* With GETCAPS the mode registers tell the largest values. */
static u16 dispi_read(const struct vga_state *s, unsigned i)
{
	if (s->dispi[DISPI_ENABLE] & DISPI_GETCAPS) {
		if (i == DISPI_XRES)
			return VGA_WIDTH_MAX;
		if (i == DISPI_YRES)
			return VGA_HEIGHT_MAX;
		if (i == DISPI_BPP)
			return 32;
	}
	return i < DISPI_COUNT ? s->dispi[i] : 0;
}

/* ---- ports ---- */

/* A 16-bit access of the odd port 1CFh comes as two bytes, the low one first; 1D0h is the data port as well. */
static u64 ports_peek(const void *dev, u64 off, unsigned size)
{
	const struct vga_state *s = &((const struct vga *)dev)->s;
	u16 data = dispi_read(s, s->dispi_index);

	if (off == 0)
		return s->dispi_index;
	return size == 2 || off == 1 ? data : data >> 8;
}

static u64 ports_read(void *dev, u64 off, unsigned size) { return ports_peek(dev, off, size); }

static void ports_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct vga *v = dev;

	if (off == 0)
		v->s.dispi_index = (u16)val;
	else if (size == 2)
		dispi_write(v, v->s.dispi_index, (u16)val);
	else if (off == 1)
		v->s.dispi_low = (u8)val;
	else
		dispi_write(v, v->s.dispi_index, (u16)(val << 8 | v->s.dispi_low));
}

const struct region_ops vga_dispi_ops = {"vga-dispi", ports_read, ports_write, ports_peek, 1, 2};

/* ---- EDID: 1024x768 preferred, and what the standard timings name ---- */

static const u8 edid[EDID_SIZE] = {
	0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, /* header */
	0x56, 0xc4, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00, /* manufacturer UVD, product, serial number */
	0x01, 0x22, 0x01, 0x04,                         /* week 1 of 2024; EDID 1.4 */
	0xa5, 0x1e, 0x17, 0x78, 0x06, /* digital, 8 bits; 30 x 23 cm; gamma 2.2; RGB, sRGB, preferred timing */
	0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54, /* sRGB's colours */
	0x21, 0x08, 0x00,                                           /* 640x480, 800x600, 1024x768 at 60 Hz */
	0x81, 0xc0, 0x81, 0x80, 0xa9, 0xc0, 0x01, 0x01,             /* 1280x720, 1280x1024, 1600x900 */
	0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01,
	/* 1024x768: 65 MHz, 320 and 38 blank, sync 24+136 and 3+6 */
	0x64, 0x19, 0x00, 0x40, 0x41, 0x00, 0x26, 0x30, 0x18, 0x88, 0x36, 0x00, 0x2c, 0xe6, 0x10, 0x00, 0x00, 0x18,
	0x00, 0x00, 0x00, 0xfc, 0x00, 'U', 'n', 'd', 'e', 'r', 'v', 'i', 's', 'o', 'r', '\n', ' ', ' ', /* name */
	0x00, 0x00, 0x00, 0xfd, 0x00, 0x32, 0x7d, 0x1e, 0xa0, 0x14, 0x00, '\n', ' ', ' ', ' ', ' ', ' ',
	' ', /* ranges */
	0x00, 0x00, 0x00, 0x10, 0x00, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x00,
	0x00, /* no extension; the sum is made when it is read */
};

/* All bytes of the block add up to 0. */
static u8 edid_byte(u32 off)
{
	u8 sum = 0;

	if (off >= EDID_SIZE)
		return 0;
	if (off < EDID_SIZE - 1)
		return edid[off];
	for (unsigned i = 0; i < EDID_SIZE - 1; i++)
		sum += edid[i];
	return (u8)-sum;
}

/* ---- BAR 2 ---- */

/* EDID, then the ports 3C0h-3DFh, the DISPI registers, and QEMU's extension: its size, and a byte order that is
 * little-endian. */
static u8 mmio_look(const struct vga *v, u32 off)
{
	static const u8 extension[8] = {8, 0, 0, 0, 0x1e, 0x1e, 0x1e, 0x1e};

	if (off < MMIO_PORTS)
		return edid_byte(off);
	if (off < MMIO_PORTS + 0x20)
		return vga_port_look(v, 0x3c0 + off - MMIO_PORTS);
	if (off >= MMIO_DISPI && off < MMIO_DISPI + 2 * DISPI_COUNT)
		return (u8)(dispi_read(&v->s, (off - MMIO_DISPI) / 2) >> (off & 1) * 8);
	if (off >= MMIO_EXTENSION && off < MMIO_EXTENSION + sizeof extension)
		return extension[off - MMIO_EXTENSION];
	return 0xff;
}

static u64 mmio_peek(const void *dev, u64 off, unsigned size)
{
	u64 val = 0;

	for (unsigned i = 0; i < size; i++)
		val |= (u64)mmio_look(dev, (u32)off + i) << 8 * i;
	return val;
}

static u64 mmio_read(void *dev, u64 off, unsigned size)
{
	u64 val = 0;

	if (off < MMIO_PORTS || off >= MMIO_PORTS + 0x20)
		return mmio_peek(dev, off, size);
	for (unsigned i = 0; i < size; i++)
		val |= (u64)vga_port_read(dev, 0x3c0 + (unsigned)off - MMIO_PORTS + i) << 8 * i;
	return val;
}

static void mmio_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct vga *v = dev;

	for (unsigned i = 0; i < size; i++)
		if (off - MMIO_PORTS + i < 0x20)
			vga_port_write(v, 0x3c0 + (unsigned)off - MMIO_PORTS + i, (u8)(val >> 8 * i));
	if (size > 1 && !(off & 1))
		for (unsigned i = 0; i < size; i += 2)
			if (off - MMIO_DISPI + i < 2 * DISPI_COUNT)
				dispi_write(v, ((unsigned)off - MMIO_DISPI + i) / 2, (u16)(val >> 8 * i));
}

const struct region_ops vga_mmio_ops = {"vga-mmio", mmio_read, mmio_write, mmio_peek, 1, 4};
