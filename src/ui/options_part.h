/* Between the files that parse the command line: what options.c's table calls in others. */
#ifndef UI_OPTIONS_PART_H
#define UI_OPTIONS_PART_H

#include "ui/options.h"

/* ---- options_value.c ---- */
/* A number with an optional suffix K, M, G or T; base is 1000 or 1024. A plain one is multiplied by plain_unit. */
bool option_number(const char *what, const char *val, u64 base, u64 plain_unit, u64 *out, struct error *err);
/* Cuts the next "key=value" or "key" off a comma-separated list in *list (which is changed). */
char *option_item(char **list, char **val);
/* Copies a list to be cut up. */
bool option_list(const char *what, const char *val, char *buf, size_t size, struct error *err);

/* ---- options_boot.c ---- */
bool option_bios(struct options *o, const char *val, struct error *err);
bool option_boot(struct options *o, const char *val, struct error *err);
bool option_chardev(struct options *o, const char *val, struct error *err);
bool option_debugcon_device(struct options *o, char *list, struct error *err);
bool option_global(struct options *o, const char *val, struct error *err);
/* When all options are known: the stream that -device isa-debugcon named. */
bool option_debugcon_resolve(struct options *o, struct error *err);

/* ---- options_drive.c ---- */
/* name is -hda, -hdb, -hdc, -hdd or -cdrom. */
bool option_disk(struct options *o, const char *name, const char *path, struct error *err);
bool option_sd(struct options *o, const char *val, struct error *err);
bool option_drive(struct options *o, const char *val, struct error *err);
/* ---- options_virtio.c ---- */
bool option_netdev(struct options *o, const char *val, struct error *err);
bool option_nic(struct options *o, const char *val, struct error *err);
/* -device NAME with the rest of its list; *mine: it is one of these. */
bool option_virtio(struct options *o, const char *name, char *list, bool *mine, struct error *err);
/* When all options are known: drives and networks find their devices. */
bool option_pci_resolve(struct options *o, struct error *err);

/* ---- options_arm.c ---- */
/* False: that board knows no such option. */
bool option_board_has(enum board board, const char *name, struct error *err);
bool option_semihosting(struct options *o, const char *val, struct error *err);
/* When all options of an Integrator/CP are known. */
bool option_arm_resolve(struct options *o, struct error *err);

/* ---- options_debug.c ---- */
bool option_monitor(struct options *o, const char *val, struct error *err);
bool option_monitor_script(struct options *o, const char *val, struct error *err);
bool option_symbols(struct options *o, const char *val, struct error *err);
bool option_trap(struct options *o, const char *val, struct error *err);
bool option_dump_on_exit(struct options *o, const char *val, struct error *err);
bool option_gdb(struct options *o, const char *val, struct error *err);
bool option_gdb_default(struct options *o, const char *val, struct error *err); /* -s */
bool option_trace(struct options *o, const char *val, struct error *err);
bool option_coverage(struct options *o, const char *val, struct error *err);
bool option_stat(struct options *o, const char *val, struct error *err);
/* "libedit, libelf, ...", or what is missing. */
void option_debug_libraries(struct text *out);

#endif
