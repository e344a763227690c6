/* trap.h: between trap.c and the IDT of either word size. */
#ifndef GUEST_TRAP_H
#define GUEST_TRAP_H

#include "guest.h"

enum { TRAP_VECTORS = 128, TRAP_STUB_SIZE = 16 };

extern u8 trap_stubs[]; /* trap64.S, trap32.S */
void gate_set(unsigned vector, uword stub);
void gate_load(void);

#endif
