/* See disk_nbd.h. */
#include "devices/disk_nbd.h"

bool disk_nbd_named(const char *path) { return !strncmp(path, "nbd:", 4) || !strncmp(path, "nbd+unix:", 9); }

#ifdef HAVE_LIBNBD

#include <libnbd.h>
#include <stdio.h>
#include <stdlib.h>

#define PIECE (1u << 20) /* bytes of one request; servers take at least 32 MB */

struct disk_nbd {
	struct nbd_handle *h;
	u64 size;
};

const char *disk_nbd_why(void)
{
	const char *why = nbd_get_error();

	return why ? why : "no reason given";
}

static struct disk_nbd *fail(struct disk_nbd *n, const char *name, struct error *err)
{
	error_set(err, "%s: %s", name, disk_nbd_why());
	if (n) {
		nbd_close(n->h);
		free(n);
	}
	return NULL;
}

static struct disk_nbd *create(const char *name, struct error *err)
{
	struct disk_nbd *n = calloc(1, sizeof *n);

	if (!n) {
		error_set(err, "%s: no memory", name);
		return NULL;
	}
	n->h = nbd_create();
	if (n->h)
		return n;
	fail(NULL, name, err);
	free(n);
	return NULL;
}

static struct disk_nbd *connected(struct disk_nbd *n, const char *name, bool read_only, u64 *size, struct error *err)
{
	s64 bytes = nbd_get_size(n->h);

	if (bytes < 0)
		return fail(n, name, err);
	if (!bytes || (!read_only && nbd_is_read_only(n->h) != 0)) {
		error_set(err, "%s: %s", name,
			  bytes ? "the server allows no writing (readonly=on?)" : "the disk is empty");
		disk_nbd_close(n);
		return NULL;
	}
	*size = n->size = (u64)bytes;
	return n;
}

/* The part of a QEMU name up to the next colon; a host may stand in brackets. */
static char *part(char **at)
{
	char *p = *at, *end = *p == '[' ? strchr(p, ']') : NULL;

	if (end) {
		p++;
		*end++ = 0;
	} else {
		end = strchr(p, ':');
	}
	if (end && *end == ':')
		*end++ = 0;
	else
		end = p + strlen(p);
	*at = end;
	return p;
}

/* QEMU's own names, beside URIs: nbd:unix:PATH and nbd:HOST:PORT, both with :exportname=NAME. */
static int connect_qemu_name(struct nbd_handle *h, const char *name)
{
	static const char export[] = "exportname=";
	char buf[1024], *at = buf, *host, *port;

	snprintf(buf, sizeof buf, "%s", name + strlen("nbd:"));
	host = part(&at);
	port = part(&at);
	if (!strncmp(at, export, sizeof export - 1) && nbd_set_export_name(h, at + sizeof export - 1))
		return -1;
	return !strcmp(host, "unix") ? nbd_connect_unix(h, port) : nbd_connect_tcp(h, host, port);
}

struct disk_nbd *disk_nbd_connect(const char *name, bool read_only, u64 *size, struct error *err)
{
	bool uri = !strncmp(name, "nbd://", 6) || !strncmp(name, "nbd+unix:", 9);
	struct disk_nbd *n = create(name, err);

	if (!n)
		return NULL;
	if (uri ? nbd_connect_uri(n->h, name) : connect_qemu_name(n->h, name))
		return fail(n, name, err);
	return connected(n, name, read_only, size, err);
}

/* It gets its socket from us and ends with the connection; in a session of its own, the terminal's Ctrl-C does not end
 * it first. */
struct disk_nbd *disk_nbd_start(const char *path, const char *format, bool read_only, u64 *size, struct error *err)
{
	const char *argv[] = {"setsid", "qemu-nbd", "-f", format, "--", path, NULL, NULL};
	struct disk_nbd *n = create(path, err);

	if (!n)
		return NULL;
	if (read_only) {
		argv[4] = "-r";
		argv[5] = "--";
		argv[6] = path;
	}
	if (!nbd_connect_systemd_socket_activation(n->h, (char **)(uintptr_t)argv))
		return connected(n, path, read_only, size, err);
	error_set(err, "%s: a %s image is read by qemu-nbd (package qemu-utils), which did not start: %s", path, format,
		  disk_nbd_why());
	nbd_close(n->h);
	free(n);
	return NULL;
}

bool disk_nbd_close(struct disk_nbd *n)
{
	bool ok = !nbd_shutdown(n->h, 0);

	nbd_close(n->h);
	free(n);
	return ok;
}

/* Behind the end there are zeros: the last sector may be a part of one. */
bool disk_nbd_read(struct disk_nbd *n, u64 off, void *buf, size_t size)
{
	u8 *p = buf;

	while (size && off < n->size) {
		size_t k = size < PIECE ? size : PIECE;

		k = k < n->size - off ? k : (size_t)(n->size - off);
		if (nbd_pread(n->h, p, k, off, 0))
			return false;
		p += k, off += k, size -= k;
	}
	memset(p, 0, size);
	return true;
}

bool disk_nbd_write(struct disk_nbd *n, u64 off, const void *buf, size_t size)
{
	const u8 *p = buf;

	while (size && off < n->size) {
		size_t k = size < PIECE ? size : PIECE;

		k = k < n->size - off ? k : (size_t)(n->size - off);
		if (nbd_pwrite(n->h, p, k, off, 0))
			return false;
		p += k, off += k, size -= k;
	}
	return true;
}

const char *disk_nbd_library(void) { return "libnbd"; }

bool disk_nbd_flush(struct disk_nbd *n) { return nbd_can_flush(n->h) != 1 || !nbd_flush(n->h, 0); }

#else /* no libnbd: nothing gets past the first two */

static struct disk_nbd *refused(const char *path, struct error *err)
{
	error_set(err, "%s: this program was built without libnbd (raw images only)", path);
	return NULL;
}

struct disk_nbd *disk_nbd_connect(const char *name, bool read_only, u64 *size, struct error *err)
{
	(void)read_only, (void)size;
	return refused(name, err);
}
struct disk_nbd *disk_nbd_start(const char *path, const char *format, bool read_only, u64 *size, struct error *err)
{
	(void)format, (void)read_only, (void)size;
	return refused(path, err);
}
bool disk_nbd_close(struct disk_nbd *n) { return !n; }
bool disk_nbd_read(struct disk_nbd *n, u64 off, void *buf, size_t size) { return (void)off, (void)buf, (void)size, !n; }
bool disk_nbd_write(struct disk_nbd *n, u64 off, const void *buf, size_t size)
{
	return (void)off, (void)buf, (void)size, !n;
}
bool disk_nbd_flush(struct disk_nbd *n) { return !n; }
const char *disk_nbd_library(void) { return NULL; }
const char *disk_nbd_why(void) { return "built without libnbd"; }

#endif
