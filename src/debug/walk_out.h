/* What becomes of recorded walks: printed, and written to files, as the command line or the monitor asks. */
#ifndef DEBUG_WALK_OUT_H
#define DEBUG_WALK_OUT_H

#include "debug/walk_record.h"
#include "debug/walk_term.h"

struct walk_files {
	const char *html, *svg, *json; /* NULL: not asked for; - is the standard output */
	bool quiet;                    /* nothing on the terminal */
};

/* Prints the walks to out (unless quiet, or a file is asked for) and the counts if they were, and writes the files. */
bool walk_out(const struct walk_record *r, const struct walk_files *f, struct text *out, const struct walk_paper *paper,
	      struct error *err);
/* At the end of a run: takes the last looks and shows the walks on the standard output, if the command line asked for some. */
bool walk_out_end(struct walk_record *r, const struct walk_wish *asked, const struct walk_files *f, struct error *err);
/* Takes "--html FILE", "--svg FILE" or "--json FILE" from the front of *args, whose text is cut up. */
bool walk_files_take(char **args, struct walk_files *f, struct error *err);

/* The monitor's walk command. args: "ADDR[,OPTION...]" as for --walk, without @WHEN, and before it any of
 * "--html FILE", "--svg FILE", "--json FILE". The walk is printed to out as a grid, width columns wide. */
bool walk_command(const struct target *t, unsigned cpu, const char *args, struct text *out, unsigned width, bool colour,
		  struct error *err);

#endif
