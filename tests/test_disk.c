/* Host side of disks: raw images, snapshots, read-only ones, sizes that are no multiple of a sector, errors. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "devices/disk.h"

#define IMAGE "image" /* in a directory of our own */
#define SIZE  (5 * DISK_BLOCK + 100)

static struct error err;
static struct disk d;
static u8 data[SIZE], buf[SIZE + 1024];

static void setup(void)
{
	FILE *f = fopen(IMAGE, "wb");

	for (unsigned i = 0; i < SIZE; i++)
		data[i] = (u8)(i * 7 + i / 256);
	ck_assert(f && fwrite(data, 1, SIZE, f) == SIZE);
	fclose(f);
}

static void teardown(void) { unlink(IMAGE); }

static void file_is(const void *want)
{
	FILE *f = fopen(IMAGE, "rb");

	ck_assert(f && fread(buf, 1, SIZE, f) == SIZE);
	fclose(f);
	ck_assert(!memcmp(buf, want, SIZE));
}

START_TEST(raw)
{
	ck_assert_msg(disk_open(&d, IMAGE, 0, &err), "%s", err.msg);
	ck_assert_uint_eq(d.size, 5 * DISK_BLOCK + DISK_SECTOR); /* whole sectors */
	ck_assert(disk_read(&d, 0, buf, d.size));
	ck_assert(!memcmp(buf, data, SIZE));
	ck_assert_uint_eq(buf[SIZE], 0);
	ck_assert(disk_write(&d, 512, "hello", 5) && disk_flush(&d));
	ck_assert(disk_close(&d));
	memcpy(data + 512, "hello", 5);
	file_is(data);
}
END_TEST

START_TEST(snapshot)
{
	u8 want[6 * DISK_BLOCK] = {0};
	u32 seed = 5;

	memcpy(want, data, SIZE);
	ck_assert_msg(disk_open(&d, IMAGE, DISK_SNAPSHOT, &err), "%s", err.msg);
	for (unsigned i = 0; i < 300; i++) {
		u32 off, n;

		seed = seed * 1103515245 + 12345;
		off = (seed >> 8) % (u32)d.size;
		n = (seed >> 20) % (i % 3 ? 700 : 9000);
		n = n < d.size - off ? n : (u32)d.size - off;
		memset(want + off, (int)i, n);
		ck_assert(disk_write(&d, off, want + off, n));
		off = (seed >> 4) % (u32)d.size;
		n = (seed >> 16) % ((u32)d.size - off + 1);
		ck_assert(disk_read(&d, off, buf, n));
		ck_assert(!memcmp(buf, want + off, n));
	}
	ck_assert(disk_flush(&d) && disk_close(&d));
	file_is(data); /* the image did not change */
}
END_TEST

/* One writer, or readers; as QEMU does it. */
START_TEST(locks)
{
	struct disk second;

	ck_assert(disk_open(&d, IMAGE, 0, &err));
	ck_assert(!disk_open(&second, IMAGE, 0, &err));
	ck_assert(strstr(err.msg, "another program uses this image"));
	ck_assert(!disk_open(&second, IMAGE, DISK_SNAPSHOT, &err));
	ck_assert(strstr(err.msg, "another program writes to this image"));
	ck_assert(disk_close(&d));
	ck_assert(disk_open(&d, IMAGE, DISK_SNAPSHOT, &err));
	ck_assert(!disk_open(&second, IMAGE, 0, &err));
	ck_assert(disk_open(&second, IMAGE, DISK_READ_ONLY, &err));
	ck_assert(disk_close(&second) && disk_close(&d));
	ck_assert(disk_open(&d, IMAGE, 0, &err) && disk_close(&d));
}
END_TEST

START_TEST(no_server)
{
	ck_assert(!disk_open(&d, "nbd:unix:nobody", 0, &err));
	ck_assert(!disk_open(&d, "nbd+unix:///?socket=nobody", DISK_READ_ONLY, &err));
	ck_assert(!disk_open_format(&d, "nonexistent", "qcow2", 0, &err));
	ck_assert(disk_open_format(&d, IMAGE, "raw", 0, &err) && disk_close(&d));
}
END_TEST

START_TEST(read_only)
{
	ck_assert(disk_open(&d, IMAGE, DISK_READ_ONLY, &err));
	ck_assert(!disk_write(&d, 0, "x", 1));
	ck_assert(disk_read(&d, 4, buf, 4) && !memcmp(buf, data + 4, 4));
	ck_assert(disk_flush(&d) && disk_close(&d));
}
END_TEST

START_TEST(refusals)
{
	FILE *f;

	ck_assert(!disk_open(&d, "nonexistent", 0, &err));
	ck_assert(strstr(err.msg, "No such file"));
	ck_assert(!disk_open(&d, ".", DISK_READ_ONLY, &err));
	f = fopen(IMAGE, "wb");
	fclose(f);
	ck_assert(!disk_open(&d, IMAGE, 0, &err));
	ck_assert(strstr(err.msg, "is empty"));
	f = fopen(IMAGE, "wb");
	fputs("QFI\xfb   ", f);
	fclose(f);
	ck_assert(!disk_open(&d, IMAGE, 0, &err));
	ck_assert(strstr(err.msg, "a qcow2 image, expected a raw one"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("disk");
	TCase *tc = tcase_create("disk");
	SRunner *r = srunner_create(s);
	char dir[] = "/tmp/undervisor-test-XXXXXX";
	int failed;

	if (!mkdtemp(dir) || chdir(dir))
		return EXIT_FAILURE;
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, raw);
	tcase_add_test(tc, snapshot);
	tcase_add_test(tc, read_only);
	tcase_add_test(tc, locks);
	tcase_add_test(tc, no_server);
	tcase_add_test(tc, refusals);
	suite_add_tcase(s, tc);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	rmdir(dir);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
