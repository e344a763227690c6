/* See session_arm.h. */
#include "ui/session_arm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "debug/log.h"
#include "debug/regs.h"
#include "devices/pixels.h"
#include "loader/arm_boot.h"
#include "ui/debugging.h"
#include "ui/signals.h"
#include "ui/window.h"

enum { EXIT_FILE = 4 }; /* the others: machine.c */

struct session_arm {
	struct options *o;
	struct icp b;
	struct arm_boot boot;
	struct disk card;
	struct bytes_stdio std;
	struct bytes serial[ICP_UARTS];
	unsigned serials; /* that are open */
	struct net_user net;
	struct target target;
	struct hub hub;
	struct log log;
	struct walk_record walks;
	struct debugging debug;
	bool debugged;
	FILE *log_file;
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

static bool open_card(struct session_arm *s, struct error *err)
{
	const struct option_drive *d = &s->o->drive[0];
	unsigned flags;

	if (!s->o->drives)
		return true;
	flags = (d->read_only ? DISK_READ_ONLY : 0u) | (d->snapshot || s->o->snapshot ? DISK_SNAPSHOT : 0u);
	if (!disk_open_format(&s->card, d->path, *d->format ? d->format : NULL, flags, err))
		return false;
	s->o->icp.card = &s->card;
	return true;
}

static bool open_streams(struct session_arm *s, struct error *err)
{
	const struct options *o = s->o;

	bytes_stdio_init(&s->std);
	for (unsigned i = 0; i < o->serials; i++, s->serials++) {
		if (!bytes_open(&s->serial[i], &s->std, o->serial[i], err))
			return false;
		icp_serial(&s->b, i, &s->serial[i]);
		if (s->serial[i].kind == BYTES_PTY)
			fprintf(stderr, "undervisor: serial port %u is %s\n", i, s->serial[i].name);
	}
	if (o->nets && !net_user_open(&s->net, o->net[0].args, err))
		return false;
	if (o->nets)
		icp_network(&s->b, &s->net);
	return true;
}

static bool open_log(struct session_arm *s, struct error *err)
{
	s->log_file = s->o->log_file ? fopen(s->o->log_file, "w") : stderr;
	if (!s->log_file)
		return error_set(err, "%s: cannot be written: %s", s->o->log_file, strerror(errno));
	target_icp(&s->target, &s->b);
	hub_init(&s->hub, &s->target);
	log_start(&s->log, &s->o->log, &s->hub, s->log_file);
	walk_record_start(&s->walks, &s->o->walk, &s->hub, &s->log.out);
	return true;
}

static unsigned key_room(const void *kbd) { return pl050_key_room(kbd); }
static void key_receive(void *kbd, u8 byte) { pl050_key(kbd, byte); }
static void mouse_receive(void *mouse, u8 byte) { pl050_mouse_byte(mouse, byte); }

static bool open_window(struct session_arm *s, struct error *err)
{
	const struct window_board board = {&s->b.machine, pl110_picture(&s->b.lcd), &s->b.kbd, &s->b.mouse, key_room, key_receive, mouse_receive};

	if (s->o->panes)
		panes_init(&s->panes, &s->hub);
	if (s->o->display == DISPLAY_SDL)
		s->window = window_open(&board, s->o->name, s->o->panes ? &s->panes : NULL, err);
	return s->window || s->o->display != DISPLAY_SDL;
}

static bool power_on(struct session_arm *s, struct error *err)
{
	struct options *o = s->o;

	s->boot = (struct arm_boot){o->kernel, o->append, o->initrd, o->dtb, o->seed};
	if (!o->kernel && !o->icp.flash)
		return error_set(err, "-machine integratorcp starts without firmware: -kernel is needed, or a -drive if=pflash to start from");
	if (!open_card(s, err) || !icp_init(&s->b, &o->icp, err) || !open_streams(s, err) || !open_log(s, err) || !open_window(s, err))
		return false;
	s->b.machine.pace.on = o->realtime;
	s->b.machine.stepwise = o->stepwise;
	s->b.machine.time_limit = o->limit_ns;
	return arm_boot_load(&s->boot, &s->b, err);
}

/* ---- running ---- */

/* After a reset that the guest asked for. */
static bool boot_again(void *arg, struct error *err)
{
	struct session_arm *s = arg;

	return arm_boot_load(&s->boot, &s->b, err);
}

static bool open_debugger(struct session_arm *s, struct error *err)
{
	if (!debugging_wanted(s->o))
		return true;
	if (!debugging_open(&s->debug, s->o, &s->hub, &s->std, boot_again, s, err)) {
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

/* Runs on through resets that the guest asks for. */
static bool run(struct session_arm *s, enum stop *why, struct error *err)
{
	u64 limit = s->o->limit_insns ? s->o->limit_insns : TIME_NEVER;

	if (s->debugged) {
		*why = debugging_run(&s->debug);
		return !s->debug.failed || error_set(err, "the monitor's script failed");
	}
	for (;;) {
		u64 look = walk_record_due(&s->walks);

		*why = machine_run(&s->b.machine, look < limit ? look : limit);
		walk_record_look(&s->walks, false);
		if (*why == STOP_UNTIL && s->b.machine.s.icount < limit)
			continue;
		if (*why != STOP_RESET || s->o->no_reboot)
			return true;
		machine_reset(&s->b.machine);
		if (!boot_again(s, err))
			return false;
	}
}

/* ---- the end ---- */

static void tell(struct session_arm *s, enum stop why)
{
	const struct machine *m = &s->b.machine;
	struct worlds worlds = {.t = &s->target};
	struct text err;
	struct view v;

	text_init_file(&err, stderr);
	switch (why) {
	case STOP_UNIMPLEMENTED:
		text_printf(&err, "undervisor: %s\n", s->b.cpu.stop_text);
		view_get(&worlds, 0, VIEW_NOW, 0, &v);
		regs_print(&err, &v);
		break;
	case STOP_HALTED:
	case STOP_UNTIL:
	case STOP_TIME:
	case STOP_RESET:
	case STOP_SIGNAL:
	case STOP_CLOSED:
		text_printf(&err, "undervisor: %s after %llu instructions, pc %08x\n", machine_stop_text(why), (unsigned long long)m->s.icount,
			    arm_pc(&s->b.cpu));
		break;
	default: break;
	}
	if (s->o->hash)
		text_printf(&err, "state hash: %016llx\n", (unsigned long long)machine_hash(m));
}

static void report(const struct session_arm *s)
{
	double sec = (double)(host_ns() - s->started) / 1e9;
	u64 insns = s->b.machine.s.icount;

	fprintf(stderr, "undervisor: %llu instructions, %.3f s, %.1f MIPS, %.6f s of virtual time\n", (unsigned long long)insns, sec,
		(double)insns / sec / 1e6, (double)s->b.machine.sched.now / 1e9);
}

static void close_streams(struct session_arm *s)
{
	window_close(s->window);
	s->window = NULL;
	for (unsigned i = 0; i < s->serials; i++)
		bytes_close(&s->serial[i]);
	s->serials = 0;
	net_user_close(&s->net);
	fflush(stdout);
}

static bool finish(struct session_arm *s, enum stop why, struct error *err)
{
	const struct picture screen = pl110_picture(&s->b.lcd);
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
	return !s->o->screenshot || pixels_write_picture(s->o->screenshot, &screen, err);
}

static int session(struct session_arm *s)
{
	const struct options *o = s->o;
	struct error err = {0};
	enum stop why;
	bool ok;

	s->started = host_ns();
	ok = power_on(s, &err) && open_debugger(s, &err);
	if (ok) {
		signals_catch(&s->b.machine);
		if (o->stopped && !(s->debugged && debugging_waits(&s->debug)))
			signals_wait_for_start();
	}
	ok = ok && run(s, &why, &err);
	signals_catch(NULL);
	signals_console(NULL);
	ok = ok && finish(s, why, &err);
	if (!ok) {
		close_streams(s);
		fprintf(stderr, "undervisor: %s\n", err.msg);
		return EXIT_FILE;
	}
	return s->debugged ? debugging_status(&s->debug, why) : machine_exit_status(&s->b.machine, why);
}

int session_arm(struct options *o)
{
	struct session_arm *s = aligned_alloc(64, (sizeof *s + 63) & ~(size_t)63);
	int status;

	if (!s) {
		fprintf(stderr, "undervisor: no memory\n");
		return EXIT_FILE;
	}
	memset(s, 0, sizeof *s);
	s->o = o;
	s->b.semihost.folder = -1;
	status = session(s);
	if (s->debugged)
		debugging_close(&s->debug);
	walk_record_free(&s->walks);
	icp_free(&s->b);
	if (!disk_close(&s->card) && !status)
		status = EXIT_FILE;
	free(s);
	return status;
}
