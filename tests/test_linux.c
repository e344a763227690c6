/*
 * The Linux boot protocol: header checks, limits of command line and initrd, where the pieces go, the zero page, both
 * entry points, and what a firmware boot gets. Kernels are made here; damaged ones must fail with a message and never
 * crash.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "loader/linux.h"
#include "loader/multiboot.h"

#define RAM    (64u << 20)
#define KERNEL "bzImage" /* in a directory of our own */
#define INITRD "initrd,with a comma"
#define SECTS  3
#define CODE   0x1230 /* bytes of the protected-mode part; not a multiple of 16 in the file */

static struct space mem;
static struct mem_map map;
static struct boot_options opt;
static struct boot_state st;
static struct error err;
static u8 image[(SECTS + 1) * 512 + CODE];
static size_t image_size;

static void put(size_t off, unsigned size, u64 val) { store_le(image + off, size, val); }

/* Protocol 2.15, entries for 32 and 64 bits, unpacks to 16-24 MB, initrd below 48 MB. */
static void make_kernel(void)
{
	memset(image, 0, sizeof image);
	image_size = sizeof image - 4;
	put(0x1f1, 1, SECTS);
	put(0x1f4, 4, CODE / 16);
	put(0x1fe, 2, 0xaa55);
	put(0x200, 2, 0x6aeb);
	memcpy(image + 0x202, "HdrS", 4);
	put(0x206, 2, 0x20f);
	put(0x211, 1, 1);
	put(0x22c, 4, (48u << 20) - 1);
	put(0x230, 4, 0x200000);
	put(0x234, 1, 1);
	put(0x236, 2, 1);
	put(0x238, 4, 100);
	put(0x258, 8, 16u << 20);
	put(0x260, 4, 8u << 20);
	put(0x26d, 1, 0x77); /* behind the header */
	memset(image + 2048, 0xf4, CODE);
}

static void write_file(const char *name, const void *data, size_t size)
{
	FILE *f = fopen(name, "wb");

	ck_assert(f != NULL);
	ck_assert_uint_eq(fwrite(data, 1, size, f), size);
	fclose(f);
}

static void make_initrd(size_t size)
{
	u8 *data = calloc(1, size + 1);

	ck_assert(data != NULL);
	memset(data, 0x5a, size);
	write_file(INITRD, data, size);
	free(data);
	opt.initrd = INITRD;
}

static void setup(void)
{
	ck_assert(space_init(&mem, "memory", 40, &err));
	ck_assert(space_add_ram(&mem, "ram", 0, RAM, false, &err) != NULL);
	mem_map_pc(&map, RAM, 0, 0x10000);
	opt = (struct boot_options){.kernel = KERNEL, .map = &map, .long_mode = true, .vga = true, .rsdp = 0xf5a00};
	make_kernel();
	err.msg[0] = 0;
}

static void teardown(void)
{
	space_free(&mem);
	unlink(KERNEL);
	unlink(INITRD);
}

static bool load(void)
{
	write_file(KERNEL, image, image_size);
	return kernel_load(&mem, &opt, &st, &err);
}

static void fails(const char *part)
{
	ck_assert(!load());
	ck_assert_msg(strstr(err.msg, part) != NULL, "message: %s", err.msg);
}

static u64 peek(u64 pa, unsigned size) { return space_peek(&mem, pa, size); }

START_TEST(direct_boot)
{
	u32 zp;
	char line[16];

	opt.append = "console=ttyS0";
	make_initrd(5000);
	ck_assert_msg(load(), "%s", err.msg);
	zp = st.esi;
	ck_assert(st.long_mode && st.cs == 0x10 && st.ds == 0x18);
	ck_assert_uint_eq(st.ip, 0x100200);
	ck_assert_uint_eq(peek(st.gdt + 0x10, 8), 0x00af9b000000ffff);
	ck_assert_uint_eq(peek(0x100000, 8), 0xf4f4f4f4f4f4f4f4);
	ck_assert_uint_eq(zp & 0xfff, 0);
	ck_assert_uint_eq(peek(zp + 0x202, 4), 0x53726448);
	ck_assert_uint_eq(peek(zp + 0x210, 1), 0xff);
	ck_assert_uint_eq(peek(zp + 0x26d, 1), 0); /* the header only */
	ck_assert_uint_eq(peek(zp + 0x1ef, 1), 0); /* sentinel */
	ck_assert_uint_eq(peek(zp + 0x70, 8), 0xf5a00);
	ck_assert_uint_eq(peek(zp + 0x06, 1), 3);
	ck_assert_uint_eq(peek(zp + 0x1e8, 1), map.count);
	ck_assert_uint_eq(peek(zp + 0x2d0 + 8, 8), 0x9fc00);
	ck_assert_uint_eq(peek(zp + 0x2d0 + 3 * 20, 8), 0x100000);
	ck_assert_uint_eq(peek(zp + 0x2d0 + 3 * 20 + 16, 4), MEM_RAM);
	space_read_bytes(&mem, peek(zp + 0x228, 4), line, 14);
	ck_assert_str_eq(line, "console=ttyS0");
	ck_assert_uint_eq(peek(zp + 0x218, 4), (48u << 20) - 0x2000); /* as high as initrd_addr_max allows */
	ck_assert_uint_eq(peek(zp + 0x21c, 4), 5000);
	ck_assert_uint_eq(peek((48u << 20) - 0x2000 + 4999, 1), 0x5a);
	ck_assert_uint_eq(peek((48u << 20) - 0x2000 + 5000, 1), 0);
}
END_TEST

START_TEST(entry32)
{
	opt.long_mode = false;
	ck_assert_msg(load(), "%s", err.msg);
	ck_assert(!st.long_mode && st.cs == 0x10 && st.ds == 0x18);
	ck_assert_uint_eq(st.ip, 0x100000);
	ck_assert_uint_eq(peek(st.gdt + 0x10, 8), 0x00cf9b000000ffff);
	opt.long_mode = true;
	put(0x236, 2, 0); /* a 32-bit kernel */
	ck_assert_msg(load(), "%s", err.msg);
	ck_assert(!st.long_mode);
	opt.vga = false;
	ck_assert_msg(load(), "%s", err.msg);
	ck_assert_uint_eq(peek(st.esi + 0x06, 1), 0);
	ck_assert_uint_eq(peek(st.esi + 0x21c, 4), 0);
}
END_TEST

START_TEST(header_checks)
{
	put(0x206, 2, 0x205);
	fails("offset 0x206: Linux boot protocol 2.05");
	make_kernel();
	put(0x211, 1, 0);
	fails("offset 0x211: a zImage");
	make_kernel();
	image_size -= 16;
	fails("the file ends at 0x");
	make_kernel();
	image_size = 0x280;
	fails("the file ends at 0x280");
	make_kernel();
	put(0x260, 4, 60u << 20);
	fails("needs memory up to 76 MB");
	make_kernel();
	put(0x258, 8, 1ull << 40);
	fails("expected a larger -m");
	make_kernel();
	put(0x1fe, 2, 0); /* not a boot sector: not Linux, nothing else either */
	fails("a Linux bzImage");
}
END_TEST

START_TEST(limits)
{
	char line[102];

	memset(line, 'x', sizeof line);
	line[101] = 0;
	opt.append = line;
	fails("-append: 101 characters, expected at most the 100");
	line[100] = 0;
	ck_assert_msg(load(), "%s", err.msg);
	make_initrd(24u << 20);
	ck_assert_msg(load(), "%s", err.msg);
	ck_assert_uint_eq(peek(st.esi + 0x218, 4), 24u << 20); /* right behind the kernel */
	make_initrd((24u << 20) + 1);
	fails("expected at most 25165824: the memory between the kernel's 24 MB and 48 MB");
	put(0x22c, 4, 0xffffffff); /* the end of the memory counts */
	ck_assert_msg(load(), "%s", err.msg);
	ck_assert_uint_eq(peek(st.esi + 0x218, 4), RAM - 0x10000 - (24u << 20) - 0x1000);
	make_initrd(0);
	fails("is empty");
	opt.initrd = "nonexistent";
	fails("No such file");
}
END_TEST

START_TEST(firmware_boot)
{
	struct linux_image img;
	u8 *file = malloc(sizeof image);

	memcpy(file, image, sizeof image);
	make_initrd(100);
	opt.append = "a b";
	ck_assert_msg(linux_image_open(&img, &opt, file, image_size, &err), "%s", err.msg);
	ck_assert_uint_eq(img.setup_size, 2048);
	ck_assert_uint_eq(img.kernel_size, CODE - 4);
	ck_assert_uint_eq(img.cmdline_size, 4);
	ck_assert_uint_eq(img.initrd_size, 100);
	ck_assert_uint_eq(load_le(img.setup + 0x218, 4), img.initrd_addr);
	ck_assert_uint_eq(load_le(img.setup + 0x228, 4), LINUX_CMDLINE_ADDR);
	ck_assert_uint_eq(load_le(img.setup + 0x214, 4), LINUX_KERNEL_ADDR);
	ck_assert_uint_eq(img.setup[0x211], 0x81);
	ck_assert_uint_eq(load_le(img.setup + 0x224, 2), 0xfc00);
	linux_image_close(&img);
}
END_TEST

START_TEST(damaged)
{
	u32 seed = 777;

	make_initrd(300);
	for (unsigned i = 0; i < 1000; i++) {
		make_kernel();
		for (unsigned k = 0; k < 3; k++) {
			seed = seed * 1103515245 + 12345;
			image[0x1f1 + (seed >> 16) % 0x80] = (u8)(seed >> 9);
		}
		if (i % 5 == 0)
			image_size = (seed >> 8) % image_size;
		err.msg[0] = 0;
		if (!load())
			ck_assert(err.msg[0]);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("linux");
	TCase *tc = tcase_create("linux");
	SRunner *r = srunner_create(s);
	char dir[] = "/tmp/undervisor-test-XXXXXX";
	int failed;

	if (!mkdtemp(dir) || chdir(dir))
		return EXIT_FAILURE;
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, direct_boot);
	tcase_add_test(tc, entry32);
	tcase_add_test(tc, header_checks);
	tcase_add_test(tc, limits);
	tcase_add_test(tc, firmware_boot);
	tcase_add_test(tc, damaged);
	suite_add_tcase(s, tc);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	rmdir(dir);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
