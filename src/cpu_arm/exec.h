/*
 * What handlers are made of: going on to the next op, registers, the inline memory access whose hit is one compare and one add, from block
 * to block. A miss goes to the same handler compiled with out-of-line accesses, by a tail call, so that the fast path has no stack frame.
 */
#ifndef CPU_ARM_EXEC_H
#define CPU_ARM_EXEC_H

#include "cpu_arm/block.h"
#include "cpu_arm/flags.h"

#define INSN const struct arm_op *

/* A block's first op. */
static ALWAYS_INLINE INSN arm_go(struct arm_cpu *c, const struct arm_op *o)
{
#ifdef ENGINE_LOOP
	(void)c;
	return o;
#else
	return o->exec(c, o);
#endif
}

/* Registers by byte offset. */
#define REG(c, at) (*(u32 *)((u8 *)(c) + (at)))
#define REG_OFFSET(n) (offsetof(struct arm_cpu, s.r) + (n)*4)
#define PC_OFFSET offsetof(struct arm_cpu, pc)
_Static_assert(REG_OFFSET(15) < 256, "ops have bytes for them");

/* The host address of an aligned access of size bytes in context ctx, or NULL when the slow handler must do it. */
static ALWAYS_INLINE void *arm_host_as(struct arm_cpu *c, u32 va, unsigned size, unsigned rw, u64 ctx)
{
	const struct tlb_entry *e = tlb_arm_slot(&c->tlb, va);
	void *p = (void *)(uintptr_t)(va + e->add);

	if (unlikely(e->tag[rw] != ((va & (u32)(PAGE_MASK | (size - 1))) | ctx)))
		return NULL;
	if (!p)
		__builtin_unreachable(); /* spares the caller a second test */
	return p;
}

static ALWAYS_INLINE void *arm_host(struct arm_cpu *c, u32 va, unsigned size, unsigned rw) { return arm_host_as(c, va, size, rw, c->tlb.ctx); }

/* What indirect branches are cached under: nothing of it changes inside a chain of blocks. Never 0. */
static ALWAYS_INLINE void arm_new_jump_key(struct arm_cpu *c)
{
	c->jump_key = c->tlb.ctx >> 32 | (u64)c->mode << 21 | c->tlb.fetch_epoch << 29;
}

static ALWAYS_INLINE bool arm_must_step(const struct arm_cpu *c) { return unlikely(c->step | c->trace_exec); }

/* ---- chain.c ---- */
INSN arm_link(struct arm_cpu *c, const struct arm_op *o, unsigned k);        /* o's successor k is not linked yet: at c->pc */
INSN arm_link_failed(struct arm_cpu *c, const struct arm_op *o, unsigned k); /* its budget test failed: dead, or no time left */
INSN arm_enter_failed(struct arm_cpu *c, struct arm_block *t);
INSN arm_jump_miss(struct arm_cpu *c, u32 va);                               /* the jump cache does not know va */
INSN arm_goto(struct arm_cpu *c, u32 va);                                    /* by the run loop */
INSN arm_go_on(struct arm_cpu *c); /* at r[15]: the run loop's shortest way, without returning to it */
extern arm_fn *const arm_end_follow, *const arm_exec_body, *const arm_exec_body_end;

static ALWAYS_INLINE INSN enter(struct arm_cpu *c, struct arm_block *t)
{
	c->budget -= t->n;
	if (unlikely(c->budget < 0))
		return arm_enter_failed(c, t);
	return arm_go(c, t->op);
}

/* Continue at va through link k of o's block. */
static ALWAYS_INLINE INSN follow(struct arm_cpu *c, const struct arm_op *o, unsigned k, u32 va)
{
	struct arm_block *t = op_block(o)->link[k];

	c->pc = va;
	if (unlikely(!t))
		return arm_link(c, op_self(o), k);
	c->budget -= t->n;
	if (unlikely(c->budget < 0))
		return arm_link_failed(c, op_self(o), k);
	return arm_go(c, t->op);
}

/* Continue at va, an even address, in the present state. */
static ALWAYS_INLINE INSN jump_to(struct arm_cpu *c, u32 va)
{
	struct arm_jump_entry *j = arm_jump_slot(c, va);

	if (unlikely(j->va != va || j->key != c->jump_key))
		return arm_jump_miss(c, va);
	c->pc = va;
	return enter(c, j->block);
}

INSN arm_exchange(struct arm_cpu *c, u32 to); /* the other instruction set */

/* Continue at to, whose bit 0 is the T bit. ARM addresses with bit 1 set are unpredictable; it is ignored. DDI0100 A4.1.10 */
static ALWAYS_INLINE INSN jump_exchange(struct arm_cpu *c, u32 to)
{
	if (unlikely((to ^ c->mode) & ARM_MODE_THUMB))
		return arm_exchange(c, to);
	return jump_to(c, to & (to & 1 ? ~1u : ~3u));
}

#endif
