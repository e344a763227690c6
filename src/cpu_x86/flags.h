/*
 * Arithmetic flags are kept as the host's own arithmetic leaves them: c->flow is what LAHF gives (SF ZF 0 AF 0 PF 1 CF, their places in
 * rFLAGS), c->fof is OF. Guest and host are the same architecture, so that one host instruction computes what the guest's
 * would, and two stores keep it. Only flags that the manual defines come from the host: the rest is computed, the same on
 * every host. APM1 3.1.4.
 */
#ifndef CPU_X86_FLAGS_H
#define CPU_X86_FLAGS_H

#include "cpu_x86/cpu.h"

#define FLAGS_LOW (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF)

static ALWAYS_INLINE bool flag_cf(const struct x86_cpu *c) { return c->flow & FLAG_CF; }
static ALWAYS_INLINE bool flag_of(const struct x86_cpu *c) { return c->fof; }
static ALWAYS_INLINE bool flag_af(const struct x86_cpu *c) { return c->flow & FLAG_AF; }
static ALWAYS_INLINE bool flag_zf(const struct x86_cpu *c) { return c->flow & FLAG_ZF; }
static ALWAYS_INLINE bool flag_sf(const struct x86_cpu *c) { return c->flow & FLAG_SF; }
static ALWAYS_INLINE bool flag_pf(const struct x86_cpu *c) { return c->flow & FLAG_PF; }

/* CF PF AF ZF SF OF in their places in rFLAGS. */
static inline u32 flags_arith_get(const struct x86_cpu *c) { return (c->flow & FLAGS_LOW) | (c->fof ? FLAG_OF : 0); }

static inline void flags_arith_set(struct x86_cpu *c, u32 f)
{
	c->flow = (u8)((f & FLAGS_LOW) | FLAG_1);
	c->fof = (f & FLAG_OF) != 0;
}

/* The sixteen conditions of Jcc, SETcc, CMOVcc. */
static ALWAYS_INLINE bool flags_cond(const struct x86_cpu *c, unsigned cc)
{
	bool v;

	switch (cc >> 1) {
	case 0: v = flag_of(c); break;
	case 1: v = flag_cf(c); break;
	case 2: v = flag_zf(c); break;
	case 3: v = c->flow & (FLAG_CF | FLAG_ZF); break;
	case 4: v = flag_sf(c); break;
	case 5: v = flag_pf(c); break;
	case 6: v = (c->flow >> 7 ^ c->fof) & 1; break;
	default: v = ((c->flow >> 7 ^ c->fof) & 1) | flag_zf(c); break;
	}
	return v ^ (cc & 1);
}

/* ---- host arithmetic: the host instruction on (a, b), its flags kept, its result returned ---- */
#define FLAGS_KEEP "\n\tlahf\n\tseto %[of]"
#define FLAGS_SUFFIX_8 "b"
#define FLAGS_SUFFIX_16 "w"
#define FLAGS_SUFFIX_32 "l"
#define FLAGS_SUFFIX_64 "q"
#define FLAGS_BINARY(name, insn, w)                                                                                              \
	static ALWAYS_INLINE u##w flags_##name##w(struct x86_cpu *c, u##w a, u##w b)                                              \
	{                                                                                                                        \
		u32 ax;                                                                                                          \
		__asm__(insn FLAGS_SUFFIX_##w " %[b], %[a]" FLAGS_KEEP                                                            \
		        : [a] "+q"(a), "=&a"(ax), [of] "=m"(c->fof)                                                              \
		        : [b] "q"(b)                                                                                             \
		        : "cc");                                                                                                 \
		c->flow = (u8)(ax >> 8);                                                                                         \
		return a;                                                                                                        \
	}
/* With CF as an input: BT puts it there. */
#define FLAGS_CARRY(name, insn, w)                                                                                               \
	static ALWAYS_INLINE u##w flags_##name##w(struct x86_cpu *c, u##w a, u##w b)                                              \
	{                                                                                                                        \
		u32 ax;                                                                                                          \
		__asm__("btl $0, %[f]\n\t" insn FLAGS_SUFFIX_##w " %[b], %[a]" FLAGS_KEEP                                         \
		        : [a] "+q"(a), "=&a"(ax), [of] "=m"(c->fof)                                                              \
		        : [b] "q"(b), [f] "r"((u32)c->flow)                                                                      \
		        : "cc");                                                                                                 \
		c->flow = (u8)(ax >> 8);                                                                                         \
		return a;                                                                                                        \
	}
/* INC and DEC keep CF. */
#define FLAGS_UNARY(name, insn, w)                                                                                               \
	static ALWAYS_INLINE u##w flags_##name##w(struct x86_cpu *c, u##w a)                                                      \
	{                                                                                                                        \
		u32 ax;                                                                                                          \
		__asm__("btl $0, %[f]\n\t" insn FLAGS_SUFFIX_##w " %[a]" FLAGS_KEEP                                               \
		        : [a] "+q"(a), "=&a"(ax), [of] "=m"(c->fof)                                                              \
		        : [f] "r"((u32)c->flow)                                                                                  \
		        : "cc");                                                                                                 \
		c->flow = (u8)(ax >> 8);                                                                                         \
		return a;                                                                                                        \
	}
#define FLAGS_WIDTH(w)                                                                                                           \
	FLAGS_BINARY(add, "add", w)                                                                                              \
	FLAGS_BINARY(sub, "sub", w)                                                                                              \
	FLAGS_CARRY(adc, "adc", w)                                                                                               \
	FLAGS_CARRY(sbb, "sbb", w)                                                                                               \
	FLAGS_UNARY(inc, "inc", w)                                                                                               \
	FLAGS_UNARY(dec, "dec", w)                                                                                               \
	/* SF, ZF and PF of r; CF and OF as given; AF = 0. */                                                                    \
	static ALWAYS_INLINE void flags_result##w(struct x86_cpu *c, u##w r, bool cf, bool of)                                    \
	{                                                                                                                        \
		u32 ax;                                                                                                          \
		__asm__("test" FLAGS_SUFFIX_##w " %[r], %[r]\n\tlahf" : "=&a"(ax) : [r] "q"(r) : "cc");                           \
		c->flow = (u8)((ax >> 8 & ~(u32)FLAG_AF) | cf);                                                                  \
		c->fof = of;                                                                                                     \
	}
FLAGS_WIDTH(8)
FLAGS_WIDTH(16)
FLAGS_WIDTH(32)
FLAGS_WIDTH(64)

/* The same by size in bytes. */
static inline void flags_result(struct x86_cpu *c, u64 r, unsigned size, bool cf, bool of)
{
	flags_result64(c, (u64)sign_extend(r, size * 8), cf, of); /* PF looks at the low byte only */
}
static inline void flags_sub(struct x86_cpu *c, u64 a, u64 b, unsigned size)
{
	switch (size) {
	case 1: flags_sub8(c, (u8)a, (u8)b); break;
	case 2: flags_sub16(c, (u16)a, (u16)b); break;
	case 4: flags_sub32(c, (u32)a, (u32)b); break;
	default: flags_sub64(c, a, b); break;
	}
}
static inline void flags_add(struct x86_cpu *c, u64 a, u64 b, unsigned size)
{
	switch (size) {
	case 1: flags_add8(c, (u8)a, (u8)b); break;
	case 2: flags_add16(c, (u16)a, (u16)b); break;
	case 4: flags_add32(c, (u32)a, (u32)b); break;
	default: flags_add64(c, a, b); break;
	}
}

/* Replace CF and OF, keep the others. */
static ALWAYS_INLINE void flags_set_cf_of(struct x86_cpu *c, bool cf, bool of)
{
	c->flow = (u8)((c->flow & ~(u32)FLAG_CF) | cf);
	c->fof = of;
}

#endif
