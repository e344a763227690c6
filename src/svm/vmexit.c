/* #VMEXIT: the guest's state goes into the VMCB, the reason beside it, and the host comes back (host.c).
 * APM2 15.6-15.8. */
#include "base/cover.h"
#include "cpu_x86/flags.h"
#include "svm/state.h"

/* The guest's state, into the VMCB and into the cache that the next VMRUN may take it from. APM2 15.6, 15.15 */
static void save_segments(struct x86_cpu *c, u8 *v, struct svm_load *g)
{
	g->es = c->seg[SEG_ES];
	g->cs = c->seg[SEG_CS];
	g->ss = c->seg[SEG_SS];
	g->ds = c->seg[SEG_DS];
	g->gdt = c->gdt;
	g->idt = c->idt;
	g->cpl = c->cpl;
	svm_seg_put(vmcb_at_es(v), &g->es);
	svm_seg_put(vmcb_at_cs(v), &g->cs);
	svm_seg_put(vmcb_at_ss(v), &g->ss);
	svm_seg_put(vmcb_at_ds(v), &g->ds);
	vmcb_at_gdtr(v)->limit = g->gdt.limit;
	vmcb_at_gdtr(v)->base = g->gdt.base;
	vmcb_at_idtr(v)->limit = g->idt.limit;
	vmcb_at_idtr(v)->base = g->idt.base;
	vmcb_set_cpl(v, g->cpl);
}

static void save_control(struct x86_cpu *c, u8 *v, struct svm_load *g)
{
	g->efer = c->efer;
	g->cr4 = c->cr4;
	g->cr3 = c->cr3;
	g->cr0 = c->cr0;
	g->cr2 = c->cr2;
	g->dr6 = c->dr[6];
	g->dr7 = c->dr[7];
	vmcb_set_efer(v, g->efer);
	vmcb_set_cr4(v, g->cr4);
	vmcb_set_cr3(v, g->cr3);
	vmcb_set_cr0(v, g->cr0);
	vmcb_set_cr2(v, g->cr2);
	vmcb_set_dr6(v, g->dr6);
	vmcb_set_dr7(v, g->dr7);
	if (c->svm.np) {
		g->g_pat = c->msr.pat;
		vmcb_set_g_pat(v, g->g_pat);
	}
}

static void save_lbr(struct x86_cpu *c, u8 *v, struct svm_load *g)
{
	vmcb_set_dbgctl(v, g->dbgctl = c->msr.debugctl);
	vmcb_set_br_from(v, g->br_from = c->msr.br_from);
	vmcb_set_br_to(v, g->br_to = c->msr.br_to);
	vmcb_set_exc_from(v, g->exc_from = c->msr.exc_from);
	vmcb_set_exc_to(v, g->exc_to = c->msr.exc_to);
}

static void save_registers(struct x86_cpu *c, u8 *v)
{
	vmcb_set_rflags(v, x86_get_flags(c));
	vmcb_set_rip(v, c->rip);
	vmcb_set_rsp(v, c->r[R_SP]);
	vmcb_set_rax(v, c->r[R_AX]);
	vmcb_set_int_state(v, c->shadow != 0);
}

/* The fields of V_INTR that the guest's run can change; the rest of the word stays as the VMM wrote it. APM2 app. B */
static void save_int_ctl(struct x86_cpu *c, u8 *v)
{
	u64 x = c->svm.int_ctl, live = 0xff | V_IRQ;

	if (x & V_GIF_ENABLE)
		live |= V_GIF;
	if (x & V_NMI_ENABLE)
		live |= V_NMI | V_NMI_MASK;
	vmcb_set_int_ctl(v, (vmcb_int_ctl(v) & ~live) | (x & live));
}

/* ---- decode assists: instruction bytes. APM2 15.8.4 ---- */

/* Code bytes at va into buf, up to the end of va's page: what the TLB holds, else what the tables say, without any side
 * effect. */
static unsigned fetch_piece(struct x86_cpu *c, u64 va, u8 *buf, unsigned n)
{
	unsigned left = (unsigned)(PAGE_SIZE - (va & (PAGE_SIZE - 1)));
	struct tlb_hit hit;
	const u8 *host;

	if (!tlb_probe(&c->tlb, c->tlb.asid, c->tlb.pcid, va, &hit)) {
		struct walk_env env = c->tlb.env;
		struct walk w;

		env.ntlb = NULL;
		walk_x86(&env, va, ACC_EXEC | (c->cpl == 3 ? ACC_USER : 0), false, &w);
		if (w.why != WALK_OK)
			return 0;
		hit.pa = w.pa;
	}
	if (n > left)
		n = left;
	host = space_host(c->mem, hit.pa, false);
	if (!host)
		return 0;
	memcpy(buf, host, n);
	return n;
}

static void save_insn_bytes(struct x86_cpu *c, u8 *v)
{
	u64 va = x86_long64(c) ? c->rip : (u32)(c->sbase[SEG_CS] + c->rip);
	u8 *buf = vmcb_at_insn_bytes(v);
	unsigned want = 15, got;

	if (c->rip > c->cs_lim)
		want = 0;
	else if (c->cs_lim - c->rip < want - 1)
		want = (unsigned)(c->cs_lim - c->rip) + 1;
	got = fetch_piece(c, va, buf, want);
	if (got && got < want)
		got += fetch_piece(c, va + got, buf + got, want - got);
	vmcb_set_fetched(v, (u8)got);
}

/* ---- the exit ---- */

/* Data accesses only: the I/D bit stands for a fetch in both error codes. */
static bool wants_insn_bytes(u64 code, u64 info1)
{
	return (code == SVM_EXIT_NPF || code == SVM_EXIT_EXCP + VEC_PF) && !(info1 & BIT(4));
}

struct exit_info {
	u64 code, info1, info2, nrip, intinfo;
};

static ALWAYS_INLINE void exit_put(struct x86_cpu *c, u8 *v, const struct exit_info *e)
{
	struct svm_priv *p = svm_priv(&c->svm);

	save_segments(c, v, &p->g);
	save_control(c, v, &p->g);
	save_registers(c, v);
	save_int_ctl(c, v);
	if (unlikely(p->lbr))
		save_lbr(c, v, &p->g);
	vmcb_set_exitcode(v, e->code);
	vmcb_set_exitinfo1(v, e->info1);
	vmcb_set_exitinfo2(v, e->info2);
	vmcb_set_exitintinfo(v, e->intinfo);
	vmcb_set_eventinj(v, 0); /* APM3 VMRUN */
	if (x86_has(c->model, X86_F_NRIPS))
		vmcb_set_nrip(v, e->nrip);
	if (x86_has(c->model, X86_F_DECODEASSISTS)) {
		vmcb_set_fetched(v, 0);
		if (wants_insn_bytes(e->code, e->info1))
			save_insn_bytes(c, v);
	}
}

static COLD void exit_writer(struct x86_cpu *c, u8 *v, const void *arg) { exit_put(c, v, arg); }

void svm_exit(struct x86_cpu *c, u64 code, u64 info1, u64 info2)
{
	svm_exit_next(c, code, info1, info2, c->op && svm_exit_has_nrip(code) ? x86_next_rip(c) : 0);
}

void svm_exit_next(struct x86_cpu *c, u64 code, u64 info1, u64 info2, u64 nrip)
{
	struct exit_info e = {code, info1, info2, nrip, 0};

	cover(COVER_EXIT, code);
	if (c->op)
		x86_sync(c);
	e.intinfo = svm_event_cancel(c);
	if (unlikely(c->spy != NULL))
		svm_tell_stores(c, "#VMEXIT", c->svm.vmcb_pa, exit_writer, &e);
	exit_put(c, svm_page_write(c, c->svm.vmcb_pa), &e);
	if (unlikely(event_on(c->log, EV_VMEXIT)))
		x86_log(c, EV_VMEXIT, 0, c->svm.vmcb_pa, code);
	svm_to_host(c);
}

void svm_trap(struct x86_cpu *c, u64 code, u64 info1)
{
	u64 next = x86_next_rip(c);

	x86_sync(c);
	c->budget--; /* the instruction is complete */
	c->rip = next;
	svm_exit_next(c, code, info1, 0, 0);
}
