/*
 * The host's side of the world switch: what VMRUN saves in the host state-save area and what #VMEXIT brings back.
 * APM2 15.5.1, 15.6, 15.30.4.
 *
 * The area is the page at VM_HSAVE_PA. It has the layout of a VMCB's state-save area (offset 400h), and holds ES, CS,
 * SS and DS with their hidden parts, GDTR, IDTR, EFER, CR0, CR3, CR4, RFLAGS, RIP (of the instruction after VMRUN), RSP
 * and RAX; the host's PAT in the place of G_PAT when the guest has one of its own; DBGCTL, BR_FROM, BR_TO, LASTEXCPFROM
 * and LASTEXCPTO when their virtualization is on. #VMEXIT reads them from there, as hardware may: a VMM that overwrites
 * its save area comes back different.
 *
 * Not restored, as the manual has it: CR2, DR0-DR3, DR6, FS, GS, LDTR, TR, the VMLOAD/VMSAVE registers, x87 and SSE,
 * XCR0, other GPRs.
 */
#include "cpu_x86/flags.h"
#include "cpu_x86/system.h"
#include "svm/state.h"

static ALWAYS_INLINE void host_put(struct x86_cpu *c, u8 *h, u64 next_rip)
{
	svm_seg_put(vmcb_at_es(h), &c->seg[SEG_ES]);
	svm_seg_put(vmcb_at_cs(h), &c->seg[SEG_CS]);
	svm_seg_put(vmcb_at_ss(h), &c->seg[SEG_SS]);
	svm_seg_put(vmcb_at_ds(h), &c->seg[SEG_DS]);
	vmcb_at_gdtr(h)->limit = c->gdt.limit;
	vmcb_at_gdtr(h)->base = c->gdt.base;
	vmcb_at_idtr(h)->limit = c->idt.limit;
	vmcb_at_idtr(h)->base = c->idt.base;
	vmcb_set_efer(h, c->efer);
	vmcb_set_cr4(h, c->cr4);
	vmcb_set_cr3(h, c->cr3);
	vmcb_set_cr0(h, c->cr0);
	vmcb_set_rflags(h, x86_get_flags(c) & ~(u64)FLAG_RF); /* completing VMRUN clears RF. APM2 15.5.1 */
	vmcb_set_rip(h, next_rip);
	vmcb_set_rsp(h, c->r[R_SP]);
	vmcb_set_rax(h, c->r[R_AX]);
	vmcb_set_g_pat(h, c->msr.pat);
	if (unlikely(svm_priv(&c->svm)->lbr)) {
		vmcb_set_dbgctl(h, c->msr.debugctl);
		vmcb_set_br_from(h, c->msr.br_from);
		vmcb_set_br_to(h, c->msr.br_to);
		vmcb_set_exc_from(h, c->msr.exc_from);
		vmcb_set_exc_to(h, c->msr.exc_to);
	}
}

static COLD void host_writer(struct x86_cpu *c, u8 *h, const void *arg) { host_put(c, h, *(const u64 *)arg); }

void svm_host_save(struct x86_cpu *c, u64 next_rip)
{
	if (unlikely(c->spy != NULL))
		svm_tell_stores(c, "VMRUN's save of the host", c->svm.hsave_pa, host_writer, &next_rip);
	host_put(c, svm_page_write(c, c->svm.hsave_pa), next_rip);
}

unsigned svm_pdpes_read(struct x86_cpu *c, u64 cr3, u64 pdpe[4])
{
	const u64 reserved = ~mask_low(c->model->pa_bits) | 0x1e6;
	unsigned bad = 0;

	for (unsigned i = 0; i < 4; i++) {
		pdpe[i] = space_read(c->mem, (cr3 & 0xffffffe0) + i * 8, 8);
		if (pdpe[i] & 1 && pdpe[i] & reserved)
			bad |= 1u << i;
	}
	return bad;
}

static void lbr_restore(struct x86_cpu *c, const u8 *h)
{
	c->msr.debugctl = vmcb_dbgctl(h);
	c->msr.br_from = vmcb_br_from(h);
	c->msr.br_to = vmcb_br_to(h);
	c->msr.exc_from = vmcb_exc_from(h);
	c->msr.exc_to = vmcb_exc_to(h);
}

bool svm_host_restore(struct x86_cpu *c)
{
	const u8 *h = svm_page_read(c, c->svm.hsave_pa);
	struct svm_limits l;
	u64 any = 0;

	if (unlikely(c->spy != NULL))
		svm_tell_loads_as(c, "#VMEXIT's return to the host", c->svm.hsave_pa, host_writer, &any);
	svm_limits_get(c, &l);
	c->efer = vmcb_efer(h);
	c->cr4 = vmcb_cr4(h);
	c->cr3 = vmcb_cr3(h);
	c->cr0 = vmcb_cr0(h) | CR0_PE;
	svm_seg_get(&c->seg[SEG_ES], vmcb_es(h));
	svm_seg_get(&c->seg[SEG_CS], vmcb_cs(h));
	svm_seg_get(&c->seg[SEG_SS], vmcb_ss(h));
	svm_seg_get(&c->seg[SEG_DS], vmcb_ds(h));
	c->gdt.limit = (u16)vmcb_gdtr(h)->limit;
	c->gdt.base = svm_canonical(c, vmcb_gdtr(h)->base);
	c->idt.limit = (u16)vmcb_idtr(h)->limit;
	c->idt.base = svm_canonical(c, vmcb_idtr(h)->base);
	c->rip = vmcb_rip(h);
	c->r[R_SP] = vmcb_rsp(h);
	c->r[R_AX] = vmcb_rax(h);
	c->dr[7] = DR7_FIXED;
	c->cpl = 0;
	if (c->svm.np)
		c->msr.pat = vmcb_g_pat(h);
	if (unlikely(svm_priv(&c->svm)->lbr))
		lbr_restore(c, h);
	flags_arith_set(c, (u32)vmcb_rflags(h));
	c->flags = (u32)vmcb_rflags(h) & ~(u32)(FLAGS_ARITH | FLAG_VM | FLAG_1);
	if (unlikely(svm_host_state_bad(&l, c->cr0, c->cr3, c->cr4, c->efer)))
		return false;
	if (unlikely(c->cr0 & CR0_PG && c->cr4 & CR4_PAE && !(c->efer & EFER_LMA)))
		return !svm_pdpes_read(c, c->cr3, c->pdpte); /* APM2 15.6 */
	return true;
}

/* The TLB is not flushed: paging_changed selects another context of it. APM2 15.16 */
void svm_world_changed(struct x86_cpu *c)
{
	x86_paging_changed(c);
	x86_mode_changed(c);
	x86_debug_changed(c);
}

static COLD NOINLINE void shut_down(struct x86_cpu *c)
{
	c->activity = ACT_SHUTDOWN;
	snprintf(c->stop_text, sizeof c->stop_text,
		 "#VMEXIT loaded an inconsistent host state from VM_HSAVE_PA (APM2 15.6)");
}

void svm_to_host(struct x86_cpu *c)
{
	struct svm_state *s = &c->svm;
	bool good;

	s->gif = 0;
	s->smm_suspends = 0;
	good = svm_host_restore(c);
	s->guest = s->np = 0;
	c->shadow = c->shadow_nmi = 0;
	c->db_pending = 0;
	c->faults = 0; /* what was under delivery stands in EXITINTINFO */
	c->pending &= ~(u32)(PEND_SHADOW | PEND_DB | PEND_VIRQ | PEND_VNMI);
	c->activity = ACT_RUN;
	c->monitor_pa = MONITOR_NONE;
	svm_world_changed(c);
	if (unlikely(!good))
		shut_down(c);
	if (unlikely(c->flags & FLAG_TF)) { /* VMRUN is one instruction: its trace trap comes now. APM2 15.5.1 */
		c->db_pending = BIT(14);
		c->pending |= PEND_DB;
	}
	longjmp(c->unwind, UNWIND_WORLD);
}
