/*
 * The virtio network device: Ethernet frames between the guest's queues and whoever is at the other end of the wire. No
 * offloads, one pair of queues. Frames from outside enter through the machine's input (machine/input.h), when the guest has
 * buffers for them. Manual: Virtio 1.2, 5.1.
 */
#ifndef DEVICES_VIRTIO_NET_H
#define DEVICES_VIRTIO_NET_H

#include "devices/virtio.h"

#define VIRTIO_NET_FRAME 1518 /* bytes, at most */

struct virtio_net {
	struct virtio v; /* first */
	/* Hears the guest's frames; NULL: the cable is not plugged in. */
	void (*send)(void *arg, const u8 *frame, u32 size);
	void *arg;
};

void virtio_net_init(struct virtio_net *n, enum virtio_kinds kind, const u8 mac[6]);
void virtio_net_connect(struct virtio_net *n, void (*send)(void *arg, const u8 *frame, u32 size), void *arg);
/* How many frames the guest can take now. */
unsigned virtio_net_room(const void *net);
/* A frame arrives; it is lost when there is no buffer for it. */
void virtio_net_receive(void *net, const u8 *frame, u32 size);

#endif
