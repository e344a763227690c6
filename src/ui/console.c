/* See console.h. */
#include "ui/console.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "debug/gdb.h"

#define WAIT_MS 20

/* ---- output ---- */

static void put_stream(struct text *t, const char *s, size_t n)
{
	struct bytes *b = t->arg;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\n' && b->kind == BYTES_PTY)
			bytes_out(b, '\r');
		bytes_out(b, (u8)s[i]);
	}
}

static void put_stdout(struct text *t, const char *s, size_t n)
{
	struct console *c = t->arg;

	bytes_stdio_flush(c->std); /* what the guest said comes first */
	fwrite(s, 1, n, stdout);
	fflush(stdout);
}

/* ---- a running machine ---- */

static bool interactive(const struct console *c) { return c->kind != CONSOLE_NONE; }

/* Whole lines that were typed meanwhile; "stop" is obeyed at once, the others wait. */
static void look_at_queue(struct console *c)
{
	char *start = c->queue, *end;

	while ((end = memchr(start, '\n', c->queued - (size_t)(start - c->queue)))) {
		size_t n = (size_t)(end - start), left;

		if (n && start[n - 1] == '\r')
			n--;
		if ((n == 4 && !strncmp(start, "stop", 4)) || (n == 1 && *start == 's')) {
			left = c->queued - (size_t)(end + 1 - c->queue);
			memmove(start, end + 1, left);
			c->queued = (size_t)(start - c->queue) + left;
			debugger_ask(c->d);
			continue;
		}
		start = end + 1;
	}
}

static void take_typed(struct console *c)
{
	size_t room = sizeof c->queue - c->queued, n = 0;
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	char *at = c->queue + c->queued;

	if (!room)
		return;
	if (c->kind == CONSOLE_STREAM) {
		n = bytes_read(&c->stream, at, room);
	} else if (c->kind == CONSOLE_STDIO && !c->mux && c->edit.tty && poll(&p, 1, 0) > 0) {
		ssize_t got = read(STDIN_FILENO, at, room);

		n = got > 0 ? (size_t)got : 0;
	}
	for (size_t i = 0; i < n; i++)
		if (at[i] == 3) /* Ctrl-C on a socket */
			debugger_ask(c->d);
	c->queued += n;
	look_at_queue(c);
}

static void poll_host(void *arg)
{
	struct console *c = arg;

	take_typed(c);
	if (c->mux)
		bytes_stdio_look(c->std);
	if (c->gdb && gdb_look(c->gdb))
		debugger_ask(c->d);
}

/* Ctrl-A and a letter on the shared terminal. */
static void escape(void *arg, u8 key)
{
	static const char help[] = "\r\nCtrl-A C  monitor\r\nCtrl-A X  end\r\nCtrl-A Ctrl-A  sends Ctrl-A\r\n";
	struct console *c = arg;

	switch (key | 0x20) {
	case 'c': debugger_ask(c->d); break;
	case 'x':
		c->d->quit = true;
		debugger_ask(c->d);
		break;
	case 'h': fwrite(help, 1, sizeof help - 1, stdout); fflush(stdout); break;
	default: break;
	}
}

bool console_interrupt(struct console *c)
{
	if (c->kind != CONSOLE_STDIO)
		return false;
	c->d->asked = true;
	machine_interrupt(c->d->t->machine);
	return true;
}

/* ---- scripts ---- */

static bool run_script(struct console *c)
{
	FILE *f = strcmp(c->script, "-") ? fopen(c->script, "r") : stdin;
	char line[1024];
	unsigned n = 0;

	if (!f) {
		fprintf(stderr, "undervisor: %s: %s\n", c->script, strerror(errno));
		return false;
	}
	while (!c->d->quit && fgets(line, sizeof line, f)) {
		n++;
		line[strcspn(line, "\r\n")] = 0;
		if (!line[strspn(line, " \t")] || line[strspn(line, " \t")] == '#')
			continue;
		text_printf(&c->out, "(uv) %s\n", line);
		monitor_execute(&c->monitor, line);
		if (c->monitor.failed) {
			fprintf(stderr, "undervisor: %s:%u: the script ends here\n", c->script, n);
			break;
		}
	}
	if (f != stdin)
		fclose(f);
	return !c->monitor.failed;
}

/* ---- standing ---- */

static bool idle(void *arg)
{
	struct console *c = arg;
	struct machine *m = c->d->t->machine;

	if (m->window)
		m->window(m->window_arg);
	c->d->quit |= m->window_closed;
	if (c->gdb) {
		gdb_look(c->gdb);
		gdb_serve(c->gdb);
	}
	return (c->gdb && c->gdb->go) || c->d->quit;
}

/* A line from the queue; false: none is complete. */
static bool queued_line(struct console *c, char *line, size_t size)
{
	char *end = memchr(c->queue, '\n', c->queued);
	size_t n;

	if (!end)
		return false;
	n = (size_t)(end - c->queue);
	snprintf(line, size, "%.*s", (int)n, c->queue);
	line[strcspn(line, "\r")] = 0;
	c->queued -= n + 1;
	memmove(c->queue, end + 1, c->queued);
	return true;
}

/* One command of the monitor's user. False: the input has ended. */
static bool serve_terminal(struct console *c)
{
	char line[1024];
	const char *typed;

	if (queued_line(c, line, sizeof line)) {
		text_printf(&c->out, "(uv) %s\n", line);
		monitor_execute(&c->monitor, line);
		return true;
	}
	bytes_stdio_pause(c->std, true);
	typed = line_edit_get(&c->edit);
	if (c->edit.back || (typed && c->mux && !strcmp(typed, "run"))) {
		bytes_stdio_pause(c->std, false);
		monitor_execute(&c->monitor, "run");
		return true;
	}
	if (typed) {
		snprintf(line, sizeof line, "%s", typed);
		bytes_stdio_pause(c->std, false);
		monitor_execute(&c->monitor, line);
		return true;
	}
	return c->edit.gave_up;
}

static void serve_stream(struct console *c)
{
	char line[1024];
	bool prompted = false;

	while (!c->d->quit && !(c->gdb && c->gdb->go)) {
		struct pollfd p = {.fd = bytes_fd(&c->stream), .events = POLLIN};

		if (queued_line(c, line, sizeof line)) {
			monitor_execute(&c->monitor, line);
			bytes_flush(&c->stream);
			return;
		}
		if (!prompted && c->stream.in >= 0) {
			text_puts(&c->out, "(uv) ");
			bytes_flush(&c->stream);
			prompted = true;
		}
		poll(&p, 1, WAIT_MS);
		prompted &= c->stream.in >= 0;
		take_typed(c);
		idle(c);
	}
}

static bool serve(struct console *c)
{
	if (c->gdb && gdb_connected(c->gdb) && c->kind != CONSOLE_STDIO) {
		gdb_wait(c->gdb, WAIT_MS);
		idle(c);
		if (c->kind == CONSOLE_STREAM)
			take_typed(c);
		if (c->kind == CONSOLE_STREAM && memchr(c->queue, '\n', c->queued))
			serve_stream(c);
		return true;
	}
	if (c->kind == CONSOLE_STDIO)
		return serve_terminal(c);
	if (c->kind == CONSOLE_STREAM) {
		serve_stream(c);
		return true;
	}
	if (!c->gdb)
		return false;
	gdb_wait(c->gdb, c->d->t->machine->window ? WAIT_MS : 1000);
	idle(c);
	return !c->d->over || gdb_connected(c->gdb);
}

/* The machine goes on by itself until something stops it. True: it stands and somebody is there to ask why. */
static bool run(struct console *c)
{
	debugger_go(c->d);
	if (c->d->quit)
		return false;
	if (c->gdb && gdb_connected(c->gdb))
		return true;
	if (interactive(c))
		monitor_tell_stop(&c->monitor);
	return interactive(c) || (c->gdb && c->d->why == STOP_DEBUG && c->d->asked);
}

bool console_main(struct console *c)
{
	struct debugger *d = c->d;
	bool running = !c->stopped;

	d->t->machine->host_poll = poll_host;
	d->t->machine->host_arg = c;
	if (c->script && !run_script(c))
		return false;
	if (!c->stopped && c->script && interactive(c))
		running = false; /* the user goes on where the script stopped */
	while (!d->quit) {
		if (running && d->over)
			break;
		if (running) {
			if (!run(c))
				break;
			running = false;
		} else if (!serve(c)) {
			if (d->over || c->edit.eof)
				break;
			running = true;
		}
		if (c->gdb && c->gdb->go) {
			c->gdb->go = false;
			running = true;
		}
	}
	return true;
}

/* ---- life ---- */

bool console_open(struct console *c, struct debugger *d, struct bytes_stdio *std, const char *spec, bool mux, struct error *err)
{
	memset(c, 0, sizeof *c);
	c->d = d;
	c->std = std;
	c->mux = mux;
	c->out = (struct text){.put = put_stdout, .arg = c};
	monitor_init(&c->monitor, d, &c->out);
	if (mux)
		bytes_stdio_escape(std, escape, c);
	if (mux || (spec && !strcmp(spec, "stdio"))) {
		c->kind = CONSOLE_STDIO;
		line_edit_init(&c->edit, "(uv) ");
		c->edit.idle_arg = c;
		c->edit.idle = idle;
	} else if (spec && strcmp(spec, "none")) {
		if (!bytes_open(&c->stream, std, spec, err))
			return false;
		c->kind = CONSOLE_STREAM;
		c->out = (struct text){.put = put_stream, .arg = &c->stream};
		if (c->stream.kind == BYTES_PTY)
			fprintf(stderr, "undervisor: the monitor is %s\n", c->stream.name);
	}
	return true;
}

void console_close(struct console *c)
{
	line_edit_free(&c->edit);
	if (c->kind == CONSOLE_STREAM)
		bytes_close(&c->stream);
	c->kind = CONSOLE_NONE;
}
