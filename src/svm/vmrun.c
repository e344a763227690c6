/* VMRUN: from the host into a guest. What the checks are: checks.def. The way back: vmexit.c, host.c. APM2 15.5.1. */
#include "base/cover.h"
#include "cpu_x86/flags.h"
#include "cpu_x86/system.h"
#include "svm/state.h"

#define CR0_DEFINED    (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG)
#define RFLAGS_DEFINED 0x3f7fd5u /* all but the reserved ones and bit 1 */

/* ---- loading: each group from the VMCB, unless its clean bit says that the cached one is as good. APM2 15.15 ---- */

static void load_intercepts(struct x86_cpu *c, const u8 *v)
{
	struct svm_state *s = &c->svm;

	memcpy(s->icpt, v, sizeof s->icpt); /* vectors 0..5 are the VMCB's first words */
	s->tsc_offset = vmcb_tsc_offset(v);
	svm_priv(s)->g.pause_count = vmcb_pause_count(v);
}

/* V_INTR without the parts that this processor does not have: they are reserved, and ignored. */
static void load_int_ctl(struct x86_cpu *c, const u8 *v)
{
	u64 x = vmcb_int_ctl(v) & (0xffull << 32 | V_INTR_MASKING | V_IGN_TPR | 0xf0000 | V_IRQ | 0xff);

	if (x86_has(c->model, X86_F_VGIF))
		x |= vmcb_int_ctl(v) & (V_GIF | V_GIF_ENABLE);
	if (x86_has(c->model, X86_F_VNMI))
		x |= vmcb_int_ctl(v) & (V_NMI | V_NMI_MASK | V_NMI_ENABLE);
	c->svm.int_ctl = x;
}

static void load_segments(struct svm_load *g, const u8 *v)
{
	svm_seg_get(&g->es, vmcb_es(v));
	svm_seg_get(&g->cs, vmcb_cs(v));
	svm_seg_get(&g->ss, vmcb_ss(v));
	svm_seg_get(&g->ds, vmcb_ds(v));
	g->cpl = vmcb_cpl(v);
}

static void load_lbr(struct svm_load *g, const u8 *v)
{
	g->dbgctl = vmcb_dbgctl(v);
	g->br_from = vmcb_br_from(v);
	g->br_to = vmcb_br_to(v);
	g->exc_from = vmcb_exc_from(v);
	g->exc_to = vmcb_exc_to(v);
}

static void load_groups(struct x86_cpu *c, const u8 *v, u32 clean)
{
	struct svm_state *s = &c->svm;
	struct svm_load *g = &svm_priv(s)->g;
	u32 load = ~clean;

	if (load & BIT(VMCB_I))
		load_intercepts(c, v);
	if (load & BIT(VMCB_IOPM)) {
		s->iopm_pa = vmcb_iopm_pa(v);
		s->msrpm_pa = vmcb_msrpm_pa(v);
	}
	if (load & BIT(VMCB_ASID))
		s->asid = vmcb_asid(v);
	if (load & BIT(VMCB_TPR))
		load_int_ctl(c, v);
	if (load & BIT(VMCB_NP)) {
		g->ncr3 = vmcb_ncr3(v);
		g->g_pat = vmcb_g_pat(v);
	}
	if (load & BIT(VMCB_CRX)) {
		g->cr0 = vmcb_cr0(v);
		g->cr3 = vmcb_cr3(v);
		g->cr4 = vmcb_cr4(v);
		g->efer = vmcb_efer(v);
	}
	if (load & BIT(VMCB_DRX)) {
		g->dr6 = vmcb_dr6(v);
		g->dr7 = vmcb_dr7(v);
	}
	if (load & BIT(VMCB_DT)) {
		g->gdt = (struct x86_dt){vmcb_gdtr(v)->base, (u16)vmcb_gdtr(v)->limit, {0}};
		g->idt = (struct x86_dt){vmcb_idtr(v)->base, (u16)vmcb_idtr(v)->limit, {0}};
	}
	if (load & BIT(VMCB_SEG))
		load_segments(g, v);
	if (load & BIT(VMCB_CR2))
		g->cr2 = vmcb_cr2(v);
	if (load & BIT(VMCB_LBR) && svm_priv(s)->lbr)
		load_lbr(g, v);
}

/* What no clean bit covers, and what the CPU model has of it. */
static void load_switches(struct x86_cpu *c, const u8 *v)
{
	struct svm_priv *p = svm_priv(&c->svm);
	u64 ext = vmcb_virt_ext(v);

	p->g.np = vmcb_np_ctl(v) & NP_ENABLE && x86_has(c->model, X86_F_NPT);
	p->lbr = ext & LBR_ENABLE && x86_has(c->model, X86_F_LBRV);
	p->vmload = 0;
	if (unlikely(ext & VMLOAD_ENABLE) && x86_has(c->model, X86_F_VVMLOAD)) /* APM2 15.33.1 */
		p->vmload = p->g.np && x86_long64(c) ? SVM_VMLOAD_ON : SVM_VMLOAD_EXITS;
	p->g.eventinj = vmcb_eventinj(v);
	p->pause_threshold = x86_has(c->model, X86_F_PFTHRESHOLD) ? vmcb_pause_threshold(v) : 0;
}

void svm_forget(struct x86_cpu *c, u64 vmcb_pa)
{
	if (svm_priv(&c->svm)->cached_vmcb == vmcb_pa)
		svm_priv(&c->svm)->cached_vmcb = SVM_NOT_CACHED;
}

static void load_state(struct x86_cpu *c, const u8 *v)
{
	struct svm_priv *p = svm_priv(&c->svm);
	struct svm_load *g = &p->g;
	bool cached = p->cached_vmcb == c->svm.vmcb_pa && x86_has(c->model, X86_F_VMCBCLEAN);
	u32 clean = cached ? vmcb_clean(v) : 0;

	/* Not loaded the last time, so not cached either. */
	if (p->lbr && !p->lbr_cached)
		clean &= ~(u32)BIT(VMCB_LBR);
	if (unlikely(c->spy != NULL))
		svm_tell_loads(c, "VMRUN", c->svm.vmcb_pa, clean);
	load_groups(c, v, clean);
	p->lbr_cached = p->lbr;
	g->pdpe_bad = 0;
	if (unlikely(!g->np && g->cr0 & CR0_PG && g->cr4 & CR4_PAE && !(g->efer & EFER_LME))) {
		u64 pdpe[4];

		g->pdpe_bad = (u8)svm_pdpes_read(c, g->cr3, pdpe);
	}
}

/* ---- committing ---- */

/* Only some attributes are looked at; a code segment is one whatever its type says. APM2 15.5.1 */
static void put_segment(struct x86_cpu *c, unsigned seg, const struct x86_seg *g, u16 fixed)
{
	c->seg[seg] = (struct x86_seg){g->sel, (u16)((g->attr & 0xfff) | fixed), g->limit, (u32)g->base};
}

static void put_control(struct x86_cpu *c, const struct svm_load *g)
{
	c->cr0 = (g->cr0 & CR0_DEFINED) | CR0_ET;
	c->cr2 = g->cr2;
	c->cr3 = g->cr3;
	c->cr4 = g->cr4;
	c->efer = g->efer & ~(0xfeull | EFER_LMA);
	if (c->efer & EFER_LME &&
	    c->cr0 & CR0_PG) /* LMA follows, whatever the VMCB says: a guess, as the manual is silent */
		c->efer |= EFER_LMA;
	c->dr[6] = (g->dr6 & DR6_WRITABLE) | DR6_FIXED;
	c->dr[7] = (g->dr7 & DR7_WRITABLE) | DR7_FIXED;
	if (unlikely(c->cr0 & CR0_PG && c->cr4 & CR4_PAE && !(c->efer & EFER_LMA) && !g->np))
		svm_pdpes_read(c, c->cr3, c->pdpte);
}

static void put_segments(struct x86_cpu *c, const struct svm_load *g)
{
	put_segment(c, SEG_ES, &g->es, 0);
	put_segment(c, SEG_CS, &g->cs, ATTR_P | ATTR_S | 8);
	put_segment(c, SEG_SS, &g->ss, 0);
	put_segment(c, SEG_DS, &g->ds, 0);
	c->gdt = g->gdt;
	c->idt = g->idt;
	c->gdt.base = svm_canonical(c, g->gdt.base);
	c->idt.base = svm_canonical(c, g->idt.base);
}

static void put_registers(struct x86_cpu *c, const u8 *v, const struct svm_load *g)
{
	u32 f = (u32)vmcb_rflags(v) & RFLAGS_DEFINED;

	if (c->efer & EFER_LMA)
		f &= ~(u32)FLAG_VM; /* there is no virtual-8086 mode in long mode: a guess */
	flags_arith_set(c, f);
	c->flags = f & ~(u32)FLAGS_ARITH;
	c->cpl = !(c->cr0 & CR0_PE) ? 0 : f & FLAG_VM ? 3 : g->cpl & 3;
	c->rip = vmcb_rip(v);
	c->r[R_SP] = vmcb_rsp(v);
	c->r[R_AX] = vmcb_rax(v);
	c->shadow = vmcb_int_state(v) & 1;
	c->shadow_nmi = 0;
	c->pending &= ~(u32)(PEND_SHADOW | PEND_DB | PEND_VIRQ | PEND_VNMI);
	if (c->shadow)
		c->pending |= PEND_SHADOW;
	c->db_pending = 0;
}

static void put_msrs(struct x86_cpu *c, const struct svm_priv *p)
{
	if (p->g.np)
		c->msr.pat = p->g.g_pat;
	if (unlikely(p->lbr)) {
		c->msr.debugctl = p->g.dbgctl;
		c->msr.br_from = p->g.br_from;
		c->msr.br_to = p->g.br_to;
		c->msr.exc_from = p->g.exc_from;
		c->msr.exc_to = p->g.exc_to;
	}
}

/* The nested tables have the paging mode that the host had at VMRUN. APM2 15.25.3 */
void svm_nested_paging(struct x86_cpu *c, struct paging *np)
{
	const struct svm_priv *p = svm_priv(&c->svm);
	bool lm = p->host_efer & EFER_LMA, pae = p->host_cr4 & CR4_PAE;

	np->levels = lm ? (p->host_cr4 & CR4_LA57 ? 5 : 4) : pae ? 3 : 2;
	np->root =
		lm ? p->g.ncr3 & mask_low(c->model->pa_bits) & PAGE_MASK : p->g.ncr3 & (pae ? 0xffffffe0 : 0xfffff000);
	np->pse = p->host_cr4 & CR4_PSE;
	np->nx = p->host_efer & EFER_NXE;
	np->wp = true; /* every nested access is a user access. APM2 15.25.5, 15.25.7 */
	np->smep = np->smap = np->pge = np->use_pdpte = false;
	np->page1gb = x86_has(c->model, X86_F_PAGE1GB);
	np->pa_bits = c->model->pa_bits;
}

void svm_state_changed(struct x86_cpu *c)
{
	if (c->svm.guest && c->svm.np)
		svm_nested_paging(c, &c->tlb.env.np);
}

/* APM2 15.16.1. The reserved encodings flush everything: a guess on the safe side. */
static void flush(struct x86_cpu *c, u8 control)
{
	bool by_asid = x86_has(c->model, X86_F_FLUSHBYASID);

	if (likely(!control))
		return;
	if (control == 3 && by_asid)
		tlb_flush_asid(&c->tlb, c->svm.asid, false);
	else if (control == 7 && by_asid)
		tlb_flush_asid(&c->tlb, c->svm.asid, true);
	else
		tlb_flush_everything(&c->tlb);
}

static void pend_events(struct x86_cpu *c, const u8 *v)
{
	struct svm_priv *p = svm_priv(&c->svm);

	p->event = 0;
	p->soft = p->nmi_event = 0;
	p->inject = unlikely(p->g.eventinj & EVENT_V) ? p->g.eventinj : 0;
	p->inject_nrip = x86_has(c->model, X86_F_NRIPS) ? vmcb_nrip(v) : c->rip;
	p->pause_left = x86_has(c->model, X86_F_PAUSEFILTER) ? p->g.pause_count : 0;
	p->pause_time = 0;
	if (p->inject || svm_virtual_pending(c))
		c->pending |= PEND_VIRQ;
}

static void enter(struct x86_cpu *c, const u8 *v)
{
	struct svm_state *s = &c->svm;
	struct svm_priv *p = svm_priv(s);

	put_control(c, &p->g);
	put_segments(c, &p->g);
	put_registers(c, v, &p->g);
	put_msrs(c, p);
	s->guest = 1;
	s->gif = 1;
	s->np = p->g.np != 0;
	s->smm_suspends = 0;
	c->activity = ACT_RUN;
	c->faults = 0;
	c->monitor_pa = MONITOR_NONE;
	flush(c, vmcb_tlb_control(v));
	svm_state_changed(c);
	svm_world_changed(c);
	if (unlikely(!x86_long64(c)))
		c->rip = (u32)c->rip;
	pend_events(c, v);
}

/* ---- the instruction ---- */

static void put_refusal(struct x86_cpu *c, u8 *v, const void *arg)
{
	(void)c, (void)arg;
	vmcb_set_exitcode(v, SVM_EXIT_INVALID);
	vmcb_set_exitinfo1(v, 0);
	vmcb_set_exitinfo2(v, 0);
	vmcb_set_exitintinfo(v, 0);
	vmcb_set_eventinj(v, 0);
}

/* The state was refused: nothing of it was loaded, and the host goes on as after any #VMEXIT. APM2 15.5.1 */
static COLD NOINLINE void NORETURN refuse(struct x86_cpu *c)
{
	struct svm_state *s = &c->svm;
	struct svm_priv *p = svm_priv(s);

	cover(COVER_EXIT, COVER_NEGATIVE + ~SVM_EXIT_INVALID);
	p->cached_vmcb = SVM_NOT_CACHED;
	p->lbr = 0;
	if (c->spy)
		svm_tell_stores(c, "VMRUN, refused,", s->vmcb_pa, put_refusal, NULL);
	put_refusal(c, svm_page_write(c, s->vmcb_pa), NULL);
	if (event_on(c->log, EV_VMEXIT))
		x86_log(c, EV_VMEXIT, 1, s->vmcb_pa, SVM_EXIT_INVALID);
	svm_to_host(c);
}

void svm_vmrun(struct x86_cpu *c, u64 rax)
{
	struct svm_state *s = &c->svm;
	struct svm_priv *p = svm_priv(s);
	struct svm_limits l;
	const u8 *v;
	u64 next;

	svm_insn_check(c);
	svm_vmcb_check(c, rax);
	svm_check(c, s, ICPT_VMRUN);
	if (unlikely(s->smm_suspends))
		x86_unimplemented(c, "VMRUN inside the SMM handler that interrupted a guest (undefined: APM2 15.5)");
	next = x86_next_rip(c);
	x86_sync(c);
	c->budget--; /* VMRUN is retired now; the guest's instructions count for themselves */
	s->vmcb_pa = rax;
	p->host_cr0 = c->cr0;
	p->host_cr4 = c->cr4;
	p->host_efer = c->efer;
	p->host_if = (c->flags & FLAG_IF) != 0;
	load_switches(c, svm_page_read(c, rax));
	svm_host_save(c, next);
	v = svm_page_read(c, rax);
	load_state(c, v);
	svm_limits_get(c, &l);
	p->failed = svm_check_state(s, &l);
	if (unlikely(event_on(c->log, EV_VMRUN)))
		x86_log(c, EV_VMRUN, s->asid, rax, vmcb_rip(v));
	if (unlikely(p->failed))
		refuse(c);
	p->cached_vmcb = rax;
	enter(c, v);
	longjmp(c->unwind, UNWIND_WORLD);
}
