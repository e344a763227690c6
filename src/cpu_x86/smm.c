/*
 * System management mode: taking an SMI, the AMD64 state save area, RSM with its checks. SMRAM itself (who sees the
 * memory behind A0000h or TSeg) is the board's, told by smm_changed. An SMI in a guest leaves the guest aside: in SMM
 * svm.guest is 0 and svm.smm_suspends 1, so that nothing is intercepted or translated by nested tables. APM2 ch.
 * 10, 15.22.
 */
#include <stdio.h>

#include "cpu_x86/system.h"

#define SMM_REVISION 0x30064u /* I/O restart field, SMBASE relocation, level 64h. APM2 10.2.4 */
#define FLAGS_ALL    0x3f7fd7ull

/* Offsets from SMBASE. APM2 table 10-1 */
enum {
	SMM_ENTRY = 0x8000,
	SMM_SEG = 0xfe00, /* ES CS SS DS FS GS: 16 bytes each, as in the VMCB */
	SMM_GDTR = 0xfe60,
	SMM_LDTR = 0xfe70,
	SMM_IDTR = 0xfe80,
	SMM_TR = 0xfe90,
	SMM_IO_RESTART = 0xfec0, /* rIP .. dword, restart byte: zero, see x86_smi */
	SMM_HALT = 0xfec9,
	SMM_CPL = 0xfeca, /* reserved bytes, ours: CPL */
	SMM_NMI = 0xfecb, /* ... and whether NMIs were masked */
	SMM_EFER = 0xfed0,
	SMM_GUEST = 0xfed8,
	SMM_VMCB = 0xfee0,
	SMM_VINTR = 0xfee8,
	SMM_REVISION_ID = 0xfefc,
	SMM_BASE = 0xff00,
	SMM_CR4 = 0xff48,
	SMM_CR3 = 0xff50,
	SMM_CR0 = 0xff58,
	SMM_DR7 = 0xff60,
	SMM_DR6 = 0xff68,
	SMM_RFLAGS = 0xff70,
	SMM_RIP = 0xff78,
	SMM_R15 = 0xff80, /* down to RAX at FFF8h */
};

static u64 get(struct x86_cpu *c, unsigned off, unsigned size)
{
	return space_read(c->mem, (u32)c->msr.smbase + off, size);
}
static void put(struct x86_cpu *c, unsigned off, unsigned size, u64 v)
{
	space_write(c->mem, (u32)c->msr.smbase + off, size, v);
}

/* The order of the area: ES CS SS DS FS GS are segments 0 to 5. */
static void seg_save(struct x86_cpu *c, unsigned at, const struct x86_seg *s)
{
	put(c, at, 2, s->sel);
	put(c, at + 2, 2, s->attr);
	put(c, at + 4, 4, s->limit);
	put(c, at + 8, 8, s->base);
}
static void seg_load(struct x86_cpu *c, unsigned at, struct x86_seg *s)
{
	s->sel = (u16)get(c, at, 2);
	s->attr = get(c, at + 2, 2) & 0xfff;
	s->limit = (u32)get(c, at + 4, 4);
	s->base = get(c, at + 8, 8);
}
static void dt_save(struct x86_cpu *c, unsigned at, const struct x86_dt *d)
{
	put(c, at + 4, 2, d->limit);
	put(c, at + 8, 8, d->base);
}
static void dt_load(struct x86_cpu *c, unsigned at, struct x86_dt *d)
{
	d->limit = (u16)get(c, at + 4, 2);
	d->base = (u64)sign_extend(get(c, at + 8, 8), c->model->la57 ? 57 : 48);
}

static void save_state(struct x86_cpu *c)
{
	for (unsigned i = SMM_SEG; i < 0x10000; i += 8)
		put(c, i, 8, 0);
	for (unsigned s = SEG_ES; s <= SEG_GS; s++)
		seg_save(c, SMM_SEG + s * 16, &c->seg[s]);
	dt_save(c, SMM_GDTR, &c->gdt);
	seg_save(c, SMM_LDTR, &c->seg[SEG_LDTR]);
	dt_save(c, SMM_IDTR, &c->idt);
	seg_save(c, SMM_TR, &c->seg[SEG_TR]);
	put(c, SMM_HALT, 1, c->activity == ACT_HALT);
	put(c, SMM_CPL, 1, c->cpl);
	put(c, SMM_NMI, 1, c->nmi_masked);
	put(c, SMM_EFER, 8, c->efer);
	put(c, SMM_GUEST, 8, c->svm.guest);
	put(c, SMM_VMCB, 8, c->svm.guest ? c->svm.vmcb_pa : 0);
	put(c, SMM_VINTR, 8, c->svm.guest ? c->svm.int_ctl : 0);
	put(c, SMM_REVISION_ID, 4, SMM_REVISION);
	put(c, SMM_BASE, 4, c->msr.smbase);
	put(c, SMM_CR4, 8, c->cr4);
	put(c, SMM_CR3, 8, c->cr3);
	put(c, SMM_CR0, 8, c->cr0);
	put(c, SMM_DR7, 8, c->dr[7]);
	put(c, SMM_DR6, 8, c->dr[6]);
	put(c, SMM_RFLAGS, 8, x86_get_flags(c));
	put(c, SMM_RIP, 8, c->rip);
	for (unsigned r = 0; r < 16; r++)
		put(c, SMM_R15 + (15 - r) * 8, 8, c->r[r]);
}

/* APM2 table 10-3 */
static void enter_environment(struct x86_cpu *c)
{
	u32 base = (u32)c->msr.smbase;

	c->cr0 &= ~(CR0_PE | CR0_EM | CR0_TS | CR0_PG);
	c->cr4 = 0;
	c->efer = 0;
	c->dr[7] = DR7_FIXED;
	for (unsigned s = SEG_ES; s <= SEG_GS; s++)
		c->seg[s] = (struct x86_seg){.attr = ATTR_P | ATTR_S | ATTR_G | 3, .limit = 0xffffffff};
	c->seg[SEG_CS].sel = (u16)(base >> 4);
	c->seg[SEG_CS].base = base;
	c->seg[SEG_CS].attr = ATTR_P | ATTR_S | ATTR_G | 0xb;
	c->cpl = 0;
	x86_set_flags(c, FLAG_1, FLAGS_ALL);
	c->rip = SMM_ENTRY;
}

/*
 * The I/O restart fields stay zero (no I/O instruction was interrupted): an SMI that a port write raises is taken after
 * it. The guest's own host state (FF28h-FF47h) stays zero too; it lies in the host save area.
 */
void x86_smi(struct x86_cpu *c)
{
	if (!(c->msr.hwcr & HWCR_SMMLOCK)) /* APM2 15.13.3 */
		svm_check_event(c, ICPT_SMI);
	c->pending &= ~(u32)PEND_SMI;
	c->smm = 1;
	if (c->board.smm_changed)
		c->board.smm_changed(c->board.arg, c->id, true);
	save_state(c);
	if (c->svm.guest) {
		c->svm.guest = 0;
		c->svm.smm_suspends = 1;
	}
	enter_environment(c);
	c->nmi_masked = 1;
	c->shadow = c->shadow_nmi = 0;
	c->activity = ACT_RUN;
	c->monitor_pa = MONITOR_NONE;
	x86_state_changed(c);
	tlb_flush_everything(&c->tlb); /* APM2 5.5.3 */
}

/* What is wrong with the area, or NULL. APM2 10.4 */
static const char *area_error(struct x86_cpu *c)
{
	u64 cr0 = get(c, SMM_CR0, 8), cr4 = get(c, SMM_CR4, 8), efer = get(c, SMM_EFER, 8);
	bool is_long = (efer & EFER_LME) && (cr0 & CR0_PG);
	u16 cs = (u16)get(c, SMM_SEG + SEG_CS * 16 + 2, 2);

	if (cr0 >> 32)
		return "CR0 bits 63:32";
	if ((cr0 & CR0_PG) && !(cr0 & CR0_PE))
		return "CR0.PG without CR0.PE";
	if ((cr0 & CR0_NW) && !(cr0 & CR0_CD))
		return "CR0.NW without CR0.CD";
	if (get(c, SMM_CR3, 8) & ~mask_low(c->model->pa_bits))
		return "CR3 reserved bits";
	if (cr4 & ~x86_cr4_allowed(c->model))
		return "CR4 reserved bits";
	if (get(c, SMM_DR6, 8) >> 32 || get(c, SMM_DR7, 8) >> 32)
		return "DR6 or DR7 bits 63:32";
	if (efer & ~x86_efer_allowed(c->model))
		return "EFER reserved bits";
	if (is_long && !(cr4 & CR4_PAE))
		return "EFER.LME and CR0.PG without CR4.PAE";
	if (is_long && (cs & ATTR_L) && (cs & ATTR_DB))
		return "CS.L and CS.D in long mode";
	if (get(c, SMM_REVISION_ID, 4) != SMM_REVISION)
		return "SMM revision changed";
	return NULL;
}

static void load_segments(struct x86_cpu *c)
{
	unsigned bits_va = c->model->la57 ? 57 : 48;

	for (unsigned s = SEG_ES; s <= SEG_GS; s++)
		seg_load(c, SMM_SEG + s * 16, &c->seg[s]);
	dt_load(c, SMM_GDTR, &c->gdt);
	seg_load(c, SMM_LDTR, &c->seg[SEG_LDTR]);
	dt_load(c, SMM_IDTR, &c->idt);
	seg_load(c, SMM_TR, &c->seg[SEG_TR]);
	for (unsigned s = SEG_ES; s <= SEG_TR; s++) {
		struct x86_seg *g = &c->seg[s];

		g->base = s <= SEG_DS ? (u32)g->base : (u64)sign_extend(g->base, bits_va);
	}
}

static void load_state(struct x86_cpu *c)
{
	u64 flags = get(c, SMM_RFLAGS, 8);

	load_segments(c);
	c->cpl = get(c, SMM_CPL, 1) & 3;
	c->nmi_masked = get(c, SMM_NMI, 1) & 1;
	c->activity = get(c, SMM_HALT, 1) ? ACT_HALT : ACT_RUN;
	c->cr0 = get(c, SMM_CR0, 8) | CR0_ET;
	c->cr3 = get(c, SMM_CR3, 8);
	c->cr4 = get(c, SMM_CR4, 8);
	c->efer = get(c, SMM_EFER, 8) & ~EFER_LMA;
	if ((c->efer & EFER_LME) && (c->cr0 & CR0_PG) && (c->cr4 & CR4_PAE))
		c->efer |= EFER_LMA;
	if (!(c->cr0 & CR0_PE) || (c->efer & EFER_LMA))
		flags &= ~(u64)FLAG_VM;
	c->dr[6] = (get(c, SMM_DR6, 8) & DR6_WRITABLE) | DR6_FIXED;
	c->dr[7] = (get(c, SMM_DR7, 8) & DR7_WRITABLE) | DR7_FIXED;
	for (unsigned r = 0; r < 16; r++)
		c->r[r] = get(c, SMM_R15 + (15 - r) * 8, 8);
	c->rip = get(c, SMM_RIP, 8);
	if (get(c, SMM_GUEST, 8) && c->svm.smm_suspends)
		c->svm.guest = 1;
	c->svm.smm_suspends = 0;
	c->msr.smbase = get(c, SMM_BASE, 4); /* the last: it moves the area */
	x86_set_flags(c, flags | FLAG_1, FLAGS_ALL);
}

void x86i_rsm(struct x86_cpu *c, const struct x86_op *o)
{
	const char *why;

	(void)o;
	svm_check(c, &c->svm, ICPT_RSM); /* before any exception. APM2 15.9 */
	if (!c->smm)
		x86_ud(c, RULE_UD_RSM);
	why = area_error(c);
	if (why) {
		snprintf(c->stop_text, sizeof c->stop_text, "RSM refused the state save area: %s", why);
		c->activity = ACT_SHUTDOWN;
		return;
	}
	load_state(c);
	c->smm = 0;
	if (c->board.smm_changed)
		c->board.smm_changed(c->board.arg, c->id, false);
	svm_state_changed(c); /* back in a guest: its nested tables */
	x86_state_changed(c);
	tlb_flush_everything(&c->tlb); /* APM2 5.5.3 */
	x86_jump(c, c->rip);
}
