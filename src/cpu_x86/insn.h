/* The instruction table x86_insn.def as data: what the decoder looks up, and what tests, coverage and docs walk over. */
#ifndef CPU_X86_INSN_H
#define CPU_X86_INSN_H

#include "cpu_x86/family.h"

enum { M1, M0F, M38, M3A, V38, V3A, V0F, MAPS };
enum { P_ANY, P_NP, P_NOREP, P_66, P_F3, P_F2 };
enum { NOMODRM, ANY, MEM, REG, CRREG, RM0, RM1, RM2, RM3, RM4, RM5, RM6, RM7 };
enum { ALL, NO64, O64 };
enum insn_size { SB, SW, SV, SV64, SZ, SY, SC, SV64F, SX2, SX4, SX8, SXT, /* vector operands in bytes: */ S1, S2, S4, S8, S16, S32, SVL, SHL, SQL, SEL, SDL };
enum insn_form {
	FORM_NOP, FORM_EG, FORM_GE, FORM_EI, FORM_EIb, FORM_EIu, FORM_E1, FORM_E, FORM_AI, FORM_O, FORM_OI, FORM_AO, FORM_GEI, FORM_GEIb,
	FORM_GEIu, FORM_EGI, FORM_EGr, FORM_EGC, FORM_ES, FORM_GE8, FORM_GE16, FORM_AM, FORM_MA, FORM_Ap, FORM_Iz, FORM_Ib, FORM_Iu,
	FORM_Iw, FORM_IwIb, FORM_Jb, FORM_Jz, FORM_Jb0, FORM_Jb1, FORM_Jb2, FORM_Jb3, FORM_STR, FORM_GVE, FORM_VE, FORM_SEG0, FORM_SEG1,
	FORM_SEG2, FORM_SEG3, FORM_SEG4, FORM_SEG5, FORM_GESEG0, FORM_GESEG2, FORM_GESEG3, FORM_GESEG4, FORM_GESEG5,
	FORM_GErDI,
	FORM_XE, FORM_XEI, FORM_EX, FORM_EXI, FORM_UI, FORM_XEX, FORM_XEII, FORM_VSIB,
};
enum insn_kind { KIND_FAM, KIND_CC, KIND_STK, KIND_REL, KIND_JCC, KIND_BODY, KIND_STRING, KIND_X87, KIND_VEC };
enum insn_flags {
	W = 1, R = 2, SH = 4, LK = 8, OP8 = 16, OP16 = 32, END = 64, CHN = 128, BR = 256, PEONLY = 512, NOMEM = 1024, NOREXB = 2048,
	REXW = 4096, REPX = 8192, CRLOCK = 16384,
	SSE = 1 << 15, FPX = 1 << 16, NDS = 1 << 17, L0 = 1 << 18, L1 = 1 << 19, W0 = 1 << 20, W1 = 1 << 21, UNAL = 1 << 22, ALW = 1 << 23, RSS = 1 << 24, RSD = 1 << 25, RPS = 1 << 26, RPD = 1 << 27,
};

enum x86_id {
#define I(id, ...) X86_##id,
#include "cpu_x86/x86_insn.def"
#undef I
	X86_IDS,
	X86_END = X86_IDS /* the synthetic op after a block's last one */
};

struct x86_insn {
	const char *name;
	u8 map, opcode, prefix;
	s8 reg;
	u8 mod, mode, size, form, kind;
	u32 flags;
	u16 feature;
	const struct x86_family *family;        /* FAM, STK, REL */
	const struct x86_family *const *by_cc; /* CC */
	x86_body *body;                         /* BODY */
	x86_string *string;                     /* STRING */
	const struct x86_vec *vec;              /* VEC */
	const char *section;
};
extern const struct x86_insn x86_insns[X86_IDS];

/* Bytes of a vector row's memory operand. SVL: the vector; SHL, SQL, SEL: half, a quarter, an eighth of it; SDL: 8 bytes, or 32 with VEX.L. */
static inline unsigned vec_size(const struct x86_insn *r, bool vex_l)
{
	static const u8 bytes[2][SDL - S1 + 1] = {{1, 2, 4, 8, 16, 32, 16, 8, 4, 2, 8}, {1, 2, 4, 8, 16, 32, 32, 16, 8, 4, 32}};

	return bytes[vex_l][r->size - S1];
}

/* ---- the decoder ---- */
enum decode_result { DECODE_OK, DECODE_MORE /* bytes ran out */ };

/* What the block builder needs to know of a decoded instruction beside its op. */
struct x86_decoded {
	const struct x86_insn *row; /* NULL: the op raises #UD or #GP */
	bool memory;                /* may fault on a memory operand */
};

/* Decode one instruction from bytes[0..n) into *o. offset: bytes of the block before it. */
enum decode_result x86_decode(struct x86_cpu *c, const u8 *bytes, unsigned n, unsigned offset, struct x86_op *o, struct x86_decoded *d);

#endif
