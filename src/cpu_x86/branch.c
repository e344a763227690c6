/*
 * Near branches and the ends of blocks: Jcc, JMP, CALL, RET, LOOPcc, JrCXZ, and the synthetic ends. A direct branch keeps links to its
 * successors; links stay inside a page, so that no translation needs a look. APM3: each instruction's page.
 *
 * A branch op's imm is the displacement of the target from the block's start; its length and the bytes before it give the fall-through
 * through disp (offset of the next instruction from the block's start).
 */
#include "cpu_x86/chain.h"
#include "cpu_x86/family.h"

/* Targets in any mode: 64-bit ones wrap naturally, others by the operand size and are checked against the limit. APM2 4.12 */
static ALWAYS_INLINE bool target_ok(struct x86_cpu *c, const struct x86_op *o, enum am m, u64 *rip)
{
	if (m == AM_L)
		return x86_canonical(c, *rip);
	*rip &= op_operand_mask(o);
	return *rip <= c->cs_lim;
}

static ALWAYS_INLINE INSN jump_rel(struct x86_cpu *c, const struct x86_op *o, enum am m, bool taken)
{
	u64 rip = c->r[R_RIP] + (u64)(taken ? op_imm(o) : op_disp(o));

	if (taken && m == AM_S && unlikely(!target_ok(c, o, m, &rip)))
		return x86_bad_target(c, op_self(o));
	if (!taken && m == AM_S)
		rip &= c->rip_mask;
	return follow(c, o, !taken, rip);
}

/* Both ways write their own tail, so that the branch predictor sees two jumps. */
#define JCC(cc)                                                                                                                  \
	static INSN jcc##cc##_l(struct x86_cpu *c, const struct x86_op *o)                                                        \
	{                                                                                                                        \
		if (flags_cond(c, cc))                                                                                           \
			return jump_rel(c, o, AM_L, true);                                                                       \
		return jump_rel(c, o, AM_L, false);                                                                              \
	}                                                                                                                        \
	static INSN jcc##cc##_s(struct x86_cpu *c, const struct x86_op *o)                                                        \
	{                                                                                                                        \
		if (flags_cond(c, cc))                                                                                           \
			return jump_rel(c, o, AM_S, true);                                                                       \
		return jump_rel(c, o, AM_S, false);                                                                              \
	}
JCC(0)
JCC(1)
JCC(2)
JCC(3)
JCC(4)
JCC(5)
JCC(6)
JCC(7)
JCC(8)
JCC(9)
JCC(10)
JCC(11)
JCC(12)
JCC(13)
JCC(14)
JCC(15)
x86_fn *const x86_jcc[2][16] = {
        {jcc0_l, jcc1_l, jcc2_l, jcc3_l, jcc4_l, jcc5_l, jcc6_l, jcc7_l, jcc8_l, jcc9_l, jcc10_l, jcc11_l, jcc12_l, jcc13_l, jcc14_l, jcc15_l},
        {jcc0_s, jcc1_s, jcc2_s, jcc3_s, jcc4_s, jcc5_s, jcc6_s, jcc7_s, jcc8_s, jcc9_s, jcc10_s, jcc11_s, jcc12_s, jcc13_s, jcc14_s, jcc15_s},
};

static INSN jmp_l(struct x86_cpu *c, const struct x86_op *o) { return jump_rel(c, o, AM_L, true); }
static INSN jmp_s(struct x86_cpu *c, const struct x86_op *o) { return jump_rel(c, o, AM_S, true); }

/* ---- indirect: find the successor by its translation ---- */
static ALWAYS_INLINE INSN jump_to(struct x86_cpu *c, const struct x86_op *o, enum am m, u64 rip)
{
	struct x86_jump_entry *j = x86_jump_slot(c, rip);

	if (m == AM_L) {
		if (unlikely(j->rip != rip || j->key != c->jump_key))
			return x86_jump_miss(c, op_self(o), rip);
		c->r[R_RIP] = rip;
		return enter(c, j->block);
	}
	if (unlikely(!target_ok(c, o, m, &rip)))
		return x86_bad_target(c, op_self(o));
	return x86_jump_miss(c, op_self(o), rip);
}

/* ---- stack accesses of CALL, RET, PUSH, POP ---- */
static ALWAYS_INLINE u64 stack_mask(const struct x86_cpu *c)
{
	return c->mode & MODE_STACK64 ? ~0ull : c->mode & MODE_STACK32 ? 0xffffffff : 0xffff;
}
static ALWAYS_INLINE void stack_set(struct x86_cpu *c, enum am m, u64 sp)
{
	u64 mask = m == AM_L ? ~0ull : stack_mask(c);

	if (m == AM_L || mask == ~0ull)
		c->r[R_SP] = sp;
	else if (mask == 0xffff)
		REG_SET16(c, REG_OFFSET(R_SP), sp);
	else
		c->r[R_SP] = (u32)sp;
}
static ALWAYS_INLINE void *stack_mem(struct x86_cpu *c, enum am m, u64 sp, unsigned size, unsigned rw)
{
	if (m == AM_S) {
		if (unlikely(sp + size > (rw == TLB_W ? c->swlim : c->srlim)[SEG_SS]))
			return NULL;
		sp += c->sbase[SEG_SS];
		if (!x86_long64(c))
			sp = (u32)sp;
	}
	return x86_host(c, sp, size, rw);
}
/* Push v; false: take the slow handler. The pointer is committed here, after the store. */
static ALWAYS_INLINE bool push(struct x86_cpu *c, const struct x86_op *o, enum am m, unsigned size, u64 v)
{
	u64 sp = c->r[R_SP] - size;
	void *p;

	if (m == AM_SLOW) {
		c->op = o;
		sp = c->r[R_SP];
		x86_push_at(c, &sp, size, v);
		x86_commit_sp(c, sp);
		return true;
	}
	if (m == AM_S)
		sp &= stack_mask(c);
	p = stack_mem(c, m, sp, size, TLB_W);
	if (unlikely(!p))
		return false;
	store_le(p, size, v);
	stack_set(c, m, sp);
	return true;
}
/* Pop into *v, giving the new pointer in *nsp without committing it. */
static ALWAYS_INLINE bool pop(struct x86_cpu *c, const struct x86_op *o, enum am m, unsigned size, u64 *v, u64 *nsp)
{
	u64 sp = c->r[R_SP];
	const void *p;

	if (m == AM_SLOW) {
		c->op = o;
		*v = x86_pop_at(c, &sp, size);
		*nsp = sp;
		return true;
	}
	if (m == AM_S)
		sp &= stack_mask(c);
	p = stack_mem(c, m, sp, size, TLB_R);
	if (unlikely(!p))
		return false;
	*v = load_le(p, size);
	*nsp = sp + size;
	return true;
}

/* As FAMILY_MEM, without AM_B. */
#define STACK_FORMS(name, w)                                                                                                     \
	static INSN name##w##_l(struct x86_cpu *c, const struct x86_op *o) { return name##w(c, o, AM_L); }                        \
	static INSN name##w##_s(struct x86_cpu *c, const struct x86_op *o) { return name##w(c, o, AM_S); }                        \
	static INSN name##w##_slow(struct x86_cpu *c, const struct x86_op *o) { return name##w(c, o, AM_SLOW); }
#define STACK_MODES(name, w) {name##w##_l, name##w##_s, name##w##_slow, name##w##_l}

/* ---- CALL, RET, JMP in 16, 32 and 64 bits. AM_SLOW serves every mode: it leaves to the run loop. ---- */
static ALWAYS_INLINE INSN branch_slow(struct x86_cpu *c, const struct x86_op *o, u64 rip)
{
	if (!target_ok(c, o, x86_long64(c) ? AM_L : AM_S, &rip))
		return x86_bad_target(c, op_self(o));
	c->rip = rip;
	return x86_leave(c);
}
#define NEAR(w)                                                                                                                  \
	static INSN call_rel##w##_slow(struct x86_cpu *c, const struct x86_op *o); /* op->block is taken */                       \
	static ALWAYS_INLINE INSN call_rel##w(struct x86_cpu *c, const struct x86_op *o, enum am m)                               \
	{                                                                                                                        \
		u64 rip = c->r[R_RIP] + (u64)op_imm(o), ret = c->r[R_RIP] + (u64)op_disp(o), sp = c->r[R_SP], t = rip;   \
		if (!push(c, o, m, w / 8, ret))                                                                          \
			return op_miss(c, o, call_rel##w##_slow);                                                                 \
		if (m != AM_L && !target_ok(c, o, w == 64 ? AM_L : AM_S, &t)) {                                          \
			c->r[R_SP] = sp;                                                                                 \
			return x86_bad_target(c, op_self(o));                                                                     \
		}                                                                                                        \
		if (m == AM_SLOW)                                                                                                \
			return branch_slow(c, o, rip);                                                                           \
		return jump_rel(c, o, m, true);                                                                                  \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN call_ind##w(struct x86_cpu *c, const struct x86_op *o, enum am m, u64 rip)                      \
	{                                                                                                                        \
		u64 t = rip, sp = c->r[R_SP];                                                                            \
		if (!push(c, o, m, w / 8, c->r[R_RIP] + (u64)op_imm(o)))                                                 \
			return op_miss(c, o, o->slow);                                                                            \
		if (!target_ok(c, o, w == 64 ? AM_L : AM_S, &t)) {                                                       \
			c->r[R_SP] = sp;                                                                                 \
			return x86_bad_target(c, op_self(o));                                                                     \
		}                                                                                                        \
		if (m == AM_SLOW)                                                                                                \
			return branch_slow(c, o, rip);                                                                           \
		return jump_to(c, o, m, rip);                                                                                    \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN call_reg##w(struct x86_cpu *c, const struct x86_op *o, enum am m)                               \
	{                                                                                                                        \
		return call_ind##w(c, o, m, REG_GET##w(c, op_dst(o)));                                                            \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN call_mem##w(struct x86_cpu *c, const struct x86_op *o, enum am m)                               \
	{                                                                                                                        \
		u64 v;                                                                                                           \
		if (!x86_rd(c, o, m, w / 8, &v))                                                                                 \
			return op_miss(c, o, o->slow);                                                                                    \
		return call_ind##w(c, o, m, v);                                                                                  \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN jmp_reg##w(struct x86_cpu *c, const struct x86_op *o, enum am m)                                \
	{                                                                                                                        \
		u64 v = REG_GET##w(c, op_dst(o));                                                                                 \
		if (m == AM_SLOW)                                                                                                \
			return branch_slow(c, o, v);                                                                             \
		return jump_to(c, o, m, v);                                                                                      \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN jmp_mem##w(struct x86_cpu *c, const struct x86_op *o, enum am m)                                \
	{                                                                                                                        \
		u64 v;                                                                                                           \
		if (!x86_rd(c, o, m, w / 8, &v))                                                                                 \
			return op_miss(c, o, o->slow);                                                                                    \
		if (m == AM_SLOW)                                                                                                \
			return branch_slow(c, o, v);                                                                             \
		return jump_to(c, o, w == 64 ? AM_L : m, v); /* any address form: the target is a 64-bit one */          \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN ret##w(struct x86_cpu *c, const struct x86_op *o, enum am m)                                    \
	{                                                                                                                        \
		u64 v, sp, t;                                                                                                    \
		if (!pop(c, o, m, w / 8, &v, &sp))                                                                               \
			return op_miss(c, o, o->slow);                                                                                    \
		t = v;                                                                                                           \
		if (unlikely(!target_ok(c, o, m == AM_L || w == 64 ? AM_L : AM_S, &t)))                                           \
			return x86_bad_target(c, op_self(o));                                                                             \
		stack_set(c, m == AM_L ? AM_L : AM_S, sp + (u16)op_imm(o));                                                       \
		if (m == AM_SLOW)                                                                                                \
			return branch_slow(c, o, v);                                                                             \
		return jump_to(c, o, m, v);                                                                                      \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN push_r##w(struct x86_cpu *c, const struct x86_op *o, enum am m)                                 \
	{                                                                                                                        \
		if (!push(c, o, m, w / 8, REG_GET64(c, op_dst(o))))                                                                      \
			return op_miss(c, o, o->slow);                                                                                    \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN push_i##w(struct x86_cpu *c, const struct x86_op *o, enum am m)                                 \
	{                                                                                                                        \
		if (!push(c, o, m, w / 8, (u64)op_imm(o)))                                                                       \
			return op_miss(c, o, o->slow);                                                                                    \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	static ALWAYS_INLINE INSN pop_r##w(struct x86_cpu *c, const struct x86_op *o, enum am m)                                  \
	{                                                                                                                        \
		u64 v, sp;                                                                                                       \
		if (!pop(c, o, m, w / 8, &v, &sp))                                                                               \
			return op_miss(c, o, o->slow);                                                                                    \
		stack_set(c, m == AM_L ? AM_L : AM_S, sp);                                                                        \
		REG_SET##w(c, op_dst(o), (u##w)v);                                                                                \
		return x86_next(c, o);                                                                                           \
	}                                                                                                                        \
	STACK_FORMS(call_rel, w) STACK_FORMS(call_reg, w) STACK_FORMS(call_mem, w) STACK_FORMS(jmp_reg, w)                        \
	STACK_FORMS(jmp_mem, w) STACK_FORMS(ret, w) STACK_FORMS(push_r, w) STACK_FORMS(push_i, w) STACK_FORMS(pop_r, w)
NEAR(16)
NEAR(32)
NEAR(64)

/* These families are looked up by mem[w][mode] even for register operands: the stack is a memory operand. */
#define NEAR_FAMILY(name)                                                                                                        \
	const struct x86_family x86_fam_##name = {{0}, {{0}, STACK_MODES(name, 16), STACK_MODES(name, 32), STACK_MODES(name, 64)}, 0};
NEAR_FAMILY(call_rel)
NEAR_FAMILY(call_reg)
NEAR_FAMILY(call_mem)
NEAR_FAMILY(jmp_reg)
NEAR_FAMILY(jmp_mem)
NEAR_FAMILY(ret)
NEAR_FAMILY(push_r)
NEAR_FAMILY(push_i)
NEAR_FAMILY(pop_r)
const struct x86_family x86_fam_jmp_rel = {{0}, {{0}, {jmp_l, jmp_s, 0, jmp_l}, {jmp_l, jmp_s, 0, jmp_l}, {jmp_l, jmp_s, 0, jmp_l}}, 0};

/* ---- LOOPcc, JrCXZ: dst holds the kind: 0 LOOPNE, 1 LOOPE, 2 LOOP, 3 JrCXZ; the counter's width is the address size ---- */
static ALWAYS_INLINE bool loop_taken(struct x86_cpu *c, const struct x86_op *o)
{
	u64 mask = op_address_mask(o), n = c->r[R_CX] & mask;
	unsigned kind = (unsigned)op_dst_number(o);

	if (kind == 3)
		return n == 0;
	n = (n - 1) & mask;
	if (mask == 0xffff) /* not op_asize: a template has no op to read */
		REG_SET16(c, REG_OFFSET(R_CX), n);
	else
		c->r[R_CX] = n;
	return n != 0 && (kind == 2 || flag_zf(c) == (kind == 1));
}
/* A refused target must leave rCX alone: it is looked at first. */
static ALWAYS_INLINE INSN loop_any(struct x86_cpu *c, const struct x86_op *o, enum am m)
{
	u64 cx = c->r[R_CX], rip = c->r[R_RIP] + (u64)op_imm(o);

	if (!loop_taken(c, o))
		return jump_rel(c, o, m, false);
	if (m == AM_S && !target_ok(c, o, m, &rip)) {
		c->r[R_CX] = cx;
		return x86_bad_target(c, op_self(o));
	}
	return jump_rel(c, o, m, true);
}
static INSN loop_l(struct x86_cpu *c, const struct x86_op *o) { return loop_any(c, o, AM_L); }
static INSN loop_s(struct x86_cpu *c, const struct x86_op *o) { return loop_any(c, o, AM_S); }
const struct x86_family x86_fam_loop = {{0}, {{0}, {loop_l, loop_s, 0, loop_l}, {loop_l, loop_s, 0, loop_l}, {loop_l, loop_s, 0, loop_l}}, 0};

/* ---- synthetic ends; imm = the block's length ---- */
static INSN end_follow(struct x86_cpu *c, const struct x86_op *o)
{
	u64 rip = (c->r[R_RIP] + (u64)op_imm(o)) & c->rip_mask;

	if (unlikely(c->pending | c->sched->kick | c->stop)) {
		c->rip = rip;
		return x86_leave(c);
	}
	return follow(c, o, 0, rip);
}
static INSN end_leave(struct x86_cpu *c, const struct x86_op *o)
{
	c->rip = (c->r[R_RIP] + (u64)op_imm(o)) & c->rip_mask;
	return x86_leave(c);
}
x86_fn *const x86_end_follow = end_follow;
x86_fn *const x86_end_leave = end_leave;
