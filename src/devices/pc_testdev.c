/*
 * See pc_testdev.h. The behaviour that guests see is that of QEMU's hw/misc/pc-testdev.c. There the flush port makes
 * the host drop its mappings of a page, which a guest must not notice; here the board hears the address.
 */
#include "devices/pc_testdev.h"

const struct field pc_testdev_fields[PC_TESTDEV_FIELDS] = {
	FIELD_HEX(struct pc_testdev_state, latch),
	FIELD_(struct pc_testdev_state, pad, FMT_PAD, 0),
	{"mem", offsetof(struct pc_testdev_state, mem), 256, PC_TESTDEV_MEM / 256, FMT_BYTES, 0},
};

static u64 latch_peek(const void *dev, u64 off, unsigned size)
{
	const struct pc_testdev *t = dev;

	return t->s.latch >> (off & 3) * 8 & mask_low(size * 8);
}

static u64 latch_read(void *dev, u64 off, unsigned size) { return latch_peek(dev, off, size); }

static void latch_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct pc_testdev *t = dev;
	u32 mask = (u32)(mask_low(size * 8) << (off & 3) * 8);

	t->s.latch = (t->s.latch & ~mask) | ((u32)(val << (off & 3) * 8) & mask);
}

/* Write-only ports read as nobody there. */
static u64 none_peek(const void *dev, u64 off, unsigned size)
{
	(void)dev, (void)off;
	return mask_low(size * 8);
}

static u64 none_read(void *dev, u64 off, unsigned size) { return none_peek(dev, off, size); }

static void flush_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct pc_testdev *t = dev;

	(void)off, (void)size;
	if (t->flush)
		t->flush(t->flush_arg, val & PAGE_MASK);
}

static void line_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct pc_testdev *t = dev;

	(void)size;
	if (off < PC_TESTDEV_LINES)
		irq_set(&t->line[off], val != 0);
}

static u64 mem_peek(const void *dev, u64 off, unsigned size)
{
	const struct pc_testdev *t = dev;

	return off <= PC_TESTDEV_MEM - size ? load_le(t->s.mem + off, size) : ~0ull;
}

static u64 mem_read(void *dev, u64 off, unsigned size) { return mem_peek(dev, off, size); }

static void mem_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct pc_testdev *t = dev;

	if (off <= PC_TESTDEV_MEM - size)
		store_le(t->s.mem + off, size, val);
}

const struct region_ops pc_testdev_latch_ops = {"pc-testdev", latch_read, latch_write, latch_peek, 1, 4};
const struct region_ops pc_testdev_flush_ops = {"pc-testdev-flush", none_read, flush_write, none_peek, 4, 4};
const struct region_ops pc_testdev_line_ops = {"pc-testdev-irq", none_read, line_write, none_peek, 1, 1};
const struct region_ops pc_testdev_mem_ops = {"pc-testdev-mem", mem_read, mem_write, mem_peek, 1, 8};

void pc_testdev_reset(struct pc_testdev *t)
{
	memset(&t->s, 0, sizeof t->s);
	for (unsigned i = 0; i < PC_TESTDEV_LINES; i++)
		irq_set(&t->line[i], false);
}

void pc_testdev_init(struct pc_testdev *t) { memset(t, 0, sizeof *t); }
