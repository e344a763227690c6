/* Walks as JSON: all that the views show. Addresses and values are strings of hexadecimal digits. docs/walks.md
 * describes it. */
#ifndef DEBUG_WALK_JSON_H
#define DEBUG_WALK_JSON_H

#include "debug/walk_stat.h"
#include "debug/walk_view.h"

/* A string with quotation marks; < > & are escaped too, so that the text may stand in a script of an HTML page. */
void walk_json_string(struct text *out, const char *s);
/* {"format": ..., "walks": [...], "stat": {...}}; t may be NULL. */
void walk_json(struct text *out, const struct walk_shot *shot, unsigned n, const struct walk_stat *t);

#endif
