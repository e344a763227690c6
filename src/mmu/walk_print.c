/* Walks and their error codes as plain text. The grids and pictures are debug/'s; the walkers are walk_x86.c and walk_arm.c. */
#include "base/text.h"
#include "mmu/walk_arm.h"

const char *walk_why_text(enum walk_why why)
{
	static const char *const name[] = {
		[WALK_OK] = "allowed",
		[WALK_NOT_PRESENT] = "not present",
		[WALK_RESERVED] = "a reserved bit is set",
		[WALK_READ_ONLY] = "write to a read-only page",
		[WALK_SUPERVISOR] = "user access to a supervisor page",
		[WALK_NX] = "fetch from a no-execute page",
		[WALK_SMEP] = "supervisor fetch from a user page (CR4.SMEP)",
		[WALK_SMAP] = "supervisor access to a user page (CR4.SMAP)",
		[WALK_NON_CANONICAL] = "address not canonical",
		[WALK_ALIGNMENT] = "address not aligned",
		[WALK_TRANSLATION] = "invalid descriptor",
		[WALK_DOMAIN] = "no access to the domain",
		[WALK_PERMISSION] = "not allowed by AP, S and R",
		[WALK_EXTERNAL_TABLE] = "nobody answers at the descriptor's address",
		[WALK_EXTERNAL] = "nobody answers at the address",
	};

	return (unsigned)why < ARRAY_SIZE(name) ? name[why] : "?";
}

/* #PF error code: APM2 8.4.2; EXITINFO1 of a nested page fault: APM2 15.25.6. */
void walk_print_error(struct text *out, u64 error, bool npf)
{
	text_printf(out, "%s %s %s", error & 1 ? "present" : "not-present",
		    error & 2    ? "write"
		    : error & 16 ? "fetch"
				 : "read",
		    error & 4 ? "user" : "supervisor");
	if (error & 8)
		text_puts(out, " reserved-bit");
	if ((error & 18) == 18)
		text_puts(out, " fetch");
	if (npf && error & BIT(32))
		text_puts(out, " final-address");
	if (npf && error & BIT(33))
		text_puts(out, " guest-table");
}

static void print_entry_flags(struct text *out, u64 v)
{
	static const char *const name[] = {"P", "W", "U", "PWT", "PCD", "A", "D", "PS", "G"};

	for (unsigned i = 0; i < ARRAY_SIZE(name); i++)
		if (v >> i & 1)
			text_printf(out, " %s", name[i]);
	if (v >> 63)
		text_puts(out, " NX");
}

static const char *size_text(unsigned shift)
{
	switch (shift) {
	case 12: return "4 KB";
	case 21: return "2 MB";
	case 22: return "4 MB";
	case 30: return "1 GB";
	default: return "off";
	}
}

/* "nL3 for gL4", "nL1 for final", "gL2", "L1". */
static void print_place(struct text *out, const struct walk_step *s, bool two)
{
	char served[8] = "final", place[24];

	if (s->serves)
		snprintf(served, sizeof served, "gL%u", s->serves);
	if (s->dim && s->cached)
		snprintf(place, sizeof place, "n   for %s", served);
	else if (s->dim)
		snprintf(place, sizeof place, "nL%u for %s", s->level, served);
	else
		snprintf(place, sizeof place, "%sL%u", two ? "g" : "", s->level);
	text_printf(out, "%-14s", place);
}

static void print_step(struct text *out, const struct walk_step *s, unsigned *ref, bool two)
{
	if (s->cached)
		text_puts(out, " -  ");
	else
		text_printf(out, "%2u  ", ++*ref);
	print_place(out, s, two);
	if (s->cached && s->dim) {
		text_printf(out, " gpa %012llx, cached\n", (unsigned long long)s->gpa);
		return;
	}
	if (s->cached)
		text_printf(out, " register       %016llx", (unsigned long long)s->val);
	else
		text_printf(out, " [%012llx] %016llx", (unsigned long long)s->pa, (unsigned long long)s->val);
	print_entry_flags(out, s->val);
	if (s->set)
		text_puts(out, s->set & 0x40 ? s->set & 0x20 ? "; sets A D" : "; sets D" : "; sets A");
	if (!s->dim && s->gpa != s->pa)
		text_printf(out, "; gpa %012llx", (unsigned long long)s->gpa);
	text_puts(out, "\n");
}

static void print_allowed(struct text *out, const struct walk *w)
{
	text_printf(out, "va %016llx", (unsigned long long)w->va);
	if (w->nshift)
		text_printf(out, " -> gpa %012llx", (unsigned long long)w->gpa);
	text_printf(out, " -> pa %012llx; page %s", (unsigned long long)w->pa, size_text(w->shift));
	if (w->nshift)
		text_printf(out, " (guest %s, nested %s)", size_text(w->gshift), size_text(w->nshift));
	text_printf(out, "; R%s%s%s%s%s; %u references\n", w->perm & PERM_W ? " W" : "", w->perm & PERM_X ? " X" : "",
		    w->perm & PERM_U ? " U" : "", w->perm & PERM_G ? " G" : "", w->perm & PERM_D ? " D" : "", w->refs);
}

static void print_refused(struct text *out, const struct walk *w)
{
	text_printf(out, "va %016llx refused: ", (unsigned long long)w->va);
	if (w->why == WALK_NON_CANONICAL) {
		text_printf(out, "%s\n", walk_why_text(WALK_NON_CANONICAL));
		return;
	}
	if (!w->nested_fault) {
		text_printf(out, "#PF at level %u: %s; error code %#x ", w->fail_level, walk_why_text(w->why),
			    w->error);
		walk_print_error(out, w->error, false);
	} else {
		text_printf(out, "NPF at nL%u for ", w->fail_level);
		if (w->fail_serves)
			text_printf(out, "gL%u", w->fail_serves);
		else
			text_puts(out, "the final address");
		text_printf(out, ": %s; EXITINFO1 %#llx ", walk_why_text(w->why), (unsigned long long)w->exitinfo1);
		walk_print_error(out, w->exitinfo1, true);
		text_printf(out, "; EXITINFO2 %#llx", (unsigned long long)w->gpa);
	}
	text_printf(out, "; %u references\n", w->refs);
}

void walk_print(struct text *out, const struct walk *w)
{
	bool two = false;
	unsigned ref = 0;

	for (unsigned i = 0; i < w->n; i++)
		two |= w->step[i].dim;
	for (unsigned i = 0; i < w->n; i++)
		print_step(out, &w->step[i], &ref, two);
	if (w->why == WALK_OK)
		print_allowed(out, w);
	else
		print_refused(out, w);
}

/* ---- ARM ---- */

const char *const arm_domain_names[4] = {"no access", "client", "reserved", "manager"};

const char *arm_fault_text(u32 fsr)
{
	static const char *const names[16] = {"vector", "alignment", "terminal", "alignment", "external abort on linefetch, section",
					      "translation, section", "external abort on linefetch, page", "translation, page",
					      "external abort, section", "domain, section", "external abort, page", "domain, page",
					      "external abort on translation, level 1", "permission, section",
					      "external abort on translation, level 2", "permission, page"};

	return names[fsr & 15];
}

static const char *descriptor_text(const struct walk_step *s)
{
	static const char *const names[2][4] = {{"fault", "coarse table", "section", "fine table"}, {"fault", "large page", "small page", "tiny page"}};

	return names[s->level > 1][s->val & 3];
}

void walk_arm_print(struct text *out, const struct walk *w)
{
	for (unsigned i = 0; i < w->n; i++) {
		const struct walk_step *s = &w->step[i];
		bool silent = w->why == WALK_EXTERNAL_TABLE && i + 1 == w->n;

		text_printf(out, "%2u  L%u [%08llx] ", i + 1, s->level, (unsigned long long)s->pa);
		if (silent)
			text_puts(out, "nobody answers\n");
		else
			text_printf(out, "%08llx %s\n", (unsigned long long)s->val, descriptor_text(s));
	}
	text_printf(out, "mva %08llx ", (unsigned long long)w->va);
	if (w->why == WALK_OK)
		text_printf(out, "-> pa %08llx", (unsigned long long)w->pa);
	else
		text_printf(out, "refused: %s; status %02x (%s)", walk_why_text((enum walk_why)w->why), w->error, arm_fault_text(w->error));
	if (w->n && w->shift)
		text_printf(out, "; %u KB, domain %u, AP %u", 1u << (w->shift - 10), w->domain, w->ap);
	text_printf(out, "; %u reference%s\n", w->refs, w->refs == 1 ? "" : "s");
}
