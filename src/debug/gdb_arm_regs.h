/* The ARM stub's registers and memory: between gdb_arm.c and gdb_arm_regs.c. */
#ifndef DEBUG_GDB_ARM_REGS_H
#define DEBUG_GDB_ARM_REGS_H

#include "debug/gdb.h"
#include "machine/integratorcp.h"

enum { GDB_ARM_VFP = 17, GDB_ARM_SYSTEM = GDB_ARM_VFP + 17, GDB_ARM_REGS = GDB_ARM_SYSTEM + 18 };

/* Registers by their place in a g packet; those that the CPU does not have take none. */
unsigned gdb_arm_reg_index(unsigned gdb_number);
unsigned gdb_arm_reg_size(const struct icp *b, unsigned n);
void gdb_arm_reg_read(struct gdb *g, struct icp *b, unsigned n);
bool gdb_arm_reg_write(struct icp *b, unsigned n, const char *hex);
void gdb_arm_target_xml(const struct icp *b, struct text *out);
/* Memory as the CPU's tables show it now, whatever they permit; devices are not touched. */
bool gdb_arm_peek(struct icp *b, u32 va, u8 *byte);
bool gdb_arm_poke(struct icp *b, u32 va, u8 byte);

#endif
