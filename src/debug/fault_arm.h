/* Names of an ARM's exceptions and faults. DDI0100 A2.6, table B4-1 */
#ifndef DEBUG_FAULT_ARM_H
#define DEBUG_FAULT_ARM_H

#include "mmu/walk_arm.h"

/* "data abort" of an enum arm_vector. */
const char *arm_vector_name(u32 vector);
/* The rule behind a fault status as a sentence, and where it stands. arm_fault_text is its name. */
const char *arm_fault_rule(u32 fsr);

#endif
