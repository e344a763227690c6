/*
 * See vga.h: the register files at 3B0h-3DFh. Manual: IBM PS/2 Hardware Interface Technical Reference, "Video
 * Subsystem". Each file is memory with the write protection and the index rules of the manual. Status 1 follows the
 * beam, whose place is virtual time modulo the frame that the CRT controller's registers describe.
 */
#include "devices/vga.h"

enum { MISC_COLOUR = 1 };
enum { ST1_BLANK = 1, ST1_RETRACE = 8, ST0_SENSE = 0x10 };

const struct field vga_fields[VGA_FIELDS] = {
	FIELD_BYTES(struct vga_state, crtc),      FIELD_BYTES(struct vga_state, seq),
	FIELD_BYTES(struct vga_state, gr),        FIELD_BYTES(struct vga_state, attr),
	FIELD_BYTES(struct vga_state, dac),       FIELD_BYTES(struct vga_state, latch),
	FIELD_HEX(struct vga_state, crtc_index),  FIELD_HEX(struct vga_state, seq_index),
	FIELD_HEX(struct vga_state, gr_index),    FIELD_HEX(struct vga_state, attr_index),
	FIELD_DEC(struct vga_state, attr_data),   FIELD_HEX(struct vga_state, misc),
	FIELD_HEX(struct vga_state, feature),     FIELD_HEX(struct vga_state, enable),
	FIELD_HEX(struct vga_state, dac_mask),    FIELD_HEX(struct vga_state, dac_read),
	FIELD_HEX(struct vga_state, dac_write),   FIELD_DEC(struct vga_state, dac_step),
	FIELD_DEC(struct vga_state, dac_reading), FIELD_BYTES(struct vga_state, dac_part),
	FIELD_HEX(struct vga_state, dispi_low),   FIELD_HEX(struct vga_state, dispi_index),
	FIELD_ARRAY(struct vga_state, dispi),
};

/* The registers of mode 3. */
static const u8 mode3_crtc[CRTC_COUNT] = {0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00,
					  0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff};
static const u8 mode3_seq[SEQ_COUNT] = {0x03, 0x00, 0x03, 0x00, 0x02};
static const u8 mode3_gr[GR_COUNT] = {0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x0f, 0xff};
static const u8 mode3_attr[ATTR_COUNT] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a,
					  0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0x00, 0x0f, 0x08, 0x00};

/* ---- the beam ---- */

/* 60 frames a second for what DISPI shows: its modes have no timing. */
static const struct vga_timing dispi_timing = {
	.line = 20833, .shown = 16000, .lines = 800, .shown_lines = 768, .retrace = 771, .retrace_lines = 6};

struct vga_timing vga_timing(const struct vga_state *s)
{
	static const u32 clock_khz[4] = {25175, 28322, 25175, 25175}; /* 2 and 3: external, none is connected */
	const u8 *c = s->crtc;
	u32 khz = clock_khz[s->misc >> 2 & 3] / (s->seq[SEQ_CLOCKING] & 8 ? 2 : 1);
	u32 dots = s->seq[SEQ_CLOCKING] & 1 ? 8 : 9;
	struct vga_timing t;

	if (vga_dispi_on(s))
		return dispi_timing;
	t.line = (u64)(c[CRTC_HTOTAL] + 5u) * dots * 1000000 / khz;
	t.shown = (u64)(c[CRTC_HDE] + 1u) * dots * 1000000 / khz;
	t.lines = (c[CRTC_VTOTAL] | (c[CRTC_OVERFLOW] & 1u) << 8 | (c[CRTC_OVERFLOW] & 0x20u) << 4) + 2;
	t.shown_lines = vga_lines(s);
	t.retrace = c[CRTC_VRS] | (c[CRTC_OVERFLOW] & 4u) << 6 | (c[CRTC_OVERFLOW] & 0x80u) << 2;
	t.retrace_lines = (c[CRTC_VRE] - t.retrace) & 15;
	/* A frame without retrace would let a guest wait for ever: there is always one, at the end. */
	if (t.retrace >= t.lines)
		t.retrace = t.lines - 1;
	if (!t.retrace_lines)
		t.retrace_lines = 1;
	return t;
}

u64 vga_frames(const struct vga *v)
{
	struct vga_timing t = vga_timing(&v->s);

	return v->sched->now / (t.line * t.lines);
}

/* Status 1 by the beam's place. */
static u8 status1(const struct vga *v)
{
	struct vga_timing t = vga_timing(&v->s);
	u64 pos = v->sched->now % (t.lines * t.line);
	unsigned line = (unsigned)(pos / t.line);
	u8 val = 0;

	if (line >= t.shown_lines || pos % t.line >= t.shown)
		val |= ST1_BLANK;
	if (line - t.retrace < t.retrace_lines)
		val |= ST1_RETRACE | ST1_BLANK;
	return val;
}

/* ---- reading ---- */

/* The CRT controller, status 1 and feature control are at 3Bxh or 3Dxh: the same register, or nobody there. */
static bool answers(const struct vga_state *s, unsigned port)
{
	bool colour = s->misc & MISC_COLOUR;

	if (port < 0x3c0)
		return !colour;
	return port < 0x3d0 || colour;
}

u8 vga_port_look(const struct vga *v, unsigned port)
{
	const struct vga_state *s = &v->s;

	if (!answers(s, port))
		return 0xff;
	switch (port) {
	case 0x3b4:
	case 0x3d4: return s->crtc_index;
	case 0x3b5:
	case 0x3d5: return s->crtc_index < CRTC_COUNT ? s->crtc[s->crtc_index & 31] : 0;
	case 0x3ba:
	case 0x3da: return status1(v);
	case 0x3c0: return s->attr_index;
	case 0x3c1: return (s->attr_index & 31) < ATTR_COUNT ? s->attr[s->attr_index & 31] : 0;
	case 0x3c2: return ST0_SENSE;
	case 0x3c3: return s->enable;
	case 0x3c4: return s->seq_index;
	case 0x3c5: return s->seq[s->seq_index & 7];
	case 0x3c6: return s->dac_mask;
	case 0x3c7: return s->dac_reading ? 3 : 0;
	case 0x3c8: return s->dac_write;
	case 0x3c9: return s->dac[(s->dac_read * 3 + s->dac_step) % 768];
	case 0x3ca: return s->feature;
	case 0x3cc: return s->misc;
	case 0x3ce: return s->gr_index;
	case 0x3cf: return s->gr[s->gr_index & 15];
	default: return 0xff;
	}
}

/* Reading status 1 makes the attribute port expect an index. */
u8 vga_port_read(struct vga *v, unsigned port)
{
	u8 val = vga_port_look(v, port);

	if (port == 0x3c9 && ++v->s.dac_step >= 3) {
		v->s.dac_step = 0;
		v->s.dac_read++;
	} else if ((port == 0x3ba || port == 0x3da) && answers(&v->s, port)) {
		v->s.attr_data = 0;
	}
	return val;
}

static u64 ports_peek(const void *dev, u64 off, unsigned size)
{
	(void)size;
	return vga_port_look(dev, VGA_PORT + (unsigned)off);
}

static u64 ports_read(void *dev, u64 off, unsigned size)
{
	(void)size;
	return vga_port_read(dev, VGA_PORT + (unsigned)off);
}

/* ---- writing ---- */

/* Registers 0-7 are protected by bit 7 of register 11h, except for the line compare bit in 7. */
static void write_crtc(struct vga_state *s, u8 val)
{
	u8 i = s->crtc_index & 31;

	if (s->crtc_index >= CRTC_COUNT)
		return;
	if (i <= CRTC_OVERFLOW && s->crtc[CRTC_VRE] & 0x80) {
		if (i == CRTC_OVERFLOW)
			s->crtc[i] = (s->crtc[i] & 0xef) | (val & 0x10);
		return;
	}
	s->crtc[i] = val;
}

/* Port 3C0h takes index and data in turns; the palette can be written only while the screen is off (index bit 5). */
static void write_attr(struct vga_state *s, u8 val)
{
	u8 i = s->attr_index & 31;

	if (!s->attr_data)
		s->attr_index = val & 0x3f;
	else if (i < 16 && !(s->attr_index & 0x20))
		s->attr[i] = val & 0x3f;
	else if (i >= 16 && i < ATTR_COUNT)
		s->attr[i] = val;
	s->attr_data ^= 1;
}

/* A colour changes when its third byte is there. */
static void write_dac(struct vga_state *s, u8 val)
{
	u8 *colour = s->dac + s->dac_write * 3;

	if (!(s->dispi[DISPI_ENABLE] & DISPI_8BIT_DAC))
		val &= 0x3f;
	if (s->dac_step < 2) {
		s->dac_part[s->dac_step++] = val;
		return;
	}
	colour[0] = s->dac_part[0];
	colour[1] = s->dac_part[1];
	colour[2] = val;
	s->dac_step = 0;
	s->dac_write++;
}

/* Which of the DAC's index registers was written last decides what the state register tells. */
static void write_dac_index(struct vga_state *s, u8 val, bool reading)
{
	if (reading)
		s->dac_read = val;
	else
		s->dac_write = val;
	s->dac_reading = reading;
	s->dac_step = 0;
}

static void write_seq(struct vga *v, u8 val)
{
	if (v->s.seq_index >= SEQ_COUNT)
		return;
	v->s.seq[v->s.seq_index] = val;
	vga_mem_update(v);
}

static void write_gr(struct vga *v, u8 val)
{
	if ((v->s.gr_index & 15) >= GR_COUNT)
		return;
	v->s.gr[v->s.gr_index & 15] = val;
	vga_mem_update(v);
}

void vga_port_write(struct vga *v, unsigned port, u8 val)
{
	struct vga_state *s = &v->s;

	if (!answers(s, port))
		return;
	switch (port) {
	case 0x3b4:
	case 0x3d4: s->crtc_index = val; break;
	case 0x3b5:
	case 0x3d5: write_crtc(s, val); break;
	case 0x3ba:
	case 0x3da: s->feature = val; break;
	case 0x3c0: write_attr(s, val); break;
	case 0x3c2: s->misc = val; break;
	case 0x3c3: s->enable = val & 1; break;
	case 0x3c4: s->seq_index = val & 7; break;
	case 0x3c5: write_seq(v, val); break;
	case 0x3c6: s->dac_mask = val; break;
	case 0x3c7:
	case 0x3c8: write_dac_index(s, val, port == 0x3c7); break;
	case 0x3c9: write_dac(s, val); break;
	case 0x3ce: s->gr_index = val & 15; break;
	case 0x3cf: write_gr(v, val); break;
	default: break; /* 3C1h, 3CAh, 3CCh are read-only, others belong to nobody */
	}
}

/* Two bytes at once are index and data: the space cuts them up. */
static void ports_write(void *dev, u64 off, unsigned size, u64 val)
{
	(void)size;
	vga_port_write(dev, VGA_PORT + (unsigned)off, (u8)val);
}

const struct region_ops vga_ops = {"vga", ports_read, ports_write, ports_peek, 1, 1};

/* ---- life ---- */

/* The 64 colours of the EGA: bits 2:0 are two thirds, bits 5:3 one third of red, green, blue. */
static void default_dac(u8 *dac)
{
	for (unsigned i = 0; i < 64; i++)
		for (unsigned c = 0; c < 3; c++)
			dac[i * 3 + c] = (u8)((i >> (2 - c) & 1) * 42 + (i >> (5 - c) & 1) * 21);
}

/* Text that is shown stays over a reset (it is not in the video memory), anything else does not. */
void vga_reset(struct vga *v)
{
	struct vga_state *s = &v->s;

	pci_reset(&v->pci);
	memset(s, 0, sizeof *s);
	memcpy(s->crtc, mode3_crtc, sizeof mode3_crtc);
	memcpy(s->seq, mode3_seq, sizeof mode3_seq);
	memcpy(s->gr, mode3_gr, sizeof mode3_gr);
	memcpy(s->attr, mode3_attr, sizeof mode3_attr);
	default_dac(s->dac);
	s->attr_index = 0x20;
	s->misc = 0x67;
	s->enable = 1;
	s->dac_mask = 0xff;
	s->dispi[DISPI_ID] = 0xb0c5;
	s->dispi[DISPI_MEMORY_64K] = VGA_RAM_SIZE >> 16;
	vga_mem_clear(v, VGA_RAM_SIZE);
	vga_mem_font(v);
	vga_mem_update(v);
}
