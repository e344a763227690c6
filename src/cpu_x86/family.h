/*
 * Handler families: the inline handlers of one instruction form in all widths and address modes. The decoder picks
 * reg[w] for a register operand, mem[w][AM_B, AM_L or AM_S] for memory with mem[w][AM_SLOW] as op->slow. w = log2 of the operand size.
 * quiet: the same without arithmetic flags, used where a later op of the block overwrites them unseen.
 */
#ifndef CPU_X86_FAMILY_H
#define CPU_X86_FAMILY_H

#include "cpu_x86/exec.h"

struct x86_family {
	x86_fn *reg[4];
	x86_fn *mem[4][AM_COUNT];
	const struct x86_family *quiet;
};

/*
 * Vector instructions: [0] legacy SSE, [1] VEX with 128 bits (and scalars), [2] VEX with 256 bits. reg: register operands; mem: memory in 64-bit
 * flat mode, NULL where that is not worth its code; any: memory by out-of-line accesses, in any mode, NULL: x86_vec_load_any, which
 * loads the operand into the scratch register VEC_TMP and runs tmp, or reg if that is NULL.
 */
struct x86_vec {
	x86_fn *reg[3], *mem[3], *any[3], *tmp[3];
};

/* Every family that the instruction table names. */
#define DECLARE_FAM(fn) extern const struct x86_family x86_fam_##fn;
#define DECLARE_STK DECLARE_FAM
#define DECLARE_REL DECLARE_FAM
#define DECLARE_VEC(fn) extern const struct x86_vec x86_vec_##fn;
#undef DECLARE_BODY
#undef DECLARE_STRING
#define DECLARE_BODY(fn)
#define DECLARE_STRING(fn)
#define I(id, map, opcode, prefix, reg, mod, mode, size, form, kind, fn, flags, feature, section) DECLARE_##kind(fn)
#include "cpu_x86/x86_insn.def"
#undef I

/* One handler per address mode from an always-inline template name##w(c, o, m). */
#define FAMILY_MEM(name, w)                                                                                                      \
	static INSN name##w##_b(struct x86_cpu *c, const struct x86_op *o) { return name##w(c, o, AM_B); }                        \
	static INSN name##w##_l(struct x86_cpu *c, const struct x86_op *o) { return name##w(c, o, AM_L); }                        \
	static INSN name##w##_s(struct x86_cpu *c, const struct x86_op *o) { return name##w(c, o, AM_S); }                        \
	static INSN name##w##_slow(struct x86_cpu *c, const struct x86_op *o) { return name##w(c, o, AM_SLOW); }
#define FAMILY_MEMS(name) FAMILY_MEM(name, 8) FAMILY_MEM(name, 16) FAMILY_MEM(name, 32) FAMILY_MEM(name, 64)
#define FAMILY_MODES(name, w) {name##w##_l, name##w##_s, name##w##_slow, name##w##_b}
#define FAMILY_TABLE(fam, rstem, mstem, q)                                                                                       \
	const struct x86_family x86_fam_##fam = {                                                                                \
	        {rstem##8, rstem##16, rstem##32, rstem##64},                                                                     \
	        {FAMILY_MODES(mstem, 8), FAMILY_MODES(mstem, 16), FAMILY_MODES(mstem, 32), FAMILY_MODES(mstem, 64)},             \
	        q};

#endif
