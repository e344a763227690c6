/*
 * One event through the IDT: real-mode vectors, 16- and 32-bit gates, task gates, virtual-8086 mode, 64-bit gates with
 * IST. What is delivered and what a fault in here leads to is exception.c's. All checks and pushes come first; then
 * everything is committed. APM2 8.6-8.9.
 */
#include "cpu_x86/flags.h"
#include "cpu_x86/seg.h"

/* Error code of a fault in a gate: vector, IDT bit, EXT. APM2 8.4.1 */
static u32 gate_error(const struct x86_cpu *c, const struct delivery *d) { return d->vector * 8u + 2 + ext_bit(c); }

static u64 flags_image(const struct x86_cpu *c, const struct delivery *d)
{
	return x86_get_flags(c) | (d->rf ? FLAG_RF : 0);
}

static void set_flags(struct x86_cpu *c, u32 clear)
{
	u32 old = c->flags;

	c->flags = old & ~clear;
	if (unlikely(old & clear & FLAG_TF))
		x86_debug_changed(c);
}

/* ---- real mode. APM2 8.6 ---- */

static u64 deliver_real(struct x86_cpu *c, const struct delivery *d)
{
	u64 va = c->idt.base + 4 * d->vector, sp = c->r[R_SP];
	u16 ip, cs;

	if (4u * d->vector + 3 > c->idt.limit)
		x86_raise(c, VEC_GP, gate_error(c, d), RULE_IDT_LIMIT);
	ip = (u16)sys_load(c, (u32)va, 2);
	cs = (u16)sys_load(c, (u32)(va + 2), 2);
	x86_push_at(c, &sp, 2, flags_image(c, d));
	x86_push_at(c, &sp, 2, c->seg[SEG_CS].sel);
	x86_push_at(c, &sp, 2, d->rip);
	if (ip > c->seg[SEG_CS].limit)
		x86_raise(c, VEC_GP, 0, RULE_TARGET_LIMIT);
	x86_commit_sp(c, sp);
	seg_set_real(c, SEG_CS, cs);
	set_flags(c, FLAG_IF | FLAG_TF | FLAG_AC | FLAG_RF);
	return ip;
}

/* ---- what 32- and 64-bit gates share ---- */

/* Type, privilege, presence. APM2 8.7.4, 8.9.1 */
static void check_gate(struct x86_cpu *c, const struct delivery *d, u64 lo, u32 types)
{
	u32 err = gate_error(c, d);

	if (desc_s(lo) || !(types >> desc_type(lo) & 1))
		x86_raise(c, VEC_GP, err, RULE_IDT_TYPE);
	if (d->soft && desc_dpl(lo) < c->cpl)
		x86_raise(c, VEC_GP, err, RULE_IDT_DPL);
	if (!desc_p(lo))
		x86_raise(c, VEC_NP, err, RULE_IDT_NOT_PRESENT);
}

/* The handler's code segment; returns the handler's CPL. APM2 8.7.4 */
static unsigned check_handler(struct x86_cpu *c, u16 sel, struct x86_desc *cs)
{
	u32 err = sel_error(c, sel);

	if (sel_null(sel))
		x86_raise(c, VEC_GP, ext_bit(c), RULE_CS_NULL);
	x86_read_desc(c, sel, VEC_GP, cs);
	if (!desc_code(cs->lo))
		x86_raise(c, VEC_GP, err, RULE_CS_TYPE);
	if (desc_dpl(cs->lo) > c->cpl)
		x86_raise(c, VEC_GP, err, RULE_CS_PRIVILEGE);
	if (x86_long(c) && (!desc_l(cs->lo) || desc_db(cs->lo)))
		x86_raise(c, VEC_GP, err, RULE_GATE_CS_64);
	if (!desc_p(cs->lo))
		x86_raise(c, VEC_NP, err, RULE_CS_NOT_PRESENT);
	return desc_conforming(cs->lo) ? c->cpl : desc_dpl(cs->lo);
}

/* TF, NT, RF and VM go; an interrupt gate also clears IF. APM2 8.7.2 */
static u32 gate_clears(u64 lo) { return FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM | (desc_type(lo) & 1 ? 0 : FLAG_IF); }

/* ---- long mode. APM2 8.9 ---- */

static u64 deliver_long(struct x86_cpu *c, const struct delivery *d)
{
	u64 va = c->idt.base + 16 * d->vector, lo, rip, sp, frame[6], *f = frame;
	struct x86_desc cs;
	struct stack st;
	unsigned cpl, ist;

	if (unlikely(16u * d->vector + 15 > c->idt.limit))
		x86_raise(c, VEC_GP, gate_error(c, d), RULE_IDT_LIMIT);
	lo = sys_load(c, va, 8);
	check_gate(c, d, lo, 1u << TYPE_INT | 1u << TYPE_TRAP);
	rip = gate_offset(lo, true) | sys_load(c, va + 8, 8) << 32;
	cpl = check_handler(c, gate_sel(lo), &cs);
	ist = bits(lo, 34, 32);
	sp = ist ? stack_tss64(c, 0x24 + 8 * (ist - 1)) : cpl < c->cpl ? stack_tss64(c, 4 + 8 * cpl) : c->r[R_SP];
	stack_init_flat(&st, sp & ~15ull, cpl, ext_bit(c)); /* APM2 8.9.3 */
	if (d->has_error)
		*f++ = d->error;
	*f++ = d->rip;
	*f++ = c->seg[SEG_CS].sel;
	*f++ = flags_image(c, d);
	*f++ = c->r[R_SP];
	*f++ = c->seg[SEG_SS].sel;
	stack_push_frame(c, &st, frame, (unsigned)(f - frame));
	seg_check_target(c, &cs, rip);
	seg_mark_accessed(c, gate_sel(lo), &cs);
	set_flags(c, gate_clears(lo));
	if (cpl != c->cpl)
		seg_set_null_ss(c, (u16)cpl, cpl);
	seg_set_cs(c, gate_sel(lo), &cs, cpl);
	c->r[R_SP] = st.sp;
	return rip;
}

/* ---- protected mode, legacy. APM2 8.7, 8.8 ---- */

struct handler {
	u64 lo; /* the gate */
	unsigned size;
	u16 sel;
	struct x86_desc cs;
	u64 rip;
};

static void push_frame(struct x86_cpu *c, const struct delivery *d, const struct handler *h, struct stack *st)
{
	stack_push(c, st, h->size, flags_image(c, d));
	stack_push(c, st, h->size, c->seg[SEG_CS].sel);
	stack_push(c, st, h->size, d->rip);
	if (d->has_error)
		stack_push(c, st, h->size, d->error);
	seg_check_target(c, &h->cs, h->rip);
}

static void legacy_same(struct x86_cpu *c, const struct delivery *d, struct handler *h, unsigned cpl)
{
	struct stack st;

	if (c->mode & MODE_VM) /* from virtual-8086 mode only to CPL 0; APM2 8.7.5 */
		x86_raise(c, VEC_GP, sel_error(c, h->sel), RULE_V86_HANDLER);
	stack_init_current(c, &st);
	push_frame(c, d, h, &st);
	seg_mark_accessed(c, h->sel, &h->cs);
	set_flags(c, gate_clears(h->lo));
	seg_set_cs(c, h->sel, &h->cs, cpl);
	x86_commit_sp(c, st.sp);
}

static void legacy_inner(struct x86_cpu *c, const struct delivery *d, struct handler *h, unsigned cpl)
{
	static const u8 data[] = {SEG_GS, SEG_FS, SEG_DS, SEG_ES};
	bool vm = c->mode & MODE_VM;
	struct x86_desc ssd;
	struct stack st;
	u16 ss;

	if (vm && cpl != 0)
		x86_raise(c, VEC_GP, sel_error(c, h->sel), RULE_V86_HANDLER);
	stack_tss(c, cpl, &ssd, &ss, &st);
	for (unsigned i = 0; vm && i < ARRAY_SIZE(data); i++)
		stack_push(c, &st, h->size, c->seg[data[i]].sel);
	stack_push(c, &st, h->size, c->seg[SEG_SS].sel);
	stack_push(c, &st, h->size, c->r[R_SP]);
	push_frame(c, d, h, &st);
	seg_mark_accessed(c, ss, &ssd);
	seg_mark_accessed(c, h->sel, &h->cs);
	set_flags(c, gate_clears(h->lo));
	for (unsigned i = 0; vm && i < ARRAY_SIZE(data); i++)
		seg_set_null(c, data[i], 0);
	seg_set_cs(c, h->sel, &h->cs, cpl);
	seg_set(c, SEG_SS, ss, &ssd);
	x86_commit_sp(c, st.sp);
}

static u64 deliver_legacy(struct x86_cpu *c, const struct delivery *d)
{
	struct handler h;
	unsigned cpl;
	bool wide;

	if (8u * d->vector + 7 > c->idt.limit)
		x86_raise(c, VEC_GP, gate_error(c, d), RULE_IDT_LIMIT);
	h.lo = sys_load(c, (u32)(c->idt.base + 8 * d->vector), 8);
	check_gate(c, d, h.lo,
		   1u << TYPE_TASK | 1u << TYPE_INT16 | 1u << TYPE_TRAP16 | 1u << TYPE_INT | 1u << TYPE_TRAP);
	if (desc_type(h.lo) == TYPE_TASK) {
		task_gate(c, TASK_INT, h.lo, d);
		return c->rip;
	}
	wide = desc_type(h.lo) & 8;
	h.size = wide ? 4 : 2;
	h.sel = gate_sel(h.lo);
	h.rip = gate_offset(h.lo, wide);
	cpl = check_handler(c, h.sel, &h.cs);
	if (cpl < c->cpl)
		legacy_inner(c, d, &h, cpl);
	else
		legacy_same(c, d, &h, cpl);
	return h.rip;
}

u64 deliver_idt(struct x86_cpu *c, const struct delivery *d)
{
	u64 rip;

	if (x86_long(c))
		rip = deliver_long(c, d);
	else if (c->mode & MODE_PE)
		rip = deliver_legacy(c, d);
	else
		rip = deliver_real(c, d);
	c->shadow = c->shadow_nmi = 0;
	return rip;
}
