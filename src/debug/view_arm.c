/* See view.h: the one world of an ARM926EJ-S. */
#include "debug/view.h"

#include "debug/disasm.h"
#include "debug/regs.h"

static unsigned bits_of(const struct view *v)
{
	(void)v;
	return 32;
}

static u64 linear(const struct view *v, u64 pc)
{
	(void)v;
	return (u32)pc;
}

/* A debugger's access (ACC_AC) asks for presence alone: domains and permissions are the guest's matter. What is only cached counts where the tables
 * say nothing. */
static bool translate(const struct view *v, enum level l, u64 addr, unsigned access, u64 *pa, struct walk *w)
{
	const struct tlb_arm *t = &v->arm->tlb;
	u32 mva = tlb_arm_mva(t, (u32)addr);
	struct arm_page page = {0};

	*pa = addr;
	if (l != LEVEL_V)
		return true;
	memset(w, 0, sizeof *w);
	walk_arm(&t->env, mva, access & ~(unsigned)ACC_AC, true, w, &page);
	*pa = w->pa;
	if (w->why == WALK_OK || !(access & ACC_AC))
		return w->why == WALK_OK;
	if (!page.shift && !tlb_arm_probe(t, mva, &page))
		return false;
	*pa = page.pa | (mva & (u32)mask_low(page.shift));
	return true;
}

static unsigned disasm(const struct view *v, u64 va, char *text, size_t size)
{
	bool thumb = v->rflags & PSR_T;
	u8 bytes[4];
	size_t n = view_read(v, LEVEL_V, (u32)va, bytes, sizeof bytes);

	return n < (thumb ? 2 : 4) ? 0 : disasm_arm(bytes, (unsigned)n, thumb, (u32)va, text, size);
}

/* BL, BLX and SVC, with conditions: "bl", "blx", "bleq" (but "ble" is a branch), "svc". */
static bool comes_back(const char *text)
{
	size_t n = strcspn(text, " \t");

	return (!strncmp(text, "bl", 2) && (n == 2 || n == 4 || text[2] == 'x')) || !strncmp(text, "svc", 3) || !strncmp(text, "swi", 3);
}

/* BL and BLX right before the address; in Thumb state the second half of a pair, or BLX of a register. DDI0100 A4.1.5, A4.1.8, A7.1.12 */
static bool after_call(const struct view *v, u64 pc)
{
	u64 w;

	if (pc & 1 || v->rflags & PSR_T)
		return view_load(v, LEVEL_V, (pc & ~1ull) - 2, 2, &w) && ((w & 0xe800) == 0xe800 || (w & 0xff80) == 0x4780);
	if (!view_load(v, LEVEL_V, pc - 4, 4, &w))
		return false;
	return (w >> 24 & 15) == 11 || w >> 25 == 0x7d || (w & 0x0ffffff0) == 0x012fff30 ||
	       (w & 0x0fffffff) == 0x01a0f00e /* MOV pc behind MOV lr, pc */;
}

static const struct view_ops ops = {13, bits_of, linear, translate, disasm, comes_back, after_call, regs_arm_get, regs_arm_set, regs_arm_print};

bool view_arm(struct worlds *w, unsigned cpu, enum world world, u64 vmcb, struct view *v)
{
	struct arm_cpu *c = &w->t->icp->cpu;

	(void)vmcb;
	memset(v, 0, sizeof *v);
	v->ops = &ops;
	v->id = cpu;
	v->arm = c;
	v->mem = c->mem;
	v->vmcb = ~0ull;
	v->cr3 = c->s.cp15.ttbr; /* what symbols bound to tables ask for */
	v->live = v->regs_known = true;
	for (unsigned i = 0; i < 15; i++)
		v->r[i] = c->s.r[i];
	v->rip = v->r[15] = arm_pc(c);
	v->rflags = arm_cpsr(c);
	v->name = regs_arm_mode((u32)v->rflags);
	return world != VIEW_GUEST;
}
