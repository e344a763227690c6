/* See fdc.h. */
#include "devices/fdc.h"

enum { REG_SRA, REG_SRB, REG_DOR, REG_TAPE, REG_STATUS, REG_DATA };
enum { DOR_RUN = 4, DOR_IRQ = 8 };
enum { MSR_RQM = 0x80, MSR_DIO = 0x40, MSR_BUSY = 0x10 };
enum {
	ST0_ABNORMAL = 0x40,
	ST0_INVALID = 0x80,
	ST0_POLLED = 0xc0,
	ST0_SEEK_END = 0x20,
	ST0_EQUIPMENT = 0x10,
	ST0_NOT_READY = 8
};

const struct field fdc_fields[FDC_FIELDS] = {
	FIELD_HEX(struct fdc_state, dor),          FIELD_HEX(struct fdc_state, tape),
	FIELD_HEX(struct fdc_state, rate),         FIELD_DEC(struct fdc_state, pos),
	FIELD_DEC(struct fdc_state, len),          FIELD_DEC(struct fdc_state, in_result),
	FIELD_DEC(struct fdc_state, sense),        FIELD_HEX(struct fdc_state, st0),
	FIELD_ARRAY(struct fdc_state, cylinder),   FIELD_ARRAY(struct fdc_state, config),
	FIELD_DEC(struct fdc_state, locked),       FIELD_HEX(struct fdc_state, perpendicular),
	FIELD_ARRAY(struct fdc_state, specify),    FIELD_BYTES(struct fdc_state, fifo),
	FIELD_(struct fdc_state, pad, FMT_PAD, 0),
};

/* ---- commands ---- */

static void interrupt(struct fdc *f) { irq_set(&f->irq, f->s.dor & DOR_IRQ); }

/* n bytes of the fifo are the answer; 0: none. */
static void result(struct fdc *f, u8 n)
{
	f->s.in_result = n != 0;
	f->s.pos = 0;
	f->s.len = n;
}

static void invalid(struct fdc *f)
{
	f->s.fifo[0] = ST0_INVALID;
	result(f, 1);
}

/* READ, WRITE, FORMAT, READ ID and their kin: there is no drive. */
static void no_drive(struct fdc *f)
{
	u8 unit = f->s.fifo[1] & 7, chrn[4] = {f->s.fifo[2], f->s.fifo[3], f->s.fifo[4], f->s.fifo[5]};

	f->s.fifo[0] = ST0_ABNORMAL | ST0_NOT_READY | unit;
	f->s.fifo[1] = f->s.fifo[2] = 0;
	memcpy(f->s.fifo + 3, chrn, 4);
	result(f, 7);
	interrupt(f);
}

static void specify(struct fdc *f)
{
	memcpy(f->s.specify, f->s.fifo + 1, 2);
	result(f, 0);
}

static void drive_status(struct fdc *f)
{
	f->s.fifo[0] = f->s.fifo[1] & 7;
	result(f, 1);
}

static void sought(struct fdc *f, u8 st0)
{
	f->s.st0 = st0;
	f->s.sense = 1;
	result(f, 0);
	interrupt(f);
}

/* Track 0 is never seen. */
static void recalibrate(struct fdc *f)
{
	f->s.cylinder[f->s.fifo[1] & 3] = 0;
	sought(f, ST0_ABNORMAL | ST0_SEEK_END | ST0_EQUIPMENT | (f->s.fifo[1] & 3));
}

static void seek(struct fdc *f)
{
	f->s.cylinder[f->s.fifo[1] & 3] = f->s.fifo[2];
	sought(f, ST0_SEEK_END | (f->s.fifo[1] & 7));
}

/* After a reset there is one for each of four drives (4.5 of the data sheet). */
static void sense_interrupt(struct fdc *f)
{
	if (!f->s.sense) {
		invalid(f);
		return;
	}
	f->s.fifo[0] = f->s.st0 == ST0_POLLED ? (u8)(ST0_POLLED | (4 - f->s.sense)) : f->s.st0;
	f->s.fifo[1] = f->s.cylinder[f->s.fifo[0] & 3];
	f->s.sense--;
	irq_set(&f->irq, false);
	result(f, 2);
}

static void dump_registers(struct fdc *f)
{
	memcpy(f->s.fifo, f->s.cylinder, 4);
	memcpy(f->s.fifo + 4, f->s.specify, 2);
	f->s.fifo[6] = 0;
	f->s.fifo[7] = (u8)(f->s.locked << 7 | f->s.perpendicular);
	memcpy(f->s.fifo + 8, f->s.config + 1, 2);
	result(f, 10);
}

static void configure(struct fdc *f)
{
	memcpy(f->s.config, f->s.fifo + 1, 3);
	result(f, 0);
}

static void perpendicular(struct fdc *f)
{
	f->s.perpendicular = f->s.fifo[1] & 0x3f;
	result(f, 0);
}

static void lock(struct fdc *f)
{
	f->s.locked = f->s.fifo[0] >> 7;
	f->s.fifo[0] = (u8)(f->s.locked << 4);
	result(f, 1);
}

static void version(struct fdc *f)
{
	f->s.fifo[0] = 0x90;
	result(f, 1);
}

static void part_id(struct fdc *f)
{
	f->s.fifo[0] = 0x01; /* 82078 */
	result(f, 1);
}

static const struct {
	u8 code, mask, bytes; /* the command's, its first included */
	void (*run)(struct fdc *f);
} commands[] = {
	{0x06, 0x1f, 9, no_drive}, /* READ DATA */
	{0x0c, 0x1f, 9, no_drive}, /* READ DELETED DATA */
	{0x05, 0x3f, 9, no_drive}, /* WRITE DATA */
	{0x09, 0x3f, 9, no_drive}, /* WRITE DELETED DATA */
	{0x02, 0x9f, 9, no_drive}, /* READ TRACK */
	{0x16, 0x1f, 9, no_drive}, /* VERIFY */
	{0x0d, 0xbf, 6, no_drive}, /* FORMAT TRACK */
	{0x0a, 0xbf, 2, no_drive}, /* READ ID */
	{0x07, 0xff, 2, recalibrate},   {0x08, 0xff, 1, sense_interrupt},
	{0x03, 0xff, 3, specify},       {0x04, 0xff, 2, drive_status},
	{0x0f, 0xff, 3, seek},          {0x13, 0xff, 4, configure},
	{0x12, 0xff, 2, perpendicular}, {0x0e, 0xff, 1, dump_registers},
	{0x10, 0xff, 1, version},       {0x18, 0xff, 1, part_id},
	{0x14, 0x7f, 1, lock},
};

static void data_write(struct fdc *f, u8 val)
{
	struct fdc_state *s = &f->s;

	if (!(s->dor & DOR_RUN) || s->in_result)
		return;
	if (s->pos == 0)
		memset(s->fifo, 0, sizeof s->fifo);
	s->fifo[s->pos++ % sizeof s->fifo] = val;
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
		if ((s->fifo[0] & commands[i].mask) != commands[i].code)
			continue;
		if (s->pos >= commands[i].bytes)
			commands[i].run(f);
		return;
	}
	invalid(f);
}

static u8 data_read(struct fdc *f)
{
	u8 val;

	if (!f->s.in_result)
		return 0;
	val = f->s.fifo[f->s.pos++ % sizeof f->s.fifo];
	irq_set(&f->irq, f->irq.level && f->s.sense); /* the first byte of a result ends its interrupt */
	if (f->s.pos >= f->s.len)
		result(f, 0);
	return val;
}

/* ---- registers ---- */

static void controller_reset(struct fdc *f)
{
	f->s.pos = f->s.len = f->s.in_result = f->s.sense = 0;
	memset(f->s.cylinder, 0, sizeof f->s.cylinder);
	if (!f->s.locked)
		memset(f->s.config, 0, sizeof f->s.config);
	irq_set(&f->irq, false);
}

static void dor_write(struct fdc *f, u8 val)
{
	u8 was = f->s.dor;

	f->s.dor = val;
	if (!(val & DOR_RUN)) {
		controller_reset(f);
	} else if (!(was & DOR_RUN)) {
		f->s.st0 = ST0_POLLED;
		f->s.sense = 4;
		interrupt(f);
	}
}

static u64 fdc_peek(const void *dev, u64 off, unsigned size)
{
	const struct fdc_state *s = &((const struct fdc *)dev)->s;

	(void)size;
	switch (off) {
	case REG_DOR: return s->dor;
	case REG_TAPE: return s->tape;
	case REG_STATUS:
		if (!(s->dor & DOR_RUN))
			return 0;
		return MSR_RQM | (s->in_result ? MSR_DIO : 0u) | (s->in_result || s->pos ? MSR_BUSY : 0u);
	case REG_DATA: return s->in_result ? s->fifo[s->pos % sizeof s->fifo] : 0;
	default: return 0xff; /* SRA, SRB are not of this mode */
	}
}

static u64 fdc_read(void *dev, u64 off, unsigned size)
{
	return off == REG_DATA ? data_read(dev) : fdc_peek(dev, off, size);
}

static void fdc_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct fdc *f = dev;

	(void)size;
	switch (off) {
	case REG_DOR: dor_write(f, (u8)val); break;
	case REG_TAPE: f->s.tape = val & 3; break;
	case REG_STATUS: /* data rate select; bit 7 resets and ends by itself */
		f->s.rate = val & 0x7f;
		if (val & 0x80) {
			u8 dor = f->s.dor;

			dor_write(f, dor & (u8)~DOR_RUN);
			dor_write(f, dor);
		}
		break;
	case REG_DATA: data_write(f, (u8)val); break;
	default: break;
	}
}

/* Digital input: the disk was changed, as there is none; writes select the data rate. */
static u64 dir_peek(const void *dev, u64 off, unsigned size)
{
	(void)dev, (void)off, (void)size;
	return 0x80;
}
static u64 dir_read(void *dev, u64 off, unsigned size) { return dir_peek(dev, off, size); }
static void dir_write(void *dev, u64 off, unsigned size, u64 val)
{
	(void)off, (void)size;
	((struct fdc *)dev)->s.rate = val & 3;
}

const struct region_ops fdc_ops = {"fdc", fdc_read, fdc_write, fdc_peek, 1, 1};
const struct region_ops fdc_dir_ops = {"fdc-input", dir_read, dir_write, dir_peek, 1, 1};

void fdc_reset(struct fdc *f)
{
	f->s = (struct fdc_state){0};
	irq_set(&f->irq, false);
}

void fdc_init(struct fdc *f) { *f = (struct fdc){0}; }
