/* The oracle's end of the native runner. See host.h. */
#define _GNU_SOURCE
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define HANG_MS 50 /* a case takes microseconds */

bool host_able(void) { return getauxval(AT_HWCAP2) & 2; }

/* In the child: only the three descriptors that the runner wants. */
static void NORETURN become_runner(struct host *h, int in, int out)
{
	char *argv[] = {(char *)h->path, NULL}, *envp[] = {NULL};

	const int shm = fcntl(h->fd, F_DUPFD, 64), from = fcntl(in, F_DUPFD, 64), to = fcntl(out, F_DUPFD, 64);

	dup2(shm, RUNNER_SHM);
	dup2(from, RUNNER_IN);
	dup2(to, RUNNER_OUT);
	for (int fd = RUNNER_OUT + 1; fd < 128; fd++)
		close(fd);
	execve(h->path, argv, envp);
	_exit(127);
}

static bool spawn(struct host *h, struct error *err)
{
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		return error_set(err, "pipe: %s", strerror(errno));
	h->pid = fork();
	if (h->pid < 0)
		return error_set(err, "fork: %s", strerror(errno));
	if (!h->pid)
		become_runner(h, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	h->to = in[1];
	h->from = out[0];
	return true;
}

static void reap(struct host *h)
{
	close(h->to);
	close(h->from);
	kill(h->pid, SIGKILL);
	waitpid(h->pid, NULL, 0);
}

bool host_start(struct host *h, const char *path, void (*fill)(struct shared *), struct error *err)
{
	*h = (struct host){.path = path};
	signal(SIGPIPE, SIG_IGN);
	if (access(path, X_OK))
		return error_set(err, "%s: %s", path, strerror(errno));
	h->fd = memfd_create("oracle", MFD_CLOEXEC);
	if (h->fd < 0 || ftruncate(h->fd, sizeof *h->shm))
		return error_set(err, "memfd: %s", strerror(errno));
	h->shm = mmap(NULL, sizeof *h->shm, PROT_READ | PROT_WRITE, MAP_SHARED, h->fd, 0);
	if (h->shm == MAP_FAILED)
		return error_set(err, "mmap: %s", strerror(errno));
	fill(h->shm);
	return spawn(h, err);
}

void host_stop(struct host *h)
{
	reap(h);
	munmap(h->shm, sizeof *h->shm);
	close(h->fd);
}

static bool send(struct host *h, unsigned slot, struct error *err)
{
	u8 b = (u8)slot;

	if (write(h->to, &b, 1) != 1)
		return error_set(err, "oracle-native does not take commands: %s", strerror(errno));
	return true;
}

bool host_submit(struct host *h, unsigned slot, struct error *err)
{
	h->shm->progress = h->shm->slot[slot].first = 0;
	return send(h, slot, err);
}

/* The runner died of a case: note that, and let a new runner do the rest of the batch. */
static bool revive(struct host *h, unsigned slot, struct error *err)
{
	struct batch *b = &h->shm->slot[slot];
	u32 at = h->shm->progress;

	reap(h);
	if (at >= b->n || ++h->deaths > 1000)
		return error_set(err, "oracle-native does not live (case %u of %u)", at, b->n);
	memset(&b->out[at], 0, sizeof b->out[at]);
	b->out[at].end = END_DIED;
	b->first = at + 1;
	return spawn(h, err) && send(h, slot, err);
}

enum answer { ANSWER_DONE, ANSWER_NOT_YET, ANSWER_DIED };

static enum answer wait_answer(struct host *h)
{
	struct pollfd p = {.fd = h->from, .events = POLLIN};
	u32 before = h->shm->progress;
	u8 b;
	int r = poll(&p, 1, HANG_MS);

	if (r <= 0) {
		if (h->shm->progress == before)
			kill(h->pid, SIGUSR1);
		return ANSWER_NOT_YET;
	}
	return read(h->from, &b, 1) == 1 ? ANSWER_DONE : ANSWER_DIED;
}

bool host_wait(struct host *h, unsigned slot, struct error *err)
{
	enum answer a;

	while ((a = wait_answer(h)) != ANSWER_DONE)
		if (a == ANSWER_DIED && !revive(h, slot, err))
			return false;
	return true;
}

bool host_run(struct host *h, const struct ocase *c, struct outcome *o, struct error *err)
{
	struct batch *b = &h->shm->slot[0];

	b->n = 1;
	b->in[0] = *c;
	if (!host_submit(h, 0, err) || !host_wait(h, 0, err))
		return false;
	*o = b->out[0];
	return true;
}
