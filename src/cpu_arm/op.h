/*
 * The decoded instruction: 32 bytes, executed by tail calls. Handlers read an op's fields only through the accessors here, so that
 * the same handler source can later be compiled with constants in their place.
 */
#ifndef CPU_ARM_OP_H
#define CPU_ARM_OP_H

#include "base/types.h"

struct arm_cpu;
struct arm_op;
struct arm_block;

/* A handler executes its op and continues with the next one (op_next), or returns NULL to leave to the run loop. */
typedef const struct arm_op *arm_fn(struct arm_cpu *c, const struct arm_op *o);

struct arm_op {
	arm_fn *exec;
	union {
		arm_fn *second;          /* behind a condition or a use of r15: the instruction itself */
		struct arm_block *block; /* block ends: the block, for its links */
	};
	u32 imm;       /* immediate, offset, register list; branches: distance of the target from the block's start */
	u32 raw;       /* the encoding */
	u16 id;        /* enum arm_id: the row of arm_insn.def */
	u8 rd, rn;     /* registers as byte offsets into struct arm_cpu */
	u8 rm, rs;
	u8 flags;      /* OP_... */
	u8 pad;
};
_Static_assert(sizeof(struct arm_op) == 32, "ops are 32 bytes");

#endif
