/* Counts, and how they are told. See tally.h. */
#include "tally.h"

#include <stdio.h>

#include "base/cover.h"
#include "real.h"

typedef unsigned long long ull;

static void add_count(struct row_count *sum, const struct row_count *n)
{
	sum->passed += n->passed;
	sum->failed += n->failed;
	sum->skipped += n->skipped;
}

void tally_add(struct tally *sum, const struct tally *t)
{
	sum->cases += t->cases;
	sum->passed += t->passed;
	sum->failed += t->failed;
	sum->skipped += t->skipped;
	for (unsigned i = 0; i < ARRAY_SIZE(sum->lost); i++)
		sum->lost[i] += t->lost[i];
	for (unsigned i = 0; i < X86_IDS; i++) {
		add_count(&sum->row[i], &t->row[i]);
		add_count(&sum->unicorn[i], &t->unicorn[i]);
	}
	add_count(&sum->sequences, &t->sequences);
	add_count(&sum->bytes, &t->bytes);
	for (unsigned i = 0; i < EXC_COUNT; i++)
		sum->exceptions[i] += t->exceptions[i];
	for (unsigned i = 0; i < ARRAY_SIZE(sum->known); i++)
		sum->known[i] += t->known[i];
	sum->real_died += t->real_died;
	sum->legacy |= t->legacy;
}

/* ---- evidence ---- */
static const char *const others[X86_IDS] = {
#define OTHER(id, test, what) [X86_##id] = test ": " what,
#include "others.def"
#undef OTHER
};

const char *other_test(unsigned id) { return others[id]; }

static bool executed(const char *dir, const char *test, unsigned id)
{
	char path[512];
	FILE *f;
	bool yes;

	snprintf(path, sizeof path, "%s/%.*s", dir, (int)strcspn(test, ":"), test);
	for (char *p = path; *p; p++)
		*p = *p == ' ' ? '.' : *p;
	f = fopen(path, "rb");
	if (!f)
		return false;
	fseek(f, (long)(COVER_INSN * COVER_ROWS + id), SEEK_SET);
	yes = fgetc(f) == 1;
	fclose(f);
	return yes;
}

int other_check(const char *dir)
{
	unsigned passed = 0, failed = 0;

	for (unsigned i = 0; i < X86_IDS; i++) {
		if (!others[i])
			continue;
		if (executed(dir, others[i], i)) {
			passed++;
			continue;
		}
		failed++;
		printf("FAIL %s: not executed by %s\n", x86_insns[i].name, others[i]);
	}
	printf("%u passed, %u failed, 0 skipped\n", passed, failed);
	return failed != 0;
}

_Static_assert(REAL_KNOWN <= ARRAY_SIZE(((struct tally *)0)->known), "known is large enough");

static bool good(const struct row_count *n) { return n->passed && !n->failed; }

enum evidence { BY_HOST, BY_UNICORN, BY_TEST, BY_NOBODY, EVIDENCES };

/* At CPL 3 the host shows a privileged instruction's fault only: what it does needs another witness. */
static enum evidence evidence_of(const struct tally *t, unsigned i)
{
	if (rows[i].policy == RUN && good(&t->row[i]))
		return BY_HOST;
	if (good(&t->unicorn[i]))
		return BY_UNICORN;
	return others[i] ? BY_TEST : BY_NOBODY;
}

static void print_counts(const char *who, const struct row_count *n)
{
	printf(" %s: %llu passed, %llu failed, %llu skipped;", who, (ull)n->passed, (ull)n->failed, (ull)n->skipped);
}

void tally_print_rows(const struct tally *t)
{
	for (unsigned i = 0; i < X86_IDS; i++) {
		static const char *const names[EVIDENCES] = {"host", "Unicorn", "test", "unverified"};
		const struct row *r = &rows[i];
		enum evidence e = evidence_of(t, i);

		printf("%-16s %-10s", r->insn->name, names[e]);
		if (r->policy != SKIP)
			print_counts(r->policy == PRIV ? "host, its fault at CPL 3" : "host", &t->row[i]);
		else
			printf(" not by the host: %s;", r->why);
		if (t->unicorn[i].passed + t->unicorn[i].failed)
			print_counts("Unicorn", &t->unicorn[i]);
		printf("%s%s\n", others[i] ? " " : "", others[i] ? others[i] : "");
	}
}

void tally_print_brief(const struct tally *t, bool all)
{
	unsigned passed = 0, failed = 0, skipped = 0;

	for (unsigned i = 0; i < X86_IDS + 2; i++) {
		const struct row_count *n = i < X86_IDS ? &t->row[i] : i == X86_IDS ? &t->sequences : &t->bytes;
		bool uni = i < X86_IDS && t->unicorn[i].passed;

		if (n->failed || (i < X86_IDS && t->unicorn[i].failed))
			failed++;
		else if (n->passed || uni)
			passed++;
		else if (all || n->skipped)
			skipped++;
	}
	printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
}

static void print_evidence(const struct tally *t)
{
	unsigned n[EVIDENCES] = {0};

	for (unsigned i = 0; i < X86_IDS; i++)
		n[evidence_of(t, i)]++;
	printf("rows: %u verified by the host, %u by Unicorn, %u by a named test, %u unverified (--rows lists them), of %u\n", n[BY_HOST],
	       n[BY_UNICORN], n[BY_TEST], n[BY_NOBODY], (unsigned)X86_IDS);
	for (unsigned i = 0; i < X86_IDS; i++)
		if (evidence_of(t, i) == BY_NOBODY)
			printf("unverified: %s: %s\n", rows[i].insn->name,
			       rows[i].policy == SKIP ? rows[i].why : t->row[i].failed ? "it failed" : rows[i].policy == PRIV ? "the host shows its fault at CPL 3 only" : "no case passed");
}

void tally_print_summary(const struct tally *t)
{
	for (unsigned i = 0; i < EXC_COUNT; i++)
		if (t->exceptions[i])
			printf("documented: %llu x %s (%s)\n", (ull)t->exceptions[i], exceptions[i].text, exceptions[i].section);
	real_print_known(t);
	if (!t->legacy)
		printf("16- and 32-bit code does not run on this host: not verified\n");
	if (t->lost[0] + t->lost[1] + t->lost[2])
		printf("lost on the host: %llu system calls, %llu that did not end, %llu that killed the runner\n", (ull)t->lost[0],
		       (ull)t->lost[1], (ull)t->lost[2]);
	printf("sequences: %llu passed, %llu failed; bytes: %llu passed, %llu failed\n", (ull)t->sequences.passed, (ull)t->sequences.failed,
	       (ull)t->bytes.passed, (ull)t->bytes.failed);
	print_evidence(t);
	printf("%llu passed, %llu failed, %llu skipped\n", (ull)t->passed, (ull)t->failed, (ull)t->skipped);
}
