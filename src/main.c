/*
 * The program: the command line, and the run of the board that it asks for.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/cover.h"
#include "ui/session.h"

static int wrong(const struct error *err, int status)
{
	fprintf(stderr, "undervisor: %s\n", err->msg);
	return status;
}

static int program(struct options *o, int argc, char **argv)
{
	struct error err = {0};
	struct text out;

	if (!options_parse(o, argc, argv, &err))
		return wrong(&err, EXIT_USAGE);
	if (!cover_from_environment(&err))
		return wrong(&err, EXIT_FILE);
	if (o->show) {
		text_init_file(&out, stdout);
		options_show(o->show, &out);
		return 0;
	}
	return o->board == BOARD_ICP ? session_arm(o) : session_pc(o);
}

int main(int argc, char **argv)
{
	struct options *o = calloc(1, sizeof *o);
	int status = o ? program(o, argc, argv) : EXIT_FILE;

	if (!o)
		fprintf(stderr, "undervisor: no memory\n");
	free(o);
	return status;
}
