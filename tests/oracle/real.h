/*
 * Real mode, which no user process can run: single instructions on Unicorn (QEMU's TCG) and on ours, compared. Unicorn is a second opinion, not
 * silicon: where they differ the manual decides, and differences that are Unicorn's are rows of real.def.
 */
#ifndef ORACLE_REAL_H
#define ORACLE_REAL_H

#include <stdio.h>

#include "tally.h"

/* Is the row compared in real mode? */
bool real_wants(unsigned id);
/* Cases first, first + step... below n, counted in t->unicorn. False: there is no Unicorn in this build, or it cannot start. */
bool real_run(struct tally *t, u64 first, u64 step, u64 n, u64 seed, const char *only, unsigned show);
/* The known differences that were met, one a line. */
void real_print_known(const struct tally *t);
/* All of them, for docs. */
void real_print_list(FILE *f);

enum real_known {
#define REAL(id, pred, text, section) REAL_##id,
#include "real.def"
#undef REAL
	REAL_KNOWN
};

#endif
