/*
 * The generator: random cases from rows of the table. gen.c has the state around an instruction (registers, segments,
 * memory, where the code lies) and the three kinds of cases, gen_insn.c the bytes of one instruction, gen_setup.c what
 * single instructions want to find in registers and memory so that they do something.
 */
#ifndef ORACLE_GEN_H
#define ORACLE_GEN_H

#include "rows.h"

/* ---- random numbers: splitmix64 ---- */
struct rng {
	u64 s;
};
static inline u64 rnd(struct rng *g)
{
	u64 z = g->s += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}
static inline unsigned rnd_n(struct rng *g, unsigned n) { return (unsigned)((rnd(g) >> 32) * n >> 32); }
static inline bool chance(struct rng *g, unsigned percent) { return rnd_n(g, 100) < percent; }
u64 rnd_value(struct rng *g); /* with a liking for edges */

/* ---- a case in the making ---- */
struct gen {
	struct rng g;
	struct ocase *c;
	const u8 *has;
	unsigned bits;
	u32 pinned;     /* registers that hold what some operand needs */
	bool real;      /* real mode; set before gen_start() */
	bool seq, trap; /* trap: POPF shall set TF */
	int counter;    /* of a loop: pinned, and no address; -1: none */
	/* The instruction being made. */
	const struct row *row;
	u8 *buf;
	unsigned n; /* bytes so far */
	bool p66, p67, lock, rex_on, vex_l;
	u8 rep, rex, vvvv, opcode, modrm, sib;
	s8 seg; /* override, or -1 */
	unsigned osize, asize, imm_size;
	bool mem;
	u64 ea;      /* linear address of the memory operand */
	u64 target;  /* linear address that an indirect branch shall go to */
	u64 far_off; /* and as a far pointer */
	u16 far_sel;
};

void gen_single(struct ocase *c, unsigned id, unsigned bits, u64 seed, const u8 *has);
/* In real mode: real.c. */
void gen_real(struct ocase *c, unsigned id, u64 seed, const u8 *has);
/* POPF that sets TF, and one instruction after it. */
void gen_trap(struct ocase *c, unsigned id, unsigned bits, u64 seed, const u8 *has);
/* gen_smc.c: instructions that change each other, in 64- or 32-bit code. */
void gen_smc(struct ocase *c, unsigned bits, u64 seed, const u8 *has);
void gen_sequence(struct ocase *c, unsigned bits, u64 seed, const u8 *has);
/* Any bytes, for the decoder: the n-th of an enumeration, or random if random is set. They end where the code pages
 * end. */
void gen_bytes(struct ocase *c, unsigned bits, u64 n, bool random, u64 seed, const u8 *has);
/* Cut a case of bytes so that n of them are there before the end of the code pages. */
void gen_cut(struct ocase *c, unsigned n);

/* gen.c */
void gen_start(struct gen *k, struct ocase *c, enum case_kind kind, unsigned bits, u64 seed, const u8 *has);
void gen_add_bytes(struct gen *k, unsigned id, const u8 *bytes, unsigned n);
void gen_close_loop(struct gen *k); /* by k->counter */
u64 gen_data_address(struct gen *k, unsigned size, u64 segbase, unsigned asize);
u64 gen_branch_target(struct gen *k);
void gen_poke(struct gen *k, u64 addr, u64 val);
u64 gen_seg_base(const struct gen *k, unsigned seg); /* SEG_ES.. */
u16 gen_selector(struct gen *k);
unsigned gen_stack_bytes(const struct gen *k); /* width of the stack pointer: 2, 4, 8 */

/* gen_insn.c: appends one instruction of k->row to the case; false if it came out unfit (in sequences). */
bool gen_insn(struct gen *k);

/* gen_setup.c: before the bytes are chosen, and after. */
void gen_before(struct gen *k);
void gen_after(struct gen *k);

static inline bool fn_is(const struct gen *k, const char *fn) { return !strcmp(k->row->fn, fn); }
static inline void pin(struct gen *k, unsigned reg) { k->pinned |= 1u << reg; }
static inline bool pinned(const struct gen *k, unsigned reg) { return k->pinned >> reg & 1; }

#endif
