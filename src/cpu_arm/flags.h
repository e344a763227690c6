/*
 * N, Z, C, V while arm_run runs. A result, zero-extended, in c->nz gives both N and Z; bit 63 is for N where the result does not have it. C and V are
 * 0 or 1 in c->fc and c->fv. s.cpsr has its own copy between runs. The host's arithmetic gives carry and overflow. DDI0100 A2.5.2, A3.2
 */
#ifndef CPU_ARM_FLAGS_H
#define CPU_ARM_FLAGS_H

#include "cpu_arm/system.h"

static ALWAYS_INLINE bool flag_z(const struct arm_cpu *c) { return !(u32)c->nz; }
static ALWAYS_INLINE bool flag_n(const struct arm_cpu *c) { return ((u32)c->nz | (u32)(c->nz >> 32)) >> 31; }
static ALWAYS_INLINE void flags_set_nz(struct arm_cpu *c, bool n, bool z) { c->nz = (u64)n << 63 | !z; }

static inline u32 flags_get(const struct arm_cpu *c)
{
	return (flag_n(c) ? PSR_N : 0) | (flag_z(c) ? PSR_Z : 0) | (u32)c->fc << 29 | (u32)c->fv << 28;
}
static inline void flags_set(struct arm_cpu *c, u32 v)
{
	flags_set_nz(c, v & PSR_N, v & PSR_Z);
	c->fc = v >> 29 & 1;
	c->fv = v >> 28 & 1;
}

/* The conditions EQ NE CS CC MI PL VS VC HI LS GE LT GT LE AL. DDI0100 table A3-1 */
static ALWAYS_INLINE bool flags_cond(const struct arm_cpu *c, unsigned cc)
{
	switch (cc) {
	case 0: return flag_z(c);
	case 1: return !flag_z(c);
	case 2: return c->fc;
	case 3: return !c->fc;
	case 4: return flag_n(c);
	case 5: return !flag_n(c);
	case 6: return c->fv;
	case 7: return !c->fv;
	case 8: return c->fc && !flag_z(c);
	case 9: return !(c->fc && !flag_z(c));
	case 10: return flag_n(c) == c->fv;
	case 11: return flag_n(c) != c->fv;
	case 12: return !flag_z(c) && flag_n(c) == c->fv;
	case 13: return !(!flag_z(c) && flag_n(c) == c->fv);
	default: return true;
	}
}

#endif
