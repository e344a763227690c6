/* The oracle as a whole: both sides, options, counts. */
#ifndef ORACLE_ORACLE_H
#define ORACLE_ORACLE_H

#include "compare.h"
#include "emu.h"
#include "host.h"
#include "tally.h"

struct options {
	u64 cases;        /* for each seed */
	u64 seed;         /* the first */
	u64 seeds;        /* and how many */
	unsigned jobs;
	u64 real; /* cases in real mode, on Unicorn */
	double seconds;   /* 0: as long as the cases take */
	const char *only; /* part of a row's name */
	const char *repro;
	const char *page, *others;
	unsigned bits;  /* 0: all */
	unsigned kinds; /* BIT(enum case_kind) */
	u64 first;      /* of the enumeration of bytes */
	unsigned show;  /* failures printed per row */
	bool markdown, undefined, list_rows, brief, no_shrink, verbose, enumerate;
};

struct oracle {
	struct options opt;
	struct host host;
	struct emu *emu;
	u8 has[X86_F_COUNT];
	unsigned worker; /* of opt.jobs: it takes every jobs-th batch */
	struct tally t;
};

/* Our side of a case, in both modes; FAILED if they differ. */
enum verdict oracle_ours(struct oracle *o, const struct ocase *c, struct outcome *step, struct text *why);
/* Everything about one case, now. */
enum verdict oracle_case(struct oracle *o, const struct ocase *c, struct text *why);
/* Compare as the kind of case wants it. */
enum verdict oracle_judge(struct oracle *o, const struct ocase *c, const struct outcome *host,
			  const struct outcome *ours, struct text *why);

/* bytes.c: only lengths and #UD count. */
enum verdict compare_bytes(const struct ocase *c, const struct outcome *host, const struct outcome *ours, const u8 *has,
			   struct text *why);

/* shrink.c: a smaller case that still fails. */
void shrink(struct oracle *o, struct ocase *c);

/* repro.c: a case as one line of text, and back. */
void repro_print(const struct ocase *c, struct text *t);
bool repro_parse(const char *s, struct ocase *c, const u8 *has, struct error *err);

#endif
