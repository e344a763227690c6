/* See walk_record.h. */
#include "debug/walk_record.h"

#include <stdlib.h>
#include <strings.h>

#include "debug/walk_term.h"
#include "svm/explain.h"

enum { LOG_WIDTH = 130 };

bool walk_wish_add(struct walk_wish *w, const char *spec, struct error *err)
{
	if (w->specs == WALK_SPECS)
		return error_set(err, "walk: more than %u", WALK_SPECS);
	return walk_spec_parse(&w->spec[w->specs], spec, err) && ++w->specs;
}

/* Room for one more walk, or NULL. */
static struct walk_shot *shot_new(struct walk_record *r)
{
	if (r->shots == r->room) {
		unsigned room = r->room ? 2 * r->room : 8;
		struct walk_shot *more = r->shots < WALK_SHOTS ? realloc(r->shot, room * sizeof *more) : NULL;

		if (!more) {
			r->full = true;
			return NULL;
		}
		r->shot = more;
		r->room = room;
	}
	return &r->shot[r->shots++];
}

/* ---- looks ---- */

static void look(struct walk_record *r, unsigned cpu, unsigned n)
{
	struct walk_spec s = r->wish.spec[n];
	struct walk_shot *shot = shot_new(r);

	r->taken[n]++;
	if (!shot)
		return;
	if (s.when == WALK_AT_EXIT && !s.world_given)
		s.world = WORLD_GUEST;
	if (!walk_look(shot, r->t, cpu, &s, &r->failed))
		r->shots--;
}

u64 walk_record_due(const struct walk_record *r)
{
	u64 due = TIME_NEVER;

	for (unsigned i = 0; i < r->wish.specs; i++)
		if (r->wish.spec[i].when == WALK_AT_COUNT && !r->taken[i] && r->wish.spec[i].count < due)
			due = r->wish.spec[i].count;
	return due;
}

void walk_record_look(struct walk_record *r, bool ended)
{
	for (unsigned i = 0; i < r->wish.specs; i++) {
		const struct walk_spec *s = &r->wish.spec[i];

		if (r->taken[i])
			continue;
		if ((s->when == WALK_AT_END && ended) ||
		    (s->when == WALK_AT_COUNT && s->count <= r->t->machine->s.icount))
			look(r, r->t->machine->s.turn_cpu, i);
	}
}

/* ---- the machine's own walks ---- */

static bool wanted(const struct walk_record *r, unsigned n, const struct walk_shot *s)
{
	const struct walk_spec *p = &r->wish.spec[n];
	unsigned shift =
		s->walk.shift > 12 && (s->walk.gshift || s->walk.nshift) ? s->walk.shift : 12; /* 4 KB without paging */

	if (p->when != WALK_FILLS || r->taken[n] >= p->count || s->icount < p->from ||
	    (p->cpu_given && p->cpu != s->cpu))
		return false;
	if ((p->world == WORLD_HOST && s->guest) || (p->world == WORLD_GUEST && !s->guest))
		return false;
	if (p->access_given && (p->access & (ACC_WRITE | ACC_EXEC)) != (s->access & (ACC_WRITE | ACC_EXEC)))
		return false;
	if (p->access & ACC_USER && !(s->access & ACC_USER))
		return false;
	if (p->world == WORLD_PHYSICAL)
		return p->any || (s->nested && !((p->va ^ s->walk.gpa) >> shift));
	return p->any || !((p->va ^ (s->arch == WALK_ARM ? s->arm.va : s->walk.va)) >> shift);
}

static void keep(struct walk_record *r, const struct walk_shot *s, bool uncached)
{
	struct walk_shot *k = shot_new(r);

	if (!k)
		return;
	*k = *s;
	if (uncached) {
		k->walk = s->cold;
		k->live = false;
		k->uncached = true;
	}
	memcpy(k->before, r->before, sizeof k->before);
	k->befores = r->befores;
	k->befores_lost = r->befores_lost;
	r->befores = r->befores_lost = 0;
}

static void into_log(struct walk_record *r, const struct walk_shot *s)
{
	struct walk_paper paper = {.width = LOG_WIDTH};
	struct walk_view v;

	walk_view_build(&v, s);
	walk_term(r->log, &v, &paper);
	text_puts(r->log, "\n");
}

static void take(struct walk_record *r, const struct walk_shot *s)
{
	if (r->wish.stat)
		walk_stat_add(&r->stat, s);
	if (r->wish.grid)
		into_log(r, s);
	for (unsigned i = 0; i < r->wish.specs; i++)
		if (wanted(r, i, s)) {
			r->taken[i]++;
			if (r->wish.spec[i].cold && s->walk.refs != s->cold.refs)
				keep(r, s, true);
			keep(r, s, false);
			break;
		}
}

static void walked(void *arg, unsigned access, const struct walk *w)
{
	const struct walk_ear *ear = arg;
	struct walk_shot s;

	walk_shoot(&s, &ear->record->t->pc->cpu[ear->cpu].x86, access, w);
	take(ear->record, &s);
}

static void walked_arm(void *arg, u32 va, unsigned access, const struct walk *w)
{
	struct walk_record *r = arg;
	struct walk_shot s;

	walk_shoot_arm(&s, &r->t->icp->cpu, va, access, w);
	take(r, &s);
}

/* ---- events: exits to look at, and what happens between two walks ---- */

static bool exit_wanted(const struct walk_spec *s, u64 code)
{
	char name[32];

	svm_exit_name(code, name, sizeof name);
	return !*s->exit || !strcasecmp(s->exit, name);
}

static void note(struct walk_record *r, const struct event *e)
{
	if (r->befores == WALK_EVENTS) {
		memmove(r->before, r->before + 1, sizeof r->before - sizeof *r->before);
		r->befores--;
		r->befores_lost++;
	}
	r->before[r->befores++] = *e;
}

/* Aborts, what was invalidated, the registers that walks depend on: control, TTBR, DACR, FCSE. */
static bool tells_arm(const struct event *e)
{
	if (e->kind == EV_EXCEPTION)
		return e->a == ARM_PREFETCH_ABORT || e->a == ARM_DATA_ABORT;
	return e->kind == EV_FLUSH || (e->kind == EV_CR && (0x200eu >> (e->a >> 8 & 15) & 1));
}

static void hear(void *arg, const struct event *e)
{
	struct walk_record *r = arg;

	if (r->t->icp ? tells_arm(e) : e->kind == EV_VMEXIT || e->kind == EV_VMRUN || e->kind == EV_FLUSH)
		note(r, e);
	for (unsigned i = 0; e->kind == EV_VMEXIT && i < r->wish.specs; i++)
		if (r->wish.spec[i].when == WALK_AT_EXIT && !r->taken[i] && exit_wanted(&r->wish.spec[i], e->c))
			look(r, e->cpu, i);
}

/* ---- begin and end ---- */

/* Hears and sees what the wish needs, and no more. */
static void listen(struct walk_record *r)
{
	bool fills = r->wish.stat || r->wish.grid, exits = false;
	u32 mask = 0;

	for (unsigned i = 0; i < r->wish.specs; i++) {
		fills |= r->wish.spec[i].when == WALK_FILLS;
		exits |= r->wish.spec[i].when == WALK_AT_EXIT;
	}
	if (fills && r->t->icp)
		mask = (u32)(BIT(EV_EXCEPTION) | BIT(EV_FLUSH) | BIT(EV_CR));
	else if (fills || exits)
		mask = (u32)(BIT(EV_VMEXIT) | BIT(EV_VMRUN) | (fills ? BIT(EV_FLUSH) : 0));
	if (r->mask != mask)
		hub_listen(r->hub, r->listener, r->mask = mask);
	for (unsigned i = 0; r->t->pc && i < r->t->cpus; i++) {
		struct x86_cpu *c = &r->t->pc->cpu[i].x86;

		r->ear[i] = (struct walk_ear){r, i};
		tlb_hear_walks(&c->tlb, TLB_EAR_RECORD, NULL, fills ? walked : NULL, &r->ear[i]);
	}
	if (r->t->icp) {
		r->t->icp->cpu.tlb.walked_arg = r;
		r->t->icp->cpu.tlb.walked = fills ? walked_arm : NULL;
	}
}

void walk_record_start(struct walk_record *r, const struct walk_wish *wish, struct hub *hub, struct text *log)
{
	r->t = hub->t;
	r->stat.arch = r->t->icp ? WALK_ARM : WALK_X86;
	r->hub = hub;
	r->listener = hub_add(hub, hear, r);
	r->wish = *wish;
	r->log = log;
	listen(r);
}

bool walk_record_more(struct walk_record *r, const char *spec, struct error *err)
{
	if (!walk_wish_add(&r->wish, spec, err))
		return false;
	if (r->wish.spec[r->wish.specs - 1].when == WALK_AT_END) {
		r->wish.specs--;
		return error_set(err, "walk: expected @COUNT, @exit or @fills: when");
	}
	if (!walk_spec_fits(&r->wish.spec[r->wish.specs - 1], r->stat.arch, err)) {
		r->wish.specs--;
		return false;
	}
	listen(r);
	return true;
}

void walk_record_count(struct walk_record *r, bool on)
{
	if (on && !r->wish.stat)
		r->stat = (struct walk_stat){.arch = r->stat.arch};
	r->wish.stat = on;
	listen(r);
}

void walk_record_free(struct walk_record *r)
{
	free(r->shot);
	r->shot = NULL;
	r->shots = r->room = 0;
}
