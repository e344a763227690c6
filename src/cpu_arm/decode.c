/*
 * The decoder: row of the instruction table, then the handler and its operands, then what goes around it (a condition, a use of r15). What is
 * unpredictable and no compiler makes is Undefined here, as it mostly is on QEMU: r15 in multiplies, empty register lists, write-back to r15.
 * DDI0100 A3, A5.
 */
#include "cpu_arm/decode.h"

#include "cpu_arm/exec.h"

const struct arm_insn arm_insns[ARM_IDS] = {
#define A(id, mask, value, class, section) {#id, section, mask, value, CLASS_##class},
#define N(id, mask, value, class, section) {#id, section, mask, value, CLASS_##class},
#define T(id, mask, value, section) {#id, section, mask, value, CLASS_THUMB},
#include "cpu_arm/arm_insn.def"
#undef A
#undef N
#undef T
};

enum arm_id arm_find(u32 w, bool thumb)
{
	unsigned i = thumb ? ARM_ID_T_LSL_I : w >> 28 == 15 ? ARM_ID_BLX_I : ARM_ID_MUL;

	while ((w & arm_insns[i].mask) != arm_insns[i].value)
		i++;
	return i;
}

u32 arm_shifter(u32 w, enum arm_kind *k)
{
	static const u8 by_register[4] = {K_LSL_R, K_LSR_R, K_ASR_R, K_ROR_R}, by_amount[4] = {K_LSL, K_LSR, K_ASR, K_ROR};
	unsigned type = w >> 5 & 3, n = w >> 7 & 31;

	if (w >> 25 & 1) {
		unsigned rot = w >> 7 & 30;

		*k = rot ? K_IMM_C : K_IMM;
		return (w & 0xff) >> rot | (rot ? (w & 0xff) << (32 - rot) : 0);
	}
	if (w >> 4 & 1) {
		*k = by_register[type];
		return 0;
	}
	*k = by_amount[type];
	if (!n) {
		*k = type == 0 ? K_REG : type == 3 ? K_RRX : *k;
		n = type == 1 || type == 2 ? 32 : 0;
	}
	return n;
}

/* ---- pieces ---- */

struct insn {
	u32 w;          /* an ARM encoding */
	u32 at;         /* distance from the block's start */
	bool thumb;
	struct arm_op *o;
	struct arm_decoder *d;
};

#define RD(w) ((w) >> 12 & 15)
#define RN(w) ((w) >> 16 & 15)
#define RS(w) ((w) >> 8 & 15)
#define RM(w) ((w)&15)

static unsigned place(const struct insn *n) { return (unsigned)(n->o - n->d->block->op); }
static u32 ahead(const struct insn *n) { return n->at + (n->thumb ? 4 : 8); }

static bool body(struct insn *n, enum arm_body_id b, bool end)
{
	n->o->exec = end ? arm_exec_body_end : arm_exec_body;
	n->o->body = (u8)b;
	n->o->aux = n->w;
	n->d->use[place(n)] = USE_READS;
	return end;
}
static bool undefined(struct insn *n) { return body(n, BODY_undefined, true); }

static void registers(struct arm_op *o, u32 w)
{
	o->rd = (u8)REG_OFFSET(RD(w));
	o->rn = (u8)REG_OFFSET(RN(w));
	o->rs = (u8)REG_OFFSET(RS(w));
	o->rm = (u8)REG_OFFSET(RM(w));
}

/* The handler reads r15, which is to be that far from the block's start. */
static void use_pc(struct insn *n, u32 distance)
{
	n->o->second = n->o->exec;
	n->o->exec = arm_use_pc;
	n->o->aux = distance;
}

/* ---- data processing ---- */

static bool is_move(enum arm_dp op) { return op == DP_MOV || op == DP_MVN; }

static void note_flags(struct insn *n, enum arm_dp op, bool s, enum arm_kind k)
{
	struct arm_decoder *d = n->d;
	unsigned i = place(n);

	if (op == DP_ADC || op == DP_SBC || op == DP_RSC || k == K_RRX)
		d->use[i] |= USE_READS;
	if (!s)
		return;
	if (!dp_is_logic(op))
		d->use[i] |= USE_KILLS;
	d->quiet[i] = dp_is_test(op) ? arm_nop : arm_dp[op][0][k];
	if (k == K_IMM || k == K_REG)
		d->fused[i] = arm_fused[op][k == K_REG][0] ? arm_fused[op][k == K_REG] : NULL;
}

static bool data_processing(struct insn *n)
{
	u32 w = n->w;
	enum arm_dp op = w >> 21 & 15;
	bool s = w >> 20 & 1, pc;
	enum arm_kind k;

	registers(n->o, w);
	n->o->imm = arm_shifter(w, &k);
	if (k == K_IMM_C && (!s || !dp_is_logic(op)))
		k = K_IMM;
	if (RD(w) == 15 && !dp_is_test(op)) {
		if (op != DP_MOV || s || k != K_REG || RM(w) == 15)
			return body(n, BODY_dp_pc, true);
		n->o->exec = arm_mov_pc;
		return true;
	}
	if (RN(w) == 15 && k == K_IMM && !s && (op == DP_ADD || op == DP_SUB)) {
		n->o->rn = PC_OFFSET;
		n->o->imm = ahead(n) + (op == DP_ADD ? n->o->imm : -n->o->imm);
		n->o->exec = arm_dp[DP_ADD][0][K_IMM];
		return false;
	}
	n->o->exec = arm_dp[op][s][k];
	pc = (RN(w) == 15 && !is_move(op)) || (k > K_IMM_C && RM(w) == 15) || (k >= K_LSL_R && RS(w) == 15);
	if (pc)
		use_pc(n, ahead(n) + (k >= K_LSL_R ? 4 : 0));
	if (!pc)
		note_flags(n, op, s, k);
	else
		n->d->use[place(n)] = USE_READS;
	return false;
}

/* Multiplies name their registers by other fields: rd 19-16, rn 15-12. */
static bool multiply(struct insn *n)
{
	u32 w = n->w, op = w >> 21 & 7;
	bool s = w >> 20 & 1;

	if (RD(w) == 15 || RN(w) == 15 || RS(w) == 15 || RM(w) == 15)
		return undefined(n);
	registers(n->o, w);
	n->o->rd = (u8)REG_OFFSET(RN(w));
	n->o->rn = (u8)REG_OFFSET(RD(w));
	op = op < 2 ? op : op - 2;
	n->o->exec = arm_mul[op][s];
	if (s)
		n->d->quiet[place(n)] = arm_mul[op][0];
	return false;
}

static bool dsp(struct insn *n, enum arm_id id)
{
	u32 w = n->w, xy = w >> 5 & 3;

	if (RD(w) == 15 || RN(w) == 15 || RM(w) == 15 || (id >= ARM_ID_SMLA && RS(w) == 15))
		return undefined(n);
	registers(n->o, w);
	if (id < ARM_ID_SMLA) { /* QADD and its like: rd 15-12 */
		n->o->exec = arm_q[w >> 21 & 3];
		return false;
	}
	n->o->rd = (u8)REG_OFFSET(RN(w));
	n->o->rn = (u8)REG_OFFSET(RD(w));
	n->o->exec = id == ARM_ID_SMLA     ? arm_smla[xy]
	             : id == ARM_ID_SMLAW  ? arm_smlaw[xy >> 1]
	             : id == ARM_ID_SMULW  ? arm_smulw[xy >> 1]
	             : id == ARM_ID_SMLAL_H ? arm_smlal[xy]
	                                    : arm_smul[xy];
	return false;
}

static bool count_zeros(struct insn *n)
{
	if (RD(n->w) == 15 || RM(n->w) == 15)
		return undefined(n);
	registers(n->o, n->w);
	n->o->exec = arm_clz;
	return false;
}

/* ---- loads and stores ---- */

/* Which inline address mode, and its immediate or shift; AM_COUNT: none. */
static enum arm_address address_of(struct insn *n, bool extra)
{
	u32 w = n->w, imm;
	bool up = w >> 23 & 1, pre = w >> 24 & 1, back = w >> 21 & 1;
	enum arm_kind k;

	if (extra ? w >> 22 & 1 : !(w >> 25 & 1)) {
		imm = extra ? (w >> 4 & 0xf0) | (w & 15) : w & 0xfff;
		n->o->imm = up ? imm : -imm;
		return !pre ? AM_POST : back ? AM_PRE : AM_IMM;
	}
	if (!pre || back || !up || RM(w) == 15)
		return AM_COUNT;
	n->o->rs = 0;
	if (!extra) {
		n->o->rs = (u8)arm_shifter(w & ~(u32)BIT(25), &k);
		if (k != K_REG && k != K_LSL)
			return AM_COUNT;
	}
	return AM_REG;
}

static bool load_store(struct insn *n, enum arm_access a, bool extra)
{
	u32 w = n->w;
	bool load = w >> 20 & 1, byte_or_half = a != LS_LDR && a != LS_STR, to_pc = load && RD(w) == 15;
	bool writes_back = !(w >> 24 & 1) || w >> 21 & 1;
	enum arm_address m;

	if ((to_pc && byte_or_half) || (RN(w) == 15 && writes_back))
		return undefined(n);
	registers(n->o, w);
	m = address_of(n, extra);
	if (m == AM_COUNT || (to_pc && n->d->mode & ARM_MODE_L4) || (n->d->mode & ARM_MODE_BE && byte_or_half) || (RN(w) == 15 && m != AM_IMM))
		return body(n, to_pc ? BODY_ldst_pc : BODY_ldst, to_pc);
	n->d->use[place(n)] = USE_READS;
	n->o->exec = arm_ldst[to_pc ? LS_LDR_PC : a][m];
	if (RN(w) == 15) {
		n->o->rn = PC_OFFSET;
		n->o->imm += ahead(n);
	}
	if (!load && RD(w) == 15)
		use_pc(n, n->at + 12);
	return to_pc;
}

static bool extra_load_store(struct insn *n, enum arm_id id)
{
	u32 w = n->w;

	if (id == ARM_ID_LDRD || id == ARM_ID_STRD) {
		if (RD(w) & 1 || RD(w) == 14 || (RN(w) == 15 && (!(w >> 24 & 1) || w >> 21 & 1)))
			return undefined(n);
		return body(n, BODY_ldst_double, false);
	}
	return load_store(n, id == ARM_ID_STRH ? LS_STRH : id == ARM_ID_LDRH ? LS_LDRH : id == ARM_ID_LDRSB ? LS_LDRSB : LS_LDRSH, true);
}

static bool user_load_store(struct insn *n)
{
	bool load = n->w >> 20 & 1, to_pc = load && RD(n->w) == 15;

	if (RN(n->w) == 15 || (to_pc && n->w >> 22 & 1))
		return undefined(n);
	return body(n, to_pc ? BODY_ldst_pc : BODY_ldst, to_pc);
}

static bool swap(struct insn *n)
{
	if (RD(n->w) == 15 || RN(n->w) == 15 || RM(n->w) == 15)
		return undefined(n);
	return body(n, BODY_swp, false);
}

static bool multiple(struct insn *n)
{
	u32 w = n->w, list = w & 0xffff, bytes = 4 * (u32)__builtin_popcount(list);
	bool load = w >> 20 & 1, up = w >> 23 & 1, before = w >> 24 & 1, back = w >> 21 & 1;
	s32 lowest = (up ? 0 : -(s32)bytes) + (up == before ? 4 : 0);

	if (!list || RN(w) == 15)
		return undefined(n);
	if (!load && list >> 15)
		return body(n, BODY_stm_user, false);
	registers(n->o, w);
	n->o->imm = list;
	n->o->rm = (u8)bytes;
	n->o->rs = (u8)(s8)lowest;
	n->o->aux = !back ? 0 : up ? bytes : -bytes;
	n->o->exec = !load ? arm_stm : list >> 15 ? arm_ldm_pc : arm_ldm;
	n->d->use[place(n)] = USE_READS;
	return load && list >> 15;
}

/* Write-back of the ^ forms is unpredictable: it is done, to the present mode's base. User mode: see multi.c. */
static bool multiple_user(struct insn *n)
{
	u32 w = n->w;
	bool load = w >> 20 & 1, back = load && w >> 15 & 1;

	if (!(w & 0xffff) || RN(w) == 15 || n->d->mode & ARM_MODE_USER)
		return undefined(n);
	return body(n, back ? BODY_ldm_return : load ? BODY_ldm_user : BODY_stm_user, back);
}

/* ---- branches and the system ---- */

/* A comparison right before the branch takes it into its op. */
static bool fuse(struct insn *n, unsigned cc, u32 distance)
{
	struct arm_block *b = n->d->block;
	unsigned i = place(n);
	struct arm_op *p = n->o - 1;

	if (!i || cc == 14 || b->mode & ARM_MODE_STEP || !n->d->fused[i - 1] || p->exec == arm_use_pc)
		return false;
	p->exec = n->d->fused[i - 1][cc];
	p->aux = p->imm;
	p->imm = distance;
	p->block = b;
	p->flags |= OP_TWO;
	if (n->d->use[i - 1] != USE_KILLS) /* the condition may be about flags from before */
		n->d->use[i - 1] = USE_READS;
	n->d->quiet[i - 1] = NULL;
	b->ops--; /* the caller counts this one */
	return true;
}

static bool direct_branch(struct insn *n, unsigned cc, bool link, u32 distance)
{
	n->d->use[place(n)] = USE_READS;
	if (!link && fuse(n, cc, distance))
		return true;
	n->o->imm = distance;
	n->o->block = n->d->block;
	n->o->exec = (link ? arm_bl : arm_b)[cc];
	return true;
}

static bool branch_register(struct insn *n, enum arm_id id)
{
	registers(n->o, n->w);
	n->o->exec = id == ARM_ID_BLX ? arm_blx : arm_bx; /* BXJ: Jazelle is in its trivial form */
	if (RM(n->w) == 15)
		use_pc(n, ahead(n));
	return true;
}

/* The status registers; SPSR does not exist in User and System mode. A write to the flags alone goes on. */
static bool status(struct insn *n, bool write)
{
	u32 w = n->w;
	bool spsr = w >> 22 & 1;

	if (spsr && n->d->mode & ARM_MODE_USER)
		return undefined(n);
	if (!write)
		return body(n, BODY_mrs, false);
	if (!(w >> 25 & 1) && RM(w) == 15)
		return undefined(n);
	return body(n, BODY_msr, !spsr && w >> 16 & 1 && !(n->d->mode & ARM_MODE_USER));
}

static bool coprocessor(struct insn *n, enum arm_id id)
{
	unsigned cp = RS(n->w);

	if (cp != 15 || n->d->mode & ARM_MODE_USER || (id != ARM_ID_MCR && id != ARM_ID_MRC))
		return undefined(n);
	return body(n, BODY_cp15, true);
}

/* The VFP's instructions when it is there and enabled; else only privileged accesses to its system registers. DDI0274 2.4 */
static bool vfp(struct insn *n, enum arm_id id)
{
	bool system = id == ARM_ID_FMXR || id == ARM_ID_FMRX;

	if (!n->d->has_vfp || !arm_vfp_valid(id, n->w, n->d->mode))
		return undefined(n);
	if (system)
		return body(n, BODY_vfp_system, id == ARM_ID_FMXR || RN(n->w) > 1); /* but FPSID and FPSCR may be Undefined after all */
	if (id >= ARM_ID_FMSR)
		return body(n, BODY_vfp_move, false);
	return body(n, BODY_vfp_data, n->d->mode & ARM_MODE_TRAPS); /* it may come to the exceptional state */
}

/* ---- one instruction ---- */

static bool decode_row(struct insn *n, enum arm_id id)
{
	u32 w = n->w;

	switch (arm_insns[id].class) {
	case CLASS_DP: return data_processing(n);
	case CLASS_LDST: return load_store(n, w >> 20 & 1 ? (w >> 22 & 1 ? LS_LDRB : LS_LDR) : w >> 22 & 1 ? LS_STRB : LS_STR, false);
	case CLASS_EXTRA: return extra_load_store(n, id);
	case CLASS_MULTI: return multiple(n);
	case CLASS_B: return direct_branch(n, w >> 28, id == ARM_ID_BL, ahead(n) + (u32)sign_extend(w, 24) * 4);
	case CLASS_BX: return branch_register(n, id);
	case CLASS_MUL: return multiply(n);
	case CLASS_DSP: return dsp(n, id);
	case CLASS_CLZ: return count_zeros(n);
	case CLASS_USER: return user_load_store(n);
	case CLASS_SWP: return swap(n);
	case CLASS_MULTI_USER: return multiple_user(n);
	case CLASS_MRS: return status(n, false);
	case CLASS_MSR: return status(n, true);
	case CLASS_COPROCESSOR: return coprocessor(n, id);
	case CLASS_VFP: return vfp(n, id);
	case CLASS_SWI: return body(n, BODY_swi, true);
	case CLASS_BKPT: return body(n, BODY_bkpt, true);
	case CLASS_NOP: n->o->exec = arm_nop; return false;
	case CLASS_BLX:
		n->o->imm = ahead(n) + (u32)sign_extend(w, 24) * 4 + (w >> 23 & 2);
		n->o->exec = arm_blx_imm;
		return true;
	default: return undefined(n);
	}
}

static void add_condition(struct insn *n, unsigned cc)
{
	struct arm_op *o = n->o;

	n->d->use[place(n)] = USE_READS;
	n->d->quiet[place(n)] = NULL;
	n->d->fused[place(n)] = NULL;
	if (o->exec == arm_use_pc) {
		o->exec = arm_cond_pc[cc];
		return;
	}
	o->second = o->exec;
	o->exec = arm_cond[cc];
}

static bool decode_arm(struct insn *n, enum arm_id id)
{
	unsigned cc = n->w >> 28;
	bool end = decode_row(n, id);

	if (cc < 14 && arm_insns[id].class != CLASS_B)
		add_condition(n, cc);
	return end;
}

/* ---- Thumb ---- */

/* Both halves of BL as one: the prefix is the op before. */
static bool thumb_call(struct insn *n, u32 low, bool exchange)
{
	struct arm_block *b = n->d->block;
	struct arm_op *p = n->o - 1;

	n->d->use[place(n)] = USE_READS;
	if (!b->ops || p->id != ARM_ID_T_BL_PREFIX || b->mode & ARM_MODE_STEP) {
		n->o->imm = low;
		n->o->exec = exchange ? arm_thumb_blx_suffix : arm_thumb_bl_suffix;
		return true;
	}
	p->imm += low;
	p->block = b;
	p->flags |= OP_TWO;
	p->exec = exchange ? arm_thumb_blx : arm_thumb_bl;
	b->ops--;
	return true;
}

static bool decode_thumb(struct insn *n, enum arm_id id, u32 w)
{
	u32 start = (u32)n->d->block->pa, aligned = ((start + n->at + 4) & ~3u) - start; /* the aligned pc's distance */

	switch (id) {
	case ARM_ID_T_LDR_PC:
		n->o->rd = (u8)REG_OFFSET(w >> 8 & 7);
		n->o->rn = PC_OFFSET;
		n->o->imm = aligned + (w & 0xff) * 4;
		n->o->exec = arm_ldst[LS_LDR][AM_IMM];
		n->d->use[place(n)] = USE_READS;
		return false;
	case ARM_ID_T_ADD_PC:
		n->o->rd = (u8)REG_OFFSET(w >> 8 & 7);
		n->o->rn = PC_OFFSET;
		n->o->imm = aligned + (w & 0xff) * 4;
		n->o->exec = arm_dp[DP_ADD][0][K_IMM];
		return false;
	case ARM_ID_T_B_COND: return direct_branch(n, w >> 8 & 15, false, ahead(n) + (u32)sign_extend(w, 8) * 2);
	case ARM_ID_T_B: return direct_branch(n, 14, false, ahead(n) + (u32)sign_extend(w, 11) * 2);
	case ARM_ID_T_BL_PREFIX:
		n->o->rd = (u8)REG_OFFSET(14);
		n->o->rn = PC_OFFSET;
		n->o->imm = ahead(n) + ((u32)sign_extend(w, 11) << 12);
		n->o->exec = arm_dp[DP_ADD][0][K_IMM];
		return false;
	case ARM_ID_T_BL_SUFFIX: return thumb_call(n, (w & 0x7ff) * 2, false);
	case ARM_ID_T_BLX_SUFFIX: return thumb_call(n, (w & 0x7ff) * 2, true);
	default:
		n->w = arm_from_thumb(id, w);
		if (!n->w) {
			n->w = w;
			return undefined(n);
		}
		return decode_row(n, arm_find(n->w, false));
	}
}

bool arm_decode(struct arm_decoder *d, u32 w)
{
	struct arm_block *b = d->block;
	struct insn n = {.w = w, .at = b->bytes, .thumb = d->mode & ARM_MODE_THUMB, .o = &b->op[b->ops], .d = d};
	enum arm_id id = arm_find(w, n.thumb);
	bool end;

	*n.o = (struct arm_op){.id = (u16)id, .flags = n.thumb ? OP_THUMB : 0};
	end = n.thumb ? decode_thumb(&n, id, w) : decode_arm(&n, id);
	b->ops++;
	return end;
}

/* Walks backwards: is somebody going to see the flags? */
void arm_quiet(const struct arm_decoder *d, struct arm_block *b)
{
	bool live = true;

	for (int i = b->ops - 1; i >= 0; i--) {
		if (!live && d->quiet[i])
			b->op[i].exec = d->quiet[i];
		if (d->use[i] & USE_READS)
			live = true;
		else if (d->use[i] & USE_KILLS)
			live = false;
	}
}
