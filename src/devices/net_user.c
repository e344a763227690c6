/* See net_user.h. Everything that libslirp calls back stands here. */
#include "devices/net_user.h"

#ifdef HAVE_SLIRP

#include <arpa/inet.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* ---- called by libslirp ---- */

static ssize_t on_frame(const void *buf, size_t size, void *arg)
{
	struct net_user *n = arg;
	struct net_frame *f = &n->queue[(n->head + n->count) % NET_QUEUE];

	if (size <= NET_FRAME && n->count < NET_QUEUE) { /* else lost: TCP sends it again */
		f->size = (u16)size;
		memcpy(f->data, buf, size);
		n->count++;
	}
	return (ssize_t)size;
}

static void on_error(const char *msg, void *arg)
{
	(void)arg;
	fprintf(stderr, "undervisor: network: %s\n", msg);
}

static int64_t on_clock(void *arg)
{
	struct timespec t;

	(void)arg;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void *on_timer_new(SlirpTimerCb fire, void *timer_arg, void *arg)
{
	struct net_user *n = arg;

	for (unsigned i = 0; i < ARRAY_SIZE(n->timer); i++)
		if (!n->timer[i].used) {
			n->timer[i] = (struct net_timer){.used = true, .fire = fire, .arg = timer_arg};
			return &n->timer[i];
		}
	return NULL; /* libslirp has one timer */
}

static void on_timer_free(void *timer, void *arg)
{
	(void)arg;
	((struct net_timer *)timer)->used = false;
}

static void on_timer_mod(void *timer, int64_t ms, void *arg)
{
	struct net_timer *t = timer;

	(void)arg;
	t->armed = true;
	t->when = ms;
}

static void on_fd(int fd, void *arg) { (void)fd, (void)arg; }
static void on_notify(void *arg) { (void)arg; }

static const SlirpCb callbacks = {
	.send_packet = on_frame,
	.guest_error = on_error,
	.clock_get_ns = on_clock,
	.timer_new = on_timer_new,
	.timer_free = on_timer_free,
	.timer_mod = on_timer_mod,
	.register_poll_fd = on_fd,
	.unregister_poll_fd = on_fd,
	.notify = on_notify,
};

static int add_fd(int fd, int events, void *arg)
{
	struct net_user *n = arg;

	if (n->fds == NET_FDS)
		return -1;
	n->fd[n->fds] = (struct pollfd){
		.fd = fd,
		.events = (short)((events & SLIRP_POLL_IN ? POLLIN : 0) | (events & SLIRP_POLL_OUT ? POLLOUT : 0) |
				  (events & SLIRP_POLL_PRI ? POLLPRI : 0)),
	};
	return (int)n->fds++;
}

static int get_events(int i, void *arg)
{
	struct net_user *n = arg;
	int e = i >= 0 && (unsigned)i < n->fds ? n->fd[i].revents : 0;

	return (e & POLLIN ? SLIRP_POLL_IN : 0) | (e & POLLOUT ? SLIRP_POLL_OUT : 0) |
	       (e & POLLPRI ? SLIRP_POLL_PRI : 0) | (e & POLLERR ? SLIRP_POLL_ERR : 0) |
	       (e & POLLHUP ? SLIRP_POLL_HUP : 0);
}

/* ---- options ---- */

/* "[ADDR]:PORT" up to end */
static bool address(const char *s, const char *end, struct in_addr *addr, int *port)
{
	const char *colon = memchr(s, ':', (size_t)(end - s));
	char buf[32], *rest;
	size_t n = colon ? (size_t)(colon - s) : 0;
	unsigned long p;

	if (!colon || n >= sizeof buf)
		return false;
	memcpy(buf, s, n);
	buf[n] = 0;
	p = strtoul(colon + 1, &rest, 10);
	*port = (int)p;
	return (!n || inet_aton(buf, addr)) && rest == end && p && p < 65536;
}

static bool forward(struct net_user *n, const char *s, const char *end, struct error *err)
{
	struct in_addr host = {.s_addr = htonl(INADDR_ANY)}, guest;
	const char *dash = memchr(s, '-', (size_t)(end - s));
	bool udp = !strncmp(s, "udp:", 4);
	int host_port, guest_port;

	inet_aton("10.0.2.15", &guest);
	if (!dash || (!udp && strncmp(s, "tcp:", 4) && *s != ':') ||
	    !address(*s == ':' ? s + 1 : s + 4, dash, &host, &host_port) ||
	    !address(dash + 1, end, &guest, &guest_port))
		return error_set(err, "hostfwd=%.*s: expected tcp|udp:[ADDRESS]:PORT-[ADDRESS]:PORT", (int)(end - s),
				 s);
	if (slirp_add_hostfwd(n->slirp, udp, host, host_port, guest, guest_port))
		return error_set(err, "hostfwd=%.*s: the host's port cannot be opened", (int)(end - s), s);
	n->forwards++;
	return true;
}

static bool restricted(const char *options)
{
	for (const char *s = options; *s; s += strcspn(s, ","), s += *s == ',')
		if (!strncmp(s, "restrict=on", strcspn(s, ",")) || !strncmp(s, "restrict=yes", strcspn(s, ",")))
			return true;
	return false;
}

static bool apply(struct net_user *n, const char *options, struct error *err)
{
	for (const char *s = options, *end; *s; s = end + (*end == ',')) {
		end = s + strcspn(s, ",");
		if (!strncmp(s, "hostfwd=", 8)) {
			if (!forward(n, s + 8, end, err))
				return false;
		} else if (strncmp(s, "restrict=", 9)) {
			return error_set(err, "user network: '%.*s' is not supported (expected hostfwd=, restrict=)",
					 (int)(end - s), s);
		}
	}
	return true;
}

bool net_user_open(struct net_user *n, const char *options, struct error *err)
{
	SlirpConfig c = {.version = 1, .in_enabled = true, .restricted = restricted(options)};

	memset(n, 0, sizeof *n);
	inet_aton("10.0.2.0", &c.vnetwork);
	inet_aton("255.255.255.0", &c.vnetmask);
	inet_aton("10.0.2.2", &c.vhost);
	inet_aton("10.0.2.15", &c.vdhcp_start);
	inet_aton("10.0.2.3", &c.vnameserver);
	n->slirp = slirp_new(&c, &callbacks, n);
	if (!n->slirp)
		return error_set(err, "user network: libslirp cannot start");
	if (apply(n, options, err))
		return true;
	net_user_close(n);
	return false;
}

void net_user_close(struct net_user *n)
{
	if (n->slirp)
		slirp_cleanup(n->slirp);
	n->slirp = NULL;
}

/* ---- frames ---- */

void net_user_send(void *net, const u8 *frame, u32 size)
{
	struct net_user *n = net;

	if (n->slirp)
		slirp_input(n->slirp, frame, (int)size);
}

static void fire_timers(struct net_user *n)
{
	for (unsigned i = 0; i < ARRAY_SIZE(n->timer); i++) {
		struct net_timer *t = &n->timer[i];

		if (!t->used || !t->armed || t->when > on_clock(n) / 1000000)
			continue;
		t->armed = false;
		t->fire(t->arg);
	}
}

static void fill(struct net_user *n, u32 *ms)
{
	n->fds = 0;
	slirp_pollfds_fill(n->slirp, ms, add_fd, n);
}

void net_user_poll(struct net_user *n)
{
	u32 ms = 0;
	int r;

	if (!n->slirp)
		return;
	fill(n, &ms);
	r = poll(n->fd, n->fds, 0);
	slirp_pollfds_poll(n->slirp, r < 0, get_events, n);
	fire_timers(n);
}

bool net_user_busy(const struct net_user *n) { return n->slirp && (n->fds > n->forwards || n->count); }

unsigned net_user_fds(struct net_user *n, struct pollfd *fd, unsigned room, int *ms)
{
	u32 wait = *ms < 0 ? ~0u : (u32)*ms;

	if (!n->slirp)
		return 0;
	fill(n, &wait);
	if (wait != ~0u)
		*ms = (int)wait;
	for (unsigned i = 0; i < n->fds && i < room; i++)
		fd[i] = n->fd[i];
	return n->fds < room ? n->fds : room;
}

#else

bool net_user_open(struct net_user *n, const char *options, struct error *err)
{
	(void)n, (void)options;
	return error_set(err, "user network: this program was built without libslirp");
}
void net_user_close(struct net_user *n) { (void)n; }
void net_user_send(void *net, const u8 *frame, u32 size) { (void)net, (void)frame, (void)size; }
void net_user_poll(struct net_user *n) { (void)n; }
bool net_user_busy(const struct net_user *n)
{
	(void)n;
	return false;
}
unsigned net_user_fds(struct net_user *n, struct pollfd *fd, unsigned room, int *ms)
{
	(void)n, (void)fd, (void)room, (void)ms;
	return 0;
}

#endif

const struct net_frame *net_user_peek(const struct net_user *n) { return n->count ? &n->queue[n->head] : NULL; }

void net_user_drop(struct net_user *n)
{
	n->head = (n->head + 1) % NET_QUEUE;
	n->count--;
}
