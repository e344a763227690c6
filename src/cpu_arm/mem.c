/*
 * Out-of-line memory accesses of the instruction under way: translation with faults, alignment, endianness, devices, code pages, a debugger's
 * watchpoints. The inline fast path is in exec.h. DDI0100 A2.7 (endianness, unaligned accesses), B4.6 (faults).
 */
#include "cpu_arm/exec.h"

/* ---- the "alone" rule: devices are met only by the last op of a block, so that time is exact and what follows is polled ---- */
static void be_alone(struct arm_cpu *c)
{
	const struct arm_op *o = c->op;

	if (!o || (o[1].flags & OP_END && !(o->flags & OP_TWO)))
		return;
	arm_code_cut(c, o);
	arm_sync(c);
	longjmp(c->unwind, ARM_UNWIND_ALONE);
}

/* Virtual time of the instruction under way. */
static void set_time(struct arm_cpu *c) { c->sched->now = c->time_end - (u64)c->budget - (c->op ? 1 : 0); }

/* A debugger watches the page: the instruction runs by itself, so that the machine stops right after it. */
static COLD NOINLINE void spy_alone(struct arm_cpu *c)
{
	unsigned insns, bytes;

	be_alone(c);
	if (!c->op || arm_block_of(c->op, &insns, &bytes)->mode & ARM_MODE_STEP)
		return;
	arm_sync(c);
	longjmp(c->unwind, ARM_UNWIND_ALONE);
}

static bool spied(struct arm_cpu *c, const struct tlb_arm_hit *hit, u32 va, unsigned size, bool write)
{
	if (likely(!c->tlb.spy || hit->plain) || !c->spy || !c->spy->wants(c->spy->arg, c, va, hit->pa, size, write))
		return false;
	spy_alone(c);
	return true;
}

/* ---- one access of an aligned unit ---- */

static void translate(struct arm_cpu *c, u32 va, unsigned access, struct tlb_arm_hit *hit)
{
	struct walk w;

	if (unlikely(!tlb_arm_translate(&c->tlb, va, access, hit, &w)))
		arm_abort(c, access & ACC_EXEC ? ARM_PREFETCH_ABORT : ARM_DATA_ABORT, &w);
	/* Nobody answers: an external abort of the access itself. DDI0198 3.5.4 */
	if (unlikely(!hit->host && c->bus_errors && !space_find(c->mem, hit->pa))) {
		w.va = hit->mva;
		w.error = hit->shift >= 20 ? FSR_EXTERNAL_SECTION : FSR_EXTERNAL_PAGE;
		arm_abort(c, access & ACC_EXEC ? ARM_PREFETCH_ABORT : ARM_DATA_ABORT, &w);
	}
}

/* Word-invariant big-endian systems: bytes and halfwords change places in their word. DDI0100 A2.7.3 */
static u32 place(const struct arm_cpu *c, u32 va, unsigned size) { return c->mode & ARM_MODE_BE ? va ^ (4 - size) : va; }

static u32 load_slow(struct arm_cpu *c, u32 va, unsigned size, unsigned access)
{
	struct tlb_arm_hit hit;
	bool told;
	u32 v;

	va = place(c, va, size);
	translate(c, va, access, &hit);
	told = spied(c, &hit, va, size, false);
	if (likely(hit.host != NULL)) {
		v = (u32)load_le(hit.host, size);
	} else {
		be_alone(c);
		set_time(c);
		v = (u32)space_read(c->mem, hit.pa, size);
	}
	if (unlikely(told))
		c->spy->access(c->spy->arg, c, va, hit.pa, size, false, v);
	return v;
}

static void store_slow(struct arm_cpu *c, u32 va, unsigned size, u32 val, unsigned access)
{
	struct tlb_arm_hit hit;

	va = place(c, va, size);
	translate(c, va, access | ACC_WRITE, &hit);
	if (spied(c, &hit, va, size, true))
		c->spy->access(c->spy->arg, c, va, hit.pa, size, true, val & mask_low(size * 8));
	if (likely(hit.plain)) {
		store_le(hit.host, size, val);
		return;
	}
	if (!hit.host) {
		be_alone(c);
		set_time(c);
	}
	space_write(c->mem, hit.pa, size, val); /* code pages, ROM, devices: the space knows */
}

static unsigned present(const struct arm_cpu *c) { return c->mode & ARM_MODE_USER ? ACC_USER : 0; }

void arm_check_aligned(struct arm_cpu *c, u32 va, unsigned mask)
{
	if (unlikely(va & mask && c->s.cp15.control & CTL_A))
		arm_alignment_abort(c, va);
}

static u32 load_as(struct arm_cpu *c, u32 va, unsigned size, unsigned access)
{
	u32 v;

	arm_check_aligned(c, va, size - 1);
	v = load_slow(c, va & ~(size - 1), size, access);
	if (size == 4 && va & 3)
		v = v >> 8 * (va & 3) | v << (32 - 8 * (va & 3));
	return v;
}

static void store_as(struct arm_cpu *c, u32 va, unsigned size, u32 val, unsigned access)
{
	arm_check_aligned(c, va, size - 1);
	store_slow(c, va & ~(size - 1), size, val, access);
}

/* ---- the calls of system.h ---- */

u32 arm_load(struct arm_cpu *c, u32 va, unsigned size)
{
	const void *p = arm_host(c, va, size, TLB_R);

	if (likely(p != NULL) && (size == 4 || !(c->mode & ARM_MODE_BE)))
		return (u32)load_le(p, size);
	return load_as(c, va, size, present(c));
}

void arm_store(struct arm_cpu *c, u32 va, unsigned size, u32 val)
{
	void *p = arm_host(c, va, size, TLB_W);

	if (likely(p != NULL) && (size == 4 || !(c->mode & ARM_MODE_BE)))
		store_le(p, size, val);
	else
		store_as(c, va, size, val, present(c));
}

u32 arm_load_user(struct arm_cpu *c, u32 va, unsigned size)
{
	const void *p = arm_host_as(c, va, size, TLB_R, c->tlb.base_ctx | TLB_ARM_USER);

	if (likely(p != NULL) && (size == 4 || !(c->mode & ARM_MODE_BE)))
		return (u32)load_le(p, size);
	return load_as(c, va, size, ACC_USER);
}

void arm_store_user(struct arm_cpu *c, u32 va, unsigned size, u32 val)
{
	void *p = arm_host_as(c, va, size, TLB_W, c->tlb.base_ctx | TLB_ARM_USER);

	if (likely(p != NULL) && (size == 4 || !(c->mode & ARM_MODE_BE)))
		store_le(p, size, val);
	else
		store_as(c, va, size, val, ACC_USER);
}

u32 arm_load_word(struct arm_cpu *c, u32 va)
{
	arm_check_aligned(c, va, 3);
	return arm_load(c, va & ~3u, 4);
}

void arm_store_word(struct arm_cpu *c, u32 va, u32 val)
{
	arm_check_aligned(c, va, 3);
	arm_store(c, va & ~3u, 4, val);
}

void arm_probe_write(struct arm_cpu *c, u32 va, unsigned size)
{
	struct tlb_arm_hit hit;

	arm_check_aligned(c, va, size - 1);
	translate(c, va, ACC_WRITE | present(c), &hit);
	if (!hit.host)
		be_alone(c);
}

u64 arm_fetch(struct arm_cpu *c, u32 va, bool *whole_page)
{
	struct tlb_arm_hit hit;
	u64 pa;

	*whole_page = true;
	if (likely(itlb_arm_lookup(&c->tlb, va, &pa)))
		return pa;
	translate(c, va, ACC_EXEC | present(c), &hit);
	*whole_page = hit.plain;
	return hit.pa;
}

/* ---- for debuggers ---- */

void arm_walk(const struct arm_cpu *c, u32 va, unsigned access, struct walk *w)
{
	memset(w, 0, sizeof *w);
	walk_arm(&c->tlb.env, tlb_arm_mva(&c->tlb, va), access, true, w, NULL);
}

bool arm_translate(const struct arm_cpu *c, u32 va, unsigned access, u64 *pa)
{
	u32 mva = tlb_arm_mva(&c->tlb, va);
	struct arm_page p;
	struct walk w;

	if (c->tlb.env.on && tlb_arm_probe(&c->tlb, mva, &p)) {
		*pa = p.pa | (mva & (u32)mask_low(p.shift));
		return !arm_page_check(&c->tlb.env, p.domain, arm_page_ap(&p, mva), access);
	}
	walk_arm(&c->tlb.env, mva, access, true, &w, NULL);
	*pa = w.pa;
	return w.why == WALK_OK;
}

static bool copy_virtual(struct arm_cpu *c, u32 va, void *buf, size_t n, bool write)
{
	for (size_t i = 0, part; i < n; i += part) {
		u32 at = va + (u32)i;
		u64 pa;

		part = 1024 - (at & 1023);
		part = part < n - i ? part : n - i;
		if (!arm_translate(c, at, present(c) | (write ? ACC_WRITE : 0), &pa) || !space_host(c->mem, pa, write))
			return false;
		if (write)
			space_write_bytes(c->mem, pa, (u8 *)buf + i, part);
		else
			space_read_bytes(c->mem, pa, (u8 *)buf + i, part);
	}
	return true;
}

bool arm_read_virtual(struct arm_cpu *c, u32 va, void *buf, size_t n) { return copy_virtual(c, va, buf, n, false); }
bool arm_write_virtual(struct arm_cpu *c, u32 va, const void *buf, size_t n) { return copy_virtual(c, va, (void *)buf, n, true); }
