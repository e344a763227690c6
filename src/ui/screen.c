/* See screen.h. */
#include "ui/screen.h"

#include <errno.h>

static void read_line(const struct vga *vga, unsigned row, char *buf)
{
	unsigned n = vga_text_line(vga, row, buf);

	while (n && (buf[n - 1] == ' ' || !buf[n - 1]))
		n--;
	buf[n] = 0;
}

void screen_init(struct screen *s, const struct vga *vga, FILE *out)
{
	memset(s, 0, sizeof *s);
	s->vga = vga;
	s->out = out;
	for (unsigned i = 0; i < SCREEN_ROWS; i++)
		s->line[i].printed = true; /* empty */
}

static void print_line(struct screen *s, struct screen_line *l)
{
	if (!l->printed)
		fprintf(s->out, "%s\n", l->text);
	l->printed = true;
}

/* By how many lines the old picture moved up to give the new one: 0 if it did not. Empty lines prove nothing. */
static unsigned scrolled(const struct screen *s, char now[][VGA_TEXT_LINE], unsigned rows)
{
	for (unsigned by = 1; by < rows; by++) {
		unsigned same = 0, i;

		for (i = 0; i + by < rows && !strcmp(now[i], s->line[i + by].text); i++)
			same += *now[i] != 0;
		if (same && (i + by == rows || (same > 1 && i + by + 1 == rows)))
			return by;
	}
	return 0;
}

static void scroll(struct screen *s, unsigned by, unsigned rows)
{
	for (unsigned i = 0; i < by; i++)
		print_line(s, &s->line[i]);
	memmove(s->line, s->line + by, (rows - by) * sizeof s->line[0]);
	memset(s->line + rows - by, 0, by * sizeof s->line[0]);
	for (unsigned i = rows - by; i < rows; i++)
		s->line[i].printed = true;
}

static bool changed(const struct screen *s, char now[][VGA_TEXT_LINE], unsigned rows)
{
	for (unsigned i = 0; i < rows; i++)
		if (strcmp(now[i], s->line[i].text))
			return true;
	return false;
}

void screen_look(void *arg)
{
	struct screen *s = arg;
	unsigned rows = vga_text_mode(s->vga) ? vga_text_rows(s->vga) : 0, by;
	char now[SCREEN_ROWS][VGA_TEXT_LINE];

	rows = rows < SCREEN_ROWS ? rows : SCREEN_ROWS;
	for (unsigned i = 0; i < rows; i++)
		read_line(s->vga, i, now[i]);
	if (changed(s, now, rows) && strcmp(now[0], s->line[0].text) && (by = scrolled(s, now, rows)))
		scroll(s, by, rows);
	for (unsigned i = 0; i < rows; i++) {
		struct screen_line *l = &s->line[i];

		if (strcmp(now[i], l->text)) {
			strcpy(l->text, now[i]);
			l->settled = 0;
			l->printed = !*now[i];
		} else if (++l->settled == SCREEN_SETTLED) {
			print_line(s, l);
		}
	}
	fflush(s->out); /* somebody may be waiting for it */
	s->rows = rows;
}

void screen_end(struct screen *s)
{
	screen_look(s);
	for (unsigned i = 0; i < s->rows; i++)
		print_line(s, &s->line[i]);
	fflush(s->out);
}

bool screen_dump(const struct vga *vga, const char *path, struct error *err)
{
	unsigned rows = vga_text_mode(vga) ? vga_text_rows(vga) : 0;
	char line[VGA_TEXT_LINE];
	FILE *f = fopen(path, "w");

	if (!f)
		return error_set(err, "%s: cannot be written: %s", path, strerror(errno));
	for (unsigned i = 0; i < rows; i++) {
		read_line(vga, i, line);
		fprintf(f, "%s\n", line);
	}
	return fclose(f) == 0 || error_set(err, "%s: cannot be written: %s", path, strerror(errno));
}
