/*
 * CP15 of the ARM926EJ-S: identification, control, MMU, fault status, cache and TLB operations, lockdown, process, test and debug. There is no model
 * of the caches: they are always clean and coherent, so that their operations have nothing to do. DDI0198 ch. 2.3, app. B.
 */
#include "cpu_arm/exec.h"

#define ID_CODE       0x41069265u /* ARM926EJ-S r0p5 */
#define CACHE_TYPE    0x1dd20d2u  /* 16 KB each, four ways, 32-byte lines, lockdown format C */
#define CONTROL_FIXED 0x50078u    /* read as one */
#define CONTROL_MASK  (CTL_M | CTL_A | CTL_C | CTL_B | CTL_S | CTL_R | CTL_I | CTL_V | CTL_RR | CTL_L4)
#define LOCK_FIXED    0xfff0u     /* cache lockdown: bits 15:4 read as one */
#define FSR_MASK      0xffu
#define FCSE_MASK     0xfe000000u
#define CLEAN         PSR_Z       /* what test-and-clean returns: bit 30, the cache is clean. DDI0198 2.3.7 */

void arm_cp15_changed(struct arm_cpu *c)
{
	const struct arm_cp15 *p = &c->s.cp15;
	struct walk_arm_env *e = &c->tlb.env;

	e->on = p->control & CTL_M;
	e->s = p->control & CTL_S;
	e->r = p->control & CTL_R;
	e->ttbr = p->ttbr;
	e->dacr = p->dacr;
	c->tlb.fcse = p->fcse;
	c->mode = (c->mode & (ARM_MODE_THUMB | ARM_MODE_USER)) | (p->control & CTL_B ? ARM_MODE_BE : 0) | (p->control & CTL_L4 ? ARM_MODE_L4 : 0) |
	          ((c->s.vfp.fpexc & (FPEXC_EN | FPEXC_EX)) == FPEXC_EN ? ARM_MODE_VFP : 0) | (c->s.vfp.fpscr & FPSCR_TRAPS ? ARM_MODE_TRAPS : 0);
	tlb_arm_switch(&c->tlb);
}

/* The registers by number: CRn, CRm, opcode 2. */
#define REGISTER(n, m, op2) ((n) << 8 | (m) << 4 | (op2))

static u32 read_lock(const struct arm_cpu *c) { return (u32)c->tlb.arch.victim << 26 | c->tlb.arch.lock; }

/* False: no such register. */
static bool read(const struct arm_cpu *c, unsigned reg, u32 *v)
{
	const struct arm_cp15 *p = &c->s.cp15;

	if (reg >> 8 == 0) { /* all that is nothing else reads as the ID code. DDI0198 2.3.1 */
		*v = reg == REGISTER(0, 0, 1) ? CACHE_TYPE : reg == REGISTER(0, 0, 2) ? 0 : ID_CODE;
		return true;
	}
	switch (reg) {
	case REGISTER(1, 0, 0): *v = p->control; return true;
	case REGISTER(2, 0, 0): *v = p->ttbr; return true;
	case REGISTER(3, 0, 0): *v = p->dacr; return true;
	case REGISTER(5, 0, 0): *v = p->dfsr; return true;
	case REGISTER(5, 0, 1): *v = p->ifsr; return true;
	case REGISTER(6, 0, 0): *v = p->far; return true;
	case REGISTER(7, 10, 3):
	case REGISTER(7, 14, 3): *v = CLEAN; return true;
	case REGISTER(9, 0, 0): *v = p->dlock | LOCK_FIXED; return true;
	case REGISTER(9, 0, 1): *v = p->ilock | LOCK_FIXED; return true;
	case REGISTER(9, 1, 0):
	case REGISTER(9, 1, 1): *v = 0; return true; /* there is no TCM */
	case REGISTER(10, 0, 0): *v = read_lock(c); return true;
	case REGISTER(13, 0, 0): *v = p->fcse; return true;
	case REGISTER(13, 0, 1): *v = p->context; return true;
	default: return false;
	}
}

static void wait_for_interrupt(struct arm_cpu *c)
{
	c->s.waiting = 1;
	arm_look(c);
}

/* Register 7: the caches have nothing to invalidate or clean. False: no such operation. DDI0198 table 2-18 */
static bool cache_operation(struct arm_cpu *c, unsigned reg)
{
	switch (reg) {
	case REGISTER(7, 0, 4):
	case REGISTER(7, 8, 2): wait_for_interrupt(c); return true;
	case REGISTER(7, 5, 0): /* instruction cache: all, by MVA, by set and way */
	case REGISTER(7, 5, 1):
	case REGISTER(7, 5, 2):
	case REGISTER(7, 6, 0): /* data cache, invalidate */
	case REGISTER(7, 6, 1):
	case REGISTER(7, 6, 2):
	case REGISTER(7, 7, 0): /* both */
	case REGISTER(7, 10, 1): /* clean */
	case REGISTER(7, 10, 2):
	case REGISTER(7, 10, 4): /* drain write buffer */
	case REGISTER(7, 13, 1): /* prefetch */
	case REGISTER(7, 14, 1): /* clean and invalidate */
	case REGISTER(7, 14, 2): return true;
	default: return false;
	}
}

static bool tlb_operation(struct arm_cpu *c, unsigned reg, u32 v)
{
	switch (reg) { /* the TLB is unified: the three kinds do the same. DDI0198 2.3.8 */
	case REGISTER(8, 5, 0):
	case REGISTER(8, 6, 0):
	case REGISTER(8, 7, 0): tlb_arm_flush(&c->tlb); return true;
	case REGISTER(8, 5, 1):
	case REGISTER(8, 6, 1):
	case REGISTER(8, 7, 1): tlb_arm_flush_page(&c->tlb, v); return true;
	default: return false;
	}
}

static bool write(struct arm_cpu *c, unsigned reg, u32 v)
{
	struct arm_cp15 *p = &c->s.cp15;

	if (reg >> 8 == 7)
		return cache_operation(c, reg);
	if (reg >> 8 == 8)
		return tlb_operation(c, reg, v);
	if (unlikely(event_on(c->log, EV_CR)))
		arm_log(c, EV_CR, reg, v, 0);
	switch (reg) {
	case REGISTER(1, 0, 0): p->control = (v & CONTROL_MASK) | CONTROL_FIXED; break;
	case REGISTER(2, 0, 0): p->ttbr = v & ~0x3fffu; break;
	case REGISTER(3, 0, 0): p->dacr = v; break;
	case REGISTER(5, 0, 0): p->dfsr = v & FSR_MASK; return true;
	case REGISTER(5, 0, 1): p->ifsr = v & FSR_MASK; return true;
	case REGISTER(6, 0, 0): p->far = v; return true;
	case REGISTER(9, 0, 0): p->dlock = v & 15; return true;
	case REGISTER(9, 0, 1): p->ilock = v & 15; return true;
	case REGISTER(9, 1, 0):
	case REGISTER(9, 1, 1): return true; /* there is no TCM to place */
	case REGISTER(10, 0, 0):
		c->tlb.arch.lock = v & 1;
		c->tlb.arch.victim = v >> 26 & 7;
		return true;
	case REGISTER(13, 0, 0): p->fcse = v & FCSE_MASK; break;
	case REGISTER(13, 0, 1): p->context = v; return true;
	default: return false;
	}
	arm_cp15_changed(c);
	return true;
}

/* ---- register 15: opcode 1 selects, too. DDI0198 app. B ---- */

#define TEST_REGISTER(op1, m, op2) ((op1) << 8 | (m) << 4 | (op2))
#define MMU_DEBUG TEST_REGISTER(7, 1, 0) /* keeps the TLB from being filled or looked at */

/* What only caches, which are not modelled, and trace hardware, which is not there, would obey: it is kept and has no effect. */
static u32 *test_register(struct arm_cp15 *p, unsigned reg, u32 *mask)
{
	switch (reg) {
	case TEST_REGISTER(0, 0, 0): *mask = ~0u; return &p->debug_override;
	case TEST_REGISTER(0, 1, 0): *mask = ~0u; return &p->test_address;
	case TEST_REGISTER(0, 2, 0): *mask = 0xffff; return &p->region_remap;
	case TEST_REGISTER(1, 1, 0): *mask = 6; return &p->trace_control; /* whether a full trace buffer holds up interrupts */
	case TEST_REGISTER(7, 0, 0): *mask = 7; return &p->cache_debug;   /* no line fills, no write-back */
	default: return NULL;
	}
}

/* The TLB's entries as test registers show them are not there: ours is larger and has another shape. */
static void test_and_debug(struct arm_cpu *c, u32 w, u32 *rd)
{
	unsigned op1 = w >> 21 & 7, reg = TEST_REGISTER(op1, w & 15, w >> 5 & 7);
	bool read = w >> 20 & 1;
	u32 mask = 0, *at = test_register(&c->s.cp15, reg, &mask);

	if (!read && unlikely(event_on(c->log, EV_CR)))
		arm_log(c, EV_CR, REGISTER(15, w & 15, w >> 5 & 7), *rd, 0);
	if (at && read)
		*rd = *at;
	else if (at)
		*at = *rd & mask;
	else if (reg == MMU_DEBUG && read)
		*rd = 0;
	else if (reg != MMU_DEBUG || *rd)
		arm_unimplemented(c, "CP15 c15: %s (opcode 1 %u, c%u, %u)",
				  op1 == 4 || op1 == 5 ? "access to the TLB's entries" : reg == MMU_DEBUG ? "MMU debug control" : "test and debug register", op1,
				  w & 15, w >> 5 & 7);
}

/* MCR and MRC, privileged. What the ARM926 does not have is unpredictable: Undefined here. */
void arm_i_cp15(struct arm_cpu *c, const struct arm_op *o)
{
	u32 w = op_aux(o), v = 0, rd = w >> 12 & 15;
	unsigned reg = REGISTER(w >> 16 & 15, w & 15, w >> 5 & 7);
	bool known;

	if (reg >> 8 == 15) {
		v = rd == 15 ? arm_pc(c) + 8 : c->s.r[rd];
		test_and_debug(c, w, &v);
		if (rd != 15)
			c->s.r[rd] = v;
		else if (w >> 20 & 1)
			flags_set(c, v);
		return;
	}
	if (w >> 20 & 1) {
		known = !(w >> 21 & 7) && read(c, reg, &v);
		if (known && rd == 15)
			flags_set(c, v);
		else if (known)
			c->s.r[rd] = v;
	} else {
		known = !(w >> 21 & 7) && write(c, reg, rd == 15 ? arm_pc(c) + 8 : c->s.r[rd]);
	}
	if (!known)
		arm_undefined(c, o);
}
