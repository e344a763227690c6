/*
 * See ata.h. The channel: registers, selection, resets, the data port, and what commands have in common. Like on QEMU
 * both drives keep what is written to the registers, and a channel without drives reads as 0. ATA-6 5.x (registers),
 * 9.2 (software reset), 9.12 (signatures).
 */
#include "devices/ata.h"

enum { REG_DATA, REG_ERROR, REG_COUNT, REG_LBA0, REG_LBA1, REG_LBA2, REG_DEVICE, REG_STATUS };
enum { CTL_NIEN = 2, CTL_SRST = 4, CTL_HOB = 0x80 };
enum { DEV_UNIT = 0x10, DEV_FIXED = 0xa0 };
enum { CMD_DEVICE_RESET = 0x08, CMD_DIAGNOSTIC = 0x90 };

#define COMMAND_NS 2000 /* how long a drive is busy with what takes no mechanics */

#define DRIVE(m)   FIELD_HEX(struct ata_drive_state, m)
#define CHANNEL(m) FIELD_HEX(struct ata_channel_state, m)

const struct field ata_drive_fields[ATA_DRIVE_FIELDS] = {
	DRIVE(feature),
	DRIVE(count),
	FIELD_ARRAY(struct ata_drive_state, lba),
	DRIVE(hob_feature),
	DRIVE(hob_count),
	FIELD_ARRAY(struct ata_drive_state, hob_lba),
	DRIVE(device),
	DRIVE(status),
	DRIVE(error),
	DRIVE(multiple),
	DRIVE(dma_mode),
	DRIVE(no_write_cache),
	DRIVE(sense),
	DRIVE(asc),
	DRIVE(ascq),
	DRIVE(ejected),
	DRIVE(locked),
	FIELD_ARRAY(struct ata_drive_state, pad),
	{"geometry", offsetof(struct ata_drive_state, heads), 1, 2, FMT_HEX, 0},
};

const struct field ata_channel_fields[ATA_CHANNEL_FIELDS] = {
	CHANNEL(lba),
	CHANNEL(left),
	CHANNEL(pos),
	CHANNEL(end),
	CHANNEL(block),
	CHANNEL(unit),
	CHANNEL(control),
	CHANNEL(command),
	CHANNEL(phase),
	CHANNEL(writes),
	CHANNEL(ext),
	{"packet_mode", offsetof(struct ata_channel_state, packet_stage), 1, 2, FMT_HEX, 0},
	CHANNEL(intrq),
	CHANNEL(bm_command),
	CHANNEL(bm_status),
	FIELD_(struct ata_channel_state, pad, FMT_PAD, 0),
	CHANNEL(bm_table),
	FIELD_BYTES(struct ata_channel_state, packet),
	{"buffer", offsetof(struct ata_channel_state, buffer), 1024, ATA_BUFFER / 1024, FMT_BYTES, 0},
};

/* ---- interrupt and time ---- */

static void line_follow(struct ata_channel *c)
{
	bool up = c->s.intrq && !(c->s.control & CTL_NIEN), was = c->irq.level;

	irq_set(&c->irq, up);
	if (up && !was && c->raised)
		c->raised(c->arg);
}

void ata_interrupt(struct ata_channel *c)
{
	c->s.intrq = 1;
	line_follow(c);
}

void ata_busy(struct ata_channel *c, u64 ns)
{
	c->s.phase = ATA_BUSY;
	ata_selected(c)->s.status = ATA_BSY | ATA_DSC;
	timer_arm(&c->timer, c->sched->now + ns);
}

static void fire(void *arg, u64 now)
{
	struct ata_channel *c = arg;

	(void)now;
	if (c->s.phase == ATA_DMA)
		c->dma(c->arg);
	else if (c->s.phase == ATA_BUSY && ata_selected(c)->kind == ATA_CD)
		atapi_continue(c);
	else if (c->s.phase == ATA_BUSY)
		ata_disk_continue(c);
}

/* ---- the end of commands ---- */

static void end(struct ata_channel *c, u8 status, u8 error)
{
	c->s.phase = ATA_IDLE;
	c->s.left = c->s.pos = c->s.end = 0;
	ata_selected(c)->s.status = status;
	ata_selected(c)->s.error = error;
	ata_interrupt(c);
}

void ata_finish(struct ata_channel *c) { end(c, ATA_DRDY | ATA_DSC, 0); }
void ata_abort(struct ata_channel *c, u8 error) { end(c, ATA_DRDY | ATA_DSC | ATA_ERR, error); }

static void data_ready(struct ata_channel *c, enum ata_phase phase, u32 n, bool interrupt)
{
	c->s.phase = phase;
	c->s.pos = 0;
	c->s.end = n;
	ata_selected(c)->s.status = ATA_DRDY | ATA_DSC | ATA_DRQ;
	if (interrupt)
		ata_interrupt(c);
}

void ata_data_in(struct ata_channel *c, u32 n, bool interrupt) { data_ready(c, ATA_DATA_IN, n, interrupt); }
void ata_data_out(struct ata_channel *c, u32 n, bool interrupt) { data_ready(c, ATA_DATA_OUT, n, interrupt); }

/* ---- resets ---- */

/* 9.12: what a drive shows after reset tells what it is. */
static void signature(struct ata_drive *d)
{
	static const u8 lba12[][2] = {[ATA_NONE] = {0xff, 0xff}, [ATA_DISK] = {0, 0}, [ATA_CD] = {0x14, 0xeb}};

	d->s.count = d->s.lba[0] = 1;
	d->s.lba[1] = lba12[d->kind][0];
	d->s.lba[2] = lba12[d->kind][1];
	d->s.device &= DEV_UNIT | DEV_FIXED;
	d->s.error = 1; /* diagnostics passed */
	d->s.status = d->kind == ATA_DISK ? ATA_DRDY | ATA_DSC : 0;
}

static void stop(struct ata_channel *c)
{
	timer_cancel(&c->timer);
	c->s.phase = ATA_IDLE;
	c->s.left = c->s.pos = c->s.end = 0;
	c->s.intrq = 0;
	line_follow(c);
}

static void soft_reset(struct ata_channel *c)
{
	stop(c);
	c->s.unit = 0;
	for (unsigned i = 0; i < 2; i++) {
		c->drive[i].s.device = (u8)(DEV_FIXED | (i ? DEV_UNIT : 0));
		c->drive[i].s.multiple = 0;
		signature(&c->drive[i]);
	}
}

void ata_reset(struct ata_channel *c)
{
	for (unsigned i = 0; i < 2; i++)
		c->drive[i].s = (struct ata_drive_state){.heads = 16, .sectors = 63, .dma_mode = 0x42};
	memset(&c->s, 0, sizeof c->s);
	soft_reset(c);
}

/* ---- registers ---- */

static bool anybody(const struct ata_channel *c) { return c->drive[0].kind || c->drive[1].kind; }

static u8 register_read(const struct ata_channel *c, unsigned reg)
{
	const struct ata_drive *d = &c->drive[c->s.unit];
	bool hob = c->s.control & CTL_HOB;

	if (!anybody(c))
		return 0;
	switch (reg) {
	case REG_ERROR: return d->kind ? (hob ? d->s.hob_feature : d->s.error) : 0;
	case REG_COUNT: return hob ? d->s.hob_count : d->s.count;
	case REG_LBA0:
	case REG_LBA1:
	case REG_LBA2: return hob ? d->s.hob_lba[reg - REG_LBA0] : d->s.lba[reg - REG_LBA0];
	case REG_DEVICE: return d->s.device;
	case REG_STATUS: return d->kind ? d->s.status : 0;
	default: return 0xff;
	}
}

static void shift(u8 *reg, u8 *before, u8 val)
{
	*before = *reg;
	*reg = val;
}

static void registers_write(struct ata_drive_state *d, unsigned reg, u8 val)
{
	switch (reg) {
	case REG_ERROR: shift(&d->feature, &d->hob_feature, val); break;
	case REG_COUNT: shift(&d->count, &d->hob_count, val); break;
	case REG_LBA0:
	case REG_LBA1:
	case REG_LBA2: shift(&d->lba[reg - REG_LBA0], &d->hob_lba[reg - REG_LBA0], val); break;
	case REG_DEVICE: d->device = (u8)((val & ~DEV_UNIT) | (d->device & DEV_UNIT) | DEV_FIXED); break;
	default: break;
	}
}

/* 9.10: both drives run their diagnostics. */
static void diagnostic(struct ata_channel *c)
{
	soft_reset(c);
	ata_interrupt(c);
}

static void command(struct ata_channel *c, u8 val)
{
	struct ata_drive *d = ata_selected(c);

	if (!d->kind)
		return;
	if (val == CMD_DEVICE_RESET && d->kind == ATA_CD) { /* 8.7: also while busy */
		stop(c);
		signature(d);
		return;
	}
	if (d->s.status & (ATA_BSY | ATA_DRQ))
		return;
	c->s.intrq = 0;
	line_follow(c);
	c->s.command = val;
	d->s.error = 0;
	if (val == CMD_DIAGNOSTIC)
		diagnostic(c);
	else if (d->kind == ATA_CD)
		atapi_command(c, val);
	else
		ata_disk_command(c, val);
}

static void register_write(struct ata_channel *c, unsigned reg, u8 val)
{
	c->s.control &= (u8)~CTL_HOB; /* 5.x: any write to the command block clears HOB */
	if (reg == REG_STATUS) {
		command(c, val);
		return;
	}
	if (ata_selected(c)->kind && ata_selected(c)->s.status & (ATA_BSY | ATA_DRQ))
		return;
	registers_write(&c->drive[0].s, reg, val);
	registers_write(&c->drive[1].s, reg, val);
	if (reg == REG_DEVICE)
		c->s.unit = val & DEV_UNIT ? 1 : 0;
}

/* ---- the data port ---- */

static void data_moved(struct ata_channel *c)
{
	if (c->s.pos < c->s.end)
		return;
	if (ata_selected(c)->kind == ATA_CD)
		atapi_data(c);
	else
		ata_disk_data(c);
}

static u32 data_size(const struct ata_channel *c, unsigned size)
{
	return size < c->s.end - c->s.pos ? size : c->s.end - c->s.pos;
}

static u64 data_peek(const struct ata_channel *c, unsigned size)
{
	if (c->s.phase != ATA_DATA_IN)
		return anybody(c) ? 0 : mask_low(size * 8);
	return load_le(c->s.buffer + c->s.pos, data_size(c, size));
}

static u64 data_read(struct ata_channel *c, unsigned size)
{
	u64 val = data_peek(c, size);

	if (c->s.phase == ATA_DATA_IN) {
		c->s.pos += data_size(c, size);
		data_moved(c);
	}
	return val;
}

static void data_write(struct ata_channel *c, unsigned size, u64 val)
{
	u32 n;

	if (c->s.phase != ATA_DATA_OUT)
		return;
	n = data_size(c, size);
	store_le(c->s.buffer + c->s.pos, n, val);
	c->s.pos += n;
	data_moved(c);
}

/* ---- ports ---- */

static u64 command_peek(const void *dev, u64 off, unsigned size)
{
	u64 val = 0;

	if (off == REG_DATA)
		return data_peek(dev, size);
	for (unsigned i = 0; i < size; i++)
		val |= (u64)register_read(dev, (unsigned)(off + i) & 7) << i * 8;
	return val;
}

static u64 command_read(void *dev, u64 off, unsigned size)
{
	struct ata_channel *c = dev;
	u64 val;

	if (off == REG_DATA)
		return data_read(c, size);
	val = command_peek(c, off, size);
	if (off + size > REG_STATUS && (anybody(c) && ata_selected(c)->kind)) {
		c->s.intrq = 0;
		line_follow(c);
	}
	return val;
}

static void command_write(void *dev, u64 off, unsigned size, u64 val)
{
	if (off == REG_DATA) {
		data_write(dev, size, val);
		return;
	}
	for (unsigned i = 0; i < size; i++)
		register_write(dev, (unsigned)(off + i) & 7, (u8)(val >> i * 8));
}

static u64 control_peek(const void *dev, u64 off, unsigned size)
{
	(void)off, (void)size;
	return register_read(dev, REG_STATUS);
}

static u64 control_read(void *dev, u64 off, unsigned size) { return control_peek(dev, off, size); }

/* 9.2: while SRST is 1 the drives are busy; they show their signatures when it goes. */
static void control_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct ata_channel *c = dev;
	u8 was = c->s.control;

	(void)off, (void)size;
	c->s.control = (u8)val;
	if (val & CTL_SRST && !(was & CTL_SRST)) {
		stop(c);
		for (unsigned i = 0; i < 2; i++)
			c->drive[i].s.status = ATA_BSY | ATA_DSC;
	} else if (was & CTL_SRST && !(val & CTL_SRST)) {
		soft_reset(c);
	}
	line_follow(c);
}

const struct region_ops ata_command_ops = {"ata", command_read, command_write, command_peek, 1, 4};
const struct region_ops ata_control_ops = {"ata-control", control_read, control_write, control_peek, 1, 1};

/* ---- DMA ---- */

bool ata_dma_waits(const struct ata_channel *c) { return c->s.phase == ATA_DMA; }
bool ata_dma_writes(const struct ata_channel *c) { return c->s.writes; }

void ata_dma_ready(struct ata_channel *c) { timer_arm(&c->timer, c->sched->now + COMMAND_NS + c->s.left * 256ull); }

static bool fill(struct ata_channel *c) { return ata_selected(c)->kind == ATA_CD ? atapi_fill(c) : ata_disk_fill(c); }

u32 ata_dma_take(struct ata_channel *c, u32 max, const u8 **data)
{
	u32 n;

	if (c->s.phase != ATA_DMA || (c->s.pos == c->s.end && (!c->s.left || !fill(c))))
		return 0;
	n = max < c->s.end - c->s.pos ? max : c->s.end - c->s.pos;
	*data = c->s.buffer + c->s.pos;
	c->s.pos += n;
	return n;
}

u32 ata_dma_want(struct ata_channel *c, u32 max, u8 **data)
{
	u32 room = c->s.left * DISK_SECTOR;

	if (c->s.phase != ATA_DMA)
		return 0;
	if (c->s.pos == c->s.end) {
		c->s.pos = 0;
		c->s.end = c->s.left > ATA_BUFFER / DISK_SECTOR ? ATA_BUFFER : room;
	}
	*data = c->s.buffer + c->s.pos;
	return max < c->s.end - c->s.pos ? max : c->s.end - c->s.pos;
}

void ata_dma_given(struct ata_channel *c, u32 n)
{
	c->s.pos += n;
	if (c->s.pos == c->s.end)
		ata_disk_drain(c);
}

bool ata_dma_complete(const struct ata_channel *c) { return !c->s.left && c->s.pos == c->s.end; }

void ata_dma_done(struct ata_channel *c)
{
	if (ata_selected(c)->kind == ATA_CD)
		atapi_finish(c);
	else
		ata_finish(c);
}

/* ---- life ---- */

void ata_string(u8 *page, unsigned word, unsigned words, const char *text)
{
	for (unsigned i = 0; i < words * 2; i++)
		page[word * 2 + (i ^ 1)] = *text ? (u8)*text++ : ' ';
}

void ata_init(struct ata_channel *c, struct sched *sched, u32 timer_id)
{
	memset(c, 0, sizeof *c);
	c->sched = sched;
	timer_init(&c->timer, sched, timer_id, fire, c);
}

void ata_attach(struct ata_channel *c, unsigned unit, enum ata_kind kind, struct disk *disk, unsigned n)
{
	struct ata_drive *d = &c->drive[unit];

	d->kind = kind;
	d->disk = disk;
	memcpy(d->serial, "UV00000", 8);
	d->serial[6] = (char)('1' + n);
}

void ata_post_load(struct ata_channel *c) { line_follow(c); }
