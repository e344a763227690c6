/*
 * See sd_card.h. Manual: SD Specifications, Part 1, Physical Layer Simplified Specification 2.00: 4.7 (commands), 4.9 (responses), 4.10
 * (status), 5 (registers). Writing and erasing take no time; nothing is protected by groups or passwords.
 */
#include "devices/sd_card.h"

#include "devices/report.h"

/* 4.8: card states, as CURRENT_STATE shows them. */
enum state { IDLE, READY, IDENT, STBY, TRAN, DATA, RCV, PRG, DIS, INACTIVE };
enum {
	ST_OUT_OF_RANGE = (int)0x80000000, ST_ADDRESS = 0x40000000, ST_BLOCK_LEN = 0x20000000, ST_ERASE_SEQ = 0x10000000, ST_ERASE_PARAM = 0x08000000,
	ST_WP = 0x04000000, ST_ILLEGAL = 0x00400000, ST_ECC = 0x00200000, ST_ERROR = 0x00080000, ST_READY = 0x100, ST_APP = 0x20,
};
#define OCR_VOLTAGES 0x00ff8000u /* 2.7 to 3.6 V */
#define OCR_READY    0x80000000u
#define OCR_CCS      0x40000000u
#define CARD_RCA     0x4567u
#define SC_MAX       (2ull << 30) /* 5.3.2: the largest standard capacity */

const struct field sd_card_fields[SD_CARD_FIELDS] = {
	FIELD_HEX(struct sd_card_state, addr),     FIELD_HEX(struct sd_card_state, status),     FIELD_HEX(struct sd_card_state, erase_from),
	FIELD_HEX(struct sd_card_state, erase_to), FIELD_DEC(struct sd_card_state, blocks),     FIELD_DEC(struct sd_card_state, written),
	FIELD_HEX(struct sd_card_state, rca),      FIELD_DEC(struct sd_card_state, block_len),  FIELD_DEC(struct sd_card_state, pos),
	FIELD_DEC(struct sd_card_state, len),      FIELD_DEC(struct sd_card_state, state),      FIELD_DEC(struct sd_card_state, app),
	FIELD_DEC(struct sd_card_state, powered),  FIELD_DEC(struct sd_card_state, counted),    FIELD_DEC(struct sd_card_state, multiple),
	FIELD_DEC(struct sd_card_state, memory),   FIELD_(struct sd_card_state, pad, FMT_PAD, 0), FIELD_BYTES(struct sd_card_state, buf),
};

static bool high_capacity(const struct sd_card *c) { return c->disk->size > SC_MAX; }

/* ---- registers ---- */

static void big_endian(u8 *p, u64 v, unsigned n)
{
	while (n--)
		*p++ = (u8)(v >> 8 * n);
}

/* 5.2: no manufacturer; the product is ours. */
static void cid(u32 r[4])
{
	r[0] = 0x00000000 | 'U' << 16 | 'V' << 8 | 'S';
	r[1] = (u32)'D' << 24 | 'C' << 16 | 'R' << 8 | 'D';
	r[2] = 0x10000000; /* revision 1.0, serial number */
	r[3] = 0x01000000 | 0x181 << 8 | 1; /* ..., January 2024; stop bit */
}

/* 5.3.2: capacity = (C_SIZE + 1) << (C_SIZE_MULT + 2) blocks. The smallest multiplier; block lengths of 512 or (above 1 GB) 1024. */
static bool csd1_size(u64 size, u32 *bl, u32 *mult, u32 *c_size)
{
	*bl = size > SC_MAX / 2 ? 10 : 9;
	for (*mult = 0; *mult < 8; ++*mult) {
		u64 unit = 1ull << (*bl + *mult + 2), n = size / unit;

		if (size % unit == 0 && n >= 1 && n <= 4096) {
			*c_size = (u32)n - 1;
			return true;
		}
	}
	return false;
}

static bool size_ok(u64 size)
{
	u32 a, b, c;

	return size > SC_MAX ? size % (512u << 10) == 0 && size <= 32ull << 30 : csd1_size(size, &a, &b, &c);
}

/* 5.3.3: high capacity. Fields that software may ignore are as that version fixes them. */
static void csd2(u64 size, u32 r[4])
{
	u32 c_size = (u32)(size / (512u << 10)) - 1;

	r[0] = 0x400e0032; /* version 2, 1 ms, 25 MHz */
	r[1] = 0x5b590000 | c_size >> 16; /* classes 0, 2, 4, 5, 7, 8, 10; 512-byte blocks */
	r[2] = c_size << 16 | 0x7f80;
	r[3] = 0x0a400001;
}

static void csd1(u64 size, u32 r[4])
{
	u32 bl = 9, mult = 0, c_size = 0;

	csd1_size(size, &bl, &mult, &c_size);
	r[0] = 0x00260032;                                  /* version 1, 1.5 ms, 25 MHz */
	r[1] = 0x5b500000 | bl << 16 | c_size >> 2;         /* the same classes */
	r[2] = c_size << 30 | 0x2db40000 | mult << 15 | 0x7f80; /* currents; erase by blocks, sectors of 128 */
	r[3] = 0x08000001 | bl << 22;                       /* write block length */
}

/* 5.6: version 2.00, one and four data lines, erased bytes are 0 */
static const u8 scr[8] = {0x02, 0x05};

/* ---- states ---- */

static void offer(struct sd_card *c, unsigned n)
{
	c->s.pos = 0;
	c->s.len = (u16)n;
	c->s.memory = 0;
	c->s.state = DATA;
}

static bool beyond(const struct sd_card *c, u64 n) { return c->s.addr + n > c->disk->size; }

/* The next block of a read comes into the buffer. False: there is none. */
static bool load_block(struct sd_card *c)
{
	struct sd_card_state *s = &c->s;

	if (beyond(c, s->block_len)) {
		s->status |= (u32)ST_OUT_OF_RANGE;
		return false;
	}
	if (!disk_read(c->disk, s->addr, s->buf, s->block_len)) {
		s->status |= ST_ECC;
		return false;
	}
	s->addr += s->block_len;
	s->pos = 0;
	s->len = s->block_len;
	s->memory = 1;
	return true;
}

static void store_block(struct sd_card *c)
{
	struct sd_card_state *s = &c->s;

	if (beyond(c, s->len))
		s->status |= (u32)ST_OUT_OF_RANGE;
	else if (c->disk->read_only)
		s->status |= ST_WP;
	else if (!disk_write(c->disk, s->addr, s->buf, s->len))
		s->status |= ST_ERROR;
	else
		s->written++;
	s->addr += s->len;
}

/* A block is complete: whether the transfer goes on. */
static bool another(struct sd_card_state *s)
{
	if (!s->memory || !s->multiple)
		return false;
	return !s->counted || --s->blocks;
}

/* The next block of a read is fetched when the host wants it: an open transfer may end right before the card's end. */
bool sd_card_sends(struct sd_card *c)
{
	struct sd_card_state *s = &c->s;

	if (!c->disk || s->state != DATA)
		return false;
	if (s->pos < s->len || (s->memory && load_block(c)))
		return true;
	s->memory = 0; /* waits for CMD12 */
	return false;
}

u8 sd_card_get(struct sd_card *c)
{
	struct sd_card_state *s = &c->s;
	u8 byte;

	if (!sd_card_sends(c))
		return 0;
	byte = s->buf[s->pos++ % SD_BLOCK];
	if (s->pos == s->len && !another(s)) {
		s->state = TRAN;
		s->counted = 0;
	}
	return byte;
}

bool sd_card_takes(const struct sd_card *c) { return c->disk && c->s.state == RCV; }

void sd_card_put(struct sd_card *c, u8 byte)
{
	struct sd_card_state *s = &c->s;

	if (!sd_card_takes(c))
		return;
	s->buf[s->pos++ % SD_BLOCK] = byte;
	if (s->pos < s->len)
		return;
	s->pos = 0;
	if (!s->memory) { /* CMD27, CMD42: taken and forgotten */
		s->state = TRAN;
		return;
	}
	store_block(c);
	if (!another(s)) {
		s->state = TRAN;
		s->counted = 0;
	}
}

/* ---- commands ---- */

struct command {
	u32 arg;
	u32 *r;
};

/* R1: the card status; errors are told once. 4.10.1 */
static enum sd_response r1(struct sd_card *c, u8 state, u32 *r)
{
	struct sd_card_state *s = &c->s;

	r[0] = s->status | (u32)state << 9 | (state == TRAN || state == RCV ? ST_READY : 0u) | (s->app ? ST_APP : 0u);
	s->status = 0;
	return SD_SHORT;
}

/* 4.6.1: the card stays silent, and the next status tells why. */
static enum sd_response illegal(struct sd_card *c)
{
	c->s.status |= ST_ILLEGAL;
	return SD_NONE;
}

static u64 address(const struct sd_card *c, u32 arg) { return high_capacity(c) ? (u64)arg * SD_BLOCK : arg; }

static void begin(struct sd_card *c, u32 arg, bool write, bool multiple)
{
	struct sd_card_state *s = &c->s;

	s->addr = address(c, arg);
	s->multiple = multiple;
	if (!multiple || !s->blocks)
		s->counted = 0;
	if (beyond(c, s->block_len)) {
		s->status |= (u32)(s->addr >= c->disk->size ? ST_OUT_OF_RANGE : ST_ADDRESS);
		return;
	}
	if (write) {
		s->pos = 0;
		s->len = s->block_len;
		s->memory = 1;
		s->written = 0;
		s->state = RCV;
	} else if (load_block(c)) {
		s->state = DATA;
	}
}

static void erase(struct sd_card *c)
{
	static const u8 zeros[SD_BLOCK];
	u64 from = address(c, c->s.erase_from), to = address(c, c->s.erase_to);

	if (from > to || to >= c->disk->size) {
		c->s.status |= (u32)(from > to ? ST_ERASE_PARAM : ST_OUT_OF_RANGE);
		return;
	}
	for (u64 at = from & ~(u64)(SD_BLOCK - 1); at <= to; at += SD_BLOCK)
		if (c->disk->read_only || !disk_write(c->disk, at, zeros, SD_BLOCK)) {
			c->s.status |= c->disk->read_only ? ST_WP : ST_ERROR;
			return;
		}
}

/* 4.3.10: only the functions that every card has; FFh in a group asks for no change. */
static void switch_function(struct sd_card *c, u32 arg)
{
	u8 *p = c->s.buf;

	memset(p, 0, 64);
	p[1] = 1; /* mA */
	for (unsigned group = 0; group < 6; group++) {
		u8 want = arg >> 4 * group & 15, got = want && want != 15 ? 15 : 0;

		p[13 - 2 * group] = 1;
		p[16 - group / 2] |= (u8)(got << 4 * (group & 1));
	}
	offer(c, 64);
}

/* Application commands, after CMD55. 4.7.4 */
static enum sd_response app_command(struct sd_card *c, u8 cmd, u32 arg, u32 *r)
{
	struct sd_card_state *s = &c->s;
	u8 before = s->state;

	if (cmd == 41 && s->state == IDLE) {
		r[0] = OCR_VOLTAGES | OCR_READY | (high_capacity(c) && arg & OCR_CCS ? OCR_CCS : 0);
		if (arg & OCR_VOLTAGES)
			s->state = READY;
		return SD_SHORT;
	}
	if (s->state != TRAN)
		return illegal(c);
	switch (cmd) {
	case 6: /* bus width: nobody sees it */
	case 23: /* blocks to erase before a write: a hint */
	case 42: break; /* pull-up of the card detect line */
	case 13: /* SD status 4.10.2 */
		memset(s->buf, 0, 64);
		offer(c, 64);
		break;
	case 22:
		big_endian(s->buf, s->written, 4);
		offer(c, 4);
		break;
	case 51:
		memcpy(s->buf, scr, sizeof scr);
		offer(c, sizeof scr);
		break;
	default: return illegal(c);
	}
	return r1(c, before, r);
}

/* Commands of the identification phase. 4.2 */
static enum sd_response identify(struct sd_card *c, u8 cmd, u32 arg, u32 *r)
{
	struct sd_card_state *s = &c->s;

	switch (cmd) {
	case 2:
		if (s->state != READY)
			return illegal(c);
		s->state = IDENT;
		cid(r);
		return SD_LONG;
	case 3: /* R6: RCA and some of the status */
		if (s->state != IDENT && s->state != STBY)
			return illegal(c);
		s->rca = CARD_RCA;
		r[0] = (u32)s->rca << 16 | (u32)s->state << 9 | ST_READY;
		s->state = STBY;
		return SD_SHORT;
	case 8: /* 4.3.13: the voltage is right; the check pattern comes back */
		if (s->state != IDLE || (arg >> 8 & 15) != 1)
			return SD_NONE;
		r[0] = arg & 0xfff;
		return SD_SHORT;
	default: /* CMD9, CMD10 */
		if (s->state != STBY || arg >> 16 != s->rca)
			return illegal(c);
		if (cmd == 10)
			cid(r);
		else if (high_capacity(c))
			csd2(c->disk->size, r);
		else
			csd1(c->disk->size, r);
		return SD_LONG;
	}
}

/* CMD7: the card that is called is selected, every other one is not. */
static enum sd_response select_card(struct sd_card *c, u32 arg, u32 *r)
{
	struct sd_card_state *s = &c->s;
	u8 before = s->state;

	if (arg >> 16 != s->rca || !s->rca) {
		if (before == TRAN || before == DATA)
			s->state = STBY;
		return SD_NONE;
	}
	if (before != STBY)
		return illegal(c);
	s->state = TRAN;
	return r1(c, before, r);
}

static enum sd_response set_block_len(struct sd_card *c, u32 arg, u32 *r)
{
	if (arg && arg <= SD_BLOCK)
		c->s.block_len = high_capacity(c) ? SD_BLOCK : (u16)arg;
	else
		c->s.status |= ST_BLOCK_LEN;
	return r1(c, TRAN, r);
}

/* Commands of the transfer state. */
static enum sd_response transfer(struct sd_card *c, u8 cmd, u32 arg, u32 *r)
{
	struct sd_card_state *s = &c->s;

	if (s->state != TRAN)
		return illegal(c);
	switch (cmd) {
	case 6: switch_function(c, arg); break;
	case 16: return set_block_len(c, arg, r);
	case 17:
	case 18: begin(c, arg, false, cmd == 18); break;
	case 23:
		s->blocks = arg & 0xffff;
		s->counted = s->blocks != 0;
		break;
	case 24:
	case 25: begin(c, arg, true, cmd == 25); break;
	case 32: s->erase_from = arg; break;
	case 33: s->erase_to = arg; break;
	case 38: erase(c); break;
	default: return illegal(c);
	}
	return r1(c, TRAN, r);
}

static enum sd_response stop(struct sd_card *c, u32 *r)
{
	u8 before = c->s.state;

	if (before != DATA && before != RCV)
		return illegal(c);
	c->s.state = TRAN;
	c->s.blocks = c->s.counted = 0;
	return r1(c, before, r);
}

static enum sd_response command(struct sd_card *c, u8 cmd, u32 arg, u32 *r)
{
	struct sd_card_state *s = &c->s;

	switch (cmd) {
	case 0: sd_card_reset(c); return SD_NONE;
	case 2:
	case 3:
	case 8:
	case 9:
	case 10: return identify(c, cmd, arg, r);
	case 7: return select_card(c, arg, r);
	case 12: return stop(c, r);
	case 13: return arg >> 16 == s->rca ? r1(c, s->state, r) : SD_NONE;
	case 15:
		if (arg >> 16 == s->rca)
			s->state = INACTIVE;
		return SD_NONE;
	case 55:
		if (arg >> 16 != s->rca)
			return SD_NONE;
		s->app = 1;
		return r1(c, s->state, r);
	default: return transfer(c, cmd, arg, r);
	}
}

enum sd_response sd_card_command(struct sd_card *c, u8 cmd, u32 arg, u32 r[4])
{
	bool app = c->s.app;

	memset(r, 0, 4 * sizeof *r);
	if (!c->disk || c->s.state == INACTIVE)
		return SD_NONE;
	c->s.app = 0;
	return app && cmd != 55 ? app_command(c, cmd, arg, r) : command(c, cmd, arg, r);
}

void sd_card_reset(struct sd_card *c) { c->s = (struct sd_card_state){.block_len = SD_BLOCK, .powered = 1}; }

bool sd_card_init(struct sd_card *c, struct disk *disk, struct error *err)
{
	*c = (struct sd_card){.disk = disk};
	sd_card_reset(c);
	if (disk && !size_ok(disk->size))
		return error_set(err, "%s: no SD card has %llu bytes (expected a power of two, or a multiple of 512 KB up to 32 GB)", disk->path,
				 (unsigned long long)disk->size);
	return true;
}

void sd_card_post_load(struct sd_card *c)
{
	struct sd_card_state *s = &c->s;

	if (!s->block_len || s->block_len > SD_BLOCK)
		s->block_len = SD_BLOCK;
	if (s->len > SD_BLOCK || s->pos > s->len)
		s->len = s->pos = 0;
}
