/* Exit codes by name. See exits.def. */
#include "svm/explain.h"
#include "svm/state.h"

static const struct {
	u64 code;
	const char *name, *sentence;
} exits[] = {
#define EXIT(code, name, next, sentence) {code, name, sentence},
#define EXIT_RANGE(code, count, prefix, suffix, next, sentence)
#include "svm/exits.def"
#undef EXIT
#undef EXIT_RANGE
};

/* Codes of which several differ in a number only. */
static const struct {
	u64 code;
	unsigned count;
	const char *prefix, *suffix, *sentence;
} ranges[] = {
#define EXIT(code, name, next, sentence)
#define EXIT_RANGE(code, count, prefix, suffix, next, sentence) {code, count, prefix, suffix, sentence},
#include "svm/exits.def"
#undef EXIT
#undef EXIT_RANGE
};

void svm_exit_name(u64 code, char *buf, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(exits); i++) {
		if (exits[i].code == code) {
			snprintf(buf, size, "%s", exits[i].name);
			return;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		if (code - ranges[i].code < ranges[i].count) {
			snprintf(buf, size, "%s%u%s", ranges[i].prefix, (unsigned)(code - ranges[i].code),
				 ranges[i].suffix);
			return;
		}
	}
	snprintf(buf, size, "%llxh", (unsigned long long)code);
}

const char *svm_exit_sentence(u64 code)
{
	for (size_t i = 0; i < ARRAY_SIZE(exits); i++)
		if (exits[i].code == code)
			return exits[i].sentence;
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (code - ranges[i].code < ranges[i].count)
			return ranges[i].sentence;
	return "unknown exit code";
}

/* clang-format off */
#define EXIT(code, name, next, sentence) case code: return next;
#define EXIT_RANGE(code, count, prefix, suffix, next, sentence) case (code) ... (code) + (count) - 1: return next;
/* clang-format on */
bool svm_exit_has_nrip(u64 code)
{
	switch (code) {
#include "svm/exits.def"
	default: return false;
	}
}
