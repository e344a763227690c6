/*
 * What the files of the system instructions offer to the rest of the room and to the monitor: MSRs, CPUID, control
 * register rules, hardware breakpoints, SMM, MONITOR, extended state. The instruction bodies themselves are declared at
 * the end.
 */
#ifndef CPU_X86_SYSTEM_H
#define CPU_X86_SYSTEM_H

#include "cpu_x86/body.h"

#define EFER_MCOMMIT     BIT(17)
#define HWCR_SMMLOCK     BIT(0)
#define HWCR_MONDIS      BIT(9)
#define HWCR_MONUSER     BIT(10)
#define HWCR_MCSTATUS_WR BIT(18)
#define HWCR_TSCFREQ     BIT(24)
#define APIC_BASE_BSP    BIT(8)
#define APIC_BASE_ON     BIT(11)
#define DR6_FIXED        0xffff0ff0ull /* bits that read as 1 */
#define DR6_WRITABLE     0xe00full     /* BT BS BD B3-B0 */
#define DR6_BD           BIT(13)
#define DR7_FIXED        0x400ull
#define DR7_WRITABLE     0xffff23ffull
#define DR7_GD           BIT(13)

/* msr.extra[]: MSRs without a name of their own in struct x86_msrs. */
enum msr_extra {
	EXTRA_RANDOM, /* not an MSR: state of RDRAND's generator */
	EXTRA_MPERF,
	EXTRA_APERF,
	EXTRA_EVT_SEL,                 /* 4 */
	EXTRA_PMC = EXTRA_EVT_SEL + 4, /* 4 */
	EXTRA_PSTATE_CTL = EXTRA_PMC + 4,
	EXTRA_DE_CFG,
	EXTRA_LS_CFG,
	EXTRA_MCG_CTL,
	EXTRA_COUNT
};

/* ---- control.c: RULE_NONE, or the rule that refuses the value. They change nothing. ---- */
enum x86_rule x86_check_cr0(const struct x86_cpu *c, u64 val);
enum x86_rule x86_check_cr3(const struct x86_cpu *c, u64 val);
enum x86_rule x86_check_cr4(const struct x86_cpu *c, u64 val);
enum x86_rule x86_check_efer(const struct x86_cpu *c, u64 val);
u64 x86_cr4_allowed(const struct x86_model *m);  /* bits of CR4 that this model has */
u64 x86_efer_allowed(const struct x86_model *m); /* bits of EFER, LMA included */

/* ---- msr.c: no intercepts, no CPL: also for the monitor. RULE_NONE when done. ---- */
enum x86_rule x86_msr_read(struct x86_cpu *c, u32 msr, u64 *val);
enum x86_rule x86_msr_write(struct x86_cpu *c, u32 msr, u64 val);
const char *x86_msr_name(u32 msr); /* NULL when unknown */
/* Values after power-on (init = false) or INIT, which keeps most. APM2 14.1.3. Does not touch apic_base's BSC bit
 * owner: the board. */
void x86_msr_reset(struct x86_cpu *c, bool init);
u64 x86_pmc_read(struct x86_cpu *c, unsigned n); /* n 0..3 */

/* ---- cpuid.c ---- */
void x86_cpuid(const struct x86_cpu *c, u32 leaf, u32 sub, u32 out[4]);

/* ---- debugreg.c: DR6 bits of the enabled breakpoints that match; 0 is the usual answer. APM2 13.1.2-13.1.3 ---- */
u64 x86_debug_data(const struct x86_cpu *c, u64 va, unsigned size, bool write);
u64 x86_debug_exec(const struct x86_cpu *c, u64 va);
u64 x86_debug_io(const struct x86_cpu *c, u16 port, unsigned size);
static inline bool x86_debug_armed(const struct x86_cpu *c) { return c->dr[7] & 0xff; }

/* ---- system.c ---- */
/* A store to [pa, pa+size) by another CPU or a device: disarms this CPU's MONITOR and wakes its MWAIT if it meets the
 * line. */
void x86_monitor_hit(struct x86_cpu *c, u64 pa, unsigned size);
#define MONITOR_NONE (~0ull)
#define MONITOR_LINE 64u
/* In ACT_MWAIT: does an interrupt that EFLAGS.IF masks wake the CPU too (MWAIT with ECX[0])? It does not deliver it. */
static inline bool x86_mwait_masked(const struct x86_cpu *c)
{
	return c->monitor_pa != MONITOR_NONE && (c->monitor_pa & 1);
}
u64 x86_random(struct x86_cpu *c);

/* ---- smm.c ---- */
/* Between instructions, PEND_SMI set, not in SMM, GIF set: take the SMI (or exit to the VMM that intercepts it).
 * APM2 10.3 */
void x86_smi(struct x86_cpu *c);

/* ---- xsave.c ---- */
u64 x86_xcr0_supported(const struct x86_model *m);
u32 x86_xsave_size(u64 components, bool compact); /* bytes of an XSAVE area with these components */
void x86_fpu_init(struct x86_cpu *c, bool reset); /* FNINIT; reset: all of the x87 and SSE state, XCR0. APM2 14.1.3 */

/* ---- bodies ---- */
x86_body x86i_mov_from_cr, x86i_mov_to_cr, x86i_clts, x86i_lmsw, x86i_smsw, x86i_invlpg, x86i_invpcid;
x86_body x86i_mov_from_dr, x86i_mov_to_dr;
x86_body x86i_rdmsr, x86i_wrmsr, x86i_rdtsc, x86i_rdtscp, x86i_rdpmc, x86i_rdpid, x86i_rdpru, x86i_cpuid;
x86_body x86i_hlt, x86i_pause, x86i_monitor, x86i_mwait, x86i_invd, x86i_wbinvd, x86i_clflush, x86i_clflushopt,
	x86i_clwb, x86i_clzero, x86i_mfence, x86i_lfence, x86i_sfence, x86i_rdrand, x86i_rdseed, x86i_rdfsbase,
	x86i_rdgsbase, x86i_wrfsbase, x86i_wrgsbase, x86i_clac, x86i_stac, x86i_mcommit;
x86_body x86i_in_imm, x86i_in_dx, x86i_out_imm, x86i_out_dx, x86i_ins, x86i_outs;
x86_body x86i_vmrun, x86i_vmload, x86i_vmsave, x86i_vmmcall, x86i_stgi, x86i_clgi, x86i_skinit, x86i_invlpga;
x86_body x86i_rsm;
x86_body x86i_xgetbv, x86i_xsetbv, x86i_fxsave, x86i_fxrstor, x86i_xsave, x86i_xsaveopt, x86i_xsavec, x86i_xsaves,
	x86i_xrstor, x86i_xrstors, x86i_ldmxcsr, x86i_stmxcsr;

#endif
