/*
 * A walk as a drawing: a list of rectangles, lines and texts with places in pixels and a palette for light and dark.
 * SVG and HTML are written from it, and a window's pane can draw it. Shapes of one cell stand together.
 */
#ifndef DEBUG_WALK_DRAW_H
#define DEBUG_WALK_DRAW_H

#include "debug/walk_view.h"

enum walk_shape_kind {
	SHAPE_RECT,
	SHAPE_LINE /* from x, y to x + w, y + h */,
	SHAPE_ARROW /* the same with a head */,
	SHAPE_TEXT
};

/* What a shape is, and with it its colours. */
enum walk_paint {
	PAINT_PAGE,
	PAINT_INK,   /* text */
	PAINT_FAINT, /* less important text, and the lines between cells */
	PAINT_NESTED1,
	PAINT_NESTED2,
	PAINT_NESTED3,
	PAINT_NESTED4,
	PAINT_NESTED5, /* by level */
	PAINT_GUEST1,
	PAINT_GUEST2,
	PAINT_GUEST3,
	PAINT_GUEST4,
	PAINT_GUEST5,
	PAINT_DATA,
	PAINT_SKIPPED, /* cached, absent, not reached */
	PAINT_BAD,     /* where it was refused */
	PAINT_LACKS,   /* the entry that takes the right away */
	PAINT_SET,     /* A and D written */
	PAINT_BOX,
	PAINTS
};

struct walk_shape {
	u8 kind, paint;
	u8 size;                 /* text: pixels */
	bool bold, mono, secret; /* secret: a value, which a quiz hides */
	s8 row, column;          /* the cell that it belongs to; -1: none */
	s16 x, y, w, h;          /* text: x, y is the start of its base line */
	char text[160];
};

#define WALK_SHAPES 640

struct walk_drawing {
	u16 w, h, n;
	struct walk_shape shape[WALK_SHAPES];
};

void walk_draw(struct walk_drawing *d, struct walk_view *v);
/* The cell at x, y. */
bool walk_draw_hit(const struct walk_drawing *d, int x, int y, unsigned *row, unsigned *column);

/* 0xrrggbb; line is that of a rectangle's border. */
struct walk_colours {
	const char *name;     /* in SVG and HTML: a class */
	u32 fill[2], line[2]; /* light, dark */
};
extern const struct walk_colours walk_palette[PAINTS];

#endif
