/*
 * Virtio devices, seen from a driver that the tests play: modern and legacy set-up, queues, indirect descriptors, event
 * indexes, interrupts by pin and by MSI-X, block, network and entropy requests; drivers that do it wrong.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "devices/virtio_blk.h"
#include "devices/virtio_net.h"
#include "devices/virtio_rng.h"

#define IMAGE  "disk.img" /* in a directory of our own */
#define RAM    (4u << 20)
#define REGS   0x80000000u /* BAR 4 */
#define MSIX   0x80010000u /* BAR 1 */
#define PORTS  0xc000      /* BAR 0 */
#define DESC   0x10000u
#define AVAIL  0x11000u
#define USED   0x12000u
#define TABLE  0x13000u
#define DATA   0x20000u
#define QUEUE2 0x8000u /* added for queue 1 */

static struct space mem, io;
static struct pci_bus bus;
static struct error err;
static struct disk disk;
static struct virtio_blk blk;
static struct virtio_net net;
static struct virtio_rng rng;
static struct virtio *v;
static u64 message_addr;
static u32 message_data, messages;
static u16 avail[2];

static void message(void *arg, u64 addr, u32 data)
{
	(void)arg;
	message_addr = addr;
	message_data = data;
	messages++;
}

static u64 rd(u64 pa, unsigned n) { return space_read(&mem, pa, n); }
static void wr(u64 pa, unsigned n, u64 val) { space_write(&mem, pa, n, val); }
static u64 reg(unsigned off, unsigned n) { return rd(REGS + off, n); }
static void set(unsigned off, unsigned n, u64 val) { wr(REGS + off, n, val); }

static void setup(void)
{
	FILE *f = fopen(IMAGE, "wb");

	for (unsigned i = 0; i < 64 * 512; i++)
		fputc((int)(i / 512 + 1), f);
	fclose(f);
	ck_assert(space_init(&mem, "memory", 40, &err) && space_init(&io, "ports", 16, &err));
	ck_assert(space_add_ram(&mem, "ram", 0, RAM, false, &err));
	pci_bus_init(&bus, &mem, &io);
	bus.message = message;
	ck_assert(disk_open(&disk, IMAGE, 0, &err));
	messages = 0;
	avail[0] = avail[1] = 0;
}

static void teardown(void)
{
	disk_close(&disk);
	space_free(&mem);
	space_free(&io);
	unlink(IMAGE);
}

static void plug(struct virtio *dev)
{
	v = dev;
	ck_assert_msg(pci_add(&bus, &dev->pci, PCI_DEVFN(3, 0), &err), "%s", err.msg);
	virtio_reset(dev);
	pci_config_write(&dev->pci, 0x10, 4, PORTS);
	pci_config_write(&dev->pci, 0x14, 4, MSIX);
	pci_config_write(&dev->pci, 0x20, 4, REGS);
	pci_config_write(&dev->pci, 0x24, 4, 0);
	pci_config_write(&dev->pci, PCI_COMMAND, 2, 7);
}

/* 3.1.1, with one ring of 8 entries at the usual place, or 8000h behind it. */
static void start(u64 features, unsigned queues)
{
	set(20, 1, 0);
	set(20, 1, 3);
	set(8, 4, 0);
	set(12, 4, (u32)features);
	set(8, 4, 1);
	set(12, 4, features >> 32);
	set(20, 1, 11);
	ck_assert_uint_eq(reg(20, 1), 11);
	for (unsigned q = 0; q < queues; q++) {
		set(22, 2, q);
		set(24, 2, 8);
		set(26, 2, q);
		set(32, 8, DESC + q * QUEUE2);
		set(40, 8, AVAIL + q * QUEUE2);
		set(48, 8, USED + q * QUEUE2);
		set(28, 2, 1);
	}
	set(20, 1, 15);
}

static void desc(u64 table, unsigned i, u64 pa, u32 len, u16 flags, u16 next)
{
	wr(table + i * 16, 8, pa);
	wr(table + i * 16 + 8, 4, len);
	wr(table + i * 16 + 12, 2, flags);
	wr(table + i * 16 + 14, 2, next);
}

/* Queue q gets chain head; the device is told. */
static void offer(unsigned q, u16 head)
{
	wr(AVAIL + q * QUEUE2 + 4 + 2 * (avail[q] % 8), 2, head);
	wr(AVAIL + q * QUEUE2 + 2, 2, ++avail[q]);
	set(0x3000 + 4 * q, 2, q);
}

static u16 used(unsigned q) { return (u16)rd(USED + q * QUEUE2 + 2, 2); }
static u32 used_len(unsigned q, unsigned i) { return (u32)rd(USED + q * QUEUE2 + 4 + 8 * i + 4, 4); }

/* A block request with a header at DATA, n bytes at DATA + 1000h, a status at DATA + 800h; returns the status. */
static u8 request(u32 type, u64 sector, u32 n, bool to_guest)
{
	wr(DATA, 4, type);
	wr(DATA + 8, 8, sector);
	wr(DATA + 0x800, 1, 0xee);
	desc(DESC, 0, DATA, 16, 1, n ? 1 : 2);
	desc(DESC, 1, DATA + 0x1000, n, to_guest ? 3 : 1, 2);
	desc(DESC, 2, DATA + 0x800, 1, 2, 0);
	offer(0, 0);
	return (u8)rd(DATA + 0x800, 1);
}

START_TEST(capabilities)
{
	unsigned at, n = 0;

	virtio_blk_init(&blk, VIRTIO_TRANSITIONAL, &disk, "serial");
	plug(&blk.v);
	ck_assert_uint_eq(pci_config_read(&v->pci, 0, 4), 0x10011af4);
	ck_assert_uint_eq(pci_config_read(&v->pci, 0x2e, 2), 2);
	for (at = pci_config_read(&v->pci, 0x34, 1); at; at = pci_config_read(&v->pci, at + 1, 1), n++)
		if (pci_config_read(&v->pci, at, 1) == 9 && pci_config_read(&v->pci, at + 3, 1) != 5)
			ck_assert_uint_eq(pci_config_read(&v->pci, at + 4, 1), 4);
	ck_assert_uint_eq(n, 6); /* four structures, the window, MSI-X */
	ck_assert_uint_eq(reg(0x2000, 8), 64);
	set(0, 4, 1);
	ck_assert_uint_eq(reg(4, 4) & 1, 1); /* version 1 */
	set(8, 4, 0);
	set(12, 4, ~0u); /* more than is offered */
	set(20, 1, 11);
	ck_assert_uint_eq(reg(20, 1), 3);
}
END_TEST

/* 4.1.4.9: BAR 4 through configuration space, even while the device decodes no memory. */
START_TEST(window)
{
	struct pci_device *d;
	unsigned at;

	virtio_blk_init(&blk, VIRTIO_MODERN, &disk, "serial");
	plug(&blk.v);
	d = &v->pci;
	pci_config_write(d, PCI_COMMAND, 2, 0);
	for (at = pci_config_read(d, 0x34, 1); pci_config_read(d, at + 3, 1) != 5 || pci_config_read(d, at, 1) != 9;)
		at = pci_config_read(d, at + 1, 1);
	ck_assert_uint_eq(pci_config_read(d, at + 2, 1), 20);
	pci_config_write(d, at + 4, 1, 4);
	pci_config_write(d, at + 12, 4, 4);
	pci_config_write(d, at + 8, 4, 0x2000); /* sectors */
	ck_assert_uint_eq(pci_config_fetch(d, at + 16, 4), 64);
	pci_config_write(d, at + 12, 4, 1);
	pci_config_write(d, at + 8, 4, 20); /* status */
	pci_config_write(d, at + 16, 1, 3);
	ck_assert_uint_eq(v->s.status, 3);
	ck_assert_uint_eq(pci_config_fetch(d, at + 16, 1), 3);
	pci_config_write(d, at + 4, 1, 1); /* another BAR, a crooked offset, a length that there is not: nothing happens */
	pci_config_write(d, at + 16, 1, 0);
	pci_config_write(d, at + 4, 1, 4);
	pci_config_write(d, at + 12, 4, 3);
	pci_config_write(d, at + 16, 1, 0);
	pci_config_write(d, at + 12, 4, 4);
	pci_config_write(d, at + 8, 4, 0x3fff);
	pci_config_write(d, at + 16, 4, 0);
	ck_assert_uint_eq(v->s.status, 3);
}
END_TEST

START_TEST(block)
{
	virtio_blk_init(&blk, VIRTIO_MODERN, &disk, "serial");
	plug(&blk.v);
	ck_assert_uint_eq(pci_config_read(&v->pci, 0, 4), 0x10421af4);
	start(VIRTIO_F_VERSION_1 | BIT(9), 1);
	ck_assert_uint_eq(request(0, 3, 1024, true), 0);
	ck_assert_uint_eq(rd(DATA + 0x1000, 1), 4);
	ck_assert_uint_eq(rd(DATA + 0x1000 + 1023, 1), 5);
	ck_assert_uint_eq(used(0), 1);
	ck_assert_uint_eq(used_len(0, 0), 1025);
	ck_assert(v->pci.s.intx);
	ck_assert_uint_eq(reg(0x1000, 1), 1); /* ISR: reading acknowledges */
	ck_assert(!v->pci.s.intx);
	wr(DATA + 0x1000, 8, 0x1122334455667788);
	ck_assert_uint_eq(request(1, 63, 512, false), 0);
	ck_assert_uint_eq(request(0, 63, 512, true), 0);
	ck_assert_uint_eq(rd(DATA + 0x1000, 8), 0x1122334455667788);
	ck_assert_uint_eq(request(4, 0, 0, false), 0);
	ck_assert_uint_eq(request(8, 0, 20, true), 0);
	ck_assert_uint_eq(rd(DATA + 0x1000, 8), 0x6c6169726573); /* "serial" */
	ck_assert_uint_eq(request(0, 64, 512, true), 1);         /* behind the end */
	ck_assert_uint_eq(request(0, 63, 1024, true), 1);
	ck_assert_uint_eq(request(0, ~0ull, 512, true), 1);
	ck_assert_uint_eq(request(0, 1, 100, true), 1); /* no whole sector */
	ck_assert_uint_eq(request(77, 0, 0, false), 2);
	ck_assert_uint_eq(reg(20, 1), 15);
}
END_TEST

START_TEST(read_only_disk)
{
	disk_close(&disk);
	ck_assert(disk_open(&disk, IMAGE, DISK_READ_ONLY, &err));
	virtio_blk_init(&blk, VIRTIO_MODERN, &disk, NULL);
	plug(&blk.v);
	ck_assert(reg(4, 4) & BIT(5));
	start(VIRTIO_F_VERSION_1, 1);
	ck_assert_uint_eq(request(1, 0, 512, false), 1);
	ck_assert_uint_eq(request(0, 0, 512, true), 0);
}
END_TEST

START_TEST(legacy)
{
	virtio_blk_init(&blk, VIRTIO_TRANSITIONAL, &disk, NULL);
	plug(&blk.v);
	ck_assert_uint_eq(space_read(&io, PORTS + 12, 2), 256);
	ck_assert_uint_eq(space_read(&io, PORTS + 20, 4), 64); /* capacity: no vectors while MSI-X is off */
	space_write(&io, PORTS + 18, 1, 3);
	space_write(&io, PORTS + 4, 4, 0);
	space_write(&io, PORTS + 8, 4, DATA >> 12 << 2);
	space_write(&io, PORTS + 18, 1, 7);
	/* descriptors at 80000h, available ring at 81000h, used ring at 82000h: 256 entries */
	wr(DATA, 4, 0);
	wr(DATA + 8, 8, 9);
	desc(0x80000, 0, DATA, 16, 1, 1);
	desc(0x80000, 1, DATA + 0x1000, 512, 3, 2);
	desc(0x80000, 2, DATA + 0x800, 1, 2, 0);
	wr(0x81002, 2, 1);
	space_write(&io, PORTS + 16, 2, 0);
	ck_assert_uint_eq(rd(DATA + 0x1000, 1), 10);
	ck_assert_uint_eq(rd(0x82002, 2), 1);
	ck_assert_uint_eq(space_read(&io, PORTS + 19, 1), 1);
	space_write(&io, PORTS + 18, 1, 0);
	ck_assert_uint_eq(space_read(&io, PORTS + 8, 4), 0);
}
END_TEST

START_TEST(msix)
{
	virtio_blk_init(&blk, VIRTIO_MODERN, &disk, NULL);
	plug(&blk.v);
	start(VIRTIO_F_VERSION_1, 1);
	wr(MSIX, 4, 0xfee01000);
	wr(MSIX + 8, 4, 0x4041);
	pci_config_write(&v->pci, 0x9a, 2, 0x8000);
	ck_assert_uint_eq(request(0, 0, 512, true), 0);
	ck_assert_uint_eq(messages, 0); /* the entry is masked */
	ck_assert_uint_eq(rd(MSIX + 0x800, 4), 1);
	wr(MSIX + 12, 4, 0);
	ck_assert_uint_eq(messages, 1);
	ck_assert_uint_eq(message_addr, 0xfee01000);
	ck_assert_uint_eq(message_data, 0x4041);
	pci_config_write(&v->pci, 0x9a, 2, 0xc000);
	request(0, 0, 512, true);
	ck_assert_uint_eq(messages, 1);
	pci_config_write(&v->pci, 0x9a, 2, 0x8000);
	ck_assert_uint_eq(messages, 2);
	ck_assert(!v->pci.s.intx);
	set(26, 2, 9); /* no such vector */
	ck_assert_uint_eq(reg(26, 2), 0xffff);
}
END_TEST

START_TEST(event_index)
{
	virtio_blk_init(&blk, VIRTIO_MODERN, &disk, NULL);
	plug(&blk.v);
	start(VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC, 1);
	wr(AVAIL + 4 + 16, 2, 1); /* interrupt when the second one is done */
	request(0, 0, 512, true);
	reg(0x1000, 1); /* the first one always interrupts: what came before is not known */
	request(0, 0, 512, true);
	ck_assert_uint_eq(reg(0x1000, 1), 1);
	request(0, 0, 512, true);
	ck_assert_uint_eq(reg(0x1000, 1), 0);
	ck_assert_uint_eq(rd(USED + 4 + 64, 2), 3); /* notify me about the next one */
	/* the same request by an indirect table */
	wr(DATA + 8, 8, 5);
	desc(TABLE, 0, DATA, 16, 1, 2);
	desc(TABLE, 2, DATA + 0x1000, 512, 3, 1);
	desc(TABLE, 1, DATA + 0x800, 1, 2, 0);
	desc(DESC, 5, TABLE, 48, 4, 0);
	offer(0, 5);
	ck_assert_uint_eq(rd(DATA + 0x1000, 1), 6);
	ck_assert_uint_eq(rd(USED + 4 + 8 * 3, 4), 5);
}
END_TEST

static void goes_wrong(u64 features)
{
	u16 before = used(0);

	offer(0, 0);
	ck_assert_uint_eq(reg(20, 1), 15 | VIRTIO_NEEDS_RESET);
	ck_assert_uint_eq(used(0), before);
	avail[0] = 0;
	wr(AVAIL + 2, 2, 0);
	wr(USED + 2, 2, 0);
	start(features, 1);
}

START_TEST(bad_drivers)
{
	u64 f = VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC;

	virtio_blk_init(&blk, VIRTIO_MODERN, &disk, NULL);
	plug(&blk.v);
	start(f, 1);
	desc(DESC, 0, DATA, 16, 1, 0); /* a circle */
	goes_wrong(f);
	desc(DESC, 0, DATA, 16, 1, 8); /* behind the table */
	goes_wrong(f);
	desc(DESC, 0, DATA, 16, 3, 1); /* readable behind writable */
	desc(DESC, 1, DATA, 16, 0, 0);
	goes_wrong(f);
	desc(DESC, 0, TABLE, 16, 4, 0); /* a table in a table */
	desc(TABLE, 0, TABLE, 16, 4, 0);
	goes_wrong(f);
	desc(DESC, 0, TABLE, 24, 4, 0); /* no whole descriptors */
	goes_wrong(f);
	desc(DESC, 0, DATA, 16, 1, 1); /* 8 GB */
	desc(DESC, 1, DATA, ~0u, 1, 2);
	desc(DESC, 2, DATA, ~0u, 0, 2);
	goes_wrong(f);
	avail[0] = 100; /* more than the ring holds */
	goes_wrong(f);
	ck_assert_uint_eq(request(0, 0, 512, true), 0); /* and after a reset it works again */
	desc(DESC, 0, DATA, 8, 0, 0);                   /* a short header, nothing to write to: dropped */
	offer(0, 0);
	ck_assert_uint_eq(used(0), 2);
	ck_assert_uint_eq(used_len(0, 1), 0);
}
END_TEST

static u8 sent[2000];
static u32 sent_size;

static void on_send(void *arg, const u8 *frame, u32 size)
{
	ck_assert_ptr_eq(arg, &net);
	memcpy(sent, frame, size);
	sent_size = size;
}

START_TEST(network)
{
	u8 frame[100];

	memset(frame, 0x42, sizeof frame);
	virtio_net_init(&net, VIRTIO_MODERN, (const u8[6]){0x52, 0x54, 0, 1, 2, 3});
	plug(&net.v);
	ck_assert_uint_eq(reg(0x2006, 2), 0);
	virtio_net_connect(&net, on_send, &net);
	ck_assert_uint_eq(reg(0x2000, 4), 0x01005452);
	ck_assert_uint_eq(reg(0x2006, 2), 1);
	ck_assert_uint_eq(virtio_net_room(&net), 0);
	start(VIRTIO_F_VERSION_1, 2);
	virtio_net_receive(&net, frame, sizeof frame); /* no buffer: lost */
	desc(DESC, 0, DATA, 2000, 2, 0);
	offer(0, 0);
	ck_assert_uint_eq(virtio_net_room(&net), 1);
	virtio_net_receive(&net, frame, sizeof frame);
	ck_assert_uint_eq(used(0), 1);
	ck_assert_uint_eq(used_len(0, 0), 112);
	ck_assert_uint_eq(rd(DATA + 10, 2), 1);
	ck_assert_uint_eq(rd(DATA + 12 + 99, 1), 0x42);
	ck_assert_uint_eq(virtio_net_room(&net), 0);
	wr(DATA + 12, 4, 0x99887766);
	desc(DESC + QUEUE2, 0, DATA, 12, 1, 1);
	desc(DESC + QUEUE2, 1, DATA + 12, 60, 0, 0);
	offer(1, 0);
	ck_assert_uint_eq(sent_size, 60);
	ck_assert_uint_eq(load_le(sent, 4), 0x99887766);
	sent_size = 0;
	desc(DESC + QUEUE2, 1, DATA + 12, 3000, 0, 0); /* longer than a frame */
	offer(1, 0);
	ck_assert_uint_eq(sent_size, 0);
	ck_assert_uint_eq(used(1), 2);
}
END_TEST

START_TEST(entropy)
{
	u64 a, b;

	virtio_rng_init(&rng, VIRTIO_MODERN, 7);
	plug(&rng.v);
	start(VIRTIO_F_VERSION_1, 1);
	desc(DESC, 0, DATA, 13, 2, 0);
	wr(DATA + 8, 8, 0);
	offer(0, 0);
	a = rd(DATA, 8);
	ck_assert_uint_eq(used_len(0, 0), 13);
	ck_assert(rd(DATA + 8, 5) && !rd(DATA + 13, 1));
	offer(0, 0);
	b = rd(DATA, 8);
	ck_assert(a && a != b);
	virtio_rng_init(&rng, VIRTIO_MODERN, 7); /* the same seed, the same numbers */
	bus.functions = 0;
	region_enable(&mem, space_find(&mem, REGS), false);
	plug(&rng.v);
	avail[0] = 0;
	start(VIRTIO_F_VERSION_1, 1);
	offer(0, 0);
	ck_assert_uint_eq(rd(DATA, 8), a);
}
END_TEST

START_TEST(noise)
{
	u32 seed = 99;

	virtio_blk_init(&blk, VIRTIO_TRANSITIONAL, &disk, NULL);
	plug(&blk.v);
	for (unsigned i = 0; i < 20000; i++) {
		seed = seed * 1103515245 + 12345;
		switch (seed >> 28) {
		case 0:
		case 1: set(seed >> 8 & 0x3f, 1u << (seed >> 16 & 3), seed * 0x9e3779b97f4a7c15); break;
		case 2: space_write(&io, PORTS + (seed >> 8 & 0x3f), 1u << (seed >> 16 & 1), seed >> 9); break;
		case 3: set(0x3000, 2, 0); break;
		case 4: wr(MSIX + (seed >> 8 & 0xfff), 4, seed); break;
		case 5: start(VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC, 1); break;
		case 6: reg(seed >> 8 & 0x3fff, 1u << (seed >> 24 & 3)); break;
		default: wr(DESC + (seed >> 8 & 0x2fff), 1u << (seed >> 24 & 3), seed >> 3 & 0x1ffff); break;
		}
	}
	wr(AVAIL + 2, 2, 0);
	wr(USED + 2, 2, 0);
	avail[0] = 0;
	start(VIRTIO_F_VERSION_1, 1);
	wr(AVAIL, 2, 0);
	ck_assert_uint_le(request(0, 1, 512, true), 1);
}
END_TEST

START_TEST(field_tables)
{
	ck_assert_int_eq(field_gap(virtio_queue_fields, VIRTIO_QUEUE_FIELDS, sizeof(struct virtio_queue_state)), -1);
	ck_assert_int_eq(field_gap(virtio_fields, VIRTIO_FIELDS, offsetof(struct virtio_state, queue)), -1);
	ck_assert_int_eq(field_gap(pci_msix_fields, PCI_MSIX_FIELDS, sizeof(struct pci_msix_state)), -1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("virtio");
	TCase *tc = tcase_create("virtio");
	SRunner *r = srunner_create(s);
	char dir[] = "/tmp/undervisor-test-XXXXXX";
	int failed;

	if (!mkdtemp(dir) || chdir(dir))
		return EXIT_FAILURE;
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, capabilities);
	tcase_add_test(tc, window);
	tcase_add_test(tc, block);
	tcase_add_test(tc, read_only_disk);
	tcase_add_test(tc, legacy);
	tcase_add_test(tc, msix);
	tcase_add_test(tc, event_index);
	tcase_add_test(tc, bad_drivers);
	tcase_add_test(tc, network);
	tcase_add_test(tc, entropy);
	tcase_add_test(tc, noise);
	tcase_add_test(tc, field_tables);
	suite_add_tcase(s, tc);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	rmdir(dir);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
