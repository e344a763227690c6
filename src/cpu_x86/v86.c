/*
 * Virtual-8086 mode: entering it, the virtual interrupt flag (VME), and INTn redirected to the 8086 program's own
 * vectors. APM2 8.10 (virtual interrupts), 12.2.4 (interrupt-redirection bitmap).
 */
#include "cpu_x86/flags.h"
#include "cpu_x86/seg.h"

/* EFLAGS.VM is set already. */
void v86_enter_segs(struct x86_cpu *c, const u16 sel[6])
{
	c->cpl = 3;
	for (unsigned i = SEG_ES; i <= SEG_GS; i++) {
		struct x86_seg *s = &c->seg[i];

		s->sel = sel[i];
		s->base = (u64)sel[i] << 4;
		s->limit = 0xffff;
		s->attr = ATTR_P | ATTR_S | ATTR_DPL | 3;
	}
	x86_mode_changed(c);
}

/* FLAGS as a program at IOPL < 3 sees it: VIF in IF's place, IOPL 3. APM2 8.10.3 */
u32 vme_flags(const struct x86_cpu *c)
{
	u32 f = (u32)x86_get_flags(c) & 0xffff & ~(u32)FLAG_IF;

	return f | FLAG_IOPL | (c->flags & FLAG_VIF ? FLAG_IF : 0);
}

/* Enabling virtual interrupts while one is pending, or single-stepping, is the monitor's business. APM2 8.10.3 */
void vme_check_flags(struct x86_cpu *c, u32 image)
{
	if (image & FLAG_IF && c->flags & FLAG_VIP)
		x86_gp(c, 0, RULE_VIF_VIP);
	if (image & FLAG_TF)
		x86_gp(c, 0, RULE_VME_TF);
}

/* IF of the image becomes VIF; IF and IOPL stay. */
void vme_set_flags(struct x86_cpu *c, u32 image)
{
	u64 f = (image & ~(u32)FLAG_VIF) | (image & FLAG_IF ? FLAG_VIF : 0);

	x86_set_flags(c, f, FLAGS_ARITH | FLAG_TF | FLAG_DF | FLAG_NT | FLAG_VIF);
}

/* The vector's bit in the 32 bytes below the I/O permission map; set: the monitor handles it. APM2 12.2.4 */
static bool to_monitor(struct x86_cpu *c, unsigned vector)
{
	const struct x86_seg *tr = &c->seg[SEG_TR];
	u32 map;

	if (!(tr->attr & 8) || tr->limit < 103)
		x86_gp(c, 0, RULE_V86_REDIRECT_MAP);
	map = (u32)sys_load(c, sys_va(c, tr->base + 102), 2) - 32 + vector / 8;
	if (map > tr->limit)
		x86_gp(c, 0, RULE_V86_REDIRECT_MAP);
	return sys_load(c, sys_va(c, tr->base + map), 1) >> (vector & 7) & 1;
}

bool v86_redirect(struct x86_cpu *c, unsigned vector)
{
	bool iopl3 = (c->flags & FLAG_IOPL) == FLAG_IOPL;
	u64 sp = c->r[R_SP];
	u16 cs, ip;

	if (!(c->cr4 & CR4_VME) || to_monitor(c, vector)) {
		if (!iopl3)
			x86_gp(c, 0, RULE_V86_IOPL);
		return false;
	}
	ip = (u16)sys_load(c, 4 * vector, 2);
	cs = (u16)sys_load(c, 4 * vector + 2, 2);
	x86_push_at(c, &sp, 2, iopl3 ? x86_get_flags(c) : vme_flags(c));
	x86_push_at(c, &sp, 2, c->seg[SEG_CS].sel);
	x86_push_at(c, &sp, 2, x86_next_rip(c));
	x86_commit_sp(c, sp);
	seg_set_real(c, SEG_CS, cs);
	x86_set_flags(c, 0, FLAG_TF | FLAG_NT | FLAG_RF | (iopl3 ? FLAG_IF : FLAG_VIF));
	seg_goto(c, ip);
	return true;
}
