/* What the files of this room share beyond cpu.h: modes, exceptions, CP15, memory accesses out of line. */
#ifndef CPU_ARM_SYSTEM_H
#define CPU_ARM_SYSTEM_H

#include "cpu_arm/cpu.h"

/* ---- mode.c ---- */
void arm_switch_bank(struct arm_cpu *c, u32 mode);
u32 *arm_reg_place(struct arm_cpu *c, u32 mode, unsigned n); /* where register n of that mode is now; n < 15 */
/* The whole CPSR, flags included, with all consequences; the mode exists. */
void arm_write_cpsr(struct arm_cpu *c, u32 val);

/* ---- cpu.c ---- */
/* After the CPSR, the control register, DACR, the FCSE process or FPEXC changed: block key, TLB context, interrupts. */
void arm_mode_changed(struct arm_cpu *c);

#endif
