/*
 * See bytes.h. Host side only: descriptors, terminals and sockets. A reader that does not read stops the emulator for
 * at most a second, then its stream loses output until it reads again; guest time does not notice.
 */
#define _GNU_SOURCE 1
#include "devices/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#define PATIENCE_MS 1000
#define CTRL_A      1

_Static_assert(sizeof(struct termios) <= sizeof(((struct bytes_stdio *)0)->mode),
	       "mode too small for a struct termios");

static bool fd_ready(int fd, short events, int ms)
{
	struct pollfd p = {.fd = fd, .events = events};

	return poll(&p, 1, ms) > 0 && p.revents & events;
}

/* Nobody has the slave side of the pty, or the socket's other end is gone. */
static bool fd_hung_up(int fd)
{
	struct pollfd p = {.fd = fd};

	return poll(&p, 1, 0) > 0 && p.revents & POLLHUP;
}

static ssize_t write_some(const struct bytes_out *o, const u8 *p, size_t n)
{
	return o->socket ? send(o->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT) : write(o->fd, p, n);
}

/* Writes all, or drops the rest when the reader is gone or too slow. */
static void write_all(struct bytes_out *o, const u8 *p, size_t n)
{
	while (n) {
		ssize_t done = write_some(o, p, n);

		if (done > 0) {
			p += done;
			n -= (size_t)done;
			o->stalled = false;
		} else if (done < 0 && errno == EINTR) {
			continue;
		} else if (done < 0 && errno == EAGAIN && !o->stalled) {
			o->stalled = !fd_ready(o->fd, POLLOUT, PATIENCE_MS);
		} else {
			return;
		}
	}
}

static void out_flush(struct bytes_out *o)
{
	size_t n = o->used;

	o->used = 0;
	if (n)
		write_all(o, o->buf, n);
}

static void out_init(struct bytes_out *o, int fd)
{
	o->fd = fd;
	o->used = 0;
	o->socket = o->stalled = false;
}

void bytes_stdio_init(struct bytes_stdio *std)
{
	std->focus = NULL;
	std->users = 0;
	std->raw = false;
	std->escape = NULL;
	std->escaped = false;
	std->holds = 0;
	out_init(&std->out, STDOUT_FILENO);
}

void bytes_stdio_escape(struct bytes_stdio *std, void (*escape)(void *arg, u8 key), void *arg)
{
	std->escape = escape;
	std->escape_arg = arg;
}

void bytes_stdio_flush(struct bytes_stdio *std) { out_flush(&std->out); }

/* Keys arrive one by one and are not echoed; Ctrl-C stays a signal. Left alone in the background. */
static void terminal_raw(struct bytes_stdio *std)
{
	struct termios t;

	if (!isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) != getpgrp() || tcgetattr(STDIN_FILENO, &t) < 0)
		return;
	memcpy(std->mode, &t, sizeof t);
	t.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR | IXON);
	t.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ECHONL | IEXTEN);
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	std->raw = tcsetattr(STDIN_FILENO, TCSANOW, &t) == 0;
}

static void terminal_restore(struct bytes_stdio *std)
{
	struct termios t;

	if (!std->raw)
		return;
	memcpy(&t, std->mode, sizeof t);
	tcsetattr(STDIN_FILENO, TCSANOW, &t);
	std->raw = false;
}

void bytes_stdio_pause(struct bytes_stdio *std, bool pause)
{
	out_flush(&std->out);
	if (pause)
		terminal_restore(std);
	else if (std->users && !std->raw)
		terminal_raw(std);
}

/* Takes the commands out of what was read. */
static size_t take_escapes(struct bytes_stdio *std, u8 *buf, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (!std->escaped && buf[i] == CTRL_A) {
			std->escaped = true;
		} else if (std->escaped && buf[i] != CTRL_A) {
			std->escaped = false;
			std->escape(std->escape_arg, buf[i]);
		} else {
			std->escaped = false;
			buf[kept++] = buf[i];
		}
	}
	return kept;
}

void bytes_stdio_look(struct bytes_stdio *std)
{
	u8 *at = std->held + std->holds;
	size_t room = sizeof std->held - std->holds;
	ssize_t n;

	if (!std->escape || !room || !fd_ready(STDIN_FILENO, POLLIN, 0))
		return;
	n = read(STDIN_FILENO, at, room);
	if (n > 0)
		std->holds += (u32)take_escapes(std, at, (size_t)n);
}

static size_t read_held(struct bytes_stdio *std, u8 *buf, size_t n)
{
	if (n > std->holds)
		n = std->holds;
	memcpy(buf, std->held, n);
	std->holds -= (u32)n;
	memmove(std->held, std->held + n, std->holds);
	return n;
}

static bool open_stdio(struct bytes *b, struct bytes_stdio *std)
{
	b->kind = BYTES_STDIO;
	b->std = std;
	b->in = STDIN_FILENO;
	b->out = &std->out;
	if (std->users++ == 0)
		terminal_raw(std);
	if (!std->focus)
		std->focus = b;
	return true;
}

static bool open_file(struct bytes *b, const char *path, struct error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0)
		return error_set(err, "%s: cannot be written: %s", path, strerror(errno));
	b->kind = BYTES_FILE;
	out_init(&b->own, fd);
	b->out = &b->own;
	return true;
}

/* The slave side is opened once for its mode; from then on the master knows whether somebody else has it. */
static bool open_pty(struct bytes *b, struct error *err)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;
	struct termios t;

	if (fd < 0 || grantpt(fd) < 0 || unlockpt(fd) < 0 || ptsname_r(fd, b->name, sizeof b->name) != 0) {
		error_set(err, "pty: cannot be opened: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	slave = open(b->name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave >= 0) {
		if (tcgetattr(slave, &t) == 0) {
			cfmakeraw(&t);
			tcsetattr(slave, TCSANOW, &t);
		}
		close(slave);
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	b->kind = BYTES_PTY;
	b->in = fd;
	out_init(&b->own, fd);
	b->out = &b->own;
	return true;
}

static void unix_connected(struct bytes *b, int fd)
{
	b->in = fd;
	out_init(&b->own, fd);
	b->own.socket = true;
	b->out = &b->own;
}

static bool unix_listen(struct bytes *b, int fd, const struct sockaddr_un *a, bool wait, struct error *err)
{
	struct stat st;

	if (stat(a->sun_path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(a->sun_path); /* left behind by an earlier run */
	if (bind(fd, (const struct sockaddr *)a, sizeof *a) < 0 || listen(fd, 1) < 0)
		return error_set(err, "unix:%s: cannot listen: %s", a->sun_path, strerror(errno));
	b->listener = fd;
	if (wait) {
		int client = accept(fd, NULL, NULL);

		if (client < 0) {
			unlink(a->sun_path);
			return error_set(err, "unix:%s: accept: %s", a->sun_path, strerror(errno));
		}
		unix_connected(b, client);
	}
	return true;
}

/* The options of unix:PATH, as QEMU spells them. */
static bool unix_options(char *opt, bool *server, bool *wait, struct error *err)
{
	char *save = NULL;

	for (char *p = strtok_r(opt, ",", &save); p; p = strtok_r(NULL, ",", &save)) {
		if (!strcmp(p, "server") || !strcmp(p, "server=on"))
			*server = true;
		else if (!strcmp(p, "server=off"))
			*server = false;
		else if (!strcmp(p, "nowait") || !strcmp(p, "wait=off"))
			*wait = false;
		else if (!strcmp(p, "wait") || !strcmp(p, "wait=on"))
			*wait = true;
		else
			return error_set(err, "unix: option '%s' is not known (expected server, nowait, wait=on|off)",
					 p);
	}
	return true;
}

static bool open_unix(struct bytes *b, const char *arg, struct error *err)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t len = strcspn(arg, ",");
	bool server = false, wait = true;
	char opt[64] = "";
	int fd;

	if (len == 0 || len >= sizeof a.sun_path || strlen(arg + len) >= sizeof opt)
		return error_set(err, "unix:%s: the path has 1 to %zu bytes", arg, sizeof a.sun_path - 1);
	memcpy(a.sun_path, arg, len);
	memcpy(b->name, a.sun_path, sizeof a.sun_path);
	strcpy(opt, arg + len);
	if (!unix_options(opt, &server, &wait, err))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set(err, "unix:%s: %s", a.sun_path, strerror(errno));
	b->kind = BYTES_UNIX;
	if (server && unix_listen(b, fd, &a, wait, err))
		return true;
	if (!server && connect(fd, (struct sockaddr *)&a, sizeof a) == 0) {
		unix_connected(b, fd);
		return true;
	}
	if (!server)
		error_set(err, "unix:%s: cannot connect: %s", a.sun_path, strerror(errno));
	close(fd);
	return false;
}

bool bytes_open(struct bytes *b, struct bytes_stdio *std, const char *spec, struct error *err)
{
	b->kind = BYTES_NULL;
	b->in = b->listener = -1;
	b->eof = false;
	b->std = NULL;
	b->out = NULL;
	memset(b->name, 0, sizeof b->name);
	if (!strcmp(spec, "null") || !strcmp(spec, "none"))
		return true;
	if (!strcmp(spec, "stdio"))
		return open_stdio(b, std);
	if (!strcmp(spec, "pty"))
		return open_pty(b, err);
	if (!strncmp(spec, "file:", 5) && spec[5]) {
		snprintf(b->name, sizeof b->name, "%s", spec + 5);
		return open_file(b, spec + 5, err);
	}
	if (!strncmp(spec, "unix:", 5))
		return open_unix(b, spec + 5, err);
	return error_set(err,
			 "'%s' is no byte stream (expected null, stdio, file:PATH, pty or unix:PATH[,server[,nowait]])",
			 spec);
}

/* The other end of a socket is gone: a server waits for the next one. */
static void unix_lost(struct bytes *b)
{
	close(b->in);
	b->in = -1;
	b->out = NULL;
	b->eof = b->listener < 0;
}

static void close_stdio(struct bytes *b)
{
	if (b->std->focus == b)
		b->std->focus = NULL;
	if (--b->std->users == 0)
		terminal_restore(b->std);
}

void bytes_close(struct bytes *b)
{
	bytes_flush(b);
	if (b->kind == BYTES_STDIO)
		close_stdio(b);
	else if (b->out)
		close(b->out->fd);
	if (b->listener >= 0) {
		close(b->listener);
		unlink(b->name);
	}
	b->kind = BYTES_NULL;
	b->in = b->listener = -1;
	b->out = NULL;
}

void bytes_out(void *bytes, u8 byte)
{
	struct bytes *b = bytes;
	struct bytes_out *o = b->out;

	if (!o)
		return;
	o->buf[o->used++] = byte;
	if (byte == '\n' || o->used == BYTES_BUFFER)
		bytes_flush(b);
}

void bytes_write(struct bytes *b, const void *data, size_t n)
{
	for (const u8 *p = data; n--; p++)
		bytes_out(b, *p);
}

void bytes_flush(struct bytes *b)
{
	if (!b->out)
		return;
	if (b->kind == BYTES_PTY && fd_hung_up(b->out->fd))
		b->out->used = 0; /* nobody has opened the pty */
	out_flush(b->out);
}

/* A server without a client takes one that waits. */
static void unix_accept(struct bytes *b)
{
	int fd;

	if (b->listener < 0 || b->in >= 0 || !fd_ready(b->listener, POLLIN, 0))
		return;
	fd = accept(b->listener, NULL, NULL);
	if (fd >= 0)
		unix_connected(b, fd);
}

size_t bytes_read(struct bytes *b, void *buf, size_t n)
{
	ssize_t got;

	unix_accept(b);
	if (b->in < 0 || b->eof || (b->kind == BYTES_STDIO && b->std->focus != b))
		return 0;
	if (b->kind == BYTES_STDIO && b->std->holds)
		return read_held(b->std, buf, n);
	if (!fd_ready(b->in, POLLIN, 0) && !(b->kind == BYTES_UNIX && fd_hung_up(b->in)))
		return 0;
	got = read(b->in, buf, n);
	if (got > 0)
		return b->kind == BYTES_STDIO && b->std->escape ? take_escapes(b->std, buf, (size_t)got) : (size_t)got;
	if (got < 0 && (errno == EAGAIN || errno == EINTR || b->kind == BYTES_PTY))
		return 0; /* a pty reads EIO while nobody has it open */
	if (b->kind == BYTES_UNIX)
		unix_lost(b);
	else
		b->eof = true;
	return 0;
}

void bytes_focus(struct bytes *b)
{
	if (b->kind == BYTES_STDIO)
		b->std->focus = b;
}

int bytes_fd(const struct bytes *b)
{
	if (b->eof || (b->kind == BYTES_STDIO && b->std->focus != b))
		return -1;
	return b->in >= 0 ? b->in : b->listener;
}
