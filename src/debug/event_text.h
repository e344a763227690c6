/* Events as readable lines: instruction count, CPU, world, rip, and what happened. */
#ifndef DEBUG_EVENT_TEXT_H
#define DEBUG_EVENT_TEXT_H

#include "base/text.h"
#include "machine/pc.h"

/* "exc", "vmexit", ... as in -d. */
const char *event_name(enum event_kind kind);
/* The beginning of a line, without and with what the event says. */
void event_print_head(struct text *out, const struct event *e, const char *what);
void event_print(struct text *out, struct pc *pc, const struct event *e);
/* "real", "64-bit", ... of the CPU's mode bits. */
const char *event_mode_text(u32 mode);

#endif
