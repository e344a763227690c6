/*
 * Control registers and EFER: the rules that refuse a value, what a change does to paging and to the TLB, and the
 * instructions MOV CRn, CLTS, LMSW, SMSW, INVLPG, INVPCID. APM2 3.1, 5.5, 14.6, 15.9.
 */
#include "cpu_x86/fpu.h"
#include "cpu_x86/system.h"

#define CR0_DEFINED  (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG)
#define CR3_NO_FLUSH BIT(63) /* source operand only. APM2 5.5.1 */

/* ---- which bits a model has ---- */

static const struct {
	u64 bit;
	enum x86_feature feature;
} cr4_bits[] =
	{
		{CR4_VME | CR4_PVI, X86_F_VME}, {CR4_TSD, X86_F_TSC},       {CR4_DE, X86_F_DE},
		{CR4_PSE, X86_F_PSE},           {CR4_PAE, X86_F_PAE},       {CR4_MCE, X86_F_MCE},
		{CR4_PGE, X86_F_PGE},           {CR4_OSFXSR, X86_F_FXSR},   {CR4_OSXMMEXCPT, X86_F_FXSR},
		{CR4_UMIP, X86_F_UMIP},         {CR4_LA57, X86_F_LA57},     {CR4_FSGSBASE, X86_F_FSGSBASE},
		{CR4_PCIDE, X86_F_PCID},        {CR4_OSXSAVE, X86_F_XSAVE}, {CR4_SMEP, X86_F_SMEP},
		{CR4_SMAP, X86_F_SMAP},
},
  efer_bits[] = {
	  {EFER_SCE, X86_F_SYSCALL},     {EFER_LME | EFER_LMA, X86_F_LM}, {EFER_NXE, X86_F_NX},
	  {EFER_SVME, X86_F_SVM},        {EFER_FFXSR, X86_F_FFXSR},       {EFER_TCE, X86_F_TCE},
	  {EFER_MCOMMIT, X86_F_MCOMMIT},
};

u64 x86_cr4_allowed(const struct x86_model *m)
{
	u64 v = CR4_PCE; /* the one bit without a feature. APM2 3.1.3 */

	for (unsigned i = 0; i < ARRAY_SIZE(cr4_bits); i++)
		if (x86_has(m, cr4_bits[i].feature))
			v |= cr4_bits[i].bit;
	return v;
}

u64 x86_efer_allowed(const struct x86_model *m)
{
	u64 v = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(efer_bits); i++)
		if (x86_has(m, efer_bits[i].feature))
			v |= efer_bits[i].bit;
	return v;
}

/* ---- checks ---- */

enum x86_rule x86_check_cr0(const struct x86_cpu *c, u64 val)
{
	bool pg = val & CR0_PG, was = c->cr0 & CR0_PG;

	if (val >> 32)
		return RULE_GP_CR0_HIGH;
	if (pg && !(val & CR0_PE))
		return RULE_GP_CR0_PG_PE;
	if ((val & CR0_NW) && !(val & CR0_CD))
		return RULE_GP_CR0_NW_CD;
	if (pg && !was && (c->efer & EFER_LME)) {
		if (!(c->cr4 & CR4_PAE))
			return RULE_GP_CR0_LME_PAE;
		if (c->seg[SEG_CS].attr & ATTR_L)
			return RULE_GP_CR0_LME_CSL;
	}
	if (!pg && was) {
		if (x86_long64(c))
			return RULE_GP_CR0_PG_64;
		if (c->cr4 & CR4_PCIDE)
			return RULE_GP_CR0_PG_PCIDE;
	}
	return RULE_NONE;
}

/* val without bit 63 when that means "do not flush". */
enum x86_rule x86_check_cr3(const struct x86_cpu *c, u64 val)
{
	if ((c->efer & EFER_LMA) && (val & ~mask_low(c->model->pa_bits)))
		return RULE_GP_CR3_RESERVED;
	return RULE_NONE;
}

enum x86_rule x86_check_cr4(const struct x86_cpu *c, u64 val)
{
	u64 set = val & ~c->cr4;

	if (val & ~x86_cr4_allowed(c->model))
		return RULE_GP_CR4_RESERVED;
	if (c->efer & EFER_LMA) {
		if (!(val & CR4_PAE))
			return RULE_GP_CR4_PAE_LMA;
		if ((val ^ c->cr4) & CR4_LA57)
			return RULE_GP_CR4_LA57_LMA;
	}
	if (set & CR4_PCIDE) {
		if (!(c->efer & EFER_LMA))
			return RULE_GP_CR4_PCIDE_LMA;
		if (c->cr3 & 0xfff)
			return RULE_GP_CR4_PCIDE_CR3;
	}
	return RULE_NONE;
}

enum x86_rule x86_check_efer(const struct x86_cpu *c, u64 val)
{
	val &= ~0xfeull; /* bits 7:1 read as zero, whatever is written */
	if (val & EFER_LMSLE)
		return RULE_GP_EFER_LMSLE;
	if (val & ~x86_efer_allowed(c->model))
		return RULE_GP_EFER_RESERVED;
	if ((val ^ c->efer) & EFER_LMA)
		return RULE_GP_EFER_LMA;
	if (((val ^ c->efer) & EFER_LME) && (c->cr0 & CR0_PG))
		return RULE_GP_EFER_LME_PG;
	if ((val & EFER_SVME) && (c->svm.vm_cr & BIT(4))) /* SVMDIS */
		return RULE_GP_EFER_SVMDIS;
	return RULE_NONE;
}

static inline void refuse(struct x86_cpu *c, enum x86_rule why)
{
	if (unlikely(why != RULE_NONE))
		x86_gp(c, 0, why);
}

/* ---- paging ---- */

static unsigned paging_levels(const struct x86_cpu *c)
{
	if (!(c->cr0 & CR0_PG))
		return 0;
	if (!(c->cr4 & CR4_PAE))
		return 2;
	if (!(c->efer & EFER_LMA))
		return 3;
	return c->cr4 & CR4_LA57 ? 5 : 4;
}

/*
 * Processors before Zen load and check the four PDPTEs at MOV CR3 in native mode; Zen reads them in the normal course
 * of each walk, and so does every processor while it runs a guest. APM2 5.5.3
 */
static bool pdpte_preloaded(const struct x86_cpu *c) { return c->model->family < 0x17 && !c->svm.guest; }

/* The PDPTEs for these values of CR0, CR3, CR4; raises #GP and changes nothing when one has a reserved bit. */
static void load_pdptes(struct x86_cpu *c, u64 cr0, u64 cr3, u64 cr4)
{
	u64 e[4], reserved = ~mask_low(c->model->pa_bits) | 0x1e6;

	if (!(cr0 & CR0_PG) || !(cr4 & CR4_PAE) || (c->efer & EFER_LME) || !pdpte_preloaded(c))
		return;
	for (unsigned i = 0; i < 4; i++) {
		e[i] = space_read(c->mem, (cr3 & 0xffffffe0) + i * 8, 8);
		if ((e[i] & 1) && (e[i] & reserved))
			x86_gp(c, 0, RULE_GP_PDPTE_RESERVED);
	}
	memcpy(c->pdpte, e, sizeof e);
}

static u64 paging_root(const struct x86_cpu *c, unsigned levels)
{
	if (levels == 2)
		return c->cr3 & 0xfffff000;
	if (levels == 3)
		return c->cr3 & 0xffffffe0;
	return c->cr3 & mask_low(c->model->pa_bits) & PAGE_MASK;
}

/* Rebuild the first dimension of the walk. The nested one is the SVM room's, filled at VMRUN. */
void x86_paging_changed(struct x86_cpu *c)
{
	struct tlb *t = &c->tlb;
	struct paging *p = &t->env.p;
	unsigned levels = paging_levels(c);
	u64 cls = t->ctx & 3;

	p->levels = (u8)levels;
	p->root = paging_root(c, levels);
	p->pse = c->cr4 & CR4_PSE;
	p->nx = c->efer & EFER_NXE;
	p->wp = c->cr0 & CR0_WP;
	p->smep = c->cr4 & CR4_SMEP;
	p->smap = c->cr4 & CR4_SMAP;
	p->pge = c->cr4 & CR4_PGE;
	p->page1gb = x86_has(c->model, X86_F_PAGE1GB);
	p->pa_bits = c->model->pa_bits;
	p->use_pdpte = levels == 3 && pdpte_preloaded(c);
	if (p->use_pdpte)
		memcpy(p->pdpte, c->pdpte, sizeof p->pdpte);
	t->env.nested = c->svm.guest && c->svm.np;
	t->asid = c->svm.guest ? c->svm.asid : 0;
	t->pcid = c->cr4 & CR4_PCIDE ? c->cr3 & 0xfff : 0;
	tlb_switch(t);
	tlb_set_class(t, (enum tlb_class)cls); /* the caller changes it if CPL or EFLAGS.AC changed too */
}

/* ---- writes ---- */

void x86_write_cr0(struct x86_cpu *c, u64 val)
{
	u64 old = c->cr0, diff;

	refuse(c, x86_check_cr0(c, val));
	val = (val & CR0_DEFINED) | CR0_ET;
	diff = old ^ val;
	if (diff & (CR0_PG | CR0_CD | CR0_NW))
		load_pdptes(c, val, c->cr3, c->cr4);
	c->cr0 = val;
	if (val & (CR0_EM | CR0_TS)) /* the next x87 or MMX instruction must look */
		x86_fpu_flush(c);
	if (!(diff & (CR0_PG | CR0_PE | CR0_WP | CR0_AM))) {
		x86_vec_mode_changed(c); /* TS, EM; MP, NE, CD, NW: looked at when used */
		return;
	}
	if (diff & CR0_PG) {
		if (c->efer & EFER_LME)
			c->efer = val & CR0_PG ? c->efer | EFER_LMA : c->efer & ~EFER_LMA;
		tlb_flush_asid(&c->tlb, c->tlb.asid, false); /* APM2 5.5.3 */
	}
	x86_paging_changed(c);
	x86_mode_changed(c);
}

void x86_write_cr3(struct x86_cpu *c, u64 val)
{
	bool keep = (c->cr4 & CR4_PCIDE) && (val & CR3_NO_FLUSH);

	if (c->cr4 & CR4_PCIDE)
		val &= ~CR3_NO_FLUSH;
	refuse(c, x86_check_cr3(c, val));
	load_pdptes(c, c->cr0, val, c->cr4);
	c->cr3 = val;
	if (!keep) /* APM2 5.5.1 */
		tlb_flush_pcid(&c->tlb, c->tlb.asid, c->cr4 & CR4_PCIDE ? val & 0xfff : 0);
	x86_paging_changed(c);
}

void x86_write_cr4(struct x86_cpu *c, u64 val)
{
	u64 diff = c->cr4 ^ val;

	refuse(c, x86_check_cr4(c, val));
	if (diff & (CR4_PAE | CR4_PSE | CR4_PGE))
		load_pdptes(c, c->cr0, c->cr3, val);
	c->cr4 = val;
	/* The whole TLB of this ASID, global pages included. SMEP, SMAP and WP are judged at each use.
	 * APM2 5.5.3, 15.16.1 */
	if ((diff & (CR4_PAE | CR4_PSE | CR4_PGE)) || (diff & ~val & CR4_PCIDE))
		tlb_flush_asid(&c->tlb, c->tlb.asid, false);
	x86_paging_changed(c);
	x86_mode_changed(c);
}

void x86_write_efer(struct x86_cpu *c, u64 val)
{
	refuse(c, x86_check_efer(c, val));
	c->efer = val & ~0xfeull;
	x86_paging_changed(c);
}

/* ---- instructions ---- */

static void need_cpl0(struct x86_cpu *c)
{
	if (c->cpl)
		x86_gp(c, 0, RULE_GP_CPL);
}

/* CR write traps: #VMEXIT after the instruction, with the new value. APM2 app. B */
static inline void trap_cr_write(struct x86_cpu *c, unsigned cr, u64 val)
{
	if (unlikely(event_on(c->log, EV_CR)))
		x86_log(c, EV_CR, cr, val, 0);
	if (svm_wants(&c->svm, ICPT_CR_WRITE_TRAP + cr))
		svm_trap(c, svm_code(ICPT_CR_WRITE_TRAP + cr), val);
}

static bool cr_exists(unsigned n) { return n == 0 || n == 2 || n == 3 || n == 4 || n == 8; }

static u64 read_cr8(struct x86_cpu *c)
{
	u64 v;

	if (svm_cr8_read(c, &v))
		return v;
	return c->board.tpr_read ? c->board.tpr_read(c->board.arg, c->id) : 0;
}

static void write_cr8(struct x86_cpu *c, u64 val)
{
	if (!svm_cr8_write(c, val) && c->board.tpr_write)
		c->board.tpr_write(c->board.arg, c->id, val);
}

void x86i_mov_from_cr(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned cr = op_dst(o), gpr = op_src(o);
	u64 v;

	if (!cr_exists(cr))
		x86_ud(c, RULE_UD_CR_NUMBER);
	need_cpl0(c);
	svm_check_cr_read(c, cr, (int)gpr);
	switch (cr) {
	case 0: v = c->cr0; break;
	case 2: v = c->cr2; break;
	case 3: v = c->cr3; break;
	case 4: v = c->cr4; break;
	default: v = read_cr8(c); break;
	}
	c->r[gpr] = x86_long64(c) ? v : (u32)v;
}

/* What MOV to CR refuses before the intercept; the PDPTEs come after it. APM2 15.9 */
static enum x86_rule check_mov_cr(const struct x86_cpu *c, unsigned cr, u64 v)
{
	switch (cr) {
	case 0: return x86_check_cr0(c, v);
	case 3: return x86_check_cr3(c, c->cr4 & CR4_PCIDE ? v & ~CR3_NO_FLUSH : v);
	case 4: return x86_check_cr4(c, v);
	case 8: return v >> 4 ? RULE_GP_CR8_RESERVED : RULE_NONE;
	default: return RULE_NONE;
	}
}

void x86i_mov_to_cr(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned cr = op_dst(o), gpr = op_src(o);
	u64 v = x86_long64(c) ? c->r[gpr] : (u32)c->r[gpr];

	if (!cr_exists(cr))
		x86_ud(c, RULE_UD_CR_NUMBER);
	need_cpl0(c);
	refuse(c, check_mov_cr(c, cr, v));
	svm_check_cr_write(c, cr, (int)gpr, v);
	switch (cr) {
	case 0: x86_write_cr0(c, v); break;
	case 2: c->cr2 = v; break;
	case 3: x86_write_cr3(c, v); break;
	case 4: x86_write_cr4(c, v); break;
	default: write_cr8(c, v); break;
	}
	trap_cr_write(c, cr, v);
}

void x86i_clts(struct x86_cpu *c, const struct x86_op *o)
{
	(void)o;
	need_cpl0(c);
	svm_check_cr_write(c, 0, -1, c->cr0 & ~CR0_TS); /* never the selective intercept: only TS changes. APM2 15.9 */
	c->cr0 &= ~CR0_TS;
	x86_vec_mode_changed(c);
	trap_cr_write(c, 0, c->cr0);
}

void x86i_lmsw(struct x86_cpu *c, const struct x86_op *o)
{
	u64 v;

	need_cpl0(c);
	/* Before the operand is read; the selective intercept does not look at the value. APM2 15.9 */
	svm_check_cr_write(c, 0, -1, c->cr0);
	svm_check(c, &c->svm, ICPT_CR0_SEL);
	v = x86_e_read(c, o, 2) & 0xf;
	x86_write_cr0(c, (c->cr0 & ~0xeull) | v); /* PE can be set, not cleared. APM3 LMSW */
	trap_cr_write(c, 0, c->cr0);
}

void x86i_smsw(struct x86_cpu *c, const struct x86_op *o)
{
	if ((c->cr4 & CR4_UMIP) && c->cpl)
		x86_gp(c, 0, RULE_GP_UMIP);
	svm_check_cr_read(c, 0, -1);
	if (op_is_reg(o))
		x86_reg_write(c, op_src(o), op_size(o), c->cr0);
	else
		x86_e_write(c, o, 2, c->cr0);
}

/* The linear address without any check: what INVLPG and the decode assists want. */
static u64 plain_linear(const struct x86_cpu *c, const struct x86_op *o)
{
	u64 va = c->sbase[op_seg(o)] + x86_ea(c, o);

	return x86_long64(c) ? va : (u32)va;
}

void x86i_invlpg(struct x86_cpu *c, const struct x86_op *o)
{
	u64 va = plain_linear(c, o);

	need_cpl0(c);
	if (svm_wants(&c->svm, ICPT_INVLPG)) /* APM2 15.8.3 */
		svm_exit(c, svm_code(ICPT_INVLPG), x86_has(c->model, X86_F_DECODEASSISTS) ? va : 0, 0);
	tlb_flush_page(&c->tlb, c->tlb.asid, c->tlb.pcid, va, true);
}

enum { INVPCID_ADDRESS, INVPCID_CONTEXT, INVPCID_ALL_GLOBAL, INVPCID_ALL };

void x86i_invpcid(struct x86_cpu *c, const struct x86_op *o)
{
	u64 type = x86_reg_read(c, op_dst(o), x86_long64(c) ? 8 : 4), off = x86_ea(c, o), pcid, va;
	u32 asid = c->tlb.asid;

	need_cpl0(c);
	if (svm_wants(&c->svm, ICPT_INVPCID)) /* before every other exception: APM2 15.9 */
		svm_exit(c, svm_code(ICPT_INVPCID), plain_linear(c, o), type);
	if (type > INVPCID_ALL)
		x86_gp(c, 0, RULE_GP_INVPCID_TYPE);
	va = x86_linear(c, op_seg(o), off, 16, false);
	pcid = x86_load(c, va, 8);
	va = x86_load(c, va + 8, 8);
	if (pcid >> 12)
		x86_gp(c, 0, RULE_GP_INVPCID_RESERVED);
	if (type <= INVPCID_CONTEXT && pcid && !(c->cr4 & CR4_PCIDE))
		x86_gp(c, 0, RULE_GP_INVPCID_PCID);
	if (type == INVPCID_ADDRESS && !x86_canonical(c, va))
		x86_gp(c, 0, RULE_GP_INVPCID_CANON);
	switch (type) {
	case INVPCID_ADDRESS: tlb_flush_page(&c->tlb, asid, (u32)pcid, va, false); break;
	case INVPCID_CONTEXT: tlb_flush_pcid(&c->tlb, asid, (u32)pcid); break;
	case INVPCID_ALL_GLOBAL: tlb_flush_pcids(&c->tlb, asid, false); break;
	default: tlb_flush_pcids(&c->tlb, asid, true); break;
	}
}
