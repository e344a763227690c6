/*
 * See vga.h: the window A0000h-BFFFFh. Manual: IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem", read
 * and write modes, latches, odd/even and chain-4 addressing. As on QEMU's VGA, chain-4 bypasses the write logic, offset
 * n of plane p is byte 4n + p whatever the addressing, and odd/even drops bit 0 of the address by a shift.
 */
#include "devices/vga.h"
#include "devices/vga_font.h"

#define PLANE_MASK (VGA_RAM_SIZE / 4 - 1)
#define NOWHERE    (~0u)

enum { SEQ4_ODD_EVEN_OFF = 4, SEQ4_CHAIN4 = 8, GR5_READ_COMPARE = 8, GR5_ODD_EVEN = 0x10 };

/* ---- where an address leads ---- */

/* The place in the window (graphics register 6, bits 3:2) plus the bank, or NOWHERE. */
static u32 window_offset(const struct vga_state *s, u32 off)
{
	static const struct {
		u32 start, size;
	} map[4] = {{0, 0x20000}, {0, 0x10000}, {0x10000, 0x8000}, {0x18000, 0x8000}};
	unsigned n = s->gr[GR_MISC] >> 2 & 3;

	if (vga_dispi_on(s))
		return off < 0x10000 ? (off + ((u32)s->dispi[DISPI_BANK] << 16)) & (VGA_RAM_SIZE - 1) : NOWHERE;
	return off - map[n].start < map[n].size ? off - map[n].start : NOWHERE;
}

static bool chained(const struct vga_state *s) { return vga_dispi_linear(s) || s->seq[SEQ_MEMORY] & SEQ4_CHAIN4; }

/* One bit of four becomes one byte of four. */
static u32 spread(unsigned four)
{
	return (four & 1 ? 0xffu : 0) | (four & 2 ? 0xff00u : 0) | (four & 4 ? 0xff0000u : 0) |
	       (four & 8 ? 0xff000000u : 0);
}

/* The video memory's bytes from off on change without the CPU having stored there. */
static void touch(struct vga *v, u32 off, unsigned size)
{
	struct page_info *p = &v->mem->page[v->lfb->page0 + (off >> 12)];

	p->dirty = 1;
	if (unlikely(p->code) && v->mem->code_hit && !v->lfb->off)
		v->mem->code_hit(v->mem->code_owner, v->lfb->base + off, size);
}

static u32 planes_load(const struct vga *v, u32 n) { return (u32)load_le(v->vram + (n & PLANE_MASK) * 4ull, 4); }

static void planes_store(struct vga *v, u32 n, u32 val, u32 mask)
{
	u32 at = (n & PLANE_MASK) * 4;

	touch(v, at, 4);
	store_le(v->vram + at, 4, (planes_load(v, n) & ~mask) | (val & mask));
}

/* ---- reading ---- */

/* Read mode 1: a bit is set where the planes that count have the colour compare value. */
static u8 compare(const struct vga_state *s, u32 latch)
{
	u32 differ = (latch ^ spread(s->gr[GR_COMPARE])) & spread(s->gr[GR_DONT_CARE]);

	differ |= differ >> 16;
	return (u8) ~(differ | differ >> 8);
}

static u8 window_look(const struct vga *v, u32 off, u32 *latch)
{
	const struct vga_state *s = &v->s;
	u32 at = window_offset(s, off);
	unsigned plane = s->gr[GR_READ_MAP] & 3;

	*latch = (u32)load_le(s->latch, 4);
	if (at == NOWHERE)
		return 0xff;
	if (chained(s)) {
		*latch = planes_load(v, at >> 2);
		return v->vram[at];
	}
	if (s->gr[GR_MODE] & GR5_ODD_EVEN) {
		plane = (plane & 2) | (at & 1);
		at >>= 1;
	}
	*latch = planes_load(v, at);
	return s->gr[GR_MODE] & GR5_READ_COMPARE ? compare(s, *latch) : (u8)(*latch >> plane * 8);
}

static u64 window_peek(const void *dev, u64 off, unsigned size)
{
	u32 latch;

	(void)size;
	return window_look(dev, (u32)off, &latch);
}

static u64 window_read(void *dev, u64 off, unsigned size)
{
	struct vga *v = dev;
	u32 latch;
	u8 val = window_look(v, (u32)off, &latch);

	(void)size;
	store_le(v->s.latch, 4, latch);
	return val;
}

/* ---- writing ---- */

static u8 rotate(u8 val, unsigned by) { return (u8)(val >> by | val << (8 - by)); }

/* What the four planes get of a CPU's byte: write modes 0 to 3 (graphics register 5, bits 1:0). */
static u32 write_logic(const struct vga_state *s, u8 val)
{
	u32 latch = (u32)load_le(s->latch, 4), set = spread(s->gr[GR_SET_RESET]), enable = spread(s->gr[GR_ENABLE_SR]);
	u32 mask = s->gr[GR_BIT_MASK] * 0x01010101u, data = 0;
	u8 turned = rotate(val, s->gr[GR_ROTATE] & 7);

	switch (s->gr[GR_MODE] & 3) {
	case 0: data = (turned * 0x01010101u & ~enable) | (set & enable); break;
	case 1: return latch;
	case 2: data = spread(val & 15); break;
	case 3:
		data = set;
		mask &= turned * 0x01010101u;
		break;
	}
	switch (s->gr[GR_ROTATE] >> 3 & 3) {
	case 1: data &= latch; break;
	case 2: data |= latch; break;
	case 3: data ^= latch; break;
	default: break;
	}
	return (data & mask) | (latch & ~mask);
}

static void window_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct vga *v = dev;
	const struct vga_state *s = &v->s;
	u32 at = window_offset(s, (u32)off);
	unsigned planes = s->seq[SEQ_MAP_MASK] & 15;

	(void)size;
	if (at == NOWHERE)
		return;
	if (chained(s)) {
		if (vga_dispi_linear(s) || planes >> (at & 3) & 1) {
			touch(v, at, 1);
			v->vram[at] = (u8)val;
		}
		return;
	}
	if (!(s->seq[SEQ_MEMORY] & SEQ4_ODD_EVEN_OFF)) {
		planes &= at & 1 ? 0xa : 5;
		at >>= 1;
	}
	planes_store(v, at, write_logic(s, (u8)val), spread(planes));
}

static const struct region_ops window_ops = {"vga-memory", window_read, window_write, window_peek, 1, 1};

/* ---- plain text memory ---- */

/* Planes 0 and 1 in turns, in a window of 32 KB, and nothing of the read and write logic in use. */
bool vga_text_plain(const struct vga_state *s)
{
	const u8 *g = s->gr;

	return !vga_dispi_on(s) && !(s->seq[SEQ_MEMORY] & (SEQ4_CHAIN4 | SEQ4_ODD_EVEN_OFF)) &&
	       (s->seq[SEQ_MAP_MASK] & 15) == 3 && (g[GR_MODE] & 0x1b) == GR5_ODD_EVEN && g[GR_MISC] & 8 &&
	       !(g[GR_ENABLE_SR] & 15) && !(g[GR_ROTATE] & 0x1f) && !(g[GR_READ_MAP] & 2) && g[GR_BIT_MASK] == 0xff;
}

static void text_from_planes(struct vga *v)
{
	for (u32 n = 0; n < VGA_TEXT_BYTES / 2; n++)
		store_le(v->text + n * 2, 2, planes_load(v, n));
	for (u32 i = 0; i < VGA_TEXT_BYTES / PAGE_SIZE; i++)
		v->mem->page[v->text_region->page0 + i].dirty = 1;
}

static void planes_from_text(struct vga *v)
{
	for (u32 n = 0; n < VGA_TEXT_BYTES / 2; n++)
		planes_store(v, n, (u32)load_le(v->text + n * 2, 2), 0xffff);
}

void vga_mem_update(struct vga *v)
{
	bool plain = vga_text_plain(&v->s);

	if (plain)
		region_move(v->mem, v->text_region, VGA_WINDOW + (v->s.gr[GR_MISC] & 4 ? 0x18000 : 0x10000));
	if (plain == !v->text_region->off)
		return;
	if (plain)
		text_from_planes(v);
	else
		planes_from_text(v);
	region_enable(v->mem, v->text_region, plain);
}

void vga_mem_clear(struct vga *v, u32 size)
{
	for (u32 at = 0; at < size && at < VGA_RAM_SIZE; at += PAGE_SIZE)
		if (v->mem->page[v->lfb->page0 + (at >> 12)].dirty) {
			touch(v, at, PAGE_SIZE);
			memset(v->vram + at, 0, PAGE_SIZE);
		}
}

void vga_mem_font(struct vga *v)
{
	u8 glyph[VGA_FONT_HEIGHT];

	for (unsigned i = 0; i < 256; i++) {
		vga_font_glyph((u8)i, glyph);
		for (unsigned y = 0; y < VGA_FONT_HEIGHT; y++)
			planes_store(v, i * 32 + y, (u32)glyph[y] << 16, 0xff0000);
	}
}

void vga_post_load(struct vga *v)
{
	bool plain = vga_text_plain(&v->s);

	pci_post_load(&v->pci);
	if (vga_dispi_on(&v->s))
		vga_dispi_fit(&v->s);
	if (plain)
		region_move(v->mem, v->text_region, VGA_WINDOW + (v->s.gr[GR_MISC] & 4 ? 0x18000 : 0x10000));
	region_enable(v->mem, v->text_region, plain);
}

bool vga_init(struct vga *v, struct space *mem, struct sched *sched, struct error *err)
{
	static const struct pci_id id = {.vendor = 0x1234, .device = 0x1111, .class_code = 0x030000, .revision = 2};

	*v = (struct vga){.mem = mem, .sched = sched};
	if (!space_add_device(mem, VGA_WINDOW, VGA_WINDOW_SIZE, &window_ops, v))
		return error_set(err, "memory: no room for the VGA");
	v->text_region = space_add_ram(mem, "vga-text", VGA_WINDOW + 0x18000, VGA_TEXT_BYTES, false, err);
	if (!v->text_region)
		return false;
	v->text = v->text_region->host;
	pci_init(&v->pci, "vga", &id, v);
	pci_bar_ram(&v->pci, 0, PCI_MEMORY | PCI_PREFETCH, VGA_RAM_SIZE);
	pci_bar_device(&v->pci, 2, PCI_MEMORY, VGA_MMIO_SIZE, &vga_mmio_ops);
	pci_bar_ram(&v->pci, PCI_ROM, PCI_MEMORY, VGA_ROM_SIZE);
	return true;
}

bool vga_add(struct vga *v, struct pci_bus *bus, u8 devfn, struct error *err)
{
	if (!pci_add(bus, &v->pci, devfn, err))
		return false;
	v->lfb = v->pci.bar[0].region;
	v->vram = v->lfb->host;
	return true;
}

void vga_rom(struct vga *v, const void *image, size_t size)
{
	memcpy(v->pci.bar[PCI_ROM].region->host, image, size < VGA_ROM_SIZE ? size : VGA_ROM_SIZE);
}
