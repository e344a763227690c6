/* Which architectural rule made the last exception or #VMEXIT, in words. */
#ifndef DEBUG_WHY_H
#define DEBUG_WHY_H

#include "debug/debugger.h"

static inline void why_print(struct debugger *d, struct text *out) { d->t->ops->print_why(d, out); }
void why_print_x86(struct debugger *d, struct text *out);
void why_print_arm(struct debugger *d, struct text *out); /* why_arm.c */
/* "the instruction: 1000db main+1b ...", the one at rip in that world. */
void why_print_at(struct debugger *d, const struct view *v, u64 rip, const char *what, struct text *out);

#endif
