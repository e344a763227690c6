/* The virtio block device: sectors of a disk image. Requests are done at once. Manual: Virtio 1.2, 5.2. */
#ifndef DEVICES_VIRTIO_BLK_H
#define DEVICES_VIRTIO_BLK_H

#include "devices/disk.h"
#include "devices/virtio.h"

struct virtio_blk {
	struct virtio v; /* first */
	struct disk *disk;
	char serial[20]; /* padded with zeros */
};

/* disk must stay. serial may be NULL; 20 characters count. */
void virtio_blk_init(struct virtio_blk *b, enum virtio_kinds kind, struct disk *disk, const char *serial);

#endif
