/* Monitor commands for walks that are recorded while the machine runs, and for counting them. One walk at a time: mon_tables.c. */
#include "debug/monitor.h"
#include "debug/walk_out.h"

static struct walk_record *recorded(struct monitor *m)
{
	if (!m->d->walks)
		mon_fail(m, "walks are not recorded here");
	return m->d->walks;
}

static void record_walk(struct monitor *m, char *args)
{
	struct walk_record *r = recorded(m);
	struct error err;

	if (r && !walk_record_more(r, args, &err))
		mon_fail(m, "%s", err.msg);
}

static void walks(struct monitor *m, char *args)
{
	const struct walk_paper paper = {.width = 100};
	struct walk_record *r = recorded(m);
	struct walk_files files = {0};
	struct error err;

	if (!r)
		return;
	while (*args == '-')
		if (!walk_files_take(&args, &files, &err)) {
			mon_fail(m, "%s", err.msg);
			return;
		}
	if (!mon_end(m, args))
		return;
	if (!walk_out(r, &files, m->out, &paper, &err))
		mon_fail(m, "%s", err.msg);
	r->failed.msg[0] = 0; /* told once */
}

static void walk_stat(struct monitor *m, char *args)
{
	struct walk_record *r = recorded(m);
	bool on = !strcmp(args, "on");

	if (!r)
		return;
	if (on || !strcmp(args, "off"))
		walk_record_count(r, on);
	else if (*args)
		mon_fail(m, "expected on or off");
	else
		walk_stat_print(m->out, &r->stat);
}

const struct command mon_walks[] = {
	{"record-walk", NULL, "ADDR@WHEN[,OPTION...]", "record walks as --walk does: @COUNT, @exit[=NAME], @fills[=N]", record_walk, false},
	{"walks", NULL, "[--html|--svg|--json FILE]", "the recorded walks, drawn here or into files", walks, false},
	{"walk-stat", NULL, "[on|off]", "the references of page walks since counting was switched on", walk_stat, false},
	{0},
};
