/*
 * Saving and restoring x87, SSE and AVX state: FXSAVE, FXRSTOR, the XSAVE family, XGETBV, XSETBV; LDMXCSR, STMXCSR; the FPU after reset and
 * FNINIT. APM2 11.4, 11.5; APM4 (instructions); APM1 6.
 */
#include "cpu_x86/fpu.h"
#include "cpu_x86/system.h"
#include "cpu_x86/vec.h"

enum { C_X87 = 1, C_SSE = 2, C_AVX = 4 }; /* bits of XCR0 */
enum {
	AT_FOP = 6,
	AT_MXCSR = 24,
	AT_ST = 32,
	AT_XMM = 160,
	FX_SIZE = 512,
	AT_BV = 512,
	AT_COMP = 520,
	HEADER_END = 576,
	AVX_SIZE = 256
};
#define COMPACT       BIT(63)

u64 x86_xcr0_supported(const struct x86_model *m) { return x86_has(m, X86_F_XSAVE) ? C_X87 | C_SSE | (x86_has(m, X86_F_AVX) ? C_AVX : 0) : 0; }

u32 x86_xsave_size(u64 components, bool compact)
{
	(void)compact; /* AVX is the only component beyond the header: at 576 in both forms */
	return HEADER_END + (components & C_AVX ? AVX_SIZE : 0);
}

/* ---- images ---- */

static unsigned xmm_count(const struct x86_cpu *c) { return x86_long64(c) ? 16 : 8; }

/* The x87 pointers are saved and restored always where the CPU says so, elsewhere only with an unmasked exception pending; without that they
 * are not even written. APM3 app. E, 8000_0008 EBX: RstrFpErrPtrs; APM2 11.4.4 */
static bool with_pointers(const struct x86_cpu *c, u16 fsw) { return x86_has(c->model, X86_F_XSAVEERPTR) || fsw & FSW_ES; }

/* FIP and FDP are 64 bits with REX.W, else 32 bits and a selector. APM2 11.4.4 */
static void x87_to_image(const struct x86_cpu *c, u8 *img, bool wide)
{
	const struct x86_fpu *f = &c->fpu;

	store_le(img, 2, f->fcw);
	store_le(img + 2, 2, f->fsw);
	store_le(img + 4, 2, f->ftw);
	store_le(img + AT_FOP, 2, f->fop);
	store_le(img + 8, 8, wide ? f->fip : (u32)f->fip | (u64)f->fcs << 32);
	store_le(img + 16, 8, wide ? f->fdp : (u32)f->fdp | (u64)f->fds << 32);
	memcpy(img + AT_ST, f->st, sizeof f->st);
	for (unsigned i = 0; i < 8; i++)
		memset(img + AT_ST + i * 16 + 10, 0, 6);
}

static void x87_from_image(struct x86_cpu *c, const u8 *img, bool wide)
{
	struct x86_fpu *f = &c->fpu;

	f->fcw = (u16)((load_le(img, 2) & 0x1f3f) | 0x40);
	f->fsw = (u16)load_le(img + 2, 2);
	f->ftw = img[4];
	x86_x87_status(c);
	if (with_pointers(c, f->fsw)) {
		f->fop = load_le(img + AT_FOP, 2) & 0x7ff;
		f->fip = load_le(img + 8, wide ? 8 : 4);
		f->fdp = load_le(img + 16, wide ? 8 : 4);
		f->fcs = wide ? 0 : (u16)load_le(img + 12, 2);
		f->fds = wide ? 0 : (u16)load_le(img + 20, 2);
		if (x86_has(c->model, X86_F_ZERO_FCS_FDS))
			f->fcs = f->fds = 0;
	}
	memcpy(f->st, img + AT_ST, sizeof f->st);
	for (unsigned i = 0; i < 8; i++)
		memset(f->st[i] + 10, 0, 6);
}

static void x87_init(struct x86_fpu *f)
{
	f->fcw = 0x37f;
	f->fsw = f->fop = f->ftw = 0;
	f->fip = f->fdp = 0;
	f->fcs = f->fds = 0;
	f->ignne = 0;
	memset(f->st, 0, sizeof f->st);
}

/* Registers 0..n-1, half 0 XMM or half 1 the upper half of YMM, to or from a table of 16-byte rows; NULL: zero them. */
static void vec_to_image(const struct x86_fpu *f, u8 *img, unsigned half, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		memcpy(img + i * 16, f->ymm[i] + half * 16, 16);
}
static void vec_from_image(struct x86_fpu *f, const u8 *img, unsigned half, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (img)
			memcpy(f->ymm[i] + half * 16, img + i * 16, 16);
		else
			memset(f->ymm[i] + half * 16, 0, 16);
	}
}

static bool vec_zero(const struct x86_fpu *f, unsigned half, unsigned n)
{
	static const u8 zero[16];

	for (unsigned i = 0; i < n; i++)
		if (memcmp(f->ymm[i] + half * 16, zero, 16))
			return false;
	return true;
}

static bool x87_is_init(const struct x86_fpu *f)
{
	struct x86_fpu init;

	if (f->fcw != 0x37f || f->fsw || f->ftw || f->fop || f->fip || f->fdp || f->fcs || f->fds)
		return false;
	memset(&init, 0, sizeof init);
	return !memcmp(f->st, init.st, sizeof init.st);
}

/* Components that are not in their initial state (XINUSE). MXCSR does not count. APM2 11.5.8 says nothing of it; silicon does so. */
static u64 in_use(const struct x86_cpu *c)
{
	u64 v = 0;

	if (!x87_is_init(&c->fpu))
		v |= C_X87;
	if (!vec_zero(&c->fpu, 0, xmm_count(c)))
		v |= C_SSE;
	if (!vec_zero(&c->fpu, 1, xmm_count(c)))
		v |= C_AVX;
	return v & (c->xcr0 | c->msr.xss);
}

/* ---- guest memory ---- */

/* The area's linear address: limit and canonical form of both ends, then alignment. */
static u64 area(struct x86_cpu *c, const struct x86_op *o, unsigned size, unsigned align, bool write,
		enum x86_rule rule)
{
	u64 off = x86_ea(c, o), va = x86_linear(c, op_seg(o), off, 1, write);

	x86_linear(c, op_seg(o), off + size - 1, 1, write);
	if (va & (align - 1))
		x86_gp(c, 0, rule);
	return va;
}

static void copy_in(struct x86_cpu *c, u64 va, u8 *img, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i += 8)
		store_le(img + i, 8, x86_load(c, va + i, 8));
}
/* The caller has probed the area. */
static void copy_out(struct x86_cpu *c, u64 va, const u8 *img, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i += 8)
		x86_store(c, va + i, 8, load_le(img + i, 8));
}
/* The part before MXCSR. */
static void x87_out(struct x86_cpu *c, u64 va, const u8 *img)
{
	if (with_pointers(c, c->fpu.fsw)) {
		copy_out(c, va, img, 0, AT_MXCSR);
		return;
	}
	x86_store(c, va, 4, load_le(img, 4));
	x86_store(c, va + 4, 2, load_le(img + 4, 2));
}

static void need_mxcsr(struct x86_cpu *c, u32 mxcsr)
{
	if (mxcsr & ~vec_mxcsr_mask(c->model))
		x86_gp(c, 0, RULE_GP_MXCSR);
}

/* ---- FXSAVE, FXRSTOR ---- */

/* XMM registers take part unless FFXSR leaves them out (64-bit mode, CPL 0) or the system does not know them.
 * APM2 3.1.7, 3.1.3 */
static bool fx_has_xmm(const struct x86_cpu *c)
{
	return (c->cr4 & CR4_OSFXSR) && !((c->efer & EFER_FFXSR) && x86_long64(c) && !c->cpl);
}

static void need_fpu(struct x86_cpu *c)
{
	if (c->cr0 & (CR0_EM | CR0_TS))
		x86_raise(c, VEC_NM, -1, RULE_NM_EM_TS);
	x86_fpu_flush(c);
}

void x86i_fxsave(struct x86_cpu *c, const struct x86_op *o)
{
	u8 img[FX_SIZE];
	u64 va;
	unsigned n = fx_has_xmm(c) ? xmm_count(c) : 0;

	need_fpu(c);
	va = area(c, o, FX_SIZE, 16, true, RULE_GP_FX_ALIGN);
	x86_probe_write(c, va, FX_SIZE, c->cpl);
	x87_to_image(c, img, op_size(o) == 8);
	store_le(img + AT_MXCSR, 4, vec_mxcsr(c));
	store_le(img + AT_MXCSR + 4, 4, vec_mxcsr_mask(c->model));
	vec_to_image(&c->fpu, img + AT_XMM, 0, n);
	x87_out(c, va, img);
	copy_out(c, va, img, AT_MXCSR, AT_XMM + n * 16);
}

void x86i_fxrstor(struct x86_cpu *c, const struct x86_op *o)
{
	u8 img[FX_SIZE];
	u64 va;
	unsigned n = fx_has_xmm(c) ? xmm_count(c) : 0;

	need_fpu(c);
	va = area(c, o, FX_SIZE, 16, false, RULE_GP_FX_ALIGN);
	x86_probe(c, va, FX_SIZE, false);
	copy_in(c, va, img, 0, AT_XMM + n * 16);
	if (c->cr4 & CR4_OSFXSR) {
		need_mxcsr(c, (u32)load_le(img + AT_MXCSR, 4));
		vec_set_mxcsr(c, (u32)load_le(img + AT_MXCSR, 4));
	}
	x87_from_image(c, img, op_size(o) == 8);
	vec_from_image(&c->fpu, img + AT_XMM, 0, n);
}

/* ---- XSAVE family ---- */

enum xs { XS_PLAIN, XS_OPT, XS_COMPACT, XS_SUPER };

static u64 edx_eax(const struct x86_cpu *c) { return (u32)c->r[R_AX] | (c->r[R_DX] & 0xffffffff) << 32; }

static void xs_allowed(struct x86_cpu *c, bool super)
{
	if (!(c->cr4 & CR4_OSXSAVE))
		x86_ud(c, RULE_UD_OSXSAVE);
	if (c->cr0 & CR0_TS)
		x86_raise(c, VEC_NM, -1, RULE_NM_TS);
	if (super && c->cpl)
		x86_gp(c, 0, RULE_GP_CPL);
	x86_fpu_flush(c);
}

/* The pieces of the area that the components in mask own. */
static void xs_write(struct x86_cpu *c, u64 va, const u8 *img, u64 mask, bool mxcsr)
{
	unsigned n = xmm_count(c) * 16;

	if (mask & C_X87) {
		x87_out(c, va, img);
		copy_out(c, va, img, AT_ST, AT_XMM);
	}
	if (mxcsr)
		copy_out(c, va, img, AT_MXCSR, AT_ST);
	if (mask & C_SSE)
		copy_out(c, va, img, AT_XMM, AT_XMM + n);
	if (mask & C_AVX)
		copy_out(c, va, img, HEADER_END, HEADER_END + n);
}

static void xs_save(struct x86_cpu *c, const struct x86_op *o, enum xs kind)
{
	u8 img[HEADER_END + AVX_SIZE];
	bool compact = kind >= XS_COMPACT;
	u64 rfbm, used, va, bv;
	unsigned size;

	xs_allowed(c, kind == XS_SUPER);
	rfbm = edx_eax(c) & (c->xcr0 | (kind == XS_SUPER ? c->msr.xss : 0));
	used = in_use(c) & rfbm;
	if (compact && vec_mxcsr(c) != MXCSR_DEFAULT) /* these forms have no other place to say that it counts */
		used |= rfbm & C_SSE;
	size = x86_xsave_size(rfbm, compact);
	va = area(c, o, size, 64, true, RULE_GP_XSAVE_ALIGN);
	x86_probe_write(c, va, size, c->cpl);
	bv = compact ? used : (x86_load(c, va + AT_BV, 8) & ~rfbm) | used;
	x87_to_image(c, img, op_size(o) == 8);
	store_le(img + AT_MXCSR, 4, vec_mxcsr(c));
	store_le(img + AT_MXCSR + 4, 4, vec_mxcsr_mask(c->model));
	vec_to_image(&c->fpu, img + AT_XMM, 0, xmm_count(c));
	vec_to_image(&c->fpu, img + HEADER_END, 1, xmm_count(c));
	xs_write(c, va, img, kind == XS_PLAIN ? rfbm : used, compact ? used & C_SSE : rfbm & (C_SSE | C_AVX));
	x86_store(c, va + AT_BV, 8, bv);
	if (compact)
		x86_store(c, va + AT_COMP, 8, rfbm | COMPACT);
}

void x86i_xsave(struct x86_cpu *c, const struct x86_op *o) { xs_save(c, o, XS_PLAIN); }
void x86i_xsaveopt(struct x86_cpu *c, const struct x86_op *o) { xs_save(c, o, XS_OPT); }
void x86i_xsavec(struct x86_cpu *c, const struct x86_op *o) { xs_save(c, o, XS_COMPACT); }
void x86i_xsaves(struct x86_cpu *c, const struct x86_op *o) { xs_save(c, o, XS_SUPER); }

/* What the header may say. APM4 XRSTOR, XRSTORS */
static void xs_check_header(struct x86_cpu *c, const u8 *img, u64 enabled, bool super)
{
	u64 bv = load_le(img + AT_BV, 8), comp = load_le(img + AT_COMP, 8), bad;
	bool compact = comp & COMPACT;

	if (compact)
		bad = (comp & ~(enabled | COMPACT)) | (bv & ~comp);
	else
		bad = comp | (bv & ~enabled) | load_le(img + 528, 8) | super;
	for (unsigned i = 528; compact && i < HEADER_END; i += 8)
		bad |= load_le(img + i, 8);
	if (compact && !x86_has(c->model, X86_F_XSAVEC))
		bad = 1;
	if (bad)
		x86_gp(c, 0, RULE_GP_XRSTOR_HEADER);
}

static void xs_restore(struct x86_cpu *c, const struct x86_op *o, bool super)
{
	u8 img[HEADER_END + AVX_SIZE];
	u64 enabled = c->xcr0 | (super ? c->msr.xss : 0), rfbm = edx_eax(c) & enabled, va, load, init;
	unsigned n = xmm_count(c);
	bool compact, mxcsr;

	xs_allowed(c, super);
	va = area(c, o, HEADER_END, 64, false, RULE_GP_XSAVE_ALIGN);
	copy_in(c, va, img, FX_SIZE, HEADER_END);
	xs_check_header(c, img, enabled, super);
	compact = load_le(img + AT_COMP, 8) & COMPACT;
	load = rfbm & load_le(img + AT_BV, 8);
	init = rfbm & ~load;
	/* As long as the request says, and in the compacted form what there is of it. */
	area(c, o, x86_xsave_size(rfbm & (compact ? load_le(img + AT_COMP, 8) : rfbm), compact), 64, false, RULE_GP_XSAVE_ALIGN);
	mxcsr = compact ? load & C_SSE : rfbm & (C_SSE | C_AVX); /* the standard form loads it whatever XSTATE_BV says */
	if (load & C_X87)
		copy_in(c, va, img, 0, AT_XMM);
	else if (mxcsr)
		copy_in(c, va, img, AT_MXCSR, AT_ST);
	if (load & C_SSE)
		copy_in(c, va, img, AT_XMM, AT_XMM + n * 16);
	if (load & C_AVX)
		copy_in(c, va, img, HEADER_END, HEADER_END + n * 16);
	if (mxcsr) {
		need_mxcsr(c, (u32)load_le(img + AT_MXCSR, 4));
		vec_set_mxcsr(c, (u32)load_le(img + AT_MXCSR, 4));
	} else if (init & C_SSE) {
		vec_set_mxcsr(c, MXCSR_DEFAULT);
	}
	if (load & C_X87)
		x87_from_image(c, img, op_size(o) == 8);
	else if (init & C_X87)
		x87_init(&c->fpu);
	if (rfbm & C_SSE)
		vec_from_image(&c->fpu, load & C_SSE ? img + AT_XMM : NULL, 0, n);
	if (rfbm & C_AVX)
		vec_from_image(&c->fpu, load & C_AVX ? img + HEADER_END : NULL, 1, n);
}

void x86i_xrstor(struct x86_cpu *c, const struct x86_op *o) { xs_restore(c, o, false); }
void x86i_xrstors(struct x86_cpu *c, const struct x86_op *o) { xs_restore(c, o, true); }

void x86i_xgetbv(struct x86_cpu *c, const struct x86_op *o)
{
	u32 n = (u32)c->r[R_CX];
	u64 v = c->xcr0;

	(void)o;
	if (!(c->cr4 & CR4_OSXSAVE))
		x86_ud(c, RULE_UD_OSXSAVE);
	x86_fpu_flush(c);
	if (n == 1 && x86_has(c->model, X86_F_XGETBV1))
		v &= in_use(c);
	else if (n)
		x86_gp(c, 0, RULE_GP_XCR_NUMBER);
	c->r[R_AX] = (u32)v;
	c->r[R_DX] = v >> 32;
}

void x86i_xsetbv(struct x86_cpu *c, const struct x86_op *o)
{
	u64 v = edx_eax(c);

	(void)o;
	if (!(c->cr4 & CR4_OSXSAVE))
		x86_ud(c, RULE_UD_OSXSAVE);
	svm_check(c, &c->svm, ICPT_XSETBV); /* before #GP. APM2 15.9 */
	if (c->cpl)
		x86_gp(c, 0, RULE_GP_CPL);
	if ((u32)c->r[R_CX])
		x86_gp(c, 0, RULE_GP_XCR_NUMBER);
	if (!(v & C_X87) || (v & ~x86_xcr0_supported(c->model)) || ((v & C_AVX) && !(v & C_SSE)))
		x86_gp(c, 0, RULE_GP_XCR0_VALUE);
	c->xcr0 = v;
	x86_vec_mode_changed(c);
}

/* ---- x87 and MXCSR control ---- */

void x86_fpu_init(struct x86_cpu *c, bool reset)
{
	x86_fpu_flush(c);
	if (reset) {
		memset(&c->fpu, 0, sizeof c->fpu);
		c->fpu.fcw = 0x40;
		c->fpu.ftw = 0xff; /* all registers hold +0.0. APM2 14.1.3 */
		c->fpu.mxcsr = MXCSR_DEFAULT;
		c->xcr0 = C_X87;
		return;
	}
	x86_x87_set_top(&c->fpu, 0);
	c->fpu.fcw = 0x37f;
	c->fpu.fsw = c->fpu.fop = 0;
	c->fpu.ftw = 0; /* all empty */
	c->fpu.fip = c->fpu.fdp = 0;
	c->fpu.fcs = c->fpu.fds = 0;
	c->fpu.ignne = 0;
}

static void need_sse(struct x86_cpu *c)
{
	if ((c->cr0 & CR0_EM) || !(c->cr4 & CR4_OSFXSR))
		x86_ud(c, RULE_UD_SSE_OFF);
	if (c->cr0 & CR0_TS)
		x86_raise(c, VEC_NM, -1, RULE_NM_TS);
}

void x86i_ldmxcsr(struct x86_cpu *c, const struct x86_op *o)
{
	u32 v;

	need_sse(c);
	v = (u32)x86_e_read(c, o, 4);
	need_mxcsr(c, v);
	vec_set_mxcsr(c, v);
}

void x86i_stmxcsr(struct x86_cpu *c, const struct x86_op *o)
{
	need_sse(c);
	x86_e_write(c, o, 4, vec_mxcsr(c));
}
