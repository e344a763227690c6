/* Thumb instructions as the ARM instructions that do the same. DDI0100 A6, A7. */
#include "cpu_arm/decode.h"

#define AL 0xe0000000u

/* Data processing with flags: operation, rn, rd, second operand. */
static u32 dp(enum arm_dp op, u32 rn, u32 rd, u32 operand) { return AL | (u32)op << 21 | 1u << 20 | rn << 16 | rd << 12 | operand; }
#define IMMEDIATE (1u << 25)

/* Register lists move up from rn, which is written back: unless a load brings it. */
static u32 ldmia(u32 rn, u32 list) { return AL | 0x08900000 | (list >> rn & 1 ? 0 : 1u << 21) | rn << 16 | list; }

u32 arm_from_thumb(enum arm_id id, u32 w)
{
	u32 lo = w & 7, mid = w >> 3 & 7, high = w >> 6 & 7, r8 = w >> 8 & 7, imm5 = w >> 6 & 31, imm8 = w & 0xff;
	u32 hd = (w & 7) | (w >> 4 & 8), hm = w >> 3 & 15, in_memory = AL | mid << 16 | lo << 12;

	switch (id) {
	case ARM_ID_T_LSL_I: return dp(DP_MOV, 0, lo, imm5 << 7 | mid);
	case ARM_ID_T_LSR_I: return dp(DP_MOV, 0, lo, imm5 << 7 | 1 << 5 | mid);
	case ARM_ID_T_ASR_I: return dp(DP_MOV, 0, lo, imm5 << 7 | 2 << 5 | mid);
	case ARM_ID_T_ADD_R: return dp(DP_ADD, mid, lo, high);
	case ARM_ID_T_SUB_R: return dp(DP_SUB, mid, lo, high);
	case ARM_ID_T_ADD_3: return dp(DP_ADD, mid, lo, IMMEDIATE | high);
	case ARM_ID_T_SUB_3: return dp(DP_SUB, mid, lo, IMMEDIATE | high);
	case ARM_ID_T_MOV_I: return dp(DP_MOV, 0, r8, IMMEDIATE | imm8);
	case ARM_ID_T_CMP_I: return dp(DP_CMP, r8, 0, IMMEDIATE | imm8);
	case ARM_ID_T_ADD_I: return dp(DP_ADD, r8, r8, IMMEDIATE | imm8);
	case ARM_ID_T_SUB_I: return dp(DP_SUB, r8, r8, IMMEDIATE | imm8);
	case ARM_ID_T_AND: return dp(DP_AND, lo, lo, mid);
	case ARM_ID_T_EOR: return dp(DP_EOR, lo, lo, mid);
	case ARM_ID_T_LSL_R: return dp(DP_MOV, 0, lo, mid << 8 | 0x10 | lo);
	case ARM_ID_T_LSR_R: return dp(DP_MOV, 0, lo, mid << 8 | 0x30 | lo);
	case ARM_ID_T_ASR_R: return dp(DP_MOV, 0, lo, mid << 8 | 0x50 | lo);
	case ARM_ID_T_ROR: return dp(DP_MOV, 0, lo, mid << 8 | 0x70 | lo);
	case ARM_ID_T_ADC: return dp(DP_ADC, lo, lo, mid);
	case ARM_ID_T_SBC: return dp(DP_SBC, lo, lo, mid);
	case ARM_ID_T_TST: return dp(DP_TST, lo, 0, mid);
	case ARM_ID_T_NEG: return dp(DP_RSB, mid, lo, IMMEDIATE);
	case ARM_ID_T_CMP: return dp(DP_CMP, lo, 0, mid);
	case ARM_ID_T_CMN: return dp(DP_CMN, lo, 0, mid);
	case ARM_ID_T_ORR: return dp(DP_ORR, lo, lo, mid);
	case ARM_ID_T_MUL: return AL | 0x00100090 | lo << 16 | lo << 8 | mid;
	case ARM_ID_T_BIC: return dp(DP_BIC, lo, lo, mid);
	case ARM_ID_T_MVN: return dp(DP_MVN, 0, lo, mid);
	case ARM_ID_T_ADD_H: return dp(DP_ADD, hd, hd, hm) & ~(1u << 20);
	case ARM_ID_T_CMP_H: return dp(DP_CMP, hd, 0, hm);
	case ARM_ID_T_MOV_H: return dp(DP_MOV, 0, hd, hm) & ~(1u << 20);
	case ARM_ID_T_BX: return AL | 0x012fff10 | hm;
	case ARM_ID_T_BLX_R: return AL | 0x012fff30 | hm;
	case ARM_ID_T_STR_R: return in_memory | 0x07800000 | high;
	case ARM_ID_T_STRH_R: return in_memory | 0x018000b0 | high;
	case ARM_ID_T_STRB_R: return in_memory | 0x07c00000 | high;
	case ARM_ID_T_LDRSB: return in_memory | 0x019000d0 | high;
	case ARM_ID_T_LDR_R: return in_memory | 0x07900000 | high;
	case ARM_ID_T_LDRH_R: return in_memory | 0x019000b0 | high;
	case ARM_ID_T_LDRB_R: return in_memory | 0x07d00000 | high;
	case ARM_ID_T_LDRSH: return in_memory | 0x019000f0 | high;
	case ARM_ID_T_STR_I: return in_memory | 0x05800000 | imm5 * 4;
	case ARM_ID_T_LDR_I: return in_memory | 0x05900000 | imm5 * 4;
	case ARM_ID_T_STRB_I: return in_memory | 0x05c00000 | imm5;
	case ARM_ID_T_LDRB_I: return in_memory | 0x05d00000 | imm5;
	case ARM_ID_T_STRH_I: return in_memory | 0x01c000b0 | (imm5 * 2 & 0x30) << 4 | (imm5 * 2 & 15);
	case ARM_ID_T_LDRH_I: return in_memory | 0x01d000b0 | (imm5 * 2 & 0x30) << 4 | (imm5 * 2 & 15);
	case ARM_ID_T_STR_SP: return AL | 0x058d0000 | r8 << 12 | imm8 * 4;
	case ARM_ID_T_LDR_SP: return AL | 0x059d0000 | r8 << 12 | imm8 * 4;
	case ARM_ID_T_ADD_SP: return AL | 0x028d0f00 | r8 << 12 | imm8;
	case ARM_ID_T_INC_SP: return AL | 0x028ddf00 | (w & 0x7f);
	case ARM_ID_T_DEC_SP: return AL | 0x024ddf00 | (w & 0x7f);
	case ARM_ID_T_PUSH: return AL | 0x092d0000 | imm8 | (w & 0x100) << 6;
	case ARM_ID_T_POP: return AL | 0x08bd0000 | imm8 | (w & 0x100) << 7;
	case ARM_ID_T_BKPT: return AL | 0x01200070 | imm8;
	case ARM_ID_T_STMIA: return AL | 0x08a00000 | r8 << 16 | imm8;
	case ARM_ID_T_LDMIA: return ldmia(r8, imm8);
	case ARM_ID_T_SWI: return AL | 0x0f000000 | imm8;
	default: return 0;
	}
}
