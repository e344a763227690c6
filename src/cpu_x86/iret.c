/*
 * IRET in all forms: real mode, virtual-8086 mode (with and without VME), to the same and to outer levels, to
 * virtual-8086 mode, to the previous task; 16, 32 and 64 bits. APM3 IRET, APM2 8.7.5, 8.9.4, 12.3.
 */
#include "cpu_x86/seg.h"

/* NMIs are open again; a guest with virtual NMIs unblocks those instead. APM2 8.2.2, 15.21.10 */
void iret_unmask_nmi(struct x86_cpu *c)
{
	enum { V_NMI_MASK = 1 << 12, V_NMI_ENABLE = 1 << 26 };

	if (unlikely(c->svm.guest) && c->svm.int_ctl & V_NMI_ENABLE) {
		c->svm.int_ctl &= ~(u64)V_NMI_MASK;
		if (c->pending & (PEND_VNMI | PEND_VIRQ))
			x86_pend(c, c->pending & (PEND_VNMI | PEND_VIRQ));
	} else {
		c->nmi_masked = 0;
		if (c->pending & PEND_NMI)
			x86_pend(c, PEND_NMI);
	}
}

/* What an image may change at this CPL and IOPL. APM3 IRET */
static u64 flags_mask(const struct x86_cpu *c, unsigned size)
{
	u64 m = FLAGS_ARITH | FLAG_TF | FLAG_DF | FLAG_NT | FLAG_RF | FLAG_AC | FLAG_ID;

	if (c->cpl == 0)
		m |= FLAG_IOPL | FLAG_VIF | FLAG_VIP;
	if (c->cpl <= (c->flags & FLAG_IOPL) >> 12)
		m |= FLAG_IF;
	return m & mask_low(8 * size);
}

static void iret_real(struct x86_cpu *c, unsigned size)
{
	u64 sp = c->r[R_SP], rip = x86_pop_at(c, &sp, size);
	u16 cs = (u16)x86_pop_at(c, &sp, size);
	u64 f = x86_pop_at(c, &sp, size);

	if (rip > c->seg[SEG_CS].limit)
		x86_gp(c, 0, RULE_TARGET_LIMIT);
	x86_commit_sp(c, sp);
	seg_set_real(c, SEG_CS, cs);
	x86_set_flags(c, f, flags_mask(c, size) & ~(u64)(FLAG_VIF | FLAG_VIP));
	seg_goto(c, rip);
}

/* APM2 8.10.3 (VME): at IOPL below 3 the 16-bit form acts on VIF. */
static void iret_v86(struct x86_cpu *c, unsigned size)
{
	bool vme = (c->flags & FLAG_IOPL) != FLAG_IOPL;
	u64 sp = c->r[R_SP], rip, f;
	u16 cs;

	if (vme && (!(c->cr4 & CR4_VME) || size != 2))
		x86_gp(c, 0, RULE_V86_IOPL);
	rip = x86_pop_at(c, &sp, size);
	cs = (u16)x86_pop_at(c, &sp, size);
	f = x86_pop_at(c, &sp, size);
	if (rip > c->seg[SEG_CS].limit)
		x86_gp(c, 0, RULE_TARGET_LIMIT);
	if (vme)
		vme_check_flags(c, (u32)f);
	x86_commit_sp(c, sp);
	seg_set_real(c, SEG_CS, cs);
	if (vme)
		vme_set_flags(c, (u32)f);
	else
		x86_set_flags(c, f, flags_mask(c, size));
	seg_goto(c, rip);
}

/* With VME or PVI, VIF and VIP both set stop the program before its first instruction. APM2 8.10.2 */
static void check_virtual_interrupt(struct x86_cpu *c)
{
	bool on = c->cr4 & (c->flags & FLAG_VM ? CR4_VME : CR4_PVI);
	u64 rip = c->new_rip;

	if (likely((~c->flags & (FLAG_VIF | FLAG_VIP)) || !on || c->cpl != 3))
		return;
	x86_sync(c);
	c->rip = rip;
	x86_gp(c, 0, RULE_VIF_VIP);
}

/* From CPL 0 to virtual-8086 mode: all segment registers come from the stack. APM2 8.7.5 */
static void iret_to_v86(struct x86_cpu *c, u64 rip, u16 cs, u64 f, u64 sp)
{
	u16 sel[6];
	u64 new_sp = x86_pop_at(c, &sp, 4);

	sel[SEG_CS] = cs;
	sel[SEG_SS] = (u16)x86_pop_at(c, &sp, 4);
	sel[SEG_ES] = (u16)x86_pop_at(c, &sp, 4);
	sel[SEG_DS] = (u16)x86_pop_at(c, &sp, 4);
	sel[SEG_FS] = (u16)x86_pop_at(c, &sp, 4);
	sel[SEG_GS] = (u16)x86_pop_at(c, &sp, 4);
	if (rip > 0xffff)
		x86_gp(c, 0, RULE_TARGET_LIMIT);
	x86_set_flags(c, f, flags_mask(c, 4) | FLAG_VM);
	v86_enter_segs(c, sel);
	c->r[R_SP] = (u32)new_sp;
	seg_goto(c, rip);
}

/* The frame: rip, cs, flags, and rsp, ss when they are there. */
static void pop_frame(struct x86_cpu *c, unsigned size, u64 *v, unsigned from, unsigned to, u64 *sp)
{
	if (size == 8 && from == 0 && x86_long64(c) && c->cpl != 3) {
		const void *p = x86_host(c, *sp, 8 * to, TLB_R);

		if (likely(p != NULL)) {
			memcpy(v, p, 8 * to);
			*sp += 8 * to;
			return;
		}
	}
	for (unsigned i = from; i < to; i++)
		v[i] = x86_pop_at(c, sp, size);
}

static void iret_protected(struct x86_cpu *c, unsigned size)
{
	u64 v[5], sp = c->r[R_SP], mask;
	bool whole = x86_long64(c); /* 64-bit mode always pops SS:RSP; APM2 8.9.4 */
	struct far_frame f;
	struct x86_desc cs;

	pop_frame(c, size, v, 0, whole ? 5 : 3, &sp);
	if (size == 4 && v[2] & FLAG_VM && c->cpl == 0 && !x86_long(c)) {
		iret_to_v86(c, v[0], (u16)v[1], v[2], sp);
		return;
	}
	f.rip = v[0];
	f.cs = (u16)v[1];
	far_read_return_cs(c, f.cs, &cs);
	f.has_ss = whole || (f.cs & 3u) != c->cpl;
	if (f.has_ss && !whole)
		pop_frame(c, size, v, 3, 5, &sp);
	f.ss = f.has_ss ? (u16)v[4] : 0;
	f.sp = f.has_ss ? v[3] : sp;
	mask = flags_mask(c, size);
	far_return(c, &f, &cs);
	x86_set_flags(c, v[2], mask);
}

void x86i_iret(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned size = op_size(o);

	svm_check(c, &c->svm, ICPT_IRET); /* before any exception; APM2 15.9 */
	if (!(c->mode & MODE_PE)) {
		iret_real(c, size);
	} else if (c->mode & MODE_VM) {
		iret_v86(c, size);
	} else {
		if (c->flags & FLAG_NT) {
			if (x86_long(c))
				x86_gp(c, 0, RULE_IRET_NT);
			task_return(c); /* does not come back */
		}
		iret_protected(c, size);
	}
	iret_unmask_nmi(c);
	check_virtual_interrupt(c);
}
