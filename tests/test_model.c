/* Unit tests of cpu_x86/model.c and cpuid.c: the -cpu option, feature dependencies, and what CPUID says of a model. */
#include "base/cover.h"
#include "base/text.h"
#include "cpu_x86/system.h"

#include <check.h>
#include <stdlib.h>

static struct x86_model model;
static struct error err;
static struct x86_cpu *cpu;
static u32 out[4];

static void setup(void)
{
	ck_assert(cover_from_environment(&err));
	cpu = calloc(1, sizeof *cpu);
	ck_assert_ptr_nonnull(cpu);
	ck_assert(x86_model_parse(&model, "zen", &err));
	cpu->model = &model;
	cpu->msr.apic_base = 0xfee00000 | APIC_BASE_ON;
	cpu->xcr0 = 1;
}
static void teardown(void) { free(cpu); }

static void leaf(u32 n, u32 sub) { x86_cpuid(cpu, n, sub, out); }

static void refused(const char *spec, const char *words)
{
	ck_assert_msg(!x86_model_parse(&model, spec, &err), "accepted: %s", spec);
	ck_assert_msg(strstr(err.msg, words) != NULL, "%s: message '%s' lacks '%s'", spec, err.msg, words);
}
static void accepted(const char *spec) { ck_assert_msg(x86_model_parse(&model, spec, &err), "%s: %s", spec, err.msg); }

START_TEST(models_and_aliases)
{
	accepted("zen");
	ck_assert_str_eq(model.name, "zen");
	ck_assert_str_eq(model.vendor, "AuthenticAMD");
	ck_assert(x86_has(&model, X86_F_SVM) && x86_has(&model, X86_F_NPT) && !x86_has(&model, X86_F_LA57));
	accepted("max");
	ck_assert(x86_has(&model, X86_F_LA57) && model.la57);
	accepted("EPYC");
	ck_assert_str_eq(model.name, "zen");
	accepted("qemu64,+svm");
	accepted("x86-64-v1");
	ck_assert(x86_has(&model, X86_F_SSE2) && !x86_has(&model, X86_F_SSE3) && !x86_has(&model, X86_F_AVX) && x86_has(&model, X86_F_SVM));
	accepted("x86-64-v2");
	ck_assert(x86_has(&model, X86_F_SSE42) && x86_has(&model, X86_F_CX16) && !x86_has(&model, X86_F_XSAVE) && !x86_has(&model, X86_F_AES));
	accepted("x86-64-v3,+aes");
	ck_assert(x86_has(&model, X86_F_AVX2) && x86_has(&model, X86_F_FMA) && x86_has(&model, X86_F_AES) && !x86_has(&model, X86_F_SHA));
	refused("host", "use zen or max");
	refused("Skylake-Server", "no such model");
	refused("", "missing");
}
END_TEST

START_TEST(switches)
{
	accepted("zen,-nrips,+la57");
	ck_assert(!x86_has(&model, X86_F_NRIPS) && x86_has(&model, X86_F_LA57));
	accepted("zen,nrip-save=off,vgif=on,TSC_SCALE=off");
	ck_assert(!x86_has(&model, X86_F_NRIPS) && x86_has(&model, X86_F_VGIF) && !x86_has(&model, X86_F_TSCRATE));
	accepted("zen,phys-bits=40,family=0x17,model=0x31,stepping=0,model-id=My CPU");
	ck_assert_uint_eq(model.pa_bits, 40);
	ck_assert_uint_eq(model.family, 0x17);
	ck_assert_str_eq(model.brand, "My CPU");
	refused("zen,+avx1024", "avx1024");
	refused("zen,svm", "expected +feature");
	refused("zen,svm=maybe", "expected on or off");
	refused("zen,phys-bits=60", "from 36 to 52");
	refused("zen,vendor=AMD", "12 characters");
}
END_TEST

START_TEST(dependencies)
{
	accepted("zen,-svm");
	ck_assert(!x86_has(&model, X86_F_NPT) && !x86_has(&model, X86_F_VNMI) && !x86_has(&model, X86_F_SKINIT));
	accepted("zen,-vgif");
	ck_assert(!x86_has(&model, X86_F_VNMI) && x86_has(&model, X86_F_NPT));
	accepted("zen,-xsave");
	ck_assert(!x86_has(&model, X86_F_XSAVES));
	refused("zen,-svm,+npt", "'npt' needs 'svm'");
	refused("zen,-lm,la57=on", "'la57' needs 'lm'");
}
END_TEST

START_TEST(help_names_everything)
{
	static char buf[16384];
	struct text t;

	text_init_buffer(&t, buf, sizeof buf);
	x86_model_help(&t);
	ck_assert_ptr_nonnull(strstr(buf, "decodeassists"));
	ck_assert_ptr_nonnull(strstr(buf, "la57 (m)"));
	for (const char *line = buf, *nl; (nl = strchr(line, '\n')); line = nl + 1)
		ck_assert_int_le(nl - line, 120);
}
END_TEST

START_TEST(vendor_and_signature)
{
	leaf(0, 0);
	ck_assert_uint_eq(out[CPUID_EAX], 0xd);
	ck_assert_mem_eq(&out[CPUID_EBX], "Auth", 4);
	ck_assert_mem_eq(&out[CPUID_EDX], "enti", 4);
	ck_assert_mem_eq(&out[CPUID_ECX], "cAMD", 4);
	leaf(1, 0);
	ck_assert_uint_eq(out[CPUID_EAX], 0x00a00f11);
	leaf(0x80000000, 0);
	ck_assert_uint_eq(out[CPUID_EAX], 0x80000021);
}
END_TEST

START_TEST(leaf1_follows_the_cpu)
{
	leaf(1, 0);
	ck_assert(out[CPUID_EDX] >> 9 & 1);
	ck_assert(!(out[CPUID_ECX] >> 27 & 1));
	ck_assert(!(out[CPUID_EDX] >> 28 & 1));
	cpu->msr.apic_base = 0xfee00000;
	cpu->cr4 = CR4_OSXSAVE;
	cpu->id = 3;
	model.cpus = 4;
	leaf(1, 0);
	ck_assert(!(out[CPUID_EDX] >> 9 & 1));
	ck_assert(out[CPUID_ECX] >> 27 & 1);
	ck_assert(out[CPUID_EDX] >> 28 & 1);
	ck_assert_uint_eq(out[CPUID_EBX], 0x03040800);
	leaf(0x80000001, 0);
	ck_assert(!(out[CPUID_EDX] >> 9 & 1));
	ck_assert(out[CPUID_EDX] >> 29 & 1);
	ck_assert(out[CPUID_ECX] >> 2 & 1);
}
END_TEST

/* Every feature's bit appears where its row says, and goes away with it. */
START_TEST(each_feature_bit)
{
#define FEATURE(id, name, l, s, r, bit, models)                                                                        \
	ck_assert(x86_model_parse(&model, "max", &err));                                                               \
	model.has[X86_F_##id] = 1;                                                                                     \
	leaf(l, s);                                                                                                    \
	ck_assert_msg(out[r] >> (bit)&1, "%s on", name);                                                               \
	model.has[X86_F_##id] = 0;                                                                                     \
	leaf(l, s);                                                                                                    \
	ck_assert_msg(!(out[r] >> (bit)&1), "%s off", name);                                                           \
	cover(COVER_FEATURE, X86_F_##id);
#include "cpu_x86/features.def"
#undef FEATURE
}
END_TEST

START_TEST(sizes_and_topology)
{
	leaf(0x80000008, 0);
	ck_assert_uint_eq(out[CPUID_EAX], 48 << 8 | 48);
	model.cpus = 6;
	cpu->id = 5;
	leaf(0xb, 0);
	ck_assert_uint_eq(out[CPUID_EBX], 1);
	leaf(0xb, 1);
	ck_assert_uint_eq(out[CPUID_EAX], 3);
	ck_assert_uint_eq(out[CPUID_EBX], 6);
	ck_assert_uint_eq(out[CPUID_EDX], 5);
	leaf(0xb, 2);
	ck_assert_uint_eq(out[CPUID_EBX], 0);
	leaf(0x8000001e, 0);
	ck_assert_uint_eq(out[CPUID_EAX], 5);
	leaf(0x8000001d, 3);
	ck_assert_uint_eq(out[CPUID_EAX] >> 14 & 0xfff, 5);
	leaf(0x8000001d, 4);
	ck_assert_uint_eq(out[CPUID_EAX], 0);
}
END_TEST

START_TEST(svm_leaf)
{
	leaf(0x8000000a, 0);
	ck_assert_uint_eq(out[CPUID_EAX], 1);
	ck_assert_uint_gt(out[CPUID_EBX], 1);
	ck_assert(out[CPUID_EDX] & 1);
	ck_assert(x86_model_parse(&model, "zen,-svm", &err));
	leaf(0x8000000a, 0);
	ck_assert_uint_eq(out[CPUID_EAX] | out[CPUID_EBX] | out[CPUID_EDX], 0);
}
END_TEST

START_TEST(xsave_leaf)
{
	leaf(0xd, 0);
	ck_assert_uint_eq(out[CPUID_EAX], 7);
	ck_assert_uint_eq(out[CPUID_EBX], 576);
	ck_assert_uint_eq(out[CPUID_ECX], 832);
	leaf(0xd, 2);
	ck_assert_uint_eq(out[CPUID_EAX], 256);
	ck_assert_uint_eq(out[CPUID_EBX], 576);
	leaf(0xd, 1);
	ck_assert_uint_eq(out[CPUID_EAX], 0xf);
	ck_assert_uint_eq(out[CPUID_EBX], 576);
}
END_TEST

START_TEST(leaves_beyond_are_zero)
{
	static const u32 gone[] = {0xe, 0x40000000, 0x7fffffff, 0x80000022, 0xffffffff, 2, 4};

	for (unsigned i = 0; i < ARRAY_SIZE(gone); i++) {
		leaf(gone[i], 0);
		ck_assert_uint_eq(out[0] | out[1] | out[2] | out[3], 0);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("model");
	TCase *option = tcase_create("option"), *cpuid = tcase_create("cpuid");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(option, models_and_aliases);
	tcase_add_test(option, switches);
	tcase_add_test(option, dependencies);
	tcase_add_test(option, help_names_everything);
	tcase_add_checked_fixture(cpuid, setup, teardown);
	tcase_add_test(cpuid, vendor_and_signature);
	tcase_add_test(cpuid, leaf1_follows_the_cpu);
	tcase_add_test(cpuid, each_feature_bit);
	tcase_add_test(cpuid, sizes_and_topology);
	tcase_add_test(cpuid, svm_leaf);
	tcase_add_test(cpuid, xsave_leaf);
	tcase_add_test(cpuid, leaves_beyond_are_zero);
	suite_add_tcase(s, option);
	suite_add_tcase(s, cpuid);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
