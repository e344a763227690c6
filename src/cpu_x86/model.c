/* CPU models and their feature switches: the -cpu option. What CPUID says of them is in cpuid.c. APM3 app. E. */
#include "cpu_x86/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { Z = 1, X = 2 };

static const struct {
	const char *name;
	u8 models;
} features[X86_F_COUNT] = {
#define FEATURE(id, name, leaf, sub, reg, bit, models) [X86_F_##id] = {name, models},
#include "cpu_x86/features.def"
#undef FEATURE
};

/* Both are a Zen 3 (family 19h, model 01h); max adds what later parts have. */
static const struct {
	const char *name, *text, *brand;
	u8 bit, level; /* of the x86-64 psABI; 0: no limit */
} models[] = {
	{"zen", "AMD Zen 3 class processor (default)", "AMD EPYC Undervisor zen", Z, 0},
	{"max", "everything that is implemented", "AMD EPYC Undervisor max", X, 0},
	{"x86-64-v1", "zen with the instructions of x86-64-v1", "AMD EPYC Undervisor v1", Z, 1},
	{"x86-64-v2", "zen with the instructions of x86-64-v2", "AMD EPYC Undervisor v2", Z, 2},
	{"x86-64-v3", "zen with the instructions of x86-64-v3", "AMD EPYC Undervisor v3", Z, 3},
};

/* Instructions above the baseline, and the level of the x86-64 psABI that has them; 4: none of the three. */
static const struct {
	u16 feature;
	u8 level;
} levels[] = {
#define LEVEL(f, n) {X86_F_##f, n},
	LEVEL(CX16, 2) LEVEL(LAHF, 2) LEVEL(POPCNT, 2) LEVEL(SSE3, 2) LEVEL(SSSE3, 2) LEVEL(SSE41, 2) LEVEL(SSE42, 2)
	LEVEL(XSAVE, 3) LEVEL(AVX, 3) LEVEL(AVX2, 3) LEVEL(BMI1, 3) LEVEL(BMI2, 3) LEVEL(F16C, 3) LEVEL(FMA, 3) LEVEL(ABM, 3)
	LEVEL(MOVBE, 3) LEVEL(SSE4A, 4) LEVEL(MISALIGNSSE, 4) LEVEL(AES, 4) LEVEL(PCLMULQDQ, 4) LEVEL(SHA, 4) LEVEL(VAES, 4)
	LEVEL(VPCLMULQDQ, 4) LEVEL(ADX, 4) LEVEL(RDRAND, 4) LEVEL(RDSEED, 4)
#undef LEVEL
};

static void limit_level(struct x86_model *m, unsigned level)
{
	for (unsigned i = 0; level && i < ARRAY_SIZE(levels); i++)
		if (levels[i].level > level)
			m->has[levels[i].feature] = 0;
}

/* Names in existing scripts that mean "some AMD processor with SVM". */
static const struct {
	const char *from, *to;
} model_alias[] =
	{
		{"EPYC", "zen"},         {"EPYC-v1", "zen"},    {"EPYC-v2", "zen"},       {"EPYC-v3", "zen"},
		{"EPYC-v4", "zen"},      {"EPYC-IBPB", "zen"},  {"EPYC-Rome", "zen"},     {"EPYC-Rome-v1", "zen"},
		{"EPYC-Rome-v2", "zen"}, {"EPYC-Milan", "zen"}, {"EPYC-Milan-v1", "zen"}, {"EPYC-Milan-v2", "zen"},
		{"qemu64", "zen"},       {"qemu64-v1", "zen"},  {"kvm64", "zen"},
},
  feature_alias[] = {
	  {"nrip-save", "nrips"},
	  {"clfsh", "clflush"},
	  {"ffxsr", "fxsr-opt"},
	  {"lzcnt", "abm"},
};

/* A feature, and one that it cannot be without. */
static const struct {
	u16 feature, needs;
} depends[] = {
#define DEP(f, n) {X86_F_##f, X86_F_##n},
	DEP(MCA, MCE) DEP(PSE36, PSE) DEP(X2APIC, APIC) DEP(TSC_DEADLINE, APIC) DEP(ARAT, APIC) DEP(NX, PAE) DEP(
		LM, PAE) DEP(LM, MSR) DEP(LM, SYSCALL) DEP(LM, CX8) DEP(CX16, LM) DEP(LAHF, LM) DEP(PAGE1GB, LM)
		DEP(PCID, LM) DEP(LA57, LM) DEP(FSGSBASE, LM) DEP(CR8LEGACY, APIC) DEP(RDTSCP, TSC) DEP(
			INVARIANT_TSC, TSC) DEP(APERFMPERF, TSC) DEP(TSC_ADJUST, TSC) DEP(RDPRU, APERFMPERF)
			DEP(SSE, FXSR) DEP(SSE2, SSE) DEP(MISALIGNSSE, SSE) DEP(AVX, XSAVE) DEP(AVX, SSE2) DEP(AVX2, AVX) DEP(SSE3, SSE2) DEP(SSSE3, SSE3) DEP(SSE41, SSSE3) DEP(SSE42, SSE41) DEP(SSE4A, SSE3) DEP(AES, SSE2) DEP(PCLMULQDQ, SSE2) DEP(SHA, SSE2) DEP(FMA, AVX) DEP(F16C, AVX) DEP(VAES, AVX) DEP(VPCLMULQDQ, AVX) DEP(VAES, AES) DEP(VPCLMULQDQ, PCLMULQDQ) DEP(MMX, FPU) DEP(MMXEXT, MMX) DEP(FFXSR, FXSR) DEP(XSAVE, FXSR) DEP(XSAVEOPT, XSAVE) DEP(XSAVEC, XSAVE) DEP(XGETBV1, XSAVE)
				DEP(XSAVES, XSAVEC) DEP(CLFLUSHOPT, CLFSH) DEP(CLWB, CLFSH) DEP(SVM, MSR) DEP(SVM, PAE)
					DEP(SKINIT, SVM) DEP(NPT, SVM) DEP(LBRV, SVM) DEP(SVML, SVM) DEP(NRIPS, SVM)
						DEP(TSCRATE, SVM) DEP(VMCBCLEAN, SVM) DEP(FLUSHBYASID, SVM)
							DEP(DECODEASSISTS, SVM) DEP(PAUSEFILTER, SVM)
								DEP(PFTHRESHOLD, PAUSEFILTER) DEP(VVMLOAD, NPT)
									DEP(VGIF, SVM) DEP(VNMI, VGIF)
#undef DEP
};

/* Feature names: '_' and '-' are the same, as in QEMU; case does not matter. */
static bool name_eq(const char *a, const char *b)
{
	for (; *a && *b; a++, b++) {
		char x = *a == '_' ? '-' : *a, y = *b == '_' ? '-' : *b;

		if ((x | 0x20) != (y | 0x20) || ((x == '-') != (y == '-')))
			return false;
	}
	return !*a && !*b;
}

static enum x86_feature feature_find(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(feature_alias); i++)
		if (name_eq(name, feature_alias[i].from))
			name = feature_alias[i].to;
	for (unsigned f = 1; f < X86_F_COUNT; f++)
		if (name_eq(name, features[f].name))
			return (enum x86_feature)f;
	return X86_F_NONE;
}

static bool model_find(struct x86_model *m, const char *name, struct error *err)
{
	for (unsigned i = 0; i < ARRAY_SIZE(model_alias); i++)
		if (!strcmp(name, model_alias[i].from))
			name = model_alias[i].to;
	for (unsigned i = 0; i < ARRAY_SIZE(models); i++) {
		if (strcmp(name, models[i].name))
			continue;
		m->name = models[i].name;
		snprintf(m->brand, sizeof m->brand, "%s", models[i].brand);
		for (unsigned f = 1; f < X86_F_COUNT; f++)
			m->has[f] = !!(features[f].models & models[i].bit);
		limit_level(m, models[i].level);
		return true;
	}
	if (!strcmp(name, "host"))
		return error_set(err, "-cpu host: there is no host CPU under an emulated one; use zen or max");
	return error_set(err, "-cpu %s: no such model; known are zen, max and x86-64-v1 to v3 (-cpu help lists features)", name);
}

static bool parse_number(const char *key, const char *val, u64 min, u64 max, u32 *out, struct error *err)
{
	char *end;
	unsigned long long v = strtoull(val, &end, 0);

	if (!*val || *end || v < min || v > max)
		return error_set(err, "-cpu: %s=%s: expected a number from %llu to %llu", key, val,
				 (unsigned long long)min, (unsigned long long)max);
	*out = (u32)v;
	return true;
}

/* key=value settings that are not features. *known: it was one. */
static bool parse_setting(struct x86_model *m, const char *key, const char *val, bool *known, struct error *err)
{
	u32 n;

	*known = true;
	if (name_eq(key, "family"))
		return parse_number(key, val, 0xf, 0xff + 0xf, &m->family, err);
	if (name_eq(key, "model"))
		return parse_number(key, val, 0, 0xff, &m->model, err);
	if (name_eq(key, "stepping"))
		return parse_number(key, val, 0, 0xf, &m->stepping, err);
	if (name_eq(key, "phys-bits")) {
		if (!parse_number(key, val, 36, 52, &n, err))
			return false;
		m->pa_bits = (u8)n;
		return true;
	}
	if (name_eq(key, "vendor")) {
		if (strlen(val) != 12)
			return error_set(err, "-cpu: vendor=%s: expected 12 characters, as in AuthenticAMD", val);
		memcpy(m->vendor, val, 13);
		return true;
	}
	if (name_eq(key, "model-id")) {
		if (strlen(val) > 48)
			return error_set(err, "-cpu: model-id: expected at most 48 characters");
		memset(m->brand, 0, sizeof m->brand);
		memcpy(m->brand, val, strlen(val));
		return true;
	}
	*known = false;
	return true;
}

enum { UNSET, ON, OFF };

static bool set_feature(u8 *want, const char *name, bool on, struct error *err)
{
	enum x86_feature f = feature_find(name);

	if (f == X86_F_NONE)
		return error_set(err, "-cpu: feature '%s' is not known or not implemented (-cpu help lists features)",
				 name);
	want[f] = on ? ON : OFF;
	return true;
}

static bool parse_item(struct x86_model *m, u8 *want, char *item, struct error *err)
{
	char *eq = strchr(item, '=');
	bool known;

	if (*item == '+' || *item == '-')
		return set_feature(want, item + 1, *item == '+', err);
	if (!eq)
		return error_set(err, "-cpu: '%s': expected +feature, -feature, feature=on|off or name=value", item);
	*eq++ = 0;
	if (!parse_setting(m, item, eq, &known, err))
		return false;
	if (known)
		return true;
	if (!strcmp(eq, "on") || !strcmp(eq, "true") || !strcmp(eq, "yes"))
		return set_feature(want, item, true, err);
	if (!strcmp(eq, "off") || !strcmp(eq, "false") || !strcmp(eq, "no"))
		return set_feature(want, item, false, err);
	return error_set(err, "-cpu: %s=%s: expected on or off", item, eq);
}

/* What loses its base is off too, unless it was asked for by name: then that is an error. */
static bool settle(struct x86_model *m, const u8 *want, struct error *err)
{
	bool again = true;

	for (unsigned f = 1; f < X86_F_COUNT; f++)
		if (want[f])
			m->has[f] = want[f] == ON;
	while (again) {
		again = false;
		for (unsigned i = 0; i < ARRAY_SIZE(depends); i++) {
			unsigned f = depends[i].feature, n = depends[i].needs;

			if (!m->has[f] || m->has[n])
				continue;
			if (want[f] == ON)
				return error_set(err, "-cpu: feature '%s' needs '%s'", features[f].name,
						 features[n].name);
			m->has[f] = 0;
			again = true;
		}
	}
	return true;
}

bool x86_model_parse(struct x86_model *m, const char *spec, struct error *err)
{
	char buf[1024], *item, *save = NULL;
	u8 want[X86_F_COUNT] = {0};

	if (strlen(spec) >= sizeof buf)
		return error_set(err, "-cpu: option longer than %zu characters", sizeof buf - 1);
	strcpy(buf, spec);
	memset(m, 0, sizeof *m);
	memcpy(m->vendor, "AuthenticAMD", 13);
	m->family = 0x19;
	m->model = 1;
	m->stepping = 1;
	m->pa_bits = 48;
	m->cpus = 1;
	item = strtok_r(buf, ",", &save);
	if (!item)
		return error_set(err, "-cpu: a model is missing");
	if (!model_find(m, item, err))
		return false;
	while ((item = strtok_r(NULL, ",", &save)))
		if (!parse_item(m, want, item, err))
			return false;
	if (!settle(m, want, err))
		return false;
	m->la57 = m->has[X86_F_LA57];
	return true;
}

void x86_model_help(struct text *out)
{
	unsigned col = 0;

	text_puts(out, "Models:\n");
	for (unsigned i = 0; i < ARRAY_SIZE(models); i++)
		text_printf(out, "  %-9s %s\n", models[i].name, models[i].text);
	text_puts(out, "  EPYC and its versions, qemu64 and kvm64 mean zen.\nFeatures (+name, -name, name=on|off; m: "
		       "only max has it, o: off in both):\n");
	for (unsigned f = 1; f < X86_F_COUNT; f++) {
		const char *mark = features[f].models & Z ? "" : features[f].models & X ? " (m)" : " (o)";
		unsigned n = (unsigned)(strlen(features[f].name) + strlen(mark) + 1);

		if (col + n > 78) {
			text_puts(out, "\n");
			col = 0;
		}
		text_printf(out, "%s%s%s", col ? " " : "  ", features[f].name, mark);
		col += col ? n : n + 1;
	}
	text_puts(out, "\nSettings: family= model= stepping= vendor= model-id= phys-bits=\n");
}
