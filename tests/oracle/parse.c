/*
 * The second look-up: from bytes to a row of the table, written without a look at src/cpu_x86/decode.c. It stops at the
 * ModRM byte. APM3 1.2.
 */
#include "rows.h"

struct cursor {
	const u8 *p;
	unsigned n, at;
	bool short_of; /* bytes ran out */
};

static u8 get(struct cursor *k)
{
	if (k->at >= k->n) {
		k->short_of = true;
		return 0;
	}
	return k->p[k->at++];
}

static bool legacy_prefix(u8 b, struct parsed *p)
{
	switch (b) {
	case 0x66: p->p66 = true; return true;
	case 0x67: p->p67 = true; return true;
	case 0xf0: p->lock = true; return true;
	case 0xf2:
	case 0xf3: p->rep = b; return true;
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0x64:
	case 0x65: return true;
	default: return false;
	}
}

static u8 parse_prefixes(struct cursor *k, unsigned bits, struct parsed *p)
{
	for (;;) {
		u8 b = get(k);

		if (k->short_of)
			return 0;
		if (legacy_prefix(b, p)) {
			p->rex_seen = p->wide = false;
			p->rex = 0;
		} else if (bits == 64 && b >> 4 == 4) {
			p->rex_seen = true;
			p->wide = b & 8;
			p->rex = b & 7;
		} else {
			p->nprefix = (u8)(k->at - 1);
			return b;
		}
	}
}

/* C4 and C5. Legacy modes: VEX only where LES and LDS would have a register operand. */
static bool parse_vex(struct cursor *k, unsigned bits, u8 first, struct parsed *p)
{
	static const u8 maps[32] = {[0] = MAPS, [1] = V0F, [2] = V38, [3] = V3A};
	u8 b1 = get(k), last = b1;

	if (k->short_of || (bits != 64 && b1 < 0xc0)) {
		k->at -= !k->short_of;
		return false;
	}
	p->vex = true;
	p->map = V0F;
	if (first == 0xc4) {
		last = get(k);
		p->map = (b1 & 31) <= 3 ? maps[b1 & 31] : MAPS;
		p->vex_w = last & 0x80;
		p->wide = p->vex_w && bits == 64;
		p->rex = bits == 64 ? (u8)(~b1 >> 5 & 7) : 0;
	} else {
		p->rex = bits == 64 ? (u8)(~b1 >> 5 & 4) : 0;
	}
	p->vex_l = last & 4;
	p->p66 = (last & 3) == 1;
	p->rep = (last & 3) == 2 ? 0xf3 : (last & 3) == 3 ? 0xf2 : 0;
	p->opcode = get(k);
	return true;
}

static void parse_opcode(struct cursor *k, unsigned bits, u8 first, struct parsed *p)
{
	p->map = M1;
	p->opcode = first;
	if ((first & 0xfe) == 0xc4 && parse_vex(k, bits, first, p))
		return;
	if (first != 0x0f)
		return;
	p->map = M0F;
	p->opcode = get(k);
	if (p->opcode == 0x38 || p->opcode == 0x3a) {
		p->map = p->opcode == 0x38 ? M38 : M3A;
		p->opcode = get(k);
	}
}

static bool prefix_matches(const struct x86_insn *r, const struct parsed *p)
{
	switch (r->prefix) {
	case P_NP: return !p->p66 && !p->rep;
	case P_NOREP: return !p->rep;
	case P_66: return p->p66 && !p->rep;
	case P_F3: return p->rep == 0xf3;
	case P_F2: return p->rep == 0xf2;
	default: return true;
	}
}

static bool modrm_matches(const struct x86_insn *r, u8 m)
{
	bool reg = m >= 0xc0;

	if (r->mod == NOMODRM)
		return true;
	if (r->reg >= 0 && r->reg != (m >> 3 & 7))
		return false;
	switch (r->mod) {
	case MEM: return !reg;
	case REG: return reg;
	case ANY:
	case CRREG: return true;
	default: return reg && (m & 7) == r->mod - RM0;
	}
}

static bool row_matches(const struct x86_insn *r, unsigned bits, const u8 has[X86_F_COUNT], const struct parsed *p)
{
	if (r->mode == (bits == 64 ? NO64 : O64) || !prefix_matches(r, p))
		return false;
	if ((r->flags & NOREXB && p->rex & 1) || (r->flags & REXW && !p->wide))
		return false;
	if ((r == &x86_insns[X86_TZCNT] || r == &x86_insns[X86_LZCNT]) && !has[r->feature])
		return false;
	return modrm_matches(r, p->modrm);
}

/* VEX.L and VEX.W as the row wants them. Rows of general registers take any W, and only L = 0. */
static bool vex_matches(const struct x86_insn *r, const struct parsed *p)
{
	bool l_wrong = p->vex_l ? !(r->flags & SSE) || r->flags & L0 : r->flags & L1;
	bool w_wrong = p->vex_w ? r->flags & W0 : r->flags & W1;

	return !p->vex || (!l_wrong && !w_wrong);
}

static void sizes(unsigned bits, struct parsed *p)
{
	unsigned v = bits == 64 ? (p->wide ? 8 : p->p66 ? 2 : 4) : (bits == 32) != p->p66 ? 4 : 2;

	p->asize = (u8)(bits == 64 ? (p->p67 ? 4 : 8) : (bits == 32) != p->p67 ? 4 : 2);
	switch (p->row ? (enum insn_size)p->row->size : SV) {
	case SB: v = 1; break;
	case SW: v = 2; break;
	case SV: break;
	case SV64: v = bits != 64 ? v : p->p66 && !p->wide ? 2 : 8; break;
	case SZ: v = v == 8 ? 4 : v; break;
	case SY: v = p->wide ? 8 : 4; break;
	case SC:
	case SV64F: v = bits == 64 ? 8 : 4; break;
	case SX2: v = 2; break;
	case SX4: v = 4; break;
	case SX8: v = 8; break;
	case SXT: v = 10; break;
	default: v = vec_size(p->row, p->vex_l); break;
	}
	p->osize = (u8)v;
}

/* Rows of each map and opcode in the table's order, as a list of numbers ended by X86_IDS. */
static u16 *lists_of[MAPS][256];

static void prepare(void)
{
	static u16 lists[MAPS * 256 + X86_IDS * 16];
	u16 *w = lists;

	for (unsigned map = 0; map < MAPS; map++)
		for (unsigned op = 0; op < 256; op++) {
			lists_of[map][op] = w;
			for (unsigned i = 0; i < X86_IDS; i++) {
				const struct x86_insn *r = &x86_insns[i];
				unsigned n = r->flags & OP16 ? 16 : r->flags & OP8 ? 8 : 1;

				if (r->map == map && op - r->opcode < n)
					*w++ = (u16)i;
			}
			*w++ = X86_IDS;
		}
}

static const struct x86_insn *find(unsigned bits, const u8 has[X86_F_COUNT], const struct parsed *p)
{
	if (p->map >= MAPS)
		return NULL;
	if (!lists_of[0][0])
		prepare();
	for (const u16 *i = lists_of[p->map][p->opcode]; *i != X86_IDS; i++)
		if (row_matches(&x86_insns[*i], bits, has, p) && vex_matches(&x86_insns[*i], p))
			return &x86_insns[*i];
	return NULL;
}

bool row_parse(const u8 *bytes, unsigned n, unsigned bits, const u8 has[X86_F_COUNT], struct parsed *p)
{
	struct cursor k = {bytes, n, 0, false};
	u8 first;

	*p = (struct parsed){0};
	first = parse_prefixes(&k, bits, p);
	if (!k.short_of)
		parse_opcode(&k, bits, first, p);
	if (k.short_of)
		return false;
	p->modrm = k.at < n ? bytes[k.at] : 0;
	p->row = find(bits, has, p);
	if (p->row && p->row->mod != NOMODRM) {
		if (k.at >= n)
			return false;
		p->mem = p->row->mod != CRREG && p->modrm < 0xc0;
	} else if (!p->row) {
		p->mem = p->modrm < 0xc0;
	}
	sizes(bits, p);
	return true;
}
