/* The oracle's end of the native runner: starting it, sending batches, watching that it goes on. */
#ifndef ORACLE_HOST_H
#define ORACLE_HOST_H

#include <sys/types.h>

#include "base/error.h"
#include "layout.h"

struct host {
	struct shared *shm;
	int fd;       /* of the shared memory */
	int to, from; /* pipes */
	pid_t pid;
	const char *path;
	unsigned deaths; /* runners lost to a case */
};

/* Does the kernel let user code set FS.base (FSGSBASE)? The runner needs it. */
bool host_able(void);
/* path: the oracle-native program. Fills the shared memory's initial content before the runner starts. */
bool host_start(struct host *h, const char *path, void (*fill)(struct shared *), struct error *err);
void host_stop(struct host *h);
/* Run slot's batch; returns at once. */
bool host_submit(struct host *h, unsigned slot, struct error *err);
/* Wait for it. Cases that hang end with END_HANG, those that kill the runner with END_DIED. */
bool host_wait(struct host *h, unsigned slot, struct error *err);
/* One case, now. Uses slot 0. */
bool host_run(struct host *h, const struct ocase *c, struct outcome *o, struct error *err);

#endif
