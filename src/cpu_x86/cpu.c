/*
 * The processor's life: creation, reset, the run loop, raising exceptions, what is looked at between instructions (events in the order of APM2
 * 8.5), stepping. One instruction's way: x86_run -> x86_block_get -> the block's handlers, which tail-call each other.
 */
#include "cpu_x86/cpu.h"

#include <stdarg.h>
#include <stdio.h>

#include "cpu_x86/block.h"
#include "cpu_x86/exec.h"
#include "cpu_x86/fpu.h"
#include "cpu_x86/insn.h"
#include "cpu_x86/system.h"
#include "cpu_x86/vec.h"

#define DR6_BS BIT(14)

/* ---- rules as data ---- */
const struct rule x86_rules[RULE_COUNT] = {
#define RULE(id, sentence, section) {#id, sentence, section},
#include "cpu_x86/rules.def"
#undef RULE
};

/* ---- events ---- */

/* Instructions executed in this call of x86_run before the one under way. */
static u64 executed(const struct x86_cpu *c)
{
	unsigned insns = 0, bytes;
	u64 left = (u64)(c->budget + c->held);

	if (c->op) {
		struct x86_block *b = x86_block_of(c->op, &insns, &bytes);

		left += b->insns - insns;
	}
	return c->time_end + (u64)c->held - c->run_start - left - c->waited;
}

u64 x86_icount(const struct x86_cpu *c) { return *c->icount + executed(c); }
u64 x86_now(const struct x86_cpu *c) { return c->run_start + executed(c) + c->waited; }

static void stamp_event(void *arg, struct event *e)
{
	const struct x86_cpu *c = arg;

	e->cpu = (u16)c->id;
	e->guest = c->svm.guest;
	e->ip = x86_rip(c);
	e->icount = x86_icount(c);
}

void x86_log(struct x86_cpu *c, enum event_kind kind, u32 a, u64 b, u64 cc)
{
	struct event e = {.kind = (u16)kind, .a = a, .b = b, .c = cc};

	stamp_event(c, &e);
	event_add(c->log, &e);
}

/* ---- life ---- */
void x86_init(struct x86_cpu *c, unsigned id, const struct x86_model *m, struct space *mem, struct space *io, struct sched *s,
              struct x86_code *code, struct event_log *log, const struct x86_board *board, u64 *icount)
{
	c->id = id;
	c->model = m;
	c->mem = mem;
	c->io = io;
	c->sched = s;
	c->code = code;
	c->log = log;
	c->board = *board;
	c->icount = icount;
	tlb_init(&c->tlb, mem);
	c->tlb.log = log;
	c->tlb.stamp = stamp_event;
	c->tlb.stamp_arg = c;
	c->tlb.cpu_id = (u16)id;
	x86_code_add_cpu(code, c);
	x86_reset(c, false);
}

/* APM2 table 14-1 */
static void reset_segments(struct x86_cpu *c)
{
	for (unsigned i = 0; i < SEG_COUNT; i++)
		c->seg[i] = (struct x86_seg){.attr = i == SEG_LDTR ? 0x82 : i == SEG_TR ? 0x8b : 0x93, .limit = 0xffff};
	c->seg[SEG_CS] = (struct x86_seg){.sel = 0xf000, .attr = 0x9b, .limit = 0xffff, .base = 0xffff0000};
	c->gdt = c->idt = (struct x86_dt){.limit = 0xffff};
}

void x86_reset(struct x86_cpu *c, bool init)
{
	u64 cr0_cache = init ? c->cr0 & (CR0_CD | CR0_NW) : CR0_CD | CR0_NW;

	memset(c->r, 0, sizeof c->r);
	c->r[R_DX] = c->model->stepping | (c->model->model & 15) << 4 | (c->model->family < 15 ? c->model->family : 15) << 8 |
	             (c->model->model >> 4) << 16 | (c->model->family > 15 ? c->model->family - 15 : 0) << 20;
	c->rip = 0xfff0;
	c->flags = FLAG_1;
	flags_arith_set(c, 0);
	c->cpl = c->shadow = c->shadow_nmi = c->nmi_masked = 0;
	c->activity = c->id == 0 || !init ? ACT_RUN : ACT_WAIT_SIPI;
	reset_segments(c);
	c->cr0 = cr0_cache | CR0_ET;
	c->cr2 = c->cr3 = c->cr4 = c->efer = 0;
	c->dr[0] = c->dr[1] = c->dr[2] = c->dr[3] = 0;
	c->dr[6] = DR6_FIXED;
	c->dr[7] = DR7_FIXED;
	c->db_pending = 0;
	c->pending &= init ? PEND_INTR | PEND_NMI | PEND_SMI : 0;
	c->monitor_pa = MONITOR_NONE;
	c->faults = 0;
	c->exc_raised = false;
	c->smm = 0;
	if (init)
		svm_init(&c->svm);
	else
		svm_reset(&c->svm);
	x86_msr_reset(c, init);
	if (!init) {
		x86_fpu_init(c, true);
		tlb_flush_everything(&c->tlb);
	}
	x86_state_changed(c);
}

void x86_state_changed(struct x86_cpu *c)
{
	x86_mode_changed(c);
	svm_state_changed(c);
	x86_paging_changed(c);
	x86_mode_changed(c); /* the TLB class follows the paging mode */
	x86_debug_changed(c);
}

void x86_pend(struct x86_cpu *c, u32 bits) { c->pending |= bits; }

/* ---- raising ---- */
static void NORETURN unwind(struct x86_cpu *c, const struct x86_exception *e)
{
	c->exc = *e;
	c->exc_raised = true;
	x86_sync(c);
	longjmp(c->unwind, UNWIND_FAULT);
}

void x86_raise(struct x86_cpu *c, unsigned vec, s64 error, enum x86_rule rule)
{
	struct x86_exception e = {.vector = (u8)vec, .has_error = error >= 0, .error = error >= 0 ? (u32)error : 0, .rule = (u16)rule};

	unwind(c, &e);
}

void x86_raise_pf(struct x86_cpu *c, u64 va, u32 error, enum x86_rule rule)
{
	struct x86_exception e = {.vector = VEC_PF, .has_error = 1, .error = error, .rule = (u16)rule, .cr2 = va};

	unwind(c, &e);
}

void x86_unimplemented(struct x86_cpu *c, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(c->stop_text, sizeof c->stop_text, "unimplemented: ");

	va_start(ap, fmt);
	n += vsnprintf(c->stop_text + n, sizeof c->stop_text - (size_t)n, fmt, ap);
	va_end(ap);
	x86_sync(c);
	if (n < (int)sizeof c->stop_text)
		snprintf(c->stop_text + n, sizeof c->stop_text - (size_t)n, " at rip %llx", (unsigned long long)c->rip);
	c->stop = true;
	longjmp(c->unwind, UNWIND_WORLD);
}

/* ---- what happens between instructions ---- */
static void deliver_raised(struct x86_cpu *c)
{
	struct x86_exception e = c->exc;

	c->exc_raised = false;
	c->budget--; /* a delivery counts as an instruction: a handler that faults at once must not run for ever */
	x86_deliver(c, &e);
}

static void wake(struct x86_cpu *c)
{
	if (c->activity == ACT_HALT || c->activity == ACT_MWAIT) {
		c->activity = ACT_RUN;
		c->monitor_pa = MONITOR_NONE;
	}
}

/* R_INIT turns INIT into #SX. APM2 15.30.1 */
static void take_init(struct x86_cpu *c)
{
	svm_check_event(c, ICPT_INIT);
	c->pending &= ~(u32)PEND_INIT;
	c->sched->kick = true; /* the board looks at once what became of it: the local APIC's reset depends on VM_CR */
	if (c->svm.vm_cr & 2) {
		struct x86_exception e = {.vector = 30, .has_error = 1, .error = 1, .rule = RULE_SX_INIT};

		wake(c);
		x86_deliver(c, &e);
		return;
	}
	if (event_on(c->log, EV_RESET))
		x86_log(c, EV_RESET, 1, 0, 0);
	x86_reset(c, true);
}

static void take_sipi(struct x86_cpu *c)
{
	c->pending &= ~(u32)PEND_SIPI;
	if (c->activity != ACT_WAIT_SIPI)
		return;
	c->activity = ACT_RUN;
	c->seg[SEG_CS].sel = (u16)(c->sipi_vector << 8);
	c->seg[SEG_CS].base = (u64)c->sipi_vector << 12;
	c->rip = 0;
	svm_sipi(c);
	x86_state_changed(c);
	if (event_on(c->log, EV_RESET))
		x86_log(c, EV_RESET, 2, c->sipi_vector, 0);
}

static void take_debug_trap(struct x86_cpu *c)
{
	struct x86_exception e = {.vector = VEC_DB, .rule = RULE_DB_TRAP, .cr2 = c->db_pending};

	c->pending &= ~(u32)PEND_DB;
	c->db_pending = 0;
	wake(c);
	x86_deliver(c, &e);
}

static bool take_external(struct x86_cpu *c)
{
	int vec;

	if (!c->board.intr(c->board.arg, c->id)) {
		c->pending &= ~(u32)PEND_INTR;
		return false;
	}
	if (c->activity == ACT_MWAIT && x86_mwait_masked(c))
		wake(c);
	if (c->shadow || !svm_physical_if(c))
		return false;
	svm_check_event(c, ICPT_INTR);
	wake(c);
	vec = c->board.intack(c->board.arg, c->id);
	if (vec < 0)
		return false;
	x86_interrupt(c, (u8)vec, false);
	return true;
}

static bool take_virtual(struct x86_cpu *c)
{
	int vec;

	if (!svm_virtual_pending(c)) {
		c->pending &= ~(u32)PEND_VIRQ;
		return false;
	}
	if (svm_take_injection(c))
		return true;
	if (svm_virtual_nmi(c)) {
		wake(c);
		x86_interrupt(c, VEC_NMI, true);
		return true;
	}
	vec = svm_virtual_interrupt(c);
	if (vec < 0)
		return false;
	wake(c);
	x86_interrupt(c, (u8)vec, false);
	return true;
}

/* One pending event, highest priority first. True: something changed, look again. APM2 8.5, GIF: 15.17 */
static bool take_event(struct x86_cpu *c)
{
	bool gif = c->svm.gif;
	u32 p;

	if (!c->shadow)
		c->pending &= ~(u32)PEND_SHADOW;
	p = c->pending;
	if (p & PEND_VIRQ && svm_virtual_pending(c) && svm_take_injection(c))
		return true; /* EVENTINJ comes before everything. APM2 15.20 */
	if (p & PEND_SMI && gif && !c->smm) {
		x86_smi(c); /* the intercept included; the save area tells that the CPU was halted */
		return true;
	}
	if (p & PEND_INIT && gif && !c->smm) {
		take_init(c);
		return true;
	}
	if (p & PEND_SIPI) {
		take_sipi(c);
		return true;
	}
	if (c->activity == ACT_WAIT_SIPI || c->activity == ACT_SHUTDOWN)
		return false;
	if (p & PEND_DB && !gif) { /* breakpoint matches are lost, the single step is not. APM2 15.17 */
		c->db_pending &= DR6_BS;
		if (!c->db_pending)
			c->pending &= ~(u32)PEND_DB;
	}
	if (c->pending & PEND_DB && !c->shadow_nmi) {
		take_debug_trap(c);
		return true;
	}
	if (p & PEND_NMI && gif && !c->nmi_masked && !c->shadow_nmi) {
		svm_check_event(c, ICPT_NMI);
		c->pending &= ~(u32)PEND_NMI;
		wake(c);
		x86_interrupt(c, VEC_NMI, true);
		return true;
	}
	if (p & PEND_INTR && gif && take_external(c))
		return true;
	return p & PEND_VIRQ && take_virtual(c);
}

/* ---- one instruction at a time: TF, RF, interrupt shadow, execution breakpoints, traces, the end of the budget ---- */
enum { SHADOW_ENDING = 2 };

static void after_step(struct x86_cpu *c, bool trap)
{
	if (c->shadow == SHADOW_ENDING)
		c->shadow = c->shadow_nmi = 0;
	if (trap) {
		c->db_pending |= DR6_BS;
		c->pending |= PEND_DB;
	}
}

/* Instruction breakpoints are faults, held off by RF. APM2 13.1.4 */
static bool take_exec_breakpoint(struct x86_cpu *c)
{
	u64 hit = c->flags & FLAG_RF ? 0 : x86_debug_exec(c, x86_code_va(c, c->rip));
	struct x86_exception e = {.vector = VEC_DB, .rule = RULE_DB_FAULT, .cr2 = hit};

	if (!hit)
		return false;
	c->flags |= FLAG_RF; /* the pushed image has it */
	x86_deliver(c, &e);
	return true;
}

static void release_held(struct x86_cpu *c)
{
	c->budget += c->held;
	c->time_end += (u64)c->held;
	c->held = 0;
}

#ifndef ENGINE_LOOP
/* Calls op->exec(c, op). Host code uses registers that a C function leaves alone (native.c): they are saved here, once for all blocks that
 * follow one another. A fault's longjmp restores them as well. */
void x86_call_op(struct x86_cpu *c, const struct x86_op *op);
__asm__(".text\n"
        ".type x86_call_op, @function\n"
        "x86_call_op:\n\t"
        "push %rbx\n\tpush %r12\n\tpush %r13\n\tpush %r14\n\tpush %r15\n\t"
        "call *(%rsi)\n\t"
        "pop %r15\n\tpop %r14\n\tpop %r13\n\tpop %r12\n\tpop %rbx\n\t"
        "ret\n"
        ".size x86_call_op, . - x86_call_op\n");
_Static_assert(offsetof(struct x86_op, exec) == 0, "x86_call_op calls the first word");
#endif

static void run_block(struct x86_cpu *c, struct x86_block *b)
{
	const struct x86_op *o = b->op;

	c->r[R_RIP] = c->rip;
	c->budget -= b->n;
	x86_new_jump_key(c);
#ifdef ENGINE_LOOP
	while (o)
		o = o->exec(c, o);
#else
	x86_call_op(c, o);
#endif
	c->op = NULL;
}

/* DebugCtl.LBR of a near branch that was taken (seg_goto has the far ones); BTF lets only branches trap. A conditional branch
 * to the next instruction counts as not taken. True: a trap may follow. APM2 13.1.1.6, 13.1.4 */
static COLD NOINLINE bool after_branch(struct x86_cpu *c, unsigned id, u64 from, u64 next)
{
	const struct x86_insn *row = id < X86_IDS ? &x86_insns[id] : NULL;
	bool near = row && (row->flags & BR || row->kind == KIND_JCC), away = c->rip != (x86_long64(c) ? next : (u32)next);

	if (near && away && c->msr.debugctl & 1) {
		c->msr.br_from = from;
		c->msr.br_to = c->rip;
	}
	return !(c->msr.debugctl & 2) || (away && (near || c->rip != from)); /* a repeated string instruction stays */
}

static void step(struct x86_cpu *c)
{
	bool trap = c->flags & FLAG_TF, watched = c->msr.debugctl & 3;
	u64 from = c->rip, next;
	unsigned id;
	struct x86_block *b;

	if (unlikely(c->spy != NULL) && c->spy->insn(c->spy->arg, c, x86_code_va(c, c->rip)))
		return; /* the machine was told to stop, which keeps the loop from going on */
	if (c->break_exec && take_exec_breakpoint(c))
		return;
	b = x86_block_get(c, true);
	if (c->trace_exec)
		x86_log(c, EV_EXEC, 0, x86_code_va(c, c->rip), b->pa);
	if (c->shadow)
		c->shadow = SHADOW_ENDING;
	c->flags &= ~(u32)FLAG_RF;
	c->tf_after = false;
	/* Only this one: the next block's budget test fails. */
	c->held = c->budget - 1;
	c->time_end -= (u64)c->held;
	c->budget = 1;
	id = b->op[0].id;
	next = from + b->bytes;
	run_block(c, b);
	release_held(c);
	trap = c->tf_after ? c->flags & FLAG_TF : trap;
	if (unlikely(watched) && !after_branch(c, id, from, next))
		trap = false;
	after_step(c, trap);
}


static void run_some(struct x86_cpu *c)
{
	struct x86_block *b;

	if (x86_must_step(c)) {
		step(c);
		return;
	}
	b = x86_block_get(c, false);
	if (unlikely(b->n > c->budget))
		step(c);
	else
		run_block(c, b);
}

static enum x86_stop stop_reason(const struct x86_cpu *c)
{
	if (c->stop)
		return c->stop_text[0] ? X86_STOP_UNIMPLEMENTED : X86_STOP_REQUEST;
	if (c->activity == ACT_SHUTDOWN)
		return X86_STOP_SHUTDOWN;
	if (c->activity != ACT_RUN)
		return X86_STOP_IDLE;
	return c->budget <= 0 ? X86_STOP_BUDGET : X86_STOP_KICK;
}

/* True while there is something to run. */
static bool runnable(struct x86_cpu *c)
{
	while (c->pending && !c->exc_raised && take_event(c))
		;
	return !c->exc_raised && c->activity == ACT_RUN && !c->stop && c->budget > 0 && !c->sched->kick;
}

enum x86_stop x86_run(struct x86_cpu *c, u64 budget)
{
	u64 start = c->sched->now;
	int why;

	c->budget = (s64)budget;
	c->time_end = start + budget;
	c->run_start = start;
	c->waited = 0;
	c->stop_text[0] = 0;
	vec_enter(c);
	why = setjmp(c->unwind);
	c->op = NULL;
	if (c->held)
		release_held(c);
	if (why == UNWIND_FAULT)
		deliver_raised(c);
	if (why == UNWIND_ALONE && !c->stop && c->budget > 0)
		step(c);
	while (runnable(c))
		run_some(c);
	x86_fpu_flush(c);
	vec_leave(c);
	budget = executed(c);
	c->sched->now = start + budget + c->waited;
	c->retired += budget;
	*c->icount += budget;
	c->run_start += budget; /* executed() is 0 from here on */
	return stop_reason(c);
}
