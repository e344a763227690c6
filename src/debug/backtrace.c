/* See backtrace.h. ARM frames: the APCS, and what GCC makes of it. */
#include "debug/backtrace.h"

#include "debug/fault_arm.h"
#include "debug/regs.h"

#define FRAMES 64
#define SCAN_WORDS 128

static unsigned word_of(const struct view *v) { return view_bits(v) / 8; }
static u64 stack_at(const struct view *v, u64 sp) { return v->arm || view_bits(v) == 64 ? sp : (u32)(sp + v->seg[SEG_SS].base); }

static bool pop(const struct view *v, u64 sp, u64 *val) { return view_load(v, LEVEL_V, stack_at(v, sp), word_of(v), val); }

/* A return address: into a known function, behind a call. */
static bool plausible(const struct symbols *s, const struct view *v, u64 ret) { return ret && symbols_is_code(s, v, ret - 1) && v->ops->after_call(v, ret); }

/* A frame whose pointer is plausible: rbp above rsp, and a return address behind it. */
static bool x86_frame(const struct symbols *s, const struct view *v, u64 r[16], u64 *pc)
{
	u64 bp = r[R_BP], ret, old;
	unsigned w = word_of(v);

	if (bp < r[R_SP] || bp - r[R_SP] > 1u << 16 || bp % w || !pop(v, bp, &old) || !pop(v, bp + w, &ret) || !plausible(s, v, ret))
		return false;
	r[R_SP] = bp + 2 * w;
	r[R_BP] = old;
	*pc = ret;
	return true;
}

/* r11 (r7 in Thumb state) points to the saved lr with the caller's r11 below it, or, in frames of the APCS, to the saved pc above lr, sp and r11. */
static bool arm_frame(const struct symbols *s, const struct view *v, u64 r[16], u64 *pc)
{
	unsigned n = v->rflags & PSR_T ? 7 : 11;
	u64 fp = r[n], ret, old;

	if (fp < r[13] || fp - r[13] > 1u << 16 || fp & 3)
		return false;
	if (pop(v, fp, &ret) && pop(v, fp - 4, &old) && plausible(s, v, ret))
		r[13] = fp + 4;
	else if (!pop(v, fp - 4, &ret) || !pop(v, fp - 12, &old) || !plausible(s, v, ret) || !pop(v, fp - 8, &r[13]))
		return false;
	r[n] = old;
	*pc = ret;
	return true;
}

/* An ARM's lr, unless it was left by a call that this function has made itself. */
static bool by_link(const struct symbols *s, const struct view *v, const u64 r[16], u64 *pc)
{
	u64 off;
	const struct symbol *here = symbols_at(s, v, *pc, &off);

	if (!v->arm || !plausible(s, v, r[14]) || symbols_at(s, v, r[14], &off) == here)
		return false;
	*pc = r[14] & ~1ull;
	return true;
}

static bool by_scan(const struct symbols *s, const struct view *v, u64 r[16], u64 *pc)
{
	unsigned w = word_of(v), sp = v->ops->sp;

	for (unsigned i = 0; i < SCAN_WORDS; i++) {
		u64 at = r[sp] + (u64)i * w, ret;

		if (!pop(v, at, &ret))
			return false;
		if (plausible(s, v, ret)) {
			r[sp] = at + w;
			*pc = ret;
			return true;
		}
	}
	return false;
}

enum how { HOW_CFI = 1, HOW_POINTER, HOW_SCAN };

static enum how up(const struct symbols *s, const struct view *v, u64 r[16], u64 *pc, bool top)
{
	u64 look = top ? *pc : *pc - 1, was = r[v->ops->sp];

	/* In a caller the address behind the call may belong to the next function already: look one byte before. */
	if (symbols_unwind(s, v, r, &look)) {
		*pc = look;
		/* Only an ARM's innermost frame may have nothing on the stack. */
		return look && (r[v->ops->sp] > was || (top && v->arm)) ? HOW_CFI : 0;
	}
	if ((top && by_link(s, v, r, pc)) || (v->arm ? arm_frame : x86_frame)(s, v, r, pc))
		return HOW_POINTER;
	return by_scan(s, v, r, pc) ? HOW_SCAN : 0;
}

bool backtrace_up(const struct symbols *s, const struct view *v, u64 r[16], u64 *pc) { return up(s, v, r, pc, true) != 0; }

static void print_frame(struct debugger *d, const struct view *v, u64 pc, u64 look, enum how how, unsigned n, struct text *out)
{
	char line[128];
	const struct symbol *y;
	u64 off;

	text_printf(out, "#%-2u %-5s %0*llx", n, v->name, view_bits(v) == 64 ? 16 : 8, (unsigned long long)pc);
	/* The name of the function, the offset of the address itself. */
	y = symbols_at(&d->symbols, v, look, &off);
	if (y)
		text_printf(out, off + pc - look ? " %s+0x%llx" : " %s", y->name, (unsigned long long)(off + pc - look));
	if (symbols_line(&d->symbols, v, look, line, sizeof line))
		text_printf(out, " at %s", line);
	text_puts(out, how == HOW_SCAN ? "  (found on the stack)\n" : "\n");
}

void backtrace_print(struct debugger *d, const struct view *v, struct text *out, unsigned *number)
{
	u64 r[16], pc = view_pc(v);
	enum how how = HOW_CFI;

	memcpy(r, v->r, sizeof r);
	for (unsigned i = 0; i < FRAMES; i++) {
		print_frame(d, v, pc, i ? pc - 1 : pc, how, (*number)++, out);
		how = up(&d->symbols, v, r, &pc, i == 0);
		if (!how)
			break;
	}
}

/* What an ARM's handler interrupted, if the last exception's mode is still the present one. r0-r7, and most often r8-r12, are the handler's by now. */
static void below_exception(struct debugger *d, struct view v, struct text *out, unsigned *number)
{
	static const u32 modes[] = {[ARM_UNDEFINED] = MODE_UND, [ARM_SVC] = MODE_SVC, [ARM_PREFETCH_ABORT] = MODE_ABT, [ARM_DATA_ABORT] = MODE_ABT,
				    [ARM_IRQ] = MODE_IRQ, [ARM_FIQ] = MODE_FIQ};
	const struct event *e = &d->last_entry;
	enum arm_bank bank = arm_bank_of((u32)v.rflags);
	u32 from;

	if (e->kind == EV_NONE || e->a >= ARRAY_SIZE(modes) || !modes[e->a] || arm_bank_of(modes[e->a]) != bank)
		return;
	from = v.arm->s.spsr[bank];
	if (arm_bank_of(from) == BANKS || arm_bank_of(from) == bank)
		return; /* within one mode nothing is banked: the stack has it all */
	v.rflags = from;
	v.rip = v.r[15] = e->ip;
	v.name = regs_arm_mode(from);
	v.r[13] = arm_reg_of(v.arm, from, 13);
	v.r[14] = arm_reg_of(v.arm, from, 14);
	text_printf(out, "--- %s, taken from %s:\n", arm_vector_name(e->a), v.name);
	backtrace_print(d, &v, out, number);
}

void backtrace_print_all(struct debugger *d, struct text *out)
{
	unsigned n = 0;
	struct view v;
	const struct event *exit = &d->last_exit[d->cpu];
	char name[32];

	debugger_view(d, &v);
	backtrace_print(d, &v, out, &n);
	if (v.arm) {
		below_exception(d, v, out, &n);
		return;
	}
	if (v.guest && v.live) {
		text_printf(out, "--- VMRUN of VMCB %llx (ASID %u) by the host:\n", (unsigned long long)v.vmcb, v.asid);
		view_get(&d->worlds, d->cpu, VIEW_HOST, 0, &v);
		backtrace_print(d, &v, out, &n);
	} else if (!v.guest && v.live && view_get(&d->worlds, d->cpu, VIEW_GUEST, 0, &v)) {
		svm_exit_name(exit->c, name, sizeof name);
		text_printf(out, "--- the guest of VMCB %llx (ASID %u), which #VMEXIT %s left here:\n", (unsigned long long)v.vmcb,
			    v.asid, name);
		backtrace_print(d, &v, out, &n);
	}
}
