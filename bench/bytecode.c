/*
 * A bytecode interpreter with one indirect branch a bytecode (computed goto), the shape of Lua's or Python's loop.
 * Op: one bytecode. The program below walks a pseudo-random number through a small memory; both arms of its one
 * conditional are equally long, so that the number of bytecodes is known.
 */
#include "rt/rt.h"

enum op { OP_SHL, OP_SHR, OP_XOR, OP_ADD, OP_MUL, OP_ANDI, OP_LOAD, OP_STORE, OP_SKIPZ, OP_JMP, OP_LOOP, OP_END };
enum reg { CNT, X, T, IDX, SUM, R_END };

struct insn {
	u8 op, a, b;
	int8_t imm;
};

static const struct insn program[] = {
	{ OP_SHL, T, X, 13 },   { OP_XOR, X, T, 0 }, /* X = xorshift(X) */
	{ OP_SHR, T, X, 7 },    { OP_XOR, X, T, 0 },
	{ OP_SHL, T, X, 17 },   { OP_XOR, X, T, 0 },
	{ OP_ANDI, IDX, X, 63 }, { OP_LOAD, T, IDX, 0 },
	{ OP_ADD, T, X, 0 },    { OP_STORE, T, IDX, 0 },
	{ OP_ANDI, IDX, T, 1 }, { OP_SKIPZ, IDX, 0, 3 },
	{ OP_XOR, SUM, T, 0 },  { OP_JMP, 0, 0, 3 },
	{ OP_ADD, SUM, T, 0 },  { OP_MUL, SUM, X, 0 },
	{ OP_LOOP, CNT, 0, -16 }, { OP_END, 0, 0, 0 },
};

enum { PER_ROUND = 15 };

static NOINLINE u64 interpret(const struct insn *pc, u64 count)
{
	static const void *const target[] = { &&shl, &&shr, &&xor, &&add, &&mul, &&andi, &&load, &&store, &&skipz, &&jmp,
		&&loop, &&end };
	u64 r[R_END] = { [CNT] = count, [X] = 88172645463325252u };
	u64 memory[64] = { 0 };

#define NEXT goto *target[(++pc)->op]
	goto *target[pc->op];
shl:	r[pc->a] = r[pc->b] << pc->imm; NEXT;
shr:	r[pc->a] = r[pc->b] >> pc->imm; NEXT;
xor:	r[pc->a] ^= r[pc->b]; NEXT;
add:	r[pc->a] += r[pc->b]; NEXT;
mul:	r[pc->a] *= r[pc->b] | 1; NEXT;
andi:	r[pc->a] = r[pc->b] & (u64)pc->imm; NEXT;
load:	r[pc->a] = memory[r[pc->b]]; NEXT;
store:	memory[r[pc->b]] = r[pc->a]; NEXT;
skipz:	if (!r[pc->a]) pc += pc->imm - 1; NEXT;
jmp:	pc += pc->imm - 1; NEXT;
loop:	if (--r[pc->a]) pc += pc->imm - 1; NEXT;
end:	return r[SUM];
#undef NEXT
}

static struct result run(u64 n)
{
	return (struct result){ n * PER_ROUND, n ? interpret(program, n) : 0 };
}

const struct bench bench = { "bytecode", 4000000, run };
