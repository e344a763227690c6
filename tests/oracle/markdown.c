/*
 * docs/instructions.md: every row of the table, how it is encoded, what CPUID bit it wants, where the manual has it, and which oracle looks
 * at it. The page names the features of the host on which it was made, so that any host can tell whether it is current.
 */
#include "markdown.h"

#include <stdio.h>
#include <stdlib.h>

#include "real.h"
#include "tally.h"

static const struct {
	u16 f;
	const char *name;
} features[] = {
	{X86_F_NONE, ""},
#define FEATURE(id, name, leaf, sub, reg, bit, models) {X86_F_##id, name},
#include "cpu_x86/features.def"
#undef FEATURE
};
#define FEATURES_LINE "Features of the host that was asked: "

static const char *feature_name(unsigned f)
{
	for (unsigned i = 0; i < ARRAY_SIZE(features); i++)
		if (features[i].f == f)
			return features[i].name;
	return "?";
}

/* Only those that rows ask for. */
static void print_features(FILE *f, const u8 has[X86_F_COUNT])
{
	const char *sep = "";

	fputs(FEATURES_LINE, f);
	for (unsigned i = 1; i < ARRAY_SIZE(features); i++) {
		bool wanted = false;

		for (unsigned r = 0; r < X86_IDS; r++)
			wanted |= x86_insns[r].feature == features[i].f;
		if (!wanted || !has[features[i].f])
			continue;
		fprintf(f, "%s%s", sep, features[i].name);
		sep = ", ";
	}
	fputs("\n\n", f);
}

bool markdown_features(const char *page, u8 has[X86_F_COUNT])
{
	static char line[4096];
	FILE *f = fopen(page, "r");
	bool found = false;

	if (!f)
		return false;
	memset(has, 0, X86_F_COUNT);
	has[X86_F_NONE] = 1;
	while (!found && fgets(line, sizeof line, f))
		found = !strncmp(line, FEATURES_LINE, strlen(FEATURES_LINE));
	fclose(f);
	for (char *save, *w = strtok_r(found ? line + strlen(FEATURES_LINE) : NULL, ", \n", &save); found && w; w = strtok_r(NULL, ", \n", &save))
		for (unsigned i = 1; i < ARRAY_SIZE(features); i++)
			if (!strcmp(w, features[i].name))
				has[features[i].f] = 1;
	return found;
}

/* ---- encodings, as the manual writes them ---- */
static void print_encoding(FILE *f, const struct x86_insn *r)
{
	static const char *const maps[MAPS] = {[M1] = "", [M0F] = "0F ", [M38] = "0F 38 ", [M3A] = "0F 3A ", [V0F] = "VEX.0F ", [V38] = "VEX.0F38 ", [V3A] = "VEX.0F3A "};
	const char *prefix = r->prefix == P_66 ? "66 " : r->prefix == P_F3 ? "F3 " : r->prefix == P_F2 ? "F2 " : "";

	fprintf(f, "%s%s%s%02X%s", r->flags & L1 ? "L1 " : r->flags & L0 && r->map >= V0F ? "L0 " : "", prefix, maps[r->map], r->opcode,
		r->flags & OP16 ? "+cc" : r->flags & OP8 ? "+r" : "");
	if (r->reg >= 0)
		fprintf(f, " /%d", r->reg);
	else if (r->mod != NOMODRM)
		fputs(" /r", f);
	if (r->mod == MEM)
		fputs(" mem", f);
	else if (r->mod == REG)
		fputs(" reg", f);
	else if (r->mod >= RM0)
		fprintf(f, " rm=%d", r->mod - RM0);
	if (r->mode == O64)
		fputs(", 64-bit mode", f);
	else if (r->mode == NO64)
		fputs(", not in 64-bit mode", f);
}

static void print_evidence(FILE *f, unsigned id)
{
	const struct row *r = &rows[id];
	const char *other = other_test(id), *sep = "";

	if (r->policy == RUN) {
		fputs("host", f);
		sep = "; ";
	} else if (r->policy == PRIV) {
		fputs("host: its fault at CPL 3", f);
		sep = "; ";
	}
	if (other)
		fprintf(f, "%s%s", sep, other);
	else if (r->policy != RUN && !real_wants(id))
		fprintf(f, "%sunverified: %s", sep, r->why ? r->why : "privileged");
	if (real_wants(id))
		fprintf(f, "%sUnicorn in real mode", other || r->policy != SKIP ? "; " : "");
}

static void print_counts(FILE *f)
{
	unsigned host = 0, test = 0, none = 0, real = 0;

	for (unsigned i = 0; i < X86_IDS; i++) {
		real += real_wants(i);
		if (rows[i].policy == RUN)
			host++;
		else if (other_test(i))
			test++;
		else
			none++;
	}
	fprintf(f, "%u rows: %u verified by the host, %u by a named test, %u unverified; %u of them by Unicorn in real mode, too.\n\n", (unsigned)X86_IDS,
		host, test, none, real);
}

void markdown_print(FILE *f, const u8 has[X86_F_COUNT])
{
	fputs("# Instructions\n\n"
	      "Generated from `src/cpu_x86/x86_insn.def` by `make instructions`; a test fails when it is not current. One line is one row of the table.\n\n"
	      "- **host**: `make oracle` runs it natively and in Undervisor on random operands, prefixes and states, and compares registers, flags,\n"
	      "  x87 and vector state, memory and faults; in 64-bit, 32-bit and 16-bit code where it exists. Differences that are known and why:\n"
	      "  `tests/oracle/exceptions.def`.\n"
	      "- **unit NAME** (`tests/test_NAME.c`), **guest NAME** (`tests/guests`): a test with results out of the manual or a published standard, for\n"
	      "  what no user process can show or the host lacks. `tests/oracle/check-others` sees that it executes the row.\n"
	      "- **Unicorn in real mode**: `make oracle` runs it in real mode, which the host cannot, on Unicorn 2 (QEMU's TCG) and in Undervisor. A second\n"
	      "  opinion; where they differ the manual decides:\n\n",
	      f);
	real_print_list(f);
	print_features(f, has);
	print_counts(f);
	fputs("| Row | Encoding | Feature | Manual | Verified by |\n|---|---|---|---|---|\n", f);
	for (unsigned i = 0; i < X86_IDS; i++) {
		const struct x86_insn *r = &x86_insns[i];

		fprintf(f, "| %s | ", r->name);
		print_encoding(f, r);
		fprintf(f, " | %s | %s | ", feature_name(r->feature), r->section);
		print_evidence(f, i);
		fputs(" |\n", f);
	}
}
