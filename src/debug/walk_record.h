/*
 * The walks of a run that were asked for, kept for the views: looks at given moments, and the machine's own walks of a
 * page with what happened between them. What is not asked for costs nothing.
 */
#ifndef DEBUG_WALK_RECORD_H
#define DEBUG_WALK_RECORD_H

#include "debug/hub.h"
#include "debug/walk_look.h"
#include "debug/walk_stat.h"

#define WALK_SPECS 32
#define WALK_SHOTS 256

/* What is asked for. */
struct walk_wish {
	struct walk_spec spec[WALK_SPECS];
	unsigned specs;
	bool stat; /* count all walks */
	bool grid; /* -d walk=grid: draw all walks into the log */
};

struct walk_record;

/* What the TLB of one CPU calls. */
struct walk_ear {
	struct walk_record *record;
	unsigned cpu;
};

struct walk_record {
	const struct target *t;
	struct hub *hub;
	unsigned listener; /* of the hub */
	u32 mask;          /* what it hears */
	struct walk_wish wish;
	struct walk_ear ear[PC_CPUS];
	u64 taken[WALK_SPECS]; /* walks made for each spec */

	struct walk_shot *shot; /* in the order of the run */
	unsigned shots, room;
	bool full;
	struct event before[WALK_EVENTS]; /* since the last walk that was kept */
	unsigned befores, befores_lost;
	struct walk_stat stat;
	struct error failed; /* the last look that could not be made; msg empty: none */
	struct text *log;
};

bool walk_wish_add(struct walk_wish *w, const char *spec, struct error *err);
/* Connects to the machine. *r and log, where grids go, must stay. */
void walk_record_start(struct walk_record *r, const struct walk_wish *wish, struct hub *hub, struct text *log);
/* Between runs: one more to record; counting on (from zero) or off. */
bool walk_record_more(struct walk_record *r, const char *spec, struct error *err);
void walk_record_count(struct walk_record *r, bool on);
/* The instruction count at which the machine must stop for a look; TIME_NEVER: none. */
u64 walk_record_due(const struct walk_record *r);
/* To be called whenever the machine stands: takes the looks that are due. ended: and those at the end. */
void walk_record_look(struct walk_record *r, bool ended);
void walk_record_free(struct walk_record *r);

#endif
