/*
 * Code that modifies itself: MOV r32,imm32 and ADD r32,imm8 between stores into their immediates and opcodes, in a loop
 * or not. Every store must be seen by the very next instruction. APM2 7.6.1 (self-modifying code needs no serializing
 * when the linear address is the same).
 */
#include "gen.h"

enum item { SET, ADD, STORE32, STORE8, INCREMENT };

struct smc {
	struct gen k;
	enum item item[8];
	u8 at[8]; /* first byte of each item */
	unsigned n;
};

/* Bytes of an item; stores name their target by an absolute address of 4 bytes. */
static unsigned length(const struct smc *s, enum item i)
{
	unsigned sib = s->k.bits == 64;

	switch (i) {
	case SET: return 5;
	case ADD: return 3;
	case STORE32: return 10 + sib;
	case STORE8: return 7 + sib;
	default: return 6 + sib;
	}
}

static u8 some_register(struct smc *s)
{
	static const u8 regs[] = {R_AX, R_CX, R_DX, R_SI};

	return regs[rnd_n(&s->k.g, ARRAY_SIZE(regs))];
}

/* A place to store one byte: an immediate, the register in an opcode or ModRM byte, or nobody's byte in the same page.
 * val: what fits there. */
static unsigned byte_target(struct smc *s, bool opcodes, u8 *val)
{
	unsigned i = rnd_n(&s->k.g, s->n);

	*val = (u8)rnd(&s->k.g);
	if (s->item[i] == SET) {
		if (!opcodes || chance(&s->k.g, 75))
			return s->at[i] + 1 + rnd_n(&s->k.g, 4);
		*val = (u8)(0xb8 + some_register(s));
		return s->at[i];
	}
	if (s->item[i] == ADD) {
		if (!opcodes || chance(&s->k.g, 75))
			return s->at[i] + 2;
		*val = (u8)((chance(&s->k.g, 50) ? 0xc0 : 0xe8) + some_register(s)); /* ADD or SUB */
		return s->at[i] + 1;
	}
	return 200 + rnd_n(&s->k.g, 100);
}

static unsigned put_address(struct smc *s, u8 *p, unsigned target)
{
	u32 a = (u32)(s->k.c->at + target);
	unsigned n = 0;

	p[n++] = s->k.bits == 64 ? 0x04 : 0x05;
	if (s->k.bits == 64)
		p[n++] = 0x25;
	memcpy(p + n, &a, 4);
	return n + 4;
}

static void put_store32(struct smc *s, u8 *p)
{
	unsigned i = rnd_n(&s->k.g, s->n), n;
	u32 v = (u32)rnd_value(&s->k.g);

	while (i && s->item[i] != SET)
		i--;
	p[0] = 0xc7;
	n = 1 + put_address(s, p + 1, s->item[i] == SET ? s->at[i] + 1u : 240);
	memcpy(p + n, &v, 4);
	gen_add_bytes(&s->k, X86_MOV_EvIz, p, n + 4);
}

static void put_item(struct smc *s, enum item i)
{
	u8 p[16], val;
	u32 v = (u32)rnd_value(&s->k.g);
	unsigned target, n;

	switch (i) {
	case SET:
		p[0] = (u8)(0xb8 + some_register(s));
		memcpy(p + 1, &v, 4);
		gen_add_bytes(&s->k, X86_MOV_OIv, p, 5);
		break;
	case ADD:
		p[0] = 0x83;
		p[1] = (u8)(0xc0 + some_register(s));
		p[2] = (u8)v;
		gen_add_bytes(&s->k, X86_ADD_EvIb, p, 3);
		break;
	case STORE32: put_store32(s, p); break;
	case STORE8:
		target = byte_target(s, true, &val);
		p[0] = 0xc6;
		n = 1 + put_address(s, p + 1, target);
		p[n] = val;
		gen_add_bytes(&s->k, X86_MOV_EbIb, p, n + 1);
		break;
	case INCREMENT:
		target = byte_target(s, false, &val);
		p[0] = 0xfe;
		n = 1 + put_address(s, p + 1, target);
		gen_add_bytes(&s->k, X86_INC_Eb, p, n);
		break;
	}
}

void gen_smc(struct ocase *c, unsigned bits, u64 seed, const u8 *has)
{
	struct smc s = {.n = 0};
	unsigned at = 0;

	gen_start(&s.k, c, CASE_SEQUENCE, bits == 64 ? 64 : 32, seed, has);
	c->in.ds = bits == 64 ? 0 : SEL_DATA;
	c->in.cs = bits == 64 ? SEL_CODE64 : SEL_CODE32;
	c->at = c->in.rip = SMC_BASE + rnd_n(&s.k.g, 0x1000 - 512);
	s.k.counter = bits == 64 ? 14 : R_BP;
	s.n = 3 + rnd_n(&s.k.g, 6);
	for (unsigned i = 0; i < s.n; i++) {
		s.item[i] = i == 0 ? SET : (enum item)rnd_n(&s.k.g, 5);
		s.at[i] = (u8)at;
		at += length(&s, s.item[i]);
	}
	for (unsigned i = 0; i < s.n; i++)
		put_item(&s, s.item[i]);
	if (chance(&s.k.g, 60)) {
		c->loop = 1;
		c->in.r[s.k.counter] = 1 + rnd_n(&s.k.g, 20);
		gen_close_loop(&s.k);
	}
}
