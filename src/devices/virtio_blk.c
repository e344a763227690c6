/* See virtio_blk.h. */
#include "devices/virtio_blk.h"

enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8 };
enum { S_OK, S_IOERR, S_UNSUPP };
enum { HEADER = 16, CHUNK = 65536 };

#define F_SEG_MAX  BIT(2)
#define F_GEOMETRY BIT(4)
#define F_RO       BIT(5)
#define F_BLK_SIZE BIT(6)
#define F_FLUSH    BIT(9)

/* [sector, + n bytes) is on the disk, and whole sectors (5.2.6.2). */
static bool in_range(const struct virtio_blk *b, u64 sector, u64 n)
{
	u64 sectors = b->disk->size / DISK_SECTOR;

	return n % DISK_SECTOR == 0 && sector <= sectors && n / DISK_SECTOR <= sectors - sector;
}

static u8 do_read(struct virtio_blk *b, const struct virtio_chain *c, u64 sector, u32 *written)
{
	u32 n = c->in_size - 1;
	u8 buf[CHUNK];

	if (!in_range(b, sector, n))
		return S_IOERR;
	for (u32 off = 0; off < n; off += CHUNK) {
		u32 k = n - off < CHUNK ? n - off : CHUNK;

		if (!disk_read(b->disk, sector * DISK_SECTOR + off, buf, k))
			return S_IOERR;
		*written += virtio_put(&b->v, c, off, buf, k);
	}
	return S_OK;
}

/* A driver that does not know flushing gets a disk that writes through (5.2.6.2). */
static u8 do_write(struct virtio_blk *b, const struct virtio_chain *c, u64 sector)
{
	u32 n = c->out_size - HEADER;
	u8 buf[CHUNK];

	if (b->disk->read_only || !in_range(b, sector, n))
		return S_IOERR;
	for (u32 off = 0; off < n; off += CHUNK) {
		u32 k = n - off < CHUNK ? n - off : CHUNK;

		virtio_get(&b->v, c, HEADER + off, buf, k);
		if (!disk_write(b->disk, sector * DISK_SECTOR + off, buf, k))
			return S_IOERR;
	}
	return virtio_has(&b->v, F_FLUSH) || disk_flush(b->disk) ? S_OK : S_IOERR;
}

static u8 get_id(struct virtio_blk *b, const struct virtio_chain *c, u32 *written)
{
	u32 n = c->in_size - 1;

	*written += virtio_put(&b->v, c, 0, b->serial, n < sizeof b->serial ? n : sizeof b->serial);
	return S_OK;
}

static u8 execute(struct virtio_blk *b, const struct virtio_chain *c, u32 *written)
{
	u8 header[HEADER];
	u64 sector;

	virtio_get(&b->v, c, 0, header, sizeof header);
	sector = load_le(header + 8, 8);
	switch (load_le(header, 4)) {
	case T_IN: return do_read(b, c, sector, written);
	case T_OUT: return do_write(b, c, sector);
	case T_FLUSH: return disk_flush(b->disk) ? S_OK : S_IOERR;
	case T_GET_ID: return get_id(b, c, written);
	default: return S_UNSUPP;
	}
}

/* 5.2.6: header, data, and the status as the last writable byte. A request without room for them is dropped. */
static void request(struct virtio_blk *b, const struct virtio_chain *c)
{
	u32 written = 0;
	u8 status;

	if (c->out_size >= HEADER && c->in_size) {
		status = execute(b, c, &written);
		virtio_put(&b->v, c, c->in_size - 1, &status, 1);
		written = status == S_OK ? written + 1 : c->in_size;
	}
	virtio_done(&b->v, 0, c, written);
}

static void notify(struct virtio *v, unsigned queue)
{
	struct virtio_chain c;
	bool any = false;

	for (; virtio_next(v, queue, &c); any = true)
		request((struct virtio_blk *)v, &c);
	if (any)
		virtio_signal(v, queue);
}

static const struct virtio_type type = {
	.name = "virtio-blk",
	.id = 2,
	.class_code = 0x010000,
	.queues = 1,
	.queue_size = 256,
	.features = F_SEG_MAX | F_GEOMETRY | F_BLK_SIZE | F_FLUSH,
	.config_size = 24,
	.notify = notify,
};

/* 5.2.4: capacity, size_max, seg_max, geometry, blk_size. */
static void configure(struct virtio_blk *b)
{
	u8 *c = b->v.config;
	u64 sectors = b->disk->size / DISK_SECTOR, cylinders = sectors / (16 * 63);

	store_le(c, 8, sectors);
	store_le(c + 12, 4, 254);
	store_le(c + 16, 2, cylinders < 16383 ? cylinders : 16383);
	c[18] = 16;
	c[19] = 63;
	store_le(c + 20, 4, DISK_SECTOR);
}

void virtio_blk_init(struct virtio_blk *b, enum virtio_kinds kind, struct disk *disk, const char *serial)
{
	virtio_init(&b->v, &type, kind);
	b->disk = disk;
	memset(b->serial, 0, sizeof b->serial);
	for (unsigned i = 0; serial && serial[i] && i < sizeof b->serial; i++)
		b->serial[i] = serial[i];
	if (disk->read_only)
		b->v.features |= F_RO;
	configure(b);
}
