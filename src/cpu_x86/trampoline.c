/*
 * The way into an instruction body in the middle of a block (body.h): apart from chain.c because it is also a template.
 */
#include "cpu_x86/exec.h"

static INSN exec_body(struct x86_cpu *c, const struct x86_op *o)
{
	c->op = op_self(o);
	((x86_body *)(void *)op_slow(o))(c, op_self(o));
	return op_next_checked(c, o);
}
x86_fn *const x86_exec_body = exec_body;
