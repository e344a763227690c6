/* See walk_draw.h. */
#include "debug/walk_draw.h"

#include <stdarg.h>

typedef unsigned long long ull;

const struct walk_colours walk_palette[PAINTS] = {
	[PAINT_PAGE] = {"page", {0xffffff, 0x15181d}, {0xffffff, 0x15181d}},
	[PAINT_INK] = {"ink", {0x1a1c20, 0xe8eaee}, {0x1a1c20, 0xe8eaee}},
	[PAINT_FAINT] = {"faint", {0x5a6068, 0xa4abb5}, {0x9aa1ab, 0x6a727d}},
	[PAINT_NESTED1] = {"n1", {0xecdcf5, 0x402a52}, {0x8e4bb0, 0xc08be0}},
	[PAINT_NESTED2] = {"n2", {0xdfdcfa, 0x302c5c}, {0x5a4fc4, 0x9c94f0}},
	[PAINT_NESTED3] = {"n3", {0xd5e6f8, 0x1d3a57}, {0x2f74b5, 0x74b3ec}},
	[PAINT_NESTED4] = {"n4", {0xd2f0ea, 0x17443d}, {0x1f8a78, 0x5fd0bd}},
	[PAINT_NESTED5] = {"n5", {0xe0f0d2, 0x2c4419}, {0x5a8a2a, 0xa2d070}},
	[PAINT_GUEST1] = {"g1", {0xf9d7e3, 0x57213a}, {0xc03a72, 0xf08ab4}},
	[PAINT_GUEST2] = {"g2", {0xfbdccb, 0x57301c}, {0xc55a22, 0xf2a27a}},
	[PAINT_GUEST3] = {"g3", {0xfdf1bd, 0x4d430f}, {0xa88a08, 0xe6cf5c}},
	[PAINT_GUEST4] = {"g4", {0xffe3bd, 0x553a0e}, {0xc07808, 0xf0b45c}},
	[PAINT_GUEST5] = {"g5", {0xe9e2d4, 0x423a2a}, {0x86744a, 0xcbb98c}},
	[PAINT_DATA] = {"data", {0xcdf0cf, 0x174a1d}, {0x23863a, 0x6cd67e}},
	[PAINT_SKIPPED] = {"skipped", {0xf1f2f4, 0x22262c}, {0xb4bac2, 0x59616b}},
	[PAINT_BAD] = {"bad", {0xffc9c4, 0x6b1a16}, {0xc8201a, 0xff7a70}},
	[PAINT_LACKS] = {"lacks", {0xffe9e6, 0x4a1f1c}, {0xc8201a, 0xff7a70}},
	[PAINT_SET] = {"set", {0xa33b00, 0xffb35c}, {0xa33b00, 0xffb35c}},
	[PAINT_BOX] = {"box", {0xf6f7f9, 0x1d2127}, {0xc4cad2, 0x464d57}},
};

enum {
	MARGIN = 20,
	LABEL = 112,
	CELL_W = 142,
	CELL_W_ONE = 330, /* one dimension: there is room */
	CELL_H = 80,
	GAP = 14,
	ROW_GAP = 16,
	RIGHTS = 118,
	FIELD_Y = 66,
	GRID_Y = 142,
	LINE_H = 17,
};

/* ---- the list ---- */

struct pen {
	struct walk_drawing *d;
	struct walk_view *v;
	s8 row, column;
	int cell_w, bottom;
};

static struct walk_shape *add(struct pen *p, enum walk_shape_kind kind, enum walk_paint paint, int x, int y, int w,
			      int h)
{
	struct walk_drawing *d = p->d;
	struct walk_shape *s = &d->shape[d->n < WALK_SHAPES ? d->n++ : WALK_SHAPES - 1];

	*s = (struct walk_shape){.kind = (u8)kind,
				 .paint = (u8)paint,
				 .row = p->row,
				 .column = p->column,
				 .x = (s16)x,
				 .y = (s16)y,
				 .w = (s16)w,
				 .h = (s16)h};
	return s;
}

static struct walk_shape *text(struct pen *p, enum walk_paint paint, int x, int y, unsigned size, const char *fmt, ...)
	PRINTF(6, 7);
static struct walk_shape *text(struct pen *p, enum walk_paint paint, int x, int y, unsigned size, const char *fmt, ...)
{
	struct walk_shape *s = add(p, SHAPE_TEXT, paint, x, y, 0, 0);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->text, sizeof s->text, fmt, ap);
	va_end(ap);
	s->size = (u8)size;
	return s;
}

static struct walk_shape *mono(struct pen *p, enum walk_paint paint, int x, int y, const char *s)
{
	struct walk_shape *t = text(p, paint, x, y, 12, "%s", s);

	t->mono = true;
	return t;
}

/* ---- above the grid ---- */

static void heading(struct pen *p)
{
	char buf[160];
	struct text t;

	text_init_buffer(&t, buf, sizeof buf);
	walk_say_title(&t, p->v);
	text(p, PAINT_INK, MARGIN, 30, 17, "%s", buf)->bold = true;
	text_init_buffer(&t, buf, sizeof buf);
	walk_say_when(&t, p->v);
	text_puts(&t, "; ");
	walk_say_forms(&t, p->v);
	text(p, PAINT_FAINT, MARGIN, 50, 12, "%s", buf);
}

static enum walk_paint paint_level(unsigned dim, unsigned level)
{
	return (enum walk_paint)((dim ? PAINT_NESTED1 : PAINT_GUEST1) + (level - 1) % WALK_LEVELS);
}

static int field(struct pen *p, enum walk_paint paint, int x, int w, unsigned hi, unsigned lo, const char *name,
		 u64 val)
{
	char buf[32];

	add(p, SHAPE_RECT, paint, x, FIELD_Y + 14, w - 4, 24);
	text(p, PAINT_FAINT, x + 4, FIELD_Y + 10, 10, "%u:%u", hi, lo);
	text(p, PAINT_INK, x + 6, FIELD_Y + 31, 12, "%s", name);
	snprintf(buf, sizeof buf, "%llx", (ull)val);
	mono(p, PAINT_INK, x + w - 12 - (int)strlen(buf) * 7, FIELD_Y + 31, buf)->secret = true;
	return x + w;
}

/* The address, cut into what each level uses. */
static void fields(struct pen *p)
{
	const struct walk_form *f = &p->v->form[p->v->shot->physical];
	const u64 va = p->v->shot->walk.va;
	int x = MARGIN + LABEL;
	char name[16];

	mono(p, PAINT_INK, MARGIN, FIELD_Y + 31, f->address)->mono = false;
	if (f->bits > 32)
		x = field(p, PAINT_SKIPPED, x, 82, 63, f->bits, "sign", va >> f->bits);
	for (unsigned i = 0; i < f->levels; i++) {
		unsigned n = f->order[i];

		if (!f->level[n].hi)
			continue;
		snprintf(name, sizeof name, "%sL%u", p->v->shot->physical ? "n" : p->v->columns > 1 ? "g" : "", n);
		x = field(p, paint_level(p->v->shot->physical, n), x, 86, f->level[n].hi, f->level[n].lo, name,
			  bits(va, f->level[n].hi, f->level[n].lo));
	}
	if (f->sub_hi)
		x = field(p, paint_level(0, ARM_AP), x, 86, f->sub_hi, f->sub_lo, "subpage", bits(va, f->sub_hi, f->sub_lo));
	field(p, PAINT_DATA, x, 100, f->offset - 1u, 0, f->offset < 32 ? "offset" : "physical", va & mask_low(f->offset));
}

/* ---- cells ---- */

static int cell_x(const struct pen *p, unsigned column) { return MARGIN + LABEL + (int)column * (p->cell_w + GAP); }
static int cell_y(unsigned row) { return GRID_Y + (int)row * (CELL_H + ROW_GAP); }

static enum walk_paint cell_paint(const struct walk_cell *c)
{
	if (c->fails)
		return PAINT_BAD;
	if (c->lacks)
		return PAINT_LACKS;
	switch ((enum walk_cell_state)c->state) {
	case CELL_READ:
	case CELL_REGISTER: return paint_level(c->dim, c->level);
	case CELL_DATA: return PAINT_DATA;
	default: return PAINT_SKIPPED;
	}
}

/* What the processor writes into the entry. */
static void set_mark(struct pen *p, const struct walk_cell *c, int x, int y)
{
	struct walk_shape *s = mono(p, PAINT_SET, x, y, c->set & 0x40 ? (c->set & 0x20 ? "+A+D" : "+D") : "+A");

	s->bold = s->secret = true;
}

static void cell_flags(struct pen *p, const struct walk_row *r, const struct walk_cell *c, int x, int y)
{
	const char *device = p->v->shot->device[r->level][c->dim ? c->level : 0];
	char buf[64];
	struct text t;

	if (c->state == CELL_DATA) {
		mono(p, PAINT_INK, x, y, device ? device : "RAM");
		return;
	}
	text_init_buffer(&t, buf, sizeof buf);
	walk_say_flags(&t, p->v, c);
	if (device)
		text_printf(&t, " (%s)", device);
	mono(p, c->state == CELL_CACHED ? PAINT_FAINT : PAINT_INK, x, y, buf)->secret = true;
	if (c->set)
		set_mark(p, c, x + (int)(t.used + 1) * 7, y);
}

static void cell_known(struct pen *p, const struct walk_row *r, const struct walk_cell *c, int x, int y)
{
	enum walk_paint ink = c->state == CELL_CACHED ? PAINT_FAINT : PAINT_INK;
	char buf[40];

	if (c->state == CELL_REGISTER && c->form->name)
		snprintf(buf, sizeof buf, "%s, %s", c->form->entry, c->form->table);
	else if (c->state == CELL_REGISTER)
		snprintf(buf, sizeof buf, "in a register");
	else
		snprintf(buf, sizeof buf, "@ %llx", (ull)c->pa);
	mono(p, ink, x, y + 37, buf)->secret = !(c->form && c->form->name);
	snprintf(buf, sizeof buf, "%0*llx", (int)walk_view_digits(p->v, c), (ull)c->val);
	mono(p, ink, x, y + 53, buf); /* a quiz leaves the entries: from them all else follows */
	cell_flags(p, r, c, x, y + 70);
}

static void cell_unknown(struct pen *p, const struct walk_cell *c, int x, int y)
{
	char buf[48];

	if (c->note)
		snprintf(buf, sizeof buf, "(%s)", c->note);
	else
		snprintf(buf, sizeof buf, "%s", c->state == CELL_CACHED ? "served by the TLB" : c->fails ? "out of range" : "not reached");
	text(p, PAINT_FAINT, x, y + 40, 11, "%s", buf)->secret = true;
	if (c->state != CELL_READ)
		return;
	snprintf(buf, sizeof buf, "@ %llx", (ull)c->pa);
	mono(p, PAINT_INK, x, y + 58, buf)->secret = true;
}

static void cell(struct pen *p, unsigned row, unsigned column)
{
	const struct walk_row *r = &p->v->row[row];
	const struct walk_cell *c = walk_view_cell(p->v, row, column);
	int x = cell_x(p, column), y = cell_y(row);
	char name[16], head[40];
	struct text t;

	p->row = (s8)row;
	p->column = (s8)column;
	add(p, SHAPE_RECT, cell_paint(c), x, y, p->cell_w, CELL_H);
	text_init_buffer(&t, name, sizeof name);
	walk_say_level(&t, p->v, c);
	x += 8;
	if (c->state == CELL_READ) {
		if (c->again)
			snprintf(head, sizeof head, "%u, %u  %s", c->ref, c->again, name);
		else
			snprintf(head, sizeof head, "%u  %s", c->ref, name);
	} else {
		snprintf(head, sizeof head, "%s", name);
	}
	text(p,
	     c->state == CELL_READ || c->state == CELL_DATA || c->state == CELL_REGISTER || c->fails ? PAINT_INK
												     : PAINT_FAINT,
	     x, y + 18, 13, "%s", head)
		->bold = true;
	if (c->has_index && c->known) {
		snprintf(head, sizeof head, "[%x]", c->index);
		mono(p, PAINT_INK, x + p->cell_w - 18 - (int)strlen(head) * 7, y + 18, head)->secret = true;
	}
	if (c->state == CELL_CACHED)
		text(p, PAINT_FAINT, x + 40, y + 18, 11, "cached")->secret = true;
	if (c->known)
		cell_known(p, r, c, x, y);
	else
		cell_unknown(p, c, x, y);
	if (column) /* in the order of references */
		add(p, SHAPE_ARROW, PAINT_FAINT, cell_x(p, column) - GAP + 1, y + CELL_H / 2, GAP - 3, 0);
	p->row = p->column = -1;
}

/* The row of the first table. */
static unsigned first_table(const struct walk_view *v)
{
	unsigned n = 0;

	while (n < v->form[0].levels && !v->form[0].level[v->form[0].order[n]].hi)
		n++;
	return n;
}

static void row(struct pen *p, unsigned n)
{
	const struct walk_row *r = &p->v->row[n];
	int y = cell_y(n), x = cell_x(p, p->v->columns);
	unsigned perm = 0;
	char buf[40];
	struct text t;

	text_init_buffer(&t, buf, sizeof buf);
	walk_say_row(&t, p->v, r);
	text(p, PAINT_INK, MARGIN, y + 24, 16, "%s", buf)->bold = true;
	if (r->has_gpa && p->v->columns > 1) {
		text(p, PAINT_FAINT, MARGIN, y + 42, 11, "gPA");
		snprintf(buf, sizeof buf, "%llx", (ull)r->gpa);
		mono(p, PAINT_INK, MARGIN, y + 58, buf)->secret = true;
	}
	if (p->v->columns == 1 && n < p->v->form[0].levels && first_table(p->v) == n) {
		text(p, PAINT_FAINT, MARGIN, y + 42, 11, "%s", p->v->form[0].root);
		snprintf(buf, sizeof buf, "%llx", (ull)p->v->root);
		mono(p, PAINT_INK, MARGIN, y + 58, buf);
	}
	for (unsigned c = 0; c < p->v->columns; c++)
		cell(p, n, c);
	for (unsigned c = 0; c + 1 < p->v->columns; c++)
		if (walk_view_cell(p->v, n, c)->judges)
			perm = walk_view_cell(p->v, n, c)->perm | 0x80;
	if (perm) {
		text_init_buffer(&t, buf, sizeof buf);
		walk_say_perm(&t, p->v, perm);
		text(p, PAINT_FAINT, x, y + 18, 11, "nested");
		mono(p, PAINT_INK, x, y + 34, buf)->secret = true;
	}
	if (r->cell[0].judges) {
		text_init_buffer(&t, buf, sizeof buf);
		walk_say_perm(&t, p->v, r->cell[0].perm);
		text(p, PAINT_FAINT, x, y + 52, 11, "%s",
		     p->v->columns > 1               ? "guest so far"
		     : p->v->shot->arch == WALK_ARM ? "decided"
						    : "so far");
		mono(p, PAINT_INK, x, y + 68, buf)->secret = true;
	}
}

static void columns(struct pen *p)
{
	unsigned n = p->v->columns;

	for (unsigned c = 0; c + 1 < n; c++)
		text(p, PAINT_FAINT, cell_x(p, c) + 8, GRID_Y - 8, 12, "nested level %u", n - 1 - c);
	text(p, PAINT_FAINT, cell_x(p, n - 1) + 8, GRID_Y - 8, 12, n > 1 ? "the guest's own entry" : "entry");
	text(p, PAINT_FAINT, cell_x(p, n), GRID_Y - 8, 12, "rights");
}

/* ---- below ---- */

/* Words in lines of the box, folded. */
static int fold(struct pen *p, enum walk_paint paint, int x, int y, const char *label, const char *s)
{
	const unsigned room = (unsigned)(p->d->w - x - 90 - MARGIN) * 10 / 62; /* 12-pixel text: 6.2 wide on average */

	if (!*s)
		return y;
	text(p, PAINT_FAINT, x, y, 12, "%s", label);
	while (*s) {
		unsigned n = (unsigned)strlen(s), most = room < 110 ? room : 110;

		if (n > most)
			for (n = most; n > most / 2 && s[n] != ' ';)
				n--;
		text(p, paint, x + 80, y, 12, "%.*s", (int)n, s)->secret = true;
		y += LINE_H;
		for (s += n; *s == ' ';)
			s++;
	}
	return y;
}

static int say(struct pen *p, enum walk_paint paint, int y, const char *label,
	       void (*what)(struct text *, const struct walk_view *))
{
	char buf[1024];
	struct text t;

	text_init_buffer(&t, buf, sizeof buf);
	what(&t, p->v);
	return fold(p, paint, MARGIN + 12, y, label, buf);
}

static void box(struct pen *p)
{
	bool bad = p->v->shot->walk.why != WALK_OK;
	int top = p->bottom + 24, y = top + 24;
	struct walk_shape *frame =
		add(p, SHAPE_RECT, bad ? PAINT_BAD : PAINT_BOX, MARGIN, top, p->d->w - 2 * MARGIN, 0);

	y = say(p, PAINT_INK, y, "result", walk_say_result);
	y = say(p, PAINT_INK, y, "fault", walk_say_fault_to);
	y = say(p, PAINT_INK, y, bad ? "" : "error", walk_say_error);
	y = say(p, PAINT_INK, y, "rights", walk_say_merge);
	y = say(p, PAINT_INK, y, "count", walk_say_count);
	y = say(p, PAINT_INK, y, "TLB", walk_say_tlb);
	y = say(p, PAINT_SET, y, "", walk_say_held);
	frame->h = (s16)(y - top - 4);
	p->d->h = (u16)(y + MARGIN - 8);
}

/* From the cell that refused, down the gap beside it, to the box. */
static void fault_arrow(struct pen *p)
{
	for (unsigned r = 0; r < p->v->rows; r++)
		for (unsigned c = 0; c < p->v->columns; c++) {
			int x = cell_x(p, c) + p->cell_w, y = cell_y(r) + CELL_H - 12;

			if (!walk_view_cell(p->v, r, c)->fails)
				continue;
			add(p, SHAPE_LINE, PAINT_BAD, x, y, GAP / 2, 0);
			add(p, SHAPE_ARROW, PAINT_BAD, x + GAP / 2, y, 0, p->bottom + 22 - y);
		}
}

void walk_draw(struct walk_drawing *d, struct walk_view *v)
{
	struct pen p = {.d = d, .v = v, .row = -1, .column = -1, .cell_w = v->columns > 1 ? CELL_W : CELL_W_ONE};
	const bool grid = v->shot->walk.why != WALK_NON_CANONICAL;

	d->n = 0;
	d->h = 0;
	d->w = (u16)(2 * MARGIN + LABEL + (int)v->columns * (p.cell_w + GAP) + RIGHTS);
	if (d->w < 760)
		d->w = 760;
	add(&p, SHAPE_RECT, PAINT_PAGE, 0, 0, d->w, 0);
	heading(&p);
	fields(&p);
	p.bottom = grid ? cell_y(v->rows - 1) + CELL_H : GRID_Y - 20;
	if (grid) {
		columns(&p);
		for (unsigned n = 0; n < v->rows; n++)
			row(&p, n);
		fault_arrow(&p);
	}
	box(&p);
	d->shape[0].h = (s16)d->h;
}

bool walk_draw_hit(const struct walk_drawing *d, int x, int y, unsigned *row_, unsigned *column)
{
	for (unsigned i = 0; i < d->n; i++) {
		const struct walk_shape *s = &d->shape[i];

		if (s->kind != SHAPE_RECT || s->row < 0 || x < s->x || y < s->y || x >= s->x + s->w || y >= s->y + s->h)
			continue;
		*row_ = (unsigned)s->row;
		*column = (unsigned)s->column;
		return true;
	}
	return false;
}
