/*
 * Into and out of MMX: what each MMX instruction looks at first, the change of the x87 state that the first one makes, EMMS, MASKMOVQ.
 * APM1 5.4.5, 5.6; APM2 11.4.3.
 */
#include "cpu_x86/insn.h"
#include "cpu_x86/mmx.h"

void x86_mmx_check(struct x86_cpu *c)
{
	if (c->cr0 & CR0_EM)
		x86_ud(c, RULE_UD_MMX_OFF);
	if (c->cr0 & CR0_TS)
		x86_raise(c, VEC_NM, -1, RULE_NM_TS);
	if (c->fp != FP_X87) /* there nothing is pending */
		x86_x87_pending(c);
}

static void change_state(struct x86_cpu *c)
{
	x86_fpu_flush(c);
	x86_x87_set_top(&c->fpu, 0);
	c->fpu.ftw = 0xff;
	c->fp = FP_MMX;
}

void x86_mmx_begin(struct x86_cpu *c)
{
	if (c->fp == FP_MMX)
		return;
	x86_mmx_check(c);
	change_state(c);
}

INSN x86_mmx_enter(struct x86_cpu *c, const struct x86_op *o)
{
	const struct x86_insn *row = &x86_insns[o->id];

	c->op = o;
	x86_mmx_check(c);
	if (o->slow) { /* the state must stay if the operand faults */
		bool write = row->form == FORM_EG;
		unsigned size = op_size(o);

		x86_probe(c, x86_linear(c, op_seg(o), x86_ea(c, o), size, write), size, write);
	}
	change_state(c);
	return x86_go(c, o);
}

void x86i_emms(struct x86_cpu *c, const struct x86_op *o)
{
	(void)o;
	x86_mmx_begin(c);
	c->fpu.ftw = 0;
	c->fp = FP_MEMORY;
}

/* Bytes of dst whose mask bit (7 of the byte in src) is set go to DS:rDI. */
void x86i_maskmovq(struct x86_cpu *c, const struct x86_op *o)
{
	u64 off = c->r[R_DI] & x86_amask[op_asize(o)], va;

	x86_mmx_check(c);
	va = x86_linear(c, op_seg(o), off, 8, true);
	x86_probe_write(c, va, 8, c->cpl);
	x86_mmx_begin(c);
	for (unsigned i = 0; i < 8; i++)
		if (c->fpu.st[op_src(o) & 7][i] & 0x80)
			x86_store(c, va + i, 1, c->fpu.st[op_dst(o) & 7][i]);
}
