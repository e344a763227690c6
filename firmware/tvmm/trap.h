/* trap.h: exceptions and interrupts of the VMM itself, and how it ends. */
#ifndef TVMM_TRAP_H
#define TVMM_TRAP_H

#include "types.h"

/* What the debug-exit port is given at the end. */
enum result {
	RESULT_OK = 0,      /* every guest ended as it should */
	RESULT_GUEST = 1,   /* a guest said that it failed */
	RESULT_EXIT = 2,    /* a guest was ended by a #VMEXIT that was not expected */
	RESULT_REFUSED = 3, /* no SVM here, no guest, or one that cannot be loaded */
	RESULT_PANIC = 4    /* the VMM itself failed */
};

void trap_init(bool debug_exit);
void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void machine_end(enum result result) __attribute__((noreturn));

#endif
