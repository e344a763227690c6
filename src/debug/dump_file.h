/* Dumps as SimNow made them: a file of readable text with both worlds of every CPU, VMCBs, the last events and chosen memory; the memory
 * itself goes beside it, byte for byte. */
#ifndef DEBUG_DUMP_FILE_H
#define DEBUG_DUMP_FILE_H

#include "debug/debugger.h"

/* ranges: "[v:|g:|p:]ADDR,BYTES ..." or "". The bytes of range n go to PATH.n (from 0). */
bool dump_file(struct debugger *d, const char *path, const char *ranges, const char *why, struct error *err);

#endif
