/* Walks as one HTML page that needs nothing else: the drawings, a table, a stepper, a quiz. */
#ifndef DEBUG_WALK_HTML_H
#define DEBUG_WALK_HTML_H

#include "debug/walk_stat.h"
#include "debug/walk_view.h"

/* t may be NULL. */
void walk_html(struct text *out, const struct walk_shot *shot, unsigned n, const struct walk_stat *t);

#endif
