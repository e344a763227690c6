/*
 * Host side of a network: the user network of libslirp (as QEMU's -netdev user): 10.0.2.0/24, gateway and host 10.0.2.2, name
 * server 10.0.2.3, DHCP from 10.0.2.15. Frames from outside wait here until the machine takes them as input; only the host's
 * clock counts here. Without libslirp at build time net_user_open fails and says so. Nothing here is saved.
 */
#ifndef DEVICES_NET_USER_H
#define DEVICES_NET_USER_H

#include <poll.h>

#include "base/error.h"
#include "base/types.h"

#define NET_FRAME 1518
#define NET_QUEUE 256
#define NET_FDS   128

struct net_user {
	void *slirp; /* NULL: not open */
	struct net_frame {
		u16 size;
		u8 data[NET_FRAME];
	} queue[NET_QUEUE]; /* for the guest */
	unsigned head, count;
	unsigned forwards; /* sockets that only wait for a caller */
	struct pollfd fd[NET_FDS];
	unsigned fds;
	struct net_timer {
		bool used, armed;
		s64 when; /* host ms */
		void (*fire)(void *arg);
		void *arg;
	} timer[8];
};

/* options: "hostfwd=tcp:[ADDR]:PORT-[ADDR]:PORT,restrict=on", or "". The struct must stay where it is. */
bool net_user_open(struct net_user *n, const char *options, struct error *err);
void net_user_close(struct net_user *n);
/* The guest sends. */
void net_user_send(void *net, const u8 *frame, u32 size);
/* Looks at the host's sockets; what comes in goes to the queue. */
void net_user_poll(struct net_user *n);
/* The oldest frame for the guest, or NULL; it stays valid until net_user_drop. */
const struct net_frame *net_user_peek(const struct net_user *n);
void net_user_drop(struct net_user *n);
/* Some conversation is open: virtual time must not run away from the other end's. */
bool net_user_busy(const struct net_user *n);
/* The descriptors to sleep on, up to room of them; *ms is lowered to when the network wants to be polled. */
unsigned net_user_fds(struct net_user *n, struct pollfd *fd, unsigned room, int *ms);

#endif
