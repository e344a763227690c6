/* timer.c: the VMM's tick. It gives the VMM a reason to take the processor back (#VMEXIT INTR) and guests an alarm.
 * Intel 8259A and 8254 data sheets. */
#include "timer.h"
#include "port.h"

enum { PIC1 = 0x20, PIC2 = 0xa0, PIC_EOI = 0x20, PIT_CHANNEL0 = 0x40, PIT_CONTROL = 0x43, PIT_DIVISOR = 1193182 / 100 };

static volatile u64 ticks;

static void pic_init(void)
{
	out8(PIC1, 0x11); /* ICW1: edge triggered, cascade, ICW4 follows */
	out8(PIC2, 0x11);
	out8(PIC1 + 1, TIMER_VECTOR); /* ICW2: first vector */
	out8(PIC2 + 1, TIMER_VECTOR + 8);
	out8(PIC1 + 1, 1 << 2); /* ICW3: the second PIC is on input 2 */
	out8(PIC2 + 1, 2);
	out8(PIC1 + 1, 1); /* ICW4: 8086 mode */
	out8(PIC2 + 1, 1);
	out8(PIC1 + 1, 0xfe); /* OCW1: all masked but input 0, the timer */
	out8(PIC2 + 1, 0xff);
}

void timer_init(void)
{
	pic_init();
	out8(PIT_CONTROL, 0x34); /* channel 0, low byte then high byte, mode 2 */
	out8(PIT_CHANNEL0, PIT_DIVISOR & 0xff);
	out8(PIT_CHANNEL0, PIT_DIVISOR >> 8);
}

void timer_tick(void)
{
	ticks++;
	out8(PIC1, PIC_EOI);
}

u64 timer_ticks(void) { return ticks; }
