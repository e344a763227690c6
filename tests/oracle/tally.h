/*
 * What the oracle counts: cases and rows by outcome, what the host could not run, documented differences. Workers count on their own; the
 * parent adds them up. tally.c prints them, with each row's evidence: the host's, Unicorn's, or a named test's (others.def).
 */
#ifndef ORACLE_TALLY_H
#define ORACLE_TALLY_H

#include "compare.h"

struct row_count {
	u64 passed, failed, skipped;
};

struct tally {
	u64 cases, passed, failed, skipped;
	u64 lost[3]; /* by END_SYSCALL, END_HANG, END_DIED */
	struct row_count row[X86_IDS], sequences, bytes;
	struct row_count unicorn[X86_IDS];
	u64 exceptions[EXC_COUNT];
	u64 known[16]; /* differences from Unicorn: real.def */
	u64 real_next; /* case in real mode: where to go on if Unicorn ends the process */
	u64 real_died;
	bool legacy; /* 16- and 32-bit code ran */
};

void tally_add(struct tally *sum, const struct tally *t);
/* Every row, one a line. */
void tally_print_rows(const struct tally *t);
void tally_print_summary(const struct tally *t);
/* For a test run: a row is a test, sequences and the decoder are one each. A row that had no passing case is not counted as
 * passed; all: one without any case is skipped. */
void tally_print_brief(const struct tally *t, bool all);

/* others.def: a test that looks at what the row does where the host cannot be asked; NULL if there is none. */
const char *other_test(unsigned id);
/* Has each named test executed its rows? dir holds a coverage map (base/cover.h) by test: `unit.NAME`, `guest.NAME`. An exit status. */
int other_check(const char *dir);

#endif
