/* Taking walks of an ARM: see walk_look.h. The record keeps the registers that a walk depends on, and what the TLB holds. */
#include "debug/walk_look.h"

static void registers(struct walk_shot *s, const struct arm_cpu *c, u32 va, unsigned access)
{
	const struct arm_cp15 *p = &c->s.cp15;

	s->arch = WALK_ARM;
	s->access = (u8)access;
	s->arm = (struct walk_arm_regs){.va = va, .ttbr = p->ttbr, .dacr = p->dacr, .control = p->control, .fcse = p->fcse, .locking = c->tlb.arch.lock & 1};
}

/* The walk without side effects into *w, and the page. */
static void walk_again(struct walk_shot *s, const struct arm_cpu *c, u32 mva, unsigned access, struct walk *w)
{
	struct walk_arm_env env = walk_arm_env_of(&s->arm);

	env.mem = c->mem;
	walk_arm(&env, mva, access, true, w, &s->arm_page);
}

void walk_shoot_arm(struct walk_shot *s, struct arm_cpu *c, u32 va, unsigned access, const struct walk *w)
{
	struct event e = {0};

	memset(s, 0, sizeof *s);
	registers(s, c, va, access);
	s->live = true;
	s->walk = *w;
	walk_again(s, c, (u32)w->va, access, &s->cold);
	c->tlb.stamp(c->tlb.stamp_arg, &e);
	s->icount = e.icount;
	s->ip = e.ip;
	walk_shot_memory(s, c->mem, 4);
}

void walk_look_arm(struct walk_shot *s, const struct target *t, const struct walk_spec *spec)
{
	struct arm_cpu *c = &t->icp->cpu;
	u32 mva = tlb_arm_mva(&c->tlb, (u32)spec->va);

	registers(s, c, (u32)spec->va, spec->access);
	if (spec->cr3_given)
		s->arm.ttbr = (u32)spec->cr3;
	s->ip = arm_pc(c);
	walk_again(s, c, mva, spec->access, &s->walk);
	s->cold = s->walk;
	walk_shot_memory(s, c->mem, 4);
	if (!spec->cr3_given)
		tlb_arm_probe(&c->tlb, mva, &s->arm_held);
}
