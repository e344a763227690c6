/* See log_arm.h. DDI0100 A2.6 (exceptions). */
#include "debug/log_arm.h"

#include "debug/disasm.h"
#include "debug/event_text.h"

const u32 log_arm_kinds = BIT(EV_EXCEPTION) | BIT(EV_INTERRUPT) | BIT(EV_MMIO) | BIT(EV_WALK) | BIT(EV_FLUSH) | BIT(EV_EXEC) | BIT(EV_RESET) |
			  BIT(EV_CR);

static void print_exception(struct text *out, const struct event *e)
{
	static const char *const names[] = {"reset", "undefined", "SVC", "prefetch abort", "data abort", "address", "IRQ", "FIQ"};

	text_puts(out, names[e->a % ARRAY_SIZE(names)]);
	if (e->a == ARM_PREFETCH_ABORT)
		text_printf(out, ", IFSR %03x (%s fault)", (u32)e->b, arm_fault_text((u32)e->b));
	if (e->a == ARM_DATA_ABORT)
		text_printf(out, ", FSR %03x (%s fault, domain %u), FAR %08x", (u32)e->b, arm_fault_text((u32)e->b), (u32)e->b >> 4 & 15, (u32)e->c);
	text_puts(out, "\n");
}

static void print_access(struct text *out, const struct event *e, struct space *s)
{
	const struct region *r = space_find(s, e->b);
	unsigned size = e->a & 0xff;

	text_printf(out, "%s %u at %08llx (%s) %0*llx\n", e->a >> 8 & 1 ? "write" : "read ", size, (unsigned long long)e->b,
		    !r ? "nobody" : r->ops ? r->ops->name : r->name, (int)size * 2, (unsigned long long)(e->c & mask_low(size * 8)));
}

static void print_exec(struct text *out, struct icp *b, const struct event *e)
{
	bool thumb = b->cpu.s.cpsr & PSR_T;
	unsigned n = thumb ? 2 : 4;
	u32 word = (u32)space_peek(&b->mem, e->c, n);
	char text[96];

	disasm_arm((const u8 *)&word, n, thumb, (u32)e->ip, text, sizeof text);
	text_printf(out, "%0*x  %s\n", (int)n * 2, word, text);
}

/* a: register, CRm, opcode 2, four bits each. */
static void print_cp15(struct text *out, const struct event *e)
{
	static const char *const names[16] = {[1] = "control", [2] = "TTBR", [3] = "DACR", [5] = "FSR", [6] = "FAR", [13] = "FCSE"};
	unsigned n = e->a >> 8 & 15;

	text_printf(out, "%s (c%u,c%u,%u) = %08llx\n", e->a & 0xff || !names[n] ? "CP15" : names[n], n, e->a >> 4 & 15, e->a & 15, (unsigned long long)e->b);
}

void log_arm_event(struct text *out, struct icp *b, const struct event *e)
{
	text_printf(out, "%12llu %08llx %-7s", (unsigned long long)e->icount, (unsigned long long)e->ip, event_name(e->kind));
	switch ((enum event_kind)e->kind) {
	case EV_EXCEPTION:
	case EV_INTERRUPT: print_exception(out, e); break;
	case EV_MMIO: print_access(out, e, &b->mem); break;
	case EV_WALK: text_printf(out, "%08llx -> %08llx\n", (unsigned long long)e->b, (unsigned long long)e->c); break;
	case EV_EXEC: print_exec(out, b, e); break;
	case EV_CR: print_cp15(out, e); break;
	case EV_FLUSH: text_printf(out, e->a ? "page %08llx\n" : "everything\n", (unsigned long long)e->b); break;
	default: text_printf(out, "%x %llx\n", e->a, (unsigned long long)e->b); break;
	}
}

static void hear(void *arg, const struct event *e)
{
	struct log_arm *l = arg;

	if (l->mask >> e->kind & 1)
		log_arm_event(&l->out, l->b, e);
}

static void spy(void *arg, u64 pa, unsigned size, bool write, u64 val)
{
	arm_log(&((struct icp *)arg)->cpu, EV_MMIO, size | (u32)write << 8, pa, val);
}

void log_arm_start(struct log_arm *l, u32 mask, struct icp *b, FILE *f)
{
	*l = (struct log_arm){.b = b, .mask = mask};
	text_init_file(&l->out, f);
	b->machine.log.mask = mask;
	b->machine.log.sink = mask ? hear : NULL;
	b->machine.log.sink_arg = l;
	b->mem.spy = mask & BIT(EV_MMIO) ? spy : NULL;
	b->mem.spy_arg = b;
	b->cpu.trace_exec = mask & BIT(EV_EXEC);
	arm_state_changed(&b->cpu);
}
