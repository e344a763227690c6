/* See walk_svg.h. */
#include "debug/walk_svg.h"

void walk_svg_text(struct text *out, const char *s)
{
	for (; *s; s++)
		switch (*s) {
		case '<': text_puts(out, "&lt;"); break;
		case '>': text_puts(out, "&gt;"); break;
		case '&': text_puts(out, "&amp;"); break;
		case '"': text_puts(out, "&quot;"); break;
		case '\'': text_puts(out, "&#39;"); break;
		default: text_printf(out, "%c", (u8)*s < 0x20 ? ' ' : *s); break;
		}
}

void walk_svg_style(struct text *out, unsigned dark, const char *prefix)
{
	for (unsigned i = 0; i < PAINTS; i++) {
		const struct walk_colours *c = &walk_palette[i];

		text_printf(out, "%srect.p-%s{fill:#%06x;stroke:#%06x}", prefix, c->name, c->fill[dark], c->line[dark]);
		text_printf(out, "%stext.p-%s{fill:#%06x}", prefix, c->name,
			    i == PAINT_BAD ? c->line[dark] : c->fill[dark]);
		text_printf(out, "%spath.p-%s{stroke:#%06x;fill:none}\n", prefix, c->name, c->line[dark]);
	}
}

static void put_rect(struct text *out, const struct walk_shape *s)
{
	bool dashed = s->paint == PAINT_SKIPPED && s->row >= 0;

	text_printf(out, "<rect class=\"p-%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"%s%s/>\n",
		    walk_palette[s->paint].name, s->x, s->y, s->w, s->h, s->paint == PAINT_PAGE ? "" : " rx=\"4\"",
		    dashed ? " stroke-dasharray=\"4 3\"" : "");
}

static void put_line(struct text *out, const struct walk_shape *s)
{
	int x = s->x + s->w, y = s->y + s->h;

	text_printf(out, "<path class=\"p-%s\" stroke-width=\"%d\" d=\"M%d %dL%d %d", walk_palette[s->paint].name,
		    s->paint == PAINT_BAD ? 3 : 1, s->x, s->y, x, y);
	if (s->kind == SHAPE_ARROW && s->h)
		text_printf(out, "M%d %dL%d %dL%d %d", x - 6, y - 9, x, y, x + 6, y - 9);
	else if (s->kind == SHAPE_ARROW)
		text_printf(out, "M%d %dL%d %dL%d %d", x - 4, y - 4, x, y, x - 4, y + 4);
	text_puts(out, "\"/>\n");
}

static void put_text(struct text *out, const struct walk_shape *s)
{
	text_printf(out, "<text class=\"p-%s%s%s\" x=\"%d\" y=\"%d\" font-size=\"%u\"%s xml:space=\"preserve\">",
		    walk_palette[s->paint].name, s->mono ? " mono" : "", s->secret ? " secret" : "", s->x, s->y,
		    s->size, s->bold ? " font-weight=\"600\"" : "");
	walk_svg_text(out, s->text);
	text_puts(out, "</text>\n");
}

/* What a cell says to those who do not see it. */
static void open_cell(struct text *out, struct walk_view *v, const struct walk_shape *s)
{
	const struct walk_cell *c = walk_view_cell(v, (unsigned)s->row, (unsigned)s->column);
	char buf[512];
	struct text t;

	text_init_buffer(&t, buf, sizeof buf);
	walk_say_step(&t, v, &v->row[s->row], c);
	text_printf(out, "<g class=\"cell\" data-row=\"%d\" data-column=\"%d\"><title>", s->row, s->column);
	walk_svg_text(out, buf);
	text_puts(out, "</title>\n");
}

static void put_shapes(struct text *out, struct walk_view *v, const struct walk_drawing *d)
{
	int row = -1, column = -1;

	for (unsigned i = 0; i < d->n; i++) {
		const struct walk_shape *s = &d->shape[i];

		if (s->row != row || s->column != column) {
			if (row >= 0)
				text_puts(out, "</g>\n");
			if (s->row >= 0)
				open_cell(out, v, s);
			row = s->row;
			column = s->column;
		}
		if (s->kind == SHAPE_RECT)
			put_rect(out, s);
		else if (s->kind == SHAPE_TEXT)
			put_text(out, s);
		else
			put_line(out, s);
	}
	if (row >= 0)
		text_puts(out, "</g>\n");
}

void walk_svg(struct text *out, struct walk_view *v, bool alone)
{
	static struct walk_drawing d; /* large */
	char buf[256];
	struct text t;

	walk_draw(&d, v);
	text_init_buffer(&t, buf, sizeof buf);
	walk_say_title(&t, v);
	text_printf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %u %u\"", d.w, d.h);
	if (alone)
		text_printf(out, " width=\"%u\" height=\"%u\"", d.w, d.h);
	text_puts(out, " role=\"img\" font-family=\"system-ui,'DejaVu Sans',Arial,sans-serif\"><title>");
	walk_svg_text(out, buf);
	text_puts(out, "</title>\n");
	if (alone) {
		text_puts(out, "<style>.mono{font-family:'DejaVu Sans Mono',Menlo,Consolas,monospace}\n");
		walk_svg_style(out, 0, "");
		text_puts(out, "</style>\n");
	}
	put_shapes(out, v, &d);
	text_puts(out, "</svg>\n");
}
