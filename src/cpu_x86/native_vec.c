/*
 * Legacy SSE and SSE2 as native code: the host's instruction on its register of the same number, under the guest's
 * MXCSR, which the host has while x86_run runs. Results go to memory at once, so nothing has to be put back; what a
 * register holds is not loaded again.
 */
#include "cpu_x86/native.h"
#include "cpu_x86/vec.h"

#define XMM_AT(x) h_at(H_DI, CPU_AT(fpu.ymm) + 32 * (s64)(x))

/* ---- what an op is ---- */
static u8 prefix_byte(const struct x86_insn *r)
{
	return r->prefix == P_66 ? 0x66 : r->prefix == P_F3 ? 0xf3 : r->prefix == P_F2 ? 0xf2 : 0;
}

/* Of two vector operands: the destination and register or memory. */
static bool is_plain(const struct x86_insn *r)
{
	unsigned op = r->opcode;

	if (r->form != FORM_XE && r->form != FORM_XEI)
		return false;
	if (op == 0x12 || op == 0x16) /* with F2h or F3h they are SSE3's, which the host may lack */
		return r->prefix == P_NP || r->prefix == P_66;
	if (op == 0x14 || op == 0x15 || op == 0x2e || op == 0x2f || op == 0x51 || (op >= 0x54 && op <= 0x5f) || op == 0x70 || op == 0xc2 ||
	    op == 0xc6 || op == 0xe6)
		return true;
	if (r->prefix != P_66)
		return false;
	return (op >= 0x60 && op <= 0x6d) || (op >= 0x74 && op <= 0x76) || (op >= 0xd1 && op <= 0xd5) ||
	       (op >= 0xd8 && op <= 0xe5) || (op >= 0xe8 && op <= 0xef) || (op >= 0xf1 && op <= 0xf6) ||
	       (op >= 0xf8 && op <= 0xfe);
}

static bool is_move(const struct x86_insn *r)
{
	switch (r->opcode) {
	case 0x10:
	case 0x28:
	case 0x6f: return r->form == FORM_XE;
	case 0x7e: return true;
	case 0x6e: return r->prefix == P_66;
	case 0x11:
	case 0x13:
	case 0x17:
	case 0x29:
	case 0x7f: return r->form == FORM_EX;
	case 0xd6: return r->prefix == P_66;
	default: return false;
	}
}

bool x86_native_vec_form(const struct x86_insn *r, const struct x86_op *o, struct native_form *f)
{
	unsigned size = vec_size(r, false);

	if (r->map != M0F || (!is_plain(r) && !is_move(r)))
		return false;
	f->kind = NATIVE_VEC;
	f->code = r->opcode;
	f->prefix = prefix_byte(r);
	f->store = r->form == FORM_EX;
	f->sets_flags = r->flags & W; /* UCOMISS and so on */
	f->from = size == 16 ? 4 : size == 8 ? 3 : 2;
	f->w = r->flags & REXW ? 3 : 2;
	f->am = NATIVE_REG;
	if (o->exec != r->vec->reg[0]) {
		if (!r->vec->mem[0] || o->exec != r->vec->mem[0] || size < 4)
			return false;
		f->am = o->index == REG_OFFSET(R_ZERO) ? AM_B : AM_L;
		f->memory = true;
		f->align = size == 16 && !(r->flags & UNAL);
	} else if (f->prefix == 0x66 && (f->code == 0x6e || f->code == 0x7e)) {
		f->uses |= (u32)BIT((f->store ? o->dst : o->src) >> 3);
	}
	return true;
}

/* ---- registers ---- */
void x86_native_vec_load(struct host_code *h, unsigned x) { h_sse_rm(h, 0, 0x28, x, XMM_AT(x)); }

static unsigned source(struct native *n, unsigned x)
{
	if (!(n->xmm & BIT(x)))
		x86_native_vec_load(&n->h, x);
	n->xmm |= (u16)BIT(x);
	return x;
}

static void written(struct native *n, unsigned x)
{
	h_sse_rm(&n->h, 0, 0x29, x, XMM_AT(x));
	n->xmm |= (u16)BIT(x);
}

/* ---- instructions ---- */

/* MOVSS, MOVSD or MOVUPS between a register and memory: from is log2 of the bytes. */
static const u8 move_prefix[] = {0, 0, 0xf3, 0xf2, 0};

static void store(struct native *n, unsigned i)
{
	const struct native_form *f = &n->form[i];
	unsigned x = source(n, n->b->op[i].src >> 3);
	struct host_mem m = x86_native_operand(n, i, 1u << f->from, TLB_W);

	if (f->code == 0x17) /* MOVHPS */
		h_sse_rm(&n->h, 0, 0x17, x, m);
	else
		h_sse_rm(&n->h, move_prefix[f->from], 0x11, x, m);
}

static bool is_load(const struct native_form *f)
{
	return f->code == 0x10 || f->code == 0x28 || f->code == 0x6e || f->code == 0x6f || f->code == 0x7e;
}

static void from_memory(struct native *n, unsigned i)
{
	const struct x86_op *o = &n->b->op[i];
	const struct native_form *f = &n->form[i];
	unsigned x = o->dst >> 3;
	struct host_mem m;

	if (!is_load(f))
		source(n, x);
	m = x86_native_operand(n, i, 1u << f->from, TLB_R);
	if (is_load(f)) {
		h_sse_rm(&n->h, move_prefix[f->from], 0x10, x, m);
	} else {
		h_sse_rm(&n->h, f->prefix, f->code, x, m);
		if (f->code == 0x70 || f->code == 0xc2 || f->code == 0xc6)
			h_8(&n->h, (u8)o->imm);
	}
}

static void between_registers(struct native *n, unsigned i)
{
	const struct x86_op *o = &n->b->op[i];
	const struct native_form *f = &n->form[i];
	unsigned d = o->dst >> 3, s = o->src >> 3, prefix = f->prefix, op = f->code;
	bool scalar = prefix == 0xf3 || prefix == 0xf2, whole = op == 0x28 || op == 0x29 || op == 0x6f || op == 0x7f;

	if (op == 0xd6) /* MOVQ */
		prefix = 0xf3, op = 0x7e;
	else if (whole || ((op == 0x10 || op == 0x11) && !scalar))
		prefix = 0, op = 0x28;
	else if (op == 0x11)
		op = 0x10;
	source(n, s);
	if (op != 0x28 && op != 0x7e)
		source(n, d);
	h_sse_rr(&n->h, prefix, 2, op, d, s);
	if (op == 0x70 || op == 0xc2 || op == 0xc6)
		h_8(&n->h, (u8)o->imm);
}

static void general_register(struct native *n, unsigned i)
{
	const struct x86_op *o = &n->b->op[i];
	const struct native_form *f = &n->form[i];

	if (f->store) {
		source(n, o->src >> 3);
		h_sse_rr(&n->h, 0x66, f->w, 0x7e, o->src >> 3, x86_native_set(n, o->dst >> 3));
	} else {
		h_sse_rr(&n->h, 0x66, f->w, 0x6e, o->dst >> 3, x86_native_use(n, o->src >> 3));
		written(n, o->dst >> 3);
	}
}

void x86_native_vec(struct native *n, unsigned i)
{
	const struct native_form *f = &n->form[i];

	if (f->am != NATIVE_REG && f->store) {
		store(n, i);
		return;
	}
	if (f->am != NATIVE_REG) {
		from_memory(n, i);
	} else if (f->prefix == 0x66 && (f->code == 0x6e || f->code == 0x7e)) {
		general_register(n, i);
		return;
	} else {
		between_registers(n, i);
	}
	if (f->sets_flags)
		x86_native_keep_flags(n, i);
	else
		written(n, n->b->op[i].dst >> 3);
}
