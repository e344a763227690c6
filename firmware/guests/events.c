/* events.c: what the VMM can put into a guest: EVENTINJ (external interrupt, exception with and without an error code,
 * NMI, software interrupt; APM2 15.20) and the virtual interrupt V_IRQ (APM2 15.21). Prints what arrives, in order.
 * Lowering CR8 under a waiting V_IRQ is in tpr.c: QEMU 7.2 aborts there. */
#include "guest.h"

enum {
	EXTERNAL = 0x30,
	SOFTWARE = 0x41,
	VIRTUAL = 0x50,
	VIRTUAL_LOW = 0x51,
	VECTOR_NMI = 2,
	VECTOR_UD = 6,
	VECTOR_GP = 13,
	VECTOR_PF = 14,
	FLAG_IF = 0x200
};

static unsigned traps;

static bool is_behind_vmmcall(uword ip)
{
	const u8 *code = (const u8 *)ip - 3;
	return code[0] == 0x0f && code[1] == 0x01 && code[2] == 0xd9;
}

static void on_trap(struct trap *t)
{
	traps++;
	say("  took %02x", (u32)t->vector);
	if (t->vector == VECTOR_GP || t->vector == VECTOR_PF)
		say(", error code %08x", (u32)t->error);
	if (t->vector == VECTOR_PF)
		say(", CR2 %016llx", (u64)read_cr2());
	if (t->vector < VIRTUAL)
		say(", %s", is_behind_vmmcall(t->ip) ? "returns behind the VMMCALL" : "returns elsewhere");
	say(", IF was %u\n", (u32) !!(t->flags & FLAG_IF));
	if (t->vector == VECTOR_UD && !is_behind_vmmcall(t->ip))
		t->ip = (uword)touch_end; /* not injected: a real one, hopeless */
}

static void inject(const char *what, u32 event, u32 error, uword cr2)
{
	unsigned before = traps;
	say("%s\n", what);
	expect(vmmcall(HC_INJECT, event, error, cr2) == 0, "HC_INJECT");
	expect(traps == before + 1, "exactly one event");
}

/* Held back by RFLAGS.IF, delivered behind STI and the one instruction of its shadow. */
static void test_virq(void)
{
	unsigned before = traps;
	say("V_IRQ with IF = 0\n");
	vmmcall(HC_VIRQ, VIRTUAL, 5, 0);
	expect(traps == before, "held while IF is 0");
	say("  held; now STI\n");
	__asm__ volatile("sti; nop; nop" : : : "memory");
	expect(traps == before + 1, "taken once IF is 1");
}

/* Held back by V_TPR until its own priority is above. APM2 15.21.4 */
static void test_virq_priority(void)
{
	unsigned before = traps;
	say("V_IRQ of priority 5 under CR8 = 6\n");
	__asm__ volatile("mov %0, %%cr8" : : "r"(6ul));
	vmmcall(HC_VIRQ, VIRTUAL_LOW, 5, 0);
	expect(traps == before, "held while CR8 is 6");
	say("  held; now priority 7\n");
	vmmcall(HC_VIRQ, VIRTUAL_LOW, 7, 0);
	expect(traps == before + 1, "taken once its priority is above");
	__asm__ volatile("mov %0, %%cr8" : : "r"(0ul));
}

void guest_main(void)
{
	trap_init(on_trap);
	inject("exception without an error code: #UD", EVENT_EXCEPTION | VECTOR_UD, 0, 0);
	inject("exception with an error code: #GP", EVENT_EXCEPTION | EVENT_ERROR | VECTOR_GP, 0x1234, 0);
	inject("exception with an address: #PF", EVENT_EXCEPTION | EVENT_ERROR | VECTOR_PF, 0x6, 0xffff900012345678);
	inject("NMI", EVENT_NMI | VECTOR_NMI, 0, 0);
	inject("software interrupt", EVENT_SOFTWARE | SOFTWARE, 0, 0);
	test_virq();
	inject("external interrupt", EVENT_INTR | EXTERNAL, 0, 0);
	test_virq_priority();
	say("events seen: %u\n", traps);
	guest_end("events");
}
