/* See virtio_net.h. */
#include "devices/virtio_net.h"

enum { RX, TX };
enum { STATUS_LINK_UP = 1, STATUS_AT = 6 };
enum { HEADER = 12, HEADER_LEGACY = 10 }; /* 5.1.6: without num_buffers before version 1 */

#define F_MAC    BIT(5)
#define F_STATUS BIT(16)

static u32 header_size(const struct virtio *v) { return virtio_has(v, VIRTIO_F_VERSION_1) ? HEADER : HEADER_LEGACY; }

static void transmit(struct virtio_net *n)
{
	u8 frame[VIRTIO_NET_FRAME];
	struct virtio_chain c;
	bool any = false;

	for (; virtio_next(&n->v, TX, &c); any = true) {
		u32 head = header_size(&n->v), size = c.out_size > head ? c.out_size - head : 0;

		if (size && size <= sizeof frame && n->send) { /* longer ones are lost, as on a wire */
			virtio_get(&n->v, &c, head, frame, size);
			n->send(n->arg, frame, size);
		}
		virtio_done(&n->v, TX, &c, 0);
	}
	if (any)
		virtio_signal(&n->v, TX);
}

static void notify(struct virtio *v, unsigned queue)
{
	if (queue == TX)
		transmit((struct virtio_net *)v);
}

unsigned virtio_net_room(const void *net)
{
	struct virtio_net *n = (struct virtio_net *)net; /* reads guest memory only */

	return virtio_waiting(&n->v, RX);
}

void virtio_net_receive(void *net, const u8 *frame, u32 size)
{
	struct virtio_net *n = net;
	u8 header[HEADER] = {0};
	u32 head = header_size(&n->v);
	struct virtio_chain c;

	if (!virtio_next(&n->v, RX, &c))
		return;
	header[10] = 1; /* num_buffers */
	virtio_put(&n->v, &c, 0, header, head);
	size = virtio_put(&n->v, &c, head, frame, size);
	virtio_done(&n->v, RX, &c, head + size);
	virtio_signal(&n->v, RX);
}

static const struct virtio_type type = {
	.name = "virtio-net",
	.id = 1,
	.class_code = 0x020000,
	.queues = 2,
	.queue_size = 256,
	.features = F_MAC | F_STATUS,
	.config_size = 8,
	.notify = notify,
};

void virtio_net_init(struct virtio_net *n, enum virtio_kinds kind, const u8 mac[6])
{
	virtio_init(&n->v, &type, kind);
	n->send = NULL;
	memcpy(n->v.config, mac, 6);
	n->v.config[STATUS_AT] = 0;
}

void virtio_net_connect(struct virtio_net *n, void (*send)(void *arg, const u8 *frame, u32 size), void *arg)
{
	n->send = send;
	n->arg = arg;
	n->v.config[STATUS_AT] = STATUS_LINK_UP;
}
