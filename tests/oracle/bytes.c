/*
 * The decoder's part: strings of bytes that end where the mapped code ends. Which side wants more bytes, which says
 * #UD, and how long an instruction was that went through is all that counts; what it did is the other cases' business.
 */
#include "oracle.h"

enum answer { MORE_BYTES, UNDEFINED, WENT_ON, FAULTED, OTHER };

static enum answer answer(const struct ocase *c, const struct outcome *o)
{
	u64 end = CODE_BASE + CODE_SIZE, rip = o->out.rip - c->in.rip + c->at; /* linear */

	if (o->end == VEC_PF && o->cr2 == end && o->error & 16)
		return rip == c->at ? MORE_BYTES : WENT_ON;
	if (o->end == VEC_PF && o->error & 16)
		return WENT_ON; /* a branch to somewhere */
	if (o->end == VEC_UD && o->out.rip == c->in.rip)
		return UNDEFINED;
	if (o->end == VEC_BP || o->end == VEC_DB || o->end >= END_OK)
		return OTHER;
	return rip == c->at ? FAULTED : OTHER;
}

static const char *const answer_names[] = {"wants more bytes", "#UD", "goes on", "faults", "other"};

enum verdict compare_bytes(const struct ocase *c, const struct outcome *host, const struct outcome *ours, const u8 *has,
			   struct text *why)
{
	enum answer a = answer(c, host), b = answer(c, ours);
	struct parsed p;
	bool parsed = row_parse(c->code, c->limit, c->bits, has, &p);
	enum exception_id x;
	char h[32], m[32];

	if (a == OTHER || b == OTHER)
		return SKIPPED;
	if (a == b && a == FAULTED && host->end != ours->end)
		b = OTHER;
	if (a == b &&
	    (a != WENT_ON || host->out.rip == ours->out.rip || (parsed && p.row && p.row->flags & (BR | END))))
		return PASSED;
	x = exception_find(c, host, ours, has);
	if (x != EXC_NONE) {
		exceptions[x].count++;
		return SKIPPED;
	}
	text_printf(why, " host %s: %s at %llx, ours %s: %s at %llx", answer_names[a], end_name(host, h),
		    (unsigned long long)host->out.rip, answer_names[b], end_name(ours, m),
		    (unsigned long long)ours->out.rip);
	return FAILED;
}
