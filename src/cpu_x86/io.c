/*
 * Port I/O: IN, OUT, INS, OUTS with IOPL and the TSS permission bitmap, I/O breakpoints, REP with yields. The order is
 * IOPL and bitmap, SVM intercept, memory faults, the port. APM1 3.8, APM2 12.2.5, 13.1.3, 15.10; APM3 IN, OUT, INS,
 * OUTS.
 */
#include "cpu_x86/exec.h"
#include "cpu_x86/system.h"

static const u64 addr_mask[4] = {0xffff, 0xffffffff, ~0ull, ~0ull};

/* The bitmap of the current TSS. Two bytes are always read, so that the bits of a 4-byte port are all there.
 * APM2 12.2.5 */
static NOINLINE void check_bitmap(struct x86_cpu *c, u16 port, unsigned size)
{
	const struct x86_seg *tr = &c->seg[SEG_TR];
	unsigned type = tr->attr & ATTR_TYPE;
	u64 base = c->mode & MODE_LONG ? tr->base : (u32)tr->base;
	u32 at;

	if (!(tr->attr & ATTR_P) || (type != 9 && type != 11) || tr->limit < 103)
		x86_gp(c, 0, RULE_GP_IO_TSS);
	at = (u32)x86_load_sys(c, base + 102, 2) + port / 8;
	if (at + 1 > tr->limit)
		x86_gp(c, 0, RULE_GP_IO_TSS);
	if (x86_load_sys(c, base + at, 2) >> (port & 7) & mask_low(size))
		x86_gp(c, 0, RULE_GP_IO_BITMAP);
}

/* The permission bitmap is not asked. APM2 12.2.5 */
static inline bool may_do_io(const struct x86_cpu *c)
{
	return !(c->mode & MODE_PE) || (c->cpl <= (unsigned)(c->flags & FLAG_IOPL) >> 12 && !(c->mode & MODE_VM));
}

static inline void check_port(struct x86_cpu *c, u16 port, unsigned size)
{
	if (!may_do_io(c))
		check_bitmap(c, port, size);
}

static inline void check_intercept(struct x86_cpu *c, const struct x86_op *o, u16 port, unsigned size, bool in,
				   bool string, unsigned seg)
{
	if (unlikely(svm_wants(&c->svm, ICPT_IOIO)))
		svm_check_io(c, port, size, in, string, string && op_rep(o), seg, 2u << op_asize(o));
}

static inline u64 port_read(struct x86_cpu *c, u16 port, unsigned size)
{
	x86_set_time(c);
	return space_read(c->io, port, size);
}
static inline void port_write(struct x86_cpu *c, u16 port, unsigned size, u64 v)
{
	x86_set_time(c);
	space_write(c->io, port, size, v);
}

/* I/O breakpoints trap after the access. APM2 13.1.3 */
static inline void port_break(struct x86_cpu *c, u16 port, unsigned size)
{
	if (unlikely(x86_debug_armed(c))) {
		u64 hit = x86_debug_io(c, port, size);

		if (hit) {
			c->db_pending |= hit;
			x86_pend(c, PEND_DB);
		}
	}
}

static void in(struct x86_cpu *c, const struct x86_op *o, u16 port)
{
	unsigned size = op_size(o);

	check_port(c, port, size);
	check_intercept(c, o, port, size, true, false, 0);
	switch (size) {
	case 1: REG_SET8(c, REG_OFFSET(R_AX), port_read(c, port, 1)); break;
	case 2: REG_SET16(c, REG_OFFSET(R_AX), port_read(c, port, 2)); break;
	default: REG_SET32(c, REG_OFFSET(R_AX), port_read(c, port, 4)); break;
	}
	port_break(c, port, size);
}

static void out(struct x86_cpu *c, const struct x86_op *o, u16 port)
{
	unsigned size = op_size(o);

	check_port(c, port, size);
	check_intercept(c, o, port, size, false, false, 0);
	port_write(c, port, size, size == 1 ? (u8)c->r[R_AX] : size == 2 ? (u16)c->r[R_AX] : (u32)c->r[R_AX]);
	port_break(c, port, size);
}

void x86i_in_imm(struct x86_cpu *c, const struct x86_op *o) { in(c, o, (u8)op_imm(o)); }
void x86i_in_dx(struct x86_cpu *c, const struct x86_op *o) { in(c, o, (u16)c->r[R_DX]); }
void x86i_out_imm(struct x86_cpu *c, const struct x86_op *o) { out(c, o, (u8)op_imm(o)); }
void x86i_out_dx(struct x86_cpu *c, const struct x86_op *o) { out(c, o, (u16)c->r[R_DX]); }

/* ---- strings ---- */

/* The part of an index or count register that the address size names; the others stay, but 32-bit results clear the
 * upper half. */
static void reg_update(struct x86_cpu *c, unsigned r, const struct x86_op *o, u64 v)
{
	x86_reg_write(c, r, 2u << op_asize(o), v);
}

static void ins_one(struct x86_cpu *c, const struct x86_op *o, u16 port, unsigned size, u64 step)
{
	u64 di = c->r[R_DI] & addr_mask[op_asize(o)];
	u64 va = x86_linear(c, SEG_ES, di, size, true);

	x86_probe_write(c, va, size, c->cpl); /* before the port is read: a restart must not read it twice */
	x86_store(c, va, size, port_read(c, port, size));
	reg_update(c, R_DI, o, di + step);
}

static void outs_one(struct x86_cpu *c, const struct x86_op *o, u16 port, unsigned size, u64 step)
{
	u64 si = c->r[R_SI] & addr_mask[op_asize(o)];

	port_write(c, port, size, x86_load_seg_off(c, op_seg(o), si, size));
	reg_update(c, R_SI, o, si + step);
}

/* After each element the instruction may be left with rIP still on it, as interrupts and single steps want it.
 * APM1 3.5.2 */
static bool must_yield(const struct x86_cpu *c)
{
	return c->budget <= 0 || c->sched->kick || c->step || c->pending & (PEND_NMI | PEND_SMI | PEND_INIT | PEND_DB);
}

static void string_io(struct x86_cpu *c, const struct x86_op *o, bool is_in)
{
	unsigned size = op_size(o), rep = op_rep(o);
	u16 port = (u16)c->r[R_DX];
	u64 step = c->flags & FLAG_DF ? -(u64)size : size, count = c->r[R_CX] & addr_mask[op_asize(o)];

	/* Before the count is looked at: the host (Intel) does so too, and APM2 15.7 puts intercepts before what
	 * depends on operand values. APM3 INS leaves it open. */
	check_port(c, port, size);
	check_intercept(c, o, port, size, is_in, true, is_in ? SEG_ES : op_seg(o));
	if (rep && !count)
		return;
	for (;;) {
		if (is_in)
			ins_one(c, o, port, size, step);
		else
			outs_one(c, o, port, size, step);
		port_break(c, port, size);
		if (!rep)
			return;
		reg_update(c, R_CX, o, --count);
		if (!count)
			return;
		if (must_yield(c)) {
			x86_jump(c, x86_rip(c));
			return;
		}
		c->budget--; /* each element counts as an instruction, the first as this one */
	}
}

void x86i_ins(struct x86_cpu *c, const struct x86_op *o) { string_io(c, o, true); }
void x86i_outs(struct x86_cpu *c, const struct x86_op *o) { string_io(c, o, false); }
