/* See view.h: the worlds of an x86 CPU, one in its registers and one in memory. APM2 15.5, 15.6 */
#include "debug/view.h"

#include "cpu_x86/insn.h"
#include "debug/disasm.h"
#include "debug/regs.h"
#include "svm/vmcb.h"

/* ---- who was seen ---- */

static void keep(struct world_regs *k, const struct x86_cpu *c)
{
	k->valid = true;
	memcpy(k->r, c->r, sizeof k->r);
	k->rip = x86_rip(c);
}

void worlds_hear(struct worlds *w, const struct event *e)
{
	struct x86_cpu *c = &w->t->pc->cpu[e->cpu].x86;
	struct guest *g = worlds_guest(w, e->b, true);

	if (e->kind == EV_VMRUN) {
		keep(&w->host[e->cpu], c);
		if (!g)
			return;
		g->asid = e->a;
		g->cpu = e->cpu;
		g->runs++;
		svm_snapshot(c, &g->at_vmrun);
	} else if (g) {
		g->exits++;
		g->last_code = e->c;
		if (!e->a)
			keep(&g->regs, c);
		svm_snapshot(c, &g->at_exit);
	}
}

/* ---- registers ---- */

static void from_cpu(struct view *v, struct x86_cpu *c)
{
	memcpy(v->r, c->r, sizeof v->r);
	v->rip = x86_rip(c);
	v->rflags = x86_get_flags(c);
	memcpy(v->seg, c->seg, sizeof v->seg);
	v->gdt = c->gdt;
	v->idt = c->idt;
	v->cr0 = c->cr0;
	v->cr2 = c->cr2;
	v->cr3 = c->cr3;
	v->cr4 = c->cr4;
	v->efer = c->efer;
	v->dr6 = c->dr[6];
	v->dr7 = c->dr[7];
	v->cpl = c->cpl;
	v->env = c->tlb.env;
	v->env.ntlb = NULL;
	v->live = v->regs_known = true;
}

static void seg_from(struct x86_seg *s, const struct vmcb_seg *from) { memcpy(s, from, sizeof *s); }

/* A state-save area: of a VMCB, or the host's in the page at VM_HSAVE_PA, which has the same layout (svm/host.c). FS, GS, LDTR and TR
 * belong to whoever executed VMLOAD last: those of the CPU for the host. */
static void from_page(struct view *v, struct x86_cpu *c, u64 pa, const struct world_regs *regs, bool guest)
{
	u8 page[VMCB_SIZE];

	for (unsigned i = 0; i < VMCB_SIZE; i += 8)
		store_le(page + i, 8, space_peek(c->mem, (pa & PAGE_MASK) + i, 8));
	memcpy(v->r, regs->r, sizeof v->r);
	v->regs_known = regs->valid;
	v->r[R_AX] = vmcb_rax(page);
	v->r[R_SP] = vmcb_rsp(page);
	v->rip = vmcb_rip(page);
	v->rflags = vmcb_rflags(page);
	memcpy(v->seg, c->seg, sizeof v->seg);
	seg_from(&v->seg[SEG_ES], vmcb_es(page));
	seg_from(&v->seg[SEG_CS], vmcb_cs(page));
	seg_from(&v->seg[SEG_SS], vmcb_ss(page));
	seg_from(&v->seg[SEG_DS], vmcb_ds(page));
	if (guest) {
		seg_from(&v->seg[SEG_FS], vmcb_fs(page));
		seg_from(&v->seg[SEG_GS], vmcb_gs(page));
		seg_from(&v->seg[SEG_LDTR], vmcb_ldtr(page));
		seg_from(&v->seg[SEG_TR], vmcb_tr(page));
	}
	v->gdt = (struct x86_dt){.base = vmcb_gdtr(page)->base, .limit = (u16)vmcb_gdtr(page)->limit};
	v->idt = (struct x86_dt){.base = vmcb_idtr(page)->base, .limit = (u16)vmcb_idtr(page)->limit};
	v->cr0 = vmcb_cr0(page);
	v->cr2 = guest ? vmcb_cr2(page) : c->cr2;
	v->cr3 = vmcb_cr3(page);
	v->cr4 = vmcb_cr4(page);
	v->efer = vmcb_efer(page);
	if (v->efer & EFER_LME && v->cr0 & CR0_PG)
		v->efer |= EFER_LMA;
	v->dr6 = guest ? vmcb_dr6(page) : c->dr[6];
	v->dr7 = guest ? vmcb_dr7(page) : 0x400;
	v->cpl = guest ? vmcb_cpl(page) : 0;
	svm_guest_env(c, pa, &v->env);
	v->env.nested &= guest;
	v->asid = guest ? vmcb_asid(page) : 0;
}

static bool guest_view(struct worlds *w, unsigned cpu, u64 vmcb, struct view *v)
{
	static const struct world_regs unknown;
	struct x86_cpu *c = &w->t->pc->cpu[cpu].x86;
	const struct guest *g;

	if (c->svm.guest && (!vmcb || vmcb == c->svm.vmcb_pa)) {
		v->vmcb = c->svm.vmcb_pa;
		v->asid = c->svm.asid;
		from_cpu(v, c);
		return true;
	}
	for (unsigned i = 0; !vmcb && i < w->guests; i++)
		if (w->guest[i].cpu == cpu && w->guest[i].vmcb == c->svm.vmcb_pa)
			vmcb = c->svm.vmcb_pa;
	if (!vmcb)
		return false;
	g = worlds_guest(w, vmcb, false);
	v->vmcb = vmcb;
	from_page(v, c, vmcb, g ? &g->regs : &unknown, true);
	return true;
}

static unsigned bits_of(const struct view *v)
{
	if (v->efer & EFER_LMA && v->seg[SEG_CS].attr & ATTR_L)
		return 64;
	if (!(v->cr0 & CR0_PE) || (v->rflags & FLAG_VM && !(v->efer & EFER_LMA)))
		return v->cr0 & CR0_PE || !(v->seg[SEG_CS].attr & ATTR_DB) ? 16 : 32;
	return v->seg[SEG_CS].attr & ATTR_DB ? 32 : 16;
}

static u64 linear(const struct view *v, u64 rip) { return bits_of(v) == 64 ? rip : (u32)(rip + v->seg[SEG_CS].base); }

void view_set_reg(struct view *v, unsigned n, u64 val) { v->cpu->r[n] = v->r[n] = val; }
void view_set_rip(struct view *v, u64 val) { v->cpu->rip = v->rip = val; }

static bool translate(const struct view *v, enum level l, u64 addr, unsigned access, u64 *pa, struct walk *w)
{
	*pa = addr;
	if (l == LEVEL_P || (l == LEVEL_G && !v->env.nested))
		return true;
	if (l == LEVEL_G)
		walk_nested(&v->env, addr, access | ACC_USER, false, w);
	else
		walk_x86(&v->env, addr, access, false, w);
	*pa = w->pa;
	return w->why == WALK_OK;
}

static unsigned disasm(const struct view *v, u64 va, char *text, size_t size)
{
	unsigned bits = bits_of(v), len;
	struct x86_decoded d;
	struct x86_op o;
	u8 bytes[15];
	u32 mode = v->cpu->mode;
	size_t n = view_read(v, LEVEL_V, va, bytes, sizeof bytes);

	if (!n)
		return 0;
	/* The decoder looks at the mode of the CPU: this world's for a moment. */
	v->cpu->mode = (mode & ~(u32)(MODE_SIZE | MODE_LONG)) | (bits == 64 ? MODE_64 | MODE_LONG : bits == 32 ? MODE_32 : MODE_16);
	len = x86_decode(v->cpu, bytes, (unsigned)n, 0, &o, &d) == DECODE_OK && op_len(&o) <= n ? op_len(&o) : (unsigned)n;
	v->cpu->mode = mode;
	disasm_x86(bytes, len, bits, va, text, size);
	return len;
}

/* Calls, software interrupts, repeated instructions and VMRUN come back behind themselves. */
static bool comes_back(const char *text)
{
	static const char *const words[] = {"call", "lcall", "int", "rep", "repe", "repne", "repz", "repnz", "vmrun", "syscall", "sysenter", "loop"};
	size_t n = strcspn(text, " ");

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i]) == n && !strncmp(text, words[i], n))
			return true;
	return false;
}

/* A call right before the address: E8 rel32, or FF /2 with up to 7 bytes. */
static bool after_call(const struct view *v, u64 pc)
{
	u8 b[7] = {0};

	if (view_read(v, LEVEL_V, pc - 7, b, 7) != 7)
		return false;
	if (b[2] == 0xe8)
		return true;
	for (unsigned i = 0; i < 6; i++)
		if (b[i] == 0xff && (b[i + 1] >> 3 & 7) == 2)
			return true;
	return false;
}

static const struct view_ops ops = {R_SP, bits_of, linear, translate, disasm, comes_back, after_call, regs_x86_get, regs_x86_set, regs_x86_print};

bool view_x86(struct worlds *w, unsigned cpu, enum world world, u64 vmcb, struct view *v)
{
	struct x86_cpu *c = &w->t->pc->cpu[cpu].x86;

	memset(v, 0, sizeof *v);
	v->ops = &ops;
	v->id = c->id;
	v->cpu = c;
	v->mem = c->mem;
	v->guest = world == VIEW_GUEST || (world == VIEW_NOW && c->svm.guest);
	v->name = v->guest ? "guest" : "host";
	v->vmcb = w->guests ? c->svm.vmcb_pa : ~0ull;
	if (v->guest)
		return guest_view(w, cpu, vmcb, v);
	if (!c->svm.guest) {
		from_cpu(v, c);
		return true;
	}
	from_page(v, c, c->svm.hsave_pa, &w->host[cpu], false);
	if (w->host[cpu].valid)
		v->rip = w->host[cpu].rip; /* the VMRUN itself, rather than what follows it */
	return true;
}
