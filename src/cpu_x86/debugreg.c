/* Debug registers: MOV DRn, and which accesses the enabled breakpoints match. Delivery of #DB is elsewhere. APM2 13.1.
 */
#include "cpu_x86/system.h"

enum { BP_EXEC, BP_WRITE, BP_IO, BP_ACCESS };

/* DR7: Ln and Gn at bits 2n, R/Wn at 16 + 4n, LENn at 18 + 4n. APM2 13.1.1 */
static bool bp_on(u64 dr7, unsigned n) { return dr7 >> 2 * n & 3; }
static unsigned bp_kind(u64 dr7, unsigned n) { return dr7 >> (16 + 4 * n) & 3; }
static unsigned bp_size(u64 dr7, unsigned n)
{
	static const u8 size[4] = {1, 2, 8, 4};

	return size[dr7 >> (18 + 4 * n) & 3];
}

/* Whether [at, at+size) meets breakpoint n, whose address is taken aligned to its length. APM2 13.1.2 */
static bool bp_meets(const struct x86_cpu *c, unsigned n, u64 at, unsigned size)
{
	unsigned len = bp_size(c->dr[7], n);
	u64 bp = c->dr[n] & ~(u64)(len - 1);

	return at < bp + len && bp < at + size;
}

u64 x86_debug_data(const struct x86_cpu *c, u64 va, unsigned size, bool write)
{
	u64 hit = 0;

	for (unsigned n = 0; n < 4; n++) {
		unsigned kind = bp_kind(c->dr[7], n);

		if (bp_on(c->dr[7], n) && (kind == BP_ACCESS || (kind == BP_WRITE && write)) &&
		    bp_meets(c, n, va, size))
			hit |= BIT(n);
	}
	return hit;
}

u64 x86_debug_exec(const struct x86_cpu *c, u64 va)
{
	u64 hit = 0;

	for (unsigned n = 0; n < 4; n++)
		if (bp_on(c->dr[7], n) && bp_kind(c->dr[7], n) == BP_EXEC && c->dr[n] == va)
			hit |= BIT(n);
	return hit;
}

u64 x86_debug_io(const struct x86_cpu *c, u16 port, unsigned size)
{
	u64 hit = 0;

	if (!(c->cr4 & CR4_DE)) /* I/O breakpoints need the debugging extensions. APM2 13.1.1 */
		return 0;
	for (unsigned n = 0; n < 4; n++)
		if (bp_on(c->dr[7], n) && bp_kind(c->dr[7], n) == BP_IO && bp_meets(c, n, port, size))
			hit |= BIT(n);
	return hit;
}

static bool any_exec(u64 dr7)
{
	for (unsigned n = 0; n < 4; n++)
		if (bp_on(dr7, n) && bp_kind(dr7, n) == BP_EXEC)
			return true;
	return false;
}

/* Pages with data breakpoints leave the fast path. */
static void watch_pages(struct x86_cpu *c)
{
	u64 page[4];
	unsigned n = 0;

	for (unsigned i = 0; i < 4; i++)
		if (bp_on(c->dr[7], i) && (bp_kind(c->dr[7], i) & 1))
			page[n++] = c->dr[i] & PAGE_MASK;
	if (n != c->tlb.watches || memcmp(page, c->tlb.watch, n * sizeof page[0]))
		tlb_watch(&c->tlb, page, n);
}

/* DR0-3, DR7, EFLAGS.TF or DebugCtl changed. Called at each world switch, so nothing to do must be cheap. */
void x86_debug_changed(struct x86_cpu *c)
{
	c->break_exec = unlikely(x86_debug_armed(c)) && any_exec(c->dr[7]);
	c->step = c->break_exec || c->trace_exec || c->shadow || (c->flags & (FLAG_TF | FLAG_RF)) || c->msr.debugctl & 1;
	if (unlikely(x86_debug_armed(c) || c->tlb.watches))
		watch_pages(c);
}

/* The register behind number n, after the checks that reading and writing share. APM3 MOV DRn */
static unsigned dr_check(struct x86_cpu *c, unsigned n)
{
	if (n > 7)
		x86_ud(c, RULE_UD_DR_NUMBER);
	if (n == 4 || n == 5) {
		if (c->cr4 & CR4_DE)
			x86_ud(c, RULE_UD_DR45_DE);
		n += 2;
	}
	if (c->cpl)
		x86_gp(c, 0, RULE_GP_CPL);
	if (c->dr[7] & DR7_GD) {
		c->dr[6] |= DR6_BD; /* the #DB handler or VMM sees it; GD is cleared at delivery. APM2 13.1.1 */
		x86_raise(c, VEC_DB, -1, RULE_DB_GENERAL_DETECT);
	}
	return n;
}

void x86i_mov_from_dr(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned n = dr_check(c, op_dst(o)), gpr = op_src(o);

	svm_check_dr(c, op_dst(o), (int)gpr, false);
	c->r[gpr] = x86_long64(c) ? c->dr[n] : (u32)c->dr[n];
}

void x86i_mov_to_dr(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned n = dr_check(c, op_dst(o)), gpr = op_src(o);
	u64 v = x86_long64(c) ? c->r[gpr] : (u32)c->r[gpr];

	if (n >= 6 && v >> 32)
		x86_gp(c, 0, RULE_GP_DR_HIGH);
	svm_check_dr(c, op_dst(o), (int)gpr, true);
	if (n == 6)
		v = (v & DR6_WRITABLE) | DR6_FIXED;
	else if (n == 7)
		v = (v & DR7_WRITABLE) | DR7_FIXED;
	c->dr[n] = v;
	if (n != 6)
		x86_debug_changed(c);
}
