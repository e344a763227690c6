/*
 * Around x87 instructions: what each looks at first (CR0, pending exceptions, FERR and IGNNE), moving the state between x86_cpu.fpu and
 * the host, and the slow way of one instruction on the state in memory: with unmasked exceptions, and for stores that need the
 * out-of-line access. APM1 6.8, 6.9; APM2 8.2.8, 8.2.17.
 */
#include "cpu_x86/fpu.h"
#include "cpu_x86/system.h"

/* Opcode and data pointer of the last instruction become visible. Models with FDP_EXCPTN_ONLY keep them for unmasked exceptions, those with
 * ZERO_FCS_FDS have no selectors: Intel's; AMD's processors have neither. SDM1 8.1.8, 8.1.9 */
static void show_pointers(struct x86_cpu *c)
{
	if (!x86_has(c->model, X86_F_FDP_EXCPTN_ONLY) || c->fpu.fsw & FSW_ES) {
		c->fpu.fop = c->x87_fop;
		c->fpu.fdp = c->x87_fdp;
		c->fpu.fds = c->x87_fds;
	}
	if (x86_has(c->model, X86_F_ZERO_FCS_FDS))
		c->fpu.fcs = c->fpu.fds = 0;
}

static void hide_pointers(struct x86_cpu *c)
{
	c->x87_fop = c->fpu.fop;
	c->x87_fdp = c->fpu.fdp;
	c->x87_fds = c->fpu.fds;
}

void x86_fpu_away(struct x86_cpu *c)
{
	if (c->fp == FP_X87) {
		fpu_host_store(&c->fpu);
		show_pointers(c);
	}
	c->fp = FP_MEMORY;
}

/* Without CR0.NE an exception goes out on FERR, which the PC makes IRQ 13, and the processor stays at this instruction until an
 * interrupt comes, unless IGNNE is asserted (by the PC's port F0h). APM2 8.2.16, 15.14.2 */
static void NORETURN freeze(struct x86_cpu *c)
{
	svm_check(c, &c->svm, ICPT_FERR_FREEZE);
	if (c->board.ferr)
		c->board.ferr(c->board.arg, true);
	x86_sync(c);
	c->activity = ACT_HALT;
	longjmp(c->unwind, UNWIND_WORLD);
}

void x86_x87_pending(struct x86_cpu *c)
{
	if (likely(!(c->fpu.fsw & FSW_ES)))
		return;
	if (c->cr0 & CR0_NE)
		x86_raise(c, VEC_MF, -1, RULE_MF_PENDING);
	if (!c->fpu.ignne)
		freeze(c);
}

void x86_ignne(struct x86_cpu *c)
{
	if (c->fp == FP_MEMORY && c->fpu.fsw & FSW_ES) /* nothing is pending in the other states */
		c->fpu.ignne = 1;
}

void x86_x87_check(struct x86_cpu *c)
{
	if (c->cr0 & (CR0_EM | CR0_TS))
		x86_raise(c, VEC_NM, -1, RULE_NM_X87);
	x86_x87_pending(c);
}

void x86_x87_status(struct x86_cpu *c)
{
	c->fpu.fsw = fpu_summarize(c->fpu.fsw, c->fpu.fcw);
	if (!(c->fpu.fsw & FSW_ES))
		c->fpu.ignne = 0;
}

/* Registers keep their places when TOP changes other than by loading them: those in memory are in the order of ST. */
void x86_x87_set_top(struct x86_fpu *f, unsigned top)
{
	u8 old[8][16];
	unsigned by = top - fpu_top(f);

	memcpy(old, f->st, sizeof old);
	for (unsigned i = 0; i < 8; i++)
		memcpy(f->st[i], old[(i + by) & 7], 16);
	f->fsw = (u16)((f->fsw & ~FSW_TOP) | (top & 7) << 11);
}

/* ---- one instruction on the state in memory ---- */

/* Operand sizes by opcode and ModRM.reg; the sign tells stores. */
static const s8 operand_size[8][8] = {
        {4, 4, 4, 4, 4, 4, 4, 4},   {4, 0, -4, -4, 0, 0, 0, 0}, {4, 4, 4, 4, 4, 4, 4, 4}, {4, -4, -4, -4, 0, 10, 0, -10},
        {8, 8, 8, 8, 8, 8, 8, 8},   {8, -8, -8, -8, 0, 0, 0, 0}, {2, 2, 2, 2, 2, 2, 2, 2}, {2, -2, -2, -2, 10, 8, -10, -8},
};

u64 x87_linear(struct x86_cpu *c, const struct x86_op *o, unsigned size, bool write)
{
	u64 va = x86_linear(c, op_seg(o), x86_ea(c, o), size, write);

	if (unlikely(size == 10 && va & 7 && c->cpl == 3 && c->flags & FLAG_AC && c->cr0 & CR0_AM))
		x86_raise(c, VEC_AC, 0, RULE_AC_ALIGN);
	return va;
}

static void load_operand(struct x86_cpu *c, u64 va, unsigned size, u8 buf[16])
{
	store_le(buf, 8, x86_load(c, va, size > 8 ? 8 : size));
	if (size > 8)
		store_le(buf + 8, 2, x86_load(c, va + 8, 2));
}

static void store_operand(struct x86_cpu *c, u64 va, unsigned size, const u8 buf[16])
{
	if (size > 8)
		x86_probe_write(c, va, size, c->cpl);
	x86_store(c, va, size > 8 ? 8 : size, load_le(buf, 8));
	if (size > 8)
		x86_store(c, va + 8, 2, load_le(buf + 8, 2));
}

static void to_image(const struct x86_fpu *f, struct fpu_image *img)
{
	*img = (struct fpu_image){.fcw = f->fcw, .fsw = f->fsw, .ftw = fpu_tags_wide(f->ftw)};
	if (f->fsw & FSW_ES) /* ignored by IGNNE: the host must not trap */
		img->fsw &= (u16) ~(FSW_ES | FSW_B | X87_EXCEPTIONS);
	for (unsigned i = 0; i < 8; i++)
		memcpy(img->st[i], f->st[i], 10);
}

static void from_image(struct x86_fpu *f, const struct fpu_image *img)
{
	f->fsw = fpu_summarize(img->fsw | (f->fsw & X87_EXCEPTIONS), f->fcw);
	f->ftw = fpu_tags_abridged(img->ftw);
	for (unsigned i = 0; i < 8; i++)
		memcpy(f->st[i], img->st[i], 10);
}

/* Does the instruction change rFLAGS (FCOMI and its kin)? */
static bool sets_flags(unsigned opcode, unsigned modrm)
{
	return (opcode & 0xfb) == 0xdb && modrm >= 0xe8 && modrm <= 0xf7;
}

/* The exceptions that keep a result from memory when they are unmasked. APM1 6.8.3 */
static bool stored(const struct fpu_image *img) { return !(img->fsw & ~img->fcw & (FSW_IE | FSW_OE | FSW_UE)); }

static void one(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned fop = x87_fop(o), opcode = 0xd8 | fop >> 8, modrm = fop & 0xff;
	int size = modrm >= 0xc0 ? 0 : operand_size[opcode & 7][modrm >> 3 & 7];
	unsigned n = (unsigned)(size < 0 ? -size : size);
	struct fpu_image img;
	u8 buf[16];
	u64 flags;

	c->op = o;
	if (size > 0)
		load_operand(c, x87_linear(c, o, n, false), n, buf);
	to_image(&c->fpu, &img);
	flags = fpu_host_one(&img, opcode, modrm, buf, flags_arith_get(c));
	if (size < 0 && stored(&img))
		store_operand(c, x87_linear(c, o, n, true), n, buf);
	from_image(&c->fpu, &img);
	if (sets_flags(opcode, modrm))
		flags_arith_set(c, (u32)flags);
	hide_pointers(c);
	x87_pointers(c, o);
	if (n) {
		c->x87_fdp = x86_ea(c, o);
		c->x87_fds = c->seg[op_seg(o)].sel;
	}
	show_pointers(c);
}

INSN x86_x87_enter(struct x86_cpu *c, const struct x86_op *o)
{
	c->op = o;
	x86_x87_check(c);
	x86_fpu_flush(c); /* MMX leaves its state in memory */
	if ((c->fpu.fcw & X87_EXCEPTIONS) != X87_EXCEPTIONS) {
		one(c, o);
		return x86_next(c, o);
	}
	fpu_host_load(&c->fpu);
	hide_pointers(c);
	c->fp = FP_X87;
	return x86_go(c, o);
}

INSN x86_x87_slow(struct x86_cpu *c, const struct x86_op *o)
{
	x86_fpu_flush(c);
	one(c, o);
	return x86_next(c, o);
}
