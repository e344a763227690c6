/*
 * A comparison and the conditional branch behind it as one op, in 64-bit code. Registers: dst and src, or dst and an immediate in disp; the
 * memory forms hold a signed byte in dst. imm = the branch target; the fall-through is the block's end, whose offset the end
 * op holds. What this saves is a dispatch and the way through the flags' words.
 */
#include "cpu_x86/chain.h"

/* ---- what is compared, and the condition as the host's flags tell it ---- */
#define CC_2 "=@ccb"
#define CC_3 "=@ccae"
#define CC_4 "=@cce"
#define CC_5 "=@ccne"
#define CC_6 "=@ccbe"
#define CC_7 "=@cca"
#define CC_8 "=@ccs"
#define CC_9 "=@ccns"
#define CC_12 "=@ccl"
#define CC_13 "=@ccge"
#define CC_14 "=@ccle"
#define CC_15 "=@ccg"

/* a = a insn b; taken = the condition; the flags are kept. */
#define COMPARE(w, insn, cc)                                                                                             \
	u32 ax;                                                                                                          \
	__asm__(insn FLAGS_SUFFIX_##w " %[b], %[a]" FLAGS_KEEP                                                           \
	        : [a] "+q"(a), "=&a"(ax), [of] "=m"(c->fof), CC_##cc(taken)                                              \
	        : [b] "q"(b)                                                                                             \
	        : "cc");                                                                                                 \
	c->flow = (u8)(ax >> 8);

static ALWAYS_INLINE INSN branch(struct x86_cpu *c, const struct x86_op *o, bool taken)
{
	if (taken)
		return follow(c, o, 0, c->r[R_RIP] + (u64)op_imm(o));
	return follow(c, o, 1, c->r[R_RIP] + (u64)op_end(o));
}

/* Out of line, a device may have been touched: go on by the run loop. */
static ALWAYS_INLINE INSN branch_slow(struct x86_cpu *c, const struct x86_op *o, bool taken)
{
	return x86_goto(c, c->r[R_RIP] + (u64)(taken ? op_imm(o) : op_end(o)));
}

static ALWAYS_INLINE s64 byte_imm(const struct x86_op *o) { return (s8)op_dst_number(o); } /* memory forms */

/* ---- registers: keep = the result goes to dst ---- */
#define REG_CC(name, w, insn, B, keep, cc)                                                                               \
	static INSN name##w##_##cc(struct x86_cpu *c, const struct x86_op *o)                                            \
	{                                                                                                                \
		u##w a = REG_GET##w(c, op_dst(o)), b = (u##w)(B);                                                        \
		bool taken;                                                                                              \
		COMPARE(w, insn, cc)                                                                                     \
		if (keep)                                                                                                \
			REG_SET##w(c, op_dst(o), a);                                                                     \
		if (taken)                                                                                               \
			return branch(c, o, true);                                                                       \
		return branch(c, o, false);                                                                              \
	}
#define EACH_CC(X, ...)                                                                                                          \
	X(__VA_ARGS__, 2)                                                                                                        \
	X(__VA_ARGS__, 3)                                                                                                        \
	X(__VA_ARGS__, 4)                                                                                                        \
	X(__VA_ARGS__, 5)                                                                                                        \
	X(__VA_ARGS__, 6)                                                                                                        \
	X(__VA_ARGS__, 7)                                                                                                        \
	X(__VA_ARGS__, 8)                                                                                                        \
	X(__VA_ARGS__, 9)                                                                                                        \
	X(__VA_ARGS__, 12) X(__VA_ARGS__, 13) X(__VA_ARGS__, 14) X(__VA_ARGS__, 15)
#define ROW(name, w)                                                                                                             \
	{0, 0, name##w##_2, name##w##_3, name##w##_4, name##w##_5, name##w##_6, name##w##_7, name##w##_8, name##w##_9, 0, 0, name##w##_12, \
	 name##w##_13, name##w##_14, name##w##_15}

EACH_CC(REG_CC, cmp_rr, 8, "cmp", REG_GET8(c, op_src(o)), false)
EACH_CC(REG_CC, cmp_rr, 32, "cmp", REG_GET32(c, op_src(o)), false)
EACH_CC(REG_CC, cmp_rr, 64, "cmp", REG_GET64(c, op_src(o)), false)
EACH_CC(REG_CC, cmp_ri, 8, "cmp", op_disp(o), false)
EACH_CC(REG_CC, cmp_ri, 32, "cmp", op_disp(o), false)
EACH_CC(REG_CC, cmp_ri, 64, "cmp", op_disp(o), false)
EACH_CC(REG_CC, test_rr, 8, "test", REG_GET8(c, op_src(o)), false)
EACH_CC(REG_CC, test_rr, 32, "test", REG_GET32(c, op_src(o)), false)
EACH_CC(REG_CC, test_rr, 64, "test", REG_GET64(c, op_src(o)), false)
EACH_CC(REG_CC, test_ri, 8, "test", op_disp(o), false)
EACH_CC(REG_CC, test_ri, 32, "test", op_disp(o), false)
EACH_CC(REG_CC, sub_ri, 32, "sub", op_disp(o), true)
EACH_CC(REG_CC, sub_ri, 64, "sub", op_disp(o), true)
EACH_CC(REG_CC, add_ri, 32, "add", op_disp(o), true)
EACH_CC(REG_CC, add_ri, 64, "add", op_disp(o), true)
EACH_CC(REG_CC, and_ri, 32, "and", op_disp(o), true)

/* ---- memory: base and displacement (b), or with an index (l) ---- */
#define MEM_ONE(name, w, insn, A, B, cc, m)                                                                              \
	u64 v;                                                                                                           \
	u##w a, b;                                                                                                       \
	bool taken;                                                                                                      \
	if (!x86_rd(c, o, m, w / 8, &v))                                                                                 \
		return op_miss(c, o, name##w##_##cc##_slow);                                                                      \
	a = (u##w)(A);                                                                                                   \
	b = (u##w)(B);                                                                                                   \
	COMPARE(w, insn, cc)
#define MEM_FAST(name, form, m, w, insn, A, B, cc)                                                                       \
	static INSN name##_##form##w##_##cc(struct x86_cpu *c, const struct x86_op *o)                                   \
	{                                                                                                                \
		MEM_ONE(name, w, insn, A, B, cc, m)                                                                      \
		if (taken)                                                                                               \
			return branch(c, o, true);                                                                       \
		return branch(c, o, false);                                                                              \
	}
#define MEM_CC(name, w, insn, A, B, cc)                                                                                  \
	static NOINLINE INSN name##w##_##cc##_slow(struct x86_cpu *c, const struct x86_op *o)                            \
	{                                                                                                                \
		MEM_ONE(name, w, insn, A, B, cc, AM_SLOW)                                                                \
		return branch_slow(c, o, taken);                                                                         \
	}                                                                                                                \
	MEM_FAST(name, b, AM_B, w, insn, A, B, cc)                                                                       \
	MEM_FAST(name, l, AM_L, w, insn, A, B, cc)
EACH_CC(MEM_CC, cmp_mr, 8, "cmp", v, REG_GET8(c, op_src(o)))
EACH_CC(MEM_CC, cmp_mr, 32, "cmp", v, REG_GET32(c, op_src(o)))
EACH_CC(MEM_CC, cmp_mr, 64, "cmp", v, REG_GET64(c, op_src(o)))
EACH_CC(MEM_CC, cmp_rm, 8, "cmp", REG_GET8(c, op_dst(o)), v)
EACH_CC(MEM_CC, cmp_rm, 32, "cmp", REG_GET32(c, op_dst(o)), v)
EACH_CC(MEM_CC, cmp_rm, 64, "cmp", REG_GET64(c, op_dst(o)), v)
EACH_CC(MEM_CC, cmp_mi, 8, "cmp", v, byte_imm(o))
EACH_CC(MEM_CC, cmp_mi, 32, "cmp", v, byte_imm(o))
EACH_CC(MEM_CC, cmp_mi, 64, "cmp", v, byte_imm(o))
EACH_CC(MEM_CC, test_mi, 8, "test", v, byte_imm(o))

#define MEM_ROWS(form)                                                                                                           \
	{ROW(cmp_mr_##form, 8), {0}, ROW(cmp_mr_##form, 32), ROW(cmp_mr_##form, 64)},                                             \
	        {ROW(cmp_rm_##form, 8), {0}, ROW(cmp_rm_##form, 32), ROW(cmp_rm_##form, 64)},                                     \
	        {ROW(cmp_mi_##form, 8), {0}, ROW(cmp_mi_##form, 32), ROW(cmp_mi_##form, 64)}, {ROW(test_mi_##form, 8)},

/* In the order of enum x86_fusion. */
x86_fn *const x86_fused[FUSED_KINDS][4][16] = {
        {ROW(cmp_rr, 8), {0}, ROW(cmp_rr, 32), ROW(cmp_rr, 64)},
        {ROW(cmp_ri, 8), {0}, ROW(cmp_ri, 32), ROW(cmp_ri, 64)},
        {ROW(test_rr, 8), {0}, ROW(test_rr, 32), ROW(test_rr, 64)},
        {ROW(test_ri, 8), {0}, ROW(test_ri, 32)},
        {{0}, {0}, ROW(sub_ri, 32), ROW(sub_ri, 64)},
        {{0}, {0}, ROW(add_ri, 32), ROW(add_ri, 64)},
        {{0}, {0}, ROW(and_ri, 32)},
        MEM_ROWS(b) MEM_ROWS(l)};
