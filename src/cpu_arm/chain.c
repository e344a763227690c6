/*
 * From op to op and from block to block, out of line: where an op stands in its block, making links, the jump cache's misses, the trampolines of
 * instruction bodies, block ends. The inline halves are in exec.h; building blocks is block.c's.
 */
#include "cpu_arm/exec.h"

/* ---- where an op stands ---- */

struct arm_block *arm_block_of(const struct arm_op *o, unsigned *insns, unsigned *bytes)
{
	*insns = *bytes = 0;
	while (!(o->flags & OP_FIRST)) {
		o--;
		*insns += op_count(o);
		*bytes += op_len(o);
	}
	return container_of(o, struct arm_block, op[0]);
}

u32 arm_pc(const struct arm_cpu *c)
{
	unsigned insns, bytes;

	if (!c->op)
		return c->s.r[15];
	arm_block_of(c->op, &insns, &bytes);
	return c->pc + bytes;
}

void arm_sync(struct arm_cpu *c)
{
	unsigned insns, bytes;
	struct arm_block *b;

	if (!c->op)
		return;
	b = arm_block_of(c->op, &insns, &bytes);
	c->s.r[15] = c->pc + bytes;
	c->budget += b->insns - insns;
	c->op = NULL;
}

/* ---- going on ---- */

INSN arm_goto(struct arm_cpu *c, u32 va)
{
	c->s.r[15] = va;
	return NULL;
}

/* Of successor k's start from the block's. */
static s32 distance(const struct arm_op *o, unsigned k)
{
	if (o->flags & OP_END || !k)
		return (s32)o->imm;
	return (s32)o[1].imm;
}

/* Links stay in the page: the distance from the block's start decides, as other mappings of it go the same distance. */
static bool in_page(const struct arm_op *o, unsigned k)
{
	s64 at = (s64)(o->block->pa & ~PAGE_MASK) + distance(o, k);

	return !(o->block->mode & ARM_MODE_STEP) && at >= 0 && at < (s64)PAGE_SIZE;
}

INSN arm_link(struct arm_cpu *c, const struct arm_op *o, unsigned k)
{
	struct arm_block *t;

	if (!in_page(o, k))
		return jump_to(c, c->pc);
	t = arm_block_find(c, c->pc);
	if (!t)
		return arm_goto(c, c->pc);
	if (!o->block->dead)
		o->block->link[k] = t;
	return enter(c, t);
}

INSN arm_link_failed(struct arm_cpu *c, const struct arm_op *o, unsigned k)
{
	struct arm_block *t = o->block->link[k];

	if (t->dead)
		o->block->link[k] = NULL;
	return arm_enter_failed(c, t);
}

INSN arm_jump_miss(struct arm_cpu *c, u32 va)
{
	struct arm_block *t = arm_block_find(c, va);

	if (!t)
		return arm_goto(c, va);
	*arm_jump_slot(c, va) = (struct arm_jump_entry){.va = va, .key = c->jump_key, .block = t};
	c->pc = va;
	return enter(c, t);
}

INSN arm_enter_failed(struct arm_cpu *c, struct arm_block *t)
{
	c->budget += t->n;
	if (t->dead)
		arm_jump_slot(c, c->pc)->key = 0;
	return arm_goto(c, c->pc);
}

INSN arm_go_on(struct arm_cpu *c)
{
	struct arm_block *t;

	if (unlikely(c->look | c->sched->kick | c->stop) || arm_must_step(c))
		return NULL;
	t = arm_block_find(c, c->s.r[15]);
	if (!t || c->budget < t->n)
		return NULL;
	c->pc = c->s.r[15];
	c->budget -= t->n;
	arm_new_jump_key(c);
	return arm_go(c, t->op);
}

/* From ARM to Thumb state or back. */
INSN arm_exchange(struct arm_cpu *c, u32 to)
{
	c->s.cpsr ^= PSR_T;
	c->mode ^= ARM_MODE_THUMB;
	c->s.r[15] = to & (to & 1 ? ~1u : ~3u);
	return arm_go_on(c);
}

/* ---- bodies and ends ---- */

static INSN exec_body(struct arm_cpu *c, const struct arm_op *o)
{
	c->op = op_self(o);
	arm_bodies[o->body](c, op_self(o));
	return op_next(c, o);
}
arm_fn *const arm_exec_body = exec_body;

static INSN exec_body_end(struct arm_cpu *c, const struct arm_op *o)
{
	c->op = op_self(o);
	c->new_pc = c->pc + op_end(o);
	arm_bodies[o->body](c, op_self(o));
	c->op = NULL;
	c->s.r[15] = c->new_pc;
	return arm_go_on(c);
}
arm_fn *const arm_exec_body_end = exec_body_end;

static INSN end_follow(struct arm_cpu *c, const struct arm_op *o)
{
	u32 va = c->pc + op_imm(o);

	if (unlikely(c->look | c->sched->kick | c->stop))
		return arm_goto(c, va);
	return follow(c, o, 1, va);
}
arm_fn *const arm_end_follow = end_follow;

#define X(n) arm_i_##n,
arm_body *const arm_bodies[BODY_COUNT] = {BODIES(X)};
#undef X
