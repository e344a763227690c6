/*
 * Host side of a disk: a raw image file, or one behind an NBD server (disk_nbd.h), as a row of bytes that IDE,
 * virtio-blk and others read and write. Whole files only; snapshot: writes go to a temporary file that vanishes at the
 * end. Errors of the host are reported once on stderr and to the caller, which makes a device error of them. No device
 * of the guest: nothing here is saved. Raw images are locked as QEMU locks them: one writer, or readers.
 */
#ifndef DEVICES_DISK_H
#define DEVICES_DISK_H

#include "base/error.h"
#include "base/types.h"
#include "devices/disk_nbd.h"

#define DISK_SECTOR 512u
#define DISK_BLOCK  4096u /* granule of a snapshot */

enum disk_flags { DISK_READ_ONLY = 1, DISK_SNAPSHOT = 2 };

struct disk {
	const char *path;     /* NULL: not open */
	int fd;               /* -1: not a file */
	struct disk_nbd *nbd; /* NULL: not behind a server */
	u64 size; /* bytes; a multiple of DISK_SECTOR: a shorter last sector of the file reads as zeros behind its end
		   */
	bool read_only;
	int overlay;    /* snapshot: file of the blocks that were written, or -1 */
	u8 *in_overlay; /* a bit per block */
	bool complained;
};

static inline bool disk_is_open(const struct disk *d) { return d->path; }
static inline u64 disk_sectors(const struct disk *d) { return d->size / DISK_SECTOR; }

/* path must stay. format: raw, or one of qemu-nbd's; NULL: raw, but not a file that looks like another format. */
bool disk_open_format(struct disk *d, const char *path, const char *format, unsigned flags, struct error *err);
bool disk_open(struct disk *d, const char *path, unsigned flags, struct error *err);
/* Data that the guest flushed is on the host's disk; the rest follows now. False: the host failed (it was reported). */
bool disk_close(struct disk *d);
/* Bytes [off, off + n) must be within size. False: host error, reported; the contents of buf are undefined. */
bool disk_read(struct disk *d, u64 off, void *buf, size_t n);
/* False also when the disk is read-only. */
bool disk_write(struct disk *d, u64 off, const void *buf, size_t n);
/* fsync */
bool disk_flush(struct disk *d);

#endif
