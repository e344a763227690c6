/* trap64.c: the IDT of a 64-bit guest. APM2 4.8.4 */
#include "trap.h"

static struct {
	u16 offset0, selector;
	u8 ist, type;
	u16 offset16;
	u32 offset32, reserved;
} idt[TRAP_VECTORS];

void gate_set(unsigned vector, uword stub)
{
	idt[vector].offset0 = (u16)stub;
	idt[vector].offset16 = (u16)(stub >> 16);
	idt[vector].offset32 = (u32)(stub >> 32);
	idt[vector].selector = 0x08;
	idt[vector].type = 0x8e; /* present, DPL 0, interrupt gate */
}

void gate_load(void)
{
	struct {
		u16 limit;
		uword base;
	} __attribute__((packed)) idtr = {sizeof idt - 1, (uword)idt};
	__asm__ volatile("lidt %0" : : "m"(idtr));
}
