/*
 * ARM's translation tables for a reader: see walk_form.h. Two tables, and what decides besides them: the FCSE process before, the domain's
 * field in DACR and the access permissions with S and R after. DDI0100 B4.7 (descriptors), B4.5 (domains, permissions), B8 (FCSE).
 */
#include "debug/walk_form.h"

#include <stdio.h>

#include "cpu_arm/cpu.h"

#define CB WALK_FLAG(2, "B", "writes may be buffered", "not buffered"), WALK_FLAG(3, "C", "may be cached", "not cached")

static const char *const l1_types[] = {"fault", "coarse", "section", "fine"};
static const char *const l2_types[] = {"fault", "large", "small", "tiny"};
static const char *const ap_means[] = {"User none, privileged by S and R", "privileged read and write, User none",
				       "privileged read and write, User read", "read and write for all"};

/* First level. DDI0100 B4.7.2 */
static const struct walk_bit l1_fault[] = {WALK_TYPE(1, 0, l1_types), WALK_FREE(31, 2), WALK_END};
static const struct walk_bit l1_coarse[] = {
	WALK_TYPE(1, 0, l1_types), WALK_FIELD(8, 5, "domain", NULL), WALK_ADDRESS(31, 10, "table"), WALK_END};
static const struct walk_bit l1_section[] = {
	WALK_TYPE(1, 0, l1_types), CB, WALK_FIELD(8, 5, "domain", NULL), WALK_FIELD(11, 10, "AP", ap_means), WALK_ADDRESS(31, 20, "section"), WALK_END};
static const struct walk_bit l1_fine[] = {
	WALK_TYPE(1, 0, l1_types), WALK_FIELD(8, 5, "domain", NULL), WALK_ADDRESS(31, 12, "table"), WALK_END};
static const struct walk_bit *const l1_type[] = {l1_fault, l1_coarse, l1_section, l1_fine};

/* Second level. DDI0100 B4.7.3-B4.7.5 */
#define SUB(n) WALK_FIELD(2 * n + 5, 2 * n + 4, "AP" #n, ap_means)
#define APS    SUB(0), SUB(1), SUB(2), SUB(3)
static const struct walk_bit l2_fault[] = {WALK_TYPE(1, 0, l2_types), WALK_FREE(31, 2), WALK_END};
static const struct walk_bit l2_large[] = {WALK_TYPE(1, 0, l2_types), CB, APS, WALK_ADDRESS(31, 16, "page"), WALK_END};
static const struct walk_bit l2_small[] = {WALK_TYPE(1, 0, l2_types), CB, APS, WALK_ADDRESS(31, 12, "page"), WALK_END};
static const struct walk_bit l2_tiny[] = {WALK_TYPE(1, 0, l2_types), CB, WALK_FIELD(5, 4, "AP", ap_means), WALK_ADDRESS(31, 10, "page"), WALK_END};
static const struct walk_bit *const l2_type[] = {l2_fault, l2_large, l2_small, l2_tiny};

/* CP15. DDI0198 2.3.2, 2.3.4, 2.3.13 */
static const struct walk_bit fcse[] = {WALK_FIELD(31, 25, "process", NULL), WALK_END};
#define D(n) WALK_FIELD(2 * n + 1, 2 * n, "D" #n, arm_domain_names)
static const struct walk_bit dacr[] = {D(0), D(1), D(2),  D(3),  D(4),  D(5),  D(6),  D(7), D(8),
				       D(9), D(10), D(11), D(12), D(13), D(14), D(15), WALK_END};
static const struct walk_bit control[] = {
	WALK_FLAG(0, "M", "MMU on", "MMU off"),
	WALK_FLAG(1, "A", "alignment is checked", "alignment is not checked"),
	WALK_FLAG(8, "S", "AP 0: privileged read", "AP 0: nothing for S"),
	WALK_FLAG(9, "R", "AP 0: read for all, without S", "AP 0: nothing for R"),
	WALK_END,
};

struct walk_arm_env walk_arm_env_of(const struct walk_arm_regs *r)
{
	return (struct walk_arm_env){.on = r->control & CTL_M, .s = r->control & CTL_S, .r = r->control & CTL_R, .ttbr = r->ttbr, .dacr = r->dacr};
}

unsigned walk_arm_rights(const struct walk_arm_regs *r, unsigned domain, unsigned ap)
{
	static const u8 access[] = {ACC_READ, ACC_WRITE, ACC_USER | ACC_READ, ACC_USER | ACC_WRITE};
	const struct walk_arm_env env = walk_arm_env_of(r);
	unsigned all = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(access); i++)
		all |= (unsigned)(arm_page_check(&env, domain, ap, access[i]) == WALK_OK) << i;
	return all;
}

static void first(struct walk_level *l)
{
	l->entry = "first-level descriptor";
	l->table = "first-level table";
	l->hi = 31;
	l->lo = 20;
	l->leaf_mask = 3;
	l->leaf_value = ARM_L1_SECTION;
	l->type = l1_type;
}

static void second(struct walk_level *l, unsigned l1)
{
	l->entry = "second-level descriptor";
	l->table = l1 == ARM_L1_FINE ? "fine second-level table" : "coarse second-level table";
	l->type = l2_type;
	if (l1 != ARM_L1_COARSE && l1 != ARM_L1_FINE)
		return;
	l->hi = 19;
	l->lo = l1 == ARM_L1_FINE ? 10 : 12;
}

static struct walk_level reg(const char *name, const char *entry, const char *table, const struct walk_bit *b)
{
	return (struct walk_level){.name = name, .entry = entry, .table = table, .leaf_value = 1, .link = b};
}

void walk_form_arm(struct walk_form *f, const struct walk_arm_regs *r, const struct walk *w)
{
	const bool on = r->control & CTL_M;
	unsigned l1 = w->n ? w->step[0].val & 3 : 0;

	memset(f, 0, sizeof *f);
	snprintf(f->name, sizeof f->name, "%s", on ? "ARMv5, 2 levels" : "MMU off");
	f->root = "TTBR";
	f->address = r->fcse ? "MVA" : "address";
	f->large = "section";
	f->size = 4;
	f->bits = 32;
	f->offset = !on ? 32 : w->shift ? w->shift : l1 == ARM_L1_FINE ? 10 : l1 == ARM_L1_COARSE ? 12 : 20;
	if (on && (w->shift == 12 || w->shift == 16)) {
		f->sub_hi = (u8)(w->shift - 1);
		f->sub_lo = (u8)(w->shift - 2);
	}
	if (r->fcse)
		f->order[f->levels++] = ARM_FCSE;
	for (u8 n = ARM_L1; on && n <= ARM_AP; n++)
		if (n != ARM_FCSE)
			f->order[f->levels++] = n;
	first(&f->level[ARM_L1]);
	second(&f->level[ARM_L2], l1);
	f->level[ARM_FCSE] = reg("FCSE", "FCSE PID", "CP15 register 13", fcse);
	f->level[ARM_DOMAIN] = reg("domain", "DACR", "CP15 register 3", dacr);
	f->level[ARM_AP] = reg("AP", "control", "CP15 register 1", control);
}
