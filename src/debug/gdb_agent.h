/* Breakpoint conditions that GDB sends as agent expressions: they become text for our own expressions. GDB manual, app. F. */
#ifndef DEBUG_GDB_AGENT_H
#define DEBUG_GDB_AGENT_H

#include "debug/breaks.h"

/* ";Xlen,bytes..." behind a Z packet, several of them: any that is true stops. Kept in b->condition. False: malformed. A condition that
 * cannot be told as text always stops, and GDB evaluates it itself. amd64: registers are numbered as in 64-bit descriptions. */
bool gdb_agent_conditions(const char *s, struct breakpoint *b, bool amd64);

#endif
