/* See virtio_rng.h. */
#include "devices/virtio_rng.h"

/* SplitMix64 (Steele, Lea, Flood 2014). */
static u64 draw(struct virtio *v)
{
	u64 z = v->s.own += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static void notify(struct virtio *v, unsigned queue)
{
	struct virtio_chain c;
	bool any = false;

	for (; virtio_next(v, queue, &c); any = true) {
		u32 n = c.in_size < 65536 ? c.in_size : 65536; /* as much as the device likes (5.4.6) */

		for (u32 off = 0; off < n; off += 8) {
			u64 word = draw(v);

			virtio_put(v, &c, off, &word, n - off < 8 ? n - off : 8);
		}
		virtio_done(v, queue, &c, n);
	}
	if (any)
		virtio_signal(v, queue);
}

static const struct virtio_type type = {
	.name = "virtio-rng",
	.id = 4,
	.class_code = 0x00ff00,
	.queues = 1,
	.queue_size = 8,
	.notify = notify,
};

void virtio_rng_init(struct virtio_rng *r, enum virtio_kinds kind, u64 seed)
{
	virtio_init(&r->v, &type, kind);
	r->v.s.own = seed;
}
