/* The generator: state around the instructions, and the kinds of cases. See gen.h. */
#include "gen.h"

#include "emu.h"
#include "fpstate.h"

/* ---- values ---- */
static u64 edge(struct rng *g)
{
	unsigned w = 8u << rnd_n(g, 4);

	switch (rnd_n(g, 8)) {
	case 0: return 0;
	case 1: return ~0ull;
	case 2: return BIT(w - 1);
	case 3: return BIT(w - 1) - 1;
	case 4: return rnd_n(g, 16);
	case 5: return -(u64)rnd_n(g, 16);
	case 6: return BIT(rnd_n(g, 64));
	default: return mask_low(rnd_n(g, 65));
	}
}

u64 rnd_value(struct rng *g)
{
	u64 v = chance(g, 45) ? edge(g) : rnd(g);

	if (chance(g, 15))
		v ^= edge(g);
	return chance(g, 20) ? (u64)sign_extend(v, 8u << rnd_n(g, 3)) : v;
}

/* ---- memory ---- */
void gen_poke(struct gen *k, u64 addr, u64 val)
{
	if (k->c->npoke == CASE_POKES)
		return;
	k->c->poke[k->c->npoke].addr = addr;
	k->c->poke[k->c->npoke++].val = val;
}

u64 gen_seg_base(const struct gen *k, unsigned seg)
{
	const u16 sel[6] = {k->c->in.es, k->c->in.cs, k->c->in.ss, k->c->in.ds, k->c->in.fs, k->c->in.gs};
	u64 d;

	if (k->c->real)
		return sel[seg] * 16u;
	if (seg >= SEG_FS)
		return seg == SEG_FS ? k->c->in.fsbase : k->c->in.gsbase;
	if (k->bits == 64 || sel[seg] < 4)
		return 0;
	d = emu_descriptor(sel[seg]);
	return bits(d, 39, 16) | bits(d, 63, 56) << 24;
}

static u64 around(struct gen *k, u64 at, unsigned size) { return at - rnd_n(&k->g, size + 1); }

/* An address for an operand of size bytes: mostly plain, sometimes over the edge of a page, a right, or the map. */
u64 gen_data_address(struct gen *k, unsigned size, u64 segbase, unsigned asize)
{
	u64 plain = DATA_BASE + rnd_n(&k->g, DATA_SIZE - 32);
	unsigned what = rnd_n(&k->g, 100);

	if (k->c->real)
		return what < 3 ? around(k, segbase + 0x10000, size) : REAL_DATA + rnd_n(&k->g, REAL_DATA_SIZE - 32);
	if (asize == 2 && segbase + 0x10000 <= DATA_BASE)
		return what < 10 ? around(k, LOW_BASE + 0x1000, size) : LOW_BASE + rnd_n(&k->g, 0x1000 - 32);
	if (k->seq)
		return plain & ~7ull;
	if (what < 50)
		return plain & ~(u64)(size - 1);
	if (what < 80)
		return plain;
	if (what < 85)
		return around(k, DATA_BASE + 0x1000, size);
	if (what < 88)
		return around(k, RO_BASE, size);
	if (what < 90)
		return RO_BASE + rnd_n(&k->g, 0xff0);
	if (what < 92)
		return around(k, RO_BASE + 0x1000, size);
	if (what < 94)
		return around(k, DATA_BASE, size);
	if (asize == 8 && what < 97)
		return HIGH_BASE + (chance(&k->g, 90) ? rnd_n(&k->g, 0xff0) : 0xff0 + rnd_n(&k->g, 16));
	if (asize == 8 && what < 98)
		return around(k, BIT(47), size) ^ (chance(&k->g, 30) ? rnd(&k->g) & 0xfff : 0);
	if (what < 99)
		return 0x20000000 + (rnd(&k->g) & 0xfffffff);
	return plain;
}

u64 gen_branch_target(struct gen *k)
{
	unsigned what = rnd_n(&k->g, 100);
	u64 t;

	if (k->c->real) {
		do
			t = REAL_CODE + rnd_n(&k->g, REAL_CODE_SIZE);
		while (t - k->c->at < 64 || k->c->at - t < 32);
		return t;
	}
	if (what >= 98 && k->bits == 64)
		return BIT(47) + rnd_n(&k->g, 16) - 8;
	if (what >= 96 && k->bits == 64)
		return rnd(&k->g) | BIT(62);
	if (what >= 92)
		return DATA_BASE + rnd_n(&k->g, 0x3000);
	if (what >= 86)
		return CODE_BASE + CODE_SIZE + rnd_n(&k->g, 32) - 16;
	if (what >= 82)
		return 0x20000000 + (rnd(&k->g) & 0xfffffff);
	do
		t = CODE_BASE + rnd_n(&k->g, CODE_SIZE);
	while (t - k->c->at < 64 || k->c->at - t < 32);
	return t;
}

u16 gen_selector(struct gen *k)
{
	static const u16 plain[] = {0,    1,    2,    3,    SEL_DATA, SEL_DATA, SEL_CODE32, SEL_CODE64, 0x28,
				    0x2a, 0x20, 0x08, 0x10, 0x18,     0x1b,     0x40,       0x43,       0x48,
				    0x50, 0x58, 0x63, 0x6b, 0x73,     0x80,     0x83,       0xfffb,     0xffff};

	if (k->c->real)
		return (u16)rnd(&k->g);
	if (chance(&k->g, 45))
		return LDT_SEL(rnd_n(&k->g, LDT_COUNT));
	if (chance(&k->g, 10))
		return (u16)(rnd_n(&k->g, LDT_COUNT + 2) * 8 + 4 + rnd_n(&k->g, 4));
	return plain[rnd_n(&k->g, ARRAY_SIZE(plain))];
}

/* ---- the state before ---- */
unsigned gen_stack_bytes(const struct gen *k)
{
	return k->c->real ? 2 : k->bits == 64 ? 8 : emu_descriptor(k->c->in.ss) >> 54 & 1 ? 4 : 2;
}

static u16 legacy_data_segment(struct gen *k, bool stack)
{
	unsigned what = rnd_n(&k->g, 100);

	if (k->bits == 16 && what < 60)
		return what < 30 ? LDT_SEL(LDT_STACK16) : LDT_SEL(LDT_DATA);
	if (what < 75)
		return SEL_DATA;
	if (what < 82)
		return LDT_SEL(LDT_DATA);
	if (what < 88)
		return LDT_SEL(LDT_DOWN);
	if (what < 91)
		return LDT_SEL(LDT_DOWN16);
	if (what < 94)
		return LDT_SEL(LDT_STACK16);
	if (stack)
		return SEL_DATA;
	return what < 96 ? LDT_SEL(LDT_RO) : what < 98 ? LDT_SEL(LDT_CODE32) : 0;
}

static u64 data_base_of(struct gen *k, u16 sel)
{
	u64 d = emu_descriptor(sel);

	(void)k;
	return sel < 4 ? 0 : bits(d, 39, 16) | bits(d, 63, 56) << 24;
}

static void init_segments(struct gen *k)
{
	struct ostate *s = &k->c->in;

	if (k->c->real) {
		u16 *const data[] = {&s->es, &s->ss, &s->ds, &s->fs, &s->gs};

		for (unsigned i = 0; i < ARRAY_SIZE(data); i++)
			*data[i] = (u16)((REAL_DATA >> 4) - rnd_n(&k->g, 0xc00));
		s->cs = (u16)((REAL_CODE >> 4) - rnd_n(&k->g, 0x800));
		s->fsbase = s->fs * 16u;
		s->gsbase = s->gs * 16u;
		return;
	}
	if (k->bits == 64) {
		s->cs = SEL_CODE64;
		s->ss = SEL_DATA;
		s->ds = chance(&k->g, 80) ? 0 : SEL_DATA;
		s->es = chance(&k->g, 80) ? 0 : SEL_DATA;
		s->fs = chance(&k->g, 80) ? 0 : SEL_DATA;
		s->fsbase = chance(&k->g, 50) ? rnd_n(&k->g, 0x10000) : (u64)sign_extend(rnd(&k->g), 47);
		s->gsbase = chance(&k->g, 50) ? 0 : HIGH_BASE - rnd_n(&k->g, 0x10000);
		return;
	}
	s->cs = k->bits == 16 ? LDT_SEL(LDT_CODE16) : chance(&k->g, 80) ? SEL_CODE32 : LDT_SEL(LDT_CODE32);
	s->ds = legacy_data_segment(k, false);
	s->es = legacy_data_segment(k, false);
	s->fs = legacy_data_segment(k, false);
	s->gs = legacy_data_segment(k, false);
	s->ss = legacy_data_segment(k, true);
	s->fsbase = data_base_of(k, s->fs);
	s->gsbase = data_base_of(k, s->gs);
}

static u64 stack_pointer(struct gen *k)
{
	unsigned what = rnd_n(&k->g, 100), bytes = gen_stack_bytes(k);
	u64 base = gen_seg_base(k, SEG_SS), sp = DATA_BASE + 0x1000 + rnd_n(&k->g, 0x200) * 8ull - 0x800;

	if (k->c->real)
		return REAL_DATA + 0x1000 + rnd_n(&k->g, 0x400) * 2ull - 0x400 - base;
	if (!k->seq && what < 12)
		sp += rnd_n(&k->g, 8);
	else if (!k->seq && what < 15)
		sp = DATA_BASE + rnd_n(&k->g, 24);
	else if (!k->seq && what < 18)
		sp = RO_BASE + rnd_n(&k->g, 24) - 12;
	else if (!k->seq && what < 20)
		sp = RO_BASE + 0x1000 - rnd_n(&k->g, 24);
	else if (!k->seq && what < 23 && bytes == 8)
		sp = what == 20 ? BIT(47) - 8 + rnd_n(&k->g, 16) : (u64)HIGH_BASE + rnd_n(&k->g, 0x1000);
	sp -= base;
	return bytes == 8 ? sp : bytes == 4 ? (u32)sp : (sp & 0xffff) | (rnd(&k->g) & 0xffff0000);
}

static void init_state(struct gen *k)
{
	struct ostate *s = &k->c->in;

	init_segments(k);
	for (unsigned i = 0; i < (k->bits == 64 ? 16 : 8); i++)
		s->r[i] = k->bits == 64 ? rnd_value(&k->g) : (u32)rnd_value(&k->g);
	s->r[R_SP] = stack_pointer(k);
	if (!chance(&k->g, 5))
		pin(k, R_SP);
	s->flags = 0x202 | (rnd(&k->g) & FLAGS_ARITH) | (chance(&k->g, 10) ? FLAG_DF : 0) |
		   (chance(&k->g, 10) ? FLAG_ID : 0) | (chance(&k->g, k->seq ? 0 : 3) ? FLAG_AC : 0);
}

/* Where the code lies: n bytes with room for the trailing jump, below the segment's limit. */
static void place(struct gen *k, u64 at)
{
	k->c->at = at;
	k->c->in.rip = at - gen_seg_base(k, SEG_CS);
}

static void place_anywhere(struct gen *k)
{
	u64 end = CODE_BASE + CODE_SIZE - 256 - CASE_CODE;

	if (k->c->real) {
		place(k, REAL_CODE + rnd_n(&k->g, REAL_CODE_SIZE - 256));
		return;
	}
	if (chance(&k->g, 6))
		place(k, CODE_BASE + 0x1000 - rnd_n(&k->g, 16));
	else
		place(k, CODE_BASE + rnd_n(&k->g, (unsigned)(end - CODE_BASE)));
}

void gen_start(struct gen *k, struct ocase *c, enum case_kind kind, unsigned bits, u64 seed, const u8 *has)
{
	*k = (struct gen){.g = {seed}, .c = c, .has = has, .bits = bits, .real = k->real, .seq = kind == CASE_SEQUENCE, .seg = -1};
	memset(c, 0, offsetof(struct ocase, code));
	c->kind = (u8)kind;
	c->real = k->real;
	c->bits = (u8)bits;
	c->seed = seed;
	c->trailer = 1;
	init_state(k);
	place_anywhere(k);
	k->target = gen_branch_target(k);
	if (kind != CASE_SINGLE && chance(&k->g, 60))
		fp_random(&k->g, c->in.fx, bits);
	else
		fp_default(c->in.fx);
}

static void add_insn(struct gen *k)
{
	struct ocase *c = k->c;

	c->row[c->ninsn] = (u16)(k->row - rows);
	c->start[c->ninsn++] = (u8)c->ncode;
	c->ncode = (u16)(c->ncode + k->n);
	c->limit = c->ncode;
	c->start[c->ninsn] = (u8)c->ncode;
}

/* ---- kinds ---- */
void gen_cut(struct ocase *c, unsigned n)
{
	u64 at = CODE_BASE + CODE_SIZE - n;

	c->in.rip += at - c->at;
	c->at = at;
	c->limit = (u16)n;
	c->trailer = 0;
}

void gen_real(struct ocase *c, unsigned id, u64 seed, const u8 *has)
{
	struct gen k = {.real = true};

	gen_start(&k, c, CASE_SINGLE, 16, seed, has);
	k.row = &rows[id];
	gen_insn(&k);
	add_insn(&k);
	c->trailer = 0;
}

void gen_single(struct ocase *c, unsigned id, unsigned bits, u64 seed, const u8 *has)
{
	struct gen k = {0};

	gen_start(&k, c, CASE_SINGLE, bits, seed, has);
	k.row = &rows[id];
	if (row_uses_fp(k.row))
		fp_random(&k.g, c->in.fx, bits);
	if (row_is_xsave(k.row))
		fp_some_init(&k.g, c->in.fx);
	gen_insn(&k);
	add_insn(&k);
	/* Sometimes at the end of the mapped code, whole or cut. Moving it would break what is relative to it. */
	if (chance(&k.g, 3) && k.row->insn->kind != KIND_REL && k.row->insn->kind != KIND_JCC &&
	    k.row->insn->form != FORM_Jz && c->in.cs != LDT_SEL(LDT_CODE32))
		gen_cut(c, chance(&k.g, 50) ? c->ncode : 1 + rnd_n(&k.g, c->ncode));
}

void gen_trap(struct ocase *c, unsigned id, unsigned bits, u64 seed, const u8 *has)
{
	struct gen k = {0};

	gen_start(&k, c, CASE_SINGLE, bits, seed, has);
	c->kind = CASE_SEQUENCE;
	k.trap = true;
	pin(&k, R_SP);
	for (unsigned i = 0; i < 2; i++) {
		k.row = &rows[i ? id : X86_POPF];
		gen_insn(&k);
		add_insn(&k);
	}
}

/* ---- sequences: random instructions whose flags are never read while undefined ---- */
static u32 flags_of_condition(unsigned cc)
{
	static const u32 f[8] = {FLAG_OF, FLAG_CF, FLAG_ZF,           FLAG_CF | FLAG_ZF,
				 FLAG_SF, FLAG_PF, FLAG_SF | FLAG_OF, FLAG_ZF | FLAG_SF | FLAG_OF};

	return f[cc >> 1 & 7];
}

/* Does an instruction name a register that others use as an address? BH is part of rBX. */
static bool touches_pinned(const struct gen *k)
{
	const struct x86_insn *r = k->row->insn;
	unsigned low = (k->opcode & 7u) | (k->rex & 1u) << 3, rg = (k->modrm >> 3 & 7u) | (k->rex & 4u) << 1;
	unsigned rm = (k->modrm & 7u) | (k->rex & 1u) << 3;
	bool byte = k->osize == 1 && !k->rex_on;

	if (r->kind == KIND_STK || r->kind == KIND_JCC)
		return r->flags & OP8 && pinned(k, low);
	if (r->flags & OP8 && (pinned(k, low) || (byte && low == 7)))
		return true;
	if (r->map >= V38 && pinned(k, k->vvvv))
		return true;
	if (r->mod == NOMODRM)
		return false;
	if (r->reg < 0 && (pinned(k, rg) || (byte && rg == 7)))
		return true;
	return !k->mem && (pinned(k, rm) || (byte && rm == 7));
}

static bool fits_sequence(const struct gen *k, u32 undefined)
{
	const struct row *r = k->row;
	u32 reads = r->reads;
	struct parsed p = {.osize = (u8)k->osize};

	if (r->insn->kind == KIND_CC || r->insn->kind == KIND_JCC)
		reads = flags_of_condition(k->opcode);
	if (reads & undefined || touches_pinned(k))
		return false;
	if (r->insn->kind == KIND_STRING && k->rep && k->asize == 4 &&
	    k->bits == 64) /* Intel's upper halves: exceptions.def */
		return false;
	if (!strncmp(r->fn, "sh", 2) && k->osize == 2 && r->insn->form == FORM_EG) /* SHLD, SHRD by CL */
		return false;
	return !row_undefined_result(r, &p, &k->c->in, k->buf[k->n - 1]);
}

static const struct row *pick_row(struct gen *k)
{
	static const u16 favourites[] = {X86_ADD_EvGv,  X86_SUB_GvEv, X86_CMP_EvGv, X86_CMP_EvIb, X86_TEST_EvGv,
					 X86_JCC_Jb,    X86_JCC_Jb,   X86_JCC_Jb,   X86_CMP_GvEv, X86_SETCC,
					 X86_CMOVCC,    X86_ADC_EvGv, X86_INC_Ev,   X86_DEC_Ev,   X86_MOV_GvEv,
					 X86_MOV_EvGv,  X86_LEA,      X86_SHL_EvIb, X86_AND_EvIz, X86_XOR_GvEv,
					 X86_TEST_EbGb, X86_CMP_EbIb, X86_SBB_EvGv, X86_MOVZX_b};

	for (;;) {
		unsigned id =
			chance(&k->g, 50) ? favourites[rnd_n(&k->g, ARRAY_SIZE(favourites))] : rnd_n(&k->g, X86_IDS);
		const struct row *r = &rows[id];

		if (r->seq && r->insn->mode != (k->bits == 64 ? NO64 : O64) && r->insn->kind != KIND_REL)
			return r;
	}
}

/* Forward jumps get their displacement when the instructions after them exist: to the start of one of the next four. */
static void aim_jumps(struct gen *k)
{
	struct ocase *c = k->c;

	for (unsigned i = 0; i < c->ninsn; i++) {
		const struct x86_insn *r = rows[c->row[i]].insn;
		unsigned to = i + 1 + rnd_n(&k->g, 4), size = r->form == FORM_Jb ? 1 : c->bits == 16 ? 2 : 4;
		u32 d;

		if (r->kind != KIND_JCC)
			continue;
		to = to > c->ninsn ? c->ninsn : to;
		d = (u32)c->start[to] - c->start[i + 1];
		memcpy(c->code + c->start[i + 1] - size, &d, size);
	}
}

/* May a jump before the instruction to be added skip it? */
static bool skippable(const struct ocase *c)
{
	for (unsigned i = c->ninsn > 4 ? c->ninsn - 4u : 0; i < c->ninsn; i++)
		if (rows[c->row[i]].insn->kind == KIND_JCC)
			return true;
	return false;
}

/* Registers that lead to memory, in every sequence the same. */
static void init_pinned(struct gen *k)
{
	struct ostate *s = &k->c->in;

	k->pinned = 1u << R_SP | 1u << R_BX | (k->bits == 64 ? 1u << 13 : 1u << R_BP);
	if (chance(&k->g, 50))
		k->pinned |= 1u << R_SI | 1u << R_DI;
	for (unsigned i = 0; i < 16; i++)
		if (pinned(k, i) && i != R_SP)
			s->r[i] =
				DATA_BASE + 0x400 + rnd_n(&k->g, 0x400) - gen_seg_base(k, i == R_BP ? SEG_SS : SEG_DS);
	if (k->bits != 64)
		for (unsigned i = 0; i < 8; i++)
			s->r[i] = (u32)s->r[i];
	k->counter = -1;
	if (chance(&k->g, 25)) {
		k->c->loop = 1;
		k->counter = k->bits == 64 ? 14 : R_BP;
		pin(k, (unsigned)k->counter);
		s->r[k->counter] = 1 + rnd_n(&k->g, 20);
	}
}

void gen_add_bytes(struct gen *k, unsigned id, const u8 *bytes, unsigned n)
{
	memcpy(k->c->code + k->c->ncode, bytes, n);
	k->row = &rows[id];
	k->n = n;
	add_insn(k);
}

/* TEST and DEC of the counter, which together define all flags, and JNZ to the start. */
void gen_close_loop(struct gen *k)
{
	static const u8 test64[] = {0x45, 0x85, 0xf6}, dec64[] = {0x41, 0xff, 0xce}, test[] = {0x85, 0xed},
			dec[] = {0x4d};
	u8 jnz[6] = {0x0f, 0x85};
	unsigned n = k->bits == 16 ? 4 : 6;
	u32 d;

	gen_add_bytes(k, X86_TEST_EvGv, k->bits == 64 ? test64 : test, k->bits == 64 ? sizeof test64 : sizeof test);
	gen_add_bytes(k, k->bits == 64 ? X86_DEC_Ev : X86_DEC_O, k->bits == 64 ? dec64 : dec,
		      k->bits == 64 ? sizeof dec64 : sizeof dec);
	d = 0u - (k->c->ncode + n);
	memcpy(jnz + 2, &d, 4);
	gen_add_bytes(k, X86_JCC_Jz, jnz, n);
}

void gen_sequence(struct ocase *c, unsigned bits, u64 seed, const u8 *has)
{
	struct gen k = {0};
	u32 undefined = 0;
	unsigned want;

	gen_start(&k, c, CASE_SEQUENCE, bits, seed, has);
	init_pinned(&k);
	want = 2 + rnd_n(&k.g, c->loop ? 7 : 9);
	for (unsigned tries = 0; c->ninsn < want && tries < 300; tries++) {
		struct parsed p = {0};

		k.row = pick_row(&k);
		if (!gen_insn(&k) || !fits_sequence(&k, undefined))
			continue;
		p.osize = (u8)k.osize;
		if (!skippable(c))
			undefined &= ~k.row->writes;
		undefined |= row_undefined(k.row, &p, &c->in, k.buf[k.n - 1]);
		if (k.row->insn->form == FORM_E || k.row->insn->form == FORM_EG) /* the count is not known */
			undefined |= k.row->undefined;
		add_insn(&k);
	}
	aim_jumps(&k);
	if (c->loop)
		gen_close_loop(&k);
}

/* ---- bytes ---- */
static const u8 byte_prefixes[][2] = {{0},    {0x66},       {0xf3},       {0xf2}, {0x67}, {0xf0},       {0x48},
				      {0x40}, {0x66, 0x48}, {0xf3, 0x48}, {0x2e}, {0x64}, {0x66, 0xf3}, {0x4f}};
static const u8 byte_maps[][2] = {{0}, {0x0f}, {0x0f, 0x38}, {0x0f, 0x3a}};

static void enumerated(struct gen *k, u64 n)
{
	unsigned modrm = n & 255, opcode = n >> 8 & 255, map = n >> 16 & 3,
		 prefix = (unsigned)((n >> 18) % ARRAY_SIZE(byte_prefixes));
	u8 *p = k->c->code;

	for (unsigned i = 0; i < 2 && byte_prefixes[prefix][i]; i++)
		*p++ = byte_prefixes[prefix][i];
	for (unsigned i = 0; i < 2 && byte_maps[map][i]; i++)
		*p++ = byte_maps[map][i];
	*p++ = (u8)opcode;
	*p++ = (u8)modrm;
	while (p < k->c->code + 16)
		*p++ = (u8)rnd(&k->g);
}

static void any_bytes(struct gen *k)
{
	static const u8 legacy[] = {0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0xf2, 0xf3};
	u8 *p = k->c->code;

	for (unsigned i = rnd_n(&k->g, chance(&k->g, 5) ? 15 : 3); i; i--)
		*p++ = legacy[rnd_n(&k->g, ARRAY_SIZE(legacy))];
	if (k->bits == 64 && chance(&k->g, 40))
		*p++ = (u8)(0x40 | rnd_n(&k->g, 16));
	if (chance(&k->g, 50))
		*p++ = 0x0f;
	while (p < k->c->code + 16)
		*p++ = (u8)rnd(&k->g);
}

void gen_bytes(struct ocase *c, unsigned bits, u64 n, bool random, u64 seed, const u8 *has)
{
	struct gen k = {0};

	gen_start(&k, c, CASE_BYTES, bits, seed, has);
	c->in.flags = 0x202;
	for (unsigned i = 0; i < (bits == 64 ? 16 : 8); i++)
		c->in.r[i] = DATA_BASE + 0x800 + rnd_n(&k.g, 0x100) * 8;
	c->in.ss = SEL_DATA;
	if (bits == 32) {
		c->in.cs = SEL_CODE32;
		place(&k, c->at);
	}
	if (random)
		any_bytes(&k);
	else
		enumerated(&k, n);
	c->ninsn = 1;
	c->ncode = c->limit = 16;
	c->start[1] = 16;
}
