/* Every architectural rule that can refuse something has an id, a sentence and a manual section: rules.def. */
#ifndef CPU_X86_RULES_H
#define CPU_X86_RULES_H

#define RULE(id, sentence, section) RULE_##id,
enum x86_rule {
#include "cpu_x86/rules.def"
	RULE_COUNT
};
#undef RULE

struct rule {
	const char *id, *sentence, *section;
};
extern const struct rule x86_rules[RULE_COUNT];

#endif
