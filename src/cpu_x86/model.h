/*
 * CPU models: which features CPUID reports, from the table features.def. What is reported is implemented; an instruction whose feature the
 * model lacks raises #UD. APM3 app. E.
 */
#ifndef CPU_X86_MODEL_H
#define CPU_X86_MODEL_H

#include "base/error.h"
#include "base/types.h"

/* Registers of a CPUID leaf. */
enum cpuid_reg { CPUID_EAX, CPUID_EBX, CPUID_ECX, CPUID_EDX };

#define FEATURE(id, name, leaf, sub, reg, bit, models) X86_F_##id,
enum x86_feature {
	X86_F_NONE, /* always there */
#include "cpu_x86/features.def"
	X86_F_COUNT
};
#undef FEATURE

struct x86_model {
	const char *name;
	u8 has[X86_F_COUNT]; /* indexed by enum x86_feature */
	u8 pa_bits, la57;
	u8 cpus;  /* logical processors of the machine, for topology leaves */
	u32 family, model, stepping;
	char vendor[13], brand[49];
};

/* Parses "MODEL,+feature,-feature" (also feature=on|off). */
bool x86_model_parse(struct x86_model *m, const char *spec, struct error *err);
static inline bool x86_has(const struct x86_model *m, enum x86_feature f) { return m->has[f]; }
/* Names of all models and features, for -cpu help. */
struct text;
void x86_model_help(struct text *out);

#endif
