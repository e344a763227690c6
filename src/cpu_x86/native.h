/*
 * Native code: what common integer instructions of a hot block become. Guest and host are the same architecture, so a
 * guest's ADD is the host's ADD on a host register that holds the guest's. Within a block, registers stay in the
 * host's; before anything that is not native code (a template, an ordinary handler, another block) they are put back,
 * so all others find the CPU in memory as always. translate.c lays blocks out; native_form.c says what an op is,
 * native_op.c emits it, native.c keeps the books.
 */
#ifndef CPU_X86_NATIVE_H
#define CPU_X86_NATIVE_H

#include "cpu_x86/exec.h"
#include "base/host_insn.h"
#include "cpu_x86/insn.h"

/* What an op does, if native code can do it. */
enum native_kind {
	NATIVE_NONE,
	NATIVE_ALU_EG,
	NATIVE_ALU_GE,
	NATIVE_ALU_EI,
	NATIVE_MOV_EG,
	NATIVE_MOV_GE,
	NATIVE_MOV_EI,
	NATIVE_MOV_OI,
	NATIVE_UNARY,
	NATIVE_LEA,
	NATIVE_WIDEN,
	NATIVE_SHIFT_I,
	NATIVE_SHIFT_CL,
	NATIVE_IMUL2,
	NATIVE_IMUL3,
	NATIVE_CMOV,
	NATIVE_SET,
	NATIVE_XCHG,
	NATIVE_BSWAP,
	NATIVE_CBW,
	NATIVE_CWD,
	NATIVE_NOP,
	NATIVE_PUSH_R,
	NATIVE_PUSH_I,
	NATIVE_POP_R,
	NATIVE_CALL,
	NATIVE_JMP,
	NATIVE_JCC,
	NATIVE_FUSED,
	NATIVE_VEC,
};
enum { NATIVE_INC, NATIVE_DEC, NATIVE_NOT, NATIVE_NEG }; /* code of NATIVE_UNARY */
enum {
	NATIVE_ROL = 0,
	NATIVE_ROR = 1,
	NATIVE_SHL = 4,
	NATIVE_SHR = 5,
	NATIVE_SAR = 7
}; /* of shifts: the opcode's digit */

struct native_form {
	u8 kind, code; /* code: enum host_alu; the opcode of NATIVE_WIDEN; see above */
	u8 w, from;    /* log2 of the operand's bytes; of the source's (NATIVE_WIDEN) */
	u8 am;         /* enum am, or NATIVE_REG */
	u8 cc, fusion; /* NATIVE_FUSED: fusion is an enum x86_fusion without FUSED_INDEXED */
	u8 prefix; /* NATIVE_VEC: 66h, F3h, F2h or 0; code is the opcode behind 0Fh, from log2 of the memory operand's
		      bytes */
	bool store, align;
	bool legacy;                              /* branches: targets are masked and checked */
	u32 uses;                                 /* guest registers that must be at hand, a bit each */
	bool memory;                              /* may fault */
	bool reads_flags, sets_flags, keeps_some; /* keeps_some: changes only some of them */
};
enum { NATIVE_REG = 0xff };

/* False: not for native code. */
bool x86_native_form(const struct x86_op *o, struct native_form *f);

/* Where the guest's arithmetic flags are: in memory, in AX (flags.h's two bytes as AH and AL), or nowhere because
 * nobody will look. */
enum native_flags { IN_MEMORY, IN_AX, DEAD };

struct native_cold {
	u8 *from; /* the end of the jump that comes here */
	u16 op, dirty;
	u8 flags;
	s8 k;           /* link, or -1 */
	const void *to; /* function; NULL: the op's ordinary handler */
};

struct native {
	struct host_code h;
	const struct x86_block *b;
	const u8 *(*reach)(void *arg, const void *function);
	void *reach_arg;

	struct native_form form[BLOCK_OPS + 1];
	bool flags_seen[BLOCK_OPS + 1]; /* somebody looks at the flags that op i leaves */
	u8 host[16];                    /* of a guest's register: enum host_reg or H_NONE */

	/* As the code stands. */
	u16 valid, dirty;
	enum native_flags flags;
	bool eflags; /* the host's own flags are the guest's as well */
	u16 xmm;     /* XMM registers that the host's of the same number hold, too; memory is always up to date */
	u8 *loop;    /* start of a block that jumps to itself, all its registers in the host's; or NULL */

	struct {
		u8 *at;
		u16 valid, xmm;
		u8 flags;
		bool eflags, on;
	} entry[BLOCK_OPS + 1];
	struct native_cold cold[3 * BLOCK_OPS];
	unsigned colds;
};

/* Bytes at most: of an op with its cold parts and its entry; more for the op that ends a block; of putting back
 * everything. */
enum { NATIVE_BYTES = 640, NATIVE_END_BYTES = 1024, NATIVE_SPILL_BYTES = 80 };

/* Looks at the block: which ops become native code (n->form), where the registers go. */
void x86_native_plan(struct native *n, const struct x86_block *b);
/* Op i, at n->h.p. */
void x86_native_op(struct native *n, unsigned i);
/* Before an op that is not native: everything goes back to memory. */
void x86_native_leave(struct native *n);
/* The cold parts, and the entries of native ops: entry[i].at is where op i is entered with everything in memory.
 * handler[]: the ops' ordinary handlers. */
void x86_native_finish(struct native *n, x86_fn *const *handler);

/* ---- between the files of native code ---- */
#define CPU_AT(field) ((s64)offsetof(struct x86_cpu, field))

bool x86_native_vec_form(const struct x86_insn *r, const struct x86_op *o, struct native_form *f);
void x86_native_vec(struct native *n, unsigned i);
void x86_native_vec_load(struct host_code *h, unsigned x); /* host XMM x = the guest's */
/* RDX = the op's memory operand on the host; RCX and RSI are used. */
struct host_mem x86_native_operand(struct native *n, unsigned i, unsigned size, unsigned rw);
void x86_native_keep_flags(struct native *n, unsigned i); /* the host's flags are what op i leaves */
void x86_native_begin(struct native *n, unsigned i);      /* op i starts here */
unsigned x86_native_use(struct native *n, unsigned r);    /* the host register that holds guest register r */
unsigned x86_native_set(struct native *n, unsigned r);    /* the same, about to be overwritten as a whole */
unsigned x86_native_change(struct native *n, unsigned r); /* the same, to be read and written */
void x86_native_flags_load(struct native *n);             /* into AX, if they are in memory */
void x86_native_spill(struct native *n);                  /* memory is up to date; keeps the host's flags */
void x86_native_cold_jump(struct native *n, u8 *from, unsigned op, int k, const void *to);

#endif
