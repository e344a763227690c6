/*
 * A VGA with the Bochs display interface (DISPI): QEMU's standard VGA at the register level. Four planes interleaved in
 * one video memory (byte 4n + p is offset n of plane p), which is also the linear frame buffer. vga.c has the register
 * files, vga_mem.c the window A0000h-BFFFFh, vga_vbe.c DISPI, vga_render.c the picture, vga_text.c the text in it.
 * After reset the registers are those of mode 3 and a font is loaded, so that no BIOS is needed.
 *
 * While the registers are as text modes set them, the window is plain memory of its own (struct vga.text), as fast as
 * RAM; then planes 0 and 1 are there, and their bytes in the video memory are stale.
 */
#ifndef DEVICES_VGA_H
#define DEVICES_VGA_H

#include "base/error.h"
#include "base/field.h"
#include "base/sched.h"
#include "devices/pci.h"
#include "mmu/space.h"

#define VGA_PORT        0x3b0
#define VGA_PORTS       0x30
#define VGA_DISPI_PORT  0x1ce
#define VGA_DISPI_PORTS 4 /* index 1CEh; data 1CFh, and again 1D0h */
#define VGA_WINDOW      0xa0000
#define VGA_WINDOW_SIZE 0x20000
#define VGA_TEXT_BYTES  0x8000
#define VGA_RAM_SIZE    (16u << 20)
#define VGA_ROM_SIZE    0x10000
#define VGA_MMIO_SIZE   0x1000
#define VGA_WIDTH_MAX   16000
#define VGA_HEIGHT_MAX  12000

/* Indexes of the register files. */
enum {
	CRTC_HTOTAL = 0,
	CRTC_HDE = 1,
	CRTC_VTOTAL = 6,
	CRTC_OVERFLOW = 7,
	CRTC_PRESET_ROW = 8,
	CRTC_MAXSCAN = 9,
	CRTC_CURSOR_START = 10,
	CRTC_CURSOR_END = 11,
	CRTC_START = 12,
	CRTC_CURSOR = 14,
	CRTC_VRS = 16,
	CRTC_VRE = 17,
	CRTC_VDE = 18,
	CRTC_OFFSET = 19,
	CRTC_UNDERLINE = 20,
	CRTC_MODE = 23,
	CRTC_LINE_COMPARE = 24,
	CRTC_COUNT = 25
};
enum { SEQ_RESET, SEQ_CLOCKING, SEQ_MAP_MASK, SEQ_FONT, SEQ_MEMORY, SEQ_COUNT };
enum {
	GR_SET_RESET,
	GR_ENABLE_SR,
	GR_COMPARE,
	GR_ROTATE,
	GR_READ_MAP,
	GR_MODE,
	GR_MISC,
	GR_DONT_CARE,
	GR_BIT_MASK,
	GR_COUNT
};
enum { ATTR_MODE = 16, ATTR_OVERSCAN, ATTR_PLANES, ATTR_PANNING, ATTR_COLOUR_SELECT, ATTR_COUNT };
enum {
	DISPI_ID,
	DISPI_XRES,
	DISPI_YRES,
	DISPI_BPP,
	DISPI_ENABLE,
	DISPI_BANK,
	DISPI_VIRT_WIDTH,
	DISPI_VIRT_HEIGHT,
	DISPI_X_OFFSET,
	DISPI_Y_OFFSET,
	DISPI_MEMORY_64K,
	DISPI_COUNT
};
enum { DISPI_ENABLED = 1, DISPI_GETCAPS = 2, DISPI_8BIT_DAC = 0x20, DISPI_LFB = 0x40, DISPI_NOCLEAR = 0x80 };

struct vga_state {
	u8 crtc[32], seq[8], gr[16], attr[32], dac[768];
	u8 latch[4]; /* what the last read took from the four planes */
	u8 crtc_index, seq_index, gr_index, attr_index;
	u8 attr_data; /* the next write of 3C0h is data */
	u8 misc, feature, enable;
	u8 dac_mask, dac_read, dac_write, dac_step;
	u8 dac_reading; /* 3C7h was written last */
	u8 dac_part[2]; /* red and green until blue is written */
	u8 dispi_low;   /* of a 16-bit write that came as bytes */
	u16 dispi_index;
	u16 dispi[DISPI_COUNT];
};

struct vga {
	struct vga_state s;
	struct sched *sched;
	struct space *mem;
	struct pci_device pci;            /* BAR 0: the video memory; 2: vga_mmio_ops; ROM: for a video BIOS */
	struct region *text_region, *lfb; /* of mem; lfb is BAR 0 */
	u8 *text;                         /* VGA_TEXT_BYTES: character n at 2n, its attribute at 2n + 1 */
	u8 *vram;                         /* VGA_RAM_SIZE */
};

extern const struct region_ops vga_ops;       /* VGA_PORT, VGA_PORTS */
extern const struct region_ops vga_dispi_ops; /* VGA_DISPI_PORT, VGA_DISPI_PORTS */
extern const struct region_ops vga_mmio_ops;  /* BAR 2: VGA_MMIO_SIZE */
#define VGA_FIELDS 23
extern const struct field vga_fields[VGA_FIELDS];

/* Adds the window and the plain text memory over it to mem. */
bool vga_init(struct vga *v, struct space *mem, struct sched *sched, struct error *err);
/* Puts it on the bus. It works from then on. */
bool vga_add(struct vga *v, struct pci_bus *bus, u8 devfn, struct error *err);
/* The video BIOS: size bytes, up to VGA_ROM_SIZE. */
void vga_rom(struct vga *v, const void *image, size_t size);
void vga_reset(struct vga *v);
void vga_post_load(struct vga *v);

/* ---- for the other files of the device ---- */

/* Registers changed: is the window plain text memory now? Moves the planes when that changes. */
void vga_mem_update(struct vga *v);
/* Empties the first size bytes of the video memory, in whole pages. */
void vga_mem_clear(struct vga *v, u32 size);
/* Loads the font of vga_font.c into plane 2. */
void vga_mem_font(struct vga *v);
/* Makes DISPI's numbers fit each other and the memory. */
void vga_dispi_fit(struct vga_state *s);
void vga_port_write(struct vga *v, unsigned port, u8 val);
u8 vga_port_read(struct vga *v, unsigned port);
u8 vga_port_look(const struct vga *v, unsigned port);

static inline bool vga_dispi_on(const struct vga_state *s) { return s->dispi[DISPI_ENABLE] & DISPI_ENABLED; }
/* Pixels are bytes or wider, and the memory is linear. */
static inline bool vga_dispi_linear(const struct vga_state *s) { return vga_dispi_on(s) && s->dispi[DISPI_BPP] > 4; }
/* Bytes of a line of pixels in the video memory. */
u32 vga_dispi_pitch(const struct vga_state *s);

/* The window is the plain text memory. */
bool vga_text_plain(const struct vga_state *s);

/* Offset n of all four planes, plane 0 in the lowest byte. */
static inline u32 vga_planes(const struct vga *v, u32 n)
{
	u32 all = (u32)load_le(v->vram + (n & (VGA_RAM_SIZE / 4 - 1)) * 4ull, 4);

	if (v->text_region->off || n >= VGA_TEXT_BYTES / 2)
		return all;
	return (all & 0xffff0000u) | (u32)load_le(v->text + n * 2, 2);
}

/* The CRT controller's 10-bit numbers: displayed lines, the line after which the picture starts again at address 0. */
static inline unsigned vga_lines(const struct vga_state *s)
{
	return (s->crtc[CRTC_VDE] | (s->crtc[CRTC_OVERFLOW] & 2u) << 7 | (s->crtc[CRTC_OVERFLOW] & 0x40u) << 3) + 1;
}
static inline unsigned vga_line_compare(const struct vga_state *s)
{
	return s->crtc[CRTC_LINE_COMPARE] | (s->crtc[CRTC_OVERFLOW] & 0x10u) << 4 |
	       (s->crtc[CRTC_MAXSCAN] & 0x40u) << 3;
}
static inline u32 vga_start(const struct vga_state *s)
{
	return (u32)s->crtc[CRTC_START] << 8 | s->crtc[CRTC_START + 1];
}

/* How the beam runs. Times in ns. */
struct vga_timing {
	u64 line, shown;                 /* a line, and its displayed part */
	unsigned lines, shown_lines;     /* of a frame, and those displayed */
	unsigned retrace, retrace_lines; /* vertical retrace */
};
struct vga_timing vga_timing(const struct vga_state *s);
/* Frames since time 0, by the present timing: for what blinks. */
u64 vga_frames(const struct vga *v);

#endif
