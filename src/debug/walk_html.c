/*
 * See walk_html.h. The page is walk.html, whose lines that begin with @ are replaced: style, drawings with tables,
 * data, script. Everything that comes from the machine is escaped.
 */
#include "debug/walk_html.h"

#include "debug/walk_json.h"
#include "debug/walk_page.h"
#include "debug/walk_svg.h"

typedef unsigned long long ull;

static void put_lines(struct text *out, const char *const *line)
{
	for (; *line; line++)
		text_puts(out, *line);
}

/* The palette of the drawings, and the same colours for the address bits beside them. */
static void put_palette(struct text *out, unsigned dark, const char *prefix)
{
	walk_svg_style(out, dark, prefix);
	for (unsigned i = PAINT_NESTED1; i <= PAINT_GUEST5; i++)
		text_printf(out, "%s.b-%s{background:#%06x;border-color:#%06x}\n", prefix, walk_palette[i].name,
			    walk_palette[i].fill[dark], walk_palette[i].line[dark]);
}

static void put_style(struct text *out)
{
	put_lines(out, walk_page_css);
	put_palette(out, 0, " ");
	text_puts(out, "@media screen and (prefers-color-scheme: dark) {\n");
	put_palette(out, 1, " :root:not([data-theme=light]) ");
	text_puts(out, "}\n@media screen {\n");
	put_palette(out, 1, " :root[data-theme=dark] ");
	text_puts(out, "}\n");
}

/* ---- the table ---- */

static void put_cell_row(struct text *out, struct walk_view *v, unsigned row, unsigned column)
{
	const struct walk_row *r = &v->row[row];
	const struct walk_cell *c = walk_view_cell(v, row, column);
	char name[32], flags[64] = "", perm[32] = "", says[512];
	struct text t;

	if (c->state == CELL_ABSENT || (c->state == CELL_UNREACHED && !c->fails))
		return;
	text_init_buffer(&t, name, sizeof name);
	walk_say_level(&t, v, c);
	if (c->dim) {
		text_puts(&t, " for ");
		walk_say_row(&t, v, r);
	}
	text_init_buffer(&t, says, sizeof says);
	walk_say_step(&t, v, r, c);
	if (c->known && c->form) {
		text_init_buffer(&t, flags, sizeof flags);
		walk_say_flags(&t, v, c);
	}
	if (c->judges) {
		text_init_buffer(&t, perm, sizeof perm);
		walk_say_perm(&t, v, c->perm);
	}
	text_printf(out, "<tr data-row=\"%u\" data-column=\"%u\" class=\"%s\"><td>", row, column,
		    c->fails                  ? "fails"
		    : c->state == CELL_CACHED ? "skipped"
					      : "");
	if (c->ref)
		text_printf(out, "%u", c->ref);
	text_printf(out, "</td><th scope=\"row\">%s</th><td class=\"mono\">", name);
	if ((c->known && c->state != CELL_REGISTER) || c->state == CELL_READ)
		text_printf(out, "%llx", (ull)c->pa);
	text_puts(out, "</td><td class=\"mono\">");
	if (c->known)
		text_printf(out, "%llx", (ull)c->val);
	text_printf(out, "</td><td>%s%s%s%s</td><td>%s</td><td>", flags, c->set ? ", sets" : "",
		    c->set & 0x20 ? " A" : "", c->set & 0x40 ? " D" : "", perm);
	walk_svg_text(out, says);
	if (c->fails) {
		text_puts(out, ". Refused here: ");
		walk_svg_text(out, walk_why_text((enum walk_why)v->shot->walk.why));
	}
	text_puts(out, "</td></tr>\n");
}

static void put_table(struct text *out, struct walk_view *v)
{
	text_puts(out, "<details><summary>the same as a table</summary><table><caption>Every entry in the order of the "
		       "walk</caption>\n"
		       "<thead><tr><th scope=\"col\">no.</th><th scope=\"col\">entry</th><th scope=\"col\">address</th>"
		       "<th scope=\"col\">value</th><th scope=\"col\">flags</th><th scope=\"col\">rights so far</th>"
		       "<th scope=\"col\">what it is</th></tr></thead><tbody>\n");
	for (unsigned r = 0; r < v->rows; r++)
		for (unsigned c = 0; c < v->columns; c++)
			put_cell_row(out, v, r, c);
	text_puts(out, "</tbody></table></details>\n");
}

static void put_walks(struct text *out, const struct walk_shot *shot, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct walk_view v;
		char buf[256];
		struct text t;

		walk_view_build(&v, &shot[i]);
		text_init_buffer(&t, buf, sizeof buf);
		walk_say_title(&t, &v);
		text_printf(out, "<section class=\"walk\" id=\"walk-%u\"><h2>%u. ", i + 1, i + 1);
		walk_svg_text(out, buf);
		text_puts(out, "</h2>\n");
		walk_svg(out, &v, false);
		put_table(out, &v);
		text_puts(out, "</section>\n");
	}
}

void walk_html(struct text *out, const struct walk_shot *shot, unsigned n, const struct walk_stat *t)
{
	for (const char *const *line = walk_page_html; *line; line++)
		if (!strcmp(*line, "@style\n"))
			put_style(out);
		else if (!strcmp(*line, "@walks\n"))
			put_walks(out, shot, n);
		else if (!strcmp(*line, "@data\n"))
			walk_json(out, shot, n, t);
		else if (!strcmp(*line, "@script\n"))
			put_lines(out, walk_page_js);
		else
			text_puts(out, *line);
}
