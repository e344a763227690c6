/*
 * Unit tests of the Integrator/CP without its CPU running: where loaders put things (ATAGS, device tree, initrd, ELF), what they refuse, the map's
 * wiring, and what semihosting lets a guest do.
 */
#define _GNU_SOURCE 1
#include "loader/arm_boot.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HAVE_FDT
#include <libfdt.h>
#endif

#define MB (1ull << 20)

static struct icp *b;
static char folder[64], said[512];
static u32 code_word;

static void new_board(struct icp_config cfg)
{
	struct error err = {""};

	cfg.ram_size = cfg.ram_size ? cfg.ram_size : 16 * MB;
	b = aligned_alloc(64, (sizeof *b + 63) & ~(size_t)63);
	ck_assert_ptr_nonnull(b);
	ck_assert_msg(icp_init(b, &cfg, &err), "%s", err.msg);
}

static void setup(void)
{
	strcpy(folder, "/tmp/test_arm_boot.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	new_board((struct icp_config){0});
}

static void teardown(void)
{
	char command[128];

	icp_free(b);
	free(b);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

/* A file in the folder; the name stays until the next four. */
static const char *file(const char *name, const void *data, size_t n)
{
	static char path[4][128];
	static unsigned turn;
	char *p = path[turn++ % 4];
	int fd;

	snprintf(p, sizeof path[0], "%s/%s", folder, name);
	fd = open(p, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, n), (ssize_t)n);
	close(fd);
	return p;
}

static bool load(const struct arm_boot *boot)
{
	struct error err = {""};
	bool ok = arm_boot_load(boot, b, &err);

	snprintf(said, sizeof said, "%s", err.msg);
	return ok;
}

static u32 at(u64 pa) { return (u32)space_peek(&b->mem, pa, 4); }

/* ---- loaders ---- */

START_TEST(atags)
{
	u32 kernel[32] = {0xe1a00000, [9] = 0x016f2818};
	u8 initrd[5000] = {1};
	const struct arm_boot boot = {file("zImage", kernel, sizeof kernel), "console=x", file("initrd", initrd, sizeof initrd), NULL, 0};
	static const u32 want[] = {5, 0x54410001, 1, 4096, 0, 4, 0x54410002, 16 << 20, 0, 4, 0x54420005, 8 << 20, 5000, 5, 0x54410009};

	ck_assert_msg(load(&boot), "%s", said);
	ck_assert_uint_eq(b->cpu.s.r[15], 0x10000);
	ck_assert_uint_eq(b->cpu.s.r[0], 0);
	ck_assert_uint_eq(b->cpu.s.r[1], 275);
	ck_assert_uint_eq(b->cpu.s.r[2], 0x100);
	ck_assert_uint_eq(arm_cpsr(&b->cpu) & 0xff, 0xd3);
	ck_assert_uint_eq(at(0x10024), 0x016f2818);
	for (unsigned i = 0; i < ARRAY_SIZE(want); i++)
		ck_assert_uint_eq(at(0x100 + 4 * i), want[i]);
	ck_assert_uint_eq(at(0x100 + 4 * 15), 'c' | 'o' << 8 | 'n' << 16 | 's' << 24);
	ck_assert_uint_eq(at(0x100 + 4 * 18), 0); /* the end */
	ck_assert_uint_eq(at(8 << 20), 1);
}
END_TEST

/* An Image is known by its first instructions; anything else goes to 10000h. */
START_TEST(places)
{
	u32 image[32] = {0xe10f9000, 0xe321f0d3, 0xee109f10}, raw[4] = {0xe3a00001};
	struct arm_boot boot = {.kernel = file("Image", image, sizeof image)};

	ck_assert(load(&boot));
	ck_assert_uint_eq(b->cpu.s.r[15], 0x8000);
	ck_assert_uint_eq(at(0x8008), 0xee109f10);
	boot.kernel = file("raw", raw, sizeof raw);
	ck_assert(load(&boot));
	ck_assert_uint_eq(b->cpu.s.r[15], 0x10000);
	ck_assert_uint_eq(at(0x10000), 0xe3a00001);
}
END_TEST

static const char *elf(u32 entry, u32 paddr, u16 machine)
{
	static u32 word[32];
	u8 *p = (u8 *)word;

	memset(word, 0, sizeof word);
	memcpy(p, "\x7f" "ELF\1\1\1", 7);
	store_le(p + 16, 2, 2);
	store_le(p + 18, 2, machine);
	store_le(p + 20, 4, 1);
	store_le(p + 24, 4, entry);
	store_le(p + 28, 4, 52);
	store_le(p + 40, 2, 52);
	store_le(p + 42, 2, 32);
	store_le(p + 44, 2, 1);
	word[13] = 1;   /* PT_LOAD */
	word[14] = 84;  /* offset */
	word[15] = word[16] = paddr;
	word[17] = 8;   /* in the file */
	word[18] = 16;  /* in memory */
	word[21] = 0xe3a0002a;
	return file("elf", word, sizeof word);
}

START_TEST(elf_files)
{
	struct arm_boot boot = {.kernel = elf(0x20001, 0x20000, 40)};

	ck_assert_msg(load(&boot), "%s", said);
	ck_assert_uint_eq(b->cpu.s.r[15], 0x20000);
	ck_assert_uint_ne(arm_cpsr(&b->cpu) & PSR_T, 0); /* Thumb */
	ck_assert_uint_eq(at(0x20000), 0xe3a0002a);
	boot.kernel = elf(0x20000, 0x20000, 3);
	ck_assert(!load(&boot));
	ck_assert_ptr_nonnull(strstr(said, "expected 40 (ARM)"));
	boot.kernel = elf(0xc0008000, 0xc0008000, 40);
	ck_assert(!load(&boot));
	ck_assert_ptr_nonnull(strstr(said, "vmlinux"));
	boot = (struct arm_boot){.kernel = elf(0x20000, 0x20000, 40), .initrd = "x"};
	ck_assert(!load(&boot));
	ck_assert_ptr_nonnull(strstr(said, "-initrd goes with a Linux"));
}
END_TEST

START_TEST(too_large)
{
	static u8 big[17 << 20];
	struct arm_boot boot = {.kernel = file("raw", big, sizeof big)};

	ck_assert(!load(&boot));
	ck_assert_ptr_nonnull(strstr(said, "do not fit"));
	boot = (struct arm_boot){.kernel = file("raw", big, 64), .initrd = file("initrd", big, 9 << 20)};
	ck_assert(!load(&boot));
	boot = (struct arm_boot){.kernel = "/nonexistent"};
	ck_assert(!load(&boot));
}
END_TEST

#ifdef HAVE_FDT
static const char *tree(void)
{
	static u8 t[2048];
	const fdt32_t reg[2] = {0, 0};

	ck_assert_int_eq(fdt_create(t, sizeof t), 0);
	fdt_finish_reservemap(t);
	fdt_begin_node(t, "");
	fdt_property_u32(t, "#address-cells", 1);
	fdt_property_u32(t, "#size-cells", 1);
	fdt_begin_node(t, "memory");
	fdt_property_string(t, "device_type", "memory");
	fdt_property(t, "reg", reg, sizeof reg);
	fdt_end_node(t);
	fdt_end_node(t);
	ck_assert_int_eq(fdt_finish(t), 0);
	return file("dtb", t, fdt_totalsize(t));
}

START_TEST(device_tree)
{
	u32 kernel[32] = {0xe1a00000, [9] = 0x016f2818};
	const char *name = file("zImage", kernel, sizeof kernel);
	struct arm_boot boot = {name, "console=ttyAMA0", file("initrd", kernel, sizeof kernel), tree(), 7};
	u8 loaded[4096];
	const fdt32_t *reg;
	int n, chosen;

	ck_assert_msg(load(&boot), "%s", said);
	ck_assert_uint_eq(b->cpu.s.r[2], (8 << 20) + 4096);
	space_read_bytes(&b->mem, b->cpu.s.r[2], loaded, sizeof loaded);
	ck_assert_int_eq(fdt_check_full(loaded, sizeof loaded), 0);
	reg = fdt_getprop(loaded, fdt_path_offset(loaded, "/memory"), "reg", &n);
	ck_assert_int_eq(n, 8);
	ck_assert_uint_eq(fdt32_to_cpu(reg[1]), 16 << 20);
	chosen = fdt_path_offset(loaded, "/chosen");
	ck_assert_str_eq(fdt_getprop(loaded, chosen, "bootargs", NULL), "console=ttyAMA0");
	ck_assert_uint_eq(fdt32_to_cpu(*(const fdt32_t *)fdt_getprop(loaded, chosen, "linux,initrd-start", NULL)), 8 << 20);
	ck_assert_uint_eq(fdt32_to_cpu(*(const fdt32_t *)fdt_getprop(loaded, chosen, "linux,initrd-end", NULL)), (8 << 20) + 128);
	ck_assert_ptr_nonnull(fdt_getprop(loaded, chosen, "rng-seed", &n));
	ck_assert_int_eq(n, 32);
	boot.dtb = file("bad", "not a tree, but long enough to have a header of one", 52);
	ck_assert(!load(&boot));
	ck_assert_ptr_nonnull(strstr(said, "not a device tree"));
}
END_TEST
#endif

/* ---- the board ---- */

START_TEST(map_and_lines)
{
	space_write(&b->mem, 0x80000040, 4, 0x12345678); /* RAM again */
	ck_assert_uint_eq(at(0x40), 0x12345678);
	ck_assert_uint_eq(space_read(&b->mem, 0x12345678, 4), 0); /* nobody; reported */
	ck_assert_uint_eq(space_read(&b->mem, 0x10000000, 4), 0x411a3001);
	space_write(&b->mem, 0xca000010, 4, 1); /* the secondary controller's soft interrupt */
	space_write(&b->mem, 0xca000008, 4, 1);
	ck_assert_uint_eq(space_read(&b->mem, 0x14000004, 4), 1 << 26);
	ck_assert(!b->cpu.s.irq);
	space_write(&b->mem, 0x14000008, 4, 1 << 26);
	ck_assert(b->cpu.s.irq);
	space_write(&b->mem, 0x14000028, 4, 1 << 26);
	ck_assert(b->cpu.s.fiq);
	space_write(&b->mem, 0x1000000c, 4, 8); /* reset */
	ck_assert_int_eq(b->machine.stop, STOP_RESET);
	machine_reset(&b->machine);
	ck_assert(!b->cpu.s.irq && !b->cpu.s.fiq);
	/* 24 bits, then 5:5:5 behind the LCD */
	space_write(&b->mem, 0x1000000c, 4, 0x2004);
	ck_assert(b->lcd.s.pixel_555);
	space_write(&b->mem, 0x24000000, 4, 0x00900090); /* flash: identification */
	ck_assert_uint_eq(space_read(&b->mem, 0x24000000, 4), 0x00890089);
}
END_TEST

static void flash_command(u32 off, u32 first, u32 second)
{
	space_write(&b->mem, 0x24000000 + off, 4, first);
	space_write(&b->mem, 0x24000000 + off, 4, second);
}

/* The CPU at pc, for n instructions. */
static const u32 *run_at(u32 pc, unsigned n)
{
	b->cpu.s.r[15] = pc;
	arm_run(&b->cpu, n);
	return b->cpu.s.r;
}

/* A program that comes out of the flash at 0, goes on where the flash is always, sets REMAP and continues in RAM. */
START_TEST(flash_boot)
{
	static const u32 code[] = {
		0xe51ff004, 0x24000008,             /* ldr pc, =24000008h */
		0xe3a00201, 0xe3a01004, 0xe580100c, /* CM_CTRL = REMAP */
		0xe3a02000, 0xe5923100, 0xe3a04542, /* r3 = [100h], r4 = 10800000h */
		0xe5841200, 0xe5925200,             /* r5 = [200h], which was stored in the SSRAM */
		0xe2847c01, 0xe1a0f007,             /* to 10800100h */
	}, more[] = {0xe2866001, 0xeafffffd}; /* add r6, r6, 1; b . - 4 */
	const char *image;
	struct disk d;
	struct error err;
	u8 *flash = malloc(ICP_FLASH_SIZE);
	const u32 *r;

	ck_assert_ptr_nonnull(flash);
	memset(flash, 0xff, ICP_FLASH_SIZE);
	memcpy(flash, code, sizeof code);
	image = file("flash.img", flash, ICP_FLASH_SIZE);
	free(flash);
	icp_free(b);
	free(b);
	new_board((struct icp_config){.flash = image, .flash_boot = true});
	space_write_bytes(&b->mem, 0x80000100, more, sizeof more);
	ck_assert_uint_eq(at(0), code[0]);
	r = run_at(0, 11 + 100);
	ck_assert_uint_eq(r[3], more[0]);
	ck_assert_uint_eq(r[5], 4);
	ck_assert_uint_eq(r[6], 50);
	ck_assert_uint_eq(at(0x200), 4);
	space_write(&b->mem, 0x100, 4, 0xe2866002); /* add r6, r6, 2: seen in all mirrors */
	ck_assert_uint_eq(run_at(0x10800100, 100)[6], 150);
	ck_assert_uint_eq(run_at(0x80000100, 100)[6], 250);
	ck_assert_uint_eq(run_at(0x100, 100)[6], 350);
	/* Code in the flash that is programmed while it has been decoded: mov r1, 4 becomes mov r1, 0. Without voltage nothing happens. */
	space_write(&b->mem, 0xcb000004, 4, 2);
	flash_command(12, 0x00400040, 0xe3a01000);
	ck_assert_uint_eq(space_read(&b->mem, 0x24000000, 4), 0x00980098);
	space_write(&b->mem, 0xcb000004, 4, 3);
	flash_command(12, 0x00500050, 0x00400040);
	space_write(&b->mem, 0x2400000c, 4, 0xe3a01000);
	ck_assert_uint_eq(space_read(&b->mem, 0x24000000, 4), 0x00800080);
	ck_assert_uint_eq(run_at(0x24000008, 1)[0], 0x10000000); /* reads the status, which is an instruction without effect */
	space_write(&b->mem, 0x24000000, 4, 0x00ff00ff);
	r = run_at(0x24000008, 2);
	ck_assert_uint_eq(r[1], 0);
	machine_reset(&b->machine);
	ck_assert_uint_eq(b->cpu.s.r[15], 0);
	ck_assert_uint_eq(at(0), code[0]); /* and again */
	icp_free(b);
	/* What was programmed is in the file. */
	memset(&d, 0, sizeof d);
	ck_assert_msg(disk_open(&d, image, DISK_READ_ONLY, &err), "%s", err.msg);
	ck_assert(disk_read(&d, 12, &code_word, 4));
	ck_assert_uint_eq(code_word, 0xe3a01000);
	disk_close(&d);
	free(b);
	new_board((struct icp_config){.flash = image, .flash_flags = DISK_READ_ONLY});
	space_write(&b->mem, 0xcb000004, 4, 3);
	flash_command(0, 0x00200020, 0x00d000d0); /* erase: all blocks are locked */
	ck_assert_uint_eq(space_read(&b->mem, 0x24000000, 4), 0x00a200a2);
}
END_TEST

START_TEST(flash_file_size)
{
	struct icp_config cfg = {.ram_size = MB};
	struct error err = {""};
	struct icp *other = aligned_alloc(64, (sizeof *b + 63) & ~(size_t)63);

	cfg.flash = file("small.img", "abc", 3);
	ck_assert(!icp_init(other, &cfg, &err));
	ck_assert_ptr_nonnull(strstr(err.msg, "small.img: 512 bytes, expected 33554432: the size of the flash"));
	icp_free(other);
	free(other);
}
END_TEST

START_TEST(fields)
{
	ck_assert_int_eq(field_gap(icp_fields, icp_fields_n, sizeof(struct icp_state)), -1);
	for (size_t i = 0; i < icp_parts_n; i++)
		for (size_t j = i + 1; j < icp_parts_n; j++)
			ck_assert_uint_ne(icp_parts[i].off, icp_parts[j].off);
}
END_TEST

/* Whatever a guest writes anywhere: no crash, and looking changes nothing. */
START_TEST(random_accesses)
{
	static const u64 base[] = {0x10000000, 0x13000000, 0x14000000, 0x15000000, 0x16000000, 0x17000000, 0x18000000, 0x19000000, 0x1a000000,
				   0x1c000000, 0x1d000000, 0x24000000, 0xc0000000, 0xc8000000, 0xca000000, 0xcb000000, 0x80000000, 0xd0000000};
	u32 *pixels = calloc(PL110_WIDTH_MAX * PL110_HEIGHT_MAX, sizeof *pixels);
	u64 rng = 88172645463325252ull;

	ck_assert_ptr_nonnull(pixels);
	for (unsigned i = 0; i < 100000; i++) {
		struct picture screen = pl110_picture(&b->lcd);
		unsigned size;
		u64 pa;

		rng ^= rng << 13, rng ^= rng >> 7, rng ^= rng << 17;
		size = 1u << (rng >> 8) % 3;
		pa = base[rng % ARRAY_SIZE(base)] + ((rng >> 16) % (rng & 0x80 ? 0x40 : 0x1000) & ~(u64)(size - 1));
		if (rng >> 60 & 1)
			space_write(&b->mem, pa, size, rng >> 28 & (rng & 0x800 ? 0xff : 0xffffffff));
		else
			space_read(&b->mem, pa, size);
		if (i % 64 == 0) {
			b->machine.sched.now += rng >> 44;
			sched_fire(&b->machine.sched);
		}
		if (i % 8192 == 0) {
			u64 hash = icp_hash(b, 0);

			for (unsigned k = 0; k < ARRAY_SIZE(base); k++)
				for (u64 off = 0; off < 0x1000; off += 4)
					space_peek(&b->mem, base[k] + off, 4);
			screen.render(screen.dev, pixels, PL110_WIDTH_MAX);
			ck_assert_uint_eq(hash, icp_hash(b, 0));
		}
	}
	free(pixels);
}
END_TEST

/* ---- semihosting ---- */

/* A call with up to three words of arguments at 1000h. */
static u32 call(u32 number, u32 a0, u32 a1, u32 a2)
{
	space_write(&b->mem, 0x1000, 4, a0);
	space_write(&b->mem, 0x1004, 4, a1);
	space_write(&b->mem, 0x1008, 4, a2);
	b->cpu.s.r[0] = number;
	b->cpu.s.r[1] = 0x1000;
	ck_assert(semihost_do(&b->semihost, &b->cpu, &b->machine));
	return b->cpu.s.r[0];
}

static u32 open_file(const char *name, u32 mode)
{
	space_write_bytes(&b->mem, 0x2000, name, strlen(name) + 1);
	return call(1, 0x2000, mode, (u32)strlen(name));
}

static void with_semihosting(const char *where, FILE *out)
{
	icp_free(b);
	free(b);
	new_board((struct icp_config){.semihost = {.on = true, .folder = where, .cmdline = "n=5", .out = out}});
}

START_TEST(files)
{
	u32 h;

	with_semihosting(folder, NULL);
	h = open_file("new", 6); /* w+ */
	ck_assert_uint_eq(h, 1);
	space_write_bytes(&b->mem, 0x3000, "hello", 5);
	ck_assert_uint_eq(call(5, h, 0x3000, 5), 0);
	ck_assert_uint_eq(call(0x0c, h, 0, 0), 5);
	ck_assert_uint_eq(call(0x0a, h, 1, 0), 0);
	ck_assert_uint_eq(call(6, h, 0x4000, 100), 96); /* not read */
	ck_assert_uint_eq(at(0x4000), 'e' | 'l' << 8 | 'l' << 16 | 'o' << 24);
	ck_assert_uint_eq(call(9, h, 0, 0), 0);
	ck_assert_uint_eq(call(2, h, 0, 0), 0);
	ck_assert_uint_eq(call(2, h, 0, 0), ~0u);
	ck_assert_uint_eq(call(0x0e, 0x2000, 3, 0), 0);
	ck_assert_uint_eq(open_file("new", 0), ~0u);
	ck_assert_uint_eq(call(0x13, 0, 0, 0), 2); /* ENOENT */
}
END_TEST

/* Nothing outside of the folder: parents, absolute paths, links; and nothing at all without one. */
START_TEST(sandbox)
{
	char path[128];

	with_semihosting(folder, NULL);
	snprintf(path, sizeof path, "%s/link", folder);
	ck_assert_int_eq(symlink("/etc/passwd", path), 0);
	ck_assert_uint_eq(open_file("../../etc/passwd", 0), ~0u);
	ck_assert_uint_eq(open_file("/etc/passwd", 0), ~0u);
	ck_assert_uint_eq(open_file("link", 0), ~0u);
	snprintf(path, sizeof path, "%s.victim", folder);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	snprintf(said, sizeof said, "../%s.victim", strrchr(folder, '/') + 1);
	space_write_bytes(&b->mem, 0x2000, said, strlen(said));
	ck_assert_uint_eq(call(0x0e, 0x2000, (u32)strlen(said), 0), ~0u);
	ck_assert_int_eq(unlink(path), 0); /* it is still there */
	with_semihosting(NULL, NULL);
	ck_assert_uint_eq(open_file("new", 4), ~0u);
}
END_TEST

START_TEST(text_and_end)
{
	FILE *out = tmpfile();
	char line[32] = "";

	with_semihosting(NULL, out);
	space_write_bytes(&b->mem, 0x1000, "abc", 4);
	b->cpu.s.r[0] = 4;
	b->cpu.s.r[1] = 0x1000;
	semihost_do(&b->semihost, &b->cpu, &b->machine);
	ck_assert_uint_eq(open_file(":tt", 4), 1);
	ck_assert_uint_eq(call(9, 1, 0, 0), 1);
	space_write_bytes(&b->mem, 0x3000, "de", 2);
	ck_assert_uint_eq(call(5, 1, 0x3000, 2), 0);
	rewind(out);
	ck_assert_ptr_nonnull(fgets(line, sizeof line, out));
	ck_assert_str_eq(line, "abcde");
	ck_assert_uint_eq(call(0x15, 0x5000, 80, 0), 0);
	ck_assert_uint_eq(at(0x5000), 'n' | '=' << 8 | '5' << 16);
	ck_assert_uint_eq(call(0x15, 0x5000, 3, 0), ~0u); /* no room */
	b->machine.sched.now = 3 * NS_PER_SEC;
	ck_assert_uint_eq(call(0x10, 0, 0, 0), 300);
	ck_assert_uint_eq(call(0x77, 0, 0, 0), ~0u);
	call(0x20, 0x20026, 42, 0);
	ck_assert_int_eq(b->machine.stop, STOP_SEMIHOST);
	ck_assert_int_eq(machine_exit_status(&b->machine, STOP_SEMIHOST), 42);
	fclose(out);
}
END_TEST

/* Addresses of nobody, handles and lengths that lead nowhere */
START_TEST(bad_calls)
{
	with_semihosting(folder, NULL);
	b->cpu.s.r[1] = 0xfffffffe;
	for (u32 n = 0; n < 0x40; n++) {
		if (n == 0x18 || n == 4)
			continue;
		b->cpu.s.r[0] = n;
		ck_assert(semihost_do(&b->semihost, &b->cpu, &b->machine));
	}
	ck_assert_uint_eq(call(5, 99, 0x3000, 5), 5);
	ck_assert_uint_eq(call(1, 0x2000, 0, 0xffffffff), ~0u);
	ck_assert_uint_eq(call(1, 0x2000, 12, 1), ~0u);
	for (unsigned i = 0; i < SEMIHOST_FILES; i++)
		ck_assert_uint_eq(open_file(":tt", 0), i + 1);
	ck_assert_uint_eq(open_file(":tt", 0), ~0u);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ARM board");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, atags);
	tcase_add_test(t, places);
	tcase_add_test(t, elf_files);
	tcase_add_test(t, too_large);
#ifdef HAVE_FDT
	tcase_add_test(t, device_tree);
#endif
	tcase_add_test(t, map_and_lines);
	tcase_add_test(t, flash_boot);
	tcase_add_test(t, flash_file_size);
	tcase_add_test(t, fields);
	tcase_add_test(t, random_accesses);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, files);
	tcase_add_test(t, sandbox);
	tcase_add_test(t, text_and_end);
	tcase_add_test(t, bad_calls);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
