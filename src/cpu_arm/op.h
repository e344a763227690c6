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
/* Rare instructions are bodies: plain functions behind a trampoline (exec.h). */
typedef void arm_body(struct arm_cpu *c, const struct arm_op *o);

struct arm_op {
	arm_fn *exec;
	union {
		arm_fn *second;          /* behind a condition or a use of r15: the instruction itself */
		struct arm_block *block; /* direct branches and block ends: the block, for its links */
	};
	u32 imm;       /* immediate, offset, register list; branches: distance of the target from the block's start */
	u32 aux;       /* bodies: the encoding; uses of r15: its distance from the block's start; LDM, STM: see multi.c; fused: the immediate */
	u16 id;        /* enum arm_id: the row of arm_insn.def */
	u8 rd, rn;     /* registers as byte offsets into struct arm_cpu */
	u8 rm, rs;
	u8 flags;      /* OP_... */
	u8 body;       /* bodies: number in arm_bodies[] */
};
_Static_assert(sizeof(struct arm_op) == 32, "ops are 32 bytes");

enum { OP_FIRST = 1 /* of its block */, OP_TWO = 2 /* two fused instructions */, OP_THUMB = 4, OP_END = 8 /* the synthetic end */ };

static inline unsigned op_count(const struct arm_op *o) { return o->flags & OP_TWO ? 2 : 1; }
static inline unsigned op_len(const struct arm_op *o) { return (o->flags & OP_THUMB ? 2 : 4) * op_count(o); }

static ALWAYS_INLINE unsigned op_rd(const struct arm_op *o) { return o->rd; }
static ALWAYS_INLINE unsigned op_rn(const struct arm_op *o) { return o->rn; }
static ALWAYS_INLINE unsigned op_rm(const struct arm_op *o) { return o->rm; }
static ALWAYS_INLINE unsigned op_rs(const struct arm_op *o) { return o->rs; }
static ALWAYS_INLINE u32 op_imm(const struct arm_op *o) { return o->imm; }
static ALWAYS_INLINE u32 op_aux(const struct arm_op *o) { return o->aux; }
static ALWAYS_INLINE u32 op_end(const struct arm_op *o) { return o[1].imm; } /* of a block's last op: the block's length */
static ALWAYS_INLINE const struct arm_op *op_self(const struct arm_op *o) { return o; }
static ALWAYS_INLINE struct arm_block *op_block(const struct arm_op *o) { return o->block; }
static ALWAYS_INLINE arm_fn *op_second(const struct arm_op *o) { return o->second; }
#ifdef ENGINE_LOOP /* handlers return the next op to a loop: sanitizer builds, where sibling calls are not certain */
static ALWAYS_INLINE const struct arm_op *op_next(struct arm_cpu *c, const struct arm_op *o)
{
	(void)c;
	return o + 1;
}
#else
static ALWAYS_INLINE const struct arm_op *op_next(struct arm_cpu *c, const struct arm_op *o) { return o[1].exec(c, o + 1); }
#endif

#endif
