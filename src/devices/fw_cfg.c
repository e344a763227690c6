/*
 * See fw_cfg.h. Manual: QEMU's docs/specs/fw_cfg. The selector is little-endian, the DMA address register big-endian;
 * data past an item's end reads as zero. A DMA write of an item that cannot be written
 * ends with the error bit.
 */
#include "devices/fw_cfg.h"

#include "devices/report.h"

enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };
enum { ID_TRADITIONAL = 1, ID_DMA = 2 };
#define KEY_WRITE 0x4000 /* the write channel of old; writes are by DMA */

static const char dma_signature[8] = "QEMU CFG";

const struct field fw_cfg_fields[FW_CFG_FIELDS] = {
	FIELD_HEX(struct fw_cfg_state, dma_addr),
	FIELD_DEC(struct fw_cfg_state, offset),
	FIELD_HEX(struct fw_cfg_state, key),
	FIELD_(struct fw_cfg_state, pad, FMT_PAD, 0),
};

static u32 swap32(u32 v) { return __builtin_bswap32(v); }

static void store_be(u8 *p, unsigned n, u64 val)
{
	while (n--) {
		p[n] = (u8)val;
		val >>= 8;
	}
}

static u64 load_be(const u8 *p, unsigned n)
{
	u64 val = 0;

	while (n--)
		val = val << 8 | *p++;
	return val;
}

static struct fw_cfg_item *find(struct fw_cfg *f, u16 key)
{
	for (unsigned i = 0; i < f->items; i++)
		if (f->item[i].key == key)
			return &f->item[i];
	return NULL;
}

static void select_key(struct fw_cfg *f, u16 key)
{
	f->s.key = key;
	f->s.offset = 0;
	f->cur = find(f, key & (u16)~KEY_WRITE);
}

/* The next n bytes of the selected item that exist; moves on. */
static u32 take(struct fw_cfg *f, u32 n, const u8 **data)
{
	u32 left = f->cur && f->s.offset < f->cur->size ? f->cur->size - f->s.offset : 0;

	if (n > left)
		n = left;
	*data = n ? (const u8 *)f->cur->data + f->s.offset : NULL;
	f->s.offset += n;
	return n;
}

static u64 data_peek(const void *dev, u64 off, unsigned size)
{
	const struct fw_cfg *f = dev;

	(void)size;
	if (!(off & 1) || !f->cur || f->s.offset >= f->cur->size)
		return 0;
	return ((const u8 *)f->cur->data)[f->s.offset];
}

static u64 data_read(void *dev, u64 off, unsigned size)
{
	struct fw_cfg *f = dev;
	u64 val = data_peek(f, off, size);

	if (off & 1 && f->cur && f->s.offset < f->cur->size)
		f->s.offset++;
	return val;
}

static void data_write(void *dev, u64 off, unsigned size, u64 val)
{
	if (size == 2 && off == 0)
		select_key(dev, (u16)val);
	else
		device_unimplemented("fw_cfg: %u-byte write of port %03llx", size, 0x510ull + off);
}

/* Clears length bytes of guest memory. */
static void dma_zero(struct fw_cfg *f, u64 addr, u32 length)
{
	static const u8 zero[4096];

	while (length) {
		u32 n = length < sizeof zero ? length : (u32)sizeof zero;

		space_dma_write(f->mem, "fw_cfg", addr, zero, n);
		addr += n;
		length -= n;
	}
}

static void dma_read(struct fw_cfg *f, u64 addr, u32 length)
{
	const u8 *data;
	u32 n = take(f, length, &data);

	if (n)
		space_dma_write(f->mem, "fw_cfg", addr, data, n);
	dma_zero(f, addr + n, length - n);
}

static bool dma_write(struct fw_cfg *f, u64 addr, u32 length)
{
	const struct fw_cfg_item *i = f->cur;

	if (!i || !i->room || f->s.offset || length > i->size)
		return false;
	space_dma_read(f->mem, "fw_cfg", addr, i->room, length);
	f->s.offset = length;
	i->written(i->arg, length);
	return true;
}

/* One transfer: the descriptor at addr is control, length (32 bits each) and address (64 bits), big-endian. */
static void dma_run(struct fw_cfg *f, u64 addr)
{
	u8 d[16];
	u32 control, length, result = 0;
	const u8 *data;

	space_dma_read(f->mem, "fw_cfg", addr, d, sizeof d);
	control = (u32)load_be(d, 4);
	length = (u32)load_be(d + 4, 4);
	if (control & DMA_SELECT)
		select_key(f, (u16)(control >> 16));
	if (control & DMA_READ)
		dma_read(f, load_be(d + 8, 8), length);
	else if (control & DMA_WRITE)
		result = dma_write(f, load_be(d + 8, 8), length) ? 0 : DMA_ERROR;
	else if (control & DMA_SKIP)
		take(f, length, &data);
	store_be(d, 4, result);
	space_dma_write(f->mem, "fw_cfg", addr, d, 4);
}

static u64 dma_peek(const void *dev, u64 off, unsigned size)
{
	u8 reg[16] = {0};

	if (!((const struct fw_cfg *)dev)->mem)
		return mask_low(size * 8);
	memcpy(reg, dma_signature, sizeof dma_signature);
	return load_le(reg + (off & 7), size);
}

static u64 dma_reg_read(void *dev, u64 off, unsigned size) { return dma_peek(dev, off, size); }

/* Writing the low half starts the transfer. */
static void dma_reg_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct fw_cfg *f = dev;
	u64 addr;

	if (!f->mem)
		return;
	if (size == 4 && off == 0) {
		f->s.dma_addr = (u64)swap32((u32)val) << 32;
	} else if (size == 4 && off == 4) {
		addr = f->s.dma_addr | swap32((u32)val);
		f->s.dma_addr = 0;
		dma_run(f, addr);
	} else if (size == 8 && off == 0) {
		f->s.dma_addr = 0;
		dma_run(f, __builtin_bswap64(val));
	} else {
		device_unimplemented("fw_cfg: %u-byte write of the DMA address at offset %llu", size,
				     (unsigned long long)off);
	}
}

const struct region_ops fw_cfg_ops = {"fw_cfg", data_read, data_write, data_peek, 1, 2};
const struct region_ops fw_cfg_dma_ops = {"fw_cfg-dma", dma_reg_read, dma_reg_write, dma_peek, 1, 8};

bool fw_cfg_add_item(struct fw_cfg *f, u16 key, const void *data, u32 size, struct error *err)
{
	struct fw_cfg_item *i = find(f, key);

	if (!i && f->items == FW_CFG_ITEMS)
		return error_set(err, "fw_cfg: no room for item %04x (%u items)", key, FW_CFG_ITEMS);
	if (!i)
		i = &f->item[f->items++];
	*i = (struct fw_cfg_item){.key = key, .size = size, .data = data};
	return true;
}

bool fw_cfg_add_writable(struct fw_cfg *f, u16 key, void *room, u32 size, void (*written)(void *arg, u32 size),
			 void *arg, struct error *err)
{
	struct fw_cfg_item *i;

	if (!fw_cfg_add_item(f, key, room, size, err))
		return false;
	i = find(f, key);
	i->room = room;
	i->written = written;
	i->arg = arg;
	return true;
}

bool fw_cfg_add_file(struct fw_cfg *f, const char *name, const void *data, u32 size, struct error *err)
{
	u8 *row = f->dir + 4 + f->files * 64;
	u16 key = (u16)(FW_CFG_FILE_FIRST + f->files);

	if (strlen(name) >= FW_CFG_NAME)
		return error_set(err, "fw_cfg: file name '%s' is longer than %d bytes", name, FW_CFG_NAME - 1);
	for (unsigned i = 0; i < f->files; i++)
		if (!strcmp((const char *)f->dir + 4 + i * 64 + 8, name))
			return error_set(err, "fw_cfg: file '%s' exists already", name);
	if (f->files == FW_CFG_FILES)
		return error_set(err, "fw_cfg: no room for file '%s' (%d files)", name, FW_CFG_FILES);
	if (!fw_cfg_add_item(f, key, data, size, err))
		return false;
	store_be(row, 4, size);
	store_be(row + 4, 2, key);
	strcpy((char *)row + 8, name);
	store_be(f->dir, 4, ++f->files);
	return fw_cfg_add_item(f, FW_CFG_FILE_DIR, f->dir, 4 + f->files * 64, err);
}

static void add_fixed(struct fw_cfg *f, u64 ram_size, unsigned cpus, unsigned max_cpus)
{
	struct error err;

	store_le(f->fixed.id, 4, ID_TRADITIONAL | (f->mem ? ID_DMA : 0));
	store_le(f->fixed.ram_size, 8, ram_size);
	store_le(f->fixed.cpus, 2, cpus);
	store_le(f->fixed.max_cpus, 2, max_cpus);
	fw_cfg_add_item(f, FW_CFG_SIGNATURE, "QEMU", 4, &err);
	fw_cfg_add_item(f, FW_CFG_ID, f->fixed.id, 4, &err);
	fw_cfg_add_item(f, FW_CFG_RAM_SIZE, f->fixed.ram_size, 8, &err);
	fw_cfg_add_item(f, FW_CFG_NOGRAPHIC, f->fixed.zero, 2, &err);
	fw_cfg_add_item(f, FW_CFG_NB_CPUS, f->fixed.cpus, 2, &err);
	fw_cfg_add_item(f, FW_CFG_BOOT_MENU, f->fixed.zero, 2, &err);
	fw_cfg_add_item(f, FW_CFG_MAX_CPUS, f->fixed.max_cpus, 2, &err);
	fw_cfg_add_item(f, FW_CFG_FILE_DIR, f->dir, 4, &err);
}

void fw_cfg_reset(struct fw_cfg *f)
{
	f->s = (struct fw_cfg_state){0};
	select_key(f, FW_CFG_SIGNATURE);
}

void fw_cfg_init(struct fw_cfg *f, struct space *mem, u64 ram_size, unsigned cpus, unsigned max_cpus)
{
	memset(f, 0, sizeof *f);
	f->mem = mem;
	add_fixed(f, ram_size, cpus, max_cpus);
	fw_cfg_reset(f);
}

void fw_cfg_post_load(struct fw_cfg *f) { f->cur = find(f, f->s.key & (u16)~KEY_WRITE); }
