/*
 * Far JMP, CALL and RET: direct, through call gates, task gates and TSS descriptors, in all modes. IRET is in iret.c.
 * APM2 4.11 (protection checks on control transfers), APM3 CALL (Far), JMP (Far), RET (Far).
 */
#include "cpu_x86/seg.h"

/* A far pointer in memory: offset of 2 or 4 bytes (REX.W does not widen it), then the selector. APM3 JMP (Far) */
static u64 load_far_pointer(struct x86_cpu *c, const struct x86_op *o, u16 *sel)
{
	unsigned z = op_size(o) == 2 ? 2 : 4;
	u64 ea = x86_ea(c, o), off = x86_load_seg_off(c, op_seg(o), ea, z);

	*sel = (u16)x86_load_seg_off(c, op_seg(o), (ea + z) & mask_low(16u << op_asize(o)), 2);
	return off;
}

/* ---- code segments ---- */

/* Direct far JMP and CALL keep the CPL. APM2 4.11.1 */
static void check_direct(struct x86_cpu *c, u16 sel, const struct x86_desc *d)
{
	u32 err = sel_error(c, sel);
	unsigned dpl = desc_dpl(d->lo);

	if (desc_conforming(d->lo) ? dpl > c->cpl : (sel & 3u) > c->cpl || dpl != c->cpl)
		x86_gp(c, err, RULE_CS_PRIVILEGE);
	if (!desc_p(d->lo))
		x86_raise(c, VEC_NP, err, RULE_CS_NOT_PRESENT);
	seg_check_code_size(c, sel, d);
}

static void jmp_code(struct x86_cpu *c, u16 sel, struct x86_desc *d, u64 rip)
{
	check_direct(c, sel, d);
	seg_check_target(c, d, rip);
	seg_mark_accessed(c, sel, d);
	seg_set_cs(c, sel, d, c->cpl);
	seg_goto(c, rip);
}

static void call_code(struct x86_cpu *c, const struct x86_op *o, u16 sel, struct x86_desc *d, u64 rip)
{
	u64 sp = c->r[R_SP];

	check_direct(c, sel, d);
	x86_push_at(c, &sp, op_size(o), c->seg[SEG_CS].sel);
	x86_push_at(c, &sp, op_size(o), x86_next_rip(c));
	seg_check_target(c, d, rip);
	seg_mark_accessed(c, sel, d);
	x86_commit_sp(c, sp);
	seg_set_cs(c, sel, d, c->cpl);
	seg_goto(c, rip);
}

/* ---- call gates ---- */

struct gate {
	u16 sel; /* of the code segment */
	u64 rip;
	unsigned size;   /* of what is pushed: 2, 4, 8 */
	unsigned params; /* words or doublewords copied to an inner stack */
	struct x86_desc cs;
};

/* Privilege and presence of a gate or TSS that a far transfer names. APM2 4.11.2, 12.3.2 */
static void check_system(struct x86_cpu *c, u16 sel, const struct x86_desc *d)
{
	u32 err = sel_error(c, sel);

	if (desc_dpl(d->lo) < c->cpl || desc_dpl(d->lo) < (sel & 3u))
		x86_gp(c, err, RULE_GATE_DPL);
	if (!desc_p(d->lo))
		x86_raise(c, VEC_NP, err, RULE_GATE_NOT_PRESENT);
}

static void read_gate(struct x86_cpu *c, u16 sel, const struct x86_desc *d, struct gate *g)
{
	bool wide = desc_type(d->lo) == TYPE_CALL;

	check_system(c, sel, d);
	if (x86_long(c) && bits(d->hi, 44, 40)) /* a type there would be a second descriptor's; APM2 4.8.3 */
		x86_gp(c, sel_error(c, sel), RULE_GATE_UPPER);
	g->sel = gate_sel(d->lo);
	g->rip = gate_offset(d->lo, wide) | d->hi << 32;
	g->size = x86_long(c) ? 8 : wide ? 4 : 2;
	g->params = x86_long(c) ? 0 : bits(d->lo, 36, 32);
	if (sel_null(g->sel))
		x86_gp(c, 0, RULE_CS_NULL);
	x86_read_desc(c, g->sel, VEC_GP, &g->cs);
}

/* APM2 4.11.2 */
static void check_gate_target(struct x86_cpu *c, const struct gate *g, bool call)
{
	u32 err = sel_error(c, g->sel);
	u64 lo = g->cs.lo;

	if (!desc_code(lo))
		x86_gp(c, err, RULE_CS_TYPE);
	if (desc_dpl(lo) > c->cpl || (!call && !desc_conforming(lo) && desc_dpl(lo) != c->cpl))
		x86_gp(c, err, RULE_CS_PRIVILEGE);
	if (x86_long(c) && (!desc_l(lo) || desc_db(lo)))
		x86_gp(c, err, RULE_GATE_CS_64);
	if (!desc_p(lo))
		x86_raise(c, VEC_NP, err, RULE_CS_NOT_PRESENT);
}

static void jmp_gate(struct x86_cpu *c, struct gate *g)
{
	check_gate_target(c, g, false);
	seg_check_target(c, &g->cs, g->rip);
	seg_mark_accessed(c, g->sel, &g->cs);
	seg_set_cs(c, g->sel, &g->cs, c->cpl);
	seg_goto(c, g->rip);
}

static void call_gate_same(struct x86_cpu *c, struct gate *g)
{
	struct stack st;

	if (x86_long(c))
		stack_init_flat(&st, c->r[R_SP], c->cpl, 0);
	else
		stack_init_current(c, &st);
	stack_push(c, &st, g->size, c->seg[SEG_CS].sel);
	stack_push(c, &st, g->size, x86_next_rip(c));
	seg_check_target(c, &g->cs, g->rip);
	seg_mark_accessed(c, g->sel, &g->cs);
	seg_set_cs(c, g->sel, &g->cs, c->cpl);
	x86_commit_sp(c, st.sp);
	seg_goto(c, g->rip);
}

/* Parameters go over in their order; a stack fault on the old stack is #SS(0). */
static void copy_params(struct x86_cpu *c, const struct gate *g, struct stack *st)
{
	u64 p[32], sp = c->r[R_SP];

	for (unsigned i = 0; i < g->params; i++)
		p[i] = x86_pop_at(c, &sp, g->size);
	for (unsigned i = g->params; i--;)
		stack_push(c, st, g->size, p[i]);
}

/* To a more privileged level: the stack is switched. APM2 4.11.2, "Stack Switching" */
static void call_gate_inner(struct x86_cpu *c, struct gate *g)
{
	unsigned cpl = desc_dpl(g->cs.lo);
	struct x86_desc ssd = {0, 0};
	struct stack st;
	u16 ss = (u16)cpl;

	if (x86_long(c))
		stack_init_flat(&st, stack_tss64(c, 4 + 8 * cpl), cpl, 0);
	else
		stack_tss(c, cpl, &ssd, &ss, &st);
	stack_push(c, &st, g->size, c->seg[SEG_SS].sel);
	stack_push(c, &st, g->size, c->r[R_SP]);
	copy_params(c, g, &st);
	stack_push(c, &st, g->size, c->seg[SEG_CS].sel);
	stack_push(c, &st, g->size, x86_next_rip(c));
	seg_check_target(c, &g->cs, g->rip);
	if (!x86_long(c))
		seg_mark_accessed(c, ss, &ssd);
	seg_mark_accessed(c, g->sel, &g->cs);
	seg_set_cs(c, g->sel, &g->cs, cpl);
	if (x86_long(c))
		seg_set_null_ss(c, ss, cpl);
	else
		seg_set(c, SEG_SS, ss, &ssd);
	x86_commit_sp(c, st.sp);
	seg_goto(c, g->rip);
}

static void call_gate(struct x86_cpu *c, struct gate *g)
{
	check_gate_target(c, g, true);
	if (!desc_conforming(g->cs.lo) && desc_dpl(g->cs.lo) < c->cpl)
		call_gate_inner(c, g);
	else
		call_gate_same(c, g);
}

/* ---- system descriptors as targets ---- */

static void far_system(struct x86_cpu *c, u16 sel, const struct x86_desc *d, bool call)
{
	enum task_source src = call ? TASK_CALL : TASK_JMP;
	struct delivery e = {.rip = x86_next_rip(c)};
	unsigned t = desc_type(d->lo);
	struct gate g;

	if (t == TYPE_CALL || (t == TYPE_CALL16 && !x86_long(c))) {
		read_gate(c, sel, d, &g);
		if (call)
			call_gate(c, &g);
		else
			jmp_gate(c, &g);
	} else if (x86_long(c)) {
		x86_gp(c, sel_error(c, sel), RULE_FAR_TYPE); /* no task switches in long mode; APM2 12.3 */
	} else if (t == TYPE_TASK) {
		check_system(c, sel, d);
		task_gate(c, src, d->lo, &e);
	} else if (t == TYPE_TSS || t == TYPE_TSS16) {
		check_system(c, sel, d);
		if (sel & 4)
			x86_gp(c, sel_error(c, sel), RULE_TSS_LDT);
		task_switch(c, src, sel, d, &e);
	} else {
		x86_gp(c, sel_error(c, sel), RULE_FAR_TYPE);
	}
}

/* ---- JMP ---- */

static void far_jmp(struct x86_cpu *c, u16 sel, u64 rip)
{
	struct x86_desc d;

	if (!x86_protected(c)) {
		if (rip > c->seg[SEG_CS].limit)
			x86_gp(c, 0, RULE_TARGET_LIMIT);
		seg_set_real(c, SEG_CS, sel);
		seg_goto(c, rip);
		return;
	}
	if (sel_null(sel))
		x86_gp(c, 0, RULE_CS_NULL);
	x86_read_desc(c, sel, VEC_GP, &d);
	if (desc_code(d.lo))
		jmp_code(c, sel, &d, rip);
	else if (desc_s(d.lo))
		x86_gp(c, sel_error(c, sel), RULE_CS_TYPE);
	else
		far_system(c, sel, &d, false);
}

void x86i_jmp_far_imm(struct x86_cpu *c, const struct x86_op *o)
{
	far_jmp(c, (u16)(op_imm64(o) >> 32), op_imm64(o) & mask_low(8 * op_size(o)) & 0xffffffff);
}

void x86i_jmp_far_mem(struct x86_cpu *c, const struct x86_op *o)
{
	u16 sel;
	u64 rip = load_far_pointer(c, o, &sel);

	far_jmp(c, sel, rip);
}

/* ---- CALL ---- */

static void far_call(struct x86_cpu *c, const struct x86_op *o, u16 sel, u64 rip)
{
	struct x86_desc d;
	u64 sp = c->r[R_SP];

	if (!x86_protected(c)) {
		x86_push_at(c, &sp, op_size(o), c->seg[SEG_CS].sel);
		x86_push_at(c, &sp, op_size(o), x86_next_rip(c));
		if (rip > c->seg[SEG_CS].limit)
			x86_gp(c, 0, RULE_TARGET_LIMIT);
		x86_commit_sp(c, sp);
		seg_set_real(c, SEG_CS, sel);
		seg_goto(c, rip);
		return;
	}
	if (sel_null(sel))
		x86_gp(c, 0, RULE_CS_NULL);
	x86_read_desc(c, sel, VEC_GP, &d);
	if (desc_code(d.lo))
		call_code(c, o, sel, &d, rip);
	else if (desc_s(d.lo))
		x86_gp(c, sel_error(c, sel), RULE_CS_TYPE);
	else
		far_system(c, sel, &d, true);
}

void x86i_call_far_imm(struct x86_cpu *c, const struct x86_op *o)
{
	far_call(c, o, (u16)(op_imm64(o) >> 32), op_imm64(o) & mask_low(8 * op_size(o)) & 0xffffffff);
}

void x86i_call_far_mem(struct x86_cpu *c, const struct x86_op *o)
{
	u16 sel;
	u64 rip = load_far_pointer(c, o, &sel);

	far_call(c, o, sel, rip);
}

/* ---- returns: RET here, IRET in iret.c ---- */

void far_read_return_cs(struct x86_cpu *c, u16 sel, struct x86_desc *d)
{
	u32 err = sel_error(c, sel);
	unsigned rpl = sel & 3;

	if (sel_null(sel))
		x86_gp(c, 0, RULE_CS_NULL);
	x86_read_desc(c, sel, VEC_GP, d);
	if (!desc_code(d->lo))
		x86_gp(c, err, RULE_CS_TYPE);
	if (rpl < c->cpl)
		x86_gp(c, err, RULE_RETURN_INWARD);
	if (desc_conforming(d->lo) ? desc_dpl(d->lo) > rpl : desc_dpl(d->lo) != rpl)
		x86_gp(c, err, RULE_CS_PRIVILEGE);
	seg_check_code_size(c, sel, d);
	if (!desc_p(d->lo))
		x86_raise(c, VEC_NP, err, RULE_CS_NOT_PRESENT);
}

void far_return(struct x86_cpu *c, const struct far_frame *f, struct x86_desc *cs)
{
	unsigned cpl = f->cs & 3, old = c->cpl;
	struct x86_desc ss = {0, 0};
	/* APM2 4.5.3: a null SS is fine for 64-bit code above user level. */
	bool null_ss = f->has_ss && sel_null(f->ss) && x86_long(c) && desc_l(cs->lo) && cpl != 3 && (f->ss & 3u) == cpl;

	if (f->has_ss && !null_ss)
		seg_check_stack(c, f->ss, cpl, VEC_GP, &ss);
	seg_check_target(c, cs, f->rip);
	seg_mark_accessed(c, f->cs, cs);
	if (f->has_ss && !null_ss)
		seg_mark_accessed(c, f->ss, &ss);
	if (!f->has_ss)
		x86_commit_sp(c, f->sp);
	seg_set_cs(c, f->cs, cs, cpl);
	if (f->has_ss) {
		if (null_ss)
			seg_set_null_ss(c, f->ss, cpl);
		else
			seg_set(c, SEG_SS, f->ss, &ss);
		x86_commit_sp(c, f->sp);
	}
	if (cpl != old)
		seg_null_outer(c);
	seg_goto(c, f->rip);
}

static void ret_real(struct x86_cpu *c, const struct far_frame *f)
{
	if (f->rip > c->seg[SEG_CS].limit)
		x86_gp(c, 0, RULE_TARGET_LIMIT);
	x86_commit_sp(c, f->sp);
	seg_set_real(c, SEG_CS, f->cs);
	seg_goto(c, f->rip);
}

void x86i_ret_far(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned size = op_size(o);
	u16 release = (u16)op_imm(o);
	struct far_frame f = {.sp = c->r[R_SP]};
	struct x86_desc cs;

	f.rip = x86_pop_at(c, &f.sp, size);
	f.cs = (u16)x86_pop_at(c, &f.sp, size);
	f.sp += release;
	if (!x86_protected(c)) {
		ret_real(c, &f);
		return;
	}
	far_read_return_cs(c, f.cs, &cs);
	f.has_ss = (f.cs & 3u) != c->cpl;
	if (f.has_ss) {
		u64 sp = x86_pop_at(c, &f.sp, size);

		f.ss = (u16)x86_pop_at(c, &f.sp, size);
		f.sp = sp + release; /* the parameters were copied to both stacks */
	}
	far_return(c, &f, &cs);
}
