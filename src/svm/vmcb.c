/* The VMCB's field table and the names of its bits. See vmcb.def. */
#include "svm/vmcb.h"

static const char *const names_none[] = {FIELD_END};
static const char *const names_cr[] = {"CR0", "CR1",  "CR2",  "CR3",  "CR4",  "CR5",  "CR6",  "CR7",    "CR8",
				       "CR9", "CR10", "CR11", "CR12", "CR13", "CR14", "CR15", FIELD_END};
static const char *const names_dr[] = {"DR0", "DR1",  "DR2",  "DR3",  "DR4",  "DR5",  "DR6",  "DR7",    "DR8",
				       "DR9", "DR10", "DR11", "DR12", "DR13", "DR14", "DR15", FIELD_END};
static const char *const names_exception[] = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR",    "#UD", "#NM", "#DF",
					      "9",   "#TS", "#NP", "#SS", "#GP", "#PF",    "15",  "#MF", "#AC",
					      "#MC", "#XF", "20",  "#CP", "22",  "23",     "24",  "25",  "26",
					      "27",  "#HV", "#VC", "#SX", "31",  FIELD_END};
static const char *const names_intercept3[] = {
	"INTR",      "NMI",         "SMI",         "INIT",       "VINTR",      "CR0_SEL_WRITE", "IDTR_READ",
	"GDTR_READ", "LDTR_READ",   "TR_READ",     "IDTR_WRITE", "GDTR_WRITE", "LDTR_WRITE",    "TR_WRITE",
	"RDTSC",     "RDPMC",       "PUSHF",       "POPF",       "CPUID",      "RSM",           "IRET",
	"INTn",      "INVD",        "PAUSE",       "HLT",        "INVLPG",     "INVLPGA",       "IOIO_PROT",
	"MSR_PROT",  "TASK_SWITCH", "FERR_FREEZE", "SHUTDOWN",   FIELD_END};
static const char *const names_intercept4[] = {
	"VMRUN",     "VMMCALL",   "VMLOAD",    "VMSAVE",    "STGI",     "CLGI",        "SKINIT",
	"RDTSCP",    "ICEBP",     "WBINVD",    "MONITOR",   "MWAIT",    "MWAIT_ARMED", "XSETBV",
	"RDPRU",     "EFER_TRAP", "CR0_TRAP",  "CR1_TRAP",  "CR2_TRAP", "CR3_TRAP",    "CR4_TRAP",
	"CR5_TRAP",  "CR6_TRAP",  "CR7_TRAP",  "CR8_TRAP",  "CR9_TRAP", "CR10_TRAP",   "CR11_TRAP",
	"CR12_TRAP", "CR13_TRAP", "CR14_TRAP", "CR15_TRAP", FIELD_END};
static const char *const names_intercept5[] = {"INVLPGB", "INVLPGB_ILLEGAL", "INVPCID",  "MCOMMIT",
					       "TLBSYNC", "BUS_LOCK",        "IDLE_HLT", FIELD_END};
static const char *const names_rap[] = {"ALLOW_LARGER_RAP", "CLEAR_RAP", FIELD_END};
static const char *const names_int_ctl[] = {NULL,
					    NULL,
					    NULL,
					    NULL,
					    NULL,
					    NULL,
					    NULL,
					    NULL,
					    "V_IRQ",
					    "V_GIF",
					    NULL,
					    "V_NMI",
					    "V_NMI_MASK",
					    NULL,
					    NULL,
					    NULL,
					    NULL,
					    NULL,
					    NULL,
					    NULL,
					    "V_IGN_TPR",
					    NULL,
					    NULL,
					    NULL,
					    "V_INTR_MASKING",
					    "V_GIF_ENABLE",
					    "V_NMI_ENABLE",
					    NULL,
					    NULL,
					    NULL,
					    "X2AVIC_ENABLE",
					    "AVIC_ENABLE",
					    FIELD_END};
static const char *const names_int_state[] = {"INTERRUPT_SHADOW", "GUEST_INTERRUPT_MASK", FIELD_END};
static const char *const names_np_ctl[] = {"NP_ENABLE", "SEV",    "SEV_ES",          "GMET",   "SSS_CHECK",
					   "VTE",       "RO_GPT", "INVLPGB_TLBSYNC", FIELD_END};
static const char *const names_virt_ext[] = {"LBR_VIRTUALIZATION", "VMSAVE_VMLOAD_VIRTUALIZATION", "IBS_VIRTUALIZATION",
					     "PMC_VIRTUALIZATION", FIELD_END};
static const char *const names_clean[] = {"I",  "IOPM", "ASID", "TPR", "NP",   "CRx", "DRx",
					  "DT", "SEG",  "CR2",  "LBR", "AVIC", "CET", FIELD_END};
static const char *const names_efer[] = {"SCE", NULL,      NULL,    NULL,  NULL,   NULL,     NULL,     NULL,
					 "LME", NULL,      "LMA",   "NXE", "SVME", "LMSLE",  "FFXSR",  "TCE",
					 NULL,  "MCOMMIT", "INTWB", NULL,  "UAIE", "AIBRSE", FIELD_END};
static const char *const names_cr0[] = {"PE", "MP", "EM", "TS", "ET", "NE", NULL, NULL, NULL, NULL, NULL,
					NULL, NULL, NULL, NULL, NULL, "WP", NULL, "AM", NULL, NULL, NULL,
					NULL, NULL, NULL, NULL, NULL, NULL, NULL, "NW", "CD", "PG", FIELD_END};
static const char *const names_cr4[] = {"VME",  "PVI", "TSD",      "DE",         "PSE",     "PAE",  "MCE",
					"PGE",  "PCE", "OSFXSR",   "OSXMMEXCPT", "UMIP",    "LA57", NULL,
					NULL,   NULL,  "FSGSBASE", "PCIDE",      "OSXSAVE", NULL,   "SMEP",
					"SMAP", "PKE", "CET",      FIELD_END};
static const char *const names_dr6[] = {"B0", "B1", "B2",  "B3", NULL, NULL, NULL, NULL,     NULL,
					NULL, NULL, "BLD", NULL, "BD", "BS", "BT", FIELD_END};
static const char *const names_dr7[] = {"L0", "G0", "L1", "G1", "L2", "G2", "L3",     "G3",
					"LE", "GE", NULL, NULL, NULL, "GD", FIELD_END};
static const char *const names_rflags[] = {"CF", NULL, "PF", NULL, "AF", NULL, "ZF", "SF",  "TF",  "IF", "DF",     "OF",
					   NULL, NULL, "NT", NULL, "RF", "VM", "AC", "VIF", "VIP", "ID", FIELD_END};
static const char *const names_dbgctl[] = {"LBR", "BTF", "PB0", "PB1", "PB2", "PB3", FIELD_END};
/* 12-bit segment attributes. APM2 15.5.1 */
static const char *const names_attr[] = {NULL, NULL,  NULL, NULL, "S", NULL,     NULL,
					 "P",  "AVL", "L",  "DB", "G", FIELD_END};

#define VMCB(id, off, width, group, label, names) {label, off, (width) / 8, 1, FMT_BITS, names},
#define VMCB_SEG(id, off, group, label)                                                                                \
	{label ".sel", off, 2, 1, FMT_HEX, NULL}, {label ".attr", (off) + 2, 2, 1, FMT_BITS, names_attr},              \
		{label ".limit", (off) + 4, 4, 1, FMT_HEX, NULL}, {label ".base", (off) + 8, 8, 1, FMT_HEX, NULL},
#define VMCB_BYTES(id, off, size, group, label) {label, off, size, 1, FMT_BYTES, NULL},
#define VMCB_PAD(off, size)                     {"reserved", off, 1, size, FMT_PAD, NULL},
const struct field vmcb_fields[] = {
#include "svm/vmcb.def"
};
const size_t vmcb_fields_n = ARRAY_SIZE(vmcb_fields);
#undef VMCB
#undef VMCB_SEG
#undef VMCB_BYTES
#undef VMCB_PAD

#define VMCB(id, off, width, group, label, names) VMCB_##group,
#define VMCB_SEG(id, off, group, label)           VMCB_##group, VMCB_##group, VMCB_##group, VMCB_##group,
#define VMCB_BYTES(id, off, size, group, label)   VMCB_##group,
#define VMCB_PAD(off, size)                       VMCB_NONE,
static const u8 groups[] = {
#include "svm/vmcb.def"
};

enum vmcb_group vmcb_group(size_t i) { return i < ARRAY_SIZE(groups) ? groups[i] : VMCB_NONE; }
