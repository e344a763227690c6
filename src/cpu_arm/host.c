/*
 * See host.h. An op is known by its handler: a table maps handlers back to what they do. Here that table, and op by op the block's code; what is
 * written for each kind of op is in host_op.c and host_flow.c.
 */
#include "cpu_arm/host.h"

#include <stdlib.h>

#include "cpu_arm/host_work.h"

#define SHAPES     4096 /* of the hash table */
#define BLOCK_ROOM (BLOCK_OPS * 1024) /* bytes: more than any block's code has, as no op comes near 1 KB */

enum shape_type {
	SHAPE_NONE, SHAPE_DP, SHAPE_FUSED, SHAPE_COND, SHAPE_COND_PC, SHAPE_USE_PC, SHAPE_NOP, SHAPE_LDST, SHAPE_LDM, SHAPE_STM, SHAPE_MUL, SHAPE_CLZ, SHAPE_B,
	SHAPE_BL, SHAPE_THUMB_BL, SHAPE_BODY, SHAPE_BX, SHAPE_BLX, SHAPE_MOV_PC, SHAPE_LDM_PC,
};
struct shape {
	arm_fn *fn;
	u8 type, a, b, c;
};

struct arm_host {
	u8 *base, *p, *end;
	struct shape shape[SHAPES];
};

/* ---- what a handler does ---- */

static unsigned slot_of(const struct arm_host *h, arm_fn *fn)
{
	unsigned i = (unsigned)((uintptr_t)fn >> 4) * 0x9e3779b1u >> 20;

	while (h->shape[i].fn && h->shape[i].fn != fn)
		i = (i + 1) & (SHAPES - 1);
	return i;
}

static void learn(struct arm_host *h, arm_fn *fn, enum shape_type type, unsigned a, unsigned b, unsigned c)
{
	if (fn)
		h->shape[slot_of(h, fn)] = (struct shape){fn, (u8)type, (u8)a, (u8)b, (u8)c};
}

static void learn_all(struct arm_host *h)
{
	for (unsigned op = 0; op < 16; op++) {
		for (unsigned s = 0; s < 2; s++)
			for (unsigned k = 0; k < K_COUNT; k++)
				learn(h, arm_dp[op][s][k], SHAPE_DP, op, s, k);
		for (unsigned k = 0; k < 2; k++)
			for (unsigned cc = 0; cc < 14; cc++)
				learn(h, arm_fused[op][k][cc], SHAPE_FUSED, op, k, cc);
	}
	for (unsigned a = 0; a < LS_COUNT; a++)
		for (unsigned m = 0; m < AM_COUNT; m++)
			learn(h, arm_ldst[a][m], SHAPE_LDST, a, m, 0);
	for (unsigned op = 0; op < 6; op++)
		for (unsigned s = 0; s < 2; s++)
			learn(h, arm_mul[op][s], SHAPE_MUL, op, s, 0);
	for (unsigned cc = 0; cc < 15; cc++) {
		learn(h, arm_b[cc], SHAPE_B, cc, 0, 0);
		learn(h, arm_bl[cc], SHAPE_BL, cc, 0, 0);
		learn(h, arm_cond[cc], SHAPE_COND, cc, 0, 0);
		learn(h, arm_cond_pc[cc], SHAPE_COND_PC, cc, 0, 0);
	}
	learn(h, arm_use_pc, SHAPE_USE_PC, 0, 0, 0);
	learn(h, arm_nop, SHAPE_NOP, 0, 0, 0);
	learn(h, arm_ldm, SHAPE_LDM, 0, 0, 0);
	learn(h, arm_stm, SHAPE_STM, 0, 0, 0);
	learn(h, arm_clz, SHAPE_CLZ, 0, 0, 0);
	learn(h, arm_bx, SHAPE_BX, 0, 0, 0);
	learn(h, arm_blx, SHAPE_BLX, 0, 0, 0);
	learn(h, arm_mov_pc, SHAPE_MOV_PC, 0, 0, 0);
	learn(h, arm_ldm_pc, SHAPE_LDM_PC, 0, 0, 0);
	learn(h, arm_exec_body, SHAPE_BODY, 0, 0, 0);
	learn(h, arm_thumb_bl, SHAPE_THUMB_BL, 0, 0, 0);
}

struct arm_host *arm_host_new(void *at, size_t size)
{
	struct arm_host *h = calloc(1, sizeof *h);

	if (!h)
		return NULL;
	h->base = h->p = at;
	h->end = h->base + size;
	learn_all(h);
	return h;
}
void arm_host_free(struct arm_host *h) { free(h); }
void arm_host_flush(struct arm_host *h) { h->p = h->base; }
bool arm_host_full(const struct arm_host *h) { return h->end - h->p < BLOCK_ROOM; }

/* ---- ops ---- */

static void link_register(struct work *w, u32 bit)
{
	unsigned pc = use(w, PC_OFFSET);

	h_rm(&w->code, 2, H_LEA, H_AX, h_at(pc, (s32)(w->b->bytes | bit)));
	h_rm(&w->code, 2, H_MOV_STORE, H_AX, h_at(H_DI, (s32)REG_OFFSET(14)));
}

static void emit_branch(struct work *w, const struct arm_op *o, unsigned cc, bool link)
{
	struct jumps j = {.n = 0};
	u8 *over;

	if (cc < 14)
		arm_emit_unless(w, cc, &j, &over);
	if (link)
		link_register(w, 0);
	arm_emit_follow(w, o, 0, o->imm);
	if (cc < 14) {
		arm_emit_land(w, &j);
		arm_emit_follow(w, o, 1, w->b->bytes);
	}
}

static void emit_fused(struct work *w, const struct arm_op *o, const struct shape *s)
{
	arm_emit_dp(w, o, s->a, true, s->b ? K_REG : K_IMM, o->aux);
	if (s->a == DP_MOV) {
		h_rr(&w->code, 2, 0x85, H_AX, H_AX);
		w->hf = HF_LOGIC;
	}
	emit_branch(w, o, s->c, false);
}

/* A call; a body may unwind, and may kill the block by a store. */
static void emit_body(struct work *w, const struct arm_op *o)
{
	struct host_code *e = &w->code;

	h_rip(e, 3, H_LEA, H_SI, o);
	h_rm(e, 3, H_MOV_STORE, H_SI, h_at(H_DI, AT(op)));
	h_8(e, 0x57); /* push rdi */
	h_8(e, 0xe8); /* call */
	h_32(e, (u32)((const u8 *)(const void *)arm_bodies[o->body] - (e->p + 4)));
	h_8(e, 0x5f); /* pop rdi */
	h_rip(e, 2, H_MOV_LOAD, H_AX, &w->b->n);
	h_alu_ri(e, 2, H_CMP, H_AX, (s32)BLOCK_DEAD);
	miss_if(w, H_E, o + 1, NULL);
	memset(w->held, NOBODY, sizeof w->held);
	w->hf = HF_NONE;
}

static bool emit_jump(struct work *w, const struct arm_op *o, arm_fn *fn, unsigned type)
{
	if (type == SHAPE_LDM_PC) {
		if (w->b->mode & ARM_MODE_L4)
			return false;
		arm_emit_multiple(w, o, fn, false); /* r15 comes last, in ecx */
	} else {
		h_rr(&w->code, 2, H_MOV_LOAD, H_CX, use(w, o->rm));
	}
	if (type == SHAPE_BLX)
		link_register(w, w->b->mode & ARM_MODE_THUMB);
	arm_emit_indirect(w, type != SHAPE_MOV_PC);
	return true;
}

/* What the op does, by handler fn; false: not here. */
static bool emit_plain(struct work *w, const struct arm_op *o, arm_fn *fn, const struct shape *s)
{
	switch (s->type) {
	case SHAPE_NOP: return true;
	case SHAPE_DP: return arm_emit_dp(w, o, s->a, s->b, s->c, o->imm);
	case SHAPE_LDST: return arm_emit_ldst(w, o, fn, s->a, s->b);
	case SHAPE_MUL: return arm_emit_mul(w, o, s->a, s->b);
	case SHAPE_LDM:
	case SHAPE_STM: arm_emit_multiple(w, o, fn, s->type == SHAPE_STM); return true;
	case SHAPE_BX:
	case SHAPE_BLX:
	case SHAPE_MOV_PC:
	case SHAPE_LDM_PC: return emit_jump(w, o, fn, s->type);
	case SHAPE_BODY: emit_body(w, o); return true;
	case SHAPE_CLZ: arm_emit_clz(w, o); return true;
	default: return false;
	}
}

static void read_pc(struct work *w, const struct arm_op *o)
{
	unsigned pc = use(w, PC_OFFSET);

	h_rm(&w->code, 2, H_LEA, H_AX, h_at(pc, (s32)o->aux));
	define(w, (unsigned)REG_OFFSET(15), H_AX);
}

/* An op behind a condition: what it has brought into host registers is there on one way only. */
static bool emit_conditional(struct work *w, const struct arm_op *o, const struct shape *s, const struct shape *second)
{
	struct jumps j = {.n = 0};
	u8 before[HELD], *over;
	bool done;

	if (second->type == SHAPE_NONE)
		return false;
	arm_emit_unless(w, s->a, &j, &over);
	memcpy(before, w->held, sizeof before);
	if (s->type == SHAPE_COND_PC)
		read_pc(w, o);
	done = emit_plain(w, o, o->second, second);
	if (!done)
		leave_to(w, o, o->second);
	arm_emit_land(w, &j);
	for (unsigned i = 0; i < HELD; i++)
		if (w->held[i] != before[i])
			w->held[i] = NOBODY;
	if (second->type != SHAPE_DP || second->a != DP_MOV) /* others may have changed the host's flags on one way */
		w->hf = HF_NONE;
	return true;
}

/* False: the block ends here, as ops or for good. */
static bool emit_op(struct work *w, const struct arm_host *h, const struct arm_op *o, arm_fn *fn)
{
	const struct shape *s = &h->shape[slot_of(h, fn)], *second;
	bool done = false;

	w->used = 0;
	switch (s->type) {
	case SHAPE_FUSED: emit_fused(w, o, s); return false;
	case SHAPE_B: emit_branch(w, o, s->a, false); return false;
	case SHAPE_BL: emit_branch(w, o, s->a, true); return false;
	case SHAPE_THUMB_BL:
		link_register(w, 1);
		arm_emit_follow(w, o, 0, o->imm);
		return false;
	case SHAPE_COND:
	case SHAPE_COND_PC:
		second = &h->shape[slot_of(h, o->second)];
		done = emit_conditional(w, o, s, second);
		break;
	case SHAPE_USE_PC:
		second = &h->shape[slot_of(h, o->second)];
		if (second->type == SHAPE_NONE)
			break;
		read_pc(w, o);
		done = emit_plain(w, o, o->second, second);
		break;
	default: done = emit_plain(w, o, fn, s);
	}
	if (!done)
		leave_to(w, o, fn);
	return done;
}

void arm_host_translate(struct arm_host *h, struct arm_block *b)
{
	struct work w = {.code = {h->p}, .b = b, .start = h->p};
	bool more = true;

	memset(w.held, NOBODY, sizeof w.held);
	for (unsigned i = 0; i < b->ops && more; i++)
		more = emit_op(&w, h, &b->op[i], i ? b->op[i].exec : b->first);
	if (more)
		leave_to(&w, &b->op[b->ops], b->op[b->ops].exec);
	for (unsigned i = 0; i < w.misses; i++) {
		h_land(w.miss[i].jump, w.code.p);
		if (w.miss[i].fn) {
			leave_to(&w, w.miss[i].op, w.miss[i].fn);
			continue;
		}
		h_rip(&w.code, 3, H_LEA, H_SI, w.miss[i].op);
		h_rm(&w.code, 2, 0xff, 4, h_at(H_SI, offsetof(struct arm_op, exec)));
	}
	h->p = (u8 *)(((uintptr_t)w.code.p + 15) & ~(uintptr_t)15);
	b->op[0].exec = (arm_fn *)(void *)w.start;
}
