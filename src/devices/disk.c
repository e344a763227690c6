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
			return error_set(err,
					 "%s: offset 0: a %s image, expected a raw one (-drive format= names another "
					 "format, format=raw takes it as it is)",
					 path, formats[i].name);
	}
	return true;
}

/*
 * QEMU's scheme, so that both see each other: who uses an image holds a shared lock on byte 100 + n for each thing that
 * it does (0 reading, 1 writing) and on 200 + n for each that nobody else may do meanwhile (1 writing, 3 resizing).
 * Where the file system has no locks there are none, as there.
 */
enum { LOCK_DOES = 100, LOCK_FORBIDS = 200, OP_READ = 0, OP_WRITE = 1, OP_RESIZE = 3 };

static bool lock_byte(int fd, int byte)
{
	struct flock l = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

	return !fcntl(fd, F_OFD_SETLK, &l);
}

static bool held_by_others(int fd, int byte)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

	return !fcntl(fd, F_OFD_GETLK, &l) && l.l_type != F_UNLCK;
}

static bool lock_image(const struct disk *d, bool writes, struct error *err)
{
	bool locked = lock_byte(d->fd, LOCK_DOES + OP_READ) && lock_byte(d->fd, LOCK_FORBIDS + OP_WRITE) &&
		      lock_byte(d->fd, LOCK_FORBIDS + OP_RESIZE) && (!writes || lock_byte(d->fd, LOCK_DOES + OP_WRITE));

	if (locked && (held_by_others(d->fd, LOCK_DOES + OP_WRITE) || held_by_others(d->fd, LOCK_DOES + OP_RESIZE) ||
		       (writes && held_by_others(d->fd, LOCK_FORBIDS + OP_WRITE)) ||
		       held_by_others(d->fd, LOCK_FORBIDS + OP_READ)))
		return error_set(err, "%s: another program %s this image", d->path, writes ? "uses" : "writes to");
	return true;
}

static bool measure(struct disk *d, bool probe, struct error *err)
{
	off_t end = lseek(d->fd, 0, SEEK_END);
	u8 head[16];
	ssize_t n = pread(d->fd, head, sizeof head, 0);

	if (end < 0 || n < 0)
		return error_set(err, "%s: %s", d->path, strerror(errno));
	if (!end)
		return error_set(err, "%s: the file is empty, expected a disk image", d->path);
	d->size = ((u64)end + DISK_SECTOR - 1) & ~(u64)(DISK_SECTOR - 1);
	return !probe || known_format(d->path, head, (size_t)n, err);
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

static bool open_file(struct disk *d, const char *path, bool read_only, bool probe, struct error *err)
{
	d->fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (d->fd < 0)
		return error_set(err, "%s: %s", path, strerror(errno));
	return measure(d, probe, err) && lock_image(d, !read_only, err);
}

static bool open_nbd(struct disk *d, const char *path, const char *format, bool read_only, struct error *err)
{
	u64 bytes = 0;

	d->nbd = disk_nbd_named(path) ? disk_nbd_connect(path, read_only, &bytes, err)
				      : disk_nbd_start(path, format, read_only, &bytes, err);
	d->size = (bytes + DISK_SECTOR - 1) & ~(u64)(DISK_SECTOR - 1);
	return d->nbd;
}

bool disk_open_format(struct disk *d, const char *path, const char *format, unsigned flags, struct error *err)
{
	bool read_only = flags & (DISK_READ_ONLY | DISK_SNAPSHOT), raw = !format || !strcmp(format, "raw");

	*d = (struct disk){.path = path, .read_only = flags & DISK_READ_ONLY, .fd = -1, .overlay = -1};
	if ((raw && !disk_nbd_named(path) ? open_file(d, path, read_only, !format, err)
					  : open_nbd(d, path, format, read_only, err)) &&
	    (!(flags & DISK_SNAPSHOT) || make_overlay(d, err)))
		return true;
	d->read_only = true; /* nothing to flush */
	disk_close(d);
	return false;
}

bool disk_open(struct disk *d, const char *path, unsigned flags, struct error *err)
{
	return disk_open_format(d, path, NULL, flags, err);
}

/* The host's word on something that the guest will see as a device error. */
static bool complain(struct disk *d, const char *what)
{
	if (!d->complained)
		fprintf(stderr, "undervisor: %s: %s: %s\n", d->path, what, d->nbd ? disk_nbd_why() : strerror(errno));
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
	if (d->nbd && !disk_nbd_close(d->nbd))
		ok = complain(d, "closing");
	if (d->fd >= 0 && close(d->fd))
		ok = complain(d, "closing");
	d->nbd = NULL;
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

/* The image itself, wherever it is. */
static bool read_image(struct disk *d, u64 off, u8 *buf, size_t n)
{
	if (d->nbd)
		return disk_nbd_read(d->nbd, off, buf, n) || complain(d, "reading");
	return read_file(d, d->fd, off, buf, n);
}

static bool write_image(struct disk *d, u64 off, const u8 *buf, size_t n)
{
	if (d->nbd)
		return disk_nbd_write(d->nbd, off, buf, n) || complain(d, "writing");
	return write_file(d, d->fd, off, buf, n);
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
		return read_image(d, off, p, n);
	while (n) {
		bool over;
		size_t k = run(d, off, n, &over);

		if (!(over ? read_file(d, d->overlay, off, p, k) : read_image(d, off, p, k)))
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
	if (!read_image(d, block * DISK_BLOCK, buf, sizeof buf) ||
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
		return write_image(d, off, buf, n);
	if ((off % DISK_BLOCK && !fill_block(d, off / DISK_BLOCK)) ||
	    (end % DISK_BLOCK && !fill_block(d, end / DISK_BLOCK)) || !write_file(d, d->overlay, off, buf, n))
		return false;
	for (u64 b = off / DISK_BLOCK; b < (end + DISK_BLOCK - 1) / DISK_BLOCK; b++)
		d->in_overlay[b / 8] |= (u8)(1 << b % 8);
	return true;
}

bool disk_flush(struct disk *d)
{
	if (d->nbd && !d->read_only && d->overlay < 0)
		return disk_nbd_flush(d->nbd) || complain(d, "flushing");
	if (d->read_only || d->overlay >= 0 || !fdatasync(d->fd) || errno == EINVAL || errno == ENOTSUP)
		return true; /* EINVAL: a special file that cannot be synchronized */
	return complain(d, "flushing");
}
