/*
 * The commands of an ATA disk: sectors by PIO and DMA with 28 and 48 bits of address or CHS, IDENTIFY, features, flush.
 * ATA/ATAPI-6 chapter 8.
 */
#include "devices/ata.h"

#define COMMAND_NS 2000
#define SECTOR_NS  500 /* more for each sector */
#define LBA28      (1u << 28)
#define MULTIPLE   16u

enum { LBA = 0x40 };

/* How a transfer command is done. */
enum { T_WRITE = 1, T_EXT = 2, T_DMA = 4, T_MULTIPLE = 8, T_VERIFY = 16 };

static const struct {
	u8 command, how;
} transfers[] = {
	{0x20, 0},
	{0x21, 0},
	{0x24, T_EXT},
	{0x25, T_EXT | T_DMA},
	{0x29, T_EXT | T_MULTIPLE},
	{0x30, T_WRITE},
	{0x31, T_WRITE},
	{0x34, T_WRITE | T_EXT},
	{0x35, T_WRITE | T_EXT | T_DMA},
	{0x39, T_WRITE | T_EXT | T_MULTIPLE},
	{0x40, T_VERIFY},
	{0x41, T_VERIFY},
	{0x42, T_VERIFY | T_EXT},
	{0xc4, T_MULTIPLE},
	{0xc5, T_WRITE | T_MULTIPLE},
	{0xc8, T_DMA},
	{0xc9, T_DMA},
	{0xca, T_WRITE | T_DMA},
	{0xcb, T_WRITE | T_DMA},
};

/* ---- addresses ---- */

static u32 count_of(const struct ata_drive_state *d, bool ext)
{
	u32 n = ext ? d->hob_count << 8 | d->count : d->count;

	return n ? n : ext ? 65536 : 256;
}

/* 6.2: CHS with the geometry that the host has set. Sector 0 does not exist. */
static u64 lba_of(const struct ata_drive_state *d, bool ext)
{
	u32 low = d->lba[0] | d->lba[1] << 8 | (u32)d->lba[2] << 16;

	if (ext)
		return low | (u64)(d->hob_lba[0] | d->hob_lba[1] << 8 | (u32)d->hob_lba[2] << 16) << 24;
	if (d->device & LBA)
		return low | (u64)(d->device & 15) << 24;
	if (!d->lba[0])
		return ~0ull;
	return ((u64)(d->lba[1] | d->lba[2] << 8) * d->heads + (d->device & 15)) * d->sectors + d->lba[0] - 1;
}

static void lba_show(struct ata_drive_state *d, u64 lba, bool ext)
{
	if (!ext && !(d->device & LBA)) {
		u64 track = lba / (d->sectors ? d->sectors : 1), cylinder = track / (d->heads ? d->heads : 1);

		d->lba[0] = (u8)(lba % (d->sectors ? d->sectors : 1) + 1);
		d->lba[1] = (u8)cylinder;
		d->lba[2] = (u8)(cylinder >> 8);
		d->device = (u8)((d->device & 0xf0) | (track % (d->heads ? d->heads : 1) & 15));
		return;
	}
	for (unsigned i = 0; i < 3; i++) {
		d->lba[i] = (u8)(lba >> i * 8);
		if (ext)
			d->hob_lba[i] = (u8)(lba >> (24 + i * 8));
	}
	if (!ext)
		d->device = (u8)((d->device & 0xf0) | (lba >> 24 & 15));
}

/* ---- sectors ---- */

/* The registers name the sector that failed. */
static bool fail(struct ata_channel *c, u8 error)
{
	lba_show(&ata_selected(c)->s, c->s.lba, c->s.ext);
	ata_abort(c, error);
	return false;
}

static u32 next_sectors(const struct ata_channel *c, u32 max) { return c->s.left < max ? c->s.left : max; }

static bool fill(struct ata_channel *c, u32 max)
{
	u32 n = next_sectors(c, max);

	if (!disk_read(ata_selected(c)->disk, c->s.lba * DISK_SECTOR, c->s.buffer, n * DISK_SECTOR))
		return fail(c, ATA_UNC);
	c->s.lba += n;
	c->s.left -= n;
	c->s.pos = 0;
	c->s.end = n * DISK_SECTOR;
	return true;
}

bool ata_disk_fill(struct ata_channel *c) { return fill(c, ATA_BUFFER / DISK_SECTOR); }

bool ata_disk_drain(struct ata_channel *c)
{
	struct ata_drive *d = ata_selected(c);
	u32 n = c->s.end / DISK_SECTOR;

	if (!disk_write(d->disk, c->s.lba * DISK_SECTOR, c->s.buffer, c->s.end) ||
	    (d->s.no_write_cache && c->s.left == n && !disk_flush(d->disk)))
		return fail(c, ATA_ABRT);
	c->s.lba += n;
	c->s.left -= n;
	c->s.pos = c->s.end = 0;
	return true;
}

static void out_block(struct ata_channel *c, bool interrupt)
{
	ata_data_out(c, next_sectors(c, c->s.block) * DISK_SECTOR, interrupt);
}

/* A READ or WRITE begins: the range is checked whole. */
static void transfer(struct ata_channel *c, u8 how)
{
	struct ata_drive *d = ata_selected(c);
	u32 n = count_of(&d->s, how & T_EXT);

	c->s.ext = (how & T_EXT) != 0;
	c->s.writes = (how & T_WRITE) != 0;
	c->s.lba = lba_of(&d->s, c->s.ext);
	if (how & T_MULTIPLE && !d->s.multiple) {
		ata_abort(c, ATA_ABRT);
		return;
	}
	if (c->s.lba >= disk_sectors(d->disk) || n > disk_sectors(d->disk) - c->s.lba) {
		fail(c, ATA_IDNF);
		return;
	}
	c->s.left = n;
	c->s.pos = c->s.end = 0;
	c->s.block = how & T_MULTIPLE ? d->s.multiple : 1;
	if (how & T_DMA && !c->dma) {
		ata_abort(c, ATA_ABRT);
	} else if (how & T_DMA) {
		c->s.phase = ATA_DMA;
		d->s.status = ATA_DRDY | ATA_DSC | ATA_DRQ;
		if (c->s.bm_status & 1) /* the bus master waits already */
			ata_dma_ready(c);
	} else if (how & T_WRITE) {
		out_block(c, false);
	} else {
		ata_busy(c, COMMAND_NS + (how & T_VERIFY ? n : c->s.block) * SECTOR_NS);
	}
}

static int transfer_of(u8 command)
{
	for (unsigned i = 0; i < ARRAY_SIZE(transfers); i++)
		if (transfers[i].command == command)
			return transfers[i].how;
	return -1;
}

/* ---- IDENTIFY DEVICE (8.15) ---- */

static void word(u8 *page, unsigned n, u32 val) { store_le(page + n * 2, 2, val); }

static void identify_geometry(const struct ata_drive *d, u8 *page)
{
	u64 sectors = disk_sectors(d->disk), cylinders = sectors / (16 * 63), now;

	cylinders = cylinders < 16383 ? cylinders : 16383;
	now = d->s.heads && d->s.sectors ? sectors / (d->s.heads * d->s.sectors) : 0;
	now = now < 65535 ? now : 65535;
	word(page, 1, (u32)cylinders);
	word(page, 3, 16);
	word(page, 6, 63);
	word(page, 54, (u32)now);
	word(page, 55, d->s.heads);
	word(page, 56, d->s.sectors);
	store_le(page + 57 * 2, 4, now * d->s.heads * d->s.sectors);
	store_le(page + 60 * 2, 4, sectors < LBA28 ? sectors : LBA28 - 1);
	store_le(page + 100 * 2, 8, sectors);
}

static void identify_modes(const struct ata_drive *d, u8 *page)
{
	u8 mode = d->s.dma_mode;

	word(page, 49, 0x0f00); /* LBA, DMA, IORDY */
	word(page, 51, 0x200);
	word(page, 52, 0x200);
	word(page, 53, 7); /* words 54-58, 64-70, 88 are valid */
	word(page, 62, 7);
	word(page, 63, 7 | (mode >> 3 == 4 ? 0x100u << (mode & 7) : 0));
	word(page, 64, 3);
	for (unsigned i = 65; i <= 68; i++)
		word(page, i, 120); /* ns */
	word(page, 88, 0x3f | (mode >> 3 == 8 ? 0x100u << (mode & 7) : 0));
	word(page, 93, 0x4000 | 0x2000 | 1); /* 80-wire cable */
}

void ata_identify_disk(const struct ata_drive *d, u8 *page)
{
	memset(page, 0, DISK_SECTOR);
	word(page, 0, 0x0040);
	ata_string(page, 10, 10, d->serial);
	ata_string(page, 23, 4, "1.0");
	ata_string(page, 27, 20, "UNDERVISOR HARDDISK");
	word(page, 47, 0x8000 | MULTIPLE);
	word(page, 48, 1); /* 32-bit data port */
	word(page, 59, d->s.multiple ? 0x100u | d->s.multiple : 0);
	word(page, 80, 0xf0); /* ATA-4 to ATA-7 */
	word(page, 81, 0x16);
	word(page, 82, 0x4020); /* NOP, write cache */
	word(page, 83, 0x7400); /* FLUSH CACHE (EXT), LBA48 */
	word(page, 84, 0x4000);
	word(page, 85, 0x4000 | (d->s.no_write_cache ? 0 : 0x20));
	word(page, 86, 0x3400);
	word(page, 87, 0x4000);
	identify_geometry(d, page);
	identify_modes(d, page);
}

/* ---- other commands ---- */

/* 8.46 */
static void set_features(struct ata_channel *c)
{
	struct ata_drive *d = ata_selected(c);

	switch (d->s.feature) {
	case 0x02: d->s.no_write_cache = 0; break;
	case 0x82:
		d->s.no_write_cache = 1;
		if (!disk_flush(d->disk)) {
			ata_abort(c, ATA_ABRT);
			return;
		}
		break;
	case 0x03:
		if (d->s.count >> 3 == 4 || d->s.count >> 3 == 8)
			d->s.dma_mode = d->s.count;
		break;
	case 0x05: /* power management, look-ahead, reverting to defaults: nothing to do */
	case 0x85:
	case 0x55:
	case 0xaa:
	case 0x66:
	case 0xcc:
	case 0x42:
	case 0xc2: break;
	default: ata_abort(c, ATA_ABRT); return;
	}
	ata_finish(c);
}

/* 8.16 of ATA-3: the translation that CHS addresses use */
static void set_geometry(struct ata_channel *c)
{
	struct ata_drive_state *d = &ata_selected(c)->s;

	if (!d->count) {
		ata_abort(c, ATA_ABRT);
		return;
	}
	d->heads = (u8)((d->device & 15) + 1);
	d->sectors = d->count;
	ata_finish(c);
}

static void set_multiple(struct ata_channel *c)
{
	struct ata_drive_state *d = &ata_selected(c)->s;

	if (d->count > MULTIPLE || (d->count && !is_pow2(d->count))) {
		ata_abort(c, ATA_ABRT);
		return;
	}
	d->multiple = d->count;
	ata_finish(c);
}

static void native_max(struct ata_channel *c, bool ext)
{
	struct ata_drive *d = ata_selected(c);
	u64 last = disk_sectors(d->disk) - 1;

	d->s.device |= LBA;
	lba_show(&d->s, !ext && last >= LBA28 ? LBA28 - 1 : last, ext);
	ata_finish(c);
}

void ata_disk_command(struct ata_channel *c, u8 command)
{
	int how = transfer_of(command);

	c->s.left = 0;
	if (how >= 0) {
		transfer(c, (u8)how);
		return;
	}
	switch (command) {
	case 0xec: /* IDENTIFY DEVICE */
	case 0xe7: /* FLUSH CACHE, and EXT */
	case 0xea: ata_busy(c, COMMAND_NS); break;
	case 0xa1: /* IDENTIFY PACKET DEVICE: the signature says that this is none */
		ata_selected(c)->s.lba[1] = ata_selected(c)->s.lba[2] = 0;
		ata_abort(c, ATA_ABRT);
		break;
	case 0xef: set_features(c); break;
	case 0x91: set_geometry(c); break;
	case 0xc6: set_multiple(c); break;
	case 0xf8: native_max(c, false); break;
	case 0x27: native_max(c, true); break;
	case 0xe5: /* CHECK POWER MODE: active */
	case 0x98:
		ata_selected(c)->s.count = 0xff;
		ata_finish(c);
		break;
	case 0x70: /* SEEK, IDLE, STANDBY, SLEEP and their old codes */
	case 0x94:
	case 0x95:
	case 0x96:
	case 0x97:
	case 0xe0:
	case 0xe1:
	case 0xe2:
	case 0xe3: ata_finish(c); break;
	default:
		if ((command & 0xf0) == 0x10) /* RECALIBRATE */
			ata_finish(c);
		else
			ata_abort(c, ATA_ABRT);
	}
}

/* ---- later ---- */

static void verify(struct ata_channel *c)
{
	while (c->s.left)
		if (!ata_disk_fill(c))
			return;
	ata_finish(c);
}

void ata_disk_continue(struct ata_channel *c)
{
	struct ata_drive *d = ata_selected(c);
	int how = transfer_of(c->s.command);

	if (c->s.command == 0xec) {
		ata_identify_disk(d, c->s.buffer);
		ata_data_in(c, DISK_SECTOR, true);
	} else if (c->s.command == 0xe7 || c->s.command == 0xea) {
		if (disk_flush(d->disk))
			ata_finish(c);
		else
			ata_abort(c, ATA_ABRT);
	} else if (how >= 0 && how & T_VERIFY) {
		verify(c);
	} else if (c->s.writes) {
		if (!ata_disk_drain(c))
			return;
		if (c->s.left)
			out_block(c, true);
		else
			ata_finish(c);
	} else if (fill(c, c->s.block)) {
		ata_data_in(c, c->s.end, true);
	}
}

/* The last block of a read ends without an interrupt (9.5). */
void ata_disk_data(struct ata_channel *c)
{
	if (c->s.phase == ATA_DATA_OUT || c->s.left) {
		ata_busy(c, COMMAND_NS + c->s.block * SECTOR_NS);
		return;
	}
	c->s.phase = ATA_IDLE;
	c->s.pos = c->s.end = 0;
	ata_selected(c)->s.status = ATA_DRDY | ATA_DSC;
}
