/* The I/O APIC (edges, levels, remote IRR, EOI, masks) and the HPET (counter, one-shot, periodic, routes). */
#include <check.h>
#include <stdlib.h>

#include "devices/hpet.h"
#include "devices/ioapic.h"

static struct sched sched;
static struct ioapic io;
static struct hpet hpet;
static struct apic_msg last;
static unsigned sent;
static bool refuse;
static unsigned rises[HPET_PINS], legacy_rises[16], legacy_calls;
static bool levels[HPET_PINS], legacy_on;

static bool on_send(void *bus, const struct apic_msg *m)
{
	(void)bus;
	last = *m;
	sent++;
	return !refuse;
}
static void on_pin(void *arg, unsigned n, bool level)
{
	(void)arg;
	rises[n] += level;
	levels[n] = level;
}
static void on_legacy_irq(void *arg, unsigned n, bool level)
{
	(void)arg;
	legacy_rises[n] += level;
}
static void on_legacy(void *arg, bool on)
{
	(void)arg;
	legacy_calls++;
	legacy_on = on;
}

static void setup(void)
{
	sched_init(&sched);
	sent = legacy_calls = 0;
	refuse = legacy_on = false;
	memset(rises, 0, sizeof rises);
	memset(levels, 0, sizeof levels);
	memset(legacy_rises, 0, sizeof legacy_rises);
	ioapic_init(&io, on_send, NULL);
	hpet_init(&hpet, &sched, 50, HPET_ROUTES);
	for (unsigned i = 0; i < HPET_PINS; i++)
		irq_connect(&hpet.pin[i], on_pin, NULL, i);
	irq_connect(&hpet.legacy_irq[0], on_legacy_irq, NULL, 0);
	irq_connect(&hpet.legacy_irq[1], on_legacy_irq, NULL, 8);
	hpet.legacy = on_legacy;
}

static u32 io_get(unsigned index)
{
	ioapic_ops.write(&io, 0x00, 4, index);
	return (u32)ioapic_ops.read(&io, 0x10, 4);
}
static void io_put(unsigned index, u32 val)
{
	ioapic_ops.write(&io, 0x00, 4, index);
	ioapic_ops.write(&io, 0x10, 4, val);
}
static void entry(unsigned pin, u64 e)
{
	io_put(0x11 + 2 * pin, (u32)(e >> 32));
	io_put(0x10 + 2 * pin, (u32)e);
}
static u64 get(unsigned off) { return hpet_ops.read(&hpet, off, 8); }
static u32 get32(unsigned off) { return (u32)hpet_ops.read(&hpet, off, 4); }
static void put(unsigned off, u64 val) { hpet_ops.write(&hpet, off, 8, val); }
static void put32(unsigned off, u32 val) { hpet_ops.write(&hpet, off, 4, val); }
static void run_to(u64 now)
{
	while (sched_next(&sched) <= now) {
		sched.now = sched_next(&sched);
		sched_fire(&sched);
	}
	sched.now = now;
}

START_TEST(fields_cover_the_states)
{
	ck_assert_int_eq(field_gap(ioapic_fields, IOAPIC_FIELDS, sizeof(struct ioapic_state)), -1);
	ck_assert_int_eq(field_gap(hpet_fields, HPET_FIELDS, sizeof(struct hpet_state)), -1);
}
END_TEST

START_TEST(ioapic_registers)
{
	ck_assert_uint_eq(io_get(1), 0x00170020);
	io_put(0, 0xffffffff);
	ck_assert_uint_eq(io_get(0), 0x0f000000);
	ck_assert_uint_eq(io_get(0x10), 0x10000);
	entry(5, ~0ull & ~BIT(16));
	ck_assert_uint_eq(io_get(0x1a), 0xafff); /* bits 12 and 14 are read-only */
	ck_assert_uint_eq(io_get(0x1b), 0xff000000);
	for (unsigned i = 0; i < 256; i++) {
		io_put(i, 0xffffffff);
		io_get(i);
	}
	ck_assert_uint_eq(io_get(0x40), 0);
	for (unsigned off = 0; off < IOAPIC_SIZE; off++)
		ioapic_ops.write(&io, off, 1, 0xff);
	ioapic_set(&io, 24, true);
	ioapic_set(&io, 1000, true);
}
END_TEST

START_TEST(ioapic_edge)
{
	ioapic_set(&io, 4, true); /* masked: lost */
	entry(4, 3ull << 56 | 0x834);
	ck_assert_uint_eq(sent, 0);
	ioapic_set(&io, 4, true);
	ck_assert_uint_eq(sent, 0);
	ioapic_set(&io, 4, false);
	ioapic_set(&io, 4, true);
	ck_assert_uint_eq(sent, 1);
	ck_assert_uint_eq(last.vector, 0x34);
	ck_assert_uint_eq(last.dest, 3);
	ck_assert(last.logical && !last.level && last.mode == APIC_FIXED);
	entry(4, 0x8400); /* NMI is an edge whatever the trigger bit says */
	ioapic_set(&io, 4, false);
	ioapic_set(&io, 4, true);
	ck_assert_uint_eq(sent, 2);
	ck_assert(last.mode == APIC_NMI && !last.level);
}
END_TEST

START_TEST(ioapic_level)
{
	ioapic_set(&io, 9, true);
	entry(9, 0x8139 | BIT(16));
	ck_assert_uint_eq(sent, 0);
	entry(9, 0x8139);
	ck_assert_uint_eq(sent, 1);
	ck_assert(last.level && last.mode == APIC_LOWEST);
	ck_assert_uint_eq(io_get(0x10 + 18), 0xc139);
	ioapic_set(&io, 9, false);
	ioapic_set(&io, 9, true);
	ck_assert_uint_eq(sent, 1); /* waits for the EOI */
	ioapic_eoi(&io, 0x38);
	ck_assert_uint_eq(sent, 1);
	ioapic_eoi(&io, 0x39);
	ck_assert_uint_eq(sent, 2); /* still asserted */
	ioapic_set(&io, 9, false);
	ioapic_ops.write(&io, 0x40, 4, 0x39); /* the EOI register */
	ck_assert_uint_eq(sent, 2);
	ck_assert_uint_eq(io_get(0x10 + 18), 0x8139);
	ioapic_set(&io, 9, true);
	entry(9, 0x0139 | BIT(16)); /* mask and edge: clears a stuck remote IRR */
	entry(9, 0x8139);
	ck_assert_uint_eq(sent, 4);
	refuse = true;
	ioapic_eoi(&io, 0x39);
	ck_assert_uint_eq(io_get(0x10 + 18), 0x8139); /* nobody took it, no EOI will come */
}
END_TEST

START_TEST(ioapic_extint)
{
	ioapic_set(&io, 0, true);
	entry(0, 0x700);
	ck_assert_uint_eq(sent, 1);
	ck_assert(last.mode == APIC_EXTINT);
	entry(0, 0x700);
	ck_assert_uint_eq(sent, 1);
}
END_TEST

START_TEST(hpet_registers)
{
	ck_assert_uint_eq(get(0), 0x009896808086a201);
	ck_assert_uint_eq(get32(4), 10000000);
	ck_assert_uint_eq(get(0x100), (u64)HPET_ROUTES << 32 | 0x30);
	ck_assert_uint_eq(get(0x108), ~0ull);
	put(0xf0, 0x1122334455667788);
	ck_assert_uint_eq(get32(0xf4), 0x11223344);
	put32(0xf4, 0);
	ck_assert_uint_eq(get(0xf0), 0x55667788);
	for (unsigned off = 0; off < HPET_SIZE; off += 4) {
		get32(off);
		put32(off, 0xffffffff);
		put32(off, 0);
	}
}
END_TEST

START_TEST(hpet_counter)
{
	run_to(1000);
	ck_assert_uint_eq(get(0xf0), 0);
	put(0x10, 1);
	run_to(1995);
	ck_assert_uint_eq(get(0xf0), 99);
	put(0x10, 0);
	run_to(5000);
	ck_assert_uint_eq(get(0xf0), 99);
	put(0xf0, 7);
	put(0x10, 1);
	run_to(5010);
	ck_assert_uint_eq(get(0xf0), 8);
}
END_TEST

START_TEST(hpet_one_shot)
{
	put(0x10, 1);
	put(0x120, 16 << 9 | 4); /* timer 1, edge, pin 16 */
	put(0x128, 100);
	run_to(999);
	ck_assert_uint_eq(rises[16], 0);
	run_to(1000);
	ck_assert_uint_eq(rises[16], 1);
	ck_assert(!levels[16]);
	ck_assert_uint_eq(get(0x20), 0);
	ck_assert_uint_eq(sched_next(&sched), TIME_NEVER);
	put(0x128, 50); /* passed: waits for the wrap of 64 bits */
	ck_assert_uint_eq(sched_next(&sched), TIME_NEVER);
	put(0x120, 16 << 9 | 4 | 0x100); /* 32 bits */
	put(0x128, 50);
	ck_assert_uint_eq(sched_next(&sched), 10 * (BIT(32) + 50));
	run_to(10 * (BIT(32) + 50));
	ck_assert_uint_eq(rises[16], 2);
	ck_assert_uint_eq(sched_next(&sched), 10 * (2 * BIT(32) + 50));
	put(0x120, 5 << 9 | 4); /* pin 5 is not in the mask: no interrupt */
	put(0x128, get(0xf0) + 1);
	run_to(sched.now + 10);
	ck_assert_uint_eq(rises[5] + rises[16], 2);
}
END_TEST

START_TEST(hpet_periodic)
{
	put(0x100, 2 << 9 | 0x4c); /* periodic, set value */
	put(0x108, 30);
	put(0x108, 20); /* the period only */
	ck_assert_uint_eq(get(0x108), 30);
	ck_assert_uint_eq(get32(0x100) & 0x40, 0);
	put(0x10, 1);
	run_to(300);
	ck_assert_uint_eq(rises[2], 1);
	ck_assert_uint_eq(get(0x108), 50);
	run_to(900);
	ck_assert_uint_eq(rises[2], 4);
	sched.now = 1900; /* late: one interrupt, phase kept */
	sched_fire(&sched);
	ck_assert_uint_eq(rises[2], 5);
	ck_assert_uint_eq(sched_next(&sched), 2100);
}
END_TEST

START_TEST(hpet_level_shared)
{
	put(0x10, 1);
	put(0x120, 20 << 9 | 6);
	put(0x140, 20 << 9 | 6);
	put(0x128, 10);
	put(0x148, 20);
	run_to(200);
	ck_assert(levels[20]);
	ck_assert_uint_eq(get(0x20), 6);
	put(0x20, 2);
	ck_assert(levels[20]);
	put(0x20, 4);
	ck_assert(!levels[20]);
	ck_assert_uint_eq(rises[20], 1);
	put(0x140, 20 << 9 | 2); /* status without an interrupt */
	put(0x148, 30);
	run_to(300);
	ck_assert(!levels[20]);
	ck_assert_uint_eq(get(0x20), 4);
}
END_TEST

START_TEST(hpet_legacy)
{
	put(0x10, 3);
	ck_assert(legacy_on);
	put(0x100, 2 << 9 | 4);
	put(0x120, 16 << 9 | 4);
	put(0x108, 5);
	put(0x128, 6);
	run_to(60);
	ck_assert_uint_eq(legacy_rises[0], 1);
	ck_assert_uint_eq(legacy_rises[8], 1);
	ck_assert_uint_eq(rises[2] + rises[16], 0);
	hpet_reset(&hpet);
	ck_assert(!legacy_on);
	ck_assert_uint_eq(legacy_calls, 2);
}
END_TEST

START_TEST(hpet_save_and_load)
{
	struct hpet_state saved;

	put(0x10, 1);
	put(0x120, 20 << 9 | 4);
	put(0x128, 10);
	put(0x100, 2 << 9 | 0x4c);
	put(0x108, 15);
	run_to(100); /* timer 1 matched in this very tick: it must not match again */
	saved = hpet.s;
	hpet_reset(&hpet);
	hpet.s = saved;
	hpet_post_load(&hpet);
	ck_assert_uint_eq(sched_next(&sched), 150);
	run_to(149);
	ck_assert_uint_eq(rises[20], 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ioapic_hpet");
	TCase *tc = tcase_create("ioapic_hpet");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, fields_cover_the_states);
	tcase_add_test(tc, ioapic_registers);
	tcase_add_test(tc, ioapic_edge);
	tcase_add_test(tc, ioapic_level);
	tcase_add_test(tc, ioapic_extint);
	tcase_add_test(tc, hpet_registers);
	tcase_add_test(tc, hpet_counter);
	tcase_add_test(tc, hpet_one_shot);
	tcase_add_test(tc, hpet_periodic);
	tcase_add_test(tc, hpet_level_shared);
	tcase_add_test(tc, hpet_legacy);
	tcase_add_test(tc, hpet_save_and_load);
	suite_add_tcase(s, tc);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
