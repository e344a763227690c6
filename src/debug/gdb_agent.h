/* Breakpoint conditions that GDB sends as agent expressions: they become text for our own expressions. GDB manual, app. F. */
#ifndef DEBUG_GDB_AGENT_H
#define DEBUG_GDB_AGENT_H

#include "debug/breaks.h"

enum gdb_agent_regs { GDB_AGENT_NONE, GDB_AGENT_AMD64, GDB_AGENT_ARM }; /* whose numbers registers have; NONE: conditions have none */

/* ";Xlen,bytes..." behind a Z packet, several of them: any that is true stops. Kept in b->condition. False: malformed. A condition that
 * cannot be told as text always stops, and GDB evaluates it itself. */
bool gdb_agent_conditions(const char *s, struct breakpoint *b, enum gdb_agent_regs regs);

#endif
