/* The field table of struct svm_state, src/svm's own part included. */
#include "svm/state.h"

#define S(m) FIELD_HEX(struct svm_state, m)
#define ROW(m, label)                                                                                                  \
	{                                                                                                              \
		label, offsetof(struct svm_state, priv) + offsetof(struct svm_priv, m),                                \
			sizeof(((struct svm_priv *)0)->m), 1, FMT_HEX, NULL                                            \
	}
#define P(m) ROW(m, #m)
#define G(m) ROW(g.m, "vmcb_cache." #m)
#define BYTES(m, n)                                                                                                    \
	{                                                                                                              \
		"vmcb_cache." #m, offsetof(struct svm_state, priv) + offsetof(struct svm_priv, g.m), n, 1, FMT_BYTES,  \
			NULL                                                                                           \
	}

const struct field svm_fields[] = {
	S(guest),
	S(gif),
	S(smm_suspends),
	S(np),
	FIELD_DEC(struct svm_state, asid),
	S(vmcb_pa),
	FIELD_ARRAY(struct svm_state, icpt),
	S(vm_cr),
	S(hsave_pa),
	S(svm_key),
	S(tsc_ratio),
	S(iopm_pa),
	S(msrpm_pa),
	S(tsc_offset),
	S(int_ctl),
	G(cr0),
	G(cr3),
	G(cr4),
	G(efer),
	G(dr6),
	G(dr7),
	BYTES(gdt, sizeof(struct x86_dt)),
	BYTES(idt, sizeof(struct x86_dt)),
	BYTES(es, sizeof(struct x86_seg)),
	BYTES(cs, sizeof(struct x86_seg)),
	BYTES(ss, sizeof(struct x86_seg)),
	BYTES(ds, sizeof(struct x86_seg)),
	G(cr2),
	G(ncr3),
	G(g_pat),
	G(dbgctl),
	G(br_from),
	G(br_to),
	G(exc_from),
	G(exc_to),
	G(eventinj),
	G(pause_count),
	G(cpl),
	G(pdpe_bad),
	G(np),
	P(cached_vmcb),
	P(failed),
	P(inject),
	P(inject_nrip),
	P(event),
	P(soft_rip),
	P(host_cr0),
	P(host_cr4),
	P(host_efer),
	P(pause_time),
	P(npf_va),
	P(cr4_mbz),
	P(efer_mbz),
	P(ignne),
	P(pause_left),
	P(pause_threshold),
	P(host_if),
	P(lbr),
	P(vmload),
	P(soft),
	P(nmi_event),
	P(lbr_cached),
	P(injecting),
	P(npf_physical),
	P(secure_start),
	{"pad", offsetof(struct svm_state, priv) + sizeof(struct svm_priv) - 3, 1, 3, FMT_PAD, NULL},
	{"unused", offsetof(struct svm_state, priv) + sizeof(struct svm_priv), 1,
	 sizeof(((struct svm_state *)0)->priv) - sizeof(struct svm_priv), FMT_PAD, NULL},
};
const size_t svm_fields_n = ARRAY_SIZE(svm_fields);
