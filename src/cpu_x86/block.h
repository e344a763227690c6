/*
 * Decoded code: blocks of ops keyed by physical address and mode, shared by all CPUs of a machine, and their links. Derived state: never saved.
 * A store to a 64-byte piece that holds code kills the blocks that touch it; a killed block's ops all become "leave", so
 * that a CPU inside it stops at its next op.
 */
#ifndef CPU_X86_BLOCK_H
#define CPU_X86_BLOCK_H

#include "cpu_x86/cpu.h"

#define BLOCK_OPS 64       /* instructions in a block at most */
#define BLOCK_OPS_PATCHED 6 /* the same for pages whose code is patched often */
#define PATCHED_OFTEN 16
#define BLOCK_DEAD 0x3fffffff
#define BLOCK_SPIED 0x3ffffffe /* the run loop is asked each time: more than any budget */
#define MODE_STEP 0x80u    /* in the key: one instruction only */
#define CODE_NO_PAGE (~0ull)

struct x86_insn;

struct x86_block {
	struct x86_block *link[2]; /* successors: taken / fall through */
	s32 n;                     /* instructions, or BLOCK_DEAD: entering fails the budget test */
	u32 mode;
	u64 pa, pa2;               /* first byte; second page (address of its first byte) if the block's only instruction crosses */
	u16 insns, ops, bytes;     /* true counts: instructions, ops without the end, length */
	bool dead;
	u16 heat;                  /* runs as ops, while op[0] counts them */
	x86_fn *first;             /* op[0]'s own handler meanwhile */
	struct x86_block *hash_next, *page_next[2];
	struct x86_op op[];
};

#define CODE_FAST_BITS 16
#define CODE_HASH_BITS 17 /* a Linux with a guest of its own has 100000 blocks and more */
#define CODE_PAGES_BITS 14

/* What decoding gave last for such bytes: patched code is decoded again and again, and most of it is the same. */
#define CODE_MEMO_BITS 9
struct x86_code_memo {
	u64 bytes, mask; /* of the instruction: at most 8 */
	u32 mode, offset;
	bool memory;
	const struct x86_insn *row;
	struct x86_op op;
};

struct x86_code {
	struct x86_block *fast[1 << CODE_FAST_BITS]; /* last used by hash of (pa, mode); never a crossing block */
	struct x86_block *hash[1 << CODE_HASH_BITS];
	struct x86_block *page[1 << CODE_PAGES_BITS]; /* blocks by hash of their page */
	u64 cut[1 << 8];                              /* a Bloom filter of instructions that touch devices */
	u8 *arena;
	size_t used, size;
	u64 flushes;
	const u64 *spied;                             /* see x86_code_spy; NULL: nothing */
	bool spied_magic;
	struct x86_code_memo memo[1 << CODE_MEMO_BITS];
	struct space *mem;
	struct x86_cpu *cpu[16];
	unsigned cpus;
	struct x86_translator *translator; /* NULL: no host code */
	unsigned hot;                      /* runs before a block is translated */
};

static ALWAYS_INLINE unsigned x86_code_slot(u64 pa, u32 mode, unsigned bits)
{
	return (unsigned)((pa ^ pa >> bits) + mode * 0x9e5u) & ((1u << bits) - 1);
}
static ALWAYS_INLINE unsigned x86_code_fast(u64 pa, u32 mode) { return x86_code_slot(pa, mode, CODE_FAST_BITS); }
static ALWAYS_INLINE unsigned x86_code_hash(u64 pa, u32 mode) { return x86_code_slot(pa, mode, CODE_HASH_BITS); }

static ALWAYS_INLINE struct x86_jump_entry *x86_jump_slot(struct x86_cpu *c, u64 rip)
{
	return &c->jump[(rip ^ rip >> JUMP_BITS) & ((1u << JUMP_BITS) - 1)];
}

/* The block at rip if its translation and itself are at hand. */
static ALWAYS_INLINE struct x86_block *x86_block_find(struct x86_cpu *c, u64 rip)
{
	u64 va = rip, pa;
	struct x86_block *b;

	if ((c->mode & MODE_SIZE) != MODE_64)
		va = (u32)(rip + c->sbase[SEG_CS]);
	if (unlikely(!itlb_lookup(&c->tlb, va, &pa)))
		return NULL;
	b = c->code->fast[x86_code_fast(pa, c->mode)];
	if (unlikely(!b || b->pa != pa || b->mode != c->mode))
		return NULL;
	if ((c->mode & MODE_SIZE) != MODE_64 && unlikely(rip + b->bytes - 1u > c->cs_lim))
		return NULL;
	return b;
}

struct x86_code *x86_code_new(struct space *mem);
/* Blocks become host code (translate.h) after that many runs, 0: never. Before the first run. */
void x86_code_set_hot(struct x86_code *k, unsigned runs);
void x86_code_free(struct x86_code *k);
void x86_code_add_cpu(struct x86_code *k, struct x86_cpu *c);
void x86_code_flush(struct x86_code *k);
/* Instructions whose page offset has its bit set in offsets (4096 bits; kept by the caller), and XCHG BX,BX if magic, are taken one by one
 * from now on, and c->spy->insn is asked before them. NULL and false: none. Between runs only. */
void x86_code_spy(struct x86_code *k, const u64 *offsets, bool magic);
/* The block at c->rip in the present mode, decoded if need be. May raise fetch faults. */
struct x86_block *x86_block_get(struct x86_cpu *c, bool step);
/* Instruction at pa touches a device: end blocks after it from now on. */
void x86_code_cut(struct x86_cpu *c, const struct x86_op *o);

/* The 64-byte pieces of the page that mask names hold code, or a line that MONITOR watches: stores to them come by code_hit. */
void x86_code_mark(struct x86_code *k, u64 page, u64 mask);
bool x86_code_monitored(const struct x86_code *k, u64 pa, unsigned size);
/* Physical address of the instruction byte at va, through the TLB; raises fetch faults (mem.c). */
u64 x86_fetch(struct x86_cpu *c, u64 va);

static inline u64 x86_code_va(const struct x86_cpu *c, u64 rip)
{
	return (c->mode & MODE_SIZE) == MODE_64 ? rip : (u32)(rip + c->sbase[SEG_CS]);
}
/* Would n bytes at c->rip reach beyond the CS limit? APM2 4.12 */
static inline bool x86_over_limit(const struct x86_cpu *c, unsigned n)
{
	return (c->mode & MODE_SIZE) != MODE_64 && c->rip + n - 1 > c->cs_lim;
}

/* The block that holds o, and o's place: instructions and bytes before it. */
struct x86_block *x86_block_of(const struct x86_op *o, unsigned *insns, unsigned *bytes);

#endif
