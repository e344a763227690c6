/*
 * What the files that write host code share: the block under way, guest registers in host registers, and the calls between them. rdi holds the CPU
 * all the time, as in handlers; rax, rcx, rdx are scratch; the others that a function may change hold guest registers.
 */
#ifndef CPU_ARM_HOST_WORK_H
#define CPU_ARM_HOST_WORK_H

#include "base/host_insn.h"
#include "cpu_arm/decode.h"
#include "cpu_arm/exec.h"

#define AT(m) ((s32)offsetof(struct arm_cpu, m))

#define HELD 5
static const u8 held_reg[HELD] = {H_8, H_9, H_10, H_11, H_SI};
#define NOBODY 0xff
enum host_flags { HF_NONE, HF_SUB, HF_ADD, HF_LOGIC }; /* what the host's flags are of */

struct work {
	struct host_code code;
	struct arm_block *b;
	u8 *start;
	u8 held[HELD];    /* the guest register (offset) in each, or NOBODY */
	unsigned used;    /* by the present op, a bit each */
	unsigned next;
	enum host_flags hf;
	/* Jumps to where an op leaves for its handler. */
	struct {
		u8 *jump;
		const struct arm_op *op;
		arm_fn *fn; /* NULL: whatever the op has by then */
	} miss[4 * BLOCK_OPS];
	unsigned misses;
};

static inline int find_held(const struct work *w, unsigned at)
{
	for (int i = 0; i < HELD; i++)
		if (w->held[i] == at)
			return i;
	return -1;
}

static inline unsigned take_slot(struct work *w, unsigned at)
{
	int i = find_held(w, at);

	if (i < 0) {
		do
			w->next = (w->next + 1) % HELD;
		while (w->used >> w->next & 1);
		i = (int)w->next;
	}
	w->held[i] = (u8)at;
	w->used |= 1u << i;
	return held_reg[i];
}

/* The host register that holds the guest's. Leaves the flags alone. */
static inline unsigned use(struct work *w, unsigned at)
{
	bool there = find_held(w, at) >= 0;
	unsigned r = take_slot(w, at);

	if (!there)
		h_rm(&w->code, 2, H_MOV_LOAD, r, h_at(H_DI, (s32)at));
	return r;
}

static inline void forget(struct work *w, unsigned at)
{
	int i = find_held(w, at);

	if (i >= 0)
		w->held[i] = NOBODY;
}

/* The guest register becomes what is in the host's. Leaves the flags alone. */
static inline void define(struct work *w, unsigned at, unsigned from)
{
	unsigned r;

	h_rm(&w->code, 2, H_MOV_STORE, from, h_at(H_DI, (s32)at));
	r = take_slot(w, at);
	if (r != from)
		h_rr(&w->code, 2, H_MOV_LOAD, r, from);
}

static inline void define_imm(struct work *w, unsigned at, u32 v)
{
	unsigned r = take_slot(w, at);

	h_number(&w->code, r, v);
	h_rm(&w->code, 2, H_MOV_STORE, r, h_at(H_DI, (s32)at));
}

/* From here op o is its handler's. */
static inline void leave_to(struct work *w, const struct arm_op *o, arm_fn *fn)
{
	h_rip(&w->code, 3, H_LEA, H_SI, o);
	h_jump_to(&w->code, (const void *)fn);
}

static inline void miss_if(struct work *w, unsigned cc, const struct arm_op *o, arm_fn *fn)
{
	w->miss[w->misses].jump = h_jump_if(&w->code, cc);
	w->miss[w->misses].op = o;
	w->miss[w->misses++].fn = fn;
}

/* [cpu + index + disp] */
static inline struct host_mem indexed(unsigned index, s32 disp) { return (struct host_mem){H_DI, (u8)index, 0, disp}; }

/* ---- host_flow.c: from block to block, and conditions ---- */
/* Through link k of o's block, whose start is dist from this one's. */
void arm_emit_follow(struct work *w, const struct arm_op *o, unsigned k, u32 dist);
/* To the address in ecx, as jump_to and jump_exchange do. */
void arm_emit_indirect(struct work *w, bool exchange);
/* Jumps that are taken when a condition does not hold; where they end. */
struct jumps {
	u8 *at[2];
	unsigned n;
};
/* The odd ones are two conditions joined by "or": they need a jump over; *over is that. */
void arm_emit_unless(struct work *w, unsigned cc, struct jumps *j, u8 **over);
void arm_emit_land(struct work *w, const struct jumps *j);

/* ---- host_op.c: what ops do. False: not here ---- */
bool arm_emit_dp(struct work *w, const struct arm_op *o, unsigned op, bool s, unsigned kind, u32 imm);
bool arm_emit_mul(struct work *w, const struct arm_op *o, unsigned op, bool s);
void arm_emit_clz(struct work *w, const struct arm_op *o);
bool arm_emit_ldst(struct work *w, const struct arm_op *o, arm_fn *fn, unsigned a, unsigned m);
void arm_emit_multiple(struct work *w, const struct arm_op *o, arm_fn *fn, bool store);

#endif
