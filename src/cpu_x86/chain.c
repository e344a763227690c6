/*
 * From op to op and from block to block, out of line: where an op stands in its block, making links, the jump cache's misses, and the
 * trampolines of instruction bodies. The inline halves are in chain.h and exec.h; building blocks is block.c's.
 */
#include "cpu_x86/block.h"
#include "cpu_x86/insn.h"

/* ---- where an op stands ---- */
struct x86_block *x86_block_of(const struct x86_op *o, unsigned *insns, unsigned *bytes)
{
	*insns = *bytes = 0;
	while (!(o->len & OP_FIRST)) {
		o--;
		*insns += op_count(o);
		*bytes += op_len(o);
	}
	return container_of(o, struct x86_block, op[0]);
}

u64 x86_rip(const struct x86_cpu *c)
{
	unsigned insns, bytes;

	if (!c->op)
		return c->rip;
	x86_block_of(c->op, &insns, &bytes);
	return (c->r[R_RIP] + bytes) & c->rip_mask;
}

u64 x86_next_rip(const struct x86_cpu *c) { return c->op ? (x86_rip(c) + op_len(c->op)) & c->rip_mask : c->rip; }

void x86_sync(struct x86_cpu *c)
{
	unsigned insns, bytes;
	struct x86_block *b;

	if (!c->op)
		return;
	b = x86_block_of(c->op, &insns, &bytes);
	c->rip = (c->r[R_RIP] + bytes) & c->rip_mask;
	c->budget += b->insns - insns;
	c->op = NULL;
}

/* ---- going on ---- */
INSN x86_leave(struct x86_cpu *c)
{
	(void)c;
	return NULL;
}

INSN x86_goto(struct x86_cpu *c, u64 rip)
{
	c->rip = rip;
	return NULL;
}

/* Of successor k's start from the block's. */
static s64 distance(const struct x86_op *o, unsigned k)
{
	if (o->id == X86_END || !k)
		return o->imm;
	return o->len & OP_FUSED ? o[1].imm : o->disp;
}

/* Links stay in the page: the distance from the block's start decides, as other mappings of it go the same distance. */
static bool in_page(const struct x86_op *o, unsigned k)
{
	s64 at = (s64)(o->block->pa & ~PAGE_MASK) + distance(o, k);

	return !(o->block->mode & MODE_TIGHT) && o->block->pa2 == CODE_NO_PAGE && at >= 0 && at < (s64)PAGE_SIZE;
}

INSN x86_link(struct x86_cpu *c, const struct x86_op *o, unsigned k)
{
	u64 rip = c->r[R_RIP];
	struct x86_block *t;

	if (unlikely(!x86_canonical(c, rip) && x86_long64(c)) && o->id != X86_END) {
		unsigned insns, bytes;

		/* r[R_RIP] holds the target already: put the block's own start back for the report. */
		x86_block_of(o, &insns, &bytes);
		c->r[R_RIP] = rip - (u64)distance(o, k);
		return x86_bad_target(c, o);
	}
	t = x86_block_find(c, rip);
	if (!t)
		return x86_goto(c, rip);
	if (in_page(o, k) && !o->block->dead)
		o->block->link[k] = t;
	c->budget -= t->n;
	if (unlikely(c->budget < 0))
		return x86_enter_failed(c, t);
	return x86_go(c, t->op);
}

INSN x86_link_failed(struct x86_cpu *c, const struct x86_op *o, unsigned k)
{
	struct x86_block *t = o->block->link[k];

	if (t->dead)
		o->block->link[k] = NULL;
	return x86_enter_failed(c, t);
}

/* The first byte of the target is at rip; not canonical or not found: by the run loop. */
INSN x86_jump_miss(struct x86_cpu *c, const struct x86_op *o, u64 rip)
{
	struct x86_block *t;

	if (x86_long64(c) && !x86_canonical(c, rip))
		return x86_bad_target(c, o);
	t = x86_block_find(c, rip);
	if (!t)
		return x86_goto(c, rip);
	if (x86_long64(c))
		*x86_jump_slot(c, rip) = (struct x86_jump_entry){.rip = rip, .key = c->jump_key, .block = t};
	c->r[R_RIP] = rip;
	c->budget -= t->n;
	if (unlikely(c->budget < 0))
		return x86_enter_failed(c, t);
	return x86_go(c, t->op);
}

INSN x86_enter_failed(struct x86_cpu *c, struct x86_block *t)
{
	c->budget += t->n;
	if (t->dead)
		x86_jump_slot(c, c->r[R_RIP])->key = 0;
	return x86_goto(c, c->r[R_RIP]);
}

INSN x86_bad_target(struct x86_cpu *c, const struct x86_op *o)
{
	c->op = o;
	x86_raise(c, VEC_GP, 0, x86_long64(c) ? RULE_GP_FETCH_NONCANONICAL : RULE_GP_FETCH_LIMIT);
}

/* ---- bodies ---- */
/* Behind a body that has killed its block. */
INSN x86_next_op(struct x86_cpu *c, const struct x86_op *o) { return x86_next(c, o); }

INSN x86_exec_string(struct x86_cpu *c, const struct x86_op *o)
{
	u64 rip;

	c->op = o;
	if (((x86_string *)(void *)o->slow)(c, o))
		return x86_next(c, o);
	rip = x86_rip(c);
	x86_sync(c);
	c->budget--; /* one part of it counts as one instruction */
	c->rip = rip;
	return NULL;
}
