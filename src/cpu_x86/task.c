/*
 * Hardware task switches by JMP, CALL, interrupt and IRET, through TSS descriptors and task gates, with 16- and 32-bit
 * TSSs. The outgoing task is saved and the incoming one read before anything is committed; faults after that belong to
 * the new task. Legacy mode only. APM2 12.2-12.4.
 */
#include "cpu_x86/flags.h"
#include "cpu_x86/seg.h"

/* Where a TSS keeps things. APM2 figures 12-5, 12-6 */
struct tss_layout {
	u8 width;                                 /* of registers and flags */
	u8 cr3, eip, eflags, gpr, sel, ldt, trap; /* 0: absent */
	u8 sels;                                  /* segment selectors from ES on */
	u8 sel_step, min;
};
static const struct tss_layout tss32 = {4, 28, 32, 36, 40, 72, 96, 100, 6, 4, 103};
static const struct tss_layout tss16 = {2, 0, 14, 16, 18, 34, 42, 0, 4, 2, 43};

/* The incoming task, as read. */
struct task {
	const struct tss_layout *t;
	struct x86_seg tr;
	u64 base;
	u32 cr3, eip, eflags, gpr[8];
	u16 sel[6], ldt;
	bool trap;
};

static u64 tss_read(struct x86_cpu *c, u64 base, unsigned off, unsigned size)
{
	return sys_load(c, (u32)(base + off), size);
}
static void tss_write(struct x86_cpu *c, u64 base, unsigned off, unsigned size, u64 val)
{
	x86_store_sys(c, (u32)(base + off), size, val);
}

static void read_task(struct x86_cpu *c, struct task *n)
{
	const struct tss_layout *t = n->t;

	if (t->cr3)
		n->cr3 = (u32)tss_read(c, n->base, t->cr3, 4);
	n->eip = (u32)tss_read(c, n->base, t->eip, t->width);
	n->eflags = (u32)tss_read(c, n->base, t->eflags, t->width);
	for (unsigned i = 0; i < 8; i++)
		n->gpr[i] = (u32)tss_read(c, n->base, t->gpr + t->width * i, t->width);
	for (unsigned i = 0; i < t->sels; i++)
		n->sel[i] = (u16)tss_read(c, n->base, t->sel + t->sel_step * i, 2);
	n->ldt = (u16)tss_read(c, n->base, t->ldt, 2);
	n->trap = t->trap && tss_read(c, n->base, t->trap, 2) & 1;
}

/* The dynamic fields of the outgoing task: registers, flags, selectors; not CR3 and LDT. APM2 12.2.4 */
static void save_task(struct x86_cpu *c, const struct tss_layout *t, u64 base, u64 rip, u64 flags)
{
	tss_write(c, base, t->eip, t->width, rip);
	tss_write(c, base, t->eflags, t->width, flags);
	for (unsigned i = 0; i < 8; i++)
		tss_write(c, base, t->gpr + t->width * i, t->width, c->r[i]);
	for (unsigned i = 0; i < t->sels; i++)
		tss_write(c, base, t->sel + t->sel_step * i, 2, c->seg[i].sel);
}

/* Every page that the switch writes must be writable before the first write. */
static void probe(struct x86_cpu *c, u64 base, unsigned size)
{
	x86_probe_write(c, (u32)base, 1, 0);
	x86_probe_write(c, (u32)(base + size - 1), 1, 0);
}

static void set_busy(struct x86_cpu *c, u16 sel, bool busy)
{
	u64 va = seg_desc_va(c, sel) + 5, b = sys_load(c, va, 1);

	x86_store_sys(c, va, 1, busy ? b | 2 : b & ~2ull);
}

static const struct tss_layout *layout_of(unsigned type) { return type & 8 ? &tss32 : &tss16; }

/* ---- loading the new task's segments: faults belong to the new task. APM2 12.4.2 ---- */

static void load_ldt(struct x86_cpu *c, u16 sel)
{
	struct x86_desc d;
	u32 err = sel_error(c, sel);

	seg_set_null(c, SEG_LDTR, sel);
	if (sel_null(sel))
		return;
	if (sel & 4 || !seg_find_desc(c, sel, &d) || desc_s(d.lo) || desc_type(d.lo) != TYPE_LDT || !desc_p(d.lo))
		x86_raise(c, VEC_TS, err, RULE_TASK_LDT);
	seg_set(c, SEG_LDTR, sel, &d);
}

static void load_task_cs(struct x86_cpu *c, u16 sel)
{
	struct x86_desc d;
	u32 err = sel_error(c, sel);
	unsigned rpl = sel & 3;

	if (sel_null(sel))
		x86_raise(c, VEC_TS, ext_bit(c), RULE_CS_NULL);
	x86_read_desc(c, sel, VEC_TS, &d);
	if (!desc_code(d.lo))
		x86_raise(c, VEC_TS, err, RULE_CS_TYPE);
	if (desc_conforming(d.lo) ? desc_dpl(d.lo) > rpl : desc_dpl(d.lo) != rpl)
		x86_raise(c, VEC_TS, err, RULE_CS_PRIVILEGE);
	if (!desc_p(d.lo))
		x86_raise(c, VEC_NP, err, RULE_CS_NOT_PRESENT);
	seg_mark_accessed(c, sel, &d);
	seg_set_cs(c, sel, &d, rpl);
}

static void load_task_data(struct x86_cpu *c, unsigned seg, u16 sel)
{
	struct x86_desc d;
	u32 err = sel_error(c, sel);

	if (sel_null(sel))
		return;
	x86_read_desc(c, sel, VEC_TS, &d);
	if (!desc_s(d.lo) || (desc_type(d.lo) & 0xa) == 8)
		x86_raise(c, VEC_TS, err, RULE_DATA_TYPE);
	if ((desc_type(d.lo) & 0xc) != 0xc && (desc_dpl(d.lo) < c->cpl || desc_dpl(d.lo) < (sel & 3u)))
		x86_raise(c, VEC_TS, err, RULE_DATA_DPL);
	if (!desc_p(d.lo))
		x86_raise(c, VEC_NP, err, RULE_DATA_NOT_PRESENT);
	seg_mark_accessed(c, sel, &d);
	seg_set(c, seg, sel, &d);
}

static void load_segments(struct x86_cpu *c, const struct task *n)
{
	static const u8 data[] = {SEG_ES, SEG_DS, SEG_FS, SEG_GS};
	struct x86_desc ss;

	load_ldt(c, n->ldt);
	if (c->flags & FLAG_VM)
		return; /* committed with the rest */
	load_task_cs(c, n->sel[SEG_CS]);
	seg_check_stack(c, n->sel[SEG_SS], c->cpl, VEC_TS, &ss);
	seg_mark_accessed(c, n->sel[SEG_SS], &ss);
	seg_set(c, SEG_SS, n->sel[SEG_SS], &ss);
	for (unsigned i = 0; i < ARRAY_SIZE(data); i++)
		load_task_data(c, data[i], n->sel[data[i]]);
}

/* ---- the switch ---- */

/* Registers of the new task, segments unusable until checked. APM2 12.4.1 */
static void commit(struct x86_cpu *c, const struct task *n, u64 eflags)
{
	const u64 all = FLAGS_ARITH | FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_NT | FLAG_RF | FLAG_VM | FLAG_AC |
			FLAG_VIF | FLAG_VIP | FLAG_ID;

	c->seg[SEG_TR] = n->tr;
	c->seg[SEG_TR].attr |= 2;
	x86_seg_changed(c, SEG_TR);
	x86_write_cr0(c, c->cr0 | CR0_TS);
	for (unsigned i = 0; i < 8; i++)
		c->r[i] = n->t->width == 4 ? n->gpr[i] : 0xffff0000u | n->gpr[i];
	c->rip = n->eip;
	c->op = NULL;
	x86_set_flags(c, eflags, all);
	if (eflags & FLAG_VM) {
		v86_enter_segs(c, n->sel);
	} else {
		for (unsigned i = SEG_ES; i <= SEG_GS; i++)
			seg_set_null(c, i, n->sel[i]);
		x86_set_cpl(c, n->sel[SEG_CS] & 3);
	}
	c->dr[7] &= ~0x155ull; /* the local breakpoint enables; APM2 12.4.1, 13.1.1.4 */
	x86_debug_changed(c);
	if (n->t->cr3 && c->cr0 & CR0_PG && n->cr3 != c->cr3) /* only a change flushes; APM2 5.5.3 */
		x86_write_cr3(c, n->cr3);
}

static void push_error(struct x86_cpu *c, unsigned size, u32 error)
{
	struct stack st;

	stack_init_current(c, &st);
	stack_push(c, &st, size, error);
	x86_commit_sp(c, st.sp);
}

/* In the new task: its segments, the error code, its first instruction's place, and the T bit. */
static void begin(struct x86_cpu *c, const struct task *n, const struct delivery *e)
{
	load_segments(c, n);
	if (e->has_error)
		push_error(c, n->t->width, e->error);
	if (c->rip > c->seg[SEG_CS].limit)
		x86_raise(c, VEC_GP, ext_bit(c), RULE_TARGET_LIMIT);
	if (n->trap) { /* DR6.BT; APM2 13.1.1.3 */
		c->db_pending |= BIT(15);
		x86_pend(c, PEND_DB);
	}
	c->faults = 0;
	if (unlikely(c->svm.guest))
		svm_end_event(c);
}

/* EXITINFO2 of the intercept. APM2 15.14.1 */
static void check_intercept(struct x86_cpu *c, enum task_source src, u16 sel, const struct delivery *e)
{
	u64 info = e->has_error ? e->error | BIT(44) : 0;

	if (src == TASK_IRET)
		info |= BIT(36);
	if (src == TASK_JMP)
		info |= BIT(38);
	if (e->rf || c->flags & FLAG_RF)
		info |= BIT(48);
	if (unlikely(c->svm.guest))
		svm_check_task_switch(c, sel, info);
}

static void check_new_tss(struct x86_cpu *c, struct task *n, u16 sel, const struct x86_desc *d)
{
	x86_desc_to_seg(d, sel, &n->tr);
	n->base = n->tr.base;
	n->t = layout_of(desc_type(d->lo));
	if (n->tr.limit < n->t->min)
		x86_raise(c, VEC_TS, sel_error(c, sel), RULE_TSS_LIMIT);
}

void task_switch(struct x86_cpu *c, enum task_source src, u16 sel, const struct x86_desc *d, const struct delivery *e)
{
	const struct x86_seg *tr = &c->seg[SEG_TR];
	const struct tss_layout *old = layout_of(tr->attr);
	u64 old_base = tr->base, flags = x86_get_flags(c) | (e->rf ? FLAG_RF : 0);
	bool nested = src == TASK_CALL || src == TASK_INT, by_insn = c->op != NULL;
	u16 old_sel = tr->sel;
	struct task n = {0};

	check_new_tss(c, &n, sel, d);
	check_intercept(c, src, sel, e);
	if (tr->limit < old->min)
		x86_raise(c, VEC_TS, sel_error(c, old_sel), RULE_TSS_LIMIT);
	probe(c, old_base, old->min + 1u);
	if (nested)
		probe(c, n.base, 2);
	x86_probe_write(c, seg_desc_va(c, sel) + 5, 1, 0);
	x86_probe_write(c, seg_desc_va(c, old_sel) + 5, 1, 0);
	read_task(c, &n);
	if (src == TASK_IRET)
		flags &= ~(u64)FLAG_NT;
	save_task(c, old, old_base, e->rip, flags);
	if (src == TASK_JMP || src == TASK_IRET)
		set_busy(c, old_sel, false);
	if (nested)
		tss_write(c, n.base, 0, 2, old_sel);
	if (src != TASK_IRET)
		set_busy(c, sel, true);
	if (by_insn)
		x86_sync(c);
	commit(c, &n, n.eflags | (nested ? FLAG_NT : 0));
	begin(c, &n, e);
	if (by_insn)
		longjmp(c->unwind, UNWIND_WORLD);
}

/* The TSS that a task gate names must be in the GDT, available and present. APM2 12.3 */
void task_gate(struct x86_cpu *c, enum task_source src, u64 gate, const struct delivery *e)
{
	u16 sel = gate_sel(gate);
	u32 err = sel_error(c, sel);
	struct x86_desc d;

	if (sel_null(sel) || sel & 4)
		x86_gp(c, err, RULE_TSS_LDT);
	x86_read_desc(c, sel, VEC_GP, &d);
	if (desc_s(d.lo) || (desc_type(d.lo) != TYPE_TSS && desc_type(d.lo) != TYPE_TSS16))
		x86_gp(c, err, RULE_TSS_TYPE);
	if (!desc_p(d.lo))
		x86_raise(c, VEC_NP, err, RULE_TSS_NOT_PRESENT);
	task_switch(c, src, sel, &d, e);
}

/* To the task of the back link, which must be busy. APM3 IRET */
void task_return(struct x86_cpu *c)
{
	u16 sel = (u16)tss_read(c, c->seg[SEG_TR].base, 0, 2);
	u32 err = sel_error(c, sel);
	struct delivery e = {.rip = x86_next_rip(c)};
	struct x86_desc d;

	if (sel_null(sel) || sel & 4)
		x86_raise(c, VEC_TS, err, RULE_TSS_LDT);
	x86_read_desc(c, sel, VEC_TS, &d);
	if (desc_s(d.lo) || (desc_type(d.lo) != TYPE_TSS_BUSY && desc_type(d.lo) != TYPE_TSS16_BUSY))
		x86_raise(c, VEC_TS, err, RULE_TSS_NOT_BUSY);
	if (!desc_p(d.lo))
		x86_raise(c, VEC_NP, err, RULE_TSS_NOT_PRESENT);
	iret_unmask_nmi(c);
	task_switch(c, TASK_IRET, sel, &d, &e);
}
