/* The stub's socket and packet framing. See gdb.h; GDB manual, E.1 (overview). */
#define _GNU_SOURCE 1
#include "debug/gdb.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define INTERRUPT 3

/* ---- opening ---- */

static bool listen_unix(struct gdb *g, const char *path, struct error *err)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct stat st;

	if (strlen(path) >= sizeof a.sun_path)
		return error_set(err, "-gdb unix:%s: the path is longer than %zu bytes", path, sizeof a.sun_path - 1);
	strcpy(a.sun_path, path);
	strcpy(g->path, path);
	if (stat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path); /* left behind by an earlier run */
	g->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (g->listener < 0 || bind(g->listener, (struct sockaddr *)&a, sizeof a) < 0 || listen(g->listener, 4) < 0)
		return error_set(err, "-gdb unix:%s: %s", path, strerror(errno));
	return true;
}

/* ":PORT" or "ADDRESS:PORT". */
static bool listen_tcp(struct gdb *g, const char *spec, struct error *err)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const char *colon = strrchr(spec, ':');
	char host[64], *end;
	unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;
	int one = 1;

	if (!colon || end == colon + 1 || *end || port < 1 || port > 65535 || (size_t)(colon - spec) >= sizeof host)
		return error_set(err, "-gdb tcp:%s: expected tcp::PORT or tcp:ADDRESS:PORT", spec);
	snprintf(host, sizeof host, "%.*s", (int)(colon - spec), spec);
	if (*host && strcmp(host, "localhost") && inet_pton(AF_INET, host, &a.sin_addr) != 1)
		return error_set(err, "-gdb tcp:%s: '%s' is no IPv4 address", spec, host);
	a.sin_port = htons((u16)port);
	g->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (g->listener >= 0)
		setsockopt(g->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (g->listener < 0 || bind(g->listener, (struct sockaddr *)&a, sizeof a) < 0 || listen(g->listener, 4) < 0)
		return error_set(err, "-gdb tcp:%s: %s", spec, strerror(errno));
	return true;
}

bool gdb_open(struct gdb *g, struct debugger *d, const char *spec, struct error *err)
{
	g->d = d;
	g->listener = g->fd = -1;
	g->path[0] = 0;
	return !strncmp(spec, "unix:", 5) ? listen_unix(g, spec + 5, err) : listen_tcp(g, spec + 4, err);
}

static void hang_up(struct gdb *g)
{
	if (g->fd >= 0)
		close(g->fd);
	g->fd = -1;
	g->used = 0;
	for (struct breakpoint *b = g->d->breaks, *next; b; b = next) {
		next = b->next;
		if (b->hidden && !b->temporary)
			debugger_delete(g->d, b);
	}
}

void gdb_close(struct gdb *g)
{
	if (g->listener < 0)
		return;
	hang_up(g);
	close(g->listener);
	if (*g->path)
		unlink(g->path);
	free(g->xfer);
	g->listener = -1;
}

bool gdb_connected(const struct gdb *g) { return g->fd >= 0; }

/* ---- sending ---- */

static void send_all(struct gdb *g, const char *p, size_t n)
{
	while (n && g->fd >= 0) {
		ssize_t done = send(g->fd, p, n, MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			hang_up(g);
			return;
		}
		p += done;
		n -= (size_t)done;
	}
}

void gdb_puts(struct gdb *g, const char *s)
{
	size_t n = strlen(s), room = sizeof g->out - 8 - g->out_used;

	if (n > room)
		n = room;
	memcpy(g->out + g->out_used, s, n);
	g->out_used += n;
}

void gdb_printf(struct gdb *g, const char *fmt, ...)
{
	char buf[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof buf, fmt, ap);
	va_end(ap);
	gdb_puts(g, buf);
}

void gdb_hex(struct gdb *g, const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		gdb_printf(g, "%02x", ((const u8 *)bytes)[i]);
}

bool gdb_unhex(const char *s, void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char two[3] = {s[2 * i], s[2 * i] ? s[2 * i + 1] : 0, 0};

		if (!isxdigit((unsigned char)two[0]) || !isxdigit((unsigned char)two[1]))
			return false;
		((u8 *)bytes)[i] = (u8)strtoul(two, NULL, 16);
	}
	return true;
}

/* out[1..] is the answer; $ before it, #CHECKSUM behind it. */
static void send_packet(struct gdb *g)
{
	u8 sum = 0;

	for (size_t i = 1; i < g->out_used; i++)
		sum = (u8)(sum + (u8)g->out[i]);
	g->out[0] = '$';
	snprintf(g->out + g->out_used, 4, "#%02x", sum);
	send_all(g, g->out, g->out_used + 3);
}

/* ---- receiving ---- */

static void take_client(struct gdb *g)
{
	struct pollfd p = {.fd = g->listener, .events = POLLIN};
	int one = 1;

	if (g->fd >= 0 || poll(&p, 1, 0) <= 0)
		return;
	g->fd = accept4(g->listener, NULL, NULL, SOCK_CLOEXEC);
	if (g->fd < 0)
		return;
	setsockopt(g->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	g->noack = g->multiprocess = g->owed = false;
	g->used = 0;
	g->g_pid = g->g_tid = g->stop_pid = 0;
	g->detached = 0;
	memset(g->bits, 0, sizeof g->bits);
}

/* What has arrived, into g->in. */
static void receive(struct gdb *g)
{
	struct pollfd p = {.fd = g->fd, .events = POLLIN};
	size_t room = sizeof g->in - 1 - g->used;
	ssize_t n;

	if (g->fd < 0 || poll(&p, 1, 0) <= 0)
		return;
	if (!room) { /* longer than any packet that was offered */
		g->used = 0;
		room = sizeof g->in - 1;
	}
	n = recv(g->fd, g->in + g->used, room, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		hang_up(g);
	else if (n > 0)
		g->used += (size_t)n;
}

static void drop(struct gdb *g, size_t n)
{
	g->used -= n;
	memmove(g->in, g->in + n, g->used);
}

bool gdb_look(struct gdb *g)
{
	bool before = gdb_connected(g), stop = false;

	take_client(g);
	receive(g);
	for (size_t i = 0; i < g->used && g->in[i] != '$'; i++)
		stop |= g->in[i] == INTERRUPT;
	while (stop && g->used && g->in[0] != '$')
		drop(g, 1);
	return stop || (!before && gdb_connected(g));
}

/* Undoes the escapes of binary data: } and a byte XOR 20h. */
static size_t unescape(u8 *p, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		p[kept++] = p[i] == '}' && i + 1 < n ? p[++i] ^ 0x20 : p[i];
	p[kept] = 0;
	return kept;
}

/* The whole packet at the front of g->in. False: it is not complete. */
static bool one_packet(struct gdb *g)
{
	u8 *hash = memchr(g->in, '#', g->used), sum = 0, want;
	size_t n, whole;
	char text[GDB_PACKET + 8];

	if (!hash || hash + 2 >= g->in + g->used)
		return false;
	n = (size_t)(hash - g->in) - 1;
	whole = n + 4;
	for (size_t i = 1; i <= n; i++)
		sum = (u8)(sum + g->in[i]);
	if (!gdb_unhex((const char *)hash + 1, &want, 1) || (want != sum && !g->noack)) {
		drop(g, whole);
		if (!g->noack)
			send_all(g, "-", 1);
		return true;
	}
	memcpy(text, g->in + 1, n);
	drop(g, whole);
	if (!g->noack)
		send_all(g, "+", 1);
	n = unescape((u8 *)text, n);
	g->out_used = 1;
	if (gdb_packet(g, text, n) && g->fd >= 0)
		send_packet(g);
	return true;
}

void gdb_serve(struct gdb *g)
{
	take_client(g);
	receive(g);
	while (g->fd >= 0 && g->used && !g->go && !g->d->quit) {
		if (g->in[0] != '$') { /* acknowledgements, interrupts of a machine that stands, noise */
			drop(g, 1);
			continue;
		}
		if (!one_packet(g))
			return;
	}
}

void gdb_wait(struct gdb *g, int ms)
{
	struct pollfd p = {.fd = g->fd >= 0 ? g->fd : g->listener, .events = POLLIN};

	poll(&p, 1, ms);
}
