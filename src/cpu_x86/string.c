/*
 * MOVS, CMPS, STOS, LODS, SCAS, with REP. One call does at most one page's worth of iterations (one iteration while TF is set), in bulk on host memory
 * where both sides are plain; it returns false when iterations remain, and the run loop comes back after looking around. rSI, rDI and rCX
 * are exact at every fault. APM3 1.2.6, each instruction's page.
 */
#include "cpu_x86/exec.h"
#include "cpu_x86/insn.h"

#define CHUNK 4096u /* iterations at a time */

static u64 amask(const struct x86_op *o) { return x86_amask[op_asize(o)]; }

static void set_areg(struct x86_cpu *c, const struct x86_op *o, unsigned n, u64 v)
{
	x86_reg_write(c, n, 2u << op_asize(o), v);
}
static void step_areg(struct x86_cpu *c, const struct x86_op *o, unsigned n, s64 by)
{
	set_areg(c, o, n, c->r[n] + (u64)by);
}
static s64 stride(const struct x86_cpu *c, const struct x86_op *o)
{
	return c->flags & FLAG_DF ? -(s64)op_size(o) : (s64)op_size(o);
}

static u64 load_si(struct x86_cpu *c, const struct x86_op *o)
{
	return x86_load_seg_off(c, op_seg(o), c->r[R_SI] & amask(o), op_size(o));
}
static u64 load_di(struct x86_cpu *c, const struct x86_op *o)
{
	return x86_load_seg_off(c, SEG_ES, c->r[R_DI] & amask(o), op_size(o));
}
static void store_di(struct x86_cpu *c, const struct x86_op *o, u64 v)
{
	x86_store_seg_off(c, SEG_ES, c->r[R_DI] & amask(o), op_size(o), v);
}

/* ---- one iteration of each ---- */
static void movs1(struct x86_cpu *c, const struct x86_op *o)
{
	store_di(c, o, load_si(c, o));
	step_areg(c, o, R_SI, stride(c, o));
	step_areg(c, o, R_DI, stride(c, o));
}
static void stos1(struct x86_cpu *c, const struct x86_op *o)
{
	store_di(c, o, x86_reg_read(c, R_AX, op_size(o)));
	step_areg(c, o, R_DI, stride(c, o));
}
static void lods1(struct x86_cpu *c, const struct x86_op *o)
{
	x86_reg_write(c, R_AX, op_size(o), load_si(c, o));
	step_areg(c, o, R_SI, stride(c, o));
}
static void compare(struct x86_cpu *c, const struct x86_op *o, u64 a, u64 b)
{
	flags_sub(c, a, b, op_size(o));
}
static void cmps1(struct x86_cpu *c, const struct x86_op *o)
{
	u64 a = load_si(c, o), b = load_di(c, o);

	compare(c, o, a, b);
	step_areg(c, o, R_SI, stride(c, o));
	step_areg(c, o, R_DI, stride(c, o));
}
static void scas1(struct x86_cpu *c, const struct x86_op *o)
{
	compare(c, o, x86_reg_read(c, R_AX, op_size(o)), load_di(c, o));
	step_areg(c, o, R_DI, stride(c, o));
}

/* ---- bulk: how many bytes at this side are plain host memory, going up; 0 if the slow way is needed ---- */
static u8 *plain(struct x86_cpu *c, const struct x86_op *o, unsigned reg, unsigned seg, unsigned rw, u64 *room)
{
	u64 off = c->r[reg] & amask(o), va = off + c->sbase[seg], left;
	u8 *p;

	if (!x86_long64(c)) {
		u64 lim = (rw == TLB_W ? c->swlim : c->srlim)[seg];

		if (off >= lim)
			return NULL;
		va = (u32)va;
		left = lim - off;
		if (left > amask(o) + 1 - off)
			left = amask(o) + 1 - off;
	} else {
		left = amask(o) - off;
	}
	p = x86_host(c, va, 1, rw);
	if (!p)
		return NULL;
	*room = PAGE_SIZE - (va & ~PAGE_MASK);
	if (left < *room)
		*room = left;
	return p;
}

/* n may be 0: then 32-bit registers keep their upper halves, for the next iteration may fault. */
static void advance(struct x86_cpu *c, const struct x86_op *o, u64 n, bool si, bool di)
{
	if (!n)
		return;
	if (si)
		step_areg(c, o, R_SI, (s64)(n * op_size(o)));
	if (di)
		step_areg(c, o, R_DI, (s64)(n * op_size(o)));
	step_areg(c, o, R_CX, -(s64)n);
}

/* Overlapping forward moves with a small distance repeat a pattern: element by element, as the processor does. */
static void move_up(u8 *d, const u8 *s, u64 bytes, unsigned size)
{
	if (d > s && d < s + bytes && (u64)(d - s) < 64)
		for (u64 i = 0; i < bytes; i += size)
			store_le(d + i, size, load_le(s + i, size));
	else if (d > s && d < s + bytes)
		for (u64 i = 0, n; i < bytes; i += n) {
			n = bytes - i < (u64)(d - s) ? bytes - i : (u64)(d - s);
			memcpy(d + i, s + i, n);
		}
	else
		memmove(d, s, bytes);
}

static u64 movs_bulk(struct x86_cpu *c, const struct x86_op *o, u64 max)
{
	u64 rs, rd, n;
	u8 *d = plain(c, o, R_DI, SEG_ES, TLB_W, &rd);
	const u8 *s = d ? plain(c, o, R_SI, op_seg(o), TLB_R, &rs) : NULL;

	if (!s)
		return 0;
	n = (rs < rd ? rs : rd) / op_size(o);
	n = n < max ? n : max;
	move_up(d, s, n * op_size(o), op_size(o));
	advance(c, o, n, true, true);
	return n;
}

static u64 stos_bulk(struct x86_cpu *c, const struct x86_op *o, u64 max)
{
	u64 rd, n, v = x86_reg_read(c, R_AX, op_size(o));
	u8 *d = plain(c, o, R_DI, SEG_ES, TLB_W, &rd);

	if (!d)
		return 0;
	n = rd / op_size(o);
	n = n < max ? n : max;
	if (op_size(o) == 1 || v == 0)
		memset(d, (int)v, n * op_size(o));
	else
		for (u64 i = 0; i < n; i++)
			store_le(d + i * op_size(o), op_size(o), v);
	advance(c, o, n, false, true);
	return n;
}

typedef void one_fn(struct x86_cpu *c, const struct x86_op *o);
typedef u64 bulk_fn(struct x86_cpu *c, const struct x86_op *o, u64 max);

/* The run loop looks around after each access to a device, and after an iteration that met a data breakpoint. APM2 13.1.2 */
static bool must_look(const struct x86_cpu *c) { return c->device || c->pending & PEND_DB; }

/* REP without comparison. True when rCX reached 0. */
static bool rep(struct x86_cpu *c, const struct x86_op *o, one_fn *one, bulk_fn *bulk)
{
	u64 left = c->flags & FLAG_TF ? 1 : CHUNK, cx;

	c->device = false;
	if (!op_rep(o)) {
		one(c, o);
		return true;
	}
	while ((cx = c->r[R_CX] & amask(o)) && left) {
		u64 n = bulk && left > 1 && !(c->flags & FLAG_DF) ? bulk(c, o, cx < left ? cx : left) : 0;

		if (!n) {
			one(c, o);
			step_areg(c, o, R_CX, -1);
			n = 1;
			if (unlikely(must_look(c)))
				left = 1;
		}
		left -= n < left ? n : left;
	}
	return !(c->r[R_CX] & amask(o));
}

/* ---- comparisons in bulk: elements that neither end the instruction nor are the last of those at hand; the flags are the next one's
 * business, which therefore must not fault ---- */

/* How many of n elements at a, from the first, are equal (or not) to those at b, or to v if b is NULL. */
static ALWAYS_INLINE u64 run_of(const u8 *a, const u8 *b, u64 v, u64 n, unsigned size, bool equal)
{
	u64 i = 0;

	while (i < n && (load_le(a + i * size, size) == (b ? load_le(b + i * size, size) : v)) == equal)
		i++;
	return i;
}

/* n: elements at hand. The last of them stays. */
static u64 run_of_any(const u8 *a, const u8 *b, u64 v, u64 n, unsigned size, bool equal)
{
	n -= n > 0;
	switch (size) {
	case 1: return run_of(a, b, v, n, 1, equal);
	case 2: return run_of(a, b, v, n, 2, equal);
	case 4: return run_of(a, b, v, n, 4, equal);
	default: return run_of(a, b, v, n, 8, equal);
	}
}

static u64 scas_bulk(struct x86_cpu *c, const struct x86_op *o, u64 max)
{
	u64 room, n;
	const u8 *p = plain(c, o, R_DI, SEG_ES, TLB_R, &room);

	if (!p)
		return 0;
	n = room / op_size(o);
	n = run_of_any(p, NULL, x86_reg_read(c, R_AX, op_size(o)), n < max ? n : max, op_size(o), op_dst(o) == 0xf3);
	advance(c, o, n, false, true);
	return n;
}

static u64 cmps_bulk(struct x86_cpu *c, const struct x86_op *o, u64 max)
{
	u64 rs, rd, n;
	const u8 *d = plain(c, o, R_DI, SEG_ES, TLB_R, &rd), *s = d ? plain(c, o, R_SI, op_seg(o), TLB_R, &rs) : NULL;

	if (!s)
		return 0;
	n = (rs < rd ? rs : rd) / op_size(o);
	n = run_of_any(s, d, 0, n < max ? n : max, op_size(o), op_dst(o) == 0xf3);
	advance(c, o, n, true, true);
	return n;
}

/* REPE/REPNE: op_dst is the prefix byte. */
static bool rep_compare(struct x86_cpu *c, const struct x86_op *o, one_fn *one, bulk_fn *bulk)
{
	bool want = op_dst(o) == 0xf3;
	u64 cx;

	c->device = false;
	if (!op_rep(o)) {
		one(c, o);
		return true;
	}
	for (u64 left = c->flags & FLAG_TF ? 1 : CHUNK; (cx = c->r[R_CX] & amask(o)); left--) {
		if (!left)
			return false;
		if (cx > 1 && left > 1 && !(c->flags & FLAG_DF))
			left -= bulk(c, o, cx < left ? cx : left);
		one(c, o);
		step_areg(c, o, R_CX, -1);
		if (flag_zf(c) != want)
			return true;
		if (unlikely(must_look(c)))
			left = 1;
	}
	return true;
}

bool x86i_movs(struct x86_cpu *c, const struct x86_op *o) { return rep(c, o, movs1, movs_bulk); }
bool x86i_stos(struct x86_cpu *c, const struct x86_op *o) { return rep(c, o, stos1, stos_bulk); }
bool x86i_lods(struct x86_cpu *c, const struct x86_op *o) { return rep(c, o, lods1, NULL); }
bool x86i_cmps(struct x86_cpu *c, const struct x86_op *o) { return rep_compare(c, o, cmps1, cmps_bulk); }
bool x86i_scas(struct x86_cpu *c, const struct x86_op *o) { return rep_compare(c, o, scas1, scas_bulk); }
