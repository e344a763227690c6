/*
 * Decoded code: blocks of ops keyed by physical address and mode, and their links. Derived state: never saved. A store to a 64-byte piece that
 * holds code kills the blocks that touch it; a killed block's ops all become "leave", so that a CPU inside it stops at its next op.
 */
#ifndef CPU_ARM_BLOCK_H
#define CPU_ARM_BLOCK_H

#include "cpu_arm/system.h"

#define BLOCK_OPS         64 /* instructions in a block at most */
#define BLOCK_OPS_PATCHED 6  /* the same for pages whose code is patched often */
#define PATCHED_OFTEN     16
#define BLOCK_DEAD        0x3fffffff
#define BLOCK_SPIED       0x3ffffffe /* the run loop is asked each time: more than any budget */
#define ARM_MODE_STEP     0x80u      /* in the key: one instruction only */

struct arm_block {
	struct arm_block *link[2]; /* successors: taken / fall through */
	s32 n;                     /* instructions, or BLOCK_DEAD: entering fails the budget test */
	u32 mode;
	u64 pa;                    /* first byte */
	u16 insns, ops, bytes;     /* true counts: instructions, ops without the end, length */
	bool dead;
	u16 heat;                  /* runs as ops, while op[0] counts them */
	arm_fn *first;             /* op[0]'s own handler meanwhile */
	struct arm_block *hash_next, *page_next;
	struct arm_op op[];
};

#define CODE_FAST_BITS  14
#define CODE_PAGES_BITS 12

struct arm_code {
	struct arm_block *fast[1 << CODE_FAST_BITS]; /* last used by hash of (pa, mode) */
	struct arm_block *hash[1 << CODE_FAST_BITS];
	struct arm_block *page[1 << CODE_PAGES_BITS]; /* blocks by hash of their page */
	u64 cut[1 << 8];                              /* a Bloom filter of instructions that touch devices */
	u8 *arena;
	size_t used, size;
	u64 flushes;
	struct arm_host *host; /* NULL: no host code */
	unsigned hot;          /* runs before a block is translated */
	const u64 *spied; /* see arm_code_spy; NULL: nothing */
	bool spied_magic;
};

static ALWAYS_INLINE unsigned arm_code_hash(u64 pa, u32 mode)
{
	return (unsigned)((pa >> 1 ^ pa >> CODE_FAST_BITS) + mode * 0x9e5u) & ((1u << CODE_FAST_BITS) - 1);
}

static ALWAYS_INLINE struct arm_jump_entry *arm_jump_slot(struct arm_cpu *c, u32 va)
{
	return &c->jump[(va >> 1 ^ va >> ARM_JUMP_BITS) & ((1u << ARM_JUMP_BITS) - 1)];
}

/* The block at va if its translation and itself are at hand. */
static ALWAYS_INLINE struct arm_block *arm_block_find(struct arm_cpu *c, u32 va)
{
	u64 pa;
	struct arm_block *b;

	if (unlikely(!itlb_arm_lookup(&c->tlb, va, &pa)))
		return NULL;
	b = c->code->fast[arm_code_hash(pa, c->mode)];
	if (unlikely(!b || b->pa != pa || b->mode != c->mode))
		return NULL;
	return b;
}

struct arm_code *arm_code_new(void);
void arm_code_free(struct arm_code *k);
void arm_code_flush(struct arm_cpu *c);
void arm_code_hit(void *cpu, u64 pa, unsigned size); /* for struct space */
/* The block at r[15] in the present mode, decoded if need be. May raise fetch faults. */
struct arm_block *arm_block_get(struct arm_cpu *c, bool step);
/* The instruction touches a device: end blocks after it from now on. */
void arm_code_cut(struct arm_cpu *c, const struct arm_op *o);
/* The block that holds o, and o's place: instructions and bytes before it. */
struct arm_block *arm_block_of(const struct arm_op *o, unsigned *insns, unsigned *bytes);

#endif
