/* See why.h. svm/explain.c and dump.c know the words; here the latest cause is found and the instruction behind it shown. */
#include "debug/why.h"

#include "debug/dump.h"
#include "svm/vmcb.h"

#define EXIT_NPF 0x400

void why_print_at(struct debugger *d, const struct view *v, u64 rip, const char *what, struct text *out)
{
	text_printf(out, "%s: ", what);
	debugger_print_insn(d, v, view_linear(v, rip), out);
	text_puts(out, "\n");
}

/* The nested table entry that refused, as the tables stand now. */
static void npf_entry(struct x86_cpu *c, const struct view *guest, struct text *out)
{
	u64 info1 = space_peek(c->mem, guest->vmcb + 0x78, 8), gpa = space_peek(c->mem, guest->vmcb + 0x80, 8);
	unsigned access = ACC_USER | (info1 & 2 ? ACC_WRITE : 0) | (info1 & 16 ? ACC_EXEC : 0);
	const struct walk_step *s;
	struct walk w;

	walk_nested(&guest->env, gpa, access, false, &w);
	if (!w.n || w.why == WALK_OK)
		return;
	s = &w.step[w.n - 1];
	text_printf(out, "the table entry: nested level %u, at physical %llx, holds %016llx: %s\n", w.fail_level, (unsigned long long)s->pa,
		    (unsigned long long)s->val, walk_why_text(w.why));
}

static void why_exit(struct debugger *d, const struct event *e, struct text *out)
{
	struct x86_cpu *c = &d->t->pc->cpu[e->cpu].x86;
	struct guest *g = worlds_guest(&d->worlds, e->b, false);
	struct view v;

	svm_print_exit(out, c, g ? &g->at_vmrun : NULL);
	if (e->a) { /* VMRUN was refused: the instruction is the host's */
		view_get(&d->worlds, e->cpu, VIEW_HOST, 0, &v);
		why_print_at(d, &v, e->ip, "the VMRUN", out);
		return;
	}
	if (!view_get(&d->worlds, e->cpu, VIEW_GUEST, e->b, &v))
		return;
	why_print_at(d, &v, e->ip, "the guest's instruction", out);
	if (e->c == EXIT_NPF)
		npf_entry(c, &v, out);
}

static void why_exception(struct debugger *d, const struct event *e, struct text *out)
{
	struct view v;

	text_printf(out, "cpu%u %s at %llx: ", e->cpu, e->guest ? "guest" : "host", (unsigned long long)e->ip);
	dump_exception(out, e->a & 0xff, e->a >> 8 & 1, (u32)e->b, e->c, e->a >> 16);
	text_puts(out, "\n");
	if (view_get(&d->worlds, e->cpu, e->guest ? VIEW_GUEST : VIEW_HOST, 0, &v)) {
		why_print_at(d, &v, e->ip, "the instruction", out);
		if ((e->a & 0xff) == VEC_PF) {
			struct walk w;
			unsigned access = (e->b & 2 ? ACC_WRITE : 0) | (e->b & 16 ? ACC_EXEC : 0) | (e->b & 4 ? ACC_USER : 0);

			walk_x86(&v.env, e->c, access, false, &w);
			text_puts(out, "the walk, as the tables stand now:\n");
			walk_print(out, &w);
		}
	}
}

void why_print_x86(struct debugger *d, struct text *out)
{
	const struct event *exit = &d->last_exit[d->cpu], *exc = &d->last_exception[d->cpu];
	struct x86_cpu *c = &d->t->pc->cpu[d->cpu].x86;

	if (d->why == STOP_TRIPLE_FAULT) {
		dump_triple_fault(out, c);
		return;
	}
	if (d->why == STOP_UNIMPLEMENTED) {
		text_printf(out, "%s\n", c->stop_text);
		return;
	}
	if (exit->kind == EV_NONE && exc->kind == EV_NONE) {
		text_puts(out, "neither an exception nor a #VMEXIT has happened on this CPU\n");
		return;
	}
	/* The VMCB of the last #VMEXIT is explained from memory: only while no other guest has run since. */
	if (exit->kind != EV_NONE && (exc->kind == EV_NONE || exit->icount >= exc->icount) && c->svm.vmcb_pa == exit->b)
		why_exit(d, exit, out);
	else if (exc->kind != EV_NONE)
		why_exception(d, exc, out);
	else
		text_puts(out, "another guest has run since the last #VMEXIT\n");
}
