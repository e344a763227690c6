/*
 * Hot blocks as host code: what the handlers of a block do, written out one after the other for x86-64. Registers of the guest are kept in the host's
 * within a block, and in memory all the same, so that any op can leave at any time: whatever is not emitted, misses or faults is the business
 * of its handler, and the rest of the block goes on as ops. Derived state; the state hash does not show it.
 */
#ifndef CPU_ARM_HOST_H
#define CPU_ARM_HOST_H

#include "cpu_arm/block.h"

#define ARM_HOT 24 /* runs as ops before a block is translated */

struct arm_host;

/* Code goes to [at, at + size), which may be executed and is within 2 GB of the program and of the blocks. */
struct arm_host *arm_host_new(void *at, size_t size);
void arm_host_free(struct arm_host *h);
void arm_host_flush(struct arm_host *h);
bool arm_host_full(const struct arm_host *h);
/* b->op[0].exec becomes the host code; b->first is its handler. */
void arm_host_translate(struct arm_host *h, struct arm_block *b);

#endif
