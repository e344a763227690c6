/* Comparing outcomes. See compare.h. */
#include "compare.h"

#include <stdio.h>

#include "fpstate.h"

#define FLAGS_COMPARED (FLAGS_ARITH | FLAG_TF | FLAG_DF | FLAG_NT | FLAG_AC | FLAG_ID)

const char *end_name(const struct outcome *o, char buf[32])
{
	static const char *const vec[] = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "#9",
					  "#TS", "#NP", "#SS", "#GP", "#PF", "#15", "#MF", "#AC", "#MC", "#XM"};

	if (o->end == VEC_PF)
		snprintf(buf, 32, "#PF(%x) at %llx", o->error, (unsigned long long)o->cr2);
	else if (o->end < ARRAY_SIZE(vec))
		snprintf(buf, 32, "%s(%x)", vec[o->end], o->error);
	else
		snprintf(buf, 32, "%s",
			 o->end == END_OK        ? "done"
			 : o->end == END_SYSCALL ? "system call"
			 : o->end == END_HANG    ? "hang"
			 : o->end == END_DIED    ? "died"
						 : "?");
	return buf;
}

/* ---- what counts ---- */
struct care {
	u64 regs;    /* bits of general registers that count */
	u32 flags;   /* flags that count */
	unsigned n;  /* registers */
	bool result; /* registers and memory are defined */
};

unsigned compare_insns_before(const struct ocase *c, const struct outcome *o)
{
	u64 at = o->out.rip - c->in.rip;

	for (unsigned i = 0; i < c->ninsn; i++)
		if (at == c->start[i] && o->end != END_OK)
			return i;
	return c->ninsn;
}

/* A jump over an instruction may skip what that one defines. */
static bool skippable(const struct ocase *c, unsigned i)
{
	for (unsigned j = i > 4 ? i - 4 : 0; j < i; j++)
		if (rows[c->row[j]].insn->kind == KIND_JCC)
			return true;
	return false;
}

static u32 undefined_flags(const struct ocase *c, unsigned n, const u8 *has, bool *result)
{
	u32 u = 0;

	for (unsigned i = 0; i < n; i++) {
		struct parsed p;
		unsigned at = c->start[i], end = c->start[i + 1];
		const struct row *r;
		u32 mine;

		if (!row_parse(c->code + at, end - at, c->bits, has, &p) || !p.row)
			continue;
		r = &rows[p.row - x86_insns];
		mine = row_undefined(r, &p, &c->in, c->code[end - 1]);
		if (c->kind == CASE_SEQUENCE && (r->insn->form == FORM_E || r->insn->form == FORM_EG))
			mine |= r->undefined; /* the count in CL is not known */
		if (!skippable(c, i))
			u &= ~r->writes;
		u |= mine;
		if (c->kind != CASE_SEQUENCE && row_undefined_result(r, &p, &c->in, c->code[end - 1]))
			*result = false;
	}
	return u;
}

static struct care what_counts(const struct ocase *c, const struct outcome *host, const u8 *has, bool undefined)
{
	struct care k = {.regs = c->bits == 64 ? ~0ull : 0xffffffff,
			 .flags = FLAGS_COMPARED,
			 .n = c->bits == 64 ? 16 : 8,
			 .result = true};
	unsigned n = compare_insns_before(c, host);

	if (c->kind == CASE_SINGLE && n == 0)
		n = 1;
	if (host->out.cs != SEL_CODE64) /* leaving 64-bit mode loses upper halves. APM1 3.1.2 */
		k.regs = 0xffffffff;
	if (!undefined)
		k.flags &= ~undefined_flags(c, n, has, &k.result);
	return k;
}

/* ---- the comparison itself ---- */
static void reg_difference(struct text *t, const char *name, u64 host, u64 ours)
{
	text_printf(t, " %s host=%llx ours=%llx", name, (unsigned long long)host, (unsigned long long)ours);
}

static const char *const reg_names[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
					  "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

static bool same_end(const struct outcome *a, const struct outcome *b, struct text *t)
{
	char x[32], y[32];
	bool same = a->end == b->end && a->out.rip == b->out.rip && (a->end >= 32 || a->error == b->error) &&
		    (a->end != VEC_PF || a->cr2 == b->cr2);

	if (!same)
		text_printf(t, " end host=%s at %llx ours=%s at %llx", end_name(a, x), (unsigned long long)a->out.rip,
			    end_name(b, y), (unsigned long long)b->out.rip);
	return same;
}

static bool same_segments(const struct ostate *a, const struct ostate *b, struct text *t)
{
	const struct {
		const char *name;
		u64 host, ours;
	} s[] = {{"es", a->es, b->es},
		 {"cs", a->cs, b->cs},
		 {"ss", a->ss, b->ss},
		 {"ds", a->ds, b->ds},
		 {"fs", a->fs, b->fs},
		 {"gs", a->gs, b->gs},
		 {"fsbase", a->fsbase, b->fsbase},
		 {"gsbase", a->gsbase, b->gsbase}};
	bool same = true;

	for (unsigned i = 0; i < ARRAY_SIZE(s); i++)
		if (s[i].host != s[i].ours &&
		    (i > 5 || s[i].host > 3 || s[i].ours > 3)) { /* IRET clears the RPL of null selectors */
			reg_difference(t, s[i].name, s[i].host, s[i].ours);
			same = false;
		}
	return same;
}

static bool same_memory(const struct outcome *a, const struct outcome *b, struct text *t)
{
	unsigned n = a->count > b->count ? a->count : b->count;

	if (a->count == b->count && a->hash == b->hash)
		return true;
	text_printf(t, " memory:");
	for (unsigned i = 0; i < n && i < 4; i++) {
		if (i < a->count)
			text_printf(t, " host [%llx]=%llx", (unsigned long long)a->change[i].addr,
				    (unsigned long long)a->change[i].val);
		if (i < b->count)
			text_printf(t, " ours [%llx]=%llx", (unsigned long long)b->change[i].addr,
				    (unsigned long long)b->change[i].val);
	}
	return false;
}

static bool same(const struct outcome *a, const struct outcome *b, const struct care *k, struct text *t)
{
	bool ok = same_end(a, b, t);

	for (unsigned i = 0; i < k->n && k->result; i++)
		if ((a->out.r[i] ^ b->out.r[i]) & k->regs) {
			reg_difference(t, reg_names[i], a->out.r[i] & k->regs, b->out.r[i] & k->regs);
			ok = false;
		}
	if ((a->out.flags ^ b->out.flags) & k->flags) {
		reg_difference(t, "flags", a->out.flags & k->flags, b->out.flags & k->flags);
		ok = false;
	}
	ok &= same_segments(&a->out, &b->out, t);
	ok &= fp_same(a->out.fx, b->out.fx, t);
	return (!k->result || same_memory(a, b, t)) && ok;
}

enum verdict compare(const struct ocase *c, const struct outcome *host, const struct outcome *ours, const u8 *has,
		     bool undefined, struct text *differences)
{
	struct care k = what_counts(c, host, has, undefined);
	enum exception_id x;

	if (same(host, ours, &k, differences))
		return PASSED;
	x = exception_find(c, host, ours, has);
	if (x == EXC_NONE)
		return FAILED;
	exceptions[x].count++;
	return SKIPPED;
}

enum verdict compare_ours(const struct outcome *step, const struct outcome *block, struct text *differences)
{
	struct care k = {.regs = ~0ull, .flags = FLAGS_COMPARED | FLAG_RF, .n = 16, .result = true};

	if (!same(step, block, &k, differences))
		return FAILED;
	if (step->retired != block->retired)
		text_printf(differences, " instructions executed: %u and %u", step->retired, block->retired);
	return step->retired == block->retired ? PASSED : FAILED;
}
