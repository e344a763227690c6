/* Watchpoints on physical memory: what touches it besides the operands of instructions. */
#ifndef DEBUG_OWN_H
#define DEBUG_OWN_H

#include "debug/debugger.h"

/* After breakpoints have changed: listens to page walks, VMRUN, #VMEXIT, VMLOAD, VMSAVE and DMA, or stops to. */
void own_listen(struct debugger *d);

#endif
