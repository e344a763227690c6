/*
 * What an op is to native code (native.h): the families of the instruction table that host instructions can stand for,
 * and the guest registers that an op uses.
 */
#include "cpu_x86/native.h"

#define REG(offset) BIT((offset) >> 3)

/* ---- the families ---- */
struct family_row {
	const struct x86_family *family;
	u8 kind, code, from;
};
#define ALU(name, op)                                                                                                  \
	{&x86_fam_##name##_EG, NATIVE_ALU_EG, op, 0}, {&x86_fam_##name##_GE, NATIVE_ALU_GE, op, 0},                    \
	{                                                                                                              \
		&x86_fam_##name##_EI, NATIVE_ALU_EI, op, 0                                                             \
	}
#define SHIFT(name, code)                                                                                              \
	{&x86_fam_##name##_EI, NATIVE_SHIFT_I, code, 0}, { &x86_fam_##name##_EC, NATIVE_SHIFT_CL, code, 0 }
static const struct family_row families[] = {
	ALU(add, H_ADD),
	ALU(or, H_OR),
	ALU(adc, H_ADC),
	ALU(sbb, H_SBB),
	ALU(and, H_AND),
	ALU(sub, H_SUB),
	ALU(xor, H_XOR),
	ALU(cmp, H_CMP),
	{&x86_fam_test_EG, NATIVE_ALU_EG, H_TEST, 0},
	{&x86_fam_test_EI, NATIVE_ALU_EI, H_TEST, 0},
	{&x86_fam_mov_EG, NATIVE_MOV_EG, 0, 0},
	{&x86_fam_mov_GE, NATIVE_MOV_GE, 0, 0},
	{&x86_fam_mov_EI, NATIVE_MOV_EI, 0, 0},
	{&x86_fam_mov_OI, NATIVE_MOV_OI, 0, 0},
	{&x86_fam_inc, NATIVE_UNARY, NATIVE_INC, 0},
	{&x86_fam_dec, NATIVE_UNARY, NATIVE_DEC, 0},
	{&x86_fam_not, NATIVE_UNARY, NATIVE_NOT, 0},
	{&x86_fam_neg, NATIVE_UNARY, NATIVE_NEG, 0},
	{&x86_fam_lea, NATIVE_LEA, 0, 0},
	{&x86_fam_movzx8, NATIVE_WIDEN, 0xb6, 0},
	{&x86_fam_movzx16, NATIVE_WIDEN, 0xb7, 1},
	{&x86_fam_movsx8, NATIVE_WIDEN, 0xbe, 0},
	{&x86_fam_movsx16, NATIVE_WIDEN, 0xbf, 1},
	{&x86_fam_movsxd, NATIVE_WIDEN, 0x63, 2},
	SHIFT(rol, NATIVE_ROL),
	SHIFT(ror, NATIVE_ROR),
	SHIFT(shl, NATIVE_SHL),
	SHIFT(shr, NATIVE_SHR),
	SHIFT(sar, NATIVE_SAR),
	{&x86_fam_imul2, NATIVE_IMUL2, 0, 0},
	{&x86_fam_imul3, NATIVE_IMUL3, 0, 0},
	{&x86_fam_xchg, NATIVE_XCHG, 0, 0},
	{&x86_fam_bswap, NATIVE_BSWAP, 0, 0},
	{&x86_fam_cbw, NATIVE_CBW, 0, 0},
	{&x86_fam_cwd, NATIVE_CWD, 0, 0},
	{&x86_fam_nop, NATIVE_NOP, 0, 0},
	{&x86_fam_hint, NATIVE_NOP, 0, 0},
	{&x86_fam_push_r, NATIVE_PUSH_R, 0, 0},
	{&x86_fam_push_i, NATIVE_PUSH_I, 0, 0},
	{&x86_fam_pop_r, NATIVE_POP_R, 0, 0},
	{&x86_fam_call_rel, NATIVE_CALL, 0, 0},
	{&x86_fam_jmp_rel, NATIVE_JMP, 0, 0},
};

static const struct family_row *row_of(const struct x86_family *f)
{
	for (unsigned i = 0; i < ARRAY_SIZE(families); i++)
		if (families[i].family == f)
			return &families[i];
	return NULL;
}

/* ---- operands ---- */

/* AH to BH are not for native code. */
static bool whole(unsigned offset) { return !(offset & 7); }

/* The registers of the address; false: 16-bit addresses wrap in ways of their own. */
static bool address_registers(const struct x86_op *o, struct native_form *f)
{
	if (op_asize(o) == 0)
		return false;
	if (o->base < REG_OFFSET(16))
		f->uses |= (u32)REG(o->base);
	if (o->index < REG_OFFSET(16))
		f->uses |= (u32)REG(o->index);
	return true;
}

/* Which of the family's handlers the op has. */
static bool find_mode(const struct x86_op *o, const struct x86_family *family, struct native_form *f)
{
	f->w = o->len >> 6;
	if (o->exec == family->reg[f->w] || (family->quiet && o->exec == family->quiet->reg[f->w])) {
		f->am = NATIVE_REG;
		return true;
	}
	f->am = AM_L;
	if (o->exec == family->mem[f->w][AM_B])
		f->am = AM_B;
	else if (o->exec == family->mem[f->w][AM_S])
		f->am = AM_S;
	else if (o->exec != family->mem[f->w][AM_L])
		return false;
	f->memory = true;
	return true;
}

static bool use(struct native_form *f, unsigned offset)
{
	f->uses |= (u32)REG(offset);
	return whole(offset);
}

/* The register operands of a kind with E and G, or E and an immediate: those of E only when it is a register. */
static bool operands(const struct x86_op *o, struct native_form *f)
{
	bool reg = f->am == NATIVE_REG;

	switch ((enum native_kind)f->kind) {
	case NATIVE_ALU_EG:
	case NATIVE_MOV_EG: return use(f, o->src) && (!reg || use(f, o->dst));
	case NATIVE_XCHG: return reg && o->src != o->dst && use(f, o->src) && use(f, o->dst);
	case NATIVE_ALU_GE:
	case NATIVE_MOV_GE:
	case NATIVE_WIDEN:
	case NATIVE_IMUL2:
	case NATIVE_IMUL3:
	case NATIVE_CMOV: return use(f, o->dst) && (!reg || use(f, o->src));
	case NATIVE_ALU_EI:
	case NATIVE_MOV_EI:
	case NATIVE_UNARY:
	case NATIVE_SET: return !reg || use(f, o->dst);
	case NATIVE_MOV_OI: return reg && use(f, o->dst);
	case NATIVE_LEA: f->memory = false; return f->w && use(f, o->dst) && address_registers(o, f);
	case NATIVE_SHIFT_CL: f->uses |= BIT(R_CX); return reg && use(f, o->dst);
	case NATIVE_SHIFT_I: return reg && o->imm & (f->w == 3 ? 63 : 31) && use(f, o->dst);
	case NATIVE_BSWAP: return f->w >= 2 && use(f, o->dst);
	case NATIVE_CBW: f->uses |= BIT(R_AX); return f->w >= 1;
	case NATIVE_CWD: f->uses |= BIT(R_AX) | BIT(R_DX); return f->w >= 2;
	case NATIVE_NOP: f->memory = false; return true;
	default: return false;
	}
}

static void flags_of(struct native_form *f)
{
	switch ((enum native_kind)f->kind) {
	case NATIVE_ALU_EG:
	case NATIVE_ALU_GE:
	case NATIVE_ALU_EI:
		f->sets_flags = true;
		f->reads_flags = f->code == H_ADC || f->code == H_SBB;
		break;
	case NATIVE_UNARY:
		f->sets_flags = f->code != NATIVE_NOT;
		f->keeps_some = f->code != NATIVE_NEG;
		break;
	case NATIVE_SHIFT_I:
		f->sets_flags = true;
		f->keeps_some = f->code < NATIVE_SHL;
		break;
	case NATIVE_SHIFT_CL: f->sets_flags = f->keeps_some = true; break;
	case NATIVE_IMUL2:
	case NATIVE_IMUL3:
	case NATIVE_FUSED: f->sets_flags = true; break;
	case NATIVE_CMOV:
	case NATIVE_SET:
	case NATIVE_JCC: f->reads_flags = true; break;
	default: break;
	}
}

/* ---- kinds apart ---- */
static bool fused(const struct x86_op *o, struct native_form *f)
{
	unsigned k, w = o->len >> 6, cc = 0;
	bool found = false;

	for (k = 0; k < FUSED_KINDS && !found; k += !found)
		for (cc = 0; cc < 16 && !found; cc += !found)
			found = x86_fused[k][w][cc] == o->exec;
	if (!found)
		return false;
	f->kind = NATIVE_FUSED;
	f->w = (u8)w;
	f->cc = (u8)cc;
	f->am = k < FUSED_CMP_MR ? NATIVE_REG : k <= FUSED_TEST_MI ? AM_B : AM_L;
	f->fusion = (u8)(k > FUSED_TEST_MI ? k - FUSED_INDEXED : k);
	f->memory = f->am != NATIVE_REG;
	switch (f->fusion) {
	case FUSED_CMP_RR:
	case FUSED_TEST_RR: return use(f, o->dst) && use(f, o->src);
	case FUSED_CMP_MR: return use(f, o->src) && address_registers(o, f);
	case FUSED_CMP_RM: return use(f, o->dst) && address_registers(o, f);
	case FUSED_CMP_MI:
	case FUSED_TEST_MI: return address_registers(o, f);
	default: return use(f, o->dst);
	}
}

static bool jcc(const struct x86_op *o, struct native_form *f)
{
	f->kind = NATIVE_JCC;
	f->am = NATIVE_REG;
	f->w = o->len >> 6;
	for (unsigned k = 0; k < 32; k++)
		if (x86_jcc[k >> 4][k & 15] == o->exec) {
			f->legacy = k >> 4;
			f->cc = k & 15;
			return true;
		}
	return false;
}

/* Stack operations in 64-bit mode; branches in any. */
static bool stack_or_branch(const struct x86_op *o, const struct x86_family *family, struct native_form *f)
{
	f->w = o->len >> 6;
	if (f->kind == NATIVE_JMP) {
		f->am = NATIVE_REG;
		f->legacy = o->exec == family->mem[f->w][AM_S];
		return f->legacy || o->exec == family->mem[f->w][AM_L];
	}
	f->am = AM_L;
	f->memory = true;
	f->uses |= BIT(R_SP);
	if (o->exec != family->mem[3][AM_L] || f->w != 3)
		return false;
	return f->kind == NATIVE_CALL || f->kind == NATIVE_PUSH_I || use(f, o->dst);
}

bool x86_native_form(const struct x86_op *o, struct native_form *f)
{
	const struct x86_insn *r = o->id < X86_IDS ? &x86_insns[o->id] : NULL;
	const struct family_row *row;
	bool ok;

	*f = (struct native_form){.kind = NATIVE_NONE};
	if (!r)
		return false;
	if (o->len & OP_FUSED) {
		ok = fused(o, f);
	} else if (r->kind == KIND_JCC) {
		ok = jcc(o, f);
	} else if (r->kind == KIND_VEC) {
		ok = x86_native_vec_form(r, o, f) && (f->am == NATIVE_REG || address_registers(o, f));
	} else if (r->kind == KIND_CC) {
		unsigned cc = 0;

		while (cc < 16 && !find_mode(o, r->by_cc[cc], f))
			cc++;
		f->cc = (u8)cc;
		f->kind = cc < 16 && r->by_cc[cc]->reg[0] ? NATIVE_SET : NATIVE_CMOV;
		ok = cc < 16 && (f->am == NATIVE_REG || address_registers(o, f)) && operands(o, f);
	} else {
		row = r->family ? row_of(r->family) : NULL;
		if (!row)
			return false;
		f->kind = row->kind;
		f->code = row->code;
		f->from = row->from;
		if (r->kind == KIND_FAM)
			ok = find_mode(o, r->family, f) &&
			     (f->kind == NATIVE_LEA || f->kind == NATIVE_NOP || f->am == NATIVE_REG ||
			      address_registers(o, f)) &&
			     operands(o, f);
		else
			ok = stack_or_branch(o, r->family, f);
	}
	if (!ok)
		f->kind = NATIVE_NONE;
	else
		flags_of(f);
	return ok;
}
