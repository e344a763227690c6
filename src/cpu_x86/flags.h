/*
 * Lazy arithmetic flags in two words. fres is the last result, sign-extended; faux holds the carries:
 *   bit 63 CF, bit 62 CF xor OF, bit 3 AF, bit 0 inverts SF, bits 15..8 are XORed into the byte whose parity is PF.
 * ZF = (fres == 0); so a flag costs nothing until somebody reads it. APM1 3.1.4.
 */
#ifndef CPU_X86_FLAGS_H
#define CPU_X86_FLAGS_H

#include "cpu_x86/cpu.h"

static ALWAYS_INLINE bool flag_cf(const struct x86_cpu *c) { return c->faux >> 63; }
static ALWAYS_INLINE bool flag_of(const struct x86_cpu *c) { return (c->faux ^ c->faux << 1) >> 63; }
static ALWAYS_INLINE bool flag_af(const struct x86_cpu *c) { return c->faux >> 3 & 1; }
static ALWAYS_INLINE bool flag_zf(const struct x86_cpu *c) { return c->fres == 0; }
static ALWAYS_INLINE bool flag_sf(const struct x86_cpu *c) { return ((u64)c->fres >> 63) ^ (c->faux & 1); }
static ALWAYS_INLINE bool flag_pf(const struct x86_cpu *c)
{
	return !__builtin_parity((u8)c->fres ^ (u8)(c->faux >> 8));
}

/* CF PF AF ZF SF OF in their places in rFLAGS. */
static inline u32 flags_arith_get(const struct x86_cpu *c)
{
	return (flag_cf(c) ? FLAG_CF : 0) | (flag_pf(c) ? FLAG_PF : 0) | (flag_af(c) ? FLAG_AF : 0) | (flag_zf(c) ? FLAG_ZF : 0) |
	       (flag_sf(c) ? FLAG_SF : 0) | (flag_of(c) ? FLAG_OF : 0);
}

static inline void flags_arith_set(struct x86_cpu *c, u32 f)
{
	bool cf = f & FLAG_CF, of = f & FLAG_OF;

	c->fres = f & FLAG_ZF ? 0 : 0x10000;
	c->faux = (u64)cf << 63 | (u64)(cf ^ of) << 62 | (f & FLAG_AF ? 8 : 0) | (f & FLAG_SF ? 1 : 0) | (f & FLAG_PF ? 0 : 0x100);
}

/* The sixteen conditions of Jcc, SETcc, CMOVcc. */
static ALWAYS_INLINE bool flags_cond(const struct x86_cpu *c, unsigned cc)
{
	bool v;

	switch (cc >> 1) {
	case 0: v = flag_of(c); break;
	case 1: v = flag_cf(c); break;
	case 2: v = flag_zf(c); break;
	case 3: v = flag_cf(c) || flag_zf(c); break;
	case 4: v = flag_sf(c); break;
	case 5: v = flag_pf(c); break;
	case 6: v = flag_sf(c) ^ flag_of(c); break;
	default: v = (flag_sf(c) ^ flag_of(c)) || flag_zf(c); break;
	}
	return v ^ (cc & 1);
}

/* Set the flags of an addition r = a + b (+ carry), a subtraction r = a - b (- borrow), a logic result. */
#define FLAGS_WIDTH(w)                                                                                                           \
	static ALWAYS_INLINE void flags_carries##w(struct x86_cpu *c, u##w r, u##w v)                                             \
	{                                                                                                                        \
		c->fres = (s##w)r;                                                                                               \
		c->faux = w == 64 ? v & 0xc000000000000008ull : (u64)v << (64 - w) | (v & 8);                                     \
	}                                                                                                                        \
	static ALWAYS_INLINE void flags_add##w(struct x86_cpu *c, u##w a, u##w b, u##w r)                                         \
	{                                                                                                                        \
		flags_carries##w(c, r, (u##w)((a & b) | ((a | b) & ~r)));                                                         \
	}                                                                                                                        \
	static ALWAYS_INLINE void flags_sub##w(struct x86_cpu *c, u##w a, u##w b, u##w r)                                         \
	{                                                                                                                        \
		flags_carries##w(c, r, (u##w)((~a & b) | (~(a ^ b) & r)));                                                        \
	}                                                                                                                        \
	static ALWAYS_INLINE void flags_logic##w(struct x86_cpu *c, u##w r)                                                       \
	{                                                                                                                        \
		c->fres = (s##w)r;                                                                                               \
		c->faux = 0;                                                                                                     \
	}
FLAGS_WIDTH(8)
FLAGS_WIDTH(16)
FLAGS_WIDTH(32)
FLAGS_WIDTH(64)

/* Replace CF and OF, keep the others. */
static ALWAYS_INLINE void flags_set_cf_of(struct x86_cpu *c, bool cf, bool of)
{
	c->faux = (c->faux & ~(3ull << 62)) | (u64)cf << 63 | (u64)(cf ^ of) << 62;
}

#endif
