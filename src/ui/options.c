/* See options.h. One table row per option, one small function per kind of value. */
#define _GNU_SOURCE 1
#include "ui/options.h"

#include "ui/options_part.h"
#include "devices/pixels.h"
#include "ui/window.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define MB (1ull << 20)

/* ---- the machine ---- */

static bool set_machine(struct options *o, const char *val, struct error *err)
{
	char buf[128], *list = buf, *key, *v;

	if (!strcmp(val, "help")) {
		o->show = SHOW_MACHINES;
		return true;
	}
	if (!option_list("-machine", val, buf, sizeof buf, err))
		return false;
	while ((key = option_item(&list, &v))) {
		bool type = !v || !strcmp(key, "type");

		if (type && !strcmp(v ? v : key, "pc")) {
			o->board = BOARD_PC;
			continue;
		}
		if (type && !strcmp(v ? v : key, "integratorcp")) {
			o->board = BOARD_ICP;
			continue;
		}
		if (v && !strcmp(key, "accel") && !strcmp(v, "tcg"))
			continue;
		return error_set(err, "-machine: '%s%s%s' is not supported (expected pc or integratorcp)", key, v ? "=" : "",
				 v ? v : "");
	}
	return true;
}

static bool set_accel(struct options *o, const char *val, struct error *err)
{
	(void)o;
	return !strcmp(val, "tcg") ||
	       error_set(err, "-accel %s: not supported (tcg is accepted and means Undervisor's own engine)", val);
}

static bool set_cpu(struct options *o, const char *val, struct error *err)
{
	if (!strcmp(val, "help")) {
		o->show = SHOW_CPUS;
		return true;
	}
	if (!strncmp(val, "arm", 3)) {
		o->cpu = val;
		return true;
	}
	return o->cpu_x86 = x86_model_parse(&o->pc.model, val, err);
}

static bool set_memory(struct options *o, const char *val, struct error *err)
{
	u64 size;

	if (!strncmp(val, "size=", 5))
		val += 5;
	if (!option_number("-m", val, 1024, MB, &size, err))
		return false;
	if (size % MB || size < 2 * MB || size > PC_RAM_MAX)
		return error_set(err, "-m %s: expected whole megabytes from 2M to 64G", val);
	o->pc.ram_size = size;
	return true;
}

/* -smp N, or cpus=, maxcpus=, and a topology whose product is N. */
static bool set_smp(struct options *o, const char *val, struct error *err)
{
	char buf[128], *list = buf, *key, *v;
	u64 cpus = 0, max = 0, product = 1, n;

	if (!option_list("-smp", val, buf, sizeof buf, err))
		return false;
	while ((key = option_item(&list, &v))) {
		if (!option_number("-smp", v ? v : key, 1000, 1, &n, err))
			return false;
		n = n && n <= PC_CPUS ? n : PC_CPUS + 1; /* refused below */
		if (!v || !strcmp(key, "cpus"))
			cpus = n;
		else if (!strcmp(key, "maxcpus"))
			max = n;
		else if (!strcmp(key, "sockets") || !strcmp(key, "cores"))
			product *= n;
		else
			return error_set(err, "-smp: '%s' is not supported (expected cpus, maxcpus, sockets, cores)",
					 key);
	}
	cpus = cpus ? cpus : product;
	if (cpus < 1 || cpus > PC_CPUS || (product != 1 && product != cpus) || (max && max != cpus))
		return error_set(err, "-smp %s: expected 1 to %u CPUs, all of them present", val, PC_CPUS);
	o->pc.cpus = (unsigned)cpus;
	return true;
}

static bool set_vga(struct options *o, const char *val, struct error *err)
{
	if (strcmp(val, "std") && strcmp(val, "none"))
		return error_set(err, "-vga %s: not supported (expected std or none)", val);
	o->pc.vga = !strcmp(val, "std");
	return true;
}

static bool set_rtc(struct options *o, const char *val, struct error *err)
{
	struct tm t = {0};
	const char *end = NULL;

	if (!strncmp(val, "base=", 5)) {
		end = strptime(val + 5, "%Y-%m-%dT%H:%M:%S", &t);
		end = end ? end : strptime(val + 5, "%Y-%m-%d", &t);
	}
	if (!end || *end)
		return error_set(err, "-rtc %s: expected base=YYYY-MM-DD or base=YYYY-MM-DDTHH:MM:SS (UTC)", val);
	o->pc.rtc_time = timegm(&t);
	return true;
}

static bool device_debug_exit(struct options *o, char *list, struct error *err)
{
	u64 base = 0x501, size = 2;
	char *key, *v;

	while ((key = option_item(&list, &v))) {
		u64 *n = !v ? NULL : !strcmp(key, "iobase") ? &base : !strcmp(key, "iosize") ? &size : NULL;

		if (!n)
			return error_set(err, "-device isa-debug-exit: '%s' is not known (expected iobase=, iosize=)",
					 key);
		if (!option_number("-device isa-debug-exit", v, 1024, 1, n, err))
			return false;
	}
	if (size < 1 || size > 4 || base > 0x10000 - size)
		return error_set(err, "-device isa-debug-exit: expected iobase below 0x10000 and iosize 1 to 4");
	o->pc.debug_exit = true;
	o->pc.debug_exit_base = (u16)base;
	o->pc.debug_exit_size = (u16)size;
	return true;
}

static bool set_device(struct options *o, const char *val, struct error *err)
{
	char buf[256], *list = buf, *v, *name;
	bool virtio = false;

	if (!option_list("-device", val, buf, sizeof buf, err))
		return false;
	name = option_item(&list, &v);
	if (name && !strcmp(name, "help")) {
		o->show = SHOW_DEVICES;
		return true;
	}
	if (name && !v && !strcmp(name, "isa-debug-exit"))
		return device_debug_exit(o, list, err);
	if (name && !v && !strcmp(name, "isa-debugcon"))
		return option_debugcon_device(o, list, err);
	if (name && !v && !strcmp(name, "pc-testdev") && !*list) {
		o->pc.testdev = true;
		return true;
	}
	if (name && !v && !option_virtio(o, name, list, &virtio, err))
		return false;
	if (virtio)
		return true;
	return error_set(err, "-device %s: not supported (-device help lists what is)", val);
}

/* ---- the host side ---- */

static bool stream_ok(const char *val)
{
	static const char *const whole[] = {"null", "none", "stdio", "pty"};

	for (unsigned i = 0; i < ARRAY_SIZE(whole); i++)
		if (!strcmp(val, whole[i]))
			return true;
	return (!strncmp(val, "file:", 5) || !strncmp(val, "unix:", 5)) && val[5];
}

static bool check_stream(const char *what, const char *val, struct error *err)
{
	return stream_ok(val) || error_set(err,
					   "%s %s: not supported (expected stdio, null, none, file:PATH, pty or "
					   "unix:PATH[,server][,nowait])",
					   what, val);
}

static bool set_serial(struct options *o, const char *val, struct error *err)
{
	if (o->serials == PC_UARTS)
		return error_set(err, "-serial: the machine has %u serial ports", PC_UARTS);
	if (!strcmp(val, "mon:stdio")) {
		o->debug.mux = true;
		val += 4;
	}
	o->serial[o->serials++] = val;
	return check_stream("-serial", val, err);
}

static bool set_debugcon(struct options *o, const char *val, struct error *err)
{
	o->debugcon = val;
	return check_stream("-debugcon", val, err);
}

static bool set_chardev(struct options *o, const char *val, struct error *err)
{
	return option_chardev(o, val, err) && check_stream("-chardev", o->chardev[o->chardevs - 1].stream, err);
}

static bool set_display(struct options *o, const char *val, struct error *err)
{
	static const char *const names[] = {[DISPLAY_NONE] = "none", [DISPLAY_TEXT] = "text", [DISPLAY_SDL] = "sdl"};
	unsigned i = 0;

	o->panes = !strcmp(val, "sdl,panes=on");
	if (o->panes || !strcmp(val, "sdl,panes=off"))
		val = "sdl";
	while (i < ARRAY_SIZE(names) && strcmp(val, names[i]))
		i++;
	if (i == ARRAY_SIZE(names))
		return error_set(err, "-display %s: not supported (expected none, text, sdl or sdl,panes=on)", val);
	if (i == DISPLAY_SDL && !window_library())
		return error_set(err, "-display sdl: this program was built without SDL2 (package libsdl2-dev)");
	o->display = (enum display)i;
	return true;
}

/* Things that the machine does not have, and whose absence may be asked for. */
static bool set_none(struct options *o, const char *val, struct error *err)
{
	(void)o;
	return !strcmp(val, "none") || error_set(err, "'%s' is not supported (expected none)", val);
}

static bool set_nothing(struct options *o, const char *val, struct error *err)
{
	(void)o, (void)val, (void)err;
	return true;
}

static bool set_log(struct options *o, const char *val, struct error *err)
{
	if (!strcmp(val, "help")) {
		o->show = SHOW_LOG;
		return true;
	}
	return log_parse(&o->log, val, err);
}

static bool set_seed(struct options *o, const char *val, struct error *err)
{
	return option_number("-seed", val, 1000, 1, &o->seed, err);
}

static bool set_limit_insns(struct options *o, const char *val, struct error *err)
{
	return option_number("--limit-insns", val, 1000, 1, &o->limit_insns, err) &&
	       (o->limit_insns || error_set(err, "--limit-insns 0: expected a number above 0"));
}

static bool set_hot(struct options *o, const char *val, struct error *err)
{
	u64 runs;

	if (!option_number("--hot", val, 1000, 1, &runs, err))
		return false;
	if (runs > 60000)
		return error_set(err, "--hot %s: expected 0 to 60000", val);
	o->pc.hot = o->icp.hot = runs ? (int)runs : -1;
	return true;
}

static bool set_limit_seconds(struct options *o, const char *val, struct error *err)
{
	char *end;
	double s = strtod(val, &end);

	if (end == val || *end || !(s > 0 && s < 1e9))
		return error_set(err, "--limit-seconds %s: expected a number above 0", val);
	o->limit_ns = (u64)(s * 1e9);
	return true;
}

static bool set_walk(struct options *o, const char *val, struct error *err) { return walk_wish_add(&o->walk, val, err); }

static bool set_walk_stat(struct options *o, const char *val, struct error *err)
{
	(void)val, (void)err;
	return o->walk.stat = true;
}

#define WALK_FILE(kind)                                                                                                \
	static bool set_##kind(struct options *o, const char *val, struct error *err)                                  \
	{                                                                                                              \
		(void)err;                                                                                             \
		o->walk_files.kind = val;                                                                              \
		return true;                                                                                           \
	}
WALK_FILE(html)
WALK_FILE(svg)
WALK_FILE(json)

#define TEXT(field)                                                                                                    \
	static bool set_##field(struct options *o, const char *val, struct error *err)                                 \
	{                                                                                                              \
		(void)err;                                                                                             \
		o->field = val;                                                                                        \
		return true;                                                                                           \
	}
TEXT(kernel)
TEXT(append)
TEXT(initrd)
TEXT(dtb)
TEXT(log_file)
TEXT(dump_screen)
TEXT(screenshot)
TEXT(name)

#define FLAG(field)                                                                                                    \
	static bool set_##field(struct options *o, const char *val, struct error *err)                                 \
	{                                                                                                              \
		(void)val, (void)err;                                                                                  \
		o->field = true;                                                                                       \
		return true;                                                                                           \
	}
FLAG(nographic)
FLAG(stopped)
FLAG(no_reboot)
FLAG(report)
FLAG(hash)
FLAG(stepwise)
FLAG(realtime)

#define DISK(name)                                                                                                     \
	static bool set_##name(struct options *o, const char *val, struct error *err)                                  \
	{                                                                                                              \
		return option_disk(o, "-" #name, val, err);                                                            \
	}
DISK(hda)
DISK(hdb)
DISK(hdc)
DISK(hdd)
DISK(cdrom)
FLAG(snapshot)

static bool set_help(struct options *o, const char *val, struct error *err)
{
	(void)val, (void)err;
	o->show = SHOW_HELP;
	return true;
}

static bool set_version(struct options *o, const char *val, struct error *err)
{
	(void)val, (void)err;
	o->show = SHOW_VERSION;
	return true;
}

/* ---- the table ---- */

static const struct {
	const char *name, *arg, *help; /* arg NULL: none */
	bool (*set)(struct options *o, const char *val, struct error *err);
} rows[] = {
	{"machine", "pc|integratorcp", "the board: a PC, or ARM's Integrator/CP with an ARM926EJ-S", set_machine},
	{"M", "NAME", "the same", set_machine},
	{"accel", "tcg", "accepted for scripts written for QEMU", set_accel},
	{"cpu", "MODEL[,+F][,-F]", "CPU model and features; -cpu help lists them (default zen)", set_cpu},
	{"m", "SIZE", "memory in MB, or with suffix M or G (default 128M)", set_memory},
	{"smp", "N", "number of CPUs, 1 to 16 (default 1)", set_smp},
	{"vga", "std|none", "whether there is a VGA (default std)", set_vga},
	{"rtc", "base=DATE", "date of the real-time clock at power-on (default 2024-01-01)", set_rtc},
	{"device", "NAME[,KEY=VAL]", "isa-debug-exit[,iobase=][,iosize=], isa-debugcon[,iobase=],chardev= or pc-testdev", set_device},
	{"dtb", "FILE", "device tree for a Linux kernel on the Integrator/CP", set_dtb},
	{"semihosting", "FOLDER|none", "answer a bare-metal ARM guest's semihosting calls; files: below FOLDER only", option_semihosting},
	{"sd", "FILE", "image of the card in the Integrator/CP's socket; the same as -drive file=FILE,if=sd", option_sd},
	{"kernel", "FILE", "Linux bzImage, Multiboot 1 or 2 kernel, or plain ELF file; ARM: zImage, Image, ELF file or raw", set_kernel},
	{"hda", "FILE", "a raw image as first IDE disk; -hdb, -hdc, -hdd: the others", set_hda},
	{"hdb", "FILE", "second disk: slave of the first channel", set_hdb},
	{"hdc", "FILE", "third disk: master of the second channel", set_hdc},
	{"hdd", "FILE", "fourth disk", set_hdd},
	{"cdrom", "FILE", "an ISO image in a CD-ROM drive, master of the second channel", set_cdrom},
	{"drive", "file=FILE[,...]", "format=raw|qcow2|..., if=ide|virtio|none, index=, media=disk|cdrom, readonly=on, snapshot=on",
	 option_drive},
	{"snapshot", NULL, "keep what guests write away from the images", set_snapshot},
	{"append", "ARGS", "its command line", set_append},
	{"initrd", "'FILE ARGS,...'", "its modules; Linux: one file", set_initrd},
	{"serial", "STREAM", "stdio, null, none, file:PATH, pty, unix:PATH[,server][,nowait]; up to four", set_serial},
	{"debugcon", "STREAM", "where bytes written to port E9h (or isa-debugcon.iobase) go", set_debugcon},
	{"chardev", "KIND,id=ID[,...]", "names a stream: stdio, null, pty, file with path=PATH, for isa-debugcon", set_chardev},
	{"global", "isa-debugcon.iobase=PORT", "the port of -debugcon; SeaBIOS writes to 0x402", option_global},
	{"display", "none|text|sdl[,panes=on]", "text: print changed lines of the text screen; sdl: a window (default none)", set_display},
	{"nographic", NULL, "no display, and the first serial port on stdio", set_nographic},
	{"monitor", "stdio|unix:PATH|pty|none", "the monitor; -serial mon:stdio shares the terminal (Ctrl-A C)", option_monitor},
	{"monitor-script", "FILE", "monitor commands, before the machine starts", option_monitor_script},
	{"symbols", "[host=|guest=|cr3=X=|asid=N=]FILE[@BASE]", "names and lines from an ELF file; repeatable", option_symbols},
	{"trap", "CONDITION=ACTION", "dump FILE, trace on|off, stop, exit CODE, continue; separated by ;", option_trap},
	{"dump-on-exit", "FILE", "registers of both worlds, VMCB and events at the end", option_dump_on_exit},
	{"gdb", "tcp::PORT|unix:PATH", "wait for GDB there", option_gdb},
	{"s", NULL, "the same as -gdb tcp::1234", option_gdb_default},
	{"trace", "FILE", "a trace for Perfetto or chrome://tracing", option_trace},
	{"stat", NULL, "count #VMEXITs and print the table at the end", option_stat},
	{"coverage", "FILE", "instructions that ran: lcov, or drcov if FILE ends in .drcov", option_coverage},
	{"parallel", "none", "accepted; there is no parallel port", set_none},
	{"netdev", "user,id=ID", "a user network for a -device: hostfwd=tcp:[ADDR]:PORT-[ADDR]:PORT, restrict=on",
	 option_netdev},
	{"nic", "user|none", "a user network and a virtio-net-pci card on it: as -netdev, and mac=, model=", option_nic},
	{"net", "none", "accepted; there is no network by default", set_none},
	{"seed", "N", "of virtio-rng's random numbers, or a device tree's rng-seed (default 0)", set_seed},
	{"bios", "FILE|none", "firmware (default: SeaBIOS of package seabios); none: start -kernel directly", option_bios},
	{"boot", "[order=]LETTERS[,...]", "a floppy, c disk, d CD-ROM, n network; once=, menu=on|off, splash-time=MS",
	 option_boot},
	{"nodefaults", NULL, "accepted; there are no default devices to leave out", set_nothing},
	{"name", "TEXT", "a name for the machine, in the window's title", set_name},
	{"S", NULL, "start stopped: the monitor, GDB, or else SIGCONT or SIGUSR1 starts the machine", set_stopped},
	{"no-reboot", NULL, "end when the guest resets the machine", set_no_reboot},
	{"d", "LIST", "log events; -d help lists them", set_log},
	{"D", "FILE", "log to FILE instead of stderr", set_log_file},
	{"walk", "ADDR[@WHEN][,OPT]", "show a page walk; @COUNT, @end, @exit[=NAME], @fills[=N]: see the man page", set_walk},
	{"html", "FILE", "write the walks as a page to step through", set_html},
	{"svg", "FILE", "write the last walk as a drawing", set_svg},
	{"json", "FILE", "write the walks as JSON (- is the standard output)", set_json},
	{"walk-stat", NULL, "count the references of all page walks, and what other ways would cost", set_walk_stat},
	{"limit-insns", "N", "end after N instructions (suffixes K, M, G: powers of 1000)", set_limit_insns},
	{"limit-seconds", "S", "end after S seconds of host time", set_limit_seconds},
	{"dump-screen", "FILE", "write the text screen to FILE at the end", set_dump_screen},
	{"screenshot", "FILE", "write the screen as a picture at the end: PNG if it ends in .png, else PPM", set_screenshot},
	{"report", NULL, "print the number of instructions and the time at the end", set_report},
	{"hash", NULL, "print a hash of the machine's whole state at the end", set_hash},
	{"realtime", NULL, "virtual time runs no faster than the wall clock (default: as fast as possible)", set_realtime},
	{"hot", "N", "translate a block to host code after N runs (default 24; 0: never; the result is the same)", set_hot},
	{"stepwise", NULL, "run each instruction by itself (slow; the result is the same)", set_stepwise},
	{"version", NULL, "print version and libraries", set_version},
	{"help", NULL, "print this", set_help},
	{"h", NULL, "the same", set_help},
};

void options_help(struct text *out)
{
	text_puts(out,
		  "usage: undervisor -kernel FILE [OPTION...]\n"
		  "       undervisor walk [--html FILE] ADDR[@WHEN]... -kernel FILE [OPTION...]\n\n"
		  "A full-system emulator of AMD64 with SVM and nested paging, for people who write hypervisors.\n\n");
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		char left[64];
		struct text t;

		text_init_buffer(&t, left, sizeof left);
		text_printf(&t, "%s%s%s%s", strlen(rows[i].name) > 1 ? "--" : "-", rows[i].name, rows[i].arg ? " " : "",
			    rows[i].arg ? rows[i].arg : "");
		text_printf(out, "  %-25s %s\n", left, rows[i].help);
	}
	text_puts(out, "\nOne dash or two. Exit status: 0 power-off, odd: isa-debug-exit, 2 usage, 4 file or image, 6 "
		       "triple fault,\n"
		       "8 instruction limit, 10 time limit, 12 halted for ever, 14 unimplemented, 16 reset with "
		       "-no-reboot, 18 signal, 20 a trap, 22 window closed.\n");
}

void options_show(enum options_show what, struct text *out)
{
	switch (what) {
	case SHOW_NOTHING: break;
	case SHOW_HELP: options_help(out); break;
	case SHOW_VERSION:
		text_printf(out, "undervisor %s (", UNDERVISOR_VERSION);
		option_debug_libraries(out);
		text_printf(out, ", %s, %s)\n", pixels_library() ? pixels_library() : "without zlib: no PNG",
			    window_library() ? window_library() : "without SDL2: no window");
		break;
	case SHOW_CPUS:
		x86_model_help(out);
		text_puts(out, "integratorcp: arm926 (ARM926EJ-S) with +vfp (default) or -vfp\n");
		break;
	case SHOW_LOG: log_help(out); break;
	case SHOW_MACHINES: text_puts(out, "  pc            PC with AMD64 CPUs (default)\n  integratorcp  ARM Integrator/CP with an ARM926EJ-S\n"); break;
	case SHOW_DEVICES: text_puts(out, "  isa-debug-exit  iobase=501h, iosize=2\n  isa-debugcon    iobase=E9h, chardev=\n  pc-testdev\n"
							"  virtio-blk-pci  drive=ID\n  virtio-net-pci  netdev=ID, mac=\n  virtio-rng-pci\n"
							"  (virtio: addr=SLOT, disable-legacy=on, disable-modern=on; names with "
							"-transitional, -non-transitional)\n"); break;
	}
}

static bool take(struct options *o, char **argv, int *i, struct error *err)
{
	const char *arg = argv[*i], *name = arg + 1 + (arg[1] == '-');

	if (arg[0] != '-' && o->walk_only)
		return set_walk(o, arg, err);
	if (arg[0] != '-' || !*name)
		return error_set(err, "'%s': expected an option (a kernel goes with -kernel)", arg);
	for (unsigned r = 0; r < ARRAY_SIZE(rows); r++) {
		if (strcmp(name, rows[r].name))
			continue;
		if (rows[r].arg && !argv[*i + 1])
			return error_set(err, "%s: expected %s after it", arg, rows[r].arg);
		o->given[r] = true;
		return rows[r].set(o, rows[r].arg ? argv[++*i] : NULL, err);
	}
	return error_set(err, "%s: unknown or unsupported option (see --help)", arg);
}

static void defaults(struct options *o)
{
	memset(o, 0, sizeof *o);
	o->pc.ram_size = 128 * MB;
	o->pc.cpus = 1;
	o->pc.rtc_time = RTC_DEFAULT_TIME;
	o->pc.vga = true;
}

static bool check_board(const struct options *o, struct error *err)
{
	_Static_assert(ARRAY_SIZE(rows) <= OPTION_ROWS, "options.given has a place for each row");

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		if (o->given[i] && !option_board_has(o->board, rows[i].name, err))
			return false;
	if (o->board == BOARD_PC && o->cpu)
		return error_set(err, "-cpu %s: not on a PC (-machine integratorcp has it)", o->cpu);
	if (o->board == BOARD_ICP && o->cpu_x86)
		return error_set(err, "-cpu: expected arm926 on the Integrator/CP");
	return true;
}

bool options_parse(struct options *o, int argc, char **argv, struct error *err)
{
	defaults(o);
	if (!x86_model_parse(&o->pc.model, "zen", err))
		return false;
	o->walk_only = argc > 1 && !strcmp(argv[1], "walk");
	for (int i = o->walk_only ? 2 : 1; i < argc && !o->show; i++)
		if (!take(o, argv, &i, err))
			return false;
	if (o->show)
		return true;
	if (!check_board(o, err))
		return false;
	if ((o->walk_only || o->walk_files.html || o->walk_files.svg || o->walk_files.json) && !o->walk.specs && !o->walk.stat)
		return error_set(err, "walk: expected " WALK_SPEC_FORM ": which address to walk, and when");
	for (unsigned i = 0; i < o->walk.specs; i++)
		if (!walk_spec_fits(&o->walk.spec[i], o->board == BOARD_ICP ? WALK_ARM : WALK_X86, err))
			return false;
	o->walk.grid = o->log.walk_grid;
	o->firmware.nographic = o->nographic;
	if (o->nographic && !o->serials)
		o->serial[o->serials++] = "stdio";
	if (o->board == BOARD_ICP)
		return option_arm_resolve(o, err);
	if (o->display != DISPLAY_NONE && !o->pc.vga)
		return error_set(err, "-display: there is no screen with -vga none");
	if ((o->dump_screen || o->screenshot) && !o->pc.vga)
		return error_set(err, "--%s: there is no screen with -vga none",
				 o->dump_screen ? "dump-screen" : "screenshot");
	o->pc.uarts = o->serials > 2 ? o->serials : 2;
	return option_debugcon_resolve(o, err) && option_pci_resolve(o, err);
}
