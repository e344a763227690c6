/* Monitor commands for breakpoints. */
#include <stdio.h>
#include <stdlib.h>

#include "debug/monitor.h"

static void set(struct monitor *m, const char *text, bool temporary)
{
	struct error err;
	struct breakpoint *b = debugger_break(m->d, text, &err);

	if (!b) {
		mon_fail(m, "%s", err.msg);
		return;
	}
	b->temporary = temporary;
	text_printf(m->out, "breakpoint %u: %s", b->id, b->text);
	if (b->kind == BREAK_EXEC || b->kind == BREAK_WATCH)
		text_printf(m->out, " = %s%s%llx", m->d->t->icp ? "" : b->world == VIEW_HOST ? "host:" : b->world == VIEW_GUEST && b->level == LEVEL_V ? "guest:" : "",
			    b->level == LEVEL_G ? "g:" : b->level == LEVEL_P ? "p:" : "", (unsigned long long)b->lo);
	text_puts(m->out, "\n");
}

static void list(struct monitor *m)
{
	bool any = false;

	for (struct breakpoint *b = m->d->breaks; b; b = b->next) {
		if (b->hidden)
			continue;
		any = true;
		text_printf(m->out, "%-3u %-3s hits %-6llu %s", b->id, b->on ? "on" : "off", (unsigned long long)b->hits, b->text);
		if (b->ignore)
			text_printf(m->out, "  (ignores the next %llu)", (unsigned long long)b->ignore);
		if (b->commands[0])
			text_printf(m->out, "  commands: %s", b->commands);
		if (b->action[0])
			text_printf(m->out, "  action: %s", b->action);
		text_puts(m->out, "\n");
	}
	if (!any)
		text_puts(m->out, "no breakpoints\n");
}

static void set_break(struct monitor *m, char *args)
{
	if (*args)
		set(m, args, false);
	else
		list(m);
}

static void set_temporary(struct monitor *m, char *args) { set(m, args, true); }

static void set_watch(struct monitor *m, char *args, const char *what)
{
	char buf[256];

	snprintf(buf, sizeof buf, "%s %s", what, args);
	set(m, buf, false);
}
static void watch(struct monitor *m, char *args) { set_watch(m, args, "write"); }
static void rwatch(struct monitor *m, char *args) { set_watch(m, args, "read"); }
static void awatch(struct monitor *m, char *args) { set_watch(m, args, "access"); }

/* A breakpoint by number; the rest of the text stays. */
static struct breakpoint *by_number(struct monitor *m, char **args)
{
	char *w = mon_word(args), *end;
	struct breakpoint *b = w ? debugger_find(m->d, (unsigned)strtoul(w, &end, 10)) : NULL;

	if (!b || *end || b->hidden) {
		mon_fail(m, "no breakpoint %s", w ? w : "was named");
		return NULL;
	}
	return b;
}

static void delete(struct monitor *m, char *args)
{
	if (!*args) {
		for (struct breakpoint *b = m->d->breaks, *next; b; b = next) {
			next = b->next;
			if (!b->hidden && !b->action[0])
				debugger_delete(m->d, b);
		}
		return;
	}
	while (*args) {
		struct breakpoint *b = by_number(m, &args);

		if (!b)
			return;
		debugger_delete(m->d, b);
	}
}

static void turn(struct monitor *m, char *args, bool on)
{
	struct breakpoint *b = by_number(m, &args);

	if (!b)
		return;
	b->on = on;
	debugger_changed(m->d);
}
static void enable(struct monitor *m, char *args) { turn(m, args, true); }
static void disable(struct monitor *m, char *args) { turn(m, args, false); }

static void ignore(struct monitor *m, char *args)
{
	struct breakpoint *b = by_number(m, &args);
	u64 n;

	if (b && mon_value(m, &args, &n) && mon_end(m, args))
		b->ignore = n;
}

static void condition(struct monitor *m, char *args)
{
	struct breakpoint *b = by_number(m, &args);

	if (!b)
		return;
	if (strlen(args) >= sizeof b->condition)
		mon_fail(m, "the condition is longer than %zu characters", sizeof b->condition - 1);
	else
		strcpy(b->condition, args);
}

static void commands(struct monitor *m, char *args)
{
	struct breakpoint *b = by_number(m, &args);

	if (!b)
		return;
	if (strlen(args) >= sizeof b->commands)
		mon_fail(m, "the commands are longer than %zu characters", sizeof b->commands - 1);
	else
		strcpy(b->commands, args);
}

const struct command mon_break[] = {
	{"break", "b", "[CONDITION]",
	 "stop there; without arguments: list. CONDITION: [host:|guest:|g:|p:]ADDR, FILE:LINE, write|read|access [v:|g:|p:]ADDR[,BYTES],\n"
	 "      magic, port LO[-HI] [in|out], msr [LO[-HI]] [read|write], cr [N], exception [#PF|N], interrupt [N], mode, vmrun,\n"
	 "      vmexit [REASON], npf [LO[-HI]], inject, asid N, flush, triple, reset, count N (ARM: cp15 [N], exception\n"
	 "      [undefined|svc|prefetch|data], interrupt [irq|fiq]; no port, msr, cr, nor what is SVM's); each with: if EXPRESSION, in which\n"
	 "      count, cpu, reason, info1, info2, gpa, port, msr, cr, vector, error, address, value, old, size, write, va and pa are known",
	 set_break, false},
	{"tbreak", "tb", "CONDITION", "the same, once", set_temporary, false},
	{"watch", NULL, "[v:|g:|p:]ADDR[,BYTES]", "stop after a write to memory", watch, false},
	{"rwatch", NULL, "[v:|g:|p:]ADDR[,BYTES]", "stop after a read", rwatch, false},
	{"awatch", NULL, "[v:|g:|p:]ADDR[,BYTES]", "stop after either", awatch, false},
	{"delete", "d", "[N...]", "remove breakpoints N, or all", delete, false},
	{"enable", NULL, "N", "turn a breakpoint on", enable, false},
	{"disable", NULL, "N", "turn it off", disable, false},
	{"ignore", NULL, "N COUNT", "pass it the next COUNT times", ignore, false},
	{"condition", NULL, "N [EXPRESSION]", "give it another condition, or none", condition, false},
	{"commands", NULL, "N [COMMAND; ...]", "what to do when it stops", commands, false},
	{0},
};
