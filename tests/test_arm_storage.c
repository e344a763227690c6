/* Unit tests of the Integrator/CP's card interface and SD card, Ethernet controller and flash: what a driver does, register by register. */
#define _GNU_SOURCE 1
#include "devices/cfi_flash.h"
#include "devices/pl181.h"
#include "devices/smc91c111.h"

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

static struct sched sched;
static bool level[4];

static void line(void *arg, unsigned n, bool on)
{
	(void)arg;
	level[n] = on;
}

#define COVERED(type, table) ck_assert_int_eq(field_gap(table, ARRAY_SIZE(table), sizeof(type)), -1)

START_TEST(fields)
{
	COVERED(struct pl181_state, pl181_fields);
	COVERED(struct sd_card_state, sd_card_fields);
	COVERED(struct smc91c111_state, smc91c111_fields);
	COVERED(struct cfi_chip_state, cfi_chip_fields);
}
END_TEST

/* ---- the card ---- */

static struct pl181 mmc;
static struct disk disk;
static char path[64];

enum { RESPONSE = 0x440, LONG = 0x4c0, NO_RESPONSE = 0x400, CMD_END = 1 << 6, CMD_SENT = 1 << 7, CMD_TIMEOUT = 1 << 2 };

static u32 mget(u32 off) { return (u32)pl181_ops.read(&mmc, off, 4); }
static void mput(u32 off, u32 val) { pl181_ops.write(&mmc, off, 4, val); }

static void image(u64 size, unsigned flags)
{
	struct error err;
	int fd;

	strcpy(path, "/tmp/test_arm_storage.XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
	close(fd);
	memset(&disk, 0, sizeof disk);
	ck_assert_msg(disk_open(&disk, path, flags, &err), "%s", err.msg);
}

static void card_free(void)
{
	disk_close(&disk);
	unlink(path);
}

static void card_new(u64 size, unsigned flags)
{
	struct error err;

	sched_init(&sched);
	memset(level, 0, sizeof level);
	image(size, flags);
	ck_assert_msg(pl181_init(&mmc, &sched, 1, 14745600, &disk, &err), "%s", err.msg);
	irq_connect(&mmc.irq[0], line, NULL, 0);
	irq_connect(&mmc.irq[1], line, NULL, 1);
	mput(0x00, 3);
	mput(0x24, 1000);
}

/* The status that the command gives. */
static u32 command(u8 cmd, u32 arg, u32 kind)
{
	u32 status;

	mput(0x38, 0x7ff);
	mput(0x08, arg);
	mput(0x0c, cmd | kind);
	status = mget(0x34) & 0x7ff;
	return status;
}

static u32 answer(u8 cmd, u32 arg)
{
	ck_assert_uint_eq(command(cmd, arg, RESPONSE) & (CMD_END | CMD_TIMEOUT), CMD_END);
	return mget(0x14);
}

static u32 rca;

static void card_start(bool high)
{
	u32 ocr;

	ck_assert_uint_eq(command(0, 0, NO_RESPONSE), CMD_SENT);
	ck_assert_uint_eq(command(1, 0, RESPONSE), CMD_TIMEOUT); /* no MMC */
	ck_assert_uint_eq(command(5, 0, RESPONSE), CMD_TIMEOUT); /* no SDIO */
	ck_assert_uint_eq(answer(8, 0x1aa), 0x1aa);
	ck_assert_uint_eq(answer(55, 0) & 0x20, 0x20);
	ocr = answer(41, 0x40ff8000);
	ck_assert_uint_eq(ocr, high ? 0xc0ff8000 : 0x80ff8000);
	ck_assert_uint_eq(command(2, 0, LONG), CMD_END);
	ck_assert_uint_eq(mget(0x10), 63);
	rca = answer(3, 0) & 0xffff0000;
	ck_assert_uint_ne(rca, 0);
	ck_assert_uint_eq(command(9, rca, LONG), CMD_END);
	ck_assert_uint_eq(answer(7, rca) >> 9 & 15, 3);
	ck_assert_uint_eq(answer(13, rca) >> 9 & 15, 4);
}

static u64 csd_capacity(void)
{
	u32 r[4];

	ck_assert_uint_eq(command(7, 0, NO_RESPONSE), CMD_SENT);
	ck_assert_uint_eq(command(9, rca, LONG), CMD_END);
	for (unsigned i = 0; i < 4; i++)
		r[i] = mget(0x14 + 4 * i);
	ck_assert_uint_eq(answer(7, rca) >> 9 & 15, 3);
	if (r[0] >> 30 == 1)
		return ((u64)((r[1] & 0x3f) << 16 | r[2] >> 16) + 1) * (512 << 10);
	return ((u64)((r[1] & 0x3ff) << 2 | r[2] >> 30) + 1) << ((r[2] >> 15 & 7) + 2 + (r[1] >> 16 & 15));
}

static void write_words(u32 first, unsigned words)
{
	for (unsigned i = 0; i < words; i++)
		mput(0x80, first + i);
}

static void read_words(u32 first, unsigned words)
{
	for (unsigned i = 0; i < words; i++) {
		ck_assert_uint_ne(mget(0x34) & 1 << 21, 0);
		ck_assert_uint_eq(mget(0x80 + 4 * (i % 16)), first + i);
	}
	ck_assert_uint_eq(mget(0x34) & 1 << 21, 0);
}

START_TEST(card_sizes)
{
	static const struct {
		u64 size;
		bool ok, high;
	} s[] = {{1 << 20, true, false}, {64 << 20, true, false}, {1ull << 30, true, false}, {2ull << 30, true, false},
		 {4ull << 30, true, true}, {(64 << 20) + 512, false, false}, {(2ull << 30) + (512 << 10), true, true}};

	for (unsigned i = 0; i < ARRAY_SIZE(s); i++) {
		struct sd_card c;
		struct error err;

		image(s[i].size, 0);
		ck_assert_int_eq(sd_card_init(&c, &disk, &err), s[i].ok);
		card_free();
		if (!s[i].ok)
			continue;
		card_new(s[i].size, 0);
		card_start(s[i].high);
		ck_assert_uint_eq(csd_capacity(), s[i].size);
		card_free();
	}
}
END_TEST

START_TEST(card_blocks)
{
	card_new(64 << 20, 0);
	card_start(false);
	answer(16, 512);
	answer(24, 1024);
	mput(0x28, 512);
	mput(0x2c, 0x91);
	ck_assert_uint_ne(mget(0x34) & 1 << 18, 0); /* FIFO empty */
	write_words(100, 127);
	ck_assert_uint_eq(mget(0x34) & 1 << 8, 0);
	ck_assert_uint_eq(mget(0x30), 4);
	mput(0x3c, 1 << 8);
	write_words(227, 1);
	ck_assert(level[0]);
	ck_assert_uint_eq(mget(0x34) & 1 << 8, 1 << 8);
	mput(0x38, 1 << 8);
	ck_assert(!level[0]);
	mput(0x40, 1 << 21);
	mput(0x2c, 0x93);
	ck_assert(!level[1]);
	answer(17, 1024);
	ck_assert(level[1]);
	ck_assert_uint_ne(mget(0x34) & 1 << 17, 0); /* FIFO full */
	ck_assert_uint_eq(mget(0x48), 128 - 16);
	read_words(100, 128);
	ck_assert(!level[1]);
	ck_assert_uint_eq(answer(13, rca) >> 9 & 15, 4);
	card_free();
}
END_TEST

START_TEST(card_many_blocks)
{
	u8 byte[4];

	card_new(8 << 20, 0);
	card_start(false);
	answer(55, rca);
	answer(23, 3);
	answer(25, 512 * 7);
	mput(0x28, 3 * 512);
	mput(0x2c, 0x91);
	write_words(5000, 3 * 128);
	ck_assert_uint_eq(answer(13, rca) >> 9 & 15, 6); /* receives, until it is stopped */
	answer(12, 0);
	answer(55, rca);
	mput(0x28, 4);
	mput(0x2c, 0x23);
	answer(22, 0);
	ck_assert_uint_eq(mget(0x80), 0x03000000); /* blocks written, big-endian */
	ck_assert(disk_read(&disk, 512 * 9 + 508, byte, 4));
	ck_assert_uint_eq(load_le(byte, 4), 5000 + 3 * 128 - 1);
	mput(0x28, 3 * 512);
	mput(0x2c, 0x93);
	answer(18, 512 * 7);
	read_words(5000, 3 * 128);
	answer(12, 0);
	ck_assert_uint_eq(answer(13, rca) >> 9 & 15, 4);
	answer(23, 2); /* a counted transfer ends by itself */
	mput(0x28, 2 * 512);
	mput(0x2c, 0x93);
	answer(18, 512 * 7);
	read_words(5000, 2 * 128);
	ck_assert_uint_eq(answer(13, rca) >> 9 & 15, 4);
	answer(32, 512 * 7);
	answer(33, 512 * 7);
	answer(38, 0);
	ck_assert(disk_read(&disk, 512 * 7, byte, 4));
	ck_assert_uint_eq(load_le(byte, 4), 0);
	card_free();
}
END_TEST

START_TEST(card_registers)
{
	card_new(8 << 20, 0);
	card_start(false);
	answer(55, rca);
	mput(0x28, 8);
	mput(0x2c, 0x33);
	answer(51, 0);
	ck_assert_uint_eq(mget(0x80), 0x00000502);
	ck_assert_uint_eq(mget(0x80), 0);
	mput(0x28, 64);
	mput(0x2c, 0x63);
	answer(6, 0x80fffff1);
	ck_assert_uint_eq(mget(0x80) & 0xffff, 0x0100);
	for (unsigned i = 4; i < 16; i += 4)
		mget(0x80);
	ck_assert_uint_eq(mget(0x80) & 0xff, 0x0f); /* function 1 of group 1 is not there; word 4 begins with byte 16 */
	card_free();
}
END_TEST

START_TEST(card_errors)
{
	card_new(1 << 20, DISK_READ_ONLY);
	card_start(false);
	mput(0x28, 512);
	mput(0x2c, 0x93);
	ck_assert_uint_ne(answer(17, 1 << 20) & 0x80000000, 0); /* beyond the end */
	ck_assert_uint_eq(mget(0x34) & 1 << 3, 0);
	while (sched_next(&sched) != TIME_NEVER) {
		sched.now = sched_next(&sched);
		sched_fire(&sched);
	}
	ck_assert_uint_ne(mget(0x34) & 1 << 3, 0); /* data timeout */
	answer(24, 0);
	mput(0x2c, 0x91);
	write_words(1, 128);
	ck_assert_uint_ne(answer(13, rca) & 0x04000000, 0); /* write protected */
	ck_assert_uint_eq(command(60, 0, RESPONSE), CMD_TIMEOUT);
	ck_assert_uint_ne(answer(13, rca) & 0x00400000, 0); /* illegal command */
	ck_assert_uint_eq(answer(13, rca) & 0x00400000, 0); /* told once */
	card_free();
}
END_TEST

START_TEST(no_card)
{
	struct error err;

	sched_init(&sched);
	ck_assert(pl181_init(&mmc, &sched, 1, 14745600, NULL, &err));
	ck_assert_uint_eq(command(8, 0x1aa, RESPONSE), CMD_TIMEOUT);
	ck_assert_uint_eq(mget(0xfe0), 0x81);
}
END_TEST

/* ---- Ethernet ---- */

static struct smc91c111 nic;
static u8 frame[SMC_FRAME];
static u32 frame_size, frames;

static const u8 nic_mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

static void on_frame(void *arg, const u8 *p, u32 size)
{
	(void)arg;
	memcpy(frame, p, size);
	frame_size = size;
	frames++;
}

static void bank(u16 n) { smc91c111_ops.write(&nic, 14, 2, n); }
static u32 nget(u32 off, unsigned size) { return (u32)smc91c111_ops.read(&nic, off, size); }
static void nput(u32 off, unsigned size, u32 val) { smc91c111_ops.write(&nic, off, size, val); }

static void nic_new(void)
{
	smc91c111_init(&nic, nic_mac);
	smc91c111_connect(&nic, on_frame, NULL);
	irq_connect(&nic.irq, line, NULL, 0);
	frames = 0;
	level[0] = false;
}

START_TEST(nic_registers)
{
	nic_new();
	bank(3);
	ck_assert_uint_eq(nget(14, 2), 0x3303);
	ck_assert_uint_eq(nget(10, 2), 0x3391);
	bank(1);
	for (unsigned i = 0; i < 6; i++)
		ck_assert_uint_eq(nget(4 + i, 1), nic_mac[i]);
	bank(0);
	ck_assert_uint_eq(nget(8, 2), 0x0404);
	ck_assert_uint_ne(nget(2, 2) & 0x4000, 0); /* link */
	nput(4, 2, 0x8000);
	ck_assert_uint_eq(smc91c111_room(&nic), 0);
}
END_TEST

/* One frame out: an odd length, and the driver's acknowledgement. */
START_TEST(nic_sends)
{
	nic_new();
	bank(0);
	nput(0, 2, 0x81); /* transmit, pad */
	bank(2);
	nput(13, 1, 2);
	nput(0, 2, 1 << 5);
	ck_assert_uint_eq(nget(12, 1) & 8, 8);
	ck_assert_uint_eq(nget(3, 1), 0);
	nput(2, 1, nget(3, 1));
	nput(6, 2, 0x4000);
	nput(8, 4, (6 + 64) << 16);
	for (unsigned i = 0; i < 64; i += 4)
		nput(8, 4, i | (i + 1) << 8 | (i + 2) << 16 | (i + 3) << 24);
	nput(8, 2, 0x2000 | 0x77);
	ck_assert_uint_eq(frames, 0);
	nput(0, 2, 6 << 5);
	ck_assert_uint_eq(frames, 1);
	ck_assert_uint_eq(frame_size, 65);
	ck_assert_uint_eq(frame[63], 63);
	ck_assert_uint_eq(frame[64], 0x77);
	ck_assert(level[0]);
	ck_assert_uint_eq(nget(4, 1), 0);
	nput(6, 2, 0x6000);
	ck_assert_uint_eq(nget(8, 2) & 1, 1); /* sent successfully */
	nput(12, 1, 2);
	ck_assert(!level[0]);
	nput(0, 2, 5 << 5);
	bank(0);
	ck_assert_uint_eq(nget(9, 1), 4);
}
END_TEST

START_TEST(nic_receives)
{
	u8 in[60] = {0x52, 0x54, 0, 0x12, 0x34, 0x56, [12] = 8, [59] = 0xaa};
	u8 other[60] = {0x52, 0x54, 0, 0x12, 0x34, 0x57};
	u8 group[60] = {1, 0, 0x5e, 0, 0, 1};

	nic_new();
	ck_assert_uint_eq(smc91c111_room(&nic), 0);
	bank(0);
	nput(4, 2, 0x300); /* receive, strip CRC */
	ck_assert_uint_eq(smc91c111_room(&nic), 4);
	bank(2);
	nput(13, 1, 1);
	smc91c111_receive(&nic, other, sizeof other);
	smc91c111_receive(&nic, group, sizeof group);
	ck_assert(!level[0]);
	smc91c111_receive(&nic, in, sizeof in);
	ck_assert(level[0]);
	ck_assert_uint_eq(smc91c111_room(&nic), 3);
	nput(6, 2, 0xe000);
	ck_assert_uint_eq(nget(8, 2), 0);
	ck_assert_uint_eq(nget(8, 2), 66);
	for (unsigned i = 0; i < 60; i++)
		ck_assert_uint_eq(nget(8, 1), in[i]);
	nput(0, 2, 4 << 5);
	ck_assert(!level[0]);
	ck_assert_uint_eq(smc91c111_room(&nic), 4);
	bank(3);
	for (unsigned i = 0; i < 8; i++)
		nput(i, 1, 0xff);
	smc91c111_receive(&nic, group, sizeof group);
	ck_assert(level[0]);
	for (unsigned i = 0; i < 5; i++)
		smc91c111_receive(&nic, in, sizeof in);
	bank(2);
	ck_assert_uint_eq(nget(12, 1) & 0x11, 0x11); /* and an overrun */
}
END_TEST

static void mii_out(u32 bits_n, u32 val)
{
	while (bits_n--) {
		u32 bit = val >> bits_n & 1;

		nput(8, 2, 0x3338 | bit);
		nput(8, 2, 0x333c | bit);
	}
}

/* PHY address and register; the two bits of turn-around count as well: drivers look at them. */
static u32 phy_read(unsigned reg)
{
	u32 val = 0;

	mii_out(32, ~0u);
	mii_out(14, 6 << 10 | reg);
	for (unsigned i = 0; i < 18; i++) {
		nput(8, 2, 0x3330);
		val = val << 1 | (nget(8, 2) >> 1 & 1);
		nput(8, 2, 0x3334);
	}
	return val;
}

START_TEST(nic_phy)
{
	nic_new();
	bank(3);
	ck_assert_uint_eq(phy_read(2), 0x0016);
	ck_assert_uint_eq(phy_read(3), 0xf840);
	ck_assert_uint_eq(phy_read(1) & 0x24, 0x24); /* link, negotiated */
	mii_out(32, ~0u);
	mii_out(32, 5u << 28 | 4 << 18 | 2 << 16 | 0x0061);
	ck_assert_uint_eq(phy_read(4), 0x0061);
	ck_assert_uint_eq(phy_read(3), 0xf840);
	ck_assert_uint_eq(phy_read(1 << 5 | 2), 0); /* no other PHY */
}
END_TEST

/* ---- flash ---- */

enum { FLASH_SIZE = 4 << 20 };
static u8 contents[FLASH_SIZE];
static struct cfi_flash flash;

static u32 fget(u32 off) { return (u32)cfi_flash_ops.read(&flash, off, 4); }
static void fput(u32 off, u32 val) { cfi_flash_ops.write(&flash, off, 4, val); }

static void flash_new(void)
{
	memset(contents, 0xff, sizeof contents);
	cfi_flash_init(&flash, contents, FLASH_SIZE);
}

START_TEST(flash_identity)
{
	flash_new();
	fput(0x55 * 4, 0x00980098);
	ck_assert_uint_eq(fget(0x10 * 4), 0x00510051);
	ck_assert_uint_eq(fget(0x11 * 4), 0x00520052);
	ck_assert_uint_eq(fget(0x12 * 4), 0x00590059);
	ck_assert_uint_eq(1u << (fget(0x27 * 4) & 0xff), FLASH_SIZE / 2);
	ck_assert_uint_eq(((fget(0x2d * 4) & 0xff) + 1) * CFI_FLASH_BLOCK, FLASH_SIZE / 2);
	ck_assert_uint_eq(fget(0x31 * 4) & 0xff, 'P');
	fput(0, 0x00900090);
	ck_assert_uint_eq(fget(0), 0x00890089);
	fput(0, 0x00ff00ff);
	ck_assert_uint_eq(fget(0), 0xffffffff);
}
END_TEST

START_TEST(flash_programs)
{
	flash_new();
	fput(0x100, 0x00400040);
	fput(0x100, 0x12345678);
	ck_assert_uint_eq(fget(0), 0x00800080);
	fput(0x100, 0x00400040);
	fput(0x100, 0xffff0000);
	fput(0, 0x00ff00ff);
	ck_assert_uint_eq(fget(0x100), 0x12340000); /* bits are only cleared */
	cfi_flash_ops.write(&flash, 0x202, 2, 0x40); /* one chip by itself */
	cfi_flash_ops.write(&flash, 0x202, 2, 0x4321);
	cfi_flash_ops.write(&flash, 0x202, 2, 0xff);
	ck_assert_uint_eq(fget(0x200), 0x4321ffff);
	fput(0x40000, 0x00e800e8);
	ck_assert_uint_eq(fget(0x40000), 0x00800080);
	fput(0x40000, 0x00030003);
	for (u32 i = 0; i < 4; i++)
		fput(0x40010 + 4 * i, i * 0x11111111);
	fput(0x40000, 0x00d000d0);
	fput(0x40000, 0x00ff00ff);
	ck_assert_uint_eq(fget(0x4001c), 0x33333333);
	fput(0x100, 0x00200020);
	fput(0x100, 0x00d000d0);
	fput(0x100, 0x00ff00ff);
	ck_assert_uint_eq(fget(0x100), 0xffffffff);
	ck_assert_uint_eq(fget(0x4001c), 0x33333333); /* the next block */
}
END_TEST

START_TEST(flash_locks)
{
	flash_new();
	fput(0x40004, 0x00600060);
	fput(0x40004, 0x00010001); /* lock */
	fput(0x40000, 0x00900090);
	ck_assert_uint_eq(fget(0x40008), 0x00010001);
	ck_assert_uint_eq(fget(8), 0);
	fput(0x40000, 0x00400040);
	fput(0x40000, 0);
	ck_assert_uint_eq(fget(0), 0x00920092);
	cfi_flash_reset(&flash); /* the lock stays */
	fput(0x40000, 0x00e800e8);
	fput(0x40000, 0);
	fput(0x40000, 0);
	fput(0x40000, 0x00d000d0);
	ck_assert_uint_eq(fget(0), 0x00920092);
	fput(0, 0x00500050);
	fput(0, 0x00600060);
	fput(0, 0x00d000d0); /* unlock all */
	fput(0x40000, 0x00400040);
	fput(0x40000, 0x12345678);
	ck_assert_uint_eq(fget(0), 0x00800080);
	fput(0, 0x00ff00ff);
	ck_assert_uint_eq(fget(0x40000), 0x12345678);
}
END_TEST

START_TEST(flash_refuses)
{
	flash_new();
	fput(0, 0x00200020);
	fput(0, 0x00ff00ff); /* not the confirmation */
	ck_assert_uint_eq(fget(0) & 0x300030, 0x300030);
	fput(0, 0x00500050);
	fput(0, 0x00700070);
	ck_assert_uint_eq(fget(0), 0x00800080);
	fput(0, 0x00e800e8);
	fput(0, 0x00100010); /* more words than the buffer holds */
	ck_assert_uint_eq(fget(0) & 0x300030, 0x300030);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ARM storage and network");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_test(t, fields);
	tcase_add_test(t, card_sizes);
	tcase_add_test(t, card_blocks);
	tcase_add_test(t, card_many_blocks);
	tcase_add_test(t, card_registers);
	tcase_add_test(t, card_errors);
	tcase_add_test(t, no_card);
	tcase_add_test(t, nic_registers);
	tcase_add_test(t, nic_sends);
	tcase_add_test(t, nic_receives);
	tcase_add_test(t, nic_phy);
	tcase_add_test(t, flash_identity);
	tcase_add_test(t, flash_programs);
	tcase_add_test(t, flash_locks);
	tcase_add_test(t, flash_refuses);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
