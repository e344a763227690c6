/*
 * N, Z, C, V while arm_run runs: N is bit 31 of c->fn, Z is c->fz == 0, C and V are 0 or 1 in c->fc and c->fv. s.cpsr has its own copy between
 * runs. The host's arithmetic gives carry and overflow. DDI0100 A2.5.2, A3.2
 */
#ifndef CPU_ARM_FLAGS_H
#define CPU_ARM_FLAGS_H

#include "cpu_arm/system.h"

static inline u32 flags_get(const struct arm_cpu *c)
{
	return (c->fn & PSR_N) | (c->fz ? 0 : PSR_Z) | (u32)c->fc << 29 | (u32)c->fv << 28;
}
static inline void flags_set(struct arm_cpu *c, u32 v)
{
	c->fn = v;
	c->fz = ~v & PSR_Z;
	c->fc = v >> 29 & 1;
	c->fv = v >> 28 & 1;
}

/* The conditions EQ NE CS CC MI PL VS VC HI LS GE LT GT LE AL. DDI0100 table A3-1 */
static ALWAYS_INLINE bool flags_cond(const struct arm_cpu *c, unsigned cc)
{
	switch (cc) {
	case 0: return c->fz == 0;
	case 1: return c->fz != 0;
	case 2: return c->fc;
	case 3: return !c->fc;
	case 4: return (s32)c->fn < 0;
	case 5: return (s32)c->fn >= 0;
	case 6: return c->fv;
	case 7: return !c->fv;
	case 8: return c->fc && c->fz;
	case 9: return !(c->fc && c->fz);
	case 10: return c->fn >> 31 == c->fv;
	case 11: return c->fn >> 31 != c->fv;
	case 12: return c->fz && c->fn >> 31 == c->fv;
	case 13: return !(c->fz && c->fn >> 31 == c->fv);
	default: return true;
	}
}

#endif
