/*
 * What an ARM walk consists of besides its references: the FCSE before them, the domain's field in DACR and the permissions with S and R
 * after. The decisions are the machine's own (arm_page_check). DDI0100 B4.5, B4.6 figure B4-2, B8.
 */
#include "debug/walk_view.h"

#include "cpu_arm/cpu.h"

static struct walk_cell *cell_of(struct walk_view *v, unsigned level)
{
	for (unsigned i = 0; i < v->rows; i++)
		if (v->row[i].level == level)
			return &v->row[i].cell[0];
	return NULL;
}

/* A register's cell. Void where the form has no such row. */
static struct walk_cell *put_register(struct walk_view *v, unsigned level, u32 val)
{
	struct walk_cell *c = cell_of(v, level);

	if (!c)
		return NULL;
	c->level = (u8)level;
	walk_view_place(v, c, 0);
	c->state = CELL_REGISTER;
	c->known = true;
	c->val = val;
	return c;
}

static void index_put(struct walk_cell *c, unsigned index)
{
	c->index = index;
	c->has_index = true;
}

static void judge(struct walk_cell *c, unsigned perm)
{
	c->judges = true;
	c->perm = (u8)perm;
}

/* DDI0100 B4.5.1: manager asks no further, no access and the reserved value end here. */
static void decide(struct walk_view *v)
{
	const struct walk_shot *s = v->shot;
	const struct walk *w = &s->walk;
	struct walk_cell *c = put_register(v, ARM_DOMAIN, s->arm.dacr);
	unsigned field = walk_arm_domain(&s->arm, w->domain);

	index_put(c, w->domain);
	v->perm = (u8)walk_arm_rights(&s->arm, w->domain, w->ap);
	c->fails = w->why == WALK_DOMAIN;
	if (field == 0 || field == 2) {
		judge(c, 0);
		return;
	}
	if (field == 3)
		judge(c, v->perm);
	c = put_register(v, ARM_AP, s->arm.control);
	if (field == 3) {
		c->state = CELL_ABSENT;
		c->known = false;
		c->note = "not asked of a manager";
		return;
	}
	if (v->form[0].sub_hi)
		index_put(c, (unsigned)bits(w->va, v->form[0].sub_hi, v->form[0].sub_lo));
	judge(c, v->perm);
	c->fails = w->why == WALK_PERMISSION;
	cell_of(v, s->arm_page.shift == 20 ? ARM_L1 : ARM_L2)->lacks = c->fails;
}

void walk_view_arm(struct walk_view *v)
{
	const struct walk_shot *s = v->shot;
	struct walk_cell *c;

	put_register(v, ARM_FCSE, s->arm.fcse);
	v->perm = ARM_RIGHTS;
	if (!(s->arm.control & CTL_M))
		return;
	v->perm = 0;
	if (s->arm_page.shift) {
		decide(v);
		return;
	}
	c = cell_of(v, s->walk.fail_level);
	if (!c)
		return;
	c->fails = true;
	if (s->walk.why == WALK_EXTERNAL_TABLE) {
		c->known = c->leaf = false;
		c->note = "nobody answers";
	}
}
