/* A hash of what a space's RAM and ROM hold. */
#ifndef MACHINE_MEMORY_HASH_H
#define MACHINE_MEMORY_HASH_H

#include "mmu/space.h"

/* Chained through h. Whether a page was written does not matter, only what it holds. */
u64 memory_hash(const struct space *s, u64 h);

#endif
