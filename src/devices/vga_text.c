/*
 * See vga_text.h. Manual: IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem" (VGA). Register files are
 * memory with the write protection and the index rules of the manual; only what text needs is looked at. Timing is that
 * of 720x400 at 70 Hz: 449 lines of 31.78 us. A guest that sets a graphics mode is told so on stderr.
 */
#include "devices/vga_text.h"

#include "devices/report.h"

#define LINE_NS     31778u
#define SHOWN_NS    25422u /* of a line, the rest is horizontal blanking */
#define LINES       449u
#define SHOWN_LINES 400u
#define RETRACE     412u /* the first of the two lines of vertical retrace */
#define TEXT_BYTES  0x8000u

enum { MISC_COLOUR = 1 };
enum { ST1_BLANK = 1, ST1_RETRACE = 8, ST0_SENSE = 0x10 };
enum {
	CRTC_HDE = 1,
	CRTC_OVERFLOW = 7,
	CRTC_MAXSCAN = 9,
	CRTC_CURSOR_START = 10,
	CRTC_CURSOR_END = 11,
	CRTC_START = 12
};
enum { CRTC_CURSOR = 14, CRTC_VRE = 17, CRTC_VDE = 18, CRTC_OFFSET = 19 };
enum {
	GR_MISC = 6,
	ATTR_MODE = 16,
	ATTR_COLOUR_SELECT = 20,
	ATTR_COUNT = 21,
	SEQ_COUNT = 5,
	GR_COUNT = 9,
	CRTC_COUNT = 25
};

const struct field vga_text_fields[VGA_TEXT_FIELDS] = {
	FIELD_BYTES(struct vga_text_state, crtc),       FIELD_BYTES(struct vga_text_state, seq),
	FIELD_BYTES(struct vga_text_state, gr),         FIELD_BYTES(struct vga_text_state, attr),
	FIELD_BYTES(struct vga_text_state, dac),        FIELD_HEX(struct vga_text_state, crtc_index),
	FIELD_HEX(struct vga_text_state, seq_index),    FIELD_HEX(struct vga_text_state, gr_index),
	FIELD_HEX(struct vga_text_state, attr_index),   FIELD_DEC(struct vga_text_state, attr_data),
	FIELD_HEX(struct vga_text_state, misc),         FIELD_HEX(struct vga_text_state, feature),
	FIELD_HEX(struct vga_text_state, enable),       FIELD_HEX(struct vga_text_state, dac_mask),
	FIELD_HEX(struct vga_text_state, dac_read),     FIELD_HEX(struct vga_text_state, dac_write),
	FIELD_DEC(struct vga_text_state, dac_step),     FIELD_DEC(struct vga_text_state, dac_reading),
	FIELD_(struct vga_text_state, pad, FMT_PAD, 0),
};

/* The registers of mode 3. */
static const u8 mode3_crtc[CRTC_COUNT] = {0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00,
					  0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff};
static const u8 mode3_seq[SEQ_COUNT] = {0x03, 0x00, 0x03, 0x00, 0x02};
static const u8 mode3_gr[GR_COUNT] = {0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x0f, 0xff};
static const u8 mode3_attr[ATTR_COUNT] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a,
					  0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0x00, 0x0f, 0x08, 0x00};

/* clang-format off */
static const char cp437[256][4] = {
	" ", "☺", "☻", "♥", "♦", "♣", "♠", "•", "◘", "○", "◙", "♂", "♀", "♪", "♫", "☼",
	"►", "◄", "↕", "‼", "¶", "§", "▬", "↨", "↑", "↓", "→", "←", "∟", "↔", "▲", "▼",
	" ", "!", "\"", "#", "$", "%", "&", "'", "(", ")", "*", "+", ",", "-", ".", "/",
	"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", ":", ";", "<", "=", ">", "?",
	"@", "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O",
	"P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z", "[", "\\", "]", "^", "_",
	"`", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o",
	"p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z", "{", "|", "}", "~", "⌂",
	"Ç", "ü", "é", "â", "ä", "à", "å", "ç", "ê", "ë", "è", "ï", "î", "ì", "Ä", "Å",
	"É", "æ", "Æ", "ô", "ö", "ò", "û", "ù", "ÿ", "Ö", "Ü", "¢", "£", "¥", "₧", "ƒ",
	"á", "í", "ó", "ú", "ñ", "Ñ", "ª", "º", "¿", "⌐", "¬", "½", "¼", "¡", "«", "»",
	"░", "▒", "▓", "│", "┤", "╡", "╢", "╖", "╕", "╣", "║", "╗", "╝", "╜", "╛", "┐",
	"└", "┴", "┬", "├", "─", "┼", "╞", "╟", "╚", "╔", "╩", "╦", "╠", "═", "╬", "╧",
	"╨", "╤", "╥", "╙", "╘", "╒", "╓", "╫", "╪", "┘", "┌", "█", "▄", "▌", "▐", "▀",
	"α", "ß", "Γ", "π", "Σ", "σ", "µ", "τ", "Φ", "Θ", "Ω", "δ", "∞", "φ", "ε", "∩",
	"≡", "±", "≥", "≤", "⌠", "⌡", "÷", "≈", "°", "∙", "·", "√", "ⁿ", "²", "■", " ",
};
/* clang-format on */

/* Status 1 by the beam's place; reading it makes the attribute port expect an index. */
static u8 status1(const struct vga_text *v)
{
	u64 pos = v->sched->now % (LINES * (u64)LINE_NS);
	unsigned line = (unsigned)(pos / LINE_NS);
	u8 val = 0;

	if (line >= SHOWN_LINES || pos % LINE_NS >= SHOWN_NS)
		val |= ST1_BLANK;
	if (line == RETRACE || line == RETRACE + 1)
		val |= ST1_RETRACE;
	return val;
}

static u8 dac_look(const struct vga_text_state *s) { return s->dac[(s->dac_read * 3 + s->dac_step) % 768]; }

/* The CRT controller, status 1 and feature control are at 3Bxh or 3Dxh: the same register, or nobody there. */
static bool answers(const struct vga_text_state *s, unsigned port)
{
	bool colour = s->misc & MISC_COLOUR;

	if (port < 0x3c0)
		return !colour;
	return port < 0x3d0 || colour;
}

static u8 look(const struct vga_text *v, unsigned port)
{
	const struct vga_text_state *s = &v->s;

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
	case 0x3c9: return dac_look(s);
	case 0x3ca: return s->feature;
	case 0x3cc: return s->misc;
	case 0x3ce: return s->gr_index;
	case 0x3cf: return s->gr[s->gr_index & 15];
	default: return 0xff;
	}
}

static u64 vga_peek(const void *dev, u64 off, unsigned size)
{
	(void)size;
	return look(dev, VGA_PORT + (unsigned)off);
}

static u64 vga_read(void *dev, u64 off, unsigned size)
{
	struct vga_text *v = dev;
	unsigned port = VGA_PORT + (unsigned)off;
	u8 val = look(v, port);

	(void)size;
	if (port == 0x3c9 && ++v->s.dac_step == 3) {
		v->s.dac_step = 0;
		v->s.dac_read++;
	} else if ((port == 0x3ba || port == 0x3da) && answers(&v->s, port)) {
		v->s.attr_data = 0;
	}
	return val;
}

/* Registers 0-7 are protected by bit 7 of register 11h, except for the line compare bit in 7. */
static void write_crtc(struct vga_text_state *s, u8 val)
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
static void write_attr(struct vga_text_state *s, u8 val)
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

static void write_dac(struct vga_text_state *s, u8 val)
{
	s->dac[(s->dac_write * 3 + s->dac_step) % 768] = val & 0x3f;
	if (++s->dac_step == 3) {
		s->dac_step = 0;
		s->dac_write++;
	}
}

static void write_gr(struct vga_text_state *s, u8 val)
{
	if ((s->gr_index & 15) >= GR_COUNT)
		return;
	s->gr[s->gr_index & 15] = val;
	if ((s->gr_index & 15) == GR_MISC && val & 1)
		device_unimplemented("vga: graphics mode (graphics register 6 bit 0): only text is shown");
}

/* Which of the DAC's index registers was written last decides what the state register tells. */
static void write_dac_index(struct vga_text_state *s, u8 val, bool reading)
{
	if (reading)
		s->dac_read = val;
	else
		s->dac_write = val;
	s->dac_reading = reading;
	s->dac_step = 0;
}

static void write_port(struct vga_text_state *s, unsigned port, u8 val)
{
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
	case 0x3c5:
		if (s->seq_index < SEQ_COUNT)
			s->seq[s->seq_index] = val;
		break;
	case 0x3c6: s->dac_mask = val; break;
	case 0x3c7:
	case 0x3c8: write_dac_index(s, val, port == 0x3c7); break;
	case 0x3c9: write_dac(s, val); break;
	case 0x3ce: s->gr_index = val & 15; break;
	case 0x3cf: write_gr(s, val); break;
	default: break; /* 3C1h, 3CAh, 3CCh are read-only, others belong to nobody */
	}
}

/* Two bytes at once are index and data. */
static void vga_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct vga_text *v = dev;

	for (unsigned i = 0; i < size; i++) {
		unsigned port = VGA_PORT + (unsigned)off + i;

		if (answers(&v->s, port))
			write_port(&v->s, port, (u8)(val >> 8 * i));
	}
}

const struct region_ops vga_text_ops = {"vga", vga_read, vga_write, vga_peek, 1, 1};

bool vga_text_mode(const struct vga_text *v) { return !(v->s.gr[GR_MISC] & 1); }

unsigned vga_text_cols(const struct vga_text *v)
{
	unsigned cols = v->s.crtc[CRTC_HDE] + 1u;

	return cols < VGA_TEXT_COLS ? cols : VGA_TEXT_COLS;
}

/* Displayed scan lines over the height of a character. */
unsigned vga_text_rows(const struct vga_text *v)
{
	const u8 *c = v->s.crtc;
	unsigned lines = (c[CRTC_VDE] | (c[CRTC_OVERFLOW] & 2u) << 7 | (c[CRTC_OVERFLOW] & 0x40u) << 3) + 1;

	return lines / ((c[CRTC_MAXSCAN] & 31u) + 1);
}

/* The start of the text window in the 128 KB (graphics register 6, bits 3:2). */
static u32 window(const struct vga_text *v)
{
	static const u32 start[4] = {0, 0, 0x10000, 0x18000};

	return start[v->s.gr[GR_MISC] >> 2 & 3];
}

struct vga_cell vga_text_cell(const struct vga_text *v, const u8 *vram, unsigned row, unsigned col)
{
	const u8 *c = v->s.crtc;
	u32 cell = (c[CRTC_START] << 8 | c[CRTC_START + 1]) + row * c[CRTC_OFFSET] * 2u + col;
	const u8 *p = vram + window(v) + cell * 2 % TEXT_BYTES;

	return (struct vga_cell){p[0], p[1]};
}

unsigned vga_text_line(const struct vga_text *v, const u8 *vram, unsigned row, char *buf)
{
	unsigned cols = vga_text_cols(v), n = 0;

	for (unsigned col = 0; col < cols; col++)
		for (const char *p = cp437[vga_text_cell(v, vram, row, col).ch]; *p; p++)
			buf[n++] = *p;
	buf[n] = 0;
	return n;
}

bool vga_text_cursor(const struct vga_text *v, unsigned *row, unsigned *col)
{
	const u8 *c = v->s.crtc;
	unsigned pitch = c[CRTC_OFFSET] * 2u;
	u16 at = (u16)((c[CRTC_CURSOR] << 8 | c[CRTC_CURSOR + 1]) - (c[CRTC_START] << 8 | c[CRTC_START + 1]));

	if (c[CRTC_CURSOR_START] & 0x20 || (c[CRTC_CURSOR_START] & 31) > (c[CRTC_CURSOR_END] & 31) || !pitch)
		return false;
	*row = at / pitch;
	*col = at % pitch;
	return *row < vga_text_rows(v) && *col < vga_text_cols(v);
}

u32 vga_text_rgb(const struct vga_text *v, unsigned colour)
{
	const struct vga_text_state *s = &v->s;
	unsigned i = s->attr[colour & 15] & 0x3f;
	const u8 *d;

	/* The colour select register gives bits 7:6, and with bit 7 of the mode register also 5:4. */
	if (s->attr[ATTR_MODE] & 0x80)
		i = (i & 15) | (s->attr[ATTR_COLOUR_SELECT] & 3u) << 4;
	i |= (s->attr[ATTR_COLOUR_SELECT] & 12u) << 4;
	d = s->dac + (i & s->dac_mask) * 3;
	return (u32)(d[0] * 255 / 63) << 16 | (u32)(d[1] * 255 / 63) << 8 | (u32)(d[2] * 255 / 63);
}

const char *vga_text_utf8(u8 ch) { return cp437[ch]; }

/* The 64 colours of the EGA: bits 2:0 are two thirds, bits 5:3 one third of red, green, blue. */
static void default_dac(u8 *dac)
{
	for (unsigned i = 0; i < 64; i++)
		for (unsigned c = 0; c < 3; c++)
			dac[i * 3 + c] = (u8)((i >> (2 - c) & 1) * 42 + (i >> (5 - c) & 1) * 21);
}

void vga_text_reset(struct vga_text *v)
{
	struct vga_text_state *s = &v->s;

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
}

void vga_text_init(struct vga_text *v, struct sched *sched)
{
	v->sched = sched;
	vga_text_reset(v);
}
