/*
 * Stacks that are not the current one: where gates, interrupts and task switches push. Also the inner stack pointers of
 * the TSS. Every push is checked against the new stack's own limit and made with the new privilege.
 * APM2 8.7.3, 8.9.3, 12.2.
 */
#include "cpu_x86/seg.h"

void stack_init_flat(struct stack *s, u64 sp, unsigned cpl, u32 error)
{
	*s = (struct stack){.sp = sp, .mask = ~0ull, .flat = true, .cpl = (u8)cpl, .error = error};
}

/* Expand-down segments are valid above their limit. APM2 4.7.1 */
void stack_init_seg(struct stack *s, const struct x86_seg *ss, u64 sp, unsigned cpl, u32 error)
{
	bool down = (ss->attr & 0xc) == 4, big = ss->attr & ATTR_DB;

	s->mask = big ? 0xffffffff : 0xffff;
	s->sp = sp & s->mask;
	s->base = (u32)ss->base;
	s->lo = down ? (u64)ss->limit + 1 : 0;
	s->hi = down ? (big ? 0xffffffff : 0xffff) : ss->limit;
	s->flat = false;
	s->cpl = (u8)cpl;
	s->error = error;
}

void stack_init_current(struct x86_cpu *c, struct stack *s)
{
	const struct x86_seg *ss = &c->seg[SEG_SS];

	if (x86_long64(c)) {
		stack_init_flat(s, c->r[R_SP], c->cpl, ext_bit(c));
		return;
	}
	stack_init_seg(s, ss, c->r[R_SP], c->cpl, ext_bit(c));
	if (x86_protected(c) && !(ss->attr & ATTR_P))
		s->lo = s->hi + 1; /* unusable: nothing is valid */
}

static u64 stack_va(struct x86_cpu *c, const struct stack *s, u64 sp, unsigned size)
{
	u64 va = s->flat ? sp : (u32)(s->base + sp);

	if (s->flat) {
		if (!x86_canonical(c, sp) || !x86_canonical(c, sp + size - 1))
			x86_raise(c, VEC_SS, s->error, RULE_SS_NONCANONICAL);
	} else if (sp < s->lo || sp + size - 1 > s->hi) {
		x86_raise(c, VEC_SS, s->error, RULE_SS_LIMIT);
	}
	if (unlikely(s->cpl == 3 && c->flags & FLAG_AC && c->cr0 & CR0_AM && va & (size - 1)))
		x86_raise(c, VEC_AC, 0, RULE_AC_ALIGN);
	return va;
}

static inline enum tlb_class class_of(const struct stack *s) { return s->cpl == 3 ? TLB_USER : TLB_SUPER; }

void stack_push(struct x86_cpu *c, struct stack *s, unsigned size, u64 val)
{
	u64 sp = (s->sp - size) & s->mask, va = stack_va(c, s, sp, size);
	void *p = sys_host(c, va, size, TLB_W, class_of(s));

	if (likely(p != NULL))
		store_le(p, size, val);
	else
		x86_store_as(c, va, size, val & mask_low(8 * size), s->cpl);
	s->sp = sp;
}

void stack_push_frame(struct x86_cpu *c, struct stack *s, const u64 *v, unsigned n)
{
	u64 sp = s->sp - 8 * n;
	void *p = sys_host(c, sp, 8 * n, TLB_W, class_of(s));

	if (likely(p != NULL)) { /* a hot entry is canonical */
		memcpy(p, v, 8 * n);
		s->sp = sp;
		return;
	}
	while (n--)
		stack_push(c, s, 8, v[n]);
}

/* The 64-bit stack pointer at off in the TSS: RSP0-2 at 4, IST1-7 at 24h. APM2 12.2.5 */
u64 stack_tss64(struct x86_cpu *c, unsigned off)
{
	const struct x86_seg *tr = &c->seg[SEG_TR];

	if (off + 7 > tr->limit)
		x86_raise(c, VEC_TS, sel_error(c, tr->sel), RULE_TSS_STACK);
	return sys_load(c, tr->base + off, 8);
}

/* SS:ESP of an inner level from a legacy TSS, checked. APM2 12.2.4 */
void stack_tss(struct x86_cpu *c, unsigned cpl, struct x86_desc *d, u16 *ss, struct stack *s)
{
	const struct x86_seg *tr = &c->seg[SEG_TR];
	bool wide = tr->attr & 8;
	unsigned off = wide ? 4 + 8 * cpl : 2 + 4 * cpl, size = wide ? 4 : 2;
	struct x86_seg seg;
	u64 sp;

	if (off + size + 1 > tr->limit)
		x86_raise(c, VEC_TS, sel_error(c, tr->sel), RULE_TSS_STACK);
	sp = sys_load(c, sys_va(c, tr->base + off), size);
	*ss = (u16)sys_load(c, sys_va(c, tr->base + off + size), 2);
	seg_check_stack(c, *ss, cpl, VEC_TS, d);
	x86_desc_to_seg(d, *ss, &seg);
	stack_init_seg(s, &seg, sp, cpl, sel_error(c, *ss));
}
