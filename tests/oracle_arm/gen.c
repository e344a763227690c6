/*
 * Cases: the row's fixed bits and random ones, then what would be unpredictable (DDI0100's pages) or differs on QEMU by design is taken out: QEMU
 * has no rotation of unaligned words, and stores r15 as + 8.
 */
#include "gen.h"

u32 random_u32(struct rng *g)
{
	g->s ^= g->s << 13;
	g->s ^= g->s >> 7;
	g->s ^= g->s << 17;
	return (u32)(g->s * 0x2545f4914f6cdd1dull >> 32);
}

/* Values at which arithmetic turns, often. */
static u32 operand(struct rng *g)
{
	static const u32 edge[] = {0, 1, 2, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff, 31, 32, 33, 0x80008000,
	                           0x7fff7fff, 0x100, 0xff};

	switch (random_to(g, 4)) {
	case 0: return edge[random_to(g, ARRAY_SIZE(edge))];
	case 1: return (u32)sign_extend(random_u32(g), 1 + random_to(g, 32));
	default: return random_u32(g);
	}
}

/* Bits of singles, or halves of doubles, at which arithmetic turns. */
static u32 float_bits(struct rng *g)
{
	static const u32 edge[] = {0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc12345, 0x7f800001, 0xff812345, 0x00000001, 0x80000001,
	                           0x007fffff, 0x00800000, 0x80800000, 0x00800001, 0x7f7fffff, 0xff7fffff, 0x4f000000, 0xcf000000, 0x4f800000, 0x3effffff, 0x3f000000,
	                           0x7ff00000, 0xfff00000, 0x7ff80000, 0x7ff00001, 0x00100000, 0x80100000, 0x000fffff, 0x3ff00000, 0xbff00000, 0x7fefffff, 0x41e00000,
	                           0xc1e00000, 0x41efffff, 0x36a00000, 0x38100000, 0x380fffff, 0x47efffff};

	switch (random_to(g, 4)) {
	case 0: return edge[random_to(g, ARRAY_SIZE(edge))];
	case 1: return (random_u32(g) & 0x807fffff) | (random_to(g, 40) + 0x6c) << 23; /* near 1 */
	case 2: return (random_u32(g) & 0x800fffff) | (random_to(g, 80) + 0x3d8) << 20;
	default: return random_u32(g);
	}
}

static void start(struct rng *g, enum arm_id id, struct arm_case *k)
{
	memset(k, 0, sizeof *k);
	k->id = id;
	k->user = random_to(g, 2);
	for (unsigned i = 0; i < 15; i++)
		k->r[i] = operand(g);
	for (unsigned i = 0; i < 32; i++)
		k->s[i] = float_bits(g);
	k->fpscr = (random_u32(g) & 0xf0c0009f) | (random_to(g, 4) ? 0 : random_u32(g) & 0x03000000); /* rounding; sometimes FZ, DN */
	k->flags = random_u32(g) & (PSR_NZCV | PSR_Q);
	for (unsigned i = 0; i < SPAN; i += 4)
		store_le(k->memory + i, 4, operand(g));
}

static void add(struct arm_case *k, u32 w) { k->code[k->n++] = w; }

const char *gen_excuse(enum arm_id id)
{
	switch (id) {
	case ARM_ID_SWI:
	case ARM_ID_BKPT:
	case ARM_ID_T_SWI:
	case ARM_ID_T_BKPT: return "test_arm_cpu: exceptions";
	case ARM_ID_LDM_RETURN: return "test_arm_cpu: exceptions";
	case ARM_ID_BXJ: return "test_arm_cpu: as BX"; /* Unicorn's ARM926 has none */
	case ARM_ID_MCR:
	case ARM_ID_MRC: return "test_arm_mmu: CP15";
	default: return NULL;
	}
}

#define RD(w) ((w) >> 12 & 15)
#define RN(w) ((w) >> 16 & 15)
#define RS(w) ((w) >> 8 & 15)
#define RM(w) ((w)&15)

static u32 address(struct rng *g) { return DATA + 0x180 + random_to(g, 0x80 / 8) * 8; }

/* A register's value which, shifted as the encoding says, is small. */
static u32 unshifted(struct rng *g, u32 w, u32 small)
{
	u32 n = w >> 7 & 31;

	(void)g;
	switch (w >> 5 & 3) {
	case 0: return n < 24 ? small >> n : 0;
	case 3: return n ? small << n | small >> (32 - n) : small << 1;
	default: return n && n < 24 ? small << n : 0;
	}
}

static bool data_processing(u32 w)
{
	u32 op = w >> 21 & 15;
	bool s = w >> 20 & 1, by_register = !(w >> 25 & 1) && w >> 4 & 1, test = op >= 8 && op <= 11;

	if (by_register && (RD(w) == 15 || RN(w) == 15 || RS(w) == 15 || RM(w) == 15))
		return false;
	if (test)
		return s && RD(w) == 0;
	return RD(w) != 15 || !s;
}

/* Where r15 is loaded from: no addresses of half an ARM instruction. */
static void make_targets(struct arm_case *k)
{
	for (unsigned i = 0; i < SPAN; i += 4)
		k->memory[i] &= k->memory[i] & 1 ? 0xff : 0xfc;
}

/* One register: the base into DATA, the offset small and aligned: doublewords' by 8. */
static bool load_store(struct rng *g, u32 *w, struct arm_case *k, bool extra)
{
	bool back = !(*w >> 24 & 1) || *w >> 21 & 1, load = *w >> 20 & 1, byte = !extra && *w >> 22 & 1;
	bool immediate = extra ? *w >> 22 & 1 : !(*w >> 25 & 1);

	if (extra && !immediate)
		*w &= ~0xf00u;
	if (extra && !(*w >> 24 & 1) && *w >> 21 & 1)
		return false; /* post-indexed with W */
	if (RN(*w) == 15 && (back || !immediate || !(*w >> 23 & 1)))
		return false;
	if (RN(*w) == RD(*w) && back)
		return false;
	if (RD(*w) == 15 && (!load || extra || byte || !(*w >> 24 & 1)))
		return false;
	if (extra) {
		*w &= immediate ? ~0xf07u : ~0u; /* below 8, and a multiple of 8 */
		if ((load || (*w >> 5 & 3) == 1) && (*w >> 5 & 3) != 2 && immediate)
			*w |= random_to(g, 4) * 2;
	} else if (immediate) {
		*w = (*w & ~0xfffu) | (random_to(g, 0x40) << (byte ? 0 : 2));
	}
	if (RN(*w) != 15)
		k->r[RN(*w)] = address(g);
	if (!immediate) {
		u32 small = random_to(g, 8) * 8;

		if (RM(*w) == 15 || RM(*w) == RN(*w))
			return false;
		k->r[RM(*w)] = extra ? small : unshifted(g, *w, small);
		if (!extra && (*w >> 5 & 3) == 3 && !(*w >> 7 & 31))
			k->flags &= ~(u32)PSR_C; /* RRX */
	}
	if (RD(*w) == 15 && RN(*w) == 15)
		return false;
	if (RD(*w) == 15)
		make_targets(k);
	return true;
}

static bool doubleword(struct rng *g, u32 *w, struct arm_case *k)
{
	bool back = !(*w >> 24 & 1) || *w >> 21 & 1;

	*w &= ~0x1000u;
	if (RD(*w) == 14 || RN(*w) == 15 || (back && (RN(*w) & ~1u) == RD(*w)))
		return false;
	if (!(*w >> 22 & 1) && (RM(*w) & ~1u) == RD(*w))
		return false;
	return load_store(g, w, k, true);
}

static bool multiple(struct rng *g, u32 *w, struct arm_case *k)
{
	bool back = *w >> 21 & 1, load = *w >> 20 & 1, base_in = *w >> RN(*w) & 1;

	if (!(*w & 0xffff) || RN(*w) == 15 || (!load && *w >> 15 & 1))
		return false;
	if (back && base_in && (load || *w & ((1u << RN(*w)) - 1)))
		return false;
	k->r[RN(*w)] = address(g);
	if (load && *w >> 15 & 1)
		make_targets(k);
	return true;
}

static bool status(struct arm_case *k, enum arm_id id, u32 *w)
{
	bool spsr = *w >> 22 & 1;

	if (spsr)
		return false; /* QEMU's API does not show it: test_arm_cpu */
	if (id == ARM_ID_MRS) {
		*w = (*w & ~0xf0fffu) | 0xf0000;
		return RD(*w) != 15;
	}
	*w |= 0xf000;
	if (id == ARM_ID_MSR) {
		*w &= ~0xf00u;
		if (RM(*w) == 15)
			return false;
		if (*w >> 16 & 1 && !k->user) /* a mode that exists; the state does not change */
			k->r[RM(*w)] = (k->r[RM(*w)] & ~0xffu) | (k->r[RM(*w)] & 1 ? 0xd3 : 0xdf);
		if (*w >> 19 & 1)
			k->r[RM(*w)] &= ~0x01000000u; /* not J */
		return true;
	}
	*w &= ~0x10000u; /* no control field */
	if (!(*w & 0xf0000))
		return false; /* no field at all: hints, for later architectures */
	if (*w >> 19 & 1 && (*w & 0xf00) == 0x400)
		*w &= ~1u; /* not J: imm8 rotated to 31:24 */
	return (*w & 0xf00) == 0x400 || !(*w >> 19 & 1) || (*w & 0xf00) == 0x200;
}

/* Vectors sometimes; loads and stores around DATA. */
static bool vfp(struct rng *g, enum arm_id id, u32 *w, struct arm_case *k)
{
	bool system = id == ARM_ID_FMXR || id == ARM_ID_FMRX;

	/* QEMU of this age writes wrong registers in vectors of doubles with one operand. */
	if (random_to(g, 3) == 0 && id < (*w >> 8 & 1 ? ARM_ID_FCPY : ARM_ID_FCMP)) {
		u32 len = random_to(g, *w >> 8 & 1 ? 4 : 8), wide = *w >> 8 & 1 && len < 2 && random_to(g, 2); /* QEMU's stride of singles is 4 */

		k->fpscr |= len << 16 | (wide ? 3u << 20 : 0);
	}
	if (id >= ARM_ID_FMSR && id <= ARM_ID_FMRX)
		*w &= ~0x6fu & (system ? ~0x80u : ~0u);
	if (system) {
		*w = (*w & ~0xf0000u) | 0x10000; /* FPSCR */
		if (id == ARM_ID_FMXR)
			k->r[RD(*w)] &= 0xf3c0009f;
		return id == ARM_ID_FMRX || RD(*w) != 15;
	}
	if (id == ARM_ID_FCMPZ || id == ARM_ID_FCMPEZ)
		*w &= ~0x2fu;
	if (id >= ARM_ID_FSTM_IA)
		*w = (*w & ~0xffu) | random_to(g, 34);
	if (id >= ARM_ID_FST) {
		if (id < ARM_ID_FSTM_IA)
			*w &= ~0xe0u;
		if (RN(*w) == 15)
			return false;
		k->r[RN(*w)] = address(g);
	}
	if (id >= ARM_ID_FMSRR && id < ARM_ID_FST && RD(*w) == RN(*w))
		return false;
	return arm_vfp_valid(id, *w, ARM_MODE_VFP);
}

static bool arm_row(struct rng *g, enum arm_id id, u32 *w, struct arm_case *k)
{
	switch (arm_insns[id].class) {
	case CLASS_DP:
		if (*w >> 21 & 8 && !(*w >> 21 & 4))
			*w = (*w & ~0xf000u) | 1u << 20;
		if (arm_insns[id].value >> 21 == DP_MOV || arm_insns[id].value >> 21 == DP_MVN)
			*w &= ~0xf0000u;
		return data_processing(*w);
	case CLASS_MUL:
		if (id == ARM_ID_MUL)
			*w &= ~0xf000u;
		return RD(*w) != 15 && RN(*w) != 15 && RS(*w) != 15 && RM(*w) != 15 && RN(*w) != RM(*w) && (id <= ARM_ID_MLA || (RD(*w) != RN(*w) && RD(*w) != RM(*w)));
	case CLASS_DSP:
		if (id < ARM_ID_SMLA)
			*w &= ~0xf00u;
		if (id == ARM_ID_SMULW || id == ARM_ID_SMUL)
			*w &= ~0xf000u;
		return RD(*w) != 15 && RN(*w) != 15 && RS(*w) != 15 && RM(*w) != 15 && (id != ARM_ID_SMLAL_H || RD(*w) != RN(*w));
	case CLASS_CLZ: *w |= 0xf0f00; return RD(*w) != 15 && RM(*w) != 15;
	case CLASS_SWP:
		*w &= ~0xf00u;
		k->r[RN(*w)] = address(g);
		return RD(*w) != 15 && RN(*w) != 15 && RM(*w) != 15 && RN(*w) != RM(*w) && RN(*w) != RD(*w);
	case CLASS_USER: return RN(*w) != 15 && RD(*w) != 15 && load_store(g, w, k, false);
	case CLASS_LDST: return load_store(g, w, k, false);
	case CLASS_EXTRA: return id == ARM_ID_LDRD || id == ARM_ID_STRD ? doubleword(g, w, k) : load_store(g, w, k, true);
	case CLASS_MULTI: return multiple(g, w, k);
	case CLASS_MULTI_USER:
		k->user = false;
		*w &= ~(1u << 21 | 0x8000u);
		return multiple(g, w, k) && (id == ARM_ID_STM_USER || !(*w & 0x1f00));
	case CLASS_MRS:
	case CLASS_MSR: return status(k, id, w);
	case CLASS_BX:
		*w |= 0xfff00;
		k->r[RM(*w)] &= k->r[RM(*w)] & 1 ? ~0u : ~3u;
		return RM(*w) != 15;
	case CLASS_B: return true;
	case CLASS_BLX:
	case CLASS_NOP: return true;
	case CLASS_VFP: return vfp(g, id, w, k);
	case CLASS_COPROCESSOR: return RS(*w) != 15 && RS(*w) != 14 && RS(*w) != 10 && RS(*w) != 11;
	case CLASS_UNDEFINED: return true;
	default: return false;
	}
}

static bool gen_arm(struct rng *g, enum arm_id id, struct arm_case *k)
{
	const struct arm_insn *row = &arm_insns[id];
	u32 w = row->value | (random_u32(g) & ~row->mask);

	if (row->mask >> 28 == 0)
		w = (w & 0x0fffffff) | (random_to(g, 4) ? 14u : random_to(g, 15)) << 28;
	else if (id == ARM_ID_UNDEFINED_N)
		w = 0xf0000000 | (w & 0x00ffffff) | random_to(g, 4) << 24; /* advanced SIMD's place: Undefined before ARMv7 */
	if (id == ARM_ID_PLD)
		w = (w & ~0xf0000u) | random_to(g, 15) << 16;
	if (!arm_row(g, id, &w, k) || arm_find(w, false) != id)
		return false;
	add(k, w);
	if (id == ARM_ID_LDM_USER) /* show the user bank */
		add(k, 0xe8c06000 | RN(w) << 16);
	return id != ARM_ID_LDM_USER || !(w >> RN(w) & 1);
}

/* ---- Thumb ---- */

static bool thumb_memory(struct rng *g, enum arm_id id, u32 w, struct arm_case *k)
{
	u32 rn = w >> 3 & 7, rm = w >> 6 & 7;

	k->r[rn] = address(g);
	if (id <= ARM_ID_T_LDRSH) {
		if (rm == rn)
			return false;
		k->r[rm] = random_to(g, 16) * 4;
	}
	return true;
}

static bool thumb_row(struct rng *g, enum arm_id id, u32 *w, struct arm_case *k)
{
	u32 hd = (*w & 7) | (*w >> 4 & 8), hm = *w >> 3 & 15, r8 = *w >> 8 & 7;

	switch (id) {
	case ARM_ID_T_ADD_H:
	case ARM_ID_T_CMP_H:
	case ARM_ID_T_MOV_H: return (hd > 7 || hm > 7) && !(id == ARM_ID_T_CMP_H && hd == 15);
	case ARM_ID_T_BX:
	case ARM_ID_T_BLX_R:
		*w &= ~7u;
		if (hm != 15)
			k->r[hm] &= k->r[hm] & 1 ? ~0u : ~3u;
		return hm != 15;
	case ARM_ID_T_LDR_SP:
	case ARM_ID_T_STR_SP:
	case ARM_ID_T_PUSH:
	case ARM_ID_T_POP:
		k->r[13] = address(g);
		if (id == ARM_ID_T_POP && *w >> 8 & 1)
			make_targets(k);
		return (id != ARM_ID_T_PUSH && id != ARM_ID_T_POP) || *w & 0x1ff;
	case ARM_ID_T_STMIA:
	case ARM_ID_T_LDMIA:
		k->r[r8] = address(g);
		return *w & 0xff && !(id == ARM_ID_T_STMIA && *w >> r8 & 1 && *w & ((1u << r8) - 1));
	default:
		if (id >= ARM_ID_T_STR_R && id <= ARM_ID_T_LDRH_I)
			return thumb_memory(g, id, *w, k);
		return true;
	}
}

static bool gen_thumb(struct rng *g, enum arm_id id, struct arm_case *k)
{
	const struct arm_insn *row = &arm_insns[id];
	u32 w = row->value | (random_u32(g) & 0xffff & ~row->mask);

	k->thumb = true;
	if (id == ARM_ID_T_UNDEFINED)
		w = 0xba00 | (w & 0xff);
	if (!thumb_row(g, id, &w, k) || arm_find(w, true) != id)
		return false;
	if (id == ARM_ID_T_BL_SUFFIX || id == ARM_ID_T_BLX_SUFFIX) /* QEMU of this age takes both halves together */
		add(k, 0xf000 | random_to(g, 0x800));
	if (id == ARM_ID_T_BL_PREFIX) {
		add(k, w);
		w = random_to(g, 2) ? 0xf800 | random_to(g, 0x800) : 0xe800 | random_to(g, 0x400) * 2;
	}
	add(k, w);
	return true;
}

bool gen_row(struct rng *g, enum arm_id id, struct arm_case *k)
{
	start(g, id, k);
	return id >= ARM_ID_T_LSL_I ? gen_thumb(g, id, k) : gen_arm(g, id, k);
}

/* ---- sequences: r8 and r9 point into DATA, r0-r7 are computed with ---- */

/* What a mixed sequence has besides: write-back and lists on r9, doublewords, bodies in the middle of a block. */
static u32 mix_other(struct rng *g)
{
	u32 cc = (random_to(g, 4) ? 14u : random_to(g, 14)) << 28, rd = random_to(g, 8) << 12, list = random_u32(g) & random_u32(g) & 0xff;

	switch (random_to(g, 8)) {
	case 0: /* LDR, STR, LDRB, STRB: pre- or post-indexed */
	case 1: return cc | 0x04090000 | (random_u32(g) & 0x00d00000) | (random_to(g, 2) ? 0x01200000 : 0) | rd | random_to(g, 3) * 4;
	case 2: return cc | 0x004900b0 | (random_u32(g) & 0x00900000) | (random_to(g, 2) ? 0x01200000 : 0) | rd | random_to(g, 3) * 4; /* LDRH, STRH */
	case 3:
	case 4: return cc | 0x08090000 | (random_u32(g) & 0x01b00000) | (list ? list : 1);
	case 5: return cc | 0x01c800d0 | (random_to(g, 2) ? 0x20 : 0) | (rd & 0x6000) | random_to(g, 4) << 3;
	case 6: return random_to(g, 2) ? cc | 0x010f0000 | rd : cc | 0x0128f000 | random_to(g, 8); /* MRS; MSR CPSR_f */
	default: return cc | 0x0e300a00 | (random_u32(g) & 0x0040f0ef & ~0x50u); /* FADDS */
	}
}

static bool mix_arm(struct rng *g, struct arm_case *k)
{
	static const u16 rows[] = {ARM_ID_AND, ARM_ID_SUB, ARM_ID_ADD, ARM_ID_ADC, ARM_ID_SBC, ARM_ID_CMP, ARM_ID_TST, ARM_ID_MOV, ARM_ID_ORR, ARM_ID_MVN, ARM_ID_CMN,
	                          ARM_ID_TEQ, ARM_ID_RSB, ARM_ID_MUL, ARM_ID_UMLAL, ARM_ID_QADD, ARM_ID_SMLA, ARM_ID_CLZ, ARM_ID_LDR, ARM_ID_STR, ARM_ID_LDRH,
	                          ARM_ID_STRB, ARM_ID_BIC, ARM_ID_EOR};
	struct arm_case x;
	u32 w;

	if (random_to(g, 4) == 0) {
		add(k, mix_other(g));
		return true;
	}
	if (!gen_row(g, rows[random_to(g, ARRAY_SIZE(rows))], &x))
		return false;
	w = x.code[0];
	if (x.id >= ARM_ID_STR && x.id <= ARM_ID_LDRB)
		w = (w & 0xf0500000) | 0x05880000 | random_to(g, 8) << 12 | random_to(g, 16) * 4;
	else if (arm_insns[x.id].class == CLASS_EXTRA)
		w = (w & 0xf01000f0) | 0x01c80000 | random_to(g, 8) << 12 | random_to(g, 8) * 2;
	else if (arm_insns[x.id].class == CLASS_MUL || arm_insns[x.id].class == CLASS_DSP || x.id == ARM_ID_CLZ)
		w &= x.id == ARM_ID_CLZ ? 0xffff7fff : 0xfff77fff;
	else
		w &= 0xffff7fff;
	if (arm_find(w, false) != x.id || (x.id == ARM_ID_UMLAL && (RN(w) == RD(w) || RN(w) == RM(w) || RD(w) == RM(w))) || (x.id == ARM_ID_MUL && RN(w) == RM(w)))
		return false;
	add(k, w);
	return true;
}

static bool mix_thumb(struct rng *g, struct arm_case *k)
{
	struct arm_case x;
	enum arm_id id = ARM_ID_T_LSL_I + random_to(g, ARM_ID_T_MVN - ARM_ID_T_LSL_I + 1);

	if (random_to(g, 16) == 0) { /* PUSH, POP */
		u32 list = 1u << random_to(g, 8) | 1u << random_to(g, 8);

		add(k, (random_to(g, 2) ? 0xb400u : 0xbc00u) | list);
		return true;
	}
	if (random_to(g, 8) == 0) {
		add(k, (random_to(g, 2) ? 0x9000u : 0x9800u) | random_to(g, 8) << 8 | random_to(g, 16));
		return true;
	}
	if (!gen_row(g, id, &x))
		return false;
	add(k, x.code[0]);
	return true;
}

/* At the end perhaps a branch, with which a comparison before it fuses. */
void gen_mix(struct rng *g, bool thumb, struct arm_case *k)
{
	unsigned n = 2 + random_to(g, CASE_INSNS - 4);

	start(g, ARM_IDS, k);
	k->thumb = thumb;
	k->r[8] = k->r[9] = k->r[13] = DATA + 0x200;
	while (k->n < n)
		while (!(thumb ? mix_thumb(g, k) : mix_arm(g, k)))
			;
	if (random_to(g, 2))
		add(k, thumb ? 0xd000 | random_to(g, 14) << 8 | random_to(g, 16) : random_to(g, 14) << 28 | 0x0a000000 | random_to(g, 16));
}
