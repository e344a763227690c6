/*
 * From block to block without the run loop: entering a block costs one subtraction and one test (the budget), following a link one load more.
 */
#ifndef CPU_X86_CHAIN_H
#define CPU_X86_CHAIN_H

#include "cpu_x86/exec.h"

/* Enter block t, whose first byte is at r[R_RIP]. */
static ALWAYS_INLINE INSN enter(struct x86_cpu *c, struct x86_block *t)
{
	c->budget -= t->n;
	if (unlikely(c->budget < 0))
		return x86_enter_failed(c, t);
	return x86_go(c, t->op);
}

/* Continue at rip through link k of o's block. */
static ALWAYS_INLINE INSN follow(struct x86_cpu *c, const struct x86_op *o, unsigned k, u64 rip)
{
	struct x86_block *t = op_block(o)->link[k];

	c->r[R_RIP] = rip;
	if (unlikely(!t))
		return x86_link(c, op_self(o), k);
	c->budget -= t->n;
	if (unlikely(c->budget < 0))
		return x86_link_failed(c, op_self(o), k);
	return x86_go(c, t->op);
}

#endif
