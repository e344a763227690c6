/* The virtio entropy device. Its bytes come from a generator whose seed is part of the machine's set-up, so that two runs are
 * the same; they are random enough for a guest, not for secrets. Manual: Virtio 1.2, 5.4. */
#ifndef DEVICES_VIRTIO_RNG_H
#define DEVICES_VIRTIO_RNG_H

#include "devices/virtio.h"

struct virtio_rng {
	struct virtio v; /* first; v.s.own is the generator's state */
};

void virtio_rng_init(struct virtio_rng *r, enum virtio_kinds kind, u64 seed);

#endif
