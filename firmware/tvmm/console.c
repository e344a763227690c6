/* console.c: text to the VGA screen (mode 3, 80x25) and to COM1 (115200 8N1, polled).
 * The VMM scrolls the upper 20 rows only. The frame is passed through to the guest, which owns the lower five. */
#include "console.h"
#include "memory.h"
#include "port.h"

enum { COLUMNS = 80, ROWS = 20, SCREEN_ROWS = 25, BLANK = 0x0700 | ' ' };

static u16 *const screen = (u16 *)(DIRECT_MAP + VGA_FRAME);
static unsigned row, column;

static void serial_init(void)
{
	out8(COM1_IER, 0);    /* polled: no interrupts */
	out8(COM1_LCR, 0x80); /* DLAB: the next two registers are the divisor */
	out8(COM1, 1);        /* 115200 baud */
	out8(COM1 + 1, 0);
	out8(COM1_LCR, 0x03); /* 8 bits, no parity, 1 stop bit */
	out8(COM1_FCR, 0x07); /* FIFOs on and empty */
	out8(COM1_MCR, 0x03); /* DTR, RTS */
}

static void screen_scroll(void)
{
	memcpy(screen, screen + COLUMNS, (ROWS - 1) * COLUMNS * sizeof *screen);
	for (unsigned i = 0; i < COLUMNS; i++)
		screen[(ROWS - 1) * COLUMNS + i] = BLANK;
}

static void screen_put(char c)
{
	if (c == '\n' || column == COLUMNS) {
		column = 0;
		if (++row == ROWS) {
			screen_scroll();
			row--;
		}
	}
	if (c != '\n')
		screen[row * COLUMNS + column++] = (u16)(0x0700 | (u8)c);
}

void console_init(void)
{
	serial_init();
	for (unsigned i = 0; i < SCREEN_ROWS * COLUMNS; i++)
		screen[i] = BLANK;
}

void console_put(char c)
{
	screen_put(c);
	serial_put(c);
}

void print(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	format(console_put, fmt, ap);
	va_end(ap);
}
