/*
 * The rows of all tables that no test has used: untested COVER SVM_TESTS UNTESTABLE >LIST
 *   COVER       what UNDERVISOR_COVER named while the tests ran: base/cover.h says when a row counts as used
 *   SVM_TESTS   the source of the VMCB's tests: a row of vmcb.def counts when its accessor stands there
 *   UNTESTABLE  lines "TABLE ROW why": rows that cannot be used on this machine, or not yet
 * The list says TABLE ROW: sentence. One line a table goes to stderr: how many rows, used, excused, without tests.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cover.h"
#include "cpu_x86/cpu.h"
#include "cpu_x86/insn.h"
#include "svm/checks.h"
#include "svm/explain.h"

struct row {
	const char *name, *sentence;
	u64 at; /* in the cover file */
};

/* ---- the tables as lists of rows ---- */

static const struct row insns[] = {
#define I(id, map, op, prefix, reg, mod, mode, size, form, kind, fn, flags, feature, section) {#id, section, X86_##id},
#include "cpu_x86/x86_insn.def"
#undef I
};
static const struct row rules[] = {
#define RULE(id, sentence, section) {#id, sentence, RULE_##id},
#include "cpu_x86/rules.def"
#undef RULE
};
static const struct row checks[] = {
#define CHECK(id, label, value, bad, others, sentence, section) {#id, sentence, SVM_CHECK_##id},
#include "svm/checks.def"
#undef CHECK
};
enum msr_row {
#define MSR(first, count, name, kind, member, mask, feature, section) ROW_##name,
#include "cpu_x86/msr.def"
#undef MSR
};
static const struct row msrs[] = {
#define MSR(first, count, name, kind, member, mask, feature, section) {#name, section, ROW_##name},
#include "cpu_x86/msr.def"
#undef MSR
};
static const struct row features[] = {
#define FEATURE(id, name, leaf, subleaf, reg, bit, models) {#id, name, X86_F_##id},
#include "cpu_x86/features.def"
#undef FEATURE
};
static const struct row vmcb[] = {
#define VMCB(id, off, bits, group, label, names) {#id, label, 0},
#define VMCB_SEG(id, off, group, label)          {#id, label, 0},
#define VMCB_BYTES(id, off, size, group, label)  {#id, label, 0},
#define VMCB_PAD(off, size)
#include "svm/vmcb.def"
#undef VMCB
#undef VMCB_SEG
#undef VMCB_BYTES
#undef VMCB_PAD
};

/* One row a code, the ranges in full. */
static struct row exits[256];
static unsigned n_exits;

static void add_exits(u64 code, unsigned count)
{
	for (unsigned i = 0; i < count; i++, code++) {
		char name[32], *d;

		svm_exit_name(code, name, sizeof name);
		d = strchr(name, ' ');
		if (d)
			*d = 0;
		exits[n_exits++] = (struct row){strdup(name), svm_exit_sentence(code),
						code >> 63 ? COVER_NEGATIVE + ~code : code};
	}
}

static void make_exits(void)
{
#define EXIT(code, name, next, sentence)                             add_exits(code, 1);
#define EXIT_RANGE(code, count, prefix, suffix, next, sentence)      add_exits(code, count);
#include "svm/exits.def"
#undef EXIT
#undef EXIT_RANGE
}

/* ---- who has used them ---- */

static u8 *cover_file;
static char *svm_tests, *untestable;

static char *read_file(const char *name, size_t *size)
{
	FILE *f = fopen(name, "rb");
	char *buf = malloc(1 << 20);

	if (!f || !buf) {
		fprintf(stderr, "%s: cannot be read\n", name);
		exit(2);
	}
	*size = fread(buf, 1, (1 << 20) - 1, f);
	buf[*size] = 0;
	fclose(f);
	return buf;
}

static bool in_vmcb_tests(const char *id)
{
	static const char *const stems[] = {"vmcb_", "vmcb_set_", "vmcb_at_"};
	char word[64];

	for (unsigned i = 0; i < ARRAY_SIZE(stems); i++) {
		snprintf(word, sizeof word, "%s%s(", stems[i], id);
		if (strstr(svm_tests, word))
			return true;
	}
	return false;
}

static bool excused(const char *table, const char *name)
{
	char line[96];

	snprintf(line, sizeof line, "\n%s %s ", table, name);
	return strstr(untestable, line) != NULL;
}

/* kind: an enum cover_table, or -1 for vmcb.def. Returns the rows without tests. */
static unsigned list(const char *table, int kind, const struct row *rows, unsigned n)
{
	unsigned used = 0, excuses = 0, none = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		bool has = kind < 0 ? in_vmcb_tests(r->name) : cover_file[(unsigned)kind * COVER_ROWS + r->at];

		if (has && excused(table, r->name))
			printf("%s %s: used, though tests/untestable has it\n", table, r->name);
		used += has;
		excuses += !has && excused(table, r->name);
		if (has || excused(table, r->name))
			continue;
		none++;
		printf("%s %s: %s\n", table, r->name, r->sentence);
	}
	fprintf(stderr, "table %s: %u rows, %u with tests, %u that cannot be tested, %u without\n", table, n, used, excuses,
		none);
	return none;
}

int main(int argc, char **argv)
{
	unsigned none = 0;
	size_t size;

	if (argc != 4) {
		fprintf(stderr, "usage: untested COVER SVM_TESTS UNTESTABLE\n");
		return 2;
	}
	cover_file = (u8 *)read_file(argv[1], &size);
	if (size != COVER_TABLES * COVER_ROWS) {
		fprintf(stderr, "%s: expected %u bytes, there are %zu\n", argv[1], COVER_TABLES * COVER_ROWS, size);
		return 2;
	}
	svm_tests = read_file(argv[2], &size);
	untestable = read_file(argv[3], &size);
	make_exits();
	none += list("x86_insn", COVER_INSN, insns, ARRAY_SIZE(insns));
	none += list("rules", COVER_RULE, rules, ARRAY_SIZE(rules));
	none += list("msr", COVER_MSR, msrs, ARRAY_SIZE(msrs));
	none += list("features", COVER_FEATURE, features, ARRAY_SIZE(features));
	none += list("vmcb", -1, vmcb, ARRAY_SIZE(vmcb));
	none += list("checks", COVER_CHECK, checks, ARRAY_SIZE(checks));
	none += list("exits", COVER_EXIT, exits, n_exits);
	fprintf(stderr, "tables: %u rows without tests\n", none);
	return 0;
}
