/*
 * One instruction as text. The text of x86 instructions is libcapstone's (bytes in hexadecimal when it is not built in); the length is
 * our decoder's, and what capstone 4.0.2 gets wrong stands in a short table.
 */
#ifndef DEBUG_DISASM_H
#define DEBUG_DISASM_H

#include "base/types.h"

/* bytes[0..len) is the instruction, bits 16, 32 or 64. The text always fits or is cut. */
void disasm_x86(const u8 *bytes, unsigned len, unsigned bits, u64 rip, char *out, size_t size);
/* One ARM (4 bytes) or Thumb (2 or 4 bytes) instruction; its length. */
unsigned disasm_arm(const u8 *bytes, unsigned len, bool thumb, u32 pc, char *out, size_t size);
/* "capstone 4.0.2", or NULL when it is not built in. */
const char *disasm_library(void);

#endif
