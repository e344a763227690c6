/* One-shot APIC timer interrupts waited for in HLT: an idle kernel's life. Op: one timer armed and taken. APM2 16.4.1 */
#include "rt/rt64.h"

enum { VECTOR = 0x41, DIVIDE_BY_1 = 0xb, TICKS = 100 };

static volatile u64 taken;

__attribute__((interrupt)) static void handler(struct int_frame *f)
{
	(void)f;
	taken++;
	lapic_write(LAPIC_EOI, 0);
}

static struct result run(u64 n)
{
	u64 sum = 0;

	idt_set(VECTOR, handler);
	lapic_enable();
	lapic_write(LAPIC_TIMER_DIV, DIVIDE_BY_1);
	lapic_write(LAPIC_LVT_TIMER, VECTOR);
	for (u64 i = 0; i < n; i++) {
		lapic_write(LAPIC_TIMER_INIT, TICKS);
		while (taken == i)
			__asm__ volatile("sti; hlt; cli" : : : "memory");
		sum = sum_mix(sum, taken);
	}
	return (struct result){ n, sum };
}

const struct bench bench = { "apic-timer", 80000, run };
