/* See walk_look.h. */
#include "debug/walk_look.h"

#include <errno.h>
#include <stdlib.h>

#include "svm/explain.h"
#include "svm/state.h"

/* ---- what is asked for ---- */

static bool number(const char *s, u64 *out)
{
	static const char suffixes[] = "kmg";
	char *end;
	const char *p;

	errno = 0;
	*out = strtoull(s, &end, 0);
	if (end == s || errno || *s == '-')
		return false;
	p = *end ? strchr(suffixes, *end | 0x20) : NULL;
	for (const char *q = suffixes; p && q <= p; q++) {
		if (*out > ~0ull / 1000)
			return false;
		*out *= 1000;
	}
	return !end[p ? 1 : 0];
}

static bool parse_when(struct walk_spec *s, const char *when)
{
	if (!strcmp(when, "end")) {
		s->when = WALK_AT_END;
	} else if (!strcmp(when, "exit") || !strncmp(when, "exit=", 5)) {
		s->when = WALK_AT_EXIT;
		if (when[4]) {
			if (!when[5] || strlen(when + 5) >= sizeof s->exit)
				return false;
			strcpy(s->exit, when + 5);
		}
	} else if (!strcmp(when, "fills")) {
		s->when = WALK_FILLS;
	} else if (!strncmp(when, "fills=", 6)) {
		s->when = WALK_FILLS;
		return number(when + 6, &s->count) && s->count;
	} else {
		s->when = WALK_AT_COUNT;
		return number(when, &s->count);
	}
	return true;
}

static bool parse_option(struct walk_spec *s, const char *o)
{
	static const struct {
		const char *name;
		u8 access;
		enum walk_world world;
	} words[] = {
		{"read", ACC_READ, 0},   {"write", ACC_WRITE, 0},   {"exec", ACC_EXEC, 0},      {"user", ACC_USER, 0},
		{"host", 0, WORLD_HOST}, {"guest", 0, WORLD_GUEST}, {"gpa", 0, WORLD_PHYSICAL},
	};
	u64 n;

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(o, words[i].name))
			continue;
		if (words[i].world) {
			s->world = words[i].world;
			s->world_given = true;
		} else {
			s->access |= words[i].access;
			s->access_given = true;
		}
		return true;
	}
	if (!strncmp(o, "cpu=", 4)) {
		s->cpu_given = number(o + 4, &n) && n < PC_CPUS;
		s->cpu = (unsigned)n;
		return s->cpu_given;
	}
	if (!strcmp(o, "cold"))
		return s->cold = true;
	s->ttbr |= !strncmp(o, "ttbr=", 5);
	if (!strncmp(o, "cr3=", 4) || !strncmp(o, "ttbr=", 5))
		return s->cr3_given = number(strchr(o, '=') + 1, &s->cr3);
	return !strncmp(o, "from=", 5) && number(o + 5, &s->from);
}

static bool parse_address(struct walk_spec *s, const char *a, struct error *err)
{
	char *end;

	if (!strcmp(a, "any")) {
		s->any = true;
		return true;
	}
	errno = 0;
	s->va = strtoull(a, &end, 0);
	return (end != a && !*end && !errno && *a != '-') ||
	       error_set(err, "walk %s: expected an address, 0x and hexadecimal digits, or any (with @fills)", a);
}

bool walk_spec_parse(struct walk_spec *s, const char *arg, struct error *err)
{
	char buf[256], *save = NULL, *item, *when;

	memset(s, 0, sizeof *s);
	s->count = 16;
	if (strlen(arg) >= sizeof buf || !*arg)
		return error_set(err, "walk: expected " WALK_SPEC_FORM " of up to %zu characters", sizeof buf - 1);
	strcpy(buf, arg);
	item = strtok_r(buf, ",", &save);
	if (!item)
		return error_set(err, "walk %s: expected " WALK_SPEC_FORM, arg);
	when = strchr(item, '@');
	if (when)
		*when++ = 0;
	if (!parse_address(s, item, err))
		return false;
	if (when && !parse_when(s, when))
		return error_set(err, "walk: @%s: expected a number of instructions, end, exit[=NAME] or fills[=N]",
				 when);
	while ((item = strtok_r(NULL, ",", &save)))
		if (!parse_option(s, item))
			return error_set(err,
					 "walk: '%s': expected read, write, exec, user, host, guest, gpa, cpu=N, "
					 "cr3=X, ttbr=X, from=COUNT or cold",
					 item);
	if ((s->access & ACC_WRITE) && (s->access & ACC_EXEC))
		return error_set(err, "walk: write or exec, not both");
	if (s->any && s->when != WALK_FILLS)
		return error_set(err, "walk: any goes with @fills only");
	if (s->when != WALK_FILLS && (s->cold || s->from))
		return error_set(err, "walk: cold and from= go with @fills only: a look uses nothing cached");
	if (s->when == WALK_FILLS && s->cr3_given)
		return error_set(err, "walk: cr3= does not go with @fills: the machine's own walks have their own");
	return true;
}

bool walk_spec_fits(const struct walk_spec *s, enum walk_arch arch, struct error *err)
{
	if (arch == WALK_X86)
		return !s->ttbr || error_set(err, "walk: ttbr=: on a PC it is cr3=");
	if (s->world_given)
		return error_set(err, "walk: an ARM has no host, guest or gpa");
	if (s->when == WALK_AT_EXIT)
		return error_set(err, "walk: @exit: an ARM has no #VMEXIT");
	if (s->cold)
		return error_set(err, "walk: cold: an ARM keeps no parts of walks");
	if (s->cr3_given && (!s->ttbr || s->cr3 >> 32 || s->cr3 & 0x3fff))
		return error_set(err, "walk: an ARM has ttbr=X, a multiple of 4000h below 4 GB");
	if (s->cpu)
		return error_set(err, "walk: cpu=%u: the machine has 1", s->cpu);
	return !(s->va >> 32) || error_set(err, "walk %#llx: an address has 32 bits", (unsigned long long)s->va);
}

/* ---- surroundings ---- */

static const char *device_at(struct space *m, u64 pa)
{
	const struct region *r = space_find(m, pa & m->a20_mask);

	return !r ? "nobody" : r->kind == REGION_RAM ? NULL : r->ops ? r->ops->name : r->name;
}

/* Tables are in RAM, or something is very wrong: say so. */
static void find_devices(struct walk_shot *s, struct space *m, const struct walk *w)
{
	for (unsigned i = 0; i < w->n; i++) {
		const struct walk_step *e = &w->step[i];
		unsigned row = e->dim ? e->serves : e->level, column = e->dim ? e->level : 0;

		if (!e->cached && row <= WALK_LEVELS && column <= WALK_LEVELS)
			s->device[row][column] = device_at(m, e->pa);
	}
}

void walk_shot_memory(struct walk_shot *s, struct space *mem, unsigned size)
{
	const struct walk *w = &s->walk;

	find_devices(s, mem, w);
	find_devices(s, mem, &s->cold);
	if (w->why != WALK_OK)
		return;
	s->device[0][0] = device_at(mem, w->pa);
	s->data = space_peek(mem, w->pa & ~(size - 1ull), size);
	s->has_data = true;
}

static void surroundings(struct walk_shot *s, struct x86_cpu *c, const struct walk_env *env)
{
	s->cpu = (u8)c->id;
	s->p = env->p;
	s->np = env->np;
	s->nested = env->nested;
	walk_shot_memory(s, c->mem, 8);
}

/* The cold walk came after the real one, which has set A and D: entries as the real one found them. */
static void before_ad(struct walk *cold, const struct walk *w)
{
	for (unsigned i = 0; i < cold->n; i++)
		for (unsigned k = 0; k < w->n; k++) {
			struct walk_step *c = &cold->step[i];
			const struct walk_step *s = &w->step[k];

			if (s->set && !c->cached && c->pa == s->pa && c->dim == s->dim && c->val == (s->val | s->set)) {
				c->val = s->val;
				c->set = s->set;
			}
		}
}

void walk_shoot(struct walk_shot *s, struct x86_cpu *c, unsigned access, const struct walk *w)
{
	struct walk_env env = c->tlb.env;
	struct event e = {0};

	memset(s, 0, sizeof *s);
	s->walk = *w;
	s->live = true;
	s->guest = c->svm.guest;
	s->access = (u8)access;
	s->asid = c->tlb.asid;
	s->pcid = c->tlb.pcid;
	s->pf_exits = svm_wants(&c->svm, ICPT_EXC + VEC_PF);
	env.ntlb = NULL;
	walk_x86(&env, w->va, access, false, &s->cold);
	before_ad(&s->cold, w);
	if (c->tlb.stamp)
		c->tlb.stamp(c->tlb.stamp_arg, &e);
	s->icount = e.icount;
	s->ip = e.ip;
	surroundings(s, c, &env);
}

/* ---- looks ---- */

static u32 pcid_of(u64 cr4, u64 cr3) { return cr4 & CR4_PCIDE ? cr3 & 0xfff : 0; }

static bool look_guest(struct walk_shot *s, struct x86_cpu *c, struct walk_env *env, struct error *err)
{
	const u8 *v;

	if (!c->svm.guest && !c->svm.vmcb_pa)
		return error_set(err, "walk: no guest has run on cpu%u yet", c->id);
	v = svm_page_read(c, c->svm.vmcb_pa);
	s->guest = true;
	if (c->svm.guest) {
		*env = c->tlb.env;
		s->asid = c->tlb.asid;
		s->pcid = c->tlb.pcid;
		s->pf_exits = svm_wants(&c->svm, ICPT_EXC + VEC_PF);
		s->ip = c->rip;
	} else {
		svm_guest_env(c, c->svm.vmcb_pa, env);
		s->asid = vmcb_asid(v);
		s->pcid = pcid_of(vmcb_cr4(v), vmcb_cr3(v));
		s->pf_exits = c->svm.icpt[(ICPT_EXC + VEC_PF) >> 5] >> ((ICPT_EXC + VEC_PF) & 31) & 1;
		s->ip = vmcb_rip(v);
	}
	return true;
}

static void look_host(struct walk_shot *s, struct x86_cpu *c, struct walk_env *env)
{
	if (c->svm.guest) {
		const u8 *h = svm_page_read(c, c->svm.hsave_pa);

		svm_host_env(c, env);
		s->pcid = pcid_of(vmcb_cr4(h), vmcb_cr3(h));
		s->ip = vmcb_rip(h);
	} else {
		*env = c->tlb.env;
		s->pcid = c->tlb.pcid;
		s->ip = c->rip;
	}
}

/* Another root for the first dimension. */
static bool use_cr3(struct walk_env *env, u64 cr3, struct error *err)
{
	struct paging *p = &env->p;

	if (!p->levels)
		return error_set(err, "walk: cr3=: paging is off there");
	p->root = p->levels == 2   ? cr3 & 0xfffff000
		  : p->levels == 3 ? cr3 & 0xffffffe0
				   : cr3 & mask_low(p->pa_bits) & PAGE_MASK;
	p->use_pdpte = false;
	return true;
}

static void find_held(struct walk_shot *s, const struct x86_cpu *c)
{
	struct tlb_hit hit;

	s->held = tlb_probe(&c->tlb, s->asid, s->pcid, s->walk.va, &hit);
	if (!s->held)
		return;
	s->held_pa = hit.pa;
	s->held_perm = hit.perm;
	s->held_shift = hit.shift;
}

static bool look_x86(struct walk_shot *s, struct x86_cpu *c, const struct walk_spec *spec, struct error *err)
{
	struct walk_env env;

	s->physical = spec->world == WORLD_PHYSICAL;
	if (s->physical || spec->world == WORLD_GUEST || (spec->world == WORLD_NOW && c->svm.guest)) {
		if (!look_guest(s, c, &env, err))
			return false;
	} else {
		look_host(s, c, &env);
	}
	if (s->physical && !env.nested)
		return error_set(err, "walk: gpa: the guest has no nested paging");
	if (spec->cr3_given && !use_cr3(&env, spec->cr3, err))
		return false;
	env.ntlb = NULL;
	s->access = spec->access;
	/* As a debugger: what SMAP forbids may be looked at. */
	if (s->physical)
		walk_nested(&env, spec->va, spec->access | ACC_USER, false, &s->walk);
	else
		walk_x86(&env, spec->va, spec->access | (spec->access & ACC_USER ? 0 : ACC_AC), false, &s->walk);
	s->cold = s->walk;
	surroundings(s, c, &env);
	if (!s->physical && !spec->cr3_given)
		find_held(s, c);
	return true;
}

bool walk_look(struct walk_shot *s, const struct target *t, unsigned cpu, const struct walk_spec *spec, struct error *err)
{
	memset(s, 0, sizeof *s);
	if (!walk_spec_fits(spec, t->icp ? WALK_ARM : WALK_X86, err))
		return false;
	if (spec->cpu_given)
		cpu = spec->cpu;
	if (cpu >= t->cpus)
		return error_set(err, "walk: cpu=%u: the machine has %u", cpu, t->cpus);
	s->icount = t->machine->s.icount;
	if (t->pc)
		return look_x86(s, &t->pc->cpu[cpu].x86, spec, err);
	walk_look_arm(s, t, spec);
	return true;
}
