/* The instructions that move segment registers: MOV, PUSH, POP, LDS LES LFS LGS LSS. APM3. */
#include "cpu_x86/seg.h"

/* MOV SS and POP SS hold interrupts, NMIs and debug traps for one instruction. APM2 8.5 */
static void shadow_ss(struct x86_cpu *c)
{
	c->shadow = 1;
	c->shadow_nmi = 1;
	c->pending |= PEND_SHADOW;
}

void x86i_mov_sreg(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned seg = op_dst(o);

	if (seg == SEG_CS || seg > SEG_GS)
		x86_ud(c, RULE_UD_SREG);
	x86_load_seg(c, seg, (u16)x86_e_read(c, o, 2));
	if (seg == SEG_SS)
		shadow_ss(c);
}

/* A register gets the selector zero-extended to its size, memory always two bytes. APM3 MOV */
void x86i_mov_from_sreg(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned seg = op_dst(o);

	if (seg > SEG_GS)
		x86_ud(c, RULE_UD_SREG);
	x86_e_write(c, o, op_is_reg(o) ? op_size(o) : 2, c->seg[seg].sel);
}

void x86i_push_sreg(struct x86_cpu *c, const struct x86_op *o)
{
	u64 sp = c->r[R_SP];

	x86_push_at(c, &sp, op_size(o), c->seg[op_dst(o)].sel);
	x86_commit_sp(c, sp);
}

/* The stack pointer moves by the old stack's width, even if SS changes it. */
void x86i_pop_sreg(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned seg = op_dst(o);
	u64 old = c->r[R_SP], sp = old, val = x86_pop_at(c, &sp, op_size(o));
	u32 stack = c->mode & (MODE_STACK32 | MODE_STACK64);

	x86_load_seg(c, seg, (u16)val);
	if (stack == (c->mode & (MODE_STACK32 | MODE_STACK64)))
		x86_commit_sp(c, sp);
	else
		c->r[R_SP] = stack ? (u32)sp : (old & ~0xffffull) | (sp & 0xffff);
	if (seg == SEG_SS)
		shadow_ss(c);
}

/* op_imm: the segment. With REX.W the 32-bit offset is zero-extended. APM3 LDS */
void x86i_lxs(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned z = op_size(o) == 2 ? 2 : 4, seg = (unsigned)op_imm(o);
	u64 ea = x86_ea(c, o), off;
	u16 sel;

	if (op_is_reg(o))
		x86_ud(c, RULE_UD_OPERAND);
	off = x86_load_seg_off(c, op_seg(o), ea, z);
	sel = (u16)x86_load_seg_off(c, op_seg(o), (ea + z) & mask_low(16u << op_asize(o)), 2);
	x86_load_seg(c, seg, sel);
	x86_reg_write(c, op_dst(o), op_size(o), off);
}
