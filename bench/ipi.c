/* Self-IPIs: write the ICR, take the interrupt, EOI, IRETQ. Op: one interrupt. APM2 16.5 */
#include "rt/rt64.h"

enum { VECTOR = 0x40, ICR_SELF = 1 << 18, ICR_ASSERT = 1 << 14 };

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
	__asm__ volatile("sti");
	for (u64 i = 0; i < n; i++) {
		lapic_write(LAPIC_ICR, ICR_SELF | ICR_ASSERT | VECTOR);
		while (taken == i)
			;
		sum = sum_mix(sum, taken);
	}
	__asm__ volatile("cli");
	return (struct result){ n, sum };
}

const struct bench bench = { "ipi", 1000000, run };
