/* The MSRs of SVM, and the state after reset. APM2 15.30, 15.31. */
#include "cpu_x86/system.h"
#include "svm/state.h"

enum {
	MSR_TSC_RATIO = 0xc0000104,
	MSR_VM_CR = 0xc0010114,
	MSR_IGNNE,
	MSR_SMM_CTL,
	MSR_VM_HSAVE_PA,
	MSR_SVM_KEY,
};
enum { SMM_DISMISS = 1, SMM_ENTER = 2, SMM_EXIT = 8 };

void svm_reset(struct svm_state *s)
{
	memset(s, 0, sizeof *s);
	s->gif = 1;
	s->tsc_ratio = BIT(32);
	svm_priv(s)->cached_vmcb = SVM_NOT_CACHED;
}

/* INIT leaves the SVM MSRs alone, except that it clears SVMDIS when LOCK is clear. APM2 15.30.1 */
void svm_init(struct svm_state *s)
{
	u64 vm_cr = s->vm_cr, hsave = s->hsave_pa, key = s->svm_key, ratio = s->tsc_ratio, ignne = svm_priv(s)->ignne;
	u8 secure_start = svm_priv(s)->secure_start;

	svm_reset(s);
	s->vm_cr = vm_cr & VM_CR_LOCK ? vm_cr : vm_cr & ~(u64)VM_CR_SVMDIS;
	s->hsave_pa = hsave;
	s->svm_key = key;
	s->tsc_ratio = ratio;
	svm_priv(s)->ignne = ignne;
	svm_priv(s)->secure_start = secure_start;
}

bool svm_msr_read(struct x86_cpu *c, u32 msr, u64 *val)
{
	const struct svm_state *s = &c->svm;

	switch (msr) {
	case MSR_TSC_RATIO: *val = s->tsc_ratio; break;
	case MSR_VM_CR: *val = s->vm_cr; break;
	case MSR_IGNNE: *val = svm_priv_of(s)->ignne; break;
	case MSR_VM_HSAVE_PA: *val = s->hsave_pa; break;
	case MSR_SVM_KEY: *val = 0; break; /* never shown. APM2 15.31.1 */
	default: return false;             /* SMM_CTL is write-only */
	}
	return true;
}

void svm_set_vm_cr(struct x86_cpu *c, u64 val)
{
	u64 old = c->svm.vm_cr;

	c->svm.vm_cr = val;
	if ((old ^ val) & VM_CR_DIS_A20M && c->board.a20m_changed)
		c->board.a20m_changed(c->board.arg);
}

static bool write_vm_cr(struct x86_cpu *c, u64 val)
{
	struct svm_state *s = &c->svm;
	u64 locked = VM_CR_LOCK | VM_CR_SVMDIS;

	if (val >> 5)
		return false;
	if (val & VM_CR_SVMDIS && c->efer & EFER_SVME) /* whatever LOCK says */
		return false;
	if (s->vm_cr & VM_CR_LOCK || !x86_has(c->model, X86_F_SVML))
		val = (val & ~locked) | (s->vm_cr & locked);
	svm_set_vm_cr(c, val);
	return true;
}

/* APM2 15.31.1 */
static void write_key(struct svm_state *s, u64 val)
{
	if (!(s->vm_cr & VM_CR_LOCK))
		s->svm_key = val;
	else if (val && val == s->svm_key)
		s->vm_cr &= ~(u64)VM_CR_LOCK;
}

/* In the order ENTER, DISMISS, EXIT; the special cycles have nobody to see them. APM2 15.30.3 */
static bool write_smm_ctl(struct x86_cpu *c, u64 val)
{
	if (val >> 5 || c->msr.hwcr & HWCR_SMMLOCK)
		return false;
	if (val & SMM_ENTER)
		c->smm = 1;
	if (val & SMM_DISMISS)
		c->pending &= ~(u32)PEND_SMI;
	if (val & SMM_EXIT)
		c->smm = 0;
	if (val & (SMM_ENTER | SMM_EXIT) && c->board.smm_changed)
		c->board.smm_changed(c->board.arg, c->id, c->smm);
	return true;
}

bool svm_msr_write(struct x86_cpu *c, u32 msr, u64 val)
{
	struct svm_state *s = &c->svm;

	switch (msr) {
	case MSR_TSC_RATIO:
		if (val >> 40)
			return false;
		s->tsc_ratio = val;
		return true;
	case MSR_VM_CR: return write_vm_cr(c, val);
	case MSR_IGNNE:
		if (val >> 1)
			return false;
		svm_priv(s)->ignne = val;
		return true;
	case MSR_SMM_CTL: return write_smm_ctl(c, val);
	case MSR_VM_HSAVE_PA:
		if (val & (~PAGE_MASK | ~mask_low(c->model->pa_bits)))
			return false;
		s->hsave_pa = val;
		return true;
	case MSR_SVM_KEY: write_key(s, val); return true;
	default: return false;
	}
}
