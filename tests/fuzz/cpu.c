/*
 * Fuzz the whole CPU: random code, descriptors, page tables, VMCBs (world.h). No crash, no access out of range, an end; and the same state
 * afterwards whether it ran in blocks or step by step.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "world.h"

enum { INSNS = 200 };

struct result {
	enum x86_stop why;
	u64 r[16], rip, flags, cr0, cr2, cr3, cr4, efer, retired, port, guest;
	u64 dr[8];
	struct x86_seg seg[8];
	struct x86_fpu fpu;
};

static void take(struct world *w, enum x86_stop why, struct result *s)
{
	struct x86_cpu *c = w->cpu;

	memset(s, 0, sizeof *s);
	s->why = why;
	memcpy(s->r, c->r, sizeof s->r);
	s->rip = c->rip;
	s->flags = x86_get_flags(c);
	s->cr0 = c->cr0, s->cr2 = c->cr2, s->cr3 = c->cr3, s->cr4 = c->cr4;
	s->efer = c->efer;
	s->retired = c->retired;
	s->port = w->port;
	s->guest = c->svm.guest;
	memcpy(s->dr, c->dr, sizeof s->dr);
	memcpy(s->seg, c->seg, sizeof s->seg);
	s->fpu = c->fpu;
}

static void tell(const char *name, u64 a, u64 b)
{
	if (a != b)
		fprintf(stderr, "%s: %llx in blocks, %llx step by step\n", name, (unsigned long long)a, (unsigned long long)b);
}

static void differ(const struct result *a, const struct result *b, const u8 *ram, const u8 *other)
{
	char name[16];

	tell("stop", a->why, b->why);
	tell("retired", a->retired, b->retired);
	tell("rip", a->rip, b->rip);
	tell("flags", a->flags, b->flags);
	tell("cr0", a->cr0, b->cr0);
	tell("cr2", a->cr2, b->cr2);
	tell("cr3", a->cr3, b->cr3);
	tell("cr4", a->cr4, b->cr4);
	tell("efer", a->efer, b->efer);
	tell("port", a->port, b->port);
	tell("guest", a->guest, b->guest);
	tell("dr6", a->dr[6], b->dr[6]);
	tell("dr7", a->dr[7], b->dr[7]);
	for (unsigned i = 0; i < 16; i++) {
		snprintf(name, sizeof name, "r%u", i);
		tell(name, a->r[i], b->r[i]);
	}
	for (unsigned i = 0; i < 8; i++)
		if (memcmp(&a->seg[i], &b->seg[i], sizeof a->seg[i]))
			fprintf(stderr, "segment %u differs\n", i);
	if (memcmp(&a->fpu, &b->fpu, sizeof a->fpu))
		fprintf(stderr, "the FPU differs\n");
	for (unsigned i = 0; i < WORLD_RAM; i += 8)
		if (memcmp(ram + i, other + i, 8)) {
			fprintf(stderr, "memory at %x differs\n", i);
			break;
		}
	abort();
}

int LLVMFuzzerTestOneInput(const u8 *in, size_t n)
{
	static struct world *w;
	static u8 ram[WORLD_RAM];
	static struct result blocks, steps;

	if (!w)
		w = world_new();
	world_set(w, in, n);
	take(w, world_run(w, INSNS, INSNS), &blocks);
	memcpy(ram, w->ram, sizeof ram);
	world_set(w, in, n);
	take(w, world_run(w, INSNS, 1), &steps);
	if (memcmp(&blocks, &steps, sizeof blocks) || memcmp(ram, w->ram, sizeof ram))
		differ(&blocks, &steps, ram, w->ram);
	return 0;
}
