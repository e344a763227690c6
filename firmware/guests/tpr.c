/* tpr.c: a virtual interrupt against the guest's task priority. With V_INTR_MASKING, CR8 is V_TPR and nobody else's;
 * V_IRQ is taken when V_INTR_PRIO is greater, not when it is equal. APM2 15.21.1, 15.21.4. QEMU 7.2 takes the equal
 * one, and aborts when CR8 is written under a waiting V_IRQ. */
#include "guest.h"

enum { VIRTUAL = 0x50 };

static unsigned taken;

static void on_trap(struct trap *t)
{
	say("  took %02x\n", (u32)t->vector);
	taken++;
}

static void set_cr8(uword priority) { __asm__ volatile("mov %0, %%cr8; nop" : : "r"(priority) : "memory"); }

static uword cr8(void)
{
	uword value;
	__asm__ volatile("mov %%cr8, %0" : "=r"(value) : : "memory");
	return value;
}

static void raise(u32 priority)
{
	say("V_IRQ of priority %u under CR8 = %u\n", priority, (u32)cr8());
	vmmcall(HC_VIRQ, VIRTUAL, priority, 0);
}

void guest_main(void)
{
	trap_init(on_trap);
	__asm__ volatile("sti");
	set_cr8(6);
	raise(5);
	expect(taken == 0, "5 is held by 6");
	raise(6);
	expect(taken == 0, "6 is held by 6");
	say("  held; now CR8 = 5\n");
	set_cr8(5);
	expect(taken == 1, "6 is taken under 5");
	raise(9);
	expect(taken == 2, "9 is taken under 5");
	set_cr8(15);
	raise(15);
	expect(taken == 2, "nothing passes 15");
	say("  held; now CR8 = 0\n");
	set_cr8(0);
	expect(taken == 3, "15 is taken under 0");
	guest_end("tpr");
}
