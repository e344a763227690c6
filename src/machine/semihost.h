/*
 * Semihosting: what a bare-metal ARM program asks of its debugger with SVC 123456h (Thumb: ABh): text, files, time, the end. Off unless
 * the user asks. Files are those below one folder, and nothing outside of it can be reached.
 */
#ifndef MACHINE_SEMIHOST_H
#define MACHINE_SEMIHOST_H

#include <stdio.h>

#include "cpu_arm/cpu.h"
#include "machine/machine.h"

#define SEMIHOST_FILES 16

struct semihost_config {
	bool on;
	const char *folder;   /* NULL: no files */
	const char *cmdline;  /* for SYS_GET_CMDLINE, or NULL */
	FILE *out;            /* where text goes; NULL: standard output */
};

struct semihost {
	const struct semihost_config *cfg;
	int folder; /* descriptor, or -1 */
	struct semihost_file {
		enum { SEMIHOST_CLOSED, SEMIHOST_FILE, SEMIHOST_CONSOLE } kind;
		int fd;
	} file[SEMIHOST_FILES]; /* handles are one more */
	u32 error; /* for SYS_ERRNO */
};

bool semihost_init(struct semihost *s, const struct semihost_config *cfg, struct error *err);
/* Closes the guest's files. */
void semihost_reset(struct semihost *s);
void semihost_free(struct semihost *s);
/* The call that the CPU's registers say; its answer is in r0. May stop the machine. */
bool semihost_do(struct semihost *s, struct arm_cpu *c, struct machine *m);

#endif
