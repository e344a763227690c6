/*
 * The x87 instructions that do not compute: control and status word, environments and whole states (FNSTENV, FLDENV, FNSAVE, FRSTOR in
 * their four layouts), FNCLEX, FNINIT, WAIT. FXSAVE and XSAVE are in xsave.c. APM5; APM2 11.4; APM1 6.2, 6.9.
 */
#include "cpu_x86/fpu.h"
#include "cpu_x86/system.h"

#define FCW_WRITABLE 0x1f3fu
#define FCW_FIXED    0x40u /* reads as 1 */

/* Instructions without a look at pending exceptions. APM5: #NM when CR0.EM or CR0.TS is set. */
static void check_available(struct x86_cpu *c)
{
	if (c->cr0 & (CR0_EM | CR0_TS))
		x86_raise(c, VEC_NM, -1, RULE_NM_X87);
}

/* ---- control and status word: in the host while it has the registers ---- */

void x86i_fnstcw(struct x86_cpu *c, const struct x86_op *o)
{
	check_available(c);
	x86_e_write(c, o, 2, c->fp == FP_X87 ? fpu_host_fnstcw() : c->fpu.fcw);
}

static u16 status(const struct x86_cpu *c) { return c->fp == FP_X87 ? fpu_host_fnstsw() : c->fpu.fsw; }

void x86i_fnstsw(struct x86_cpu *c, const struct x86_op *o)
{
	check_available(c);
	x86_e_write(c, o, 2, status(c));
}

void x86i_fnstsw_ax(struct x86_cpu *c, const struct x86_op *o)
{
	(void)o;
	check_available(c);
	x86_reg_write(c, R_AX, 2, status(c));
}

static u16 control_word(u64 v) { return (u16)((v & FCW_WRITABLE) | FCW_FIXED); }

void x86i_fldcw(struct x86_cpu *c, const struct x86_op *o)
{
	u16 v;

	x86_x87_check(c);
	v = control_word(x86_e_read(c, o, 2));
	if (c->fp == FP_X87 && (v & X87_EXCEPTIONS) == X87_EXCEPTIONS) {
		fpu_host_fldcw(v);
		return;
	}
	x86_fpu_flush(c);
	c->fpu.fcw = v;
	x86_x87_status(c);
}

void x86i_fnclex(struct x86_cpu *c, const struct x86_op *o)
{
	(void)o;
	check_available(c);
	if (c->fp == FP_X87) {
		fpu_host_fnclex();
		return;
	}
	c->fpu.fsw &= (u16)~FSW_FLAGS;
	x86_x87_status(c);
}

void x86i_fninit(struct x86_cpu *c, const struct x86_op *o)
{
	(void)o;
	check_available(c);
	x86_fpu_init(c, false);
}

/* FENI, FDISI, FSETPM: what the 8087 and 80287 did is done no more. */
void x86i_x87_nop(struct x86_cpu *c, const struct x86_op *o)
{
	(void)o;
	check_available(c);
}

void x86i_fwait(struct x86_cpu *c, const struct x86_op *o)
{
	(void)o;
	if ((c->cr0 & (CR0_TS | CR0_MP)) == (CR0_TS | CR0_MP))
		x86_raise(c, VEC_NM, -1, RULE_NM_WAIT);
	if (c->fp == FP_MEMORY)
		x86_x87_pending(c);
}

/* ---- tags in FNSTENV's form: 0 valid, 1 zero, 2 special, 3 empty, by register number. APM2 11.4.4 ---- */

static unsigned tag_of(const u8 st[10])
{
	u64 m = load_le(st, 8);
	unsigned exp = (unsigned)load_le(st + 8, 2) & 0x7fff;

	if (!exp && !m)
		return 1;
	return exp == 0 || exp == 0x7fff || !(m >> 63) ? 2 : 0;
}

u16 x86_x87_tags(const struct x86_fpu *f)
{
	unsigned v = 0;

	for (unsigned r = 0; r < 8; r++)
		v |= (f->ftw >> r & 1 ? tag_of(f->st[(r - fpu_top(f)) & 7]) : 3u) << (2 * r);
	return (u16)v;
}

/* ---- environments: 28 bytes with 32-bit operands, 14 with 16-bit ones ---- */
enum { ENV_WORDS = 7, STATE_SIZE = 80 };

static bool wide(const struct x86_op *o) { return op_size(o) >= 4; }
static unsigned env_size(const struct x86_op *o) { return wide(o) ? 28 : 14; }
static bool real_form(const struct x86_cpu *c) { return !x86_protected(c); }

/* The seven fields, in 32 bits each; real mode and virtual-8086 mode have linear addresses. Reserved upper halves read as ones. */
static void make_env(const struct x86_cpu *c, const struct x86_op *o, u32 e[ENV_WORDS])
{
	const struct x86_fpu *f = &c->fpu;
	u32 ip = (u32)f->fip, dp = (u32)f->fdp, ones = wide(o) ? 0xffff0000 : 0;

	e[0] = ones | f->fcw;
	e[1] = ones | f->fsw;
	e[2] = ones | x86_x87_tags(f);
	if (!real_form(c)) {
		e[3] = ip;
		e[4] = f->fcs;
		e[5] = dp;
		e[6] = ones | f->fds;
		if (wide(o))
			e[4] |= (u32)f->fop << 16;
		return;
	}
	ip += (u32)f->fcs << 4;
	dp += (u32)f->fds << 4;
	e[3] = ones | (ip & 0xffff);
	e[4] = (ip >> 16 & (wide(o) ? 0xffff : 15)) << 12 | f->fop;
	e[5] = ones | (dp & 0xffff);
	e[6] = (dp >> 16 & (wide(o) ? 0xffff : 15)) << 12;
}

static void take_env(struct x86_cpu *c, const struct x86_op *o, const u32 e[ENV_WORDS])
{
	struct x86_fpu *f = &c->fpu;

	x86_x87_set_top(f, e[1] >> 11 & 7);
	f->fcw = control_word(e[0]);
	f->fsw = (u16)e[1];
	f->ftw = fpu_tags_abridged((u16)e[2]);
	if (real_form(c)) {
		f->fip = (e[3] & 0xffff) | (e[4] >> 12 & 0xffff) << 16;
		f->fdp = (e[5] & 0xffff) | (e[6] >> 12 & 0xffff) << 16;
		f->fop = e[4] & 0x7ff;
		f->fcs = f->fds = 0;
	} else {
		f->fip = e[3];
		f->fdp = e[5];
		f->fcs = (u16)e[4];
		f->fds = (u16)e[6];
		f->fop = wide(o) ? e[4] >> 16 & 0x7ff : 0;
	}
	if (x86_has(c->model, X86_F_ZERO_FCS_FDS))
		f->fcs = f->fds = 0;
	x86_x87_status(c);
}

/* The linear address of an image: both ends checked, alignment as for its fields. */
static u64 image_at(struct x86_cpu *c, const struct x86_op *o, unsigned size, bool write)
{
	u64 off = x86_ea(c, o), va = x86_linear(c, op_seg(o), off, wide(o) ? 4 : 2, write);

	x86_linear(c, op_seg(o), off + size - 1, 1, write);
	if (write)
		x86_probe_write(c, va, size, c->cpl);
	return va;
}

static void store_env(struct x86_cpu *c, const struct x86_op *o, u64 va)
{
	u32 e[ENV_WORDS];
	unsigned n = wide(o) ? 4 : 2;

	make_env(c, o, e);
	for (unsigned i = 0; i < ENV_WORDS; i++)
		x86_store(c, va + i * n, n, e[i] & mask_low(n * 8));
}

static void load_env(struct x86_cpu *c, const struct x86_op *o, u64 va, u32 e[ENV_WORDS])
{
	unsigned n = wide(o) ? 4 : 2;

	for (unsigned i = 0; i < ENV_WORDS; i++)
		e[i] = (u32)x86_load(c, va + i * n, n);
}

void x86i_fnstenv(struct x86_cpu *c, const struct x86_op *o)
{
	u64 va;

	check_available(c);
	va = image_at(c, o, env_size(o), true);
	x86_fpu_flush(c);
	store_env(c, o, va);
	c->fpu.fcw |= X87_EXCEPTIONS;
	x86_x87_status(c);
}

void x86i_fldenv(struct x86_cpu *c, const struct x86_op *o)
{
	u32 e[ENV_WORDS];

	x86_x87_check(c);
	load_env(c, o, image_at(c, o, env_size(o), false), e);
	x86_fpu_flush(c);
	take_env(c, o, e);
}

void x86i_fnsave(struct x86_cpu *c, const struct x86_op *o)
{
	u64 va;

	check_available(c);
	va = image_at(c, o, env_size(o) + STATE_SIZE, true);
	x86_fpu_flush(c);
	store_env(c, o, va);
	va += env_size(o);
	for (unsigned i = 0; i < 8; i++) {
		x86_store(c, va + i * 10, 8, load_le(c->fpu.st[i], 8));
		x86_store(c, va + i * 10 + 8, 2, load_le(c->fpu.st[i] + 8, 2));
	}
	x86_fpu_init(c, false);
}

void x86i_frstor(struct x86_cpu *c, const struct x86_op *o)
{
	u32 e[ENV_WORDS];
	u8 st[STATE_SIZE];
	u64 va;

	x86_x87_check(c);
	va = image_at(c, o, env_size(o) + STATE_SIZE, false);
	load_env(c, o, va, e);
	for (unsigned i = 0; i < STATE_SIZE; i += 8)
		store_le(st + i, 8, x86_load(c, va + env_size(o) + i, 8));
	x86_fpu_flush(c);
	take_env(c, o, e);
	for (unsigned i = 0; i < 8; i++)
		memcpy(c->fpu.st[i], st + i * 10, 10);
}
