/*
 * See host.h. An op is known by its handler: a table maps handlers back to what they do. rdi holds the CPU all the time, as in handlers; rax, rcx, rdx
 * are scratch; the others that a function may change hold guest registers.
 */
#include "cpu_arm/host.h"

#include <stdlib.h>

#include "cpu_arm/decode.h"
#include "cpu_arm/emit.h"
#include "cpu_arm/exec.h"

#define SHAPES     4096 /* of the hash table */
#define BLOCK_ROOM 16384 /* bytes that a block's code may have */
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
static const u8 held_reg[HELD] = {R8, R9, R10, R11, RSI};
#define NOBODY 0xff
enum host_flags { HF_NONE, HF_SUB, HF_ADD, HF_LOGIC }; /* what the host's flags are of */

struct work {
	struct emit e;
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
		e_rm(&w->e, false, X_MOV, r, RDI, (s32)at, false);
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

	e_rm(&w->e, false, X_STORE, from, RDI, (s32)at, false);
	r = take_slot(w, at);
	if (r != from)
		e_rr(&w->e, false, X_MOV, r, from);
}

static void define_imm(struct work *w, unsigned at, u32 v)
{
	unsigned r = take_slot(w, at);

	e_mov_ri_quiet(&w->e, r, v);
	e_rm(&w->e, false, X_STORE, r, RDI, (s32)at, false);
}

/* From here op o is its handler's. */
static void leave_to(struct work *w, const struct arm_op *o, arm_fn *fn)
{
	e_rip(&w->e, true, 0x8d, RSI, o);
	e_jmp(&w->e, (const void *)fn);
}

static void miss_if(struct work *w, unsigned cc, const struct arm_op *o, arm_fn *fn)
{
	w->miss[w->misses].jump = e_jcc(&w->e, cc);
	w->miss[w->misses].op = o;
	w->miss[w->misses++].fn = fn;
}

/* ---- going on ---- */

/* Through link k of o's block, whose start is dist from this one's. */
static void follow_link(struct work *w, const struct arm_op *o, unsigned k, u32 dist)
{
	struct emit *e = &w->e;
	u8 *unlinked, *failed;

	if (!dist) { /* this block again */
		e_rm(e, true, 0x81, 5, RDI, AT(budget), false);
		e32(e, (u32)w->b->n);
		failed = e_jcc(e, CC_S);
		e_jmp(e, w->start);
		e_land(failed, e->p);
		e_rip(e, true, 0x8d, RSI, w->b);
		e_jmp(e, (const void *)arm_enter_failed);
		return;
	}
	e_mi(e, X_ADD, RDI, AT(pc), dist);
	e_rip(e, true, X_MOV, RAX, &w->b->link[k]);
	e_rr(e, true, 0x85, RAX, RAX);
	unlinked = e_jcc(e, CC_E);
	e_rm(e, true, 0x63, RCX, RAX, offsetof(struct arm_block, n), false);
	e_rm(e, true, 0x29, RCX, RDI, AT(budget), false);
	failed = e_jcc(e, CC_S);
	e_rm(e, true, 0x8d, RSI, RAX, offsetof(struct arm_block, op), false);
	e_rm(e, false, 0xff, 4, RAX, offsetof(struct arm_block, op[0].exec), false);
	e_land(unlinked, e->p);
	e_rip(e, true, 0x8d, RSI, o);
	e_mov_ri(e, RDX, k);
	e_jmp(e, (const void *)arm_link);
	e_land(failed, e->p);
	e_rip(e, true, 0x8d, RSI, o);
	e_mov_ri(e, RDX, k);
	e_jmp(e, (const void *)arm_link_failed);
}

/* To the address in ecx, as jump_to and jump_exchange do. */
static void indirect(struct work *w, bool exchange)
{
	struct emit *e = &w->e;
	bool thumb = w->b->mode & ARM_MODE_THUMB;
	u8 *other = NULL, *miss, *miss2, *failed;
	const s32 jump = AT(jump);

	if (exchange) {
		e8(e, 0xf6), e8(e, 0xc1), e8(e, 1); /* test cl, 1 */
		other = e_jcc(e, thumb ? CC_E : CC_NE);
	}
	e_ri(e, X_AND, RCX, thumb ? ~1u : ~3u);
	e_rr(e, false, X_MOV, RAX, RCX);
	e_shift(e, false, SH_SHR, RAX, 1);
	e_rr(e, false, X_MOV, RDX, RCX);
	e_shift(e, false, SH_SHR, RDX, ARM_JUMP_BITS);
	e_rr(e, false, X_XOR, RAX, RDX);
	e_ri(e, X_AND, RAX, (1u << ARM_JUMP_BITS) - 1);
	e_shift(e, false, SH_SHL, RAX, 5);
	_Static_assert(sizeof(struct arm_jump_entry) == 1 << 5, "the shift above");
	e_rmx(e, true, X_CMP, RCX, RDI, RAX, jump + (s32)offsetof(struct arm_jump_entry, va));
	miss = e_jcc(e, CC_NE);
	e_rmx(e, true, X_MOV, RDX, RDI, RAX, jump + (s32)offsetof(struct arm_jump_entry, key));
	e_rm(e, true, X_CMP, RDX, RDI, AT(jump_key), false);
	miss2 = e_jcc(e, CC_NE);
	e_rm(e, false, X_STORE, RCX, RDI, AT(pc), false);
	e_rmx(e, true, X_MOV, RAX, RDI, RAX, jump + (s32)offsetof(struct arm_jump_entry, block));
	e_rm(e, true, 0x63, RCX, RAX, offsetof(struct arm_block, n), false);
	e_rm(e, true, 0x29, RCX, RDI, AT(budget), false);
	failed = e_jcc(e, CC_S);
	e_rm(e, true, 0x8d, RSI, RAX, offsetof(struct arm_block, op), false);
	e_rm(e, false, 0xff, 4, RAX, offsetof(struct arm_block, op[0].exec), false);
	e_land(failed, e->p);
	e_rr(e, true, X_MOV, RSI, RAX);
	e_jmp(e, (const void *)arm_enter_failed);
	e_land(miss, e->p);
	e_land(miss2, e->p);
	e_rr(e, false, X_MOV, RSI, RCX);
	e_jmp(e, (const void *)arm_jump_miss);
	if (other) {
		e_land(other, e->p);
		e_rr(e, false, X_MOV, RSI, RCX);
		e_jmp(e, (const void *)arm_exchange);
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
	static const s8 sub[14] = {CC_E, CC_NE, CC_AE, CC_B, CC_S, CC_NS, CC_O, CC_NO, CC_A, CC_BE, CC_GE, CC_L, CC_G, CC_LE};

	switch (hf) {
	case HF_SUB: return sub[cc];
	case HF_ADD: return cc == 2 ? CC_B : cc == 3 ? CC_AE : cc == 8 || cc == 9 ? -1 : sub[cc];
	case HF_LOGIC: return cc < 2 || cc == 4 || cc == 5 ? sub[cc] : -1;
	default: return -1;
	}
}

static void add_jump(struct work *w, struct jumps *j, unsigned cc) { j->at[j->n++] = e_jcc(&w->e, cc); }

/* N is bit 31 of eax. */
static void load_n(struct work *w)
{
	e_rm(&w->e, false, X_MOV, RAX, RDI, AT(nz), false);
	e_rm(&w->e, false, X_OR, RAX, RDI, AT(nz) + 4, false);
}

/* N compared with V: the flags are those of an equality. */
static void compare_n_v(struct work *w)
{
	load_n(w);
	e_shift(&w->e, false, SH_SHR, RAX, 31);
	e_rm(&w->e, false, 0x3a, RAX, RDI, AT(fv), false); /* cmp al, fv */
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
		e_mi(&w->e, X_CMP, RDI, AT(nz), 0);
		add_jump(w, j, cc ? CC_E : CC_NE);
		break;
	case 2:
	case 3:
		e_cmp_byte(&w->e, RDI, AT(fc), 0);
		add_jump(w, j, cc & 1 ? CC_NE : CC_E);
		break;
	case 4:
	case 5:
		load_n(w);
		add_jump(w, j, cc & 1 ? CC_S : CC_NS);
		break;
	case 6:
	case 7:
		e_cmp_byte(&w->e, RDI, AT(fv), 0);
		add_jump(w, j, cc & 1 ? CC_NE : CC_E);
		break;
	case 8: /* HI: C and not Z */
		e_cmp_byte(&w->e, RDI, AT(fc), 0);
		add_jump(w, j, CC_E);
		e_mi(&w->e, X_CMP, RDI, AT(nz), 0);
		add_jump(w, j, CC_E);
		break;
	case 9:
		e_cmp_byte(&w->e, RDI, AT(fc), 0);
		*over = e_jcc(&w->e, CC_E);
		e_mi(&w->e, X_CMP, RDI, AT(nz), 0);
		add_jump(w, j, CC_NE);
		break;
	case 10:
	case 11:
		compare_n_v(w);
		add_jump(w, j, cc & 1 ? CC_E : CC_NE);
		break;
	case 12:
		e_mi(&w->e, X_CMP, RDI, AT(nz), 0);
		add_jump(w, j, CC_E);
		compare_n_v(w);
		add_jump(w, j, CC_NE);
		break;
	default:
		e_mi(&w->e, X_CMP, RDI, AT(nz), 0);
		*over = e_jcc(&w->e, CC_E);
		compare_n_v(w);
		add_jump(w, j, CC_E);
	}
	if (*over)
		e_land(*over, w->e.p);
}

static void land_all(struct work *w, const struct jumps *j)
{
	for (unsigned i = 0; i < j->n; i++)
		e_land(j->at[i], w->e.p);
}

/* ---- data processing ---- */

static bool is_logic(unsigned op) { return 0xf303u >> op & 1; }
static bool is_test(unsigned op) { return op >= DP_TST && op <= DP_CMN; }

/* The second operand, shifted, into ecx or edx; carry: the shifter's goes to fc. */
static unsigned shifted(struct work *w, const struct arm_op *o, unsigned kind, u32 n, bool carry)
{
	static const u8 sh[] = {[K_LSL] = SH_SHL, [K_LSR] = SH_SHR, [K_ASR] = SH_SAR, [K_ROR] = SH_ROR, [K_LSL_R] = SH_SHL, [K_LSR_R] = SH_SHR,
	                        [K_ASR_R] = SH_SAR, [K_ROR_R] = SH_ROR};
	struct emit *e = &w->e;
	unsigned rm = use(w, o->rm), rs;

	if (kind >= K_LSL_R) {
		rs = use(w, o->rs);
		e_rr(e, false, X_MOV, RCX, rs);
		e_rr(e, false, X_MOV, RDX, rm);
		if (kind == K_ASR_R) { /* 32 and more: 31 */
			e_rr(e, false, 0x0fb6, RCX, RCX);
			e_mov_ri_quiet(e, RAX, 31);
			e_rr(e, false, X_CMP, RCX, RAX);
			e_rr(e, false, 0x0f47, RCX, RAX); /* cmova */
		}
		e_shift_cl(e, sh[kind], RDX);
		if (kind == K_LSL_R || kind == K_LSR_R) { /* 32 and more: 0 */
			e8(e, 0x80), e8(e, 0xf9), e8(e, 32); /* cmp cl, 32 */
			e_rr(e, false, X_SBB, RAX, RAX);
			e_rr(e, false, X_AND, RDX, RAX);
		}
		return RDX;
	}
	e_rr(e, false, X_MOV, RCX, rm);
	if (kind == K_RRX) {
		e_rm(e, false, 0x0fba, 4, RDI, AT(fc), false); /* bt */
		e8(e, 0);
		e_shift(e, false, SH_RCR, RCX, 1);
		if (carry)
			e_set(e, CC_B, RDI, AT(fc));
		return RCX;
	}
	if (carry) {
		e_rr(e, false, 0x0fba, 4, RCX);
		e8(e, kind == K_LSL ? 32 - n : n - 1);
		e_set(e, CC_B, RDI, AT(fc));
	}
	if (n == 32 && kind == K_LSR)
		e_mov_ri(e, RCX, 0);
	else
		e_shift(e, false, sh[kind], RCX, n == 32 ? 31 : n);
	return RCX;
}

/* eax op= b, an immediate if reg < 0. */
static void alu(struct work *w, unsigned x, int reg, u32 imm)
{
	if (reg < 0)
		e_ri(&w->e, x, RAX, imm);
	else
		e_rr(&w->e, false, x, RAX, (unsigned)reg);
}
static void move(struct work *w, int reg, u32 imm)
{
	if (reg < 0)
		e_mov_ri_quiet(&w->e, RAX, imm);
	else
		e_rr(&w->e, false, X_MOV, RAX, (unsigned)reg);
}

static void carry_in(struct work *w, bool borrow)
{
	e_rm(&w->e, false, 0x0fba, 4, RDI, AT(fc), false); /* bt dword [fc], 0 */
	e8(&w->e, 0);
	if (borrow)
		e8(&w->e, 0xf5); /* cmc */
}

/* The result into eax. */
static void dp_result(struct work *w, unsigned op, const struct arm_op *o, int b, u32 imm)
{
	static const u8 x[16] = {[DP_AND] = X_AND, [DP_TST] = X_AND, [DP_EOR] = X_XOR, [DP_TEQ] = X_XOR, [DP_ORR] = X_OR, [DP_ADD] = X_ADD, [DP_CMN] = X_ADD,
	                         [DP_SUB] = X_SUB, [DP_CMP] = X_SUB, [DP_RSB] = X_SUB, [DP_ADC] = X_ADC, [DP_SBC] = X_SBB, [DP_RSC] = X_SBB};
	int a = op == DP_MOV || op == DP_MVN ? -1 : (int)use(w, o->rn);

	w->hf = op == DP_ADD || op == DP_CMN || op == DP_ADC ? HF_ADD : is_logic(op) ? HF_LOGIC : HF_SUB;
	switch (op) {
	case DP_MOV: move(w, b, imm); w->hf = HF_NONE; return;
	case DP_MVN:
		move(w, b, ~imm);
		if (b >= 0)
			e_rr(&w->e, false, 0xf7, 2, RAX); /* not */
		w->hf = HF_NONE;
		return;
	case DP_BIC:
		if (b >= 0) {
			e_rr(&w->e, false, X_MOV, RAX, (unsigned)b);
			e_rr(&w->e, false, 0xf7, 2, RAX);
			e_rr(&w->e, false, X_AND, RAX, (unsigned)a);
		} else {
			move(w, a, 0);
			alu(w, X_AND, -1, ~imm);
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
	if (!is_logic(op)) {
		e_set(&w->e, w->hf == HF_ADD ? CC_B : CC_AE, RDI, AT(fc));
		e_set(&w->e, CC_O, RDI, AT(fv));
	}
	e_rm(&w->e, true, X_STORE, RAX, RDI, AT(nz), false);
}

/* False: not here. */
static bool emit_dp(struct work *w, const struct arm_op *o, unsigned op, bool s, unsigned kind, u32 imm)
{
	bool carry = s && is_logic(op) && kind != K_IMM && kind != K_REG;
	int b = -1;

	if (!s && is_test(op))
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

		e_rm(&w->e, false, 0x8d, RAX, a, (s32)(op == DP_ADD ? imm : -imm), false);
		define(w, o->rd, RAX);
		return true;
	}
	if (kind == K_REG)
		b = (int)use(w, o->rm);
	else if (kind >= K_LSL)
		b = (int)shifted(w, o, kind, imm, carry);
	else if (carry) {
		e_rm(&w->e, false, 0xc6, 0, RDI, AT(fc), false); /* mov byte */
		e8(&w->e, imm >> 31);
	}
	dp_result(w, op, o, b, imm);
	if (s)
		keep_flags(w, op);
	else
		w->hf = HF_NONE;
	if (!is_test(op))
		define(w, o->rd, RAX);
	return true;
}

static bool emit_mul(struct work *w, const struct arm_op *o, unsigned op, bool s)
{
	unsigned m, t;

	if (op == 3 || op == 5 || (op > 1 && s))
		return false;
	m = use(w, o->rm);
	t = use(w, o->rs);
	w->hf = HF_NONE;
	if (op <= 1) {
		e_rr(&w->e, false, X_MOV, RAX, m);
		e_rr(&w->e, false, 0x0faf, RAX, t);
		if (op)
			e_rr(&w->e, false, X_ADD, RAX, use(w, o->rn));
		define(w, o->rd, RAX);
		if (s) {
			e_rm(&w->e, true, X_STORE, RAX, RDI, AT(nz), false);
		}
		return true;
	}
	e_rr(&w->e, op == 4, op == 4 ? 0x63 : X_MOV, RAX, m); /* movsxd, or zero-extended */
	e_rr(&w->e, op == 4, op == 4 ? 0x63 : X_MOV, RCX, t);
	e_rr(&w->e, true, 0x0faf, RAX, RCX);
	define(w, o->rn, RAX);
	e_shift(&w->e, true, SH_SHR, RAX, 32);
	define(w, o->rd, RAX);
	return true;
}

/* ---- memory ---- */

/* eax holds the address: rax becomes the host's, or the op leaves. */
static void host_address(struct work *w, const struct arm_op *o, arm_fn *fn, unsigned size, unsigned rw)
{
	struct emit *e = &w->e;

	e_rr(e, false, X_MOV, RDX, RAX);
	e_shift(e, false, SH_SHR, RDX, 12 - TLB_ENTRY_BITS);
	e_rm(e, false, X_XOR, RDX, RDI, AT(tlb.d_mix), false);
	e_ri(e, X_AND, RDX, (TLB_ARM_SIZE - 1) << TLB_ENTRY_BITS);
	e_rr(e, false, X_MOV, RCX, RAX);
	e_ri(e, X_AND, RCX, (u32)PAGE_MASK | (size - 1));
	e_rm(e, true, X_OR, RCX, RDI, AT(tlb.ctx), false);
	e_rmx(e, true, X_CMP, RCX, RDI, RDX, (s32)(AT(tlb.d) + 8 * (s32)rw));
	miss_if(w, CC_NE, o, fn);
	e_rmx(e, true, X_ADD, RAX, RDI, RDX, AT(tlb.d[0].add));
	w->hf = HF_NONE;
}

static bool emit_ldst(struct work *w, const struct arm_op *o, arm_fn *fn, unsigned a, unsigned m)
{
	static const u16 load[] = {[LS_LDR] = X_MOV, [LS_LDR_PC] = X_MOV, [LS_LDRB] = 0x0fb6, [LS_LDRH] = 0x0fb7, [LS_LDRSB] = 0x0fbe, [LS_LDRSH] = 0x0fbf};
	unsigned size = a == LS_LDR || a == LS_STR || a == LS_LDR_PC ? 4 : a == LS_LDRH || a == LS_STRH || a == LS_LDRSH ? 2 : 1;
	bool store = a == LS_STR || a == LS_STRB || a == LS_STRH;
	unsigned base = use(w, o->rn), value = store ? use(w, o->rd) : RCX;
	struct emit *e = &w->e;

	if (m == AM_REG) {
		e_rr(e, false, X_MOV, RAX, use(w, o->rm));
		if (o->rs)
			e_shift(e, false, SH_SHL, RAX, o->rs);
		e_rr(e, false, X_ADD, RAX, base);
	} else if (m == AM_POST) {
		e_rr(e, false, X_MOV, RAX, base);
	} else {
		e_rm(e, false, 0x8d, RAX, base, (s32)o->imm, false);
	}
	host_address(w, o, fn, size, store ? TLB_W : TLB_R);
	if (store) {
		if (size == 2)
			e8(e, 0x66);
		e_rm(e, false, size == 1 ? 0x88 : X_STORE, value, RAX, 0, size == 1);
	} else {
		e_rm(e, false, load[a], RCX, RAX, 0, false);
	}
	if (m >= AM_PRE) {
		e_rm(e, false, 0x8d, RAX, base, (s32)o->imm, false);
		define(w, o->rn, RAX);
	}
	if (a == LS_LDR_PC)
		indirect(w, true);
	else if (!store)
		define(w, o->rd, RCX);
	return true;
}

static void emit_multiple(struct work *w, const struct arm_op *o, arm_fn *fn, bool store)
{
	unsigned base = use(w, o->rn), i = 0;
	struct emit *e = &w->e;

	e_rm(e, false, 0x8d, RAX, base, (s8)o->rs, false);
	e_rr(e, false, X_MOV, RCX, RAX);
	e_ri(e, X_AND, RCX, 0xfff);
	e_ri(e, X_CMP, RCX, (u32)PAGE_SIZE - o->rm);
	miss_if(w, CC_A, o, fn);
	host_address(w, o, fn, 4, store ? TLB_W : TLB_R);
	for (u32 list = o->imm; list && store; list &= list - 1, i += 4) {
		unsigned at = (unsigned)REG_OFFSET((unsigned)__builtin_ctz(list)), r = RCX;
		int there = find_held(w, at);

		if (there >= 0)
			r = held_reg[there];
		else
			e_rm(e, false, X_MOV, RCX, RDI, (s32)at, false);
		e_rm(e, false, X_STORE, r, RAX, (s32)i, false);
	}
	if (o->aux) {
		e_rm(e, false, 0x8d, RCX, base, (s32)o->aux, false);
		define(w, o->rn, RCX);
	}
	for (u32 list = o->imm; list && !store; list &= list - 1, i += 4) {
		unsigned at = (unsigned)REG_OFFSET((unsigned)__builtin_ctz(list));

		e_rm(e, false, X_MOV, RCX, RAX, (s32)i, false);
		e_rm(e, false, X_STORE, RCX, RDI, (s32)at, false);
		forget(w, at);
	}
	w->hf = HF_NONE;
}

/* ---- ops ---- */

static void link_register(struct work *w, u32 bit)
{
	unsigned pc = use(w, PC_OFFSET);

	e_rm(&w->e, false, 0x8d, RAX, pc, (s32)(w->b->bytes | bit), false);
	e_rm(&w->e, false, X_STORE, RAX, RDI, (s32)REG_OFFSET(14), false);
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
		e_rr(&w->e, false, 0x85, RAX, RAX);
		w->hf = HF_LOGIC;
	}
	emit_branch(w, o, s->c, false);
}

/* A call; a body may unwind, and may kill the block by a store. */
static void emit_body(struct work *w, const struct arm_op *o)
{
	struct emit *e = &w->e;

	e_rip(e, true, 0x8d, RSI, o);
	e_rm(e, true, X_STORE, RSI, RDI, AT(op), false);
	e8(e, 0x57); /* push rdi */
	e8(e, 0xe8); /* call */
	e32(e, (u32)((const u8 *)(const void *)arm_bodies[o->body] - (e->p + 4)));
	e8(e, 0x5f); /* pop rdi */
	e_rip(e, false, X_MOV, RAX, &w->b->n);
	e_ri(e, X_CMP, RAX, BLOCK_DEAD);
	miss_if(w, CC_E, o + 1, NULL);
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
		e_rr(&w->e, false, X_MOV, RCX, use(w, o->rm));
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
	case SHAPE_CLZ: return false;
	default: return false;
	}
}

static void read_pc(struct work *w, const struct arm_op *o)
{
	unsigned pc = use(w, PC_OFFSET);

	e_rm(&w->e, false, 0x8d, RAX, pc, (s32)o->aux, false);
	define(w, (unsigned)REG_OFFSET(15), RAX);
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
	struct work w = {.e = {h->p, h->end}, .b = b, .start = h->p};
	bool more = true;

	memset(w.held, NOBODY, sizeof w.held);
	for (unsigned i = 0; i < b->ops && more; i++)
		more = emit_op(&w, h, &b->op[i], i ? b->op[i].exec : b->first);
	if (more)
		leave_to(&w, &b->op[b->ops], b->op[b->ops].exec);
	for (unsigned i = 0; i < w.misses; i++) {
		e_land(w.miss[i].jump, w.e.p);
		if (w.miss[i].fn) {
			leave_to(&w, w.miss[i].op, w.miss[i].fn);
			continue;
		}
		e_rip(&w.e, true, 0x8d, RSI, w.miss[i].op);
		e_rm(&w.e, false, 0xff, 4, RSI, offsetof(struct arm_op, exec), false);
	}
	if (w.e.p >= w.e.end)
		return; /* cannot be: arm_host_full */
	h->p = (u8 *)(((uintptr_t)w.e.p + 15) & ~(uintptr_t)15);
	b->op[0].exec = (arm_fn *)(void *)w.start;
}
