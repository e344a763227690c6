/* What walk, tables and tlb say of an ARM. DDI0100 B4.7, DDI0198 3.2, 3.7 */
#ifndef DEBUG_MON_ARM_H
#define DEBUG_MON_ARM_H

#include "debug/monitor.h"

void mon_tables_arm(struct monitor *m, char *args);
void mon_tlb_arm(struct monitor *m, char *args);
/* What the TLB holds, a line each, with what the tables say now; how many. */
u64 mon_tlb_arm_print(struct text *out, const struct tlb_arm *t);
/* The descriptors read for va as the tables stand now, and what becomes of the access (enum access). */
void mon_walk_arm(struct text *out, const struct arm_cpu *c, u32 va, unsigned access);

#endif
