/*
 * The grid in a terminal: see walk_term.h. A row of the view is a line of its own with the address that the nested
 * tables translate, then up to four lines in cells: number, level and index; address; value; flags. Where the cells
 * would be too narrow, the plain list of walk_print stands instead.
 */
#include "debug/walk_term.h"

#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { CELL_LINES = 4, CELL_MIN = 12, CELL_MAX = 21, WIDTH_DEFAULT = 100, WIDTH_MAX = 400 };

typedef unsigned long long ull;

/* ---- paper and ink ---- */

struct walk_paper walk_paper_of(FILE *f)
{
	struct walk_paper p = {.width = WIDTH_DEFAULT};
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM"), *columns = getenv("COLUMNS");
	struct winsize w;

	if (isatty(fileno(f))) {
		p.colour = !(no && *no) && !(term && !strcmp(term, "dumb"));
		if (!ioctl(fileno(f), TIOCGWINSZ, &w) && w.ws_col)
			p.width = w.ws_col;
	} else if (columns && atoi(columns) > 0) {
		p.width = (unsigned)atoi(columns);
	}
	if (p.width > WIDTH_MAX)
		p.width = WIDTH_MAX;
	return p;
}

enum ink { INK_NONE, INK_DIM, INK_BOLD, INK_BAD, INK_LACKS, INK_GUEST, INK_NESTED, INK_DATA };

/* Levels differ in colour, so that cells match the address bits above them. */
static const char *ink_code(enum ink i, unsigned level)
{
	static const char *const guest[] = {"", "33", "93", "31", "91", "35"}, *const nested[] = {"",   "36", "96",
												  "34", "94", "32"};

	switch (i) {
	case INK_DIM: return "2";
	case INK_BOLD: return "1";
	case INK_BAD: return "97;41";
	case INK_LACKS: return "31;1";
	case INK_GUEST: return guest[level % ARRAY_SIZE(guest)];
	case INK_NESTED: return nested[level % ARRAY_SIZE(nested)];
	case INK_DATA: return "32;1";
	default: return "";
	}
}

struct page {
	struct text *out;
	const struct walk_paper *paper;
	unsigned cell; /* inner width of a cell */
};

static void put(const struct page *p, enum ink i, unsigned level, const char *s)
{
	const char *code = p->paper->colour ? ink_code(i, level) : "";

	if (*code)
		text_printf(p->out, "\033[%sm%s\033[0m", code, s);
	else
		text_puts(p->out, s);
}

static void rule(const struct page *p, unsigned n)
{
	while (n--)
		text_puts(p->out, "-");
}

/* ---- the address and its bits ---- */

static void put_bits(const struct page *p, const struct walk_view *v, unsigned dim, u64 addr)
{
	const struct walk_form *f = &v->form[dim];
	char buf[32];

	for (unsigned i = 0; i < f->levels; i++) {
		const struct walk_level *l = &f->level[f->order[i]];

		if (!l->hi)
			continue;
		snprintf(buf, sizeof buf, "%c%u %llx",
			 dim              ? 'n'
			 : v->columns > 1 ? 'g'
					  : 'L',
			 f->order[i], (ull)bits(addr, l->hi, l->lo));
		put(p, dim ? INK_NESTED : INK_GUEST, f->order[i], buf);
		text_puts(p->out, " | ");
	}
	if (f->sub_hi)
		text_printf(p->out, "subpage %llx | ", (ull)bits(addr, f->sub_hi, f->sub_lo));
	text_printf(p->out, "offset %llx", (ull)(addr & mask_low(f->offset)));
}

/* ---- cells ---- */

static enum ink cell_ink(const struct walk_cell *c)
{
	if (c->fails)
		return INK_BAD;
	if (c->lacks)
		return INK_LACKS;
	switch ((enum walk_cell_state)c->state) {
	case CELL_READ:
	case CELL_REGISTER: return c->dim ? INK_NESTED : INK_GUEST;
	case CELL_DATA: return INK_DATA;
	default: return INK_DIM;
	}
}

static void head(const struct walk_view *v, const struct walk_cell *c, struct text *t)
{
	if (c->state == CELL_READ)
		text_printf(t, "%u ", c->ref);
	else if (c->state != CELL_DATA)
		text_puts(t, c->fails ? "! " : "- ");
	walk_say_level(t, v, c);
	if (c->level && c->has_index && (c->state == CELL_READ || c->known))
		text_printf(t, " [%x]", c->index);
	if (c->again)
		text_printf(t, " &%u", c->again);
}

/* The value, or, where the cell is narrow, its address bits: the flags follow anyway. */
static void value(const struct walk_cell *c, struct text *t, unsigned width)
{
	u64 val = c->val;

	if (c->level && val >> 4 * (width - 1 > 15 ? 15 : width - 1))
		val = walk_form_address(c->form, val);
	text_printf(t, "=%llx", (ull)val);
}

static void flags(const struct walk_view *v, const struct walk_row *r, const struct walk_cell *c, struct text *t)
{
	if (c->state == CELL_DATA) {
		text_puts(t, v->shot->device[0][0] ? v->shot->device[0][0] : "RAM");
		return;
	}
	walk_say_flags(t, v, c);
	if (c->set)
		text_printf(t, " +%s%s", c->set & 0x20 ? "A" : "", c->set & 0x40 ? "D" : "");
	if (v->shot->device[r->level][c->dim ? c->level : 0])
		text_printf(t, " %s", v->shot->device[r->level][c->dim ? c->level : 0]);
}

static void cell_line(const struct walk_view *v, const struct walk_row *r, const struct walk_cell *c, unsigned line,
		      struct text *t, unsigned width)
{
	if (line == 0) {
		if (c->state != CELL_ABSENT)
			head(v, c, t);
		return;
	}
	if (line == 1 && c->state == CELL_CACHED)
		text_puts(t, "cached");
	else if (line == 1 && c->state == CELL_REGISTER)
		text_puts(t, c->form->name ? c->form->entry : "(register)");
	else if (line == 1 && (c->known || c->state == CELL_READ))
		text_printf(t, "@%llx", (ull)c->pa);
	else if (!c->known && line == 1 + (c->state == CELL_READ) && c->note)
		text_printf(t, "(%s)", c->note);
	if (!c->known || line == 1)
		return;
	if (line == 2)
		value(c, t, width);
	else
		flags(v, r, c, t);
}

static void row_cells(const struct page *p, struct walk_view *v, unsigned row)
{
	char buf[WALK_LEVELS + 1][64], padded[64];

	for (unsigned line = 0; line < CELL_LINES; line++) {
		bool empty = true;

		for (unsigned col = 0; col < v->columns; col++) {
			struct text t;

			text_init_buffer(&t, buf[col], sizeof buf[col]);
			cell_line(v, &v->row[row], walk_view_cell(v, row, col), line, &t, p->cell);
			empty &= !*buf[col];
		}
		for (unsigned col = 0; col < v->columns && !empty; col++) {
			const struct walk_cell *c = walk_view_cell(v, row, col);

			snprintf(padded, sizeof padded, "%-*.*s", (int)p->cell, (int)p->cell, buf[col]);
			text_puts(p->out, "|");
			put(p, cell_ink(c), c->level, padded);
		}
		text_puts(p->out, empty ? "" : "|\n");
	}
}

static void head_text(const struct page *p, const struct walk_view *v, const struct walk_row *r, bool with_bits)
{
	text_puts(p->out, "+- ");
	walk_say_row(p->out, v, r);
	if (v->columns > 1 && r->has_gpa) {
		text_printf(p->out, ": gPA %llx", (ull)r->gpa);
		if (with_bits) {
			text_puts(p->out, " = ");
			put_bits(p, v, 1, r->gpa);
		}
		if (r->cached)
			text_puts(p->out, " (cached)");
	}
	text_puts(p->out, " ");
}

/* "+- gL4: gPA 200908 = n4 0 | n3 0 | ... ----+", without the bits where there is no room for them. */
static void row_head(const struct page *p, struct walk_view *v, unsigned row)
{
	const struct walk_row *r = &v->row[row];
	unsigned total = v->columns * (p->cell + 1);
	struct walk_paper none = {p->paper->width, false};
	bool with_bits = true;
	char buf[256];
	struct text t;

	for (unsigned tries = 0; tries < 2; tries++) { /* without colours, to see how long it is */
		text_init_buffer(&t, buf, sizeof buf);
		head_text(&(struct page){&t, &none, p->cell}, v, r, with_bits);
		with_bits &= t.used <= total;
	}
	head_text(p, v, r, with_bits);
	rule(p, t.used < total ? total - (unsigned)t.used : 0);
	text_puts(p->out, "+\n");
}

/* ---- the whole ---- */

/* A line of words with a label, folded at the paper's width. */
static void words(const struct page *p, const char *label, enum ink i, const char *s)
{
	unsigned room = p->paper->width > 30 ? p->paper->width - 10 : 20;

	if (!*s)
		return;
	for (bool first = true; *s; first = false) {
		unsigned n = (unsigned)strlen(s);
		char line[512];

		if (n > room)
			for (n = room; n > room / 2 && s[n] != ' ';)
				n--;
		snprintf(line, sizeof line, "%.*s", (int)n, s);
		text_printf(p->out, "%-9s ", first ? label : "");
		put(p, i, 0, line);
		text_puts(p->out, "\n");
		s += n;
		while (*s == ' ')
			s++;
	}
}

static void say(const struct page *p, const char *label, enum ink i, const struct walk_view *v,
		void (*what)(struct text *, const struct walk_view *))
{
	char buf[1024];
	struct text t;

	text_init_buffer(&t, buf, sizeof buf);
	what(&t, v);
	words(p, label, i, buf);
}

static void put_events(const struct page *p, const struct walk_view *v)
{
	for (unsigned i = 0; i < v->shot->befores; i++) {
		char buf[128];
		struct text t;

		text_init_buffer(&t, buf, sizeof buf);
		if (!i && v->shot->befores_lost)
			text_printf(&t, "(%u more) ", v->shot->befores_lost);
		walk_say_event(&t, v, &v->shot->before[i]);
		words(p, i ? "" : "before", INK_DIM, buf);
	}
}

static void put_flushes(const struct page *p, const struct walk_view *v)
{
	bool does;

	for (unsigned pass = 0; pass < 2; pass++) {
		bool first = true;

		for (unsigned i = 0;; i++) {
			char buf[256];
			struct text t;

			text_init_buffer(&t, buf, sizeof buf);
			if (!walk_say_flush(&t, v, i, &does))
				break;
			if (does == !pass) {
				words(p, !first ? "" : pass ? "not by" : "until", INK_NONE, buf);
				first = false;
			}
		}
	}
}

static void put_grid(const struct page *p, struct walk_view *v)
{
	if (v->form[0].levels && !v->shot->physical) {
		text_printf(p->out, "%-9s %llx = ", v->form[0].address, (ull)v->shot->walk.va);
		put_bits(p, v, 0, v->shot->walk.va);
		text_puts(p->out, "\n");
	}
	for (unsigned row = 0; row < v->rows; row++) {
		row_head(p, v, row);
		row_cells(p, v, row);
	}
	text_puts(p->out, "+");
	for (unsigned i = 0; i < v->columns; i++) {
		rule(p, p->cell);
		text_puts(p->out, "+");
	}
	text_puts(p->out, "\n");
}

void walk_term(struct text *out, struct walk_view *v, const struct walk_paper *paper)
{
	struct page p = {.out = out, .paper = paper};

	p.cell = paper->width > v->columns ? (paper->width - 1) / v->columns - 1 : 0;
	if (p.cell > (v->columns > 1 ? CELL_MAX : 60))
		p.cell = v->columns > 1 ? CELL_MAX : 60;
	say(&p, "walk", INK_BOLD, v, walk_say_title);
	say(&p, "", INK_DIM, v, walk_say_when);
	say(&p, "", INK_DIM, v, walk_say_forms);
	put_events(&p, v);
	if (v->shot->walk.why == WALK_NON_CANONICAL)
		; /* no table was looked at */
	else if (p.cell < CELL_MIN && v->shot->arch == WALK_ARM)
		walk_arm_print(out, &v->shot->walk);
	else if (p.cell < CELL_MIN)
		walk_print(out, &v->shot->walk);
	else
		put_grid(&p, v);
	say(&p, "count", INK_NONE, v, walk_say_count);
	say(&p, "rights", INK_NONE, v, walk_say_merge);
	say(&p, "result", v->shot->walk.why == WALK_OK ? INK_DATA : INK_BAD, v, walk_say_result);
	say(&p, "fault", INK_BAD, v, walk_say_fault_to);
	say(&p, "", INK_NONE, v, walk_say_error);
	say(&p, "TLB", INK_NONE, v, walk_say_tlb);
	say(&p, "", INK_BAD, v, walk_say_held);
	put_flushes(&p, v);
}
