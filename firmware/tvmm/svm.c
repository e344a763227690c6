/* svm.c: finds SVM and turns it on. APM2 15.4. */
#include "svm.h"
#include "cpu.h"
#include "page.h"

static bool vendor_is_amd(void)
{
	struct cpuid c = cpuid(0, 0);
	return c.ebx == 0x68747541 && c.edx == 0x69746e65 && c.ecx == 0x444d4163; /* "Auth" "enti" "cAMD" */
}

/* The algorithm of APM2 15.4. Without SVM_LOCK a set SVMDIS is final; with it firmware or a key may clear it. */
static const char *svm_detect(struct svm *svm)
{
	if (!vendor_is_amd())
		return "the processor is not from AMD";
	if (cpuid(0x80000000, 0).eax < 0x8000000a || !(cpuid(0x80000001, 0).ecx & 1 << 2))
		return "CPUID 8000_0001h ECX.SVM is 0";
	struct cpuid c = cpuid(0x8000000a, 0);
	svm->features = c.edx;
	svm->asids = c.ebx;
	if (rdmsr(MSR_VM_CR) & VM_CR_SVMDIS)
		return c.edx & SVM_LOCK ? "VM_CR.SVMDIS is set: SVM is locked, with a key"
					: "VM_CR.SVMDIS is set: SVM is disabled";
	if (!(c.edx & SVM_NP))
		return "CPUID 8000_000Ah EDX.NP is 0: no nested paging";
	if (svm->asids < 2)
		return "no ASID for a guest";
	return NULL;
}

const char *svm_enable(struct svm *svm)
{
	const char *why_not = svm_detect(svm);
	if (why_not)
		return why_not;
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
	wrmsr(MSR_VM_HSAVE_PA, page_alloc(1, 1)); /* VMRUN keeps the host's state there. APM2 15.30.4 */
	svm->host_vmcb_pa = page_alloc(1, 1);
	return NULL;
}
