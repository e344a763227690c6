/*
 * See own.h. Linear addresses mean nothing to a page walk or a device, so watchpoints on those hear operands only. A store is told
 * before it is made, but for A and D bits, which are told right after. APM2 5.4.1 (A and D), 15.5.1, 15.6 (VMCB, host save area).
 */
#include "debug/own.h"

#include <stdio.h>

static bool watches(const struct breakpoint *b) { return b->on && b->kind == BREAK_WATCH && b->level != LEVEL_V; }

static void told(struct debugger *d, struct hit *h)
{
	for (struct breakpoint *b = d->breaks; b; b = b->next)
		if (watches(b) && breaks_access(b, d->t, h->cpu, 0, h->pa, h->size, h->write))
			debugger_met(d, b, h);
}

static struct hit hit_of(struct x86_cpu *c, const char *who, u64 pa, unsigned size, bool write, u64 val)
{
	struct hit h = {.by = BY_PROCESSOR, .cpu = c->id, .guest = c->svm.guest, .pa = pa, .size = size, .write = write,
			.val = val & mask_low(size * 8), .old = space_peek(c->mem, pa, size), .rip = x86_rip(c)};

	snprintf(h.who, sizeof h.who, "%s", who);
	return h;
}

static void own(void *arg, struct x86_cpu *c, const char *who, u64 pa, unsigned size, bool write, u64 val)
{
	struct hit h = hit_of(c, who, pa, size, write, val);

	told(arg, &h);
}

/* ---- page walks ---- */

static unsigned entry_size(const struct walk_env *env, const struct walk_step *s)
{
	return (s->dim ? env->np.levels : env->p.levels) > 2 ? 8 : 4;
}

static void walked(void *arg, unsigned access, const struct walk *w)
{
	struct x86_cpu *c = arg;
	struct debugger *d = c->spy->arg;
	char who[64];

	snprintf(who, sizeof who, "the page walk for a %s at %llx", access & ACC_EXEC ? "fetch" : access & ACC_WRITE ? "write" : "read",
		 (unsigned long long)w->va);
	for (unsigned i = 0; i < w->n; i++) {
		const struct walk_step *s = &w->step[i];
		struct hit h = hit_of(c, who, s->pa, entry_size(&c->tlb.env, s), false, s->val);

		if (s->cached)
			continue;
		told(d, &h);
		h.write = true;
		h.old = h.val;
		h.val |= s->set;
		if (s->set)
			told(d, &h);
	}
}

static bool touches(const struct debugger *d, const struct x86_cpu *c, const struct breakpoint *b, const struct walk_env *env,
		    const struct walk_step *s)
{
	unsigned size = entry_size(env, s);

	return breaks_access(b, d->t, c->id, 0, s->pa, size, false) || (s->set && breaks_access(b, d->t, c->id, 0, s->pa, size, true));
}

/* A walk that will meet something is made by an instruction that runs alone, so that the stop comes right after it. Nested translations that
 * are cached are looked at, too, which only costs time. */
static void before(void *arg, u64 va, unsigned access)
{
	struct x86_cpu *c = arg;
	const struct debugger *d = c->spy->arg;
	struct walk_env env = c->tlb.env;
	struct walk w;

	env.ntlb = NULL;
	walk_x86(&env, va, access, false, &w);
	for (struct breakpoint *b = d->breaks; b; b = b->next)
		for (unsigned i = 0; watches(b) && i < w.n; i++)
			if (!w.step[i].cached && touches(d, c, b, &env, &w.step[i])) {
				x86_spy_alone(c);
				return;
			}
}

static bool stopping(void *arg) { return ((struct debugger *)arg)->hits > 0; }

/* ---- DMA ---- */

/* Of a long transfer, the first bytes that are watched. */
static void dma(void *arg, const char *who, u64 pa, const void *data, size_t n, bool write)
{
	struct debugger *d = arg;
	struct x86_cpu *c = pc_current(d->t->pc);

	for (struct breakpoint *b = d->breaks; b; b = b->next) {
		u64 at = b->lo > pa ? b->lo : pa;
		struct hit h;

		/* Devices know no guest-physical addresses. */
		if (!watches(b) || b->level != LEVEL_P || b->hi < pa || at - pa >= n || !(write ? b->write : b->read))
			continue;
		h = hit_of(c, "DMA", at, 1, write, 0);
		h.by = BY_DEVICE;
		snprintf(h.who, sizeof h.who, "DMA by %.48s", who);
		h.size = (unsigned)(n - (at - pa) < 8 ? n - (at - pa) : 8);
		if (b->hi - at + 1 < h.size)
			h.size = (unsigned)(b->hi - at + 1);
		h.val = load_le((const u8 *)data + (at - pa), h.size);
		h.old = space_peek(c->mem, at, h.size);
		debugger_met(d, b, &h);
	}
}

void own_listen(struct debugger *d)
{
	struct pc *pc = d->t->pc;
	bool on = false;

	for (struct breakpoint *b = d->breaks; b; b = b->next)
		on |= watches(b);
	d->spy.x86.own = on ? own : NULL;
	d->spy.x86.stopping = stopping;
	pc->mem.dma_spy = on ? dma : NULL;
	pc->mem.dma_arg = d;
	for (unsigned i = 0; i < pc->cfg.cpus; i++) {
		struct x86_cpu *c = &pc->cpu[i].x86;

		tlb_hear_walks(&c->tlb, TLB_EAR_WATCH, on ? before : NULL, on ? walked : NULL, c);
	}
}
