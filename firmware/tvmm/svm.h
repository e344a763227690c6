/* svm.h: is there SVM, and what of it. */
#ifndef TVMM_SVM_H
#define TVMM_SVM_H

#include "types.h"

/* CPUID 8000_000Ah EDX: APM3 appendix E.4.9 */
enum { SVM_NP = 1 << 0, SVM_LOCK = 1 << 2, SVM_NRIPS = 1 << 3, SVM_CLEAN = 1 << 5, SVM_FLUSH_BY_ASID = 1 << 6 };

struct svm {
	u32 features;
	u32 asids;        /* ASIDs 0 .. asids-1 exist; 0 is the VMM's own */
	u64 host_vmcb_pa; /* where VMSAVE keeps the VMM's part of the state that VMRUN does not switch */
};

/* NULL and everything set up, or the reason why not. */
const char *svm_enable(struct svm *svm);

#endif
