/* Laying a walk out: see walk_view.h. */
#include "debug/walk_view.h"

static struct walk_row *row_of(struct walk_view *v, unsigned level)
{
	for (unsigned i = 0; i < v->rows; i++)
		if (v->row[i].level == level)
			return &v->row[i];
	return &v->row[v->rows - 1];
}

static void lay_out(struct walk_view *v)
{
	const struct walk_shot *s = v->shot;
	unsigned levels = s->physical ? 0 : v->form[0].levels;

	v->rows = levels + 1;
	v->columns = (s->nested ? s->np.levels : 0) + 1u;
	for (unsigned i = 0; i < levels; i++)
		v->row[i].level = v->form[0].order[i];
}

void walk_view_place(struct walk_view *v, struct walk_cell *c, u64 addr)
{
	const struct walk_form *f = &v->form[c->dim];

	c->form = &f->level[c->level];
	if (!c->form->hi)
		return;
	c->addr = f->bits < 64 ? addr & mask_low(f->bits) : addr;
	c->hi = c->form->hi;
	c->lo = c->form->lo;
	c->index = (u32)bits(addr, c->hi, c->lo);
	c->has_index = true;
}

static void entry_fill(struct walk_cell *c, const struct walk_step *s)
{
	c->known = true;
	c->pa = s->pa;
	c->gpa = s->gpa;
	c->val = s->val;
	c->leaf = walk_form_leaf(c->form, s->val);
}

/* One recorded step into its cell. */
static void step_put(struct walk_view *v, const struct walk_step *s, u64 gpa)
{
	struct walk_row *r = row_of(v, s->dim ? s->serves : s->level);
	struct walk_cell *c;

	r->reached = true;
	if (s->dim && s->cached) {
		r->cached = r->has_gpa = true;
		r->gpa = s->gpa;
		return;
	}
	if (s->level > WALK_LEVELS)
		return;
	c = &r->cell[s->dim ? s->level : 0];
	c->dim = s->dim;
	c->level = s->level;
	walk_view_place(v, c, s->dim ? gpa : v->shot->walk.va);
	if (!s->dim) {
		r->has_gpa = !s->cached;
		r->gpa = s->gpa;
	}
	if (c->state == CELL_READ) {
		c->again = (u8)(v->refs + 1);
	} else {
		c->state = s->cached ? CELL_REGISTER : CELL_READ;
		entry_fill(c, s);
		c->ref = s->cached ? 0 : (u8)(v->refs + 1);
	}
	c->set |= s->set;
	if (!s->cached && v->refs < ARRAY_SIZE(v->order))
		v->order[v->refs++] = c;
}

/* The guest-physical address that the nested steps from i on translate: that of the first-dimension entry which
 * follows, the final address, or the one that faulted. */
static u64 nested_address(const struct walk *w, unsigned i)
{
	unsigned serves = w->step[i].serves;

	if (!serves)
		return w->gpa;
	for (; i < w->n; i++)
		if (!w->step[i].dim && w->step[i].level == serves)
			return w->step[i].gpa;
	return w->gpa; /* refused before */
}

static void put_steps(struct walk_view *v)
{
	const struct walk *w = &v->shot->walk;

	for (unsigned i = 0; i < w->n; i++) {
		const struct walk_step *s = &w->step[i];
		u64 gpa = s->dim ? nested_address(w, i) : 0;

		step_put(v, s, gpa);
		if (s->dim && !s->cached) {
			struct walk_row *r = row_of(v, s->serves);

			r->has_gpa = true;
			r->gpa = gpa;
		}
	}
}

/* Rows that a cached translation served: what the tables hold, as the cold walk found it. */
static void put_skipped(struct walk_view *v)
{
	const struct walk *w = &v->shot->cold;

	for (unsigned i = 0; i < w->n; i++) {
		const struct walk_step *s = &w->step[i];
		struct walk_row *r = s->dim ? row_of(v, s->serves) : NULL;
		struct walk_cell *c;

		if (!r || !r->cached || s->cached || s->level > WALK_LEVELS || nested_address(w, i) != r->gpa)
			continue;
		c = &r->cell[s->level];
		if (c->state == CELL_READ)
			continue;
		c->state = CELL_CACHED;
		c->dim = 1;
		c->level = s->level;
		walk_view_place(v, c, r->gpa);
		entry_fill(c, s);
	}
}

/* Cells without a step: beyond a large page, skipped without being known, or never reached. */
static void put_rest(struct walk_view *v)
{
	const enum walk_why why = (enum walk_why)v->shot->walk.why;
	const bool gone = why == WALK_NOT_PRESENT || why == WALK_TRANSLATION; /* what fails then says nothing about sizes */
	unsigned gleaf = v->rows; /* the row of the first dimension's leaf */

	for (unsigned i = 0; i < v->rows; i++) {
		const struct walk_cell *g = &v->row[i].cell[0];

		if (v->row[i].level && g->known && g->leaf && !(g->fails && gone))
			gleaf = i;
	}
	for (unsigned i = 0; i < v->rows; i++) {
		struct walk_row *r = &v->row[i];
		unsigned nleaf = 0;

		for (unsigned n = v->columns - 1; n; n--)
			if (r->cell[n].known && r->cell[n].leaf && !(r->cell[n].fails && gone))
				nleaf = n;
		for (unsigned n = 0; n < v->columns; n++) {
			struct walk_cell *c = &r->cell[n];

			if (c->state || c->note)
				continue;
			c->dim = n != 0;
			c->level = (u8)(n ? n : r->level);
			if ((r->level && i > gleaf && !v->form[0].level[r->level].name) || (n && n < nleaf)) {
				c->state = CELL_ABSENT;
				c->note = v->form[0].large;
			} else if (r->cached && n) {
				c->state = CELL_CACHED;
			} else {
				c->state = CELL_UNREACHED;
			}
			if (c->level)
				walk_view_place(v, c, n ? r->gpa : v->shot->walk.va);
		}
		r->nshift = nleaf ? r->cell[nleaf].form->lo : 0;
	}
}

static void put_final(struct walk_view *v)
{
	const struct walk *w = &v->shot->walk;
	struct walk_row *r = &v->row[v->rows - 1];
	struct walk_cell *c = &r->cell[0];

	if (w->why == WALK_NON_CANONICAL || (w->why != WALK_OK && !(w->nested_fault && !w->fail_serves)))
		return;
	r->reached = r->has_gpa = true;
	r->gpa = w->gpa;
	*c = (struct walk_cell){.gpa = w->gpa, .addr = w->va};
	if (w->why != WALK_OK)
		return;
	c->state = CELL_DATA;
	c->known = true;
	c->pa = w->pa;
	c->val = v->shot->data;
}

/* ---- what follows from the entries ---- */

static unsigned merge(unsigned perm, const struct walk_cell *c)
{
	const struct walk_level *l = c->form;

	if (l->write && !(c->val & l->write))
		perm &= ~(unsigned)PERM_W;
	if (l->user && !(c->val & l->user))
		perm &= ~(unsigned)PERM_U;
	if (c->val & l->no_exec)
		perm &= ~(unsigned)PERM_X;
	return perm;
}

/* An entry that is not present has no rights to give. */
static bool judges(const struct walk_view *v, const struct walk_cell *c)
{
	return c->known && c->level && !(c->fails && v->shot->walk.why == WALK_NOT_PRESENT);
}

static void put_perms(struct walk_view *v)
{
	unsigned g = PERM_W | PERM_U | PERM_X;

	for (unsigned i = 0; i < v->rows; i++) {
		struct walk_row *r = &v->row[i];
		unsigned p = PERM_W | PERM_U | PERM_X;

		for (unsigned n = v->columns - 1; n; n--)
			if ((r->cell[n].judges = judges(v, &r->cell[n])))
				r->cell[n].perm = (u8)(p = merge(p, &r->cell[n]));
		if ((r->cell[0].judges = judges(v, &r->cell[0])))
			r->cell[0].perm = (u8)(g = merge(g, &r->cell[0]));
	}
}

/* Does the entry itself refuse what was refused? */
static bool lacks(const struct walk_cell *c, unsigned why)
{
	const struct walk_level *l = c->form;

	switch (why) {
	case WALK_READ_ONLY: return l->write && !(c->val & l->write);
	case WALK_SUPERVISOR: return l->user && !(c->val & l->user);
	case WALK_NX: return c->val & l->no_exec;
	case WALK_SMEP:
	case WALK_SMAP: return l->user && c->val & l->user;
	default: return false;
	}
}

static void put_fault(struct walk_view *v)
{
	const struct walk *w = &v->shot->walk;
	struct walk_row *r;
	struct walk_cell *c;

	if (w->why == WALK_OK || w->why == WALK_NON_CANONICAL)
		return;
	r = row_of(v, w->nested_fault ? w->fail_serves : w->fail_level);
	r->reached = true;
	if (w->nested_fault) {
		r->has_gpa = true;
		r->gpa = w->gpa;
	}
	c = &r->cell[w->nested_fault && w->fail_level <= WALK_LEVELS ? w->fail_level : 0];
	c->fails = true;
	for (unsigned n = 1; w->nested_fault && n < v->columns; n++)
		if (r->cell[n].known)
			r->cell[n].lacks = lacks(&r->cell[n], w->why);
	for (unsigned i = 0; !w->nested_fault && i < v->rows; i++)
		if (v->row[i].level && v->row[i].cell[0].known)
			v->row[i].cell[0].lacks = lacks(&v->row[i].cell[0], w->why);
}

unsigned walk_view_digits(const struct walk_view *v, const struct walk_cell *c)
{
	return (c->form || v->shot->arch == WALK_ARM) && v->form[c->dim].size == 4 ? 8 : 16;
}

void walk_view_build(struct walk_view *v, const struct walk_shot *s)
{
	memset(v, 0, sizeof *v);
	v->shot = s;
	v->root = s->arch == WALK_ARM ? s->arm.ttbr : s->p.root;
	v->perm = s->walk.perm;
	if (s->arch == WALK_ARM) {
		walk_form_arm(&v->form[0], &s->arm, &s->walk);
	} else {
		walk_form_x86(&v->form[0], &s->p, false);
		walk_form_x86(&v->form[1], &s->np, true);
	}
	lay_out(v);
	put_steps(v);
	if (s->arch == WALK_ARM) {
		walk_view_arm(v);
	} else {
		put_skipped(v);
		put_fault(v);
	}
	put_final(v);
	put_rest(v);
	if (s->arch == WALK_X86)
		put_perms(v);
	v->cold_refs = s->cold.refs;
	v->stale = s->walk.why != s->cold.why || (s->walk.why == WALK_OK && s->walk.pa != s->cold.pa);
}
