/*
 * Out-of-line memory accesses of the instruction under way: translation with faults, page crossing, devices, code pages, hardware watchpoints,
 * alignment checks, segmentation, stack. The inline fast path is in exec.h. APM2 ch. 4, 5.
 */
#include "cpu_x86/block.h"
#include "cpu_x86/body.h"
#include "cpu_x86/exec.h"
#include "cpu_x86/insn.h"
#include "cpu_x86/system.h"

/* ---- refusals ---- */
static enum x86_rule pf_rule(enum walk_why why)
{
	switch (why) {
	case WALK_RESERVED: return RULE_PF_RESERVED;
	case WALK_READ_ONLY: return RULE_PF_READ_ONLY;
	case WALK_SUPERVISOR: return RULE_PF_SUPERVISOR;
	case WALK_NX: return RULE_PF_NX;
	case WALK_SMEP: return RULE_PF_SMEP;
	case WALK_SMAP: return RULE_PF_SMAP;
	default: return RULE_PF_NOT_PRESENT;
	}
}

static void NORETURN COLD refuse(struct x86_cpu *c, const struct walk *w, u64 va, bool fetch)
{
	if (w->nested_fault)
		svm_npf(c, w);
	if (w->why == WALK_NON_CANONICAL)
		x86_raise(c, VEC_GP, 0, fetch ? RULE_GP_FETCH_NONCANONICAL : RULE_GP_NONCANONICAL);
	x86_raise_pf(c, va, w->error, pf_rule(w->why));
}

/* ---- the "alone" rule: devices and watchpoints are met only by the last op of a block, so that time is exact and what follows is polled ---- */
static void be_alone(struct x86_cpu *c)
{
	const struct x86_op *o = c->op;

	if (!o || ((o[1].id == X86_END || o->id == X86_END) && !(o->len & OP_FUSED)))
		return;
	x86_code_cut(c, o);
	x86_sync(c);
	longjmp(c->unwind, UNWIND_ALONE);
}

static void watch(struct x86_cpu *c, u64 va, unsigned size, bool write)
{
	u64 hit;

	if (likely(!x86_debug_armed(c)))
		return;
	hit = x86_debug_data(c, va, size, write);
	if (hit) {
		be_alone(c);
		c->db_pending |= hit;
		c->pending |= PEND_DB;
	}
}

/* A debugger watches the page. An access that it wants is made by an instruction that runs by itself, so that the machine
 * stops right after it. Bodies and string instructions at a block's end look around themselves; a device that they have touched must not
 * be touched again. */
COLD void x86_spy_alone(struct x86_cpu *c)
{
	unsigned insns, bytes, kind;

	be_alone(c);
	if (!c->op || c->op->id >= X86_IDS || x86_block_of(c->op, &insns, &bytes)->mode & MODE_STEP)
		return;
	kind = x86_insns[c->op->id].kind;
	if (kind == KIND_BODY || kind == KIND_STRING)
		return;
	x86_sync(c);
	longjmp(c->unwind, UNWIND_ALONE);
}

static bool spied(struct x86_cpu *c, const struct tlb_hit *hit, u64 va, unsigned size, bool write)
{
	if (likely(!c->tlb.spy || hit->plain) || !c->spy->wants(c->spy->arg, c, va, hit->pa, size, write))
		return false;
	x86_spy_alone(c);
	return true;
}

/* ---- one piece of an access: within a page ---- */
static unsigned access_of(const struct x86_cpu *c, unsigned kind, unsigned cpl, bool explicit)
{
	return kind | (cpl == 3 ? ACC_USER : explicit && c->flags & FLAG_AC ? ACC_AC : 0);
}

static void translate(struct x86_cpu *c, u64 va, unsigned access, struct tlb_hit *hit)
{
	struct walk w;

	if (unlikely(!tlb_translate(&c->tlb, va, access, hit, &w)))
		refuse(c, &w, va, access & ACC_EXEC);
}

static u64 read_piece(struct x86_cpu *c, const struct tlb_hit *hit, unsigned size)
{
	if (likely(hit->host != NULL))
		return load_le(hit->host, size);
	be_alone(c);
	x86_set_time(c);
	c->device = true;
	return space_read(c->mem, hit->pa, size);
}

static void write_piece(struct x86_cpu *c, const struct tlb_hit *hit, unsigned size, u64 val)
{
	if (likely(hit->plain)) {
		store_le(hit->host, size, val);
		return;
	}
	if (!hit->host) {
		be_alone(c);
		x86_set_time(c);
		c->device = true;
	} else if (c->code->cpus > 1 && x86_code_monitored(c->code, hit->pa, size)) {
		be_alone(c); /* it wakes another CPU: the machine looks right after it */
	}
	/* Code pages, monitored lines, ROM, devices: the space knows. */
	space_write(c->mem, hit->pa, size, val);
}

static bool crosses(u64 va, unsigned size) { return (va & ~PAGE_MASK) + size > PAGE_SIZE; }

/* Translate the access; when it crosses into the next page, *b is that page's. Returns the bytes in the first page. */
static unsigned translate_all(struct x86_cpu *c, u64 va, unsigned size, unsigned access, struct tlb_hit *a, struct tlb_hit *b)
{
	translate(c, va, access, a);
	if (!crosses(va, size))
		return size;
	translate(c, (va | ~PAGE_MASK) + 1, access, b);
	if (!a->host || !b->host)
		be_alone(c);
	return (unsigned)(PAGE_SIZE - (va & ~PAGE_MASK));
}

/* With a debugger listening. The second piece of an access that crosses pages is told by itself. */
static COLD NOINLINE u64 load_spied(struct x86_cpu *c, u64 va, unsigned size, struct tlb_hit *a, struct tlb_hit *b, unsigned n)
{
	const struct x86_spy *s = c->spy;
	bool first = spied(c, a, va, n, false), second = n < size && spied(c, b, va + n, size - n, false);
	u64 lo = read_piece(c, a, n), hi = n < size ? read_piece(c, b, size - n) : 0;

	if (first)
		s->access(s->arg, c, va, a->pa, n, false, lo);
	if (second)
		s->access(s->arg, c, va + n, b->pa, size - n, false, hi);
	return lo | (n < size ? hi << (8 * n) : 0);
}

static COLD NOINLINE void store_spied(struct x86_cpu *c, u64 va, unsigned size, u64 val, struct tlb_hit *a, struct tlb_hit *b, unsigned n)
{
	const struct x86_spy *s = c->spy;
	bool first = spied(c, a, va, n, true), second = n < size && spied(c, b, va + n, size - n, true);

	if (first)
		s->access(s->arg, c, va, a->pa, n, true, val & mask_low(n * 8));
	if (second)
		s->access(s->arg, c, va + n, b->pa, size - n, true, val >> (8 * n));
}

static NOINLINE u64 load_slow(struct x86_cpu *c, u64 va, unsigned size, unsigned access, bool user_visible)
{
	struct tlb_hit a, b;
	unsigned n = translate_all(c, va, size, access, &a, &b);

	if (user_visible && !a.plain)
		watch(c, va, size, false);
	if (unlikely(!a.plain | (n < size)) && c->tlb.spy)
		return load_spied(c, va, size, &a, &b, n);
	return read_piece(c, &a, n) | (n < size ? read_piece(c, &b, size - n) << (8 * n) : 0);
}

static NOINLINE void store_slow(struct x86_cpu *c, u64 va, unsigned size, u64 val, unsigned access, bool user_visible)
{
	struct tlb_hit a, b;
	unsigned n = translate_all(c, va, size, access, &a, &b);

	if (user_visible && !a.plain)
		watch(c, va, size, true);
	if (unlikely(!a.plain | (n < size)) && c->tlb.spy)
		store_spied(c, va, size, val, &a, &b, n);
	write_piece(c, &a, n, val);
	if (n < size)
		write_piece(c, &b, size - n, val >> (8 * n));
}

/* ---- the calls of cpu.h ---- */
u64 x86_load(struct x86_cpu *c, u64 va, unsigned size)
{
	const void *p = x86_host(c, va, size, TLB_R);

	if (likely(p != NULL))
		return load_le(p, size);
	return load_slow(c, va, size, access_of(c, ACC_READ, c->cpl, true), true);
}

void x86_store(struct x86_cpu *c, u64 va, unsigned size, u64 val)
{
	void *p = x86_host(c, va, size, TLB_W);

	if (likely(p != NULL))
		store_le(p, size, val);
	else
		store_slow(c, va, size, val, access_of(c, ACC_WRITE, c->cpl, true), true);
}

u64 x86_load_rmw(struct x86_cpu *c, u64 va, unsigned size)
{
	const void *p = x86_host(c, va, size, TLB_W);

	if (likely(p != NULL))
		return load_le(p, size);
	x86_probe_write(c, va, size, c->cpl);
	return x86_load(c, va, size);
}

void x86_load_bytes(struct x86_cpu *c, u64 va, void *to, unsigned size)
{
	for (unsigned i = 0, n; i < size; i += n) {
		n = size - i >= 8 ? 8 : size - i >= 4 ? 4 : size - i >= 2 ? 2 : 1;
		store_le((u8 *)to + i, n, x86_load(c, va + i, n));
	}
}

void x86_store_bytes(struct x86_cpu *c, u64 va, const void *from, unsigned size)
{
	x86_probe_write(c, va, size, c->cpl);
	for (unsigned i = 0, n; i < size; i += n) {
		n = size - i >= 8 ? 8 : size - i >= 4 ? 4 : size - i >= 2 ? 2 : 1;
		x86_store(c, va + i, n, load_le((const u8 *)from + i, n));
	}
}

u64 x86_load_sys(struct x86_cpu *c, u64 va, unsigned size) { return load_slow(c, va, size, ACC_READ, false); }
void x86_store_sys(struct x86_cpu *c, u64 va, unsigned size, u64 val) { store_slow(c, va, size, val, ACC_WRITE, false); }

u64 x86_load_as(struct x86_cpu *c, u64 va, unsigned size, unsigned cpl)
{
	return load_slow(c, va, size, access_of(c, ACC_READ, cpl, false), true);
}
void x86_store_as(struct x86_cpu *c, u64 va, unsigned size, u64 val, unsigned cpl)
{
	store_slow(c, va, size, val, access_of(c, ACC_WRITE, cpl, false), true);
}

static void probe(struct x86_cpu *c, u64 va, unsigned size, unsigned access)
{
	struct tlb_hit hit;

	translate(c, va, access, &hit);
	if (!hit.host)
		be_alone(c);
	if (crosses(va, size)) {
		translate(c, (va | ~PAGE_MASK) + 1, access, &hit);
		if (!hit.host)
			be_alone(c);
	}
}

void x86_probe_write(struct x86_cpu *c, u64 va, unsigned size, unsigned cpl)
{
	probe(c, va, size, access_of(c, ACC_WRITE, cpl, cpl == c->cpl));
}

void x86_probe(struct x86_cpu *c, u64 va, unsigned size, bool write)
{
	probe(c, va, size, access_of(c, write ? ACC_WRITE : ACC_READ, c->cpl, true));
}

u64 x86_fetch(struct x86_cpu *c, u64 va)
{
	struct tlb_hit hit;
	u64 pa;

	if (likely(itlb_lookup(&c->tlb, va, &pa)))
		return pa;
	translate(c, va, ACC_EXEC | (c->cpl == 3 ? ACC_USER : 0), &hit);
	/* The walk was watched: the stop comes before the instruction. */
	if (unlikely(c->tlb.ears) && c->spy && c->spy->own && c->spy->stopping(c->spy->arg))
		longjmp(c->unwind, UNWIND_WORLD);
	return hit.pa;
}

/* ---- segmentation ---- */
static void NORETURN seg_fault(struct x86_cpu *c, unsigned seg, enum x86_rule gp, enum x86_rule ss)
{
	if (seg == SEG_SS)
		x86_raise(c, VEC_SS, 0, ss);
	x86_raise(c, VEC_GP, 0, gp);
}

/* Type and limit of a data access outside 64-bit mode. APM2 4.12; expand-down: 4.7.1 */
static void check_segment(struct x86_cpu *c, unsigned seg, u64 off, unsigned size, bool write)
{
	const struct x86_seg *s = &c->seg[seg];
	u64 last = off + size - 1, max = s->attr & ATTR_DB ? 0xffffffff : 0xffff;
	bool code = s->attr & 8;

	if (x86_protected(c)) {
		if (!(s->attr & ATTR_P))
			seg_fault(c, seg, RULE_GP_NULL_SEG, RULE_SS_LIMIT);
		if (write && (code || !(s->attr & 2)))
			seg_fault(c, seg, RULE_GP_SEG_WRITE, RULE_SS_LIMIT);
		if (!write && code && !(s->attr & 2))
			seg_fault(c, seg, RULE_GP_SEG_READ, RULE_SS_LIMIT);
		if (!code && s->attr & 4) {
			if (off <= s->limit || last > max)
				seg_fault(c, seg, RULE_GP_LIMIT, RULE_SS_LIMIT);
			return;
		}
	}
	if (last > s->limit)
		seg_fault(c, seg, RULE_GP_LIMIT, RULE_SS_LIMIT);
}

u64 x86_linear(struct x86_cpu *c, unsigned seg, u64 off, unsigned size, bool write)
{
	u64 va = off + c->sbase[seg];

	if (x86_long64(c)) {
		if (unlikely(!x86_canonical(c, va) || !x86_canonical(c, va + size - 1)))
			seg_fault(c, seg, RULE_GP_NONCANONICAL, RULE_SS_NONCANONICAL);
	} else {
		if (unlikely(off + size > (write ? c->swlim : c->srlim)[seg]))
			check_segment(c, seg, off, size, write);
		va = (u32)va;
	}
	/* Alignment check. APM2 8.2.17 */
	if (unlikely(c->cpl == 3 && c->flags & FLAG_AC && c->cr0 & CR0_AM && va & (size - 1) && is_pow2(size)))
		x86_raise(c, VEC_AC, 0, RULE_AC_ALIGN);
	return va;
}

u64 x86_ea(const struct x86_cpu *c, const struct x86_op *o) { return x86_ea_sum(c, o) & x86_amask[op_asize(o)]; }

/* ---- stack ---- */
static u64 stack_mask(const struct x86_cpu *c)
{
	return c->mode & MODE_STACK64 ? ~0ull : c->mode & MODE_STACK32 ? 0xffffffff : 0xffff;
}

void x86_push_at(struct x86_cpu *c, u64 *sp, unsigned size, u64 val)
{
	u64 mask = stack_mask(c), nsp = (*sp - size) & mask;

	x86_store(c, x86_linear(c, SEG_SS, nsp, size, true), size, val & mask_low(size * 8));
	*sp = nsp;
}

u64 x86_pop_at(struct x86_cpu *c, u64 *sp, unsigned size)
{
	u64 mask = stack_mask(c), v = x86_load(c, x86_linear(c, SEG_SS, *sp & mask, size, false), size);

	*sp = (*sp + size) & mask;
	return v;
}

void x86_commit_sp(struct x86_cpu *c, u64 sp)
{
	if (c->mode & MODE_STACK64)
		c->r[R_SP] = sp;
	else if (c->mode & MODE_STACK32)
		c->r[R_SP] = (u32)sp;
	else
		REG_SET16(c, REG_OFFSET(R_SP), sp);
}

/* ---- time ---- */
u64 x86_tsc(struct x86_cpu *c)
{
	x86_set_time(c);
	return c->sched->now + c->msr.tsc_adjust;
}
