/* What the files of this room share beyond cpu.h: modes, exceptions, CP15, memory accesses out of line, bodies. */
#ifndef CPU_ARM_SYSTEM_H
#define CPU_ARM_SYSTEM_H

#include "cpu_arm/cpu.h"
#include "cpu_arm/op.h"

/* ---- mode.c ---- */
static inline bool arm_privileged(const struct arm_cpu *c) { return !(c->mode & ARM_MODE_USER); }
void arm_switch_bank(struct arm_cpu *c, u32 mode);
u32 *arm_reg_place(struct arm_cpu *c, u32 mode, unsigned n); /* where register n of that mode is now; n < 15 */
/* The whole CPSR, flags included, with all consequences; the mode exists. */
void arm_write_cpsr(struct arm_cpu *c, u32 val);
/* After the CPSR's control bits changed: block key, privilege, interrupts. */
void arm_mode_changed(struct arm_cpu *c);
/* The CPSR was old and is another now: EV_MODE if the mode changed. */
static inline void arm_log_mode(struct arm_cpu *c, u32 old)
{
	if (unlikely(event_on(c->log, EV_MODE)) && (old ^ c->s.cpsr) & PSR_MODE)
		arm_log(c, EV_MODE, c->s.cpsr, old, 0);
}
/* After the control register, DACR, TTBR, the FCSE process, FPEXC or what FPSCR traps changed. */
void arm_cp15_changed(struct arm_cpu *c);
/* After something about interrupts changed: is there something to do between instructions? */
void arm_look(struct arm_cpu *c);

/* ---- exception.c ---- */
/* Enter the exception: banks, CPSR, new_pc. lr: what r14 becomes. DDI0100 A2.6 */
void arm_enter(struct arm_cpu *c, enum arm_vector v, u32 lr);
/* In a body that ends its block: Undefined instruction. */
void arm_undefined(struct arm_cpu *c, const struct arm_op *o);
/* In the run loop: the abort that unwound; the interrupt that is due, if any. */
void arm_take_abort(struct arm_cpu *c);
void arm_take_interrupt(struct arm_cpu *c);
/* ldst.c: continue at what was loaded into r15. */
void arm_load_pc(struct arm_cpu *c, u32 v);
/* A prefetch abort or data abort of the instruction under way; unwinds. */
void arm_abort(struct arm_cpu *c, enum arm_vector v, const struct walk *w) NORETURN COLD;
void arm_alignment_abort(struct arm_cpu *c, u32 va) NORETURN COLD;
/* Stops the machine with "unimplemented: ... at pc". */
void arm_unimplemented(struct arm_cpu *c, const char *fmt, ...) NORETURN COLD PRINTF(2, 3);
/* Return from an exception: CPSR from SPSR, then to pc. For bodies that end their block. */
void arm_return(struct arm_cpu *c, const struct arm_op *o, u32 pc);

/* ---- mem.c: accesses by the instruction under way (c->op); unwind on faults; devices are met alone ---- */
/* size 1, 2, 4; zero-extended. Unaligned words are rotated, halfwords aligned (DDI0100 A2.7.4), or abort with the A bit. */
u32 arm_load(struct arm_cpu *c, u32 va, unsigned size);
void arm_store(struct arm_cpu *c, u32 va, unsigned size, u32 val);
u32 arm_load_user(struct arm_cpu *c, u32 va, unsigned size); /* with User mode's rights: LDRT */
void arm_store_user(struct arm_cpu *c, u32 va, unsigned size, u32 val);
/* Words of LDM and STM: address bits 1:0 are ignored, or abort with the A bit. */
u32 arm_load_word(struct arm_cpu *c, u32 va);
void arm_store_word(struct arm_cpu *c, u32 va, u32 val);
void arm_check_aligned(struct arm_cpu *c, u32 va, unsigned mask); /* when the A bit is set */
void arm_probe_write(struct arm_cpu *c, u32 va, unsigned size);
u64 arm_fetch(struct arm_cpu *c, u32 va, bool *whole_page); /* physical address; false: look it up at each instruction */

/* ---- cpu.c ---- */
void arm_sync(struct arm_cpu *c); /* the instruction under way has not happened: r[15] and budget are as before it */

/* Bodies: arm_bodies[] has them in the order of this enumeration. */
#define BODIES(X) X(undefined) X(mrs) X(msr) X(swi) X(bkpt) X(cp15) X(swp) X(ldst) X(ldst_pc) X(ldst_double) X(ldm_user) X(stm_user) X(ldm_return) \
	X(dp_pc) X(vfp_system) X(vfp_move) X(vfp_data)
enum arm_body_id {
#define X(n) BODY_##n,
	BODIES(X)
#undef X
	BODY_COUNT
};
#define X(n) arm_body arm_i_##n;
BODIES(X)
#undef X
extern arm_body *const arm_bodies[BODY_COUNT];

#endif
