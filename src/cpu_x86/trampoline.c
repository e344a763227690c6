/*
 * The ways into an instruction body (body.h), in the middle of a block and at its end: apart from chain.c because they are templates, too.
 */
#include "cpu_x86/exec.h"

static INSN exec_body(struct x86_cpu *c, const struct x86_op *o)
{
	c->op = op_self(o);
	((x86_body *)(void *)op_slow(o))(c, op_self(o));
	return op_next_checked(c, o);
}
x86_fn *const x86_exec_body = exec_body;

/* The run loop's shortest way, without returning to it: nothing pending, nothing special, the block at hand. */
static ALWAYS_INLINE INSN go_on(struct x86_cpu *c)
{
	struct x86_block *t;

	if (unlikely(c->pending | c->sched->kick | c->stop | (c->activity != ACT_RUN)) || x86_must_step(c))
		return NULL;
	t = x86_block_find(c, c->rip);
	if (!t || c->budget < t->n)
		return NULL;
	c->r[R_RIP] = c->rip;
	c->budget -= t->n;
	x86_new_jump_key(c);
	return x86_go(c, t->op);
}

static INSN exec_body_end(struct x86_cpu *c, const struct x86_op *o)
{
	c->op = op_self(o);
	c->new_rip = (c->r[R_RIP] + (u64)op_end(o)) & c->rip_mask; /* op_end: the bytes up to here */
	((x86_body *)(void *)op_slow(o))(c, op_self(o));
	c->op = NULL;
	c->rip = c->new_rip;
	return go_on(c);
}
x86_fn *const x86_exec_body_end = exec_body_end;
