/*
 * Instruction bodies: the instructions that are not worth an inline handler (system, far transfers, rare ones) are plain functions
 * void x86i_NAME(c, o), called with c->op == o by a trampoline (exec.c). They check first, commit last; they raise with
 * x86_raise() and friends. On return the instruction is complete. An instruction that ends its block may set c->new_rip (through
 * x86_jump), which the trampoline has preset to the following instruction.
 *
 * Operands as the decoder leaves them for bodies:
 *   dst   ModRM.reg (with REX.R): a register number, segment number, CR or DR number; also opcode+r registers
 *   src   ModRM.rm (with REX.B) when mod == 3; then base == OP_REG
 *   base, index, ea, disp: the memory operand otherwise
 *   imm   immediate, sign-extended; imm64 for far pointers: offset | selector << 32
 *   op_size(o) operand size in bytes, op_asize(o) address size, op_seg(o) segment of the memory operand, op_rep(o) F3 or F2 seen
 * Numbers of 8-bit registers in bodies are plain (0..15), with AH CH DH BH as 20..23: use x86_reg_read/x86_reg_write.
 */
#ifndef CPU_X86_BODY_H
#define CPU_X86_BODY_H

#include "cpu_x86/cpu.h"

#define OP_REG 0xff

typedef void x86_body(struct x86_cpu *c, const struct x86_op *o);
typedef bool x86_string(struct x86_cpu *c, const struct x86_op *o); /* false: not finished, execute it again */

/* Every body that the instruction table names. */
#define DECLARE_FAM(fn)
#define DECLARE_STK(fn)
#define DECLARE_REL(fn)
#define DECLARE_JCC(fn)
#define DECLARE_CC(fn)
#define DECLARE_X87(fn)
#define DECLARE_VEC(fn)
#define DECLARE_BODY(fn) x86_body x86i_##fn;
#define DECLARE_STRING(fn) x86_string x86i_##fn;
#define I(id, map, opcode, prefix, reg, mod, mode, size, form, kind, fn, flags, feature, section) DECLARE_##kind(fn)
#include "cpu_x86/x86_insn.def"
#undef I
#undef DECLARE_FAM
#undef DECLARE_STK
#undef DECLARE_REL
#undef DECLARE_VEC

static inline bool op_is_reg(const struct x86_op *o) { return o->base == OP_REG; }

/* Register n as an operand of size bytes; writes of 4 bytes zero the upper half, of 1 and 2 keep the rest. APM1 3.1.2. */
static inline u64 x86_reg_read(const struct x86_cpu *c, unsigned n, unsigned size)
{
	if (n >= 20)
		return c->r[n - 20] >> 8 & 0xff; /* AH CH DH BH: 20..23 */
	return c->r[n] & mask_low(size * 8);
}
static inline void x86_reg_write(struct x86_cpu *c, unsigned n, unsigned size, u64 v)
{
	if (n >= 20)
		c->r[n - 20] = (c->r[n - 20] & ~0xff00ull) | (v & 0xff) << 8;
	else if (size >= 4)
		c->r[n] = v & mask_low(size * 8);
	else
		c->r[n] = (c->r[n] & ~mask_low(size * 8)) | (v & mask_low(size * 8));
}
/* The E operand (register or memory). */
static inline u64 x86_e_read(struct x86_cpu *c, const struct x86_op *o, unsigned size)
{
	if (op_is_reg(o))
		return x86_reg_read(c, op_src(o), size);
	return x86_load_seg_off(c, op_seg(o), x86_ea(c, o), size);
}
static inline void x86_e_write(struct x86_cpu *c, const struct x86_op *o, unsigned size, u64 v)
{
	if (op_is_reg(o))
		x86_reg_write(c, op_src(o), size, v);
	else
		x86_store_seg_off(c, op_seg(o), x86_ea(c, o), size, v);
}
/* Continue at rip (already checked against limit and canonical form) instead of the next instruction. */
static inline void x86_jump(struct x86_cpu *c, u64 rip) { c->new_rip = rip; }

#endif
