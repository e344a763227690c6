/* The text of a breakpoint. See breaks.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "debug/breaks.h"
#include "debug/dump.h"
#include "debug/fault_arm.h"

struct reader {
	const char *p;
	const struct expr_env *env;
	struct error *err;
	struct breakpoint *b;
};

static void skip(struct reader *r)
{
	while (*r->p == ' ' || *r->p == '\t')
		r->p++;
}

/* The next word if it is this one. */
static bool word(struct reader *r, const char *w)
{
	size_t n = strlen(w);

	skip(r);
	if (strncmp(r->p, w, n) || isalnum((unsigned char)r->p[n]) || r->p[n] == '_')
		return false;
	r->p += n;
	return true;
}

static bool prefix(struct reader *r, const char *w)
{
	skip(r);
	if (strncmp(r->p, w, strlen(w)))
		return false;
	r->p += strlen(w);
	return true;
}

static bool at_end(struct reader *r)
{
	skip(r);
	return !*r->p || (!strncmp(r->p, "if", 2) && (r->p[2] == ' ' || r->p[2] == '('));
}

static bool number(struct reader *r, u64 *v)
{
	const char *end;

	if (!expr_eval(r->env, r->p, &end, v, r->err))
		return false;
	r->p = end;
	return true;
}

/* LO[-HI] of plain numbers; nothing: everything. */
static bool range(struct reader *r, u64 all)
{
	char *end;

	r->b->lo = 0;
	r->b->hi = all;
	skip(r);
	if (!isdigit((unsigned char)*r->p))
		return true;
	r->b->lo = r->b->hi = strtoull(r->p, &end, 0);
	r->p = end;
	if (*r->p == '-') {
		r->b->hi = strtoull(r->p + 1, &end, 0);
		if (end == r->p + 1)
			return error_set(r->err, "expected LO-HI at '%.30s'", r->p);
		r->p = end;
	}
	return r->b->hi >= r->b->lo || error_set(r->err, "the range ends before it begins");
}

/* Whose addresses a plain address means: the owner of the symbol that it begins with, else the world that is looked at. */
static enum world whose(struct reader *r)
{
	enum world now = r->env->view->guest ? VIEW_GUEST : VIEW_HOST;
	enum symbol_owner owner;
	char name[128];
	size_t n = 0;
	int line = 0;

	skip(r);
	while (n + 1 < sizeof name && (isalnum((unsigned char)r->p[n]) || (r->p[n] && strchr("_./$", r->p[n]))))
		n++;
	snprintf(name, sizeof name, "%.*s", (int)n, r->p);
	if (r->p[n] == ':' && isdigit((unsigned char)r->p[n + 1]))
		line = atoi(r->p + n + 1);
	if (!r->env->symbols || isdigit((unsigned char)*name) || !symbols_whose(r->env->symbols, r->env->view, name, line, &owner))
		return now;
	return owner == SYMBOLS_HOST ? VIEW_HOST : owner == SYMBOLS_ANY ? now : VIEW_GUEST;
}

static bool address(struct reader *r)
{
	struct breakpoint *b = r->b;
	struct expr_env env = *r->env;
	struct view other;

	b->level = LEVEL_V;
	b->world = VIEW_NOW;
	if (prefix(r, "host:"))
		b->world = VIEW_HOST;
	else if (prefix(r, "guest:"))
		b->world = VIEW_GUEST;
	if (prefix(r, "g:")) {
		b->level = LEVEL_G;
		b->world = VIEW_GUEST;
	} else if (prefix(r, "p:"))
		b->level = LEVEL_P;
	else
		prefix(r, "v:");
	if (b->level == LEVEL_V && b->world == VIEW_NOW)
		b->world = whose(r);
	/* Names are looked up in that world's images even before it exists. */
	if (b->level == LEVEL_V && (b->world == VIEW_GUEST) != env.view->guest) {
		other = *env.view;
		other.guest = !other.guest;
		env.view = &other;
	}
	if (!expr_eval(&env, r->p, &r->p, &b->lo, r->err))
		return false;
	b->hi = b->lo;
	return true;
}

/* vmcb.FIELD means the field in memory. */
static bool watch_field(struct reader *r)
{
	const struct view *v = r->env->view;
	const struct field *f;
	char name[64];
	size_t n = strcspn(r->p, " ");

	snprintf(name, sizeof name, "%.*s", (int)n, r->p);
	f = expr_vmcb_field(name);
	if (!f)
		return error_set(r->err, "no VMCB field is called '%s'", name);
	if (v->vmcb == ~0ull)
		return error_set(r->err, "no VMRUN was seen yet: where the VMCB is, is not known");
	r->p += n;
	r->b->level = LEVEL_P;
	r->b->world = VIEW_NOW;
	r->b->lo = v->vmcb + f->off;
	r->b->hi = r->b->lo + (u64)f->size * f->count - 1;
	return true;
}

static bool watch(struct reader *r, bool read, bool write)
{
	struct breakpoint *b = r->b;
	u64 n = 0;

	b->kind = BREAK_WATCH;
	b->read = read;
	b->write = write;
	if (prefix(r, "vmcb."))
		return watch_field(r);
	if (!address(r))
		return false;
	n = view_bits(r->env->view) == 64 ? 8 : 4;
	if (prefix(r, ",") && !number(r, &n))
		return false;
	if (!n || n > 1u << 20 || b->lo + n - 1 < b->lo)
		return error_set(r->err, "expected 1 to 1048576 bytes to watch");
	b->hi = b->lo + n - 1;
	if (b->level == LEVEL_V)
		b->world = b->world == VIEW_NOW ? VIEW_HOST : b->world;
	return true;
}

static bool directions(struct reader *r, const char *in, const char *out)
{
	r->b->read = word(r, in);
	r->b->write = word(r, out);
	if (!r->b->read && !r->b->write)
		r->b->read = r->b->write = true;
	return true;
}

/* An ARM's by their first word, "undefined", "svc", "prefetch", "data", "irq", "fiq", or by number: those from first to last. */
static bool vector_arm(struct reader *r, u32 first, u32 last)
{
	for (u32 i = first; i <= last; i++) {
		const char *name = arm_vector_name(i);
		char head[16];

		snprintf(head, sizeof head, "%.*s", (int)strcspn(name, " "), name);
		for (char *p = head; *p; p++)
			*p = (char)tolower((unsigned char)*p);
		if (!word(r, head))
			continue;
		word(r, "abort");
		r->b->lo = r->b->hi = i;
		return true;
	}
	if (at_end(r)) {
		r->b->lo = first;
		r->b->hi = last;
		return true;
	}
	if (!range(r, last))
		return false;
	return (r->b->lo >= first && r->b->hi <= last) || error_set(r->err, "expected a vector from %u to %u, or its name", first, last);
}

static bool interrupt(struct reader *r) { return r->env->view->arm ? vector_arm(r, ARM_IRQ, ARM_FIQ) : range(r, 255); }

static bool vector(struct reader *r)
{
	char buf[16];

	if (r->env->view->arm)
		return vector_arm(r, ARM_UNDEFINED, ARM_DATA_ABORT);
	r->b->lo = 0;
	r->b->hi = 255;
	skip(r);
	for (unsigned i = 0; *r->p == '#' && i < 32; i++) {
		const char *name = exception_name(i, buf, sizeof buf);

		if (*name == '#' && !strncmp(r->p, name, strlen(name))) {
			r->p += strlen(name);
			r->b->lo = r->b->hi = i;
			return true;
		}
	}
	return *r->p == '#' ? error_set(r->err, "no exception is called '%.10s'", r->p) : range(r, 255);
}

/* A name or a number. */
static bool reason(struct reader *r)
{
	char name[32];
	size_t n = 0;
	u64 code;

	r->b->lo = 0;
	r->b->hi = ~0ull;
	if (at_end(r))
		return true;
	while (n + 1 < sizeof name && r->p[n] && r->p[n] != ' ')
		n++;
	snprintf(name, sizeof name, "%.*s", (int)n, r->p);
	if (!expr_exit_code(name, &code)) {
		char *end;

		code = strtoull(name, &end, 0);
		if (*end || end == name)
			return error_set(r->err, "no #VMEXIT is called '%s'", name);
	}
	r->p += n;
	r->b->lo = r->b->hi = code;
	return true;
}

static bool count(struct reader *r)
{
	return number(r, &r->b->lo);
}

enum { ON_PC = 1, ON_ARM = 2, ON_BOTH = 3 };

static const struct {
	const char *name;
	enum break_kind kind;
	bool (*more)(struct reader *r);
	u64 all; /* without more: a range up to this; 0: nothing follows */
	u8 on;
} kinds[] = {
	{"magic", BREAK_MAGIC, NULL, 0, ON_BOTH},
	{"port", BREAK_PORT, NULL, 0xffff, ON_PC},
	{"msr", BREAK_MSR, NULL, 0xffffffff, ON_PC},
	{"cr", BREAK_CR, NULL, 15, ON_PC},
	{"cp15", BREAK_CR, NULL, 15, ON_ARM},
	{"exception", BREAK_EXCEPTION, vector, 0, ON_BOTH},
	{"interrupt", BREAK_INTERRUPT, interrupt, 0, ON_BOTH},
	{"mode", BREAK_MODE, NULL, 0, ON_BOTH},
	{"vmrun", BREAK_VMRUN, NULL, 0, ON_PC},
	{"vmexit", BREAK_VMEXIT, reason, 0, ON_PC},
	{"npf", BREAK_NPF, NULL, ~0ull, ON_PC},
	{"inject", BREAK_INJECT, NULL, 0, ON_PC},
	{"asid", BREAK_ASID, NULL, 0xffffffff, ON_PC},
	{"flush", BREAK_FLUSH, NULL, 0, ON_BOTH},
	{"triple", BREAK_TRIPLE, NULL, 0, ON_PC},
	{"reset", BREAK_RESET, NULL, 0, ON_BOTH},
	{"count", BREAK_COUNT, count, 0, ON_BOTH},
};

static bool head(struct reader *r)
{
	if (word(r, "write") || word(r, "watch"))
		return watch(r, false, true);
	if (word(r, "read") || word(r, "rwatch"))
		return watch(r, true, false);
	if (word(r, "access") || word(r, "awatch"))
		return watch(r, true, true);
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *start = r->p;

		if (!word(r, kinds[i].name))
			continue;
		if (*r->p && *r->p != ' ') { /* a symbol that begins like a word: port.x */
			r->p = start;
			break;
		}
		if (!(kinds[i].on & (r->env->view->arm ? ON_ARM : ON_PC)))
			return error_set(r->err, "%s: not on this board", kinds[i].name);
		r->b->kind = kinds[i].kind;
		if (kinds[i].more)
			return kinds[i].more(r);
		if (kinds[i].all && !range(r, kinds[i].all))
			return false;
		if (r->b->kind == BREAK_PORT)
			return directions(r, "in", "out");
		return r->b->kind != BREAK_MSR || directions(r, "read", "write");
	}
	word(r, "exec");
	r->b->kind = BREAK_EXEC;
	return address(r);
}

bool breaks_parse(struct breakpoint *b, const char *text, const struct expr_env *env, struct error *err)
{
	struct reader r = {.p = text, .env = env, .err = err, .b = b};

	memset(b, 0, sizeof *b);
	b->on = true;
	while (*text == ' ')
		text++;
	r.p = text;
	if (strlen(text) >= sizeof b->text)
		return error_set(err, "longer than %zu characters", sizeof b->text - 1);
	strcpy(b->text, text);
	if (!*text)
		return error_set(err, "expected an address or a condition (help break)");
	if (!head(&r))
		return false;
	if (!at_end(&r))
		return error_set(err, "unexpected '%.40s'", r.p);
	if (*r.p) {
		r.p += 2;
		skip(&r);
		if (strlen(r.p) >= sizeof b->condition)
			return error_set(err, "the condition is longer than %zu characters", sizeof b->condition - 1);
		strcpy(b->condition, r.p);
	}
	return true;
}
