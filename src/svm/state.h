/*
 * What src/svm keeps to itself: the layout of svm_state.priv, the calls between the files of this room, and how a page
 * of the guest-visible memory is reached. APM2 ch. 15.
 */
#ifndef SVM_STATE_H
#define SVM_STATE_H

#include "cpu_x86/cpu.h"
#include "svm/vmcb.h"

/*
 * The guest state that VMRUN loads and checks. It stays behind as the VMCB state cache of APM2 15.15: #VMEXIT writes
 * the guest's state here and into the VMCB, and the next VMRUN of the same VMCB takes from here the groups whose clean
 * bits are set. The cached intercepts, TSC_OFFSET, IOPM, MSRPM, ASID and V_INTR word are those of struct svm_state
 * itself. After a refused VMRUN it holds the refused state, for the explanation.
 */
struct svm_load {
	u64 cr0, cr3, cr4, efer;                      /* CRx */
	u64 dr6, dr7;                                 /* DRx */
	struct x86_dt gdt, idt;                       /* DT */
	struct x86_seg es, cs, ss, ds;                /* SEG, with cpl */
	u64 cr2;                                      /* CR2 */
	u64 ncr3, g_pat;                              /* NP */
	u64 dbgctl, br_from, br_to, exc_from, exc_to; /* LBR */
	u64 eventinj;                                 /* never cached, as all that follows */
	u16 pause_count;                              /* I */
	u8 cpl;                                       /* SEG */
	u8 pdpe_bad; /* PAE guest without nested paging: a PDPE has reserved bits set (bit n for PDPE n) */
	u32 np;      /* nested paging is asked for and there */
} __attribute__((may_alias));

/* The live part. */
struct svm_priv {
	struct svm_load g;
	u64 cached_vmcb; /* whose state g is; SVM_NOT_CACHED: nobody's */
	u64 failed;      /* checks that refused the last VMRUN, bit by bit of enum svm_check_id */
	u64 inject;      /* EVENTINJ that waits to be delivered before the first guest instruction; 0 none */
	u64 inject_nrip; /* its return address if it is a software interrupt, INT3 or INTO */
	u64 event;       /* EXITINTINFO of the event under delivery; 0 none */
	u64 soft_rip;    /* rip to go back to if the delivery of an injected software event faults */
	u64 host_cr0, host_cr4, host_efer; /* mode of the nested tables, and what VMLOAD virtualization asks for */
	u64 pause_time;                    /* icount of the last PAUSE */
	u64 npf_va; /* linear (or, npf_physical, guest-physical) address of the last NPF, for its explanation */
	u64 cr4_mbz, efer_mbz; /* of the CPU model; 0 until known */
	u64 ignne;             /* MSR C001_0115h */
	u16 pause_left;        /* counts PAUSEs down */
	u16 pause_threshold;
	u8 host_if;     /* RFLAGS.IF of the host at VMRUN */
	u8 lbr, vmload; /* LBR virtualization and VMLOAD/VMSAVE virtualization are on for this guest */
	u8 soft;        /* soft_rip is valid: an injected software event is under delivery */
	u8 nmi_event;   /* the event under delivery is an NMI that has set a mask: enum svm_nmi_event */
	u8 lbr_cached;  /* g holds LBR values of the cached VMCB */
	u8 injecting;   /* the event about to be delivered is an injected one: not intercepted */
	u8 npf_physical;
	u8 secure_start; /* the boot processor has executed SKINIT and no start-up message has come since */
	u8 pad[3];
} __attribute__((may_alias)); /* laid over an array of u64 */
#define SVM_NOT_CACHED (~0ull)
enum svm_nmi_event { SVM_NMI_VIRTUAL = 1 /* V_NMI_MASK */, SVM_NMI_PHYSICAL };
enum { SVM_VMLOAD_ON = 1, SVM_VMLOAD_EXITS }; /* asked for and there; asked for without what it needs */

/* Exit codes that are not instruction intercepts. APM2 app. C */
#define SVM_EXIT_EXCP    0x40u
#define SVM_EXIT_NPF     0x400u
#define SVM_EXIT_INVALID (~0ull)
_Static_assert(sizeof(struct svm_priv) <= sizeof(((struct svm_state *)0)->priv), "svm_priv must fit");

static inline struct svm_priv *svm_priv(struct svm_state *s) { return (struct svm_priv *)(void *)s->priv; }
static inline const struct svm_priv *svm_priv_of(const struct svm_state *s)
{
	return (const struct svm_priv *)(const void *)s->priv;
}

/* Segments lie in the VMCB as in the CPU. */
_Static_assert(sizeof(struct x86_seg) == 16 && sizeof(struct vmcb_seg) == 16 && offsetof(struct x86_seg, limit) == 4 &&
		       offsetof(struct x86_seg, base) == 8 && offsetof(struct vmcb_seg, base) == 8,
	       "struct x86_seg has the VMCB's layout");
static inline void svm_seg_get(struct x86_seg *d, const struct vmcb_seg *s) { memcpy(d, s, sizeof *d); }
static inline void svm_seg_put(struct vmcb_seg *d, const struct x86_seg *s) { memcpy(d, s, sizeof *d); }

/* ---- page.c: pages that the processor reads and writes by physical address ---- */
u8 *svm_no_page(void);

/* The page at pa. Where there is no RAM it reads as all ones and forgets what is written. Valid until the next call without RAM. */
static inline const u8 *svm_page_read(struct x86_cpu *c, u64 pa)
{
	const u8 *host = space_host(c->mem, pa & PAGE_MASK, false);

	return likely(host) ? host : svm_no_page();
}

/* To be written whole or in part now: the page counts as dirty, and code decoded from it is dropped. */
u8 *svm_page_write(struct x86_cpu *c, u64 pa);

/* ---- told.c: a debugger hears what the processor stores and loads in such pages ---- */
/* Writes fields of the page: the same ones whatever it holds; repeatable. */
typedef void svm_writer(struct x86_cpu *c, u8 *page, const void *arg);
void svm_tell_stores(struct x86_cpu *c, const char *who, u64 pa, svm_writer *write, const void *arg);
/* What VMRUN loads but for the groups that are clean; what VMLOAD does; what write would store. */
void svm_tell_loads(struct x86_cpu *c, const char *who, u64 pa, u32 clean);
void svm_tell_vmload(struct x86_cpu *c, u64 pa);
void svm_tell_loads_as(struct x86_cpu *c, const char *who, u64 pa, svm_writer *write, const void *arg);

/* ---- checks.c ---- */
/* What the checks compare the loaded state with. */
struct svm_limits {
	u64 cr4_mbz, efer_mbz; /* bits that the CPU model does not have */
	u64 pa_mbz;            /* physical address bits that it does not have */
	bool long_mode;        /* the model has long mode */
	bool host_paging;      /* hCR0.PG */
	bool host_long;        /* hEFER.LMA */
};
void svm_limits_get(struct x86_cpu *c, struct svm_limits *l);
/* The VMRUN consistency checks on s and svm_priv(s)->g. Returns the set of failed rows; 0: all is well. */
u64 svm_check_state(const struct svm_state *s, const struct svm_limits *l);
/* The part of them that concerns the host's state at #VMEXIT. */
bool svm_host_state_bad(const struct svm_limits *l, u64 cr0, u64 cr3, u64 cr4, u64 efer);

/* ---- host.c: the host's state, saved and restored ---- */
void svm_host_save(struct x86_cpu *c, u64 next_rip);
/* False: the state is inconsistent, the processor shuts down. */
bool svm_host_restore(struct x86_cpu *c);
/* Derived state, after either side was loaded. */
void svm_world_changed(struct x86_cpu *c);
/* Bases that are wider than 32 bits are made canonical. APM2 15.5.1 */
static inline u64 svm_canonical(const struct x86_cpu *c, u64 base)
{
	return (u64)sign_extend(base, c->cr4 & CR4_LA57 ? 57 : 48);
}
/* The tail of every #VMEXIT, that of a refused VMRUN included. */
void svm_to_host(struct x86_cpu *c) NORETURN;
/* The four PDPEs at cr3 into pdpe; returns a bit for each that has reserved bits set. APM2 5.2.3, 5.5.3, 15.6 */
unsigned svm_pdpes_read(struct x86_cpu *c, u64 cr3, u64 pdpe[4]);

/* ---- insn.c ---- */
/* What VMRUN, VMLOAD, VMSAVE, CLGI and INVLPGA ask first: EFER.SVME, protected mode, CPL 0. Raises #UD, #GP. */
void svm_insn_check(struct x86_cpu *c);
/* rAX as the address of a VMCB: aligned, within the physical address width. Raises #GP. */
void svm_vmcb_check(struct x86_cpu *c, u64 rax);

/* ---- msr.c ---- */
void svm_set_vm_cr(struct x86_cpu *c, u64 val);

/* ---- vmexit.c ---- */
/* svm_exit with the nRIP to be saved (0: none). */
void svm_exit_next(struct x86_cpu *c, u64 code, u64 info1, u64 info2, u64 nrip) NORETURN;

/* ---- events.c ---- */
/* EXITINTINFO of the event under delivery, and the end of it: its traces are taken out of the state that will be saved.
 */
u64 svm_event_cancel(struct x86_cpu *c);
/* Is the exception about to be delivered the injected one? */
bool svm_event_is_injected(struct x86_cpu *c);
/* nRIP of the exceptions of INT3, INTO and BOUND, else 0. */
u64 svm_soft_nrip(const struct x86_cpu *c, unsigned vector);

/* ---- explain.c ---- */

bool svm_exit_has_nrip(u64 code);

#endif
