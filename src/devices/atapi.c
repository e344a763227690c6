/*
 * An ATAPI CD-ROM drive with one data track: the PACKET protocol (ATA/ATAPI-6 9.8, 9.9) and the packet commands that
 * firmware and systems use (INF-8090 / MMC). What is not supported ends with ILLEGAL REQUEST, as the specification
 * wants it.
 */
#include "devices/ata.h"

#define SECTOR     2048u
#define COMMAND_NS 5000
#define SECTOR_NS  2000

/* Interrupt reason, in the count register (9.8 of ATA-6: C/D and I/O). */
enum { REASON_COMMAND = 1, REASON_TO_HOST = 2 };
enum { NOT_READY = 2, MEDIUM_ERROR = 3, ILLEGAL_REQUEST = 5 };
enum {
	ASC_INVALID_COMMAND = 0x20,
	ASC_LBA_RANGE = 0x21,
	ASC_INVALID_FIELD = 0x24,
	ASC_NO_MEDIUM = 0x3a,
	ASC_READ = 0x11,
	ASC_REMOVAL_PREVENTED = 0x53
};

static u32 be(const u8 *p, unsigned n)
{
	u32 v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}
static void put_be(u8 *p, unsigned n, u32 val)
{
	for (; n--; val >>= 8)
		p[n] = (u8)val;
}

/* ---- the end of a packet command ---- */

static void reason(struct ata_channel *c, u8 bits_set) { ata_selected(c)->s.count = bits_set; }

void atapi_finish(struct ata_channel *c)
{
	c->s.packet_stage = 0;
	reason(c, REASON_COMMAND | REASON_TO_HOST);
	ata_finish(c);
}

static void done(struct ata_channel *c)
{
	ata_selected(c)->s.sense = ata_selected(c)->s.asc = ata_selected(c)->s.ascq = 0;
	atapi_finish(c);
}

static void refuse(struct ata_channel *c, u8 sense, u8 asc)
{
	struct ata_drive_state *d = &ata_selected(c)->s;

	d->sense = sense;
	d->asc = asc;
	d->ascq = asc == ASC_REMOVAL_PREVENTED ? 2 : 0;
	c->s.packet_stage = 0;
	reason(c, REASON_COMMAND | REASON_TO_HOST);
	ata_abort(c, (u8)(sense << 4 | (sense == ILLEGAL_REQUEST ? ATA_ABRT : 0)));
}

/* ---- data to the host ---- */

/* The byte count limit is even, but for a last block. */
static u32 limit(const struct ata_drive_state *d)
{
	u32 n = d->lba[1] | d->lba[2] << 8;

	return !n || n == 0xffff ? 0xfffe : n == 1 ? 2 : n & ~1u;
}

/* The next piece of what is in the buffer is on offer: all to a bus master. */
static void offer(struct ata_channel *c)
{
	struct ata_drive *d = ata_selected(c);
	u32 rest = c->s.block - c->s.pos, n, at = c->s.pos;

	if (c->s.packet_dma) {
		c->s.phase = ATA_DMA;
		c->s.end = c->s.block;
		d->s.status = ATA_DRDY | ATA_DSC | ATA_DRQ;
		if (c->s.bm_status & 1)
			ata_dma_ready(c);
		return;
	}
	n = rest < limit(&d->s) ? rest : limit(&d->s);
	reason(c, REASON_TO_HOST);
	ata_data_in(c, at + n, false);
	c->s.pos = at;
	d->s.lba[1] = (u8)n;
	d->s.lba[2] = (u8)(n >> 8);
	ata_interrupt(c);
}

/* The buffer's first n bytes, cut to what the host allocated, are the answer. */
static void reply(struct ata_channel *c, u32 n, u32 allocated)
{
	struct ata_drive_state *d = &ata_selected(c)->s;

	n = n < allocated ? n : allocated;
	d->sense = d->asc = d->ascq = 0;
	if (!n) {
		done(c);
		return;
	}
	c->s.left = c->s.pos = 0;
	c->s.block = n;
	offer(c);
}

static bool has_medium(const struct ata_drive *d) { return d->disk && disk_is_open(d->disk) && !d->s.ejected; }
static u32 sectors(const struct ata_drive *d) { return (u32)((d->disk->size + SECTOR - 1) / SECTOR); }

/* An image need not be whole sectors long: the rest of the last one reads as zeros. */
bool atapi_fill(struct ata_channel *c)
{
	struct ata_drive *d = ata_selected(c);
	u32 n = c->s.left < ATA_BUFFER / SECTOR ? c->s.left : ATA_BUFFER / SECTOR, bytes = n * SECTOR;
	u64 at = c->s.lba * SECTOR, have;

	if (!has_medium(d)) {
		refuse(c, NOT_READY, ASC_NO_MEDIUM);
		return false;
	}
	have = d->disk->size - at < bytes ? d->disk->size - at : bytes;
	memset(c->s.buffer, 0, bytes);
	if (!disk_read(d->disk, at, c->s.buffer, have)) {
		refuse(c, MEDIUM_ERROR, ASC_READ);
		return false;
	}
	c->s.lba += n;
	c->s.left -= n;
	c->s.pos = 0;
	c->s.end = c->s.block = bytes;
	return true;
}

/* READ (10), READ (12), READ CD */
static void read_sectors(struct ata_channel *c, u32 lba, u32 n)
{
	struct ata_drive *d = ata_selected(c);

	if (lba > sectors(d) || n > sectors(d) - lba) {
		refuse(c, ILLEGAL_REQUEST, ASC_LBA_RANGE);
		return;
	}
	if (!n) {
		done(c);
		return;
	}
	c->s.lba = lba;
	c->s.left = n;
	d->s.sense = d->s.asc = d->s.ascq = 0;
	if (atapi_fill(c))
		offer(c);
}

/* ---- commands that answer from a table of facts ---- */

static void request_sense(struct ata_channel *c)
{
	struct ata_drive_state *d = &ata_selected(c)->s;
	u8 *p = c->s.buffer, sense = d->sense, asc = d->asc, ascq = d->ascq;

	memset(p, 0, 18);
	p[0] = 0xf0;
	p[2] = sense;
	p[7] = 10;
	p[12] = asc;
	p[13] = ascq;
	reply(c, 18, c->s.packet[4]);
}

static void inquiry(struct ata_channel *c)
{
	u8 *p = c->s.buffer;

	if (c->s.packet[1] & 1) {
		refuse(c, ILLEGAL_REQUEST, ASC_INVALID_FIELD);
		return;
	}
	memset(p, 0, 36);
	memcpy(p,
	       "\x05\x80\0\x21\x1f\0\0\0"
	       "UNDERV  "
	       "UNDERVISOR CDROM"
	       "1.0 ",
	       36);
	reply(c, 36, c->s.packet[4]);
}

static void msf(u8 *p, u32 lba)
{
	lba += 150;
	p[0] = 0;
	p[1] = (u8)(lba / 75 / 60);
	p[2] = (u8)(lba / 75 % 60);
	p[3] = (u8)(lba % 75);
}

static void toc_entry(u8 *p, u8 track, u32 lba, bool in_msf)
{
	p[0] = 0;
	p[1] = 0x14; /* a data track */
	p[2] = track;
	p[3] = 0;
	if (in_msf)
		msf(p + 4, lba);
	else
		put_be(p + 4, 4, lba);
}

/* READ TOC: format 0 is the tracks, 1 the sessions. */
static void read_toc(struct ata_channel *c)
{
	const u8 *cdb = c->s.packet;
	bool in_msf = cdb[1] & 2;
	unsigned format = cdb[9] >> 6 ? cdb[9] >> 6 : cdb[2] & 15, first = cdb[6], n = 4;
	u8 *p = c->s.buffer;

	if (format > 1 || (format == 0 && first > 1 && first != 0xaa)) {
		refuse(c, ILLEGAL_REQUEST, ASC_INVALID_FIELD);
		return;
	}
	if (format == 1 || first <= 1) {
		toc_entry(p + n, 1, 0, in_msf);
		n += 8;
	}
	if (format == 0) {
		toc_entry(p + n, 0xaa, sectors(ata_selected(c)), in_msf);
		n += 8;
	}
	put_be(p, 2, n - 2);
	p[2] = p[3] = 1;
	reply(c, n, be(cdb + 7, 2));
}

static bool is_dvd(const struct ata_drive *d) { return sectors(d) > 80 * 60 * 75; }

/* GET CONFIGURATION: profile list, core, removable medium. */
static void get_configuration(struct ata_channel *c)
{
	static const u8 features[] = {
		0, 0, 3, 8, 0,    0x10, 0, 0, 0, 0x08, 0, 0, /* DVD-ROM, CD-ROM */
		0, 1, 3, 4, 0,    0,    0, 2,                /* core: ATAPI */
		0, 3, 3, 4, 0x29, 0,    0, 0,                /* tray, can be locked and ejected */
	};
	const struct ata_drive *d = ata_selected(c);
	u8 *p = c->s.buffer;

	if (c->s.packet[1] & 3) {
		refuse(c, ILLEGAL_REQUEST, ASC_INVALID_FIELD);
		return;
	}
	memset(p, 0, 8);
	memcpy(p + 8, features, sizeof features);
	put_be(p, 4, 4 + sizeof features);
	if (has_medium(d)) {
		p[7] = is_dvd(d) ? 0x10 : 0x08;
		p[8 + 6] = is_dvd(d);
		p[8 + 10] = !is_dvd(d);
	}
	reply(c, 8 + sizeof features, be(c->s.packet + 7, 2));
}

/* GET EVENT STATUS NOTIFICATION: polled; the media class says whether a medium is there. */
static void get_event(struct ata_channel *c)
{
	u8 *p = c->s.buffer;

	if (!(c->s.packet[1] & 1)) {
		refuse(c, ILLEGAL_REQUEST, ASC_INVALID_FIELD);
		return;
	}
	memset(p, 0, 8);
	p[3] = 0x10; /* media events are supported */
	if (!(c->s.packet[4] & 0x10)) {
		p[1] = 2;
		p[2] = 0x80; /* no event of the classes that were asked for */
		reply(c, 4, be(c->s.packet + 7, 2));
		return;
	}
	p[1] = 6;
	p[2] = 4;
	p[5] = has_medium(ata_selected(c)) ? 2 : ata_selected(c)->s.ejected;
	reply(c, 8, be(c->s.packet + 7, 2));
}

static void mode_sense(struct ata_channel *c, bool ten)
{
	const u8 *cdb = c->s.packet;
	unsigned page = cdb[2] & 0x3f, head = ten ? 8 : 4;
	u8 *p = c->s.buffer;
	u32 n = head;

	memset(p, 0, 64);
	if (cdb[2] >> 6 == 3 || (page != 0x01 && page != 0x2a && page != 0x3f)) {
		refuse(c, ILLEGAL_REQUEST, cdb[2] >> 6 == 3 ? 0x39 : ASC_INVALID_FIELD);
		return;
	}
	if (page != 0x2a) { /* error recovery */
		p[n] = 0x01;
		p[n + 1] = 6;
		p[n + 3] = 5; /* retries */
		n += 8;
	}
	if (page != 0x01) { /* capabilities */
		p[n] = 0x2a;
		p[n + 1] = 0x12;
		p[n + 2] = 0x3b; /* reads CD-R, CD-RW, DVD */
		p[n + 4] = 0x70;
		p[n + 6] = (u8)(0x29 | (ata_selected(c)->s.locked ? 2 : 0)); /* tray, eject, lock */
		put_be(p + n + 8, 2, 706 * 4);                               /* speed, KB/s */
		put_be(p + n + 12, 2, 512);                                  /* buffer, KB */
		put_be(p + n + 14, 2, 706 * 4);
		n += 20;
	}
	if (ten)
		put_be(p, 2, n - 2);
	else
		p[0] = (u8)(n - 1);
	p[ten ? 2 : 1] = has_medium(ata_selected(c)) ? 0x01 : 0x70;
	reply(c, n, ten ? be(cdb + 7, 2) : cdb[4]);
}

static void disc_information(struct ata_channel *c)
{
	static const u8 info[34] = {0, 32, 0x0e, 1, 1, 1, 1, 0x20};

	memcpy(c->s.buffer, info, sizeof info);
	reply(c, sizeof info, be(c->s.packet + 7, 2));
}

static void start_stop(struct ata_channel *c)
{
	struct ata_drive_state *d = &ata_selected(c)->s;
	bool load_eject = c->s.packet[4] & 2, start = c->s.packet[4] & 1;

	if (load_eject && !start && d->locked) {
		refuse(c, has_medium(ata_selected(c)) ? ILLEGAL_REQUEST : NOT_READY, ASC_REMOVAL_PREVENTED);
		return;
	}
	if (load_eject)
		d->ejected = !start;
	done(c);
}

static void read_capacity(struct ata_channel *c)
{
	put_be(c->s.buffer, 4, sectors(ata_selected(c)) - 1);
	put_be(c->s.buffer + 4, 4, SECTOR);
	reply(c, 8, 8);
}

/* READ CD: user data of mode 1 sectors, or nothing. */
static void read_cd(struct ata_channel *c)
{
	const u8 *cdb = c->s.packet;

	if (cdb[10] & 7 || (cdb[9] & 0xf8 && (cdb[9] & 0xf8) != 0x10))
		refuse(c, ILLEGAL_REQUEST, ASC_INVALID_FIELD);
	else
		read_sectors(c, be(cdb + 2, 4), cdb[9] & 0xf8 ? be(cdb + 6, 3) : 0);
}

/* ---- which command ---- */

enum { NEEDS_MEDIUM = 1 };

static void mode_sense_6(struct ata_channel *c) { mode_sense(c, false); }
static void mode_sense_10(struct ata_channel *c) { mode_sense(c, true); }
static void read_10(struct ata_channel *c) { read_sectors(c, be(c->s.packet + 2, 4), be(c->s.packet + 7, 2)); }
static void read_12(struct ata_channel *c) { read_sectors(c, be(c->s.packet + 2, 4), be(c->s.packet + 6, 4)); }
static void prevent(struct ata_channel *c)
{
	ata_selected(c)->s.locked = c->s.packet[4] & 1;
	done(c);
}
static void mechanism_status(struct ata_channel *c)
{
	memset(c->s.buffer, 0, 8);
	c->s.buffer[5] = 1;
	reply(c, 8, be(c->s.packet + 8, 2));
}

static const struct {
	u8 code, flags;
	void (*run)(struct ata_channel *c);
} commands[] = {
	{0x00, NEEDS_MEDIUM, done}, /* TEST UNIT READY */
	{0x03, 0, request_sense},
	{0x12, 0, inquiry},
	{0x1a, 0, mode_sense_6},
	{0x1b, 0, start_stop},
	{0x1e, 0, prevent},
	{0x25, NEEDS_MEDIUM, read_capacity},
	{0x28, NEEDS_MEDIUM, read_10},
	{0x2b, NEEDS_MEDIUM, done}, /* SEEK */
	{0x43, NEEDS_MEDIUM, read_toc},
	{0x46, 0, get_configuration},
	{0x4a, 0, get_event},
	{0x51, NEEDS_MEDIUM, disc_information},
	{0x5a, 0, mode_sense_10},
	{0xa8, NEEDS_MEDIUM, read_12},
	{0xbb, 0, done}, /* SET CD SPEED */
	{0xbd, 0, mechanism_status},
	{0xbe, NEEDS_MEDIUM, read_cd},
};

static void run_packet(struct ata_channel *c)
{
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
		if (commands[i].code != c->s.packet[0])
			continue;
		if (commands[i].flags & NEEDS_MEDIUM && !has_medium(ata_selected(c)))
			refuse(c, NOT_READY, ASC_NO_MEDIUM);
		else
			commands[i].run(c);
		return;
	}
	refuse(c, ILLEGAL_REQUEST, ASC_INVALID_COMMAND);
}

/* ---- the ATA side ---- */

void atapi_identify(const struct ata_drive *d, u8 *page)
{
	u8 mode = d->s.dma_mode;

	memset(page, 0, DISK_SECTOR);
	store_le(page, 2, 0x85c0); /* CD-ROM, removable, DRQ within 50 us, 12-byte packets */
	ata_string(page, 10, 10, d->serial);
	ata_string(page, 23, 4, "1.0");
	ata_string(page, 27, 20, "UNDERVISOR CD-ROM");
	store_le(page + 49 * 2, 2, 0x0f00);
	store_le(page + 53 * 2, 2, 6);
	store_le(page + 62 * 2, 2, 7);
	store_le(page + 63 * 2, 2, 7 | (mode >> 3 == 4 ? 0x100u << (mode & 7) : 0));
	store_le(page + 64 * 2, 2, 3);
	for (unsigned i = 65; i <= 68; i++)
		store_le(page + i * 2, 2, 120);
	store_le(page + 80 * 2, 2, 0x1e);
	store_le(page + 82 * 2, 2, 0x4210); /* NOP, DEVICE RESET, PACKET */
	store_le(page + 83 * 2, 2, 0x4000);
	store_le(page + 84 * 2, 2, 0x4000);
	store_le(page + 85 * 2, 2, 0x4210);
	store_le(page + 87 * 2, 2, 0x4000);
	store_le(page + 88 * 2, 2, 0x3f | (mode >> 3 == 8 ? 0x100u << (mode & 7) : 0));
	store_le(page + 93 * 2, 2, 0x4000 | 0x2000 | 1);
}

void atapi_command(struct ata_channel *c, u8 command)
{
	struct ata_drive_state *d = &ata_selected(c)->s;

	c->s.left = c->s.writes = c->s.packet_stage = 0;
	switch (command) {
	case 0xa0:
		c->s.packet_stage = 1;
		c->s.packet_dma = d->feature & 1 && c->dma;
		reason(c, REASON_COMMAND);
		ata_data_out(c, ATA_PACKET, false);
		break;
	case 0xa1: ata_busy(c, COMMAND_NS); break;
	case 0xec: /* IDENTIFY DEVICE: the signature tells (9.12) */
		d->count = d->lba[0] = 1;
		d->lba[1] = 0x14;
		d->lba[2] = 0xeb;
		ata_abort(c, ATA_ABRT);
		break;
	case 0xef:
		if (d->feature == 3 && (d->count >> 3 == 4 || d->count >> 3 == 8))
			d->dma_mode = d->count;
		if (d->feature == 3)
			ata_finish(c);
		else
			ata_abort(c, ATA_ABRT);
		break;
	case 0xe5:
		d->count = 0xff;
		ata_finish(c);
		break;
	case 0xe0:
	case 0xe1:
	case 0xe2:
	case 0xe3: ata_finish(c); break;
	default: ata_abort(c, ATA_ABRT);
	}
}

void atapi_continue(struct ata_channel *c)
{
	if (c->s.packet_stage == 0) { /* IDENTIFY PACKET DEVICE */
		atapi_identify(ata_selected(c), c->s.buffer);
		c->s.block = DISK_SECTOR;
		ata_data_in(c, DISK_SECTOR, true);
	} else if (c->s.packet_stage == 1) {
		c->s.packet_stage = 2;
		run_packet(c);
	} else if (c->s.pos < c->s.block || (c->s.left && atapi_fill(c))) {
		offer(c);
	} else if (c->s.phase == ATA_BUSY) {
		atapi_finish(c);
	}
}

void atapi_data(struct ata_channel *c)
{
	if (c->s.packet_stage == 0) {
		c->s.phase = ATA_IDLE;
		ata_selected(c)->s.status = ATA_DRDY | ATA_DSC;
	} else if (c->s.packet_stage == 1) {
		memcpy(c->s.packet, c->s.buffer, ATA_PACKET);
		ata_busy(c, COMMAND_NS);
	} else {
		ata_busy(c, SECTOR_NS);
	}
}
