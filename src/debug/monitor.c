/* See monitor.h: finding the command, help, and what the groups share. */
#include "debug/monitor.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#define LINE 1024
#define DEPTH 8

static void help(struct monitor *m, char *args);

static const struct command general[] = {
	{"help", "h", "[COMMAND]", "what the commands do", help, false},
	{0},
};

static const struct {
	const char *title;
	const struct command *table;
	bool pc_only;
} groups[] = {
	{"General", general, false},
	{"Running", mon_run, false},
	{"Breakpoints", mon_break, false},
	{"Registers", mon_regs, false},
	{"Memory", mon_memory, false},
	{"Address translation", mon_tables, false},
	{"SVM", mon_svm, true},
	{"Processor tables", mon_system, true},
	{"Recorded walks", mon_walks, false},
	{"Devices", mon_devices, false},
	{"Symbols", mon_symbols, false},
	{"What happened", mon_history, false},
};

static bool has_group(const struct monitor *m, unsigned g) { return !groups[g].pc_only || m->d->t->pc; }

void mon_fail(struct monitor *m, const char *fmt, ...)
{
	char buf[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof buf, fmt, ap);
	va_end(ap);
	text_printf(m->out, "error: %s\n", buf);
	m->failed = true;
}

char *mon_word(char **args)
{
	char *w = *args;

	while (*w == ' ')
		w++;
	if (!*w)
		return NULL;
	*args = w + strcspn(w, " ");
	if (**args)
		*(*args)++ = 0;
	while (**args == ' ')
		(*args)++;
	return w;
}

bool mon_end(struct monitor *m, const char *args)
{
	while (*args == ' ')
		args++;
	if (*args)
		mon_fail(m, "unexpected '%s'", args);
	return !*args;
}

bool mon_value(struct monitor *m, char **args, u64 *val)
{
	struct view v;
	struct expr_env env;
	struct error err;
	const char *end;

	debugger_view(m->d, &v);
	env = debugger_env(m->d, &v);
	if (!expr_eval(&env, *args, &end, val, &err)) {
		mon_fail(m, "%s", err.msg);
		return false;
	}
	*args += end - *args;
	while (**args == ' ')
		(*args)++;
	return true;
}

bool mon_address(struct monitor *m, char **args, enum level *l, u64 *addr)
{
	*l = LEVEL_V;
	while (**args == ' ')
		(*args)++;
	if ((*args)[0] && (*args)[1] == ':' && strchr("vgp", (*args)[0])) {
		*l = **args == 'g' ? LEVEL_G : **args == 'p' ? LEVEL_P : LEVEL_V;
		*args += 2;
	}
	return mon_value(m, args, addr);
}

/* ---- the tables ---- */

static bool named(const struct command *c, const char *word, size_t n)
{
	return (strlen(c->name) == n && !strncmp(c->name, word, n)) || (c->alias && strlen(c->alias) == n && !strncmp(c->alias, word, n));
}

/* By name or alias, else the only one that begins so. */
static const struct command *find(const struct monitor *m, const char *word, size_t n, bool *ambiguous)
{
	const struct command *begins = NULL;

	*ambiguous = false;
	for (unsigned g = 0; g < ARRAY_SIZE(groups); g++)
		for (const struct command *c = groups[g].table; c->name && has_group(m, g); c++) {
			if (named(c, word, n))
				return c;
			if (!strncmp(c->name, word, n)) {
				*ambiguous |= begins != NULL;
				begins = c;
			}
		}
	return *ambiguous ? NULL : begins;
}

const char *monitor_complete(const char *beginning, size_t len, unsigned n)
{
	for (unsigned g = 0; g < ARRAY_SIZE(groups); g++)
		for (const struct command *c = groups[g].table; c->name; c++)
			if (!strncmp(c->name, beginning, len) && n-- == 0)
				return c->name;
	return NULL;
}

static void help_one(struct monitor *m, const struct command *c)
{
	text_printf(m->out, "  %s%s%s%s%s\n      %s\n", c->name, c->alias ? ", " : "", c->alias ? c->alias : "", *c->args ? " " : "",
		    c->args, c->help);
}

static void help(struct monitor *m, char *args)
{
	bool many;
	const struct command *c = *args ? find(m, args, strlen(args), &many) : NULL;

	if (*args && !c) {
		mon_fail(m, "no command is called '%s'", args);
		return;
	}
	if (c) {
		help_one(m, c);
		return;
	}
	for (unsigned g = 0; g < ARRAY_SIZE(groups); g++) {
		if (!has_group(m, g))
			continue;
		text_printf(m->out, "%s\n", groups[g].title);
		for (c = groups[g].table; c->name; c++)
			help_one(m, c);
	}
}

/* ---- executing ---- */

static void execute_one(struct monitor *m, char *line)
{
	size_t n;
	const struct command *c;
	char *end;
	bool many;

	while (*line == ' ' || *line == '\t')
		line++;
	end = line + strlen(line);
	while (end > line && isspace((unsigned char)end[-1]))
		*--end = 0;
	if (!*line || *line == '#')
		return;
	n = strcspn(line, " /");
	c = find(m, line, n, &many);
	if (!c) {
		mon_fail(m, "%.*s: %s (try help)", (int)n, line, many ? "several commands begin so" : "no such command");
		return;
	}
	if (c->runs && m->remote) {
		mon_fail(m, "%s: GDB's own commands run the machine", c->name);
		return;
	}
	line += n;
	while (*line == ' ')
		line++;
	m->resumed = c->runs;
	c->run(m, line);
	if (c->runs && m->resumed && !m->d->quit)
		monitor_tell_stop(m);
}

void monitor_execute(struct monitor *m, const char *line)
{
	char buf[LINE], *p = buf, *next;

	m->failed = false;
	if (strlen(line) >= sizeof buf) {
		mon_fail(m, "the line is longer than %d characters", LINE - 1);
		return;
	}
	strcpy(buf, line);
	buf[strcspn(buf, "\r\n")] = 0;
	if (m->depth == DEPTH) {
		mon_fail(m, "breakpoint commands run each other");
		return;
	}
	m->depth++;
	/* "commands N a; b" takes the whole line. */
	for (; p && !m->d->quit; p = next) {
		next = strncmp(p + strspn(p, " "), "commands", 8) ? strchr(p, ';') : NULL;
		if (next)
			*next++ = 0;
		execute_one(m, p);
	}
	m->depth--;
}

void monitor_tell_stop(struct monitor *m)
{
	struct breakpoint *b = m->d->stopped_at;

	debugger_print_stop(m->d, m->out);
	if (b && b->commands[0]) {
		char buf[sizeof b->commands];

		strcpy(buf, b->commands);
		monitor_execute(m, buf);
	}
}

void monitor_init(struct monitor *m, struct debugger *d, struct text *out)
{
	memset(m, 0, sizeof *m);
	m->d = d;
	m->out = out;
}
