/*
 * The bytes of one instruction: prefixes, opcode, ModRM and SIB, displacement, immediate. The memory operand's bytes
 * are chosen first; then the registers that it names get the values that lead to the wanted address. APM3 1.2-1.7.
 */
#include "gen.h"

static void put8(struct gen *k, unsigned b) { k->buf[k->n++] = (u8)b; }
static void put_n(struct gen *k, u64 v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		put8(k, (u8)(v >> (8 * i)));
}

/* ---- choices ---- */
static bool string_op(const struct gen *k) { return k->row->insn->form == FORM_STR; }
static bool has_vex(const struct gen *k) { return k->row->insn->map >= V38; }

/* 66h in front of a near branch in 64-bit mode means other things to Intel. */
static bool near_branch(const struct row *r)
{
	return r->insn->kind == KIND_JCC || r->insn->kind == KIND_REL ||
	       (r->insn->kind == KIND_STK && r->insn->flags & BR);
}

static void choose_prefixes(struct gen *k)
{
	const struct x86_insn *r = k->row->insn;
	bool sized = r->size == SV || r->size == SV64 || r->size == SZ;

	k->p66 = r->prefix == P_66 || (r->prefix != P_NP && chance(&k->g, sized ? 25 : 4));
	if (near_branch(k->row) && (k->seq || (k->bits == 64 && !chance(&k->g, 2))))
		k->p66 = false;
	k->rep = r->prefix == P_F3 ? 0xf3 : r->prefix == P_F2 ? 0xf2 : 0;
	if ((r->prefix == P_ANY || r->prefix == P_NOREP) && chance(&k->g, r->flags & REPX ? 65 : k->seq ? 0 : 3))
		k->rep = chance(&k->g, 50) ? 0xf3 : 0xf2;
	k->p67 = chance(&k->g, k->row->insn->mod != NOMODRM || string_op(k) || r->kind == KIND_REL ? 15 : 3);
	k->seg = -1;
	if (chance(&k->g, k->seq ? 3 : 12)) {
		k->seg = (s8)rnd_n(&k->g, 6);
		if (k->bits == 64 && (k->seg < SEG_FS || k->seq))
			k->seg = chance(&k->g, 50) ? -1 : k->seg & 3;
	}
	k->rex = k->rex_on = false;
	if (k->bits == 64 && !has_vex(k) && chance(&k->g, 65)) {
		k->rex_on = true;
		k->rex = (u8)rnd_n(&k->g, 16);
	}
	if (r->flags & REXW && k->bits == 64) {
		k->rex_on = true;
		k->rex |= 8;
	}
	if (r->flags & NOREXB)
		k->rex &= (u8)~1u;
	if (has_vex(k))
		k->rex = k->bits == 64 ? (u8)rnd_n(&k->g, 16) : (u8)(rnd_n(&k->g, 2) * 8);
	if (has_vex(k) && r->flags & (W0 | W1) && !chance(&k->g, 2))
		k->rex = (u8)((k->rex & 7) | (r->flags & W1 ? 8 : 0));
	if (has_vex(k) && r->flags & REXW && k->bits == 64)
		k->rex |= 8;
	k->vex_l = has_vex(k) && r->flags & SSE && (r->flags & L1 || (!(r->flags & L0) && chance(&k->g, 50)));
}

static void choose_sizes(struct gen *k)
{
	bool wide = k->rex & 8;
	unsigned v = k->bits == 64 ? (wide ? 8 : k->p66 ? 2 : 4) : (k->bits == 32) != k->p66 ? 4 : 2;

	k->asize = k->bits == 64 ? (k->p67 ? 4 : 8) : (k->bits == 32) != k->p67 ? 4 : 2;
	switch ((enum insn_size)k->row->insn->size) {
	case SB: v = 1; break;
	case SW: v = 2; break;
	case SV: break;
	case SV64: v = k->bits != 64 ? v : k->p66 && !wide ? 2 : 8; break;
	case SZ: v = v == 8 ? 4 : v; break;
	case SY: v = wide && k->bits == 64 ? 8 : 4; break;
	case SC:
	case SV64F: v = k->bits == 64 ? 8 : 4; break;
	case SX2: v = 2; break;
	case SX4: v = 4; break;
	case SX8: v = 8; break;
	case SXT: v = 10; break;
	default: v = vec_size(k->row->insn, k->vex_l); break;
	}
	k->osize = v;
}

static unsigned immediate_size(const struct gen *k)
{
	unsigned z = k->osize == 1 ? 1 : k->osize == 2 ? 2 : 4;

	switch ((enum insn_form)k->row->insn->form) {
	case FORM_EI:
	case FORM_AI:
	case FORM_Iz:
	case FORM_GEI:
	case FORM_Jz: return z;
	case FORM_EIb:
	case FORM_GEIb:
	case FORM_Ib:
	case FORM_Iu:
	case FORM_EIu:
	case FORM_GEIu:
	case FORM_EGI:
	case FORM_Jb:
	case FORM_Jb0:
	case FORM_Jb1:
	case FORM_Jb2:
	case FORM_Jb3:
	case FORM_XEI:
	case FORM_EXI:
	case FORM_UI:
	case FORM_XEX: return 1;
	case FORM_XEII: return 2;
	case FORM_OI: return k->osize;
	case FORM_Iw: return 2;
	case FORM_IwIb: return 3;
	case FORM_AM:
	case FORM_MA: return k->asize;
	case FORM_Ap: return z + 2;
	default: return 0;
	}
}

static void choose_modrm(struct gen *k)
{
	const struct x86_insn *r = k->row->insn;
	unsigned reg = r->reg >= 0 ? (unsigned)r->reg : rnd_n(&k->g, 8);
	bool mem = r->mod == MEM || ((r->mod == ANY || r->mod == CRREG) && chance(&k->g, k->seq ? 35 : 60));

	k->mem = false;
	if (r->mod == NOMODRM)
		return;
	k->modrm = (u8)(reg << 3 | rnd_n(&k->g, 8));
	if (r->mod >= RM0)
		k->modrm = (u8)(0xc0 | reg << 3 | (r->mod - RM0));
	else if (!mem)
		k->modrm |= 0xc0;
	else
		k->modrm |= (u8)(rnd_n(&k->g, 3) << 6);
	k->mem = mem && r->mod != CRREG;
	if (!k->mem)
		return;
	if (chance(&k->g, 30) && k->asize != 2)
		k->modrm = (u8)((k->modrm & ~7u) | 4);
	k->sib = (u8)rnd(&k->g);
}

/* ---- the memory operand ---- */
struct operand {
	int base, index; /* -1: none */
	bool rip;
	unsigned scale, disp_size;
	s64 disp;
};

static void operand16(const struct gen *k, struct operand *m)
{
	static const s8 base[8] = {R_BX, R_BX, R_BP, R_BP, R_SI, R_DI, R_BP, R_BX};
	static const s8 index[8] = {R_SI, R_DI, R_SI, R_DI, -1, -1, -1, -1};
	unsigned mod = k->modrm >> 6, rm = k->modrm & 7;

	m->base = mod == 0 && rm == 6 ? -1 : base[rm];
	m->index = index[rm];
	m->disp_size = mod == 1 ? 1 : mod == 2 || (mod == 0 && rm == 6) ? 2 : 0;
}

static void operand32(const struct gen *k, struct operand *m)
{
	unsigned mod = k->modrm >> 6, rm = k->modrm & 7, b = rm;
	bool none;

	if (rm == 4) {
		b = k->sib & 7;
		m->index = (k->sib >> 3 & 7) | (k->rex & 2) << 2;
		m->scale = k->sib >> 6;
		if (m->index == 4)
			m->index = -1;
	}
	none = mod == 0 && b == 5;
	m->rip = none && rm == 5 && k->bits == 64;
	m->base = none ? -1 : (int)(b | (k->rex & 1u) << 3);
	m->disp_size = mod == 1 ? 1 : mod == 2 || none ? 4 : 0;
}

/* A value for a register that shall read as v at this address size. */
static u64 register_with(struct gen *k, u64 v)
{
	if (k->asize == 8)
		return v;
	if (k->asize == 2)
		return (v & 0xffff) | (rnd(&k->g) & 0xffff0000);
	return (u32)v | (k->bits == 64 ? rnd(&k->g) << 32 : 0);
}

static void solve_same(struct gen *k, struct operand *m, u64 want)
{
	u64 v = want - (u64)m->disp, inv = 1, f = 1 + (1ull << m->scale);

	if (m->scale == 0) {
		k->c->in.r[m->base] = register_with(k, v >> 1);
		return;
	}
	for (unsigned i = 0; i < 6; i++) /* Newton: the inverse of an odd number modulo 2^64 */
		inv *= 2 - f * inv;
	k->c->in.r[m->base] = register_with(k, v * inv);
}

/* Make the operand's registers, or its displacement, give the offset want. Pinned registers stay. */
static void solve(struct gen *k, struct operand *m, u64 want)
{
	u64 *r = k->c->in.r;
	u64 idx = m->index < 0 ? 0 : r[m->index] << m->scale, base = m->base < 0 ? 0 : r[m->base];

	if (m->base >= 0 && m->base == m->index && !pinned(k, (unsigned)m->base)) {
		solve_same(k, m, want);
	} else if (m->base >= 0 && m->base != m->index && !pinned(k, (unsigned)m->base)) {
		r[m->base] = register_with(k, want - idx - (u64)m->disp);
	} else if (m->index >= 0 && m->base != m->index && !pinned(k, (unsigned)m->index)) {
		u64 v = want - base - (u64)m->disp, mask = mask_low(k->asize * 8);

		if (m->disp_size > 1)
			m->disp += (s64)(v & mask_low(m->scale));
		r[m->index] = register_with(k, (v & mask) >> m->scale);
	} else if (m->disp_size > 1) {
		m->disp = sign_extend(want - base - idx, m->disp_size * 8);
	}
	if (m->base >= 0)
		pin(k, (unsigned)m->base);
	if (m->index >= 0)
		pin(k, (unsigned)m->index);
}

static unsigned operand_segment(const struct gen *k, const struct operand *m)
{
	bool ss = m->base == R_BP || (m->base == R_SP && k->asize != 2);

	if (k->seg >= 0 && (k->bits != 64 || k->seg >= SEG_FS))
		return (unsigned)k->seg;
	return k->bits == 64 || !ss ? SEG_DS : SEG_SS;
}

static u64 operand_offset(const struct gen *k, const struct operand *m, u64 next)
{
	const u64 *r = k->c->in.r;
	u64 v = (u64)m->disp + (m->rip ? next : 0);

	if (m->base >= 0)
		v += r[m->base];
	if (m->index >= 0)
		v += r[m->index] << m->scale;
	return v & mask_low(k->asize * 8);
}

/* In sequences only registers that no instruction writes may lead to memory. */
static bool steady(const struct gen *k, const struct operand *m)
{
	return m->index < 0 && (m->base < 0 || (pinned(k, (unsigned)m->base) && m->base != k->counter));
}

static bool memory_operand(struct gen *k)
{
	struct operand m = {.base = -1, .index = -1};
	unsigned seg;
	u64 segbase, next, want;

	if (k->asize == 2)
		operand16(k, &m);
	else
		operand32(k, &m);
	if (k->seq && !steady(k, &m))
		return false;
	seg = operand_segment(k, &m);
	segbase = gen_seg_base(k, seg);
	m.disp = m.disp_size ? sign_extend(chance(&k->g, 50) ? rnd_n(&k->g, 256) : rnd(&k->g), m.disp_size * 8) : 0;
	next = k->c->in.rip + (u64)(k->buf - k->c->code) + k->n + 1u + ((k->modrm & 7) == 4 && k->asize != 2) +
	       m.disp_size + k->imm_size;
	want = gen_data_address(k, row_alignment(k->row, k->osize), segbase, k->asize) - segbase;
	if (m.rip)
		m.disp = sign_extend(want - next, 32);
	else
		solve(k, &m, want);
	k->ea = segbase + operand_offset(k, &m, next);
	if (k->bits != 64)
		k->ea = (u32)k->ea;
	put8(k, k->modrm);
	if ((k->modrm & 7) == 4 && k->asize != 2)
		put8(k, k->sib);
	put_n(k, (u64)m.disp, m.disp_size);
	return true;
}

/* ---- bytes in order ---- */
static void put_legacy_prefixes(struct gen *k)
{
	static const u8 seg_byte[6] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};
	u8 p[6];
	unsigned n = 0;

	if (k->p66 && !has_vex(k))
		p[n++] = 0x66;
	if (k->p67)
		p[n++] = 0x67;
	if (k->seg >= 0)
		p[n++] = seg_byte[k->seg];
	if (k->rep && !has_vex(k))
		p[n++] = k->rep;
	if (k->lock)
		p[n++] = 0xf0;
	if (has_vex(k) && !k->seq && chance(&k->g, 2))
		p[n++] = chance(&k->g, 50) ? 0x66 : 0xf3;
	while (n) { /* in any order */
		unsigned i = rnd_n(&k->g, n);

		put8(k, p[i]);
		if (!k->seq && chance(&k->g, 1)) { /* REX counts only before the opcode; a prefix may be repeated */
			put8(k, k->bits == 64 && chance(&k->g, 50) ? 0x40 | rnd_n(&k->g, 16) : p[i]);
		}
		p[i] = p[--n];
	}
	if (!k->seq && chance(&k->g, 1))
		for (n = rnd_n(&k->g, 12); n; n--)
			put8(k, 0x2e);
}

static void put_vex(struct gen *k)
{
	unsigned pp = k->p66 ? 1 : k->rep == 0xf3 ? 2 : k->rep == 0xf2 ? 3 : 0;
	const struct x86_insn *r = k->row->insn;
	bool uses_v = r->form == FORM_GVE || r->form == FORM_VE || r->flags & NDS;
	bool wrong = !k->seq && chance(&k->g, 2), l = k->vex_l ^ (!k->seq && chance(&k->g, 1));
	bool w = k->rex & 8, two = r->map == V0F && !(k->rex & 11) && chance(&k->g, 70);

	k->vvvv = uses_v || wrong ? (u8)rnd_n(&k->g, k->bits == 64 ? 16 : 8) : 0;
	put8(k, two ? 0xc5 : 0xc4);
	if (two) {
		put8(k, (~k->rex & 4u) << 5 | (~k->vvvv & 15u) << 3 | (l ? 4 : 0) | pp);
	} else {
		put8(k, (~k->rex & 7u) << 5 | (r->map == V0F ? 1 : r->map == V38 ? 2 : 3));
		put8(k, (w ? 0x80 : 0) | (~k->vvvv & 15u) << 3 | (l ? 4 : 0) | pp);
	}
	put8(k, k->opcode);
}

static void put_opcode(struct gen *k)
{
	const struct x86_insn *r = k->row->insn;

	k->opcode = (u8)(r->opcode + (r->flags & OP16 ? rnd_n(&k->g, 16) : r->flags & OP8 ? rnd_n(&k->g, 8) : 0));
	if (has_vex(k)) {
		put_vex(k);
		return;
	}
	if (k->rex_on)
		put8(k, 0x40 | k->rex);
	if (r->map != M1)
		put8(k, 0x0f);
	if (r->map == M38 || r->map == M3A)
		put8(k, r->map == M38 ? 0x38 : 0x3a);
	put8(k, k->opcode);
}

static u64 branch_displacement(struct gen *k)
{
	u64 next = k->c->at + (u64)(k->buf - k->c->code) + k->n + k->imm_size;
	s64 d;

	if (k->imm_size > 1)
		return k->target - next;
	do
		d = (s8)rnd(&k->g);
	while ((d < 0 && d > -24) ||
	       (d > 0 && d < 24)); /* not into this instruction, nor into the middle of the trailing jump */
	return (u64)d;
}

static u64 immediate(struct gen *k)
{
	switch ((enum insn_form)k->row->insn->form) {
	case FORM_Jb:
	case FORM_Jb0:
	case FORM_Jb1:
	case FORM_Jb2:
	case FORM_Jb3:
	case FORM_Jz: return branch_displacement(k);
	case FORM_Ap: return (k->far_off & mask_low(k->osize * 8)) | (u64)k->far_sel << (k->osize * 8);
	case FORM_IwIb: return rnd_n(&k->g, 300) | (u64)(chance(&k->g, 70) ? rnd_n(&k->g, 4) : rnd_n(&k->g, 256)) << 16;
	case FORM_EIu:
	case FORM_GEIu:
	case FORM_EGI: return chance(&k->g, 80) ? rnd_n(&k->g, 70) : rnd_n(&k->g, 256);
	case FORM_AM:
	case FORM_MA: {
		unsigned seg = k->seg >= 0 && (k->bits != 64 || k->seg >= SEG_FS) ? (unsigned)k->seg : SEG_DS;
		u64 base = gen_seg_base(k, seg), off = gen_data_address(k, k->osize, base, k->asize) - base;

		k->ea = base + (off & mask_low(k->asize * 8));
		return off;
	}
	default: return rnd_value(&k->g);
	}
}

static void choose_lock(struct gen *k)
{
	bool lockable = k->row->insn->flags & LK && k->mem;

	k->lock = chance(&k->g, lockable ? 25 : k->seq ? 0 : 1);
}

bool gen_insn(struct gen *k)
{
	k->buf = k->c->code + k->c->ncode;
	k->n = 0;
	k->ea = 0;
	choose_prefixes(k);
	choose_sizes(k);
	choose_modrm(k);
	choose_lock(k);
	k->imm_size = immediate_size(k);
	if (!k->seq)
		gen_before(k);
	put_legacy_prefixes(k);
	put_opcode(k);
	if (k->mem && !memory_operand(k))
		return false;
	if (k->row->insn->mod != NOMODRM && !k->mem)
		put8(k, k->modrm);
	put_n(k, immediate(k), k->imm_size);
	if (k->ea)
		k->c->ea = k->ea;
	if (!k->seq)
		gen_after(k);
	return true;
}
