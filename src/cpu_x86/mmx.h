/*
 * MMX registers: the 64-bit mantissas of the x87 registers by number, in x86_cpu.fpu while fp is FP_MMX, when TOP is 0 and ST(i) is register i.
 * APM1 5.3, APM2 11.4.3.
 */
#ifndef CPU_X86_MMX_H
#define CPU_X86_MMX_H

#include "cpu_x86/family.h"
#include "cpu_x86/fpu.h"

/* By the op's register fields, which are offsets into r[] as for general registers. REX does not extend the numbers. APM1 5.3.1 */
static ALWAYS_INLINE u8 *mm_reg(struct x86_cpu *c, unsigned offset) { return c->fpu.st[offset / sizeof c->r[0] & 7]; }
static ALWAYS_INLINE u64 mm_get(struct x86_cpu *c, unsigned offset) { return load_le(mm_reg(c, offset), 8); }
/* Bits 79:64 become ones. APM1 5.4.5 */
static ALWAYS_INLINE void mm_set(struct x86_cpu *c, unsigned offset, u64 v)
{
	store_le(mm_reg(c, offset), 8, v);
	store_le(mm_reg(c, offset) + 8, 2, 0xffff);
}

/* ---- mmx_enter.c ---- */
/* #UD, #NM, #MF as every MMX instruction. */
void x86_mmx_check(struct x86_cpu *c);
/* From any state to FP_MMX, checks included: TOP = 0, all tags valid. For bodies, after their memory operand was checked. */
void x86_mmx_begin(struct x86_cpu *c);
/* A handler found fp other than FP_MMX: check, also the memory operand, then execute the op. */
x86_fn x86_mmx_enter;

#define MMX_ENTER                                                                                                                \
	if (unlikely(c->fp != FP_MMX))                                                                                           \
		return x86_mmx_enter(c, o);

/* A family with one width only; index w = log2 of its bytes. */
#define MMX_FAMILY(name, bits, w)                                                                                                \
	FAMILY_MEM(name##_m, bits)                                                                                               \
	const struct x86_family x86_fam_##name = {.reg = {[w] = name##_r}, .mem = {[w] = FAMILY_MODES(name##_m, bits)}};
#define MMX_FAMILY_REG(name, w) const struct x86_family x86_fam_##name = {.reg = {[w] = name##_r}};

#endif
