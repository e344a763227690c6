/* Random cases for the ARM oracle: a few instructions, registers, memory. */
#ifndef ORACLE_ARM_GEN_H
#define ORACLE_ARM_GEN_H

#include "cpu_arm/decode.h"

enum { CODE = 0x10000, DATA = 0x40000, DATA_SIZE = 0x1000, SPAN = 0x400 /* of DATA: random content, compared */, CASE_INSNS = 16 };

struct rng {
	u64 s;
};
u32 random_u32(struct rng *g);
/* 0..n-1 */
static inline u32 random_to(struct rng *g, u32 n) { return (u32)((u64)random_u32(g) * n >> 32); }

struct arm_case {
	enum arm_id id;     /* the row it is made for; ARM_IDS: a mixed sequence */
	bool thumb, user;
	u32 code[CASE_INSNS]; /* ARM words or Thumb halfwords */
	unsigned n;         /* of them */
	u32 r[16];          /* r15 is where the code lies */
	u32 flags;          /* N Z C V Q */
	u32 fpscr, s[32];   /* of the VFP */
	u8 memory[SPAN];
};

/* Why the oracle has no case of a row: other tests are named; NULL: it has. */
const char *gen_excuse(enum arm_id id);
/* A case of the row. False: this one would be unpredictable, try again. */
bool gen_row(struct rng *g, enum arm_id id, struct arm_case *k);
/* A sequence of many rows. */
void gen_mix(struct rng *g, bool thumb, struct arm_case *k);

#endif
