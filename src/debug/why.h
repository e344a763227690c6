/* Which architectural rule made the last exception or #VMEXIT, in words. */
#ifndef DEBUG_WHY_H
#define DEBUG_WHY_H

#include "debug/debugger.h"

void why_print(struct debugger *d, struct text *out);

#endif
