/* Registers of a world that waits: where the hardware keeps each, and setting it there. APM2 15.5.1, 15.6. */
#ifndef DEBUG_WAITING_H
#define DEBUG_WAITING_H

#include "base/field.h"
#include "debug/view.h"

/* name as the monitor and GDB have it: rax, eflags, cs, cs.base, cr3, kernel_gs_base. False: the area does not hold it. */
bool waiting_get(const struct view *v, const char *name, u64 *val);
/* It counts when the world comes back. False: refused, and err says where the register is instead. */
bool waiting_set(struct worlds *w, const struct view *v, const char *name, u64 val, struct error *err);
/* A field of the view's VMCB, in whichever world: memory is written, and no processor takes an older value from its cache. */
bool waiting_set_vmcb(struct worlds *w, const struct view *v, const struct field *f, u64 val, struct error *err);

#endif
