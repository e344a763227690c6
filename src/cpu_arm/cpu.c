/*
 * The processor's life: creation, reset, the run loop, what is looked at between instructions, stepping. One instruction's way: arm_run ->
 * arm_block_get -> the block's handlers, which tail-call each other. DDI0100 A2.6, DDI0198 ch. 2.
 */
#include "cpu_arm/cpu.h"

#include <stdarg.h>
#include <stdio.h>

#include "cpu_arm/exec.h"

#define REMAP_RESET   0xe4e4u /* each kind of memory is itself: DDI0198 app. B */
#define CONTROL_RESET 0x50078u /* bits 18, 16, 6:3 read as one. DDI0198 2.3.2 */

/* ---- events ---- */

/* Instructions executed in this call of arm_run before the one under way. */
static u64 executed(const struct arm_cpu *c)
{
	unsigned insns = 0, bytes;
	u64 left = (u64)(c->budget + c->held);

	if (c->op) {
		struct arm_block *b = arm_block_of(c->op, &insns, &bytes);

		left += b->insns - insns;
	}
	return c->time_end + (u64)c->held - c->run_start - left;
}

u64 arm_icount(const struct arm_cpu *c) { return *c->icount + (c->running ? executed(c) : 0); }
u64 arm_now(const struct arm_cpu *c) { return c->running ? c->run_start + executed(c) : c->sched->now; }

static void stamp_event(void *arg, struct event *e)
{
	const struct arm_cpu *c = arg;

	e->ip = arm_pc(c);
	e->icount = arm_icount(c);
}

void arm_log(struct arm_cpu *c, enum event_kind kind, u32 a, u64 b, u64 cc)
{
	struct event e = {.kind = (u16)kind, .a = a, .b = b, .c = cc};

	stamp_event(c, &e);
	event_add(c->log, &e);
}

/* ---- life ---- */

static void map_changed(void *cpu)
{
	struct arm_cpu *c = cpu;

	tlb_arm_forget_hot(&c->tlb);
}

bool arm_init(struct arm_cpu *c, struct space *mem, struct sched *sched, struct event_log *log, u64 *icount)
{
	memset(c, 0, sizeof *c);
	c->code = arm_code_new();
	if (!c->code)
		return false;
	c->mem = mem;
	c->sched = sched;
	c->log = log;
	c->icount = icount;
	c->bus_errors = true;
	mem->code_hit = arm_code_hit;
	mem->map_changed = map_changed;
	mem->code_owner = c;
	tlb_arm_init(&c->tlb, mem);
	c->tlb.log = log;
	c->tlb.stamp = stamp_event;
	c->tlb.stamp_arg = c;
	arm_reset(c);
	return true;
}

void arm_free(struct arm_cpu *c)
{
	arm_code_free(c->code);
	c->code = NULL;
}

void arm_reset(struct arm_cpu *c)
{
	u8 irq = c->s.irq, fiq = c->s.fiq;
	u64 retired = c->s.retired;

	memset(&c->s, 0, sizeof c->s);
	c->s.irq = irq;
	c->s.fiq = fiq;
	c->s.retired = retired;
	c->s.cpsr = MODE_SVC | PSR_I | PSR_F;
	c->s.cp15.control = CONTROL_RESET;
	c->s.cp15.region_remap = REMAP_RESET;
	c->tlb.arch.lock = c->tlb.arch.victim = 0;
	memset(c->tlb.arch.locked, 0, sizeof c->tlb.arch.locked);
	tlb_arm_flush(&c->tlb);
	arm_state_changed(c);
	if (event_on(c->log, EV_RESET))
		arm_log(c, EV_RESET, 0, 0, 0);
}

void arm_state_changed(struct arm_cpu *c)
{
	flags_set(c, c->s.cpsr);
	tlb_arm_forget_hot(&c->tlb);
	arm_cp15_changed(c);
	arm_mode_changed(c);
}

void arm_set_irq(struct arm_cpu *c, bool level)
{
	c->s.irq = level;
	arm_look(c);
	c->sched->kick = true;
}

void arm_set_fiq(struct arm_cpu *c, bool level)
{
	c->s.fiq = level;
	arm_look(c);
	c->sched->kick = true;
}

bool arm_awake(const struct arm_cpu *c) { return !c->s.waiting || c->s.irq || c->s.fiq; }

bool arm_deaf(const struct arm_cpu *c)
{
	(void)c;
	return false;
}

u64 arm_hash(const struct arm_cpu *c, u64 seed)
{
	return field_hash(tlb_arm_fields, tlb_arm_fields_n, &c->tlb.arch, field_hash(arm_fields, arm_fields_n, &c->s, seed));
}

void arm_unimplemented(struct arm_cpu *c, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(c->stop_text, sizeof c->stop_text, "unimplemented: ");

	va_start(ap, fmt);
	n += vsnprintf(c->stop_text + n, sizeof c->stop_text - (size_t)n, fmt, ap);
	va_end(ap);
	arm_sync(c);
	if (n < (int)sizeof c->stop_text)
		snprintf(c->stop_text + n, sizeof c->stop_text - (size_t)n, " at %x", c->s.r[15]);
	longjmp(c->unwind, ARM_UNWIND_STOP);
}

/* ---- the run loop ---- */

static void run_block(struct arm_cpu *c, struct arm_block *b)
{
	const struct arm_op *o = b->op;

	c->pc = c->s.r[15];
	c->budget -= b->insns;
	arm_new_jump_key(c);
#ifdef ENGINE_LOOP
	while (o)
		o = o->exec(c, o);
#else
	o->exec(c, o);
#endif
	c->op = NULL;
}

static void release_held(struct arm_cpu *c)
{
	c->budget += c->held;
	c->time_end += (u64)c->held;
	c->held = 0;
}

/* One instruction: the next block's budget test fails. */
static void step(struct arm_cpu *c)
{
	struct arm_block *b;

	if (unlikely(c->spy != NULL) && c->spy->insn(c->spy->arg, c, c->s.r[15]))
		return; /* the machine was told to stop, which keeps the loop from going on */
	b = arm_block_get(c, true);
	if (c->trace_exec)
		arm_log(c, EV_EXEC, 0, c->s.r[15], b->pa);
	c->held = c->budget - 1;
	c->time_end -= (u64)c->held;
	c->budget = 1;
	run_block(c, b);
	release_held(c);
}

static void run_some(struct arm_cpu *c)
{
	struct arm_block *b;

	if (arm_must_step(c)) {
		step(c);
		return;
	}
	b = arm_block_get(c, false);
	if (b->mode & ARM_MODE_STEP || b->n > c->budget)
		step(c);
	else
		run_block(c, b);
}

/* Interrupts, then whether there is something to run. The exception counts as an instruction, as all entries do. */
static bool runnable(struct arm_cpu *c)
{
	if (unlikely(c->look)) {
		if (c->s.irq || c->s.fiq)
			c->s.waiting = 0; /* masked or not: DDI0198 2.3.7 */
		if (c->budget > 0 && !c->sched->kick && !c->stop)
			arm_take_interrupt(c);
		arm_look(c);
	}
	return !c->s.waiting && !c->stop && c->budget > 0 && !c->sched->kick;
}

static enum arm_stop stop_reason(struct arm_cpu *c)
{
	if (c->stop) {
		c->stop = false;
		return c->stop_text[0] ? ARM_STOP_UNIMPLEMENTED : ARM_STOP_REQUEST;
	}
	if (c->s.waiting && !c->s.irq && !c->s.fiq)
		return ARM_STOP_IDLE;
	return c->budget <= 0 ? ARM_STOP_BUDGET : ARM_STOP_KICK;
}

enum arm_stop arm_run(struct arm_cpu *c, u64 budget)
{
	u64 start = c->sched->now;
	int why;

	c->budget = (s64)budget;
	c->time_end = start + budget;
	c->run_start = start;
	c->stop_text[0] = 0;
	c->trace_exec = event_on(c->log, EV_EXEC);
	flags_set(c, c->s.cpsr);
	c->running = true;
	why = setjmp(c->unwind);
	c->op = NULL;
	if (c->held)
		release_held(c);
	if (why == ARM_UNWIND_STOP)
		c->stop = true;
	if (why == ARM_UNWIND_FAULT) {
		c->budget--; /* a delivery counts as an instruction: a handler that faults at once must not run for ever */
		arm_take_abort(c);
	}
	if (why == ARM_UNWIND_ALONE && !c->stop && c->budget > 0)
		step(c);
	while (runnable(c))
		run_some(c);
	c->s.cpsr = arm_cpsr(c);
	c->running = false;
	budget = executed(c);
	c->sched->now = start + budget;
	c->s.retired += budget;
	*c->icount += budget;
	return stop_reason(c);
}
