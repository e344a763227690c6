/* From the encoding to an op: tables of instructions and of handlers. DDI0100 A3 (ARM), A6 (Thumb). */
#ifndef CPU_ARM_DECODE_H
#define CPU_ARM_DECODE_H

#include "cpu_arm/block.h"

enum arm_id {
#define A(id, mask, value, class, section) ARM_ID_##id,
#define N(id, mask, value, class, section) ARM_ID_##id,
#define T(id, mask, value, section) ARM_ID_##id,
#include "cpu_arm/arm_insn.def"
#undef A
#undef N
#undef T
	ARM_IDS
};

enum arm_class {
	CLASS_MUL, CLASS_SWP, CLASS_EXTRA, CLASS_UNDEFINED, CLASS_MRS, CLASS_MSR, CLASS_BX, CLASS_CLZ, CLASS_DSP, CLASS_BKPT, CLASS_DP, CLASS_USER,
	CLASS_LDST, CLASS_MULTI, CLASS_MULTI_USER, CLASS_B, CLASS_COPROCESSOR, CLASS_SWI, CLASS_VFP, CLASS_BLX, CLASS_NOP, CLASS_THUMB,
};

struct arm_insn {
	const char *name, *section;
	u32 mask, value;
	u8 class;
};
extern const struct arm_insn arm_insns[ARM_IDS];
/* The row of an encoding. */
enum arm_id arm_find(u32 w, bool thumb);

/* What an op does to N Z C V, for arm_quiet. */
enum arm_flag_use {
	USE_READS = 1, /* or may fault or be left behind: all four are seen */
	USE_KILLS = 2, /* writes all four */
};

struct arm_decoder {
	u32 mode;
	bool has_vfp;
	struct arm_block *block;
	/* Of each op: what it does to the flags; the handler that does not compute them; CMP and its like, which may fuse with a branch. */
	u8 use[BLOCK_OPS + 1];
	arm_fn *quiet[BLOCK_OPS + 1];
	arm_fn *const *fused[BLOCK_OPS + 1];
};

/* Append the instruction; true: the block ends with it. Insns and bytes are the caller's to count. */
bool arm_decode(struct arm_decoder *d, u32 w);
/* Is it defined in that mode (enum arm_mode_bits)? vfp.c */
bool arm_vfp_valid(enum arm_id id, u32 w, u32 mode);
/* Flags that nobody sees are not computed. */
void arm_quiet(const struct arm_decoder *d, struct arm_block *b);
/* The ARM instruction that does the same as a Thumb one, or 0: thumb.c's caller knows it by its id. */
u32 arm_from_thumb(enum arm_id id, u32 w);

/* ---- handlers by table ---- */

enum arm_dp { DP_AND, DP_EOR, DP_SUB, DP_RSB, DP_ADD, DP_ADC, DP_SBC, DP_RSC, DP_TST, DP_TEQ, DP_CMP, DP_CMN, DP_ORR, DP_MOV, DP_BIC, DP_MVN };
/* Comparisons have no destination; logical operations leave V alone and take C from the shifter. */
static ALWAYS_INLINE bool dp_is_test(enum arm_dp op) { return op >= DP_TST && op <= DP_CMN; }
static ALWAYS_INLINE bool dp_is_logic(enum arm_dp op)
{
	return 1u << op & (1u << DP_AND | 1u << DP_EOR | 1u << DP_TST | 1u << DP_TEQ | 1u << DP_ORR | 1u << DP_MOV | 1u << DP_BIC | 1u << DP_MVN);
}
/* The second operand. By register: amount in rs, else in imm (1-31, LSR and ASR 1-32). IMM_C: the rotated immediate gives the carry. */
enum arm_kind { K_IMM, K_IMM_C, K_REG, K_LSL, K_LSR, K_ASR, K_ROR, K_RRX, K_LSL_R, K_LSR_R, K_ASR_R, K_ROR_R, K_COUNT };
/* The kind of an encoding's second operand, and its immediate or amount. */
u32 arm_shifter(u32 w, enum arm_kind *k);
extern arm_fn *const arm_dp[16][2][K_COUNT];  /* operation, sets flags, kind */
extern arm_fn *const arm_fused[16][2][15];    /* operation (NULL: none), K_IMM (its immediate in aux) or K_REG, condition */
extern arm_fn *const arm_mov_pc;              /* MOV pc, rm */

extern arm_fn *const arm_cond[15], *const arm_cond_pc[15], *const arm_use_pc, *const arm_nop;

enum arm_access { LS_LDR, LS_STR, LS_LDRB, LS_STRB, LS_LDRH, LS_STRH, LS_LDRSB, LS_LDRSH, LS_LDR_PC, LS_COUNT };
/* [rn, #imm], [rn, rm LSL #rs], [rn, #imm]!, [rn], #imm */
enum arm_address { AM_IMM, AM_REG, AM_PRE, AM_POST, AM_COUNT };
extern arm_fn *const arm_ldst[LS_COUNT][AM_COUNT];

/* imm: the list; rs: (s8) distance of the lowest word from rn; rm: bytes; aux: what is added to rn */
extern arm_fn *const arm_ldm, *const arm_ldm_pc, *const arm_stm;

enum arm_multiply { OP_MUL, OP_MLA, OP_UMULL, OP_UMLAL, OP_SMULL, OP_SMLAL };
extern arm_fn *const arm_mul[6][2]; /* MUL MLA UMULL UMLAL SMULL SMLAL; flags. rd: 19-16, rn: 15-12, rs: 11-8, rm: 3-0 */
extern arm_fn *const arm_clz, *const arm_q[4], *const arm_smla[4], *const arm_smlaw[2], *const arm_smulw[2], *const arm_smlal[4], *const arm_smul[4];

extern arm_fn *const arm_b[15], *const arm_bl[15], *const arm_bx, *const arm_blx, *const arm_blx_imm;
extern arm_fn *const arm_thumb_bl, *const arm_thumb_blx, *const arm_thumb_bl_suffix, *const arm_thumb_blx_suffix;

#endif
