/* The interrupt hardware: PIC and PIT, local APIC (timer, priorities, self-IPI, errors), x2APIC, I/O APIC, TSC deadline. APM2 16. */
#include "guest64.h"

static volatile u32 count[256], last;
static u32 eoi_pic;

static void on_irq(struct regs *r)
{
	count[r->vector]++;
	if (r->vector == 0x91) /* the level-triggered one: its line, as a driver would */
		out8(0x2000 + 10, 0);
	last = (u32)r->vector;
	if (eoi_pic) {
		out8(0x20, 0x20);
		if (r->vector >= 0x78)
			out8(0xa0, 0x20);
	} else if (msr_read(MSR_APIC_BASE) & 0x400) {
		msr_write(0x80b, 0);
	} else {
		lapic_write(LAPIC_EOI, 0);
	}
}

/* Lets interrupts in until count[vector] reaches n, or a second of TSC is over. */
static bool wait_count(u32 vector, u32 n)
{
	for (u64 end = tsc_read() + 1000000000ull; count[vector] < n && tsc_read() < end;)
		__asm__ volatile("sti\n nop\n nop\n cli" : : : "memory");
	return count[vector] >= n;
}

static void settle(void)
{
	for (unsigned i = 0; i < 1000; i++)
		__asm__ volatile("sti\n nop\n nop\n cli" : : : "memory");
}

static void pic_pit(void)
{
	eoi_pic = 1;
	out8(0x20, 0x11), out8(0x21, 0x70), out8(0x21, 4), out8(0x21, 1);
	out8(0xa0, 0x11), out8(0xa1, 0x78), out8(0xa1, 2), out8(0xa1, 1);
	out8(0xa1, 0xff);
	lapic_enable();
	lapic_write(LAPIC_LINT0, 0x700); /* ExtINT */
	out8(0x43, 0x34);
	out8(0x40, 0x00), out8(0x40, 0x10);
	out8(0x21, 0xfe);
	ok(wait_count(0x70, 3), "PIT channel 0 through the PIC", "%u", count[0x70]);
	out8(0x21, 0xff);
	settle();
	u32 n = count[0x70];
	settle();
	is(count[0x70], n, "masked in the PIC");
	/* One shot, mode 0, and read-back of the count. */
	out8(0x43, 0x30);
	out8(0x40, 0x00), out8(0x40, 0x20);
	out8(0x43, 0xe2); /* read-back: status of channel 0 */
	u8 status = in8(0x40);
	is(status & 0x3f, 0x30, "PIT read-back: mode 0, low then high byte");
	out8(0x43, 0x00); /* latch */
	u32 a = in8(0x40) | in8(0x40) << 8;
	for (unsigned i = 0; i < 1000; i++)
		__asm__ volatile("pause");
	out8(0x43, 0x00);
	u32 b = in8(0x40) | in8(0x40) << 8;
	ok(b < a || a > 0x2000, "the PIT counts down", "%x then %x", a, b);
	out8(0x21, 0xfe);
	count[0x70] = 0;
	ok(wait_count(0x70, 1), "PIT mode 0", "no interrupt");
	settle();
	is(count[0x70], 1, "comes once");
	out8(0x21, 0xff);
	/* IRR and ISR of the PIC. */
	out8(0x43, 0x30);
	out8(0x40, 1), out8(0x40, 0);
	out8(0x20, 0x0a);
	for (u64 end = tsc_read() + 1000000000ull; !(in8(0x20) & 1) && tsc_read() < end;)
		;
	is(in8(0x20) & 1, 1, "the PIC's IRR shows a masked request");
	out8(0x20, 0x0b);
	is(in8(0x20), 0, "ISR is empty");
	lapic_write(LAPIC_LINT0, 0x10700);
	eoi_pic = 0;
}

static void local(void)
{
	is(lapic_read(LAPIC_VERSION) & 0xff ? 1 : 0, 1, "local APIC version");
	ok(lapic_read(LAPIC_VERSION) >> 16 >= 3, "LVT entries", "%x", lapic_read(LAPIC_VERSION));
	lapic_write(LAPIC_DIV, 0xb);
	lapic_write(LAPIC_TIMER, 0x80);
	lapic_write(LAPIC_INIT, 1000);
	ok(wait_count(0x80, 1), "one-shot timer", "no interrupt");
	settle();
	is(count[0x80], 1, "comes once");
	is(lapic_read(LAPIC_COUNT), 0, "its count stays 0");
	lapic_write(LAPIC_TIMER, 0x20080);
	lapic_write(LAPIC_INIT, 20000);
	ok(wait_count(0x80, 5), "periodic timer", "%u", count[0x80]);
	lapic_write(LAPIC_INIT, 0);
	settle();
	u32 n = count[0x80];
	settle();
	is(count[0x80], n, "initial count 0 stops it");
	lapic_write(LAPIC_TIMER, 0x10080);
	lapic_write(LAPIC_INIT, 1000000000);
	u32 c1 = lapic_read(LAPIC_COUNT), c2;
	for (unsigned i = 0; i < 100; i++)
		__asm__ volatile("pause");
	c2 = lapic_read(LAPIC_COUNT);
	ok(c2 < c1, "the count goes down", "%x then %x", c1, c2);
	lapic_write(LAPIC_INIT, 0);
	/* Priorities: TPR holds off lower classes. APM2 16.6.4 */
	lapic_write(LAPIC_TPR, 0x90);
	lapic_write(LAPIC_ICR, 0x40085);
	settle();
	is(count[0x85], 0, "TPR 90h holds off vector 85h");
	is(lapic_read(LAPIC_IRR + 0x40) >> 5 & 1, 1, "it waits in IRR");
	lapic_write(LAPIC_ICR, 0x400a5);
	settle();
	is(count[0xa5], 1, "vector A5h comes through");
	lapic_write(LAPIC_TPR, 0);
	settle();
	is(count[0x85], 1, "and 85h when TPR is 0");
	/* Two pending: the higher first. */
	lapic_write(LAPIC_ICR, 0x40086);
	lapic_write(LAPIC_ICR, 0x400a6);
	__asm__ volatile("sti\n nop\n nop\n nop\n cli");
	settle();
	is(last, 0x86, "the higher vector first, the lower last");
	/* Illegal vectors set ESR. APM2 16.4.6 */
	lapic_write(LAPIC_ESR, 0);
	handler_set(5, on_irq); /* QEMU delivers it */
	lapic_write(LAPIC_ICR, 0x40005);
	settle();
	is(count[5], 0, "an illegal vector is not delivered");
	lapic_write(LAPIC_ESR, 0);
	is(lapic_read(LAPIC_ESR) & 0x20, 0x20, "ESR: sent illegal vector");
	/* Software disable masks the LVTs. APM2 16.4.2 */
	lapic_write(LAPIC_TIMER, 0x80);
	lapic_write(LAPIC_SVR, 0xff);
	is(lapic_read(LAPIC_TIMER) >> 16 & 1, 1, "clearing the enable bit masks the LVT");
	lapic_write(LAPIC_TIMER, 0x80);
	is(lapic_read(LAPIC_TIMER) >> 16 & 1, 1, "and keeps it masked");
	lapic_write(LAPIC_SVR, 0x1ff);
}

static void ioapic_write(u32 reg, u32 v)
{
	*(volatile u32 *)0xfec00000 = reg;
	*(volatile u32 *)0xfec00010 = v;
}

static u32 ioapic_read(u32 reg)
{
	*(volatile u32 *)0xfec00000 = reg;
	return *(volatile u32 *)0xfec00010;
}

static void ioapic(void)
{
	is(ioapic_read(1) >> 16 & 0xff, 23, "I/O APIC: 24 pins");
	is(ioapic_read(0x10 + 2 * 5) >> 16 & 1, 1, "pins are masked after reset");
	/* The PIT is on pin 2. Edge, physical, vector 90h. */
	out8(0x43, 0x34);
	out8(0x40, 0x00), out8(0x40, 0x10);
	ioapic_write(0x11 + 2 * 2, 0);
	ioapic_write(0x10 + 2 * 2, 0x90);
	ok(wait_count(0x90, 3), "PIT through the I/O APIC", "%u", count[0x90]);
	ioapic_write(0x10 + 2 * 2, 0x10090);
	settle();
	u32 n = count[0x90];
	settle();
	is(count[0x90], n, "masked");
	/* pc-testdev's line n at 2000h + n: level-triggered with remote IRR. */
	ioapic_write(0x11 + 2 * 10, 0);
	ioapic_write(0x10 + 2 * 10, 0x8091);
	out8(0x2000 + 10, 1);
	__asm__ volatile("sti\n nop\n nop\n cli");
	settle();
	is(count[0x91], 1, "level-triggered pin");
	is(ioapic_read(0x10 + 2 * 10) >> 14 & 1, 0, "remote IRR is clear after EOI");
	ioapic_write(0x10 + 2 * 10, 0x18091);
}

static void x2apic(void)
{
	if (!(cpuid(1, 0).c >> 21 & 1)) {
		skip("x2APIC", "not reported");
		return;
	}
	const u8 *rd = CODE("rdmsr"), *wr = CODE("wrmsr");
	struct regs in = kernel_regs(rd), r;
	in.cx = 0x802;
	r = run(in);
	trap_at(&r, GP, 0, rd, 0, "x2APIC MSR in xAPIC mode");
	msr_write(MSR_APIC_BASE, msr_read(MSR_APIC_BASE) | 0x400);
	is(msr_read(0x802), 0, "x2APIC ID");
	msr_write(0x80f, 0x1ff);
	msr_write(0x83f, 0xb0); /* self IPI */
	settle();
	is(count[0xb0], 1, "self-IPI register");
	msr_write(0x830, 0x40000 | 0xb1);
	settle();
	is(count[0xb1], 1, "64-bit ICR");
	msr_write(0x83e, 0xb);
	msr_write(0x832, 0xb2);
	msr_write(0x838, 1000);
	ok(wait_count(0xb2, 1), "timer", "no interrupt");
	is(msr_read(0x80d), 1, "logical ID is derived");
	in = kernel_regs(wr);
	in.cx = 0x802;
	r = run(in);
	trap_at(&r, GP, 0, wr, 0, "the ID is read-only");
	in.cx = 0x80b;
	in.ax = 1;
	r = run(in);
	trap_at(&r, GP, 0, wr, 0, "EOI takes only 0");
	in = kernel_regs(rd);
	in.cx = 0x831;
	r = run(in);
	trap_at(&r, GP, 0, rd, 0, "no second ICR register");
	in.cx = 0x80e;
	r = run(in);
	trap_at(&r, GP, 0, rd, 0, "no DFR");
	/* x2APIC to xAPIC directly is #GP; through disabled it is allowed. APM2 16.9 */
	in = kernel_regs(wr);
	in.cx = MSR_APIC_BASE;
	in.ax = (u32)msr_read(MSR_APIC_BASE) & ~0x400u;
	r = run(in);
	trap_at(&r, GP, 0, wr, 0, "x2APIC to xAPIC directly");
	if (cpuid(1, 0).c >> 24 & 1) {
		msr_write(0x832, 0x400b3);
		msr_write(0x6e0, tsc_read() + 100000);
		ok(wait_count(0xb3, 1), "TSC deadline", "no interrupt");
		is(msr_read(0x6e0), 0, "the deadline is cleared");
	}
	msr_write(MSR_APIC_BASE, 0xfee00100);
	is(cpuid(1, 0).d >> 9 & 1, 0, "CPUID: no APIC while it is off");
	msr_write(MSR_APIC_BASE, 0xfee00900);
	is(cpuid(1, 0).d >> 9 & 1, 1, "CPUID: APIC again");
	is(lapic_read(LAPIC_SVR) & 0x100, 0, "its registers are reset");
}

void guest_main(void)
{
	for (unsigned v = 0x60; v < 0xf0; v++)
		handler_set(v, on_irq);
	pic_pit();
	local();
	ioapic();
	x2apic();
}
