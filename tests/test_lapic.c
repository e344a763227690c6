/*
 * The local APIC and the interrupt bus: acceptance and priority, EOI, timer modes, IPIs and destinations, x2APIC MSR
 * rules, APIC base transitions, errors, LINT pins. No CPU: counters stand in for its callbacks.
 */
#include <check.h>
#include <stdlib.h>

#include "devices/apic_bus.h"

#define CPUS 4

struct heard {
	unsigned intr, nmi, smi, init, sipi, sipi_vector, extint;
	bool extint_level;
};

static struct sched sched;
static struct apic_bus bus;
static struct lapic apic[CPUS];
static struct heard heard[CPUS];
static unsigned eois, last_eoi;

static void on_intr(void *arg) { ((struct heard *)arg)->intr++; }
static void on_nmi(void *arg) { ((struct heard *)arg)->nmi++; }
static void on_smi(void *arg) { ((struct heard *)arg)->smi++; }
static void on_init(void *arg)
{
	struct heard *h = arg;

	h->init++;
	lapic_init_reset(&apic[h - heard]);
}
static void on_sipi(void *arg, u8 vector)
{
	((struct heard *)arg)->sipi++;
	((struct heard *)arg)->sipi_vector = vector;
}
static void on_extint(void *arg, bool level)
{
	((struct heard *)arg)->extint++;
	((struct heard *)arg)->extint_level = level;
}
/* The TSC runs at 2 GHz. */
static u64 on_tsc(void *arg, u64 tsc)
{
	(void)arg;
	return tsc / 2 + (tsc & 1);
}
static void on_eoi(void *arg, u8 vector)
{
	(void)arg;
	eois++;
	last_eoi = vector;
}

static void setup(void)
{
	sched_init(&sched);
	apic_bus_init(&bus);
	bus.eoi = on_eoi;
	memset(heard, 0, sizeof heard);
	eois = last_eoi = 0;
	for (unsigned i = 0; i < CPUS; i++) {
		lapic_init(&apic[i], &sched, 100 + i, i, i == 0);
		apic[i].wire = (struct lapic_wiring){
			.cpu = &heard[i],
			.intr_changed = on_intr,
			.extint = on_extint,
			.nmi = on_nmi,
			.smi = on_smi,
			.init = on_init,
			.sipi = on_sipi,
			.tsc_to_ns = on_tsc,
		};
		ck_assert(apic_bus_add(&bus, &apic[i]));
	}
}

static u32 rd(unsigned i, unsigned off) { return (u32)lapic_ops.read(&apic[i], off, 4); }
static void wr(unsigned i, unsigned off, u32 val) { lapic_ops.write(&apic[i], off, 4, val); }
static void enable(unsigned i) { wr(i, 0xf0, 0x1ff); }
static void enable_all(void)
{
	for (unsigned i = 0; i < CPUS; i++)
		enable(i);
}
static void x2apic(unsigned i) { ck_assert(lapic_base_write(&apic[i], apic[i].s.base | APIC_BASE_EXTD)); }
static void icr(unsigned i, u32 dest, u32 low)
{
	wr(i, 0x310, dest << 24);
	wr(i, 0x300, low);
}
static void run_to(u64 now)
{
	while (sched_next(&sched) <= now) {
		sched.now = sched_next(&sched);
		sched_fire(&sched);
	}
	sched.now = now;
}
static int wrmsr(unsigned i, u32 msr, u64 val) { return lapic_msr_write(&apic[i], msr, val); }
static u64 rdmsr(unsigned i, u32 msr)
{
	u64 val = ~0ull;

	ck_assert(lapic_msr_read(&apic[i], msr, &val));
	return val;
}
static bool rdmsr_gp(unsigned i, u32 msr)
{
	u64 val;

	return !lapic_msr_read(&apic[i], msr, &val);
}

START_TEST(fields_cover_the_state)
{
	ck_assert_int_eq(field_gap(lapic_fields, LAPIC_FIELDS, sizeof(struct lapic_state)), -1);
}
END_TEST

START_TEST(reset_values)
{
	ck_assert_uint_eq(apic[0].s.base, 0xfee00900);
	ck_assert_uint_eq(apic[1].s.base, 0xfee00800);
	ck_assert_uint_eq(rd(2, 0x20), 2u << 24);
	ck_assert_uint_eq(rd(0, 0x30), 0x00050010);
	ck_assert_uint_eq(rd(0, 0xf0), 0xff);
	ck_assert_uint_eq(rd(0, 0xe0), 0xffffffff);
	for (unsigned off = 0x320; off <= 0x370; off += 0x10)
		ck_assert_uint_eq(rd(0, off), 0x10000);
	ck_assert_int_eq(lapic_pending(&apic[0]), -1);
}
END_TEST

START_TEST(priority_and_eoi)
{
	enable(0);
	lapic_receive(&apic[0], APIC_FIXED, 0x41, false);
	lapic_receive(&apic[0], APIC_FIXED, 0x35, false);
	ck_assert_int_eq(lapic_pending(&apic[0]), 0x41);
	ck_assert_uint_eq(lapic_accept(&apic[0]), 0x41);
	ck_assert_uint_eq(rd(0, 0x120), 2);
	ck_assert_uint_eq(rd(0, 0xa0), 0x40);
	ck_assert_int_eq(lapic_pending(&apic[0]), -1); /* 35h waits */
	lapic_receive(&apic[0], APIC_FIXED, 0x4f, false);
	ck_assert_int_eq(lapic_pending(&apic[0]), -1); /* same class */
	lapic_receive(&apic[0], APIC_FIXED, 0x50, true);
	ck_assert_uint_eq(lapic_accept(&apic[0]), 0x50);
	ck_assert_uint_eq(rd(0, 0x1a0), 1u << 16); /* TMR */
	wr(0, 0xb0, 0);
	ck_assert_uint_eq(eois, 1);
	ck_assert_uint_eq(last_eoi, 0x50);
	wr(0, 0xb0, 0);
	ck_assert_uint_eq(eois, 1); /* 41h was edge-triggered */
	ck_assert_uint_eq(lapic_accept(&apic[0]), 0x4f);
	ck_assert_uint_eq(rd(0, 0x210), 1u << 21);
}
END_TEST

START_TEST(task_priority)
{
	enable(0);
	lapic_set_tpr(&apic[0], 5);
	ck_assert_uint_eq(rd(0, 0x80), 0x50);
	lapic_receive(&apic[0], APIC_FIXED, 0x5f, false);
	ck_assert_int_eq(lapic_pending(&apic[0]), -1);
	ck_assert_uint_eq(lapic_accept(&apic[0]), 0xff); /* spurious, nothing in service */
	ck_assert_uint_eq(rd(0, 0x120) | rd(0, 0x170), 0);
	wr(0, 0x80, 0x4f);
	ck_assert_uint_eq(lapic_get_tpr(&apic[0]), 4);
	ck_assert_uint_eq(rd(0, 0xa0), 0x4f);
	ck_assert_int_eq(lapic_pending(&apic[0]), 0x5f);
	ck_assert_uint_eq(rd(0, 0x90), 0x50); /* APR */
}
END_TEST

START_TEST(pending_is_always_what_a_full_scan_says)
{
	u32 seed = 1;

	enable(0);
	for (unsigned step = 0; step < 20000; step++) {
		unsigned best = 0;

		seed = seed * 1103515245 + 12345;
		switch (seed >> 28) {
		case 0: wr(0, 0x80, seed >> 8); break;
		case 1:
		case 2:
		case 3: wr(0, 0xb0, 0); break;
		case 4:
		case 5:
		case 6: lapic_accept(&apic[0]); break;
		default: lapic_receive(&apic[0], APIC_FIXED, (u8)(seed >> 12), seed & 1); break;
		}
		for (unsigned v = 16; v < 256; v++)
			if (rd(0, 0x200 + v / 32 * 16) >> v % 32 & 1)
				best = v;
		if (best >> 4 <= rd(0, 0xa0) >> 4)
			ck_assert_int_eq(lapic_pending(&apic[0]), -1);
		else
			ck_assert_int_eq(lapic_pending(&apic[0]), (int)best);
	}
}
END_TEST

START_TEST(software_disable_holds)
{
	enable(0);
	wr(0, 0x350, 0x8730);
	lapic_receive(&apic[0], APIC_FIXED, 0x60, false);
	wr(0, 0xf0, 0xff);
	ck_assert_int_eq(lapic_pending(&apic[0]), -1);
	ck_assert_uint_eq(rd(0, 0x350), 0x18730);
	wr(0, 0x350, 0x8730);
	ck_assert_uint_eq(rd(0, 0x350), 0x18730); /* the mask stays */
	ck_assert(!lapic_receive(&apic[0], APIC_FIXED, 0x61, false));
	ck_assert(lapic_receive(&apic[0], APIC_NMI, 0, false));
	ck_assert_uint_eq(heard[0].nmi, 1);
	enable(0);
	ck_assert_int_eq(lapic_pending(&apic[0]), 0x60);
}
END_TEST

START_TEST(timer_one_shot_and_periodic)
{
	enable(0);
	wr(0, 0x320, 0x40);
	wr(0, 0x3e0, 0x0b); /* by 1 */
	wr(0, 0x380, 1000);
	run_to(400);
	ck_assert_uint_eq(rd(0, 0x390), 600);
	wr(0, 0x3e0, 0x03); /* by 16 from here on */
	run_to(400 + 599 * 16);
	ck_assert_uint_eq(rd(0, 0x390), 1);
	ck_assert_int_eq(lapic_pending(&apic[0]), -1);
	run_to(400 + 600 * 16);
	ck_assert_uint_eq(lapic_accept(&apic[0]), 0x40);
	ck_assert_uint_eq(rd(0, 0x390), 0);
	ck_assert_uint_eq(sched_next(&sched), TIME_NEVER);
	wr(0, 0xb0, 0);
	wr(0, 0x320, 0x20041);
	wr(0, 0x3e0, 0x0b);
	wr(0, 0x380, 100);
	for (unsigned i = 0; i < 3; i++) {
		run_to(sched.now + 100);
		ck_assert_uint_eq(lapic_accept(&apic[0]), 0x41);
		ck_assert_uint_eq(rd(0, 0x390), 100);
		wr(0, 0xb0, 0);
	}
	run_to(sched.now + 30);
	ck_assert_uint_eq(rd(0, 0x390), 70);
	sched.now += 1070; /* late by ten periods: one interrupt, phase kept */
	sched_fire(&sched);
	ck_assert_uint_eq(rd(0, 0x390), 100);
	wr(0, 0x380, 0);
	ck_assert_uint_eq(sched_next(&sched), TIME_NEVER);
}
END_TEST

START_TEST(timer_deadline)
{
	enable(0);
	ck_assert(wrmsr(0, MSR_TSC_DEADLINE, 5000));
	ck_assert_uint_eq(rdmsr(0, MSR_TSC_DEADLINE), 0); /* not in deadline mode */
	wr(0, 0x320, 0x40042);
	wr(0, 0x380, 100); /* ignored */
	ck_assert_uint_eq(sched_next(&sched), TIME_NEVER);
	ck_assert(wrmsr(0, MSR_TSC_DEADLINE, 5001));
	ck_assert_uint_eq(sched_next(&sched), 2501);
	run_to(2501);
	ck_assert_uint_eq(rdmsr(0, MSR_TSC_DEADLINE), 0);
	ck_assert_uint_eq(lapic_accept(&apic[0]), 0x42);
	wr(0, 0xb0, 0);
	wrmsr(0, MSR_TSC_DEADLINE, 17); /* long past: at once */
	run_to(2501);
	ck_assert_int_eq(lapic_pending(&apic[0]), 0x42);
	wrmsr(0, MSR_TSC_DEADLINE, 9999);
	wr(0, 0x320, 0x42); /* leaving the mode disarms */
	ck_assert_uint_eq(sched_next(&sched), TIME_NEVER);
	apic[0].features.tsc_deadline = false;
	ck_assert(rdmsr_gp(0, MSR_TSC_DEADLINE));
	ck_assert(!wrmsr(0, MSR_TSC_DEADLINE, 1));
}
END_TEST

START_TEST(ipi_shorthands_and_physical)
{
	enable_all();
	icr(0, 0, 0x44040); /* self */
	ck_assert_int_eq(lapic_pending(&apic[0]), 0x40);
	ck_assert_int_eq(lapic_pending(&apic[1]), -1);
	icr(0, 0, 0xc4041); /* others */
	ck_assert_int_eq(lapic_pending(&apic[0]), 0x40);
	for (unsigned i = 1; i < CPUS; i++)
		ck_assert_int_eq(lapic_pending(&apic[i]), 0x41);
	icr(1, 0, 0x84042); /* all */
	for (unsigned i = 0; i < CPUS; i++)
		ck_assert_int_eq(lapic_pending(&apic[i]), 0x42);
	icr(0, 2, 0x4043);
	ck_assert_int_eq(lapic_pending(&apic[2]), 0x43);
	icr(0, 0xff, 0x4044); /* physical broadcast */
	for (unsigned i = 0; i < CPUS; i++)
		ck_assert_int_eq(lapic_pending(&apic[i]), 0x44);
	ck_assert_uint_eq(rd(0, 0x300), 0x4044);
	wr(3, 0x20, 9u << 24); /* the ID is writable */
	icr(0, 9, 0x4045);
	ck_assert_int_eq(lapic_pending(&apic[3]), 0x45);
}
END_TEST

START_TEST(ipi_logical)
{
	enable_all();
	for (unsigned i = 0; i < CPUS; i++)
		wr(i, 0xd0, 1u << (24 + i));
	icr(0, 0x0a, 0x4840); /* flat: CPUs 1 and 3 */
	for (unsigned i = 0; i < CPUS; i++)
		ck_assert_int_eq(lapic_pending(&apic[i]), i & 1 ? 0x40 : -1);
	for (unsigned i = 0; i < CPUS; i++) {
		wr(i, 0xe0, 0x0fffffff);
		wr(i, 0xd0, (i / 2) << 28 | 1u << (24 + i % 2)); /* two clusters of two */
	}
	icr(0, 0x12, 0x4850); /* cluster 1, its second: CPU 3 */
	ck_assert_int_eq(lapic_pending(&apic[3]), 0x50);
	ck_assert_int_eq(lapic_pending(&apic[1]), 0x40);
	icr(0, 0xf1, 0x4860); /* the first of every cluster */
	ck_assert_int_eq(lapic_pending(&apic[0]), 0x60);
	ck_assert_int_eq(lapic_pending(&apic[2]), 0x60);
	ck_assert_int_eq(lapic_pending(&apic[1]), 0x40);
}
END_TEST

START_TEST(lowest_priority)
{
	enable_all();
	for (unsigned i = 0; i < CPUS; i++)
		wr(i, 0xd0, 1u << (24 + i));
	wr(0, 0x80, 0x20);
	wr(1, 0x80, 0x10);
	wr(2, 0x80, 0x30);
	wr(3, 0x80, 0x10);
	icr(0, 0x0f, 0x4940);
	ck_assert_int_eq(lapic_pending(&apic[1]), 0x40); /* first of the lowest */
	icr(0, 0x0f, 0x4940);
	ck_assert_int_eq(lapic_pending(&apic[3]), -1); /* CPU 1 is the focus */
	wr(1, 0xf0, 0x3ff);                            /* no focus checking */
	icr(0, 0x0f, 0x4940);
	ck_assert_int_eq(lapic_pending(&apic[3]), 0x40);
}
END_TEST

START_TEST(start_up)
{
	enable_all();
	icr(0, 1, 0xc500); /* INIT, level, assert */
	ck_assert_uint_eq(heard[1].init, 1);
	ck_assert_uint_eq(rd(1, 0xf0), 0xff);
	ck_assert_uint_eq(rd(1, 0x20), 1u << 24);
	icr(0, 1, 0x8500); /* INIT level de-assert: nothing */
	ck_assert_uint_eq(heard[1].init, 1);
	icr(0, 1, 0x4608); /* SIPI reaches an APIC that software disabled */
	ck_assert_uint_eq(heard[1].sipi, 1);
	ck_assert_uint_eq(heard[1].sipi_vector, 8);
	icr(0, 0, 0xc4400); /* NMI to the others */
	ck_assert_uint_eq(heard[0].nmi, 0);
	ck_assert_uint_eq(heard[3].nmi, 1);
	icr(0, 3, 0x4200);
	ck_assert_uint_eq(heard[3].smi, 1);
	icr(0, 2, 0x4700); /* ExtINT message */
	ck_assert(lapic_extint(&apic[2]));
	lapic_extint_ack(&apic[2]);
	ck_assert(!lapic_extint(&apic[2]));
	ck_assert_uint_eq(heard[2].extint, 2);
}
END_TEST

START_TEST(remote_read)
{
	enable_all();
	wr(2, 0x80, 0x70);
	icr(0, 2, 0x4308); /* register 080h */
	ck_assert_uint_eq(rd(0, 0x0c0), 0x70);
	ck_assert_uint_eq(rd(0, 0x300) >> 16 & 3, 2);
	icr(0, 77, 0x4308);
	ck_assert_uint_eq(rd(0, 0x300) >> 16 & 3, 0);
}
END_TEST

START_TEST(errors)
{
	enable(0);
	wr(0, 0x370, 0xfe);
	wr(0, 0x300, 0x44005); /* self-IPI with an illegal vector */
	ck_assert_int_eq(lapic_pending(&apic[0]), 0xfe);
	ck_assert_uint_eq(rd(0, 0x280), 0); /* not before a write */
	wr(0, 0x280, 0);
	ck_assert_uint_eq(rd(0, 0x280), 0x20);
	wr(0, 0x280, 0);
	ck_assert_uint_eq(rd(0, 0x280), 0);
	lapic_receive(&apic[0], APIC_FIXED, 3, false);
	rd(0, 0x40);          /* no such register */
	icr(0, 0x77, 0x4040); /* nobody there */
	wr(0, 0x280, 0);
	ck_assert_uint_eq(rd(0, 0x280), 0x40 | 0x80 | 0x04);
	ck_assert_uint_eq(lapic_ops.peek(&apic[0], 0x40, 4), 0);
	wr(0, 0x280, 0);
	ck_assert_uint_eq(rd(0, 0x280), 0); /* peek left no error */
	wr(0, 0x370, 2);                    /* the error vector itself is illegal: no endless loop */
	wr(0, 0x300, 0x44005);
	wr(0, 0x280, 0);
	ck_assert_uint_eq(rd(0, 0x280), 0x60);
}
END_TEST

START_TEST(lint_pins)
{
	lapic_virtual_wire(&apic[0]);
	ck_assert_uint_eq(rd(0, 0x350), 0x700);
	ck_assert_uint_eq(rd(0, 0x360), 0x400);
	lapic_lint(&apic[0], 0, true);
	ck_assert(lapic_extint(&apic[0]) && heard[0].extint_level);
	wr(0, 0x350, 0x10700);
	ck_assert(!lapic_extint(&apic[0]));
	lapic_lint(&apic[0], 1, true);
	lapic_lint(&apic[0], 1, true);
	ck_assert_uint_eq(heard[0].nmi, 1);
	wr(0, 0x350, 0x8070); /* the pin is high: level-triggered, fixed */
	ck_assert_uint_eq(rd(0, 0x350), 0xc070);
	ck_assert_uint_eq(lapic_accept(&apic[0]), 0x70);
	wr(0, 0xb0, 0);
	ck_assert_int_eq(lapic_pending(&apic[0]), 0x70); /* still high: again */
	lapic_lint(&apic[0], 0, false);
	lapic_accept(&apic[0]);
	wr(0, 0xb0, 0);
	ck_assert_int_eq(lapic_pending(&apic[0]), -1);
	ck_assert_uint_eq(rd(0, 0x350), 0x8070);
	ck_assert(lapic_base_write(&apic[0], 0xfee00000)); /* off: pins are INTR and NMI */
	lapic_lint(&apic[0], 0, true);
	ck_assert(lapic_extint(&apic[0]));
	lapic_lint(&apic[0], 1, false);
	lapic_lint(&apic[0], 1, true);
	ck_assert_uint_eq(heard[0].nmi, 2);
}
END_TEST

START_TEST(base_transitions)
{
	const u64 off = 0xfee00000, xapic = 0xfee00800, x2 = 0xfee00c00, invalid = 0xfee00400;

	enable(0);
	wr(0, 0x20, 5u << 24);
	ck_assert(!lapic_base_write(&apic[0], invalid));
	ck_assert(!lapic_base_write(&apic[0], xapic | 1));
	ck_assert(!lapic_base_write(&apic[0], xapic | BIT(48)));
	ck_assert(lapic_base_write(&apic[0], xapic));
	ck_assert_uint_eq(apic[0].s.base, 0xfee00900); /* BSC is read-only */
	ck_assert(lapic_base_write(&apic[0], x2));
	ck_assert_uint_eq(rd(0, 0x20), 0xffffffff);
	ck_assert_uint_eq(rdmsr(0, 0x802), 0);
	ck_assert_uint_eq(rdmsr(0, 0x80f), 0x1ff); /* kept */
	ck_assert(!lapic_base_write(&apic[0], xapic));
	ck_assert(lapic_base_write(&apic[0], off));
	ck_assert(!lapic_receive(&apic[0], APIC_NMI, 0, false));
	ck_assert(!lapic_base_write(&apic[0], x2));
	ck_assert(!lapic_base_write(&apic[0], invalid));
	ck_assert(lapic_base_write(&apic[0], xapic)); /* on again, as after reset */
	ck_assert_uint_eq(rd(0, 0xf0), 0xff);
	ck_assert_uint_eq(rd(0, 0x20), 0);
	apic[0].features.x2apic = false;
	ck_assert(!lapic_base_write(&apic[0], x2));
}
END_TEST

START_TEST(x2apic_registers)
{
	enable(2);
	ck_assert(rdmsr_gp(2, 0x802)); /* xAPIC mode: no MSRs */
	ck_assert(!wrmsr(2, 0x808, 0));
	x2apic(2);
	ck_assert_uint_eq(rdmsr(2, 0x802), 2);
	ck_assert_uint_eq(rdmsr(2, 0x80d), 4);
	ck_assert(!wrmsr(2, 0x802, 2) && !wrmsr(2, 0x80d, 4) && !wrmsr(2, 0x80a, 0));
	ck_assert(rdmsr_gp(2, 0x80b) && rdmsr_gp(2, 0x83f) && rdmsr_gp(2, 0x80e) && rdmsr_gp(2, 0x831));
	ck_assert(rdmsr_gp(2, 0x80c) && rdmsr_gp(2, 0x840) && rdmsr_gp(2, 0x8ff) && rdmsr_gp(2, 0x900));
	ck_assert(!wrmsr(2, 0x808, 0x100) && wrmsr(2, 0x808, 0x20));
	ck_assert(!wrmsr(2, 0x80b, 1) && wrmsr(2, 0x80b, 0));
	ck_assert(!wrmsr(2, 0x828, 1) && wrmsr(2, 0x828, 0));
	ck_assert(!wrmsr(2, 0x832, BIT(32)) && !wrmsr(2, 0x832, 0x80000) && wrmsr(2, 0x832, 0x20040));
	ck_assert(!wrmsr(2, 0x83e, 4) && wrmsr(2, 0x83e, 0xb));
	ck_assert(!wrmsr(2, 0x83f, 0x100) && wrmsr(2, 0x83f, 0x45));
	ck_assert_int_eq(lapic_pending(&apic[2]), 0x45);
	ck_assert(!wrmsr(2, 0x830, 0x2000) && !wrmsr(2, 0x830, 0x100000));
}
END_TEST

START_TEST(x2apic_destinations)
{
	struct apic_msg m = {.dest = 0xff, .vector = 0x70, .mode = APIC_FIXED};

	enable_all();
	for (unsigned i = 0; i < 3; i++)
		x2apic(i);
	ck_assert(wrmsr(0, 0x830, 1ull << 32 | 0x4040));
	ck_assert_int_eq(lapic_pending(&apic[1]), 0x40);
	ck_assert(wrmsr(0, 0x830, 6ull << 32 | 0x4841)); /* logical, cluster 0: CPUs 1 and 2 */
	ck_assert_int_eq(lapic_pending(&apic[0]), -1);
	ck_assert_int_eq(lapic_pending(&apic[1]), 0x41);
	ck_assert_int_eq(lapic_pending(&apic[2]), 0x41);
	ck_assert(wrmsr(0, 0x830, 0x10006ull << 32 | 0x4842)); /* cluster 1 is empty */
	ck_assert_int_eq(lapic_pending(&apic[1]), 0x41);
	ck_assert(wrmsr(0, 0x830, 0xffull << 32 | 0x4843)); /* FFh is no broadcast here */
	ck_assert(wrmsr(0, 0x830, 0xffull << 32 | 0x4050));
	ck_assert_int_eq(lapic_pending(&apic[3]), -1);
	ck_assert(wrmsr(0, 0x830, 0xffffffffull << 32 | 0x4060));
	for (unsigned i = 0; i < CPUS; i++)
		ck_assert_int_eq(lapic_pending(&apic[i]), 0x60);
	apic_bus_send(&bus, NULL, &m); /* a device's FFh reaches all modes */
	for (unsigned i = 0; i < CPUS; i++)
		ck_assert_int_eq(lapic_pending(&apic[i]), 0x70);
}
END_TEST

START_TEST(extended_space)
{
	wr(0, 0x410, 1);
	wr(0, 0x280, 0);
	ck_assert_uint_eq(rd(0, 0x280), 0x80); /* absent */
	apic[0].features.ext_space = true;
	lapic_reset(&apic[0]);
	enable(0);
	ck_assert_uint_eq(rd(0, 0x30), 0x80050010);
	ck_assert_uint_eq(rd(0, 0x400), 0x40003);
	wr(0, 0x4a0, 0); /* IER writes are off */
	ck_assert_uint_eq(rd(0, 0x4a0), 0xffffffff);
	wr(0, 0x410, 3);
	wr(0, 0x4a0, ~2u);
	lapic_receive(&apic[0], APIC_FIXED, 0x41, false);
	ck_assert_int_eq(lapic_pending(&apic[0]), -1);
	lapic_receive(&apic[0], APIC_FIXED, 0x30, false);
	ck_assert_int_eq(lapic_pending(&apic[0]), 0x30);
	lapic_accept(&apic[0]);
	wr(0, 0x4a0, ~0u);
	lapic_accept(&apic[0]);
	wr(0, 0x420, 0x30); /* specific EOI, out of order */
	ck_assert_uint_eq(rd(0, 0x110), 0);
	ck_assert_uint_eq(rd(0, 0x120), 2);
	wr(0, 0x500, 0x66);
	lapic_local(&apic[0], LVT_EXT0);
	wr(0, 0xb0, 0);
	ck_assert_int_eq(lapic_pending(&apic[0]), 0x66);
}
END_TEST

START_TEST(msi)
{
	enable_all();
	apic_bus_msi(&bus, 0xfee02000, 0x4045);
	ck_assert_int_eq(lapic_pending(&apic[2]), 0x45);
	apic_bus_msi(&bus, 0xfee03000, 0xc046);
	ck_assert_int_eq(lapic_pending(&apic[3]), 0x46);
	lapic_accept(&apic[3]);
	wr(3, 0xb0, 0);
	ck_assert_uint_eq(eois, 1);
	apic_bus_msi(&bus, 0xfee01000, 0x8046); /* de-assert */
	ck_assert_int_eq(lapic_pending(&apic[1]), -1);
	apic_bus_msi(&bus, 0xfed01000, 0x4046);
	ck_assert_int_eq(lapic_pending(&apic[1]), -1);
}
END_TEST

START_TEST(access_sizes)
{
	enable(0);
	ck_assert_uint_eq(lapic_ops.read(&apic[1], 0x23, 1), 1);
	ck_assert_uint_eq(lapic_ops.read(&apic[1], 0x24, 4), 0);
	lapic_ops.write(&apic[0], 0x80, 1, 0x70);
	lapic_ops.write(&apic[0], 0x84, 4, 0x70);
	ck_assert_uint_eq(rd(0, 0x80), 0);
	for (unsigned off = 0; off < LAPIC_SIZE; off += 4) { /* nothing here may crash */
		rd(0, off);
		wr(0, off, 0xffffffff);
		wr(0, off, 0);
		lapic_peek_reg(&apic[0], off);
	}
}
END_TEST

START_TEST(save_and_load)
{
	struct lapic_state saved;
	u64 next;

	enable(0);
	wr(0, 0x320, 0x20050);
	wr(0, 0x380, 300);
	lapic_receive(&apic[0], APIC_FIXED, 0x91, false);
	lapic_lint(&apic[0], 0, true);
	wr(0, 0x350, 0x700);
	run_to(777);
	saved = apic[0].s;
	next = sched_next(&sched);
	lapic_reset(&apic[0]);
	apic[0].s = saved;
	lapic_post_load(&apic[0]);
	ck_assert_uint_eq(sched_next(&sched), next);
	ck_assert_int_eq(lapic_pending(&apic[0]), 0x91);
	ck_assert(lapic_extint(&apic[0]));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lapic");
	TCase *tc = tcase_create("lapic");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, fields_cover_the_state);
	tcase_add_test(tc, reset_values);
	tcase_add_test(tc, priority_and_eoi);
	tcase_add_test(tc, task_priority);
	tcase_add_test(tc, pending_is_always_what_a_full_scan_says);
	tcase_add_test(tc, software_disable_holds);
	tcase_add_test(tc, timer_one_shot_and_periodic);
	tcase_add_test(tc, timer_deadline);
	tcase_add_test(tc, ipi_shorthands_and_physical);
	tcase_add_test(tc, ipi_logical);
	tcase_add_test(tc, lowest_priority);
	tcase_add_test(tc, start_up);
	tcase_add_test(tc, remote_read);
	tcase_add_test(tc, errors);
	tcase_add_test(tc, lint_pins);
	tcase_add_test(tc, base_transitions);
	tcase_add_test(tc, x2apic_registers);
	tcase_add_test(tc, x2apic_destinations);
	tcase_add_test(tc, extended_space);
	tcase_add_test(tc, msi);
	tcase_add_test(tc, access_sizes);
	tcase_add_test(tc, save_and_load);
	suite_add_tcase(s, tc);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
