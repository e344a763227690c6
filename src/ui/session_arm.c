/* See session_arm.h. */
#include "ui/session_arm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "debug/gdb_arm.h"
#include "debug/log_arm.h"
#include "devices/pixels.h"
#include "loader/arm_boot.h"
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
	struct log_arm log;
	struct gdb_arm gdb;
	FILE *log_file;
	struct window *window;
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
	log_arm_start(&s->log, s->o->log.mask, &s->b, s->log_file);
	return true;
}

static unsigned key_room(const void *kbd) { return pl050_key_room(kbd); }
static void key_receive(void *kbd, u8 byte) { pl050_key(kbd, byte); }
static void mouse_receive(void *mouse, u8 byte) { pl050_mouse_byte(mouse, byte); }

static bool open_window(struct session_arm *s, struct error *err)
{
	const struct window_board board = {&s->b.machine, pl110_picture(&s->b.lcd), &s->b.kbd, &s->b.mouse, key_room, key_receive, mouse_receive};

	if (s->o->display == DISPLAY_SDL)
		s->window = window_open(&board, s->o->name, NULL, err);
	return s->window || s->o->display != DISPLAY_SDL;
}

static bool power_on(struct session_arm *s, struct error *err)
{
	struct options *o = s->o;

	s->boot = (struct arm_boot){o->kernel, o->append, o->initrd, o->dtb, o->seed};
	if (!o->kernel)
		return error_set(err, "-machine integratorcp starts without firmware: -kernel is needed");
	if (!open_card(s, err) || !icp_init(&s->b, &o->icp, err) || !open_streams(s, err) || !open_log(s, err) || !open_window(s, err))
		return false;
	s->b.machine.pace.on = o->realtime;
	s->b.machine.stepwise = o->stepwise;
	s->b.machine.time_limit = o->limit_ns;
	if (o->debug.gdb && !gdb_arm_open(&s->gdb, &s->b, o->debug.gdb, err))
		return false;
	return arm_boot_load(&s->boot, &s->b, err);
}

/* ---- running ---- */

/* After a reset that the guest asked for. */
static bool boot_again(void *arg, struct error *err)
{
	struct session_arm *s = arg;

	return arm_boot_load(&s->boot, &s->b, err);
}

/* GDB decides when it runs. */
static bool run_for_gdb(struct session_arm *s, enum stop *why, struct error *err)
{
	s->gdb.limit = s->o->limit_insns ? s->o->limit_insns : TIME_NEVER;
	s->gdb.reset = s->o->no_reboot ? NULL : boot_again;
	s->gdb.reset_arg = s;
	*why = gdb_arm_run(&s->gdb, s->o->stopped, err);
	return !s->gdb.failed;
}

/* Runs on through resets that the guest asks for. */
static bool run(struct session_arm *s, enum stop *why, struct error *err)
{
	u64 limit = s->o->limit_insns ? s->o->limit_insns : TIME_NEVER;

	if (s->o->debug.gdb)
		return run_for_gdb(s, why, err);
	for (;;) {
		*why = machine_run(&s->b.machine, limit);
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
	struct text err;

	text_init_file(&err, stderr);
	switch (why) {
	case STOP_UNIMPLEMENTED:
		text_printf(&err, "undervisor: %s\n", s->b.cpu.stop_text);
		dump_arm_cpu(&err, &s->b.cpu);
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
	const char *dump = s->o->debug.dump_on_exit;

	close_streams(s);
	tell(s, why);
	if (s->o->report)
		report(s);
	if (s->log_file != stderr && fclose(s->log_file))
		return error_set(err, "%s: %s", s->o->log_file, strerror(errno));
	if (dump && !dump_arm_file(&s->b, dump, machine_stop_text(why), err))
		return false;
	return !s->o->screenshot || pixels_write_picture(s->o->screenshot, &screen, err);
}

static int session(struct session_arm *s, void (*running)(struct machine *m))
{
	struct error err = {0};
	enum stop why;
	bool ok;

	s->started = host_ns();
	ok = power_on(s, &err);
	if (ok)
		running(&s->b.machine);
	ok = ok && run(s, &why, &err);
	running(NULL);
	ok = ok && finish(s, why, &err);
	if (!ok) {
		close_streams(s);
		fprintf(stderr, "undervisor: %s\n", err.msg);
		return EXIT_FILE;
	}
	return machine_exit_status(&s->b.machine, why);
}

int session_arm(struct options *o, void (*running)(struct machine *m))
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
	s->gdb.g.listener = s->gdb.g.fd = -1;
	status = session(s, running);
	gdb_arm_close(&s->gdb);
	icp_free(&s->b);
	if (!disk_close(&s->card) && !status)
		status = EXIT_FILE;
	free(s);
	return status;
}
