/* Branches. A direct branch's imm is the distance of its target from the block's start. DDI0100 A4.1.5, A4.1.8-A4.1.11, A7.1.13-A7.1.19. */
#include "cpu_arm/decode.h"
#include "cpu_arm/exec.h"

static ALWAYS_INLINE INSN branch(struct arm_cpu *c, const struct arm_op *o, unsigned cc, bool link)
{
	if (cc < 14 && !flags_cond(c, cc))
		return follow(c, o, 1, c->pc + op_end(o));
	if (link)
		c->s.r[14] = c->pc + op_end(o);
	return follow(c, o, 0, c->pc + op_imm(o));
}

#define CONDITIONS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#define BRANCH(cc)                                                                                                               \
	static INSN b##cc(struct arm_cpu *c, const struct arm_op *o) { return branch(c, o, cc, false); }                          \
	static INSN bl##cc(struct arm_cpu *c, const struct arm_op *o) { return branch(c, o, cc, true); }
CONDITIONS(BRANCH)
#define B_ENTRY(cc) b##cc,
#define BL_ENTRY(cc) bl##cc,
arm_fn *const arm_b[15] = {CONDITIONS(B_ENTRY)};
arm_fn *const arm_bl[15] = {CONDITIONS(BL_ENTRY)};

static ALWAYS_INLINE u32 thumb_bit(const struct arm_cpu *c) { return c->mode & ARM_MODE_THUMB; }

static INSN bx(struct arm_cpu *c, const struct arm_op *o) { return jump_exchange(c, REG(c, op_rm(o))); }
static INSN blx(struct arm_cpu *c, const struct arm_op *o)
{
	u32 to = REG(c, op_rm(o));

	c->s.r[14] = (c->pc + op_end(o)) | thumb_bit(c);
	return jump_exchange(c, to);
}
static INSN blx_imm(struct arm_cpu *c, const struct arm_op *o)
{
	c->s.r[14] = c->pc + op_end(o);
	return arm_exchange(c, (c->pc + op_imm(o)) | 1);
}
arm_fn *const arm_bx = bx, *const arm_blx = blx, *const arm_blx_imm = blx_imm;

/* Thumb's BL and BLX: both halves as one op, or the second one alone. */
static INSN thumb_bl(struct arm_cpu *c, const struct arm_op *o)
{
	c->s.r[14] = (c->pc + op_end(o)) | 1;
	return follow(c, o, 0, c->pc + op_imm(o));
}
static INSN thumb_blx(struct arm_cpu *c, const struct arm_op *o)
{
	c->s.r[14] = (c->pc + op_end(o)) | 1;
	return arm_exchange(c, (c->pc + op_imm(o)) & ~3u);
}
static INSN thumb_bl_suffix(struct arm_cpu *c, const struct arm_op *o)
{
	u32 to = c->s.r[14] + op_imm(o);

	c->s.r[14] = (c->pc + op_end(o)) | 1;
	return jump_to(c, to & ~1u);
}
static INSN thumb_blx_suffix(struct arm_cpu *c, const struct arm_op *o)
{
	u32 to = c->s.r[14] + op_imm(o);

	c->s.r[14] = (c->pc + op_end(o)) | 1;
	return arm_exchange(c, to & ~3u);
}
arm_fn *const arm_thumb_bl = thumb_bl, *const arm_thumb_blx = thumb_blx, *const arm_thumb_bl_suffix = thumb_bl_suffix,
             *const arm_thumb_blx_suffix = thumb_blx_suffix;
