/*
 * SVM in words, for the event log, the monitor and the user interface: what a #VMEXIT means, what changed in the VMCB
 * since VMRUN, which checks refused a VMRUN, and the walk behind a nested page fault. Nothing here changes anything.
 */
#ifndef SVM_EXPLAIN_H
#define SVM_EXPLAIN_H

#include "base/text.h"
#include "base/types.h"

struct x86_cpu;
struct walk_env;

/* A VMCB as it was at some VMRUN, kept by whoever wants to see the difference. */
struct svm_snapshot {
	bool valid;
	u64 vmcb_pa;
	u8 page[4096];
};
/* To be called when EV_VMRUN is heard: it is sent before the guest runs. */
void svm_snapshot(struct x86_cpu *c, struct svm_snapshot *at_vmrun);

/* The name of an EXITCODE, as in APM2 app. C without VMEXIT_ ("CPUID", "CR3_WRITE", "NPF"), and what it means. */
void svm_exit_name(u64 code, char *buf, size_t size);
const char *svm_exit_sentence(u64 code);

/*
 * The last #VMEXIT, from its VMCB; to be called when EV_VMEXIT is heard or at any time until the next VMRUN.
 * One line: name, EXITINFO in words, rip. Several lines: all that is known: EXITINTINFO, what changed since at_vmrun
 * (or NULL), for NPF the whole walk, for INVALID every failed check.
 */
void svm_print_exit_line(struct text *out, struct x86_cpu *c);
void svm_print_exit(struct text *out, struct x86_cpu *c, const struct svm_snapshot *at_vmrun);
/* Which checks refused the last VMRUN: field, value, bits, manual section. Valid until the next VMRUN. */
unsigned svm_failed_count(const struct x86_cpu *c);
void svm_failed_checks(struct x86_cpu *c, struct text *out);

/* The VMCB at pa: fields that are not zero, or all. */
void svm_print_vmcb(struct text *out, struct x86_cpu *c, u64 vmcb_pa, bool all);
void svm_print_vmcb_diff(struct text *out, const u8 *before, const u8 *after);
/* EVENTINJ or EXITINTINFO in words; EXITINFO1/2 in words for that exit code. */
void svm_print_event(struct text *out, u64 event);
void svm_print_exitinfo(struct text *out, u64 code, u64 info1, u64 info2);

/* The translation of the guest that VMCB describes, for walks of its memory while the host runs (nested tables in the
 * host's present paging mode). Nothing cached is used. */
void svm_guest_env(struct x86_cpu *c, u64 vmcb_pa, struct walk_env *env);
/* The host's translation while a guest runs, from the host save area. Nothing cached is used. */
void svm_host_env(struct x86_cpu *c, struct walk_env *env);

#endif
