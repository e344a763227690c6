/*
 * --coverage: which instructions ran, in both worlds: as lcov (lines and functions of the images that have DWARF), or as drcov (addresses by
 * image) for IDA, Ghidra and their like. Each instruction is stepped: slow.
 */
#ifndef DEBUG_COVERAGE_H
#define DEBUG_COVERAGE_H

#include "debug/debugger.h"

struct cover_entry {
	u64 va, count;
	u8 len, guest, used;
};

struct coverage {
	struct debugger *d;
	unsigned ear;
	struct cover_entry *table; /* open hashing; a power of two */
	size_t size, used;
	bool full; /* the host had no memory for more */
};

bool coverage_start(struct coverage *c, struct debugger *d, struct error *err);
/* drcov if the name ends in .drcov, else lcov. */
bool coverage_write(const struct coverage *c, const char *path, struct error *err);
void coverage_free(struct coverage *c);

#endif
