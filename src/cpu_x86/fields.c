/* The field table of struct x86_cpu's saved part: what monitor, state hash and snapshot read. */
#include "cpu_x86/cpu.h"

static const char *const flag_names[] = {"CF", 0,    "PF", 0,    "AF", 0,    "ZF", "SF", "TF",  "IF",  "DF", "OF",
                                         0,    0,    "NT", 0,    "RF", "VM", "AC", "VIF", "VIP", "ID", FIELD_END};
static const char *const cr0_names[] = {"PE", "MP", "EM", "TS", "ET", "NE", 0, 0, 0, 0, 0, 0, 0,    0,    0,    0,        "WP",
                                        0,    "AM", 0,    0,    0,    0,    0, 0, 0, 0, 0, 0, "NW", "CD", "PG", FIELD_END};
static const char *const cr4_names[] = {"VME",  "PVI",  "TSD",      "DE",    "PSE",     "PAE", "MCE",  "PGE",  "PCE", "OSFXSR", "OSXMMEXCPT",
                                        "UMIP", "LA57", 0,          0,       0,         "FSGSBASE", "PCIDE", "OSXSAVE", 0, "SMEP", "SMAP",
                                        FIELD_END};
static const char *const efer_names[] = {"SCE", 0, 0, 0, 0, 0, 0, 0, "LME", 0, "LMA", "NXE", "SVME", "LMSLE", "FFXSR", "TCE", FIELD_END};

#define M(m) FIELD_HEX(struct x86_cpu, m)
#define SEG(i, n)                                                                                                                \
	{n ".sel", offsetof(struct x86_cpu, seg[i].sel), 2, 1, FMT_HEX, 0}, {n ".attr", offsetof(struct x86_cpu, seg[i].attr), 2, 1, FMT_HEX, 0}, \
	        {n ".limit", offsetof(struct x86_cpu, seg[i].limit), 4, 1, FMT_HEX, 0},                                          \
	        {n ".base", offsetof(struct x86_cpu, seg[i].base), 8, 1, FMT_HEX, 0}
#define REG(i, n) {n, offsetof(struct x86_cpu, r[i]), 8, 1, FMT_HEX, 0}
#define DR(i, n) {n, offsetof(struct x86_cpu, dr[i]), 8, 1, FMT_HEX, 0}
#define BYTES(m) FIELD_BYTES(struct x86_cpu, m)

const struct field x86_fields[] = {
        REG(0, "rax"), REG(1, "rcx"), REG(2, "rdx"), REG(3, "rbx"), REG(4, "rsp"), REG(5, "rbp"), REG(6, "rsi"), REG(7, "rdi"), REG(8, "r8"),
        REG(9, "r9"), REG(10, "r10"), REG(11, "r11"), REG(12, "r12"), REG(13, "r13"), REG(14, "r14"), REG(15, "r15"),
        /* r[R_ZERO] is 0; r[R_RIP] is where the last block began, which depends on how code was cached: padding for the hash. */
        {"r_zero", offsetof(struct x86_cpu, r[R_ZERO]), 16, 1, FMT_PAD, 0},
        M(flow), M(fof), BYTES(pad0), M(rip), FIELD_BITS(struct x86_cpu, flags, flag_names), M(cpl), M(shadow), M(nmi_masked), M(activity),
        SEG(0, "es"), SEG(1, "cs"), SEG(2, "ss"), SEG(3, "ds"), SEG(4, "fs"), SEG(5, "gs"), SEG(6, "ldtr"), SEG(7, "tr"),
        M(gdt.base), M(gdt.limit), {"gdt.pad", offsetof(struct x86_cpu, gdt.pad), 6, 1, FMT_PAD, 0},
        M(idt.base), M(idt.limit), {"idt.pad", offsetof(struct x86_cpu, idt.pad), 6, 1, FMT_PAD, 0},
        FIELD_BITS(struct x86_cpu, cr0, cr0_names), M(cr2), M(cr3), FIELD_BITS(struct x86_cpu, cr4, cr4_names),
        FIELD_BITS(struct x86_cpu, efer, efer_names), M(xcr0), FIELD_ARRAY(struct x86_cpu, pdpte),
        DR(0, "dr0"), DR(1, "dr1"), DR(2, "dr2"), DR(3, "dr3"), DR(4, "dr4"), DR(5, "dr5"), DR(6, "dr6"), DR(7, "dr7"), M(db_pending),
        {"pending", offsetof(struct x86_cpu, pending), 4, 1, FMT_HEX, 0}, M(sipi_vector), M(monitor_pa),
        M(msr.star), M(msr.lstar), M(msr.cstar), M(msr.sfmask), M(msr.kernel_gs_base), M(msr.sysenter_cs), M(msr.sysenter_esp),
        M(msr.sysenter_eip), M(msr.tsc_aux), M(msr.pat), M(msr.apic_base), M(msr.mcg_status), M(msr.debugctl), M(msr.br_from), M(msr.br_to),
        M(msr.exc_from), M(msr.exc_to), M(msr.misc_enable), M(msr.tsc_adjust), M(msr.mtrr_def),
        FIELD_ARRAY(struct x86_cpu, msr.mtrr_fix), FIELD_ARRAY(struct x86_cpu, msr.mtrr_base), FIELD_ARRAY(struct x86_cpu, msr.mtrr_mask),
        M(msr.syscfg), M(msr.hwcr), M(msr.smbase), M(msr.smm_addr), M(msr.smm_mask), FIELD_ARRAY(struct x86_cpu, msr.iorr), M(msr.top_mem),
        M(msr.top_mem2), M(msr.patch_level), M(msr.spec_ctrl), M(msr.tsc_deadline), FIELD_ARRAY(struct x86_cpu, msr.mc), M(msr.xss),
        FIELD_ARRAY(struct x86_cpu, msr.extra), FIELD_(struct x86_cpu, pad2, FMT_PAD, 0), BYTES(fpu),
        FIELD_(struct x86_cpu, vec_tmp, FMT_PAD, 0),
        {"svm", offsetof(struct x86_cpu, svm), sizeof(struct svm_state), 1, FMT_PAD, 0}, /* a table of its own: svm_fields */
        M(smm), M(shadow_nmi), BYTES(pad1), M(retired),
};
const size_t x86_fields_n = ARRAY_SIZE(x86_fields);
