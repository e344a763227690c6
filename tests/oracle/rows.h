/*
 * What the oracle knows about the rows of x86_insn.def beyond the table: which it can run on a user-mode host and why
 * not the others, which arithmetic flags each instruction reads, defines and leaves undefined, and a second,
 * independent look-up of the row that a string of bytes means.
 */
#ifndef ORACLE_ROWS_H
#define ORACLE_ROWS_H

#include "cpu_x86/insn.h"
#include "layout.h"

/* How a row is tested. */
enum policy {
	RUN,  /* all of its effects are compared */
	PRIV, /* privileged: at CPL 3 it faults, and that is compared */
	SKIP, /* it cannot be compared with this host; why says why */
};

struct row_rule {
	const char *fn, *id; /* applies to rows with this handler, or (fn NULL) to this row */
	enum policy policy;
	const char *why;
};

struct row {
	const struct x86_insn *insn;
	const char *fn;
	enum policy policy;
	const char *why;              /* of SKIP */
	u32 reads, writes, undefined; /* arithmetic flags; writes: always defined afterwards */
	bool shift;                   /* a shift or rotate: what is undefined depends on the count */
	bool seq;                     /* may stand in a random sequence */
};
extern struct row rows[X86_IDS];

/* Fill rows[]. Rows whose feature the host lacks become SKIP. has: by enum x86_feature. */
void rows_init(const u8 has[X86_F_COUNT]);
/* has[f] as CPUID of this host says, by the places that features.def names. */
void host_features(u8 has[X86_F_COUNT]);

/* An instruction as its bytes say, up to the ModRM byte. */
struct parsed {
	const struct x86_insn *row; /* NULL: none of the table's */
	bool p66, p67, lock, vex, vex_l, vex_w, rex_seen, wide, mem;
	u8 rep, rex, modrm, osize, asize, map, opcode;
	u8 nprefix; /* legacy prefixes and REX */
};
/* False: n bytes are not enough to tell. */
bool row_parse(const u8 *bytes, unsigned n, unsigned bits, const u8 has[X86_F_COUNT], struct parsed *p);

/* Flags that this instruction, with these inputs, leaves undefined. last: its last byte (the immediate). */
u32 row_undefined(const struct row *r, const struct parsed *p, const struct ostate *in, u8 last);
/* What its memory operand is aligned to, mostly. */
unsigned row_alignment(const struct row *r, unsigned osize);
/* XSAVE, XRSTOR and their variants. */
bool row_is_xsave(const struct row *r);
/* Does it want to find something in the FPU? */
bool row_uses_fp(const struct row *r);
/* Is the value of its destination register or memory undefined? */
bool row_undefined_result(const struct row *r, const struct parsed *p, const struct ostate *in, u8 last);

#endif
