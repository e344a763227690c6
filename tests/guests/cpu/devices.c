/* HPET, RTC, port 92h, pc-testdev, port 61h, isa-debug-exit's neighbours. Each device's own rules; what a CPU test needs of them. */
#include "guest64.h"

static volatile u32 irq8;

static void hpet(void)
{
	volatile u64 *h = (u64 *)0xfed00000;

	u64 id = h[0];
	ok((id >> 16 & 0xffff) != 0 && id >> 32 > 0 && id >> 32 <= 100000000, "HPET: capabilities", "%llx", id);
	h[2] = 0;
	h[0xf0 / 8] = 0x1000;
	is(h[0xf0 / 8], 0x1000, "stopped: the counter can be set");
	is(h[0xf0 / 8], 0x1000, "and stays");
	h[2] = 1;
	u64 a = h[0xf0 / 8];
	for (unsigned i = 0; i < 1000; i++)
		__asm__ volatile("pause");
	u64 b = h[0xf0 / 8];
	ok(b > a && a >= 0x1000, "enabled: it counts", "%llx then %llx", a, b);
	/* Against the TSC: both go on together. */
	u64 t0 = tsc_read(), c0 = h[0xf0 / 8];
	while (h[0xf0 / 8] - c0 < 10000)
		__asm__ volatile("pause");
	ok(tsc_read() > t0, "time passes", "no");
	h[2] = 0;
}

static u8 cmos(u8 reg)
{
	out8(0x70, reg);
	return in8(0x71);
}

static void cmos_set(u8 reg, u8 v)
{
	out8(0x70, reg);
	out8(0x71, v);
}

static void on_rtc(struct regs *r)
{
	(void)r;
	irq8++;
	cmos(0xc);
	out8(0xa0, 0x20);
	out8(0x20, 0x20);
}

static void rtc(void)
{
	is(cmos(0xd) & 0x80, 0x80, "RTC: valid RAM and time");
	is(cmos(0xa) & 0x70, 0x20, "RTC: the oscillator runs");
	u8 month = cmos(8), day = cmos(7);
	ok(month >= 1 && month <= 0x12 && day >= 1 && day <= 0x31, "RTC: a date", "%02x %02x", month, day);
	cmos_set(0x50, 0x5a);
	is(cmos(0x50), 0x5a, "CMOS RAM");
	/* Periodic interrupt, 1024 Hz, IRQ 8. */
	out8(0x20, 0x11), out8(0x21, 0x70), out8(0x21, 4), out8(0x21, 1);
	out8(0xa0, 0x11), out8(0xa1, 0x78), out8(0xa1, 2), out8(0xa1, 1);
	out8(0x21, 0xfb), out8(0xa1, 0xfe);
	handler_set(0x78, on_rtc);
	lapic_enable();
	lapic_write(LAPIC_LINT0, 0x700);
	cmos_set(0xa, 0x26);
	cmos_set(0xb, cmos(0xb) | 0x40);
	cmos(0xc);
	for (u64 end = tsc_read() + 1000000000ull; irq8 < 3 && tsc_read() < end;)
		__asm__ volatile("sti\n nop\n nop\n cli" : : : "memory");
	ok(irq8 >= 3, "RTC: periodic interrupts through both PICs", "%u", irq8);
	cmos_set(0xb, cmos(0xb) & ~0x40);
	out8(0x21, 0xff), out8(0xa1, 0xff);
}

static void ports(void)
{
	u8 a = in8(0x92);

	out8(0x92, a | 2);
	is(in8(0x92) & 3, 2, "port 92h: A20 on, no reset");
	/* Channel 2 of the PIT by its gate in port 61h. */
	out8(0x61, (in8(0x61) & 0xfc) | 1);
	out8(0x43, 0xb0);
	out8(0x42, 0x10), out8(0x42, 0);
	bool high = false;
	for (u64 end = tsc_read() + 1000000000ull; !high && tsc_read() < end;)
		high = in8(0x61) & 0x20;
	ok(high, "PIT channel 2: output goes high in port 61h", "never");
	/* 8042: self-test. */
	out8(0x64, 0xaa);
	for (unsigned i = 0; i < 100000 && !(in8(0x64) & 1); i++)
		__asm__ volatile("pause");
	is(in8(0x60), 0x55, "8042 self-test");
	/* pc-testdev */
	out32(0xe0, 0x12345678);
	is(in32(0xe0), 0x12345678, "pc-testdev: 32-bit latch");
	out8(0xe0, 0xab);
	is(in8(0xe0), 0xab, "pc-testdev: 8-bit latch");
	volatile u32 *mem = (u32 *)0xff000000;
	mem[4] = 0xcafebabe;
	is(mem[4], 0xcafebabe, "pc-testdev: MMIO RAM");
	is(((volatile u8 *)mem)[16], 0xbe, "pc-testdev: bytes of it");
	/* An unaligned MMIO access that crosses a doubleword. */
	mem[5] = 0x11223344;
	is(*(volatile u32 *)((uword)mem + 18), 0x3344cafe, "MMIO read across doublewords");
	/* Nothing answers: ones. */
	is(in8(0x2f7), 0xff, "an empty port reads ones");
	is(*(volatile u32 *)0xfd000000u == 0xffffffff || on_qemu(), 1, "empty memory reads ones");
}

void guest_main(void)
{
	hpet();
	rtc();
	ports();
}
