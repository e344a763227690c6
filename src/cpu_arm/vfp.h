/* The VFP9-S between its files: registers, FPSCR. DDI0100 part C; DDI0274. */
#ifndef CPU_ARM_VFP_H
#define CPU_ARM_VFP_H

#include "cpu_arm/decode.h"

enum {
	FPSCR_IOC = 1 << 0, FPSCR_DZC = 1 << 1, FPSCR_OFC = 1 << 2, FPSCR_UFC = 1 << 3, FPSCR_IXC = 1 << 4, FPSCR_IDC = 1 << 7,
	FPSCR_FLAGS = 0x9f, FPSCR_UFE = 1 << 11, FPSCR_IXE = 1 << 12, /* enable bits stand 8 above the flags */
	FPSCR_LEN = 7 << 16, FPSCR_STRIDE = 3 << 20, FPSCR_RMODE = 3 << 22, FPSCR_FZ = 1 << 24, FPSCR_DN = 1 << 25,
};

/* Registers of an encoding: single ones have their low bit apart. */
static inline unsigned vfp_fd(u32 w, bool dbl) { return dbl ? w >> 12 & 15 : (w >> 11 & 30) | (w >> 22 & 1); }
static inline unsigned vfp_fn(u32 w, bool dbl) { return dbl ? w >> 16 & 15 : (w >> 15 & 30) | (w >> 7 & 1); }
static inline unsigned vfp_fm(u32 w, bool dbl) { return dbl ? w & 15 : (w << 1 & 30) | (w >> 5 & 1); }

/* A register's bits: a double is two singles, the low word first. */
static inline u64 vfp_get(const struct arm_cpu *c, unsigned n, bool dbl)
{
	return dbl ? (u64)c->s.vfp.s[2 * n + 1] << 32 | c->s.vfp.s[2 * n] : c->s.vfp.s[n];
}
static inline void vfp_put(struct arm_cpu *c, unsigned n, bool dbl, u64 v)
{
	if (!dbl) {
		c->s.vfp.s[n] = (u32)v;
		return;
	}
	c->s.vfp.s[2 * n] = (u32)v;
	c->s.vfp.s[2 * n + 1] = (u32)(v >> 32);
}

/* ---- vfp_math.c: one scalar operation; the flags that it raises go to FPSCR ---- */
enum vfp_op { VFP_ADD, VFP_SUB, VFP_MUL, VFP_DIV, VFP_SQRT /* of b */ };
bool vfp_is_denormal(u64 v, bool dbl);
u64 vfp_arith(struct arm_cpu *c, enum vfp_op op, u64 a, u64 b, bool dbl);
/* N Z C V of a comparison, in bits 31:28. loud: any NaN is invalid. */
u32 vfp_compare(struct arm_cpu *c, u64 a, u64 b, bool dbl, bool loud);
u64 vfp_convert(struct arm_cpu *c, u64 v, bool from_dbl);                    /* to the other size */
u64 vfp_from_int(struct arm_cpu *c, u32 v, bool dbl, bool is_signed);
u32 vfp_to_int(struct arm_cpu *c, u64 v, bool dbl, bool is_signed, bool chop); /* chop: towards zero */

#endif
