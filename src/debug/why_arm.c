/* See why.h: the last exception of an ARM, with the rule that made it and the descriptors as they stand now. DDI0198 ch. 3 */
#include "debug/disasm.h"
#include "debug/fault_arm.h"
#include "debug/mon_arm.h"
#include "debug/regs.h"
#include "debug/why.h"

/* The instruction set that it was executed in is the saved CPSR's, as long as the handler has not left its mode. */
static void instruction(struct debugger *d, const struct event *e, struct text *out)
{
	struct view v;
	u32 bank;

	view_get(&d->worlds, 0, VIEW_NOW, 0, &v);
	bank = arm_bank_of((u32)v.rflags);
	if (e->ip != v.rip && bank != BANK_USR && bank < BANKS)
		v.rflags = v.arm->s.spsr[bank];
	why_print_at(d, &v, e->ip, "the instruction", out);
}

static void why_abort(struct debugger *d, const struct event *e, struct text *out)
{
	const struct arm_cpu *c = &d->t->icp->cpu;
	bool data = e->a == ARM_DATA_ABORT;
	u32 fsr = (u32)e->b, mva = data ? (u32)e->c : tlb_arm_mva(&c->tlb, (u32)e->ip);

	text_printf(out, "%s fault: %s\n", arm_fault_text(fsr), arm_fault_rule(fsr));
	instruction(d, e, out);
	if ((fsr & 15) == 1 || (fsr & 15) == 3)
		return; /* alignment: no table was asked */
	text_printf(out, "address %08x%s\n", mva, data ? " (FAR)" : "");
	text_puts(out, "the walk, as tables and DACR stand now:\n");
	mon_walk_arm(out, c, mva, data ? ACC_READ : ACC_EXEC);
}

void why_print_arm(struct debugger *d, struct text *out)
{
	static const char *const rules[] = {
		[ARM_UNDEFINED] = "the instruction does not exist, or not in this mode or for this coprocessor (DDI0100 A2.6.3)",
		[ARM_SVC] = "an SVC (SWI) instruction asked for it (DDI0100 A2.6.4)",
	};
	const struct event *e = &d->last_exception[0];

	if (d->why == STOP_UNIMPLEMENTED) {
		text_printf(out, "%s\n", d->t->icp->cpu.stop_text);
		return;
	}
	if (e->kind == EV_NONE) {
		text_puts(out, "no exception has happened\n");
		return;
	}
	text_printf(out, "%s at %08llx: ", arm_vector_name(e->a), (unsigned long long)e->ip);
	if (e->a == ARM_PREFETCH_ABORT || e->a == ARM_DATA_ABORT) {
		why_abort(d, e, out);
		return;
	}
	text_printf(out, "%s\n", e->a < ARRAY_SIZE(rules) && rules[e->a] ? rules[e->a] : "an interrupt (DDI0100 A2.6.8, A2.6.9)");
	instruction(d, e, out);
}
