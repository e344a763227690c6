/*
 * The accessors of op.h with constants in place of an op's fields. The inline handlers compiled with these are templates: translate.c copies
 * one for each op of a hot block and fills its holes, the symbols T_*. One source, two speeds.
 *
 * A register's offset becomes part of an address; a number is loaded by one instruction (the compiler must not reason about it as it
 * does about addresses, which are never 0 or negative).
 */
#ifndef CPU_X86_TEMPLATE_H
#define CPU_X86_TEMPLATE_H

extern u8 T_DST[], T_SRC[], T_BASE[], T_INDEX[], T_SEG[];
extern const struct x86_op T_OP[];
extern struct x86_block T_BLOCK;
extern const bool T_DEAD; /* the block is */
const struct x86_op *T_NEXT(struct x86_cpu *c);
const struct x86_op *x86_next_op(struct x86_cpu *c, const struct x86_op *o) COLD;
const struct x86_op *T_SELF(struct x86_cpu *c, const struct x86_op *o) COLD;

#define TEMPLATE_NUMBER(insn, hole)                                                                                              \
	({                                                                                                                       \
		u64 number_;                                                                                                     \
		__asm__(insn " $" #hole ", %0" : "=r"(number_));                                                                  \
		number_;                                                                                                         \
	})

#define TEMPLATE_OP const struct x86_op *o __attribute__((unused))
static ALWAYS_INLINE u64 op_dst(TEMPLATE_OP) { return (uintptr_t)T_DST; }
static ALWAYS_INLINE u64 op_src(TEMPLATE_OP) { return (uintptr_t)T_SRC; }
static ALWAYS_INLINE u64 op_base(TEMPLATE_OP) { return (uintptr_t)T_BASE; }
static ALWAYS_INLINE u64 op_index(TEMPLATE_OP) { return (uintptr_t)T_INDEX; }
static ALWAYS_INLINE u64 op_seg_offset(TEMPLATE_OP) { return (uintptr_t)T_SEG; }
static ALWAYS_INLINE u64 op_dst_number(TEMPLATE_OP) { return TEMPLATE_NUMBER("movq", T_DST); }
static ALWAYS_INLINE s64 op_imm(TEMPLATE_OP) { return (s64)TEMPLATE_NUMBER("movq", T_IMM); }
static ALWAYS_INLINE u64 op_imm64(TEMPLATE_OP) { return TEMPLATE_NUMBER("movabsq", T_IMM64); }
static ALWAYS_INLINE s64 op_disp(TEMPLATE_OP) { return (s64)TEMPLATE_NUMBER("movq", T_DISP); }
static ALWAYS_INLINE s64 op_end(TEMPLATE_OP) { return (s64)TEMPLATE_NUMBER("movq", T_END); }
static ALWAYS_INLINE u64 op_address_mask(TEMPLATE_OP) { return TEMPLATE_NUMBER("movabsq", T_AMASK); }
static ALWAYS_INLINE u64 op_operand_mask(TEMPLATE_OP) { return TEMPLATE_NUMBER("movabsq", T_OMASK); }
static ALWAYS_INLINE const struct x86_op *op_self(TEMPLATE_OP) { return T_OP; }
static ALWAYS_INLINE struct x86_block *op_block(TEMPLATE_OP) { return &T_BLOCK; }
static ALWAYS_INLINE u64 op_scaled(TEMPLATE_OP, u64 v)
{
	__asm__("shlq $T_SCALE, %0" : "+r"(v) : : "cc");
	return v;
}
static ALWAYS_INLINE u64 op_displaced(TEMPLATE_OP, u64 v)
{
	__asm__("leaq T_DISP(%1), %0" : "=r"(v) : "r"(v));
	return v;
}

static ALWAYS_INLINE const struct x86_op *op_next(struct x86_cpu *c, TEMPLATE_OP) { return T_NEXT(c); }
static ALWAYS_INLINE x86_fn *op_slow(TEMPLATE_OP) { return (x86_fn *)TEMPLATE_NUMBER("movabsq", T_SLOW); }
static ALWAYS_INLINE const struct x86_op *op_next_checked(struct x86_cpu *c, TEMPLATE_OP)
{
	if (unlikely(T_DEAD))
		return x86_next_op(c, T_OP);
	return T_NEXT(c);
}
/* A miss runs the op's ordinary handler, which misses too and does what it does then. */
static ALWAYS_INLINE const struct x86_op *op_miss(struct x86_cpu *c, TEMPLATE_OP, x86_fn *slow __attribute__((unused)))
{
	return T_SELF(c, T_OP);
}

#endif
