/* The board: identification, timers and interrupts (IRQ, FIQ, by software), UART loopback, clock, keyboard, card, LCD and network. */
#include "arm.h"

#define CM    0x10000000
#define TIMER 0x13000000
#define PIC   0x14000000
#define RTC   0x15000000
#define UART  0x16000000
#define UART1 0x17000000
#define KMI   0x18000000
#define LEDS  0x1a000000
#define MMC   0x1c000000
#define LCD   0xc0000000
#define NIC   0xc8000000
#define SIC   0xca000000
#define CP    0xcb000000

static volatile u32 irqs, fiqs, status;

static void on_irq(u32 vector)
{
	if (vector == 7) {
		fiqs++;
		put(PIC + 0x2c, ~0u);
		return;
	}
	irqs++;
	status = get(PIC);
	put(TIMER + 0x10c, 1);
	put(PIC + 0x14, 1);
	if (irqs > 8)
		put(PIC + 0x0c, ~0u);
}

static u32 primecell(u32 base) { return get(base + 0xfe0) & 0xff; }

static void identification(void)
{
	check("core module: id", get(CM), 0x411a3001);
	check("core module: oscillator is locked", (put(CM + 8, 0x155), get(CM + 8)), 0x01000048);
	put(CM + 0x14, 0xa05f);
	check("core module: lock", get(CM + 0x14), 0x1a05f);
	check("core module: oscillator", (put(CM + 8, 0x01000155), get(CM + 8)), 0x01000155);
	put(CM + 0x14, 0);
	check("core module: SPD", get(CM + 0x100), 128);
	check("flags: set and clear", (put(CM + 0x30, 0xff), put(CM + 0x34, 0x0f), get(CM + 0x30)), 0xf0);
	check("CP: id", get(CP), 0x41034003);
	check("CP: decode", get(CP + 12), 0x11);
	check("RTC", primecell(RTC), 0x31);
	check("UART", primecell(UART1), 0x11);
	check("KMI", primecell(KMI), 0x50);
	check("MMC", primecell(MMC), 0x81);
	check("LCD", primecell(LCD), 0x10);
	check("switches", get(LEDS + 8), 0);
	check("LEDs can be written", (put(LEDS + 4, 5), 0), 0);
}

static void wait(volatile u32 *what, u32 n)
{
	for (u32 i = 0; i < 40000000 && *what < n; i++)
		;
}

static void timers(void)
{
	u32 a, b;

	irqs = 0;
	put(TIMER + 0x100, 1000); /* 1 ms */
	put(TIMER + 0x108, 0xe2);
	put(PIC + 8, 1 << 6);
	irq_enable();
	wait(&irqs, 3);
	irq_disable();
	check("timer 1 interrupts", irqs >= 3, 1);
	check("timer 1: line 6", status, 1 << 6);
	put(TIMER + 0x108, 0);
	put(TIMER + 0x10c, 1);
	put(PIC + 0xc, ~0u);
	put(TIMER + 0x200, 0x10000000);
	put(TIMER + 0x208, 0x82); /* runs freely */
	a = get(TIMER + 0x204);
	b = a;
	for (u32 i = 0; i < 1000000 && b == a; i++)
		b = get(TIMER + 0x204);
	check("timer 2 counts down", b < a && a <= 0x10000000, 1);
	put(TIMER + 0x208, 0);
	a = get(TIMER + 0x204);
	for (volatile u32 i = 0; i < 5000; i++)
		;
	check("timer 2 stands", get(TIMER + 0x204), a);
	a = get(CM + 0x28);
	for (volatile u32 i = 0; i < 5000; i++)
		;
	check("24 MHz counter counts", get(CM + 0x28) != a, 1);
}

static void software(void)
{
	irqs = fiqs = 0;
	put(PIC + 8, 1);
	put(PIC + 0x10, 1);
	irq_enable();
	wait(&irqs, 1);
	irq_disable();
	check("software interrupt", irqs, 1);
	check("software interrupt: cleared", get(PIC + 4) & 1, 0);
	put(PIC + 0xc, ~0u);
	put(PIC + 0x28, 1);
	put(PIC + 0x10, 1);
	irq_enable();
	wait(&fiqs, 1);
	irq_disable();
	check("FIQ", fiqs, 1);
	check("FIQ: mode and masks", seen.cpsr & 0xff, 0xd1);
	check("FIQ: spsr", seen.spsr & 0xff, 0x13);
	put(PIC + 0x14, 1);
	put(SIC + 8, 1);
	put(SIC + 0x10, 1);
	check("the secondary controller is line 26", get(PIC + 4) >> 26 & 1, 1);
	put(SIC + 0x14, 1);
	put(SIC + 0xc, 1);
	check("and goes away", get(PIC + 4) >> 26 & 1, 0);
}

static void uart(void)
{
	put(UART1 + 0x2c, 0x70);
	put(UART1 + 0x30, 0x381); /* loopback */
	check("UART: empty", get(UART1 + 0x18) & 0x90, 0x90);
	put(UART1, 'x');
	check("UART: loopback", get(UART1) & 0xff, 'x');
	put(UART1 + 0x30, 0x300);
	put(UART1 + 0x38, 1 << 5);
	put(UART1, 'y');
	check("UART: transmit interrupt is line 2", get(PIC + 4) >> 2 & 1, 1);
	put(UART1 + 0x44, 1 << 5);
	check("UART: cleared", get(PIC + 4) >> 2 & 1, 0);
}

static void devices(void)
{
	u32 a = get(RTC);

	put(RTC + 8, 1000);
	check("RTC: load", get(RTC) - 1000 < 3, 1);
	put(RTC + 8, a);
	put(KMI, 4);
	put(KMI + 8, 0xf2); /* identify */
	for (u32 i = 0; i < 100000 && !(get(KMI + 4) & 0x10); i++)
		;
	check("keyboard: acknowledges", get(KMI + 8), 0xfa);
	check("keyboard: id", get(KMI + 8), 0xab);
	check("keyboard: id", get(KMI + 8), 0x83);
	put(LCD + 0x10, 0x12345678);
	check("LCD: base", get(LCD + 0x10), 0x12345678);
	put(LCD + 0x200, 0x5555aaaa);
	check("LCD: palette", get(LCD + 0x200), 0x5555aaaa);
	*(volatile u16 *)(NIC + 14) = 3;
	check("network: bank select", *(volatile u16 *)(NIC + 14), 0x3303);
	check("network: revision", *(volatile u16 *)(NIC + 10) >> 4, 0x339);
	*(volatile u16 *)(NIC + 14) = 2;
	*(volatile u16 *)NIC = 1 << 5;
	check("network: packet", *(volatile u8 *)(NIC + 3), 0);
	put(MMC, 3);
	put(MMC + 8, 0);
	put(MMC + 12, 0x400);
	check("card: command without an answer", get(MMC + 0x34) & 0x84, 0x80);
}

void test(void)
{
	interrupt = on_irq;
	identification();
	timers();
	software();
	uart();
	devices();
}
