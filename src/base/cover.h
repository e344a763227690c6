/*
 * Which rows of the tables were used: executed, raised, left by, refused with. Tests ask for it (the environment variable
 * UNDERVISOR_COVER names a file) and tests/untested.c tells what no test has used; nothing else looks. The file is shared by all
 * processes that have it open, so that guests, unit tests (which fork) and the oracle fill one list.
 */
#ifndef BASE_COVER_H
#define BASE_COVER_H

#include "base/error.h"

enum cover_table {
	COVER_INSN,    /* by enum x86_id: executed as a block of its own, as every instruction is with --stepwise */
	COVER_RULE,    /* by enum x86_rule: raised */
	COVER_EXIT,    /* by exit code, the negative ones by COVER_NEGATIVE: left a guest */
	COVER_CHECK,   /* by enum svm_check_id: refused a VMRUN */
	COVER_MSR,     /* by the row's place in msr.def: read or written */
	COVER_FEATURE, /* by enum x86_feature: a test saw its CPUID bit on and off */
	COVER_TABLES
};
enum { COVER_ROWS = 4096, COVER_NEGATIVE = 0x500 };

/* COVER_TABLES * COVER_ROWS bytes, one a row; NULL: nobody asks. The only global that the rooms share, for it belongs to no machine. */
extern u8 *cover_map;

static inline void cover(enum cover_table t, u64 row)
{
	if (unlikely(cover_map != NULL) && row < COVER_ROWS)
		cover_map[t * COVER_ROWS + row] = 1;
}

/* Open or create the file; NULL: nothing. */
bool cover_open(const char *file, struct error *e);
/* What the variable says. A file that cannot be had is an error for the caller to tell. */
bool cover_from_environment(struct error *e);

#endif
