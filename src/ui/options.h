/*
 * The command line. Names and meaning follow QEMU's where QEMU has them; one or two dashes. What is accepted works; the
 * rest is refused with one line. docs/undervisor.1 describes every row of the table in options.c.
 */
#ifndef UI_OPTIONS_H
#define UI_OPTIONS_H

#include "debug/log.h"
#include "debug/walk_out.h"
#include "loader/firmware.h"
#include "machine/integratorcp.h"
#include "machine/pc.h"

enum options_show { SHOW_NOTHING, SHOW_HELP, SHOW_VERSION, SHOW_CPUS, SHOW_LOG, SHOW_MACHINES, SHOW_DEVICES };
enum display { DISPLAY_NONE, DISPLAY_TEXT, DISPLAY_SDL };

#define OPTION_DRIVES 8

enum drive_interface { DRIVE_IDE, DRIVE_VIRTIO, DRIVE_NONE, DRIVE_SD, DRIVE_PFLASH };
enum board { BOARD_PC, BOARD_ICP };

struct option_drive {
	char path[512]; /* empty: a CD-ROM drive without a disc */
	char id[32], serial[21], format[12]; /* format: empty: raw or what the path says */
	u8 interface; /* enum drive_interface */
	bool interface_given;
	int index;    /* -1: the next free one */
	bool cdrom, read_only, snapshot;
};
#define OPTIONS_TRAPS   16
#define OPTIONS_SYMBOLS 16

/* The debugger's. */
struct debug_options {
	const char *monitor, *script, *gdb, *trace, *dump_on_exit, *coverage;
	const char *symbols[OPTIONS_SYMBOLS], *trap[OPTIONS_TRAPS];
	unsigned symbols_n, traps;
	bool mux, stat;
};


struct option_chardev {
	char id[32], stream[256];
};

#define OPTION_NETS 4

struct option_net {
	char id[32], args[256]; /* for net_user_open() */
	char model[20];
	bool used;
};

#define OPTION_ROWS 128

struct options {
	enum board board;
	struct pc_config pc;
	struct icp_config icp;
	bool given[OPTION_ROWS]; /* rows of options.c's table */
	const char *cpu;         /* of an ARM machine, or NULL */
	bool cpu_x86;            /* a PC's CPU was asked for */
	const char *kernel, *append, *initrd, *dtb;
	struct firmware_options firmware;
	char boot_order[8], boot_once[8];
	struct option_drive drive[OPTION_DRIVES];
	unsigned drives;
	bool snapshot; /* all drives */
	struct option_chardev chardev[4];
	unsigned chardevs;
	char debugcon_chardev[32];
	const char *serial[PC_UARTS], *debugcon;
	unsigned serials;
	enum display display;
	bool nographic, stopped, no_reboot, report, hash, stepwise, realtime, panes;
	struct option_net net[OPTION_NETS];
	unsigned nets;
	char virtio_end[PC_VIRTIOS][32];   /* id of the drive or network of pc.virtio[] */
	unsigned virtio_index[PC_VIRTIOS]; /* and its number */
	u64 seed;
	struct log_config log;
	struct debug_options debug;
	const char *log_file, *dump_screen, *screenshot, *name;
	bool walk_only; /* undervisor walk: bare words are addresses */
	struct walk_wish walk;
	struct walk_files walk_files;
	u64 limit_insns, limit_ns; /* 0: no limit */
	enum options_show show;    /* print this and do nothing else */
};

/* The strings of argv must stay. False: usage. */
bool options_parse(struct options *o, int argc, char **argv, struct error *err);
void options_help(struct text *out);
void options_show(enum options_show what, struct text *out);

#endif
