/*
 * Disks behind the network block device protocol (libnbd): a server that is named as QEMU names it, or qemu-nbd,
 * started here for an image in a format of QEMU's. Without libnbd every one of these is refused. NBD: doc/proto.md of
 * the nbd project.
 */
#ifndef DEVICES_DISK_NBD_H
#define DEVICES_DISK_NBD_H

#include "base/error.h"
#include "base/types.h"

struct disk_nbd; /* a connection */

/* nbd:HOST:PORT[:exportname=NAME], nbd:unix:PATH[:exportname=NAME], nbd://..., nbd+unix://... */
bool disk_nbd_named(const char *path);
/* Both NULL on failure. *size in bytes. A server that allows no writing is an error unless read_only. */
struct disk_nbd *disk_nbd_connect(const char *name, bool read_only, u64 *size, struct error *err);
struct disk_nbd *disk_nbd_start(const char *path, const char *format, bool read_only, u64 *size, struct error *err);
/* qemu-nbd has written everything when this is back. False: it did not end well; disk_nbd_why() says more. */
bool disk_nbd_close(struct disk_nbd *n);

bool disk_nbd_read(struct disk_nbd *n, u64 off, void *buf, size_t size);
bool disk_nbd_write(struct disk_nbd *n, u64 off, const void *buf, size_t size);
bool disk_nbd_flush(struct disk_nbd *n);
/* Of the last failure. */
const char *disk_nbd_why(void);
/* Name and version; NULL: there is none. */
const char *disk_nbd_library(void);

#endif
