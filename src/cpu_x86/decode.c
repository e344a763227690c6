/*
 * The decoder: bytes to one op, by the table x86_insn.def. It checks what depends on the bytes and the mode alone (lengths, LOCK, operand forms,
 * CPUID features); what depends on register values is the handlers' business. APM3 ch. 1, app. A.
 */
#include "cpu_x86/fpu.h"
#include "cpu_x86/insn.h"

#define MAX_LENGTH 15

struct dec {
	struct x86_cpu *c;
	const u8 *p;
	unsigned n, at;         /* bytes there are; bytes used */
	bool more;              /* ran out */
	bool too_long;
	bool p66, p67, lock, rex_seen, wide; /* wide: REX.W or VEX.W */
	u8 rep, rex, vvvv;      /* rep: 0, F2h, F3h; rex: R X B bits (2:0 = B, 1 = X, 2 = R) */
	s8 seg;                 /* override, or -1 */
	bool vex, vex_l, vex_w; /* vex_w counts in all modes, wide only in 64-bit mode */
	u8 map, opcode, modrm;
	bool has_modrm, mem;
	u8 osize, asize;        /* bytes */
	unsigned offset;
	struct x86_op *o;
};

static u8 next8(struct dec *d)
{
	if (d->at >= MAX_LENGTH) {
		d->too_long = true;
		return 0;
	}
	if (d->at >= d->n) {
		d->more = true;
		return 0;
	}
	return d->p[d->at++];
}
static u64 next_n(struct dec *d, unsigned n)
{
	u64 v = 0;

	for (unsigned i = 0; i < n; i++)
		v |= (u64)next8(d) << (8 * i);
	return v;
}
static s64 next_signed(struct dec *d, unsigned n) { return sign_extend(next_n(d, n), n * 8); }

static bool long64(const struct dec *d) { return (d->c->mode & MODE_SIZE) == MODE_64; }

/* Legacy prefixes and REX; leaves the first opcode byte in d->opcode. APM3 1.2 */
static void prefixes(struct dec *d)
{
	for (;;) {
		u8 b = next8(d);

		if (d->more || d->too_long)
			return;
		if (long64(d) && (b & 0xf0) == 0x40) {
			d->rex_seen = true;
			d->wide = b & 8;
			d->rex = b & 7;
			b = next8(d);
			/* REX counts only right before the opcode. */
			if ((b & 0xf0) == 0x40 || b == 0x66 || b == 0x67 || b == 0xf0 || b == 0xf2 || b == 0xf3 || b == 0x26 || b == 0x2e ||
			    b == 0x36 || b == 0x3e || b == 0x64 || b == 0x65) {
				d->rex_seen = d->wide = false;
				d->rex = 0;
				d->at -= !d->more && !d->too_long;
				if (d->more || d->too_long)
					return;
				continue;
			}
			d->opcode = b;
			return;
		}
		switch (b) {
		case 0x66: d->p66 = true; break;
		case 0x67: d->p67 = true; break;
		case 0xf0: d->lock = true; break;
		case 0xf2:
		case 0xf3: d->rep = b; break;
		case 0x26: d->seg = long64(d) ? d->seg : SEG_ES; break;
		case 0x2e: d->seg = long64(d) ? d->seg : SEG_CS; break;
		case 0x36: d->seg = long64(d) ? d->seg : SEG_SS; break;
		case 0x3e: d->seg = long64(d) ? d->seg : SEG_DS; break;
		case 0x64: d->seg = SEG_FS; break;
		case 0x65: d->seg = SEG_GS; break;
		default: d->opcode = b; return;
		}
	}
}

/* C4h, C5h are VEX in 64-bit mode, and elsewhere (protected mode) when the next byte looks like a register form. APM3 1.2.7 */
static bool is_vex(const struct dec *d)
{
	if (d->opcode != 0xc4 && d->opcode != 0xc5)
		return false;
	if (long64(d))
		return true;
	return x86_protected(d->c) && d->at < d->n && d->p[d->at] >= 0xc0;
}

static bool vex(struct dec *d)
{
	u8 b1 = next8(d), b2;

	d->vex = true;
	if (d->p66 || d->rep || d->lock || d->rex_seen)
		return false;
	if (d->opcode == 0xc5) {
		d->rex = (u8)(~b1 >> 5 & 4);
		d->map = V0F;
		b2 = b1;
	} else {
		d->rex = (u8)(~b1 >> 5 & 7);
		d->map = (b1 & 31) == 1 ? V0F : (b1 & 31) == 2 ? V38 : (b1 & 31) == 3 ? V3A : MAPS;
		b2 = next8(d);
		d->wide = d->vex_w = b2 & 0x80;
	}
	if (!long64(d)) {
		d->rex = 0;
		d->wide = false;
	}
	d->vvvv = (u8)(~b2 >> 3 & (long64(d) ? 15 : 7));
	d->p66 = (b2 & 3) == 1;
	d->rep = (b2 & 3) == 2 ? 0xf3 : (b2 & 3) == 3 ? 0xf2 : 0;
	d->vex_l = b2 & 4;
	d->opcode = next8(d);
	return d->map != MAPS;
}

static bool opcode_map(struct dec *d)
{
	d->map = M1;
	if (is_vex(d))
		return vex(d);
	if (d->opcode != 0x0f)
		return true;
	d->opcode = next8(d);
	d->map = M0F;
	if (d->opcode == 0x38 || d->opcode == 0x3a) {
		d->map = d->opcode == 0x38 ? M38 : M3A;
		d->opcode = next8(d);
	}
	return true;
}

/* ---- row lookup: rows of (map, opcode) in table order ---- */
static u16 first_row[MAPS][256], next_row[X86_IDS * 16];
static u16 row_of[X86_IDS * 16];
static bool rows_ready;

static void add_row(unsigned map, unsigned opcode, unsigned id, unsigned *used)
{
	u16 *p = &first_row[map][opcode];

	while (*p)
		p = &next_row[*p];
	*p = (u16)++*used;
	row_of[*used] = (u16)id;
}

static void prepare_rows(void)
{
	unsigned used = 0;

	for (unsigned id = 0; id < X86_IDS; id++) {
		const struct x86_insn *r = &x86_insns[id];
		unsigned n = r->flags & OP16 ? 16 : r->flags & OP8 ? 8 : 1;

		for (unsigned i = 0; i < n; i++)
			add_row(r->map, r->opcode + i, id, &used);
	}
	rows_ready = true;
}

static bool prefix_fits(const struct dec *d, const struct x86_insn *r)
{
	switch (r->prefix) {
	case P_NP: return !d->p66 && !d->rep;
	case P_NOREP: return !d->rep;
	case P_66: return d->p66 && !d->rep;
	case P_F3: return d->rep == 0xf3;
	case P_F2: return d->rep == 0xf2;
	default: return true;
	}
}

/* VEX.L and VEX.W. General-purpose instructions want L = 0 and take W as the operand size. APM3 1.2.7, APM4 1.1.3 */
static bool vex_fits(const struct dec *d, const struct x86_insn *r)
{
	if (d->vex_l && (r->flags & L0 || !(r->flags & SSE)))
		return false;
	if (!d->vex_l && r->flags & L1)
		return false;
	return d->vex_w ? !(r->flags & W0) : !(r->flags & W1);
}

static bool modrm_fits(struct dec *d, const struct x86_insn *r)
{
	unsigned mod, reg, rm;

	if (r->mod == NOMODRM)
		return true;
	if (!d->has_modrm) {
		d->modrm = next8(d);
		d->has_modrm = true;
	}
	mod = d->modrm >> 6;
	reg = d->modrm >> 3 & 7;
	rm = d->modrm & 7;
	if (r->reg >= 0 && (unsigned)r->reg != reg)
		return false;
	if (r->mod == MEM)
		return mod != 3;
	if (r->mod == REG)
		return mod == 3;
	if (r->mod >= RM0)
		return mod == 3 && rm == (unsigned)(r->mod - RM0);
	return true;
}

static const struct x86_insn *find_row(struct dec *d)
{
	for (unsigned k = first_row[d->map][d->opcode]; k; k = next_row[k]) {
		const struct x86_insn *r = &x86_insns[row_of[k]];

		if (r->mode == (long64(d) ? NO64 : O64) || !prefix_fits(d, r) || (d->vex && !vex_fits(d, r)))
			continue;
		if ((r->flags & NOREXB && d->rex & 1) || (r->flags & REXW && !d->wide))
			continue;
		if (!modrm_fits(d, r)) {
			if (d->more || d->too_long)
				return NULL;
			continue;
		}
		/* LZCNT, TZCNT without their feature are BSR, BSF: the row is passed over when a plain one follows. */
		if (r->prefix == P_F3 && r->feature != X86_F_NONE && !x86_has(d->c->model, r->feature) && next_row[k])
			continue;
		return r;
	}
	return NULL;
}

static void sizes(struct dec *d, const struct x86_insn *r)
{
	bool lng = long64(d), big = (d->c->mode & MODE_SIZE) == MODE_32;
	unsigned v = lng ? (d->wide ? 8 : d->p66 ? 2 : 4) : big != d->p66 ? 4 : 2;

	d->asize = lng ? (d->p67 ? 4 : 8) : big != d->p67 ? 4 : 2;
	switch ((enum insn_size)r->size) {
	case SB: v = 1; break;
	case SW: v = 2; break;
	case SV: break;
	case SV64: v = lng ? (d->p66 && !d->wide ? 2 : 8) : v; break;
	case SZ: v = v == 8 ? 4 : v; break;
	case SY: v = d->wide ? 8 : 4; break;
	case SC:
	case SV64F: v = lng ? 8 : 4; break;
	case SX2: v = 2; break;
	case SX4: v = 4; break;
	case SX8:
	case SXT: v = 8; break;
	default: v = vec_size(r, d->vex_l); break;
	}
	d->osize = (u8)v;
}

static void set_seg(struct dec *d, unsigned seg)
{
	if (d->seg >= 0)
		seg = (unsigned)d->seg;
	d->o->ea = (u8)((d->o->ea & ~0x1cu) | seg << 2);
}

/* 16-bit addressing. APM3 table 1-... (16-bit ModRM forms) */
static void modrm16(struct dec *d)
{
	static const u8 base[8] = {R_BX, R_BX, R_BP, R_BP, R_SI, R_DI, R_BP, R_BX};
	static const u8 index[8] = {R_SI, R_DI, R_SI, R_DI, R_ZERO, R_ZERO, R_ZERO, R_ZERO};
	unsigned mod = d->modrm >> 6, rm = d->modrm & 7;
	bool none = mod == 0 && rm == 6;

	d->o->base = REG_OFFSET(none ? R_ZERO : base[rm]);
	d->o->index = REG_OFFSET(index[rm]);
	d->o->disp = mod == 1 ? (s32)next_signed(d, 1) : mod == 2 || none ? (s32)next_signed(d, 2) : 0;
	set_seg(d, !none && base[rm] == R_BP ? SEG_SS : SEG_DS);
}

static void modrm32(struct dec *d)
{
	unsigned mod = d->modrm >> 6, rm = d->modrm & 7, sib, base = rm | (d->rex & 1u) << 3;
	bool none = false;

	d->o->index = REG_OFFSET(R_ZERO);
	if (rm == 4) {
		sib = next8(d);
		base = (sib & 7) | (d->rex & 1u) << 3;
		if ((sib >> 3 & 7) != 4 || d->rex & 2)
			d->o->index = (u8)REG_OFFSET((sib >> 3 & 7) | (d->rex & 2) << 2);
		d->o->ea |= sib >> 6;
		none = mod == 0 && (sib & 7) == 5;
		base = none ? R_ZERO : base;
	} else if (mod == 0 && rm == 5) {
		none = true;
		base = long64(d) ? R_RIP : R_ZERO;
	}
	d->o->base = (u8)REG_OFFSET(base);
	d->o->disp = mod == 1 ? (s32)next_signed(d, 1) : mod == 2 || none ? (s32)next_signed(d, 4) : 0;
	set_seg(d, base == R_SP || base == R_BP ? SEG_SS : SEG_DS);
}

/* Registers: inline families want offsets, bodies numbers with 20..23 for AH..BH. */
static u8 reg_number(const struct dec *d, const struct x86_insn *r, unsigned n, unsigned size)
{
	bool high = size == 1 && !d->rex_seen && n >= 4 && n < 8 && !d->vex;

	if (r->kind == KIND_BODY)
		return (u8)(high ? 16 + n : n);
	return (u8)(high ? REG_OFFSET(n - 4) + 1 : REG_OFFSET(n));
}
static unsigned modrm_reg(const struct dec *d) { return (d->modrm >> 3 & 7) | (d->rex & 4) << 1; }
static unsigned modrm_rm(const struct dec *d) { return (d->modrm & 7) | (d->rex & 1) << 3; }

/* The E operand. For inline families a register goes to dst or src, for bodies to src. */
static void operand_e(struct dec *d, const struct x86_insn *r, bool is_dst, unsigned size)
{
	struct x86_op *o = d->o;

	if (d->modrm < 0xc0 && r->mod != CRREG) {
		d->mem = true;
		if (d->asize == 2)
			modrm16(d);
		else
			modrm32(d);
		return;
	}
	if (r->kind == KIND_BODY) {
		o->src = reg_number(d, r, modrm_rm(d), size);
		o->base = OP_REG;
	} else if (is_dst) {
		o->dst = reg_number(d, r, modrm_rm(d), size);
	} else {
		o->src = reg_number(d, r, modrm_rm(d), size);
	}
}

/* The G operand: always dst for bodies. */
static void operand_g(struct dec *d, const struct x86_insn *r, bool is_dst)
{
	u8 n = reg_number(d, r, modrm_reg(d), d->osize);

	if (r->kind == KIND_BODY || is_dst)
		d->o->dst = n;
	else
		d->o->src = n;
}

/* Vector operands: dst, src, and imm = imm8 | third register << 8. */
static void vector_operands(struct dec *d, const struct x86_insn *r)
{
	struct x86_op *o = d->o;
	unsigned g = modrm_reg(d), imm = 0, v = d->vvvv;
	bool store = r->form == FORM_EX || r->form == FORM_EXI;

	operand_e(d, r, store, 8);
	if (!d->mem) {
		o->base = OP_REG;
		set_seg(d, SEG_DS); /* MASKMOVDQU's rDI */
	}
	if (store)
		o->src = (u8)REG_OFFSET(g);
	else if (r->form == FORM_UI)
		o->dst = d->vex ? (u8)REG_OFFSET(d->vvvv) : o->src;
	else
		o->dst = (u8)REG_OFFSET(g);
	if (r->form == FORM_XEI || r->form == FORM_EXI || r->form == FORM_UI)
		imm = next8(d);
	else if (r->form == FORM_XEX) /* bits 7:4 name a register, bit 7 not outside 64-bit mode */
		imm = REG_OFFSET(next8(d) >> 4 & (long64(d) ? 15 : 7));
	else if (r->form == FORM_XEII)
		imm = (unsigned)next_n(d, 2), imm = (imm & 0xff) | (imm & 0xff00) << 8;
	else if (r->form == FORM_VSIB && o->index == REG_OFFSET(R_ZERO)) /* every index is a register */
		o->index = REG_OFFSET(4);
	if (!d->vex)
		v = o->dst >> 3;
	o->imm = (s32)(imm | REG_OFFSET(v) << 8 | (u32)d->wide << 24);
}

static void immediate(struct dec *d, unsigned size) { d->o->imm = (s32)next_signed(d, size > 4 ? 4 : size); }

static void operands(struct dec *d, const struct x86_insn *r)
{
	struct x86_op *o = d->o;
	unsigned low = (d->opcode & 7u) | (d->rex & 1u) << 3;

	switch ((enum insn_form)r->form) {
	case FORM_XE:
	case FORM_XEI:
	case FORM_EX:
	case FORM_EXI:
	case FORM_UI:
	case FORM_XEX:
	case FORM_XEII:
	case FORM_VSIB: vector_operands(d, r); break;
	case FORM_NOP: break;
	case FORM_EG:
	case FORM_EGr: operand_g(d, r, false); operand_e(d, r, true, d->osize); break;
	case FORM_EGI: operand_g(d, r, false); operand_e(d, r, true, d->osize); immediate(d, 1); break;
	case FORM_GE: operand_g(d, r, true); operand_e(d, r, false, d->osize); break;
	case FORM_GE8: operand_g(d, r, true); operand_e(d, r, false, 1); break;
	case FORM_GE16: operand_g(d, r, true); operand_e(d, r, false, 2); break;
	case FORM_GErDI: operand_g(d, r, true); operand_e(d, r, false, d->osize); set_seg(d, SEG_DS); break;
	case FORM_GEI: operand_g(d, r, true); operand_e(d, r, false, d->osize); immediate(d, d->osize); break;
	case FORM_GEIb: operand_g(d, r, true); operand_e(d, r, false, d->osize); immediate(d, 1); break;
	case FORM_GEIu: operand_g(d, r, true); operand_e(d, r, false, d->osize); o->imm = next8(d); break;
	case FORM_GVE: operand_g(d, r, true); operand_e(d, r, false, d->osize); o->imm = d->vvvv; break;
	case FORM_VE: operand_e(d, r, false, d->osize); o->imm = d->vvvv; break;
	case FORM_E: operand_e(d, r, true, d->osize); break;
	case FORM_EI: operand_e(d, r, true, d->osize); immediate(d, d->osize); break;
	case FORM_EIb: operand_e(d, r, true, d->osize); immediate(d, 1); break;
	case FORM_EIu: operand_e(d, r, true, d->osize); o->imm = next8(d); break;
	case FORM_E1: operand_e(d, r, true, d->osize); o->imm = 1; break;
	case FORM_EGC: o->dst = (u8)modrm_reg(d); operand_e(d, r, true, d->osize); break;
	case FORM_ES: o->dst = d->modrm >> 3 & 7; operand_e(d, r, false, d->osize); break;
	case FORM_AI: o->dst = 0; immediate(d, d->osize); break;
	case FORM_O: o->dst = reg_number(d, r, low, d->osize); break;
	case FORM_AO: o->dst = 0; o->src = reg_number(d, r, low, d->osize); break;
	case FORM_OI: o->dst = reg_number(d, r, low, d->osize); o->imm64 = next_n(d, d->osize); break;
	case FORM_AM:
	case FORM_MA:
		d->mem = true;
		o->base = o->index = REG_OFFSET(R_ZERO);
		o->imm64 = next_n(d, d->asize);
		set_seg(d, SEG_DS);
		break;
	case FORM_Ap: o->imm64 = next_n(d, d->osize); o->imm64 |= next_n(d, 2) << 32; break;
	case FORM_Iz: immediate(d, d->osize); break;
	case FORM_Ib: immediate(d, 1); break;
	case FORM_Iu: o->imm = next8(d); break;
	case FORM_Iw: o->imm = (s32)next_n(d, 2); break;
	case FORM_IwIb: o->imm = (s32)next_n(d, 2); o->imm |= next8(d) << 16; break;
	case FORM_Jb:
	case FORM_Jb0:
	case FORM_Jb1:
	case FORM_Jb2:
	case FORM_Jb3:
		o->dst = (u8)(r->form > FORM_Jb ? r->form - FORM_Jb0 : 0);
		immediate(d, 1);
		break;
	case FORM_Jz: immediate(d, d->osize); break;
	case FORM_STR: set_seg(d, SEG_DS); break;
	case FORM_SEG0: case FORM_SEG1: case FORM_SEG2: case FORM_SEG3: case FORM_SEG4: case FORM_SEG5:
		o->dst = (u8)(r->form - FORM_SEG0);
		break;
	case FORM_GESEG0: case FORM_GESEG2: case FORM_GESEG3: case FORM_GESEG4: case FORM_GESEG5:
		operand_g(d, r, true);
		operand_e(d, r, false, d->osize);
		o->imm = r->form == FORM_GESEG0 ? SEG_ES : (s32)(r->form - FORM_GESEG2 + SEG_SS);
		break;
	}
}

static u8 log2_size(unsigned size) { return size == 8 ? 3 : size == 4 ? 2 : size == 2 ? 1 : 0; }

/* An absolute offset becomes a displacement when it fits (below 64 bits it always does: the sum is masked). */
static bool moffs_fits(const struct dec *d) { return d->asize < 8 || (u64)(s64)(s32)d->o->imm64 == d->o->imm64; }

/* imm: what the FPU's instruction pointer and opcode become. APM2 11.4.4 */
static void bind_x87(struct dec *d, enum am am)
{
	struct x86_op *o = d->o;
	unsigned op = d->opcode & 7;

	o->imm = (s32)(d->offset | op << 24 | (u32)d->modrm << 16);
	o->exec = d->mem ? x86_x87_mem[op][d->modrm >> 3 & 7][am] : x86_x87_reg[op][d->modrm - 0xc0];
	o->slow = d->mem ? x86_x87_mem[op][d->modrm >> 3 & 7][AM_SLOW] : NULL;
}

/* 64-bit flat memory goes inline where the family has that; SIMD exceptions that are not masked are looked for op by op. */
static void bind_vector(struct dec *d, const struct x86_insn *r, bool flat)
{
	const struct x86_vec *f = r->vec;
	struct x86_op *o = d->o;
	unsigned cls = d->vex + d->vex_l;

	if (d->mem) {
		o->slow = f->any[cls] ? f->any[cls] : x86_vec_load_any;
		o->exec = flat && f->mem[cls] ? f->mem[cls] : o->slow;
	} else {
		o->exec = f->reg[cls];
	}
	if (r->flags & FPX && d->c->mode & MODE_XM && !(d->mem && f->any[cls])) /* VCVTPS2PH looks itself */
		o->exec = x86_vec_checked;
}

static void bind(struct dec *d, const struct x86_insn *r)
{
	struct x86_op *o = d->o;
	unsigned w = log2_size(d->osize);
	bool flat = long64(d) && op_seg(o) != SEG_FS && op_seg(o) != SEG_GS && d->asize == 8;
	const struct x86_family *f = r->kind == KIND_CC ? r->by_cc[d->opcode & 15] : r->family;

	if ((r->form == FORM_AM || r->form == FORM_MA) && !moffs_fits(d)) {
		o->exec = x86_exec_body;
		o->slow = (x86_fn *)(void *)(r->form == FORM_AM ? x86i_moffs_load : x86i_moffs_store);
		return;
	}
	if (r->flags & SSE && d->c->mode & (d->vex ? MODE_NO_AVX : MODE_NO_SSE)) {
		o->exec = x86_exec_body;
		o->slow = (x86_fn *)(void *)x86i_vec_off;
		return;
	}
	switch ((enum insn_kind)r->kind) {
	case KIND_FAM:
	case KIND_CC:
		o->exec = d->mem ? f->mem[w][!flat ? AM_S : o->index == REG_OFFSET(R_ZERO) ? AM_B : AM_L] : f->reg[w];
		o->slow = d->mem ? f->mem[w][AM_SLOW] : NULL;
		break;
	case KIND_STK:
		flat &= d->osize == 8;
		o->exec = f->mem[w][flat ? AM_L : AM_S];
		o->slow = f->mem[w][AM_SLOW];
		break;
	case KIND_REL: o->exec = f->mem[w][long64(d) && d->osize == 8 ? AM_L : AM_S]; break;
	case KIND_JCC: o->exec = x86_jcc[!(long64(d) && d->osize == 8)][d->opcode & 15]; break;
	case KIND_BODY:
		o->exec = r->flags & END ? x86_exec_body_end : x86_exec_body;
		o->slow = (x86_fn *)(void *)r->body;
		break;
	case KIND_STRING:
		o->exec = x86_exec_string;
		o->slow = (x86_fn *)(void *)r->string;
		break;
	case KIND_X87: bind_x87(d, !flat ? AM_S : o->index == REG_OFFSET(R_ZERO) ? AM_B : AM_L); break;
	case KIND_VEC: bind_vector(d, r, flat); break;
	}
}

/* Displacements that the op measures from the block's start. False: out of the op's reach. */
static bool rebase(struct dec *d, const struct x86_insn *r)
{
	struct x86_op *o = d->o;
	s64 next = (s64)d->offset + d->at, v;

	if (r->form == FORM_AM || r->form == FORM_MA) {
		if (moffs_fits(d))
			o->imm64 &= 0xffffffff; /* disp; imm = 0 */
		return true;
	}
	if (d->mem && o->base == REG_OFFSET(R_RIP)) {
		v = o->disp + next;
		if (v != (s32)v)
			return false;
		o->disp = (s32)v;
	}
	if (r->form >= FORM_Jb && r->form <= FORM_Jb3) {
		v = o->imm + next;
		if (v != (s32)v)
			return false;
		o->imm = (s32)v;
		o->disp = (s32)next;
	} else if (r->kind == KIND_STK && r->flags & BR && r->form == FORM_E) {
		o->imm = (s32)next; /* return address of an indirect call */
	}
	return true;
}

/* An op that raises the rule's exception instead of executing. */
static void refuse(struct dec *d, enum x86_rule rule)
{
	*d->o = (struct x86_op){.exec = x86_exec_body_end, .slow = (x86_fn *)(void *)x86i_refused, .imm = (s32)rule, .id = X86_END};
	d->o->base = OP_REG;
}

/* Gathers: an index register there must be, and destination, index and mask must be three. APM4 VGATHERDPS */
static bool vsib_wrong(const struct dec *d)
{
	const struct x86_op *o = d->o;

	return d->asize == 2 || (d->modrm & 7) != 4 || o->dst == o->index || o->dst == op_vvvv(o) || o->index == op_vvvv(o);
}

static enum x86_rule check(const struct dec *d, const struct x86_insn *r)
{
	if (d->lock && !(r->flags & LK && d->mem) && !(r->flags & CRLOCK && modrm_reg(d) == 0 && x86_has(d->c->model, X86_F_CR8LEGACY)))
		return RULE_UD_LOCK;
	if (!x86_has(d->c->model, r->feature) && r->feature != X86_F_NONE)
		return RULE_UD_FEATURE;
	if (r->flags & PEONLY && !x86_protected(d->c))
		return RULE_UD_MODE;
	if (r->form == FORM_VSIB && vsib_wrong(d))
		return RULE_UD_OPERAND;
	if (d->vex && r->form != FORM_GVE && r->form != FORM_VE && !(r->flags & NDS) && d->vvvv != 0)
		return RULE_UD_OPERAND;
	return RULE_NONE;
}

static enum decode_result finish(struct dec *d, struct x86_decoded *out, const struct x86_insn *row, enum x86_rule rule)
{
	if (d->too_long) {
		refuse(d, RULE_GP_LENGTH);
		out->row = NULL;
	} else if (d->more) {
		return DECODE_MORE;
	} else if (rule != RULE_NONE) {
		refuse(d, rule);
		out->row = NULL;
	} else {
		out->row = row;
		d->o->id = (u16)(row - x86_insns);
	}
	out->memory = d->mem && !(row && row->flags & NOMEM);
	d->o->ea |= (u8)(log2_size(d->asize) - 1) << 5 | (d->rep ? 0x80 : 0);
	d->o->len = (u8)((d->at ? d->at : 1) | (row && row->kind == KIND_VEC ? d->vex + d->vex_l : log2_size(d->osize)) << 6);
	return DECODE_OK;
}

enum decode_result x86_decode(struct x86_cpu *c, const u8 *bytes, unsigned n, unsigned offset, struct x86_op *o, struct x86_decoded *out)
{
	struct dec d = {.c = c, .p = bytes, .n = n, .seg = -1, .offset = offset, .o = o, .asize = 2, .osize = 1};
	const struct x86_insn *r = NULL;
	enum x86_rule rule = RULE_NONE;

	if (unlikely(!rows_ready))
		prepare_rows();
	*o = (struct x86_op){.base = REG_OFFSET(R_ZERO), .index = REG_OFFSET(R_ZERO)};
	prefixes(&d);
	if (!d.more && !d.too_long && !opcode_map(&d))
		rule = RULE_UD_OPCODE;
	if (!d.more && !d.too_long && rule == RULE_NONE) {
		r = find_row(&d);
		if (!r && !d.more)
			rule = RULE_UD_OPCODE;
	}
	if (!r)
		return finish(&d, out, NULL, rule);
	sizes(&d, r);
	operands(&d, r);
	if (d.more || d.too_long)
		return finish(&d, out, r, RULE_NONE);
	rule = check(&d, r);
	/* AltMovCr8: LOCK MOV CR0 means CR8. APM3 MOV CRn */
	if (d.lock && r->flags & CRLOCK)
		o->dst = 8;
	if (rule == RULE_NONE) {
		bind(&d, r);
		if (!rebase(&d, r))
			rule = RULE_UD_REACH;
	}
	/* F2h and F3h tell REPNE from REPE in the string handlers: dst = the prefix. */
	if (r->kind == KIND_STRING)
		o->dst = d.rep;
	return finish(&d, out, r, rule);
}
