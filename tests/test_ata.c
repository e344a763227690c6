/*
 * Unit tests of the IDE function on the PC board: IDENTIFY, PIO and DMA in all address forms, multiple sectors, bus
 * master tables, errors, ATAPI, and noise on all registers.
 */
#include "machine/pc.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DISK_BYTES (8u << 20)
#define CD_BYTES   (2048u * 100 + 512)

static struct pc *pc;
static struct disk disk, cd;
static char disk_name[] = "/tmp/test-ata-disk-XXXXXX", cd_name[] = "/tmp/test-ata-cd-XXXXXX";

static u8 pattern(u64 off) { return (u8)(off / 512 * 7 + off % 512 * 13 + off / 131072); }

static void image(char *name, u32 size)
{
	u8 *p = malloc(size);
	int fd = mkstemp(name);

	for (u32 i = 0; i < size; i++)
		p[i] = pattern(i);
	ck_assert(fd >= 0 && write(fd, p, size) == (ssize_t)size);
	close(fd);
	free(p);
}

static void setup(void)
{
	struct pc_config cfg = {.ram_size = 16 << 20, .cpus = 1, .uarts = 2};
	struct error err;

	strcpy(disk_name + sizeof disk_name - 7, "XXXXXX");
	strcpy(cd_name + sizeof cd_name - 7, "XXXXXX");
	image(disk_name, DISK_BYTES);
	image(cd_name, CD_BYTES);
	ck_assert_msg(disk_open(&disk, disk_name, 0, &err), "%s", err.msg);
	ck_assert_msg(disk_open(&cd, cd_name, DISK_READ_ONLY, &err), "%s", err.msg);
	pc = malloc(sizeof *pc);
	cfg.ide[0] = (struct pc_ide_config){ATA_DISK, &disk};
	cfg.ide[2] = (struct pc_ide_config){ATA_CD, &cd};
	ck_assert(x86_model_parse(&cfg.model, "zen", &err));
	ck_assert_msg(pc_init(pc, &cfg, &err), "%s", err.msg);
}
static void teardown(void)
{
	pc_free(pc);
	free(pc);
	disk_close(&disk);
	disk_close(&cd);
	unlink(disk_name);
	unlink(cd_name);
}

/* ---- what a driver does ---- */

static u16 base = 0x1f0, control = 0x3f6;

static void channel(unsigned n)
{
	base = n ? 0x170 : 0x1f0;
	control = n ? 0x376 : 0x3f6;
}
static void out(u16 port, unsigned size, u32 val) { space_write(&pc->io, port, size, val); }
static u32 in(u16 port, unsigned size) { return (u32)space_read(&pc->io, port, size); }
static void reg(unsigned n, u8 val) { out(base + n, 1, val); }
static u8 get(unsigned n) { return (u8)in(base + n, 1); }

/* Virtual time goes on until the drive is not busy. */
static u8 wait_ready(void)
{
	for (unsigned i = 0; i < 100 && in(control, 1) & ATA_BSY; i++) {
		pc->machine.sched.now = sched_next(&pc->machine.sched);
		sched_fire(&pc->machine.sched);
	}
	return (u8)in(control, 1);
}
static void advance(void)
{
	for (unsigned i = 0; i < 100; i++) {
		pc->machine.sched.now += 100000;
		sched_fire(&pc->machine.sched);
	}
}
static bool irq(void) { return pc->ide.channel[base == 0x170].irq.level; }

static void words_in(u8 *p, u32 n)
{
	for (u32 i = 0; i < n; i += 2)
		store_le(p + i, 2, in(base, 2));
}

static void lba28(u32 lba, u8 count, u8 command)
{
	reg(6, (u8)(0xe0 | lba >> 24));
	reg(2, count);
	reg(3, (u8)lba);
	reg(4, (u8)(lba >> 8));
	reg(5, (u8)(lba >> 16));
	reg(7, command);
}

static void lba48(u64 lba, u16 count, u8 command)
{
	reg(6, 0x40);
	reg(2, (u8)(count >> 8));
	for (unsigned i = 0; i < 3; i++)
		reg(3 + i, (u8)(lba >> (24 + 8 * i)));
	reg(2, (u8)count);
	for (unsigned i = 0; i < 3; i++)
		reg(3 + i, (u8)(lba >> 8 * i));
	reg(7, command);
}

static void expect(const u8 *p, u64 off, u32 n)
{
	for (u32 i = 0; i < n; i++)
		ck_assert_msg(p[i] == pattern(off + i), "byte %u is %02x, expected %02x", i, p[i], pattern(off + i));
}

/* ---- the disk ---- */

START_TEST(nobody_there)
{
	reg(6, 0x10); /* the slave of a channel with a master */
	ck_assert_uint_eq(get(7), 0);
	reg(7, 0xec);
	ck_assert_uint_eq(get(7), 0);
	ck_assert_uint_eq(in(control, 1), 0);
}
END_TEST

START_TEST(identifies)
{
	u8 page[512];

	ck_assert_uint_eq(get(7), ATA_DRDY | ATA_DSC);
	reg(7, 0xec);
	ck_assert_uint_eq(get(7) & ATA_BSY, ATA_BSY);
	ck_assert_uint_eq(wait_ready(), ATA_DRDY | ATA_DSC | ATA_DRQ);
	ck_assert(irq());
	get(7);
	ck_assert(!irq());
	words_in(page, 512);
	ck_assert_uint_eq(get(7), ATA_DRDY | ATA_DSC);
	ck_assert_uint_eq(load_le(page + 120, 4), DISK_BYTES / 512);
	ck_assert_uint_eq(load_le(page + 200, 8), DISK_BYTES / 512);
	ck_assert_mem_eq(page + 54, "NUEDVRSIRO", 10);
	ck_assert_uint_eq(load_le(page + 98, 2) & 0x300, 0x300);
	channel(1);
	reg(7, 0xec); /* a CD-ROM drive: aborted, with its signature */
	ck_assert_uint_eq(get(7) & ATA_ERR, ATA_ERR);
	ck_assert_uint_eq(get(4) | get(5) << 8, 0xeb14);
	reg(7, 0xa1);
	wait_ready();
	words_in(page, 512);
	ck_assert_uint_eq(load_le(page, 2), 0x85c0);
	channel(0);
}
END_TEST

START_TEST(reads_by_pio)
{
	u8 buf[1024];

	lba28(5, 2, 0x20);
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_uint_eq(wait_ready() & (ATA_DRQ | ATA_ERR), ATA_DRQ);
		ck_assert(irq());
		get(7);
		words_in(buf + i * 512, 512);
	}
	expect(buf, 5 * 512, 1024);
	ck_assert_uint_eq(wait_ready(), ATA_DRDY | ATA_DSC);
	ck_assert(!irq());
	reg(6, 0xa0 | 3); /* CHS 2/3/4 with 16 heads and 63 sectors */
	reg(2, 1);
	reg(3, 4);
	reg(4, 2);
	reg(5, 0);
	reg(7, 0x20);
	wait_ready();
	words_in(buf, 512);
	expect(buf, ((2 * 16 + 3) * 63 + 3) * 512, 512);
	reg(2, 2);
	reg(7, 0xc6); /* multiple: two sectors per block */
	lba48(100, 3, 0x29);
	wait_ready();
	words_in(buf, 1024);
	expect(buf, 100 * 512, 1024);
	wait_ready();
	words_in(buf, 512);
	expect(buf, 102 * 512, 512);
	ck_assert_uint_eq(in(control, 1) & ATA_DRQ, 0);
}
END_TEST

START_TEST(writes_by_pio)
{
	u8 buf[512];

	lba48(9, 2, 0x34);
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_uint_eq(wait_ready() & ATA_DRQ, ATA_DRQ);
		for (unsigned k = 0; k < 128; k++)
			out(base, 4, 0x01020304 * (i + 1));
	}
	ck_assert_uint_eq(wait_ready(), ATA_DRDY | ATA_DSC);
	ck_assert(irq());
	ck_assert(disk_read(&disk, 10 * 512, buf, 512));
	ck_assert_uint_eq(load_le(buf + 508, 4), 0x02040608);
	ck_assert(disk_read(&disk, 11 * 512, buf, 512));
	expect(buf, 11 * 512, 512);
	reg(7, 0xe7); /* flush */
	ck_assert_uint_eq(wait_ready(), ATA_DRDY | ATA_DSC);
}
END_TEST

START_TEST(refuses)
{
	lba28(DISK_BYTES / 512 - 1, 2, 0x20); /* past the end */
	ck_assert_uint_eq(get(7) & (ATA_ERR | ATA_DRQ), ATA_ERR);
	ck_assert_uint_eq(get(1), ATA_IDNF);
	lba48(1ull << 47, 1, 0x24);
	ck_assert_uint_eq(get(7) & ATA_ERR, ATA_ERR);
	reg(7, 0xfd);
	ck_assert_uint_eq(get(1), ATA_ABRT);
	lba28(0, 1, 0xc4); /* multiple, not set */
	ck_assert_uint_eq(get(1), ATA_ABRT);
	reg(2, 3);
	reg(7, 0xc6); /* no power of two */
	ck_assert_uint_eq(get(1), ATA_ABRT);
	lba28(0, 1, 0x20); /* the host's file is gone */
	close(disk.fd);
	ck_assert_uint_eq(wait_ready() & (ATA_ERR | ATA_DRQ), ATA_ERR);
	ck_assert_uint_eq(get(1), ATA_UNC);
	disk.fd = open(disk_name, O_RDWR);
}
END_TEST

START_TEST(software_reset)
{
	lba28(5, 2, 0x20);
	out(control, 1, 6);
	ck_assert_uint_eq(get(7) & ATA_BSY, ATA_BSY);
	out(control, 1, 2);
	ck_assert_uint_eq(get(7), ATA_DRDY | ATA_DSC);
	ck_assert_uint_eq(get(2), 1);
	ck_assert_uint_eq(get(4) | get(5), 0);
	advance();
	ck_assert_uint_eq(get(7), ATA_DRDY | ATA_DSC); /* the read is forgotten */
	lba28(0, 1, 0x20);
	wait_ready();
	ck_assert(!irq()); /* nIEN */
	out(control, 1, 0);
	ck_assert(irq());
}
END_TEST

/* ---- bus master ---- */

enum { BM = 0xc000, TABLE = 0x1000, DATA = 0x200000 };

static void master_on(void)
{
	pci_config_write(&pc->ide.pci, 0x20, 4, BM);
	pci_config_write(&pc->ide.pci, 4, 2, PCI_CMD_IO | PCI_CMD_MASTER);
}
static void table(unsigned n, u32 addr, u32 count, bool last)
{
	space_write(&pc->mem, TABLE + n * 8, 4, addr);
	space_write(&pc->mem, TABLE + n * 8 + 4, 4, (count & 0xffff) | (last ? 0x80000000 : 0));
}
static void start(unsigned bm, u8 direction)
{
	out(BM + bm * 8 + 4, 4, TABLE);
	out(BM + bm * 8 + 2, 1, 6);
	out(BM + bm * 8, 1, direction);
	out(BM + bm * 8, 1, direction | 1);
}

START_TEST(dma_reads_and_writes)
{
	u8 buf[4096];

	master_on();
	table(0, DATA, 1024, false);
	table(1, DATA + 0x10000, 65536, false); /* count 0 */
	table(2, DATA + 0x3002, 1024, true);
	lba28(16, 132, 0xc8);
	start(0, 8);
	ck_assert_uint_eq(in(BM + 2, 1), 1);
	advance();
	ck_assert_uint_eq(in(BM + 2, 1), 4);
	ck_assert(irq());
	ck_assert_uint_eq(get(7), ATA_DRDY | ATA_DSC);
	space_read_bytes(&pc->mem, DATA, buf, 1024);
	expect(buf, 16 * 512, 1024);
	space_read_bytes(&pc->mem, DATA + 0x10000 + 65536 - 4096, buf, 4096);
	expect(buf, 16 * 512 + 1024 + 65536 - 4096, 4096);
	space_read_bytes(&pc->mem, DATA + 0x3002, buf, 1024);
	expect(buf, 16 * 512 + 1024 + 65536, 1024);
	table(0, DATA, 512, true);
	space_write(&pc->mem, DATA, 8, 0x1122334455667788);
	start(0, 0); /* the master first */
	lba48(3, 1, 0x35);
	advance();
	ck_assert_uint_eq(in(BM + 2, 1), 4);
	ck_assert(disk_read(&disk, 3 * 512, buf, 8));
	ck_assert_uint_eq(load_le(buf, 8), 0x1122334455667788);
}
END_TEST

START_TEST(dma_tables_that_do_not_fit)
{
	master_on();
	table(0, DATA, 512, true); /* too short: stops, the drive waits */
	lba28(0, 2, 0xc8);
	start(0, 8);
	advance();
	ck_assert_uint_eq(in(BM + 2, 1), 0);
	ck_assert_uint_eq(in(control, 1) & ATA_DRQ, ATA_DRQ);
	ck_assert(!irq());
	out(control, 1, 4);
	out(control, 1, 0);
	table(0, DATA, 512, false); /* too long: interrupt, and still active */
	table(1, DATA, 512, true);
	lba28(0, 1, 0xc8);
	start(0, 8);
	advance();
	ck_assert_uint_eq(in(BM + 2, 1), 5);
	out(BM, 1, 0);
	ck_assert_uint_eq(in(BM + 2, 1) & 1, 0);
	get(7);
	pci_config_write(&pc->ide.pci, 4, 2, PCI_CMD_IO); /* not a master: nothing moves */
	lba28(0, 1, 0xc8);
	start(0, 8);
	advance();
	ck_assert(!irq());
}
END_TEST

START_TEST(dma_error_ends_it)
{
	master_on();
	table(0, DATA, 512, true);
	close(disk.fd);
	lba28(0, 1, 0xc8);
	start(0, 8);
	advance();
	disk.fd = open(disk_name, O_RDWR);
	ck_assert_uint_eq(in(BM + 2, 1), 6);
	ck_assert_uint_eq(get(7) & ATA_ERR, ATA_ERR);
}
END_TEST

/* ---- CD-ROM ---- */

static void packet(const char *cdb, u16 limit, bool dma)
{
	channel(1);
	reg(6, 0xa0);
	reg(1, dma);
	reg(4, (u8)limit);
	reg(5, (u8)(limit >> 8));
	reg(7, 0xa0);
	ck_assert_uint_eq(wait_ready() & ATA_DRQ, ATA_DRQ);
	ck_assert_uint_eq(get(2) & 3, 1);
	for (unsigned i = 0; i < 12; i += 2)
		out(base, 2, (u32)load_le(cdb + i, 2));
}

/* Takes all blocks on offer; how many bytes. */
static u32 take(u8 *buf, u32 size, unsigned *blocks)
{
	u32 n = 0;

	for (*blocks = 0; wait_ready() & ATA_DRQ; ++*blocks) {
		u32 k = get(4) | (u32)get(5) << 8;

		ck_assert(irq());
		ck_assert_uint_eq(get(2) & 3, 2);
		get(7);
		ck_assert_uint_le(n + k, size);
		words_in(buf + n, k);
		n += k;
	}
	ck_assert_uint_eq(get(2) & 3, 3);
	return n;
}

START_TEST(cd_tells_about_itself)
{
	u8 buf[256];
	unsigned blocks;

	packet("\x12\0\0\0\x24\0\0\0\0\0\0", 10, false);
	ck_assert_uint_eq(take(buf, sizeof buf, &blocks), 36);
	ck_assert_uint_eq(blocks, 4);
	ck_assert_uint_eq(buf[0], 5);
	ck_assert_mem_eq(buf + 16, "UNDERVISOR CDROM", 16);
	packet("\x25\0\0\0\0\0\0\0\0\0\0", 0xffff, false);
	ck_assert_uint_eq(take(buf, sizeof buf, &blocks), 8);
	ck_assert_mem_eq(buf, "\0\0\0\x64\0\0\x08\0", 8);
	packet("\x43\0\0\0\0\0\0\0\x14\0\0", 0xffff, false);
	ck_assert_uint_eq(take(buf, sizeof buf, &blocks), 20);
	ck_assert_mem_eq(buf, "\0\x12\1\1\0\x14\1\0\0\0\0\0\0\x14\xaa\0\0\0\0\x65", 20);
	packet("\xff\0\0\0\0\0\0\0\0\0\0", 0xffff, false);
	ck_assert_uint_eq(wait_ready() & ATA_ERR, ATA_ERR);
	ck_assert_uint_eq(get(1) >> 4, 5);
	packet("\x03\0\0\0\x12\0\0\0\0\0\0", 0xffff, false);
	ck_assert_uint_eq(take(buf, sizeof buf, &blocks), 18);
	ck_assert_uint_eq(buf[2], 5);
	ck_assert_uint_eq(buf[12], 0x20);
	channel(0);
}
END_TEST

START_TEST(cd_reads)
{
	static u8 buf[64 * 2048];
	unsigned blocks;

	packet("\x28\0\0\0\0\x02\0\0\x03\0\0", 2048, false);
	ck_assert_uint_eq(take(buf, sizeof buf, &blocks), 3 * 2048);
	ck_assert_uint_eq(blocks, 3);
	expect(buf, 2 * 2048, 3 * 2048);
	packet("\xa8\0\0\0\0\x03\0\0\0\x3c\0", 0xfffe, false); /* more than the buffer */
	ck_assert_uint_eq(take(buf, sizeof buf, &blocks), 60 * 2048);
	expect(buf, 3 * 2048, 60 * 2048);
	packet("\x28\0\0\0\0\x64\0\0\x01\0\0", 0xfffe, false); /* the last, in part behind the image */
	ck_assert_uint_eq(take(buf, sizeof buf, &blocks), 2048);
	expect(buf, 100 * 2048, 512);
	ck_assert_uint_eq(buf[512], 0);
	packet("\x28\0\0\0\0\x64\0\0\x02\0\0", 0xfffe, false);
	ck_assert_uint_eq(wait_ready() & ATA_ERR, ATA_ERR);
	master_on();
	table(0, DATA, 40 * 2048 & 0xffff, false);
	table(1, DATA + (40 * 2048 & 0xffff), 40 * 2048 - (40 * 2048 & 0xffff), true);
	packet("\x28\0\0\0\0\x05\0\0\x28\0\0", 0, true);
	start(1, 8);
	advance();
	ck_assert_uint_eq(in(BM + 10, 1), 4);
	ck_assert(irq());
	space_read_bytes(&pc->mem, DATA, buf, 40 * 2048);
	expect(buf, 5 * 2048, 40 * 2048);
	channel(0);
}
END_TEST

START_TEST(cd_tray)
{
	u8 buf[8];
	unsigned blocks;

	packet("\x1e\0\0\0\x01\0\0\0\0\0\0", 0, false); /* lock */
	ck_assert_uint_eq(wait_ready() & ATA_ERR, 0);
	packet("\x1b\0\0\0\x02\0\0\0\0\0\0", 0, false);
	ck_assert_uint_eq(wait_ready() & ATA_ERR, ATA_ERR);
	packet("\x1e\0\0\0\0\0\0\0\0\0\0", 0, false);
	wait_ready();
	packet("\x1b\0\0\0\x02\0\0\0\0\0\0", 0, false);
	ck_assert_uint_eq(wait_ready() & ATA_ERR, 0);
	packet("\0\0\0\0\0\0\0\0\0\0\0", 0, false);
	ck_assert_uint_eq(wait_ready() & ATA_ERR, ATA_ERR);
	ck_assert_uint_eq(get(1) >> 4, 2);
	packet("\x4a\1\0\0\x10\0\0\0\x08\0\0", 8, false);
	ck_assert_uint_eq(take(buf, sizeof buf, &blocks), 8);
	ck_assert_uint_eq(buf[5], 1);
	packet("\x1b\0\0\0\x03\0\0\0\0\0\0", 0, false);
	wait_ready();
	packet("\0\0\0\0\0\0\0\0\0\0\0", 0, false);
	ck_assert_uint_eq(wait_ready() & ATA_ERR, 0);
	channel(0);
}
END_TEST

/* ---- noise ---- */

START_TEST(survives_noise)
{
	static const u16 ports[] = {0x1f0, 0x1f1, 0x1f2, 0x1f3,  0x1f4,  0x1f5,  0x1f6,  0x1f7,   0x1f7,  0x1f7,
				    0x3f6, 0x170, 0x170, 0x170,  0x172,  0x174,  0x175,  0x176,   0x177,  0x177,
				    0x376, BM,    BM,    BM + 2, BM + 4, BM + 8, BM + 8, BM + 10, BM + 12};
	static const u8 commands[] = {0x20, 0x24, 0x25, 0x29, 0x30, 0x34, 0x35, 0x39, 0x40, 0x90, 0x91, 0xa0, 0xa0,
				      0xa1, 0xc4, 0xc5, 0xc6, 0xc8, 0xca, 0xe7, 0xec, 0xef, 0xf8, 0x27, 0x08};
	u64 x = 1181783497276652981ull + (u64)_i;

	master_on();
	for (unsigned i = 0; i < 100000; i++) {
		u16 port;
		u32 val;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		port = ports[x % ARRAY_SIZE(ports)];
		val = (u32)(x >> 20);
		if ((port & 0xf) == 7 && x >> 60)
			val = commands[(x >> 32) % ARRAY_SIZE(commands)];
		if ((port == 0x1f3 || port == 0x1f4 || port == 0x1f5) && x >> 59 & 1)
			val &= 3;
		if (port >= BM && (port & 7) >= 4)
			val &= 0x1fffff;
		if (x >> 40 & 3)
			out(port, (port & 0xf) == 0 || port >= BM ? 1u << (x >> 50) % 3 : 1, val);
		else
			in(port, 1u << (x >> 50) % 3);
		if (i % 16 == 0) {
			pc->machine.sched.now += x >> 48 & 0xffff;
			sched_fire(&pc->machine.sched);
		}
	}
	machine_reset(&pc->machine);
	ck_assert_uint_eq(get(7), ATA_DRDY | ATA_DSC);
	ck_assert_uint_eq(load_le(pc->ide.channel[0].s.buffer, 8), 0);
}
END_TEST

START_TEST(fields_cover)
{
	ck_assert_int_eq(field_gap(ata_drive_fields, ATA_DRIVE_FIELDS, sizeof(struct ata_drive_state)), -1);
	ck_assert_int_eq(field_gap(ata_channel_fields, ATA_CHANNEL_FIELDS, sizeof(struct ata_channel_state)), -1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ata");
	TCase *t = tcase_create("ide");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, nobody_there);
	tcase_add_test(t, identifies);
	tcase_add_test(t, reads_by_pio);
	tcase_add_test(t, writes_by_pio);
	tcase_add_test(t, refuses);
	tcase_add_test(t, software_reset);
	tcase_add_test(t, dma_reads_and_writes);
	tcase_add_test(t, dma_tables_that_do_not_fit);
	tcase_add_test(t, dma_error_ends_it);
	tcase_add_test(t, cd_tells_about_itself);
	tcase_add_test(t, cd_reads);
	tcase_add_test(t, cd_tray);
	tcase_add_loop_test(t, survives_noise, 0, 4);
	tcase_add_test(t, fields_cover);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
