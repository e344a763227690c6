/*
 * Unit tests of the PC's legacy devices, driven through their region_ops as a guest's port accesses would, in virtual
 * time that the tests set. The 8254 is also compared, tick by tick, with a model that really counts.
 */
#define _GNU_SOURCE 1
#include "base/sched.h"
#include "devices/acpi_pm.h"
#include "devices/bytes.h"
#include "devices/debug_port.h"
#include "devices/fw_cfg.h"
#include "devices/i8042.h"
#include "devices/i8254.h"
#include "devices/i8259.h"
#include "devices/isa_debug_exit.h"
#include "devices/pc_testdev.h"
#include "devices/port92.h"
#include "devices/report.h"
#include "devices/rtc.h"
#include "devices/uart16550.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sched sched;

/* What the devices told the outside. */
static char sent[256];
static unsigned sent_n;
static unsigned pulses, edges[32];
static bool level[32];

static void setup(void)
{
	sched_init(&sched);
	sent_n = pulses = 0;
	memset(edges, 0, sizeof edges);
	memset(level, 0, sizeof level);
}

static void sink_byte(void *arg, u8 byte)
{
	(void)arg;
	if (sent_n < sizeof sent - 1)
		sent[sent_n++] = (char)byte;
	sent[sent_n] = 0;
}

/* Counts rising edges. */
static void sink_line(void *arg, unsigned n, bool on)
{
	(void)arg;
	edges[n] += on && !level[n];
	level[n] = on;
}

static u8 in(const struct region_ops *ops, void *dev, u64 off) { return (u8)ops->read(dev, off, 1); }
static u8 look(const struct region_ops *ops, void *dev, u64 off) { return (u8)ops->peek(dev, off, 1); }
static void out(const struct region_ops *ops, void *dev, u64 off, u8 val) { ops->write(dev, off, 1, val); }

/* Runs the timers on the way to an absolute time. */
static void run_to(u64 when)
{
	while (sched_next(&sched) <= when) {
		if (sched_next(&sched) > sched.now)
			sched.now = sched_next(&sched);
		sched_fire(&sched);
	}
	sched.now = when;
}

START_TEST(fields_cover_the_states)
{
#define COVERED(name)                                                                                                  \
	ck_assert_int_eq(field_gap(name##_fields, ARRAY_SIZE(name##_fields), sizeof(struct name##_state)), -1)
	COVERED(uart16550);
	COVERED(i8259);
	COVERED(i8254);
	COVERED(rtc);
	COVERED(i8042);
	COVERED(ps2_kbd);
	COVERED(ps2_mouse);
	COVERED(port92);
	COVERED(debug_port);
	COVERED(pc_testdev);
	COVERED(fw_cfg);
	COVERED(acpi_pm);
}
END_TEST

/* --- 16550 --- */

static struct uart16550 uart;
#define U &uart16550_ops, &uart

static void uart_start(void)
{
	uart16550_init(&uart, &sched, 1);
	uart16550_connect(&uart, sink_byte, NULL);
	irq_connect(&uart.irq, sink_line, NULL, 4);
	out(U, 3, 0x83); /* divisor 1: 115200 8N1 */
	out(U, 0, 1);
	out(U, 1, 0);
	out(U, 3, 3);
	out(U, 4, 8 | 3);
}

START_TEST(uart_registers)
{
	uart_start();
	for (unsigned v = 0; v < 256; v++) {
		out(U, 7, (u8)v);
		ck_assert_uint_eq(in(U, 7), v);
	}
	out(U, 3, 0x83);
	ck_assert_uint_eq(in(U, 0), 1);
	ck_assert_uint_eq(in(U, 1), 0);
	out(U, 3, 3);
	ck_assert_uint_eq(in(U, 5), 0x60);
	ck_assert_uint_eq(in(U, 2), 1);
	out(U, 2, 1);
	ck_assert_uint_eq(in(U, 2), 0xc1);
	out(U, 4, 0xff);
	ck_assert_uint_eq(in(U, 4), 0x1f);
}
END_TEST

START_TEST(uart_transmit_interrupt)
{
	uart_start();
	out(U, 0, 'a');
	ck_assert_str_eq(sent, "a");
	ck_assert(!level[4]);
	out(U, 1, 2);
	ck_assert(level[4]);
	ck_assert_uint_eq(look(U, 2), 2);
	ck_assert_uint_eq(in(U, 2), 2);
	ck_assert(!level[4]);
	ck_assert_uint_eq(in(U, 2), 1);
	out(U, 0, 'b');
	ck_assert(level[4]);
	out(U, 0, 'c'); /* a new edge for each byte */
	ck_assert_uint_eq(edges[4], 3);
	ck_assert_str_eq(sent, "abc");
	out(U, 4, 0); /* OUT2 gates the line */
	ck_assert(!level[4]);
}
END_TEST

START_TEST(uart_fifo_trigger_and_timeout)
{
	uart_start();
	out(U, 2, 0x81); /* FIFO, trigger 8 */
	out(U, 1, 1);
	for (unsigned i = 0; i < 7; i++)
		ck_assert(uart16550_receive(&uart, (u8)i));
	ck_assert(!level[4]);
	run_to(sched.now + 4 * 10 * 8681); /* four characters of ten bits, 8.68 us each */
	ck_assert(level[4]);
	ck_assert_uint_eq(in(U, 2), 0xcc);
	ck_assert_uint_eq(in(U, 0), 0);
	ck_assert(!level[4]);
	uart16550_receive(&uart, 7);
	uart16550_receive(&uart, 8);
	ck_assert_uint_eq(in(U, 2), 0xc4);
	for (unsigned i = 1; i < 9; i++)
		ck_assert_uint_eq(in(U, 0), i);
	ck_assert_uint_eq(in(U, 5), 0x60);
	ck_assert(!level[4]);
	ck_assert_uint_eq(sched_next(&sched), TIME_NEVER);
	run_to(sched.now + NS_PER_SEC);
	ck_assert(!level[4]);
}
END_TEST

START_TEST(uart_overrun)
{
	uart_start();
	ck_assert(uart16550_receive(&uart, 1));
	ck_assert_uint_eq(uart16550_room(&uart), 0);
	ck_assert(!uart16550_receive(&uart, 2));
	out(U, 1, 4);
	ck_assert_uint_eq(in(U, 2), 6);
	ck_assert_uint_eq(look(U, 5), 0x63);
	ck_assert_uint_eq(in(U, 5), 0x63);
	ck_assert_uint_eq(in(U, 5), 0x61);
	ck_assert_uint_eq(in(U, 0), 2); /* without FIFO the new byte wins */
	out(U, 2, 1);
	for (unsigned i = 0; i < 17; i++)
		ck_assert_int_eq(uart16550_receive(&uart, (u8)i), i < 16);
	ck_assert_uint_eq(in(U, 5) & 3, 3);
	for (unsigned i = 0; i < 16; i++)
		ck_assert_uint_eq(in(U, 0), i);
	out(U, 2, 0x41); /* not cleared ... */
	uart16550_receive(&uart, 9);
	out(U, 2, 0x43); /* ... cleared */
	ck_assert_uint_eq(in(U, 5) & 1, 0);
}
END_TEST

START_TEST(uart_break_belongs_to_its_byte)
{
	uart_start();
	out(U, 2, 1);
	uart16550_receive(&uart, 'x');
	uart16550_break(&uart);
	ck_assert_uint_eq(in(U, 5), 0xe1); /* somewhere in the FIFO */
	ck_assert_uint_eq(in(U, 0), 'x');
	ck_assert_uint_eq(in(U, 5), 0xf9);
	ck_assert_uint_eq(in(U, 5), 0x61);
	ck_assert_uint_eq(in(U, 0), 0);
}
END_TEST

START_TEST(uart_loopback_and_modem)
{
	uart_start();
	ck_assert_uint_eq(in(U, 6), 0xb0);
	out(U, 1, 8);
	uart16550_lines(&uart, UART_DSR | UART_DCD);
	ck_assert(level[4]);
	ck_assert_uint_eq(in(U, 2), 0);
	ck_assert_uint_eq(in(U, 6), 0xa1);
	ck_assert_uint_eq(in(U, 6), 0xa0);
	uart16550_lines(&uart, UART_DSR | UART_DCD | UART_RI);
	ck_assert_uint_eq(in(U, 6), 0xe0); /* only the end of a ring counts */
	uart16550_lines(&uart, UART_DSR | UART_DCD);
	ck_assert_uint_eq(in(U, 6), 0xa4);
	out(U, 4, 0x10 | 0x0a);
	ck_assert_uint_eq(in(U, 6) & 0xf0, 0x90);
	out(U, 0, 'z');
	ck_assert_uint_eq(sent_n, 0);
	ck_assert_uint_eq(in(U, 5) & 1, 1);
	ck_assert_uint_eq(in(U, 0), 'z');
	ck_assert(!uart16550_receive(&uart, 'q'));
}
END_TEST

START_TEST(uart_survives_a_save)
{
	struct uart16550_state saved;

	uart_start();
	out(U, 2, 0x81);
	out(U, 1, 1);
	uart16550_receive(&uart, 'k');
	saved = uart.s;
	uart16550_reset(&uart);
	ck_assert_uint_eq(sched_next(&sched), TIME_NEVER);
	uart.s = saved;
	uart16550_post_load(&uart);
	run_to(sched.now + NS_PER_SEC);
	ck_assert(level[4]);
	ck_assert_uint_eq(in(U, 0), 'k');
}
END_TEST

/* --- 8259 --- */

static struct i8259 pic;
#define PM &i8259_master_ops, &pic
#define PS &i8259_slave_ops, &pic
#define PE &i8259_elcr_ops, &pic

static void pic_start(u8 icw4)
{
	i8259_init(&pic);
	irq_connect(&pic.intr, sink_line, NULL, 0);
	out(PM, 0, 0x11);
	out(PM, 1, 0x20);
	out(PM, 1, 4);
	out(PM, 1, icw4);
	out(PS, 0, 0x11);
	out(PS, 1, 0x28);
	out(PS, 1, 2);
	out(PS, 1, icw4);
}

static void pic_edge(unsigned n)
{
	i8259_set(&pic, n, false);
	i8259_set(&pic, n, true);
}

START_TEST(pic_priorities)
{
	pic_start(1);
	pic_edge(4);
	ck_assert(level[0]);
	ck_assert_uint_eq(in(PM, 0), 0x10);
	ck_assert_uint_eq(i8259_ack(&pic), 0x24);
	ck_assert(!level[0]);
	pic_edge(5); /* lower: waits */
	ck_assert(!level[0]);
	pic_edge(1); /* higher: nests */
	ck_assert(level[0]);
	ck_assert_uint_eq(i8259_ack(&pic), 0x21);
	out(PM, 0, 0x0b);
	ck_assert_uint_eq(in(PM, 0), 0x12);
	out(PM, 0, 0x20);
	ck_assert_uint_eq(in(PM, 0), 0x10);
	out(PM, 0, 0x64); /* specific EOI of 4 */
	ck_assert_uint_eq(in(PM, 0), 0);
	ck_assert_uint_eq(i8259_ack(&pic), 0x25);
	i8259_set(&pic, 5, true); /* no new edge */
	out(PM, 0, 0x20);
	ck_assert(!level[0]);
}
END_TEST

START_TEST(pic_cascade)
{
	pic_start(1);
	pic_edge(12);
	pic_edge(9);
	ck_assert_uint_eq(i8259_ack(&pic), 0x29);
	ck_assert_uint_eq(pic.s.master.isr, 4);
	pic_edge(8);
	ck_assert(!level[0]); /* the master waits for its EOI of input 2 */
	out(PM, 0, 0x20);
	ck_assert(level[0]); /* input 8 is higher than 9 */
	ck_assert_uint_eq(i8259_ack(&pic), 0x28);
	out(PS, 0, 0x20);
	out(PS, 0, 0x20);
	out(PM, 0, 0x20);
	ck_assert_uint_eq(i8259_ack(&pic), 0x2c);
}
END_TEST

START_TEST(pic_special_fully_nested)
{
	pic_start(0x11);
	pic_edge(9);
	ck_assert_uint_eq(i8259_ack(&pic), 0x29);
	pic_edge(8);
	ck_assert(level[0]); /* a higher request of the same slave comes through */
	ck_assert_uint_eq(i8259_ack(&pic), 0x28);
	pic_edge(3);
	ck_assert(!level[0]);
}
END_TEST

START_TEST(pic_masks)
{
	pic_start(1);
	out(PM, 1, 0xfb);
	ck_assert_uint_eq(in(PM, 1), 0xfb);
	pic_edge(0);
	ck_assert(!level[0]);
	out(PM, 1, 0xfa);
	ck_assert(level[0]);
	ck_assert_uint_eq(i8259_ack(&pic), 0x20);
	out(PM, 1, 1); /* 0 masked and in service */
	pic_edge(6);
	ck_assert(!level[0]);
	out(PM, 0, 0x68); /* special mask mode lets 6 through */
	ck_assert(level[0]);
	ck_assert_uint_eq(i8259_ack(&pic), 0x26);
	out(PM, 0, 0x20); /* ends 6, not the masked 0 */
	ck_assert_uint_eq(pic.s.master.isr, 1);
}
END_TEST

START_TEST(pic_spurious)
{
	pic_start(1);
	ck_assert_uint_eq(i8259_ack(&pic), 0x27);
	ck_assert_uint_eq(pic.s.master.isr, 0);
	out(PE, 1, 0x02); /* input 9 by level */
	i8259_set(&pic, 9, true);
	i8259_set(&pic, 9, false);
	ck_assert(level[0]); /* the master has latched the slave's edge */
	ck_assert_uint_eq(i8259_ack(&pic), 0x2f);
	ck_assert_uint_eq(pic.s.slave.isr, 0);
	ck_assert_uint_eq(pic.s.master.isr, 4);
}
END_TEST

START_TEST(pic_levels)
{
	pic_start(1);
	out(PE, 0, 0xff);
	out(PE, 1, 0xff);
	ck_assert_uint_eq(in(PE, 0), 0xf8);
	ck_assert_uint_eq(in(PE, 1), 0xde);
	i8259_set(&pic, 5, true);
	ck_assert_uint_eq(i8259_ack(&pic), 0x25);
	out(PM, 0, 0x20);
	ck_assert(level[0]); /* still asserted */
	i8259_set(&pic, 5, false);
	ck_assert(!level[0]);
	pic_edge(1); /* an edge stays */
	i8259_set(&pic, 1, false);
	ck_assert_uint_eq(i8259_ack(&pic), 0x21);
}
END_TEST

START_TEST(pic_rotation_and_aeoi)
{
	pic_start(3);
	out(PM, 0, 0x80); /* rotate in AEOI mode */
	pic_edge(3);
	ck_assert_uint_eq(i8259_ack(&pic), 0x23);
	ck_assert_uint_eq(pic.s.master.isr, 0);
	pic_edge(3);
	pic_edge(4);
	ck_assert_uint_eq(i8259_ack(&pic), 0x24); /* 3 is the lowest now */
	ck_assert_uint_eq(i8259_ack(&pic), 0x23);
	pic_start(1);
	out(PM, 0, 0xc5); /* 5 is the lowest */
	pic_edge(0);
	pic_edge(7);
	ck_assert_uint_eq(i8259_ack(&pic), 0x27);
	out(PM, 0, 0xa0); /* rotate on EOI */
	ck_assert_uint_eq(pic.s.master.lowest, 7);
}
END_TEST

START_TEST(pic_poll)
{
	pic_start(1);
	out(PM, 0, 0x0c);
	ck_assert_uint_eq(look(PM, 0), 0);
	ck_assert_uint_eq(in(PM, 0), 0);
	pic_edge(6);
	out(PM, 0, 0x0c);
	ck_assert_uint_eq(look(PM, 0), 0x40); /* looking does not acknowledge */
	ck_assert_uint_eq(in(PM, 0), 0x86);
	ck_assert_uint_eq(pic.s.master.isr, 0x40);
	ck_assert(!level[0]);
	ck_assert_uint_eq(in(PM, 0), 0);
	pic_edge(0);
	out(PM, 0, 0x0c);
	ck_assert_uint_eq(in(PM, 0), 0x80);
}
END_TEST

/* --- 8254 --- */

static struct i8254 pit;
#define T   &i8254_ops, &pit
#define P61 &i8254_port61_ops, &pit

static u64 tick_ns(u64 tick)
{
	u64 ns = muldiv(tick, NS_PER_SEC, I8254_HZ);

	return muldiv(ns, I8254_HZ, NS_PER_SEC) < tick ? ns + 1 : ns;
}

static void pit_start(void)
{
	i8254_init(&pit, &sched, 2);
	irq_connect(&pit.out0, sink_line, NULL, 0);
	level[0] = true;
	i8254_rearm(&pit);
}

static unsigned pit_count(unsigned n)
{
	unsigned low;

	out(T, 3, (u8)(n << 6));
	low = in(T, n);
	return low | (unsigned)in(T, n) << 8;
}

static void pit_program(unsigned n, u8 mode, unsigned val)
{
	out(T, 3, (u8)(n << 6 | 0x30 | mode << 1));
	out(T, n, (u8)val);
	out(T, n, (u8)(val >> 8));
}

START_TEST(pit_interrupts_are_exact)
{
	pit_start();
	pit_program(0, 2, 1193);
	run_to(NS_PER_SEC);
	/* loaded at tick 1, an edge each 1193 ticks: 1193182 ticks a second */
	ck_assert_uint_eq(edges[0], (I8254_HZ - 1) / 1193);
	pit_program(0, 0, 100);
	ck_assert(!level[0]);
	run_to(tick_ns(I8254_HZ + 101) - 1);
	ck_assert(!level[0]);
	run_to(tick_ns(I8254_HZ + 101));
	ck_assert(level[0]);
	ck_assert_uint_eq(sched_next(&sched), TIME_NEVER);
}
END_TEST

START_TEST(pit_square_wave)
{
	pit_start();
	sched.now = tick_ns(10);
	pit_program(0, 3, 5);
	for (unsigned i = 0; i < 20; i++) {
		static const u8 count[5] = {4, 2, 0, 4, 2};

		run_to(tick_ns(11 + i));
		ck_assert_int_eq(level[0], i % 5 < 3);
		ck_assert_uint_eq(pit_count(0), count[i % 5]);
	}
}
END_TEST

START_TEST(pit_latch_and_read_back)
{
	pit_start();
	pit_program(0, 2, 0x1234);
	sched.now = tick_ns(0x11);
	out(T, 3, 0x00);
	sched.now = tick_ns(0x100);
	ck_assert_uint_eq(look(T, 0), 0x24);
	ck_assert_uint_eq(look(T, 0), 0x24);
	ck_assert_uint_eq(in(T, 0), 0x24);
	ck_assert_uint_eq(in(T, 0), 0x12);
	out(T, 3, 0xc2); /* status and count of counter 0 */
	ck_assert_uint_eq(in(T, 0), 0xb4);
	ck_assert_uint_eq(in(T, 0), (0x1234 - 0xff) & 0xff);
	ck_assert_uint_eq(in(T, 0), (0x1234 - 0xff) >> 8);
	out(T, 3, 0x30);
	out(T, 3, 0xe2);
	ck_assert_uint_eq(in(T, 0), 0x70); /* output low, null count */
	pit_program(0, 2, 50);
	sched.now = tick_ns(0x110);
	ck_assert_uint_eq(in(T, 0), 50 - (0x110 - 0x101));
	in(T, 0);
	out(T, 3, 0xd2); /* the count only */
	ck_assert_uint_eq(in(T, 0), 50 - (0x110 - 0x101));
	ck_assert_uint_eq(in(T, 0), 0);
	out(T, 0, 60); /* waits for the end of the period */
	out(T, 0, 0);
	out(T, 3, 0xe2);
	ck_assert_uint_eq(in(T, 0), 0xf4);
	sched.now = tick_ns(0x101 + 49);
	out(T, 3, 0xe2);
	ck_assert_uint_eq(in(T, 0), 0x74);
	sched.now = tick_ns(0x101 + 50);
	out(T, 3, 0xe2);
	ck_assert_uint_eq(in(T, 0), 0xb4);
	ck_assert_uint_eq(pit_count(0), 60);
	ck_assert_uint_eq(in(T, 3), 0xff);
}
END_TEST

START_TEST(pit_bcd)
{
	pit_start();
	out(T, 3, 0x35); /* counter 0, mode 2, BCD */
	out(T, 0, 0x00);
	out(T, 0, 0x10);
	sched.now = tick_ns(2);
	ck_assert_uint_eq(pit_count(0), 0x0999);
	out(T, 3, 0x31);
	out(T, 0, 0);
	out(T, 0, 0); /* 10000 */
	sched.now = tick_ns(2 + 1 + 1);
	ck_assert_uint_eq(pit_count(0), 0x9999);
}
END_TEST

/* Linux's quick calibration of the TSC reads a count some nanoseconds after it wrote it, and wants to see it. */
START_TEST(pit_count_is_there_at_once)
{
	pit_start();
	out(P61, 0, 1);
	pit_program(2, 0, 0xffff);
	ck_assert_uint_eq(in(T, 2), 0xff);
	ck_assert_uint_eq(in(T, 2), 0xff);
	sched.now = tick_ns(1);
	ck_assert_uint_eq(pit_count(2), 0xffff);
	sched.now = tick_ns(2);
	ck_assert_uint_eq(pit_count(2), 0xfffe);
}
END_TEST

START_TEST(pit_port61)
{
	pit_start();
	ck_assert_uint_eq(in(P61, 0) & 0x0f, 0);
	out(P61, 0, 0xff);
	ck_assert_uint_eq(in(P61, 0) & 0xcf, 0x0f);
	pit_program(2, 0, 50);
	ck_assert_uint_eq(in(P61, 0) & 0x20, 0);
	sched.now = tick_ns(51);
	ck_assert_uint_eq(in(P61, 0) & 0x20, 0x20);
	for (unsigned i = 0; i < 100; i++) {
		sched.now = tick_ns(i);
		ck_assert_uint_eq(in(P61, 0) >> 4 & 1, i / 18 & 1);
	}
}
END_TEST

/* A counter that counts: one call of model_clock() is one pulse of CLK, as the data sheet tells each mode. */
struct model {
	unsigned mode, modulus, ce, cr;
	bool out, gate, loaded, load, strobe;
};

static void model_control(struct model *m, unsigned mode, bool bcd)
{
	m->mode = mode;
	m->modulus = bcd ? 10000 : 65536;
	m->out = mode != 0;
	m->loaded = m->load = m->strobe = false;
}

static void model_write(struct model *m, unsigned count)
{
	bool first = !m->loaded && !m->load;

	m->cr = count;
	if (m->mode == 0)
		m->out = false;
	if (m->mode == 0 || m->mode == 4 || ((m->mode == 2 || m->mode == 3) && first))
		m->load = true;
}

static void model_gate(struct model *m, bool gate, bool written)
{
	bool rises = gate && !m->gate;

	m->gate = gate;
	if (rises && (m->mode == 1 || m->mode == 5) && written)
		m->load = true;
	if (rises && (m->mode == 2 || m->mode == 3) && (m->loaded || m->load))
		m->load = true;
	if (!gate && (m->mode == 2 || m->mode == 3 || m->mode == 4))
		m->out = true;
}

/* strobe: the count is odd, its high half lasts one pulse longer. */
static void model_square(struct model *m)
{
	bool longer = m->out && m->strobe;

	if (!(longer && m->ce == 0))
		m->ce -= 2;
	else
		longer = false;
	if (m->ce == 0 && !longer) {
		m->out = !m->out;
		m->ce = m->cr & ~1u;
		m->strobe = m->cr % 2;
	}
}

static void model_count(struct model *m)
{
	if (m->mode == 3) {
		model_square(m);
		return;
	}
	m->ce = (m->ce + m->modulus - 1) % m->modulus;
	if (m->mode == 2) {
		m->out = m->ce != 1;
		if (m->ce == 0)
			m->ce = m->cr;
	} else if (m->mode <= 1) {
		m->out |= m->ce == 0;
	} else {
		m->out = !(m->ce == 0 && m->strobe);
		m->strobe &= m->ce != 0;
	}
}

static void model_clock(struct model *m)
{
	if (m->load) {
		m->load = false;
		m->loaded = true;
		m->ce = m->mode == 3 ? m->cr & ~1u : m->cr;
		m->strobe = m->mode == 3 ? m->cr % 2 : true;
		m->out = m->mode >= 2;
		return;
	}
	if (m->loaded && (m->gate || m->mode == 1 || m->mode == 5))
		model_count(m);
}

static unsigned model_shown(const struct model *m, bool bcd)
{
	unsigned v = m->ce;

	return bcd ? v % 10 | v / 10 % 10 << 4 | v / 100 % 10 << 8 | v / 1000 % 10 << 12 : v & 0xffff;
}

static unsigned random_state = 1;

static unsigned pick(unsigned n)
{
	random_state = random_state * 1103515245 + 12345;
	return (random_state >> 16) % n;
}

START_TEST(pit_agrees_with_a_counting_model)
{
	struct model m = {.gate = false};
	bool bcd = false, written = false;

	random_state = (unsigned)_i + 1;
	pit_start();
	model_control(&m, 3, false);
	for (unsigned tick = 1; tick < 20000; tick++) {
		sched.now = tick_ns(tick);
		model_clock(&m);
		ck_assert_msg(i8254_out(&pit, 2) == m.out, "mode %u tick %u: output", m.mode, tick);
		if (m.loaded)
			ck_assert_msg(pit_count(2) == model_shown(&m, bcd), "mode %u tick %u: count %x, model %x",
				      m.mode, tick, pit_count(2), model_shown(&m, bcd));
		switch (pick(60)) {
		case 0:
			bcd = pick(4) == 0;
			written = false;
			model_control(&m, pick(6), bcd);
			out(T, 3, (u8)(0xb0 | m.mode << 1 | bcd));
			break;
		case 1:
		case 2: {
			unsigned n = 2 + pick(40);

			written = true;
			model_write(&m, n);
			n = bcd ? n / 10 << 4 | n % 10 : n;
			out(T, 2, (u8)n);
			out(T, 2, (u8)(n >> 8));
			break;
		}
		case 3:
		case 4:
			model_gate(&m, !m.gate, written);
			out(P61, 0, m.gate);
			break;
		default: break;
		}
	}
}
END_TEST

/* --- RTC --- */

static struct rtc rtc;
#define R &rtc_ops, &rtc

static void nmi_masked(void *arg, bool masked) { *(int *)arg = masked; }

static u8 cmos(u8 index)
{
	out(R, 0, index);
	return in(R, 1);
}

static void set_cmos(u8 index, u8 val)
{
	out(R, 0, index);
	out(R, 1, val);
}

static void rtc_start(void)
{
	rtc_init(&rtc, &sched, 3, RTC_DEFAULT_TIME, 0xc0000000, 0x40000000);
	irq_connect(&rtc.irq, sink_line, NULL, 8);
}

START_TEST(rtc_date)
{
	rtc_start();
	ck_assert_uint_eq(cmos(9), 0x24);
	ck_assert_uint_eq(cmos(0x32), 0x20);
	ck_assert_uint_eq(cmos(6), 2); /* a Monday */
	sched.now = (59 * 86400ull + 23 * 3600 + 59 * 60 + 58) * NS_PER_SEC;
	ck_assert_uint_eq(cmos(8), 2);
	ck_assert_uint_eq(cmos(7), 0x29); /* a leap year */
	ck_assert_uint_eq(cmos(4), 0x23);
	ck_assert_uint_eq(cmos(2), 0x59);
	ck_assert_uint_eq(cmos(0), 0x58);
	sched.now += 2 * NS_PER_SEC;
	ck_assert_uint_eq(cmos(8), 3);
	ck_assert_uint_eq(cmos(7), 1);
	ck_assert_uint_eq(cmos(4), 0);
	ck_assert_uint_eq(cmos(6), 6);
	ck_assert_uint_eq(cmos(13), 0x80);
}
END_TEST

START_TEST(rtc_set_date)
{
	rtc_start();
	sched.now = 300000000;
	set_cmos(11, 0x84); /* SET, binary, 12 hours */
	set_cmos(0, 58);
	set_cmos(2, 59);
	set_cmos(4, 0x80 | 11);
	set_cmos(6, 3);
	set_cmos(7, 31);
	set_cmos(8, 12);
	set_cmos(9, 99);
	set_cmos(0x32, 20);
	sched.now = 5 * NS_PER_SEC + 200000000;
	ck_assert_uint_eq(cmos(0), 58); /* the clock stands */
	set_cmos(11, 4);
	sched.now += NS_PER_SEC;
	ck_assert_uint_eq(cmos(0), 59);
	ck_assert_uint_eq(cmos(4), 0x80 | 11);
	sched.now += NS_PER_SEC;
	ck_assert_uint_eq(cmos(0), 0);
	ck_assert_uint_eq(cmos(4), 12);
	ck_assert_uint_eq(cmos(6), 4);
	ck_assert_uint_eq(cmos(7), 1);
	ck_assert_uint_eq(cmos(8), 1);
	ck_assert_uint_eq(cmos(9), 0);
	ck_assert_uint_eq(cmos(0x32), 21);
	set_cmos(9, 30); /* while it runs */
	ck_assert_uint_eq(cmos(9), 30);
	ck_assert_uint_eq(cmos(8), 1);
}
END_TEST

START_TEST(rtc_update_interrupt)
{
	rtc_start();
	set_cmos(11, 0x12);
	run_to(NS_PER_SEC - 1);
	ck_assert_uint_eq(edges[8], 0);
	ck_assert_uint_eq(cmos(10), 0xa6); /* update in progress */
	run_to(NS_PER_SEC);
	ck_assert_uint_eq(cmos(10), 0x26);
	ck_assert_uint_eq(edges[8], 1);
	run_to(5 * NS_PER_SEC);
	ck_assert_uint_eq(edges[8], 1); /* the line stays up until C is read */
	out(R, 0, 12);
	ck_assert_uint_eq(look(R, 1) & 0x90, 0x90);
	ck_assert_uint_eq(in(R, 1) & 0x90, 0x90);
	ck_assert(!level[8]);
	ck_assert_uint_eq(in(R, 1), 0);
	run_to(6 * NS_PER_SEC);
	ck_assert_uint_eq(edges[8], 2);
}
END_TEST

START_TEST(rtc_periodic_interrupt)
{
	rtc_start();
	set_cmos(11, 0x42);
	for (unsigned i = 1; i <= 1024; i++) {
		run_to((i * NS_PER_SEC + 1023) / 1024 - 1);
		ck_assert(!level[8]);
		run_to((i * NS_PER_SEC + 1023) / 1024);
		ck_assert(level[8]);
		ck_assert_uint_eq(cmos(12) & 0xc0, 0xc0);
	}
	set_cmos(10, 0x21); /* 256 Hz */
	edges[8] = 0;
	for (unsigned i = 0; i < 256; i++) {
		run_to(sched.now + NS_PER_SEC / 256);
		cmos(12);
	}
	ck_assert_uint_eq(edges[8], 256);
	set_cmos(10, 0x20);
	ck_assert_uint_eq(sched_next(&sched), TIME_NEVER);
}
END_TEST

START_TEST(rtc_alarm)
{
	rtc_start();
	set_cmos(1, 0x30);
	set_cmos(3, 0x05);
	set_cmos(5, 0x01);
	set_cmos(11, 0x22);
	ck_assert_uint_eq(sched_next(&sched), (3600 + 300 + 30) * NS_PER_SEC);
	run_to((3600 + 300 + 30) * NS_PER_SEC);
	ck_assert_uint_eq(cmos(12) & 0xb0, 0xb0);
	set_cmos(3, 0xff); /* each minute of that hour, then of the next day */
	run_to((3600 + 360 + 30) * NS_PER_SEC);
	ck_assert_uint_eq(cmos(12) & 0xb0, 0xb0);
	set_cmos(11, 2); /* flags come without interrupts, too */
	set_cmos(5, 0xc0);
	sched.now += 60 * NS_PER_SEC;
	ck_assert_uint_eq(cmos(12), 0x30 | 0x40);
	set_cmos(5, 0x77); /* never */
	set_cmos(11, 0x22);
	ck_assert_uint_eq(sched_next(&sched), TIME_NEVER);
}
END_TEST

START_TEST(rtc_divider_reset)
{
	rtc_start();
	sched.now = 700000000;
	set_cmos(10, 0x70);
	sched.now = 10 * NS_PER_SEC;
	ck_assert_uint_eq(cmos(0), 0);
	set_cmos(10, 0x20);
	sched.now += 499999999;
	ck_assert_uint_eq(cmos(0), 0);
	sched.now += 1;
	ck_assert_uint_eq(cmos(0), 1);
}
END_TEST

START_TEST(rtc_memory)
{
	int masked = -1;
	unsigned sum = 0;

	rtc_start();
	rtc.nmi_mask = nmi_masked;
	rtc.nmi_arg = &masked;
	ck_assert_uint_eq(cmos(0x15) | cmos(0x16) << 8, 640);
	ck_assert_uint_eq(cmos(0x17) | cmos(0x18) << 8, 0xffff);
	ck_assert_uint_eq(cmos(0x30) | cmos(0x31) << 8, 0xffff);
	ck_assert_uint_eq(cmos(0x34) | cmos(0x35) << 8, (0xc0000000u - 0x1000000u) / 0x10000u);
	ck_assert_uint_eq(cmos(0x5b) | cmos(0x5c) << 8 | cmos(0x5d) << 16, 0x4000);
	for (u8 i = 0x10; i < 0x2e; i++)
		sum += cmos(i);
	ck_assert_uint_eq(cmos(0x2e) << 8 | cmos(0x2f), sum);
	ck_assert_int_eq(masked, -1);
	set_cmos(0x80 | 0x40, 0x5a);
	ck_assert_int_eq(masked, 1);
	ck_assert_uint_eq(cmos(0x40), 0x5a);
	ck_assert_int_eq(masked, 0);
	out(R, 2, 0x40);
	out(R, 3, 0xa5);
	ck_assert_uint_eq(in(R, 3), 0xa5);
	ck_assert_uint_eq(cmos(0x40), 0x5a);
}
END_TEST

START_TEST(rtc_reset_pin)
{
	rtc_start();
	set_cmos(11, 0x7a);
	set_cmos(0x40, 0x11);
	run_to(NS_PER_SEC + NS_PER_SEC / 2);
	ck_assert(level[8]);
	rtc_reset(&rtc);
	ck_assert(!level[8]);
	ck_assert_uint_eq(cmos(12), 0);
	ck_assert_uint_eq(cmos(11), 2);
	ck_assert_uint_eq(cmos(0x40), 0x11);
	ck_assert_uint_eq(cmos(0), 1);
	ck_assert_uint_eq(sched_next(&sched), TIME_NEVER);
	set_cmos(12, 0xff); /* read-only */
	set_cmos(13, 0);
	ck_assert_uint_eq(cmos(12) & 0xb0, 0);
	ck_assert_uint_eq(cmos(13), 0x80);
}
END_TEST

/* --- 8042 --- */

static struct i8042 kbc;
#define KD &i8042_data_ops, &kbc
#define KC &i8042_command_ops, &kbc

static void count_pulse(void *arg, unsigned n, bool on)
{
	(void)arg, (void)n;
	pulses += on;
}

static void kbc_start(void)
{
	i8042_init(&kbc, &sched, 4);
	irq_connect(&kbc.irq1, sink_line, NULL, 1);
	irq_connect(&kbc.irq12, sink_line, NULL, 12);
	irq_connect(&kbc.a20, sink_line, NULL, 20);
	irq_connect(&kbc.reset, count_pulse, NULL, 0);
	level[20] = true;
}

/* The next byte that comes within a millisecond, | 100h from the mouse; -1 when none comes. */
static int kbc_next(void)
{
	u8 status;

	if (!(in(KC, 0) & 1))
		run_to(sched.now + 1000000);
	status = in(KC, 0);
	if (!(status & 1))
		return -1;
	return in(KD, 0) | (status & 0x20 ? 0x100 : 0);
}

START_TEST(kbc_controller)
{
	kbc_start();
	out(KC, 0, 0xaa);
	ck_assert_int_eq(kbc_next(), 0x55);
	ck_assert_uint_eq(in(KC, 0) & 4, 4);
	out(KC, 0, 0xab);
	ck_assert_int_eq(kbc_next(), 0);
	out(KC, 0, 0x60);
	out(KD, 0, 0x47);
	out(KC, 0, 0x20);
	ck_assert_int_eq(kbc_next(), 0x47);
	out(KC, 0, 0x7f);
	out(KD, 0, 0x99);
	out(KC, 0, 0x3f);
	ck_assert_int_eq(kbc_next(), 0x99);
	out(KC, 0, 0xd3);
	out(KD, 0, 0x5a);
	ck_assert(level[12]);
	ck_assert_int_eq(kbc_next(), 0x15a);
	ck_assert(!level[12]);
	out(KC, 0, 0xc0);
	ck_assert_int_eq(kbc_next(), 0x80);
}
END_TEST

START_TEST(kbc_a20_and_reset)
{
	kbc_start();
	out(KC, 0, 0xd1);
	out(KD, 0, 0xdd);
	ck_assert(!level[20]);
	out(KC, 0, 0xd0);
	ck_assert_int_eq(kbc_next() & 3, 1);
	out(KC, 0, 0xdf);
	ck_assert(level[20]);
	out(KC, 0, 0xdd);
	ck_assert(!level[20]);
	ck_assert_uint_eq(pulses, 0);
	out(KC, 0, 0xff);
	ck_assert_uint_eq(pulses, 0);
	out(KC, 0, 0xfe);
	ck_assert_uint_eq(pulses, 1);
	out(KC, 0, 0xd1);
	out(KD, 0, 0xde);
	ck_assert_uint_eq(pulses, 2);
}
END_TEST

START_TEST(kbc_keyboard)
{
	kbc_start();
	out(KD, 0, 0xff);
	ck_assert_int_eq(kbc_next(), 0xfa);
	ck_assert_int_eq(kbc_next(), 0xaa);
	out(KD, 0, 0xf2);
	ck_assert_int_eq(kbc_next(), 0xfa);
	ck_assert_int_eq(kbc_next(), 0xab);
	ck_assert_int_eq(kbc_next(), 0x41); /* 83h, translated */
	out(KD, 0, 0xed);
	ck_assert_int_eq(kbc_next(), 0xfa);
	out(KD, 0, 5);
	ck_assert_int_eq(kbc_next(), 0xfa);
	ck_assert_uint_eq(kbc.kbd.s.leds, 5);
	out(KD, 0, 0xee);
	ck_assert_int_eq(kbc_next(), 0xee);
	out(KD, 0, 0xf5);
	ck_assert_int_eq(kbc_next(), 0xfa);
	ck_assert(i8042_key(&kbc, 0x1e)); /* nobody looks */
	ck_assert_int_eq(kbc_next(), -1);
	out(KD, 0, 0x00);
	ck_assert_int_eq(kbc_next(), 0xfe);
}
END_TEST

START_TEST(kbc_scan_codes)
{
	static const u8 keys[] = {0x1e, 0x9e, 0xe0, 0x48, 0xe0, 0xc8};
	static const int set2[] = {0x1c, 0xf0, 0x1c, 0xe0, 0x75, 0xe0, 0xf0, 0x75};

	kbc_start();
	for (unsigned set1 = 1; set1 < 0x59; set1++) { /* all come back as they went in */
		i8042_key(&kbc, (u8)set1);
		ck_assert_int_eq(kbc_next(), (int)set1);
		i8042_key(&kbc, (u8)(set1 | 0x80));
		ck_assert_int_eq(kbc_next(), (int)(set1 | 0x80));
	}
	out(KC, 0, 0x60);
	out(KD, 0, 0x03); /* no translation */
	for (unsigned i = 0; i < sizeof keys; i++)
		ck_assert(i8042_key(&kbc, keys[i]));
	for (unsigned i = 0; i < ARRAY_SIZE(set2); i++)
		ck_assert_int_eq(kbc_next(), set2[i]);
	out(KD, 0, 0xf0);
	ck_assert_int_eq(kbc_next(), 0xfa);
	out(KD, 0, 1);
	ck_assert_int_eq(kbc_next(), 0xfa);
	for (unsigned i = 0; i < sizeof keys; i++)
		i8042_key(&kbc, keys[i]);
	for (unsigned i = 0; i < sizeof keys; i++)
		ck_assert_int_eq(kbc_next(), keys[i]);
}
END_TEST

/* As input comes: a message of four bytes moves the mouse, and keys come while there is room. */
START_TEST(kbc_input)
{
	static const u8 message[4] = {2, 5, (u8)-3, 0};
	unsigned keys = 0;

	kbc_start();
	out(KC, 0, 0xd4);
	out(KD, 0, 0xf4);
	ck_assert_int_eq(kbc_next(), 0x1fa);
	for (unsigned i = 0; i < 4; i++) {
		ck_assert_int_eq(kbc_next(), -1);
		i8042_mouse_byte(&kbc, message[i]);
	}
	ck_assert_int_eq(kbc_next(), 0x12a);
	ck_assert_int_eq(kbc_next(), 0x105);
	ck_assert_int_eq(kbc_next(), 0x1fd);
	for (; i8042_key_room(&kbc); keys++)
		ck_assert(i8042_key(&kbc, keys & 1 ? 0x9e : 0x1e));
	ck_assert_uint_gt(keys, 16);
	ck_assert(!i8042_key(&kbc, 0x1e));
	for (unsigned i = 0; i < keys; i++)
		ck_assert_int_eq(kbc_next(), i & 1 ? 0x9e : 0x1e);
	ck_assert_int_eq(kbc_next(), -1);
}
END_TEST

START_TEST(kbc_interrupts_and_pace)
{
	kbc_start();
	i8042_key(&kbc, 0x1e);
	i8042_key(&kbc, 0x9e);
	ck_assert_uint_eq(edges[1], 1);
	ck_assert_uint_eq(look(KD, 0), 0x1e);
	ck_assert_uint_eq(in(KD, 0), 0x1e);
	ck_assert_uint_eq(in(KD, 0), 0x1e); /* the next one is still on its way */
	ck_assert(!level[1]);
	run_to(sched.now + 20000);
	ck_assert_uint_eq(edges[1], 2);
	ck_assert_uint_eq(in(KD, 0), 0x9e);
	out(KC, 0, 0xad);
	run_to(sched.now + 20000);
	i8042_key(&kbc, 0x1f);
	ck_assert_uint_eq(in(KC, 0) & 1, 0);
	out(KC, 0, 0xae);
	ck_assert_uint_eq(in(KC, 0) & 1, 1);
	for (unsigned i = 0; i < 1000; i++)
		i8042_key(&kbc, 0x1e);
	ck_assert(!i8042_key(&kbc, 0x1e));
}
END_TEST

static void mouse_command(u8 val)
{
	out(KC, 0, 0xd4);
	out(KD, 0, val);
	ck_assert_int_eq(kbc_next(), 0x1fa);
}

START_TEST(kbc_mouse)
{
	kbc_start();
	mouse_command(0xff);
	ck_assert_int_eq(kbc_next(), 0x1aa);
	ck_assert_int_eq(kbc_next(), 0x100);
	i8042_mouse(&kbc, 1, 1, 0, 0); /* not enabled */
	ck_assert_int_eq(kbc_next(), -1);
	mouse_command(0xf6);
	mouse_command(0xf4);
	i8042_mouse(&kbc, 3, -2, 0, 1);
	ck_assert_int_eq(kbc_next(), 0x129);
	ck_assert_int_eq(kbc_next(), 0x103);
	ck_assert_int_eq(kbc_next(), 0x1fe);
	for (unsigned i = 0; i < 3; i++) {
		static const u8 rate[3] = {200, 100, 80};

		mouse_command(0xf3);
		mouse_command(rate[i]);
	}
	mouse_command(0xf2);
	ck_assert_int_eq(kbc_next(), 0x103);
	i8042_mouse(&kbc, 0, 0, -1, 1);
	ck_assert_int_eq(kbc_next(), 0x109);
	ck_assert_int_eq(kbc_next(), 0x100);
	ck_assert_int_eq(kbc_next(), 0x100);
	ck_assert_int_eq(kbc_next(), 0x1ff);
	mouse_command(0xf0); /* remote: only when asked */
	i8042_mouse(&kbc, 5, 0, 0, 1);
	ck_assert_int_eq(kbc_next(), -1);
	mouse_command(0xeb);
	ck_assert_int_eq(kbc_next(), 0x109);
	ck_assert_int_eq(kbc_next(), 0x105);
	ck_assert_int_eq(kbc_next(), 0x100);
	ck_assert_int_eq(kbc_next(), 0x100);
	mouse_command(0xea);
	mouse_command(0xe7);
	i8042_mouse(&kbc, 10, -4, 0, 1);
	ck_assert_int_eq(kbc_next(), 0x129);
	ck_assert_int_eq(kbc_next(), 0x100 | 20);
	ck_assert_int_eq(kbc_next(), 0x100 | 0xfa);
	ck_assert_int_eq(kbc_next(), 0x100);
	mouse_command(0xe6);
	mouse_command(0xee); /* wrap: an echo */
	out(KC, 0, 0xd4);
	out(KD, 0, 0xf2);
	ck_assert_int_eq(kbc_next(), 0x1f2);
	mouse_command(0xec);
	mouse_command(0xf5);
	i8042_mouse(&kbc, 5, 0, 0, 1);
	ck_assert_int_eq(kbc_next(), -1);
	mouse_command(0xf4);
	while (kbc_next() >= 0)
		;
	mouse_command(0xe9);
	ck_assert_int_eq(kbc_next(), 0x124);
	ck_assert_int_eq(kbc_next(), 0x102);
	ck_assert_int_eq(kbc_next(), 0x100 | 80);
	for (unsigned i = 0; i < 1000; i++)
		i8042_mouse(&kbc, 100, 100, 0, i & 1); /* nobody reads: no overflow */
	ck_assert_uint_le(kbc.mouse.s.out.count, PS2_QUEUE);
}
END_TEST

/* --- small ones --- */

START_TEST(port92_lines)
{
	struct port92 p;

	port92_init(&p);
	irq_connect(&p.a20, sink_line, NULL, 20);
	irq_connect(&p.reset, count_pulse, NULL, 0);
	out(&port92_ops, &p, 0, 2);
	ck_assert(level[20]);
	ck_assert_uint_eq(in(&port92_ops, &p, 0), 2);
	out(&port92_ops, &p, 0, 3);
	out(&port92_ops, &p, 0, 3);
	ck_assert_uint_eq(pulses, 1);
	port92_reset(&p);
	ck_assert(!level[20]);
}
END_TEST

static void take_status(void *arg, u32 status) { *(u32 *)arg = status; }

START_TEST(debug_ports)
{
	struct isa_debug_exit e;
	struct debug_port d;
	u32 status = 0;

	isa_debug_exit_init(&e, take_status, &status);
	isa_debug_exit_ops.write(&e, 0, 4, 0x10);
	ck_assert_uint_eq(status, 0x21);
	ck_assert_uint_eq(in(&isa_debug_exit_ops, &e, 0), 0);
	debug_port_init(&d);
	debug_port_connect(&d, sink_byte, NULL);
	out(&debug_port_post_ops, &d, 0, 0x42);
	ck_assert_uint_eq(in(&debug_port_post_ops, &d, 0), 0x42);
	out(&debug_port_out_ops, &d, 0, '!');
	ck_assert_str_eq(sent, "!");
	ck_assert_uint_eq(in(&debug_port_out_ops, &d, 0), 0xe9);
}
END_TEST

static void take_pa(void *arg, u64 pa) { *(u64 *)arg = pa; }

START_TEST(testdev)
{
	static struct pc_testdev t;
	u64 pa = 0;

	pc_testdev_init(&t);
	irq_connect(&t.line[11], sink_line, NULL, 11);
	t.flush = take_pa;
	t.flush_arg = &pa;
	pc_testdev_latch_ops.write(&t, 0, 4, 0x12345678);
	ck_assert_uint_eq(pc_testdev_latch_ops.read(&t, 1, 2), 0x3456);
	pc_testdev_latch_ops.write(&t, 3, 1, 0xab);
	ck_assert_uint_eq(pc_testdev_latch_ops.read(&t, 0, 4), 0xab345678);
	pc_testdev_flush_ops.write(&t, 0, 4, 0x1234567);
	ck_assert_uint_eq(pa, 0x1234000);
	out(&pc_testdev_line_ops, &t, 11, 1);
	ck_assert(level[11]);
	out(&pc_testdev_line_ops, &t, 11, 0);
	ck_assert(!level[11]);
	out(&pc_testdev_line_ops, &t, 24, 1);
	pc_testdev_mem_ops.write(&t, 0xfff8, 8, 0x1122334455667788);
	ck_assert_uint_eq(pc_testdev_mem_ops.read(&t, 0xfffe, 2), 0x1122);
	ck_assert_uint_eq(pc_testdev_mem_ops.read(&t, 0xffff, 2), ~0ull);
	pc_testdev_mem_ops.write(&t, 0xffff, 8, 0);
	ck_assert_uint_eq(pc_testdev_mem_ops.read(&t, 0xffff, 1), 0x11);
}
END_TEST

/* --- fw_cfg --- */

static struct fw_cfg fw;
#define F &fw_cfg_ops, &fw

static u64 fw_number(u16 key, unsigned n)
{
	u64 val = 0;

	fw_cfg_ops.write(&fw, 0, 2, key);
	for (unsigned i = 0; i < n; i++)
		val |= (u64)in(F, 1) << i * 8;
	return val;
}

START_TEST(fw_cfg_items)
{
	struct error err;
	u8 row[64];

	fw_cfg_init(&fw, NULL, 0x123456789, 2, 4);
	ck_assert_uint_eq(fw_number(0, 5), 0x554d4551); /* "QEMU", then zeros */
	ck_assert_uint_eq(fw_number(1, 4), 1);
	ck_assert_uint_eq(fw_number(3, 8), 0x123456789);
	ck_assert_uint_eq(fw_number(5, 2), 2);
	ck_assert_uint_eq(fw_number(0x400f, 2), 4);
	ck_assert_uint_eq(fw_number(0x3fff, 4), 0);
	ck_assert_uint_eq(fw_number(0x19, 4), 0);
	ck_assert(fw_cfg_add_file(&fw, "etc/one", "1", 1, &err));
	ck_assert(fw_cfg_add_file(&fw, "etc/two", "22", 2, &err));
	ck_assert(!fw_cfg_add_file(&fw, "etc/two", "22", 2, &err));
	ck_assert(!fw_cfg_add_file(&fw, "a name that is longer than the fifty-five bytes that fit", "", 0, &err));
	ck_assert_uint_eq(fw_number(0x21, 3), 0x3232);
	ck_assert_uint_eq(fw_number(0x19, 4), 0x02000000);
	for (unsigned i = 0; i < 128; i++)
		row[i % 64] = in(F, 1);
	ck_assert_int_eq(memcmp(row, "\0\0\0\2\0\x21\0\0etc/two", 16), 0);
	ck_assert_uint_eq(in(F, 1), 0);
	for (unsigned i = 2; i < FW_CFG_FILES; i++) {
		char name[16];

		snprintf(name, sizeof name, "file%u", i);
		ck_assert(fw_cfg_add_file(&fw, name, "x", 1, &err));
	}
	ck_assert(!fw_cfg_add_file(&fw, "more", "x", 1, &err));
	ck_assert_uint_eq(fw_number(FW_CFG_FILE_FIRST + FW_CFG_FILES - 1, 2), 'x');
}
END_TEST

START_TEST(fw_cfg_dma)
{
	static struct space mem;
	static const u8 want[16] = {0, 0x20, 0, 0x0a, 0, 0, 0,    8,
				    0, 0,    0, 0,    0, 0, 0x20, 0}; /* select 20h and read 8 */
	struct error err;
	u8 got[9];

	ck_assert(space_init(&mem, "memory", 40, &err));
	ck_assert_ptr_nonnull(space_add_ram(&mem, "ram", 0, 0x10000, false, &err));
	fw_cfg_init(&fw, &mem, 0, 1, 1);
	ck_assert(fw_cfg_add_file(&fw, "f", "abcde", 5, &err));
	ck_assert_uint_eq(fw_number(1, 4), 3);
	ck_assert_uint_eq(fw_cfg_dma_ops.read(&fw, 0, 4), 0x554d4551);
	ck_assert_uint_eq(fw_cfg_dma_ops.read(&fw, 4, 4), 0x47464320);
	space_write_bytes(&mem, 0x1000, want, 16);
	space_write(&mem, 0x2008, 1, 0x77);
	fw_cfg_dma_ops.write(&fw, 4, 4, __builtin_bswap32(0x1000));
	space_read_bytes(&mem, 0x2000, got, 9);
	ck_assert_int_eq(memcmp(got, "abcde\0\0\0\x77", 9), 0);
	ck_assert_uint_eq(space_read(&mem, 0x1000, 4), 0);
	space_write(&mem, 0x1000, 4, __builtin_bswap32(0x10)); /* writing is an error */
	fw_cfg_dma_ops.write(&fw, 0, 8, __builtin_bswap64(0x1000));
	ck_assert_uint_eq(space_read(&mem, 0x1000, 4), __builtin_bswap32(1));
	space_write(&mem, 0x1000, 4, __builtin_bswap32(0x4)); /* nothing is selected any more than before: skip */
	fw_cfg_dma_ops.write(&fw, 4, 4, __builtin_bswap32(0x1000));
	ck_assert_uint_eq(space_read(&mem, 0x1000, 4), 0);
	space_write(&mem, 0x1000, 4, __builtin_bswap32(0x00200008)); /* select, skip 1 byte, read 2 */
	fw_cfg_dma_ops.write(&fw, 4, 4, __builtin_bswap32(0x1000));
	space_write(&mem, 0x1000, 4, __builtin_bswap32(4));
	space_write(&mem, 0x1004, 4, __builtin_bswap32(1));
	fw_cfg_dma_ops.write(&fw, 4, 4, __builtin_bswap32(0x1000));
	space_write(&mem, 0x1000, 4, __builtin_bswap32(2));
	space_write(&mem, 0x1004, 4, __builtin_bswap32(2));
	fw_cfg_dma_ops.write(&fw, 4, 4, __builtin_bswap32(0x1000));
	ck_assert_uint_eq(space_read(&mem, 0x2000, 3), 0x636362); /* "bc", then the old c */
	space_free(&mem);
}
END_TEST

/* --- ACPI --- */

static struct acpi_pm pm;
#define A &acpi_pm_ops, &pm
static int slept, commanded;

static void take_sleep(void *arg, unsigned typ)
{
	(void)arg;
	slept = (int)typ;
}

static void take_smi(void *arg, u8 cmd)
{
	(void)arg;
	commanded = cmd;
}

static void pm_start(unsigned bits)
{
	acpi_pm_init(&pm, &sched, 5, bits);
	irq_connect(&pm.sci, sink_line, NULL, 9);
	pm.sleep = take_sleep;
	pm.smi = take_smi;
	slept = commanded = -1;
}

START_TEST(acpi_timer)
{
	pm_start(24);
	sched.now = NS_PER_SEC;
	ck_assert_uint_eq(acpi_pm_ops.read(&pm, 8, 4), ACPI_PM_HZ);
	sched.now = 5 * NS_PER_SEC;
	ck_assert_uint_eq(acpi_pm_ops.read(&pm, 8, 4), ACPI_PM_HZ * 5 & 0xffffff);
	ck_assert_uint_eq(acpi_pm_ops.read(&pm, 0, 2), 1); /* bit 23 has changed */
	acpi_pm_ops.write(&pm, 0, 2, 1);
	ck_assert_uint_eq(acpi_pm_ops.read(&pm, 0, 2), 0);
	acpi_pm_ops.write(&pm, 2, 2, 1);
	ck_assert_uint_eq(sched_next(&sched), TIME_NEVER);
	out(&acpi_pm_smi_ops, &pm, 0, ACPI_ENABLE);
	ck_assert_int_eq(commanded, ACPI_ENABLE);
	ck_assert_uint_eq(acpi_pm_ops.read(&pm, 4, 2), 1);
	run_to(7 * NS_PER_SEC); /* 2^23 ticks are 2.34 s: at 7.03 s */
	ck_assert(!level[9]);
	run_to(8 * NS_PER_SEC);
	ck_assert(level[9]);
	acpi_pm_ops.write(&pm, 0, 1, 1);
	ck_assert(!level[9]);
	run_to(11 * NS_PER_SEC);
	ck_assert(level[9]);
	out(&acpi_pm_smi_ops, &pm, 0, ACPI_DISABLE);
	ck_assert(!level[9]);
	ck_assert_uint_eq(acpi_pm_ops.read(&pm, 4, 2), 0);
	out(&acpi_pm_smi_ops, &pm, 0, ACPI_ENABLE);
	ck_assert(level[9]);
	acpi_pm_reset(&pm);
	ck_assert(!level[9]);
	out(&acpi_pm_smi_ops, &pm, 1, 0x77);
	ck_assert_uint_eq(in(&acpi_pm_smi_ops, &pm, 1), 0x77);
	acpi_pm_ops.write(&pm, 8, 4, 0xffffffff); /* the timer is read-only */
	ck_assert_uint_eq(acpi_pm_ops.read(&pm, 0, 4), 0);
	pm_start(32);
	sched.now = 5 * NS_PER_SEC;
	ck_assert_uint_eq(acpi_pm_ops.read(&pm, 8, 4), ACPI_PM_HZ * 5);
}
END_TEST

START_TEST(acpi_sleep_and_button)
{
	pm_start(24);
	acpi_pm_ops.write(&pm, 4, 2, 0x1400 | 1);
	ck_assert_int_eq(slept, -1);
	acpi_pm_ops.write(&pm, 5, 1, 0x20 | 0x04); /* SLP_TYP 1, SLP_EN by bytes */
	ck_assert_int_eq(slept, 1);
	ck_assert_uint_eq(acpi_pm_ops.read(&pm, 4, 2), 0x401);
	acpi_pm_power_button(&pm);
	ck_assert(!level[9]);
	acpi_pm_ops.write(&pm, 0, 4, 0x01000000); /* enable alone, through a 32-bit access */
	ck_assert(level[9]);
	ck_assert_uint_eq(acpi_pm_ops.read(&pm, 0, 4), 0x01000100);
	acpi_pm_ops.write(&pm, 1, 1, 1);
	ck_assert(!level[9]);
	ck_assert_uint_eq(acpi_pm_ops.read(&pm, 11, 4) >> 8, 0);
	acpi_pm_reset(&pm);
	ck_assert_uint_eq(acpi_pm_ops.read(&pm, 0, 4), 0);
}
END_TEST

/* --- saving --- */

static void arm_all(void)
{
	pit_start();
	rtc_start();
	pm_start(24);
	kbc_start();
	pit_program(0, 3, 4001);
	pit_program(2, 2, 777);
	out(P61, 0, 1);
	set_cmos(11, 0x72);
	acpi_pm_ops.write(&pm, 2, 2, 1);
	acpi_pm_ops.write(&pm, 4, 2, 1);
}

/* Half a second with reads that a guest's handlers would make; what it has led to. */
static u64 go_on(void)
{
	u64 hash = 0;

	for (unsigned i = 0; i < 500; i++) {
		run_to(sched.now + 1000003);
		i8042_key(&kbc, (u8)(i % 0x58 + 1));
		hash = hash * 31 + cmos(12) + pit_count(0) + pit_count(2) + in(P61, 0) + (u64)kbc_next();
		hash = hash * 31 + acpi_pm_ops.read(&pm, 0, 2) + edges[0] + edges[8] + edges[9] + edges[1];
		acpi_pm_ops.write(&pm, 0, 2, 1);
	}
	hash = field_hash(i8254_fields, I8254_FIELDS, &pit.s, hash);
	hash = field_hash(rtc_fields, RTC_FIELDS, &rtc.s, hash);
	hash = field_hash(acpi_pm_fields, ACPI_PM_FIELDS, &pm.s, hash);
	hash = field_hash(i8042_fields, I8042_FIELDS, &kbc.s, hash);
	hash = field_hash(ps2_mouse_fields, PS2_MOUSE_FIELDS, &kbc.mouse.s, hash);
	return field_hash(ps2_kbd_fields, PS2_KBD_FIELDS, &kbc.kbd.s, hash);
}

START_TEST(saved_states_go_on)
{
	struct i8254_state pit_saved;
	struct rtc_state rtc_saved;
	struct acpi_pm_state pm_saved;
	struct i8042_state kbc_saved;
	struct ps2_kbd_state kbd_saved;
	struct ps2_mouse_state mouse_saved;
	unsigned edges_saved[32];
	bool level_saved[32];
	u64 now, hash;

	arm_all();
	run_to(2 * NS_PER_SEC + 12345);
	go_on();
	now = sched.now;
	pit_saved = pit.s, rtc_saved = rtc.s, pm_saved = pm.s, kbc_saved = kbc.s;
	kbd_saved = kbc.kbd.s, mouse_saved = kbc.mouse.s;
	memcpy(edges_saved, edges, sizeof edges);
	memcpy(level_saved, level, sizeof level);
	hash = go_on();

	setup(); /* a new machine, into which the states are loaded */
	sched.now = now - 54321;
	arm_all();
	sched.now = now;
	pit.s = pit_saved, rtc.s = rtc_saved, pm.s = pm_saved, kbc.s = kbc_saved;
	kbc.kbd.s = kbd_saved, kbc.mouse.s = mouse_saved;
	i8254_post_load(&pit);
	rtc_post_load(&rtc);
	acpi_pm_post_load(&pm);
	i8042_post_load(&kbc);
	ck_assert_int_eq(memcmp(level, level_saved, sizeof level), 0);
	memcpy(edges, edges_saved, sizeof edges);
	ck_assert_uint_eq(go_on(), hash);
}
END_TEST

/* --- hostile guests --- */

/* Any access to any port in any order; the sanitizer build sees what goes out of bounds. Nothing may stop time. */
START_TEST(random_accesses_do_no_harm)
{
	static struct pc_testdev t;
	struct {
		const struct region_ops *ops;
		void *dev;
		unsigned ports;
	} r[] = {{U, 8},
		 {PM, 2},
		 {PS, 2},
		 {PE, 2},
		 {T, 4},
		 {P61, 1},
		 {R, 4},
		 {KD, 1},
		 {KC, 1},
		 {F, 2},
		 {A, ACPI_PM_PORTS},
		 {&fw_cfg_dma_ops, &fw, 8},
		 {&acpi_pm_smi_ops, &pm, 2},
		 {&pc_testdev_latch_ops, &t, 4},
		 {&pc_testdev_line_ops, &t, 24}};

	random_state = 99;
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr)); /* reports, by the dozen */
	uart_start();
	pic_start(1);
	arm_all();
	pc_testdev_init(&t);
	fw_cfg_init(&fw, NULL, 0, 1, 1);
	for (unsigned i = 0; i < 200000; i++) {
		unsigned n = pick(ARRAY_SIZE(r)), size = 1u << pick(4);

		if (size < r[n].ops->min || size > r[n].ops->max)
			size = r[n].ops->min;
		if (pick(2))
			r[n].ops->write(r[n].dev, pick(r[n].ports), size, pick(65536) | (u64)pick(65536) << 16);
		else
			r[n].ops->read(r[n].dev, pick(r[n].ports), size);
		r[n].ops->peek(r[n].dev, pick(r[n].ports), size);
		uart16550_receive(&uart, (u8)i);
		i8042_key(&kbc, (u8)i);
		i8042_mouse(&kbc, (int)pick(65536) - 32768, 7, 1, (u8)i);
		i8042_mouse_byte(&kbc, (u8)pick(256));
		i8259_set(&pic, pick(20), pick(2));
		i8259_ack(&pic);
		run_to(sched.now + pick(50000));
	}
}
END_TEST

/* --- host byte streams --- */

START_TEST(bytes_to_a_file)
{
	static struct bytes b;
	char spec[64] = "file:/tmp/uv-bytes-XXXXXX", got[32] = "";
	struct bytes_stdio std;
	struct error err;
	int fd = mkstemp(spec + 5);

	ck_assert_int_ge(fd, 0);
	bytes_stdio_init(&std);
	ck_assert(bytes_open(&b, &std, spec, &err));
	bytes_write(&b, "one\ntwo", 7);
	ck_assert_int_eq(read(fd, got, sizeof got), 4);
	bytes_close(&b);
	ck_assert_int_eq(read(fd, got, sizeof got), 3);
	close(fd);
	unlink(spec + 5);
	ck_assert(!bytes_open(&b, &std, "file:/nowhere/x", &err));
	ck_assert_ptr_nonnull(strstr(err.msg, "/nowhere/x"));
	ck_assert(!bytes_open(&b, &std, "vc", &err));
	ck_assert(!bytes_open(&b, &std, "unix:/nowhere/x", &err));
	ck_assert(!bytes_open(&b, &std, "unix:/nowhere/x,sever", &err));
	ck_assert(bytes_open(&b, &std, "null", &err));
	bytes_out(&b, 'x');
	ck_assert_uint_eq(bytes_read(&b, got, 1), 0);
	ck_assert_int_eq(bytes_fd(&b), -1);
	bytes_close(&b);
}
END_TEST

START_TEST(bytes_through_a_socket)
{
	static struct bytes server, client;
	char path[] = "/tmp/uv-sock-XXXXXX", spec[64], got[8] = "";
	struct bytes_stdio std;
	struct error err;

	ck_assert_ptr_nonnull(mkdtemp(path));
	bytes_stdio_init(&std);
	snprintf(spec, sizeof spec, "unix:%s/s,server,nowait", path);
	ck_assert_msg(bytes_open(&server, &std, spec, &err), "%s", err.msg);
	bytes_out(&server, 'x'); /* nobody there: lost */
	ck_assert_uint_eq(bytes_read(&server, got, 8), 0);
	for (unsigned i = 0; i < 2; i++) { /* a client may come again */
		snprintf(spec, sizeof spec, "unix:%s/s", path);
		ck_assert_msg(bytes_open(&client, &std, spec, &err), "%s", err.msg);
		bytes_write(&client, "hi\n", 3);
		ck_assert_uint_eq(bytes_read(&server, got, 8), 3);
		bytes_write(&server, "yo", 2);
		bytes_flush(&server);
		ck_assert_uint_eq(bytes_read(&client, got, 8), 2);
		ck_assert_int_eq(memcmp(got, "yo\n", 3), 0);
		bytes_close(&client);
		ck_assert_uint_eq(bytes_read(&server, got, 8), 0);
	}
	bytes_close(&server);
	ck_assert_int_eq(rmdir(path), 0); /* the socket is gone */
}
END_TEST

START_TEST(bytes_through_a_pty)
{
	static struct bytes b;
	struct bytes_stdio std;
	struct error err;
	char got[8] = "";
	int fd;

	bytes_stdio_init(&std);
	ck_assert_msg(bytes_open(&b, &std, "pty", &err), "%s", err.msg);
	bytes_write(&b, "lost\n", 5);
	ck_assert_uint_eq(bytes_read(&b, got, 8), 0);
	fd = open(b.name, O_RDWR | O_NOCTTY);
	ck_assert_int_ge(fd, 0);
	bytes_write(&b, "ok\n", 3);
	ck_assert_int_eq(read(fd, got, 8), 3);
	ck_assert_int_eq(memcmp(got, "ok\n", 3), 0);
	ck_assert_int_eq(write(fd, "in", 2), 2);
	ck_assert_uint_eq(bytes_read(&b, got, 8), 2);
	close(fd);
	ck_assert_uint_eq(bytes_read(&b, got, 8), 0);
	bytes_close(&b);
}
END_TEST

START_TEST(bytes_share_stdio)
{
	static struct bytes a, b;
	static struct bytes_stdio std;
	struct error err;
	int in_pipe[2], out_pipe[2];
	char got[16] = "";

	ck_assert_int_eq(pipe(in_pipe) | pipe(out_pipe), 0);
	ck_assert_int_eq(dup2(in_pipe[0], 0), 0);
	bytes_stdio_init(&std);
	std.out.fd = out_pipe[1];
	ck_assert(bytes_open(&a, &std, "stdio", &err) && bytes_open(&b, &std, "stdio", &err));
	bytes_write(&a, "1", 1);
	bytes_write(&b, "2", 1);
	bytes_write(&a, "3\n", 2);
	ck_assert_int_eq(read(out_pipe[0], got, 16), 4);
	ck_assert_int_eq(memcmp(got, "123\n", 4), 0);
	ck_assert_int_eq(write(in_pipe[1], "xy", 2), 2);
	ck_assert_uint_eq(bytes_read(&b, got, 1), 0);
	ck_assert_uint_eq(bytes_read(&a, got, 1), 1);
	bytes_focus(&b);
	ck_assert_uint_eq(bytes_read(&a, got, 1), 0);
	ck_assert_uint_eq(bytes_read(&b, got, 1), 1);
	ck_assert_int_eq(got[0], 'y');
	bytes_close(&a);
	bytes_close(&b);
}
END_TEST

START_TEST(reports_come_once)
{
	char path[] = "/tmp/uv-report-XXXXXX", got[128];
	int fd = mkstemp(path), keep = dup(2);
	ssize_t n;

	dup2(fd, 2);
	device_unimplemented("test: register %x", 1);
	device_unimplemented("test: register %x", 1);
	device_unimplemented("test: register %x", 2);
	fflush(stderr);
	dup2(keep, 2);
	n = pread(fd, got, sizeof got - 1, 0);
	got[n > 0 ? n : 0] = 0;
	unlink(path);
	ck_assert_str_eq(got, "unimplemented: test: register 1\nunimplemented: test: register 2\n");
}
END_TEST

static TCase *group(Suite *s, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, setup, NULL);
	suite_add_tcase(s, tc);
	return tc;
}

static void add_chips(Suite *s)
{
	TCase *tc = group(s, "uart16550");

	tcase_add_test(tc, fields_cover_the_states);
	tcase_add_test(tc, uart_registers);
	tcase_add_test(tc, uart_transmit_interrupt);
	tcase_add_test(tc, uart_fifo_trigger_and_timeout);
	tcase_add_test(tc, uart_overrun);
	tcase_add_test(tc, uart_break_belongs_to_its_byte);
	tcase_add_test(tc, uart_loopback_and_modem);
	tcase_add_test(tc, uart_survives_a_save);
	tc = group(s, "i8259");
	tcase_add_test(tc, pic_priorities);
	tcase_add_test(tc, pic_cascade);
	tcase_add_test(tc, pic_special_fully_nested);
	tcase_add_test(tc, pic_masks);
	tcase_add_test(tc, pic_spurious);
	tcase_add_test(tc, pic_levels);
	tcase_add_test(tc, pic_rotation_and_aeoi);
	tcase_add_test(tc, pic_poll);
	tc = group(s, "i8254");
	tcase_add_test(tc, pit_interrupts_are_exact);
	tcase_add_test(tc, pit_square_wave);
	tcase_add_test(tc, pit_latch_and_read_back);
	tcase_add_test(tc, pit_bcd);
	tcase_add_test(tc, pit_count_is_there_at_once);
	tcase_add_test(tc, pit_port61);
	tcase_add_loop_test(tc, pit_agrees_with_a_counting_model, 0, 20);
	tc = group(s, "rtc");
	tcase_add_test(tc, rtc_date);
	tcase_add_test(tc, rtc_set_date);
	tcase_add_test(tc, rtc_update_interrupt);
	tcase_add_test(tc, rtc_periodic_interrupt);
	tcase_add_test(tc, rtc_alarm);
	tcase_add_test(tc, rtc_divider_reset);
	tcase_add_test(tc, rtc_memory);
	tcase_add_test(tc, rtc_reset_pin);
}

static void add_others(Suite *s)
{
	TCase *tc = group(s, "i8042");

	tcase_add_test(tc, kbc_controller);
	tcase_add_test(tc, kbc_a20_and_reset);
	tcase_add_test(tc, kbc_keyboard);
	tcase_add_test(tc, kbc_scan_codes);
	tcase_add_test(tc, kbc_input);
	tcase_add_test(tc, kbc_interrupts_and_pace);
	tcase_add_test(tc, kbc_mouse);
	tc = group(s, "ports");
	tcase_add_test(tc, port92_lines);
	tcase_add_test(tc, debug_ports);
	tcase_add_test(tc, testdev);
	tcase_add_test(tc, fw_cfg_items);
	tcase_add_test(tc, fw_cfg_dma);
	tcase_add_test(tc, acpi_timer);
	tcase_add_test(tc, acpi_sleep_and_button);
	tcase_add_test(tc, saved_states_go_on);
	tcase_add_test(tc, random_accesses_do_no_harm);
	tc = group(s, "host");
	tcase_add_test(tc, bytes_to_a_file);
	tcase_add_test(tc, bytes_through_a_socket);
	tcase_add_test(tc, bytes_through_a_pty);
	tcase_add_test(tc, bytes_share_stdio);
	tcase_add_test(tc, reports_come_once);
}

int main(void)
{
	Suite *s = suite_create("devices_legacy");
	SRunner *r = srunner_create(s);
	int failed;

	add_chips(s);
	add_others(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
