/* The registers of a world by name and for people: see struct view_ops. */
#ifndef DEBUG_REGS_H
#define DEBUG_REGS_H

#include "debug/view.h"

static inline void regs_print(struct text *out, const struct view *v) { v->ops->print(out, v); }
static inline bool regs_set(struct view *v, const char *name, u64 val) { return v->ops->set(v, name, val); }

bool regs_x86_get(const struct view *v, const char *name, u64 *val);
bool regs_x86_set(struct view *v, const char *name, u64 val);
void regs_x86_print(struct text *out, const struct view *v);
bool regs_arm_get(const struct view *v, const char *name, u64 *val);
bool regs_arm_set(struct view *v, const char *name, u64 val);
void regs_arm_print(struct text *out, const struct view *v);
/* "svc": the mode of a program status register. */
const char *regs_arm_mode(u32 psr);

#endif
