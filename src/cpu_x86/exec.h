/*
 * What handlers are made of: going on to the next op, register operands, effective addresses, and the inline memory access whose hit is
 * one compare and one add. A miss goes to op->slow, the same handler compiled with out-of-line accesses, by a tail call, so that
 * the fast path has no stack frame.
 *
 * Address modes: AM_B 64-bit flat, base and displacement only (most operands); AM_L 64-bit flat with an index; AM_S any mode (mask,
 * limit, base); AM_SLOW any mode, out of line.
 */
#ifndef CPU_X86_EXEC_H
#define CPU_X86_EXEC_H

#include "cpu_x86/block.h"
#include "cpu_x86/body.h"
#include "cpu_x86/flags.h"

#define INSN const struct x86_op *

static ALWAYS_INLINE INSN x86_next(struct x86_cpu *c, const struct x86_op *o) { return op_next(c, o); }
/* A block's first op. */
static ALWAYS_INLINE INSN x86_go(struct x86_cpu *c, const struct x86_op *o)
{
#ifdef ENGINE_LOOP
	(void)c;
	return o;
#else
	return o->exec(c, o);
#endif
}

/* Register operands by offset. */
#define REG_AT(type, c, at) (*(type *)((u8 *)(c)->r + (at)))
#define REG_GET8(c, at) REG_AT(u8, c, at)
#define REG_GET16(c, at) REG_AT(u16, c, at)
#define REG_GET32(c, at) REG_AT(u32, c, at)
#define REG_GET64(c, at) REG_AT(u64, c, at)
#define REG_SET8(c, at, v) (REG_AT(u8, c, at) = (u8)(v))
#define REG_SET16(c, at, v) (REG_AT(u16, c, at) = (u16)(v))
#define REG_SET32(c, at, v) (REG_AT(u64, c, at) = (u32)(v))
#define REG_SET64(c, at, v) (REG_AT(u64, c, at) = (v))

enum am { AM_L, AM_S, AM_SLOW, AM_B, AM_COUNT };

static ALWAYS_INLINE u64 x86_ea_sum(const struct x86_cpu *c, const struct x86_op *o)
{
	return op_displaced(o, REG_AT(const u64, c, op_base(o)) + op_scaled(o, REG_AT(const u64, c, op_index(o))));
}

#define SEG_WORD(array, o) (*(const u64 *)((const u8 *)(array) + op_seg_offset(o)))

/* The host address of a size-byte access, or NULL when the slow handler must do it. */
static ALWAYS_INLINE void *x86_host(struct x86_cpu *c, u64 va, unsigned size, unsigned rw)
{
	const struct tlb_entry *e = tlb_slot_of(&c->tlb, va);

	void *p = (void *)(uintptr_t)(va + e->add);

	if (unlikely(e->tag[rw] != (((va + (size - 1)) & PAGE_MASK) | c->tlb.ctx)))
		return NULL;
	if (!p)
		__builtin_unreachable(); /* spares the caller a second test */
	return p;
}

static ALWAYS_INLINE void *x86_mem(struct x86_cpu *c, const struct x86_op *o, enum am m, unsigned size, unsigned rw)
{
	u64 a = m == AM_B ? op_displaced(o, REG_GET64(c, op_base(o))) : x86_ea_sum(c, o);

	if (m == AM_S) {
		a &= op_address_mask(o);
		if (unlikely(a + size > SEG_WORD(rw == TLB_W ? c->swlim : c->srlim, o)))
			return NULL;
		a += SEG_WORD(c->sbase, o);
		if (!x86_long64(c))
			a = (u32)a;
	}
	return x86_host(c, a, size, rw);
}

/* Load the memory operand into *v; false: go to the slow handler. In AM_SLOW it always succeeds or unwinds. */
static ALWAYS_INLINE bool x86_rd(struct x86_cpu *c, const struct x86_op *o, enum am m, unsigned size, u64 *v)
{
	const void *p;

	if (m == AM_SLOW) {
		c->op = o;
		*v = x86_load(c, x86_linear(c, op_seg(o), x86_ea(c, o), size, false), size);
		return true;
	}
	p = x86_mem(c, o, m, size, TLB_R);
	if (unlikely(!p))
		return false;
	*v = size == 1 ? *(const u8 *)p : size == 2 ? *(const u16 *)p : size == 4 ? *(const u32 *)p : *(const u64 *)p;
	return true;
}

static ALWAYS_INLINE bool x86_wr(struct x86_cpu *c, const struct x86_op *o, enum am m, unsigned size, u64 v)
{
	void *p;

	if (m == AM_SLOW) {
		c->op = o;
		x86_store(c, x86_linear(c, op_seg(o), x86_ea(c, o), size, true), size, v);
		return true;
	}
	p = x86_mem(c, o, m, size, TLB_W);
	if (unlikely(!p))
		return false;
	store_le(p, size, v);
	return true;
}

/* Read-modify-write in two halves: x86_rmw gives the old value and a token; x86_rmw_put stores. The first half makes sure that
 * the second cannot fault. */
struct rmw {
	void *host;
	u64 va;
};
static ALWAYS_INLINE bool x86_rmw(struct x86_cpu *c, const struct x86_op *o, enum am m, unsigned size, u64 *v, struct rmw *t)
{
	if (m == AM_SLOW) {
		c->op = o;
		t->va = x86_linear(c, op_seg(o), x86_ea(c, o), size, true);
		*v = x86_load_rmw(c, t->va, size);
		return true;
	}
	t->host = x86_mem(c, o, m, size, TLB_W);
	if (unlikely(!t->host))
		return false;
	*v = load_le(t->host, size);
	return true;
}
static ALWAYS_INLINE void x86_rmw_put(struct x86_cpu *c, enum am m, unsigned size, u64 v, const struct rmw *t)
{
	if (m == AM_SLOW)
		x86_store(c, t->va, size, v);
	else
		store_le(t->host, size, v);
}

/* What indirect branches are cached under: nothing of it changes between two instructions that end in x86_exec_body_end. Never 0. */
static ALWAYS_INLINE void x86_new_jump_key(struct x86_cpu *c)
{
	c->jump_key = c->tlb.ctx | (u64)c->mode << 12 | c->tlb.fetch_epoch << 32;
}

/* Are instructions to be taken one at a time? */
static ALWAYS_INLINE bool x86_must_step(const struct x86_cpu *c)
{
	return unlikely(c->step | c->break_exec | c->trace_exec | c->shadow) || unlikely(c->flags & (FLAG_TF | FLAG_RF));
}

/* ---- leaving and linking blocks (block.c) ---- */
INSN x86_leave(struct x86_cpu *c);                                          /* the run loop goes on at c->rip */
INSN x86_link(struct x86_cpu *c, const struct x86_op *o, unsigned k);       /* o's successor k is not linked yet: at r[R_RIP] */
INSN x86_link_failed(struct x86_cpu *c, const struct x86_op *o, unsigned k); /* its budget test failed: dead, or no time left */
INSN x86_enter_failed(struct x86_cpu *c, struct x86_block *t);
INSN x86_jump_miss(struct x86_cpu *c, const struct x86_op *o, u64 rip);     /* the jump cache does not know rip */
INSN x86_goto(struct x86_cpu *c, u64 rip);                                  /* by the run loop */
INSN x86_bad_target(struct x86_cpu *c, const struct x86_op *o);             /* #GP(0) of a branch. APM2 4.12, 5.3.1 */

/* Trampolines of instruction bodies: inside a block; at its end (the loop looks around afterwards). */
x86_fn x86_exec_string, x86_next_op;
extern x86_fn *const x86_exec_body, *const x86_exec_body_end;
x86_body x86i_moffs_load, x86i_moffs_store; /* MOV with a 64-bit absolute offset beyond 2 GB: imm64 */
x86_fn x86_vec_load_any, x86_vec_checked; /* vec.c: memory operands out of line; with SIMD exceptions unmasked */
x86_body x86i_vec_off;                    /* SSE or AVX is turned off: #UD or #NM */
x86_body x86i_refused; /* what the decoder refuses: imm = the rule */

/* Tables for the decoder: [legacy mode][condition]; [kind][size][condition] (NULL: not fused). */
extern x86_fn *const x86_jcc[2][16], *const x86_end_follow, *const x86_end_leave;
enum x86_fusion {
	FUSED_CMP_RR, FUSED_CMP_RI, FUSED_TEST_RR, FUSED_TEST_RI, FUSED_SUB_RI, FUSED_ADD_RI, FUSED_AND_RI, FUSED_CMP_MR, FUSED_CMP_RM,
	FUSED_CMP_MI, FUSED_TEST_MI, /* base and displacement; then the same four with an index register */
	FUSED_INDEXED = FUSED_TEST_MI - FUSED_CMP_MR + 1,
	FUSED_KINDS = FUSED_TEST_MI + FUSED_INDEXED + 1,
};
extern x86_fn *const x86_fused[FUSED_KINDS][4][16];

#endif
