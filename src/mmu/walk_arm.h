/*
 * The page walker of the ARM926EJ-S: one pure function for TLB fills, debuggers and tests. It reads the first-level descriptor, the
 * second-level one when there is a table, records both, and says which rule refuses the access. DDI0100 part B ch. B4 (MMU), DDI0198 ch. 3.
 *
 * Addresses are modified virtual addresses (MVA): the FCSE has been applied (DDI0100 B8).
 */
#ifndef MMU_WALK_ARM_H
#define MMU_WALK_ARM_H

#include "mmu/walk.h"

struct walk_arm_env {
	struct space *mem;
	bool on;    /* control register bit M */
	bool s, r;  /* control register bits S and R */
	u32 ttbr;   /* bits 31:14 */
	u32 dacr;
};

/* Fault status codes, FSR bits 3:0. DDI0198 table 3-9 */
enum arm_fault {
	FSR_ALIGNMENT = 1, FSR_EXTERNAL_L1 = 12, FSR_EXTERNAL_L2 = 14, FSR_TRANSLATION_SECTION = 5, FSR_TRANSLATION_PAGE = 7,
	FSR_DOMAIN_SECTION = 9, FSR_DOMAIN_PAGE = 11, FSR_PERMISSION_SECTION = 13, FSR_PERMISSION_PAGE = 15,
	FSR_EXTERNAL_SECTION = 8, FSR_EXTERNAL_PAGE = 10,
};

struct text;
/* Every reference in order, one line each, then the result: plain text. */
void walk_arm_print(struct text *out, const struct walk *w);
/* What a domain's field in DACR means: "client". DDI0100 B4.5.1 */
extern const char *const arm_domain_names[4];
/* The status in words: "domain, section". DDI0100 table B4-1 */
const char *arm_fault_text(u32 fsr);

/* What may be cached of a translation: enough to check any access under any DACR, S and R. */
struct arm_page {
	u32 mva, pa; /* of its first byte */
	u8 shift;    /* 20 section, 16 large, 12 small, 10 tiny page; 32 with the MMU off */
	u8 domain;
	u8 ap;       /* four fields of two bits, subpage 0 in bits 1:0; all the same in sections and tiny pages */
	u8 cb;       /* C (bit 1) and B (bit 0) */
};

/* The access permission field of the subpage that holds mva. DDI0100 B4.7.2-B4.7.5 */
static inline unsigned arm_page_ap(const struct arm_page *p, u32 mva)
{
	unsigned sub = p->shift == 12 || p->shift == 16 ? mva >> (p->shift - 2) & 3 : 0;

	return p->ap >> 2 * sub & 3;
}

/* Would the domain, then AP, S and R refuse the access (enum access: ACC_WRITE, ACC_USER)? WALK_OK if not. DDI0100 B4.3, B4.5.1 */
enum walk_why arm_page_check(const struct walk_arm_env *env, unsigned domain, unsigned ap, unsigned access);

/* Translate mva for the access. Refused or not, *w holds every descriptor read and w->error the FSR of a refusal; *page (may be NULL) is filled
 * when there is a valid descriptor, even if the access is refused. peek: without side effects on devices. */
void walk_arm(const struct walk_arm_env *env, u32 mva, unsigned access, bool peek, struct walk *w, struct arm_page *page);

#endif
