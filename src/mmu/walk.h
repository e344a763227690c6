/*
 * The x86 page walker: one pure function for TLB fills, monitor, GDB, pictures and tests. It reads table entries of one or two
 * dimensions (guest tables under nested tables), records every reference in order, merges the permissions, and says
 * which rule refused the access. It writes A/D bits only when asked. APM2 ch. 5 (paging), 15.25 (nested paging).
 */
#ifndef MMU_WALK_H
#define MMU_WALK_H

#include "base/types.h"
#include "mmu/space.h"

/* What an access wants. */
enum access {
	ACC_READ = 0,
	ACC_WRITE = 1,
	ACC_EXEC = 2,
	ACC_USER = 4,     /* CPL 3; implicit supervisor accesses (descriptor tables, TSS) leave it clear */
	ACC_AC = 8,       /* EFLAGS.AC set and the access explicit: SMAP does not apply */
};

/* Merged permissions of a translation. */
enum perm {
	PERM_W = 1, /* writable in every dimension */
	PERM_X = 2, /* executable in every dimension */
	PERM_U = 4, /* a user page of the first dimension */
	PERM_G = 8, /* global (and CR4.PGE was set) */
	PERM_D = 16, /* dirty in every dimension: writes may go on */
	PERM_NW = 32 /* the nested dimension, if any, lets write: what a supervisor write under CR0.WP = 0 still needs */
};

/* One dimension's paging mode, derived from CR0, CR3/nCR3, CR4, EFER and the CPU model. */
struct paging {
	u64 root;      /* CR3 or nCR3, address bits only as the mode defines */
	u8 levels;     /* 0: paging off; 2: 32-bit; 3: PAE; 4; 5 */
	bool pse;      /* CR4.PSE (32-bit mode: 4 MB pages) */
	bool nx;       /* EFER.NXE: bit 63 is NX, else it is reserved */
	bool wp;       /* CR0.WP */
	bool smep, smap;
	bool pge;      /* CR4.PGE: G counts */
	bool page1gb;  /* 1 GB pages implemented (else PS in a PDPE is reserved) */
	u8 pa_bits;    /* physical address width of the model: higher bits are reserved */
	bool use_pdpte; /* PAE: the four PDPEs come from pdpte[] (loaded at MOV CR3), not from memory; never in a guest under
	                 * nested paging: APM2 15.25.10 */
	u64 pdpte[4];
};

enum walk_why {
	WALK_OK,
	WALK_NOT_PRESENT,   /* P = 0 */
	WALK_RESERVED,      /* a reserved bit is set */
	WALK_READ_ONLY,     /* write to W = 0 */
	WALK_SUPERVISOR,    /* user access to U/S = 0 */
	WALK_NX,            /* fetch from NX = 1 */
	WALK_SMEP,          /* supervisor fetch from a user page */
	WALK_SMAP,          /* supervisor data access to a user page with AC = 0 */
	WALK_NON_CANONICAL, /* the caller raises #GP or #SS */
	/* ARM (walk_arm.h) */
	WALK_ALIGNMENT,     /* address not aligned to the access, and the A bit set */
	WALK_TRANSLATION,   /* the descriptor is invalid; fail_level: 1 section, 2 page */
	WALK_DOMAIN,        /* the domain's field in DACR is no access or reserved */
	WALK_PERMISSION,    /* client of the domain, and AP, S and R refuse */
	WALK_EXTERNAL_TABLE, /* nobody answers at the descriptor's address */
	WALK_EXTERNAL,      /* nobody answers at the address itself */
};

struct walk_step {
	u64 pa;      /* system-physical address read */
	u64 gpa;     /* the guest-physical address behind pa (first dimension under nested paging), else pa */
	u64 val;     /* the entry as read */
	u64 set;     /* A/D bits that the access sets in it (or would set); 0 if none */
	u8 dim;      /* 0: the first dimension (host or guest tables), 1: nested tables */
	u8 level;    /* 5..1 of its own dimension's tables; ARM: 1 first, 2 second */
	u8 serves;   /* nested: the first-dimension level whose entry (or, 0, the final address) is being found */
	bool cached; /* not read: a cached nested translation served it (pa, val void), or a PDPE register (val is its content) */
};

struct walk {
	u64 va, gpa, pa;    /* linear; guest-physical (== pa without nesting; EXITINFO2 of a nested fault); system-physical */
	u8 shift;           /* log2 of the page that may be cached: min over both dimensions (30 with all paging off) */
	u8 gshift, nshift;  /* log2 page size of each dimension (0: that dimension is off) */
	u8 perm;            /* enum perm, merged */
	u16 why;            /* enum walk_why; WALK_OK: the access is allowed */
	bool nested_fault;  /* the refusal is the nested dimension's: NPF, not #PF */
	u8 fail_level;      /* level of the refusing entry in its dimension */
	u8 fail_serves;     /* nested fault: 0 final address, else guest level whose table was being read */
	u32 error;          /* #PF error code (P W U RSV ID), or EXITINFO1 bits 31:0 of the NPF; ARM: FSR (domain and status) */
	u8 domain, ap;      /* ARM: of the page; ap is that of the subpage */
	u64 exitinfo1;      /* NPF: whole EXITINFO1 with bit 32 (final address) or 33 (table walk). APM2 15.25.6 */
	unsigned refs;      /* memory references made */
	unsigned n;         /* steps recorded in step[] */
	struct walk_step step[35];
};

struct tlb;

struct walk_env {
	struct space *mem;
	struct paging p;      /* first dimension: the host's own, or the guest's */
	bool nested;
	struct paging np;     /* nested dimension; levels is not 0 (VMRUN refuses nested paging without hCR0.PG: APM2 15.25.3) */
	struct tlb *ntlb;     /* cached nested translations of the current ASID are used and filled; NULL: every reference is read */
	bool ro_tables;       /* read-only guest page tables (VMCB 90h bit 6): table reads are nested reads unless A/D is set. APM2 15.25.5 */
};

/* Walk va for the access. set_ad: write A/D bits, and fill env->ntlb; without it nothing changes anywhere (debugger), except that
 * entries in device regions are peeked. Everything is recorded in *w. va above 32 bits is cut off where the mode has 32.
 *
 * Order (APM2 15.25.6): from the top, each table's address is translated by the nested dimension (NPF), then its entry is checked
 * for P and reserved bits (#PF); then the merged permissions (#PF); then the final address is translated (NPF). An entry gets its A bit
 * when the table or page that it points to is used (APM2 5.4.1): a refused walk leaves A set above the refusing entry. */
void walk_x86(const struct walk_env *env, u64 va, unsigned access, bool set_ad, struct walk *w);
/* Nested dimension alone: translate a guest-physical address. */
void walk_nested(const struct walk_env *env, u64 gpa, unsigned access, bool set_ad, struct walk *w);

/* As walk_x86 with set_ad, without the record: step[] stays empty. False: the walk would be refused or would have to set A or D bits, read
 * a device, or fill env->ntlb for a table page; nothing has changed (but that a cached nested translation which refuses is dropped), and
 * walk_x86 must do it. */
bool walk_quick(const struct walk_env *env, u64 va, unsigned access, struct walk *w);
/* Page-protection checks: would a page of these merged permissions refuse the access of the first dimension's mode? WALK_OK if not.
 * APM2 5.6.1-5.6.6. */
static ALWAYS_INLINE enum walk_why walk_check(const struct paging *p, unsigned perm, unsigned access)
{
	if (access & ACC_WRITE && !(perm & PERM_NW))
		return WALK_READ_ONLY; /* the nested page: gCR0.WP has no say. APM2 15.25.7 */
	if (access & ACC_EXEC && !(perm & PERM_X))
		return WALK_NX;
	if (!p->levels)
		return WALK_OK;
	if (access & ACC_USER) {
		if (!(perm & PERM_U))
			return WALK_SUPERVISOR;
	} else if (perm & PERM_U) {
		if (access & ACC_EXEC) {
			if (p->smep)
				return WALK_SMEP;
		} else if (p->smap && !(access & ACC_AC)) {
			return WALK_SMAP;
		}
	}
	if (access & ACC_WRITE && !(perm & PERM_W) && (access & ACC_USER || p->wp))
		return WALK_READ_ONLY;
	return WALK_OK;
}

const char *walk_why_text(enum walk_why why);
/* "present write user" and so on, for #PF error codes and NPF EXITINFO1. */
struct text;
void walk_print_error(struct text *out, u64 error, bool npf);
/* Every reference in order, one line each, then the result: plain text. */
void walk_print(struct text *out, const struct walk *w);

#endif
