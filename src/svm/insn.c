/*
 * The SVM instructions besides VMRUN: VMLOAD, VMSAVE, VMMCALL, STGI, CLGI, SKINIT, INVLPGA. Each raises its exceptions
 * first, then checks its intercept, then acts. APM2 15.5.2, 15.16.2, 15.17, 15.18, 15.27, 15.33; APM3.
 */
#include "cpu_x86/block.h"
#include "cpu_x86/flags.h"
#include "cpu_x86/system.h"
#include "svm/state.h"

static void check_protected(struct x86_cpu *c)
{
	if (!x86_protected(c))
		x86_ud(c, RULE_UD_SVM_MODE);
	if (c->cpl)
		x86_gp(c, 0, RULE_GP_SVM_CPL);
}

void svm_insn_check(struct x86_cpu *c)
{
	if (unlikely(!(c->efer & EFER_SVME)))
		x86_ud(c, RULE_UD_SVM_OFF);
	if (unlikely(!x86_protected(c) || c->cpl))
		check_protected(c);
}

void svm_vmcb_check(struct x86_cpu *c, u64 rax)
{
	if (unlikely(rax & ~PAGE_MASK))
		x86_gp(c, 0, RULE_GP_VMCB_ALIGN);
	if (unlikely(rax & ~mask_low(c->model->pa_bits)))
		x86_gp(c, 0, RULE_GP_VMCB_WIDTH);
}

/* ---- VMLOAD, VMSAVE ---- */

/* Where a guest's VMLOAD or VMSAVE works: with virtualization rAX is a guest-physical address. APM2 15.33.1 */
static u64 vmcb_address(struct x86_cpu *c, u64 rax, enum svm_intercept i)
{
	struct svm_priv *p = svm_priv(&c->svm);
	struct walk w;

	if (likely(!c->svm.guest) || c->svm.smm_suspends || !p->vmload)
		return rax;
	if (p->vmload == SVM_VMLOAD_EXITS)
		svm_exit(c, svm_code(i), 0, 0);
	walk_nested(&c->tlb.env, rax, ACC_USER | (i == ICPT_VMSAVE ? ACC_WRITE : ACC_READ), true, &w);
	if (w.why != WALK_OK) {
		p->npf_va = rax;
		p->npf_physical = 1;
		svm_exit(c, SVM_EXIT_NPF, w.exitinfo1, w.gpa);
	}
	return w.pa;
}

static void load_system_segment(struct x86_cpu *c, unsigned seg, const struct vmcb_seg *from)
{
	svm_seg_get(&c->seg[seg], from);
	c->seg[seg].attr &= 0xfff;
	c->seg[seg].base = svm_canonical(c, c->seg[seg].base);
	x86_seg_changed(c, seg);
}

void svm_vmload(struct x86_cpu *c, u64 rax)
{
	const u8 *v;

	svm_insn_check(c);
	svm_vmcb_check(c, rax);
	svm_check(c, &c->svm, ICPT_VMLOAD);
	rax = vmcb_address(c, rax, ICPT_VMLOAD);
	if (unlikely(c->spy != NULL))
		svm_tell_vmload(c, rax);
	v = svm_page_read(c, rax);
	load_system_segment(c, SEG_FS, vmcb_fs(v));
	load_system_segment(c, SEG_GS, vmcb_gs(v));
	load_system_segment(c, SEG_LDTR, vmcb_ldtr(v));
	load_system_segment(c, SEG_TR, vmcb_tr(v));
	c->msr.star = vmcb_star(v);
	c->msr.lstar = svm_canonical(c, vmcb_lstar(v));
	c->msr.cstar = svm_canonical(c, vmcb_cstar(v));
	c->msr.sfmask = vmcb_sfmask(v);
	c->msr.kernel_gs_base = svm_canonical(c, vmcb_kernel_gs_base(v));
	c->msr.sysenter_cs = vmcb_sysenter_cs(v);
	c->msr.sysenter_esp = svm_canonical(c, vmcb_sysenter_esp(v));
	c->msr.sysenter_eip = svm_canonical(c, vmcb_sysenter_eip(v));
}

static ALWAYS_INLINE void vmsave_put(struct x86_cpu *c, u8 *v)
{
	svm_seg_put(vmcb_at_fs(v), &c->seg[SEG_FS]);
	svm_seg_put(vmcb_at_gs(v), &c->seg[SEG_GS]);
	svm_seg_put(vmcb_at_ldtr(v), &c->seg[SEG_LDTR]);
	svm_seg_put(vmcb_at_tr(v), &c->seg[SEG_TR]);
	vmcb_set_star(v, c->msr.star);
	vmcb_set_lstar(v, c->msr.lstar);
	vmcb_set_cstar(v, c->msr.cstar);
	vmcb_set_sfmask(v, c->msr.sfmask);
	vmcb_set_kernel_gs_base(v, c->msr.kernel_gs_base);
	vmcb_set_sysenter_cs(v, c->msr.sysenter_cs);
	vmcb_set_sysenter_esp(v, c->msr.sysenter_esp);
	vmcb_set_sysenter_eip(v, c->msr.sysenter_eip);
}

static COLD void vmsave_writer(struct x86_cpu *c, u8 *v, const void *arg)
{
	(void)arg;
	vmsave_put(c, v);
}

void svm_vmsave(struct x86_cpu *c, u64 rax)
{
	svm_insn_check(c);
	svm_vmcb_check(c, rax);
	svm_check(c, &c->svm, ICPT_VMSAVE);
	rax = vmcb_address(c, rax, ICPT_VMSAVE);
	if (unlikely(c->spy != NULL))
		svm_tell_stores(c, "VMSAVE", rax, vmsave_writer, NULL);
	vmsave_put(c, svm_page_write(c, rax));
}

/* ---- VMMCALL, STGI, CLGI, INVLPGA ---- */

void svm_vmmcall(struct x86_cpu *c)
{
	svm_check(c, &c->svm, ICPT_VMMCALL); /* before any exception, at any CPL. APM2 15.9, 15.18 */
	x86_ud(c, RULE_UD_VMMCALL);
}

/* SKINIT and STGI work without EFER.SVME on processors with SKINIT or SVM-Lock. APM2 15.4, 15.31 */
static void check_with_lock(struct x86_cpu *c)
{
	if (!(c->efer & EFER_SVME) && !x86_has(c->model, X86_F_SKINIT) && !x86_has(c->model, X86_F_SVML))
		x86_ud(c, RULE_UD_SKINIT);
	check_protected(c);
}

/* In a guest with virtual GIF that one is meant. APM2 15.33.2 */
static bool has_vgif(const struct svm_state *s) { return s->guest && s->int_ctl & V_GIF_ENABLE && !s->smm_suspends; }

void svm_stgi(struct x86_cpu *c)
{
	struct svm_state *s = &c->svm;

	check_with_lock(c);
	svm_check(c, s, ICPT_STGI);
	if (unlikely(has_vgif(s))) {
		s->int_ctl |= V_GIF;
		svm_virtual_changed(c);
		return;
	}
	s->gif = 1;
	if (c->pending) /* what was held may be taken now */
		x86_pend(c, c->pending);
}

void svm_clgi(struct x86_cpu *c)
{
	struct svm_state *s = &c->svm;

	svm_insn_check(c);
	svm_check(c, s, ICPT_CLGI);
	if (unlikely(has_vgif(s)))
		s->int_ctl &= ~V_GIF;
	else
		s->gif = 0;
}

void svm_invlpga(struct x86_cpu *c, u64 va, u32 asid)
{
	svm_insn_check(c);
	svm_check(c, &c->svm, ICPT_INVLPGA);
	/* The PCID is taken to be the current one: the manual names none. APM2 15.16.2 */
	tlb_flush_page(&c->tlb, asid, c->tlb.pcid, va, true);
}

/* ---- SKINIT ---- */

static struct x86_seg flat(u16 sel, u16 attr) { return (struct x86_seg){sel, attr, 0xffffffff, 0}; }

/* Flat 32-bit protected mode as after INIT; the data segments stay 16-bit real-mode ones. APM2 15.27.6, step 1 */
static void skinit_state(struct x86_cpu *c, u32 slb)
{
	c->cr0 = CR0_PE | CR0_ET;
	x86_write_efer(c, 0);
	memset(c->r, 0, sizeof c->r);
	c->r[R_AX] = slb;
	c->r[R_DX] = (c->model->family > 15 ? 15u << 8 | (c->model->family - 15) << 20 : c->model->family << 8) |
		     (c->model->model & 15) << 4 | (c->model->model >> 4 & 15) << 16 | c->model->stepping;
	c->r[R_SP] = slb + 0x10000;
	c->seg[SEG_CS] = flat(0x08, ATTR_P | ATTR_S | ATTR_DB | ATTR_G | 0xb);
	c->seg[SEG_SS] = flat(0x10, ATTR_P | ATTR_S | ATTR_DB | ATTR_G | 0x3);
	c->cpl = 0;
}

/* The boot processor has started a secure loader: the others' next start-up message counts for more. APM2 15.27.8 */
static void tell_others(struct x86_cpu *c)
{
	for (unsigned i = 0; i < c->code->cpus; i++)
		if (c->code->cpu[i] != c)
			svm_priv(&c->code->cpu[i]->svm)->secure_start = 1;
}

void svm_sipi(struct x86_cpu *c)
{
	struct svm_priv *p = svm_priv(&c->svm);

	if (!p->secure_start)
		return;
	p->secure_start = 0;
	c->svm.gif = 0;
	svm_set_vm_cr(c, c->svm.vm_cr | VM_CR_DPD | VM_CR_R_INIT | VM_CR_DIS_A20M);
}

void svm_skinit(struct x86_cpu *c, u32 eax)
{
	u32 slb = eax & 0xffff0000u, entry;
	struct svm_state *s = &c->svm, keep;

	if (!x86_has(c->model, X86_F_SKINIT))
		x86_ud(c, RULE_UD_SKINIT);
	check_with_lock(c);
	svm_check(c, s, ICPT_SKINIT);
	x86_sync(c);
	c->budget--;
	keep = *s;
	x86_reset(c, true);
	*s = keep; /* "most MSRs also retain their values" */
	skinit_state(c, slb);
	/* Steps 2 to 5: there is neither a device exclusion vector nor a TPM here; with no TPM that answers, SKINIT
	 * goes on as it does on hardware: "it does not depend on any response". The image's length is used by the TPM
	 * alone. */
	entry = (u32)space_read(c->mem, slb, 2);
	s->gif = 0;
	svm_set_vm_cr(c, s->vm_cr | VM_CR_DPD | VM_CR_R_INIT | VM_CR_DIS_A20M);
	if (c->msr.apic_base & APIC_BASE_BSP)
		tell_others(c);
	c->rip = slb + entry;
	c->activity = ACT_RUN;
	x86_state_changed(c);
	longjmp(c->unwind, UNWIND_WORLD);
}
