/* See expr.h: the parser, which computes as it reads. */
#include "debug/expr.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define DEPTH 64

struct parser {
	const struct expr_env *env;
	const char *p;
	struct error *err;
	bool bad;
	unsigned depth;
};

static u64 parse_binary(struct parser *x, unsigned level);

static u64 fail(struct parser *x, const char *what)
{
	if (!x->bad)
		error_set(x->err, "%s at '%.40s'", what, x->p);
	x->bad = true;
	return 0;
}

static void skip(struct parser *x)
{
	while (*x->p == ' ' || *x->p == '\t')
		x->p++;
}

static bool eat(struct parser *x, const char *word)
{
	skip(x);
	if (strncmp(x->p, word, strlen(word)))
		return false;
	x->p += strlen(word);
	return true;
}

/* 0x10, 16, 10h */
static u64 parse_number(struct parser *x)
{
	char *end;
	u64 v = strtoull(x->p, &end, 16);

	if ((*end | 0x20) != 'h' || x->p[1] == 'x')
		v = strtoull(x->p, &end, 0);
	else
		end++;
	if (isalnum((unsigned char)*end) || *end == '_')
		return fail(x, "not a number");
	x->p = end;
	return v;
}

/* ---- memory: [v:addr].q ---- */

static u64 parse_memory(struct parser *x)
{
	enum level l = eat(x, "g:") ? LEVEL_G : eat(x, "p:") ? LEVEL_P : (eat(x, "v:"), LEVEL_V);
	unsigned size = view_bits(x->env->view) == 64 ? 8 : view_bits(x->env->view) / 8;
	u64 addr = parse_binary(x, 0), val;

	if (!eat(x, "]"))
		return fail(x, "expected ]");
	if (x->p[0] == '.' && x->p[1] && strchr("bwdq", x->p[1]) && !isalnum((unsigned char)x->p[2])) {
		size = x->p[1] == 'b' ? 1 : x->p[1] == 'w' ? 2 : x->p[1] == 'd' ? 4 : 8;
		x->p += 2;
	}
	if (x->bad)
		return 0;
	if (!view_load(x->env->view, l, addr, size, &val)) {
		char what[80];

		snprintf(what, sizeof what, "%s%llx cannot be read", l == LEVEL_V ? "v:" : l == LEVEL_G ? "g:" : "p:",
			 (unsigned long long)addr);
		return fail(x, what);
	}
	return val;
}

/* ---- names ---- */

static u64 vmcb_value(struct parser *x, const char *name)
{
	const struct field *f = expr_vmcb_field(name);
	u8 bytes[8] = {0};
	const struct view *v = x->env->view;

	if (!f)
		return fail(x, "no such VMCB field");
	if (v->vmcb == ~0ull)
		return fail(x, "no VMCB was seen yet");
	view_read(v, LEVEL_P, v->vmcb + f->off, bytes, f->size < 8 ? f->size : 8);
	return load_le(bytes, 8);
}

static bool other_world(struct parser *x, const char *name, u64 *val)
{
	bool guest = !strncmp(name, "guest.", 6);
	struct view v;

	if (!x->env->worlds || (!guest && strncmp(name, "host.", 5)))
		return false;
	if (!view_get(x->env->worlds, x->env->view->id, guest ? VIEW_GUEST : VIEW_HOST, 0, &v)) {
		fail(x, "no guest has run yet");
		return true;
	}
	if (!expr_register(&v, name + (guest ? 6 : 5), val))
		fail(x, "no such register");
	return true;
}

/* file.c:12 */
static bool source_line(struct parser *x, const char *name, u64 *val)
{
	char *end;
	long line;

	if (*x->p != ':' || !isdigit((unsigned char)x->p[1]) || !strchr(name, '.'))
		return false;
	line = strtol(x->p + 1, &end, 10);
	if (!x->env->symbols || !symbols_line_addr(x->env->symbols, x->env->view, name, (int)line, val)) {
		fail(x, "no code for that line");
		return true;
	}
	x->p = end;
	return true;
}

static u64 parse_name(struct parser *x)
{
	const char *start = x->p;
	char name[128];
	size_t n = 0;
	u64 val = 0;

	while (isalnum((unsigned char)*x->p) || (*x->p && strchr("_.$/", *x->p) && !(x->p[0] == '/' && x->p == start)))
		x->p++;
	n = (size_t)(x->p - start);
	if (!n || n >= sizeof name) {
		x->p = start;
		return fail(x, "expected a number, a register, a name or [memory]");
	}
	snprintf(name, sizeof name, "%.*s", (int)n, start);
	if (*name == '$')
		memmove(name, name + 1, n);
	for (unsigned i = 0; i < x->env->vars; i++)
		if (!strcmp(x->env->var[i].name, name))
			return x->env->var[i].val;
	if (!strncmp(name, "vmcb.", 5))
		return vmcb_value(x, name + 5);
	if (other_world(x, name, &val) || source_line(x, name, &val) || expr_register(x->env->view, name, &val) ||
	    (x->env->symbols && symbols_find(x->env->symbols, x->env->view, name, &val)) || expr_exit_code(name, &val))
		return val;
	x->p = start;
	return fail(x, "unknown name");
}

/* ---- operators ---- */

static u64 parse_unary(struct parser *x)
{
	u64 v = 0;

	if (++x->depth > DEPTH)
		v = fail(x, "too deep");
	else if (eat(x, "-"))
		v = -parse_unary(x);
	else if (eat(x, "~"))
		v = ~parse_unary(x);
	else if (x->p[0] == '!' && x->p[1] != '=' && eat(x, "!"))
		v = !parse_unary(x);
	else if (eat(x, "(")) {
		v = parse_binary(x, 0);
		if (!eat(x, ")"))
			fail(x, "expected )");
	} else if (eat(x, "["))
		v = parse_memory(x);
	else
		v = isdigit((unsigned char)*x->p) ? parse_number(x) : parse_name(x);
	x->depth--;
	return v;
}

/* By level, loosest first; longer spellings before their beginnings. */
static const char *const operators[][5] = {
	{"||"}, {"&&"}, {"|"}, {"^"}, {"&"}, {"==", "!="}, {"<=", ">=", "<", ">"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "%"},
};

#define LEVEL_COMPARE 6 /* of < and >, and of in */

/* Is this operator here, and not the beginning of a longer one? */
static bool operator_here(struct parser *x, const char *op)
{
	char next;

	skip(x);
	if (strncmp(x->p, op, strlen(op)))
		return false;
	next = x->p[strlen(op)];
	if (!op[1] && ((next == *op && strchr("|&<>", *op)) || (next == '=' && strchr("<>", *op))))
		return false;
	x->p += strlen(op);
	return true;
}

static u64 apply(struct parser *x, const char *op, u64 a, u64 b)
{
	switch (op[0] << 8 | op[1]) {
	case '|' << 8 | '|': return a || b;
	case '&' << 8 | '&': return a && b;
	case '|' << 8: return a | b;
	case '^' << 8: return a ^ b;
	case '&' << 8: return a & b;
	case '=' << 8 | '=': return a == b;
	case '!' << 8 | '=': return a != b;
	case '<' << 8 | '=': return a <= b;
	case '>' << 8 | '=': return a >= b;
	case '<' << 8: return a < b;
	case '>' << 8: return a > b;
	case '<' << 8 | '<': return b < 64 ? a << b : 0;
	case '>' << 8 | '>': return b < 64 ? a >> b : 0;
	case '+' << 8: return a + b;
	case '-' << 8: return a - b;
	case '*' << 8: return a * b;
	case '/' << 8: return b ? a / b : fail(x, "division by zero");
	default: return b ? a % b : fail(x, "division by zero");
	}
}

static bool word_here(struct parser *x, const char *w)
{
	size_t n = strlen(w);

	skip(x);
	if (strncmp(x->p, w, n) || isalnum((unsigned char)x->p[n]) || x->p[n] == '_')
		return false;
	x->p += n;
	return true;
}

/* V in LO..HI */
static u64 parse_range(struct parser *x, u64 v, unsigned level)
{
	u64 lo = parse_binary(x, level + 1), hi;

	if (!eat(x, ".."))
		return fail(x, "expected LO..HI");
	hi = parse_binary(x, level + 1);
	return v >= lo && v <= hi;
}

static u64 parse_binary(struct parser *x, unsigned level)
{
	u64 v;

	if (level == ARRAY_SIZE(operators))
		return parse_unary(x);
	v = parse_binary(x, level + 1);
	if (level == LEVEL_COMPARE && word_here(x, "in"))
		return parse_range(x, v, level);
	for (unsigned i = 0; !x->bad && i < ARRAY_SIZE(operators[0]) && operators[level][i]; i++)
		if (operator_here(x, operators[level][i])) {
			v = apply(x, operators[level][i], v, parse_binary(x, level + 1));
			i = ~0u; /* look for the level's operators again */
		}
	return v;
}

bool expr_eval(const struct expr_env *env, const char *text, const char **end, u64 *val, struct error *err)
{
	struct parser x = {.env = env, .p = text, .err = err};

	*val = parse_binary(&x, 0);
	skip(&x);
	if (!x.bad && !end && *x.p)
		fail(&x, "unexpected text");
	if (end)
		*end = x.p;
	return !x.bad;
}
