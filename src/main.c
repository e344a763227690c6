/*
 * The program: command line -> board -> kernel -> run -> what the end was. The only place that exits.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/cover.h"
#include "debug/dump.h"
#include "debug/log.h"
#include "devices/pixels.h"
#include "devices/vga_render.h"
#include "loader/pc_boot.h"
#include "ui/drives.h"
#include "ui/options.h"
#include "ui/debugging.h"
#include "ui/screen.h"
#include "ui/session_arm.h"
#include "ui/signals.h"
#include "ui/window.h"

enum { EXIT_USAGE = 2, EXIT_FILE = 4 }; /* the others: machine.c, docs/undervisor.1 */

struct session {
	struct options opt;
	struct pc pc;
	struct target target;
	struct pc_boot boot;
	struct firmware firmware;
	struct drives drives;
	struct bytes_stdio std;
	struct bytes serial[PC_UARTS], debugcon;
	struct net_user net[OPTION_NETS];
	struct hub hub;
	struct log log;
	struct walk_record walks;
	struct debugging debug;
	bool debugged;
	FILE *log_file;
	struct screen screen;
	struct window *window;
	struct panes panes;
	u64 started; /* host ns */
};

static u64 host_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * NS_PER_SEC + (u64)t.tv_nsec;
}

/* ---- beginning ---- */

static bool open_streams(struct session *s, struct error *err)
{
	bytes_stdio_init(&s->std);
	for (unsigned i = 0; i < s->opt.serials; i++) {
		if (!bytes_open(&s->serial[i], &s->std, s->opt.serial[i], err))
			return false;
		pc_serial(&s->pc, i, &s->serial[i]);
		if (s->serial[i].kind == BYTES_PTY)
			fprintf(stderr, "undervisor: serial port %u is %s\n", i, s->serial[i].name);
	}
	if (s->opt.debugcon) {
		if (!bytes_open(&s->debugcon, &s->std, s->opt.debugcon, err))
			return false;
		debug_port_connect(&s->pc.debug_port, bytes_out, &s->debugcon);
	}
	return true;
}

static bool open_networks(struct session *s, struct error *err)
{
	const struct options *o = &s->opt;

	for (unsigned i = 0; i < o->nets; i++)
		if (!net_user_open(&s->net[i], o->net[i].args, err))
			return false;
	for (unsigned n = 0; n < PC_VIRTIOS; n++)
		if (o->pc.virtio[n].type == PC_VIRTIO_NET)
			pc_network(&s->pc, n, &s->net[o->virtio_index[n]]);
	return true;
}

static bool open_log(struct session *s, struct error *err)
{
	s->log_file = s->opt.log_file ? fopen(s->opt.log_file, "w") : stderr;
	if (!s->log_file)
		return error_set(err, "%s: cannot be written: %s", s->opt.log_file, strerror(errno));
	target_pc(&s->target, &s->pc);
	hub_init(&s->hub, &s->target);
	log_start(&s->log, &s->opt.log, &s->hub, s->log_file);
	walk_record_start(&s->walks, &s->opt.walk, &s->hub, &s->log.out);
	return true;
}

static void open_screen(struct session *s)
{
	struct machine_tick *t = &s->pc.machine.tick;

	if (s->opt.display != DISPLAY_TEXT || !s->pc.cfg.vga)
		return;
	screen_init(&s->screen, &s->pc.vga, stdout);
	*t = (struct machine_tick){
		.period = SCREEN_PERIOD_NS, .next = SCREEN_PERIOD_NS, .look = screen_look, .arg = &s->screen};
}

static struct window *open_window(struct session *s, struct error *err)
{
	struct window_board board;

	if (s->opt.panes)
		panes_init(&s->panes, &s->hub);
	board = window_of_pc(&s->pc);
	return window_open(&board, s->opt.name, s->opt.panes ? &s->panes : NULL, err);
}

static bool power_on(struct session *s, struct error *err)
{
	struct options *o = &s->opt;

	if (!firmware_open(&s->firmware, &o->firmware, err))
		return false;
	if (!s->firmware.data && !o->kernel)
		return error_set(err,
				 "no firmware (" FIRMWARE_DEFAULT "; package seabios) and no -kernel: nothing to run");
	o->pc.bios_size = s->firmware.size;
	if (!drives_open(&s->drives, o, err) || !pc_init(&s->pc, &o->pc, err) || !open_streams(s, err) ||
	    !open_networks(s, err) || !open_log(s, err))
		return false;
	open_screen(s);
	if (o->display == DISPLAY_SDL && !(s->window = open_window(s, err)))
		return false;
	s->pc.machine.pace.on = o->realtime;
	s->pc.machine.stepwise = o->stepwise;
	s->pc.machine.time_limit = o->limit_ns;
	return pc_boot_init(&s->boot, &s->pc, &s->firmware, &o->firmware, o->kernel, o->append, o->initrd, err) &&
	       pc_boot_load(&s->boot, &s->pc, err);
}

/* After a reset that the guest asked for. */
static bool boot_again(void *arg, struct error *err)
{
	struct session *s = arg;

	return pc_boot_load(&s->boot, &s->pc, err);
}

static bool open_debugger(struct session *s, struct error *err)
{
	if (!debugging_wanted(&s->opt))
		return true;
	if (!debugging_open(&s->debug, &s->opt, &s->hub, &s->std, boot_again, s, err)) {
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
	struct machine *m = &s->pc.machine;
	u64 limit = s->opt.limit_insns ? s->opt.limit_insns : TIME_NEVER;

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
		if (*why != STOP_RESET || s->opt.no_reboot)
			return true;
		machine_reset(m);
		if (!pc_boot_load(&s->boot, &s->pc, err))
			return false;
	}
}

/* ---- the end ---- */

static const char *halted_text(const struct pc *pc)
{
	for (unsigned i = 0; i < pc->cfg.cpus; i++)
		if (!pc_cpu_ops.deaf(&pc->cpu[i]))
			return "and nothing is left that could wake one";
	return "with interrupts disabled";
}

static void tell(struct session *s, enum stop why)
{
	struct machine *m = &s->pc.machine;
	const struct x86_cpu *c = &s->pc.cpu[m->culprit].x86;
	struct text err;

	text_init_file(&err, stderr);
	switch (why) {
	case STOP_TRIPLE_FAULT:
		dump_triple_fault(&err, c);
		dump_cpu(&err, c);
		break;
	case STOP_UNIMPLEMENTED: text_printf(&err, "undervisor: %s\n", c->stop_text); break;
	case STOP_HALTED: text_printf(&err, "undervisor: all CPUs halted %s\n", halted_text(&s->pc)); break;
	case STOP_IMAGE: text_printf(&err, "undervisor: %s\n", s->boot.rom.problem.msg); break;
	case STOP_UNTIL:
	case STOP_TIME:
	case STOP_RESET:
	case STOP_SIGNAL:
	case STOP_CLOSED:
		text_printf(&err, "undervisor: %s after %llu instructions, rip %016llx\n", machine_stop_text(why),
			    (unsigned long long)m->s.icount, (unsigned long long)c->rip);
		break;
	default: break;
	}
	if (s->opt.hash)
		text_printf(&err, "state hash: %016llx\n", (unsigned long long)machine_hash(m));
}

static void report(const struct session *s)
{
	double sec = (double)(host_ns() - s->started) / 1e9;
	u64 insns = s->pc.machine.s.icount;

	fprintf(stderr, "undervisor: %llu instructions, %.3f s, %.1f MIPS, %.6f s of virtual time\n",
		(unsigned long long)insns, sec, (double)insns / sec / 1e6, (double)s->pc.machine.sched.now / 1e9);
}

static void close_streams(struct session *s)
{
	window_close(s->window);
	s->window = NULL;
	for (unsigned i = 0; i < s->opt.serials; i++)
		if (s->pc.uart[i].out)
			bytes_close(&s->serial[i]);
	if (s->pc.debug_port.out)
		bytes_close(&s->debugcon);
	for (unsigned i = 0; i < s->opt.nets; i++)
		net_user_close(&s->net[i]);
	s->opt.serials = s->opt.nets = 0;
	debug_port_connect(&s->pc.debug_port, NULL, NULL);
}

static int fail(struct session *s, const struct error *err, int status)
{
	close_streams(s);
	fprintf(stderr, "undervisor: %s\n", err->msg);
	return status;
}

static int finish(struct session *s, enum stop why, struct error *err)
{
	const struct debugger *d = s->debugged ? &s->debug.d : NULL;
	int status = s->debugged ? debugging_status(&s->debug, why) : machine_exit_status(&s->pc.machine, why);
	struct picture screen;

	if (s->pc.machine.tick.period)
		screen_end(&s->screen);
	close_streams(s);
	if (!d || !d->quit || d->over)
		tell(s, why);
	if (d && !debugging_finish(&s->debug, why, err))
		return fail(s, err, EXIT_FILE);
	if (s->opt.report)
		report(s);
	if (!walk_out_end(&s->walks, &s->opt.walk, &s->opt.walk_files, err))
		return fail(s, err, EXIT_FILE);
	if (s->log_file != stderr && fclose(s->log_file)) {
		error_set(err, "%s: %s", s->opt.log_file, strerror(errno));
		return fail(s, err, EXIT_FILE);
	}
	if (s->opt.dump_screen && !screen_dump(&s->pc.vga, s->opt.dump_screen, err))
		return fail(s, err, EXIT_FILE);
	screen = vga_screen(&s->pc.vga);
	if (s->opt.screenshot && !pixels_write_picture(s->opt.screenshot, &screen, err))
		return fail(s, err, EXIT_FILE);
	return status;
}

static int session(struct session *s, int argc, char **argv)
{
	struct error err = {0};
	struct text out;
	enum stop why;

	if (!options_parse(&s->opt, argc, argv, &err))
		return fail(s, &err, EXIT_USAGE);
	if (!cover_from_environment(&err))
		return fail(s, &err, EXIT_FILE);
	if (s->opt.show) {
		text_init_file(&out, stdout);
		options_show(s->opt.show, &out);
		return 0;
	}
	if (s->opt.board == BOARD_ICP)
		return session_arm(&s->opt);
	s->started = host_ns();
	if (!power_on(s, &err))
		return fail(s, &err, EXIT_FILE);
	if (!open_debugger(s, &err))
		return fail(s, &err, EXIT_USAGE);
	signals_catch(&s->pc.machine);
	if (s->opt.stopped && !(s->debugged && debugging_waits(&s->debug)))
		signals_wait_for_start();
	return run(s, &why, &err) ? finish(s, why, &err) : fail(s, &err, EXIT_FILE);
}

int main(int argc, char **argv)
{
	struct session *s = calloc(1, sizeof *s);
	int status;

	if (!s) {
		fprintf(stderr, "undervisor: no memory\n");
		return EXIT_FILE;
	}
	status = session(s, argc, argv);
	signals_catch(NULL);
	signals_console(NULL);
	walk_record_free(&s->walks);
	if (s->debugged)
		debugging_close(&s->debug);
	pc_free(&s->pc);
	pc_boot_free(&s->boot);
	firmware_close(&s->firmware);
	if (!drives_close(&s->drives) && !status)
		status = EXIT_FILE;
	free(s);
	return status;
}
