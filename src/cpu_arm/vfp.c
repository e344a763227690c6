/* The VFP9-S. DDI0100 part C; DDI0274. */
#include "cpu_arm/exec.h"

void arm_i_vfp(struct arm_cpu *c, const struct arm_op *o) { arm_unimplemented(c, "VFP instruction %08x", op_aux(o)); }
