/*
 * The decoded instruction: 32 bytes, executed by tail calls. Handlers read an op's fields only through the accessors here, so that
 * the same handler source can later be compiled with constants in their place.
 *
 * Registers are byte offsets into x86_cpu.r[] (REG_OFFSET; AH..BH are one more), except where body.h says otherwise.
 */
#ifndef CPU_X86_OP_H
#define CPU_X86_OP_H

#include "base/types.h"

struct x86_cpu;
struct x86_op;
struct x86_block;

/* A handler executes its op and continues with the next one (x86_next in exec.h), or returns NULL to leave to the run loop. */
typedef const struct x86_op *x86_fn(struct x86_cpu *c, const struct x86_op *o);

struct x86_op {
	x86_fn *exec;
	union {
		x86_fn *slow;            /* memory forms: the same instruction with out-of-line accesses */
		struct x86_block *block; /* block ends: the block, for its links */
	};
	union {
		struct {
			s32 disp; /* displacement; RIP-relative ones are relative to the block's start */
			s32 imm;
		};
		u64 imm64; /* MOV r64,imm64; moffs; far pointers: offset | selector << 32 */
	};
	u16 id;           /* enum x86_id: the row of x86_insn.def */
	u8 dst, src;      /* registers */
	u8 base, index;   /* registers; R_ZERO when absent, R_RIP for RIP-relative */
	u8 ea;            /* scale (1:0), segment (4:2), address size (6:5: 0 = 16, 1 = 32, 2 = 64 bits), REP/REPNE seen (7) */
	u8 len;           /* length (3:0), first op of its block (4), two fused instructions (5), operand size log2 bytes (7:6) */
};
_Static_assert(sizeof(struct x86_op) == 32, "ops are 32 bytes");

enum { OP_FIRST = 0x10, OP_FUSED = 0x20 };

enum { R_AX, R_CX, R_DX, R_BX, R_SP, R_BP, R_SI, R_DI, R_ZERO = 16, R_RIP = 17, R_COUNT };
#define REG_OFFSET(n) ((n) * 8)
enum { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_LDTR, SEG_TR, SEG_COUNT };

/* What bodies and the inline handlers both read. */
static inline unsigned op_size(const struct x86_op *o) { return 1u << (o->len >> 6); } /* operand size in bytes: 1, 2, 4, 8 */
static inline unsigned op_asize(const struct x86_op *o) { return o->ea >> 5 & 3; } /* log2 bytes - 1: 0 16-bit, 1 32-bit, 2 64-bit */
static inline unsigned op_vvvv(const struct x86_op *o) { return o->imm >> 8 & 0xff; } /* vector ops: VEX.vvvv, or dst; imm: bits 7:0 */
static inline unsigned op_vl(const struct x86_op *o) { return o->len >> 6; } /* 0 legacy SSE, 1 VEX.L = 0, 2 VEX.L = 1 */
static inline unsigned op_seg(const struct x86_op *o) { return o->ea >> 2 & 7; }
static inline unsigned op_scale(const struct x86_op *o) { return o->ea & 3; }
static inline unsigned op_rep(const struct x86_op *o) { return o->ea >> 7; }
static inline unsigned op_len(const struct x86_op *o) { return o->len & 15; }
static inline unsigned op_count(const struct x86_op *o) { return o->len & OP_FUSED ? 2 : 1; }

static const u64 x86_amask[4] = {0xffff, 0xffffffff, ~0ull, ~0ull};

/* What templates replace by constants: inline handlers (family.h) read their op through these alone. */
#ifdef X86_TEMPLATE
#include "cpu_x86/template.h"
#else
static ALWAYS_INLINE unsigned op_dst(const struct x86_op *o) { return o->dst; }
static ALWAYS_INLINE unsigned op_src(const struct x86_op *o) { return o->src; }
static ALWAYS_INLINE unsigned op_base(const struct x86_op *o) { return o->base; }
static ALWAYS_INLINE unsigned op_index(const struct x86_op *o) { return o->index; }
static ALWAYS_INLINE unsigned op_seg_offset(const struct x86_op *o) { return op_seg(o) * 8; } /* into sbase[], srlim[], swlim[] */
static ALWAYS_INLINE unsigned op_dst_number(const struct x86_op *o) { return o->dst; }        /* when dst is no register */
static ALWAYS_INLINE s64 op_imm(const struct x86_op *o) { return o->imm; }
static ALWAYS_INLINE u64 op_imm64(const struct x86_op *o) { return o->imm64; }
static ALWAYS_INLINE s64 op_disp(const struct x86_op *o) { return o->disp; }
static ALWAYS_INLINE s64 op_end(const struct x86_op *o) { return o[1].imm; } /* of a block's last op: the block's length */
static ALWAYS_INLINE u64 op_address_mask(const struct x86_op *o) { return x86_amask[op_asize(o)]; }
static ALWAYS_INLINE u64 op_operand_mask(const struct x86_op *o) { return x86_amask[op_size(o) >> 2]; }
static ALWAYS_INLINE u64 op_scaled(const struct x86_op *o, u64 index) { return index << op_scale(o); }
static ALWAYS_INLINE u64 op_displaced(const struct x86_op *o, u64 base) { return base + (u64)(s64)o->disp; }
static ALWAYS_INLINE const struct x86_op *op_self(const struct x86_op *o) { return o; }
static ALWAYS_INLINE struct x86_block *op_block(const struct x86_op *o) { return o->block; }
#ifdef ENGINE_LOOP /* handlers return the next op to a loop: sanitizer builds, where sibling calls are not certain */
static ALWAYS_INLINE const struct x86_op *op_next(struct x86_cpu *c, const struct x86_op *o)
{
	(void)c;
	return o + 1;
}
#else
static ALWAYS_INLINE const struct x86_op *op_next(struct x86_cpu *c, const struct x86_op *o) { return o[1].exec(c, o + 1); }
#endif
static ALWAYS_INLINE x86_fn *op_slow(const struct x86_op *o) { return o->slow; }
/* After what may have killed the block. */
static ALWAYS_INLINE const struct x86_op *op_next_checked(struct x86_cpu *c, const struct x86_op *o) { return op_next(c, o); }
/* The inline access missed: the same instruction with out-of-line accesses. */
static ALWAYS_INLINE const struct x86_op *op_miss(struct x86_cpu *c, const struct x86_op *o, x86_fn *slow) { return slow(c, o); }
#endif

#endif
