/* Fast system calls: SYSCALL, SYSRET, SYSENTER, SYSEXIT, and SWAPGS. No descriptor is read. APM2 6.1, APM3. */
#include "cpu_x86/flags.h"
#include "cpu_x86/seg.h"

/* Hidden attributes that these instructions load. */
enum {
	FAST_CODE64 = ATTR_G | ATTR_L | ATTR_P | ATTR_S | 0xb,
	FAST_CODE32 = ATTR_G | ATTR_DB | ATTR_P | ATTR_S | 0xb,
	FAST_DATA = ATTR_G | ATTR_DB | ATTR_P | ATTR_S | 3,
};
/* What SYSRET takes from R11; RF becomes 0, VM stays. */
enum {
	SYSRET_FLAGS = FLAGS_ARITH | FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_NT | FLAG_RF | FLAG_AC | FLAG_VIF |
		       FLAG_VIP | FLAG_ID
};

static inline void set_flat(struct x86_cpu *c, unsigned seg, unsigned sel, unsigned attr)
{
	c->seg[seg] = (struct x86_seg){.sel = (u16)sel, .attr = (u16)attr, .limit = 0xffffffff};
}

/* After CS and SS were written: between 64-bit code segments nothing derived changes. */
static inline void segs_written(struct x86_cpu *c, u32 was_64)
{
	if (was_64 && c->seg[SEG_CS].attr & ATTR_L)
		return;
	x86_mode_changed(c);
}

/* APM3 SYSCALL */
void x86i_syscall(struct x86_cpu *c, const struct x86_op *o)
{
	bool was_64 = x86_long64(c);
	unsigned cs = c->msr.star >> 32 & 0xfffc;
	u64 target;

	(void)o;
	if (!(c->efer & EFER_SCE))
		x86_ud(c, RULE_UD_SCE);
	if (x86_long(c)) {
		c->r[R_CX] = x86_next_rip(c);
		c->r[11] = x86_get_flags(c) & ~(u64)FLAG_RF;
		target = was_64 ? c->msr.lstar : c->msr.cstar;
		set_flat(c, SEG_CS, cs, FAST_CODE64);
	} else {
		c->r[R_CX] = (u32)x86_next_rip(c);
		target = (u32)c->msr.star;
		set_flat(c, SEG_CS, cs, FAST_CODE32);
	}
	set_flat(c, SEG_SS, (cs + 8) & 0xffff, FAST_DATA);
	c->cpl = 0;
	c->tf_after = true; /* SFMASK may hold single steps off. APM2 6.1.1 */
	if (x86_long(c))
		x86_set_flags(c, 0, (c->msr.sfmask & ~(u64)FLAG_VM) | FLAG_RF);
	else
		x86_set_flags(c, 0, FLAG_VM | FLAG_IF | FLAG_RF);
	segs_written(c, was_64);
	x86_set_cpl(c, 0);
	seg_goto(c, target);
}

/* SS keeps its base, limit and attributes: only the selector changes. A non-canonical rCX faults at the target, in user
 * mode. APM3 SYSRET */
void x86i_sysret(struct x86_cpu *c, const struct x86_op *o)
{
	bool was_64 = x86_long64(c);
	unsigned base = c->msr.star >> 48;
	u64 target = c->r[R_CX];

	if (!(c->efer & EFER_SCE))
		x86_ud(c, RULE_UD_SCE);
	if (!x86_protected(c) || c->cpl != 0)
		x86_gp(c, 0, RULE_GP_CPL);
	if (was_64 && op_size(o) == 8) {
		set_flat(c, SEG_CS, ((base + 16) & 0xffff) | 3, FAST_CODE64 | ATTR_DPL);
	} else {
		set_flat(c, SEG_CS, base | 3, FAST_CODE32 | ATTR_DPL);
		target = (u32)target;
	}
	c->seg[SEG_SS].sel = (u16)(base + 8);
	c->cpl = 3;
	c->tf_after = true; /* as if SYSCALL just ended */
	if (was_64)
		x86_set_flags(c, c->r[11] & ~(u64)FLAG_RF, SYSRET_FLAGS);
	else
		x86_set_flags(c, FLAG_IF, FLAG_IF);
	segs_written(c, was_64);
	x86_set_cpl(c, 3);
	seg_goto(c, target);
}

/* Legacy mode only on AMD processors. APM3 SYSENTER */
void x86i_sysenter(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned cs = c->msr.sysenter_cs & 0xfffc;

	(void)o;
	if (x86_long(c))
		x86_ud(c, RULE_UD_SYSENTER_LONG);
	if (!(c->mode & MODE_PE))
		x86_gp(c, 0, RULE_SYSENTER_REAL);
	if (!cs)
		x86_gp(c, 0, RULE_SYSENTER_CS);
	set_flat(c, SEG_CS, cs, FAST_CODE32);
	set_flat(c, SEG_SS, (cs + 8) & 0xffff, FAST_DATA);
	c->cpl = 0;
	x86_set_flags(c, 0, FLAG_VM | FLAG_IF | FLAG_RF);
	x86_mode_changed(c);
	c->r[R_SP] = (u32)c->msr.sysenter_esp;
	seg_goto(c, (u32)c->msr.sysenter_eip);
}

/* APM3 SYSEXIT */
void x86i_sysexit(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned cs = c->msr.sysenter_cs & 0xfffc;

	(void)o;
	if (x86_long(c))
		x86_ud(c, RULE_UD_SYSENTER_LONG);
	if (!x86_protected(c) || c->cpl != 0)
		x86_gp(c, 0, RULE_GP_CPL);
	if (!cs)
		x86_gp(c, 0, RULE_SYSENTER_CS);
	set_flat(c, SEG_CS, ((cs + 16) & 0xffff) | 3, FAST_CODE32 | ATTR_DPL);
	set_flat(c, SEG_SS, ((cs + 24) & 0xffff) | 3, FAST_DATA | ATTR_DPL);
	c->cpl = 3;
	x86_mode_changed(c);
	c->r[R_SP] = (u32)c->r[R_CX];
	seg_goto(c, (u32)c->r[R_DX]);
}

/* APM3 SWAPGS */
void x86i_swapgs(struct x86_cpu *c, const struct x86_op *o)
{
	u64 base = c->seg[SEG_GS].base;

	(void)o;
	if (!x86_long64(c))
		x86_ud(c, RULE_UD_MODE);
	if (c->cpl != 0)
		x86_gp(c, 0, RULE_GP_CPL);
	c->seg[SEG_GS].base = c->msr.kernel_gs_base;
	c->msr.kernel_gs_base = base;
	c->sbase[SEG_GS] = c->seg[SEG_GS].base;
}
