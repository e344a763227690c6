/* Real mode on Unicorn and on ours. See real.h. Rows and known differences are here, the two machines in real_unicorn.c and below. */
#include "real.h"

#include <stdio.h>
#include <string.h>

static const char *const known_text[REAL_KNOWN + 1] = {
#define REAL(id, pred, text, section) text " (" section ")",
#include "real.def"
#undef REAL
};

/* General-purpose rows: what the host shows at CPL 3 anyway, and what is harmless at CPL 0. */
bool real_wants(unsigned id)
{
	static const char *const privileged[] = {"cli", "sti", "clts", "smsw", "sgdt", "sidt", "lgdt", "lidt", "invd", "wbinvd", "mov_from_cr"};
	static const u16 features[] = {X86_F_NONE, X86_F_CMOV, X86_F_CX8};
	const struct row *r = &rows[id];
	bool has = false, allowed = r->policy == RUN;

	for (unsigned i = 0; i < ARRAY_SIZE(features); i++)
		has |= r->insn->feature == features[i];
	for (unsigned i = 0; i < ARRAY_SIZE(privileged); i++)
		allowed |= !strcmp(r->fn, privileged[i]);
	return allowed && has && r->insn->mode != O64 && r->insn->kind != KIND_X87 && r->insn->kind != KIND_VEC && strncmp(r->insn->section, "APM5", 4) != 0 &&
	       !(r->insn->map >= V38);
}

void real_print_list(FILE *f)
{
	for (unsigned i = 0; i < REAL_KNOWN; i++)
		fprintf(f, "  - %s\n", known_text[i]);
	fputc('\n', f);
}

void real_print_known(const struct tally *t)
{
	for (unsigned i = 0; i < REAL_KNOWN; i++)
		if (t->known[i])
			printf("Unicorn differs: %llu x %s\n", (unsigned long long)t->known[i], known_text[i]);
}
