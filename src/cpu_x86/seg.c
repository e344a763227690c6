/*
 * Segment registers: the words derived from them, and loading them with every check. Not here: far transfers (far.c),
 * the instructions that name a segment register (sreg.c) or a descriptor (desc_insn.c). APM2 ch. 4.
 */
#include "cpu_x86/seg.h"

#include "cpu_x86/fpu.h"

/* ---- derived words ---- */

/* Does the end of the code segment fall inside a page? */
static u32 tight(const struct x86_cpu *c)
{
	return (c->seg[SEG_CS].base & 0xfff) || (c->seg[SEG_CS].limit & 0xfff) != 0xfff ? MODE_TIGHT : 0;
}

/* Who may use vector registers; whether exceptions must be looked for. APM2 3.1.1, 3.1.3, 11.3; APM1 4.2.2 */
static u32 vec_bits(const struct x86_cpu *c)
{
	u32 m = ~c->fpu.mxcsr & 0x1f80 ? MODE_XM : 0;

	if (c->cr0 & (CR0_TS | CR0_EM) || !(c->cr4 & CR4_OSFXSR))
		m |= MODE_NO_SSE;
	if (c->cr0 & CR0_TS || !(c->cr4 & CR4_OSXSAVE) || (c->xcr0 & 6) != 6)
		m |= MODE_NO_AVX;
	return m;
}

static u32 mode_bits(const struct x86_cpu *c)
{
	u32 m = vec_bits(c), cs = c->seg[SEG_CS].attr;

	if (!(c->cr0 & CR0_PE))
		return m | tight(c) | (cs & ATTR_DB ? MODE_32 : MODE_16) | (c->seg[SEG_SS].attr & ATTR_DB ? MODE_STACK32 : 0);
	if (c->flags & FLAG_VM && !(c->efer & EFER_LMA))
		return m | tight(c) | MODE_PE | MODE_VM | MODE_16;
	m |= MODE_PE | (c->efer & EFER_LMA ? MODE_LONG : 0);
	if (c->efer & EFER_LMA && cs & ATTR_L)
		return m | MODE_64 | MODE_STACK64;
	return tight(c) | m | (cs & ATTR_DB ? MODE_32 : MODE_16) | (c->seg[SEG_SS].attr & ATTR_DB ? MODE_STACK32 : 0);
}

/* How far reads and writes may go without further checks; 0: they need them all. APM2 4.7.1, 4.12 */
static void derive_limits(struct x86_cpu *c, unsigned i)
{
	const struct x86_seg *s = &c->seg[i];
	u64 end = (u64)s->limit + 1;
	bool rd = true, wr = true;

	if (x86_protected(c)) {
		bool code = s->attr & 8;

		rd = (s->attr & (ATTR_P | ATTR_S)) == (ATTR_P | ATTR_S);
		if (!code && s->attr & 4)
			rd = false; /* expand-down */
		wr = rd && !code && s->attr & 2;
		rd = rd && (!code || s->attr & 2);
	}
	c->srlim[i] = rd ? end : 0;
	c->swlim[i] = wr ? end : 0;
}

static void derive(struct x86_cpu *c, unsigned i)
{
	if (i > SEG_GS) {
		c->sbase[i] = c->seg[i].base;
		return;
	}
	if (x86_long64(c)) { /* APM2 4.5.3 */
		c->sbase[i] = i >= SEG_FS ? c->seg[i].base : 0;
		c->srlim[i] = c->swlim[i] = ~0ull;
	} else {
		c->sbase[i] = (u32)c->seg[i].base;
		derive_limits(c, i);
	}
	if (i == SEG_CS)
		c->cs_lim = x86_long64(c) ? ~0ull : c->seg[i].limit;
}

static inline enum tlb_class class_of(const struct x86_cpu *c)
{
	if (c->cpl == 3)
		return c->flags & FLAG_AC && c->cr0 & CR0_AM ? TLB_USER_ALIGN : TLB_USER;
	return c->cr4 & CR4_SMAP && c->flags & FLAG_AC ? TLB_SUPER_AC : TLB_SUPER;
}

void x86_mode_changed(struct x86_cpu *c)
{
	u32 mode = mode_bits(c), visible = MODE_SIZE | MODE_PE | MODE_VM | MODE_LONG;

	if (unlikely(event_on(c->log, EV_MODE)) && (mode ^ c->mode) & visible)
		x86_log(c, EV_MODE, mode & visible, c->mode & visible, 0);
	if (c->cr0 & (CR0_EM | CR0_TS)) /* the next x87 or MMX instruction must look */
		x86_fpu_flush(c);
	c->mode = mode;
	c->rip_mask = x86_long64(c) ? ~0ull : (c->mode & MODE_SIZE) == MODE_32 ? 0xffffffffull : 0xffffull;
	for (unsigned i = 0; i < SEG_COUNT; i++)
		derive(c, i);
	tlb_set_class(&c->tlb, class_of(c));
}

void x86_vec_mode_changed(struct x86_cpu *c) { c->mode = mode_bits(c); }

void x86_seg_changed(struct x86_cpu *c, unsigned seg)
{
	/* The usual case of a 64-bit system: nothing derived depends on these registers. */
	if (likely(x86_long64(c) && seg <= SEG_DS && c->seg[SEG_CS].attr & ATTR_L))
		return;
	if ((seg == SEG_CS || seg == SEG_SS) && mode_bits(c) != c->mode)
		x86_mode_changed(c);
	else
		derive(c, seg);
}

void x86_set_cpl(struct x86_cpu *c, unsigned cpl)
{
	c->cpl = (u8)cpl;
	tlb_set_class(&c->tlb, class_of(c));
}

/* ---- descriptors ---- */

u64 seg_desc_va(const struct x86_cpu *c, u16 sel)
{
	return sys_va(c, (sel & 4 ? c->seg[SEG_LDTR].base : c->gdt.base) + (sel & 0xfff8));
}

static bool desc_in_table(const struct x86_cpu *c, u16 sel, unsigned size)
{
	u32 last = (sel & 0xfff8u) + size - 1;

	if (sel & 4)
		return c->seg[SEG_LDTR].attr & ATTR_P && last <= c->seg[SEG_LDTR].limit;
	return last <= c->gdt.limit;
}

/* System descriptors that span 16 bytes in long mode. APM2 4.8.3 */
static bool desc_wide(const struct x86_cpu *c, u64 lo)
{
	return x86_long(c) && !desc_s(lo) &&
	       (1u << desc_type(lo) & (1u << TYPE_LDT | 1u << TYPE_TSS | 1u << TYPE_TSS_BUSY | 1u << TYPE_CALL));
}

bool seg_find_desc(struct x86_cpu *c, u16 sel, struct x86_desc *d)
{
	u64 va = seg_desc_va(c, sel);

	if (!desc_in_table(c, sel, 8))
		return false;
	d->lo = sys_load(c, va, 8);
	d->hi = 0;
	if (unlikely(desc_wide(c, d->lo))) {
		if (!desc_in_table(c, sel, 16))
			return false;
		d->hi = sys_load(c, va + 8, 8);
	}
	return true;
}

void x86_read_desc(struct x86_cpu *c, u16 sel, unsigned vec, struct x86_desc *d)
{
	if (!seg_find_desc(c, sel, d))
		x86_raise(c, vec, sel_error(c, sel), RULE_SEL_LIMIT);
}

void x86_desc_to_seg(const struct x86_desc *d, u16 sel, struct x86_seg *s)
{
	s->sel = sel;
	s->attr = (u16)(bits(d->lo, 47, 40) | bits(d->lo, 55, 52) << 8);
	s->limit = desc_limit(d->lo);
	s->base = bits(d->lo, 39, 16) | bits(d->lo, 63, 56) << 24 | d->hi << 32;
}

void seg_mark_accessed(struct x86_cpu *c, u16 sel, struct x86_desc *d)
{
	if (likely(d->lo & BIT(40)))
		return;
	d->lo |= BIT(40);
	x86_store_sys(c, seg_desc_va(c, sel) + 5, 1, bits(d->lo, 47, 40));
}

/* ---- checks ---- */

/* APM2 4.8.1 (SS), 8.7.3, 12.3 */
void seg_check_stack(struct x86_cpu *c, u16 sel, unsigned cpl, unsigned vec, struct x86_desc *d)
{
	if (sel_null(sel))
		x86_raise(c, vec, ext_bit(c), RULE_SS_NULL);
	x86_read_desc(c, sel, vec, d);
	if ((sel & 3u) != cpl)
		x86_raise(c, vec, sel_error(c, sel), RULE_SS_RPL);
	if (!desc_writable(d->lo))
		x86_raise(c, vec, sel_error(c, sel), RULE_SS_TYPE);
	if (desc_dpl(d->lo) != cpl)
		x86_raise(c, vec, sel_error(c, sel), RULE_SS_DPL);
	if (!desc_p(d->lo))
		x86_raise(c, VEC_SS, sel_error(c, sel), RULE_SS_NOT_PRESENT);
}

void seg_check_code_size(struct x86_cpu *c, u16 sel, const struct x86_desc *d)
{
	if (x86_long(c) && desc_l(d->lo) && desc_db(d->lo))
		x86_raise(c, VEC_GP, sel_error(c, sel), RULE_CS_L_AND_D);
}

void seg_check_target(struct x86_cpu *c, const struct x86_desc *cs, u64 rip)
{
	if (x86_long(c) && desc_l(cs->lo)) {
		if (!x86_canonical(c, rip))
			x86_raise(c, VEC_GP, ext_bit(c), RULE_TARGET_NONCANONICAL);
	} else if (rip > desc_limit(cs->lo)) {
		x86_raise(c, VEC_GP, ext_bit(c), RULE_TARGET_LIMIT);
	}
}

/* ---- commits ---- */

void seg_set_cs(struct x86_cpu *c, u16 sel, const struct x86_desc *d, unsigned cpl)
{
	x86_desc_to_seg(d, (u16)((sel & ~3u) | cpl), &c->seg[SEG_CS]);
	if (c->cpl != cpl)
		x86_set_cpl(c, cpl);
	x86_seg_changed(c, SEG_CS);
}

void seg_set(struct x86_cpu *c, unsigned seg, u16 sel, const struct x86_desc *d)
{
	x86_desc_to_seg(d, sel, &c->seg[seg]);
	x86_seg_changed(c, seg);
}

/* A null selector makes the register unusable; base and limit stay, as on processors without NullSelectClearsBase.
 * APM2 4.5.3, CPUID 8000_0021 EAX 6 */
void seg_set_null(struct x86_cpu *c, unsigned seg, u16 sel)
{
	c->seg[seg].sel = sel;
	c->seg[seg].attr = 0;
	x86_seg_changed(c, seg);
}

void seg_set_null_ss(struct x86_cpu *c, u16 sel, unsigned cpl)
{
	c->seg[SEG_SS].sel = sel;
	c->seg[SEG_SS].attr = (u16)(cpl << 5);
	x86_seg_changed(c, SEG_SS);
}

/* Real and virtual-8086 mode: base from the selector. In real mode limit and attributes stay as they were cached ("big
 * real mode"). APM2 4.11.1 */
void seg_set_real(struct x86_cpu *c, unsigned seg, u16 sel)
{
	struct x86_seg *s = &c->seg[seg];

	s->sel = sel;
	s->base = (u64)sel << 4;
	if (c->flags & FLAG_VM && c->cr0 & CR0_PE) {
		s->limit = 0xffff;
		s->attr = ATTR_P | ATTR_S | ATTR_DPL | 3;
	} else if (!(s->attr & ATTR_P)) {
		s->attr = ATTR_P | ATTR_S | 3;
	}
	x86_seg_changed(c, seg);
}

/* A return to an outer level must not leave it segments of the inner one. APM2 4.11.5, 8.9.4 */
void seg_null_outer(struct x86_cpu *c)
{
	static const u8 data[] = {SEG_ES, SEG_DS, SEG_FS, SEG_GS};

	for (unsigned i = 0; i < ARRAY_SIZE(data); i++) {
		const struct x86_seg *s = &c->seg[data[i]];

		if (s->attr & ATTR_P && seg_dpl(s) < c->cpl && (s->attr & 0xc) != 0xc)
			seg_set_null(c, data[i], 0);
	}
}

void seg_goto(struct x86_cpu *c, u64 rip)
{
	if (unlikely(c->msr.debugctl & 1)) { /* DebugCtl.LBR; APM2 13.1.1.6 */
		c->msr.br_from = x86_rip(c);
		c->msr.br_to = rip;
	}
	x86_jump(c, rip);
}

/* ---- loading data and stack segments ---- */

static void load_ss(struct x86_cpu *c, u16 sel)
{
	struct x86_desc d;

	/* APM2 4.5.3: in 64-bit mode a null SS is allowed at CPL 0-2. */
	if (sel_null(sel) && x86_long64(c) && c->cpl != 3 && sel == c->cpl) {
		seg_set_null_ss(c, sel, c->cpl);
		return;
	}
	seg_check_stack(c, sel, c->cpl, VEC_GP, &d);
	seg_mark_accessed(c, sel, &d);
	seg_set(c, SEG_SS, sel, &d);
}

/* APM2 4.8.1, 4.11.1 */
static void load_data(struct x86_cpu *c, unsigned seg, u16 sel)
{
	struct x86_desc d;
	u32 err = sel_error(c, sel);

	if (sel_null(sel)) {
		seg_set_null(c, seg, sel);
		return;
	}
	x86_read_desc(c, sel, VEC_GP, &d);
	if (!desc_s(d.lo) || (desc_type(d.lo) & 0xa) == 8)
		x86_gp(c, err, RULE_DATA_TYPE);
	if ((desc_type(d.lo) & 0xc) != 0xc && (desc_dpl(d.lo) < c->cpl || desc_dpl(d.lo) < (sel & 3u)))
		x86_gp(c, err, RULE_DATA_DPL);
	if (!desc_p(d.lo))
		x86_raise(c, VEC_NP, err, RULE_DATA_NOT_PRESENT);
	seg_mark_accessed(c, sel, &d);
	seg_set(c, seg, sel, &d);
}

void x86_load_seg(struct x86_cpu *c, unsigned seg, u16 sel)
{
	if (!x86_protected(c))
		seg_set_real(c, seg, sel);
	else if (seg == SEG_SS)
		load_ss(c, sel);
	else
		load_data(c, seg, sel);
}
