/* Host code of ops: data processing, multiplies, loads and stores. Their handlers in C are in dp.c, mul.c, ldst.c and multi.c. */
#include "cpu_arm/host_work.h"

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
		_Static_assert(offsetof(struct arm_cpu, fv) == offsetof(struct arm_cpu, fc) + 1, "both by one store");
		h_8(&w->code, 0x0f), h_8(&w->code, 0x90 | (w->hf == HF_ADD ? H_B : H_AE)), h_8(&w->code, 0xc1); /* setcc cl */
		h_8(&w->code, 0x0f), h_8(&w->code, 0x90 | H_O), h_8(&w->code, 0xc5);                            /* seto ch */
		h_rm(&w->code, 1, H_MOV_STORE, H_CX, h_at(H_DI, AT(fc)));
	}
	h_rm(&w->code, 3, H_MOV_STORE, H_AX, h_at(H_DI, AT(nz)));
}

/* False: not here. */
bool arm_emit_dp(struct work *w, const struct arm_op *o, unsigned op, bool s, unsigned kind, u32 imm)
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

bool arm_emit_mul(struct work *w, const struct arm_op *o, unsigned op, bool s)
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
void arm_emit_clz(struct work *w, const struct arm_op *o)
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

bool arm_emit_ldst(struct work *w, const struct arm_op *o, arm_fn *fn, unsigned a, unsigned m)
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
		arm_emit_indirect(w, true);
	else if (!store)
		define(w, o->rd, H_CX);
	return true;
}

void arm_emit_multiple(struct work *w, const struct arm_op *o, arm_fn *fn, bool store)
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
