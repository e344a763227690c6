/* See session.h. */
#include "ui/session.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "ui/signals.h"

static u64 host_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * NS_PER_SEC + (u64)t.tv_nsec;
}

/* ---- beginning ---- */

void session_begin(struct session *s) { s->started = host_ns(); }

bool session_open_log(struct session *s, struct error *err)
{
	s->log_file = s->o->log_file ? fopen(s->o->log_file, "w") : stderr;
	if (!s->log_file)
		return error_set(err, "%s: cannot be written: %s", s->o->log_file, strerror(errno));
	hub_init(&s->hub, &s->target);
	log_start(&s->log, &s->o->log, &s->hub, s->log_file);
	walk_record_start(&s->walks, &s->o->walk, &s->hub, &s->log.out);
	return true;
}

bool session_open_window(struct session *s, const struct window_board *board, struct error *err)
{
	if (s->o->display != DISPLAY_SDL)
		return true;
	if (s->o->panes)
		panes_init(&s->panes, &s->hub);
	s->window = window_open(board, s->o->name, s->o->panes ? &s->panes : NULL, err);
	return s->window;
}

void session_set_machine(const struct session *s)
{
	struct machine *m = s->target.machine;

	m->pace.on = s->o->realtime;
	m->stepwise = s->o->stepwise;
	m->time_limit = s->o->limit_ns;
}

static bool open_debugger(struct session *s, struct error *err)
{
	if (!debugging_wanted(s->o))
		return true;
	if (!debugging_open(&s->debug, s->o, &s->hub, &s->std, s->boot, s->arg, err)) {
		debugger_free(&s->debug.d);
		return false;
	}
	s->log.where = debugging_where;
	s->log.where_arg = &s->debug;
	s->debugged = true;
	s->debug.d.walks = &s->walks;
	signals_console(&s->debug.console);
	return true;
}

/* ---- running ---- */

/* Runs on through resets that the guest asks for. */
static bool run(struct session *s, enum stop *why, struct error *err)
{
	struct machine *m = s->target.machine;
	u64 limit = s->o->limit_insns ? s->o->limit_insns : TIME_NEVER;

	if (s->debugged) {
		*why = debugging_run(&s->debug);
		return !s->debug.failed || error_set(err, "the monitor's script failed");
	}
	for (;;) {
		u64 look = walk_record_due(&s->walks);

		*why = machine_run(m, look < limit ? look : limit);
		walk_record_look(&s->walks, false);
		if (*why == STOP_UNTIL && m->s.icount < limit)
			continue;
		if (*why != STOP_RESET || s->o->no_reboot)
			return true;
		machine_reset(m);
		if (!s->boot(s->arg, err))
			return false;
	}
}

/* ---- the end ---- */

static void close_streams(struct session *s)
{
	window_close(s->window);
	s->window = NULL;
	s->close_streams(s->arg);
	fflush(stdout);
}

int session_fail(struct session *s, const struct error *err, int status)
{
	close_streams(s);
	fprintf(stderr, "undervisor: %s\n", err->msg);
	return status;
}

static void tell(const struct session *s, enum stop why)
{
	struct text out;

	text_init_file(&out, stderr);
	s->tell(s->arg, why, &out);
	if (s->o->hash)
		text_printf(&out, "state hash: %016llx\n", (unsigned long long)machine_hash(s->target.machine));
}

static void report(const struct session *s)
{
	const struct machine *m = s->target.machine;
	double sec = (double)(host_ns() - s->started) / 1e9;

	fprintf(stderr, "undervisor: %llu instructions, %.3f s, %.1f MIPS, %.6f s of virtual time\n", (unsigned long long)m->s.icount, sec,
		(double)m->s.icount / sec / 1e6, (double)m->sched.now / 1e9);
}

static bool finish(struct session *s, enum stop why, struct error *err)
{
	const struct debugger *d = s->debugged ? &s->debug.d : NULL;

	close_streams(s);
	if (!d || !d->quit || d->over)
		tell(s, why);
	if (d && !debugging_finish(&s->debug, why, err))
		return false;
	if (s->o->report)
		report(s);
	if (!walk_out_end(&s->walks, &s->o->walk, &s->o->walk_files, err))
		return false;
	if (s->log_file != stderr && fclose(s->log_file))
		return error_set(err, "%s: %s", s->o->log_file, strerror(errno));
	return s->pictures(s->arg, err);
}

int session_run(struct session *s)
{
	struct error err = {0};
	enum stop why;
	bool ok;

	if (!open_debugger(s, &err))
		return session_fail(s, &err, EXIT_USAGE);
	signals_catch(s->target.machine);
	if (s->o->stopped && !(s->debugged && debugging_waits(&s->debug)))
		signals_wait_for_start();
	ok = run(s, &why, &err) && finish(s, why, &err);
	signals_catch(NULL);
	signals_console(NULL);
	if (!ok)
		return session_fail(s, &err, EXIT_FILE);
	return s->debugged ? debugging_status(&s->debug, why) : machine_exit_status(s->target.machine, why);
}

void session_free(struct session *s)
{
	walk_record_free(&s->walks);
	if (s->debugged)
		debugging_close(&s->debug);
}
