/* The VMRUN consistency checks by name. See checks.def. */
#ifndef SVM_CHECKS_H
#define SVM_CHECKS_H

#define CHECK(id, label, value, bad, others, sentence, section) SVM_CHECK_##id,
enum svm_check_id {
#include "svm/checks.def"
	SVM_CHECK_COUNT
};
#undef CHECK

struct svm_check {
	const char *id, *label, *others, *sentence, *section;
};
extern const struct svm_check svm_checks[SVM_CHECK_COUNT];

#endif
