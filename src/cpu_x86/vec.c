/*
 * Vector instructions, the part that they share: MXCSR, memory operands out of line, execution with SIMD exceptions unmasked, and
 * what happens when SSE or AVX is turned off. APM1 4.2.2, 4.8-4.10; APM2 8.2.20, 11.3.
 */
#include "cpu_x86/vec.h"

#include "cpu_x86/flags.h"
#include "cpu_x86/insn.h"
#include "cpu_x86/system.h"

/* ---- MXCSR ---- */

/* With underflow unmasked FTZ has no effect. APM1 4.2.2 */
static u32 host_form(u32 v)
{
	u32 h = v & (MXCSR_FLAGS | MXCSR_DAZ | MXCSR_RC | MXCSR_FTZ);

	if (!(v & MXCSR_UE << 7))
		h &= ~MXCSR_FTZ;
	return h | MXCSR_MASKS;
}

void vec_enter(struct x86_cpu *c)
{
	c->vec_host_csr = _mm_getcsr();
	c->vec_live = true;
	_mm_setcsr(host_form(c->fpu.mxcsr));
}

void vec_leave(struct x86_cpu *c)
{
	c->fpu.mxcsr = vec_mxcsr(c);
	c->vec_live = false;
	_mm_setcsr(c->vec_host_csr);
}

void vec_set_mxcsr(struct x86_cpu *c, u32 v)
{
	c->fpu.mxcsr = v;
	if (c->vec_live)
		_mm_setcsr(host_form(v));
	x86_vec_mode_changed(c);
}

u32 vec_mxcsr_mask(const struct x86_model *m) { return 0xffff | (x86_has(m, X86_F_MISALIGNSSE) ? MXCSR_MM : 0); }

/* ---- memory ---- */
static const struct x86_insn *row_of(const struct x86_op *o) { return &x86_insns[o->id]; }

/* Must the operand be aligned? ALW: always, to its size; other legacy instructions with 16 bytes: unless MXCSR.MM is set. APM4 2 (exceptions
 * of each instruction), APM1 4.2.2 */
static bool must_align(const struct x86_cpu *c, const struct x86_insn *r, const struct x86_op *o, unsigned size)
{
	if (r->flags & ALW)
		return true;
	return op_vl(o) == 0 && size == 16 && !(r->flags & UNAL) && !(c->fpu.mxcsr & MXCSR_MM);
}

u64 vec_linear(struct x86_cpu *c, const struct x86_op *o, unsigned size, bool write)
{
	u64 off = x86_ea(c, o), va = off + c->sbase[op_seg(o)];

	if (va & (size - 1) && must_align(c, row_of(o), o, size))
		x86_gp(c, 0, RULE_GP_ALIGN16);
	if ((size < 16 && row_of(o)->vec != &x86_vec_cvtph2ps && row_of(o)->vec != &x86_vec_cvtps2ph) || (op_vl(o) == 0 && c->fpu.mxcsr & MXCSR_MM))
		return x86_linear(c, op_seg(o), off, size, write);
	/* Whole vectors, and the half ones of VCVTPH2PS and VCVTPS2PH, make no #AC outside misaligned mode. APM4: exceptions of MOVUPS */
	va = x86_linear(c, op_seg(o), off, 1, write);
	x86_linear(c, op_seg(o), off + size - 1, 1, write);
	return va;
}

void vec_store(struct x86_cpu *c, const struct x86_op *o, const void *from, unsigned size)
{
	c->op = o;
	x86_store_bytes(c, vec_linear(c, o, size, true), from, size);
}

static void load_operand(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned size = vec_size(row_of(o), op_vl(o) == 2);
	u64 va = vec_linear(c, o, size, false);

	memset(c->vec_tmp, 0, sizeof c->vec_tmp);
	x86_load_bytes(c, va, c->vec_tmp, size);
}

static INSN stop(struct x86_cpu *c, const struct x86_op *o)
{
	(void)c, (void)o;
	return NULL;
}

/* The register form of o, alone: its operand is a register, or in the scratch register. */
static void run_register_form(struct x86_cpu *c, const struct x86_op *o)
{
	const struct x86_vec *f = row_of(o)->vec;
	bool mem = !op_is_reg(o);
	unsigned vl = op_vl(o);
	x86_fn *fn = mem && f->tmp[vl] ? f->tmp[vl] : f->reg[vl];

	c->vec_op[0] = *o;
	if (mem)
		c->vec_op[0].src = VEC_TMP;
	c->vec_op[1].exec = stop;
	fn(c, c->vec_op);
}

INSN x86_vec_load_any(struct x86_cpu *c, const struct x86_op *o)
{
	c->op = o;
	load_operand(c, o);
	run_register_form(c, o);
	return x86_next(c, o);
}

/* ---- exceptions ---- */

/* Unmasked underflow is tininess alone; masked, a tiny result that is exact leaves no flag. APM1 4.10.1 */
static bool tiny_result(const struct x86_cpu *c, const struct x86_op *o)
{
	const u8 *p = c->fpu.ymm[op_dst(o) >> 3 & 15];
	u32 f = row_of(o)->flags;
	unsigned n = op_vl(o) == 2 ? 32 : 16;

	if (f & (RSS | RPS))
		for (unsigned i = 0; i < (f & RSS ? 4 : n); i += 4)
			if (!(load_le(p + i, 4) & 0x7f800000) && load_le(p + i, 4) & 0x7fffff)
				return true;
	if (f & (RSD | RPD))
		for (unsigned i = 0; i < (f & RSD ? 8 : n); i += 8)
			if (!(load_le(p + i, 8) & 0x7ff0000000000000) && load_le(p + i, 8) & 0xfffffffffffff)
				return true;
	return false;
}

/* Flags as they become: nothing is computed when an unmasked exception is found before. APM1 4.10.2 */
static u32 flags_raised(u32 found, u32 unmasked)
{
	const u32 before = MXCSR_IE | MXCSR_DE | MXCSR_ZE;

	return found & before & unmasked ? found & before : found;
}

void vec_xm(struct x86_cpu *c, u32 found)
{
	vec_raise_flags(flags_raised(found, vec_unmasked(c)));
	if (!(c->cr4 & CR4_OSXMMEXCPT))
		x86_ud(c, RULE_UD_XM);
	x86_raise(c, VEC_XM, -1, RULE_XM);
}

/* An exception may be unmasked: execute with all masked, look at the flags, and take the result back if it must not be. */
INSN x86_vec_checked(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned gpr = op_dst(o) >> 3 & 15;
	u64 r = c->r[gpr];
	u32 csr, found, flags = flags_arith_get(c);
	u8 ymm[32];

	c->op = o;
	if (!op_is_reg(o))
		load_operand(c, o);
	memcpy(ymm, c->fpu.ymm[gpr], sizeof ymm);
	csr = _mm_getcsr();
	_mm_setcsr(csr & ~MXCSR_FLAGS);
	run_register_form(c, o);
	found = _mm_getcsr() & MXCSR_FLAGS;
	_mm_setcsr(csr);
	if (vec_unmasked(c) & MXCSR_UE && tiny_result(c, o))
		found |= MXCSR_UE;
	if (found & vec_unmasked(c)) {
		memcpy(c->fpu.ymm[gpr], ymm, sizeof ymm);
		c->r[gpr] = r;
		flags_arith_set(c, flags);
		vec_xm(c, found);
	}
	vec_raise_flags(found);
	return x86_next(c, o);
}

/* ---- turned off ---- */
void x86i_vec_off(struct x86_cpu *c, const struct x86_op *o)
{
	bool vex = row_of(o)->map >= V38;

	if (vex ? !(c->cr4 & CR4_OSXSAVE) || (c->xcr0 & 6) != 6 : c->cr0 & CR0_EM || !(c->cr4 & CR4_OSFXSR))
		x86_ud(c, vex ? RULE_UD_AVX_OFF : RULE_UD_SSE_OFF);
	x86_raise(c, VEC_NM, -1, RULE_NM_TS);
}
