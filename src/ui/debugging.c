/* See debugging.h. */
#include "ui/debugging.h"

#include <stdlib.h>

#include "debug/dump_file.h"

bool debugging_wanted(const struct options *o)
{
	const struct debug_options *d = &o->debug;

	return (d->monitor && strcmp(d->monitor, "none")) || d->script || d->gdb || d->trace || d->dump_on_exit || d->coverage || d->symbols_n ||
	       d->traps || d->mux || d->stat;
}

/* "[host=|guest=|cr3=X=|asid=N=]FILE[@BASE]" */
static bool add_symbols(struct debugger *d, const char *text, struct error *err)
{
	enum symbol_owner owner = SYMBOLS_ANY;
	const char *file = text;
	char word[64];
	u64 value = 0;

	if (!strncmp(text, "cr3=", 4) || !strncmp(text, "asid=", 5)) {
		const char *eq = strchr(strchr(text, '=') + 1, '=');

		if (!eq)
			return error_set(err, "--symbols %s: expected cr3=X=FILE or asid=N=FILE", text);
		snprintf(word, sizeof word, "%.*s", (int)(eq - text), text);
		file = eq + 1;
		if (!symbols_owner(word, &owner, &value))
			return error_set(err, "--symbols %s: '%s' is no number", text, word);
	} else if (!strncmp(text, "host=", 5) || !strncmp(text, "guest=", 6)) {
		owner = *text == 'h' ? SYMBOLS_HOST : SYMBOLS_GUEST;
		file = strchr(text, '=') + 1;
	}
	return symbols_add(&d->symbols, file, owner, value, err);
}

/* The kernel's own symbols serve when none were given for the host. */
static void default_symbols(struct debugging *g, const struct options *o)
{
	struct error ignored;

	for (unsigned i = 0; i < g->d.symbols.images; i++)
		if (g->d.symbols.image[i].owner <= SYMBOLS_HOST)
			return;
	if (o->kernel)
		symbols_add(&g->d.symbols, o->kernel, SYMBOLS_HOST, 0, &ignored);
}

bool debugging_open(struct debugging *g, const struct options *o, struct hub *hub, struct bytes_stdio *std,
		    bool (*reboot)(void *arg, struct error *err), void *arg, struct error *err)
{
	g->o = &o->debug;
	debugger_init(&g->d, hub, o->limit_insns);
	g->d.reboot = o->no_reboot ? NULL : reboot;
	g->d.reboot_arg = arg;
	for (unsigned i = 0; i < g->o->symbols_n; i++)
		if (!add_symbols(&g->d, g->o->symbols[i], err))
			return false;
	default_symbols(g, o);
	if (g->o->trace && !(g->tracing = trace_open(&g->trace, hub, g->o->trace, err)))
		return false;
	if (g->o->coverage && !(g->covering = coverage_start(&g->coverage, &g->d, err)))
		return false;
	traps_init(&g->traps, &g->d, g->tracing ? &g->trace : NULL);
	for (unsigned i = 0; i < g->o->traps; i++)
		if (!traps_add(&g->traps, g->o->trap[i], err))
			return false;
	if (g->traps.wants_trace_on)
		trace_enable(&g->trace, false);
	if (!console_open(&g->console, &g->d, std, g->o->monitor, g->o->mux, err))
		return false;
	g->console.script = g->o->script;
	g->console.stopped = o->stopped;
	g->counting = hub->t->pc && (g->o->stat || g->o->script || g->o->monitor || g->o->mux || g->o->gdb);
	if (g->counting) {
		stat_init(&g->stat, hub);
		g->console.monitor.stat = &g->stat;
		g->gdb.stat = &g->stat;
	}
	if (g->o->gdb && !(g->listening = gdb_open(&g->gdb, &g->d, g->o->gdb, err)))
		return false;
	g->console.gdb = g->listening ? &g->gdb : NULL;
	return true;
}

enum stop debugging_run(struct debugging *g)
{
	g->failed = !console_main(&g->console);
	return g->d.why;
}

bool debugging_waits(const struct debugging *g) { return g->console.kind || g->listening || g->o->script; }

/* Who quits the debugger says how; else the machine's own end counts. */
int debugging_status(const struct debugging *g, enum stop why)
{
	if (g->d.quit && g->d.status >= 0)
		return g->d.status;
	if (g->d.quit && !g->d.over && why != STOP_SIGNAL)
		return 0;
	return machine_exit_status(g->d.t->machine, why);
}

bool debugging_finish(struct debugging *g, enum stop why, struct error *err)
{
	struct text out;

	text_init_file(&out, stderr);
	if (g->o->stat)
		stat_print(&g->stat, &out);
	if (g->o->dump_on_exit && !dump_file(&g->d, g->o->dump_on_exit, "", machine_stop_text(why), err))
		return false;
	if (g->covering && !coverage_write(&g->coverage, g->o->coverage, err))
		return false;
	return !g->tracing || trace_close(&g->trace, err);
}

void debugging_where(void *arg, unsigned cpu, u64 va, char *buf, size_t size)
{
	struct debugging *g = arg;
	struct view v;

	view_get(&g->d.worlds, cpu, VIEW_NOW, 0, &v);
	symbols_name(&g->d.symbols, &v, va, buf, size);
}

void debugging_close(struct debugging *g)
{
	if (g->listening)
		gdb_close(&g->gdb);
	console_close(&g->console);
	coverage_free(&g->coverage);
	debugger_free(&g->d);
}
