/*
 * QEMU's pc-testdev: a 32-bit latch seen through two port ranges, a port that names a page
 * to flush, a port per interrupt line, and 64 KB of device memory.
 */
#ifndef DEVICES_PC_TESTDEV_H
#define DEVICES_PC_TESTDEV_H

#include "base/field.h"
#include "base/irq.h"
#include "mmu/space.h"

#define PC_TESTDEV_LINES 24
#define PC_TESTDEV_MEM   0x10000

struct pc_testdev_state {
	u32 latch;
	u8 pad[4];
	u8 mem[PC_TESTDEV_MEM];
};

struct pc_testdev {
	struct pc_testdev_state s;
	struct irq line[PC_TESTDEV_LINES];
	void (*flush)(void *arg, u64 pa); /* a page whose cached translations are to be dropped; may be NULL */
	void *flush_arg;
};

extern const struct region_ops pc_testdev_latch_ops; /* ports E0h-E3h and, the same ops, E8h-EBh */
extern const struct region_ops pc_testdev_flush_ops; /* ports E4h-E7h */
extern const struct region_ops pc_testdev_line_ops;  /* ports 2000h-2017h */
extern const struct region_ops pc_testdev_mem_ops;   /* memory FF000000h, 64 KB */
#define PC_TESTDEV_FIELDS 3
extern const struct field pc_testdev_fields[PC_TESTDEV_FIELDS];

void pc_testdev_init(struct pc_testdev *t);
void pc_testdev_reset(struct pc_testdev *t);

#endif
