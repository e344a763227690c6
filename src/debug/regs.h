/* The registers of a world for people, and setting them. */
#ifndef DEBUG_REGS_H
#define DEBUG_REGS_H

#include "debug/view.h"

void regs_print(struct text *out, const struct view *v);
bool regs_set(struct view *v, const char *name, u64 val);

#endif
