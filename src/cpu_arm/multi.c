/*
 * LDM and STM. The inline handlers take lists that lie in one page; the others go word by word, loading all before any register changes, so that an
 * abort leaves registers and base as they were (DDI0198 1.1). DDI0100 A5.4, A4.1.20-A4.1.22, A4.1.97, A4.1.98.
 */
#include "cpu_arm/exec.h"

/* The lowest address, and its host address if all of it is in one page that the TLB knows. */
static ALWAYS_INLINE u32 *list_host(struct arm_cpu *c, const struct arm_op *o, unsigned rw)
{
	u32 va = REG(c, op_rn(o)) + (u32)(s8)op_rs(o);

	if (unlikely((va & ~(u32)PAGE_MASK) + op_rm(o) > PAGE_SIZE))
		return NULL;
	return arm_host(c, va, 4, rw);
}

static ALWAYS_INLINE u32 load_list(struct arm_cpu *c, const struct arm_op *o, const u32 *p)
{
	u32 list = op_imm(o);

	REG(c, op_rn(o)) += op_aux(o);
	for (; list; list &= list - 1)
		c->s.r[__builtin_ctz(list)] = *p++;
	return p[-1];
}

static void load_words(struct arm_cpu *c, const struct arm_op *o, u32 *to)
{
	u32 va = REG(c, op_rn(o)) + (u32)(s8)op_rs(o);

	c->op = op_self(o);
	for (unsigned i = 0; i < op_rm(o) / 4u; i++)
		to[i] = arm_load_word(c, va + 4 * i);
}

static NOINLINE INSN ldm_slow(struct arm_cpu *c, const struct arm_op *o)
{
	u32 buf[16];

	load_words(c, o, buf);
	load_list(c, o, buf);
	return op_next(c, o);
}
static INSN ldm(struct arm_cpu *c, const struct arm_op *o)
{
	const u32 *p = list_host(c, o, TLB_R);

	if (unlikely(!p))
		return ldm_slow(c, o);
	load_list(c, o, p);
	return op_next(c, o);
}
arm_fn *const arm_ldm = ldm;

/* With r15, the last of the list. */
static NOINLINE INSN ldm_pc_slow(struct arm_cpu *c, const struct arm_op *o)
{
	u32 buf[16];

	load_words(c, o, buf);
	load_list(c, o, buf);
	arm_load_pc(c, c->s.r[15]);
	c->s.r[15] = c->new_pc;
	c->op = NULL;
	return arm_go_on(c);
}
static INSN ldm_pc(struct arm_cpu *c, const struct arm_op *o)
{
	const u32 *p = list_host(c, o, TLB_R);

	if (unlikely(!p || c->s.cp15.control & CTL_L4))
		return ldm_pc_slow(c, o);
	return jump_exchange(c, load_list(c, o, p));
}
arm_fn *const arm_ldm_pc = ldm_pc;

static NOINLINE INSN stm_slow(struct arm_cpu *c, const struct arm_op *o)
{
	u32 va = REG(c, op_rn(o)) + (u32)(s8)op_rs(o), list = op_imm(o);

	c->op = op_self(o);
	for (; list; list &= list - 1, va += 4)
		arm_store_word(c, va, c->s.r[__builtin_ctz(list)]);
	REG(c, op_rn(o)) += op_aux(o);
	return op_next(c, o);
}
static INSN stm(struct arm_cpu *c, const struct arm_op *o)
{
	u32 *p = list_host(c, o, TLB_W), list = op_imm(o);

	if (unlikely(!p))
		return stm_slow(c, o);
	for (; list; list &= list - 1)
		*p++ = c->s.r[__builtin_ctz(list)];
	REG(c, op_rn(o)) += op_aux(o);
	return op_next(c, o);
}
arm_fn *const arm_stm = stm;

/* ---- the forms with ^, and STM of r15, from the encoding ---- */

static u32 lowest(const struct arm_cpu *c, u32 w, u32 *moved)
{
	u32 base = c->s.r[w >> 16 & 15], n = 4 * (u32)__builtin_popcount(w & 0xffff);
	bool up = w >> 23 & 1, before = w >> 24 & 1;

	*moved = up ? base + n : base - n;
	return (up ? base : base - n) + (up == before ? 4 : 0);
}

/* The mode whose registers move, or 0 for the present one's. In User mode the ^ forms are Undefined here: unpredictable, and on the ARM926 as on
 * QEMU they trap. DDI0100 A4.1.21 */
void arm_i_stm_user(struct arm_cpu *c, const struct arm_op *o)
{
	u32 w = op_aux(o), moved, va = lowest(c, w, &moved), list = w & 0xffff;
	u32 mode = w >> 22 & 1 ? MODE_USR : c->s.cpsr;

	for (; list; list &= list - 1, va += 4) {
		unsigned n = (unsigned)__builtin_ctz(list);

		arm_store_word(c, va, n == 15 ? arm_pc(c) + 12 : *arm_reg_place(c, mode, n));
	}
	if (w >> 21 & 1)
		c->s.r[w >> 16 & 15] = moved;
	(void)o;
}

void arm_i_ldm_user(struct arm_cpu *c, const struct arm_op *o)
{
	u32 w = op_aux(o), moved, va = lowest(c, w, &moved), list = w & 0xffff, buf[16], *p = buf;

	for (u32 l = list; l; l &= l - 1, va += 4)
		*p++ = arm_load_word(c, va);
	if (w >> 21 & 1)
		c->s.r[w >> 16 & 15] = moved;
	p = buf;
	for (; list; list &= list - 1)
		*arm_reg_place(c, MODE_USR, (unsigned)__builtin_ctz(list)) = *p++;
	(void)o;
}

/* With r15: the present mode's registers, and CPSR from SPSR. DDI0100 A4.1.22 */
void arm_i_ldm_return(struct arm_cpu *c, const struct arm_op *o)
{
	u32 w = op_aux(o), moved, va = lowest(c, w, &moved), list = w & 0xffff, buf[16], *p = buf;

	if (arm_bank_of(c->s.cpsr) == BANK_USR) {
		arm_undefined(c, o);
		return;
	}
	for (u32 l = list; l; l &= l - 1, va += 4)
		*p++ = arm_load_word(c, va);
	if (w >> 21 & 1)
		c->s.r[w >> 16 & 15] = moved;
	p = buf;
	for (; list & 0x7fff; list &= list - 1)
		c->s.r[__builtin_ctz(list)] = *p++;
	arm_return(c, o, *p);
}
