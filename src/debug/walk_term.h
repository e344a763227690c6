/* A walk as a grid in a terminal: plain ASCII, colour when asked for, as wide as allowed. */
#ifndef DEBUG_WALK_TERM_H
#define DEBUG_WALK_TERM_H

#include "debug/walk_view.h"

struct walk_paper {
	unsigned width; /* columns */
	bool colour;
};

/* What f is: a terminal's width and colour (NO_COLOR and TERM=dumb are heard), else 100 columns without. */
struct walk_paper walk_paper_of(FILE *f);
void walk_term(struct text *out, struct walk_view *v, const struct walk_paper *p);

#endif
