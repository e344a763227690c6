/* Events as readable lines: instruction count, CPU, world, rip, and what happened. */
#ifndef DEBUG_EVENT_TEXT_H
#define DEBUG_EVENT_TEXT_H

#include "base/text.h"
#include "debug/target.h"

/* "exc", "vmexit", ... as in -d. */
const char *event_name(enum event_kind kind);
/* The beginning of a line, without and with what the event says. */
void event_print_head(struct text *out, const struct event *e, const char *what);
static inline void event_print(struct text *out, const struct target *t, const struct event *e) { t->ops->print_event(out, t, e); }
void event_print_x86(struct text *out, const struct target *t, const struct event *e);
void event_print_arm(struct text *out, const struct target *t, const struct event *e); /* event_arm.c */
/* An EV_EXEC with the name of its place, if there is one. */
void event_print_arm_exec(struct text *out, const struct target *t, const struct event *e, const char *name);
/* An ARM's exception, interrupt or write of CP15 without the line's beginning and end: "DACR (c3,0,0) = 00000035". */
void event_arm_exception(struct text *out, const struct event *e);
void event_arm_cp15(struct text *out, const struct event *e);
/* "write 4 at fec00000 (ioapic) 00000010" of a device access. */
void event_print_access(struct text *out, const struct event *e, struct space *s);
/* "real", "64-bit", ... of the CPU's mode bits. */
const char *event_mode_text(u32 mode);

#endif
