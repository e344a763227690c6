/* See trap.h. */
#include "debug/trap.h"

#include <stdlib.h>

#include "debug/dump_file.h"
#include "debug/trace.h"

/* "%n" becomes the hit's number. */
static void file_name(char *out, size_t size, const char *pattern, size_t n, u64 hit)
{
	size_t used = 0;

	for (size_t i = 0; i < n && used + 24 < size; i++) {
		if (pattern[i] == '%' && i + 1 < n && pattern[i + 1] == 'n') {
			used += (size_t)snprintf(out + used, size - used, "%llu", (unsigned long long)hit);
			i++;
		} else {
			out[used++] = pattern[i];
		}
	}
	out[used] = 0;
}

static void dump(struct traps *t, struct breakpoint *b, const char *args)
{
	size_t n = strcspn(args, " ");
	char path[400];
	struct error err;

	file_name(path, sizeof path, args, n, b->hits);
	if (!dump_file(t->d, path, args + n, b->text, &err))
		fprintf(stderr, "undervisor: trap %s: %s\n", b->text, err.msg);
}

enum action { DUMP, TRACE_ON, TRACE_OFF, STOP, EXIT, CONTINUE, UNKNOWN };

static enum action parse(const char *text, const char **args)
{
	static const char *const names[] = {"dump ", "trace on", "trace off", "stop", "exit ", "continue"};

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		size_t n = strlen(names[i]);

		if (strncmp(text, names[i], n))
			continue;
		*args = text + n;
		while (**args == ' ')
			(*args)++;
		if ((i == DUMP || i == EXIT) == (**args != 0))
			return i;
	}
	return UNKNOWN;
}

/* Cuts the next action off. */
static char *next_action(char **p)
{
	char *a = *p, *end;

	if (!a)
		return NULL;
	end = strchr(a, ';');
	*p = end ? end + 1 : NULL;
	if (end)
		*end = 0;
	while (*a == ' ')
		a++;
	for (end = a + strlen(a); end > a && end[-1] == ' ';)
		*--end = 0;
	return a;
}

static bool act(void *arg, struct breakpoint *b, const struct hit *h)
{
	struct traps *t = arg;
	char buf[sizeof b->action], *p = buf, *a;
	const char *args;
	bool stop = false;

	strcpy(buf, b->action);
	t->d->cpu = h->cpu;
	while ((a = next_action(&p))) {
		switch (parse(a, &args)) {
		case DUMP: dump(t, b, args); break;
		case TRACE_ON: trace_enable(t->trace, true); break;
		case TRACE_OFF: trace_enable(t->trace, false); break;
		case STOP: stop = true; break;
		case EXIT:
			t->d->status = (int)(strtoul(args, NULL, 0) & 0xff);
			t->d->quit = true;
			return true;
		default: break; /* continue */
		}
	}
	return stop;
}

/* The = between condition and action: the first that is no part of a comparison. */
static const char *separator(const char *s)
{
	for (const char *p = s; *p; p++) {
		if (*p != '=')
			continue;
		if (p[1] == '=')
			p++;
		else if (p == s || !strchr("!<>", p[-1]))
			return p;
	}
	return NULL;
}

bool traps_add(struct traps *t, const char *text, struct error *err)
{
	const char *eq = separator(text), *args;
	char condition[256], buf[256], *p = buf, *a;
	struct breakpoint *b;
	char *end;

	if (!eq || !eq[1] || (size_t)(eq - text) >= sizeof condition || strlen(eq + 1) >= sizeof b->action)
		return error_set(err, "--trap %s: expected CONDITION=ACTION", text);
	snprintf(condition, sizeof condition, "%.*s", (int)(eq - text), text);
	strcpy(buf, eq + 1);
	while ((a = next_action(&p))) {
		enum action what = parse(a, &args);

		if (what == UNKNOWN)
			return error_set(err, "--trap: '%s' is no action (expected dump FILE, trace on, trace off, stop, exit CODE, continue)", a);
		if (what == EXIT && (strtoul(args, &end, 0) > 255 || *end))
			return error_set(err, "--trap: exit %s: expected a number from 0 to 255", args);
		if ((what == TRACE_ON || what == TRACE_OFF) && !t->trace)
			return error_set(err, "--trap: %s needs --trace FILE", a);
		t->wants_trace_on |= what == TRACE_ON;
	}
	b = debugger_break(t->d, condition, err);
	if (!b) {
		struct error why = *err;

		return error_set(err, "--trap %.100s: %.300s", condition, why.msg);
	}
	strcpy(b->action, eq + 1);
	return true;
}

void traps_init(struct traps *t, struct debugger *d, struct trace *trace)
{
	*t = (struct traps){.d = d, .trace = trace};
	d->act = act;
	d->act_arg = t;
}
