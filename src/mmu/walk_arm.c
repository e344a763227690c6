/* See walk_arm.h. Formats: DDI0100 B4.7 (first- and second-level descriptors); order of the checks: B4.6, figure B4-2. */
#include "mmu/walk_arm.h"

enum { L1_FAULT, L1_COARSE, L1_SECTION, L1_FINE };
enum { L2_FAULT, L2_LARGE, L2_SMALL, L2_TINY };
enum { DOMAIN_CLIENT = 1, DOMAIN_MANAGER = 3 };

/* May a client access? AP 00 is the business of S and R; with both set it is unpredictable, and refused here. DDI0100 table B4-1 */
static bool ap_allows(const struct walk_arm_env *env, unsigned ap, bool write, bool user)
{
	switch (ap) {
	case 0: return !write && ((env->s && !env->r && !user) || (env->r && !env->s));
	case 1: return !user;
	case 2: return !user || !write;
	default: return true;
	}
}

enum walk_why arm_page_check(const struct walk_arm_env *env, unsigned domain, unsigned ap, unsigned access)
{
	unsigned field = env->dacr >> 2 * domain & 3;

	if (!env->on || field == DOMAIN_MANAGER)
		return WALK_OK;
	if (field != DOMAIN_CLIENT)
		return WALK_DOMAIN;
	return ap_allows(env, ap, access & ACC_WRITE, access & ACC_USER) ? WALK_OK : WALK_PERMISSION;
}

static void refuse(struct walk *w, enum walk_why why, unsigned status, unsigned level)
{
	w->why = why;
	w->fail_level = (u8)level;
	w->error = status | (u32)w->domain << 4;
}

/* A descriptor at pa into *val; false: nobody answers there. */
static bool read_descriptor(const struct walk_arm_env *env, u32 pa, unsigned level, bool peek, struct walk *w, u32 *val)
{
	struct walk_step *s = &w->step[w->n++];
	const u8 *p = space_host(env->mem, pa, false);

	w->refs++;
	*s = (struct walk_step){.pa = pa, .gpa = pa, .level = (u8)level};
	if (likely(p != NULL))
		*val = (u32)load_le(p, 4);
	else if (!space_find(env->mem, pa))
		return false;
	else
		*val = (u32)(peek ? space_peek(env->mem, pa, 4) : space_read(env->mem, pa, 4));
	s->val = *val;
	return true;
}

static u8 same_ap(u32 field) { return (u8)((field & 3) * 0x55); }

static bool second_level(const struct walk_arm_env *env, u32 mva, u32 l1, bool peek, struct walk *w, struct arm_page *p)
{
	bool fine = (l1 & 3) == L1_FINE;
	u32 at = fine ? (l1 & ~0xfffu) | (mva >> 10 & 0x3ff) << 2 : (l1 & ~0x3ffu) | (mva >> 12 & 0xff) << 2, d;

	if (!read_descriptor(env, at, 2, peek, w, &d)) {
		refuse(w, WALK_EXTERNAL_TABLE, FSR_EXTERNAL_L2, 2);
		return false;
	}
	p->cb = d >> 2 & 3;
	p->ap = (u8)(d >> 4);
	switch (d & 3) {
	case L2_LARGE: p->shift = 16; break;
	case L2_SMALL: p->shift = 12; break;
	case L2_TINY:
		if (!fine) { /* unpredictable: DDI0100 B4.7.3 */
			refuse(w, WALK_TRANSLATION, FSR_TRANSLATION_PAGE, 2);
			return false;
		}
		p->shift = 10;
		p->ap = same_ap(d >> 4);
		break;
	default: refuse(w, WALK_TRANSLATION, FSR_TRANSLATION_PAGE, 2); return false;
	}
	p->pa = d & ~(u32)mask_low(p->shift);
	return true;
}

/* The page of mva, whatever the access; false: there is none. */
static bool find_page(const struct walk_arm_env *env, u32 mva, bool peek, struct walk *w, struct arm_page *p)
{
	u32 d;

	if (!read_descriptor(env, (env->ttbr & ~0x3fffu) | mva >> 20 << 2, 1, peek, w, &d)) {
		refuse(w, WALK_EXTERNAL_TABLE, FSR_EXTERNAL_L1, 1);
		return false;
	}
	w->domain = p->domain = d >> 5 & 15;
	switch (d & 3) {
	case L1_FAULT: refuse(w, WALK_TRANSLATION, FSR_TRANSLATION_SECTION, 1); return false;
	case L1_SECTION:
		p->shift = 20;
		p->pa = d & ~0xfffffu;
		p->ap = same_ap(d >> 10);
		p->cb = d >> 2 & 3;
		return true;
	default: return second_level(env, mva, d, peek, w, p);
	}
}

void walk_arm(const struct walk_arm_env *env, u32 mva, unsigned access, bool peek, struct walk *w, struct arm_page *page)
{
	struct arm_page p = {.shift = 32, .ap = 0xff};
	enum walk_why why;

	w->va = mva;
	w->n = w->refs = 0;
	w->why = WALK_OK;
	w->nested_fault = false;
	w->error = 0;
	w->exitinfo1 = 0;
	w->perm = w->fail_level = w->fail_serves = w->nshift = w->domain = w->ap = 0;
	w->gpa = w->pa = 0;
	if (env->on && !find_page(env, mva, peek, w, &p)) {
		w->shift = w->gshift = 0;
		return;
	}
	p.mva = mva & ~(u32)mask_low(p.shift);
	w->shift = w->gshift = p.shift;
	w->ap = (u8)arm_page_ap(&p, mva);
	w->pa = w->gpa = p.pa | (mva & (u32)mask_low(p.shift));
	if (page)
		*page = p;
	why = arm_page_check(env, p.domain, w->ap, access);
	if (why == WALK_DOMAIN)
		refuse(w, why, p.shift == 20 ? FSR_DOMAIN_SECTION : FSR_DOMAIN_PAGE, w->n);
	else if (why)
		refuse(w, why, p.shift == 20 ? FSR_PERMISSION_SECTION : FSR_PERMISSION_PAGE, w->n);
}
