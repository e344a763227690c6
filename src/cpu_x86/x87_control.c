/*
 * The x87 instructions that move control and status words: FLDCW, FNSTCW, FNSTSW, FNCLEX. Arithmetic is not here. APM5, APM1 6.2.
 */
#include "cpu_x86/exec.h"

enum { FSW_ES = 0x80, FSW_B = 0x8000, FSW_EXCEPTIONS = 0x7f };

/* APM5: #NM when CR0.EM or CR0.TS is set. */
static void check_available(struct x86_cpu *c)
{
	if (c->cr0 & (CR0_EM | CR0_TS))
		x86_raise(c, VEC_NM, -1, RULE_NM_X87);
}

void x86i_fnstcw(struct x86_cpu *c, const struct x86_op *o)
{
	check_available(c);
	x86_e_write(c, o, 2, c->fpu.fcw);
}

/* ES and B follow the unmasked exceptions. APM1 6.2.2 */
static void summarize(struct x86_fpu *f)
{
	bool unmasked = f->fsw & ~f->fcw & 0x3f;

	f->fsw = (u16)((f->fsw & ~(FSW_ES | FSW_B)) | (unmasked ? FSW_ES | FSW_B : 0));
}

void x86i_fldcw(struct x86_cpu *c, const struct x86_op *o)
{
	check_available(c);
	c->fpu.fcw = (u16)((x86_e_read(c, o, 2) & 0x1f3f) | 0x40);
	summarize(&c->fpu);
}

void x86i_fnstsw(struct x86_cpu *c, const struct x86_op *o)
{
	check_available(c);
	x86_e_write(c, o, 2, c->fpu.fsw);
}

void x86i_fnstsw_ax(struct x86_cpu *c, const struct x86_op *o)
{
	(void)o;
	check_available(c);
	x86_reg_write(c, R_AX, 2, c->fpu.fsw);
}

void x86i_fnclex(struct x86_cpu *c, const struct x86_op *o)
{
	(void)o;
	check_available(c);
	c->fpu.fsw &= (u16) ~(FSW_EXCEPTIONS | FSW_ES | FSW_B);
}

/* The others: said aloud, never taken for undefined opcodes. */
void x86i_x87_missing(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned opcode = (unsigned)op_imm(o) >> 8 & 0xff, modrm = (unsigned)op_imm(o) & 0xff;

	check_available(c);
	x86_unimplemented(c, "x87 instruction %02x %02x (%s operand, /%u)", opcode, modrm, modrm >= 0xc0 ? "register" : "memory",
	                  modrm >> 3 & 7);
}
