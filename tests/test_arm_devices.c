/*
 * Unit tests of the Integrator/CP's devices, driven through their region_ops as a guest's accesses would, in virtual time that the tests
 * set. Drives, network and flash: test_arm_storage.c.
 */
#include "devices/integrator_cm.h"
#include "devices/integrator_cp.h"
#include "devices/integrator_timer.h"
#include "devices/pl011.h"
#include "devices/pl031.h"
#include "devices/pl041.h"
#include "devices/pl050.h"
#include "devices/pl110.h"

#include <check.h>
#include <stdlib.h>

static struct sched sched;
static bool level[32];
static unsigned edges[32];
static char sent[64];
static unsigned sent_n, resets;
static int remapped;

static void setup(void)
{
	sched_init(&sched);
	memset(level, 0, sizeof level);
	memset(edges, 0, sizeof edges);
	memset(sent, 0, sizeof sent);
	sent_n = resets = 0;
	remapped = -1;
}

static void line(void *arg, unsigned n, bool on)
{
	(void)arg;
	edges[n] += on && !level[n];
	level[n] = on;
}

static void out(void *arg, u8 byte)
{
	(void)arg;
	if (sent_n < sizeof sent - 1)
		sent[sent_n++] = (char)byte;
}

static u32 get(const struct region_ops *ops, void *dev, u32 off)
{
	u32 peeked = (u32)ops->peek(dev, off, 4), val = (u32)ops->read(dev, off, 4);

	ck_assert_uint_eq(peeked, val);
	return val;
}

static void put(const struct region_ops *ops, void *dev, u32 off, u32 val) { ops->write(dev, off, 4, val); }

/* Time goes on to t, timers included. */
static void until(u64 t)
{
	while (sched_next(&sched) <= t) {
		sched.now = sched_next(&sched);
		sched_fire(&sched);
	}
	sched.now = t;
}

static void id(const struct region_ops *ops, void *dev, u32 part)
{
	static const u8 cell[4] = {0x0d, 0xf0, 0x05, 0xb1};

	ck_assert_uint_eq(get(ops, dev, 0xfe0), part & 0xff);
	ck_assert_uint_eq(get(ops, dev, 0xfe4) & 15, part >> 8);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_uint_eq(get(ops, dev, 0xff0 + 4 * i), cell[i]);
}

#define COVERED(type, table) ck_assert_int_eq(field_gap(table, ARRAY_SIZE(table), sizeof(type)), -1)

START_TEST(fields)
{
	COVERED(struct pl011_state, pl011_fields);
	COVERED(struct pl031_state, pl031_fields);
	COVERED(struct pl050_state, pl050_fields);
	COVERED(struct pl110_state, pl110_fields);
	COVERED(struct integrator_pic_state, integrator_pic_fields);
	COVERED(struct integrator_timer_state, integrator_timer_fields);
	COVERED(struct integrator_cm_state, integrator_cm_fields);
	COVERED(struct integrator_cp_state, integrator_cp_fields);
}
END_TEST

/* ---- interrupt controllers ---- */

START_TEST(pic)
{
	const struct region_ops *ops = &integrator_pic_ops;
	struct integrator_pic p;

	integrator_pic_init(&p);
	irq_connect(&p.irq, line, NULL, 0);
	irq_connect(&p.fiq, line, NULL, 1);
	integrator_pic_line(&p, 6, true);
	ck_assert_uint_eq(get(ops, &p, 0x04), 1 << 6);
	ck_assert_uint_eq(get(ops, &p, 0x00), 0);
	ck_assert(!level[0]);
	put(ops, &p, 0x08, 1 << 6 | 1 << 5);
	ck_assert(level[0] && !level[1]);
	ck_assert_uint_eq(get(ops, &p, 0x00), 1 << 6);
	ck_assert_uint_eq(get(ops, &p, 0x08), 3 << 5);
	put(ops, &p, 0x0c, 1 << 6);
	ck_assert(!level[0]);
	put(ops, &p, 0x28, 1 << 6);
	ck_assert(!level[0] && level[1]);
	ck_assert_uint_eq(get(ops, &p, 0x20), 1 << 6);
	integrator_pic_line(&p, 6, false);
	ck_assert(!level[1]);
	put(ops, &p, 0x08, 1);
	put(ops, &p, 0x10, ~0u); /* software sets line 0 only */
	ck_assert_uint_eq(get(ops, &p, 0x04), 1);
	ck_assert(level[0]);
	put(ops, &p, 0x14, 1);
	ck_assert(!level[0]);
	integrator_pic_line(&p, 3, true);
	integrator_pic_reset(&p);
	ck_assert_uint_eq(get(ops, &p, 0x04), 8);
	ck_assert_uint_eq(get(ops, &p, 0x28), 0);
}
END_TEST

/* ---- timers ---- */

static struct integrator_timers timers;

static void timers_new(void)
{
	integrator_timers_init(&timers, &sched, 1, 40, 1000);
	for (unsigned i = 0; i < INTEGRATOR_TIMERS; i++)
		irq_connect(&timers.timer[i].irq, line, NULL, i);
}
static u32 tget(u32 off) { return get(&integrator_timers_ops, &timers, off); }
static void tput(u32 off, u32 val) { put(&integrator_timers_ops, &timers, off, val); }

START_TEST(timer_reset)
{
	timers_new();
	ck_assert_uint_eq(tget(0x104), 0xffffffff);
	ck_assert_uint_eq(tget(0x108), 0x20);
	until(1000000);
	ck_assert_uint_eq(tget(0x104), 0xffffffff);
	ck_assert_uint_eq(tget(0x110), 0);
}
END_TEST

START_TEST(timer_periodic)
{
	timers_new();
	tput(0x100, 10);   /* 10 us */
	tput(0x108, 0xe2); /* on, periodic, interrupt, 32 bits */
	until(9999);
	ck_assert_uint_eq(tget(0x104), 1);
	ck_assert(!level[1]);
	until(10000);
	ck_assert(level[1]);
	ck_assert_uint_eq(tget(0x114), 1);
	tput(0x10c, 1);
	ck_assert(!level[1]);
	until(105000);
	ck_assert_uint_eq(edges[1], 2); /* level: nobody cleared it */
	ck_assert_uint_eq(tget(0x104), 5);
	tput(0x108, 0xc2); /* interrupt off */
	ck_assert(!level[1]);
	ck_assert_uint_eq(tget(0x110), 1);
	ck_assert_uint_eq(tget(0x114), 0);
}
END_TEST

START_TEST(timer_other_modes)
{
	timers_new();
	tput(0x000, 5);
	tput(0x008, 0xa7); /* 32 bits, prescaler 16, one shot */
	until(5 * 16 * 40 - 1);
	ck_assert_uint_eq(tget(0x010), 0);
	until(5 * 16 * 40);
	ck_assert(level[0]);
	tput(0x00c, 0);
	until(10 * NS_PER_SEC);
	ck_assert_uint_eq(edges[0], 1);
	ck_assert_uint_eq(tget(0x004), 0);
	tput(0x208, 0x80); /* runs freely, 16 bits, 1 MHz */
	tput(0x200, 0x12340003);
	until(10 * NS_PER_SEC + 2000);
	ck_assert_uint_eq(tget(0x204), 1);
	until(10 * NS_PER_SEC + 4000);
	ck_assert_uint_eq(tget(0x204), 0xffff);
	ck_assert_uint_eq(tget(0x210), 1);
	ck_assert(!level[2]);
	tput(0x218, 7); /* background load: after the next zero, in periodic mode */
	ck_assert_uint_eq(tget(0x204), 0xffff);
	ck_assert_uint_eq(tget(0x200), 7);
}
END_TEST

/* The count is loaded before the mode is set. */
START_TEST(timer_load_first)
{
	timers_new();
	tput(0x008, 0);
	tput(0x000, 0xffffffff);
	tput(0x008, 0xc2);
	until(40 * 100000);
	ck_assert_uint_eq(tget(0x004), 0xffffffff - 100000);
}
END_TEST

/* The counter is what one gets by counting. */
START_TEST(timer_counts)
{
	u32 count = 7;

	timers_new();
	tput(0x100, 7);
	tput(0x108, 0xc2);
	for (u64 t = 0; t < 200; t++) {
		until(t * 1000);
		ck_assert_uint_eq(tget(0x104), count == 7 && t ? 0 : count);
		count = count == 1 ? 7 : count - 1;
	}
}
END_TEST

/* ---- core module, CP registers ---- */

static void on_reset(void *arg) { (void)arg, resets++; }
static void on_remap(void *arg, bool on) { (void)arg, remapped = on; }

START_TEST(core_module)
{
	const struct region_ops *ops = &integrator_cm_ops;
	struct integrator_cm c;

	integrator_cm_init(&c, &sched, 128 << 20);
	c.reset = on_reset;
	c.remap = on_remap;
	irq_connect(&c.pic.irq, line, NULL, 0);
	ck_assert_uint_eq(get(ops, &c, 0x00), 0x411a3001);
	ck_assert_uint_eq(get(ops, &c, 0x0c), CM_CTRL_REMAP);
	ck_assert_uint_eq(get(ops, &c, 0x20) >> 2 & 7, 3); /* 128 MB */
	put(ops, &c, 0x08, 0x123);
	ck_assert_uint_eq(get(ops, &c, 0x08), 0x01000048); /* locked */
	put(ops, &c, 0x14, 0xa05f);
	ck_assert_uint_eq(get(ops, &c, 0x14), 0x1a05f);
	put(ops, &c, 0x08, 0x123);
	ck_assert_uint_eq(get(ops, &c, 0x08), 0x123);
	put(ops, &c, 0x14, 0);
	sched.now = NS_PER_SEC;
	ck_assert_uint_eq(get(ops, &c, 0x28), 24000000);
	put(ops, &c, 0x30, 0xf0);
	put(ops, &c, 0x34, 0x30);
	ck_assert_uint_eq(get(ops, &c, 0x30), 0xc0);
	put(ops, &c, 0x38, 5);
	put(ops, &c, 0x48, 1); /* its own controller: a software interrupt */
	put(ops, &c, 0x50, 1);
	ck_assert(level[0]);
	ck_assert_uint_eq(get(ops, &c, 0x40), 1);
	ck_assert_uint_eq(get(ops, &c, 0x100), 128); /* SPD */
	ck_assert_uint_eq(get(ops, &c, 0x17c), 32);
	put(ops, &c, 0x0c, 1);
	ck_assert_int_eq(remapped, 0);
	put(ops, &c, 0x0c, CM_CTRL_REMAP | CM_CTRL_RESET);
	ck_assert_int_eq(remapped, 1);
	ck_assert_uint_eq(resets, 1);
	integrator_cm_reset(&c);
	ck_assert(!level[0]);
	ck_assert_uint_eq(get(ops, &c, 0x30), 0);
	ck_assert_uint_eq(get(ops, &c, 0x38), 5); /* survives a reset */
}
END_TEST

START_TEST(cp_registers)
{
	struct integrator_cp c;

	integrator_cp_init(&c);
	irq_connect(&c.card, line, NULL, 3);
	ck_assert_uint_eq(get(&integrator_cp_ops, &c, 0x00), 0x41034003);
	ck_assert_uint_eq(get(&integrator_cp_ops, &c, 0x0c), 0x11);
	put(&integrator_cp_ops, &c, 0x04, ~0u);
	ck_assert_uint_eq(get(&integrator_cp_ops, &c, 0x04), 3);
	integrator_cp_card(&c, true, true);
	ck_assert_uint_eq(get(&integrator_cp_ops, &c, 0x08), 9);
	put(&integrator_cp_ops, &c, 0x08, 8);
	ck_assert_uint_eq(get(&integrator_cp_ops, &c, 0x08), 1);
	ck_assert(level[3]); /* as long as the card is in */
	integrator_cp_card(&c, false, false);
	ck_assert(!level[3]);
	put(&integrator_leds_ops, &c, 0x04, 0xff);
	ck_assert_uint_eq(get(&integrator_leds_ops, &c, 0x04), 0xf);
	ck_assert_uint_eq(get(&integrator_leds_ops, &c, 0x08), 0);
	ck_assert_uint_eq(get(&integrator_leds_ops, &c, 0x00), 0);
}
END_TEST

/* ---- PL011 ---- */

static struct pl011 uart;
static u32 uget(u32 off) { return get(&pl011_ops, &uart, off); }
static void uput(u32 off, u32 val) { put(&pl011_ops, &uart, off, val); }

static void uart_new(void)
{
	pl011_init(&uart, &sched, 1, 14745600);
	irq_connect(&uart.irq, line, NULL, 0);
	pl011_connect(&uart, out, NULL);
}

START_TEST(uart_sends)
{
	uart_new();
	id(&pl011_ops, &uart, 0x011);
	ck_assert_uint_eq(uget(0x18) & 0xf0, 0x90);
	uput(0x38, 1 << 5);
	ck_assert(!level[0]);
	pl011_ops.write(&uart, 0, 1, 'h');
	pl011_ops.write(&uart, 0, 2, 'i');
	ck_assert_str_eq(sent, "hi");
	ck_assert(level[0]);
	ck_assert_uint_eq(uget(0x40), 1 << 5);
	uput(0x44, 1 << 5);
	ck_assert(!level[0]);
	ck_assert_uint_eq(uget(0x18) & 0xf0, 0x90);
}
END_TEST

START_TEST(uart_receives)
{
	uart_new();
	ck_assert_uint_eq(pl011_room(&uart), 0); /* not enabled */
	uput(0x24, 24); /* 38400 */
	uput(0x28, 0);
	uput(0x2c, 0x70);
	uput(0x30, 0x301);
	uput(0x38, 1 << 4 | 1 << 6);
	ck_assert_uint_eq(pl011_room(&uart), 16);
	for (unsigned i = 0; i < 7; i++)
		pl011_receive(&uart, (u8)('a' + i));
	ck_assert(!level[0]); /* the trigger is 8 */
	until(32 * 26042 - 100);
	ck_assert(!level[0]);
	until(32 * 26042 + 100);
	ck_assert(level[0]);
	ck_assert_uint_eq(uget(0x40), 1 << 6);
	pl011_receive(&uart, 'h');
	ck_assert_uint_eq(uget(0x3c), 1 << 4 | 1 << 6);
	for (unsigned i = 0; i < 8; i++)
		ck_assert_uint_eq(uget(0), 'a' + i);
	ck_assert(!level[0]);
	ck_assert_uint_eq(uget(0x18) & 0x50, 0x10);
	for (unsigned i = 0; i < 17; i++)
		pl011_receive(&uart, (u8)i);
	ck_assert_uint_eq(uget(0x18) & 0x50, 0x40);
	ck_assert_uint_eq(uget(0x3c) & 1 << 10, 1 << 10); /* overrun */
	ck_assert_uint_eq(pl011_ops.read(&uart, 0, 4), 0x800);
	uput(0x04, 0);
	ck_assert_uint_eq(uget(0x04), 0);
}
END_TEST

START_TEST(uart_loopback)
{
	uart_new();
	uput(0x30, 0x381);
	ck_assert_uint_eq(pl011_room(&uart), 0);
	uput(0, 'x');
	ck_assert_uint_eq(sent_n, 0);
	ck_assert_uint_eq(uget(0x18) & 0x50, 0x40); /* one byte fills it without FIFO */
	ck_assert_uint_eq(uget(0), 'x');
	uput(0x2c, 1);
	ck_assert_uint_eq(uget(0x3c) & 0x280, 0x280); /* break and framing error */
	uput(0x44, 0x7ff);
	ck_assert_uint_eq(uget(0x18) & 0x107, 0);
	uput(0x30, 0x381 | 0x800); /* RTS is CTS, */
	ck_assert_uint_eq(uget(0x18) & 0x107, 1);
	ck_assert_uint_eq(uget(0x3c) & 15, 2);
	uput(0x30, 0x381 | 0x3400); /* DTR is DSR, Out1 is DCD, Out2 is RI */
	ck_assert_uint_eq(uget(0x18) & 0x107, 0x106);
	ck_assert_uint_eq(uget(0x3c) & 15, 15);
	uput(0x44, 15);
	ck_assert_uint_eq(uget(0x3c) & 15, 0);
	pl011_reset(&uart);
	ck_assert_uint_eq(uget(0x30), 0x300);
	ck_assert_uint_eq(uget(0x34), 0x12);
}
END_TEST

/* Infrared: nothing comes out of the plug, and nothing in. */
START_TEST(uart_infrared)
{
	uart_new();
	uput(0x30, 0x303);
	uput(0, 'x');
	ck_assert_uint_eq(sent_n, 0);
	ck_assert_uint_eq(uget(0x3c) & 0x20, 0x20);
	ck_assert_uint_eq(pl011_room(&uart), 0);
	pl011_receive(&uart, 'y');
	ck_assert_uint_eq(uget(0x18) & 0x10, 0x10);
}
END_TEST

/* ---- PL031 ---- */

START_TEST(rtc)
{
	struct pl031 r;

	pl031_init(&r, &sched, 1, 1704067200);
	irq_connect(&r.irq, line, NULL, 0);
	id(&pl031_ops, &r, 0x031);
	ck_assert_uint_eq(get(&pl031_ops, &r, 0x00), 1704067200);
	until(3 * NS_PER_SEC - 1);
	ck_assert_uint_eq(get(&pl031_ops, &r, 0x00), 1704067202);
	put(&pl031_ops, &r, 0x04, 1704067205);
	put(&pl031_ops, &r, 0x10, 1);
	until(5 * NS_PER_SEC - 1);
	ck_assert(!level[0]);
	until(5 * NS_PER_SEC);
	ck_assert(level[0]);
	put(&pl031_ops, &r, 0x1c, 1);
	ck_assert(!level[0]);
	put(&pl031_ops, &r, 0x08, 100);
	ck_assert_uint_eq(get(&pl031_ops, &r, 0x00), 100);
	until(6 * NS_PER_SEC);
	ck_assert_uint_eq(get(&pl031_ops, &r, 0x00), 101);
	pl031_reset(&r);
	ck_assert_uint_eq(get(&pl031_ops, &r, 0x00), 101); /* the date goes on */
	put(&pl031_ops, &r, 0x0c, 0); /* and cannot be stopped */
	ck_assert_uint_eq(get(&pl031_ops, &r, 0x0c), 1);
	until(7 * NS_PER_SEC);
	ck_assert_uint_eq(get(&pl031_ops, &r, 0x00), 102);
}
END_TEST

/* ---- PL050 ---- */

START_TEST(keyboard)
{
	struct pl050 k;

	pl050_init(&k, false);
	irq_connect(&k.irq, line, NULL, 0);
	id(&pl050_ops, &k, 0x050);
	put(&pl050_ops, &k, 0x00, 0x14); /* enabled, receive interrupt */
	put(&pl050_ops, &k, 0x0c, 7);
	ck_assert_uint_eq(get(&pl050_ops, &k, 0x04) & 0x50, 0x40);
	put(&pl050_ops, &k, 0x08, 0xff); /* reset */
	ck_assert(level[0]);
	ck_assert_uint_eq(get(&pl050_ops, &k, 0x10), 1);
	ck_assert_uint_eq(get(&pl050_ops, &k, 0x08), 0xfa);
	ck_assert(level[0]);
	ck_assert_uint_eq(get(&pl050_ops, &k, 0x08), 0xaa);
	ck_assert(!level[0]);
	ck_assert(pl050_key(&k, 0x1e)); /* A: set 2 at the guest */
	ck_assert(pl050_key(&k, 0x9e));
	ck_assert_uint_eq(get(&pl050_ops, &k, 0x04) & 0x14, 0x10); /* 1Ch: three bits, so no parity bit */
	ck_assert_uint_eq(get(&pl050_ops, &k, 0x08), 0x1c);
	ck_assert_uint_eq(get(&pl050_ops, &k, 0x08), 0xf0);
	ck_assert_uint_eq(get(&pl050_ops, &k, 0x08), 0x1c);
	put(&pl050_ops, &k, 0x00, 0x0c); /* transmit interrupt: always due */
	ck_assert(level[0]);
	ck_assert_uint_eq(get(&pl050_ops, &k, 0x10), 2);
}
END_TEST

START_TEST(mouse)
{
	static const u8 move[4] = {1, 5, 0xfd, 0}, want[4] = {0xfa, 0x29, 5, 0xfd};
	struct pl050 k;

	pl050_init(&k, true);
	irq_connect(&k.irq, line, NULL, 0);
	put(&pl050_ops, &k, 0x00, 0x14);
	put(&pl050_ops, &k, 0x08, 0xf4);
	for (unsigned i = 0; i < 4; i++)
		pl050_mouse_byte(&k, move[i]);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_uint_eq(get(&pl050_ops, &k, 0x08), want[i]);
	ck_assert(!level[0]);
}
END_TEST

/* ---- PL110 ---- */

static struct space mem;
static struct pl110 lcd;
static u32 shown[64 * 4];

static void lcd_new(unsigned bpp, u32 more)
{
	struct error err;

	ck_assert(space_init(&mem, "memory", 32, &err));
	ck_assert(space_add_ram(&mem, "ram", 0, 1 << 20, false, &err));
	pl110_init(&lcd, &sched, 1, &mem);
	irq_connect(&lcd.irq, line, NULL, 0);
	put(&pl110_ops, &lcd, 0x00, 3 << 2); /* 64 pixels */
	put(&pl110_ops, &lcd, 0x04, 3);      /* 4 lines */
	put(&pl110_ops, &lcd, 0x10, 0x8000);
	put(&pl110_ops, &lcd, 0x1c, 0x821 | bpp << 1 | more);
}

static const u32 *show(void)
{
	struct picture p = pl110_picture(&lcd);
	struct picture_size size = p.size(p.dev);

	ck_assert_uint_eq(size.width, 64);
	ck_assert_uint_eq(size.height, 4);
	p.render(p.dev, shown, 64);
	return shown;
}

START_TEST(lcd_formats)
{
	struct picture p;
	u64 hash;

	lcd_new(5, 0);
	id(&pl110_ops, &lcd, 0x110);
	p = pl110_picture(&lcd);
	hash = p.hash(p.dev);
	space_write(&mem, 0x8000 + 4 * 65, 4, 0x00112233);
	ck_assert(p.hash(p.dev) != hash);
	ck_assert_uint_eq(show()[65], 0x332211); /* red in the low bits */
	put(&pl110_ops, &lcd, 0x1c, 0x921 | 5 << 1);
	ck_assert_uint_eq(show()[65], 0x112233);
	put(&pl110_ops, &lcd, 0x1c, 0x921 | 4 << 1);
	space_write(&mem, 0x8000, 4, 0x07e0f800);
	ck_assert_uint_eq(show()[0], 0xff0000);
	ck_assert_uint_eq(show()[1], 0x00ff00);
	pl110_mux(&lcd, true);
	ck_assert_uint_eq(show()[0], 0xf70000); /* 11110 00000 00000 */
	put(&pl110_ops, &lcd, 0x1c, 0x821 | 3 << 1);
	put(&pl110_ops, &lcd, 0x200 + 4 * 0x40, 0x001f0000 | 0x7c00); /* entries 80h and 81h */
	space_write(&mem, 0x8000, 4, 0x8180);
	ck_assert_uint_eq(show()[0], 0x0000ff);
	ck_assert_uint_eq(show()[1], 0xff0000);
	put(&pl110_ops, &lcd, 0x1c, 0x020 | 3 << 1); /* off */
	ck_assert_uint_eq(show()[1], 0);
	space_free(&mem);
}
END_TEST

START_TEST(lcd_small_pixels)
{
	lcd_new(0, 0);
	put(&pl110_ops, &lcd, 0x200, 0x7fff << 16);
	space_write(&mem, 0x8000, 4, 0x80000102);
	ck_assert_uint_eq(show()[0], 0);
	ck_assert_uint_eq(show()[1], 0xffffff);
	ck_assert_uint_eq(show()[8], 0xffffff);
	ck_assert_uint_eq(show()[31], 0xffffff);
	put(&pl110_ops, &lcd, 0x1c, 0x821 | 0x600); /* big-endian bytes and pixels */
	ck_assert_uint_eq(show()[0], 0xffffff);
	ck_assert_uint_eq(show()[23], 0xffffff);
	ck_assert_uint_eq(show()[30], 0xffffff);
	ck_assert_uint_eq(show()[31], 0);
	space_free(&mem);
}
END_TEST

START_TEST(lcd_frames)
{
	lcd_new(5, 0);
	ck_assert_uint_eq(get(&pl110_ops, &lcd, 0x20), 0);
	put(&pl110_ops, &lcd, 0x18, 4);
	until(PL110_FRAME_NS - 1);
	ck_assert(!level[0]);
	until(PL110_FRAME_NS);
	ck_assert(level[0]);
	ck_assert_uint_eq(get(&pl110_ops, &lcd, 0x24), 4);
	put(&pl110_ops, &lcd, 0x20, 4);
	ck_assert(!level[0]);
	until(2 * PL110_FRAME_NS);
	ck_assert(level[0]);
	put(&pl110_ops, &lcd, 0x1c, 0);
	ck_assert(!level[0]);
	space_free(&mem);
}
END_TEST

/* Memory that is not there, and a frame buffer at the end of the address space */
START_TEST(lcd_odd_base)
{
	lcd_new(5, 0);
	put(&pl110_ops, &lcd, 0x10, 0xfffffff0);
	ck_assert_uint_eq(show()[0], 0);
	put(&pl110_ops, &lcd, 0x10, 0xffff0);
	space_write(&mem, 0xffff0, 4, 0xff);
	ck_assert_uint_eq(show()[0], 0xff0000);
	ck_assert_uint_eq(show()[63], 0);
	space_free(&mem);
}
END_TEST

START_TEST(audio)
{
	ck_assert_uint_eq(pl041_ops.read(NULL, 0xfe0, 4), 0x41);
	ck_assert_uint_eq(pl041_ops.read(NULL, 0xff4, 4), 0xf0);
	ck_assert_uint_eq(pl041_ops.read(NULL, 0, 4), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ARM devices");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, fields);
	tcase_add_test(t, pic);
	tcase_add_test(t, timer_reset);
	tcase_add_test(t, timer_periodic);
	tcase_add_test(t, timer_other_modes);
	tcase_add_test(t, timer_load_first);
	tcase_add_test(t, timer_counts);
	tcase_add_test(t, core_module);
	tcase_add_test(t, cp_registers);
	tcase_add_test(t, uart_sends);
	tcase_add_test(t, uart_receives);
	tcase_add_test(t, uart_loopback);
	tcase_add_test(t, uart_infrared);
	tcase_add_test(t, rtc);
	tcase_add_test(t, keyboard);
	tcase_add_test(t, mouse);
	tcase_add_test(t, lcd_formats);
	tcase_add_test(t, lcd_small_pixels);
	tcase_add_test(t, lcd_frames);
	tcase_add_test(t, lcd_odd_base);
	tcase_add_test(t, audio);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
