/* A walk as SVG text. */
#ifndef DEBUG_WALK_SVG_H
#define DEBUG_WALK_SVG_H

#include "debug/walk_draw.h"

/* alone: a file of its own, with the light palette in it; else for inclusion in HTML, whose style has the palette. */
void walk_svg(struct text *out, struct walk_view *v, bool alone);
/* CSS rules that give the paints their colours, for light (0) or dark (1); each selector after the prefix. */
void walk_svg_style(struct text *out, unsigned dark, const char *prefix);
/* Text in XML and HTML: < > & " ' escaped, control characters replaced. */
void walk_svg_text(struct text *out, const char *s);

#endif
