/* See event_text.h: the events of an ARM. DDI0100 A2.6 (exceptions), B4.6 (fault status). */
#include "debug/disasm.h"
#include "debug/event_text.h"
#include "debug/fault_arm.h"
#include "debug/regs.h"

void event_arm_exception(struct text *out, const struct event *e)
{
	text_puts(out, arm_vector_name(e->a));
	if (e->a == ARM_PREFETCH_ABORT)
		text_printf(out, ", IFSR %03x (%s fault)", (u32)e->b, arm_fault_text((u32)e->b));
	if (e->a == ARM_DATA_ABORT)
		text_printf(out, ", FSR %03x (%s fault, domain %u), FAR %08x", (u32)e->b, arm_fault_text((u32)e->b), (u32)e->b >> 4 & 15, (u32)e->c);
}

static void print_head(struct text *out, const struct event *e)
{
	text_printf(out, "%12llu %08llx %-7s", (unsigned long long)e->icount, (unsigned long long)e->ip, event_name(e->kind));
}

void event_print_arm_exec(struct text *out, const struct target *t, const struct event *e, const char *name)
{
	bool thumb = t->icp->cpu.s.cpsr & PSR_T;
	unsigned n = thumb ? 2 : 4;
	u32 word = (u32)space_peek(t->mem, e->c, n);
	char text[96];

	print_head(out, e);
	disasm_arm((const u8 *)&word, n, thumb, (u32)e->ip, text, sizeof text);
	text_printf(out, "%0*x  %s%s%s%s\n", (int)n * 2, word, *name ? "<" : "", name, *name ? "> " : "", text);
}

/* a: register, CRm, opcode 2, four bits each. */
void event_arm_cp15(struct text *out, const struct event *e)
{
	static const char *const names[16] = {[1] = "control", [2] = "TTBR", [3] = "DACR", [5] = "FSR", [6] = "FAR", [13] = "FCSE"};
	unsigned n = e->a >> 8 & 15;

	text_printf(out, "%s (c%u,c%u,%u) = %08llx", e->a & 0xff || !names[n] ? "CP15" : names[n], n, e->a >> 4 & 15, e->a & 15, (unsigned long long)e->b);
}

void event_print_arm(struct text *out, const struct target *t, const struct event *e)
{
	if (e->kind == EV_EXEC) {
		event_print_arm_exec(out, t, e, "");
		return;
	}
	print_head(out, e);
	switch ((enum event_kind)e->kind) {
	case EV_EXCEPTION:
	case EV_INTERRUPT:
		event_arm_exception(out, e);
		text_puts(out, "\n");
		break;
	case EV_MMIO: event_print_access(out, e, t->mem); break;
	case EV_WALK: text_printf(out, "%08llx -> %08llx\n", (unsigned long long)e->b, (unsigned long long)e->c); break;
	case EV_CR:
		event_arm_cp15(out, e);
		text_puts(out, "\n");
		break;
	case EV_FLUSH: text_printf(out, e->a ? "page %08llx\n" : "everything\n", (unsigned long long)e->b); break;
	case EV_MODE: text_printf(out, "%s, was %s\n", regs_arm_mode(e->a), regs_arm_mode((u32)e->b)); break;
	case EV_RESET: text_puts(out, "reset\n"); break;
	default: text_printf(out, "%x %llx\n", e->a, (unsigned long long)e->b); break;
	}
}
