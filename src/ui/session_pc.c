/* The PC's part of a run: see session.h. */
#include <stdio.h>
#include <stdlib.h>

#include "debug/dump.h"
#include "devices/pixels.h"
#include "devices/vga_render.h"
#include "loader/pc_boot.h"
#include "ui/drives.h"
#include "ui/screen.h"
#include "ui/session.h"

struct session_pc {
	struct session base;
	struct pc pc;
	struct pc_boot loader;
	struct firmware firmware;
	struct drives drives;
	struct bytes serial[PC_UARTS], debugcon;
	struct net_user net[OPTION_NETS];
	struct screen screen;
};

/* ---- beginning ---- */

static bool open_streams(struct session_pc *s, struct error *err)
{
	bytes_stdio_init(&s->base.std);
	for (unsigned i = 0; i < s->base.o->serials; i++) {
		if (!bytes_open(&s->serial[i], &s->base.std, s->base.o->serial[i], err))
			return false;
		pc_serial(&s->pc, i, &s->serial[i]);
		if (s->serial[i].kind == BYTES_PTY)
			fprintf(stderr, "undervisor: serial port %u is %s\n", i, s->serial[i].name);
	}
	if (s->base.o->debugcon) {
		if (!bytes_open(&s->debugcon, &s->base.std, s->base.o->debugcon, err))
			return false;
		debug_port_connect(&s->pc.debug_port, bytes_out, &s->debugcon);
	}
	return true;
}

static bool open_networks(struct session_pc *s, struct error *err)
{
	const struct options *o = s->base.o;

	for (unsigned i = 0; i < o->nets; i++)
		if (!net_user_open(&s->net[i], o->net[i].args, err))
			return false;
	for (unsigned n = 0; n < PC_VIRTIOS; n++)
		if (o->pc.virtio[n].type == PC_VIRTIO_NET)
			pc_network(&s->pc, n, &s->net[o->virtio_index[n]]);
	return true;
}

static void open_screen(struct session_pc *s)
{
	struct machine_tick *t = &s->pc.machine.tick;

	if (s->base.o->display != DISPLAY_TEXT || !s->pc.cfg.vga)
		return;
	screen_init(&s->screen, &s->pc.vga, stdout);
	*t = (struct machine_tick){
		.period = SCREEN_PERIOD_NS, .next = SCREEN_PERIOD_NS, .look = screen_look, .arg = &s->screen};
}

static bool boot(void *arg, struct error *err)
{
	struct session_pc *s = arg;

	return pc_boot_load(&s->loader, &s->pc, err);
}

static bool power_on(struct session_pc *s, struct error *err)
{
	struct options *o = s->base.o;
	struct window_board window;

	if (!firmware_open(&s->firmware, &o->firmware, err))
		return false;
	if (!s->firmware.data && !o->kernel)
		return error_set(err, "no firmware (" FIRMWARE_DEFAULT "; package seabios) and no -kernel: nothing to run");
	o->pc.bios_size = s->firmware.size;
	if (!drives_open(&s->drives, o, err) || !pc_init(&s->pc, &o->pc, err))
		return false;
	target_pc(&s->base.target, &s->pc);
	if (!open_streams(s, err) || !open_networks(s, err) || !session_open_log(&s->base, err))
		return false;
	open_screen(s);
	window = window_of_pc(&s->pc);
	if (!session_open_window(&s->base, &window, err))
		return false;
	session_set_machine(&s->base);
	return pc_boot_init(&s->loader, &s->pc, &s->firmware, &o->firmware, o->kernel, o->append, o->initrd, err) && boot(s, err);
}

/* ---- the end ---- */

static const char *halted_text(const struct pc *pc)
{
	for (unsigned i = 0; i < pc->cfg.cpus; i++)
		if (!pc_cpu_ops.deaf(&pc->cpu[i]))
			return "and nothing is left that could wake one";
	return "with interrupts disabled";
}

static void tell(void *arg, enum stop why, struct text *out)
{
	struct session_pc *s = arg;
	const struct machine *m = &s->pc.machine;
	const struct x86_cpu *c = &s->pc.cpu[m->culprit].x86;

	switch (why) {
	case STOP_TRIPLE_FAULT:
		dump_triple_fault(out, c);
		dump_cpu(out, c);
		break;
	case STOP_UNIMPLEMENTED: text_printf(out, "undervisor: %s\n", c->stop_text); break;
	case STOP_HALTED: text_printf(out, "undervisor: all CPUs halted %s\n", halted_text(&s->pc)); break;
	case STOP_IMAGE: text_printf(out, "undervisor: %s\n", s->loader.rom.problem.msg); break;
	case STOP_UNTIL:
	case STOP_TIME:
	case STOP_RESET:
	case STOP_SIGNAL:
	case STOP_CLOSED:
		text_printf(out, "undervisor: %s after %llu instructions, rip %016llx\n", machine_stop_text(why), (unsigned long long)m->s.icount,
			    (unsigned long long)c->rip);
		break;
	default: break;
	}
}

static void close_streams(void *arg)
{
	struct session_pc *s = arg;

	if (s->pc.machine.tick.period)
		screen_end(&s->screen);
	s->pc.machine.tick.period = 0;
	for (unsigned i = 0; i < s->base.o->serials; i++)
		if (s->pc.uart[i].out)
			bytes_close(&s->serial[i]);
	if (s->pc.debug_port.out)
		bytes_close(&s->debugcon);
	for (unsigned i = 0; i < s->base.o->nets; i++)
		net_user_close(&s->net[i]);
	s->base.o->serials = s->base.o->nets = 0;
	debug_port_connect(&s->pc.debug_port, NULL, NULL);
}

static bool pictures(void *arg, struct error *err)
{
	const struct session_pc *s = arg;
	const struct options *o = s->base.o;
	const struct picture screen = vga_screen(&s->pc.vga);

	if (o->dump_screen && !screen_dump(&s->pc.vga, o->dump_screen, err))
		return false;
	return !o->screenshot || pixels_write_picture(o->screenshot, &screen, err);
}

int session_pc(struct options *o)
{
	struct session_pc *s = calloc(1, sizeof *s);
	struct error err = {0};
	int status;

	if (!s) {
		fprintf(stderr, "undervisor: no memory\n");
		return EXIT_FILE;
	}
	s->base = (struct session){.o = o, .arg = s, .boot = boot, .tell = tell, .close_streams = close_streams, .pictures = pictures};
	session_begin(&s->base);
	status = power_on(s, &err) ? session_run(&s->base) : session_fail(&s->base, &err, EXIT_FILE);
	session_free(&s->base);
	pc_free(&s->pc);
	pc_boot_free(&s->loader);
	firmware_close(&s->firmware);
	if (!drives_close(&s->drives) && !status)
		status = EXIT_FILE;
	free(s);
	return status;
}
