/* See stat.h. */
#include "debug/stat.h"

#include <stdlib.h>

#include "svm/explain.h"
#include "svm/vmcb.h"

#define SHOWN 16
enum { CODE_IOIO = 0x7b, CODE_MSR = 0x7c, CODE_NPF = 0x400 };

static void count_reason(struct stat *s, u64 code, u64 insns)
{
	struct stat_reason *r = s->reason;

	while (r < s->reason + s->reasons && r->code != code)
		r++;
	if (r == s->reason + s->reasons) {
		if (s->reasons == STAT_REASONS)
			return;
		s->reasons++;
		*r = (struct stat_reason){.code = code, .min = ~0ull};
	}
	r->count++;
	r->sum += insns;
	r->min = insns < r->min ? insns : r->min;
	r->max = insns > r->max ? insns : r->max;
}

static void count_place(struct stat *s, enum stat_kind kind, u64 code, u64 key)
{
	u64 h = (key * 0x9e3779b97f4a7c15ull) ^ (code * 31 + kind);

	for (unsigned i = 0; i < 16; i++) {
		struct stat_place *p = &s->place[(h + i) & (STAT_PLACES - 1)];

		if (!p->kind)
			*p = (struct stat_place){.code = code, .key = key, .kind = (u8)(kind + 1)};
		if (p->kind == kind + 1 && p->code == code && p->key == key) {
			p->count++;
			return;
		}
	}
	s->lost++;
}

static void hear(void *arg, const struct event *e)
{
	struct stat *s = arg;
	const struct x86_cpu *c = &s->hub->t->pc->cpu[e->cpu].x86;
	u64 now = e->icount;

	if (e->kind == EV_VMRUN) {
		s->entered[e->cpu] = now;
		return;
	}
	/* The VMRUN itself counts as one. Other CPUs' turns in between are counted too: the machine has one count. */
	count_reason(s, e->c, e->a || now <= s->entered[e->cpu] ? 0 : now - s->entered[e->cpu] - 1);
	count_place(s, STAT_RIP, e->c, e->ip);
	if (e->c == CODE_IOIO)
		count_place(s, STAT_PORT, e->c, space_peek(c->mem, e->b + 0x7a, 2));
	if (e->c == CODE_MSR)
		count_place(s, STAT_MSR, e->c, (u32)c->r[R_CX]);
	if (e->c == CODE_NPF)
		count_place(s, STAT_GPA, e->c, space_peek(c->mem, e->b + 0x80, 8) & PAGE_MASK);
}

void stat_init(struct stat *s, struct hub *hub)
{
	memset(s, 0, sizeof *s);
	s->hub = hub;
	s->ear = hub_add(hub, hear, s);
	hub_listen(hub, s->ear, BIT(EV_VMRUN) | BIT(EV_VMEXIT));
}

void stat_reset(struct stat *s)
{
	s->reasons = 0;
	s->lost = 0;
	memset(s->place, 0, sizeof s->place);
}

static int more_first(const void *a, const void *b)
{
	const struct stat_place *x = *(const struct stat_place *const *)a, *y = *(const struct stat_place *const *)b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x->key < y->key ? -1 : x->key > y->key;
}

static void print_places(const struct stat *s, enum stat_kind kind, const char *title, struct text *out)
{
	static const struct stat_place *list[STAT_PLACES];
	unsigned n = 0;
	char name[32];

	for (unsigned i = 0; i < STAT_PLACES; i++)
		if (s->place[i].kind == kind + 1)
			list[n++] = &s->place[i];
	if (!n)
		return;
	qsort(list, n, sizeof list[0], more_first);
	text_printf(out, "by %s:\n", title);
	for (unsigned i = 0; i < n && i < SHOWN; i++) {
		svm_exit_name(list[i]->code, name, sizeof name);
		text_printf(out, "  %10llu  %16llx  %s\n", (unsigned long long)list[i]->count, (unsigned long long)list[i]->key, name);
	}
	if (n > SHOWN)
		text_printf(out, "  ... and %u more\n", n - SHOWN);
}

void stat_print(const struct stat *s, struct text *out)
{
	u64 total = 0;
	char name[32];

	text_printf(out, "%-16s %10s %12s %12s %12s  (instructions in the guest)\n", "#VMEXIT", "count", "min", "mean", "max");
	for (unsigned i = 0; i < s->reasons; i++) {
		const struct stat_reason *r = &s->reason[i];

		svm_exit_name(r->code, name, sizeof name);
		text_printf(out, "%-16s %10llu %12llu %12.1f %12llu\n", name, (unsigned long long)r->count, (unsigned long long)r->min,
			    (double)r->sum / (double)r->count, (unsigned long long)r->max);
		total += r->count;
	}
	text_printf(out, "%-16s %10llu\n", "all", (unsigned long long)total);
	print_places(s, STAT_RIP, "rip", out);
	print_places(s, STAT_PORT, "port", out);
	print_places(s, STAT_MSR, "MSR", out);
	print_places(s, STAT_GPA, "guest-physical page", out);
	if (s->lost)
		text_printf(out, "%llu are missing in the lists by place\n", (unsigned long long)s->lost);
}
