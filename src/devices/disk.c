/* See disk.h. */
#define _GNU_SOURCE 1
#include "devices/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- opening ---- */

static bool known_format(const char *path, const u8 *head, size_t n, struct error *err)
{
	static const struct {
		const char *magic, *name;
	} formats[] = {
		{"QFI\xfb", "qcow2"}, {"KDMV", "VMDK"}, {"conectix", "VHD"}, {"vhdxfile", "VHDX"}, {"<<< ", "VDI"}};

	for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
		size_t len = strlen(formats[i].magic);

		if (n >= len && !memcmp(head, formats[i].magic, len))
			return error_set(err, "%s: offset 0: a %s image, expected a raw one (qemu-img convert -O raw)",
					 path, formats[i].name);
	}
	return true;
}

static bool measure(struct disk *d, struct error *err)
{
	off_t end = lseek(d->fd, 0, SEEK_END);
	u8 head[16];
	ssize_t n = pread(d->fd, head, sizeof head, 0);

	if (end < 0 || n < 0)
		return error_set(err, "%s: %s", d->path, strerror(errno));
	if (!end)
		return error_set(err, "%s: the file is empty, expected a disk image", d->path);
	d->size = ((u64)end + DISK_SECTOR - 1) & ~(u64)(DISK_SECTOR - 1);
	return known_format(d->path, head, (size_t)n, err);
}

static bool make_overlay(struct disk *d, struct error *err)
{
	const char *dir = getenv("TMPDIR");
	char name[4096];

	snprintf(name, sizeof name, "%s/undervisor-snapshot-XXXXXX", dir ? dir : "/var/tmp");
	d->in_overlay = calloc(1, (size_t)(d->size / DISK_BLOCK / 8 + 1));
	d->overlay = mkstemp(name);
	if (d->overlay < 0 || !d->in_overlay)
		return error_set(err, "%s: no snapshot in %s: %s", d->path, name, strerror(errno));
	unlink(name);
	return true;
}

bool disk_open(struct disk *d, const char *path, unsigned flags, struct error *err)
{
	bool read_only = flags & (DISK_READ_ONLY | DISK_SNAPSHOT);

	*d = (struct disk){.path = path, .read_only = flags & DISK_READ_ONLY, .overlay = -1};
	d->fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (d->fd < 0) {
		d->path = NULL;
		return error_set(err, "%s: %s", path, strerror(errno));
	}
	if (measure(d, err) && (!(flags & DISK_SNAPSHOT) || make_overlay(d, err)))
		return true;
	disk_close(d);
	return false;
}

/* The host's word on something that the guest will see as a device error. */
static bool complain(struct disk *d, const char *what)
{
	if (!d->complained)
		fprintf(stderr, "undervisor: %s: %s: %s\n", d->path, what, strerror(errno));
	d->complained = true;
	return false;
}

bool disk_close(struct disk *d)
{
	bool ok = true;

	if (!d->path)
		return true;
	if (!d->read_only && d->overlay < 0)
		ok = disk_flush(d);
	if (close(d->fd))
		ok = complain(d, "closing");
	if (d->overlay >= 0)
		close(d->overlay);
	free(d->in_overlay);
	d->in_overlay = NULL;
	d->path = NULL;
	return ok;
}

/* ---- bytes ---- */

static bool read_file(struct disk *d, int fd, u64 off, u8 *buf, size_t n)
{
	while (n) {
		ssize_t k = pread(fd, buf, n, (off_t)off);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return complain(d, "reading");
		if (!k) { /* behind the end of a file that is no multiple of a sector, or of an overlay */
			memset(buf, 0, n);
			return true;
		}
		buf += k;
		off += (u64)k;
		n -= (size_t)k;
	}
	return true;
}

static bool write_file(struct disk *d, int fd, u64 off, const u8 *buf, size_t n)
{
	while (n) {
		ssize_t k = pwrite(fd, buf, n, (off_t)off);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return complain(d, "writing");
		buf += k;
		off += (u64)k;
		n -= (size_t)k;
	}
	return true;
}

static bool written(const struct disk *d, u64 block) { return d->in_overlay[block / 8] >> block % 8 & 1; }

/* How many bytes from off on, up to n, are in one file: runs of blocks. */
static size_t run(const struct disk *d, u64 off, size_t n, bool *over)
{
	u64 block = off / DISK_BLOCK, end;

	*over = written(d, block);
	for (end = block + 1; end * DISK_BLOCK < off + n && written(d, end) == *over; end++)
		;
	return end * DISK_BLOCK - off < n ? (size_t)(end * DISK_BLOCK - off) : n;
}

bool disk_read(struct disk *d, u64 off, void *buf, size_t n)
{
	u8 *p = buf;

	if (d->overlay < 0)
		return read_file(d, d->fd, off, p, n);
	while (n) {
		bool over;
		size_t k = run(d, off, n, &over);

		if (!read_file(d, over ? d->overlay : d->fd, off, p, k))
			return false;
		p += k;
		off += k;
		n -= k;
	}
	return true;
}

/* A block that is written in part for the first time is completed from the image. */
static bool fill_block(struct disk *d, u64 block)
{
	u8 buf[DISK_BLOCK];

	if (written(d, block))
		return true;
	if (!read_file(d, d->fd, block * DISK_BLOCK, buf, sizeof buf) ||
	    !write_file(d, d->overlay, block * DISK_BLOCK, buf, sizeof buf))
		return false;
	d->in_overlay[block / 8] |= (u8)(1 << block % 8);
	return true;
}

bool disk_write(struct disk *d, u64 off, const void *buf, size_t n)
{
	u64 end = off + n;

	if (d->read_only) {
		errno = EROFS;
		return complain(d, "writing");
	}
	if (!n || d->overlay < 0)
		return write_file(d, d->fd, off, buf, n);
	if ((off % DISK_BLOCK && !fill_block(d, off / DISK_BLOCK)) ||
	    (end % DISK_BLOCK && !fill_block(d, end / DISK_BLOCK)) || !write_file(d, d->overlay, off, buf, n))
		return false;
	for (u64 b = off / DISK_BLOCK; b < (end + DISK_BLOCK - 1) / DISK_BLOCK; b++)
		d->in_overlay[b / 8] |= (u8)(1 << b % 8);
	return true;
}

bool disk_flush(struct disk *d)
{
	if (d->read_only || d->overlay >= 0 || !fdatasync(d->fd) || errno == EINVAL || errno == ENOTSUP)
		return true; /* EINVAL: a special file that cannot be synchronized */
	return complain(d, "flushing");
}
