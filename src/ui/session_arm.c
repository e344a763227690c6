/* The Integrator/CP's part of a run: see session.h. */
#include <stdio.h>
#include <stdlib.h>

#include "debug/regs.h"
#include "devices/pixels.h"
#include "loader/arm_boot.h"
#include "ui/session.h"

struct session_arm {
	struct session base;
	struct icp b;
	struct arm_boot loader;
	struct disk card;
	struct bytes serial[ICP_UARTS];
	unsigned serials; /* that are open */
	struct net_user net;
};

/* ---- beginning ---- */

static bool open_card(struct session_arm *s, struct error *err)
{
	const struct option_drive *d = &s->base.o->drive[0];
	unsigned flags;

	if (!s->base.o->drives)
		return true;
	flags = (d->read_only ? DISK_READ_ONLY : 0u) | (d->snapshot || s->base.o->snapshot ? DISK_SNAPSHOT : 0u);
	if (!disk_open_format(&s->card, d->path, *d->format ? d->format : NULL, flags, err))
		return false;
	s->base.o->icp.card = &s->card;
	return true;
}

static bool open_streams(struct session_arm *s, struct error *err)
{
	const struct options *o = s->base.o;

	bytes_stdio_init(&s->base.std);
	for (unsigned i = 0; i < o->serials; i++, s->serials++) {
		if (!bytes_open(&s->serial[i], &s->base.std, o->serial[i], err))
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

static unsigned key_room(const void *kbd) { return pl050_key_room(kbd); }
static void key_receive(void *kbd, u8 byte) { pl050_key(kbd, byte); }
static void mouse_receive(void *mouse, u8 byte) { pl050_mouse_byte(mouse, byte); }

static bool boot(void *arg, struct error *err)
{
	struct session_arm *s = arg;

	return arm_boot_load(&s->loader, &s->b, err);
}

static bool power_on(struct session_arm *s, struct error *err)
{
	struct options *o = s->base.o;
	struct window_board window;

	s->loader = (struct arm_boot){o->kernel, o->append, o->initrd, o->dtb, o->seed};
	if (!o->kernel && !o->icp.flash)
		return error_set(err, "-machine integratorcp starts without firmware: -kernel is needed, or a -drive if=pflash to start from");
	if (!open_card(s, err) || !icp_init(&s->b, &o->icp, err))
		return false;
	target_icp(&s->base.target, &s->b);
	window = (struct window_board){&s->b.machine, pl110_picture(&s->b.lcd), &s->b.kbd, &s->b.mouse, key_room, key_receive, mouse_receive};
	if (!open_streams(s, err) || !session_open_log(&s->base, err) || !session_open_window(&s->base, &window, err))
		return false;
	session_set_machine(&s->base);
	return boot(s, err);
}

/* ---- the end ---- */

static void tell(void *arg, enum stop why, struct text *out)
{
	struct session_arm *s = arg;
	struct worlds worlds = {.t = &s->base.target};
	struct view v;

	switch (why) {
	case STOP_UNIMPLEMENTED:
		text_printf(out, "undervisor: %s\n", s->b.cpu.stop_text);
		view_get(&worlds, 0, VIEW_NOW, 0, &v);
		regs_print(out, &v);
		break;
	case STOP_HALTED:
	case STOP_UNTIL:
	case STOP_TIME:
	case STOP_RESET:
	case STOP_SIGNAL:
	case STOP_CLOSED:
		text_printf(out, "undervisor: %s after %llu instructions, pc %08x\n", machine_stop_text(why), (unsigned long long)s->b.machine.s.icount,
			    arm_pc(&s->b.cpu));
		break;
	default: break;
	}
}

static void close_streams(void *arg)
{
	struct session_arm *s = arg;

	for (unsigned i = 0; i < s->serials; i++)
		bytes_close(&s->serial[i]);
	s->serials = 0;
	net_user_close(&s->net);
}

static bool pictures(void *arg, struct error *err)
{
	const struct session_arm *s = arg;
	const struct picture screen = pl110_picture(&s->b.lcd);

	return !s->base.o->screenshot || pixels_write_picture(s->base.o->screenshot, &screen, err);
}

int session_arm(struct options *o)
{
	struct session_arm *s = aligned_alloc(64, (sizeof *s + 63) & ~(size_t)63);
	struct error err = {0};
	int status;

	if (!s) {
		fprintf(stderr, "undervisor: no memory\n");
		return EXIT_FILE;
	}
	memset(s, 0, sizeof *s);
	s->base = (struct session){.o = o, .arg = s, .boot = boot, .tell = tell, .close_streams = close_streams, .pictures = pictures};
	session_begin(&s->base);
	s->b.semihost.folder = -1;
	status = power_on(s, &err) ? session_run(&s->base) : session_fail(&s->base, &err, EXIT_FILE);
	session_free(&s->base);
	icp_free(&s->b);
	if (!disk_close(&s->card) && !status)
		status = EXIT_FILE;
	free(s);
	return status;
}
