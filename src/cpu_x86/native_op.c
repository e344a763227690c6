/*
 * The host instructions of each native op (native.h). Each writes the guest's registers last: before that, a miss of
 * the TLB leaves to the ordinary handler with everything as it was.
 */
#include "cpu_x86/native.h"

/* ---- flags ---- */

void x86_native_keep_flags(struct native *n, unsigned i)
{
	n->eflags = n->flags_seen[i];
	n->flags = DEAD;
	if (!n->flags_seen[i])
		return;
	h_flags_save(&n->h);
	n->flags = IN_AX;
}

/* The host's flags are the guest's, for a condition. */
static void want_flags(struct native *n)
{
	if (n->eflags)
		return;
	x86_native_flags_load(n);
	h_flags_restore(&n->h);
	n->eflags = true;
}

/* The host's CF is the guest's. */
static void want_carry(struct native *n)
{
	if (n->eflags)
		return;
	x86_native_flags_load(n);
	h_carry_restore(&n->h);
}

/* ---- memory ---- */

/* The op's address as a host operand; RDX may be used for it. */
static struct host_mem address(struct native *n, const struct x86_op *o)
{
	struct host_mem m = {H_NONE, H_NONE, (u8)op_scale(o), o->disp};

	if (o->base == REG_OFFSET(R_RIP)) {
		h_load(&n->h, 3, H_DX, h_at(H_DI, CPU_AT(r[R_RIP])));
		m.base = H_DX;
	} else if (o->base != REG_OFFSET(R_ZERO)) {
		m.base = (u8)x86_native_use(n, o->base >> 3);
	}
	if (o->index != REG_OFFSET(R_ZERO))
		m.index = (u8)x86_native_use(n, o->index >> 3);
	return m;
}

/* RDX = the host address of the size bytes at guest address RDX; RCX and RSI are used. See x86_host in exec.h. */
static void translate(struct native *n, unsigned i, unsigned size, unsigned rw)
{
	struct host_code *h = &n->h;
	s64 entry = CPU_AT(tlb.d);

	h_rr(h, 2, H_MOV_STORE, H_DX, H_CX);
	h_shift(h, 2, H_SHR, H_CX, 12 - TLB_ENTRY_BITS);
	h_rm(h, 2, 0x33, H_CX, h_at(H_DI, CPU_AT(tlb.d_mix)));
	h_alu_ri(h, 2, H_AND, H_CX, (s64)(TLB_SIZE - 1) << TLB_ENTRY_BITS);
	h_rm(h, 3, H_LEA, H_SI, h_at(H_DX, size - 1));
	h_alu_ri(h, 3, H_AND, H_SI, (s64)PAGE_MASK);
	h_rm(h, 3, 0x0b, H_SI, h_at(H_DI, CPU_AT(tlb.ctx)));
	h_rm(h, 3, 0x3b, H_SI, (struct host_mem){H_DI, H_CX, 0, (s32)(entry + 8 * rw)});
	x86_native_cold_jump(n, h_jump_if(h, 5), i, -1, NULL);
	h_rm(h, 3, 0x03, H_DX, (struct host_mem){H_DI, H_CX, 0, (s32)(entry + (s64)offsetof(struct tlb_entry, add))});
	n->eflags = false;
}

struct host_mem x86_native_operand(struct native *n, unsigned i, unsigned size, unsigned rw)
{
	const struct x86_op *o = &n->b->op[i];
	struct host_code *h = &n->h;
	bool segmented = n->form[i].am == AM_S;
	struct host_mem m = address(n, o);

	h_rm(h, op_asize(o) == 1 ? 2 : 3, H_LEA, H_DX, m);
	if (segmented) {
		s64 limit = (rw == TLB_W ? CPU_AT(swlim) : CPU_AT(srlim)) + op_seg(o) * 8;

		h_rm(h, 3, H_LEA, H_CX, h_at(H_DX, size));
		h_rm(h, 3, 0x3b, H_CX, h_at(H_DI, limit));
		x86_native_cold_jump(n, h_jump_if(h, 7), i, -1, NULL);
		h_rm(h, 3, 0x03, H_DX, h_at(H_DI, CPU_AT(sbase) + op_seg(o) * 8));
		if ((n->b->mode & MODE_SIZE) != MODE_64)
			h_rr(h, 2, H_MOV_STORE, H_DX, H_DX);
	}
	if (n->form[i].align) {
		h_8(h, 0xf6), h_8(h, 0xc2), h_8(h, size - 1); /* TEST DL,size - 1 */
		x86_native_cold_jump(n, h_jump_if(h, 5), i, -1, NULL);
	}
	translate(n, i, size, rw);
	return h_at(H_DX, 0);
}

/* ---- data ---- */

/* Destination of a write of the op's width: narrow ones keep the rest of the register. */
static unsigned target(struct native *n, unsigned w, unsigned offset)
{
	return w >= 2 ? x86_native_set(n, offset >> 3) : x86_native_change(n, offset >> 3);
}
static unsigned source(struct native *n, unsigned offset) { return x86_native_use(n, offset >> 3); }

static void mov(struct native *n, unsigned i)
{
	const struct x86_op *o = &n->b->op[i];
	const struct native_form *f = &n->form[i];
	unsigned w = f->w, r;
	struct host_mem m;

	if (f->kind == NATIVE_MOV_OI || (f->kind == NATIVE_MOV_EI && f->am == NATIVE_REG)) {
		u64 v = f->kind == NATIVE_MOV_OI ? o->imm64 : (u64)(s64)o->imm;

		r = target(n, w, o->dst);
		if (w >= 2) {
			h_number(&n->h, r, w == 2 ? (u32)v : v);
		} else {
			h_rr(&n->h, w, h_sized(w, 0xc7), 0, r);
			h_imm(&n->h, w, v);
		}
	} else if (f->am == NATIVE_REG) {
		r = source(n, o->src);
		h_rr(&n->h, w, h_sized(w, H_MOV_STORE), r, target(n, w, o->dst));
	} else if (f->kind == NATIVE_MOV_GE) {
		m = x86_native_operand(n, i, 1u << w, TLB_R);
		h_load(&n->h, w, target(n, w, o->dst), m);
	} else if (f->kind == NATIVE_MOV_EG) {
		r = source(n, o->src);
		h_store(&n->h, w, r, x86_native_operand(n, i, 1u << w, TLB_W));
	} else {
		h_rm(&n->h, w, h_sized(w, 0xc7), 0, x86_native_operand(n, i, 1u << w, TLB_W));
		h_imm(&n->h, w, (u64)(s64)o->imm);
	}
}

static void alu(struct native *n, unsigned i)
{
	const struct x86_op *o = &n->b->op[i];
	const struct native_form *f = &n->form[i];
	unsigned w = f->w, r;
	enum host_alu op = f->code;
	bool writes = op != H_CMP && op != H_TEST, carry = op == H_ADC || op == H_SBB;
	struct host_mem m = {0};

	if (f->am != NATIVE_REG) {
		if (f->kind != NATIVE_ALU_EI)
			source(n, f->kind == NATIVE_ALU_GE
					  ? o->dst
					  : o->src); /* loads change no flags, but come before the cold jump */
		m = x86_native_operand(n, i, 1u << w, writes && f->kind != NATIVE_ALU_GE ? TLB_W : TLB_R);
	} else if (f->kind != NATIVE_ALU_EI) {
		source(n, o->src);
		source(n, o->dst);
	} else {
		source(n, o->dst);
	}
	if (carry)
		want_carry(n);
	if (f->kind == NATIVE_ALU_EI) {
		if (f->am == NATIVE_REG)
			h_alu_ri(&n->h, w, op, writes ? x86_native_change(n, o->dst >> 3) : source(n, o->dst), o->imm);
		else
			h_alu_mi(&n->h, w, op, m, o->imm);
	} else if (f->am == NATIVE_REG) {
		r = source(n, o->src);
		h_rr(&n->h, w, h_sized(w, h_alu_store(op)), r,
		     writes ? x86_native_change(n, o->dst >> 3) : source(n, o->dst));
	} else if (f->kind == NATIVE_ALU_GE) {
		r = writes ? x86_native_change(n, o->dst >> 3) : source(n, o->dst);
		h_rm(&n->h, w, h_sized(w, h_alu_load(op)), r, m);
	} else {
		h_rm(&n->h, w, h_sized(w, h_alu_store(op)), source(n, o->src), m);
	}
	x86_native_keep_flags(n, i);
}

static void unary(struct native *n, unsigned i)
{
	static const struct {
		u8 opcode, digit;
	} code[] = {{0xff, 0}, {0xff, 1}, {0xf7, 2}, {0xf7, 3}};
	const struct x86_op *o = &n->b->op[i];
	const struct native_form *f = &n->form[i];
	unsigned op = h_sized(f->w, code[f->code].opcode);
	struct host_mem m = {0};

	if (f->am == NATIVE_REG)
		x86_native_change(n, o->dst >> 3);
	else
		m = x86_native_operand(n, i, 1u << f->w, TLB_W);
	if (f->keeps_some && f->sets_flags && n->flags_seen[i])
		want_carry(n);
	if (f->am == NATIVE_REG)
		h_rr(&n->h, f->w, op, code[f->code].digit, n->host[o->dst >> 3]);
	else
		h_rm(&n->h, f->w, op, code[f->code].digit, m);
	if (f->sets_flags)
		x86_native_keep_flags(n, i);
}

static void lea(struct native *n, unsigned i)
{
	const struct x86_op *o = &n->b->op[i];
	unsigned w = n->form[i].w;
	struct host_mem m = address(n, o);

	if (op_asize(o) == 1 && w == 3)
		w = 2; /* the sum is cut to 32 bits */
	h_rm(&n->h, w, H_LEA, target(n, w, o->dst), m);
}

static void widen(struct native *n, unsigned i)
{
	const struct x86_op *o = &n->b->op[i];
	const struct native_form *f = &n->form[i];
	unsigned op = f->code == 0x63 ? 0x63u : 0x0f00u | f->code, r;
	struct host_mem m;

	if (f->am == NATIVE_REG) {
		r = source(n, o->src);
		h_rr(&n->h, f->w, op, target(n, f->w, o->dst), r);
	} else {
		m = x86_native_operand(n, i, 1u << f->from, TLB_R);
		h_rm(&n->h, f->w, op, target(n, f->w, o->dst), m);
	}
}

/* OF of shifts by more than 1: see shift.c. AF is cleared, whatever the host does. */
static void shift(struct native *n, unsigned i)
{
	const struct x86_op *o = &n->b->op[i];
	const struct native_form *f = &n->form[i];
	struct host_code *h = &n->h;
	unsigned r = x86_native_change(n, o->dst >> 3), count = (unsigned)o->imm & (f->w == 3 ? 63 : 31);

	h_shift(h, f->w, f->code, r, count);
	x86_native_keep_flags(n, i);
	if (!n->flags_seen[i])
		return;
	if (f->code == NATIVE_SHL && count > 1) {
		h_rr(h, 2, H_MOV_STORE, H_AX, H_CX);
		h_shift(h, 2, H_SHR, H_CX, 15); /* SF is bit 0 */
		h_8(h, 0x30), h_8(h, 0xe1);            /* XOR CL,AH: OF = SF ^ CF */
		h_8(h, 0x80), h_8(h, 0xe1), h_8(h, 1); /* AND CL,1 */
		h_8(h, 0x88), h_8(h, 0xc8);            /* MOV AL,CL */
	} else if (f->code == NATIVE_SAR || count > 1) {
		h_8(h, 0xb0), h_8(h, 0); /* MOV AL,0 */
	}
	h_8(h, 0x80), h_8(h, 0xe4), h_8(h, 0xef); /* AND AH,~AF */
	n->eflags = false;
}

static void shift_cl(struct native *n, unsigned i)
{
	const struct native_form *f = &n->form[i];
	unsigned r = x86_native_change(n, n->b->op[i].dst >> 3);

	h_rr(&n->h, 2, H_MOV_STORE, x86_native_use(n, R_CX), H_CX);
	h_shift_cl(&n->h, f->w, f->code, r);
	if (f->w == 2)
		h_rr(&n->h, 2, H_MOV_STORE, r, r); /* a count of 0 clears the upper half, too */
	n->flags = DEAD;
	n->eflags = false;
}

/* CF = OF = the product does not fit; the other flags follow it: see alu.c. */
static void imul(struct native *n, unsigned i)
{
	const struct x86_op *o = &n->b->op[i];
	const struct native_form *f = &n->form[i];
	struct host_code *h = &n->h;
	bool two = f->kind == NATIVE_IMUL2, seen = n->flags_seen[i];
	unsigned op = two ? 0x0faf : 0x69, r;
	struct host_mem m = {0};

	if (two)
		source(n, o->dst);
	if (f->am == NATIVE_REG)
		source(n, o->src);
	else
		m = x86_native_operand(n, i, 1u << f->w, TLB_R);
	r = two || f->w < 2 ? x86_native_change(n, o->dst >> 3) : x86_native_set(n, o->dst >> 3);
	if (f->am == NATIVE_REG)
		h_rr(h, f->w, op, r, n->host[o->src >> 3]);
	else
		h_rm(h, f->w, op, r, m);
	if (!two)
		h_imm(h, f->w, (u64)(s64)o->imm);
	n->eflags = false;
	n->flags = seen ? IN_AX : DEAD;
	if (!seen)
		return;
	h_8(h, 0x0f), h_8(h, 0x90), h_8(h, 0xc0); /* SETO AL */
	h_rr(h, f->w, h_sized(f->w, 0x85), r, r);
	h_8(h, 0x9f);                             /* LAHF */
	h_8(h, 0x80), h_8(h, 0xe4), h_8(h, 0xee); /* AND AH,~(AF | CF) */
	h_8(h, 0x08), h_8(h, 0xc4);               /* OR AH,AL */
}

/* CMOVcc reads memory whatever the condition. */
static void conditional(struct native *n, unsigned i)
{
	const struct x86_op *o = &n->b->op[i];
	const struct native_form *f = &n->form[i];
	bool set = f->kind == NATIVE_SET, reg = f->am == NATIVE_REG;
	struct host_mem m = {0};

	if (!set || reg)
		source(n, o->dst);
	if (!set && reg)
		source(n, o->src);
	if (!reg)
		m = x86_native_operand(n, i, 1u << f->w, set ? TLB_W : TLB_R);
	want_flags(n);
	if (set && !reg) {
		h_rm(&n->h, 0, 0x0f90u | f->cc, 0, m);
		return;
	}
	x86_native_change(n, o->dst >> 3);
	if (set)
		h_rr(&n->h, 0, 0x0f90u | f->cc, 0, n->host[o->dst >> 3]);
	else if (reg)
		h_rr(&n->h, f->w, 0x0f40u | f->cc, n->host[o->dst >> 3], n->host[o->src >> 3]);
	else
		h_rm(&n->h, f->w, 0x0f40u | f->cc, n->host[o->dst >> 3], m);
}

static void registers_only(struct native *n, unsigned i)
{
	const struct x86_op *o = &n->b->op[i];
	const struct native_form *f = &n->form[i];
	struct host_code *h = &n->h;
	unsigned r;

	switch ((enum native_kind)f->kind) {
	case NATIVE_XCHG:
		r = x86_native_change(n, o->src >> 3);
		h_rr(h, f->w, h_sized(f->w, 0x87), r, x86_native_change(n, o->dst >> 3));
		break;
	case NATIVE_BSWAP:
		r = x86_native_change(n, o->dst >> 3);
		h_opcode(h, f->w, 0x0fc8u | (r & 7), 0, H_NONE, r);
		break;
	case NATIVE_CBW:
		r = x86_native_change(n, R_AX);
		h_rr(h, f->w, f->w == 1 ? 0x0fbe : f->w == 2 ? 0x0fbf : 0x63, r, r);
		break;
	case NATIVE_CWD:
		r = x86_native_use(n, R_AX);
		h_rr(h, f->w, H_MOV_STORE, r, x86_native_set(n, R_DX));
		h_shift(h, f->w, H_SAR, n->host[R_DX], f->w == 3 ? 63 : 31);
		n->eflags = false;
		break;
	default: break;
	}
}

/* ---- the stack, in 64-bit mode ---- */
static void push(struct native *n, unsigned i)
{
	const struct x86_op *o = &n->b->op[i];
	const struct native_form *f = &n->form[i];
	struct host_code *h = &n->h;
	unsigned sp = x86_native_use(n, R_SP);

	if (f->kind == NATIVE_PUSH_R)
		source(n, o->dst);
	h_rm(h, 3, H_LEA, H_DX, h_at(sp, -8));
	translate(n, i, 8, TLB_W);
	if (f->kind == NATIVE_PUSH_R) {
		h_store(h, 3, source(n, o->dst), h_at(H_DX, 0));
	} else if (f->kind == NATIVE_PUSH_I) {
		h_rm(h, 3, 0xc7, 0, h_at(H_DX, 0));
		h_imm(h, 3, (u64)(s64)o->imm);
	} else { /* CALL: disp is the next instruction */
		h_load(h, 3, H_CX, h_at(H_DI, CPU_AT(r[R_RIP])));
		h_rm(h, 3, H_LEA, H_CX, h_at(H_CX, o->disp));
		h_store(h, 3, H_CX, h_at(H_DX, 0));
	}
	sp = x86_native_change(n, R_SP);
	h_rm(h, 3, H_LEA, sp, h_at(sp, -8));
}

static void pop(struct native *n, unsigned i)
{
	unsigned sp = x86_native_use(n, R_SP), dst = n->b->op[i].dst >> 3;
	struct host_code *h = &n->h;

	h_rm(h, 3, H_LEA, H_DX, h_at(sp, 0));
	translate(n, i, 8, TLB_R);
	x86_native_change(n, R_SP);
	h_rm(h, 3, H_LEA, sp, h_at(sp, 8));
	h_load(h, 3, x86_native_set(n, dst), h_at(H_DX, 0));
}

/* ---- branches ---- */

/* To the next block through link k, whose first byte lies at distance d from this block's: chain.h's follow. Everything
 * is in memory. */
static void follow(struct native *n, unsigned i, unsigned k, s64 d)
{
	const struct native_form *f = &n->form[i];
	struct host_code *h = &n->h;

	if (f->legacy) {
		h_load(h, 3, H_DX, h_at(H_DI, CPU_AT(r[R_RIP])));
		h_rm(h, f->w == 2 && !k ? 2 : 3, H_LEA, H_DX, h_at(H_DX, d));
		if (k) {
			h_rm(h, 3, 0x23, H_DX, h_at(H_DI, CPU_AT(rip_mask)));
		} else {
			if (f->w == 1)
				h_rr(h, 2, 0x0fb7, H_DX, H_DX);
			h_rm(h, 3, 0x3b, H_DX, h_at(H_DI, CPU_AT(cs_lim)));
			x86_native_cold_jump(n, h_jump_if(h, 7), i, -1, NULL);
		}
		h_store(h, 3, H_DX, h_at(H_DI, CPU_AT(r[R_RIP])));
	} else if (d) {
		h_alu_mi(h, 3, H_ADD, h_at(H_DI, CPU_AT(r[R_RIP])), d);
	}
	h_load(h, 3, H_CX, h_at(H_NONE, (s64)(uintptr_t)&n->b->link[k]));
	h_rr(h, 3, 0x85, H_CX, H_CX);
	x86_native_cold_jump(n, h_jump_if(h, 4), i, (int)k, (const void *)(uintptr_t)x86_link);
	h_rm(h, 3, 0x63, H_DX, h_at(H_CX, offsetof(struct x86_block, n))); /* MOVSXD */
	h_rm(h, 3, 0x29, H_DX, h_at(H_DI, CPU_AT(budget)));
	x86_native_cold_jump(n, h_jump_if(h, 8), i, (int)k, (const void *)(uintptr_t)x86_link_failed);
	h_rm(h, 3, H_LEA, H_SI, h_at(H_CX, offsetof(struct x86_block, op)));
	h_rm(h, 2, 0xff, 4, h_at(H_CX, (s64)offsetof(struct x86_block, op) + (s64)offsetof(struct x86_op, exec)));
}

/* Back to the block's own start, registers as they are. */
static void again(struct native *n, unsigned i)
{
	struct host_code *h = &n->h;

	x86_native_flags_load(n);
	h_rm(h, 3, 0x63, H_DX, h_at(H_NONE, (s64)(uintptr_t)&n->b->n));
	h_rm(h, 3, 0x29, H_DX, h_at(H_DI, CPU_AT(budget)));
	x86_native_cold_jump(n, h_jump_if(h, 8), i, 0, (const void *)(uintptr_t)x86_link_failed);
	h_land(h_jump(h), n->loop);
}

static void branch_if(struct native *n, unsigned i, unsigned cc, s64 taken, s64 not_taken)
{
	u8 *jump;

	if (n->loop) {
		x86_native_flags_load(n);
		jump = h_jump_if(&n->h, cc ^ 1);
		again(n, i);
		h_land(jump, n->h.p);
		x86_native_spill(n);
		follow(n, i, 1, not_taken);
		return;
	}
	x86_native_spill(n);
	jump = h_jump_if(&n->h, cc);
	follow(n, i, 1, not_taken);
	h_land(jump, n->h.p);
	follow(n, i, 0, taken);
}

static void fused(struct native *n, unsigned i)
{
	const struct x86_op *o = &n->b->op[i];
	const struct native_form *f = &n->form[i];
	struct host_code *h = &n->h;
	unsigned w = f->w, op;
	struct host_mem m;

	switch ((enum x86_fusion)f->fusion) {
	case FUSED_CMP_RR:
	case FUSED_TEST_RR:
		op = h_sized(w, h_alu_store(f->fusion == FUSED_CMP_RR ? H_CMP : H_TEST));
		source(n, o->dst);
		h_rr(h, w, op, source(n, o->src), n->host[o->dst >> 3]);
		break;
	case FUSED_CMP_RI: h_alu_ri(h, w, H_CMP, source(n, o->dst), o->disp); break;
	case FUSED_TEST_RI: h_alu_ri(h, w, H_TEST, source(n, o->dst), o->disp); break;
	case FUSED_SUB_RI: h_alu_ri(h, w, H_SUB, x86_native_change(n, o->dst >> 3), o->disp); break;
	case FUSED_ADD_RI: h_alu_ri(h, w, H_ADD, x86_native_change(n, o->dst >> 3), o->disp); break;
	case FUSED_AND_RI: h_alu_ri(h, w, H_AND, x86_native_change(n, o->dst >> 3), o->disp); break;
	case FUSED_CMP_MR:
		source(n, o->src);
		m = x86_native_operand(n, i, 1u << w, TLB_R);
		h_rm(h, w, h_sized(w, h_alu_store(H_CMP)), n->host[o->src >> 3], m);
		break;
	case FUSED_CMP_RM:
		source(n, o->dst);
		m = x86_native_operand(n, i, 1u << w, TLB_R);
		h_rm(h, w, h_sized(w, h_alu_load(H_CMP)), n->host[o->dst >> 3], m);
		break;
	default: /* FUSED_CMP_MI, FUSED_TEST_MI */
		m = x86_native_operand(n, i, 1u << w, TLB_R);
		h_alu_mi(h, w, f->fusion == FUSED_TEST_MI ? H_TEST : H_CMP, m, (s8)o->dst);
		break;
	}
	x86_native_keep_flags(n, i);
	branch_if(n, i, f->cc, o->imm, n->b->bytes);
}

static void branch(struct native *n, unsigned i)
{
	const struct x86_op *o = &n->b->op[i];
	const struct native_form *f = &n->form[i];

	if (f->kind == NATIVE_JCC) {
		want_flags(n);
		branch_if(n, i, f->cc, o->imm, o->disp);
	} else if (n->loop) {
		again(n, i);
	} else {
		if (f->kind == NATIVE_CALL)
			push(n, i);
		x86_native_spill(n);
		follow(n, i, 0, o->imm);
	}
}

void x86_native_op(struct native *n, unsigned i)
{
	x86_native_begin(n, i);
	switch ((enum native_kind)n->form[i].kind) {
	case NATIVE_NONE:
	case NATIVE_NOP: break;
	case NATIVE_ALU_EG:
	case NATIVE_ALU_GE:
	case NATIVE_ALU_EI: alu(n, i); break;
	case NATIVE_MOV_EG:
	case NATIVE_MOV_GE:
	case NATIVE_MOV_EI:
	case NATIVE_MOV_OI: mov(n, i); break;
	case NATIVE_UNARY: unary(n, i); break;
	case NATIVE_LEA: lea(n, i); break;
	case NATIVE_WIDEN: widen(n, i); break;
	case NATIVE_SHIFT_I: shift(n, i); break;
	case NATIVE_SHIFT_CL: shift_cl(n, i); break;
	case NATIVE_IMUL2:
	case NATIVE_IMUL3: imul(n, i); break;
	case NATIVE_CMOV:
	case NATIVE_SET: conditional(n, i); break;
	case NATIVE_XCHG:
	case NATIVE_BSWAP:
	case NATIVE_CBW:
	case NATIVE_CWD: registers_only(n, i); break;
	case NATIVE_PUSH_R:
	case NATIVE_PUSH_I: push(n, i); break;
	case NATIVE_POP_R: pop(n, i); break;
	case NATIVE_CALL:
	case NATIVE_JMP:
	case NATIVE_JCC: branch(n, i); break;
	case NATIVE_FUSED: fused(n, i); break;
	case NATIVE_VEC: x86_native_vec(n, i); break;
	}
}
