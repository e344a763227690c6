/*
 * See cfi_flash.h. Manuals: JEDEC JESD68 (common flash interface), Intel 28F128J3 data sheet (commands, status register, query table).
 * Programming and erasing take no virtual time.
 */
#include "devices/cfi_flash.h"

#include "devices/report.h"

enum mode { READ, ID, QUERY, STATUS, PROGRAM, ERASE, BUFFER_COUNT, BUFFER_DATA, BUFFER_CONFIRM, LOCK };
enum { SR_READY = 0x80, SR_ERASE = 0x20, SR_PROGRAM = 0x10, SR_VPP = 0x08, SR_LOCKED = 0x02, SR_SEQUENCE = SR_ERASE | SR_PROGRAM };

const struct field cfi_chip_fields[CFI_CHIP_FIELDS] = {
	FIELD_DEC(struct cfi_chip_state, mode),   FIELD_HEX(struct cfi_chip_state, status), FIELD_DEC(struct cfi_chip_state, count),
	FIELD_DEC(struct cfi_chip_state, filled), FIELD_ARRAY(struct cfi_chip_state, word), FIELD_ARRAY(struct cfi_chip_state, at),
	FIELD_ARRAY(struct cfi_chip_state, locked),
};

/* JESD68 table 1 from 10h on: command set 1 (Intel), voltages 2.7 to 3.6 V, times, geometry, then the extended table at 31h. */
static u8 query(const struct cfi_flash *f, u32 n)
{
	static const u8 table[] = {
		[0x10] = 'Q', 'R', 'Y', 0x01, 0x00, 0x31, 0x00, 0x00, 0x00, 0x00, 0x00, 0x27, 0x36, 0x00, 0x00,
		[0x1f] = 0x07, 0x07, 0x0a, 0x00, 0x04, 0x04, 0x04, 0x00,
		[0x28] = 0x01, 0x00, 0x05, 0x00, 0x01,
		[0x31] = 'P', 'R', 'I', '1', '1',
		[0x36] = 0x0a, 0x00, 0x00, 0x00, 0x01, 0x01, 0x00, 0x33, 0x00, 0x00,
	};
	u32 chip = f->size / CFI_FLASH_CHIPS, blocks = chip / CFI_FLASH_BLOCK - 1;

	switch (n) {
	case 0x27: return (u8)__builtin_ctz(chip);
	case 0x2d: return (u8)blocks;
	case 0x2e: return (u8)(blocks >> 8);
	case 0x2f: return (u8)(CFI_FLASH_BLOCK / 256);
	case 0x30: return (u8)(CFI_FLASH_BLOCK / 256 >> 8);
	default: return n < sizeof table ? table[n] : 0;
	}
}

static u32 block_of(u32 word) { return word / (CFI_FLASH_BLOCK / 2) % CFI_FLASH_BLOCKS; }
static bool is_locked(const struct cfi_flash *f, unsigned n, u32 word)
{
	return f->read_only || f->s.chip[n].locked[block_of(word) / 8] >> block_of(word) % 8 & 1;
}

static u16 identify(const struct cfi_flash *f, unsigned n, u32 word)
{
	switch (word & 0xff) {
	case 0: return 0x89; /* Intel */
	case 1: return 0x18; /* 28F128J3 */
	case 2: return is_locked(f, n, word);
	default: return 0;
	}
}

/* Chip n's 16 bits of the 32-bit word at off. */
static u8 *chip_word(const struct cfi_flash *f, unsigned n, u32 word) { return f->data + (word * 4 + n * 2) % f->size; }

static u16 chip_read(const struct cfi_flash *f, unsigned n, u32 word)
{
	const struct cfi_chip_state *c = &f->s.chip[n];

	switch (c->mode) {
	case READ: return (u16)load_le(chip_word(f, n, word), 2);
	case ID: return identify(f, n, word);
	case QUERY: return query(f, word & 0xff);
	default: return c->status;
	}
}

static void touched(struct cfi_flash *f, u32 off, u32 n)
{
	if (f->touched)
		f->touched(f->arg, off, n);
}

static void fail(struct cfi_chip_state *c, u8 why)
{
	c->status |= why;
	c->mode = STATUS;
}

/* False, and the status says why: why is the operation's bit. */
static bool may_change(struct cfi_flash *f, unsigned n, u32 word, u8 why)
{
	bool locked = is_locked(f, n, word);

	if (!locked && f->vpp)
		return true;
	fail(&f->s.chip[n], why | (locked ? SR_LOCKED : SR_VPP));
	return false;
}

/* Programming clears bits only. */
static void program(struct cfi_flash *f, unsigned n, u32 word, u16 val)
{
	u8 *p = chip_word(f, n, word);

	if (!may_change(f, n, word, SR_PROGRAM))
		return;
	store_le(p, 2, load_le(p, 2) & val);
	touched(f, (u32)(p - f->data), 2);
}

static void erase(struct cfi_flash *f, unsigned n, u32 word)
{
	u32 first = word & ~(CFI_FLASH_BLOCK / 2 - 1);

	if (!may_change(f, n, word, SR_ERASE))
		return;
	for (u32 i = 0; i < CFI_FLASH_BLOCK / 2; i++)
		store_le(chip_word(f, n, first + i), 2, 0xffff);
	touched(f, first * 4 % f->size, CFI_FLASH_BLOCK * CFI_FLASH_CHIPS);
}

static void command(struct cfi_chip_state *c, u16 val, unsigned n)
{
	switch (val & 0xff) {
	case 0x00: /* both chips are driven, this one not meant */
	case 0xff: c->mode = READ; break;
	case 0x90: c->mode = ID; break;
	case 0x98: c->mode = QUERY; break;
	case 0x70: c->mode = STATUS; break;
	case 0x50: c->status = SR_READY; break;
	case 0x10:
	case 0x40: c->mode = PROGRAM; break;
	case 0x20: c->mode = ERASE; break;
	case 0x60: c->mode = LOCK; break;
	case 0xe8:
		c->mode = BUFFER_COUNT;
		c->filled = 0;
		break;
	case 0xf0: /* what drivers try on other makers' chips */
	case 0xaa:
	case 0x55:
	case 0xb0: /* suspend: nothing is under way */
	case 0xd0: break;
	default: device_unimplemented("flash: chip %u, command 0x%02x", n, val & 0xff); break;
	}
}

static void buffer_count(struct cfi_chip_state *c, u16 val)
{
	if (val >= CFI_FLASH_BUFFER / 2) {
		fail(c, SR_SEQUENCE);
		return;
	}
	c->count = (u8)(val + 1);
	c->mode = BUFFER_DATA;
}

static void buffer_data(struct cfi_chip_state *c, u32 word, u16 val)
{
	c->word[c->filled] = val;
	c->at[c->filled++] = word;
	if (c->filled == c->count)
		c->mode = BUFFER_CONFIRM;
}

static void buffer_confirm(struct cfi_flash *f, unsigned n, u16 val)
{
	struct cfi_chip_state *c = &f->s.chip[n];

	if ((val & 0xff) != 0xd0) {
		fail(c, SR_SEQUENCE);
		return;
	}
	for (unsigned i = 0; i < c->filled; i++)
		program(f, n, c->at[i], c->word[i]);
	c->mode = STATUS;
}

/* One block's lock bit is set, or all are cleared. */
static void lock(struct cfi_flash *f, unsigned n, u32 word, u16 val)
{
	struct cfi_chip_state *c = &f->s.chip[n];

	c->mode = STATUS;
	if ((val & 0xff) == 0x01)
		c->locked[block_of(word) / 8] |= (u8)(1u << block_of(word) % 8);
	else if ((val & 0xff) == 0xd0)
		memset(c->locked, 0, sizeof c->locked);
	else
		fail(c, SR_SEQUENCE);
}

static void chip_write(struct cfi_flash *f, unsigned n, u32 word, u16 val)
{
	struct cfi_chip_state *c = &f->s.chip[n];

	switch (c->mode) {
	case PROGRAM:
		program(f, n, word, val);
		c->mode = STATUS;
		break;
	case ERASE:
		if ((val & 0xff) != 0xd0) {
			fail(c, SR_SEQUENCE);
			break;
		}
		erase(f, n, word);
		c->mode = STATUS;
		break;
	case BUFFER_COUNT: buffer_count(c, val); break;
	case BUFFER_DATA: buffer_data(c, word, val); break;
	case BUFFER_CONFIRM: buffer_confirm(f, n, val); break;
	case LOCK: lock(f, n, word, val); break;
	default: command(c, val, n); break;
	}
}

static void show(struct cfi_flash *f)
{
	bool on = f->s.chip[0].mode == READ && f->s.chip[1].mode == READ;

	if (on != f->shown && f->show)
		f->show(f->arg, on);
	f->shown = on;
}

static u64 flash_peek(const void *dev, u64 off, unsigned size)
{
	const struct cfi_flash *f = dev;
	u32 word = (u32)off / 4;
	u32 val = chip_read(f, 0, word) | (u32)chip_read(f, 1, word) << 16;

	(void)size;
	return val >> 8 * (off & 3);
}

static u64 flash_read(void *dev, u64 off, unsigned size) { return flash_peek(dev, off, size); }

/* A byte reaches the chip as a word with the other half zero. */
static void flash_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct cfi_flash *f = dev;
	u32 word = (u32)off / 4;

	if (size == 4) {
		chip_write(f, 0, word, (u16)val);
		chip_write(f, 1, word, (u16)(val >> 16));
	} else {
		chip_write(f, off >> 1 & 1, word, (u16)(val << 8 * (off & 1)));
	}
	show(f);
}

const struct region_ops cfi_flash_ops = {"flash", flash_read, flash_write, flash_peek, 1, 4};

static void chip_reset(struct cfi_chip_state *c)
{
	struct cfi_chip_state was = *c;

	*c = (struct cfi_chip_state){.status = SR_READY};
	memcpy(c->locked, was.locked, sizeof c->locked);
}

void cfi_flash_reset(struct cfi_flash *f)
{
	for (unsigned n = 0; n < CFI_FLASH_CHIPS; n++)
		chip_reset(&f->s.chip[n]);
	show(f);
}

void cfi_flash_init(struct cfi_flash *f, u8 *data, u32 size)
{
	*f = (struct cfi_flash){.data = data, .size = size, .vpp = true, .shown = true};
	cfi_flash_reset(f);
}

void cfi_flash_post_load(struct cfi_flash *f)
{
	for (unsigned n = 0; n < CFI_FLASH_CHIPS; n++) {
		struct cfi_chip_state *c = &f->s.chip[n];

		if (c->mode > LOCK || c->count > CFI_FLASH_BUFFER / 2 || c->filled > c->count ||
		    (c->mode == BUFFER_DATA && c->filled == c->count))
			chip_reset(c);
	}
	show(f);
}
