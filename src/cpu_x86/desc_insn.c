/*
 * Instructions on descriptor tables and descriptors: LGDT LIDT SGDT SIDT LLDT LTR SLDT STR LAR LSL VERR VERW ARPL. The
 * SVM intercept comes after #UD and #GP checks and before any memory access (APM2 15.9). APM2 4.6, APM3.
 */
#include "cpu_x86/seg.h"

/* ---- GDTR, IDTR ---- */

static void check_privileged(struct x86_cpu *c)
{
	if (c->cpl != 0)
		x86_gp(c, 0, RULE_GP_CPL);
}

/* APM2 3.1.3 (CR4.UMIP) */
static void check_umip(struct x86_cpu *c)
{
	if (c->cr4 & CR4_UMIP && c->cpl != 0)
		x86_gp(c, 0, RULE_GP_UMIP);
}

static void check_memory(struct x86_cpu *c, const struct x86_op *o)
{
	if (op_is_reg(o))
		x86_ud(c, RULE_UD_OPERAND);
}

static u64 ea_plus(const struct x86_op *o, u64 ea, unsigned n) { return (ea + n) & mask_low(16u << op_asize(o)); }

static void load_table(struct x86_cpu *c, const struct x86_op *o, struct x86_dt *t, enum svm_intercept icpt)
{
	bool wide = x86_long64(c);
	u64 ea, base;
	u16 limit;

	check_memory(c, o);
	check_privileged(c);
	svm_check(c, &c->svm, icpt);
	ea = x86_ea(c, o);
	limit = (u16)x86_load_seg_off(c, op_seg(o), ea, 2);
	base = x86_load_seg_off(c, op_seg(o), ea_plus(o, ea, 2), wide ? 8 : 4);
	if (!wide && op_size(o) == 2)
		base &= 0xffffff; /* APM3 LGDT */
	if (wide && !x86_canonical(c, base))
		x86_gp(c, 0, RULE_TABLE_NONCANONICAL);
	t->limit = limit;
	t->base = base;
}

static void store_table(struct x86_cpu *c, const struct x86_op *o, const struct x86_dt *t, enum svm_intercept icpt)
{
	unsigned size = x86_long64(c) ? 8 : 4;
	u64 ea, lin;

	check_memory(c, o);
	check_umip(c);
	svm_check(c, &c->svm, icpt);
	ea = x86_ea(c, o);
	lin = x86_linear(c, op_seg(o), ea_plus(o, ea, 2), size, true);
	x86_probe_write(c, lin, size, c->cpl);
	x86_store_seg_off(c, op_seg(o), ea, 2, t->limit);
	x86_store(c, lin, size, t->base); /* the operand size does not matter; APM3 SGDT */
}

void x86i_lgdt(struct x86_cpu *c, const struct x86_op *o) { load_table(c, o, &c->gdt, ICPT_GDTR_WRITE); }
void x86i_lidt(struct x86_cpu *c, const struct x86_op *o) { load_table(c, o, &c->idt, ICPT_IDTR_WRITE); }
void x86i_sgdt(struct x86_cpu *c, const struct x86_op *o) { store_table(c, o, &c->gdt, ICPT_GDTR_READ); }
void x86i_sidt(struct x86_cpu *c, const struct x86_op *o) { store_table(c, o, &c->idt, ICPT_IDTR_READ); }

/* ---- LDTR, TR ---- */

static void check_protected(struct x86_cpu *c)
{
	if (!x86_protected(c))
		x86_ud(c, RULE_UD_NOT_PROTECTED);
}

/* The descriptor that LLDT or LTR names. APM2 4.8.3 */
static void read_system(struct x86_cpu *c, u16 sel, u32 types, struct x86_desc *d)
{
	u32 err = sel_error(c, sel);

	if (sel & 4)
		x86_gp(c, err, RULE_SYSTEM_IN_LDT);
	x86_read_desc(c, sel, VEC_GP, d);
	if (desc_s(d->lo) || !(types >> desc_type(d->lo) & 1))
		x86_gp(c, err, RULE_SYSTEM_TYPE);
	if (!desc_p(d->lo))
		x86_raise(c, VEC_NP, err, RULE_SYSTEM_NOT_PRESENT);
	if (x86_long(c) && bits(d->hi, 44, 40))
		x86_gp(c, err, RULE_GATE_UPPER);
	if (x86_long(c) && !x86_canonical(c, d->hi << 32 | bits(d->lo, 63, 56) << 24))
		x86_gp(c, err, RULE_TABLE_NONCANONICAL);
}

void x86i_lldt(struct x86_cpu *c, const struct x86_op *o)
{
	struct x86_desc d;
	u16 sel;

	check_protected(c);
	check_privileged(c);
	svm_check(c, &c->svm, ICPT_LDTR_WRITE);
	sel = (u16)x86_e_read(c, o, 2);
	if (sel_null(sel)) {
		seg_set_null(c, SEG_LDTR, sel);
		return;
	}
	read_system(c, sel, 1u << TYPE_LDT, &d);
	seg_set(c, SEG_LDTR, sel, &d);
}

/* The TSS becomes busy. APM3 LTR */
void x86i_ltr(struct x86_cpu *c, const struct x86_op *o)
{
	struct x86_desc d;
	u16 sel;

	check_protected(c);
	check_privileged(c);
	svm_check(c, &c->svm, ICPT_TR_WRITE);
	sel = (u16)x86_e_read(c, o, 2);
	if (sel_null(sel))
		x86_gp(c, 0, RULE_TR_NULL);
	read_system(c, sel, 1u << TYPE_TSS | (x86_long(c) ? 0 : 1u << TYPE_TSS16), &d);
	d.lo |= BIT(41);
	x86_store_sys(c, seg_desc_va(c, sel) + 5, 1, bits(d.lo, 47, 40));
	seg_set(c, SEG_TR, sel, &d);
}

static void store_system(struct x86_cpu *c, const struct x86_op *o, unsigned seg, enum svm_intercept icpt)
{
	check_protected(c);
	check_umip(c);
	svm_check(c, &c->svm, icpt);
	x86_e_write(c, o, op_is_reg(o) ? op_size(o) : 2, c->seg[seg].sel);
}

void x86i_sldt(struct x86_cpu *c, const struct x86_op *o) { store_system(c, o, SEG_LDTR, ICPT_LDTR_READ); }
void x86i_str(struct x86_cpu *c, const struct x86_op *o) { store_system(c, o, SEG_TR, ICPT_TR_READ); }

/* ---- asking about descriptors ---- */

static void set_zf(struct x86_cpu *c, bool zf) { x86_set_flags(c, zf ? FLAG_ZF : 0, FLAG_ZF); }

/* A descriptor that the program may see at its CPL and the selector's RPL; conforming code is visible to all. APM3 LAR
 */
static bool visible(struct x86_cpu *c, u16 sel, struct x86_desc *d)
{
	if (sel_null(sel) || !seg_find_desc(c, sel, d))
		return false;
	if (desc_code(d->lo) && desc_conforming(d->lo))
		return true;
	return desc_dpl(d->lo) >= c->cpl && desc_dpl(d->lo) >= (sel & 3u);
}

static bool type_in(u64 lo, u32 types) { return desc_s(lo) || (types >> desc_type(lo) & 1); }

/* System types that LAR (LSL) accepts. APM3 LAR, LSL */
enum {
	LSL_LONG = 1 << TYPE_LDT | 1 << TYPE_TSS | 1 << TYPE_TSS_BUSY,
	LSL_LEGACY = LSL_LONG | 1 << TYPE_TSS16 | 1 << TYPE_TSS16_BUSY,
	LAR_LONG = LSL_LONG | 1 << TYPE_CALL,
	LAR_LEGACY = LSL_LEGACY | 1 << TYPE_CALL | 1 << TYPE_CALL16 | 1 << TYPE_TASK,
};

void x86i_lar(struct x86_cpu *c, const struct x86_op *o)
{
	struct x86_desc d;
	bool ok;

	check_protected(c);
	ok = visible(c, (u16)x86_e_read(c, o, 2), &d) && type_in(d.lo, x86_long(c) ? LAR_LONG : LAR_LEGACY);
	if (ok)
		x86_reg_write(c, op_dst(o), op_size(o), d.lo >> 32 & 0xffff00);
	set_zf(c, ok);
}

void x86i_lsl(struct x86_cpu *c, const struct x86_op *o)
{
	struct x86_desc d;
	bool ok;

	check_protected(c);
	ok = visible(c, (u16)x86_e_read(c, o, 2), &d) && type_in(d.lo, x86_long(c) ? LSL_LONG : LSL_LEGACY);
	if (ok)
		x86_reg_write(c, op_dst(o), op_size(o), desc_limit(d.lo));
	set_zf(c, ok);
}

/* Readable: data, and code with the R bit. */
void x86i_verr(struct x86_cpu *c, const struct x86_op *o)
{
	struct x86_desc d;

	check_protected(c);
	set_zf(c, visible(c, (u16)x86_e_read(c, o, 2), &d) && desc_s(d.lo) && (desc_type(d.lo) & 0xa) != 8);
}

void x86i_verw(struct x86_cpu *c, const struct x86_op *o)
{
	struct x86_desc d;

	check_protected(c);
	set_zf(c, visible(c, (u16)x86_e_read(c, o, 2), &d) && desc_writable(d.lo));
}

/* APM3 ARPL */
void x86i_arpl(struct x86_cpu *c, const struct x86_op *o)
{
	u16 sel, rpl;
	bool raise;

	check_protected(c);
	sel = (u16)x86_e_read(c, o, 2);
	rpl = (u16)x86_reg_read(c, op_dst(o), 2) & 3;
	raise = (sel & 3) < rpl;
	if (raise)
		x86_e_write(c, o, 2, (u16)((sel & ~3u) | rpl));
	set_zf(c, raise);
}
