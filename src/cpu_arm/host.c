/*
 * See host.h. An op is known by its handler: a table maps handlers back to what they do. rdi holds the CPU all the time, as in handlers; rax, rcx, rdx
 * are scratch; the others that a function may change hold guest registers.
 */
#include "cpu_arm/host.h"

#include <stdlib.h>

#include "base/host_insn.h"
#include "cpu_arm/decode.h"
#include "cpu_arm/exec.h"

#define SHAPES     4096 /* of the hash table */
#define BLOCK_ROOM (BLOCK_OPS * 1024) /* bytes: more than any block's code has, as no op comes near 1 KB */
#define AT(m) ((s32)offsetof(struct arm_cpu, m))

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

/* ---- one block ---- */

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

static int find_held(const struct work *w, unsigned at)
{
	for (int i = 0; i < HELD; i++)
		if (w->held[i] == at)
			return i;
	return -1;
}

static unsigned take_slot(struct work *w, unsigned at)
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
static unsigned use(struct work *w, unsigned at)
{
	bool there = find_held(w, at) >= 0;
	unsigned r = take_slot(w, at);

	if (!there)
		h_rm(&w->code, 2, H_MOV_LOAD, r, h_at(H_DI, (s32)at));
	return r;
}

static void forget(struct work *w, unsigned at)
{
	int i = find_held(w, at);

	if (i >= 0)
		w->held[i] = NOBODY;
}

/* The guest register becomes what is in the host's. Leaves the flags alone. */
static void define(struct work *w, unsigned at, unsigned from)
{
	unsigned r;

	h_rm(&w->code, 2, H_MOV_STORE, from, h_at(H_DI, (s32)at));
	r = take_slot(w, at);
	if (r != from)
		h_rr(&w->code, 2, H_MOV_LOAD, r, from);
}

static void define_imm(struct work *w, unsigned at, u32 v)
{
	unsigned r = take_slot(w, at);

	h_number(&w->code, r, v);
	h_rm(&w->code, 2, H_MOV_STORE, r, h_at(H_DI, (s32)at));
}

/* From here op o is its handler's. */
static void leave_to(struct work *w, const struct arm_op *o, arm_fn *fn)
{
	h_rip(&w->code, 3, H_LEA, H_SI, o);
	h_jump_to(&w->code, (const void *)fn);
}

static void miss_if(struct work *w, unsigned cc, const struct arm_op *o, arm_fn *fn)
{
	w->miss[w->misses].jump = h_jump_if(&w->code, cc);
	w->miss[w->misses].op = o;
	w->miss[w->misses++].fn = fn;
}

/* [cpu + index + disp] */
static struct host_mem indexed(unsigned index, s32 disp) { return (struct host_mem){H_DI, (u8)index, 0, disp}; }

/* ---- going on ---- */

/* Through link k of o's block, whose start is dist from this one's. */
static void follow_link(struct work *w, const struct arm_op *o, unsigned k, u32 dist)
{
	struct host_code *e = &w->code;
	u8 *unlinked, *failed;

	if (!dist) { /* this block again */
		h_alu_mi(e, 3, H_SUB, h_at(H_DI, AT(budget)), w->b->n);
		failed = h_jump_if(e, H_S);
		h_jump_to(e, w->start);
		h_land(failed, e->p);
		h_rip(e, 3, H_LEA, H_SI, w->b);
		h_jump_to(e, (const void *)arm_enter_failed);
		return;
	}
	h_alu_mi(e, 2, H_ADD, h_at(H_DI, AT(pc)), (s32)dist);
	h_rip(e, 3, H_MOV_LOAD, H_AX, &w->b->link[k]);
	h_rr(e, 3, 0x85, H_AX, H_AX);
	unlinked = h_jump_if(e, H_E);
	h_rm(e, 3, 0x63, H_CX, h_at(H_AX, offsetof(struct arm_block, n)));
	h_rm(e, 3, 0x29, H_CX, h_at(H_DI, AT(budget)));
	failed = h_jump_if(e, H_S);
	h_rm(e, 3, H_LEA, H_SI, h_at(H_AX, offsetof(struct arm_block, op)));
	h_rm(e, 2, 0xff, 4, h_at(H_AX, offsetof(struct arm_block, op[0].exec)));
	h_land(unlinked, e->p);
	h_rip(e, 3, H_LEA, H_SI, o);
	h_number(e, H_DX, k);
	h_jump_to(e, (const void *)arm_link);
	h_land(failed, e->p);
	h_rip(e, 3, H_LEA, H_SI, o);
	h_number(e, H_DX, k);
	h_jump_to(e, (const void *)arm_link_failed);
}

/* To the address in ecx, as jump_to and jump_exchange do. */
static void indirect(struct work *w, bool exchange)
{
	struct host_code *e = &w->code;
	bool thumb = w->b->mode & ARM_MODE_THUMB;
	u8 *other = NULL, *miss, *miss2, *failed;
	const s32 jump = AT(jump);

	if (exchange) {
		h_8(e, 0xf6), h_8(e, 0xc1), h_8(e, 1); /* test cl, 1 */
		other = h_jump_if(e, thumb ? H_E : H_NE);
	}
	h_alu_ri(e, 2, H_AND, H_CX, (s32)(thumb ? ~1u : ~3u));
	h_rr(e, 2, H_MOV_LOAD, H_AX, H_CX);
	h_shift(e, 2, H_SHR, H_AX, 1);
	h_rr(e, 2, H_MOV_LOAD, H_DX, H_CX);
	h_shift(e, 2, H_SHR, H_DX, ARM_JUMP_BITS);
	h_rr(e, 2, h_alu_load(H_XOR), H_AX, H_DX);
	h_alu_ri(e, 2, H_AND, H_AX, (s32)((1u << ARM_JUMP_BITS) - 1));
	h_shift(e, 2, H_SHL, H_AX, 5);
	_Static_assert(sizeof(struct arm_jump_entry) == 1 << 5, "the shift above");
	h_rm(e, 3, h_alu_load(H_CMP), H_CX, indexed(H_AX, jump + (s32)offsetof(struct arm_jump_entry, va)));
	miss = h_jump_if(e, H_NE);
	h_rm(e, 3, H_MOV_LOAD, H_DX, indexed(H_AX, jump + (s32)offsetof(struct arm_jump_entry, key)));
	h_rm(e, 3, h_alu_load(H_CMP), H_DX, h_at(H_DI, AT(jump_key)));
	miss2 = h_jump_if(e, H_NE);
	h_rm(e, 2, H_MOV_STORE, H_CX, h_at(H_DI, AT(pc)));
	h_rm(e, 3, H_MOV_LOAD, H_AX, indexed(H_AX, jump + (s32)offsetof(struct arm_jump_entry, block)));
	h_rm(e, 3, 0x63, H_CX, h_at(H_AX, offsetof(struct arm_block, n)));
	h_rm(e, 3, 0x29, H_CX, h_at(H_DI, AT(budget)));
	failed = h_jump_if(e, H_S);
	h_rm(e, 3, H_LEA, H_SI, h_at(H_AX, offsetof(struct arm_block, op)));
	h_rm(e, 2, 0xff, 4, h_at(H_AX, offsetof(struct arm_block, op[0].exec)));
	h_land(failed, e->p);
	h_rr(e, 3, H_MOV_LOAD, H_SI, H_AX);
	h_jump_to(e, (const void *)arm_enter_failed);
	h_land(miss, e->p);
	h_land(miss2, e->p);
	h_rr(e, 2, H_MOV_LOAD, H_SI, H_CX);
	h_jump_to(e, (const void *)arm_jump_miss);
	if (other) {
		h_land(other, e->p);
		h_rr(e, 2, H_MOV_LOAD, H_SI, H_CX);
		h_jump_to(e, (const void *)arm_exchange);
	}
}

/* ---- conditions: jumps that are taken when cc does not hold ---- */

struct jumps {
	u8 *at[2];
	unsigned n;
};

/* The host's condition for cc after a subtraction, or -1. */
static int direct_condition(enum host_flags hf, unsigned cc)
{
	static const s8 sub[14] = {H_E, H_NE, H_AE, H_B, H_S, H_NS, H_O, H_NO, H_A, H_BE, H_GE, H_L, H_G, H_LE};

	switch (hf) {
	case HF_SUB: return sub[cc];
	case HF_ADD: return cc == 2 ? H_B : cc == 3 ? H_AE : cc == 8 || cc == 9 ? -1 : sub[cc];
	case HF_LOGIC: return cc < 2 || cc == 4 || cc == 5 ? sub[cc] : -1;
	default: return -1;
	}
}

static void add_jump(struct work *w, struct jumps *j, unsigned cc) { j->at[j->n++] = h_jump_if(&w->code, cc); }

/* N is bit 31 of eax. */
static void load_n(struct work *w)
{
	h_rm(&w->code, 2, H_MOV_LOAD, H_AX, h_at(H_DI, AT(nz)));
	h_rm(&w->code, 2, h_alu_load(H_OR), H_AX, h_at(H_DI, AT(nz) + 4));
}

/* N compared with V: the flags are those of an equality. */
static void compare_n_v(struct work *w)
{
	load_n(w);
	h_shift(&w->code, 2, H_SHR, H_AX, 31);
	h_rm(&w->code, 2, 0x3a, H_AX, h_at(H_DI, AT(fv))); /* cmp al, fv */
}

/* The odd ones are two conditions joined by "or": they need a jump over; *over is that. */
static void unless(struct work *w, unsigned cc, struct jumps *j, u8 **over)
{
	int host = direct_condition(w->hf, cc);

	*over = NULL;
	if (host >= 0) {
		add_jump(w, j, (unsigned)host ^ 1);
		return;
	}
	w->hf = HF_NONE;
	switch (cc) {
	case 0:
	case 1:
		h_alu_mi(&w->code, 2, H_CMP, h_at(H_DI, AT(nz)), 0);
		add_jump(w, j, cc ? H_E : H_NE);
		break;
	case 2:
	case 3:
		h_alu_mi(&w->code, 0, H_CMP, h_at(H_DI, AT(fc)), 0);
		add_jump(w, j, cc & 1 ? H_NE : H_E);
		break;
	case 4:
	case 5:
		load_n(w);
		add_jump(w, j, cc & 1 ? H_S : H_NS);
		break;
	case 6:
	case 7:
		h_alu_mi(&w->code, 0, H_CMP, h_at(H_DI, AT(fv)), 0);
		add_jump(w, j, cc & 1 ? H_NE : H_E);
		break;
	case 8: /* HI: C and not Z */
		h_alu_mi(&w->code, 0, H_CMP, h_at(H_DI, AT(fc)), 0);
		add_jump(w, j, H_E);
		h_alu_mi(&w->code, 2, H_CMP, h_at(H_DI, AT(nz)), 0);
		add_jump(w, j, H_E);
		break;
	case 9:
		h_alu_mi(&w->code, 0, H_CMP, h_at(H_DI, AT(fc)), 0);
		*over = h_jump_if(&w->code, H_E);
		h_alu_mi(&w->code, 2, H_CMP, h_at(H_DI, AT(nz)), 0);
		add_jump(w, j, H_NE);
		break;
	case 10:
	case 11:
		compare_n_v(w);
		add_jump(w, j, cc & 1 ? H_E : H_NE);
		break;
	case 12:
		h_alu_mi(&w->code, 2, H_CMP, h_at(H_DI, AT(nz)), 0);
		add_jump(w, j, H_E);
		compare_n_v(w);
		add_jump(w, j, H_NE);
		break;
	default:
		h_alu_mi(&w->code, 2, H_CMP, h_at(H_DI, AT(nz)), 0);
		*over = h_jump_if(&w->code, H_E);
		compare_n_v(w);
		add_jump(w, j, H_E);
	}
	if (*over)
		h_land(*over, w->code.p);
}

static void land_all(struct work *w, const struct jumps *j)
{
	for (unsigned i = 0; i < j->n; i++)
		h_land(j->at[i], w->code.p);
}

/* ---- data processing ---- */

/* The second operand, shifted, into ecx or edx; carry: the shifter's goes to fc. */
static unsigned shifted(struct work *w, const struct arm_op *o, unsigned kind, u32 n, bool carry)
{
	static const u8 sh[] = {[K_LSL] = H_SHL, [K_LSR] = H_SHR, [K_ASR] = H_SAR, [K_ROR] = H_ROR, [K_LSL_R] = H_SHL, [K_LSR_R] = H_SHR,
	                        [K_ASR_R] = H_SAR, [K_ROR_R] = H_ROR};
	struct host_code *e = &w->code;
	unsigned rm = use(w, o->rm), rs;

	if (kind >= K_LSL_R) {
		rs = use(w, o->rs);
		h_rr(e, 2, H_MOV_LOAD, H_CX, rs);
		h_rr(e, 2, H_MOV_LOAD, H_DX, rm);
		if (kind == K_ASR_R) { /* 32 and more: 31 */
			h_rr(e, 2, 0x0fb6, H_CX, H_CX);
			h_number(e, H_AX, 31);
			h_rr(e, 2, h_alu_load(H_CMP), H_CX, H_AX);
			h_rr(e, 2, 0x0f47, H_CX, H_AX); /* cmova */
		}
		h_shift_cl(e, 2, sh[kind], H_DX);
		if (kind == K_LSL_R || kind == K_LSR_R) { /* 32 and more: 0 */
			h_8(e, 0x80), h_8(e, 0xf9), h_8(e, 32); /* cmp cl, 32 */
			h_rr(e, 2, h_alu_load(H_SBB), H_AX, H_AX);
			h_rr(e, 2, h_alu_load(H_AND), H_DX, H_AX);
		}
		return H_DX;
	}
	h_rr(e, 2, H_MOV_LOAD, H_CX, rm);
	if (kind == K_RRX) {
		h_rm(e, 2, 0x0fba, 4, h_at(H_DI, AT(fc))); /* bt */
		h_8(e, 0);
		h_shift(e, 2, H_RCR, H_CX, 1);
		if (carry)
			h_set(e, H_B, h_at(H_DI, AT(fc)));
		return H_CX;
	}
	if (carry) {
		h_rr(e, 2, 0x0fba, 4, H_CX);
		h_8(e, kind == K_LSL ? 32 - n : n - 1);
		h_set(e, H_B, h_at(H_DI, AT(fc)));
	}
	if (n == 32 && kind == K_LSR)
		h_number(e, H_CX, 0);
	else
		h_shift(e, 2, sh[kind], H_CX, n == 32 ? 31 : n);
	return H_CX;
}

/* eax op= b, an immediate if reg < 0. */
static void alu(struct work *w, unsigned x, int reg, u32 imm)
{
	if (reg < 0)
		h_alu_ri(&w->code, 2, x, H_AX, (s32)imm);
	else
		h_rr(&w->code, 2, h_alu_load(x), H_AX, (unsigned)reg);
}
static void move(struct work *w, int reg, u32 imm)
{
	if (reg < 0)
		h_number(&w->code, H_AX, imm);
	else
		h_rr(&w->code, 2, H_MOV_LOAD, H_AX, (unsigned)reg);
}

static void carry_in(struct work *w, bool borrow)
{
	h_rm(&w->code, 2, 0x0fba, 4, h_at(H_DI, AT(fc))); /* bt dword [fc], 0 */
	h_8(&w->code, 0);
	if (borrow)
		h_8(&w->code, 0xf5); /* cmc */
}

/* The result into eax. */
static void dp_result(struct work *w, unsigned op, const struct arm_op *o, int b, u32 imm)
{
	static const u8 x[16] = {[DP_AND] = H_AND, [DP_TST] = H_AND, [DP_EOR] = H_XOR, [DP_TEQ] = H_XOR, [DP_ORR] = H_OR, [DP_ADD] = H_ADD, [DP_CMN] = H_ADD,
	                         [DP_SUB] = H_SUB, [DP_CMP] = H_SUB, [DP_RSB] = H_SUB, [DP_ADC] = H_ADC, [DP_SBC] = H_SBB, [DP_RSC] = H_SBB};
	int a = op == DP_MOV || op == DP_MVN ? -1 : (int)use(w, o->rn);

	w->hf = op == DP_ADD || op == DP_CMN || op == DP_ADC ? HF_ADD : dp_is_logic(op) ? HF_LOGIC : HF_SUB;
	switch (op) {
	case DP_MOV: move(w, b, imm); w->hf = HF_NONE; return;
	case DP_MVN:
		move(w, b, ~imm);
		if (b >= 0)
			h_rr(&w->code, 2, 0xf7, 2, H_AX); /* not */
		w->hf = HF_NONE;
		return;
	case DP_BIC:
		if (b >= 0) {
			h_rr(&w->code, 2, H_MOV_LOAD, H_AX, (unsigned)b);
			h_rr(&w->code, 2, 0xf7, 2, H_AX);
			h_rr(&w->code, 2, h_alu_load(H_AND), H_AX, (unsigned)a);
		} else {
			move(w, a, 0);
			alu(w, H_AND, -1, ~imm);
		}
		return;
	case DP_RSB:
	case DP_RSC:
		move(w, b, imm);
		if (op == DP_RSC)
			carry_in(w, true);
		alu(w, x[op], a, 0);
		return;
	default:
		move(w, a, 0);
		if (op == DP_ADC || op == DP_SBC)
			carry_in(w, op == DP_SBC);
		alu(w, x[op], b, imm);
	}
}

/* Stores, and SETcc, leave the host's flags as they are. */
static void keep_flags(struct work *w, unsigned op)
{
	if (!dp_is_logic(op)) {
		h_set(&w->code, w->hf == HF_ADD ? H_B : H_AE, h_at(H_DI, AT(fc)));
		h_set(&w->code, H_O, h_at(H_DI, AT(fv)));
	}
	h_rm(&w->code, 3, H_MOV_STORE, H_AX, h_at(H_DI, AT(nz)));
}

/* False: not here. */
static bool emit_dp(struct work *w, const struct arm_op *o, unsigned op, bool s, unsigned kind, u32 imm)
{
	bool carry = s && dp_is_logic(op) && kind != K_IMM && kind != K_REG;
	int b = -1;

	if (!s && dp_is_test(op))
		return true;
	if (carry && kind >= K_LSL_R)
		return false;
	if (!s && kind == K_IMM && op == DP_MOV) {
		define_imm(w, o->rd, imm);
		return true;
	}
	if (!s && kind == K_REG && op == DP_MOV) {
		define(w, o->rd, use(w, o->rm));
		return true;
	}
	if (!s && kind <= K_IMM_C && (op == DP_ADD || op == DP_SUB)) {
		unsigned a = use(w, o->rn);

		h_rm(&w->code, 2, H_LEA, H_AX, h_at(a, (s32)(op == DP_ADD ? imm : -imm)));
		define(w, o->rd, H_AX);
		return true;
	}
	if (kind == K_REG)
		b = (int)use(w, o->rm);
	else if (kind >= K_LSL)
		b = (int)shifted(w, o, kind, imm, carry);
	else if (carry) {
		h_rm(&w->code, 2, 0xc6, 0, h_at(H_DI, AT(fc))); /* mov byte */
		h_8(&w->code, imm >> 31);
	}
	dp_result(w, op, o, b, imm);
	if (s)
		keep_flags(w, op);
	else
		w->hf = HF_NONE;
	if (!dp_is_test(op))
		define(w, o->rd, H_AX);
	return true;
}

static bool emit_mul(struct work *w, const struct arm_op *o, unsigned op, bool s)
{
	unsigned m, t;

	if (op > OP_MLA && s)
		return false;
	m = use(w, o->rm);
	t = use(w, o->rs);
	w->hf = HF_NONE;
	if (op <= OP_MLA) {
		h_rr(&w->code, 2, H_MOV_LOAD, H_AX, m);
		h_rr(&w->code, 2, 0x0faf, H_AX, t);
		if (op == OP_MLA)
			h_rr(&w->code, 2, h_alu_load(H_ADD), H_AX, use(w, o->rn));
		define(w, o->rd, H_AX);
		if (s)
			h_rm(&w->code, 3, H_MOV_STORE, H_AX, h_at(H_DI, AT(nz)));
		return true;
	}
	h_rr(&w->code, op >= OP_SMULL ? 3 : 2, op >= OP_SMULL ? 0x63 : H_MOV_LOAD, H_AX, m); /* movsxd, or zero-extended */
	h_rr(&w->code, op >= OP_SMULL ? 3 : 2, op >= OP_SMULL ? 0x63 : H_MOV_LOAD, H_CX, t);
	h_rr(&w->code, 3, 0x0faf, H_AX, H_CX);
	if (op == OP_UMLAL || op == OP_SMLAL) {
		h_rr(&w->code, 2, H_MOV_LOAD, H_CX, use(w, o->rd));
		h_shift(&w->code, 3, H_SHL, H_CX, 32);
		h_rr(&w->code, 2, H_MOV_LOAD, H_DX, use(w, o->rn));
		h_rr(&w->code, 3, h_alu_load(H_OR), H_CX, H_DX);
		h_rr(&w->code, 3, h_alu_load(H_ADD), H_AX, H_CX);
	}
	define(w, o->rn, H_AX);
	h_shift(&w->code, 3, H_SHR, H_AX, 32);
	define(w, o->rd, H_AX);
	return true;
}

/* By BSR; without any bit 63 becomes 32. */
static void emit_clz(struct work *w, const struct arm_op *o)
{
	h_number(&w->code, H_CX, 63);
	h_rr(&w->code, 2, 0x0fbd, H_AX, use(w, o->rm));
	h_rr(&w->code, 2, 0x0f44, H_AX, H_CX); /* cmove */
	h_alu_ri(&w->code, 2, H_XOR, H_AX, 31);
	w->hf = HF_NONE;
	define(w, o->rd, H_AX);
}

/* ---- memory ---- */

/* eax holds the address: rax becomes the host's, or the op leaves. */
static void host_address(struct work *w, const struct arm_op *o, arm_fn *fn, unsigned size, unsigned rw)
{
	struct host_code *e = &w->code;

	h_rr(e, 2, H_MOV_LOAD, H_DX, H_AX);
	h_shift(e, 2, H_SHR, H_DX, 12 - TLB_ENTRY_BITS);
	h_rm(e, 2, h_alu_load(H_XOR), H_DX, h_at(H_DI, AT(tlb.d_mix)));
	h_alu_ri(e, 2, H_AND, H_DX, (s32)((TLB_ARM_SIZE - 1) << TLB_ENTRY_BITS));
	h_rr(e, 2, H_MOV_LOAD, H_CX, H_AX);
	h_alu_ri(e, 2, H_AND, H_CX, (s32)((u32)PAGE_MASK | (size - 1)));
	h_rm(e, 3, h_alu_load(H_OR), H_CX, h_at(H_DI, AT(tlb.ctx)));
	h_rm(e, 3, h_alu_load(H_CMP), H_CX, indexed(H_DX, (s32)(AT(tlb.d) + 8 * (s32)rw)));
	miss_if(w, H_NE, o, fn);
	h_rm(e, 3, h_alu_load(H_ADD), H_AX, indexed(H_DX, AT(tlb.d[0].add)));
	w->hf = HF_NONE;
}

static bool emit_ldst(struct work *w, const struct arm_op *o, arm_fn *fn, unsigned a, unsigned m)
{
	static const u16 load[] = {[LS_LDR] = H_MOV_LOAD, [LS_LDR_PC] = H_MOV_LOAD, [LS_LDRB] = 0x0fb6, [LS_LDRH] = 0x0fb7, [LS_LDRSB] = 0x0fbe, [LS_LDRSH] = 0x0fbf};
	unsigned size = a == LS_LDR || a == LS_STR || a == LS_LDR_PC ? 4 : a == LS_LDRH || a == LS_STRH || a == LS_LDRSH ? 2 : 1;
	bool store = a == LS_STR || a == LS_STRB || a == LS_STRH;
	unsigned base = use(w, o->rn), value = store ? use(w, o->rd) : H_CX;
	struct host_code *e = &w->code;

	if (m == AM_REG) {
		h_rr(e, 2, H_MOV_LOAD, H_AX, use(w, o->rm));
		if (o->rs)
			h_shift(e, 2, H_SHL, H_AX, o->rs);
		h_rr(e, 2, h_alu_load(H_ADD), H_AX, base);
	} else if (m == AM_POST) {
		h_rr(e, 2, H_MOV_LOAD, H_AX, base);
	} else {
		h_rm(e, 2, H_LEA, H_AX, h_at(base, (s32)o->imm));
	}
	host_address(w, o, fn, size, store ? TLB_W : TLB_R);
	if (store) {
		if (size == 2)
			h_8(e, 0x66);
		h_rm(e, size == 1 ? 0 : 2, size == 1 ? 0x88 : H_MOV_STORE, value, h_at(H_AX, 0));
	} else {
		h_rm(e, 2, load[a], H_CX, h_at(H_AX, 0));
	}
	if (m >= AM_PRE) {
		h_rm(e, 2, H_LEA, H_AX, h_at(base, (s32)o->imm));
		define(w, o->rn, H_AX);
	}
	if (a == LS_LDR_PC)
		indirect(w, true);
	else if (!store)
		define(w, o->rd, H_CX);
	return true;
}

static void emit_multiple(struct work *w, const struct arm_op *o, arm_fn *fn, bool store)
{
	unsigned base = use(w, o->rn), i = 0;
	struct host_code *e = &w->code;

	h_rm(e, 2, H_LEA, H_AX, h_at(base, (s8)o->rs));
	h_rr(e, 2, H_MOV_LOAD, H_CX, H_AX);
	h_alu_ri(e, 2, H_AND, H_CX, 0xfff);
	h_alu_ri(e, 2, H_CMP, H_CX, (s32)((u32)PAGE_SIZE - o->rm));
	miss_if(w, H_A, o, fn);
	host_address(w, o, fn, 4, store ? TLB_W : TLB_R);
	for (u32 list = o->imm; list && store; list &= list - 1, i += 4) {
		unsigned at = (unsigned)REG_OFFSET((unsigned)__builtin_ctz(list)), r = H_CX;
		int there = find_held(w, at);

		if (there >= 0)
			r = held_reg[there];
		else
			h_rm(e, 2, H_MOV_LOAD, H_CX, h_at(H_DI, (s32)at));
		h_rm(e, 2, H_MOV_STORE, r, h_at(H_AX, (s32)i));
	}
	if (o->aux) {
		h_rm(e, 2, H_LEA, H_CX, h_at(base, (s32)o->aux));
		define(w, o->rn, H_CX);
	}
	for (u32 list = o->imm; list && !store; list &= list - 1, i += 4) {
		unsigned at = (unsigned)REG_OFFSET((unsigned)__builtin_ctz(list));

		h_rm(e, 2, H_MOV_LOAD, H_CX, h_at(H_AX, (s32)i));
		h_rm(e, 2, H_MOV_STORE, H_CX, h_at(H_DI, (s32)at));
		forget(w, at);
	}
	w->hf = HF_NONE;
}

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
		unless(w, cc, &j, &over);
	if (link)
		link_register(w, 0);
	follow_link(w, o, 0, o->imm);
	if (cc < 14) {
		land_all(w, &j);
		follow_link(w, o, 1, w->b->bytes);
	}
}

static void emit_fused(struct work *w, const struct arm_op *o, const struct shape *s)
{
	emit_dp(w, o, s->a, true, s->b ? K_REG : K_IMM, o->aux);
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
		emit_multiple(w, o, fn, false); /* r15 comes last, in ecx */
	} else {
		h_rr(&w->code, 2, H_MOV_LOAD, H_CX, use(w, o->rm));
	}
	if (type == SHAPE_BLX)
		link_register(w, w->b->mode & ARM_MODE_THUMB);
	indirect(w, type != SHAPE_MOV_PC);
	return true;
}

/* What the op does, by handler fn; false: not here. */
static bool emit_plain(struct work *w, const struct arm_op *o, arm_fn *fn, const struct shape *s)
{
	switch (s->type) {
	case SHAPE_NOP: return true;
	case SHAPE_DP: return emit_dp(w, o, s->a, s->b, s->c, o->imm);
	case SHAPE_LDST: return emit_ldst(w, o, fn, s->a, s->b);
	case SHAPE_MUL: return emit_mul(w, o, s->a, s->b);
	case SHAPE_LDM:
	case SHAPE_STM: emit_multiple(w, o, fn, s->type == SHAPE_STM); return true;
	case SHAPE_BX:
	case SHAPE_BLX:
	case SHAPE_MOV_PC:
	case SHAPE_LDM_PC: return emit_jump(w, o, fn, s->type);
	case SHAPE_BODY: emit_body(w, o); return true;
	case SHAPE_CLZ: emit_clz(w, o); return true;
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
	unless(w, s->a, &j, &over);
	memcpy(before, w->held, sizeof before);
	if (s->type == SHAPE_COND_PC)
		read_pc(w, o);
	done = emit_plain(w, o, o->second, second);
	if (!done)
		leave_to(w, o, o->second);
	land_all(w, &j);
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
		follow_link(w, o, 0, o->imm);
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
