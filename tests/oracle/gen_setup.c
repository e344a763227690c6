/*
 * What single instructions want to find, so that they do something: dividends that do not always overflow, strings in
 * mapped memory, selectors that exist, branch targets, equal operands for CMPXCHG. gen_before() runs when operand sizes
 * are known, gen_after() when the memory operand's address is.
 */
#include "gen.h"

#include "emu.h"
#include "fpstate.h"

static u64 *reg(struct gen *k, unsigned n) { return &k->c->in.r[n]; }

static void set_part(u64 *r, u64 v, unsigned bytes) { *r = (*r & ~mask_low(bytes * 8)) | (v & mask_low(bytes * 8)); }

static unsigned modrm_rm(const struct gen *k) { return (k->modrm & 7u) | (k->rex & 1u) << 3; }
static unsigned modrm_reg(const struct gen *k) { return (k->modrm >> 3 & 7u) | (k->rex & 4u) << 1; }

static u64 stack_address(struct gen *k)
{
	u64 sp = *reg(k, R_SP) & mask_low(gen_stack_bytes(k) * 8);

	return k->bits == 64 ? sp : (u32)(sp + gen_seg_base(k, SEG_SS));
}

/* ---- before ---- */
static void before_shift(struct gen *k)
{
	if (chance(&k->g, 85))
		set_part(reg(k, R_CX), rnd_n(&k->g, 70), 1);
	pin(k, R_CX);
}

static void before_division(struct gen *k)
{
	u64 a = *reg(k, R_AX);
	bool small = chance(&k->g, 75), neg = sign_extend(a, k->osize * 8) < 0;

	pin(k, R_AX);
	pin(k, R_DX);
	if (!small)
		return;
	if (k->osize == 1)
		set_part(reg(k, R_AX), chance(&k->g, 50) ? (u64)(s64)(s8)a : rnd_n(&k->g, 0x300), 2);
	else
		set_part(reg(k, R_DX),
			 chance(&k->g, 60) ? (fn_is(k, "idiv") && neg ? ~0ull : 0) : rnd_n(&k->g, 1000) - 500ull,
			 k->osize);
}

static void before_string(struct gen *k)
{
	unsigned seg = k->seg >= 0 && (k->bits != 64 || k->seg >= SEG_FS) ? (unsigned)k->seg : SEG_DS;
	u64 src = gen_seg_base(k, seg), dst = gen_seg_base(k, SEG_ES), max = k->osize * 8;

	set_part(reg(k, R_SI), gen_data_address(k, k->osize, src, k->asize) - src, k->asize);
	set_part(reg(k, R_DI), gen_data_address(k, k->osize, dst, k->asize) - dst, k->asize);
	set_part(reg(k, R_CX), chance(&k->g, 95) ? rnd_n(&k->g, 24) : rnd_n(&k->g, 3000), k->asize);
	if (chance(&k->g, 15)) { /* overlapping; the farther ones long enough to be moved in bulk */
		u64 far = chance(&k->g, 50) ? 10 : 300;

		set_part(reg(k, R_DI), *reg(k, R_SI) + src - dst + rnd_n(&k->g, 2 * far) - far, k->asize);
		if (far > 10)
			set_part(reg(k, R_CX), rnd_n(&k->g, 1200), k->asize);
	}
	if (chance(&k->g, 50))
		set_part(reg(k, R_AX), chance(&k->g, 50) ? 0 : ~0ull, (unsigned)max / 8);
	if (chance(&k->g, 30))
		k->c->in.flags ^= FLAG_DF;
	pin(k, R_SI);
	pin(k, R_DI);
	pin(k, R_CX);
}

static void before_xlat(struct gen *k)
{
	unsigned seg = k->seg >= 0 && (k->bits != 64 || k->seg >= SEG_FS) ? (unsigned)k->seg : SEG_DS;
	u64 base = gen_seg_base(k, seg);

	set_part(reg(k, R_BX), gen_data_address(k, 1, base, k->asize) - base - (u8)*reg(k, R_AX), k->asize);
}

static void before_bt(struct gen *k)
{
	if (k->row->insn->form != FORM_EGr || chance(&k->g, 10))
		return;
	set_part(reg(k, modrm_reg(k)),
		 rnd_n(&k->g, chance(&k->g, 50) ? 128 : 8000) - (chance(&k->g, 50) ? 64ull : 4000ull), k->osize);
	pin(k, modrm_reg(k));
}

static void before_frame(struct gen *k)
{
	u64 base = gen_seg_base(k, SEG_SS);

	set_part(reg(k, R_BP), gen_data_address(k, 8, base, gen_stack_bytes(k)) - base, gen_stack_bytes(k));
	pin(k, R_BP);
}

static void before_loop(struct gen *k)
{
	set_part(reg(k, R_CX), rnd_n(&k->g, 3), chance(&k->g, 50) ? k->asize : 8);
	if (k->bits != 64)
		*reg(k, R_CX) = (u32)*reg(k, R_CX);
}

static void before_indirect(struct gen *k)
{
	if (k->row->insn->mod != REG)
		return;
	*reg(k, modrm_rm(k)) = k->target - gen_seg_base(k, SEG_CS);
	pin(k, modrm_rm(k));
}

static void before_selector(struct gen *k)
{
	if (!k->mem)
		set_part(reg(k, modrm_rm(k)), gen_selector(k), 2);
}

static void before_base(struct gen *k)
{
	if (chance(&k->g, 90))
		*reg(k, modrm_rm(k)) = (u64)sign_extend(*reg(k, modrm_rm(k)), 47);
}

static bool is_shift(const struct gen *k)
{
	static const char *const names[] = {"rol_EC", "ror_EC", "rcl_EC", "rcr_EC", "shl_EC",
					    "shr_EC", "sar_EC", "shld_C", "shrd_C"};

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (fn_is(k, names[i]))
			return true;
	return false;
}

static bool is_bt(const struct gen *k)
{
	return fn_is(k, "bt") || fn_is(k, "bts") || fn_is(k, "btr") || fn_is(k, "btc");
}
static bool takes_selector(const struct gen *k)
{
	return fn_is(k, "mov_sreg") || fn_is(k, "lar") || fn_is(k, "lsl") || fn_is(k, "verr") || fn_is(k, "verw");
}

/* The frame of IRET must be one that we wrote: with AC in its flags an unaligned one raises #AC with the old flags,
 * which Linux takes for a split lock, again and again. */
static void before_iret(struct gen *k)
{
	u64 at = stack_address(k);

	k->c->in.flags &= ~(u64)FLAG_AC;
	if (at + 64 > RO_BASE && at < RO_BASE + 0x1000)
		*reg(k, R_SP) -= 0x1080;
}

/* A far pointer to k->target: through a code segment, mostly. */
static void before_far(struct gen *k)
{
	static const u16 code[] = {SEL_CODE64, SEL_CODE32, LDT_SEL(LDT_CODE16), LDT_SEL(LDT_CODE32), LDT_SEL(LDT_XO)};
	u64 d;

	if (fn_is(k, "iret"))
		before_iret(k);
	if (k->c->real) {
		k->far_sel = (u16)((k->target >> 4) - rnd_n(&k->g, 0x800));
		k->far_off = k->target - k->far_sel * 16u;
		return;
	}
	k->far_sel = chance(&k->g, 75) ? code[rnd_n(&k->g, ARRAY_SIZE(code))] : gen_selector(k);
	d = emu_descriptor(k->far_sel);
	k->far_off = k->target - (bits(d, 39, 16) | bits(d, 63, 56) << 24);
}

static bool is_far(const struct gen *k) { return strstr(k->row->fn, "_far") || fn_is(k, "iret"); }

/* MASKMOVDQU stores at rDI. */
static void before_maskmov(struct gen *k)
{
	unsigned seg = k->seg >= 0 && (k->bits != 64 || k->seg >= SEG_FS) ? (unsigned)k->seg : SEG_DS;
	u64 base = gen_seg_base(k, seg);

	set_part(reg(k, R_DI), gen_data_address(k, 16, base, k->asize) - base, k->asize);
	pin(k, R_DI);
}

/* EDX:EAX: x87, SSE, AVX, and bits for which no host has a component. */
static void before_xsave(struct gen *k)
{
	*reg(k, R_AX) = rnd_n(&k->g, 8) | (chance(&k->g, 20) ? rnd(&k->g) & 0xfff00000 : 0) | (rnd(&k->g) & ~0xffffffffull);
	*reg(k, R_DX) = (rnd(&k->g) & ~0xffffffffull) | (chance(&k->g, 20) ? rnd(&k->g) & 0x3fffffff : 0);
	if (k->bits != 64) {
		*reg(k, R_AX) &= 0xffffffff;
		*reg(k, R_DX) &= 0xffffffff;
	}
	pin(k, R_AX);
	pin(k, R_DX);
}

void gen_before(struct gen *k)
{
	if (row_is_xsave(k->row))
		before_xsave(k);
	if (fn_is(k, "maskmovdqu"))
		before_maskmov(k);
	if (is_far(k))
		before_far(k);
	else if (is_shift(k))
		before_shift(k);
	else if (fn_is(k, "div") || fn_is(k, "idiv"))
		before_division(k);
	else if (k->row->insn->kind == KIND_STRING)
		before_string(k);
	else if (fn_is(k, "xlat"))
		before_xlat(k);
	else if (is_bt(k))
		before_bt(k);
	else if (fn_is(k, "enter") || fn_is(k, "leave"))
		before_frame(k);
	else if (fn_is(k, "loop"))
		before_loop(k);
	else if (fn_is(k, "call_reg") || fn_is(k, "jmp_reg"))
		before_indirect(k);
	else if (takes_selector(k))
		before_selector(k);
	else if (fn_is(k, "wrfsbase") || fn_is(k, "wrgsbase"))
		before_base(k);
	else if (fn_is(k, "cmpxchg") && !k->mem && chance(&k->g, 50))
		*reg(k, modrm_rm(k)) = *reg(k, R_AX);
}

/* ---- after ---- */
static u64 some_flags(struct gen *k) { return (rnd(&k->g) & 0x244ed5) | (k->trap || chance(&k->g, 5) ? FLAG_TF : 0); }

static void after_cmpxchg8b(struct gen *k)
{
	unsigned h = k->osize == 8 ? 8 : 4;
	u64 lo = *reg(k, R_AX), hi = *reg(k, R_DX);

	if (chance(&k->g, 40))
		return;
	if (h == 8) {
		gen_poke(k, k->ea, lo);
		gen_poke(k, k->ea + 8, hi);
	} else {
		gen_poke(k, k->ea, (u32)lo | hi << 32);
	}
}

static void after_bound(struct gen *k)
{
	u64 lo = rnd_value(&k->g), hi = chance(&k->g, 70) ? lo + rnd_n(&k->g, 1000) : rnd_value(&k->g);

	if (k->osize == 2) {
		gen_poke(k, k->ea, (lo & 0xffff) | (hi & 0xffff) << 16);
	} else {
		gen_poke(k, k->ea, (u32)lo | hi << 32);
	}
	if (chance(&k->g, 60) && !pinned(k, modrm_reg(k)))
		*reg(k, modrm_reg(k)) = (u32)(lo + rnd_n(&k->g, 1100) - 50);
}

/* A far pointer: offset, selector. */
static void after_far_pointer(struct gen *k)
{
	gen_poke(k, k->ea, rnd_value(&k->g));
	gen_poke(k, k->ea + (k->osize == 2 ? 2 : 4), gen_selector(k));
}

/* What RETF and IRET pop. */
static void after_far_return(struct gen *k)
{
	u64 at = stack_address(k);
	u64 flags = (some_flags(k) & ~(u64)FLAG_AC) | (chance(&k->g, 10) ? FLAG_RF : 0) |
		    (chance(&k->g, 5) ? FLAG_NT | FLAG_VM : 0);
	u64 ss = gen_seg_base(k, SEG_SS);

	gen_poke(k, at, k->far_off);
	gen_poke(k, at + k->osize, k->far_sel);
	if (!fn_is(k, "iret"))
		return;
	gen_poke(k, at + 2 * k->osize, flags);
	if (k->bits != 64)
		return;
	gen_poke(k, at + 3 * k->osize, chance(&k->g, 80) ? gen_data_address(k, 8, ss, 8) : rnd_value(&k->g));
	gen_poke(k, at + 4 * k->osize, chance(&k->g, 70) ? SEL_DATA : gen_selector(k));
}

static void after_far_branch(struct gen *k)
{
	gen_poke(k, k->ea, k->far_off);
	gen_poke(k, k->ea + (k->osize == 2 ? 2 : 4), k->far_sel);
}

/* A number of the operand's kind: a float, a long double or BCD number, or an integer. */
static void after_x87(struct gen *k)
{
	u8 v[16];

	fp_memory_value(&k->g, k->osize, v);
	gen_poke(k, k->ea, load_le(v, 8));
	if (k->osize > 8)
		gen_poke(k, k->ea + 8, load_le(v + 8, 8));
}

static void after_vector(struct gen *k)
{
	u8 v[32];

	vec_value(&k->g, v);
	vec_value(&k->g, v + 16);
	for (unsigned i = 0; i < k->osize; i += 8)
		gen_poke(k, k->ea + i, load_le(v + i, 8));
}

/* An area that can be restored: the control words, the pointers, MXCSR. */
static void after_fxrstor(struct gen *k)
{
	struct ostate s;

	fp_random(&k->g, s.fx, k->bits);
	for (unsigned i = 0; i < 32; i += 8)
		gen_poke(k, k->ea + i, load_le(s.fx + i, 8));
	gen_poke(k, k->ea + AT_ST, load_le(s.fx + AT_ST, 8));
	if (chance(&k->g, 10))
		gen_poke(k, k->ea + AT_MXCSR, rnd(&k->g));
}

/* A header that XRSTOR takes, mostly. */
static void after_xrstor(struct gen *k)
{
	struct ostate s;
	const u64 hosts = 0xffff8; /* components that a host may have */
	bool compact = chance(&k->g, 30);
	u64 bv = chance(&k->g, 95) ? rnd_n(&k->g, 8) : rnd(&k->g) & ~hosts, comp = compact ? BIT(63) | bv | rnd_n(&k->g, 8) : 0;

	fp_random(&k->g, s.fx, k->bits);
	gen_poke(k, k->ea, load_le(s.fx, 8));
	gen_poke(k, k->ea + AT_MXCSR, chance(&k->g, 90) ? load_le(s.fx + AT_MXCSR, 8) : rnd(&k->g));
	gen_poke(k, k->ea + AT_BV, bv);
	gen_poke(k, k->ea + AT_BV + 8, chance(&k->g, 95) ? comp : rnd_value(&k->g) & ~hosts);
	for (unsigned i = AT_BV + 16; i < AT_YMM; i += 8)
		gen_poke(k, k->ea + i, chance(&k->g, 1) ? rnd_value(&k->g) : 0);
}

void gen_after(struct gen *k)
{
	u64 to = k->target - gen_seg_base(k, SEG_CS);

	if (fn_is(k, "ret"))
		gen_poke(k, stack_address(k), to);
	else if (fn_is(k, "popf"))
		gen_poke(k, stack_address(k), some_flags(k));
	else if (fn_is(k, "pop_sreg"))
		gen_poke(k, stack_address(k), gen_selector(k) | (chance(&k->g, 50) ? rnd(&k->g) << 16 : 0));
	else if (fn_is(k, "ret_far") || fn_is(k, "iret"))
		after_far_return(k);
	else if (!k->mem)
		return;
	else if (fn_is(k, "xrstor"))
		after_xrstor(k);
	else if (k->row->insn->flags & SSE)
		after_vector(k);
	else if (fn_is(k, "ldmxcsr"))
		gen_poke(k, k->ea, chance(&k->g, 80) ? rnd(&k->g) & 0xffff : rnd(&k->g));
	else if (k->row->insn->kind == KIND_X87 && k->osize >= 2)
		after_x87(k);
	else if (fn_is(k, "fxrstor"))
		after_fxrstor(k);
	else if (is_far(k))
		after_far_branch(k);
	else if (fn_is(k, "cmpxchg8b"))
		after_cmpxchg8b(k);
	else if (fn_is(k, "call_mem") || fn_is(k, "jmp_mem"))
		gen_poke(k, k->ea, to);
	else if (fn_is(k, "bound"))
		after_bound(k);
	else if (fn_is(k, "lxs"))
		after_far_pointer(k);
	else if (takes_selector(k))
		gen_poke(k, k->ea, gen_selector(k));
	else if (fn_is(k, "cmpxchg") && chance(&k->g, 50))
		gen_poke(k, k->ea, *reg(k, R_AX));
	else if ((fn_is(k, "div") || fn_is(k, "idiv")) && chance(&k->g, 50))
		gen_poke(k, k->ea, rnd_n(&k->g, 1000));
	else if (chance(&k->g, 50))
		gen_poke(k, k->ea, rnd_value(&k->g));
}
