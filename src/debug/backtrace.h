/*
 * Who called: by call frame information, else by frame pointers, else by looking for return addresses on the stack (marked, since that is a
 * guess). Across a VMRUN: the guest's frames, then the #VMEXIT or VMRUN between, then the host's. Across an ARM's exception: the handler's frames,
 * then those of what it interrupted.
 */
#ifndef DEBUG_BACKTRACE_H
#define DEBUG_BACKTRACE_H

#include "debug/debugger.h"

/* One frame up: r and *pc become the caller's. False: that is all. */
bool backtrace_up(const struct symbols *s, const struct view *v, u64 r[16], u64 *pc);
/* The frames of one world. */
void backtrace_print(struct debugger *d, const struct view *v, struct text *out, unsigned *number);
/* Both worlds of the CPU that the user looks at, the running one first. */
void backtrace_print_all(struct debugger *d, struct text *out);

#endif
