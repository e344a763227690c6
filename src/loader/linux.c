/* See linux.h. Section numbers do not exist in boot.rst: field names of its table "The Real-Mode Kernel Header" are
 * used. */
#include "loader/linux.h"

#include <stdlib.h>

/* Offsets in the setup header, which is also at these offsets of the zero page. */
enum {
	SETUP_SECTS = 0x1f1,
	SYSSIZE = 0x1f4,
	BOOT_FLAG = 0x1fe,
	JUMP = 0x200, /* its second byte tells where the header ends */
	MAGIC = 0x202,
	VERSION = 0x206,
	TYPE_OF_LOADER = 0x210,
	LOADFLAGS = 0x211,
	CODE32_START = 0x214,
	RAMDISK_IMAGE = 0x218,
	RAMDISK_SIZE = 0x21c,
	HEAP_END_PTR = 0x224,
	CMD_LINE_PTR = 0x228,
	INITRD_ADDR_MAX = 0x22c,
	KERNEL_ALIGNMENT = 0x230,
	RELOCATABLE = 0x234,
	XLOADFLAGS = 0x236,
	CMDLINE_SIZE = 0x238,
	PREF_ADDRESS = 0x258,
	INIT_SIZE = 0x260,
	HEADER_END = 0x264
};
enum { LOADED_HIGH = 1, CAN_USE_HEAP = 0x80, XLF_KERNEL_64 = 1 };
enum { LOADER_OTHER = 0xff };              /* a loader without a number of its own */
enum { SETUP_HEAP_END = 0x10000 - 0x200 }; /* the setup part, its heap and its stack share this segment */

/* The zero page (zero-page.rst). */
enum {
	ZP_VIDEO_PAGE = 0x04,
	ZP_VIDEO_MODE = 0x06,
	ZP_VIDEO_COLS = 0x07,
	ZP_VIDEO_LINES = 0x0e,
	ZP_VIDEO_VGA = 0x0f,
	ZP_VIDEO_POINTS = 0x10,
	ZP_ACPI_RSDP = 0x70,
	ZP_ALT_MEM_K = 0x1e0,
	ZP_E820_ENTRIES = 0x1e8,
	ZP_HEADER_MAX = 0x290,
	ZP_E820_TABLE = 0x2d0,
	ZP_E820_MAX = 128
};

static u32 get(const struct linux_image *img, unsigned off, unsigned size)
{
	return (u32)load_le(img->setup + off, size);
}

bool linux_is(const u8 *data, size_t size)
{
	return size >= HEADER_END && load_le(data + BOOT_FLAG, 2) == 0xaa55 && !memcmp(data + MAGIC, "HdrS", 4);
}

/* ---- the parts of the file ---- */

static bool find_parts(struct linux_image *img, size_t size, struct error *err)
{
	unsigned version, sects;
	u64 code;

	img->setup = img->file;
	version = get(img, VERSION, 2);
	if (version < 0x206)
		return error_set(err,
				 "%s: offset 0x206: Linux boot protocol %u.%02u, expected 2.06 or newer (Linux 2.6.22)",
				 img->name, version >> 8, version & 0xff);
	if (!(get(img, LOADFLAGS, 1) & LOADED_HIGH))
		return error_set(err, "%s: offset 0x211: a zImage for low memory, expected a bzImage", img->name);
	sects = get(img, SETUP_SECTS, 1);
	img->setup_size = ((sects ? sects : 4) + 1) * 512;
	code = (u64)get(img, SYSSIZE, 4) * 16;
	/* syssize counts 16-byte units; the last one may be cut short. */
	if (size <= img->setup_size || size - img->setup_size + 15 < code)
		return error_set(err, "%s: the file ends at 0x%zx, expected %zu bytes of setup and 0x%llx of kernel",
				 img->name, size, img->setup_size, (unsigned long long)code);
	img->kernel = img->file + img->setup_size;
	img->kernel_size = size - img->setup_size;
	img->entry64 = version >= 0x20c && get(img, XLOADFLAGS, 2) & XLF_KERNEL_64;
	return true;
}

/* Where the kernel unpacks itself: from its load address, raised to the preferred one, on. */
static bool find_room(struct linux_image *img, const struct boot_options *opt, struct error *err)
{
	u64 pref = LINUX_KERNEL_ADDR, size = img->kernel_size * 3; /* old kernels do not say: a guess */
	const struct mem_range *r;

	if (get(img, VERSION, 2) >= 0x20a) {
		pref = load_le(img->setup + PREF_ADDRESS, 8);
		size = get(img, INIT_SIZE, 4);
	}
	if (pref < LINUX_KERNEL_ADDR)
		pref = LINUX_KERNEL_ADDR;
	if (size < img->kernel_size)
		size = img->kernel_size;
	img->init_base = pref;
	img->init_size = (u32)size;
	r = mem_map_ram(opt->map, pref);
	if (!r || size > r->size - (pref - r->base))
		return error_set(err, "%s: needs memory up to %llu MB to unpack itself, expected a larger -m",
				 img->name, (unsigned long long)((pref + size + 0xfffff) >> 20));
	return true;
}

static bool check_cmdline(struct linux_image *img, const struct boot_options *opt, struct error *err)
{
	u32 limit = get(img, CMDLINE_SIZE, 4);

	img->cmdline = opt->append ? opt->append : "";
	img->cmdline_size = strlen(img->cmdline) + 1;
	if (img->cmdline_size - 1 > limit)
		return error_set(err, "-append: %zu characters, expected at most the %u that %s takes",
				 img->cmdline_size - 1, limit, img->name);
	return true;
}

/* ---- initrd ---- */

static bool place_initrd(struct linux_image *img, const struct boot_options *opt, struct error *err)
{
	const struct mem_range *r = mem_map_ram(opt->map, img->init_base);
	u64 max = (u64)get(img, INITRD_ADDR_MAX, 4) + 1, low = img->init_base + img->init_size;
	u64 top = r->base + r->size < max ? r->base + r->size : max, at;

	at = top < img->initrd_size ? 0 : (top - img->initrd_size) & PAGE_MASK;
	if (at < low)
		return error_set(
			err,
			"-initrd: %s has %zu bytes, expected at most %llu: the memory between the kernel's %llu MB "
			"and %llu MB",
			opt->initrd, img->initrd_size, (unsigned long long)(top > low ? top - low : 0),
			(unsigned long long)(low >> 20), (unsigned long long)(top >> 20));
	img->initrd_addr = (u32)at;
	return true;
}

static bool read_initrd(struct linux_image *img, const struct boot_options *opt, struct error *err)
{
	if (!opt->initrd || !*opt->initrd)
		return true;
	if (!boot_read_file(opt->initrd, &img->initrd, &img->initrd_size, err))
		return false;
	if (!img->initrd_size)
		return error_set(err, "-initrd: %s is empty", opt->initrd);
	return place_initrd(img, opt, err);
}

static void fill_header(struct linux_image *img)
{
	u8 *s = img->setup;

	s[TYPE_OF_LOADER] = LOADER_OTHER;
	s[LOADFLAGS] |= CAN_USE_HEAP;
	store_le(s + HEAP_END_PTR, 2, SETUP_HEAP_END - 0x200);
	store_le(s + CMD_LINE_PTR, 4, LINUX_CMDLINE_ADDR);
	store_le(s + CODE32_START, 4, LINUX_KERNEL_ADDR);
	store_le(s + RAMDISK_IMAGE, 4, img->initrd_addr);
	store_le(s + RAMDISK_SIZE, 4, img->initrd_size);
}

bool linux_image_open(struct linux_image *img, const struct boot_options *opt, u8 *file, size_t size, struct error *err)
{
	*img = (struct linux_image){.name = opt->kernel, .file = file};
	if (!find_parts(img, size, err) || !find_room(img, opt, err) || !check_cmdline(img, opt, err) ||
	    !read_initrd(img, opt, err)) {
		linux_image_close(img);
		return false;
	}
	fill_header(img);
	return true;
}

void linux_image_close(struct linux_image *img)
{
	free(img->file);
	free(img->initrd);
	memset(img, 0, sizeof *img);
}

/* ---- direct boot ---- */

static void put_e820(u8 *zp, const struct mem_map *map)
{
	unsigned n = map->count < ZP_E820_MAX ? map->count : ZP_E820_MAX;

	zp[ZP_E820_ENTRIES] = (u8)n;
	for (unsigned i = 0; i < n; i++) {
		u8 *e = zp + ZP_E820_TABLE + i * 20;

		store_le(e, 8, map->range[i].base);
		store_le(e + 8, 8, map->range[i].size);
		store_le(e + 16, 4, map->range[i].type);
	}
}

/* The text screen that a VGA BIOS would have left. */
static void put_screen(u8 *zp)
{
	zp[ZP_VIDEO_PAGE] = 0;
	zp[ZP_VIDEO_MODE] = 3;
	zp[ZP_VIDEO_COLS] = 80;
	zp[ZP_VIDEO_LINES] = 25;
	zp[ZP_VIDEO_VGA] = 1;
	zp[ZP_VIDEO_POINTS] = 16;
}

static void make_zero_page(const struct linux_image *img, const struct boot_options *opt, u64 cmdline, u8 *zp)
{
	unsigned end = MAGIC + img->setup[JUMP + 1] < ZP_HEADER_MAX ? MAGIC + img->setup[JUMP + 1] : ZP_HEADER_MAX;
	const struct mem_range *high = mem_map_ram(opt->map, LINUX_KERNEL_ADDR);

	memset(zp, 0, PAGE_SIZE);
	memcpy(zp + SETUP_SECTS, img->setup + SETUP_SECTS, end - SETUP_SECTS);
	store_le(zp + CMD_LINE_PTR, 4, cmdline);
	store_le(zp + ZP_ACPI_RSDP, 8, opt->rsdp);
	store_le(zp + ZP_ALT_MEM_K, 4, high ? (high->base + high->size - LINUX_KERNEL_ADDR) >> 10 : 0);
	put_e820(zp, opt->map);
	if (opt->vga)
		put_screen(zp);
}

/* Zero page and command line below 640 KB, kernel and initrd at their places. */
static bool load_parts(struct boot *b, const struct linux_image *img, u64 *zero_page, struct error *err)
{
	u8 zp[PAGE_SIZE];
	u64 cmdline;

	if (!boot_load(b, LINUX_KERNEL_ADDR, img->kernel, img->kernel_size, img->kernel_size, err) ||
	    !boot_place(b, LINUX_SETUP_ADDR, PAGE_SIZE, PAGE_SIZE, "boot parameters", zero_page, err) ||
	    !boot_place(b, LINUX_CMDLINE_ADDR, img->cmdline_size, 16, "command line", &cmdline, err) ||
	    !boot_claim(b, img->initrd_addr, img->initrd_size, "initrd", err))
		return false;
	make_zero_page(img, b->opt, cmdline, zp);
	space_write_bytes(b->mem, *zero_page, zp, sizeof zp);
	space_write_bytes(b->mem, cmdline, img->cmdline, img->cmdline_size);
	space_write_bytes(b->mem, img->initrd_addr, img->initrd, img->initrd_size);
	return true;
}

static bool load(struct space *mem, const struct boot_options *opt, const struct linux_image *img,
		 struct boot_state *st, struct error *err)
{
	/* boot.rst, "32-bit Boot Protocol" and "64-bit": __BOOT_CS is 10h, __BOOT_DS 18h; RSI is the zero page. */
	static const u64 gdt32[] = {0, 0, BOOT_GDT_CODE32, BOOT_GDT_DATA};
	static const u64 gdt64[] = {0, 0, BOOT_GDT_CODE64, BOOT_GDT_DATA};
	struct boot b = {.mem = mem, .opt = opt, .name = img->name, .kernel_base = ~0ull};
	bool entry64 = img->entry64 && opt->long_mode;
	u64 ip = LINUX_KERNEL_ADDR + (entry64 ? 0x200 : 0), zero_page;

	if (!load_parts(&b, img, &zero_page, err) || !boot_enter(&b, entry64, ip, st, err) ||
	    !boot_gdt(&b, entry64 ? gdt64 : gdt32, ARRAY_SIZE(gdt32), st, err))
		return false;
	st->cs = 0x10;
	st->ds = 0x18;
	st->esi = (u32)zero_page;
	return true;
}

bool linux_load(struct space *mem, const struct boot_options *opt, u8 *file, size_t size, struct boot_state *st,
		struct error *err)
{
	struct linux_image img;
	bool ok = linux_image_open(&img, opt, file, size, err) && load(mem, opt, &img, st, err);

	linux_image_close(&img);
	return ok;
}
