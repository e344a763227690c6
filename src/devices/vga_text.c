/* See vga_text.h. */
#include "devices/vga_text.h"

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

bool vga_text_mode(const struct vga *v) { return !(v->s.gr[GR_MISC] & 1) && !vga_dispi_on(&v->s); }

unsigned vga_text_cols(const struct vga *v)
{
	unsigned cols = v->s.crtc[CRTC_HDE] + 1u;

	return cols < VGA_TEXT_COLS ? cols : VGA_TEXT_COLS;
}

/* Displayed scan lines over the height of a character. */
unsigned vga_text_rows(const struct vga *v) { return vga_lines(&v->s) / ((v->s.crtc[CRTC_MAXSCAN] & 31u) + 1); }

struct vga_cell vga_text_cell(const struct vga *v, unsigned row, unsigned col)
{
	u32 cell = vga_planes(v, (vga_start(&v->s) + row * v->s.crtc[CRTC_OFFSET] * 2u + col) & 0xffff);

	return (struct vga_cell){(u8)cell, (u8)(cell >> 8)};
}

unsigned vga_text_line(const struct vga *v, unsigned row, char *buf)
{
	unsigned cols = vga_text_cols(v), n = 0;

	for (unsigned col = 0; col < cols; col++)
		for (const char *p = cp437[vga_text_cell(v, row, col).ch]; *p; p++)
			buf[n++] = *p;
	buf[n] = 0;
	return n;
}

bool vga_text_cursor(const struct vga *v, unsigned *row, unsigned *col)
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

const char *vga_text_utf8(u8 ch) { return cp437[ch]; }
