/*
 * Comparing two outcomes of a case, with what the manuals leave open and what AMD and the (Intel) host do differently
 * taken out: every such difference is a row of exceptions.def with the manual section that settles it.
 */
#ifndef ORACLE_COMPARE_H
#define ORACLE_COMPARE_H

#include "base/text.h"
#include "rows.h"

enum verdict { PASSED, FAILED, SKIPPED };

enum exception_id {
#define EXCEPTION(id, pred, text, section) EXC_##id,
#include "exceptions.def"
#undef EXCEPTION
	EXC_COUNT,
	EXC_NONE = EXC_COUNT
};

struct exception {
	const char *name, *text, *section;
	u64 count; /* cases that it explained */
};
extern struct exception exceptions[EXC_COUNT];
/* exceptions.c: which one explains the difference. */
enum exception_id exception_find(const struct ocase *c, const struct outcome *host, const struct outcome *ours,
				 const u8 *has);
/* How many of the case's instructions were surely done when the outcome was taken. */
unsigned compare_insns_before(const struct ocase *c, const struct outcome *o);

/* Compare the host's outcome with ours. differences: filled with a line of text when FAILED. undefined: compare
 * undefined flags too. */
enum verdict compare(const struct ocase *c, const struct outcome *host, const struct outcome *ours, const u8 *has,
		     bool undefined, struct text *differences);
/* Step against block: everything must be equal. */
enum verdict compare_ours(const struct outcome *step, const struct outcome *block, struct text *differences);

/* What an outcome ended with, in words. */
const char *end_name(const struct outcome *o, char buf[32]);

#endif
